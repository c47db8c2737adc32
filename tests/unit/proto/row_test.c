/* The encoded row: one encoding for each row, and nothing else is read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

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
	for (size_t size = 0; size < buffer.size; size++)
		assert_int_equal(row_decode(bytes_make(buffer.data, size), &back), AZ_INVALID);
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_row_comes_back_as_it_was),
	    cmocka_unit_test(a_row_has_exactly_these_bytes),
	    cmocka_unit_test(a_row_cut_anywhere_or_continued_is_refused),
	    cmocka_unit_test(another_encoding_of_the_same_row_is_refused),
	    cmocka_unit_test(a_value_or_row_that_is_too_long_is_not_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
