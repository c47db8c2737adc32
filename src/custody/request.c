/*
 * Requests: from a message to the verb's function, and the replies on the way back.
 *
 *	message ── front_decode ── table of verbs ── run ── … ── DONE or FAILED
 *	                                └─ changes the house: waits for those before it
 *
 * A request belongs to its front, and outlives its connection: what was begun is brought to its end, only
 * the reply is dropped. A front is freed when it is closed and nothing of it is in flight.
 *
 * Every refusal is an entry, so that attempts are evidence too; above a rate they are counted, and the
 * count stands in the next entry, at the latest in that of the last one, which is written when the front has gone.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "custody/guards.h"
#include "custody/histories.h"
#include "custody/losses.h"
#include "custody/putting.h"
#include "custody/scan.h"
#include "custody/standings.h"

#define IN_FLIGHT_MAX     64u
#define REFUSALS_LOGGED   20u /* in a window, for each front */
#define REFUSAL_WINDOW_US (10 * AZ_US_PER_S)

/* --- fronts ----------------------------------------------------------------------------------- */

enum az_status
custody_front_new(struct custody *custody, const uint8_t challenge[32], void *front_arg,
    struct custody_front **ret_front)
{
	struct custody_front *front = calloc(1, sizeof(*front));

	if (front == NULL)
		return AZ_NO_MEMORY;
	front->custody = custody;
	front->arg = front_arg;
	memcpy(front->challenge, challenge, sizeof(front->challenge));
	front->next = custody->fronts;
	if (front->next != NULL)
		front->next->previous = front;
	custody->fronts = front;
	*ret_front = front;
	return AZ_OK;
}

/* What it was refused since the last refusal that is an entry: the last of these, with how many were before it. */
static void
log_unlogged(struct custody_front *front)
{
	struct ledger_entry entry = front->last_unlogged;

	if (front->unlogged == 0)
		return;
	entry.detail64 = front->unlogged - 1;
	/* What keeps this entry from being written keeps everything else from it too, and is told there. */
	az_ignore(
	    ledger_submit(front->custody->ledger, &entry, bytes_make(NULL, 0), NULL, NULL, NULL));
}

static void
front_free_if_done(struct custody_front *front)
{
	if (front->arg != NULL || front->in_flight > 0)
		return;
	log_unlogged(front);
	if (front->next != NULL)
		front->next->previous = front->previous;
	if (front->previous != NULL)
		front->previous->next = front->next;
	else
		front->custody->fronts = front->next;
	free(front);
}

void
custody_front_close(struct custody_front **front)
{
	struct custody_front *closed = *front;

	if (closed == NULL)
		return;
	*front = NULL;
	closed->arg = NULL;
	closed->dead = true;
	if (closed->custody->bulk != NULL)
		entrust_front_gone(closed->custody->bulk, closed);
	if (closed->custody->tracing != NULL)
		trace_front_gone(closed->custody->tracing, closed);
	if (closed->custody->scanning != NULL)
		scan_front_gone(closed->custody->scanning, closed);
	if (closed->custody->publishing != NULL)
		publish_front_gone(closed->custody->publishing, closed);
	backup_front_gone(closed->custody, closed);
	importing_front_gone(closed->custody, closed);
	putting_front_gone(closed->custody, closed);
	stating_front_gone(closed->custody, closed);
	session_leave(closed);
	front_free_if_done(closed);
}

bool
custody_front_is_signed_in(const struct custody_front *front)
{
	return front->signed_in;
}

/* --- from a message to a verb ----------------------------------------------------------------- */

static void
request_free(struct request *request)
{
	struct custody_front *front = request->front;

	fd_close(&request->fd);
	buffer_fini(&request->body);
	carrying_free(&request->carrying);
	free(request);
	front->in_flight--;
	front_free_if_done(front);
}

void
request_run(struct request *request, struct bytes body)
{
	struct custody *custody = request->custody;
	const struct verb_entry *verb = verb_of((uint16_t)request->type);
	enum az_status status = front_decode(request->type, body, custody->scratch);
	struct az_err err = {0};

	assert(verb != NULL);
	if (status != AZ_OK) {
		(void)az_fail(&err, AZ_INVALID, "%s: the request is malformed",
		    verb_name(request->verb) != NULL ? verb_name(request->verb) : "sign-in");
		request_fail(request, &err);
	} else {
		verb->run(request, custody->scratch);
	}
	az_wipe(custody->scratch, sizeof(*custody->scratch));
}

/* Whether who signed in here may still ask: not ended, not retired, not taken over. */
static bool
session_holds(const struct request *request)
{
	const struct custody *custody = request->custody;
	const struct staff *staff = people_staff(custody->people, request->staff);
	const struct device *device = people_device(custody->people, request->device);
	const struct session *session = people_session(custody->people, request->session);

	if (request->front->is_guard)
		return device != NULL && device->retired_us == 0 &&
		    device->guarded_us == request->front->keyed_us;
	/* Whose key was exchanged meanwhile may be somebody else. */
	return staff != NULL && staff_is_here(staff, house_now_us(request->custody)) &&
	    staff->keyed_us == request->front->keyed_us && device != NULL &&
	    device->retired_us == 0 && session != NULL && !session->taken_over;
}

static void
refuse_ended(struct request *request)
{
	struct az_err err = {0};

	(void)az_fail(&err, AZ_DENIED, "the session has ended");
	request_refuse(request, &err);
}

static bool
is_sign_in(uint16_t type)
{
	return type == FRONT_SIGN_IN || type == FRONT_ENROL || type == FRONT_GUARD_SIGN_IN ||
	    type == FRONT_PUT_SIGN_IN;
}

/* A guard reports and nothing else, and nobody else does (I2). */
static bool
is_for_this_front(const struct custody_front *front, const struct verb_entry *verb)
{
	return !front->signed_in || verb->type == FRONT_PRESENT ||
	    front->is_guard == (verb->verb == VERB_GUARD);
}

static void
refuse_kind(struct request *request)
{
	struct az_err err = {0};

	(void)az_fail(&err, AZ_DENIED, "%s: not for %s", verb_name(request->verb),
	    request->front->is_guard ? "guards" : "people");
	request_refuse(request, &err);
}

/* Puts a change at the end of the queue; runs it if nothing is before it. */
static void
change_queue(struct request *request, struct bytes body)
{
	struct custody *custody = request->custody;
	struct request **end = &custody->changes;
	struct az_err err = {0};

	buffer_init(&request->body, FRONT_FRAME_MAX, true);
	if (buffer_append(&request->body, body) != AZ_OK) {
		(void)az_fail(&err, AZ_NO_MEMORY, "the request: out of memory");
		request_fail(request, &err);
		return;
	}
	while (*end != NULL)
		end = &(*end)->next;
	*end = request;
	if (custody->changes == request)
		custody->change_is_due = true;
	changes_round(custody);
}

/* A change at work has ended: the next one is due. */
static void
change_ended(struct custody *custody, struct request *request)
{
	custody->changes = request->next;
	custody->change_is_due = custody->changes != NULL;
}

void
change_release(struct request *request)
{
	if (request->custody->changes == request)
		change_ended(request->custody, request);
}

void
changes_round(struct custody *custody)
{
	/* A change that is refused at once ends inside this loop, and the next one is due. */
	while (custody->change_is_due && !custody->list_is_committing &&
	    !custody->trace_is_committing && !custody->scan_is_committing &&
	    !custody->carry_is_busy) {
		struct request *request = custody->changes;

		custody->change_is_due = false;
		/* Those before it may have ended who asks it; or they went, and with them their session. */
		if (request->session != 0 && !session_holds(request))
			refuse_ended(request);
		else
			request_run(request, buffer_peek(&request->body));
	}
}

enum az_status
custody_request(struct custody_front *front, struct bytes message, int fd, struct az_err *reterr)
{
	struct custody *custody = front->custody;
	struct front_header header = {0};
	const struct verb_entry *verb = NULL;
	struct request *request;
	struct bytes body;

	if (front->dead || front_open(message, &header, &body) != AZ_OK ||
	    (verb = verb_of(header.type)) == NULL) {
		fd_close(&fd);
		return az_fail(reterr, AZ_INVALID, "a message of no known kind");
	}
	if (is_sign_in(header.type) == front->signed_in ||
	    (fd >= 0) != front_has_descriptor(header.type)) {
		fd_close(&fd);
		return az_fail(reterr, AZ_INVALID, "a message out of turn");
	}
	/* Before the sign-in is answered there is nothing else to say. */
	if (!front->signed_in && front->in_flight > 0) {
		fd_close(&fd);
		return az_fail(reterr, AZ_INVALID, "a message out of turn");
	}
	request = front->in_flight < IN_FLIGHT_MAX ? calloc(1, sizeof(*request)) : NULL;
	if (request == NULL) {
		fd_close(&fd);
		return az_fail(reterr, AZ_LIMIT, "too many requests at once");
	}
	*request = (struct request){.custody = custody,
	    .front = front,
	    .id = header.id,
	    .type = verb->type,
	    .verb = verb->verb,
	    .staff = front->staff,
	    .device = front->device,
	    .session = front->session,
	    .fd = fd};
	front->in_flight++;
	if (custody->phase != PHASE_SERVING) {
		struct az_err err = {0};

		(void)az_fail(&err, AZ_BUSY, "the keeper is stopping");
		request_fail(request, &err);
	} else if (front->signed_in && !session_holds(request)) {
		refuse_ended(request);
	} else if (!is_for_this_front(front, verb)) {
		refuse_kind(request);
	} else if (backup_excludes(custody, verb->type)) {
		struct az_err err = {0};

		(void)az_fail(&err, AZ_BUSY,
		    "a backup is being taken; lists, corrections and cosignatures wait for it");
		request_fail(request, &err);
	} else if (verb->changes) {
		change_queue(request, body);
	} else {
		request_run(request, body);
	}
	return AZ_OK;
}

/*
 * Every front comes over a socket of this host today, so its network is the host's own, and what tells fronts apart is the
 * device's key.
 */
uint64_t
request_zones(const struct request *request)
{
	const struct origin origin = {.device = request->device,
	    .is_local = true,
	    .address_count = 2,
	    .addresses = {{[15] = 1}, {[10] = 0xff, [11] = 0xff, [12] = 127, [15] = 1}}};

	return policy_zones_at(request->custody->policy, &origin);
}

struct whereabouts
request_whereabouts(const struct request *request, enum role role)
{
	return (struct whereabouts){.zones = request_zones(request),
	    .role = *policy_bounds(request->custody->policy, role)};
}

struct ledger_entry
request_entry(const struct request *request, enum entry_type type)
{
	return (struct ledger_entry){.type = type,
	    .log = LEDGER_HOUSE_LOG,
	    .staff = request->staff,
	    .device = request->device,
	    .session = request->session,
	    .policy_version = POLICY_VERSION,
	    .zone = zone_code(request_zones(request)),
	    .guard = (uint8_t)guard_state_of(request->custody, request->device),
	    .grade = GRADE_OWN,
	    .outcome = AZ_OK};
}

/* --- replies ---------------------------------------------------------------------------------- */

struct wire_writer
reply_begin(struct request *request, enum front_message type)
{
	struct custody *custody = request->custody;
	struct wire_writer writer;
	struct head heads[2];
	uint32_t count = 1;

	request->replied = type;
	buffer_clear(&custody->reply);
	wire_writer_init(&writer, &custody->reply);
	front_put_header(&writer, type, request->id);
	if (type == FRONT_DONE || type == FRONT_FAILED) {
		ledger_head(custody->ledger, LEDGER_HOUSE_LOG, &heads[0]);
		if (request->log != LEDGER_HOUSE_LOG)
			ledger_head(custody->ledger, request->log, &heads[count++]);
		/* Before its sign-in nobody is told how long the logs are. */
		front_put_heads(&writer, heads, request->front->signed_in ? count : 0);
	}
	return writer;
}

static void
reply_send(struct request *request, struct wire_writer *writer)
{
	struct custody_front *front = request->front;
	struct custody *custody = request->custody;

	if (front->arg != NULL && !front->dead) {
		if (writer->status == AZ_OK) {
			custody->config.reply(front->arg, buffer_peek(&custody->reply));
		} else {
			/* An answer that does not fit cannot be told: the connection ends. */
			front->dead = true;
			custody->config.hang_up(front->arg);
		}
	}
	buffer_clear(&custody->reply);
}

void
reply_item(struct request *request, struct wire_writer *writer)
{
	reply_send(request, writer);
}

void
reply_end(struct request *request, struct wire_writer *writer)
{
	struct custody *custody = request->custody;

	/* What was done by an approval has used it up: else it could be done again. */
	assert(request->replied != FRONT_DONE || carrying_is_used(request));

	reply_send(request, writer);
	if (custody->changes == request)
		change_ended(custody, request);
	request_free(request);
}

void
answer_ledger(
    struct wire_writer *writer, const struct custody *custody, const struct az_ticket *ticket)
{
	const struct ledger_entry *entry = ticket_entry(ticket);
	const struct client *client = policy_client(custody->policy, entry->log);

	answer_object(writer, "ledger");
	answer_text(writer, "log", client != NULL ? client->label : "house");
	answer_uint(writer, "index", ticket_index(ticket));
	answer_end(writer);
}

void
request_fail_at(struct request *request, const struct az_err *err, const struct az_ticket *ticket)
{
	struct wire_writer writer = reply_begin(request, FRONT_FAILED);

	wire_put_u8(&writer, (uint8_t)err->status);
	wire_put_text(&writer, err->text);
	if (ticket != NULL) {
		answer_object(&writer, NULL);
		answer_ledger(&writer, request->custody, ticket);
		answer_end(&writer);
	}
	reply_end(request, &writer);
}

void
request_fail(struct request *request, const struct az_err *err)
{
	request_fail_at(request, err, NULL);
}

void
request_fail_with(struct request *request, enum az_status status, struct az_err *err)
{
	err->status = status;
	request_fail(request, err);
}

void
request_end_with(struct request *request, enum az_status status, struct az_err *err)
{
	err->status = status;
	if (status == AZ_DENIED)
		request_refuse(request, err);
	else
		request_fail(request, err);
}

void
request_progress(struct request *request, uint64_t done, uint64_t of, const char *what)
{
	struct wire_writer writer = reply_begin(request, FRONT_PROGRESS);

	wire_put_u64(&writer, done);
	wire_put_u64(&writer, of);
	wire_put_text(&writer, what);
	reply_item(request, &writer);
}

/* --- refusals --------------------------------------------------------------------------------- */

struct refusal_reply {
	struct request *request;
	struct az_err err;
};

static void
refusal_is_durable(void *arg, const struct az_ticket *ticket)
{
	struct refusal_reply *refusal = arg;

	request_fail_at(refusal->request, &refusal->err, ticket);
	free(refusal);
}

/* Whether this front's refusals are still logged one by one. */
static bool
refusal_is_logged(struct custody_front *front)
{
	int64_t now = clock_monotonic_us();

	if (now - front->window_us > REFUSAL_WINDOW_US) {
		front->window_us = now;
		front->window_refusals = 0;
	}
	return ++front->window_refusals <= REFUSALS_LOGGED;
}

/* Counts a refusal that is no entry. */
static void
leave_unlogged(struct request *request, const struct ledger_entry *entry, const struct az_err *err)
{
	request->front->unlogged++;
	request->front->last_unlogged = *entry;
	request_fail(request, err);
}

void
request_refuse(struct request *request, const struct az_err *err)
{
	struct ledger_entry entry = request_entry(request, ENTRY_REFUSED);
	struct custody_front *front = request->front;
	struct refusal_reply *refusal;

	entry.detail = request->verb;
	entry.outcome = (uint8_t)err->status;
	entry.subject = request->log;
	entry.detail64 = front->unlogged;
	refusal = refusal_is_logged(front) ? malloc(sizeof(*refusal)) : NULL;
	if (refusal == NULL) {
		leave_unlogged(request, &entry, err);
		return;
	}
	*refusal = (struct refusal_reply){.request = request, .err = *err};
	if (ledger_submit(request->custody->ledger, &entry, bytes_make(NULL, 0), refusal_is_durable,
		refusal, NULL) != AZ_OK) {
		leave_unlogged(request, &entry, err);
		free(refusal);
		return;
	}
	front->unlogged = 0;
}
