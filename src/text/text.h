/*
 * Lists as they come: text in every encoding that Japanese offices send, cut by a separator or by fixed
 * widths, with or without a header; and which of its columns is which field.
 *
 * Promises  every record of the file comes out once, in order, as values in UTF-8 or as refused; memory does not
 *           grow with a text's length; what was found and guessed is told (struct list_facts); an error names
 *           record, column or byte, and quotes nothing.
 * Not       it does not decide whether a row can be taken: columns_row says what is wrong with one, and the
 *           caller counts.
 * Threads   one list, one thread. text_prepare before any, and before the process shuts itself in.
 */
#ifndef AZ_TEXT_H
#define AZ_TEXT_H

#include "base/bytes.h"
#include "proto/proto.h"

/* Makes the tables of Japanese encodings out of the C library's converters. AZ_NOT_FOUND: it has none. */
AZ_CHECKED enum az_status text_prepare(struct az_err *reterr);

#define LIST_COLUMNS_MAX 256u
#define LIST_RECORD_MAX  (1024u * 1024u) /* bytes of one record, quotes included */
#define LIST_SKIPPED_MAX (256u << 20) /* bytes without a line's end: from there on it is no list */
#define LIST_TITLES_MAX  20u          /* lines above a header */

/*
 * One record. Values are borrowed until the next call. Values without quotes have lost the blanks at both ends;
 * quoted ones are as they were between the quotes, with doubled quotes made single.
 */
struct list_record {
	uint64_t place; /* its line in the file, from 1, as a text editor or a workbook shows it */
	enum refusal
	    refusal; /* REFUSAL_NONE, ENCODING, CONTROL, TOO_LONG, QUOTE or COLUMNS: then no values */
	bool repaired; /* a quote inside a quoted value was not doubled */
	size_t count;
	struct bytes values[LIST_COLUMNS_MAX]; /* a value longer than FIELD_VALUE_MAX is TOO_LONG */
};

/* --- which column is which field ------------------------------------------------------------- */

/* Why a column is what it is. */
enum column_why {
	WHY_NONE = 0,       /* nothing says what it is */
	WHY_NAMED = 1,      /* the header has the field's own name */
	WHY_HEADER = 2,     /* the header's name is a known one */
	WHY_MAP = 3,        /* the map says so */
	WHY_CONTENT = 4,    /* its values look so */
	WHY_REPEATED = 5,   /* unused: another column is that field already */
	WHY_SOMEBODY = 6,   /* unused: it is about another person or a company */
	WHY_NOT_IN_MAP = 7, /* unused: the map does not name it */
};
const char *column_why_text(enum column_why why);

#define COLUMNS_JOINED_MAX 16u
#define COLUMN_NAME_MAX    128u

struct columns_field {
	uint8_t field;             /* FIELD_X_FIRST and up for "x:", in order of appearance */
	char name[FIELD_NAME_MAX]; /* "number", "x:ward" */
	uint8_t count;             /* columns joined by one space, empty ones left out */
	uint16_t columns[COLUMNS_JOINED_MAX]; /* from 0 */
};

/* A column of the list. */
struct columns_column {
	char name[COLUMN_NAME_MAX]; /* of the header, cut short; "" without one */
	uint8_t place;              /* 1 + index of its field in struct columns, or 0: unused */
	uint8_t why;                /* enum column_why */
	uint8_t class;              /* enum field_class */
};

struct columns {
	size_t count;
	struct columns_field fields[FIELD_COUNT];
	size_t width;  /* columns of the list */
	bool pads;     /* rows end with their last value: shorter ones lack nothing */
	size_t unused; /* columns that no field takes */
	struct columns_column columns[LIST_COLUMNS_MAX];
};

/*
 * A record's values by field. Values of one column are borrowed from the record; joined ones are put together
 * in scratch, which is cleared first. Refuses with the record's own refusal, REFUSAL_COLUMNS, _TOO_LONG or
 * _EMPTY (nothing but the number). AZ_NO_MEMORY.
 */
AZ_CHECKED enum az_status columns_row(const struct columns *columns,
    const struct list_record *record, struct buffer *scratch, struct row *ret_row,
    enum refusal *ret_refusal);

/* --- a list ----------------------------------------------------------------------------------- */

struct list;

struct list_options {
	/*
	 * "": the header says, or without one the content. Else FIELD=HEADER[+HEADER…],…, where HEADER is a
	 * name of the header or #N, the column of that number; or FIELD=@FROM-TO[+@FROM-TO…],… for fixed
	 * widths, counted in cells (a kanji has two, half-width kana one), with @N alone as the size of a
	 * record where lines do not end.
	 */
	const char *spec;
	struct bytes password; /* of an archive or workbook, UTF-8; size 0 for none */
};

/* What was found. Texts live as long as the list. */
struct list_facts {
	const char *encoding; /* "UTF-8", "CP932", …; "ASCII" while nothing else is seen */
	bool bom;
	const char *dialect;  /* "comma", "tab", "semicolon", "pipe", "fixed width", "workbook" */
	char wrapping[32];    /* what it was wrapped in, the outermost first: "zip, xlsx" */
	size_t sheets;        /* visible ones of a workbook, of which the first is read */
	uint64_t header;      /* place of the header, 0 without one */
	unsigned int headers; /* records it is made of: 1, or 2 where names are grouped */
	unsigned int titles;  /* records above it */
	uint64_t repaired;    /* records so far that had a quote repaired */
};

/*
 * Opens a list over a descriptor, which stays the caller's: reads its beginning, finds encoding, dialect and
 * header, and gives its columns fields. AZ_INVALID with the place: no encoding that is known, a map that does
 * not fit, no column that is a field; AZ_NOT_FOUND: it is empty.
 */
AZ_CHECKED enum az_status list_open(
    int fd, const struct list_options *options, struct list **ret_list, struct az_err *reterr);
void list_close(struct list **list);

/* Borrowed until list_close; repaired and encoding may change while it is read. */
const struct list_facts *list_facts_peek(const struct list *list);
const struct columns *list_columns_peek(const struct list *list);

/* AZ_OK: a record. AZ_NOT_FOUND: the end. AZ_IO, AZ_INVALID, AZ_NO_MEMORY: it cannot be read further. */
AZ_CHECKED enum az_status list_next(
    struct list *list, const struct list_record **ret_record, struct az_err *reterr);

/*
 * Whether a record looks like a total below a list ("合計", "total") or like its header once more, rather than like a
 * person. Whoever reads holds such records back: at the end of the list they are dropped, in its middle refused.
 */
bool list_is_no_person(const struct list *list, const struct list_record *record);

#endif
