/*
 * The records of old workbooks (Excel 5 to 2003), as xls.c and xls_parts.c read them.
 *
 * Sources   [MS-XLS]; OpenOffice.org's documentation of the Microsoft Excel file format.
 */
#ifndef AZ_TEXT_BIFF_H
#define AZ_TEXT_BIFF_H

#include "text/unpack_internal.h"

enum biff_type {
	BIFF_FORMULA = 0x0006,
	BIFF_EOF = 0x000a,
	BIFF_1904 = 0x0022,
	BIFF_FILEPASS = 0x002f,
	BIFF_CONTINUE = 0x003c,
	BIFF_CODEPAGE = 0x0042,
	BIFF_BOUNDSHEET = 0x0085,
	BIFF_MULRK = 0x00bd,
	BIFF_RSTRING = 0x00d6,
	BIFF_XF = 0x00e0,
	BIFF_SST = 0x00fc,
	BIFF_LABELSST = 0x00fd,
	BIFF_NUMBER = 0x0203,
	BIFF_LABEL = 0x0204,
	BIFF_BOOLERR = 0x0205,
	BIFF_STRING = 0x0207,
	BIFF_ARRAY = 0x0221,
	BIFF_TABLE = 0x0236,
	BIFF_RK = 0x027e,
	BIFF_FORMAT = 0x041e,
	BIFF_SHRFMLA = 0x04bc,
	BIFF_BOF = 0x0809,
};

struct biff {
	struct bytes stream;
	size_t at;
};

struct biff_record {
	uint16_t type; /* enum biff_type, or another */
	size_t offset; /* of its header, in the stream */
	struct bytes data;
};

/* The next record; false at the end of the stream, or where it is cut short. */
bool biff_next(struct biff *biff, struct biff_record *ret_record) AZ_CHECKED;

/* How the workbook writes texts. */
struct biff_kind {
	bool is_unicode; /* since Excel 97 */
	uint16_t page;   /* code page of the others */
};

/* A place in a record that goes on in others. */
struct biff_cursor {
	struct biff biff; /* behind the record */
	struct bytes left;
	bool bad; /* it was read past its end */
};

/* Behind the first skip bytes of the record. */
void biff_cursor_init(
    struct biff_cursor *cursor, struct bytes stream, const struct biff_record *record, size_t skip);
/*
 * Appends the text that stands there, whose length is count_size bytes wide, as UTF-8; a byte 0xff stands for
 * what is no text. scratch is anybody's. AZ_INVALID: it is cut short; AZ_NO_MEMORY, AZ_LIMIT.
 */
AZ_CHECKED enum az_status biff_text(struct biff_cursor *cursor, const struct biff_kind *kind,
    size_t count_size, struct buffer *scratch, struct buffer *text);

/* --- xls_parts.c ------------------------------------------------------------------------------ */

struct xls_parts {
	struct biff_kind kind;
	bool since_1904;
	size_t sheet;    /* where the first visible sheet begins in the stream */
	size_t sheets;   /* visible ones */
	uint8_t *styles; /* enum style, by cell format */
	size_t style_count;
	struct buffer strings, scratch;
	size_t *ends; /* of each shared string */
	size_t string_count;
};

/* What stands before the sheets. stream stays the caller's. Errors as unpack_open. */
AZ_CHECKED enum az_status xls_parts_read(
    struct bytes stream, struct xls_parts *ret_parts, struct az_err *reterr);
void xls_parts_fini(struct xls_parts *parts);

#endif
