/*
 * More entries than memory should hold, thrown into buckets and taken out again bucket by bucket: for sorting
 * tokens, fingerprints and numbers of a list.
 *
 * What does not fit into a small piece of memory a bucket goes into a file without a name, sealed under a key that
 * only this object has: after a crash nobody can read what is left on the disk, and nothing has to be cleaned up.
 *
 * Promises  what is taken out is what was added, in order of adding within a bucket; else AZ_CORRUPT or AZ_FORGED.
 * Not       it sorts nothing itself.
 * Threads   adding: one at a time. Taking: several at once, each with its own buffer, once all is added.
 */
#ifndef AZ_CRYPTO_SPILL_H
#define AZ_CRYPTO_SPILL_H

#include "base/bytes.h"
#include "base/status.h"

struct spill;

/* dirfd: where the file is, if one is needed; the caller's, open as long as the spill. */
AZ_CHECKED enum az_status spill_new(
    int dirfd, size_t buckets, struct spill **ret_spill, struct az_err *reterr);
void spill_free(struct spill **spill);

/* Adds an entry to a bucket. AZ_NO_MEMORY, AZ_LIMIT (the disk is full), AZ_IO. */
AZ_CHECKED enum az_status spill_add(
    struct spill *spill, size_t bucket, struct bytes entry, struct az_err *reterr);

/* Bytes in a bucket. */
size_t spill_size(const struct spill *spill, size_t bucket);

/* Appends all of a bucket to buffer. The bucket stays as it is. */
AZ_CHECKED enum az_status spill_take(
    struct spill *spill, size_t bucket, struct buffer *buffer, struct az_err *reterr);

#endif
