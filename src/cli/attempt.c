/* azukari attempt, attempt list */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "cli/values.h"

#define LIST_USUAL 20u

/* "2026-04-01T10:30", where this machine is. */
static bool
read_moment(const char *text, int64_t *ret_us)
{
	struct tm parts = {.tm_isdst = -1};
	const char *rest = strptime(text, "%Y-%m-%dT%H:%M", &parts);
	time_t seconds;

	if (rest == NULL || *rest != '\0')
		return false;
	seconds = mktime(&parts);
	*ret_us = (int64_t)seconds * AZ_US_PER_S;
	return seconds > 0;
}

static int
list(const struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {
	    PERSON_OPTIONS, {"max", required_argument, NULL, 'm'}, {0}};
	union front_request request = {0};
	struct front_attempt_list *asked = &request.attempt_list;
	struct person_values values = {0};
	bool good = true;
	int option;
	int code = 0;

	asked->max = LIST_USUAL;
	asked->person.reason = REASON_OUTBOUND;
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		char *rest = NULL;
		unsigned long max;

		if (person_option(option, optarg, &asked->person, &values, &good))
			continue;
		if (option != 'm')
			return cli_usage("attempt", NULL);
		max = strtoul(optarg, &rest, 10);
		good &= rest != optarg && *rest == '\0' && max >= 1 && max <= FRONT_ATTEMPTS_MAX;
		asked->max = (uint32_t)max;
	}
	if (optind != argc || !good || person_problem(&asked->person) != NULL)
		return cli_usage("attempt", person_problem(&asked->person));
	if (values.in_argument)
		code = value_check_argument(cli, "attempt");
	if (code == 0)
		code = ask_and_print(cli, FRONT_ATTEMPT_LIST, &request, -1, "attempts");
	az_wipe(&values, sizeof(values));
	return code;
}

static int
note_attempt(const struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {PERSON_OPTIONS,
	    {"outcome", required_argument, NULL, 'o'}, {"callback", required_argument, NULL, 'k'},
	    {"note", required_argument, NULL, 'n'}, {"campaign", required_argument, NULL, 'g'},
	    {"call", required_argument, NULL, 'C'}, {0}};
	union front_request request = {0};
	struct front_attempt *asked = &request.attempt;
	struct person_values values = {0};
	char note[FRONT_NOTE_MAX + 1] = "";
	enum attempt outcome = ATTEMPT_NONE;
	bool good = true;
	int option;
	int code = 0;

	asked->person.reason = REASON_OUTBOUND;
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (person_option(option, optarg, &asked->person, &values, &good))
			continue;
		switch (option) {
		case 'o': good &= attempt_parse(optarg, &outcome); break;
		case 'k': good &= read_moment(optarg, &asked->callback_us); break;
		case 'g':
			good &= copy_argument(asked->campaign, LABEL_SIZE, optarg) &&
			    label_is_valid(asked->campaign);
			break;
		case 'C':
			good &= copy_argument(asked->call, CALL_SIZE, optarg) &&
			    call_is_valid(asked->call);
			break;
		case 'n':
			/* "-" asks for it on the terminal. */
			good &= value_read("note", strcmp(optarg, "-") == 0 ? NULL : optarg, note,
			    sizeof(note), &values.in_argument);
			break;
		default: return cli_usage("attempt", NULL);
		}
	}
	asked->outcome = (uint8_t)outcome;
	asked->note = bytes_of(note);
	if (optind != argc || !good || person_problem(&asked->person) != NULL)
		return cli_usage("attempt", person_problem(&asked->person));
	if (outcome == ATTEMPT_NONE)
		return cli_usage("attempt", "--outcome is needed, one of the codes");
	if (values.in_argument)
		code = value_check_argument(cli, "attempt");
	if (code == 0)
		code = ask_and_print(cli, FRONT_ATTEMPT, &request, -1, NULL);
	az_wipe(&values, sizeof(values));
	az_wipe(note, sizeof(note));
	return code;
}

int
cmd_attempt(const struct cli *cli, int argc, char **argv)
{
	if (argc >= 2 && strcmp(argv[1], "list") == 0)
		return list(cli, argc - 1, argv + 1);
	return note_attempt(cli, argc, argv);
}
