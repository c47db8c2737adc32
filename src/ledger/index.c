/*
 * The query index: where in a log the entries of one person or one member of staff stand.
 *
 *   refs     log u32be ‖ kind u8 ‖ pseudonym 16 ‖ index u64be → nothing
 *   places   log u32be ‖ group u64be → u64 offset in the log's file of entry 256 · group
 *   covered  log u32be → u64 size, u64 offset of its end, 32 root: what of the log is in here
 *
 * It holds nothing that the logs do not hold, and can be thrown away. The follower notes what it
 * appends to a log and puts it, sorted, in one transaction at each sync. That transaction need not be durable: at
 * the next opening each log is read on from where the index ends. An index that does not lie on the log's own
 * history (of another root at that size: an older folder brought back, or a newer) is emptied and made anew.
 *
 * It is no evidence. Who can write the disk can take an answer out of it; the log itself, verified and
 * read through, is what proves that nothing is missing. What it does answer is checked: an entry is read from
 * the log, must have the log's stored leaf hash, and must be of the one who was asked for.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/wire.h"
#include "ledger/ledger_internal.h"

#define COVERED_SIZE  (16u + TREE_HASH_SIZE)
#define REFS_MAX      100000u /* noted before they are put, sync or not */
#define REFS_AN_ENTRY 2u
#define PLACES_MAX    (REFS_MAX / INDEX_GROUP + LEDGER_LOGS_MAX)
#define ENTRIES_MAX   REFS_MAX            /* noted, with or without references */
#define MAP_SIZE      (UINT64_C(1) << 40) /* address space, not disk */

void
index_ref_make(uint32_t log, enum pseudonym_kind kind, const uint8_t pseudonym[PSEUDONYM_SIZE],
    uint64_t number, uint8_t key[INDEX_REF_SIZE])
{
	wire_store_u32be(key, log);
	key[4] = (uint8_t)kind;
	memcpy(key + 5, pseudonym, PSEUDONYM_SIZE);
	wire_store_u64be(key + 21, number);
}

void
index_place_make(uint32_t log, uint64_t group, uint8_t key[INDEX_PLACE_KEY_SIZE])
{
	wire_store_u32be(key, log);
	wire_store_u64be(key + 4, group);
}

static bool
is_nobody(const uint8_t pseudonym[PSEUDONYM_SIZE])
{
	static const uint8_t nobody[PSEUDONYM_SIZE];

	return bytes_equal(
	    bytes_make(pseudonym, PSEUDONYM_SIZE), bytes_make(nobody, PSEUDONYM_SIZE));
}

/* --- putting --------------------------------------------------------------------------------- */

static int
compare_refs(const void *a, const void *b)
{
	return bytes_compare(bytes_make(a, INDEX_REF_SIZE), bytes_make(b, INDEX_REF_SIZE));
}

static enum az_status
put_refs(struct index *index, struct kv_writer *writer, struct az_err *reterr)
{
	enum az_status status = AZ_OK;

	qsort(index->refs, index->ref_count, sizeof(*index->refs), compare_refs);
	for (size_t i = 0; i < index->ref_count && status == AZ_OK; i++)
		status = kv_put(writer, INDEX_TABLE_REFS,
		    bytes_make(index->refs[i].key, INDEX_REF_SIZE), bytes_of(""), reterr);
	for (size_t i = 0; i < index->place_count && status == AZ_OK; i++) {
		uint8_t value[INDEX_PLACE_SIZE];

		wire_store_u64(value, index->places[i].offset);
		status = kv_put(writer, INDEX_TABLE_PLACES,
		    bytes_make(index->places[i].key, INDEX_PLACE_KEY_SIZE),
		    bytes_make(value, sizeof(value)), reterr);
	}
	return status;
}

static enum az_status
put_covered(const struct log *log, struct kv_writer *writer, uint64_t size, uint64_t offset,
    struct az_err *reterr)
{
	uint8_t key[4];
	uint8_t value[COVERED_SIZE];
	enum az_status status = AZ_OK;

	wire_store_u32be(key, log->id);
	wire_store_u64(value, size);
	wire_store_u64(value + 8, offset);
	if (size == log->tree.size)
		tree_root(&log->tree, value + 16);
	else
		status = log_root_at(log, size, value + 16, reterr);
	if (status == AZ_OK)
		status = kv_put(writer, INDEX_TABLE_COVERED, bytes_make(key, sizeof(key)),
		    bytes_make(value, sizeof(value)), reterr);
	return status;
}

/* Forgets what was noted, once it was put. */
static void
index_clear_noted(struct index *index)
{
	index->ref_count = 0;
	index->place_count = 0;
	index->entry_count = 0;
	memset(index->touched, 0, sizeof(index->touched));
}

enum az_status
index_put(struct ledger *ledger, struct az_err *reterr)
{
	struct index *index = ledger->index;
	struct kv_writer *writer = NULL;
	enum az_status status;

	if (index->entry_count == 0)
		return AZ_OK;
	status = kv_begin(index->kv, &writer, reterr);
	if (status == AZ_OK)
		status = put_refs(index, writer, reterr);
	for (uint32_t i = 0; i < LEDGER_LOGS_MAX && status == AZ_OK; i++) {
		if (index->touched[i])
			status = put_covered(ledger->logs[i], writer, ledger->logs[i]->tree.size,
			    ledger->logs[i]->entries_size, reterr);
	}
	if (status == AZ_OK)
		status = kv_commit(&writer, reterr);
	kv_abort(&writer);
	if (status != AZ_OK)
		return status;
	index_clear_noted(index);
	index->dirty = true;
	return AZ_OK;
}

enum az_status
index_sync(struct ledger *ledger, struct az_err *reterr)
{
	enum az_status status = AZ_OK;

	if (ledger->index->dirty)
		status = kv_sync(ledger->index->kv, reterr);
	if (status == AZ_OK)
		ledger->index->dirty = false;
	return status;
}

bool
index_is_full(const struct ledger *ledger)
{
	const struct index *index = ledger->index;

	return index->entry_count >= ENTRIES_MAX || index->ref_count >= REFS_MAX;
}

void
index_note(struct ledger *ledger, uint32_t log, uint64_t number, uint64_t offset,
    const struct ledger_read *read)
{
	struct index *index = ledger->index;

	if (!is_nobody(read->staff))
		index_ref_make(
		    log, PSEUDONYM_STAFF, read->staff, number, index->refs[index->ref_count++].key);
	if (!is_nobody(read->record))
		index_ref_make(log, PSEUDONYM_RECORD, read->record, number,
		    index->refs[index->ref_count++].key);
	if (number % INDEX_GROUP == 0) {
		struct index_place *place = &index->places[index->place_count++];

		index_place_make(log, number / INDEX_GROUP, place->key);
		place->offset = offset;
	}
	index->touched[log] = true;
	index->entry_count++;
}

/* --- opening --------------------------------------------------------------------------------- */

/* Removes the files of the index, and nothing else. */
static enum az_status
remove_files(int dirfd, struct az_err *reterr)
{
	int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	enum az_status status = AZ_OK;
	struct dirent *item;

	if (dir == NULL) {
		fd_close(&fd);
		return az_fail_errno(reterr, AZ_IO, errno, "ledger: cannot list its index");
	}
	while (status == AZ_OK && (item = readdir(dir)) != NULL) {
		if (item->d_name[0] != '.' && unlinkat(dirfd, item->d_name, 0) != 0)
			status =
			    az_fail_errno(reterr, AZ_IO, errno, "ledger: cannot empty its index");
	}
	(void)closedir(dir);
	return status;
}

static enum az_status
open_tables(struct index *index, struct az_err *reterr)
{
	static const char *const names[INDEX_TABLE_COUNT] = {"refs", "places", "covered"};
	enum az_status status =
	    kv_open(index->dirfd, names, INDEX_TABLE_COUNT, MAP_SIZE, false, &index->kv, reterr);

	return status == AZ_OK ? kv_reader_new(index->kv, &index->reader, reterr) : status;
}

static void
close_tables(struct index *index)
{
	kv_reader_free(&index->reader);
	kv_close(&index->kv);
}

/* How far a log is covered; the start if not at all. AZ_CORRUPT: by the index of another history. */
static enum az_status
read_covered(struct index *index, const struct log *log, uint64_t *ret_size, uint64_t *ret_offset,
    struct az_err *reterr)
{
	uint8_t key[4];
	uint8_t root[TREE_HASH_SIZE];
	struct bytes value;
	uint64_t size;
	enum az_status status;

	wire_store_u32be(key, log->id);
	status = kv_get(
	    index->reader, INDEX_TABLE_COVERED, bytes_make(key, sizeof(key)), &value, reterr);
	if (status == AZ_NOT_FOUND) {
		*ret_size = 0;
		*ret_offset = FILE_HEADER_SIZE;
		return AZ_OK;
	}
	if (status != AZ_OK)
		return status;
	size = value.size == COVERED_SIZE ? wire_load_u64(value.data) : UINT64_MAX;
	if (size > log->tree.size || wire_load_u64(value.data + 8) > log->entries_size)
		return az_fail(reterr, AZ_CORRUPT, "ledger: the index is ahead of log %u", log->id);
	status = log_root_at(log, size, root, reterr);
	if (status != AZ_OK)
		return status;
	if (!bytes_equal(
		bytes_make(root, sizeof(root)), bytes_make(value.data + 16, TREE_HASH_SIZE)))
		return az_fail(
		    reterr, AZ_CORRUPT, "ledger: the index is of another log %u", log->id);
	*ret_size = size;
	*ret_offset = wire_load_u64(value.data + 8);
	return AZ_OK;
}

/* Puts what was noted of one log, up to an entry that need not be its last. */
static enum az_status
put_part(struct ledger *ledger, const struct log *log, uint64_t size, uint64_t offset,
    struct az_err *reterr)
{
	struct index *index = ledger->index;
	struct kv_writer *writer = NULL;
	enum az_status status = kv_begin(index->kv, &writer, reterr);

	if (status == AZ_OK)
		status = put_refs(index, writer, reterr);
	if (status == AZ_OK)
		status = put_covered(log, writer, size, offset, reterr);
	if (status == AZ_OK)
		status = kv_commit(&writer, reterr);
	kv_abort(&writer);
	if (status == AZ_OK) {
		index_clear_noted(index);
		index->dirty = true;
	}
	return status;
}

enum az_status
index_take_entry(struct bytes bytes, uint32_t log, struct ledger_read *ret_entry, size_t *ret_size,
    struct az_err *reterr)
{
	size_t size = bytes.size < 2 ? 0 : wire_load_u16be(bytes.data);

	*ret_size = 0;
	if (size > LEDGER_ENTRY_MAX)
		return az_fail(
		    reterr, AZ_FORGED, "ledger: an entry of log %u has a wrong size", log);
	if (bytes.size < 2 || bytes.size < 2 + size)
		return AZ_OK;
	if (ledger_entry_decode(bytes_make(bytes.data + 2, size), log, ret_entry) != AZ_OK)
		return az_fail(
		    reterr, AZ_FORGED, "ledger: an entry of log %u is not in its format", log);
	*ret_size = 2 + size;
	return AZ_OK;
}

struct follow_log {
	struct ledger *ledger;
	const struct log *log;
};

static enum az_status
note_followed(void *arg, const struct ledger_place *at, size_t size, const struct ledger_read *read,
    struct az_err *reterr)
{
	const struct follow_log *follow = arg;

	index_note(follow->ledger, follow->log->id, at->index, at->offset, read);
	if (!index_is_full(follow->ledger))
		return AZ_OK;
	return put_part(follow->ledger, follow->log, at->index + 1, at->offset + size, reterr);
}

/* Reads a log on from where the index ends. Its files are whole and written. */
static enum az_status
follow_log(struct ledger *ledger, const struct log *log, struct az_err *reterr)
{
	struct index *index = ledger->index;
	struct follow_log follow = {.ledger = ledger, .log = log};
	struct ledger_place place = {0};
	struct ledger_place end = {.index = log->tree.size, .offset = log->entries_size};
	enum az_status status = read_covered(index, log, &place.index, &place.offset, reterr);

	if (status == AZ_OK)
		status = log_walk(log, &end, index->block, &place, note_followed, &follow, reterr);
	if (status == AZ_OK && index->entry_count > 0)
		status = put_part(ledger, log, place.index, place.offset, reterr);
	return status;
}

static enum az_status
follow_logs(struct ledger *ledger, struct az_err *reterr)
{
	enum az_status status = kv_reader_renew(ledger->index->reader, reterr);

	for (uint32_t i = 0; i < LEDGER_LOGS_MAX && status == AZ_OK; i++) {
		if (ledger->logs[i] != NULL)
			status = follow_log(ledger, ledger->logs[i], reterr);
	}
	kv_reader_rest(ledger->index->reader);
	return status;
}

/* Whether the index has a log that the ledger does not have. */
static enum az_status
check_logs(struct ledger *ledger, struct az_err *reterr)
{
	struct index *index = ledger->index;
	uint8_t first[4] = {0};
	struct bytes key, value;
	enum az_status status = kv_reader_renew(index->reader, reterr);

	if (status == AZ_OK)
		status = kv_seek(index->reader, INDEX_TABLE_COVERED,
		    bytes_make(first, sizeof(first)), &key, &value, reterr);
	while (status == AZ_OK) {
		uint32_t log = key.size == sizeof(first) ? wire_load_u32be(key.data) : UINT32_MAX;

		if (log >= LEDGER_LOGS_MAX || ledger->logs[log] == NULL)
			status =
			    az_fail(reterr, AZ_CORRUPT, "ledger: the index is of another ledger");
		else
			status = kv_next(index->reader, INDEX_TABLE_COVERED, &key, &value, reterr);
	}
	kv_reader_rest(index->reader);
	return status == AZ_NOT_FOUND ? AZ_OK : status;
}

static enum az_status
index_new(struct ledger *ledger, struct az_err *reterr)
{
	struct index *index = calloc(1, sizeof(*index));

	if (index == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "ledger: out of memory");
	index->dirfd = -1;
	ledger->index = index;
	index->refs = calloc(REFS_MAX + REFS_AN_ENTRY, sizeof(*index->refs));
	index->places = calloc(PLACES_MAX, sizeof(*index->places));
	if (index->refs == NULL || index->places == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "ledger: out of memory");
	return dir_open(ledger->config.dirfd, "index", true, 0700, &index->dirfd, reterr);
}

enum az_status
index_open(struct ledger *ledger, struct az_err *reterr)
{
	struct az_err err = {0};
	struct index *index;
	enum az_status status = index_new(ledger, reterr);

	if (status != AZ_OK)
		return status;
	index = ledger->index;
	status = open_tables(index, &err);
	if (status == AZ_OK)
		status = check_logs(ledger, &err);
	if (status == AZ_OK)
		status = follow_logs(ledger, &err);
	if (status == AZ_CORRUPT) {
		/* Not ours, or spoilt: nothing in it is worth keeping. */
		index_clear_noted(index);
		close_tables(index);
		status = remove_files(index->dirfd, &err);
		if (status == AZ_OK)
			status = open_tables(index, &err);
		if (status == AZ_OK)
			status = follow_logs(ledger, &err);
	}
	return status == AZ_OK ? AZ_OK : az_fail(reterr, status, "%s", err.text);
}

void
index_close(struct ledger *ledger)
{
	struct index *index = ledger->index;

	if (index == NULL)
		return;
	close_tables(index);
	fd_close(&index->dirfd);
	free(index->refs);
	free(index->places);
	free(index);
	ledger->index = NULL;
}
