/*
 * Each item is described once for both directions, so that the two cannot disagree.
 */
#include "trace/packet.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/walk.h"
#include "trace/compare.h"

#define PART_ITEMS 2048u /* of the largest item, less than a body */
#define ROOM_FIRST 256u

static void
walk_small(struct walk *walk, uint8_t *value, uint8_t max)
{
	walk_u8(walk, value);
	walk->bad |= *value > max;
}

static void
walk_flag(struct walk *walk, bool *flag)
{
	uint8_t value = *flag ? 1 : 0;

	walk_small(walk, &value, 1);
	*flag = value == 1;
}

/* A number of the C library's own form, which both processes have; never infinite, below zero or above max. */
static void
walk_double(struct walk *walk, double *value, double max)
{
	uint64_t bits;

	memcpy(&bits, value, sizeof(bits));
	walk_u64(walk, &bits);
	memcpy(value, &bits, sizeof(bits));
	walk->bad |= !isfinite(*value) || *value < 0.0 || *value > max;
	if (walk->bad)
		*value = 0.0;
}

/* --- items ------------------------------------------------------------------------------------ */

static void
walk_row(struct walk *walk, void *item)
{
	struct model_row *row = item;

	walk_u32(walk, &row->first_candidate);
	walk_u32(walk, &row->candidate_count);
	walk_u64(walk, &row->fields);
	walk_u32(walk, &row->canary);
}

static void
walk_candidate(struct walk *walk, void *item)
{
	struct model_candidate *candidate = item;

	walk_u32(walk, &candidate->record);
	walk_u32(walk, &candidate->client);
	walk_double(walk, &candidate->weight, 1.0);
	walk_small(walk, &candidate->notation, NOTATION_OURS);
	walk_small(walk, &candidate->conflicts, UINT8_MAX);
	walk_u32(walk, &candidate->first_span);
	walk_u32(walk, &candidate->span_count);
}

static void
walk_span(struct walk *walk, void *item)
{
	struct model_span *span = item;

	walk_u32(walk, &span->version);
	walk_i64(walk, &span->from_us);
	walk_i64(walk, &span->to_us);
	walk_u32(walk, &span->first_holding);
	walk_u32(walk, &span->holding_count);
}

static void
walk_holding(struct walk *walk, void *item)
{
	walk_u32(walk, item);
}

static void
walk_access(struct walk *walk, void *item)
{
	struct model_access *access = item;

	walk_u32(walk, &access->record);
	walk_u32(walk, &access->version);
	walk_u32(walk, &access->carrier);
	walk_u32(walk, &access->shape);
}

static void
walk_shape(struct walk *walk, void *item)
{
	walk_u64(walk, item);
}

static void
walk_carrier(struct walk *walk, void *item)
{
	struct model_carrier *carrier = item;
	uint8_t kind = (uint8_t)carrier->kind;

	walk_small(walk, &kind, MODEL_EXPORT);
	walk->bad |= kind == 0;
	carrier->kind = (enum model_carrier_kind)kind;
	walk_u32(walk, &carrier->person);
	walk_u32(walk, &carrier->pool);
	walk_i64(walk, &carrier->time_us);
	walk_u32(walk, &carrier->size);
	walk_u32(walk, &carrier->list);
	walk_flag(walk, &carrier->imported);
	walk_u32(walk, &carrier->canaries);
}

static void
walk_window(struct walk *walk, void *item)
{
	struct model_window *window = item;
	uint8_t owner = (uint8_t)window->owner;

	walk_small(walk, &owner, MODEL_ELSEWHERE);
	walk->bad |= owner == 0;
	window->owner = (enum model_owner)owner;
	walk_u32(walk, &window->index);
	walk_u32(walk, &window->pool);
	walk_i64(walk, &window->from_us);
	walk_i64(walk, &window->to_us);
	walk_u32(walk, &window->size);
	walk_flag(walk, &window->whole);
}

static void
walk_copy(struct walk *walk, void *item)
{
	struct model_copy *copy = item;

	walk_u32(walk, &copy->client);
	walk_i64(walk, &copy->time_us);
	walk_u32(walk, &copy->size);
}

static void
walk_person(struct walk *walk, void *item)
{
	struct model_person *person = item;

	walk_double(walk, &person->prior, 1e6);
}

static void
walk_client(struct walk *walk, void *item)
{
	struct model_client *client = item;

	walk_u32(walk, &client->people);
}

/* --- tables ------------------------------------------------------------------------------------- */

struct table {
	size_t size; /* of an item in memory */
	size_t wire; /* of an item in a frame */
	void (*walk)(struct walk *walk, void *item);
};

static const struct table tables[PACKET_TABLES] = {
    {sizeof(struct model_row), 20, walk_row},
    {sizeof(struct model_candidate), 26, walk_candidate},
    {sizeof(struct model_span), 28, walk_span},
    {sizeof(uint32_t), 4, walk_holding},
    {sizeof(struct model_access), 16, walk_access},
    {sizeof(uint64_t), 8, walk_shape},
    {sizeof(struct model_carrier), 30, walk_carrier},
    {sizeof(struct model_window), 30, walk_window},
    {sizeof(struct model_copy), 16, walk_copy},
    {sizeof(struct model_person), 8, walk_person},
    {sizeof(struct model_client), 4, walk_client},
};

static size_t
count_of(const struct model_input *input, unsigned int table)
{
	const size_t counts[PACKET_TABLES] = {input->row_count, input->candidate_count,
	    input->span_count, input->holding_count, input->access_count, input->shape_count,
	    input->carrier_count, input->window_count, input->copy_count, input->person_count,
	    input->client_count};

	return counts[table];
}

static const void *
items_of(const struct model_input *input, unsigned int table)
{
	const void *const items[PACKET_TABLES] = {input->rows, input->candidates, input->spans,
	    input->holdings, input->accesses, input->shapes, input->carriers, input->windows,
	    input->copies, input->persons, input->clients};

	return items[table];
}

/* --- sending ------------------------------------------------------------------------------------ */

void
packet_writer_init(struct packet_writer *writer, const struct model_input *input)
{
	*writer = (struct packet_writer){.input = input};
}

static enum az_status
put_begin(const struct model_input *input, struct buffer *body)
{
	struct wire_writer wire;

	wire_writer_init(&wire, body);
	wire_put_u16(&wire, ATTRIBUTE_VERSION);
	wire_put_u64(&wire, input->seed);
	for (unsigned int table = 0; table < PACKET_TABLES; table++) {
		if (count_of(input, table) > ATTRIBUTE_ITEMS_MAX)
			return AZ_LIMIT;
		wire_put_u32(&wire, (uint32_t)count_of(input, table));
	}
	if (input->pool_count > ATTRIBUTE_ITEMS_MAX || input->list_count > ATTRIBUTE_ITEMS_MAX)
		return AZ_LIMIT;
	wire_put_u32(&wire, (uint32_t)input->pool_count);
	wire_put_u32(&wire, (uint32_t)input->list_count);
	return wire.status;
}

static enum az_status
put_part(struct packet_writer *writer, struct buffer *body)
{
	const struct table *table = &tables[writer->table];
	size_t left = count_of(writer->input, writer->table) - writer->at;
	uint32_t count = left < PART_ITEMS ? (uint32_t)left : PART_ITEMS;
	const uint8_t *items = items_of(writer->input, writer->table);
	struct wire_writer wire;
	struct walk walk = {.writer = &wire};

	wire_writer_init(&wire, body);
	wire_put_u8(&wire, (uint8_t)writer->table);
	wire_put_u32(&wire, count);
	for (uint32_t i = 0; i < count; i++) {
		/* A walk that writes only reads from the item. */
		const uint8_t *item = items + (writer->at + i) * table->size;

		table->walk(&walk, (void *)(uintptr_t)item);
	}
	writer->at += count;
	/* A number that the other side would refuse. */
	return walk.bad ? AZ_INVALID : wire.status;
}

enum az_status
packet_next(struct packet_writer *writer, enum attribute_message *ret_type, struct buffer *body)
{
	buffer_clear(body);
	if (!writer->begun) {
		writer->begun = true;
		*ret_type = ATTRIBUTE_BEGIN;
		return put_begin(writer->input, body);
	}
	while (
	    writer->table < PACKET_TABLES && writer->at == count_of(writer->input, writer->table)) {
		writer->table++;
		writer->at = 0;
	}
	if (writer->table < PACKET_TABLES) {
		*ret_type = ATTRIBUTE_PART;
		return put_part(writer, body);
	}
	if (writer->ended)
		return AZ_NOT_FOUND;
	writer->ended = true;
	*ret_type = ATTRIBUTE_RUN;
	return AZ_OK;
}

/* --- receiving ---------------------------------------------------------------------------------- */

struct packet_reader {
	bool begun, complete;
	uint32_t wanted[PACKET_TABLES];
	uint32_t have[PACKET_TABLES];
	size_t room[PACKET_TABLES];
	uint8_t *items[PACKET_TABLES];
	struct model_input input;
};

enum az_status
packet_reader_new(struct packet_reader **ret_reader, struct az_err *reterr)
{
	struct packet_reader *reader = calloc(1, sizeof(*reader));

	if (reader == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "attribute: out of memory");
	*ret_reader = reader;
	return AZ_OK;
}

void
packet_reader_free(struct packet_reader **reader)
{
	if (*reader == NULL)
		return;
	for (unsigned int table = 0; table < PACKET_TABLES; table++)
		free((*reader)->items[table]);
	free(*reader);
	*reader = NULL;
}

static enum az_status
take_begin(struct packet_reader *reader, struct bytes body, struct az_err *reterr)
{
	struct wire_reader wire;

	wire_reader_init(&wire, body);
	if (wire_get_u16(&wire) != ATTRIBUTE_VERSION)
		return az_fail(reterr, AZ_INVALID, "attribute: another version");
	reader->input.seed = wire_get_u64(&wire);
	for (unsigned int table = 0; table < PACKET_TABLES; table++) {
		reader->wanted[table] = wire_get_u32(&wire);
		wire.failed |= reader->wanted[table] > ATTRIBUTE_ITEMS_MAX;
	}
	reader->input.pool_count = wire_get_u32(&wire);
	reader->input.list_count = wire_get_u32(&wire);
	/* What is as long as these is made before the first row is looked at. */
	if (!wire_end(&wire) || reader->input.pool_count > ATTRIBUTE_ITEMS_MAX ||
	    reader->input.list_count > ATTRIBUTE_ITEMS_MAX)
		return az_fail(reterr, AZ_INVALID, "attribute: a malformed beginning");
	reader->begun = true;
	return AZ_OK;
}

/* Room for count more items of a table; twice as much each time. */
static bool
make_room(struct packet_reader *reader, unsigned int table, uint32_t count)
{
	size_t needed = (size_t)reader->have[table] + count;
	size_t room = reader->room[table] == 0 ? ROOM_FIRST : reader->room[table];
	uint8_t *items;

	if (needed <= reader->room[table])
		return true;
	while (room < needed)
		room *= 2;
	items = reallocarray(reader->items[table], room, tables[table].size);
	if (items == NULL)
		return false;
	reader->items[table] = items;
	reader->room[table] = room;
	return true;
}

static enum az_status
take_part(struct packet_reader *reader, struct bytes body, struct az_err *reterr)
{
	struct wire_reader wire;
	struct walk walk = {.reader = &wire};
	unsigned int number;
	uint32_t count;

	wire_reader_init(&wire, body);
	number = wire_get_u8(&wire);
	if (number >= PACKET_TABLES)
		return az_fail(reterr, AZ_INVALID, "attribute: a table that is none");
	count = wire_get_count(&wire, ATTRIBUTE_ITEMS_MAX, tables[number].wire);
	if (wire.failed || count == 0 || count > reader->wanted[number] - reader->have[number])
		return az_fail(reterr, AZ_INVALID, "attribute: a table of another length");
	for (unsigned int before = 0; before < number; before++) {
		if (reader->have[before] != reader->wanted[before])
			return az_fail(reterr, AZ_INVALID, "attribute: a table out of turn");
	}
	if (!make_room(reader, number, count))
		return az_fail(reterr, AZ_NO_MEMORY, "attribute: out of memory");
	for (uint32_t i = 0; i < count; i++) {
		uint8_t *item =
		    reader->items[number] + (size_t)reader->have[number]++ * tables[number].size;

		memset(item, 0, tables[number].size);
		tables[number].walk(&walk, item);
	}
	if (walk.bad || !wire_end(&wire))
		return az_fail(reterr, AZ_INVALID, "attribute: a malformed table");
	return AZ_OK;
}

static enum az_status
take_run(struct packet_reader *reader, struct bytes body, struct az_err *reterr)
{
	struct model_input *input = &reader->input;

	for (unsigned int table = 0; table < PACKET_TABLES; table++) {
		if (reader->have[table] != reader->wanted[table] || !make_room(reader, table, 1))
			return az_fail(reterr, AZ_INVALID, "attribute: a table is not full");
	}
	if (body.size != 0)
		return az_fail(reterr, AZ_INVALID, "attribute: a malformed end");
	input->rows = (void *)reader->items[0];
	input->candidates = (void *)reader->items[1];
	input->spans = (void *)reader->items[2];
	input->holdings = (void *)reader->items[3];
	input->accesses = (void *)reader->items[4];
	input->shapes = (void *)reader->items[5];
	input->carriers = (void *)reader->items[6];
	input->windows = (void *)reader->items[7];
	input->copies = (void *)reader->items[8];
	input->persons = (void *)reader->items[9];
	input->clients = (void *)reader->items[10];
	input->row_count = reader->have[0];
	input->candidate_count = reader->have[1];
	input->span_count = reader->have[2];
	input->holding_count = reader->have[3];
	input->access_count = reader->have[4];
	input->shape_count = reader->have[5];
	input->carrier_count = reader->have[6];
	input->window_count = reader->have[7];
	input->copy_count = reader->have[8];
	input->person_count = reader->have[9];
	input->client_count = reader->have[10];
	reader->complete = true;
	return AZ_OK;
}

enum az_status
packet_take(struct packet_reader *reader, uint16_t type, struct bytes body, struct az_err *reterr)
{
	if (reader->complete || reader->begun == (type == ATTRIBUTE_BEGIN))
		return az_fail(reterr, AZ_INVALID, "attribute: a message out of turn");
	switch (type) {
	case ATTRIBUTE_BEGIN: return take_begin(reader, body, reterr);
	case ATTRIBUTE_PART: return take_part(reader, body, reterr);
	case ATTRIBUTE_RUN: return take_run(reader, body, reterr);
	default: return az_fail(reterr, AZ_INVALID, "attribute: a message of no known type");
	}
}

const struct model_input *
packet_input(const struct packet_reader *reader)
{
	return reader->complete ? &reader->input : NULL;
}

/* --- the result --------------------------------------------------------------------------------- */

/* While writing there is no input: what we made ourselves names what there is. */
static void
walk_index(struct walk *walk, uint32_t *index, size_t count)
{
	walk_u32(walk, index);
	walk->bad |= walk->reader != NULL && *index != MODEL_NONE && *index >= count;
}

static void
walk_size(struct walk *walk, size_t *size, size_t max)
{
	uint32_t value = (uint32_t)*size;

	walk_u32(walk, &value);
	walk->bad |= value > max;
	*size = walk->bad ? 0 : value;
}

static void
walk_who(struct walk *walk, const struct model_input *input, struct model_who *who)
{
	uint8_t owner = (uint8_t)who->owner;

	walk_small(walk, &owner, MODEL_ELSEWHERE);
	walk_u32(walk, &who->index);
	who->owner = (enum model_owner)owner;
	if (walk->reader == NULL)
		return;
	walk->bad |= owner == 0 || (owner == MODEL_PERSON && who->index >= input->person_count) ||
	    (owner == MODEL_CLIENT && who->index >= input->client_count) ||
	    (owner == MODEL_POOL && who->index >= input->pool_count);
}

static void
walk_suspect(struct walk *walk, const struct model_input *input, struct model_suspect *suspect)
{
	walk_who(walk, input, &suspect->who);
	walk_index(walk, &suspect->carrier, input != NULL ? input->carrier_count : 0);
	walk_index(walk, &suspect->window, input != NULL ? input->window_count : 0);
	walk_index(walk, &suspect->copy, input != NULL ? input->copy_count : 0);
	walk_u32(walk, &suspect->exports);
	/* A sum of parts may be a rounding above 1. */
	walk_double(walk, &suspect->posterior, 1.000001);
	walk_double(walk, &suspect->posterior_flat, 1.000001);
	walk_size(walk, &suspect->leak, MODEL_SUSPECTS_MAX);
	walk_u64(walk, &suspect->rows_explained);
	walk_u64(walk, &suspect->rows_missing);
	walk_u64(walk, &suspect->rows_stale);
	walk_u64(walk, &suspect->rows_fields);
	walk_flag(walk, &suspect->imported);
	walk_size(walk, &suspect->tie_count, MODEL_TIES_MAX);
	for (size_t i = 0; i < suspect->tie_count; i++)
		walk_who(walk, input, &suspect->ties[i]);
}

static void
walk_result(struct walk *walk, const struct model_input *input, struct model_result *result)
{
	uint8_t verdict = (uint8_t)result->verdict;

	walk_small(walk, &verdict, MODEL_FROM_ELSEWHERE);
	result->verdict = (enum model_verdict)verdict;
	walk_size(walk, &result->leaks, MODEL_SUSPECTS_MAX);
	walk_size(walk, &result->suspect_count, MODEL_SUSPECTS_MAX);
	for (size_t i = 0; i < result->suspect_count; i++)
		walk_suspect(walk, input, &result->suspects[i]);
	walk_double(walk, &result->elsewhere, 1.000001);
	walk_u64(walk, &result->rows_looked_at);
	walk_u64(walk, &result->rows_unexplained);
	walk_i64(walk, &result->from_us);
	walk_i64(walk, &result->to_us);
	walk_size(walk, &result->cluster_count, MODEL_CLUSTERS_MAX);
	for (size_t i = 0; i < result->cluster_count; i++) {
		walk_i64(walk, &result->clusters[i].from_us);
		walk_i64(walk, &result->clusters[i].to_us);
		walk_u64(walk, &result->clusters[i].rows);
	}
}

enum az_status
packet_put_result(const struct model_result *result, struct buffer *body)
{
	struct model_result copy = *result;
	struct wire_writer wire;
	struct walk walk = {.writer = &wire};

	wire_writer_init(&wire, body);
	wire_put_u16(&wire, ATTRIBUTE_VERSION);
	walk_result(&walk, NULL, &copy);
	return walk.bad ? AZ_INTERNAL : wire.status;
}

enum az_status
packet_get_result(struct bytes body, const struct model_input *input,
    struct model_result *ret_result, struct az_err *reterr)
{
	struct wire_reader wire;
	struct walk walk = {.reader = &wire};

	wire_reader_init(&wire, body);
	memset(ret_result, 0, sizeof(*ret_result));
	walk.bad = wire_get_u16(&wire) != ATTRIBUTE_VERSION;
	if (!walk.bad)
		walk_result(&walk, input, ret_result);
	if (!walk.bad && wire_end(&wire))
		return AZ_OK;
	memset(ret_result, 0, sizeof(*ret_result));
	return az_fail(reterr, AZ_INVALID, "attribute: a malformed result");
}
