/*
 * Fixed widths: each value stands at the same place of every line.
 *
 * Places are counted in cells, as whoever made such a file did: a kanji has two, half-width kana and ASCII one, which
 * for CP932 is its bytes. A character that a boundary cuts in two makes the record a refused one, since then the map
 * is not this file's. Where lines do not end, the map says how many cells a record has.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "text/text_internal.h"

#define READ_PIECE (64u * 1024u)
#define BUFFER_MAX (LIST_RECORD_MAX + 4u * READ_PIECE)

struct fixed {
	struct record_reader reader;
	struct stream *stream;
	struct fixed_layout layout;
	struct buffer buffer;
	size_t start;
	bool ended, skipping;
	size_t skipped; /* bytes of the line that is dropped */
	uint64_t place;
	struct list_record record;
};

static enum az_status fixed_next(
    struct record_reader *reader, const struct list_record **ret_record, struct az_err *reterr);

enum az_status
fixed_new(struct stream *stream, const struct fixed_layout *layout, struct fixed **ret_fixed,
    struct az_err *reterr)
{
	struct fixed *fixed = calloc(1, sizeof(*fixed));

	if (fixed == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "the list: out of memory");
	fixed->reader.next = fixed_next;
	fixed->stream = stream;
	fixed->layout = *layout;
	buffer_init(&fixed->buffer, BUFFER_MAX, true);
	*ret_fixed = fixed;
	return AZ_OK;
}

void
fixed_free(struct fixed **fixed)
{
	if (*fixed == NULL)
		return;
	buffer_fini(&(*fixed)->buffer);
	az_wipe(*fixed, sizeof(**fixed));
	free(*fixed);
	*fixed = NULL;
}

struct record_reader *
fixed_reader(struct fixed *fixed)
{
	return &fixed->reader;
}

static unsigned int
cells_of(uint32_t point)
{
	return point < 0x80 || (point >= 0xff61 && point <= 0xff9f) ? 1 : 2;
}

static enum az_status
read_more(struct fixed *fixed, struct az_err *reterr)
{
	size_t size = 0;
	enum az_status status;

	buffer_consume(&fixed->buffer, fixed->start);
	fixed->start = 0;
	status = buffer_reserve(&fixed->buffer, READ_PIECE);
	if (status != AZ_OK)
		return az_fail(reterr, status, "the list: no room for record %llu",
		    (unsigned long long)fixed->place + 1);
	status = fixed->stream->read(
	    fixed->stream, fixed->buffer.data + fixed->buffer.size, READ_PIECE, &size, reterr);
	if (status != AZ_OK)
		return status;
	fixed->buffer.size += size;
	fixed->ended = size == 0;
	return AZ_OK;
}

/*
 * The record that begins at start: its bytes, and those of its line end. False if more must be read.
 */
static bool
find_record(const struct fixed *fixed, size_t *ret_size, size_t *ret_end)
{
	struct bytes rest =
	    bytes_make(fixed->buffer.data + fixed->start, fixed->buffer.size - fixed->start);
	uint64_t cells = 0;
	size_t at = 0;

	while (at < rest.size) {
		size_t before = at;
		uint8_t byte = rest.data[at];

		if (byte == '\n' || byte == '\r') {
			if (byte == '\r' && at + 1 == rest.size && !fixed->ended)
				return false;
			*ret_size = at;
			*ret_end =
			    byte == '\r' && at + 1 < rest.size && rest.data[at + 1] == '\n' ? 2 : 1;
			return true;
		}
		if (fixed->layout.size != 0 && cells >= fixed->layout.size) {
			*ret_size = at;
			*ret_end = 0;
			return true;
		}
		if (rest.size - at < 4 && !fixed->ended)
			return false;
		cells += cells_of(text_point(rest, &at));
		if (at == before)
			at++;
	}
	*ret_size = rest.size;
	*ret_end = 0;
	return fixed->ended;
}

/* Where a cell begins; false if it is inside a character. Past the end is the end. */
static bool
find_cell(struct bytes line, uint32_t cell, size_t *at, uint64_t *cells)
{
	while (*cells < cell && *at < line.size)
		*cells += cells_of(text_point(line, at));
	return *cells <= cell || *at >= line.size;
}

static void
refuse(struct fixed *fixed, enum refusal refusal)
{
	fixed->record.refusal = refusal;
	fixed->record.count = 0;
}

static bool
take_part(struct fixed *fixed, struct bytes line, const struct fixed_part *part)
{
	struct bytes value;
	uint64_t cells = 0;
	size_t at = 0;
	size_t from;

	if (!find_cell(line, part->from - 1, &at, &cells))
		return false;
	from = at;
	if (!find_cell(line, part->to, &at, &cells))
		return false;
	value = text_trim(bytes_make(line.data + from, at - from));
	if (value.size > FIELD_VALUE_MAX)
		return false;
	fixed->record.values[fixed->record.count++] = value;
	return true;
}

static void
cut(struct fixed *fixed, struct bytes line)
{
	fixed->record.count = 0;
	fixed->record.refusal = REFUSAL_NONE;
	if (!bytes_are_utf8(line)) {
		refuse(fixed, REFUSAL_ENCODING);
		return;
	}
	for (size_t i = 0; i < line.size; i++) {
		if ((line.data[i] < 0x20 && line.data[i] != '\t') || line.data[i] == 0x7f) {
			refuse(fixed, REFUSAL_CONTROL);
			return;
		}
	}
	for (size_t i = 0; i < fixed->layout.count; i++) {
		if (!take_part(fixed, line, &fixed->layout.parts[i])) {
			refuse(fixed, REFUSAL_COLUMNS);
			return;
		}
	}
}

static enum az_status
fixed_next(
    struct record_reader *reader, const struct list_record **ret_record, struct az_err *reterr)
{
	struct fixed *fixed = (struct fixed *)reader;
	size_t size = 0;
	size_t end = 0;

	*ret_record = &fixed->record;
	for (;;) {
		bool skipped = fixed->skipping;
		struct bytes line;

		if (!find_record(fixed, &size, &end)) {
			enum az_status status;
			size_t there = fixed->buffer.size - fixed->start;

			if (there > LIST_RECORD_MAX) {
				fixed->skipped = fixed->skipping ? fixed->skipped + there : there;
				if (fixed->skipped > LIST_SKIPPED_MAX)
					return az_fail(reterr, AZ_INVALID,
					    "line %" PRIu64 ": it has not ended after %u MiB",
					    (uint64_t)fixed->place + 1, LIST_SKIPPED_MAX >> 20);
				fixed->start = fixed->buffer.size;
				fixed->skipping = true;
			}
			status = read_more(fixed, reterr);
			if (status != AZ_OK)
				return status;
			continue;
		}
		if (size + end == 0 && !skipped)
			return AZ_NOT_FOUND;
		fixed->skipping = false;
		line = bytes_make(fixed->buffer.data + fixed->start, size);
		fixed->start += size + end;
		/* Of records that just follow each other a line end is no record; nor is an old end of file. */
		if (end > 0 && size == 0 && !skipped) {
			fixed->place += fixed->layout.size == 0 ? 1 : 0;
			continue;
		}
		if (fixed->ended && end == 0 && size == 1 && line.data[0] == 0x1a)
			continue;
		fixed->record.place = ++fixed->place;
		if (skipped)
			refuse(fixed, REFUSAL_TOO_LONG);
		else
			cut(fixed, line);
		return AZ_OK;
	}
}
