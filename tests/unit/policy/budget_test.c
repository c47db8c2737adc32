#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "policy/policy.h"

#define HOUR_US  (3600 * AZ_US_PER_S)
#define START_US (INT64_C(20000) * AZ_US_PER_DAY)

static struct budget
usual(void)
{
	struct budget budget = {.role = ROLE_AGENT, .minute = 1000, .hour = 10000, .slow = 2};

	for (unsigned int class = BUDGET_CALLS; class < BUDGET_CLASSES; class ++) {
		budget.house[class] = (struct budget_limits){.day = 5, .month = 12, .life = 20};
		budget.client[class] = (struct budget_limits){.day = 4, .month = 10, .life = 18};
	}
	return budget;
}

static struct budget_book *
book_with(const struct budget *budget)
{
	struct budget_book *book = NULL;

	assert_int_equal(budget_book_new(&book, NULL), AZ_OK);
	assert_int_equal(budget_put(book, budget, NULL), AZ_OK);
	return book;
}

static struct budget_look
look_at(uint32_t record, int64_t time_us)
{
	return (struct budget_look){.staff = 7,
	    .class = BUDGET_SEARCHES,
	    .client = record % 2 + 1,
	    .record = record,
	    .time_us = time_us};
}

/* Looks if that is allowed. */
static enum az_status
see(struct budget_book *book, const struct budget_look *look)
{
	enum az_status status = budget_check(book, ROLE_AGENT, look, NULL);
	bool due;

	if (status == AZ_OK)
		assert_int_equal(budget_take(book, ROLE_AGENT, look, &due, NULL), AZ_OK);
	return status;
}

static void
i9_without_a_budget_nobody_is_seen(void **state)
{
	struct budget_book *book = NULL;
	struct budget none = {.role = ROLE_AGENT};
	struct budget_look look = look_at(1, START_US);

	(void)state;
	assert_int_equal(budget_book_new(&book, NULL), AZ_OK);
	assert_int_equal(budget_check(book, ROLE_AGENT, &look, NULL), AZ_DENIED);
	assert_int_equal(budget_check(book, ROLE_NONE, &look, NULL), AZ_DENIED);
	assert_int_equal(budget_check(book, (enum role)99, &look, NULL), AZ_DENIED);
	assert_int_equal(budget_put(book, &none, NULL), AZ_OK);
	assert_int_equal(budget_check(book, ROLE_AGENT, &look, NULL), AZ_LIMIT);
	none.role = ROLE_NONE;
	assert_int_equal(budget_put(book, &none, NULL), AZ_INVALID);
	budget_book_free(&book);
	assert_null(book);
}

static void
a_look_of_no_class_or_of_nobody_is_denied(void **state)
{
	struct budget budget = usual();
	struct budget_book *book = book_with(&budget);
	struct budget_look look = look_at(1, START_US);
	bool due;

	(void)state;
	look.class = BUDGET_NONE;
	assert_int_equal(budget_check(book, ROLE_AGENT, &look, NULL), AZ_DENIED);
	assert_int_equal(budget_take(book, ROLE_AGENT, &look, &due, NULL), AZ_INVALID);
	look = look_at(1, START_US);
	look.staff = 0;
	assert_int_equal(budget_check(book, ROLE_AGENT, &look, NULL), AZ_DENIED);
	budget_book_free(&book);
}

static void
the_day_ends_the_people_not_the_going_back(void **state)
{
	struct budget budget = usual();
	struct budget_book *book = book_with(&budget);

	(void)state;
	for (uint32_t record = 1; record <= 5; record++) {
		struct budget_look look = look_at(record, START_US);

		assert_int_equal(see(book, &look), AZ_OK);
		assert_int_equal(see(book, &look), AZ_OK);
	}
	struct budget_look sixth = look_at(6, START_US + 23 * HOUR_US);
	struct budget_look again = look_at(3, START_US + 23 * HOUR_US);

	assert_int_equal(see(book, &sixth), AZ_LIMIT);
	assert_int_equal(see(book, &again), AZ_OK);
	/* Any 24 hours: no midnight opens it, and the one who was seen again still counts. */
	for (uint32_t record = 6; record <= 9; record++) {
		struct budget_look look = look_at(record, START_US + 24 * HOUR_US);

		assert_int_equal(see(book, &look), AZ_OK);
	}
	sixth = look_at(10, START_US + 24 * HOUR_US);
	assert_int_equal(see(book, &sixth), AZ_LIMIT);
	budget_book_free(&book);
}

static void
classes_humans_and_clients_are_counted_apart(void **state)
{
	struct budget budget = usual();
	struct budget_book *book = book_with(&budget);
	struct budget_look look;

	(void)state;
	for (uint32_t i = 1; i <= 4; i++) {
		look = look_at(2 * i, START_US);
		assert_int_equal(see(book, &look), AZ_OK);
	}
	look = look_at(10, START_US);
	assert_int_equal(see(book, &look), AZ_LIMIT); /* of this client */
	look = look_at(11, START_US);
	assert_int_equal(see(book, &look), AZ_OK); /* of the other */
	look = look_at(13, START_US);
	assert_int_equal(see(book, &look), AZ_LIMIT); /* of the house */
	look.class = BUDGET_CALLS;
	assert_int_equal(see(book, &look), AZ_OK);
	look = look_at(13, START_US);
	look.staff = 8;
	assert_int_equal(see(book, &look), AZ_OK);
	budget_book_free(&book);
}

static void
a_steady_thief_is_stopped_after_the_promised_number(void **state)
{
	struct budget budget = usual();
	struct budget_book *book = book_with(&budget);
	uint32_t seen = 0;

	(void)state;
	/* One new person every two hours, for 29 days: always within the day's number. */
	budget.house[BUDGET_SEARCHES].day = 13;
	budget.client[BUDGET_SEARCHES] = budget.house[BUDGET_SEARCHES];
	budget.client[BUDGET_SEARCHES].month = 1000;
	assert_int_equal(budget_put(book, &budget, NULL), AZ_OK);
	for (uint32_t i = 0; i < 29 * 12; i++) {
		struct budget_look look = look_at(100 + i, START_US + i * 2 * HOUR_US);

		seen += see(book, &look) == AZ_OK ? 1 : 0;
	}
	assert_int_equal(seen, 12);
	budget_book_free(&book);
}

static void
a_clock_that_jumps_opens_nothing(void **state)
{
	struct budget budget = usual();
	struct budget_book *book = book_with(&budget);
	struct budget_look look;

	(void)state;
	for (uint32_t record = 1; record <= 5; record++) {
		look = look_at(record, START_US);
		assert_int_equal(see(book, &look), AZ_OK);
	}
	look = look_at(6, START_US - 10 * AZ_US_PER_DAY);
	assert_int_equal(see(book, &look), AZ_LIMIT);
	look = look_at(6, START_US - 40 * AZ_US_PER_DAY);
	assert_int_equal(see(book, &look), AZ_LIMIT);
	look = look_at(6, INT64_MIN / 2);
	assert_int_equal(see(book, &look), AZ_LIMIT);
	budget_book_free(&book);
}

static void
rates_count_what_was_not_found_too(void **state)
{
	struct budget budget = usual();
	struct budget_book *book;
	struct budget_look look = look_at(0, START_US);

	(void)state;
	budget.minute = 3;
	budget.hour = 5;
	book = book_with(&budget);
	for (unsigned int i = 0; i < 3; i++)
		assert_int_equal(see(book, &look), AZ_OK);
	assert_int_equal(see(book, &look), AZ_LIMIT);
	look.class = BUDGET_CALLS; /* the rates are of the human */
	assert_int_equal(see(book, &look), AZ_LIMIT);
	look.time_us += 60 * AZ_US_PER_S;
	assert_int_equal(see(book, &look), AZ_OK);
	assert_int_equal(see(book, &look), AZ_OK);
	assert_int_equal(see(book, &look), AZ_LIMIT); /* the hour */
	look.time_us = START_US + HOUR_US;
	assert_int_equal(see(book, &look), AZ_OK);
	budget_book_free(&book);
}

static void
a_life_demands_a_review_and_goes_slowly_until_then(void **state)
{
	struct budget budget = usual();
	struct budget_book *book = book_with(&budget);
	struct budget_extension review = {
	    .id = 1, .staff = 7, .class = BUDGET_SEARCHES, .life = 20};
	bool due = false;
	unsigned int dues = 0;
	int64_t now = START_US;

	(void)state;
	budget.client[BUDGET_SEARCHES].life = 1000;
	assert_int_equal(budget_put(book, &budget, NULL), AZ_OK);
	for (uint32_t record = 1; record <= 20; record++, now += 4 * AZ_US_PER_DAY) {
		struct budget_look look = look_at(record, now);

		assert_int_equal(budget_check(book, ROLE_AGENT, &look, NULL), AZ_OK);
		assert_int_equal(budget_take(book, ROLE_AGENT, &look, &due, NULL), AZ_OK);
		dues += due ? 1 : 0;
	}
	assert_true(due);
	assert_int_equal(dues, 1);
	for (uint32_t record = 21; record <= 22; record++) {
		struct budget_look look = look_at(record, now);

		assert_int_equal(see(book, &look), AZ_OK);
	}
	struct budget_look third = look_at(23, now);
	struct budget_look back = look_at(22, now);

	assert_int_equal(see(book, &third), AZ_LIMIT);
	assert_int_equal(see(book, &back), AZ_OK);
	assert_int_equal(budget_put_extension(book, &review, NULL), AZ_OK);
	/* Replayed, it adds nothing more. */
	assert_int_equal(budget_put_extension(book, &review, NULL), AZ_OK);
	assert_int_equal(see(book, &third), AZ_OK);
	budget_book_free(&book);
}

static void
an_extension_adds_until_it_ends(void **state)
{
	struct budget budget = usual();
	struct budget_book *book = book_with(&budget);
	struct budget_extension more = {.id = 1,
	    .staff = 7,
	    .class = BUDGET_SEARCHES,
	    .day = 2,
	    .until_us = START_US + HOUR_US};
	struct budget_look look;

	(void)state;
	for (uint32_t record = 1; record <= 5; record++) {
		look = look_at(record, START_US);
		assert_int_equal(see(book, &look), AZ_OK);
	}
	look = look_at(6, START_US);
	assert_int_equal(see(book, &look), AZ_LIMIT);
	more.staff = 8;
	assert_int_equal(budget_put_extension(book, &more, NULL), AZ_OK);
	assert_int_equal(see(book, &look), AZ_LIMIT);
	more.staff = 7;
	more.id = budget_next_extension(book);
	assert_int_equal(more.id, 2);
	assert_int_equal(budget_put_extension(book, &more, NULL), AZ_OK);
	assert_int_equal(see(book, &look), AZ_OK);
	look = look_at(7, START_US + HOUR_US);
	assert_int_equal(see(book, &look), AZ_LIMIT);
	assert_null(budget_extension_of(book, 0));
	assert_null(budget_extension_of(book, 3));
	more.id = 0;
	assert_int_equal(budget_put_extension(book, &more, NULL), AZ_LIMIT);
	budget_book_free(&book);
}

/* --- against counting anew each time ---------------------------------------------------------- */

#define LOOKS 4000u

static uint32_t
next_random(uint64_t *seed)
{
	*seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(*seed >> 33);
}

/* Distinct people within window_us before the newest look. */
static uint32_t
distinct(const struct budget_look *looks, size_t count, int64_t window_us)
{
	uint32_t people = 0;

	for (size_t i = 0; i < count; i++) {
		bool later = false;

		if (looks[i].record == 0 ||
		    looks[i].time_us <= looks[count - 1].time_us - window_us)
			continue;
		for (size_t other = i + 1; other < count && !later; other++)
			later = looks[other].record == looks[i].record;
		people += later ? 0 : 1;
	}
	return people;
}

static void
every_count_is_exact_also_after_saving(void **state)
{
	static struct budget_look looks[LOOKS];
	struct budget budget = usual();
	struct budget_book *book = book_with(&budget);
	struct budget_book *other = book_with(&budget);
	struct budget_use use, loaded;
	struct buffer saved;
	uint64_t seed = 42;
	int64_t now = START_US;
	bool due;

	(void)state;
	buffer_init(&saved, 1024u * 1024u, false);
	for (size_t i = 0; i < LOOKS; i++) {
		now += next_random(&seed) % (30u * 60u) * AZ_US_PER_S;
		looks[i] = look_at(next_random(&seed) % 400, now);
		looks[i].client = 1;
		assert_int_equal(budget_take(book, ROLE_AGENT, &looks[i], &due, NULL), AZ_OK);
		if (i % 97 != 0)
			continue;
		budget_used(book, 7, BUDGET_SEARCHES, now, &use);
		assert_int_equal(use.day, distinct(looks, i + 1, AZ_US_PER_DAY));
		assert_int_equal(use.month, distinct(looks, i + 1, 30 * AZ_US_PER_DAY));
		assert_int_equal(use.life, distinct(looks, i + 1, INT64_MAX / 2));
		buffer_clear(&saved);
		assert_int_equal(budget_save(book, &saved), AZ_OK);
		assert_int_equal(budget_load(other, buffer_peek(&saved), NULL), AZ_OK);
		budget_used(other, 7, BUDGET_SEARCHES, now, &loaded);
		assert_memory_equal(&use, &loaded, sizeof(use));
	}
	buffer_fini(&saved);
	budget_book_free(&book);
	budget_book_free(&other);
}

static void
a_damaged_book_is_refused_and_then_empty(void **state)
{
	struct budget budget = usual();
	struct budget_book *book = book_with(&budget);
	struct budget_use use;
	struct buffer saved;
	bool due;

	(void)state;
	buffer_init(&saved, 1024u * 1024u, false);
	for (uint32_t record = 1; record < 50; record++) {
		struct budget_look look = look_at(record, START_US + record * HOUR_US);

		assert_int_equal(budget_take(book, ROLE_AGENT, &look, &due, NULL), AZ_OK);
	}
	assert_int_equal(budget_save(book, &saved), AZ_OK);
	for (size_t size = 0; size < saved.size; size++)
		assert_int_equal(budget_load(book, bytes_make(saved.data, size), NULL), AZ_CORRUPT);
	budget_used(book, 7, BUDGET_SEARCHES, START_US + 49 * HOUR_US, &use);
	assert_int_equal(use.life, 0);
	saved.data[0] = 9;
	assert_int_equal(budget_load(book, buffer_peek(&saved), NULL), AZ_CORRUPT);
	buffer_fini(&saved);
	budget_book_free(&book);
}

static void
stored_forms_come_back_and_nothing_else_is_read(void **state)
{
	struct budget budget = usual();
	struct budget read = {0};
	struct budget_extension extension = {
	    .id = 3, .staff = 7, .class = BUDGET_CALLS, .day = 1, .until_us = START_US};
	struct budget_extension again = {0};
	struct buffer bytes;

	(void)state;
	buffer_init(&bytes, 1024, false);
	assert_int_equal(budget_encode(&budget, &bytes), AZ_OK);
	assert_int_equal(budget_decode(buffer_peek(&bytes), &read), AZ_OK);
	assert_memory_equal(&budget, &read, sizeof(read));
	for (size_t size = 0; size < bytes.size; size++)
		assert_int_equal(budget_decode(bytes_make(bytes.data, size), &read), AZ_INVALID);
	buffer_clear(&bytes);
	assert_int_equal(extension_encode(&extension, &bytes), AZ_OK);
	assert_int_equal(extension_decode(buffer_peek(&bytes), &again), AZ_OK);
	assert_int_equal(again.staff, 7);
	assert_int_equal(again.until_us, START_US);
	for (size_t size = 0; size < bytes.size; size++)
		assert_int_equal(
		    extension_decode(bytes_make(bytes.data, size), &again), AZ_INVALID);
	buffer_fini(&bytes);
}

/* Two questions that are allowed together fit together, or neither is asked. */
static void
what_goes_along_is_counted_before_it_is_asked(void **state)
{
	struct budget budget = usual();
	struct budget_book *book;
	struct budget_look look = look_at(1, START_US);

	(void)state;
	budget.minute = 3;
	book = book_with(&budget);
	look.along = 2;
	assert_int_equal(budget_check(book, ROLE_AGENT, &look, NULL), AZ_OK);
	look.along = 3;
	assert_int_equal(budget_check(book, ROLE_AGENT, &look, NULL), AZ_LIMIT);
	look.along = UINT32_MAX;
	assert_int_equal(budget_check(book, ROLE_AGENT, &look, NULL), AZ_LIMIT);
	look.along = 0;
	assert_int_equal(see(book, &look), AZ_OK);
	look.along = 1;
	assert_int_equal(budget_check(book, ROLE_AGENT, &look, NULL), AZ_OK);
	look.along = 2;
	assert_int_equal(budget_check(book, ROLE_AGENT, &look, NULL), AZ_LIMIT);
	budget_book_free(&book);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(i9_without_a_budget_nobody_is_seen),
	    cmocka_unit_test(a_look_of_no_class_or_of_nobody_is_denied),
	    cmocka_unit_test(the_day_ends_the_people_not_the_going_back),
	    cmocka_unit_test(classes_humans_and_clients_are_counted_apart),
	    cmocka_unit_test(a_steady_thief_is_stopped_after_the_promised_number),
	    cmocka_unit_test(a_clock_that_jumps_opens_nothing),
	    cmocka_unit_test(rates_count_what_was_not_found_too),
	    cmocka_unit_test(what_goes_along_is_counted_before_it_is_asked),
	    cmocka_unit_test(a_life_demands_a_review_and_goes_slowly_until_then),
	    cmocka_unit_test(an_extension_adds_until_it_ends),
	    cmocka_unit_test(every_count_is_exact_also_after_saving),
	    cmocka_unit_test(a_damaged_book_is_refused_and_then_empty),
	    cmocka_unit_test(stored_forms_come_back_and_nothing_else_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
