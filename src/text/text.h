/*
 * Lists as they come: UTF-8 CSV (RFC 4180), with or without BOM, streamed.
 *
 * Promises  every record of the file comes out once, as values or as refused; memory does not grow with
 *           the file; an error names record, column and byte.
 * Not       no other encoding or format in this release.
 */
#ifndef AZ_TEXT_H
#define AZ_TEXT_H

#include "base/bytes.h"
#include "proto/proto.h"

#define CSV_COLUMNS_MAX 256u
#define CSV_RECORD_MAX  (1024u * 1024u) /* bytes of one record, quotes included */

struct csv;

/*
 * One record. Values are borrowed until the next call. Unquoted values have lost blanks (space and tab) at
 * both ends; quoted ones are as they were between the quotes, with doubled quotes made single.
 */
struct csv_record {
	uint64_t
	    number; /* of records in the file, from 1, a header included; empty lines count not */
	uint64_t offset; /* byte in the file where it begins */
	enum refusal
	    refusal; /* REFUSAL_NONE, ENCODING, CONTROL, TOO_LONG or QUOTE: then no values */
	size_t count;
	struct bytes values[CSV_COLUMNS_MAX]; /* a value longer than FIELD_VALUE_MAX is TOO_LONG */
};

/* AZ_NO_MEMORY. */
AZ_CHECKED enum az_status csv_new(struct csv **ret_csv, struct az_err *reterr);
void csv_free(struct csv **csv);

/*
 * Gives it more of the file: room to read into, and then how much was read (0: the file has ended). The
 * space is csv's; at least 64 KiB while it is asked for only when csv_next said AZ_BUSY.
 */
AZ_CHECKED enum az_status csv_room(
    struct csv *csv, uint8_t **ret_data, size_t *ret_size, struct az_err *reterr);
void csv_filled(struct csv *csv, size_t size);

/*
 * AZ_OK: a record. AZ_BUSY: more of the file is needed. AZ_NOT_FOUND: the end. A quote that is never
 * closed makes the rest of the file one refused record.
 */
AZ_CHECKED enum az_status csv_next(
    struct csv *csv, const struct csv_record **ret_record, struct az_err *reterr);

/* --- which column is which field ------------------------------------------------------------- */

struct columns_field {
	uint8_t field;             /* FIELD_X_FIRST and up for "x:", in order of appearance */
	char name[FIELD_NAME_MAX]; /* "number", "x:ward" */
	uint8_t count;             /* columns joined by one space, empty ones left out */
	uint16_t columns[16];      /* from 0 */
};
struct columns {
	size_t count;
	struct columns_field fields[FIELD_COUNT];
	size_t width;  /* columns of the list */
	size_t unused; /* columns that no field takes */
};

/*
 * Reads the header. spec "": each name of the header is a field's (any letter case), and every one must be.
 * Else FIELD=HEADER[+HEADER…],…: names of the header, matched without letter case, each used once.
 * number must be there, and one more. AZ_INVALID names the column by its place, or the part of spec, never
 * what the list says (a list without a header has a person there).
 */
AZ_CHECKED enum az_status columns_resolve(const char *spec, const struct csv_record *header,
    struct columns *ret_columns, struct az_err *reterr);

/*
 * A record's values by field. Joined values are put together in scratch, which is cleared first. Refuses
 * with REFUSAL_COLUMNS, _NO_NUMBER, _EMPTY (nothing but the number) or _TOO_LONG. AZ_NO_MEMORY.
 */
AZ_CHECKED enum az_status columns_row(const struct columns *columns,
    const struct csv_record *record, struct buffer *scratch, struct row *ret_row,
    enum refusal *ret_refusal);

#endif
