/* The sieve: what was added is held back, and hardly anything else. */
#include "cm.h"

#include "trace/sieve.h"

static uint64_t
mixed(uint64_t number)
{
	number = (number ^ number >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	number = (number ^ number >> 27) * UINT64_C(0x94d049bb133111eb);
	return number ^ number >> 31;
}

static void
an_empty_one_holds_nothing_back(void **state)
{
	struct trace_sieve *sieve = NULL;

	(void)state;
	assert_int_equal(trace_sieve_new(0, &sieve, NULL), AZ_OK);
	for (uint64_t i = 1; i < 10000; i++)
		assert_false(trace_sieve_holds(sieve, mixed(i)));
	trace_sieve_free(&sieve);
	trace_sieve_free(&sieve);
}

static void
what_was_added_is_held_back_and_one_in_three_hundred_besides(void **state)
{
	enum { COUNT = 200000 };
	struct trace_sieve *sieve = NULL;
	size_t held = 0;

	(void)state;
	assert_int_equal(trace_sieve_new(COUNT, &sieve, NULL), AZ_OK);
	for (uint64_t i = 0; i < COUNT; i++)
		trace_sieve_add(sieve, mixed(i));
	for (uint64_t i = 0; i < COUNT; i++) {
		trace_sieve_fetch(sieve, mixed(i));
		assert_true(trace_sieve_holds(sieve, mixed(i)));
	}
	for (uint64_t i = COUNT; i < 6 * COUNT; i++)
		held += trace_sieve_holds(sieve, mixed(i)) ? 1 : 0;
	assert_true(held < 5 * COUNT / 300);
	assert_true(trace_sieve_size(sieve) < 3 * COUNT);
	trace_sieve_free(&sieve);
}

static void
more_than_there_is_room_for_are_still_held_back(void **state)
{
	struct trace_sieve *sieve = NULL;

	(void)state;
	assert_int_equal(trace_sieve_new(10, &sieve, NULL), AZ_OK);
	for (uint64_t i = 0; i < 100000; i++)
		trace_sieve_add(sieve, mixed(i));
	for (uint64_t i = 0; i < 100000; i++)
		assert_true(trace_sieve_holds(sieve, mixed(i)));
	trace_sieve_free(&sieve);
}

static void
one_that_cannot_be_is_refused(void **state)
{
	struct trace_sieve *sieve = NULL;

	(void)state;
	assert_int_equal(trace_sieve_new((size_t)1 << 33, &sieve, NULL), AZ_LIMIT);
	assert_null(sieve);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_empty_one_holds_nothing_back),
	    cmocka_unit_test(what_was_added_is_held_back_and_one_in_three_hundred_besides),
	    cmocka_unit_test(more_than_there_is_room_for_are_still_held_back),
	    cmocka_unit_test(one_that_cannot_be_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
