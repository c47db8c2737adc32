/*
 * Signing in, taking over, signing out, and the heads that a front presents.
 *
 * A sign-in is answered when its entry is durable. Who failed is not told why and is not believed to be
 * anybody: such attempts are counted, and once a minute the count is an entry.
 */
#include <stdlib.h>
#include <string.h>

#include "custody/guards.h"
#include "custody/losses.h"

#define SESSIONS_AT_ONCE 64u /* numbers reserved with one entry */
#define MINUTE_US        (60 * AZ_US_PER_S)

/* --- signing in ------------------------------------------------------------------------------- */

struct sign_in {
	struct request *request;
	struct payload payload;
	bool has_payload;
};

static void
sign_in_free(struct sign_in *sign_in)
{
	if (sign_in->has_payload)
		payload_fini(&sign_in->payload);
	free(sign_in);
}

static void
sign_in_is_durable(void *arg, const struct az_ticket *ticket)
{
	struct sign_in *sign_in = arg;
	struct request *request = sign_in->request;
	struct custody *custody = request->custody;
	const struct staff *staff = people_staff(custody->people, request->front->staff);
	struct wire_writer writer;
	char name[HOUSE_NAME_SIZE];

	house_name(custody->config.house, name);
	writer = reply_begin(request, FRONT_DONE);
	answer_object(&writer, NULL);
	answer_uint(&writer, "session", request->front->session);
	answer_text(&writer, "staff", staff != NULL ? staff->label : "");
	answer_text(&writer, "role",
	    staff != NULL && role_name(staff->role) != NULL ? role_name(staff->role) : "");
	answer_text(&writer, "house", name);
	answer_bool(&writer, "unsealed", custody->unsealed);
	answer_ledger(&writer, custody, ticket);
	answer_end(&writer);
	sign_in_free(sign_in);
	reply_end(request, &writer);
}

void
sessions_end_connections(struct custody *custody, uint32_t session)
{
	for (struct custody_front *front = custody->fronts; front != NULL; front = front->next) {
		if (!front->signed_in || front->session != session || front->dead)
			continue;
		front->dead = true;
		if (front->arg != NULL)
			custody->config.hang_up(front->arg);
	}
}

/* The entry of a session that somebody ended by signing in elsewhere. */
static enum az_status
log_take_over(struct request *request, uint32_t session, struct az_err *reterr)
{
	struct custody *custody = request->custody;
	struct ledger_entry entry = request_entry(request, ENTRY_TAKEN_OVER);

	entry.subject = session;
	return ledger_submit(custody->ledger, &entry, bytes_make(NULL, 0), NULL, NULL, reterr);
}

/* The number of the session, and with some of them a payload that reserves the next numbers. */
static enum az_status
reserve_sessions(struct custody *custody, struct sign_in *sign_in, uint32_t session)
{
	struct house house = custody->house;
	uint8_t no_text[LEDGER_COMMITMENT_SIZE];
	enum az_status status;

	if (session < house.sessions_before)
		return AZ_OK;
	house.sessions_before = session + SESSIONS_AT_ONCE;
	payload_init(&sign_in->payload);
	sign_in->has_payload = true;
	status = payload_put_sessions(&sign_in->payload, &house);
	if (status == AZ_OK)
		status = payload_end(&sign_in->payload, NULL, no_text);
	/* In memory at once: the next sign-in must not reserve the same ones. */
	if (status == AZ_OK)
		custody->house = house;
	return status;
}

/* What has no entry did not happen: numbers of sessions that were reserved are free again, and nobody is signed in. */
static void
sign_in_undo(struct request *request, const struct house *before)
{
	struct custody *custody = request->custody;
	struct custody_front *front = request->front;

	custody->house = *before;
	(void)people_sign_out(custody->people, front->session);
	front->signed_in = false;
	front->staff = front->device = front->session = 0;
	request->staff = request->device = request->session = 0;
}

static void
sign_in_as(struct request *request, uint32_t staff, uint32_t device)
{
	struct custody *custody = request->custody;
	struct custody_front *front = request->front;
	const struct house before = custody->house;
	struct sign_in *sign_in = calloc(1, sizeof(*sign_in));
	struct ledger_entry entry;
	struct bytes payload = {0};
	struct az_err err = {0};
	uint32_t taken_over = 0;
	bool is_new = false;
	enum az_status status = AZ_NO_MEMORY;

	if (sign_in != NULL)
		status = people_sign_in(custody->people, staff, device,
		    house_now_us(request->custody), &front->session, &is_new, &taken_over, &err);
	if (status != AZ_OK) {
		free(sign_in);
		request_fail_with(request, status, &err);
		return;
	}
	sign_in->request = request;
	front->staff = staff;
	front->device = device;
	front->signed_in = true;
	front->keyed_us = people_staff(custody->people, staff)->keyed_us;
	request->staff = staff;
	request->device = device;
	request->session = front->session;
	if (taken_over != 0) {
		status = log_take_over(request, taken_over, &err);
		moments_taken_over(request);
		sessions_end_connections(custody, taken_over);
	}
	if (status == AZ_OK)
		status = reserve_sessions(custody, sign_in, front->session);
	if (status == AZ_OK && sign_in->has_payload)
		payload = buffer_peek(&sign_in->payload.buffer);
	entry = request_entry(request, ENTRY_SIGNED_IN);
	entry.detail = is_new ? 1 : 0;
	if (status == AZ_OK)
		status = ledger_submit(
		    custody->ledger, &entry, payload, sign_in_is_durable, sign_in, &err);
	if (status != AZ_OK) {
		sign_in_free(sign_in);
		sign_in_undo(request, &before);
		request_fail_with(request, status, &err);
	}
}

void
verb_sign_in(struct request *request, const union front_request *body)
{
	const struct front_sign_in *asked = &body->sign_in;
	struct custody *custody = request->custody;
	struct custody_front *front = request->front;
	struct az_err err = {0};
	uint32_t staff = 0;
	uint32_t device = 0;
	enum az_status status = people_recognise(custody->people,
	    bytes_make(front->challenge, sizeof(front->challenge)), house_now_us(request->custody),
	    asked->staff_key, asked->staff_signature, asked->device_key, asked->device_signature,
	    &staff, &device, &err);

	if (status == AZ_OK) {
		sign_in_as(request, staff, device);
		return;
	}
	custody->unauthenticated++;
	request_fail_with(request, status, &err);
	front->dead = true;
	if (front->arg != NULL)
		custody->config.hang_up(front->arg);
}

void
session_leave(struct custody_front *front)
{
	struct custody *custody = front->custody;
	struct ledger_entry entry = {.type = ENTRY_SIGNED_OUT,
	    .log = LEDGER_HOUSE_LOG,
	    .staff = front->staff,
	    .device = front->device,
	    .session = front->session,
	    .policy_version = POLICY_VERSION,
	    .zone = ZONE_LOOPBACK,
	    .grade = GRADE_OWN,
	    .outcome = AZ_OK};

	if (!front->signed_in)
		return;
	front->signed_in = false;
	if (front->is_putter)
		return;
	if (front->is_guard) {
		guard_leave(front);
		return;
	}
	if (!people_sign_out(custody->people, front->session))
		return;
	/* What keeps this entry from being written keeps everything else from it too, and is told there. */
	az_ignore(ledger_submit(custody->ledger, &entry, bytes_make(NULL, 0), NULL, NULL, NULL));
}

void
session_tick(struct custody *custody, int64_t now_us)
{
	struct ledger_entry entry = {.type = ENTRY_UNAUTHENTICATED,
	    .log = LEDGER_HOUSE_LOG,
	    .policy_version = POLICY_VERSION,
	    .zone = ZONE_LOOPBACK,
	    .grade = GRADE_OWN,
	    .outcome = AZ_DENIED};

	if (custody->unauthenticated == 0 || now_us - custody->unauthenticated_us < MINUTE_US)
		return;
	entry.detail = custody->unauthenticated;
	if (ledger_submit(custody->ledger, &entry, bytes_make(NULL, 0), NULL, NULL, NULL) != AZ_OK)
		return;
	custody->unauthenticated = 0;
	custody->unauthenticated_us = now_us;
}

/* --- presented heads -------------------------------------------------------------------------- */

struct known_head {
	struct request *request;
	struct az_err err;
};

static void
alarm_is_durable(void *arg, const struct az_ticket *ticket)
{
	struct known_head *alarm = arg;
	struct custody_front *front = alarm->request->front;
	void *front_arg = front->arg;

	request_fail_at(alarm->request, &alarm->err, ticket);
	/* The front holds evidence against this house: it gets nothing more here. */
	if (front_arg != NULL && !front->dead) {
		front->dead = true;
		front->custody->config.hang_up(front_arg);
	}
	free(alarm);
}

void
head_alarm(struct request *request, const struct head *head, const struct az_err *err)
{
	struct ledger_entry entry = request_entry(request, ENTRY_ALARM);
	struct known_head *alarm = malloc(sizeof(*alarm));

	entry.subject = head->log;
	entry.detail64 = head->size;
	entry.outcome = AZ_FORGED;
	if (alarm != NULL)
		*alarm = (struct known_head){.request = request, .err = *err};
	if (alarm == NULL ||
	    ledger_submit(request->custody->ledger, &entry, bytes_make(NULL, 0), alarm_is_durable,
		alarm, NULL) != AZ_OK) {
		free(alarm);
		request_fail(request, err);
	}
}

void
verb_present(struct request *request, const union front_request *body)
{
	const struct front_present *present = &body->present;
	struct wire_writer writer;
	struct az_err err = {0};

	for (uint32_t i = 0; i < present->count; i++) {
		enum az_status status =
		    losses_check_head(request->custody, &present->heads[i], &err);

		if (status == AZ_OK)
			continue;
		err.status = status;
		if (status == AZ_FORGED)
			head_alarm(request, &present->heads[i], &err);
		else
			request_fail(request, &err);
		return;
	}
	writer = reply_begin(request, FRONT_DONE);
	answer_object(&writer, NULL);
	answer_end(&writer);
	reply_end(request, &writer);
}
