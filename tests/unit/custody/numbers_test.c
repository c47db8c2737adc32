/* The numbers of a list: the second of two is found, however many there are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "crypto/hash.h"
#include "custody/bulk.h"

#define MANY 300000u

static void
digest_of(uint32_t number, uint8_t digest[CATALOGUE_DIGEST_SIZE])
{
	uint8_t hash[SHA256_SIZE];

	sha256(bytes_make(&number, sizeof(number)), hash);
	/* As number_digest: the client first. */
	memset(digest, 3, 4);
	memcpy(digest + 4, hash, CATALOGUE_DIGEST_SIZE - 4);
}

static void
a_number_is_taken_once(void **state)
{
	static struct number_set set;
	uint8_t digest[CATALOGUE_DIGEST_SIZE];

	(void)state;
	for (uint32_t number = 0; number < MANY; number++) {
		digest_of(number, digest);
		number_set_prepare(&set, digest);
		assert_int_equal(number_set_add(&set, digest), AZ_OK);
		/* One that is there already, now and then, while tables grow. */
		digest_of(number / 2, digest);
		if (number % 7 == 0)
			assert_int_equal(number_set_add(&set, digest), AZ_CONFLICT);
	}
	for (uint32_t number = 0; number < MANY; number++) {
		digest_of(number, digest);
		assert_int_equal(number_set_add(&set, digest), AZ_CONFLICT);
	}
	number_set_fini(&set);
}

static void
numbers_that_differ_in_one_bit_are_two(void **state)
{
	static struct number_set set;
	uint8_t digest[CATALOGUE_DIGEST_SIZE];

	(void)state;
	digest_of(1, digest);
	assert_int_equal(number_set_add(&set, digest), AZ_OK);
	/* Those bits that tell numbers apart: behind the client's, before the last two bytes. */
	for (size_t bit = 32; bit < 112; bit++) {
		digest[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_equal(number_set_add(&set, digest), AZ_OK);
		digest[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	assert_int_equal(number_set_add(&set, digest), AZ_CONFLICT);
	number_set_fini(&set);
}

static void
a_digest_of_zeros_is_a_number_like_any(void **state)
{
	static struct number_set set;
	uint8_t digest[CATALOGUE_DIGEST_SIZE] = {0};

	(void)state;
	assert_int_equal(number_set_add(&set, digest), AZ_OK);
	assert_int_equal(number_set_add(&set, digest), AZ_CONFLICT);
	number_set_fini(&set);
}

/* About 12 bytes a number: a list of nine million needs little more than a hundred megabytes. */
static void
memory_stays_near_what_there_is(void **state)
{
	static struct number_set set;
	uint8_t digest[CATALOGUE_DIGEST_SIZE];
	uint64_t slots = 0;

	(void)state;
	for (uint32_t number = 0; number < MANY; number++) {
		digest_of(number, digest);
		assert_int_equal(number_set_add(&set, digest), AZ_OK);
	}
	for (size_t i = 0; i < NUMBER_PARTS; i++)
		slots += set.parts[i].room;
	assert_true(slots * 9 < (uint64_t)MANY * 18);
	number_set_fini(&set);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_number_is_taken_once),
	    cmocka_unit_test(numbers_that_differ_in_one_bit_are_two),
	    cmocka_unit_test(a_digest_of_zeros_is_a_number_like_any),
	    cmocka_unit_test(memory_stays_near_what_there_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
