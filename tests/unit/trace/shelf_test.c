/* Prints in memory: what was added is found, what was not is not, and what one print proves. */
#include "cm.h"

#include "base/wire.h"
#include "trace/shelf.h"

static struct trace_print
print_of(uint64_t number, uint32_t record, uint32_t version)
{
	struct trace_print print;

	wire_store_u64be(print.bytes, number);
	wire_store_u32be(print.bytes + 8, record);
	wire_store_u32be(print.bytes + 12, version);
	return print;
}

static uint64_t
mixed(uint64_t number)
{
	number = (number ^ number >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	number = (number ^ number >> 27) * UINT64_C(0x94d049bb133111eb);
	return number ^ number >> 31;
}

static void
put(struct trace_shelf *shelf, uint32_t client, enum match_kind kind, uint64_t number,
    uint32_t record, uint32_t version)
{
	struct trace_print print = print_of(number, record, version);

	assert_int_equal(trace_shelf_add(shelf, client, kind, &print, 1, NULL), AZ_OK);
}

static struct trace_shelf *
new_shelf(void)
{
	struct trace_shelf *shelf = NULL;

	assert_int_equal(trace_shelf_new((size_t)1 << 30, &shelf, NULL), AZ_OK);
	return shelf;
}

static void
keep(void *arg, size_t row, const struct trace_found *found)
{
	(void)row;
	*(struct trace_found *)arg = *found;
}

static struct trace_found
search(const struct trace_shelf *shelf, const struct trace_probe *probes, uint8_t count)
{
	static struct trace_found found;

	trace_shelf_search(shelf, probes, &count, 1, keep, &found);
	return found;
}

static void
prints_of_many_lists_are_found(void **state)
{
	enum { RECORDS = 200000 };
	struct trace_shelf *shelf = new_shelf();

	(void)state;
	for (uint32_t record = 1; record <= RECORDS; record++) {
		put(shelf, 1 + record % 7, MATCH_PHONE, mixed(record), record, 1);
		/* Delivered again without a change: the same print. */
		if (record % 2 == 0)
			put(shelf, 1 + record % 7, MATCH_PHONE, mixed(record), record, 1);
		if (record % 3 == 0)
			put(shelf, 1 + record % 7, MATCH_PHONE, mixed(record), record, 2);
	}
	assert_int_equal(trace_shelf_close(shelf, 2, NULL), AZ_OK);
	assert_int_equal(trace_shelf_count(shelf, MATCH_PHONE), RECORDS + RECORDS / 3);
	for (uint32_t record = 1; record <= RECORDS; record += 37) {
		struct trace_probe probe = {.kind = MATCH_PHONE, .print = mixed(record)};
		struct trace_found found = search(shelf, &probe, 1);

		assert_int_equal(found.count, 1);
		assert_int_equal(found.candidates[0].record, record);
		assert_int_equal(found.candidates[0].client, 1 + record % 7);
		assert_int_equal(found.candidates[0].version_count, record % 3 == 0 ? 2 : 1);
		probe.print ^= 1;
		assert_int_equal(search(shelf, &probe, 1).count, 0);
		probe = (struct trace_probe){.kind = MATCH_EMAIL, .print = mixed(record)};
		assert_int_equal(search(shelf, &probe, 1).count, 0);
	}
	trace_shelf_free(&shelf);
}

static void
an_empty_shelf_finds_nothing(void **state)
{
	struct trace_shelf *shelf = new_shelf();
	struct trace_probe probe = {.kind = MATCH_PHONE, .print = 1};

	(void)state;
	assert_int_equal(trace_shelf_close(shelf, 1, NULL), AZ_OK);
	assert_int_equal(search(shelf, &probe, 1).count, 0);
	assert_int_equal(trace_shelf_client(shelf, 5), 0);
	trace_shelf_free(&shelf);
}

static void
the_version_with_most_in_common_is_taken(void **state)
{
	struct trace_shelf *shelf = new_shelf();
	struct trace_probe probes[] = {{.kind = MATCH_PHONE, .print = 10},
	    {.kind = MATCH_NAME_PLACE, .print = 20}, {.kind = MATCH_NAME, .print = 30}};
	struct trace_found found;

	(void)state;
	/* Moved from version 1 to 2, took a new telephone with version 3. */
	for (uint32_t version = 1; version <= 3; version++) {
		put(shelf, 1, MATCH_PHONE, version < 3 ? 10 : 11, 7, version);
		put(shelf, 1, MATCH_NAME_PLACE, version < 2 ? 19 : 20, 7, version);
		put(shelf, 1, MATCH_NAME, 30, 7, version);
	}
	assert_int_equal(trace_shelf_close(shelf, 1, NULL), AZ_OK);
	found = search(shelf, probes, 3);
	assert_int_equal(found.count, 1);
	assert_int_equal(found.candidates[0].version_count, 1);
	assert_int_equal(found.candidates[0].versions[0], 2);
	assert_int_equal(found.namesakes, 1);
	trace_shelf_free(&shelf);
}

static void
what_very_many_share_is_passed_over(void **state)
{
	struct trace_shelf *shelf = new_shelf();
	struct trace_probe probes[] = {
	    {.kind = MATCH_NAME, .print = 5}, {.kind = MATCH_PHONE, .print = 6}};
	struct trace_found found;

	(void)state;
	for (uint32_t record = 1; record <= TRACE_COMMON + 1; record++)
		put(shelf, 1, MATCH_NAME, 5, record, 1);
	put(shelf, 1, MATCH_PHONE, 6, 3, 1);
	assert_int_equal(trace_shelf_close(shelf, 1, NULL), AZ_OK);
	found = search(shelf, probes, 2);
	assert_int_equal(found.count, 1);
	assert_int_equal(found.common, 1u << MATCH_NAME);
	assert_int_equal(found.namesakes, TRACE_COMMON + 1);
	found = search(shelf, probes, 1);
	assert_int_equal(found.count, 0);
	assert_false(trace_found_decides(&found, 100));
	trace_shelf_free(&shelf);
}

static void
kinds_prove_only_together_and_never_a_household(void **state)
{
	static const uint16_t nothing[] = {0, 1u << MATCH_PHONE, 1u << MATCH_NAME_BIRTH,
	    1u << MATCH_PHONE | 1u << MATCH_PLACE_BUILDING,
	    1u << MATCH_NAME | 1u << MATCH_NAME_BIRTH | 1u << MATCH_NAME_PLACE,
	    1u << MATCH_BIRTH_REGION | 1u << MATCH_NAME_BIRTH,
	    1u << MATCH_POSTCODE_NUMBER | 1u << MATCH_PLACE_BUILDING | 1u << MATCH_PHONE};

	(void)state;
	for (size_t i = 0; i < sizeof(nothing) / sizeof(nothing[0]); i++)
		assert_int_equal(trace_kinds_strength(nothing[i]), 0);
	assert_true(trace_kinds_strength(1u << MATCH_PHONE | 1u << MATCH_NAME_PLACE) >= 40);
	assert_true(trace_kinds_strength(1u << MATCH_NAME_BIRTH | 1u << MATCH_PHONE) >= 40);
	assert_true(trace_kinds_strength(1u << MATCH_NAME | 1u << MATCH_PLACE_BUILDING) > 20);
}

static struct trace_found
found_with(uint32_t client, uint32_t other, uint8_t strength)
{
	struct trace_found found = {.count = 2};

	found.candidates[0] =
	    (struct trace_candidate){.record = 1, .client = client, .strength = 44};
	found.candidates[1] =
	    (struct trace_candidate){.record = 2, .client = other, .strength = strength};
	return found;
}

static void
prints_decide_only_what_is_clear(void **state)
{
	struct trace_found found = found_with(1, 1, 0);

	(void)state;
	assert_true(trace_found_decides(&found, 9000000));
	found = found_with(1, 1, 44); /* two of one client */
	assert_false(trace_found_decides(&found, 9000000));
	found = found_with(1, 2, 44); /* the same person at two clients */
	assert_true(trace_found_decides(&found, 9000000));
	found = found_with(1, 2, 33); /* near, but not strong enough itself */
	found.candidates[0].strength = 38;
	found.candidates[1].strength = 28;
	assert_false(trace_found_decides(&found, 9000000));
	found.candidates[0].strength = 29; /* too little for so many people */
	found.count = 1;
	assert_false(trace_found_decides(&found, 9000000));
	assert_true(trace_found_decides(&found, 5000));
}

static void
more_than_the_limit_is_refused(void **state)
{
	struct trace_shelf *shelf = NULL;
	struct trace_print print = print_of(1, 1, 1);
	enum az_status status = AZ_OK;

	(void)state;
	assert_int_equal(trace_shelf_new((size_t)4 << 20, &shelf, NULL), AZ_OK);
	for (uint32_t i = 0; i < 1000000 && status == AZ_OK; i++)
		status = trace_shelf_add(shelf, 1, MATCH_PHONE, &print, 1, NULL);
	assert_int_equal(status, AZ_LIMIT);
	assert_int_equal(trace_shelf_add(shelf, 0, MATCH_PHONE, &print, 1, NULL), AZ_INVALID);
	assert_int_equal(trace_shelf_add(shelf, 1, MATCH_NUMBER, &print, 1, NULL), AZ_INTERNAL);
	trace_shelf_free(&shelf);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(prints_of_many_lists_are_found),
	    cmocka_unit_test(an_empty_shelf_finds_nothing),
	    cmocka_unit_test(the_version_with_most_in_common_is_taken),
	    cmocka_unit_test(what_very_many_share_is_passed_over),
	    cmocka_unit_test(kinds_prove_only_together_and_never_a_household),
	    cmocka_unit_test(prints_decide_only_what_is_clear),
	    cmocka_unit_test(more_than_the_limit_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
