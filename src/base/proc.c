/*
 * Starting a process.
 *
 *	parent                        child (until exec: async-signal-safe calls only)
 *	block signals
 *	fork ------------------------> lift what it needs above the places 0 .. 4 + n
 *	close the report's end         put /dev/null on 0, 1 (and 2), fds on 3 .., report and program behind
 *	read the report                close everything above
 *	   ^                           signals to default
 *	   |                           give up the user, then ask to die with the parent
 *	   +---- reason of failure --- exec, which closes the report: the parent reads its end
 *
 * The order matters twice. Descriptors are lifted before any is placed, because a source may lie
 * where another belongs. And the death signal is asked for after the user was changed, because the
 * kernel forgets it then; a parent that died before is noticed by its changed id.
 *
 * The parent may hold locks of the C library in other threads, so the child calls the kernel
 * directly where the library would take one.
 */
#include "base/proc.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <malloc.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/file.h"

#define GIVE_WAY_NICE 15

/* Above every place that a child's descriptors are put at. */
#define LIFTED_FIRST (PROC_FD_FIRST + PROC_FDS_MAX + 2)

/* The step of the child that failed, and why. */
struct report {
	int32_t step;
	int32_t errnum;
};

enum step { STEP_DESCRIPTORS, STEP_USER, STEP_PARENT, STEP_EXEC };

/* All that the child needs, made ready before the fork. */
struct start {
	const struct proc_spec *spec;
	char *environment[8];
	int null_fd;
	int program_fd;
	int report_fd;
	pid_t parent;
};

static const char *
step_name(int32_t step)
{
	switch ((enum step)step) {
	case STEP_DESCRIPTORS: return "descriptors of";
	case STEP_USER: return "user of";
	case STEP_PARENT: return "parent of";
	case STEP_EXEC: return "start";
	}
	return "start";
}

static bool
variable_passes(const char *entry)
{
	static const char *const names[] = {
	    "TZ=",
	    "LANG=",
#ifdef AZ_TESTABLE
	    "LD_PRELOAD=",
	    "AZ_FAULTS=",
	    "ASAN_OPTIONS=",
	    "UBSAN_OPTIONS=",
	    "LSAN_OPTIONS=",
#endif
	};

	for (size_t i = 0; i < AZ_ARRAY_SIZE(names); i++)
		if (strncmp(entry, names[i], strlen(names[i])) == 0)
			return true;
	return false;
}

/* The entries of our own environment that a child may have, by reference. */
static void
environment_pick(struct start *start)
{
	size_t count = 0;

	for (char **entry = environ; entry && *entry; entry++)
		if (count < AZ_ARRAY_SIZE(start->environment) - 1 && variable_passes(*entry))
			start->environment[count++] = *entry;
	start->environment[count] = NULL;
}

static bool
child_place_fds(struct start *start)
{
	const struct proc_spec *spec = start->spec;
	int lifted[PROC_FDS_MAX];
	int report_place = PROC_FD_FIRST + (int)spec->fd_count;

	int program_place = report_place + 1;

	int null_fd = fcntl(start->null_fd, F_DUPFD_CLOEXEC, LIFTED_FIRST);
	int report_fd = fcntl(start->report_fd, F_DUPFD_CLOEXEC, LIFTED_FIRST);
	int program_fd = fcntl(start->program_fd, F_DUPFD_CLOEXEC, LIFTED_FIRST);
	if (null_fd < 0 || report_fd < 0 || program_fd < 0)
		return false;
	start->report_fd = report_fd;
	for (size_t i = 0; i < spec->fd_count; i++) {
		lifted[i] = fcntl(spec->fds[i], F_DUPFD_CLOEXEC, LIFTED_FIRST);
		if (lifted[i] < 0)
			return false;
	}

	if (dup2(null_fd, STDIN_FILENO) < 0 || dup2(null_fd, STDOUT_FILENO) < 0)
		return false;
	if (!spec->inherit_stderr && dup2(null_fd, STDERR_FILENO) < 0)
		return false;
	for (size_t i = 0; i < spec->fd_count; i++)
		if (dup2(lifted[i], PROC_FD_FIRST + (int)i) < 0)
			return false;
	if (dup3(report_fd, report_place, O_CLOEXEC) < 0)
		return false;
	start->report_fd = report_place;
	if (dup3(program_fd, program_place, O_CLOEXEC) < 0)
		return false;
	start->program_fd = program_place;
	return close_range((unsigned)program_place + 1, ~0u, 0) == 0;
}

static bool
child_change_user(const struct proc_spec *spec)
{
	if (geteuid() != 0 || spec->uid == 0)
		return true;
	return syscall(SYS_setgroups, (size_t)0, NULL) == 0 &&
	    syscall(SYS_setresgid, spec->gid, spec->gid, spec->gid) == 0 &&
	    syscall(SYS_setresuid, spec->uid, spec->uid, spec->uid) == 0;
}

static bool
child_die_with(pid_t parent)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0)
		return false;
	errno = ESRCH;
	return getppid() == parent;
}

static void
child_reset_signals(void)
{
	struct sigaction action = {.sa_handler = SIG_DFL};
	sigset_t none;

	/* The C library keeps some numbers to itself and refuses them: they have no handler of ours. */
	for (int signo = 1; signo < NSIG; signo++)
		(void)sigaction(signo, &action, NULL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static _Noreturn void
child_run(struct start *start)
{
	const struct proc_spec *spec = start->spec;
	enum step step = STEP_DESCRIPTORS;

	if (!child_place_fds(start))
		goto fail;
	step = STEP_USER;
	if (!child_change_user(spec))
		goto fail;
	step = STEP_PARENT;
	if (!child_die_with(start->parent))
		goto fail;
	child_reset_signals();
	step = STEP_EXEC;
	/* By descriptor: the new user need not be able to reach the program by its path. */
	(void)syscall(
	    SYS_execveat, start->program_fd, "", spec->argv, start->environment, AT_EMPTY_PATH);
fail:;
	struct report report = {.step = (int32_t)step, .errnum = errno};
	/* If nobody reads it, nobody is left to tell. */
	ssize_t ignored = write(start->report_fd, &report, sizeof(report));
	(void)ignored;
	_exit(127);
}

/* Forks with every signal blocked, so that no handler of ours runs in the child. */
static pid_t
start_fork(struct start *start)
{
	sigset_t all;
	sigset_t before;

	start->parent = getpid();
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	pid_t pid = fork();
	if (pid == 0)
		child_run(start);
	int reason = errno;
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	errno = reason;
	return pid;
}

/* Waits until the child has become its program, or tells why it could not. */
static enum az_status
start_await(const struct proc_spec *spec, pid_t pid, int report_fd, struct az_err *reterr)
{
	struct report report = {0};
	ssize_t size = 0;

	do {
		size = read(report_fd, &report, sizeof(report));
	} while (size < 0 && errno == EINTR);
	if (size == 0)
		return AZ_OK;
	if (size != (ssize_t)sizeof(report))
		report = (struct report){.step = STEP_EXEC, .errnum = EIO};
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return az_fail_errno(
	    reterr, AZ_IO, report.errnum, "%s %s", step_name(report.step), spec->path);
}

enum az_status
proc_spawn(const struct proc_spec *spec, pid_t *ret_pid, struct az_err *reterr)
{
	enum az_status status = AZ_INTERNAL;
	struct start start = {.spec = spec, .null_fd = -1, .program_fd = -1};
	int report[2] = {-1, -1};

	assert(spec->fd_count <= PROC_FDS_MAX);
	environment_pick(&start);
	start.program_fd = open(spec->path, O_PATH | O_CLOEXEC);
	if (start.program_fd < 0) {
		status = az_fail_errno(reterr, AZ_IO, errno, "start %s", spec->path);
		goto out;
	}
	start.null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (start.null_fd < 0 || pipe2(report, O_CLOEXEC) != 0) {
		status = az_fail_errno(reterr, AZ_IO, errno, "start %s", spec->path);
		goto out;
	}
	start.report_fd = report[1];
	pid_t pid = start_fork(&start);
	if (pid < 0) {
		status = az_fail_errno(reterr, AZ_IO, errno, "start %s", spec->path);
		goto out;
	}
	fd_close(&report[1]);
	status = start_await(spec, pid, report[0], reterr);
	if (status != AZ_OK)
		goto out;
	*ret_pid = pid;
out:
	fd_close(&report[0]);
	fd_close(&report[1]);
	fd_close(&start.null_fd);
	fd_close(&start.program_fd);
	return status;
}

void
proc_name(const char *name)
{
	(void)prctl(PR_SET_NAME, name, 0, 0, 0);
}

enum az_status
proc_socketpair(int ret_fds[2], struct az_err *reterr)
{
	int fds[2] = {-1, -1};

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0)
		return az_fail_errno(reterr, AZ_IO, errno, "socket pair");
	ret_fds[0] = fds[0];
	ret_fds[1] = fds[1];
	return AZ_OK;
}

enum az_status
proc_own_folder(char *path, size_t room, struct az_err *reterr)
{
	char program[PATH_MAX];
	ssize_t size = readlink("/proc/self/exe", program, sizeof(program));

	if (size <= 0)
		return az_fail_errno(reterr, AZ_IO, size < 0 ? errno : EIO, "own folder");
	const char *slash = memrchr(program, '/', (size_t)size);
	if (!slash || size == (ssize_t)sizeof(program))
		return az_fail(reterr, AZ_IO, "own folder: the path is too long or not absolute");
	size_t folder_size = slash == program ? 1 : (size_t)(slash - program);
	if (folder_size >= room)
		return az_fail(
		    reterr, AZ_LIMIT, "own folder: the path is longer than %zu bytes", room);
	memcpy(path, program, folder_size);
	path[folder_size] = '\0';
	return AZ_OK;
}

void
proc_give_way(void)
{
	/* 0 is the calling thread on Linux. */
	(void)setpriority(PRIO_PROCESS, 0, GIVE_WAY_NICE);
}

#define FREED_KEPT    (64 * 1024 * 1024)
#define FRAME_MOST    (2 * 1024 * 1024) /* of memory for a frame; what is larger goes back at once */
#define TAKEN_AT_ONCE (1024 * 1024)

void
proc_keep_memory(void)
{
	/* Where one is refused, it is only slower. */
	(void)mallopt(M_ARENA_MAX, 1);
	(void)mallopt(M_MMAP_THRESHOLD, FRAME_MOST);
	(void)mallopt(M_TRIM_THRESHOLD, FREED_KEPT);
	(void)mallopt(M_TOP_PAD, TAKEN_AT_ONCE);
}
