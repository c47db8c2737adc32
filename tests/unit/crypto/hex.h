/*
 * Published vectors are written in hexadecimal.
 */
#ifndef AZ_TESTS_HEX_H
#define AZ_TESTS_HEX_H

#include <string.h>

#include "base/bytes.h"

#define HEX_MAX 512

/* The bytes that text stands for, in data; the test ends if it is not hexadecimal. */
static inline struct bytes
from_hex(const char *text, uint8_t data[HEX_MAX])
{
	size_t size = strlen(text) / 2;

	assert_true(size <= HEX_MAX && strlen(text) % 2 == 0);
	assert_true(hex_decode(text, data, size));
	return bytes_make(data, size);
}

static inline void
assert_hex(const uint8_t *data, const char *expected)
{
	uint8_t bytes[HEX_MAX];
	struct bytes range = from_hex(expected, bytes);

	assert_true(bytes_equal(bytes_make(data, range.size), range));
}

#endif
