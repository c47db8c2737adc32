#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pieces.h"

/*
 * A list in short: values joined by '|', records by '\n', a refused one as "!" and its reason, a repaired one with "~" in
 * front. Read in pieces of that size.
 */
static char *
read_list(struct bytes list, size_t piece)
{
	static char out[1 << 16];
	struct pieces pieces;
	struct csv *csv = NULL;
	const struct list_record *record = NULL;
	size_t used = 0;
	enum az_status status;

	assert_int_equal(csv_new(pieces_of(&pieces, list, piece), ',', &csv, NULL), AZ_OK);
	out[0] = '\0';
	while ((status = csv_reader(csv)->next(csv_reader(csv), &record, NULL)) == AZ_OK) {
		if (record->repaired)
			used += (size_t)snprintf(out + used, sizeof(out) - used, "~");
		if (record->refusal != REFUSAL_NONE)
			used += (size_t)snprintf(
			    out + used, sizeof(out) - used, "!%d", (int)record->refusal);
		for (size_t i = 0; i < record->count; i++)
			used += (size_t)snprintf(out + used, sizeof(out) - used, "%s%.*s",
			    i == 0 ? "" : "|", (int)record->values[i].size,
			    (const char *)record->values[i].data);
		used += (size_t)snprintf(out + used, sizeof(out) - used, "\n");
	}
	assert_int_equal(status, AZ_NOT_FOUND);
	csv_free(&csv);
	return out;
}

/* However it is cut, it says the same. */
static void
reads_as(const char *list, const char *expected)
{
	static const size_t pieces[] = {1, 2, 3, 7, 64, 100000};

	for (size_t i = 0; i < AZ_ARRAY_SIZE(pieces); i++)
		assert_string_equal(read_list(bytes_of(list), pieces[i]), expected);
}

static void
lines_end_in_three_ways(void **state)
{
	(void)state;
	reads_as("a,b\n1,2\n", "a|b\n1|2\n");
	reads_as("a,b\r\n1,2\r\n", "a|b\n1|2\n");
	reads_as("a,b\r1,2\r", "a|b\n1|2\n");
	reads_as("a,b\n1,2", "a|b\n1|2\n");
	reads_as("\n\na,b\n\n\n1,2\n\n", "a|b\n1|2\n");
	reads_as("\r\n\r\na\r\n", "a\n");
}

static void
quotes_hold_what_would_end_a_value(void **state)
{
	(void)state;
	reads_as("\"a,b\",c\n", "a,b|c\n");
	reads_as("\"a\"\"b\",\"\"\"\"\n", "a\"b|\"\n");
	reads_as("\"two\nlines\",\"and\r\nmore\"\n", "two\nlines|and\r\nmore\n");
	reads_as("\"\",\"\"\n", "|\n");
	reads_as("a \"b\" c,d\n", "a \"b\" c|d\n");
}

static void
blanks_around_values_are_not_theirs(void **state)
{
	(void)state;
	reads_as(" a , b\t, c d \n", "a|b|c d\n");
	reads_as(" \" a \" , b\n", " a |b\n");
}

static void
empty_values_are_values(void **state)
{
	(void)state;
	reads_as(",\n", "|\n");
	reads_as("a,,\n", "a||\n");
	reads_as(",,c\n", "||c\n");
}

static void
a_byte_order_mark_is_no_part_of_it(void **state)
{
	(void)state;
	reads_as("\xef\xbb\xbf"
		 "a,b\n",
	    "a|b\n");
	reads_as("\xef\xbb\xbf", "");
	reads_as("a\n\xef\xbb\xbf"
		 "b\n",
	    "a\nb\n");
}

static void
nothing_is_no_record(void **state)
{
	(void)state;
	reads_as("", "");
	reads_as("\n", "");
}

static void
what_is_no_text_is_refused_and_the_rest_goes_on(void **state)
{
	(void)state;
	reads_as("a\n\xff\xfe\nb\n", "a\n!4\nb\n");
	reads_as("a\n\xc0\xaf\nb\n", "a\n!4\nb\n");
	reads_as("a\nx\x01y\nb\n", "a\n!5\nb\n");
	reads_as("a\nx\x7fy\nb\n", "a\n!5\nb\n");
	reads_as("a\n\"x\ty\"\nb\n", "a\nx\ty\nb\n");
}

static void
broken_quotes_are_refused(void **state)
{
	(void)state;
	reads_as("a\n\"b\" c,d\ne\n", "a\n!7\ne\n");
	reads_as("a\n\"never closed\nb\n", "a\n!7\nb\n");
	reads_as("a\n\"never closed", "a\n!7\n");
}

static void
quotes_that_nobody_doubled_are_repaired(void **state)
{
	(void)state;
	reads_as("\"a \"b\" c\",d\n", "~a \"b\" c|d\n");
	reads_as("\"a\" x\",d\n1,2\n", "~a\" x|d\n1|2\n");
}

static void
an_old_end_of_file_is_none(void **state)
{
	(void)state;
	reads_as("a\nb\n\x1a", "a\nb\n");
	reads_as("a\nb\x1a", "a\n!5\n");
}

static void
many_open_quotes_are_read_in_a_time_that_lines_take(void **state)
{
	enum { LINES = 20000 };
	static char list[LINES * 8 + 1];
	struct pieces pieces;
	struct csv *csv = NULL;
	const struct list_record *record = NULL;
	size_t refused = 0;

	(void)state;
	for (size_t i = 0; i < LINES; i++)
		memcpy(list + 8 * i, "\"abc,de\n", 8);
	assert_int_equal(
	    csv_new(pieces_of(&pieces, bytes_of(list), SIZE_MAX), ',', &csv, NULL), AZ_OK);
	while (csv_reader(csv)->next(csv_reader(csv), &record, NULL) == AZ_OK)
		refused += record->refusal != REFUSAL_NONE ? 1 : 0;
	assert_int_equal(refused, LINES);
	csv_free(&csv);
}

static void
a_zero_byte_is_refused(void **state)
{
	(void)state;
	assert_string_equal(read_list(bytes_make("a\nx\0y\nb\n", 8), 3), "a\n!5\nb\n");
}

static void
too_long_a_value_or_record_is_refused_and_the_rest_goes_on(void **state)
{
	size_t size = LIST_RECORD_MAX + 1000;
	char *list = malloc(size + 16);

	(void)state;
	assert_non_null(list);
	memset(list, 'x', size);
	memcpy(list, "a\n", 2);
	memcpy(list + FIELD_VALUE_MAX + 3, "\nb\n", 3);
	assert_string_equal(read_list(bytes_make(list, FIELD_VALUE_MAX + 6), 100), "a\n!6\nb\n");
	memset(list, 'x', size);
	memcpy(list, "a\n", 2);
	memcpy(list + size, "\nb\n", 3);
	assert_string_equal(read_list(bytes_make(list, size + 3), 60000), "a\n!6\nb\n");
	free(list);
}

static void
too_many_columns_are_refused(void **state)
{
	char list[LIST_COLUMNS_MAX + 8];

	(void)state;
	memset(list, ',', sizeof(list));
	memcpy(list + LIST_COLUMNS_MAX, "\nb\n", 4);
	reads_as(list, "!1\nb\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(lines_end_in_three_ways),
	    cmocka_unit_test(quotes_hold_what_would_end_a_value),
	    cmocka_unit_test(blanks_around_values_are_not_theirs),
	    cmocka_unit_test(empty_values_are_values),
	    cmocka_unit_test(a_byte_order_mark_is_no_part_of_it),
	    cmocka_unit_test(nothing_is_no_record),
	    cmocka_unit_test(what_is_no_text_is_refused_and_the_rest_goes_on),
	    cmocka_unit_test(broken_quotes_are_refused),
	    cmocka_unit_test(a_zero_byte_is_refused),
	    cmocka_unit_test(too_long_a_value_or_record_is_refused_and_the_rest_goes_on),
	    cmocka_unit_test(too_many_columns_are_refused),
	    cmocka_unit_test(quotes_that_nobody_doubled_are_repaired),
	    cmocka_unit_test(an_old_end_of_file_is_none),
	    cmocka_unit_test(many_open_quotes_are_read_in_a_time_that_lines_take),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
