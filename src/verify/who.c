/*
 * Two open hash tables: staff by pseudonym, and pairs of staff and record, of which only 64 bits are kept. A pseudonym is
 * a block of AES under a key that the log's reader does not have, so its bytes are as good as a hash; two pairs of
 * ten million fall together once in 370 000 logs, and a count is then one too small.
 */
#include "verify/who.h"

#include <stdlib.h>
#include <string.h>

#include "base/wire.h"

struct who {
	struct who_staff *staff;
	size_t staff_count, staff_room;
	uint32_t *places; /* by hash: index in staff, plus one */
	size_t place_room;
	uint64_t *pairs; /* by hash; 0: free */
	size_t pair_count, pair_room;
};

#define FIRST_ROOM 1024u

struct who *
who_new(void)
{
	struct who *who = calloc(1, sizeof(*who));

	if (who == NULL)
		return NULL;
	who->staff_room = FIRST_ROOM / 2;
	who->place_room = FIRST_ROOM;
	who->pair_room = FIRST_ROOM;
	who->staff = calloc(who->staff_room, sizeof(*who->staff));
	who->places = calloc(who->place_room, sizeof(*who->places));
	who->pairs = calloc(who->pair_room, sizeof(*who->pairs));
	if (who->staff == NULL || who->places == NULL || who->pairs == NULL)
		who_free(&who);
	return who;
}

void
who_free(struct who **who)
{
	if (*who == NULL)
		return;
	free((*who)->staff);
	free((*who)->places);
	free((*who)->pairs);
	free(*who);
	*who = NULL;
}

static uint64_t
mix(uint64_t value)
{
	/* The finalizer of SplitMix64: every bit of value moves every bit of the result. */
	value = (value ^ value >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	value = (value ^ value >> 27) * UINT64_C(0x94d049bb133111eb);
	return value ^ value >> 31;
}

/* --- staff ------------------------------------------------------------------------------------ */

static uint32_t *
place_of(const struct who *who, const uint8_t staff[PSEUDONYM_SIZE])
{
	size_t at = (size_t)mix(wire_load_u64(staff)) & (who->place_room - 1);

	for (; who->places[at] != 0; at = (at + 1) & (who->place_room - 1)) {
		if (bytes_equal(bytes_make(who->staff[who->places[at] - 1].staff, PSEUDONYM_SIZE),
			bytes_make(staff, PSEUDONYM_SIZE)))
			break;
	}
	return &who->places[at];
}

static enum az_status
grow_staff(struct who *who)
{
	struct who_staff *staff =
	    reallocarray(who->staff, who->staff_room * 2, sizeof(*who->staff));
	uint32_t *places;

	if (staff == NULL)
		return AZ_NO_MEMORY;
	who->staff = staff;
	places = calloc(who->place_room * 2, sizeof(*places));
	if (places == NULL)
		return AZ_NO_MEMORY;
	free(who->places);
	who->places = places;
	who->staff_room *= 2;
	who->place_room *= 2;
	for (size_t i = 0; i < who->staff_count; i++)
		*place_of(who, who->staff[i].staff) = (uint32_t)(i + 1);
	return AZ_OK;
}

static enum az_status
find_staff(struct who *who, const struct ledger_read *read, struct who_staff **ret_staff)
{
	uint32_t *place = place_of(who, read->staff);

	if (*place == 0) {
		if (who->staff_count == who->staff_room) {
			if (grow_staff(who) != AZ_OK)
				return AZ_NO_MEMORY;
			place = place_of(who, read->staff);
		}
		who->staff[who->staff_count] = (struct who_staff){.first_us = read->entry.time_us};
		memcpy(who->staff[who->staff_count].staff, read->staff, PSEUDONYM_SIZE);
		*place = (uint32_t)++who->staff_count;
	}
	*ret_staff = &who->staff[*place - 1];
	return AZ_OK;
}

/* --- pairs ------------------------------------------------------------------------------------ */

static uint64_t *
pair_place(uint64_t *pairs, size_t room, uint64_t pair)
{
	size_t at = (size_t)pair & (room - 1);

	while (pairs[at] != 0 && pairs[at] != pair)
		at = (at + 1) & (room - 1);
	return &pairs[at];
}

static enum az_status
grow_pairs(struct who *who)
{
	uint64_t *pairs = calloc(who->pair_room * 2, sizeof(*pairs));

	if (pairs == NULL)
		return AZ_NO_MEMORY;
	for (size_t i = 0; i < who->pair_room; i++) {
		if (who->pairs[i] != 0)
			*pair_place(pairs, who->pair_room * 2, who->pairs[i]) = who->pairs[i];
	}
	free(who->pairs);
	who->pairs = pairs;
	who->pair_room *= 2;
	return AZ_OK;
}

/* Whether they have not seen this record before. */
static enum az_status
is_new_pair(struct who *who, const struct ledger_read *read, bool *ret_new)
{
	uint64_t pair = mix(wire_load_u64(read->staff)) ^ wire_load_u64(read->record);
	uint64_t *place;

	pair = mix(pair);
	if (pair == 0)
		pair = 1;
	if (who->pair_count * 2 >= who->pair_room && grow_pairs(who) != AZ_OK)
		return AZ_NO_MEMORY;
	place = pair_place(who->pairs, who->pair_room, pair);
	*ret_new = *place == 0;
	if (*ret_new) {
		*place = pair;
		who->pair_count++;
	}
	return AZ_OK;
}

/* --- both ------------------------------------------------------------------------------------- */

enum az_status
who_add(struct who *who, const struct ledger_read *read)
{
	static const uint8_t nobody[PSEUDONYM_SIZE];
	struct who_staff *staff;
	bool is_new = false;

	if (bytes_equal(
		bytes_make(read->staff, sizeof(read->staff)), bytes_make(nobody, sizeof(nobody))))
		return AZ_OK;
	if (find_staff(who, read, &staff) != AZ_OK)
		return AZ_NO_MEMORY;
	staff->entries++;
	staff->last_us = read->entry.time_us;
	if (read->entry.type != ENTRY_DISCLOSED)
		return AZ_OK;
	if (is_new_pair(who, read, &is_new) != AZ_OK)
		return AZ_NO_MEMORY;
	staff->disclosures++;
	if (is_new)
		staff->people++;
	return AZ_OK;
}

const struct who_staff *
who_staff(const struct who *who, size_t *ret_count)
{
	*ret_count = who->staff_count;
	return who->staff;
}
