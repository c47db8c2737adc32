/*
 * Who was shown or handed what, brought into the form that the model takes: carriers with how much each holds, stretches
 * of everybody's history, and the accesses to the records that are asked about.
 *
 * Promises  a version that somebody was shown ten times by one carrier, or in one stretch of theirs, counts there once; in what all of a
 *           pool or of the house were shown, a record does. A session is of the day on which it began.
 * Not       it reads no ledger and decides nothing.
 * Threads   belongs to one thread at a time; access_set_close may run in another than what came before.
 */
#ifndef AZ_CUSTODY_ACCESS_SET_H
#define AZ_CUSTODY_ACCESS_SET_H

#include "base/status.h"
#include "trace/model.h"

struct access_set;

AZ_CHECKED enum az_status access_set_new(struct access_set **ret_set, struct az_err *reterr);
void access_set_free(struct access_set **set);

/* Somebody was shown a version of a record in a session, or got it in an export. */
struct access {
	uint32_t person; /* index */
	uint32_t pool;   /* index of what it was shown for, or MODEL_NONE */
	uint32_t origin; /* 0: this house saw it; else the number of an imported history */
	uint64_t number; /* of the session or export, unique within its origin */
	enum model_carrier_kind kind;
	int64_t time_us;
	uint32_t record, version;
	uint64_t fields;
};

/* A record that is asked about; all of them before the first access. AZ_NO_MEMORY. */
AZ_CHECKED enum az_status access_set_want(struct access_set *set, uint32_t record);
/* After the last. AZ_NO_MEMORY. */
AZ_CHECKED enum az_status access_set_wanted(struct access_set *set, struct az_err *reterr);
bool access_set_wants(const struct access_set *set, uint32_t record);

/* AZ_LIMIT: there are more than are kept. AZ_NO_MEMORY. */
AZ_CHECKED enum az_status access_set_add(
    struct access_set *set, const struct access *access, struct az_err *reterr);
/* A list of so many rows was exported whole; of access the record, version and fields say nothing. */
AZ_CHECKED enum az_status access_set_add_list(struct access_set *set, const struct access *access,
    uint32_t list, uint32_t size, struct az_err *reterr);

/* Counts and sorts, on all processors. What is slow is here. */
AZ_CHECKED enum az_status access_set_close(struct access_set *set, struct az_err *reterr);
/* Puts accesses, shapes, carriers and windows into input, borrowed from the set. */
void access_set_fill(const struct access_set *set, struct model_input *input);

/* What a carrier of the input is. */
struct access_carrier {
	uint32_t origin;
	uint64_t number;
};
struct access_carrier access_set_carrier(const struct access_set *set, uint32_t index);

/*
 * The fields that whoever has these has: a full name for its two parts and the other way, a telephone whatever its
 * column was called, the postcode of an address.
 */
uint64_t access_fields(uint64_t fields);

#endif
