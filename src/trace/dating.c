/*
 * When a list was copied, from the versions of its rows: at that moment all of them were current.
 *
 * Each row is current in one or several stretches of time. The logarithm of the likelihood of a moment is linear in how
 * many rows are current then, since some are foreign or linked wrongly; it is constant between two changes of version.
 * The window is what holds 99 % of the likelihood's mass over time.
 *
 * A thief who came often has rows that no one moment explains: then moments are added one by one, each the one that
 * most of the rows still unexplained were current in, and each gets its window from the rows that only it explains.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "trace/model_internal.h"

#define BITS_A_ROW   1.2   /* logarithm of the odds that a row which is current then is not wrong */
#define MASS_OUTSIDE 0.005 /* at either end */
#define REST_PART    0.06  /* rows that need no moment: as many are wrong */
#define CLUSTER_ROWS 2u

struct change {
	int64_t time_us;
	int32_t by; /* rows that become current, less those that cease to be */
};

struct dating {
	const struct model_input *input;
	uint32_t *rows;   /* found ones */
	uint8_t *covered; /* by how many moments */
	size_t count;
	struct change *changes;
	size_t room;
	int64_t moments[MODEL_CLUSTERS_MAX];
	size_t moment_count;
};

static const struct model_candidate *
best_of(const struct dating *dating, size_t i)
{
	const struct model_row *row = &dating->input->rows[dating->rows[i]];

	return &dating->input->candidates[row->first_candidate];
}

static int
compare_changes(const void *a, const void *b)
{
	const struct change *one = a;
	const struct change *other = b;

	return one->time_us < other->time_us ? -1 : one->time_us > other->time_us;
}

static int
compare_spans(const void *a, const void *b)
{
	const struct model_span *one = a;
	const struct model_span *other = b;

	return one->from_us < other->from_us ? -1 : one->from_us > other->from_us;
}

/* The changes of the rows that want says; stretches of one row that touch or overlap are one. */
static size_t
collect_changes(struct dating *dating,
    bool (*want)(const struct dating *dating, size_t i, size_t arg), size_t arg)
{
	struct model_span spans[16];
	size_t count = 0;

	for (size_t i = 0; i < dating->count; i++) {
		const struct model_candidate *candidate = best_of(dating, i);
		size_t span_count = candidate->span_count < 16 ? candidate->span_count : 16;
		int64_t until = INT64_MIN;

		if (!want(dating, i, arg))
			continue;
		for (size_t s = 0; s < span_count; s++)
			spans[s] = dating->input->spans[candidate->first_span + s];
		if (span_count > 1)
			qsort(spans, span_count, sizeof(spans[0]), compare_spans);
		for (size_t s = 0; s < span_count; s++) {
			int64_t from = spans[s].from_us > until ? spans[s].from_us : until;

			if (spans[s].to_us <= from)
				continue;
			dating->changes[count++] = (struct change){.time_us = from, .by = 1};
			until = spans[s].to_us;
			if (until != MODEL_NEVER)
				dating->changes[count++] =
				    (struct change){.time_us = until, .by = -1};
		}
	}
	if (count > 1)
		qsort(dating->changes, count, sizeof(dating->changes[0]), compare_changes);
	return count;
}

static bool
is_uncovered(const struct dating *dating, size_t i, size_t arg)
{
	(void)arg;
	return dating->covered[i] == 0;
}

/* Whether a moment covers the row and no other does. */
static bool
is_only_of(const struct dating *dating, size_t i, size_t moment)
{
	return dating->covered[i] == 1 &&
	    candidate_is_current(dating->input, best_of(dating, i), dating->moments[moment]);
}

static bool
is_any(const struct dating *dating, size_t i, size_t arg)
{
	(void)dating;
	(void)i;
	(void)arg;
	return true;
}

/* The moment at which most rows are current. */
static int64_t
busiest(const struct change *changes, size_t count, size_t *ret_rows)
{
	int64_t at = MODEL_NEVER;
	int64_t now = 0;
	int64_t most = 0;

	for (size_t i = 0; i < count; i++) {
		now += changes[i].by;
		/* All changes of one moment count together. */
		if (i + 1 < count && changes[i + 1].time_us == changes[i].time_us)
			continue;
		if (now > most) {
			most = now;
			at = changes[i].time_us;
		}
	}
	*ret_rows = (size_t)most;
	return at;
}

/* The last moment that is looked at: a day after the last change, or the end of the last stretch. */
static int64_t
end_of_time(const struct dating *dating)
{
	int64_t last = 0;

	for (size_t i = 0; i < dating->input->span_count; i++) {
		const struct model_span *span = &dating->input->spans[i];

		if (span->from_us > last)
			last = span->from_us;
		if (span->to_us != MODEL_NEVER && span->to_us > last)
			last = span->to_us;
	}
	for (size_t i = 0; i < dating->input->carrier_count; i++) {
		if (dating->input->carriers[i].time_us > last)
			last = dating->input->carriers[i].time_us;
	}
	return last + INT64_C(86400000000);
}

/* The stretch between two changes that holds 99 % of the likelihood's mass. */
static bool
window_of(const struct change *changes, size_t count, size_t rows, int64_t end, int64_t *ret_from,
    int64_t *ret_to)
{
	double bits = BITS_A_ROW;
	double total = 0.0, before = 0.0;
	int64_t most = 0, now = 0;
	bool has_from = false;

	for (size_t i = 0; i < count; i++) {
		now += changes[i].by;
		most = now > most ? now : most;
	}
	if (most == 0 || rows == 0)
		return false;
	for (int pass = 0; pass < 2; pass++) {
		now = 0;
		for (size_t i = 0; i < count; i++) {
			int64_t until = i + 1 < count ? changes[i + 1].time_us : end;
			double mass;

			now += changes[i].by;
			if (until <= changes[i].time_us)
				continue;
			mass =
			    exp(bits * (double)(now - most)) * (double)(until - changes[i].time_us);
			if (pass == 0) {
				total += mass;
				continue;
			}
			if (!has_from && before + mass > MASS_OUTSIDE * total) {
				*ret_from = changes[i].time_us;
				has_from = true;
			}
			before += mass;
			if (before >= (1.0 - MASS_OUTSIDE) * total) {
				*ret_to = until;
				return has_from;
			}
		}
	}
	*ret_to = end;
	return has_from;
}

static void
cover(struct dating *dating, int64_t moment)
{
	for (size_t i = 0; i < dating->count; i++) {
		if (candidate_is_current(dating->input, best_of(dating, i), moment) &&
		    dating->covered[i] < UINT8_MAX)
			dating->covered[i]++;
	}
}

/* Adds moments until hardly a row is left that no moment explains. */
static void
find_moments(struct dating *dating)
{
	size_t left = dating->count;
	size_t allowed = (size_t)ceil(REST_PART * (double)dating->count);

	while (dating->moment_count < MODEL_CLUSTERS_MAX && left > allowed) {
		size_t count = collect_changes(dating, is_uncovered, 0);
		size_t rows;
		int64_t moment = busiest(dating->changes, count, &rows);

		if (rows == 0 || (dating->moment_count > 0 && rows < CLUSTER_ROWS))
			return;
		dating->moments[dating->moment_count++] = moment;
		cover(dating, moment);
		left -= rows;
	}
}

static void
tell_clusters(struct dating *dating, struct model_result *result)
{
	int64_t end = end_of_time(dating);

	for (size_t m = 0; m < dating->moment_count; m++) {
		struct model_cluster cluster = {.rows = 0};
		bool alone = dating->moment_count == 1;
		size_t count = collect_changes(dating, alone ? is_any : is_only_of, m);

		for (size_t i = 0; i < dating->count; i++)
			cluster.rows += candidate_is_current(
			    dating->input, best_of(dating, i), dating->moments[m]);
		if (!window_of(dating->changes, count, dating->count, end, &cluster.from_us,
			&cluster.to_us))
			continue;
		result->clusters[result->cluster_count++] = cluster;
		if (result->cluster_count == 1 || cluster.from_us < result->from_us)
			result->from_us = cluster.from_us;
		if (result->cluster_count == 1 || cluster.to_us > result->to_us)
			result->to_us = cluster.to_us;
	}
}

static int
compare_clusters(const void *a, const void *b)
{
	const struct model_cluster *one = a;
	const struct model_cluster *other = b;

	return one->from_us < other->from_us ? -1 : one->from_us > other->from_us;
}

enum az_status
model_date(const struct model_input *input, struct model_result *result, struct az_err *reterr)
{
	struct dating dating = {.input = input};
	enum az_status status = AZ_OK;

	result->cluster_count = 0;
	result->from_us = 1;
	result->to_us = 0;
	for (size_t i = 0; i < input->row_count; i++) {
		const struct model_row *row = &input->rows[i];

		if (row->candidate_count > 0)
			dating.room += 2u * input->candidates[row->first_candidate].span_count;
	}
	dating.rows = calloc(input->row_count + 1, sizeof(*dating.rows));
	dating.covered = calloc(input->row_count + 1, sizeof(*dating.covered));
	dating.changes = calloc(dating.room + 1, sizeof(*dating.changes));
	if (dating.rows == NULL || dating.covered == NULL || dating.changes == NULL)
		status = az_fail(reterr, AZ_NO_MEMORY, "trace: out of memory");
	for (size_t i = 0; i < input->row_count && status == AZ_OK; i++) {
		const struct model_row *row = &input->rows[i];

		if (row->candidate_count > 0 &&
		    input->candidates[row->first_candidate].span_count > 0)
			dating.rows[dating.count++] = (uint32_t)i;
	}
	if (status == AZ_OK && dating.count > 0) {
		find_moments(&dating);
		tell_clusters(&dating, result);
		qsort(result->clusters, result->cluster_count, sizeof(result->clusters[0]),
		    compare_clusters);
	}
	free(dating.rows);
	free(dating.covered);
	free(dating.changes);
	return status;
}
