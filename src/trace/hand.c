/*
 * One hand: somebody who took several lists, each with the share that it has in the rows (EM).
 *
 *	exports of one person ─► their shares ─► one more hypothesis of that person: these lists together
 *
 * By itself each list that was taken whole fits its client as well as whoever exported it, and a broker's list that was mixed from many
 * would look like as many leaks. That one person had all of them is seen only together. What it costs is written beside hand_occam().
 */
#include <math.h>
#include <stdlib.h>

#include "trace/model_internal.h"

#define ROUNDS     40u
#define BACKGROUND 0.2
#define CHANCE     0.15
#define SHARE_COST 1.0 /* of each share that is fitted (Akaike) */

struct hand {
	uint32_t person;
	const size_t *parts; /* hypotheses: their exports */
	size_t count;
	double *shares; /* of the parts; their sum is what does not come by chance */
	double *mixed;  /* by found row */
	unsigned int quality;
};

static bool
is_part(const struct model_input *input, const struct hypothesis *hypothesis)
{
	return hypothesis->ref == REF_CARRIER && input->carriers[hypothesis->at].list != MODEL_NONE;
}

/* --- shares ----------------------------------------------------------------------------------- */

static double
mix_parts(const struct model *model, const struct hand *hand, double background)
{
	double sum = 0.0;

	for (size_t i = 0; i < model->found_count; i++)
		hand->mixed[i] = background * CHANCE * model->found[i].background;
	for (size_t k = 0; k < hand->count; k++) {
		const struct hypothesis *part = &model->hypotheses[hand->parts[k]];

		for (size_t i = 0; i < part->count; i++) {
			const struct signal *signal = &model->signals[part->first + i];

			hand->mixed[signal->row] += hand->shares[k] * (1.0 - MODEL_LOST) *
			    signal->value * model->found[signal->row].ratio[hand->quality];
		}
	}
	for (size_t i = 0; i < model->found_count; i++)
		sum += log(hand->mixed[i]);
	return sum;
}

/* What is left for chance. */
static double
reweigh(const struct model *model, struct hand *hand)
{
	double left = 1.0;

	for (size_t k = 0; k < hand->count; k++) {
		const struct hypothesis *part = &model->hypotheses[hand->parts[k]];
		double responsible = 0.0;

		for (size_t i = 0; i < part->count; i++) {
			const struct signal *signal = &model->signals[part->first + i];

			responsible += signal->value *
			    model->found[signal->row].ratio[hand->quality] /
			    hand->mixed[signal->row];
		}
		hand->shares[k] *= responsible * (1.0 - MODEL_LOST) / (double)model->found_count;
		left -= hand->shares[k];
	}
	return fmax(left, 1e-4);
}

static double
fit_shares(const struct model *model, struct hand *hand)
{
	double background = BACKGROUND;

	for (size_t k = 0; k < hand->count; k++)
		hand->shares[k] = (1.0 - BACKGROUND) / (double)hand->count;
	for (unsigned int round = 0; round < ROUNDS; round++) {
		(void)mix_parts(model, hand, background);
		background = reweigh(model, hand);
	}
	return mix_parts(model, hand, background);
}

/* --- the hypothesis --------------------------------------------------------------------------- */

/*
 * A tenth of what is believed of the person, alike for every number of lists that they may have taken, and for every choice of so many
 * among their exports; and what it costs to fit the shares.
 */
static double
hand_occam(size_t taken, size_t exports)
{
	double choices = lgamma((double)exports + 1.0) - lgamma((double)taken + 1.0) -
	    lgamma((double)(exports - taken) + 1.0);

	return log(MODEL_HAND_PART) - log((double)exports) - choices -
	    SHARE_COST * (double)(taken - 1);
}

/* Parts without half a row are none; the shares of the others become those of a row that does come from them. Returns how many. */
static size_t
keep_taken(const struct model *model, struct hand *hand)
{
	double least = 0.5 / (double)model->found_count;
	double sum = 0.0;
	size_t taken = 0;

	for (size_t k = 0; k < hand->count; k++) {
		if (hand->shares[k] < least)
			hand->shares[k] = 0.0;
		else
			taken++;
		sum += hand->shares[k];
	}
	for (size_t k = 0; k < hand->count && sum > 0.0; k++)
		hand->shares[k] /= sum;
	return taken;
}

/* Appended to the hypotheses and signals, which have the room. */
static void
add_hypothesis(struct model *model, const struct hand *hand, size_t taken)
{
	struct hypothesis *added = &model->hypotheses[model->hypothesis_count];
	double size = 0.0;

	*added = (struct hypothesis){.owner = MODEL_PERSON,
	    .index = hand->person,
	    .ref = REF_HAND,
	    .at = (uint32_t)taken,
	    .occam = hand_occam(taken, model->lists_by_person[hand->person]),
	    .first = model->signal_count};
	for (size_t i = 0; i < model->found_count; i++)
		hand->mixed[i] = 0.0;
	for (size_t k = 0; k < hand->count; k++) {
		const struct hypothesis *part = &model->hypotheses[hand->parts[k]];

		if (hand->shares[k] > 0.0)
			size += part->size;
		for (size_t i = 0; i < part->count; i++)
			hand->mixed[model->signals[part->first + i].row] +=
			    hand->shares[k] * model->signals[part->first + i].value;
	}
	added->size = (uint32_t)fmin(size, UINT32_MAX);
	for (size_t i = 0; i < model->found_count; i++) {
		if (hand->mixed[i] > 0.0)
			model->signals[model->signal_count++] =
			    (struct signal){.row = (uint32_t)i, .value = hand->mixed[i]};
	}
	added->count = model->signal_count - added->first;
	model->hypothesis_count++;
}

static void
try_person(struct model *model, struct hand *hand)
{
	double best = -HUGE_VAL;
	unsigned int quality = 0;
	size_t taken;

	for (hand->quality = 0; hand->quality < QUALITIES; hand->quality++) {
		double value = fit_shares(model, hand);

		if (value > best) {
			best = value;
			quality = hand->quality;
		}
	}
	hand->quality = quality;
	(void)fit_shares(model, hand);
	taken = keep_taken(model, hand);
	if (taken > 1)
		add_hypothesis(model, hand, taken);
}

static int
compare_parts(const void *a, const void *b, void *arg)
{
	const struct model *model = arg;
	size_t one = *(const size_t *)a;
	size_t other = *(const size_t *)b;

	if (model->hypotheses[one].index != model->hypotheses[other].index)
		return model->hypotheses[one].index < model->hypotheses[other].index ? -1 : 1;
	return one < other ? -1 : one > other;
}

/* Room for one more hypothesis of each person in parts. */
static bool
make_room(struct model *model, size_t persons)
{
	size_t signals = model->signal_count + persons * model->found_count;
	struct hypothesis *hypotheses = realloc(model->hypotheses,
	    (model->hypothesis_count + persons + 1) * sizeof(*model->hypotheses));
	struct signal *grown;

	if (hypotheses == NULL)
		return false;
	model->hypotheses = hypotheses;
	grown = realloc(model->signals, (signals + 1) * sizeof(*model->signals));
	if (grown == NULL)
		return false;
	model->signals = grown;
	return true;
}

enum az_status
hands_add(struct model *model, struct az_err *reterr)
{
	size_t *parts = calloc(model->hypothesis_count + 1, sizeof(*parts));
	double *shares = calloc(model->hypothesis_count + 1, sizeof(*shares));
	double *mixed = calloc(model->found_count + 1, sizeof(*mixed));
	size_t count = 0;
	size_t persons = 0;
	bool good = parts != NULL && shares != NULL && mixed != NULL;

	for (size_t h = 0; good && h < model->hypothesis_count; h++) {
		if (is_part(model->input, &model->hypotheses[h]))
			parts[count++] = h;
	}
	if (count > 1)
		qsort_r(parts, count, sizeof(*parts), compare_parts, model);
	for (size_t i = 0; i < count; i++)
		persons += i == 0 ||
		    model->hypotheses[parts[i]].index != model->hypotheses[parts[i - 1]].index;
	good = good && make_room(model, persons);
	for (size_t i = 0, end; good && i < count; i = end) {
		struct hand hand = {.person = model->hypotheses[parts[i]].index,
		    .parts = parts + i,
		    .shares = shares,
		    .mixed = mixed};

		for (end = i; end < count && model->hypotheses[parts[end]].index == hand.person;)
			end++;
		hand.count = end - i;
		if (hand.count > 1)
			try_person(model, &hand);
	}
	free(parts);
	free(shares);
	free(mixed);
	return good ? AZ_OK : az_fail(reterr, AZ_NO_MEMORY, "trace: out of memory");
}
