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
};

#define SCAN_BODY_MAX   (64u * 1024u)
#define SCAN_FLAG_IMAGE 1u /* search it for files at its sectors */
#define SCAN_FLAG_HITS  2u /* tell the place of each token */

/* u64 bytes_max, u64 time_max_us, u8 flags */
struct scan_read {
	uint64_t bytes_max;
	uint64_t time_max_us;
	uint8_t flags;
};

struct wire_reader;
struct wire_writer;
void scan_read_put(struct wire_writer *writer, const struct scan_read *read);
/* On anything malformed the reader has failed. */
void scan_read_get(struct wire_reader *reader, struct scan_read *ret_read);

#endif
