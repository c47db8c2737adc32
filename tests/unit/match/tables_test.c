/*
 * Tables that are whole, of this release, with a sum that is right, and wrong inside: what keeper and intake are handed is
 * believed in nothing that a search could leave the file by.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/wire.h"
#include "match/match_internal.h"

/* Two slots of each kind, three municipalities, two lists: one of one of them, one of two. */
#define HEADER     64u
#define SLOT       16u
#define CITIES     HEADER
#define TOWNS      (CITIES + 2 * SLOT)
#define ENDED      (TOWNS + 2 * SLOT)
#define FOLDS      (ENDED + 2 * SLOT)
#define CITY_DATA  (FOLDS + 2 * 2 * 65536u)
#define LISTS      (CITY_DATA + 3 * 12u)
#define LIST_COUNT 6u
#define STRINGS    (LISTS + 4 * LIST_COUNT)
#define STRING_END 4u
#define FILE_SIZE  (STRINGS + STRING_END)

static uint8_t *file;

static uint32_t
sum_of(struct bytes bytes)
{
	uint32_t crc = 0xffffffffu;

	for (size_t i = 0; i < bytes.size; i++) {
		crc ^= bytes.data[i];
		for (unsigned int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ ((crc & 1) != 0 ? 0xedb88320u : 0);
	}
	return ~crc;
}

static void
put_slot(size_t at, uint64_t hash, uint32_t value)
{
	wire_store_u64(file + at, hash);
	wire_store_u32(file + at + 8, value);
}

static int
make_file(void **state)
{
	static const uint32_t lists[LIST_COUNT] = {0, 1, 0, 2, 1, 2};
	static const uint32_t counts[] = {2, 2, 2, 0, 3, LIST_COUNT, STRING_END, 8};

	(void)state;
	file = aligned_alloc(8, (FILE_SIZE + 7) / 8 * 8);
	if (file == NULL)
		return 1;
	memset(file, 0, FILE_SIZE);
	memcpy(file, "AZMATCH", 8);
	wire_store_u32(file + 8, 1);
	wire_store_u32(file + 16, fold_base_sum());
	for (size_t i = 0; i < AZ_ARRAY_SIZE(counts); i++)
		wire_store_u32(file + 20 + 4 * i, counts[i]);
	put_slot(CITIES, 77, 3);
	put_slot(TOWNS, 78, 2);
	put_slot(ENDED, 79, 20060331);
	for (size_t i = 0; i < LIST_COUNT; i++)
		wire_store_u32(file + LISTS + 4 * i, lists[i]);
	memcpy(file + STRINGS, "a\0b", STRING_END);
	return 0;
}

static int
free_file(void **state)
{
	(void)state;
	match_tables_drop();
	free(file);
	return 0;
}

/* Whether it is taken, with a sum that is right. */
static enum az_status
use(void)
{
	wire_store_u32(file + 12, sum_of(bytes_make(file + HEADER, FILE_SIZE - HEADER)));
	return match_tables_use(bytes_make(file, FILE_SIZE), NULL);
}

static void
refused(void)
{
	assert_int_equal(use(), AZ_CORRUPT);
	assert_false(tables_are_there());
	assert_int_equal(match_tables_sum(), 0);
}

static void
sound_tables_are_taken(void **state)
{
	(void)state;
	assert_int_equal(use(), AZ_OK);
	assert_true(tables_are_there());
	put_slot(CITIES, 77, 1);
	assert_int_equal(use(), AZ_OK);
}

static void
a_slot_that_leads_into_a_list_ends_with_it(void **state)
{
	(void)state;
	/* At a municipality of the second list, which so is a count: 1, and behind it municipality 2. */
	put_slot(CITIES, 77, 4);
	assert_int_equal(use(), AZ_OK);
	/* At its last one: 2, and there are no two behind it. */
	put_slot(CITIES, 77, 5);
	refused();
	put_slot(CITIES, 77, LIST_COUNT);
	refused();
	put_slot(CITIES, 77, UINT32_MAX);
	refused();
}

static void
a_list_stays_in_the_lists_and_names_what_there_is(void **state)
{
	(void)state;
	for (uint32_t count = 3; count < 40; count++) {
		wire_store_u32(file + LISTS + 12, count);
		refused();
	}
	wire_store_u32(file + LISTS + 12, UINT32_MAX);
	refused();
	wire_store_u32(file + LISTS + 12, 2);
	assert_int_equal(use(), AZ_OK);
	wire_store_u32(file + LISTS + 20, 3);
	refused();
	wire_store_u32(file + LISTS + 20, UINT32_MAX);
	refused();
}

static void
names_lie_in_the_strings_and_end_there(void **state)
{
	(void)state;
	put_slot(TOWNS, 78, STRING_END);
	refused();
	put_slot(TOWNS, 78, 0x80000000u | (STRING_END - 1));
	assert_int_equal(use(), AZ_OK);
	put_slot(TOWNS, 78, UINT32_MAX);
	refused();
	put_slot(TOWNS, 78, 0);
	wire_store_u32(file + CITY_DATA + 12, STRING_END);
	refused();
	wire_store_u32(file + CITY_DATA + 12, 0);
	file[FILE_SIZE - 1] = 'c';
	refused();
}

/* A search ends at a slot that is free. */
static void
some_slot_of_each_kind_is_free(void **state)
{
	static const size_t kinds[] = {CITIES, TOWNS, ENDED};

	(void)state;
	for (size_t i = 0; i < AZ_ARRAY_SIZE(kinds); i++) {
		put_slot(kinds[i] + SLOT, 99, 1);
		refused();
		put_slot(kinds[i] + SLOT, 0, 0);
		assert_int_equal(use(), AZ_OK);
	}
}

static void
counts_that_do_not_fit_are_refused(void **state)
{
	static const uint32_t values[] = {0, 1, 3, 7, 0x10000000u, 0x80000000u, UINT32_MAX};

	(void)state;
	for (size_t i = 0; i < 7; i++) {
		uint32_t right = wire_load_u32(file + 20 + 4 * i);

		for (size_t v = 0; v < AZ_ARRAY_SIZE(values); v++) {
			if (values[v] == right)
				continue;
			wire_store_u32(file + 20 + 4 * i, values[v]);
			refused();
		}
		wire_store_u32(file + 20 + 4 * i, right);
	}
	assert_int_equal(use(), AZ_OK);
	/* The longest name. */
	wire_store_u32(file + 48, 33);
	refused();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(sound_tables_are_taken, make_file, free_file),
	    cmocka_unit_test_setup_teardown(
		a_slot_that_leads_into_a_list_ends_with_it, make_file, free_file),
	    cmocka_unit_test_setup_teardown(
		a_list_stays_in_the_lists_and_names_what_there_is, make_file, free_file),
	    cmocka_unit_test_setup_teardown(
		names_lie_in_the_strings_and_end_there, make_file, free_file),
	    cmocka_unit_test_setup_teardown(some_slot_of_each_kind_is_free, make_file, free_file),
	    cmocka_unit_test_setup_teardown(
		counts_that_do_not_fit_are_refused, make_file, free_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
