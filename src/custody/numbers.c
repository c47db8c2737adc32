/*
 * The numbers seen in a list, so that the second of two rows with the same one is refused: a set of keyed
 * digests in open addressing. The digests are as good as random, so their own bytes are the hash.
 */
#include <stdlib.h>
#include <string.h>

#include "custody/bulk.h"

#define ROOM_FIRST 1024u

void
number_set_fini(struct number_set *set)
{
	free(set->slots);
	*set = (struct number_set){0};
}

static bool
is_free(const uint8_t slot[CATALOGUE_DIGEST_SIZE])
{
	static const uint8_t zeros[CATALOGUE_DIGEST_SIZE];

	return bytes_equal(
	    bytes_make(slot, CATALOGUE_DIGEST_SIZE), bytes_make(zeros, sizeof(zeros)));
}

/* The slot that holds digest, or the free one where it belongs. */
static uint8_t *
find(const struct number_set *set, const uint8_t digest[CATALOGUE_DIGEST_SIZE])
{
	size_t slot = (size_t)wire_load_u64(digest) & (set->room - 1);

	while (!is_free(set->slots[slot]) &&
	    !bytes_equal(bytes_make(set->slots[slot], CATALOGUE_DIGEST_SIZE),
		bytes_make(digest, CATALOGUE_DIGEST_SIZE)))
		slot = (slot + 1) & (set->room - 1);
	return set->slots[slot];
}

static bool
grow(struct number_set *set)
{
	struct number_set larger = {
	    .room = set->room == 0 ? ROOM_FIRST : 2 * set->room, .count = set->count};

	larger.slots = calloc(larger.room, sizeof(*larger.slots));
	if (larger.slots == NULL)
		return false;
	for (size_t i = 0; i < set->room; i++) {
		if (!is_free(set->slots[i]))
			memcpy(find(&larger, set->slots[i]), set->slots[i], CATALOGUE_DIGEST_SIZE);
	}
	free(set->slots);
	*set = larger;
	return true;
}

enum az_status
number_set_add(struct number_set *set, const uint8_t digest[CATALOGUE_DIGEST_SIZE])
{
	uint8_t *slot;

	if (2 * (set->count + 1) > set->room && !grow(set))
		return AZ_NO_MEMORY;
	slot = find(set, digest);
	if (!is_free(slot))
		return AZ_CONFLICT;
	memcpy(slot, digest, CATALOGUE_DIGEST_SIZE);
	set->count++;
	return AZ_OK;
}
