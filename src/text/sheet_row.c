/*
 * One record of a sheet, and numbers and dates as people write them.
 *
 * Workbooks count days from 1899-12-31 as day 1, with a 1900-02-29 that never was (ECMA-376 part 1, 18.17.4.1), or from
 * 1904-01-01 as day 0.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "text/text_internal.h"
#include "text/unpack_internal.h"

#define ROW_TEXT_MAX (4u * 1024u * 1024u)
#define SERIAL_MAX   2958465.0 /* 9999-12-31 */
#define WHOLE_MAX    1e15      /* whole numbers that a double tells apart, and then some */

void
sheet_row_init(struct sheet_row *row)
{
	memset(row, 0, sizeof(*row));
	buffer_init(&row->text, ROW_TEXT_MAX, true);
}

void
sheet_row_fini(struct sheet_row *row)
{
	buffer_fini(&row->text);
}

void
sheet_row_clear(struct sheet_row *row)
{
	buffer_clear(&row->text);
	row->count = 0;
	row->wide = false;
	row->long_value = false;
	row->control = false;
	row->no_text = false;
}

static bool
has_control(struct bytes value)
{
	for (size_t i = 0; i < value.size; i++) {
		uint8_t byte = value.data[i];

		if ((byte < 0x20 && byte != '\t' && byte != '\n' && byte != '\r') || byte == 0x7f)
			return true;
	}
	return false;
}

enum az_status
sheet_row_set(struct sheet_row *row, size_t column, struct bytes value)
{
	enum az_status status;

	while (value.size > 0 && (value.data[0] == ' ' || value.data[0] == '\t')) {
		value.data++;
		value.size--;
	}
	while (value.size > 0 &&
	    (value.data[value.size - 1] == ' ' || value.data[value.size - 1] == '\t'))
		value.size--;
	if (value.size == 0)
		return AZ_OK;
	if (column >= LIST_COLUMNS_MAX) {
		row->wide = true;
		return AZ_OK;
	}
	if (value.size > FIELD_VALUE_MAX) {
		row->long_value = true;
		value.size = 0;
	}
	row->control = row->control || has_control(value);
	row->no_text = row->no_text || memchr(value.data, DECODE_BAD, value.size) != NULL;
	while (row->count <= column)
		row->cells[row->count++].size = 0;
	row->cells[column].offset = row->text.size;
	row->cells[column].size = value.size;
	status = buffer_append(&row->text, value);
	if (status == AZ_LIMIT) {
		row->long_value = true;
		row->cells[column].size = 0;
		return AZ_OK;
	}
	return status;
}

bool
sheet_row_end(struct sheet_row *row, uint64_t number)
{
	struct list_record *record = &row->record;

	if (row->count == 0 && !row->wide && !row->long_value)
		return false;
	if (row->count > row->width)
		row->width = row->count;
	record->place = number;
	record->refusal = row->wide ? REFUSAL_COLUMNS
	    : row->long_value       ? REFUSAL_TOO_LONG
	    : row->no_text          ? REFUSAL_ENCODING
	    : row->control          ? REFUSAL_CONTROL
				    : REFUSAL_NONE;
	record->count = record->refusal == REFUSAL_NONE ? row->width : 0;
	for (size_t i = 0; i < record->count; i++)
		record->values[i] = i < row->count && row->cells[i].size > 0
		    ? bytes_make(row->text.data + row->cells[i].offset, row->cells[i].size)
		    : bytes_make(NULL, 0);
	return true;
}

size_t
serial_format(double serial, bool since_1904, bool with_time, char text[SERIAL_TEXT_SIZE])
{
	double whole = floor(serial);
	int seconds = (int)floor((serial - whole) * 86400 + 0.5);
	int32_t days;
	int32_t base;

	if (!(serial >= 1 && serial < SERIAL_MAX + 1))
		return 0;
	if (seconds == 86400) {
		whole += 1;
		seconds = 0;
	}
	if (!since_1904 && whole == 60)
		return 0;
	if (!date_from_civil(1899, 12, 31, &base) ||
	    (since_1904 && !date_from_civil(1904, 1, 1, &base)))
		return 0;
	days = base + (int32_t)whole - (!since_1904 && whole > 60 ? 1 : 0);
	date_format(days, text);
	if (!with_time || seconds == 0)
		return strlen(text);
	return strlen(text) +
	    (size_t)snprintf(text + strlen(text), SERIAL_TEXT_SIZE - strlen(text),
		" %02d:%02d:%02d", seconds / 3600, seconds / 60 % 60, seconds % 60);
}

size_t
number_format(double number, char text[NUMBER_TEXT_SIZE])
{
	int size;

	if (!isfinite(number))
		return 0;
	if (number == floor(number) && fabs(number) < WHOLE_MAX)
		size = snprintf(text, NUMBER_TEXT_SIZE, "%.0f", number);
	else
		size = snprintf(text, NUMBER_TEXT_SIZE, "%.15g", number);
	return size > 0 ? (size_t)size : 0;
}

size_t
style_format(enum style style, double number, bool since_1904, char text[NUMBER_TEXT_SIZE])
{
	size_t size = 0;

	if (style != STYLE_NUMBER)
		size = serial_format(number, since_1904, style == STYLE_DATE_TIME, text);
	return size > 0 ? size : number_format(number, text);
}
