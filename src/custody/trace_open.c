/*
 * Opening: the rows of the vault that a leaked row may be, compared with it facet by facet, and the verdicts.
 *
 * The loop asks the vault, in order of record, and hands on what it answers; whoever of the threads comes first takes an
 * answer. An opened row lives as long as it is compared. What the vault does not give is withheld, and ends the trace:
 * "not found" must not be a vault's to say.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "custody/tracing.h"

#define OPEN_ARENA (4u * ROW_SIZE_MAX)
#define TEXT_PIECE ((size_t)64 * 1024)
#define BITS_SLACK 2.0 /* below what a verdict needs, a comparison changes nothing any more */

struct opening {
	struct tracing_worker *worker;
	struct arena *arena;
	double least; /* bits */
};

/* --- numbers ---------------------------------------------------------------------------------- */

/* Keeps the client's number of a record, for the rows that are told. */
static enum az_status
keep_number(struct opening *opening, const struct tracing_target *target, const struct row *row,
    struct az_err *reterr)
{
	struct tracing_worker *worker = opening->worker;
	struct tracing_number *number = &worker->tracing->numbers[target->number];
	struct bytes text = row->values[FIELD_NUMBER];
	uint8_t *place;

	if (worker->text_count == 0 || worker->text_used + text.size > TEXT_PIECE) {
		enum az_status status = tracing_grow(&worker->texts, worker->text_count,
		    &worker->text_room, sizeof(*worker->texts), reterr);

		if (status != AZ_OK)
			return status;
		if (!pages_new(TEXT_PIECE, &worker->texts[worker->text_count]))
			return az_fail(reterr, AZ_NO_MEMORY, "trace: out of memory");
		worker->text_count++;
		worker->text_used = 0;
	}
	place = (uint8_t *)worker->texts[worker->text_count - 1].data + worker->text_used;
	memcpy(place, text.data, text.size);
	worker->text_used += text.size;
	number->text = place;
	number->size = (uint32_t)text.size;
	return AZ_OK;
}

/* --- comparing -------------------------------------------------------------------------------- */

/* A client's own fields have the client's numbers: those of the list are moved to them, by name. */
static void
move_own_fields(
    const struct tracing_list *list, const struct tracing_client *client, struct row *row)
{
	struct row moved = {0};

	if (list->fields >> FIELD_X_FIRST == 0)
		return;
	for (unsigned int field = FIELD_X_FIRST; field < FIELD_COUNT; field++) {
		for (uint8_t x = 0; x < client->x_count && row->values[field].size > 0; x++) {
			if (strcmp(client->x_names[x], list->x_names[field]) == 0)
				moved.values[FIELD_X_FIRST + x] = row->values[field];
		}
	}
	memcpy(&row->values[FIELD_X_FIRST], &moved.values[FIELD_X_FIRST],
	    (FIELD_COUNT - FIELD_X_FIRST) * sizeof(row->values[0]));
}

static enum az_status
compare_pair(struct opening *opening, const struct tracing_target *target,
    const struct tracing_pair *pair, const struct trace_side *ours, struct az_err *reterr)
{
	struct tracing_worker *worker = opening->worker;
	struct tracing *tracing = worker->tracing;
	const struct tracing_source *source = &tracing->sources[target->source];
	const struct tracing_chunk *chunk = tracing->chunks[pair->chunk];
	const uint32_t *offsets = &chunk->offsets[pair->row];
	struct tracing_scored one = {.chunk = pair->chunk, .row = pair->row};
	struct trace_side leaked;
	struct row row;
	enum az_status status = AZ_OK;

	if (row_decode(bytes_make(chunk->encoded + offsets[0], offsets[1] - offsets[0]), &row) !=
	    AZ_OK)
		return az_fail(reterr, AZ_INTERNAL, "trace: a row that was read is none");
	move_own_fields(&tracing->lists[chunk->list], &tracing->clients[source->client], &row);
	trace_side_make(&row, &leaked);
	one.scored.record = target->record;
	one.scored.client = source->client + 1;
	one.scored.version = target->version;
	trace_compare(&leaked, ours, &one.scored.agreement);
	az_wipe(&leaked, sizeof(leaked));
	one.scored.bits = trace_score(trace_weights_shipped(), &one.scored.agreement,
	    tracing->people, chunk->verdicts[pair->row].namesakes);
	if (one.scored.bits < opening->least)
		return AZ_OK;
	status = tracing_grow(&worker->scored, worker->scored_count, &worker->scored_room,
	    sizeof(*worker->scored), reterr);
	if (status == AZ_OK)
		worker->scored[worker->scored_count++] = one;
	return status;
}

static enum az_status
open_target(struct opening *opening, const struct tracing_target *target, struct bytes sealed,
    struct az_err *reterr)
{
	struct tracing_worker *worker = opening->worker;
	const struct tracing *tracing = worker->tracing;
	const struct tracing_source *source = &tracing->sources[target->source];
	const struct tracing_client *client = &tracing->clients[source->client];
	struct row_named named = {.client = client->id,
	    .consignment = source->consignment,
	    .record = target->record,
	    .version = target->version,
	    .told = target->version,
	    .as_of = source->as_of};
	struct trace_side ours;
	struct row row;
	enum az_status status;

	memcpy(named.digest, target->digest, sizeof(named.digest));
	arena_reset(opening->arena);
	status = row_open_traced(tracing->custody->config.house, client->ticket, &named, sealed,
	    source->rows[worker->index], &client->keys, opening->arena, &row, reterr);
	if (status == AZ_OK && target->tells_number)
		status = keep_number(opening, target, &row, reterr);
	if (status != AZ_OK || target->pair_count == 0)
		return status;
	trace_side_make(&row, &ours);
	for (uint32_t i = 0; i < target->pair_count && status == AZ_OK; i++)
		status = compare_pair(
		    opening, target, &tracing->pairs[target->first_pair + i], &ours, reterr);
	az_wipe(&ours, sizeof(ours));
	return status;
}

/* --- what the vault answered ------------------------------------------------------------------ */

/* Rows come in the order they were asked for, and those that are missing are left out. */
static enum az_status
take_arrival(struct opening *opening, const struct tracing_arrival *arrival, struct az_err *reterr)
{
	const struct tracing *tracing = opening->worker->tracing;
	struct wire_reader reader;
	uint32_t count;
	size_t next = 0;
	enum az_status status = AZ_OK;

	wire_reader_init(&reader, buffer_peek(&arrival->body));
	(void)wire_get_u64(&reader);
	count = wire_get_count(&reader, VAULT_ROWS_MAX, 16);
	for (uint32_t i = 0; i < count && status == AZ_OK && !reader.failed; i++, next++) {
		const struct tracing_target *target = &tracing->targets[arrival->first + next];
		uint64_t consignment = wire_get_u64(&reader);
		uint32_t record = wire_get_u32(&reader);
		struct bytes sealed = wire_get_bytes(&reader, VAULT_SEALED_MAX);

		if (reader.failed || next >= arrival->count || target->record != record ||
		    tracing->sources[target->source].consignment != consignment)
			break;
		status = open_target(opening, target, sealed, reterr);
	}
	if (status == AZ_OK && next < arrival->count)
		status = az_fail(reterr, AZ_FORGED, "record %u: the vault withholds a row of it",
		    tracing->targets[arrival->first + next].record);
	if (status == AZ_OK && !wire_end(&reader))
		status = az_fail(reterr, AZ_FORGED, "vault: a malformed answer");
	return status;
}

/* The next answer; NULL when all have been taken, or it is over. */
static struct tracing_arrival *
next_arrival(struct tracing *tracing)
{
	struct tracing_arrival *arrival;

	(void)pthread_mutex_lock(&tracing->lock);
	while (tracing->arrivals == NULL && tracing->targets_done < tracing->target_count &&
	    !tracing_is_over(tracing))
		(void)pthread_cond_wait(&tracing->changed, &tracing->lock);
	arrival = tracing_is_over(tracing) ? NULL : tracing->arrivals;
	if (arrival != NULL) {
		tracing->arrivals = arrival->next;
		if (tracing->arrivals == NULL)
			tracing->arrivals_end = &tracing->arrivals;
		tracing->arrivals_waiting--;
		tracing->targets_done += arrival->count;
		if (tracing->targets_done == tracing->target_count)
			(void)pthread_cond_broadcast(&tracing->changed);
	}
	(void)pthread_mutex_unlock(&tracing->lock);
	return arrival;
}

static enum az_status
open_rows(struct tracing_worker *worker, struct az_err *reterr)
{
	struct tracing *tracing = worker->tracing;
	struct opening opening = {
	    .worker = worker, .least = log2((double)tracing->people + 1.0) - BITS_SLACK};
	struct tracing_arrival *arrival;
	enum az_status status = arena_new(OPEN_ARENA, &opening.arena, reterr);

	while (status == AZ_OK && (arrival = next_arrival(tracing)) != NULL) {
		status = take_arrival(&opening, arrival, reterr);
		atomic_fetch_add(&tracing->done_of, arrival->count);
		buffer_fini(&arrival->body);
		free(arrival);
		/* It may ask the vault for more. */
		loop_wake(tracing->custody->config.loop);
	}
	arena_free(&opening.arena);
	if (status == AZ_OK && tracing_is_over(tracing))
		status = az_fail(reterr, AZ_GONE, "trace: given up");
	return status;
}

/* --- judging ---------------------------------------------------------------------------------- */

static int
compare_scored(const void *a, const void *b)
{
	const struct tracing_scored *one = a;
	const struct tracing_scored *other = b;

	if (one->chunk != other->chunk)
		return one->chunk < other->chunk ? -1 : 1;
	return one->row < other->row ? -1 : one->row > other->row;
}

/* One row's comparisons, end to end. */
static enum az_status
judge_row(struct tracing *tracing, const struct tracing_scored *all, size_t count,
    struct trace_scored *room, struct az_err *reterr)
{
	struct trace_row_verdict verdict;

	for (size_t i = 0; i < count; i++)
		room[i] = all[i].scored;
	trace_judge_scored(room, count, tracing->people, &verdict);
	return tracing_keep(tracing->chunks[all->chunk], all->row, &verdict, reterr);
}

static enum az_status
judge(struct tracing *tracing, struct az_err *reterr)
{
	struct tracing_scored *all;
	struct trace_scored *room;
	size_t count = 0;
	enum az_status status = AZ_OK;

	for (unsigned int i = 0; i < tracing->worker_count; i++)
		count += tracing->workers[i].scored_count;
	all = reallocarray(NULL, count + 1, sizeof(*all));
	room = reallocarray(NULL, TRACING_OPENED_MAX * TRACE_VERSIONS_MAX, sizeof(*room));
	if (all == NULL || room == NULL)
		status = az_fail(reterr, AZ_NO_MEMORY, "trace: out of memory");
	count = 0;
	for (unsigned int i = 0; i < tracing->worker_count && status == AZ_OK; i++) {
		struct tracing_worker *worker = &tracing->workers[i];

		if (worker->scored_count > 0)
			memcpy(all + count, worker->scored,
			    worker->scored_count * sizeof(*worker->scored));
		count += worker->scored_count;
		free(worker->scored);
		worker->scored = NULL;
		worker->scored_count = 0;
		worker->scored_room = 0;
	}
	if (status == AZ_OK)
		qsort(all, count, sizeof(*all), compare_scored);
	for (size_t from = 0, to; from < count && status == AZ_OK; from = to) {
		for (to = from + 1; to < count && compare_scored(&all[from], &all[to]) == 0;)
			to++;
		status = judge_row(tracing, all + from, to - from, room, reterr);
	}
	free(all);
	free(room);
	return status;
}

enum az_status
tracing_open(struct tracing *tracing, struct az_err *reterr)
{
	enum az_status status = AZ_OK;

	if (tracing->target_count > 0)
		status = tracing_together(tracing, open_rows, reterr);
	return status == AZ_OK ? judge(tracing, reterr) : status;
}
