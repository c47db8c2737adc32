/*
 * How much each carrier and each stretch holds.
 *
 *	each person, on any processor:
 *	    sort by record and version ─► groups ─► once in each carrier, month and year, and in all they had
 *	                              └─► records by pool and year ─► a bitmap of each
 *	bitmaps of all processors ─► what all of a pool, and all of the house, were shown
 *
 * A group is one thing that the person has. What has counted it bears its number, so that a record that was looked at a
 * hundred thousand times costs no more than as many records. People share nothing, so their order does not matter.
 */
#include <pthread.h>
#include <roaring/roaring.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "custody/access_set_internal.h"

#define SHORT_DAYS  30
#define LONG_DAYS   365
#define THREADS_MAX 8u
#define NO_WINDOW   UINT32_MAX

/* --- a person's windows ------------------------------------------------------------------------- */

struct window {
	uint32_t pool;  /* or MODEL_NONE */
	int32_t days;   /* of the stretch; 0: the whole time */
	int32_t bucket; /* which of them */
	uint32_t count;
	uint32_t group; /* the last that was counted */
};

/* A carrier of the person at work. */
struct local {
	uint32_t carrier;
	uint32_t size;
	uint32_t group;      /* the last that was counted */
	uint32_t windows[3]; /* month, year, year and pool; or NO_WINDOW */
	uint32_t shared;     /* of all people: its pool's year, or NO_WINDOW */
};

/* What all people of a pool were shown in a year. */
struct shared {
	uint32_t pool; /* or MODEL_NONE */
	int32_t bucket;
	roaring_bitmap_t *records;
	uint32_t mine, next; /* of the person at work: how many, and where the next goes */
};

struct counting {
	struct access_set *set;
	const uint32_t *lists;    /* carriers that are whole lists, by person */
	const size_t *first_list; /* by person, and one more */
	uint32_t *local_of;       /* by carrier: 1 + its place among those of the person at work */
	atomic_size_t next;       /* person */
};

struct counter {
	struct counting *counting;
	pthread_t thread;
	bool good;
	/* of the person at work */
	struct shown *sorted, *other;
	uint32_t *records;
	size_t room;
	struct vector windows; /* struct window */
	uint32_t *slots;       /* 1 + place of a window, by its hash */
	size_t slot_count;
	struct vector locals; /* struct local */
	/* of all that it counted */
	struct vector shared;   /* struct shared */
	uint32_t *shared_slots; /* 1 + place, by its hash */
	size_t shared_slot_count;
	struct vector done; /* struct model_window */
};

static int32_t
day_of(int64_t time_us)
{
	int64_t day = time_us / AZ_US_PER_DAY;

	return (int32_t)(time_us % AZ_US_PER_DAY < 0 ? day - 1 : day);
}

static int32_t
bucket_of(int64_t time_us, int32_t days)
{
	int32_t day = day_of(time_us);

	return day >= 0 ? day / days : -((-day + days - 1) / days);
}

static size_t
hash_of(uint32_t pool, int32_t days, int32_t bucket)
{
	uint64_t hash = ((uint64_t)pool << 32 | (uint32_t)bucket) * UINT64_C(0x9e3779b97f4a7c15);

	hash ^= (uint64_t)(uint32_t)days * UINT64_C(0xbf58476d1ce4e5b9);
	return (size_t)(hash ^ hash >> 31);
}

static size_t
window_slot(const struct counter *counter, uint32_t pool, int32_t days, int32_t bucket)
{
	const struct window *windows = counter->windows.items;
	size_t slot = hash_of(pool, days, bucket) & (counter->slot_count - 1);

	while (counter->slots[slot] != 0) {
		const struct window *window = &windows[counter->slots[slot] - 1];

		if (window->pool == pool && window->days == days && window->bucket == bucket)
			break;
		slot = (slot + 1) & (counter->slot_count - 1);
	}
	return slot;
}

static bool
grow_slots(struct counter *counter)
{
	const struct window *windows = counter->windows.items;
	size_t count = counter->slot_count == 0 ? 1024 : 2 * counter->slot_count;
	uint32_t *slots = calloc(count, sizeof(*slots));

	if (slots == NULL)
		return false;
	free(counter->slots);
	counter->slots = slots;
	counter->slot_count = count;
	for (size_t i = 0; i < counter->windows.count; i++)
		slots[window_slot(counter, windows[i].pool, windows[i].days, windows[i].bucket)] =
		    (uint32_t)i + 1;
	return true;
}

/* The place of the person's window, made where there is none; NO_WINDOW: there is no memory. */
static uint32_t
window_of(struct counter *counter, uint32_t pool, int32_t days, int32_t bucket)
{
	struct window *window;
	size_t slot;

	if (2 * counter->windows.count >= counter->slot_count && !grow_slots(counter))
		return NO_WINDOW;
	slot = window_slot(counter, pool, days, bucket);
	if (counter->slots[slot] != 0)
		return counter->slots[slot] - 1;
	window = vector_push(&counter->windows, sizeof(*window));
	if (window == NULL)
		return NO_WINDOW;
	*window = (struct window){.pool = pool, .days = days, .bucket = bucket};
	counter->slots[slot] = (uint32_t)counter->windows.count;
	return (uint32_t)counter->windows.count - 1;
}

static size_t
shared_slot(const struct counter *counter, uint32_t pool, int32_t bucket)
{
	const struct shared *shared = counter->shared.items;
	size_t slot = hash_of(pool, LONG_DAYS, bucket) & (counter->shared_slot_count - 1);

	while (counter->shared_slots[slot] != 0 &&
	    (shared[counter->shared_slots[slot] - 1].pool != pool ||
		shared[counter->shared_slots[slot] - 1].bucket != bucket))
		slot = (slot + 1) & (counter->shared_slot_count - 1);
	return slot;
}

static bool
grow_shared_slots(struct counter *counter)
{
	const struct shared *shared = counter->shared.items;
	size_t count = counter->shared_slot_count == 0 ? 1024 : 2 * counter->shared_slot_count;
	uint32_t *slots = calloc(count, sizeof(*slots));

	if (slots == NULL)
		return false;
	free(counter->shared_slots);
	counter->shared_slots = slots;
	counter->shared_slot_count = count;
	for (size_t i = 0; i < counter->shared.count; i++)
		slots[shared_slot(counter, shared[i].pool, shared[i].bucket)] = (uint32_t)i + 1;
	return true;
}

/* The place of a pool's year, made where there is none; NO_WINDOW: there is no memory. */
static uint32_t
shared_of(struct counter *counter, uint32_t pool, int32_t bucket)
{
	struct shared *shared;
	size_t slot;

	if (2 * counter->shared.count >= counter->shared_slot_count && !grow_shared_slots(counter))
		return NO_WINDOW;
	slot = shared_slot(counter, pool, bucket);
	if (counter->shared_slots[slot] != 0)
		return counter->shared_slots[slot] - 1;
	shared = vector_push(&counter->shared, sizeof(*shared));
	if (shared == NULL)
		return NO_WINDOW;
	*shared =
	    (struct shared){.pool = pool, .bucket = bucket, .records = roaring_bitmap_create()};
	if (shared->records == NULL) {
		counter->shared.count--;
		return NO_WINDOW;
	}
	counter->shared_slots[slot] = (uint32_t)counter->shared.count;
	return (uint32_t)counter->shared.count - 1;
}

/* What a carrier's accesses count in; NULL: there is no memory. Pools are about what was shown, not what was exported. */
static struct local *
local_of(struct counter *counter, uint32_t carrier)
{
	uint32_t *place = &counter->counting->local_of[carrier];
	const struct model_carrier *of =
	    (const struct model_carrier *)counter->counting->set->carriers.items + carrier;
	struct local *local;
	int32_t year = bucket_of(of->time_us, LONG_DAYS);
	bool good;

	if (*place != 0)
		return (struct local *)counter->locals.items + (*place - 1);
	local = vector_push(&counter->locals, sizeof(*local));
	if (local == NULL)
		return NULL;
	*place = (uint32_t)counter->locals.count;
	local->carrier = carrier;
	local->windows[0] =
	    window_of(counter, MODEL_NONE, SHORT_DAYS, bucket_of(of->time_us, SHORT_DAYS));
	local->windows[1] = window_of(counter, MODEL_NONE, LONG_DAYS, year);
	local->windows[2] =
	    of->pool != MODEL_NONE ? window_of(counter, of->pool, LONG_DAYS, year) : NO_WINDOW;
	local->shared = of->kind == MODEL_SESSION ? shared_of(counter, of->pool, year) : NO_WINDOW;
	good = local->windows[0] != NO_WINDOW && local->windows[1] != NO_WINDOW &&
	    (of->pool == MODEL_NONE || local->windows[2] != NO_WINDOW) &&
	    (of->kind != MODEL_SESSION || local->shared != NO_WINDOW);
	return good ? local : NULL;
}

/* --- sorting ------------------------------------------------------------------------------------ */

#define DIGIT_BITS 11u
#define DIGITS     (1u << DIGIT_BITS)

/* By the record's bits from shift on; what has the same stays in its order (Knuth, 5.2.5). False: they are all the same. */
static bool
sort_digit(const struct shown *from, struct shown *to, size_t count, unsigned int shift)
{
	size_t ends[DIGITS] = {0};
	size_t sum = 0;

	for (size_t i = 0; i < count; i++)
		ends[from[i].record >> shift & (DIGITS - 1)]++;
	if (ends[from[0].record >> shift & (DIGITS - 1)] == count)
		return false;
	for (size_t digit = 0; digit < DIGITS; digit++) {
		size_t many = ends[digit];

		ends[digit] = sum;
		sum += many;
	}
	for (size_t i = 0; i < count; i++)
		to[ends[from[i].record >> shift & (DIGITS - 1)]++] = from[i];
	return true;
}

static int
compare_versions(const void *a, const void *b)
{
	const struct shown *one = a;
	const struct shown *other = b;

	return one->version < other->version ? -1 : one->version > other->version;
}

/* Of one record by version: nearly always one or two. */
static void
sort_versions(struct shown *shown, size_t count)
{
	if (count > 16) {
		qsort(shown, count, sizeof(*shown), compare_versions);
		return;
	}
	for (size_t i = 1; i < count; i++) {
		struct shown moved = shown[i];
		size_t at = i;

		for (; at > 0 && compare_versions(&moved, &shown[at - 1]) < 0; at--)
			shown[at] = shown[at - 1];
		shown[at] = moved;
	}
}

/* The person's accesses, sorted, out of their pieces, which are freed. */
static bool
take_sorted(struct counter *counter, struct person_shown *person)
{
	size_t count = person->count;
	size_t at = 0;

	if (count > counter->room) {
		free(counter->sorted);
		free(counter->other);
		free(counter->records);
		counter->room = 0;
		counter->sorted = malloc(count * sizeof(*counter->sorted));
		counter->other = malloc(count * sizeof(*counter->other));
		counter->records = malloc(count * sizeof(*counter->records));
		if (counter->sorted == NULL || counter->other == NULL || counter->records == NULL)
			return false;
		counter->room = count;
	}
	for (const struct shown_piece *piece = person->pieces; piece != NULL; piece = piece->next) {
		memcpy(counter->sorted + at, piece->items, piece->count * sizeof(piece->items[0]));
		at += piece->count;
	}
	shown_free(person);
	for (unsigned int shift = 0; shift < 32; shift += DIGIT_BITS) {
		if (sort_digit(counter->sorted, counter->other, count, shift)) {
			struct shown *sorted = counter->other;

			counter->other = counter->sorted;
			counter->sorted = sorted;
		}
	}
	for (size_t from = 0, to; from < count; from = to) {
		for (to = from + 1;
		     to < count && counter->sorted[to].record == counter->sorted[from].record;)
			to++;
		if (to - from > 1)
			sort_versions(counter->sorted + from, to - from);
	}
	return true;
}

/* --- counting ----------------------------------------------------------------------------------- */

static bool
count_groups(struct counter *counter, size_t count, uint32_t *ret_groups)
{
	const struct shown *sorted = counter->sorted;
	uint32_t group = 0;

	for (size_t i = 0; i < count; i++) {
		struct local *local = local_of(counter, sorted[i].carrier);
		struct window *windows = counter->windows.items;

		if (local == NULL)
			return false;
		if (i == 0 || sorted[i].record != sorted[i - 1].record ||
		    sorted[i].version != sorted[i - 1].version)
			group++;
		local->size += local->group != group;
		local->group = group;
		for (size_t w = 0; w < AZ_ARRAY_SIZE(local->windows); w++) {
			struct window *window;

			if (local->windows[w] == NO_WINDOW)
				continue;
			window = &windows[local->windows[w]];
			window->count += window->group != group;
			window->group = group;
		}
		if (local->shared != NO_WINDOW)
			((struct shared *)counter->shared.items)[local->shared].mine++;
	}
	*ret_groups = group;
	return true;
}

/* Into the bitmaps of the pools, those of each together and in order: a bitmap is filled best so. */
static void
share_records(struct counter *counter, size_t count)
{
	struct shared *shared = counter->shared.items;
	const struct local *locals = counter->locals.items;
	uint32_t sum = 0;

	for (size_t i = 0; i < counter->shared.count; i++) {
		shared[i].next = sum;
		sum += shared[i].mine;
	}
	for (size_t i = 0; i < count; i++) {
		const struct shown *shown = &counter->sorted[i];
		uint32_t to = locals[counter->counting->local_of[shown->carrier] - 1].shared;

		if (to != NO_WINDOW)
			counter->records[shared[to].next++] = shown->record;
	}
	for (size_t i = 0; i < counter->shared.count; i++) {
		roaring_bitmap_add_many(shared[i].records, shared[i].mine,
		    counter->records + (shared[i].next - shared[i].mine));
		shared[i].mine = 0;
	}
}

static void
add_saturated(uint32_t *count, uint32_t more)
{
	*count = more > UINT32_MAX - *count ? UINT32_MAX : *count + more;
}

/* Lists that were exported whole are in their person's history, too. */
static bool
count_lists(struct counter *counter, size_t person, uint32_t *whole)
{
	const struct counting *counting = counter->counting;
	const struct model_carrier *carriers = counting->set->carriers.items;

	for (size_t i = counting->first_list[person]; i < counting->first_list[person + 1]; i++) {
		const struct model_carrier *carrier = &carriers[counting->lists[i]];
		static const int32_t stretches[] = {SHORT_DAYS, LONG_DAYS};

		for (size_t s = 0; s < AZ_ARRAY_SIZE(stretches); s++) {
			uint32_t at = window_of(counter, MODEL_NONE, stretches[s],
			    bucket_of(carrier->time_us, stretches[s]));

			if (at == NO_WINDOW)
				return false;
			add_saturated(
			    &((struct window *)counter->windows.items)[at].count, carrier->size);
		}
		add_saturated(whole, carrier->size);
	}
	return true;
}

static bool
put_window(struct vector *windows, enum model_owner owner, uint32_t index, uint32_t pool,
    int32_t days, int32_t bucket, uint64_t size)
{
	struct model_window *window = vector_push(windows, sizeof(*window));
	int64_t stretch = days * AZ_US_PER_DAY;

	if (window == NULL)
		return false;
	*window = (struct model_window){.owner = owner,
	    .index = index,
	    .pool = pool,
	    .from_us = days == 0 ? INT64_MIN : bucket * stretch,
	    .to_us = days == 0 ? MODEL_NEVER : (bucket + 1) * stretch,
	    .size = size < UINT32_MAX ? (uint32_t)size : UINT32_MAX,
	    .whole = days == 0};
	return true;
}

/* What was counted of a person, and everything ready for the next. */
static bool
tell_person(struct counter *counter, uint32_t person, uint32_t whole)
{
	struct model_carrier *carriers = counter->counting->set->carriers.items;
	const struct window *windows = counter->windows.items;
	const struct local *locals = counter->locals.items;
	bool good =
	    whole == 0 || put_window(&counter->done, MODEL_PERSON, person, MODEL_NONE, 0, 0, whole);

	for (size_t i = 0; i < counter->windows.count && good; i++)
		good = put_window(&counter->done, MODEL_PERSON, person, windows[i].pool,
		    windows[i].days, windows[i].bucket, windows[i].count);
	for (size_t i = 0; i < counter->locals.count; i++)
		carriers[locals[i].carrier].size = locals[i].size;
	counter->locals.count = 0;
	counter->windows.count = 0;
	if (counter->slot_count > 0)
		memset(counter->slots, 0, counter->slot_count * sizeof(*counter->slots));
	return good;
}

static bool
count_person(struct counter *counter, uint32_t person)
{
	struct person_shown *shown =
	    (struct person_shown *)counter->counting->set->people.items + person;
	size_t count = shown->count;
	uint32_t whole = 0;

	if (count > 0) {
		if (!take_sorted(counter, shown) || !count_groups(counter, count, &whole))
			return false;
		share_records(counter, count);
	}
	return count_lists(counter, person, &whole) && tell_person(counter, person, whole);
}

static void *
count_people(void *arg)
{
	struct counter *counter = arg;
	struct counting *counting = counter->counting;
	size_t person;

	counter->good = true;
	while (counter->good &&
	    (person = atomic_fetch_add(&counting->next, 1)) < counting->set->people.count)
		counter->good = count_person(counter, (uint32_t)person);
	return NULL;
}

static void
counter_fini(struct counter *counter)
{
	const struct shared *shared = counter->shared.items;

	for (size_t i = 0; i < counter->shared.count; i++)
		roaring_bitmap_free(shared[i].records);
	free(counter->sorted);
	free(counter->other);
	free(counter->records);
	free(counter->slots);
	free(counter->shared_slots);
	vector_fini(&counter->windows);
	vector_fini(&counter->locals);
	vector_fini(&counter->shared);
	vector_fini(&counter->done);
}

/* --- what all were shown ------------------------------------------------------------------------ */

#define NOBODY 0u
#define MANY   UINT32_MAX

/* By pool: 1 + the person who was shown people of it, or MANY. NULL: there is no memory. */
static uint32_t *
people_of_pools(const struct access_set *set, size_t *ret_pools)
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
	*ret_pools = count;
	return people;
}

/* The years of all processors' pools, in the first. */
static bool
merge_shared(struct counter *first, const struct counter *other)
{
	const struct shared *from = other->shared.items;

	for (size_t i = 0; i < other->shared.count; i++) {
		uint32_t to = shared_of(first, from[i].pool, from[i].bucket);

		if (to == NO_WINDOW)
			return false;
		roaring_bitmap_or_inplace(
		    ((struct shared *)first->shared.items)[to].records, from[i].records);
	}
	return true;
}

/* A pool of one person only is no other explanation than that person. */
static bool
tell_pool(struct access_set *set, const struct counter *all, uint32_t pool, roaring_bitmap_t *house)
{
	const struct shared *shared = all->shared.items;
	roaring_bitmap_t *whole = roaring_bitmap_create();
	bool good = whole != NULL;

	for (size_t i = 0; i < all->shared.count && good; i++) {
		if (shared[i].pool != pool)
			continue;
		roaring_bitmap_or_inplace(whole, shared[i].records);
		good = put_window(&set->windows, MODEL_POOL, pool, MODEL_NONE, LONG_DAYS,
		    shared[i].bucket, roaring_bitmap_get_cardinality(shared[i].records));
	}
	if (good && !roaring_bitmap_is_empty(whole))
		good = put_window(&set->windows, MODEL_POOL, pool, MODEL_NONE, 0, 0,
		    roaring_bitmap_get_cardinality(whole));
	if (good)
		roaring_bitmap_or_inplace(house, whole);
	if (whole != NULL)
		roaring_bitmap_free(whole);
	return good;
}

static bool
tell_shared(struct access_set *set, const struct counter *all)
{
	const struct shared *shared = all->shared.items;
	size_t pools = 0;
	uint32_t *people = people_of_pools(set, &pools);
	roaring_bitmap_t *house = roaring_bitmap_create();
	bool good = people != NULL && house != NULL;

	for (size_t i = 0; i < all->shared.count && good; i++) {
		if (shared[i].pool == MODEL_NONE || people[shared[i].pool] != MANY)
			roaring_bitmap_or_inplace(house, shared[i].records);
	}
	for (uint32_t pool = 0; pool < pools && good; pool++) {
		if (people[pool] == MANY)
			good = tell_pool(set, all, pool, house);
	}
	if (good && !roaring_bitmap_is_empty(house))
		good = put_window(&set->windows, MODEL_STORE, 0, MODEL_NONE, 0, 0,
		    roaring_bitmap_get_cardinality(house));
	if (house != NULL)
		roaring_bitmap_free(house);
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

/* So that the same house gives the same result to the last bit. */
static bool
tell_all(struct access_set *set, struct counter *counters, size_t count)
{
	bool good = true;

	for (size_t c = 1; c < count && good; c++)
		good = merge_shared(&counters[0], &counters[c]);
	for (size_t c = 0; c < count && good; c++) {
		const struct model_window *done = counters[c].done.items;

		for (size_t i = 0; i < counters[c].done.count && good; i++) {
			struct model_window *window = vector_push(&set->windows, sizeof(*window));

			good = window != NULL;
			if (good)
				*window = done[i];
		}
	}
	good = good && tell_shared(set, &counters[0]);
	if (good && set->windows.count > 1)
		qsort(set->windows.items, set->windows.count, sizeof(struct model_window),
		    compare_windows);
	return good;
}

/* --- all of it ---------------------------------------------------------------------------------- */

/* The carriers that are whole lists, by person. */
static bool
index_lists(const struct access_set *set, uint32_t **ret_lists, size_t **ret_first)
{
	const struct model_carrier *carriers = set->carriers.items;
	uint32_t *lists = calloc(set->carriers.count + 1, sizeof(*lists));
	size_t *first = calloc(set->people.count + 2, sizeof(*first));
	size_t sum = 0;

	*ret_lists = lists;
	*ret_first = first;
	if (lists == NULL || first == NULL)
		return false;
	for (size_t i = 0; i < set->carriers.count; i++)
		first[carriers[i].person] += carriers[i].list != MODEL_NONE;
	/* Where each ends, and then, filled from behind, where it begins. */
	for (size_t person = 0; person <= set->people.count; person++) {
		sum += first[person];
		first[person] = sum;
	}
	for (size_t i = set->carriers.count; i-- > 0;) {
		if (carriers[i].list != MODEL_NONE)
			lists[--first[carriers[i].person]] = (uint32_t)i;
	}
	return true;
}

static bool
count_together(struct counting *counting)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	size_t count = processors < 1        ? 1
	    : processors > (long)THREADS_MAX ? THREADS_MAX
					     : (size_t)processors;
	struct counter counters[THREADS_MAX] = {{0}};
	size_t started = 1;
	bool good = true;

	for (size_t i = 0; i < count; i++)
		counters[i].counting = counting;
	while (started < count &&
	    pthread_create(&counters[started].thread, NULL, count_people, &counters[started]) == 0)
		started++;
	(void)count_people(&counters[0]);
	for (size_t i = 1; i < started; i++)
		(void)pthread_join(counters[i].thread, NULL);
	for (size_t i = 0; i < started; i++)
		good = good && counters[i].good;
	good = good && tell_all(counting->set, counters, started);
	for (size_t i = 0; i < count; i++)
		counter_fini(&counters[i]);
	return good;
}

bool
access_count(struct access_set *set)
{
	struct counting counting = {.set = set};
	uint32_t *lists = NULL;
	size_t *first = NULL;
	bool good = index_lists(set, &lists, &first);

	counting.lists = lists;
	counting.first_list = first;
	counting.local_of = calloc(set->carriers.count + 1, sizeof(*counting.local_of));
	good = good && counting.local_of != NULL && count_together(&counting);
	free(lists);
	free(first);
	free(counting.local_of);
	return good;
}
