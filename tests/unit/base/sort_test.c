/* Entries sorted by their bytes, whatever they are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/sort.h"

#define MANY 30000u
#define SIZE 20u

static uint8_t entries[MANY * SIZE];
static uint8_t again[MANY * SIZE];
static uint8_t scratch[MANY * SIZE];

static int
by_bytes(const void *a, const void *b)
{
	return bytes_compare(bytes_make(a, SIZE), bytes_make(b, SIZE));
}

/* Sorts count entries both ways. */
static void
check(size_t count, unsigned int skip)
{
	memcpy(again, entries, count * SIZE);
	qsort(again, count, SIZE, by_bytes);
	sort_entries(entries, scratch, count, SIZE, skip);
	assert_memory_equal(entries, again, count * SIZE);
}

static void
fill(size_t count, uint8_t mask)
{
	for (size_t i = 0; i < count * SIZE; i++)
		entries[i] = (uint8_t)random() & mask;
}

static void
random_entries_of_any_number_are_sorted(void **state)
{
	static const size_t counts[] = {0, 1, 2, 3, 47, 48, 49, 50, 1000, MANY};

	(void)state;
	srandom(1);
	for (size_t i = 0; i < AZ_ARRAY_SIZE(counts); i++) {
		fill(counts[i], 0xff);
		check(counts[i], 0);
	}
}

static void
equal_and_nearly_equal_ones_are_sorted(void **state)
{
	(void)state;
	memset(entries, 7, sizeof(entries));
	check(MANY, 0);
	fill(MANY, 1);
	check(MANY, 0);
	/* They differ behind the first eight bytes only. */
	memset(entries, 7, sizeof(entries));
	for (size_t i = 0; i < MANY; i++)
		entries[i * SIZE + SIZE - 1] = (uint8_t)random();
	check(MANY, 0);
}

static void
common_bits_are_skipped(void **state)
{
	(void)state;
	for (unsigned int skip = 0; skip <= 32; skip += 4) {
		fill(MANY, 0xff);
		for (size_t i = 0; i < MANY; i++) {
			for (unsigned int bit = 0; bit < skip; bit++)
				entries[i * SIZE + bit / 8] &= (uint8_t) ~(0x80u >> bit % 8);
		}
		check(MANY, skip);
	}
}

static void
sorted_and_reversed_ones_are_sorted(void **state)
{
	(void)state;
	fill(MANY, 0xff);
	check(MANY, 0);
	check(MANY, 0);
	for (size_t i = 0; i < MANY; i++)
		memcpy(scratch + i * SIZE, entries + (MANY - 1 - i) * SIZE, SIZE);
	memcpy(entries, scratch, sizeof(entries));
	check(MANY, 0);
}

/* As two workers leave them: each in ascending order, one behind the other, many of one place. */
static void
ascending_runs_are_merged(void **state)
{
	(void)state;
	for (size_t runs = 1; runs <= 7; runs++) {
		for (size_t i = 0; i < MANY; i++) {
			uint32_t number = (uint32_t)(i * runs % MANY);

			memset(entries + i * SIZE, (int)(i % 3), SIZE);
			entries[i * SIZE + 16] = (uint8_t)(number >> 16);
			entries[i * SIZE + 17] = (uint8_t)(number >> 8);
			entries[i * SIZE + 18] = (uint8_t)number;
		}
		check(MANY, 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(random_entries_of_any_number_are_sorted),
	    cmocka_unit_test(equal_and_nearly_equal_ones_are_sorted),
	    cmocka_unit_test(common_bits_are_skipped),
	    cmocka_unit_test(sorted_and_reversed_ones_are_sorted),
	    cmocka_unit_test(ascending_runs_are_merged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
