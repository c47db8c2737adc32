/*
 * What the two files of the access set share: what was added, and how it is counted.
 */
#ifndef AZ_CUSTODY_ACCESS_SET_INTERNAL_H
#define AZ_CUSTODY_ACCESS_SET_INTERNAL_H

#include <stddef.h>
#include <stdint.h>

#include "base/vector.h"
#include "custody/access_set.h"

/* One access, as it is kept until it is counted; whose it is, and when, its carrier says. */
struct shown {
	uint32_t record, version, carrier;
};

#define PIECE_SHOWN 1365u /* 16 KiB */
struct shown_piece {
	struct shown_piece *next;
	size_t count;
	struct shown items[PIECE_SHOWN];
};

/* What one person was shown, in no order. */
struct person_shown {
	struct shown_piece *pieces;
	size_t count;
	uint32_t carrier; /* 1 + the last: nearly always the next, too */
};

struct carrier_ref {
	uint32_t origin;
	uint64_t number;
};

struct access_set {
	struct vector wanted; /* uint32_t, until all are known */
	uint64_t *wanted_bits;
	size_t wanted_end;      /* records from it on are not wanted */
	struct vector people;   /* struct person_shown, by person */
	size_t shown_count;     /* of all */
	struct vector accesses; /* struct model_access */
	struct vector carriers; /* struct model_carrier */
	struct vector refs;     /* struct carrier_ref, of the carriers */
	struct vector shapes;   /* uint64_t */
	struct vector windows;  /* struct model_window */
	uint32_t *slots;        /* by carrier: 1 + index */
	size_t slot_count;
};

void shown_free(struct person_shown *person);

/* access_count.c: fills in the sizes of carriers, and the windows. False: there is no memory. */
bool access_count(struct access_set *set) AZ_CHECKED;

#endif
