/*
 * Many files through one pipe: how an export of the ledger leaves the house. The keeper's children
 * write to a descriptor that the front passed; the front makes the files (docs/format/parts.md).
 *
 * Promises  a stream that was cut short is never taken for a whole one.
 * Not       it does not prove what is in it: what travels here carries its own proofs.
 * Threads   each writer and each reader belongs to one thread.
 */
#ifndef AZ_PROTO_PARTS_H
#define AZ_PROTO_PARTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"

#define PARTS_NAME_MAX  255u /* of "a/b/c", without its NUL */
#define PARTS_CHUNK_MAX (1024u * 1024u)

struct parts_writer {
	int fd;      /* stays the caller's; need not block */
	int gone_fd; /* when this one hangs up, nobody waits any more; -1 for none */
	struct buffer out;
	enum az_status status; /* sticky: the first failure */
	struct az_err err;
};
void parts_writer_init(struct parts_writer *writer, int fd, int gone_fd);
void parts_writer_fini(struct parts_writer *writer);
/* A file: begin, put as often as needed, end. Failures show at parts_finish, or earlier in writer->status. */
void parts_begin(struct parts_writer *writer, const char *name);
void parts_put(struct parts_writer *writer, struct bytes bytes);
void parts_end(struct parts_writer *writer);
/* A whole file at once. */
void parts_file(struct parts_writer *writer, const char *name, struct bytes bytes);
/* Ends the stream and sends what is left. AZ_GONE: nobody reads it; AZ_IO, AZ_NO_MEMORY. */
AZ_CHECKED enum az_status parts_finish(struct parts_writer *writer, struct az_err *reterr);

struct parts_reader {
	int fd; /* stays the caller's */
	struct buffer in;
	size_t used;
	bool in_file;
	uint32_t chunk_left;
};
void parts_reader_init(struct parts_reader *reader, int fd);
void parts_reader_fini(struct parts_reader *reader);
/*
 * The next file's name: 1 to PARTS_NAME_MAX printable characters of ASCII, relative, without empty, "." or ".."
 * components. AZ_NOT_FOUND: the stream has ended as it should. AZ_GONE: it was cut short. AZ_INVALID,
 * AZ_IO, AZ_NO_MEMORY. The file before must have been read to its end.
 */
AZ_CHECKED enum az_status parts_next(
    struct parts_reader *reader, char name[PARTS_NAME_MAX + 1], struct az_err *reterr);
/* Some bytes of it, borrowed until the next call. AZ_NOT_FOUND: it has ended. Else as parts_next. */
AZ_CHECKED enum az_status parts_read(
    struct parts_reader *reader, struct bytes *ret_bytes, struct az_err *reterr);

#endif
