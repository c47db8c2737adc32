/*
 * azukari ask, approve, refuse, approvals.
 *
 * Who approves gets the document itself, shows its words, and signs its hash here, with a key that never leaves this
 * machine: what is approved is what was shown, whatever lies between.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/ask.h"
#include "crypto/hash.h"
#include "proto/answer.h"
#include "proto/approval.h"

/* "7" of requests; 0 is none. */
static bool
read_number(const char *text, uint32_t *ret_number)
{
	char *end = NULL;
	unsigned long number;

	if (text[0] < '1' || text[0] > '9')
		return false;
	errno = 0;
	number = strtoul(text, &end, 10);
	if (errno != 0 || *end != '\0' || number > UINT32_MAX)
		return false;
	*ret_number = (uint32_t)number;
	return true;
}

int
cmd_ask(const struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {
	    {"expires", required_argument, NULL, 'e'}, {"note", required_argument, NULL, 'n'}, {0}};
	struct cli_asking asking = {0};
	static const char *const askable[] = {"client", "purpose", "campaign", "restrict", "staff",
	    "invite", "device", "grant", "policy", "zone", "restore", "key", "statement",
	    "witness"};
	struct cli asked = *cli;
	bool good = false;
	int option;

	while ((option = getopt_long(argc, argv, "+", options, NULL)) != -1) {
		if (option == 'e' && !duration_read(optarg, &asking.seconds))
			return cli_usage("ask", "--expires needs 90s, 30m, 12h or 7d");
		if (option == 'n' &&
		    (!copy_argument(asking.note, sizeof(asking.note), optarg) ||
			!name_is_valid(asking.note)))
			return cli_usage("ask", "--note needs at most 127 bytes of one line");
		if (option == '?')
			return cli_usage("ask", NULL);
	}
	for (size_t i = 0; optind < argc && i < AZ_ARRAY_SIZE(askable); i++)
		good |= strcmp(argv[optind], askable[i]) == 0;
	if (!good)
		return cli_usage("ask", "what is asked is a command that changes the house");
	asked.asking = &asking;
	return cli_run(&asked, argc - optind, argv + optind);
}

/* --- approving -------------------------------------------------------------------------------- */

/* The member "document" of an answer's tree. */
static bool
find_document(const struct front_answer *answer, struct bytes *ret_document)
{
	struct answer_reader reader;
	struct answer_event event;

	answer_reader_init(&reader, buffer_peek(&answer->tree));
	while (answer_next(&reader, &event) == AZ_OK) {
		if (event.tag == ANSWER_BYTES && strcmp(event.name, "document") == 0) {
			*ret_document = event.bytes;
			return true;
		}
	}
	return false;
}

static void
show_document(const struct cli *cli, const struct approval_document *document)
{
	char what[APPROVAL_WHAT_MAX + 1];

	if (cli->json)
		return;
	(void)snprintf(what, sizeof(what), "%.*s", (int)document->what.size,
	    (const char *)document->what.data);
	(void)printf("request %u of %s: ", document->number, document->asker);
	print_text(stdout, what);
	(void)putchar('\n');
	if (document->note[0] != '\0') {
		(void)fputs("note: ", stdout);
		print_text(stdout, document->note);
		(void)putchar('\n');
	}
}

/* Reads what is to be approved, shows it, and signs it. */
static enum az_status
sign_document(const struct cli *cli, struct front *front, const struct front_answer *answer,
    struct front_approve *approve, struct az_err *reterr)
{
	struct approval_document document;
	uint8_t hash[SHA256_SIZE];
	struct bytes bytes;

	if (!find_document(answer, &bytes) || approval_document_decode(bytes, &document) != AZ_OK ||
	    document.number != approve->number ||
	    !bytes_equal(bytes_make(document.house, HOUSE_ID_SIZE),
		bytes_make(front_house(front)->house, HOUSE_ID_SIZE)))
		return az_fail(
		    reterr, AZ_FORGED, "the keeper sent something else than the request");
	show_document(cli, &document);
	sha256(bytes, hash);
	return front_sign(front, APPROVAL_CONTEXT, hash, approve->signature, reterr);
}

int
cmd_approve(const struct cli *cli, int argc, char **argv)
{
	union front_request request = {0};
	struct front_approve approve = {0};
	struct front_answer answer;
	struct front *front = NULL;
	struct az_err err = {0};
	enum az_status status;
	int code = 0;

	if (argc != 2 || !read_number(argv[1], &approve.number))
		return cli_usage("approve", "one number of a request is needed");
	front_answer_init(&answer);
	request.numbered.number = approve.number;
	status = ask_connect(cli, &front, &err);
	if (status == AZ_OK)
		status = front_ask(front, FRONT_APPROVAL, &request, -1, &answer, &err);
	if (status == AZ_OK && answer.status != AZ_OK) {
		code = print_answer(cli, &answer, NULL);
	} else if (status == AZ_OK) {
		status = sign_document(cli, front, &answer, &approve, &err);
		front_answer_fini(&answer);
		front_answer_init(&answer);
		request.approve = approve;
		if (status == AZ_OK)
			status = front_ask(front, FRONT_APPROVE, &request, -1, &answer, &err);
		if (status == AZ_OK)
			code = print_answer(cli, &answer, NULL);
	}
	front_close(&front);
	front_answer_fini(&answer);
	return status == AZ_OK ? code : print_error(cli, status, err.text, NULL);
}

int
cmd_refuse(const struct cli *cli, int argc, char **argv)
{
	union front_request request = {0};

	if (argc != 2 || !read_number(argv[1], &request.numbered.number))
		return cli_usage("refuse", "one number of a request is needed");
	return ask_and_print(cli, FRONT_REFUSE, &request, -1, NULL);
}

int
cmd_approvals(const struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {
	    {"all", no_argument, NULL, 'a'}, {"standing", no_argument, NULL, 's'}, {0}};
	union front_request request = {0};
	bool standing = false;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'a')
			request.approvals.all = 1;
		else if (option == 's')
			standing = true;
		else
			return cli_usage("approvals", NULL);
	}
	if (standing && optind == argc && request.approvals.all == 0)
		return ask_and_print(cli, FRONT_STANDING_LIST, &request, -1, "standing");
	if (standing)
		return cli_usage("approvals", "--standing goes alone");
	if (optind == argc)
		return ask_and_print(cli, FRONT_APPROVALS, &request, -1, "requests");
	if (optind + 1 == argc && request.approvals.all == 0 &&
	    read_number(argv[optind], &request.numbered.number))
		return ask_and_print(cli, FRONT_APPROVAL, &request, -1, NULL);
	return cli_usage("approvals", "--all, or the number of one request");
}
