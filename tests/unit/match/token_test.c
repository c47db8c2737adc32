/* A value that was found by itself has the key that a row with it has, whatever stands in it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "match/match.h"

static void
agree(enum match_kind kind, struct bytes text)
{
	struct row row = {0};
	struct match_key keys[MATCH_KEYS_MAX];
	struct match_key key;
	bool bad = false;
	size_t count;
	bool made = match_token(kind, text, &key);

	row.values[kind == MATCH_PHONE ? FIELD_PHONE : FIELD_EMAIL] = text;
	count = match_row(&row, keys, &bad);
	for (size_t i = 0; i < count; i++) {
		if (keys[i].kind != kind)
			continue;
		assert_true(made);
		assert_int_equal(key.kind, kind);
		assert_int_equal(key.size, keys[i].size);
		assert_memory_equal(key.key, keys[i].key, key.size);
		return;
	}
	assert_false(made);
}

static void
values_that_people_write_have_the_keys_of_rows(void **state)
{
	static const char *const phones[] = {"03-1234-5678", "0312345678", "(03) 1234 5678",
	    "+81 3 1234 5678", "+81 (0)3-1234-5678", "81312345678", "010-81-3-1234-5678",
	    "312345678", "9012345678", "0081-3-1234-5678", "090-1234-5678.0", "090.1234.5678",
	    "0312345678.00", "000-0000-0000", "090-0000-0000", "0123456789", "+1 541-714-1388",
	    "12345", "", "-", "+", "++3", "03-1234-56789012345678901234567890123456",
	    "03-1234-5678x12", "９０-1234-5678", "1.5", "9.01E+09"};
	static const char *const emails[] = {"ann@example.jp", "Ann.LEE+x@Example.JP",
	    "ann@example.jp.", "ann@example.jp,;", "@example.jp", "ann@", "ann@@example.jp",
	    "a@b@c", "mailto:ann@example.jp", "<ann@example.jp>", "ann@ex ample.jp", "",
	    "ａｎｎ@example.jp", "o'neil@example.jp", "a~b|c{d}@example.jp", "a\\b@example.jp",
	    "a`b^c@example.jp", "\x01@b.c", "a@b\x7f"};

	(void)state;
	for (size_t i = 0; i < AZ_ARRAY_SIZE(phones); i++)
		agree(MATCH_PHONE, bytes_of(phones[i]));
	for (size_t i = 0; i < AZ_ARRAY_SIZE(emails); i++)
		agree(MATCH_EMAIL, bytes_of(emails[i]));
}

static void
so_have_values_that_nobody_writes(void **state)
{
	static const char phone[] = "0123456789 -+.()0389019";
	static const char email[] = "abcXYZ019._%+-@.@<>:;, '~^\\|";
	uint64_t seed = 88172645463325252u;

	(void)state;
	for (unsigned int round = 0; round < 60000; round++) {
		uint8_t text[40];
		size_t size;

		seed ^= seed << 13;
		seed ^= seed >> 7;
		seed ^= seed << 17;
		size = seed % sizeof(text);
		for (size_t i = 0; i < size; i++) {
			seed = seed * 6364136223846793005u + 1442695040888963407u;
			text[i] =
			    (uint8_t)(round % 2 == 0 ? phone[(seed >> 33) % (sizeof(phone) - 1)]
						     : email[(seed >> 33) % (sizeof(email) - 1)]);
		}
		agree(round % 2 == 0 ? MATCH_PHONE : MATCH_EMAIL, bytes_make(text, size));
	}
}

static void
other_kinds_have_none(void **state)
{
	struct match_key key;

	(void)state;
	assert_false(match_token(MATCH_NUMBER, bytes_of("12345678"), &key));
	assert_false(match_token(MATCH_NAME_BIRTH, bytes_of("03-1234-5678"), &key));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(values_that_people_write_have_the_keys_of_rows),
	    cmocka_unit_test(so_have_values_that_nobody_writes),
	    cmocka_unit_test(other_kinds_have_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
