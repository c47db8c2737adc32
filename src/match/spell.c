/*
 * One spelling for each kind of value: the rules of version 1 (docs/format/match.md).
 *
 * Digits, letters and signs in full width become ASCII, and the ideographic space a space; ASCII letters
 * become lower case. Everything beyond is left as it is: no reading is guessed and no two different letters
 * are made one, since a wrong join shows a stranger's data and a missed one only asks again.
 */
#include <string.h>

#include "match/match_internal.h"

#define SEPARATOR        0x1f
#define PHONE_DIGITS_MIN 6u
#define PHONE_DIGITS_MAX 20u

void
spelling_begin(struct spelling *spelling, struct match_key *key, enum match_kind kind)
{
	*spelling = (struct spelling){.key = key};
	key->kind = kind;
	key->size = 0;
	spelling_put(spelling, MATCH_VERSION);
}

void
spelling_put(struct spelling *spelling, uint8_t byte)
{
	if (spelling->key->size == MATCH_KEY_MAX)
		spelling->too_long = true;
	else
		spelling->key->key[spelling->key->size++] = byte;
}

void
spelling_separate(struct spelling *spelling)
{
	spelling_put(spelling, SEPARATOR);
}

bool
spelling_end(const struct spelling *spelling)
{
	return !spelling->too_long && spelling->key->size > 1;
}

static size_t
character_size(uint8_t first)
{
	if (first < 0x80)
		return 1;
	if (first < 0xe0)
		return 2;
	return first < 0xf0 ? 3 : 4;
}

uint8_t
text_next(struct bytes text, size_t *at, struct bytes *ret_raw)
{
	const uint8_t *data = text.data + *at;
	size_t size = character_size(data[0]);

	if (size > text.size - *at)
		size = text.size - *at;
	*at += size;
	*ret_raw = bytes_make(data, size);
	if (size == 1)
		return data[0];
	/* U+FF01 to U+FF5E are U+0021 to U+007E in full width; U+3000 is a space. */
	if (size == 3 && data[0] == 0xef && (data[1] == 0xbc || data[1] == 0xbd)) {
		unsigned int low = ((data[1] & 0x3fu) << 6) | (data[2] & 0x3fu);
		unsigned int ascii = low - 0xf01u + 0x21u;

		if (low >= 0xf01u && ascii <= 0x7e)
			return (uint8_t)ascii;
	}
	if (size == 3 && data[0] == 0xe3 && data[1] == 0x80 && data[2] == 0x80)
		return ' ';
	return 0;
}

static uint8_t
lower(uint8_t byte)
{
	return byte >= 'A' && byte <= 'Z' ? (uint8_t)(byte - 'A' + 'a') : byte;
}

static bool
is_digit(uint8_t byte)
{
	return byte >= '0' && byte <= '9';
}

static bool
is_letter_or_digit(uint8_t byte)
{
	return is_digit(byte) || (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

/* Appends a value in lower case without blanks, and without punctuation if asked; true if anything. */
static bool
spell_text(struct spelling *spelling, struct bytes value, bool without_punctuation)
{
	bool any = false;

	for (size_t at = 0; at < value.size;) {
		struct bytes raw;
		uint8_t ascii = text_next(value, &at, &raw);

		if (ascii == 0) {
			for (size_t i = 0; i < raw.size; i++)
				spelling_put(spelling, raw.data[i]);
			any = true;
		} else if (ascii > ' ' && (!without_punctuation || is_letter_or_digit(ascii))) {
			spelling_put(spelling, lower(ascii));
			any = true;
		}
	}
	return any;
}

bool
spell_number(struct spelling *spelling, struct bytes value)
{
	return spell_text(spelling, value, false);
}

bool
spell_place(struct spelling *spelling, struct bytes value)
{
	return spell_text(spelling, value, true);
}

bool
spell_name(struct spelling *spelling, const struct row *row)
{
	bool any;

	if (row->values[FIELD_NAME].size > 0)
		return spell_text(spelling, row->values[FIELD_NAME], false);
	any = spell_text(spelling, row->values[FIELD_SURNAME], false);
	return spell_text(spelling, row->values[FIELD_GIVEN], false) || any;
}

/* Whether a tail such as "ext. 12" begins here: what follows is not of the number. */
static bool
is_extension(uint8_t ascii, struct bytes raw, size_t digits)
{
	static const uint8_t naisen[] = {0xe5, 0x86, 0x85}; /* 内 of 内線 */

	return digits >= PHONE_DIGITS_MIN &&
	    (lower(ascii) == 'e' || lower(ascii) == 'x' || ascii == '#' ||
		bytes_equal(raw, bytes_make(naisen, sizeof(naisen))));
}

/* Puts 0 in the place of the country code of Japan: +81, or 81 and 01081 before a number long enough. */
static size_t
without_country(const uint8_t *digits, size_t count, bool plus, uint8_t ret[PHONE_DIGITS_MAX + 1])
{
	size_t skip = 0;

	if (count > 5 && bytes_equal(bytes_make(digits, 5), bytes_of("01081")))
		skip = 5;
	else if (count > 2 && (plus || count >= 11) &&
	    bytes_equal(bytes_make(digits, 2), bytes_of("81")))
		skip = 2;
	if (skip == 0) {
		memcpy(ret, digits, count);
		return count;
	}
	ret[0] = '0';
	/* Some write +81 (0)3: the zero is there already. */
	if (digits[skip] == '0')
		skip++;
	memcpy(ret + 1, digits + skip, count - skip);
	return count - skip + 1;
}

bool
spell_phone(struct spelling *spelling, struct bytes value)
{
	uint8_t digits[PHONE_DIGITS_MAX];
	uint8_t national[PHONE_DIGITS_MAX + 1];
	size_t count = 0;
	bool plus = false;

	for (size_t at = 0; at < value.size;) {
		struct bytes raw;
		uint8_t ascii = text_next(value, &at, &raw);

		if (is_extension(ascii, raw, count))
			break;
		plus = plus || (ascii == '+' && count == 0);
		if (!is_digit(ascii))
			continue;
		if (count == PHONE_DIGITS_MAX)
			return false;
		digits[count++] = ascii;
	}
	if (count < PHONE_DIGITS_MIN)
		return false;
	count = without_country(digits, count, plus, national);
	for (size_t i = 0; i < count; i++)
		spelling_put(spelling, national[i]);
	return true;
}

bool
spell_email(struct spelling *spelling, struct bytes value)
{
	size_t ats = 0;
	size_t before = spelling->key->size;
	const struct match_key *key = spelling->key;

	if (!spell_text(spelling, value, false))
		return false;
	for (size_t i = before; i < key->size; i++)
		ats += key->key[i] == '@';
	return ats == 1 && key->key[before] != '@' && key->key[key->size - 1] != '@';
}
