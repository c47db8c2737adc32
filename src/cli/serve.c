/*
 * azukari serve, and the transient one that a command starts for an unsealed house.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/proc.h"
#include "cli/cli.h"
#include "cli/locked.h"
#include "cli/parent.h"
#include "crypto/ring.h"

#define TOLD_FD     3 /* of a transient serve: where it tells the command that started it */
#define WAIT_US     (10 * AZ_US_PER_S)
#define PATIENCE_US (3 * AZ_US_PER_S)
#define ASK_AGAIN   20 /* ms */

/* The secrets of a house. */
static enum az_status
read_secrets(const struct house_folder *folder, struct secret **ret_root,
    struct host_secret *ret_host, struct az_err *reterr)
{
	struct buffer slot;
	int dirfd = -1;
	enum az_status status = dir_open(folder->dirfd, "secret", false, 0, &dirfd, reterr);

	buffer_init(&slot, 4096, true);
	if (status == AZ_OK)
		status = host_secret_read(dirfd, folder->file.house, ret_host, reterr);
	if (status == AZ_OK)
		status = host_slots_recover(dirfd, folder->file.house, ret_host, reterr);
	if (status == AZ_OK && !house_is_unsealed(folder->file.house)) {
		status = locked_wait(folder, ret_host->slots, ret_root, reterr);
	} else if (status == AZ_OK) {
		status = file_read_whole(dirfd, "root", &slot, reterr);
		if (status == AZ_OK)
			status =
			    slot_open(buffer_peek(&slot), folder->file.house, ret_root, reterr);
	}
	buffer_fini(&slot);
	fd_close(&dirfd);
	return status;
}

/*
 * HOUSE/lock, held until the descriptor is closed. AZ_BUSY: somebody else serves it. A transient one goes away by
 * itself, so whoever is to serve for long waits for that.
 */
static enum az_status
take_lock(
    const struct house_folder *folder, int64_t patience_us, int *ret_fd, struct az_err *reterr)
{
	int64_t until = clock_monotonic_us() + patience_us;
	int fd = openat(folder->dirfd, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return az_fail_errno(reterr, AZ_IO, errno, "lock");
	while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		if (clock_monotonic_us() < until) {
			(void)poll(NULL, 0, ASK_AGAIN);
			continue;
		}
		fd_close(&fd);
		return az_fail(reterr, AZ_BUSY, "the house is served already");
	}
	*ret_fd = fd;
	return AZ_OK;
}

static enum az_status
serve(const char *path, const char *anchor, bool transient, struct az_err *reterr)
{
	struct house_folder folder = {.dirfd = -1};
	struct parent_config config = {.folder = &folder,
	    .anchor = anchor,
	    .transient = transient,
	    .told_fd = transient ? TOLD_FD : -1};
	struct secret *root = NULL;
	struct host_secret host = {0};
	int lock = -1;
	enum az_status status = house_folder_open(path, &folder, reterr);

	parent_prepare(status == AZ_OK && !house_is_unsealed(folder.file.house));
	if (status == AZ_OK)
		status = take_lock(&folder, transient ? 0 : PATIENCE_US, &lock, reterr);
	if (status == AZ_OK)
		status =
		    house_users_find(house_is_unsealed(folder.file.house), &config.users, reterr);
	if (status == AZ_OK)
		status = read_secrets(&folder, &root, &host, reterr);
	if (status == AZ_OK && geteuid() != 0 && !transient)
		(void)fprintf(stderr,
		    "azukari: not started by root: keeper, vault and intake run as one user\n");
	if (status == AZ_OK && secret_unlocked_count() > 0 && !transient)
		(void)fprintf(stderr,
		    "azukari: memory cannot be locked (ulimit -l): secrets could reach swap\n");
	if (status == AZ_OK) {
		config.root = root;
		config.host = &host;
		status = parent_run(&config, reterr);
	}
	secret_free(&root);
	host_secret_fini(&host);
	fd_close(&lock);
	house_folder_close(&folder);
	return status;
}

/* Tells the command that waits why there will be no house. */
static void
tell_failure(const struct az_err *err)
{
	char text[AZ_ERR_TEXT_SIZE + 8];
	int size = snprintf(text, sizeof(text), "%d %s", (int)err->status, err->text);

	/* If nobody reads it any more, nobody waits for it. */
	ssize_t ignored = write(TOLD_FD, text, (size_t)size);
	(void)ignored;
}

int
cmd_serve(const struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {
	    {"transient", no_argument, NULL, 't'}, {"anchor", required_argument, NULL, 'a'}, {0}};
	const char *anchor = NULL;
	struct stat told;
	bool transient = false;
	struct az_err err = {0};
	enum az_status status;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'a')
			anchor = optarg;
		else if (option == 't')
			transient = true;
		else
			return cli_usage("serve", NULL);
	}
	if (optind != argc || cli->house == NULL)
		return cli_usage("serve", "no house is named");
	/* Only a command starts it so, and gives it a pipe to answer through. */
	if (transient && (fstat(TOLD_FD, &told) != 0 || !S_ISFIFO(told.st_mode)))
		return cli_usage("serve", "--transient is for commands that start it themselves");
	status = serve(cli->house, anchor, transient, &err);
	err.status = status;
	if (status == AZ_OK)
		return 0;
	if (transient)
		tell_failure(&err);
	return cli_fail(&err);
}

/* --- a transient one -------------------------------------------------------------------------- */

/* The grandchild: away from the terminal, then the program anew. Async-signal-safe calls only. */
static _Noreturn void
become_serve(const char *program, const char *const *argv, int told)
{
	int null = open("/dev/null", O_RDWR);

	(void)setsid();
	if (fork() != 0)
		_exit(0);
	if (null >= 0 && dup2(null, 0) >= 0 && dup2(null, 1) >= 0 && dup2(null, 2) >= 0 &&
	    dup2(told, TOLD_FD) >= 0 && close_range(TOLD_FD + 1, ~0u, 0) == 0)
		/* execv reads only; its type dates from before const. */
		(void)execv(program, (char *const *)(uintptr_t)argv);
	_exit(127);
}

static enum az_status
start_transient(const char *house, int *ret_told, struct az_err *reterr)
{
	char program[PATH_MAX];
	char argument[PATH_MAX];
	const char *const argv[] = {"azukari", "--house", argument, "serve", "--transient", NULL};
	int told[2] = {-1, -1};
	int lifted;
	pid_t pid;
	enum az_status status = AZ_OK;
	ssize_t size = readlink("/proc/self/exe", program, sizeof(program) - 1);

	if (size <= 0 || strlen(house) >= sizeof(argument))
		return az_fail(reterr, AZ_IO, "the house cannot be served: a path is too long");
	program[size] = '\0';
	(void)snprintf(argument, sizeof(argument), "%s", house);
	if (pipe2(told, O_CLOEXEC) != 0)
		return az_fail_errno(reterr, AZ_IO, errno, "pipe");
	/* Above its place, so that placing it makes the copy that survives exec. */
	lifted = fcntl(told[1], F_DUPFD_CLOEXEC, TOLD_FD + 1);
	(void)close(told[1]);
	if (lifted < 0) {
		(void)close(told[0]);
		return az_fail_errno(reterr, AZ_IO, errno, "pipe");
	}
	pid = fork();
	if (pid == 0)
		become_serve(program, argv, lifted);
	if (pid < 0)
		status = az_fail_errno(reterr, AZ_IO, errno, "fork");
	else
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
	(void)close(lifted);
	if (status == AZ_OK)
		*ret_told = told[0];
	else
		(void)close(told[0]);
	return status;
}

/* Waits until the pipe is closed (ready) or says why not. */
static enum az_status
wait_told(int told, struct az_err *reterr)
{
	struct pollfd wait = {.fd = told, .events = POLLIN};
	char text[AZ_ERR_TEXT_SIZE + 8];
	char *rest = NULL;
	ssize_t size;
	long status;

	if (poll(&wait, 1, (int)(WAIT_US / 1000)) <= 0)
		return az_fail(reterr, AZ_BUSY, "the keeper takes too long to start");
	size = read(told, text, sizeof(text) - 1);
	if (size <= 0)
		return AZ_OK;
	text[size] = '\0';
	status = strtol(text, &rest, 10);
	if (rest == text || *rest != ' ' || status <= AZ_OK || status > AZ_GONE)
		return az_fail(reterr, AZ_INTERNAL, "the keeper did not say why it ended");
	return az_fail(reterr, (enum az_status)status, "%s", rest + 1);
}

static bool
is_served(const struct house_folder *folder)
{
	int fd = -1;

	if (house_connect(folder, &fd, NULL) != AZ_OK)
		return false;
	fd_close(&fd);
	return true;
}

enum az_status
serve_ensure(const char *house, struct az_err *reterr)
{
	struct house_folder folder = {.dirfd = -1};
	int64_t until = clock_monotonic_us() + WAIT_US;
	enum az_status status = house_folder_open(house, &folder, reterr);
	int told = -1;

	if (status != AZ_OK)
		return status;
	if (is_served(&folder))
		goto out;
	if (!house_is_unsealed(folder.file.house)) {
		status = az_fail(reterr, AZ_BUSY,
		    locked_is_waiting(&folder) ? "the house is locked: azukari unlock"
					       : "nobody serves the house: azukari serve");
		goto out;
	}
	do {
		status = start_transient(house, &told, reterr);
		if (status == AZ_OK)
			status = wait_told(told, reterr);
		fd_close(&told);
		/* Somebody else was faster, or is just stopping: then it is tried again. */
		if (status == AZ_BUSY || (status == AZ_OK && !is_served(&folder))) {
			(void)poll(NULL, 0, ASK_AGAIN);
			status = is_served(&folder)
			    ? AZ_OK
			    : az_fail(reterr, AZ_BUSY, "the keeper does not answer");
		}
	} while (status == AZ_BUSY && clock_monotonic_us() < until);
out:
	house_folder_close(&folder);
	return status;
}
