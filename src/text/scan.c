/*
 * Looking at 64 bytes at once.
 *
 * Most bytes of a list are inside values and of no interest to who cuts it. Four comparisons of 16 bytes each (SSE2, which
 * every x86-64 has) say which are; elsewhere the same is done with words of eight bytes.
 *
 *	control, line ends: byte <= 0x1f, which is min(byte, 0x1f) == byte; DEL, quote and separator by equality
 */
#include <string.h>

#include "text/text_internal.h"

#if defined(__SSE2__)

#include <emmintrin.h>

uint64_t
scan_block(const uint8_t *data, uint8_t delimiter, uint64_t *ret_high)
{
	const __m128i low = _mm_set1_epi8(0x1f);
	const __m128i del = _mm_set1_epi8(0x7f);
	const __m128i quote = _mm_set1_epi8('"');
	const __m128i cut = _mm_set1_epi8((char)delimiter);
	uint64_t found = 0;
	uint64_t high = 0;

	for (unsigned int i = 0; i < 4; i++) {
		__m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)(data + 16 * i));
		__m128i hits =
		    _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(_mm_min_epu8(bytes, low), bytes),
				     _mm_cmpeq_epi8(bytes, del)),
			_mm_or_si128(_mm_cmpeq_epi8(bytes, quote), _mm_cmpeq_epi8(bytes, cut)));

		found |= (uint64_t)(uint32_t)_mm_movemask_epi8(hits) << (16 * i);
		high |= (uint64_t)(uint32_t)_mm_movemask_epi8(bytes) << (16 * i);
	}
	*ret_high = high;
	return found;
}

#else

#define ONES  UINT64_C(0x0101010101010101)
#define HIGHS UINT64_C(0x8080808080808080)

/* The high bit of each byte below 0x80 of word that is zero; exact, since no carry leaves a byte. */
static uint64_t
zeros_of(uint64_t word)
{
	return ~(((word & ~HIGHS) + ~HIGHS) | word) & HIGHS;
}

/* The high bits of eight bytes, gathered into the low byte. */
static uint64_t
gather(uint64_t highs)
{
	return ((highs >> 7) * UINT64_C(0x0102040810204080)) >> 56;
}

uint64_t
scan_block(const uint8_t *data, uint8_t delimiter, uint64_t *ret_high)
{
	uint64_t found = 0;
	uint64_t high = 0;

	for (unsigned int i = 0; i < 8; i++) {
		uint64_t word = 0;
		uint64_t hits;

		/* Byte 0 lowest, on any machine. */
		for (unsigned int byte = 8; byte > 0; byte--)
			word = word << 8 | data[8 * i + byte - 1];
		hits = zeros_of(word & (ONES * 0xe0)) | zeros_of(word ^ (ONES * 0x7f)) |
		    zeros_of(word ^ (ONES * '"')) | zeros_of(word ^ (ONES * delimiter));
		found |= gather(hits) << (8 * i);
		high |= gather(word & HIGHS) << (8 * i);
	}
	*ret_high = high;
	return found;
}

#endif
