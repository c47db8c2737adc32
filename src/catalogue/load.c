/*
 * Loading a run.
 *
 *   1. read it all: every block must open in its place, and the whole have the SHA-256 that was committed
 *   2. read it again, and put its rows, sorted, in transactions of a bounded size
 *   3. the mark that it is loaded goes into the last transaction; then the tables are flushed
 *
 * Nothing is put before step 1 has ended, so a forged run leaves no trace. What step 2 reads could have been
 * changed since step 1, so each block is opened and hashed again, and the mark is set only if the hash is right again.
 * A load that was cut off is repeated whole: the same rows give the same keys and values.
 */
#include <stdlib.h>
#include <string.h>

#include "base/wire.h"
#include "catalogue/catalogue_internal.h"

/* Rows of a transaction: large enough that sorted inserts share pages, small enough to hold. */
#define CHUNK_ROWS (196u * RUN_BLOCK_ROWS)

struct load {
	struct catalogue *catalogue;
	uint64_t consignment;
	int32_t as_of;
	struct catalogue_row *rows;
	size_t count;
};

static enum az_status
verify_run(struct run_reader *reader, const uint8_t sha256[SHA256_SIZE], struct az_err *reterr)
{
	enum az_status status = AZ_OK;

	while (status == AZ_OK && !reader->ended)
		status = run_reader_next(reader, reterr);
	return status == AZ_OK ? run_reader_check(reader, sha256, reterr) : status;
}

static int
by_record(const void *a, const void *b)
{
	const struct catalogue_row *one = a;
	const struct catalogue_row *two = b;

	if (one->record != two->record)
		return one->record < two->record ? -1 : 1;
	if (one->version != two->version)
		return one->version < two->version ? -1 : 1;
	return bytes_compare(bytes_make(one->digest, CATALOGUE_DIGEST_SIZE),
	    bytes_make(two->digest, CATALOGUE_DIGEST_SIZE));
}

static int
by_number(const void *a, const void *b)
{
	const struct catalogue_row *one = a;
	const struct catalogue_row *two = b;
	int order = bytes_compare(bytes_make(one->number, CATALOGUE_DIGEST_SIZE),
	    bytes_make(two->number, CATALOGUE_DIGEST_SIZE));

	return order != 0 ? order : by_record(a, b);
}

static enum az_status
put_entries(struct load *load, struct kv_writer *writer, struct az_err *reterr)
{
	enum az_status status = AZ_OK;

	qsort(load->rows, load->count, sizeof(*load->rows), by_record);
	for (size_t i = 0; i < load->count && status == AZ_OK; i++) {
		const struct catalogue_row *row = &load->rows[i];
		uint8_t key[ENTRY_KEY_SIZE];
		uint8_t value[ENTRY_VALUE_SIZE];

		entry_key(row->record, load->consignment, key);
		wire_store_u32(value, row->version);
		wire_store_u32(value + 4, (uint32_t)load->as_of);
		wire_store_u32(value + 8, row->flags);
		memcpy(value + 12, row->digest, CATALOGUE_DIGEST_SIZE);
		status = kv_put(writer, TABLE_ENTRIES, bytes_make(key, sizeof(key)),
		    bytes_make(value, sizeof(value)), reterr);
	}
	return status;
}

static enum az_status
put_numbers(struct load *load, struct kv_writer *writer, struct az_err *reterr)
{
	static const uint8_t none[CATALOGUE_DIGEST_SIZE];
	enum az_status status = AZ_OK;

	qsort(load->rows, load->count, sizeof(*load->rows), by_number);
	for (size_t i = 0; i < load->count && status == AZ_OK; i++) {
		struct bytes number = bytes_make(load->rows[i].number, CATALOGUE_DIGEST_SIZE);
		uint8_t value[NUMBER_SIZE];

		if (bytes_equal(number, bytes_make(none, sizeof(none))))
			continue;
		wire_store_u32(value, load->rows[i].record);
		status =
		    kv_put(writer, TABLE_NUMBERS, number, bytes_make(value, sizeof(value)), reterr);
	}
	return status;
}

/* One transaction. An entry and its number always share one: catalogue_drop relies on that. */
static enum az_status
put_chunk(struct load *load, bool last, struct az_err *reterr)
{
	uint8_t key[LOADED_KEY_SIZE];
	uint8_t value[LOADED_SIZE];
	struct kv_writer *writer = NULL;
	enum az_status status = kv_begin(load->catalogue->kv, &writer, reterr);

	if (status == AZ_OK)
		status = put_entries(load, writer, reterr);
	if (status == AZ_OK)
		status = put_numbers(load, writer, reterr);
	if (status == AZ_OK && last) {
		wire_store_u64be(key, load->consignment);
		wire_store_u32(value, (uint32_t)load->as_of);
		status = kv_put(writer, TABLE_LOADED, bytes_make(key, sizeof(key)),
		    bytes_make(value, sizeof(value)), reterr);
	}
	if (status == AZ_OK)
		status = kv_commit(&writer, reterr);
	kv_abort(&writer);
	load->count = 0;
	return status;
}

static enum az_status
put_run(struct load *load, struct run_reader *reader, const uint8_t sha256[SHA256_SIZE],
    struct az_err *reterr)
{
	enum az_status status = AZ_OK;

	while (status == AZ_OK && !reader->ended) {
		if (load->count + RUN_BLOCK_ROWS > CHUNK_ROWS)
			status = put_chunk(load, false, reterr);
		if (status == AZ_OK)
			status = run_reader_next(reader, reterr);
		for (size_t i = 0; i < reader->count && status == AZ_OK; i++)
			run_reader_row(reader, i, &load->rows[load->count++]);
	}
	if (status == AZ_OK)
		status = run_reader_check(reader, sha256, reterr);
	return status == AZ_OK ? put_chunk(load, true, reterr) : status;
}

enum az_status
catalogue_load(struct catalogue *catalogue, uint64_t consignment, int32_t as_of,
    const struct secret *key, const uint8_t sha256[32], struct az_err *reterr)
{
	struct load load = {.catalogue = catalogue, .consignment = consignment, .as_of = as_of};
	struct run_reader *reader = NULL;
	enum az_status status;

	if (catalogue_is_loaded(catalogue, consignment))
		return AZ_OK;
	status = run_reader_new(catalogue, consignment, key, &reader, reterr);
	if (status == AZ_OK)
		status = verify_run(reader, sha256, reterr);
	if (status != AZ_OK)
		goto out;
	load.rows = calloc(CHUNK_ROWS, sizeof(*load.rows));
	if (load.rows == NULL) {
		status = az_fail(reterr, AZ_NO_MEMORY, "catalogue: out of memory");
		goto out;
	}
	status = run_reader_rewind(reader, reterr);
	if (status == AZ_OK)
		status = put_run(&load, reader, sha256, reterr);
	if (status == AZ_OK)
		status = kv_sync(catalogue->kv, reterr);
	if (status != AZ_OK)
		goto out;
	(void)pthread_rwlock_wrlock(&catalogue->lock);
	status = loaded_add(&catalogue->loaded, consignment);
	(void)pthread_rwlock_unlock(&catalogue->lock);
	if (status != AZ_OK)
		status = az_fail(reterr, status, "catalogue: out of memory");
out:
	free(load.rows);
	run_reader_free(&reader);
	return status;
}
