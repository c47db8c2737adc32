/* azukari case open, allow, list, close */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/ask.h"
#include "cli/investigate.h"

bool
read_case(const char *text, uint32_t *ret_case)
{
	unsigned long long number;

	return read_count(text, UINT32_MAX, &number) && (*ret_case = (uint32_t)number) == number;
}

bool
read_count(const char *text, unsigned long long most, unsigned long long *ret_count)
{
	char *rest = NULL;

	if (text == NULL || text[0] < '0' || text[0] > '9')
		return false;
	*ret_count = strtoull(text, &rest, 10);
	return *rest == '\0' && *ret_count > 0 && *ret_count <= most;
}

static bool
read_clients(char *text, struct front_case_open *open)
{
	char *rest = text;

	while (rest != NULL) {
		char *part = rest;

		rest = strchr(part, ',');
		if (rest != NULL)
			*rest++ = '\0';
		if (open->client_count == FRONT_CASE_CLIENTS || !label_is_valid(part) ||
		    !copy_argument(open->clients[open->client_count++], LABEL_SIZE, part))
			return false;
	}
	return true;
}

static int
open_case(const struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {{"reason", required_argument, NULL, 'r'},
	    {"rows", required_argument, NULL, 'n'}, {"clients", required_argument, NULL, 'c'},
	    {"days", required_argument, NULL, 'd'}, {"hash", required_argument, NULL, 'h'}, {0}};
	union front_request request = {0};
	struct front_case_open *open = &request.case_open;
	enum reason reason = REASON_NONE;
	unsigned long long count;
	int option;

	open->rows = FRONT_CASE_ROWS;
	open->days = FRONT_CASE_DAYS;
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'r':
			if (!reason_parse(optarg, &reason))
				return cli_usage("case", "--reason is not a reason");
			break;
		case 'n':
			if (!read_count(optarg, FRONT_CASE_ROWS_MAX, &count))
				return cli_usage("case", "--rows needs a number");
			open->rows = count;
			break;
		case 'c':
			if (!read_clients(optarg, open))
				return cli_usage("case", "--clients needs labels: c01,c02");
			break;
		case 'd':
			if (!read_count(optarg, FRONT_CASE_DAYS_MAX, &count))
				return cli_usage("case", "--days needs a number up to 366");
			open->days = (uint32_t)count;
			break;
		case 'h':
			if (strlen(optarg) != 64 || !hex_decode(optarg, open->hash, 32))
				return cli_usage("case", "--hash needs a SHA-256 of 64 digits");
			open->has_hash = 1;
			break;
		default: return cli_usage("case", NULL);
		}
	}
	if (optind != argc)
		return cli_usage("case", "open takes options only");
	if (reason == REASON_NONE)
		return cli_usage("case", "--reason is needed");
	open->reason = (uint16_t)reason;
	return ask_and_print(cli, FRONT_CASE_OPEN, &request, -1, NULL);
}

int
cmd_case(const struct cli *cli, int argc, char **argv)
{
	union front_request request = {0};

	if (argc >= 2 && strcmp(argv[1], "open") == 0)
		return open_case(cli, argc - 1, argv + 1);
	if (argc == 2 && strcmp(argv[1], "list") == 0)
		return ask_and_print(cli, FRONT_CASE_LIST, &request, -1, "cases");
	if (argc == 3 && strcmp(argv[1], "close") == 0 &&
	    read_case(argv[2], &request.numbered.number))
		return ask_and_print(cli, FRONT_CASE_CLOSE, &request, -1, NULL);
	if (argc == 4 && strcmp(argv[1], "allow") == 0 &&
	    read_case(argv[2], &request.case_allow.id) && strlen(argv[3]) == 64 &&
	    hex_decode(argv[3], request.case_allow.hash, 32))
		return ask_and_print(cli, FRONT_CASE_ALLOW, &request, -1, NULL);
	return cli_usage("case", "open, allow, list or close");
}
