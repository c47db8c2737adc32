/*
 * New workbooks (ECMA-376 part 1, SpreadsheetML): the first visible sheet, streamed row by row.
 *
 * The parser is stopped at the end of each row and resumed for the next, so that memory holds one row, whatever the
 * sheet's size; only the strings that cells share lie in memory whole.
 */
#include <expat.h>
#include <stdlib.h>
#include <string.h>

#include "text/unpack_internal.h"

#define PIECE     65536
#define VALUE_MAX (FIELD_VALUE_MAX * 4u)

enum cell_type { CELL_NUMBER, CELL_SHARED, CELL_INLINE, CELL_TEXT, CELL_BOOL, CELL_ERROR };

struct xlsx {
	struct xlsx_parts parts;
	struct packed *packed;
	XML_Parser parser;
	struct sheet_row row;
	uint64_t row_number;
	size_t column; /* of the cell at work */
	enum cell_type type;
	size_t style;
	struct buffer value;
	bool in_value;         /* inside v, or inside a t that is not a reading */
	unsigned int readings; /* depth of rPh */
	bool too_long;
	bool row_is_ready;
	bool ended;
	enum az_status status;
};

void
xlsx_free(struct xlsx **xlsx)
{
	if (*xlsx == NULL)
		return;
	if ((*xlsx)->parser != NULL)
		XML_ParserFree((*xlsx)->parser);
	packed_free(&(*xlsx)->packed);
	xlsx_parts_fini(&(*xlsx)->parts);
	sheet_row_fini(&(*xlsx)->row);
	buffer_fini(&(*xlsx)->value);
	free(*xlsx);
	*xlsx = NULL;
}

size_t
xlsx_sheets(const struct xlsx *xlsx)
{
	return xlsx->parts.sheets;
}

static void
give_up(struct xlsx *xlsx, enum az_status status)
{
	xlsx->status = status;
	(void)XML_StopParser(xlsx->parser, XML_FALSE);
}

/* --- cells ------------------------------------------------------------------------------------ */

/* "BC12": 54; the column behind the last one if it is not of that form. */
static size_t
column_of(const char *reference, size_t next)
{
	size_t column = 0;
	size_t letters = 0;

	for (; reference[letters] >= 'A' && reference[letters] <= 'Z'; letters++) {
		if (letters == 3)
			return LIST_COLUMNS_MAX;
		column = 26 * column + (size_t)(reference[letters] - 'A') + 1;
	}
	return letters == 0 ? next : column - 1;
}

static enum cell_type
type_of(const char *type)
{
	static const struct {
		const char *name;
		enum cell_type type;
	} types[] = {{"s", CELL_SHARED}, {"inlineStr", CELL_INLINE}, {"str", CELL_TEXT},
	    {"d", CELL_TEXT}, {"b", CELL_BOOL}, {"e", CELL_ERROR}};

	for (size_t i = 0; i < AZ_ARRAY_SIZE(types); i++) {
		if (strcmp(type, types[i].name) == 0)
			return types[i].type;
	}
	return CELL_NUMBER;
}

static int
hex_digit(uint8_t byte)
{
	if (byte >= '0' && byte <= '9')
		return byte - '0';
	if (byte >= 'A' && byte <= 'F')
		return byte - 'A' + 10;
	return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : -1;
}

/* "_x000D_" stands for a character that XML cannot hold (22.9.2.19); only ASCII ones are turned back. */
static struct bytes
unescape(uint8_t *data, size_t size)
{
	size_t to = 0;

	for (size_t at = 0; at < size;) {
		if (data[at] == '_' && at + 7 <= size && data[at + 1] == 'x' &&
		    data[at + 2] == '0' && data[at + 3] == '0' && hex_digit(data[at + 4]) >= 0 &&
		    hex_digit(data[at + 4]) < 8 && hex_digit(data[at + 5]) >= 0 &&
		    data[at + 6] == '_') {
			data[to++] =
			    (uint8_t)(16 * hex_digit(data[at + 4]) + hex_digit(data[at + 5]));
			at += 7;
		} else {
			data[to++] = data[at++];
		}
	}
	return bytes_make(data, to);
}

static struct bytes
shared(const struct xlsx *xlsx, const char *number)
{
	const struct xlsx_parts *parts = &xlsx->parts;
	unsigned long at = strtoul(number, NULL, 10);
	size_t start;

	if (at >= parts->string_count)
		return bytes_make(NULL, 0);
	start = at == 0 ? 0 : parts->ends[at - 1];
	return bytes_make(parts->strings.data + start, parts->ends[at] - start);
}

/* A number as its format shows it: a date, or a plain number. */
static size_t
format_number(const struct xlsx *xlsx, const char *text, char formatted[NUMBER_TEXT_SIZE])
{
	enum style style = xlsx->style < xlsx->parts.style_count
	    ? (enum style)xlsx->parts.styles[xlsx->style]
	    : STYLE_NUMBER;
	char *end;
	double number = strtod(text, &end);

	if (end == text || *end != '\0')
		return 0;
	return style_format(style, number, xlsx->parts.since_1904, formatted);
}

static enum az_status
end_cell(struct xlsx *xlsx)
{
	char formatted[NUMBER_TEXT_SIZE];
	struct bytes value;
	enum az_status status;

	if (xlsx->too_long)
		xlsx->row.long_value = true;
	if (xlsx->value.size == 0)
		return AZ_OK;
	status = buffer_append(&xlsx->value, bytes_make("", 1));
	if (status != AZ_OK)
		return status;
	value = bytes_make(xlsx->value.data, xlsx->value.size - 1);
	switch (xlsx->type) {
	case CELL_SHARED: value = shared(xlsx, (const char *)xlsx->value.data); break;
	case CELL_NUMBER: {
		size_t size = format_number(xlsx, (const char *)xlsx->value.data, formatted);

		if (size > 0)
			value = bytes_make(formatted, size);
		break;
	}
	case CELL_ERROR: value = bytes_make(NULL, 0); break;
	case CELL_INLINE:
	case CELL_TEXT:
	case CELL_BOOL:
	default: break;
	}
	/* The shared ones are many cells': their copy in value is turned back. */
	if (xlsx->type != CELL_NUMBER && value.size > 0) {
		struct buffer *copy = &xlsx->value;

		if (value.data != copy->data) {
			buffer_clear(copy);
			status = value.size > VALUE_MAX ? AZ_LIMIT : buffer_append(copy, value);
			if (status == AZ_LIMIT) {
				xlsx->row.long_value = true;
				return AZ_OK;
			}
			if (status != AZ_OK)
				return status;
		}
		value = unescape(copy->data, value.size);
	}
	return sheet_row_set(&xlsx->row, xlsx->column, value);
}

/* --- elements --------------------------------------------------------------------------------- */

static void
sheet_start(void *arg, const char *element, const char **attributes)
{
	struct xlsx *xlsx = arg;

	if (xml_is(element, "row")) {
		const char *number = xml_attribute(attributes, "r");

		xlsx->row_number =
		    *number != '\0' ? strtoull(number, NULL, 10) : xlsx->row_number + 1;
		sheet_row_clear(&xlsx->row);
		xlsx->column = SIZE_MAX;
	} else if (xml_is(element, "c")) {
		xlsx->column = column_of(xml_attribute(attributes, "r"), xlsx->column + 1);
		xlsx->type = type_of(xml_attribute(attributes, "t"));
		xlsx->style = strtoul(xml_attribute(attributes, "s"), NULL, 10);
		buffer_clear(&xlsx->value);
		xlsx->too_long = false;
	} else if (xml_is(element, "rPh")) {
		xlsx->readings++;
	} else if (xml_is(element, "v")) {
		xlsx->in_value = xlsx->type != CELL_INLINE;
	} else if (xml_is(element, "t")) {
		xlsx->in_value = xlsx->type == CELL_INLINE && xlsx->readings == 0;
	}
}

static void
sheet_end(void *arg, const char *element)
{
	struct xlsx *xlsx = arg;

	if (xml_is(element, "v") || xml_is(element, "t")) {
		xlsx->in_value = false;
	} else if (xml_is(element, "rPh")) {
		xlsx->readings--;
	} else if (xml_is(element, "c")) {
		enum az_status status = end_cell(xlsx);

		if (status != AZ_OK)
			give_up(xlsx, status);
	} else if (xml_is(element, "row") && sheet_row_end(&xlsx->row, xlsx->row_number)) {
		xlsx->row_is_ready = true;
		(void)XML_StopParser(xlsx->parser, XML_TRUE);
	}
}

static void
sheet_text(void *arg, const char *text, int size)
{
	struct xlsx *xlsx = arg;
	enum az_status status;

	if (!xlsx->in_value || xlsx->too_long)
		return;
	status = buffer_append(&xlsx->value, bytes_make(text, (size_t)size));
	if (status == AZ_LIMIT)
		xlsx->too_long = true;
	else if (status != AZ_OK)
		give_up(xlsx, status);
}

static void
refuse_doctype(void *arg, const char *name, const char *system, const char *public, int internal)
{
	(void)name;
	(void)system;
	(void)public;
	(void)internal;
	give_up(arg, AZ_INVALID);
}

/* --- rows ------------------------------------------------------------------------------------- */

static enum az_status
stopped(struct xlsx *xlsx, enum XML_Status result, struct az_err *reterr)
{
	if (result != XML_STATUS_ERROR)
		return AZ_OK;
	if (xlsx->status == AZ_NO_MEMORY)
		return az_fail(reterr, AZ_NO_MEMORY, "workbook: out of memory");
	return az_fail(reterr, AZ_INVALID, "workbook: the sheet is damaged behind row %llu",
	    (unsigned long long)xlsx->row_number);
}

static enum az_status
parse_more(struct xlsx *xlsx, struct az_err *reterr)
{
	XML_ParsingStatus at;
	uint8_t *data;
	size_t size = 0;
	enum az_status status;

	XML_GetParsingStatus(xlsx->parser, &at);
	if (at.parsing == XML_SUSPENDED)
		return stopped(xlsx, XML_ResumeParser(xlsx->parser), reterr);
	if (at.parsing == XML_FINISHED) {
		xlsx->ended = true;
		return AZ_OK;
	}
	data = XML_GetBuffer(xlsx->parser, PIECE);
	if (data == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "workbook: out of memory");
	status = packed_read(xlsx->packed, data, PIECE, &size, reterr);
	if (status != AZ_OK)
		return status;
	return stopped(xlsx, XML_ParseBuffer(xlsx->parser, (int)size, size == 0), reterr);
}

enum az_status
xlsx_next(struct xlsx *xlsx, const struct list_record **ret_record, struct az_err *reterr)
{
	enum az_status status = AZ_OK;

	xlsx->row_is_ready = false;
	while (status == AZ_OK && !xlsx->row_is_ready && !xlsx->ended)
		status = parse_more(xlsx, reterr);
	if (status == AZ_OK && !xlsx->row_is_ready)
		return AZ_NOT_FOUND;
	if (status == AZ_OK)
		*ret_record = &xlsx->row.record;
	return status;
}

enum az_status
xlsx_open(struct bytes zip, struct xlsx **ret_xlsx, struct az_err *reterr)
{
	struct xlsx *xlsx = calloc(1, sizeof(*xlsx));
	enum az_status status;

	if (xlsx == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "workbook: out of memory");
	sheet_row_init(&xlsx->row);
	buffer_init(&xlsx->value, VALUE_MAX + 1, true);
	status = xlsx_parts_read(zip, &xlsx->parts, reterr);
	if (status == AZ_OK)
		status = packed_open(zip, bytes_make(NULL, 0), WRAPPING_ZIP, &xlsx->packed, reterr);
	if (status == AZ_OK)
		status = packed_enter(xlsx->packed, xlsx->parts.sheet, reterr);
	if (status == AZ_NOT_FOUND)
		status = az_fail(reterr, AZ_INVALID, "workbook: a part of it is missing");
	if (status == AZ_OK) {
		xlsx->parser = XML_ParserCreate(NULL);
		if (xlsx->parser == NULL)
			status = az_fail(reterr, AZ_NO_MEMORY, "workbook: out of memory");
	}
	if (status != AZ_OK) {
		xlsx_free(&xlsx);
		return status;
	}
	XML_SetUserData(xlsx->parser, xlsx);
	XML_SetElementHandler(xlsx->parser, sheet_start, sheet_end);
	XML_SetCharacterDataHandler(xlsx->parser, sheet_text);
	XML_SetStartDoctypeDeclHandler(xlsx->parser, refuse_doctype);
	*ret_xlsx = xlsx;
	return AZ_OK;
}
