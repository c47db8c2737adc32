/*
 * The consignments that the ledger has committed, and which of them are asked for a purpose, in which
 * order. "Current" is decided here and nowhere else: the highest as-of date, then the latest arrival.
 *
 * Who may be found is what comes of a purpose's lists one after the other in that order, whenever each arrived: a list
 * adds its people, a full one puts its people in the place of all before it, a withdrawal takes its people away. So
 *
 *	absent     the newest list that has them is before the newest full one: no list up to that has them
 *	withdrawn  the newest withdrawal of them is after the newest list that has them
 *
 * and nothing else needs to be kept, no late arrival can bring back or drop the wrong people, and a restart finds the
 * same.
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

/* Puts it at its place among others, the newest first. */
static enum az_status
insert(struct consignment ***items, size_t *count, struct consignment *consignment,
    struct az_err *reterr)
{
	struct consignment **list = reallocarray(*items, *count + 1, sizeof(struct consignment *));
	size_t place = 0;

	if (list == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "purpose: out of memory");
	*items = list;
	while (place < *count &&
	    consignment_is_newer(
		list[place]->as_of, list[place]->id, consignment->as_of, consignment->id))
		place++;
	memmove(&list[place + 1], &list[place], (*count - place) * sizeof(struct consignment *));
	list[place] = consignment;
	(*count)++;
	return AZ_OK;
}

/* How many lists are asked: those up to the newest full one. */
static size_t
count_asked(const struct live_list *live)
{
	for (size_t i = 0; i < live->count; i++) {
		if (live->items[i]->mode == LIST_FULL)
			return i + 1;
	}
	return live->count;
}

enum az_status
consignment_activate(
    struct custody *custody, struct consignment *consignment, struct az_err *reterr)
{
	enum az_status status = live_reserve(custody, consignment->purpose, reterr);
	struct live_list *live;

	if (status != AZ_OK || consignment->active)
		return status;
	live = &custody->live[consignment->purpose];
	if (consignment->mode == LIST_WITHDRAW)
		status = insert(&live->withdrawals, &live->withdrawal_count, consignment, reterr);
	else
		status = insert(&live->items, &live->count, consignment, reterr);
	if (status != AZ_OK)
		return status;
	live->asked = count_asked(live);
	consignment->active = true;
	return AZ_OK;
}

static void
take_out(struct consignment **items, size_t *count, const struct consignment *consignment)
{
	for (size_t i = 0; i < *count; i++) {
		if (items[i] != consignment)
			continue;
		memmove(&items[i], &items[i + 1], (*count - i - 1) * sizeof(struct consignment *));
		(*count)--;
		return;
	}
}

void
consignment_deactivate(struct custody *custody, struct consignment *consignment)
{
	struct live_list *live;

	if (!consignment->active)
		return;
	live = &custody->live[consignment->purpose];
	take_out(live->items, &live->count, consignment);
	take_out(live->withdrawals, &live->withdrawal_count, consignment);
	live->asked = count_asked(live);
	consignment->active = false;
}

const struct live_list *
live_of(const struct custody *custody, uint32_t purpose)
{
	static const struct live_list none;

	return purpose < custody->live_room ? &custody->live[purpose] : &none;
}

/* --- standing --------------------------------------------------------------------------------- */

/* The newer of two entries of a record. */
static void
keep_newer(bool *has, struct catalogue_entry *kept, const struct catalogue_entry *entry)
{
	if (*has &&
	    !consignment_is_newer(entry->as_of, entry->consignment, kept->as_of, kept->consignment))
		return;
	*kept = *entry;
	*has = true;
}

void
standing_take(struct standing *standing, const struct catalogue_entry *entry)
{
	const struct consignment *withdrawal;

	for (size_t i = 0; i < standing->list_count; i++) {
		if (standing->lists[i]->id == entry->consignment) {
			keep_newer(&standing->found, &standing->entry, entry);
			return;
		}
	}
	/* Of those that are active by now, whenever the lists were noted: withdrawing is never late. */
	withdrawal = consignment_of(standing->custody, entry->consignment);
	if (withdrawal != NULL && withdrawal->active && withdrawal->mode == LIST_WITHDRAW &&
	    withdrawal->purpose == standing->purpose)
		keep_newer(&standing->was_withdrawn, &standing->withdrawal, entry);
}

bool
standing_is_callable(const struct standing *standing)
{
	return standing->found &&
	    (!standing->was_withdrawn ||
		consignment_is_newer(standing->entry.as_of, standing->entry.consignment,
		    standing->withdrawal.as_of, standing->withdrawal.consignment));
}
