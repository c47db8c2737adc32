/* What is still the same person, and what is somebody else: each way a broker's hands damage a row. */
#include "cm.h"

#include "trace/compare.h"
#include "trace/link.h"

#define PEOPLE 9000000u

static struct row
person(const char *name, const char *kana, const char *birth, const char *phone,
    const char *address, const char *postcode)
{
	struct row row = {0};

	row.values[FIELD_NAME] = bytes_of(name);
	row.values[FIELD_KANA] = bytes_of(kana);
	row.values[FIELD_BIRTH] = bytes_of(birth);
	row.values[FIELD_PHONE] = bytes_of(phone);
	row.values[FIELD_ADDRESS] = bytes_of(address);
	row.values[FIELD_POSTCODE] = bytes_of(postcode);
	return row;
}

static struct row
sato(void)
{
	return person("佐藤 健一", "サトウ ケンイチ", "1980-03-04", "090-1234-5678",
	    "東京都千代田区本町1-2-3 ハイツ本町405", "101-0021");
}

static struct trace_agreement
agreement_of(const struct row *a, const struct row *b)
{
	struct trace_side one, other;
	struct trace_agreement agreement;

	trace_side_make(a, &one);
	trace_side_make(b, &other);
	trace_compare(&one, &other, &agreement);
	return agreement;
}

/* The level of one facet, after one value of the row was changed. */
static enum trace_level
level_with(enum trace_facet facet, enum field field, const char *value)
{
	struct row ours = sato();
	struct row leaked = sato();
	struct trace_agreement agreement;

	leaked.values[field] = bytes_of(value);
	agreement = agreement_of(&leaked, &ours);
	return agreement.levels[facet];
}

static double
bits_of(const struct row *a, const struct row *b)
{
	struct trace_agreement agreement = agreement_of(a, b);

	return trace_score(trace_weights_shipped(), &agreement, PEOPLE, 0);
}

static void
births_turn_slip_and_differ(void **state)
{
	(void)state;
	assert_int_equal(level_with(FACET_BIRTH, FIELD_BIRTH, "1980/3/4"), LEVEL_SAME);
	assert_int_equal(level_with(FACET_BIRTH, FIELD_BIRTH, "1980-04-03"), LEVEL_TURNED);
	assert_int_equal(level_with(FACET_BIRTH, FIELD_BIRTH, "1980-03-05"), LEVEL_CLOSE);
	assert_int_equal(level_with(FACET_BIRTH, FIELD_BIRTH, "1981-03-05"), LEVEL_PART);
	assert_int_equal(level_with(FACET_BIRTH, FIELD_BIRTH, "1955-11-21"), LEVEL_DIFFERS);
	assert_int_equal(level_with(FACET_BIRTH, FIELD_BIRTH, ""), LEVEL_NONE);
	assert_int_equal(level_with(FACET_BIRTH, FIELD_BIRTH, "unknown"), LEVEL_NONE);
}

static void
an_impossible_birth_is_compared_by_its_digits(void **state)
{
	struct row a = person("", "", "19371233", "", "", "");
	struct row b = person("", "", "19371233", "", "", "");
	struct row c = person("", "", "1937-12-23", "", "", "");
	struct trace_agreement agreement = agreement_of(&a, &b);

	(void)state;
	assert_int_equal(agreement.levels[FACET_BIRTH], LEVEL_SAME);
	agreement = agreement_of(&a, &c);
	assert_int_equal(agreement.levels[FACET_BIRTH], LEVEL_CLOSE);
}

static void
names_keep_a_part_when_the_surname_changes(void **state)
{
	struct row ours = sato();
	struct row married = person("鈴木 健一", "", "", "", "", "");
	struct row swapped = person("健一 佐藤", "", "", "", "", "");
	struct row kana = person("さとう けんいち", "", "", "", "", "");
	struct row joined = person("佐藤健一", "", "", "", "", "");
	struct row slip = person("佐藤健二", "", "", "", "", "");
	struct row other = person("山本 花子", "", "", "", "", "");
	struct trace_agreement agreement = agreement_of(&married, &ours);

	(void)state;
	assert_int_equal(agreement.levels[FACET_NAME], LEVEL_SAME);
	assert_int_equal(agreement.levels[FACET_NAME2], LEVEL_DIFFERS);
	agreement = agreement_of(&swapped, &ours);
	assert_int_equal(agreement.levels[FACET_NAME2], LEVEL_TURNED);
	agreement = agreement_of(&kana, &ours);
	assert_int_equal(agreement.levels[FACET_NAME2], LEVEL_TURNED);
	agreement = agreement_of(&joined, &ours);
	assert_int_equal(agreement.levels[FACET_NAME2], LEVEL_SAME);
	agreement = agreement_of(&slip, &ours);
	assert_int_equal(agreement.levels[FACET_NAME2], LEVEL_CLOSE);
	agreement = agreement_of(&other, &ours);
	assert_int_equal(agreement.levels[FACET_NAME], LEVEL_DIFFERS);
	assert_int_equal(agreement.conflicts, 1);
}

static void
a_variant_of_writing_is_the_same_by_its_reading(void **state)
{
	struct row ours = sato();
	struct row variant = person("齋頭 研市", "サトウケンイチ", "", "", "", "");
	struct trace_agreement agreement = agreement_of(&variant, &ours);

	(void)state;
	assert_int_equal(agreement.levels[FACET_NAME], LEVEL_TURNED);
}

static void
telephones_slip_and_lose_their_end(void **state)
{
	(void)state;
	assert_int_equal(level_with(FACET_PHONE, FIELD_PHONE, "+81 90 1234 5678"), LEVEL_SAME);
	assert_int_equal(level_with(FACET_PHONE, FIELD_PHONE, "090-1234-5687"), LEVEL_CLOSE);
	assert_int_equal(level_with(FACET_PHONE, FIELD_PHONE, "090-1234-5679"), LEVEL_CLOSE);
	assert_int_equal(level_with(FACET_PHONE, FIELD_PHONE, "03-9999-5678"), LEVEL_PART);
	assert_int_equal(level_with(FACET_PHONE, FIELD_PHONE, "03-1111-2222"), LEVEL_DIFFERS);
}

static void
a_mobile_in_the_column_of_telephones_is_found(void **state)
{
	struct row ours = sato();
	struct row leaked = {0};
	struct trace_agreement agreement;

	(void)state;
	leaked.values[FIELD_MOBILE] = bytes_of("09012345678");
	agreement = agreement_of(&leaked, &ours);
	assert_int_equal(agreement.levels[FACET_PHONE], LEVEL_SAME);
}

static void
an_address_may_lose_its_building_or_prefecture(void **state)
{
	(void)state;
	assert_int_equal(
	    level_with(FACET_PLACE, FIELD_ADDRESS, "東京都千代田区本町1-2-3"), LEVEL_TURNED);
	assert_int_equal(
	    level_with(FACET_PLACE, FIELD_ADDRESS, "千代田区本町1-2-3 ハイツ本町405"), LEVEL_SAME);
	assert_int_equal(
	    level_with(FACET_PLACE, FIELD_ADDRESS, "東京都千代田区本町１−２−３　ハイツ本町４０５"),
	    LEVEL_SAME);
	assert_int_equal(
	    level_with(FACET_PLACE, FIELD_ADDRESS, "大阪府堺市南区桃山台9-8"), LEVEL_DIFFERS);
}

static void
a_postcode_without_its_zero_is_the_same(void **state)
{
	struct row ours = person("", "", "", "", "", "064-0941");
	struct row leaked = person("", "", "", "", "", "640941");
	struct trace_agreement agreement = agreement_of(&leaked, &ours);

	(void)state;
	assert_int_equal(agreement.levels[FACET_POSTCODE], LEVEL_SAME);
	assert_int_equal(level_with(FACET_POSTCODE, FIELD_POSTCODE, "101-0022"), LEVEL_CLOSE);
	assert_int_equal(level_with(FACET_POSTCODE, FIELD_POSTCODE, "101-9988"), LEVEL_PART);
	assert_int_equal(level_with(FACET_POSTCODE, FIELD_POSTCODE, "530-0001"), LEVEL_DIFFERS);
}

static void
only_our_own_spelling_is_our_notation(void **state)
{
	struct row ours = sato();
	struct row leaked = person("佐藤 健一", "", "", "", "", "");
	struct row folded = person("佐藤健一", "", "", "", "", "");
	struct row nothing = {0};

	(void)state;
	assert_int_equal(agreement_of(&leaked, &ours).notation, NOTATION_OURS);
	assert_int_equal(agreement_of(&folded, &ours).notation, NOTATION_OTHER);
	assert_int_equal(agreement_of(&nothing, &ours).notation, NOTATION_UNKNOWN);
}

static void
nothing_in_common_says_nothing(void **state)
{
	struct row ours = sato();
	struct row nothing = {0};

	(void)state;
	assert_true(bits_of(&nothing, &ours) == 0.0);
}

static void
a_damaged_row_outweighs_the_number_of_people(void **state)
{
	struct row ours = sato();
	struct row damaged =
	    person("鈴木 健一", "", "1980-04-03", "09012345678", "千代田区本町1-2-3", "");
	struct row father = person("佐藤 一郎", "サトウ イチロウ", "1950-07-09", "090-1234-5678",
	    "東京都千代田区本町1-2-3 ハイツ本町405", "101-0021");

	(void)state;
	assert_true(bits_of(&ours, &ours) > 45.0);
	assert_true(bits_of(&damaged, &ours) > 27.0);
	assert_true(bits_of(&father, &ours) < 26.0);
}

static void
a_rare_name_says_more_than_a_common_one(void **state)
{
	struct row ours = sato();
	struct row leaked = person("佐藤健一", "", "", "", "", "");
	struct trace_agreement agreement = agreement_of(&leaked, &ours);
	const struct trace_weights *weights = trace_weights_shipped();

	(void)state;
	assert_true(trace_score(weights, &agreement, PEOPLE, 1) >
	    trace_score(weights, &agreement, PEOPLE, 3000) + 10.0);
}

static void
tables_are_distributions(void **state)
{
	const struct trace_weights *weights = trace_weights_shipped();

	(void)state;
	for (unsigned int facet = 0; facet < FACET_COUNT; facet++) {
		double m = 0.0, u = 0.0;

		for (unsigned int level = LEVEL_DIFFERS; level < LEVEL_COUNT; level++) {
			assert_true(weights->m[facet][level] > 0.0);
			assert_true(weights->u[facet][level] > 0.0);
			m += weights->m[facet][level];
			u += weights->u[facet][level];
		}
		assert_true(m > 0.999 && m < 1.001);
		assert_true(u > 0.999 && u < 1.001);
	}
}

static void
estimating_finds_the_weights_that_pairs_were_made_with(void **state)
{
	enum { PAIRS = 20000 };
	struct trace_agreement *pairs = calloc(PAIRS, sizeof(*pairs));
	struct trace_weights weights = *trace_weights_shipped();
	uint32_t seed = 5;

	(void)state;
	assert_non_null(pairs);
	for (size_t i = 0; i < PAIRS; i++) {
		bool together = i % 4 == 0;

		for (unsigned int facet = FACET_BIRTH; facet <= FACET_EMAIL; facet++) {
			seed = seed * 1664525u + 1013904223u;
			pairs[i].levels[facet] = (seed >> 16) % 1000 < (together ? 700u : 50u)
			    ? LEVEL_SAME
			    : LEVEL_DIFFERS;
		}
	}
	assert_int_equal(trace_weights_estimate(&weights, pairs, PAIRS, 0.1, NULL), AZ_OK);
	for (unsigned int facet = FACET_BIRTH; facet <= FACET_EMAIL; facet++) {
		assert_true(
		    weights.m[facet][LEVEL_SAME] > 0.6 && weights.m[facet][LEVEL_SAME] < 0.75);
		assert_true(
		    weights.u[facet][LEVEL_SAME] > 0.03 && weights.u[facet][LEVEL_SAME] < 0.08);
	}
	assert_int_equal(
	    trace_weights_estimate(&weights, pairs, TRACE_ESTIMATE_MIN - 1, 0.1, NULL), AZ_INVALID);
	free(pairs);
}

/* --- verdicts on rows ------------------------------------------------------------------------- */

static struct trace_scored
scored(uint32_t client, uint32_t record, uint32_t version, double bits)
{
	return (struct trace_scored){
	    .client = client, .record = record, .version = version, .bits = bits};
}

static void
too_little_in_common_is_not_found(void **state)
{
	struct trace_scored some[] = {scored(1, 1, 1, 20.0), scored(1, 2, 1, 25.0)};
	struct trace_row_verdict verdict;

	(void)state;
	trace_judge_scored(some, 2, PEOPLE, &verdict);
	assert_int_equal(verdict.verdict, TRACE_NOT_FOUND);
	trace_judge_scored(some, 0, PEOPLE, &verdict);
	assert_int_equal(verdict.verdict, TRACE_NOT_FOUND);
	assert_int_equal(verdict.count, 0);
}

static void
two_of_a_client_that_fit_alike_are_ambiguous(void **state)
{
	struct trace_scored alike[] = {scored(1, 1, 1, 40.0), scored(1, 2, 1, 39.0)};
	struct trace_scored apart[] = {scored(1, 1, 1, 40.0), scored(1, 2, 1, 33.0)};
	struct trace_row_verdict verdict;

	(void)state;
	trace_judge_scored(alike, 2, PEOPLE, &verdict);
	assert_int_equal(verdict.verdict, TRACE_AMBIGUOUS);
	trace_judge_scored(apart, 2, PEOPLE, &verdict);
	assert_int_equal(verdict.verdict, TRACE_OURS);
	assert_int_equal(verdict.count, 1);
	assert_int_equal(verdict.links[0].record, 1);
}

static void
every_client_that_has_the_person_is_given(void **state)
{
	struct trace_scored some[] = {scored(1, 1, 1, 40.0), scored(2, 9, 1, 36.0),
	    scored(3, 5, 1, 28.0), scored(2, 8, 1, 31.0)};
	struct trace_row_verdict verdict;

	(void)state;
	trace_judge_scored(some, 4, PEOPLE, &verdict);
	assert_int_equal(verdict.verdict, TRACE_OURS);
	assert_int_equal(verdict.count, 2);
	assert_int_equal(verdict.links[1].client, 2);
	assert_true(verdict.links[0].weight > verdict.links[1].weight);
	assert_true(verdict.links[0].weight + verdict.links[1].weight < 1.0);
}

static void
versions_that_fit_alike_are_all_given(void **state)
{
	struct trace_scored some[] = {
	    scored(1, 1, 3, 40.0), scored(1, 1, 1, 40.2), scored(1, 1, 2, 31.0)};
	struct trace_row_verdict verdict;

	(void)state;
	trace_judge_scored(some, 3, PEOPLE, &verdict);
	assert_int_equal(verdict.links[0].version_count, 2);
	assert_int_equal(verdict.links[0].versions[0], 1);
	assert_int_equal(verdict.links[0].versions[1], 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(births_turn_slip_and_differ),
	    cmocka_unit_test(an_impossible_birth_is_compared_by_its_digits),
	    cmocka_unit_test(names_keep_a_part_when_the_surname_changes),
	    cmocka_unit_test(a_variant_of_writing_is_the_same_by_its_reading),
	    cmocka_unit_test(telephones_slip_and_lose_their_end),
	    cmocka_unit_test(a_mobile_in_the_column_of_telephones_is_found),
	    cmocka_unit_test(an_address_may_lose_its_building_or_prefecture),
	    cmocka_unit_test(a_postcode_without_its_zero_is_the_same),
	    cmocka_unit_test(only_our_own_spelling_is_our_notation),
	    cmocka_unit_test(nothing_in_common_says_nothing),
	    cmocka_unit_test(a_damaged_row_outweighs_the_number_of_people),
	    cmocka_unit_test(a_rare_name_says_more_than_a_common_one),
	    cmocka_unit_test(tables_are_distributions),
	    cmocka_unit_test(estimating_finds_the_weights_that_pairs_were_made_with),
	    cmocka_unit_test(too_little_in_common_is_not_found),
	    cmocka_unit_test(two_of_a_client_that_fit_alike_are_ambiguous),
	    cmocka_unit_test(every_client_that_has_the_person_is_given),
	    cmocka_unit_test(versions_that_fit_alike_are_all_given),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
