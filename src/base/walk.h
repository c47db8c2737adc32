/*
 * One walk over a message for writing it and for reading it, so that both know one order of fields.
 *
 * Exactly one of reader and writer is set: what a step is given is written, or is where it is read to. A step that
 * finds a value that may not be sets bad and goes on; whoever began the walk asks at the end for that, for the reader's
 * end and for the writer's status.
 */
#ifndef AZ_BASE_WALK_H
#define AZ_BASE_WALK_H

#include "base/wire.h"

struct walk {
	struct wire_reader *reader;
	struct wire_writer *writer;
	bool bad;
};

static inline void
walk_u8(struct walk *walk, uint8_t *value)
{
	if (walk->writer != NULL)
		wire_put_u8(walk->writer, *value);
	else
		*value = wire_get_u8(walk->reader);
}

static inline void
walk_u16(struct walk *walk, uint16_t *value)
{
	if (walk->writer != NULL)
		wire_put_u16(walk->writer, *value);
	else
		*value = wire_get_u16(walk->reader);
}

static inline void
walk_u32(struct walk *walk, uint32_t *value)
{
	if (walk->writer != NULL)
		wire_put_u32(walk->writer, *value);
	else
		*value = wire_get_u32(walk->reader);
}

static inline void
walk_u64(struct walk *walk, uint64_t *value)
{
	if (walk->writer != NULL)
		wire_put_u64(walk->writer, *value);
	else
		*value = wire_get_u64(walk->reader);
}

static inline void
walk_i64(struct walk *walk, int64_t *value)
{
	if (walk->writer != NULL)
		wire_put_i64(walk->writer, *value);
	else
		*value = wire_get_i64(walk->reader);
}

static inline void
walk_raw(struct walk *walk, uint8_t *data, size_t size)
{
	if (walk->writer != NULL)
		wire_put_raw(walk->writer, data, size);
	else
		wire_get_raw(walk->reader, data, size);
}

/* text: with room for its NUL. */
static inline void
walk_text(struct walk *walk, char *text, size_t room)
{
	if (walk->writer != NULL)
		wire_put_text(walk->writer, text);
	else
		wire_get_text(walk->reader, text, room);
}

#endif
