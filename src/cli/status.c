/* azukari status */
#include "cli/ask.h"

int
cmd_status(const struct cli *cli, int argc, char **argv)
{
	union front_request request = {0};

	(void)argv;
	if (argc != 1)
		return cli_usage("status", "it takes no arguments");
	return ask_and_print(cli, FRONT_STATUS, &request, -1, NULL);
}
