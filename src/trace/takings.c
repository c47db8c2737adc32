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
	const uint8_t *named; /* by person */
	uint32_t *rows_of;    /* by carrier: rows that it has and nothing chosen before has */
	uint8_t *taken;       /* by row: a chosen carrier has it */
	uint64_t explained;
	int64_t from_us, to_us;
};

/* Calls visit for each carrier of the named that has the row as it is. */
static void
each_carrier(const struct takings *takings, const struct model_row *row,
    void (*visit)(void *arg, uint32_t carrier), void *arg)
{
	const struct model_input *input = takings->input;

	for (uint32_t c = 0; c < row->candidate_count; c++) {
		const struct model_candidate *candidate =
		    &input->candidates[row->first_candidate + c];

		for (size_t i = model_first_access(input, candidate->record);
		     i < input->access_count && input->accesses[i].record == candidate->record;
		     i++) {
			const struct model_access *access = &input->accesses[i];

			if (takings->named[input->carriers[access->carrier].person] &&
			    access_fit(input, row, candidate, access) > 0.5)
				visit(arg, access->carrier);
		}
	}
}

static void
each_list_carrier(const struct takings *takings, const struct model_row *row,
    void (*visit)(void *arg, uint32_t carrier), void *arg)
{
	const struct model_input *input = takings->input;

	for (size_t i = 0; i < input->carrier_count; i++) {
		const struct model_carrier *carrier = &input->carriers[i];
		bool has = false;

		if (carrier->list == MODEL_NONE || !takings->named[carrier->person])
			continue;
		for (uint32_t c = 0; c < row->candidate_count && !has; c++)
			has = candidate_is_in_list(
			    input, &input->candidates[row->first_candidate + c], carrier->list);
		if (has)
			visit(arg, (uint32_t)i);
	}
}

static void
visit_carriers(const struct takings *takings, const struct model_row *row,
    void (*visit)(void *arg, uint32_t carrier), void *arg)
{
	each_carrier(takings, row, visit, arg);
	each_list_carrier(takings, row, visit, arg);
}

struct row_visit {
	struct takings *takings;
	uint32_t last; /* that was counted for this row */
	uint32_t looked_for;
	bool any, has;
};

static void
count_carrier(void *arg, uint32_t carrier)
{
	struct row_visit *visit = arg;
	struct takings *takings = visit->takings;
	int64_t time_us = takings->input->carriers[carrier].time_us;

	if (time_us < takings->from_us)
		takings->from_us = time_us;
	if (time_us > takings->to_us)
		takings->to_us = time_us;
	if (!visit->any || visit->last != carrier)
		takings->rows_of[carrier]++;
	visit->any = true;
	visit->last = carrier;
}

/* How many of the rows that nothing chosen has each carrier has. */
static uint64_t
count_rows(struct takings *takings)
{
	const struct model_input *input = takings->input;
	uint64_t rows = 0;

	for (size_t i = 0; i < input->carrier_count; i++)
		takings->rows_of[i] = 0;
	for (size_t i = 0; i < input->row_count; i++) {
		struct row_visit visit = {.takings = takings};

		if (takings->taken[i] || input->rows[i].candidate_count == 0)
			continue;
		visit_carriers(takings, &input->rows[i], count_carrier, &visit);
		rows += visit.any;
	}
	return rows;
}

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

static void
find_carrier(void *arg, uint32_t carrier)
{
	struct row_visit *visit = arg;

	visit->has |= carrier == visit->looked_for;
}

static void
choose_carrier(struct takings *takings, uint32_t carrier)
{
	const struct model_input *input = takings->input;

	for (size_t i = 0; i < input->row_count; i++) {
		struct row_visit visit = {.takings = takings, .looked_for = carrier};

		if (takings->taken[i] || input->rows[i].candidate_count == 0)
			continue;
		visit_carriers(takings, &input->rows[i], find_carrier, &visit);
		takings->taken[i] = visit.has;
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
		left = count_rows(takings);
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

	takings.rows_of = calloc(input->carrier_count + 1, sizeof(*takings.rows_of));
	takings.taken = calloc(input->row_count + 1, sizeof(*takings.taken));
	if (takings.rows_of == NULL || takings.taken == NULL)
		status = az_fail(reterr, AZ_NO_MEMORY, "trace: out of memory");
	if (status == AZ_OK)
		takings.explained = count_rows(&takings);
	if (status == AZ_OK && takings.explained > 0) {
		most = largest(&takings);
		if (takings.rows_of[most] > 1 &&
		    (double)takings.rows_of[most] >= NEARLY_ALL * (double)takings.explained)
			tell_one(&takings, most, result);
		else
			tell_many(&takings, result);
	}
	free(takings.rows_of);
	free(takings.taken);
	return status;
}
