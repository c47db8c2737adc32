/*
 * Sifting.
 *
 * Values come in millions, so they are taken in handfuls: the fingerprints of a handful are made, the memory of each is
 * asked for, and by then the first one's has come.
 *
 * What is held back is (print, place). It lies in chunks of pages, which hold each pair once: a disk that repeats itself
 * for ever fills one chunk, over and over.
 */
#include "trace/sift.h"

#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "base/wire.h"
#include "match/match.h"
#include "proto/scan.h"
#include "trace/shelf.h"
#include "trace/sieve.h"

#define HANDFUL    32u
#define CHUNK      ((size_t)64 * 1024) /* hits */
#define HITS_MAX   ((size_t)128 << 20) /* 2 GiB */
#define MATCH_MAX  ((size_t)128 << 20)
#define FOUND_MAX  ((size_t)128 << 20)
#define TOKEN_HEAD 3u /* kind, size */

struct hit {
	uint64_t print;
	uint32_t place;
};

/* A print of the house that is among the hits. */
struct match {
	uint32_t value; /* index into values */
	uint32_t record, version, source;
};

struct chunk {
	struct chunk *before;
	struct pages pages;
	size_t count;
};

struct trace_sift {
	const struct trace_keys *keys;
	struct trace_sieve *sieve;
	uint64_t taken, held;
	/* taking */
	struct chunk *last;
	size_t hit_count, together_at; /* all chunks; when they are put together again */
	/* closed */
	struct pages hit_pages, value_pages;
	struct hit *hits; /* by print, place; each once */
	uint64_t *values; /* prints, ascending */
	size_t value_count;
	struct match *matches;
	size_t match_count, match_room;
	/* settled */
	struct trace_sift_found *found;
	size_t found_count;
	uint64_t of_house, common;
};

enum az_status
trace_sift_new(const struct trace_keys *keys, size_t prints, struct trace_sift **ret_sift,
    struct az_err *reterr)
{
	struct trace_sift *sift = calloc(1, sizeof(*sift));
	enum az_status status;

	if (sift == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "sift: out of memory");
	sift->keys = keys;
	sift->together_at = 16 * CHUNK;
	status = trace_sieve_new(prints, &sift->sieve, reterr);
	if (status == AZ_OK)
		*ret_sift = sift;
	else
		free(sift);
	return status;
}

static void
chunks_free(struct trace_sift *sift)
{
	while (sift->last != NULL) {
		struct chunk *chunk = sift->last;

		sift->last = chunk->before;
		pages_free(&chunk->pages);
		free(chunk);
	}
}

void
trace_sift_free(struct trace_sift **sift)
{
	struct trace_sift *freed = *sift;

	if (freed == NULL)
		return;
	*sift = NULL;
	chunks_free(freed);
	trace_sieve_free(&freed->sieve);
	pages_free(&freed->hit_pages);
	pages_free(&freed->value_pages);
	free(freed->matches);
	free(freed->found);
	free(freed);
}

bool
trace_sift_has_kind(enum match_kind kind)
{
	return kind == MATCH_PHONE || kind == MATCH_EMAIL;
}

void
trace_sift_add(struct trace_sift *sift, const struct trace_print *prints, size_t count)
{
	for (size_t i = 0; i < count; i++)
		trace_sieve_add(sift->sieve, wire_load_u64be(prints[i].bytes));
}

/* --- what is held back ------------------------------------------------------------------------ */

static int
compare_hits(const void *a, const void *b)
{
	const struct hit *one = a;
	const struct hit *other = b;

	if (one->print != other->print)
		return one->print < other->print ? -1 : 1;
	return one->place < other->place ? -1 : one->place > other->place;
}

/* Sorts hits and leaves each once; returns how many are left. */
static size_t
each_once(struct hit *hits, size_t count)
{
	size_t kept = 0;

	qsort(hits, count, sizeof(*hits), compare_hits);
	for (size_t i = 0; i < count; i++) {
		if (i == 0 || compare_hits(&hits[i], &hits[i - 1]) != 0)
			hits[kept++] = hits[i];
	}
	return kept;
}

static enum az_status
add_chunk(struct trace_sift *sift, struct az_err *reterr)
{
	struct chunk *chunk = calloc(1, sizeof(*chunk));

	if (chunk == NULL || !pages_new(CHUNK * sizeof(struct hit), &chunk->pages)) {
		free(chunk);
		return az_fail(reterr, AZ_NO_MEMORY, "sift: out of memory");
	}
	chunk->before = sift->last;
	sift->last = chunk;
	return AZ_OK;
}

/* All hits, sorted, each once, in one piece; the chunks are gone. */
static enum az_status
put_together(
    struct trace_sift *sift, struct pages *ret_pages, size_t *ret_count, struct az_err *reterr)
{
	size_t count = 0;
	struct hit *hits;

	if (!pages_new((sift->hit_count + 1) * sizeof(struct hit), ret_pages))
		return az_fail(reterr, AZ_NO_MEMORY, "sift: out of memory");
	hits = ret_pages->data;
	for (const struct chunk *chunk = sift->last; chunk != NULL; chunk = chunk->before) {
		if (chunk->count > 0)
			memcpy(hits + count, chunk->pages.data, chunk->count * sizeof(*hits));
		count += chunk->count;
	}
	chunks_free(sift);
	*ret_count = each_once(hits, count);
	return AZ_OK;
}

/* The chunks have become many: what is in several of them is left out. */
static enum az_status
thin_out(struct trace_sift *sift, struct az_err *reterr)
{
	struct pages pages = {0};
	size_t count = 0;
	enum az_status status = put_together(sift, &pages, &count, reterr);
	const struct hit *hits = pages.data;

	sift->hit_count = 0;
	for (size_t at = 0; status == AZ_OK && at < count;) {
		size_t size = count - at < CHUNK ? count - at : CHUNK;

		status = add_chunk(sift, reterr);
		if (status != AZ_OK)
			break;
		memcpy(sift->last->pages.data, hits + at, size * sizeof(*hits));
		sift->last->count = size;
		sift->hit_count += size;
		at += size;
	}
	pages_free(&pages);
	if (status == AZ_OK && sift->hit_count > HITS_MAX / 2)
		return az_fail(reterr, AZ_LIMIT,
		    "too much of the house is here to be counted at once: scan it in parts");
	sift->together_at = 2 * sift->hit_count > 16 * CHUNK ? 2 * sift->hit_count : 16 * CHUNK;
	return status;
}

static enum az_status
hold_back(struct trace_sift *sift, uint64_t print, uint32_t place, struct az_err *reterr)
{
	struct chunk *chunk = sift->last;
	enum az_status status = AZ_OK;

	sift->held++;
	if (chunk != NULL && chunk->count == CHUNK) {
		size_t kept = each_once(chunk->pages.data, CHUNK);

		sift->hit_count -= CHUNK - kept;
		chunk->count = kept;
		if (kept > CHUNK / 2) {
			if (sift->hit_count >= sift->together_at)
				status = thin_out(sift, reterr);
			if (status == AZ_OK)
				status = add_chunk(sift, reterr);
		}
	} else if (chunk == NULL) {
		status = add_chunk(sift, reterr);
	}
	if (status != AZ_OK)
		return status;
	chunk = sift->last;
	((struct hit *)chunk->pages.data)[chunk->count++] =
	    (struct hit){.print = print, .place = place};
	sift->hit_count++;
	return AZ_OK;
}

/* --- taking ----------------------------------------------------------------------------------- */

/* A handful of prints, whose memory has been asked for. */
struct handful {
	uint64_t prints[HANDFUL];
	size_t count;
};

static enum az_status
look_through(
    struct trace_sift *sift, struct handful *handful, uint32_t place, struct az_err *reterr)
{
	enum az_status status = AZ_OK;

	for (size_t i = 0; i < handful->count && status == AZ_OK; i++) {
		if (trace_sieve_holds(sift->sieve, handful->prints[i]))
			status = hold_back(sift, handful->prints[i], place, reterr);
	}
	handful->count = 0;
	return status;
}

/* The next of the tokens at *at; false: malformed. *ret_made: it may be somebody's, and has this print. */
static bool
read_token(const struct trace_sift *sift, struct bytes tokens, size_t *at, bool *ret_made,
    uint64_t *ret_print)
{
	uint8_t kind;
	size_t size;
	AZ_UNCLEARED struct match_key key;

	if (tokens.size - *at < TOKEN_HEAD)
		return false;
	kind = tokens.data[*at];
	size = wire_load_u16(tokens.data + *at + 1);
	if ((kind != SIFT_PHONE && kind != SIFT_EMAIL) || size == 0 || size > SIFT_VALUE_MAX ||
	    size > tokens.size - *at - TOKEN_HEAD)
		return false;
	*ret_made = match_token(kind == SIFT_PHONE ? MATCH_PHONE : MATCH_EMAIL,
	    bytes_make(tokens.data + *at + TOKEN_HEAD, size), &key);
	if (*ret_made)
		*ret_print =
		    trace_print_number(sift->keys, key.kind, bytes_make(key.key, key.size));
	*at += TOKEN_HEAD + size;
	return true;
}

enum az_status
trace_sift_take(struct trace_sift *sift, struct bytes tokens, struct az_err *reterr)
{
	struct handful handful = {.count = 0};
	uint32_t place;
	size_t at = 4;
	enum az_status status = AZ_OK;

	if (tokens.size < at)
		return az_fail(reterr, AZ_INVALID, "scan: malformed values");
	place = wire_load_u32(tokens.data);
	while (status == AZ_OK && at < tokens.size) {
		uint64_t print = 0;
		bool made = false;

		if (!read_token(sift, tokens, &at, &made, &print))
			return az_fail(reterr, AZ_INVALID, "scan: malformed values");
		sift->taken++;
		if (!made)
			continue;
		trace_sieve_fetch(sift->sieve, print);
		handful.prints[handful.count++] = print;
		if (handful.count == HANDFUL)
			status = look_through(sift, &handful, place, reterr);
	}
	return status == AZ_OK ? look_through(sift, &handful, place, reterr) : status;
}

uint64_t
trace_sift_taken(const struct trace_sift *sift)
{
	return sift->taken;
}

uint64_t
trace_sift_held(const struct trace_sift *sift)
{
	return sift->held;
}

/* --- matching --------------------------------------------------------------------------------- */

enum az_status
trace_sift_close(struct trace_sift *sift, struct az_err *reterr)
{
	size_t count = 0;
	enum az_status status = put_together(sift, &sift->hit_pages, &count, reterr);

	trace_sieve_free(&sift->sieve);
	if (status != AZ_OK)
		return status;
	sift->hits = sift->hit_pages.data;
	sift->hit_count = count;
	if (!pages_new((count + 1) * sizeof(uint64_t), &sift->value_pages))
		return az_fail(reterr, AZ_NO_MEMORY, "sift: out of memory");
	sift->values = sift->value_pages.data;
	for (size_t i = 0; i < count; i++) {
		if (i == 0 || sift->hits[i].print != sift->hits[i - 1].print)
			sift->values[sift->value_count++] = sift->hits[i].print;
	}
	return AZ_OK;
}

/* The first value from at on that is not below print. Most are near. */
static size_t
value_from(const struct trace_sift *sift, size_t at, uint64_t print)
{
	size_t step = 1;
	size_t low = at;
	size_t high;

	if (at == sift->value_count || sift->values[at] >= print)
		return at;
	while (low + step < sift->value_count && sift->values[low + step] < print) {
		low += step;
		step *= 2;
	}
	high = low + step < sift->value_count ? low + step : sift->value_count;
	/* values[low] is below print; values[high] is not, or there is none. */
	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (sift->values[middle] < print)
			low = middle;
		else
			high = middle;
	}
	return high;
}

static enum az_status
grow(void **array, size_t count, size_t *room, size_t size, size_t most, struct az_err *reterr)
{
	size_t larger = *room == 0 ? 1024 : 2 * *room;
	void *grown;

	if (count < *room)
		return AZ_OK;
	if (count >= most)
		return az_fail(reterr, AZ_LIMIT,
		    "too much of the house is here to be counted at once: scan it in parts");
	grown = reallocarray(*array, larger, size);
	if (grown == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "sift: out of memory");
	*array = grown;
	*room = larger;
	return AZ_OK;
}

static enum az_status
note_match(struct trace_sift *sift, size_t value, const struct trace_print *print, uint32_t source,
    struct az_err *reterr)
{
	void *array = sift->matches;
	enum az_status status = grow(&array, sift->match_count, &sift->match_room,
	    sizeof(*sift->matches), MATCH_MAX, reterr);

	sift->matches = array;
	if (status == AZ_OK)
		sift->matches[sift->match_count++] = (struct match){.value = (uint32_t)value,
		    .record = wire_load_u32be(print->bytes + 8),
		    .version = wire_load_u32be(print->bytes + 12),
		    .source = source};
	return status;
}

enum az_status
trace_sift_match(struct trace_sift *sift, uint32_t source, const struct trace_print *prints,
    size_t count, struct az_err *reterr)
{
	size_t value = 0;
	enum az_status status = AZ_OK;

	for (size_t i = 0; i < count && status == AZ_OK && value < sift->value_count; i++) {
		uint64_t print = wire_load_u64be(prints[i].bytes);

		value = value_from(sift, value, print);
		if (value < sift->value_count && sift->values[value] == print)
			status = note_match(sift, value, &prints[i], source, reterr);
	}
	return status;
}

/* --- settling --------------------------------------------------------------------------------- */

static int
compare_u32(uint32_t one, uint32_t other)
{
	return one < other ? -1 : one > other;
}

static int
compare_matches(const void *a, const void *b)
{
	const struct match *one = a;
	const struct match *other = b;
	int order = compare_u32(one->value, other->value);

	if (order == 0)
		order = compare_u32(one->record, other->record);
	if (order == 0)
		order = compare_u32(one->version, other->version);
	return order != 0 ? order : compare_u32(one->source, other->source);
}

static int
compare_found(const void *a, const void *b)
{
	const struct trace_sift_found *one = a;
	const struct trace_sift_found *other = b;
	int order = compare_u32(one->place, other->place);

	if (order == 0)
		order = compare_u32(one->record, other->record);
	if (order == 0)
		order = compare_u32(one->version, other->version);
	return order != 0 ? order : compare_u32(one->source, other->source);
}

/* Whether more records have the value than anybody shares one with. */
static bool
is_common(const struct match *matches, size_t count)
{
	size_t records = 1;

	for (size_t i = 1; i < count; i++)
		records += matches[i].record != matches[i - 1].record;
	return records > TRACE_COMMON;
}

/* One value: whose it is, in each place where it was. */
static enum az_status
settle_value(struct trace_sift *sift, const struct match *matches, size_t count,
    const struct hit *hits, size_t hit_count, size_t *room, struct az_err *reterr)
{
	enum az_status status = AZ_OK;

	for (size_t h = 0; h < hit_count; h++) {
		for (size_t m = 0; m < count && status == AZ_OK; m++) {
			void *array = sift->found;

			status = grow(&array, sift->found_count, room, sizeof(*sift->found),
			    FOUND_MAX, reterr);
			sift->found = array;
			if (status == AZ_OK)
				sift->found[sift->found_count++] =
				    (struct trace_sift_found){.place = hits[h].place,
					.record = matches[m].record,
					.version = matches[m].version,
					.source = matches[m].source};
		}
	}
	return status;
}

enum az_status
trace_sift_settle(struct trace_sift *sift, struct az_err *reterr)
{
	size_t room = 0;
	size_t hit = 0;
	size_t kept = 0;
	enum az_status status = AZ_OK;

	if (sift->match_count > 0)
		qsort(sift->matches, sift->match_count, sizeof(*sift->matches), compare_matches);
	for (size_t from = 0, to; from < sift->match_count && status == AZ_OK; from = to) {
		const struct match *matches = &sift->matches[from];
		uint64_t print = sift->values[matches->value];
		size_t end;

		for (to = from + 1;
		     to < sift->match_count && sift->matches[to].value == matches->value;)
			to++;
		sift->of_house++;
		while (sift->hits[hit].print < print)
			hit++;
		for (end = hit; end < sift->hit_count && sift->hits[end].print == print;)
			end++;
		if (is_common(matches, to - from))
			sift->common++;
		else
			status = settle_value(
			    sift, matches, to - from, &sift->hits[hit], end - hit, &room, reterr);
		hit = end;
	}
	if (sift->found_count > 0)
		qsort(sift->found, sift->found_count, sizeof(*sift->found), compare_found);
	for (size_t i = 0; i < sift->found_count; i++) {
		if (i == 0 || compare_found(&sift->found[i], &sift->found[i - 1]) != 0)
			sift->found[kept++] = sift->found[i];
	}
	sift->found_count = kept;
	return status;
}

const struct trace_sift_found *
trace_sift_found(const struct trace_sift *sift, size_t *ret_count)
{
	*ret_count = sift->found_count;
	return sift->found;
}

uint64_t
trace_sift_values(const struct trace_sift *sift)
{
	return sift->of_house;
}

uint64_t
trace_sift_common(const struct trace_sift *sift)
{
	return sift->common;
}
