/*
 * A granted memory that is plugged in: mounted for this process alone, written once, and read again.
 *
 * Promises  nobody else on the machine sees the mount; nobody else can mount the disk for writing while it lasts; what is there
 *           under the name already is not touched; success means that the bytes came back from the device, after it had been unmounted
 *           and mounted anew.
 * Not       root can enter another's mounts; what the memory itself does with the bytes is its own.
 * Threads   one, of a process that does nothing else: its mounts are its own from then on.
 */
#ifndef AZ_GUARD_STICK_H
#define AZ_GUARD_STICK_H

#include "guard/guard.h"

struct stick {
	char disk[32]; /* "sdb" */
	char part[48]; /* "sdb1", or the disk itself */
	uint32_t grant;
};

/*
 * The one disk that is plugged in and may be written. sys_fd: /sys. AZ_NOT_FOUND: there is none. AZ_SEVERAL: more than one, or one
 * with more than one partition.
 */
AZ_CHECKED enum az_status stick_find(
    int sys_fd, const struct guard_grants *grants, struct stick *ret_stick, struct az_err *reterr);

/*
 * Writes bytes as a new file of that name. where: an empty folder's path, made if it is missing. AZ_BUSY: somebody has it in use.
 * AZ_CONFLICT: there is a file of that name. AZ_DENIED: it needs root. AZ_INVALID: it has no file system that is known here.
 * AZ_CORRUPT: what was read again is something else. AZ_LIMIT: it is full. AZ_IO. On failure no file is left, if it could be removed.
 */
AZ_CHECKED enum az_status stick_write(const struct stick *stick, const char *where,
    const char *name, struct bytes bytes, struct az_err *reterr);

#endif
