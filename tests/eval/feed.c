#include "feed.h"

#include <stdlib.h>
#include <string.h>

#define STORE_COPIES 40
#define GUESS        0.2 /* of the baseline: the chance that a row is guessed, as its authors use it */

struct feed {
	const struct world *world;
	struct shop *shop;
	uint32_t *first; /* accesses of a record in by_record; one more than records */
	struct world_access *by_record;
	struct model_carrier *carriers;
	struct model_window *windows;
	size_t window_count, window_room;
	struct model_copy *copies;
	size_t copy_count;
	struct model_person *persons;
	struct model_client clients[WORLD_CLIENTS];
	uint64_t shapes[2];
	/* of the leak */
	struct model_row *rows;
	struct model_candidate *candidates;
	struct model_span *spans;
	uint32_t *holdings;
	struct model_access *accesses;
	size_t row_room, candidate_count, candidate_room, span_count, span_room, holding_count,
	    holding_room, access_count, access_room;
	struct model_input input;
};

static void *
must(void *memory)
{
	if (memory == NULL)
		abort();
	return memory;
}

#define PUSH(array, count, room, ...)                                                              \
	do {                                                                                       \
		if ((count) == (room)) {                                                           \
			(room) = (room) == 0 ? 256 : (room)*2;                                     \
			(array) = must(realloc((array), (room) * sizeof(*(array))));               \
		}                                                                                  \
		(array)[(count)++] = __VA_ARGS__;                                                  \
	} while (0)

/* --- the ledger ------------------------------------------------------------------------------- */

static int
by_record(const void *a, const void *b)
{
	const struct world_access *one = a;
	const struct world_access *other = b;

	if (one->record != other->record)
		return one->record < other->record ? -1 : 1;
	return one->carrier < other->carrier ? -1 : one->carrier > other->carrier;
}

static void
index_accesses(struct feed *feed)
{
	const struct world *world = feed->world;

	feed->by_record = must(calloc(world->access_count, sizeof(*feed->by_record)));
	memcpy(feed->by_record, world->accesses, world->access_count * sizeof(*feed->by_record));
	qsort(feed->by_record, world->access_count, sizeof(*feed->by_record), by_record);
	feed->first = must(calloc(world->record_count + 2, sizeof(*feed->first)));
	for (uint32_t i = 0; i < world->access_count; i++)
		feed->first[feed->by_record[i].record + 1]++;
	for (uint32_t r = 1; r < world->record_count + 2; r++)
		feed->first[r] += feed->first[r - 1];
}

static int
delivery_index(const struct world *world, int client, int delivery)
{
	(void)world;
	return client * WORLD_DELIVERIES + delivery;
}

static void
make_carriers(struct feed *feed)
{
	const struct world *world = feed->world;

	feed->carriers = must(calloc(world->carrier_count, sizeof(*feed->carriers)));
	for (uint32_t i = 0; i < world->carrier_count; i++) {
		const struct world_carrier *of = &world->carriers[i];
		const struct world_client *client = &world->clients[of->client];

		feed->carriers[i] =
		    (struct model_carrier){.kind = of->is_export ? MODEL_EXPORT : MODEL_SESSION,
			.person = of->staff,
			.pool = of->is_export ? MODEL_NONE : of->client,
			.time_us = of->day * DAY_US,
			.size = of->delivery >= 0 ? client->deliveries[of->delivery].rows
						  : of->access_count,
			.list = of->delivery >= 0
			    ? (uint32_t)delivery_index(world, of->client, of->delivery)
			    : MODEL_NONE};
		if (feed->carriers[i].size == 0)
			feed->carriers[i].size = 1;
	}
}

/* --- how much there was ----------------------------------------------------------------------- */

struct seen {
	uint32_t owner; /* staff, or client, or 0 */
	uint32_t record;
	uint16_t stretch; /* or the same for all */
	uint16_t pool;    /* or the same for all */
	uint8_t version;
};

static int
by_seen(const void *a, const void *b)
{
	const struct seen *one = a;
	const struct seen *other = b;

	if (one->owner != other->owner)
		return one->owner < other->owner ? -1 : 1;
	if (one->stretch != other->stretch)
		return one->stretch < other->stretch ? -1 : 1;
	if (one->pool != other->pool)
		return one->pool < other->pool ? -1 : 1;
	if (one->record != other->record)
		return one->record < other->record ? -1 : 1;
	return one->version < other->version ? -1 : one->version > other->version;
}

/* Windows of one sort: for each owner, each stretch of so many days or the whole time (0), and each pool or all. */
static void
make_windows(struct feed *feed, enum model_owner owner, int days, bool by_pool)
{
	const struct world *world = feed->world;
	size_t count = 0, room = 0;
	struct seen *seen = NULL;

	for (uint32_t i = 0; i < world->carrier_count; i++) {
		const struct world_carrier *of = &world->carriers[i];
		const struct world_client *client = &world->clients[of->client];
		struct seen one = {.owner = owner == MODEL_PERSON ? of->staff
			: owner == MODEL_POOL                     ? of->client
								  : 0,
		    .stretch = days > 0 ? (uint16_t)(of->day / days) : 0,
		    .pool = by_pool ? of->client : 0};

		/* Pools and the server are about what was shown. */
		if (of->is_export && (owner != MODEL_PERSON || by_pool))
			continue;
		for (uint32_t a = 0; a < of->access_count; a++) {
			one.record = world->accesses[of->first_access + a].record;
			one.version = world->accesses[of->first_access + a].version;
			PUSH(seen, count, room, one);
		}
		for (uint32_t r = 0; of->delivery >= 0 && r < client->record_count; r++) {
			one.record = client->first_record + r;
			one.version = world_version_on(
			    &world->records[one.record], client->deliveries[of->delivery].day);
			if (one.version > 0)
				PUSH(seen, count, room, one);
		}
	}
	qsort(seen, count, sizeof(*seen), by_seen);
	for (size_t i = 0; i < count;) {
		struct model_window window = {.owner = owner,
		    .index = seen[i].owner,
		    .whole = days == 0 && !by_pool,
		    .pool = by_pool ? seen[i].pool : MODEL_NONE,
		    .from_us = days > 0 ? seen[i].stretch * days * DAY_US : INT64_MIN,
		    .to_us = days > 0 ? (seen[i].stretch + 1) * days * DAY_US : MODEL_NEVER};
		size_t from = i;

		for (; i < count && seen[i].owner == seen[from].owner &&
		     seen[i].stretch == seen[from].stretch && seen[i].pool == seen[from].pool;
		     i++)
			window.size += i == from || by_seen(&seen[i - 1], &seen[i]) != 0;
		PUSH(feed->windows, feed->window_count, feed->window_room, window);
	}
	free(seen);
}

static void
make_copies(struct feed *feed)
{
	const struct world *world = feed->world;

	feed->copies =
	    must(calloc(WORLD_CLIENTS * WORLD_DELIVERIES + STORE_COPIES, sizeof(*feed->copies)));
	for (int c = 0; c < WORLD_CLIENTS; c++) {
		const struct world_client *client = &world->clients[c];

		feed->clients[c].people = client->record_count;
		for (int d = 0; d < client->delivery_count; d++) {
			if (client->deliveries[d].rows > 0)
				feed->copies[feed->copy_count++] =
				    (struct model_copy){.client = (uint32_t)c,
					.time_us = client->deliveries[d].day * DAY_US,
					.size = client->deliveries[d].rows};
		}
	}
	for (int i = 1; i <= STORE_COPIES; i++) {
		int day = WORLD_DAYS / STORE_COPIES * i;
		uint32_t size = 0;

		for (uint32_t r = 1; r <= world->record_count; r++)
			size += world_version_on(&world->records[r], day) > 0;
		/* Before the first delivery there is nothing to copy. */
		if (size > 0)
			feed->copies[feed->copy_count++] = (struct model_copy){
			    .client = MODEL_NONE, .time_us = day * DAY_US, .size = size};
	}
}

static void
fill_shop(struct feed *feed)
{
	const struct world *world = feed->world;
	char text[WORLD_TEXT];
	struct row row;

	feed->shop = shop_new();
	for (uint32_t r = 1; r <= world->record_count; r++) {
		const struct world_record *record = &world->records[r];

		for (uint8_t v = 0; v < record->version_count; v++) {
			world_write(record->person, record->versions[v].epochs,
			    world->clients[record->client].style, record->quirk, true, text, &row);
			shop_add(feed->shop, record->client + 1u, r, &row);
		}
	}
	shop_close(feed->shop);
}

struct feed *
feed_new(const struct world *world)
{
	struct feed *feed = must(calloc(1, sizeof(*feed)));

	feed->world = world;
	feed->shapes[0] = FIELD_BIT(FIELD_NAME) | FIELD_BIT(FIELD_ADDRESS) |
	    FIELD_BIT(FIELD_PHONE) | FIELD_BIT(FIELD_POSTCODE);
	feed->shapes[1] = feed->shapes[0] | FIELD_BIT(FIELD_BIRTH);
	index_accesses(feed);
	make_carriers(feed);
	make_windows(feed, MODEL_PERSON, 0, false);
	make_windows(feed, MODEL_PERSON, 365, false);
	make_windows(feed, MODEL_PERSON, 30, false);
	make_windows(feed, MODEL_PERSON, 365, true);
	make_windows(feed, MODEL_POOL, 0, false);
	make_windows(feed, MODEL_POOL, 365, false);
	make_windows(feed, MODEL_STORE, 0, false);
	make_copies(feed);
	fill_shop(feed);
	feed->persons = must(calloc(world->staff_count, sizeof(*feed->persons)));
	for (uint32_t s = 0; s < world->staff_count; s++) {
		const struct world_staff *staff = &world->staff[s];
		double years = (double)(staff->to_day - staff->from_day) / 365.0;

		/* Who can export, and who has been here long, has more occasion. */
		feed->persons[s].prior = (staff->maintainer ? 2.0 : 0.7) * (years < 1 ? 0.7 : 1.0);
	}
	return feed;
}

void
feed_free(struct feed **feed)
{
	shop_free(&(*feed)->shop);
	free((*feed)->first);
	free((*feed)->by_record);
	free((*feed)->carriers);
	free((*feed)->windows);
	free((*feed)->copies);
	free((*feed)->persons);
	free((*feed)->rows);
	free((*feed)->candidates);
	free((*feed)->spans);
	free((*feed)->holdings);
	free((*feed)->accesses);
	free(*feed);
	*feed = NULL;
}

/* --- a leak ----------------------------------------------------------------------------------- */

static void
add_span(struct feed *feed, const struct world_record *record, uint32_t version)
{
	const struct world_version *of = &record->versions[version - 1];
	const struct world_client *client = &feed->world->clients[record->client];
	struct model_span span = {.version = version,
	    .from_us = of->from_day * DAY_US,
	    .to_us = of->to_day > WORLD_DAYS ? MODEL_NEVER : of->to_day * DAY_US,
	    .first_holding = (uint32_t)feed->holding_count};

	for (int d = 0; d < client->delivery_count; d++) {
		if (client->deliveries[d].day < of->from_day ||
		    client->deliveries[d].day >= of->to_day)
			continue;
		PUSH(feed->holdings, feed->holding_count, feed->holding_room,
		    (uint32_t)delivery_index(feed->world, record->client, d));
	}
	span.holding_count = (uint32_t)feed->holding_count - span.first_holding;
	PUSH(feed->spans, feed->span_count, feed->span_room, span);
}

static void
add_accesses(struct feed *feed, uint32_t record)
{
	for (uint32_t i = feed->first[record]; i < feed->first[record + 1]; i++) {
		const struct world_access *of = &feed->by_record[i];

		PUSH(feed->accesses, feed->access_count, feed->access_room,
		    (struct model_access){.record = record,
			.version = of->version,
			.carrier = of->carrier,
			.shape = of->with_birth});
	}
}

static void
add_row(struct feed *feed, const struct leak *leak, size_t at, struct feed_rows *rows)
{
	const struct leak_row *truth = &leak->rows[at];
	struct model_row row = {
	    .first_candidate = (uint32_t)feed->candidate_count, .canary = MODEL_NONE};
	struct trace_row_verdict verdict;
	bool right = false;
	bool same_person = false;

	for (unsigned int field = 0; field < FIELD_COUNT; field++) {
		if (truth->row.values[field].size > 0)
			row.fields |= FIELD_BIT(field);
	}

	shop_trace(feed->shop, &truth->row, true, &verdict);
	for (size_t i = 0; i < verdict.count && verdict.verdict != TRACE_NOT_FOUND; i++) {
		const struct trace_link *link = &verdict.links[i];
		const struct world_record *record = &feed->world->records[link->record];
		struct model_candidate candidate = {.record = link->record,
		    .client = record->client,
		    .weight = link->weight,
		    .notation = link->notation,
		    .conflicts = link->conflicts,
		    .first_span = (uint32_t)feed->span_count,
		    .span_count = link->version_count};

		for (size_t v = 0; v < link->version_count; v++)
			add_span(feed, record, link->versions[v]);
		PUSH(feed->candidates, feed->candidate_count, feed->candidate_room, candidate);
		row.candidate_count++;
		same_person |= truth->record != 0 &&
		    record->person == feed->world->records[truth->record].person;
		if (link->record != truth->record)
			continue;
		right = true;
		rows->of_version++;
		for (size_t v = 0; v < link->version_count; v++)
			rows->right_version += link->versions[v] == truth->version;
	}
	PUSH(feed->rows, feed->input.row_count, feed->row_room, row);
	if (truth->record == 0) {
		rows->strangers++;
		return;
	}
	rows->right += right;
	rows->missed += row.candidate_count == 0;
	rows->wrong += row.candidate_count > 0 && !right && !same_person;
}

static int
by_number(const void *a, const void *b)
{
	const struct model_access *one = a;
	const struct model_access *other = b;

	return one->record < other->record ? -1 : one->record > other->record;
}

const struct model_input *
feed_leak(struct feed *feed, const struct leak *leak, struct feed_rows *ret_rows)
{
	const struct world *world = feed->world;
	struct model_input *input = &feed->input;
	uint8_t *known = must(calloc(world->record_count + 1, 1));

	*input = (struct model_input){0};
	feed->candidate_count = feed->span_count = feed->holding_count = feed->access_count = 0;
	memset(ret_rows, 0, sizeof(*ret_rows));
	for (size_t i = 0; i < leak->count; i++)
		add_row(feed, leak, i, ret_rows);
	for (size_t i = 0; i < feed->candidate_count; i++) {
		uint32_t record = feed->candidates[i].record;

		if (known[record]++ == 0)
			add_accesses(feed, record);
	}
	free(known);
	if (feed->access_count > 1)
		qsort(feed->accesses, feed->access_count, sizeof(*feed->accesses), by_number);
	input->rows = feed->rows;
	input->candidates = feed->candidates;
	input->spans = feed->spans;
	input->holdings = feed->holdings;
	input->accesses = feed->accesses;
	input->shapes = feed->shapes;
	input->carriers = feed->carriers;
	input->windows = feed->windows;
	input->copies = feed->copies;
	input->persons = feed->persons;
	input->clients = feed->clients;
	input->candidate_count = feed->candidate_count;
	input->span_count = feed->span_count;
	input->holding_count = feed->holding_count;
	input->access_count = feed->access_count;
	input->shape_count = 2;
	input->carrier_count = world->carrier_count;
	input->window_count = feed->window_count;
	input->copy_count = feed->copy_count;
	input->person_count = world->staff_count;
	input->client_count = WORLD_CLIENTS;
	input->pool_count = WORLD_CLIENTS;
	input->list_count = WORLD_CLIENTS * WORLD_DELIVERIES;
	return input;
}

/* --- the baselines ---------------------------------------------------------------------------- */

/* Who ever had the row's best record, by any carrier. */
static void
mark_holders(const struct feed *feed, const struct model_input *input, const struct model_row *row,
    uint8_t *has)
{
	const struct model_candidate *best = &input->candidates[row->first_candidate];
	const struct world *world = feed->world;

	memset(has, 0, world->staff_count);
	for (uint32_t i = feed->first[best->record]; i < feed->first[best->record + 1]; i++)
		has[world->carriers[feed->by_record[i].carrier].staff] = 1;
	for (uint32_t i = 0; i < world->carrier_count; i++) {
		const struct world_carrier *carrier = &world->carriers[i];

		if (carrier->delivery >= 0 && carrier->client == best->client &&
		    world_version_on(&world->records[best->record], carrier->day) > 0)
			has[carrier->staff] = 1;
	}
}

void
feed_overlap(struct feed *feed, const struct model_input *input, double *scores)
{
	uint32_t count = feed->world->staff_count;
	uint8_t *has = must(calloc(count, 1));

	memset(scores, 0, count * sizeof(*scores));
	for (size_t i = 0; i < input->row_count; i++) {
		if (input->rows[i].candidate_count == 0)
			continue;
		mark_holders(feed, input, &input->rows[i], has);
		for (uint32_t s = 0; s < count; s++)
			scores[s] += has[s];
	}
	free(has);
}

/* Papadimitriou and Garcia-Molina: 1 minus the product of 1 - (1-p)/|V_t| over what was leaked and held. */
void
feed_guilt(struct feed *feed, const struct model_input *input, double *scores)
{
	uint32_t count = feed->world->staff_count;
	uint8_t *has = must(calloc(count, 1));

	for (uint32_t s = 0; s < count; s++)
		scores[s] = 1.0;
	for (size_t i = 0; i < input->row_count; i++) {
		double holders = 0.0;

		if (input->rows[i].candidate_count == 0)
			continue;
		mark_holders(feed, input, &input->rows[i], has);
		for (uint32_t s = 0; s < count; s++)
			holders += has[s];
		for (uint32_t s = 0; s < count; s++) {
			if (has[s])
				scores[s] *= 1.0 - (1.0 - GUESS) / holders;
		}
	}
	for (uint32_t s = 0; s < count; s++)
		scores[s] = 1.0 - scores[s];
	free(has);
}
