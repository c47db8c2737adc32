/*
 * Hashing a published log again.
 *
 *	entries/N ──► leaf hashes ══ tile/0/N ──► one hash ══ its place in tile/1 ──► … ──► root ══ checkpoint
 *
 * Threads take bundle after bundle in order; each compares the hashes of its entries with the tile and leaves the
 * hash over a full bundle in its place of one array. What is above is done by the caller's thread (levels.c). The root at an
 * older size needs the leaf hashes of one more bundle, which are kept.
 *
 * Where bytes and a stored hash differ, either may be the one that was changed; the message names both places.
 * Of several faults the first bundle's is told: bundles are handed out in order, so those before it were seen.
 *
 * An entry of a form that we do not know is no contradiction: a newer house wrote it, and its bytes lead
 * to the signed root. It is counted and cannot be told.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "crypto/hash.h"
#include "verify/verify_internal.h"

#define THREADS_MAX 64u
#define PROGRESS_NS 200000000L

struct run {
	struct hashed hashed;
	_Atomic uint64_t next;
	_Atomic uint64_t done;
	_Atomic uint64_t bad; /* the first bundle at fault; UINT64_MAX: none */
	pthread_mutex_t lock;
	pthread_cond_t ended;
	unsigned int working;
	struct az_err err; /* of bad */
	uint64_t unknown, first_unknown;
	uint64_t types[UINT8_MAX + 1];
};

struct worker {
	struct run *run;
	struct buffer bundle, tile;
	uint64_t unknown, first_unknown;
	uint64_t types[UINT8_MAX + 1];
};

/* --- one bundle ------------------------------------------------------------------------------- */

/* False: it is older than the one before it, which time in a log never is. */
static bool
note_entry(struct worker *worker, struct span *span, uint64_t index, struct bytes entry)
{
	enum entry_type type;
	int64_t time_us;

	if (!ledger_entry_peek(entry, &type, &time_us)) {
		if (worker->unknown++ == 0)
			worker->first_unknown = index;
		return true;
	}
	worker->types[(uint8_t)type]++;
	if (span->first_us > span->last_us)
		span->first_us = time_us;
	else if (time_us < span->last_us)
		return false;
	span->last_us = time_us;
	return true;
}

static enum az_status
hash_bundle(struct worker *worker, uint64_t number, unsigned int width, struct span *ret_span,
    uint8_t leaves[TILE_WIDTH][TREE_HASH_SIZE], struct az_err *reterr)
{
	const struct published_log *source = worker->run->hashed.source;
	char path[TILE_PATH_MAX], tile_name[TILE_PATH_MAX];
	struct span span = {.first_us = INT64_MAX, .last_us = INT64_MIN};
	struct bytes rest, entry;
	enum az_status status =
	    published_part(source, TILE_ENTRIES, number, width, &worker->bundle, path, reterr);

	if (status == AZ_OK)
		status = published_tile(source, 0, number, width, &worker->tile, tile_name, reterr);
	if (status != AZ_OK)
		return status;
	rest = buffer_peek(&worker->bundle);
	for (unsigned int i = 0; i < width; i++) {
		uint64_t index = number * TILE_WIDTH + i;
		size_t place = worker->bundle.size - rest.size;

		if (!bundle_next(&rest, &entry))
			return az_fail(reterr, AZ_FORGED,
			    "entry %llu, at byte %zu of %s, is cut short, or its size was changed",
			    (unsigned long long)index, place, path);
		tree_leaf(entry, leaves[i]);
		if (!hash_is_equal(leaves[i], worker->tile.data + (size_t)i * TREE_HASH_SIZE))
			return az_fail(reterr, AZ_FORGED,
			    "entry %llu, at byte %zu of %s, has not the hash at byte %u of %s: one "
			    "of "
			    "them was changed",
			    (unsigned long long)index, place, path,
			    i * (unsigned int)TREE_HASH_SIZE, tile_name);
		if (!note_entry(worker, &span, index, entry))
			return az_fail(reterr, AZ_FORGED,
			    "entry %llu is older than the one before it",
			    (unsigned long long)index);
	}
	if (rest.size > 0)
		return az_fail(
		    reterr, AZ_FORGED, "%s has %zu bytes behind its last entry", path, rest.size);
	*ret_span = span;
	return AZ_OK;
}

static enum az_status
take_bundle(struct worker *worker, uint64_t number, struct az_err *reterr)
{
	struct hashed *hashed = &worker->run->hashed;
	uint64_t left = hashed->check->size - number * TILE_WIDTH;
	unsigned int width = left < TILE_WIDTH ? (unsigned int)left : TILE_WIDTH;
	uint8_t leaves[TILE_WIDTH][TREE_HASH_SIZE];
	enum az_status status =
	    hash_bundle(worker, number, width, &hashed->spans[number], leaves, reterr);

	if (status != AZ_OK)
		return status;
	for (size_t i = 0; i < hashed->kept_count; i++) {
		if (hashed->kept[i].bundle == number)
			memcpy(hashed->kept[i].leaves, leaves, (size_t)width * TREE_HASH_SIZE);
	}
	if (width == TILE_WIDTH)
		tree_full((const uint8_t(*)[TREE_HASH_SIZE])leaves, TREE_FULL_BITS,
		    hashed->hashes[number]);
	return AZ_OK;
}

/* --- all bundles ------------------------------------------------------------------------------ */

static void
worker_init(struct worker *worker, struct run *run)
{
	*worker = (struct worker){.run = run};
	buffer_init(&worker->bundle, BUNDLE_MAX, false);
	buffer_init(&worker->tile, TILE_SIZE + 1, false);
}

static void
worker_merge(struct worker *worker)
{
	struct run *run = worker->run;

	if (worker->unknown > 0 &&
	    (run->unknown == 0 || worker->first_unknown < run->first_unknown))
		run->first_unknown = worker->first_unknown;
	run->unknown += worker->unknown;
	for (size_t i = 0; i < AZ_ARRAY_SIZE(run->types); i++)
		run->types[i] += worker->types[i];
	buffer_fini(&worker->bundle);
	buffer_fini(&worker->tile);
}

static void *
work(void *arg)
{
	struct run *run = arg;
	struct worker worker;

	worker_init(&worker, run);
	for (;;) {
		uint64_t number = atomic_fetch_add(&run->next, 1);
		struct az_err err = {0};
		enum az_status status;

		/* What is behind a fault is of no interest; what is before it, is. */
		if (number >= run->hashed.bundles || number > atomic_load(&run->bad))
			break;
		status = take_bundle(&worker, number, &err);
		atomic_fetch_add(&run->done, 1);
		if (status == AZ_OK)
			continue;
		(void)pthread_mutex_lock(&run->lock);
		if (number < atomic_load(&run->bad)) {
			atomic_store(&run->bad, number);
			run->err = err;
			run->err.status = status;
		}
		(void)pthread_mutex_unlock(&run->lock);
	}
	(void)pthread_mutex_lock(&run->lock);
	worker_merge(&worker);
	run->working--;
	(void)pthread_cond_signal(&run->ended);
	(void)pthread_mutex_unlock(&run->lock);
	return NULL;
}

/* Tells how far they are until all have ended. */
static void
watch(struct run *run)
{
	struct log_check *check = run->hashed.check;

	(void)pthread_mutex_lock(&run->lock);
	while (run->working > 0) {
		struct timespec until;

		(void)clock_gettime(CLOCK_REALTIME, &until);
		until.tv_nsec += PROGRESS_NS;
		until.tv_sec += until.tv_nsec / 1000000000L;
		until.tv_nsec %= 1000000000L;
		if (pthread_cond_timedwait(&run->ended, &run->lock, &until) == ETIMEDOUT &&
		    check->progress != NULL)
			check->progress(
			    check->arg, atomic_load(&run->done) * TILE_WIDTH, check->size);
	}
	(void)pthread_mutex_unlock(&run->lock);
}

static enum az_status
hash_all(struct run *run, struct az_err *reterr)
{
	unsigned int wanted = run->hashed.check->threads < 1 ? 1 : run->hashed.check->threads;
	pthread_t threads[THREADS_MAX];
	unsigned int started = 0;

	if (wanted > THREADS_MAX)
		wanted = THREADS_MAX;
	if (wanted > run->hashed.bundles)
		wanted = run->hashed.bundles > 0 ? (unsigned int)run->hashed.bundles : 1;
	run->working = wanted;
	for (; wanted > 1 && started < wanted; started++) {
		if (pthread_create(&threads[started], NULL, work, run) != 0)
			break;
	}
	/* With fewer threads than wanted it takes longer; with none we do it ourselves. */
	(void)pthread_mutex_lock(&run->lock);
	run->working -= wanted - (started > 0 ? started : 1);
	(void)pthread_mutex_unlock(&run->lock);
	if (started == 0)
		(void)work(run);
	else
		watch(run);
	for (unsigned int i = 0; i < started; i++)
		(void)pthread_join(threads[i], NULL);
	if (atomic_load(&run->bad) == UINT64_MAX)
		return AZ_OK;
	return az_fail(reterr, run->err.status, "%s", run->err.text);
}

/* --- the whole -------------------------------------------------------------------------------- */

static enum az_status
run_all(struct run *run, const struct checkpoints *checkpoints, struct az_err *reterr)
{
	struct hashed *hashed = &run->hashed;
	struct log_check *check = hashed->check;
	enum az_status status;

	hashed->bundles = (check->size + TILE_WIDTH - 1) / TILE_WIDTH;
	hashed->hashes = calloc((size_t)hashed->bundles + 1, sizeof(*hashed->hashes));
	hashed->spans = calloc((size_t)hashed->bundles + 1, sizeof(*hashed->spans));
	if (hashed->hashes == NULL || hashed->spans == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "log: out of memory");
	hashed_keep(hashed, check->size);
	hashed_keep(hashed, check->newest_size);
	hashed_keep(hashed, check->witnessed_size);
	status = hash_all(run, reterr);
	if (status == AZ_OK)
		status = hashed_check_levels(hashed, reterr);
	if (status == AZ_OK)
		status = hashed_check_root(
		    hashed, &checkpoints->signed_one, "the signed checkpoint", reterr);
	if (status == AZ_OK && checkpoints->has_newest)
		status = hashed_check_root(hashed, &checkpoints->newest,
		    "the newest checkpoint known: the log's key signed two histories", reterr);
	if (status == AZ_OK && checkpoints->has_cosigned)
		status = hashed_check_root(
		    hashed, &checkpoints->cosigned, "the cosigned checkpoint", reterr);
	if (status == AZ_OK)
		status = hashed_check_times(hashed, reterr);
	if (status != AZ_OK)
		return status;
	memcpy(check->root, checkpoints->signed_one.root, sizeof(check->root));
	check->unknown = run->unknown;
	check->first_unknown = run->first_unknown;
	memcpy(check->types, run->types, sizeof(check->types));
	return AZ_OK;
}

enum az_status
log_check(const struct published_log *source, struct log_check *check, struct az_err *reterr)
{
	struct checkpoints checkpoints;
	struct run *run = calloc(1, sizeof(*run));
	enum az_status status;

	if (run == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "log: out of memory");
	*run = (struct run){.hashed = {.source = source, .check = check}, .bad = UINT64_MAX};
	(void)pthread_mutex_init(&run->lock, NULL);
	(void)pthread_cond_init(&run->ended, NULL);
	check->newest_size = check->witnessed_size = 0;
	checkpoints_init(&checkpoints);
	status = checkpoints_open(source, check, &checkpoints, reterr);
	if (status == AZ_OK)
		status = run_all(run, &checkpoints, reterr);
	checkpoints_fini(&checkpoints);
	(void)pthread_cond_destroy(&run->ended);
	(void)pthread_mutex_destroy(&run->lock);
	free(run->hashed.hashes);
	free(run->hashed.spans);
	free(run);
	return status;
}
