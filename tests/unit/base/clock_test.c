#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"

static void
known_dates_have_known_days(void **state)
{
	static const struct {
		const char *text;
		int32_t days;
	} known[] = {
	    {"1970-01-01", 0},
	    {"1969-12-31", -1},
	    {"2000-02-29", 11016},
	    {"2000-03-01", 11017},
	    {"2026-04-01", 20544},
	    {"1900-03-01", -25508},
	    {"0001-01-01", -719162},
	    {"9999-12-31", 2932896},
	};

	for (size_t i = 0; i < AZ_ARRAY_SIZE(known); i++) {
		int32_t days = 0;
		char text[11];
		assert_true(date_parse(known[i].text, &days));
		assert_int_equal(days, known[i].days);
		date_format(days, text);
		assert_string_equal(text, known[i].text);
	}
}

static void
impossible_dates_are_refused(void **state)
{
	static const char *const bad[] = {
	    "",
	    "2026-04-1",
	    "2026-4-01",
	    "2026-04-011",
	    " 2026-04-01",
	    "2026-04-01 ",
	    "2026/04/01",
	    "20260401",
	    "2026-00-01",
	    "2026-13-01",
	    "2026-04-00",
	    "2026-04-31",
	    "2026-02-29",
	    "1900-02-29",
	    "2000-02-30",
	    "0000-01-01",
	    "-001-01-01",
	    "+026-04-01",
	    "202a-04-01",
	    "2026-04-0/",
	    "2026-04-0:",
	    "２０２６",
	};
	int32_t days = 42;

	for (size_t i = 0; i < AZ_ARRAY_SIZE(bad); i++)
		assert_false(date_parse(bad[i], &days));
	assert_false(date_from_civil(10000, 1, 1, &days));
	assert_false(date_from_civil(2026, INT32_MIN, 1, &days));
	assert_false(date_from_civil(2026, 1, INT32_MAX, &days));
	assert_false(date_from_civil(INT32_MIN, 1, 1, &days));
	assert_int_equal(days, 42);
}

static void
days_agree_with_the_c_library(void **state)
{
	for (int32_t days = -719162; days <= 2932896; days += 37) {
		time_t seconds = (time_t)days * 86400;
		struct tm tm = {0};
		char text[11];
		int32_t back = 0;
		assert_non_null(gmtime_r(&seconds, &tm));
		assert_true(date_from_civil(tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, &back));
		assert_int_equal(back, days);
		date_format(days, text);
		assert_true(date_parse(text, &back));
		assert_int_equal(back, days);
	}
}

static void
days_beyond_the_calendar_print_as_a_dash(void **state)
{
	static const int32_t beyond[] = {AZ_DATE_NONE, -719163, 2932897, INT32_MAX};

	for (size_t i = 0; i < AZ_ARRAY_SIZE(beyond); i++) {
		char text[11] = "xxxxxxxxxx";
		date_format(beyond[i], text);
		assert_string_equal(text, "-");
	}
}

static void
utc_has_microseconds_also_before_1970(void **state)
{
	char text[40];

	clock_format_utc(INT64_C(1775003412000001), text, sizeof(text));
	assert_string_equal(text, "2026-04-01T00:30:12.000001Z");
	clock_format_utc(-1, text, sizeof(text));
	assert_string_equal(text, "1969-12-31T23:59:59.999999Z");
	clock_format_utc(-AZ_US_PER_S, text, sizeof(text));
	assert_string_equal(text, "1969-12-31T23:59:59.000000Z");
}

static void
the_largest_times_do_not_overrun(void **state)
{
	char text[64];

	clock_format_utc(INT64_MAX, text, sizeof(text));
	assert_true(strlen(text) > 20);
	clock_format_utc(INT64_MIN, text, sizeof(text));
	assert_true(strlen(text) > 20);
	clock_format_local(INT64_MIN, text, sizeof(text));
	assert_true(strlen(text) > 20);
	memset(text, 'x', sizeof(text));
	clock_format_utc(0, text, 5);
	assert_string_equal(text, "1970");
	clock_format_local(0, text, 3);
	assert_string_equal(text, "19");
}

static void
set_zone(const char *zone)
{
	assert_int_equal(setenv("TZ", zone, 1), 0);
	tzset();
}

static void
local_time_has_the_zone_s_offset(void **state)
{
	char text[40];

	set_zone("JST-9");
	clock_format_local(INT64_C(1775003412000001), text, sizeof(text));
	assert_string_equal(text, "2026-04-01 09:30:12 +09:00");
	set_zone("NST3:30");
	clock_format_local(INT64_C(1775003412000001), text, sizeof(text));
	assert_string_equal(text, "2026-03-31 21:00:12 -03:30");
	set_zone("UTC0");
	clock_format_local(-1, text, sizeof(text));
	assert_string_equal(text, "1969-12-31 23:59:59 +00:00");
	assert_int_equal(unsetenv("TZ"), 0);
}

static void
the_monotonic_clock_does_not_go_back(void **state)
{
	int64_t before = clock_monotonic_us();

	for (int i = 0; i < 1000; i++) {
		int64_t now = clock_monotonic_us();
		assert_true(now >= before);
		before = now;
	}
}

static void
the_wall_clock_counts_microseconds_since_1970(void **state)
{
	int64_t seconds = (int64_t)time(NULL);
	int64_t now = clock_now_us();

	assert_in_range(now / AZ_US_PER_S, seconds - 1, seconds + 2);
}

static void
a_jump_is_told_once_and_small_steps_add_up(void **state)
{
	struct clock_watch watch = {0};
	int64_t wall = INT64_C(1000) * AZ_US_PER_S;
	int64_t steady = 7;

	(void)state;
	/* The first look is of no use, whatever the clock says. */
	assert_int_equal(clock_jump(&watch, wall, steady), 0);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(clock_jump(&watch, wall += AZ_US_PER_S, steady += AZ_US_PER_S), 0);
	wall += INT64_C(3600) * AZ_US_PER_S;
	assert_int_equal(clock_jump(&watch, wall, steady), INT64_C(3600) * AZ_US_PER_S);
	assert_int_equal(clock_jump(&watch, wall, steady), 0);
	wall -= INT64_C(7200) * AZ_US_PER_S;
	assert_int_equal(clock_jump(&watch, wall, steady), -INT64_C(7200) * AZ_US_PER_S);
	assert_int_equal(clock_jump(&watch, wall += CLOCK_JUMP_US - 1, steady), 0);
	assert_int_equal(clock_jump(&watch, wall += 1, steady), CLOCK_JUMP_US);
	assert_int_equal(clock_jump(&watch, wall -= CLOCK_JUMP_US - 1, steady), 0);
	/* Back again is no jump at all. */
	assert_int_equal(clock_jump(&watch, wall += CLOCK_JUMP_US - 1, steady), 0);
	/* A machine that slept: the wall clock went on. */
	assert_int_equal(clock_jump(&watch, wall += AZ_US_PER_DAY, steady += 5), AZ_US_PER_DAY - 5);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(known_dates_have_known_days),
	    cmocka_unit_test(impossible_dates_are_refused),
	    cmocka_unit_test(days_agree_with_the_c_library),
	    cmocka_unit_test(days_beyond_the_calendar_print_as_a_dash),
	    cmocka_unit_test(utc_has_microseconds_also_before_1970),
	    cmocka_unit_test(the_largest_times_do_not_overrun),
	    cmocka_unit_test(local_time_has_the_zone_s_offset),
	    cmocka_unit_test(a_jump_is_told_once_and_small_steps_add_up),
	    cmocka_unit_test(the_monotonic_clock_does_not_go_back),
	    cmocka_unit_test(the_wall_clock_counts_microseconds_since_1970),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
