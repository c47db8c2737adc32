/* Numbers that few may keep are found however they are written, and others are left alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "match/found.h"

#define CARD      (1u << CLASS_CARD)
#define MY_NUMBER (1u << CLASS_MY_NUMBER)

static unsigned int
found(const char *text)
{
	return found_in(bytes_of(text), FIELD_NOTE);
}

static void
card_numbers_are_found_however_they_are_written(void **state)
{
	static const char *const cards[] = {"4111111111111111", "4111 1111 1111 1111",
	    "4111-1111-1111-1111", "5555555555554444", "2223003122003222", "378282246310005",
	    "3782 822463 10005", "3530111333300000", "30569309025904", "6011111111111117",
	    "6200000000000005", "card 4111 1111 1111 1111 exp 12/26", "(4111111111111111)",
	    "4111 1111 1111 1111 0326 123", "pay:4111111111111111,thanks",
	    "４１１１　１１１１　１１１１　１１１１", "4111‐1111−1111－1111",
	    "カード4111111111111111です", "090-1234-5678 4111111111111111"};

	(void)state;
	for (size_t i = 0; i < AZ_ARRAY_SIZE(cards); i++) {
		if (found(cards[i]) != CARD)
			print_message("%s\n", cards[i]);
		assert_int_equal(found(cards[i]), CARD);
	}
}

static void
what_is_no_card_number_is_left_alone(void **state)
{
	static const char *const others[] = {"", "4111", "4111111111111112", "411111111111111",
	    "4111  1111 1111 1111", "4111/1111/1111/1111", "1111111111111117", "0000000000000000",
	    "9411111111111111", "3-12-5 Chiyoda 100-0001", "03-1234-5678", "+81 90 1234 5678",
	    "2026-04-01 12:30:45.123456", "41111111111111111111111"};

	(void)state;
	for (size_t i = 0; i < AZ_ARRAY_SIZE(others); i++) {
		if (found(others[i]) != 0)
			print_message("%s\n", others[i]);
		assert_int_equal(found(others[i]), 0);
	}
}

static void
every_wrong_digit_of_a_card_number_is_seen(void **state)
{
	char text[] = "4111111111111111";

	(void)state;
	for (size_t i = 1; i < 16; i++) {
		char right = text[i];

		for (char digit = '0'; digit <= '9'; digit++) {
			text[i] = digit;
			assert_int_equal(found(text) == CARD, digit == right);
		}
		text[i] = right;
	}
}

static void
my_numbers_are_found_however_they_are_written(void **state)
{
	static const char *const numbers[] = {"123456789018", "1234 5678 9018", "1234-5678-9018",
	    "１２３４５６７８９０１８", "個人番号:123456789018", "x123456789018y"};

	(void)state;
	for (size_t i = 0; i < AZ_ARRAY_SIZE(numbers); i++)
		assert_int_equal(found(numbers[i]), MY_NUMBER);
}

static void
one_check_digit_of_ten_is_right(void **state)
{
	char text[] = "123456789010";
	unsigned int right = 0;

	(void)state;
	for (char digit = '0'; digit <= '9'; digit++) {
		text[11] = digit;
		right += found(text) == MY_NUMBER ? 1 : 0;
	}
	assert_int_equal(right, 1);
}

static void
telephones_and_other_groups_are_no_my_number(void **state)
{
	char text[32];
	unsigned int found_any = 0;

	(void)state;
	assert_int_equal(found("12345 6789018"), 0);
	assert_int_equal(found("1234567890180"), 0);
	assert_int_equal(found("12345678901"), 0);
	for (unsigned int i = 0; i < 1000; i++) {
		(void)snprintf(text, sizeof(text), "+81901234%04u", i);
		assert_int_equal(found_in(bytes_of(text), FIELD_NOTE), 0);
		(void)snprintf(text, sizeof(text), "81901234%04u", i);
		assert_int_equal(found_in(bytes_of(text), FIELD_MOBILE), 0);
		found_any += found_in(bytes_of(text), FIELD_NOTE) != 0 ? 1 : 0;
	}
	/* Elsewhere chance decides: that is what is said of it. */
	assert_in_range(found_any, 50, 150);
}

static void
verification_codes_are_known_by_form_and_name(void **state)
{
	static const char *const names[] = {"cvv", "CVV", "CVV2", "CVC", "Security Code",
	    "security_code", "x:cvv", "x:security-code", "ＣＶＶ", "セキュリティコード",
	    "Card Verification Value"};
	static const char *const others[] = {
	    "", "code", "x:code", "cv", "postcode", "security", "area", "セキュリティ", "name"};

	(void)state;
	assert_true(found_is_code(bytes_of("123")));
	assert_true(found_is_code(bytes_of("0123")));
	assert_true(found_is_code(bytes_of("１２３")));
	assert_false(found_is_code(bytes_of("12")));
	assert_false(found_is_code(bytes_of("12345")));
	assert_false(found_is_code(bytes_of("12a")));
	assert_false(found_is_code(bytes_of("")));
	for (size_t i = 0; i < AZ_ARRAY_SIZE(names); i++)
		assert_true(found_names_code(bytes_of(names[i])));
	for (size_t i = 0; i < AZ_ARRAY_SIZE(others); i++)
		assert_false(found_names_code(bytes_of(others[i])));
}

static void
any_bytes_are_lived_with(void **state)
{
	uint8_t bytes[64];
	uint32_t random = 7;

	(void)state;
	for (unsigned int i = 0; i < 200000; i++) {
		static const uint8_t often[] = {
		    '0', '4', '1', '9', ' ', '-', 0xef, 0xbc, 0x90, 0x8b, '+', 0xe3, 0x83, 0xbc};
		size_t size = i % sizeof(bytes);

		for (size_t at = 0; at < size; at++) {
			random = random * 1664525u + 1013904223u;
			bytes[at] = (random >> 16) % 4 == 0 ? (uint8_t)(random >> 24)
							    : often[(random >> 20) % sizeof(often)];
		}
		(void)found_in(bytes_make(bytes, size), i % FIELD_COUNT);
		(void)found_is_code(bytes_make(bytes, size));
		(void)found_names_code(bytes_make(bytes, size));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(card_numbers_are_found_however_they_are_written),
	    cmocka_unit_test(what_is_no_card_number_is_left_alone),
	    cmocka_unit_test(every_wrong_digit_of_a_card_number_is_seen),
	    cmocka_unit_test(my_numbers_are_found_however_they_are_written),
	    cmocka_unit_test(one_check_digit_of_ten_is_right),
	    cmocka_unit_test(telephones_and_other_groups_are_no_my_number),
	    cmocka_unit_test(verification_codes_are_known_by_form_and_name),
	    cmocka_unit_test(any_bytes_are_lived_with),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
