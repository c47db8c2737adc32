/* Keys that find damaged rows: what they survive, and what must not give one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "match/match.h"

static struct row
person(const char *name, const char *birth, const char *postcode, const char *address)
{
	struct row row = {0};

	row.values[FIELD_NAME] = bytes_of(name);
	row.values[FIELD_BIRTH] = bytes_of(birth);
	row.values[FIELD_POSTCODE] = bytes_of(postcode);
	row.values[FIELD_ADDRESS] = bytes_of(address);
	return row;
}

/* The key of a kind; false if the row has none. */
static bool
key_of(const struct row *row, enum match_kind kind, struct match_key *ret_key)
{
	struct match_key keys[MATCH_KEYS_MAX];
	bool bad;
	size_t count = match_row(row, keys, &bad);

	for (size_t i = 0; i < count; i++) {
		if (keys[i].kind == kind) {
			*ret_key = keys[i];
			return true;
		}
	}
	return false;
}

static bool
agree(const struct row *a, const struct row *b, enum match_kind kind)
{
	struct match_key key;

	return key_of(a, kind, &key) && match_agrees(b, &key);
}

static void
words_of_a_latin_name_may_be_swapped(void **state)
{
	struct row one = person("Ann Mary Lee", "", "", "");
	struct row other = person("  LEE　ann  mary ", "", "", "");
	struct row split = {0};

	(void)state;
	split.values[FIELD_SURNAME] = bytes_of("ann mary");
	split.values[FIELD_GIVEN] = bytes_of("Lee");
	assert_true(agree(&one, &other, MATCH_NAME));
	assert_true(agree(&one, &split, MATCH_NAME));
	other = person("annmary lee", "", "", "");
	assert_false(agree(&one, &other, MATCH_NAME));
}

static void
a_japanese_name_is_one_with_and_without_a_blank(void **state)
{
	struct row one = person("佐藤　健", "", "", "");
	struct row other = person("佐藤健", "", "", "");
	struct row split = {0};

	(void)state;
	split.values[FIELD_SURNAME] = bytes_of("佐藤");
	split.values[FIELD_GIVEN] = bytes_of("健");
	assert_true(agree(&one, &other, MATCH_NAME));
	assert_true(agree(&split, &other, MATCH_NAME));
	other = person("健佐藤", "", "", "");
	assert_false(agree(&one, &other, MATCH_NAME));
}

static void
birth_and_region_survive_any_name_and_street(void **state)
{
	struct row one = person("Ann Lee", "1980-03-04", "100-0001", "1-2 Oak");
	struct row other = person("X", "1980/3/4", "１０９９９９９", "");
	struct row elsewhere = person("Ann Lee", "1980-03-04", "900-0001", "1-2 Oak");

	(void)state;
	assert_true(agree(&one, &other, MATCH_BIRTH_REGION));
	assert_false(agree(&one, &elsewhere, MATCH_BIRTH_REGION));
}

static void
postcode_and_number_survive_any_spelling_of_the_town(void **state)
{
	static const char *const same[] = {"東京都千代田区本町一丁目23番地4", "本町１－２３－９",
	    "Honmachi 1-23", "三番町1-23", "十五番館 1の23"};
	static const char *const other[] = {"本町二丁目23-4", "本町1-24", "本町", "十一丁目23", ""};
	struct row one = person("", "", "064-0941", "千代田区本町1-23-4");

	(void)state;
	for (size_t i = 0; i < AZ_ARRAY_SIZE(same); i++) {
		struct row row = person("", "", "640941", same[i]);

		assert_true(agree(&one, &row, MATCH_POSTCODE_NUMBER));
	}
	for (size_t i = 0; i < AZ_ARRAY_SIZE(other); i++) {
		struct row row = person("", "", "064-0941", other[i]);

		assert_false(agree(&one, &row, MATCH_POSTCODE_NUMBER));
	}
}

static void
tens_before_a_block_count(void **state)
{
	struct row one = person("", "", "0640941", "南二十三丁目5");
	struct row other = person("", "", "0640941", "南23丁目5");

	(void)state;
	assert_true(agree(&one, &other, MATCH_POSTCODE_NUMBER));
}

static void
what_is_missing_or_no_postcode_gives_no_key(void **state)
{
	struct match_key key;
	struct row rows[] = {person("", "", "", ""), person("Ann", "", "12", "1-2"),
	    person("Ann", "1980-02-30", "1000001", "none"),
	    person(" 　", "1980-02-03", "10000011111", "1-2")};

	(void)state;
	for (size_t i = 0; i < AZ_ARRAY_SIZE(rows); i++) {
		assert_false(key_of(&rows[i], MATCH_BIRTH_REGION, &key));
		assert_false(key_of(&rows[i], MATCH_POSTCODE_NUMBER, &key));
	}
	assert_false(key_of(&rows[0], MATCH_NAME, &key));
	assert_false(key_of(&rows[3], MATCH_NAME, &key));
}

static void
nobody_asks_by_them(void **state)
{
	struct row name = person("Ann Lee", "", "", "");
	struct row region = person("", "1980-03-04", "1000001", "");
	struct row number = person("", "", "1000001", "1-2");
	struct match_key key;

	(void)state;
	assert_int_equal(match_query(&name, &key, NULL), AZ_INVALID);
	assert_int_equal(match_query(&region, &key, NULL), AZ_INVALID);
	assert_int_equal(match_query(&number, &key, NULL), AZ_INVALID);
}

static void
a_name_of_very_many_words_harms_nothing(void **state)
{
	char name[1024];
	struct row row;
	struct match_key key;

	(void)state;
	for (size_t i = 0; i + 1 < sizeof(name); i++)
		name[i] = i % 2 == 0 ? 'a' : ' ';
	name[sizeof(name) - 1] = '\0';
	row = person(name, "", "", "");
	assert_true(key_of(&row, MATCH_NAME, &key));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(words_of_a_latin_name_may_be_swapped),
	    cmocka_unit_test(a_japanese_name_is_one_with_and_without_a_blank),
	    cmocka_unit_test(birth_and_region_survive_any_name_and_street),
	    cmocka_unit_test(postcode_and_number_survive_any_spelling_of_the_town),
	    cmocka_unit_test(tens_before_a_block_count),
	    cmocka_unit_test(what_is_missing_or_no_postcode_gives_no_key),
	    cmocka_unit_test(nobody_asks_by_them),
	    cmocka_unit_test(a_name_of_very_many_words_harms_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
