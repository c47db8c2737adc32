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
