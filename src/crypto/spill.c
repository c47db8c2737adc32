/*
 * A bucket is a list of full chunks in the file, and one chunk in memory that is being filled. Chunks of all
 * buckets stand in the file in the order in which they became full, so it is written from front to back, some at once.
 *
 * Entries go to buckets at random. So chunks are small, and lie together: all of them stay in the processor's caches.
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

#define CHUNK_SIZE   (4u * 1024u)
#define SLOT_SIZE    (CHUNK_SIZE + SEAL_OVERHEAD)
#define SLOTS_ATONCE 32u /* in one write */
#define PLACE_SIZE   16u

struct bucket {
	uint32_t used; /* of its chunk */
	bool was_used;
	uint32_t *full; /* places in the file */
	size_t count, room;
};

struct spill {
	int dirfd, fd;
	struct secret *key;
	struct seal_key *writing;
	uint32_t chunks;  /* full ones */
	uint32_t written; /* of these, in the file; the others in sealed */
	uint8_t *sealed;  /* SLOTS_ATONCE slots */
	uint8_t *filling; /* a chunk of each bucket */
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
	spill->filling = reallocarray(NULL, buckets, CHUNK_SIZE);
	status = spill->filling == NULL ? az_fail(reterr, AZ_NO_MEMORY, "sorting: out of memory")
					: secret_random(SEAL_KEY_SIZE, &spill->key, reterr);
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
		if ((*spill)->buckets[i].was_used)
			az_wipe((*spill)->filling + i * CHUNK_SIZE, CHUNK_SIZE);
		free((*spill)->buckets[i].full);
	}
	free((*spill)->filling);
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

	spill->sealed = reallocarray(NULL, SLOTS_ATONCE, SLOT_SIZE);
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

static uint8_t *
chunk_of(const struct spill *spill, size_t index)
{
	return spill->filling + index * CHUNK_SIZE;
}

static enum az_status
write_slots(struct spill *spill, struct az_err *reterr)
{
	size_t size = (size_t)(spill->chunks - spill->written) * SLOT_SIZE;
	enum az_status status = file_write(spill->fd, bytes_make(spill->sealed, size), reterr);

	if (status == AZ_OK)
		spill->written = spill->chunks;
	return status;
}

/* Seals the full chunk of a bucket. */
static enum az_status
put_chunk(struct spill *spill, size_t index, struct az_err *reterr)
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
	    bytes_make(chunk_of(spill, index), CHUNK_SIZE),
	    spill->sealed + (size_t)(spill->chunks - spill->written) * SLOT_SIZE, reterr);
	if (status != AZ_OK)
		return status;
	bucket->full[bucket->count++] = spill->chunks++;
	bucket->used = 0;
	return spill->chunks - spill->written == SLOTS_ATONCE ? write_slots(spill, reterr) : AZ_OK;
}

/* Where the chunk ends inside the entry, or just behind it. Chunks in the file are full, so an entry may be cut. */
static enum az_status
add_slowly(struct spill *spill, size_t index, struct bytes entry, struct az_err *reterr)
{
	struct bucket *bucket = &spill->buckets[index];
	enum az_status status = AZ_OK;

	while (entry.size > 0 && status == AZ_OK) {
		size_t left = CHUNK_SIZE - bucket->used;
		size_t part = left < entry.size ? left : entry.size;

		memcpy(chunk_of(spill, index) + bucket->used, entry.data, part);
		bucket->used += (uint32_t)part;
		entry = bytes_make(entry.data + part, entry.size - part);
		if (bucket->used == CHUNK_SIZE)
			status = put_chunk(spill, index, reterr);
	}
	return status;
}

/* The usual sizes are copied in place, which is quicker than a call. */
static inline void
copy_entry(uint8_t *to, struct bytes entry)
{
	if (entry.size == 16)
		memcpy(to, entry.data, 16);
	else if (entry.size == 20)
		memcpy(to, entry.data, 20);
	else
		memcpy(to, entry.data, entry.size);
}

enum az_status
spill_add(struct spill *spill, size_t index, struct bytes entry, struct az_err *reterr)
{
	struct bucket *bucket = &spill->buckets[index];

	bucket->was_used = true;
	if (CHUNK_SIZE - bucket->used <= entry.size)
		return add_slowly(spill, index, entry, reterr);
	copy_entry(chunk_of(spill, index) + bucket->used, entry);
	bucket->used += (uint32_t)entry.size;
	return AZ_OK;
}

size_t
spill_size(const struct spill *spill, size_t bucket)
{
	return spill->buckets[bucket].count * (size_t)CHUNK_SIZE + spill->buckets[bucket].used;
}

/* A chunk out of the file, or of those that wait to be written. slot has room for one. */
static enum az_status
read_chunk(const struct spill *spill, struct seal_key *key, size_t bucket, uint32_t chunk,
    uint8_t *slot, struct buffer *buffer, struct az_err *reterr)
{
	const uint8_t *sealed = slot;
	uint8_t place[PLACE_SIZE];
	enum az_status status = buffer_reserve(buffer, CHUNK_SIZE);

	if (status != AZ_OK)
		return az_fail(reterr, status, "sorting: out of memory");
	if (chunk >= spill->written)
		sealed = spill->sealed + (size_t)(chunk - spill->written) * SLOT_SIZE;
	else
		status =
		    file_read_at(spill->fd, slot, SLOT_SIZE, (uint64_t)chunk * SLOT_SIZE, reterr);
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
	uint8_t *slot = NULL;
	enum az_status status = AZ_OK;

	if (from->count > 0) {
		slot = malloc(SLOT_SIZE);
		status = slot == NULL ? az_fail(reterr, AZ_NO_MEMORY, "sorting: out of memory")
				      : seal_key_new(secret_peek(spill->key), &key, reterr);
	}
	for (size_t i = 0; i < from->count && status == AZ_OK; i++)
		status = read_chunk(spill, key, bucket, from->full[i], slot, buffer, reterr);
	if (status == AZ_OK && from->used > 0 &&
	    buffer_append(buffer, bytes_make(chunk_of(spill, bucket), from->used)) != AZ_OK)
		status = az_fail(reterr, AZ_NO_MEMORY, "sorting: out of memory");
	seal_key_free(&key);
	free(slot);
	return status;
}
