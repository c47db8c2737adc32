/*
 * What the files that take wrappings off share.
 */
#ifndef AZ_TEXT_UNPACK_INTERNAL_H
#define AZ_TEXT_UNPACK_INTERNAL_H

#include <stdio.h>

#include "text/unpack.h"

/* --- archive.c: ZIP, 7z, gzip through libarchive ---------------------------------------------- */

struct packed;

/* password may be empty. As unpack_open. Borrows bytes. */
AZ_CHECKED enum az_status packed_open(struct bytes bytes, struct bytes password,
    enum wrapping wrapping, struct packed **ret_packed, struct az_err *reterr);
void packed_free(struct packed **packed);
/* AZ_OK if exactly one member is a list. */
AZ_CHECKED enum az_status packed_count_lists(
    struct bytes bytes, enum wrapping wrapping, struct az_err *reterr);
/*
 * Goes to the one member that is a list, of those that are not the wrapping program's own; *ret_start is its first
 * bytes. Errors as unpack_open.
 */
AZ_CHECKED enum az_status packed_enter_list(
    struct packed *packed, struct bytes *ret_start, struct az_err *reterr);
/* Goes on to the member of that name. AZ_NOT_FOUND. */
AZ_CHECKED enum az_status packed_enter(
    struct packed *packed, const char *name, struct az_err *reterr);
/* Reads on in the member; *ret_size is 0 at its end. */
AZ_CHECKED enum az_status packed_read(
    struct packed *packed, uint8_t *data, size_t size, size_t *ret_size, struct az_err *reterr);
/* All of what is left of the member, appended. AZ_LIMIT past the buffer's maximum. */
AZ_CHECKED enum az_status packed_read_all(
    struct packed *packed, struct buffer *buffer, struct az_err *reterr);
/* Whether a ZIP holds a workbook. */
bool packed_is_workbook(struct bytes bytes);

/* --- sheet_row.c: one record of a sheet ------------------------------------------------------------ */

struct sheet_row {
	struct buffer text;
	struct {
		size_t offset, size;
	} cells[LIST_COLUMNS_MAX];
	size_t count; /* cells that were set, or lie before one */
	size_t width; /* of the widest row so far */
	bool wide, long_value, control, no_text;
	struct list_record record;
};
void sheet_row_init(struct sheet_row *row);
void sheet_row_fini(struct sheet_row *row);
void sheet_row_clear(struct sheet_row *row);
/* Sets a cell, from 0. AZ_NO_MEMORY. */
AZ_CHECKED enum az_status sheet_row_set(struct sheet_row *row, size_t column, struct bytes value);
/* Ends it; false if it is empty. */
bool sheet_row_end(struct sheet_row *row, uint64_t number);

/* An Excel serial number as a date, with its time if with_time; size of text, 0: it is no date. */
#define SERIAL_TEXT_SIZE 32u
size_t serial_format(double serial, bool since_1904, bool with_time, char text[SERIAL_TEXT_SIZE]);
/* A number as people write it: whole ones without fraction or exponent. */
#define NUMBER_TEXT_SIZE 40u
size_t number_format(double number, char text[NUMBER_TEXT_SIZE]);

/* --- formats.c: which formats of numbers are dates ------------------------------------------------ */

#define FORMATS_MAX 4096u

enum style { STYLE_NUMBER = 0, STYLE_DATE = 1, STYLE_DATE_TIME = 2 };

struct formats { /* zeroed: those that every program knows */
	struct {
		unsigned int id;
		bool date, time;
	} known[FORMATS_MAX];
	size_t count;
};
/* Adds a workbook's own; those past FORMATS_MAX show numbers. */
void formats_add(struct formats *formats, unsigned int id, const char *code);
enum style formats_style(const struct formats *formats, unsigned int id);

/* A number as its style shows it: a date, or a plain number. The size of text, 0 for what is none. */
size_t style_format(enum style style, double number, bool since_1904, char text[NUMBER_TEXT_SIZE]);

/* --- xlsx.c ----------------------------------------------------------------------------------- */

struct xlsx;
AZ_CHECKED enum az_status xlsx_open(
    struct bytes zip, struct xlsx **ret_xlsx, struct az_err *reterr);
void xlsx_free(struct xlsx **xlsx);
size_t xlsx_sheets(const struct xlsx *xlsx);
AZ_CHECKED enum az_status xlsx_next(
    struct xlsx *xlsx, const struct list_record **ret_record, struct az_err *reterr);

/* --- xlsx_parts.c: what stands beside the sheet ----------------------------------------------- */

#define SHEET_PATH_MAX  256u
#define XLSX_STYLES_MAX 65536u

struct xlsx_parts {
	char sheet[SHEET_PATH_MAX]; /* of the first visible sheet: its name in the archive */
	size_t sheets;              /* visible ones */
	bool since_1904;
	uint8_t *styles; /* enum style, by cell format */
	size_t style_count;
	struct buffer strings; /* shared ones, one behind the other */
	size_t *ends;          /* of each */
	size_t string_count, string_room;
};
AZ_CHECKED enum az_status xlsx_parts_read(
    struct bytes zip, struct xlsx_parts *ret_parts, struct az_err *reterr);
void xlsx_parts_fini(struct xlsx_parts *parts);

/* "" or the attribute's value. */
const char *xml_attribute(const char *const *attributes, const char *name);
/* Whether an element has that local name, whatever its prefix. */
bool xml_is(const char *element, const char *name);

/* --- xls.c, office.c -------------------------------------------------------------------------- */

struct xls;
/* stream: of an Excel 5 to 2003 workbook, borrowed as long as the result. Errors as unpack_open. */
AZ_CHECKED enum az_status xls_open(
    struct bytes stream, struct xls **ret_xls, struct az_err *reterr);
void xls_free(struct xls **xls);
size_t xls_sheets(const struct xls *xls);
AZ_CHECKED enum az_status xls_next(
    struct xls *xls, const struct list_record **ret_record, struct az_err *reterr);

/* For unpack_prepare. */
void office_prepare(void);
/*
 * An OLE compound file. *ret_is_encrypted: it is a new workbook with a password, whose ZIP is appended to inner; else an
 * old workbook, whose stream is appended to inner, for xls_open. AZ_INVALID: a password is needed
 * or wrong, or it is damaged.
 */
AZ_CHECKED enum az_status office_open(struct bytes bytes, struct bytes password,
    bool *ret_is_encrypted, struct buffer *inner, struct az_err *reterr);

#endif
