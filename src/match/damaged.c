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

/* --- names ------------------------------------------------------------------------------------ */

struct word {
	const uint16_t *symbols;
	size_t size;
};

static int
compare_words(const void *a, const void *b)
{
	const struct word *one = a;
	const struct word *other = b;
	size_t size = one->size < other->size ? one->size : other->size;

	for (size_t i = 0; i < size; i++) {
		if (one->symbols[i] != other->symbols[i])
			return one->symbols[i] < other->symbols[i] ? -1 : 1;
	}
	return one->size < other->size ? -1 : one->size > other->size;
}

/* Cuts at blanks; what is no letter or digit is dropped. Returns how many words there are. */
static size_t
cut_words(struct text *text, struct word words[WORDS_MAX])
{
	size_t kept = 0;
	size_t start = 0;
	size_t count = 0;

	for (size_t i = 0; i <= text->count && count < WORDS_MAX; i++) {
		uint16_t symbol = i < text->count ? text->symbols[i] : ' ';

		if (is_digit(symbol) || is_latin_letter(symbol) || symbol > 0x7f) {
			text->symbols[kept++] = symbol;
		} else if (symbol == ' ' && kept > start) {
			words[count++] =
			    (struct word){.symbols = text->symbols + start, .size = kept - start};
			start = kept;
		}
	}
	return count;
}

/*
 * Words of Latin letters are sorted. Others stay as they are, since 山田 太郎 and 山田太郎 are the same name and only the
 * first says where it would be cut.
 */
static bool
spell_sorted(struct spelling *spelling, const struct row *row)
{
	AZ_UNCLEARED struct text text;
	struct word words[WORDS_MAX];
	size_t count;

	fold(row->values[FIELD_NAME], FOLD_NAME, &text);
	if (row->values[FIELD_NAME].size == 0) {
		fold_more(row->values[FIELD_SURNAME], FOLD_NAME, &text);
		fold_more(bytes_of(" "), FOLD_NAME, &text);
		fold_more(row->values[FIELD_GIVEN], FOLD_NAME, &text);
	}
	count = cut_words(&text, words);
	if (count > 1 && name_is_title(words[0].symbols, words[0].size))
		words[0] = words[--count];
	if (count > 1)
		qsort(words, count, sizeof(words[0]), compare_words);
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			spelling_put(spelling, ' ');
		spelling_put_symbols(spelling, words[i].symbols, words[i].size);
	}
	return count > 0;
}

static bool
is_latin(const struct text *name)
{
	for (size_t i = 0; i < name->count; i++) {
		if (name->symbols[i] > 0x7f)
			return false;
	}
	return true;
}

/* --- places ----------------------------------------------------------------------------------- */
/* The digits of a postcode. One of Japan that begins with 0 has lost it in many a spreadsheet. */
static size_t
postcode_digits(struct bytes value, uint8_t digits[POSTCODE_DIGITS_MAX])
{
	AZ_UNCLEARED struct text text;
	size_t count = 0;

	fold(value, FOLD_NAME, &text);
	for (size_t at = 0; at < text.count;) {
		uint16_t symbol = text.symbols[at++];

		if (!is_digit(symbol))
			continue;
		if (count == POSTCODE_DIGITS_MAX)
			return 0;
		digits[count++] = (uint8_t)symbol;
	}
	if (count == POSTCODE_OF_JAPAN - 1) {
		memmove(digits + 1, digits, count++);
		digits[0] = '0';
	}
	return count >= POSTCODE_DIGITS_MIN ? count : 0;
}

/* Reads the next number of an address, in digits or before 丁目 in kanji; 0 at the end. */
static uint32_t
next_number(const struct text *text, size_t *at)
{
	while (*at < text->count) {
		size_t run = numeral_run(text->symbols + *at, text->count - *at);
		uint32_t value = 0;
		size_t digits = 0;

		while (*at < text->count && digits < NUMBER_DIGITS_MAX &&
		    is_digit(text->symbols[*at])) {
			value = value * 10 + (uint32_t)(text->symbols[(*at)++] - '0');
			digits++;
		}
		if (digits > 0)
			return value;
		/* Only before 丁 kanji certainly count, and are no part of a name such as 三番町. */
		if (run > 0 && *at + run < text->count && text->symbols[*at + run] == u'丁' &&
		    numeral_read(text->symbols + *at, run, &value)) {
			*at += run;
			return value;
		}
		*at += run > 0 ? run : 1;
	}
	return 0;
}

static void
spell_digits(struct spelling *spelling, uint32_t number)
{
	uint8_t digits[10];
	size_t count = 0;

	for (; number != 0; number /= 10)
		digits[count++] = (uint8_t)('0' + number % 10);
	while (count > 0)
		spelling_put(spelling, digits[--count]);
}

/* --- the keys --------------------------------------------------------------------------------- */

static bool
make_name(const struct row *row, const struct text *name, struct match_key *key)
{
	struct spelling spelling;

	if (name->count == 0)
		return false;
	spelling_begin(&spelling, key, MATCH_NAME);
	/* The first words of very many are enough. */
	if (is_latin(name))
		return spell_sorted(&spelling, row) && spelling_end(&spelling);
	spelling_put_symbols(&spelling, name->symbols, name->count);
	return !name->too_long && spelling_end(&spelling);
}

static bool
make_birth_region(const uint8_t *birth, const uint8_t *digits, size_t count, struct match_key *key)
{
	struct spelling spelling;

	if (birth == NULL || count == 0)
		return false;
	spelling_begin(&spelling, key, MATCH_BIRTH_REGION);
	spelling_put_bytes(&spelling, bytes_make(birth, DATE_SIZE));
	spelling_separate(&spelling);
	spelling_put_bytes(&spelling, bytes_make(digits, REGION_DIGITS));
	return spelling_end(&spelling);
}

static bool
make_postcode_number(
    struct bytes address, const uint8_t *digits, size_t count, struct match_key *key)
{
	AZ_UNCLEARED struct text text;
	struct spelling spelling;
	size_t at = 0;
	size_t numbers = 0;

	if (count == 0 || address.size == 0)
		return false;
	fold(address, FOLD_NAME, &text);
	spelling_begin(&spelling, key, MATCH_POSTCODE_NUMBER);
	spelling_put_bytes(&spelling, bytes_make(digits, count));
	for (; numbers < NUMBERS_MAX; numbers++) {
		uint32_t number = next_number(&text, &at);

		if (number == 0)
			break;
		spelling_put(&spelling, numbers == 0 ? '|' : '-');
		spell_digits(&spelling, number);
	}
	return numbers > 0 && spelling_end(&spelling);
}

size_t
damaged_keys(const struct row *row, const struct text *name, const uint8_t *birth,
    struct match_key keys[DAMAGED_KEYS_MAX])
{
	uint8_t digits[POSTCODE_DIGITS_MAX];
	size_t digit_count = row->values[FIELD_POSTCODE].size == 0
	    ? 0
	    : postcode_digits(row->values[FIELD_POSTCODE], digits);
	size_t count = 0;

	count += make_name(row, name, &keys[count]) ? 1 : 0;
	count += make_birth_region(birth, digits, digit_count, &keys[count]) ? 1 : 0;
	count += make_postcode_number(row->values[FIELD_ADDRESS], digits, digit_count, &keys[count])
	    ? 1
	    : 0;
	return count;
}
