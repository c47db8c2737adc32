/*
 * Statuses and error detail.
 *
 * A status is named for what the caller does next. Its zero is AZ_INTERNAL, so that a forgotten or
 * wiped status is never success (I9). Detail travels beside it in a struct az_err in the caller's
 * frame; its text names the operation and an identifier, row, column or byte, never contents.
 */
#ifndef AZ_BASE_STATUS_H
#define AZ_BASE_STATUS_H

#include <stdarg.h>
#include <stddef.h>

#define AZ_CHECKED __attribute__((warn_unused_result))
/* For a variable that is filled at once, and would cost time to clear wherever it is entered. */
#define AZ_UNCLEARED     __attribute__((uninitialized))
#define AZ_PRINTF(f, a)  __attribute__((format(printf, f, a)))
#define AZ_ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

enum az_status {
	AZ_INTERNAL = 0, /* a bug of ours, or never set */
	AZ_OK = 1,
	AZ_DENIED = 2,    /* not allowed; asking again will not help */
	AZ_NOT_FOUND = 3, /* no such thing */
	AZ_INVALID = 4,   /* the input is wrong; the detail says where */
	AZ_CONFLICT = 5,  /* exists already, or is in the wrong state */
	AZ_LIMIT = 6,     /* a configured bound would be exceeded */
	AZ_BUSY = 7,      /* try again later; nothing was done */
	AZ_SEVERAL = 8,   /* more than one person matches */
	AZ_IO = 9,        /* the operating system failed us */
	AZ_CORRUPT = 10,  /* stored bytes cannot be read */
	AZ_FORGED = 11,   /* stored or sent bytes contradict evidence we hold */
	AZ_NO_MEMORY = 12,
	AZ_GONE = 13, /* the other process has gone away */
};

#define AZ_ERR_TEXT_SIZE 240

struct az_err {
	enum az_status status;
	char text[AZ_ERR_TEXT_SIZE]; /* NUL-terminated UTF-8, possibly empty */
};

/* Writes status and text into reterr (which may be NULL) and returns status. */
enum az_status az_fail(struct az_err *reterr, enum az_status status, const char *format, ...)
    AZ_PRINTF(3, 4);

/* As az_fail, with the operating system's message for errnum appended after ": ". */
enum az_status az_fail_errno(struct az_err *reterr, enum az_status status, int errnum,
    const char *format, ...) AZ_PRINTF(4, 5);

/* Says that a status is ignored on purpose; a comment beside it says why. */
static inline void
az_ignore(enum az_status status)
{
	(void)status;
}

/* A short English name of status, e.g. "not found"; never NULL. */
const char *az_status_name(enum az_status status);

/* The exit code of the command contract: 0 done, 1 failed, 3 denied, 4 tampering, 5 limit or busy. */
int az_exit_code(enum az_status status);

#endif
