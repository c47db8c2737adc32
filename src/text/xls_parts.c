/*
 * What stands before the sheets of an old workbook: which sheet is the first that is shown, the strings that cells
 * share, and which cell formats are dates.
 *
 *	BOF  CODEPAGE  1904  FORMAT…  XF…  BOUNDSHEET…  SST CONTINUE…  EOF
 */
#include <stdlib.h>
#include <string.h>

#include "base/wire.h"
#include "text/biff.h"

#define STRINGS_MAX     (512u * 1024u * 1024u)
#define SCRATCH_MAX     (1024u * 1024u)
#define VERSION_UNICODE 0x0600u
#define VERSION_BYTES   0x0500u
#define BOF_GLOBALS     0x0005u
#define STRING_LEAST    3u /* bytes of a shared string in the file */
#define VISIBILITY      0x03u

struct globals {
	struct bytes stream;
	struct xls_parts *parts;
	struct formats formats;
	uint16_t *ids; /* of the format, by cell format */
	bool is_locked;
};

static enum az_status
damaged(size_t offset, struct az_err *reterr)
{
	return az_fail(
	    reterr, AZ_INVALID, "workbook: it is damaged at byte %zu of its stream", offset);
}

static enum az_status
no_memory(enum az_status status, struct az_err *reterr)
{
	return az_fail(reterr, status,
	    status == AZ_LIMIT ? "workbook: it is too large" : "workbook: out of memory");
}

/* --- parts ------------------------------------------------------------------------------------ */

static enum az_status
read_sheet(struct globals *globals, const struct biff_record *record, struct az_err *reterr)
{
	struct xls_parts *parts = globals->parts;
	const uint8_t *data = record->data.data;

	if (record->data.size < 6)
		return damaged(record->offset, reterr);
	/* Hidden ones, charts and macros are none. */
	if ((data[4] & VISIBILITY) != 0 || data[5] != 0)
		return AZ_OK;
	if (parts->sheets++ == 0)
		parts->sheet = wire_load_u32(data);
	return AZ_OK;
}

static enum az_status
read_format(struct globals *globals, const struct biff_record *record, struct az_err *reterr)
{
	struct xls_parts *parts = globals->parts;
	struct biff_cursor cursor;
	struct buffer code;
	enum az_status status;

	if (record->data.size < 3)
		return damaged(record->offset, reterr);
	buffer_init(&code, SCRATCH_MAX, false);
	biff_cursor_init(&cursor, globals->stream, record, 2);
	status = biff_text(
	    &cursor, &parts->kind, parts->kind.is_unicode ? 2 : 1, &parts->scratch, &code);
	if (status == AZ_OK)
		status = buffer_append(&code, bytes_make("", 1));
	if (status == AZ_OK)
		formats_add(&globals->formats, wire_load_u16(record->data.data), (char *)code.data);
	buffer_fini(&code);
	if (status == AZ_INVALID)
		return damaged(record->offset, reterr);
	return status == AZ_OK ? AZ_OK : no_memory(status, reterr);
}

static enum az_status
read_strings(struct globals *globals, const struct biff_record *record, struct az_err *reterr)
{
	struct xls_parts *parts = globals->parts;
	struct biff_cursor cursor;
	size_t count;
	enum az_status status = AZ_OK;

	if (record->data.size < 8 || parts->ends != NULL)
		return damaged(record->offset, reterr);
	count = wire_load_u32(record->data.data + 4);
	if (count > globals->stream.size / STRING_LEAST)
		return damaged(record->offset, reterr);
	parts->ends = calloc(count + 1, sizeof(*parts->ends));
	if (parts->ends == NULL)
		return no_memory(AZ_NO_MEMORY, reterr);
	biff_cursor_init(&cursor, globals->stream, record, 8);
	while (parts->string_count < count && status == AZ_OK) {
		status = biff_text(&cursor, &parts->kind, 2, &parts->scratch, &parts->strings);
		if (status == AZ_OK)
			parts->ends[parts->string_count++] = parts->strings.size;
	}
	if (status == AZ_INVALID)
		return az_fail(reterr, AZ_INVALID, "workbook: shared string %zu is damaged",
		    parts->string_count + 1);
	return status == AZ_OK ? AZ_OK : no_memory(status, reterr);
}

static enum az_status
read_record(struct globals *globals, const struct biff_record *record, struct az_err *reterr)
{
	struct xls_parts *parts = globals->parts;
	struct bytes data = record->data;

	switch (record->type) {
	case BIFF_FILEPASS: globals->is_locked = true; return AZ_OK;
	case BIFF_CODEPAGE:
		if (data.size >= 2)
			parts->kind.page = wire_load_u16(data.data);
		return AZ_OK;
	case BIFF_1904:
		parts->since_1904 = data.size >= 2 && wire_load_u16(data.data) == 1;
		return AZ_OK;
	case BIFF_XF:
		if (data.size >= 4 && parts->style_count < XLSX_STYLES_MAX)
			globals->ids[parts->style_count++] = wire_load_u16(data.data + 2);
		return AZ_OK;
	case BIFF_FORMAT: return read_format(globals, record, reterr);
	case BIFF_BOUNDSHEET: return read_sheet(globals, record, reterr);
	case BIFF_SST: return read_strings(globals, record, reterr);
	default: return AZ_OK;
	}
}

/* --- all of them ------------------------------------------------------------------------------ */

static enum az_status
read_start(struct globals *globals, struct biff *biff, struct az_err *reterr)
{
	struct biff_record record;
	uint16_t version;

	if (!biff_next(biff, &record) || record.type != BIFF_BOF || record.data.size < 4)
		return az_fail(reterr, AZ_INVALID,
		    "workbook: it is damaged, or older than Excel 5, which cannot be read");
	version = wire_load_u16(record.data.data);
	if ((version != VERSION_UNICODE && version != VERSION_BYTES) ||
	    wire_load_u16(record.data.data + 2) != BOF_GLOBALS)
		return az_fail(reterr, AZ_INVALID, "workbook: it is of a kind that cannot be read");
	globals->parts->kind.is_unicode = version == VERSION_UNICODE;
	return AZ_OK;
}

static enum az_status
read_globals(struct globals *globals, struct az_err *reterr)
{
	struct xls_parts *parts = globals->parts;
	struct biff biff = {.stream = globals->stream};
	struct biff_record record = {0};
	enum az_status status = read_start(globals, &biff, reterr);

	while (status == AZ_OK && record.type != BIFF_EOF && !globals->is_locked) {
		if (!biff_next(&biff, &record))
			status = damaged(biff.at, reterr);
		else
			status = read_record(globals, &record, reterr);
	}
	if (status != AZ_OK)
		return status;
	if (globals->is_locked)
		return az_fail(reterr, AZ_INVALID,
		    "workbook: it has a password, which cannot be undone for old workbooks");
	if (parts->sheets == 0)
		return az_fail(reterr, AZ_INVALID, "workbook: it shows no sheet");
	if (parts->sheet >= globals->stream.size)
		return damaged(globals->stream.size, reterr);
	for (size_t i = 0; i < parts->style_count; i++)
		parts->styles[i] = (uint8_t)formats_style(&globals->formats, globals->ids[i]);
	return AZ_OK;
}

void
xls_parts_fini(struct xls_parts *parts)
{
	buffer_fini(&parts->strings);
	buffer_fini(&parts->scratch);
	free(parts->ends);
	free(parts->styles);
	*parts = (struct xls_parts){.sheets = 0};
}

enum az_status
xls_parts_read(struct bytes stream, struct xls_parts *ret_parts, struct az_err *reterr)
{
	struct globals *globals = calloc(1, sizeof(*globals));
	struct xls_parts parts = {.sheets = 0};
	enum az_status status = AZ_NO_MEMORY;

	buffer_init(&parts.strings, STRINGS_MAX, true);
	buffer_init(&parts.scratch, SCRATCH_MAX, true);
	parts.styles = calloc(XLSX_STYLES_MAX, 1);
	if (globals != NULL)
		globals->ids = calloc(XLSX_STYLES_MAX, sizeof(*globals->ids));
	if (globals != NULL && globals->ids != NULL && parts.styles != NULL) {
		globals->stream = stream;
		globals->parts = &parts;
		status = read_globals(globals, reterr);
	} else {
		status = no_memory(AZ_NO_MEMORY, reterr);
	}
	if (globals != NULL)
		free(globals->ids);
	free(globals);
	if (status == AZ_OK)
		*ret_parts = parts;
	else
		xls_parts_fini(&parts);
	return status;
}
