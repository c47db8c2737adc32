/*
 * The host secret: what the officers' slots and the key ring need besides passphrases and root key, on the keeper's host
 * and in no backup but that of the keys.
 *
 * It has two parts, one for the slots and one for the ring, so that each can be made anew without the other: whoever
 * changes slots makes both, whoever destroys the ring's alone, since no officer's passphrase is there then. What was sealed under
 * a part that was replaced opens with nothing that is left.
 *
 * Promises  after a crash at any write there is either the old secret with the old slots, or the new one with the new.
 * Not       a copy of an older host secret still opens what is as old; and the disk may keep the bytes of a replaced file.
 */
#ifndef AZ_CLI_HOST_H
#define AZ_CLI_HOST_H

#include "base/file.h"
#include "base/secret.h"

#define HOST_PART_SIZE 32u
#define HOST_FILE_SIZE (FILE_HEADER_SIZE + 2 * HOST_PART_SIZE)

struct host_secret {
	struct secret *slots, *ring; /* HOST_PART_SIZE each */
};

/* Two random parts. AZ_NO_MEMORY. */
AZ_CHECKED enum az_status host_secret_new(struct host_secret *ret_host, struct az_err *reterr);
void host_secret_fini(struct host_secret *host);

/* secret_dirfd/host, which must not be there. AZ_CONFLICT, AZ_IO. */
AZ_CHECKED enum az_status host_secret_create(int secret_dirfd, const uint8_t house[HOUSE_ID_SIZE],
    const struct host_secret *host, struct az_err *reterr);
/* AZ_NOT_FOUND, AZ_CORRUPT, AZ_FORGED: another house's. A file of one part, as once there was, has it twice. */
AZ_CHECKED enum az_status host_secret_read(int secret_dirfd, const uint8_t house[HOUSE_ID_SIZE],
    struct host_secret *ret_host, struct az_err *reterr);

/*
 * Whoever serves the house: what a crash left of new slots is finished, if the secret that belongs to them was kept, or dropped.
 * AZ_IO, AZ_NO_MEMORY.
 */
AZ_CHECKED enum az_status host_slots_recover(int secret_dirfd, const uint8_t house[HOUSE_ID_SIZE],
    const struct host_secret *host, struct az_err *reterr);
/* Whether some write of new slots has not come to its end. */
bool host_slots_are_pending(int secret_dirfd);

/*
 * Keeps next in place of what there is, with the file of slots that was sealed under it (empty: the slots stay).
 * *ret_kept says after a failure whether next was kept nevertheless: then only a new start knows what is on the disk.
 * AZ_IO, AZ_NO_MEMORY.
 */
AZ_CHECKED enum az_status host_secret_replace(int secret_dirfd, const uint8_t house[HOUSE_ID_SIZE],
    const struct host_secret *next, struct bytes slots, bool *ret_kept, struct az_err *reterr);

#endif
