/*
 * The secrets of a sealed house: asking for passphrases, and waiting for them.
 */
#ifndef AZ_CLI_LOCKED_H
#define AZ_CLI_LOCKED_H

#include "cli/house.h"

/*
 * A passphrase, from descriptor N where spec is "@N", from the terminal where it is NULL; twice if it is a new one and somebody
 * types it. Never from an argument. AZ_INVALID says what is wrong with it.
 */
AZ_CHECKED enum az_status passphrase_read(const char *of, const char *spec, bool is_new,
    struct secret **ret_passphrase, struct az_err *reterr);

/*
 * Waits, holding HOUSE/lock, until enough officers have given their passphrases at HOUSE/run/unlock.sock. What was
 * given is forgotten when no other follows for a quarter of an hour. AZ_FORGED, AZ_CORRUPT: the slots are not what they were; AZ_IO.
 */
AZ_CHECKED enum az_status locked_wait(const struct house_folder *folder, const struct secret *host,
    struct secret **ret_root, struct az_err *reterr);

/* Whether somebody waits for passphrases there. */
bool locked_is_waiting(const struct house_folder *folder);
/* Connects to it. AZ_GONE. */
AZ_CHECKED enum az_status locked_connect(
    const struct house_folder *folder, int *ret_fd, struct az_err *reterr);

#endif
