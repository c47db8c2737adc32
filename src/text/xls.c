/*
 * The sheet of an old workbook (Excel 5 to 2003), row by row.
 *
 *	BOF … ROW… cells… EOF      a sheet; charts in it are streams of their own, from BOF to EOF
 *
 * Most programs write cells row by row, and some as they came: so all cells are looked up first, sorted by row if need be,
 * and read then. Of two at one place the later one counts.
 */
#include <stdlib.h>
#include <string.h>

#include "base/wire.h"
#include "text/biff.h"

#define CELLS_LEAST   1024u
#define CELL_HEAD     6u /* u16 row, u16 column, u16 cell format */
#define TEXT_MAX      (1024u * 1024u)
#define RK_SIZE       6u
#define RESULT_TEXT   0u
#define RESULT_BOOL   1u
#define FORMULA_LEAST 14u
#define ROW_SHIFT     32

struct xls {
	struct bytes stream;
	struct xls_parts parts;
	uint64_t *cells; /* row << 32 | offset of the record */
	size_t count, room, next;
	struct buffer text;
	struct sheet_row row;
};

void
xls_free(struct xls **xls)
{
	if (*xls == NULL)
		return;
	xls_parts_fini(&(*xls)->parts);
	buffer_fini(&(*xls)->text);
	sheet_row_fini(&(*xls)->row);
	free((*xls)->cells);
	free(*xls);
	*xls = NULL;
}

size_t
xls_sheets(const struct xls *xls)
{
	return xls->parts.sheets;
}

/* --- where the cells are ---------------------------------------------------------------------- */

static bool
is_cell(uint16_t type)
{
	switch (type) {
	case BIFF_FORMULA:
	case BIFF_MULRK:
	case BIFF_RSTRING:
	case BIFF_LABELSST:
	case BIFF_NUMBER:
	case BIFF_LABEL:
	case BIFF_BOOLERR:
	case BIFF_RK: return true;
	default: return false;
	}
}

static enum az_status
note_cell(struct xls *xls, const struct biff_record *record, struct az_err *reterr)
{
	if (record->data.size < CELL_HEAD)
		return az_fail(reterr, AZ_INVALID,
		    "workbook: it is damaged at byte %zu of its stream", record->offset);
	if (xls->count == xls->room) {
		size_t room = xls->room == 0 ? CELLS_LEAST : 2 * xls->room;
		uint64_t *cells = reallocarray(xls->cells, room, sizeof(*cells));

		if (cells == NULL)
			return az_fail(reterr, AZ_NO_MEMORY, "workbook: out of memory");
		xls->cells = cells;
		xls->room = room;
	}
	xls->cells[xls->count++] =
	    (uint64_t)wire_load_u16(record->data.data) << ROW_SHIFT | record->offset;
	return AZ_OK;
}

static int
compare_cells(const void *a, const void *b)
{
	uint64_t one = *(const uint64_t *)a;
	uint64_t other = *(const uint64_t *)b;

	return one < other ? -1 : one > other;
}

static void
sort_cells(struct xls *xls)
{
	for (size_t i = 1; i < xls->count; i++) {
		if (xls->cells[i - 1] > xls->cells[i]) {
			qsort(xls->cells, xls->count, sizeof(*xls->cells), compare_cells);
			return;
		}
	}
}

static enum az_status
find_cells(struct xls *xls, struct az_err *reterr)
{
	struct biff biff = {.stream = xls->stream, .at = xls->parts.sheet};
	struct biff_record record;
	size_t depth = 0;
	enum az_status status = AZ_OK;

	do {
		if (!biff_next(&biff, &record))
			return az_fail(reterr, AZ_INVALID,
			    "workbook: its first sheet is cut short at byte %zu of its stream",
			    biff.at);
		if (depth == 0 && record.type != BIFF_BOF)
			return az_fail(reterr, AZ_INVALID,
			    "workbook: no sheet begins at byte %zu of its stream", record.offset);
		if (record.type == BIFF_BOF)
			depth++;
		else if (record.type == BIFF_EOF)
			depth--;
		else if (depth == 1 && is_cell(record.type))
			status = note_cell(xls, &record, reterr);
	} while (depth > 0 && status == AZ_OK);
	sort_cells(xls);
	return status;
}

enum az_status
xls_open(struct bytes stream, struct xls **ret_xls, struct az_err *reterr)
{
	struct xls *xls = calloc(1, sizeof(*xls));
	enum az_status status;

	if (xls == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "workbook: out of memory");
	xls->stream = stream;
	sheet_row_init(&xls->row);
	buffer_init(&xls->text, TEXT_MAX, true);
	status = xls_parts_read(stream, &xls->parts, reterr);
	if (status == AZ_OK)
		status = find_cells(xls, reterr);
	if (status == AZ_OK)
		*ret_xls = xls;
	else
		xls_free(&xls);
	return status;
}

/* --- cells ------------------------------------------------------------------------------------ */

static enum az_status
set_number(struct xls *xls, size_t column, uint16_t format, double number)
{
	enum style style =
	    format < xls->parts.style_count ? (enum style)xls->parts.styles[format] : STYLE_NUMBER;
	char text[NUMBER_TEXT_SIZE];
	size_t size = style_format(style, number, xls->parts.since_1904, text);

	return sheet_row_set(&xls->row, column, bytes_make(text, size));
}

static double
double_of(uint64_t bits)
{
	double number;

	memcpy(&number, &bits, sizeof(number));
	return number;
}

/* A number in 30 bits: the first ones of a double, or a whole one; perhaps a hundred times too large (2.5.217). */
static double
rk_number(uint32_t rk)
{
	double number = (rk & 2u) != 0 ? (double)((int32_t)(rk & ~3u) / 4)
				       : double_of((uint64_t)(rk & ~3u) << 32);

	return (rk & 1u) != 0 ? number / 100 : number;
}

static enum az_status
set_many(struct xls *xls, struct bytes data)
{
	size_t column = wire_load_u16(data.data + 2);
	enum az_status status = AZ_OK;

	/* The last column stands behind them. */
	for (size_t at = 4; at + RK_SIZE + 2 <= data.size && status == AZ_OK; at += RK_SIZE)
		status = set_number(xls, column++, wire_load_u16(data.data + at),
		    rk_number(wire_load_u32(data.data + at + 2)));
	return status;
}

static enum az_status
set_shared(struct xls *xls, size_t column, uint32_t nth)
{
	const struct xls_parts *parts = &xls->parts;
	size_t start;

	if (nth >= parts->string_count)
		return AZ_INVALID;
	start = nth == 0 ? 0 : parts->ends[nth - 1];
	if (parts->ends[nth] == start)
		return AZ_OK;
	return sheet_row_set(
	    &xls->row, column, bytes_make(parts->strings.data + start, parts->ends[nth] - start));
}

static enum az_status
set_text(struct xls *xls, size_t column, const struct biff_record *record, size_t skip)
{
	struct biff_cursor cursor;
	enum az_status status;

	buffer_clear(&xls->text);
	biff_cursor_init(&cursor, xls->stream, record, skip);
	status = biff_text(&cursor, &xls->parts.kind, 2, &xls->parts.scratch, &xls->text);
	return status == AZ_OK ? sheet_row_set(&xls->row, column, buffer_peek(&xls->text)) : status;
}

static enum az_status
set_bool(struct xls *xls, size_t column, uint8_t value)
{
	return sheet_row_set(&xls->row, column, bytes_of(value != 0 ? "1" : "0"));
}

/* The text that a formula gave stands in a record of its own behind it. */
static enum az_status
set_result_text(struct xls *xls, size_t column, const struct biff_record *formula)
{
	struct biff biff = {.stream = xls->stream};
	struct biff_record record;

	biff.at = formula->offset + 4 + formula->data.size;
	while (biff_next(&biff, &record)) {
		if (record.type == BIFF_STRING)
			return set_text(xls, column, &record, 0);
		if (record.type != BIFF_SHRFMLA && record.type != BIFF_ARRAY &&
		    record.type != BIFF_TABLE && record.type != BIFF_CONTINUE)
			break;
	}
	return AZ_INVALID;
}

static enum az_status
set_result(struct xls *xls, size_t column, const struct biff_record *record)
{
	const uint8_t *result = record->data.data + CELL_HEAD;

	if (record->data.size < FORMULA_LEAST)
		return AZ_INVALID;
	if (wire_load_u16(result + 6) != UINT16_MAX)
		return set_number(xls, column, wire_load_u16(record->data.data + 4),
		    double_of(wire_load_u64(result)));
	if (result[0] == RESULT_TEXT)
		return set_result_text(xls, column, record);
	return result[0] == RESULT_BOOL ? set_bool(xls, column, result[2]) : AZ_OK;
}

static enum az_status
set_cell(struct xls *xls, const struct biff_record *record)
{
	const uint8_t *data = record->data.data;
	size_t column = wire_load_u16(data + 2);
	uint16_t format = wire_load_u16(data + 4);
	size_t left = record->data.size - CELL_HEAD;

	switch (record->type) {
	case BIFF_MULRK: return set_many(xls, record->data);
	case BIFF_FORMULA: return set_result(xls, column, record);
	case BIFF_LABEL:
	case BIFF_RSTRING: return set_text(xls, column, record, CELL_HEAD);
	case BIFF_LABELSST:
		return left < 4 ? AZ_INVALID
				: set_shared(xls, column, wire_load_u32(data + CELL_HEAD));
	case BIFF_NUMBER:
		return left < 8
		    ? AZ_INVALID
		    : set_number(xls, column, format, double_of(wire_load_u64(data + CELL_HEAD)));
	case BIFF_RK:
		return left < 4
		    ? AZ_INVALID
		    : set_number(xls, column, format, rk_number(wire_load_u32(data + CELL_HEAD)));
	case BIFF_BOOLERR:
		if (left < 2)
			return AZ_INVALID;
		return data[CELL_HEAD + 1] != 0 ? AZ_OK : set_bool(xls, column, data[CELL_HEAD]);
	default: return AZ_OK;
	}
}

enum az_status
xls_next(struct xls *xls, const struct list_record **ret_record, struct az_err *reterr)
{
	while (xls->next < xls->count) {
		uint64_t at = xls->cells[xls->next] >> ROW_SHIFT;

		sheet_row_clear(&xls->row);
		for (; xls->next < xls->count && xls->cells[xls->next] >> ROW_SHIFT == at;
		     xls->next++) {
			struct biff biff = {.stream = xls->stream};
			struct biff_record record;
			enum az_status status = AZ_INVALID;

			biff.at = (uint32_t)xls->cells[xls->next];
			if (biff_next(&biff, &record))
				status = set_cell(xls, &record);
			if (status == AZ_NO_MEMORY)
				return az_fail(reterr, status, "workbook: out of memory");
			if (status != AZ_OK)
				return az_fail(reterr, AZ_INVALID,
				    "workbook: row %u of the sheet is damaged",
				    (unsigned int)at + 1);
		}
		if (sheet_row_end(&xls->row, at + 1)) {
			*ret_record = &xls->row.record;
			return AZ_OK;
		}
	}
	return AZ_NOT_FOUND;
}
