/*
 * The loop's side of the ledger: submitting, tickets, heads, starting and stopping. The theory of the two
 * threads behind it stands in threads.c.
 */
#include "ledger/ledger.h"

#include <stdlib.h>
#include <string.h>

#include "ledger/ledger_internal.h"

struct az_ticket {
	const struct pending *pending;
};

const struct ledger_entry *
ticket_entry(const struct az_ticket *ticket)
{
	return &ticket->pending->entry;
}

uint64_t
ticket_index(const struct az_ticket *ticket)
{
	return ticket->pending->index;
}

struct az_ticket *
ticket_keep(const struct az_ticket *ticket)
{
	struct az_ticket *kept = malloc(sizeof(*kept));
	struct pending *pending = calloc(1, sizeof(*pending));

	if (kept == NULL || pending == NULL) {
		free(kept);
		free(pending);
		return NULL;
	}
	pending->entry = ticket->pending->entry;
	pending->index = ticket->pending->index;
	kept->pending = pending;
	return kept;
}

void
ticket_free(struct az_ticket **kept)
{
	if (*kept == NULL)
		return;
	free((void *)(uintptr_t)(*kept)->pending);
	free(*kept);
	*kept = NULL;
}

enum az_status
ledger_submit(struct ledger *ledger, const struct ledger_entry *entry, struct bytes payload,
    void (*done)(void *arg, const struct az_ticket *ticket), void *arg, struct az_err *reterr)
{
	enum az_status status = AZ_OK;
	struct pending *pending;

	if (ledger_entry_name(entry->type) == NULL || entry->log >= LEDGER_LOGS_MAX ||
	    payload.size > LEDGER_PAYLOAD_MAX)
		return az_fail(reterr, AZ_INVALID, "ledger: no log may hold such an entry");
	pending = malloc(sizeof(*pending) + payload.size);
	if (pending == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "ledger: out of memory");
	*pending = (struct pending){
	    .entry = *entry, .done = done, .arg = arg, .users = 2, .payload_size = payload.size};
	if (payload.size > 0)
		memcpy(pending->payload, payload.data, payload.size);

	(void)pthread_mutex_lock(&ledger->lock);
	if (ledger->queue_size >= LEDGER_QUEUE_MAX) {
		status = AZ_BUSY;
	} else if (ledger->space_is_low && ledger->prepared_segment <= ledger->current_segment) {
		status = AZ_LIMIT;
	} else {
		*ledger->queue_end = pending;
		ledger->queue_end = &pending->next;
		ledger->queue_size++;
		ledger->submitted++;
	}
	(void)pthread_mutex_unlock(&ledger->lock);
	if (status != AZ_OK) {
		az_wipe(pending->payload, pending->payload_size);
		free(pending);
		return az_fail(reterr, status,
		    status == AZ_BUSY ? "ledger: too many entries wait"
				      : "ledger: the disk is full");
	}
	ledger->kicked = true;
	return AZ_OK;
}

void
ledger_kick(struct ledger *ledger)
{
	if (!ledger->kicked)
		return;
	ledger->kicked = false;
	(void)pthread_mutex_lock(&ledger->lock);
	(void)pthread_cond_signal(&ledger->queued);
	(void)pthread_mutex_unlock(&ledger->lock);
}

void
ledger_poll(struct ledger *ledger)
{
	struct pending *list;
	struct settle *settled;

	(void)pthread_mutex_lock(&ledger->lock);
	list = ledger->done;
	ledger->done = NULL;
	ledger->done_end = &ledger->done;
	settled = ledger->settled;
	ledger->settled = NULL;
	(void)pthread_mutex_unlock(&ledger->lock);

	/* All heads first: a callback's reply carries the head of the batch that holds its entry. */
	for (const struct pending *pending = list; pending != NULL; pending = pending->next) {
		uint32_t log = pending->entry.log;

		if (pending->has_head)
			ledger->heads[log] = pending->head;
		if (log >= ledger->log_count)
			ledger->log_count = log + 1;
	}
	while (list != NULL) {
		struct pending *pending = list;
		struct az_ticket ticket = {.pending = pending};

		list = pending->next;
		if (pending->done != NULL)
			pending->done(pending->arg, &ticket);
		pending_release(ledger, pending);
	}
	while (settled != NULL) {
		struct settle *settle = settled;

		settled = settle->next;
		settle->done(settle->arg);
		free(settle);
	}
}

bool
ledger_space_is_low(struct ledger *ledger)
{
	bool low;

	(void)pthread_mutex_lock(&ledger->lock);
	low = ledger->space_is_low;
	(void)pthread_mutex_unlock(&ledger->lock);
	return low;
}

void
ledger_head(const struct ledger *ledger, uint32_t log, struct head *ret_head)
{
	*ret_head = (struct head){.log = log, .generation = ledger->generation};
	if (log < LEDGER_LOGS_MAX && ledger->heads[log].size > 0)
		*ret_head = ledger->heads[log];
	else
		tree_root(&(struct tree){0}, ret_head->root);
}

uint32_t
ledger_log_count(const struct ledger *ledger)
{
	return ledger->log_count;
}

enum az_status
ledger_check_head(struct ledger *ledger, const struct head *head, struct az_err *reterr)
{
	struct head ours;
	uint8_t root[TREE_HASH_SIZE];
	enum az_status status = AZ_OK;

	ledger_head(ledger, head->log, &ours);
	if (head->log >= LEDGER_LOGS_MAX || head->generation != ours.generation ||
	    head->size > ours.size)
		return az_fail(reterr, AZ_FORGED,
		    "ledger: log %u was seen with %llu entries, it has %llu", head->log,
		    (unsigned long long)head->size, (unsigned long long)ours.size);
	if (head->size == ours.size) {
		memcpy(root, ours.root, sizeof(root));
	} else if (head->size == 0) {
		tree_root(&(struct tree){0}, root);
	} else {
		const struct log *log;

		(void)pthread_mutex_lock(&ledger->files_lock);
		/* The follower is at most a few batches behind what we have acknowledged. */
		while ((log = ledger->logs[head->log]) == NULL || log->tree.size < head->size ||
		    log->pending_hashes[0].size > 0)
			(void)pthread_cond_wait(&ledger->files_grew, &ledger->files_lock);
		status = log_root_at(log, head->size, root, reterr);
		(void)pthread_mutex_unlock(&ledger->files_lock);
	}
	if (status != AZ_OK)
		return status;
	if (!bytes_equal(
		bytes_make(root, sizeof(root)), bytes_make(head->root, sizeof(head->root))))
		return az_fail(reterr, AZ_FORGED,
		    "ledger: log %u had another history at %llu entries", head->log,
		    (unsigned long long)head->size);
	return AZ_OK;
}

/* Asks the follower; hold: and to leave it so. */
static enum az_status
ask_follower(
    struct ledger *ledger, bool hold, void (*done)(void *arg), void *arg, struct az_err *reterr)
{
	struct settle *settle = calloc(1, sizeof(*settle));

	if (settle == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "ledger: out of memory");
	settle->hold = hold;
	settle->done = done;
	settle->arg = arg;
	(void)pthread_mutex_lock(&ledger->lock);
	settle->after_submitted = ledger->submitted;
	settle->next = ledger->settling;
	ledger->settling = settle;
	(void)pthread_cond_signal(&ledger->queued);
	(void)pthread_cond_signal(&ledger->behind);
	(void)pthread_mutex_unlock(&ledger->lock);
	ledger->kicked = false;
	return AZ_OK;
}

enum az_status
ledger_settle(struct ledger *ledger, void (*done)(void *arg), void *arg, struct az_err *reterr)
{
	return ask_follower(ledger, false, done, arg, reterr);
}

enum az_status
ledger_hold(struct ledger *ledger, void (*done)(void *arg), void *arg, struct az_err *reterr)
{
	enum az_status status;

	if (ledger->hold_is_asked)
		return az_fail(reterr, AZ_BUSY, "ledger: it is held already");
	status = ask_follower(ledger, true, done, arg, reterr);
	ledger->hold_is_asked = status == AZ_OK;
	return status;
}

bool
ledger_held(struct ledger *ledger, uint32_t *ret_segment, uint64_t *ret_offset)
{
	bool held;

	(void)pthread_mutex_lock(&ledger->lock);
	held = ledger->held;
	if (held) {
		*ret_segment = ledger->held_segment;
		*ret_offset = ledger->held_offset;
	}
	(void)pthread_mutex_unlock(&ledger->lock);
	return held;
}

void
ledger_release(struct ledger *ledger)
{
	(void)pthread_mutex_lock(&ledger->lock);
	/* One that was asked and is not there yet is a settling like any other. */
	for (struct settle *settle = ledger->settling; settle != NULL; settle = settle->next)
		settle->hold = false;
	ledger->held = false;
	(void)pthread_cond_signal(&ledger->behind);
	(void)pthread_mutex_unlock(&ledger->lock);
	ledger->hold_is_asked = false;
}

enum az_status
ledger_start(struct ledger *ledger, struct az_err *reterr)
{
	struct ledger_entry entry = {.type = ENTRY_RECOVERED, .log = LEDGER_HOUSE_LOG, .rows = 1};
	enum az_status status = AZ_OK;

	if (pthread_create(&ledger->committer, NULL, committer_run, ledger) != 0)
		return az_fail(reterr, AZ_IO, "ledger: cannot start a thread");
	if (pthread_create(&ledger->follower, NULL, follower_run, ledger) != 0) {
		(void)pthread_mutex_lock(&ledger->lock);
		ledger->stopping = true;
		(void)pthread_cond_signal(&ledger->queued);
		(void)pthread_mutex_unlock(&ledger->lock);
		(void)pthread_join(ledger->committer, NULL);
		return az_fail(reterr, AZ_IO, "ledger: cannot start a thread");
	}
	ledger->started = true;
	if (ledger->torn) {
		status = ledger_submit(ledger, &entry, bytes_make(NULL, 0), NULL, NULL, reterr);
		ledger_kick(ledger);
	}
	return status;
}

void
ledger_stop(struct ledger *ledger)
{
	if (!ledger->started)
		return;
	(void)pthread_mutex_lock(&ledger->lock);
	ledger->stopping = true;
	(void)pthread_cond_signal(&ledger->queued);
	(void)pthread_cond_signal(&ledger->prepared);
	(void)pthread_mutex_unlock(&ledger->lock);
	(void)pthread_join(ledger->committer, NULL);
	(void)pthread_join(ledger->follower, NULL);
	ledger->started = false;
}

static void
free_lists(struct ledger *ledger)
{
	while (ledger->done != NULL) {
		struct pending *pending = ledger->done;

		ledger->done = pending->next;
		pending_release(ledger, pending);
	}
	while (ledger->follow != NULL) {
		struct pending *pending = ledger->follow;

		ledger->follow = pending->next_behind;
		pending_release(ledger, pending);
	}
	while (ledger->queue != NULL) {
		/* Never committed: nobody else has it. */
		struct pending *pending = ledger->queue;

		ledger->queue = pending->next;
		pending->users = 1;
		pending_release(ledger, pending);
	}
	while (ledger->settling != NULL || ledger->settled != NULL) {
		struct settle **list =
		    ledger->settling != NULL ? &ledger->settling : &ledger->settled;
		struct settle *settle = *list;

		*list = settle->next;
		free(settle);
	}
}

void
ledger_close(struct ledger **ledger)
{
	struct ledger *closing = *ledger;

	if (closing == NULL)
		return;
	ledger_stop(closing);
	free_lists(closing);
	index_close(closing);
	for (uint32_t i = 0; i < LEDGER_LOGS_MAX; i++) {
		edge_free(&closing->edges[i]);
		if (closing->logs[i] != NULL)
			log_close(closing->logs[i]);
		free(closing->logs[i]);
	}
	wal_fini(&closing->wal);
	seal_key_free(&closing->payload_key);
	seal_key_free(&closing->payload_open_key);
	secret_free(&closing->key);
	(void)pthread_mutex_destroy(&closing->lock);
	(void)pthread_mutex_destroy(&closing->files_lock);
	(void)pthread_cond_destroy(&closing->files_grew);
	(void)pthread_cond_destroy(&closing->queued);
	(void)pthread_cond_destroy(&closing->behind);
	(void)pthread_cond_destroy(&closing->prepared);
	free(closing);
	*ledger = NULL;
}

int64_t
ledger_last_time(const struct ledger *ledger)
{
	int64_t last_us = 0;

	for (uint32_t i = 0; i < ledger->log_count; i++) {
		if (ledger->last_times[i] > last_us)
			last_us = ledger->last_times[i];
	}
	return last_us;
}
