/*
 * Forgetting a consignment.
 *
 * Its run cannot be read any more: its key is destroyed first. So the tables are searched, in rounds of a
 * bounded number of records:
 *
 *   1. the mark goes, so that no new reader sees any of it
 *   2. walk the entries and note the next records that are in it, and of each whether it is in no other
 *   3. walk the numbers and delete those of the records that are in no other
 *   4. delete the entries of the noted records
 *
 * Numbers go before entries, because the entries are how we know whose numbers have to go: a drop that was cut off
 * anywhere is repeated and finds the rest. An entry in a consignment that is still being loaded counts as well;
 * else its number would be missing later. The run file goes last: while it is there, catalogue_consignments
 * shows that something is left to do.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/wire.h"
#include "catalogue/catalogue_internal.h"

#define ROUND_RECORDS (1024u * 1024u)
#define BATCH_KEYS    20000u /* deleted in one transaction */

struct noted {
	uint32_t record;
	bool sole; /* in no other consignment */
};

struct drop {
	struct catalogue *catalogue;
	struct kv_reader *reader;
	uint64_t consignment;
	struct noted *noted; /* by ascending record */
	size_t count;
	uint8_t (*numbers)[CATALOGUE_DIGEST_SIZE];
	size_t number_count;
};

static enum az_status
unmark(struct catalogue *catalogue, uint64_t consignment, struct az_err *reterr)
{
	uint8_t key[LOADED_KEY_SIZE];
	struct kv_writer *writer = NULL;
	enum az_status status;

	/* The set first: a reader that has it in its set must have a snapshot that is still whole. */
	(void)pthread_rwlock_wrlock(&catalogue->lock);
	loaded_remove(&catalogue->loaded, consignment);
	(void)pthread_rwlock_unlock(&catalogue->lock);
	wire_store_u64be(key, consignment);
	status = kv_begin(catalogue->kv, &writer, reterr);
	if (status == AZ_OK)
		status = kv_delete(writer, TABLE_LOADED, bytes_make(key, sizeof(key)), reterr);
	if (status == AZ_OK)
		status = kv_commit(&writer, reterr);
	kv_abort(&writer);
	return status == AZ_NOT_FOUND ? AZ_OK : status;
}

/* Step 2: the next records from *from on. *ret_more: the walk stopped before the end, at *from. */
static enum az_status
note_records(struct drop *drop, uint32_t *from, bool *ret_more, struct az_err *reterr)
{
	uint8_t first[ENTRY_KEY_SIZE];
	struct bytes key, value;
	struct noted now = {.record = *from, .sole = true};
	bool in = false;
	enum az_status status = kv_reader_renew(drop->reader, reterr);

	drop->count = 0;
	*ret_more = false;
	entry_key(*from, 0, first);
	if (status == AZ_OK)
		status = kv_seek(drop->reader, TABLE_ENTRIES, bytes_make(first, sizeof(first)),
		    &key, &value, reterr);
	while (status == AZ_OK) {
		if (key.size != ENTRY_KEY_SIZE)
			return az_fail(
			    reterr, AZ_CORRUPT, "catalogue: an entry is not in its format");
		if (wire_load_u32be(key.data) != now.record) {
			if (in)
				drop->noted[drop->count++] = now;
			now = (struct noted){.record = wire_load_u32be(key.data), .sole = true};
			in = false;
			if (drop->count == ROUND_RECORDS) {
				*from = now.record;
				*ret_more = true;
				break;
			}
		}
		if (wire_load_u64be(key.data + 4) == drop->consignment)
			in = true;
		else
			now.sole = false;
		status = kv_next(drop->reader, TABLE_ENTRIES, &key, &value, reterr);
	}
	kv_reader_rest(drop->reader);
	if (status == AZ_NOT_FOUND && in)
		drop->noted[drop->count++] = now;
	return status == AZ_NOT_FOUND ? AZ_OK : status;
}

static int
compare_noted(const void *key, const void *item)
{
	uint32_t record = *(const uint32_t *)key;
	const struct noted *noted = item;

	return record < noted->record ? -1 : record > noted->record;
}

static bool
is_sole(const struct drop *drop, uint32_t record)
{
	const struct noted *noted =
	    bsearch(&record, drop->noted, drop->count, sizeof(*drop->noted), compare_noted);

	return noted != NULL && noted->sole;
}

/* Collects the next numbers to delete after *from, which is moved on; *ret_more: there may be others. */
static enum az_status
collect_numbers(
    struct drop *drop, uint8_t from[CATALOGUE_DIGEST_SIZE], bool *ret_more, struct az_err *reterr)
{
	struct bytes key, value;
	enum az_status status = kv_reader_renew(drop->reader, reterr);

	drop->number_count = 0;
	*ret_more = false;
	if (status == AZ_OK)
		status = kv_seek(drop->reader, TABLE_NUMBERS,
		    bytes_make(from, CATALOGUE_DIGEST_SIZE), &key, &value, reterr);
	while (status == AZ_OK) {
		if (key.size != CATALOGUE_DIGEST_SIZE || value.size != NUMBER_SIZE)
			return az_fail(
			    reterr, AZ_CORRUPT, "catalogue: a number is not in its format");
		if (drop->number_count == BATCH_KEYS) {
			memcpy(from, key.data, CATALOGUE_DIGEST_SIZE);
			*ret_more = true;
			break;
		}
		if (is_sole(drop, wire_load_u32(value.data)))
			memcpy(
			    drop->numbers[drop->number_count++], key.data, CATALOGUE_DIGEST_SIZE);
		status = kv_next(drop->reader, TABLE_NUMBERS, &key, &value, reterr);
	}
	kv_reader_rest(drop->reader);
	return status == AZ_NOT_FOUND ? AZ_OK : status;
}

/* Step 3. */
static enum az_status
delete_numbers(struct drop *drop, struct az_err *reterr)
{
	uint8_t from[CATALOGUE_DIGEST_SIZE] = {0};
	bool more = true;
	enum az_status status = AZ_OK;

	while (more && status == AZ_OK) {
		struct kv_writer *writer = NULL;

		status = collect_numbers(drop, from, &more, reterr);
		if (status == AZ_OK && drop->number_count > 0)
			status = kv_begin(drop->catalogue->kv, &writer, reterr);
		for (size_t i = 0; i < drop->number_count && status == AZ_OK; i++)
			status = kv_delete(writer, TABLE_NUMBERS,
			    bytes_make(drop->numbers[i], CATALOGUE_DIGEST_SIZE), reterr);
		if (status == AZ_OK && writer != NULL)
			status = kv_commit(&writer, reterr);
		kv_abort(&writer);
	}
	return status;
}

/* Step 4. */
static enum az_status
delete_entries(struct drop *drop, struct az_err *reterr)
{
	enum az_status status = AZ_OK;
	size_t at = 0;

	while (at < drop->count && status == AZ_OK) {
		size_t end = drop->count - at < BATCH_KEYS ? drop->count : at + BATCH_KEYS;
		struct kv_writer *writer = NULL;

		status = kv_begin(drop->catalogue->kv, &writer, reterr);
		for (; at < end && status == AZ_OK; at++) {
			uint8_t key[ENTRY_KEY_SIZE];

			entry_key(drop->noted[at].record, drop->consignment, key);
			status =
			    kv_delete(writer, TABLE_ENTRIES, bytes_make(key, sizeof(key)), reterr);
		}
		if (status == AZ_OK)
			status = kv_commit(&writer, reterr);
		kv_abort(&writer);
	}
	return status;
}

enum az_status
catalogue_run_remove(struct catalogue *catalogue, uint64_t consignment, struct az_err *reterr)
{
	char name[RUN_NAME_SIZE];

	run_name(consignment, name);
	if (unlinkat(catalogue->dirfd, name, 0) != 0 && errno != ENOENT)
		return az_fail_errno(reterr, AZ_IO, errno, "catalogue: cannot remove %s", name);
	if (fsync(catalogue->dirfd) != 0)
		return az_fail_errno(reterr, AZ_IO, errno, "catalogue: cannot flush its folder");
	return AZ_OK;
}

enum az_status
catalogue_drop(struct catalogue *catalogue, uint64_t consignment, struct az_err *reterr)
{
	struct drop drop = {.catalogue = catalogue, .consignment = consignment};
	struct az_err err = {0};
	uint32_t from = 0;
	bool more = true;
	enum az_status status;

	drop.noted = calloc(ROUND_RECORDS, sizeof(*drop.noted));
	drop.numbers = calloc(BATCH_KEYS, sizeof(*drop.numbers));
	if (drop.noted == NULL || drop.numbers == NULL) {
		status = az_fail(&err, AZ_NO_MEMORY, "catalogue: out of memory");
		goto out;
	}
	status = kv_reader_new(catalogue->kv, &drop.reader, &err);
	if (status == AZ_OK)
		status = unmark(catalogue, consignment, &err);
	while (more && status == AZ_OK) {
		status = note_records(&drop, &from, &more, &err);
		if (status == AZ_OK && drop.count > 0)
			status = delete_numbers(&drop, &err);
		if (status == AZ_OK)
			status = delete_entries(&drop, &err);
	}
	if (status == AZ_OK)
		status = kv_sync(catalogue->kv, &err);
	if (status == AZ_OK)
		status = catalogue_run_remove(catalogue, consignment, &err);
out:
	if (status != AZ_OK)
		status = az_fail(reterr, status, "%s", err.text);
	kv_reader_free(&drop.reader);
	free(drop.noted);
	free(drop.numbers);
	return status;
}
