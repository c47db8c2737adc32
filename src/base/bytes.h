/*
 * Ranges of bytes and growable buffers.
 *
 * struct bytes is a borrowed range: it never owns. struct buffer owns; it is born with the largest
 * size it may ever reach and refuses to grow past it. A buffer marked as sensitive wipes every block
 * of memory it leaves.
 */
#ifndef AZ_BASE_BYTES_H
#define AZ_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

struct bytes {
	const uint8_t *data;
	size_t size;
};

/* A range over a C string, without its NUL. The string must outlive the range. */
struct bytes bytes_of(const char *text);
static inline struct bytes
bytes_make(const void *data, size_t size)
{
	return (struct bytes){.data = data, .size = size};
}

/* Equality in time that depends on the sizes only. Use for everything, public or secret. */
bool bytes_equal(struct bytes a, struct bytes b);

/* Order of unsigned bytes, shorter first on a common prefix; for public values only. */
int bytes_compare(struct bytes a, struct bytes b);

/* Strict UTF-8 (RFC 3629): no overlong forms, no surrogates, nothing above U+10FFFF. */
bool bytes_are_utf8(struct bytes bytes);

/* For a large variable that is filled before it is read, and would cost time to clear on every row. */
#define AZ_UNCLEARED __attribute__((uninitialized))

/* Overwrites size bytes with zeros in a way the compiler may not remove. data may be NULL if size is 0. */
void az_wipe(void *data, size_t size) __attribute__((noinline));

/* Sum and product that report overflow instead of wrapping; *ret is written only when true. */
bool az_add(size_t a, size_t b, size_t *ret) AZ_CHECKED;
bool az_mul(size_t a, size_t b, size_t *ret) AZ_CHECKED;

struct buffer {
	uint8_t *data;
	size_t size;
	size_t room;
	size_t max;
	bool sensitive;
};

/* The caller owns the storage. max bounds size for ever; 0 < max. Nothing is allocated yet. */
void buffer_init(struct buffer *buffer, size_t max, bool sensitive);

/* Releases the contents (wiped if sensitive) and leaves an empty buffer that may be used again. */
void buffer_fini(struct buffer *buffer);

/* Makes room for extra more bytes. AZ_LIMIT past max, AZ_NO_MEMORY; the contents stay as they were. */
AZ_CHECKED enum az_status buffer_reserve(struct buffer *buffer, size_t extra);

/* Appends a copy of bytes; bytes must not lie inside the buffer. Fails as buffer_reserve. */
AZ_CHECKED enum az_status buffer_append(struct buffer *buffer, struct bytes bytes);

/* Empties it, keeping the memory (wiped if sensitive). */
void buffer_clear(struct buffer *buffer);

/* Drops the first size bytes; size <= buffer->size. */
void buffer_consume(struct buffer *buffer, size_t size);

/* The contents, borrowed until the next change. */
struct bytes buffer_peek(const struct buffer *buffer);

/* The sum that zip, gzip and xz end with (ISO 3309): against damage, not against anybody. */
uint32_t bytes_crc32(struct bytes bytes);

/* Lower-case hexadecimal. text needs 2 * bytes.size + 1 bytes of room. */
void hex_encode(struct bytes bytes, char *text);

/*
 * Decodes exactly size bytes from text of 2 * size digits of either case; false, and data untouched,
 * on anything else. Like hex_encode and base64, free of branches and lookups that depend on the data.
 */
bool hex_decode(const char *text, uint8_t *data, size_t size) AZ_CHECKED;

/*
 * RFC 4648 base64 with padding, appended to buffer: the text, or the decoded bytes. Strict: AZ_INVALID
 * for any text but the one that base64_encode would give. Else fails as buffer_reserve.
 */
AZ_CHECKED enum az_status base64_encode(struct bytes bytes, struct buffer *buffer);
AZ_CHECKED enum az_status base64_decode(struct bytes text, struct buffer *buffer);

#endif
