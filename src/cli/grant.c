/* azukari grant add, list, close */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "cli/ask.h"

/* Four hexadecimal digits, as lsusb prints them. */
static bool
read_code(const char *text, uint16_t *ret_code)
{
	uint8_t bytes[2];

	if (strlen(text) != 4 || !hex_decode(text, bytes, sizeof(bytes)))
		return false;
	*ret_code = (uint16_t)(bytes[0] << 8 | bytes[1]);
	return true;
}

static int
add(const struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {{"vendor", required_argument, NULL, 'v'},
	    {"product", required_argument, NULL, 'p'}, {"serial", required_argument, NULL, 's'},
	    {"until", required_argument, NULL, 'u'}, {"write", no_argument, NULL, 'w'}, {0}};
	union front_request request = {0};
	struct front_grant_add *asked = &request.grant_add;
	bool vendor = false, product = false, serial = false, until = false;
	int option;

	asked->access = GRANT_READ;
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'v': vendor = read_code(optarg, &asked->vendor); break;
		case 'p': product = read_code(optarg, &asked->product); break;
		case 's':
			serial = optarg[0] != '\0' &&
			    copy_argument(asked->serial, sizeof(asked->serial), optarg);
			break;
		case 'w': asked->access = GRANT_WRITE; break;
		case 'u': until = date_parse(optarg, &asked->until); break;
		default: return cli_usage("grant", NULL);
		}
	}
	if (optind + 1 != argc ||
	    !copy_argument(asked->device, sizeof(asked->device), argv[optind]) ||
	    !label_is_valid(asked->device))
		return cli_usage("grant", "one device's label is needed");
	if (!vendor || !product)
		return cli_usage("grant", "--vendor and --product need four hexadecimal digits");
	if (!serial)
		return cli_usage("grant", "--serial is needed, as the device says it");
	if (!until)
		return cli_usage("grant", "--until needs a date: YYYY-MM-DD");
	return ask_and_print(cli, FRONT_GRANT_ADD, &request, -1, NULL);
}

int
cmd_grant(const struct cli *cli, int argc, char **argv)
{
	union front_request request = {0};
	char *rest = NULL;
	unsigned long number;

	if (argc >= 2 && strcmp(argv[1], "add") == 0)
		return add(cli, argc - 1, argv + 1);
	if (argc == 2 && strcmp(argv[1], "list") == 0)
		return ask_and_print(cli, FRONT_GRANT_LIST, &request, -1, "grants");
	if (argc != 3 || strcmp(argv[1], "close") != 0)
		return cli_usage("grant", "add, list or close");
	number = strtoul(argv[2], &rest, 10);
	if (rest == argv[2] || *rest != '\0' || argv[2][0] == '-' || number == 0 ||
	    number > UINT32_MAX)
		return cli_usage("grant", "close needs the number of a grant");
	request.numbered.number = (uint32_t)number;
	return ask_and_print(cli, FRONT_GRANT_CLOSE, &request, -1, NULL);
}
