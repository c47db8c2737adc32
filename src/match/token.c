/*
 * The keys of values that were found by themselves in bytes, many millions of them: the same as of a field of a row, made
 * faster where the value is plain. Whatever is not plain is left to the general way, so the two cannot drift apart in
 * what they refuse; that they agree in what they make is tested.
 */
#include "match/match_internal.h"

#define PLAIN_MAX 64u /* bytes of a telephone as it is written */

/* Digits, and what stands between them. */
static bool
is_plain_phone(struct bytes text)
{
	if (text.size > PLAIN_MAX)
		return false;
	for (size_t i = 0; i < text.size; i++) {
		uint8_t byte = text.data[i];

		if (!is_digit(byte) && byte != '-' && byte != ' ' && byte != '(' && byte != ')' &&
		    byte != '.' && byte != '+')
			return false;
	}
	return true;
}

/* False: it is not plain. */
static bool
put_plain_email(struct spelling *spelling, struct bytes text, bool *ret_made)
{
	const uint16_t *symbols = fold_symbols(FOLD_NAME);
	uint8_t folded[MATCH_KEY_MAX];
	size_t at = text.size;

	if (text.size > sizeof(folded) - 1)
		return false;
	while (text.size > 0 &&
	    (text.data[text.size - 1] == '.' || text.data[text.size - 1] == ',' ||
		text.data[text.size - 1] == ';'))
		text.size--;
	for (size_t i = 0; i < text.size; i++) {
		uint8_t byte = text.data[i];
		uint16_t symbol = byte < 0x80 ? symbols[byte] : 0;

		if (symbol <= ' ' || symbol >= 0x7f || symbol == '<' || symbol == '>' ||
		    symbol == ':')
			return false;
		if (symbol == '@') {
			if (at < text.size)
				return false;
			at = i;
		}
		folded[i] = (uint8_t)symbol;
	}
	*ret_made = at > 0 && at + 1 < text.size;
	if (*ret_made)
		spelling_put_bytes(spelling, bytes_make(folded, text.size));
	return true;
}

bool
match_token(enum match_kind kind, struct bytes text, struct match_key *ret_key)
{
	struct spelling spelling;
	bool made;

	spelling_begin(&spelling, ret_key, kind);
	if (kind == MATCH_PHONE)
		made = is_plain_phone(text) ? spell_plain_phone(&spelling, text)
					    : spell_phone(&spelling, text);
	else if (kind != MATCH_EMAIL)
		made = false;
	else if (!put_plain_email(&spelling, text, &made))
		made = spell_email(&spelling, text);
	return made && spelling_end(&spelling);
}
