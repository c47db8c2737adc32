/*
 * Fills the queue of a guard as the guard would, and is killed at its writes.
 *
 *	feed STATE EVENTS EVERY
 *
 * EVENTS events, a simulated week apart in all, are to be in the queue of STATE at the end. A child appends them, and is
 * killed at a write or flush: at the first, at the second, at the first … of each child for the first 300 events, and from
 * then on at every EVERY-th. The next child looks what the last event is that is there, and goes on behind it, as the guard
 * does: what was not acknowledged may be there or not.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "guard/connect.h"
#include "guard/queue.h"
#include "guard/teller.h"

#define ALWAYS 300u

static unsigned int writes_left; /* until the end; 0: no end */

static void
count_write(void)
{
	if (writes_left != 0 && --writes_left == 0)
		(void)kill(getpid(), SIGKILL);
}

/* In place of libc's: the queue, being linked statically, calls these. */
ssize_t pwrite64(int fd, const void *data, size_t size, off64_t offset);
ssize_t
pwrite64(int fd, const void *data, size_t size, off64_t offset)
{
	static ssize_t (*real)(int, const void *, size_t, off64_t);

	if (real == NULL)
		*(void **)&real = dlsym(RTLD_NEXT, "pwrite64");
	count_write();
	return real(fd, data, size, offset);
}

int
fdatasync(int fd)
{
	/* After kill -9 the page cache holds: what it would cost on this disk teaches nothing. */
	(void)fd;
	count_write();
	return 0;
}

static unsigned int
number_of(const struct endpoint_event *event)
{
	unsigned int number = 0;

	return sscanf(event->label, "event %u", &number) == 1 ? number : 0;
}

/* The number of the last event that is there. */
static unsigned int
last_in(struct queue *queue)
{
	struct endpoint_event event;

	if (queue_last(queue) == 0 || queue_read(queue, queue_last(queue), &event, NULL) != AZ_OK)
		return 0;
	return number_of(&event);
}

static int
append_all(int dirfd, unsigned int events, int64_t begin_us)
{
	struct key_file key = {0};
	struct queue *queue = NULL;
	struct az_err err = {0};
	unsigned int number;

	if (connect_key(dirfd, &key, &err) != AZ_OK ||
	    queue_open(dirfd, key.house, key.seed, QUEUE_ROOM, &queue, &err) != AZ_OK) {
		(void)fprintf(stderr, "feed: %s\n", err.text);
		return 1;
	}
	for (number = last_in(queue) + 1; number <= events; number++) {
		struct endpoint_event event = {.kind = ENDPOINT_REFUSED,
		    .interface_class = 8,
		    .vendor = 0x46f4,
		    .product = 1,
		    .time_us = begin_us + 7 * AZ_US_PER_DAY / events * number};

		(void)snprintf(event.label, sizeof(event.label), "event %u", number);
		if (queue_append(queue, &event, &err) != AZ_OK) {
			(void)fprintf(stderr, "feed: %s\n", err.text);
			return 1;
		}
	}
	queue_close(&queue);
	key_file_fini(&key);
	return 0;
}

/* How many events there are. */
static unsigned int
count_in(int dirfd)
{
	struct key_file key = {0};
	struct queue *queue = NULL;
	unsigned int count = 0;

	if (connect_key(dirfd, &key, NULL) == AZ_OK &&
	    queue_open(dirfd, key.house, key.seed, QUEUE_ROOM, &queue, NULL) == AZ_OK)
		count = last_in(queue);
	queue_close(&queue);
	key_file_fini(&key);
	return count;
}

int
main(int argc, char **argv)
{
	unsigned int events = argc == 4 ? (unsigned int)strtoul(argv[2], NULL, 10) : 0;
	unsigned int every = argc == 4 ? (unsigned int)strtoul(argv[3], NULL, 10) : 0;
	int dirfd = argc == 4 ? open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	int64_t begin_us = clock_now_us() - 7 * AZ_US_PER_DAY;
	unsigned int kills = 0;
	int status = 0;

	if (events == 0 || every == 0 || dirfd < 0)
		return 2;
	/* The folder's queue is made before: that it is made whole or not at all is another test's. */
	if (append_all(dirfd, 0, begin_us) != 0)
		return 1;
	do {
		unsigned int there = count_in(dirfd);
		pid_t child = fork();

		if (child == 0) {
			writes_left = there < ALWAYS ? 1 + kills % 2 : every + kills % 2;
			_exit(append_all(dirfd, events, begin_us));
		}
		if (child < 0 || waitpid(child, &status, 0) != child)
			return 1;
		kills += WIFSIGNALED(status) ? 1 : 0;
	} while (WIFSIGNALED(status));
	(void)printf("%u\n", kills);
	return WEXITSTATUS(status);
}
