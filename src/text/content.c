/*
 * What a value looks like, where no header says what it is.
 *
 * These are guesses for a column as a whole: one value may deceive, nine in ten rarely do. They never decide
 * about a row, and a list whose header is known is not guessed at.
 */
#include <string.h>

#include "text/text_internal.h"

#define PLAIN_MAX 256u

/* What a value is made of. */
struct shape {
	char plain
	    [PLAIN_MAX]; /* its ASCII part, wide forms made narrow; '?' for each other character */
	size_t size;
	size_t digits, letters, kana, kanji, blanks, hyphens, others;
};

static void
count_point(struct shape *shape, uint32_t point)
{
	if (point >= '0' && point <= '9')
		shape->digits++;
	else if ((point | 0x20) >= 'a' && (point | 0x20) <= 'z' && point < 0x80)
		shape->letters++;
	else if (point == ' ' || point == 0x3000)
		shape->blanks++;
	else if (point == '-')
		shape->hyphens++;
	else if ((point >= 0x3041 && point <= 0x30fe) || (point >= 0xff66 && point <= 0xff9f))
		shape->kana++;
	else if ((point >= 0x4e00 && point <= 0x9fff) || (point >= 0x3400 && point <= 0x4dbf) ||
	    (point >= 0xf900 && point <= 0xfaff) || (point >= 0x20000 && point <= 0x3ffff) ||
	    point == 0x3005 || point == 0x3006)
		shape->kanji++;
	else if (point >= 0xc0 && point <= 0x24f)
		shape->letters++;
	else
		shape->others++;
}

static bool
take_shape(struct bytes value, struct shape *shape)
{
	size_t at = 0;

	*shape = (struct shape){0};
	while (at < value.size) {
		uint32_t point = text_point(value, &at);

		if (point >= 0xff01 && point <= 0xff5e)
			point -= 0xfee0;
		if (point == 0x2212 || (point >= 0x2010 && point <= 0x2015))
			point = '-';
		count_point(shape, point);
		if (shape->size + 1 == PLAIN_MAX)
			return false;
		shape->plain[shape->size++] = point < 0x80 ? (char)point : '?';
	}
	return shape->size > 0;
}

/* --- kinds ------------------------------------------------------------------------------------ */

static bool
is_mail(const struct shape *shape)
{
	const char *at = memchr(shape->plain, '@', shape->size);
	const char *dot = memchr(shape->plain, '.', shape->size);

	return at != NULL && at > shape->plain && shape->blanks == 0 && shape->kanji == 0 &&
	    dot != NULL && strchr(at, '.') != NULL && strchr(at + 1, '@') == NULL;
}

/* Reads up to four digits. */
static bool
read_number(const char **at, unsigned int most, unsigned int *ret_number)
{
	unsigned int count = 0;

	*ret_number = 0;
	while (count < most && **at >= '0' && **at <= '9') {
		*ret_number = *ret_number * 10 + (unsigned int)(**at - '0');
		(*at)++;
		count++;
	}
	return count > 0;
}

static bool
is_day(unsigned int year, unsigned int month, unsigned int day)
{
	return year >= 1850 && year <= 2100 && month >= 1 && month <= 12 && day >= 1 && day <= 31;
}

static bool
is_date(const struct shape *shape)
{
	const char *at = shape->plain;
	unsigned int year, month, day;

	if (shape->digits == 8 && shape->size == 8) {
		(void)read_number(&at, 4, &year);
		(void)read_number(&at, 2, &month);
		(void)read_number(&at, 2, &day);
		return is_day(year, month, day);
	}
	/* 昭和55年3月4日 is "??55?3?4?"; S55.3.4 begins with a letter. */
	if (at[0] == '?' && at[1] == '?')
		at += 2;
	else if (*at != '\0' && strchr("MTSHRmtshr", *at) != NULL)
		at++;
	if (!read_number(&at, 4, &year) || *at == '\0' || strchr("-/.?", *at) == NULL)
		return false;
	at++;
	if (!read_number(&at, 2, &month) || *at == '\0' || strchr("-/.?", *at) == NULL)
		return false;
	at++;
	if (!read_number(&at, 2, &day))
		return false;
	if (*at == '?' && at[1] == '\0')
		at++;
	/* Of a workbook a date may have a time. */
	return (*at == '\0' || *at == ' ' || *at == 'T') &&
	    is_day(at == shape->plain || year > 99 ? year : 1950, month, day) && shape->kana == 0;
}

static bool
is_postcode(const struct shape *shape)
{
	const char *at = shape->plain;

	if (*at == '?')
		at++;
	return strlen(at) == 8 && at[3] == '-' && strspn(at, "0123456789") == 3 &&
	    strspn(at + 4, "0123456789") == 4;
}

static unsigned int
phone_field(const struct shape *shape)
{
	const char *at = shape->plain;
	bool abroad = at[0] == '+';
	size_t digits = shape->digits;
	size_t marks = shape->hyphens + shape->blanks;

	for (size_t i = 0; i < shape->size; i++) {
		if (strchr("()+.", at[i]) != NULL)
			marks++;
	}
	if (marks + digits != shape->size || (!abroad && at[0] != '0' && at[0] != '('))
		return FIELD_COUNT;
	if (abroad)
		return digits >= 9 && digits <= 15 ? FIELD_PHONE : FIELD_COUNT;
	if (digits == 11 && at[0] == '0' && strchr("6789", at[1]) != NULL && at[2] == '0')
		return FIELD_MOBILE;
	return digits == 10 || digits == 11 ? FIELD_PHONE : FIELD_COUNT;
}

static bool
is_sex(struct bytes value)
{
	static const char *const words[] = {"男", "女", "男性", "女性", "m", "f", "male", "female"};
	char folded[FOLD_MAX];

	if (value.size > 16 || !fold_name(value, folded))
		return false;
	for (size_t i = 0; i < AZ_ARRAY_SIZE(words); i++) {
		if (strcmp(words[i], folded) == 0)
			return true;
	}
	return false;
}

static bool
has_text(struct bytes value, const char *text)
{
	size_t size = strlen(text);

	for (size_t i = 0; i + size <= value.size; i++) {
		if (bytes_equal(bytes_make(value.data + i, size), bytes_make(text, size)))
			return true;
	}
	return false;
}

/* Kanji of administration and something that counts. */
static bool
is_address(struct bytes value, const struct shape *shape)
{
	static const char *const areas[] = {"都", "道", "府", "県", "市", "区", "郡", "町", "村"};
	bool area = false;

	for (size_t i = 0; i < AZ_ARRAY_SIZE(areas) && !area; i++)
		area = has_text(value, areas[i]);
	if (shape->kanji >= 3 && area)
		return shape->size >= 5 && (shape->digits > 0 || shape->size >= 7);
	/* 12 Nishi Street */
	return shape->kanji == 0 && shape->digits > 0 && shape->letters >= 4 && shape->blanks > 0;
}

unsigned int
content_field(struct bytes value)
{
	struct shape shape;
	unsigned int phone;

	value = text_trim(value);
	if (!take_shape(value, &shape))
		return value.size == 0 ? FIELD_COUNT : FIELD_NOTE;
	if (is_mail(&shape))
		return FIELD_EMAIL;
	if (is_sex(value))
		return FIELD_SEX;
	if (is_date(&shape))
		return FIELD_BIRTH;
	if (is_postcode(&shape))
		return FIELD_POSTCODE;
	phone = phone_field(&shape);
	if (phone != FIELD_COUNT)
		return phone;
	if (shape.kana >= 2 && shape.kana + shape.blanks == shape.size)
		return FIELD_KANA;
	if (is_address(value, &shape))
		return FIELD_ADDRESS;
	if (shape.digits > 0 && shape.size <= 24 &&
	    shape.digits + shape.letters + shape.hyphens == shape.size)
		return FIELD_NUMBER;
	if (shape.digits == 0 && shape.others == 0 && shape.hyphens <= 1 && shape.size <= 40 &&
	    (shape.kanji > 0 ? shape.kanji + shape.kana <= 12 && shape.letters == 0
			     : shape.letters >= 2))
		return FIELD_NAME;
	return FIELD_NOTE;
}

bool
content_is_data(struct bytes value)
{
	switch (content_field(value)) {
	case FIELD_EMAIL:
	case FIELD_SEX:
	case FIELD_BIRTH:
	case FIELD_POSTCODE:
	case FIELD_PHONE:
	case FIELD_MOBILE:
	case FIELD_NUMBER: return true;
	default: return false;
	}
}
