/*
 * Separated values, streamed: RFC 4180, and what people make of it.
 *
 * Only the bytes that scan_block points at are looked at; between them nothing can happen. Values are noted as
 * places, since the record may move when more of the file is read; only when all of it is there are they cut, and
 * quotes taken out in place: a value only ever gets shorter.
 *
 *	plain ── " first in a value ──► quoted ── " before a separator or line end ──► closed
 *	  ▲                              │  "" is a quote of the value                   │
 *	  └── separator, line end ───────┼── " before anything else: a quote that ───────┘
 *	                                 ▼   somebody forgot to double; kept, "repaired"
 *
 * A quote that is never closed would take all that follows with it. So when the end of the file, or the largest record,
 * is reached inside quotes, only the first line is refused, and reading begins again behind it. Where that happens too
 * often to be read twice each time, quotes no longer reach over the end of a line.
 */
#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "text/text_internal.h"

#define READ_PIECE  (256u * 1024u)
#define SLACK       64u /* scan_block reads whole blocks */
#define BUFFER_MAX  (2u * LIST_RECORD_MAX + 2u * READ_PIECE + SLACK)
#define AGAIN_MAX   32u /* records read again from their second line */
#define SNIFFED     (64u * 1024u)
#define CONTROL_EOF 0x1au /* which some programs still end a file with */

enum state { PLAIN, QUOTED, CLOSED };

/* A value of the record at work; offsets from its first byte. */
struct span {
	uint32_t from, to;
	bool quoted;
	bool doubled; /* has doubled quotes to make single */
};

struct csv {
	struct record_reader reader;
	struct stream *stream;
	uint8_t delimiter;
	struct buffer buffer;
	size_t start;   /* of the record at work, in the buffer */
	size_t scanned; /* how far it was looked at, in the buffer */
	bool ended;     /* the stream has */
	bool begun;
	unsigned int again; /* how often a record was read again */

	enum state state;
	size_t value;  /* where the value at work begins, from start */
	size_t closed; /* where its quotes ended */
	bool doubled, repaired, high, control;
	bool skipping;  /* the record is too long: to the end of its line */
	size_t skipped; /* bytes of the line that is dropped */
	size_t span_count;
	struct span spans[LIST_COLUMNS_MAX];

	uint64_t line;   /* where the record at work begins, from 1 */
	uint64_t inside; /* line ends in its quotes */
	struct list_record record;
};

static enum az_status csv_next(
    struct record_reader *reader, const struct list_record **ret_record, struct az_err *reterr);

enum az_status
csv_new(struct stream *stream, uint8_t delimiter, struct csv **ret_csv, struct az_err *reterr)
{
	struct csv *csv = calloc(1, sizeof(*csv));

	if (csv == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "the list: out of memory");
	csv->reader.next = csv_next;
	csv->stream = stream;
	csv->delimiter = delimiter;
	csv->line = 1;
	buffer_init(&csv->buffer, BUFFER_MAX, true);
	*ret_csv = csv;
	return AZ_OK;
}

void
csv_free(struct csv **csv)
{
	if (*csv == NULL)
		return;
	buffer_fini(&(*csv)->buffer);
	az_wipe(*csv, sizeof(**csv));
	free(*csv);
	*csv = NULL;
}

struct record_reader *
csv_reader(struct csv *csv)
{
	return &csv->reader;
}

uint8_t
csv_delimiter(const struct csv *csv)
{
	return csv->delimiter;
}

/* Reads once more; what was handed out goes, the record at work moves to the front. */
static enum az_status
read_more(struct csv *csv, struct az_err *reterr)
{
	size_t size = 0;
	enum az_status status;

	buffer_consume(&csv->buffer, csv->start);
	csv->scanned -= csv->start;
	csv->start = 0;
	status = buffer_reserve(&csv->buffer, READ_PIECE + SLACK);
	if (status != AZ_OK)
		return az_fail(reterr, status, "the list: no room for its line %llu",
		    (unsigned long long)csv->line);
	status = csv->stream->read(
	    csv->stream, csv->buffer.data + csv->buffer.size, READ_PIECE, &size, reterr);
	if (status != AZ_OK)
		return status;
	csv->buffer.size += size;
	csv->ended = size == 0;
	return AZ_OK;
}

/* --- the first pass: where values and the record end ------------------------------------------- */

static bool
is_blank(const struct csv *csv, uint8_t byte)
{
	return byte == ' ' || (byte == '\t' && csv->delimiter != '\t');
}

/* Ends the value at work before pos. */
static void
end_value(struct csv *csv, size_t pos)
{
	if (csv->span_count < LIST_COLUMNS_MAX)
		csv->spans[csv->span_count] = (struct span){.from = (uint32_t)csv->value,
		    .to = (uint32_t)(csv->state == CLOSED ? csv->closed : pos),
		    .quoted = csv->state == CLOSED,
		    .doubled = csv->doubled};
	csv->span_count++;
	csv->value = pos + 1;
	csv->state = PLAIN;
	csv->doubled = false;
}

/* A quote outside quotes; it begins a quoted value if nothing but blanks is before it. */
static void
open_quote(struct csv *csv, const uint8_t *data, size_t pos)
{
	if (csv->skipping)
		return;
	for (size_t i = csv->value; i < pos; i++) {
		if (!is_blank(csv, data[i]))
			return;
	}
	csv->state = QUOTED;
	csv->value = pos + 1;
}

/*
 * A quote inside quotes. Returns where to look on, or 0 if what follows is not there yet.
 */
static size_t
take_quote(struct csv *csv, const uint8_t *data, size_t size, size_t pos)
{
	size_t next = pos + 1;

	if (next < size && data[next] == '"') {
		csv->doubled = true;
		return next + 1;
	}
	while (next < size && is_blank(csv, data[next]))
		next++;
	if (next == size && !csv->ended)
		return 0;
	if (next < size && data[next] != csv->delimiter && data[next] != '\n' &&
	    data[next] != '\r') {
		csv->repaired = true;
		return pos + 1;
	}
	csv->state = CLOSED;
	csv->closed = pos;
	return next;
}

enum outcome { MORE, WHOLE };

/* How a record ended: its bytes, and those of its line end. */
struct extent {
	size_t size, end;
};

/* One byte that scan_block points at. *next: where to look on; unchanged and MORE if more must be read. */
static enum outcome
take_byte(struct csv *csv, const uint8_t *data, size_t size, size_t pos, size_t *next,
    struct extent *ret_extent)
{
	uint8_t byte = data[pos];
	bool line = byte == '\n' || byte == '\r';

	*next = pos + 1;
	if (csv->state == QUOTED && !(line && csv->again >= AGAIN_MAX)) {
		if (byte == '"')
			*next = take_quote(csv, data, size, pos);
		else if (byte == '\n' || (byte == '\r' && pos + 1 < size && data[pos + 1] != '\n'))
			csv->inside++;
		else if (!line && byte != '\t' && byte != csv->delimiter)
			csv->control = true;
		if (*next == 0)
			*next = pos;
		return MORE;
	}
	if (line) {
		if (byte == '\r' && pos + 1 == size && !csv->ended) {
			*next = pos;
			return MORE;
		}
		*ret_extent = (struct extent){.size = pos,
		    .end = byte == '\r' && pos + 1 < size && data[pos + 1] == '\n' ? 2 : 1};
		return WHOLE;
	}
	if (byte == csv->delimiter)
		end_value(csv, pos);
	else if (byte == '"' && csv->state == PLAIN)
		open_quote(csv, data, pos);
	else if (byte != '\t' && byte != '"')
		csv->control = true;
	return MORE;
}

/* Goes on to the end of the record, or of what is there. */
static enum outcome
find_end(struct csv *csv, struct extent *ret_extent)
{
	const uint8_t *data = csv->buffer.data + csv->start;
	size_t size = csv->buffer.size - csv->start;
	size_t at = csv->scanned - csv->start;

	while (at < size) {
		uint64_t high;
		uint64_t found = scan_block(data + at, csv->delimiter, &high);
		size_t left = size - at;
		size_t next = at;

		if (left < 64) {
			found &= (UINT64_C(1) << left) - 1;
			high &= (UINT64_C(1) << left) - 1;
		}
		csv->high = csv->high || high != 0;
		while (found != 0) {
			size_t pos = at + (size_t)__builtin_ctzll(found);

			found &= found - 1;
			/* The second of two quotes, or what a closing quote has looked at. */
			if (pos < next)
				continue;
			if (take_byte(csv, data, size, pos, &next, ret_extent) == WHOLE)
				return WHOLE;
			if (next == pos) {
				csv->scanned = csv->start + pos;
				return MORE;
			}
		}
		at = next > at + 64 ? next : at + 64;
	}
	csv->scanned = csv->start + (at < size ? at : size);
	return MORE;
}

/* --- the second pass: values ------------------------------------------------------------------ */

static void
refuse(struct csv *csv, enum refusal refusal)
{
	csv->record.refusal = refusal;
	csv->record.count = 0;
}

/* Makes doubled quotes single, in place; returns the new size. */
static size_t
undouble(uint8_t *data, size_t size)
{
	size_t to = 0;

	for (size_t from = 0; from < size; from++) {
		data[to++] = data[from];
		if (data[from] == '"' && from + 1 < size && data[from + 1] == '"')
			from++;
	}
	return to;
}

static void
cut(struct csv *csv, struct extent extent)
{
	uint8_t *data = csv->buffer.data + csv->start;

	if (csv->high && !bytes_are_utf8(bytes_make(data, extent.size))) {
		refuse(csv, REFUSAL_ENCODING);
		return;
	}
	if (csv->control) {
		refuse(csv, REFUSAL_CONTROL);
		return;
	}
	if (csv->span_count > LIST_COLUMNS_MAX) {
		refuse(csv, REFUSAL_COLUMNS);
		return;
	}
	for (size_t i = 0; i < csv->span_count; i++) {
		const struct span *span = &csv->spans[i];
		size_t from = span->from;
		size_t to = span->to;

		if (!span->quoted) {
			while (from < to && is_blank(csv, data[from]))
				from++;
			while (to > from && is_blank(csv, data[to - 1]))
				to--;
		}
		if (span->doubled)
			to = from + undouble(data + from, to - from);
		if (to - from > FIELD_VALUE_MAX) {
			refuse(csv, REFUSAL_TOO_LONG);
			return;
		}
		csv->record.values[i] = bytes_make(data + from, to - from);
	}
	csv->record.count = csv->span_count;
}

/* A mark in front of a record, of files that were put one behind the other, is no part of it. */
static size_t
mark_size(const uint8_t *data, size_t size)
{
	return size >= 3 && data[0] == 0xef && data[1] == 0xbb && data[2] == 0xbf ? 3 : 0;
}

/* --- records ---------------------------------------------------------------------------------- */

static void
begin_record(struct csv *csv, size_t at)
{
	csv->start = at;
	csv->scanned = at;
	csv->state = PLAIN;
	csv->value = 0;
	csv->span_count = 0;
	csv->doubled = false;
	csv->repaired = false;
	csv->high = false;
	csv->control = false;
	csv->skipping = false;
	csv->inside = 0;
}

/* The end of the first line of what is there; its size if it has none. */
static struct extent
first_line(const struct csv *csv)
{
	const uint8_t *data = csv->buffer.data + csv->start;
	size_t size = csv->buffer.size - csv->start;

	for (size_t i = 0; i < size; i++) {
		if (data[i] == '\n')
			return (struct extent){.size = i, .end = 1};
		if (data[i] == '\r')
			return (struct extent){
			    .size = i, .end = i + 1 < size && data[i + 1] == '\n' ? 2 : 1};
	}
	return (struct extent){.size = size, .end = 0};
}

/* Hands out a refused record, and begins behind it. */
static void
give_refused(struct csv *csv, struct extent extent, enum refusal refusal)
{
	csv->record.place = csv->line++;
	csv->record.repaired = false;
	refuse(csv, refusal);
	begin_record(csv, csv->start + extent.size + extent.end);
}

/*
 * Inside quotes at the end, or for too long: refuses the first line, to read on behind it. False if there is no
 * line's end; then the record is too long.
 */
static bool
give_open_quote(struct csv *csv)
{
	struct extent line = first_line(csv);

	if (line.end == 0 && !csv->ended)
		return false;
	csv->again++;
	give_refused(csv, line, REFUSAL_QUOTE);
	return true;
}

/* All that is left, where the file ends without a line's end. False if nothing is. */
static bool
give_rest(struct csv *csv)
{
	struct extent extent = {.size = csv->buffer.size - csv->start};
	const uint8_t *data = csv->buffer.data + csv->start;

	if (!csv->skipping && (extent.size == 0 || (extent.size == 1 && data[0] == CONTROL_EOF)))
		return false;
	if (csv->state == QUOTED && !csv->skipping)
		return give_open_quote(csv);
	end_value(csv, extent.size);
	csv->record.place = csv->line;
	csv->record.refusal = REFUSAL_NONE;
	csv->record.repaired = csv->repaired;
	if (csv->skipping || extent.size > LIST_RECORD_MAX)
		refuse(csv, REFUSAL_TOO_LONG);
	else
		cut(csv, extent);
	begin_record(csv, csv->buffer.size);
	return true;
}

/* A whole record, whose line has ended; false if it is an empty line. */
static bool
give_whole(struct csv *csv, struct extent extent)
{
	size_t behind = csv->start + extent.size + extent.end;
	bool open = csv->state == QUOTED;

	csv->record.place = csv->line;
	csv->line += 1 + csv->inside;
	if (extent.size == 0 && !csv->skipping) {
		begin_record(csv, behind);
		return false;
	}
	end_value(csv, extent.size);
	csv->record.refusal = REFUSAL_NONE;
	csv->record.repaired = csv->repaired;
	if (csv->skipping || extent.size > LIST_RECORD_MAX)
		refuse(csv, REFUSAL_TOO_LONG);
	else if (open)
		refuse(csv, REFUSAL_QUOTE);
	else
		cut(csv, extent);
	begin_record(csv, behind);
	return true;
}

/* Too long to be a record: what is there is dropped, up to the end of its line, if that ever comes. */
static enum az_status
skip(struct csv *csv, struct az_err *reterr)
{
	size_t dropped = csv->buffer.size - csv->start;

	csv->skipped = csv->skipping ? csv->skipped + dropped : dropped;
	if (csv->skipped > LIST_SKIPPED_MAX)
		return az_fail(reterr, AZ_INVALID,
		    "line %" PRIu64 ": it has not ended after %u MiB", csv->line,
		    LIST_SKIPPED_MAX >> 20);
	csv->line += csv->inside;
	begin_record(csv, csv->buffer.size);
	csv->skipping = true;
	return AZ_OK;
}

/* The first piece: finds the separator. */
static enum az_status
begin(struct csv *csv, struct az_err *reterr)
{
	enum az_status status = AZ_OK;

	while (status == AZ_OK && !csv->ended && csv->buffer.size < SNIFFED)
		status = read_more(csv, reterr);
	if (status != AZ_OK)
		return status;
	csv->begun = true;
	if (csv->delimiter == 0)
		csv->delimiter = dialect_find(buffer_peek(&csv->buffer), csv->ended);
	return AZ_OK;
}

/* A mark at the start of the record is stepped over, once all of it is there. */
static void
skip_mark(struct csv *csv)
{
	size_t size;

	if (csv->scanned != csv->start || csv->skipping)
		return;
	size = mark_size(csv->buffer.data + csv->start, csv->buffer.size - csv->start);
	if (size > 0)
		begin_record(csv, csv->start + size);
}

static enum az_status
csv_next(struct record_reader *reader, const struct list_record **ret_record, struct az_err *reterr)
{
	struct csv *csv = (struct csv *)reader;
	enum az_status status = csv->begun ? AZ_OK : begin(csv, reterr);
	bool given = false;

	*ret_record = &csv->record;
	while (status == AZ_OK && !given) {
		struct extent extent = {0};
		size_t there = csv->buffer.size - csv->start;

		if (there >= 3 || csv->ended)
			skip_mark(csv);
		if ((there >= 3 || csv->ended) && find_end(csv, &extent) == WHOLE) {
			given = give_whole(csv, extent);
		} else if (csv->ended) {
			if (!give_rest(csv))
				return AZ_NOT_FOUND;
			given = true;
		} else if (there > LIST_RECORD_MAX) {
			given = csv->state == QUOTED && give_open_quote(csv);
			if (!given)
				status = skip(csv, reterr);
		} else {
			status = read_more(csv, reterr);
		}
	}
	return status;
}
