/*
 * The keys of a row, and the key that somebody asks by: the same functions make both, so that they agree.
 *
 * Each value is read once for all keys that it is part of.
 */
#include "match/match.h"

#include <string.h>

#include "match/match_internal.h"

/* A row's values as the keys need them. */
struct reading {
	const struct row *row;
	struct text name; /* count 0: none */
	bool has_birth;
	uint8_t birth[DATE_SIZE];
	bool has_place;
	struct place place;
};

static void
read_birth(struct reading *reading, bool *ret_is_bad)
{
	struct bytes value = reading->row->values[FIELD_BIRTH];
	int32_t days;
	bool is_date = value.size > 0 && match_date(value, &days);

	*ret_is_bad = value.size > 0 && !is_date;
	reading->has_birth = is_date && !match_date_is_filler(days);
	if (reading->has_birth)
		date_text(days, reading->birth);
}

static void
read_place(struct reading *reading)
{
	struct bytes value = reading->row->values[FIELD_ADDRESS];

	reading->has_place = value.size > 0 && place_read(value, &reading->place);
}

/* --- keys ------------------------------------------------------------------------------------- */

bool
match_number(struct bytes value, struct match_key *ret_key)
{
	struct spelling spelling;

	spelling_begin(&spelling, ret_key, MATCH_NUMBER);
	return spell_number(&spelling, value) && spelling_end(&spelling);
}

static bool
make_phone(const struct row *row, enum field field, struct match_key *key)
{
	struct spelling spelling;

	if (row->values[field].size == 0)
		return false;
	spelling_begin(&spelling, key, MATCH_PHONE);
	return spell_phone(&spelling, row->values[field]) && spelling_end(&spelling);
}

static bool
make_email(const struct row *row, struct match_key *key)
{
	struct spelling spelling;

	if (row->values[FIELD_EMAIL].size == 0)
		return false;
	spelling_begin(&spelling, key, MATCH_EMAIL);
	return spell_email(&spelling, row->values[FIELD_EMAIL]) && spelling_end(&spelling);
}

/* Begins a key with a name; false if there is none. */
static bool
begin_with_name(
    struct spelling *spelling, const struct text *name, enum match_kind kind, struct match_key *key)
{
	if (name->count == 0 || name->too_long)
		return false;
	spelling_begin(spelling, key, kind);
	spelling_put_symbols(spelling, name->symbols, name->count);
	spelling_separate(spelling);
	return true;
}

static bool
make_name_birth(const struct reading *reading, struct match_key *key)
{
	struct spelling spelling;

	if (!reading->has_birth ||
	    !begin_with_name(&spelling, &reading->name, MATCH_NAME_BIRTH, key))
		return false;
	spelling_put_bytes(&spelling, bytes_make(reading->birth, DATE_SIZE));
	return spelling_end(&spelling);
}

static bool
make_name_place(const struct reading *reading, bool without_room, struct match_key *key)
{
	struct spelling spelling;

	if (!reading->has_place || (without_room && !reading->place.room_by_dash) ||
	    !begin_with_name(&spelling, &reading->name, MATCH_NAME_PLACE, key))
		return false;
	place_spell(&reading->place, without_room, &spelling);
	return spelling_end(&spelling);
}

static bool
make_kana_birth(const struct reading *reading, struct match_key *key)
{
	AZ_UNCLEARED struct text kana;
	struct spelling spelling;

	if (!reading->has_birth || !kana_read(reading->row, &kana) ||
	    !begin_with_name(&spelling, &kana, MATCH_KANA_BIRTH, key))
		return false;
	spelling_put_bytes(&spelling, bytes_make(reading->birth, DATE_SIZE));
	return spelling_end(&spelling);
}

static bool
make_place_building(const struct reading *reading, bool with_room, struct match_key *key)
{
	struct spelling spelling;

	if (!reading->has_place || (with_room && !reading->place.room_by_dash))
		return false;
	spelling_begin(&spelling, key, MATCH_PLACE_BUILDING);
	place_spell(&reading->place, with_room, &spelling);
	spelling_separate(&spelling);
	place_spell_building(&reading->place, with_room, &spelling);
	return spelling_end(&spelling);
}

static bool
same_key(const struct match_key *a, const struct match_key *b)
{
	return a->kind == b->kind &&
	    bytes_equal(bytes_make(a->key, a->size), bytes_make(b->key, b->size));
}

/* Adds phone and mobile behind the count keys that are there. */
static size_t
add_phones(const struct row *row, struct match_key *keys, size_t count)
{
	bool has_phone = make_phone(row, FIELD_PHONE, &keys[count]);

	count += has_phone ? 1 : 0;
	if (make_phone(row, FIELD_MOBILE, &keys[count]) &&
	    !(has_phone && same_key(&keys[count - 1], &keys[count])))
		count++;
	return count;
}

/* In the order of their kinds. */
size_t
match_row(const struct row *row, struct match_key keys[MATCH_KEYS_MAX], bool *ret_birth_is_bad)
{
	AZ_UNCLEARED struct reading reading;
	size_t count = 0;

	reading.row = row;
	read_birth(&reading, ret_birth_is_bad);
	name_read(row, &reading.name);
	read_place(&reading);
	count += match_number(row->values[FIELD_NUMBER], &keys[count]) ? 1 : 0;
	count = add_phones(row, keys, count);
	count += make_email(row, &keys[count]) ? 1 : 0;
	count += make_name_birth(&reading, &keys[count]) ? 1 : 0;
	count += make_name_place(&reading, false, &keys[count]) ? 1 : 0;
	count += make_name_place(&reading, true, &keys[count]) ? 1 : 0;
	count += make_kana_birth(&reading, &keys[count]) ? 1 : 0;
	count += make_place_building(&reading, false, &keys[count]) ? 1 : 0;
	count += make_place_building(&reading, true, &keys[count]) ? 1 : 0;
	return count +
	    damaged_keys(
		row, &reading.name, reading.has_birth ? reading.birth : NULL, &keys[count]);
}

struct bytes
match_key_text(const struct match_key *key)
{
	return bytes_make(key->key + 1, key->size - 1u);
}

/* --- asking ----------------------------------------------------------------------------------- */

static uint64_t
fields_of(const struct row *row)
{
	uint64_t fields = 0;

	for (unsigned int field = 0; field < FIELD_COUNT; field++) {
		if (row->values[field].size > 0)
			fields |= FIELD_BIT(field);
	}
	return fields;
}

/* By a name with a birth date or an address. A room that a dash joined is left out: rows have both readings. */
static bool
make_by_name(const struct row *what, struct match_key *key)
{
	AZ_UNCLEARED struct reading reading;
	bool is_bad;
	bool made;

	reading.row = what;
	read_birth(&reading, &is_bad);
	name_read(what, &reading.name);
	read_place(&reading);
	if (what->values[FIELD_BIRTH].size > 0)
		made = make_name_birth(&reading, key);
	else
		made =
		    make_name_place(&reading, true, key) || make_name_place(&reading, false, key);
	az_wipe(&reading, sizeof(reading));
	return made;
}

enum az_status
match_query(const struct row *what, struct match_key *ret_key, struct az_err *reterr)
{
	const uint64_t full_name = FIELD_BIT(FIELD_NAME);
	const uint64_t two_names = FIELD_BIT(FIELD_SURNAME) | FIELD_BIT(FIELD_GIVEN);
	uint64_t fields = fields_of(what);
	uint64_t with = fields & ~(full_name | two_names);
	uint64_t names = fields & (full_name | two_names);
	struct match_key key;
	bool made = false;

	if (fields == FIELD_BIT(FIELD_NUMBER))
		made = match_number(what->values[FIELD_NUMBER], &key);
	else if (fields == FIELD_BIT(FIELD_PHONE))
		made = make_phone(what, FIELD_PHONE, &key);
	else if (fields == FIELD_BIT(FIELD_MOBILE))
		made = make_phone(what, FIELD_MOBILE, &key);
	else if (fields == FIELD_BIT(FIELD_EMAIL))
		made = make_email(what, &key);
	else if ((with == FIELD_BIT(FIELD_BIRTH) || with == FIELD_BIT(FIELD_ADDRESS)) &&
	    (names == full_name || names == two_names))
		made = make_by_name(what, &key);
	else
		return az_fail(reterr, AZ_INVALID,
		    "ask by number, phone, mobile, email, name and birth, or name and address");
	if (!made)
		return az_fail(reterr, AZ_INVALID, "what is asked by is not a value of that kind");
	*ret_key = key;
	az_wipe(&key, sizeof(key));
	return AZ_OK;
}

bool
match_agrees(const struct row *row, const struct match_key *key)
{
	AZ_UNCLEARED struct match_key keys[MATCH_KEYS_MAX];
	bool bad_birth;
	size_t count = match_row(row, keys, &bad_birth);
	bool agrees = false;

	for (size_t i = 0; i < count; i++)
		agrees |= same_key(&keys[i], key);
	az_wipe(keys, count * sizeof(keys[0]));
	return agrees;
}
