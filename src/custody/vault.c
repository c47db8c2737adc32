/*
 * The port to the vault: questions by the id of their frame, what it was told at start, and the comparison of
 * its count of rows with ours.
 *
 * The vault is another process of ours, and may have been captured: what it answers is decoded strictly, and
 * an answer to nothing that was asked ends the keeper.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "custody/custody_internal.h"

#define CALLS_MAX          65536u
#define RECONCILE_US       (3600 * AZ_US_PER_S)
#define VAULT_ROWS_AN_HOUR UINT64_C(0) /* no ceiling until budgets give one */

uint32_t
vault_call_new(struct custody *custody, bool lookup,
    void (*done)(void *arg, const struct frame *frame), void *arg)
{
	size_t slot = custody->call_hint;
	size_t room = custody->call_room;

	if (custody->calls_open >= CALLS_MAX)
		return 0;
	if (custody->calls_open == room) {
		size_t larger = room == 0 ? 256 : 2 * room;
		struct vault_call *calls =
		    reallocarray(custody->calls, larger, sizeof(struct vault_call));

		if (calls == NULL)
			return 0;
		memset(calls + room, 0, (larger - room) * sizeof(*calls));
		custody->calls = calls;
		custody->call_room = larger;
		slot = room;
	}
	while (custody->calls[slot % custody->call_room].done != NULL)
		slot++;
	slot %= custody->call_room;
	custody->calls[slot] = (struct vault_call){.done = done, .arg = arg, .lookup = lookup};
	custody->calls_open++;
	custody->lookups_open += lookup ? 1 : 0;
	custody->call_hint = slot + 1;
	return (uint32_t)slot + 1;
}

void
vault_call_forget(struct custody *custody, uint32_t id)
{
	custody->lookups_open -= custody->calls[id - 1].lookup ? 1 : 0;
	custody->calls[id - 1] = (struct vault_call){0};
	custody->calls_open--;
}

enum az_status
vault_put(struct custody *custody, enum vault_message type, struct bytes body,
    void (*done)(void *arg, const struct frame *frame), void *arg, struct az_err *reterr)
{
	uint32_t id = vault_call_new(custody, false, done, arg);
	enum az_status status;

	if (id == 0)
		return az_fail(reterr, AZ_BUSY, "vault: too many questions are open");
	status = link_queue(custody->config.vault, (uint16_t)type, id, body);
	if (status != AZ_OK) {
		vault_call_forget(custody, id);
		return az_fail(reterr, status, "vault: too much waits to be sent");
	}
	return AZ_OK;
}

enum az_status
vault_ask(struct custody *custody, enum vault_message type, const uint64_t *consignment,
    void (*done)(void *arg, const struct frame *frame), void *arg, struct az_err *reterr)
{
	uint8_t body[8];

	if (consignment != NULL)
		wire_store_u64(body, *consignment);
	return vault_put(custody, type, bytes_make(body, consignment != NULL ? sizeof(body) : 0),
	    done, arg, reterr);
}

/* What can keep a vault from answering. That somebody is not found, or denied, is not its to say. */
static bool
is_failure(uint8_t status)
{
	return status == AZ_LIMIT || status == AZ_BUSY || status == AZ_IO || status == AZ_CORRUPT ||
	    status == AZ_FORGED || status == AZ_NO_MEMORY;
}

enum az_status
vault_failed(const struct frame *frame, struct az_err *reterr)
{
	struct wire_reader reader;
	char text[AZ_ERR_TEXT_SIZE];
	uint8_t status;

	wire_reader_init(&reader, frame->body);
	status = wire_get_u8(&reader);
	wire_get_text(&reader, text, sizeof(text));
	if (frame->type != VAULT_FAILED || !wire_end(&reader) || !is_failure(status))
		return az_fail(reterr, AZ_FORGED, "vault: an answer that was not asked for");
	return az_fail(reterr, (enum az_status)status, "vault: %s", text);
}

enum az_status
custody_vault_frame(struct custody *custody, const struct frame *frame, struct az_err *reterr)
{
	struct vault_call call;

	if (frame->id == 0 || frame->id > custody->call_room ||
	    custody->calls[frame->id - 1].done == NULL)
		return az_fail(reterr, AZ_FORGED, "vault: an answer to nothing that was asked");
	call = custody->calls[frame->id - 1];
	vault_call_forget(custody, frame->id);
	call.done(call.arg, frame);
	return AZ_OK;
}

/* --- at start --------------------------------------------------------------------------------- */

/* What goes wrong before the house serves anybody ends the start. */
static void
start_failed(struct custody *custody, const struct frame *frame)
{
	struct az_err err = {0};

	(void)vault_failed(frame, &err);
	custody_fatal(custody, &err);
}

static void
dropped(void *arg, const struct frame *frame)
{
	struct custody *custody = arg;

	if (frame->type != VAULT_DONE) {
		start_failed(custody, frame);
		return;
	}
	if (--custody->drops_waiting == 0)
		custody_ready(custody);
}

/* A consignment of the vault's list: unknown to the ledger, so never committed, or destroyed; dropped. */
static void
drop_unknown(struct custody *custody, uint64_t id)
{
	struct az_err err = {0};

	const struct consignment *known = consignment_of(custody, id);

	if (known != NULL && known->destruction == DESTRUCTION_NONE)
		return;
	if (vault_ask(custody, VAULT_DROP, &id, dropped, custody, &err) != AZ_OK)
		custody_fatal(custody, &err);
	custody->drops_waiting++;
}

/* Committed consignments that the vault does not have: said aloud, since their rows are lost or withheld. */
static void
alarm_missing(struct custody *custody, const struct consignment *consignment)
{
	struct ledger_entry entry = {.type = ENTRY_ALARM,
	    .log = LEDGER_HOUSE_LOG,
	    .policy_version = POLICY_VERSION,
	    .grade = GRADE_OWN,
	    .outcome = AZ_FORGED,
	    .subject = consignment->client,
	    .detail64 = consignment->id};
	struct az_err err = {0};

	if (consignment->destruction != DESTRUCTION_NONE)
		return;
	if (ledger_submit(custody->ledger, &entry, bytes_make(NULL, 0), NULL, NULL, &err) != AZ_OK)
		custody_fatal(custody, &err);
}

static void
listed(void *arg, const struct frame *frame)
{
	struct custody *custody = arg;
	struct wire_reader reader;
	size_t known = 0;
	uint64_t last = 0;
	uint32_t count;

	if (frame->type != VAULT_LISTED) {
		start_failed(custody, frame);
		return;
	}
	wire_reader_init(&reader, frame->body);
	count = wire_get_count(&reader, RING_CONSIGNMENTS_MAX, 8);
	custody->drops_waiting = 1; /* this function itself */
	for (uint32_t i = 0; i < count; i++) {
		uint64_t id = wire_get_u64(&reader);

		/* Both lists ascend: whatever of ours is passed over is missing. */
		while (known < custody->consignment_count && custody->consignments[known]->id < id)
			alarm_missing(custody, custody->consignments[known++]);
		if (known < custody->consignment_count && custody->consignments[known]->id == id)
			known++;
		if (id <= last)
			reader.failed = true;
		last = id;
		if (!reader.failed)
			drop_unknown(custody, id);
	}
	if (!wire_end(&reader)) {
		start_failed(custody, frame);
		return;
	}
	while (known < custody->consignment_count)
		alarm_missing(custody, custody->consignments[known++]);
	if (--custody->drops_waiting == 0)
		custody_ready(custody);
}

static void
greeted(void *arg, const struct frame *frame)
{
	struct custody *custody = arg;
	struct az_err err = {0};

	if (frame->type != VAULT_READY || frame->body.size != 0) {
		start_failed(custody, frame);
		return;
	}
	if (vault_ask(custody, VAULT_LIST, NULL, listed, custody, &err) != AZ_OK)
		custody_fatal(custody, &err);
}

void
vault_start(struct custody *custody)
{
	uint8_t body[HOUSE_ID_SIZE + 8];
	uint32_t id = vault_call_new(custody, false, greeted, custody);
	struct az_err err = {0};

	memcpy(body, custody->config.house, HOUSE_ID_SIZE);
	wire_store_u64(body + HOUSE_ID_SIZE, VAULT_ROWS_AN_HOUR);
	if (id == 0 ||
	    link_queue(custody->config.vault, VAULT_HELLO, id, bytes_make(body, sizeof(body))) !=
		AZ_OK) {
		(void)az_fail(&err, AZ_NO_MEMORY, "vault: out of memory");
		custody_fatal(custody, &err);
	}
}

/* --- reconciliation --------------------------------------------------------------------------- */

static void
counted(void *arg, const struct frame *frame)
{
	struct custody *custody = arg;
	struct ledger_entry entry = {.type = ENTRY_RECONCILED,
	    .log = LEDGER_HOUSE_LOG,
	    .policy_version = POLICY_VERSION,
	    .grade = GRADE_OWN,
	    .outcome = AZ_OK};
	struct wire_reader reader;
	uint64_t rows;

	wire_reader_init(&reader, frame->body);
	rows = wire_get_u64(&reader);
	(void)wire_get_u64(&reader);
	if (frame->type != VAULT_COUNTED || !wire_end(&reader)) {
		start_failed(custody, frame);
		return;
	}
	entry.detail64 = rows;
	entry.detail = (uint32_t)custody->rows_served;
	if (rows != custody->rows_served) {
		/* Somebody else asked the vault, or it lost count: told at once, and by a person's look. */
		entry.type = ENTRY_ALARM;
		entry.outcome = AZ_FORGED;
	}
	az_ignore(ledger_submit(custody->ledger, &entry, bytes_make(NULL, 0), NULL, NULL, NULL));
	custody->rows_served = rows;
	custody->reconciling = false;
	custody->reconciled_us = clock_monotonic_us();
	custody->counting = false;
	looks_resume(custody);
	custody_may_stop(custody);
}

void
vault_reconcile_begin(struct custody *custody)
{
	custody->reconciling = true;
}

bool
vault_reconcile_is_due(const struct custody *custody)
{
	return clock_monotonic_us() - custody->reconciled_us >= RECONCILE_US;
}

void
vault_reconcile_round(struct custody *custody)
{
	/* Lookups wait meanwhile, so that no row is on its way between the two counts. */
	if (!custody->reconciling || custody->counting || custody->lookups_open > 0)
		return;
	custody->counting = vault_ask(custody, VAULT_COUNT, NULL, counted, custody, NULL) == AZ_OK;
}
