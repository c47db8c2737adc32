#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

static void
unequal_bytes_are_told_apart_at_every_place(void **state)
{
	uint8_t a[40];
	uint8_t b[40];

	for (size_t i = 0; i < sizeof(a); i++) {
		memset(a, 7, sizeof(a));
		memset(b, 7, sizeof(b));
		assert_true(bytes_equal(bytes_make(a, sizeof(a)), bytes_make(b, sizeof(b))));
		b[i] ^= 0x80;
		assert_false(bytes_equal(bytes_make(a, sizeof(a)), bytes_make(b, sizeof(b))));
	}
}

static void
a_prefix_is_not_equal(void **state)
{
	assert_false(bytes_equal(bytes_of("abc"), bytes_of("abcd")));
	assert_false(bytes_equal(bytes_of(""), bytes_of("a")));
	assert_true(bytes_equal(bytes_make(NULL, 0), bytes_of("")));
}

static void
order_is_that_of_unsigned_bytes(void **state)
{
	assert_int_equal(bytes_compare(bytes_of("a"), bytes_of("b")), -1);
	assert_int_equal(bytes_compare(bytes_of("\xff"), bytes_of("\x01")), 1);
	assert_int_equal(bytes_compare(bytes_of("ab"), bytes_of("a")), 1);
	assert_int_equal(bytes_compare(bytes_of("a"), bytes_of("ab")), -1);
	assert_int_equal(bytes_compare(bytes_of("ab"), bytes_of("ab")), 0);
	assert_int_equal(bytes_compare(bytes_make(NULL, 0), bytes_of("a")), -1);
	assert_int_equal(bytes_compare(bytes_make(NULL, 0), bytes_make(NULL, 0)), 0);
}

static void
wiping_leaves_zeros_and_takes_nothing(void **state)
{
	uint8_t data[16];
	const uint8_t expected[16] = {1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};

	memset(data, 1, sizeof(data));
	az_wipe(data + 1, sizeof(data) - 2);
	assert_memory_equal(data, expected, sizeof(data));
	az_wipe(NULL, 0);
}

static void
overflow_is_refused_and_writes_nothing(void **state)
{
	size_t result = 42;

	assert_false(az_add(SIZE_MAX, 1, &result));
	assert_false(az_mul(SIZE_MAX / 2 + 1, 2, &result));
	assert_int_equal(result, 42);
	assert_true(az_add(SIZE_MAX - 1, 1, &result));
	assert_true(result == SIZE_MAX);
	assert_true(az_mul(SIZE_MAX / 2, 2, &result));
	assert_true(result == SIZE_MAX - 1);
}

static void
a_buffer_never_grows_past_its_maximum(void **state)
{
	struct buffer buffer;

	buffer_init(&buffer, 10, false);
	assert_int_equal(buffer_append(&buffer, bytes_of("0123456789")), AZ_OK);
	assert_int_equal(buffer_append(&buffer, bytes_of("x")), AZ_LIMIT);
	assert_int_equal(buffer_reserve(&buffer, 1), AZ_LIMIT);
	assert_int_equal(buffer_reserve(&buffer, SIZE_MAX), AZ_LIMIT);
	assert_int_equal(buffer_append(&buffer, bytes_make(NULL, 0)), AZ_OK);
	assert_int_equal(buffer.size, 10);
	assert_true(buffer.room <= 10);
	assert_memory_equal(buffer.data, "0123456789", 10);
	buffer_fini(&buffer);
}

static void
a_buffer_takes_no_memory_before_it_is_used(void **state)
{
	struct buffer buffer;

	buffer_init(&buffer, 1000, true);
	assert_null(buffer.data);
	assert_int_equal(buffer_peek(&buffer).size, 0);
	buffer_clear(&buffer);
	buffer_consume(&buffer, 0);
	buffer_fini(&buffer);
}

static void
what_was_appended_is_there_in_order(void **state)
{
	struct buffer buffer;

	buffer_init(&buffer, 100000, true);
	for (uint32_t i = 0; i < 25000; i++) {
		uint8_t data[4] = {(uint8_t)i, (uint8_t)(i >> 8), 3, 4};
		assert_int_equal(buffer_append(&buffer, bytes_make(data, 4)), AZ_OK);
	}
	assert_int_equal(buffer.size, 100000);
	for (uint32_t i = 0; i < 25000; i++) {
		assert_int_equal(buffer.data[4 * i], i & 255);
		assert_int_equal(buffer.data[4 * i + 1], i >> 8);
	}
	buffer_fini(&buffer);
	assert_null(buffer.data);
	assert_int_equal(buffer_append(&buffer, bytes_of("again")), AZ_OK);
	buffer_fini(&buffer);
}

static void
a_sensitive_buffer_wipes_what_it_drops(void **state)
{
	struct buffer buffer;
	const uint8_t zeros[8] = {0};

	buffer_init(&buffer, 64, true);
	assert_int_equal(buffer_append(&buffer, bytes_of("secretly")), AZ_OK);
	buffer_consume(&buffer, 5);
	assert_int_equal(buffer.size, 3);
	assert_memory_equal(buffer.data, "tly", 3);
	assert_memory_equal(buffer.data + 3, zeros, 5);
	buffer_clear(&buffer);
	assert_memory_equal(buffer.data, zeros, 8);
	buffer_fini(&buffer);
}

static void
consuming_all_leaves_an_empty_buffer(void **state)
{
	struct buffer buffer;

	buffer_init(&buffer, 64, false);
	assert_int_equal(buffer_append(&buffer, bytes_of("abc")), AZ_OK);
	buffer_consume(&buffer, 3);
	assert_int_equal(buffer.size, 0);
	buffer_fini(&buffer);
}

static void
hexadecimal_goes_both_ways(void **state)
{
	uint8_t all[256];
	uint8_t back[256];
	char text[513];

	for (size_t i = 0; i < 256; i++)
		all[i] = (uint8_t)i;
	hex_encode(bytes_make(all, 256), text);
	for (size_t i = 0; i < 256; i++) {
		char pair[3] = {text[2 * i], text[2 * i + 1], '\0'};
		assert_int_equal(strtoul(pair, NULL, 16), i);
	}
	assert_true(hex_decode(text, back, 256));
	assert_memory_equal(back, all, 256);
	assert_true(hex_decode("aBcDeF", back, 3));
	assert_memory_equal(back, "\xab\xcd\xef", 3);
	assert_true(hex_decode("", back, 0));
}

static void
every_byte_but_a_digit_is_refused_as_hexadecimal(void **state)
{
	uint8_t data[1] = {42};

	for (unsigned c = 1; c < 256; c++) {
		char text[3] = {(char)c, '0', '\0'};
		bool digit =
		    (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
		assert_int_equal(hex_decode(text, data, 1), digit);
	}
}

static void
hexadecimal_of_another_length_is_refused(void **state)
{
	uint8_t data[2] = {42, 42};

	assert_false(hex_decode("aab", data, 2));
	assert_false(hex_decode("aabbc", data, 2));
	assert_false(hex_decode("aabbcc", data, 2));
	assert_false(hex_decode("", data, 2));
	assert_false(hex_decode("", data, SIZE_MAX));
	assert_int_equal(data[0], 42);
}

/* The vectors of RFC 4648, section 10. */
static const struct {
	const char *plain;
	const char *text;
} vectors[] = {
    {"", ""},
    {"f", "Zg=="},
    {"fo", "Zm8="},
    {"foo", "Zm9v"},
    {"foob", "Zm9vYg=="},
    {"fooba", "Zm9vYmE="},
    {"foobar", "Zm9vYmFy"},
};

static void
base64_agrees_with_the_published_vectors(void **state)
{
	struct buffer buffer;

	buffer_init(&buffer, 64, true);
	for (size_t i = 0; i < AZ_ARRAY_SIZE(vectors); i++) {
		buffer_clear(&buffer);
		assert_int_equal(base64_encode(bytes_of(vectors[i].plain), &buffer), AZ_OK);
		assert_true(bytes_equal(buffer_peek(&buffer), bytes_of(vectors[i].text)));
		buffer_clear(&buffer);
		assert_int_equal(base64_decode(bytes_of(vectors[i].text), &buffer), AZ_OK);
		assert_true(bytes_equal(buffer_peek(&buffer), bytes_of(vectors[i].plain)));
	}
	buffer_fini(&buffer);
}

static void
base64_uses_the_standard_alphabet(void **state)
{
	static const char alphabet[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	struct buffer bytes;
	struct buffer text;

	buffer_init(&bytes, 48, false);
	buffer_init(&text, 64, false);
	/* Nothing, into what has no memory yet. */
	assert_int_equal(base64_decode(bytes_of(""), &bytes), AZ_OK);
	assert_int_equal(bytes.size, 0);
	assert_int_equal(base64_decode(bytes_of(alphabet), &bytes), AZ_OK);
	assert_int_equal(bytes.size, 48);
	assert_memory_equal(bytes.data, "\x00\x10\x83\x10\x51\x87", 6);
	assert_int_equal(base64_encode(buffer_peek(&bytes), &text), AZ_OK);
	assert_true(bytes_equal(buffer_peek(&text), bytes_of(alphabet)));
	buffer_fini(&text);
	buffer_fini(&bytes);
}

static void
only_the_one_base64_form_is_accepted(void **state)
{
	static const char *const bad[] = {
	    "Z",
	    "Zg",
	    "Zg=",
	    "Zg===",
	    "Zh==",
	    "Zm9=",
	    "Z===",
	    "====",
	    "=",
	    "Zg==Zg==",
	    "Zm9v\n",
	    "Zm 9",
	    "Zm9-",
	    "Zm9_",
	    "Zm=v",
	    "\xc3\xa9zz",
	};
	struct buffer buffer;

	buffer_init(&buffer, 64, false);
	assert_int_equal(buffer_append(&buffer, bytes_of("kept")), AZ_OK);
	for (size_t i = 0; i < AZ_ARRAY_SIZE(bad); i++)
		assert_int_equal(base64_decode(bytes_of(bad[i]), &buffer), AZ_INVALID);
	assert_true(bytes_equal(buffer_peek(&buffer), bytes_of("kept")));
	buffer_fini(&buffer);
}

static void
every_byte_outside_the_alphabet_is_refused_as_base64(void **state)
{
	struct buffer buffer;

	buffer_init(&buffer, 4096, false);
	for (unsigned c = 0; c < 256; c++) {
		uint8_t text[4] = {(uint8_t)c, 'A', 'A', 'A'};
		bool digit = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
		    (c >= 'A' && c <= 'Z') || c == '+' || c == '/';
		enum az_status status = base64_decode(bytes_make(text, 4), &buffer);
		assert_int_equal(status, digit ? AZ_OK : AZ_INVALID);
	}
	buffer_fini(&buffer);
}

static void
base64_respects_the_maximum(void **state)
{
	struct buffer buffer;

	buffer_init(&buffer, 7, false);
	assert_int_equal(base64_encode(bytes_of("abcdef"), &buffer), AZ_LIMIT);
	assert_int_equal(base64_decode(bytes_of("AAAAAAAAAAAA"), &buffer), AZ_LIMIT);
	assert_int_equal(buffer.size, 0);
	assert_int_equal(base64_encode(bytes_of("abc"), &buffer), AZ_OK);
	buffer_fini(&buffer);
}

static void
a_sum_is_that_of_its_standard(void **state)
{
	(void)state;
	/* The check value of CRC-32/ISO-HDLC. */
	assert_int_equal(bytes_crc32(bytes_of("123456789")), 0xcbf43926);
	assert_int_equal(bytes_crc32(bytes_of("")), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(unequal_bytes_are_told_apart_at_every_place),
	    cmocka_unit_test(a_prefix_is_not_equal),
	    cmocka_unit_test(order_is_that_of_unsigned_bytes),
	    cmocka_unit_test(wiping_leaves_zeros_and_takes_nothing),
	    cmocka_unit_test(overflow_is_refused_and_writes_nothing),
	    cmocka_unit_test(a_buffer_never_grows_past_its_maximum),
	    cmocka_unit_test(a_buffer_takes_no_memory_before_it_is_used),
	    cmocka_unit_test(what_was_appended_is_there_in_order),
	    cmocka_unit_test(a_sensitive_buffer_wipes_what_it_drops),
	    cmocka_unit_test(consuming_all_leaves_an_empty_buffer),
	    cmocka_unit_test(hexadecimal_goes_both_ways),
	    cmocka_unit_test(every_byte_but_a_digit_is_refused_as_hexadecimal),
	    cmocka_unit_test(hexadecimal_of_another_length_is_refused),
	    cmocka_unit_test(base64_agrees_with_the_published_vectors),
	    cmocka_unit_test(base64_uses_the_standard_alphabet),
	    cmocka_unit_test(only_the_one_base64_form_is_accepted),
	    cmocka_unit_test(every_byte_outside_the_alphabet_is_refused_as_base64),
	    cmocka_unit_test(base64_respects_the_maximum),
	    cmocka_unit_test(a_sum_is_that_of_its_standard),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
