/* The encoded row: one encoding for each row, and nothing else is read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <string.h>

#include "proto/proto.h"

static struct row
sample(void)
{
	struct row row = {0};

	row.values[FIELD_NUMBER] = bytes_of("1");
	row.values[FIELD_NAME] = bytes_of("Ann Lee");
	row.values[FIELD_PHONE] = bytes_of("03-1234-5678");
	row.values[63] = bytes_of("gold");
	return row;
}

static void
a_row_comes_back_as_it_was(void **state)
{
	struct row row = sample();
	struct row back;
	struct buffer buffer;

	(void)state;
	buffer_init(&buffer, ROW_SIZE_MAX, false);
	assert_int_equal(row_encode(&row, &buffer), AZ_OK);
	assert_int_equal(row_decode(buffer_peek(&buffer), &back), AZ_OK);
	for (unsigned int i = 0; i < FIELD_COUNT; i++)
		assert_true(bytes_equal(row.values[i], back.values[i]));
	buffer_fini(&buffer);
}

static void
a_row_has_exactly_these_bytes(void **state)
{
	static const uint8_t expected[] = "\x02\x00\x00\x01\x00"
					  "1"
					  "\x01\x03\x00"
					  "Bob";
	struct row row = {0};
	struct buffer buffer;

	(void)state;
	row.values[FIELD_NUMBER] = bytes_of("1");
	row.values[FIELD_NAME] = bytes_of("Bob");
	buffer_init(&buffer, ROW_SIZE_MAX, false);
	assert_int_equal(row_encode(&row, &buffer), AZ_OK);
	assert_int_equal(buffer.size, sizeof(expected) - 1);
	assert_memory_equal(buffer.data, expected, buffer.size);
	buffer_fini(&buffer);
}

static void
a_row_cut_anywhere_or_continued_is_refused(void **state)
{
	struct row row = sample();
	struct row back;
	struct buffer buffer;

	(void)state;
	buffer_init(&buffer, ROW_SIZE_MAX, false);
	assert_int_equal(row_encode(&row, &buffer), AZ_OK);
	for (size_t size = 0; size < buffer.size; size++) {
		uint64_t fields;

		assert_int_equal(row_decode(bytes_make(buffer.data, size), &back), AZ_INVALID);
		assert_int_equal(row_fields(bytes_make(buffer.data, size), &fields), AZ_INVALID);
	}
	assert_int_equal(buffer_append(&buffer, bytes_of("x")), AZ_OK);
	assert_int_equal(row_decode(buffer_peek(&buffer), &back), AZ_INVALID);
	buffer_fini(&buffer);
}

static void
another_encoding_of_the_same_row_is_refused(void **state)
{
	static const struct {
		const char *bytes;
		size_t size;
	} wrong[] = {
	    {"\x02\x00\x01\x01\x00"
	     "a"
	     "\x00\x01\x00"
	     "b",
		10}, /* fields out of order */
	    {"\x02\x00\x01\x01\x00"
	     "a"
	     "\x01\x01\x00"
	     "b",
		10},                     /* a field twice */
	    {"\x01\x00\x01\x00\x00", 5}, /* an empty value */
	    {"\x01\x00\x40\x01\x00"
	     "a",
		6}, /* no such field */
	};
	struct row back;

	(void)state;
	for (size_t i = 0; i < AZ_ARRAY_SIZE(wrong); i++)
		assert_int_equal(
		    row_decode(bytes_make(wrong[i].bytes, wrong[i].size), &back), AZ_INVALID);
}

static void
a_value_or_row_that_is_too_long_is_not_written(void **state)
{
	static uint8_t data[FIELD_VALUE_MAX + 1];
	struct row row = {0};
	struct buffer buffer;

	(void)state;
	buffer_init(&buffer, 2 * ROW_SIZE_MAX, false);
	row.values[FIELD_NOTE] = bytes_make(data, FIELD_VALUE_MAX + 1);
	assert_int_equal(row_encode(&row, &buffer), AZ_LIMIT);
	row.values[FIELD_NOTE] = bytes_make(data, FIELD_VALUE_MAX);
	assert_int_equal(row_encode(&row, &buffer), AZ_OK);
	for (unsigned int i = FIELD_X_FIRST; i < FIELD_X_FIRST + 8; i++)
		row.values[i] = bytes_make(data, FIELD_VALUE_MAX);
	assert_int_equal(row_encode(&row, &buffer), AZ_LIMIT);
	buffer_fini(&buffer);
}

/* The keeper asks by the short way and opens by the long one: they must never differ. */
static void
the_fields_of_any_bytes_are_those_it_decodes_to(void **state)
{
	struct row row = sample();
	struct buffer buffer;
	unsigned int sound = 0;

	(void)state;
	srandom(11);
	buffer_init(&buffer, ROW_SIZE_MAX, false);
	assert_int_equal(row_encode(&row, &buffer), AZ_OK);
	for (unsigned int i = 0; i < 200000; i++) {
		size_t at = (size_t)random() % buffer.size;
		uint8_t was = buffer.data[at];
		struct row back;
		uint64_t fields = 0;
		uint64_t expected = 0;
		enum az_status status;

		buffer.data[at] = (uint8_t)random() & (i % 2 == 0 ? 0xff : 0x0f);
		status = row_decode(buffer_peek(&buffer), &back);
		assert_int_equal(row_fields(buffer_peek(&buffer), &fields), status);
		for (unsigned int field = 0; status == AZ_OK && field < FIELD_COUNT; field++)
			expected |= back.values[field].size > 0 ? FIELD_BIT(field) : 0;
		assert_true(status != AZ_OK || fields == expected);
		sound += status == AZ_OK ? 1 : 0;
		/* Some changes stay, so that it wanders; all that is sound or not is tried. */
		if (status != AZ_OK)
			buffer.data[at] = was;
	}
	assert_true(sound > 1000 && sound < 199000);
	buffer_fini(&buffer);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_row_comes_back_as_it_was),
	    cmocka_unit_test(a_row_has_exactly_these_bytes),
	    cmocka_unit_test(a_row_cut_anywhere_or_continued_is_refused),
	    cmocka_unit_test(another_encoding_of_the_same_row_is_refused),
	    cmocka_unit_test(the_fields_of_any_bytes_are_those_it_decodes_to),
	    cmocka_unit_test(a_value_or_row_that_is_too_long_is_not_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
