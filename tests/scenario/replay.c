/*
 * A front that cheats. Its exit code is that of the refusal.
 *
 *	replay SIGNED SENT [BIT]     signs one request and sends the signature as the approval of another, or changes a bit of it
 *	replay import NUMBER FILE    gives the file of a history without having had it read on this side
 *	replay search WHAT CASE FILE searches for what was not given: none (no list), rows (nor what each row is), other (in another
 *	                             case than the list was given to)
 *	replay guard WHAT            does by a human's line what only a guard may: report, put, bytes, end, written
 *	replay hold SECONDS          has the house hold still as for a backup, and copies nothing
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/front.h"
#include "crypto/hash.h"
#include "proto/answer.h"
#include "proto/approval.h"

/* The document of an answer. */
static struct bytes
document_of(const struct front_answer *answer)
{
	struct answer_reader reader;
	struct answer_event event;

	answer_reader_init(&reader, buffer_peek(&answer->tree));
	while (answer_next(&reader, &event) == AZ_OK) {
		if (event.tag == ANSWER_BYTES && strcmp(event.name, "document") == 0)
			return event.bytes;
	}
	return bytes_make(NULL, 0);
}

/* What the commands need of the program that they stand in; none of them is run here. */
int
cli_run(const struct cli *cli, int argc, char **argv)
{
	(void)cli;
	(void)argc;
	(void)argv;
	abort();
}

int
cli_fail(const struct az_err *err)
{
	(void)err;
	abort();
}

int
cli_usage(const char *command, const char *problem)
{
	(void)command;
	(void)problem;
	abort();
}

static enum az_status
import(struct front *front, char **argv, struct front_answer *answer, struct az_err *reterr)
{
	union front_request request = {0};
	int fd = open(argv[3], O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return AZ_NOT_FOUND;
	request.numbered.number = (uint32_t)strtoul(argv[2], NULL, 10);
	return front_ask(front, FRONT_HISTORY_IMPORT, &request, fd, answer, reterr);
}

static enum az_status
hold(struct front *front, const char *seconds, struct front_answer *answer, struct az_err *reterr)
{
	const union front_request request = {0};
	enum az_status status = front_ask(front, FRONT_BACKUP, &request, -1, answer, reterr);

	if (status == AZ_OK && answer->status == AZ_OK)
		(void)sleep((unsigned int)strtoul(seconds, NULL, 10));
	return status;
}

static enum az_status
search(struct front *front, char **argv, struct front_answer *answer, struct az_err *reterr)
{
	union front_request request = {0};
	bool in_other = strcmp(argv[2], "other") == 0;
	int fd = open(argv[4], O_RDWR | O_CLOEXEC);
	enum az_status status = AZ_OK;

	if (fd < 0)
		return AZ_NOT_FOUND;
	request.trace.id = (uint32_t)strtoul(argv[3], NULL, 10);
	if (in_other) {
		request.trace_list.id = (uint32_t)strtoul(argv[3], NULL, 10);
		status = front_ask(front, FRONT_TRACE_LIST, &request, fd, answer, reterr);
		if (status != AZ_OK || answer->status != AZ_OK)
			return AZ_INTERNAL;
		front_answer_fini(answer);
		front_answer_init(answer);
		request = (union front_request){0};
		request.trace.id = (uint32_t)strtoul(argv[3], NULL, 10) - 1;
	}
	if (strcmp(argv[2], "rows") == 0)
		return front_ask(front, FRONT_TRACE_ROWS, &request, fd, answer, reterr);
	return front_ask(front, FRONT_TRACE, &request, -1, answer, reterr);
}

/* What only guards may, from who is none. */
static enum az_status
as_guard(struct front *front, const char *what, struct front_answer *answer, struct az_err *reterr)
{
	union front_request request = {0};

	if (strcmp(what, "report") == 0)
		return front_ask(front, FRONT_GUARD_REPORT, &request, -1, answer, reterr);
	if (strcmp(what, "put") == 0) {
		request.put =
		    (struct front_put){.grant = 1, .size = 1, .name = "list.csv", .users = "ito"};
		return front_ask(front, FRONT_PUT, &request, -1, answer, reterr);
	}
	if (strcmp(what, "bytes") == 0) {
		request.put_bytes.bytes = bytes_make("1", 1);
		return front_ask(front, FRONT_PUT_BYTES, &request, -1, answer, reterr);
	}
	if (strcmp(what, "end") == 0)
		return front_ask(front, FRONT_PUT_END, &request, -1, answer, reterr);
	request.put_written.written = 1;
	return strcmp(what, "written") == 0
	    ? front_ask(front, FRONT_PUT_WRITTEN, &request, -1, answer, reterr)
	    : AZ_INVALID;
}

static enum az_status
replay(
    struct front *front, int argc, char **argv, struct front_answer *answer, struct az_err *reterr)
{
	union front_request request = {0};
	struct front_approve approve = {0};
	uint8_t hash[SHA256_SIZE];
	enum az_status status;

	request.numbered.number = (uint32_t)strtoul(argv[1], NULL, 10);
	status = front_ask(front, FRONT_APPROVAL, &request, -1, answer, reterr);
	if (status == AZ_OK && document_of(answer).size == 0)
		status = AZ_NOT_FOUND;
	if (status == AZ_OK) {
		sha256(document_of(answer), hash);
		status = front_sign(front, APPROVAL_CONTEXT, hash, approve.signature, reterr);
	}
	if (argc > 3)
		approve.signature[strtoul(argv[3], NULL, 10) / 8 % 64] ^=
		    (uint8_t)(1u << strtoul(argv[3], NULL, 10) % 8);
	approve.number = (uint32_t)strtoul(argv[2], NULL, 10);
	request.approve = approve;
	front_answer_fini(answer);
	front_answer_init(answer);
	return status == AZ_OK ? front_ask(front, FRONT_APPROVE, &request, -1, answer, reterr)
			       : status;
}

int
main(int argc, char **argv)
{
	struct cli cli = {.house = getenv("AZUKARI_HOUSE"), .key = getenv("AZUKARI_KEY")};
	struct front_answer answer;
	struct front *front = NULL;
	struct az_err err = {0};
	enum az_status status;

	if (argc < 3)
		return 2;
	front_answer_init(&answer);
	status = front_connect(&cli, &front, &err);
	if (status == AZ_OK && argc == 4 && strcmp(argv[1], "import") == 0)
		status = import(front, argv, &answer, &err);
	else if (status == AZ_OK && argc == 5 && strcmp(argv[1], "search") == 0)
		status = search(front, argv, &answer, &err);
	else if (status == AZ_OK && strcmp(argv[1], "guard") == 0)
		status = as_guard(front, argv[2], &answer, &err);
	else if (status == AZ_OK && strcmp(argv[1], "hold") == 0)
		status = hold(front, argv[2], &answer, &err);
	else if (status == AZ_OK)
		status = replay(front, argc, argv, &answer, &err);
	if (status == AZ_OK)
		status = answer.status;
	if (status != AZ_OK && err.text[0] == '\0')
		(void)snprintf(err.text, sizeof(err.text), "%s", answer.text);
	(void)fprintf(stderr, "%s\n", status == AZ_OK ? "it was taken" : err.text);
	front_answer_fini(&answer);
	front_close(&front);
	return az_exit_code(status);
}
