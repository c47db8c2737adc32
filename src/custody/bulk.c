/*
 * The workers of a list: starting and ending them, whose turn it is, what goes to the loop.
 *
 * Everything that needs a key is done here, and nothing touches the state of the house: the workers read the catalogue
 * through readers of their own, and hand frames for the vault to the loop, which alone writes to that socket.
 *
 * One worker is the main one. It starts the others for the rows, and again for the sorting, joins them, and does what
 * comes once. The first that fails says why, and stops the others, whatever they wait for.
 *
 * Order of what becomes durable: key (before the threads start); rows and tokens in the vault, run files; then the
 * loop's entry; then the catalogue. A crash between any two is recovered at start.
 */
#include "custody/bulk.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/proc.h"

#define REFUSED_PART 20u /* more than one row in so many refused rejects the list: 5 % */

/* --- waiting ---------------------------------------------------------------------------------- */

bool
bulk_is_over(const struct bulk *bulk)
{
	return atomic_load(&bulk->cancelled) || atomic_load(&bulk->stopped);
}

void
bulk_changed(struct bulk *bulk)
{
	(void)pthread_mutex_lock(&bulk->lock);
	(void)pthread_cond_broadcast(&bulk->changed);
	(void)pthread_mutex_unlock(&bulk->lock);
}

static enum az_status
given_up(struct az_err *reterr)
{
	return az_fail(reterr, AZ_GONE, "the list was given up");
}

enum az_status
bulk_turn_wait(
    struct bulk *bulk, const struct bulk_turn *turn, uint64_t number, struct az_err *reterr)
{
	(void)pthread_mutex_lock(&bulk->lock);
	while (turn->next != number && !bulk_is_over(bulk))
		(void)pthread_cond_wait(&bulk->changed, &bulk->lock);
	(void)pthread_mutex_unlock(&bulk->lock);
	return bulk_is_over(bulk) ? given_up(reterr) : AZ_OK;
}

void
bulk_turn_pass(struct bulk *bulk, struct bulk_turn *turn)
{
	(void)pthread_mutex_lock(&bulk->lock);
	turn->next++;
	(void)pthread_cond_broadcast(&bulk->changed);
	(void)pthread_mutex_unlock(&bulk->lock);
}

/* Waits until the vault has answered the flush. */
static enum az_status
wait_synced(struct bulk *bulk, struct az_err *reterr)
{
	enum az_status status;

	(void)pthread_mutex_lock(&bulk->lock);
	while (!bulk->synced && !bulk_is_over(bulk))
		(void)pthread_cond_wait(&bulk->changed, &bulk->lock);
	if (!bulk->synced)
		status = given_up(reterr);
	else if (bulk->sync_status != AZ_OK)
		status = az_fail(reterr, bulk->sync_status, "%s", bulk->sync_err.text);
	else
		status = AZ_OK;
	(void)pthread_mutex_unlock(&bulk->lock);
	return status;
}

/* Waits until the loop has committed; false if it gave the list up. */
static bool
wait_committed(struct bulk *bulk)
{
	bool committed;

	(void)pthread_mutex_lock(&bulk->lock);
	while (bulk->stage == BULK_IS_SEALED)
		(void)pthread_cond_wait(&bulk->changed, &bulk->lock);
	committed = bulk->stage == BULK_IS_COMMITTED;
	(void)pthread_mutex_unlock(&bulk->lock);
	return committed;
}

/* --- between workers and loop ----------------------------------------------------------------- */

void
bulk_enter(struct bulk *bulk, enum bulk_stage stage, const struct az_err *err)
{
	(void)pthread_mutex_lock(&bulk->lock);
	bulk->stage = stage;
	if (err != NULL)
		bulk->err = *err;
	(void)pthread_cond_broadcast(&bulk->changed);
	(void)pthread_mutex_unlock(&bulk->lock);
	loop_wake(bulk->custody->config.loop);
}

enum az_status
bulk_send(struct bulk *bulk, enum vault_message type, struct buffer *body, struct az_err *reterr)
{
	struct bulk_frame *frame = calloc(1, sizeof(*frame));

	if (frame == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "the list: out of memory");
	frame->type = type;
	if (body != NULL) {
		size_t max = body->max;

		frame->body = *body;
		buffer_init(body, max, false);
	}
	(void)pthread_mutex_lock(&bulk->lock);
	while (bulk->frames_waiting >= BULK_FRAMES_MAX && !bulk_is_over(bulk))
		(void)pthread_cond_wait(&bulk->changed, &bulk->lock);
	*bulk->frames_end = frame;
	bulk->frames_end = &frame->next;
	/* A flush is answered when it is done, and only waited for. */
	bulk->frames_waiting += type == VAULT_SYNC || type == VAULT_BLOCKS ? 0 : 1;
	(void)pthread_mutex_unlock(&bulk->lock);
	loop_wake(bulk->custody->config.loop);
	return bulk_is_over(bulk) ? given_up(reterr) : AZ_OK;
}

enum az_status
bulk_ask_blocks(struct bulk *bulk, uint64_t consignment, enum match_kind kind,
    const uint8_t token[TOKEN_SIZE], struct az_err *reterr)
{
	struct buffer body;
	struct wire_writer writer;
	enum az_status status;

	buffer_init(&body, 64, false);
	wire_writer_init(&writer, &body);
	wire_put_u64(&writer, consignment);
	wire_put_u8(&writer, (uint8_t)kind);
	wire_put_raw(&writer, token, TOKEN_SIZE);
	status = writer.status;
	bulk->blocks_are = BLOCKS_QUEUED;
	if (status == AZ_OK)
		status = bulk_send(bulk, VAULT_BLOCKS, &body, reterr);
	buffer_fini(&body);
	(void)pthread_mutex_lock(&bulk->lock);
	while (bulk->blocks_are == BLOCKS_SENT ||
	    (bulk->blocks_are == BLOCKS_QUEUED && !bulk_is_over(bulk)))
		(void)pthread_cond_wait(&bulk->changed, &bulk->lock);
	if (status == AZ_OK && bulk->blocks_are == BLOCKS_ARRIVED)
		status = bulk->blocks_status == AZ_OK
		    ? AZ_OK
		    : az_fail(reterr, bulk->blocks_status, "%s", bulk->blocks_err.text);
	else
		status = given_up(reterr);
	(void)pthread_mutex_unlock(&bulk->lock);
	return status;
}

/* --- workers ---------------------------------------------------------------------------------- */

static enum az_status
worker_init(struct bulk_worker *worker, struct bulk *bulk, struct az_err *reterr)
{
	enum az_status status = AZ_OK;

	worker->bulk = bulk;
	buffer_init(&worker->frame, INTAKE_BODY_MAX, true);
	buffer_init(&worker->plain, ROW_SIZE_MAX + 64, true);
	buffer_init(&worker->out, VAULT_BODY_MAX, false);
	status = seal_key_copy(bulk->keys->row, &worker->row_key, reterr);
	if (status == AZ_OK)
		status = catalogue_reader_new(bulk->custody->catalogue, &worker->reader, reterr);
	if (status == AZ_OK)
		status = catalogue_reader_renew(worker->reader, reterr);
	return status == AZ_OK ? finish_new(worker, reterr) : status;
}

static void
worker_fini(struct bulk_worker *worker)
{
	/* One that was never begun. */
	if (worker->bulk == NULL)
		return;
	seal_key_free(&worker->row_key);
	catalogue_reader_free(&worker->reader);
	spill_free(&worker->tokens);
	spill_free(&worker->prints);
	buffer_fini(&worker->frame);
	buffer_fini(&worker->plain);
	buffer_fini(&worker->out);
	if (worker->rows != NULL)
		az_wipe(worker->rows, worker->room * sizeof(*worker->rows));
	free(worker->rows);
	*worker = (struct bulk_worker){0};
}

/* Part of the work that all workers share. */
struct shift {
	struct bulk_worker *worker;
	enum az_status (*work)(struct bulk_worker *worker, struct az_err *reterr);
	enum az_status status;
};

static void *
shift_run(void *arg)
{
	struct shift *shift = arg;
	struct bulk_worker *worker = shift->worker;
	struct bulk *bulk = worker->bulk;

	proc_give_way();
	shift->status = shift->work(worker, &worker->err);
	/* The first failure is the one that counts: the others are told to end by it. */
	if (shift->status != AZ_OK && atomic_exchange(&bulk->stopped, true))
		shift->status = AZ_GONE;
	if (shift->status != AZ_OK)
		bulk_changed(bulk);
	return NULL;
}

/* Has all workers do it, this thread the first one's part. */
static enum az_status
work_together(struct bulk *bulk,
    enum az_status (*work)(struct bulk_worker *worker, struct az_err *reterr),
    struct az_err *reterr)
{
	struct shift shifts[BULK_WORKERS_MAX] = {0};
	unsigned int started = 1;
	enum az_status status = AZ_OK;

	for (unsigned int i = 0; i < bulk->worker_count; i++)
		shifts[i] = (struct shift){.worker = &bulk->workers[i], .work = work};
	/* With fewer threads than wanted, those there are do all of it. */
	while (started < bulk->worker_count &&
	    pthread_create(&bulk->workers[started].thread, NULL, shift_run, &shifts[started]) == 0)
		started++;
	(void)shift_run(&shifts[0]);
	for (unsigned int i = 1; i < started; i++)
		(void)pthread_join(bulk->workers[i].thread, NULL);
	for (unsigned int i = 0; i < started; i++) {
		/* What one was told by another's end counts only if nobody says more. */
		if (shifts[i].status != AZ_OK && (status == AZ_OK || status == AZ_GONE)) {
			status = shifts[i].status;
			*reterr = bulk->workers[i].err;
		}
	}
	return status;
}

/* --- the list --------------------------------------------------------------------------------- */

static enum az_status
start_intake(struct bulk *bulk, struct az_err *reterr)
{
	struct intake_start start = {.allows = bulk->allows,
	    .mode = bulk->consignment.mode == LIST_WITHDRAW ? INTAKE_WITHDRAWS : 0};

	start.mode |= bulk->join != 0 ? INTAKE_JOINS : 0;
	memcpy(start.columns, bulk->columns, sizeof(start.columns));
	memcpy(start.password, bulk->password, sizeof(start.password));
	az_wipe(bulk->password, sizeof(bulk->password));
	return reading_start(&bulk->intake, &start, reterr);
}

/* Intake's counts must be ours. */
static enum az_status
check_counts(const struct bulk *bulk, struct az_err *reterr)
{
	const struct consignment *ours = &bulk->consignment;

	if (bulk->told_rows != ours->rows || bulk->last_row > bulk->told_rows ||
	    bulk->last_refused > bulk->told_rows || bulk->told_refused > bulk->told_rows ||
	    bulk->told_accepted + bulk->told_refused != bulk->told_rows ||
	    bulk->told_accepted < ours->accepted || bulk->told_accepted > bulk->told_rows)
		return az_fail(reterr, AZ_FORGED, "intake: its counts are not those of its rows");
	return AZ_OK;
}

static enum az_status
accept_or_reject(const struct bulk *bulk, struct az_err *reterr)
{
	const struct consignment *counts = &bulk->consignment;
	if (counts->accepted == 0)
		return az_fail(reterr, AZ_INVALID, "the list has no row that can be accepted");
	if (bulk->strict && counts->refused > 0)
		return az_fail(reterr, AZ_INVALID, "%u of %u rows were refused (--strict)",
		    counts->refused, counts->rows);
	/* Whom a withdrawal names without a number and nobody knows is nobody to withdraw: that is told, and no fault. */
	if ((uint64_t)(counts->refused - bulk->refused_unknown) * REFUSED_PART > counts->rows)
		return az_fail(reterr, AZ_INVALID, "%u of %u rows were refused, more than 5 %%",
		    counts->refused, counts->rows);
	return AZ_OK;
}

static enum az_status
begin(struct bulk *bulk, struct az_err *reterr)
{
	struct custody *custody = bulk->custody;
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	enum az_status status = AZ_OK;

	/* Two at least: while one waits for its turn, the other works. */
	bulk->worker_count = processors < 2 ? 2
	    : processors > BULK_WORKERS_MAX ? BULK_WORKERS_MAX
					    : (unsigned int)processors;
	for (unsigned int i = 0; i < bulk->worker_count && status == AZ_OK; i++)
		status = worker_init(&bulk->workers[i], bulk, reterr);
	if (status == AZ_OK)
		status = catalogue_run_new(
		    custody->catalogue, bulk->consignment.id, bulk->keys->run, &bulk->run, reterr);
	if (status == AZ_OK)
		status = trace_run_new(custody->trace_dirfd, custody->config.house,
		    bulk->consignment.id, bulk->keys->prints, &bulk->prints, reterr);
	if (status == AZ_OK)
		status = absent_new(bulk, reterr);
	if (status == AZ_OK)
		status = join_load(bulk, reterr);
	return status == AZ_OK ? start_intake(bulk, reterr) : status;
}

/* Everything up to the commit. */
static enum az_status
seal_list(struct bulk *bulk, struct az_err *reterr)
{
	struct consignment *consignment = &bulk->consignment;
	enum az_status status = begin(bulk, reterr);

	if (status == AZ_OK)
		status = work_together(bulk, frames_work, reterr);
	if (status == AZ_OK)
		status = check_counts(bulk, reterr);
	if (status == AZ_OK)
		status = bulk_wait_list(bulk, reterr);
	else
		status = bulk_list_failed_first(bulk, status, reterr);
	if (status == AZ_OK)
		status = accept_or_reject(bulk, reterr);
	if (status == AZ_OK)
		status = absent_count(bulk, &consignment->absent, reterr);
	number_set_fini(&bulk->numbers);
	tree_root(&bulk->tree, consignment->root);
	if (status == AZ_OK)
		status = work_together(bulk, finish_work, reterr);
	if (status == AZ_OK)
		status = bulk_send(bulk, VAULT_SYNC, NULL, reterr);
	if (status == AZ_OK)
		status = catalogue_run_finish(&bulk->run, consignment->run, reterr);
	if (status == AZ_OK)
		status = trace_run_finish(&bulk->prints, consignment->prints, reterr);
	return status == AZ_OK ? wait_synced(bulk, reterr) : status;
}

void *
bulk_worker_run(void *arg)
{
	struct bulk *bulk = arg;
	struct az_err err = {0};
	enum az_status status;

	link_init(&bulk->intake, bulk->intake_fd, LINK_NONBLOCKING, INTAKE_BODY_MAX,
	    INTAKE_START_MAX, true);
	bulk->intake_fd = -1;
	status = seal_list(bulk, &err);
	/* Its end of the socket gone, intake ends too, whatever it is doing. */
	link_fini(&bulk->intake);
	catalogue_run_discard(&bulk->run);
	trace_run_discard(&bulk->prints);
	for (unsigned int i = 0; i < BULK_WORKERS_MAX; i++)
		worker_fini(&bulk->workers[i]);
	if (status != AZ_OK) {
		err.status = status;
		bulk_enter(bulk, BULK_HAS_FAILED, &err);
		return NULL;
	}
	bulk_enter(bulk, BULK_IS_SEALED, NULL);
	if (!wait_committed(bulk))
		return NULL;
	status = catalogue_load(bulk->custody->catalogue, bulk->consignment.id,
	    bulk->consignment.as_of, bulk->keys->run, bulk->consignment.run, &err);
	/* It is committed: a restart rolls it forward, this process cannot. */
	if (status != AZ_OK)
		custody_fatal(bulk->custody, &err);
	bulk_enter(bulk, BULK_IS_LOADED, NULL);
	return NULL;
}
