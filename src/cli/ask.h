/*
 * What most commands do: connect, ask one thing, print the answer.
 */
#ifndef AZ_CLI_ASK_H
#define AZ_CLI_ASK_H

#include "cli/front.h"
#include "cli/print.h"

/*
 * Asks and prints; items is the name of the list that the answer has, or NULL. fd rides along if it is >= 0.
 * Returns the exit code.
 */
int ask_and_print(const struct cli *cli, enum front_message type,
    const union front_request *request, int fd, const char *items);

/* The same in two steps, for commands that look at the answer; 0 or an exit code after a message. */
int ask(const struct cli *cli, enum front_message type, const union front_request *request, int fd,
    struct front_answer *answer);

/* Connects, and marks an unsealed house on the screen. */
AZ_CHECKED enum az_status ask_connect(
    const struct cli *cli, struct front **ret_front, struct az_err *reterr);

/* Copies an argument into a field of a request; false if it does not fit. */
bool copy_argument(char *field, size_t room, const char *argument) AZ_CHECKED;

/* Cuts "client/purpose" in two; false if it is not of that form. */
bool cut_purpose(const char *text, char client[LABEL_SIZE], char label[LABEL_SIZE]) AZ_CHECKED;

/* "90s", "30m", "12h", "7d"; not none. */
bool duration_read(const char *text, uint32_t *ret_seconds) AZ_CHECKED;
/* "09:00-20:00", in minutes of the day; not the same twice. */
bool hours_read(const char *text, uint16_t *ret_opens, uint16_t *ret_closes) AZ_CHECKED;

#endif
