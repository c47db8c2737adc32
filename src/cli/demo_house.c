/*
 * The house of the demo: what its people would type, one command after the other, each by this program itself in a process
 * of its own.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "cli/demo.h"

#define WORDS_MAX   24
#define PASSWORD_FD 3

extern char **environ;

struct house {
	const char *dir;
	char program[PATH_MAX];
	char today[11], before[11], until[11];
	char house[PATH_MAX];
	int password_fd;
};

static void
set_days(struct house *house)
{
	int32_t today = (int32_t)(clock_now_us() / AZ_US_PER_DAY);

	date_format(today, house->today);
	date_format(today - 30, house->before);
	date_format(today + 365, house->until);
}

/* Runs one command with somebody's key; a password may lie on descriptor 3. */
static enum az_status
run(const struct house *house, const char *who, const char *const *words, struct az_err *reterr)
{
	char key[PATH_MAX + 16];
	const char *argv[WORDS_MAX] = {"azukari", "--house", house->house, "--key", key};
	posix_spawn_file_actions_t actions;
	size_t count = 5;
	pid_t pid;
	int how = 0;
	int failed;

	(void)snprintf(key, sizeof(key), "%s/%s.key", house->dir, who);
	for (size_t i = 0; words[i] != NULL; i++) {
		if (count + 1 >= WORDS_MAX)
			return az_fail(reterr, AZ_INTERNAL, "demo: a command is too long");
		argv[count++] = words[i];
	}
	(void)posix_spawn_file_actions_init(&actions);
	(void)posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	(void)posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
	if (house->password_fd >= 0)
		(void)posix_spawn_file_actions_adddup2(&actions, house->password_fd, PASSWORD_FD);
	/* It reads them only; its type dates from before const. */
	failed = posix_spawn(
	    &pid, house->program, &actions, NULL, (char *const *)(uintptr_t)argv, environ);
	(void)posix_spawn_file_actions_destroy(&actions);
	if (failed != 0)
		return az_fail_errno(reterr, AZ_IO, failed, "%s", house->program);
	while (waitpid(pid, &how, 0) < 0 && errno == EINTR)
		;
	if (WIFEXITED(how) && WEXITSTATUS(how) == 0)
		return AZ_OK;
	return az_fail(reterr, AZ_IO, "azukari %s %s: exit %d", words[0],
	    words[1] != NULL ? words[1] : "", WIFEXITED(how) ? WEXITSTATUS(how) : -1);
}

#define RUN(house, who, reterr, ...)                                                               \
	run(house, who, (const char *const[]){__VA_ARGS__, NULL}, reterr)

static enum az_status
found(const struct house *house, struct az_err *reterr)
{
	static const char *const people[][2] = {{"mori", "supervisor"}, {"ito", "agent"},
	    {"sato", "investigator"}, {"kato", "maintainer"}};
	char key[PATH_MAX + 16];
	enum az_status status;

	(void)snprintf(key, sizeof(key), "%s/aoki.key", house->dir);
	status = RUN(house, "aoki", reterr, "init", "--house", house->house, "--officer", "aoki",
	    "--key-out", key, "--unsealed");
	for (size_t i = 0; i < AZ_ARRAY_SIZE(people) && status == AZ_OK; i++) {
		(void)snprintf(key, sizeof(key), "%s/%s.key", house->dir, people[i][0]);
		status = RUN(house, "aoki", reterr, "staff", "add", people[i][0], "--role",
		    people[i][1], "--key-out", key);
	}
	return status;
}

static enum az_status
entrust(
    const struct house *house, const struct demo_client *client, bool again, struct az_err *reterr)
{
	char list[PATH_MAX + 64];
	char receipt[PATH_MAX + 64];
	const char *words[WORDS_MAX] = {"entrust", "--client", client->label, "--purpose",
	    client->purpose, "--as-of", again ? house->today : house->before, "--receipt", receipt};
	size_t count = 9;

	(void)snprintf(list, sizeof(list), "%s/lists/%s%s.%s", house->dir, client->label,
	    again ? "-2" : "", demo_form_suffix(client->form));
	(void)snprintf(receipt, sizeof(receipt), "%s/receipts/%s%s.json", house->dir, client->label,
	    again ? "-2" : "");
	if (client->form == DEMO_ZIP) {
		words[count++] = "--password-fd";
		words[count++] = "3";
		if (lseek(house->password_fd, 0, SEEK_SET) != 0)
			return az_fail_errno(reterr, AZ_IO, errno, "the password");
	}
	words[count] = list;
	return run(house, "mori", words, reterr);
}

static enum az_status
take_client(const struct house *house, const struct demo_client *client, struct az_err *reterr)
{
	char purpose[2 * LABEL_SIZE];
	enum az_status status = RUN(house, "aoki", reterr, "client", "add", client->label, "--name",
	    client->name, "--category", client->category);

	(void)snprintf(purpose, sizeof(purpose), "%s/%s", client->label, client->purpose);
	if (status == AZ_OK)
		status = RUN(house, "aoki", reterr, "purpose", "add", purpose, "--fields",
		    client->fields, "--roles", "agent", "--until", house->until);
	if (status == AZ_OK && client->form == DEMO_FIXED)
		status = RUN(house, "mori", reterr, "client", "map", client->label, demo_map);
	if (status == AZ_OK)
		status = entrust(house, client, false, reterr);
	if (status == AZ_OK && client->again)
		status = entrust(house, client, true, reterr);
	return status;
}

/* A descriptor that a command reads the password of archives from. */
static enum az_status
open_password(int *ret_fd, struct az_err *reterr)
{
	static const char password[] = DEMO_PASSWORD "\n";
	int fd = memfd_create("password", MFD_CLOEXEC);
	int lifted = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, PASSWORD_FD + 1);

	fd_close(&fd);
	if (lifted < 0)
		return az_fail_errno(reterr, AZ_IO, errno, "the password");
	*ret_fd = lifted;
	return file_write(lifted, bytes_make(password, sizeof(password) - 1), reterr);
}

enum az_status
demo_house_make(const struct cli *cli, const char *dir, const struct demo_client *clients,
    uint32_t count, struct az_err *reterr)
{
	struct house house = {.dir = dir, .password_fd = -1};
	char path[PATH_MAX];
	int64_t started = clock_monotonic_us();
	uint64_t done = 0;
	ssize_t size = readlink("/proc/self/exe", house.program, sizeof(house.program) - 1);
	enum az_status status = AZ_OK;

	if (size <= 0 ||
	    snprintf(house.house, sizeof(house.house), "%s/house", dir) >=
		(int)sizeof(house.house) ||
	    snprintf(path, sizeof(path), "%s/receipts", dir) >= (int)sizeof(path))
		return az_fail(reterr, AZ_INVALID, "demo: a path is too long");
	if (mkdir(path, 0700) != 0)
		return az_fail_errno(reterr, AZ_IO, errno, "%s", path);
	set_days(&house);
	status = open_password(&house.password_fd, reterr);
	if (status == AZ_OK)
		status = found(&house, reterr);
	for (uint32_t i = 0; i < count && status == AZ_OK; i++) {
		status = take_client(&house, &clients[i], reterr);
		done += clients[i].people;
		if (status == AZ_OK && !cli->json)
			(void)fprintf(stderr, "%s%u of %u lists, %llu people, %lld s%s",
			    isatty(STDERR_FILENO) ? "\r" : "", i + 1, count,
			    (unsigned long long)done,
			    (long long)((clock_monotonic_us() - started) / AZ_US_PER_S),
			    isatty(STDERR_FILENO) ? "" : "\n");
	}
	if (!cli->json && isatty(STDERR_FILENO))
		(void)fputc('\n', stderr);
	fd_close(&house.password_fd);
	return status;
}
