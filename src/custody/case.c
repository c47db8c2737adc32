/*
 * Opening, listing and closing cases, and what one admits.
 *
 *	case open ─► asked (the thing is put with the question) ─► approve ─► open ─► traces ─► closed, or over
 *
 * The number of a case is given when it is asked, so that whoever asks can name it at once; until it is approved it
 * admits nothing.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "custody/cases.h"
#include "custody/witnesses.h"

#define CASE_FORMAT 1u
#define CASES_MAX   65536u
/* In entries, detail. */
#define CASE_IS_OPENED  1u
#define CASE_IS_CLOSED  2u
#define CASE_IS_ALLOWED 3u

void
cases_free(struct custody *custody)
{
	numbered_free(&custody->cases);
}

const struct trace_case *
case_of(const struct custody *custody, uint32_t id)
{
	return numbered_get(&custody->cases, id);
}

bool
case_has_client(const struct trace_case *of, uint32_t client)
{
	for (uint8_t i = 0; i < of->client_count; i++) {
		if (of->clients[i] == client)
			return true;
	}
	return of->client_count == 0;
}

enum az_status
case_admits(const struct custody *custody, uint32_t id, uint32_t staff, uint64_t rows,
    const struct trace_case **ret_case, struct az_err *reterr)
{
	const struct trace_case *of = case_of(custody, id);

	if (of == NULL)
		return az_fail(reterr, AZ_NOT_FOUND, "case %u: there is none", id);
	if (of->staff != staff)
		return az_fail(reterr, AZ_DENIED, "case %u: it is somebody else's", id);
	if (of->state == CASE_ASKED)
		return az_fail(reterr, AZ_DENIED,
		    "case %u: it is not approved; request %u waits for an officer", id,
		    of->request);
	if (of->state != CASE_OPEN)
		return az_fail(reterr, AZ_DENIED, "case %u: it is closed", id);
	if (house_time_us(custody) >= of->until_us)
		return az_fail(reterr, AZ_DENIED, "case %u: its days are over", id);
	if (rows > of->rows_max - of->rows_used)
		return az_fail(reterr, AZ_LIMIT, "case %u: it allows %llu rows, and %llu are used",
		    id, (unsigned long long)of->rows_max, (unsigned long long)of->rows_used);
	*ret_case = of;
	return cosigned_allows(custody, of->clients, of->client_count, reterr);
}

/* --- things ----------------------------------------------------------------------------------- */

enum az_status
payload_put_case(struct payload *payload, const struct trace_case *of)
{
	struct buffer thing;
	struct wire_writer writer;

	buffer_init(&thing, STATE_THING_MAX, false);
	wire_writer_init(&writer, &thing);
	wire_put_u8(&writer, CASE_FORMAT);
	wire_put_u32(&writer, of->id);
	wire_put_u32(&writer, of->staff);
	wire_put_u16(&writer, of->reason);
	wire_put_u8(&writer, (uint8_t)of->state);
	wire_put_u32(&writer, of->request);
	wire_put_i64(&writer, of->asked_us);
	wire_put_i64(&writer, of->opened_us);
	wire_put_i64(&writer, of->closed_us);
	wire_put_i64(&writer, of->until_us);
	wire_put_u32(&writer, of->days);
	wire_put_u64(&writer, of->rows_max);
	wire_put_u64(&writer, of->rows_used);
	wire_put_u8(&writer, of->has_hash ? 1 : 0);
	wire_put_raw(&writer, of->hash, sizeof(of->hash));
	wire_put_u8(&writer, of->has_allowed ? 1 : 0);
	wire_put_raw(&writer, of->allowed, sizeof(of->allowed));
	wire_put_u8(&writer, of->client_count);
	for (uint8_t i = 0; i < of->client_count; i++)
		wire_put_u32(&writer, of->clients[i]);
	return payload_put_thing(payload, THING_CASE, of->id, writer.status, &thing);
}

static bool
get_flag(struct wire_reader *reader)
{
	uint8_t flag = wire_get_u8(reader);

	reader->failed |= flag > 1;
	return flag == 1;
}

static bool
decode(struct bytes thing, struct trace_case *ret_case)
{
	struct trace_case of = {0};
	struct wire_reader reader;
	uint8_t format;

	wire_reader_init(&reader, thing);
	format = wire_get_u8(&reader);
	of.id = wire_get_u32(&reader);
	of.staff = wire_get_u32(&reader);
	of.reason = wire_get_u16(&reader);
	of.state = (enum case_state)wire_get_u8(&reader);
	of.request = wire_get_u32(&reader);
	of.asked_us = wire_get_i64(&reader);
	of.opened_us = wire_get_i64(&reader);
	of.closed_us = wire_get_i64(&reader);
	of.until_us = wire_get_i64(&reader);
	of.days = wire_get_u32(&reader);
	of.rows_max = wire_get_u64(&reader);
	of.rows_used = wire_get_u64(&reader);
	of.has_hash = get_flag(&reader);
	wire_get_raw(&reader, of.hash, sizeof(of.hash));
	of.has_allowed = get_flag(&reader);
	wire_get_raw(&reader, of.allowed, sizeof(of.allowed));
	of.client_count = wire_get_u8(&reader);
	if (of.client_count > FRONT_CASE_CLIENTS)
		return false;
	for (uint8_t i = 0; i < of.client_count; i++)
		of.clients[i] = wire_get_u32(&reader);
	if (format != CASE_FORMAT || !wire_end(&reader) || of.id == 0 || of.id > CASES_MAX ||
	    of.staff == 0 || of.state < CASE_ASKED || of.state > CASE_CLOSED ||
	    of.rows_used > of.rows_max)
		return false;
	*ret_case = of;
	return true;
}

enum az_status
case_apply(struct custody *custody, struct bytes thing, struct az_err *reterr)
{
	struct trace_case *of = malloc(sizeof(*of));

	if (of == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "case: out of memory");
	if (!decode(thing, of)) {
		free(of);
		return az_fail(reterr, AZ_CORRUPT, "case: it cannot be read");
	}
	if (numbered_put(&custody->cases, of->id, of) != AZ_OK)
		return az_fail(reterr, AZ_NO_MEMORY, "case: out of memory");
	return AZ_OK;
}

/* --- verbs ------------------------------------------------------------------------------------ */

static void
submit(struct request *request, const struct trace_case *of, uint32_t detail)
{
	struct ledger_entry entry = request_entry(request, ENTRY_CASE);
	struct payload payload;
	enum az_status status;

	entry.subject = of->id;
	entry.detail = detail;
	entry.detail64 = of->rows_max;
	payload_init(&payload);
	status = payload_put_case(&payload, of);
	change_submit(request, entry, status, &payload, "case", of->id, "");
}

/* The clients that are named, by number. */
static enum az_status
read_clients(const struct custody *custody, const struct front_case_open *asked,
    struct trace_case *of, struct az_err *reterr)
{
	for (uint8_t i = 0; i < asked->client_count; i++) {
		const struct client *client =
		    policy_client_labelled(custody->policy, asked->clients[i]);

		if (client == NULL)
			return az_fail(reterr, AZ_NOT_FOUND, "client %s: there is no such client",
			    asked->clients[i]);
		of->clients[of->client_count++] = client->id;
	}
	return AZ_OK;
}

/* Puts the case together with the question whether it may be opened. */
static void
ask_case(struct request *request, const struct front_case_open *asked)
{
	const struct custody *custody = request->custody;
	struct trace_case of = {.id = (uint32_t)custody->cases.count + 1,
	    .staff = request->staff,
	    .reason = asked->reason,
	    .state = CASE_ASKED,
	    .request = ask_number(request),
	    .asked_us = house_now_us(request->custody),
	    .days = asked->days,
	    .rows_max = asked->rows,
	    .has_hash = asked->has_hash != 0};
	struct payload payload;
	struct az_err err = {0};
	enum az_status status = read_clients(custody, asked, &of, &err);

	if (status == AZ_OK)
		status = cosigned_allows(custody, of.clients, of.client_count, &err);
	if (status == AZ_OK && custody->cases.count >= CASES_MAX)
		status = az_fail(&err, AZ_LIMIT, "case: the house has no more numbers");
	if (status != AZ_OK) {
		request_end_with(request, status, &err);
		return;
	}
	memcpy(of.hash, asked->hash, sizeof(of.hash));
	payload_init(&payload);
	status = payload_put_case(&payload, &of);
	if (status != AZ_OK) {
		payload_fini(&payload);
		(void)az_fail(&err, status, "case: it cannot be kept");
		request_fail(request, &err);
		return;
	}
	ask_submit(request, &payload, "case", of.id, "");
}

void
verb_case_open(struct request *request, const union front_request *body)
{
	const struct custody *custody = request->custody;
	const struct trace_case *found = NULL;
	struct trace_case of;
	struct az_err err = {0};

	if (!change_may_be_asked(request))
		return;
	if (request->must_ask) {
		ask_case(request, &body->case_open);
		return;
	}
	for (size_t i = 0; i < custody->cases.count; i++) {
		const struct trace_case *asked = custody->cases.items[i];

		if (asked != NULL && asked->state == CASE_ASKED &&
		    asked->request == carrying_number(request))
			found = asked;
	}
	/* Nobody opens a case at once, in no kind of house. */
	if (found == NULL || carrying_number(request) == 0) {
		(void)az_fail(
		    &err, AZ_DENIED, "case: it must be asked, and approved by somebody else");
		request_refuse(request, &err);
		return;
	}
	if (cosigned_allows(custody, found->clients, found->client_count, &err) != AZ_OK) {
		request_refuse(request, &err);
		return;
	}
	of = *found;
	of.state = CASE_OPEN;
	of.opened_us = house_now_us(request->custody);
	of.until_us = of.opened_us + (int64_t)of.days * AZ_US_PER_DAY;
	submit(request, &of, CASE_IS_OPENED);
}

void
verb_case_allow(struct request *request, const union front_request *body)
{
	const struct front_case_allow *asked = &body->case_allow;
	const struct trace_case *found = NULL;
	struct trace_case of;
	struct az_err err = {0};
	enum az_status status;

	if (!change_may_be_asked(request))
		return;
	status = case_admits(request->custody, asked->id, request->staff, 0, &found, &err);
	if (status == AZ_OK && !request->must_ask && carrying_number(request) == 0)
		status = az_fail(
		    &err, AZ_DENIED, "case %u: it must be approved by somebody else", asked->id);
	if (status != AZ_OK) {
		request_end_with(request, status, &err);
		return;
	}
	of = *found;
	of.has_allowed = true;
	memcpy(of.allowed, asked->hash, sizeof(of.allowed));
	submit(request, &of, CASE_IS_ALLOWED);
}

static bool
is_officer(const struct request *request)
{
	const struct staff *staff = people_staff(request->custody->people, request->staff);

	return staff != NULL && staff->role == ROLE_OFFICER;
}

void
verb_case_close(struct request *request, const union front_request *body)
{
	const struct trace_case *found = case_of(request->custody, body->numbered.number);
	struct trace_case of;
	struct az_err err = {0};
	enum az_status status = AZ_OK;

	if (!change_is_permitted(request))
		return;
	if (found == NULL)
		status =
		    az_fail(&err, AZ_NOT_FOUND, "case %u: there is none", body->numbered.number);
	else if (found->staff != request->staff && !is_officer(request))
		status = az_fail(&err, AZ_DENIED, "case %u: it is somebody else's", found->id);
	else if (found->state == CASE_CLOSED)
		status = az_fail(&err, AZ_CONFLICT, "case %u: it is closed already", found->id);
	if (status != AZ_OK) {
		request_end_with(request, status, &err);
		return;
	}
	of = *found;
	of.state = CASE_CLOSED;
	of.closed_us = house_now_us(request->custody);
	submit(request, &of, CASE_IS_CLOSED);
}

static const char *
state_of(const struct custody *custody, const struct trace_case *of)
{
	if (of->state == CASE_ASKED)
		return "asked";
	if (of->state == CASE_CLOSED)
		return "closed";
	return house_time_us(custody) < of->until_us ? "open" : "over";
}

static void
list_case(struct request *request, const struct trace_case *of)
{
	const struct custody *custody = request->custody;
	const struct staff *staff = people_staff(custody->people, of->staff);
	const char *reason = reason_name((enum reason)of->reason);
	struct wire_writer writer = reply_begin(request, FRONT_ITEM);

	answer_object(&writer, NULL);
	answer_uint(&writer, "case", of->id);
	answer_text(&writer, "state", state_of(request->custody, of));
	answer_text(&writer, "staff", staff != NULL ? staff->label : "");
	answer_text(&writer, "reason", reason != NULL ? reason : "");
	answer_uint(&writer, "request", of->request);
	answer_time(&writer, "asked", of->asked_us);
	if (of->state != CASE_ASKED)
		answer_time(&writer, "until", of->until_us);
	answer_uint(&writer, "rows", of->rows_max);
	answer_uint(&writer, "used", of->rows_used);
	answer_array(&writer, "clients");
	for (uint8_t i = 0; i < of->client_count; i++) {
		const struct client *client = policy_client(custody->policy, of->clients[i]);

		answer_text(&writer, NULL, client != NULL ? client->label : "");
	}
	answer_end(&writer);
	if (of->has_hash)
		answer_bytes(&writer, "hash", bytes_make(of->hash, sizeof(of->hash)));
	answer_end(&writer);
	reply_item(request, &writer);
}

/* Officers see all cases, an investigator their own. */
void
verb_case_list(struct request *request, const union front_request *body)
{
	const struct custody *custody = request->custody;
	struct wire_writer writer;

	(void)body;
	if (!change_is_permitted(request))
		return;
	for (size_t i = 0; i < custody->cases.count; i++) {
		const struct trace_case *of = custody->cases.items[i];

		if (of != NULL && (of->staff == request->staff || is_officer(request)))
			list_case(request, of);
	}
	writer = reply_begin(request, FRONT_DONE);
	answer_object(&writer, NULL);
	answer_end(&writer);
	reply_end(request, &writer);
}
