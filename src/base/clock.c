/*
 * Calendar arithmetic and the printed forms of time.
 *
 * Days are counted in the proleptic Gregorian calendar. The year is taken to begin on 1 March, so
 * that the leap day is its last; then the days before month m of such a year are (153 m + 2) / 5, and
 * 400 years are always 146,097 days.
 *
 * The zone is read once, at the first local time or at sandbox_enter, because a process that has
 * shut itself in can no longer read the zone files.
 */
#include "base/clock.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define DAYS_PER_ERA  146097  /* 400 years */
#define DAYS_TO_EPOCH 719468  /* from 0000-03-01 to 1970-01-01 */
#define DATE_MIN_DAYS -719162 /* 0001-01-01 */
#define DATE_MAX_DAYS 2932896 /* 9999-12-31 */

static int64_t
clock_read(clockid_t id)
{
	struct timespec now = {0};
	int result = clock_gettime(id, &now);

	assert(result == 0);
	return (int64_t)now.tv_sec * AZ_US_PER_S + now.tv_nsec / 1000;
}

int64_t
clock_now_us(void)
{
	return clock_read(CLOCK_REALTIME);
}

int64_t
clock_monotonic_us(void)
{
	return clock_read(CLOCK_MONOTONIC);
}

int64_t
clock_jump(struct clock_watch *watch, int64_t wall_us, int64_t steady_us)
{
	int64_t moved = (wall_us - watch->wall_us) - (steady_us - watch->steady_us);
	bool is_told = watch->is_set && (moved >= CLOCK_JUMP_US || moved <= -CLOCK_JUMP_US);

	if (!watch->is_set || is_told)
		*watch = (struct clock_watch){
		    .is_set = true, .wall_us = wall_us, .steady_us = steady_us};
	return is_told ? moved : 0;
}

static bool
year_is_leap(int year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

bool
date_from_civil(int year, int month, int day, int32_t *ret_days)
{
	static const int month_days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	if (year < 1 || year > 9999 || month < 1 || month > 12 || day < 1)
		return false;
	if (day > month_days[month - 1] + (month == 2 && year_is_leap(year)))
		return false;

	int32_t march_year = month > 2 ? year : year - 1;
	int32_t march_month = month > 2 ? month - 3 : month + 9;
	int32_t days = march_year * 365 + march_year / 4 - march_year / 100 + march_year / 400;
	*ret_days = days + (153 * march_month + 2) / 5 + day - 1 - DAYS_TO_EPOCH;
	return true;
}

bool
date_parse(const char *text, int32_t *ret_days)
{
	static const char pattern[] = "0000-00-00";

	if (strlen(text) != sizeof(pattern) - 1)
		return false;
	for (size_t i = 0; i < sizeof(pattern) - 1; i++) {
		bool digit = text[i] >= '0' && text[i] <= '9';
		if (pattern[i] == '0' ? !digit : text[i] != '-')
			return false;
	}
	int year =
	    (text[0] - '0') * 1000 + (text[1] - '0') * 100 + (text[2] - '0') * 10 + (text[3] - '0');
	int month = (text[5] - '0') * 10 + (text[6] - '0');
	int day = (text[8] - '0') * 10 + (text[9] - '0');
	return date_from_civil(year, month, day, ret_days);
}

void
date_to_civil(int32_t days, int *ret_year, int *ret_month, int *ret_day)
{
	int32_t shifted = days + DAYS_TO_EPOCH;
	int32_t era = shifted / DAYS_PER_ERA;
	int32_t day_of_era = shifted % DAYS_PER_ERA;
	/* The last day of a cycle of 4 years, of a century's end and of the era is the leap day. */
	int32_t year_of_era =
	    (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	int32_t day_of_year =
	    day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int32_t march_month = (5 * day_of_year + 2) / 153;
	*ret_day = day_of_year - (153 * march_month + 2) / 5 + 1;
	*ret_month = march_month < 10 ? march_month + 3 : march_month - 9;
	*ret_year = era * 400 + year_of_era + (*ret_month <= 2);
}

void
date_format(int32_t days, char text[11])
{
	int year;
	int month;
	int day;

	if (days < DATE_MIN_DAYS || days > DATE_MAX_DAYS) {
		memcpy(text, "-", 2);
		return;
	}
	date_to_civil(days, &year, &month, &day);
	(void)snprintf(text, 11, "%04u-%02u-%02u", (unsigned)year % 10000, (unsigned)month % 100,
	    (unsigned)day % 100);
}

/* Splits microseconds into whole seconds, rounded down, and the rest. */
static time_t
time_split(int64_t time_us, unsigned *ret_us)
{
	int64_t seconds = time_us / AZ_US_PER_S;
	int64_t rest = time_us % AZ_US_PER_S;

	if (rest < 0) {
		seconds--;
		rest += AZ_US_PER_S;
	}
	*ret_us = (unsigned)rest;
	return (time_t)seconds;
}

void
clock_format_local(int64_t time_us, char *text, size_t room)
{
	unsigned us = 0;
	time_t seconds = time_split(time_us, &us);
	struct tm tm = {0};

	if (!localtime_r(&seconds, &tm)) {
		(void)snprintf(text, room, "-");
		return;
	}
	long offset = tm.tm_gmtoff < 0 ? -tm.tm_gmtoff : tm.tm_gmtoff;
	(void)snprintf(text, room, "%04d-%02d-%02d %02d:%02d:%02d %c%02ld:%02ld", tm.tm_year + 1900,
	    tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
	    tm.tm_gmtoff < 0 ? '-' : '+', offset / 3600, offset / 60 % 60);
}

void
clock_format_utc(int64_t time_us, char *text, size_t room)
{
	unsigned us = 0;
	time_t seconds = time_split(time_us, &us);
	struct tm tm = {0};

	if (!gmtime_r(&seconds, &tm)) {
		(void)snprintf(text, room, "-");
		return;
	}
	(void)snprintf(text, room, "%04d-%02d-%02dT%02d:%02d:%02d.%06uZ", tm.tm_year + 1900,
	    tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, us);
}
