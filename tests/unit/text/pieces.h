/*
 * A stream over bytes in memory that gives them in pieces of one size, and what a list says in short.
 */
#ifndef AZ_TEST_PIECES_H
#define AZ_TEST_PIECES_H

#include <stdio.h>
#include <string.h>

#include "text/text_internal.h"

struct pieces {
	struct stream stream;
	struct bytes rest;
	size_t piece;
};

static enum az_status
pieces_read(
    struct stream *stream, uint8_t *data, size_t room, size_t *ret_size, struct az_err *reterr)
{
	struct pieces *self = (struct pieces *)stream;
	size_t size = self->piece < room ? self->piece : room;

	(void)reterr;
	size = size < self->rest.size ? size : self->rest.size;
	if (size > 0)
		memcpy(data, self->rest.data, size);
	self->rest.data += size;
	self->rest.size -= size;
	*ret_size = size;
	return AZ_OK;
}

static inline struct stream *
pieces_of(struct pieces *pieces, struct bytes bytes, size_t piece)
{
	*pieces = (struct pieces){.stream = {.read = pieces_read}, .rest = bytes, .piece = piece};
	return &pieces->stream;
}

#endif
