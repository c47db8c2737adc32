/*
 * What the files of this folder share: streams of bytes, readers of records, and the guesses between them.
 *
 *	source (unwrapped) ─► decoder (to UTF-8) ─► csv | fixed ─► list (header, columns)
 *	              └── workbook: records of its own ─────────►
 */
#ifndef AZ_TEXT_INTERNAL_H
#define AZ_TEXT_INTERNAL_H

#include "text/text.h"
#include "text/unpack.h"

/* --- streams ---------------------------------------------------------------------------------- */

/* Bytes one after the other. */
struct stream {
	/* At most room bytes, room > 0; none at the end. Any failure of the source. */
	enum az_status (*read)(struct stream *stream, uint8_t *data, size_t room, size_t *ret_size,
	    struct az_err *reterr);
};

/*
 * Of a descriptor, which stays the caller's, with any wrapping taken off in memory. password: size 0 for none. Errors
 * as unpack_open; AZ_LIMIT also if a wrapped list is too large; AZ_IO.
 */
struct record_reader;
struct source;
AZ_CHECKED enum az_status source_open(
    int fd, struct bytes password, struct source **ret_source, struct az_err *reterr);
void source_free(struct source **source);
struct stream *source_stream(struct source *source);
/* The records of a workbook; NULL: it is text. */
struct record_reader *source_records(struct source *source);
/* What it was wrapped in; NULL: nothing. */
const struct unpack *source_unpack(const struct source *source);

/* --- encodings -------------------------------------------------------------------------------- */

enum encoding {
	ENCODING_UNDECIDED = 0, /* nothing but ASCII so far */
	ENCODING_UTF8,
	ENCODING_UTF16LE,
	ENCODING_UTF16BE,
	ENCODING_ISO2022JP,
	ENCODING_CP932,
	ENCODING_EUCJP,
	ENCODING_COUNT,
};
const char *encoding_name(enum encoding encoding);

/* What an undecodable byte becomes: no byte of UTF-8, so that the record it is in is refused. */
#define DECODE_BAD 0xffu

/* Steps of decoders: all are pure. table.c has the tables they use. */
struct decode_state {
	uint8_t set; /* of ISO-2022-JP: enum in decode.c; else 0 */
};

/*
 * Decodes as much of [*from, end) as is whole, appending at *to as long as DECODE_STEP_MAX bytes fit below
 * to_end. An incomplete character at the end is left, unless at_end. Returns how many characters could not be
 * decoded; *ret_good counts those that could and are not ASCII.
 */
#define DECODE_STEP_MAX 8u
size_t decode_step(enum encoding encoding, struct decode_state *state, const uint8_t **from,
    const uint8_t *end, bool at_end, uint8_t **to, const uint8_t *to_end, size_t *ret_good);

/* The character of a double-byte code, or 0. lead is 0x81 and up. */
uint16_t table_cp932(uint8_t lead, uint8_t trail);
/* Of row and cell, 0x21 to 0x7e each: JIS X 0208 with Microsoft's additions, and JIS X 0212. */
uint16_t table_jis0208(uint8_t row, uint8_t cell);
uint16_t table_jis0212(uint8_t row, uint8_t cell);

/*
 * What bytes may be, of a window that begins a file (first) or at the first byte that is not plain ASCII.
 * AZ_INVALID with the offset in the window of the first byte that no encoding explains.
 */
AZ_CHECKED enum az_status encoding_find(struct bytes window, bool first, bool at_end,
    enum encoding *ret_encoding, size_t *ret_bom, size_t *ret_bad);

struct decoder {
	struct stream stream;
	struct stream *source;
	enum encoding encoding;
	struct decode_state state;
	bool started, bom, ended;
	struct buffer in;
	size_t used;     /* of in */
	uint64_t offset; /* in the source, of in[used] */
};
void decoder_init(struct decoder *decoder, struct stream *source);
void decoder_fini(struct decoder *decoder);

/* --- records ---------------------------------------------------------------------------------- */

/* Whatever gives records. */
struct record_reader {
	enum az_status (*next)(struct record_reader *reader, const struct list_record **ret_record,
	    struct az_err *reterr);
	bool pads; /* its rows end with their last value: shorter ones lack nothing */
};

struct csv;
/* delimiter 0: found from the beginning. The stream must outlive it. AZ_NO_MEMORY. */
AZ_CHECKED enum az_status csv_new(
    struct stream *stream, uint8_t delimiter, struct csv **ret_csv, struct az_err *reterr);
void csv_free(struct csv **csv);
struct record_reader *csv_reader(struct csv *csv);
/* 0 before the first record. */
uint8_t csv_delimiter(const struct csv *csv);

/* The separator of a text: of those known the one that cuts its lines into most like parts; a comma if none. */
uint8_t dialect_find(struct bytes text, bool at_end);
const char *dialect_name(uint8_t delimiter);

/*
 * The bytes that a reader of separated values must look at, of 64 bytes from data: bit i for byte i. Quotes,
 * separators, line ends, control characters and DEL. *ret_high: those above 0x7f.
 */
uint64_t scan_block(const uint8_t *data, uint8_t delimiter, uint64_t *ret_high);

/* --- fixed widths ------------------------------------------------------------------------------ */

struct fixed_part {
	uint32_t from, to; /* cells, from 1, both included */
};
struct fixed_layout {
	size_t count;
	struct fixed_part parts[LIST_COLUMNS_MAX];
	uint32_t size; /* cells of a record where lines do not end; else 0 */
};
struct fixed;
AZ_CHECKED enum az_status fixed_new(struct stream *stream, const struct fixed_layout *layout,
    struct fixed **ret_fixed, struct az_err *reterr);
void fixed_free(struct fixed **fixed);
struct record_reader *fixed_reader(struct fixed *fixed);

/* --- what a value is -------------------------------------------------------------------------- */

/* Without the blanks at both ends: space, tab, and the wide space. */
struct bytes text_trim(struct bytes text);
/* The next character; *at moves behind it. 0 at the end, and for what is no UTF-8. */
uint32_t text_point(struct bytes text, size_t *at);

/*
 * A header's name brought to one spelling: full-width ASCII and half-width kana made usual, hiragana to
 * katakana, letters small, blanks and punctuation gone. Returns false if it does not fit.
 */
#define FOLD_MAX 96u
bool fold_name(struct bytes name, char folded[FOLD_MAX]) AZ_CHECKED;

/* What a header's name means. */
enum word_kind {
	WORD_NONE = 0,
	WORD_FIELD,    /* a field */
	WORD_PART,     /* a piece of a field, to be joined: order says where */
	WORD_SOMEBODY, /* about another person or a company: no field of ours */
};
struct word {
	enum word_kind kind;
	uint8_t field;
	uint8_t order; /* of a piece among the pieces of its field, from 1 */
	uint8_t class; /* enum field_class, where no field says it; or 0 */
};
struct word word_find(struct bytes name);

/* The field that a value looks like: FIELD_NOTE if like none, FIELD_COUNT if it is empty. */
unsigned int content_field(struct bytes value);
/* Whether it says something about a person, rather than naming a column. */
bool content_is_data(struct bytes value);

/* --- header and columns ----------------------------------------------------------------------- */

#define SAMPLE_RECORDS 128u

/* The first records of a list, copied. */
struct sample {
	size_t count;
	struct sample_record {
		enum refusal refusal;
		bool repaired;
		uint64_t place;
		size_t count;
		struct bytes *values;
	} records[SAMPLE_RECORDS];
};

/* Where the header is. */
struct header {
	size_t titles; /* records of the sample above it */
	size_t count;  /* records of it: 0, 1 or 2 */
	size_t width;
	struct buffer text;                   /* what names point into */
	struct bytes names[LIST_COLUMNS_MAX]; /* of columns; empty ones too */
};

AZ_CHECKED enum az_status header_find(const struct sample *sample, const char *spec,
    struct header *ret_header, struct az_err *reterr);
void header_fini(struct header *header);

AZ_CHECKED enum az_status columns_resolve(const char *spec, const struct header *header,
    const struct sample *sample, struct columns *ret_columns, struct az_err *reterr);

/* list_open over any stream of text, which must outlive the list. */
AZ_CHECKED enum az_status list_open_stream(struct stream *stream,
    const struct list_options *options, struct list **ret_list, struct az_err *reterr);

/* Whether spec has fixed widths, and which; parts in the order of spec. AZ_INVALID names the part. */
AZ_CHECKED enum az_status spec_fixed(
    const char *spec, struct fixed_layout *ret_layout, bool *ret_is_fixed, struct az_err *reterr);

#endif
