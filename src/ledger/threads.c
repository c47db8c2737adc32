/*
 * The two threads behind the loop.
 *
 *   loop ── submit ──► queue ──► committer ──► flush ──┬──► done ──► loop (tickets)
 *                                                      └──► follow ──► follower (log files, state, checkpoints)
 *
 * The committer takes whatever was queued while the last flush ran; there is no timer, so a lone entry waits for
 * nothing but its own flush, and under load a batch grows until one flush carries all that
 * the others queued meanwhile. The follower works behind it at its own pace. Once a second, or when asked to
 * settle, it makes what it has written durable, says so in the state file, signs checkpoints, and
 * removes segments that nobody needs any more.
 *
 * A failed flush ends the process: the kernel may have dropped the pages and report success the next
 * time, so nothing after it could be believed.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "ledger/ledger_internal.h"

#define SYNC_INTERVAL_US (800 * 1000) /* so that a checkpoint is at most a second old */
#define SYNC_RECORDS_MAX 200000u      /* or earlier, so that segments do not pile up */
#define COMMITTER_NICE   (-15)
#define SALTS_AT_ONCE    64u

static void
fatal(struct ledger *ledger, const struct az_err *err)
{
	ledger->config.fatal(ledger->config.fatal_arg, err);
	abort();
}

void
pending_release(struct ledger *ledger, struct pending *pending)
{
	bool last;

	(void)pthread_mutex_lock(&ledger->lock);
	last = --pending->users == 0;
	(void)pthread_mutex_unlock(&ledger->lock);
	if (!last)
		return;
	az_wipe(pending->payload, pending->payload_size);
	free(pending);
}

/* --- committer ------------------------------------------------------------------------------- */

/* What a batch is built with. */
struct batch {
	struct buffer buffer;
	struct buffer entry;
	uint8_t sealed[LEDGER_PAYLOAD_MAX + SEAL_OVERHEAD];
	uint8_t salts[SALTS_AT_ONCE][LEDGER_SALT_SIZE];
	unsigned int salts_left;
	uint32_t count;
	struct pending *first, *last; /* the entries in it, by next */
	bool touched[LEDGER_LOGS_MAX];
	uint32_t touched_logs[LEDGER_LOGS_MAX];
	uint32_t touched_count;
	bool gave_up; /* stopping, and no segment to go on in */
};

static enum az_status
edge_of(struct ledger *ledger, uint32_t log, struct edge **ret_edge, struct az_err *reterr)
{
	enum az_status status = AZ_OK;

	if (ledger->edges[log] == NULL)
		status = edge_new(ledger, log, &ledger->edges[log], reterr);
	*ret_edge = ledger->edges[log];
	return status;
}

/* Gives an entry its time, salt, pseudonyms and place, and encodes it. */
static enum az_status
encode(struct batch *batch, struct edge *edge, struct pending *pending, struct az_err *reterr)
{
	struct ledger_entry *entry = &pending->entry;
	struct ledger_read read;
	int64_t now = clock_now_us();
	enum az_status status;

	if (batch->salts_left == 0) {
		random_bytes(batch->salts, sizeof(batch->salts));
		batch->salts_left = SALTS_AT_ONCE;
	}
	memcpy(entry->salt, batch->salts[--batch->salts_left], LEDGER_SALT_SIZE);
	entry->time_us = now > edge->last_time_us ? now : edge->last_time_us;
	read = (struct ledger_read){.entry = *entry};
	if (entry->staff != 0)
		pseudonym_make(edge->pseudonyms, PSEUDONYM_STAFF, entry->staff, read.staff);
	if (entry->record != 0)
		pseudonym_make(edge->pseudonyms, PSEUDONYM_RECORD, entry->record, read.record);
	buffer_clear(&batch->entry);
	status = ledger_entry_encode(&read, &batch->entry);
	if (status != AZ_OK)
		return az_fail(reterr, status, "ledger: an entry could not be encoded");
	memcpy(pending->encoded, batch->entry.data, batch->entry.size);
	pending->encoded_size = batch->entry.size;
	return AZ_OK;
}

static enum az_status
add_to_batch(
    struct ledger *ledger, struct batch *batch, struct pending *pending, struct az_err *reterr)
{
	struct wal_record record = {.log = pending->entry.log};
	uint8_t place[PAYLOAD_PLACE_SIZE];
	uint8_t leaf[TREE_HASH_SIZE];
	struct edge *edge = NULL;
	enum az_status status = edge_of(ledger, record.log, &edge, reterr);

	if (status == AZ_OK)
		status = encode(batch, edge, pending, reterr);
	if (status != AZ_OK)
		return status;
	pending->seq = ledger->wal.next_seq + batch->count;
	pending->index = edge->tree.size;
	record.seq = pending->seq;
	record.index = pending->index;
	record.entry = bytes_make(pending->encoded, pending->encoded_size);
	if (pending->payload_size > 0) {
		payload_place(ledger, &record, place);
		status = seal(ledger->payload_key, bytes_make(place, sizeof(place)),
		    bytes_make(pending->payload, pending->payload_size), batch->sealed, reterr);
		if (status != AZ_OK)
			return status;
		record.payload = bytes_make(batch->sealed, pending->payload_size + SEAL_OVERHEAD);
	}
	status = wal_batch_add(&batch->buffer, &record);
	if (status != AZ_OK)
		return az_fail(reterr, status, "ledger: no room in a batch");
	tree_leaf(record.entry, leaf);
	tree_append(&edge->tree, leaf);
	edge->last_time_us = pending->entry.time_us;
	batch->count++;
	if (!batch->touched[record.log]) {
		batch->touched[record.log] = true;
		batch->touched_logs[batch->touched_count++] = record.log;
	}
	return AZ_OK;
}

/*
 * Moves to the next segment, which the follower has made; waits for it if the disk is slow or full. Gives
 * up if it is full and the ledger is being stopped.
 */
static enum az_status
next_segment(struct ledger *ledger, struct batch *batch, struct az_err *reterr)
{
	uint32_t next = ledger->wal.segment + 1;
	enum az_status status;

	(void)pthread_mutex_lock(&ledger->lock);
	(void)pthread_cond_signal(&ledger->behind);
	while (ledger->prepared_segment < next && !(ledger->stopping && ledger->space_is_low))
		(void)pthread_cond_wait(&ledger->prepared, &ledger->lock);
	batch->gave_up = ledger->prepared_segment < next;
	(void)pthread_mutex_unlock(&ledger->lock);
	if (batch->gave_up)
		return az_fail(reterr, AZ_LIMIT, "ledger: the disk is full");
	status = wal_enter_segment(&ledger->wal, next, reterr);
	if (status != AZ_OK)
		return status;
	(void)pthread_mutex_lock(&ledger->lock);
	ledger->current_segment = next;
	(void)pthread_cond_signal(&ledger->behind);
	(void)pthread_mutex_unlock(&ledger->lock);
	return AZ_OK;
}

/* Heads of the logs that the batch touched, on the last entry of each. */
static void
set_heads(struct ledger *ledger, struct batch *batch)
{
	for (uint32_t i = 0; i < batch->touched_count; i++) {
		struct edge *edge = ledger->edges[batch->touched_logs[i]];

		edge->flushed.size = edge->tree.size;
		tree_root(&edge->tree, edge->flushed.root);
		batch->touched[batch->touched_logs[i]] = false;
	}
	batch->touched_count = 0;
	for (struct pending *pending = batch->first; pending != NULL; pending = pending->next) {
		struct edge *edge = ledger->edges[pending->entry.log];

		if (pending->index + 1 == edge->flushed.size) {
			pending->head = edge->flushed;
			pending->has_head = true;
		}
	}
}

static enum az_status
commit_batch(struct ledger *ledger, struct batch *batch, struct az_err *reterr)
{
	enum az_status status = wal_batch_finish(&ledger->wal, batch->count, &batch->buffer);

	if (status != AZ_OK)
		return az_fail(reterr, status, "ledger: no room in a batch");
	if (!wal_fits(&ledger->wal, &batch->buffer))
		status = next_segment(ledger, batch, reterr);
	if (status == AZ_OK)
		status = wal_commit(&ledger->wal, batch->count, &batch->buffer, reterr);
	if (status != AZ_OK)
		return status;
	set_heads(ledger, batch);

	(void)pthread_mutex_lock(&ledger->lock);
	ledger->segment_last[ledger->wal.segment % SEGMENTS_MAX] = ledger->wal.next_seq - 1;
	ledger->flushed_segment = ledger->wal.segment;
	ledger->flushed_offset = ledger->wal.offset;
	for (struct pending *pending = batch->first; pending != NULL; pending = pending->next) {
		*ledger->follow_end = pending;
		ledger->follow_end = &pending->next_behind;
	}
	*ledger->done_end = batch->first;
	ledger->done_end = &batch->last->next;
	(void)pthread_cond_signal(&ledger->behind);
	(void)pthread_mutex_unlock(&ledger->lock);
	ledger->config.wake(ledger->config.wake_arg);
	batch->first = NULL;
	batch->last = NULL;
	batch->count = 0;
	return AZ_OK;
}

/* Puts what could not be committed, and so was never acknowledged, back into the queue. */
static void
give_back(struct ledger *ledger, struct batch *batch, struct pending *list)
{
	struct pending *last = batch->last;

	last->next = list;
	while (last->next != NULL)
		last = last->next;
	(void)pthread_mutex_lock(&ledger->lock);
	last->next = ledger->queue;
	if (ledger->queue == NULL)
		ledger->queue_end = &last->next;
	ledger->queue = batch->first;
	(void)pthread_mutex_unlock(&ledger->lock);
	batch->first = NULL;
	batch->last = NULL;
}

static enum az_status
commit_all(struct ledger *ledger, struct batch *batch, struct pending *list, struct az_err *reterr)
{
	enum az_status status = AZ_OK;

	while (list != NULL && status == AZ_OK) {
		struct pending *pending = list;

		list = pending->next;
		pending->next = NULL;
		if (batch->count == 0)
			status = wal_batch_start(&ledger->wal, &batch->buffer);
		if (status == AZ_OK)
			status = add_to_batch(ledger, batch, pending, reterr);
		if (status != AZ_OK)
			return status;
		if (batch->last != NULL)
			batch->last->next = pending;
		else
			batch->first = pending;
		batch->last = pending;
		if (list == NULL || batch->buffer.size >= WAL_BATCH_BODY)
			status = commit_batch(ledger, batch, reterr);
	}
	if (batch->gave_up)
		give_back(ledger, batch, list);
	return status;
}

void *
committer_run(void *arg)
{
	struct ledger *ledger = arg;
	struct batch *batch = calloc(1, sizeof(*batch));
	struct az_err err = {0};
	bool running = true;

	if (batch == NULL) {
		(void)az_fail(&err, AZ_NO_MEMORY, "ledger: out of memory");
		fatal(ledger, &err);
		return NULL;
	}
	/*
	 * 0 is the calling thread on Linux, and all that the sandbox allows. Where it is not allowed,
	 * the priority stays as it is: slower under load, not less safe.
	 */
	(void)setpriority(PRIO_PROCESS, 0, COMMITTER_NICE);
	buffer_init(&batch->buffer, 2 * WAL_BATCH_BODY, false);
	buffer_init(&batch->entry, LEDGER_ENTRY_MAX, false);
	while (running) {
		struct pending *list;

		(void)pthread_mutex_lock(&ledger->lock);
		while (ledger->queue == NULL && !ledger->stopping)
			(void)pthread_cond_wait(&ledger->queued, &ledger->lock);
		list = ledger->queue;
		ledger->queue = NULL;
		ledger->queue_end = &ledger->queue;
		ledger->queue_size = 0;
		running = list != NULL || !ledger->stopping;
		(void)pthread_mutex_unlock(&ledger->lock);
		if (list != NULL && commit_all(ledger, batch, list, &err) != AZ_OK) {
			if (!batch->gave_up)
				fatal(ledger, &err);
			running = false;
		}
	}
	(void)pthread_mutex_lock(&ledger->lock);
	ledger->committer_ended = true;
	(void)pthread_cond_signal(&ledger->behind);
	(void)pthread_mutex_unlock(&ledger->lock);
	buffer_fini(&batch->buffer);
	buffer_fini(&batch->entry);
	free(batch);
	return NULL;
}

/* --- follower -------------------------------------------------------------------------------- */

static enum az_status
follow_one(struct ledger *ledger, const struct pending *pending, struct az_err *reterr)
{
	struct ledger_record record = {.seq = pending->seq,
	    .index = pending->index,
	    .entry = &pending->entry,
	    .payload = bytes_make(pending->payload, pending->payload_size)};
	struct bytes encoded = bytes_make(pending->encoded, pending->encoded_size);
	uint32_t number = pending->entry.log;
	struct ledger_read read;
	struct log *log = NULL;
	uint64_t offset = 0;
	enum az_status status;

	status = ledger_entry_decode(encoded, number, &read);
	if (status != AZ_OK)
		return az_fail(reterr, status, "ledger: an entry of ours is not in its format");
	(void)pthread_mutex_lock(&ledger->files_lock);
	status = ledger_log(ledger, number, &log, reterr);
	if (status == AZ_OK) {
		offset = log->entries_size;
		status = log_append(log, encoded, reterr);
	}
	(void)pthread_mutex_unlock(&ledger->files_lock);
	if (status != AZ_OK)
		return status;
	index_note(ledger, number, pending->index, offset, &read);
	if (index_is_full(ledger))
		status = index_put(ledger, reterr);
	if (status != AZ_OK)
		return status;
	if (number == LEDGER_HOUSE_LOG && pending->entry.type == ENTRY_DECLARED_LOSS)
		ledger->next_generation = pending->entry.detail;
	ledger->last_times[number] = pending->entry.time_us;
	ledger->unsigned_logs[number] = true;
	ledger->written_seq = pending->seq;
	if (ledger->config.behind != NULL)
		status = ledger->config.behind(ledger->config.behind_arg, &record, reterr);
	return status;
}

/* Hands what was appended to the kernel, so that other threads can read it back. */
static enum az_status
write_logs(struct ledger *ledger, struct az_err *reterr)
{
	enum az_status status = AZ_OK;

	(void)pthread_mutex_lock(&ledger->files_lock);
	for (uint32_t i = 0; i < LEDGER_LOGS_MAX && status == AZ_OK; i++) {
		if (ledger->logs[i] != NULL && ledger->logs[i]->dirty)
			status = log_write(ledger->logs[i], reterr);
	}
	(void)pthread_cond_broadcast(&ledger->files_grew);
	(void)pthread_mutex_unlock(&ledger->files_lock);
	return status;
}

/* Keeps one empty segment ahead of the committer. A full disk is remembered and tried again. */
static void
prepare_segment(struct ledger *ledger)
{
	uint32_t next;
	bool needed;
	bool made;

	(void)pthread_mutex_lock(&ledger->lock);
	next = ledger->prepared_segment + 1;
	needed = next <= ledger->current_segment + 1 && next - ledger->first_segment < SEGMENTS_MAX;
	(void)pthread_mutex_unlock(&ledger->lock);
	if (!needed)
		return;
	made = wal_make_segment(&ledger->wal, next, NULL) == AZ_OK;
	(void)pthread_mutex_lock(&ledger->lock);
	ledger->space_is_low = !made;
	if (made)
		ledger->prepared_segment = next;
	(void)pthread_cond_signal(&ledger->prepared);
	(void)pthread_mutex_unlock(&ledger->lock);
}

static enum az_status
sync_all(struct ledger *ledger, struct az_err *reterr)
{
	uint64_t seq = ledger->written_seq;
	uint32_t current;
	enum az_status status = AZ_OK;

	for (uint32_t i = 0; i < LEDGER_LOGS_MAX && status == AZ_OK; i++) {
		if (ledger->logs[i] == NULL || !ledger->logs[i]->dirty)
			continue;
		(void)pthread_mutex_lock(&ledger->files_lock);
		status = log_sync(ledger->logs[i], reterr);
		(void)pthread_mutex_unlock(&ledger->files_lock);
	}
	if (status == AZ_OK && ledger->config.behind_sync != NULL)
		status = ledger->config.behind_sync(ledger->config.behind_arg, seq, reterr);
	if (status == AZ_OK)
		status = index_put(ledger, reterr);
	if (status == AZ_OK)
		status = state_write(ledger, seq, reterr);
	if (status != AZ_OK)
		return status;
	ledger->synced_seq = seq;
	for (uint32_t i = 0; i < LEDGER_LOGS_MAX && status == AZ_OK; i++) {
		if (ledger->unsigned_logs[i])
			status = ledger_sign_log(ledger, i, reterr);
	}
	/* The segment with the newest batch stays: a house without one was robbed of it. */
	(void)pthread_mutex_lock(&ledger->lock);
	current = ledger->current_segment;
	(void)pthread_mutex_unlock(&ledger->lock);
	while (status == AZ_OK && ledger->first_segment + 1 < current) {
		uint64_t last;

		/* Not needed to be right, only to keep what the next opening reads again short. */
		status = index_sync(ledger, reterr);
		if (status != AZ_OK)
			break;

		(void)pthread_mutex_lock(&ledger->lock);
		last = ledger->segment_last[ledger->first_segment % SEGMENTS_MAX];
		(void)pthread_mutex_unlock(&ledger->lock);
		if (last > seq)
			break;
		status = wal_remove_segment(&ledger->wal, ledger->first_segment, reterr);
		if (status == AZ_OK) {
			(void)pthread_mutex_lock(&ledger->lock);
			ledger->first_segment++;
			(void)pthread_mutex_unlock(&ledger->lock);
		}
	}
	return status;
}

/* Settled requests whose entries have all been followed, moved to the loop's list. */
static void
report_settled(struct ledger *ledger)
{
	struct settle **place = &ledger->settling;
	bool any = false;

	(void)pthread_mutex_lock(&ledger->lock);
	while (*place != NULL) {
		struct settle *settle = *place;

		if (settle->after_submitted > ledger->followed) {
			place = &settle->next;
			continue;
		}
		if (settle->hold) {
			ledger->held = true;
			ledger->held_segment = ledger->flushed_segment;
			ledger->held_offset = ledger->flushed_offset;
		}
		*place = settle->next;
		settle->next = ledger->settled;
		ledger->settled = settle;
		any = true;
	}
	(void)pthread_mutex_unlock(&ledger->lock);
	if (any)
		ledger->config.wake(ledger->config.wake_arg);
}

/* Whether a settle request waits only for a sync; never while it is held. Under lock. */
static bool
settle_is_due(const struct ledger *ledger)
{
	if (ledger->held && !ledger->stopping)
		return false;
	for (const struct settle *settle = ledger->settling; settle != NULL;
	     settle = settle->next) {
		if (settle->after_submitted <= ledger->followed)
			return true;
	}
	return false;
}

/* Waits for work until due_us, 0 for ever; takes the list. Returns false when all has ended. */
static bool
wait_for_work(struct ledger *ledger, int64_t due_us, struct pending **ret_list)
{
	int64_t now = clock_now_us();
	struct timespec until = {0};
	bool running;

	/* Against the wall clock, which may jump; a second is the most that such a jump can cost. */
	due_us = due_us == 0 || due_us > now + AZ_US_PER_S ? now + AZ_US_PER_S : due_us;
	until.tv_sec = due_us / AZ_US_PER_S;
	until.tv_nsec = due_us % AZ_US_PER_S * 1000;
	(void)pthread_mutex_lock(&ledger->lock);
	while (ledger->follow == NULL && !ledger->committer_ended && !settle_is_due(ledger) &&
	    (ledger->prepared_segment > ledger->current_segment || ledger->space_is_low)) {
		if (pthread_cond_timedwait(&ledger->behind, &ledger->lock, &until) == ETIMEDOUT)
			break;
	}
	*ret_list = ledger->follow;
	ledger->follow = NULL;
	ledger->follow_end = &ledger->follow;
	running = *ret_list != NULL || !ledger->committer_ended;
	(void)pthread_mutex_unlock(&ledger->lock);
	return running;
}

/* Follows a list; *ret_count tells how many entries it had. All of them are released in any case. */
static enum az_status
follow_list(struct ledger *ledger, struct pending *list, uint64_t *ret_count, struct az_err *reterr)
{
	enum az_status status = AZ_OK;
	uint64_t count = 0;

	while (list != NULL) {
		struct pending *pending = list;

		list = pending->next_behind;
		if (status == AZ_OK)
			status = follow_one(ledger, pending, reterr);
		pending_release(ledger, pending);
		count++;
	}
	if (status == AZ_OK && count > 0)
		status = write_logs(ledger, reterr);
	if (status != AZ_OK)
		return status;
	(void)pthread_mutex_lock(&ledger->lock);
	ledger->followed += count;
	(void)pthread_mutex_unlock(&ledger->lock);
	*ret_count = count;
	return AZ_OK;
}

/*
 * The follower cannot go on. In a ledger that is being stopped that loses nothing: the write-ahead log holds
 * all that was acknowledged, and the next opening follows it. Elsewhere the house's state would fall
 * behind without end.
 */
static void
follower_failed(struct ledger *ledger, const struct az_err *err)
{
	bool stopping;

	(void)pthread_mutex_lock(&ledger->lock);
	stopping = ledger->stopping;
	/* Nobody makes segments any more: the committer must not wait for one. */
	ledger->space_is_low = true;
	(void)pthread_cond_signal(&ledger->prepared);
	(void)pthread_mutex_unlock(&ledger->lock);
	if (!stopping)
		fatal(ledger, err);
}

void *
follower_run(void *arg)
{
	struct ledger *ledger = arg;
	struct az_err err = {0};
	int64_t due_us = 0; /* when to sync; 0 nothing is unsynced */
	uint64_t unsynced = 0;
	bool running = true;
	bool held = false;

	while (running) {
		struct pending *list = NULL;
		uint64_t count = 0;
		bool settle;

		running = wait_for_work(ledger, held ? 0 : due_us, &list);
		prepare_segment(ledger);
		if (follow_list(ledger, list, &count, &err) != AZ_OK) {
			follower_failed(ledger, &err);
			return NULL;
		}
		unsynced += count;
		if (unsynced > 0 && due_us == 0)
			due_us = clock_now_us() + SYNC_INTERVAL_US;
		(void)pthread_mutex_lock(&ledger->lock);
		settle = settle_is_due(ledger);
		held = ledger->held && !ledger->stopping;
		(void)pthread_mutex_unlock(&ledger->lock);
		if (held && running)
			continue;
		if (!settle && running && unsynced < SYNC_RECORDS_MAX &&
		    (due_us == 0 || clock_now_us() < due_us))
			continue;
		if (sync_all(ledger, &err) != AZ_OK) {
			follower_failed(ledger, &err);
			return NULL;
		}
		unsynced = 0;
		due_us = 0;
		report_settled(ledger);
	}
	return NULL;
}
