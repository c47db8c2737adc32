/*
 * Every access is noted in 20 bytes. Sorted by person, record and version, each group of them is one thing that this
 * person has: it counts once for their whole history, once for each stretch and each carrier it came in. Sorted by record
 * and version, it counts once for each pool, and once for the store.
 */
#include "custody/access_set.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "proto/proto.h"

#define SHOWN_MAX    100000000u /* accesses: two gigabytes */
#define SHORT_DAYS   30
#define LONG_DAYS    365
#define ROOM_FIRST   64u
#define SHAPES_MAX   65536u
#define WHOLE_BUCKET INT32_MIN

struct shown {
	uint32_t person, record, version, carrier;
	int32_t day;
};

struct carrier_ref {
	uint32_t origin;
	uint64_t number;
};

/* How much is in a window: one of them for each combination that occurs. */
struct counter {
	enum model_owner owner;
	uint32_t index, pool;
	int32_t days; /* of the stretch; 0: the whole time */
	int32_t bucket;
	uint32_t count; /* 0: free */
};

struct list {
	void *items;
	size_t count, room;
};

struct access_set {
	struct list wanted;   /* uint32_t, sorted */
	struct list shown;    /* struct shown */
	struct list accesses; /* struct model_access */
	struct list carriers; /* struct model_carrier */
	struct list refs;     /* struct carrier_ref, of the carriers */
	struct list shapes;   /* uint64_t */
	struct list windows;  /* struct model_window */
	uint32_t *slots;      /* by carrier: 1 + index */
	size_t slot_count;
	struct counter *counters;
	size_t counter_room, counter_count;
};

/* --- lists ------------------------------------------------------------------------------------ */

/* A new item at the end, zeroed; NULL: there is no memory. */
static void *
push(struct list *list, size_t size)
{
	if (list->count == list->room) {
		size_t room = list->room == 0 ? ROOM_FIRST : 2 * list->room;
		void *items = reallocarray(list->items, room, size);

		if (items == NULL)
			return NULL;
		list->items = items;
		list->room = room;
	}
	return memset((uint8_t *)list->items + list->count++ * size, 0, size);
}

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
	uint32_t *place = push(&set->wanted, sizeof(*place));

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
	struct carrier_ref *ref = push(&set->refs, sizeof(*ref));
	struct model_carrier *carrier = ref == NULL ? NULL : push(&set->carriers, sizeof(*carrier));

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
	shape = push(&set->shapes, sizeof(*shape));
	if (shape == NULL)
		return UINT32_MAX;
	*shape = fields;
	return (uint32_t)set->shapes.count - 1;
}

static int32_t
day_of(int64_t time_us)
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
	shown = carrier == UINT32_MAX ? NULL : push(&set->shown, sizeof(*shown));
	if (shown == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "attribution: out of memory");
	*shown = (struct shown){.person = access->person,
	    .record = access->record,
	    .version = access->version,
	    .carrier = carrier,
	    .day = day_of(access->time_us)};
	if (!access_set_wants(set, access->record))
		return AZ_OK;
	shape = shape_of(set, access_fields(access->fields));
	wanted = shape == UINT32_MAX ? NULL : push(&set->accesses, sizeof(*wanted));
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

/* --- counting ----------------------------------------------------------------------------------- */

static size_t
counter_slot(const struct access_set *set, const struct counter *key)
{
	uint64_t hash = ((uint64_t)key->index << 32 | key->pool) * UINT64_C(0x9e3779b97f4a7c15);
	size_t slot;

	hash ^= ((uint64_t)(uint32_t)key->bucket << 16 | (uint64_t)key->days << 4 | key->owner) *
	    UINT64_C(0xbf58476d1ce4e5b9);
	slot = (size_t)(hash ^ hash >> 31) & (set->counter_room - 1);
	while (set->counters[slot].count != 0 &&
	    (set->counters[slot].owner != key->owner || set->counters[slot].index != key->index ||
		set->counters[slot].pool != key->pool || set->counters[slot].days != key->days ||
		set->counters[slot].bucket != key->bucket))
		slot = (slot + 1) & (set->counter_room - 1);
	return slot;
}

static bool
grow_counters(struct access_set *set)
{
	struct counter *old = set->counters;
	size_t old_room = set->counter_room;
	size_t room = old_room == 0 ? 1024 : 2 * old_room;
	struct counter *counters = calloc(room, sizeof(*counters));

	if (counters == NULL)
		return false;
	set->counters = counters;
	set->counter_room = room;
	for (size_t i = 0; i < old_room; i++) {
		if (old[i].count != 0)
			counters[counter_slot(set, &old[i])] = old[i];
	}
	free(old);
	return true;
}

static bool
count(struct access_set *set, enum model_owner owner, uint32_t index, uint32_t pool, int32_t days,
    int32_t bucket, uint32_t by)
{
	struct counter key = {.owner = owner,
	    .index = index,
	    .pool = pool,
	    .days = days,
	    .bucket = days == 0 ? WHOLE_BUCKET : bucket};
	struct counter *counter;

	if (2 * set->counter_count >= set->counter_room && !grow_counters(set))
		return false;
	counter = &set->counters[counter_slot(set, &key)];
	if (counter->count == 0) {
		*counter = key;
		set->counter_count++;
	}
	counter->count = by > UINT32_MAX - counter->count ? UINT32_MAX : counter->count + by;
	return true;
}

static int32_t
bucket_of(int32_t day, int32_t days)
{
	return day >= 0 ? day / days : -((-day + days - 1) / days);
}

/* Whether none before the i-th of a group is the same in pool and stretch. */
static bool
is_first(
    const struct access_set *set, const struct shown *group, size_t i, int32_t days, bool by_pool)
{
	const struct model_carrier *carriers = set->carriers.items;

	for (size_t j = 0; j < i; j++) {
		if ((days == 0 || bucket_of(group[j].day, days) == bucket_of(group[i].day, days)) &&
		    (!by_pool ||
			carriers[group[j].carrier].pool == carriers[group[i].carrier].pool))
			return false;
	}
	return true;
}

static bool
is_first_of_carrier(const struct shown *group, size_t i)
{
	for (size_t j = 0; j < i; j++) {
		if (group[j].carrier == group[i].carrier)
			return false;
	}
	return true;
}

/* What one person has of one version. */
static bool
count_for_person(struct access_set *set, const struct shown *group, size_t size)
{
	struct model_carrier *carriers = set->carriers.items;
	uint32_t person = group[0].person;
	bool good = count(set, MODEL_PERSON, person, MODEL_NONE, 0, 0, 1);

	for (size_t i = 0; i < size && good; i++) {
		struct model_carrier *carrier = &carriers[group[i].carrier];
		int32_t month = bucket_of(group[i].day, SHORT_DAYS);
		int32_t year = bucket_of(group[i].day, LONG_DAYS);

		if (is_first_of_carrier(group, i))
			carrier->size++;
		if (is_first(set, group, i, SHORT_DAYS, false))
			good = good &&
			    count(set, MODEL_PERSON, person, MODEL_NONE, SHORT_DAYS, month, 1);
		if (is_first(set, group, i, LONG_DAYS, false))
			good = good &&
			    count(set, MODEL_PERSON, person, MODEL_NONE, LONG_DAYS, year, 1);
		if (carrier->pool != MODEL_NONE && is_first(set, group, i, LONG_DAYS, true))
			good = good &&
			    count(set, MODEL_PERSON, person, carrier->pool, LONG_DAYS, year, 1);
	}
	return good;
}

/* What was shown of one version to anybody: pools and the store are about what was shown, not what was exported. */
static bool
count_for_all(struct access_set *set, struct shown *group, size_t size)
{
	const struct model_carrier *carriers = set->carriers.items;
	size_t kept = 0;
	bool good;

	for (size_t i = 0; i < size; i++) {
		if (carriers[group[i].carrier].kind == MODEL_SESSION)
			group[kept++] = group[i];
	}
	if (kept == 0)
		return true;
	good = count(set, MODEL_STORE, 0, MODEL_NONE, 0, 0, 1);
	for (size_t i = 0; i < kept && good; i++) {
		uint32_t pool = carriers[group[i].carrier].pool;

		if (pool == MODEL_NONE)
			continue;
		if (is_first(set, group, i, 0, true))
			good = good && count(set, MODEL_POOL, pool, MODEL_NONE, 0, 0, 1);
		if (is_first(set, group, i, LONG_DAYS, true))
			good = good &&
			    count(set, MODEL_POOL, pool, MODEL_NONE, LONG_DAYS,
				bucket_of(group[i].day, LONG_DAYS), 1);
	}
	return good;
}

static int
compare_by_record(const void *a, const void *b)
{
	const struct shown *one = a;
	const struct shown *other = b;

	if (one->record != other->record)
		return one->record < other->record ? -1 : 1;
	return one->version < other->version ? -1 : one->version > other->version;
}

static int
compare_by_person(const void *a, const void *b)
{
	const struct shown *one = a;
	const struct shown *other = b;

	if (one->person != other->person)
		return one->person < other->person ? -1 : 1;
	return compare_by_record(a, b);
}

/* Each run of what compare calls equal. */
static bool
each_group(struct access_set *set, int (*compare)(const void *a, const void *b),
    bool (*visit)(struct access_set *set, struct shown *group, size_t size))
{
	struct shown *shown = set->shown.items;
	size_t total = set->shown.count;
	bool good = true;

	if (total > 1)
		qsort(shown, total, sizeof(*shown), compare);
	for (size_t from = 0; from < total && good;) {
		size_t to = from + 1;

		while (to < total && compare(&shown[from], &shown[to]) == 0)
			to++;
		good = visit(set, &shown[from], to - from);
		from = to;
	}
	return good;
}

static bool
visit_person(struct access_set *set, struct shown *group, size_t size)
{
	return count_for_person(set, group, size);
}

/* Lists that were exported whole are in their person's history, too. */
static bool
count_lists(struct access_set *set)
{
	const struct model_carrier *carriers = set->carriers.items;
	bool good = true;

	for (size_t i = 0; i < set->carriers.count && good; i++) {
		const struct model_carrier *carrier = &carriers[i];
		int32_t day = day_of(carrier->time_us);

		if (carrier->list == MODEL_NONE)
			continue;
		good = count(set, MODEL_PERSON, carrier->person, MODEL_NONE, 0, 0, carrier->size) &&
		    count(set, MODEL_PERSON, carrier->person, MODEL_NONE, SHORT_DAYS,
			bucket_of(day, SHORT_DAYS), carrier->size) &&
		    count(set, MODEL_PERSON, carrier->person, MODEL_NONE, LONG_DAYS,
			bucket_of(day, LONG_DAYS), carrier->size);
	}
	return good;
}

static bool
make_windows(struct access_set *set)
{
	for (size_t i = 0; i < set->counter_room; i++) {
		const struct counter *counter = &set->counters[i];
		struct model_window *window;
		int64_t stretch = counter->days * AZ_US_PER_DAY;

		if (counter->count == 0)
			continue;
		window = push(&set->windows, sizeof(*window));
		if (window == NULL)
			return false;
		*window = (struct model_window){.owner = counter->owner,
		    .index = counter->index,
		    .pool = counter->pool,
		    .from_us = counter->days == 0 ? INT64_MIN : counter->bucket * stretch,
		    .to_us = counter->days == 0 ? MODEL_NEVER : (counter->bucket + 1) * stretch,
		    .size = counter->count,
		    .whole = counter->days == 0};
	}
	return true;
}

static int
compare_accesses(const void *a, const void *b)
{
	const struct model_access *one = a;
	const struct model_access *other = b;

	if (one->record != other->record)
		return one->record < other->record ? -1 : 1;
	return one->carrier < other->carrier ? -1 : one->carrier > other->carrier;
}

static int
compare_windows(const void *a, const void *b)
{
	const struct model_window *one = a;
	const struct model_window *other = b;

	if (one->owner != other->owner)
		return one->owner < other->owner ? -1 : 1;
	if (one->index != other->index)
		return one->index < other->index ? -1 : 1;
	if (one->from_us != other->from_us)
		return one->from_us < other->from_us ? -1 : 1;
	if (one->to_us != other->to_us)
		return one->to_us < other->to_us ? -1 : 1;
	return one->pool < other->pool ? -1 : one->pool > other->pool;
}

enum az_status
access_set_close(struct access_set *set, struct az_err *reterr)
{
	/* By person first: counting for all leaves out what was exported. */
	if (!each_group(set, compare_by_person, visit_person) ||
	    !each_group(set, compare_by_record, count_for_all) || !count_lists(set) ||
	    !make_windows(set))
		return az_fail(reterr, AZ_NO_MEMORY, "attribution: out of memory");
	if (set->accesses.count > 1)
		qsort(set->accesses.items, set->accesses.count, sizeof(struct model_access),
		    compare_accesses);
	/* So that the same house gives the same result to the last bit. */
	if (set->windows.count > 1)
		qsort(set->windows.items, set->windows.count, sizeof(struct model_window),
		    compare_windows);
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
