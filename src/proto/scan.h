/*
 * What whoever scans and azukari-scanner say to each other (docs/format/scan.md): frames of base/frame.h. The scanner has
 * parsed hostile bytes: the reader believes nothing it says beyond what it says of the file it was given.
 *
 * READ for each file, one after the other; then FOUND, HITS, UNREAD and PROGRESS in any order, then DONE. The id of
 * each frame is that of its READ.
 */
#ifndef AZ_PROTO_SCAN_H
#define AZ_PROTO_SCAN_H

#include "base/bytes.h"

enum scan_message {
	/* to the scanner */
	SCAN_READ = 1, /* struct scan_read; the file's descriptor rides along */
	/* from it */
	SCAN_FOUND = 65,    /* text member, u8 count, each: u64 tokens of that kind */
	SCAN_HITS = 66,     /* text member, u32 count, each: u8 kind, u64 place, u32 size */
	SCAN_UNREAD = 67,   /* text member, u8 reason */
	SCAN_PROGRESS = 68, /* u64 bytes looked at */
	SCAN_DONE = 69,     /* u64 bytes looked at */
	SCAN_TOKENS = 70,   /* text member, bytes telephones and mails as in SIFT_TOKENS */
};

#define SCAN_BODY_MAX    (64u * 1024u)
#define SCAN_FLAG_IMAGE  1u /* search it for files at its sectors */
#define SCAN_FLAG_HITS   2u /* tell the place of each token */
#define SCAN_FLAG_TOKENS 4u /* tell what telephones and mails say */
#define SCAN_FLAG_STRICT 8u /* what is not text, or made of it, is told as opaque */

/* u64 bytes_max, u64 time_max_us, u8 flags */
struct scan_read {
	uint64_t bytes_max;
	uint64_t time_max_us;
	uint8_t flags;
};

/*
 * What a front tells the keeper over the socket that rides along with its SCAN, until it has told END: telephones and mails
 * that were found, by the place where they were, which the front numbers from 1.
 */
enum sift_message {
	SIFT_TOKENS = 1, /* u32 place, then to the end: u8 enum sift_kind, u16 size, ASCII */
	SIFT_END = 2,    /* u32 places, u32 not read, u64 bytes looked at */
};
enum sift_kind { SIFT_PHONE = 1, SIFT_EMAIL = 2 };
#define SIFT_VALUE_MAX 512u

struct wire_reader;
struct wire_writer;
void scan_read_put(struct wire_writer *writer, const struct scan_read *read);
/* On anything malformed the reader has failed. */
void scan_read_get(struct wire_reader *reader, struct scan_read *ret_read);

#endif
