/* azukari ledger verify, query */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/ask.h"

#define QUERY_USUAL 20u
#define ROOT_SHOWN  16u /* digits */

/* For people: no origins, and of each root what tells it apart. */
static json_t *
for_people(json_t *logs)
{
	size_t i;
	json_t *log;

	json_array_foreach(logs, i, log)
	{
		char root[ROOT_SHOWN + 4];

		(void)snprintf(root, sizeof(root), "%.*s…", (int)ROOT_SHOWN,
		    json_string_value(json_object_get(log, "root")));
		(void)json_object_del(log, "origin");
		(void)json_object_set_new(log, "root", json_string(root));
	}
	return logs;
}

/* A log that is not as it was written is the answer, and exit 4. */
static int
print_verified(const struct cli *cli, const struct front_answer *answer)
{
	json_t *tree = answer->status == AZ_OK ? print_json_of(buffer_peek(&answer->tree)) : NULL;
	bool ok = json_is_true(json_object_get(tree, "ok"));
	json_t *logs;
	int code = 0;

	json_decref(tree);
	if (cli->json || answer->status != AZ_OK) {
		code = print_answer(cli, answer, "logs");
	} else {
		logs = print_items_of(answer);
		if (logs == NULL)
			return print_error(
			    cli, AZ_FORGED, "the keeper sent an answer that cannot be", NULL);
		print_table(for_people(logs));
		json_decref(logs);
		(void)puts(ok ? "every entry is as it was written"
			      : "NOT every entry is as it was written");
	}
	return code == 0 && !ok ? az_exit_code(AZ_FORGED) : code;
}

static int
verify(const struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {{"client", required_argument, NULL, 'c'}, {0}};
	union front_request request = {0};
	struct front_answer answer;
	int option;
	int code;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option != 'c' ||
		    !copy_argument(request.named.label, sizeof(request.named.label), optarg) ||
		    !label_is_valid(request.named.label))
			return cli_usage("ledger", "--client needs a label");
	}
	if (optind != argc)
		return cli_usage("ledger", "verify takes no more arguments");
	front_answer_init(&answer);
	code = ask(cli, FRONT_LEDGER_VERIFY, &request, -1, &answer);
	if (code == 0)
		code = print_verified(cli, &answer);
	front_answer_fini(&answer);
	return code;
}

static bool
read_number(const char *text, uint32_t *ret_number)
{
	char *rest = NULL;
	unsigned long long number = strtoull(text, &rest, 10);

	if (rest == text || *rest != '\0' || text[0] == '-' || number == 0 || number > UINT32_MAX)
		return false;
	*ret_number = (uint32_t)number;
	return true;
}

static int
query(const struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {{"client", required_argument, NULL, 'c'},
	    {"record", required_argument, NULL, 'r'}, {"staff", required_argument, NULL, 's'},
	    {"max", required_argument, NULL, 'm'}, {0}};
	union front_request request = {0};
	struct front_query *asked = &request.query;
	bool good = true;
	int option;

	asked->before = UINT64_MAX;
	asked->max = QUERY_USUAL;
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'c': good &= copy_argument(asked->client, LABEL_SIZE, optarg); break;
		case 's': good &= copy_argument(asked->staff, LABEL_SIZE, optarg); break;
		case 'r': good &= read_number(optarg, &asked->record); break;
		case 'm':
			good &= read_number(optarg, &asked->max) && asked->max <= FRONT_QUERY_MAX;
			break;
		default: return cli_usage("ledger", NULL);
		}
	}
	if (optind != argc || !good || (asked->record != 0 && asked->staff[0] != '\0'))
		return cli_usage("ledger", "query: labels and numbers, --record or --staff");
	return ask_and_print(cli, FRONT_LEDGER_QUERY, &request, -1, "entries");
}

int
cmd_ledger(const struct cli *cli, int argc, char **argv)
{
	if (argc >= 2 && strcmp(argv[1], "verify") == 0)
		return verify(cli, argc - 1, argv + 1);
	if (argc >= 2 && strcmp(argv[1], "query") == 0)
		return query(cli, argc - 1, argv + 1);
	return cli_usage("ledger", "verify or query");
}
