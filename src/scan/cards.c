/*
 * Numbers that carry a check digit: cards and My Numbers.
 *
 *	card        12 to 19 digits, whole or as printed on cards, of an issuer's prefix and length, with Luhn's digit
 *	My Number   12 digits, whole or in fours, with the check digit of the ordinance of 2014 (modulus 11)
 *
 * One number in ten or eleven has the digit by chance, so what stands around must allow it too: no letter or digit
 * touches it, no decimal point, and no group is joined on by a dash.
 */
#include "scan/place_internal.h"

static bool
luhn_holds(const struct digits *digits)
{
	unsigned sum = 0;

	for (size_t i = 0; i < digits->count; i++) {
		unsigned value = digits->values[digits->count - 1 - i];

		if (i % 2 == 1)
			value = value > 4 ? 2 * value - 9 : 2 * value;
		sum += value;
	}
	return sum % 10 == 0;
}

/* Issuers' prefixes as they are, or have been, given out; lengths as bits. */
struct issuer {
	uint32_t first, last; /* of the leading digits, as many as first has */
	uint32_t scale;       /* the first six digits are divided by it */
	uint32_t lengths;
};

#define LENGTH(n)       (UINT32_C(1) << (n))
#define LENGTHS(n, m)   (LENGTH((m) + 1) - LENGTH(n))
#define MAESTRO_LENGTHS LENGTHS(12, 19)

static const struct issuer issuers[] = {
    {4, 4, 100000, LENGTH(13) | LENGTH(16) | LENGTH(19)}, /* Visa */
    {51, 55, 10000, LENGTH(16)},                          /* Mastercard */
    {2221, 2720, 100, LENGTH(16)},
    {34, 34, 10000, LENGTH(15)}, /* American Express */
    {37, 37, 10000, LENGTH(15)},
    {35, 35, 10000, LENGTHS(16, 19)}, /* JCB */
    {1800, 1800, 100, LENGTH(15)},
    {2131, 2131, 100, LENGTH(15)},
    {300, 305, 1000, LENGTHS(14, 19)}, /* Diners Club */
    {309, 309, 1000, LENGTHS(14, 19)},
    {36, 36, 10000, LENGTHS(14, 19)},
    {38, 39, 10000, LENGTHS(14, 19)},
    {6011, 6011, 100, LENGTHS(16, 19)}, /* Discover */
    {644, 649, 1000, LENGTHS(16, 19)},
    {65, 65, 10000, LENGTHS(16, 19)},
    {62, 62, 10000, LENGTHS(16, 19)}, /* UnionPay */
    {81, 81, 10000, LENGTHS(16, 19)},
    {60, 60, 10000, LENGTH(16)},      /* RuPay */
    {2200, 2205, 100, LENGTH(16)},    /* Mir */
    {50, 50, 10000, MAESTRO_LENGTHS}, /* Maestro */
    {56, 58, 10000, MAESTRO_LENGTHS},
    {604, 604, 100, LENGTH(12)}, /* written 0604 */
    {6304, 6304, 100, MAESTRO_LENGTHS},
    {6390, 6390, 100, MAESTRO_LENGTHS},
    {67, 67, 10000, MAESTRO_LENGTHS},
};

static bool
issuer_is_known(const struct digits *digits)
{
	uint32_t six = 0;

	for (size_t i = 0; i < 6; i++)
		six = six * 10 + digits->values[i];
	for (size_t i = 0; i < AZ_ARRAY_SIZE(issuers); i++) {
		uint32_t prefix = six / issuers[i].scale;

		if (prefix >= issuers[i].first && prefix <= issuers[i].last &&
		    (issuers[i].lengths & LENGTH(digits->count)) != 0)
			return true;
	}
	return false;
}

static bool
is_card(const struct digits *digits)
{
	return digits->count >= 12 && digits->count <= 19 && issuer_is_known(digits) &&
	    luhn_holds(digits);
}

/*
 * The check digit is 11 - (sum of p·q mod 11), or 0 where that is above 9; p are the other digits from the right, q is
 * 2 to 7 and then 2 to 6.
 */
static bool
is_my_number(const struct digits *digits)
{
	unsigned sum = 0;
	bool differs = false;

	if (digits->count != 12)
		return false;
	for (unsigned n = 1; n <= 11; n++) {
		sum += digits->values[11 - n] * (n <= 6 ? n + 1 : n - 5);
		differs |= digits->values[11 - n] != digits->values[11];
	}
	return differs && digits->values[11] == (sum % 11 <= 1 ? 0 : 11 - sum % 11);
}

/* In how many groups, and of which sizes, cards are printed. */
static const struct {
	uint8_t count, sizes[5];
} card_groups[] = {{5, {4, 4, 4, 4, 3}}, {4, {4, 4, 4, 4}}, {4, {4, 4, 4, 1}}, {3, {4, 6, 5}},
    {3, {4, 6, 4}}, {3, {4, 4, 4}}};

static bool
is_table_of_fours(const struct place *place)
{
	return place->groups[0].before[0] == ' ' ||
	    (place->count > 3 && place->groups[3].before[0] == ' ');
}

/* Card or My Number or both, of the first k groups. */
static size_t
match_both(const struct place *place, size_t k, const struct scan_sink *sink)
{
	struct digits digits;
	size_t used = 0;

	if (!is_free(place, k) || !digits_of(place, k, &digits))
		return 0;
	if (is_card(&digits)) {
		report(place, k, SCAN_CARD, sink);
		used = k;
	}
	if (is_my_number(&digits) && !(k > 1 && is_table_of_fours(place))) {
		report(place, k, SCAN_MY_NUMBER, sink);
		used = k;
	}
	return used;
}

size_t
scan_match_checked(const struct place *place, const struct scan_sink *sink)
{
	uint32_t size = place->groups[0].size;

	if (size >= 12)
		return size <= 19 ? match_both(place, 1, sink) : 0;
	if (size != 4)
		return 0;
	for (size_t i = 0; i < AZ_ARRAY_SIZE(card_groups); i++) {
		uint8_t separator;
		size_t used;

		if (!sizes_are(place, card_groups[i].sizes, card_groups[i].count))
			continue;
		separator = separator_of(place, card_groups[i].count);
		if (separator != ' ' && separator != '-')
			continue;
		used = match_both(place, card_groups[i].count, sink);
		if (used > 0)
			return used;
	}
	return 0;
}
