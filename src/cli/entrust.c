/* azukari entrust */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/receipt.h"
#include "cli/values.h"

/* "name+birth,phone". */
static bool
read_kinds(const char *text, uint16_t *ret_kinds)
{
	unsigned int kinds = 0;
	char copy[128];
	char *rest = copy;
	char *name;

	if (!copy_argument(copy, sizeof(copy), text))
		return false;
	while ((name = strsep(&rest, ",")) != NULL) {
		enum match_kind kind;

		if (!match_kind_parse(name, &kind) || (1u << kind & JOIN_KINDS) == 0)
			return false;
		kinds |= 1u << kind;
	}
	*ret_kinds = (uint16_t)kinds;
	return kinds != 0;
}

static int
read_options(int argc, char **argv, struct front_entrust *entrust, const char **ret_receipt)
{
	static const struct option options[] = {{"client", required_argument, NULL, 'c'},
	    {"purpose", required_argument, NULL, 'p'}, {"as-of", required_argument, NULL, 'a'},
	    {"columns", required_argument, NULL, 'C'}, {"strict", no_argument, NULL, 's'},
	    {"mode", required_argument, NULL, 'm'}, {"join", required_argument, NULL, 'j'},
	    {"password", no_argument, NULL, 'P'}, {"password-fd", required_argument, NULL, 'F'},
	    {"receipt", required_argument, NULL, 'r'}, {0}};
	enum list_mode mode = LIST_ADD;
	bool as_of = false;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'c':
			if (!copy_argument(entrust->client, sizeof(entrust->client), optarg))
				return cli_usage("entrust", "--client needs a label");
			break;
		case 'p':
			if (!copy_argument(entrust->purpose, sizeof(entrust->purpose), optarg))
				return cli_usage("entrust", "--purpose needs a label");
			break;
		case 'C':
			if (!copy_argument(entrust->columns, sizeof(entrust->columns), optarg))
				return cli_usage("entrust", "--columns is too long");
			break;
		case 'a': as_of = date_parse(optarg, &entrust->as_of); break;
		case 's': entrust->strict = 1; break;
		case 'r': *ret_receipt = optarg; break;
		case 'm':
			if (!list_mode_parse(optarg, &mode))
				return cli_usage(
				    "entrust", "--mode needs one of add, full, withdraw");
			break;
		case 'j':
			if (!read_kinds(optarg, &entrust->join))
				return cli_usage("entrust",
				    "--join needs some of phone, email, name+birth, name+place");
			break;
		case 'P':
			if (!password_read(NULL, entrust->password, sizeof(entrust->password)))
				return cli_usage("entrust", "a password is needed");
			break;
		case 'F':
			if (!password_read(optarg, entrust->password, sizeof(entrust->password)))
				return cli_usage(
				    "entrust", "--password-fd needs a descriptor with a password");
			break;
		default: return cli_usage("entrust", NULL);
		}
	}
	if (!label_is_valid(entrust->client) || !label_is_valid(entrust->purpose))
		return cli_usage("entrust", "--client and --purpose are needed");
	if (!as_of)
		return cli_usage("entrust", "--as-of needs a date: YYYY-MM-DD");
	entrust->mode = (uint8_t)mode;
	if (optind + 1 != argc)
		return cli_usage("entrust", "one file is needed, or - for standard input");
	return 0;
}

/* For people, the counts first and the refused rows as a table. */
static void
print_entrusted(json_t *tree)
{
	json_t *refusals = json_incref(json_object_get(tree, "refusals"));
	json_t *doubts = json_incref(json_object_get(tree, "doubts"));

	(void)json_object_del(tree, "refusals");
	(void)json_object_del(tree, "doubts");
	print_object(tree);
	if (json_array_size(refusals) > 0) {
		(void)printf("\nrefused rows:\n");
		print_table(refusals);
	}
	if (json_array_size(doubts) > 0) {
		(void)printf("\ndoubtful rows:\n");
		print_table(doubts);
	}
	json_decref(refusals);
	json_decref(doubts);
}

/* The list is the house's by now, whatever becomes of its receipt, which can be asked for again. */
static int
print(const struct cli *cli, const struct front_answer *answer, const char *receipt_path)
{
	json_t *tree;
	uint64_t consignment;
	char *receipt;
	int code = 0;

	if (answer->status != AZ_OK)
		return print_answer(cli, answer, NULL);
	tree = print_json_of(buffer_peek(&answer->tree));
	consignment = (uint64_t)json_integer_value(json_object_get(tree, "consignment"));
	if (tree == NULL || consignment == 0) {
		json_decref(tree);
		return print_error(
		    cli, AZ_FORGED, "the keeper sent an answer that cannot be", NULL);
	}
	receipt = receipt_ask(cli, consignment, &code);
	if (receipt != NULL && receipt_path != NULL)
		code = receipt_write(cli, receipt_path, receipt);
	if (cli->json) {
		if (receipt != NULL)
			(void)json_object_set_new(tree, "receipt", json_string(receipt));
		print_json(tree);
	} else {
		print_entrusted(tree);
		(void)printf("receipt: azukari receipt %llu\n", (unsigned long long)consignment);
		json_decref(tree);
	}
	free(receipt);
	return code;
}

int
cmd_entrust(const struct cli *cli, int argc, char **argv)
{
	union front_request request = {0};
	struct front_answer answer;
	struct az_err err = {0};
	const char *path;
	const char *receipt = NULL;
	int fd;
	int code = read_options(argc, argv, &request.entrust, &receipt);

	if (code != 0)
		return code;
	path = argv[optind];
	fd = strcmp(path, "-") == 0 ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		(void)az_fail_errno(&err, AZ_NOT_FOUND, errno, "%s", path);
		return print_error(cli, AZ_NOT_FOUND, err.text, NULL);
	}
	front_answer_init(&answer);
	code = ask(cli, FRONT_ENTRUST, &request, fd, &answer);
	if (code == 0)
		code = print(cli, &answer, receipt);
	az_wipe(&request, sizeof(request));
	front_answer_fini(&answer);
	(void)close(fd);
	return code;
}
