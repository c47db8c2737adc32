/*
 * One pass puts each entry into the one of up to 16,384 places that the bits behind the common ones name; what
 * shares a place, a few for tokens and fingerprints, is sorted by inserting. Where very many share one, as all
 * people of one common name do, they are merged: runs that ascend already, of which there are few if entries came
 * in the order of what they are told apart by.
 */
#include "base/sort.h"

#include <assert.h>
#include <string.h>

#include "base/bytes.h"

#define PLACE_BITS_LEAST 6u
#define PLACE_BITS_MOST  14u /* the counts of the places still lie in the processor's nearer cache */
#define PLACE_USUAL      8u  /* entries of a place, where it can be chosen */
#define COMPARED_MOST    96u /* entries of a place that are sorted by insertion */
#define FEW              48u /* entries that are sorted so without a first pass */

/* The first eight bytes as a number of the same order; here, so that the loops below have it inside. */
static inline uint64_t
head_of(const uint8_t *entry)
{
	uint64_t head;

	memcpy(&head, entry, sizeof(head));
	return __builtin_bswap64(head);
}

/* Whether a comes before b: their first eight bytes decide nearly always. */
static bool
is_before(const uint8_t *a, const uint8_t *b, size_t size)
{
	uint64_t first = head_of(a);
	uint64_t second = head_of(b);

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

/* The end of the run that begins at start. */
static size_t
run_end(const uint8_t *entries, size_t start, size_t count, size_t size)
{
	size_t end = start + 1;

	while (end < count && !is_before(entries + end * size, entries + (end - 1) * size, size))
		end++;
	return end;
}

/* Merges from[start..middle) and from[middle..end) to the same place of to. */
static void
merge(uint8_t *to, const uint8_t *from, size_t start, size_t middle, size_t end, size_t size)
{
	size_t left = start;
	size_t right = middle;

	for (size_t at = start; at < end; at++) {
		bool take_right = left == middle ||
		    (right < end && is_before(from + right * size, from + left * size, size));
		size_t *taken = take_right ? &right : &left;

		memcpy(to + at * size, from + *taken * size, size);
		(*taken)++;
	}
}

/* Each pass merges pairs of neighbouring runs, until one run is left: at most log2(count) passes. */
static void
sort_many(uint8_t *entries, uint8_t *scratch, size_t count, size_t size)
{
	uint8_t *from = entries;
	uint8_t *to = scratch;
	size_t runs = 2;

	while (runs > 1) {
		uint8_t *swap = from;

		runs = 0;
		for (size_t start = 0; start < count; runs++) {
			size_t middle = run_end(from, start, count, size);
			size_t end = middle == count ? count : run_end(from, middle, count, size);

			if (middle == count && start == 0)
				break; /* one run */
			merge(to, from, start, middle, end, size);
			start = end;
		}
		if (runs == 0)
			break;
		from = to;
		to = swap;
	}
	if (from != entries)
		memcpy(entries, from, count * size);
}

static inline uint32_t
place_of(const uint8_t *entry, unsigned int skip, unsigned int bits)
{
	return (uint32_t)(head_of(entry) << skip >> (64 - bits));
}

/* Copies all entries to scratch, those of one place together; where each place ends. */
static void
scatter(const uint8_t *entries, uint8_t *scratch, size_t count, size_t size, unsigned int skip,
    unsigned int bits, uint32_t *ends)
{
	uint32_t start = 0;

	for (size_t i = 0; i < count; i++)
		ends[place_of(entries + i * size, skip, bits)]++;
	for (size_t place = 0; place < (size_t)1 << bits; place++) {
		uint32_t here = ends[place];

		ends[place] = start;
		start += here;
	}
	for (size_t i = 0; i < count; i++) {
		const uint8_t *entry = entries + i * size;

		memcpy(scratch + (size_t)ends[place_of(entry, skip, bits)]++ * size, entry, size);
	}
}

void
sort_entries(uint8_t *entries, uint8_t *scratch, size_t count, size_t size, unsigned int skip)
{
	uint32_t ends[1u << PLACE_BITS_MOST] = {0};
	unsigned int bits = PLACE_BITS_LEAST;
	size_t start = 0;

	assert(size >= SORT_SIZE_MIN && size <= SORT_SIZE_MAX && skip <= 32 && count <= UINT32_MAX);
	if (count <= FEW) {
		sort_few(entries, count, size);
		return;
	}
	while (bits < PLACE_BITS_MOST && count >> bits > PLACE_USUAL)
		bits++;
	scatter(entries, scratch, count, size, skip, bits, ends);
	memcpy(entries, scratch, count * size);
	for (size_t place = 0; place < (size_t)1 << bits; place++) {
		size_t here = ends[place] - start;

		if (here <= COMPARED_MOST)
			sort_few(entries + start * size, here, size);
		else
			sort_many(entries + start * size, scratch + start * size, here, size);
		start = ends[place];
	}
}
