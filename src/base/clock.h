/*
 * Time. Stored times are int64 microseconds since 1970-01-01 UTC; dates are int32 days since then.
 */
#ifndef AZ_BASE_CLOCK_H
#define AZ_BASE_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

#define AZ_DATE_NONE  INT32_MIN
#define AZ_US_PER_S   INT64_C(1000000)
#define AZ_US_PER_DAY (INT64_C(86400) * AZ_US_PER_S)

int64_t clock_now_us(void);       /* wall clock, may jump */
int64_t clock_monotonic_us(void); /* never jumps, from an arbitrary origin */

/*
 * Watches the wall clock against the one that never jumps. Zero it, and ask about once a second: the answer is how far the wall
 * clock was moved since the last jump that was told, forwards above 0, or 0 while that is less than CLOCK_JUMP_US. Many
 * small steps add up to one jump; a clock that is only made to run slower or faster moves both, and is none.
 */
#define CLOCK_JUMP_US (2 * AZ_US_PER_S)
struct clock_watch {
	bool is_set;
	int64_t wall_us, steady_us;
};
int64_t clock_jump(struct clock_watch *watch, int64_t wall_us, int64_t steady_us);

/* "YYYY-MM-DD" to days, proleptic Gregorian, years 1 to 9999; false if it is not a real date. */
bool date_parse(const char *text, int32_t *ret_days) AZ_CHECKED;
bool date_from_civil(int year, int month, int day, int32_t *ret_days) AZ_CHECKED;
/* The other way; days must be within years 1 to 9999. */
void date_to_civil(int32_t days, int *ret_year, int *ret_month, int *ret_day);
/* text needs 11 bytes. Days outside years 1 to 9999 give "-". */
void date_format(int32_t days, char text[11]);

/*
 * Local date-time with offset, e.g. "2026-04-01 09:30:12 +09:00", in the zone of TZ, which is read once;
 * "-" if the year is beyond what can be told. Cut to room.
 */
void clock_format_local(int64_t time_us, char *text, size_t room);
/* RFC 3339 in UTC with microseconds, e.g. "2026-04-01T00:30:12.000001Z". */
void clock_format_utc(int64_t time_us, char *text, size_t room);

#endif
