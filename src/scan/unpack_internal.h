/*
 * Shared by the files that open containers.
 *
 * A job is one file. A source is a sequence of bytes in it: the file, a member, a piece of an image, or memory. Functions
 * that read a source tell what they could not read and return AZ_OK; only what ends the whole job is a failure: AZ_LIMIT
 * (bytes or time, told already) and AZ_NO_MEMORY.
 */
#ifndef AZ_SCAN_UNPACK_INTERNAL_H
#define AZ_SCAN_UNPACK_INTERNAL_H

#include <stdbool.h>

#include "scan/text.h"
#include "scan/unpack.h"

struct archive;

#define SCAN_DEPTH_MAX   6u
#define SCAN_MEMORY_MAX  (256u * 1024u * 1024u) /* of what must be held whole, all levels together */
#define SCAN_MEMBERS_MAX 1000000u

struct scan_job {
	const struct scan_limits *limits;
	const struct scan_report *report;
	uint64_t unpacked; /* bytes out of containers and pipes */
	uint64_t read;     /* bytes looked at */
	size_t held;       /* bytes of memory for what must be whole */
	uint64_t members;
	bool ended; /* by a limit, which was told */
	int64_t deadline_us, next_progress_us;
	unsigned depth;
	bool roll_up; /* inside a document: members are not named */
	char member[SCAN_MEMBER_MAX];
};

/* Names a member below the one at work; returns what scan_member_leave wants. */
size_t scan_member_enter(struct scan_job *job, const char *name);
void scan_member_leave(struct scan_job *job, size_t mark);

void scan_job_unread(struct scan_job *job, enum scan_unread reason);

/* Ends the job with AZ_LIMIT, and tells why. */
enum az_status scan_job_end(struct scan_job *job, enum scan_unread reason);
/* More bytes were unpacked (or read from a pipe). AZ_LIMIT: too many, or too late; told. */
AZ_CHECKED enum az_status scan_job_unpacked(struct scan_job *job, size_t size);
/* Bytes were looked at: tells of progress now and then. */
void scan_job_progress(struct scan_job *job, size_t size);

/* --- sources ---------------------------------------------------------------------------------- */

#define SCAN_HEAD_SIZE 4096u

struct scan_source {
	int fd; /* -1: memory or a member */
	bool is_stream;
	bool in_image;       /* what follows the file at hand is not its own */
	uint64_t base, size; /* of fd: where it begins and how long it is */
	struct bytes memory;
	struct archive *archive; /* the data of the entry at work */
	uint64_t at;             /* read so far */
	size_t head_size;        /* read ahead, for recognising it */
	uint8_t head[SCAN_HEAD_SIZE];
};

/* Sources on what the caller keeps. */
void scan_source_file(struct scan_source *source, int fd, uint64_t base, uint64_t size);
void scan_source_stream(struct scan_source *source, int fd);
void scan_source_memory(struct scan_source *source, struct bytes memory);
void scan_source_member(struct scan_source *source, struct archive *archive);

/* True if scan_source_seek works. */
bool scan_source_seeks(const struct scan_source *source);
void scan_source_seek(struct scan_source *source, uint64_t at);

/*
 * Leaves out a hole of a sparse file where the source stands: it holds nothing, and there can be terabytes of it. False:
 * nothing but a hole is left.
 */
bool scan_source_skip_hole(struct scan_source *source, struct scan_pass *pass);
/* How often holes are asked for: a question costs about as much as a read. */
#define SCAN_HOLE_STEP (4u << 20)

/*
 * Up to room bytes; 0 at the end. AZ_IO, AZ_CORRUPT (a damaged member), AZ_DENIED (an encrypted one): the source's own
 * failures, which the caller tells by scan_source_unread; AZ_LIMIT: of the job.
 */
AZ_CHECKED enum az_status scan_source_read(
    struct scan_job *job, struct scan_source *source, uint8_t *data, size_t room, size_t *ret_size);

/* Tells why a source could not be read to its end; hands on what ends the job. */
AZ_CHECKED enum az_status scan_source_unread(struct scan_job *job, enum az_status status);

/* The whole source in memory, until scan_source_release. AZ_NOT_FOUND: it cannot be, told; AZ_LIMIT: of the job. */
AZ_CHECKED enum az_status scan_source_hold(
    struct scan_job *job, struct scan_source *source, struct buffer *ret_buffer);
void scan_source_release(struct scan_job *job, struct buffer *buffer);

/* --- what a source is ------------------------------------------------------------------------- */

enum scan_format {
	FORMAT_BYTES = 0,
	FORMAT_ZIP,
	FORMAT_COMPRESSED, /* gzip, bzip2, xz, zstd, of a tar or of anything */
	FORMAT_TAR,
	FORMAT_CPIO,
	FORMAT_7Z,
	FORMAT_ISO,
	FORMAT_PDF,
	FORMAT_SQLITE,
	FORMAT_IMAGE,       /* of a disk */
	FORMAT_ENCRYPTED,   /* LUKS; an encrypted workbook */
	FORMAT_UNSUPPORTED, /* rar, cab, … */
};
/* By its first bytes. whole: the file itself, which may be an image. */
enum scan_format scan_format_of(struct bytes head, bool whole);
/* A file of these may begin at a sector of an image. */
enum scan_format scan_format_in_image(const uint8_t *sector);

/* Reads a source as what it is. */
AZ_CHECKED enum az_status scan_source_scan(struct scan_job *job, struct scan_source *source);

AZ_CHECKED enum az_status scan_bytes(struct scan_job *job, struct scan_source *source);
AZ_CHECKED enum az_status scan_archive(
    struct scan_job *job, struct scan_source *source, enum scan_format format);
AZ_CHECKED enum az_status scan_markup(struct scan_job *job, struct scan_source *source);
AZ_CHECKED enum az_status scan_pdf(struct scan_job *job, struct scan_source *source);
AZ_CHECKED enum az_status scan_database(struct scan_job *job, struct scan_source *source);
AZ_CHECKED enum az_status scan_image(struct scan_job *job, struct scan_source *source);

/* A pass that tells the job. */
AZ_CHECKED enum az_status scan_job_pass(struct scan_job *job, struct scan_pass **ret_pass);

#endif
