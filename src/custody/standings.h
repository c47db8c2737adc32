/*
 * Standing approvals: what was approved once, within signed limits, and is done again and again.
 *
 * Today that is one act, since one regularly leaves the house: a statement, a client's log in readable columns, sealed to a
 * recipient of theirs (statement.c).
 *
 * Promises  each use is checked against the very document that was signed, and counted in an entry that is durable before
 *           anything of it leaves; a use that failed behind that entry is used up.
 */
#ifndef AZ_CUSTODY_STANDINGS_H
#define AZ_CUSTODY_STANDINGS_H

#include "custody/custody_internal.h"

/* NULL: there is none. Borrowed until the next one is put. */
const struct standing_approval *standing_of(const struct custody *custody, uint32_t id);
/* The one that a request made. */
const struct standing_approval *standing_of_request(
    const struct custody *custody, uint32_t request);
/* AZ_CORRUPT, AZ_NO_MEMORY. */
AZ_CHECKED enum az_status standing_apply(
    struct custody *custody, struct bytes thing, struct az_err *reterr);
AZ_CHECKED enum az_status payload_put_standing(
    struct payload *payload, const struct standing_approval *standing);
/* Ends it, for who asks. */
void standing_end(struct request *request, const struct standing_approval *standing);
/* What its entries name: the SHA-256 of its limits, as they were asked. */
void standing_document(const struct standing_approval *standing, uint8_t ret_document[SHA256_SIZE]);

/*
 * Whether request may use it so, now: the limits (policy_may_use), whoever approved it is an officer here, the client is still
 * one, and the signature is over these limits. AZ_DENIED; AZ_FORGED: they are not what was signed.
 */
AZ_CHECKED enum az_status standing_check_use(const struct request *request,
    const struct standing_approval *standing, const struct front_statement *asked, int64_t now_us,
    struct az_err *reterr);

void verb_standing_add(struct request *request, const union front_request *body);
void verb_standing_end(struct request *request, const union front_request *body);
void verb_standing_list(struct request *request, const union front_request *body);

/* --- statement.c ------------------------------------------------------------------------------- */

void verb_statement(struct request *request, const union front_request *body);
/* A slice of the statement at work, if there is one. */
void stating_round(struct custody *custody);
/* NULL: all fronts. */
void stating_front_gone(struct custody *custody, const struct custody_front *front);
void stating_close(struct custody *custody);

/* --- statement_lines.c ------------------------------------------------------------------------- */

/* Appends to plain the names of these columns (bits of enum statement_column), or one entry of the log in them. */
AZ_CHECKED enum az_status statement_put_header(
    uint32_t columns, struct buffer *plain, struct az_err *reterr);
AZ_CHECKED enum az_status statement_put_entry(struct custody *custody, uint32_t log,
    uint32_t columns, uint64_t index, struct buffer *plain, struct az_err *reterr);

#endif
