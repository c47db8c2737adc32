/*
 * Attempts: one call or try with its outcome, the time to call back and a note. Not a version of anything: an entry
 * of the client's log, whose note lies in the erasable side store. Listing them shows notes, so that is an
 * entry first, like a disclosure.
 */
#include <stdlib.h>
#include <string.h>

#include "custody/campaigns.h"
#include "custody/person.h"
#include "match/found.h"

#define CALLBACK_MAX_US (400 * AZ_US_PER_DAY)
#define ENTRIES_READ    500u /* of one record: they are read on the loop */

/* --- one attempt ------------------------------------------------------------------------------ */

static void
attempt_is_durable(void *arg, const struct az_ticket *ticket)
{
	struct request *request = arg;
	struct custody *custody = request->custody;
	const struct ledger_entry *entry = ticket_entry(ticket);
	const char *outcome = attempt_name((enum attempt)entry->detail);
	struct wire_writer writer = reply_begin(request, FRONT_DONE);

	answer_object(&writer, NULL);
	answer_uint(&writer, "record", entry->record);
	answer_text(&writer, "outcome", outcome != NULL ? outcome : "");
	if (entry->detail64 != 0)
		answer_time(&writer, "callback", (int64_t)entry->detail64);
	answer_ledger(&writer, custody, ticket);
	answer_end(&writer);
	reply_end(request, &writer);
}

static bool
note_is_valid(struct bytes note)
{
	for (size_t i = 0; i < note.size; i++) {
		uint8_t byte = note.data[i];

		if ((byte < 0x20 && byte != '\n' && byte != '\t') || byte == 0x7f)
			return false;
	}
	return bytes_are_utf8(note);
}

static enum az_status
check(const struct front_attempt *asked, const struct person *person, struct az_err *reterr)
{
	int64_t now = clock_now_us();

	if (attempt_name((enum attempt)asked->outcome) == NULL)
		return az_fail(reterr, AZ_INVALID, "attempt: an outcome is needed");
	if (asked->outcome == ATTEMPT_CALLBACK && asked->callback_us == 0)
		return az_fail(reterr, AZ_INVALID, "attempt: when to call back is needed");
	if (asked->callback_us != 0 &&
	    (asked->callback_us <= now || asked->callback_us > now + CALLBACK_MAX_US))
		return az_fail(
		    reterr, AZ_INVALID, "attempt: the time to call back is past, or too far away");
	if (!note_is_valid(asked->note))
		return az_fail(reterr, AZ_INVALID, "attempt: the note has control characters");
	if ((found_in(asked->note, FIELD_NOTE) & ~person->purpose->allows) != 0)
		return az_fail(reterr, AZ_INVALID,
		    "attempt: the note has a number in it that the purpose does not allow");
	return AZ_OK;
}

void
verb_attempt(struct request *request, const union front_request *body)
{
	const struct front_attempt *asked = &body->attempt;
	struct custody *custody = request->custody;
	const struct campaign *campaign = NULL;
	struct person person;
	struct ledger_entry entry;
	struct payload payload;
	struct az_err err = {0};
	enum az_status status;

	if (!change_is_permitted(request) || !person_find(request, &asked->person, &person))
		return;
	status = campaign_admits(
	    custody, person.purpose, asked->campaign, request->staff, &campaign, &err);
	if (status == AZ_DENIED) {
		request_refuse(request, &err);
		return;
	}
	if (status == AZ_OK)
		status = check(asked, &person, &err);
	entry = person_entry(request, &asked->person, &person, ENTRY_ATTEMPT);
	entry.campaign = campaign != NULL ? campaign->id : 0;
	entry.detail = asked->outcome;
	entry.detail64 = (uint64_t)asked->callback_us;
	payload_init(&payload);
	if (status == AZ_OK)
		status = payload_end_texts(
		    &payload, bytes_of(asked->call), asked->note, entry.call, entry.text);
	if (status == AZ_OK)
		status = ledger_submit(custody->ledger, &entry, buffer_peek(&payload.buffer),
		    attempt_is_durable, request, &err);
	payload_fini(&payload);
	if (status != AZ_OK) {
		request_fail_with(request, status, &err);
	}
}

/* --- listing ---------------------------------------------------------------------------------- */

struct listing {
	struct request *request;
	uint32_t log, purpose, record;
	uint32_t max, count;
	bool failed;
};

void
answer_note(struct wire_writer *writer, const struct custody *custody, uint32_t log, uint64_t index)
{
	struct buffer note;

	buffer_init(&note, STATE_TEXT_MAX, true);
	if (state_get_text(custody->state, log | NOTE_LOG, index, &note, NULL) == AZ_OK)
		answer_value(writer, "note", buffer_peek(&note));
	buffer_fini(&note);
}

static bool
tell_attempt(void *arg, uint64_t index, const struct ledger_read *read)
{
	struct listing *listing = arg;
	struct custody *custody = listing->request->custody;
	const struct ledger_entry *entry = &read->entry;
	const struct campaign *campaign = campaign_of(custody, entry->campaign);
	const char *outcome = attempt_name((enum attempt)entry->detail);
	const struct staff *staff;
	struct wire_writer writer;
	uint32_t staff_id = 0;
	uint32_t record = 0;

	if (entry->type != ENTRY_ATTEMPT || entry->purpose != listing->purpose)
		return true;
	if (ledger_identify(custody->ledger, listing->log, read, &staff_id, &record, NULL) !=
		AZ_OK ||
	    record != listing->record) {
		listing->failed = true;
		return false;
	}
	staff = people_staff(custody->people, staff_id);
	writer = reply_begin(listing->request, FRONT_ITEM);
	answer_object(&writer, NULL);
	answer_uint(&writer, "index", index);
	answer_time(&writer, "time", entry->time_us);
	answer_text(&writer, "staff", staff != NULL ? staff->label : "");
	answer_text(&writer, "outcome", outcome != NULL ? outcome : "");
	if (entry->detail64 != 0)
		answer_time(&writer, "callback", (int64_t)entry->detail64);
	if (campaign != NULL)
		answer_text(&writer, "campaign", campaign->label);
	answer_note(&writer, custody, listing->log, index);
	answer_end(&writer);
	reply_item(listing->request, &writer);
	return ++listing->count < listing->max;
}

static void
listing_fail(struct listing *listing, enum az_status status, struct az_err *err)
{
	struct request *request = listing->request;

	err->status = status;
	free(listing);
	request_fail(request, err);
}

static void
settled(void *arg)
{
	struct listing *listing = arg;
	struct request *request = listing->request;
	struct wire_writer writer;
	struct az_err err = {0};
	enum az_status status =
	    ledger_query(request->custody->ledger, listing->log, PSEUDONYM_RECORD, listing->record,
		UINT64_MAX, ENTRIES_READ, tell_attempt, listing, &err);

	if (status == AZ_OK && listing->failed)
		status = az_fail(&err, AZ_FORGED, "attempt list: a pseudonym does not open");
	if (status != AZ_OK) {
		listing_fail(listing, status, &err);
		return;
	}
	writer = reply_begin(request, FRONT_DONE);
	answer_object(&writer, NULL);
	answer_uint(&writer, "record", listing->record);
	answer_uint(&writer, "count", listing->count);
	answer_end(&writer);
	free(listing);
	reply_end(request, &writer);
}

static void
listing_is_durable(void *arg, const struct az_ticket *ticket)
{
	struct listing *listing = arg;
	struct az_err err = {0};
	enum az_status status =
	    ledger_settle(listing->request->custody->ledger, settled, listing, &err);

	(void)ticket;
	if (status != AZ_OK)
		listing_fail(listing, status, &err);
}

void
verb_attempt_list(struct request *request, const union front_request *body)
{
	const struct front_attempt_list *asked = &body->attempt_list;
	struct listing *listing;
	struct person person;
	struct ledger_entry entry;
	struct az_err err = {0};
	enum az_status status;

	if (!change_is_permitted(request) || !person_find(request, &asked->person, &person))
		return;
	listing = calloc(1, sizeof(*listing));
	if (listing == NULL) {
		(void)az_fail(&err, AZ_NO_MEMORY, "attempt list: out of memory");
		request_fail(request, &err);
		return;
	}
	*listing = (struct listing){.request = request,
	    .log = person.client->id,
	    .purpose = person.purpose->id,
	    .record = person.record,
	    .max = asked->max};
	entry = person_entry(request, &asked->person, &person, ENTRY_ATTEMPTS_LISTED);
	status = budgets_allow(request->custody, &entry, false, 0, &err);
	if (status != AZ_OK) {
		free(listing);
		err.status = status;
		request_refuse(request, &err);
		return;
	}
	status = ledger_submit(request->custody->ledger, &entry, bytes_make(NULL, 0),
	    listing_is_durable, listing, &err);
	if (status == AZ_OK)
		budgets_counted(request->custody, &entry, false);
	else
		listing_fail(listing, status, &err);
}
