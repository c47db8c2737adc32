/*
 * The consignments that the ledger has committed, and which of them are asked for a purpose, in which
 * order. "Current" is decided here and nowhere else: the highest as-of date, then the latest arrival.
 */
#include <stdlib.h>
#include <string.h>

#include "custody/custody_internal.h"

bool
consignment_is_newer(int32_t as_of_a, uint64_t a, int32_t as_of_b, uint64_t b)
{
	return as_of_a != as_of_b ? as_of_a > as_of_b : a > b;
}

/* Where id stands among the consignments, or would. */
static size_t
place_of(const struct custody *custody, uint64_t id)
{
	size_t low = 0;
	size_t high = custody->consignment_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (custody->consignments[middle]->id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct consignment *
consignment_of(const struct custody *custody, uint64_t id)
{
	size_t place = place_of(custody, id);

	if (place == custody->consignment_count || custody->consignments[place]->id != id)
		return NULL;
	return custody->consignments[place];
}

void
consignment_stands_at(struct custody *custody, uint64_t id, uint64_t index)
{
	struct consignment *consignment = consignment_of(custody, id);

	if (consignment == NULL)
		return;
	consignment->has_entry = true;
	consignment->entry_index = index;
}

enum az_status
consignment_put(struct custody *custody, struct consignment *consignment, struct az_err *reterr)
{
	size_t place = place_of(custody, consignment->id);
	struct consignment **list;

	if (place < custody->consignment_count &&
	    custody->consignments[place]->id == consignment->id) {
		/* Put twice: by house.db and by the replay after it. */
		free(consignment);
		return AZ_OK;
	}
	list = reallocarray(
	    custody->consignments, custody->consignment_count + 1, sizeof(struct consignment *));
	if (list == NULL) {
		free(consignment);
		return az_fail(reterr, AZ_NO_MEMORY, "consignment: out of memory");
	}
	memmove(&list[place + 1], &list[place],
	    (custody->consignment_count - place) * sizeof(struct consignment *));
	list[place] = consignment;
	custody->consignments = list;
	custody->consignment_count++;
	return AZ_OK;
}

/* Makes room for a purpose's list. */
static enum az_status
live_reserve(struct custody *custody, uint32_t purpose, struct az_err *reterr)
{
	size_t room = (size_t)purpose + 1;
	struct live_list *live;

	if (purpose < custody->live_room)
		return AZ_OK;
	live = reallocarray(custody->live, room, sizeof(*live));
	if (live == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "purpose: out of memory");
	memset(live + custody->live_room, 0, (room - custody->live_room) * sizeof(*live));
	custody->live = live;
	custody->live_room = room;
	return AZ_OK;
}

enum az_status
consignment_activate(
    struct custody *custody, struct consignment *consignment, struct az_err *reterr)
{
	enum az_status status = live_reserve(custody, consignment->purpose, reterr);
	struct consignment **items;
	struct live_list *live;
	size_t place = 0;

	if (status != AZ_OK || consignment->active)
		return status;
	live = &custody->live[consignment->purpose];
	items = reallocarray(live->items, live->count + 1, sizeof(struct consignment *));
	if (items == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "purpose: out of memory");
	live->items = items;
	while (place < live->count &&
	    consignment_is_newer(
		items[place]->as_of, items[place]->id, consignment->as_of, consignment->id))
		place++;
	memmove(
	    &items[place + 1], &items[place], (live->count - place) * sizeof(struct consignment *));
	items[place] = consignment;
	live->count++;
	consignment->active = true;
	return AZ_OK;
}

const struct live_list *
live_of(const struct custody *custody, uint32_t purpose)
{
	static const struct live_list none;

	return purpose < custody->live_room ? &custody->live[purpose] : &none;
}
