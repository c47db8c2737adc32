/*
 * Histories as things, and asking for one:
 *
 *	history import FILE ─► asked (by the hash of the file) ─► approve ─► history import FILE ─► kept
 *
 * What is approved is a file, by its hash: its rows come only afterwards, and are taken only if they are of that file
 * (import.c).
 */
#include "custody/histories.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HISTORY_FORMAT 1u
#define HISTORIES_MAX  65536u

void
histories_free(struct custody *custody)
{
	numbered_free(&custody->histories);
}

const struct history *
history_of(const struct custody *custody, uint32_t id)
{
	return numbered_get(&custody->histories, id);
}

/* --- things ----------------------------------------------------------------------------------- */

enum az_status
payload_put_history(struct payload *payload, const struct history *history)
{
	struct buffer thing;
	struct wire_writer writer;

	buffer_init(&thing, STATE_THING_MAX, false);
	wire_writer_init(&writer, &thing);
	wire_put_u8(&writer, HISTORY_FORMAT);
	wire_put_u32(&writer, history->id);
	wire_put_u32(&writer, history->staff);
	wire_put_u8(&writer, (uint8_t)history->state);
	wire_put_u32(&writer, history->request);
	wire_put_i64(&writer, history->asked_us);
	wire_put_i64(&writer, history->kept_us);
	wire_put_raw(&writer, history->hash, sizeof(history->hash));
	wire_put_u64(&writer, history->rows);
	wire_put_u64(&writer, history->unknown);
	wire_put_i64(&writer, history->from_us);
	wire_put_i64(&writer, history->to_us);
	wire_put_raw(&writer, history->run, sizeof(history->run));
	return payload_put_thing(payload, THING_HISTORY, history->id, writer.status, &thing);
}

static bool
decode(struct bytes thing, struct history *ret_history)
{
	struct history history = {0};
	struct wire_reader reader;
	uint8_t format;

	wire_reader_init(&reader, thing);
	format = wire_get_u8(&reader);
	history.id = wire_get_u32(&reader);
	history.staff = wire_get_u32(&reader);
	history.state = (enum history_state)wire_get_u8(&reader);
	history.request = wire_get_u32(&reader);
	history.asked_us = wire_get_i64(&reader);
	history.kept_us = wire_get_i64(&reader);
	wire_get_raw(&reader, history.hash, sizeof(history.hash));
	history.rows = wire_get_u64(&reader);
	history.unknown = wire_get_u64(&reader);
	history.from_us = wire_get_i64(&reader);
	history.to_us = wire_get_i64(&reader);
	wire_get_raw(&reader, history.run, sizeof(history.run));
	if (format != HISTORY_FORMAT || !wire_end(&reader) || history.id == 0 ||
	    history.id > HISTORIES_MAX || history.staff == 0 || history.state < HISTORY_ASKED ||
	    history.state > HISTORY_KEPT || history.unknown > history.rows)
		return false;
	*ret_history = history;
	return true;
}

enum az_status
history_apply(struct custody *custody, struct bytes thing, struct az_err *reterr)
{
	struct history *history = malloc(sizeof(*history));

	if (history == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "history: out of memory");
	if (!decode(thing, history)) {
		free(history);
		return az_fail(reterr, AZ_CORRUPT, "history: it cannot be read");
	}
	if (numbered_put(&custody->histories, history->id, history) != AZ_OK)
		return az_fail(reterr, AZ_NO_MEMORY, "history: out of memory");
	return AZ_OK;
}

enum az_status
histories_recover(struct custody *custody, struct az_err *reterr)
{
	for (size_t i = 0; i < custody->histories.count; i++) {
		const struct history *history = custody->histories.items[i];
		char name[BLOCKS_NAME_SIZE];

		if (history != NULL && history->state == HISTORY_KEPT)
			continue;
		(void)snprintf(name, sizeof(name), "history-%08zx", i + 1);
		if (unlinkat(custody->trace_dirfd, name, 0) != 0 && errno != ENOENT)
			return az_fail_errno(reterr, AZ_IO, errno, "trace/%s", name);
	}
	return AZ_OK;
}

/* --- asking ----------------------------------------------------------------------------------- */

static const struct history *
history_of_file(const struct custody *custody, const uint8_t hash[SHA256_SIZE])
{
	for (size_t i = custody->histories.count; i > 0; i--) {
		const struct history *history = custody->histories.items[i - 1];

		if (history != NULL &&
		    bytes_equal(
			bytes_make(history->hash, SHA256_SIZE), bytes_make(hash, SHA256_SIZE)))
			return history;
	}
	return NULL;
}

/* Whether somebody may still approve it. */
static bool
is_waiting(const struct custody *custody, const struct history *history)
{
	const struct approval *approval = policy_approval(custody->policy, history->request);

	return history->state == HISTORY_ASKED && approval != NULL &&
	    approval->state == APPROVAL_OPEN &&
	    !approval_has_expired(approval, house_time_us(custody));
}

/* The file was approved: its rows may come. */
static void
reply_approved(struct request *request, const struct history *history)
{
	struct wire_writer writer = reply_begin(request, FRONT_DONE);

	answer_object(&writer, NULL);
	answer_uint(&writer, "history", history->id);
	answer_bool(&writer, "approved", true);
	answer_end(&writer);
	reply_end(request, &writer);
}

/* Whether the file may be asked for; false after a reply. */
static bool
may_ask(struct request *request, const struct history *found)
{
	struct az_err err = {0};
	enum az_status status = AZ_OK;

	if (found == NULL)
		return true;
	if (found->state == HISTORY_KEPT)
		status = az_fail(
		    &err, AZ_CONFLICT, "history %u: this file was imported already", found->id);
	else if (found->state == HISTORY_APPROVED && found->staff != request->staff)
		status = az_fail(&err, AZ_DENIED, "history %u: it is somebody else's", found->id);
	else if (is_waiting(request->custody, found))
		status = az_fail(&err, AZ_CONFLICT,
		    "history %u: it is not approved; request %u waits for an officer", found->id,
		    found->request);
	if (status != AZ_OK)
		request_end_with(request, status, &err);
	else if (found->state == HISTORY_APPROVED)
		reply_approved(request, found);
	/* One that was refused, or waited too long, is asked anew under its number. */
	return status == AZ_OK && found->state == HISTORY_ASKED;
}

static void
ask_history(struct request *request, const struct front_history_add *asked)
{
	const struct custody *custody = request->custody;
	const struct history *found = history_of_file(custody, asked->hash);
	struct history history = {.staff = request->staff,
	    .state = HISTORY_ASKED,
	    .request = ask_number(request),
	    .asked_us = house_now_us(request->custody),
	    .rows = asked->rows,
	    .from_us = asked->from_us,
	    .to_us = asked->to_us};
	struct payload payload;
	struct az_err err = {0};
	enum az_status status;

	if (!may_ask(request, found))
		return;
	history.id = found != NULL ? found->id : (uint32_t)custody->histories.count + 1;
	memcpy(history.hash, asked->hash, sizeof(history.hash));
	if (history.id > HISTORIES_MAX) {
		request_end_with(request,
		    az_fail(&err, AZ_LIMIT, "history: the house has no more numbers"), &err);
		return;
	}
	payload_init(&payload);
	status = payload_put_history(&payload, &history);
	if (status != AZ_OK) {
		payload_fini(&payload);
		request_end_with(
		    request, az_fail(&err, status, "history: it cannot be kept"), &err);
		return;
	}
	ask_submit(request, &payload, "history", history.id, "");
}

void
verb_history_add(struct request *request, const union front_request *body)
{
	const struct front_history_add *asked = &body->history_add;
	const struct history *found;
	struct history history;
	struct ledger_entry entry;
	struct payload payload;
	struct az_err err = {0};
	enum az_status status;

	if (!change_may_be_asked(request))
		return;
	if (request->must_ask) {
		ask_history(request, asked);
		return;
	}
	found = history_of_file(request->custody, asked->hash);
	/* Nobody approves one for themselves, in no kind of house. */
	if (carrying_number(request) == 0 || found == NULL || found->state != HISTORY_ASKED ||
	    found->request != carrying_number(request)) {
		(void)az_fail(
		    &err, AZ_DENIED, "history: it must be asked, and approved by somebody else");
		request_refuse(request, &err);
		return;
	}
	history = *found;
	history.state = HISTORY_APPROVED;
	entry = history_entry(request, &history, HISTORY_IS_APPROVED);
	payload_init(&payload);
	status = payload_put_history(&payload, &history);
	change_submit(request, entry, status, &payload, "history", history.id, "");
}

struct ledger_entry
history_entry(const struct request *request, const struct history *history, uint32_t detail)
{
	struct ledger_entry entry = request_entry(request, ENTRY_HISTORY);

	entry.subject = history->id;
	entry.detail = detail;
	entry.detail64 = history->rows;
	memcpy(entry.document, history->hash, sizeof(entry.document));
	return entry;
}

/* --- listing ---------------------------------------------------------------------------------- */

static void
list_history(struct request *request, const struct history *history)
{
	static const char *const states[] = {
	    [HISTORY_ASKED] = "asked", [HISTORY_APPROVED] = "approved", [HISTORY_KEPT] = "kept"};
	const struct custody *custody = request->custody;
	const struct staff *staff = people_staff(custody->people, history->staff);
	struct wire_writer writer = reply_begin(request, FRONT_ITEM);

	answer_object(&writer, NULL);
	answer_uint(&writer, "history", history->id);
	answer_text(&writer, "state", states[history->state]);
	answer_text(&writer, "staff", staff != NULL ? staff->label : "");
	answer_uint(&writer, "request", history->request);
	answer_uint(&writer, "rows", history->rows);
	answer_time(&writer, "from", history->from_us);
	answer_time(&writer, "to", history->to_us);
	if (history->state == HISTORY_KEPT) {
		answer_uint(&writer, "unknown", history->unknown);
		answer_text(&writer, "grade", "imported");
		answer_time(&writer, "kept", history->kept_us);
	}
	answer_bytes(&writer, "sha256", bytes_make(history->hash, sizeof(history->hash)));
	answer_end(&writer);
	reply_item(request, &writer);
}

void
verb_history_list(struct request *request, const union front_request *body)
{
	const struct custody *custody = request->custody;
	struct wire_writer writer;

	(void)body;
	if (!change_is_permitted(request))
		return;
	for (size_t i = 0; i < custody->histories.count; i++) {
		if (custody->histories.items[i] != NULL)
			list_history(request, custody->histories.items[i]);
	}
	writer = reply_begin(request, FRONT_DONE);
	answer_object(&writer, NULL);
	answer_end(&writer);
	reply_end(request, &writer);
}
