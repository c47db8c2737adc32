/* azukari check */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "cli/look.h"

/* What is compared, kept until the request is written. */
struct check_value {
	char text[FRONT_VALUE_MAX + 1];
	bool in_argument;
};

/* FIELD, FIELD=VALUE, FIELD=@N; "x:NAME" has no '='. */
static bool
read_is(char *argument, struct front_check *check, struct check_value *value)
{
	char *equals = strchr(argument, '=');
	unsigned int known;

	if (check->value.size != 0)
		return false;
	if (equals != NULL)
		*equals = '\0';
	if ((!field_parse(argument, &known) && !field_is_x_name(argument)) ||
	    !copy_argument(check->field, sizeof(check->field), argument) ||
	    !value_read(argument, equals != NULL ? equals + 1 : NULL, value->text,
		sizeof(value->text), &value->in_argument))
		return false;
	check->value = bytes_of(value->text);
	return bytes_are_utf8(check->value);
}

static int
read_options(int argc, char **argv, struct front_check *check, struct look_values *values,
    struct check_value *value)
{
	static const struct option options[] = {
	    LOOK_OPTIONS, {"is", required_argument, NULL, 'i'}, {0}};
	const char *problem = NULL;
	int option;

	check->look.reason = REASON_IDENTITY_CHECK;
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'i') {
			if (!read_is(optarg, check, value))
				problem = "--is needs one FIELD=VALUE, FIELD or FIELD=@N";
		} else if (!look_option(option, optarg, &check->look, values, &problem)) {
			return cli_usage("check", NULL);
		}
		if (problem != NULL)
			return cli_usage("check", problem);
	}
	problem = look_problem(&check->look);
	if (problem == NULL && check->value.size == 0)
		problem = "--is is needed: the field, and what it might be";
	return optind != argc || problem != NULL ? cli_usage("check", problem) : 0;
}

static int
print(const struct cli *cli, const struct front_answer *answer)
{
	json_t *tree;
	const char *said;
	int code = 0;

	if (cli->json || answer->status != AZ_OK)
		return print_answer(cli, answer, NULL);
	tree = print_json_of(buffer_peek(&answer->tree));
	said = json_string_value(json_object_get(tree, "answer"));
	if (said == NULL) {
		code =
		    print_error(cli, AZ_FORGED, "the keeper sent an answer that cannot be", NULL);
	} else {
		(void)puts(said);
		if (strcmp(said, "yes") != 0)
			(void)fprintf(stderr, "wrong values left in this hour: %lld\n",
			    (long long)json_integer_value(json_object_get(tree, "wrong_left")));
	}
	json_decref(tree);
	return code;
}

int
cmd_check(const struct cli *cli, int argc, char **argv)
{
	union front_request request = {0};
	struct look_values values = {0};
	struct check_value value = {0};
	struct front_answer answer;
	int code = read_options(argc, argv, &request.check, &values, &value);

	if (code == 0 && (values.in_argument || value.in_argument))
		code = value_check_argument(cli, "check");
	if (code == 0) {
		front_answer_init(&answer);
		code = ask(cli, FRONT_CHECK, &request, -1, &answer);
		if (code == 0)
			code = print(cli, &answer);
		front_answer_fini(&answer);
	}
	az_wipe(&values, sizeof(values));
	az_wipe(&value, sizeof(value));
	az_wipe(&request, sizeof(request));
	return code;
}
