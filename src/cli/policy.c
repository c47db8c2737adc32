/* azukari policy add, list, extend, review, close */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "cli/ask.h"

/* "500"; ends at what ends. */
static bool
read_number(const char *text, const char *ends, uint32_t *ret_number, const char **ret_rest)
{
	unsigned long long number;
	char *rest;

	if (*text < '0' || *text > '9')
		return false;
	number = strtoull(text, &rest, 10);
	if (number > UINT32_MAX || (*rest != '\0' && strchr(ends, *rest) == NULL))
		return false;
	*ret_number = (uint32_t)number;
	*ret_rest = rest;
	return true;
}

static bool
read_whole(const char *text, uint32_t *ret_number)
{
	const char *rest;

	return read_number(text, "", ret_number, &rest);
}

/* "DAY/MONTH/LIFE" */
static bool
read_limits(const char *text, uint32_t limits[3])
{
	for (unsigned int i = 0; i < 3; i++) {
		if (!read_number(text, i < 2 ? "/" : "", &limits[i], &text) ||
		    (i < 2 && *text++ != '/'))
			return false;
	}
	return true;
}

static int
add(const struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {{"calls", required_argument, NULL, 'c'},
	    {"searches", required_argument, NULL, 's'},
	    {"client-calls", required_argument, NULL, 'C'},
	    {"client-searches", required_argument, NULL, 'S'},
	    {"minute", required_argument, NULL, 'm'}, {"hour", required_argument, NULL, 'h'},
	    {"slow", required_argument, NULL, 'w'}, {0}};
	union front_request request = {0};
	struct front_policy_add *policy = &request.policy_add;
	bool calls = false, searches = false, client_calls = false, client_searches = false;
	bool good = true;
	bool minute = false, hour = false, slow = false;
	enum role role;
	int option;

	while (good && (option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'c': good = calls = read_limits(optarg, policy->house); break;
		case 's': good = searches = read_limits(optarg, policy->house + 3); break;
		case 'C': good = client_calls = read_limits(optarg, policy->client); break;
		case 'S': good = client_searches = read_limits(optarg, policy->client + 3); break;
		case 'm': good = minute = read_whole(optarg, &policy->minute); break;
		case 'h': good = hour = read_whole(optarg, &policy->hour); break;
		case 'w': good = slow = read_whole(optarg, &policy->slow); break;
		default: return cli_usage("policy", NULL);
		}
	}
	if (!good)
		return cli_usage("policy", "a budget is DAY/MONTH/LIFE in people, a rate a number");
	if (optind + 1 != argc || !role_parse(argv[optind], &role))
		return cli_usage("policy", "add needs one role");
	if (!calls || !searches || !minute || !hour || !slow)
		return cli_usage(
		    "policy", "add needs --calls, --searches, --minute, --hour and --slow");
	policy->role = (uint8_t)role;
	/* Where nothing narrower is said, any one client may be all of it. */
	if (!client_calls)
		memcpy(policy->client, policy->house, 3 * sizeof(policy->house[0]));
	if (!client_searches)
		memcpy(policy->client + 3, policy->house + 3, 3 * sizeof(policy->house[0]));
	return ask_and_print(cli, FRONT_POLICY_ADD, &request, -1, NULL);
}

static int
extend(const struct cli *cli, int argc, char **argv, bool review)
{
	static const struct option options[] = {{"of", required_argument, NULL, 'o'},
	    {"day", required_argument, NULL, 'd'}, {"month", required_argument, NULL, 'm'},
	    {"life", required_argument, NULL, 'l'}, {"until", required_argument, NULL, 'u'}, {0}};
	union front_request request = {.policy_extend = {.until = AZ_DATE_NONE}};
	struct front_policy_extend *more = &request.policy_extend;
	bool good = true;
	int option;

	while (good && (option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'o':
			more->class = strcmp(optarg, "calls") == 0 ? 1
			    : strcmp(optarg, "searches") == 0      ? 2
								   : 0;
			good = more->class != 0;
			break;
		case 'd': good = !review && read_whole(optarg, &more->day); break;
		case 'm': good = !review && read_whole(optarg, &more->month); break;
		case 'l': good = read_whole(optarg, &more->life); break;
		case 'u': good = !review && date_parse(optarg, &more->until); break;
		default: return cli_usage("policy", NULL);
		}
	}
	if (!good)
		return cli_usage("policy", "an option's value is not of its form");
	if (optind + 1 != argc || !copy_argument(more->staff, sizeof(more->staff), argv[optind]))
		return cli_usage("policy", "one member of staff is needed");
	if (more->class == 0)
		return cli_usage("policy", "--of calls or --of searches is needed");
	if (review ? more->life == 0 : more->until == AZ_DATE_NONE)
		return cli_usage("policy",
		    review ? "--life says how many people more until the next review"
			   : "--until needs the last day: YYYY-MM-DD");
	return ask_and_print(cli, FRONT_POLICY_EXTEND, &request, -1, NULL);
}

int
cmd_policy(const struct cli *cli, int argc, char **argv)
{
	union front_request request = {0};

	if (argc >= 2 && strcmp(argv[1], "add") == 0)
		return add(cli, argc - 1, argv + 1);
	if (argc >= 2 && strcmp(argv[1], "extend") == 0)
		return extend(cli, argc - 1, argv + 1, false);
	if (argc >= 2 && strcmp(argv[1], "review") == 0)
		return extend(cli, argc - 1, argv + 1, true);
	if (argc == 2 && strcmp(argv[1], "list") == 0)
		return ask_and_print(cli, FRONT_POLICY_LIST, &request, -1, "policy");
	if (argc == 3 && strcmp(argv[1], "list") == 0 &&
	    copy_argument(request.named.label, sizeof(request.named.label), argv[2]) &&
	    label_is_valid(request.named.label))
		return ask_and_print(cli, FRONT_POLICY_LIST, &request, -1, "policy");
	if (argc == 3 && strcmp(argv[1], "close") == 0 &&
	    read_whole(argv[2], &request.policy_close.id))
		return ask_and_print(cli, FRONT_POLICY_CLOSE, &request, -1, NULL);
	return cli_usage("policy", "add, list, extend, review or close");
}
