/*
 * Prints in buckets: those of a kind lie in one array, sorted by their number, and an index over the first bits says
 * where each bucket of about four begins. SipHash spreads them evenly, so a search is two reads of memory, and those
 * of many rows are begun together, so that they wait for memory at the same time.
 *
 * While it is filled, a kind is a list of pieces as they came. Closing counts the buckets, puts each print into its
 * own, and sorts inside: memory for one kind more than there is at the end.
 */
#include "trace/shelf.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/wire.h"
#include "crypto/siphash.h"

#define PIECE_ENTRIES   65536u
#define BUCKET_USUAL    4u
#define ROWS_AT_ONCE    16u
#define STRENGTH_MARGIN 6u /* bits beyond the number of people */
#define STRENGTH_NEAR   12u

struct entry {
	uint64_t print;
	uint32_t record;
	uint32_t version;
};

struct piece {
	struct piece *next;
	size_t count;
	struct entry entries[PIECE_ENTRIES];
};

struct kind_shelf {
	struct piece *pieces;
	size_t count;
	struct pages sorted; /* struct entry */
	struct pages index;  /* uint32_t, one more than buckets */
	unsigned int shift;
};

struct trace_shelf {
	size_t limit;
	size_t size;
	struct kind_shelf kinds[MATCH_KINDS];
	uint16_t *clients; /* by record */
	size_t client_room;
	bool closed;
};

/* --- memory ----------------------------------------------------------------------------------- */

enum az_status
trace_shelf_new(size_t limit, struct trace_shelf **ret_shelf, struct az_err *reterr)
{
	struct trace_shelf *shelf = calloc(1, sizeof(*shelf));

	if (shelf == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "fingerprints: out of memory");
	shelf->limit = limit;
	*ret_shelf = shelf;
	return AZ_OK;
}

static void
pieces_free(struct kind_shelf *kind)
{
	while (kind->pieces != NULL) {
		struct piece *piece = kind->pieces;
		struct pages block = {.data = piece, .size = sizeof(*piece)};

		kind->pieces = piece->next;
		pages_free(&block);
	}
}

void
trace_shelf_free(struct trace_shelf **shelf)
{
	if (*shelf == NULL)
		return;
	for (unsigned int kind = 0; kind < MATCH_KINDS; kind++) {
		pieces_free(&(*shelf)->kinds[kind]);
		pages_free(&(*shelf)->kinds[kind].sorted);
		pages_free(&(*shelf)->kinds[kind].index);
	}
	free((*shelf)->clients);
	free(*shelf);
	*shelf = NULL;
}

/* --- filling ---------------------------------------------------------------------------------- */

static enum az_status
note_client(struct trace_shelf *shelf, uint32_t record, uint32_t client, struct az_err *reterr)
{
	if (client == 0 || client > UINT16_MAX)
		return az_fail(reterr, AZ_INVALID, "fingerprints: no client %u", client);
	if (record >= shelf->client_room) {
		size_t room = shelf->client_room < 1024 ? 1024 : shelf->client_room;
		uint16_t *grown;

		while (room <= record)
			room *= 2;
		grown = realloc(shelf->clients, room * sizeof(*grown));
		if (grown == NULL)
			return az_fail(reterr, AZ_NO_MEMORY, "fingerprints: out of memory");
		memset(grown + shelf->client_room, 0, (room - shelf->client_room) * sizeof(*grown));
		shelf->size += (room - shelf->client_room) * sizeof(*grown);
		shelf->clients = grown;
		shelf->client_room = room;
	}
	shelf->clients[record] = (uint16_t)client;
	return AZ_OK;
}

/* Another piece to be filled. */
static enum az_status
open_piece(struct trace_shelf *shelf, struct kind_shelf *kind, struct az_err *reterr)
{
	struct pages block;
	struct piece *piece;

	if (shelf->size + sizeof(struct piece) > shelf->limit)
		return az_fail(reterr, AZ_LIMIT,
		    "fingerprints: more than %zu MiB are needed in memory", shelf->limit >> 20);
	if (!pages_new(sizeof(struct piece), &block))
		return az_fail(reterr, AZ_NO_MEMORY, "fingerprints: out of memory");
	piece = block.data;
	piece->next = kind->pieces;
	kind->pieces = piece;
	shelf->size += sizeof(*piece);
	return AZ_OK;
}

enum az_status
trace_shelf_add(struct trace_shelf *shelf, uint32_t client, enum match_kind kind,
    const struct trace_print *prints, size_t count, struct az_err *reterr)
{
	struct kind_shelf *of = &shelf->kinds[kind];
	enum az_status status = AZ_OK;

	if (shelf->closed || !trace_has_kind(kind))
		return az_fail(reterr, AZ_INTERNAL, "fingerprints: cannot be added to");
	for (size_t i = 0; i < count && status == AZ_OK; i++) {
		uint32_t record = wire_load_u32be(prints[i].bytes + 8);

		if (record >= shelf->client_room || shelf->clients[record] != client)
			status = note_client(shelf, record, client, reterr);
		if (status == AZ_OK && (of->pieces == NULL || of->pieces->count == PIECE_ENTRIES))
			status = open_piece(shelf, of, reterr);
		if (status != AZ_OK)
			break;
		of->pieces->entries[of->pieces->count++] =
		    (struct entry){.print = wire_load_u64be(prints[i].bytes),
			.record = record,
			.version = wire_load_u32be(prints[i].bytes + 12)};
		of->count++;
	}
	return status;
}

/* --- closing ---------------------------------------------------------------------------------- */

static bool
is_before(const struct entry *a, const struct entry *b)
{
	if (a->print != b->print)
		return a->print < b->print;
	if (a->record != b->record)
		return a->record < b->record;
	return a->version < b->version;
}

static int
compare_entries(const void *a, const void *b)
{
	return is_before(a, b) ? -1 : is_before(b, a);
}

/* Buckets are short; one that many people share (a filler that got through) is not. */
static void
sort_bucket(struct entry *entries, size_t count)
{
	if (count > 32) {
		qsort(entries, count, sizeof(*entries), compare_entries);
		return;
	}
	for (size_t i = 1; i < count; i++) {
		struct entry moved = entries[i];
		size_t at = i;

		for (; at > 0 && is_before(&moved, &entries[at - 1]); at--)
			entries[at] = entries[at - 1];
		entries[at] = moved;
	}
}

/* Puts every print into its bucket: index[b] is where bucket b ends, as long as it is filled from behind. */
static void
scatter(struct kind_shelf *kind, struct entry *sorted, uint32_t *index, size_t buckets)
{
	uint32_t sum = 0;

	for (const struct piece *piece = kind->pieces; piece != NULL; piece = piece->next) {
		for (size_t i = 0; i < piece->count; i++)
			index[piece->entries[i].print >> kind->shift]++;
	}
	for (size_t b = 0; b <= buckets; b++) {
		sum += index[b];
		index[b] = sum;
	}
	for (const struct piece *piece = kind->pieces; piece != NULL; piece = piece->next) {
		for (size_t i = 0; i < piece->count; i++)
			sorted[--index[piece->entries[i].print >> kind->shift]] = piece->entries[i];
	}
}

/* Sorts the buckets and moves them together, leaving each print once. */
static size_t
sort_and_squeeze(struct entry *sorted, uint32_t *index, size_t buckets)
{
	size_t to = 0;

	for (size_t b = 0; b < buckets; b++) {
		size_t from = index[b];
		size_t end = index[b + 1];

		sort_bucket(sorted + from, end - from);
		index[b] = (uint32_t)to;
		for (size_t i = from; i < end; i++) {
			if (i > from && !is_before(&sorted[i - 1], &sorted[i]))
				continue;
			sorted[to++] = sorted[i];
		}
	}
	index[buckets] = (uint32_t)to;
	return to;
}

static bool
close_kind(struct kind_shelf *kind)
{
	size_t buckets = 1;

	if (kind->count == 0)
		return true;
	kind->shift = 64;
	while (buckets * BUCKET_USUAL < kind->count || buckets < 2) {
		buckets *= 2;
		kind->shift--;
	}
	if (kind->count > UINT32_MAX ||
	    !pages_new(kind->count * sizeof(struct entry), &kind->sorted) ||
	    !pages_new((buckets + 1) * sizeof(uint32_t), &kind->index))
		return false;
	scatter(kind, kind->sorted.data, kind->index.data, buckets);
	pieces_free(kind);
	kind->count = sort_and_squeeze(kind->sorted.data, kind->index.data, buckets);
	return true;
}

struct closing {
	struct trace_shelf *shelf;
	atomic_uint next;
	atomic_bool failed;
};

static void *
close_kinds(void *arg)
{
	struct closing *closing = arg;
	unsigned int kind;

	while ((kind = atomic_fetch_add(&closing->next, 1)) < MATCH_KINDS) {
		if (!close_kind(&closing->shelf->kinds[kind]))
			atomic_store(&closing->failed, true);
	}
	return NULL;
}

#define CLOSE_THREADS_MAX 8u

enum az_status
trace_shelf_close(struct trace_shelf *shelf, unsigned int threads, struct az_err *reterr)
{
	struct closing closing = {.shelf = shelf};
	pthread_t helpers[CLOSE_THREADS_MAX];
	unsigned int started = 0;

	shelf->closed = true;
	while (started + 1 < threads && started < CLOSE_THREADS_MAX &&
	    pthread_create(&helpers[started], NULL, close_kinds, &closing) == 0)
		started++;
	(void)close_kinds(&closing);
	for (unsigned int i = 0; i < started; i++)
		(void)pthread_join(helpers[i], NULL);
	if (atomic_load(&closing.failed))
		return az_fail(reterr, AZ_NO_MEMORY, "fingerprints: out of memory");
	shelf->size = shelf->client_room * sizeof(*shelf->clients);
	for (unsigned int kind = 0; kind < MATCH_KINDS; kind++)
		shelf->size += shelf->kinds[kind].sorted.size + shelf->kinds[kind].index.size;
	return AZ_OK;
}

size_t
trace_shelf_count(const struct trace_shelf *shelf, enum match_kind kind)
{
	return shelf->kinds[kind].count;
}

size_t
trace_shelf_size(const struct trace_shelf *shelf)
{
	return shelf->size;
}

uint32_t
trace_shelf_client(const struct trace_shelf *shelf, uint32_t record)
{
	return record < shelf->client_room ? shelf->clients[record] : 0;
}

/* --- searching -------------------------------------------------------------------------------- */

/* What a kind rests on. */
enum {
	ON_NAME = 1,
	ON_READING = 2,
	ON_BIRTH = 4,
	ON_PHONE = 8,
	ON_EMAIL = 16,
	ON_PLACE = 32,
	ON_BUILDING = 64,
	ON_REGION = 128,
};

static unsigned int
rests_on(unsigned int kind)
{
	static const uint8_t on[MATCH_KINDS] = {
	    [MATCH_PHONE] = ON_PHONE,
	    [MATCH_EMAIL] = ON_EMAIL,
	    [MATCH_NAME_BIRTH] = ON_NAME | ON_BIRTH,
	    [MATCH_NAME_PLACE] = ON_NAME | ON_PLACE,
	    [MATCH_KANA_BIRTH] = ON_READING | ON_BIRTH,
	    [MATCH_PLACE_BUILDING] = ON_PLACE | ON_BUILDING,
	    [MATCH_NAME] = ON_NAME,
	    [MATCH_BIRTH_REGION] = ON_BIRTH | ON_REGION,
	    [MATCH_POSTCODE_NUMBER] = ON_PLACE | ON_REGION,
	};

	return on[kind];
}

unsigned int
trace_kinds_strength(uint16_t kinds)
{
	/* Bits each is worth, rather low: names and towns are not spread evenly, and households share the rest. */
	static const struct {
		unsigned int on, bits;
	} worth[] = {{ON_NAME, 11}, {ON_READING, 9}, {ON_BIRTH, 13}, {ON_PHONE, 20}, {ON_EMAIL, 22},
	    {ON_PLACE, 13}, {ON_BUILDING, 2}, {ON_REGION, 3}};
	unsigned int all = 0;
	unsigned int shared = UINT32_MAX;
	unsigned int bits = 0;

	for (unsigned int kind = 0; kind < MATCH_KINDS; kind++) {
		if ((kinds & (1u << kind)) == 0)
			continue;
		all |= rests_on(kind);
		shared &= rests_on(kind);
	}
	if (shared != 0 || (all & (ON_NAME | ON_READING | ON_BIRTH | ON_EMAIL)) == 0)
		return 0;
	for (size_t i = 0; i < AZ_ARRAY_SIZE(worth); i++)
		bits += (all & worth[i].on) != 0 ? worth[i].bits : 0;
	/* A name and its reading are one thing. */
	return (all & ON_NAME) != 0 && (all & ON_READING) != 0 ? bits - 9 : bits;
}

/* One print's entries. */
struct range {
	const struct entry *first;
	size_t count;
	enum match_kind kind;
};

static void
prefetch_index(const struct trace_shelf *shelf, const struct trace_probe *probe)
{
	const struct kind_shelf *kind = &shelf->kinds[probe->kind];

	if (kind->count > 0)
		__builtin_prefetch(
		    (const uint32_t *)kind->index.data + (probe->print >> kind->shift));
}

static void
prefetch_entries(const struct trace_shelf *shelf, const struct trace_probe *probe)
{
	const struct kind_shelf *kind = &shelf->kinds[probe->kind];

	if (kind->count > 0) {
		const uint32_t *index = kind->index.data;

		__builtin_prefetch(
		    (const struct entry *)kind->sorted.data + index[probe->print >> kind->shift]);
	}
}

/* Clients are asked for when the hits are sorted. */
static void
prefetch_client(const struct trace_shelf *shelf, uint32_t record)
{
	if (record < shelf->client_room)
		__builtin_prefetch(shelf->clients + record);
}

static struct range
find_range(const struct trace_shelf *shelf, const struct trace_probe *probe)
{
	const struct kind_shelf *kind = &shelf->kinds[probe->kind];
	const struct entry *sorted = kind->sorted.data;
	const uint32_t *index = kind->index.data;
	struct range range = {.kind = probe->kind};
	size_t at, end;

	if (kind->count == 0)
		return range;
	at = index[probe->print >> kind->shift];
	end = index[(probe->print >> kind->shift) + 1];
	while (at < end && sorted[at].print < probe->print)
		at++;
	range.first = sorted + at;
	while (at < end && sorted[at].print == probe->print) {
		at++;
		range.count++;
	}
	return range;
}

/* One version of a record, and the kinds it has in common with the row. */
struct hit {
	uint32_t record;
	uint32_t version;
	uint16_t kinds;
};

#define HITS_MAX 1024u

static int
compare_hits(const void *a, const void *b)
{
	const struct hit *one = a;
	const struct hit *other = b;

	if (one->record != other->record)
		return one->record < other->record ? -1 : 1;
	return one->version < other->version ? -1 : one->version > other->version;
}

static size_t
records_in(const struct range *range)
{
	size_t records = 0;

	for (size_t i = 0; i < range->count; i++)
		records += i == 0 || range->first[i].record != range->first[i - 1].record;
	return records;
}

/* Nearly always a handful. */
static void
sort_hits(struct hit *hits, size_t count)
{
	if (count > 32) {
		qsort(hits, count, sizeof(*hits), compare_hits);
		return;
	}
	for (size_t i = 1; i < count; i++) {
		struct hit moved = hits[i];
		size_t at = i;

		for (; at > 0 && compare_hits(&moved, &hits[at - 1]) < 0; at--)
			hits[at] = hits[at - 1];
		hits[at] = moved;
	}
}

/* Sorted, and each version once. */
static size_t
merge_hits(struct hit *hits, size_t count)
{
	size_t to = 0;

	sort_hits(hits, count);
	for (size_t i = 0; i < count; i++) {
		if (to > 0 && hits[to - 1].record == hits[i].record &&
		    hits[to - 1].version == hits[i].version)
			hits[to - 1].kinds |= hits[i].kinds;
		else
			hits[to++] = hits[i];
	}
	return to;
}

static size_t
collect_hits(const struct trace_shelf *shelf, const struct trace_probe *probes, size_t count,
    struct trace_found *found, struct hit hits[HITS_MAX])
{
	size_t hit_count = 0;

	for (size_t i = 0; i < count; i++) {
		struct range range = find_range(shelf, &probes[i]);
		size_t records = range.count == 0 ? 0 : records_in(&range);

		if (range.kind == MATCH_NAME)
			found->namesakes = (uint32_t)records;
		if (records > TRACE_COMMON || hit_count + range.count > HITS_MAX) {
			found->common |= (uint16_t)(1u << range.kind);
			continue;
		}
		for (size_t e = 0; e < range.count; e++) {
			prefetch_client(shelf, range.first[e].record);
			hits[hit_count++] = (struct hit){.record = range.first[e].record,
			    .version = range.first[e].version,
			    .kinds = (uint16_t)(1u << range.kind)};
		}
	}
	return merge_hits(hits, hit_count);
}

static unsigned int
kinds_count(uint16_t kinds)
{
	return (unsigned int)__builtin_popcount(kinds);
}

/* The versions of one record that have the most kinds in common. */
static void
fill_candidate(const struct hit *hits, size_t count, struct trace_candidate *candidate)
{
	unsigned int most = 0;

	for (size_t i = 0; i < count; i++) {
		if (kinds_count(hits[i].kinds) > most) {
			most = kinds_count(hits[i].kinds);
			candidate->version_count = 0;
			candidate->kinds = hits[i].kinds;
		}
		if (kinds_count(hits[i].kinds) == most &&
		    candidate->version_count < TRACE_VERSIONS_MAX)
			candidate->versions[candidate->version_count++] = hits[i].version;
	}
	candidate->strength = (uint8_t)trace_kinds_strength(candidate->kinds);
}

static bool
is_weaker(const struct trace_candidate *a, const struct trace_candidate *b)
{
	if (a->strength != b->strength)
		return a->strength < b->strength;
	return kinds_count(a->kinds) < kinds_count(b->kinds);
}

/* In its place, the strongest first; if there is no more room the weakest falls out. */
static void
insert_candidate(struct trace_found *found, const struct trace_candidate *candidate)
{
	size_t at = found->count;

	if (at == TRACE_CANDIDATES_MAX) {
		if (!is_weaker(&found->candidates[at - 1], candidate))
			return;
		at--;
	} else {
		found->count++;
	}
	for (; at > 0 && is_weaker(&found->candidates[at - 1], candidate); at--)
		found->candidates[at] = found->candidates[at - 1];
	found->candidates[at] = *candidate;
}

static void
search_row(const struct trace_shelf *shelf, const struct trace_probe *probes, size_t count,
    struct hit hits[HITS_MAX], struct trace_found *found)
{
	size_t hit_count;

	found->count = 0;
	found->common = 0;
	found->namesakes = 0;
	hit_count = collect_hits(shelf, probes, count, found, hits);
	for (size_t from = 0, to; from < hit_count; from = to) {
		struct trace_candidate candidate = {.record = hits[from].record};

		for (to = from + 1; to < hit_count && hits[to].record == hits[from].record;)
			to++;
		candidate.client = trace_shelf_client(shelf, candidate.record);
		fill_candidate(hits + from, to - from, &candidate);
		insert_candidate(found, &candidate);
	}
}

void
trace_shelf_search(const struct trace_shelf *shelf, const struct trace_probe *probes,
    const uint8_t *counts, size_t rows,
    void (*visit)(void *arg, size_t row, const struct trace_found *found), void *arg)
{
	AZ_UNCLEARED struct trace_found found;
	AZ_UNCLEARED struct hit hits[HITS_MAX];

	for (size_t row = 0; row < rows;) {
		size_t until = rows - row < ROWS_AT_ONCE ? rows : row + ROWS_AT_ONCE;
		size_t total = 0;

		for (size_t i = row; i < until; i++)
			total += counts[i];
		for (size_t i = 0; i < total; i++)
			prefetch_index(shelf, &probes[i]);
		for (size_t i = 0; i < total; i++)
			prefetch_entries(shelf, &probes[i]);
		for (; row < until; row++) {
			search_row(shelf, probes, counts[row], hits, &found);
			visit(arg, row, &found);
			probes += counts[row];
		}
	}
	az_wipe(&found, sizeof(found));
	az_wipe(hits, sizeof(hits));
}

/* --- deciding --------------------------------------------------------------------------------- */

bool
trace_found_decides(const struct trace_found *found, uint32_t people)
{
	unsigned int needed = STRENGTH_MARGIN;

	while (needed < STRENGTH_MARGIN + 32 && (people >> (needed - STRENGTH_MARGIN)) != 0)
		needed++;
	if (found->count == 0)
		/* Nothing to open. If a print was passed over, that is not certain. */
		return found->common == 0;
	if (found->count == TRACE_CANDIDATES_MAX || found->candidates[0].strength < needed)
		return false;
	for (size_t i = 1; i < found->count; i++) {
		const struct trace_candidate *other = &found->candidates[i];
		bool is_strong = other->strength >= needed;

		if (!is_strong && other->strength + STRENGTH_NEAR > found->candidates[0].strength)
			return false;
		/* Another client may have the same person; the same client has everyone once. */
		for (size_t before = 0; is_strong && before < i; before++) {
			if (found->candidates[before].client == other->client)
				return false;
		}
	}
	return true;
}
