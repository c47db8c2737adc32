/*
 * Associated data of a block: house id ‖ number u64 ‖ number of the block u64 ‖ u8 last. So a block opens in its own
 * place of its own file only, and since each file has exactly one last block, always written, a cut is found.
 */
#include "crypto/blocks.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/wire.h"
#include "crypto/hash.h"
#include "crypto/seal.h"

#define PLACE_SIZE (HOUSE_ID_SIZE + 17)

static void
block_place(const struct blocks_file *file, uint64_t block, bool last, uint8_t place[PLACE_SIZE])
{
	memcpy(place, file->header.house, HOUSE_ID_SIZE);
	wire_store_u64(place + HOUSE_ID_SIZE, file->number);
	wire_store_u64(place + HOUSE_ID_SIZE + 8, block);
	place[HOUSE_ID_SIZE + 16] = last ? 1 : 0;
}

/* --- writing --------------------------------------------------------------------------------- */

struct blocks_writer {
	struct blocks_file file;
	int fd;
	uint64_t block;
	bool failed;
	struct seal_key *key;
	struct sha256 hash;
	uint8_t out[4 + BLOCKS_PLAIN_MAX + SEAL_OVERHEAD];
};

static void
writer_free(struct blocks_writer **writer)
{
	if (*writer == NULL)
		return;
	fd_close(&(*writer)->fd);
	seal_key_free(&(*writer)->key);
	free(*writer);
	*writer = NULL;
}

static enum az_status
write_on(struct blocks_writer *writer, struct bytes bytes, struct az_err *reterr)
{
	sha256_update(&writer->hash, bytes.data, bytes.size);
	return file_write(writer->fd, bytes, reterr);
}

static enum az_status
make_file(struct blocks_writer *writer, struct az_err *reterr)
{
	const struct blocks_file *file = &writer->file;
	uint8_t head[FILE_HEADER_SIZE];

	/* A file of its own, not the old one's blocks under another's descriptor. */
	if (unlinkat(file->dirfd, file->name, 0) != 0 && errno != ENOENT)
		return az_fail_errno(reterr, AZ_IO, errno, "cannot replace %s", file->name);
	writer->fd = openat(
	    file->dirfd, file->name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (writer->fd < 0)
		return az_fail_errno(reterr, AZ_IO, errno, "cannot make %s", file->name);
	file_header_encode(&file->header, head);
	return write_on(writer, bytes_make(head, sizeof(head)), reterr);
}

enum az_status
blocks_writer_new(const struct blocks_file *file, const struct secret *key,
    struct blocks_writer **ret_writer, struct az_err *reterr)
{
	struct blocks_writer *writer = calloc(1, sizeof(*writer));
	enum az_status status;

	if (writer == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "%s: out of memory", file->name);
	writer->file = *file;
	writer->fd = -1;
	sha256_init(&writer->hash);
	status = seal_key_new(secret_peek(key), &writer->key, reterr);
	if (status == AZ_OK) {
		status = make_file(writer, reterr);
		if (status != AZ_OK && writer->fd >= 0)
			(void)unlinkat(file->dirfd, file->name, 0);
	}
	if (status == AZ_OK)
		*ret_writer = writer;
	else
		writer_free(&writer);
	return status;
}

enum az_status
blocks_writer_put(
    struct blocks_writer *writer, struct bytes plain, bool last, struct az_err *reterr)
{
	uint8_t place[PLACE_SIZE];
	enum az_status status;

	if (writer->failed || plain.size > BLOCKS_PLAIN_MAX)
		return az_fail(reterr, AZ_IO, "%s is not whole", writer->file.name);
	block_place(&writer->file, writer->block, last, place);
	status =
	    seal(writer->key, bytes_make(place, sizeof(place)), plain, writer->out + 4, reterr);
	if (status == AZ_OK) {
		wire_store_u32(writer->out, (uint32_t)(plain.size + SEAL_OVERHEAD));
		status = write_on(
		    writer, bytes_make(writer->out, 4 + plain.size + SEAL_OVERHEAD), reterr);
	}
	writer->block++;
	writer->failed = status != AZ_OK;
	return status;
}

enum az_status
blocks_writer_finish(struct blocks_writer **writer, uint8_t ret_sha256[32], struct az_err *reterr)
{
	struct blocks_writer *ending = *writer;
	enum az_status status = AZ_OK;

	if (ending->failed)
		status = az_fail(reterr, AZ_IO, "%s is not whole", ending->file.name);
	else if (fsync(ending->fd) != 0 || fsync(ending->file.dirfd) != 0)
		status = az_fail_errno(reterr, AZ_IO, errno, "cannot flush %s", ending->file.name);
	if (status != AZ_OK) {
		blocks_writer_discard(writer);
		return status;
	}
	sha256_final(&ending->hash, ret_sha256);
	writer_free(writer);
	return AZ_OK;
}

void
blocks_writer_discard(struct blocks_writer **writer)
{
	if (*writer == NULL)
		return;
	/* Best effort: one that stays has no committed consignment and is dropped at the next start. */
	(void)unlinkat((*writer)->file.dirfd, (*writer)->file.name, 0);
	writer_free(writer);
}

/* --- reading --------------------------------------------------------------------------------- */

struct blocks_reader {
	struct blocks_file file;
	int fd;
	uint64_t offset, block;
	bool ended; /* the last block was read */
	struct seal_key *key;
	struct sha256 hash;
	uint8_t plain[BLOCKS_PLAIN_MAX];
	uint8_t sealed[BLOCKS_PLAIN_MAX + SEAL_OVERHEAD];
};

static enum az_status
forged(const struct blocks_reader *reader, const char *what, struct az_err *reterr)
{
	return az_fail(reterr, AZ_FORGED, "block %llu of %s %s", (unsigned long long)reader->block,
	    reader->file.name, what);
}

/* Reads on. An early end is a cut file, and so not the one that was committed. */
static enum az_status
read_on(struct blocks_reader *reader, void *data, size_t size, struct az_err *reterr)
{
	enum az_status status = file_read_at(reader->fd, data, size, reader->offset, reterr);

	if (status == AZ_CORRUPT)
		return forged(reader, "is cut short", reterr);
	if (status != AZ_OK)
		return status;
	reader->offset += size;
	sha256_update(&reader->hash, data, size);
	return AZ_OK;
}

enum az_status
blocks_reader_new(const struct blocks_file *file, const struct secret *key,
    struct blocks_reader **ret_reader, struct az_err *reterr)
{
	struct blocks_reader *reader = calloc(1, sizeof(*reader));
	enum az_status status;

	if (reader == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "%s: out of memory", file->name);
	reader->file = *file;
	reader->fd = openat(file->dirfd, file->name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (reader->fd < 0)
		status = az_fail_errno(reterr, errno == ENOENT ? AZ_NOT_FOUND : AZ_IO, errno,
		    "cannot open %s", file->name);
	else
		status = seal_key_new(secret_peek(key), &reader->key, reterr);
	if (status == AZ_OK)
		status = blocks_reader_rewind(reader, reterr);
	if (status == AZ_OK)
		*ret_reader = reader;
	else
		blocks_reader_free(&reader);
	return status;
}

void
blocks_reader_free(struct blocks_reader **reader)
{
	if (*reader == NULL)
		return;
	fd_close(&(*reader)->fd);
	seal_key_free(&(*reader)->key);
	az_wipe((*reader)->plain, sizeof((*reader)->plain));
	free(*reader);
	*reader = NULL;
}

enum az_status
blocks_reader_rewind(struct blocks_reader *reader, struct az_err *reterr)
{
	uint8_t head[FILE_HEADER_SIZE];
	enum az_status status;

	reader->offset = 0;
	reader->block = 0;
	reader->ended = false;
	sha256_init(&reader->hash);
	status = read_on(reader, head, sizeof(head), reterr);
	if (status == AZ_OK && file_header_check(head, &reader->file.header, "run", NULL) != AZ_OK)
		status =
		    az_fail(reterr, AZ_FORGED, "%s is not a file of this house", reader->file.name);
	return status;
}

/* Whether nothing stands behind what was read. */
static enum az_status
at_end(const struct blocks_reader *reader, bool *ret_end, struct az_err *reterr)
{
	struct stat info;

	if (fstat(reader->fd, &info) != 0)
		return az_fail_errno(reterr, AZ_IO, errno, "cannot look at %s", reader->file.name);
	*ret_end = (uint64_t)info.st_size == reader->offset;
	return AZ_OK;
}

enum az_status
blocks_reader_next(struct blocks_reader *reader, struct bytes *ret_plain, struct az_err *reterr)
{
	uint8_t place[PLACE_SIZE];
	uint8_t head[4];
	uint32_t size;
	bool last = false;
	enum az_status status = read_on(reader, head, sizeof(head), reterr);

	if (status != AZ_OK)
		return status;
	size = wire_load_u32(head);
	if (size < SEAL_OVERHEAD || size > sizeof(reader->sealed))
		return forged(reader, "has a wrong size", reterr);
	status = read_on(reader, reader->sealed, size, reterr);
	if (status == AZ_OK)
		status = at_end(reader, &last, reterr);
	if (status != AZ_OK)
		return status;
	/* The block at the end must be sealed as the last one, every other as not the last. */
	block_place(&reader->file, reader->block, last, place);
	status = seal_open(reader->key, bytes_make(place, sizeof(place)),
	    bytes_make(reader->sealed, size), reader->plain, reterr);
	if (status == AZ_FORGED)
		return forged(reader, "is not the one that was sealed there", reterr);
	if (status != AZ_OK)
		return status;
	reader->ended = last;
	reader->block++;
	*ret_plain = bytes_make(reader->plain, size - SEAL_OVERHEAD);
	return AZ_OK;
}

bool
blocks_reader_ended(const struct blocks_reader *reader)
{
	return reader->ended;
}

enum az_status
blocks_reader_check(
    const struct blocks_reader *reader, const uint8_t expected[32], struct az_err *reterr)
{
	struct sha256 copy = reader->hash;
	uint8_t digest[SHA256_SIZE];

	sha256_final(&copy, digest);
	if (!bytes_equal(bytes_make(digest, sizeof(digest)), bytes_make(expected, SHA256_SIZE)))
		return az_fail(
		    reterr, AZ_FORGED, "%s is not the one that was committed", reader->file.name);
	return AZ_OK;
}
