/*
 * Asking, and listing what was asked (I7).
 *
 *	verb ─ must ask ─► document ─► entry asked ─► waits for approve N (approvals.c)
 *
 * What is asked is a document: the request as it came, who asked it, until when, and in words. It is
 * kept in house.db; the ledger has its hash.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "custody/custody_internal.h"
#include "proto/approval.h"

#define EXPIRES_S     (7u * 86400u)
#define EXPIRES_MAX_S (30u * 86400u)

struct ledger_entry
approval_entry(const struct request *request, enum entry_type type, const struct approval *approval)
{
	struct ledger_entry entry = request_entry(request, type);
	const struct verb_entry *verb = verb_of(approval->asked.type);

	entry.subject = approval->asked.number;
	entry.detail = verb != NULL ? verb->verb : VERB_NONE;
	entry.detail64 = (uint64_t)approval->asked.expires_us;
	sha256(approval->document, entry.document);
	return entry;
}

const struct approval *
approval_or_fail(struct request *request, uint32_t number)
{
	const struct approval *approval = policy_approval(request->custody->policy, number);
	struct az_err err = {0};

	if (approval == NULL) {
		(void)az_fail(&err, AZ_NOT_FOUND, "request %u: there is none", number);
		request_fail(request, &err);
	}
	return approval;
}

/* --- asking ----------------------------------------------------------------------------------- */

struct asking {
	struct request *request;
	struct payload payload;
	struct buffer document;
	struct approval approval; /* its document is the buffer's */
	const char *kind;
	uint32_t id;
	char label[LABEL_SIZE];
};

static void
asking_free(struct asking *asking)
{
	payload_fini(&asking->payload);
	buffer_fini(&asking->document);
	free(asking);
}

uint32_t
ask_number(const struct request *request)
{
	return policy_next_approval(request->custody->policy);
}

/* Writes the document of what request asks. */
static enum az_status
write_document(struct asking *asking, struct az_err *reterr)
{
	const struct request *request = asking->request;
	struct custody *custody = request->custody;
	const struct staff *staff = people_staff(custody->people, request->staff);
	int64_t now = house_now_us(custody);
	uint32_t seconds = request->seconds != 0 ? request->seconds : EXPIRES_S;
	struct approval_document document = {.number = ask_number(request),
	    .staff = request->staff,
	    .device = request->device,
	    .session = request->session,
	    .asked_us = now,
	    .expires_us = now + seconds * AZ_US_PER_S,
	    .needed = 1,
	    .type = (uint16_t)request->type,
	    .version = FRONT_MESSAGE_VERSION,
	    .body = buffer_peek(&request->body)};
	struct buffer what;
	enum az_status status;

	assert(staff != NULL);
	memcpy(document.house, custody->config.house, sizeof(document.house));
	memcpy(document.asker, staff->label, sizeof(document.asker));
	memcpy(document.note, request->note, sizeof(document.note));
	random_bytes(document.nonce, sizeof(document.nonce));
	buffer_init(&what, APPROVAL_WHAT_MAX, true);
	/* The scratch may hold what the verb made of the request: it is read from the bytes that are signed. */
	status = front_decode(request->type, document.body, custody->scratch);
	if (status == AZ_OK)
		status = describe_request(request->type, custody->scratch, &what);
	document.what = buffer_peek(&what);
	if (status == AZ_OK)
		status = approval_document_encode(&document, &asking->document);
	buffer_fini(&what);
	if (status != AZ_OK)
		return az_fail(reterr, status, "%s: it cannot be asked", verb_name(request->verb));
	asking->approval.document = buffer_peek(&asking->document);
	return approval_document_decode(asking->approval.document, &asking->approval.asked);
}

static void
asked_is_durable(void *arg, const struct az_ticket *ticket)
{
	struct asking *asking = arg;
	struct request *request = asking->request;
	struct custody *custody = request->custody;
	const struct approval_document *asked = &asking->approval.asked;
	struct payload_text text;
	struct wire_writer writer;
	struct az_err err = {0};

	if (payload_read(buffer_peek(&asking->payload.buffer), thing_apply, custody, &text, &err) !=
	    AZ_OK)
		custody_fatal(custody, &err);
	writer = reply_begin(request, FRONT_DONE);
	answer_object(&writer, NULL);
	answer_uint(&writer, "request", asked->number);
	if (asking->kind != NULL) {
		answer_text(&writer, "kind", asking->kind);
		answer_uint(&writer, "id", asking->id);
		answer_text(&writer, "label", asking->label);
	}
	answer_value(&writer, "what", asked->what);
	answer_uint(&writer, "needed", asked->needed);
	answer_time(&writer, "expires", asked->expires_us);
	answer_bool(&writer, "approved", false);
	answer_ledger(&writer, custody, ticket);
	answer_end(&writer);
	asking_free(asking);
	reply_end(request, &writer);
}

/* How long it may wait, and how many of who asks may. */
static enum az_status
check_bounds(const struct request *request, struct az_err *reterr)
{
	const struct policy *policy = request->custody->policy;

	if (request->seconds > EXPIRES_MAX_S)
		return az_fail(reterr, AZ_INVALID, "ask: a request expires within 30 days");
	if (policy_next_approval(policy) > POLICY_APPROVALS_MAX)
		return az_fail(reterr, AZ_LIMIT, "ask: the house has no more numbers for requests");
	if (policy_open_approvals(policy, request->staff, house_now_us(request->custody)) >=
	    POLICY_OPEN_MAX)
		return az_fail(reterr, AZ_LIMIT, "ask: %u requests of yours wait already",
		    (unsigned int)POLICY_OPEN_MAX);
	return AZ_OK;
}

static enum az_status
submit_asking(struct asking *asking, struct az_err *reterr)
{
	struct request *request = asking->request;
	struct ledger_entry entry;
	enum az_status status = check_bounds(request, reterr);

	asking->approval.state = APPROVAL_OPEN;
	if (status == AZ_OK)
		status = write_document(asking, reterr);
	if (status != AZ_OK)
		return status;
	entry = approval_entry(request, ENTRY_ASKED, &asking->approval);
	status = payload_put_approval(&asking->payload, &asking->approval);
	if (status == AZ_OK)
		status = payload_end(&asking->payload, NULL, entry.text);
	if (status != AZ_OK)
		return az_fail(
		    reterr, status, "%s: it is too large to be asked", verb_name(request->verb));
	return ledger_submit(request->custody->ledger, &entry, buffer_peek(&asking->payload.buffer),
	    asked_is_durable, asking, reterr);
}

void
ask_submit(struct request *request, struct payload *payload, const char *kind, uint32_t id,
    const char *label)
{
	struct asking *asking = calloc(1, sizeof(*asking));
	struct az_err err = {0};
	enum az_status status;

	if (asking == NULL) {
		if (payload != NULL)
			payload_fini(payload);
		(void)az_fail(&err, AZ_NO_MEMORY, "ask: out of memory");
		request_fail(request, &err);
		return;
	}
	*asking = (struct asking){.request = request, .kind = kind, .id = id};
	if (label != NULL)
		(void)snprintf(asking->label, sizeof(asking->label), "%s", label);
	if (payload != NULL) {
		asking->payload = *payload;
		asking->payload.writer.buffer = &asking->payload.buffer;
	} else {
		payload_init(&asking->payload);
	}
	buffer_init(&asking->document, APPROVAL_DOCUMENT_MAX, true);
	status = submit_asking(asking, &err);
	if (status != AZ_OK) {
		asking_free(asking);
		request_fail_with(request, status, &err);
	}
}

void
verb_ask(struct request *request, const union front_request *body)
{
	const struct front_ask *ask = &body->ask;
	const struct verb_entry *verb = verb_of(ask->type);
	struct buffer inner;
	struct az_err err = {0};

	if (verb == NULL || !verb->changes || verb->verb == VERB_NONE) {
		(void)az_fail(&err, AZ_INVALID, "ask: this is nothing that can be asked");
		request_fail(request, &err);
		return;
	}
	request->type = verb->type;
	request->verb = verb->verb;
	request->is_ask = true;
	request->seconds = ask->seconds;
	memcpy(request->note, ask->note, sizeof(request->note));
	buffer_init(&inner, FRONT_FRAME_MAX, true);
	if (buffer_append(&inner, ask->body) != AZ_OK) {
		(void)az_fail(&err, AZ_NO_MEMORY, "ask: out of memory");
		request_fail(request, &err);
		return;
	}
	buffer_fini(&request->body);
	request->body = inner;
	request_run(request, buffer_peek(&request->body));
}

/* --- listing ---------------------------------------------------------------------------------- */

struct listing {
	struct request *request;
	uint32_t only; /* of this human; 0: everybody's */
	bool all;
	int64_t now_us;
};

static void
answer_who(struct wire_writer *writer, const char *name, const struct custody *custody, uint32_t id)
{
	const struct staff *staff = people_staff(custody->people, id);

	answer_text(writer, name, staff != NULL ? staff->label : "");
}

static void
answer_approval(struct wire_writer *writer, const struct custody *custody,
    const struct approval *approval, int64_t now_us)
{
	const struct approval_document *asked = &approval->asked;

	answer_uint(writer, "request", asked->number);
	answer_text(writer, "state",
	    approval_has_expired(approval, now_us) ? "expired"
						   : approval_state_name(approval->state));
	answer_text(writer, "asker", asked->asker);
	answer_value(writer, "what", asked->what);
	if (asked->note[0] != '\0')
		answer_text(writer, "note", asked->note);
	answer_time(writer, "asked", asked->asked_us);
	answer_time(writer, "expires", asked->expires_us);
	answer_uint(writer, "needed", asked->needed);
	answer_array(writer, "approved_by");
	for (uint8_t i = 0; i < approval->given_count; i++)
		answer_who(writer, NULL, custody, approval->given[i].staff);
	answer_end(writer);
	if (approval->state == APPROVAL_REFUSED)
		answer_who(writer, "refused_by", custody, approval->refused_by);
	if (approval->decided_us != 0)
		answer_time(writer, "decided", approval->decided_us);
}

static void
list_item(void *arg, const struct approval *approval)
{
	struct listing *listing = arg;
	struct wire_writer writer;

	if (listing->only != 0 && approval->asked.staff != listing->only)
		return;
	if (!listing->all &&
	    (approval->state != APPROVAL_OPEN || approval_has_expired(approval, listing->now_us)))
		return;
	writer = reply_begin(listing->request, FRONT_ITEM);
	answer_object(&writer, NULL);
	answer_approval(&writer, listing->request->custody, approval, listing->now_us);
	answer_end(&writer);
	reply_item(listing->request, &writer);
}

/* Officers see everything that is asked; others what they asked. */
static uint32_t
only_of(const struct request *request)
{
	const struct staff *staff = people_staff(request->custody->people, request->staff);

	return staff != NULL && staff->role == ROLE_OFFICER ? 0 : request->staff;
}

void
verb_approvals(struct request *request, const union front_request *body)
{
	struct listing listing = {.request = request,
	    .all = body->approvals.all != 0,
	    .now_us = house_now_us(request->custody)};
	struct wire_writer writer;

	if (!change_is_permitted(request))
		return;
	listing.only = only_of(request);
	policy_each_approval(request->custody->policy, list_item, &listing);
	writer = reply_begin(request, FRONT_DONE);
	answer_object(&writer, NULL);
	answer_end(&writer);
	reply_end(request, &writer);
}

void
verb_approval(struct request *request, const union front_request *body)
{
	const struct custody *custody = request->custody;
	const struct approval *approval;
	struct wire_writer writer;
	struct az_err err = {0};
	uint32_t only;

	if (!change_is_permitted(request))
		return;
	approval = approval_or_fail(request, body->numbered.number);
	if (approval == NULL)
		return;
	only = only_of(request);
	if (only != 0 && only != approval->asked.staff) {
		(void)az_fail(
		    &err, AZ_DENIED, "request %u: it is somebody else's", approval->asked.number);
		request_refuse(request, &err);
		return;
	}
	writer = reply_begin(request, FRONT_DONE);
	answer_object(&writer, NULL);
	answer_approval(&writer, custody, approval, house_now_us(request->custody));
	answer_bytes(&writer, "document", approval->document);
	answer_end(&writer);
	reply_end(request, &writer);
}
