/* azukari zone add, change, close, role, list */
#include <arpa/inet.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "cli/zones.h"

/* "192.0.2.0/24", "2001:db8::/32", or an address alone. */
static bool
read_network(const char *text, struct front_network *network)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	char address[INET6_ADDRSTRLEN];
	const char *slash = strchr(text, '/');
	size_t size = slash != NULL ? (size_t)(slash - text) : strlen(text);
	char *rest = NULL;
	unsigned long bits;
	bool is_v4;

	if (size >= sizeof(address))
		return false;
	memcpy(address, text, size);
	address[size] = '\0';
	is_v4 = inet_pton(AF_INET, address, network->address + sizeof(mapped)) == 1;
	if (is_v4)
		memcpy(network->address, mapped, sizeof(mapped));
	else if (inet_pton(AF_INET6, address, network->address) != 1)
		return false;
	bits = slash != NULL ? strtoul(slash + 1, &rest, 10) : is_v4 ? 32 : 128;
	if ((slash != NULL && (slash[1] < '0' || slash[1] > '9' || *rest != '\0')) ||
	    bits > (is_v4 ? 32 : 128))
		return false;
	network->bits = (uint8_t)(is_v4 ? 96 + bits : bits);
	return true;
}

static int
add(const struct cli *cli, int argc, char **argv, bool change)
{
	static const struct option options[] = {{"network", required_argument, NULL, 'n'},
	    {"device", required_argument, NULL, 'd'}, {0}};
	union front_request request = {0};
	struct front_zone_add *zone = &request.zone_add;
	int option;

	zone->change = change ? 1 : 0;
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'n') {
			if (zone->network_count == FRONT_NETWORKS_MAX ||
			    !read_network(optarg, &zone->networks[zone->network_count++]))
				return cli_usage(
				    "zone", "--network needs ADDRESS/BITS, 16 at most");
		} else if (option == 'd') {
			if (zone->device_count == FRONT_DEVICES_MAX ||
			    !copy_argument(zone->devices[zone->device_count++], LABEL_SIZE, optarg))
				return cli_usage("zone", "--device needs a label, 64 at most");
		} else {
			return cli_usage("zone", NULL);
		}
	}
	if (optind + 1 != argc || !copy_argument(zone->label, LABEL_SIZE, argv[optind]) ||
	    !label_is_valid(zone->label))
		return cli_usage("zone", "one label is needed: letters, digits, - _ .");
	if (zone->network_count == 0 && zone->device_count == 0)
		return cli_usage("zone", "a zone needs --network or --device");
	return ask_and_print(cli, FRONT_ZONE_ADD, &request, -1, NULL);
}

bool
zones_read(char *text, struct front_bounds *bounds)
{
	char *rest = NULL;

	for (char *part = strtok_r(text, ",", &rest); part != NULL;
	     part = strtok_r(NULL, ",", &rest)) {
		if (bounds->count == FRONT_ZONES_MAX ||
		    !copy_argument(bounds->zones[bounds->count], LABEL_SIZE, part) ||
		    !label_is_valid(bounds->zones[bounds->count++]))
			return false;
	}
	return bounds->count > 0;
}

bool
outside_read(const char *text, struct front_bounds *bounds)
{
	bounds->masked = strcmp(text, "masked") == 0 ? 1 : 0;
	return bounds->masked != 0 || strcmp(text, "nothing") == 0;
}

static int
role(const struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {{"zones", required_argument, NULL, 'z'},
	    {"outside", required_argument, NULL, 'o'}, {"any", no_argument, NULL, 'a'}, {0}};
	union front_request request = {0};
	struct front_zone_role *asked = &request.zone_role;
	enum role which = ROLE_NONE;
	bool any = false;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'z' && !zones_read(optarg, &asked->bounds))
			return cli_usage("zone", "--zones needs zones, 16 at most");
		if (option == 'o' && !outside_read(optarg, &asked->bounds))
			return cli_usage("zone", "--outside is masked or nothing");
		any |= option == 'a';
		if (option == '?')
			return cli_usage("zone", NULL);
	}
	if (optind + 1 != argc || !role_parse(argv[optind], &which))
		return cli_usage("zone", "role needs one role");
	if (any == (asked->bounds.count > 0) || (any && asked->bounds.masked != 0))
		return cli_usage("zone", "either --zones or --any");
	asked->role = (uint8_t)which;
	return ask_and_print(cli, FRONT_ZONE_ROLE, &request, -1, NULL);
}

int
cmd_zone(const struct cli *cli, int argc, char **argv)
{
	union front_request request = {0};

	if (argc >= 2 && strcmp(argv[1], "add") == 0)
		return add(cli, argc - 1, argv + 1, false);
	if (argc >= 2 && strcmp(argv[1], "change") == 0)
		return add(cli, argc - 1, argv + 1, true);
	if (argc >= 2 && strcmp(argv[1], "role") == 0)
		return role(cli, argc - 1, argv + 1);
	if (argc == 2 && strcmp(argv[1], "list") == 0)
		return ask_and_print(cli, FRONT_ZONE_LIST, &request, -1, "zones");
	if (argc == 3 && strcmp(argv[1], "close") == 0 &&
	    copy_argument(request.named.label, LABEL_SIZE, argv[2]) &&
	    label_is_valid(request.named.label))
		return ask_and_print(cli, FRONT_ZONE_CLOSE, &request, -1, NULL);
	return cli_usage("zone", "add, change, close, role or list");
}
