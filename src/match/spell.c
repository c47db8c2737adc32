/*
 * Keys put together, and the plain kinds: numbers and addresses of e-mail (docs/format/match.md).
 */
#include <string.h>

#include "base/clock.h"
#include "match/match_internal.h"

void
spelling_begin(struct spelling *spelling, struct match_key *key, enum match_kind kind)
{
	*spelling = (struct spelling){.key = key};
	key->kind = kind;
	key->size = 1;
	key->key[0] = MATCH_VERSION;
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
spelling_put_bytes(struct spelling *spelling, struct bytes bytes)
{
	if (bytes.size > MATCH_KEY_MAX - (size_t)spelling->key->size) {
		spelling->too_long = true;
		return;
	}
	memcpy(spelling->key->key + spelling->key->size, bytes.data, bytes.size);
	spelling->key->size = (uint16_t)(spelling->key->size + bytes.size);
}

/* ASCII, kana and kanji, as long as there is room; returns how many of the symbols are put. */
static size_t
put_plain(struct match_key *key, const uint16_t *symbols, size_t count)
{
	uint8_t *to = key->key + key->size;
	const uint8_t *end = key->key + MATCH_KEY_MAX - 3;
	size_t at = 0;

	for (; at < count && to <= end; at++) {
		uint32_t symbol = symbols[at];

		if (symbol < 0x80) {
			*to++ = (uint8_t)symbol;
		} else if (symbol >= 0x800 && symbol < 0xd800) {
			*to++ = (uint8_t)(0xe0 | symbol >> 12);
			*to++ = (uint8_t)(0x80 | (symbol >> 6 & 0x3f));
			*to++ = (uint8_t)(0x80 | (symbol & 0x3f));
		} else {
			break;
		}
	}
	key->size = (uint16_t)(to - key->key);
	return at;
}

void
spelling_put_symbols(struct spelling *spelling, const uint16_t *symbols, size_t count)
{
	size_t start = put_plain(spelling->key, symbols, count);

	for (size_t at = start; at < count;) {
		uint8_t utf8[4];
		size_t size = fold_utf8(symbols, count, &at, utf8);

		for (size_t i = 0; i < size; i++)
			spelling_put(spelling, utf8[i]);
	}
}

void
date_text(int32_t days, uint8_t text[DATE_SIZE])
{
	int year;
	int month;
	int day;

	date_to_civil(days, &year, &month, &day);
	for (unsigned int i = 0; i < 4; i++, year /= 10)
		text[3 - i] = (uint8_t)('0' + year % 10);
	text[4] = '-';
	text[5] = (uint8_t)('0' + month / 10);
	text[6] = (uint8_t)('0' + month % 10);
	text[7] = '-';
	text[8] = (uint8_t)('0' + day / 10);
	text[9] = (uint8_t)('0' + day % 10);
}

void
spelling_separate(struct spelling *spelling)
{
	spelling_put(spelling, '|');
}

bool
spelling_end(const struct spelling *spelling)
{
	return !spelling->too_long && spelling->key->size > 1;
}

/* Appends a value without blanks; false if there is nothing of it. */
static bool
spell_text(struct spelling *spelling, const struct text *text, size_t from, size_t to)
{
	size_t before = spelling->key->size;

	if (text->too_long) {
		spelling->too_long = true;
		return false;
	}
	while (from < to) {
		size_t end = from;

		while (end < to && text->symbols[end] != ' ')
			end++;
		spelling_put_symbols(spelling, text->symbols + from, end - from);
		from = end + 1;
	}
	return spelling->key->size > before;
}

/* Digits and small letters of ASCII, which fold to themselves. */
static bool
is_plain(struct bytes value)
{
	for (size_t i = 0; i < value.size; i++) {
		if (!is_digit(value.data[i]) && !is_latin_letter(value.data[i]))
			return false;
	}
	return value.size > 0;
}

bool
spell_number(struct spelling *spelling, struct bytes value)
{
	AZ_UNCLEARED struct text text;

	if (is_plain(value) && value.size <= TEXT_MAX) {
		spelling_put_bytes(spelling, value);
		return !spelling->too_long;
	}

	fold(value, FOLD_NAME, &text);
	return spell_text(spelling, &text, 0, text.count);
}

/* Where symbol stands between from and to; to if it does not. */
static size_t
find(const struct text *text, size_t from, size_t to, uint16_t symbol)
{
	while (from < to && text->symbols[from] != symbol)
		from++;
	return from;
}

/*
 * Takes what mail programs put around an address: a name before <…>, mailto: before it, and full stops or
 * brackets behind.
 */
bool
spell_email(struct spelling *spelling, struct bytes value)
{
	static const uint16_t scheme[] = {'m', 'a', 'i', 'l', 't', 'o', ':'};
	AZ_UNCLEARED struct text text;
	size_t from = 0;
	size_t to;
	size_t at;

	fold(value, FOLD_NAME, &text);
	to = text.count;
	at = find(&text, 0, to, '<');
	if (at < to) {
		from = at + 1;
		to = find(&text, from, to, '>');
	}
	while (from < to && text.symbols[from] == ' ')
		from++;
	if (to - from > AZ_ARRAY_SIZE(scheme) &&
	    bytes_equal(bytes_make(text.symbols + from, sizeof(scheme)),
		bytes_make(scheme, sizeof(scheme))))
		from += AZ_ARRAY_SIZE(scheme);
	while (to > from &&
	    (text.symbols[to - 1] == '.' || text.symbols[to - 1] == ',' ||
		text.symbols[to - 1] == ';' || text.symbols[to - 1] == ' '))
		to--;
	at = find(&text, from, to, '@');
	if (at == from || at + 1 >= to || find(&text, at + 1, to, '@') < to)
		return false;
	return spell_text(spelling, &text, from, to);
}
