/*
 * Dates as people write them. Parts are a year, a month and a day in this order, with anything between them that
 * is no digit; years by the era, with its kanji or letter, or with four digits. What is not certain is refused:
 * two digits without an era, and the day before the month.
 */
#include "base/clock.h"
#include "match/match_internal.h"

#define SERIAL_EPOCH (-25569) /* 1899-12-30, from which workbooks count */
#define SERIAL_FIRST                                                                               \
	61 /* 1900-03-01; before it workbooks differ by their belief in a 29th of February */
#define SERIAL_LAST 73050 /* 2099-12-31 */

static const struct era {
	uint16_t letter, kanji, second;
	int before; /* the year before its first */
	int last;   /* its last year, as numbered in it */
} eras[] = {{'m', 0x660e, 0x6cbb, 1867, 45}, {'t', 0x5927, 0x6b63, 1911, 15},
    {'s', 0x662d, 0x548c, 1925, 64}, {'h', 0x5e73, 0x6210, 1988, 31},
    {'r', 0x4ee4, 0x548c, 2018, 99}};

struct date_parts {
	int values[3];
	size_t digits[3];
	size_t count;
};

static const struct era *
read_era(const struct text *text, size_t *at)
{
	for (size_t i = 0; i < AZ_ARRAY_SIZE(eras); i++) {
		if (text->symbols[*at] == eras[i].letter) {
			*at += 1;
			if (*at < text->count && text->symbols[*at] == '.')
				*at += 1;
			return &eras[i];
		}
		if (text->symbols[*at] == eras[i].kanji) {
			*at += 1;
			if (*at < text->count && text->symbols[*at] == eras[i].second)
				*at += 1;
			return &eras[i];
		}
	}
	return NULL;
}

static bool
is_between(uint16_t symbol)
{
	return symbol == '-' || symbol == '/' || symbol == '.' || symbol == ' ' ||
	    symbol == 0x5e74 || symbol == 0x6708 || symbol == 0x65e5; /* 年 月 日 */
}

/* Whether what is left is a time of midnight, a day of the week in brackets, or 生: no part of the date. */
static bool
is_tail(const struct text *text, size_t at)
{
	if (at < text->count && (text->symbols[at] == 't' || text->symbols[at] == ' ')) {
		for (at++; at < text->count; at++) {
			if (text->symbols[at] != '0' && text->symbols[at] != ':' &&
			    text->symbols[at] != '.' && text->symbols[at] != 'z' &&
			    text->symbols[at] != ' ')
				return false;
		}
		return true;
	}
	if (at + 3 == text->count && text->symbols[at] == '(' && text->symbols[at + 2] == ')')
		return true;
	return at == text->count || (at + 1 == text->count && text->symbols[at] == 0x751f);
}

/* Reads up to three parts; false if there is something else. */
static bool
read_parts(const struct text *text, size_t at, struct date_parts *ret_parts)
{
	*ret_parts = (struct date_parts){0};
	while (at < text->count && ret_parts->count < 3) {
		int value = 0;
		size_t digits = 0;

		if (text->symbols[at] == 0x5143 && ret_parts->count == 0) { /* 元 */
			value = 1;
			digits = 2;
			at++;
		}
		for (; at < text->count && is_digit(text->symbols[at]) && digits < 9;
		     at++, digits++)
			value = value * 10 + (text->symbols[at] - '0');
		if (digits == 0)
			return false;
		ret_parts->values[ret_parts->count] = value;
		ret_parts->digits[ret_parts->count++] = digits;
		if (ret_parts->count == 3)
			break;
		if (at == text->count)
			return ret_parts->count == 1;
		if (!is_between(text->symbols[at]))
			return ret_parts->count == 1 && is_tail(text, at);
		if (ret_parts->count == 1 && digits >= 5)
			return is_tail(text, at);
		while (at < text->count && is_between(text->symbols[at]))
			at++;
	}
	if (at < text->count && text->symbols[at] == 0x65e5)
		at++;
	return ret_parts->count == 3 && is_tail(text, at);
}

static bool
in_era(const struct era *era, const struct date_parts *parts, int32_t *ret_days)
{
	int year = parts->values[0];
	int month = parts->values[1];
	int day = parts->values[2];

	if (parts->count == 1 && parts->digits[0] == 6) {
		year = parts->values[0] / 10000;
		month = parts->values[0] / 100 % 100;
		day = parts->values[0] % 100;
	} else if (parts->count != 3 || parts->digits[0] > 2 || parts->digits[1] > 2 ||
	    parts->digits[2] > 2) {
		return false;
	}
	/* Its first year began before it did; people write both. */
	return year >= 1 && year <= era->last &&
	    date_from_civil(era->before + year, month, day, ret_days);
}

static bool
in_the_common_era(const struct date_parts *parts, int32_t *ret_days)
{
	int whole = parts->values[0];

	if (parts->count == 1 && parts->digits[0] == 8)
		return date_from_civil(whole / 10000, whole / 100 % 100, whole % 100, ret_days);
	if (parts->count == 1 && parts->digits[0] == 5)
		return match_date_serial((uint32_t)whole, ret_days);
	if (parts->count != 3 || parts->digits[0] != 4 || parts->digits[1] > 2 ||
	    parts->digits[2] > 2)
		return false;
	return date_from_civil(whole, parts->values[1], parts->values[2], ret_days);
}

static bool
read_date(const struct text *text, int32_t *ret_days)
{
	const struct era *era;
	struct date_parts parts;
	size_t at = 0;

	while (at < text->count && text->symbols[at] == ' ')
		at++;
	if (at == text->count || text->too_long)
		return false;
	era = read_era(text, &at);
	while (at < text->count && text->symbols[at] == ' ')
		at++;
	if (!read_parts(text, at, &parts))
		return false;
	return era != NULL ? in_era(era, &parts, ret_days) : in_the_common_era(&parts, ret_days);
}

/* 1980-03-04, 1980/3/4, 19800304 in ASCII, as nearly all are: without folding. */
static bool
read_plain(struct bytes text, int32_t *ret_days)
{
	int parts[3] = {0};
	size_t digits[3] = {0};
	size_t part = 0;

	for (size_t at = 0; at < text.size; at++) {
		if (is_digit(text.data[at]) && digits[part] < 8) {
			parts[part] = parts[part] * 10 + (text.data[at] - '0');
			digits[part]++;
		} else if ((text.data[at] == '-' || text.data[at] == '/') && part < 2) {
			part++;
		} else {
			return false;
		}
	}
	if (part == 0 && digits[0] == 8)
		return date_from_civil(
		    parts[0] / 10000, parts[0] / 100 % 100, parts[0] % 100, ret_days);
	return part == 2 && digits[0] == 4 && digits[1] > 0 && digits[1] <= 2 && digits[2] > 0 &&
	    digits[2] <= 2 && date_from_civil(parts[0], parts[1], parts[2], ret_days);
}

bool
match_date(struct bytes value, int32_t *ret_days)
{
	AZ_UNCLEARED struct text text;

	if (read_plain(value, ret_days))
		return true;
	fold(value, FOLD_NAME, &text);
	while (text.count > 0 && text.symbols[text.count - 1] == ' ')
		text.count--;
	return read_date(&text, ret_days);
}

bool
match_date_serial(uint32_t serial, int32_t *ret_days)
{
	if (serial < SERIAL_FIRST || serial > SERIAL_LAST)
		return false;
	*ret_days = SERIAL_EPOCH + (int32_t)serial;
	return true;
}

bool
match_date_is_filler(int32_t days)
{
	int year;
	int month;
	int day;

	date_to_civil(days, &year, &month, &day);
	return year < 1870 || year > 2100 ||
	    (month == 1 && day == 1 && (year == 1900 || year == 1901)) ||
	    (month == 12 && day >= 30 && year == 1899);
}
