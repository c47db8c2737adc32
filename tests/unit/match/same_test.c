#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "match/match.h"

static bool
same(unsigned int field, const char *a, const char *b)
{
	bool there = match_same(field, bytes_of(a), bytes_of(b));

	assert_int_equal(there, match_same(field, bytes_of(b), bytes_of(a)));
	return there;
}

static void
one_value_written_differently_is_the_same(void **state)
{
	(void)state;
	assert_true(same(FIELD_PHONE, "03-1234-5678", "0312345678"));
	assert_true(same(FIELD_PHONE, "03-1234-5678", "+81 3 1234 5678"));
	assert_true(same(FIELD_MOBILE, "０９０−１１１１−２２２２", "090 1111 2222"));
	assert_true(same(FIELD_EMAIL, "Ann@Example.JP", "ann@example.jp"));
	assert_true(same(FIELD_BIRTH, "1980-03-04", "昭和55年3月4日"));
	assert_true(same(FIELD_BIRTH, "1980/3/4", "19800304"));
	assert_true(same(FIELD_NAME, "山田　太郎", "山田太郎 様"));
	assert_true(same(FIELD_NAME, "Ann LEE", "ann lee"));
	assert_true(same(FIELD_POSTCODE, "〒123-4567", "1234567"));
	assert_true(same(FIELD_X_FIRST, "Blue Plan", "ｂｌｕｅplan"));
	assert_true(same(FIELD_SEX, "F", "f"));
}

static void
other_values_are_not(void **state)
{
	(void)state;
	assert_false(same(FIELD_PHONE, "03-1234-5678", "03-1234-5679"));
	assert_false(same(FIELD_EMAIL, "ann@example.jp", "ann@example.com"));
	assert_false(same(FIELD_BIRTH, "1980-03-04", "1980-04-03"));
	assert_false(same(FIELD_BIRTH, "1980-03-04", "1980"));
	assert_false(same(FIELD_NAME, "Ann Lee", "Anne Lee"));
	assert_false(same(FIELD_NAME, "Ann Lee", "Ann"));
	assert_false(same(FIELD_NUMBER, "1", "10"));
	assert_false(same(FIELD_POSTCODE, "1234567", "123456"));
	assert_false(same(FIELD_X_FIRST, "blue", "blu"));
}

/* Zero is never yes. */
static void
i9_nothing_is_the_same_as_nothing(void **state)
{
	static char long_text[2000];

	(void)state;
	for (unsigned int field = 0; field < FIELD_COUNT; field++) {
		assert_false(same(field, "", ""));
		assert_false(same(field, "", "x"));
		assert_false(same(field, " ", " "));
		assert_false(same(field, "　", " "));
	}
	assert_false(same(FIELD_BIRTH, "1900-01-01", "1900-01-01"));
	assert_false(same(FIELD_BIRTH, "9999-12-31", "9999-12-31"));
	memset(long_text, 'a', sizeof(long_text) - 1);
	assert_false(same(FIELD_NOTE, long_text, long_text));
	assert_false(same(FIELD_X_FIRST, long_text, "a"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(one_value_written_differently_is_the_same),
	    cmocka_unit_test(other_values_are_not),
	    cmocka_unit_test(i9_nothing_is_the_same_as_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
