/*
 * Asking the ledger: the newest entries of a log, those about a record, or those of a human. The question
 * is an entry itself, durable before the first line is told.
 */
#include <stdlib.h>
#include <string.h>

#include "custody/guards.h"

#define CALL_TEXT_MAX 256u

struct query {
	struct request *request;
	struct front_query asked;
	uint32_t log;
	uint32_t staff;
	uint64_t count;
	bool failed;
};

static void
query_fail(struct query *query, enum az_status status, struct az_err *err)
{
	struct request *request = query->request;

	err->status = status;
	free(query);
	request_fail(request, err);
}

static void
answer_fields(
    struct wire_writer *writer, const char *name, const struct client *client, uint64_t fields)
{
	if (fields == 0)
		return;
	answer_array(writer, name);
	for (unsigned int field = 0; field < FIELD_COUNT; field++) {
		const char *called = field_name(field);

		if ((fields & FIELD_BIT(field)) == 0)
			continue;
		if (field >= FIELD_X_FIRST && client != NULL &&
		    field - FIELD_X_FIRST < client->x_count)
			called = client->x_names[field - FIELD_X_FIRST];
		if (called != NULL)
			answer_text(writer, NULL, called);
	}
	answer_end(writer);
}

/* What it was for: only entries of a client's log have that. */
static void
answer_purpose(
    struct wire_writer *writer, const struct custody *custody, const struct ledger_entry *entry)
{
	const struct purpose *purpose = policy_purpose(custody->policy, entry->purpose);
	const char *reason = reason_name((enum reason)entry->reason);
	const char *basis = basis_name((enum basis)entry->basis);

	if (purpose != NULL)
		answer_text(writer, "purpose", purpose->label);
	if (reason != NULL)
		answer_text(writer, "reason", reason);
	if (basis != NULL)
		answer_text(writer, "basis", basis);
	if (entry->consignment != 0) {
		answer_uint(writer, "consignment", entry->consignment);
		answer_uint(writer, "accepted", entry->accepted);
		answer_uint(writer, "refused", entry->refused);
	}
}

static void
answer_call(struct wire_writer *writer, const struct custody *custody, uint32_t log, uint64_t index)
{
	struct buffer text;

	buffer_init(&text, CALL_TEXT_MAX, true);
	if (state_get_text(custody->state, log, index, &text, NULL) == AZ_OK &&
	    bytes_are_utf8(buffer_peek(&text)))
		answer_value(writer, "call", buffer_peek(&text));
	buffer_fini(&text);
}

/* To whom somebody was handed over. */
static void
answer_recipient(
    struct wire_writer *writer, const struct custody *custody, const struct ledger_entry *entry)
{
	const struct staff *recipient = people_staff(custody->people, entry->subject);

	if (recipient != NULL)
		answer_text(writer, "to", recipient->label);
	answer_uint(writer, "minutes", entry->detail);
}

static bool
tell_entry(void *arg, uint64_t index, const struct ledger_read *read)
{
	struct query *query = arg;
	struct custody *custody = query->request->custody;
	const struct ledger_entry *entry = &read->entry;
	const struct client *client = policy_client(custody->policy, query->log);
	const struct device *device = people_device(custody->people, entry->device);
	const struct staff *staff;
	struct wire_writer writer;
	uint32_t staff_id = 0;
	uint32_t record = 0;
	struct az_err err = {0};

	if (ledger_identify(custody->ledger, query->log, read, &staff_id, &record, &err) != AZ_OK) {
		query->failed = true;
		return false;
	}
	staff = people_staff(custody->people, staff_id);
	writer = reply_begin(query->request, FRONT_ITEM);
	answer_object(&writer, NULL);
	answer_text(&writer, "log", client != NULL ? client->label : "house");
	answer_uint(&writer, "index", index);
	answer_time(&writer, "time", entry->time_us);
	answer_text(&writer, "type", ledger_entry_name(entry->type));
	if (staff != NULL)
		answer_text(&writer, "staff", staff->label);
	if (device != NULL)
		answer_text(&writer, "device", device->label);
	if (policy_zone_label(custody->policy, entry->zone) != NULL)
		answer_text(&writer, "zone", policy_zone_label(custody->policy, entry->zone));
	if (entry->session != 0)
		answer_uint(&writer, "session", entry->session);
	if (record != 0) {
		answer_uint(&writer, "record", record);
		answer_uint(&writer, "version", entry->version);
	}
	answer_purpose(&writer, custody, entry);
	answer_fields(&writer, "shown", client, entry->shown);
	answer_fields(&writer, "masked", client, entry->masked);
	if (entry->type == ENTRY_UNMASKED) {
		answer_fields(&writer, "unmasked", client, entry->detail64);
		answer_note(&writer, custody, query->log, index);
	}
	if (entry->type == ENTRY_CLOCK) {
		answer_text(&writer, "clock", entry->detail == 1 ? "forwards" : "back");
		answer_uint(&writer, "milliseconds", entry->detail64 / 1000);
	}
	if (entry->type == ENTRY_HANDED_OVER)
		answer_recipient(&writer, custody, entry);
	if (entry->type == ENTRY_PLUGGED || entry->type == ENTRY_FORWARDED ||
	    entry->type == ENTRY_PUT)
		answer_plugged(&writer, custody, entry, index);
	else
		answer_call(&writer, custody, query->log, index);
	if (alarm_text(entry) != NULL)
		answer_text(&writer, "alarm", alarm_text(entry));
	answer_text(&writer, "outcome", az_status_name((enum az_status)entry->outcome));
	answer_end(&writer);
	reply_item(query->request, &writer);
	query->count++;
	return true;
}

/* The newest entries of a log, one after the other. */
static enum az_status
tell_newest(struct query *query, struct az_err *reterr)
{
	struct custody *custody = query->request->custody;
	struct ledger_read read;
	struct head head;
	uint64_t index;
	enum az_status status = AZ_OK;

	ledger_head(custody->ledger, query->log, &head);
	index = query->asked.before < head.size ? query->asked.before : head.size;
	while (index > 0 && query->count < query->asked.max && status == AZ_OK && !query->failed) {
		status = ledger_entry_at(custody->ledger, query->log, --index, &read, reterr);
		if (status == AZ_OK)
			(void)tell_entry(query, index, &read);
	}
	return status;
}

static void
settled(void *arg)
{
	struct query *query = arg;
	struct request *request = query->request;
	struct custody *custody = request->custody;
	struct wire_writer writer;
	struct az_err err = {0};
	enum az_status status;

	if (query->asked.record != 0)
		status =
		    ledger_query(custody->ledger, query->log, PSEUDONYM_RECORD, query->asked.record,
			query->asked.before, query->asked.max, tell_entry, query, &err);
	else if (query->staff != 0)
		status = ledger_query(custody->ledger, query->log, PSEUDONYM_STAFF, query->staff,
		    query->asked.before, query->asked.max, tell_entry, query, &err);
	else
		status = tell_newest(query, &err);
	if (status == AZ_OK && query->failed)
		status = az_fail(&err, AZ_FORGED, "ledger query: a pseudonym does not open");
	if (status != AZ_OK) {
		query_fail(query, status, &err);
		return;
	}
	writer = reply_begin(request, FRONT_DONE);
	answer_object(&writer, NULL);
	answer_uint(&writer, "count", query->count);
	answer_end(&writer);
	free(query);
	reply_end(request, &writer);
}

static void
asked_is_durable(void *arg, const struct az_ticket *ticket)
{
	struct query *query = arg;
	struct az_err err = {0};
	enum az_status status =
	    ledger_settle(query->request->custody->ledger, settled, query, &err);

	(void)ticket;
	if (status != AZ_OK)
		query_fail(query, status, &err);
}

void
verb_ledger_query(struct request *request, const union front_request *body)
{
	const struct front_query *asked = &body->query;
	struct custody *custody = request->custody;
	struct ledger_entry entry = request_entry(request, ENTRY_QUERIED);
	struct query *query;
	const struct client *client = NULL;
	const struct staff *staff = NULL;
	struct az_err err = {0};
	enum az_status status = AZ_OK;

	if (!change_is_permitted(request))
		return;
	query = calloc(1, sizeof(*query));
	if (query == NULL) {
		(void)az_fail(&err, AZ_NO_MEMORY, "ledger query: out of memory");
		request_fail(request, &err);
		return;
	}
	query->request = request;
	query->asked = *asked;
	if (asked->client[0] != '\0') {
		client = policy_client_labelled(custody->policy, asked->client);
		if (client == NULL)
			status = az_fail(&err, AZ_NOT_FOUND, "client %s: there is no such client",
			    asked->client);
		else
			query->log = client->id;
	}
	if (status == AZ_OK && asked->staff[0] != '\0') {
		staff = people_staff_labelled(custody->people, asked->staff);
		if (staff == NULL)
			status = az_fail(&err, AZ_NOT_FOUND,
			    "staff %s: there is nobody of that label", asked->staff);
		else
			query->staff = staff->id;
	}
	entry.subject = query->log;
	entry.detail = query->staff;
	entry.detail64 = asked->record;
	request->log = query->log;
	if (status == AZ_OK)
		status = ledger_submit(
		    custody->ledger, &entry, bytes_make(NULL, 0), asked_is_durable, query, &err);
	if (status != AZ_OK)
		query_fail(query, status, &err);
}
