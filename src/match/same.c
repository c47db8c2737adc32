/*
 * Whether two values of one field mean the same. Each is brought to the form that keys are made of, in a key that nobody
 * sees; where a field or a value has none, its folded letters are compared.
 */
#include <string.h>

#include "match/match_internal.h"

/* Letters and digits as they are folded, without blanks. */
static bool
spell_plain(struct spelling *spelling, struct bytes value)
{
	AZ_UNCLEARED struct text text;

	fold(value, FOLD_NAME, &text);
	if (text.too_long)
		return false;
	for (size_t i = 0; i < text.count; i++) {
		if (text.symbols[i] != ' ')
			spelling_put_symbols(spelling, &text.symbols[i], 1);
	}
	az_wipe(&text, sizeof(text));
	return true;
}

static bool
spell_name(struct spelling *spelling, struct bytes value)
{
	AZ_UNCLEARED struct text text;
	struct row row = {0};
	bool good;

	row.values[FIELD_NAME] = value;
	name_read(&row, &text);
	good = text.count > 0 && !text.too_long;
	if (good)
		spelling_put_symbols(spelling, text.symbols, text.count);
	az_wipe(&text, sizeof(text));
	return good;
}

static bool
spell_kana(struct spelling *spelling, struct bytes value)
{
	AZ_UNCLEARED struct text text;
	struct row row = {0};
	bool good;

	row.values[FIELD_KANA] = value;
	good = kana_read(&row, &text) && text.count > 0 && !text.too_long;
	if (good)
		spelling_put_symbols(spelling, text.symbols, text.count);
	az_wipe(&text, sizeof(text));
	return good;
}

/* Digits only, however they are written. */
static bool
spell_digits(struct spelling *spelling, struct bytes value)
{
	AZ_UNCLEARED struct text text;
	size_t digits = 0;

	fold(value, FOLD_PLACE, &text);
	for (size_t i = 0; i < text.count; i++) {
		if (!is_digit(text.symbols[i]))
			continue;
		spelling_put(spelling, (uint8_t)text.symbols[i]);
		digits++;
	}
	az_wipe(&text, sizeof(text));
	return digits > 0;
}

/* Town, numbers and building; the last number may be a room. */
static bool
spell_place(struct spelling *spelling, struct bytes value, bool with_room)
{
	AZ_UNCLEARED struct place place;
	bool good = place_read(value, &place) && (!with_room || place.room_by_dash);

	if (good) {
		place_spell(&place, with_room, spelling);
		spelling_separate(spelling);
		place_spell_building(&place, with_room, spelling);
	}
	az_wipe(&place, sizeof(place));
	return good;
}

static bool
spell_birth(struct spelling *spelling, struct bytes value)
{
	uint8_t text[DATE_SIZE];
	int32_t days;

	if (!match_date(value, &days))
		return false;
	date_text(days, text);
	spelling_put_bytes(spelling, bytes_make(text, sizeof(text)));
	return true;
}

/* The form of a value of a field; false if it has none. */
static bool
spell_field(struct spelling *spelling, unsigned int field, struct bytes value)
{
	switch (field) {
	case FIELD_NUMBER: return spell_number(spelling, value);
	case FIELD_PHONE:
	case FIELD_MOBILE: return spell_phone(spelling, value);
	case FIELD_EMAIL: return spell_email(spelling, value);
	case FIELD_NAME:
	case FIELD_SURNAME:
	case FIELD_GIVEN: return spell_name(spelling, value);
	case FIELD_KANA: return spell_kana(spelling, value);
	case FIELD_BIRTH: return spell_birth(spelling, value);
	case FIELD_POSTCODE: return spell_digits(spelling, value);
	case FIELD_ADDRESS: return spell_place(spelling, value, false);
	default: return false;
	}
}

static bool
same_spelling(const struct match_key *a, const struct match_key *b)
{
	return bytes_equal(bytes_make(a->key, a->size), bytes_make(b->key, b->size));
}

/* Folded letters; beyond what a key holds nothing is the same. */
static bool
same_plain(struct bytes a, struct bytes b)
{
	struct match_key keys[2];
	struct spelling spellings[2];
	bool good;

	spelling_begin(&spellings[0], &keys[0], MATCH_NUMBER);
	spelling_begin(&spellings[1], &keys[1], MATCH_NUMBER);
	good = spell_plain(&spellings[0], a) && spelling_end(&spellings[0]) &&
	    spell_plain(&spellings[1], b) && spelling_end(&spellings[1]) &&
	    same_spelling(&keys[0], &keys[1]);
	az_wipe(keys, sizeof(keys));
	return good;
}

/* Whether one reading of a is one of b. */
static bool
same_place(struct bytes a, struct bytes b)
{
	struct match_key keys[2];
	struct spelling spelling;
	bool same = false;

	for (unsigned int way = 0; way < 4 && !same; way++) {
		spelling_begin(&spelling, &keys[0], MATCH_NUMBER);
		if (!spell_place(&spelling, a, (way & 1) != 0) || !spelling_end(&spelling))
			continue;
		spelling_begin(&spelling, &keys[1], MATCH_NUMBER);
		same = spell_place(&spelling, b, (way & 2) != 0) && spelling_end(&spelling) &&
		    same_spelling(&keys[0], &keys[1]);
	}
	az_wipe(keys, sizeof(keys));
	return same;
}

static bool
is_filler_date(struct bytes value)
{
	int32_t days;

	return match_date(value, &days) && match_date_is_filler(days);
}

bool
match_same(unsigned int field, struct bytes a, struct bytes b)
{
	struct match_key keys[2];
	struct spelling spellings[2];
	bool has[2];
	bool same;

	if (a.size == 0 || b.size == 0 ||
	    (field == FIELD_BIRTH && (is_filler_date(a) || is_filler_date(b))))
		return false;
	spelling_begin(&spellings[0], &keys[0], MATCH_NUMBER);
	spelling_begin(&spellings[1], &keys[1], MATCH_NUMBER);
	has[0] = spell_field(&spellings[0], field, a) && spelling_end(&spellings[0]);
	has[1] = spell_field(&spellings[1], field, b) && spelling_end(&spellings[1]);
	if (has[0] && has[1])
		same = same_spelling(&keys[0], &keys[1]) ||
		    (field == FIELD_ADDRESS && same_place(a, b));
	else
		same = !has[0] && !has[1] && same_plain(a, b);
	az_wipe(keys, sizeof(keys));
	return same;
}
