/*
 * Keys by which a row is found whose name, birth, address or telephone was damaged on its way to a broker. They are
 * never asked by and find nobody alone: each gives candidates, which then are scored. Between them, hardly any damage
 * hits all three:
 *
 *   name             its words in any order, so that surname and given name may be swapped
 *   birth+region     the birth date, and the first two digits of the postcode: survives any damage of name and street
 *   postcode+number  the postcode, and the first two numbers of the address: survives any damage of name and birth,
 *                    and of how towns and streets are spelled
 */
#include <stdlib.h>
#include <string.h>

#include "match/match_internal.h"

#define WORDS_MAX           8u
#define REGION_DIGITS       2u
#define POSTCODE_DIGITS_MIN 3u
#define POSTCODE_DIGITS_MAX 10u
#define POSTCODE_OF_JAPAN   7u
#define NUMBERS_MAX         2u
#define NUMBER_DIGITS_MAX   6u

static bool
is_digit(uint8_t byte)
{
	return byte >= '0' && byte <= '9';
}

/* --- names ------------------------------------------------------------------------------------ */

/* Cuts a value at blanks, of either width; returns how many words there are by now, at most WORDS_MAX. */
static size_t
cut_words(struct bytes value, struct bytes words[WORDS_MAX], size_t count)
{
	size_t start = 0;
	size_t at = 0;

	while (at < value.size) {
		struct bytes raw;
		uint8_t ascii = text_next(value, &at, &raw);
		size_t end = at - raw.size;

		if (ascii == 0 || ascii > ' ')
			continue;
		if (end > start && count < WORDS_MAX)
			words[count++] = bytes_make(value.data + start, end - start);
		start = at;
	}
	if (at > start && count < WORDS_MAX)
		words[count++] = bytes_make(value.data + start, at - start);
	return count;
}

static int
compare_words(const void *a, const void *b)
{
	return bytes_compare(*(const struct bytes *)a, *(const struct bytes *)b);
}

static bool
is_latin(struct bytes word)
{
	for (size_t at = 0; at < word.size;) {
		struct bytes raw;

		if (text_next(word, &at, &raw) == 0)
			return false;
	}
	return true;
}

/*
 * Words of Latin letters are sorted. Others stay as they are, since 山田 太郎 and 山田太郎 are the same name and only the
 * first says where it would be cut.
 */
static bool
spell_words(struct spelling *spelling, const struct row *row)
{
	struct match_key word_keys[WORDS_MAX];
	struct bytes words[WORDS_MAX];
	struct bytes spelled[WORDS_MAX];
	size_t count = 0;
	size_t spelled_count = 0;

	if (row->values[FIELD_NAME].size > 0) {
		count = cut_words(row->values[FIELD_NAME], words, 0);
	} else {
		count = cut_words(row->values[FIELD_SURNAME], words, 0);
		count = cut_words(row->values[FIELD_GIVEN], words, count);
	}
	for (size_t i = 0; i < count; i++) {
		struct row one = {0};
		struct spelling word;

		if (!is_latin(words[i]))
			return spell_name(spelling, row);
		one.values[FIELD_NAME] = words[i];
		spelling_begin(&word, &word_keys[spelled_count], MATCH_NAME);
		if (!spell_name(&word, &one) || !spelling_end(&word))
			continue;
		spelled[spelled_count] = bytes_make(
		    word_keys[spelled_count].key + 1, word_keys[spelled_count].size - 1u);
		spelled_count++;
	}
	if (spelled_count > 1)
		qsort(spelled, spelled_count, sizeof(spelled[0]), compare_words);
	for (size_t i = 0; i < spelled_count; i++) {
		for (size_t at = 0; at < spelled[i].size; at++)
			spelling_put(spelling, spelled[i].data[at]);
		spelling_separate(spelling);
	}
	az_wipe(word_keys, sizeof(word_keys));
	return spelled_count > 0;
}

/* --- places ----------------------------------------------------------------------------------- */

/* The digits of a postcode. One of Japan that begins with 0 has lost it in many a spreadsheet. */
static size_t
postcode_digits(struct bytes value, uint8_t digits[POSTCODE_DIGITS_MAX])
{
	size_t count = 0;

	for (size_t at = 0; at < value.size;) {
		struct bytes raw;
		uint8_t ascii = text_next(value, &at, &raw);

		if (!is_digit(ascii))
			continue;
		if (count == POSTCODE_DIGITS_MAX)
			return 0;
		digits[count++] = ascii;
	}
	if (count == POSTCODE_OF_JAPAN - 1) {
		memmove(digits + 1, digits, count++);
		digits[0] = '0';
	}
	return count >= POSTCODE_DIGITS_MIN ? count : 0;
}

/* 1 to 9 for a numeral in kanji, 10 for 十, else 0. */
static unsigned int
kanji_numeral(struct bytes raw)
{
	static const char *const numerals[] = {
	    "一", "二", "三", "四", "五", "六", "七", "八", "九", "十"};

	for (unsigned int i = 0; i < AZ_ARRAY_SIZE(numerals); i++) {
		if (raw.size == 3 && bytes_equal(raw, bytes_of(numerals[i])))
			return i + 1;
	}
	return 0;
}

/* Whether 丁 follows: only there do kanji certainly count, and are no part of a name such as 三番町. */
static bool
is_block(struct bytes value, size_t at)
{
	static const uint8_t cho[] = {0xe4, 0xb8, 0x81};

	return value.size - at >= sizeof(cho) &&
	    bytes_equal(bytes_make(value.data + at, sizeof(cho)), bytes_make(cho, sizeof(cho)));
}

/* Reads the next number of an address, in digits or before 丁目 in kanji; 0 at the end. */
static unsigned long
next_number(struct bytes value, size_t *at)
{
	unsigned long number = 0;
	unsigned long kanji = 0;
	size_t digits = 0;

	while (*at < value.size) {
		size_t before = *at;
		struct bytes raw;
		uint8_t ascii = text_next(value, at, &raw);
		unsigned int numeral = ascii == 0 ? kanji_numeral(raw) : 0;

		if (is_digit(ascii) && digits < NUMBER_DIGITS_MAX) {
			number = number * 10 + (unsigned long)(ascii - '0');
			digits++;
			continue;
		}
		if (digits > 0) {
			*at = before;
			return number;
		}
		if (numeral == 10)
			kanji = kanji == 0 ? 10 : kanji * 10;
		else if (numeral > 0)
			kanji += numeral;
		else
			kanji = 0;
		if (numeral > 0 && is_block(value, *at))
			return kanji;
	}
	return number;
}

/* --- the keys --------------------------------------------------------------------------------- */

static bool
make_name(const struct row *row, struct match_key *key)
{
	struct spelling spelling;

	spelling_begin(&spelling, key, MATCH_NAME);
	return spell_words(&spelling, row) && spelling_end(&spelling);
}

static bool
make_birth_region(const struct row *row, struct match_key *key)
{
	uint8_t digits[POSTCODE_DIGITS_MAX];
	struct spelling spelling;
	int32_t days;

	if (!match_date(row->values[FIELD_BIRTH], &days) ||
	    postcode_digits(row->values[FIELD_POSTCODE], digits) == 0)
		return false;
	spelling_begin(&spelling, key, MATCH_BIRTH_REGION);
	for (size_t i = 0; i < REGION_DIGITS; i++)
		spelling_put(&spelling, digits[i]);
	spelling_separate(&spelling);
	for (unsigned int shift = 0; shift < 32; shift += 8)
		spelling_put(&spelling, (uint8_t)((uint32_t)days >> shift));
	return spelling_end(&spelling);
}

static bool
make_postcode_number(const struct row *row, struct match_key *key)
{
	uint8_t digits[POSTCODE_DIGITS_MAX];
	size_t count = postcode_digits(row->values[FIELD_POSTCODE], digits);
	struct spelling spelling;
	size_t at = 0;
	size_t numbers = 0;

	if (count == 0)
		return false;
	spelling_begin(&spelling, key, MATCH_POSTCODE_NUMBER);
	for (size_t i = 0; i < count; i++)
		spelling_put(&spelling, digits[i]);
	for (; numbers < NUMBERS_MAX; numbers++) {
		unsigned long number = next_number(row->values[FIELD_ADDRESS], &at);

		if (number == 0)
			break;
		spelling_separate(&spelling);
		for (unsigned int shift = 0; shift < 32; shift += 8)
			spelling_put(&spelling, (uint8_t)(number >> shift));
	}
	return numbers > 0 && spelling_end(&spelling);
}

size_t
damaged_keys(const struct row *row, struct match_key keys[DAMAGED_KEYS_MAX])
{
	size_t count = 0;

	count += make_name(row, &keys[count]) ? 1 : 0;
	count += make_birth_region(row, &keys[count]) ? 1 : 0;
	count += make_postcode_number(row, &keys[count]) ? 1 : 0;
	return count;
}
