/*
 * Who was shown or handed what, as it is added: carriers, and the accesses that are asked about. Every access is noted in
 * 20 bytes, to be counted at the end (access_count.c).
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "custody/access_set_internal.h"
#include "proto/proto.h"

#define SHOWN_MAX  100000000u /* accesses: two gigabytes */
#define SHAPES_MAX 65536u

enum az_status
access_set_new(struct access_set **ret_set, struct az_err *reterr)
{
	struct access_set *set = calloc(1, sizeof(*set));

	if (set == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "attribution: out of memory");
	*ret_set = set;
	return AZ_OK;
}

void
access_set_free(struct access_set **set)
{
	struct access_set *freed = *set;

	if (freed == NULL)
		return;
	free(freed->wanted.items);
	free(freed->shown.items);
	free(freed->accesses.items);
	free(freed->carriers.items);
	free(freed->refs.items);
	free(freed->shapes.items);
	free(freed->windows.items);
	free(freed->slots);
	free(freed->counters);
	free(freed->carrier_groups);
	free(freed);
	*set = NULL;
}

/* --- what is asked about ------------------------------------------------------------------------ */

static int
compare_numbers(const void *a, const void *b)
{
	uint32_t one = *(const uint32_t *)a;
	uint32_t other = *(const uint32_t *)b;

	return one < other ? -1 : one > other;
}

enum az_status
access_set_want(struct access_set *set, uint32_t record)
{
	uint32_t *place = vector_push(&set->wanted, sizeof(*place));

	if (place == NULL)
		return AZ_NO_MEMORY;
	*place = record;
	return AZ_OK;
}

void
access_set_wanted(struct access_set *set)
{
	uint32_t *records = set->wanted.items;
	size_t kept = 0;

	if (set->wanted.count == 0)
		return;
	qsort(records, set->wanted.count, sizeof(*records), compare_numbers);
	for (size_t i = 0; i < set->wanted.count; i++) {
		if (kept == 0 || records[kept - 1] != records[i])
			records[kept++] = records[i];
	}
	set->wanted.count = kept;
}

bool
access_set_wants(const struct access_set *set, uint32_t record)
{
	return set->wanted.count > 0 &&
	    bsearch(&record, set->wanted.items, set->wanted.count, sizeof(record),
		compare_numbers) != NULL;
}

/* --- carriers ----------------------------------------------------------------------------------- */

static size_t
hash_of(const struct access *access)
{
	uint64_t hash = access->number * UINT64_C(0x9e3779b97f4a7c15);

	hash ^= ((uint64_t)access->origin << 32 | access->pool) * UINT64_C(0xbf58476d1ce4e5b9);
	hash ^= ((uint64_t)access->person << 2 | access->kind) * UINT64_C(0x94d049bb133111eb);
	return (size_t)(hash ^ hash >> 29);
}

static bool
is_carrier(const struct access_set *set, uint32_t index, const struct access *access)
{
	const struct model_carrier *carriers = set->carriers.items;
	const struct carrier_ref *refs = set->refs.items;

	return refs[index].number == access->number && refs[index].origin == access->origin &&
	    carriers[index].person == access->person && carriers[index].pool == access->pool &&
	    carriers[index].kind == access->kind && carriers[index].list == MODEL_NONE;
}

static size_t
slot_of(const struct access_set *set, const struct access *access)
{
	size_t slot = hash_of(access) & (set->slot_count - 1);

	while (set->slots[slot] != 0 && !is_carrier(set, set->slots[slot] - 1, access))
		slot = (slot + 1) & (set->slot_count - 1);
	return slot;
}

static bool
grow_slots(struct access_set *set)
{
	size_t old_count = set->slot_count;
	uint32_t *old = set->slots;
	size_t count = old_count == 0 ? 1024 : 2 * old_count;
	uint32_t *slots = calloc(count, sizeof(*slots));

	if (slots == NULL)
		return false;
	set->slots = slots;
	set->slot_count = count;
	for (size_t i = 0; i < old_count; i++) {
		const struct model_carrier *carrier;
		const struct carrier_ref *ref;
		struct access access;

		if (old[i] == 0)
			continue;
		carrier = (const struct model_carrier *)set->carriers.items + (old[i] - 1);
		ref = (const struct carrier_ref *)set->refs.items + (old[i] - 1);
		access = (struct access){.person = carrier->person,
		    .pool = carrier->pool,
		    .origin = ref->origin,
		    .number = ref->number,
		    .kind = carrier->kind};
		slots[slot_of(set, &access)] = old[i];
	}
	free(old);
	return true;
}

static struct model_carrier *
new_carrier(struct access_set *set, const struct access *access)
{
	struct carrier_ref *ref = vector_push(&set->refs, sizeof(*ref));
	struct model_carrier *carrier =
	    ref == NULL ? NULL : vector_push(&set->carriers, sizeof(*carrier));

	if (carrier == NULL)
		return NULL;
	*ref = (struct carrier_ref){.origin = access->origin, .number = access->number};
	*carrier = (struct model_carrier){.kind = access->kind,
	    .person = access->person,
	    .pool = access->pool,
	    .time_us = access->time_us,
	    .list = MODEL_NONE,
	    .imported = access->origin != 0};
	return carrier;
}

/* Its index; UINT32_MAX: there is no memory. */
static uint32_t
carrier_of(struct access_set *set, const struct access *access)
{
	struct model_carrier *carrier;
	size_t slot;

	if (2 * set->carriers.count >= set->slot_count && !grow_slots(set))
		return UINT32_MAX;
	slot = slot_of(set, access);
	if (set->slots[slot] == 0) {
		if (new_carrier(set, access) == NULL)
			return UINT32_MAX;
		set->slots[slot] = (uint32_t)set->carriers.count;
	}
	carrier = (struct model_carrier *)set->carriers.items + (set->slots[slot] - 1);
	if (access->time_us < carrier->time_us)
		carrier->time_us = access->time_us;
	return set->slots[slot] - 1;
}

struct access_carrier
access_set_carrier(const struct access_set *set, uint32_t index)
{
	const struct carrier_ref *ref = (const struct carrier_ref *)set->refs.items + index;

	return (struct access_carrier){.origin = ref->origin, .number = ref->number};
}

/* --- adding ------------------------------------------------------------------------------------- */

uint64_t
access_fields(uint64_t fields)
{
	const uint64_t parts = FIELD_BIT(FIELD_SURNAME) | FIELD_BIT(FIELD_GIVEN);
	const uint64_t phones = FIELD_BIT(FIELD_PHONE) | FIELD_BIT(FIELD_MOBILE);

	if ((fields & FIELD_BIT(FIELD_NAME)) != 0)
		fields |= parts;
	if ((fields & parts) == parts)
		fields |= FIELD_BIT(FIELD_NAME);
	if ((fields & phones) != 0)
		fields |= phones;
	if ((fields & FIELD_BIT(FIELD_ADDRESS)) != 0)
		fields |= FIELD_BIT(FIELD_POSTCODE);
	return fields;
}

/* UINT32_MAX: there is no memory, or there are too many. */
static uint32_t
shape_of(struct access_set *set, uint64_t fields)
{
	uint64_t *shapes = set->shapes.items;
	uint64_t *shape;

	for (size_t i = set->shapes.count; i > 0; i--) {
		if (shapes[i - 1] == fields)
			return (uint32_t)(i - 1);
	}
	if (set->shapes.count == SHAPES_MAX)
		return UINT32_MAX;
	shape = vector_push(&set->shapes, sizeof(*shape));
	if (shape == NULL)
		return UINT32_MAX;
	*shape = fields;
	return (uint32_t)set->shapes.count - 1;
}

int32_t
access_day(int64_t time_us)
{
	int64_t day = time_us / AZ_US_PER_DAY;

	return (int32_t)(time_us % AZ_US_PER_DAY < 0 ? day - 1 : day);
}

enum az_status
access_set_add(struct access_set *set, const struct access *access, struct az_err *reterr)
{
	struct model_access *wanted = NULL;
	struct shown *shown;
	uint32_t carrier, shape;

	if (set->shown.count == SHOWN_MAX)
		return az_fail(reterr, AZ_LIMIT,
		    "attribution: the house has shown more than %u rows", SHOWN_MAX);
	carrier = carrier_of(set, access);
	shown = carrier == UINT32_MAX ? NULL : vector_push(&set->shown, sizeof(*shown));
	if (shown == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "attribution: out of memory");
	*shown = (struct shown){.person = access->person,
	    .record = access->record,
	    .version = access->version,
	    .carrier = carrier,
	    .day = access_day(access->time_us)};
	if (!access_set_wants(set, access->record))
		return AZ_OK;
	shape = shape_of(set, access_fields(access->fields));
	wanted = shape == UINT32_MAX ? NULL : vector_push(&set->accesses, sizeof(*wanted));
	if (wanted == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "attribution: out of memory");
	*wanted = (struct model_access){.record = access->record,
	    .version = access->version,
	    .carrier = carrier,
	    .shape = shape};
	return AZ_OK;
}

enum az_status
access_set_add_list(struct access_set *set, const struct access *access, uint32_t list,
    uint32_t size, struct az_err *reterr)
{
	struct model_carrier *carrier;

	if (size == 0)
		return AZ_OK;
	carrier = new_carrier(set, access);
	if (carrier == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "attribution: out of memory");
	carrier->kind = MODEL_EXPORT;
	carrier->list = list;
	carrier->size = size;
	return AZ_OK;
}

/* --- the end ------------------------------------------------------------------------------------ */

static int
compare_accesses(const void *a, const void *b)
{
	const struct model_access *one = a;
	const struct model_access *other = b;

	if (one->record != other->record)
		return one->record < other->record ? -1 : 1;
	return one->carrier < other->carrier ? -1 : one->carrier > other->carrier;
}

enum az_status
access_set_close(struct access_set *set, struct az_err *reterr)
{
	if (!access_count(set))
		return az_fail(reterr, AZ_NO_MEMORY, "attribution: out of memory");
	if (set->accesses.count > 1)
		qsort(set->accesses.items, set->accesses.count, sizeof(struct model_access),
		    compare_accesses);
	return AZ_OK;
}

void
access_set_fill(const struct access_set *set, struct model_input *input)
{
	input->accesses = set->accesses.items;
	input->access_count = set->accesses.count;
	input->shapes = set->shapes.items;
	input->shape_count = set->shapes.count;
	input->carriers = set->carriers.items;
	input->carrier_count = set->carriers.count;
	input->windows = set->windows.items;
	input->window_count = set->windows.count;
}
