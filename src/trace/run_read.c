/*
 * Reading run files: first the end and the index, which are small, then the blocks that may have what is looked for.
 *
 * A block holds the fingerprints from its first one up to the next block's first. Those that are the same may be divided
 * between two blocks, so a block is also read if what is looked for is just what the next one begins with.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/hash.h"
#include "trace/run_internal.h"

struct item {
	uint64_t first;
	uint64_t offset;
	uint16_t count;
	uint8_t kind, form;
};

struct trace_index {
	struct run_file file;
	size_t count; /* blocks */
	uint64_t prints;
	struct item *items;
};

static enum az_status
forged(const struct run_file *file, const char *what, struct az_err *reterr)
{
	return az_fail(reterr, AZ_FORGED, "%s %s", file->name, what);
}

static enum az_status
open_file(int dirfd, const struct run_file *file, int *ret_fd, struct az_err *reterr)
{
	*ret_fd = openat(dirfd, file->name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (*ret_fd < 0)
		return az_fail_errno(reterr, errno == ENOENT ? AZ_NOT_FOUND : AZ_IO, errno,
		    "cannot open %s", file->name);
	return AZ_OK;
}

/* Reads size bytes, and opens them as a part. */
static enum az_status
read_part(int fd, const struct run_file *file, struct seal_key *key, enum run_part part,
    uint64_t nth, uint64_t offset, size_t size, uint8_t *sealed, uint8_t *plain,
    struct az_err *reterr)
{
	uint8_t place[PLACE_SIZE];
	enum az_status status = file_read_at(fd, sealed, size + SEAL_OVERHEAD, offset, reterr);

	if (status == AZ_CORRUPT)
		return forged(file, "is cut short", reterr);
	if (status != AZ_OK)
		return status;
	run_place(file, part, nth, place);
	status = seal_open(key, bytes_make(place, sizeof(place)),
	    bytes_make(sealed, size + SEAL_OVERHEAD), plain, reterr);
	return status == AZ_FORGED ? forged(file, "is not the one that was sealed", reterr)
				   : status;
}

/* --- the index -------------------------------------------------------------------------------- */

/* Checks header and end; where the end begins. */
static enum az_status
read_end(int fd, struct trace_index *index, struct seal_key *key, const uint8_t sha256[32],
    uint64_t *ret_offset, struct az_err *reterr)
{
	struct run_file *file = &index->file;
	uint8_t head[FILE_HEADER_SIZE];
	uint8_t sealed[END_SIZE + SEAL_OVERHEAD];
	uint8_t end[END_SIZE];
	uint8_t digest[SHA256_SIZE];
	struct sha256 hash;
	struct stat info;
	enum az_status status;

	if (fstat(fd, &info) != 0)
		return az_fail_errno(reterr, AZ_IO, errno, "cannot look at %s", file->name);
	if ((uint64_t)info.st_size < sizeof(head) + sizeof(sealed))
		return forged(file, "is cut short", reterr);
	status = file_read_at(fd, head, sizeof(head), 0, reterr);
	if (status == AZ_OK && file_header_check(head, &file->header, "run", NULL) != AZ_OK)
		return forged(file, "is not a file of this house and release", reterr);
	*ret_offset = (uint64_t)info.st_size - sizeof(sealed);
	if (status == AZ_OK)
		status = read_part(
		    fd, file, key, PART_END, 0, *ret_offset, END_SIZE, sealed, end, reterr);
	if (status != AZ_OK)
		return status;
	sha256_init(&hash);
	sha256_update(&hash, sealed, sizeof(sealed));
	sha256_final(&hash, digest);
	if (!bytes_equal(bytes_make(digest, sizeof(digest)), bytes_make(sha256, SHA256_SIZE)))
		return forged(file, "is not the one that was committed", reterr);
	memcpy(file->id, end, RUN_ID_SIZE);
	index->count = (size_t)wire_load_u64(end + RUN_ID_SIZE);
	index->prints = wire_load_u64(end + RUN_ID_SIZE + 8);
	/* Each block has one print at least, and an item in the index. */
	if (index->count > (uint64_t)info.st_size / INDEX_ITEM_SIZE)
		return forged(file, "is cut short", reterr);
	return AZ_OK;
}

/* Whether an item may follow the one before it. */
static bool
is_in_order(const struct item *item, const struct item *before)
{
	if (item->count == 0 || item->count > BLOCK_PRINTS ||
	    !trace_has_kind((enum match_kind)item->kind) ||
	    (item->form != FORM_SAME && item->form != FORM_OWN))
		return false;
	return before == NULL || item->kind > before->kind ||
	    (item->kind == before->kind && item->first >= before->first);
}

static enum az_status
read_items(int fd, struct trace_index *index, struct seal_key *key, uint64_t end, uint8_t *room,
    struct az_err *reterr)
{
	uint64_t from = end;
	uint64_t offset = FILE_HEADER_SIZE;
	enum az_status status = AZ_OK;

	for (size_t at = 0; at < index->count; at += INDEX_PART_MAX) {
		size_t rest = index->count - at;

		from -= (rest < INDEX_PART_MAX ? rest : INDEX_PART_MAX) * INDEX_ITEM_SIZE +
		    SEAL_OVERHEAD;
	}
	for (size_t at = 0, nth = 0; at < index->count && status == AZ_OK; nth++) {
		size_t rest = index->count - at;
		size_t count = rest < INDEX_PART_MAX ? rest : INDEX_PART_MAX;
		uint8_t *plain = room + INDEX_PART_MAX * INDEX_ITEM_SIZE + SEAL_OVERHEAD;

		status = read_part(fd, &index->file, key, PART_INDEX, nth, from,
		    count * INDEX_ITEM_SIZE, room, plain, reterr);
		from += count * INDEX_ITEM_SIZE + SEAL_OVERHEAD;
		for (size_t i = 0; i < count && status == AZ_OK; i++, at++) {
			const uint8_t *bytes = plain + i * INDEX_ITEM_SIZE;
			struct item *item = &index->items[at];

			*item = (struct item){.first = wire_load_u64be(bytes),
			    .offset = offset,
			    .kind = bytes[8],
			    .form = bytes[9],
			    .count = wire_load_u16(bytes + 10)};
			if (!is_in_order(item, at == 0 ? NULL : item - 1))
				return az_fail(reterr, AZ_CORRUPT, "%s is not in its format",
				    index->file.name);
			offset += run_block_size(item->form, item->count) + SEAL_OVERHEAD;
		}
	}
	/* Blocks and index fill the file. */
	if (status == AZ_OK &&
	    offset !=
		end -
		    (index->count * INDEX_ITEM_SIZE +
			(index->count + INDEX_PART_MAX - 1) / INDEX_PART_MAX * SEAL_OVERHEAD))
		return forged(&index->file, "is cut short", reterr);
	return status;
}

enum az_status
trace_index_open(int dirfd, const uint8_t house[HOUSE_ID_SIZE], uint64_t number,
    const struct secret *key, const uint8_t sha256[32], struct trace_index **ret_index,
    struct az_err *reterr)
{
	struct trace_index *index = calloc(1, sizeof(*index));
	size_t room_size = 2 * (INDEX_PART_MAX * INDEX_ITEM_SIZE + SEAL_OVERHEAD);
	uint8_t *room = malloc(room_size);
	struct seal_key *seal_key = NULL;
	uint64_t end = 0;
	int fd = -1;
	enum az_status status = AZ_OK;

	if (index == NULL || room == NULL)
		status = az_fail(reterr, AZ_NO_MEMORY, "fingerprints: out of memory");
	if (status == AZ_OK) {
		run_file_init(house, number, &index->file);
		status = open_file(dirfd, &index->file, &fd, reterr);
	}
	if (status == AZ_OK)
		status = seal_key_new(secret_peek(key), &seal_key, reterr);
	if (status == AZ_OK)
		status = read_end(fd, index, seal_key, sha256, &end, reterr);
	if (status == AZ_OK) {
		index->items = calloc(index->count + 1, sizeof(*index->items));
		status = index->items == NULL
		    ? az_fail(reterr, AZ_NO_MEMORY, "fingerprints: out of memory")
		    : read_items(fd, index, seal_key, end, room, reterr);
	}
	fd_close(&fd);
	seal_key_free(&seal_key);
	if (room != NULL)
		az_wipe(room, room_size);
	free(room);
	if (status == AZ_OK)
		*ret_index = index;
	else
		trace_index_free(&index);
	return status;
}

void
trace_index_free(struct trace_index **index)
{
	struct trace_index *freed = *index;

	if (freed == NULL)
		return;
	if (freed->items != NULL)
		az_wipe(freed->items, freed->count * sizeof(*freed->items));
	free(freed->items);
	free(freed);
	*index = NULL;
}

size_t
trace_index_blocks(const struct trace_index *index)
{
	return index->count;
}

uint64_t
trace_index_prints(const struct trace_index *index)
{
	return index->prints;
}

/* --- blocks ----------------------------------------------------------------------------------- */

/* Takes a block apart; false if it is not what the index says. */
static bool
decode(const uint8_t *block, const struct item *item, struct trace_print *prints)
{
	size_t size = item->form == FORM_SAME ? SAME_SIZE : TRACE_PRINT_SIZE;
	uint32_t version = wire_load_u32(block + 4);

	if (block[0] != item->kind || block[1] != item->form ||
	    wire_load_u16(block + 2) != item->count ||
	    wire_load_u64be(block + HEAD_SIZE) != item->first)
		return false;
	if (size == TRACE_PRINT_SIZE) {
		memcpy(prints, block + HEAD_SIZE, item->count * sizeof(*prints));
		return true;
	}
	for (size_t i = 0; i < item->count; i++) {
		memcpy(prints[i].bytes, block + HEAD_SIZE + i * SAME_SIZE, SAME_SIZE);
		wire_store_u32be(prints[i].bytes + SAME_SIZE, version);
	}
	return true;
}

/* The first of count ascending numbers that is not below least. */
static size_t
first_from(const uint64_t *numbers, size_t count, uint64_t least)
{
	size_t low = 0;
	size_t high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (numbers[middle] < least)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Whether block at may have one of what is looked for. */
static bool
is_wanted(const struct trace_index *index, size_t at, const struct trace_wanted *wanted)
{
	const struct item *item = &index->items[at];
	const struct trace_wanted_kind *of;
	bool is_last = at + 1 == index->count || item[1].kind != item->kind;
	size_t from;

	if (wanted == NULL)
		return true;
	of = &wanted->kinds[item->kind];
	if (of->count == 0 || of->prints == NULL)
		return of->count > 0;
	from = first_from(of->prints, of->count, item->first);
	return from < of->count && (is_last || of->prints[from] <= item[1].first);
}

struct room {
	uint8_t sealed[BLOCK_MAX + SEAL_OVERHEAD];
	uint8_t plain[BLOCK_MAX];
	struct trace_print prints[BLOCK_PRINTS];
};

enum az_status
trace_index_read(const struct trace_index *index, int dirfd, const struct secret *key, size_t first,
    size_t end, const struct trace_wanted *wanted, trace_run_visit visit, void *arg,
    struct az_err *reterr)
{
	struct room *room = malloc(sizeof(*room));
	struct seal_key *seal_key = NULL;
	int fd = -1;
	enum az_status status = room == NULL
	    ? az_fail(reterr, AZ_NO_MEMORY, "fingerprints: out of memory")
	    : seal_key_new(secret_peek(key), &seal_key, reterr);

	if (status == AZ_OK)
		status = open_file(dirfd, &index->file, &fd, reterr);
	for (size_t at = first; at < end && at < index->count && status == AZ_OK; at++) {
		const struct item *item = &index->items[at];

		if (!is_wanted(index, at, wanted))
			continue;
		status = read_part(fd, &index->file, seal_key, PART_DATA, at, item->offset,
		    run_block_size(item->form, item->count), room->sealed, room->plain, reterr);
		if (status == AZ_OK && !decode(room->plain, item, room->prints))
			status = az_fail(
			    reterr, AZ_CORRUPT, "%s is not in its format", index->file.name);
		if (status == AZ_OK)
			status = visit(
			    arg, (enum match_kind)item->kind, room->prints, item->count, reterr);
	}
	fd_close(&fd);
	seal_key_free(&seal_key);
	if (room != NULL) {
		az_wipe(room->plain, sizeof(room->plain));
		az_wipe(room->prints, sizeof(room->prints));
	}
	free(room);
	return status;
}

enum az_status
trace_run_read(int dirfd, const uint8_t house[HOUSE_ID_SIZE], uint64_t number,
    const struct secret *key, const uint8_t sha256[32], trace_run_visit visit, void *arg,
    struct az_err *reterr)
{
	struct trace_index *index = NULL;
	enum az_status status = trace_index_open(dirfd, house, number, key, sha256, &index, reterr);

	if (status == AZ_OK)
		status = trace_index_read(
		    index, dirfd, key, 0, trace_index_blocks(index), NULL, visit, arg, reterr);
	trace_index_free(&index);
	return status;
}
