/*
 * Telephone numbers, as Japan writes them.
 *
 *	03-1234-5678  +81 3-1234-5678  +81 (0)3 …  81312345678  010-81-3-…  (03)1234-5678 内線12   → 0312345678
 *	9012345678, 312345678: a spreadsheet took the zero                        → 09012345678, 0312345678
 *	+61 2 9999 8888: of another country                                        → +61299998888
 *
 * Numbers that begin with 0 have 10 digits; with 050, 060, 070, 080, 090 and 0800, 11. One of these that has
 * lost digits, one in exponents (9.01E+09), and one digit repeated to the end (090-0000-0000) are nobody's.
 * Anything else of 6 to 15 digits stays as it is: it may be of another country, written as at home.
 */
#include <string.h>

#include "match/match_internal.h"

#define DIGITS_MIN   6u
#define DIGITS_MAX   15u
#define DIGITS_WHOLE 9u      /* so many are a number; behind them another may begin */
#define NAISEN       0x5185u /* 内 of 内線: what follows is an extension */

struct digits {
	size_t count;
	bool plus;
	bool exponent;
	char text[2 * DIGITS_MAX];
};

/* What ends a number: an extension, a word, or a second number. */
static bool
ends(const struct text *text, size_t at, const struct digits *digits)
{
	uint16_t symbol = text->symbols[at];

	if (digits->count < DIGITS_MIN)
		return false;
	if (symbol == 'x' || symbol == 'e' || symbol == '#' || symbol == NAISEN)
		return true;
	return digits->count >= DIGITS_WHOLE &&
	    (symbol == '/' || symbol == ',' || symbol == ';' || symbol == 0x3001 ||
		is_latin_letter(symbol) || symbol >= 0x4e00);
}

static bool
is_exponent(const struct text *text, size_t at)
{
	return text->symbols[at] == 'e' && at > 0 && is_digit(text->symbols[at - 1]) &&
	    at + 1 < text->count &&
	    (text->symbols[at + 1] == '+' || is_digit(text->symbols[at + 1]));
}

static void
read_digits(const struct text *text, struct digits *ret_digits)
{
	ret_digits->count = 0;
	ret_digits->plus = false;
	ret_digits->exponent = false;
	for (size_t at = 0; at < text->count; at++) {
		uint16_t symbol = text->symbols[at];

		if (is_exponent(text, at)) {
			ret_digits->exponent = true;
			return;
		}
		if (ends(text, at, ret_digits))
			return;
		if (symbol == '+' && ret_digits->count == 0)
			ret_digits->plus = true;
		/* "090-1234-5678.0": a number that was a fraction once. */
		if (symbol == '.' && ret_digits->count >= DIGITS_WHOLE && at + 2 == text->count &&
		    text->symbols[at + 1] == '0')
			return;
		if (!is_digit(symbol))
			continue;
		if (ret_digits->count == sizeof(ret_digits->text))
			return;
		ret_digits->text[ret_digits->count++] = (char)symbol;
	}
}

/* 03-1234-5678, 0312345678 in ASCII, as nearly all are: without folding. */
static bool
read_plain(struct bytes value, struct digits *ret_digits)
{
	ret_digits->count = 0;
	ret_digits->plus = false;
	ret_digits->exponent = false;
	if (value.size > sizeof(ret_digits->text))
		return false;
	for (size_t at = 0; at < value.size; at++) {
		if (is_digit(value.data[at]))
			ret_digits->text[ret_digits->count++] = (char)value.data[at];
		else if (value.data[at] != '-')
			return false;
	}
	return true;
}

static bool
begins(const struct digits *digits, const char *prefix)
{
	size_t size = strlen(prefix);

	return digits->count >= size && strncmp(digits->text, prefix, size) == 0;
}

static void
replace_head(struct digits *digits, size_t drop)
{
	/* Some write +81 (0)3: the zero is there already. */
	if (drop < digits->count && digits->text[drop] == '0')
		drop++;
	memmove(digits->text + 1, digits->text + drop, digits->count - drop);
	digits->text[0] = '0';
	digits->count = digits->count - drop + 1;
	digits->plus = false;
}

/* Brings a number with the country's code, or one that lost its zero, to the form at home. */
static void
bring_home(struct digits *digits)
{
	if (begins(digits, "01081") && digits->count >= 13)
		replace_head(digits, 5);
	else if (begins(digits, "0081") && digits->count >= 12)
		replace_head(digits, 4);
	else if (begins(digits, "81") &&
	    (digits->plus || (digits->count >= 11 && digits->count <= 13)))
		replace_head(digits, 2);
	else if (digits->plus || digits->text[0] == '0')
		return;
	else if (digits->count == 9 ||
	    (digits->count == 10 && strchr("56789", digits->text[0]) != NULL &&
		(digits->text[1] == '0')))
		replace_head(digits, 0);
}

/* How many digits a number at home has that begins like this one. */
static size_t
length_at_home(const struct digits *digits)
{
	bool long_area = digits->text[2] == '0' && strchr("56789", digits->text[1]) != NULL;

	return long_area || begins(digits, "0800") ? 11 : 10;
}

/* One digit to the end behind the area code, or the digits in their order: typed to fill a form. */
static bool
is_filler(const struct digits *digits)
{
	size_t tail = digits->count - (digits->count == 11 ? 8 : 7);
	bool same = true;
	bool ascending = true;

	for (size_t i = 1; i < digits->count; i++) {
		same = same && (i <= tail || digits->text[i] == digits->text[i - 1]);
		ascending = ascending && (digits->text[i] - digits->text[i - 1] + 10) % 10 == 1;
	}
	return same || ascending;
}

/* Puts the number that the digits are; false if they are nobody's. */
static bool
put_number(struct spelling *spelling, struct digits *digits)
{
	if (digits->exponent || digits->count < DIGITS_MIN)
		return false;
	bring_home(digits);
	if (digits->count > DIGITS_MAX)
		return false;
	if (digits->text[0] == '0' && !digits->plus && digits->count != length_at_home(digits) &&
	    digits->count != 11)
		return false;
	if (digits->count >= DIGITS_WHOLE && is_filler(digits))
		return false;
	if (digits->plus)
		spelling_put(spelling, '+');
	spelling_put_bytes(spelling, bytes_make(digits->text, digits->count));
	return true;
}

bool
spell_phone(struct spelling *spelling, struct bytes value)
{
	AZ_UNCLEARED struct text text;
	AZ_UNCLEARED struct digits digits;

	text.too_long = false;
	if (!read_plain(value, &digits)) {
		fold(value, FOLD_NAME, &text);
		read_digits(&text, &digits);
	}
	return !text.too_long && put_number(spelling, &digits);
}

bool
spell_plain_phone(struct spelling *spelling, struct bytes value)
{
	AZ_UNCLEARED struct digits digits;

	digits.count = 0;
	digits.plus = false;
	digits.exponent = false;
	for (size_t at = 0; at < value.size && digits.count < sizeof(digits.text); at++) {
		uint8_t byte = value.data[at];

		if (byte == '+' && digits.count == 0)
			digits.plus = true;
		if (byte == '.' && digits.count >= DIGITS_WHOLE && at + 2 == value.size &&
		    value.data[at + 1] == '0')
			break;
		if (is_digit(byte))
			digits.text[digits.count++] = (char)byte;
	}
	return put_number(spelling, &digits);
}
