#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <iconv.h>

#include "pieces.h"

static char said[1 << 16];

static void
say(const char *text, size_t size)
{
	size_t used = strlen(said);

	assert_true(used + size + 1 < sizeof(said));
	memcpy(said + used, text, size);
	said[used + size] = '\0';
}

static void
say_row(const struct columns *columns, const struct row *row)
{
	for (size_t i = 0; i < columns->count; i++) {
		struct bytes value = row->values[columns->fields[i].field];

		if (value.size == 0)
			continue;
		say(columns->fields[i].name, strlen(columns->fields[i].name));
		say("=", 1);
		say((const char *)value.data, value.size);
		say(";", 1);
	}
	say("\n", 1);
}

/*
 * What a list says: a line for each row, "field=value;" for each value, "!" and the reason of a refused one, "-" for one that
 * is no person. The facts go to ret_facts.
 */
static enum az_status
read_in(struct bytes bytes, size_t piece, const char *spec, struct list_facts *ret_facts,
    struct az_err *err)
{
	struct list_options options = {.spec = spec};
	struct pieces pieces;
	struct list *list = NULL;
	struct buffer scratch;
	enum az_status status =
	    list_open_stream(pieces_of(&pieces, bytes, piece), &options, &list, err);

	said[0] = '\0';
	buffer_init(&scratch, 1 << 20, false);
	while (status == AZ_OK) {
		const struct list_record *record = NULL;
		enum refusal refusal = REFUSAL_NONE;
		struct row row = {0};

		status = list_next(list, &record, err);
		if (status != AZ_OK)
			break;
		assert_int_equal(
		    columns_row(list_columns_peek(list), record, &scratch, &row, &refusal), AZ_OK);
		if (list_is_no_person(list, record)) {
			say("-\n", 2);
		} else if (refusal != REFUSAL_NONE) {
			char text[16];

			say(text, (size_t)snprintf(text, sizeof(text), "!%d\n", (int)refusal));
		} else {
			say_row(list_columns_peek(list), &row);
		}
	}
	if (status == AZ_NOT_FOUND && list != NULL) {
		status = AZ_OK;
		if (ret_facts != NULL)
			*ret_facts = *list_facts_peek(list);
	}
	buffer_fini(&scratch);
	list_close(&list);
	return status;
}

/* However it is cut, it says the same. */
static void
says(const char *list, const char *spec, const char *expected)
{
	static const size_t sizes[] = {1, 3, 64, 1000000};

	for (size_t i = 0; i < AZ_ARRAY_SIZE(sizes); i++) {
		struct az_err err = {0};

		assert_int_equal(read_in(bytes_of(list), sizes[i], spec, NULL, &err), AZ_OK);
		assert_string_equal(said, expected);
	}
}

static void
fails(const char *list, const char *spec)
{
	struct az_err err = {0};

	assert_int_equal(read_in(bytes_of(list), 1000, spec, NULL, &err), AZ_INVALID);
	assert_true(strlen(err.text) > 0);
	assert_null(strstr(err.text, "lanted"));
}

/* --- encodings -------------------------------------------------------------------------------- */

static struct bytes
converted(const char *text, const char *to, uint8_t *room, size_t size)
{
	iconv_t converter = iconv_open(to, "UTF-8");
	char *from = strdup(text);
	char *in = from;
	char *out = (char *)room;
	size_t left = strlen(text);
	size_t rest = size;

	assert_non_null(from);
	assert_int_equal(iconv(converter, &in, &left, &out, &rest), 0);
	assert_int_equal(iconv(converter, NULL, NULL, &out, &rest), 0);
	(void)iconv_close(converter);
	free(from);
	return bytes_make(room, size - rest);
}

static const char people[] =
    "番号,氏名,フリガナ,住所\r\n1,山田 太郎,ヤマダ タロウ,東京都千代田区表参道能ソ1-2-3\r\n"
    "2,鈴木 花子,スズキ ハナコ,大阪府大阪市北区梅田3-4-5\r\n";
static const char people_said[] =
    "number=1;name=山田 太郎;kana=ヤマダ タロウ;address=東京都千代田区表参道能ソ1-2-3;\n"
    "number=2;name=鈴木 花子;kana=スズキ ハナコ;address=大阪府大阪市北区梅田3-4-5;\n";

static void
every_encoding_is_found_by_content(void **state)
{
	static const struct {
		const char *converter, *name;
	} encodings[] = {{"UTF-8", "UTF-8"}, {"CP932", "CP932"}, {"EUC-JP-MS", "EUC-JP"},
	    {"ISO-2022-JP", "ISO-2022-JP"}, {"UTF-16LE", "UTF-16LE"}, {"UTF-16BE", "UTF-16BE"}};
	static const size_t sizes[] = {1, 2, 5, 4096, 1000000};

	(void)state;
	for (size_t i = 0; i < AZ_ARRAY_SIZE(encodings); i++) {
		uint8_t room[4096];
		struct bytes list = converted(people, encodings[i].converter, room, sizeof(room));

		for (size_t p = 0; p < AZ_ARRAY_SIZE(sizes); p++) {
			struct list_facts facts;

			assert_int_equal(read_in(list, sizes[p], "", &facts, NULL), AZ_OK);
			assert_string_equal(said, people_said);
			assert_string_equal(facts.encoding, encodings[i].name);
			assert_false(facts.bom);
		}
	}
}

static void
a_byte_order_mark_says_which(void **state)
{
	static const char utf16le[] = "\xff\xfe"
				      "n\0o\0,\0n\0a\0m\0e\0\n\0001\0,\0q\\\n\0";
	struct list_facts facts;

	(void)state;
	assert_int_equal(
	    read_in(bytes_make(utf16le, sizeof(utf16le) - 1), 3, "", &facts, NULL), AZ_OK);
	assert_string_equal(said, "number=1;name=山;\n");
	assert_true(facts.bom);
}

static void
what_strict_shift_jis_lacks_is_read(void **state)
{
	uint8_t room[512];
	struct bytes list =
	    converted("番号,氏名\n1,髙﨑 濵①㈱\n2,ﾔﾏﾀﾞ\n", "CP932", room, sizeof(room));

	(void)state;
	assert_int_equal(read_in(list, 7, "", NULL, NULL), AZ_OK);
	assert_string_equal(said, "number=1;name=髙﨑 濵①㈱;\nnumber=2;name=ﾔﾏﾀﾞ;\n");
	/* IBM's and NEC's code of the same character. */
	assert_int_equal(read_in(bytes_of("no,name\n1,\xee\xe0\x93\x63\n2,\xfb\xfc\x93\x63\n"), 1,
			     "", NULL, NULL),
	    AZ_OK);
	assert_string_equal(said, "number=1;name=髙田;\nnumber=2;name=髙田;\n");
}

static void
ascii_says_nothing_until_something_else_comes(void **state)
{
	enum { ROWS = 9000 };
	char *list = malloc(ROWS * 16 + 64);
	size_t size = 0;
	struct list_facts facts;

	(void)state;
	assert_non_null(list);
	size += (size_t)sprintf(list, "no,name\n");
	for (int i = 0; i < ROWS; i++)
		size += (size_t)sprintf(list + size, "%d,Ann Lee\n", i + 1);
	assert_int_equal(read_in(bytes_make(list, 100), 1000, "", &facts, NULL), AZ_OK);
	assert_string_equal(facts.encoding, "ASCII");
	size += (size_t)sprintf(list + size, "%d,\x8e\x52\x93\x63\n", ROWS + 1);
	/* Too much to say: only the end is looked at. */
	free(list);
	(void)size;
}

static void
half_width_kana_alone_are_cp932(void **state)
{
	struct list_facts facts;
	uint8_t room[512];
	struct bytes list =
	    converted("no,kana\n1,ﾔﾏﾀﾞ ﾀﾛｳ\n2,ｽｽﾞｷ ﾊﾅｺ\n3,ｻﾄｳ ｼﾞﾛｳ\n", "CP932", room, sizeof(room));

	(void)state;
	assert_int_equal(read_in(list, 100, "", &facts, NULL), AZ_OK);
	assert_string_equal(facts.encoding, "CP932");
}

static void
an_unknown_encoding_is_an_error_that_names_the_byte(void **state)
{
	struct az_err err = {0};

	(void)state;
	assert_int_equal(
	    read_in(bytes_of("no,name\n1,Jos\xe9 Planted\n2,Andr\xe9 \n"), 100, "", NULL, &err),
	    AZ_INVALID);
	assert_non_null(strstr(err.text, "byte 14"));
	assert_null(strstr(err.text, "lanted"));
	fails("no,name\n1,\xff\xff\xff\xff planted\n", "");
}

static void
one_broken_row_among_many_is_refused_alone(void **state)
{
	char list[4096] = "番号,氏名\n";
	size_t size = strlen(list);

	(void)state;
	for (int i = 0; i < 40; i++)
		size += (size_t)sprintf(list + size, "%d,山田太郎\n", i + 1);
	size += (size_t)sprintf(list + size, "41,\xff\xfe\n42,山田\n");
	assert_int_equal(read_in(bytes_make(list, size), 11, "", NULL, NULL), AZ_OK);
	assert_non_null(strstr(said, "!4\nnumber=42;name=山田;\n"));
}

/* --- dialects --------------------------------------------------------------------------------- */

static void
separators_are_found(void **state)
{
	struct list_facts facts;

	(void)state;
	says("no\tname\n1\tAnn, Lee\n", "", "number=1;name=Ann, Lee;\n");
	says("no;name\n1;Ann, Lee\n", "", "number=1;name=Ann, Lee;\n");
	says("no|name\n1|\"Ann|Lee\"\n", "", "number=1;name=Ann|Lee;\n");
	assert_int_equal(read_in(bytes_of("no|name\n1|x y\n"), 9, "", &facts, NULL), AZ_OK);
	assert_string_equal(facts.dialect, "pipe");
}

static void
fixed_widths_are_cut_by_a_map(void **state)
{
	uint8_t room[512];
	struct bytes list = converted(
	    "0001山田　太郎　　ﾔﾏﾀﾞ      03-1234-5678\r\n0002鈴木　花子　　ｽｽﾞｷ      \r\n", "CP932",
	    room, sizeof(room));
	const char *spec = "number=@1-4,name=@5-18,kana=@19-28,phone=@29-40";

	(void)state;
	assert_int_equal(read_in(list, 5, spec, NULL, NULL), AZ_OK);
	assert_string_equal(said,
	    "number=0001;name=山田　太郎;kana=ﾔﾏﾀﾞ;phone=03-1234-5678;\n"
	    "number=0002;name=鈴木　花子;kana=ｽｽﾞｷ;\n");
	/* A boundary inside a character: the map is not this file's. */
	assert_int_equal(read_in(list, 5, "number=@1-5,name=@6-18", NULL, NULL), AZ_OK);
	assert_string_equal(said, "!1\n!1\n");
	/* Records that just follow each other. */
	says("01Ann 02Bob 03Cho ", "number=@1-2,name=@3-6,@6",
	    "number=01;name=Ann;\nnumber=02;name=Bob;\nnumber=03;name=Cho;\n");
}

/* --- headers ---------------------------------------------------------------------------------- */

static void
titles_and_totals_are_no_rows(void **state)
{
	says("顧客一覧,,\n2026年4月,,\n\n顧客番号,氏名,TEL\n7,山田,03-1111-2222\n合計,1件,\n", "",
	    "number=7;name=山田;phone=03-1111-2222;\n-\n");
	(void)state;
}

static void
merged_header_rows_are_one_header(void **state)
{
	(void)state;
	says("番号,氏名,,連絡先,,保護者\n,姓,名,電話番号,メール,氏名\n1,山田,太郎,03-1111-2222,a@b."
	     "jp,山田一郎\n",
	    "", "number=1;surname=山田;given=太郎;phone=03-1111-2222;email=a@b.jp;\n");
}

static void
a_header_again_in_the_middle_is_no_person(void **state)
{
	(void)state;
	says("no,name\n1,Ann\n\xef\xbb\xbf"
	     "no,name\n2,Bob\n",
	    "", "number=1;name=Ann;\n-\nnumber=2;name=Bob;\n");
}

static void
without_a_header_the_content_says(void **state)
{
	(void)state;
	says("A-1,山田 太郎,ヤマダ "
	     "タロウ,1980/3/"
	     "4,男,100-0001,東京都千代田区千代田1-1,03-1111-2222,090-1111-2222,a@b.jp\n"
	     "A-2,鈴木 花子,スズキ "
	     "ハナコ,1981/3/4,女,100-0002,東京都港区芝公園1-2,03-1111-3333,090-1111-3333,c@d.jp\n",
	    "",
	    "number=A-1;name=山田 太郎;kana=ヤマダ タロウ;birth=1980/3/4;sex=男;postcode=100-0001;"
	    "address=東京都千代田区千代田1-1;phone=03-1111-2222;mobile=090-1111-2222;email=a@b.jp;"
	    "\n"
	    "number=A-2;name=鈴木 花子;kana=スズキ ハナコ;birth=1981/3/4;sex=女;postcode=100-0002;"
	    "address=東京都港区芝公園1-2;phone=03-1111-3333;mobile=090-1111-3333;email=c@d.jp;\n");
}

static void
names_of_headers_are_known_however_they_are_written(void **state)
{
	static const struct {
		const char *header, *field;
	} names[] = {{"ﾌﾘｶﾞﾅ", "kana"}, {"ふりがな", "kana"}, {"氏名（カナ）", "kana"},
	    {"お名前（必須）", "name"}, {"ＴＥＬ", "phone"}, {"電話番号１", "phone"},
	    {"E-Mail", "email"}, {"メールアドレス", "email"}, {"〒", "postcode"},
	    {"ご住所", "address"}, {"Date of Birth", "birth"}, {"携帯", "mobile"},
	    {"Last Name", "surname"}, {"名", "given"}, {"性別", "sex"}, {"備考欄", "note"}};

	(void)state;
	for (size_t i = 0; i < AZ_ARRAY_SIZE(names); i++) {
		char list[256];
		char expected[256];

		(void)snprintf(list, sizeof(list), "顧客番号,%s\n1,x y\n", names[i].header);
		(void)snprintf(expected, sizeof(expected), "number=1;%s=x y;\n", names[i].field);
		says(list, "", expected);
	}
}

static void
somebody_elses_columns_are_not_the_persons(void **state)
{
	(void)state;
	says("顧客番号,氏名,緊急連絡先電話番号,勤務先TEL,保護者氏名\n1,山田,03-1,03-2,山田父\n", "",
	    "number=1;name=山田;\n");
}

static void
parts_of_an_address_are_joined_in_their_order(void **state)
{
	(void)state;
	says("番号,建物名,番地,市区町村,都道府県\n1,コーポ101,1-2,港区,東京都\n", "",
	    "number=1;address=東京都 港区 1-2 コーポ101;\n");
	/* A whole address that repeats its parts stays alone. */
	says("番号,都道府県,市区町村,住所\n1,東京都,港区,東京都港区1-2\n", "",
	    "number=1;address=港区 東京都港区1-2;\n");
}

static void
a_map_names_columns_by_header_and_by_place(void **state)
{
	(void)state;
	says("ID,given,Family,TEL,rest\n1,Ann,Lee,03,x\n", "number=id,name=Given+family,phone=tel",
	    "number=1;name=Ann Lee;phone=03;\n");
	says("1,Ann Lee,03-1111-2222\n2,Bob Ray,03-1111-3333\n", "number=#1,name=#2",
	    "number=1;name=Ann Lee;\nnumber=2;name=Bob Ray;\n");
	says(
	    "no,name,tel\n1,Ann Lee,03\n", "number=#1,x:tel=#3+#2", "number=1;x:tel=03 Ann Lee;\n");
}

static void
what_does_not_fit_is_refused_without_quoting_the_list(void **state)
{
	static const struct {
		const char *spec, *header;
	} wrong[] = {
	    {"", "number,name,name\n"},
	    {"number=id,name=planted2", "id,planted\n"},
	    {"number=id,name=planted", "id,planted,planted\n"},
	    {"number=id,name=id", "id,planted\n"},
	    {"number=id,number=planted", "id,planted\n"},
	    {"number=id,nothing=planted", "id,planted\n"},
	    {"number=id,name", "id,planted\n"},
	    {"number=id,name=", "id,planted\n"},
	    {"number=id,,name=planted", "id,planted\n"},
	    {"=id", "id,planted\n"},
	    {"number=id,name=planted+", "id,planted\n"},
	    {"number=#3,name=planted", "id,planted\n"},
	    {"number=#0,name=planted", "id,planted\n"},
	    {"number=#1,name=#1", "id,planted\n"},
	    {"number=@1-4,name=planted", "id,planted\n"},
	    {"number=@4-1", "id,planted\n"},
	    {"number=@0-1", "id,planted\n"},
	    {"number=@1-x", "id,planted\n"},
	};

	(void)state;
	for (size_t i = 0; i < AZ_ARRAY_SIZE(wrong); i++)
		fails(wrong[i].header, wrong[i].spec);
}

static void
rows_of_another_width_are_refused_unless_nothing_is_in_it(void **state)
{
	(void)state;
	says("no,name,tel\n1,Ann,03,,\n2,Bob\n3,Cho,03,x\n,,\n", "",
	    "number=1;name=Ann;phone=03;\n!1\n!1\n");
}

static void
nothing_is_no_list(void **state)
{
	struct az_err err = {0};

	(void)state;
	assert_int_equal(read_in(bytes_of(""), 9, "", NULL, &err), AZ_NOT_FOUND);
	assert_int_equal(
	    read_in(bytes_of("\xef\xbb\xbf\n\n,,,\n"), 9, "", NULL, &err), AZ_NOT_FOUND);
}

static int
prepare(void **state)
{
	(void)state;
	return text_prepare(NULL) == AZ_OK ? 0 : -1;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_encoding_is_found_by_content),
	    cmocka_unit_test(a_byte_order_mark_says_which),
	    cmocka_unit_test(what_strict_shift_jis_lacks_is_read),
	    cmocka_unit_test(ascii_says_nothing_until_something_else_comes),
	    cmocka_unit_test(half_width_kana_alone_are_cp932),
	    cmocka_unit_test(an_unknown_encoding_is_an_error_that_names_the_byte),
	    cmocka_unit_test(one_broken_row_among_many_is_refused_alone),
	    cmocka_unit_test(separators_are_found),
	    cmocka_unit_test(fixed_widths_are_cut_by_a_map),
	    cmocka_unit_test(titles_and_totals_are_no_rows),
	    cmocka_unit_test(merged_header_rows_are_one_header),
	    cmocka_unit_test(a_header_again_in_the_middle_is_no_person),
	    cmocka_unit_test(without_a_header_the_content_says),
	    cmocka_unit_test(names_of_headers_are_known_however_they_are_written),
	    cmocka_unit_test(somebody_elses_columns_are_not_the_persons),
	    cmocka_unit_test(parts_of_an_address_are_joined_in_their_order),
	    cmocka_unit_test(a_map_names_columns_by_header_and_by_place),
	    cmocka_unit_test(what_does_not_fit_is_refused_without_quoting_the_list),
	    cmocka_unit_test(rows_of_another_width_are_refused_unless_nothing_is_in_it),
	    cmocka_unit_test(nothing_is_no_list),
	};

	return cmocka_run_group_tests(tests, prepare, NULL);
}
