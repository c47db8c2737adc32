/*
 * Changes of the house: an entry whose payload holds the things as they are afterwards. Memory takes them
 * only when the entry is durable, so nothing is ever seen that a crash could take back; the next change
 * waits until then, so that each is decided on what the one before it left.
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
	answer_ledger(&writer, custody, ticket);
	answer_end(&writer);
	change_free(change);
	reply_end(request, &writer);
}

void
change_submit(struct request *request, struct ledger_entry entry, struct payload *payload,
    const char *kind, uint32_t id, const char *label)
{
	struct custody *custody = request->custody;
	struct ledger_entry approval = request_entry(request, ENTRY_APPROVED);
	struct change *change = malloc(sizeof(*change));
	struct az_err err = {0};
	enum az_status status = AZ_OK;

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
	status = payload_end(&change->payload, NULL, entry.text);
	if (status != AZ_OK)
		(void)az_fail(&err, status, "%s %s: it is too large", kind, label);
	if (status == AZ_OK && request->approved) {
		approval.subject = id;
		approval.detail = request->verb;
		status = ledger_submit(
		    custody->ledger, &approval, bytes_make(NULL, 0), NULL, NULL, &err);
	}
	if (status == AZ_OK)
		status = ledger_submit(custody->ledger, &entry,
		    buffer_peek(&change->payload.buffer), change_is_durable, change, &err);
	if (status != AZ_OK) {
		change_free(change);
		request_fail(request, &err);
	}
}

bool
change_is_permitted(struct request *request)
{
	struct custody *custody = request->custody;
	const struct staff *staff = people_staff(custody->people, request->front->staff);
	struct az_err err = {0};
	enum az_status status = policy_permit(staff != NULL ? staff->role : ROLE_NONE,
	    request->verb, custody->unsealed, &request->approved, &err);

	if (status == AZ_OK)
		return true;
	err.status = status;
	request_refuse(request, &err);
	return false;
}
