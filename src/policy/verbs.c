/*
 * Who may do what: the table, as it stands in the design. A verb that has no row and a role that has no
 * column are denied, since the missing cells are zero.
 */
#include "policy/policy.h"

#define Y DECISION_ALLOW
#define A DECISION_ASK
#define N DECISION_DENY

static const enum decision table[VERB_COUNT][ROLE_COUNT] = {
    /*                      none agent superv. officer investig. maintainer */
    [VERB_STATUS] = {N, N, N, Y, N, Y},
    [VERB_CLIENT] = {N, N, A, A, N, N},
    [VERB_PURPOSE] = {N, N, A, A, N, N},
    [VERB_STAFF] = {N, N, A, A, N, N},
    [VERB_DEVICE] = {N, N, A, A, N, N},
    [VERB_ENTRUST] = {N, N, Y, N, N, N},
    [VERB_DISCLOSE] = {N, Y, Y, N, N, N},
    [VERB_CHECK] = {N, Y, Y, N, N, N},
    [VERB_HAND_OVER] = {N, Y, Y, N, N, N},
    [VERB_LEDGER_VERIFY] = {N, N, N, Y, Y, Y},
    [VERB_LEDGER_QUERY] = {N, N, N, Y, N, N},
    [VERB_LEDGER_EXPORT] = {N, N, N, Y, Y, Y},
    [VERB_WITNESS] = {N, N, N, A, N, N},
    /* Who may export a log may have it cosigned, and see which are not. */
    [VERB_WITNESS_LIST] = {N, N, N, Y, Y, Y},
    [VERB_COSIGNED] = {N, N, N, Y, Y, Y},
    /* Whoever may change them may see them; those who call must know what for. */
    [VERB_CLIENT_LIST] = {N, Y, Y, Y, N, N},
    [VERB_PURPOSE_LIST] = {N, Y, Y, Y, N, N},
    [VERB_STAFF_LIST] = {N, N, Y, Y, N, N},
    [VERB_DEVICE_LIST] = {N, N, Y, Y, N, N},
    /* How a client's lists are read goes with entrusting them. */
    [VERB_MAP] = {N, N, Y, N, N, N},
    [VERB_MAP_SHOW] = {N, N, Y, Y, N, N},
    [VERB_CORRECT] = {N, Y, Y, N, N, N},
    [VERB_STOP] = {N, Y, Y, N, N, N},
    [VERB_RESTRICT] = {N, N, A, A, N, N},
    [VERB_CAMPAIGN] = {N, N, A, A, N, N},
    [VERB_CAMPAIGN_LIST] = {N, Y, Y, Y, N, N},
    [VERB_ATTEMPT] = {N, Y, Y, N, N, N},
    [VERB_RECEIPT] = {N, N, Y, Y, N, N},
    [VERB_POLICY] = {N, N, N, A, N, N},
    [VERB_ZONE] = {N, N, N, A, N, N},
    [VERB_ZONE_LIST] = {N, N, Y, Y, N, N},
    [VERB_SLOTS] = {N, N, N, A, N, N},
    [VERB_SLOT_GIVE] = {N, N, N, Y, N, N},
    [VERB_SLOTS_LIST] = {N, N, N, Y, N, N},
    [VERB_POLICY_LIST] = {N, N, Y, Y, N, N},
    [VERB_GRANT] = {N, N, A, A, N, N},
    [VERB_GRANT_LIST] = {N, N, Y, Y, N, N},
    [VERB_STANDING] = {N, N, A, A, N, N},
    [VERB_STATEMENT] = {N, N, Y, Y, N, N},
    [VERB_CASE] = {N, N, N, N, A, N},
    [VERB_CASE_LIST] = {N, N, N, Y, Y, N},
    [VERB_CASE_CLOSE] = {N, N, N, Y, Y, N},
    [VERB_TRACE] = {N, N, N, N, Y, N},
    [VERB_SCAN] = {N, N, N, N, Y, N},
    [VERB_HISTORY] = {N, N, N, N, A, N},
    [VERB_HISTORY_IMPORT] = {N, N, N, N, Y, N},
    [VERB_HISTORY_LIST] = {N, N, N, Y, Y, N},
    [VERB_APPROVE] = {N, N, N, Y, N, N},
    [VERB_REFUSE] = {N, N, N, Y, N, N},
    /* Who may ask may see what became of it. */
    [VERB_APPROVALS] = {N, N, Y, Y, Y, N},
    [VERB_INVITE] = {N, N, A, A, N, N},
    [VERB_AUTHENTICATOR] = {N, N, A, A, N, N},
    [VERB_BACKUP] = {N, N, N, Y, N, Y},
    [VERB_DECLARE_LOSS] = {N, N, N, A, N, N},
};

#undef Y
#undef A
#undef N

enum decision
policy_decide(enum role role, enum verb verb)
{
	if ((unsigned int)role >= ROLE_COUNT || (unsigned int)verb >= VERB_COUNT)
		return DECISION_DENY;
	return table[verb][role];
}

/* What an officer may do in a house that is being set up, beyond looking at it. */
static enum permission
permit_in_set_up(enum role role, enum verb verb, enum decision decision, struct az_err *reterr)
{
	bool sets_up = verb == VERB_INVITE || verb == VERB_DEVICE;

	if (role == ROLE_OFFICER && decision == DECISION_ALLOW && verb != VERB_APPROVE)
		return PERMIT_YES;
	if (role == ROLE_OFFICER && decision == DECISION_ASK && sets_up)
		return PERMIT_AT_ONCE;
	(void)az_fail(reterr, AZ_DENIED,
	    "%s: the house is being set up, until its second officer has enrolled",
	    verb_name(verb));
	return PERMIT_NO;
}

enum permission
policy_permit(enum role role, enum verb verb, enum house_stage stage, struct az_err *reterr)
{
	enum decision decision = policy_decide(role, verb);
	const char *name = verb_name(verb);
	const char *who = role_name(role);

	if (decision != DECISION_ALLOW && decision != DECISION_ASK) {
		(void)az_fail(reterr, AZ_DENIED, "%s: not for %s", name != NULL ? name : "this",
		    who != NULL ? who : "nobody");
		return PERMIT_NO;
	}
	if (stage == STAGE_SET_UP)
		return permit_in_set_up(role, verb, decision, reterr);
	if (decision == DECISION_ALLOW)
		return PERMIT_YES;
	return stage == STAGE_UNSEALED && role == ROLE_OFFICER ? PERMIT_AT_ONCE : PERMIT_ASK;
}
