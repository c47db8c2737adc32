/*
 * Guards: enrolment, sign-in, what they report, and their silence.
 *
 *	guard ── GUARD_SIGN_IN ──► {last}          it goes on behind the last event whose entry is durable
 *	      ── GUARD_REPORT ──► entry, entry …   each with the number it came under in its payload ──► {last}
 *
 * A guard has no human: it may ask nothing else, and shows nothing (I2). Its events are numbered; what came before is
 * acknowledged again and is no second entry, and a number that is skipped is an alarm, since events were lost that the guard
 * had. The number is durable with the entry, so that neither a crash here nor one there loses or doubles an event.
 *
 * Who has not been heard for a while is silent, whatever the reason: then its device is shown only what purposes mask
 * (disclose.c), and after as long again from the start an alarm says so.
 */
#include "custody/guards.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "custody/grants.h"
#include "proto/endpoint.h"

#define SILENT_US    (20 * AZ_US_PER_S) /* a guard speaks every few seconds */
#define THING_FORMAT 1u

/* --- posts ------------------------------------------------------------------------------------ */

void
guards_free(struct custody *custody)
{
	free(custody->guards);
	custody->guards = NULL;
	custody->guard_room = 0;
}

/* NULL: out of memory, or no such number. */
static struct guard_post *
post_of(struct custody *custody, uint32_t device)
{
	size_t room = custody->guard_room == 0 ? 64 : custody->guard_room;
	struct guard_post *grown;

	if (device == 0 || device > PEOPLE_DEVICES_MAX)
		return NULL;
	while (room < device)
		room *= 2;
	if (room > custody->guard_room) {
		grown = reallocarray(custody->guards, room, sizeof(*grown));
		if (grown == NULL)
			return NULL;
		memset(
		    grown + custody->guard_room, 0, (room - custody->guard_room) * sizeof(*grown));
		custody->guards = grown;
		custody->guard_room = room;
	}
	return &custody->guards[device - 1];
}

/* The post of an enrolled guard, begun anew with each authenticator. */
static struct guard_post *
post_of_guard(struct custody *custody, const struct device *device)
{
	struct guard_post *post = post_of(custody, device->id);

	if (post != NULL && post->guarded_us != device->guarded_us)
		*post = (struct guard_post){.guarded_us = device->guarded_us};
	if (post != NULL && post->since_us == 0)
		post->since_us = clock_monotonic_us();
	return post;
}

static bool
is_heard(const struct guard_post *post, int64_t now_us)
{
	return post->heard_us != 0 && now_us - post->heard_us < SILENT_US;
}

enum guard_state
guard_state_of(const struct custody *custody, uint32_t device)
{
	const struct device *found = people_device(custody->people, device);
	const struct guard_post *post;

	if (found == NULL || found->guarded_us == 0)
		return GUARD_NONE;
	if (device > custody->guard_room)
		return GUARD_SILENT;
	post = &custody->guards[device - 1];
	return post->guarded_us == found->guarded_us && is_heard(post, clock_monotonic_us())
	    ? GUARD_LIVE
	    : GUARD_SILENT;
}

const char *
guard_state_name(enum guard_state state)
{
	switch (state) {
	case GUARD_SILENT: return "silent";
	case GUARD_LIVE: return "live";
	case GUARD_NONE:
	default: return "none";
	}
}

int64_t
guard_heard_us(const struct custody *custody, uint32_t device)
{
	const struct guard_post *post =
	    device == 0 || device > custody->guard_room ? NULL : &custody->guards[device - 1];

	if (post == NULL || post->heard_us == 0)
		return 0;
	return clock_now_us() - (clock_monotonic_us() - post->heard_us);
}

static void
hear(struct guard_post *post)
{
	post->heard_us = clock_monotonic_us();
	post->alarmed = false;
}

/* --- what is kept ----------------------------------------------------------------------------- */

static enum az_status
payload_put_guard(struct payload *payload, uint32_t device, const struct guard_post *post)
{
	struct buffer thing;
	struct wire_writer writer;

	buffer_init(&thing, STATE_THING_MAX, false);
	wire_writer_init(&writer, &thing);
	wire_put_u8(&writer, THING_FORMAT);
	wire_put_u32(&writer, device);
	wire_put_i64(&writer, post->guarded_us);
	wire_put_u64(&writer, post->last);
	return payload_put_thing(payload, THING_GUARD, device, writer.status, &thing);
}

enum az_status
guard_apply(struct custody *custody, uint64_t id, struct bytes thing, struct az_err *reterr)
{
	struct wire_reader reader;
	struct guard_post *post;
	uint32_t device;
	int64_t guarded_us;
	uint64_t last;
	uint8_t format;

	wire_reader_init(&reader, thing);
	format = wire_get_u8(&reader);
	device = wire_get_u32(&reader);
	guarded_us = wire_get_i64(&reader);
	last = wire_get_u64(&reader);
	if (format != THING_FORMAT || !wire_end(&reader) || device != id || device == 0 ||
	    device > PEOPLE_DEVICES_MAX || guarded_us == 0)
		return az_fail(reterr, AZ_CORRUPT, "guard: it cannot be read");
	post = post_of(custody, device);
	if (post == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "guard: out of memory");
	/* The last word of an authenticator that was replaced meanwhile. */
	if (guarded_us < post->guarded_us)
		return AZ_OK;
	*post = (struct guard_post){.guarded_us = guarded_us, .last = last, .durable = last};
	return AZ_OK;
}

/* --- enrolment -------------------------------------------------------------------------------- */

void
verb_device_guard(struct request *request, const union front_request *body)
{
	const struct front_device_add *asked = &body->device_add;
	struct custody *custody = request->custody;
	struct ledger_entry entry = request_entry(request, ENTRY_DEVICE);
	const struct device *found;
	struct device device;
	struct payload payload;
	struct az_err err = {0};
	enum az_status status;

	if (!change_may_be_asked(request))
		return;
	found = people_device_labelled(custody->people, asked->label);
	if (found == NULL)
		status =
		    az_fail(&err, AZ_NOT_FOUND, "device %s: there is no such device", asked->label);
	else
		status = people_may_guard(custody->people, asked->key, asked->label, &err);
	if (status != AZ_OK) {
		request_fail(request, &err);
		return;
	}
	device = *found;
	memcpy(device.guard_key, asked->key, sizeof(device.guard_key));
	/* Later than the one before, whatever the clock does: it tells the two apart. */
	device.guarded_us =
	    clock_now_us() > found->guarded_us ? clock_now_us() : found->guarded_us + 1;
	entry.subject = device.id;
	entry.detail = 3;
	payload_init(&payload);
	status = payload_put_device(&payload, &device);
	change_submit(request, entry, status, &payload, "device", device.id, device.label);
}

/* --- sign-in ---------------------------------------------------------------------------------- */

/* An entry that the house makes about a guard. */
struct ledger_entry
guard_entry(const struct custody *custody, uint32_t device, enum entry_type type)
{
	return (struct ledger_entry){.type = type,
	    .log = LEDGER_HOUSE_LOG,
	    .device = device,
	    .policy_version = POLICY_VERSION,
	    .zone = ZONE_LOOPBACK,
	    .guard = (uint8_t)guard_state_of(custody, device),
	    .grade = GRADE_OWN,
	    .outcome = AZ_OK,
	    .subject = device};
}

/* The answer to a sign-in and a report: how far its entries are durable, and what it may let in. */
static void
reply_last(struct request *request)
{
	struct custody *custody = request->custody;
	const struct device *device = people_device(custody->people, request->front->device);
	struct guard_post *post = post_of(custody, request->front->device);
	struct buffer grants;
	struct wire_writer grants_writer;
	struct wire_writer writer;

	buffer_init(&grants, ENDPOINT_GRANTS_MAX * ENDPOINT_GRANT_SIZE, false);
	wire_writer_init(&grants_writer, &grants);
	grants_put(&grants_writer, custody, request->front->device);
	writer = reply_begin(request, FRONT_DONE);
	answer_object(&writer, NULL);
	answer_text(&writer, "device", device != NULL ? device->label : "");
	answer_uint(&writer, "last", post != NULL ? post->durable : 0);
	/* None rather than some of them, where memory ran out. */
	if (grants_writer.status == AZ_OK)
		answer_bytes(&writer, "grants", buffer_peek(&grants));
	buffer_fini(&grants);
	answer_end(&writer);
	reply_end(request, &writer);
}

static void
hang_up(struct custody_front *front)
{
	front->dead = true;
	if (front->arg != NULL)
		front->custody->config.hang_up(front->arg);
}

/* What has no entry did not happen: nobody is signed in, and the guard was not heard. */
static void
sign_in_undo(struct request *request, struct guard_post *post, int64_t heard_us)
{
	struct custody_front *front = request->front;

	post->front = NULL;
	post->heard_us = heard_us;
	front->signed_in = false;
	front->is_guard = false;
	front->device = 0;
	request->device = 0;
}

void
verb_put_sign_in(struct request *request, const union front_request *body)
{
	const struct front_guard_sign_in *asked = &body->guard_sign_in;
	struct custody *custody = request->custody;
	struct custody_front *front = request->front;
	struct az_err err = {0};
	uint32_t id = 0;
	enum az_status status = people_recognise_guard(custody->people,
	    bytes_make(front->challenge, sizeof(front->challenge)), asked->key, asked->signature,
	    &id, &err);

	if (status != AZ_OK) {
		custody->unauthenticated++;
		request_fail(request, &err);
		hang_up(front);
		return;
	}
	front->signed_in = true;
	front->is_guard = true;
	front->is_putter = true;
	front->device = id;
	front->keyed_us = people_device(custody->people, id)->guarded_us;
	request->device = id;
	reply_last(request);
}

static void
signed_in_is_durable(void *arg, const struct az_ticket *ticket)
{
	(void)ticket;
	reply_last(arg);
}

void
verb_guard_sign_in(struct request *request, const union front_request *body)
{
	const struct front_guard_sign_in *asked = &body->guard_sign_in;
	struct custody *custody = request->custody;
	struct custody_front *front = request->front;
	const struct device *device;
	struct guard_post *post = NULL;
	struct ledger_entry entry;
	struct az_err err = {0};
	uint32_t id = 0;
	int64_t heard_us;
	enum az_status status = people_recognise_guard(custody->people,
	    bytes_make(front->challenge, sizeof(front->challenge)), asked->key, asked->signature,
	    &id, &err);

	if (status != AZ_OK) {
		custody->unauthenticated++;
		request_fail(request, &err);
		hang_up(front);
		return;
	}
	device = people_device(custody->people, id);
	post = post_of_guard(custody, device);
	if (post == NULL) {
		(void)az_fail(&err, AZ_NO_MEMORY, "guard: out of memory");
		request_fail(request, &err);
		return;
	}
	/* One guard, one connection: an older one is a line that broke. */
	if (post->front != NULL)
		hang_up(post->front);
	post->front = front;
	front->signed_in = true;
	front->is_guard = true;
	front->device = id;
	front->keyed_us = device->guarded_us;
	request->device = id;
	heard_us = post->heard_us;
	hear(post);
	entry = guard_entry(custody, id, ENTRY_GUARD);
	entry.detail = 1;
	status = ledger_submit(
	    custody->ledger, &entry, bytes_make(NULL, 0), signed_in_is_durable, request, &err);
	if (status != AZ_OK) {
		sign_in_undo(request, post, heard_us);
		request_fail(request, &err);
	}
}

void
guard_leave(struct custody_front *front)
{
	struct custody *custody = front->custody;
	struct guard_post *post = post_of(custody, front->device);
	struct ledger_entry entry = guard_entry(custody, front->device, ENTRY_GUARD);

	if (post != NULL && post->front == front)
		post->front = NULL;
	entry.detail = 2;
	/* What keeps this entry from being written keeps everything else from it too, and is told there. */
	az_ignore(ledger_submit(custody->ledger, &entry, bytes_make(NULL, 0), NULL, NULL, NULL));
}

/* --- reports ---------------------------------------------------------------------------------- */

struct report {
	struct request *request; /* answered with this one's entry; NULL: with a later one's */
	struct custody *custody;
	uint32_t device;
	int64_t guarded_us;
	uint64_t number;
};

static void
event_is_durable(void *arg, const struct az_ticket *ticket)
{
	struct report *report = arg;
	struct guard_post *post = post_of(report->custody, report->device);

	(void)ticket;
	if (post != NULL && post->guarded_us == report->guarded_us &&
	    report->number > post->durable)
		post->durable = report->number;
	if (report->request != NULL)
		reply_last(report->request);
	free(report);
}

/* What an event says in words: sealed and erasable, as all texts are. */
static enum az_status
put_words(struct payload *payload, const struct endpoint_event *event,
    uint8_t ret_commitment[LEDGER_COMMITMENT_SIZE])
{
	char text[sizeof(*event) + 96];
	int size = snprintf(text, sizeof(text), "users=%s\nplace=%s\nserial=%s\nlabel=%s\n",
	    event->users, event->place, event->serial, event->label);

	if (event->kind == ENDPOINT_DESK_UNREAD)
		(void)snprintf(text + size, sizeof(text) - (size_t)size, "lines=%llu\n",
		    (unsigned long long)event->count);
	else if (endpoint_is_forwarded((enum endpoint_kind)event->kind))
		(void)snprintf(text + size, sizeof(text) - (size_t)size, "desk=%s\nrecord=%llu\n",
		    event->desk, (unsigned long long)event->count);
	return payload_end(payload, text, ret_commitment);
}

/* --- desks ------------------------------------------------------------------------------------ */

struct desk {
	const char *name;
	size_t size;    /* of it, or of its part before the first '.' */
	uint32_t found; /* the device */
};

static void
match_desk(void *arg, const struct device *device)
{
	struct desk *desk = arg;

	if (device->retired_us == 0 && strlen(device->label) == desk->size &&
	    strncasecmp(device->label, desk->name, desk->size) == 0)
		desk->found = device->id;
}

/* The device that is labelled as the desk is named, with or without its domain; 0: none. */
static uint32_t
device_of_desk(const struct custody *custody, const char *name)
{
	struct desk desk = {.name = name, .size = strlen(name)};

	people_each_device(custody->people, match_desk, &desk);
	if (desk.found == 0) {
		desk.size = strcspn(name, ".");
		people_each_device(custody->people, match_desk, &desk);
	}
	return desk.found;
}

uint32_t
plugged_device(const struct ledger_entry *entry)
{
	return entry->type == ENTRY_FORWARDED ? entry->rows : entry->device;
}

/* --- entries ---------------------------------------------------------------------------------- */

static struct ledger_entry
event_entry(const struct custody *custody, uint32_t device, const struct endpoint_event *event)
{
	bool is_forwarded = endpoint_is_forwarded((enum endpoint_kind)event->kind);
	struct ledger_entry entry =
	    guard_entry(custody, device, is_forwarded ? ENTRY_FORWARDED : ENTRY_PLUGGED);

	entry.subject = (uint32_t)event->vendor << 16 | event->product;
	entry.detail = (uint32_t)event->kind << 24 | (uint32_t)event->interface_class << 16 |
	    (uint32_t)event->subclass << 8 | event->protocol;
	entry.detail64 = (uint64_t)event->time_us;
	if (is_forwarded)
		entry.rows = device_of_desk(custody, event->desk);
	else
		entry.rows = event->count > UINT32_MAX ? UINT32_MAX : (uint32_t)event->count;
	if (event->kind == ENDPOINT_REFUSED || event->kind == ENDPOINT_DESK_REFUSED)
		entry.outcome = AZ_DENIED;
	else if (event->kind == ENDPOINT_DESK_UNREAD)
		entry.outcome = AZ_INVALID;
	return entry;
}

/* Submits the entry of one event. request: to be answered when it is durable, or NULL. */
static enum az_status
log_event(struct request *request, struct guard_post *post, const struct endpoint_event *event,
    bool answers, struct az_err *reterr)
{
	struct custody *custody = request->custody;
	struct ledger_entry entry = event_entry(custody, request->device, event);
	struct report *report = malloc(sizeof(*report));
	struct payload payload;
	enum az_status status;

	if (report == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "guard: out of memory");
	post->last++;
	*report = (struct report){.request = answers ? request : NULL,
	    .custody = custody,
	    .device = request->device,
	    .guarded_us = post->guarded_us,
	    .number = post->last};
	payload_init(&payload);
	status = payload_put_guard(&payload, request->device, post);
	if (status == AZ_OK)
		status = put_words(&payload, event, entry.text);
	if (status != AZ_OK)
		(void)az_fail(reterr, status, "guard: an event is too large");
	else
		status = ledger_submit(custody->ledger, &entry, buffer_peek(&payload.buffer),
		    event_is_durable, report, reterr);
	payload_fini(&payload);
	if (status != AZ_OK) {
		post->last--;
		free(report);
	}
	return status;
}

/* Numbers were skipped: what stood under them never comes. */
static enum az_status
log_gap(
    const struct request *request, struct guard_post *post, uint64_t first, struct az_err *reterr)
{
	struct ledger_entry entry = guard_entry(request->custody, request->device, ENTRY_ALARM);
	enum az_status status;

	entry.detail = ALARM_GAP;
	entry.detail64 = first - post->last - 1;
	entry.outcome = AZ_FORGED;
	status = ledger_submit(
	    request->custody->ledger, &entry, bytes_make(NULL, 0), NULL, NULL, reterr);
	if (status == AZ_OK)
		post->last = first - 1;
	return status;
}

void
verb_guard_report(struct request *request, const union front_request *body)
{
	const struct front_guard_report *asked = &body->guard_report;
	struct custody *custody = request->custody;
	struct guard_post *post = post_of(custody, request->device);
	struct wire_reader reader;
	struct az_err err = {0};
	uint64_t submitted = 0;
	enum az_status status = AZ_OK;

	if (post == NULL || !request->front->is_guard || request->front->is_putter) {
		(void)az_fail(&err, AZ_DENIED, "guard: only a guard reports");
		request_refuse(request, &err);
		return;
	}
	hear(post);
	if (asked->count > 0 && asked->first > post->last + 1)
		status = log_gap(request, post, asked->first, &err);
	wire_reader_init(&reader, asked->events);
	for (uint8_t i = 0; i < asked->count && status == AZ_OK; i++) {
		struct endpoint_event event;

		/* Their form was checked when they were decoded. */
		if (!endpoint_get(&reader, &event))
			break;
		if (asked->first + i <= post->last)
			continue;
		status = log_event(request, post, &event, i + 1 == asked->count, &err);
		submitted += status == AZ_OK ? 1 : 0;
		if (status == AZ_OK && i + 1 == asked->count)
			return;
	}
	/* Some may be on their way: the guard is told what is durable, and comes again for the rest. */
	if (status == AZ_OK || submitted > 0)
		reply_last(request);
	else
		request_fail(request, &err);
}

/* --- silence ---------------------------------------------------------------------------------- */

static void
miss(void *arg, const struct device *device)
{
	struct custody *custody = arg;
	int64_t now = clock_monotonic_us();
	struct ledger_entry entry;
	struct guard_post *post;
	int64_t since;

	if (device->guarded_us == 0 || device->retired_us != 0)
		return;
	post = post_of_guard(custody, device);
	if (post == NULL || post->alarmed)
		return;
	since = post->heard_us != 0 ? post->heard_us : post->since_us;
	if (now - since < SILENT_US)
		return;
	entry = guard_entry(custody, device->id, ENTRY_ALARM);
	entry.detail = ALARM_SILENT;
	entry.detail64 = (uint64_t)guard_heard_us(custody, device->id);
	entry.outcome = AZ_GONE;
	post->alarmed =
	    ledger_submit(custody->ledger, &entry, bytes_make(NULL, 0), NULL, NULL, NULL) == AZ_OK;
}

void
guards_tick(struct custody *custody)
{
	people_each_device(custody->people, miss, custody);
}

const char *
alarm_text(const struct ledger_entry *entry)
{
	if (entry->type == ENTRY_FORWARDED && entry->detail >> 24 == ENDPOINT_DESK_DISK)
		return "a disk works at a desk";
	if (entry->type == ENTRY_FORWARDED && entry->detail >> 24 == ENDPOINT_DESK_UNREAD)
		return "events of desks could not be read";
	if (entry->type != ENTRY_ALARM)
		return NULL;
	if (entry->outcome == AZ_LIMIT)
		return "a budget is used up: a review is due";
	switch (entry->detail) {
	case ALARM_SILENT: return "the guard is silent";
	case ALARM_GAP: return "events of the guard never came";
	case ALARM_COSIGNATURES: return "cosignatures are too old: exports and cases are stopped";
	default: return "a front had seen another ledger";
	}
}
