/*
 * Several sources at once: shares of each and of chance that make the rows likeliest (EM), and as few sources as do.
 *
 * A source costs what its prior says, so that a second person is only there if the rows become likelier by more than
 * the number of people one could have picked. Sources come in one by one, the best first; after each, those that are
 * no longer worth their cost go, since a pool that explained two agents' rows at first is not needed once both are in.
 */
#include <math.h>
#include <stdlib.h>

#include "trace/model_internal.h"

#define EM_ROUNDS 40u
#define MARGIN    2.0 /* beyond its prior's cost, for each source */
#define SAME_OWNER                                                                                 \
	MARGIN /* the cost of a further carrier of somebody who is in already, beside its occam */
#define SHARE_LEAST 1e-4

/* Values of one source for all found rows, those that it does not explain included. */
static void
spread(const struct model *model, size_t hypothesis, unsigned int quality, double *values)
{
	const struct hypothesis *of = &model->hypotheses[hypothesis];

	for (size_t i = 0; i < model->found_count; i++)
		values[i] = 0.0;
	for (size_t i = 0; i < of->count; i++) {
		const struct signal *signal = &model->signals[of->first + i];

		values[signal->row] =
		    (1.0 - MODEL_LOST) * signal->value * model->found[signal->row].ratio[quality];
	}
}

static double
likelihood_of(
    const struct model *model, const struct mixture *mixture, const double *values, double *mixed)
{
	size_t n = model->found_count;
	double sum = 0.0;

	for (size_t i = 0; i < n; i++) {
		double p = mixture->background * mixture->chance * model->found[i].background;

		for (size_t k = 0; k < mixture->count; k++)
			p += mixture->shares[k] * values[k * n + i];
		mixed[i] = p;
		sum += log(p);
	}
	return sum +
	    (double)model->missing_count *
	    log(mixture->background * (1.0 - mixture->chance) +
		(1.0 - mixture->background) * MODEL_LOST);
}

/* One round of EM: what each source is responsible for becomes its share. */
static void
reweigh(
    const struct model *model, struct mixture *mixture, const double *values, const double *mixed)
{
	size_t n = model->found_count;
	double missing = (double)model->missing_count;
	double lost = mixture->background * (1.0 - mixture->chance) +
	    (1.0 - mixture->background) * MODEL_LOST;
	double total = (double)n + missing;
	double left = 1.0;

	for (size_t k = 0; k < mixture->count; k++) {
		double responsible = 0.0;

		for (size_t i = 0; i < n; i++)
			responsible += mixture->shares[k] * values[k * n + i] / mixed[i];
		responsible += missing * mixture->shares[k] * MODEL_LOST / lost;
		mixture->shares[k] = fmax(responsible / total, SHARE_LEAST);
		left -= mixture->shares[k];
	}
	mixture->background = fmax(left, SHARE_LEAST);
}

static double
cost_of(const struct model *model, const struct mixture *mixture, size_t upto, size_t hypothesis)
{
	const struct hypothesis *of = &model->hypotheses[hypothesis];

	for (size_t k = 0; k < upto; k++) {
		const struct hypothesis *before = &model->hypotheses[mixture->hypotheses[k]];

		if (before->owner == of->owner && before->index == of->index)
			return SAME_OWNER - of->occam - of->canary;
	}
	return MARGIN - log(model_prior(model, of->owner, of->index, false)) - of->occam -
	    of->canary;
}

/* Fits the shares, and says what the mixture is worth. values: room for MIXTURE_MAX + 1 rows of values. */
static void
fit(const struct model *model, struct mixture *mixture, double *values)
{
	size_t n = model->found_count;
	double *mixed = values + MIXTURE_MAX * n;

	for (size_t k = 0; k < mixture->count; k++) {
		spread(model, mixture->hypotheses[k], mixture->quality, values + k * n);
		mixture->shares[k] = 0.8 / (double)mixture->count;
	}
	mixture->background = mixture->count == 0 ? 1.0 : 0.2;
	for (unsigned int round = 0; round < EM_ROUNDS && mixture->count > 0; round++) {
		(void)likelihood_of(model, mixture, values, mixed);
		reweigh(model, mixture, values, mixed);
	}
	mixture->value = MODEL_ETA * likelihood_of(model, mixture, values, mixed);
	for (size_t k = 0; k < mixture->count; k++)
		mixture->value -= cost_of(model, mixture, k, mixture->hypotheses[k]);
}

static bool
has_hypothesis(const struct mixture *mixture, size_t hypothesis)
{
	for (size_t k = 0; k < mixture->count; k++) {
		if (mixture->hypotheses[k] == hypothesis)
			return true;
	}
	return false;
}

/* What a source would add at its best of a few shares, the others giving way alike. */
static double
gain_of(const struct model *model, const struct mixture *mixture, size_t hypothesis,
    const double *mixed)
{
	static const double shares[] = {0.01, 0.05, 0.2, 0.5, 0.8};
	const struct hypothesis *of = &model->hypotheses[hypothesis];
	double best = -HUGE_VAL;

	for (size_t s = 0; s < AZ_ARRAY_SIZE(shares); s++) {
		double gain = (double)model->found_count * log1p(-shares[s]);

		for (size_t i = 0; i < of->count; i++) {
			const struct signal *signal = &model->signals[of->first + i];

			gain += log1p(shares[s] / (1.0 - shares[s]) * (1.0 - MODEL_LOST) *
			    signal->value * model->found[signal->row].ratio[mixture->quality] /
			    mixed[signal->row]);
		}
		best = fmax(best, gain);
	}
	return MODEL_ETA * best - cost_of(model, mixture, mixture->count, hypothesis);
}

/* Takes out what is not worth its cost. */
static void
prune(const struct model *model, struct mixture *mixture, double *values)
{
	for (size_t k = 0; k < mixture->count && mixture->count > 1;) {
		struct mixture without = *mixture;

		without.count--;
		for (size_t i = k; i < without.count; i++)
			without.hypotheses[i] = without.hypotheses[i + 1];
		fit(model, &without, values);
		if (without.value >= mixture->value) {
			*mixture = without;
			k = 0;
		} else {
			k++;
		}
	}
	fit(model, mixture, values);
}

static bool
is_of(const struct hypothesis *hypothesis, const struct model_who *who)
{
	return hypothesis->owner == who->owner && hypothesis->index == who->index;
}

/*
 * Adds the best source there is, of one owner if only is not NULL, and if apart_from is not, neither of that owner nor several
 * exports together; false, and the mixture as it was, if none is worth its cost.
 */
static bool
add_best(const struct model *model, struct mixture *mixture, const struct model_who *only,
    const struct model_who *apart_from, double *values)
{
	double *mixed = values + MIXTURE_MAX * model->found_count;
	struct mixture more = *mixture;
	double best = -HUGE_VAL;
	size_t chosen = SIZE_MAX;

	(void)likelihood_of(model, mixture, values, mixed);
	for (size_t h = 0; h < model->hypothesis_count; h++) {
		bool skip = has_hypothesis(mixture, h) ||
		    (only != NULL && !is_of(&model->hypotheses[h], only)) ||
		    (apart_from != NULL &&
			(is_of(&model->hypotheses[h], apart_from) ||
			    model->hypotheses[h].ref == REF_HAND));
		double gain = skip ? -HUGE_VAL : gain_of(model, mixture, h, mixed);

		if (gain > best) {
			best = gain;
			chosen = h;
		}
	}
	if (chosen == SIZE_MAX)
		return false;
	more.hypotheses[more.count++] = chosen;
	fit(model, &more, values);
	if (more.value > mixture->value) {
		*mixture = more;
		return true;
	}
	fit(model, mixture, values);
	return false;
}

/* --- one hand or many leaks ------------------------------------------------------------------- */

/* Without what was only caution in the search. */
static double
plain_value(const struct mixture *mixture)
{
	return mixture->value + MARGIN * (double)mixture->count;
}

/* The source that is several exports of one person together; MIXTURE_MAX: there is none. */
static size_t
find_hand(const struct model *model, const struct mixture *mixture)
{
	for (size_t k = 0; k < mixture->count; k++) {
		if (model->hypotheses[mixture->hypotheses[k]].ref == REF_HAND)
			return k;
	}
	return MIXTURE_MAX;
}

/* The mixture without one owner's sources, and as many of others, one list each, as the rows then need. */
static void
fit_apart_from(const struct model *model, const struct mixture *mixture,
    const struct model_who *owner, struct mixture *ret_other, double *values)
{
	struct mixture other = {.quality = mixture->quality, .chance = mixture->chance};

	for (size_t k = 0; k < mixture->count; k++) {
		if (!is_of(&model->hypotheses[mixture->hypotheses[k]], owner))
			other.hypotheses[other.count++] = mixture->hypotheses[k];
	}
	fit(model, &other, values);
	while (other.count < MIXTURE_MAX && add_best(model, &other, NULL, owner, values))
		prune(model, &other, values);
	*ret_other = other;
}

/* A search that begins with what explains most begins with one hand: where as many leaks are likelier, they are the mixture. */
static void
prefer_many(const struct model *model, struct mixture *mixture, double *values)
{
	for (size_t k = find_hand(model, mixture); k < mixture->count;
	     k = find_hand(model, mixture)) {
		const struct hypothesis *of = &model->hypotheses[mixture->hypotheses[k]];
		struct model_who owner = {.owner = of->owner, .index = of->index};
		struct mixture other;

		fit_apart_from(model, mixture, &owner, &other, values);
		if (other.count == 0 || plain_value(&other) <= plain_value(mixture))
			break;
		*mixture = other;
	}
	fit(model, mixture, values);
}

enum az_status
mixture_fit(const struct model *model, struct mixture *ret_mixture, struct az_err *reterr)
{
	static const double chances[] = {0.02, 0.15, 0.50, 0.90};
	size_t n = model->found_count == 0 ? 1 : model->found_count;
	double *values = calloc((MIXTURE_MAX + 1) * n, sizeof(*values));
	struct mixture best = {.value = -HUGE_VAL};

	if (values == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "trace: out of memory");
	/* How well one source does tells how the broker wrote, and how much is found by chance. */
	for (unsigned int q = 0; q < QUALITIES; q++) {
		for (size_t m = 0; m < AZ_ARRAY_SIZE(chances); m++) {
			struct mixture mixture = {.quality = q, .chance = chances[m]};

			fit(model, &mixture, values);
			(void)add_best(model, &mixture, NULL, NULL, values);
			if (mixture.value > best.value)
				best = mixture;
		}
	}
	fit(model, &best, values);
	while (best.count > 0 && best.count < MIXTURE_MAX &&
	    add_best(model, &best, NULL, NULL, values))
		prune(model, &best, values);
	prefer_many(model, &best, values);
	free(values);
	*ret_mixture = best;
	return AZ_OK;
}

enum az_status
mixture_replace(const struct model *model, const struct mixture *mixture, struct model_who owner,
    struct model_who by, double *ret_likelihood, double *ret_occam, struct az_err *reterr)
{
	size_t n = model->found_count == 0 ? 1 : model->found_count;
	double *values = calloc((MIXTURE_MAX + 1) * n, sizeof(*values));
	struct mixture other = {.quality = mixture->quality, .chance = mixture->chance};

	if (values == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "trace: out of memory");
	for (size_t k = 0; k < mixture->count; k++) {
		if (!is_of(&model->hypotheses[mixture->hypotheses[k]], &owner))
			other.hypotheses[other.count++] = mixture->hypotheses[k];
	}
	fit(model, &other, values);
	while (other.count < MIXTURE_MAX && add_best(model, &other, &by, NULL, values))
		continue;
	fit(model, &other, values);
	*ret_likelihood = other.value;
	*ret_occam = 0.0;
	for (size_t k = 0; k < other.count; k++) {
		*ret_likelihood += cost_of(model, &other, k, other.hypotheses[k]);
		if (is_of(&model->hypotheses[other.hypotheses[k]], &by))
			*ret_occam += model->hypotheses[other.hypotheses[k]].occam - SAME_OWNER;
	}
	free(values);
	return AZ_OK;
}

enum az_status
mixture_instead(const struct model *model, const struct mixture *mixture, struct model_who owner,
    double *ret_ratio, struct model_who *ret_first, struct az_err *reterr)
{
	size_t n = model->found_count == 0 ? 1 : model->found_count;
	size_t hand = find_hand(model, mixture);
	struct mixture other;
	double *values;
	double share = 0.0;

	*ret_ratio = 0.0;
	*ret_first = owner;
	if (hand == MIXTURE_MAX || !is_of(&model->hypotheses[mixture->hypotheses[hand]], &owner))
		return AZ_OK;
	values = calloc((MIXTURE_MAX + 1) * n, sizeof(*values));
	if (values == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "trace: out of memory");
	fit_apart_from(model, mixture, &owner, &other, values);
	for (size_t k = 0; k < other.count; k++) {
		const struct hypothesis *of = &model->hypotheses[other.hypotheses[k]];

		if (has_hypothesis(mixture, other.hypotheses[k]) || other.shares[k] <= share)
			continue;
		share = other.shares[k];
		*ret_first = (struct model_who){.owner = of->owner, .index = of->index};
	}
	if (share > 0.0)
		*ret_ratio = exp(fmin(plain_value(&other) - plain_value(mixture), 0.0));
	free(values);
	return AZ_OK;
}
