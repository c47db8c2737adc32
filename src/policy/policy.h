/*
 * Who may do what, for which client and purpose, and what of a row is shown. Decisions only: pure
 * functions over what they are given. Zero is never yes.
 *
 * Threads  one.
 */
#ifndef AZ_POLICY_H
#define AZ_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/secret.h"
#include "base/status.h"
#include "proto/proto.h"

#define POLICY_CLIENTS_MAX  4096u
#define POLICY_PURPOSES_MAX 65536u

/* --- verbs ----------------------------------------------------------------------------------- */

enum decision {
	DECISION_DENY = 0,
	DECISION_ALLOW = 1,
	DECISION_ASK = 2, /* with an approval; an officer of an unsealed house approves by asking */
};

/* The table of who may do what. Anything not in it is DECISION_DENY. */
enum decision policy_decide(enum role role, enum verb verb);

/*
 * As policy_decide, where approvals cannot be given apart from the request: in an unsealed house an officer's
 * own request is approved at once (*ret_approved is then set: both entries are written); everybody else
 * who would have to ask is denied. AZ_DENIED.
 */
AZ_CHECKED enum az_status policy_permit(
    enum role role, enum verb verb, bool unsealed, bool *ret_approved, struct az_err *reterr);

/* --- clients and purposes -------------------------------------------------------------------- */

struct client {
	uint32_t id; /* from 1, never reused; also the number of its log */
	char label[LABEL_SIZE];
	char name[NAME_SIZE];
	char category[NAME_SIZE]; /* the client's own label, may be empty */
	int64_t added_us;
	int64_t closed_us; /* 0: open */
	uint8_t
	    x_count; /* its own fields so far, never reused: bit FIELD_X_FIRST + i is x_names[i] */
	char x_names[FIELD_COUNT - FIELD_X_FIRST][FIELD_NAME_MAX]; /* "x:ward" */
};

struct purpose {
	uint32_t id; /* from 1 in the house, never reused */
	uint32_t client;
	char label[LABEL_SIZE];
	uint32_t roles; /* bits 1 << enum role: who may see */
	int32_t until;  /* the last day, days since 1970-01-01 */
	int64_t added_us;
	int64_t closed_us;
	uint8_t field_count; /* at most FIELD_COUNT */
	struct purpose_field {
		char name[FIELD_NAME_MAX]; /* "phone", "x:ward"; a client need not have it yet */
		enum mask mask;            /* never MASK_HIDDEN */
	} fields[FIELD_COUNT];
};

struct policy;

AZ_CHECKED enum az_status policy_new(struct policy **ret_policy, struct az_err *reterr);
void policy_free(struct policy **policy);

/*
 * Whether it can be added: valid names, no open one of that label (of that client), at least one field
 * and none twice, a mask that fits the field (year: birth; domain: email), at least one of the roles that
 * may disclose and no other, an end date today or later, an open client. AZ_INVALID, AZ_CONFLICT,
 * AZ_NOT_FOUND, AZ_LIMIT with a reason.
 */
AZ_CHECKED enum az_status policy_may_add_client(
    const struct policy *policy, const struct client *client, struct az_err *reterr);
AZ_CHECKED enum az_status policy_may_add_purpose(const struct policy *policy,
    const struct purpose *purpose, int32_t today, struct az_err *reterr);

/* Puts one in, or replaces the one with its id: what was committed is taken as it is. */
AZ_CHECKED enum az_status policy_put_client(
    struct policy *policy, const struct client *client, struct az_err *reterr);
AZ_CHECKED enum az_status policy_put_purpose(
    struct policy *policy, const struct purpose *purpose, struct az_err *reterr);
uint32_t policy_next_client(const struct policy *policy);
uint32_t policy_next_purpose(const struct policy *policy);

/* NULL if there is none. By label: open ones only. Borrowed until a put. */
const struct client *policy_client(const struct policy *policy, uint32_t id);
const struct client *policy_client_labelled(const struct policy *policy, const char *label);
const struct purpose *policy_purpose(const struct policy *policy, uint32_t id);
const struct purpose *policy_purpose_labelled(
    const struct policy *policy, uint32_t client, const char *label);
void policy_each_client(
    const struct policy *policy, void (*visit)(void *arg, const struct client *client), void *arg);
/* Of one client, or of all with 0; by id. */
void policy_each_purpose(const struct policy *policy, uint32_t client,
    void (*visit)(void *arg, const struct purpose *purpose), void *arg);

/* The stored and replayed forms; AZ_INVALID on reading anything else. docs/format/house-db.md. */
AZ_CHECKED enum az_status client_encode(const struct client *client, struct buffer *buffer);
AZ_CHECKED enum az_status client_decode(struct bytes bytes, struct client *ret_client);
AZ_CHECKED enum az_status purpose_encode(const struct purpose *purpose, struct buffer *buffer);
AZ_CHECKED enum az_status purpose_decode(struct bytes bytes, struct purpose *ret_purpose);

/* --- what is shown --------------------------------------------------------------------------- */

struct grant {
	uint32_t client;
	uint32_t purpose;
	uint64_t shown;             /* field bits that may be shown */
	uint64_t masked;            /* of these, the ones shown only in part */
	uint8_t masks[FIELD_COUNT]; /* enum mask */
};

/*
 * What role sees of client for purpose today, in zone. AZ_DENIED: the purpose or client is closed or past its
 * end, the role is not among its roles, the zone is not loopback, or nothing would be shown.
 */
AZ_CHECKED enum az_status policy_grant(const struct client *client, const struct purpose *purpose,
    enum role role, enum zone zone, int32_t today, struct grant *ret_grant, struct az_err *reterr);

/*
 * The row as granted: hidden fields empty, masked ones in part, made in arena. ret_shown and ret_masked: of
 * the grant, the bits of fields that the row has. AZ_NO_MEMORY. A value that its mask does not fit (a birth
 * date without a year) is shown as "***". Of a value of fewer than eight letters and digits, last4 leaves
 * at most half.
 */
AZ_CHECKED enum az_status policy_mask(const struct grant *grant, const struct row *row,
    struct arena *arena, struct row *ret_row, uint64_t *ret_shown, uint64_t *ret_masked);

#endif
