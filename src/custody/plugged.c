/*
 * What was plugged in, for an officer: the entries that guards made, the newest first, each with the disclosures at the same
 * device in the hour before. The question is an entry itself, durable before the first line is told.
 *
 * There is no index by device: the house's log is read backwards, a bounded number of entries a question, and the answer
 * says where to go on. In a client's log the hour is found by halving, since time never runs backwards in a log.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "custody/guards.h"
#include "custody/putting.h"
#include "proto/endpoint.h"

#define BEFORE_US       (3600 * AZ_US_PER_S)
#define LOOKED_AT_MAX   4000u /* entries of the house's log for one question */
#define DISCLOSURES_MAX 20u   /* told with one event, the newest */
#define WALKED_MAX      400u  /* entries of a client's log for one event */

struct plugged {
	struct request *request;
	struct front_plugged asked;
	uint32_t device; /* 0: all */
	uint32_t count;
};

static void
plugged_fail(struct plugged *plugged, enum az_status status, struct az_err *err)
{
	struct request *request = plugged->request;

	err->status = status;
	free(plugged);
	request_fail(request, err);
}

/* --- words ------------------------------------------------------------------------------------ */

/* One "NAME=VALUE", as a member of the answer, if it is one of those that entries have. */
static void
answer_line(struct wire_writer *writer, struct bytes line)
{
	static const char *const names[] = {
	    "users", "place", "serial", "label", "desk", "record", "lines", "name"};

	for (size_t i = 0; i < AZ_ARRAY_SIZE(names); i++) {
		struct bytes name = bytes_of(names[i]);

		if (line.size > name.size + 1 && line.data[name.size] == '=' &&
		    bytes_equal(bytes_make(line.data, name.size), name))
			answer_value(writer, names[i],
			    bytes_make(line.data + name.size + 1, line.size - name.size - 1));
	}
}

static void
answer_lines(struct wire_writer *writer, struct bytes text)
{
	while (text.size > 0) {
		const uint8_t *end = memchr(text.data, '\n', text.size);
		size_t size = end != NULL ? (size_t)(end - text.data) : text.size;

		answer_line(writer, bytes_make(text.data, size));
		if (end == NULL)
			return;
		text = bytes_make(end + 1, text.size - size - 1);
	}
}

static void
answer_words(struct wire_writer *writer, const struct custody *custody, uint64_t index)
{
	struct buffer text;

	buffer_init(&text, STATE_TEXT_MAX, true);
	if (state_get_text(custody->state, LEDGER_HOUSE_LOG, index, &text, NULL) == AZ_OK &&
	    bytes_are_utf8(buffer_peek(&text)))
		answer_lines(writer, buffer_peek(&text));
	buffer_fini(&text);
}

/* A file for a granted memory. */
static void
answer_put(struct wire_writer *writer, const struct custody *custody,
    const struct ledger_entry *entry, uint64_t index)
{
	const char *what = putting_word(entry->detail);

	if (what != NULL)
		answer_text(writer, "what", what);
	answer_uint(writer, "grant", entry->subject);
	answer_uint(writer, "size", entry->detail64);
	answer_bytes(writer, "sha256", bytes_make(entry->document, sizeof(entry->document)));
	if (entry->rows != 0)
		answer_uint(writer, "values", entry->rows);
	answer_words(writer, custody, index);
}

void
answer_plugged(struct wire_writer *writer, const struct custody *custody,
    const struct ledger_entry *entry, uint64_t index)
{
	enum endpoint_kind kind = (enum endpoint_kind)(entry->detail >> 24);
	const char *what = endpoint_kind_name(kind);
	char code[16];

	if (entry->type == ENTRY_PUT) {
		answer_put(writer, custody, entry, index);
		return;
	}
	if (what != NULL)
		answer_text(writer, "what", what);
	answer_time(writer, "at", (int64_t)entry->detail64);
	if (kind == ENDPOINT_REFUSED || kind == ENDPOINT_ALLOWED || kind == ENDPOINT_GRANTED ||
	    (entry->type == ENTRY_FORWARDED && kind != ENDPOINT_DESK_UNREAD)) {
		(void)snprintf(
		    code, sizeof(code), "%04x:%04x", entry->subject >> 16, entry->subject & 0xffff);
		answer_text(writer, "usb", code);
		(void)snprintf(code, sizeof(code), "%02x/%02x/%02x", entry->detail >> 16 & 0xff,
		    entry->detail >> 8 & 0xff, entry->detail & 0xff);
		answer_text(writer, "class", code);
	}
	if (entry->rows != 0 && entry->type == ENTRY_PLUGGED)
		answer_uint(writer, "count", entry->rows);
	answer_words(writer, custody, index);
}

/* --- disclosures before it -------------------------------------------------------------------- */

/* The first entry of a log that is later than time. */
static enum az_status
find_after(struct custody *custody, uint32_t log, int64_t time_us, uint64_t *ret_index,
    struct az_err *reterr)
{
	struct head head;
	uint64_t low = 0;
	uint64_t high;
	enum az_status status = AZ_OK;

	ledger_head(custody->ledger, log, &head);
	high = head.size;
	while (low < high && status == AZ_OK) {
		uint64_t middle = low + (high - low) / 2;
		struct ledger_read read;

		status = ledger_entry_at(custody->ledger, log, middle, &read, reterr);
		if (status == AZ_OK && read.entry.time_us <= time_us)
			low = middle + 1;
		else
			high = middle;
	}
	*ret_index = low;
	return status;
}

static enum az_status
tell_disclosure(struct custody *custody, struct wire_writer *writer, const struct client *client,
    uint64_t index, const struct ledger_read *read, struct az_err *reterr)
{
	const struct staff *staff;
	uint32_t staff_id = 0;
	uint32_t record = 0;
	enum az_status status =
	    ledger_identify(custody->ledger, client->id, read, &staff_id, &record, reterr);

	if (status != AZ_OK)
		return status;
	staff = people_staff(custody->people, staff_id);
	answer_object(writer, NULL);
	answer_text(writer, "log", client->label);
	answer_uint(writer, "index", index);
	answer_time(writer, "time", read->entry.time_us);
	answer_text(writer, "staff", staff != NULL ? staff->label : "");
	answer_uint(writer, "record", record);
	answer_end(writer);
	return AZ_OK;
}

struct before {
	struct custody *custody;
	struct wire_writer *writer;
	const struct ledger_entry *event;
	unsigned int told;
	enum az_status status;
	struct az_err err;
};

static void
tell_of_client(void *arg, const struct client *client)
{
	struct before *before = arg;
	struct custody *custody = before->custody;
	int64_t at = before->event->type == ENTRY_PUT ? before->event->time_us
						      : (int64_t)before->event->detail64;
	uint64_t index = 0;

	if (before->status != AZ_OK || before->told >= DISCLOSURES_MAX)
		return;
	before->status = find_after(custody, client->id, at, &index, &before->err);
	for (unsigned int walked = 0; index > 0 && walked < WALKED_MAX &&
	     before->told < DISCLOSURES_MAX && before->status == AZ_OK;
	     walked++) {
		struct ledger_read read;

		before->status =
		    ledger_entry_at(custody->ledger, client->id, --index, &read, &before->err);
		if (before->status != AZ_OK || at - read.entry.time_us > BEFORE_US)
			break;
		if (read.entry.type != ENTRY_DISCLOSED ||
		    read.entry.device != plugged_device(before->event))
			continue;
		before->status =
		    tell_disclosure(custody, before->writer, client, index, &read, &before->err);
		before->told++;
	}
}

/* --- the answer ------------------------------------------------------------------------------- */

static enum az_status
tell_event(struct plugged *plugged, uint64_t index, const struct ledger_entry *entry,
    struct az_err *reterr)
{
	struct custody *custody = plugged->request->custody;
	const struct device *device = people_device(custody->people, plugged_device(entry));
	const struct device *by = people_device(custody->people, entry->device);
	struct wire_writer writer = reply_begin(plugged->request, FRONT_ITEM);
	struct before before = {.custody = custody, .writer = &writer, .event = entry};

	before.status = AZ_OK;
	answer_object(&writer, NULL);
	answer_uint(&writer, "index", index);
	answer_time(&writer, "time", entry->time_us);
	answer_text(&writer, "device", device != NULL ? device->label : "");
	if (entry->type == ENTRY_FORWARDED)
		answer_text(&writer, "by", by != NULL ? by->label : "");
	answer_plugged(&writer, custody, entry, index);
	answer_array(&writer, "disclosures");
	policy_each_client(custody->policy, tell_of_client, &before);
	answer_end(&writer);
	answer_end(&writer);
	if (before.status != AZ_OK)
		return az_fail(reterr, before.status, "%s", before.err.text);
	reply_item(plugged->request, &writer);
	plugged->count++;
	return AZ_OK;
}

/* Also at a desk that it forwards events of. */
static bool
is_asked(const struct plugged *plugged, const struct ledger_entry *entry)
{
	return (entry->type == ENTRY_PLUGGED || entry->type == ENTRY_FORWARDED ||
		   entry->type == ENTRY_PUT) &&
	    (plugged->device == 0 || entry->device == plugged->device ||
		plugged_device(entry) == plugged->device);
}

static void
settled(void *arg)
{
	struct plugged *plugged = arg;
	struct request *request = plugged->request;
	struct custody *custody = request->custody;
	struct wire_writer writer;
	struct az_err err = {0};
	struct head head;
	uint64_t index;
	enum az_status status = AZ_OK;

	ledger_head(custody->ledger, LEDGER_HOUSE_LOG, &head);
	index = plugged->asked.before < head.size ? plugged->asked.before : head.size;
	for (unsigned int looked = 0; index > 0 && looked < LOOKED_AT_MAX &&
	     plugged->count < plugged->asked.max && status == AZ_OK;
	     looked++) {
		struct ledger_read read;

		status = ledger_entry_at(custody->ledger, LEDGER_HOUSE_LOG, --index, &read, &err);
		if (status == AZ_OK && is_asked(plugged, &read.entry))
			status = tell_event(plugged, index, &read.entry, &err);
	}
	if (status != AZ_OK) {
		plugged_fail(plugged, status, &err);
		return;
	}
	writer = reply_begin(request, FRONT_DONE);
	answer_object(&writer, NULL);
	answer_uint(&writer, "count", plugged->count);
	answer_uint(&writer, "before", index);
	answer_end(&writer);
	free(plugged);
	reply_end(request, &writer);
}

static void
asked_is_durable(void *arg, const struct az_ticket *ticket)
{
	struct plugged *plugged = arg;
	struct az_err err = {0};
	enum az_status status =
	    ledger_settle(plugged->request->custody->ledger, settled, plugged, &err);

	(void)ticket;
	if (status != AZ_OK)
		plugged_fail(plugged, status, &err);
}

void
verb_ledger_plugged(struct request *request, const union front_request *body)
{
	struct custody *custody = request->custody;
	struct ledger_entry entry = request_entry(request, ENTRY_QUERIED);
	struct plugged *plugged;
	struct az_err err = {0};
	enum az_status status = AZ_OK;

	if (!change_is_permitted(request))
		return;
	plugged = calloc(1, sizeof(*plugged));
	if (plugged == NULL) {
		(void)az_fail(&err, AZ_NO_MEMORY, "ledger query: out of memory");
		request_fail(request, &err);
		return;
	}
	plugged->request = request;
	plugged->asked = body->plugged;
	if (plugged->asked.device[0] != '\0') {
		const struct device *device =
		    people_device_labelled(custody->people, plugged->asked.device);

		if (device == NULL)
			status = az_fail(&err, AZ_NOT_FOUND, "device %s: there is no such device",
			    plugged->asked.device);
		else
			plugged->device = device->id;
	}
	entry.subject = LEDGER_HOUSE_LOG;
	if (status == AZ_OK)
		status = ledger_submit(
		    custody->ledger, &entry, bytes_make(NULL, 0), asked_is_durable, plugged, &err);
	if (status != AZ_OK)
		plugged_fail(plugged, status, &err);
}
