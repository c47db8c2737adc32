/*
 * Destroying a consignment: its key leaves the ring, and what lies under it is dropped, everywhere.
 *
 * Promises  before its entry is durable nothing has happened; behind it, whatever is killed, the next start does the
 *           rest before anybody is served. Everyone in another list stays readable by that list, in its version.
 * Not       it asks nobody: who may have it done is for whoever calls it.
 */
#ifndef AZ_CUSTODY_DESTROY_H
#define AZ_CUSTODY_DESTROY_H

#include "custody/custody_internal.h"

/*
 * Begins it; done (may be NULL) is called once nothing is left, or with a failure that left everything as it was.
 * AZ_NOT_FOUND: there is no such consignment, or no more. AZ_BUSY: a list is on its way in, another is being
 * destroyed, or a backup is being taken. AZ_CONFLICT: it withdraws people, or leaves them out, whom an older list would bring back. AZ_NO_MEMORY.
 */
AZ_CHECKED enum az_status custody_destroy(struct custody *custody, uint64_t consignment,
    void (*done)(void *arg, enum az_status status, const struct az_err *err), void *arg,
    struct az_err *reterr);

void destroy_round(struct custody *custody);
/* Lookups wait, so that none is under way when the key goes. */
bool destroy_holds_lookups(const struct custody *custody);

/* A mark, as it was committed. AZ_CORRUPT. */
AZ_CHECKED enum az_status destroyed_apply(
    struct custody *custody, uint64_t id, struct bytes thing, struct az_err *reterr);

/* At start: keys, catalogue and fingerprints of what was begun. Then, once the vault has dropped its part, the entries. */
AZ_CHECKED enum az_status destroy_roll_forward(struct custody *custody, struct az_err *reterr);
AZ_CHECKED enum az_status destroy_finish_all(struct custody *custody, struct az_err *reterr);

/* Builds for tests only: dies here if the hook's file names the step; and does what it asks for. */
void destroy_may_die(const struct custody *custody, const char *step);
#ifdef AZ_TESTABLE
void destroy_test_tick(struct custody *custody);
#endif

#endif
