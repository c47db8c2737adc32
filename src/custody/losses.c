/*
 * A restored house may be older than what others saw of it. Whoever presents a newer head is told so, with exit 4, until
 * two people declare what was lost:
 *
 *	heads that were seen ─► those that ours does not contain ─► asked, approved
 *	    ─► an entry in each log that lost something, one in the house's ─► the keeper starts anew
 *	    ─► generation + 1: other origins, so nobody takes the logs for the old ones
 *
 * A head of an older generation is then admitted only as far as it was declared: a fork of what is there now has its
 * generation, and is found as before. What was seen by the lost entries cannot be counted, so the declaration takes all
 * budgets away; what each role may see from now on is decided anew.
 */
#include "custody/losses.h"

#include <stdlib.h>
#include <string.h>

#include "proto/parent.h"

#define LOSS_FORMAT 1u
#define LOSSES_MAX  1000u

/* --- things ----------------------------------------------------------------------------------- */

static enum az_status
payload_put_loss(struct payload *payload, const struct loss *loss)
{
	struct buffer thing;
	struct wire_writer writer;

	buffer_init(&thing, STATE_THING_MAX, false);
	wire_writer_init(&writer, &thing);
	wire_put_u8(&writer, LOSS_FORMAT);
	wire_put_u32(&writer, loss->generation);
	wire_put_i64(&writer, loss->time_us);
	wire_put_u32(&writer, loss->staff);
	wire_put_u32(&writer, loss->count);
	for (uint32_t i = 0; i < loss->count; i++)
		head_put(&writer, &loss->heads[i]);
	return payload_put_thing(payload, THING_LOSS, loss->generation, writer.status, &thing);
}

static bool
decode(struct bytes thing, struct loss *ret_loss)
{
	struct wire_reader reader;
	uint8_t format;

	wire_reader_init(&reader, thing);
	format = wire_get_u8(&reader);
	ret_loss->generation = wire_get_u32(&reader);
	ret_loss->time_us = wire_get_i64(&reader);
	ret_loss->staff = wire_get_u32(&reader);
	ret_loss->count = front_get_heads(&reader, ret_loss->heads, FRONT_LOSS_MAX);
	return wire_end(&reader) && format == LOSS_FORMAT && ret_loss->generation >= 2;
}

enum az_status
loss_apply(struct custody *custody, struct bytes thing, struct az_err *reterr)
{
	struct loss *losses;

	losses = custody->loss_count < LOSSES_MAX
	    ? reallocarray(custody->losses, custody->loss_count + 1, sizeof(*losses))
	    : NULL;
	if (losses == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "declared loss: out of memory");
	custody->losses = losses;
	memset(&losses[custody->loss_count], 0, sizeof(*losses));
	if (!decode(thing, &losses[custody->loss_count]))
		return az_fail(reterr, AZ_CORRUPT, "declared loss: it cannot be read");
	custody->loss_count++;
	/* While it is served: its other life begins with a keeper that starts anew. */
	custody->restart_is_due |= custody->phase == PHASE_SERVING;
	return AZ_OK;
}

void
losses_free(struct custody *custody)
{
	free(custody->losses);
	custody->losses = NULL;
	custody->loss_count = 0;
}

/* --- presented heads -------------------------------------------------------------------------- */

/* Whether the declaration that ended the head's generation says that so much of its log was lost. */
static bool
is_declared(const struct custody *custody, const struct head *head)
{
	for (size_t i = 0; i < custody->loss_count; i++) {
		const struct loss *loss = &custody->losses[i];

		if (loss->generation != head->generation + 1)
			continue;
		for (uint32_t k = 0; k < loss->count; k++) {
			const struct head *lost = &loss->heads[k];

			if (lost->log == head->log &&
			    (head->size < lost->size ||
				(head->size == lost->size &&
				    bytes_equal(bytes_make(head->root, sizeof(head->root)),
					bytes_make(lost->root, sizeof(lost->root))))))
				return true;
		}
	}
	return false;
}

enum az_status
losses_check_head(struct custody *custody, const struct head *head, struct az_err *reterr)
{
	uint32_t generation = ledger_generation(custody->ledger);
	struct head as_now = *head;
	struct az_err err = {0};
	enum az_status status;

	if (head->generation == generation)
		return ledger_check_head(custody->ledger, head, reterr);
	if (head->generation == 0 || head->generation > generation)
		return az_fail(reterr, AZ_FORGED,
		    "ledger: it was seen in generation %u, it is in %u", head->generation,
		    generation);
	/* The logs go on from where they were: of what was not lost, an older head holds as ever. */
	as_now.generation = generation;
	status = ledger_check_head(custody->ledger, &as_now, &err);
	if (status == AZ_FORGED && is_declared(custody, head))
		return AZ_OK;
	if (status == AZ_FORGED)
		return az_fail(reterr, AZ_FORGED,
		    "ledger: log %u was seen with %llu entries in generation %u: more is lost than "
		    "was "
		    "declared",
		    head->log, (unsigned long long)head->size, head->generation);
	return status == AZ_OK ? AZ_OK : az_fail(reterr, status, "%s", err.text);
}

/* --- declaring -------------------------------------------------------------------------------- */

/* Of the heads that are named, those that ours does not contain. */
static enum az_status
find_lost(struct custody *custody, const struct front_loss *named, struct loss *loss,
    struct az_err *reterr)
{
	for (uint32_t i = 0; i < named->count; i++) {
		const struct head *head = &named->heads[i];
		struct az_err err = {0};
		enum az_status status = losses_check_head(custody, head, &err);

		if (status == AZ_OK)
			continue;
		if (status != AZ_FORGED)
			return az_fail(reterr, status, "%s", err.text);
		if (head->log >= LEDGER_LOGS_MAX ||
		    head->generation != ledger_generation(custody->ledger))
			return az_fail(reterr, AZ_INVALID,
			    "declare a loss: log %u was seen in generation %u, the ledger is in %u",
			    head->log, head->generation, ledger_generation(custody->ledger));
		loss->heads[loss->count++] = *head;
	}
	if (loss->count == 0)
		return az_fail(
		    reterr, AZ_CONFLICT, "declare a loss: nothing is lost of what was seen");
	return AZ_OK;
}

static struct ledger_entry
loss_entry(const struct request *request, const struct loss *loss, uint32_t log)
{
	struct ledger_entry entry = request_entry(request, ENTRY_DECLARED_LOSS);

	entry.log = log;
	entry.subject = log;
	entry.detail = loss->generation;
	for (uint32_t i = 0; i < loss->count; i++) {
		if (loss->heads[i].log != log)
			continue;
		entry.detail64 = loss->heads[i].size;
		memcpy(entry.document, loss->heads[i].root, sizeof(entry.document));
	}
	return entry;
}

/* Nobody may see anybody, until what each role may see is decided anew. */
static enum az_status
take_budgets(const struct custody *custody, struct payload *payload)
{
	enum az_status status = AZ_OK;

	for (enum role role = ROLE_AGENT; role < ROLE_COUNT && status == AZ_OK; role++) {
		struct budget none = {.role = role};

		if (budget_of(custody->budgets, role) != NULL)
			status = payload_put_budget(payload, &none);
	}
	return status;
}

/* The logs of clients say it first: the house's entry begins the next life. */
static enum az_status
tell_logs(struct request *request, const struct loss *loss, struct az_err *reterr)
{
	enum az_status status = AZ_OK;

	for (uint32_t i = 0; i < loss->count && status == AZ_OK; i++) {
		struct ledger_entry entry = loss_entry(request, loss, loss->heads[i].log);

		if (entry.log != LEDGER_HOUSE_LOG)
			status = ledger_submit(request->custody->ledger, &entry,
			    bytes_make(NULL, 0), NULL, NULL, reterr);
	}
	return status;
}

/* Puts it together, checks it, and says it in the logs of clients if it is done and not only asked. */
static enum az_status
prepare_loss(struct request *request, const struct front_loss *named, struct loss *loss,
    struct payload *payload, struct az_err *reterr)
{
	struct custody *custody = request->custody;
	enum az_status status;

	*loss = (struct loss){.generation = ledger_generation(custody->ledger) + 1,
	    .time_us = clock_now_us(),
	    .staff = request->staff};
	for (size_t i = 0; i < custody->loss_count; i++) {
		if (custody->losses[i].generation >= loss->generation)
			return az_fail(
			    reterr, AZ_BUSY, "declare a loss: the house is starting anew");
	}
	status = find_lost(custody, named, loss, reterr);
	if (status == AZ_OK && !request->must_ask)
		status = tell_logs(request, loss, reterr);
	if (status != AZ_OK)
		return status;
	status = payload_put_loss(payload, loss);
	if (status == AZ_OK)
		status = take_budgets(custody, payload);
	return status == AZ_OK ? AZ_OK
			       : az_fail(reterr, status, "declare a loss: it cannot be kept");
}

void
verb_declare_loss(struct request *request, const union front_request *body)
{
	struct loss *loss;
	struct payload payload;
	struct az_err err = {0};
	enum az_status status = AZ_NO_MEMORY;

	if (!change_may_be_asked(request))
		return;
	loss = malloc(sizeof(*loss));
	payload_init(&payload);
	if (loss != NULL)
		status = prepare_loss(request, &body->loss, loss, &payload, &err);
	else
		(void)az_fail(&err, AZ_NO_MEMORY, "declare a loss: out of memory");
	if (status == AZ_OK) {
		change_submit(request, loss_entry(request, loss, LEDGER_HOUSE_LOG), status,
		    &payload, "generation", loss->generation, "");
	} else {
		payload_fini(&payload);
		request_fail_with(request, status, &err);
	}
	free(loss);
}
