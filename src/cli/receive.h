/*
 * Files that come from the keeper's children through a pipe (proto/parts.h), put below a folder while the
 * command waits for the answer to its request.
 *
 * Promises  only names that the caller lets through are written, and only below the folder; the files that stand
 *           at its top are put last, each whole or not at all, when everything else is on disk.
 * Threads   one of its own, between receive_start and receive_end.
 */
#ifndef AZ_CLI_RECEIVE_H
#define AZ_CLI_RECEIVE_H

#include <stdbool.h>

#include "base/status.h"

struct receive;

/* *ret_fd is what goes with the request; close it once that was sent. dirfd stays the caller's. */
AZ_CHECKED enum az_status receive_start(int dirfd, bool (*may_be)(const char *name),
    struct receive **ret_receive, int *ret_fd, struct az_err *reterr);
/*
 * Waits for the end. Puts the files at the top only if keep is set; frees. AZ_GONE: the stream was cut short, as
 * it is when the request was refused; AZ_INVALID: it is malformed; AZ_IO, AZ_NO_MEMORY.
 */
AZ_CHECKED enum az_status receive_end(struct receive **receive, bool keep, struct az_err *reterr);

#endif
