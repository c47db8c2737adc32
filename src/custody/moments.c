/*
 * What is unusual in time: a wall clock that is moved, and sessions that are taken over again and again.
 *
 * The ledger's times never run backwards, so a clock that is set back would only make them stand still; and one that is set
 * forwards would age what expires. Neither is stopped here, since the host's clock is what there is: both are told. What has expired
 * stays so: whatever ends on a day or by a date (approvals, budgets, cases, grants, purposes, campaigns, people) goes by the latest time
 * that was seen (house_now_us). What lasts minutes (a hand-over, the hour of wrong answers) goes by the clock that there is: after one
 * that was an hour ahead it would last an hour longer.
 */
#include <stdlib.h>
#include <string.h>

#include "custody/custody_internal.h"

#define TAKEOVERS_ALARM 3u
#define TAKEOVERS_US    (INT64_C(600) * AZ_US_PER_S)

struct takeovers {
	unsigned int count;
	int64_t times[TAKEOVERS_ALARM]; /* of the clock that never jumps; the earliest first */
};

void
moments_free(struct custody *custody)
{
	for (size_t i = 0; i < custody->takeovers.room; i++)
		free(custody->takeovers.slots[i].value);
	id_map_fini(&custody->takeovers);
}

/* --- the clock --------------------------------------------------------------------------------- */

static void
log_jump(struct custody *custody, int64_t moved_us)
{
	struct ledger_entry entry = {.type = ENTRY_CLOCK,
	    .log = LEDGER_HOUSE_LOG,
	    .policy_version = POLICY_VERSION,
	    .zone = ZONE_LOOPBACK,
	    .grade = GRADE_OWN,
	    .outcome = AZ_OK,
	    .detail = moved_us > 0 ? 1 : 2,
	    .detail64 = moved_us > 0 ? (uint64_t)moved_us : (uint64_t)-moved_us};

	/* What keeps this entry from being written keeps everything else from it too, and is told there. */
	az_ignore(ledger_submit(custody->ledger, &entry, bytes_make(NULL, 0), NULL, NULL, NULL));
}

int64_t
house_time_us(const struct custody *custody)
{
	int64_t now = clock_now_us();

	return now > custody->latest_us ? now : custody->latest_us;
}

int64_t
house_now_us(struct custody *custody)
{
	custody->latest_us = house_time_us(custody);
	return custody->latest_us;
}

void
moments_started(struct custody *custody, int64_t last_us)
{
	int64_t behind_us = last_us - clock_now_us();

	custody->latest_us = last_us;
	if (behind_us >= CLOCK_JUMP_US)
		log_jump(custody, -behind_us);
}

void
moments_tick(struct custody *custody)
{
	int64_t moved_us = clock_jump(&custody->clock, clock_now_us(), clock_monotonic_us());

	(void)house_now_us(custody);
	if (moved_us != 0)
		log_jump(custody, moved_us);
}

/* --- take-overs -------------------------------------------------------------------------------- */

static struct takeovers *
takeovers_of(struct custody *custody, uint32_t staff)
{
	struct takeovers *takeovers = id_map_get(&custody->takeovers, staff);
	void *before = NULL;

	if (takeovers != NULL)
		return takeovers;
	takeovers = calloc(1, sizeof(*takeovers));
	if (takeovers != NULL &&
	    id_map_put(&custody->takeovers, staff, takeovers, &before) != AZ_OK) {
		free(takeovers);
		takeovers = NULL;
	}
	return takeovers;
}

void
moments_taken_over(struct request *request)
{
	struct custody *custody = request->custody;
	struct takeovers *takeovers = takeovers_of(custody, request->staff);
	struct ledger_entry alarm = request_entry(request, ENTRY_ALARM);
	int64_t now = clock_monotonic_us();

	/* Out of memory: each take-over is an entry of its own all the same. */
	if (takeovers == NULL)
		return;
	if (takeovers->count == TAKEOVERS_ALARM) {
		memmove(&takeovers->times[0], &takeovers->times[1],
		    (TAKEOVERS_ALARM - 1) * sizeof(takeovers->times[0]));
		takeovers->count--;
	}
	takeovers->times[takeovers->count++] = now;
	if (takeovers->count < TAKEOVERS_ALARM || now - takeovers->times[0] >= TAKEOVERS_US)
		return;
	/* The next alarm is after as many again. */
	takeovers->count = 0;
	alarm.outcome = AZ_CONFLICT;
	alarm.subject = request->staff;
	alarm.detail = TAKEOVERS_ALARM;
	az_ignore(ledger_submit(custody->ledger, &alarm, bytes_make(NULL, 0), NULL, NULL, NULL));
}
