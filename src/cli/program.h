/*
 * Where the programs lie that commands start.
 */
#ifndef AZ_CLI_PROGRAM_H
#define AZ_CLI_PROGRAM_H

#include <limits.h>
#include <stdbool.h>

#include "base/status.h"

/*
 * The path of a program of ours: installed, beside us, or in that folder of a build ("../vault"). AZ_NOT_FOUND names the
 * program.
 */
AZ_CHECKED enum az_status program_find(
    const char *name, const char *folder, char path[PATH_MAX], struct az_err *reterr);

/*
 * A descriptor of the match tables, installed or of a build, for the children that make match keys; where there are
 * none, of /dev/null, and *ret_there is false: then keys are looser. AZ_IO.
 */
AZ_CHECKED enum az_status program_open_tables(int *ret_fd, bool *ret_there, struct az_err *reterr);

/* A data file of ours, installed or of a build. AZ_NOT_FOUND: there is none. AZ_IO. */
AZ_CHECKED enum az_status program_open_data(const char *name, int *ret_fd, struct az_err *reterr);

#endif
