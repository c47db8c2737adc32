/*
 * Asking the query index (index.c). It only names places: what it answers is read from the log's own files,
 * must have the log's stored leaf hash, and must be of the one who was asked for.
 */
#include <stdlib.h>
#include <string.h>

#include "base/wire.h"
#include "ledger/ledger_internal.h"

/* Walks to an entry from the start of its group; the bytes lie in block, which holds have of them. */
static enum az_status
walk(const uint8_t *block, size_t have, uint32_t log, unsigned int steps,
    struct ledger_read *ret_entry, struct bytes *ret_bytes, struct az_err *reterr)
{
	size_t at = 0;

	for (unsigned int i = 0;; i++) {
		size_t size = 0;
		enum az_status status = index_take_entry(
		    bytes_make(block + at, have - at), log, ret_entry, &size, reterr);

		if (status != AZ_OK)
			return status;
		if (size == 0)
			return az_fail(reterr, AZ_FORGED, "ledger: log %u is cut short", log);
		if (i == steps) {
			*ret_bytes = bytes_make(block + at + 2, size - 2);
			return AZ_OK;
		}
		at += size;
	}
}

/* Under files_lock. The entry is written and place is where its group begins. */
static enum az_status
read_stored(const struct log *log, uint64_t number, uint64_t place, uint8_t *block,
    struct ledger_read *ret_entry, struct az_err *reterr)
{
	uint64_t end = log->entries_size - log->pending.size;
	size_t have;
	uint8_t stored[TREE_HASH_SIZE], leaf[TREE_HASH_SIZE];
	struct ledger_read entry;
	struct bytes bytes;
	enum az_status status;

	if (place >= end)
		return az_fail(reterr, AZ_CORRUPT, "ledger: the index is ahead of log %u", log->id);
	have = end - place < INDEX_READ_SIZE ? (size_t)(end - place) : INDEX_READ_SIZE;
	status = file_read_at(log->entries, block, have, place, reterr);
	if (status == AZ_OK)
		status = walk(block, have, log->id, (unsigned int)(number % INDEX_GROUP), &entry,
		    &bytes, reterr);
	if (status == AZ_OK)
		status = log_read_hashes(log, 0, number, 1, stored, reterr);
	if (status != AZ_OK)
		return status;
	tree_leaf(bytes, leaf);
	if (!bytes_equal(bytes_make(leaf, sizeof(leaf)), bytes_make(stored, sizeof(stored))))
		return az_fail(reterr, AZ_FORGED,
		    "ledger: entry %llu of log %u is not the one that was written",
		    (unsigned long long)number, log->id);
	*ret_entry = entry;
	return AZ_OK;
}

enum az_status
ledger_bundle_offset(struct ledger *ledger, uint32_t number, uint64_t entry_index,
    uint64_t *ret_offset, struct az_err *reterr)
{
	struct index *index = ledger->index;
	uint8_t key[INDEX_PLACE_KEY_SIZE];
	struct bytes value;
	enum az_status status;

	index_place_make(number, entry_index / INDEX_GROUP, key);
	status = kv_reader_renew(index->reader, reterr);
	if (status == AZ_OK)
		status = kv_get(index->reader, INDEX_TABLE_PLACES, bytes_make(key, sizeof(key)),
		    &value, reterr);
	if (status == AZ_OK && value.size != INDEX_PLACE_SIZE)
		status = az_fail(reterr, AZ_CORRUPT, "ledger: the index is not in its format");
	if (status == AZ_OK)
		*ret_offset = wire_load_u64(value.data);
	kv_reader_rest(index->reader);
	return status;
}

enum az_status
ledger_entry_at(struct ledger *ledger, uint32_t number, uint64_t entry_index,
    struct ledger_read *ret_entry, struct az_err *reterr)
{
	uint8_t *block = malloc(INDEX_READ_SIZE);
	uint64_t place = 0;
	const struct log *log;
	enum az_status status;

	if (block == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "ledger: out of memory");
	status = ledger_bundle_offset(ledger, number, entry_index, &place, reterr);
	if (status != AZ_OK || number >= LEDGER_LOGS_MAX)
		goto out;
	(void)pthread_mutex_lock(&ledger->files_lock);
	log = ledger->logs[number];
	if (log == NULL ||
	    entry_index >= log->hash_counts[0] - log->pending_hashes[0].size / TREE_HASH_SIZE)
		status = AZ_NOT_FOUND;
	else
		status = read_stored(log, entry_index, place, block, ret_entry, reterr);
	(void)pthread_mutex_unlock(&ledger->files_lock);
out:
	free(block);
	if (status == AZ_NOT_FOUND)
		return az_fail(reterr, AZ_NOT_FOUND, "ledger: log %u has no entry %llu", number,
		    (unsigned long long)entry_index);
	return status;
}

enum az_status
pseudonyms_identify(struct pseudonyms *pseudonyms, const struct ledger_read *entry,
    uint32_t *ret_staff, uint32_t *ret_record)
{
	static const uint8_t none[PSEUDONYM_SIZE];
	struct bytes nobody = bytes_make(none, sizeof(none));
	uint32_t staff = 0;
	uint32_t record = 0;
	enum az_status status = AZ_OK;

	if (!bytes_equal(bytes_make(entry->staff, PSEUDONYM_SIZE), nobody))
		status = pseudonym_open(pseudonyms, PSEUDONYM_STAFF, entry->staff, &staff);
	if (status == AZ_OK && !bytes_equal(bytes_make(entry->record, PSEUDONYM_SIZE), nobody))
		status = pseudonym_open(pseudonyms, PSEUDONYM_RECORD, entry->record, &record);
	if (status != AZ_OK)
		return status;
	*ret_staff = staff;
	*ret_record = record;
	return AZ_OK;
}

enum az_status
ledger_identify(const struct ledger *ledger, uint32_t log, const struct ledger_read *entry,
    uint32_t *ret_staff, uint32_t *ret_record, struct az_err *reterr)
{
	struct pseudonyms *pseudonyms = NULL;
	enum az_status status = ledger_pseudonyms(ledger, log, &pseudonyms, reterr);

	if (status == AZ_OK)
		status = pseudonyms_identify(pseudonyms, entry, ret_staff, ret_record);
	pseudonyms_free(&pseudonyms);
	if (status != AZ_OK)
		return az_fail(reterr, status, "ledger: a pseudonym of log %u does not open", log);
	return AZ_OK;
}

/* The last reference below before of who key is about; key becomes it. AZ_NOT_FOUND. */
static enum az_status
find_before(struct index *index, uint8_t key[INDEX_REF_SIZE], uint64_t before, uint64_t *ret_number,
    struct az_err *reterr)
{
	struct bytes found = {0};
	struct bytes value;
	enum az_status status;

	if (before == 0)
		return AZ_NOT_FOUND;
	wire_store_u64be(key + INDEX_REF_SIZE - 8, before - 1);
	status = kv_reader_renew(index->reader, reterr);
	if (status == AZ_OK)
		status = kv_seek_back(index->reader, INDEX_TABLE_REFS,
		    bytes_make(key, INDEX_REF_SIZE), &found, &value, reterr);
	if (status == AZ_OK &&
	    (found.size != INDEX_REF_SIZE ||
		!bytes_equal(bytes_make(found.data, INDEX_REF_SIZE - 8),
		    bytes_make(key, INDEX_REF_SIZE - 8))))
		status = AZ_NOT_FOUND;
	if (status == AZ_OK)
		*ret_number = wire_load_u64be(found.data + INDEX_REF_SIZE - 8);
	kv_reader_rest(index->reader);
	return status;
}

enum az_status
ledger_query(struct ledger *ledger, uint32_t log, enum pseudonym_kind kind, uint32_t id,
    uint64_t before, size_t max,
    bool (*visit)(void *arg, uint64_t index, const struct ledger_read *entry), void *arg,
    struct az_err *reterr)
{
	uint8_t pseudonym[PSEUDONYM_SIZE];
	uint8_t key[INDEX_REF_SIZE];
	struct pseudonyms *pseudonyms = NULL;
	enum az_status status;

	if (log >= LEDGER_LOGS_MAX || id == 0 ||
	    (kind != PSEUDONYM_STAFF && kind != PSEUDONYM_RECORD))
		return az_fail(reterr, AZ_INVALID, "ledger: no log has such entries");
	status = ledger_pseudonyms(ledger, log, &pseudonyms, reterr);
	if (status != AZ_OK)
		return status;
	pseudonym_make(pseudonyms, kind, id, pseudonym);
	pseudonyms_free(&pseudonyms);
	index_ref_make(log, kind, pseudonym, 0, key);
	for (size_t i = 0; i < max; i++) {
		struct ledger_read entry;
		struct az_err err = {0};

		status = find_before(ledger->index, key, before, &before, &err);
		if (status == AZ_NOT_FOUND)
			return AZ_OK;
		if (status != AZ_OK)
			return az_fail(reterr, status, "%s", err.text);
		status = ledger_entry_at(ledger, log, before, &entry, reterr);
		if (status != AZ_OK)
			return status;
		if (!bytes_equal(bytes_make(kind == PSEUDONYM_STAFF ? entry.staff : entry.record,
				     PSEUDONYM_SIZE),
			bytes_make(pseudonym, PSEUDONYM_SIZE)))
			return az_fail(reterr, AZ_CORRUPT,
			    "ledger: the index names entry %llu of log %u, which is about another",
			    (unsigned long long)before, log);
		if (!visit(arg, before, &entry))
			break;
	}
	return AZ_OK;
}
