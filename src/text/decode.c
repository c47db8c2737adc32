/*
 * Decoding to UTF-8, a piece at a time.
 *
 * Each decoder walks its bytes once and writes UTF-8. What it cannot decode becomes one byte 0xff, which no reader takes
 * for text: the record around it is refused, and its neighbours are not. A character that is cut by the end of
 * a piece is left for the next one.
 *
 * A double byte that is wrong costs its lead only when its second byte is plain ASCII: else a broken character would
 * swallow the separator or line end behind it.
 */
#include <string.h>

#include "text/text_internal.h"

#define ESCAPE 0x1bu

/* The sets that ISO-2022-JP switches between; zero is where each text begins. */
enum { SET_ASCII = 0, SET_KANA, SET_JIS0208, SET_JIS0212 };

static uint8_t *
put_point(uint8_t *to, uint32_t point)
{
	if (point < 0x80) {
		*to++ = (uint8_t)point;
	} else if (point < 0x800) {
		*to++ = (uint8_t)(0xc0 | point >> 6);
		*to++ = (uint8_t)(0x80 | (point & 0x3f));
	} else if (point < 0x10000) {
		*to++ = (uint8_t)(0xe0 | point >> 12);
		*to++ = (uint8_t)(0x80 | (point >> 6 & 0x3f));
		*to++ = (uint8_t)(0x80 | (point & 0x3f));
	} else {
		*to++ = (uint8_t)(0xf0 | point >> 18);
		*to++ = (uint8_t)(0x80 | (point >> 12 & 0x3f));
		*to++ = (uint8_t)(0x80 | (point >> 6 & 0x3f));
		*to++ = (uint8_t)(0x80 | (point & 0x3f));
	}
	return to;
}

/* What stood at one place: how many bytes, and their character unless they are bad. No bytes: more are needed. */
struct taken {
	size_t size;
	uint32_t point;
	bool bad;
};

static struct taken
good(size_t size, uint32_t point)
{
	return (struct taken){.size = size, .point = point};
}

static struct taken
bad(size_t size)
{
	return (struct taken){.size = size, .bad = true};
}

/* What follows a lead that makes no character with its second byte. */
static struct taken
bad_pair(uint8_t second)
{
	return bad(second < 0x80 ? 1 : 2);
}

static struct taken
take_cp932(const uint8_t *data, size_t size, bool at_end)
{
	uint16_t point;

	if (data[0] >= 0xa1 && data[0] <= 0xdf)
		return good(1, 0xff61u + data[0] - 0xa1u);
	if (data[0] < 0x81 || data[0] == 0xa0 || data[0] > 0xfc)
		return bad(1);
	if (size < 2)
		return bad(at_end ? 1 : 0);
	point = table_cp932(data[0], data[1]);
	return point == 0 ? bad_pair(data[1]) : good(2, point);
}

static struct taken
take_euc(const uint8_t *data, size_t size, bool at_end)
{
	size_t need = data[0] == 0x8f ? 3 : 2;
	uint16_t point = 0;

	if (data[0] != 0x8e && data[0] != 0x8f && (data[0] < 0xa1 || data[0] == 0xff))
		return bad(1);
	for (size_t i = 1; i < need; i++) {
		if (i == size)
			return bad(at_end ? size : 0);
		if (data[i] < 0xa1 || data[i] == 0xff)
			return bad(data[i] < 0x80 ? i : i + 1);
	}
	if (data[0] == 0x8e)
		point = data[1] <= 0xdf ? (uint16_t)(0xff61u + data[1] - 0xa1u) : 0;
	else if (data[0] == 0x8f)
		point = table_jis0212((uint8_t)(data[1] - 0x80), (uint8_t)(data[2] - 0x80));
	else
		point = table_jis0208((uint8_t)(data[0] - 0x80), (uint8_t)(data[1] - 0x80));
	return point == 0 ? bad(need) : good(need, point);
}

static struct taken
take_utf16(const uint8_t *data, size_t size, bool at_end, bool big)
{
	unsigned int high = big ? 0 : 1;
	uint32_t first;
	uint32_t second;

	if (size < 2)
		return bad(at_end ? size : 0);
	first = (uint32_t)data[high] << 8 | data[1 - high];
	if (first < 0xd800 || first > 0xdfff)
		return good(2, first);
	if (first > 0xdbff)
		return bad(2);
	if (size < 4)
		return bad(at_end ? 2 : 0);
	second = (uint32_t)data[2 + high] << 8 | data[3 - high];
	if (second < 0xdc00 || second > 0xdfff)
		return bad(2);
	return good(4, 0x10000u + ((first - 0xd800u) << 10) + (second - 0xdc00u));
}

/* An escape sequence of ISO-2022-JP: its size, and the set it changes to; 0 is none, 1 may become one. */
static size_t
take_escape(const uint8_t *data, size_t size, uint8_t *set)
{
	static const struct {
		char text[5];
		uint8_t set;
	} escapes[] = {{"\x1b(B", SET_ASCII}, {"\x1b(J", SET_ASCII}, {"\x1b(I", SET_KANA},
	    {"\x1b$@", SET_JIS0208}, {"\x1b$B", SET_JIS0208}, {"\x1b$(D", SET_JIS0212}};

	for (size_t i = 0; i < AZ_ARRAY_SIZE(escapes); i++) {
		size_t length = strlen(escapes[i].text);
		size_t part = size < length ? size : length;

		if (!bytes_equal(bytes_make(data, part), bytes_make(escapes[i].text, part)))
			continue;
		if (part < length)
			return 1;
		*set = escapes[i].set;
		return length;
	}
	return 0;
}

/* Outside ASCII every byte but line ends belongs to a set; a line's end ends its set. */
static struct taken
take_2022(const uint8_t *data, size_t size, bool at_end, struct decode_state *state)
{
	uint16_t point;

	if (data[0] == '\n' || data[0] == '\r')
		state->set = SET_ASCII;
	if (data[0] < 0x21 || state->set == SET_ASCII)
		return data[0] < 0x80 ? good(1, data[0]) : bad(1);
	if (state->set == SET_KANA)
		return data[0] <= 0x5f ? good(1, 0xff61u + data[0] - 0x21u) : bad(1);
	if (size < 2)
		return bad(at_end ? 1 : 0);
	point = state->set == SET_JIS0208 ? table_jis0208(data[0], data[1])
					  : table_jis0212(data[0], data[1]);
	return point == 0 ? bad(data[1] < 0x21 ? 1 : 2) : good(2, point);
}

static struct taken
take(enum encoding encoding, struct decode_state *state, const uint8_t *data, size_t size,
    bool at_end)
{
	switch (encoding) {
	case ENCODING_CP932: return take_cp932(data, size, at_end);
	case ENCODING_EUCJP: return take_euc(data, size, at_end);
	case ENCODING_UTF16LE: return take_utf16(data, size, at_end, false);
	case ENCODING_UTF16BE: return take_utf16(data, size, at_end, true);
	case ENCODING_ISO2022JP: return take_2022(data, size, at_end, state);
	case ENCODING_UNDECIDED:
	case ENCODING_UTF8:
	case ENCODING_COUNT: break;
	}
	return bad(1);
}

/* Whether a byte below 0x80 is itself, whatever stands before it. */
static bool
has_plain_ascii(enum encoding encoding)
{
	return encoding == ENCODING_CP932 || encoding == ENCODING_EUCJP;
}

/* Copies bytes below 0x80, eight at a time. */
static void
copy_ascii(const uint8_t **from, const uint8_t *end, uint8_t **to, const uint8_t *to_end)
{
	uint64_t word;

	while (end - *from >= 8 && to_end - *to >= 8) {
		memcpy(&word, *from, sizeof(word));
		memcpy(*to, &word, sizeof(word));
		if ((word & UINT64_C(0x8080808080808080)) != 0)
			break;
		*from += 8;
		*to += 8;
	}
	while (*from < end && *to < to_end && **from < 0x80)
		*(*to)++ = *(*from)++;
}

size_t
decode_step(enum encoding encoding, struct decode_state *state, const uint8_t **from,
    const uint8_t *end, bool at_end, uint8_t **to, const uint8_t *to_end, size_t *ret_good)
{
	size_t bads = 0;

	while (*from < end && to_end - *to >= (ptrdiff_t)DECODE_STEP_MAX) {
		struct taken taken;

		if (has_plain_ascii(encoding) && **from < 0x80) {
			copy_ascii(from, end, to, to_end);
			continue;
		}
		if (encoding == ENCODING_ISO2022JP && **from == ESCAPE) {
			size_t size = take_escape(*from, (size_t)(end - *from), &state->set);

			if (size == 1 && !at_end)
				break;
			if (size > 1) {
				*from += size;
				continue;
			}
		}
		taken = take(encoding, state, *from, (size_t)(end - *from), at_end);
		if (taken.size == 0)
			break;
		if (taken.bad) {
			*(*to)++ = DECODE_BAD;
			bads++;
		} else {
			*to = put_point(*to, taken.point);
			*ret_good += taken.point >= 0x80 ? 1 : 0;
		}
		*from += taken.size;
	}
	return bads;
}
