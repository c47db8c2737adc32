/*
 * What was asked, and who may approve it (I7).
 *
 * One person alone decides nothing: whoever asks can neither approve it themselves, nor at the machine they
 * asked at, nor through somebody whose key they made. The rules are asked for again with each approval,
 * since a request may wait for days.
 *
 * Requests are found by number. They stay for ever: the ledger names them, and an auditor asks what exactly
 * was signed.
 */
#include <stdlib.h>
#include <string.h>

#include "base/wire.h"
#include "policy/policy_internal.h"

#define FORMAT 1u

static const char *const state_names[] = {
    [APPROVAL_NONE] = NULL,
    [APPROVAL_OPEN] = "open",
    [APPROVAL_USED] = "used",
    [APPROVAL_REFUSED] = "refused",
};

const char *
approval_state_name(enum approval_state state)
{
	return (size_t)state < AZ_ARRAY_SIZE(state_names) ? state_names[state] : NULL;
}

/* --- who may ---------------------------------------------------------------------------------- */

bool
approval_has_expired(const struct approval *approval, int64_t now_us)
{
	return approval->state == APPROVAL_OPEN && now_us >= approval->asked.expires_us;
}

/* It still waits for somebody. */
static enum az_status
check_open(const struct approval *approval, int64_t now_us, struct az_err *reterr)
{
	uint32_t number = approval->asked.number;

	switch (approval->state) {
	case APPROVAL_OPEN: break;
	case APPROVAL_USED:
		return az_fail(
		    reterr, AZ_DENIED, "request %u: it has been carried out already", number);
	case APPROVAL_REFUSED:
		return az_fail(reterr, AZ_DENIED, "request %u: it was refused", number);
	case APPROVAL_NONE:
	default: return az_fail(reterr, AZ_DENIED, "request %u: there is none", number);
	}
	if (approval_has_expired(approval, now_us))
		return az_fail(reterr, AZ_DENIED, "request %u: it has expired", number);
	return AZ_OK;
}

enum az_status
policy_may_approve(const struct approval *approval, const struct approver *approver, bool unsealed,
    int64_t now_us, struct az_err *reterr)
{
	const struct approval_document *asked = &approval->asked;
	enum az_status status = check_open(approval, now_us, reterr);

	if (status != AZ_OK)
		return status;
	if (approver->staff == 0 || approver->device == 0 || approver->ended ||
	    approver->role != ROLE_OFFICER)
		return az_fail(reterr, AZ_DENIED,
		    "request %u: only an officer of the house approves", asked->number);
	if (approver->staff == asked->staff)
		return az_fail(reterr, AZ_DENIED,
		    "request %u: somebody else than who asks must approve it", asked->number);
	if (approver->keyed_by == asked->staff)
		return az_fail(reterr, AZ_DENIED,
		    "request %u: not by somebody whose key comes from who asks", asked->number);
	if (approver->device == asked->device && !unsealed)
		return az_fail(reterr, AZ_DENIED,
		    "request %u: not from the device that it was asked at", asked->number);
	for (uint8_t i = 0; i < approval->given_count; i++) {
		const struct approval_given *given = &approval->given[i];

		if (given->staff == approver->staff || approver->keyed_by == given->staff)
			return az_fail(reterr, AZ_DENIED,
			    "request %u: a further person must approve it", asked->number);
		if (given->device == approver->device && !unsealed)
			return az_fail(reterr, AZ_DENIED,
			    "request %u: not from a device that approved it already",
			    asked->number);
	}
	return AZ_OK;
}

/* --- keeping ---------------------------------------------------------------------------------- */

const struct approval *
policy_approval(const struct policy *policy, uint32_t number)
{
	return number == 0 || number > policy->approval_room ? NULL : policy->approvals[number - 1];
}

uint32_t
policy_next_approval(const struct policy *policy)
{
	return policy->approval_next;
}

static void
approval_free(struct approval *approval)
{
	if (approval == NULL)
		return;
	/* The document of an approval that is kept is always a copy of ours. */
	free((void *)(uintptr_t)approval->document.data);
	free(approval);
}

void
policy_free_approvals(struct policy *policy)
{
	for (uint32_t i = 0; i < policy->approval_room; i++)
		approval_free(policy->approvals[i]);
	free(policy->approvals);
}

enum az_status
policy_put_approval(struct policy *policy, const struct approval *approval, struct az_err *reterr)
{
	void **list = (void **)policy->approvals;
	uint32_t number = approval->asked.number;
	struct approval *copy = calloc(1, sizeof(*copy));
	uint8_t *document = malloc(approval->document.size);
	bool grown;

	if (copy == NULL || document == NULL || number == 0 || number > POLICY_APPROVALS_MAX) {
		free(copy);
		free(document);
		if (number == 0 || number > POLICY_APPROVALS_MAX)
			return az_fail(
			    reterr, AZ_INVALID, "request %u: not a valid number", number);
		return az_fail(reterr, AZ_NO_MEMORY, "request %u: out of memory", number);
	}
	*copy = *approval;
	memcpy(document, approval->document.data, approval->document.size);
	copy->document = bytes_make(document, approval->document.size);
	grown = policy_reserve(&list, &policy->approval_room, number);
	policy->approvals = (struct approval **)list;
	/* Decoded again, so that it borrows from the copy. */
	if (!grown || approval_document_decode(copy->document, &copy->asked) != AZ_OK) {
		approval_free(copy);
		return az_fail(reterr, grown ? AZ_INVALID : AZ_NO_MEMORY,
		    "request %u: it cannot be kept", number);
	}
	approval_free(policy->approvals[number - 1]);
	policy->approvals[number - 1] = copy;
	if (number >= policy->approval_next)
		policy->approval_next = number + 1;
	return AZ_OK;
}

void
policy_each_approval(const struct policy *policy,
    void (*visit)(void *arg, const struct approval *approval), void *arg)
{
	for (uint32_t i = 0; i < policy->approval_room; i++) {
		if (policy->approvals[i] != NULL)
			visit(arg, policy->approvals[i]);
	}
}

size_t
policy_open_approvals(const struct policy *policy, uint32_t staff, int64_t now_us)
{
	size_t count = 0;

	for (uint32_t i = 0; i < policy->approval_room; i++) {
		const struct approval *approval = policy->approvals[i];

		count += approval != NULL && approval->state == APPROVAL_OPEN &&
		    approval->asked.staff == staff && !approval_has_expired(approval, now_us);
	}
	return count;
}

/* --- the stored form -------------------------------------------------------------------------- */

enum az_status
approval_encode(const struct approval *approval, struct buffer *buffer)
{
	struct wire_writer writer;

	wire_writer_init(&writer, buffer);
	wire_put_u8(&writer, FORMAT);
	wire_put_u8(&writer, (uint8_t)approval->state);
	wire_put_i64(&writer, approval->decided_us);
	wire_put_u32(&writer, approval->refused_by);
	wire_put_u8(&writer, approval->given_count);
	for (uint8_t i = 0; i < approval->given_count; i++) {
		const struct approval_given *given = &approval->given[i];

		wire_put_u32(&writer, given->staff);
		wire_put_u32(&writer, given->device);
		wire_put_u32(&writer, given->session);
		wire_put_i64(&writer, given->time_us);
		wire_put_raw(&writer, given->key, sizeof(given->key));
		wire_put_raw(&writer, given->signature, sizeof(given->signature));
	}
	wire_put_bytes(&writer, approval->document);
	return writer.status;
}

enum az_status
approval_decode(struct bytes bytes, struct approval *ret_approval)
{
	struct wire_reader reader;
	struct approval approval = {0};
	uint8_t format;

	wire_reader_init(&reader, bytes);
	format = wire_get_u8(&reader);
	approval.state = (enum approval_state)wire_get_u8(&reader);
	approval.decided_us = wire_get_i64(&reader);
	approval.refused_by = wire_get_u32(&reader);
	approval.given_count = wire_get_u8(&reader);
	if (approval.given_count > APPROVALS_NEEDED_MAX)
		return AZ_INVALID;
	for (uint8_t i = 0; i < approval.given_count; i++) {
		struct approval_given *given = &approval.given[i];

		given->staff = wire_get_u32(&reader);
		given->device = wire_get_u32(&reader);
		given->session = wire_get_u32(&reader);
		given->time_us = wire_get_i64(&reader);
		wire_get_raw(&reader, given->key, sizeof(given->key));
		wire_get_raw(&reader, given->signature, sizeof(given->signature));
	}
	approval.document = wire_get_bytes(&reader, APPROVAL_DOCUMENT_MAX);
	if (format != FORMAT || !wire_end(&reader) || approval_state_name(approval.state) == NULL ||
	    approval_document_decode(approval.document, &approval.asked) != AZ_OK)
		return AZ_INVALID;
	*ret_approval = approval;
	return AZ_OK;
}
