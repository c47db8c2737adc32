/*
 * Who was shown or handed what, as it is added: carriers, and the accesses that are asked about. Every access is noted in
 * 12 bytes with its person, to be counted at the end (access_count.c).
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "custody/access_set_internal.h"
#include "proto/proto.h"

#define SHOWN_MAX  200000000u /* accesses: 2.4 gigabytes */
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
	free(freed->wanted_bits);
	for (size_t i = 0; i < freed->people.count; i++)
		shown_free((struct person_shown *)freed->people.items + i);
	free(freed->people.items);
	free(freed->accesses.items);
	free(freed->carriers.items);
	free(freed->refs.items);
	free(freed->shapes.items);
	free(freed->windows.items);
	free(freed->slots);
	free(freed);
	*set = NULL;
}

/* --- what is asked about ------------------------------------------------------------------------ */

enum az_status
access_set_want(struct access_set *set, uint32_t record)
{
	uint32_t *place = vector_push(&set->wanted, sizeof(*place));

	if (place == NULL)
		return AZ_NO_MEMORY;
	*place = record;
	return AZ_OK;
}

enum az_status
access_set_wanted(struct access_set *set, struct az_err *reterr)
{
	const uint32_t *records = set->wanted.items;

	for (size_t i = 0; i < set->wanted.count; i++) {
		if (records[i] >= set->wanted_end)
			set->wanted_end = (size_t)records[i] + 1;
	}
	set->wanted_bits = calloc(set->wanted_end / 64 + 1, sizeof(*set->wanted_bits));
	if (set->wanted_bits == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "attribution: out of memory");
	for (size_t i = 0; i < set->wanted.count; i++)
		set->wanted_bits[records[i] / 64] |= UINT64_C(1) << records[i] % 64;
	vector_fini(&set->wanted);
	return AZ_OK;
}

bool
access_set_wants(const struct access_set *set, uint32_t record)
{
	return record < set->wanted_end && (set->wanted_bits[record / 64] >> record % 64 & 1) != 0;
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

void
shown_free(struct person_shown *person)
{
	while (person->pieces != NULL) {
		struct shown_piece *piece = person->pieces;

		person->pieces = piece->next;
		free(piece);
	}
	person->count = 0;
}

/* NULL: there is no memory. */
static struct person_shown *
person_of(struct access_set *set, uint32_t person)
{
	while (set->people.count <= person) {
		if (vector_push(&set->people, sizeof(struct person_shown)) == NULL)
			return NULL;
	}
	return (struct person_shown *)set->people.items + person;
}

static bool
note_shown(struct person_shown *person, const struct access *access, uint32_t carrier)
{
	struct shown_piece *piece = person->pieces;

	if (piece == NULL || piece->count == PIECE_SHOWN) {
		piece = malloc(sizeof(*piece));
		if (piece == NULL)
			return false;
		piece->next = person->pieces;
		piece->count = 0;
		person->pieces = piece;
	}
	piece->items[piece->count++] = (struct shown){
	    .record = access->record, .version = access->version, .carrier = carrier};
	person->count++;
	return true;
}

/* The last carrier of the person, if it is that, or else the one that is found. */
static uint32_t
carrier_again(struct access_set *set, struct person_shown *person, const struct access *access)
{
	uint32_t carrier;

	if (person->carrier != 0 && is_carrier(set, person->carrier - 1, access)) {
		struct model_carrier *of =
		    (struct model_carrier *)set->carriers.items + (person->carrier - 1);

		if (access->time_us < of->time_us)
			of->time_us = access->time_us;
		return person->carrier - 1;
	}
	carrier = carrier_of(set, access);
	person->carrier = carrier == UINT32_MAX ? 0 : carrier + 1;
	return carrier;
}

enum az_status
access_set_add(struct access_set *set, const struct access *access, struct az_err *reterr)
{
	struct person_shown *person = person_of(set, access->person);
	struct model_access *wanted = NULL;
	uint32_t carrier, shape;

	if (set->shown_count == SHOWN_MAX)
		return az_fail(reterr, AZ_LIMIT,
		    "attribution: the house has shown more than %u rows", SHOWN_MAX);
	carrier = person == NULL ? UINT32_MAX : carrier_again(set, person, access);
	if (carrier == UINT32_MAX || !note_shown(person, access, carrier))
		return az_fail(reterr, AZ_NO_MEMORY, "attribution: out of memory");
	set->shown_count++;
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
	carrier = person_of(set, access->person) == NULL ? NULL : new_carrier(set, access);
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
