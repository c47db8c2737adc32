/*
 * Facets of a person, compared one by one.
 *
 * Equal match keys come first: they know variant kanji, lost zeros, ways to write a date or a place. Where keys
 * differ, the letters are compared, since a slip of the hand, a marriage, or a broker who leaves out the building
 * makes another key of the same person.
 *
 * Names are two facets where both sides have words: the best pairing of words decides, so that surname and given
 * name may be swapped, and one word may have changed. A name without a blank is one facet; if its beginning or end
 * is the same, it is the same family or a former surname.
 */
#include "trace/compare.h"

#include <string.h>

#include "base/clock.h"

#define NAME_PART_MIN   1u
#define OTHER_LETTERS   6u /* a client's own value shorter than this is a code or a flag */
#define PHONE_PART_TAIL 4u
#define PLACE_CLOSE_OF  4u /* one letter in so many may be wrong in an address that is close */
#define POSTCODE_PART   3u
#define POSTCODE_DIGITS 10u

/* --- one side --------------------------------------------------------------------------------- */

void
trace_side_make(const struct row *row, struct trace_side *ret_side)
{
	bool bad_birth;

	memset(ret_side, 0, sizeof(*ret_side));
	ret_side->row = row;
	ret_side->key_count = match_row(row, ret_side->keys, &bad_birth);
	if (row->values[FIELD_NAME].size > 0) {
		fold_add(&ret_side->name, row->values[FIELD_NAME]);
	} else {
		fold_add(&ret_side->name, row->values[FIELD_SURNAME]);
		fold_add(&ret_side->name, row->values[FIELD_GIVEN]);
	}
	fold_add_kana(&ret_side->kana, row->values[FIELD_KANA]);
	fold_add(&ret_side->address, row->values[FIELD_ADDRESS]);
	ret_side->number_count =
	    fold_numbers(row->values[FIELD_ADDRESS], ret_side->numbers, TRACE_ADDRESS_NUMBERS);
	ret_side->has_birth = match_date(row->values[FIELD_BIRTH], &ret_side->birth);
}

static bool
share_key(const struct trace_side *a, const struct trace_side *b, enum match_kind kind)
{
	for (size_t i = 0; i < a->key_count; i++) {
		if (a->keys[i].kind != kind)
			continue;
		for (size_t j = 0; j < b->key_count; j++) {
			if (b->keys[j].kind == kind &&
			    bytes_equal(bytes_make(a->keys[i].key, a->keys[i].size),
				bytes_make(b->keys[j].key, b->keys[j].size)))
				return true;
		}
	}
	return false;
}

/* --- names ------------------------------------------------------------------------------------ */

/* Two words, or two names without a blank. A word of one or two letters that differs in one is another word. */
static enum trace_level
compare_letters(const uint32_t *a, size_t a_count, const uint32_t *b, size_t b_count)
{
	size_t longer = a_count > b_count ? a_count : b_count;
	size_t shorter = a_count < b_count ? a_count : b_count;
	size_t distance;

	if (fold_equal(a, a_count, b, b_count))
		return LEVEL_SAME;
	if (longer < 3)
		return LEVEL_DIFFERS;
	distance = fold_distance(a, a_count, b, b_count);
	if (distance == 1 || (distance == 2 && shorter >= 6) || distance * 5 <= longer)
		return LEVEL_CLOSE;
	/* An initial, or a name cut off. */
	if (shorter >= 1 && longer > shorter && fold_equal(a, shorter, b, shorter) &&
	    (shorter == 1 || shorter >= 3))
		return LEVEL_PART;
	return distance * 3 <= longer ? LEVEL_PART : LEVEL_DIFFERS;
}

static enum trace_level
compare_words(const struct fold *a, size_t a_word, const struct fold *b, size_t b_word)
{
	size_t a_count, b_count;
	const uint32_t *a_letters = fold_word(a, a_word, &a_count);
	const uint32_t *b_letters = fold_word(b, b_word, &b_count);

	return compare_letters(a_letters, a_count, b_letters, b_count);
}

static void
put_two(struct trace_agreement *agreement, enum trace_level one, enum trace_level other)
{
	agreement->levels[FACET_NAME] = (uint8_t)(one > other ? one : other);
	agreement->levels[FACET_NAME2] = (uint8_t)(one > other ? other : one);
}

/* Names of two words each: straight or swapped, whichever fits better. */
static void
compare_two_words(const struct fold *a, const struct fold *b, struct trace_agreement *agreement)
{
	enum trace_level straight[2] = {compare_words(a, 0, b, 0), compare_words(a, 1, b, 1)};
	enum trace_level swapped[2] = {compare_words(a, 0, b, 1), compare_words(a, 1, b, 0)};

	if (straight[0] + straight[1] >= swapped[0] + swapped[1]) {
		put_two(agreement, straight[0], straight[1]);
		return;
	}
	for (size_t i = 0; i < 2; i++) {
		if (swapped[i] == LEVEL_SAME)
			swapped[i] = LEVEL_TURNED;
	}
	put_two(agreement, swapped[0], swapped[1]);
}

/* One of the sides has one word: it is compared with the word it fits best. */
static void
compare_lone_word(
    const struct fold *lone, const struct fold *other, struct trace_agreement *agreement)
{
	enum trace_level best = LEVEL_DIFFERS;

	for (size_t i = 0; i < other->word_count; i++) {
		enum trace_level level = compare_words(lone, 0, other, i);

		if (level > best)
			best = level;
	}
	agreement->levels[FACET_NAME] = (uint8_t)best;
}

static bool
is_latin(const struct fold *name)
{
	for (size_t i = 0; i < name->count; i++) {
		if (name->letters[i] >= 0x80)
			return false;
	}
	return true;
}

/* Whether the one begins or ends as the other: a surname kept, or a given name kept by who married. */
static bool
share_an_end(const struct fold *a, const struct fold *b)
{
	size_t shorter = a->count < b->count ? a->count : b->count;
	size_t head = 0;
	size_t tail = 0;

	while (head < shorter && a->letters[head] == b->letters[head])
		head++;
	while (tail < shorter && a->letters[a->count - 1 - tail] == b->letters[b->count - 1 - tail])
		tail++;
	return (head >= 2 || tail >= 2) && (head > tail ? head : tail) * 2 >= shorter;
}

/* Names of which at least one is not cut into words, as Japanese ones often are. */
static void
compare_whole(const struct fold *a, const struct fold *b, struct trace_agreement *agreement)
{
	size_t distance;

	if (fold_equal(a->letters, a->count, b->letters, b->count)) {
		agreement->levels[FACET_NAME] = LEVEL_SAME;
		agreement->levels[FACET_NAME2] = LEVEL_SAME;
		return;
	}
	distance = fold_distance(a->letters, a->count, b->letters, b->count);
	if (distance == 1 && a->count >= 3 && b->count >= 3)
		put_two(agreement, LEVEL_SAME, LEVEL_CLOSE);
	else if (share_an_end(a, b))
		put_two(agreement, LEVEL_SAME, LEVEL_DIFFERS);
	else
		put_two(agreement, LEVEL_DIFFERS, LEVEL_DIFFERS);
}

static bool
is_kana_of(const struct fold *name, const struct fold *kana)
{
	struct fold folded = {0};

	if (name->count == 0 || kana->count == 0)
		return false;
	/* The name may be in hiragana. */
	for (size_t i = 0; i < name->count; i++) {
		uint32_t letter = name->letters[i];

		folded.letters[folded.count++] =
		    letter >= 0x3041 && letter <= 0x3096 ? letter + 0x60 : letter;
	}
	return fold_equal(folded.letters, folded.count, kana->letters, kana->count);
}

static void
compare_names(
    const struct trace_side *a, const struct trace_side *b, struct trace_agreement *agreement)
{
	if (a->name.count == 0 || b->name.count == 0) {
		if (is_kana_of(&a->name, &b->kana) || is_kana_of(&b->name, &a->kana))
			put_two(agreement, LEVEL_TURNED, LEVEL_TURNED);
		else if (a->kana.count > 0 && b->kana.count > 0)
			compare_whole(&a->kana, &b->kana, agreement);
		return;
	}
	if (share_key(a, b, MATCH_NAME) || share_key(a, b, MATCH_NAME_BIRTH) ||
	    share_key(a, b, MATCH_NAME_PLACE))
		put_two(agreement, LEVEL_SAME, LEVEL_SAME);
	else if (is_kana_of(&a->name, &b->kana) || is_kana_of(&b->name, &a->kana))
		put_two(agreement, LEVEL_TURNED, LEVEL_TURNED);
	else if (a->name.word_count >= 2 && b->name.word_count >= 2)
		compare_two_words(&a->name, &b->name, agreement);
	else if (is_latin(&a->name) && is_latin(&b->name))
		compare_lone_word(a->name.word_count == 1 ? &a->name : &b->name,
		    a->name.word_count == 1 ? &b->name : &a->name, agreement);
	else
		compare_whole(&a->name, &b->name, agreement);
	/* A name that differs may be a variant of writing, if it is read the same. */
	if (agreement->levels[FACET_NAME2] <= LEVEL_PART && a->kana.count > 1 &&
	    fold_equal(a->kana.letters, a->kana.count, b->kana.letters, b->kana.count))
		put_two(agreement, LEVEL_TURNED, LEVEL_TURNED);
}

/* --- dates and digits ------------------------------------------------------------------------- */

/* YYYYMMDD of a day. */
static void
date_digits(int32_t days, char ret_digits[8])
{
	char text[11];

	date_format(days, text);
	memcpy(ret_digits, text, 4);
	memcpy(ret_digits + 4, text + 5, 2);
	memcpy(ret_digits + 6, text + 8, 2);
}

/* How many of two strings of one length differ; neighbours that are swapped count once. */
static size_t
digits_apart(const char *a, const char *b, size_t count)
{
	size_t apart = 0;

	for (size_t i = 0; i < count; i++) {
		if (a[i] == b[i])
			continue;
		apart++;
		if (i + 1 < count && a[i] == b[i + 1] && a[i + 1] == b[i])
			i++;
	}
	return apart;
}

/* A birth that is no real date, as its digits; false if there are not eight. */
static bool
birth_digits(const struct trace_side *side, char ret_digits[8])
{
	struct fold fold = {0};
	size_t count = 0;

	if (side->has_birth) {
		date_digits(side->birth, ret_digits);
		return true;
	}
	fold_add(&fold, side->row->values[FIELD_BIRTH]);
	for (size_t i = 0; i < fold.count; i++) {
		if (fold.letters[i] < '0' || fold.letters[i] > '9' || count == 8)
			return false;
		ret_digits[count++] = (char)fold.letters[i];
	}
	return count == 8;
}

static bool
same_digits(const char *a, const char *b, size_t count)
{
	return digits_apart(a, b, count) == 0;
}

static enum trace_level
compare_birth(const struct trace_side *a, const struct trace_side *b)
{
	char one[8], other[8];
	size_t apart;

	if (a->has_birth && b->has_birth && a->birth == b->birth)
		return LEVEL_SAME;
	if (!birth_digits(a, one) || !birth_digits(b, other))
		return LEVEL_NONE;
	apart = digits_apart(one, other, 8);
	if (apart == 0)
		return LEVEL_SAME;
	if (same_digits(one, other, 4) && same_digits(one + 4, other + 6, 2) &&
	    same_digits(one + 6, other + 4, 2))
		return LEVEL_TURNED;
	if (apart == 1)
		return LEVEL_CLOSE;
	/* Another day of the same month and year, or the same day of another year. */
	return apart == 2 ? LEVEL_PART : LEVEL_DIFFERS;
}

static enum trace_level
compare_digit_keys(struct bytes a, struct bytes b)
{
	const char *one = (const char *)a.data;
	const char *other = (const char *)b.data;
	size_t shorter = a.size < b.size ? a.size : b.size;

	if (a.size == b.size && digits_apart(one, other, a.size) <= 1)
		return LEVEL_CLOSE;
	/* Excel's 9.01E+09 and numbers cut off keep their beginning. */
	if (shorter >= 6 && a.size != b.size && same_digits(one, other, shorter))
		return LEVEL_CLOSE;
	if (shorter > PHONE_PART_TAIL &&
	    same_digits(
		one + a.size - PHONE_PART_TAIL, other + b.size - PHONE_PART_TAIL, PHONE_PART_TAIL))
		return LEVEL_PART;
	return LEVEL_DIFFERS;
}

/* Every telephone of the one with every one of the other. */
static enum trace_level
compare_phones(const struct trace_side *a, const struct trace_side *b)
{
	enum trace_level best = LEVEL_NONE;

	if (share_key(a, b, MATCH_PHONE))
		return LEVEL_SAME;
	for (size_t i = 0; i < a->key_count; i++) {
		if (a->keys[i].kind != MATCH_PHONE)
			continue;
		for (size_t j = 0; j < b->key_count; j++) {
			enum trace_level level;

			if (b->keys[j].kind != MATCH_PHONE)
				continue;
			level =
			    compare_digit_keys(bytes_make(a->keys[i].key + 1, a->keys[i].size - 1u),
				bytes_make(b->keys[j].key + 1, b->keys[j].size - 1u));
			if (level > best)
				best = level;
		}
	}
	return best;
}

static enum trace_level
compare_postcodes(struct bytes a, struct bytes b)
{
	struct fold one = {0};
	struct fold other = {0};
	size_t distance;

	fold_add(&one, a);
	fold_add(&other, b);
	if (one.count == 0 || other.count == 0 || one.count > POSTCODE_DIGITS ||
	    other.count > POSTCODE_DIGITS)
		return LEVEL_NONE;
	distance = fold_distance(one.letters, one.count, other.letters, other.count);
	/* The zero that a spreadsheet took away. */
	if (distance == 0 ||
	    (distance == 1 && one.count != other.count &&
		(one.letters[0] == '0' || other.letters[0] == '0')))
		return LEVEL_SAME;
	if (distance == 1)
		return LEVEL_CLOSE;
	return one.count >= POSTCODE_PART && other.count >= POSTCODE_PART &&
		fold_equal(one.letters, POSTCODE_PART, other.letters, POSTCODE_PART)
	    ? LEVEL_PART
	    : LEVEL_DIFFERS;
}

/* --- places ----------------------------------------------------------------------------------- */

static bool
numbers_begin(const struct trace_side *shorter, const struct trace_side *longer)
{
	return shorter->number_count > 0 && shorter->number_count <= longer->number_count &&
	    fold_equal(
		shorter->numbers, shorter->number_count, longer->numbers, shorter->number_count);
}

static enum trace_level
compare_places(const struct trace_side *a, const struct trace_side *b)
{
	const struct fold *one = &a->address;
	const struct fold *other = &b->address;
	size_t longer = one->count > other->count ? one->count : other->count;
	size_t shorter = one->count < other->count ? one->count : other->count;
	size_t distance;
	bool begins;

	if (one->count == 0 || other->count == 0)
		return LEVEL_NONE;
	if (share_key(a, b, MATCH_PLACE_BUILDING) ||
	    fold_equal(one->letters, one->count, other->letters, other->count))
		return LEVEL_SAME;
	begins = numbers_begin(a, b) || numbers_begin(b, a);
	distance = fold_distance(one->letters, one->count, other->letters, other->count);
	if (distance * PLACE_CLOSE_OF <= longer && (begins || distance <= 2))
		return LEVEL_CLOSE;
	/* The prefecture in front, or the building behind, is left out or another; town and number are the same. */
	if (share_key(a, b, MATCH_NAME_PLACE) ||
	    (begins && shorter >= 4 && distance <= longer - shorter + 1))
		return LEVEL_TURNED;
	if (begins && distance * 2 <= longer)
		return LEVEL_PART;
	return distance * 3 <= longer ? LEVEL_PART : LEVEL_DIFFERS;
}

/* --- the rest --------------------------------------------------------------------------------- */

static enum trace_level
compare_emails(const struct trace_side *a, const struct trace_side *b)
{
	struct fold one = {0};
	struct fold other = {0};
	size_t distance;

	if (share_key(a, b, MATCH_EMAIL))
		return LEVEL_SAME;
	fold_add(&one, a->row->values[FIELD_EMAIL]);
	fold_add(&other, b->row->values[FIELD_EMAIL]);
	if (one.count == 0 || other.count == 0)
		return LEVEL_NONE;
	distance = fold_distance(one.letters, one.count, other.letters, other.count);
	return distance <= 2 ? LEVEL_CLOSE : LEVEL_DIFFERS;
}

/* Short values: a sex, a number. */
static enum trace_level
compare_values(struct bytes a, struct bytes b)
{
	struct fold one = {0};
	struct fold other = {0};

	fold_add(&one, a);
	fold_add(&other, b);
	if (one.count == 0 || other.count == 0)
		return LEVEL_NONE;
	return fold_equal(one.letters, one.count, other.letters, other.count) ? LEVEL_SAME
									      : LEVEL_DIFFERS;
}

/* Apart from its caller, since memory on the stack is cleared whenever it is entered. */
static enum trace_level
compare_own_field(struct bytes a, struct bytes b)
{
	struct fold one = {0};
	struct fold other = {0};
	enum trace_level level;

	fold_add(&one, a);
	fold_add(&other, b);
	if (one.count < OTHER_LETTERS || other.count < OTHER_LETTERS)
		return LEVEL_NONE;
	level = compare_letters(one.letters, one.count, other.letters, other.count);
	return level == LEVEL_PART ? LEVEL_DIFFERS : level;
}

static enum trace_level
compare_other(const struct row *a, const struct row *b)
{
	enum trace_level best = LEVEL_NONE;

	for (unsigned int field = FIELD_X_FIRST; field < FIELD_COUNT; field++) {
		enum trace_level level;

		if (a->values[field].size == 0 || b->values[field].size == 0)
			continue;
		level = compare_own_field(a->values[field], b->values[field]);
		if (level > best)
			best = level;
	}
	return best;
}

/* Whether what agrees is also written as we have it, to the byte, where it could have been written otherwise. */
static enum trace_notation
compare_notation(const struct row *a, const struct row *b)
{
	static const enum field written[] = {FIELD_NAME, FIELD_KANA, FIELD_ADDRESS, FIELD_BIRTH,
	    FIELD_PHONE, FIELD_MOBILE, FIELD_POSTCODE};
	size_t compared = 0;

	for (size_t i = 0; i < AZ_ARRAY_SIZE(written); i++) {
		struct bytes one = a->values[written[i]];
		struct bytes other = b->values[written[i]];

		if (one.size == 0 || other.size == 0)
			continue;
		if (bytes_compare(one, other) != 0)
			return NOTATION_OTHER;
		compared++;
	}
	return compared > 0 ? NOTATION_OURS : NOTATION_UNKNOWN;
}

void
trace_compare(const struct trace_side *leaked, const struct trace_side *ours,
    struct trace_agreement *ret_agreement)
{
	struct trace_agreement agreement = {0};
	uint8_t *levels = agreement.levels;

	compare_names(leaked, ours, &agreement);
	levels[FACET_BIRTH] = (uint8_t)compare_birth(leaked, ours);
	levels[FACET_PHONE] = (uint8_t)compare_phones(leaked, ours);
	levels[FACET_EMAIL] = (uint8_t)compare_emails(leaked, ours);
	levels[FACET_PLACE] = (uint8_t)compare_places(leaked, ours);
	levels[FACET_POSTCODE] = (uint8_t)compare_postcodes(
	    leaked->row->values[FIELD_POSTCODE], ours->row->values[FIELD_POSTCODE]);
	levels[FACET_SEX] =
	    (uint8_t)compare_values(leaked->row->values[FIELD_SEX], ours->row->values[FIELD_SEX]);
	levels[FACET_NUMBER] = (uint8_t)compare_values(
	    leaked->row->values[FIELD_NUMBER], ours->row->values[FIELD_NUMBER]);
	levels[FACET_OTHER] = (uint8_t)compare_other(leaked->row, ours->row);
	/* Another number is only another numbering, and half a name is no other person's. */
	for (unsigned int facet = 0; facet < FACET_COUNT; facet++) {
		if (levels[facet] == LEVEL_DIFFERS && facet != FACET_NUMBER && facet != FACET_NAME2)
			agreement.conflicts++;
	}
	for (unsigned int kind = MATCH_NUMBER + 1; kind < MATCH_KINDS; kind++) {
		if (share_key(leaked, ours, (enum match_kind)kind))
			agreement.kinds |= (uint16_t)(1u << kind);
	}
	agreement.notation = (uint8_t)compare_notation(leaked->row, ours->row);
	*ret_agreement = agreement;
}
