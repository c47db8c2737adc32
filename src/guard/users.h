/*
 * Who is signed in at this machine, as it says itself: for evidence, never for a decision.
 */
#ifndef AZ_GUARD_USERS_H
#define AZ_GUARD_USERS_H

#include <stddef.h>

#include "base/bytes.h"

#define USERS_MAX       8u
#define USERS_NAME_SIZE 33u

struct users {
	char names[USERS_MAX][USERS_NAME_SIZE]; /* fit to print, none twice */
	size_t count;
};

/* Adds those that the records of a utmp file, or the file of a user of logind, name. Anything else is passed over. */
void users_take_utmp(struct bytes utmp, struct users *users);
void users_take_logind(struct bytes file, struct users *users);

/* Those that /run, open as run_fd, knows of; commas between them, "" if there is nobody. */
void users_signed_in(int run_fd, char *text, size_t room);

#endif
