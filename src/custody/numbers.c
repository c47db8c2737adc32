/*
 * The numbers seen in a list, so that the second of two rows with the same one is refused.
 *
 * A number is told by 80 bits of its keyed digest: one byte says in which of 256 parts it is, nine lie in a slot. Two
 * numbers of a list of nine million agree in these with a probability of 10^-11. A part is a table with open
 * addressing that grows by half when it is four fifths full; growing part by part, the set never needs much more than it
 * has. The digests are as good as random, so their own bits are the hash.
 */
#include <stdlib.h>
#include <string.h>

#include "custody/bulk.h"

#define PART_AT    4u /* the bytes before it are the client's (number_digest) */
#define SLOT_AT    5u
#define SLOT_SIZE  9u
#define ROOM_FIRST 16u

void
number_set_fini(struct number_set *set)
{
	for (size_t i = 0; i < NUMBER_PARTS; i++)
		free(set->parts[i].slots);
	*set = (struct number_set){0};
}

/* Where a slot's number belongs in a table of that room. */
static uint32_t
home(const uint8_t *slot, uint32_t room)
{
	return (uint32_t)((uint64_t)wire_load_u32(slot) * room >> 32);
}

static bool
is_free(const uint8_t *slot)
{
	return (wire_load_u64(slot) | slot[8]) == 0;
}

/* The slot that holds number, or the free one where it goes. */
static uint8_t *
find(uint8_t *slots, uint32_t room, const uint8_t number[SLOT_SIZE])
{
	uint64_t head = wire_load_u64(number);
	uint32_t at = home(number, room);

	for (;;) {
		uint8_t *slot = slots + (size_t)at * SLOT_SIZE;

		if (is_free(slot) || (wire_load_u64(slot) == head && slot[8] == number[8]))
			return slot;
		at = at + 1 == room ? 0 : at + 1;
	}
}

static bool
grow(struct number_part *part)
{
	uint32_t room = part->room == 0 ? ROOM_FIRST : part->room + part->room / 2;
	uint8_t *slots = calloc(room, SLOT_SIZE);

	if (slots == NULL)
		return false;
	for (uint32_t i = 0; i < part->room; i++) {
		const uint8_t *slot = part->slots + (size_t)i * SLOT_SIZE;

		if (!is_free(slot))
			memcpy(find(slots, room, slot), slot, SLOT_SIZE);
	}
	free(part->slots);
	part->slots = slots;
	part->room = room;
	return true;
}

/* The part and the nine bytes of a digest; all zeros would be a free slot. */
static size_t
take_apart(const uint8_t digest[CATALOGUE_DIGEST_SIZE], uint8_t number[SLOT_SIZE])
{
	memcpy(number, digest + SLOT_AT, SLOT_SIZE);
	if (is_free(number))
		number[8] = 1;
	return digest[PART_AT];
}

enum az_status
number_set_add(struct number_set *set, const uint8_t digest[CATALOGUE_DIGEST_SIZE])
{
	uint8_t number[SLOT_SIZE];
	struct number_part *part = &set->parts[take_apart(digest, number)];
	uint8_t *slot;

	if ((uint64_t)part->count * 5 >= (uint64_t)part->room * 4 && !grow(part))
		return AZ_NO_MEMORY;
	slot = find(part->slots, part->room, number);
	if (!is_free(slot))
		return AZ_CONFLICT;
	memcpy(slot, number, SLOT_SIZE);
	part->count++;
	return AZ_OK;
}

void
number_set_prepare(const struct number_set *set, const uint8_t digest[CATALOGUE_DIGEST_SIZE])
{
	uint8_t number[SLOT_SIZE];
	const struct number_part *part = &set->parts[take_apart(digest, number)];

	if (part->room > 0)
		__builtin_prefetch(part->slots + (size_t)home(number, part->room) * SLOT_SIZE, 1);
}
