/*
 * Finding numbers in what people write.
 *
 * A value is read as groups of digits. Groups with one blank or hyphen between them belong together: a number
 * may begin at any group and end at any, so that a card number is found with an expiry date behind it, but not
 * inside a longer run of digits. Letters and other characters end the run.
 *
 * Luhn: from the right, every second digit doubled, digits of the doubles added; the sum ends in 0. Which first
 * digits issuers use, and with how many digits: ISO/IEC 7812 as the networks publish their ranges.
 *
 * My Number (Order of the Minister of Internal Affairs and Communications, 2014, article 5): with P(n) the n-th
 * digit from the right, the check digit not counted, and Q(n) = n + 1 for n <= 6 and n - 5 above,
 * the check digit is 11 - (sum of P(n) Q(n) mod 11), or 0 where that is above 9.
 */
#include "match/found.h"

#include <string.h>

#include "base/wire.h"

#define GROUPS_MAX 32u
#define DIGITS_MAX 96u
#define CARD_MIN   12u
#define CARD_MAX   19u
#define MY_DIGITS  12u

/* A run of groups, as digits. */
struct run {
	uint8_t digits[DIGITS_MAX];
	size_t count;
	size_t starts[GROUPS_MAX + 1]; /* of each group; then the end */
	size_t groups;
	bool after_plus;
};

struct issuer {
	uint32_t from, to; /* of the first digits */
	uint8_t prefix;    /* how many they are */
	uint8_t least, most;
};

static const struct issuer issuers[] = {
    {4, 4, 1, 13, 13},
    {4, 4, 1, 16, 16},
    {4, 4, 1, 19, 19},
    {51, 55, 2, 16, 16},
    {2221, 2720, 4, 16, 16},
    {34, 34, 2, 15, 15},
    {37, 37, 2, 15, 15},
    {3528, 3589, 4, 16, 19},
    {300, 305, 3, 14, 19},
    {3095, 3095, 4, 14, 19},
    {36, 36, 2, 14, 19},
    {38, 39, 2, 14, 19},
    {6011, 6011, 4, 16, 19},
    {644, 649, 3, 16, 19},
    {65, 65, 2, 16, 19},
    {62, 62, 2, 16, 19},
    {5018, 5018, 4, 12, 19},
    {5020, 5020, 4, 12, 19},
    {5038, 5038, 4, 12, 19},
    {5893, 5893, 4, 12, 19},
    {6304, 6304, 4, 12, 19},
    {6759, 6759, 4, 12, 19},
    {6761, 6763, 4, 12, 19},
};

static bool
is_issued(const uint8_t *digits, size_t count)
{
	for (size_t i = 0; i < AZ_ARRAY_SIZE(issuers); i++) {
		const struct issuer *issuer = &issuers[i];
		uint32_t first = 0;

		if (count < issuer->least || count > issuer->most)
			continue;
		for (uint8_t d = 0; d < issuer->prefix; d++)
			first = first * 10 + digits[d];
		if (first >= issuer->from && first <= issuer->to)
			return true;
	}
	return false;
}

static bool
passes_luhn(const uint8_t *digits, size_t count)
{
	unsigned int sum = 0;

	for (size_t i = 0; i < count; i++) {
		unsigned int digit = digits[count - 1 - i];

		if (i % 2 == 1)
			digit = digit * 2 > 9 ? digit * 2 - 9 : digit * 2;
		sum += digit;
	}
	return sum % 10 == 0;
}

/* Not all the same digit, which passes a check that nobody meant. */
static bool
varies(const uint8_t *digits, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		if (digits[i] != digits[0])
			return true;
	}
	return false;
}

static bool
is_my_number(const uint8_t *digits)
{
	unsigned int sum = 0;
	unsigned int check;

	for (unsigned int n = 1; n < MY_DIGITS; n++)
		sum += digits[MY_DIGITS - 1 - n] * (n <= 6 ? n + 1 : n - 5);
	check = sum % 11 <= 1 ? 0 : 11 - sum % 11;
	return digits[MY_DIGITS - 1] == check && varies(digits, MY_DIGITS);
}

/* As it is written: in one, or in three groups of four. */
static bool
is_grouped_as_my_number(const struct run *run, size_t first, size_t last)
{
	return first == last ||
	    (last == first + 2 && run->starts[first + 1] - run->starts[first] == 4 &&
		run->starts[first + 2] - run->starts[first + 1] == 4);
}

static unsigned int
look_at(const struct run *run, unsigned int field)
{
	bool is_phone = field == FIELD_PHONE || field == FIELD_MOBILE;
	unsigned int found = 0;

	for (size_t first = 0; first < run->groups; first++) {
		const uint8_t *digits = run->digits + run->starts[first];

		for (size_t last = first; last < run->groups; last++) {
			size_t count = run->starts[last + 1] - run->starts[first];

			if (count > CARD_MAX)
				break;
			if (count >= CARD_MIN && is_issued(digits, count) &&
			    passes_luhn(digits, count) && varies(digits, count))
				found |= 1u << CLASS_CARD;
			if (count == MY_DIGITS && is_grouped_as_my_number(run, first, last) &&
			    is_my_number(digits) && !(run->after_plus && first == 0) &&
			    !(is_phone && digits[0] == 8 && digits[1] == 1))
				found |= 1u << CLASS_MY_NUMBER;
		}
	}
	/* What lies inside a card number is a part of it. */
	return (found & 1u << CLASS_CARD) != 0 ? 1u << CLASS_CARD : found;
}

/* --- reading ---------------------------------------------------------------------------------- */

/* The digit at text, or -1; *ret_size is how many bytes it has, full width or not. */
static int
digit_at(struct bytes text, size_t at, size_t *ret_size)
{
	const uint8_t *data = text.data + at;

	*ret_size = 1;
	if (data[0] >= '0' && data[0] <= '9')
		return data[0] - '0';
	/* U+FF10 to U+FF19 */
	if (text.size - at >= 3 && data[0] == 0xef && data[1] == 0xbc && data[2] >= 0x90 &&
	    data[2] <= 0x99) {
		*ret_size = 3;
		return data[2] - 0x90;
	}
	return -1;
}

/* Bytes of a blank, hyphen or dash at text; 0 for anything else. */
static size_t
separator_at(struct bytes text, size_t at)
{
	static const char *const separators[] = {" ", "-", ".", "\xe3\x80\x80", "\xe2\x80\x90",
	    "\xe2\x80\x91", "\xe2\x80\x92", "\xe2\x80\x93", "\xe2\x80\x94", "\xe2\x80\x95",
	    "\xe2\x88\x92", "\xe3\x83\xbc", "\xef\xbc\x8d", "\xc2\xa0", "\xef\xbd\xb0"};

	for (size_t i = 0; i < AZ_ARRAY_SIZE(separators); i++) {
		size_t size = strlen(separators[i]);

		if (text.size - at >= size &&
		    bytes_equal(bytes_make(text.data + at, size), bytes_of(separators[i])))
			return size;
	}
	return 0;
}

/* Reads a run that begins at *at, a digit, and moves *at behind it. */
static void
read_run(struct bytes text, size_t *at, struct run *run)
{
	size_t size = 0;

	run->count = 0;
	run->groups = 0;
	while (*at < text.size && run->groups < GROUPS_MAX) {
		int digit = digit_at(text, *at, &size);
		size_t blank;

		run->starts[run->groups++] = run->count;
		while (digit >= 0 && run->count < DIGITS_MAX) {
			run->digits[run->count++] = (uint8_t)digit;
			*at += size;
			digit = *at < text.size ? digit_at(text, *at, &size) : -1;
		}
		blank = *at < text.size ? separator_at(text, *at) : 0;
		if (digit >= 0 || blank == 0 || *at + blank >= text.size ||
		    digit_at(text, *at + blank, &size) < 0)
			break;
		*at += blank;
	}
	run->starts[run->groups] = run->count;
}

#define ONES  UINT64_C(0x0101010101010101)
#define LOWER UINT64_C(0x7f7f7f7f7f7f7f7f)

/* The top bit of each byte of word that is no digit and does not begin a full-width one. */
static uint64_t
no_digits(uint64_t word)
{
	uint64_t digit = word ^ ONES * '0';
	uint64_t wide = word ^ ONES * 0xef;
	/* No sum of seven bits carries into the next byte. */
	uint64_t above_nine = ((digit & LOWER) + ONES * (0x80 - 10)) | digit;
	uint64_t not_wide = ((wide & LOWER) + LOWER) | wide;

	return above_nine & not_wide & ~LOWER;
}

/* How many bytes have their top bit set; the others are zero. */
static size_t
count_tops(uint64_t word)
{
	return (size_t)((word >> 7) * ONES >> 56);
}

/* Whether value, of eight bytes or more, has CARD_MIN digits anywhere: hardly any does, and only these are read. */
static bool
has_digits(struct bytes value)
{
	size_t none = 0; /* bytes that are no digit */
	size_t at = 0;
	size_t left;

	for (; value.size - at >= 8; at += 8)
		none += count_tops(no_digits(wire_load_u64(value.data + at)));
	left = value.size - at;
	/* The last word once more, without the bytes that were counted. */
	if (left > 0)
		none += count_tops(no_digits(wire_load_u64(value.data + value.size - 8)) &
		    UINT64_MAX << (64 - 8 * left));
	return value.size - none >= CARD_MIN;
}

unsigned int
found_in(struct bytes value, unsigned int field)
{
	unsigned int found = 0;
	struct run run;
	bool after_plus = false;
	size_t at = 0;

	if (value.size < CARD_MIN || !has_digits(value))
		return 0;
	while (at < value.size) {
		size_t size = 0;

		if (digit_at(value, at, &size) < 0) {
			after_plus = value.data[at] == '+' ||
			    (value.data[at] == 0x8b && at >= 2 && value.data[at - 1] == 0xbc);
			at++;
			continue;
		}
		run.after_plus = after_plus;
		read_run(value, &at, &run);
		after_plus = false;
		if (run.count >= CARD_MIN)
			found |= look_at(&run, field);
	}
	return found;
}

/* --- verification codes ----------------------------------------------------------------------- */

bool
found_is_code(struct bytes value)
{
	size_t digits = 0;
	size_t at = 0;

	while (at < value.size) {
		size_t size = 0;

		if (digit_at(value, at, &size) < 0)
			return false;
		at += size;
		digits++;
	}
	return digits == 3 || digits == 4;
}

/* Lower-case letters, digits and what is beyond ASCII; full-width letters as their plain ones. */
static size_t
plain_name(struct bytes name, char *plain, size_t room)
{
	size_t size = 0;

	for (size_t i = 0; i < name.size && size + 1 < room; i++) {
		uint8_t byte = name.data[i];

		if (byte == 0xef && name.size - i >= 3 &&
		    (name.data[i + 1] == 0xbc || name.data[i + 1] == 0xbd) &&
		    name.data[i + 2] >= 0x80) {
			/* U+FF00 and up: ASCII from 0x20. */
			byte = (uint8_t)(0x20 + (name.data[i + 1] - 0xbc) * 0x40 +
			    (name.data[i + 2] - 0x80));
			i += 2;
			if (byte > 0x7e)
				return 0;
		}
		if (byte >= 'A' && byte <= 'Z')
			byte = (uint8_t)(byte - 'A' + 'a');
		if (byte >= 0x80 || (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9'))
			plain[size++] = (char)byte;
	}
	plain[size] = '\0';
	return size;
}

bool
found_names_code(struct bytes name)
{
	static const char *const names[] = {"cvv", "cvv2", "cvc", "cvc2", "csc", "cvn", "xcvv",
	    "xcvv2", "xcvc", "xcvc2", "xcsc", "xcvn", "cardcvv", "cardcvc", "xcardcvv", "xcardcvc",
	    "securitycode", "xsecuritycode", "cardsecuritycode", "xcardsecuritycode",
	    "cardverificationvalue", "cardverificationcode", "verificationcode",
	    "xverificationcode", "xcardverificationcode", "xcardverificationvalue",
	    "セキュリティコード", "カード確認番号"};
	char plain[80];
	size_t size = plain_name(name, plain, sizeof(plain));

	for (size_t i = 0; size > 0 && i < AZ_ARRAY_SIZE(names); i++) {
		if (strcmp(plain, names[i]) == 0)
			return true;
	}
	return false;
}
