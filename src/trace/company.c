/*
 * Who sat beside somebody: another who was shown the same records within a day, nearly all of them. A trainee sees what
 * the mentor sees; the ledger has both, and how large their other histories are says nothing about which of the two
 * it was. They are a tie, whatever the odds.
 */
#include <stdlib.h>

#include "trace/model_internal.h"

#define BESIDE_US   INT64_C(86400000000)
#define NEARLY_ALL  0.90
#define ROWS_NEEDED 3u
#define LIKELY      0.50 /* whose company is looked for */

/* Marks who had the record within a day of an access, this row counted once for each. */
static void
mark_beside(const struct model_input *input, const struct model_row *row,
    const struct model_candidate *candidate, size_t first, const struct model_access *of,
    uint32_t stamp, uint32_t *stamps, uint32_t *counts)
{
	const struct model_carrier *carrier = &input->carriers[of->carrier];

	for (size_t i = first;
	     i < input->access_count && input->accesses[i].record == candidate->record; i++) {
		const struct model_carrier *other = &input->carriers[input->accesses[i].carrier];
		int64_t apart = other->time_us - carrier->time_us;

		if (other->person == carrier->person || stamps[other->person] == stamp ||
		    apart > BESIDE_US || apart < -BESIDE_US ||
		    access_fit(input, row, candidate, &input->accesses[i]) < 0.5)
			continue;
		stamps[other->person] = stamp;
		counts[other->person]++;
	}
}

/* Whether the person had the row; and who else did, at the same time. */
static bool
look_at_row(const struct model_input *input, const struct model_row *row, uint32_t person,
    uint32_t stamp, uint32_t *stamps, uint32_t *counts)
{
	bool had = false;

	for (uint32_t c = 0; c < row->candidate_count; c++) {
		const struct model_candidate *candidate =
		    &input->candidates[row->first_candidate + c];
		size_t first = model_first_access(input, candidate->record);

		for (size_t i = first;
		     i < input->access_count && input->accesses[i].record == candidate->record;
		     i++) {
			const struct model_access *access = &input->accesses[i];

			if (input->carriers[access->carrier].person != person ||
			    access_fit(input, row, candidate, access) < 0.5)
				continue;
			had = true;
			mark_beside(input, row, candidate, first, access, stamp, stamps, counts);
		}
	}
	return had;
}

static void
share(struct odds *odds, const uint32_t *counts, double needed)
{
	double sums[2] = {odds->owners[0].posterior, odds->owners[0].posterior_flat};
	size_t shared = 1;

	for (size_t i = 1; i < odds->count; i++) {
		const struct owner_odds *owner = &odds->owners[i];

		if (owner->who.owner != MODEL_PERSON || (double)counts[owner->who.index] < needed)
			continue;
		sums[0] += owner->posterior;
		sums[1] += owner->posterior_flat;
		shared++;
	}
	if (shared == 1)
		return;
	for (size_t i = 0; i < odds->count; i++) {
		struct owner_odds *owner = &odds->owners[i];

		if (i > 0 &&
		    (owner->who.owner != MODEL_PERSON || (double)counts[owner->who.index] < needed))
			continue;
		owner->posterior = sums[0] / (double)shared;
		owner->posterior_flat = sums[1] / (double)shared;
		owner->tied = true;
	}
	odds_sort(odds);
}

enum az_status
odds_share_with_company(const struct model *model, struct odds *odds, struct az_err *reterr)
{
	const struct model_input *input = model->input;
	uint32_t *stamps, *counts;
	enum az_status status = AZ_OK;
	size_t rows = 0;

	if (odds->owners[0].who.owner != MODEL_PERSON || odds->owners[0].posterior < LIKELY)
		return AZ_OK;
	stamps = calloc(input->person_count, sizeof(*stamps));
	counts = calloc(input->person_count, sizeof(*counts));
	if (stamps == NULL || counts == NULL)
		status = az_fail(reterr, AZ_NO_MEMORY, "trace: out of memory");
	for (size_t i = 0; i < model->found_count && status == AZ_OK; i++)
		rows += look_at_row(input, &input->rows[model->found[i].row],
		    odds->owners[0].who.index, (uint32_t)i + 1, stamps, counts);
	if (status == AZ_OK && rows >= ROWS_NEEDED)
		share(odds, counts, NEARLY_ALL * (double)rows);
	free(stamps);
	free(counts);
	return status;
}
