/*
 * The largest heads that this front has seen, kept outside the house: whoever puts an older house in the place
 * of the newer one does not reach them.
 *
 *	header "AZHEADS", u32 count, heads of 48 bytes, SHA-256 over all of it
 *
 * The digest finds damage, not forgery: the file is the user's own.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/wire.h"
#include "channel/channel.h"
#include "crypto/hash.h"
#include "proto/parent.h"

#define MAGIC     "AZHEADS"
#define FILE_NAME "heads"
#define LOCK_NAME "heads.lock"
#define HEAD_SIZE 48u
#define FILE_MAX  (FILE_HEADER_SIZE + 4 + HEADS_MAX * HEAD_SIZE + SHA256_SIZE)

void
heads_fini(struct heads *heads)
{
	free(heads->heads);
	*heads = (struct heads){0};
}

static struct file_header
header_of(const uint8_t house[HOUSE_ID_SIZE])
{
	struct file_header header = {.magic = MAGIC, .format = 1};

	memcpy(header.house, house, HOUSE_ID_SIZE);
	return header;
}

/* The heads of a file's contents. */
static enum az_status
decode(struct bytes bytes, const uint8_t house[HOUSE_ID_SIZE], struct heads *ret_heads,
    struct az_err *reterr)
{
	struct file_header expected = header_of(house);
	struct wire_reader reader;
	struct heads heads = {0};
	uint8_t digest[SHA256_SIZE];
	enum az_status status = AZ_CORRUPT;

	if (bytes.size < FILE_HEADER_SIZE + 4 + SHA256_SIZE)
		return az_fail(reterr, AZ_CORRUPT,
		    "the file of seen heads is cut short; look at it before removing it");
	bytes.size -= SHA256_SIZE;
	sha256(bytes, digest);
	if (!bytes_equal(bytes_make(digest, sizeof(digest)),
		bytes_make(bytes.data + bytes.size, SHA256_SIZE)))
		return az_fail(reterr, AZ_CORRUPT,
		    "the file of seen heads is damaged; look at it before removing it");
	status = file_header_check(bytes.data, &expected, "the file of seen heads", reterr);
	if (status != AZ_OK)
		return status;
	wire_reader_init(
	    &reader, bytes_make(bytes.data + FILE_HEADER_SIZE, bytes.size - FILE_HEADER_SIZE));
	heads.count = wire_get_count(&reader, HEADS_MAX, HEAD_SIZE);
	heads.heads = calloc(heads.count + 1, sizeof(*heads.heads));
	if (heads.heads == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "heads: out of memory");
	for (size_t i = 0; i < heads.count; i++)
		head_get(&reader, &heads.heads[i]);
	if (!wire_end(&reader)) {
		heads_fini(&heads);
		return az_fail(reterr, AZ_CORRUPT, "the file of seen heads is malformed");
	}
	*ret_heads = heads;
	return AZ_OK;
}

enum az_status
heads_read(
    int dirfd, const uint8_t house[HOUSE_ID_SIZE], struct heads *ret_heads, struct az_err *reterr)
{
	struct buffer bytes;
	struct az_err err = {0};
	enum az_status status;

	*ret_heads = (struct heads){0};
	buffer_init(&bytes, FILE_MAX, false);
	status = file_read_whole(dirfd, FILE_NAME, &bytes, &err);
	if (status == AZ_OK)
		status = decode(buffer_peek(&bytes), house, ret_heads, reterr);
	else if (status == AZ_NOT_FOUND)
		status = AZ_OK;
	else
		(void)az_fail(reterr, status, "%s", err.text);
	buffer_fini(&bytes);
	return status;
}

enum az_status
heads_see(struct heads *heads, const struct head *head, struct az_err *reterr)
{
	struct head *larger;

	for (size_t i = 0; i < heads->count; i++) {
		struct head *seen = &heads->heads[i];

		if (seen->log != head->log)
			continue;
		/* After a declared loss it may be less; the keeper has compared it with what was seen. */
		if (head->generation > seen->generation) {
			*seen = *head;
			return AZ_OK;
		}
		if (head->generation < seen->generation || head->size < seen->size ||
		    (head->size == seen->size &&
			!bytes_equal(bytes_make(head->root, sizeof(head->root)),
			    bytes_make(seen->root, sizeof(seen->root)))))
			return az_fail(reterr, AZ_FORGED,
			    "the ledger is not the one that was seen: log %u had %llu entries, now "
			    "%llu",
			    head->log, (unsigned long long)seen->size,
			    (unsigned long long)head->size);
		*seen = *head;
		return AZ_OK;
	}
	if (head->size == 0)
		return AZ_OK;
	if (heads->count >= HEADS_MAX)
		return az_fail(reterr, AZ_LIMIT, "heads: too many logs");
	larger = reallocarray(heads->heads, heads->count + 1, sizeof(*larger));
	if (larger == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "heads: out of memory");
	heads->heads = larger;
	heads->heads[heads->count++] = *head;
	return AZ_OK;
}

static enum az_status
encode(const struct heads *heads, const uint8_t house[HOUSE_ID_SIZE], struct buffer *bytes)
{
	struct file_header header = header_of(house);
	struct wire_writer writer;
	uint8_t data[FILE_HEADER_SIZE];
	uint8_t digest[SHA256_SIZE];

	file_header_encode(&header, data);
	wire_writer_init(&writer, bytes);
	wire_put_raw(&writer, data, sizeof(data));
	wire_put_u32(&writer, (uint32_t)heads->count);
	for (size_t i = 0; i < heads->count; i++)
		head_put(&writer, &heads->heads[i]);
	if (writer.status != AZ_OK)
		return writer.status;
	sha256(buffer_peek(bytes), digest);
	wire_put_raw(&writer, digest, sizeof(digest));
	return writer.status;
}

/* Ours and what is in the file, the larger of each log. */
static enum az_status
merge(const struct heads *ours, struct heads *stored, struct az_err *reterr)
{
	for (size_t i = 0; i < ours->count; i++) {
		const struct head *head = &ours->heads[i];
		bool behind = false;
		enum az_status status;

		/* Another command may have seen more since; that is no contradiction. */
		for (size_t k = 0; k < stored->count; k++)
			behind |= stored->heads[k].log == head->log &&
			    (stored->heads[k].generation > head->generation ||
				(stored->heads[k].generation == head->generation &&
				    stored->heads[k].size > head->size));
		if (behind)
			continue;
		status = heads_see(stored, head, reterr);
		if (status != AZ_OK)
			return status;
	}
	return AZ_OK;
}

enum az_status
heads_write(
    int dirfd, const uint8_t house[HOUSE_ID_SIZE], const struct heads *heads, struct az_err *reterr)
{
	int lock = openat(dirfd, LOCK_NAME, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	struct heads stored = {0};
	struct buffer bytes;
	enum az_status status;

	if (lock < 0 || flock(lock, LOCK_EX) != 0) {
		fd_close(&lock);
		return az_fail_errno(reterr, AZ_IO, errno, "the lock of the seen heads");
	}
	buffer_init(&bytes, FILE_MAX, false);
	status = heads_read(dirfd, house, &stored, reterr);
	if (status == AZ_OK)
		status = merge(heads, &stored, reterr);
	if (status == AZ_OK) {
		status = encode(&stored, house, &bytes);
		if (status != AZ_OK)
			(void)az_fail(reterr, status, "heads: out of memory");
	}
	if (status == AZ_OK)
		status = file_replace(dirfd, FILE_NAME, buffer_peek(&bytes), 0600, reterr);
	buffer_fini(&bytes);
	heads_fini(&stored);
	fd_close(&lock);
	return status;
}
