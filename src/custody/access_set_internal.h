/*
 * What the two files of the access set share: what was added, and how it is counted.
 */
#ifndef AZ_CUSTODY_ACCESS_SET_INTERNAL_H
#define AZ_CUSTODY_ACCESS_SET_INTERNAL_H

#include <stddef.h>

#include "base/vector.h"
#include "custody/access_set.h"

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
	uint32_t group; /* the last that was counted */
};

struct access_set {
	struct vector wanted;   /* uint32_t, sorted */
	struct vector shown;    /* struct shown */
	struct vector accesses; /* struct model_access */
	struct vector carriers; /* struct model_carrier */
	struct vector refs;     /* struct carrier_ref, of the carriers */
	struct vector shapes;   /* uint64_t */
	struct vector windows;  /* struct model_window */
	uint32_t *slots;        /* by carrier: 1 + index */
	size_t slot_count;
	struct counter *counters;
	size_t counter_room, counter_count;
	uint32_t *carrier_groups; /* by carrier: the last group that was counted in it */
};

int32_t access_day(int64_t time_us);

/* access_count.c: fills in the sizes of carriers, and the windows. False: there is no memory. */
bool access_count(struct access_set *set) AZ_CHECKED;

#endif
