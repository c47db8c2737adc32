/*
 * The keys of a row, and the key that somebody asks by: the same functions make both, so that they agree.
 */
#include "match/match.h"

#include <string.h>

#include "base/clock.h"
#include "match/match_internal.h"

/* --- dates ------------------------------------------------------------------------------------ */

bool
match_date(struct bytes text, int32_t *ret_days)
{
	int parts[3] = {0};
	size_t digits[3] = {0};
	size_t part = 0;

	for (size_t at = 0; at < text.size;) {
		struct bytes raw;
		uint8_t ascii = text_next(text, &at, &raw);

		if (ascii >= '0' && ascii <= '9') {
			if (++digits[part] > 8)
				return false;
			parts[part] = parts[part] * 10 + (ascii - '0');
		} else if ((ascii == '-' || ascii == '/' || ascii == '.') && part < 2 &&
		    digits[part] > 0) {
			part++;
		} else {
			return false;
		}
	}
	if (part == 0 && digits[0] == 8)
		return date_from_civil(
		    parts[0] / 10000, parts[0] / 100 % 100, parts[0] % 100, ret_days);
	if (part != 2 || digits[0] != 4 || digits[1] == 0 || digits[1] > 2 || digits[2] == 0 ||
	    digits[2] > 2)
		return false;
	return date_from_civil(parts[0], parts[1], parts[2], ret_days);
}

/* --- keys ------------------------------------------------------------------------------------- */

static bool
make_number(const struct row *row, struct match_key *key)
{
	struct spelling spelling;

	spelling_begin(&spelling, key, MATCH_NUMBER);
	return spell_number(&spelling, row->values[FIELD_NUMBER]) && spelling_end(&spelling);
}

static bool
make_phone(const struct row *row, enum field field, struct match_key *key)
{
	struct spelling spelling;

	spelling_begin(&spelling, key, MATCH_PHONE);
	return spell_phone(&spelling, row->values[field]) && spelling_end(&spelling);
}

static bool
make_email(const struct row *row, struct match_key *key)
{
	struct spelling spelling;

	spelling_begin(&spelling, key, MATCH_EMAIL);
	return spell_email(&spelling, row->values[FIELD_EMAIL]) && spelling_end(&spelling);
}

static bool
make_name_birth(const struct row *row, struct match_key *key)
{
	struct spelling spelling;
	int32_t days;

	if (!match_date(row->values[FIELD_BIRTH], &days))
		return false;
	spelling_begin(&spelling, key, MATCH_NAME_BIRTH);
	if (!spell_name(&spelling, row))
		return false;
	spelling_separate(&spelling);
	for (unsigned int shift = 0; shift < 32; shift += 8)
		spelling_put(&spelling, (uint8_t)((uint32_t)days >> shift));
	return spelling_end(&spelling);
}

static bool
make_name_place(const struct row *row, struct match_key *key)
{
	struct spelling spelling;

	spelling_begin(&spelling, key, MATCH_NAME_PLACE);
	if (!spell_name(&spelling, row))
		return false;
	spelling_separate(&spelling);
	return spell_place(&spelling, row->values[FIELD_ADDRESS]) && spelling_end(&spelling);
}

static bool
same_key(const struct match_key *a, const struct match_key *b)
{
	return a->kind == b->kind &&
	    bytes_equal(bytes_make(a->key, a->size), bytes_make(b->key, b->size));
}

size_t
match_row(const struct row *row, struct match_key keys[MATCH_KEYS_MAX], bool *ret_birth_is_bad)
{
	size_t count = 0;
	int32_t days;

	*ret_birth_is_bad =
	    row->values[FIELD_BIRTH].size > 0 && !match_date(row->values[FIELD_BIRTH], &days);
	count += make_number(row, &keys[count]) ? 1 : 0;
	if (make_phone(row, FIELD_PHONE, &keys[count]))
		count++;
	if (make_phone(row, FIELD_MOBILE, &keys[count]) &&
	    (count == 0 || !same_key(&keys[count - 1], &keys[count])))
		count++;
	count += make_email(row, &keys[count]) ? 1 : 0;
	count += make_name_birth(row, &keys[count]) ? 1 : 0;
	count += make_name_place(row, &keys[count]) ? 1 : 0;
	count += damaged_keys(row, &keys[count]);
	return count;
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

enum az_status
match_query(const struct row *what, struct match_key *ret_key, struct az_err *reterr)
{
	const uint64_t full_name = FIELD_BIT(FIELD_NAME);
	const uint64_t two_names = FIELD_BIT(FIELD_SURNAME) | FIELD_BIT(FIELD_GIVEN);
	uint64_t fields = fields_of(what);
	struct match_key key;
	bool made = false;

	if (fields == FIELD_BIT(FIELD_NUMBER))
		made = make_number(what, &key);
	else if (fields == FIELD_BIT(FIELD_PHONE))
		made = make_phone(what, FIELD_PHONE, &key);
	else if (fields == FIELD_BIT(FIELD_MOBILE))
		made = make_phone(what, FIELD_MOBILE, &key);
	else if (fields == FIELD_BIT(FIELD_EMAIL))
		made = make_email(what, &key);
	else if (fields == (full_name | FIELD_BIT(FIELD_BIRTH)) ||
	    fields == (two_names | FIELD_BIT(FIELD_BIRTH)))
		made = make_name_birth(what, &key);
	else if (fields == (full_name | FIELD_BIT(FIELD_ADDRESS)) ||
	    fields == (two_names | FIELD_BIT(FIELD_ADDRESS)))
		made = make_name_place(what, &key);
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
	struct match_key keys[MATCH_KEYS_MAX];
	bool bad_birth;
	size_t count = match_row(row, keys, &bad_birth);
	bool agrees = false;

	for (size_t i = 0; i < count; i++)
		agrees |= same_key(&keys[i], key);
	az_wipe(keys, sizeof(keys));
	return agrees;
}
