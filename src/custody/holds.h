/*
 * What holds for a person whatever is delivered: stops (no calls, by channel) and restrictions (fields that nobody
 * sees, or that two people must open). They belong to the record, which outlives the lists that it is in; a
 * delivery neither sets nor lifts one.
 */
#ifndef AZ_CUSTODY_HOLDS_H
#define AZ_CUSTODY_HOLDS_H

#include "custody/custody_internal.h"

struct hold {
	uint32_t client, record;
	uint8_t stops;   /* bits 1 << enum channel */
	uint64_t hidden; /* fields that nobody sees */
	uint64_t pairs;  /* fields that are seen only after two people opened them for one human */
	/* The opening: by who asked it and who approved it. */
	uint32_t opened_for; /* staff; 0: nobody */
	int64_t opened_until_us;
	uint64_t opened; /* of pairs */
};

void holds_free(struct custody *custody);
/* What holds for a record; nothing, if nothing was ever set. Borrowed until the next put. */
const struct hold *hold_of(const struct custody *custody, uint32_t client, uint32_t record);
/* The fields that this human may not see of it now. */
uint64_t hold_withheld(const struct hold *hold, uint32_t staff, int64_t now_us);
/* Whether somebody may be found by a key of that kind: not, if it is made of a field that is withheld. */
bool hold_lets_find(const struct hold *hold, enum match_kind kind);
/* The channels that are stopped, as an array of names. */
void answer_stops(struct wire_writer *writer, const struct hold *hold);

AZ_CHECKED enum az_status payload_put_hold(struct payload *payload, const struct hold *hold);
/* A hold as it was committed. AZ_CORRUPT, AZ_NO_MEMORY. */
AZ_CHECKED enum az_status hold_apply(
    struct custody *custody, struct bytes thing, struct az_err *reterr);

#endif
