/* azukari hand-over */
#include <getopt.h>
#include <stdlib.h>

#include "cli/values.h"

#define MINUTES_USUAL 15u

static bool
read_minutes(const char *text, uint16_t *ret_minutes)
{
	char *rest = NULL;
	unsigned long minutes = strtoul(text, &rest, 10);

	if (text[0] < '1' || text[0] > '9' || *rest != '\0' || minutes > FRONT_HAND_OVER_MINUTES)
		return false;
	*ret_minutes = (uint16_t)minutes;
	return true;
}

int
cmd_hand_over(const struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {PERSON_OPTIONS,
	    {"to", required_argument, NULL, 't'}, {"minutes", required_argument, NULL, 'm'}, {0}};
	union front_request request = {0};
	struct front_hand_over *asked = &request.hand_over;
	struct person_values values = {0};
	bool good = true;
	int option;
	int code = 0;

	asked->person.reason = REASON_ENQUIRY;
	asked->minutes = MINUTES_USUAL;
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (person_option(option, optarg, &asked->person, &values, &good))
			continue;
		if (option == 't')
			good &= copy_argument(asked->to, sizeof(asked->to), optarg);
		else if (option == 'm')
			good &= read_minutes(optarg, &asked->minutes);
		else
			return cli_usage("hand-over", NULL);
	}
	if (optind != argc || !good || person_problem(&asked->person) != NULL)
		return cli_usage("hand-over", person_problem(&asked->person));
	if (!label_is_valid(asked->to))
		return cli_usage("hand-over", "--to is needed: who gets them");
	if (values.in_argument)
		code = value_check_argument(cli, "hand-over");
	if (code == 0)
		code = ask_and_print(cli, FRONT_HAND_OVER, &request, -1, NULL);
	az_wipe(&values, sizeof(values));
	return code;
}
