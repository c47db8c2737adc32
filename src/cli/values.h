/*
 * Personal values and what else must not stand where others see it: asked for on the terminal, read from a
 * descriptor, or, in an unsealed house only, given as an argument.
 */
#ifndef AZ_CLI_VALUES_H
#define AZ_CLI_VALUES_H

#include "cli/ask.h"

/*
 * spec NULL: asks for name on the terminal, without showing what is typed. "@N": a line of descriptor N. Else
 * the value itself; *in_argument is then set, and value_check_argument must follow. False: empty or too long.
 */
bool value_read(
    const char *name, const char *spec, char *text, size_t room, bool *in_argument) AZ_CHECKED;

/* What stands in arguments is seen by everybody on the machine: 0 in an unsealed house, else an exit code. */
int value_check_argument(const struct cli *cli, const char *command);

/* Room for what the values of a command's requests are read into, wiped by it. */
struct person_values {
	char number[FRONT_VALUE_MAX + 1];
	bool in_argument;
};

/*
 * The options that name one person: "client", "purpose", "reason", "record" and "by", by getopt's value c, p, r, R
 * and b. False: not one of them. *ret_good is cleared if the argument is not as it must be.
 */
bool person_option(int option, const char *argument, struct front_person *person,
    struct person_values *values, bool *ret_good);
#define PERSON_OPTIONS                                                                             \
	{"client", required_argument, NULL, 'c'}, {"purpose", required_argument, NULL, 'p'},       \
	    {"reason", required_argument, NULL, 'r'}, {"record", required_argument, NULL, 'R'},    \
	{                                                                                          \
		"by", required_argument, NULL, 'b'                                                 \
	}
/* "7" of records; 0 is none. */
bool record_parse(const char *text, uint32_t *ret_record) AZ_CHECKED;
/* After all options: NULL, or what is missing. */
const char *person_problem(const struct front_person *person);

/*
 * A password from the terminal (fd NULL), or a line of the descriptor of that number; never an argument, which
 * everybody sees. False if there is none.
 */
bool password_read(const char *fd, char *text, size_t room) AZ_CHECKED;

#endif
