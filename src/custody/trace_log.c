/*
 * The entries of a trace, and the rows that they allow: what is searched for before it is, what is opened before it is, the
 * verdicts after. Each is durable before what comes next begins (I1).
 */
#include <stdlib.h>
#include <string.h>

#include "crypto/hash.h"
#include "custody/attribution.h"
#include "custody/tracing.h"
#include "proto/finding.h"

/* --- entries ---------------------------------------------------------------------------------- */

/* Where its entry stands; the last one begins the search. */
static void lists_are_durable(struct tracing *tracing);

static void
list_is_durable(void *arg, const struct az_ticket *ticket)
{
	struct tracing *tracing = arg;
	uint32_t list = ticket_entry(ticket)->detail;

	tracing->answers_open--;
	tracing->lists[list - 1].index = ticket_index(ticket);
	if (list == tracing->list_count)
		lists_are_durable(tracing);
}

/* The lists are in the ledger, and the case has less left: now something may be searched for. */
static void
lists_are_durable(struct tracing *tracing)
{
	struct custody *custody = tracing->custody;
	struct payload_text text;
	struct az_err err = {0};

	if (payload_read(
		buffer_peek(&tracing->payload.buffer), thing_apply, custody, &text, &err) != AZ_OK)
		custody_fatal(custody, &err);
	custody->trace_is_committing = false;
	custody->change_is_due = custody->changes != NULL;
	tracing->is_logged = true;
	if (atomic_load(&tracing->cancelled)) {
		(void)az_fail(&err, AZ_GONE, "trace: given up");
		tracing_fail(tracing, AZ_GONE, &err);
		return;
	}
	atomic_store(&tracing->done_of, 0);
	tracing->stage = TRACING_SEARCHES;
	tracing->has_main = pthread_create(&tracing->main, NULL, tracing_run, tracing) == 0;
	if (!tracing->has_main) {
		(void)az_fail(&err, AZ_NO_MEMORY, "trace: no thread can be started");
		tracing_fail(tracing, AZ_NO_MEMORY, &err);
	}
}

static enum az_status
submit_list(struct tracing *tracing, size_t at, struct az_err *reterr)
{
	const struct tracing_list *list = &tracing->lists[at];
	struct ledger_entry entry = request_entry(tracing->request, ENTRY_TRACE_LIST);
	bool last = at + 1 == tracing->list_count;
	struct bytes payload = {0};
	enum az_status status;

	entry.subject = tracing->id;
	entry.detail = (uint32_t)at + 1;
	entry.rows = list->rows;
	memcpy(entry.document, list->sha256, sizeof(entry.document));
	if (last) {
		status = payload_end(&tracing->payload, NULL, entry.text);
		if (status != AZ_OK)
			return az_fail(reterr, status, "trace: the entry is too large");
		payload = buffer_peek(&tracing->payload.buffer);
	}
	status = ledger_submit(
	    tracing->custody->ledger, &entry, payload, list_is_durable, tracing, reterr);
	if (status == AZ_OK)
		tracing->answers_open++;
	return status;
}

/* No change is at work, which might be one of the case. */
void
tracing_commit(struct tracing *tracing)
{
	struct custody *custody = tracing->custody;
	const struct trace_case *found = NULL;
	struct trace_case of;
	struct az_err err = {0};
	enum az_status status = case_admits(
	    custody, tracing->id, tracing->request->staff, tracing_rows(tracing), &found, &err);

	tracing->commit_is_due = false;
	if (status == AZ_OK)
		status = tracing_check(tracing, found, &err);
	if (status == AZ_OK) {
		of = *found;
		of.rows_used += tracing_rows(tracing);
		tracing->used = of.rows_used;
		tracing->allowed = of.rows_max;
		status = payload_put_case(&tracing->payload, &of);
		if (status != AZ_OK)
			(void)az_fail(&err, status, "trace: out of memory");
	}
	for (size_t i = 0; i < tracing->list_count && status == AZ_OK; i++)
		status = submit_list(tracing, i, &err);
	if (status == AZ_OK) {
		custody->trace_is_committing = true;
	} else {
		tracing_fail(tracing, status, &err);
	}
}

static void
opening_is_durable(void *arg, const struct az_ticket *ticket)
{
	struct tracing *tracing = arg;
	struct az_err err = {0};

	tracing->answers_open--;
	for (size_t i = 0; i < tracing->client_count; i++) {
		struct tracing_client *client = &tracing->clients[i];

		if (client->id != ticket_entry(ticket)->log)
			continue;
		client->ticket = ticket_keep(ticket);
		client->opened_index = ticket_index(ticket);
	}
	if (tracing->answers_open > 0)
		return;
	if (tracing_stage_of(tracing) == TRACING_HAS_FAILED) {
		tracing_end_failed(tracing);
		return;
	}
	for (size_t i = 0; i < tracing->client_count; i++) {
		const struct tracing_client *client = &tracing->clients[i];

		if (client->opened.size > 0 && client->ticket == NULL) {
			(void)az_fail(&err, AZ_NO_MEMORY, "trace: out of memory");
			tracing_fail(tracing, AZ_NO_MEMORY, &err);
			return;
		}
	}
	atomic_store(&tracing->done_of, 0);
	tracing_enter(tracing, TRACING_OPENS, NULL);
}

/* Each client's log says how many of its rows are opened for the case, and commits to which. */
void
tracing_log_opening(struct tracing *tracing)
{
	struct az_err err = {0};
	enum az_status status = AZ_OK;

	for (size_t i = 0; i < tracing->client_count && status == AZ_OK; i++) {
		struct tracing_client *client = &tracing->clients[i];
		struct ledger_entry entry = request_entry(tracing->request, ENTRY_TRACE_OPENED);

		if (client->opened.size == 0)
			continue;
		entry.log = client->id;
		entry.subject = tracing->id;
		entry.rows = (uint32_t)client->opened.size;
		tree_root(&client->opened, entry.document);
		status = ledger_submit(tracing->custody->ledger, &entry, bytes_make(NULL, 0),
		    opening_is_durable, tracing, &err);
		if (status == AZ_OK)
			tracing->answers_open++;
	}
	if (status != AZ_OK)
		tracing_fail(tracing, status, &err);
}

static void
verdicts_are_durable(void *arg, const struct az_ticket *ticket)
{
	struct tracing *tracing = arg;

	tracing->answers_open--;
	tracing->index = ticket_index(ticket);
	/* It is told how it ended. */
	tracing->is_logged = false;
	if (tracing_stage_of(tracing) == TRACING_HAS_FAILED)
		tracing_end_failed(tracing);
	else
		tracing_enter(tracing, TRACING_TELLS, NULL);
}

void
tracing_log_verdicts(struct tracing *tracing)
{
	struct ledger_entry entry = request_entry(tracing->request, ENTRY_TRACED);
	struct az_err err = {0};
	enum az_status status;

	entry.subject = tracing->id;
	entry.detail = (uint32_t)tracing->ours;
	entry.detail64 = tracing->not_found;
	entry.rows = (uint32_t)tracing_rows(tracing);
	memcpy(entry.document, tracing->root, sizeof(entry.document));
	status = ledger_submit(tracing->custody->ledger, &entry, bytes_make(NULL, 0),
	    verdicts_are_durable, tracing, &err);
	if (status == AZ_OK)
		tracing->answers_open++;
	else
		tracing_fail(tracing, status, &err);
}

static void
attribution_is_durable(void *arg, const struct az_ticket *ticket)
{
	struct tracing *tracing = arg;

	tracing->answers_open--;
	tracing->attributed_index = ticket_index(ticket);
	if (tracing_stage_of(tracing) == TRACING_HAS_FAILED)
		tracing_end_failed(tracing);
	else
		tracing_answer(tracing);
}

/* SHA-256 of who was found; of what could not be weighed, of an undetermined verdict without suspects. */
static enum az_status
hash_finding(const struct tracing *tracing, uint8_t ret_hash[SHA256_SIZE], struct az_err *reterr)
{
	static const struct finding none = {.verdict = "undetermined", .from = "", .to = ""};
	struct wire_writer writer;
	struct buffer bytes;

	buffer_init(&bytes, FINDING_MAX, false);
	wire_writer_init(&writer, &bytes);
	if (tracing->is_attributed)
		attribution_finding(tracing->attribution, &writer);
	else
		finding_put(&writer, &none);
	if (writer.status == AZ_OK)
		sha256(buffer_peek(&bytes), ret_hash);
	buffer_fini(&bytes);
	return writer.status == AZ_OK
	    ? AZ_OK
	    : az_fail(reterr, writer.status, "trace: what was found cannot be written down");
}

void
tracing_log_attribution(struct tracing *tracing)
{
	struct ledger_entry entry = request_entry(tracing->request, ENTRY_ATTRIBUTED);
	struct az_err err = {0};
	enum az_status status = hash_finding(tracing, entry.document, &err);

	entry.subject = tracing->id;
	entry.outcome = tracing->is_attributed ? AZ_OK : AZ_INTERNAL;
	if (tracing->is_attributed)
		entry.detail = (uint32_t)attribution_result(tracing->attribution)->suspect_count;
	if (status == AZ_OK)
		status = ledger_submit(tracing->custody->ledger, &entry, bytes_make(NULL, 0),
		    attribution_is_durable, tracing, &err);
	if (status == AZ_OK)
		tracing->answers_open++;
	else
		tracing_fail(tracing, status, &err);
}

/* --- the vault -------------------------------------------------------------------------------- */

static void
rows_came(void *arg, const struct frame *frame)
{
	struct tracing_arrival *arrival = arg;
	struct tracing *tracing = arrival->tracing;
	struct az_err err = {0};
	enum az_status status = AZ_OK;

	tracing->answers_open--;
	if (frame->type != VAULT_ROWS)
		status = vault_failed(frame, &err);
	else if (frame->body.size < 12)
		status = az_fail(&err, AZ_FORGED, "vault: a malformed answer");
	else
		tracing->custody->rows_served += wire_load_u32(frame->body.data + 8);
	if (status == AZ_OK && tracing_stage_of(tracing) != TRACING_HAS_FAILED)
		status = buffer_append(&arrival->body, frame->body);
	if (status != AZ_OK || tracing_stage_of(tracing) == TRACING_HAS_FAILED) {
		buffer_fini(&arrival->body);
		free(arrival);
		if (tracing_stage_of(tracing) == TRACING_HAS_FAILED)
			tracing_end_failed(tracing);
		else
			tracing_fail(tracing, status, &err);
		return;
	}
	(void)pthread_mutex_lock(&tracing->lock);
	*tracing->arrivals_end = arrival;
	tracing->arrivals_end = &arrival->next;
	(void)pthread_cond_broadcast(&tracing->changed);
	(void)pthread_mutex_unlock(&tracing->lock);
}

/* Asks for the next rows of the vault. */
static enum az_status
fetch(struct tracing *tracing, struct az_err *reterr)
{
	struct custody *custody = tracing->custody;
	struct tracing_arrival *arrival = calloc(1, sizeof(*arrival));
	uint8_t body[12 + 12 * VAULT_ROWS_MAX];
	size_t left = tracing->target_count - tracing->fetch_next;
	uint32_t id;
	enum az_status status;

	if (arrival == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "trace: out of memory");
	arrival->tracing = tracing;
	arrival->first = tracing->fetch_next;
	arrival->count = left < VAULT_ROWS_MAX ? left : VAULT_ROWS_MAX;
	buffer_init(&arrival->body, VAULT_BODY_MAX, false);
	wire_store_u64(body, ++custody->vault_request);
	wire_store_u32(body + 8, (uint32_t)arrival->count);
	for (size_t i = 0; i < arrival->count; i++) {
		const struct tracing_target *target = &tracing->targets[arrival->first + i];

		wire_store_u64(body + 12 + 12 * i, tracing->sources[target->source].consignment);
		wire_store_u32(body + 20 + 12 * i, target->record);
	}
	id = vault_call_new(custody, true, rows_came, arrival);
	status = id == 0 ? AZ_BUSY
			 : link_queue(custody->config.vault, VAULT_FETCH, id,
			       bytes_make(body, 12 + 12 * arrival->count));
	if (status != AZ_OK) {
		if (id != 0)
			vault_call_forget(custody, id);
		free(arrival);
		return az_fail(reterr, status, "vault: too many questions are open");
	}
	tracing->fetch_next += arrival->count;
	tracing->answers_open++;
	return AZ_OK;
}

/* As many questions as the threads keep up with. */
void
tracing_fetch(struct tracing *tracing)
{
	struct az_err err = {0};
	enum az_status status = AZ_OK;

	while (status == AZ_OK && tracing->fetch_next < tracing->target_count &&
	    !tracing->custody->reconciling) {
		bool full;

		(void)pthread_mutex_lock(&tracing->lock);
		full = tracing->arrivals_waiting >= TRACING_ARRIVED_MAX;
		tracing->arrivals_waiting += full ? 0 : 1;
		(void)pthread_mutex_unlock(&tracing->lock);
		if (full)
			return;
		status = fetch(tracing, &err);
	}
	if (status != AZ_OK)
		tracing_fail(tracing, status, &err);
}
