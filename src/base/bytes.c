/*
 * Ranges, buffers and the two text forms of bytes.
 *
 * Hexadecimal and base64 carry keys, so both ways are written without a branch or a table index that
 * depends on the data: a cache or a branch predictor shared with another process tells it nothing.
 * Each digit's value is a sum of masks, one for each range of the alphabet; a mask is all ones where
 * lo <= c <= hi, computed from the borrow of two subtractions. Sizes and validity are not secret.
 */
#include "base/bytes.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define BUFFER_ROOM_MIN 128

struct bytes
bytes_of(const char *text)
{
	return bytes_make(text, strlen(text));
}

bool
bytes_equal(struct bytes a, struct bytes b)
{
	uint8_t difference = 0;

	if (a.size != b.size)
		return false;
	for (size_t i = 0; i < a.size; i++)
		difference |= a.data[i] ^ b.data[i];
	/* Hides the value from the optimiser, which might else turn the loop into one that ends early. */
	__asm__ volatile("" : "+r"(difference));
	return difference == 0;
}

int
bytes_compare(struct bytes a, struct bytes b)
{
	size_t common = a.size < b.size ? a.size : b.size;
	int order = common > 0 ? memcmp(a.data, b.data, common) : 0;

	if (order != 0)
		return order < 0 ? -1 : 1;
	return (a.size > b.size) - (a.size < b.size);
}

void
az_wipe(void *data, size_t size)
{
	if (size > 0)
		explicit_bzero(data, size);
}

bool
az_add(size_t a, size_t b, size_t *ret)
{
	size_t sum = 0;

	if (__builtin_add_overflow(a, b, &sum))
		return false;
	*ret = sum;
	return true;
}

bool
az_mul(size_t a, size_t b, size_t *ret)
{
	size_t product = 0;

	if (__builtin_mul_overflow(a, b, &product))
		return false;
	*ret = product;
	return true;
}

void
buffer_init(struct buffer *buffer, size_t max, bool sensitive)
{
	assert(max > 0);
	*buffer = (struct buffer){.max = max, .sensitive = sensitive};
}

void
buffer_fini(struct buffer *buffer)
{
	if (buffer->sensitive && buffer->data)
		az_wipe(buffer->data, buffer->room);
	free(buffer->data);
	buffer->data = NULL;
	buffer->size = 0;
	buffer->room = 0;
}

/* Moves the contents to a block of room bytes. Not realloc, which would leave a copy behind. */
static enum az_status
buffer_move(struct buffer *buffer, size_t room)
{
	uint8_t *data = malloc(room);

	if (!data)
		return AZ_NO_MEMORY;
	if (buffer->size > 0)
		memcpy(data, buffer->data, buffer->size);
	if (buffer->sensitive && buffer->data)
		az_wipe(buffer->data, buffer->room);
	free(buffer->data);
	buffer->data = data;
	buffer->room = room;
	return AZ_OK;
}

enum az_status
buffer_reserve(struct buffer *buffer, size_t extra)
{
	size_t wanted = 0;

	if (extra <= buffer->room - buffer->size)
		return AZ_OK;
	if (!az_add(buffer->size, extra, &wanted) || wanted > buffer->max)
		return AZ_LIMIT;

	/* Doubling, so that appending is linear; capped, so that max is a promise about memory too. */
	size_t room = buffer->room > buffer->max / 2 ? buffer->max : buffer->room * 2;
	if (room < BUFFER_ROOM_MIN)
		room = BUFFER_ROOM_MIN;
	if (room > buffer->max)
		room = buffer->max;
	if (room < wanted)
		room = wanted;
	return buffer_move(buffer, room);
}

enum az_status
buffer_append(struct buffer *buffer, struct bytes bytes)
{
	enum az_status status = buffer_reserve(buffer, bytes.size);

	if (status != AZ_OK)
		return status;
	if (bytes.size > 0)
		memcpy(buffer->data + buffer->size, bytes.data, bytes.size);
	buffer->size += bytes.size;
	return AZ_OK;
}

void
buffer_clear(struct buffer *buffer)
{
	if (buffer->sensitive)
		az_wipe(buffer->data, buffer->size);
	buffer->size = 0;
}

void
buffer_consume(struct buffer *buffer, size_t size)
{
	assert(size <= buffer->size);
	size_t rest = buffer->size - size;

	if (size == 0)
		return;
	if (rest > 0)
		memmove(buffer->data, buffer->data + size, rest);
	if (buffer->sensitive)
		az_wipe(buffer->data + rest, size);
	buffer->size = rest;
}

struct bytes
buffer_peek(const struct buffer *buffer)
{
	return bytes_make(buffer->data, buffer->size);
}

/* All ones if lo <= c <= hi, else zero. */
static uint32_t
range_mask(uint32_t c, uint32_t lo, uint32_t hi)
{
	/* Bit 8 of each difference is set where the subtraction borrowed. */
	uint32_t outside = ((c - lo) | (hi - c)) >> 8 & 1;

	return outside - 1;
}

static char
hex_digit(uint32_t value)
{
	return (char)('0' + value + (range_mask(value, 10, 15) & ('a' - '0' - 10)));
}

/* The value of a digit, or a number above 255. */
static uint32_t
hex_value(char digit)
{
	uint32_t c = (uint8_t)digit;
	uint32_t number = range_mask(c, '0', '9');
	uint32_t upper = range_mask(c, 'A', 'F');
	uint32_t lower = range_mask(c, 'a', 'f');
	uint32_t value = (number & (c - '0')) | (upper & (c - 'A' + 10)) | (lower & (c - 'a' + 10));

	return value | (~(number | upper | lower) & 0x100);
}

void
hex_encode(struct bytes bytes, char *text)
{
	for (size_t i = 0; i < bytes.size; i++) {
		text[2 * i] = hex_digit(bytes.data[i] >> 4);
		text[2 * i + 1] = hex_digit(bytes.data[i] & 15);
	}
	text[2 * bytes.size] = '\0';
}

bool
hex_decode(const char *text, uint8_t *data, size_t size)
{
	uint32_t bad = 0;
	size_t digits = 0;

	if (!az_mul(size, 2, &digits) || strlen(text) != digits)
		return false;
	for (size_t i = 0; i < digits; i++)
		bad |= hex_value(text[i]);
	if (bad > 0xff)
		return false;
	for (size_t i = 0; i < size; i++)
		data[i] = (uint8_t)(hex_value(text[2 * i]) << 4 | hex_value(text[2 * i + 1]));
	return true;
}

static uint8_t
base64_digit(uint32_t value)
{
	uint32_t c = range_mask(value, 0, 25) & (value + 'A');

	c |= range_mask(value, 26, 51) & (value - 26 + 'a');
	c |= range_mask(value, 52, 61) & (value - 52 + '0');
	c |= range_mask(value, 62, 62) & '+';
	c |= range_mask(value, 63, 63) & '/';
	return (uint8_t)c;
}

/* The value of a digit, or a number above 255. */
static uint32_t
base64_value(uint32_t c)
{
	uint32_t upper = range_mask(c, 'A', 'Z');
	uint32_t lower = range_mask(c, 'a', 'z');
	uint32_t number = range_mask(c, '0', '9');
	uint32_t plus = range_mask(c, '+', '+');
	uint32_t slash = range_mask(c, '/', '/');
	uint32_t value = (upper & (c - 'A')) | (lower & (c - 'a' + 26)) |
	    (number & (c - '0' + 52)) | (plus & 62) | (slash & 63);

	return value | (~(upper | lower | number | plus | slash) & 0x100);
}

enum az_status
base64_encode(struct bytes bytes, struct buffer *buffer)
{
	enum az_status status = AZ_INTERNAL;
	size_t size = 0;

	if (!az_mul(bytes.size / 3 + (bytes.size % 3 != 0), 4, &size))
		return AZ_LIMIT;
	status = buffer_reserve(buffer, size);
	if (status != AZ_OK)
		return status;

	uint8_t *out = buffer->data + buffer->size;
	for (size_t i = 0; i < bytes.size; i += 3) {
		size_t left = bytes.size - i;
		uint32_t group = (uint32_t)bytes.data[i] << 16;
		group |= left > 1 ? (uint32_t)bytes.data[i + 1] << 8 : 0;
		group |= left > 2 ? (uint32_t)bytes.data[i + 2] : 0;
		*out++ = base64_digit(group >> 18);
		*out++ = base64_digit(group >> 12 & 63);
		*out++ = left > 1 ? base64_digit(group >> 6 & 63) : '=';
		*out++ = left > 2 ? base64_digit(group & 63) : '=';
	}
	buffer->size += size;
	return AZ_OK;
}

/* The decoded size of text, or false if it is not the one base64 form of some bytes. */
static bool
base64_check(struct bytes text, size_t *ret_size)
{
	size_t digits = text.size;
	uint32_t bad = 0;

	if (text.size % 4 != 0)
		return false;
	while (digits > 0 && text.size - digits < 2 && text.data[digits - 1] == '=')
		digits--;
	for (size_t i = 0; i < digits; i++)
		bad |= base64_value(text.data[i]);
	/* Bits that the padding cuts off must be zero, else several texts would mean the same bytes. */
	if (digits % 4 == 2)
		bad |= (base64_value(text.data[digits - 1]) & 15) << 8;
	if (digits % 4 == 3)
		bad |= (base64_value(text.data[digits - 1]) & 3) << 8;
	if (bad > 0xff)
		return false;
	*ret_size = text.size / 4 * 3 - (text.size - digits);
	return true;
}

enum az_status
base64_decode(struct bytes text, struct buffer *buffer)
{
	enum az_status status = AZ_INTERNAL;
	size_t size = 0;
	uint32_t bits = 0;

	if (!base64_check(text, &size))
		return AZ_INVALID;
	/* Nothing may be allocated yet, and no offset may be put to a null pointer. */
	if (size == 0)
		return AZ_OK;
	status = buffer_reserve(buffer, size);
	if (status != AZ_OK)
		return status;

	uint8_t *out = buffer->data + buffer->size;
	for (size_t i = 0, done = 0; done < size; i++) {
		bits = bits << 6 | base64_value(text.data[i]);
		if (i % 4 != 0)
			out[done++] = (uint8_t)(bits >> (6 - i % 4 * 2));
	}
	buffer->size += size;
	return AZ_OK;
}

bool
bytes_are_utf8(struct bytes bytes)
{
	size_t i = 0;

	while (i < bytes.size) {
		uint8_t lead = bytes.data[i];
		unsigned int more;
		uint32_t point;
		uint32_t least;

		/* ASCII, eight at a time. */
		if (lead < 0x80 && bytes.size - i >= 8) {
			uint64_t word;

			memcpy(&word, bytes.data + i, sizeof(word));
			if ((word & UINT64_C(0x8080808080808080)) == 0) {
				i += 8;
				continue;
			}
		}
		/* Kana and kanji, without a branch for each byte. */
		if (lead >= 0xe1 && lead <= 0xec && bytes.size - i >= 3 &&
		    ((bytes.data[i + 1] ^ 0x80u) | (bytes.data[i + 2] ^ 0x80u)) < 0x40) {
			i += 3;
			continue;
		}
		i++;
		if (lead < 0x80)
			continue;
		if (lead >= 0xc2 && lead <= 0xdf) {
			more = 1;
			point = lead & 0x1fu;
			least = 0x80;
		} else if (lead >= 0xe0 && lead <= 0xef) {
			more = 2;
			point = lead & 0x0fu;
			least = 0x800;
		} else if (lead >= 0xf0 && lead <= 0xf4) {
			more = 3;
			point = lead & 0x07u;
			least = 0x10000;
		} else {
			return false;
		}
		for (; more > 0; more--) {
			if (i == bytes.size || (bytes.data[i] & 0xc0) != 0x80)
				return false;
			point = point << 6 | (bytes.data[i++] & 0x3fu);
		}
		if (point < least || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
			return false;
	}
	return true;
}

/* --- sums ------------------------------------------------------------------------------------- */

uint32_t
bytes_crc32(struct bytes bytes)
{
	uint32_t table[256];
	uint32_t crc = UINT32_MAX;

	for (uint32_t i = 0; i < 256; i++) {
		table[i] = i;
		for (unsigned int bit = 0; bit < 8; bit++)
			table[i] = table[i] >> 1 ^ (table[i] & 1 ? UINT32_C(0xedb88320) : 0);
	}
	for (size_t i = 0; i < bytes.size; i++)
		crc = table[(crc ^ bytes.data[i]) & 0xff] ^ crc >> 8;
	return ~crc;
}
