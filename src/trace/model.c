/*
 * The verdict: one source or several, who each of them may be, and what speaks against it.
 *
 *	rows ─► signals ─► mixture: how many sources ─► odds of each ─► verdict
 *	   └──► dating
 *
 * A person is named only with odds of nine to one; if a few together have them, they are a tie. A source that nobody
 * can be named for (a pool, the store) leaves the verdict undetermined, however clear it is.
 */
#include "trace/model.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "trace/model_internal.h"

#define NAMED       0.90
#define TIE_RATIO   0.05 /* of the likeliest's posterior: fits about as well */
#define TOLD        0.01 /* suspects below it are not told, but for the first three */
#define TOLD_ALWAYS 3u

const char *
model_verdict_name(enum model_verdict verdict)
{
	static const char *const names[] = {[MODEL_UNDETERMINED] = "undetermined",
	    [MODEL_ATTRIBUTED] = "attributed",
	    [MODEL_TIED] = "tied",
	    [MODEL_BY_CLIENT] = "client",
	    [MODEL_FROM_ELSEWHERE] = "elsewhere"};

	return verdict < AZ_ARRAY_SIZE(names) ? names[verdict] : NULL;
}

/* --- what speaks for and against -------------------------------------------------------------- */

static bool
has_access(const struct model_input *input, const struct model_suspect *suspect,
    const struct model_carrier *carrier, uint32_t at)
{
	if (suspect->carrier != MODEL_NONE)
		return at == suspect->carrier;
	if (suspect->exports > 0 && carrier->list == MODEL_NONE)
		return false;
	if (suspect->window != MODEL_NONE && !window_has(&input->windows[suspect->window], carrier))
		return false;
	return carrier->person == suspect->who.index;
}

struct cover {
	bool any, current, fields;
};

static void
cover_candidate(const struct model_input *input, const struct model_suspect *suspect,
    const struct model_row *row, const struct model_candidate *candidate, size_t access,
    struct cover *cover)
{
	for (; access < input->access_count && input->accesses[access].record == candidate->record;
	     access++) {
		const struct model_access *of = &input->accesses[access];

		if (!has_access(input, suspect, &input->carriers[of->carrier], of->carrier))
			continue;
		cover->any = true;
		for (uint32_t s = 0; s < candidate->span_count; s++)
			cover->current |=
			    input->spans[candidate->first_span + s].version == of->version;
		cover->fields |= (row->fields & ~input->shapes[of->shape]) == 0;
	}
}

/* lists: by list, whether the suspect has it. */
static void
cover_by_lists(const struct model_input *input, const uint8_t *lists,
    const struct model_candidate *candidate, struct cover *cover)
{
	for (uint32_t s = 0; s < candidate->span_count; s++) {
		const struct model_span *span = &input->spans[candidate->first_span + s];

		for (uint32_t h = 0; h < span->holding_count; h++) {
			if (lists[input->holdings[span->first_holding + h]] != 0)
				cover->any = cover->current = cover->fields = true;
		}
	}
}

static struct cover
cover_row(const struct model_input *input, const struct model_suspect *suspect,
    const struct model_row *row, const uint8_t *lists)
{
	struct cover cover = {0};

	for (uint32_t c = 0; c < row->candidate_count; c++) {
		const struct model_candidate *candidate =
		    &input->candidates[row->first_candidate + c];

		if (suspect->who.owner == MODEL_CLIENT) {
			if (candidate->client != suspect->who.index)
				continue;
			cover.any = cover.fields = true;
			cover.current |= suspect->copy != MODEL_NONE &&
			    candidate_is_current(
				input, candidate, input->copies[suspect->copy].time_us);
			continue;
		}
		cover_candidate(input, suspect, row, candidate,
		    model_first_access(input, candidate->record), &cover);
		cover_by_lists(input, lists, candidate, &cover);
	}
	return cover;
}

/* Counts over all rows, not only those of the sample. lists: room for one of each. */
static void
weigh_against(const struct model_input *input, struct model_suspect *suspect, uint8_t *lists,
    uint8_t *explained)
{
	memset(lists, 0, input->list_count);
	for (size_t i = 0; i < input->carrier_count; i++) {
		const struct model_carrier *carrier = &input->carriers[i];

		if (!has_access(input, suspect, carrier, (uint32_t)i))
			continue;
		suspect->imported |= carrier->imported;
		if (carrier->list != MODEL_NONE)
			lists[carrier->list] = 1;
	}
	for (size_t i = 0; i < input->row_count; i++) {
		const struct model_row *row = &input->rows[i];
		struct cover cover;

		if (row->candidate_count == 0)
			continue;
		cover = cover_row(input, suspect, row, lists);
		if (!cover.any)
			suspect->rows_missing++;
		else if (!cover.current)
			suspect->rows_stale++;
		else if (!cover.fields)
			suspect->rows_fields++;
		else
			suspect->rows_explained++;
		if (cover.any && explained != NULL)
			explained[i] = 1;
	}
}

/* --- suspects --------------------------------------------------------------------------------- */

static bool
same_who(struct model_who a, struct model_who b)
{
	return a.owner == b.owner && a.index == b.index;
}

static struct model_suspect
suspect_of(const struct model *model, const struct owner_odds *owner, size_t leak)
{
	struct model_suspect suspect = {.who = owner->who,
	    .carrier = MODEL_NONE,
	    .window = MODEL_NONE,
	    .copy = MODEL_NONE,
	    .posterior = owner->posterior,
	    .posterior_flat = owner->posterior_flat,
	    .leak = leak};

	if (owner->best != SIZE_MAX) {
		const struct hypothesis *best = &model->hypotheses[owner->best];

		if (best->ref == REF_CARRIER)
			suspect.carrier = best->at;
		else if (best->ref == REF_WINDOW)
			suspect.window = best->at;
		else if (best->ref == REF_HAND)
			suspect.exports = best->at;
		else
			suspect.copy = best->at;
	}
	return suspect;
}

/* Who fits about as well as this one: they are not told apart. */
static void
list_ties(const struct odds *odds, size_t at, struct model_suspect *suspect)
{
	for (size_t i = 0; i < odds->count && suspect->tie_count < MODEL_TIES_MAX; i++) {
		const struct owner_odds *other = &odds->owners[i];
		double ratio = other->posterior / odds->owners[at].posterior;

		if (i != at && other->who.owner != MODEL_ELSEWHERE && ratio > TIE_RATIO &&
		    ratio < 1.0 / TIE_RATIO)
			suspect->ties[suspect->tie_count++] = other->who;
	}
}

enum slot { SLOT_OPEN, SLOT_PERSON, SLOT_TIED, SLOT_CLIENT, SLOT_ELSEWHERE };

/* What one leak's odds amount to. */
static enum slot
judge_slot(const struct odds *odds)
{
	const struct owner_odds *first = &odds->owners[0];
	double together = 0.0;
	size_t near = 0;

	if (first->posterior >= NAMED) {
		if (first->who.owner == MODEL_PERSON)
			return SLOT_PERSON;
		if (first->who.owner == MODEL_CLIENT)
			return SLOT_CLIENT;
		return first->who.owner == MODEL_ELSEWHERE ? SLOT_ELSEWHERE : SLOT_OPEN;
	}
	for (size_t i = 0;
	     i < odds->count && odds->owners[i].posterior > TIE_RATIO * first->posterior; i++) {
		if (odds->owners[i].who.owner != MODEL_PERSON &&
		    odds->owners[i].who.owner != MODEL_CLIENT)
			return SLOT_OPEN;
		together += odds->owners[i].posterior;
		near++;
	}
	return near >= 2 && near <= MODEL_TIES_MAX && together >= NAMED ? SLOT_TIED : SLOT_OPEN;
}

static void
add_suspects(
    const struct model *model, const struct odds *odds, size_t leak, struct model_result *result)
{
	size_t told = 0;

	for (size_t i = 0; i < odds->count && result->suspect_count < MODEL_SUSPECTS_MAX; i++) {
		const struct owner_odds *owner = &odds->owners[i];
		struct model_suspect *suspect = &result->suspects[result->suspect_count];

		if (owner->who.owner == MODEL_ELSEWHERE || owner->best == SIZE_MAX)
			continue;
		if (owner->posterior < TOLD && told >= TOLD_ALWAYS)
			break;
		/* Room for the suspects of further leaks. */
		if (told >= TOLD_ALWAYS && result->leaks > 1)
			break;
		*suspect = suspect_of(model, owner, leak);
		list_ties(odds, i, suspect);
		result->suspect_count++;
		told++;
	}
}

/* The owners of a mixture, each once. */
static size_t
owners_of(
    const struct model *model, const struct mixture *mixture, struct model_who owners[MIXTURE_MAX])
{
	size_t count = 0;

	for (size_t k = 0; k < mixture->count; k++) {
		const struct hypothesis *hypothesis = &model->hypotheses[mixture->hypotheses[k]];
		struct model_who who = {.owner = hypothesis->owner, .index = hypothesis->index};
		bool known = false;

		for (size_t i = 0; i < count; i++)
			known |= same_who(owners[i], who);
		if (!known)
			owners[count++] = who;
	}
	return count;
}

/* Several leaks: attributed if each is, a tie if one of them is no more than that. */
static enum model_verdict
judge(const enum slot *slots, size_t count)
{
	bool all_persons = true;
	bool tied = false;

	if (count == 1 && slots[0] == SLOT_CLIENT)
		return MODEL_BY_CLIENT;
	if (count == 1 && slots[0] == SLOT_ELSEWHERE)
		return MODEL_FROM_ELSEWHERE;
	for (size_t i = 0; i < count; i++) {
		if (slots[i] == SLOT_OPEN || slots[i] == SLOT_ELSEWHERE)
			return MODEL_UNDETERMINED;
		all_persons &= slots[i] == SLOT_PERSON;
		tied |= slots[i] == SLOT_TIED;
	}
	if (tied)
		return MODEL_TIED;
	return all_persons ? MODEL_ATTRIBUTED : MODEL_UNDETERMINED;
}

/* Who shared in it is named less; and if one hand took several lists, as many leaks of others may be what it was. */
static enum az_status
temper(const struct model *model, const struct mixture *mixture, struct model_who owner,
    struct odds *odds, struct az_err *reterr)
{
	struct model_who first;
	double ratio = 0.0;
	enum az_status status = odds_share_with_company(model, odds, reterr);

	if (status == AZ_OK && mixture->count > 0)
		status = mixture_instead(model, mixture, owner, &ratio, &first, reterr);
	if (status == AZ_OK && ratio > 0.0)
		odds_give(odds, ratio, first);
	return status;
}

static enum az_status
attribute(const struct model *model, struct model_result *result, struct az_err *reterr)
{
	struct model_who owners[MIXTURE_MAX];
	enum slot slots[MIXTURE_MAX];
	struct mixture mixture;
	struct odds odds = {0};
	enum az_status status = mixture_fit(model, &mixture, reterr);
	size_t count;

	if (status != AZ_OK)
		return status;
	count = owners_of(model, &mixture, owners);
	if (count <= 1 && mixture.count <= 1) {
		result->leaks = count;
		status = odds_of_one(model, &odds, reterr);
		if (status == AZ_OK)
			status = temper(model, &mixture, owners[0], &odds, reterr);
		if (status != AZ_OK) {
			odds_fini(&odds);
			return status;
		}
		result->elsewhere = odds.elsewhere;
		slots[0] = judge_slot(&odds);
		add_suspects(model, &odds, 0, result);
		odds_fini(&odds);
		result->verdict = judge(slots, 1);
		return AZ_OK;
	}
	result->leaks = count;
	for (size_t i = 0; i < count; i++) {
		status = odds_of_slot(model, &mixture, owners[i], &odds, reterr);
		if (status == AZ_OK)
			status = temper(model, &mixture, owners[i], &odds, reterr);
		if (status != AZ_OK) {
			odds_fini(&odds);
			return status;
		}
		slots[i] = judge_slot(&odds);
		add_suspects(model, &odds, i, result);
		odds_fini(&odds);
	}
	result->verdict = judge(slots, count);
	return AZ_OK;
}

static enum az_status
tell_all(const struct model_input *input, struct model_result *result, struct az_err *reterr)
{
	uint8_t *explained = calloc(input->row_count + 1, sizeof(*explained));
	uint8_t *lists = calloc(input->list_count + 1, sizeof(*lists));

	if (explained == NULL || lists == NULL) {
		free(explained);
		free(lists);
		return az_fail(reterr, AZ_NO_MEMORY, "trace: out of memory");
	}
	for (size_t i = 0; i < result->suspect_count; i++) {
		struct model_suspect *suspect = &result->suspects[i];

		if (suspect->who.owner == MODEL_PERSON || suspect->who.owner == MODEL_CLIENT)
			weigh_against(
			    input, suspect, lists, suspect->posterior >= NAMED ? explained : NULL);
	}
	for (size_t i = 0; i < input->row_count; i++)
		result->rows_unexplained += input->rows[i].candidate_count > 0 && explained[i] == 0;
	free(explained);
	free(lists);
	return AZ_OK;
}

/* Where somebody is named, their own accesses date it better than the versions. */
static enum az_status
date_by_named(const struct model_input *input, struct model_result *result, struct az_err *reterr)
{
	uint8_t *named = calloc(input->person_count + 1, sizeof(*named));
	enum az_status status;

	if (named == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "trace: out of memory");
	for (size_t i = 0; i < result->suspect_count; i++) {
		const struct model_suspect *suspect = &result->suspects[i];

		if (suspect->who.owner == MODEL_PERSON && suspect->posterior >= NAMED)
			named[suspect->who.index] = 1;
	}
	status = model_date_takings(input, named, result, reterr);
	free(named);
	return status;
}

enum az_status
model_run(const struct model_input *input, struct model_result *ret_result, struct az_err *reterr)
{
	struct model_result *result = calloc(1, sizeof(*result));
	struct model model;
	enum az_status status;

	if (result == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "trace: out of memory");
	status = model_prepare(input, &model, reterr);
	if (status != AZ_OK) {
		free(result);
		return status;
	}
	result->rows_looked_at = model.found_count + model.missing_count;
	/* Nothing of it is ours: there is nothing to ask who copied it. */
	if (model.found_count == 0) {
		result->verdict = MODEL_FROM_ELSEWHERE;
		result->elsewhere = 1.0;
		result->from_us = 1;
	} else {
		status = attribute(&model, result, reterr);
		if (status == AZ_OK)
			status = model_date(input, result, reterr);
		if (status == AZ_OK && result->verdict == MODEL_ATTRIBUTED)
			status = date_by_named(input, result, reterr);
		if (status == AZ_OK)
			status = tell_all(input, result, reterr);
	}
	model_fini(&model);
	if (status == AZ_OK)
		*ret_result = *result;
	free(result);
	return status;
}
