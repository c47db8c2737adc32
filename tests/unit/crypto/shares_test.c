/* Shares: any so many give the key back, fewer do not, and the field is the one that is said. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "crypto/shares.h"

/* Multiplying as in the book, to compare with. */
static uint8_t
slow_multiply(uint8_t a, uint8_t b)
{
	unsigned int product = 0;

	for (unsigned int i = 0; i < 8; i++) {
		if (b >> i & 1)
			product ^= (unsigned int)a << i;
	}
	for (int i = 15; i >= 8; i--) {
		if (product >> i & 1)
			product ^= 0x11bu << (i - 8);
	}
	return (uint8_t)product;
}

static void
two_points_of_a_line_give_its_value_at_zero(void **state)
{
	/* key + slope x: known shares, made here. */
	uint8_t points[2] = {1, 2};
	uint8_t shares[2 * SHARE_SIZE], key[SHARE_SIZE];

	(void)state;
	for (unsigned int i = 0; i < SHARE_SIZE; i++) {
		uint8_t at_zero = (uint8_t)(i * 37 + 11);
		uint8_t slope = (uint8_t)(i * 91 + 5);

		shares[i] = at_zero ^ slow_multiply(slope, points[0]);
		shares[SHARE_SIZE + i] = at_zero ^ slow_multiply(slope, points[1]);
	}
	assert_int_equal(shares_join(points, shares, 2, key), AZ_OK);
	for (unsigned int i = 0; i < SHARE_SIZE; i++)
		assert_int_equal(key[i], (uint8_t)(i * 37 + 11));
}

static void
every_choice_of_as_many_as_are_needed_gives_the_key(void **state)
{
	uint8_t key[SHARE_SIZE], shares[5 * SHARE_SIZE];

	(void)state;
	for (unsigned int i = 0; i < SHARE_SIZE; i++)
		key[i] = (uint8_t)(255 - i);
	shares_split(key, 3, 5, shares);
	for (unsigned int choice = 0; choice < 32; choice++) {
		uint8_t points[5], chosen[5 * SHARE_SIZE], joined[SHARE_SIZE];
		unsigned int count = 0;

		for (unsigned int i = 0; i < 5; i++) {
			if ((choice >> i & 1) == 0)
				continue;
			memcpy(chosen + count * SHARE_SIZE, shares + i * SHARE_SIZE, SHARE_SIZE);
			points[count++] = (uint8_t)(i + 1);
		}
		if (count == 0)
			continue;
		assert_int_equal(shares_join(points, chosen, count, joined), AZ_OK);
		if (count >= 3)
			assert_memory_equal(joined, key, SHARE_SIZE);
		else
			assert_memory_not_equal(joined, key, SHARE_SIZE);
	}
}

static void
a_share_of_two_looks_like_nothing(void **state)
{
	/* The same key twice: no byte of a share may be the same all the time. */
	uint8_t key[SHARE_SIZE] = {0}, first[2 * SHARE_SIZE], again[2 * SHARE_SIZE];

	(void)state;
	shares_split(key, 2, 2, first);
	shares_split(key, 2, 2, again);
	assert_memory_not_equal(first, again, SHARE_SIZE);
	assert_memory_not_equal(first, key, SHARE_SIZE);
}

static void
points_that_cannot_be_are_refused(void **state)
{
	uint8_t points[SHARES_MAX + 1] = {1, 1}, shares[(SHARES_MAX + 1) * SHARE_SIZE] = {0};
	uint8_t key[SHARE_SIZE];

	(void)state;
	assert_int_equal(shares_join(points, shares, 2, key), AZ_INVALID);
	points[1] = 0;
	assert_int_equal(shares_join(points, shares, 2, key), AZ_INVALID);
	assert_int_equal(shares_join(points, shares, 0, key), AZ_INVALID);
	for (unsigned int i = 0; i <= SHARES_MAX; i++)
		points[i] = (uint8_t)(i + 1);
	assert_int_equal(shares_join(points, shares, SHARES_MAX + 1, key), AZ_INVALID);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(two_points_of_a_line_give_its_value_at_zero),
	    cmocka_unit_test(every_choice_of_as_many_as_are_needed_gives_the_key),
	    cmocka_unit_test(a_share_of_two_looks_like_nothing),
	    cmocka_unit_test(points_that_cannot_be_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
