/*
 * Posteriors. The likelihood of the rows under one source h is
 *
 *	L = sum over nuisances of  prod over found rows    [ λ·m·g + (1-λ)·(1-δ)·P(row | h) ]
 *	                         · prod over others        [ λ·(1-m) + (1-λ)·δ ]
 *
 * λ is the share of rows that come from elsewhere, m the part of those that are found by chance, g how likely chance
 * makes a row, δ the rows damaged beyond recognition; how well the broker kept spellings is in P. None of them is
 * known: a few values of each are tried, all alike at first. L counts to the power of η: rows are not as independent
 * as the product takes them for.
 *
 * Only rows that h explains differ from those of chance, so what is computed for h is the sum over them of log1p.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "trace/model_internal.h"

static const double lambdas[] = {0.05, 0.20, 0.50, 0.80};
static const double chances[] = {0.02, 0.15, 0.50, 0.90};
#define NUISANCES (AZ_ARRAY_SIZE(lambdas) * AZ_ARRAY_SIZE(chances) * QUALITIES)

#define TIED_BELOW 1.1 /* in logarithm: three to one */

/* How likely each kind of source is before anything is found. */
static const double prior_of[] = {
    [MODEL_PERSON] = 0.60,
    [MODEL_CLIENT] = 0.15,
    [MODEL_POOL] = 0.08,
    [MODEL_STORE] = 0.07,
    [MODEL_ELSEWHERE] = 0.10,
};
#define PRIOR_RANGE                                                                                \
	7.389 /* e²: nobody is suspected more than so many times as much as another beforehand */

static double
person_prior(double prior)
{
	if (!(prior > 0.0))
		return 1.0;
	return fmin(fmax(prior, 1.0 / sqrt(PRIOR_RANGE)), sqrt(PRIOR_RANGE));
}

double
model_priors(const struct model_input *input)
{
	double sum = 0.0;

	for (size_t i = 0; i < input->person_count; i++)
		sum += person_prior(input->persons[i].prior);
	return sum;
}

double
model_prior(const struct model *model, enum model_owner owner, uint32_t index, bool flat)
{
	const struct model_input *input = model->input;

	if (owner == MODEL_CLIENT)
		return prior_of[owner] / (double)input->client_count;
	if (owner == MODEL_POOL)
		return prior_of[owner] / (double)input->pool_count;
	if (owner != MODEL_PERSON)
		return prior_of[owner];
	if (flat)
		return prior_of[owner] / (double)input->person_count;
	return prior_of[owner] * person_prior(input->persons[index].prior) / model->priors;
}

/* --- owners ----------------------------------------------------------------------------------- */

/* Where an owner stands in the table: persons, clients, pools, store, elsewhere. */
static size_t
place_of(const struct model_input *input, enum model_owner owner, uint32_t index)
{
	if (owner == MODEL_PERSON)
		return index;
	if (owner == MODEL_CLIENT)
		return input->person_count + index;
	if (owner == MODEL_POOL)
		return input->person_count + input->client_count + index;
	return input->person_count + input->client_count + input->pool_count +
	    (owner == MODEL_STORE ? 0u : 1u);
}

static struct model_who
who_at(const struct model_input *input, size_t place)
{
	struct model_who who = {.index = MODEL_NONE};

	if (place < input->person_count) {
		who = (struct model_who){.owner = MODEL_PERSON, .index = (uint32_t)place};
	} else if ((place -= input->person_count) < input->client_count) {
		who = (struct model_who){.owner = MODEL_CLIENT, .index = (uint32_t)place};
	} else if ((place -= input->client_count) < input->pool_count) {
		who = (struct model_who){.owner = MODEL_POOL, .index = (uint32_t)place};
	} else {
		who.owner = place - input->pool_count == 0 ? MODEL_STORE : MODEL_ELSEWHERE;
	}
	return who;
}

struct score {
	double log_sum; /* of its hypotheses' likelihoods, weighed */
	double best_value;
	double best_likelihood; /* of one of them, not weighed */
	size_t best;
};

static double
log_add(double a, double b)
{
	double most = fmax(a, b);

	return most == -HUGE_VAL ? most : most + log1p(exp(fmin(a, b) - most));
}

static void
score_add(struct score *score, double likelihood, double occam, size_t hypothesis)
{
	double value = likelihood + occam;

	score->log_sum = log_add(score->log_sum, value);
	score->best_likelihood = fmax(score->best_likelihood, likelihood);
	if (score->best == SIZE_MAX || value > score->best_value) {
		score->best_value = value;
		score->best = hypothesis;
	}
}

static int
by_posterior(const void *a, const void *b)
{
	const struct owner_odds *one = a;
	const struct owner_odds *other = b;

	if (one->posterior > other->posterior || one->posterior < other->posterior)
		return one->posterior > other->posterior ? -1 : 1;
	if (one->likelihood > other->likelihood || one->likelihood < other->likelihood)
		return one->likelihood > other->likelihood ? -1 : 1;
	if (one->who.owner != other->who.owner)
		return one->who.owner < other->who.owner ? -1 : 1;
	return one->who.index < other->who.index ? -1 : one->who.index > other->who.index;
}

void
odds_sort(struct odds *odds)
{
	qsort(odds->owners, odds->count, sizeof(*odds->owners), by_posterior);
}

void
odds_give(struct odds *odds, double ratio, struct model_who who)
{
	double part = ratio / (1.0 + ratio);

	for (size_t i = 0; i < odds->count; i++) {
		struct owner_odds *owner = &odds->owners[i];
		/* There is one store, and one elsewhere. */
		bool is_it = owner->who.owner == who.owner &&
		    (owner->who.index == MODEL_NONE || owner->who.index == who.index);

		owner->posterior = (1.0 - part) * owner->posterior + (is_it ? part : 0.0);
		owner->posterior_flat = (1.0 - part) * owner->posterior_flat + (is_it ? part : 0.0);
	}
	odds_sort(odds);
}

/*
 * Who explains the rows as well as the likeliest does is not told apart by them, whatever was believed before: among
 * these the posterior is shared alike, so that nobody is named for a prior alone.
 */
static void
level_ties(struct owner_odds *owners, size_t count)
{
	double best = -HUGE_VAL;
	double sums[2] = {0.0, 0.0};
	size_t tied = 0;

	for (size_t i = 0; i < count; i++)
		best = fmax(best, owners[i].likelihood);
	for (size_t i = 0; i < count; i++) {
		owners[i].tied = owners[i].likelihood > best - TIED_BELOW &&
		    (owners[i].who.owner == MODEL_PERSON || owners[i].who.owner == MODEL_CLIENT);
		if (!owners[i].tied)
			continue;
		tied++;
		sums[0] += owners[i].posterior;
		sums[1] += owners[i].posterior_flat;
	}
	for (size_t i = 0; i < count && tied > 1; i++) {
		if (!owners[i].tied)
			continue;
		owners[i].posterior = sums[0] / (double)tied;
		owners[i].posterior_flat = sums[1] / (double)tied;
	}
	for (size_t i = 0; i < count && tied <= 1; i++)
		owners[i].tied = false;
}

/* From scores to posteriors; nothing: the likelihood of a hypothesis that explains no row. */
static enum az_status
make_odds(const struct model *model, const struct score *scores, size_t count, double nothing,
    struct odds *ret_odds, struct az_err *reterr)
{
	double most = nothing;
	double sums[2] = {0.0, 0.0};
	struct owner_odds *owners = calloc(count, sizeof(*owners));

	if (owners == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "trace: out of memory");
	for (size_t i = 0; i < count; i++)
		most = fmax(most, scores[i].log_sum);
	for (size_t i = 0; i < count; i++) {
		struct owner_odds *owner = &owners[i];
		double value = scores[i].best == SIZE_MAX && scores[i].log_sum == -HUGE_VAL
		    ? nothing
		    : scores[i].log_sum;
		double likelihood = exp(value - most);
		double flat;

		owner->who = who_at(model->input, i);
		owner->best = scores[i].best;
		owner->likelihood = scores[i].best_likelihood;
		flat = model_prior(model, owner->who.owner,
		    owner->who.index == MODEL_NONE ? 0 : owner->who.index, true);
		owner->posterior_flat = likelihood * flat;
		owner->posterior = owner->who.owner == MODEL_PERSON
		    ? likelihood * prior_of[MODEL_PERSON] *
			person_prior(model->input->persons[i].prior) / model->priors
		    : likelihood * flat;
		sums[0] += owner->posterior;
		sums[1] += owner->posterior_flat;
	}
	for (size_t i = 0; i < count; i++) {
		owners[i].posterior /= sums[0];
		owners[i].posterior_flat /= sums[1];
	}
	level_ties(owners, count);
	for (size_t i = 0; i < count; i++) {
		if (owners[i].who.owner == MODEL_ELSEWHERE)
			ret_odds->elsewhere = owners[i].posterior;
	}
	ret_odds->owners = owners;
	ret_odds->count = count;
	odds_sort(ret_odds);
	return AZ_OK;
}

void
odds_fini(struct odds *odds)
{
	free(odds->owners);
	*odds = (struct odds){0};
}

static enum az_status
scores_new(
    const struct model *model, struct score **ret_scores, size_t *ret_count, struct az_err *reterr)
{
	size_t count = place_of(model->input, MODEL_ELSEWHERE, 0) + 1;
	struct score *scores = calloc(count, sizeof(*scores));

	if (scores == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "trace: out of memory");
	for (size_t i = 0; i < count; i++)
		scores[i] = (struct score){
		    .log_sum = -HUGE_VAL, .best_likelihood = -HUGE_VAL, .best = SIZE_MAX};
	*ret_scores = scores;
	*ret_count = count;
	return AZ_OK;
}

/* --- one source ------------------------------------------------------------------------------- */

struct nuisance {
	double factor;  /* (1-λ)(1-δ) / (λ m) */
	double nothing; /* the logarithm for a hypothesis that explains no row */
	unsigned int quality;
};

static void
fill_nuisances(const struct model *model, struct nuisance nuisances[NUISANCES])
{
	double background = 0.0;
	size_t count = 0;

	for (size_t i = 0; i < model->found_count; i++)
		background += log(model->found[i].background);
	for (size_t l = 0; l < AZ_ARRAY_SIZE(lambdas); l++) {
		for (size_t m = 0; m < AZ_ARRAY_SIZE(chances); m++) {
			double lambda = lambdas[l];
			double chance = chances[m];
			double nothing = background +
			    (double)model->found_count * log(lambda * chance) +
			    (double)model->missing_count *
				log(lambda * (1.0 - chance) + (1.0 - lambda) * MODEL_LOST);

			for (unsigned int q = 0; q < QUALITIES; q++)
				nuisances[count++] = (struct nuisance){.quality = q,
				    .factor =
					(1.0 - lambda) * (1.0 - MODEL_LOST) / (lambda * chance),
				    .nothing = nothing};
		}
	}
}

#define CURRENT_ELSEWHERE                                                                          \
	0.75 /* rows of a list of strangers that are as we had them on the day of that list */

/* How likely all found rows are in a list of strangers of one day. */
static double
elsewhere_on(const struct model *model, int64_t time_us)
{
	const struct model_input *input = model->input;
	double sum = 0.0;

	for (size_t i = 0; i < model->found_count; i++) {
		const struct model_row *row = &input->rows[model->found[i].row];

		sum += log(
		    candidate_is_current(input, &input->candidates[row->first_candidate], time_us)
			? CURRENT_ELSEWHERE
			: 1.0 - CURRENT_ELSEWHERE);
	}
	return sum;
}

/*
 * Everything from elsewhere: λ is 1. Such a list is of some day, too: people who have moved since stand in it as they
 * were, so that rows which were current here at very different times do not come from one.
 */
static double
elsewhere_value(const struct model *model)
{
	const struct model_input *input = model->input;
	double background = 0.0;
	double days = -HUGE_VAL;
	double sum = -HUGE_VAL;
	size_t count = 0;

	for (size_t i = 0; i < model->found_count; i++)
		background += log(model->found[i].background);
	for (size_t i = 0; i < input->copy_count; i++) {
		if (input->copies[i].client != MODEL_NONE)
			continue;
		days = log_add(days, elsewhere_on(model, input->copies[i].time_us));
		count++;
	}
	if (count > 0)
		background += days - log((double)count);
	for (size_t m = 0; m < AZ_ARRAY_SIZE(chances); m++)
		sum = log_add(sum,
		    MODEL_ETA *
			(background + (double)model->found_count * log(chances[m]) +
			    (double)model->missing_count * log(1.0 - chances[m])));
	return sum - log((double)AZ_ARRAY_SIZE(chances));
}

static double
hypothesis_value(const struct model *model, const struct hypothesis *hypothesis,
    const struct nuisance nuisances[NUISANCES])
{
	double sum = -HUGE_VAL;

	for (size_t n = 0; n < NUISANCES; n++) {
		double value = nuisances[n].nothing;

		for (size_t i = 0; i < hypothesis->count; i++) {
			const struct signal *signal = &model->signals[hypothesis->first + i];
			const struct found_row *found = &model->found[signal->row];

			value += log1p(nuisances[n].factor * signal->value *
			    found->ratio[nuisances[n].quality] / found->background);
		}
		sum = log_add(sum, MODEL_ETA * value);
	}
	return sum - log((double)NUISANCES) + hypothesis->canary;
}

enum az_status
odds_of_one(const struct model *model, struct odds *ret_odds, struct az_err *reterr)
{
	struct nuisance nuisances[NUISANCES];
	struct score *scores = NULL;
	double nothing = -HUGE_VAL;
	size_t count = 0;
	enum az_status status = scores_new(model, &scores, &count, reterr);

	if (status != AZ_OK)
		return status;
	fill_nuisances(model, nuisances);
	for (size_t n = 0; n < NUISANCES; n++)
		nothing = log_add(nothing, MODEL_ETA * nuisances[n].nothing);
	nothing -= log((double)NUISANCES);
	for (size_t h = 0; h < model->hypothesis_count; h++) {
		const struct hypothesis *hypothesis = &model->hypotheses[h];

		score_add(&scores[place_of(model->input, hypothesis->owner, hypothesis->index)],
		    hypothesis_value(model, hypothesis, nuisances), hypothesis->occam, h);
	}
	scores[count - 1].log_sum = elsewhere_value(model);
	scores[count - 1].best_likelihood = scores[count - 1].log_sum;
	status = make_odds(model, scores, count, nothing, ret_odds, reterr);
	free(scores);
	return status;
}

/* --- one of several --------------------------------------------------------------------------- */

/* What the mixture without the slot's owner makes of each found row; and the share that the owner leaves. */
static void
base_without(const struct model *model, const struct mixture *mixture, struct model_who who,
    double *base, double *ret_share)
{
	double share = 0.0;

	for (size_t i = 0; i < model->found_count; i++)
		base[i] = mixture->background * mixture->chance * model->found[i].background;
	for (size_t k = 0; k < mixture->count; k++) {
		const struct hypothesis *hypothesis = &model->hypotheses[mixture->hypotheses[k]];

		if (hypothesis->owner == who.owner && hypothesis->index == who.index) {
			share += mixture->shares[k];
			continue;
		}
		for (size_t i = 0; i < hypothesis->count; i++) {
			const struct signal *signal = &model->signals[hypothesis->first + i];

			base[signal->row] += mixture->shares[k] * (1.0 - MODEL_LOST) *
			    signal->value * model->found[signal->row].ratio[mixture->quality];
		}
	}
	*ret_share = share;
}

static bool
is_in_other_slot(const struct model *model, const struct mixture *mixture, struct model_who who,
    const struct hypothesis *tried)
{
	if (tried->owner == who.owner && tried->index == who.index)
		return false;
	for (size_t k = 0; k < mixture->count; k++) {
		const struct hypothesis *hypothesis = &model->hypotheses[mixture->hypotheses[k]];

		if (hypothesis->owner == tried->owner && hypothesis->index == tried->index)
			return true;
	}
	return false;
}

#define REPLACED_MAX 6u /* owners that are tried with several sources */

/* Whether the slot's owner needs more than one source. */
static bool
has_several(const struct model *model, const struct mixture *mixture, struct model_who who)
{
	size_t count = 0;

	for (size_t k = 0; k < mixture->count; k++) {
		const struct hypothesis *hypothesis = &model->hypotheses[mixture->hypotheses[k]];

		count += hypothesis->owner == who.owner && hypothesis->index == who.index;
	}
	return count > 1;
}

/*
 * An owner who needs several sources must be held against others with as many as they need: the likeliest by one
 * source are tried. All are measured against the mixture without the slot.
 */
static enum az_status
score_several(const struct model *model, const struct mixture *mixture, struct model_who who,
    double without, struct score *scores, size_t count, struct az_err *reterr)
{
	bool *tried = calloc(count, sizeof(*tried));
	size_t next = place_of(model->input, who.owner, who.index);
	enum az_status status = AZ_OK;

	if (tried == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "trace: out of memory");
	for (size_t round = 0; round < REPLACED_MAX && next != SIZE_MAX && status == AZ_OK;
	     round++) {
		double likelihood, occam;

		tried[next] = true;
		status = mixture_replace(
		    model, mixture, who, who_at(model->input, next), &likelihood, &occam, reterr);
		if (status == AZ_OK)
			score_add(&scores[next], likelihood - without, occam, scores[next].best);
		next = SIZE_MAX;
		for (size_t i = 0; i + 1 < count; i++) {
			if (!tried[i] && scores[i].best != SIZE_MAX &&
			    (next == SIZE_MAX || scores[i].log_sum > scores[next].log_sum))
				next = i;
		}
	}
	free(tried);
	return status;
}

enum az_status
odds_of_slot(const struct model *model, const struct mixture *mixture, struct model_who who,
    struct odds *ret_odds, struct az_err *reterr)
{
	struct score *scores = NULL;
	double *base = calloc(model->found_count + 1, sizeof(*base));
	double share = 0.0;
	double elsewhere = 0.0;
	double without = 0.0;
	size_t count = 0;
	enum az_status status = base == NULL ? az_fail(reterr, AZ_NO_MEMORY, "trace: out of memory")
					     : scores_new(model, &scores, &count, reterr);

	if (status != AZ_OK) {
		free(base);
		return status;
	}
	base_without(model, mixture, who, base, &share);
	for (size_t h = 0; h < model->hypothesis_count; h++) {
		const struct hypothesis *hypothesis = &model->hypotheses[h];
		double value = 0.0;

		if (is_in_other_slot(model, mixture, who, hypothesis))
			continue;
		for (size_t i = 0; i < hypothesis->count; i++) {
			const struct signal *signal = &model->signals[hypothesis->first + i];

			value += log1p(share * (1.0 - MODEL_LOST) * signal->value *
			    model->found[signal->row].ratio[mixture->quality] / base[signal->row]);
		}
		score_add(&scores[place_of(model->input, hypothesis->owner, hypothesis->index)],
		    MODEL_ETA * value + hypothesis->canary, hypothesis->occam, h);
	}
	for (size_t i = 0; i < model->found_count; i++)
		without += MODEL_ETA * log(base[i]);
	without += MODEL_ETA * (double)model->missing_count *
	    log(mixture->background * (1.0 - mixture->chance) +
		(1.0 - mixture->background) * MODEL_LOST);
	if (has_several(model, mixture, who))
		status = score_several(model, mixture, who, without, scores, count, reterr);
	/* Chance in the place of the source. */
	for (size_t i = 0; i < model->found_count; i++)
		elsewhere += log1p(share * mixture->chance * model->found[i].background / base[i]);
	scores[count - 1].log_sum = MODEL_ETA * elsewhere;
	scores[count - 1].best_likelihood = scores[count - 1].log_sum;
	if (status == AZ_OK)
		status = make_odds(model, scores, count, 0.0, ret_odds, reterr);
	free(scores);
	free(base);
	return status;
}
