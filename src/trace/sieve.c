/*
 * A Bloom filter of blocks (Putze, Sanders, Singler, "Cache-, Hash- and Space-Efficient Bloom Filters", 2007), in the form
 * that Apache Parquet made common: a print chooses a block of 256 bits by its upper half, and one bit in each of the
 * block's eight words by its lower half.
 *
 *	print  ├──── which block ────┤├── × 8 odd numbers: a bit in each word ──┤
 *
 * A block lies in one line of the cache, so a question costs one look at memory, which can be asked for beforehand; and it
 * is filled print by print, so that nothing else holds all prints of a house at once. (A binary fuse filter would be two
 * thirds of the size, but wants all of them in memory to be built, and three looks.) 16 bits a print: one in 300.
 */
#include "trace/sieve.h"

#include <stdlib.h>

#include "base/secret.h"

#define BITS_EACH 16u
#define WORDS     8u
#define LEAST     64u /* blocks */

struct block {
	uint32_t words[WORDS];
};

struct trace_sieve {
	struct pages pages;
	struct block *blocks;
	uint64_t count;
};

/* Odd, and far from each other: those of Parquet's format. */
static const uint32_t salts[WORDS] = {
    0x47b6137b, 0x44974d91, 0x8824ad5b, 0xa2b7289d, 0x705495c7, 0x2df1424b, 0x9efc4947, 0x5c6bfb31};

enum az_status
trace_sieve_new(size_t prints, struct trace_sieve **ret_sieve, struct az_err *reterr)
{
	struct trace_sieve *sieve;
	size_t count = prints / (8 * sizeof(struct block) / BITS_EACH) + LEAST;

	if (prints > UINT32_MAX)
		return az_fail(reterr, AZ_LIMIT, "there are too many fingerprints for one sieve");
	sieve = calloc(1, sizeof(*sieve));
	if (sieve == NULL || !pages_new(count * sizeof(struct block), &sieve->pages)) {
		free(sieve);
		return az_fail(reterr, AZ_NO_MEMORY, "sieve: out of memory");
	}
	sieve->blocks = sieve->pages.data;
	sieve->count = count;
	*ret_sieve = sieve;
	return AZ_OK;
}

void
trace_sieve_free(struct trace_sieve **sieve)
{
	if (*sieve == NULL)
		return;
	pages_free(&(*sieve)->pages);
	free(*sieve);
	*sieve = NULL;
}

static inline struct block *
block_of(const struct trace_sieve *sieve, uint64_t print)
{
	return &sieve->blocks[(print >> 32) * sieve->count >> 32];
}

void
trace_sieve_add(struct trace_sieve *sieve, uint64_t print)
{
	struct block *block = block_of(sieve, print);

	for (unsigned int i = 0; i < WORDS; i++)
		block->words[i] |= UINT32_C(1) << ((uint32_t)print * salts[i] >> 27);
}

void
trace_sieve_fetch(const struct trace_sieve *sieve, uint64_t print)
{
	__builtin_prefetch(block_of(sieve, print));
}

bool
trace_sieve_holds(const struct trace_sieve *sieve, uint64_t print)
{
	const struct block *block = block_of(sieve, print);
	uint32_t missing = 0;

	for (unsigned int i = 0; i < WORDS; i++)
		missing |= ~block->words[i] & UINT32_C(1) << ((uint32_t)print * salts[i] >> 27);
	return missing == 0;
}

size_t
trace_sieve_size(const struct trace_sieve *sieve)
{
	return sieve->pages.size;
}
