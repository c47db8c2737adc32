/*
 * The folder of a house, as whoever runs a command sees it.
 *
 *	HOUSE/house             what anybody may know: its id and the keeper's public key
 *	HOUSE/secret/root       the root key's slot          only who serves the house
 *	HOUSE/secret/host       the host secret (cli/host.h)
 *	HOUSE/secret/device.key the host's own device key
 *	HOUSE/keeper  vault     each only its process
 *	HOUSE/run/keeper.sock   where fronts connect
 *	HOUSE/lock              held by who serves it, or backs it up while nobody does
 */
#ifndef AZ_CLI_HOUSE_H
#define AZ_CLI_HOUSE_H

#include <sys/types.h>

#include "base/file.h"
#include "base/secret.h"
#include "crypto/sign.h"
#include "proto/parent.h"

#define HOUSE_SOCKET "keeper.sock"

/* An open folder and what its public file says. */
struct house_folder {
	int dirfd;
	struct house_file file;
};
/* AZ_NOT_FOUND: there is no house. AZ_CORRUPT. */
AZ_CHECKED enum az_status house_folder_open(
    const char *path, struct house_folder *ret_folder, struct az_err *reterr);
void house_folder_close(struct house_folder *folder);

/* Connects to HOUSE/run/keeper.sock, however long the path is. AZ_GONE: nobody listens. */
AZ_CHECKED enum az_status house_connect(
    const struct house_folder *folder, int *ret_fd, struct az_err *reterr);

/* Reads and writes key files; the path is the user's. write: 0600, AZ_CONFLICT if it exists. */
AZ_CHECKED enum az_status key_file_read(
    const char *path, struct key_file *ret_file, struct az_err *reterr);
AZ_CHECKED enum az_status key_file_write(
    const char *path, const struct key_file *file, struct az_err *reterr);
/* A key file of a new random key for this house. */
AZ_CHECKED enum az_status key_file_new(const struct house_file *house, enum key_kind kind,
    const char *name, struct key_file *ret_file, uint8_t ret_public[SIGN_PUBLIC_SIZE],
    struct az_err *reterr);

/* Where a front keeps what it has seen of a house, made if it is missing: never in the house. */
AZ_CHECKED enum az_status house_state_open(
    const uint8_t house[HOUSE_ID_SIZE], int *ret_dirfd, struct az_err *reterr);

/* Whose processes they are: users of their own if we are root, else ours (uid 0 means: stay). */
struct house_user {
	uid_t uid;
	gid_t gid;
};
struct house_users {
	struct house_user keeper, vault, intake, scanner;
};
AZ_CHECKED enum az_status house_users_find(
    bool unsealed, struct house_users *ret_users, struct az_err *reterr);

#endif
