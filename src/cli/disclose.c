/* azukari disclose */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "cli/look.h"

/* Why something is to be shown whole, kept until the request is written. */
struct why {
	char text[FRONT_WHY_MAX + 1];
	bool in_argument;
};

/* "phone,email" */
static bool
read_unmask(char *text, struct front_disclose *disclose)
{
	char *rest = NULL;
	unsigned int known;

	for (char *part = strtok_r(text, ",", &rest); part != NULL;
	     part = strtok_r(NULL, ",", &rest)) {
		if (disclose->unmask_count == FRONT_UNMASK_MAX ||
		    (!field_parse(part, &known) && !field_is_x_name(part)) ||
		    !copy_argument(
			disclose->unmask[disclose->unmask_count++], FIELD_NAME_MAX, part))
			return false;
	}
	return disclose->unmask_count > 0;
}

/* TEXT, @N, - */
static bool
read_why(const char *spec, struct front_disclose *disclose, struct why *why)
{
	if (!value_read("why", strcmp(spec, "-") == 0 ? NULL : spec, why->text, sizeof(why->text),
		&why->in_argument))
		return false;
	disclose->why = bytes_of(why->text);
	return bytes_are_utf8(disclose->why);
}

static int
read_options(int argc, char **argv, struct front_disclose *disclose, struct look_values *values,
    struct why *why)
{
	static const struct option options[] = {LOOK_OPTIONS,
	    {"record", required_argument, NULL, 'R'}, {"unmask", required_argument, NULL, 'm'},
	    {"why", required_argument, NULL, 'w'}, {0}};
	const char *problem = NULL;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'R') {
			if (!record_parse(optarg, &disclose->look.record))
				problem = "--record needs the number of a record";
		} else if (option == 'm') {
			if (!read_unmask(optarg, disclose))
				problem = "--unmask needs fields";
		} else if (option == 'w') {
			if (!read_why(optarg, disclose, why))
				problem = "--why needs a line of at most 500 bytes";
		} else if (!look_option(option, optarg, &disclose->look, values, &problem)) {
			return cli_usage("disclose", NULL);
		}
		if (problem != NULL)
			return cli_usage("disclose", problem);
	}
	problem = look_problem(&disclose->look);
	if (problem == NULL && (disclose->unmask_count == 0) != (disclose->why.size == 0))
		problem = "--unmask and --why are needed together";
	return optind != argc || problem != NULL ? cli_usage("disclose", problem) : 0;
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
	print_names("shown whole, for a reason: ", json_object_get(tree, "unmasked"));
	print_names("corrected here: ", json_object_get(tree, "corrected"));
	print_names("restricted: ", json_object_get(tree, "restricted"));
	if (json_is_string(json_object_get(tree, "guard")))
		(void)puts(
		    "the guard of this device is silent: only what is shown in part is shown");
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
	struct look_values values = {0};
	struct why why = {0};
	struct front_answer answer;
	int code = read_options(argc, argv, &request.disclose, &values, &why);

	if (code == 0 && (values.in_argument || why.in_argument))
		code = value_check_argument(cli, "disclose");
	if (code == 0) {
		front_answer_init(&answer);
		code = ask(cli, FRONT_DISCLOSE, &request, -1, &answer);
		if (code == 0)
			code = print(cli, &answer);
		front_answer_fini(&answer);
	}
	az_wipe(&values, sizeof(values));
	az_wipe(&why, sizeof(why));
	az_wipe(&request, sizeof(request));
	return code;
}
