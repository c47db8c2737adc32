/*
 * Old workbooks, record by record ([MS-XLS] 2.1.4; the stream of OpenOffice's "Excel file format" 3.1).
 *
 *	u16 type, u16 size, data      a record; what does not fit goes on in CONTINUE records behind it
 *
 * A text is a run of UTF-16 units, each written in one byte if none of the run needs two; where a CONTINUE record cuts
 * the run, its first byte says anew how wide they are. Before Excel 97 a text is bytes in the workbook's code page.
 */
#include <string.h>

#include "base/wire.h"
#include "text/biff.h"
#include "text/text_internal.h"

#define HEADER_SIZE    4u
#define TEXT_WIDE      0x01u
#define TEXT_PHONETIC  0x04u
#define TEXT_RICH      0x08u
#define RUN_SIZE       4u
#define UTF8_OF_UNIT   3u
#define PAGE_JAPANESE  932u
#define PAGE_EUCJP     20932u
#define PAGE_EUCJP_TOO 51932u

bool
biff_next(struct biff *biff, struct biff_record *ret_record)
{
	const uint8_t *at = biff->stream.data + biff->at;
	size_t left = biff->stream.size - biff->at;
	size_t size;

	if (left < HEADER_SIZE)
		return false;
	size = wire_load_u16(at + 2);
	if (size > left - HEADER_SIZE)
		return false;
	ret_record->type = wire_load_u16(at);
	ret_record->offset = biff->at;
	ret_record->data = bytes_make(at + HEADER_SIZE, size);
	biff->at += HEADER_SIZE + size;
	return true;
}

void
biff_cursor_init(
    struct biff_cursor *cursor, struct bytes stream, const struct biff_record *record, size_t skip)
{
	size_t size = record->data.size;

	*cursor = (struct biff_cursor){.biff = {.stream = stream}};
	cursor->biff.at = record->offset + HEADER_SIZE + size;
	cursor->bad = skip > size;
	if (!cursor->bad)
		cursor->left = bytes_make(record->data.data + skip, size - skip);
}

/* Goes on in the CONTINUE record behind, which must be there. */
static void
go_on(struct biff_cursor *cursor)
{
	struct biff_record record;

	if (cursor->bad)
		return;
	if (!biff_next(&cursor->biff, &record) || record.type != BIFF_CONTINUE)
		cursor->bad = true;
	else
		cursor->left = record.data;
}

/* size more bytes, none of them text. */
static void
take_raw(struct biff_cursor *cursor, uint8_t *data, uint64_t size)
{
	while (size > 0 && !cursor->bad) {
		size_t part = cursor->left.size < size ? cursor->left.size : (size_t)size;

		if (part == 0) {
			go_on(cursor);
			continue;
		}
		if (data != NULL) {
			memcpy(data, cursor->left.data, part);
			data += part;
		}
		cursor->left.data += part;
		cursor->left.size -= part;
		size -= part;
	}
}

static uint32_t
take_number(struct biff_cursor *cursor, size_t size)
{
	uint8_t data[4] = {0};

	take_raw(cursor, data, size);
	return wire_load_u32(data);
}

static enum az_status
widen(struct bytes narrow, struct buffer *units)
{
	enum az_status status = buffer_reserve(units, 2 * narrow.size);

	for (size_t i = 0; i < narrow.size && status == AZ_OK; i++) {
		units->data[units->size++] = narrow.data[i];
		units->data[units->size++] = 0;
	}
	return status;
}

/* Appends count units of text, however many records they are cut into, in two bytes each. */
static enum az_status
take_units(struct biff_cursor *cursor, size_t count, bool wide, struct buffer *units)
{
	enum az_status status = AZ_OK;

	while (count > 0 && !cursor->bad && status == AZ_OK) {
		size_t width = wide ? 2 : 1;
		size_t part = cursor->left.size / width < count ? cursor->left.size / width : count;

		if (part == 0) {
			cursor->bad = cursor->bad || cursor->left.size > 0;
			go_on(cursor);
			wide = (take_number(cursor, 1) & TEXT_WIDE) != 0;
			continue;
		}
		status = wide ? buffer_append(units, bytes_make(cursor->left.data, 2 * part))
			      : widen(bytes_make(cursor->left.data, part), units);
		cursor->left.data += part * width;
		cursor->left.size -= part * width;
		count -= part;
	}
	return status;
}

/* Appends bytes of that encoding as UTF-8, a byte that no text has where something cannot be decoded. */
static enum az_status
append_decoded(enum encoding encoding, struct bytes bytes, struct buffer *text)
{
	struct decode_state state = {0};
	const uint8_t *from = bytes.data;
	size_t good = 0;
	uint8_t *to;
	enum az_status status = buffer_reserve(text, UTF8_OF_UNIT * bytes.size + DECODE_STEP_MAX);

	if (status != AZ_OK || bytes.size == 0)
		return status;
	to = text->data + text->size;
	(void)decode_step(
	    encoding, &state, &from, from + bytes.size, true, &to, text->data + text->room, &good);
	text->size = (size_t)(to - text->data);
	return AZ_OK;
}

static enum az_status
append_page(uint16_t page, struct bytes bytes, struct buffer *text)
{
	enum az_status status = AZ_OK;

	if (page == PAGE_JAPANESE)
		return append_decoded(ENCODING_CP932, bytes, text);
	if (page == PAGE_EUCJP || page == PAGE_EUCJP_TOO)
		return append_decoded(ENCODING_EUCJP, bytes, text);
	/* Of the others only what they all share. */
	for (size_t i = 0; i < bytes.size && status == AZ_OK; i++) {
		uint8_t byte = bytes.data[i] < 0x80 ? bytes.data[i] : DECODE_BAD;

		status = buffer_append(text, bytes_make(&byte, 1));
	}
	return status;
}

enum az_status
biff_text(struct biff_cursor *cursor, const struct biff_kind *kind, size_t count_size,
    struct buffer *scratch, struct buffer *text)
{
	size_t count = take_number(cursor, count_size);
	uint32_t runs = 0;
	uint32_t phonetic = 0;
	uint32_t flags;
	enum az_status status;

	buffer_clear(scratch);
	if (!kind->is_unicode) {
		status = cursor->bad ? AZ_OK : buffer_reserve(scratch, count);
		if (status != AZ_OK || cursor->bad)
			return status == AZ_OK ? AZ_INVALID : status;
		take_raw(cursor, scratch->data, count);
		return cursor->bad
		    ? AZ_INVALID
		    : append_page(kind->page, bytes_make(scratch->data, count), text);
	}
	flags = take_number(cursor, 1);
	if ((flags & TEXT_RICH) != 0)
		runs = take_number(cursor, 2);
	if ((flags & TEXT_PHONETIC) != 0)
		phonetic = take_number(cursor, 4);
	status = take_units(cursor, count, (flags & TEXT_WIDE) != 0, scratch);
	take_raw(cursor, NULL, (uint64_t)RUN_SIZE * runs + phonetic);
	if (status == AZ_OK && cursor->bad)
		return AZ_INVALID;
	return status == AZ_OK ? append_decoded(ENCODING_UTF16LE, buffer_peek(scratch), text)
			       : status;
}
