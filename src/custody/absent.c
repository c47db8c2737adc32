/*
 * How many people a full list makes absent: who could be found before it, and cannot any more.
 *
 * Who may be found is what comes of a purpose's lists one after the other (consignments.c), here as sets of records,
 * a bit each, out of the lists' run files. The answer decides nothing, so it costs a pass over the purpose's
 * own lists, and nothing of the rest of the house.
 *
 *	before   the newest full list, then each newer one: its people added, or taken away
 *	after    this list, then each newer one
 */
#include <stdlib.h>
#include <string.h>

#include "custody/bulk.h"

/* Records from present_room on are new: they could not be found before. */
struct people {
	uint8_t *bits;
	uint32_t room;
	bool adds;
};

enum az_status
absent_new(struct bulk *bulk, struct az_err *reterr)
{
	if (bulk->consignment.mode != LIST_FULL)
		return AZ_OK;
	bulk->present_room = bulk->next_record;
	bulk->present = calloc(1, (size_t)bulk->present_room / 8 + 1);
	if (bulk->present == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "the list: out of memory");
	return AZ_OK;
}

void
absent_fini(struct bulk *bulk)
{
	free(bulk->present);
	bulk->present = NULL;
}

static void
set_bit(uint8_t *bits, uint32_t room, uint32_t record, bool value)
{
	uint8_t bit = (uint8_t)(1u << (record % 8));

	if (record >= room)
		return;
	if (value)
		bits[record / 8] |= bit;
	else
		bits[record / 8] &= (uint8_t)~bit;
}

void
absent_note(struct bulk *bulk, uint32_t record)
{
	if (bulk->present != NULL)
		set_bit(bulk->present, bulk->present_room, record, true);
}

static void
take_row(void *arg, const struct catalogue_row *row)
{
	struct people *people = arg;

	set_bit(people->bits, people->room, row->record, people->adds);
}

static bool
is_newer(const struct bulk_neighbour *list, int32_t as_of, uint64_t id)
{
	return consignment_is_newer(list->as_of, list->id, as_of, id);
}

/* The next list after that place in the order; NULL behind the last. */
static const struct bulk_neighbour *
next_list(const struct bulk *bulk, int32_t as_of, uint64_t id)
{
	const struct bulk_neighbour *next = NULL;

	for (size_t i = 0; i < bulk->neighbour_count; i++) {
		const struct bulk_neighbour *list = &bulk->neighbours[i];

		if (is_newer(list, as_of, id) &&
		    (next == NULL || is_newer(next, list->as_of, list->id)))
			next = list;
	}
	return next;
}

/* What the lists from *list on make of people. */
static enum az_status
apply(const struct bulk *bulk, const struct bulk_neighbour *list, struct people *people,
    struct az_err *reterr)
{
	enum az_status status = AZ_OK;

	for (; list != NULL && status == AZ_OK; list = next_list(bulk, list->as_of, list->id)) {
		if (bulk_is_over(bulk))
			return az_fail(reterr, AZ_GONE, "the list was given up");
		people->adds = list->mode != LIST_WITHDRAW;
		status = catalogue_run_each(bulk->custody->catalogue, list->id,
		    list->list->keys->run, list->list->run, take_row, people, reterr);
	}
	return status;
}

static uint32_t
count_lost(const uint8_t *before, const uint8_t *after, size_t size)
{
	uint32_t count = 0;

	for (size_t i = 0; i < size; i++)
		count += (uint32_t)__builtin_popcount((unsigned int)(before[i] & ~after[i]) & 0xff);
	return count;
}

enum az_status
absent_count(const struct bulk *bulk, uint32_t *ret_count, struct az_err *reterr)
{
	const struct consignment *self = &bulk->consignment;
	const struct bulk_neighbour *full = bulk->newest_full;
	struct people people = {.room = bulk->present_room};
	size_t size = (size_t)bulk->present_room / 8 + 1;
	uint8_t *before, *after;
	enum az_status status;

	*ret_count = 0;
	/* A full list that is newer said already whom it has. */
	if (self->mode != LIST_FULL || (full != NULL && is_newer(full, self->as_of, self->id)))
		return AZ_OK;
	before = calloc(1, size);
	after = malloc(size);
	if (before == NULL || after == NULL) {
		free(before);
		free(after);
		return az_fail(reterr, AZ_NO_MEMORY, "the list: out of memory");
	}
	memcpy(after, bulk->present, size);
	people.bits = before;
	status = apply(bulk, full != NULL ? full : next_list(bulk, INT32_MIN, 0), &people, reterr);
	people.bits = after;
	if (status == AZ_OK)
		status = apply(bulk, next_list(bulk, self->as_of, self->id), &people, reterr);
	if (status == AZ_OK)
		*ret_count = count_lost(before, after, size);
	free(before);
	free(after);
	return status;
}
