/*
 * How good the model is, on worlds it has not seen: accuracy, calibration, false accusations and dates by class of
 * leaker, beside the two baselines.
 *
 *	eval SEED RUNS [--slice]
 *
 * SEED is text; RUNS of each class, over as many worlds as give fifty runs each. Exit 1 if a bar is missed: bars apply
 * to the 95 % bound of what is measured; in a slice, which is too small for that, to the figure itself with some slack.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/hash.h"
#include "feed.h"

#define RUNS_A_WORLD 50
#define BINS         10
#define CONFIDENT    0.95
#define ACCUSED      0.90
#define SLICE_SLACK  0.11 /* a slice is too small to tell more */

struct setting {
	enum leak_class leak_class;
	size_t rows;
	double strangers;
};

/* What the bars are about, and more beside them. */
static const struct setting settings[] = {
    {LEAK_AGENT_SLOWLY, 10, 0.0},
    {LEAK_AGENT_SLOWLY, 10, 0.3},
    {LEAK_AGENT_SLOWLY, 30, 0.8},
    {LEAK_AGENT_AT_ONCE, 10, 0.0},
    {LEAK_AGENT_AT_ONCE, 10, 0.3},
    {LEAK_EXPORT, 10, 0.3},
    {LEAK_EXPORT, 30, 0.0},
    {LEAK_EXPORT, 30, 0.3},
    {LEAK_EXPORTS, 100, 0.3},
    {LEAK_TWO_AGENTS, 30, 0.0},
    {LEAK_TWO_AGENTS, 30, 0.3},
    {LEAK_CLIENT, 30, 0.3},
    {LEAK_CLIENT, 100, 0.3},
    {LEAK_FOREIGN, 100, 0.0},
    {LEAK_OUTSIDE, 30, 0.3},
    {LEAK_PHOTOGRAPHED, 3, 0.0},
    {LEAK_TRAINEE, 10, 0.0},
};
#define SETTINGS (sizeof(settings) / sizeof(settings[0]))

struct tally {
	size_t runs, undrawn;
	double top1, top3,
	    in_set; /* the right person among the first, three, or the first and those tied with it */
	double both;                     /* both of two named among the first of their leaks */
	double overlap_top1, guilt_top1; /* the baselines; ties count as a draw */
	size_t named, named_right, tied, client, elsewhere, undetermined;
	size_t accused; /* somebody of the staff falsely, above .9 */
	size_t guilt_accused, overlap_accused;
	size_t dated, date_held;
	double *widths;
	size_t rows_ours, rows_right, rows_wrong, versions, versions_right;
};

struct calibration {
	size_t count[BINS];
	double sum[BINS], right[BINS];
	size_t confident, confident_right;
};

/* --- one run ---------------------------------------------------------------------------------- */

static bool
is_guilty(const struct leak *leak, uint32_t staff)
{
	return staff != MODEL_NONE && (leak->staff[0] == staff || leak->staff[1] == staff);
}

/* Whether somebody was the source of this leak, as far as that can be said. */
static bool
is_source(const struct leak *leak, struct model_who who)
{
	if (who.owner == MODEL_PERSON)
		return is_guilty(leak, who.index);
	if (who.owner == MODEL_CLIENT)
		return leak->client >= 0 && (uint32_t)leak->client == who.index;
	if (who.owner == MODEL_ELSEWHERE)
		return leak->leak_class == LEAK_FOREIGN;
	return leak->leak_class == LEAK_OUTSIDE;
}

/* How often a person of the truth is first by a baseline's scores, drawing lots among equals. */
static double
baseline_top(const struct leak *leak, const double *scores, uint32_t count)
{
	double best = 0.0;
	size_t equal = 0, right = 0;

	for (uint32_t s = 0; s < count; s++)
		best = fmax(best, scores[s]);
	for (uint32_t s = 0; s < count && best > 0.0; s++) {
		if (scores[s] < best)
			continue;
		equal++;
		right += is_guilty(leak, s);
	}
	return equal == 0 ? 0.0 : (double)right / (double)equal;
}

static size_t
baseline_accuses(const struct leak *leak, const double *scores, uint32_t count, double above)
{
	for (uint32_t s = 0; s < count; s++) {
		if (scores[s] > above && !is_guilty(leak, s))
			return 1;
	}
	return 0;
}

static void
note_calibration(struct calibration *calibration, const struct leak *leak, struct model_who who,
    double posterior)
{
	int bin = (int)(posterior * BINS);
	bool right = is_source(leak, who);

	bin = bin >= BINS ? BINS - 1 : bin;
	calibration->count[bin]++;
	calibration->sum[bin] += posterior;
	calibration->right[bin] += right;
	if (posterior > CONFIDENT) {
		calibration->confident++;
		calibration->confident_right += right;
	}
}

/* The staff among the suspects of one leak, in order. */
static void
note_persons(struct tally *tally, const struct leak *leak, const struct model_result *result)
{
	size_t place = 0;
	bool found[2] = {false, false};
	bool counted = false;

	for (size_t i = 0; i < result->suspect_count; i++) {
		const struct model_suspect *suspect = &result->suspects[i];
		bool right;

		if (i > 0 && suspect->leak != result->suspects[i - 1].leak)
			place = 0;
		if (suspect->who.owner != MODEL_PERSON)
			continue;
		right = is_guilty(leak, suspect->who.index);
		if (place == 0) {
			found[0] |= leak->staff[0] == suspect->who.index;
			found[1] |= leak->staff[1] == suspect->who.index;
		}
		if (suspect->leak == 0 && place == 0) {
			bool in_set = right;

			tally->top1 += right;
			for (size_t t = 0; t < suspect->tie_count; t++)
				in_set |= suspect->ties[t].owner == MODEL_PERSON &&
				    is_guilty(leak, suspect->ties[t].index);
			tally->in_set += in_set;
		}
		if (suspect->leak == 0 && place < 3 && right && !counted) {
			tally->top3 += 1;
			counted = true;
		}
		place++;
	}
	tally->both += found[0] && (found[1] || leak->staff[1] == WORLD_NOBODY);
}

static bool
accuses_falsely(const struct leak *leak, const struct model_result *result)
{
	for (size_t i = 0; i < result->suspect_count; i++) {
		const struct model_suspect *suspect = &result->suspects[i];

		if (suspect->who.owner == MODEL_PERSON && suspect->posterior > ACCUSED &&
		    !is_guilty(leak, suspect->who.index))
			return true;
	}
	return false;
}

static void
note_verdict(struct tally *tally, const struct leak *leak, const struct model_result *result)
{
	tally->tied += result->verdict == MODEL_TIED;
	tally->client += result->verdict == MODEL_BY_CLIENT;
	tally->elsewhere += result->verdict == MODEL_FROM_ELSEWHERE;
	tally->undetermined += result->verdict == MODEL_UNDETERMINED;
	if (result->verdict == MODEL_ATTRIBUTED) {
		tally->named++;
		tally->named_right += !accuses_falsely(leak, result);
	}
	tally->accused += accuses_falsely(leak, result);
}

static void
note_date(struct tally *tally, const struct leak *leak, const struct model_result *result)
{
	if (leak->leak_class == LEAK_FOREIGN || result->from_us > result->to_us)
		return;
	tally->widths[tally->dated++] = (double)(result->to_us - result->from_us) / (double)DAY_US;
	tally->date_held +=
	    result->from_us <= leak->first_day * DAY_US && leak->last_day * DAY_US <= result->to_us;
}

static bool
run(struct world *world, struct feed *feed, struct random *random, const struct setting *setting,
    struct tally *tally, struct calibration *calibration)
{
	static struct model_result result;
	double *scores;
	const struct model_input *input;
	struct feed_rows rows;
	struct leak leak;
	struct az_err err;

	if (!leak_make(
		world, random, setting->leak_class, setting->rows, setting->strangers, &leak)) {
		tally->undrawn++;
		return false;
	}
	input = feed_leak(feed, &leak, &rows);
	if (model_run(input, &result, &err) != AZ_OK) {
		fprintf(stderr, "eval: %s\n", err.text);
		exit(1);
	}
	tally->runs++;
	tally->rows_ours += rows.right + rows.wrong + rows.missed;
	tally->rows_right += rows.right;
	tally->rows_wrong += rows.wrong;
	tally->versions += rows.of_version;
	tally->versions_right += rows.right_version;
	note_persons(tally, &leak, &result);
	note_verdict(tally, &leak, &result);
	note_date(tally, &leak, &result);
	for (size_t i = 0; i < result.suspect_count; i++) {
		if (i == 0 || result.suspects[i].leak != result.suspects[i - 1].leak) {
			bool other = i == 0 && result.elsewhere > result.suspects[0].posterior;
			struct model_who from_elsewhere = {.owner = MODEL_ELSEWHERE};

			note_calibration(calibration, &leak,
			    other ? from_elsewhere : result.suspects[i].who,
			    other ? result.elsewhere : result.suspects[i].posterior);
		}
	}
	scores = calloc(world->staff_count, sizeof(*scores));
	feed_overlap(feed, input, scores);
	tally->overlap_top1 += baseline_top(&leak, scores, world->staff_count);
	tally->overlap_accused += baseline_accuses(
	    &leak, scores, world->staff_count, 0.9 * (double)(rows.right + rows.wrong));
	feed_guilt(feed, input, scores);
	tally->guilt_top1 += baseline_top(&leak, scores, world->staff_count);
	tally->guilt_accused += baseline_accuses(&leak, scores, world->staff_count, ACCUSED);
	free(scores);
	leak_fini(&leak);
	return true;
}

/* --- bounds ----------------------------------------------------------------------------------- */

/* The chance of at most k of n, each with chance p. */
static double
binomial_below(size_t k, size_t n, double p)
{
	double sum = 0.0;

	for (size_t i = 0; i <= k; i++)
		sum += exp(lgamma((double)n + 1) - lgamma((double)i + 1) -
		    lgamma((double)(n - i) + 1) + (double)i * log(p) + (double)(n - i) * log1p(-p));
	return sum;
}

/* Clopper and Pearson: the share that k of n leave possible, with 95 % on one side. */
static double
upper_bound(double k, size_t n)
{
	double low = 0.0, high = 1.0;

	if (n == 0 || k >= (double)n)
		return 1.0;
	for (int i = 0; i < 60; i++) {
		double middle = (low + high) / 2;

		if (binomial_below((size_t)(k + 0.5), n, middle) > 0.05)
			low = middle;
		else
			high = middle;
	}
	return high;
}

static double
lower_bound(double k, size_t n)
{
	return 1.0 - upper_bound((double)n - k, n);
}

/* --- the table -------------------------------------------------------------------------------- */

static bool slice;
static bool all_met = true;

/* A share that must reach a bar: by its bound, or in a slice as it is. */
static void
need_at_least(const char *what, double k, size_t n, double bar)
{
	double bound = slice ? k / (double)n : lower_bound(k, n);
	bool met = n > 0 && bound >= (slice ? bar - SLICE_SLACK : bar);

	all_met &= met;
	printf("%-6s %-62s %.3f  %s %.3f  bar %.2f\n", met ? "met" : "MISSED", what, k / (double)n,
	    slice ? "is" : "at least", bound, bar);
}

static void
need_at_most(const char *what, double k, size_t n, double bar)
{
	double bound = slice ? k / (double)n : upper_bound(k, n);
	bool met = n > 0 && bound <= (slice ? bar + SLICE_SLACK : bar);

	all_met &= met;
	printf("%-6s %-62s %.3f  %s %.3f  bar %.2f\n", met ? "met" : "MISSED", what, k / (double)n,
	    slice ? "is" : "at most", bound, bar);
}

static int
compare_doubles(const void *a, const void *b)
{
	double one = *(const double *)a;
	double other = *(const double *)b;

	return one < other ? -1 : one > other;
}

static double
median(double *values, size_t count)
{
	if (count == 0)
		return 0.0;
	qsort(values, count, sizeof(*values), compare_doubles);
	return values[count / 2];
}

static void
print_table(struct tally *tallies)
{
	printf("%-24s %4s %5s %5s | %5s %5s %5s | %5s %5s | %5s %5s %5s %5s %5s | %5s %5s %5s | "
	       "%5s %6s\n",
	    "leaker", "rows", "strng", "runs", "first", "of 3", "set", "guilt", "overl", "named",
	    "tied", "clien", "elsew", "undet", "false", "guilt", "overl", "date", "days");
	for (size_t i = 0; i < SETTINGS; i++) {
		struct tally *t = &tallies[i];
		double n = (double)t->runs;

		printf("%-24s %4zu %5.1f %5zu | %5.3f %5.3f %5.3f | %5.3f %5.3f | %5.3f %5.3f "
		       "%5.3f %5.3f %5.3f | %5.3f %5.3f %5.3f | %5.3f %6.0f\n",
		    leak_class_name(settings[i].leak_class), settings[i].rows,
		    settings[i].strangers, t->runs, t->top1 / n, t->top3 / n, t->in_set / n,
		    t->guilt_top1 / n, t->overlap_top1 / n, (double)t->named / n,
		    (double)t->tied / n, (double)t->client / n, (double)t->elsewhere / n,
		    (double)t->undetermined / n, (double)t->accused / n,
		    (double)t->guilt_accused / n, (double)t->overlap_accused / n,
		    t->dated == 0 ? 0.0 : (double)t->date_held / (double)t->dated,
		    median(t->widths, t->dated));
	}
}

static void
print_calibration(const struct calibration *calibration)
{
	double error = 0.0;
	size_t total = 0;

	printf("\nposterior of the first: how often it was right\n");
	for (int b = 0; b < BINS; b++)
		total += calibration->count[b];
	for (int b = 0; b < BINS; b++) {
		double n = (double)calibration->count[b];

		if (calibration->count[b] == 0)
			continue;
		error += fabs(calibration->sum[b] - calibration->right[b]) / (double)total;
		printf("  %.1f to %.1f  %6zu  said %.3f  was %.3f\n", b / 10.0, (b + 1) / 10.0,
		    calibration->count[b], calibration->sum[b] / n, calibration->right[b] / n);
	}
	printf("\n%-6s %-62s %.3f  bar 0.05\n", error <= (slice ? 0.08 : 0.05) ? "met" : "MISSED",
	    "calibration error", error);
	all_met &= error <= (slice ? 0.08 : 0.05);
	need_at_least("right where the posterior is above .95",
	    (double)calibration->confident_right, calibration->confident, 0.98);
}

static void
check_bars(struct tally *tallies)
{
	size_t dated = 0, held = 0;
	char what[128];

	for (size_t i = 0; i < SETTINGS; i++) {
		const struct setting *of = &settings[i];
		struct tally *t = &tallies[i];

		(void)snprintf(what, sizeof(what),
		    "%s, %zu rows, %.0f%% strangers: ", leak_class_name(of->leak_class), of->rows,
		    of->strangers * 100);
		if ((of->leak_class == LEAK_AGENT_SLOWLY || of->leak_class == LEAK_AGENT_AT_ONCE) &&
		    of->rows == 10)
			need_at_least(strcat(what, "right person first"), t->top1, t->runs, 0.90);
		if (of->leak_class == LEAK_EXPORT && of->rows == 30)
			need_at_least(strcat(what, "right person first"), t->top1, t->runs, 0.90);
		if (of->leak_class == LEAK_TWO_AGENTS)
			need_at_least(strcat(what, "both named"), t->both, t->runs, 0.80);
		if (of->leak_class == LEAK_CLIENT || of->leak_class == LEAK_FOREIGN ||
		    of->leak_class == LEAK_OUTSIDE)
			need_at_most(
			    strcat(what, "staff accused"), (double)t->accused, t->runs, 0.01);
		dated += t->dated;
		held += t->date_held;
	}
	need_at_least("the date window holds the truth", (double)held, dated, 0.95);
}

/* The world that a seed and a number give. */
static uint64_t
world_seed(const char *seed, size_t number)
{
	char text[256];
	uint8_t digest[SHA256_SIZE];
	uint64_t result = 0;

	(void)snprintf(text, sizeof(text), "%s/%zu", seed, number);
	sha256(bytes_of(text), digest);
	for (int i = 0; i < 8; i++)
		result = result << 8 | digest[i];
	return result;
}

int
main(int argc, char **argv)
{
	static struct tally tallies[SETTINGS];
	static struct calibration calibration;
	size_t runs = argc > 2 ? strtoul(argv[2], NULL, 10) : 0;
	size_t a_world = RUNS_A_WORLD;
	bool met;

	if (argc < 3 || runs == 0) {
		fprintf(stderr, "usage: eval SEED RUNS [--slice]\n");
		return 2;
	}
	slice = argc > 3 && strcmp(argv[3], "--slice") == 0;
	for (size_t i = 0; i < SETTINGS; i++)
		tallies[i].widths = calloc(runs + a_world, sizeof(double));
	for (size_t number = 0; number * a_world < runs; number++) {
		struct world *world = world_new(world_seed(argv[1], number));
		struct feed *feed = feed_new(world);
		struct random random = {.state = world_seed(argv[1], number + 1000000)};

		for (size_t i = 0; i < SETTINGS; i++) {
			for (size_t r = 0, tries = 0;
			     r < a_world && r + number * a_world < runs && tries < 20 * a_world;
			     tries++)
				r += run(
				    world, feed, &random, &settings[i], &tallies[i], &calibration);
		}
		feed_free(&feed);
		world_free(&world);
		if (!slice)
			fprintf(stderr, "eval: %zu of %zu runs of each class\r",
			    (number + 1) * a_world, runs);
	}
	printf("seed %s\n\n", argv[1]);
	print_table(tallies);
	print_calibration(&calibration);
	check_bars(tallies);
	met = all_met;
	for (size_t i = 0; i < SETTINGS; i++)
		free(tallies[i].widths);
	return met ? 0 : 1;
}
