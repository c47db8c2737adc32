/*
 * A bucket is a list of full chunks in the file, and one chunk in memory that is being filled. Chunks of all
 * buckets stand in the file in the order in which they became full, so it is written from front to back.
 *
 *	chunk in the file: sealed; its place (bucket, number in the file) is associated data
 */
#include "crypto/spill.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/wire.h"
#include "crypto/hash.h"
#include "crypto/seal.h"

#define CHUNK_SIZE (32u * 1024u)
#define SLOT_SIZE  (CHUNK_SIZE + SEAL_OVERHEAD)
#define PLACE_SIZE 16u

struct bucket {
	uint8_t *chunk; /* CHUNK_SIZE, from the first entry on */
	uint32_t used;
	uint32_t *full; /* places in the file */
	size_t count, room;
};

struct spill {
	int dirfd, fd;
	struct secret *key;
	struct seal_key *writing;
	uint32_t chunks; /* in the file */
	uint8_t *sealed;
	size_t bucket_count;
	struct bucket buckets[];
};

enum az_status
spill_new(int dirfd, size_t buckets, struct spill **ret_spill, struct az_err *reterr)
{
	struct spill *spill = calloc(1, sizeof(*spill) + buckets * sizeof(struct bucket));
	enum az_status status;

	if (spill == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "sorting: out of memory");
	spill->dirfd = dirfd;
	spill->fd = -1;
	spill->bucket_count = buckets;
	status = secret_random(SEAL_KEY_SIZE, &spill->key, reterr);
	if (status == AZ_OK)
		status = seal_key_new(secret_peek(spill->key), &spill->writing, reterr);
	if (status == AZ_OK)
		*ret_spill = spill;
	else
		spill_free(&spill);
	return status;
}

void
spill_free(struct spill **spill)
{
	if (*spill == NULL)
		return;
	for (size_t i = 0; i < (*spill)->bucket_count; i++) {
		struct bucket *bucket = &(*spill)->buckets[i];

		if (bucket->chunk != NULL)
			az_wipe(bucket->chunk, bucket->used);
		free(bucket->chunk);
		free(bucket->full);
	}
	seal_key_free(&(*spill)->writing);
	secret_free(&(*spill)->key);
	fd_close(&(*spill)->fd);
	free((*spill)->sealed);
	free(*spill);
	*spill = NULL;
}

static void
chunk_place(size_t bucket, uint32_t chunk, uint8_t place[PLACE_SIZE])
{
	wire_store_u64(place, bucket);
	wire_store_u64(place + 8, chunk);
}

/* A file that has no name: it goes when the last who holds it does. */
static enum az_status
open_file(struct spill *spill, struct az_err *reterr)
{
	char name[32];
	uint8_t random[8];

	spill->sealed = malloc(SLOT_SIZE);
	if (spill->sealed == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "sorting: out of memory");
	spill->fd = openat(spill->dirfd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC | O_EXCL, 0600);
	if (spill->fd >= 0)
		return AZ_OK;
	/* Not every file system can; a name for a moment does as well, since what follows is sealed. */
	random_bytes(random, sizeof(random));
	(void)snprintf(
	    name, sizeof(name), ".tmp-%016llx", (unsigned long long)wire_load_u64(random));
	spill->fd =
	    openat(spill->dirfd, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (spill->fd < 0)
		return az_fail_errno(reterr, AZ_IO, errno, "sorting: no file can be made");
	if (unlinkat(spill->dirfd, name, 0) != 0)
		return az_fail_errno(reterr, AZ_IO, errno, "sorting: %s", name);
	return AZ_OK;
}

static enum az_status
write_chunk(struct spill *spill, size_t index, struct az_err *reterr)
{
	struct bucket *bucket = &spill->buckets[index];
	uint8_t place[PLACE_SIZE];
	enum az_status status = spill->fd < 0 ? open_file(spill, reterr) : AZ_OK;

	if (status == AZ_OK && bucket->count == bucket->room) {
		size_t room = bucket->room == 0 ? 8 : 2 * bucket->room;
		uint32_t *full = reallocarray(bucket->full, room, sizeof(*full));

		if (full == NULL)
			return az_fail(reterr, AZ_NO_MEMORY, "sorting: out of memory");
		bucket->full = full;
		bucket->room = room;
	}
	if (status == AZ_OK && spill->chunks == UINT32_MAX)
		status = az_fail(reterr, AZ_LIMIT, "sorting: too much");
	if (status != AZ_OK)
		return status;
	chunk_place(index, spill->chunks, place);
	status = seal(spill->writing, bytes_make(place, sizeof(place)),
	    bytes_make(bucket->chunk, CHUNK_SIZE), spill->sealed, reterr);
	if (status == AZ_OK)
		status = file_write(spill->fd, bytes_make(spill->sealed, SLOT_SIZE), reterr);
	if (status != AZ_OK)
		return status;
	bucket->full[bucket->count++] = spill->chunks++;
	bucket->used = 0;
	return AZ_OK;
}

/* Where the chunk ends inside the entry, or is not there yet. Chunks in the file are full, so an entry may be cut. */
static enum az_status
add_slowly(struct spill *spill, size_t index, struct bytes entry, struct az_err *reterr)
{
	struct bucket *bucket = &spill->buckets[index];
	enum az_status status = AZ_OK;

	if (bucket->chunk == NULL)
		bucket->chunk = malloc(CHUNK_SIZE);
	if (bucket->chunk == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "sorting: out of memory");
	while (entry.size > 0 && status == AZ_OK) {
		size_t left = CHUNK_SIZE - bucket->used;
		size_t part = left < entry.size ? left : entry.size;

		memcpy(bucket->chunk + bucket->used, entry.data, part);
		bucket->used += (uint32_t)part;
		entry = bytes_make(entry.data + part, entry.size - part);
		if (bucket->used == CHUNK_SIZE)
			status = write_chunk(spill, index, reterr);
	}
	return status;
}

enum az_status
spill_add(struct spill *spill, size_t index, struct bytes entry, struct az_err *reterr)
{
	struct bucket *bucket = &spill->buckets[index];

	if (bucket->chunk == NULL || CHUNK_SIZE - bucket->used <= entry.size)
		return add_slowly(spill, index, entry, reterr);
	memcpy(bucket->chunk + bucket->used, entry.data, entry.size);
	bucket->used += (uint32_t)entry.size;
	return AZ_OK;
}

size_t
spill_size(const struct spill *spill, size_t bucket)
{
	return spill->buckets[bucket].count * (size_t)CHUNK_SIZE + spill->buckets[bucket].used;
}

static enum az_status
read_chunk(const struct spill *spill, struct seal_key *key, size_t bucket, uint32_t chunk,
    uint8_t *sealed, struct buffer *buffer, struct az_err *reterr)
{
	uint8_t place[PLACE_SIZE];
	enum az_status status = buffer_reserve(buffer, CHUNK_SIZE);

	if (status != AZ_OK)
		return az_fail(reterr, status, "sorting: out of memory");
	status = file_read_at(spill->fd, sealed, SLOT_SIZE, (uint64_t)chunk * SLOT_SIZE, reterr);
	chunk_place(bucket, chunk, place);
	if (status == AZ_OK)
		status = seal_open(key, bytes_make(place, sizeof(place)),
		    bytes_make(sealed, SLOT_SIZE), buffer->data + buffer->size, reterr);
	if (status == AZ_OK)
		buffer->size += CHUNK_SIZE;
	return status;
}

enum az_status
spill_take(struct spill *spill, size_t bucket, struct buffer *buffer, struct az_err *reterr)
{
	const struct bucket *from = &spill->buckets[bucket];
	struct seal_key *key = NULL;
	uint8_t *sealed = NULL;
	enum az_status status = AZ_OK;

	if (from->count > 0) {
		sealed = malloc(SLOT_SIZE);
		status = sealed == NULL ? az_fail(reterr, AZ_NO_MEMORY, "sorting: out of memory")
					: seal_key_new(secret_peek(spill->key), &key, reterr);
	}
	for (size_t i = 0; i < from->count && status == AZ_OK; i++)
		status = read_chunk(spill, key, bucket, from->full[i], sealed, buffer, reterr);
	if (status == AZ_OK && from->used > 0 &&
	    buffer_append(buffer, bytes_make(from->chunk, from->used)) != AZ_OK)
		status = az_fail(reterr, AZ_NO_MEMORY, "sorting: out of memory");
	seal_key_free(&key);
	free(sealed);
	return status;
}
