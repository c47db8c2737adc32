/*
 * The list of what a backup holds, and the file that keys are kept in apart from it (docs/format/backup.md). Form
 * only: digests over them, and whether a file is the one that was copied, are for the caller.
 */
#ifndef AZ_PROTO_BACKUP_H
#define AZ_PROTO_BACKUP_H

#include <stdint.h>

#include "base/bytes.h"
#include "base/file.h"
#include "base/status.h"

#define BACKUP_MANIFEST  "manifest"
#define BACKUP_PATH_SIZE 128u /* with its NUL */
#define BACKUP_FILES_MAX 500000u

struct backup_file {
	char
	    path[BACKUP_PATH_SIZE]; /* "house", "keeper/…", "vault/…": relative, plain characters */
	uint64_t size;
	uint8_t sha256[32];
};

struct backup_manifest {
	uint8_t house[HOUSE_ID_SIZE];
	int64_t time_us;
	bool live;                 /* somebody served the house meanwhile */
	struct backup_file *files; /* by path, ascending; the caller's */
	uint32_t count;
};

/* Whether a backup may hold a file of that path: nothing else is ever written by a restore. */
bool backup_path_is_valid(const char *path);
/* Without the digest behind it. AZ_INVALID: a path, or the order. */
AZ_CHECKED enum az_status backup_manifest_encode(
    const struct backup_manifest *manifest, struct buffer *buffer);
/* ret_manifest->files is to be freed. AZ_CORRUPT: not in its format. AZ_NO_MEMORY. */
AZ_CHECKED enum az_status backup_manifest_decode(
    struct bytes bytes, struct backup_manifest *ret_manifest);

enum backup_root {
	BACKUP_ROOT_NONE = 0,
	BACKUP_ROOT_PLAIN = 1, /* an unsealed house's: whoever has the file reads everything */
	BACKUP_ROOT_SLOTS = 2, /* opens with officers' passphrases */
};

#define BACKUP_KEYS_MAX (96u * 1024u * 1024u)
/* The files of HOUSE/secret, and the key ring, as they are. */
struct backup_keys {
	uint8_t house[HOUSE_ID_SIZE];
	int64_t made_us, until_us;
	enum backup_root kind;
	struct bytes root, host, device, ring; /* borrowed */
};
/* Without the digest behind it. */
AZ_CHECKED enum az_status backup_keys_encode(const struct backup_keys *keys, struct buffer *buffer);
/* Borrows from bytes. AZ_CORRUPT. */
AZ_CHECKED enum az_status backup_keys_decode(struct bytes bytes, struct backup_keys *ret_keys);

#endif
