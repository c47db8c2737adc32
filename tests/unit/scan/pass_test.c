/* What is a token and what is none, in every script, however the bytes are cut, on every processor. */
#include <iconv.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "scan/scan.h"

/* --- a scan in short -------------------------------------------------------------------------- */

#define HITS_MAX 512

struct out {
	struct scan_hit hits[HITS_MAX];
	size_t count;
	char text[1 << 14];
	size_t used;
};

static void
note(void *arg, const struct scan_hit *hit)
{
	struct out *out = arg;

	assert_true(out->count < HITS_MAX);
	out->hits[out->count++] = *hit;
}

static int
compare_hits(const void *a, const void *b)
{
	const struct scan_hit *one = a;
	const struct scan_hit *other = b;

	if (one->at != other->at)
		return one->at < other->at ? -1 : 1;
	return (int)one->kind - (int)other->kind;
}

/* Pieces have no order within. */
static void
tell(struct out *out)
{
	qsort(out->hits, out->count, sizeof(out->hits[0]), compare_hits);
	for (size_t i = 0; i < out->count; i++)
		out->used += (size_t)snprintf(out->text + out->used, sizeof(out->text) - out->used,
		    "%s %llu+%u|", scan_kind_name(out->hits[i].kind),
		    (unsigned long long)out->hits[i].at, out->hits[i].size);
	assert_true(out->used < sizeof(out->text));
}

static void
scan_in_pieces(struct bytes bytes, size_t piece, struct out *out)
{
	struct scan_pass *pass = NULL;

	memset(out, 0, sizeof(*out));
	assert_int_equal(scan_pass_new(note, out, &pass, NULL), AZ_OK);
	for (size_t at = 0; at < bytes.size; at += piece)
		scan_pass_feed(pass,
		    bytes_make(bytes.data + at, bytes.size - at < piece ? bytes.size - at : piece));
	scan_pass_end(pass);
	scan_pass_free(&pass);
	tell(out);
}

static void
gives_bytes(struct bytes bytes, const char *expected)
{
	static const char *const speeds[] = {"avx512", "avx2", "plain"};
	struct out out;

	for (size_t i = 0; i < AZ_ARRAY_SIZE(speeds); i++) {
		if (!scan_speed_choose(speeds[i]))
			continue;
		scan_in_pieces(bytes, 1, &out);
		assert_string_equal(out.text, expected);
		scan_in_pieces(bytes, SIZE_MAX / 2, &out);
		assert_string_equal(out.text, expected);
	}
}

static void
gives(const char *text, const char *expected)
{
	gives_bytes(bytes_of(text), expected);
}

static void
is_none(const char *text)
{
	gives(text, "");
}

/* --- cards ------------------------------------------------------------------------------------ */

static void
cards_have_an_issuer_and_luhns_digit(void **state)
{
	(void)state;
	gives("4111111111111111", "card 0+16|");
	gives("card 4111 1111 1111 1111, exp", "card 5+19|");
	gives("4111-1111-1111-1111", "card 0+19|");
	gives("3782 822463 10005", "card 0+17|");
	gives("x 30569309025904 y", "card 2+14|");
	gives("\"3530111333300000\",", "card 1+16|");
	gives("4222222222222", "card 0+13|");
	gives("501864667909", "card 0+12|");
	is_none("4111111111111112");
	is_none("9111111111111111");
	is_none("411111111111111");
	is_none("0000000000000000");
}

static void
a_part_of_something_longer_is_no_card(void **state)
{
	(void)state;
	is_none("94111111111111111");
	is_none("41111111111111119");
	is_none("a4111111111111111");
	is_none("4111111111111111f");
	is_none("0.4111111111111111");
	is_none(".4111111111111111");
	is_none("4111111111111111.5");
	is_none("2026-4111111111111111");
	is_none("4111 1111-1111 1111");
	is_none("411 11111 1111 1111");
}

/* --- My Numbers ------------------------------------------------------------------------------- */

static void
my_numbers_have_a_check_digit(void **state)
{
	(void)state;
	gives("123456789018", "my_number 0+12|");
	gives("1234-5678-9018", "my_number 0+14|");
	gives("No. 1234 5678 9018.", "my_number 4+14|");
	gives("\xe7\x95\xaa\xe5\x8f\xb7"
	      "123456789018\xe3\x81\xa7",
	    "my_number 6+12|");
	for (char last = '0'; last <= '9'; last++) {
		char number[] = "123456789010";

		number[11] = last;
		gives(number, last == '8' ? "my_number 0+12|" : "");
	}
	is_none("000000000000");
	is_none("1234567890189");
	is_none("x123456789018");
	is_none("1234 5678 9018 1234");
}

static void
what_can_be_both_is_both(void **state)
{
	(void)state;
	gives("584528792610", "card 0+12|my_number 0+12|");
}

/* --- telephones ------------------------------------------------------------------------------- */

static void
japanese_telephones(void **state)
{
	(void)state;
	gives("03-1234-5678", "phone 0+12|");
	gives("03(1234)5678", "phone 0+12|");
	gives("(03)1234-5678", "phone 1+12|");
	gives("(03) 1234-5678", "phone 1+13|");
	gives("0312345678", "phone 0+10|");
	gives("09012345678", "phone 0+11|");
	gives("TEL09012345678", "phone 3+11|");
	gives("090-1234-5678", "phone 0+13|");
	gives("0120-123-456", "phone 0+12|");
	gives("0120 123 456", "phone 0+12|");
	gives("01267-1-2345", "phone 0+12|");
	gives("+81 90-1234-5678", "phone 1+15|");
	gives("+819012345678", "phone 1+12|");
	gives("a,03-1234-5678,090-1111-2222,b", "phone 2+12|phone 15+13|");
	gives("03-1234-5678 090-1111-2222", "phone 0+12|phone 13+13|");
}

static void
telephones_elsewhere(void **state)
{
	(void)state;
	gives("541-714-1388", "phone 0+12|");
	gives("(602)272-9781", "phone 1+12|");
	gives("001-518-640-0854", "phone 0+16|");
	gives("03.93.92.16.85", "phone 0+14|");
	gives("+46 (0)8 928 571 38", "phone 1+18|");
	gives("Phone: 467 3395", "phone 7+8|");
	gives("call me on 9472 7916.", "phone 11+9|");
	gives("28-64-66-98 office", "phone 0+11|");
}

static void
numbers_that_are_no_telephones(void **state)
{
	(void)state;
	is_none("2026-04-01");
	is_none("born 2026-04-01 in");
	is_none("phone book of 2026-04-01");
	is_none("call 12:20:39");
	is_none("100-0001");
	is_none("467 3395");
	is_none("054-28-6917");
	is_none("call 460-89-9847");
	is_none("20260401");
	is_none("0000000000");
	is_none("1234567890");
	is_none("01234567890");
	is_none("a0312345678");
	is_none("0.0312345678");
	is_none("10.03-1234-5678");
	is_none("03-1234-56789012");
	is_none("call of 2013-2020");
	is_none("192.168.100.200");
}

/* --- addresses -------------------------------------------------------------------------------- */

static void
addresses(void **state)
{
	(void)state;
	gives("taro@example.jp", "email 0+15|");
	gives("<Taro.Yamada+x@mail.example.co.jp>", "email 1+32|");
	gives("a..b.@docomo.ne.jp", "email 0+18|");
	gives("mailto:a@b.com?x", "email 7+7|");
	gives("a@example.com.", "email 0+13|");
	gives("a@example.com-", "email 0+13|");
	gives("(a@example.com)", "email 1+13|");
	gives("a@example.com,b@example.com", "email 0+13|email 14+13|");
	gives("jos\xc3\xa9@example.com", "email 0+17|");
	gives("a@xn--wgv71a.xn--q9jyb4c", "email 0+24|");
	gives("\xe3\x81\xaftaro@example.com\xe3\x81\xa7\xe3\x81\x99", "email 3+16|");
	gives("09012345678@docomo.ne.jp", "email 0+24|");
	gives("a@b.com:secret", "email 0+7|");
}

static void
what_is_no_address(void **state)
{
	(void)state;
	is_none("@");
	is_none("@example.com");
	is_none("a@");
	is_none("a@b");
	is_none("a@b.c");
	is_none("a@.com");
	is_none("a@-b.com");
	is_none("a b@ c.com");
	is_none("icon@2x.png");
	is_none("getty@tty1.service");
	is_none("git@github.com:a/b");
	is_none("pkg@1.2.3");
	is_none("https://medium.com/@user.name");
	is_none("a@b..com");
}

/* --- scripts ---------------------------------------------------------------------------------- */

/* text in that encoding; false if it has none there. */
static bool
encode(const char *text, const char *encoding, struct buffer *ret_bytes)
{
	char out[512];
	char *to = out;
	char *from = strdup(text);
	char *rest = from;
	size_t left = strlen(text);
	size_t room = sizeof(out);
	iconv_t converter = iconv_open(encoding, "UTF-8");
	size_t result;

	if (converter == (iconv_t)-1)
		skip();
	result = iconv(converter, &rest, &left, &to, &room);
	(void)iconv_close(converter);
	free(from);
	if (result == (size_t)-1)
		return false;
	assert_int_equal(buffer_append(ret_bytes, bytes_make(out, sizeof(out) - room)), AZ_OK);
	return true;
}

/* The kinds that are found, without their places. */
static void
kinds_of(struct bytes bytes, char *kinds, size_t room)
{
	struct out out;
	size_t used = 0;

	scan_in_pieces(bytes, 3, &out);
	kinds[0] = '\0';
	for (const char *hit = out.text; *hit != '\0'; hit = strchr(hit, '|') + 1)
		used += (size_t)snprintf(kinds + used, room - used, "%.1s", hit);
}

/* text gives those kinds ('p', 'e', 'c', 'm') in every encoding that has all of it, and there are so many. */
static void
gives_in_all(const char *text, const char *kinds, int least)
{
	static const char *const encodings[] = {"UTF-8", "CP932", "EUC-JP", "UTF-16LE", "UTF-16BE"};
	int count = 0;

	for (size_t i = 0; i < AZ_ARRAY_SIZE(encodings); i++) {
		struct buffer bytes;
		char found[64];

		buffer_init(&bytes, 1024, false);
		if (encode(text, encodings[i], &bytes)) {
			kinds_of(buffer_peek(&bytes), found, sizeof(found));
			if (strcmp(found, kinds) != 0)
				print_error("%s in %s\n", text, encodings[i]);
			assert_string_equal(found, kinds);
			count++;
		}
		buffer_fini(&bytes);
	}
	assert_true(count >= least);
}

static void
every_script(void **state)
{
	(void)state;
	gives_in_all("氏名,03-1234-5678,住所", "p", 5);
	gives_in_all("電話は０３（１２３４）５６７８です", "p", 5);
	gives_in_all("電話は０９０１２３４５６７８です", "p", 5);
	gives_in_all("03ー1234ー5678", "p", 5);
	gives_in_all("03‐1234‐5678", "p", 5);
	gives_in_all("03－1234－5678", "p", 4);
	gives_in_all("03−1234−5678", "p", 3);
	gives_in_all("０９０-1234-5678", "p", 5);
	gives_in_all("番号１２３４５６７８９０１８まで", "m", 5);
	gives_in_all("４１１１　１１１１　１１１１　１１１１", "c", 5);
	gives_in_all("カード4111111111111111です", "c", 5);
	gives_in_all("メールtaro@example.jpまで", "e", 5);
	gives_in_all("メールｔａｒｏ＠ｅｘａｍｐｌｅ．ｊｐまで", "e", 5);
	gives_in_all("taro＠example.jp", "e", 5);
	gives_in_all("０９０１２３４５６７８、０３１２３４５６７８", "pp", 5);
	gives_in_all("２０２６年４月１日", "", 5);
	gives_in_all("2026年4月1日の第3234回", "", 5);
	gives_in_all("ミュージックー１２３４ー５６", "", 5);
}

static void
half_width_dash_of_cp932(void **state)
{
	(void)state;
	gives_bytes(bytes_make("03\xb0"
			       "1234\xb0"
			       "5678",
			12),
	    "phone 0+12|");
}

/* --- cuts and bounds -------------------------------------------------------------------------- */

/* The same tokens and places wherever the pieces end, among filler that sets traps. */
static void
cuts_change_nothing(void **state)
{
	static const char *const fillers[] = {
	    "1 ", "12 34-5678 ", "4 ", "０１", "あ1", "@", "a@b ", "\0001", "x"};
	static const char *const tokens[] = {" 03-1234-5678,", " a@example.com,",
	    " 4111111111111111,", "\xe3\x80\x82０９０１２３４５６７８。", "\n1234-5678-9018\n"};
	static struct out whole, pieces;

	(void)state;
	for (size_t f = 0; f < AZ_ARRAY_SIZE(fillers); f++) {
		struct buffer bytes;
		size_t size = strlen(fillers[f]) > 0 ? strlen(fillers[f]) : 2;

		buffer_init(&bytes, 1 << 20, false);
		for (size_t i = 0; bytes.size < 200000; i++) {
			assert_int_equal(
			    buffer_append(&bytes, bytes_make(fillers[f], size)), AZ_OK);
			if (i % 997 == 0)
				assert_int_equal(
				    buffer_append(&bytes, bytes_of(tokens[i / 997 % 5])), AZ_OK);
		}
		scan_in_pieces(buffer_peek(&bytes), SIZE_MAX / 2, &whole);
		assert_true(whole.used > 0);
		for (size_t piece = 4093; piece < 70000; piece += 12289) {
			scan_in_pieces(buffer_peek(&bytes), piece, &pieces);
			assert_string_equal(pieces.text, whole.text);
		}
		buffer_fini(&bytes);
	}
}

/* All of it is found, at its place, wherever in a piece it lies. */
static void
found_at_every_place(void **state)
{
	static const char token[] = " 4111 1111 1111 1111 ";
	uint8_t *bytes = malloc(140000);
	struct out out;

	(void)state;
	assert_non_null(bytes);
	for (size_t at = 0; at<132000; at += at> 57000 && at < 70000 ? 37 : 1009) {
		char expected[64];

		memset(bytes, 'x', 140000);
		memcpy(bytes + at, token, sizeof(token) - 1);
		scan_in_pieces(bytes_make(bytes, 140000), SIZE_MAX / 2, &out);
		(void)snprintf(expected, sizeof(expected), "card %zu+19|", at + 1);
		assert_string_equal(out.text, expected);
	}
	free(bytes);
}

static void
nothing_reaches_across_a_hole(void **state)
{
	struct scan_pass *pass = NULL;
	struct out out = {0};

	(void)state;
	assert_int_equal(scan_pass_new(note, &out, &pass, NULL), AZ_OK);
	scan_pass_feed(pass, bytes_of("41111111111"));
	scan_pass_skip(pass, 4096);
	scan_pass_feed(pass, bytes_of("11111 03-1234-5678"));
	scan_pass_end(pass);
	scan_pass_feed(pass, bytes_of("a@example.com"));
	scan_pass_end(pass);
	tell(&out);
	assert_string_equal(out.text, "email 0+13|phone 4113+12|");
	scan_pass_free(&pass);
}

static void
an_end_is_no_token(void **state)
{
	(void)state;
	is_none("");
	is_none("0");
	is_none("03-1234-");
	is_none("a@b.");
	gives_bytes(bytes_make("\xef\xbc", 2), "");
	gives_bytes(bytes_make("\x82", 1), "");
	gives_bytes(bytes_make("0\0", 2), "");
	gives_bytes(bytes_make("\xff\x10", 2), "");
}

static void
a_run_without_end_costs_no_more(void **state)
{
	uint8_t *bytes = malloc(4u << 20);
	struct out out;

	(void)state;
	assert_non_null(bytes);
	memset(bytes, '7', 4u << 20);
	scan_in_pieces(bytes_make(bytes, 4u << 20), 65536, &out);
	assert_string_equal(out.text, "");
	memset(bytes, '@', 4u << 20);
	scan_in_pieces(bytes_make(bytes, 4u << 20), 65536, &out);
	assert_string_equal(out.text, "");
	for (size_t i = 0; i + 3 <= 4u << 20; i += 3)
		memcpy(bytes + i, "\xef\xbc\x97", 3);
	scan_in_pieces(bytes_make(bytes, 4u << 20), 65536, &out);
	assert_string_equal(out.text, "");
	free(bytes);
}

/* Its second byte alone has the high bit, and may be in the next of the blocks that a processor takes at once. */
static void
a_wide_at_is_found_wherever_a_block_ends(void **state)
{
	static const uint8_t mail[] = {'o', 0, 0x20, 0xff, 'e', 0, 'x', 0, 'a', 0, 'm', 0, 'p', 0,
	    'l', 0, 'e', 0, '.', 0, 'j', 0, 'p', 0};
	uint8_t bytes[256];
	char expected[32];

	(void)state;
	for (size_t at = 2; at < 140; at++) {
		memset(bytes, 0, sizeof(bytes));
		for (size_t i = at % 2; i < sizeof(bytes); i += 2)
			bytes[i] = ' ';
		memcpy(bytes + at, mail, sizeof(mail));
		(void)snprintf(expected, sizeof(expected), "email %zu+24|", at);
		gives_bytes(bytes_make(bytes, sizeof(bytes)), expected);
	}
}

static void
processors_are_chosen_by_name(void **state)
{
	(void)state;
	assert_false(scan_speed_choose("quick"));
	assert_true(scan_speed_choose("plain"));
	assert_string_equal(scan_speed_name(), "plain");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(cards_have_an_issuer_and_luhns_digit),
	    cmocka_unit_test(a_part_of_something_longer_is_no_card),
	    cmocka_unit_test(my_numbers_have_a_check_digit),
	    cmocka_unit_test(what_can_be_both_is_both),
	    cmocka_unit_test(japanese_telephones),
	    cmocka_unit_test(telephones_elsewhere),
	    cmocka_unit_test(numbers_that_are_no_telephones),
	    cmocka_unit_test(addresses),
	    cmocka_unit_test(what_is_no_address),
	    cmocka_unit_test(every_script),
	    cmocka_unit_test(half_width_dash_of_cp932),
	    cmocka_unit_test(cuts_change_nothing),
	    cmocka_unit_test(found_at_every_place),
	    cmocka_unit_test(nothing_reaches_across_a_hole),
	    cmocka_unit_test(an_end_is_no_token),
	    cmocka_unit_test(a_run_without_end_costs_no_more),
	    cmocka_unit_test(a_wide_at_is_found_wherever_a_block_ends),
	    cmocka_unit_test(processors_are_chosen_by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
