/*
 * Bounded little-endian reading and writing of typed fields.
 *
 * Both are sticky: after the first failure every later call does nothing and yields zeros, and one
 * check at the end decides. Bytes left over are a failure of wire_end.
 */
#ifndef AZ_BASE_WIRE_H
#define AZ_BASE_WIRE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"

struct wire_reader {
	struct bytes rest;
	size_t offset; /* bytes read so far: where a failure lies */
	bool failed;
};

void wire_reader_init(struct wire_reader *reader, struct bytes bytes);
uint8_t wire_get_u8(struct wire_reader *reader);
uint16_t wire_get_u16(struct wire_reader *reader);
uint32_t wire_get_u32(struct wire_reader *reader);
uint64_t wire_get_u64(struct wire_reader *reader);
int64_t wire_get_i64(struct wire_reader *reader);

/* Exactly size bytes, copied. On failure data is zeroed. */
void wire_get_raw(struct wire_reader *reader, void *data, size_t size);

/* Exactly size bytes, borrowed from the input. */
struct bytes wire_take(struct wire_reader *reader, size_t size);

/* A u32 length, at most max, and as many bytes, borrowed from the input. */
struct bytes wire_get_bytes(struct wire_reader *reader, size_t max);

/* As wire_get_bytes, copied as a C string into text[room]; an inner NUL or no room is a failure. */
void wire_get_text(struct wire_reader *reader, char *text, size_t room);

/* A u32 count, at most max; also refused if fewer than count * least bytes are left. */
uint32_t wire_get_count(struct wire_reader *reader, uint32_t max, size_t least);

/* True if nothing failed and nothing is left. */
bool wire_end(const struct wire_reader *reader) AZ_CHECKED;

struct wire_writer {
	struct buffer *buffer;
	enum az_status status; /* AZ_OK, or the first failure of the buffer */
};

/* Appends to buffer, which stays the caller's. */
void wire_writer_init(struct wire_writer *writer, struct buffer *buffer);
void wire_put_u8(struct wire_writer *writer, uint8_t value);
void wire_put_u16(struct wire_writer *writer, uint16_t value);
void wire_put_u32(struct wire_writer *writer, uint32_t value);
void wire_put_u64(struct wire_writer *writer, uint64_t value);
void wire_put_i64(struct wire_writer *writer, int64_t value);
void wire_put_raw(struct wire_writer *writer, const void *data, size_t size);
void wire_put_bytes(struct wire_writer *writer, struct bytes bytes);
void wire_put_text(struct wire_writer *writer, const char *text);

/* Plain loads and stores for fixed layouts. Here, since they are done many times for every row of a list. */
static inline uint16_t
wire_load_u16(const uint8_t *data)
{
	return (uint16_t)(data[0] | data[1] << 8);
}

static inline uint32_t
wire_load_u32(const uint8_t *data)
{
	return (uint32_t)data[0] | (uint32_t)data[1] << 8 | (uint32_t)data[2] << 16 |
	    (uint32_t)data[3] << 24;
}

static inline uint64_t
wire_load_u64(const uint8_t *data)
{
	return wire_load_u32(data) | (uint64_t)wire_load_u32(data + 4) << 32;
}

static inline void
wire_store_u16(uint8_t *data, uint16_t value)
{
	data[0] = (uint8_t)value;
	data[1] = (uint8_t)(value >> 8);
}

static inline void
wire_store_u32(uint8_t *data, uint32_t value)
{
	data[0] = (uint8_t)value;
	data[1] = (uint8_t)(value >> 8);
	data[2] = (uint8_t)(value >> 16);
	data[3] = (uint8_t)(value >> 24);
}

static inline void
wire_store_u64(uint8_t *data, uint64_t value)
{
	wire_store_u32(data, (uint32_t)value);
	wire_store_u32(data + 4, (uint32_t)(value >> 32));
}

/* Big-endian, where an order of keys or a foreign format asks for it. */
static inline uint16_t
wire_load_u16be(const uint8_t *data)
{
	return (uint16_t)(data[0] << 8 | data[1]);
}

static inline uint32_t
wire_load_u32be(const uint8_t *data)
{
	return (uint32_t)data[0] << 24 | (uint32_t)data[1] << 16 | (uint32_t)data[2] << 8 |
	    (uint32_t)data[3];
}

static inline uint64_t
wire_load_u64be(const uint8_t *data)
{
	return (uint64_t)wire_load_u32be(data) << 32 | wire_load_u32be(data + 4);
}

static inline void
wire_store_u16be(uint8_t *data, uint16_t value)
{
	data[0] = (uint8_t)(value >> 8);
	data[1] = (uint8_t)value;
}

static inline void
wire_store_u32be(uint8_t *data, uint32_t value)
{
	data[0] = (uint8_t)(value >> 24);
	data[1] = (uint8_t)(value >> 16);
	data[2] = (uint8_t)(value >> 8);
	data[3] = (uint8_t)value;
}

static inline void
wire_store_u64be(uint8_t *data, uint64_t value)
{
	wire_store_u32be(data, (uint32_t)(value >> 32));
	wire_store_u32be(data + 4, (uint32_t)value);
}

#endif
