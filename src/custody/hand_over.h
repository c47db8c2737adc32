/*
 * Handing the person one has just seen over to a colleague: who gets them, and until when.
 *
 * Whoever hands over must have seen that person last, and lately; what the keeper remembers of that is gone with a restart,
 * and then they are to be seen again first. The hand-over itself is a thing, one for each record; the latest counts.
 */
#ifndef AZ_CUSTODY_HAND_OVER_H
#define AZ_CUSTODY_HAND_OVER_H

#include "custody/custody_internal.h"

#define HAND_OVER_CURRENT_US (INT64_C(3600) * AZ_US_PER_S)

void hand_overs_free(struct custody *custody);

/* Somebody is shown this person now. Out of memory they have no current person, and hand nobody over. */
void hand_over_seen(struct custody *custody, const struct ledger_entry *entry, int64_t now_us);
/* Whether this person was handed over to staff for that purpose, and it has not expired. */
bool hand_over_is_open(const struct custody *custody, uint32_t client, uint32_t purpose,
    uint32_t record, uint32_t staff, int64_t now_us);

/* As it was committed. AZ_CORRUPT, AZ_NO_MEMORY. */
AZ_CHECKED enum az_status hand_over_apply(
    struct custody *custody, struct bytes thing, struct az_err *reterr);

#endif
