/*
 * Telephones.
 *
 *	international   "+" or "00" and a country
 *	trunk           a 0 and 9 or 10 digits, whole or in groups, as in Japan; in groups also a digit less or more
 *	North American  three, three, four
 *	by words        what has the shape of one, beside a word such as "tel"
 *
 * Telephones may follow a word at once ("TEL03-…"), but not a hexadecimal digit.
 */
#include "scan/place_internal.h"

/* Telephones may follow a word at once, but not what may be hexadecimal. */
static bool
may_follow(uint8_t before)
{
	uint8_t lower = before | 0x20;

	return before != '_' && before != '.' && !(lower >= 'a' && lower <= 'f');
}

/* "+81 3-1234-5678", "001-518-640-0854": the country, then 4 to 14 digits. */
static size_t
match_international(const struct place *place)
{
	bool zeros = place->groups[0].size >= 3 && place->groups[0].size <= 5 &&
	    place->data[place->groups[0].at] == '0' && place->data[place->groups[0].at + 1] == '0';
	size_t most = place->count < GROUPS_MATCH ? place->count : GROUPS_MATCH;

	if (byte_before(place) != '+' &&
	    !(zeros && is_free_of_groups_before(place) && may_follow(byte_before(place))))
		return 0;
	for (size_t k = most; k >= (zeros ? 2 : 1); k--) {
		size_t count = count_of(place, k);

		if (count >= (zeros ? 11u : 8u) && count <= (zeros ? 17u : 15u) &&
		    is_free_behind(place, k))
			return k;
	}
	return 0;
}

/* Ten digits with a trunk 0, eleven of a mobile, 0800 or 050 number. */
static bool
is_whole_japanese(const struct digits *digits)
{
	const uint8_t *values = digits->values;

	if (digits->count == 10)
		return values[0] == 0 && values[1] != 0;
	return digits->count == 11 && values[0] == 0 && values[2] == 0 && values[1] >= 5;
}

static size_t
match_whole(const struct place *place)
{
	struct digits digits;

	return (place->groups[0].size == 10 || place->groups[0].size == 11) &&
		place->data[place->groups[0].at] == '0' && is_free_of_groups_before(place) &&
		may_follow(byte_before(place)) && is_free_behind(place, 1) &&
		digits_of(place, 1, &digits) && is_whole_japanese(&digits)
	    ? 1
	    : 0;
}

static bool
sizes_are_within(const struct place *place, size_t k, uint32_t least, uint32_t most)
{
	for (size_t i = 0; i < k; i++) {
		if (place->groups[i].size < least || place->groups[i].size > most)
			return false;
	}
	return true;
}

static bool
is_year(const struct place *place, size_t i)
{
	const uint8_t *digits = place->data + place->groups[i].at;

	return place->groups[i].size == 4 &&
	    ((digits[0] == '1' && digits[1] == '9') || (digits[0] == '2' && digits[1] == '0'));
}

/* Dates, spans of years, and social security numbers (3-2-4) have their own shapes. */
static bool
is_of_another_shape(const struct place *place, size_t k)
{
	static const uint8_t shapes[][3] = {{4, 2, 2}, {2, 2, 4}, {3, 2, 4}};

	if (k == 2 && is_year(place, 0) && is_year(place, 1))
		return true;
	for (size_t i = 0; k == 3 && separator_of(place, k) != ' ' && i < AZ_ARRAY_SIZE(shapes);
	     i++) {
		if (sizes_are(place, shapes[i], 3))
			return true;
	}
	return false;
}

/* With a trunk 0 in groups: 10 or 11 digits if there is such a reading, else 9 or 12 (other countries). */
static size_t
match_trunk(const struct place *place)
{
	size_t most = place->count < GROUPS_MATCH ? place->count : GROUPS_MATCH;
	size_t count = place->groups[0].size;
	size_t other = 0;

	if (place->groups[0].size < 2 || place->groups[0].size > 6 ||
	    place->data[place->groups[0].at] != '0' ||
	    place->data[place->groups[0].at + 1] == '0' || !is_free_of_groups_before(place) ||
	    !may_follow(byte_before(place)))
		return 0;
	for (size_t k = 2; k <= most; k++) {
		uint32_t size = place->groups[k - 1].size;

		count += size;
		/* An exchange of one digit, as in 05-1-1234, is the only group so short. */
		if (count > 12 || size > 8 || (size < 2 && k != 2) || separator_of(place, k) == 0)
			break;
		if (count < 9 || !is_free_behind(place, k))
			continue;
		if (count == 10 || count == 11)
			return k;
		if (count == 12 || (k > 2 && !is_of_another_shape(place, k)))
			other = k;
	}
	return other;
}

/* "541-714-1388", "(602)272-9781", "1-541-714-1388". */
static size_t
match_north_american(const struct place *place)
{
	static const uint8_t sizes[] = {1, 3, 3, 4};
	bool one = sizes_are(place, sizes, 4) && place->data[place->groups[0].at] == '1';
	size_t k = one ? 4 : 3;
	uint8_t separator;

	if (!one && !sizes_are(place, sizes + 1, 3))
		return 0;
	separator = separator_of(place, k);
	if (separator == 0 || (separator == ' ' && !has_parenthesis(&place->groups[k - 2])) ||
	    place->data[place->groups[k - 3].at] < '2')
		return 0;
	if (!is_free_of_groups_before(place) || !may_follow(byte_before(place)))
		return 0;
	/* An extension ("x459") may touch it. */
	return byte_behind(place, k) == 'x' || is_free_behind(place, k) ? k : 0;
}

/* --- telephones by the words beside them ------------------------------------------------------ */

#define WORDS_BEFORE 48u
#define WORDS_BEHIND 12u

static const char *const words_before[] = {"phone", "tel", "fax", "mobile", "cell", "call", "desk",
    "answering", "contact", "sms", "message", "\xe9\x9b\xbb\xe8\xa9\xb1" /* 電話 */,
    "\xe6\x90\xba\xe5\xb8\xaf" /* 携帯 */, "\x93\x64\x98\x62", "\x8c\x67\x91\xd1", /* CP932 */
    "\xc5\xc5\xcf\xc3", "\xb7\xc8\xc2\xd3" /* EUC-JP */, NULL};
static const char *const words_behind[] = {
    "phone", "tel", "fax", "mobile", "cell", "office", "home", NULL};

/* Bytes that words begin with: most do not. */
static const bool word_begins[256] = {['P'] = true,
    ['p'] = true,
    ['T'] = true,
    ['t'] = true,
    ['F'] = true,
    ['f'] = true,
    ['M'] = true,
    ['m'] = true,
    ['C'] = true,
    ['c'] = true,
    ['D'] = true,
    ['d'] = true,
    ['A'] = true,
    ['a'] = true,
    ['S'] = true,
    ['s'] = true,
    ['O'] = true,
    ['o'] = true,
    ['H'] = true,
    ['h'] = true,
    [0xe9] = true,
    [0xe6] = true,
    [0x93] = true,
    [0x8c] = true,
    [0xc5] = true,
    [0xb7] = true};

static bool
word_at(const uint8_t *data, size_t size, const char *const *words)
{
	if (!word_begins[data[0]])
		return false;
	for (; *words != NULL; words++) {
		const char *word = *words;
		size_t i = 0;

		while (i < size && word[i] != '\0' &&
		    (scan_is(data[i], CLASS_LETTER) ? (data[i] | 0x20) : data[i]) ==
			(uint8_t)word[i])
			i++;
		if (word[i] == '\0')
			return true;
	}
	return false;
}

static bool
has_word_beside(const struct place *place, size_t k)
{
	size_t at = place->groups[0].at;
	size_t behind = group_end(&place->groups[k - 1]);

	/* The words belong to the nearest number. */
	for (size_t i = 1; i <= WORDS_BEFORE && i <= at; i++) {
		uint8_t byte = place->data[at - i];

		if (byte == 0 || scan_is(byte, CLASS_DIGIT))
			break;
		if (word_at(place->data + at - i, i, words_before))
			return true;
	}
	for (size_t i = behind; i < place->end && i - behind < WORDS_BEHIND; i++) {
		uint8_t byte = place->data[i];

		if (byte == 0 || byte == '\n' || scan_is(byte, CLASS_DIGIT))
			break;
		if (word_at(place->data + i, place->end - i, words_behind))
			return true;
	}
	return false;
}

/* 7 to 12 digits in groups, or 9 or 10 whole, and a word beside them. */
static size_t
match_by_words(const struct place *place)
{
	size_t most = place->count < GROUPS_MATCH ? place->count : GROUPS_MATCH;
	uint8_t before = byte_before(place);
	size_t count = count_of(place, most);

	if (place->groups[0].before[0] != 0 || !scan_may_precede_by_words(before) ||
	    !is_free(place, most))
		return 0;
	/* All that is there, or it is a table. */
	if (place->count > most || (most == 1 && count != 9 && count != 10))
		return 0;
	if (count < 7 || count > 12 || (most > 1 && !sizes_are_within(place, most, 2, 7)))
		return 0;
	if (separator_of(place, most) == 0 || is_of_another_shape(place, most))
		return 0;
	return has_word_beside(place, most) ? most : 0;
}

size_t
scan_match_phone(const struct place *place, const struct scan_sink *sink)
{
	size_t k = match_international(place);

	if (k == 0)
		k = match_whole(place);
	if (k == 0)
		k = match_trunk(place);
	if (k == 0)
		k = match_north_american(place);
	if (k == 0)
		k = match_by_words(place);
	if (k > 0)
		report(place, k, SCAN_PHONE, sink);
	return k;
}
