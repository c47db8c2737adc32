/*
 * When somebody who is named took the rows: their own accesses say it, day by day, where versions say only between
 * which deliveries.
 *
 * If one export or session has nearly all of the rows that they explain, it was then, or at another of theirs that has
 * as many. Else they came often: each row was taken at one of the times they had it, so that all of it lies between
 * the first and the last of these; and the clusters are the fewest of their sessions and exports that have every row.
 */
#include <stdlib.h>

#include "trace/model_internal.h"

#define NEARLY_ALL    0.90
#define AS_MANY       0.05 /* of the rows: a carrier that has so much less fits as well */
#define CLUSTER_WORTH 0.01

struct takings {
	const struct model_input *input;
	const uint8_t *named;       /* by person */
	size_t *first_of_list;      /* by list, and one more: where its carriers begin */
	uint32_t *carriers_of_list; /* those of the named */
	uint32_t *stamps;           /* by carrier: 1 + the row that it was noted for last */
	size_t *first_of_row;       /* by row, and one more */
	uint32_t *carriers_of_row;  /* of the named, those that have it as it is */
	size_t count, room;         /* of these */
	size_t *first_of_carrier;   /* by carrier, and one more */
	uint32_t *rows_of_carrier;
	uint32_t *rows_of; /* by carrier: rows that it has and nothing chosen before has */
	uint8_t *taken;    /* by row: a chosen carrier has it */
	uint64_t explained;
	int64_t from_us, to_us;
	bool no_memory;
};

/* --- who has which row ------------------------------------------------------------------------ */

static void
note_carrier(struct takings *takings, size_t row, uint32_t carrier)
{
	int64_t time_us = takings->input->carriers[carrier].time_us;

	if (takings->stamps[carrier] == (uint32_t)row + 1 || takings->no_memory)
		return;
	takings->stamps[carrier] = (uint32_t)row + 1;
	if (takings->count == takings->room) {
		size_t room = takings->room == 0 ? 4096 : takings->room * 2;
		uint32_t *grown = realloc(takings->carriers_of_row, room * sizeof(*grown));

		if (grown == NULL) {
			takings->no_memory = true;
			return;
		}
		takings->carriers_of_row = grown;
		takings->room = room;
	}
	takings->carriers_of_row[takings->count++] = carrier;
	takings->rows_of[carrier]++;
	if (time_us < takings->from_us)
		takings->from_us = time_us;
	if (time_us > takings->to_us)
		takings->to_us = time_us;
}

static void
note_accesses(struct takings *takings, size_t row_at, const struct model_candidate *candidate)
{
	const struct model_input *input = takings->input;

	for (size_t i = model_first_access(input, candidate->record);
	     i < input->access_count && input->accesses[i].record == candidate->record; i++) {
		const struct model_access *access = &input->accesses[i];

		if (takings->named[input->carriers[access->carrier].person] &&
		    access_fit(input, &input->rows[row_at], candidate, access) > 0.5)
			note_carrier(takings, row_at, access->carrier);
	}
}

static void
note_lists(struct takings *takings, size_t row_at, const struct model_candidate *candidate)
{
	const struct model_input *input = takings->input;

	for (uint32_t s = 0; s < candidate->span_count; s++) {
		const struct model_span *span = &input->spans[candidate->first_span + s];

		for (uint32_t h = 0; h < span->holding_count; h++) {
			uint32_t list = input->holdings[span->first_holding + h];

			for (size_t i = takings->first_of_list[list];
			     i < takings->first_of_list[list + 1]; i++)
				note_carrier(takings, row_at, takings->carriers_of_list[i]);
		}
	}
}

/* The carriers of the named by list. */
static void
index_lists(struct takings *takings)
{
	const struct model_input *input = takings->input;
	size_t sum = 0;

	for (size_t i = 0; i < input->carrier_count; i++) {
		const struct model_carrier *carrier = &input->carriers[i];

		if (carrier->list != MODEL_NONE && takings->named[carrier->person])
			takings->first_of_list[carrier->list]++;
	}
	/* Where each ends, and then, filled from behind, where it begins. */
	for (size_t list = 0; list <= input->list_count; list++) {
		sum += takings->first_of_list[list];
		takings->first_of_list[list] = sum;
	}
	for (size_t i = input->carrier_count; i-- > 0;) {
		const struct model_carrier *carrier = &input->carriers[i];

		if (carrier->list != MODEL_NONE && takings->named[carrier->person])
			takings->carriers_of_list[--takings->first_of_list[carrier->list]] =
			    (uint32_t)i;
	}
}

/* The rows by carrier: the other way about. */
static bool
index_carriers(struct takings *takings)
{
	const struct model_input *input = takings->input;
	size_t sum = 0;

	takings->rows_of_carrier = calloc(takings->count + 1, sizeof(uint32_t));
	if (takings->rows_of_carrier == NULL)
		return false;
	for (size_t c = 0; c <= input->carrier_count; c++) {
		sum += takings->rows_of[c];
		takings->first_of_carrier[c] = sum;
	}
	for (size_t row = input->row_count; row-- > 0;) {
		for (size_t i = takings->first_of_row[row]; i < takings->first_of_row[row + 1]; i++)
			takings->rows_of_carrier
			    [--takings->first_of_carrier[takings->carriers_of_row[i]]] =
			    (uint32_t)row;
	}
	return true;
}

static void
takings_fini(struct takings *takings)
{
	free(takings->first_of_list);
	free(takings->carriers_of_list);
	free(takings->stamps);
	free(takings->first_of_row);
	free(takings->carriers_of_row);
	free(takings->first_of_carrier);
	free(takings->rows_of_carrier);
	free(takings->rows_of);
	free(takings->taken);
}

static bool
find_takings(struct takings *takings)
{
	const struct model_input *input = takings->input;

	takings->first_of_list = calloc(input->list_count + 2, sizeof(size_t));
	takings->carriers_of_list = calloc(input->carrier_count + 1, sizeof(uint32_t));
	takings->stamps = calloc(input->carrier_count + 1, sizeof(uint32_t));
	takings->first_of_row = calloc(input->row_count + 1, sizeof(size_t));
	takings->first_of_carrier = calloc(input->carrier_count + 1, sizeof(size_t));
	takings->rows_of = calloc(input->carrier_count + 1, sizeof(uint32_t));
	takings->taken = calloc(input->row_count + 1, sizeof(uint8_t));
	if (takings->first_of_list == NULL || takings->carriers_of_list == NULL ||
	    takings->stamps == NULL || takings->first_of_row == NULL ||
	    takings->first_of_carrier == NULL || takings->rows_of == NULL || takings->taken == NULL)
		return false;
	index_lists(takings);
	for (size_t row = 0; row < input->row_count; row++) {
		const struct model_row *of = &input->rows[row];

		takings->first_of_row[row] = takings->count;
		for (uint32_t c = 0; c < of->candidate_count; c++) {
			const struct model_candidate *candidate =
			    &input->candidates[of->first_candidate + c];

			note_accesses(takings, row, candidate);
			note_lists(takings, row, candidate);
		}
		takings->explained += takings->count > takings->first_of_row[row];
	}
	takings->first_of_row[input->row_count] = takings->count;
	return !takings->no_memory && index_carriers(takings);
}

/* --- when ------------------------------------------------------------------------------------- */

static uint32_t
largest(const struct takings *takings)
{
	uint32_t best = 0;

	for (uint32_t i = 1; i < takings->input->carrier_count; i++) {
		if (takings->rows_of[i] > takings->rows_of[best])
			best = i;
	}
	return best;
}

/* Its rows count for no other any more. */
static void
choose_carrier(struct takings *takings, uint32_t carrier)
{
	for (size_t r = takings->first_of_carrier[carrier];
	     r < takings->first_of_carrier[carrier + 1]; r++) {
		uint32_t row = takings->rows_of_carrier[r];

		if (takings->taken[row])
			continue;
		takings->taken[row] = 1;
		for (size_t i = takings->first_of_row[row]; i < takings->first_of_row[row + 1]; i++)
			takings->rows_of[takings->carriers_of_row[i]]--;
	}
}

/* All at one time: that of the carrier that has most, and of any that has about as many. */
static void
tell_one(struct takings *takings, uint32_t most, struct model_result *result)
{
	const struct model_input *input = takings->input;
	struct model_cluster cluster = {.from_us = input->carriers[most].time_us,
	    .to_us = input->carriers[most].time_us,
	    .rows = takings->rows_of[most]};
	double enough = (1.0 - AS_MANY) * (double)cluster.rows;

	for (size_t i = 0; i < input->carrier_count; i++) {
		int64_t time_us = input->carriers[i].time_us;

		/* One row less is no difference, either. */
		if ((double)takings->rows_of[i] < enough &&
		    takings->rows_of[i] + 1 < takings->rows_of[most])
			continue;
		if (time_us < cluster.from_us)
			cluster.from_us = time_us;
		if (time_us > cluster.to_us)
			cluster.to_us = time_us;
	}
	result->clusters[0] = cluster;
	result->cluster_count = 1;
	result->from_us = cluster.from_us;
	result->to_us = cluster.to_us;
}

static int
by_time(const void *a, const void *b)
{
	const struct model_cluster *one = a;
	const struct model_cluster *other = b;

	return one->from_us < other->from_us ? -1 : one->from_us > other->from_us;
}

/* Joins the two clusters that are nearest in time. */
static void
join_nearest(struct model_result *result)
{
	size_t nearest = 0;

	for (size_t i = 1; i + 1 < result->cluster_count; i++) {
		if (result->clusters[i + 1].from_us - result->clusters[i].to_us <
		    result->clusters[nearest + 1].from_us - result->clusters[nearest].to_us)
			nearest = i;
	}
	result->clusters[nearest].to_us = result->clusters[nearest + 1].to_us;
	result->clusters[nearest].rows += result->clusters[nearest + 1].rows;
	result->cluster_count--;
	for (size_t i = nearest + 1; i < result->cluster_count; i++)
		result->clusters[i] = result->clusters[i + 1];
}

#define TOLD_MAX 12u

static void
tell_many(struct takings *takings, struct model_result *result)
{
	const struct model_input *input = takings->input;
	uint64_t left = takings->explained;

	result->from_us = takings->from_us;
	result->to_us = takings->to_us;
	result->cluster_count = 0;
	while (left > 0 && result->cluster_count < MODEL_CLUSTERS_MAX) {
		uint32_t most = largest(takings);
		uint64_t rows = takings->rows_of[most];

		if (rows == 0 || (double)rows < CLUSTER_WORTH * (double)takings->explained)
			break;
		result->clusters[result->cluster_count++] =
		    (struct model_cluster){.from_us = input->carriers[most].time_us,
			.to_us = input->carriers[most].time_us,
			.rows = rows};
		choose_carrier(takings, most);
		left -= rows;
	}
	qsort(result->clusters, result->cluster_count, sizeof(result->clusters[0]), by_time);
	while (result->cluster_count > TOLD_MAX)
		join_nearest(result);
}

enum az_status
model_date_takings(const struct model_input *input, const uint8_t *named,
    struct model_result *result, struct az_err *reterr)
{
	struct takings takings = {
	    .input = input, .named = named, .from_us = INT64_MAX, .to_us = INT64_MIN};
	enum az_status status = AZ_OK;
	uint32_t most;

	if (!find_takings(&takings)) {
		status = az_fail(reterr, AZ_NO_MEMORY, "trace: out of memory");
	} else if (takings.explained > 0) {
		most = largest(&takings);
		if (takings.rows_of[most] > 1 &&
		    (double)takings.rows_of[most] >= NEARLY_ALL * (double)takings.explained)
			tell_one(&takings, most, result);
		else
			tell_many(&takings, result);
	}
	takings_fini(&takings);
	return status;
}
