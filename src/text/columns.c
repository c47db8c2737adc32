/*
 * Which column is which field: by the map that is given, by the header's names, or by what the values look like.
 *
 * A list without a header has a person in its first line, so no error quotes it: columns are named by their place, and
 * parts of the map by theirs.
 */
#include <stdio.h>
#include <string.h>

#include "text/spec.h"

#define PART_OF_TEN 8u /* of ten values must look alike, or a column is nothing by its content */

const char *
column_why_text(enum column_why why)
{
	static const char *const texts[] = {
	    [WHY_NONE] = "not known",
	    [WHY_NAMED] = "the field's own name",
	    [WHY_HEADER] = "by its name",
	    [WHY_MAP] = "by the map",
	    [WHY_CONTENT] = "by its content",
	    [WHY_REPEATED] = "another column is it already",
	    [WHY_SOMEBODY] = "about somebody else",
	    [WHY_NOT_IN_MAP] = "not in the map",
	};

	return why < AZ_ARRAY_SIZE(texts) ? texts[why] : "";
}

struct resolving {
	struct columns *columns;
	const struct header *header;
	const struct sample *sample;
};

static struct columns_field *
find_field(struct columns *columns, unsigned int field)
{
	for (size_t i = 0; i < columns->count; i++) {
		if (columns->fields[i].field == field)
			return &columns->fields[i];
	}
	return NULL;
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

/* Gives a column to a field; false if that has too many. */
static bool
give(struct columns *columns, struct columns_field *field, size_t column, enum column_why why)
{
	if (field->count == COLUMNS_JOINED_MAX)
		return false;
	field->columns[field->count++] = (uint16_t)column;
	columns->columns[column].place = (uint8_t)(field - columns->fields + 1);
	columns->columns[column].why = (uint8_t)why;
	return true;
}

/* Gives a column a built-in field of its own, unless that is there. */
static void
give_alone(struct columns *columns, unsigned int field, size_t column, enum column_why why)
{
	struct columns_field *added;

	if (!add_field(columns, field_name(field), field, &added) ||
	    !give(columns, added, column, why))
		columns->columns[column].why = WHY_REPEATED;
}

/* --- by the map ------------------------------------------------------------------------------- */

static enum az_status
find_column(const struct resolving *resolving, const struct spec_part *part,
    const struct spec_item *item, size_t *next_cell, size_t *ret_column, struct az_err *reterr)
{
	const struct header *header = resolving->header;
	size_t found = SIZE_MAX;

	if (item->kind == SPEC_CELLS) {
		*ret_column = (*next_cell)++;
		return AZ_OK;
	}
	if (item->kind == SPEC_COLUMN && item->from <= header->width) {
		*ret_column = item->from - 1;
		return AZ_OK;
	}
	for (size_t i = 0; item->kind == SPEC_NAME && i < header->width; i++) {
		if (!spec_same_name(header->names[i], item->name))
			continue;
		if (found != SIZE_MAX)
			return az_fail(reterr, AZ_INVALID,
			    "part %zu of --columns names a column that is there twice",
			    part->number);
		found = i;
	}
	if (found == SIZE_MAX)
		return az_fail(reterr, AZ_INVALID,
		    "part %zu of --columns names a column that the list does not have",
		    part->number);
	*ret_column = found;
	return AZ_OK;
}

static enum az_status
take_part(const struct resolving *resolving, const struct spec_part *part, size_t *next_cell,
    struct az_err *reterr)
{
	struct columns *columns = resolving->columns;
	struct columns_field *field;

	if (part->count == 0)
		return AZ_OK;
	if (!add_field(columns, part->name, part->field, &field))
		return az_fail(
		    reterr, AZ_INVALID, "part %zu of --columns repeats a field", part->number);
	for (size_t i = 0; i < part->count; i++) {
		size_t column = 0;
		enum az_status status =
		    find_column(resolving, part, &part->items[i], next_cell, &column, reterr);

		if (status != AZ_OK)
			return status;
		if (columns->columns[column].place != 0 || !give(columns, field, column, WHY_MAP))
			return az_fail(reterr, AZ_INVALID,
			    "part %zu of --columns uses a column twice, or too many", part->number);
	}
	return AZ_OK;
}

static enum az_status
by_map(const struct resolving *resolving, const char *spec, struct az_err *reterr)
{
	struct columns *columns = resolving->columns;
	struct spec_reader reader;
	struct spec_part part;
	size_t next_cell = 0;
	enum az_status status;

	for (size_t i = 0; i < columns->width; i++)
		columns->columns[i].why = WHY_NOT_IN_MAP;
	spec_begin(&reader, spec);
	while ((status = spec_next(&reader, &part, reterr)) == AZ_OK) {
		status = take_part(resolving, &part, &next_cell, reterr);
		if (status != AZ_OK)
			return status;
	}
	return status == AZ_NOT_FOUND ? AZ_OK : status;
}

/* --- by the header ---------------------------------------------------------------------------- */

/* A column as the dictionary knows it. */
struct known {
	struct word word;
	bool own; /* the field's own name */
};

static bool
starts_with(struct bytes text, struct bytes start)
{
	return start.size > 0 && start.size <= text.size &&
	    bytes_equal(bytes_make(text.data, start.size), start);
}

/* Whether the values of a column mostly begin with those of another: it repeats them. */
static bool
repeats(const struct resolving *resolving, size_t column, size_t part)
{
	const struct header *header = resolving->header;
	size_t filled = 0;
	size_t same = 0;

	for (size_t i = header->titles + header->count; i < resolving->sample->count; i++) {
		const struct sample_record *record = &resolving->sample->records[i];

		if (column >= record->count || part >= record->count ||
		    record->values[part].size == 0)
			continue;
		filled++;
		same += starts_with(record->values[column], record->values[part]) ? 1 : 0;
	}
	return filled > 0 && 2 * same >= filled;
}

/* Puts the pieces of a field together in their order; the whole, where it is there, stands among them. */
static void
join_parts(const struct resolving *resolving, const struct known *known, unsigned int wanted)
{
	struct columns *columns = resolving->columns;
	struct columns_field *whole = find_field(columns, wanted);
	struct columns_field joined = {0};
	size_t whole_column = whole == NULL ? SIZE_MAX : whole->columns[0];

	for (uint8_t order = 1; order <= 6; order++) {
		for (size_t i = 0; i < columns->width; i++) {
			bool part = known[i].word.kind == WORD_PART &&
			    known[i].word.field == wanted && known[i].word.order == order;

			/* A whole address belongs where the town is; a whole reading has no parts. */
			if (i == whole_column && order == 3)
				part = true;
			if (!part)
				continue;
			if (i != whole_column && whole_column != SIZE_MAX &&
			    (wanted == FIELD_KANA ||
				(order < 3 && repeats(resolving, whole_column, i)))) {
				columns->columns[i].why = WHY_REPEATED;
				continue;
			}
			if (joined.count < COLUMNS_JOINED_MAX)
				joined.columns[joined.count++] = (uint16_t)i;
			else
				columns->columns[i].why = WHY_REPEATED;
		}
	}
	if (joined.count == 0 || (joined.count == 1 && whole != NULL))
		return;
	if (whole == NULL && !add_field(columns, field_name(wanted), wanted, &whole))
		return;
	whole->count = 0;
	for (uint8_t i = 0; i < joined.count; i++)
		(void)give(columns, whole, joined.columns[i], WHY_HEADER);
}

/* Columns that have a field's own name; an error if two have the same, or there are too many. */
static enum az_status
take_own_names(const struct resolving *resolving, struct known *known, struct az_err *reterr)
{
	struct columns *columns = resolving->columns;

	for (size_t i = 0; i < columns->width; i++) {
		char name[FIELD_NAME_MAX];
		struct columns_field *field;
		unsigned int number;

		if (!spec_read_field(resolving->header->names[i], name, &number))
			continue;
		known[i].own = true;
		if (!add_field(columns, name, number, &field) ||
		    !give(columns, field, i, WHY_NAMED))
			return az_fail(
			    reterr, AZ_INVALID, "column %zu of the header repeats a field", i + 1);
	}
	return AZ_OK;
}

/* Columns with a known name: the best name first, then the leftmost. */
static void
take_known_names(const struct resolving *resolving, const struct known *known)
{
	struct columns *columns = resolving->columns;

	for (uint8_t order = 0; order <= 2; order++) {
		for (size_t i = 0; i < columns->width; i++) {
			if (!known[i].own && known[i].word.kind == WORD_FIELD &&
			    known[i].word.order == order)
				give_alone(columns, known[i].word.field, i, WHY_HEADER);
		}
	}
}

static enum az_status
by_header(const struct resolving *resolving, struct az_err *reterr)
{
	struct known known[LIST_COLUMNS_MAX] = {0};
	struct columns *columns = resolving->columns;
	enum az_status status = take_own_names(resolving, known, reterr);

	if (status != AZ_OK)
		return status;
	for (size_t i = 0; i < columns->width; i++) {
		known[i].word = word_find(resolving->header->names[i]);
		columns->columns[i].class = known[i].word.class;
		if (!known[i].own && known[i].word.kind == WORD_SOMEBODY)
			columns->columns[i].why = WHY_SOMEBODY;
		if (known[i].own)
			known[i].word.kind = WORD_FIELD;
	}
	take_known_names(resolving, known);
	join_parts(resolving, known, FIELD_ADDRESS);
	join_parts(resolving, known, FIELD_KANA);
	return AZ_OK;
}

/* --- by the content --------------------------------------------------------------------------- */

/* What most values of a column look like; FIELD_COUNT if like nothing, or there are none. */
static unsigned int
usual_content(const struct resolving *resolving, size_t column)
{
	size_t votes[FIELD_COUNT] = {0};
	size_t filled = 0;
	unsigned int best = FIELD_NUMBER;

	for (size_t i = 0; i < resolving->sample->count; i++) {
		const struct sample_record *record = &resolving->sample->records[i];

		if (column >= record->count || text_trim(record->values[column]).size == 0)
			continue;
		filled++;
		votes[content_field(record->values[column])]++;
	}
	/* A column of telephones has both kinds. */
	if ((votes[FIELD_PHONE] + votes[FIELD_MOBILE]) * 10 >= filled * PART_OF_TEN && filled > 0)
		return 2 * votes[FIELD_MOBILE] > filled ? FIELD_MOBILE : FIELD_PHONE;
	for (unsigned int i = 0; i < FIELD_BUILTIN; i++)
		best = votes[i] > votes[best] ? i : best;
	return filled > 0 && votes[best] * 10 >= filled * PART_OF_TEN ? best : FIELD_COUNT;
}

/* Whether no value of a column is there twice in the sample. */
static bool
is_unique(const struct resolving *resolving, size_t column)
{
	const struct sample *sample = resolving->sample;

	for (size_t i = 0; i < sample->count; i++) {
		for (size_t j = 0; j < i; j++) {
			if (column < sample->records[i].count &&
			    column < sample->records[j].count &&
			    bytes_equal(sample->records[i].values[column],
				sample->records[j].values[column]))
				return false;
		}
	}
	return true;
}

static void
by_content(const struct resolving *resolving)
{
	struct columns *columns = resolving->columns;
	unsigned int fields[LIST_COLUMNS_MAX];

	for (size_t i = 0; i < columns->width; i++) {
		fields[i] = usual_content(resolving, i);
		/* One name beside another is a surname and a given name. */
		if (i > 0 && fields[i] == FIELD_NAME && fields[i - 1] == FIELD_NAME) {
			fields[i - 1] = FIELD_SURNAME;
			fields[i] = FIELD_GIVEN;
		}
	}
	for (size_t i = 0; i < columns->width; i++) {
		unsigned int field = fields[i];
		struct columns_field *kana = find_field(columns, FIELD_KANA);

		if (field == FIELD_COUNT || field == FIELD_NOTE ||
		    (field == FIELD_NUMBER && !is_unique(resolving, i)))
			continue;
		/* A second telephone is as good as a mobile one. */
		if (field == FIELD_PHONE && find_field(columns, FIELD_PHONE) != NULL)
			field = FIELD_MOBILE;
		if (field == FIELD_KANA && kana != NULL && kana->count == 1 &&
		    kana->columns[0] + 1u == i)
			(void)give(columns, kana, i, WHY_CONTENT);
		else
			give_alone(columns, field, i, WHY_CONTENT);
	}
}

/* --- all -------------------------------------------------------------------------------------- */

/* The name of a column, cut between characters where it is too long. */
static void
copy_name(struct columns_column *column, struct bytes name)
{
	size_t size = 0;
	size_t at = 0;

	while (at < name.size) {
		(void)text_point(name, &at);
		if (at >= sizeof(column->name))
			break;
		size = at;
	}
	if (size > 0)
		memcpy(column->name, name.data, size);
	column->name[size] = '\0';
}

/* Fields in the order of their first columns. */
static void
sort_fields(struct columns *columns)
{
	for (size_t i = 1; i < columns->count; i++) {
		struct columns_field field = columns->fields[i];
		size_t to = i;

		for (; to > 0 && columns->fields[to - 1].columns[0] > field.columns[0]; to--)
			columns->fields[to] = columns->fields[to - 1];
		columns->fields[to] = field;
	}
	for (size_t i = 0; i < columns->count; i++) {
		for (uint8_t c = 0; c < columns->fields[i].count; c++)
			columns->columns[columns->fields[i].columns[c]].place = (uint8_t)(i + 1);
	}
}

static void
finish(struct columns *columns)
{
	columns->unused = 0;
	for (size_t i = 0; i < columns->width; i++) {
		struct columns_column *column = &columns->columns[i];

		if (column->place == 0)
			columns->unused++;
		if (column->class == CLASS_NONE && column->place != 0)
			column->class =
			    (uint8_t)field_class(columns->fields[column->place - 1].field);
		if (column->class == CLASS_NONE)
			column->class = CLASS_OTHER;
	}
}

enum az_status
columns_resolve(const char *spec, const struct header *header, const struct sample *sample,
    struct columns *ret_columns, struct az_err *reterr)
{
	struct resolving resolving = {.columns = ret_columns, .header = header, .sample = sample};
	enum az_status status = AZ_OK;

	*ret_columns = (struct columns){.width = header->width};
	for (size_t i = 0; i < header->width; i++)
		copy_name(&ret_columns->columns[i], header->names[i]);
	if (spec[0] != '\0')
		status = by_map(&resolving, spec, reterr);
	else if (header->count > 0)
		status = by_header(&resolving, reterr);
	else
		by_content(&resolving);
	/* A map has an order of its own. */
	if (status == AZ_OK && spec[0] == '\0')
		sort_fields(ret_columns);
	if (status == AZ_OK)
		finish(ret_columns);
	return status;
}

/* --- rows ------------------------------------------------------------------------------------- */

static struct bytes
value_of(const struct list_record *record, size_t column)
{
	return column < record->count ? record->values[column] : bytes_make(NULL, 0);
}

/* Joins the columns of a field in scratch. AZ_LIMIT: too long. */
static enum az_status
join(const struct columns_field *field, const struct list_record *record, struct buffer *scratch)
{
	size_t first = scratch->size;
	enum az_status status = AZ_OK;

	for (uint8_t i = 0; i < field->count && status == AZ_OK; i++) {
		struct bytes value = value_of(record, field->columns[i]);

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

/* More values than columns are none if they are empty, and fewer if the list says what it leaves out. */
static bool
has_width(const struct columns *columns, const struct list_record *record)
{
	if (record->count < columns->width)
		return columns->pads;
	for (size_t i = columns->width; i < record->count; i++) {
		if (record->values[i].size > 0)
			return false;
	}
	return true;
}

/* Joins what is of several columns; ends[i] is where that of field i ends in scratch. */
static enum az_status
join_all(const struct columns *columns, const struct list_record *record, struct buffer *scratch,
    size_t ends[FIELD_COUNT])
{
	buffer_clear(scratch);
	for (size_t i = 0; i < columns->count; i++) {
		enum az_status status = columns->fields[i].count == 1
		    ? AZ_OK
		    : join(&columns->fields[i], record, scratch);

		if (status != AZ_OK)
			return status;
		ends[i] = scratch->size;
	}
	return AZ_OK;
}

enum az_status
columns_row(const struct columns *columns, const struct list_record *record, struct buffer *scratch,
    struct row *ret_row, enum refusal *ret_refusal)
{
	AZ_UNCLEARED size_t ends[FIELD_COUNT];
	bool filled = false;
	size_t start = 0;
	enum az_status status;

	*ret_refusal = record->refusal;
	if (record->refusal != REFUSAL_NONE)
		return AZ_OK;
	if (!has_width(columns, record)) {
		*ret_refusal = REFUSAL_COLUMNS;
		return AZ_OK;
	}
	status = join_all(columns, record, scratch, ends);
	if (status == AZ_LIMIT)
		*ret_refusal = REFUSAL_TOO_LONG;
	if (status != AZ_OK)
		return status == AZ_LIMIT ? AZ_OK : status;
	*ret_row = (struct row){0};
	/* The buffer no longer moves: values can be borrowed from it. */
	for (size_t i = 0; i < columns->count; i++) {
		const struct columns_field *field = &columns->fields[i];
		struct bytes value = field->count == 1
		    ? value_of(record, field->columns[0])
		    : bytes_make(scratch->data + start, ends[i] - start);

		start = ends[i];
		if (value.size == 0)
			continue;
		ret_row->values[field->field] = value;
		filled = filled || field->field != FIELD_NUMBER;
	}
	if (!filled)
		*ret_refusal = REFUSAL_EMPTY;
	return AZ_OK;
}
