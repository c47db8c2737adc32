/*
 * Bytes of any kind: the pass must find the same wherever they are cut and whichever way the processor is used, and each
 * token must lie within them.
 */
#include <assert.h>
#include <stdlib.h>

#include "scan/scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was found, in any order. */
struct sum {
	uint64_t count, places, kinds;
	size_t size;
};

static void
note(void *arg, const struct scan_hit *hit)
{
	struct sum *sum = arg;

	assert(hit->kind < SCAN_KINDS && hit->size > 0);
	assert(hit->at + hit->size <= sum->size);
	sum->count++;
	sum->places += (hit->at * 31 + hit->size) * (hit->kind + 1);
	sum->kinds += hit->kind;
}

static struct sum
scan(const uint8_t *data, size_t size, size_t piece)
{
	struct sum sum = {.size = size};
	struct scan_pass *pass = NULL;

	if (scan_pass_new(note, &sum, &pass, NULL) != AZ_OK)
		abort();
	for (size_t at = 0; at < size; at += piece)
		scan_pass_feed(pass, bytes_make(data + at, size - at < piece ? size - at : piece));
	scan_pass_end(pass);
	scan_pass_free(&pass);
	return sum;
}

static void
same(struct sum one, struct sum other)
{
	assert(one.count == other.count && one.places == other.places && one.kinds == other.kinds);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sum whole;

	(void)scan_speed_choose("plain");
	whole = scan(data, size, SIZE_MAX / 2);
	same(scan(data, size, 7), whole);
	if (scan_speed_choose("avx2"))
		same(scan(data, size, SIZE_MAX / 2), whole);
	if (scan_speed_choose("avx512"))
		same(scan(data, size, SIZE_MAX / 2), whole);
	return 0;
}
