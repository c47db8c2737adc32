/* azukari disclose */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/ask.h"
#include "cli/values.h"

/* Values to look for, kept until the request is written. */
struct values {
	char text[FRONT_BY_MAX][FRONT_VALUE_MAX + 1];
	bool in_argument; /* one stood in the arguments, for others to see */
};

/* FIELD, FIELD=VALUE, FIELD=@N */
static bool
read_by(char *argument, struct front_disclose *disclose, struct values *values)
{
	char *equals = strchr(argument, '=');
	unsigned int field;
	struct front_by *by;
	char *text;
	bool good;

	if (disclose->by_count == FRONT_BY_MAX)
		return false;
	if (equals != NULL)
		*equals = '\0';
	if (!field_parse(argument, &field))
		return false;
	text = values->text[disclose->by_count];
	by = &disclose->by[disclose->by_count++];
	by->field = (uint8_t)field;
	good = value_read(argument, equals != NULL ? equals + 1 : NULL, text, FRONT_VALUE_MAX + 1,
	    &values->in_argument);
	by->value = bytes_of(text);
	return good && bytes_are_utf8(by->value);
}

static int
read_options(int argc, char **argv, struct front_disclose *disclose, struct values *values)
{
	static const struct option options[] = {{"client", required_argument, NULL, 'c'},
	    {"purpose", required_argument, NULL, 'p'}, {"by", required_argument, NULL, 'b'},
	    {"reason", required_argument, NULL, 'r'}, {"basis", required_argument, NULL, 'B'},
	    {"call", required_argument, NULL, 'C'}, {"campaign", required_argument, NULL, 'g'},
	    {0}};
	enum reason reason = REASON_NONE;
	enum basis basis = BASIS_NONE;
	bool good = true;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'c': good &= copy_argument(disclose->client, LABEL_SIZE, optarg); break;
		case 'p': good &= copy_argument(disclose->purpose, LABEL_SIZE, optarg); break;
		case 'g':
			good &= copy_argument(disclose->campaign, LABEL_SIZE, optarg) &&
			    label_is_valid(disclose->campaign);
			break;
		case 'b':
			if (!read_by(optarg, disclose, values))
				return cli_usage(
				    "disclose", "--by needs FIELD=VALUE, FIELD or FIELD=@N");
			break;
		case 'r':
			if (!reason_parse(optarg, &reason))
				return cli_usage("disclose", "--reason is not one of the codes");
			break;
		case 'B':
			if (!basis_parse(optarg, &basis))
				return cli_usage("disclose", "--basis is not one of the codes");
			break;
		case 'C':
			if (!copy_argument(disclose->call, CALL_SIZE, optarg) ||
			    !call_is_valid(disclose->call))
				return cli_usage("disclose", "--call is not a valid reference");
			break;
		default: return cli_usage("disclose", NULL);
		}
	}
	if (optind != argc || !good || !label_is_valid(disclose->client) ||
	    !label_is_valid(disclose->purpose))
		return cli_usage("disclose", "--client and --purpose are needed");
	if (disclose->by_count == 0)
		return cli_usage("disclose", "--by is needed: whom the call is about");
	if (reason == REASON_NONE)
		return cli_usage("disclose", "--reason is needed");
	if (basis == BASIS_NONE)
		basis = disclose->call[0] != '\0' ? BASIS_INBOUND_MATCH : BASIS_MANUAL_SEARCH;
	disclose->reason = (uint16_t)reason;
	disclose->basis = (uint8_t)basis;
	return 0;
}

/* "NAME: a, b", if there are any. */
static void
print_names(const char *name, const json_t *names)
{
	for (size_t i = 0; i < json_array_size(names); i++)
		(void)printf("%s%s%s", i == 0 ? name : ", ",
		    json_string_value(json_array_get(names, i)),
		    i + 1 == json_array_size(names) ? "\n" : "");
}

static void
print_disclosed(const json_t *tree)
{
	json_t *fields = json_object_get(tree, "fields");
	json_t *ledger = json_object_get(tree, "ledger");

	print_names("STOP, do not use: ", json_object_get(tree, "stops"));
	print_object(fields);
	(void)printf("\nrecord %lld, version %lld, as of %s\n",
	    (long long)json_integer_value(json_object_get(tree, "record")),
	    (long long)json_integer_value(json_object_get(tree, "version")),
	    json_string_value(json_object_get(tree, "as_of")));
	print_names("shown in part: ", json_object_get(tree, "masked"));
	print_names("corrected here: ", json_object_get(tree, "corrected"));
	print_names("restricted: ", json_object_get(tree, "restricted"));
	(void)printf("seen: ledger %s, entry %lld\n",
	    json_string_value(json_object_get(ledger, "log")),
	    (long long)json_integer_value(json_object_get(ledger, "index")));
}

static int
print(const struct cli *cli, const struct front_answer *answer)
{
	json_t *tree;

	if (cli->json || answer->status != AZ_OK)
		return print_answer(cli, answer, NULL);
	tree = print_json_of(buffer_peek(&answer->tree));
	if (tree == NULL || !json_is_string(json_object_get(tree, "as_of")) ||
	    !json_is_string(json_object_get(json_object_get(tree, "ledger"), "log"))) {
		json_decref(tree);
		return print_error(
		    cli, AZ_FORGED, "the keeper sent an answer that cannot be", NULL);
	}
	print_disclosed(tree);
	json_decref(tree);
	return 0;
}

int
cmd_disclose(const struct cli *cli, int argc, char **argv)
{
	union front_request request = {0};
	struct values values = {0};
	struct front_answer answer;
	int code = read_options(argc, argv, &request.disclose, &values);

	if (code == 0 && values.in_argument)
		code = value_check_argument(cli, "disclose");
	if (code == 0) {
		front_answer_init(&answer);
		code = ask(cli, FRONT_DISCLOSE, &request, -1, &answer);
		if (code == 0)
			code = print(cli, &answer);
		front_answer_fini(&answer);
	}
	az_wipe(&values, sizeof(values));
	az_wipe(&request, sizeof(request));
	return code;
}
