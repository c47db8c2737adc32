/*
 * A file of sealed blocks, written once from front to back and read in the same order: the run files of catalogue
 * and trace.
 *
 *   file header (base/file.h)
 *   for each block: u32 size, sealed block
 *
 * Promises  a block opens only at its own place in its own file, and the file ends only with the block that was
 *           sealed as its last: nothing can be changed, moved, left out or cut off unnoticed.
 * Not       it does not know an older whole file of the same number from the newer one: the SHA-256 does.
 * Threads   each object belongs to one thread at a time.
 */
#ifndef AZ_CRYPTO_BLOCKS_H
#define AZ_CRYPTO_BLOCKS_H

#include "base/bytes.h"
#include "base/file.h"
#include "base/secret.h"
#include "base/status.h"

#define BLOCKS_NAME_SIZE 32u
#define BLOCKS_PLAIN_MAX 65536u /* bytes of a block before it is sealed */

/* Which file it is. Borrowed only while a function runs. */
struct blocks_file {
	int dirfd; /* the caller's, open as long as a writer or reader of it */
	char name[BLOCKS_NAME_SIZE];
	struct file_header header;
	uint64_t number; /* bound to every block: the consignment */
};

/* --- writing --------------------------------------------------------------------------------- */

struct blocks_writer;

/* Makes the file, in place of an older one of that name. key: 32 bytes, this file's alone. AZ_IO. */
AZ_CHECKED enum az_status blocks_writer_new(const struct blocks_file *file,
    const struct secret *key, struct blocks_writer **ret_writer, struct az_err *reterr);
/* Exactly one block is the last, and must be there. After a failure the file can only be discarded. */
AZ_CHECKED enum az_status blocks_writer_put(
    struct blocks_writer *writer, struct bytes plain, bool last, struct az_err *reterr);
/* Flushes file and folder; the file's SHA-256. Frees the writer; on failure the file is removed, too. */
AZ_CHECKED enum az_status blocks_writer_finish(
    struct blocks_writer **writer, uint8_t ret_sha256[32], struct az_err *reterr);
/* Frees it and removes the file. */
void blocks_writer_discard(struct blocks_writer **writer);

/* --- reading --------------------------------------------------------------------------------- */

struct blocks_reader;

/* AZ_NOT_FOUND, AZ_FORGED (of another house), AZ_IO. */
AZ_CHECKED enum az_status blocks_reader_new(const struct blocks_file *file,
    const struct secret *key, struct blocks_reader **ret_reader, struct az_err *reterr);
void blocks_reader_free(struct blocks_reader **reader);
/* Back to the start. */
AZ_CHECKED enum az_status blocks_reader_rewind(struct blocks_reader *reader, struct az_err *reterr);
/* The next block, borrowed until the next call. AZ_FORGED; never called again once ended. */
AZ_CHECKED enum az_status blocks_reader_next(
    struct blocks_reader *reader, struct bytes *ret_plain, struct az_err *reterr);
/* Whether the last block was read. */
bool blocks_reader_ended(const struct blocks_reader *reader);
/* After the last block: AZ_FORGED if what was read is not the file of that SHA-256. */
AZ_CHECKED enum az_status blocks_reader_check(
    const struct blocks_reader *reader, const uint8_t expected[32], struct az_err *reterr);

#endif
