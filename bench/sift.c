/*
 * What `scan --case` does with a file, measured: the scanner reads it and tells what telephones and mails say, the front
 * hands that on, the keeper makes fingerprints of it and holds them against a sieve of so many people; then what was held
 * back is matched exactly. Three processes, as in life, and the same code; only the house's fingerprints are made up, so
 * that whatever is found in the end is false.
 *
 *	bench-sift SCANNER FILE PEOPLE      prints: GB a second of processor time, values, held back, found
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/frame.h"
#include "base/proc.h"
#include "base/sort.h"
#include "base/wire.h"
#include "crypto/hash.h"
#include "proto/scan.h"
#include "trace/sift.h"

#define OUT_MAX (2u * SCAN_BODY_MAX)

static void
must(bool good, const char *what)
{
	if (good)
		return;
	(void)fprintf(stderr, "bench-sift: %s\n", what);
	exit(1);
}

static double
cpu_seconds(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* --- the keeper ------------------------------------------------------------------------------- */

struct result {
	double seconds, build;
	uint64_t taken, held, found;
};

/* A telephone and a mail each, as numbers that no file has. */
static struct trace_print *
made_up_prints(size_t count)
{
	struct trace_print *prints = calloc(count, sizeof(*prints));
	uint8_t *scratch = calloc(count, sizeof(*prints));
	uint64_t seed;

	must(prints != NULL && scratch != NULL, "out of memory");
	random_bytes(&seed, sizeof(seed));
	for (size_t i = 0; i < count; i++) {
		uint64_t number = seed += UINT64_C(0x9e3779b97f4a7c15);

		number = (number ^ number >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
		number = (number ^ number >> 27) * UINT64_C(0x94d049bb133111eb);
		wire_store_u64be(prints[i].bytes, number ^ number >> 31);
		wire_store_u32be(prints[i].bytes + 8, (uint32_t)i / 2 + 1);
	}
	sort_entries(prints[0].bytes, scratch, count, sizeof(*prints), 0);
	free(scratch);
	return prints;
}

static struct result
keep(int fd, size_t people)
{
	static const uint8_t house[HOUSE_ID_SIZE] = {1};
	struct trace_print *prints = made_up_prints(2 * people);
	struct secret *key = NULL;
	struct trace_keys *keys = NULL;
	struct trace_sift *sift = NULL;
	struct result result = {.build = cpu_seconds()};
	struct link link;
	struct frame frame;
	size_t found = 0;

	must(secret_random(KEY_SIZE, &key, NULL) == AZ_OK &&
		trace_keys_new(key, house, &keys, NULL) == AZ_OK &&
		trace_sift_new(keys, 2 * people, &sift, NULL) == AZ_OK,
	    "no keys");
	trace_sift_add(sift, prints, 2 * people);
	result.build = cpu_seconds() - result.build;
	link_init(&link, fd, LINK_BLOCKING, SCAN_BODY_MAX, OUT_MAX, true);
	must(link_queue(&link, SIFT_END, 0, bytes_make(NULL, 0)) == AZ_OK &&
		link_flush(&link, NULL) == AZ_OK,
	    "cannot begin");
	result.seconds = cpu_seconds();
	for (;;) {
		must(link_receive(&link, &frame, NULL) == AZ_OK, "the front has gone");
		if (frame.type == SIFT_END)
			break;
		must(trace_sift_take(sift, frame.body, NULL) == AZ_OK, "malformed");
	}
	result.seconds = cpu_seconds() - result.seconds;
	result.taken = trace_sift_taken(sift);
	result.held = trace_sift_held(sift);
	must(trace_sift_close(sift, NULL) == AZ_OK &&
		trace_sift_match(sift, 0, prints, 2 * people, NULL) == AZ_OK &&
		trace_sift_settle(sift, NULL) == AZ_OK,
	    "out of memory");
	(void)trace_sift_found(sift, &found);
	result.found = found;
	return result;
}

/* --- the front -------------------------------------------------------------------------------- */

static pid_t
start_scanner(const char *path, struct link *ret_link)
{
	int pair[2];
	pid_t pid;

	must(proc_socketpair(pair, NULL) == AZ_OK, "no socket");
	pid = fork();
	if (pid == 0) {
		(void)dup2(pair[1], 3);
		(void)execl(path, path, (char *)NULL);
		_exit(1);
	}
	(void)close(pair[1]);
	link_init(ret_link, pair[0], LINK_BLOCKING, SCAN_BODY_MAX, OUT_MAX, true);
	return pid;
}

static void
ask(struct link *scanner, const char *path)
{
	struct scan_read read = {.bytes_max = UINT64_C(1) << 40,
	    .time_max_us = UINT64_C(600000000),
	    .flags = SCAN_FLAG_TOKENS};
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct wire_writer writer;
	struct buffer body;

	buffer_init(&body, 64, false);
	wire_writer_init(&writer, &body);
	scan_read_put(&writer, &read);
	must(fd >= 0 && link_send_fd(scanner, SCAN_READ, 1, buffer_peek(&body), fd, NULL) == AZ_OK,
	    "the scanner cannot be asked");
	(void)close(fd);
	buffer_fini(&body);
}

static void
relay(struct link *scanner, struct link *keeper)
{
	struct buffer body;
	struct frame frame = {0};

	buffer_init(&body, SCAN_BODY_MAX + 64, true);
	while (frame.type != SCAN_DONE) {
		struct wire_reader reader;
		struct wire_writer writer;
		char member[1024];

		must(link_receive(scanner, &frame, NULL) == AZ_OK, "the scanner has ended");
		if (frame.type != SCAN_TOKENS)
			continue;
		wire_reader_init(&reader, frame.body);
		wire_get_text(&reader, member, sizeof(member));
		wire_writer_init(&writer, &body);
		wire_put_u32(&writer, 1);
		must(buffer_append(&body, wire_get_bytes(&reader, SCAN_BODY_MAX)) == AZ_OK &&
			link_queue(keeper, SIFT_TOKENS, 0, buffer_peek(&body)) == AZ_OK &&
			link_flush(keeper, NULL) == AZ_OK,
		    "the keeper has gone");
		buffer_clear(&body);
	}
	must(link_queue(keeper, SIFT_END, 0, bytes_make(NULL, 0)) == AZ_OK &&
		link_flush(keeper, NULL) == AZ_OK,
	    "the keeper has gone");
	buffer_fini(&body);
}

int
main(int argc, char **argv)
{
	int pair[2];
	int result_pipe[2];
	size_t people = argc == 4 ? strtoul(argv[3], NULL, 10) : 0;
	struct link scanner;
	struct link keeper;
	struct frame frame;
	struct result result;
	struct rusage scanned;
	struct stat info;
	double own;
	double seconds;
	pid_t pid;

	must(people > 0 && stat(argv[2], &info) == 0, "usage: bench-sift SCANNER FILE PEOPLE");
	must(proc_socketpair(pair, NULL) == AZ_OK && pipe(result_pipe) == 0, "no socket");
	if (fork() == 0) {
		(void)close(pair[0]);
		result = keep(pair[1], people);
		_exit(write(result_pipe[1], &result, sizeof(result)) != sizeof(result));
	}
	(void)close(pair[1]);
	link_init(&keeper, pair[0], LINK_BLOCKING, SCAN_BODY_MAX, OUT_MAX, true);
	must(link_receive(&keeper, &frame, NULL) == AZ_OK, "the keeper does not begin");
	own = cpu_seconds();
	pid = start_scanner(argv[1], &scanner);
	ask(&scanner, argv[2]);
	relay(&scanner, &keeper);
	own = cpu_seconds() - own;
	link_fini(&scanner);
	must(wait4(pid, NULL, 0, &scanned) == pid, "the scanner does not end");
	must(read(result_pipe[0], &result, sizeof(result)) == sizeof(result), "no result");
	seconds = (double)(scanned.ru_utime.tv_sec + scanned.ru_stime.tv_sec) +
	    (double)(scanned.ru_utime.tv_usec + scanned.ru_stime.tv_usec) / 1e6;
	(void)fprintf(stderr,
	    "scanner %.3f s, front %.3f s, keeper %.3f s; sieve of %zu people in %.2f s\n", seconds,
	    own, result.seconds, people, result.build);
	seconds += own + result.seconds;
	(void)printf("%.3f %llu %llu %llu\n", (double)info.st_size / 1e9 / seconds,
	    (unsigned long long)result.taken, (unsigned long long)result.held,
	    (unsigned long long)result.found);
	return 0;
}
