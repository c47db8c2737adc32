/*
 * azukari-guard put: a file onto a granted memory, after the house has read it and said yes.
 */
#ifndef AZ_GUARD_PUT_H
#define AZ_GUARD_PUT_H

#include <stdint.h>

#include "base/status.h"

struct put_config {
	const char *state, *socket_path;
	const char *file; /* that is written */
	const char *name; /* that it gets there; NULL: its own */
};

struct put_result {
	char name[128];
	char disk[48];
	uint64_t size;
	char sha256[65];
};

/*
 * Needs root and a guard at work. The file is read once, so that what is written is what the house saw. AZ_DENIED: the house says
 * no, or there is no such grant. AZ_NOT_FOUND: no guard is at work, or no granted memory is plugged in. AZ_LIMIT: it is
 * larger than may be put. Else as connect_open and stick_write.
 */
AZ_CHECKED enum az_status put_run(
    const struct put_config *config, struct put_result *ret_result, struct az_err *reterr);

#endif
