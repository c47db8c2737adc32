/*
 * Shared by the files of src/scan.
 */
#ifndef AZ_SCAN_INTERNAL_H
#define AZ_SCAN_INTERNAL_H

#include <stdbool.h>

#include "scan/scan.h"

/* A token is at most so long in ASCII: an address of 64 + 1 + 253 bytes. */
#define SCAN_TOKEN_MAX 320u

/* --- classes of bytes ------------------------------------------------------------------------- */

enum scan_class {
	CLASS_DIGIT = 1,
	CLASS_SEPARATOR = 2, /* blank - . ( ) */
	CLASS_LETTER = 4,
	CLASS_LOCAL = 8, /* may stand before the '@' */
	CLASS_DOMAIN = 16,
};
extern const uint8_t scan_classes[256];
static inline bool
scan_is(uint8_t byte, unsigned classes)
{
	return (scan_classes[byte] & classes) != 0;
}

/* --- what is recognised in ASCII -------------------------------------------------------------- */

/* Told of a token at data[at], size bytes long. */
struct scan_sink {
	void (*take)(void *arg, enum scan_kind kind, size_t at, size_t size);
	void *arg;
};

/*
 * Digits in groups, with at most two separators between groups, from data[start], a digit with none before it: reports the
 * numbers that begin before limit. Looks at no byte outside 0 ≤ i < end. Returns how far it has come: the
 * run's end, or the first group at or behind limit, from which it may be called again.
 */
size_t scan_numbers(
    const uint8_t *data, size_t start, size_t limit, size_t end, const struct scan_sink *sink);

/* Fewer digits are no number, and up to eight only with one of these bytes before them. */
#define SCAN_DIGITS_LEAST 7u
#define SCAN_DIGITS_SHORT 8u
static inline bool
scan_may_precede_by_words(uint8_t before)
{
	return before == ' ' || before == ':' || before == '(' || before == '\n' || before == 0 ||
	    before >= 0x80;
}

/* An address around the '@' at data[at], if there is one; returns its end, or at + 1. */
size_t scan_email(const uint8_t *data, size_t at, size_t end, const struct scan_sink *sink);

/* --- what is not ASCII ------------------------------------------------------------------------ */

/* How wide characters are written around a place. */
enum scan_script {
	SCRIPT_NONE = 0,
	SCRIPT_UTF8,
	SCRIPT_CP932,
	SCRIPT_EUC,
	SCRIPT_UTF16LE,
	SCRIPT_UTF16BE,
};

/* A full-width digit or '@' at data[at], or an ASCII digit with a wide dash behind it; else SCRIPT_NONE. */
enum scan_script scan_script_at(const uint8_t *data, size_t at, size_t end);

/*
 * Folds what stands around data[at] to ASCII, recognises it, and reports what has at least one wide character (all,
 * in UTF-16) and begins at or behind from. Returns the place up to which everything has been reported.
 */
size_t scan_wide(const uint8_t *data, size_t at, size_t from, size_t end, enum scan_script script,
    const struct scan_sink *sink);
/* Bytes that scan_wide wants to see on either side. */
#define SCAN_WIDE_BEFORE 288u
#define SCAN_WIDE_AFTER  1920u

/* --- finding the places ----------------------------------------------------------------------- */

/* One bit a byte of a block of 64. */
struct scan_masks {
	uint64_t digits;
	uint64_t separators;
	uint64_t ats;
	uint64_t odd;  /* 0x80 and above, and 0x00 */
	uint64_t wide; /* may be the first byte of a full-width digit or '@' */
};
#define SCAN_BLOCK 64u
/* Bytes behind the last block that are looked at; they must be there and count for nothing else. */
#define SCAN_PADDING 8u

typedef void (*scan_masks_of)(const uint8_t *data, size_t blocks, struct scan_masks *masks);
void scan_masks_plain(const uint8_t *data, size_t blocks, struct scan_masks *masks);
/* NULL where the compiler or the processor cannot. */
scan_masks_of scan_masks_avx2(void);
scan_masks_of scan_masks_avx512(void);
/* The fastest of them, or the chosen one. */
scan_masks_of scan_masks_best(void);

#endif
