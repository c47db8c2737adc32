/*
 * Loading a run.
 *
 *   1. read it all: every block must open in its place, and the whole have the SHA-256 that was committed
 *   2. read it again, and put its entries, sorted by record, in transactions of a bounded size; its numbers
 *      are thrown into buckets by their first bits
 *   3. put the numbers bucket by bucket, sorted, so that each page of the table is written once for the list
 *      and not once for each transaction; those that are there stay untouched
 *   4. the mark that it is loaded goes into the last transaction; then the tables are flushed
 *
 * Nothing is put before step 1 has ended, so a forged run leaves no trace. What step 2 reads could have been
 * changed since step 1, so each block is opened and hashed again, and the mark is set only if the hash is right again.
 * A load that was cut off is repeated whole: the same rows give the same keys and values. Entries come before
 * numbers, since catalogue_drop finds the numbers of an unfinished load by its entries.
 */
#include <stdlib.h>
#include <string.h>

#include "base/sort.h"
#include "base/wire.h"
#include "catalogue/catalogue_internal.h"
#include "crypto/spill.h"

/* Rows of a transaction: large enough that sorted inserts share pages, small enough to hold. */
#define CHUNK_ROWS (196u * RUN_BLOCK_ROWS)

#define NUMBERS_PUT   100000u /* in a transaction, about */
#define BUCKET_BITS   6u
#define BUCKETS       (1u << BUCKET_BITS)
#define NUMBERED_SIZE (CATALOGUE_DIGEST_SIZE + 4u) /* number, record u32be */
#define BUCKET_MAX    (1024u * 1024u * 1024u)
#define NUMBER_PREFIX 4u /* bytes that all numbers of a list share: of the client (number_digest) */

struct load {
	struct catalogue *catalogue;
	uint64_t consignment;
	int32_t as_of;
	struct catalogue_row *rows;
	size_t count;
	bool appends;         /* entries still come behind all others of the table */
	bool appends_numbers; /* and numbers, of a client that is newer than the others */
	struct spill *numbers;
};

static enum az_status
verify_run(struct run_reader *reader, const uint8_t sha256[SHA256_SIZE], struct az_err *reterr)
{
	enum az_status status = AZ_OK;

	while (status == AZ_OK && !run_reader_ended(reader))
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

static bool
are_sorted(const struct load *load)
{
	for (size_t i = 1; i < load->count; i++) {
		if (load->rows[i - 1].record >= load->rows[i].record)
			return false;
	}
	return true;
}

/* An entry behind all others is appended, which is cheaper and fills the pages. */
static enum az_status
put_entry(struct load *load, struct kv_writer *writer, struct bytes key, struct bytes value,
    struct az_err *reterr)
{
	enum az_status status = AZ_CONFLICT;

	if (load->appends)
		status = kv_append(writer, TABLE_ENTRIES, key, value, NULL);
	load->appends = status == AZ_OK;
	if (status == AZ_OK)
		return AZ_OK;
	return kv_put(writer, TABLE_ENTRIES, key, value, reterr);
}

static enum az_status
put_entries(struct load *load, struct kv_writer *writer, struct az_err *reterr)
{
	enum az_status status = AZ_OK;

	if (!are_sorted(load))
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
		status = put_entry(load, writer, bytes_make(key, sizeof(key)),
		    bytes_make(value, sizeof(value)), reterr);
	}
	return status;
}

/* Notes the numbers of the rows at hand. */
static enum az_status
note_numbers(struct load *load, struct az_err *reterr)
{
	static const uint8_t none[CATALOGUE_DIGEST_SIZE];
	enum az_status status = AZ_OK;

	for (size_t i = 0; i < load->count && status == AZ_OK; i++) {
		const struct catalogue_row *row = &load->rows[i];
		struct bytes number = bytes_make(row->number, CATALOGUE_DIGEST_SIZE);
		uint8_t numbered[NUMBERED_SIZE];

		if (bytes_equal(number, bytes_make(none, sizeof(none))))
			continue;
		memcpy(numbered, row->number, CATALOGUE_DIGEST_SIZE);
		wire_store_u32be(numbered + CATALOGUE_DIGEST_SIZE, row->record);
		status = spill_add(load->numbers, row->number[NUMBER_PREFIX] >> (8 - BUCKET_BITS),
		    bytes_make(numbered, sizeof(numbered)), reterr);
	}
	return status;
}

/* One transaction of entries. */
static enum az_status
put_chunk(struct load *load, struct az_err *reterr)
{
	struct kv_writer *writer = NULL;
	enum az_status status = kv_begin(load->catalogue->kv, &writer, reterr);

	if (status == AZ_OK)
		status = put_entries(load, writer, reterr);
	if (status == AZ_OK)
		status = kv_commit(&writer, reterr);
	kv_abort(&writer);
	if (status == AZ_OK)
		status = note_numbers(load, reterr);
	load->count = 0;
	return status;
}

static enum az_status
put_run(struct load *load, struct run_reader *reader, const uint8_t sha256[SHA256_SIZE],
    struct az_err *reterr)
{
	enum az_status status = AZ_OK;

	while (status == AZ_OK && !run_reader_ended(reader)) {
		if (load->count + RUN_BLOCK_ROWS > CHUNK_ROWS)
			status = put_chunk(load, reterr);
		if (status == AZ_OK)
			status = run_reader_next(reader, reterr);
		for (size_t i = 0; i < reader->count && status == AZ_OK; i++)
			run_reader_row(reader, i, &load->rows[load->count++]);
	}
	if (status == AZ_OK)
		status = run_reader_check(reader, sha256, reterr);
	return status == AZ_OK ? put_chunk(load, reterr) : status;
}

/* --- numbers ---------------------------------------------------------------------------------- */

/*
 * Puts the number of a record. Nearly all people of a list that comes again have theirs: then nothing is written.
 */
static enum az_status
put_number(
    struct load *load, struct kv_writer *writer, const uint8_t *numbered, struct az_err *reterr)
{
	struct bytes number = bytes_make(numbered, CATALOGUE_DIGEST_SIZE);
	uint8_t value[NUMBER_SIZE];
	struct bytes known;
	enum az_status status;

	wire_store_u32(value, wire_load_u32be(numbered + CATALOGUE_DIGEST_SIZE));
	if (load->appends_numbers &&
	    kv_append(writer, TABLE_NUMBERS, number, bytes_make(value, sizeof(value)), NULL) ==
		AZ_OK)
		return AZ_OK;
	load->appends_numbers = false;
	status = kv_put_new(
	    writer, TABLE_NUMBERS, number, bytes_make(value, sizeof(value)), &known, reterr);
	if (status != AZ_CONFLICT)
		return status;
	if (bytes_equal(known, bytes_make(value, sizeof(value))))
		return AZ_OK;
	return kv_put(writer, TABLE_NUMBERS, number, bytes_make(value, sizeof(value)), reterr);
}

/* The numbers of a bucket, sorted. Buckets share a transaction until it is large: each costs a flush. */
static enum az_status
put_bucket(struct load *load, const uint8_t *numbers, size_t count, struct kv_writer **writer,
    size_t *puts, struct az_err *reterr)
{
	enum az_status status =
	    *writer != NULL ? AZ_OK : kv_begin(load->catalogue->kv, writer, reterr);

	for (size_t i = 0; i < count && status == AZ_OK; i++)
		status = put_number(load, *writer, numbers + i * NUMBERED_SIZE, reterr);
	*puts += count;
	if (status == AZ_OK && *puts >= NUMBERS_PUT) {
		*puts = 0;
		status = kv_commit(writer, reterr);
	}
	return status;
}

static enum az_status
put_all_numbers(struct load *load, struct az_err *reterr)
{
	struct kv_writer *writer = NULL;
	struct buffer numbers;
	struct buffer scratch;
	size_t puts = 0;
	enum az_status status = AZ_OK;

	buffer_init(&numbers, BUCKET_MAX, false);
	buffer_init(&scratch, BUCKET_MAX, false);
	for (size_t bucket = 0; bucket < BUCKETS && status == AZ_OK; bucket++) {
		size_t count;

		buffer_clear(&numbers);
		status = spill_take(load->numbers, bucket, &numbers, reterr);
		if (status == AZ_OK && buffer_reserve(&scratch, numbers.size) != AZ_OK)
			status = az_fail(reterr, AZ_NO_MEMORY, "catalogue: out of memory");
		count = numbers.size / NUMBERED_SIZE;
		if (status != AZ_OK || count == 0)
			continue;
		/* What all of them share would only cost time. */
		sort_entries(numbers.data, scratch.data, count, NUMBERED_SIZE, 32);
		status = put_bucket(load, numbers.data, count, &writer, &puts, reterr);
	}
	if (status == AZ_OK && writer != NULL)
		status = kv_commit(&writer, reterr);
	kv_abort(&writer);
	buffer_fini(&numbers);
	buffer_fini(&scratch);
	return status;
}

/* --- the whole -------------------------------------------------------------------------------- */

static enum az_status
mark_loaded(const struct load *load, struct az_err *reterr)
{
	uint8_t key[LOADED_KEY_SIZE];
	uint8_t value[LOADED_SIZE];
	struct kv_writer *writer = NULL;
	enum az_status status = kv_begin(load->catalogue->kv, &writer, reterr);

	wire_store_u64be(key, load->consignment);
	wire_store_u32(value, (uint32_t)load->as_of);
	if (status == AZ_OK)
		status = kv_put(writer, TABLE_LOADED, bytes_make(key, sizeof(key)),
		    bytes_make(value, sizeof(value)), reterr);
	if (status == AZ_OK)
		status = kv_commit(&writer, reterr);
	kv_abort(&writer);
	return status == AZ_OK ? kv_sync(load->catalogue->kv, reterr) : status;
}

static enum az_status
put_all(struct load *load, struct run_reader *reader, const uint8_t sha256[SHA256_SIZE],
    struct az_err *reterr)
{
	enum az_status status = AZ_OK;

	load->appends = true;
	load->appends_numbers = true;
	load->rows = calloc(CHUNK_ROWS, sizeof(*load->rows));
	if (load->rows == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "catalogue: out of memory");
	status = spill_new(load->catalogue->dirfd, BUCKETS, &load->numbers, reterr);
	if (status == AZ_OK)
		status = run_reader_rewind(reader, reterr);
	if (status == AZ_OK)
		status = put_run(load, reader, sha256, reterr);
	free(load->rows);
	load->rows = NULL;
	if (status == AZ_OK)
		status = put_all_numbers(load, reterr);
	spill_free(&load->numbers);
	return status == AZ_OK ? mark_loaded(load, reterr) : status;
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
	if (status == AZ_OK)
		status = put_all(&load, reader, sha256, reterr);
	run_reader_free(&reader);
	if (status != AZ_OK)
		return status;
	(void)pthread_rwlock_wrlock(&catalogue->lock);
	status = loaded_add(&catalogue->loaded, consignment);
	(void)pthread_rwlock_unlock(&catalogue->lock);
	if (status != AZ_OK)
		status = az_fail(reterr, status, "catalogue: out of memory");
	return status;
}
