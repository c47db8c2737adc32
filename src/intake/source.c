/*
 * Text is handed to the CSV reader as it comes. A wrapped list must be there whole before it can be looked into, since the
 * directory of a ZIP stands at its end; so it is gathered here, in memory, and nowhere else.
 */
#include "intake/source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "text/unpack.h"

#define PIECE (256u * 1024u)

struct source {
	int fd;
	struct buffer wrapped; /* the start of a text, or all of a wrapped list */
	struct unpack *unpack; /* NULL: text as it comes */
	struct csv *csv;       /* NULL: a workbook has records of its own */
};

void
source_free(struct source **source)
{
	if (*source == NULL)
		return;
	csv_free(&(*source)->csv);
	unpack_free(&(*source)->unpack);
	buffer_fini(&(*source)->wrapped);
	free(*source);
	*source = NULL;
}

static enum az_status
read_pipe(const struct source *source, uint8_t *data, size_t room, size_t *ret_size,
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
			return az_fail(reterr, status, "list: out of memory");
		status = read_pipe(
		    source, source->wrapped.data + source->wrapped.size, PIECE, &size, reterr);
		source->wrapped.size += status == AZ_OK ? size : 0;
	}
	return status;
}

/* Gives the reader what was read to see what it is. */
static enum az_status
give_start(struct source *source, struct az_err *reterr)
{
	struct bytes rest = buffer_peek(&source->wrapped);
	enum az_status status = AZ_OK;

	while (status == AZ_OK && rest.size > 0) {
		uint8_t *data;
		size_t room;

		status = csv_room(source->csv, &data, &room, reterr);
		if (status != AZ_OK)
			break;
		room = room < rest.size ? room : rest.size;
		memcpy(data, rest.data, room);
		csv_filled(source->csv, room);
		rest = bytes_make(rest.data + room, rest.size - room);
	}
	buffer_fini(&source->wrapped);
	return status;
}

static enum az_status
open_list(struct source *source, struct bytes password, struct az_err *reterr)
{
	enum az_status status = gather(source, UNPACK_START_SIZE, reterr);

	if (status != AZ_OK)
		return status;
	if (unpack_recognise(buffer_peek(&source->wrapped)) == WRAPPING_TEXT) {
		status = csv_new(&source->csv, reterr);
		return status == AZ_OK ? give_start(source, reterr) : status;
	}
	status = gather(source, SIZE_MAX, reterr);
	if (status == AZ_OK)
		status =
		    unpack_open(buffer_peek(&source->wrapped), password, &source->unpack, reterr);
	if (status == AZ_OK && !unpack_is_workbook(source->unpack))
		status = csv_new(&source->csv, reterr);
	return status;
}

enum az_status
source_open(int fd, struct bytes password, struct source **ret_source, struct az_err *reterr)
{
	struct source *source = calloc(1, sizeof(*source));
	enum az_status status;

	if (source == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "list: out of memory");
	source->fd = fd;
	buffer_init(&source->wrapped, UNPACK_WRAPPED_MAX, true);
	status = open_list(source, password, reterr);
	if (status == AZ_OK)
		*ret_source = source;
	else
		source_free(&source);
	return status;
}

static enum az_status
read_more(struct source *source, struct az_err *reterr)
{
	uint8_t *data;
	size_t room;
	size_t size = 0;
	enum az_status status = csv_room(source->csv, &data, &room, reterr);

	if (status != AZ_OK)
		return status;
	status = source->unpack != NULL ? unpack_read(source->unpack, data, room, &size, reterr)
					: read_pipe(source, data, room, &size, reterr);
	if (status == AZ_OK)
		csv_filled(source->csv, size);
	return status;
}

enum az_status
source_next(struct source *source, const struct csv_record **ret_record, struct az_err *reterr)
{
	enum az_status status;

	if (source->csv == NULL)
		return unpack_next(source->unpack, ret_record, reterr);
	status = csv_next(source->csv, ret_record, reterr);
	while (status == AZ_BUSY) {
		status = read_more(source, reterr);
		if (status == AZ_OK)
			status = csv_next(source->csv, ret_record, reterr);
	}
	return status;
}
