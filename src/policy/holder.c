/*
 * One human's looks: exact counts of distinct people in sliding windows.
 *
 *	queue   ──month_first──────────day_first────hour_first──minute_first──end►
 *
 * Each look is a place in a queue; for each record of the month a table knows its newest place. A record is in a window
 * if its newest place is. So a look adds to a window's count if the record's newest place before lay outside, and a
 * place that leaves the window takes one away only if it is still the newest of its record. Every place enters and leaves
 * each window once: the cost of a look does not depend on how many there were.
 *
 * A lifetime keeps only which records there were, in a compressed bitmap (Chambi et al., "Better bitmap performance with
 * Roaring bitmaps", 2016).
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "policy/budget_internal.h"

#define QUEUE_FIRST  16u
#define LATEST_FIRST 16u

#define MINUTE_US (60 * AZ_US_PER_S)
#define HOUR_US   (60 * MINUTE_US)
#define MONTH_US  (30 * AZ_US_PER_DAY)

void
holder_fini(struct holder *holder)
{
	if (holder->life != NULL)
		roaring_bitmap_free(holder->life);
	free(holder->queue);
	free(holder->latest);
	free(holder->clients);
	*holder = (struct holder){0};
}

static struct seen *
place(const struct holder *holder, uint64_t at)
{
	return &holder->queue[at & (holder->room - 1)];
}

/* --- the newest place of a record ------------------------------------------------------------- */

static size_t
slot_of(const struct holder *holder, uint32_t record)
{
	/* Fibonacci hashing: records are dense numbers. */
	return (size_t)((record * UINT64_C(0x9e3779b97f4a7c15)) >> 32) & (holder->latest_room - 1);
}

static struct latest *
find_latest(const struct holder *holder, uint32_t record)
{
	if (holder->latest_room == 0 || record == 0)
		return NULL;
	for (size_t slot = slot_of(holder, record);;
	     slot = (slot + 1) & (holder->latest_room - 1)) {
		if (holder->latest[slot].record == record)
			return &holder->latest[slot];
		if (holder->latest[slot].record == 0)
			return NULL;
	}
}

static void
put_latest(struct holder *holder, uint32_t record, uint64_t at)
{
	size_t slot = slot_of(holder, record);

	while (holder->latest[slot].record != 0 && holder->latest[slot].record != record)
		slot = (slot + 1) & (holder->latest_room - 1);
	holder->latest[slot] = (struct latest){.record = record, .at = at};
}

/* Room for one more record, at most half full. */
static bool
grow_latest(struct holder *holder)
{
	struct latest *old = holder->latest;
	size_t old_room = holder->latest_room;
	size_t room = old_room == 0 ? LATEST_FIRST : 2 * old_room;

	if (2 * ((size_t)holder->month + 1) <= old_room)
		return true;
	holder->latest = calloc(room, sizeof(*holder->latest));
	if (holder->latest == NULL) {
		holder->latest = old;
		return false;
	}
	holder->latest_room = room;
	for (size_t i = 0; i < old_room; i++) {
		if (old[i].record != 0)
			put_latest(holder, old[i].record, old[i].at);
	}
	free(old);
	return true;
}

/* Takes a slot out and closes the gap, so that no search ends before what lies behind it. */
static void
drop_latest(struct holder *holder, struct latest *latest)
{
	size_t mask = holder->latest_room - 1;
	size_t gap = (size_t)(latest - holder->latest);

	for (size_t slot = (gap + 1) & mask; holder->latest[slot].record != 0;
	     slot = (slot + 1) & mask) {
		size_t home = slot_of(holder, holder->latest[slot].record);

		if (((slot - home) & mask) >= ((slot - gap) & mask)) {
			holder->latest[gap] = holder->latest[slot];
			gap = slot;
		}
	}
	holder->latest[gap] = (struct latest){0};
}

/* --- clients ---------------------------------------------------------------------------------- */

static struct client_count *
find_client(const struct holder *holder, uint32_t client)
{
	for (size_t i = 0; i < holder->client_count; i++) {
		if (holder->clients[i].client == client)
			return &holder->clients[i];
	}
	return NULL;
}

const struct client_count *
holder_client(const struct holder *holder, uint32_t client)
{
	return find_client(holder, client);
}

static struct client_count *
make_client(struct holder *holder, uint32_t client)
{
	struct client_count *found = find_client(holder, client);
	struct client_count *clients;

	if (found != NULL)
		return found;
	clients = reallocarray(holder->clients, holder->client_count + 1, sizeof(*clients));
	if (clients == NULL)
		return NULL;
	holder->clients = clients;
	clients[holder->client_count] = (struct client_count){.client = client};
	return &clients[holder->client_count++];
}

/* That of a place in the queue, which was made when the place was. */
static struct client_count *
client_of(const struct holder *holder, const struct seen *seen)
{
	struct client_count *found = find_client(holder, seen->client);

	assert(found != NULL);
	return found;
}

/* --- windows ---------------------------------------------------------------------------------- */

void
holder_advance(struct holder *holder, int64_t now_us)
{
	/* No clock that runs back opens a window again. */
	if (now_us < holder->newest_us)
		now_us = holder->newest_us;
	holder->newest_us = now_us;
	while (holder->minute_first < holder->end &&
	    place(holder, holder->minute_first)->time_us <= now_us - MINUTE_US)
		holder->minute_first++;
	while (holder->hour_first < holder->end &&
	    place(holder, holder->hour_first)->time_us <= now_us - HOUR_US)
		holder->hour_first++;
	for (; holder->day_first < holder->end &&
	     place(holder, holder->day_first)->time_us <= now_us - AZ_US_PER_DAY;
	     holder->day_first++) {
		const struct seen *left = place(holder, holder->day_first);
		const struct latest *latest = find_latest(holder, left->record);

		if (latest != NULL && latest->at == holder->day_first) {
			holder->day--;
			client_of(holder, left)->day--;
		}
	}
	for (; holder->month_first < holder->end &&
	     place(holder, holder->month_first)->time_us <= now_us - MONTH_US;
	     holder->month_first++) {
		const struct seen *left = place(holder, holder->month_first);
		struct latest *latest = find_latest(holder, left->record);

		if (latest != NULL && latest->at == holder->month_first) {
			holder->month--;
			client_of(holder, left)->month--;
			drop_latest(holder, latest);
		}
	}
}

struct holder_seen
holder_has(const struct holder *holder, uint32_t record)
{
	const struct latest *latest = find_latest(holder, record);

	return (struct holder_seen){.day = latest != NULL && latest->at >= holder->day_first,
	    .month = latest != NULL,
	    .life = holder->life != NULL && roaring_bitmap_contains(holder->life, record)};
}

/* Room for one more place. */
static bool
grow_queue(struct holder *holder)
{
	size_t room = holder->room == 0 ? QUEUE_FIRST : 2 * holder->room;
	struct seen *queue;

	if (holder->end - holder->month_first < holder->room)
		return true;
	queue = calloc(room, sizeof(*queue));
	if (queue == NULL)
		return false;
	for (uint64_t at = holder->month_first; at < holder->end; at++)
		queue[at & (room - 1)] = *place(holder, at);
	free(holder->queue);
	holder->queue = queue;
	holder->room = room;
	return true;
}

bool
holder_add(struct holder *holder, const struct seen *seen)
{
	struct holder_seen had;
	struct client_count *client = NULL;

	if (!grow_queue(holder))
		return false;
	if (seen->record != 0) {
		had = holder_has(holder, seen->record);
		client = make_client(holder, seen->client);
		if (holder->life == NULL)
			holder->life = roaring_bitmap_create();
		if (client == NULL || holder->life == NULL || !grow_latest(holder))
			return false;
		if (!had.life) {
			roaring_bitmap_add(holder->life, seen->record);
			client->life++;
		}
		holder->day += had.day ? 0 : 1;
		client->day += had.day ? 0 : 1;
		holder->month += had.month ? 0 : 1;
		client->month += had.month ? 0 : 1;
		put_latest(holder, seen->record, holder->end);
	}
	*place(holder, holder->end) = *seen;
	if (seen->time_us < holder->newest_us)
		place(holder, holder->end)->time_us = holder->newest_us;
	holder->end++;
	return true;
}
