/*
 * What stands in a file of any kind: containers are opened (also inside one another), documents read as text, images of
 * disks searched for files, everything else read as it is; and all of it goes through passes (scan/scan.h).
 *
 * Promises  time and memory are bounded whatever the file says of itself; what was not read is told, with the reason.
 * Not       it decrypts nothing, and finds no file whose pieces lie apart on a disk.
 *
 * Opened: zip, gzip, bzip2, xz, zstd, tar, cpio, 7z, ISO 9660 (libarchive); workbooks and documents of Office and
 * OpenDocument (expat); PDF (poppler); SQLite. These libraries parse hostile bytes, so the process must be shut in; what
 * they open lazily is loaded by scan_unpack_prepare.
 */
#ifndef AZ_SCAN_UNPACK_H
#define AZ_SCAN_UNPACK_H

#include "scan/scan.h"

/* Why something was not read, or not to its end. Codes are sent; never reused. */
enum scan_unread {
	SCAN_UNREAD_NONE = 0,
	SCAN_UNREAD_ENCRYPTED = 1,   /* it asks for a password */
	SCAN_UNREAD_DAMAGED = 2,     /* it cannot be what it says it is */
	SCAN_UNREAD_UNSUPPORTED = 3, /* a container that is not opened here */
	SCAN_UNREAD_SIZE = 4,        /* it unpacks to more than may be read */
	SCAN_UNREAD_TIME = 5,        /* it took longer than it may */
	SCAN_UNREAD_DEPTH = 6,       /* containers in containers in … */
	SCAN_UNREAD_IO = 7,          /* the operating system failed us */
	SCAN_UNREAD_DENIED = 8,      /* the operating system forbids it */
	SCAN_UNREAD_KIND = 9,    /* no file: a device, socket or pipe that was not named itself */
	SCAN_UNREAD_DIED = 10,   /* the scanner ended over it */
	SCAN_UNREAD_MEMORY = 11, /* too large for a format that must be held in memory */
	SCAN_UNREAD_OPAQUE =
	    12, /* it was asked for text, and this is none: nobody can tell what it holds */
	SCAN_UNREADS,
};

/* A short English name, e.g. "encrypted"; the value of "reason" in unread[]. */
const char *scan_unread_name(enum scan_unread reason);

struct scan_limits {
	uint64_t bytes_max; /* that are unpacked, or come out of a pipe */
	int64_t time_max_us;
	bool
	    is_image; /* a block device: raw and searched for files whatever stands at its beginning */
	/*
	 * Only text, archives of it, and documents that are marked-up text: all else is told as opaque. PDF, databases and
	 * images of disks are, since there is room in them for what nobody reads.
	 */
	bool is_strict;
};

#define SCAN_MEMBER_MAX 1024u /* bytes of a member's name, its NUL included */

/*
 * Who is told. member names what it was found in: "" for the file itself, "a.zip!b.txt" for a member of a member, the
 * table of a database; valid UTF-8 without control characters, cut if it is too long. progress is called at least
 * every second while there is any, and once at the end.
 */
struct scan_report {
	void *arg;
	void (*found)(void *arg, const char *member, const struct scan_hit *hit);
	void (*unread)(void *arg, const char *member, enum scan_unread reason);
	void (*progress)(void *arg, uint64_t bytes);
};

/* Loads what the libraries would open later. Before the process shuts itself in. */
void scan_unpack_prepare(void);

/* Reads fd (any kind of file, from its beginning) to its end or limits. Only AZ_NO_MEMORY; all else is told. */
AZ_CHECKED enum az_status scan_file(int fd, const struct scan_limits *limits,
    const struct scan_report *report, struct az_err *reterr);

#endif
