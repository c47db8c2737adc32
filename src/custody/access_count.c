/*
 * Brought together by record and version, each group of accesses is one thing that people have: it counts once in each
 * carrier and each window that it came in. What has counted it bears the number of the group, so that a record that
 * somebody looked at a hundred thousand times costs no more than as many records.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "custody/access_set_internal.h"

#define SHORT_DAYS   30
#define LONG_DAYS    365
#define WHOLE_BUCKET INT32_MIN
#define BUCKETS      4096u

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

/* The counter of a window, made where there is none; NULL: there is no memory. */
static struct counter *
counter_of(struct access_set *set, enum model_owner owner, uint32_t index, uint32_t pool,
    int32_t days, int32_t bucket)
{
	struct counter key = {.owner = owner,
	    .index = index,
	    .pool = pool,
	    .days = days,
	    .bucket = days == 0 ? WHOLE_BUCKET : bucket};
	struct counter *counter;

	if (2 * set->counter_count >= set->counter_room && !grow_counters(set))
		return NULL;
	counter = &set->counters[counter_slot(set, &key)];
	if (counter->count == 0) {
		*counter = key;
		set->counter_count++;
	}
	return counter;
}

static int32_t
bucket_of(int32_t day, int32_t days)
{
	return day >= 0 ? day / days : -((-day + days - 1) / days);
}

/* Counts a group in a window, once. */
static bool
count(struct access_set *set, uint32_t group, enum model_owner owner, uint32_t index, uint32_t pool,
    int32_t days, int32_t day)
{
	struct counter *counter =
	    counter_of(set, owner, index, pool, days, days == 0 ? 0 : bucket_of(day, days));

	if (counter == NULL)
		return false;
	counter->count += counter->count == 0 || counter->group != group ? 1 : 0;
	counter->group = group;
	return true;
}

/* One access of a group: pools and the store are about what was shown, not what was exported. */
static bool
count_access(struct access_set *set, uint32_t group, const struct shown *shown)
{
	struct model_carrier *carrier =
	    (struct model_carrier *)set->carriers.items + shown->carrier;
	uint32_t person = shown->person;
	uint32_t pool = carrier->pool;
	bool good;

	if (set->carrier_groups[shown->carrier] != group)
		carrier->size++;
	set->carrier_groups[shown->carrier] = group;
	good = count(set, group, MODEL_PERSON, person, MODEL_NONE, 0, 0) &&
	    count(set, group, MODEL_PERSON, person, MODEL_NONE, SHORT_DAYS, shown->day) &&
	    count(set, group, MODEL_PERSON, person, MODEL_NONE, LONG_DAYS, shown->day);
	if (good && pool != MODEL_NONE)
		good = count(set, group, MODEL_PERSON, person, pool, LONG_DAYS, shown->day);
	if (good && carrier->kind == MODEL_SESSION)
		good = count(set, group, MODEL_STORE, 0, MODEL_NONE, 0, 0);
	if (good && carrier->kind == MODEL_SESSION && pool != MODEL_NONE)
		good = count(set, group, MODEL_POOL, pool, MODEL_NONE, 0, 0) &&
		    count(set, group, MODEL_POOL, pool, MODEL_NONE, LONG_DAYS, shown->day);
	return good;
}

static int
compare_shown(const void *a, const void *b)
{
	const struct shown *one = a;
	const struct shown *other = b;

	if (one->record != other->record)
		return one->record < other->record ? -1 : 1;
	return one->version < other->version ? -1 : one->version > other->version;
}

/* Brings together, in place, what has the same low bits of the record: ends[b] is where bucket b ends. */
static void
scatter(struct shown *shown, size_t total, size_t *ends)
{
	size_t next[BUCKETS];
	size_t sum = 0;

	memset(ends, 0, BUCKETS * sizeof(*ends));
	for (size_t i = 0; i < total; i++)
		ends[shown[i].record % BUCKETS]++;
	for (size_t b = 0; b < BUCKETS; b++) {
		next[b] = sum;
		sum += ends[b];
		ends[b] = sum;
	}
	for (size_t b = 0; b < BUCKETS; b++) {
		while (next[b] < ends[b]) {
			size_t to = shown[next[b]].record % BUCKETS;
			struct shown moved = shown[next[b]];

			if (to == b) {
				next[b]++;
				continue;
			}
			shown[next[b]] = shown[next[to]];
			shown[next[to]++] = moved;
		}
	}
}

/* Every record and version, one after the other. Order does not matter, only that what is the same comes together. */
static bool
count_shown(struct access_set *set)
{
	struct shown *shown = set->shown.items;
	size_t ends[BUCKETS];
	uint32_t group = 0;
	size_t from = 0;

	scatter(shown, set->shown.count, ends);
	for (size_t b = 0; b < BUCKETS; b++) {
		if (ends[b] > from)
			qsort(&shown[from], ends[b] - from, sizeof(*shown), compare_shown);
		for (size_t i = from; i < ends[b]; i++) {
			if (i == from || compare_shown(&shown[i - 1], &shown[i]) != 0)
				group++;
			if (!count_access(set, group, &shown[i]))
				return false;
		}
		from = ends[b];
	}
	return true;
}

static bool
count_list(struct access_set *set, const struct model_carrier *carrier, int32_t days)
{
	struct counter *counter = counter_of(set, MODEL_PERSON, carrier->person, MODEL_NONE, days,
	    days == 0 ? 0 : bucket_of(access_day(carrier->time_us), days));

	if (counter == NULL)
		return false;
	counter->count = carrier->size > UINT32_MAX - counter->count
	    ? UINT32_MAX
	    : counter->count + carrier->size;
	return true;
}

/* Lists that were exported whole are in their person's history, too. */
static bool
count_lists(struct access_set *set)
{
	const struct model_carrier *carriers = set->carriers.items;
	bool good = true;

	for (size_t i = 0; i < set->carriers.count && good; i++) {
		if (carriers[i].list != MODEL_NONE)
			good = count_list(set, &carriers[i], 0) &&
			    count_list(set, &carriers[i], SHORT_DAYS) &&
			    count_list(set, &carriers[i], LONG_DAYS);
	}
	return good;
}

#define NOBODY 0u
#define MANY   UINT32_MAX

/* Whether a pool is of one person only: then it is no other explanation than that person. */
static bool
is_of_one(const uint32_t *people, const struct counter *counter)
{
	return counter->owner == MODEL_POOL && people[counter->index] != MANY;
}

/* By pool: 1 + the person who was shown people of it, or MANY. NULL: there is no memory. */
static uint32_t *
people_of_pools(const struct access_set *set)
{
	const struct model_carrier *carriers = set->carriers.items;
	uint32_t *people;
	size_t count = 0;

	for (size_t i = 0; i < set->carriers.count; i++) {
		if (carriers[i].pool != MODEL_NONE && carriers[i].pool >= count)
			count = (size_t)carriers[i].pool + 1;
	}
	people = calloc(count + 1, sizeof(*people));
	for (size_t i = 0; people != NULL && i < set->carriers.count; i++) {
		uint32_t *person;

		if (carriers[i].pool == MODEL_NONE || carriers[i].kind != MODEL_SESSION)
			continue;
		person = &people[carriers[i].pool];
		if (*person == NOBODY)
			*person = carriers[i].person + 1;
		else if (*person != carriers[i].person + 1)
			*person = MANY;
	}
	return people;
}

static bool
make_windows(struct access_set *set)
{
	uint32_t *people = people_of_pools(set);
	bool good = people != NULL;

	for (size_t i = 0; good && i < set->counter_room; i++) {
		const struct counter *counter = &set->counters[i];
		struct model_window *window;
		int64_t stretch = counter->days * AZ_US_PER_DAY;

		if (counter->count == 0 || is_of_one(people, counter))
			continue;
		window = vector_push(&set->windows, sizeof(*window));
		good = window != NULL;
		if (good)
			*window = (struct model_window){.owner = counter->owner,
			    .index = counter->index,
			    .pool = counter->pool,
			    .from_us = counter->days == 0 ? INT64_MIN : counter->bucket * stretch,
			    .to_us =
				counter->days == 0 ? MODEL_NEVER : (counter->bucket + 1) * stretch,
			    .size = counter->count,
			    .whole = counter->days == 0};
	}
	free(people);
	return good;
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

bool
access_count(struct access_set *set)
{
	set->carrier_groups = calloc(set->carriers.count + 1, sizeof(*set->carrier_groups));
	if (set->carrier_groups == NULL || !count_shown(set) || !count_lists(set) ||
	    !make_windows(set))
		return false;
	/* So that the same house gives the same result to the last bit. */
	if (set->windows.count > 1)
		qsort(set->windows.items, set->windows.count, sizeof(struct model_window),
		    compare_windows);
	return true;
}
