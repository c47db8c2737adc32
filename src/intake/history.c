/*
 * Reading an imported history: CSV with the columns time, staff, device, client, number, fields, kind and carrier, in
 * any order. One bad row ends it, and is named by its row and column, never by what it says.
 */
#include <string.h>

#include "base/clock.h"
#include "intake/intake_internal.h"
#include "proto/history.h"

enum column {
	COLUMN_TIME,
	COLUMN_STAFF,
	COLUMN_DEVICE,
	COLUMN_CLIENT,
	COLUMN_NUMBER,
	COLUMN_FIELDS,
	COLUMN_KIND,
	COLUMN_CARRIER,
	COLUMN_COUNT,
};

static const char *const column_names[COLUMN_COUNT] = {
    "time", "staff", "device", "client", "number", "fields", "kind", "carrier"};

#define FRAME_SMALL 16384u /* the keeper looks up each row between calls */

struct history {
	struct intake *intake;
	size_t columns[COLUMN_COUNT]; /* of the file */
	size_t width;
	struct outgoing lines;
	uint64_t rows;
};

static enum az_status
bad(uint64_t row, enum column column, const char *why, struct az_err *reterr)
{
	return az_fail(reterr, AZ_INVALID, "row %llu, column %s: %s", (unsigned long long)row,
	    column_names[column], why);
}

/* --- values ----------------------------------------------------------------------------------- */

/* So many digits from the front of text. */
static bool
take_digits(struct bytes *text, size_t count, int *ret_number)
{
	int number = 0;

	if (text->size < count)
		return false;
	for (size_t i = 0; i < count; i++) {
		if (text->data[i] < '0' || text->data[i] > '9')
			return false;
		number = 10 * number + (text->data[i] - '0');
	}
	*text = bytes_make(text->data + count, text->size - count);
	*ret_number = number;
	return true;
}

static bool
take_char(struct bytes *text, const char *any)
{
	if (text->size == 0 || text->data[0] == '\0' || strchr(any, text->data[0]) == NULL)
		return false;
	*text = bytes_make(text->data + 1, text->size - 1);
	return true;
}

/* "Z", or "+09:00", "+0900", "-05"; minutes east of Greenwich. */
static bool
take_offset(struct bytes *text, int *ret_minutes)
{
	bool west = text->size > 0 && text->data[0] == '-';
	int hours = 0;
	int minutes = 0;

	if (take_char(text, "Zz")) {
		*ret_minutes = 0;
		return true;
	}
	if (!take_char(text, "+-") || !take_digits(text, 2, &hours))
		return false;
	if (take_char(text, ":") || text->size > 0) {
		if (!take_digits(text, 2, &minutes))
			return false;
	}
	if (hours > 14 || minutes > 59)
		return false;
	*ret_minutes = (west ? -1 : 1) * (60 * hours + minutes);
	return true;
}

/* ISO 8601: date, "T" or a blank, time to the minute, second or fraction, and the offset, which must be there. */
static bool
parse_time(struct bytes text, int64_t *ret_time_us)
{
	int year, month, day, hour, minute, offset;
	int second = 0;
	int64_t fraction = 0;
	int32_t days;

	if (!take_digits(&text, 4, &year) || !take_char(&text, "-") ||
	    !take_digits(&text, 2, &month) || !take_char(&text, "-") ||
	    !take_digits(&text, 2, &day) || !take_char(&text, "Tt ") ||
	    !take_digits(&text, 2, &hour) || !take_char(&text, ":") ||
	    !take_digits(&text, 2, &minute))
		return false;
	if (take_char(&text, ":")) {
		int64_t unit = AZ_US_PER_S / 10;
		int digit;

		if (!take_digits(&text, 2, &second))
			return false;
		if (take_char(&text, ".,") &&
		    (text.size == 0 || text.data[0] < '0' || text.data[0] > '9'))
			return false;
		for (; take_digits(&text, 1, &digit); unit /= 10)
			fraction += digit * unit;
	}
	if (hour > 23 || minute > 59 || second > 60 || !take_offset(&text, &offset) ||
	    text.size != 0 || !date_from_civil(year, month, day, &days))
		return false;
	*ret_time_us = days * AZ_US_PER_DAY +
	    (int64_t)(3600 * hour + 60 * (minute - offset) + second) * AZ_US_PER_S + fraction;
	return true;
}

static bool
copy_text(struct bytes value, char *text, size_t room)
{
	if (value.size == 0 || value.size >= room || memchr(value.data, '\0', value.size) != NULL)
		return false;
	memcpy(text, value.data, value.size);
	text[value.size] = '\0';
	return true;
}

/* The next name of a list with commas between, without blanks around it. */
static struct bytes
take_name(struct bytes *list)
{
	const uint8_t *comma = memchr(list->data, ',', list->size);
	size_t size = comma == NULL ? list->size : (size_t)(comma - list->data);
	struct bytes name = bytes_make(list->data, size);

	*list = comma == NULL ? bytes_make(NULL, 0) : bytes_make(comma + 1, list->size - size - 1);
	while (name.size > 0 && name.data[0] == ' ')
		name = bytes_make(name.data + 1, name.size - 1);
	while (name.size > 0 && name.data[name.size - 1] == ' ')
		name.size--;
	return name;
}

static bool
parse_fields(struct bytes list, struct history_line *line)
{
	if (list.size == 0)
		return false;
	while (list.size > 0) {
		char name[FIELD_NAME_MAX];
		unsigned int field;

		if (!copy_text(take_name(&list), name, sizeof(name)))
			return false;
		if (field_parse(name, &field)) {
			line->fields |= FIELD_BIT(field);
			continue;
		}
		if (!field_is_x_name(name) || line->x_count == HISTORY_X_MAX)
			return false;
		memcpy(line->x_names[line->x_count++], name, sizeof(name));
	}
	return true;
}

/* The number of a consignment, as the house prints it. */
static bool
parse_consignment(struct bytes text, uint64_t *ret_number)
{
	uint64_t number = 0;

	if (text.size == 0 || text.size > 20)
		return false;
	for (size_t i = 0; i < text.size; i++) {
		unsigned int digit = text.data[i] - (unsigned int)'0';

		if (digit > 9 || number > (UINT64_MAX - digit) / 10)
			return false;
		number = 10 * number + digit;
	}
	*ret_number = number;
	return number != 0;
}

/* --- a row ------------------------------------------------------------------------------------ */

static enum az_status
parse_whole(
    const struct bytes *values, struct history_line *line, uint64_t row, struct az_err *reterr)
{
	if (line->kind != HISTORY_EXPORT)
		return bad(row, COLUMN_NUMBER, "* is for an export", reterr);
	if (!parse_consignment(values[COLUMN_CARRIER], &line->consignment))
		return bad(row, COLUMN_CARRIER, "for * it must be a consignment's number", reterr);
	return AZ_OK;
}

static enum az_status
parse_number(const struct bytes *values, struct match_key *key, struct history_line *line,
    uint64_t row, struct az_err *reterr)
{
	struct row what = {0};

	if (bytes_equal(values[COLUMN_NUMBER], bytes_of("*")))
		return parse_whole(values, line, row, reterr);
	what.values[FIELD_NUMBER] = values[COLUMN_NUMBER];
	if (values[COLUMN_NUMBER].size == 0 || match_query(&what, key, NULL) != AZ_OK)
		return bad(row, COLUMN_NUMBER, "it is no number of a person, and not *", reterr);
	line->number = bytes_make(key->key, key->size);
	return AZ_OK;
}

static enum az_status
parse_line(const struct bytes *values, struct match_key *key, struct history_line *line,
    uint64_t row, struct az_err *reterr)
{
	*line = (struct history_line){.row = (uint32_t)row};
	if (!parse_time(values[COLUMN_TIME], &line->time_us))
		return bad(row, COLUMN_TIME, "it is no ISO 8601 time with an offset", reterr);
	if (!copy_text(values[COLUMN_STAFF], line->staff, sizeof(line->staff)) ||
	    !name_is_valid(line->staff))
		return bad(row, COLUMN_STAFF, "it is empty, too long or no text", reterr);
	if (!copy_text(values[COLUMN_DEVICE], line->device, sizeof(line->device)) ||
	    !name_is_valid(line->device))
		return bad(row, COLUMN_DEVICE, "it is empty, too long or no text", reterr);
	if (!copy_text(values[COLUMN_CLIENT], line->client, sizeof(line->client)) ||
	    !label_is_valid(line->client))
		return bad(row, COLUMN_CLIENT, "it is no label", reterr);
	if (bytes_equal(values[COLUMN_KIND], bytes_of("view")))
		line->kind = HISTORY_VIEW;
	else if (bytes_equal(values[COLUMN_KIND], bytes_of("export")))
		line->kind = HISTORY_EXPORT;
	else
		return bad(row, COLUMN_KIND, "it is neither view nor export", reterr);
	if (!parse_fields(values[COLUMN_FIELDS], line))
		return bad(row, COLUMN_FIELDS, "it is no list of fields", reterr);
	if (!copy_text(values[COLUMN_CARRIER], line->carrier, sizeof(line->carrier)) ||
	    !name_is_valid(line->carrier))
		return bad(row, COLUMN_CARRIER, "it is empty, too long or no text", reterr);
	return parse_number(values, key, line, row, reterr);
}

static enum az_status
send_lines(struct history *history, bool end, struct az_err *reterr)
{
	struct outgoing *lines = &history->lines;

	if (lines->count == 0 || (!end && lines->body.size < FRAME_SMALL))
		return AZ_OK;
	return outgoing_send(history->intake, lines, INTAKE_HISTORY_LINES, true, reterr);
}

/* Whether there is something behind the last column. */
static bool
has_more(const struct list_record *record, size_t width)
{
	for (size_t i = width; i < record->count; i++) {
		if (record->values[i].size > 0)
			return true;
	}
	return false;
}

static enum az_status
take_record(struct history *history, const struct list_record *record, struct az_err *reterr)
{
	struct bytes values[COLUMN_COUNT] = {{0}};
	struct history_line line;
	struct match_key key;
	struct wire_writer writer;
	enum az_status status;

	if (history->rows == UINT32_MAX)
		return az_fail(reterr, AZ_LIMIT, "the file has more rows than can be numbered");
	history->rows++;
	/* As a list of fields without quotes has. */
	if (record->refusal == REFUSAL_NONE && has_more(record, history->width))
		return az_fail(reterr, AZ_INVALID, "row %llu: %s",
		    (unsigned long long)history->rows, refusal_text(REFUSAL_COLUMNS));
	if (record->refusal != REFUSAL_NONE)
		return az_fail(reterr, AZ_INVALID, "row %llu: %s",
		    (unsigned long long)history->rows, refusal_text(record->refusal));
	for (size_t i = 0; i < COLUMN_COUNT; i++) {
		if (history->columns[i] < record->count)
			values[i] = record->values[history->columns[i]];
	}
	status = parse_line(values, &key, &line, history->rows, reterr);
	if (status != AZ_OK)
		return status;
	writer = outgoing_writer(&history->lines);
	history_line_put(&writer, &line);
	history->lines.count++;
	if (writer.status != AZ_OK)
		return az_fail(reterr, writer.status, "row %llu: out of memory",
		    (unsigned long long)history->rows);
	return send_lines(history, false, reterr);
}

/* --- the file --------------------------------------------------------------------------------- */

/* Every column once, by its name. */
static enum az_status
find_columns(struct history *history, const struct columns *columns, struct az_err *reterr)
{
	history->width = columns->width;
	for (size_t i = 0; i < COLUMN_COUNT; i++) {
		size_t found = 0;

		for (size_t c = 0; c < columns->width; c++) {
			if (strcmp(columns->columns[c].name, column_names[i]) != 0)
				continue;
			history->columns[i] = c;
			found++;
		}
		if (found != 1)
			return az_fail(reterr, AZ_INVALID, "the header has %s column %s",
			    found == 0 ? "no" : "more than one", column_names[i]);
	}
	return AZ_OK;
}

static enum az_status
open_file(struct history *history, struct az_err *reterr)
{
	/* Named, so that the header is found whatever else it has. */
	struct list_options options = {
	    .spec = "number=number,x:time=time,x:staff=staff,x:device=device,x:client=client,"
		    "x:fields=fields,x:kind=kind,x:carrier=carrier"};
	struct intake *intake = history->intake;
	enum az_status status = list_open(intake->list_fd, &options, &intake->list, reterr);

	if (status == AZ_NOT_FOUND)
		return az_fail(reterr, AZ_INVALID, "the file is empty");
	if (status != AZ_OK)
		return status;
	return find_columns(history, list_columns_peek(intake->list), reterr);
}

static enum az_status
send_done(struct history *history, struct az_err *reterr)
{
	struct buffer body;
	struct wire_writer writer;
	enum az_status status;

	buffer_init(&body, 64, false);
	wire_writer_init(&writer, &body);
	wire_put_u64(&writer, history->rows);
	wire_put_u64(&writer, history->rows);
	wire_put_u64(&writer, 0);
	status = writer.status;
	if (status == AZ_OK)
		status = out_send(history->intake, INTAKE_DONE, &body, reterr);
	buffer_fini(&body);
	return status;
}

enum az_status
history_read(struct intake *intake, struct az_err *reterr)
{
	struct history history = {.intake = intake};
	const struct list_record *record = NULL;
	enum az_status status = open_file(&history, reterr);

	outgoing_init(&history.lines, true);
	while (status == AZ_OK) {
		status = list_next(intake->list, &record, reterr);
		if (status == AZ_OK)
			status = take_record(&history, record, reterr);
	}
	if (status == AZ_NOT_FOUND && history.rows == 0)
		status = az_fail(reterr, AZ_INVALID, "the file has no rows");
	if (status == AZ_NOT_FOUND)
		status = send_lines(&history, true, reterr);
	if (status == AZ_OK)
		status = send_done(&history, reterr);
	outgoing_fini(&history.lines);
	return status;
}
