/*
 * An intake that a command starts for itself, to read a list or a history where no house needs to know of it.
 */
#ifndef AZ_CLI_OWN_INTAKE_H
#define AZ_CLI_OWN_INTAKE_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/frame.h"
#include "proto/intake.h"

struct own_intake {
	struct link link; /* to receive from */
	pid_t pid;        /* 0: it has not started */
	bool has_tables;  /* else its match keys are looser */
};

/* Starts it on fd, which stays the caller's. Whether or not that succeeds, own_intake_end comes at the end. */
AZ_CHECKED enum az_status own_intake_start(
    struct own_intake *ret_intake, int fd, const struct intake_start *start, struct az_err *reterr);
/* The error of an INTAKE_ERROR; AZ_INTERNAL if it is none. */
AZ_CHECKED enum az_status own_intake_error(struct bytes body, struct az_err *reterr);
/* Closes its socket, on which it ends, whatever it is doing; and waits for that. */
void own_intake_end(struct own_intake *intake);

#endif
