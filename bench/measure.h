/*
 * What the measurements share: times, the processor's share of a process, and what the disk itself can do.
 *
 * A result is one line on stdout, "result NAME VALUE", which scripts/bench.sh puts into its table; everything
 * for people is on stderr. Whatever cannot be measured ends the program with bench_die.
 */
#ifndef AZ_BENCH_MEASURE_H
#define AZ_BENCH_MEASURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/status.h"

/* Prints what failed and ends with exit code 1. */
_Noreturn void bench_die(const char *what, const struct az_err *err);
/* Ends if status is not AZ_OK. */
void bench_check(const char *what, enum az_status status, const struct az_err *err);

void bench_result(const char *name, double value);
void bench_say(const char *format, ...) AZ_PRINTF(1, 2);

/* Nanoseconds of a clock that never jumps. */
int64_t bench_now_ns(void);

/* A number from the environment, or fallback; ends if it is none. */
uint64_t bench_setting(const char *name, uint64_t fallback);

/* Durations in nanoseconds, for percentiles. */
struct samples {
	int64_t *ns;
	size_t count, room;
};
void samples_add(struct samples *samples, int64_t ns);
/* Sorts; at is 0 to 1. Ends if there are none. */
double samples_us(struct samples *samples, double at);
void samples_fini(struct samples *samples);

double bench_median(double *values, size_t count);

/* So far: seconds of processor time (user and system), reads of mapped pages from the disk, largest MiB in memory. */
double process_cpu(pid_t pid);
uint64_t process_major_faults(pid_t pid);
double process_peak_mib(pid_t pid);
/* The child of parent whose command begins with name (15 characters count); 0 if there is none. */
pid_t process_child(pid_t parent, const char *name);

/*
 * What any durable write must cost here, in flushes of 4 KiB: at the end of a file that grows, as a program without
 * preparation writes, and into a file of zeros, as the write-ahead log does.
 */
struct raw_disk {
	int growing, zeroed;
	uint64_t growing_size;
};
void raw_disk_init(struct raw_disk *raw, int dirfd);
/* One append and fdatasync; how long it took. */
int64_t raw_disk_append_ns(struct raw_disk *raw);
/* Flushes a second into the file of zeros, over so many milliseconds. */
double raw_disk_rate(struct raw_disk *raw, int64_t ms);
void raw_disk_fini(struct raw_disk *raw);

/* A new empty folder in BENCH_DIR (default /var/tmp); ends if that lies in memory. path needs 256 bytes. */
int bench_folder(char *path, size_t room);
void bench_folder_remove(const char *path);

/* Runs a program with these arguments and waits; stdout to the file out, which is new, or nowhere (NULL). Ends if it fails. */
void bench_run(const char *program, const char *state, const char *out, const char *const *argv);

#endif
