/*
 * Declared losses: what the house was seen to have had, and has no more. Each begins a generation of the ledger.
 */
#ifndef AZ_CUSTODY_LOSSES_H
#define AZ_CUSTODY_LOSSES_H

#include "custody/custody_internal.h"

/* What one declaration says. */
struct loss {
	uint32_t generation; /* the one that it began */
	int64_t time_us;
	uint32_t staff; /* who declared it */
	uint32_t count;
	struct head
	    heads[FRONT_LOSS_MAX]; /* that were seen in the generation before, and are not had */
};

/*
 * Compares a head that somebody presents with the ledger. AZ_OK: the ledger continues it; or it is of an older generation, and
 * what it lacks is no more than what was declared lost. AZ_FORGED, AZ_IO.
 */
AZ_CHECKED enum az_status losses_check_head(
    struct custody *custody, const struct head *head, struct az_err *reterr);
AZ_CHECKED enum az_status loss_apply(
    struct custody *custody, struct bytes thing, struct az_err *reterr);
void losses_free(struct custody *custody);
void verb_declare_loss(struct request *request, const union front_request *body);

/* --- backup.c: the house holds still while its files are copied --------------------------------- */

/* Whether a request would write to the vault or the catalogue, which are copied as they stand, or wait until all is settled. */
bool backup_excludes(const struct custody *custody, enum front_message type);
/* Its front has gone, or the house is being stopped (front NULL): go on. */
void backup_front_gone(struct custody *custody, const struct custody_front *front);
void backup_tick(struct custody *custody);
void verb_backup(struct request *request, const union front_request *body);
void verb_backup_end(struct request *request, const union front_request *body);

#endif
