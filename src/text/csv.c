/*
 * CSV (RFC 4180), streamed.
 *
 * The reader keeps the piece of the file that holds the record at work. A first pass finds where the record
 * ends, counting quotes and nothing else; only then is it cut into values, so that nothing is changed in place
 * before all of it is there. Quoted values lose their quotes in place: a value only ever gets shorter.
 *
 *	outside ── " at the start of a value ──► inside ── " ──► after: " again is a quote of the value,
 *	   ▲  comma, line end                                     comma or line end ends it, else REFUSAL_QUOTE
 */
#include <stdlib.h>
#include <string.h>

#include "text/text.h"

#define ROOM_LEAST (64u * 1024u)
#define BUFFER_MAX (CSV_RECORD_MAX + 4u * ROOM_LEAST)

struct csv {
	struct buffer buffer; /* from the first byte of the record at work */
	size_t used;          /* bytes of it that belong to the record handed out */
	size_t scanned;       /* of the record at work, how far the first pass has come */
	bool quoted;          /* the first pass is inside quotes */
	bool at_value;        /* and at the first byte of a value */
	bool too_long;        /* the record at work is, and is being skipped */
	bool ended;           /* the file has */
	bool started;         /* the BOM has been looked for */
	uint64_t offset;      /* in the file, of the buffer's first byte */
	uint64_t record_offset;
	struct csv_record record;
};

enum az_status
csv_new(struct csv **ret_csv, struct az_err *reterr)
{
	struct csv *csv = calloc(1, sizeof(*csv));

	if (csv == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "list: out of memory");
	buffer_init(&csv->buffer, BUFFER_MAX, true);
	csv->at_value = true;
	*ret_csv = csv;
	return AZ_OK;
}

void
csv_free(struct csv **csv)
{
	if (*csv == NULL)
		return;
	buffer_fini(&(*csv)->buffer);
	free(*csv);
	*csv = NULL;
}

/* Drops what was handed out. */
static void
let_go(struct csv *csv)
{
	buffer_consume(&csv->buffer, csv->used);
	csv->offset += csv->used;
	csv->used = 0;
}

enum az_status
csv_room(struct csv *csv, uint8_t **ret_data, size_t *ret_size, struct az_err *reterr)
{
	enum az_status status;

	let_go(csv);
	status = buffer_reserve(&csv->buffer, ROOM_LEAST);
	if (status != AZ_OK)
		return az_fail(reterr, status, "list: no room for a record at byte %llu",
		    (unsigned long long)csv->offset);
	*ret_data = csv->buffer.data + csv->buffer.size;
	*ret_size = csv->buffer.room - csv->buffer.size;
	return AZ_OK;
}

void
csv_filled(struct csv *csv, size_t size)
{
	csv->buffer.size += size;
	if (size == 0)
		csv->ended = true;
}

/* --- the first pass: where a record ends ------------------------------------------------------ */

/*
 * Goes on to the end of the record; true if it was found, with the sizes of the record and of its line end. A
 * carriage return may be the first half of a line end, so one at the end of what is there waits for more.
 */
static bool
find_end(struct csv *csv, size_t *ret_size, size_t *ret_end)
{
	const uint8_t *data = csv->buffer.data;
	size_t size = csv->buffer.size;
	size_t at = csv->scanned;

	while (at < size) {
		uint8_t byte = data[at];

		if (csv->quoted) {
			const uint8_t *quote = memchr(data + at, '"', size - at);

			if (quote == NULL) {
				at = size;
				break;
			}
			/* A doubled quote leaves and enters again, which comes to the same. */
			at = (size_t)(quote - data) + 1;
			csv->quoted = false;
			csv->at_value = false;
			if (at < size && data[at] == '"') {
				csv->quoted = true;
				at++;
			} else if (at == size && !csv->ended) {
				csv->quoted = true;
				at--;
				break;
			}
			continue;
		}
		if (byte == '\n' || byte == '\r') {
			if (byte == '\r' && at + 1 == size && !csv->ended)
				break;
			*ret_size = at;
			*ret_end = byte == '\r' && at + 1 < size && data[at + 1] == '\n' ? 2 : 1;
			return true;
		}
		if (byte == '"' && csv->at_value)
			csv->quoted = true;
		csv->at_value = byte == ',' || (csv->at_value && (byte == ' ' || byte == '\t'));
		at++;
	}
	csv->scanned = at;
	if (!csv->ended || size == 0)
		return false;
	*ret_size = size;
	*ret_end = 0;
	return true;
}

/* --- the second pass: values ------------------------------------------------------------------ */

static bool
is_blank(uint8_t byte)
{
	return byte == ' ' || byte == '\t';
}

static void
refuse(struct csv *csv, enum refusal refusal)
{
	csv->record.refusal = refusal;
	csv->record.count = 0;
}

static bool
add_value(struct csv *csv, const uint8_t *data, size_t size)
{
	if (csv->record.count == CSV_COLUMNS_MAX || size > FIELD_VALUE_MAX) {
		refuse(
		    csv, csv->record.count == CSV_COLUMNS_MAX ? REFUSAL_COLUMNS : REFUSAL_TOO_LONG);
		return false;
	}
	csv->record.values[csv->record.count++] = bytes_make(data, size);
	return true;
}

/* A quoted value, whose first quote is at data[*at]. Leaves *at behind it and the blanks after it. */
static bool
take_quoted(struct csv *csv, uint8_t *data, size_t size, size_t *at)
{
	uint8_t *to = data + *at + 1;
	const uint8_t *first = to;
	size_t from = *at + 1;

	for (;;) {
		const uint8_t *quote = from < size ? memchr(data + from, '"', size - from) : NULL;
		size_t part;

		if (quote == NULL) {
			refuse(csv, REFUSAL_QUOTE);
			return false;
		}
		part = (size_t)(quote - data) - from;
		memmove(to, data + from, part);
		to += part;
		from += part + 1;
		if (from == size || data[from] != '"')
			break;
		*to++ = '"';
		from++;
	}
	while (from < size && is_blank(data[from]))
		from++;
	if (from < size && data[from] != ',') {
		refuse(csv, REFUSAL_QUOTE);
		return false;
	}
	*at = from;
	return add_value(csv, first, (size_t)(to - first));
}

static bool
take_plain(struct csv *csv, const uint8_t *data, size_t size, size_t *at)
{
	const uint8_t *comma = memchr(data + *at, ',', size - *at);
	size_t first = *at;
	size_t end = comma == NULL ? size : (size_t)(comma - data);

	*at = end;
	while (first < end && is_blank(data[first]))
		first++;
	while (end > first && is_blank(data[end - 1]))
		end--;
	return add_value(csv, data + first, end - first);
}

/* What no value may hold: control characters but tab and line ends, which only quotes can bring in. */
static bool
has_control(struct bytes bytes)
{
	for (size_t i = 0; i < bytes.size; i++) {
		uint8_t byte = bytes.data[i];

		if ((byte < 0x20 && byte != '\t' && byte != '\n' && byte != '\r') || byte == 0x7f)
			return true;
	}
	return false;
}

static void
cut(struct csv *csv, uint8_t *data, size_t size)
{
	size_t at = 0;
	bool more = true;

	if (!bytes_are_utf8(bytes_make(data, size))) {
		refuse(csv, REFUSAL_ENCODING);
		return;
	}
	if (has_control(bytes_make(data, size))) {
		refuse(csv, REFUSAL_CONTROL);
		return;
	}
	while (more) {
		size_t start = at;

		while (start < size && is_blank(data[start]))
			start++;
		if (start < size && data[start] == '"') {
			at = start;
			more = take_quoted(csv, data, size, &at);
		} else {
			more = take_plain(csv, data, size, &at);
		}
		/* A comma at the very end is followed by an empty value. */
		more = more && at < size;
		at++;
	}
}

/* --- records ---------------------------------------------------------------------------------- */

/* Begins a file: a BOM is no part of the first value. */
static bool
skip_bom(struct csv *csv)
{
	static const uint8_t bom[] = {0xef, 0xbb, 0xbf};

	if (csv->started)
		return true;
	if (csv->buffer.size < sizeof(bom) && !csv->ended)
		return false;
	csv->started = true;
	if (csv->buffer.size >= sizeof(bom) &&
	    bytes_equal(bytes_make(csv->buffer.data, sizeof(bom)), bytes_make(bom, sizeof(bom)))) {
		csv->used = sizeof(bom);
		let_go(csv);
	}
	return true;
}

/* Gives up on a record that is too long, but not on where it ends. */
static void
skip_long(struct csv *csv)
{
	csv->too_long = true;
	csv->used = csv->scanned;
	csv->scanned = 0;
	let_go(csv);
}

static void
next_record(struct csv *csv)
{
	csv->scanned = 0;
	csv->quoted = false;
	csv->at_value = true;
	csv->too_long = false;
}

enum az_status
csv_next(struct csv *csv, const struct csv_record **ret_record, struct az_err *reterr)
{
	size_t size = 0;
	size_t end = 0;

	(void)reterr;
	let_go(csv);
	if (!skip_bom(csv))
		return AZ_BUSY;
	for (;;) {
		bool open_quote;

		if (!csv->too_long && csv->scanned == 0)
			csv->record_offset = csv->offset;
		if (!find_end(csv, &size, &end)) {
			if (csv->ended)
				return AZ_NOT_FOUND;
			if (csv->buffer.size > CSV_RECORD_MAX)
				skip_long(csv);
			return AZ_BUSY;
		}
		open_quote = csv->quoted;
		csv->used = size + end;
		if (size == 0 && !csv->too_long) {
			/* An empty line is no record. */
			next_record(csv);
			let_go(csv);
			continue;
		}
		csv->record.number++;
		csv->record.offset = csv->record_offset;
		csv->record.refusal = REFUSAL_NONE;
		csv->record.count = 0;
		if (csv->too_long || size > CSV_RECORD_MAX)
			refuse(csv, REFUSAL_TOO_LONG);
		else if (open_quote)
			refuse(csv, REFUSAL_QUOTE);
		else
			cut(csv, csv->buffer.data, size);
		next_record(csv);
		*ret_record = &csv->record;
		return AZ_OK;
	}
}
