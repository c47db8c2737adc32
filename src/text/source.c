/*
 * Where a list's bytes come from: the descriptor, or what is wrapped in what the descriptor gives.
 *
 * Text is handed on as it comes. A wrapped list must be there whole before it can be looked into, since the
 * directory of a ZIP stands at its end; so it is gathered here, in memory, and nowhere else.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "text/text_internal.h"

#define PIECE (256u * 1024u)

struct source {
	struct stream stream;
	struct record_reader reader;
	int fd;
	struct buffer wrapped; /* the start of a text, or all of a wrapped list */
	size_t given;          /* of the start of a text */
	struct unpack *unpack; /* NULL: text as it comes */
};

void
source_free(struct source **source)
{
	if (*source == NULL)
		return;
	unpack_free(&(*source)->unpack);
	buffer_fini(&(*source)->wrapped);
	free(*source);
	*source = NULL;
}

static enum az_status
read_fd(const struct source *source, uint8_t *data, size_t room, size_t *ret_size,
    struct az_err *reterr)
{
	ssize_t size;

	do {
		size = read(source->fd, data, room);
	} while (size < 0 && errno == EINTR);
	if (size < 0)
		return az_fail_errno(reterr, AZ_IO, errno, "the list cannot be read");
	*ret_size = (size_t)size;
	return AZ_OK;
}

/* Gathers at least so many bytes, or all there are. */
static enum az_status
gather(struct source *source, size_t least, struct az_err *reterr)
{
	size_t size = 1;
	enum az_status status = AZ_OK;

	while (status == AZ_OK && size > 0 && source->wrapped.size < least) {
		status = buffer_reserve(&source->wrapped, PIECE);
		if (status == AZ_LIMIT)
			return az_fail(reterr, AZ_LIMIT,
			    "the list: an archive or workbook may have %u MiB",
			    UNPACK_WRAPPED_MAX / 1024 / 1024);
		if (status != AZ_OK)
			return az_fail(reterr, status, "the list: out of memory");
		status = read_fd(
		    source, source->wrapped.data + source->wrapped.size, PIECE, &size, reterr);
		source->wrapped.size += status == AZ_OK ? size : 0;
	}
	return status;
}

static enum az_status
source_read(
    struct stream *stream, uint8_t *data, size_t room, size_t *ret_size, struct az_err *reterr)
{
	struct source *source = (struct source *)stream;
	size_t waits = source->wrapped.size - source->given;

	if (source->unpack != NULL)
		return unpack_read(source->unpack, data, room, ret_size, reterr);
	if (waits == 0)
		return read_fd(source, data, room, ret_size, reterr);
	waits = waits < room ? waits : room;
	memcpy(data, source->wrapped.data + source->given, waits);
	source->given += waits;
	*ret_size = waits;
	return AZ_OK;
}

static enum az_status
source_next(
    struct record_reader *reader, const struct list_record **ret_record, struct az_err *reterr)
{
	struct source *source =
	    (struct source *)(void *)((uint8_t *)reader - offsetof(struct source, reader));

	return unpack_next(source->unpack, ret_record, reterr);
}

enum az_status
source_open(int fd, struct bytes password, struct source **ret_source, struct az_err *reterr)
{
	struct source *source = calloc(1, sizeof(*source));
	enum az_status status;

	if (source == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "the list: out of memory");
	source->stream.read = source_read;
	source->reader = (struct record_reader){.next = source_next, .pads = true};
	source->fd = fd;
	buffer_init(&source->wrapped, UNPACK_WRAPPED_MAX, true);
	status = gather(source, UNPACK_START_SIZE, reterr);
	if (status == AZ_OK && unpack_recognise(buffer_peek(&source->wrapped)) != WRAPPING_TEXT) {
		status = gather(source, SIZE_MAX, reterr);
		if (status == AZ_OK)
			status = unpack_open(
			    buffer_peek(&source->wrapped), password, &source->unpack, reterr);
	}
	if (status == AZ_OK)
		*ret_source = source;
	else
		source_free(&source);
	return status;
}

struct stream *
source_stream(struct source *source)
{
	return &source->stream;
}

struct record_reader *
source_records(struct source *source)
{
	return source->unpack != NULL && unpack_is_workbook(source->unpack) ? &source->reader
									    : NULL;
}

const struct unpack *
source_unpack(const struct source *source)
{
	return source->unpack;
}
