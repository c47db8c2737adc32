/* Letters and distances: against the table of optimal string alignment, written out in the plainest way. */
#include "cm.h"

#include "trace/fold.h"

static struct fold
folded(const char *text)
{
	struct fold fold = {0};

	fold_add(&fold, bytes_of(text));
	return fold;
}

static bool
fold_alike(const char *a, const char *b)
{
	struct fold one = folded(a);
	struct fold other = folded(b);

	return fold_equal(one.letters, one.count, other.letters, other.count);
}

static size_t
least(size_t a, size_t b)
{
	return a < b ? a : b;
}

static size_t
plain_distance(const uint32_t *a, size_t a_count, const uint32_t *b, size_t b_count)
{
	static size_t table[FOLD_MAX + 1][FOLD_MAX + 1];

	for (size_t i = 0; i <= a_count; i++) {
		for (size_t j = 0; j <= b_count; j++) {
			if (i == 0 || j == 0) {
				table[i][j] = i + j;
				continue;
			}
			table[i][j] = least(table[i - 1][j] + 1, table[i][j - 1] + 1);
			table[i][j] =
			    least(table[i][j], table[i - 1][j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				table[i][j] = least(table[i][j], table[i - 2][j - 2] + 1);
		}
	}
	return table[a_count][b_count];
}

static void
widths_cases_blanks_and_signs_do_not_count(void **state)
{
	(void)state;
	assert_true(fold_alike("Ann  LEE", "ａｎｎ　ｌｅｅ"));
	assert_true(fold_alike("1-2-3", "１−２‐３"));
	assert_true(fold_alike("O'Brien", "obrien"));
	assert_false(fold_alike("センター", "センタ"));
	assert_false(fold_alike("佐藤", "佐籐"));
}

static void
words_begin_where_blanks_end(void **state)
{
	struct fold fold = folded(" 佐藤　健  一 ");
	size_t count;

	(void)state;
	assert_int_equal(fold.word_count, 3);
	assert_int_equal(fold.words[1], 2);
	(void)fold_word(&fold, 2, &count);
	assert_int_equal(count, 1);
	fold_add(&fold, bytes_of("x y z"));
	assert_int_equal(fold.word_count, FOLD_WORDS_MAX);
	(void)fold_word(&fold, FOLD_WORDS_MAX - 1, &count);
	assert_int_equal(count, 3);
}

static void
hiragana_is_read_as_katakana(void **state)
{
	struct fold one = {0};
	struct fold other = {0};

	(void)state;
	fold_add_kana(&one, bytes_of("さとう　けんー"));
	fold_add_kana(&other, bytes_of("サトウ ケンー"));
	assert_true(fold_equal(one.letters, one.count, other.letters, other.count));
}

static void
distances_are_those_of_the_table(void **state)
{
	uint32_t seed = 1;

	(void)state;
	for (unsigned int round = 0; round < 20000; round++) {
		uint32_t a[FOLD_MAX], b[FOLD_MAX];
		size_t a_count, b_count;

		seed = seed * 1664525u + 1013904223u;
		a_count = (seed >> 8) % (FOLD_MAX + 1);
		b_count = (seed >> 20) % (FOLD_MAX + 1);
		for (size_t i = 0; i < FOLD_MAX; i++) {
			seed = seed * 1664525u + 1013904223u;
			a[i] = 'a' + (seed >> 24) % 3;
			/* Often alike, so that short distances come up, too. */
			b[i] = (seed >> 16) % 4 == 0 ? 'a' + (seed >> 10) % 3 : a[i];
		}
		assert_int_equal(
		    fold_distance(a, a_count, b, b_count), plain_distance(a, a_count, b, b_count));
	}
}

static void
text_of_any_length_and_bytes_is_taken(void **state)
{
	uint8_t bytes[512];
	uint32_t seed = 7;
	uint32_t numbers[4];

	(void)state;
	for (unsigned int round = 0; round < 2000; round++) {
		struct fold fold = {0};

		for (size_t i = 0; i < sizeof(bytes); i++) {
			seed = seed * 1664525u + 1013904223u;
			bytes[i] = (uint8_t)(seed >> 24);
		}
		fold_add(&fold, bytes_make(bytes, round % sizeof(bytes)));
		assert_true(fold.count <= FOLD_MAX && fold.word_count <= FOLD_WORDS_MAX);
		assert_true(
		    fold_numbers(bytes_make(bytes, round % sizeof(bytes)), numbers, 4) <= 4);
	}
}

static void
numbers_are_read_in_any_width(void **state)
{
	uint32_t numbers[3];

	(void)state;
	assert_int_equal(fold_numbers(bytes_of("本町１２−3 ハイツ405-6"), numbers, 3), 3);
	assert_int_equal(numbers[0], 12);
	assert_int_equal(numbers[1], 3);
	assert_int_equal(numbers[2], 405);
	assert_int_equal(fold_numbers(bytes_of("本町"), numbers, 3), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(widths_cases_blanks_and_signs_do_not_count),
	    cmocka_unit_test(words_begin_where_blanks_end),
	    cmocka_unit_test(hiragana_is_read_as_katakana),
	    cmocka_unit_test(distances_are_those_of_the_table),
	    cmocka_unit_test(text_of_any_length_and_bytes_is_taken),
	    cmocka_unit_test(numbers_are_read_in_any_width),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
