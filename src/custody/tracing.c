/*
 * The threads of a trace: starting them, ending them, whose turn it is.
 */
#include "custody/tracing.h"
#include "custody/attribution.h"

#include <stdlib.h>
#include <string.h>

#include "base/proc.h"

bool
tracing_is_over(const struct tracing *tracing)
{
	return atomic_load(&tracing->cancelled) || atomic_load(&tracing->stopped);
}

static bool
is_over(const void *arg)
{
	return tracing_is_over(arg);
}

struct reading_end
tracing_end(const struct tracing *tracing)
{
	return (struct reading_end){.is_over = is_over, .arg = tracing};
}

void
tracing_wake(struct tracing *tracing)
{
	(void)pthread_mutex_lock(&tracing->lock);
	(void)pthread_cond_broadcast(&tracing->changed);
	(void)pthread_mutex_unlock(&tracing->lock);
}

void
tracing_enter(struct tracing *tracing, enum tracing_stage stage, const struct az_err *err)
{
	(void)pthread_mutex_lock(&tracing->lock);
	tracing->stage = stage;
	if (err != NULL)
		tracing->err = *err;
	(void)pthread_cond_broadcast(&tracing->changed);
	(void)pthread_mutex_unlock(&tracing->lock);
	loop_wake(tracing->custody->config.loop);
}

enum az_status
tracing_grow(void *array, size_t count, size_t *room, size_t size, struct az_err *reterr)
{
	size_t larger = *room == 0 ? 64 : 2 * *room;
	void *data;
	void *grown;

	if (count < *room)
		return AZ_OK;
	/* The pointer is copied by its bytes: what it points to has another type for each caller. */
	memcpy(&data, array, sizeof(data));
	grown = reallocarray(data, larger, size);
	if (grown == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "trace: out of memory");
	memcpy(array, &grown, sizeof(grown));
	*room = larger;
	return AZ_OK;
}

/* --- together --------------------------------------------------------------------------------- */

struct shift {
	struct tracing_worker *worker;
	enum az_status (*work)(struct tracing_worker *worker, struct az_err *reterr);
};

static void *
shift_run(void *arg)
{
	struct shift *shift = arg;
	struct tracing_worker *worker = shift->worker;
	struct tracing *tracing = worker->tracing;

	proc_give_way();
	worker->status = shift->work(worker, &worker->err);
	if (worker->status != AZ_OK && atomic_exchange(&tracing->stopped, true))
		worker->status = AZ_GONE;
	if (worker->status != AZ_OK)
		tracing_wake(tracing);
	return NULL;
}

enum az_status
tracing_together(struct tracing *tracing,
    enum az_status (*work)(struct tracing_worker *worker, struct az_err *reterr),
    struct az_err *reterr)
{
	struct shift shifts[TRACING_THREADS_MAX];
	unsigned int started = 1;
	enum az_status status = AZ_OK;

	atomic_store(&tracing->taken, 0);
	for (unsigned int i = 0; i < tracing->worker_count; i++) {
		tracing->workers[i].tracing = tracing;
		tracing->workers[i].index = i;
		tracing->workers[i].status = AZ_OK;
		shifts[i] = (struct shift){.worker = &tracing->workers[i], .work = work};
	}
	while (started < tracing->worker_count &&
	    pthread_create(&tracing->workers[started].thread, NULL, shift_run, &shifts[started]) ==
		0)
		started++;
	(void)shift_run(&shifts[0]);
	for (unsigned int i = 1; i < started; i++)
		(void)pthread_join(tracing->workers[i].thread, NULL);
	for (unsigned int i = 0; i < started; i++) {
		const struct tracing_worker *worker = &tracing->workers[i];

		/* What one was told by another's end counts only if nobody says more. */
		if (worker->status != AZ_OK && (status == AZ_OK || status == AZ_GONE)) {
			status = worker->status;
			*reterr = worker->err;
			reterr->status = status;
		}
	}
	return status;
}

static int
compare_source(const void *key, const void *item)
{
	const uint64_t *consignment = key;
	const struct tracing_source *source = item;

	return *consignment < source->consignment ? -1 : *consignment > source->consignment;
}

const struct tracing_source *
tracing_source_of(const struct tracing *tracing, uint64_t consignment)
{
	return tracing->source_count == 0
	    ? NULL
	    : bsearch(&consignment, tracing->sources, tracing->source_count,
		  sizeof(*tracing->sources), compare_source);
}

/* --- verdicts --------------------------------------------------------------------------------- */

static enum az_status
keep_link(struct tracing_chunk *chunk, const struct trace_link *link, struct az_err *reterr)
{
	enum az_status status = tracing_grow(
	    &chunk->links, chunk->link_count, &chunk->link_room, sizeof(*chunk->links), reterr);
	struct tracing_link *kept;

	if (status != AZ_OK)
		return status;
	kept = &chunk->links[chunk->link_count++];
	*kept = (struct tracing_link){.record = link->record,
	    .client = link->client,
	    .bits = (float)link->bits,
	    .weight = (float)link->weight,
	    .first_version = (uint32_t)chunk->version_count,
	    .kinds = link->kinds,
	    .version_count = link->version_count,
	    .conflicts = link->conflicts,
	    .notation = link->notation};
	for (uint8_t i = 0; i < link->version_count && status == AZ_OK; i++) {
		status = tracing_grow(&chunk->versions, chunk->version_count, &chunk->version_room,
		    sizeof(*chunk->versions), reterr);
		if (status == AZ_OK)
			chunk->versions[chunk->version_count++] = link->versions[i];
	}
	return status;
}

enum az_status
tracing_keep(struct tracing_chunk *chunk, size_t row, const struct trace_row_verdict *verdict,
    struct az_err *reterr)
{
	struct tracing_verdict *kept = &chunk->verdicts[row];
	enum az_status status = AZ_OK;

	kept->verdict = (uint8_t)verdict->verdict;
	kept->first_link = (uint32_t)chunk->link_count;
	kept->count = (uint8_t)verdict->count;
	for (size_t i = 0; i < verdict->count && status == AZ_OK; i++)
		status = keep_link(chunk, &verdict->links[i], reterr);
	return status;
}

/* --- freeing ---------------------------------------------------------------------------------- */

static void
forget_worker(struct tracing_worker *worker)
{
	free(worker->pairs);
	free(worker->shown);
	free(worker->scored);
	for (size_t i = 0; i < worker->text_count; i++)
		pages_free(&worker->texts[i]);
	free(worker->texts);
	*worker = (struct tracing_worker){0};
}

/* Everything but what was read. */
static void
forget(struct tracing *tracing)
{
	for (unsigned int i = 0; i < TRACING_THREADS_MAX; i++)
		forget_worker(&tracing->workers[i]);
	for (size_t i = 0; i < tracing->client_count; i++)
		ticket_free(&tracing->clients[i].ticket);
	free(tracing->clients);
	for (size_t i = 0; i < tracing->source_count; i++) {
		for (unsigned int w = 0; w < TRACING_THREADS_MAX; w++)
			seal_key_free(&tracing->sources[i].rows[w]);
		secret_free(&tracing->sources[i].prints);
		trace_index_free(&tracing->sources[i].index);
	}
	free(tracing->sources);
	tracing->clients = NULL;
	tracing->sources = NULL;
	tracing->client_count = 0;
	tracing->source_count = 0;
	while (tracing->arrivals != NULL) {
		struct tracing_arrival *arrival = tracing->arrivals;

		tracing->arrivals = arrival->next;
		buffer_fini(&arrival->body);
		free(arrival);
	}
	tracing->arrivals_end = &tracing->arrivals;
	trace_shelf_free(&tracing->shelf);
	pages_free(&tracing->wanted_prints);
	free(tracing->filter);
	free(tracing->targets);
	free(tracing->pairs);
	free(tracing->numbers);
	tracing->filter = NULL;
	tracing->targets = NULL;
	tracing->pairs = NULL;
	tracing->numbers = NULL;
}

void
tracing_free(struct tracing **tracing)
{
	struct tracing *freed = *tracing;

	if (freed == NULL)
		return;
	*tracing = NULL;
	attribution_free(&freed->attribution);
	forget(freed);
	for (size_t i = 0; i < freed->chunk_count; i++) {
		struct tracing_chunk *chunk = freed->chunks[i];

		if (chunk == NULL)
			continue;
		pages_free(&chunk->pages);
		free(chunk->verdicts);
		free(chunk->links);
		free(chunk->versions);
		free(chunk);
	}
	free(freed->chunks);
	free(freed->phones);
	free(freed->names);
	fd_close(&freed->list_fd);
	fd_close(&freed->pipe_fd);
	fd_close(&freed->intake_fd);
	fd_close(&freed->rows_fd);
	(void)pthread_mutex_destroy(&freed->reading);
	(void)pthread_mutex_destroy(&freed->lock);
	(void)pthread_cond_destroy(&freed->changed);
	az_wipe(freed, sizeof(*freed));
	free(freed);
}
