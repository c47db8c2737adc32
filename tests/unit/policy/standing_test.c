/* Standing approvals (I7): each limit alone refuses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/clock.h"
#include "policy/policy.h"

#define DAY      20500 /* 2026-02-16 */
#define NOW      ((int64_t)DAY * AZ_US_PER_DAY + 10 * 3600 * AZ_US_PER_S)
#define HOUR     (3600 * AZ_US_PER_S)
#define ALLOWED  (1u << STATEMENT_TIME | 1u << STATEMENT_STAFF)
#define TO       "age1recipient"
#define UNKNOWN  1440u
#define MORNING  (10u * 60u)
#define MIDNIGHT 0u

/* Approved an hour ago, of use each hour, never used. */
static struct standing_approval
sample(void)
{
	return (struct standing_approval){.id = 1,
	    .request = 4,
	    .asker = 2,
	    .approver = 1,
	    .approved_us = NOW - HOUR,
	    .generation = 3,
	    .limits = {.client = "c01",
		.recipient = TO,
		.columns = ALLOWED,
		.rows = 100,
		.every = 3600,
		.until = DAY + 2}};
}

static struct standing_use
use_at(int64_t now_us)
{
	return (struct standing_use){.staff = 2,
	    .keyed_us = NOW - 24 * HOUR,
	    .generation = 3,
	    .recipient = "",
	    .now_us = now_us,
	    .minute = MORNING};
}

static enum az_status
may(struct standing_approval standing, struct standing_use use)
{
	return policy_may_use(&standing, &use, NULL);
}

static void
within_its_limits_it_is_used(void **state)
{
	struct standing_use use = use_at(NOW);

	(void)state;
	assert_int_equal(may(sample(), use), AZ_OK);
	use.recipient = TO;
	use.columns = ALLOWED;
	use.rows = 100;
	assert_int_equal(may(sample(), use), AZ_OK);
	use.columns = 1u << STATEMENT_STAFF;
	use.rows = 1;
	assert_int_equal(may(sample(), use), AZ_OK);
}

static void
i7_nobody_else_uses_it(void **state)
{
	struct standing_use use = use_at(NOW);

	(void)state;
	use.staff = 1;
	assert_int_equal(may(sample(), use), AZ_DENIED);
	use.staff = 3;
	assert_int_equal(may(sample(), use), AZ_DENIED);
	use.staff = 0;
	assert_int_equal(may(sample(), use), AZ_DENIED);
	/* Nor who has that human's label and a key of after the approval. */
	use = use_at(NOW);
	use.keyed_us = NOW - HOUR - 1;
	assert_int_equal(may(sample(), use), AZ_OK);
	/* Where time stands still both are of one moment. */
	use.keyed_us = NOW - HOUR;
	assert_int_equal(may(sample(), use), AZ_DENIED);
}

static void
i7_nor_is_anything_else_done_by_it(void **state)
{
	struct standing_use use = use_at(NOW);

	(void)state;
	use.recipient = "age1recipienu";
	assert_int_equal(may(sample(), use), AZ_DENIED);
	use.recipient = "age1recipien";
	assert_int_equal(may(sample(), use), AZ_DENIED);
	use = use_at(NOW);
	for (unsigned int column = 0; column < 32; column++) {
		use.columns = 1u << column;
		assert_int_equal(
		    may(sample(), use), (ALLOWED & 1u << column) != 0 ? AZ_OK : AZ_DENIED);
		use.columns = ALLOWED | 1u << column;
		assert_int_equal(
		    may(sample(), use), (ALLOWED & 1u << column) != 0 ? AZ_OK : AZ_DENIED);
	}
	use = use_at(NOW);
	use.rows = 101;
	assert_int_equal(may(sample(), use), AZ_DENIED);
	use.rows = UINT32_MAX;
	assert_int_equal(may(sample(), use), AZ_DENIED);
}

static void
i7_not_before_its_time_has_come_again(void **state)
{
	struct standing_approval standing = sample();

	(void)state;
	standing.uses = 1;
	standing.last_us = NOW;
	assert_int_equal(may(standing, use_at(NOW)), AZ_DENIED);
	assert_int_equal(may(standing, use_at(NOW + 1)), AZ_DENIED);
	assert_int_equal(may(standing, use_at(NOW + HOUR - 1)), AZ_DENIED);
	assert_int_equal(may(standing, use_at(NOW + HOUR)), AZ_OK);
	/* A clock that went back is a doubt, however far. */
	assert_int_equal(may(standing, use_at(NOW - 1)), AZ_DENIED);
	assert_int_equal(may(standing, use_at(NOW - 24 * HOUR)), AZ_DENIED);
	assert_int_equal(may(standing, use_at(0)), AZ_DENIED);
	assert_int_equal(may(sample(), use_at(NOW - HOUR - 1)), AZ_DENIED);
	assert_int_equal(may(sample(), use_at(NOW - HOUR)), AZ_OK);
}

static void
i7_not_behind_its_last_day(void **state)
{
	int64_t end = (int64_t)(DAY + 3) * AZ_US_PER_DAY;

	(void)state;
	assert_int_equal(may(sample(), use_at(end - 1)), AZ_OK);
	assert_int_equal(may(sample(), use_at(end)), AZ_DENIED);
	assert_int_equal(may(sample(), use_at(INT64_MAX)), AZ_DENIED);
}

static void
i7_not_at_another_hour(void **state)
{
	struct standing_approval standing = sample();
	struct standing_use use = use_at(NOW);

	(void)state;
	standing.limits.opens = 9 * 60;
	standing.limits.closes = 10 * 60;
	assert_int_equal(may(standing, use), AZ_DENIED);
	use.minute = MORNING - 1;
	assert_int_equal(may(standing, use), AZ_OK);
	use.minute = 9 * 60 - 1;
	assert_int_equal(may(standing, use), AZ_DENIED);
	/* Over midnight. */
	standing.limits.opens = 22 * 60;
	standing.limits.closes = 2 * 60;
	use.minute = MIDNIGHT;
	assert_int_equal(may(standing, use), AZ_OK);
	use.minute = 2 * 60;
	assert_int_equal(may(standing, use), AZ_DENIED);
	use.minute = 22 * 60;
	assert_int_equal(may(standing, use), AZ_OK);
	/* An hour that cannot be is none, also where any hour will do. */
	use.minute = UNKNOWN;
	assert_int_equal(may(standing, use), AZ_DENIED);
	assert_int_equal(may(sample(), use), AZ_DENIED);
}

static void
i7_not_when_it_was_ended_nor_in_another_life(void **state)
{
	struct standing_approval standing = sample();
	struct standing_use use = use_at(NOW);

	(void)state;
	standing.ended_us = NOW - 1;
	assert_int_equal(may(standing, use), AZ_DENIED);
	use.generation = 4;
	assert_int_equal(may(sample(), use), AZ_DENIED);
	use.generation = 2;
	assert_int_equal(may(sample(), use), AZ_DENIED);
	use.generation = 0;
	assert_int_equal(may(sample(), use), AZ_DENIED);
}

static void
what_is_left_is_told(void **state)
{
	struct standing_approval standing = sample();

	(void)state;
	/* From ten in the morning to the end of the day after tomorrow, now and each hour. */
	assert_int_equal(standing_left(&standing, NOW), 62);
	assert_int_equal(standing_next_us(&standing, NOW), NOW);
	standing.uses = 1;
	standing.last_us = NOW;
	assert_int_equal(standing_left(&standing, NOW), 61);
	assert_int_equal(standing_next_us(&standing, NOW), NOW + HOUR);
	assert_int_equal(standing_left(&standing, NOW + 62 * HOUR - 1), 1);
	assert_int_equal(standing_left(&standing, NOW + 62 * HOUR), 0);
	standing.ended_us = NOW;
	assert_int_equal(standing_left(&standing, NOW), 0);
}

static void
limits_are_the_same_in_all_or_not(void **state)
{
	struct front_standing_add limits = sample().limits;
	struct front_standing_add other[8];

	(void)state;
	for (size_t i = 0; i < AZ_ARRAY_SIZE(other); i++)
		other[i] = limits;
	assert_true(standing_limits_equal(&limits, &other[0]));
	other[0].client[2] = '2';
	other[1].recipient[4] = 'R';
	other[2].columns |= 1u;
	other[3].rows++;
	other[4].every--;
	other[5].opens++;
	other[6].closes++;
	other[7].until++;
	for (size_t i = 0; i < AZ_ARRAY_SIZE(other); i++)
		assert_false(standing_limits_equal(&limits, &other[i]));
}

static void
it_is_read_as_it_was_written(void **state)
{
	struct standing_approval standing = sample();
	struct standing_approval read;
	struct buffer buffer;

	(void)state;
	standing.uses = 7;
	standing.last_us = NOW;
	standing.next = 99;
	standing.ended_us = NOW + 1;
	standing.ended_by = 1;
	buffer_init(&buffer, 4096, false);
	assert_int_equal(standing_encode(&standing, &buffer), AZ_OK);
	assert_int_equal(standing_decode(buffer_peek(&buffer), &read), AZ_OK);
	assert_int_equal(read.id, 1);
	assert_int_equal(read.request, 4);
	assert_int_equal(read.asker, 2);
	assert_int_equal(read.approver, 1);
	assert_int_equal(read.approved_us, NOW - HOUR);
	assert_int_equal(read.generation, 3);
	assert_int_equal(read.uses, 7);
	assert_int_equal(read.last_us, NOW);
	assert_int_equal(read.next, 99);
	assert_int_equal(read.ended_us, NOW + 1);
	assert_int_equal(read.ended_by, 1);
	assert_true(standing_limits_equal(&read.limits, &standing.limits));
	for (size_t cut = 0; cut < buffer.size; cut++)
		assert_int_equal(standing_decode(bytes_make(buffer.data, cut), &read), AZ_INVALID);
	assert_int_equal(buffer_append(&buffer, bytes_of("x")), AZ_OK);
	assert_int_equal(standing_decode(buffer_peek(&buffer), &read), AZ_INVALID);
	buffer_fini(&buffer);
}

static void
what_cannot_be_is_not_read(void **state)
{
	struct standing_approval bad[10];
	struct standing_approval read;

	(void)state;
	for (size_t i = 0; i < AZ_ARRAY_SIZE(bad); i++)
		bad[i] = sample();
	bad[0].id = 0;
	bad[1].asker = 0;
	bad[2].approver = 0;
	bad[3].generation = 0;
	bad[4].uses = 1;
	bad[5].limits.columns = 0;
	bad[6].limits.columns = 1u << STATEMENT_COUNT;
	bad[7].limits.rows = FRONT_STATEMENT_ROWS + 1;
	bad[8].limits.every = 0;
	bad[9].limits.recipient[0] = '\0';
	for (size_t i = 0; i < AZ_ARRAY_SIZE(bad); i++) {
		struct buffer buffer;

		buffer_init(&buffer, 4096, false);
		assert_int_equal(standing_encode(&bad[i], &buffer), AZ_OK);
		assert_int_equal(standing_decode(buffer_peek(&buffer), &read), AZ_INVALID);
		buffer_fini(&buffer);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(within_its_limits_it_is_used),
	    cmocka_unit_test(i7_nobody_else_uses_it),
	    cmocka_unit_test(i7_nor_is_anything_else_done_by_it),
	    cmocka_unit_test(i7_not_before_its_time_has_come_again),
	    cmocka_unit_test(i7_not_behind_its_last_day),
	    cmocka_unit_test(i7_not_at_another_hour),
	    cmocka_unit_test(i7_not_when_it_was_ended_nor_in_another_life),
	    cmocka_unit_test(what_is_left_is_told),
	    cmocka_unit_test(limits_are_the_same_in_all_or_not),
	    cmocka_unit_test(it_is_read_as_it_was_written),
	    cmocka_unit_test(what_cannot_be_is_not_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
