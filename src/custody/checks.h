/*
 * Wrong answers to `check`, of one record: so many in an hour, whoever asks, and nobody may ask again until one of them is
 * an hour old. So a value is not found out by trying.
 *
 * They are a thing of the entry that says "no", and survive a restart with it. A check that has not been answered yet counts
 * as a wrong one, so that several at once get no more than one after the other.
 */
#ifndef AZ_CUSTODY_CHECKS_H
#define AZ_CUSTODY_CHECKS_H

#include "custody/custody_internal.h"

#define CHECKS_WRONG_MAX 3u
#define CHECKS_WINDOW_US (INT64_C(3600) * AZ_US_PER_S)

void checks_free(struct custody *custody);

/* One more check of it begins; checks_end must follow. AZ_LIMIT: there were too many wrong ones. AZ_NO_MEMORY. */
AZ_CHECKED enum az_status checks_begin(struct custody *custody, uint32_t client, uint32_t record,
    int64_t now_us, struct az_err *reterr);
void checks_end(struct custody *custody, uint32_t client, uint32_t record);
/* How many wrong answers are left, those being asked taken off. */
unsigned int checks_left(
    const struct custody *custody, uint32_t client, uint32_t record, int64_t now_us);

/*
 * Counts a wrong answer at once, and puts what is counted into the payload of its entry. In memory first: of two that become
 * durable together, the second must not forget the first.
 */
AZ_CHECKED enum az_status checks_put_wrong(struct custody *custody, struct payload *payload,
    uint32_t client, uint32_t record, int64_t now_us);
/* As it was committed. AZ_CORRUPT, AZ_NO_MEMORY. */
AZ_CHECKED enum az_status checks_apply(
    struct custody *custody, struct bytes thing, struct az_err *reterr);

#endif
