/*
 * From recognised rows to odds:
 *
 *	add      each link of a row
 *	look up  in the order of records ── catalogue ──► stretches of time in which its versions were current
 *	run      settle the ledger
 *	logs     every disclosure, a slice a round ──► access set
 *	histories imported ones, a slice a round ──► access set
 *	sorts    a thread counts and sorts
 *	asks     the process gets it all, a few frames a turn, and answers
 *
 * What is handed to the process is numbers: records, and indexes of people, clients and purposes. Names are put back
 * here, into the answer.
 */
#include "custody/attribution.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "custody/attribution_internal.h"
#include "trace/packet.h"

#define LATE_DAYS    31 /* a list that comes so long after its date was not the house's present */
#define COPIES_STORE 40u
#define OUT_MAX      (4u * ATTRIBUTE_BODY_MAX)
#define LOOK_UPS     500u /* in one round of the loop: calls wait */
#define WAITING_RECORDS                                                                            \
	16384u /* that wait in one vector: a fraction of a millisecond to sort, and side by side in the catalogue */
#define ENTRIES_MAX 64u /* lists of one record that are looked at; further ones are left out */

static void
destroy(struct attribution *attribution)
{
	struct vector *const vectors[] = {&attribution->rows, &attribution->candidates,
	    &attribution->spans, &attribution->held, &attribution->holdings, &attribution->copies,
	    &attribution->persons, &attribution->clients, &attribution->unknown,
	    &attribution->exported, &attribution->used, &attribution->versions};

	if (attribution->watch != NULL)
		loop_unwatch(attribution->custody->config.loop, &attribution->watch);
	if (attribution->has_link)
		link_fini(&attribution->link);
	buffer_fini(&attribution->body);
	for (size_t i = 0; i < attribution->waiting.count; i++)
		vector_fini((struct vector *)attribution->waiting.items + i);
	vector_fini(&attribution->waiting);
	gather_fini(attribution);
	access_set_free(&attribution->set);
	for (size_t i = 0; i < AZ_ARRAY_SIZE(vectors); i++)
		vector_fini(vectors[i]);
	if (attribution->custody->attribution == attribution)
		attribution->custody->attribution = NULL;
	free(attribution);
}

enum az_status
attribution_new(struct custody *custody, uint64_t seed, struct attribution **ret_attribution,
    struct az_err *reterr)
{
	struct attribution *attribution;
	enum az_status status;

	if (custody->attribution != NULL)
		return az_fail(reterr, AZ_BUSY, "attribution: another list is being traced");
	attribution = calloc(1, sizeof(*attribution));
	if (attribution == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "attribution: out of memory");
	attribution->custody = custody;
	attribution->input.seed = seed;
	buffer_init(&attribution->body, ATTRIBUTE_BODY_MAX, false);
	status = access_set_new(&attribution->set, reterr);
	if (status != AZ_OK) {
		free(attribution);
		return status;
	}
	custody->attribution = attribution;
	*ret_attribution = attribution;
	return AZ_OK;
}

void
attribution_free(struct attribution **attribution)
{
	struct attribution *freed = *attribution;

	*attribution = NULL;
	if (freed == NULL)
		return;
	freed->done = NULL;
	/* Something else still has its address: it goes when that has come back. */
	if (freed->stage == STAGE_SETTLES || freed->stage == STAGE_SORTS ||
	    freed->stage == STAGE_SPAWNS)
		freed->given_up = true;
	else
		destroy(freed);
}

void
attribution_close(struct custody *custody)
{
	struct attribution *attribution = custody->attribution;

	if (attribution == NULL)
		return;
	if (attribution->stage == STAGE_SORTS)
		(void)pthread_join(attribution->thread, NULL);
	destroy(attribution);
}

/* The end, good or bad; what is left of it is freed by whoever made it. */
static void
finish(struct attribution *attribution, enum az_status status, const struct az_err *err)
{
	if (attribution->watch != NULL)
		loop_unwatch(attribution->custody->config.loop, &attribution->watch);
	if (attribution->has_link)
		link_fini(&attribution->link);
	attribution->has_link = false;
	attribution->stage = STAGE_DONE;
	if (attribution->given_up)
		destroy(attribution);
	else if (attribution->done != NULL)
		attribution->done(attribution->arg, status, err);
}

/* --- when versions were current ----------------------------------------------------------------- */

/* When a list was the house's present: when it came, unless that was long after its date. */
static int64_t
present_from(const struct consignment *consignment)
{
	int64_t dated = consignment->as_of * AZ_US_PER_DAY;
	int64_t latest = dated + LATE_DAYS * AZ_US_PER_DAY;

	if (consignment->time_us < dated)
		return dated;
	return consignment->time_us < latest ? consignment->time_us : latest;
}

/* A list that a record stands in. */
struct tenure {
	const struct consignment *consignment;
	uint32_t version;
};

struct standings {
	const struct custody *custody;
	struct tenure items[ENTRIES_MAX];
	size_t count;
};

static bool
note_standing(void *arg, const struct catalogue_entry *entry)
{
	struct standings *standings = arg;
	const struct consignment *consignment =
	    consignment_of(standings->custody, entry->consignment);

	if (consignment != NULL)
		standings->items[standings->count++] =
		    (struct tenure){.consignment = consignment, .version = entry->version};
	return standings->count < ENTRIES_MAX;
}

/* By purpose, and within one in the order in which lists replace each other. */
static int
compare_standings(const void *a, const void *b)
{
	const struct consignment *one = ((const struct tenure *)a)->consignment;
	const struct consignment *other = ((const struct tenure *)b)->consignment;

	if (one->purpose != other->purpose)
		return one->purpose < other->purpose ? -1 : 1;
	if (one->id == other->id)
		return 0;
	return consignment_is_newer(one->as_of, one->id, other->as_of, other->id) ? 1 : -1;
}

static enum az_status
find_standings(struct custody *custody, uint32_t record, struct standings *ret_standings,
    struct az_err *reterr)
{
	enum az_status status = AZ_OK;

	ret_standings->custody = custody;
	ret_standings->count = 0;
	if (!custody->reader_is_fresh)
		status = catalogue_reader_renew(custody->reader, reterr);
	if (status != AZ_OK)
		return status;
	custody->reader_is_fresh = true;
	status = catalogue_entries(custody->reader, record, note_standing, ret_standings, reterr);
	if (ret_standings->count > 1)
		qsort(ret_standings->items, ret_standings->count, sizeof(ret_standings->items[0]),
		    compare_standings);
	return status == AZ_NOT_FOUND ? AZ_OK : status;
}

/* The stretch from the i-th list to the next of its purpose in which the record is another; *ret_next is that one's place. */
static void
stretch_of(const struct standings *standings, size_t i, size_t *ret_next, int64_t *ret_from,
    int64_t *ret_to)
{
	const struct tenure *first = &standings->items[i];
	size_t next = i + 1;

	while (next < standings->count &&
	    standings->items[next].consignment->purpose == first->consignment->purpose &&
	    standings->items[next].version == first->version)
		next++;
	*ret_next = next;
	*ret_from = present_from(first->consignment);
	*ret_to = MODEL_NEVER;
	if (next < standings->count &&
	    standings->items[next].consignment->purpose == first->consignment->purpose)
		*ret_to = present_from(standings->items[next].consignment);
}

enum az_status
attribution_version_at(struct custody *custody, uint32_t record, int64_t time_us,
    uint32_t *ret_version, struct az_err *reterr)
{
	struct standings standings;
	int64_t earliest = INT64_MAX;
	enum az_status status = find_standings(custody, record, &standings, reterr);

	*ret_version = 0;
	for (size_t i = 0; status == AZ_OK && i < standings.count;) {
		size_t next;
		int64_t from, to;

		stretch_of(&standings, i, &next, &from, &to);
		/* Before the first list of the house, what that has is the nearest that is known. */
		if (from <= time_us && time_us < to) {
			*ret_version = standings.items[i].version;
			return AZ_OK;
		}
		if (from < earliest) {
			earliest = from;
			*ret_version = standings.items[i].version;
		}
		i = next;
	}
	return status;
}

/* --- rows --------------------------------------------------------------------------------------- */

static bool
is_among(const uint32_t *versions, size_t count, uint32_t version)
{
	for (size_t i = 0; i < count; i++) {
		if (versions[i] == version)
			return true;
	}
	return false;
}

static enum az_status
add_spans(
    struct attribution *attribution, const struct waiting_candidate *waiting, struct az_err *reterr)
{
	struct model_candidate *candidate =
	    (struct model_candidate *)attribution->candidates.items + waiting->candidate;
	const uint32_t *versions =
	    (const uint32_t *)attribution->versions.items + waiting->first_version;
	struct standings standings;
	enum az_status status =
	    find_standings(attribution->custody, waiting->record, &standings, reterr);

	candidate->first_span = (uint32_t)attribution->spans.count;
	for (size_t i = 0; status == AZ_OK && i < standings.count;) {
		struct model_span *span;
		size_t next;
		int64_t from, to;

		stretch_of(&standings, i, &next, &from, &to);
		if (!is_among(versions, waiting->version_count, standings.items[i].version)) {
			i = next;
			continue;
		}
		span = vector_push(&attribution->spans, sizeof(*span));
		if (span == NULL)
			return az_fail(reterr, AZ_NO_MEMORY, "attribution: out of memory");
		*span = (struct model_span){.version = standings.items[i].version,
		    .from_us = from,
		    .to_us = to,
		    .first_holding = (uint32_t)attribution->held.count};
		for (; i < next; i++) {
			uint64_t *held = vector_push(&attribution->held, sizeof(*held));

			if (held == NULL)
				return az_fail(reterr, AZ_NO_MEMORY, "attribution: out of memory");
			*held = standings.items[i].consignment->id;
			span->holding_count++;
		}
		candidate->span_count++;
	}
	return status;
}

/* Another one that waits for a record; NULL: there is no memory. */
static struct waiting_candidate *
wait_for(struct attribution *attribution, uint32_t record)
{
	size_t bucket = record / WAITING_RECORDS;

	while (attribution->waiting.count <= bucket) {
		if (vector_push(&attribution->waiting, sizeof(struct vector)) == NULL)
			return NULL;
	}
	return vector_push(
	    (struct vector *)attribution->waiting.items + bucket, sizeof(struct waiting_candidate));
}

static enum az_status
add_candidate(struct attribution *attribution, const struct trace_link *link, struct az_err *reterr)
{
	struct model_candidate candidate = {.record = link->record,
	    .client = link->client - 1,
	    .weight = link->weight,
	    .notation = link->notation,
	    .conflicts = link->conflicts};
	struct model_candidate *place;
	struct waiting_candidate *waiting;

	if (link->client == 0 || policy_client(attribution->custody->policy, link->client) == NULL)
		return az_fail(reterr, AZ_INVALID, "attribution: a row of no client");
	waiting = wait_for(attribution, link->record);
	place = vector_push(&attribution->candidates, sizeof(*place));
	if (waiting == NULL || place == NULL ||
	    access_set_want(attribution->set, link->record) != AZ_OK)
		return az_fail(reterr, AZ_NO_MEMORY, "attribution: out of memory");
	*place = candidate;
	*waiting = (struct waiting_candidate){.record = link->record,
	    .candidate = (uint32_t)attribution->candidates.count - 1,
	    .first_version = (uint32_t)attribution->versions.count,
	    .version_count = (uint16_t)link->version_count};
	for (size_t i = 0; i < link->version_count; i++) {
		uint32_t *version = vector_push(&attribution->versions, sizeof(*version));

		if (version == NULL)
			return az_fail(reterr, AZ_NO_MEMORY, "attribution: out of memory");
		*version = link->versions[i];
	}
	return AZ_OK;
}

enum az_status
attribution_add(struct attribution *attribution, uint64_t fields,
    const struct trace_row_verdict *verdict, struct az_err *reterr)
{
	struct model_row row = {.first_candidate = (uint32_t)attribution->candidates.count,
	    .fields = fields,
	    .canary = MODEL_NONE};
	struct model_row *place;
	enum az_status status = AZ_OK;

	if (verdict->verdict != TRACE_NOT_FOUND) {
		for (size_t i = 0; i < verdict->count && status == AZ_OK; i++)
			status = add_candidate(attribution, &verdict->links[i], reterr);
		row.candidate_count = (uint32_t)verdict->count;
	}
	if (status != AZ_OK)
		return status;
	place = vector_push(&attribution->rows, sizeof(*place));
	if (place == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "attribution: out of memory");
	*place = row;
	return AZ_OK;
}

static int
compare_waiting(const void *a, const void *b)
{
	const struct waiting_candidate *one = a;
	const struct waiting_candidate *other = b;

	if (one->record != other->record)
		return one->record < other->record ? -1 : 1;
	return one->candidate < other->candidate ? -1 : one->candidate > other->candidate;
}

/* The next that waits; NULL: none does. */
static const struct waiting_candidate *
next_waiting(struct attribution *attribution)
{
	for (; attribution->look_bucket < attribution->waiting.count; attribution->look_bucket++) {
		struct vector *bucket =
		    (struct vector *)attribution->waiting.items + attribution->look_bucket;

		if (attribution->looked_up < bucket->count) {
			if (attribution->looked_up == 0)
				qsort(bucket->items, bucket->count,
				    sizeof(struct waiting_candidate), compare_waiting);
			return (struct waiting_candidate *)bucket->items + attribution->looked_up++;
		}
		vector_fini(bucket);
		attribution->looked_up = 0;
	}
	return NULL;
}

enum az_status
attribution_look_up(struct attribution *attribution, bool *ret_done, struct az_err *reterr)
{
	enum az_status status = AZ_OK;

	*ret_done = false;
	for (size_t i = 0; i < LOOK_UPS && status == AZ_OK; i++) {
		const struct waiting_candidate *waiting = next_waiting(attribution);

		if (waiting == NULL) {
			*ret_done = true;
			vector_fini(&attribution->waiting);
			vector_fini(&attribution->versions);
			return AZ_OK;
		}
		status = add_spans(attribution, waiting, reterr);
	}
	return status;
}

/* --- what else the model is told ---------------------------------------------------------------- */

static void
count_client(void *arg, const struct client *client)
{
	struct attribution *attribution = arg;

	if (client->id > attribution->client_count)
		attribution->client_count = client->id;
}

static void
count_purpose(void *arg, const struct purpose *purpose)
{
	struct attribution *attribution = arg;

	if (purpose->id > attribution->purpose_count)
		attribution->purpose_count = purpose->id;
}

static enum az_status
make_clients(struct attribution *attribution, struct az_err *reterr)
{
	const struct custody *custody = attribution->custody;
	struct model_client *clients;

	for (uint32_t i = 0; i < attribution->client_count; i++) {
		if (vector_push(&attribution->clients, sizeof(*clients)) == NULL)
			return az_fail(reterr, AZ_NO_MEMORY, "attribution: out of memory");
	}
	clients = attribution->clients.items;
	for (size_t i = 0; i < custody->consignment_count; i++) {
		const struct consignment *consignment = custody->consignments[i];

		if (consignment->client - 1 < attribution->client_count)
			clients[consignment->client - 1].people += consignment->new_records;
	}
	for (uint32_t i = 0; i < attribution->client_count; i++)
		clients[i].people += clients[i].people == 0 ? 1 : 0;
	return AZ_OK;
}

/* How many rows were a client's present at a time, or everybody's with client 0: of each purpose, its newest list. */
static uint32_t
present_at(const struct custody *custody, uint32_t client, int64_t time_us)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < custody->consignment_count; i++) {
		const struct consignment *one = custody->consignments[i];
		bool newest = true;

		if ((client != 0 && one->client != client) || present_from(one) > time_us)
			continue;
		for (size_t k = 0; k < custody->consignment_count && newest; k++) {
			const struct consignment *other = custody->consignments[k];

			newest = other == one || other->purpose != one->purpose ||
			    present_from(other) > time_us ||
			    !consignment_is_newer(other->as_of, other->id, one->as_of, one->id);
		}
		sum += newest ? one->accepted : 0;
	}
	return sum < UINT32_MAX ? (uint32_t)sum : UINT32_MAX;
}

static enum az_status
add_copy(struct attribution *attribution, uint32_t client, int64_t time_us, struct az_err *reterr)
{
	uint32_t size = present_at(attribution->custody, client, time_us);
	struct model_copy *copy;

	if (size == 0)
		return AZ_OK;
	copy = vector_push(&attribution->copies, sizeof(*copy));
	if (copy == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "attribution: out of memory");
	*copy = (struct model_copy){
	    .client = client == 0 ? MODEL_NONE : client - 1, .time_us = time_us, .size = size};
	return AZ_OK;
}

/* Each client's own copy as of each delivery; and the whole store at some of these times. */
static enum az_status
make_copies(struct attribution *attribution, struct az_err *reterr)
{
	const struct custody *custody = attribution->custody;
	size_t every = custody->consignment_count / COPIES_STORE + 1;
	enum az_status status = AZ_OK;

	for (size_t i = 0; i < custody->consignment_count && status == AZ_OK; i++) {
		const struct consignment *consignment = custody->consignments[i];
		int64_t time_us = present_from(consignment);

		status = add_copy(attribution, consignment->client, time_us, reterr);
		if (status == AZ_OK && (i + 1) % every == 0)
			status = add_copy(attribution, 0, time_us, reterr);
	}
	return status;
}

/* Which of the lists that a version stands in were exported whole. */
static enum az_status
make_holdings(struct attribution *attribution, struct az_err *reterr)
{
	const uint64_t *held = attribution->held.items;
	const uint64_t *exported = attribution->exported.items;
	struct model_span *spans = attribution->spans.items;

	for (size_t i = 0; i < attribution->spans.count; i++) {
		uint32_t first = (uint32_t)attribution->holdings.count;

		for (uint32_t h = 0; h < spans[i].holding_count; h++) {
			for (size_t e = 0; e < attribution->exported.count; e++) {
				uint32_t *place;

				if (exported[e] != held[spans[i].first_holding + h])
					continue;
				place = vector_push(&attribution->holdings, sizeof(*place));
				if (place == NULL)
					return az_fail(
					    reterr, AZ_NO_MEMORY, "attribution: out of memory");
				*place = (uint32_t)e;
			}
		}
		spans[i].first_holding = first;
		spans[i].holding_count = (uint32_t)attribution->holdings.count - first;
	}
	return AZ_OK;
}

/* Who has been here for less than a year had less occasion; who exports had more. The same order as in make eval. */
static enum az_status
make_persons(struct attribution *attribution, struct az_err *reterr)
{
	const struct model_carrier *carriers = attribution->input.carriers;
	const struct custody *custody = attribution->custody;
	uint32_t count = attribution->staff_count + (uint32_t)attribution->unknown.count;
	struct model_person *persons;

	for (uint32_t i = 0; i < count; i++) {
		const struct staff *staff =
		    i < attribution->staff_count ? people_staff(custody->people, i + 1) : NULL;
		struct model_person *person = vector_push(&attribution->persons, sizeof(*person));
		bool is_new =
		    staff != NULL && house_time_us(custody) - staff->added_us < 365 * AZ_US_PER_DAY;

		if (person == NULL)
			return az_fail(reterr, AZ_NO_MEMORY, "attribution: out of memory");
		person->prior = is_new ? 0.7 : 1.0;
	}
	persons = attribution->persons.items;
	for (size_t i = 0; i < attribution->input.carrier_count; i++) {
		if (carriers[i].kind == MODEL_EXPORT)
			persons[carriers[i].person].prior = 2.0;
	}
	return AZ_OK;
}

static void
fill_input(struct attribution *attribution)
{
	struct model_input *input = &attribution->input;

	input->rows = attribution->rows.items;
	input->row_count = attribution->rows.count;
	input->candidates = attribution->candidates.items;
	input->candidate_count = attribution->candidates.count;
	input->spans = attribution->spans.items;
	input->span_count = attribution->spans.count;
	input->holdings = attribution->holdings.items;
	input->holding_count = attribution->holdings.count;
	input->copies = attribution->copies.items;
	input->copy_count = attribution->copies.count;
	input->persons = attribution->persons.items;
	input->person_count = attribution->persons.count;
	input->clients = attribution->clients.items;
	input->client_count = attribution->clients.count;
	input->pool_count = (size_t)attribution->purpose_count + attribution->client_count;
	input->list_count = attribution->exported.count;
}

/* --- the process -------------------------------------------------------------------------------- */

static void
fail(struct attribution *attribution, enum az_status status, struct az_err *err)
{
	err->status = status;
	finish(attribution, status, err);
}

/* Sends as much as the socket takes. */
static enum az_status
send_more(struct attribution *attribution, struct az_err *reterr)
{
	enum az_status status = link_flush(&attribution->link, reterr);

	while (status == AZ_OK && !attribution->is_sent) {
		enum attribute_message type;

		status = packet_next(&attribution->packet, &type, &attribution->body);
		if (status == AZ_NOT_FOUND) {
			attribution->is_sent = true;
			status = AZ_OK;
			break;
		}
		if (status == AZ_OK)
			status = link_queue(
			    &attribution->link, (uint16_t)type, 0, buffer_peek(&attribution->body));
		if (status != AZ_OK)
			return az_fail(reterr, status, "attribution: the question cannot be sent");
		status = link_flush(&attribution->link, reterr);
	}
	loop_watch_for(attribution->watch, true, status == AZ_BUSY);
	return status == AZ_BUSY ? AZ_OK : status;
}

/* What the process says when it cannot answer. Never AZ_OK. */
static enum az_status
take_failed(struct bytes body, struct az_err *reterr)
{
	struct wire_reader reader;
	char text[AZ_ERR_TEXT_SIZE];
	uint8_t status;

	wire_reader_init(&reader, body);
	status = wire_get_u8(&reader);
	wire_get_text(&reader, text, sizeof(text));
	if (!wire_end(&reader) || status <= AZ_OK || status > AZ_GONE)
		return az_fail(reterr, AZ_IO, "attribution: a malformed answer");
	return az_fail(reterr, (enum az_status)status, "%s", text);
}

static void
child_is_ready(void *arg, bool readable, bool writable)
{
	struct attribution *attribution = arg;
	struct frame frame;
	struct az_err err = {0};
	enum az_status status = writable ? send_more(attribution, &err) : AZ_OK;

	if (status == AZ_OK && readable)
		status = link_fill(&attribution->link, &err);
	else if (status == AZ_OK)
		return;
	if (status == AZ_OK)
		status = link_next(&attribution->link, &frame, &err);
	if (status == AZ_BUSY)
		return;
	if (status == AZ_OK && frame.type == ATTRIBUTE_RESULT && attribution->is_sent)
		status =
		    packet_get_result(frame.body, &attribution->input, &attribution->result, &err);
	else if (status == AZ_OK && frame.type == ATTRIBUTE_FAILED)
		status = take_failed(frame.body, &err);
	else if (status == AZ_OK)
		status = az_fail(&err, AZ_IO, "attribution: a malformed answer");
	/* Its exit says nothing that we believe. */
	if (status == AZ_GONE || status == AZ_INVALID)
		status = az_fail(&err, AZ_IO, "attribution: its process did not answer");
	fail(attribution, status, &err);
}

bool
attribution_has_child(const struct custody *custody, uint32_t child)
{
	return custody->attribution != NULL && custody->attribution->stage == STAGE_SPAWNS &&
	    custody->attribution->child == child;
}

void
attribution_child(struct custody *custody, int socket)
{
	struct attribution *attribution = custody->attribution;
	struct az_err err = {0};
	enum az_status status;

	link_init(&attribution->link, socket, LINK_NONBLOCKING, ATTRIBUTE_BODY_MAX, OUT_MAX, false);
	attribution->has_link = true;
	attribution->stage = STAGE_ASKS;
	if (attribution->given_up) {
		finish(attribution, AZ_GONE, &err);
		return;
	}
	packet_writer_init(&attribution->packet, &attribution->input);
	status = loop_watch(
	    custody->config.loop, socket, child_is_ready, attribution, &attribution->watch, &err);
	if (status == AZ_OK)
		status = send_more(attribution, &err);
	if (status != AZ_OK)
		fail(attribution, status, &err);
}

void
attribution_child_failed(struct custody *custody, const struct az_err *err)
{
	finish(custody->attribution, err->status, err);
}

/* --- the stages --------------------------------------------------------------------------------- */

static void *
sort_run(void *arg)
{
	struct attribution *attribution = arg;

	attribution->sort_status = access_set_close(attribution->set, &attribution->sort_err);
	atomic_store(&attribution->is_sorted, true);
	loop_wake(attribution->custody->config.loop);
	return NULL;
}

static void
begin_sorting(struct attribution *attribution)
{
	struct az_err err = {0};

	attribution->stage = STAGE_SORTS;
	if (pthread_create(&attribution->thread, NULL, sort_run, attribution) == 0)
		return;
	attribution->stage = STAGE_LOGS;
	fail(attribution, az_fail(&err, AZ_NO_MEMORY, "attribution: no thread can be started"),
	    &err);
}

static void
ask_process(struct attribution *attribution)
{
	struct custody *custody = attribution->custody;
	struct az_err err = attribution->sort_err;
	enum az_status status = attribution->sort_status;

	access_set_fill(attribution->set, &attribution->input);
	if (status == AZ_OK)
		status = make_clients(attribution, &err);
	if (status == AZ_OK)
		status = make_copies(attribution, &err);
	if (status == AZ_OK)
		status = make_holdings(attribution, &err);
	if (status == AZ_OK)
		status = make_persons(attribution, &err);
	if (status != AZ_OK) {
		fail(attribution, status, &err);
		return;
	}
	fill_input(attribution);
	attribution->stage = STAGE_SPAWNS;
	attribution->child = ++custody->next_child;
	custody->config.spawn(custody->config.arg, CHILD_ATTRIBUTE, attribution->child);
}

void
attribution_round(struct custody *custody)
{
	struct attribution *attribution = custody->attribution;
	struct az_err err = {0};
	enum az_status status;

	if (attribution == NULL)
		return;
	if (attribution->stage == STAGE_SORTS && atomic_load(&attribution->is_sorted)) {
		(void)pthread_join(attribution->thread, NULL);
		attribution->stage = STAGE_LOGS;
		if (attribution->given_up)
			finish(attribution, AZ_GONE, &err);
		else
			ask_process(attribution);
		return;
	}
	if (attribution->stage != STAGE_LOGS && attribution->stage != STAGE_HISTORIES)
		return;
	status = gather_slice(attribution, &err);
	if (status == AZ_NOT_FOUND)
		begin_sorting(attribution);
	else if (status != AZ_OK)
		fail(attribution, status, &err);
	else
		loop_wake(custody->config.loop);
}

static void
settled(void *arg)
{
	struct attribution *attribution = arg;
	struct az_err err = {0};

	attribution->stage = STAGE_LOGS;
	if (attribution->given_up)
		finish(attribution, AZ_GONE, &err);
	else
		loop_wake(attribution->custody->config.loop);
}

void
attribution_run(struct attribution *attribution,
    void (*done)(void *arg, enum az_status status, const struct az_err *err), void *arg)
{
	struct custody *custody = attribution->custody;
	struct az_err err = {0};
	enum az_status status;

	attribution->done = done;
	attribution->arg = arg;
	attribution->staff_count = people_next_staff(custody->people) - 1;
	policy_each_client(custody->policy, count_client, attribution);
	policy_each_purpose(custody->policy, 0, count_purpose, attribution);
	status = access_set_wanted(attribution->set, &err);
	attribution->stage = STAGE_SETTLES;
	if (status == AZ_OK)
		status = ledger_settle(custody->ledger, settled, attribution, &err);
	if (status != AZ_OK) {
		attribution->stage = STAGE_LOGS;
		fail(attribution, status, &err);
	}
}
