/*
 * The model of Fellegi and Sunter: a facet's level is likelier among pairs that belong together than among others by
 * m/u, and facets are taken as independent given which of the two a pair is.
 *
 * Where they are not, the table says less than it could: a postcode follows from a place that is the same, so its
 * weight is dropped there. The shipped numbers are for the pairs that come out of the fingerprints, not for any two
 * people: whoever has the same birth and region is a candidate, so the u of those facets is higher than among strangers.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "trace/compare.h"

#define ESTIMATE_ROUNDS 50u
#define LEVEL_PAIRS_MIN 30.0 /* of a level, to be estimated */
#define SHARE_MIN       1e-6
#define NAME_BITS_MAX   24.0

/*                                        none  differs  part     close    turned   same   */
static const struct trace_weights shipped =
    {
	.m =
	    {
		[FACET_NAME] = {0.0, 0.010, 0.020, 0.080, 0.040, 0.850},
		[FACET_NAME2] = {0.0, 0.080, 0.050, 0.150, 0.040, 0.680},
		[FACET_BIRTH] = {0.0, 0.010, 0.020, 0.060, 0.010, 0.900},
		[FACET_PHONE] = {0.0, 0.060, 0.005, 0.035, 0.010, 0.890},
		[FACET_EMAIL] = {0.0, 0.100, 0.010, 0.040, 0.010, 0.840},
		[FACET_PLACE] = {0.0, 0.060, 0.060, 0.200, 0.080, 0.600},
		[FACET_POSTCODE] = {0.0, 0.050, 0.040, 0.100, 0.010, 0.800},
		[FACET_SEX] = {0.0, 0.010, 0.001, 0.001, 0.001, 0.987},
		[FACET_NUMBER] = {0.0, 0.500, 0.001, 0.001, 0.001, 0.497},
		[FACET_OTHER] = {0.0, 0.100, 0.010, 0.090, 0.010, 0.790},
	    },
	.u =
	    {
		[FACET_NAME] = {0.0, 0.940, 0.035, 0.010, 0.003, 0.012},
		[FACET_NAME2] = {0.0, 0.975, 0.015, 0.004, 0.001, 0.005},
		[FACET_BIRTH] = {0.0, 0.975, 0.023, 0.0018, 0.0001, 0.0001},
		[FACET_PHONE] = {0.0, 0.998, 0.0015, 0.0003, 0.0001, 0.0001},
		[FACET_EMAIL] = {0.0, 0.9995, 0.0001, 0.0003, 0.00005, 0.00005},
		[FACET_PLACE] = {0.0, 0.985, 0.010, 0.003, 0.001, 0.001},
		[FACET_POSTCODE] = {0.0, 0.960, 0.030, 0.005, 0.001, 0.004},
		[FACET_SEX] = {0.0, 0.490, 0.001, 0.001, 0.001, 0.507},
		[FACET_NUMBER] = {0.0, 0.994, 0.001, 0.001, 0.001, 0.003},
		[FACET_OTHER] = {0.0, 0.985, 0.005, 0.001, 0.001, 0.008},
	    },
};

const struct trace_weights *
trace_weights_shipped(void)
{
	return &shipped;
}

/* --- scoring ---------------------------------------------------------------------------------- */

static bool
says_nothing(const struct trace_agreement *agreement, unsigned int facet)
{
	/* The postcode follows from the place; that it differs still speaks against. */
	return agreement->levels[facet] == LEVEL_NONE ||
	    (facet == FACET_POSTCODE && agreement->levels[FACET_PLACE] == LEVEL_SAME &&
		agreement->levels[facet] > LEVEL_DIFFERS);
}

static double
facet_bits(const struct trace_weights *weights, unsigned int facet, unsigned int level)
{
	return log2(weights->m[facet][level] / weights->u[facet][level]);
}

/* A whole name that is the same: as rare as it is among the people there are. */
static double
name_bits(double table, uint32_t people, uint32_t namesakes)
{
	double bits;

	if (namesakes == 0 || people < 100)
		return table;
	bits = log2((double)people / ((double)namesakes + 1.0));
	if (bits > NAME_BITS_MAX)
		bits = NAME_BITS_MAX;
	/* Counts of a small house say little about how common a name is. */
	return people < 10000 ? (bits + table) / 2 : bits;
}

double
trace_score(const struct trace_weights *weights, const struct trace_agreement *agreement,
    uint32_t people, uint32_t namesakes)
{
	const uint8_t *levels = agreement->levels;
	bool whole_name = levels[FACET_NAME] == LEVEL_SAME && levels[FACET_NAME2] == LEVEL_SAME;
	double bits = 0.0;

	for (unsigned int facet = 0; facet < FACET_COUNT; facet++) {
		if (!says_nothing(agreement, facet) && !(whole_name && facet <= FACET_NAME2))
			bits += facet_bits(weights, facet, levels[facet]);
	}
	if (whole_name)
		bits += name_bits(facet_bits(weights, FACET_NAME, LEVEL_SAME) +
			facet_bits(weights, FACET_NAME2, LEVEL_SAME),
		    people, namesakes);
	return bits;
}

/* --- estimating ------------------------------------------------------------------------------- */

static double
likelihood(const struct trace_weights *weights, const struct trace_agreement *pair, bool together)
{
	double product = 1.0;

	for (unsigned int facet = 0; facet < FACET_COUNT; facet++) {
		unsigned int level = pair->levels[facet];

		if (!says_nothing(pair, facet))
			product *= together ? weights->m[facet][level] : weights->u[facet][level];
	}
	return product;
}

/* Takes the counted levels for weights, but for those that were hardly seen. */
static void
take_counts(double counts[FACET_COUNT][LEVEL_COUNT], double table[FACET_COUNT][LEVEL_COUNT])
{
	for (unsigned int facet = 0; facet < FACET_COUNT; facet++) {
		double sum = 0.0;
		double kept = 0.0;

		for (unsigned int level = LEVEL_DIFFERS; level < LEVEL_COUNT; level++) {
			if (counts[facet][level] >= LEVEL_PAIRS_MIN)
				sum += counts[facet][level];
			else
				kept += table[facet][level];
		}
		for (unsigned int level = LEVEL_DIFFERS; level < LEVEL_COUNT && sum > 0.0;
		     level++) {
			if (counts[facet][level] >= LEVEL_PAIRS_MIN)
				table[facet][level] = (1.0 - kept) * counts[facet][level] / sum;
		}
	}
}

enum az_status
trace_weights_estimate(struct trace_weights *weights, const struct trace_agreement *pairs,
    size_t count, double share, struct az_err *reterr)
{
	struct trace_weights *counts;

	if (count < TRACE_ESTIMATE_MIN)
		return az_fail(reterr, AZ_INVALID, "weights: %zu pairs are too few", count);
	counts = malloc(sizeof(*counts));
	if (counts == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "weights: out of memory");
	for (unsigned int round = 0; round < ESTIMATE_ROUNDS; round++) {
		double together = 0.0;

		memset(counts, 0, sizeof(*counts));
		for (size_t i = 0; i < count; i++) {
			double m = share * likelihood(weights, &pairs[i], true);
			double u = (1.0 - share) * likelihood(weights, &pairs[i], false);
			double belongs = m / (m + u);

			together += belongs;
			for (unsigned int facet = 0; facet < FACET_COUNT; facet++) {
				unsigned int level = pairs[i].levels[facet];

				if (says_nothing(&pairs[i], facet))
					continue;
				counts->m[facet][level] += belongs;
				counts->u[facet][level] += 1.0 - belongs;
			}
		}
		share = together / (double)count;
		share = share < SHARE_MIN     ? SHARE_MIN
		    : share > 1.0 - SHARE_MIN ? 1.0 - SHARE_MIN
					      : share;
		take_counts(counts->m, weights->m);
		take_counts(counts->u, weights->u);
	}
	free(counts);
	return AZ_OK;
}
