/*
 * Files on their way between a house and a backup.
 *
 * Promises  no symbolic link is followed below the folders that are named, whoever may write there; a copy is on disk
 *           when it is said to be made.
 */
#ifndef AZ_CLI_COPY_H
#define AZ_CLI_COPY_H

#include <stdint.h>
#include <sys/types.h>

#include "base/status.h"
#include "cli/house.h"
#include "crypto/hash.h"

#define COPY_ALL UINT64_MAX

/*
 * Copies from/path to to/path, which is not there yet, with the folders above it; *ret_size and the hash are of what
 * was written. Behind the first keep bytes zeros are written. The file and its new folders become owner's
 * (uid 0: ours). AZ_CONFLICT, AZ_NOT_FOUND, AZ_IO.
 */
AZ_CHECKED enum az_status copy_file(int from, int to, const char *path, uint64_t keep,
    struct house_user owner, uint64_t *ret_size, uint8_t ret_sha256[SHA256_SIZE],
    struct az_err *reterr);

/* A new folder beside path that takes its name when all is done. */
struct copy_folder {
	char path[4096];
	char beside[4096]; /* "" once it has its name, or was never made */
	int dirfd;
};
/* AZ_CONFLICT: path is there already. */
AZ_CHECKED enum az_status copy_folder_make(
    const char *path, mode_t mode, struct copy_folder *ret_folder, struct az_err *reterr);
AZ_CHECKED enum az_status copy_folder_finish(struct copy_folder *folder, struct az_err *reterr);
/* Removes what has not got its name. */
void copy_folder_fini(struct copy_folder *folder);

#endif
