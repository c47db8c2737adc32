/*
 * What somebody who inspects a list is told: what was found and guessed, the values as a clean table, and
 * the match keys in a form that people can read.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "intake/intake_internal.h"
#include "proto/answer.h"

#define KEY_SEPARATOR 0x1f    /* between the parts of a key */
#define PROGRESS_ROWS 100000u /* between two frames that tell how far it is */

/* --- values ----------------------------------------------------------------------------------- */

/* Fields first, in their order, then the columns that are none: nothing of the list is left out. */
static size_t
count_values(const struct columns *columns)
{
	return columns->count + columns->unused;
}

enum az_status
inspect_header(struct intake *intake, struct az_err *reterr)
{
	const struct columns *columns = intake->columns;
	struct wire_writer writer;

	if ((intake->start.mode & INTAKE_VALUES_TOO) == 0)
		return AZ_OK;
	writer = outgoing_writer(&intake->values);
	wire_put_u32(&writer, 0);
	wire_put_u32(&writer, (uint32_t)count_values(columns));
	for (size_t i = 0; i < columns->count; i++)
		wire_put_bytes(&writer, bytes_of(columns->fields[i].name));
	for (size_t i = 0; i < columns->width; i++) {
		const struct columns_column *column = &columns->columns[i];
		char place[32];

		if (column->place != 0)
			continue;
		(void)snprintf(place, sizeof(place), "column %zu", i + 1);
		wire_put_bytes(&writer, bytes_of(column->name[0] != '\0' ? column->name : place));
	}
	intake->values.count++;
	if (writer.status != AZ_OK)
		return az_fail(reterr, writer.status, "the header is too long");
	return outgoing_send(intake, &intake->values, INTAKE_VALUES, false, reterr);
}

static enum az_status
put_values(struct intake *intake, uint32_t number, const struct list_record *record,
    const struct row *row, struct az_err *reterr)
{
	const struct columns *columns = intake->columns;
	struct wire_writer writer = outgoing_writer(&intake->values);

	wire_put_u32(&writer, number);
	wire_put_u32(&writer, (uint32_t)count_values(columns));
	for (size_t i = 0; i < columns->count; i++)
		wire_put_bytes(&writer, row->values[columns->fields[i].field]);
	for (size_t i = 0; i < columns->width; i++) {
		if (columns->columns[i].place == 0)
			wire_put_bytes(
			    &writer, i < record->count ? record->values[i] : bytes_make(NULL, 0));
	}
	intake->values.count++;
	if (writer.status != AZ_OK)
		return az_fail(reterr, writer.status, "row %u is too long", number);
	return outgoing_send(intake, &intake->values, INTAKE_VALUES, false, reterr);
}

/* --- keys ------------------------------------------------------------------------------------- */

/* Whether a kind's key ends with a day, in four bytes. */
static bool
ends_with_day(enum match_kind kind)
{
	return kind == MATCH_NAME_BIRTH || kind == MATCH_KANA_BIRTH;
}

/*
 * A key without its version: text as it is, '|' between parts, a day as a date, and any byte that is neither as
 * \xNN.
 */
static void
put_key(struct buffer *text, const struct match_key *key, enum az_status *status)
{
	struct bytes rest = bytes_make(key->key + 1, key->size - 1u);
	bool day =
	    ends_with_day(key->kind) && rest.size > 5 && rest.data[rest.size - 5] == KEY_SEPARATOR;
	size_t size = rest.size - (day ? 4 : 0);
	char piece[32];

	for (size_t i = 0; i < size && *status == AZ_OK;) {
		size_t length = 1;

		while (length < 4 && i + length < size && (rest.data[i + length] & 0xc0) == 0x80)
			length++;
		if (rest.data[i] == KEY_SEPARATOR) {
			*status = buffer_append(text, bytes_of("|"));
		} else if (rest.data[i] >= 0x20 && rest.data[i] != 0x7f &&
		    bytes_are_utf8(bytes_make(rest.data + i, length))) {
			*status = buffer_append(text, bytes_make(rest.data + i, length));
		} else {
			length = 1;
			(void)snprintf(piece, sizeof(piece), "\\x%02x", rest.data[i]);
			*status = buffer_append(text, bytes_of(piece));
		}
		i += length;
	}
	if (day && *status == AZ_OK) {
		date_format((int32_t)wire_load_u32(rest.data + size), piece);
		*status = buffer_append(text, bytes_of(piece));
	}
}

static enum az_status
put_keys(struct intake *intake, uint32_t number, const struct match_key *keys, size_t count,
    struct az_err *reterr)
{
	for (size_t i = 0; i < count; i++) {
		struct wire_writer writer = outgoing_writer(&intake->keys);
		enum az_status status = AZ_OK;

		buffer_clear(&intake->encoded);
		put_key(&intake->encoded, &keys[i], &status);
		wire_put_u32(&writer, number);
		wire_put_u8(&writer, (uint8_t)keys[i].kind);
		wire_put_bytes(&writer, buffer_peek(&intake->encoded));
		intake->keys.count++;
		if (status != AZ_OK || writer.status != AZ_OK)
			return az_fail(reterr, AZ_NO_MEMORY, "row %u: out of memory", number);
		status = outgoing_send(intake, &intake->keys, INTAKE_KEYS, false, reterr);
		if (status != AZ_OK)
			return status;
	}
	return AZ_OK;
}

enum az_status
inspect_row(struct intake *intake, uint32_t number, const struct list_record *record,
    const struct row *row, const struct match_key *keys, size_t key_count, struct az_err *reterr)
{
	enum az_status status = AZ_OK;

	if ((intake->start.mode & INTAKE_VALUES_TOO) != 0)
		status = put_values(intake, number, record, row, reterr);
	if (status == AZ_OK && (intake->start.mode & INTAKE_KEYS_TOO) != 0)
		status = put_keys(intake, number, keys, key_count, reterr);
	return status;
}

enum az_status
inspect_progress(struct intake *intake, struct az_err *reterr)
{
	struct buffer body;
	struct wire_writer writer;
	enum az_status status;

	if (intake->row_count % PROGRESS_ROWS != 0)
		return AZ_OK;
	buffer_init(&body, 16, false);
	wire_writer_init(&writer, &body);
	wire_put_u64(&writer, intake->row_count);
	status = writer.status;
	if (status == AZ_OK)
		status = out_send(intake, INTAKE_PROGRESS, &body, reterr);
	buffer_fini(&body);
	return status;
}

/* --- facts ------------------------------------------------------------------------------------ */

static void
put_columns(struct wire_writer *writer, const struct columns *columns)
{
	answer_array(writer, "columns");
	for (size_t i = 0; i < columns->width; i++) {
		const struct columns_column *column = &columns->columns[i];
		const char *class = class_name((enum field_class)column->class);

		answer_object(writer, NULL);
		answer_uint(writer, "column", i + 1);
		answer_text(writer, "header", column->name);
		answer_text(writer, "field",
		    column->place == 0 ? "" : columns->fields[column->place - 1].name);
		answer_text(writer, "class", class == NULL ? "" : class);
		answer_text(writer, "why", column_why_text((enum column_why)column->why));
		answer_end(writer);
	}
	answer_end(writer);
}

static void
put_refused(struct wire_writer *writer, const struct intake *intake)
{
	answer_array(writer, "refused_for");
	for (unsigned int i = REFUSAL_NONE + 1; i < REFUSAL_COUNT; i++) {
		if (intake->refused_by[i] == 0)
			continue;
		answer_object(writer, NULL);
		answer_text(writer, "reason", refusal_text((enum refusal)i));
		answer_uint(writer, "rows", intake->refused_by[i]);
		answer_end(writer);
	}
	answer_end(writer);
}

enum az_status
inspect_facts(struct intake *intake, struct az_err *reterr)
{
	const struct list_facts *facts = list_facts_peek(intake->list);
	struct buffer body;
	struct wire_writer writer;
	enum az_status status;

	buffer_init(&body, INTAKE_BODY_MAX, false);
	wire_writer_init(&writer, &body);
	answer_object(&writer, NULL);
	answer_text(&writer, "wrapping", facts->wrapping);
	answer_uint(&writer, "sheets", facts->sheets);
	answer_text(&writer, "encoding", facts->encoding);
	answer_bool(&writer, "byte_order_mark", facts->bom);
	answer_text(&writer, "dialect", facts->dialect);
	answer_uint(&writer, "titles", facts->titles);
	answer_uint(&writer, "header_line", facts->header);
	answer_uint(&writer, "header_lines", facts->headers);
	answer_uint(&writer, "rows", intake->row_count);
	answer_uint(&writer, "accepted", intake->accepted_count);
	answer_uint(&writer, "refused", intake->refused_count);
	answer_uint(&writer, "totals", intake->total_count);
	answer_uint(&writer, "repaired_quotes", facts->repaired);
	answer_text(&writer, "problem", intake->problem.text);
	put_columns(&writer, intake->columns);
	put_refused(&writer, intake);
	answer_end(&writer);
	status = writer.status;
	if (status == AZ_OK)
		status = out_send(intake, INTAKE_FACTS, &body, reterr);
	else
		status = az_fail(reterr, status, "the list has too many columns");
	buffer_fini(&body);
	return status;
}
