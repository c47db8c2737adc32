/*
 * Typed fields in little-endian order, and fixed layouts in either order.
 *
 * Values are put together byte by byte; compilers make one load of it, and no alignment or byte
 * order of the machine is assumed. A reader that failed keeps the offset of the field it failed at.
 */
#include "base/wire.h"

#include <string.h>

void
wire_reader_init(struct wire_reader *reader, struct bytes bytes)
{
	*reader = (struct wire_reader){.rest = bytes};
}

struct bytes
wire_take(struct wire_reader *reader, size_t size)
{
	if (reader->failed || size > reader->rest.size) {
		reader->failed = true;
		return bytes_make(NULL, 0);
	}
	struct bytes taken = bytes_make(reader->rest.data, size);
	/* An empty range may have a null pointer, to which nothing may be added, not even zero. */
	if (size > 0)
		reader->rest.data += size;
	reader->rest.size -= size;
	reader->offset += size;
	return taken;
}

uint8_t
wire_get_u8(struct wire_reader *reader)
{
	struct bytes taken = wire_take(reader, 1);

	return taken.data ? taken.data[0] : 0;
}

uint16_t
wire_get_u16(struct wire_reader *reader)
{
	struct bytes taken = wire_take(reader, 2);

	return taken.data ? wire_load_u16(taken.data) : 0;
}

uint32_t
wire_get_u32(struct wire_reader *reader)
{
	struct bytes taken = wire_take(reader, 4);

	return taken.data ? wire_load_u32(taken.data) : 0;
}

uint64_t
wire_get_u64(struct wire_reader *reader)
{
	struct bytes taken = wire_take(reader, 8);

	return taken.data ? wire_load_u64(taken.data) : 0;
}

int64_t
wire_get_i64(struct wire_reader *reader)
{
	return (int64_t)wire_get_u64(reader);
}

void
wire_get_raw(struct wire_reader *reader, void *data, size_t size)
{
	struct bytes taken = wire_take(reader, size);

	if (size == 0)
		return;
	if (taken.data)
		memcpy(data, taken.data, size);
	else
		memset(data, 0, size);
}

/* Undoes what was read since start and fails there, so that offset names the whole field. */
static void
reader_fail_at(struct wire_reader *reader, const struct wire_reader *start)
{
	*reader = *start;
	reader->failed = true;
}

struct bytes
wire_get_bytes(struct wire_reader *reader, size_t max)
{
	struct wire_reader start = *reader;
	uint32_t size = wire_get_u32(reader);
	struct bytes taken = {0};

	if (reader->failed)
		return taken;
	if (size <= max)
		taken = wire_take(reader, size);
	if (size > max || reader->failed)
		reader_fail_at(reader, &start);
	return taken;
}

void
wire_get_text(struct wire_reader *reader, char *text, size_t room)
{
	struct wire_reader start = *reader;

	if (room == 0) {
		reader->failed = true;
		return;
	}
	struct bytes taken = wire_get_bytes(reader, room - 1);
	text[0] = '\0';
	if (taken.size == 0)
		return;
	if (memchr(taken.data, '\0', taken.size)) {
		reader_fail_at(reader, &start);
		return;
	}
	memcpy(text, taken.data, taken.size);
	text[taken.size] = '\0';
}

uint32_t
wire_get_count(struct wire_reader *reader, uint32_t max, size_t least)
{
	struct wire_reader start = *reader;
	uint32_t count = wire_get_u32(reader);
	size_t needed = 0;

	if (reader->failed)
		return 0;
	/* A count is believed only if its elements can be there: it may size an allocation. */
	if (count > max || !az_mul(count, least, &needed) || needed > reader->rest.size) {
		reader_fail_at(reader, &start);
		return 0;
	}
	return count;
}

bool
wire_end(const struct wire_reader *reader)
{
	return !reader->failed && reader->rest.size == 0;
}

void
wire_writer_init(struct wire_writer *writer, struct buffer *buffer)
{
	*writer = (struct wire_writer){.buffer = buffer, .status = AZ_OK};
}

void
wire_put_raw(struct wire_writer *writer, const void *data, size_t size)
{
	if (writer->status == AZ_OK)
		writer->status = buffer_append(writer->buffer, bytes_make(data, size));
}

void
wire_put_u8(struct wire_writer *writer, uint8_t value)
{
	wire_put_raw(writer, &value, 1);
}

void
wire_put_u16(struct wire_writer *writer, uint16_t value)
{
	uint8_t data[2];

	wire_store_u16(data, value);
	wire_put_raw(writer, data, sizeof(data));
}

void
wire_put_u32(struct wire_writer *writer, uint32_t value)
{
	uint8_t data[4];

	wire_store_u32(data, value);
	wire_put_raw(writer, data, sizeof(data));
}

void
wire_put_u64(struct wire_writer *writer, uint64_t value)
{
	uint8_t data[8];

	wire_store_u64(data, value);
	wire_put_raw(writer, data, sizeof(data));
}

void
wire_put_i64(struct wire_writer *writer, int64_t value)
{
	wire_put_u64(writer, (uint64_t)value);
}

void
wire_put_bytes(struct wire_writer *writer, struct bytes bytes)
{
	if (writer->status == AZ_OK && bytes.size > UINT32_MAX)
		writer->status = AZ_LIMIT;
	wire_put_u32(writer, (uint32_t)bytes.size);
	wire_put_raw(writer, bytes.data, bytes.size);
}

void
wire_put_text(struct wire_writer *writer, const char *text)
{
	wire_put_bytes(writer, bytes_of(text));
}
