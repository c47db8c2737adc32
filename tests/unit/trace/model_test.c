/* The model on worlds small enough to know the answer: who is named, who is not, and what is refused. */
#include "cm.h"

#include "trace/compare.h"
#include "trace/model.h"

#define DAY   INT64_C(86400000000)
#define ROWS  20
#define STAFF 4

/* Twenty rows of one client of a thousand people, and four people of the staff. */
struct little {
	struct model_row rows[ROWS];
	struct model_candidate candidates[ROWS];
	struct model_span spans[ROWS];
	struct model_access accesses[STAFF * ROWS];
	struct model_carrier carriers[STAFF];
	struct model_window windows[STAFF];
	struct model_copy copies[2];
	struct model_person persons[STAFF];
	struct model_client clients[1];
	uint64_t shapes[1];
	uint32_t holdings[1];
	struct model_input input;
};

static struct little *
new_little(void)
{
	struct little *little = calloc(1, sizeof(*little));

	assert_non_null(little);
	for (uint32_t i = 0; i < ROWS; i++) {
		little->rows[i] = (struct model_row){
		    .first_candidate = i, .candidate_count = 1, .fields = 3, .canary = MODEL_NONE};
		little->candidates[i] = (struct model_candidate){.record = i + 1,
		    .weight = 1.0,
		    .notation = NOTATION_OURS,
		    .first_span = i,
		    .span_count = 1};
		little->spans[i] = (struct model_span){
		    .version = 1, .from_us = 10 * DAY, .to_us = (i == 5 ? 40 : 90) * DAY};
	}
	for (uint32_t s = 0; s < STAFF; s++) {
		little->carriers[s] = (struct model_carrier){.kind = MODEL_SESSION,
		    .person = s,
		    .pool = MODEL_NONE,
		    .time_us = (20 + 3 * s) * DAY,
		    .size = 60,
		    .list = MODEL_NONE};
		little->windows[s] = (struct model_window){.owner = MODEL_PERSON,
		    .index = s,
		    .pool = MODEL_NONE,
		    .from_us = INT64_MIN,
		    .to_us = MODEL_NEVER,
		    .size = 200,
		    .whole = true};
	}
	little->copies[0] = (struct model_copy){.client = 0, .time_us = 15 * DAY, .size = 1000};
	little->copies[1] =
	    (struct model_copy){.client = MODEL_NONE, .time_us = 15 * DAY, .size = 1000};
	little->clients[0].people = 1000;
	little->shapes[0] = 3;
	little->input = (struct model_input){.rows = little->rows,
	    .candidates = little->candidates,
	    .spans = little->spans,
	    .holdings = little->holdings,
	    .accesses = little->accesses,
	    .shapes = little->shapes,
	    .carriers = little->carriers,
	    .windows = little->windows,
	    .copies = little->copies,
	    .persons = little->persons,
	    .clients = little->clients,
	    .row_count = ROWS,
	    .candidate_count = ROWS,
	    .span_count = ROWS,
	    .shape_count = 1,
	    .carrier_count = STAFF,
	    .window_count = STAFF,
	    .copy_count = 2,
	    .person_count = STAFF,
	    .client_count = 1,
	    .pool_count = 1,
	    .list_count = 1};
	return little;
}

static int
by_record(const void *a, const void *b)
{
	const struct model_access *one = a;
	const struct model_access *other = b;

	return one->record < other->record ? -1 : one->record > other->record;
}

/* Shows staff the records from first on, in a version. */
static void
show(struct little *little, uint32_t staff, uint32_t first, uint32_t count, uint32_t version)
{
	for (uint32_t i = 0; i < count; i++)
		little->accesses[little->input.access_count++] = (struct model_access){
		    .record = first + i, .version = version, .carrier = staff};
	qsort(little->accesses, little->input.access_count, sizeof(little->accesses[0]), by_record);
}

static struct model_result
result_of(const struct little *little)
{
	static struct model_result result;

	memset(&result, 0, sizeof(result));
	assert_int_equal(model_run(&little->input, &result, NULL), AZ_OK);
	return result;
}

static enum az_status
status_of(const struct little *little)
{
	static struct model_result result;

	return model_run(&little->input, &result, NULL);
}

static void
who_had_every_row_is_named(void **state)
{
	struct little *little = new_little();
	struct model_result result;

	(void)state;
	show(little, 2, 1, ROWS, 1);
	show(little, 0, 1, 4, 1);
	result = result_of(little);
	assert_int_equal(result.verdict, MODEL_ATTRIBUTED);
	assert_int_equal(result.suspects[0].who.owner, MODEL_PERSON);
	assert_int_equal(result.suspects[0].who.index, 2);
	assert_true(result.suspects[0].posterior > 0.95);
	assert_int_equal(result.suspects[0].rows_explained, ROWS);
	assert_int_equal(result.rows_unexplained, 0);
	/* At the day of the session, not somewhere between two deliveries. */
	assert_true(result.from_us == 26 * DAY && result.to_us == 26 * DAY);
	free(little);
}

static void
two_who_had_the_same_are_a_tie_and_nobody_is_named(void **state)
{
	struct little *little = new_little();
	struct model_result result;

	(void)state;
	show(little, 1, 1, ROWS, 1);
	show(little, 3, 1, ROWS, 1);
	/* Whatever was believed of one of them before. */
	little->persons[1].prior = 1000.0;
	result = result_of(little);
	assert_int_equal(result.verdict, MODEL_TIED);
	assert_true(result.suspects[0].posterior < 0.6);
	assert_int_equal(result.suspects[0].tie_count, 1);
	free(little);
}

static void
who_sat_beside_somebody_is_tied_with_them(void **state)
{
	struct little *little = new_little();
	struct model_result result;

	(void)state;
	show(little, 1, 1, ROWS, 1);
	show(little, 3, 1, ROWS, 1);
	/* The other's history is much larger, and their session was at the same time. */
	little->carriers[3].time_us = little->carriers[1].time_us + DAY / 24;
	little->carriers[3].size = 5000;
	little->windows[3].size = 50000;
	result = result_of(little);
	assert_int_equal(result.verdict, MODEL_TIED);
	little->carriers[3].time_us = little->carriers[1].time_us + 30 * DAY;
	result = result_of(little);
	assert_int_equal(result.verdict, MODEL_ATTRIBUTED);
	free(little);
}

static void
who_sees_everybody_is_cleared_by_who_saw_just_these(void **state)
{
	struct little *little = new_little();
	struct model_result result;

	(void)state;
	show(little, 0, 1, ROWS, 1);
	show(little, 1, 1, ROWS, 1);
	little->carriers[0].size = 900;
	little->windows[0].size = 40000;
	result = result_of(little);
	assert_int_equal(result.verdict, MODEL_ATTRIBUTED);
	assert_int_equal(result.suspects[0].who.index, 1);
	free(little);
}

static void
a_list_that_nobody_was_shown_is_the_clients(void **state)
{
	struct little *little = new_little();
	struct model_result result;

	(void)state;
	show(little, 0, 1, 3, 1);
	little->input.copy_count = 1;
	result = result_of(little);
	assert_int_equal(result.verdict, MODEL_BY_CLIENT);
	assert_int_equal(result.suspects[0].who.owner, MODEL_CLIENT);
	free(little);
}

static void
an_export_of_the_whole_delivery_is_not_told_from_the_client(void **state)
{
	struct little *little = new_little();
	struct model_result result;

	(void)state;
	little->input.copy_count = 1;
	little->input.holding_count = 1;
	for (uint32_t i = 0; i < ROWS; i++)
		little->spans[i].holding_count = 1;
	little->carriers[2].kind = MODEL_EXPORT;
	little->carriers[2].list = 0;
	little->carriers[2].size = 1000;
	little->windows[2].size = 1000;
	result = result_of(little);
	assert_int_equal(result.verdict, MODEL_TIED);
	assert_int_equal(result.suspects[0].tie_count, 1);
	free(little);
}

static void
another_version_and_fields_never_shown_speak_against(void **state)
{
	struct little *little = new_little();
	struct model_result result;

	(void)state;
	show(little, 0, 1, ROWS, 2);
	show(little, 1, 1, ROWS, 1);
	result = result_of(little);
	assert_int_equal(result.suspects[0].who.index, 1);
	assert_true(result.suspects[0].posterior > 0.95);
	free(little);
	little = new_little();
	show(little, 1, 1, ROWS, 1);
	for (uint32_t i = 0; i < ROWS; i++)
		little->rows[i].fields = 7;
	result = result_of(little);
	assert_true(result.verdict != MODEL_ATTRIBUTED);
	free(little);
}

static void
spelling_of_elsewhere_and_conflicts_clear_everybody(void **state)
{
	struct little *little = new_little();
	struct model_result result;

	(void)state;
	/* Most rows were not found at all, and the others are not as we have them. */
	for (uint32_t i = 0; i < ROWS; i++) {
		little->candidates[i].notation = NOTATION_OTHER;
		little->candidates[i].conflicts = 1;
		if (i % 4 != 0)
			little->rows[i].candidate_count = 0;
	}
	show(little, 1, 2, 1, 1);
	result = result_of(little);
	assert_true(result.elsewhere > 0.5);
	assert_true(result.verdict != MODEL_ATTRIBUTED && result.verdict != MODEL_BY_CLIENT);
	free(little);
}

static void
two_leakers_are_both_found(void **state)
{
	struct little *little = new_little();
	struct model_result result;
	bool found[STAFF] = {false};

	(void)state;
	show(little, 0, 1, ROWS / 2, 1);
	show(little, 3, ROWS / 2 + 1, ROWS / 2, 1);
	result = result_of(little);
	assert_int_equal(result.leaks, 2);
	assert_int_equal(result.verdict, MODEL_ATTRIBUTED);
	for (size_t i = 0; i < result.suspect_count; i++) {
		if (result.suspects[i].posterior > 0.9)
			found[result.suspects[i].who.index] = true;
	}
	assert_true(found[0] && found[3] && !found[1] && !found[2]);
	free(little);
}

static void
one_row_names_nobody(void **state)
{
	struct little *little = new_little();
	struct model_result result;

	(void)state;
	show(little, 0, 1, 1, 1);
	show(little, 1, 1, 1, 1);
	little->input.row_count = 1;
	result = result_of(little);
	assert_true(result.verdict != MODEL_ATTRIBUTED);
	free(little);
}

static void
nothing_found_is_from_elsewhere(void **state)
{
	struct little *little = new_little();
	struct model_result result;

	(void)state;
	for (uint32_t i = 0; i < ROWS; i++)
		little->rows[i].candidate_count = 0;
	result = result_of(little);
	assert_int_equal(result.verdict, MODEL_FROM_ELSEWHERE);
	assert_int_equal(result.suspect_count, 0);
	assert_true(result.from_us > result.to_us);
	little->input.row_count = 0;
	assert_int_equal(result_of(little).verdict, MODEL_FROM_ELSEWHERE);
	free(little);
}

static void
an_invented_person_names_the_carrier(void **state)
{
	struct little *little = new_little();
	struct model_result result;

	(void)state;
	show(little, 1, 1, ROWS - 1, 1);
	show(little, 3, 1, ROWS - 1, 1);
	assert_int_equal(result_of(little).verdict, MODEL_TIED);
	little->rows[ROWS - 1] = (struct model_row){.canary = 3};
	little->carriers[3].canaries = 2;
	result = result_of(little);
	assert_int_equal(result.verdict, MODEL_ATTRIBUTED);
	assert_int_equal(result.suspects[0].who.index, 3);
	free(little);
}

static void
dates_are_where_all_rows_were_current(void **state)
{
	struct little *little = new_little();
	struct model_result result;

	(void)state;
	for (uint32_t i = 0; i < ROWS; i++) {
		little->spans[i].from_us = (i % 10) * DAY;
		little->spans[i].to_us = (30 + i) * DAY;
	}
	memset(&result, 0, sizeof(result));
	assert_int_equal(model_date(&little->input, &result, NULL), AZ_OK);
	assert_int_equal(result.cluster_count, 1);
	assert_true(result.from_us <= 9 * DAY && result.from_us >= 6 * DAY);
	assert_true(result.to_us >= 30 * DAY && result.to_us <= 34 * DAY);
	/* Came twice, with nothing in common. */
	for (uint32_t i = 0; i < ROWS; i++) {
		little->spans[i].from_us = i % 2 == 0 ? 10 * DAY : 60 * DAY;
		little->spans[i].to_us = i % 2 == 0 ? 20 * DAY : 70 * DAY;
	}
	assert_int_equal(model_date(&little->input, &result, NULL), AZ_OK);
	assert_int_equal(result.cluster_count, 2);
	assert_int_equal(result.clusters[0].from_us, 10 * DAY);
	assert_int_equal(result.clusters[1].to_us, 70 * DAY);
	free(little);
}

static void
the_same_input_gives_the_same_result(void **state)
{
	struct little *little = new_little();
	struct model_result first, second;

	(void)state;
	show(little, 0, 1, 12, 1);
	show(little, 1, 5, 14, 1);
	first = result_of(little);
	second = result_of(little);
	assert_memory_equal(&first, &second, sizeof(first));
	free(little);
}

static void
indexes_that_lead_nowhere_are_refused(void **state)
{
	struct little *little;

	(void)state;
#define REFUSED(change)                                                                            \
	do {                                                                                       \
		little = new_little();                                                             \
		show(little, 0, 1, ROWS, 1);                                                       \
		change;                                                                            \
		assert_int_equal(status_of(little), AZ_INVALID);                                   \
		free(little);                                                                      \
	} while (0)
	REFUSED(little->rows[3].candidate_count = ROWS);
	REFUSED(little->rows[3].first_candidate = UINT32_MAX);
	REFUSED(little->rows[3].canary = STAFF);
	REFUSED(little->candidates[3].client = 1);
	REFUSED(little->candidates[3].span_count = UINT32_MAX);
	REFUSED(little->candidates[3].weight = 1.5);
	REFUSED(little->candidates[3].weight = -1.0);
	REFUSED(little->candidates[3].notation = 3);
	REFUSED(little->spans[3].holding_count = 1);
	REFUSED(little->accesses[3].carrier = STAFF);
	REFUSED(little->accesses[3].shape = 1);
	REFUSED(little->accesses[0].record = 100);
	REFUSED(little->carriers[1].person = STAFF);
	REFUSED(little->carriers[1].size = 0);
	REFUSED(little->carriers[1].list = 1);
	REFUSED(little->carriers[1].pool = 1);
	REFUSED(little->windows[1].index = STAFF);
	REFUSED(little->windows[1].owner = MODEL_CLIENT);
	REFUSED(little->windows[1].size = 0);
	REFUSED(little->windows[1].pool = 1);
	REFUSED(little->copies[0].client = 1);
	REFUSED(little->copies[0].size = 0);
	REFUSED(little->clients[0].people = 0);
#undef REFUSED
}

static void
times_without_measure_are_refused(void **state)
{
	struct little *little = new_little();

	(void)state;
	show(little, 2, 1, ROWS, 1);
	little->spans[3].from_us = INT64_MIN;
	assert_int_equal(status_of(little), AZ_INVALID);
	little->spans[3].from_us = 10 * DAY;
	little->carriers[1].time_us = INT64_MAX;
	assert_int_equal(status_of(little), AZ_INVALID);
	little->carriers[1].time_us = 20 * DAY;
	little->copies[0].time_us = INT64_MIN;
	assert_int_equal(status_of(little), AZ_INVALID);
	free(little);
}

/* --- several lists ---------------------------------------------------------------------------- */

#define CLIENTS 10
#define EACH    20 /* rows of a client in the list */
#define MANY    (CLIENTS * EACH)
#define TAKERS  3

/* Two hundred rows of ten clients of a thousand people each, and people of the staff who may have exported their lists. */
struct market {
	struct model_row rows[MANY];
	struct model_candidate candidates[MANY];
	struct model_span spans[MANY];
	struct model_carrier carriers[TAKERS * CLIENTS];
	struct model_window windows[TAKERS];
	struct model_copy copies[CLIENTS + 1];
	struct model_person persons[TAKERS];
	struct model_client clients[CLIENTS];
	uint64_t shapes[1];
	uint32_t holdings[MANY];
	struct model_input input;
};

static struct market *
new_market(uint32_t leaked)
{
	struct market *market = calloc(1, sizeof(*market));

	assert_non_null(market);
	for (uint32_t i = 0; i < leaked * EACH; i++) {
		market->rows[i] = (struct model_row){
		    .first_candidate = i, .candidate_count = 1, .fields = 1, .canary = MODEL_NONE};
		market->candidates[i] = (struct model_candidate){.record = i + 1,
		    .client = i / EACH,
		    .weight = 1.0,
		    .notation = NOTATION_OURS,
		    .first_span = i,
		    .span_count = 1};
		market->spans[i] = (struct model_span){.version = 1,
		    .from_us = 10 * DAY,
		    .to_us = MODEL_NEVER,
		    .first_holding = i,
		    .holding_count = 1};
		market->holdings[i] = i / EACH;
	}
	for (uint32_t s = 0; s < TAKERS; s++)
		market->windows[s] = (struct model_window){.owner = MODEL_PERSON,
		    .index = s,
		    .pool = MODEL_NONE,
		    .from_us = INT64_MIN,
		    .to_us = MODEL_NEVER,
		    .size = 20000,
		    .whole = true};
	for (uint32_t c = 0; c < CLIENTS; c++) {
		market->copies[c] =
		    (struct model_copy){.client = c, .time_us = 15 * DAY, .size = 1000};
		market->clients[c].people = 1000;
	}
	market->copies[CLIENTS] =
	    (struct model_copy){.client = MODEL_NONE, .time_us = 15 * DAY, .size = 1000 * CLIENTS};
	market->shapes[0] = 1;
	market->input = (struct model_input){.rows = market->rows,
	    .candidates = market->candidates,
	    .spans = market->spans,
	    .holdings = market->holdings,
	    .accesses = NULL,
	    .shapes = market->shapes,
	    .carriers = market->carriers,
	    .windows = market->windows,
	    .copies = market->copies,
	    .persons = market->persons,
	    .clients = market->clients,
	    .row_count = leaked * EACH,
	    .candidate_count = leaked * EACH,
	    .span_count = leaked * EACH,
	    .holding_count = leaked * EACH,
	    .shape_count = 1,
	    .window_count = TAKERS,
	    .copy_count = CLIENTS + 1,
	    .person_count = TAKERS,
	    .client_count = CLIENTS,
	    .pool_count = 1,
	    .list_count = CLIENTS};
	return market;
}

/* Somebody exports the lists of some clients, each of a thousand people. */
static void export(struct market *market, uint32_t person, uint32_t first, uint32_t count)
{
	for (uint32_t c = first; c < first + count; c++)
		market->carriers[market->input.carrier_count++] =
		    (struct model_carrier){.kind = MODEL_EXPORT,
			.person = person,
			.pool = MODEL_NONE,
			.time_us = (20 + c) * DAY,
			.size = 1000,
			.list = c};
}

static struct model_result
result_of_market(struct market *market)
{
	static struct model_result result;

	memset(&result, 0, sizeof(result));
	assert_int_equal(model_run(&market->input, &result, NULL), AZ_OK);
	free(market);
	return result;
}

static void
one_hand_that_took_many_lists_is_named(void **state)
{
	struct market *market = new_market(8);
	struct model_result result;

	(void)state;
	export(market, 1, 0, CLIENTS);
	export(market, 0, 2, 1);
	export(market, 2, 5, 2);
	result = result_of_market(market);
	assert_int_equal(result.verdict, MODEL_ATTRIBUTED);
	assert_int_equal(result.leaks, 1);
	assert_int_equal(result.suspects[0].who.owner, MODEL_PERSON);
	assert_int_equal(result.suspects[0].who.index, 1);
	assert_int_equal(result.suspects[0].exports, 8);
	assert_int_equal(result.suspects[0].rows_explained, 8 * EACH);
	assert_int_equal(result.rows_unexplained, 0);
}

static void
two_who_took_the_same_lists_are_a_tie(void **state)
{
	struct market *market = new_market(8);
	struct model_result result;

	(void)state;
	export(market, 1, 0, CLIENTS);
	export(market, 2, 0, CLIENTS);
	result = result_of_market(market);
	assert_int_equal(result.verdict, MODEL_TIED);
	assert_int_equal(result.suspects[0].tie_count, 1);
	assert_true(result.suspects[0].posterior < 0.6);
}

static void
few_lists_may_as_well_be_their_clients(void **state)
{
	struct market *market = new_market(2);
	struct model_result result;

	(void)state;
	export(market, 1, 0, CLIENTS);
	result = result_of_market(market);
	assert_int_not_equal(result.verdict, MODEL_ATTRIBUTED);
	for (size_t i = 0; i < result.suspect_count; i++)
		assert_true(result.suspects[i].posterior < 0.9);
}

static void
who_took_a_part_of_the_lists_is_not_named_for_all(void **state)
{
	struct market *market = new_market(8);
	struct model_result result;

	(void)state;
	export(market, 1, 0, 4);
	result = result_of_market(market);
	assert_int_not_equal(result.verdict, MODEL_ATTRIBUTED);
	assert_true(result.rows_unexplained >= 4 * EACH);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(who_had_every_row_is_named),
	    cmocka_unit_test(two_who_had_the_same_are_a_tie_and_nobody_is_named),
	    cmocka_unit_test(who_sat_beside_somebody_is_tied_with_them),
	    cmocka_unit_test(who_sees_everybody_is_cleared_by_who_saw_just_these),
	    cmocka_unit_test(a_list_that_nobody_was_shown_is_the_clients),
	    cmocka_unit_test(an_export_of_the_whole_delivery_is_not_told_from_the_client),
	    cmocka_unit_test(another_version_and_fields_never_shown_speak_against),
	    cmocka_unit_test(spelling_of_elsewhere_and_conflicts_clear_everybody),
	    cmocka_unit_test(two_leakers_are_both_found),
	    cmocka_unit_test(one_row_names_nobody),
	    cmocka_unit_test(nothing_found_is_from_elsewhere),
	    cmocka_unit_test(an_invented_person_names_the_carrier),
	    cmocka_unit_test(dates_are_where_all_rows_were_current),
	    cmocka_unit_test(the_same_input_gives_the_same_result),
	    cmocka_unit_test(indexes_that_lead_nowhere_are_refused),
	    cmocka_unit_test(times_without_measure_are_refused),
	    cmocka_unit_test(one_hand_that_took_many_lists_is_named),
	    cmocka_unit_test(two_who_took_the_same_lists_are_a_tie),
	    cmocka_unit_test(few_lists_may_as_well_be_their_clients),
	    cmocka_unit_test(who_took_a_part_of_the_lists_is_not_named_for_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
