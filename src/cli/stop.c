/* azukari stop, restrict */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "cli/values.h"

/* The next of "a,b,c"; NULL at the end. Cuts in place. */
static char *
next_part(char **rest)
{
	char *part = *rest;

	if (part == NULL)
		return NULL;
	*rest = strchr(part, ',');
	if (*rest != NULL)
		*(*rest)++ = '\0';
	return part;
}

static bool
read_channels(char *text, uint8_t *channels)
{
	enum channel channel;
	char *part;

	while ((part = next_part(&text)) != NULL) {
		if (strcmp(part, "all") == 0)
			*channels = (uint8_t)CHANNELS_ALL;
		else if (channel_parse(part, &channel))
			*channels |= (uint8_t)(1u << channel);
		else
			return false;
	}
	return true;
}

int
cmd_stop(const struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {PERSON_OPTIONS,
	    {"channel", required_argument, NULL, 'C'}, {"lift", no_argument, NULL, 'l'}, {0}};
	union front_request request = {0};
	struct front_stop *stop = &request.stop;
	struct person_values values = {0};
	bool good = true;
	int option;
	int code = 0;

	stop->person.reason = REASON_PERSONS_REQUEST;
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (person_option(option, optarg, &stop->person, &values, &good))
			continue;
		if (option == 'C')
			good &= read_channels(optarg, &stop->channels);
		else if (option == 'l')
			stop->lift = 1;
		else
			return cli_usage("stop", NULL);
	}
	if (stop->channels == 0)
		stop->channels = (uint8_t)CHANNELS_ALL;
	if (optind != argc || !good || person_problem(&stop->person) != NULL)
		return cli_usage("stop", person_problem(&stop->person));
	if (values.in_argument)
		code = value_check_argument(cli, "stop");
	if (code == 0)
		code = ask_and_print(cli, FRONT_STOP, &request, -1, NULL);
	az_wipe(&values, sizeof(values));
	return code;
}

static bool
read_field_names(char *text, struct front_restrict *asked)
{
	unsigned int known;
	char *part;

	while ((part = next_part(&text)) != NULL) {
		if (asked->field_count == FRONT_FIELDS_MAX ||
		    (!field_parse(part, &known) && !field_is_x_name(part)) ||
		    !copy_argument(asked->fields[asked->field_count++], FIELD_NAME_MAX, part))
			return false;
	}
	return true;
}

/* NULL, or what is wrong. */
static const char *
restrict_problem(const struct front_restrict *asked)
{
	bool opens = asked->mode == RESTRICT_OPEN;

	if (person_problem(&asked->person) != NULL)
		return person_problem(&asked->person);
	if (asked->field_count == 0)
		return "--fields needs fields";
	if (opens && (!label_is_valid(asked->staff) || asked->minutes == 0))
		return "--open-for needs a human's label and --minutes";
	if (!opens && asked->minutes != 0)
		return "--minutes goes with --open-for";
	return NULL;
}

int
cmd_restrict(const struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {PERSON_OPTIONS,
	    {"fields", required_argument, NULL, 'f'}, {"two-people", no_argument, NULL, '2'},
	    {"lift", no_argument, NULL, 'l'}, {"open-for", required_argument, NULL, 'o'},
	    {"minutes", required_argument, NULL, 'm'}, {0}};
	union front_request request = {0};
	struct front_restrict *asked = &request.restriction;
	struct person_values values = {0};
	unsigned int modes = 0;
	bool good = true;
	int option;
	int code = 0;

	asked->mode = RESTRICT_NOBODY;
	asked->person.reason = REASON_PERSONS_REQUEST;
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (person_option(option, optarg, &asked->person, &values, &good))
			continue;
		switch (option) {
		case 'f': good &= read_field_names(optarg, asked); break;
		case '2': asked->mode = RESTRICT_PAIR, modes++; break;
		case 'l': asked->mode = RESTRICT_LIFT, modes++; break;
		case 'o':
			asked->mode = RESTRICT_OPEN, modes++;
			good &= copy_argument(asked->staff, LABEL_SIZE, optarg);
			break;
		case 'm': {
			char *rest = NULL;
			unsigned long minutes = strtoul(optarg, &rest, 10);

			good &= rest != optarg && *rest == '\0' && minutes >= 1 &&
			    minutes <= FRONT_MINUTES_MAX;
			asked->minutes = good ? (uint16_t)minutes : 0;
			break;
		}
		default: return cli_usage("restrict", NULL);
		}
	}
	if (optind != argc || !good || modes > 1 || restrict_problem(asked) != NULL)
		return cli_usage("restrict", restrict_problem(asked));
	if (values.in_argument)
		code = value_check_argument(cli, "restrict");
	if (code == 0)
		code = ask_and_print(cli, FRONT_RESTRICT, &request, -1, NULL);
	az_wipe(&values, sizeof(values));
	return code;
}
