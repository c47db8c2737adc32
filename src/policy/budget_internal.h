/*
 * What the files of the book share.
 */
#ifndef AZ_POLICY_BUDGET_INTERNAL_H
#define AZ_POLICY_BUDGET_INTERNAL_H

#include <roaring/roaring.h>

#include "policy/policy.h"

/* One look, in the order of time. */
struct seen {
	uint32_t record, client;
	int64_t time_us;
};

/* Distinct people of one client. */
struct client_count {
	uint32_t client, day, month, life;
};

/* Where the newest look at a record stands in the queue. */
struct latest {
	uint32_t record; /* 0: free */
	uint64_t at;
};

/*
 * One human's looks of one class. The queue holds those of the last 30 days; positions count from the first look
 * ever and never run back, so that each window is a position and moves forward only.
 */
struct holder {
	roaring_bitmap_t *life; /* every record ever seen; NULL until one is */
	struct seen *queue;     /* a ring */
	size_t room;            /* a power of two */
	uint64_t end;           /* behind the newest look */
	uint64_t month_first, day_first, hour_first, minute_first;
	int64_t newest_us; /* the latest that the windows were moved to */
	uint32_t day, month;
	struct latest *latest; /* records of the month, by hash */
	size_t latest_room;    /* a power of two */
	struct client_count *clients;
	size_t client_count;
	uint32_t reviewed; /* what reviews added to the lifetime */
};

struct budget_book {
	struct budget budgets[ROLE_COUNT];   /* by role; role 0: not set */
	struct budget_extension *extensions; /* by id */
	size_t extension_count, extension_room;
	size_t first_open;      /* those before it have ended, or are reviews */
	struct holder *holders; /* two of each member of staff: calls, searches */
	size_t holder_room;
};

/* The holder's own; NULL: nothing was counted, or, if create is set, there is no memory. */
struct holder *holder_of(
    struct budget_book *book, uint32_t staff, enum budget_class class, bool create);
void holder_fini(struct holder *holder);
/* Moves the windows to now_us. */
void holder_advance(struct holder *holder, int64_t now_us);
/* Adds a look; false without memory, and then nothing has changed. */
bool holder_add(struct holder *holder, const struct seen *seen) AZ_CHECKED;
/* Whether the record was seen in the last day, the last month, ever. */
struct holder_seen {
	bool day, month, life;
};
struct holder_seen holder_has(const struct holder *holder, uint32_t record);
/* NULL if nobody of that client was ever seen. */
const struct client_count *holder_client(const struct holder *holder, uint32_t client);

#endif
