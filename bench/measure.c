/*
 * Times, processor time, and the disk by itself.
 *
 * Every figure stands beside what the machine could do at that moment, since disks of virtual machines
 * change from minute to minute: a ratio measured in one run says more than any absolute number.
 */
#include "measure.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define FLUSH_SIZE  4096u
#define ZEROED_SIZE (16u * 1024u * 1024u)

void
bench_die(const char *what, const struct az_err *err)
{
	(void)fprintf(
	    stderr, "bench: %s%s%s\n", what, err != NULL ? ": " : "", err != NULL ? err->text : "");
	exit(1);
}

void
bench_check(const char *what, enum az_status status, const struct az_err *err)
{
	if (status != AZ_OK)
		bench_die(what, err);
}

void
bench_result(const char *name, double value)
{
	(void)printf("result %s %.3f\n", name, value);
	(void)fflush(stdout);
}

void
bench_say(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vfprintf(stderr, format, args);
	va_end(args);
	(void)fputc('\n', stderr);
}

int64_t
bench_now_ns(void)
{
	struct timespec now;

	if (clock_gettime(CLOCK_MONOTONIC, &now) != 0)
		bench_die("the clock cannot be read", NULL);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

uint64_t
bench_setting(const char *name, uint64_t fallback)
{
	const char *text = getenv(name);
	char *rest = NULL;
	unsigned long long number;

	if (text == NULL)
		return fallback;
	errno = 0;
	number = strtoull(text, &rest, 10);
	if (rest == text || *rest != '\0' || errno != 0 || number == 0)
		bench_die(name, NULL);
	return number;
}

/* --- samples ---------------------------------------------------------------------------------- */

void
samples_add(struct samples *samples, int64_t ns)
{
	if (samples->count == samples->room) {
		samples->room = samples->room == 0 ? 65536 : 2 * samples->room;
		samples->ns = reallocarray(samples->ns, samples->room, sizeof(*samples->ns));
		if (samples->ns == NULL)
			bench_die("out of memory", NULL);
	}
	samples->ns[samples->count++] = ns;
}

static int
by_size(const void *a, const void *b)
{
	int64_t left = *(const int64_t *)a;
	int64_t right = *(const int64_t *)b;

	return (left > right) - (left < right);
}

double
samples_us(struct samples *samples, double at)
{
	if (samples->count == 0)
		bench_die("nothing was measured", NULL);
	qsort(samples->ns, samples->count, sizeof(*samples->ns), by_size);
	return (double)samples->ns[(size_t)(at * (double)(samples->count - 1))] / 1000;
}

void
samples_fini(struct samples *samples)
{
	free(samples->ns);
	*samples = (struct samples){0};
}

static int
by_value(const void *a, const void *b)
{
	double left = *(const double *)a;
	double right = *(const double *)b;

	return (left > right) - (left < right);
}

double
bench_median(double *values, size_t count)
{
	qsort(values, count, sizeof(*values), by_value);
	return values[count / 2];
}

/* --- processes -------------------------------------------------------------------------------- */

/* A file of /proc/PID as text. */
static void
read_proc(pid_t pid, const char *name, char *text, size_t room)
{
	char path[64];
	FILE *file;
	size_t size = 0;

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	file = fopen(path, "re");
	if (file != NULL) {
		size = fread(text, 1, room - 1, file);
		(void)fclose(file);
	}
	text[size] = '\0';
}

/* The fields of stat after the command's name, which may hold anything. */
static const char *
after_name(const char *stat)
{
	const char *end = strrchr(stat, ')');

	return end == NULL ? "" : end + 1;
}

double
process_cpu(pid_t pid)
{
	char stat[1024];
	unsigned long user = 0;
	unsigned long system = 0;

	read_proc(pid, "stat", stat, sizeof(stat));
	if (sscanf(after_name(stat), " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
		&system) != 2)
		bench_die("a process has ended too early", NULL);
	return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

uint64_t
process_major_faults(pid_t pid)
{
	char stat[1024];
	unsigned long faults = 0;

	read_proc(pid, "stat", stat, sizeof(stat));
	if (sscanf(after_name(stat), " %*c %*d %*d %*d %*d %*d %*u %*u %*u %lu", &faults) != 1)
		bench_die("a process has ended too early", NULL);
	return faults;
}

double
process_peak_mib(pid_t pid)
{
	char status[4096];
	const char *line;

	read_proc(pid, "status", status, sizeof(status));
	line = strstr(status, "VmHWM:");
	return line == NULL ? 0 : strtod(line + strlen("VmHWM:"), NULL) / 1024;
}

static bool
is_child(pid_t pid, pid_t parent, const char *name)
{
	char stat[1024];
	char wanted[32];
	int found = 0;

	read_proc(pid, "stat", stat, sizeof(stat));
	(void)snprintf(wanted, sizeof(wanted), "(%.15s)", name);
	return strstr(stat, wanted) != NULL && sscanf(after_name(stat), " %*c %d", &found) == 1 &&
	    found == parent;
}

pid_t
process_child(pid_t parent, const char *name)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	pid_t child = 0;

	while (proc != NULL && child == 0 && (entry = readdir(proc)) != NULL) {
		long pid = strtol(entry->d_name, NULL, 10);

		if (pid > 0 && is_child((pid_t)pid, parent, name))
			child = (pid_t)pid;
	}
	if (proc != NULL)
		(void)closedir(proc);
	return child;
}

/* --- the disk --------------------------------------------------------------------------------- */

static int
raw_file(int dirfd, const char *name)
{
	int fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0)
		bench_die("a file for the disk's own speed", NULL);
	return fd;
}

/* Writes a page at offset and flushes; how long it took. */
static int64_t
write_page(int fd, uint64_t offset)
{
	static const uint8_t page[FLUSH_SIZE] = {1};
	int64_t since = bench_now_ns();

	if (pwrite(fd, page, sizeof(page), (off_t)offset) != (ssize_t)sizeof(page) ||
	    fdatasync(fd) != 0)
		bench_die("the disk's own speed cannot be measured", NULL);
	return bench_now_ns() - since;
}

void
raw_disk_init(struct raw_disk *raw, int dirfd)
{
	static const uint8_t zeros[65536];
	uint64_t size = 0;

	raw->growing_size = 0;
	raw->growing = raw_file(dirfd, "raw-growing");
	raw->zeroed = raw_file(dirfd, "raw-zeroed");
	for (; size < ZEROED_SIZE; size += sizeof(zeros))
		if (pwrite(raw->zeroed, zeros, sizeof(zeros), (off_t)size) !=
		    (ssize_t)sizeof(zeros))
			bench_die("a file for the disk's own speed", NULL);
	if (fsync(raw->zeroed) != 0)
		bench_die("a file for the disk's own speed", NULL);
}

int64_t
raw_disk_append_ns(struct raw_disk *raw)
{
	uint64_t offset = raw->growing_size;

	raw->growing_size += FLUSH_SIZE;
	return write_page(raw->growing, offset);
}

double
raw_disk_rate(struct raw_disk *raw, int64_t ms)
{
	int64_t since = bench_now_ns();
	int64_t until = since + ms * 1000000;
	unsigned int flushes = 0;

	while (bench_now_ns() < until) {
		(void)write_page(raw->zeroed, flushes * (uint64_t)FLUSH_SIZE % ZEROED_SIZE);
		flushes++;
	}
	return flushes * 1e9 / (double)(bench_now_ns() - since);
}

void
raw_disk_fini(struct raw_disk *raw)
{
	(void)close(raw->growing);
	(void)close(raw->zeroed);
}

/* --- folders and programs --------------------------------------------------------------------- */

int
bench_folder(char *path, size_t room)
{
	const char *base = getenv("BENCH_DIR");
	struct statfs info;
	int fd;

	(void)snprintf(path, room, "%s/azukari-bench-XXXXXX", base != NULL ? base : "/var/tmp");
	if (mkdtemp(path) == NULL)
		bench_die(path, NULL);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fstatfs(fd, &info) != 0)
		bench_die(path, NULL);
	if (info.f_type == TMPFS_MAGIC || info.f_type == RAMFS_MAGIC) {
		(void)rmdir(path);
		bench_die("BENCH_DIR lies in memory; a flush there measures nothing", NULL);
	}
	return fd;
}

void
bench_run(const char *program, const char *state, const char *out, const char *const *argv)
{
	char environment[300];
	char *envp[] = {environment, NULL};
	posix_spawn_file_actions_t actions;
	pid_t pid = 0;
	int how = 0;
	int error;

	(void)snprintf(environment, sizeof(environment), "XDG_STATE_HOME=%s", state);
	if (posix_spawn_file_actions_init(&actions) != 0)
		bench_die("out of memory", NULL);
	error = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	if (error == 0)
		error = posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO,
		    out == NULL ? "/dev/null" : out,
		    out == NULL ? O_WRONLY : O_WRONLY | O_CREAT | O_EXCL, 0644);
	if (error == 0)
		error = posix_spawn(
		    &pid, program, &actions, NULL, (char *const *)(uintptr_t)argv, envp);
	(void)posix_spawn_file_actions_destroy(&actions);
	if (error != 0 || waitpid(pid, &how, 0) != pid || !WIFEXITED(how) || WEXITSTATUS(how) != 0)
		bench_die(program, NULL);
}

void
bench_folder_remove(const char *path)
{
	const char *argv[] = {"rm", "-rf", path, NULL};

	bench_run("/bin/rm", "/nonexistent", NULL, argv);
}
