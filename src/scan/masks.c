/*
 * Which bytes of a block are digits, separators, '@' and so on, one bit a byte: the only part of the pass that depends on
 * the processor. All three ways give the same masks, and the fastest that the processor has is taken when first asked,
 * after it has shown on a sample that it does: a token that is not seen is a leak that is not found.
 */
#include <stdatomic.h>
#include <string.h>

#include "scan/scan_internal.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

/* Whether three bytes may begin a full-width digit or '@'; wide.c looks closer. */
static inline bool
is_wide(uint8_t a, uint8_t b, uint8_t c)
{
	switch (a) {
	case 0xef: return b == 0xbc && (uint8_t)(c - 0x90) <= 0x10;
	case 0x82: return (uint8_t)(b - 0x4f) <= 9;
	case 0x81: return b == 0x97;
	case 0xa3: return (uint8_t)(b - 0xb0) <= 9;
	case 0xa1: return b == 0xf7;
	case 0xff: return b == 0x20 || ((uint8_t)(b - 0x10) <= 9 && c == 0xff);
	case 0x20: return b == 0xff;
	default: return false;
	}
}

void
scan_masks_plain(const uint8_t *data, size_t blocks, struct scan_masks *masks)
{
	for (size_t block = 0; block < blocks; block++, data += SCAN_BLOCK) {
		struct scan_masks mask = {0};

		for (unsigned i = 0; i < SCAN_BLOCK; i++) {
			uint64_t bit = UINT64_C(1) << i;

			mask.digits |= scan_is(data[i], CLASS_DIGIT) ? bit : 0;
			mask.separators |= scan_is(data[i], CLASS_SEPARATOR) ? bit : 0;
			mask.ats |= data[i] == '@' ? bit : 0;
			mask.odd |= data[i] >= 0x80 || data[i] == 0 ? bit : 0;
			mask.wide |= is_wide(data[i], data[i + 1], data[i + 2]) ? bit : 0;
		}
		masks[block] = mask;
	}
}

#if defined(__x86_64__)

/* --- AVX2: two halves of 32 bytes ------------------------------------------------------------- */

#define AVX2 __attribute__((target("avx2")))

AVX2 static inline __m256i
load32(const uint8_t *data)
{
	return _mm256_loadu_si256((const __m256i_u *)(const void *)data);
}

AVX2 static inline __m256i
splat32(uint8_t byte)
{
	return _mm256_set1_epi8((char)byte);
}

/* first ≤ byte ≤ first + span, unsigned. */
AVX2 static inline __m256i
range32(__m256i bytes, uint8_t first, uint8_t span)
{
	__m256i offset = _mm256_sub_epi8(bytes, splat32(first));

	return _mm256_cmpeq_epi8(_mm256_min_epu8(offset, splat32(span)), offset);
}

AVX2 static inline __m256i
equal32(__m256i bytes, uint8_t byte)
{
	return _mm256_cmpeq_epi8(bytes, splat32(byte));
}

AVX2 static inline uint32_t
bits32(__m256i bytes)
{
	return (uint32_t)_mm256_movemask_epi8(bytes);
}

/*
 * Classes by nibbles: a byte is of a class if the entries of both its nibbles have the class's bit. The high nibbles
 * 0, 2, 3 and 4 are told apart; where bit 7 of a byte is set the low entry is 0.
 */
#define NUL     0x80 /* 00 */
#define DIGIT   0x40 /* 30 – 39 */
#define AT      0x20 /* 40 */
#define DIVIDER 0x10 /* 20 28 29 2d 2e */
#define LOW_0   (NUL | DIGIT | AT | DIVIDER)
#define LOW_8   (DIGIT | DIVIDER)

AVX2 static inline __m256i
classes32(__m256i bytes)
{
	const __m256i low = _mm256_broadcastsi128_si256(_mm_setr_epi8((char)LOW_0, DIGIT, DIGIT,
	    DIGIT, DIGIT, DIGIT, DIGIT, DIGIT, LOW_8, LOW_8, 0, 0, 0, DIVIDER, DIVIDER, 0));
	const __m256i high = _mm256_broadcastsi128_si256(
	    _mm_setr_epi8((char)NUL, 0, DIVIDER, DIGIT, AT, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0));
	__m256i high_nibbles = _mm256_and_si256(_mm256_srli_epi16(bytes, 4), splat32(0x0f));

	return _mm256_and_si256(
	    _mm256_shuffle_epi8(low, bytes), _mm256_shuffle_epi8(high, high_nibbles));
}

/* Of the wide characters only U+FF20 in UTF-16LE begins below 0x80: its second byte may be the first of the next block. */
static inline bool
begins_wide(const uint8_t *next)
{
	return *next == 0xff;
}

AVX2 static uint32_t
wide32(const uint8_t *data)
{
	__m256i a = load32(data);
	__m256i b = load32(data + 1);
	__m256i c = load32(data + 2);
	__m256i utf8 = _mm256_and_si256(
	    _mm256_and_si256(equal32(a, 0xef), equal32(b, 0xbc)), range32(c, 0x90, 0x10));
	__m256i ff = equal32(a, 0xff);
	__m256i utf16 = _mm256_or_si256(
	    _mm256_and_si256(_mm256_and_si256(ff, range32(b, 0x10, 9)), equal32(c, 0xff)),
	    _mm256_or_si256(_mm256_and_si256(ff, equal32(b, 0x20)),
		_mm256_and_si256(equal32(a, 0x20), equal32(b, 0xff))));
	__m256i cp932 = _mm256_or_si256(_mm256_and_si256(equal32(a, 0x82), range32(b, 0x4f, 9)),
	    _mm256_and_si256(equal32(a, 0x81), equal32(b, 0x97)));
	__m256i euc = _mm256_or_si256(_mm256_and_si256(equal32(a, 0xa3), range32(b, 0xb0, 9)),
	    _mm256_and_si256(equal32(a, 0xa1), equal32(b, 0xf7)));

	return bits32(_mm256_or_si256(_mm256_or_si256(utf8, utf16), _mm256_or_si256(cp932, euc)));
}

/* movemask takes bit 7 of each byte; the sum of a byte with itself moves the bit below it there. */
struct half {
	uint32_t odd, digits, ats, separators, high;
};

AVX2 static inline struct half
half32(const uint8_t *data)
{
	__m256i bytes = load32(data);
	__m256i nul = classes32(bytes);
	__m256i digit = _mm256_add_epi8(nul, nul);
	__m256i at = _mm256_add_epi8(digit, digit);

	return (struct half){
	    .odd = bits32(_mm256_or_si256(nul, bytes)),
	    .digits = bits32(digit),
	    .ats = bits32(at),
	    .separators = bits32(_mm256_add_epi8(at, at)),
	    .high = bits32(bytes),
	};
}

static inline uint64_t
joined(uint32_t low, uint32_t high)
{
	return (uint64_t)high << 32 | low;
}

AVX2 static void
masks_avx2(const uint8_t *data, size_t blocks, struct scan_masks *masks)
{
	for (size_t block = 0; block < blocks; block++, data += SCAN_BLOCK) {
		struct half low = half32(data);
		struct half high = half32(data + 32);

		masks[block].digits = joined(low.digits, high.digits);
		masks[block].separators = joined(low.separators, high.separators);
		masks[block].ats = joined(low.ats, high.ats);
		masks[block].odd = joined(low.odd, high.odd);
		masks[block].wide = (low.high | high.high) != 0 || begins_wide(data + SCAN_BLOCK)
		    ? joined(wide32(data), wide32(data + 32))
		    : 0;
	}
}

scan_masks_of
scan_masks_avx2(void)
{
	return __builtin_cpu_supports("avx2") ? masks_avx2 : NULL;
}

/* --- AVX-512: a block at once ----------------------------------------------------------------- */

#define AVX512 __attribute__((target("avx512f,avx512bw")))

AVX512 static inline __m512i
load64(const uint8_t *data)
{
	return _mm512_loadu_si512((const void *)data);
}

AVX512 static inline __m512i
splat64(uint8_t byte)
{
	return _mm512_set1_epi8((char)byte);
}

AVX512 static inline uint64_t
range64(__m512i bytes, uint8_t first, uint8_t span)
{
	return _mm512_cmple_epu8_mask(_mm512_sub_epi8(bytes, splat64(first)), splat64(span));
}

AVX512 static inline uint64_t
equal64(__m512i bytes, uint8_t byte)
{
	return _mm512_cmpeq_epi8_mask(bytes, splat64(byte));
}

AVX512 static uint64_t
wide64(const uint8_t *data)
{
	__m512i a = load64(data);
	__m512i b = load64(data + 1);
	__m512i c = load64(data + 2);

	return (equal64(a, 0xef) & equal64(b, 0xbc) & range64(c, 0x90, 0x10)) |
	    (equal64(a, 0xff) & range64(b, 0x10, 9) & equal64(c, 0xff)) |
	    (equal64(a, 0xff) & equal64(b, 0x20)) | (equal64(a, 0x20) & equal64(b, 0xff)) |
	    (equal64(a, 0x82) & range64(b, 0x4f, 9)) | (equal64(a, 0x81) & equal64(b, 0x97)) |
	    (equal64(a, 0xa3) & range64(b, 0xb0, 9)) | (equal64(a, 0xa1) & equal64(b, 0xf7));
}

AVX512 static void
masks_avx512(const uint8_t *data, size_t blocks, struct scan_masks *masks)
{
	for (size_t block = 0; block < blocks; block++, data += SCAN_BLOCK) {
		__m512i bytes = load64(data);
		uint64_t high = _mm512_movepi8_mask(bytes);

		masks[block] = (struct scan_masks){
		    .digits = range64(bytes, '0', 9),
		    .separators =
			equal64(bytes, ' ') | range64(bytes, '(', 1) | range64(bytes, '-', 1),
		    .ats = equal64(bytes, '@'),
		    .odd = high | equal64(bytes, 0),
		    .wide = high != 0 || begins_wide(data + SCAN_BLOCK) ? wide64(data) : 0,
		};
	}
}

scan_masks_of
scan_masks_avx512(void)
{
	return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")
	    ? masks_avx512
	    : NULL;
}

#else

scan_masks_of
scan_masks_avx2(void)
{
	return NULL;
}

scan_masks_of
scan_masks_avx512(void)
{
	return NULL;
}

#endif

/* --- the choice ------------------------------------------------------------------------------- */

static scan_masks_of
plain(void)
{
	return scan_masks_plain;
}

static const struct {
	const char *name;
	scan_masks_of (*get)(void);
} speeds[] = {{"avx512", scan_masks_avx512}, {"avx2", scan_masks_avx2}, {"plain", plain}};

static atomic_size_t chosen = AZ_ARRAY_SIZE(speeds); /* that many: not yet */

#define SAMPLE_BLOCKS 64u

/* Every byte value beside every kind of byte that matters. */
static void
sample_fill(uint8_t *sample)
{
	static const uint8_t marks[] = {0x00, ' ', '(', ')', '-', '.', '/', '0', '9', ':', '@',
	    0x4f, 0x58, 0x81, 0x82, 0x90, 0x97, 0xa0, 0xa1, 0xa3, 0xb0, 0xb9, 0xbc, 0xef, 0xf7,
	    0xff, 0x10, 0x20};
	uint32_t random = 1;

	for (size_t i = 0; i < SAMPLE_BLOCKS * SCAN_BLOCK + SCAN_PADDING; i++) {
		random = random * 1664525u + 1013904223u;
		sample[i] = (random >> 30) == 0 ? (uint8_t)(random >> 16)
						: marks[(random >> 16) % sizeof(marks)];
	}
}

static bool
agrees(scan_masks_of masks_of)
{
	uint8_t sample[SAMPLE_BLOCKS * SCAN_BLOCK + SCAN_PADDING];
	struct scan_masks one[SAMPLE_BLOCKS];
	struct scan_masks other[SAMPLE_BLOCKS];

	if (masks_of == NULL)
		return false;
	sample_fill(sample);
	scan_masks_plain(sample, SAMPLE_BLOCKS, one);
	masks_of(sample, SAMPLE_BLOCKS, other);
	return bytes_equal(bytes_make(one, sizeof(one)), bytes_make(other, sizeof(other)));
}

static size_t
choose(void)
{
	size_t i = atomic_load(&chosen);

	if (i < AZ_ARRAY_SIZE(speeds))
		return i;
	for (i = 0; !agrees(speeds[i].get());)
		i++;
	atomic_store(&chosen, i);
	return i;
}

scan_masks_of
scan_masks_best(void)
{
	return speeds[choose()].get();
}

const char *
scan_speed_name(void)
{
	return speeds[choose()].name;
}

bool
scan_speed_choose(const char *name)
{
	for (size_t i = 0; i < AZ_ARRAY_SIZE(speeds); i++) {
		if (strcmp(name, speeds[i].name) == 0 && agrees(speeds[i].get())) {
			atomic_store(&chosen, i);
			return true;
		}
	}
	return false;
}
