/*
 * Approving and refusing (I7).
 *
 *	approve N ─► may they? signed? ─► the verb again, in the name of who asked
 *	                                     └─► entry approval, then the entry of the change
 *
 * Whoever approves gets the bytes of the document, reads them, and signs their hash with their own key;
 * the entry of the approval has both, so that nobody can say later that something else was approved. The entry
 * of what it allowed and the thing that says it is used up are one commit, so it works once.
 *
 * What is carried out is checked again then: the house may have changed since it was asked, and who asked it
 * may have left.
 */
#include <stdlib.h>
#include <string.h>

#include "crypto/sign.h"
#include "custody/standings.h"
#include "proto/approval.h"

/* The approval by which a request is carried out. */
struct carrying {
	uint32_t number;
	struct approval_given given;
	bool used;
};

void
carrying_free(struct carrying **carrying)
{
	free(*carrying);
	*carrying = NULL;
}

uint32_t
carrying_number(const struct request *request)
{
	return request->carrying != NULL ? request->carrying->number : 0;
}

uint32_t
carrying_approver(const struct request *request)
{
	return request->carrying != NULL ? request->carrying->given.staff : 0;
}

bool
carrying_is_used(const struct request *request)
{
	return request->carrying == NULL || request->carrying->used;
}

/* A decision that nothing else is committed with: a first approval of two, or a refusal. */
struct decision_made {
	struct request *request;
	struct payload payload;
	uint32_t number;
};

static void
decided_is_durable(void *arg, const struct az_ticket *ticket)
{
	struct decision_made *made = arg;
	struct request *request = made->request;
	struct custody *custody = request->custody;
	const struct approval *approval;
	struct payload_text text;
	struct wire_writer writer;
	struct az_err err = {0};

	if (payload_read(buffer_peek(&made->payload.buffer), thing_apply, custody, &text, &err) !=
	    AZ_OK)
		custody_fatal(custody, &err);
	approval = policy_approval(custody->policy, made->number);
	writer = reply_begin(request, FRONT_DONE);
	answer_object(&writer, NULL);
	answer_uint(&writer, "request", made->number);
	if (approval != NULL) {
		answer_text(&writer, "state", approval_state_name(approval->state));
		answer_uint(&writer, "given", approval->given_count);
		answer_uint(&writer, "needed", approval->asked.needed);
	}
	answer_ledger(&writer, custody, ticket);
	answer_end(&writer);
	payload_fini(&made->payload);
	free(made);
	reply_end(request, &writer);
}

/* Commits an approval that nothing else is committed with: a first one of two, or a refusal. */
static void
decide(struct request *request, struct ledger_entry entry, const struct approval *approval)
{
	struct decision_made *made = calloc(1, sizeof(*made));
	struct az_err err = {0};
	enum az_status status = AZ_NO_MEMORY;

	if (made != NULL) {
		made->request = request;
		made->number = approval->asked.number;
		payload_init(&made->payload);
		status = payload_put_approval(&made->payload, approval);
	}
	if (status == AZ_OK)
		status = payload_end(&made->payload, NULL, entry.text);
	if (status == AZ_OK)
		status = ledger_submit(request->custody->ledger, &entry,
		    buffer_peek(&made->payload.buffer), decided_is_durable, made, &err);
	else
		(void)az_fail(
		    &err, status, "request %u: it cannot be kept", approval->asked.number);
	if (status == AZ_OK)
		return;
	if (made != NULL)
		payload_fini(&made->payload);
	free(made);
	request_fail_with(request, status, &err);
}

static struct ledger_entry
entry_of_given(const struct request *request, const struct approval *approval,
    const struct approval_given *given)
{
	struct ledger_entry entry = approval_entry(request, ENTRY_APPROVAL, approval);

	entry.staff = given->staff;
	entry.device = given->device;
	entry.session = given->session;
	memcpy(entry.signature, given->signature, sizeof(entry.signature));
	return entry;
}

enum az_status
approval_use(struct request *request, struct payload *payload, struct az_err *reterr)
{
	struct custody *custody = request->custody;
	struct carrying *carrying = request->carrying;
	const struct approval *kept;
	struct approval used;
	struct ledger_entry entry;
	enum az_status status;

	if (carrying == NULL)
		return AZ_OK;
	kept = policy_approval(custody->policy, carrying->number);
	if (kept == NULL || kept->state != APPROVAL_OPEN ||
	    kept->given_count >= APPROVALS_NEEDED_MAX)
		return az_fail(reterr, AZ_DENIED, "request %u: it is not open", carrying->number);
	used = *kept;
	used.state = APPROVAL_USED;
	used.decided_us = carrying->given.time_us;
	used.given[used.given_count++] = carrying->given;
	entry = entry_of_given(request, &used, &carrying->given);
	status = payload_put_approval(payload, &used);
	if (status != AZ_OK)
		return az_fail(reterr, status, "request %u: it cannot be kept", carrying->number);
	status = ledger_submit(custody->ledger, &entry, bytes_make(NULL, 0), NULL, NULL, reterr);
	carrying->used = status == AZ_OK;
	return status;
}

/* Runs what was asked, in the name of who asked it; the reply goes to who approved it. */
static void
carry_out(
    struct request *request, const struct approval *approval, const struct approval_given *given)
{
	const struct approval_document *asked = &approval->asked;
	const struct verb_entry *verb = verb_of(asked->type);
	struct carrying *carrying = calloc(1, sizeof(*carrying));
	struct az_err err = {0};

	buffer_clear(&request->body);
	if (carrying == NULL || buffer_append(&request->body, asked->body) != AZ_OK) {
		free(carrying);
		(void)az_fail(&err, AZ_NO_MEMORY, "request %u: out of memory", asked->number);
		request_fail(request, &err);
		return;
	}
	*carrying = (struct carrying){.number = asked->number, .given = *given};
	request->carrying = carrying;
	request->type = verb->type;
	request->verb = verb->verb;
	request->staff = asked->staff;
	request->device = asked->device;
	request->session = asked->session;
	request_run(request, buffer_peek(&request->body));
}

/* That who asked may still ask it: they may have left since, or have another role. */
static enum az_status
check_asker(struct custody *custody, const struct approval *approval, struct az_err *reterr)
{
	const struct staff *asker = people_staff(custody->people, approval->asked.staff);
	const struct verb_entry *verb = verb_of(approval->asked.type);

	if (verb == NULL || approval->asked.version != FRONT_MESSAGE_VERSION)
		return az_fail(reterr, AZ_DENIED, "request %u: this release does not know it",
		    approval->asked.number);
	if (asker == NULL || !staff_is_here(asker, house_now_us(custody)) ||
	    policy_decide(asker->role, verb->verb) == DECISION_DENY)
		return az_fail(reterr, AZ_DENIED, "request %u: who asked may not ask it any more",
		    approval->asked.number);
	return AZ_OK;
}

/* That the signature is over exactly this document, by this person's key. */
static enum az_status
check_signature(
    const struct approval *approval, const struct approval_given *given, struct az_err *reterr)
{
	uint8_t data[FRONT_SIGNED_MAX];
	uint8_t hash[SHA256_SIZE];
	size_t size;

	sha256(approval->document, hash);
	size = front_signed(APPROVAL_CONTEXT, hash, data);
	if (sign_verify(given->key, bytes_make(data, size), given->signature) != AZ_OK)
		return az_fail(reterr, AZ_DENIED, "request %u: the signature is not over it",
		    approval->asked.number);
	return AZ_OK;
}

/* Who approves, as the rules see them, and what they give. */
static struct approver
approver_of(const struct request *request, struct approval_given *given)
{
	struct custody *custody = request->custody;
	const struct staff *staff = people_staff(custody->people, request->staff);
	struct approver approver = {
	    .staff = request->staff, .device = request->device, .ended = true};

	given->staff = request->staff;
	given->device = request->device;
	given->session = request->session;
	given->time_us = house_now_us(custody);
	if (staff != NULL) {
		approver.role = staff->role;
		approver.ended = !staff_is_here(staff, given->time_us);
		approver.keyed_by = staff->keyed_by;
		memcpy(given->key, staff->public_key, sizeof(given->key));
	}
	return approver;
}

void
verb_approve(struct request *request, const union front_request *body)
{
	struct custody *custody = request->custody;
	struct approval_given given = {0};
	const struct approval *approval;
	struct approver approver;
	struct approval counted;
	struct az_err err = {0};
	enum az_status status;

	if (!change_is_permitted(request))
		return;
	memcpy(given.signature, body->approve.signature, sizeof(given.signature));
	approval = approval_or_fail(request, body->approve.number);
	if (approval == NULL)
		return;
	approver = approver_of(request, &given);
	status = policy_may_approve(approval, &approver, custody->unsealed, given.time_us, &err);
	if (status == AZ_OK)
		status = check_asker(custody, approval, &err);
	if (status == AZ_OK)
		status = check_signature(approval, &given, &err);
	if (status != AZ_OK) {
		err.status = status;
		request_refuse(request, &err);
		return;
	}
	if (approval->given_count + 1u >= approval->asked.needed) {
		carry_out(request, approval, &given);
		return;
	}
	counted = *approval;
	counted.given[counted.given_count++] = given;
	decide(request, entry_of_given(request, &counted, &given), &counted);
}

void
verb_refuse(struct request *request, const union front_request *body)
{
	const struct approval *approval;
	const struct standing_approval *standing;
	struct approval refused;
	struct az_err err = {0};

	if (!change_is_permitted(request))
		return;
	approval = approval_or_fail(request, body->numbered.number);
	if (approval == NULL)
		return;
	/* What it goes on allowing is ended. */
	standing = standing_of_request(request->custody, approval->asked.number);
	if (approval->state == APPROVAL_USED && standing != NULL && standing->ended_us == 0) {
		standing_end(request, standing);
		return;
	}
	if (approval->state != APPROVAL_OPEN) {
		(void)az_fail(
		    &err, AZ_CONFLICT, "request %u: it is not open", body->numbered.number);
		request_fail(request, &err);
		return;
	}
	refused = *approval;
	refused.state = APPROVAL_REFUSED;
	refused.decided_us = house_now_us(request->custody);
	refused.refused_by = request->staff;
	decide(request, approval_entry(request, ENTRY_DECLINED, &refused), &refused);
}
