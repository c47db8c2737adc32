/*
 * One line of JSON. The parser is jansson, which bounds its own depth; what it makes of a line is looked at by path, and what has
 * another type than it should is as if it were not there.
 */
#include "guard/forwarded.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "guard/forwarded_internal.h"

void
forwarded_prepare(void)
{
	/* Its tables are hashed under a random seed, so that no line can make them slow. */
	json_object_seed(0);
}

const char *
forwarded_fault_text(enum forwarded_fault fault)
{
	switch (fault) {
	case FORWARDED_TOO_LONG: return "it is too long";
	case FORWARDED_NO_JSON: return "it is no JSON object, or has a name twice";
	case FORWARDED_UNKNOWN: return "it is no event of Windows and no result of osquery";
	case FORWARDED_NO_DESK: return "it does not say which computer it is of";
	case FORWARDED_NO_TIME: return "it does not say when";
	case FORWARDED_NO_NUMBER: return "it has no number of an event, or of its record";
	case FORWARDED_NO_ROWS: return "its rows are none, or too many";
	case FORWARDED_GOOD:
	case FORWARDED_NONE:
	case FORWARDED_FAULTS:
	default: return "it cannot be read";
	}
}

/* --- values ----------------------------------------------------------------------------------- */

json_t *
forwarded_member(const json_t *value, ...)
{
	json_t *member = NULL;
	const char *name;
	va_list path;

	va_start(path, value);
	while ((name = va_arg(path, const char *)) != NULL) {
		member = json_object_get(value, name);
		value = member;
	}
	va_end(path);
	return member;
}

bool
forwarded_number(const json_t *value, uint64_t *ret_number)
{
	const char *text = json_string_value(value);
	uint64_t number = 0;
	size_t size;

	if (json_is_integer(value) && json_integer_value(value) >= 0) {
		*ret_number = (uint64_t)json_integer_value(value);
		return true;
	}
	size = text == NULL ? 0 : strlen(text);
	/* Nineteen digits always fit. */
	if (size == 0 || size > 19 || strspn(text, "0123456789") != size)
		return false;
	for (size_t i = 0; i < size; i++)
		number = number * 10 + (uint64_t)(text[i] - '0');
	*ret_number = number;
	return true;
}

/* So many digits, as a number; the text moves behind them. */
static bool
take_digits(const char **text, size_t count, int *ret_value)
{
	int value = 0;

	for (size_t i = 0; i < count; i++) {
		char digit = (*text)[i];

		if (digit < '0' || digit > '9')
			return false;
		value = value * 10 + (digit - '0');
	}
	*text += count;
	*ret_value = value;
	return true;
}

static bool
take_char(const char **text, const char *set)
{
	if (**text == '\0' || strchr(set, **text) == NULL)
		return false;
	(*text)++;
	return true;
}

/* ".1234567": microseconds; more digits are passed over. */
static bool
take_fraction(const char **text, int64_t *ret_us)
{
	int64_t unit = AZ_US_PER_S / 10;
	size_t digits = 0;

	*ret_us = 0;
	if (!take_char(text, "."))
		return true;
	while (**text >= '0' && **text <= '9' && digits++ < 18) {
		*ret_us += (**text - '0') * unit;
		unit /= 10;
		(*text)++;
	}
	return digits > 0;
}

/* "Z", "+09:00", "-0500", or nothing. */
static bool
take_zone(const char **text, int64_t *ret_us)
{
	int hours = 0;
	int minutes = 0;
	bool is_behind = **text == '-';

	*ret_us = 0;
	if (**text == '\0' || take_char(text, "Zz"))
		return true;
	if (!take_char(text, "+-") || !take_digits(text, 2, &hours))
		return false;
	(void)take_char(text, ":");
	if (!take_digits(text, 2, &minutes) || hours > 23 || minutes > 59)
		return false;
	*ret_us = (hours * 3600 + minutes * 60) * AZ_US_PER_S * (is_behind ? -1 : 1);
	return true;
}

bool
forwarded_time(const char *text, int64_t *ret_us)
{
	char date[11];
	int32_t days = 0;
	int hour = 0;
	int minute = 0;
	int second = 0;
	int64_t fraction = 0;
	int64_t zone = 0;

	if (text == NULL || strnlen(text, sizeof(date)) < sizeof(date))
		return false;
	memcpy(date, text, 10);
	date[10] = '\0';
	text += 10;
	if (!date_parse(date, &days) || !take_char(&text, "Tt ") || !take_digits(&text, 2, &hour) ||
	    !take_char(&text, ":") || !take_digits(&text, 2, &minute) || !take_char(&text, ":") ||
	    !take_digits(&text, 2, &second) || !take_fraction(&text, &fraction) ||
	    !take_zone(&text, &zone) || *text != '\0' || hour > 23 || minute > 59 || second > 60)
		return false;
	*ret_us = days * AZ_US_PER_DAY + (hour * 3600 + minute * 60 + second) * AZ_US_PER_S +
	    fraction - zone;
	return true;
}

void
forwarded_text(const char *text, char *ret_text, size_t room)
{
	size_t size = 0;

	for (; text != NULL && *text != '\0' && size + 1 < room; text++) {
		unsigned char byte = (unsigned char)*text;

		if ((byte & 0xc0) == 0x80)
			continue; /* of a character that is a '?' already */
		ret_text[size++] = byte >= 0x20 && byte < 0x7f ? (char)byte : '?';
	}
	ret_text[size] = '\0';
}

bool
forwarded_desk(const char *text, struct endpoint_event *event)
{
	size_t size = text == NULL ? 0 : strlen(text);

	if (size == 0 || size >= sizeof(event->desk) ||
	    strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") !=
		size)
		return false;
	memcpy(event->desk, text, size + 1);
	return true;
}

bool
forwarded_hex(const char *text, size_t digits, uint16_t *ret_value)
{
	char padded[5] = "0000";
	uint8_t bytes[2];
	size_t size;

	if (text != NULL && text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
		text += 2;
	size = text == NULL ? 0 : strlen(text);
	if (size == 0 || size > digits || digits > 4)
		return false;
	memcpy(padded + 4 - size, text, size);
	if (!hex_decode(padded, bytes, sizeof(bytes)))
		return false;
	*ret_value = (uint16_t)(bytes[0] << 8 | bytes[1]);
	return true;
}

/* --- the line --------------------------------------------------------------------------------- */

enum forwarded_fault
forwarded_read(struct bytes line, struct forwarded_desks *desks, const struct forwarded_sink *sink)
{
	enum forwarded_fault fault = FORWARDED_UNKNOWN;
	json_t *value;

	if (line.size > FORWARDED_LINE_MAX)
		return FORWARDED_TOO_LONG;
	if (line.size == 0)
		return FORWARDED_NO_JSON;
	value = json_loadb((const char *)line.data, line.size, JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_object(value))
		fault = FORWARDED_NO_JSON;
	else if (!forwarded_windows(value, desks, sink, &fault))
		(void)forwarded_osquery(value, sink, &fault);
	json_decref(value);
	return fault;
}
