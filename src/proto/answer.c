/*
 * Typed trees.
 *
 *	value  = u8 tag, what the tag says
 *	member = u8 size of the name, name, value; inside an array: value alone
 *
 * A member's name comes before its tag, so that the end of an object is told by a name of size zero: an
 * ANSWER_END is written as the single byte 0 in both objects and arrays.
 */
#include "proto/answer.h"

#include <assert.h>
#include <string.h>

static void
put_name(struct wire_writer *writer, const char *name, enum answer_tag tag)
{
	if (name != NULL) {
		size_t size = strlen(name);

		assert(size > 0 && size < ANSWER_NAME_MAX);
		wire_put_u8(writer, (uint8_t)size);
		wire_put_raw(writer, name, size);
	}
	wire_put_u8(writer, (uint8_t)tag);
}

void
answer_object(struct wire_writer *writer, const char *name)
{
	put_name(writer, name, ANSWER_OBJECT);
}

void
answer_array(struct wire_writer *writer, const char *name)
{
	put_name(writer, name, ANSWER_ARRAY);
}

void
answer_end(struct wire_writer *writer)
{
	wire_put_u8(writer, ANSWER_END);
}

void
answer_value(struct wire_writer *writer, const char *name, struct bytes text)
{
	put_name(writer, name, ANSWER_TEXT);
	wire_put_bytes(writer, text);
}

void
answer_text(struct wire_writer *writer, const char *name, const char *text)
{
	answer_value(writer, name, bytes_of(text));
}

void
answer_uint(struct wire_writer *writer, const char *name, uint64_t value)
{
	put_name(writer, name, ANSWER_UINT);
	wire_put_u64(writer, value);
}

void
answer_bool(struct wire_writer *writer, const char *name, bool value)
{
	put_name(writer, name, value ? ANSWER_TRUE : ANSWER_FALSE);
}

void
answer_time(struct wire_writer *writer, const char *name, int64_t time_us)
{
	put_name(writer, name, ANSWER_TIME);
	wire_put_i64(writer, time_us);
}

void
answer_date(struct wire_writer *writer, const char *name, int32_t days)
{
	put_name(writer, name, ANSWER_DATE);
	wire_put_u32(writer, (uint32_t)days);
}

void
answer_bytes(struct wire_writer *writer, const char *name, struct bytes bytes)
{
	put_name(writer, name, ANSWER_BYTES);
	wire_put_bytes(writer, bytes);
}

void
answer_reader_init(struct answer_reader *reader, struct bytes bytes)
{
	*reader = (struct answer_reader){0};
	wire_reader_init(&reader->wire, bytes);
}

/* Reads a member's name; returns false at the end of its object. */
static bool
get_name(struct answer_reader *reader)
{
	size_t size = wire_get_u8(&reader->wire);

	if (size == 0)
		return false;
	if (size >= ANSWER_NAME_MAX) {
		reader->wire.failed = true;
		return true;
	}
	wire_get_raw(&reader->wire, reader->name, size);
	reader->name[size] = '\0';
	if (memchr(reader->name, '\0', size) != NULL ||
	    !bytes_are_utf8(bytes_make(reader->name, size)))
		reader->wire.failed = true;
	return true;
}

static bool
get_value(struct answer_reader *reader, struct answer_event *event)
{
	switch (event->tag) {
	case ANSWER_TEXT:
		event->bytes = wire_get_bytes(&reader->wire, UINT32_MAX);
		return bytes_are_utf8(event->bytes);
	case ANSWER_BYTES: event->bytes = wire_get_bytes(&reader->wire, UINT32_MAX); return true;
	case ANSWER_UINT: event->number = wire_get_u64(&reader->wire); return true;
	case ANSWER_TIME: event->time_us = wire_get_i64(&reader->wire); return true;
	case ANSWER_DATE: event->days = (int32_t)wire_get_u32(&reader->wire); return true;
	case ANSWER_FALSE:
	case ANSWER_TRUE: return true;
	case ANSWER_OBJECT:
	case ANSWER_ARRAY:
		if (reader->depth == ANSWER_DEPTH_MAX)
			return false;
		reader->in_array &= (uint8_t) ~(1u << reader->depth);
		if (event->tag == ANSWER_ARRAY)
			reader->in_array |= (uint8_t)(1u << reader->depth);
		reader->depth++;
		return true;
	case ANSWER_END:
	default: return false;
	}
}

enum az_status
answer_next(struct answer_reader *reader, struct answer_event *ret_event)
{
	struct answer_event event = {.tag = ANSWER_END, .name = reader->name};
	bool in_array = reader->depth > 0 && (reader->in_array & (1u << (reader->depth - 1))) != 0;
	bool outermost = !reader->started;
	bool more = true;

	if (reader->started && reader->depth == 0)
		return wire_end(&reader->wire) ? AZ_NOT_FOUND : AZ_INVALID;
	reader->started = true;
	reader->name[0] = '\0';
	if (!outermost && !in_array)
		more = get_name(reader);
	if (more)
		event.tag = (enum answer_tag)wire_get_u8(&reader->wire);
	if (reader->wire.failed || (outermost && event.tag != ANSWER_OBJECT))
		return AZ_INVALID;
	if (event.tag == ANSWER_END) {
		/* Where a name stands before the tag, a tag of zero is no end. */
		if (reader->name[0] != '\0')
			return AZ_INVALID;
		reader->depth--;
	} else if (!get_value(reader, &event) || reader->wire.failed) {
		return AZ_INVALID;
	}
	*ret_event = event;
	return AZ_OK;
}
