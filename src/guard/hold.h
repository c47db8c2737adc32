/*
 * Disks that the guard alone may write: held so that nobody mounts them, and let go while azukari-guard put is at work.
 *
 * Promises  while a disk is held nobody else can mount it or open it for themselves, and it is read-only besides; the guard lets go
 *           only for as long as somebody has its pipe open, which is root's.
 * Not       root can do as it likes; between the arrival of a disk and its being held somebody may mount it, for reading.
 * Threads   one.
 *
 * The pipe: HOLD_PIPE in the guard's folder. Who writes a byte into it has the disks until it closes the pipe, however it ends.
 */
#ifndef AZ_GUARD_HOLD_H
#define AZ_GUARD_HOLD_H

#include "base/status.h"

#define HOLD_PIPE "put"

struct hold;

/* Makes the pipe. dirfd and dev_fd (/dev) stay the caller's. AZ_IO, AZ_NO_MEMORY. */
AZ_CHECKED enum az_status hold_open(
    int dirfd, int dev_fd, struct hold **ret_hold, struct az_err *reterr);
void hold_close(struct hold **hold);

/* Holds a disk from now on; while it is let go, from when that ends. What cannot be held is in use, and can only be read. */
void hold_take(struct hold *hold, const char *name);

/* Readable when somebody wants the disks, or gives them back; then hold_hear. -1: none. */
int hold_fd(const struct hold *hold);
AZ_CHECKED enum az_status hold_hear(struct hold *hold, struct az_err *reterr);

#endif
