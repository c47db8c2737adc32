/* azukari key slots, key give */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "cli/ask.h"
#include "cli/locked.h"

/* "aoki,kondo"; cuts text in place. */
static bool
read_officers(char *text, struct front_slots *slots)
{
	char *rest = NULL;

	for (char *part = strtok_r(text, ",", &rest); part != NULL;
	     part = strtok_r(NULL, ",", &rest)) {
		if (slots->count == FRONT_SLOTS_MAX ||
		    !copy_argument(slots->officers[slots->count], LABEL_SIZE, part) ||
		    !label_is_valid(slots->officers[slots->count++]))
			return false;
	}
	return slots->count > 0;
}

static bool
read_needed(const char *text, struct front_slots *slots)
{
	char *rest = NULL;
	unsigned long needed = strtoul(text, &rest, 10);

	if (text[0] < '1' || text[0] > '9' || *rest != '\0' || needed > FRONT_SLOTS_MAX)
		return false;
	slots->needed = (uint8_t)needed;
	return true;
}

static int
slots(const struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {{"officers", required_argument, NULL, 'o'},
	    {"needed", required_argument, NULL, 'n'}, {0}};
	union front_request request = {0};
	bool good = true;
	int option;

	if (argc == 1)
		return ask_and_print(cli, FRONT_SLOTS_LIST, &request, -1, NULL);
	while (good && (option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'o')
			good = read_officers(optarg, &request.slots);
		else if (option == 'n')
			good = read_needed(optarg, &request.slots);
		else
			return cli_usage("key", NULL);
	}
	if (!good || optind != argc || request.slots.count == 0 || request.slots.needed == 0)
		return cli_usage(
		    "key", "--officers needs labels, --needed how many of them, 16 at most");
	return ask_and_print(cli, FRONT_SLOTS, &request, -1, NULL);
}

static int
give(const struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {{"passphrase", required_argument, NULL, 'p'}, {0}};
	union front_request request = {0};
	struct secret *passphrase = NULL;
	const char *spec = NULL;
	struct az_err err = {0};
	enum az_status status;
	int option;
	int code;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option != 'p')
			return cli_usage("key", NULL);
		spec = optarg;
	}
	if (optind != argc || (spec != NULL && spec[0] != '@'))
		return cli_usage("key", "--passphrase names a descriptor: @N");
	if (cli->asking != NULL)
		return cli_usage("key", "a passphrase is given, not asked for");
	status = passphrase_read("your slot", spec, true, &passphrase, &err);
	if (status == AZ_OK && secret_peek(passphrase).size > FRONT_PASSPHRASE_MAX)
		status = az_fail(&err, AZ_INVALID, "a passphrase has %u bytes at most here",
		    FRONT_PASSPHRASE_MAX);
	if (status != AZ_OK)
		return print_error(cli, status, err.text, NULL);
	request.slot_give.passphrase = secret_peek(passphrase);
	code = ask_and_print(cli, FRONT_SLOT_GIVE, &request, -1, NULL);
	secret_free(&passphrase);
	return code;
}

int
cmd_key(const struct cli *cli, int argc, char **argv)
{
	if (argc >= 2 && strcmp(argv[1], "slots") == 0)
		return slots(cli, argc - 1, argv + 1);
	if (argc >= 2 && strcmp(argv[1], "give") == 0)
		return give(cli, argc - 1, argv + 1);
	if (argc >= 2 && strcmp(argv[1], "backup") == 0)
		return cmd_key_backup(cli, argc - 1, argv + 1);
	return cli_usage("key", "slots, give or backup");
}
