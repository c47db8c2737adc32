/* azukari correct */
#include <getopt.h>
#include <string.h>

#include "cli/values.h"

struct set_values {
	char text[FRONT_FIELDS_MAX][FRONT_VALUE_MAX + 1];
};

/* FIELD, FIELD=VALUE, FIELD=@N, FIELD= */
static bool
read_set(char *argument, struct front_correct *correct, struct set_values *set, bool *in_argument)
{
	char *equals = strchr(argument, '=');
	struct front_correct_field *field;
	unsigned int known;
	char *text;

	if (correct->field_count == FRONT_FIELDS_MAX)
		return false;
	if (equals != NULL)
		*equals = '\0';
	text = set->text[correct->field_count];
	field = &correct->fields[correct->field_count++];
	if (!copy_argument(field->name, sizeof(field->name), argument) ||
	    (!field_parse(field->name, &known) && !field_is_x_name(field->name)))
		return false;
	if (equals != NULL && equals[1] == '\0')
		return true;
	if (!value_read(argument, equals != NULL ? equals + 1 : NULL, text, FRONT_VALUE_MAX + 1,
		in_argument))
		return false;
	field->value = bytes_of(text);
	return bytes_are_utf8(field->value);
}

static int
read_options(int argc, char **argv, struct front_correct *correct, struct person_values *values,
    struct set_values *set)
{
	static const struct option options[] = {PERSON_OPTIONS,
	    {"set", required_argument, NULL, 's'}, {"call", required_argument, NULL, 'C'}, {0}};
	bool good = true;
	int option;

	correct->person.reason = REASON_CORRECTION;
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (person_option(option, optarg, &correct->person, values, &good))
			continue;
		if (option == 's') {
			if (!read_set(optarg, correct, set, &values->in_argument))
				return cli_usage(
				    "correct", "--set needs FIELD=VALUE, FIELD or FIELD=@N");
		} else if (option == 'C') {
			good &= copy_argument(correct->call, CALL_SIZE, optarg) &&
			    call_is_valid(correct->call);
		} else {
			return cli_usage("correct", NULL);
		}
	}
	if (optind != argc || !good || person_problem(&correct->person) != NULL)
		return cli_usage("correct", person_problem(&correct->person));
	if (correct->field_count == 0)
		return cli_usage("correct", "--set is needed: what is put right");
	return 0;
}

int
cmd_correct(const struct cli *cli, int argc, char **argv)
{
	union front_request request = {0};
	struct person_values values = {0};
	struct set_values set = {0};
	int code = read_options(argc, argv, &request.correct, &values, &set);

	if (code == 0 && values.in_argument)
		code = value_check_argument(cli, "correct");
	if (code == 0)
		code = ask_and_print(cli, FRONT_CORRECT, &request, -1, NULL);
	az_wipe(&values, sizeof(values));
	az_wipe(&set, sizeof(set));
	az_wipe(&request, sizeof(request));
	return code;
}
