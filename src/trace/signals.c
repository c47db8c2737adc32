/*
 * The rows that are looked at, and how likely each hypothesis makes each of them.
 *
 * For a row, a hypothesis h that holds W records makes it likely by the sum over its candidates of
 *
 *	weight of the candidate · fit of the version and the fields · 1 / W
 *
 * and chance makes it likely by weight · share of its client in what was found / people of the client: the list of
 * somebody else, which has people of this client, has everyone of them alike. A row in another version than was
 * shown, or with a field that was not, still fits a little: brokers merge lists.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "trace/compare.h"
#include "trace/model_internal.h"

#define SAMPLE_MAX    8000u /* rows: the odds of so many are as clear as those of all */
#define FIT_STALE     0.02
#define FIT_FIELD     0.05 /* for each field that was not shown */
#define FIT_FIELD_MIN 0.0025
#define CHANCE_FLOOR                                                                               \
	0.02 /* of a client's share: lists of strangers are not only of the clients that were found */

/* By quality: how likely a spelling and a conflict are in a row from here, and in one from elsewhere. */
static const double notation_here[QUALITIES][3] = {{1.0, 0.12, 0.88}, {1.0, 0.60, 0.40}};
static const double notation_elsewhere[3] = {1.0, 0.60, 0.40};
static const double conflict_here[QUALITIES][2] = {{0.95, 0.05}, {0.85, 0.15}};
static const double conflict_elsewhere[2] = {0.70, 0.30};

void
model_fini(struct model *model)
{
	free(model->found);
	free(model->hypotheses);
	free(model->signals);
	free(model->windows_of);
	free(model->carriers_by_person);
	free(model->windows_by_person);
	free(model->lists_by_person);
	free(model->windows_by_pool);
	free(model->copies_by_client);
	free(model->carriers_of_list);
	free(model->canary_carriers);
	*model = (struct model){0};
}

/* --- what leads where ------------------------------------------------------------------------- */

#define TIME_MAX (INT64_C(1) << 60) /* far beyond any; and the difference of two is a number, too */

static bool
time_is_sound(int64_t time_us)
{
	return time_us >= -TIME_MAX && time_us <= TIME_MAX;
}

static bool
candidates_are_sound(const struct model_input *input)
{
	for (size_t i = 0; i < input->candidate_count; i++) {
		const struct model_candidate *candidate = &input->candidates[i];

		if (candidate->client >= input->client_count || candidate->weight < 0.0 ||
		    candidate->weight > 1.0 || candidate->notation > NOTATION_OURS ||
		    candidate->first_span > input->span_count ||
		    candidate->span_count > input->span_count - candidate->first_span)
			return false;
	}
	for (size_t i = 0; i < input->span_count; i++) {
		const struct model_span *span = &input->spans[i];

		if (span->first_holding > input->holding_count ||
		    span->holding_count > input->holding_count - span->first_holding ||
		    !time_is_sound(span->from_us) ||
		    (span->to_us != MODEL_NEVER && !time_is_sound(span->to_us)))
			return false;
	}
	for (size_t i = 0; i < input->row_count; i++) {
		const struct model_row *row = &input->rows[i];

		if (row->first_candidate > input->candidate_count ||
		    row->candidate_count > input->candidate_count - row->first_candidate ||
		    (row->canary != MODEL_NONE && row->canary >= input->carrier_count))
			return false;
	}
	for (size_t i = 0; i < input->holding_count; i++) {
		if (input->holdings[i] >= input->list_count)
			return false;
	}
	return true;
}

static bool
carriers_are_sound(const struct model_input *input)
{
	for (size_t i = 0; i < input->carrier_count; i++) {
		const struct model_carrier *carrier = &input->carriers[i];

		if (carrier->person >= input->person_count || carrier->size == 0 ||
		    !time_is_sound(carrier->time_us) ||
		    (carrier->pool != MODEL_NONE && carrier->pool >= input->pool_count) ||
		    (carrier->list != MODEL_NONE && carrier->list >= input->list_count))
			return false;
	}
	for (size_t i = 0; i < input->access_count; i++) {
		const struct model_access *access = &input->accesses[i];

		if (access->carrier >= input->carrier_count ||
		    access->shape >= input->shape_count ||
		    (i > 0 && access->record < input->accesses[i - 1].record))
			return false;
	}
	return true;
}

static bool
sets_are_sound(const struct model_input *input)
{
	for (size_t i = 0; i < input->window_count; i++) {
		const struct model_window *window = &input->windows[i];
		size_t owners = window->owner == MODEL_PERSON ? input->person_count
		    : window->owner == MODEL_POOL             ? input->pool_count
		    : window->owner == MODEL_STORE            ? 1
							      : 0;

		if (window->index >= owners || window->size == 0 ||
		    (window->pool != MODEL_NONE && window->pool >= input->pool_count))
			return false;
	}
	for (size_t i = 0; i < input->copy_count; i++) {
		const struct model_copy *copy = &input->copies[i];

		if ((copy->client != MODEL_NONE && copy->client >= input->client_count) ||
		    copy->size == 0 || !time_is_sound(copy->time_us))
			return false;
	}
	for (size_t i = 0; i < input->client_count; i++) {
		if (input->clients[i].people == 0)
			return false;
	}
	return true;
}

/* --- fits ------------------------------------------------------------------------------------- */

static bool
has_version(
    const struct model_input *input, const struct model_candidate *candidate, uint32_t version)
{
	for (uint32_t i = 0; i < candidate->span_count; i++) {
		if (input->spans[candidate->first_span + i].version == version)
			return true;
	}
	return false;
}

bool
candidate_is_current(
    const struct model_input *input, const struct model_candidate *candidate, int64_t time_us)
{
	for (uint32_t i = 0; i < candidate->span_count; i++) {
		const struct model_span *span = &input->spans[candidate->first_span + i];

		if (span->from_us <= time_us && time_us < span->to_us)
			return true;
	}
	return false;
}

bool
candidate_is_in_list(
    const struct model_input *input, const struct model_candidate *candidate, uint32_t list)
{
	for (uint32_t i = 0; i < candidate->span_count; i++) {
		const struct model_span *span = &input->spans[candidate->first_span + i];

		for (uint32_t h = 0; h < span->holding_count; h++) {
			if (input->holdings[span->first_holding + h] == list)
				return true;
		}
	}
	return false;
}

bool
window_has(const struct model_window *window, const struct model_carrier *carrier)
{
	return window->from_us <= carrier->time_us && carrier->time_us < window->to_us &&
	    (window->pool == MODEL_NONE || window->pool == carrier->pool);
}

double
access_fit(const struct model_input *input, const struct model_row *row,
    const struct model_candidate *candidate, const struct model_access *access)
{
	uint64_t unseen = row->fields & ~input->shapes[access->shape];
	double fit = has_version(input, candidate, access->version) ? 1.0 : FIT_STALE;
	double fields = 1.0;

	for (; unseen != 0; unseen &= unseen - 1)
		fields *= FIT_FIELD;
	return fit * fmax(fields, FIT_FIELD_MIN);
}

/* --- the sample ------------------------------------------------------------------------------- */

static uint64_t
mix(uint64_t number)
{
	number = (number ^ number >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	number = (number ^ number >> 27) * UINT64_C(0x94d049bb133111eb);
	return number ^ number >> 31;
}

/* Each client's share of what was found. */
static enum az_status
client_shares(const struct model_input *input, double **ret_shares, struct az_err *reterr)
{
	double *shares = calloc(input->client_count + 1, sizeof(*shares));
	double sum = 0.0;

	if (shares == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "trace: out of memory");
	for (size_t i = 0; i < input->candidate_count; i++) {
		shares[input->candidates[i].client] += input->candidates[i].weight;
		sum += input->candidates[i].weight;
	}
	for (size_t i = 0; i < input->client_count; i++)
		shares[i] = fmax(sum > 0.0 ? shares[i] / sum : 0.0, CHANCE_FLOOR);
	*ret_shares = shares;
	return AZ_OK;
}

static void
fill_found(const struct model_input *input, const double *shares, uint32_t row,
    struct found_row *ret_found)
{
	const struct model_row *of = &input->rows[row];
	const struct model_candidate *best = &input->candidates[of->first_candidate];
	unsigned int conflict = best->conflicts > 0;

	ret_found->row = row;
	ret_found->background = 0.0;
	for (uint32_t i = 0; i < of->candidate_count; i++) {
		const struct model_candidate *candidate =
		    &input->candidates[of->first_candidate + i];

		ret_found->background += fmax(candidate->weight, 1e-6) * shares[candidate->client] /
		    (double)input->clients[candidate->client].people;
	}
	for (unsigned int q = 0; q < QUALITIES; q++)
		ret_found->ratio[q] = notation_here[q][best->notation] /
		    notation_elsewhere[best->notation] * conflict_here[q][conflict] /
		    conflict_elsewhere[conflict];
}

static enum az_status
take_sample(const struct model_input *input, struct model *model, struct az_err *reterr)
{
	double *shares = NULL;
	/* A row is taken if its number, mixed, is below this part of all numbers. */
	uint64_t below = input->row_count <= SAMPLE_MAX
	    ? UINT64_MAX
	    : UINT64_MAX / input->row_count * SAMPLE_MAX;
	enum az_status status = client_shares(input, &shares, reterr);

	if (status != AZ_OK)
		return status;
	model->found = calloc(input->row_count < SAMPLE_MAX ? input->row_count + 1 : 2 * SAMPLE_MAX,
	    sizeof(*model->found));
	if (model->found == NULL)
		status = az_fail(reterr, AZ_NO_MEMORY, "trace: out of memory");
	for (size_t i = 0; i < input->row_count && status == AZ_OK; i++) {
		const struct model_row *row = &input->rows[i];

		if (row->canary != MODEL_NONE || mix(input->seed ^ i) > below)
			continue;
		if (row->candidate_count == 0)
			model->missing_count++;
		else if (model->found_count < 2 * SAMPLE_MAX)
			fill_found(input, shares, (uint32_t)i, &model->found[model->found_count++]);
	}
	free(shares);
	return status;
}

/* --- who had what ----------------------------------------------------------------------------- */

/* One way in which a hypothesis has a candidate of a row. */
struct touch {
	uint64_t hypothesis; /* ref and index, so that sorting brings together what is one */
	uint32_t row;
	uint32_t record;
	double fit; /* with the candidate's weight */
};

struct touches {
	struct touch *items;
	size_t count, room;
	bool no_memory;
};

static void
add_touch(struct touches *touches, enum model_ref ref, size_t at, uint32_t row, uint32_t record,
    double fit)
{
	if (touches->count == touches->room) {
		size_t room = touches->room == 0 ? 4096 : touches->room * 2;
		struct touch *grown = realloc(touches->items, room * sizeof(*grown));

		if (grown == NULL) {
			touches->no_memory = true;
			return;
		}
		touches->items = grown;
		touches->room = room;
	}
	touches->items[touches->count++] = (struct touch){
	    .hypothesis = (uint64_t)ref << 32 | at, .row = row, .record = record, .fit = fit};
}

static int
compare_windows(const void *a, const void *b, void *arg)
{
	const struct model_window *windows = arg;
	const struct model_window *one = &windows[*(const uint32_t *)a];
	const struct model_window *other = &windows[*(const uint32_t *)b];

	if (one->owner != other->owner)
		return one->owner < other->owner ? -1 : 1;
	if (one->index != other->index)
		return one->index < other->index ? -1 : 1;
	return one->from_us < other->from_us ? -1 : one->from_us > other->from_us;
}

/* The first window of an owner in windows_of. */
static size_t
first_window(const struct model *model, enum model_owner owner, uint32_t index)
{
	size_t low = 0;
	size_t high = model->input->window_count;

	while (low < high) {
		size_t middle = (low + high) / 2;
		const struct model_window *window =
		    &model->input->windows[model->windows_of[middle]];

		if (window->owner < owner || (window->owner == owner && window->index < index))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void
touch_windows(const struct model *model, struct touches *touches, enum model_owner owner,
    uint32_t index, const struct model_carrier *carrier, uint32_t row, uint32_t record, double fit)
{
	const struct model_input *input = model->input;

	for (size_t i = first_window(model, owner, index); i < input->window_count; i++) {
		const struct model_window *window = &input->windows[model->windows_of[i]];

		if (window->owner != owner || window->index != index)
			break;
		if (window_has(window, carrier))
			add_touch(touches, REF_WINDOW, model->windows_of[i], row, record, fit);
	}
}

static void
touch_carrier(const struct model *model, struct touches *touches, uint32_t at, uint32_t row,
    uint32_t record, double fit)
{
	const struct model_carrier *carrier = &model->input->carriers[at];

	add_touch(touches, REF_CARRIER, at, row, record, fit);
	touch_windows(model, touches, MODEL_PERSON, carrier->person, carrier, row, record, fit);
	if (carrier->kind != MODEL_SESSION)
		return;
	if (carrier->pool != MODEL_NONE)
		touch_windows(model, touches, MODEL_POOL, carrier->pool, carrier, row, record, fit);
	touch_windows(model, touches, MODEL_STORE, 0, carrier, row, record, fit);
}

size_t
model_first_access(const struct model_input *input, uint32_t record)
{
	size_t low = 0;
	size_t high = input->access_count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (input->accesses[middle].record < record)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static size_t
first_list_carrier(const struct model *model, uint32_t list)
{
	size_t low = 0;
	size_t high = model->list_carrier_count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (model->input->carriers[model->carriers_of_list[middle]].list < list)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void
touch_list(const struct model *model, struct touches *touches, uint32_t list, uint32_t row,
    uint32_t record, double fit)
{
	const struct model_input *input = model->input;

	for (size_t i = first_list_carrier(model, list); i < model->list_carrier_count; i++) {
		uint32_t at = model->carriers_of_list[i];

		if (input->carriers[at].list != list)
			break;
		touch_carrier(model, touches, at, row, record, fit);
	}
}

static void
touch_candidate(const struct model *model, struct touches *touches, uint32_t found,
    const struct model_row *row, const struct model_candidate *candidate)
{
	const struct model_input *input = model->input;
	double weight = fmax(candidate->weight, 1e-6);

	for (size_t i = model_first_access(input, candidate->record);
	     i < input->access_count && input->accesses[i].record == candidate->record; i++)
		touch_carrier(model, touches, input->accesses[i].carrier, found, candidate->record,
		    weight * access_fit(input, row, candidate, &input->accesses[i]));
	for (uint32_t s = 0; s < candidate->span_count; s++) {
		const struct model_span *span = &input->spans[candidate->first_span + s];

		for (uint32_t h = 0; h < span->holding_count; h++)
			touch_list(model, touches, input->holdings[span->first_holding + h], found,
			    candidate->record, weight);
	}
	for (size_t i = 0; i < input->copy_count; i++) {
		const struct model_copy *copy = &input->copies[i];

		if (copy->client != MODEL_NONE && copy->client != candidate->client)
			continue;
		add_touch(touches, REF_COPY, i, found, candidate->record,
		    candidate_is_current(input, candidate, copy->time_us) ? weight
									  : weight * FIT_STALE);
	}
}

static int
compare_touches(const void *a, const void *b)
{
	const struct touch *one = a;
	const struct touch *other = b;

	if (one->hypothesis != other->hypothesis)
		return one->hypothesis < other->hypothesis ? -1 : 1;
	if (one->row != other->row)
		return one->row < other->row ? -1 : 1;
	return one->record < other->record ? -1 : one->record > other->record;
}

static void
describe(const struct model *model, uint64_t code, struct hypothesis *ret_hypothesis)
{
	const struct model_input *input = model->input;
	uint32_t at = (uint32_t)code;
	enum model_ref ref = (enum model_ref)(code >> 32);

	*ret_hypothesis = (struct hypothesis){.ref = ref, .at = at};
	if (ref == REF_WINDOW) {
		ret_hypothesis->owner = input->windows[at].owner;
		ret_hypothesis->index = input->windows[at].index;
		ret_hypothesis->size = input->windows[at].size;
	} else if (ref == REF_CARRIER) {
		ret_hypothesis->owner = MODEL_PERSON;
		ret_hypothesis->index = input->carriers[at].person;
		ret_hypothesis->size = input->carriers[at].size;
	} else {
		bool store = input->copies[at].client == MODEL_NONE;

		ret_hypothesis->owner = store ? MODEL_STORE : MODEL_CLIENT;
		ret_hypothesis->index = store ? 0 : input->copies[at].client;
		ret_hypothesis->size = input->copies[at].size;
	}
}

/*
 * A person's prior: half on the whole history, a quarter each on stretches of it and on single carriers, so that
 * looking through many of them costs what finding one by luck is worth. Who exported several lists has a part of it on these together.
 */
static double
occam_of(const struct model *model, const struct hypothesis *hypothesis)
{
	const struct model_input *input = model->input;
	double stretches, carriers;
	double rest;
	uint32_t count;

	if (hypothesis->owner == MODEL_PERSON) {
		stretches = (double)model->windows_by_person[hypothesis->index];
		carriers = (double)model->carriers_by_person[hypothesis->index];
		rest = model->lists_by_person[hypothesis->index] > 1 ? 1.0 - MODEL_HAND_PART : 1.0;
		if (hypothesis->ref == REF_CARRIER)
			return log(rest * (stretches > 0 ? 0.25 : 0.5) / carriers);
		return log(rest * (input->windows[hypothesis->at].whole ? 0.5 : 0.25 / stretches));
	}
	if (hypothesis->ref == REF_COPY) {
		count = hypothesis->owner == MODEL_STORE
		    ? model->store_copies
		    : model->copies_by_client[hypothesis->index];
		return log((hypothesis->owner == MODEL_STORE ? 0.5 : 1.0) / (double)count);
	}
	count = hypothesis->owner == MODEL_STORE ? model->store_windows
						 : model->windows_by_pool[hypothesis->index];
	return log(0.5 / (double)count);
}

static bool
includes_carrier(const struct model_input *input, const struct hypothesis *hypothesis, uint32_t at)
{
	const struct model_carrier *carrier = &input->carriers[at];
	const struct model_window *window;

	if (hypothesis->ref == REF_CARRIER)
		return hypothesis->at == at;
	if (hypothesis->ref != REF_WINDOW)
		return false;
	window = &input->windows[hypothesis->at];
	return window_has(window, carrier) &&
	    ((window->owner == MODEL_PERSON && window->index == carrier->person) ||
		(window->owner == MODEL_POOL && window->index == carrier->pool) ||
		window->owner == MODEL_STORE);
}

/* Invented people that are found point at their carrier alone; those of a carrier that are not speak against it. */
static double
canaries_say(const struct model *model, const struct hypothesis *hypothesis)
{
	const struct model_input *input = model->input;
	double says = 0.0;
	bool own = false;

	for (size_t i = 0; i < model->canary_count; i++) {
		if (includes_carrier(input, hypothesis, model->canary_carriers[i]))
			own = true;
		else
			says += log(MODEL_CANARY_ELSEWHERE);
	}
	if (hypothesis->ref == REF_CARRIER && !own &&
	    input->carriers[hypothesis->at].canaries > 0) {
		double part = (double)hypothesis->count / (double)hypothesis->size;

		says += (double)input->carriers[hypothesis->at].canaries * log1p(-fmin(part, 0.95));
	}
	return says;
}

/* One hypothesis from its touches: of a row's record the best fit, of its records the sum. */
static size_t
gather_one(struct model *model, const struct touch *touches, size_t count)
{
	struct hypothesis *hypothesis = &model->hypotheses[model->hypothesis_count];
	size_t i = 0;

	describe(model, touches[0].hypothesis, hypothesis);
	hypothesis->first = model->signal_count;
	while (i < count && touches[i].hypothesis == touches[0].hypothesis) {
		struct signal signal = {.row = touches[i].row};
		uint32_t row = touches[i].row;

		while (i < count && touches[i].hypothesis == touches[0].hypothesis &&
		    touches[i].row == row) {
			uint32_t record = touches[i].record;
			double best = 0.0;

			for (; i < count && touches[i].hypothesis == touches[0].hypothesis &&
			     touches[i].row == row && touches[i].record == record;
			     i++)
				best = fmax(best, touches[i].fit);
			signal.value += best / (double)hypothesis->size;
		}
		model->signals[model->signal_count++] = signal;
	}
	hypothesis->count = model->signal_count - hypothesis->first;
	hypothesis->occam = occam_of(model, hypothesis);
	hypothesis->canary = canaries_say(model, hypothesis);
	model->hypothesis_count++;
	return i;
}

static enum az_status
gather(struct model *model, struct az_err *reterr)
{
	const struct model_input *input = model->input;
	struct touches touches = {0};
	size_t hypotheses = 0;

	for (size_t i = 0; i < model->found_count && !touches.no_memory; i++) {
		const struct model_row *row = &input->rows[model->found[i].row];

		for (uint32_t c = 0; c < row->candidate_count; c++)
			touch_candidate(model, &touches, (uint32_t)i, row,
			    &input->candidates[row->first_candidate + c]);
	}
	if (touches.count > 1)
		qsort(touches.items, touches.count, sizeof(*touches.items), compare_touches);
	for (size_t i = 0; i < touches.count; i++)
		hypotheses +=
		    i == 0 || touches.items[i].hypothesis != touches.items[i - 1].hypothesis;
	model->hypotheses = calloc(hypotheses + 1, sizeof(*model->hypotheses));
	model->signals = calloc(touches.count + 1, sizeof(*model->signals));
	if (touches.no_memory || model->hypotheses == NULL || model->signals == NULL) {
		free(touches.items);
		return az_fail(reterr, AZ_NO_MEMORY, "trace: out of memory");
	}
	for (size_t i = 0; i < touches.count;)
		i += gather_one(model, touches.items + i, touches.count - i);
	free(touches.items);
	return AZ_OK;
}

/* --- indexes ---------------------------------------------------------------------------------- */

static int
compare_list_carriers(const void *a, const void *b, void *arg)
{
	const struct model_carrier *carriers = arg;
	uint32_t one = carriers[*(const uint32_t *)a].list;
	uint32_t other = carriers[*(const uint32_t *)b].list;

	return one < other ? -1 : one > other;
}

static void
note_canary(struct model *model, uint32_t carrier)
{
	for (size_t i = 0; i < model->canary_count; i++) {
		if (model->canary_carriers[i] == carrier)
			return;
	}
	model->canary_carriers[model->canary_count++] = carrier;
}

static enum az_status
index_input(struct model *model, struct az_err *reterr)
{
	const struct model_input *input = model->input;
	size_t canaries = 0;

	for (size_t i = 0; i < input->row_count; i++)
		canaries += input->rows[i].canary != MODEL_NONE;
	model->windows_of = calloc(input->window_count + 1, sizeof(uint32_t));
	model->carriers_by_person = calloc(input->person_count + 1, sizeof(uint32_t));
	model->windows_by_person = calloc(input->person_count + 1, sizeof(uint32_t));
	model->lists_by_person = calloc(input->person_count + 1, sizeof(uint32_t));
	model->windows_by_pool = calloc(input->pool_count + 1, sizeof(uint32_t));
	model->copies_by_client = calloc(input->client_count + 1, sizeof(uint32_t));
	model->carriers_of_list = calloc(input->carrier_count + 1, sizeof(uint32_t));
	model->canary_carriers = calloc(canaries + 1, sizeof(uint32_t));
	if (model->windows_of == NULL || model->carriers_by_person == NULL ||
	    model->windows_by_person == NULL || model->lists_by_person == NULL ||
	    model->carriers_of_list == NULL || model->canary_carriers == NULL ||
	    model->windows_by_pool == NULL || model->copies_by_client == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "trace: out of memory");
	for (size_t i = 0; i < input->window_count; i++) {
		model->windows_of[i] = (uint32_t)i;
		if (input->windows[i].owner == MODEL_PERSON && !input->windows[i].whole)
			model->windows_by_person[input->windows[i].index]++;
		if (input->windows[i].owner == MODEL_POOL)
			model->windows_by_pool[input->windows[i].index]++;
		if (input->windows[i].owner == MODEL_STORE)
			model->store_windows++;
	}
	for (size_t i = 0; i < input->copy_count; i++) {
		if (input->copies[i].client == MODEL_NONE)
			model->store_copies++;
		else
			model->copies_by_client[input->copies[i].client]++;
	}
	model->priors = model_priors(input);
	if (input->window_count > 1)
		qsort_r(model->windows_of, input->window_count, sizeof(uint32_t), compare_windows,
		    (void *)(uintptr_t)input->windows);
	for (size_t i = 0; i < input->carrier_count; i++) {
		model->carriers_by_person[input->carriers[i].person]++;
		if (input->carriers[i].list == MODEL_NONE)
			continue;
		model->lists_by_person[input->carriers[i].person]++;
		model->carriers_of_list[model->list_carrier_count++] = (uint32_t)i;
	}
	if (model->list_carrier_count > 1)
		qsort_r(model->carriers_of_list, model->list_carrier_count, sizeof(uint32_t),
		    compare_list_carriers, (void *)(uintptr_t)input->carriers);
	for (size_t i = 0; i < input->row_count; i++) {
		if (input->rows[i].canary != MODEL_NONE)
			note_canary(model, input->rows[i].canary);
	}
	return AZ_OK;
}

enum az_status
model_prepare(const struct model_input *input, struct model *model, struct az_err *reterr)
{
	enum az_status status;

	*model = (struct model){.input = input};
	if (input->row_count > UINT32_MAX || !candidates_are_sound(input) ||
	    !carriers_are_sound(input) || !sets_are_sound(input))
		return az_fail(reterr, AZ_INVALID, "trace: what is to be attributed is malformed");
	status = index_input(model, reterr);
	if (status == AZ_OK)
		status = take_sample(input, model, reterr);
	if (status == AZ_OK)
		status = gather(model, reterr);
	if (status == AZ_OK)
		status = hands_add(model, reterr);
	if (status != AZ_OK)
		model_fini(model);
	return status;
}
