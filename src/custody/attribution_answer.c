/*
 * The result of an attribution in the words of an answer: indexes become labels again.
 */
#include <stdio.h>

#include "custody/attribution_internal.h"
#include "proto/finding.h"

#define WORDS_MAX 320u
#define POSSIBLE  0.05 /* of a leak, below which nobody is said to be in it */

const struct model_result *
attribution_result(const struct attribution *attribution)
{
	return &attribution->result;
}

#define ODDS_MAX 16u

/* A probability, never told as certain. */
static void
odds_text(double odds, char text[ODDS_MAX])
{
	(void)snprintf(text, ODDS_MAX, "%.4f", odds > 0.9999 ? 0.9999 : odds);
}

static void
answer_odds(struct wire_writer *writer, const char *name, double odds)
{
	char text[ODDS_MAX];

	odds_text(odds, text);
	answer_text(writer, name, text);
}

/* --- who -------------------------------------------------------------------------------------- */

static const char *
person_label(const struct attribution *attribution, uint32_t index)
{
	const struct unknown_person *unknown = attribution->unknown.items;
	const struct staff *staff;

	if (index >= attribution->staff_count)
		return unknown[index - attribution->staff_count].name;
	staff = people_staff(attribution->custody->people, index + 1);
	return staff != NULL ? staff->label : "";
}

/* Whom a pool is of: whoever was shown people for one purpose; or, in imported histories, people of one client. */
static void
pool_label(const struct attribution *attribution, uint32_t index, char words[WORDS_MAX])
{
	const struct policy *policy = attribution->custody->policy;
	const struct purpose *purpose = policy_purpose(policy, index + 1);
	const struct client *client =
	    purpose != NULL ? policy_client(policy, purpose->client) : NULL;

	if (index >= attribution->purpose_count) {
		client = policy_client(policy, index - attribution->purpose_count + 1);
		(void)snprintf(words, WORDS_MAX, "%s", client != NULL ? client->label : "");
		return;
	}
	(void)snprintf(words, WORDS_MAX, "%s/%s", client != NULL ? client->label : "",
	    purpose != NULL ? purpose->label : "");
}

/* The kind of who it is, the member that has their label, and that in words; NULL: nobody has one. */
static const char *
describe_who(const struct attribution *attribution, struct model_who who, const char **ret_member,
    char words[WORDS_MAX])
{
	const struct client *client;

	*ret_member = NULL;
	words[0] = '\0';
	switch (who.owner) {
	case MODEL_PERSON:
		*ret_member = "staff";
		(void)snprintf(words, WORDS_MAX, "%s", person_label(attribution, who.index));
		return "staff";
	case MODEL_CLIENT:
		*ret_member = "client";
		client = policy_client(attribution->custody->policy, who.index + 1);
		(void)snprintf(words, WORDS_MAX, "%s", client != NULL ? client->label : "");
		return "client";
	case MODEL_POOL:
		*ret_member = "purpose";
		pool_label(attribution, who.index, words);
		return "pool";
	case MODEL_STORE: return "store";
	case MODEL_ELSEWHERE:
	default: return "elsewhere";
	}
}

static void
answer_who(struct wire_writer *writer, const struct attribution *attribution, struct model_who who)
{
	char words[WORDS_MAX];
	const char *member;

	answer_text(writer, "who", describe_who(attribution, who, &member, words));
	if (member != NULL)
		answer_text(writer, member, words);
}

/* --- by what ---------------------------------------------------------------------------------- */

static void
answer_window(struct wire_writer *writer, const struct attribution *attribution,
    const struct model_window *window)
{
	char words[WORDS_MAX];

	answer_text(writer, "carrier", window->whole ? "whole history" : "stretch of time");
	if (!window->whole) {
		answer_time(writer, "carrier_from", window->from_us);
		answer_time(writer, "carrier_to", window->to_us);
	}
	if (window->pool != MODEL_NONE) {
		pool_label(attribution, window->pool, words);
		answer_text(writer, "carrier_purpose", words);
	}
	answer_uint(writer, "carrier_rows", window->size);
}

static const struct used_history *
used_of(const struct attribution *attribution, uint32_t id)
{
	const struct used_history *used = attribution->used.items;

	for (size_t i = 0; i < attribution->used.count; i++) {
		if (used[i].id == id)
			return &used[i];
	}
	return NULL;
}

/* One session, or one export; of an imported history by the name that it has there. */
static void
answer_one(struct wire_writer *writer, const struct attribution *attribution, uint32_t index)
{
	const struct model_carrier *carrier = &attribution->input.carriers[index];
	struct access_carrier from = access_set_carrier(attribution->set, index);
	const struct used_history *used = used_of(attribution, from.origin);
	const char *kind = carrier->kind == MODEL_EXPORT ? "export" : "session";
	char words[WORDS_MAX];

	if (used != NULL)
		(void)snprintf(words, sizeof(words), "%s %s", kind,
		    history_reader_name(used->reader, (uint32_t)from.number));
	else
		(void)snprintf(
		    words, sizeof(words), "%s %llu", kind, (unsigned long long)from.number);
	answer_text(writer, "carrier", words);
	if (used != NULL)
		answer_uint(writer, "history", used->id);
	answer_time(writer, "carrier_from", carrier->time_us);
	answer_uint(writer, "carrier_rows", carrier->size);
}

static void
answer_carrier(struct wire_writer *writer, const struct attribution *attribution,
    const struct model_suspect *suspect)
{
	const struct model_input *input = &attribution->input;
	char words[WORDS_MAX];

	if (suspect->carrier != MODEL_NONE) {
		answer_one(writer, attribution, suspect->carrier);
	} else if (suspect->window != MODEL_NONE) {
		answer_window(writer, attribution, &input->windows[suspect->window]);
	} else if (suspect->exports > 0) {
		(void)snprintf(words, sizeof(words), "%u exports together", suspect->exports);
		answer_text(writer, "carrier", words);
	} else if (suspect->copy != MODEL_NONE) {
		answer_text(writer, "carrier", "own copy");
		answer_time(writer, "carrier_from", input->copies[suspect->copy].time_us);
		answer_uint(writer, "carrier_rows", input->copies[suspect->copy].size);
	}
}

/* --- against ---------------------------------------------------------------------------------- */

static void
answer_against(struct wire_writer *writer, uint64_t rows, const char *words)
{
	char text[WORDS_MAX];

	if (rows == 0)
		return;
	(void)snprintf(text, sizeof(text), "%llu rows %s", (unsigned long long)rows, words);
	answer_text(writer, NULL, text);
}

static void
answer_suspect(struct wire_writer *writer, const struct attribution *attribution,
    const struct model_suspect *suspect)
{
	answer_object(writer, NULL);
	answer_who(writer, attribution, suspect->who);
	answer_carrier(writer, attribution, suspect);
	answer_odds(writer, "posterior", suspect->posterior);
	answer_odds(writer, "posterior_flat", suspect->posterior_flat);
	answer_uint(writer, "leak", suspect->leak + 1);
	answer_uint(writer, "rows_explained", suspect->rows_explained);
	answer_array(writer, "against");
	answer_against(writer, suspect->rows_missing, "were never theirs");
	answer_against(writer, suspect->rows_stale, "were theirs in another version only");
	answer_against(writer, suspect->rows_fields, "have a field that was not shown to them");
	if (suspect->imported)
		answer_text(writer, NULL, "it rests on an imported history");
	answer_end(writer);
	answer_array(writer, "ties");
	for (size_t i = 0; i < suspect->tie_count; i++) {
		answer_object(writer, NULL);
		answer_who(writer, attribution, suspect->ties[i]);
		answer_end(writer);
	}
	answer_end(writer);
	answer_end(writer);
}

/* --- when ------------------------------------------------------------------------------------- */

/* What has no end is still so: it is left out. */
static void
answer_stretch(struct wire_writer *writer, int64_t from_us, int64_t to_us)
{
	if (from_us > to_us)
		return;
	if (from_us != INT64_MIN)
		answer_time(writer, "from", from_us);
	if (to_us != MODEL_NEVER)
		answer_time(writer, "to", to_us);
}

static void
answer_dating(struct wire_writer *writer, const struct model_result *result)
{
	answer_object(writer, "dating");
	answer_stretch(writer, result->from_us, result->to_us);
	answer_array(writer, "clusters");
	for (size_t i = 0; i < result->cluster_count; i++) {
		answer_object(writer, NULL);
		answer_stretch(writer, result->clusters[i].from_us, result->clusters[i].to_us);
		answer_uint(writer, "rows", result->clusters[i].rows);
		answer_end(writer);
	}
	answer_end(writer);
	answer_end(writer);
}

/* Each that had anything of the list, whether or not somebody is suspected by it. */
static void
answer_histories(struct wire_writer *writer, const struct attribution *attribution)
{
	const struct used_history *used = attribution->used.items;

	answer_array(writer, "histories");
	for (size_t i = 0; i < attribution->used.count; i++) {
		const struct history *history = history_of(attribution->custody, used[i].id);

		if (used[i].wanted == 0 || history == NULL)
			continue;
		answer_object(writer, NULL);
		answer_uint(writer, "history", used[i].id);
		answer_text(writer, "grade", "imported");
		answer_uint(writer, "rows", used[i].wanted);
		answer_bytes(writer, "sha256", bytes_make(history->hash, sizeof(history->hash)));
		answer_end(writer);
	}
	answer_end(writer);
}

/* Whether a person may have been the source of every leak that is told. */
static bool
is_in_every_leak(const struct model_result *result, uint32_t index)
{
	for (size_t leak = 0; leak < result->leaks; leak++) {
		bool told = false;
		bool found = false;

		for (size_t i = 0; i < result->suspect_count; i++) {
			const struct model_suspect *suspect = &result->suspects[i];

			if (suspect->leak != leak)
				continue;
			told = true;
			found |= suspect->who.owner == MODEL_PERSON &&
			    suspect->who.index == index && suspect->posterior >= POSSIBLE;
		}
		if (told && !found)
			return false;
	}
	return true;
}

/*
 * Whom the leaks have in common. A copy of a whole list is also its client's own, so that each leak alone is a tie; but several
 * clients would have leaked where one person could have.
 */
static void
answer_common(struct wire_writer *writer, const struct attribution *attribution)
{
	const struct model_result *result = &attribution->result;

	answer_array(writer, "in_every_leak");
	for (size_t i = 0; i < result->suspect_count && result->leaks > 1; i++) {
		const struct model_suspect *suspect = &result->suspects[i];

		if (suspect->leak == 0 && suspect->who.owner == MODEL_PERSON &&
		    is_in_every_leak(result, suspect->who.index))
			answer_text(writer, NULL, person_label(attribution, suspect->who.index));
	}
	answer_end(writer);
}

void
attribution_answer(const struct attribution *attribution, struct wire_writer *writer)
{
	const struct model_result *result = &attribution->result;

	answer_text(writer, "verdict", model_verdict_name(result->verdict));
	answer_dating(writer, result);
	answer_uint(writer, "leaks", result->leaks);
	answer_odds(writer, "elsewhere", result->elsewhere);
	answer_uint(writer, "looked_at", result->rows_looked_at);
	answer_uint(writer, "unexplained", result->rows_unexplained);
	answer_array(writer, "suspects");
	for (size_t i = 0; i < result->suspect_count; i++)
		answer_suspect(writer, attribution, &result->suspects[i]);
	answer_end(writer);
	answer_common(writer, attribution);
	answer_histories(writer, attribution);
}

/* --- what is hashed into the ledger ------------------------------------------------------------- */

#define TIME_ROOM 40u

void
attribution_finding(const struct attribution *attribution, struct wire_writer *writer)
{
	const struct model_result *result = &attribution->result;
	bool dated = result->from_us <= result->to_us;
	char from[TIME_ROOM] = "";
	char to[TIME_ROOM] = "";
	struct finding finding = {.verdict = model_verdict_name(result->verdict),
	    .from = from,
	    .to = to,
	    .suspects = (uint8_t)result->suspect_count};

	if (dated && result->from_us != INT64_MIN)
		clock_format_utc(result->from_us, from, sizeof(from));
	if (dated && result->to_us != MODEL_NEVER)
		clock_format_utc(result->to_us, to, sizeof(to));
	finding_put(writer, &finding);
	for (size_t i = 0; i < result->suspect_count; i++) {
		const struct model_suspect *suspect = &result->suspects[i];
		char posterior[ODDS_MAX], flat[ODDS_MAX], label[WORDS_MAX];
		const char *member;
		struct finding_suspect told = {.leak = suspect->leak + 1,
		    .rows_explained = suspect->rows_explained,
		    .who = describe_who(attribution, suspect->who, &member, label),
		    .label = label,
		    .posterior = posterior,
		    .posterior_flat = flat};

		odds_text(suspect->posterior, posterior);
		odds_text(suspect->posterior_flat, flat);
		finding_put_suspect(writer, &told);
	}
}
