/*
 * After the verdicts: the rows are handed to an attribution, some a round, and its result goes into an entry, and once that is durable
 * into the answer. Where it cannot be had the verdicts stand without it, and both say so.
 */
#include "custody/attribution.h"
#include "custody/tracing.h"

#define SLICE_ROWS 1000u /* in one round of the loop: calls wait */
/* A client's own fields have other numbers in each list: what was shown of them cannot be compared. */
#define BUILTIN (FIELD_BIT(FIELD_BUILTIN) - 1)

/* The verdict of a row as it was before it was kept in few bytes. */
static void
unfold(const struct tracing *tracing, const struct tracing_chunk *chunk, size_t row,
    struct trace_row_verdict *ret_verdict)
{
	const struct tracing_verdict *kept = &chunk->verdicts[row];

	*ret_verdict = (struct trace_row_verdict){
	    .verdict = (enum trace_verdict)kept->verdict, .count = kept->count};
	for (uint8_t i = 0; i < kept->count; i++) {
		const struct tracing_link *from = &chunk->links[kept->first_link + i];
		struct trace_link *link = &ret_verdict->links[i];

		link->record = from->record;
		link->client = tracing->clients[from->client - 1].id;
		link->bits = (double)from->bits;
		link->weight = from->weight < 1.0F ? (double)from->weight : 1.0;
		link->kinds = from->kinds;
		link->conflicts = from->conflicts;
		link->notation = from->notation;
		link->version_count = from->version_count;
		for (uint8_t v = 0; v < from->version_count; v++)
			link->versions[v] = chunk->versions[from->first_version + v];
	}
}

/*
 * The fields that whoever took a row must have had: of the list's those that lists here have at all. What a broker added
 * from elsewhere speaks for nobody.
 */
static uint64_t
fields_of(const struct tracing *tracing, const struct tracing_chunk *chunk)
{
	uint64_t here = 0;

	for (size_t i = 0; i < tracing->source_count; i++)
		here |= tracing->sources[i].fields;
	return tracing->lists[chunk->list].fields & here & BUILTIN;
}

/* Adds some more rows; *ret_all: there are none left. */
static enum az_status
add_rows(struct tracing *tracing, bool *ret_all, struct az_err *reterr)
{
	struct trace_row_verdict verdict;
	enum az_status status = AZ_OK;

	for (size_t i = 0; i < SLICE_ROWS && status == AZ_OK;) {
		const struct tracing_chunk *chunk;

		*ret_all = tracing->attribute_chunk == tracing->chunk_count;
		if (*ret_all)
			return AZ_OK;
		chunk = tracing->chunks[tracing->attribute_chunk];
		if (chunk == NULL || tracing->attribute_row == chunk->count) {
			tracing->attribute_chunk++;
			tracing->attribute_row = 0;
			continue;
		}
		unfold(tracing, chunk, tracing->attribute_row++, &verdict);
		status = attribution_add(
		    tracing->attribution, fields_of(tracing, chunk), &verdict, reterr);
		i++;
	}
	return status;
}

static void
attributed(void *arg, enum az_status status, const struct az_err *err)
{
	struct tracing *tracing = arg;

	tracing->is_attributed = status == AZ_OK;
	tracing->attribution_err = *err;
	tracing_log_attribution(tracing);
}

void
tracing_attribute(struct tracing *tracing)
{
	struct custody *custody = tracing->custody;
	struct az_err err = {0};
	enum az_status status = AZ_OK;
	bool all = false;

	if (tracing->attribution == NULL)
		/* The same list gives the same result. */
		status = attribution_new(
		    custody, wire_load_u64(tracing->root), &tracing->attribution, &err);
	/* What somebody gave up is ending, and wakes the loop when it has. */
	if (status == AZ_BUSY)
		return;
	if (status == AZ_OK)
		status = add_rows(tracing, &all, &err);
	if (status == AZ_OK && all)
		status = attribution_look_up(tracing->attribution, &all, &err);
	if (status != AZ_OK) {
		attributed(tracing, status, &err);
	} else if (all) {
		tracing_enter(tracing, TRACING_ATTRIBUTES, NULL);
		attribution_run(tracing->attribution, attributed, tracing);
	} else {
		loop_wake(custody->config.loop);
	}
}

void
tracing_answer_attribution(const struct tracing *tracing, struct wire_writer *writer)
{
	if (tracing->is_attributed) {
		attribution_answer(tracing->attribution, writer);
		return;
	}
	answer_text(writer, "verdict", "undetermined");
	answer_text(writer, "problem", tracing->attribution_err.text);
}
