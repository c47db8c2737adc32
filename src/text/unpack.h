/*
 * What a list may be wrapped in when it comes: ZIP (ZipCrypto or AES), 7z, gzip; Excel workbooks, old and new, the new
 * ones also with a password. Takes the wrapping off, in memory: nothing is opened, nothing is written.
 *
 * Promises  exactly one list comes out, as bytes of text or as records; what is not whole, or would swell beyond
 *           reason, ends with an error that says where, and never what was inside.
 * Not       a 7z archive or an old workbook with a password; more than one list at a time.
 * Threads   each object belongs to one thread at a time.
 */
#ifndef AZ_TEXT_UNPACK_H
#define AZ_TEXT_UNPACK_H

#include "text/text.h"

enum wrapping {
	WRAPPING_NONE = 0, /* not looked at */
	WRAPPING_TEXT,     /* no wrapping */
	WRAPPING_ZIP,
	WRAPPING_7Z,
	WRAPPING_GZIP,
	WRAPPING_XLSX,
	WRAPPING_OFFICE, /* an OLE compound file: an old workbook, or a new one with a password */
	WRAPPING_XLS,
	WRAPPING_COUNT,
};
const char *wrapping_name(enum wrapping wrapping); /* "zip"; NULL for what is none */

#define UNPACK_START_SIZE   8u                      /* bytes that unpack_recognise needs */
#define UNPACK_WRAPPED_MAX  (1024u * 1024u * 1024u) /* bytes of a list with its wrapping */
#define UNPACK_INNER_MAX    (512u * 1024u * 1024u)  /* bytes of a workbook inside an archive */
#define UNPACK_PASSWORD_MAX 256u                    /* bytes */

/* By the first bytes of a list. A ZIP may turn out to be a workbook, an OFFICE to be an old one. */
enum wrapping unpack_recognise(struct bytes start);

/*
 * Once, before the process shuts itself in: loads what the libraries would otherwise open files for at first use.
 */
void unpack_prepare(void);

struct unpack;

/*
 * Looks into wrapped, which stays the caller's and must stay as long as the result. password: UTF-8, size 0 if there
 * is none; it is copied and wiped. AZ_INVALID: damaged, cut short, no list or several inside, a kind that cannot be read, a
 * password that is needed or wrong; AZ_LIMIT: it would swell beyond reason; AZ_NO_MEMORY.
 */
AZ_CHECKED enum az_status unpack_open(
    struct bytes wrapped, struct bytes password, struct unpack **ret_unpack, struct az_err *reterr);
void unpack_free(struct unpack **unpack);

/* The wrappings that were taken off, the outermost first; how many. */
size_t unpack_wrappings(const struct unpack *unpack, enum wrapping wrappings[3]);
/* Whether the list is a workbook: then unpack_next gives its records, else unpack_read its bytes. */
bool unpack_is_workbook(const struct unpack *unpack);
/* Visible sheets of a workbook; the first one is read. */
size_t unpack_sheets(const struct unpack *unpack);

/* The next bytes of text, at most size; *ret_size is 0 at the end. Errors as unpack_open. */
AZ_CHECKED enum az_status unpack_read(
    struct unpack *unpack, uint8_t *data, size_t size, size_t *ret_size, struct az_err *reterr);
/*
 * The next row that is not empty, borrowed until the next call; place is its row in the sheet. Rows are as wide as
 * the widest before them. Dates come as YYYY-MM-DD, with HH:MM:SS where there is a time; whole numbers without a
 * fraction. AZ_NOT_FOUND: the end. Else as unpack_open.
 */
AZ_CHECKED enum az_status unpack_next(
    struct unpack *unpack, const struct list_record **ret_record, struct az_err *reterr);

#endif
