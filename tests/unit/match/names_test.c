/* Names and how they sound: what is one, and what must stay two. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "match/match.h"

static struct row
person(enum field field, const char *name)
{
	struct row row = {0};

	row.values[field] = bytes_of(name);
	row.values[FIELD_BIRTH] = bytes_of("1980-03-04");
	return row;
}

static bool
agree(enum match_kind kind, const struct row *a, const struct row *b)
{
	struct match_key keys[MATCH_KEYS_MAX];
	bool bad;
	size_t count = match_row(a, keys, &bad);

	for (size_t i = 0; i < count; i++) {
		if (keys[i].kind == kind && match_agrees(b, &keys[i]))
			return true;
	}
	return false;
}

static bool
same_name(const char *a, const char *b)
{
	struct row one = person(FIELD_NAME, a);
	struct row other = person(FIELD_NAME, b);

	return agree(MATCH_NAME_BIRTH, &one, &other);
}

static bool
sounds(const char *kana, enum field field, const char *name)
{
	struct row one = person(FIELD_KANA, kana);
	struct row other = person(field, name);

	return agree(MATCH_KANA_BIRTH, &one, &other);
}

static void
blanks_honorifics_and_width_are_no_name(void **state)
{
	static const char *const ways[] = {"佐々木　健", "佐佐木健", "佐々木 健 様", "佐々木健殿",
	    "佐々木健御中", "佐々木\u00a0健", "佐々木・健"};

	(void)state;
	for (size_t i = 0; i < AZ_ARRAY_SIZE(ways); i++)
		assert_true(same_name("佐々木健", ways[i]));
	assert_true(same_name("Ｊｏｓé O'Brien", "Mr. jose obrien"));
	assert_true(same_name("サトウ", "ｻﾄｳ"));
	assert_true(same_name("ガンダ", "ｶﾞﾝﾀﾞ"));
	assert_true(same_name("パトリシア", "ハ\u309aトリシア"));
	/* Selectors of a glyph are evidence in the raw value and nothing in a key. */
	assert_true(same_name("葛\U000e0100城", "葛城"));
	assert_true(same_name("辻\ufe00", "辻"));
}

static void
other_names_are_not_made_one(void **state)
{
	static const char *const pairs[][2] = {{"佐藤健", "佐藤健一"}, {"さくら", "サクラ"},
	    {"様", "殿"}, {"斉藤", "斎藤"}, {"健佐藤", "佐藤健"}, {"\ue000田", "\ue001田"},
	    {"𠀋田", "𠂉田"}, {"川田", "河田"}, {"Ann Lee", "Anne Lee"}};

	(void)state;
	for (size_t i = 0; i < AZ_ARRAY_SIZE(pairs); i++)
		assert_false(same_name(pairs[i][0], pairs[i][1]));
	assert_false(same_name("", ""));
	assert_false(same_name("様", "") || same_name("　", "　"));
}

static void
kana_are_one_however_they_are_written(void **state)
{
	static const char *const ways[] = {
	    "さとう はなこ", "ｻﾄｳ ﾊﾅｺ", "サトーハナコ", "サドウバナコ"};

	(void)state;
	for (size_t i = 0; i < AZ_ARRAY_SIZE(ways); i++)
		assert_true(sounds("サトウ　ハナコ", FIELD_KANA, ways[i]));
	assert_true(sounds("ヂュンイチ", FIELD_KANA, "ジユンイチ"));
	assert_true(sounds("オオノ", FIELD_KANA, "オーノ"));
	assert_false(sounds("サトウ ハナコ", FIELD_KANA, "サイトウ ハナコ"));
	assert_false(sounds("サトウ ハナコ", FIELD_KANA, "佐藤花子"));
	assert_false(sounds("ー", FIELD_KANA, "ー"));
}

static void
latin_letters_are_read_as_kana(void **state)
{
	static const char *const ways[] = {
	    "Sato Hanako", "SATOU HANAKO", "Satoh, Hanako", "Satō Hanako"};

	(void)state;
	for (size_t i = 0; i < AZ_ARRAY_SIZE(ways); i++)
		assert_true(sounds("サトウ ハナコ", FIELD_NAME, ways[i]));
	assert_true(sounds("チバ シンイチ", FIELD_NAME, "Tiba Shin'ichi"));
	assert_true(sounds("ホンマ ケンジ", FIELD_NAME, "Homma Kenzi"));
	assert_true(sounds("ハットリ ジュン", FIELD_NAME, "Hattori Jun"));
	assert_true(sounds("ハッチョウ ユウ", FIELD_NAME, "Hatchō Yū"));
	assert_true(sounds("オオノ ショウ", FIELD_NAME, "Ohno Shō"));
	/* What cannot be read is not guessed. */
	assert_false(sounds("スミス", FIELD_NAME, "Smith"));
	assert_false(sounds("リー", FIELD_NAME, "Lee X"));
}

static void
no_reading_of_kanji_is_guessed(void **state)
{
	struct row one = person(FIELD_NAME, "佐藤花子");
	struct row other = person(FIELD_NAME, "Sato Hanako");

	(void)state;
	assert_false(agree(MATCH_KANA_BIRTH, &one, &other));
	assert_false(agree(MATCH_NAME_BIRTH, &one, &other));
}

static void
kanji_of_one_class_are_one(void **state)
{
	static const char *const pairs[][2] = {{"渡邊", "渡辺"}, {"渡邉", "渡辺"}, {"髙橋", "高橋"},
	    {"山﨑", "山崎"}, {"濵田", "浜田"}, {"濱田", "浜田"}, {"齋藤", "斎藤"},
	    {"齊藤", "斉藤"}, {"德川", "徳川"}, {"𠮷田", "吉田"}, {"冨田", "富田"},
	    {"中嶋", "中島"}, {"國井", "国井"}, {"廣瀨", "広瀬"}, {"眞鍋", "真鍋"},
	    {"櫻井", "桜井"}, {"藪内", "薮内"}, {"籠島", "篭島"}, {"淵上", "渕上"},
	    {"栁田", "柳田"}};
	static const char *const others[][2] = {{"斉藤", "斎藤"}, {"玉井", "王井"},
	    {"川田", "坤田"}, {"乃木", "弓木"}, {"昼間", "書間"}, {"田中", "由中"},
	    {"大田", "太田"}, {"未来", "末来"}, {"土田", "士田"}};
	const char *path = getenv("AZUKARI_TABLES");
	struct az_err err;
	int fd = path == NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC);

	(void)state;
	if (fd < 0) {
		assert_false(same_name("渡邊", "渡辺"));
		print_message("skipped: the tables of the packages are not here\n");
		skip();
	}
	assert_int_equal(match_tables_map(fd, &err), AZ_OK);
	(void)close(fd);
	for (size_t i = 0; i < AZ_ARRAY_SIZE(pairs); i++)
		assert_true(same_name(pairs[i][0], pairs[i][1]));
	for (size_t i = 0; i < AZ_ARRAY_SIZE(others); i++)
		assert_false(same_name(others[i][0], others[i][1]));
	match_tables_drop();
	assert_false(same_name("渡邊", "渡辺"));
}

static void
keys_can_be_read(void **state)
{
	struct row row = person(FIELD_NAME, "佐藤　健");
	struct match_key keys[MATCH_KEYS_MAX];
	bool bad;

	(void)state;
	assert_int_equal(match_row(&row, keys, &bad), 2);
	assert_int_equal(keys[0].key[0], MATCH_VERSION);
	assert_true(bytes_equal(match_key_text(&keys[0]), bytes_of("佐藤健|1980-03-04")));
	assert_true(bytes_are_utf8(match_key_text(&keys[1])));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(blanks_honorifics_and_width_are_no_name),
	    cmocka_unit_test(other_names_are_not_made_one),
	    cmocka_unit_test(kana_are_one_however_they_are_written),
	    cmocka_unit_test(latin_letters_are_read_as_kana),
	    cmocka_unit_test(no_reading_of_kanji_is_guessed),
	    cmocka_unit_test(kanji_of_one_class_are_one),
	    cmocka_unit_test(keys_can_be_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
