/*
 * The options by which disclose and check say whom they look for.
 */
#ifndef AZ_CLI_LOOK_H
#define AZ_CLI_LOOK_H

#include "cli/values.h"

/* Values to look for, kept until the request is written; the command wipes them. */
struct look_values {
	char text[FRONT_BY_MAX][FRONT_VALUE_MAX + 1];
	bool in_argument; /* one stood in the arguments, for others to see */
};

/*
 * The options "client", "purpose", "by", "reason", "basis", "call" and "campaign", by getopt's value c, p, b, r, B, C and g. False:
 * not one of them. *ret_problem says what is wrong with the argument.
 */
bool look_option(int option, char *argument, struct front_look *look, struct look_values *values,
    const char **ret_problem);
#define LOOK_OPTIONS                                                                               \
	{"client", required_argument, NULL, 'c'}, {"purpose", required_argument, NULL, 'p'},       \
	    {"by", required_argument, NULL, 'b'}, {"reason", required_argument, NULL, 'r'},        \
	    {"basis", required_argument, NULL, 'B'}, {"call", required_argument, NULL, 'C'},       \
	{                                                                                          \
		"campaign", required_argument, NULL, 'g'                                           \
	}
/* After all options: NULL, or what is missing. The basis follows from the call if none was said. */
const char *look_problem(struct front_look *look);

#endif
