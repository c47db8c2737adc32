#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "match/match.h"

/* Whether two values of a field are the same person's. */
static bool
same(enum field field, const char *a, const char *b)
{
	struct row row = {0};
	struct row what = {0};
	struct match_key key;

	row.values[field] = bytes_of(a);
	what.values[field] = bytes_of(b);
	return match_query(&what, &key, NULL) == AZ_OK && match_agrees(&row, &key);
}

static void
telephones_are_one_however_they_are_written(void **state)
{
	static const char *const ways[] = {"03-1234-5678", "0312345678", "(03) 1234 5678",
	    "０３－１２３４－５６７８", "+81 3 1234 5678", "+81 (0)3-1234-5678", "81312345678",
	    "010-81-3-1234-5678", "03-1234-5678 ext. 12", "03-1234-5678 内線 12", "03-1234-5678#9",
	    "312345678", "0081-3-1234-5678", "03-1234-5678（代表）", "03-1234-5678 / 090-1111-2222",
	    "03ー1234ー5678"};

	(void)state;
	for (size_t i = 0; i < AZ_ARRAY_SIZE(ways); i++)
		assert_true(same(FIELD_PHONE, "03-1234-5678", ways[i]));
}

static void
other_telephones_are_not(void **state)
{
	static const char *const others[] = {"03-1234-5679", "0312345", "81-1234", "03-1234-56780",
	    "", "abc", "12345", "0000000000000000000000000", "3.12E+08", "+1 3-1234-5678",
	    "0312345679 0312345678"};

	(void)state;
	for (size_t i = 0; i < AZ_ARRAY_SIZE(others); i++)
		assert_false(same(FIELD_PHONE, "03-1234-5678", others[i]));
}

static void
addresses_of_e_mail_need_two_sides(void **state)
{
	(void)state;
	assert_true(same(FIELD_EMAIL, "Ann.Lee@Example.JP", " ann.lee@example.jp "));
	assert_false(same(FIELD_EMAIL, "ann@example.jp", "anne@example.jp"));
	assert_false(same(FIELD_EMAIL, "@", "@"));
	assert_false(same(FIELD_EMAIL, "ann@", "ann@"));
	assert_false(same(FIELD_EMAIL, "@b", "@b"));
	assert_false(same(FIELD_EMAIL, "a@b@c", "a@b@c"));
}

static void
dates_that_are_none_give_no_key(void **state)
{
	static const char *const wrong[] = {"1990-02-30", "1990-13-01", "1990-00-01", "90-1-1",
	    "1990-1", "1990", "19900230", "1990-1-1-1", "1990-1-", "1-1-1990", "", "55年3月4日",
	    "昭和65年1月1日", "昭和0年1月1日", "S55.13.4", "S550230", "X55.3.4", "04/03/1980",
	    "昭和", "S", "1980-03-04 12:34:56", "800304", "12", "1980年3月"};
	static const char *const ways[] = {"１９８０．３．４", "昭和55年3月4日",
	    "昭和５５年０３月０４日", "S55.3.4", "s55/03/04", "昭55-3-4", "S550304", "1980年3月4日",
	    "1980 3 4", "19800304 ", "29284", "1980-03-04 00:00:00", "1980-03-04T00:00:00Z",
	    "1980年3月4日生", "1980/3/4(火)", " 1980/3/4"};
	int32_t days;
	int32_t again;

	(void)state;
	assert_true(match_date(bytes_of("1980-03-04"), &days));
	assert_true(match_date(bytes_of("1980/3/4"), &again) && again == days);
	assert_true(match_date(bytes_of("19800304"), &again) && again == days);
	for (size_t i = 0; i < AZ_ARRAY_SIZE(ways); i++)
		assert_true(match_date(bytes_of(ways[i]), &again) && again == days);
	assert_true(match_date(bytes_of("令和元年5月1日"), &days));
	assert_true(match_date(bytes_of("2019-05-01"), &again) && again == days);
	assert_true(match_date(bytes_of("平成元.1.8"), &days));
	assert_true(match_date(bytes_of("1989/1/8"), &again) && again == days);
	for (size_t i = 0; i < AZ_ARRAY_SIZE(wrong); i++)
		assert_false(match_date(bytes_of(wrong[i]), &days));
}

static void
an_impossible_birth_is_said_and_is_no_key(void **state)
{
	struct match_key keys[MATCH_KEYS_MAX];
	struct row row = {0};
	bool bad = false;

	(void)state;
	row.values[FIELD_NUMBER] = bytes_of("1");
	row.values[FIELD_NAME] = bytes_of("佐藤健");
	row.values[FIELD_BIRTH] = bytes_of("1990-02-30");
	assert_int_equal(match_row(&row, keys, &bad), 2); /* number, name */
	assert_true(bad);
	row.values[FIELD_BIRTH] = bytes_of("1990-02-28");
	assert_int_equal(match_row(&row, keys, &bad), 3);
	assert_false(bad);
	/* A real date that is typed where none is known is nobody's. */
	row.values[FIELD_BIRTH] = bytes_of("1900-01-01");
	assert_int_equal(match_row(&row, keys, &bad), 2);
	assert_false(bad);
}

static void
names_join_with_births_and_with_places(void **state)
{
	struct row row = {0};
	struct row what = {0};
	struct match_key key;

	(void)state;
	row.values[FIELD_SURNAME] = bytes_of("佐藤");
	row.values[FIELD_GIVEN] = bytes_of("健");
	row.values[FIELD_BIRTH] = bytes_of("1980-03-04");
	row.values[FIELD_ADDRESS] = bytes_of("東京都千代田区１－２");
	what.values[FIELD_NAME] = bytes_of("佐藤　健");
	what.values[FIELD_BIRTH] = bytes_of("1980/3/4");
	assert_int_equal(match_query(&what, &key, NULL), AZ_OK);
	assert_true(match_agrees(&row, &key));
	what.values[FIELD_BIRTH] = bytes_of("1980/3/5");
	assert_int_equal(match_query(&what, &key, NULL), AZ_OK);
	assert_false(match_agrees(&row, &key));
	what.values[FIELD_BIRTH] = (struct bytes){0};
	what.values[FIELD_ADDRESS] = bytes_of("東京都千代田区1-2");
	assert_int_equal(match_query(&what, &key, NULL), AZ_OK);
	assert_true(match_agrees(&row, &key));
	what.values[FIELD_NAME] = bytes_of("佐藤　健一");
	assert_int_equal(match_query(&what, &key, NULL), AZ_OK);
	assert_false(match_agrees(&row, &key));
}

static void
a_question_by_anything_else_is_refused(void **state)
{
	static const enum field alone[] = {FIELD_NAME, FIELD_KANA, FIELD_BIRTH, FIELD_SEX,
	    FIELD_POSTCODE, FIELD_ADDRESS, FIELD_NOTE, FIELD_SURNAME};
	struct match_key key;
	struct row what = {0};

	(void)state;
	assert_int_equal(match_query(&what, &key, NULL), AZ_INVALID);
	for (size_t i = 0; i < AZ_ARRAY_SIZE(alone); i++) {
		struct row one = {0};

		one.values[alone[i]] = bytes_of("1980-03-04");
		assert_int_equal(match_query(&one, &key, NULL), AZ_INVALID);
	}
	what.values[FIELD_PHONE] = bytes_of("03-1234-5678");
	what.values[FIELD_EMAIL] = bytes_of("ann@example.jp");
	assert_int_equal(match_query(&what, &key, NULL), AZ_INVALID);
}

static void
a_key_of_one_kind_is_no_key_of_another(void **state)
{
	struct row row = {0};
	struct row what = {0};
	struct match_key key;

	(void)state;
	row.values[FIELD_NUMBER] = bytes_of("0312345678");
	what.values[FIELD_PHONE] = bytes_of("0312345678");
	assert_int_equal(match_query(&what, &key, NULL), AZ_OK);
	assert_false(match_agrees(&row, &key));
}

static void
the_same_telephone_twice_is_one_key(void **state)
{
	struct match_key keys[MATCH_KEYS_MAX];
	struct row row = {0};
	bool bad;

	(void)state;
	row.values[FIELD_NUMBER] = bytes_of("1");
	row.values[FIELD_PHONE] = bytes_of("090-1111-2222");
	row.values[FIELD_MOBILE] = bytes_of("+81 90 1111 2222");
	assert_int_equal(match_row(&row, keys, &bad), 2);
	row.values[FIELD_MOBILE] = bytes_of("090-1111-2223");
	assert_int_equal(match_row(&row, keys, &bad), 3);
}

static void
too_long_a_value_gives_no_key(void **state)
{
	static char value[2 * MATCH_KEY_MAX];
	struct match_key key;
	struct row what = {0};

	(void)state;
	memset(value, 'a', sizeof(value) - 1);
	what.values[FIELD_NUMBER] = bytes_of(value);
	assert_int_equal(match_query(&what, &key, NULL), AZ_INVALID);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(telephones_are_one_however_they_are_written),
	    cmocka_unit_test(other_telephones_are_not),
	    cmocka_unit_test(addresses_of_e_mail_need_two_sides),
	    cmocka_unit_test(dates_that_are_none_give_no_key),
	    cmocka_unit_test(an_impossible_birth_is_said_and_is_no_key),
	    cmocka_unit_test(names_join_with_births_and_with_places),
	    cmocka_unit_test(a_question_by_anything_else_is_refused),
	    cmocka_unit_test(a_key_of_one_kind_is_no_key_of_another),
	    cmocka_unit_test(the_same_telephone_twice_is_one_key),
	    cmocka_unit_test(too_long_a_value_gives_no_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
