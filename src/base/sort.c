/*
 * One pass puts each entry into the one of up to 4,096 places that the bits behind the common ones name; what
 * shares a place, a few tens for tokens and fingerprints, is sorted by comparing. Where very many share one, as
 * the members of a household do, the C library sorts it.
 */
#include "base/sort.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/wire.h"

#define PLACE_BITS    12u
#define PLACES        (1u << PLACE_BITS)
#define COMPARED_MOST 96u /* entries of a place that are sorted by insertion */
#define FEW           48u /* entries that are sorted so without a first pass */

/* Whether a comes before b: their first eight bytes decide nearly always. */
static bool
is_before(const uint8_t *a, const uint8_t *b, size_t size)
{
	uint64_t first = wire_load_u64be(a);
	uint64_t second = wire_load_u64be(b);

	if (first != second)
		return first < second;
	return bytes_compare(bytes_make(a + 8, size - 8), bytes_make(b + 8, size - 8)) < 0;
}

static void
sort_few(uint8_t *entries, size_t count, size_t size)
{
	uint8_t entry[SORT_SIZE_MAX];

	for (size_t i = 1; i < count; i++) {
		size_t to = i;

		if (!is_before(entries + i * size, entries + (i - 1) * size, size))
			continue;
		memcpy(entry, entries + i * size, size);
		while (to > 0 && is_before(entry, entries + (to - 1) * size, size))
			to--;
		memmove(entries + (to + 1) * size, entries + to * size, (i - to) * size);
		memcpy(entries + to * size, entry, size);
	}
	az_wipe(entry, size);
}

static int
compare(const void *a, const void *b, void *arg)
{
	size_t size = *(const size_t *)arg;

	return bytes_compare(bytes_make(a, size), bytes_make(b, size));
}

static uint32_t
place_of(const uint8_t *entry, unsigned int skip)
{
	return (uint32_t)(wire_load_u64be(entry) << skip >> (64 - PLACE_BITS));
}

void
sort_entries(uint8_t *entries, uint8_t *scratch, size_t count, size_t size, unsigned int skip)
{
	size_t ends[PLACES] = {0};
	size_t start = 0;

	assert(size >= SORT_SIZE_MIN && size <= SORT_SIZE_MAX && skip <= 32);
	if (count <= FEW) {
		sort_few(entries, count, size);
		return;
	}
	for (size_t i = 0; i < count; i++)
		ends[place_of(entries + i * size, skip)]++;
	for (size_t place = 0; place < PLACES; place++) {
		size_t here = ends[place];

		ends[place] = start;
		start += here;
	}
	for (size_t i = 0; i < count; i++) {
		const uint8_t *entry = entries + i * size;

		memcpy(scratch + ends[place_of(entry, skip)]++ * size, entry, size);
	}
	memcpy(entries, scratch, count * size);
	start = 0;
	for (size_t place = 0; place < PLACES; place++) {
		size_t here = ends[place] - start;

		if (here <= COMPARED_MOST)
			sort_few(entries + start * size, here, size);
		else
			qsort_r(entries + start * size, here, size, compare, &size);
		start = ends[place];
	}
}
