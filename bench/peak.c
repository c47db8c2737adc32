/*
 * bench-peak PID: how much memory PID and all that it started take at most, files not counted: anonymous and shared
 * memory, summed over the processes fifty times a second until it is told to end (SIGTERM). Its own is not counted.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "measure.h"

#define PAUSE_US 20000u
#define DEEPEST  8u

static volatile sig_atomic_t is_over;

static void
on_signal(int number)
{
	(void)number;
	is_over = 1;
}

/* KiB of one process; 0 if it has gone. */
static unsigned long
memory_of(pid_t pid)
{
	char text[64];
	FILE *file;
	unsigned long sum = 0;
	unsigned long value;

	(void)snprintf(text, sizeof(text), "/proc/%d/status", (int)pid);
	file = fopen(text, "re");
	while (file != NULL && fgets(text, sizeof(text), file) != NULL) {
		if (sscanf(text, "RssAnon: %lu", &value) == 1 ||
		    sscanf(text, "RssShmem: %lu", &value) == 1)
			sum += value;
	}
	if (file != NULL)
		(void)fclose(file);
	return sum;
}

static unsigned long
memory_below(pid_t pid, unsigned int depth)
{
	char path[64];
	FILE *file;
	unsigned long sum = pid == getpid() ? 0 : memory_of(pid);
	int child;

	(void)snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)pid, (int)pid);
	file = depth == DEEPEST ? NULL : fopen(path, "re");
	while (file != NULL && fscanf(file, "%d", &child) == 1)
		sum += memory_below((pid_t)child, depth + 1);
	if (file != NULL)
		(void)fclose(file);
	return sum;
}

int
main(int argc, char **argv)
{
	struct sigaction action = {.sa_handler = on_signal};
	long root = argc == 2 ? strtol(argv[1], NULL, 10) : 0;
	unsigned long peak = 0;

	if (root <= 0) {
		(void)fprintf(stderr, "usage: bench-peak PID\n");
		return 2;
	}
	if (sigaction(SIGTERM, &action, NULL) != 0)
		bench_die("a signal", NULL);
	while (!is_over) {
		unsigned long now = memory_below((pid_t)root, 0);

		peak = now > peak ? now : peak;
		(void)usleep(PAUSE_US);
	}
	bench_result("entrust-peak-mib", (double)peak / 1024);
	return 0;
}
