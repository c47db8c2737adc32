/*
 * What `azukari staff` and `azukari invite` share.
 */
#ifndef AZ_CLI_INVITE_H
#define AZ_CLI_INVITE_H

#include "cli/ask.h"

/* The options that say who somebody is. */
#define STAFF_OPTIONS                                                                              \
	{"role", required_argument, NULL, 'r'}, {"name", required_argument, NULL, 'n'},            \
	    {"employer", required_argument, NULL, 'e'}, {"agency", required_argument, NULL, 'a'},  \
	    {"tier", required_argument, NULL, 't'}, {"from", required_argument, NULL, 'f'},        \
	{                                                                                          \
		"until", required_argument, NULL, 'u'                                              \
	}
/* False: it is none of them. *ret_good is cleared if the argument is not as it must be. */
bool staff_option(int option, const char *argument, struct front_staff_add *staff, bool *ret_good);
/* After all options: NULL, or what is wrong. Takes the label over. */
const char *staff_problem(struct front_staff_add *staff, const char *label, bool good);

/* azukari staff enrol */
int staff_enrol(const struct cli *cli, int argc, char **argv);

#endif
