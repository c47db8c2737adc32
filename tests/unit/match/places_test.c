/* Addresses of Japan: each trap a test of its own. With the tables, and what must hold without them. */
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

static bool with_tables;

/* Whether both give the same keys, in this order. */
static bool
same(const char *a, const char *b)
{
	struct match_key keys[2][MATCH_KEYS_MAX];
	struct row rows[2] = {0};
	size_t counts[2];
	bool bad;

	for (size_t i = 0; i < 2; i++) {
		rows[i].values[FIELD_NAME] = bytes_of("佐藤健");
		rows[i].values[FIELD_ADDRESS] = bytes_of(i == 0 ? a : b);
		counts[i] = match_row(&rows[i], keys[i], &bad);
	}
	if (counts[0] != counts[1] || counts[0] < 3)
		return false;
	for (size_t i = 0; i < counts[0]; i++) {
		if (!bytes_equal(match_key_text(&keys[0][i]), match_key_text(&keys[1][i])))
			return false;
	}
	return true;
}

/* Whether a person asked for by one address is found at the other. */
static bool
finds(const char *asked, const char *kept)
{
	struct row what = {0};
	struct row row = {0};
	struct match_key key;

	what.values[FIELD_NAME] = row.values[FIELD_NAME] = bytes_of("佐藤健");
	what.values[FIELD_ADDRESS] = bytes_of(asked);
	row.values[FIELD_ADDRESS] = bytes_of(kept);
	return match_query(&what, &key, NULL) == AZ_OK && match_agrees(&row, &key);
}

static void
need_tables(void)
{
	if (!with_tables) {
		print_message("skipped: the tables of the packages are not here\n");
		skip();
	}
}

/* --- without a dictionary, too ---------------------------------------------------------------- */

static void
numbers_are_one_however_they_are_joined(void **state)
{
	static const char *const ways[] = {"東京都港区芝1-2-3", "東京都港区芝１丁目２番３号",
	    "東京都港区芝一丁目2番地3", "東京都港区芝一丁目二番三号", "東京都港区芝1丁目2の3",
	    "東京都港区芝１ー２ー３", "東京都港区芝1−2‐3", "東京都港区芝1一2一3",
	    "東京都港区 芝 1-2-3", "〒105-0014 東京都港区芝1-2-3", "東京都港区芝１−２番地の３"};

	(void)state;
	for (size_t i = 0; i < AZ_ARRAY_SIZE(ways); i++)
		assert_true(same(ways[0], ways[i]));
	assert_false(same(ways[0], "東京都港区芝1-23"));
	assert_false(same(ways[0], "東京都港区芝12-3"));
	assert_false(same(ways[0], "東京都港区芝1-2-4"));
	assert_false(same(ways[0], "東京都港区芝2-1-3"));
}

static void
a_long_vowel_is_no_dash(void **state)
{
	(void)state;
	assert_true(same("広島市西区商工センター六丁目9番39号", "広島市西区商工センター6-9-39"));
	assert_true(same("広島市西区商工ｾﾝﾀｰ６ー９ー３９", "広島市西区商工センター6-9-39"));
	assert_false(same("広島市西区商工センター6-9", "広島市西区商工センタ6-9"));
}

static void
alike_letters_of_towns_are_one(void **state)
{
	static const char *const pairs[][2] = {
	    {"埼玉県さいたま市丸ヶ崎町9", "埼玉県さいたま市丸ケ崎町9"},
	    {"東京都調布市つつじヶ丘1-2", "東京都調布市つつじが丘1-2"},
	    {"青森県三ッ木3", "青森県三ツ木3"}, {"京都市一之宮4", "京都市一ノ宮4"},
	    {"京都市一の宮4", "京都市一ノ宮4"}, {"北海道ニノ沢1", "北海道二ノ沢1"},
	    {"千葉県ハ街1", "千葉県八街1"}, {"長野県カ石1", "長野県力石1"}};

	(void)state;
	for (size_t i = 0; i < AZ_ARRAY_SIZE(pairs); i++)
		assert_true(same(pairs[i][0], pairs[i][1]));
}

static void
a_building_whose_name_begins_with_a_numeral_keeps_it(void **state)
{
	(void)state;
	assert_true(same("川崎市駅前本町１５番５十五番館ビル", "川崎市駅前本町15-5十五番館ビル"));
	assert_true(same(
	    "千代田区三番町２番地４三番町ＫＳビル１０階", "千代田区三番町2-4三番町KSビル10階"));
	assert_false(same("川崎市駅前本町15-5十五番館", "川崎市駅前本町15-515番館"));
	assert_true(finds("川崎市駅前本町15-5", "川崎市駅前本町１５番５十五番館ビル"));
	assert_true(finds("港区芝1-7", "港区芝1-7千代田ビル"));
	assert_false(finds("港区芝1-7000", "港区芝1-7千代田ビル"));
}

static void
a_room_is_a_key_apart(void **state)
{
	(void)state;
	assert_true(finds("港区芝1-2-3", "港区芝1-2-3 ハイツ芝101号室"));
	assert_true(same("港区芝1-2-3 ハイツ芝101号室", "港区芝1-2-3ハイツ芝１０１"));
	assert_true(same("港区芝1-2-3 ハイツ芝3F", "港区芝1-2-3ハイツ芝３階"));
	assert_false(same("港区芝1-2-3 ハイツ芝101", "港区芝1-2-3 ハイツ芝102"));
	assert_false(same("港区芝1-2-3 ハイツ芝101", "港区芝1-2-3"));
}

static void
a_room_joined_by_a_dash_is_read_both_ways(void **state)
{
	(void)state;
	assert_true(finds("港区芝1-2-3", "港区芝1-2-3-101"));
	assert_true(finds("港区芝1-2-3-101", "港区芝1-2-3 101号室"));
	assert_true(finds("港区芝1-2-3-101", "港区芝1-2-3-101"));
	assert_true(same("上京区主計町1番2-403号", "上京区主計町1-2-403号"));
	assert_false(finds("港区芝1-2-3", "港区芝1-2-34"));
}

static void
storeys_and_lines_are_no_numbers_of_houses(void **state)
{
	(void)state;
	assert_true(finds("港区芝10-15", "港区芝10-15 2階"));
	assert_true(same("港区芝10-15　２階", "港区芝10-15 2階"));
	assert_false(same("港区芝10-15 2階", "港区芝10-152階"));
	assert_true(same("北海道美瑛町東3線北5号12", "北海道美瑛町東三線北五号12番地"));
}

static void
numerals_in_names_stay(void **state)
{
	(void)state;
	assert_true(same("愛知県あま市西今宿梶村一３８番地４", "愛知県あま市西今宿梶村一38-4"));
	assert_true(same(
	    "香川県丸亀市原田町字東三分一１９２６番地１", "香川県丸亀市原田町字東三分一1926-1"));
	assert_false(same("愛知県あま市西今宿梶村一38-4", "愛知県あま市西今宿梶村138-4"));
	assert_true(
	    same("北海道札幌市北区北２４条西６丁目１−１", "北海道札幌市北区北二十四条西六丁目1-1"));
	assert_true(same("札幌市中央区北三条西３丁目１－５６", "札幌市中央区北3条西三丁目1-56"));
	assert_false(same("札幌市中央区北3条西3-1", "札幌市中央区北33条西3-1"));
}

static void
an_address_of_nothing_is_none(void **state)
{
	static const char *const nothing[] = {" ", "　", "〒", "--", "東京都", "・"};
	struct match_key key;

	(void)state;
	for (size_t i = 0; i < AZ_ARRAY_SIZE(nothing); i++) {
		struct row what = {0};

		what.values[FIELD_NAME] = bytes_of("佐藤健");
		what.values[FIELD_ADDRESS] = bytes_of(nothing[i]);
		assert_int_equal(match_query(&what, &key, NULL), AZ_INVALID);
	}
}

static void
addresses_in_latin_letters_are_words(void **state)
{
	(void)state;
	assert_true(same("Unit 5, 12 Oak St, St Kilda", "unit 5 12 oak street street kilda"));
	assert_true(same("6 tullaroop street willaroo", "6 Tullaroop St. Willaroo"));
	assert_false(same("6 oak street", "16 oak street"));
	assert_false(same("1-23 oak road", "12-4 oak road"));
}

/* --- with the dictionary ---------------------------------------------------------------------- */

static void
prefecture_and_county_may_be_left_out(void **state)
{
	(void)state;
	need_tables();
	assert_true(same("東京都千代田区永田町1-7-1", "千代田区永田町1丁目7番1号"));
	assert_true(same("和歌山県東牟婁郡串本町串本1234", "串本町串本千二百三十四"));
	assert_true(same("北海道久遠郡せたな町北檜山区北檜山193", "せたな町北檜山区北檜山１９３"));
	assert_true(same("福島石川郡石川町字長久保185-4", "福島県石川郡石川町字長久保185-4"));
}

static void
cities_of_one_name_are_told_apart_by_their_towns(void **state)
{
	(void)state;
	need_tables();
	assert_true(same("府中市府川町315", "広島県府中市府川町315"));
	assert_true(same("府中市宮西町2-24", "東京都府中市宮西町2丁目24"));
	assert_false(same("東京都府中市本町1-1", "広島県府中市本町1-1"));
	/* Where no town tells, it is neither. */
	assert_false(same("府中市存在町1-1", "東京都府中市存在町1-1"));
	assert_false(same("府中市存在町1-1", "広島県府中市存在町1-1"));
}

static void
the_longest_town_comes_before_numbers(void **state)
{
	(void)state;
	need_tables();
	assert_true(same("福岡県福岡市西区拾六町1-2", "福岡市西区拾六町１番２号"));
	assert_true(same("富山県富山市三番町1番23号", "富山市３番町1-23"));
	assert_true(same("千代田区一番町5-6", "東京都千代田区１番町5番地6"));
	assert_false(same("千代田区一番町5-6", "千代田区一番町15-6"));
	assert_true(same("和歌山市7番町19", "和歌山県和歌山市七番丁19"));
	assert_true(same("和歌山市12番丁45", "和歌山県和歌山市十二番丁45"));
	assert_true(same("岩手県花巻市十二丁目704", "花巻市１２丁目７０４番地"));
}

static void
greater_and_smaller_aza_may_be_left_out(void **state)
{
	(void)state;
	need_tables();
	assert_true(same("福岡県北九州市小倉南区大字井手浦874", "北九州市小倉南区井手浦874"));
	assert_true(
	    same("香川県仲多度郡まんのう町勝浦字家六2094-1", "まんのう町勝浦家六２０９４番地１"));
	/* But 大字新堀 and 新堀町 are two. */
	assert_false(same("埼玉県川口市大字新堀999-888", "埼玉県川口市大字新堀町999-888"));
}

static void
cho_may_be_left_out_where_no_other_town_is_meant(void **state)
{
	(void)state;
	need_tables();
	assert_true(same("東京都江戸川区西小松川12-345", "東京都江戸川区西小松川町12-345"));
	assert_true(same("石川県輪島市町野桶戸1", "石川県輪島市町野町桶戸1"));
	assert_false(same("福島県須賀川市西川123-456", "福島県須賀川市西川町123-456"));
}

static void
kyoto_is_found_behind_its_streets(void **state)
{
	(void)state;
	need_tables();
	assert_true(same(
	    "京都府京都市中京区河原町二条下ル一之船入町537-50", "京都市中京区一之船入町537-50"));
	assert_true(
	    same("京都市中京区寺町通御池上る上本能寺前町488番地", "京都市中京区上本能寺前町488"));
	assert_true(same("京都市上京区下立売通新町西入薮ノ内町1", "京都市上京区藪之内町1"));
	assert_false(same("京都市上京区主計町2-2", "京都市上京区主計町22"));
	assert_true(same("京都市上京区主計町二番二号", "京都市上京区主計町2-2"));
}

static void
wards_that_are_no_more_are_those_that_followed(void **state)
{
	(void)state;
	need_tables();
	assert_true(same("静岡県浜松市中区元城町103-2", "静岡県浜松市中央区元城町103-2"));
	assert_true(same("浜松市北区三方原町1", "浜松市中央区三方原町1"));
	assert_true(same("浜松市北区細江町気賀1", "浜松市浜名区細江町気賀1"));
	assert_true(same("浜松市浜北区小松1", "浜松市浜名区小松1"));
	assert_false(same("浜松市北区三方原町1", "浜松市浜名区三方原町1"));
	assert_false(same("浜松市中区元城町103-2", "浜松市浜名区元城町103-2"));
	assert_true(same("埼玉県浦和市常盤6-4", "埼玉県さいたま市浦和区常盤6-4"));
	assert_true(same("兵庫県篠山市北新町41", "兵庫県丹波篠山市北新町41"));
}

static void
damaged_tables_are_refused(void **state)
{
	const char *path = getenv("AZUKARI_TABLES");
	_Alignas(8) uint8_t bytes[4096];
	struct az_err err;
	ssize_t size;
	int fd;

	(void)state;
	need_tables();
	fd = open(path, O_RDONLY | O_CLOEXEC);
	size = read(fd, bytes, sizeof(bytes));
	(void)close(fd);
	assert_int_equal(size, sizeof(bytes));
	/* Cut short, of no kind, empty; then no tables are used. */
	assert_int_equal(match_tables_use(bytes_make(bytes, sizeof(bytes)), &err), AZ_CORRUPT);
	assert_int_equal(match_tables_sum(), 0);
	bytes[0] ^= 1;
	assert_int_equal(match_tables_use(bytes_make(bytes, sizeof(bytes)), &err), AZ_CORRUPT);
	assert_int_equal(match_tables_use(bytes_make(bytes, 0), &err), AZ_CORRUPT);
	assert_false(same("千代田区永田町1-7-1", "東京都千代田区永田町1-7-1") &&
	    same("串本町串本1", "和歌山県東牟婁郡串本町串本1"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(numbers_are_one_however_they_are_joined),
	    cmocka_unit_test(a_long_vowel_is_no_dash),
	    cmocka_unit_test(alike_letters_of_towns_are_one),
	    cmocka_unit_test(a_building_whose_name_begins_with_a_numeral_keeps_it),
	    cmocka_unit_test(a_room_is_a_key_apart),
	    cmocka_unit_test(a_room_joined_by_a_dash_is_read_both_ways),
	    cmocka_unit_test(storeys_and_lines_are_no_numbers_of_houses),
	    cmocka_unit_test(numerals_in_names_stay),
	    cmocka_unit_test(an_address_of_nothing_is_none),
	    cmocka_unit_test(addresses_in_latin_letters_are_words),
	    cmocka_unit_test(prefecture_and_county_may_be_left_out),
	    cmocka_unit_test(cities_of_one_name_are_told_apart_by_their_towns),
	    cmocka_unit_test(the_longest_town_comes_before_numbers),
	    cmocka_unit_test(greater_and_smaller_aza_may_be_left_out),
	    cmocka_unit_test(cho_may_be_left_out_where_no_other_town_is_meant),
	    cmocka_unit_test(kyoto_is_found_behind_its_streets),
	    cmocka_unit_test(wards_that_are_no_more_are_those_that_followed),
	    cmocka_unit_test(damaged_tables_are_refused),
	};
	const char *path = getenv("AZUKARI_TABLES");
	struct az_err err;
	int fd = path == NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC);
	int failed = cmocka_run_group_tests_name("without tables", tests, NULL, NULL);

	if (fd < 0)
		return failed;
	with_tables = match_tables_map(fd, &err) == AZ_OK;
	(void)close(fd);
	if (!with_tables)
		return 1;
	return failed + cmocka_run_group_tests_name("with tables", tests, NULL, NULL);
}
