/*
 * Making the host secret anew, and sealing the key ring under it: after which no older copy of the ring opens with what is
 * on the host.
 *
 * Promises  a crash at any write leaves the old secret with the old ring, or the new one with the new.
 */
#ifndef AZ_CUSTODY_RENEW_H
#define AZ_CUSTODY_RENEW_H

#include "custody/custody_internal.h"

/*
 * Seals the ring under a new secret, without the key of a consignment (0: with all), and has the parent keep it. done is called with
 * what came of it; on a failure everything is as it was. AZ_BUSY: one is under way.
 */
AZ_CHECKED enum az_status renew_begin(struct custody *custody, uint64_t dropped,
    void (*done)(void *arg, const struct az_err *err), void *arg, struct az_err *reterr);
/* The same, with other slots: the parent makes their part new, too. slots->ring is filled in. */
AZ_CHECKED enum az_status renew_with_slots(struct custody *custody, struct parent_slots *slots,
    void (*done)(void *arg, const struct az_err *err), void *arg, struct az_err *reterr);
bool renew_is_busy(const struct custody *custody);

#endif
