/*
 * From who was shown what to who is named: the carriers and windows that are made of it, on the way to the process and
 * back, and the model's verdict on them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "custody/access_set.h"
#include "proto/proto.h"
#include "trace/compare.h"
#include "trace/packet.h"

#define STAFF  5u
#define LEAK   10u
#define DAY    AZ_US_PER_DAY
#define FIELDS (FIELD_BIT(FIELD_NAME) | FIELD_BIT(FIELD_PHONE))

/* A list of ten rows out of a client of two thousand people. */
struct world {
	struct access_set *set;
	struct model_row rows[LEAK];
	struct model_candidate candidates[LEAK];
	struct model_span spans[LEAK];
	struct model_copy copies[2];
	struct model_person persons[STAFF];
	struct model_client clients[1];
	struct model_input input;
};

static void
world_new(struct world *world, bool found)
{
	memset(world, 0, sizeof(*world));
	assert_int_equal(access_set_new(&world->set, NULL), AZ_OK);
	for (uint32_t i = 0; i < LEAK; i++) {
		world->rows[i] = (struct model_row){.first_candidate = found ? i : 0,
		    .candidate_count = found ? 1 : 0,
		    .fields = FIELDS,
		    .canary = MODEL_NONE};
		world->candidates[i] = (struct model_candidate){.record = 100 + i,
		    .weight = 1.0,
		    .notation = NOTATION_OURS,
		    .first_span = i,
		    .span_count = 1};
		world->spans[i] =
		    (struct model_span){.version = 1, .from_us = 5 * DAY, .to_us = 400 * DAY};
		assert_int_equal(access_set_want(world->set, 100 + i), AZ_OK);
	}
	assert_int_equal(access_set_wanted(world->set, NULL), AZ_OK);
	world->copies[0] = (struct model_copy){.client = 0, .time_us = 5 * DAY, .size = 2000};
	world->copies[1] =
	    (struct model_copy){.client = MODEL_NONE, .time_us = 5 * DAY, .size = 2000};
	world->clients[0].people = 2000;
	world->input = (struct model_input){.rows = world->rows,
	    .candidates = world->candidates,
	    .spans = world->spans,
	    .copies = world->copies,
	    .persons = world->persons,
	    .clients = world->clients,
	    .row_count = LEAK,
	    .candidate_count = found ? LEAK : 0,
	    .span_count = LEAK,
	    .copy_count = 2,
	    .person_count = STAFF,
	    .client_count = 1,
	    .pool_count = 1};
}

static void
show(struct world *world, uint32_t person, uint32_t session, int64_t day, uint32_t record)
{
	struct access access = {.person = person,
	    .number = session,
	    .kind = MODEL_SESSION,
	    .time_us = day * DAY,
	    .record = record,
	    .version = 1,
	    .fields = FIELDS};

	assert_int_equal(access_set_add(world->set, &access, NULL), AZ_OK);
}

/* A year of calls: everybody sees two hundred people of their own, in sessions of ten. */
static void
show_calls(struct world *world)
{
	for (uint32_t person = 0; person < STAFF; person++) {
		for (uint32_t i = 0; i < 200; i++)
			show(world, person, 1000 * person + i / 10, 10 + i, 200 + 300 * person + i);
	}
}

/* Through the frames, as the keeper and the process do it. */
static struct model_result
verdict_of(struct world *world)
{
	static struct model_result result;
	struct packet_reader *reader = NULL;
	struct packet_writer writer;
	struct buffer body;
	enum attribute_message type;
	enum az_status status;

	assert_int_equal(access_set_close(world->set, NULL), AZ_OK);
	access_set_fill(world->set, &world->input);
	buffer_init(&body, ATTRIBUTE_BODY_MAX, false);
	assert_int_equal(packet_reader_new(&reader, NULL), AZ_OK);
	packet_writer_init(&writer, &world->input);
	while ((status = packet_next(&writer, &type, &body)) == AZ_OK)
		assert_int_equal(
		    packet_take(reader, (uint16_t)type, buffer_peek(&body), NULL), AZ_OK);
	assert_int_equal(status, AZ_NOT_FOUND);
	assert_non_null(packet_input(reader));
	memset(&result, 0, sizeof(result));
	assert_int_equal(model_run(packet_input(reader), &result, NULL), AZ_OK);
	buffer_clear(&body);
	assert_int_equal(packet_put_result(&result, &body), AZ_OK);
	memset(&result, 0, sizeof(result));
	assert_int_equal(
	    packet_get_result(buffer_peek(&body), &world->input, &result, NULL), AZ_OK);
	buffer_fini(&body);
	packet_reader_free(&reader);
	return result;
}

/* How much is in the first window of that kind; 0 if there is none. */
static uint32_t
window_size(const struct world *world, enum model_owner owner, uint32_t index, bool whole)
{
	for (size_t i = 0; i < world->input.window_count; i++) {
		const struct model_window *window = &world->input.windows[i];

		if (window->owner == owner && window->index == index && window->whole == whole)
			return window->size;
	}
	return 0;
}

static void
one_agent_of_several_is_named_by_ten_disclosures(void **state)
{
	struct model_result result;
	struct world world;

	(void)state;
	world_new(&world, true);
	show_calls(&world);
	for (uint32_t i = 0; i < LEAK; i++)
		show(&world, 3, 3900, 60, 100 + i);
	/* Others had a few of them as well. */
	show(&world, 1, 1001, 20, 100);
	show(&world, 2, 2001, 20, 104);
	result = verdict_of(&world);
	assert_int_equal(result.verdict, MODEL_ATTRIBUTED);
	assert_int_equal(result.suspects[0].who.owner, MODEL_PERSON);
	assert_int_equal(result.suspects[0].who.index, 3);
	assert_int_equal(result.suspects[0].rows_explained, LEAK);
	assert_true(result.suspects[0].carrier != MODEL_NONE);
	assert_int_equal(access_set_carrier(world.set, result.suspects[0].carrier).number, 3900);
	access_set_free(&world.set);
}

static void
two_agents_who_had_the_same_tie_and_nobody_is_named(void **state)
{
	struct model_result result;
	struct world world;

	(void)state;
	world_new(&world, true);
	show_calls(&world);
	for (uint32_t i = 0; i < LEAK; i++) {
		show(&world, 3, 3900, 60, 100 + i);
		show(&world, 4, 4900, 61, 100 + i);
	}
	result = verdict_of(&world);
	assert_int_equal(result.verdict, MODEL_TIED);
	assert_true(result.suspects[0].posterior < 0.9);
	assert_int_equal(result.suspects[0].tie_count, 1);
	access_set_free(&world.set);
}

static void
a_foreign_list_is_from_elsewhere(void **state)
{
	struct model_result result;
	struct world world;

	(void)state;
	world_new(&world, false);
	show_calls(&world);
	result = verdict_of(&world);
	assert_int_equal(result.verdict, MODEL_FROM_ELSEWHERE);
	assert_int_equal(result.suspect_count, 0);
	access_set_free(&world.set);
}

static void
what_was_shown_twice_counts_once(void **state)
{
	struct world world;

	(void)state;
	world_new(&world, true);
	for (int64_t day = 10; day < 14; day++)
		show(&world, 0, 7, day, 100);
	show(&world, 0, 8, 14, 100);
	show(&world, 0, 8, 500, 101);
	(void)verdict_of(&world);
	assert_int_equal(world.input.carrier_count, 2);
	assert_int_equal(world.input.carriers[0].size, 1);
	assert_int_equal(world.input.carriers[1].size, 2);
	assert_int_equal(world.input.access_count, 6);
	assert_int_equal(window_size(&world, MODEL_PERSON, 0, true), 2);
	/* A session is of the day on which it began. */
	assert_int_equal(window_size(&world, MODEL_PERSON, 0, false), 2);
	assert_int_equal(window_size(&world, MODEL_STORE, 0, true), 2);
	access_set_free(&world.set);
}

static void
exports_are_no_part_of_what_was_shown_to_all(void **state)
{
	struct access export = {.person = 2,
	    .pool = MODEL_NONE,
	    .origin = 1,
	    .number = 5,
	    .kind = MODEL_EXPORT,
	    .time_us = 30 * DAY,
	    .record = 100,
	    .fields = FIELDS};
	struct world world;

	(void)state;
	world_new(&world, true);
	show(&world, 0, 7, 10, 300);
	assert_int_equal(access_set_add(world.set, &export, NULL), AZ_OK);
	assert_int_equal(access_set_add_list(world.set, &export, 0, 2000, NULL), AZ_OK);
	world.input.list_count = 1;
	(void)verdict_of(&world);
	assert_int_equal(window_size(&world, MODEL_STORE, 0, true), 1);
	assert_int_equal(window_size(&world, MODEL_PERSON, 2, true), 2001);
	assert_true(world.input.carriers[1].imported && world.input.carriers[2].imported);
	assert_int_equal(world.input.carriers[2].size, 2000);
	access_set_free(&world.set);
}

static void
a_pool_of_one_is_no_other_explanation(void **state)
{
	struct access access = {.person = 1,
	    .pool = 0,
	    .number = 9,
	    .kind = MODEL_SESSION,
	    .time_us = 30 * DAY,
	    .record = 100,
	    .version = 1,
	    .fields = FIELDS};
	struct world world;

	(void)state;
	world_new(&world, true);
	assert_int_equal(access_set_add(world.set, &access, NULL), AZ_OK);
	(void)verdict_of(&world);
	assert_int_equal(window_size(&world, MODEL_POOL, 0, true), 0);
	access_set_free(&world.set);

	world_new(&world, true);
	assert_int_equal(access_set_add(world.set, &access, NULL), AZ_OK);
	access.person = 2;
	access.record = 101;
	assert_int_equal(access_set_add(world.set, &access, NULL), AZ_OK);
	(void)verdict_of(&world);
	assert_int_equal(window_size(&world, MODEL_POOL, 0, true), 2);
	access_set_free(&world.set);
}

static void
a_name_is_its_parts(void **state)
{
	(void)state;
	assert_true((access_fields(FIELD_BIT(FIELD_NAME)) & FIELD_BIT(FIELD_GIVEN)) != 0);
	assert_true((access_fields(FIELD_BIT(FIELD_SURNAME) | FIELD_BIT(FIELD_GIVEN)) &
			FIELD_BIT(FIELD_NAME)) != 0);
	assert_true((access_fields(FIELD_BIT(FIELD_SURNAME)) & FIELD_BIT(FIELD_NAME)) == 0);
	assert_true((access_fields(FIELD_BIT(FIELD_MOBILE)) & FIELD_BIT(FIELD_PHONE)) != 0);
	assert_true((access_fields(FIELD_BIT(FIELD_EMAIL)) & FIELD_BIT(FIELD_PHONE)) == 0);
}

/* Whatever is not a question of ours is refused. */
static void
a_malformed_question_is_refused(void **state)
{
	struct packet_reader *reader = NULL;
	struct packet_writer writer;
	struct world world;
	struct buffer body;
	enum attribute_message type;

	(void)state;
	world_new(&world, true);
	buffer_init(&body, ATTRIBUTE_BODY_MAX, false);
	packet_writer_init(&writer, &world.input);
	assert_int_equal(packet_next(&writer, &type, &body), AZ_OK);
	assert_int_equal(type, ATTRIBUTE_BEGIN);

	/* Out of turn. */
	assert_int_equal(packet_reader_new(&reader, NULL), AZ_OK);
	assert_int_equal(packet_take(reader, ATTRIBUTE_RUN, bytes_make(NULL, 0), NULL), AZ_INVALID);
	assert_null(packet_input(reader));
	packet_reader_free(&reader);

	/* Another version. */
	body.data[0] ^= 1;
	assert_int_equal(packet_reader_new(&reader, NULL), AZ_OK);
	assert_int_equal(
	    packet_take(reader, ATTRIBUTE_BEGIN, buffer_peek(&body), NULL), AZ_INVALID);
	packet_reader_free(&reader);
	body.data[0] ^= 1;

	/* A table before its turn, and a run before the tables are full. */
	assert_int_equal(packet_reader_new(&reader, NULL), AZ_OK);
	assert_int_equal(packet_take(reader, ATTRIBUTE_BEGIN, buffer_peek(&body), NULL), AZ_OK);
	assert_int_equal(
	    packet_take(reader, ATTRIBUTE_BEGIN, buffer_peek(&body), NULL), AZ_INVALID);
	assert_int_equal(packet_next(&writer, &type, &body), AZ_OK);
	body.data[0] = 1;
	assert_int_equal(packet_take(reader, ATTRIBUTE_PART, buffer_peek(&body), NULL), AZ_INVALID);
	body.data[0] = 0;
	assert_int_equal(packet_take(reader, ATTRIBUTE_PART, buffer_peek(&body), NULL), AZ_OK);
	/* The same part again is more than was announced. */
	assert_int_equal(packet_take(reader, ATTRIBUTE_PART, buffer_peek(&body), NULL), AZ_INVALID);
	assert_int_equal(packet_take(reader, ATTRIBUTE_RUN, bytes_make(NULL, 0), NULL), AZ_INVALID);
	packet_reader_free(&reader);
	buffer_fini(&body);
	access_set_free(&world.set);
}

/* Nor does the keeper take a result that names who was not asked about. */
static void
a_result_about_others_is_refused(void **state)
{
	static struct model_result result, read;
	struct model_input input = {.person_count = STAFF, .carrier_count = 2};
	struct buffer body;

	(void)state;
	result = (struct model_result){.verdict = MODEL_ATTRIBUTED, .suspect_count = 1};
	result.suspects[0] =
	    (struct model_suspect){.who = {.owner = MODEL_PERSON, .index = STAFF - 1},
		.carrier = 1,
		.window = MODEL_NONE,
		.copy = MODEL_NONE,
		.posterior = 0.95};
	buffer_init(&body, ATTRIBUTE_BODY_MAX, false);
	assert_int_equal(packet_put_result(&result, &body), AZ_OK);
	assert_int_equal(packet_get_result(buffer_peek(&body), &input, &read, NULL), AZ_OK);
	input.person_count = STAFF - 1;
	assert_int_equal(packet_get_result(buffer_peek(&body), &input, &read, NULL), AZ_INVALID);
	assert_int_equal(read.suspect_count, 0);
	input.person_count = STAFF;
	input.carrier_count = 1;
	assert_int_equal(packet_get_result(buffer_peek(&body), &input, &read, NULL), AZ_INVALID);
	input.carrier_count = 2;
	assert_int_equal(
	    packet_get_result(bytes_make(body.data, body.size - 1), &input, &read, NULL),
	    AZ_INVALID);
	result.suspects[0].posterior = 1.5;
	buffer_clear(&body);
	assert_int_not_equal(packet_put_result(&result, &body), AZ_OK);
	buffer_fini(&body);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(one_agent_of_several_is_named_by_ten_disclosures),
	    cmocka_unit_test(two_agents_who_had_the_same_tie_and_nobody_is_named),
	    cmocka_unit_test(a_foreign_list_is_from_elsewhere),
	    cmocka_unit_test(what_was_shown_twice_counts_once),
	    cmocka_unit_test(exports_are_no_part_of_what_was_shown_to_all),
	    cmocka_unit_test(a_pool_of_one_is_no_other_explanation),
	    cmocka_unit_test(a_name_is_its_parts),
	    cmocka_unit_test(a_malformed_question_is_refused),
	    cmocka_unit_test(a_result_about_others_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
