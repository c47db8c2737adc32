/*
 * A row is somebody's if what agrees outweighs the number of people it could be by chance: the weight in bits, less
 * log2 of the number of people, is the logarithm of the odds. Records of other clients that fit as well are given
 * beside it, since the same person may stand in several lists; a second record of the same client that fits as well
 * makes the row ambiguous.
 */
#include "trace/link.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define ODDS_NEEDED  3.0 /* bits beyond the number of people: 8 to 1 */
#define NEAR_BITS    3.0 /* a second record of the same client this near is not told apart */
#define OTHERS_BITS  8.0 /* records of other clients this near are given, too */
#define VERSION_BITS 0.7 /* versions this near fit as well */

const char *
trace_verdict_name(enum trace_verdict verdict)
{
	static const char *const names[] = {[TRACE_OURS] = "ours",
	    [TRACE_AMBIGUOUS] = "ambiguous",
	    [TRACE_NOT_FOUND] = "not-found"};

	return verdict < AZ_ARRAY_SIZE(names) ? names[verdict] : NULL;
}

/* Weights that add up to 1 with "none", from the bits of the links. */
static void
share_out(struct trace_row_verdict *verdict, uint32_t people)
{
	double none = log2((double)people + 1.0);
	double sum = 0.0;
	double most = none;

	for (size_t i = 0; i < verdict->count; i++)
		most = fmax(most, verdict->links[i].bits);
	for (size_t i = 0; i < verdict->count; i++) {
		verdict->links[i].weight = exp2(verdict->links[i].bits - most);
		sum += verdict->links[i].weight;
	}
	sum += exp2(none - most);
	for (size_t i = 0; i < verdict->count; i++)
		verdict->links[i].weight /= sum;
}

void
trace_judge_found(
    const struct trace_found *found, uint32_t people, struct trace_row_verdict *ret_verdict)
{
	ret_verdict->count = 0;
	ret_verdict->verdict = found->count == 0 ? TRACE_NOT_FOUND : TRACE_OURS;
	for (size_t i = 0; i < found->count && i < TRACE_LINKS_MAX; i++) {
		const struct trace_candidate *candidate = &found->candidates[i];
		struct trace_link *link = &ret_verdict->links[ret_verdict->count];

		if (candidate->strength + OTHERS_BITS < found->candidates[0].strength)
			break;
		*link = (struct trace_link){.record = candidate->record,
		    .client = candidate->client,
		    .bits = (double)candidate->strength,
		    .kinds = candidate->kinds,
		    .version_count = candidate->version_count};
		memcpy(link->versions, candidate->versions, sizeof(link->versions));
		ret_verdict->count++;
	}
	share_out(ret_verdict, people);
}

/* --- by comparing ----------------------------------------------------------------------------- */

/* By record, and in it the best version first. */
static int
by_record(const void *a, const void *b)
{
	const struct trace_scored *one = a;
	const struct trace_scored *other = b;

	if (one->record != other->record)
		return one->record < other->record ? -1 : 1;
	if (one->bits > other->bits || one->bits < other->bits)
		return one->bits > other->bits ? -1 : 1;
	return one->version < other->version ? -1 : one->version > other->version;
}

static int
by_bits(const void *a, const void *b)
{
	const struct trace_link *one = a;
	const struct trace_link *other = b;

	if (one->bits > other->bits || one->bits < other->bits)
		return one->bits > other->bits ? -1 : 1;
	return one->record < other->record ? -1 : one->record > other->record;
}

static int
by_number(const void *a, const void *b)
{
	const uint32_t *one = a;
	const uint32_t *other = b;

	return *one < *other ? -1 : *one > *other;
}

/* The versions of one record, the best first. */
static struct trace_link
link_of(const struct trace_scored *scored, size_t count)
{
	struct trace_link link = {.record = scored->record,
	    .client = scored->client,
	    .bits = scored->bits,
	    .kinds = scored->agreement.kinds,
	    .conflicts = scored->agreement.conflicts,
	    .notation = scored->agreement.notation};

	for (size_t i = 0; i < count && link.version_count < TRACE_VERSIONS_MAX; i++) {
		if (scored[i].bits + VERSION_BITS < scored->bits)
			break;
		link.versions[link.version_count++] = scored[i].version;
		/* It is written as one of the versions that fit. */
		if (scored[i].agreement.notation > link.notation)
			link.notation = scored[i].agreement.notation;
	}
	qsort(link.versions, link.version_count, sizeof(link.versions[0]), by_number);
	return link;
}

static void
keep_link(struct trace_row_verdict *verdict, const struct trace_link *link)
{
	struct trace_link *weakest = &verdict->links[0];

	if (verdict->count < TRACE_LINKS_MAX) {
		verdict->links[verdict->count++] = *link;
		return;
	}
	for (size_t i = 1; i < verdict->count; i++) {
		if (verdict->links[i].bits < weakest->bits)
			weakest = &verdict->links[i];
	}
	if (weakest->bits < link->bits)
		*weakest = *link;
}

/* Leaves the best of each client, and near ones of the same, which make it ambiguous. */
static void
choose(struct trace_row_verdict *verdict, double needed)
{
	double best = verdict->links[0].bits;
	size_t kept = 0;

	verdict->verdict = TRACE_OURS;
	for (size_t i = 0; i < verdict->count; i++) {
		const struct trace_link link = verdict->links[i];
		bool drop = link.bits < needed || link.bits + OTHERS_BITS < best;

		for (size_t before = 0; before < kept && !drop; before++) {
			if (verdict->links[before].client != link.client)
				continue;
			if (link.bits + NEAR_BITS < verdict->links[before].bits)
				drop = true;
			else
				verdict->verdict = TRACE_AMBIGUOUS;
		}
		if (!drop)
			verdict->links[kept++] = link;
	}
	verdict->count = kept;
}

void
trace_judge_scored(struct trace_scored *scored, size_t count, uint32_t people,
    struct trace_row_verdict *ret_verdict)
{
	double needed = log2((double)people + 1.0) + ODDS_NEEDED;

	ret_verdict->count = 0;
	ret_verdict->verdict = TRACE_NOT_FOUND;
	if (count > 1)
		qsort(scored, count, sizeof(*scored), by_record);
	for (size_t from = 0, to; from < count; from = to) {
		struct trace_link link;

		for (to = from + 1; to < count && scored[to].record == scored[from].record;)
			to++;
		link = link_of(scored + from, to - from);
		keep_link(ret_verdict, &link);
	}
	if (ret_verdict->count == 0)
		return;
	qsort(ret_verdict->links, ret_verdict->count, sizeof(ret_verdict->links[0]), by_bits);
	if (ret_verdict->links[0].bits < needed) {
		ret_verdict->count = 0;
		return;
	}
	choose(ret_verdict, needed);
	share_out(ret_verdict, people);
}
