/*
 * The parent of a house's processes: starts keeper and vault, hands the keeper its secrets and its children,
 * and starts both anew when one has died.
 */
#ifndef AZ_CLI_PARENT_H
#define AZ_CLI_PARENT_H

#include "cli/host.h"
#include "cli/house.h"

struct parent_config {
	const struct house_folder *folder;
	struct house_users users;
	const struct secret *root;
	struct host_secret *host;               /* written anew where the house asks for it */
	const struct parent_founding *founding; /* found the house, then stop; else NULL */
	const char *anchor;                     /* a folder for checkpoints (ledger.h), or NULL */
	bool transient;                         /* end a second after the last front has gone */
	int told_fd; /* -1, or where "ready" is told by closing it; an error is written first */
};

/*
 * No core files, no ptrace, memory that can be locked, and for a sealed house must be: before the caller holds a
 * secret.
 */
void parent_prepare(bool sealed);

/*
 * Runs until SIGTERM or SIGINT, until founded, or until idle if transient. The caller holds HOUSE/lock.
 * AZ_OK: stopped in order; founded, if that was asked. What kept the keeper from starting; AZ_IO if
 * the processes died too often.
 */
AZ_CHECKED enum az_status parent_run(const struct parent_config *config, struct az_err *reterr);

/*
 * Starts a program of ours with those descriptors and, as root, as that user. folder is where a build has it, from
 * the command's own; argument may be NULL. AZ_NOT_FOUND, AZ_IO.
 */
AZ_CHECKED enum az_status parent_spawn(const char *name, const char *folder, const char *argument,
    const int *fds, size_t count, struct house_user user, pid_t *ret_pid, struct az_err *reterr);

#endif
