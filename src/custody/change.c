/*
 * Changes of the house: an entry whose payload holds the things as they are afterwards. Memory takes them
 * only when the entry is durable, so nothing is ever seen that a crash could take back; the next change
 * waits until then, so that each is decided on what the one before it left.
 *
 * Who may change it is asked in one place. Where a role must ask, nothing is changed here: the request is kept for
 * somebody else to approve (approvals.c), and runs through here again when they did.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "custody/custody_internal.h"

struct change {
	struct request *request;
	struct payload payload;
	const char *kind;
	uint32_t id;
	char label[LABEL_SIZE];
};

static void
change_free(struct change *change)
{
	payload_fini(&change->payload);
	free(change);
}

static void
change_is_durable(void *arg, const struct az_ticket *ticket)
{
	struct change *change = arg;
	struct request *request = change->request;
	struct custody *custody = request->custody;
	struct payload_text text;
	struct wire_writer writer;
	struct az_err err = {0};

	/* It is committed: memory that cannot follow would go on with another state than the house's. */
	if (payload_read(buffer_peek(&change->payload.buffer), thing_apply, custody, &text, &err) !=
	    AZ_OK)
		custody_fatal(custody, &err);
	writer = reply_begin(request, FRONT_DONE);
	answer_object(&writer, NULL);
	answer_text(&writer, "kind", change->kind);
	answer_uint(&writer, "id", change->id);
	answer_text(&writer, "label", change->label);
	answer_bool(&writer, "approved", request->approved);
	if (carrying_number(request) != 0)
		answer_uint(&writer, "request", carrying_number(request));
	answer_ledger(&writer, custody, ticket);
	answer_end(&writer);
	change_free(change);
	reply_end(request, &writer);
}

/* The entry of an officer's own approval, in an unsealed house. */
static enum az_status
approve_at_once(const struct request *request, uint32_t id, struct az_err *reterr)
{
	struct ledger_entry entry = request_entry(request, ENTRY_APPROVED);

	entry.subject = id;
	entry.detail = request->verb;
	return ledger_submit(
	    request->custody->ledger, &entry, bytes_make(NULL, 0), NULL, NULL, reterr);
}

void
change_submit(struct request *request, struct ledger_entry entry, enum az_status put,
    struct payload *payload, const char *kind, uint32_t id, const char *label)
{
	struct custody *custody = request->custody;
	struct change *change;
	struct az_err err = {0};
	enum az_status status = AZ_OK;

	if (put != AZ_OK) {
		payload_fini(payload);
		(void)az_fail(&err, put, "%s %s: it cannot be kept", kind, label);
		request_fail(request, &err);
		return;
	}
	if (request->must_ask) {
		payload_fini(payload);
		ask_submit(request, NULL, NULL, 0, NULL);
		return;
	}
	change = malloc(sizeof(*change));
	if (change == NULL) {
		payload_fini(payload);
		(void)az_fail(&err, AZ_NO_MEMORY, "%s %s: out of memory", kind, label);
		request_fail(request, &err);
		return;
	}
	*change = (struct change){.request = request, .kind = kind, .id = id};
	(void)snprintf(change->label, sizeof(change->label), "%s", label);
	change->payload = *payload;
	change->payload.writer.buffer = &change->payload.buffer;
	status = request->carrying != NULL ? approval_use(request, &change->payload, &err)
	    : request->approved            ? approve_at_once(request, id, &err)
					   : AZ_OK;
	if (status == AZ_OK) {
		status = payload_end(&change->payload, NULL, entry.text);
		if (status != AZ_OK)
			(void)az_fail(&err, status, "%s %s: it is too large", kind, label);
	}
	if (status == AZ_OK)
		status = ledger_submit(custody->ledger, &entry,
		    buffer_peek(&change->payload.buffer), change_is_durable, change, &err);
	if (status != AZ_OK) {
		change_free(change);
		request_fail(request, &err);
	}
}

/* --- who may ---------------------------------------------------------------------------------- */

static enum permission
permission_of(const struct request *request, struct az_err *reterr)
{
	struct custody *custody = request->custody;
	const struct staff *staff = people_staff(custody->people, request->staff);
	enum permission permission = policy_permit(
	    staff != NULL && staff_is_here(staff, house_now_us(request->custody)) ? staff->role
										  : ROLE_NONE,
	    request->verb, custody_stage(custody), reterr);

	/* What was approved is carried out, and what somebody wants approved is asked. */
	if (request->carrying != NULL && permission != PERMIT_NO)
		return PERMIT_AT_ONCE;
	if (!request->is_ask || permission == PERMIT_NO || permission == PERMIT_ASK)
		return permission;
	if (permission == PERMIT_AT_ONCE)
		return PERMIT_ASK;
	(void)az_fail(reterr, AZ_INVALID, "%s: it needs nobody's approval: do it without asking",
	    verb_name(request->verb));
	return PERMIT_NO;
}

bool
change_may_be_asked(struct request *request)
{
	struct az_err err = {0};

	switch (permission_of(request, &err)) {
	case PERMIT_YES: return true;
	case PERMIT_AT_ONCE: request->approved = true; return true;
	case PERMIT_ASK: request->must_ask = true; return true;
	case PERMIT_NO:
	default: break;
	}
	/* That it needs no approval is no attempt at anything. */
	if (err.status == AZ_INVALID)
		request_fail(request, &err);
	else
		request_refuse(request, &err);
	return false;
}

bool
change_is_permitted(struct request *request)
{
	if (!change_may_be_asked(request))
		return false;
	if (!request->must_ask)
		return true;
	ask_submit(request, NULL, NULL, 0, NULL);
	return false;
}
