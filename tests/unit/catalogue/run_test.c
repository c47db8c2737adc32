/*
 * I4 and I6 on run files: what was changed, cut, moved or swapped is refused, and leaves no trace. Where a test
 * is about the seal and not about the SHA-256, it gives the changed file's own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "crypto/hash.h"
#include "crypto/seal.h"
#include "shelf.h"

#define ROWS       1300u /* two full blocks and a last one */
#define BLOCK      (4 + 512 * 44 + SEAL_OVERHEAD)
#define LAST_BLOCK (FILE_HEADER_SIZE + 2 * BLOCK)

/* The whole of a run file, and its SHA-256. */
static void
read_run(struct shelf *shelf, uint64_t consignment, struct buffer *buffer, uint8_t digest[32])
{
	char name[24];

	(void)snprintf(name, sizeof(name), "run-%016llx", (unsigned long long)consignment);
	buffer_init(buffer, 1024 * 1024, false);
	assert_int_equal(file_read_whole(shelf->dirfd, name, buffer, NULL), AZ_OK);
	sha256(buffer_peek(buffer), digest);
}

static void
write_run(struct shelf *shelf, uint64_t consignment, struct bytes bytes, uint8_t digest[32])
{
	char name[24];

	(void)snprintf(name, sizeof(name), "run-%016llx", (unsigned long long)consignment);
	assert_int_equal(file_replace(shelf->dirfd, name, bytes, 0600, NULL), AZ_OK);
	sha256(bytes, digest);
}

static void
assert_nothing_loaded(struct shelf *shelf, uint64_t consignment)
{
	assert_false(catalogue_is_loaded(shelf->catalogue, consignment));
	for (uint32_t record = 0; record < 100 + ROWS; record += 37) {
		assert_int_equal(shelf_entries(shelf, record, NULL), 0);
		assert_false(shelf_has_number(shelf, record));
	}
}

static void
a_flipped_byte_anywhere_is_refused_by_the_hash(void **state)
{
	struct shelf shelf;
	uint8_t digest[32];

	(void)state;
	shelf_make(&shelf);
	shelf_write(&shelf, 7, 100, ROWS, 1, digest);
	for (long at = 0; at < shelf_run_size(&shelf, 7); at += at < 100 ? 1 : 1009) {
		shelf_flip(&shelf, 7, at);
		assert_int_equal(shelf_try(&shelf, 7, digest), AZ_FORGED);
		shelf_flip(&shelf, 7, at);
	}
	assert_nothing_loaded(&shelf, 7);
	assert_int_equal(shelf_try(&shelf, 7, digest), AZ_OK);
	shelf_remove(&shelf);
}

static void
a_flipped_byte_in_each_region_is_refused_by_the_seal(void **state)
{
	static const long places[] = {
	    0,                            /* magic */
	    8,                            /* format */
	    12,                           /* reserved */
	    20,                           /* house id */
	    FILE_HEADER_SIZE,             /* size of the first block */
	    FILE_HEADER_SIZE + 4,         /* its nonce */
	    FILE_HEADER_SIZE + 40,        /* its rows */
	    FILE_HEADER_SIZE + BLOCK - 1, /* its tag */
	    LAST_BLOCK,
	    LAST_BLOCK + 5,
	    LAST_BLOCK + 60,
	};
	struct shelf shelf;
	struct buffer run;
	uint8_t digest[32];

	(void)state;
	shelf_make(&shelf);
	shelf_write(&shelf, 7, 100, ROWS, 1, digest);
	for (size_t i = 0; i < AZ_ARRAY_SIZE(places); i++) {
		shelf_flip(&shelf, 7, places[i]);
		read_run(&shelf, 7, &run, digest);
		assert_int_equal(shelf_try(&shelf, 7, digest), AZ_FORGED);
		buffer_fini(&run);
		shelf_flip(&shelf, 7, places[i]);
	}
	assert_nothing_loaded(&shelf, 7);
	shelf_remove(&shelf);
}

static void
a_run_cut_anywhere_is_refused(void **state)
{
	static const size_t sizes[] = {0, 5, FILE_HEADER_SIZE, FILE_HEADER_SIZE + 2,
	    FILE_HEADER_SIZE + 100, FILE_HEADER_SIZE + BLOCK, FILE_HEADER_SIZE + BLOCK + 4,
	    LAST_BLOCK - 1, LAST_BLOCK, LAST_BLOCK + 30};
	struct shelf shelf;
	struct buffer run;
	uint8_t digest[32];

	(void)state;
	shelf_make(&shelf);
	shelf_write(&shelf, 7, 100, ROWS, 1, digest);
	read_run(&shelf, 7, &run, digest);
	for (size_t i = 0; i < AZ_ARRAY_SIZE(sizes); i++) {
		write_run(&shelf, 7, bytes_make(run.data, sizes[i]), digest);
		assert_int_equal(shelf_try(&shelf, 7, digest), AZ_FORGED);
	}
	assert_nothing_loaded(&shelf, 7);
	buffer_fini(&run);
	shelf_remove(&shelf);
}

static void
a_run_with_something_behind_it_is_refused(void **state)
{
	struct shelf shelf;
	struct buffer run;
	uint8_t digest[32];

	(void)state;
	shelf_make(&shelf);
	shelf_write(&shelf, 7, 100, ROWS, 1, digest);
	read_run(&shelf, 7, &run, digest);
	assert_int_equal(buffer_append(&run, bytes_of("x")), AZ_OK);
	write_run(&shelf, 7, buffer_peek(&run), digest);
	assert_int_equal(shelf_try(&shelf, 7, digest), AZ_FORGED);
	/* A whole block that was there before, once more. */
	run.size--;
	assert_int_equal(buffer_reserve(&run, BLOCK), AZ_OK);
	memcpy(run.data + run.size, run.data + FILE_HEADER_SIZE, BLOCK);
	run.size += BLOCK;
	write_run(&shelf, 7, buffer_peek(&run), digest);
	assert_int_equal(shelf_try(&shelf, 7, digest), AZ_FORGED);
	assert_nothing_loaded(&shelf, 7);
	buffer_fini(&run);
	shelf_remove(&shelf);
}

static void
swapped_doubled_and_missing_blocks_are_refused(void **state)
{
	static uint8_t first[BLOCK];
	static uint8_t second[BLOCK];
	struct shelf shelf;
	struct buffer run;
	uint8_t digest[32];

	(void)state;
	shelf_make(&shelf);
	shelf_write(&shelf, 7, 100, ROWS, 1, digest);
	read_run(&shelf, 7, &run, digest);
	memcpy(first, run.data + FILE_HEADER_SIZE, BLOCK);
	memcpy(second, run.data + FILE_HEADER_SIZE + BLOCK, BLOCK);
	memcpy(run.data + FILE_HEADER_SIZE, second, BLOCK);
	memcpy(run.data + FILE_HEADER_SIZE + BLOCK, first, BLOCK);
	write_run(&shelf, 7, buffer_peek(&run), digest);
	assert_int_equal(shelf_try(&shelf, 7, digest), AZ_FORGED);
	memcpy(run.data + FILE_HEADER_SIZE, first, BLOCK);
	write_run(&shelf, 7, buffer_peek(&run), digest);
	assert_int_equal(shelf_try(&shelf, 7, digest), AZ_FORGED);
	/* The first block gone; then the second, so that the last follows the first. */
	memmove(run.data + FILE_HEADER_SIZE + BLOCK, run.data + LAST_BLOCK, run.size - LAST_BLOCK);
	write_run(&shelf, 7, bytes_make(run.data, run.size - BLOCK), digest);
	assert_int_equal(shelf_try(&shelf, 7, digest), AZ_FORGED);
	assert_nothing_loaded(&shelf, 7);
	buffer_fini(&run);
	shelf_remove(&shelf);
}

static void
the_run_of_another_consignment_is_refused(void **state)
{
	struct shelf shelf;
	struct buffer run;
	uint8_t digest[32];

	(void)state;
	shelf_make(&shelf);
	shelf_write(&shelf, 7, 100, ROWS, 1, digest);
	read_run(&shelf, 7, &run, digest);
	write_run(&shelf, 8, buffer_peek(&run), digest);
	assert_int_equal(shelf_try(&shelf, 8, digest), AZ_FORGED);
	assert_nothing_loaded(&shelf, 8);
	buffer_fini(&run);
	shelf_remove(&shelf);
}

static void
the_run_of_another_house_is_refused(void **state)
{
	struct shelf shelf, other;
	struct buffer run;
	uint8_t digest[32];

	(void)state;
	shelf_make(&shelf);
	shelf_make(&other);
	shelf_close(&other);
	other.house[3] ^= 1;
	assert_int_equal(
	    catalogue_open(other.dirfd, other.house, true, &other.catalogue, NULL), AZ_FORGED);
	other.house[3] ^= 1;
	shelf_open(&other);
	shelf_write(&shelf, 7, 100, ROWS, 1, digest);
	read_run(&shelf, 7, &run, digest);
	/* Under our header its blocks do not open, under its own the header is refused. */
	run.data[20] ^= 1;
	write_run(&other, 7, buffer_peek(&run), digest);
	assert_int_equal(shelf_try(&other, 7, digest), AZ_FORGED);
	assert_nothing_loaded(&other, 7);
	buffer_fini(&run);
	shelf_remove(&shelf);
	shelf_remove(&other);
}

static void
another_key_or_hash_is_refused(void **state)
{
	struct shelf shelf;
	uint8_t digest[32];

	(void)state;
	shelf_make(&shelf);
	shelf_write(&shelf, 7, 100, ROWS, 1, digest);
	secret_data(shelf.key)[31] ^= 1;
	assert_int_equal(shelf_try(&shelf, 7, digest), AZ_FORGED);
	secret_data(shelf.key)[31] ^= 1;
	digest[31] ^= 1;
	assert_int_equal(shelf_try(&shelf, 7, digest), AZ_FORGED);
	digest[31] ^= 1;
	assert_nothing_loaded(&shelf, 7);
	assert_int_equal(shelf_try(&shelf, 8, digest), AZ_NOT_FOUND);
	assert_int_equal(shelf_try(&shelf, 7, digest), AZ_OK);
	shelf_remove(&shelf);
}

static void
an_older_run_of_the_same_consignment_is_refused(void **state)
{
	struct shelf shelf;
	struct buffer run;
	uint8_t older[32], digest[32];

	(void)state;
	shelf_make(&shelf);
	shelf_write(&shelf, 7, 100, ROWS, 1, older);
	read_run(&shelf, 7, &run, older);
	shelf_write(&shelf, 7, 100, ROWS, 2, digest);
	write_run(&shelf, 7, buffer_peek(&run), older);
	assert_int_equal(shelf_try(&shelf, 7, digest), AZ_FORGED);
	assert_nothing_loaded(&shelf, 7);
	buffer_fini(&run);
	shelf_remove(&shelf);
}

static void
a_run_shows_nothing_of_its_rows(void **state)
{
	struct shelf shelf;
	struct buffer run;
	uint8_t digest[32], number[CATALOGUE_DIGEST_SIZE];

	(void)state;
	shelf_make(&shelf);
	shelf_write(&shelf, 7, 100, ROWS, 1, digest);
	read_run(&shelf, 7, &run, digest);
	shelf_number(100 + ROWS - 1, number);
	for (size_t at = 0; at + sizeof(number) <= run.size; at++)
		assert_false(bytes_equal(bytes_make(run.data + at, 8), bytes_make(number, 8)));
	buffer_fini(&run);
	shelf_remove(&shelf);
}

static void
the_hash_is_the_one_of_the_file_for_every_size(void **state)
{
	static const uint32_t counts[] = {0, 1, 511, 512, 513, 1024, 1025};
	struct shelf shelf;

	(void)state;
	shelf_make(&shelf);
	for (size_t i = 0; i < AZ_ARRAY_SIZE(counts); i++) {
		struct buffer run;
		uint8_t told[32], digest[32];

		shelf_write(&shelf, i, 1, counts[i], 1, told);
		read_run(&shelf, i, &run, digest);
		assert_memory_equal(told, digest, 32);
		assert_int_equal(shelf_try(&shelf, i, told), AZ_OK);
		buffer_fini(&run);
	}
	assert_int_equal(shelf_entries(&shelf, 1, NULL), AZ_ARRAY_SIZE(counts) - 1);
	assert_int_equal(shelf_entries(&shelf, 513, NULL), 3);
	shelf_remove(&shelf);
}

static void
a_discarded_run_is_gone_and_a_loaded_one_is_not_replaced(void **state)
{
	struct shelf shelf;
	struct catalogue_run *run = NULL;
	struct catalogue_row row = {.record = 1};
	uint8_t digest[32] = {0};

	(void)state;
	shelf_make(&shelf);
	assert_int_equal(catalogue_run_new(shelf.catalogue, 7, shelf.key, &run, NULL), AZ_OK);
	assert_int_equal(catalogue_run_add(run, &row, NULL), AZ_OK);
	catalogue_run_discard(&run);
	assert_null(run);
	catalogue_run_discard(&run);
	assert_int_equal(shelf_try(&shelf, 7, digest), AZ_NOT_FOUND);
	shelf_add(&shelf, 7, 1, 10, 1);
	assert_int_equal(catalogue_run_new(shelf.catalogue, 7, shelf.key, &run, NULL), AZ_CONFLICT);
	assert_null(run);
	assert_true(shelf_run_size(&shelf, 7) > FILE_HEADER_SIZE);
	shelf_remove(&shelf);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_flipped_byte_anywhere_is_refused_by_the_hash),
	    cmocka_unit_test(a_flipped_byte_in_each_region_is_refused_by_the_seal),
	    cmocka_unit_test(a_run_cut_anywhere_is_refused),
	    cmocka_unit_test(a_run_with_something_behind_it_is_refused),
	    cmocka_unit_test(swapped_doubled_and_missing_blocks_are_refused),
	    cmocka_unit_test(the_run_of_another_consignment_is_refused),
	    cmocka_unit_test(the_run_of_another_house_is_refused),
	    cmocka_unit_test(another_key_or_hash_is_refused),
	    cmocka_unit_test(an_older_run_of_the_same_consignment_is_refused),
	    cmocka_unit_test(a_run_shows_nothing_of_its_rows),
	    cmocka_unit_test(the_hash_is_the_one_of_the_file_for_every_size),
	    cmocka_unit_test(a_discarded_run_is_gone_and_a_loaded_one_is_not_replaced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
