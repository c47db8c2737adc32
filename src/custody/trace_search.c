/*
 * Searching: which rows are whose, as far as fingerprints say.
 *
 * Of each run only the blocks that may have something are opened: those of kinds that the lists have, and of a short list
 * only where its own fingerprints would be. So a short list costs little in a large house.
 *
 * Of the house's fingerprints only those that the lists have, too, are held: a filter over the lists' own decides, while
 * the runs are read, what goes onto the shelf, and what nobody asked about is gone with the block it was opened in.
 */
#include <stdlib.h>
#include <string.h>

#include "custody/tracing.h"

/* --- the filter ------------------------------------------------------------------------------- */

#define FILTER_BITS_EACH 16u
#define FILTER_MIX       UINT64_C(0x9e3779b97f4a7c15)

/* Two bits for each print; which of them is from is as good as random. */
static void
filter_places(unsigned int bits, uint64_t print, uint64_t ret_places[2])
{
	ret_places[0] = print >> (64 - bits);
	ret_places[1] = (print * FILTER_MIX) >> (64 - bits);
}

static bool
filter_has(const struct tracing *tracing, uint64_t print)
{
	uint64_t places[2];

	filter_places(tracing->filter_bits, print, places);
	return (tracing->filter[places[0] / 64] >> places[0] % 64 & 1) != 0 &&
	    (tracing->filter[places[1] / 64] >> places[1] % 64 & 1) != 0;
}

#define AHEAD 16u /* prints whose places are fetched before they are marked */

static void
mark(struct tracing *tracing, uint64_t place)
{
	(void)__atomic_fetch_or(
	    &tracing->filter[place / 64], UINT64_C(1) << place % 64, __ATOMIC_RELAXED);
}

/* All threads mark in one filter: a bit is set or it is not, and nobody reads it before all are done. */
static enum az_status
mark_prints(struct tracing_worker *worker, struct az_err *reterr)
{
	struct tracing *tracing = worker->tracing;
	size_t at;

	while ((at = atomic_fetch_add(&tracing->taken, 1)) < tracing->chunk_count) {
		const struct tracing_chunk *chunk = tracing->chunks[at];
		uint64_t places[AHEAD][2];

		for (size_t p = 0; chunk != NULL && p < chunk->print_count; p += AHEAD) {
			size_t count =
			    chunk->print_count - p < AHEAD ? chunk->print_count - p : AHEAD;

			for (size_t i = 0; i < count; i++) {
				filter_places(
				    tracing->filter_bits, chunk->prints[p + i], places[i]);
				__builtin_prefetch(&tracing->filter[places[i][0] / 64], 1);
				__builtin_prefetch(&tracing->filter[places[i][1] / 64], 1);
			}
			for (size_t i = 0; i < count; i++) {
				mark(tracing, places[i][0]);
				mark(tracing, places[i][1]);
			}
		}
	}
	(void)reterr;
	return AZ_OK;
}

static enum az_status
make_filter(struct tracing *tracing, struct az_err *reterr)
{
	size_t prints = 0;

	for (size_t i = 0; i < tracing->chunk_count; i++)
		prints += tracing->chunks[i] != NULL ? tracing->chunks[i]->print_count : 0;
	tracing->filter_bits = 12;
	while (((uint64_t)1 << tracing->filter_bits) < prints * FILTER_BITS_EACH)
		tracing->filter_bits++;
	tracing->filter =
	    calloc(((size_t)1 << tracing->filter_bits) / 64, sizeof(*tracing->filter));
	if (tracing->filter == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "trace: out of memory");
	return tracing_together(tracing, mark_prints, reterr);
}

/* --- what is wanted --------------------------------------------------------------------------- */

/* From so many prints on nearly every block has one of them, and it is not worth asking which. */
#define WANTED_MAX ((size_t)1 << 16)

static int
compare_prints(const void *a, const void *b)
{
	const uint64_t *one = a;
	const uint64_t *other = b;

	return *one < *other ? -1 : *one > *other;
}

/* How many prints of each kind the lists have. */
static size_t
count_prints(const struct tracing *tracing, size_t counts[MATCH_KINDS])
{
	size_t all = 0;

	for (size_t i = 0; i < tracing->chunk_count; i++) {
		const struct tracing_chunk *chunk = tracing->chunks[i];

		for (size_t p = 0; chunk != NULL && p < chunk->print_count; p++)
			counts[chunk->kinds[p]]++;
		all += chunk != NULL ? chunk->print_count : 0;
	}
	return all;
}

/* Of kinds that the lists do not have nothing is read; of a short list only the blocks where its prints would be. */
static enum az_status
make_wanted(struct tracing *tracing, struct az_err *reterr)
{
	size_t counts[MATCH_KINDS] = {0};
	size_t all = count_prints(tracing, counts);
	uint64_t *prints[MATCH_KINDS] = {0};
	uint64_t *next;

	tracing->wanted = (struct trace_wanted){0};
	if (all > 0 && all <= WANTED_MAX &&
	    !pages_new(all * sizeof(*next), &tracing->wanted_prints))
		return az_fail(reterr, AZ_NO_MEMORY, "trace: out of memory");
	next = all <= WANTED_MAX ? tracing->wanted_prints.data : NULL;
	for (unsigned int kind = 0; kind < MATCH_KINDS; kind++) {
		tracing->wanted.kinds[kind].count = counts[kind];
		tracing->wanted.kinds[kind].prints = next;
		prints[kind] = next;
		next = next == NULL ? NULL : next + counts[kind];
	}
	for (size_t i = 0; i < tracing->chunk_count && all <= WANTED_MAX; i++) {
		const struct tracing_chunk *chunk = tracing->chunks[i];

		for (size_t p = 0; chunk != NULL && p < chunk->print_count; p++)
			*prints[chunk->kinds[p]]++ = chunk->prints[p];
	}
	for (unsigned int kind = 0; kind < MATCH_KINDS && all <= WANTED_MAX; kind++) {
		if (counts[kind] > 1)
			qsort(prints[kind] - counts[kind], counts[kind], sizeof(uint64_t),
			    compare_prints);
	}
	return AZ_OK;
}

/* --- the shelf -------------------------------------------------------------------------------- */

#define HELD_MAX    4000u
#define UNIT_BLOCKS 256u /* that a thread reads at once */

struct filling {
	struct tracing *tracing;
	uint32_t client;
	size_t held_count;
	enum match_kind kind; /* of what is held */
	struct trace_print held[HELD_MAX];
};

static enum az_status
put_on_shelf(struct filling *filling, struct az_err *reterr)
{
	struct tracing *tracing = filling->tracing;
	enum az_status status;

	if (filling->held_count == 0)
		return AZ_OK;
	(void)pthread_mutex_lock(&tracing->lock);
	status = trace_shelf_add(tracing->shelf, filling->client, filling->kind, filling->held,
	    filling->held_count, reterr);
	(void)pthread_mutex_unlock(&tracing->lock);
	filling->held_count = 0;
	return status;
}

static enum az_status
visit_prints(void *arg, enum match_kind kind, const struct trace_print *prints, size_t count,
    struct az_err *reterr)
{
	struct filling *filling = arg;
	struct tracing *tracing = filling->tracing;
	enum az_status status = AZ_OK;

	if (tracing_is_over(tracing))
		return az_fail(reterr, AZ_GONE, "trace: given up");
	if (kind != filling->kind || filling->held_count + count > HELD_MAX)
		status = put_on_shelf(filling, reterr);
	filling->kind = kind;
	for (size_t i = 0; i < count && status == AZ_OK; i++) {
		if (!filter_has(tracing, wire_load_u64be(prints[i].bytes)))
			continue;
		if (filling->held_count == HELD_MAX)
			status = put_on_shelf(filling, reterr);
		filling->held[filling->held_count++] = prints[i];
	}
	return status;
}

static enum az_status
open_indexes(struct tracing_worker *worker, struct az_err *reterr)
{
	struct tracing *tracing = worker->tracing;
	const struct custody *custody = tracing->custody;
	enum az_status status = AZ_OK;
	size_t at;

	while (status == AZ_OK &&
	    (at = atomic_fetch_add(&tracing->taken, 1)) < tracing->source_count) {
		struct tracing_source *source = &tracing->sources[at];

		if (!source->has_prints)
			continue;
		status = trace_index_open(custody->trace_dirfd, custody->config.house,
		    source->consignment, source->prints, source->sha256, &source->index, reterr);
		/* One that is missing was taken away: not a search of it that found nothing. */
		if (status == AZ_NOT_FOUND)
			status = az_fail(reterr, AZ_FORGED,
			    "consignment %llu: its fingerprints are missing",
			    (unsigned long long)source->consignment);
	}
	return status;
}

static void
count_units(struct tracing *tracing)
{
	tracing->unit_count = 0;
	for (size_t i = 0; i < tracing->source_count; i++) {
		struct tracing_source *source = &tracing->sources[i];
		size_t blocks = source->index != NULL ? trace_index_blocks(source->index) : 0;

		source->first_unit = tracing->unit_count;
		tracing->unit_count += (blocks + UNIT_BLOCKS - 1) / UNIT_BLOCKS;
	}
}

/* Whose the unit is: the last source that begins at it or before. */
static struct tracing_source *
source_of_unit(struct tracing *tracing, size_t unit)
{
	size_t low = 0;
	size_t high = tracing->source_count;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (tracing->sources[middle].first_unit <= unit)
			low = middle;
		else
			high = middle;
	}
	return &tracing->sources[low];
}

static enum az_status
fill_shelf(struct tracing_worker *worker, struct az_err *reterr)
{
	struct tracing *tracing = worker->tracing;
	struct filling *filling = calloc(1, sizeof(*filling));
	enum az_status status = AZ_OK;
	size_t unit;

	if (filling == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "trace: out of memory");
	filling->tracing = tracing;
	while (status == AZ_OK &&
	    (unit = atomic_fetch_add(&tracing->taken, 1)) < tracing->unit_count) {
		const struct tracing_source *source = source_of_unit(tracing, unit);
		size_t first = (unit - source->first_unit) * UNIT_BLOCKS;

		filling->client = source->client + 1;
		status = trace_index_read(source->index, tracing->custody->trace_dirfd,
		    source->prints, first, first + UNIT_BLOCKS, &tracing->wanted, visit_prints,
		    filling, reterr);
		if (status == AZ_OK)
			status = put_on_shelf(filling, reterr);
	}
	az_wipe(filling, sizeof(*filling));
	free(filling);
	return status;
}

/* --- searching -------------------------------------------------------------------------------- */

struct searching {
	struct tracing_worker *worker;
	struct tracing_chunk *chunk;
	uint32_t chunk_at;
	enum az_status status;
	struct az_err err;
};

static enum az_status
note_pair(struct searching *searching, size_t row, uint32_t record)
{
	struct tracing_worker *worker = searching->worker;
	enum az_status status = tracing_grow(&worker->pairs, worker->pair_count, &worker->pair_room,
	    sizeof(*worker->pairs), &searching->err);

	if (status == AZ_OK)
		worker->pairs[worker->pair_count++] = (struct tracing_pair){
		    .record = record, .chunk = searching->chunk_at, .row = (uint16_t)row};
	return status;
}

static enum az_status
note_shown(struct searching *searching, const struct trace_row_verdict *verdict)
{
	struct tracing_worker *worker = searching->worker;
	enum az_status status = AZ_OK;

	for (size_t i = 0; i < verdict->count && status == AZ_OK; i++) {
		status = tracing_grow(&worker->shown, worker->shown_count, &worker->shown_room,
		    sizeof(*worker->shown), &searching->err);
		if (status == AZ_OK)
			worker->shown[worker->shown_count++] = verdict->links[i].record;
	}
	return status;
}

static void
found_row(void *arg, size_t row, const struct trace_found *found)
{
	struct searching *searching = arg;
	struct tracing *tracing = searching->worker->tracing;
	AZ_UNCLEARED struct trace_row_verdict verdict;

	if (searching->status != AZ_OK)
		return;
	verdict.verdict = TRACE_NOT_FOUND;
	verdict.count = 0;
	searching->chunk->verdicts[row].namesakes = found->namesakes;
	if (!trace_found_decides(found, tracing->people)) {
		for (size_t i = 0;
		     i < found->count && i < TRACING_OPENED_MAX && searching->status == AZ_OK; i++)
			searching->status = note_pair(searching, row, found->candidates[i].record);
		/* Whose prints are too common to say anything is nobody's, until it is compared. */
		if (searching->status == AZ_OK)
			searching->status =
			    tracing_keep(searching->chunk, row, &verdict, &searching->err);
		return;
	}
	trace_judge_found(found, tracing->people, &verdict);
	searching->status = tracing_keep(searching->chunk, row, &verdict, &searching->err);
	if (searching->status == AZ_OK && tracing->wants_rows)
		searching->status = note_shown(searching, &verdict);
}

static enum az_status
search_chunks(struct tracing_worker *worker, struct az_err *reterr)
{
	struct tracing *tracing = worker->tracing;
	struct pages probes = {0};
	struct searching searching = {.worker = worker, .status = AZ_OK};
	size_t room = INTAKE_ROWS_MAX * TRACE_PROBES_MAX;
	size_t at;

	if (!pages_new(room * sizeof(struct trace_probe), &probes))
		return az_fail(reterr, AZ_NO_MEMORY, "trace: out of memory");
	while (searching.status == AZ_OK &&
	    (at = atomic_fetch_add(&tracing->taken, 1)) < tracing->chunk_count) {
		struct trace_probe *probe = probes.data;

		if (tracing_is_over(tracing))
			searching.status = az_fail(&searching.err, AZ_GONE, "trace: given up");
		if (searching.status != AZ_OK || tracing->chunks[at] == NULL)
			continue;
		searching.chunk = tracing->chunks[at];
		searching.chunk_at = (uint32_t)at;
		for (size_t p = 0; p < searching.chunk->print_count; p++)
			probe[p] = (struct trace_probe){.print = searching.chunk->prints[p],
			    .kind = (enum match_kind)searching.chunk->kinds[p]};
		trace_shelf_search(tracing->shelf, probe, searching.chunk->counts,
		    searching.chunk->count, found_row, &searching);
	}
	pages_free(&probes);
	if (searching.status != AZ_OK)
		*reterr = searching.err;
	return searching.status;
}

/* --- what must be opened ---------------------------------------------------------------------- */

static int
compare_pairs(const void *a, const void *b)
{
	const struct tracing_pair *one = a;
	const struct tracing_pair *other = b;

	if (one->record != other->record)
		return one->record < other->record ? -1 : 1;
	if (one->chunk != other->chunk)
		return one->chunk < other->chunk ? -1 : 1;
	return one->row < other->row ? -1 : one->row > other->row;
}

static int
compare_records(const void *a, const void *b)
{
	const uint32_t *one = a;
	const uint32_t *other = b;

	return *one < *other ? -1 : *one > *other;
}

/* All pairs of the workers, by record. */
static enum az_status
gather_pairs(struct tracing *tracing, struct az_err *reterr)
{
	size_t count = 0;

	for (unsigned int i = 0; i < tracing->worker_count; i++)
		count += tracing->workers[i].pair_count;
	tracing->pairs = reallocarray(NULL, count + 1, sizeof(*tracing->pairs));
	if (tracing->pairs == NULL || count > UINT32_MAX)
		return az_fail(reterr, AZ_NO_MEMORY, "trace: out of memory");
	for (unsigned int i = 0; i < tracing->worker_count; i++) {
		struct tracing_worker *worker = &tracing->workers[i];

		if (worker->pair_count > 0)
			memcpy(tracing->pairs + tracing->pair_count, worker->pairs,
			    worker->pair_count * sizeof(*worker->pairs));
		tracing->pair_count += worker->pair_count;
		free(worker->pairs);
		worker->pairs = NULL;
		worker->pair_count = 0;
		worker->pair_room = 0;
	}
	qsort(tracing->pairs, tracing->pair_count, sizeof(*tracing->pairs), compare_pairs);
	return AZ_OK;
}

/* The records of which something is opened, ascending, each once. */
static enum az_status
gather_records(
    struct tracing *tracing, uint32_t **ret_records, size_t *ret_count, struct az_err *reterr)
{
	size_t room = tracing->pair_count;
	size_t count = 0;
	size_t to = 0;
	uint32_t *records;

	for (unsigned int i = 0; i < tracing->worker_count; i++)
		room += tracing->workers[i].shown_count;
	records = reallocarray(NULL, room + 1, sizeof(*records));
	if (records == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "trace: out of memory");
	for (size_t i = 0; i < tracing->pair_count; i++) {
		if (i == 0 || tracing->pairs[i].record != tracing->pairs[i - 1].record)
			records[count++] = tracing->pairs[i].record;
	}
	for (unsigned int i = 0; i < tracing->worker_count; i++) {
		for (size_t s = 0; s < tracing->workers[i].shown_count; s++)
			records[count++] = tracing->workers[i].shown[s];
	}
	qsort(records, count, sizeof(*records), compare_records);
	for (size_t i = 0; i < count; i++) {
		if (i == 0 || records[i] != records[i - 1])
			records[to++] = records[i];
	}
	*ret_records = records;
	*ret_count = to;
	return AZ_OK;
}

/* The versions of one record, each in the newest of the lists that have it. */
struct versions {
	const struct tracing *tracing;
	struct tracing_target found[TRACE_VERSIONS_MAX];
	size_t count;
};

static bool
note_version(void *arg, const struct catalogue_entry *entry)
{
	struct versions *versions = arg;
	const struct tracing *tracing = versions->tracing;
	const struct tracing_source *source = tracing_source_of(tracing, entry->consignment);
	struct tracing_target target = {.version = entry->version};

	if (source == NULL)
		return true;
	target.source = (uint32_t)(source - tracing->sources);
	memcpy(target.digest, entry->digest, sizeof(target.digest));
	/* Consignments ascend: a later one takes the place of an earlier one. */
	for (size_t i = 0; i < versions->count; i++) {
		if (versions->found[i].version == entry->version) {
			versions->found[i] = target;
			return true;
		}
	}
	if (versions->count < TRACE_VERSIONS_MAX)
		versions->found[versions->count++] = target;
	return true;
}

/* What is opened of one record: all its versions to be compared, or any one for its number. */
static enum az_status
add_targets(struct tracing *tracing, const struct versions *versions, uint32_t record,
    uint32_t first_pair, uint32_t pair_count, size_t *room, struct az_err *reterr)
{
	size_t count = pair_count > 0 || versions->count == 0 ? versions->count : 1;
	enum az_status status = AZ_OK;

	for (size_t i = 0; i < count && status == AZ_OK; i++) {
		struct tracing_target target = versions->found[i];
		const struct tracing_source *source = &tracing->sources[target.source];
		uint8_t leaf[16];
		uint8_t hash[TREE_HASH_SIZE];

		target.record = record;
		target.first_pair = first_pair;
		target.pair_count = pair_count;
		target.tells_number = tracing->wants_rows && i == 0;
		target.number = (uint32_t)tracing->number_count;
		status = tracing_grow(&tracing->targets, tracing->target_count, room,
		    sizeof(*tracing->targets), reterr);
		if (status != AZ_OK)
			return status;
		tracing->targets[tracing->target_count++] = target;
		if (target.tells_number)
			tracing->numbers[tracing->number_count++].record = record;
		wire_store_u32(leaf, record);
		wire_store_u32(leaf + 4, target.version);
		wire_store_u64(leaf + 8, source->consignment);
		tree_leaf(bytes_make(leaf, sizeof(leaf)), hash);
		tree_append(&tracing->clients[source->client].opened, hash);
	}
	return status;
}

static enum az_status
list_targets(struct tracing *tracing, const uint32_t *records, size_t count,
    struct catalogue_reader *reader, struct az_err *reterr)
{
	size_t pair = 0;
	size_t room = 0;
	enum az_status status = AZ_OK;

	for (size_t i = 0; i < count && status == AZ_OK; i++) {
		struct versions versions = {.tracing = tracing};
		size_t first = pair;

		while (pair < tracing->pair_count && tracing->pairs[pair].record == records[i])
			pair++;
		status = catalogue_entries(reader, records[i], note_version, &versions, reterr);
		/* A list may have ended since its fingerprints were read. */
		if (status == AZ_NOT_FOUND)
			status = AZ_OK;
		if (status == AZ_OK)
			status = add_targets(tracing, &versions, records[i], (uint32_t)first,
			    (uint32_t)(pair - first), &room, reterr);
	}
	return status;
}

static enum az_status
gather_targets(struct tracing *tracing, struct az_err *reterr)
{
	struct catalogue_reader *reader = NULL;
	uint32_t *records = NULL;
	size_t count = 0;
	enum az_status status = gather_pairs(tracing, reterr);

	if (status == AZ_OK)
		status = gather_records(tracing, &records, &count, reterr);
	if (status == AZ_OK) {
		tracing->numbers = calloc(count + 1, sizeof(*tracing->numbers));
		if (tracing->numbers == NULL)
			status = az_fail(reterr, AZ_NO_MEMORY, "trace: out of memory");
	}
	if (status == AZ_OK)
		status = catalogue_reader_new(tracing->custody->catalogue, &reader, reterr);
	if (status == AZ_OK)
		status = catalogue_reader_renew(reader, reterr);
	if (status == AZ_OK)
		status = list_targets(tracing, records, count, reader, reterr);
	catalogue_reader_free(&reader);
	free(records);
	return status;
}

enum az_status
tracing_search(struct tracing *tracing, struct az_err *reterr)
{
	enum az_status status = make_filter(tracing, reterr);

	if (status == AZ_OK)
		status = make_wanted(tracing, reterr);
	if (status == AZ_OK)
		status = trace_shelf_new(TRACING_SHELF_MAX, &tracing->shelf, reterr);
	if (status == AZ_OK)
		status = tracing_together(tracing, open_indexes, reterr);
	count_units(tracing);
	if (status == AZ_OK)
		status = tracing_together(tracing, fill_shelf, reterr);
	for (size_t i = 0; i < tracing->source_count; i++)
		trace_index_free(&tracing->sources[i].index);
	pages_free(&tracing->wanted_prints);
	free(tracing->filter);
	tracing->filter = NULL;
	if (status == AZ_OK)
		status = trace_shelf_close(tracing->shelf, tracing->worker_count, reterr);
	if (status == AZ_OK)
		status = tracing_together(tracing, search_chunks, reterr);
	/* Nothing is searched for any more. */
	trace_shelf_free(&tracing->shelf);
	return status == AZ_OK ? gather_targets(tracing, reterr) : status;
}
