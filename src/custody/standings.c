/*
 * Allowing, ending and listing standing approvals, and whether one may be used.
 *
 *	statement allow ─ asked, approved ─► thing ◄── each use: limits, signature, people ─► entry, uses + 1
 *	                                       ▲
 *	       refuse, statement end ──────────┘  ended
 *
 * What is allowed is in the document that was signed, and is read from there at each use: the thing beside it says only how far it was used.
 */
#include "custody/standings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/age.h"
#include "crypto/sign.h"
#include "custody/campaigns.h"

#define DAYS_MAX 366
#define ALLOWED  1u /* what its entries tell */
#define ENDED    2u

const struct standing_approval *
standing_of(const struct custody *custody, uint32_t id)
{
	return numbered_get(&custody->standings, id);
}

const struct standing_approval *
standing_of_request(const struct custody *custody, uint32_t request)
{
	for (uint32_t id = 1; id <= custody->standings.count; id++) {
		const struct standing_approval *standing = standing_of(custody, id);

		if (standing != NULL && standing->request == request)
			return standing;
	}
	return NULL;
}

enum az_status
standing_apply(struct custody *custody, struct bytes thing, struct az_err *reterr)
{
	struct standing_approval *standing = malloc(sizeof(*standing));

	if (standing == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "standing approval: out of memory");
	if (standing_decode(thing, standing) != AZ_OK) {
		free(standing);
		return az_fail(reterr, AZ_CORRUPT, "standing approval: it cannot be read");
	}
	if (numbered_put(&custody->standings, standing->id, standing) != AZ_OK)
		return az_fail(reterr, AZ_NO_MEMORY, "standing approval: out of memory");
	return AZ_OK;
}

enum az_status
payload_put_standing(struct payload *payload, const struct standing_approval *standing)
{
	struct buffer thing;

	buffer_init(&thing, STATE_THING_MAX, false);
	return payload_put_thing(
	    payload, THING_STANDING, standing->id, standing_encode(standing, &thing), &thing);
}

void
standing_document(const struct standing_approval *standing, uint8_t ret_document[SHA256_SIZE])
{
	/* How far it was used is not part of it. */
	struct standing_approval limits = {.limits = standing->limits};
	struct buffer bytes;

	buffer_init(&bytes, STATE_THING_MAX, false);
	memset(ret_document, 0, SHA256_SIZE);
	if (standing_encode(&limits, &bytes) == AZ_OK)
		sha256(buffer_peek(&bytes), ret_document);
	buffer_fini(&bytes);
}

/* --- allowing --------------------------------------------------------------------------------- */

static enum az_status
check_limits(struct custody *custody, const struct front_standing_add *asked,
    const struct client **ret_client, struct az_err *reterr)
{
	const struct client *client = policy_client_labelled(custody->policy, asked->client);
	uint8_t recipient[AGE_KEY_SIZE];
	int64_t end_us = ((int64_t)asked->until + 1) * AZ_US_PER_DAY;
	int64_t now = house_now_us(custody);

	if (client == NULL || client->closed_us != 0)
		return az_fail(
		    reterr, AZ_NOT_FOUND, "client %s: there is no such client", asked->client);
	if (!age_recipient_parse(asked->recipient, recipient))
		return az_fail(reterr, AZ_INVALID, "statement: the recipient is no age recipient");
	if (end_us <= now)
		return az_fail(reterr, AZ_INVALID, "statement: the last day is over");
	if (end_us > now + (DAYS_MAX + 1) * AZ_US_PER_DAY)
		return az_fail(reterr, AZ_INVALID, "statement: at most for %d days", DAYS_MAX);
	if (custody->standings.count >= STANDINGS_MAX)
		return az_fail(
		    reterr, AZ_LIMIT, "statement: the house has no more numbers for them");
	*ret_client = client;
	return AZ_OK;
}

static void
submit(struct request *request, const struct standing_approval *standing, unsigned int detail)
{
	const struct client *client =
	    policy_client_labelled(request->custody->policy, standing->limits.client);
	struct ledger_entry entry = request_entry(request, ENTRY_STANDING);
	struct payload payload;
	enum az_status status;

	entry.subject = standing->id;
	entry.detail = detail;
	entry.detail64 = client != NULL ? client->id : 0;
	standing_document(standing, entry.document);
	payload_init(&payload);
	status = payload_put_standing(&payload, standing);
	change_submit(
	    request, entry, status, &payload, "standing", standing->id, standing->limits.client);
}

void
verb_standing_add(struct request *request, const union front_request *body)
{
	struct custody *custody = request->custody;
	const struct client *client = NULL;
	struct standing_approval standing = {.id = (uint32_t)custody->standings.count + 1,
	    .asker = request->staff,
	    .approved_us = house_now_us(custody),
	    .generation = ledger_generation(custody->ledger),
	    .limits = body->standing_add};
	struct head head;
	struct az_err err = {0};
	enum az_status status;

	if (!change_may_be_asked(request))
		return;
	status = check_limits(custody, &standing.limits, &client, &err);
	if (status != AZ_OK) {
		request_fail_with(request, status, &err);
		return;
	}
	standing.request = carrying_number(request);
	/* An officer's own in an unsealed house is approved by asking, and what is only asked is kept nowhere. */
	standing.approver = standing.request != 0 ? carrying_approver(request) : request->staff;
	ledger_head(custody->ledger, client->id, &head);
	standing.next = head.size;
	submit(request, &standing, ALLOWED);
}

/* --- ending ----------------------------------------------------------------------------------- */

void
standing_end(struct request *request, const struct standing_approval *standing)
{
	struct standing_approval ended = *standing;

	ended.ended_us = house_now_us(request->custody);
	ended.ended_by = request->staff;
	submit(request, &ended, ENDED);
}

void
verb_standing_end(struct request *request, const union front_request *body)
{
	uint32_t id = body->numbered.number;
	const struct standing_approval *standing;
	struct az_err err = {0};

	if (!change_is_permitted(request))
		return;
	standing = standing_of(request->custody, id);
	if (standing == NULL || standing->ended_us != 0) {
		(void)az_fail(
		    &err, AZ_NOT_FOUND, "standing approval %u: there is none, or no more", id);
		request_fail(request, &err);
		return;
	}
	standing_end(request, standing);
}

/* --- using ------------------------------------------------------------------------------------ */

/* That somebody's signature is over exactly these limits. */
static enum az_status
check_signed(
    const struct custody *custody, const struct standing_approval *standing, struct az_err *reterr)
{
	const struct approval *approval = policy_approval(custody->policy, standing->request);
	uint8_t data[FRONT_SIGNED_MAX];
	uint8_t hash[SHA256_SIZE];
	size_t size;

	/* Kept by asking, in an unsealed house: there is nothing signed. */
	if (standing->request == 0 && custody->unsealed && standing->asker == standing->approver)
		return AZ_OK;
	if (approval == NULL || approval->state != APPROVAL_USED ||
	    approval->asked.staff != standing->asker || approval->asked.type != FRONT_STANDING_ADD)
		return az_fail(
		    reterr, AZ_FORGED, "standing approval %u: nobody approved it", standing->id);
	if (approval->asked.version != FRONT_MESSAGE_VERSION)
		return az_fail(reterr, AZ_DENIED,
		    "standing approval %u: this release does not know it", standing->id);
	if (front_decode(FRONT_STANDING_ADD, approval->asked.body, custody->scratch) != AZ_OK ||
	    !standing_limits_equal(&custody->scratch->standing_add, &standing->limits))
		return az_fail(reterr, AZ_FORGED,
		    "standing approval %u: its limits are not what was signed", standing->id);
	sha256(approval->document, hash);
	size = front_signed(APPROVAL_CONTEXT, hash, data);
	for (uint8_t i = 0; i < approval->given_count; i++) {
		const struct approval_given *given = &approval->given[i];

		if (given->staff == standing->approver && given->staff != standing->asker &&
		    sign_verify(given->key, bytes_make(data, size), given->signature) == AZ_OK)
			return AZ_OK;
	}
	return az_fail(
	    reterr, AZ_FORGED, "standing approval %u: the signature is not over it", standing->id);
}

/* Those whom it leans on, as they are now. */
static enum az_status
check_people(const struct custody *custody, const struct standing_approval *standing,
    int64_t now_us, struct az_err *reterr)
{
	const struct staff *approver = people_staff(custody->people, standing->approver);
	const struct client *client =
	    policy_client_labelled(custody->policy, standing->limits.client);

	if (approver == NULL || approver->role != ROLE_OFFICER || !staff_is_here(approver, now_us))
		return az_fail(reterr, AZ_DENIED,
		    "standing approval %u: who approved it is no officer here any more",
		    standing->id);
	/* Whoever had the older key may have signed it. */
	if (approver->keyed_us >= standing->approved_us)
		return az_fail(reterr, AZ_DENIED,
		    "standing approval %u: who approved it has got another key since",
		    standing->id);
	if (client == NULL || client->closed_us != 0)
		return az_fail(reterr, AZ_DENIED,
		    "standing approval %u: its client is none any more", standing->id);
	return AZ_OK;
}

enum az_status
standing_check_use(const struct request *request, const struct standing_approval *standing,
    const struct front_statement *asked, int64_t now_us, struct az_err *reterr)
{
	const struct custody *custody = request->custody;
	const struct staff *staff = people_staff(custody->people, request->staff);
	struct standing_use use = {.staff = staff != NULL ? staff->id : 0,
	    .keyed_us = staff != NULL ? staff->keyed_us : 0,
	    .generation = ledger_generation(custody->ledger),
	    .recipient = asked->recipient,
	    .columns = asked->columns,
	    .rows = asked->rows,
	    .now_us = now_us};
	int32_t day;
	enum az_status status;

	if (!campaign_local_now(now_us, &use.minute, &day))
		return az_fail(reterr, AZ_DENIED, "standing approval %u: the hour cannot be told",
		    standing->id);
	status = policy_may_use(standing, &use, reterr);
	if (status == AZ_OK)
		status = check_people(custody, standing, now_us, reterr);
	if (status == AZ_OK)
		status = check_signed(custody, standing, reterr);
	return status;
}

/* --- listing ---------------------------------------------------------------------------------- */

static const char *
state_of(const struct custody *custody, const struct standing_approval *standing, int64_t now_us)
{
	const struct staff *asker = people_staff(custody->people, standing->asker);

	if (standing->ended_us != 0)
		return "ended";
	if (now_us >= ((int64_t)standing->limits.until + 1) * AZ_US_PER_DAY)
		return "expired";
	if (asker == NULL || !staff_is_here(asker, now_us) ||
	    asker->keyed_us >= standing->approved_us ||
	    policy_decide(asker->role, VERB_STATEMENT) != DECISION_ALLOW ||
	    standing->generation != ledger_generation(custody->ledger) ||
	    check_people(custody, standing, now_us, &(struct az_err){0}) != AZ_OK)
		return "void";
	return "open";
}

static void
answer_limits(struct wire_writer *writer, const struct front_standing_add *limits)
{
	char hours[16];

	answer_text(writer, "client", limits->client);
	answer_text(writer, "recipient", limits->recipient);
	answer_array(writer, "columns");
	for (unsigned int column = 0; column < STATEMENT_COUNT; column++) {
		if ((limits->columns & 1u << column) != 0)
			answer_text(writer, NULL, statement_column_name(column));
	}
	answer_end(writer);
	answer_uint(writer, "rows", limits->rows);
	answer_uint(writer, "every_seconds", limits->every);
	if (limits->opens != limits->closes) {
		(void)snprintf(hours, sizeof(hours), "%02u:%02u-%02u:%02u",
		    limits->opens / 60u % 24u, limits->opens % 60u, limits->closes / 60u % 24u,
		    limits->closes % 60u);
		answer_text(writer, "hours", hours);
	}
	answer_date(writer, "until", limits->until);
}

static void
tell(struct request *request, const struct standing_approval *standing, int64_t now_us)
{
	const struct custody *custody = request->custody;
	const struct staff *asker = people_staff(custody->people, standing->asker);
	const struct staff *approver = people_staff(custody->people, standing->approver);
	const char *state = state_of(custody, standing, now_us);
	struct wire_writer writer = reply_begin(request, FRONT_ITEM);
	bool open = strcmp(state, "open") == 0;

	answer_object(&writer, NULL);
	answer_uint(&writer, "standing", standing->id);
	answer_text(&writer, "state", state);
	if (standing->request != 0)
		answer_uint(&writer, "request", standing->request);
	answer_text(&writer, "asker", asker != NULL ? asker->label : "");
	answer_text(&writer, "approved_by", approver != NULL ? approver->label : "");
	answer_limits(&writer, &standing->limits);
	answer_uint(&writer, "uses", standing->uses);
	if (standing->last_us != 0)
		answer_time(&writer, "last", standing->last_us);
	answer_uint(&writer, "left", open ? standing_left(standing, now_us) : 0);
	if (open)
		answer_time(&writer, "next", standing_next_us(standing, now_us));
	answer_uint(&writer, "next_entry", standing->next);
	if (standing->ended_us != 0)
		answer_time(&writer, "ended", standing->ended_us);
	answer_end(&writer);
	reply_item(request, &writer);
}

void
verb_standing_list(struct request *request, const union front_request *body)
{
	struct custody *custody = request->custody;
	const struct staff *staff = people_staff(custody->people, request->staff);
	int64_t now = house_now_us(custody);
	struct wire_writer writer;

	(void)body;
	if (!change_is_permitted(request))
		return;
	/* Officers see all of them, others their own. */
	for (uint32_t id = 1; id <= custody->standings.count; id++) {
		const struct standing_approval *standing = standing_of(custody, id);

		if (standing != NULL && staff != NULL &&
		    (staff->role == ROLE_OFFICER || standing->asker == staff->id))
			tell(request, standing, now);
	}
	writer = reply_begin(request, FRONT_DONE);
	answer_object(&writer, NULL);
	answer_end(&writer);
	reply_end(request, &writer);
}
