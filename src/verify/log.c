/*
 * Hashing a published log again.
 *
 *	entries/N ──► leaf hashes ══ tile/0/N ──► one hash ══ its place in tile/1 ──► … ──► root ══ checkpoint
 *
 * Threads take bundle after bundle in order; each compares the hashes of its entries with the tile and leaves the
 * hash over a full bundle in its place of one array. What is above is then a 256th of the work and done by the
 * caller's thread. The root at an older size needs the leaf hashes of one more bundle, which are kept.
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

#define THREADS_MAX     64u
#define KEPT_MAX        3u
#define SIZE_MAX_OF_LOG ((uint64_t)1 << 40)
#define PROGRESS_NS     200000000L

/* What is known of a bundle once it was hashed. */
struct span {
	int64_t first_us, last_us; /* first > last: no entry of it is known */
};

/* Leaf hashes of a bundle that a size of interest cuts. */
struct kept {
	uint64_t bundle;
	uint8_t leaves[TILE_SIZE];
};

struct run {
	const struct published_log *source;
	struct log_check *check;
	uint64_t bundles;
	uint8_t (*hashes)[TREE_HASH_SIZE]; /* of each full bundle */
	struct span *spans;
	struct kept kept[KEPT_MAX];
	size_t kept_count;
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
	struct ledger_read read;

	if (ledger_entry_decode(entry, 0, &read) != AZ_OK) {
		if (worker->unknown++ == 0)
			worker->first_unknown = index;
		return true;
	}
	worker->types[(uint8_t)read.entry.type]++;
	if (span->first_us > span->last_us)
		span->first_us = read.entry.time_us;
	else if (read.entry.time_us < span->last_us)
		return false;
	span->last_us = read.entry.time_us;
	return true;
}

static enum az_status
hash_bundle(struct worker *worker, uint64_t number, unsigned int width, struct span *ret_span,
    uint8_t leaves[TILE_SIZE], struct az_err *reterr)
{
	const struct published_log *source = worker->run->source;
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
		uint8_t *leaf = leaves + (size_t)i * TREE_HASH_SIZE;

		if (!bundle_next(&rest, &entry))
			return az_fail(reterr, AZ_FORGED,
			    "entry %llu, at byte %zu of %s, is cut short, or its size was changed",
			    (unsigned long long)index, place, path);
		tree_leaf(entry, leaf);
		if (!hash_is_equal(leaf, worker->tile.data + (size_t)i * TREE_HASH_SIZE))
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
	struct run *run = worker->run;
	uint64_t left = run->check->size - number * TILE_WIDTH;
	unsigned int width = left < TILE_WIDTH ? (unsigned int)left : TILE_WIDTH;
	uint8_t leaves[TILE_SIZE];
	enum az_status status =
	    hash_bundle(worker, number, width, &run->spans[number], leaves, reterr);

	if (status != AZ_OK)
		return status;
	for (size_t i = 0; i < run->kept_count; i++) {
		if (run->kept[i].bundle == number)
			memcpy(run->kept[i].leaves, leaves, (size_t)width * TREE_HASH_SIZE);
	}
	if (width == TILE_WIDTH) {
		struct tree tree = {0};

		for (unsigned int i = 0; i < width; i++)
			tree_append(&tree, leaves + (size_t)i * TREE_HASH_SIZE);
		tree_root(&tree, run->hashes[number]);
	}
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
		if (number >= run->bundles || number > atomic_load(&run->bad))
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
	struct log_check *check = run->check;

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
	unsigned int wanted = run->check->threads < 1 ? 1 : run->check->threads;
	pthread_t threads[THREADS_MAX];
	unsigned int started = 0;

	if (wanted > THREADS_MAX)
		wanted = THREADS_MAX;
	if (wanted > run->bundles)
		wanted = run->bundles > 0 ? (unsigned int)run->bundles : 1;
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

/* --- above the bundles ------------------------------------------------------------------------ */

/* Between bundles, time does not run backwards either. */
static enum az_status
check_times(struct run *run, struct az_err *reterr)
{
	struct log_check *check = run->check;
	bool any = false;

	for (uint64_t i = 0; i < run->bundles; i++) {
		const struct span *span = &run->spans[i];

		if (span->first_us > span->last_us)
			continue;
		if (any && span->first_us < check->last_us)
			return az_fail(reterr, AZ_FORGED,
			    "an entry of bundle %llu is older than the one before it",
			    (unsigned long long)i);
		if (!any)
			check->first_us = span->first_us;
		any = true;
		check->last_us = span->last_us;
	}
	return AZ_OK;
}

/* Compares the stored tiles of a level with its hashes. */
static enum az_status
check_level(struct run *run, unsigned int level, const uint8_t (*hashes)[TREE_HASH_SIZE],
    uint64_t count, struct az_err *reterr)
{
	struct buffer tile;
	enum az_status status = AZ_OK;

	buffer_init(&tile, TILE_SIZE + 1, false);
	for (uint64_t number = 0; number * TILE_WIDTH < count && status == AZ_OK; number++) {
		uint64_t left = count - number * TILE_WIDTH;
		unsigned int width = left < TILE_WIDTH ? (unsigned int)left : TILE_WIDTH;
		char path[TILE_PATH_MAX];

		status = published_tile(run->source, level, number, width, &tile, path, reterr);
		for (unsigned int i = 0; i < width && status == AZ_OK; i++) {
			uint64_t at = number * TILE_WIDTH + i;
			unsigned int shift = 8 * level;

			if (!hash_is_equal(hashes[at], tile.data + (size_t)i * TREE_HASH_SIZE))
				status = az_fail(reterr, AZ_FORGED,
				    "%s, at byte %u, is not the hash over entries %llu to %llu",
				    path, i * (unsigned int)TREE_HASH_SIZE,
				    (unsigned long long)(at << shift),
				    (unsigned long long)((at + 1) << shift) - 1);
		}
	}
	buffer_fini(&tile);
	return status;
}

static enum az_status
check_levels(struct run *run, struct az_err *reterr)
{
	uint64_t count = tile_count(1, run->check->size);
	uint8_t(*below)[TREE_HASH_SIZE] = NULL; /* of the level before, if it is not run->hashes */
	uint8_t(*hashes)[TREE_HASH_SIZE] = run->hashes;
	enum az_status status = AZ_OK;

	for (unsigned int level = 1; count > 0 && status == AZ_OK; level++) {
		uint64_t next = count / TILE_WIDTH;
		uint8_t(*above)[TREE_HASH_SIZE];

		status = check_level(
		    run, level, (const uint8_t(*)[TREE_HASH_SIZE])hashes, count, reterr);
		if (status != AZ_OK)
			break;
		above = calloc((size_t)next + 1, sizeof(*above));
		if (above == NULL) {
			status = az_fail(reterr, AZ_NO_MEMORY, "log: out of memory");
			break;
		}
		for (uint64_t i = 0; i < next; i++) {
			struct tree tree = {0};

			for (unsigned int k = 0; k < TILE_WIDTH; k++)
				tree_append(&tree, hashes[i * TILE_WIDTH + k]);
			tree_root(&tree, above[i]);
		}
		free(below);
		below = above;
		hashes = above;
		count = next;
	}
	free(below);
	return status;
}

/* --- roots ------------------------------------------------------------------------------------ */

/* A size whose root will be asked for. */
static void
keep(struct run *run, uint64_t size)
{
	if (size % TILE_WIDTH != 0)
		run->kept[run->kept_count++].bundle = size / TILE_WIDTH;
}

static void
root_at(const struct run *run, uint64_t size, uint8_t ret_root[TREE_HASH_SIZE])
{
	struct tree tree = {0};
	const struct kept *kept = run->kept;

	for (uint64_t i = 0; i < size / TILE_WIDTH; i++)
		tree_append_subtree(&tree, 8, run->hashes[i]);
	while (size % TILE_WIDTH != 0 && kept->bundle != size / TILE_WIDTH)
		kept++;
	for (uint64_t i = 0; i < size % TILE_WIDTH; i++)
		tree_append(&tree, kept->leaves + i * TREE_HASH_SIZE);
	tree_root(&tree, ret_root);
}

static enum az_status
check_root(const struct run *run, const struct checkpoint *checkpoint, const char *what,
    struct az_err *reterr)
{
	uint8_t root[TREE_HASH_SIZE];

	root_at(run, checkpoint->size, root);
	if (hash_is_equal(root, checkpoint->root))
		return AZ_OK;
	return az_fail(reterr, AZ_FORGED, "the first %llu entries are not those of %s",
	    (unsigned long long)checkpoint->size, what);
}

/* --- checkpoints ------------------------------------------------------------------------------ */

/* The three that a log is held against; the notes own the bytes. */
struct checkpoints {
	struct buffer note, cosigned_note;
	struct checkpoint signed_one, newest, cosigned;
	bool has_newest, has_cosigned;
};

/* A file beside the log that is not another log's. */
static enum az_status
open_signed(struct bytes bytes, const struct note_key *key, const char *what,
    struct checkpoint *ret_checkpoint, struct az_err *reterr)
{
	struct az_err err = {0};
	enum az_status status = checkpoint_open_signed(bytes, key, ret_checkpoint, &err);

	return status == AZ_OK ? AZ_OK : az_fail(reterr, status, "%s: %s", what, err.text);
}

static enum az_status
open_cosigned(const struct published_log *source, struct log_check *check,
    struct checkpoints *checkpoints, struct az_err *reterr)
{
	struct az_err err = {0};
	const char *what = "cosigned";
	struct buffer *note = &checkpoints->cosigned_note;
	enum az_status status = source->read(source->arg, what, note, &err);

	if (status == AZ_NOT_FOUND) {
		what = "checkpoint";
		buffer_clear(note);
		status = buffer_append(note, buffer_peek(&checkpoints->note));
	}
	if (status != AZ_OK)
		return az_fail(reterr, status, "%s: %s", what, err.text);
	status = open_signed(buffer_peek(note), check->key, what, &checkpoints->cosigned, reterr);
	if (status != AZ_OK)
		return status;
	status = note_check(&checkpoints->cosigned.note, check->witness, &check->witnessed_s, &err);
	if (status == AZ_NOT_FOUND)
		return az_fail(reterr, AZ_FORGED, "%s: the witness %s has not cosigned it", what,
		    check->witness->name);
	if (status != AZ_OK)
		return az_fail(reterr, status, "%s: %s", what, err.text);
	checkpoints->has_cosigned = true;
	check->witnessed_size = checkpoints->cosigned.size;
	return AZ_OK;
}

static enum az_status
open_checkpoints(const struct published_log *source, struct log_check *check,
    struct checkpoints *checkpoints, struct az_err *reterr)
{
	struct az_err err = {0};
	enum az_status status = source->read(source->arg, "checkpoint", &checkpoints->note, &err);

	if (status != AZ_OK)
		return az_fail(
		    reterr, status == AZ_LIMIT ? AZ_CORRUPT : status, "checkpoint: %s", err.text);
	status = open_signed(buffer_peek(&checkpoints->note), check->key, "checkpoint",
	    &checkpoints->signed_one, reterr);
	if (status == AZ_OK && check->newest.size > 0) {
		status = open_signed(check->newest, check->key, "the newest checkpoint known",
		    &checkpoints->newest, reterr);
		checkpoints->has_newest = status == AZ_OK;
		check->newest_size = checkpoints->newest.size;
	}
	if (status == AZ_OK && check->witness != NULL)
		status = open_cosigned(source, check, checkpoints, reterr);
	if (status != AZ_OK)
		return status;
	check->size = checkpoints->signed_one.size;
	if (check->newest_size > check->size || check->witnessed_size > check->size) {
		uint64_t known = check->newest_size > check->witnessed_size ? check->newest_size
									    : check->witnessed_size;
		return az_fail(reterr, AZ_FORGED,
		    "entries %llu to %llu are missing: the log was signed with %llu before",
		    (unsigned long long)check->size, (unsigned long long)(known - 1),
		    (unsigned long long)known);
	}
	if (check->size > SIZE_MAX_OF_LOG)
		return az_fail(reterr, AZ_LIMIT, "a log of %llu entries is too large",
		    (unsigned long long)check->size);
	return AZ_OK;
}

/* --- the whole -------------------------------------------------------------------------------- */

static enum az_status
run_all(struct run *run, const struct checkpoints *checkpoints, struct az_err *reterr)
{
	struct log_check *check = run->check;
	enum az_status status;

	run->bundles = (check->size + TILE_WIDTH - 1) / TILE_WIDTH;
	run->hashes = calloc((size_t)run->bundles + 1, sizeof(*run->hashes));
	run->spans = calloc((size_t)run->bundles + 1, sizeof(*run->spans));
	if (run->hashes == NULL || run->spans == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "log: out of memory");
	keep(run, check->size);
	keep(run, check->newest_size);
	keep(run, check->witnessed_size);
	status = hash_all(run, reterr);
	if (status == AZ_OK)
		status = check_levels(run, reterr);
	if (status == AZ_OK)
		status = check_root(run, &checkpoints->signed_one, "the signed checkpoint", reterr);
	if (status == AZ_OK && checkpoints->has_newest)
		status = check_root(run, &checkpoints->newest,
		    "the newest checkpoint known: the log's key signed two histories", reterr);
	if (status == AZ_OK && checkpoints->has_cosigned)
		status = check_root(run, &checkpoints->cosigned, "the cosigned checkpoint", reterr);
	if (status == AZ_OK)
		status = check_times(run, reterr);
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
	struct checkpoints checkpoints = {0};
	struct run *run = calloc(1, sizeof(*run));
	enum az_status status;

	if (run == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "log: out of memory");
	*run = (struct run){.source = source, .check = check, .bad = UINT64_MAX};
	(void)pthread_mutex_init(&run->lock, NULL);
	(void)pthread_cond_init(&run->ended, NULL);
	check->newest_size = check->witnessed_size = 0;
	buffer_init(&checkpoints.note, NOTE_MAX, false);
	buffer_init(&checkpoints.cosigned_note, NOTE_MAX, false);
	status = open_checkpoints(source, check, &checkpoints, reterr);
	if (status == AZ_OK)
		status = run_all(run, &checkpoints, reterr);
	buffer_fini(&checkpoints.note);
	buffer_fini(&checkpoints.cosigned_note);
	(void)pthread_cond_destroy(&run->ended);
	(void)pthread_mutex_destroy(&run->lock);
	free(run->hashes);
	free(run->spans);
	free(run);
	return status;
}
