/* azukari campaign add, list, close */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "cli/ask.h"

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
read_staff(char *text, struct front_campaign_add *add)
{
	char *part;

	while ((part = next_part(&text)) != NULL) {
		if (add->staff_count == FRONT_CAMPAIGN_STAFF || !label_is_valid(part) ||
		    !copy_argument(add->staff[add->staff_count++], LABEL_SIZE, part))
			return false;
	}
	return true;
}

static bool
read_lists(char *text, struct front_campaign_add *add)
{
	char *part;

	while ((part = next_part(&text)) != NULL) {
		char *rest = NULL;
		unsigned long long list = strtoull(part, &rest, 10);

		if (add->list_count == FRONT_CAMPAIGN_LISTS || rest == part || *rest != '\0' ||
		    part[0] == '-' || list == 0)
			return false;
		add->lists[add->list_count++] = list;
	}
	return true;
}

static int
add(const struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {{"purpose", required_argument, NULL, 'p'},
	    {"from", required_argument, NULL, 'f'}, {"until", required_argument, NULL, 'u'},
	    {"hours", required_argument, NULL, 'h'}, {"staff", required_argument, NULL, 's'},
	    {"lists", required_argument, NULL, 'l'}, {0}};
	union front_request request = {0};
	struct front_campaign_add *asked = &request.campaign_add;
	bool good = true;
	bool until = false;
	int option;

	asked->from = (int32_t)(clock_now_us() / AZ_US_PER_DAY) - 1;
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'p': good &= copy_argument(asked->purpose, LABEL_SIZE, optarg); break;
		case 'f': good &= date_parse(optarg, &asked->from); break;
		case 'u': until = date_parse(optarg, &asked->until); break;
		case 'h': good &= hours_read(optarg, &asked->opens, &asked->closes); break;
		case 's': good &= read_staff(optarg, asked); break;
		case 'l': good &= read_lists(optarg, asked); break;
		default: return cli_usage("campaign", NULL);
		}
	}
	if (optind + 1 != argc || !cut_purpose(argv[optind], asked->client, asked->label))
		return cli_usage("campaign", "one CLIENT/LABEL is needed");
	if (!label_is_valid(asked->purpose))
		return cli_usage("campaign", "--purpose needs a label");
	if (!until)
		return cli_usage("campaign", "--until needs a date: YYYY-MM-DD");
	if (!good)
		return cli_usage("campaign", "an option is not as it must be");
	return ask_and_print(cli, FRONT_CAMPAIGN_ADD, &request, -1, NULL);
}

int
cmd_campaign(const struct cli *cli, int argc, char **argv)
{
	union front_request request = {0};
	struct front_named *named = &request.named;

	if (argc >= 2 && strcmp(argv[1], "add") == 0)
		return add(cli, argc - 1, argv + 1);
	if (argc == 2 && strcmp(argv[1], "list") == 0)
		return ask_and_print(cli, FRONT_CAMPAIGN_LIST, &request, -1, "campaigns");
	if (argc == 3 && strcmp(argv[1], "list") == 0 &&
	    copy_argument(named->client, sizeof(named->client), argv[2]) &&
	    label_is_valid(named->client))
		return ask_and_print(cli, FRONT_CAMPAIGN_LIST, &request, -1, "campaigns");
	if (argc == 3 && strcmp(argv[1], "close") == 0 &&
	    cut_purpose(argv[2], named->client, named->label))
		return ask_and_print(cli, FRONT_CAMPAIGN_CLOSE, &request, -1, NULL);
	return cli_usage("campaign", "add, list or close");
}
