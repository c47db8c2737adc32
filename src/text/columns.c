/*
 * Which column is which field, by the header's names or by a map that is given.
 *
 * A list without a header has a person in its first line, so no error quotes it: columns are named by
 * their place, and parts of the map by theirs.
 */
#include <stdio.h>
#include <string.h>

#include "text/text.h"

#define COLUMNS_JOINED_MAX 16u

static uint8_t
lower(uint8_t byte)
{
	return byte >= 'A' && byte <= 'Z' ? (uint8_t)(byte - 'A' + 'a') : byte;
}

static bool
same_name(struct bytes a, struct bytes b)
{
	if (a.size != b.size)
		return false;
	for (size_t i = 0; i < a.size; i++) {
		if (lower(a.data[i]) != lower(b.data[i]))
			return false;
	}
	return true;
}

/* The blanks at both ends taken off. */
static struct bytes
trim(struct bytes text)
{
	while (text.size > 0 && (text.data[0] == ' ' || text.data[0] == '\t')) {
		text.data++;
		text.size--;
	}
	while (
	    text.size > 0 && (text.data[text.size - 1] == ' ' || text.data[text.size - 1] == '\t'))
		text.size--;
	return text;
}

/* Reads a field's name in any letter case; its number, or FIELD_X_FIRST for an "x:" field. */
static bool
read_field(struct bytes text, char name[FIELD_NAME_MAX], unsigned int *ret_field)
{
	text = trim(text);
	if (text.size == 0 || text.size >= FIELD_NAME_MAX)
		return false;
	for (size_t i = 0; i < text.size; i++)
		name[i] = (char)lower(text.data[i]);
	name[text.size] = '\0';
	if (strlen(name) != text.size)
		return false;
	if (field_parse(name, ret_field))
		return true;
	*ret_field = FIELD_X_FIRST;
	return field_is_x_name(name);
}

/* Adds a field; false if it is there already, or there are too many. */
static bool
add_field(
    struct columns *columns, const char *name, unsigned int field, struct columns_field **ret_field)
{
	struct columns_field *added;
	unsigned int next_x = FIELD_X_FIRST;

	for (size_t i = 0; i < columns->count; i++) {
		if (strcmp(columns->fields[i].name, name) == 0)
			return false;
		next_x += columns->fields[i].field >= FIELD_X_FIRST ? 1 : 0;
	}
	if (field == FIELD_X_FIRST)
		field = next_x;
	if (field >= FIELD_COUNT || columns->count == FIELD_COUNT)
		return false;
	added = &columns->fields[columns->count++];
	added->field = (uint8_t)field;
	(void)snprintf(added->name, sizeof(added->name), "%s", name);
	*ret_field = added;
	return true;
}

static enum az_status
from_header(const struct csv_record *header, struct columns *columns, struct az_err *reterr)
{
	for (size_t i = 0; i < header->count; i++) {
		char name[FIELD_NAME_MAX];
		struct columns_field *field;
		unsigned int number;

		if (!read_field(header->values[i], name, &number))
			return az_fail(reterr, AZ_INVALID,
			    "column %zu of the header is no field's name; use --columns", i + 1);
		if (!add_field(columns, name, number, &field))
			return az_fail(
			    reterr, AZ_INVALID, "column %zu of the header repeats a field", i + 1);
		field->columns[0] = (uint16_t)i;
		field->count = 1;
	}
	return AZ_OK;
}

/* The column of that name. */
static enum az_status
find_column(const struct csv_record *header, struct bytes name, size_t part, size_t *ret_column,
    struct az_err *reterr)
{
	size_t found = header->count;

	name = trim(name);
	for (size_t i = 0; i < header->count; i++) {
		if (!same_name(trim(header->values[i]), name))
			continue;
		if (found != header->count)
			return az_fail(reterr, AZ_INVALID,
			    "part %zu of --columns names a column that is there twice", part);
		found = i;
	}
	if (name.size == 0 || found == header->count)
		return az_fail(reterr, AZ_INVALID,
		    "part %zu of --columns names a column that the list does not have", part);
	*ret_column = found;
	return AZ_OK;
}

/* Cuts text at the first byte `at`; returns what is before it and leaves what is behind it. */
static struct bytes
cut_at(struct bytes *text, char at, bool *ret_cut)
{
	const uint8_t *found = text->size == 0 ? NULL : memchr(text->data, at, text->size);
	struct bytes before = *text;

	*ret_cut = found != NULL;
	if (found == NULL) {
		*text = bytes_make(NULL, 0);
		return before;
	}
	before.size = (size_t)(found - text->data);
	text->data = found + 1;
	text->size -= before.size + 1;
	return before;
}

/* FIELD=HEADER[+HEADER…] */
static enum az_status
from_part(const struct csv_record *header, struct bytes text, size_t part, bool *used,
    struct columns *columns, struct az_err *reterr)
{
	char name[FIELD_NAME_MAX];
	struct columns_field *field;
	unsigned int number;
	bool more = false;
	struct bytes left = cut_at(&text, '=', &more);

	if (!more || !read_field(left, name, &number))
		return az_fail(
		    reterr, AZ_INVALID, "part %zu of --columns is not FIELD=HEADER", part);
	if (!add_field(columns, name, number, &field))
		return az_fail(reterr, AZ_INVALID, "part %zu of --columns repeats a field", part);
	while (more) {
		size_t column = 0;
		enum az_status status =
		    find_column(header, cut_at(&text, '+', &more), part, &column, reterr);

		if (status != AZ_OK)
			return status;
		if (used[column] || field->count == COLUMNS_JOINED_MAX)
			return az_fail(reterr, AZ_INVALID,
			    "part %zu of --columns uses a column twice, or too many", part);
		used[column] = true;
		field->columns[field->count++] = (uint16_t)column;
	}
	return AZ_OK;
}

enum az_status
columns_resolve(const char *spec, const struct csv_record *header, struct columns *ret_columns,
    struct az_err *reterr)
{
	struct columns columns = {.width = header->count};
	bool used[CSV_COLUMNS_MAX] = {false};
	struct bytes rest = bytes_of(spec);
	enum az_status status = AZ_OK;
	bool has_number = false;
	size_t taken = 0;

	if (header->refusal != REFUSAL_NONE)
		return az_fail(reterr, AZ_INVALID, "the header: %s", refusal_text(header->refusal));
	if (rest.size == 0) {
		status = from_header(header, &columns, reterr);
	} else {
		bool more = true;

		for (size_t part = 1; more && status == AZ_OK; part++)
			status = from_part(
			    header, cut_at(&rest, ',', &more), part, used, &columns, reterr);
	}
	if (status != AZ_OK)
		return status;
	for (size_t i = 0; i < columns.count; i++) {
		has_number |= columns.fields[i].field == FIELD_NUMBER;
		taken += columns.fields[i].count;
	}
	if (!has_number)
		return az_fail(reterr, AZ_INVALID, "no column is the number; every list needs one");
	if (columns.count < 2)
		return az_fail(reterr, AZ_INVALID, "no column but the number is a field");
	columns.unused = columns.width - taken;
	*ret_columns = columns;
	return AZ_OK;
}

/* --- rows ------------------------------------------------------------------------------------- */

/* Joins the columns of a field in scratch. AZ_LIMIT: too long. */
static enum az_status
join(const struct columns_field *field, const struct csv_record *record, struct buffer *scratch)
{
	size_t first = scratch->size;
	enum az_status status = AZ_OK;

	for (uint8_t i = 0; i < field->count && status == AZ_OK; i++) {
		struct bytes value = record->values[field->columns[i]];

		if (value.size == 0)
			continue;
		if (scratch->size > first)
			status = buffer_append(scratch, bytes_of(" "));
		if (status == AZ_OK)
			status = buffer_append(scratch, value);
	}
	if (status == AZ_OK && scratch->size - first > FIELD_VALUE_MAX)
		return AZ_LIMIT;
	return status;
}

enum az_status
columns_row(const struct columns *columns, const struct csv_record *record, struct buffer *scratch,
    struct row *ret_row, enum refusal *ret_refusal)
{
	size_t ends[FIELD_COUNT];
	struct row row = {0};
	size_t filled = 0;
	size_t start = 0;

	*ret_refusal = REFUSAL_NONE;
	if (record->refusal != REFUSAL_NONE || record->count != columns->width) {
		*ret_refusal = record->refusal != REFUSAL_NONE ? record->refusal : REFUSAL_COLUMNS;
		return AZ_OK;
	}
	buffer_clear(scratch);
	for (size_t i = 0; i < columns->count; i++) {
		enum az_status status = join(&columns->fields[i], record, scratch);

		if (status == AZ_LIMIT) {
			*ret_refusal = REFUSAL_TOO_LONG;
			return AZ_OK;
		}
		if (status != AZ_OK)
			return status;
		ends[i] = scratch->size;
	}
	/* The buffer no longer moves: values can be borrowed from it. */
	for (size_t i = 0; i < columns->count; i++) {
		struct bytes value = bytes_make(scratch->data + start, ends[i] - start);

		start = ends[i];
		filled += value.size > 0 ? 1 : 0;
		if (value.size > 0)
			row.values[columns->fields[i].field] = value;
	}
	if (row.values[FIELD_NUMBER].size == 0)
		*ret_refusal = REFUSAL_NO_NUMBER;
	else if (filled < 2)
		*ret_refusal = REFUSAL_EMPTY;
	else
		*ret_row = row;
	return AZ_OK;
}
