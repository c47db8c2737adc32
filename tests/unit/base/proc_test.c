#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/bytes.h"
#include "base/file.h"
#include "base/proc.h"
#include "child.h"

/*
 * The program under test starts itself with an argument that says what to tell of itself; it answers
 * on its first descriptor.
 */

static char own_path[PATH_MAX];

static void tell(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void
tell(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vdprintf(PROC_FD_FIRST, format, args);
	va_end(args);
}

static void
tell_environment(void)
{
	for (char **entry = environ; *entry; entry++)
		tell("%s\n", *entry);
}

static void
tell_open_fds(void)
{
	for (int fd = 0; fd < 1024; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			tell("%d ", fd);
}

static void
tell_signals(void)
{
	sigset_t blocked;

	(void)sigprocmask(SIG_BLOCK, NULL, &blocked);
	for (int signo = 1; signo < NSIG; signo++) {
		struct sigaction action;
		bool known = sigaction(signo, NULL, &action) == 0;
		/* A sanitizer takes the faults of its own program. */
		if (SANITIZED && (signo == SIGSEGV || signo == SIGBUS || signo == SIGFPE))
			continue;
		if (sigismember(&blocked, signo) == 1 || (known && action.sa_handler != SIG_DFL))
			tell("%d ", signo);
	}
}

static bool
is_dev_null(int fd)
{
	struct stat info;

	return fstat(fd, &info) == 0 && S_ISCHR(info.st_mode) && info.st_rdev == makedev(1, 3);
}

static void
tell_streams(void)
{
	tell("%d%d%d", is_dev_null(0), is_dev_null(1), is_dev_null(2));
}

static void
tell_death_signal(void)
{
	int signo = 0;

	(void)prctl(PR_GET_PDEATHSIG, &signo, 0, 0, 0);
	tell("%d", signo);
}

static void
wait_for_ever(void)
{
	tell("ready");
	for (;;)
		(void)pause();
}

static int
child_main(const char *what)
{
	if (strcmp(what, "environment") == 0)
		tell_environment();
	else if (strcmp(what, "fds") == 0)
		tell_open_fds();
	else if (strcmp(what, "signals") == 0)
		tell_signals();
	else if (strcmp(what, "streams") == 0)
		tell_streams();
	else if (strcmp(what, "death") == 0)
		tell_death_signal();
	else if (strcmp(what, "wait") == 0)
		wait_for_ever();
	return 0;
}

/* What the child with this spec said before it ended; its descriptor 0 is ours to fill in. */
static const char *
ask(struct proc_spec spec)
{
	static char answer[8192];
	int pipe_fds[2];
	size_t size = 0;
	ssize_t done = 0;
	pid_t pid = -1;
	int status = -1;
	struct az_err err = {0};

	assert_int_equal(pipe2(pipe_fds, O_CLOEXEC), 0);
	spec.fds[0] = pipe_fds[1];
	spec.fd_count = spec.fd_count > 0 ? spec.fd_count : 1;
	assert_int_equal(proc_spawn(&spec, &pid, &err), AZ_OK);
	fd_close(&pipe_fds[1]);
	do {
		done = read(pipe_fds[0], answer + size, sizeof(answer) - 1 - size);
		size += done > 0 ? (size_t)done : 0;
	} while (done > 0);
	answer[size] = '\0';
	fd_close(&pipe_fds[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(child_succeeded(status));
	return answer;
}

static const char *
ask_self(const char *what)
{
	const char *const argv[] = {own_path, "--child", what, NULL};

	return ask((struct proc_spec){.path = own_path, .argv = argv});
}

static void
the_environment_is_empty_but_for_zone_and_language(void **state)
{
	assert_int_equal(setenv("TZ", "JST-9", 1), 0);
	assert_int_equal(setenv("LANG", "C.UTF-8", 1), 0);
	assert_int_equal(setenv("LD_LIBRARY_PATH", "/nowhere", 1), 0);
	assert_int_equal(setenv("TZX", "1", 1), 0);
	assert_int_equal(setenv("AZURIN", "1", 1), 0);
	const char *answer = ask_self("environment");
	assert_non_null(strstr(answer, "TZ=JST-9\n"));
	assert_non_null(strstr(answer, "LANG=C.UTF-8\n"));
	assert_null(strstr(answer, "PATH="));
	assert_null(strstr(answer, "HOME="));
	assert_null(strstr(answer, "TZX="));
	assert_null(strstr(answer, "AZURIN="));
#ifndef AZ_TESTABLE
	assert_int_equal(setenv("AZ_FAULTS", "x", 1), 0);
	answer = ask_self("environment");
	assert_null(strstr(answer, "AZ_FAULTS="));
	assert_null(strstr(answer, "ASAN_OPTIONS="));
	assert_int_equal(strlen(answer), strlen("TZ=JST-9\nLANG=C.UTF-8\n"));
#endif
}

static void
only_the_named_descriptors_are_open(void **state)
{
	int leaked = open("/dev/null", O_RDONLY);
	const char *const argv[] = {own_path, "--child", "fds", NULL};
	struct proc_spec spec = {.path = own_path, .argv = argv, .fd_count = 3};

	assert_true(leaked >= 0);
	assert_string_equal(ask_self("fds"), "0 1 2 3 ");
	spec.fds[1] = leaked;
	spec.fds[2] = leaked;
	assert_string_equal(ask(spec), "0 1 2 3 4 5 ");
	spec.fd_count = PROC_FDS_MAX;
	for (size_t i = 1; i < PROC_FDS_MAX; i++)
		spec.fds[i] = leaked;
	assert_string_equal(ask(spec), "0 1 2 3 4 5 6 7 8 9 10 ");
	fd_close(&leaked);
}

/* The sources lie exactly where the others belong. */
static bool
spawn_with_crossed_fds(void *arg)
{
	static const char script[] = "printf a >&3; printf b >&4; printf c >&5";
	const char *const argv[] = {"sh", "-c", script, NULL};
	struct proc_spec spec = {.path = "/bin/sh", .argv = argv, .fds = {5, 3, 4}, .fd_count = 3};
	int ends[3];
	pid_t pid = -1;

	if (close_range(3, ~0u, 0) != 0)
		return false;
	for (int i = 0; i < 3; i++) {
		int fds[2];
		if (pipe(fds) != 0)
			return false;
		ends[i] = fcntl(fds[0], F_DUPFD, 100);
		int other = fcntl(fds[1], F_DUPFD, 200);
		if (ends[i] < 0 || other < 0 || close(fds[0]) != 0 || close(fds[1]) != 0)
			return false;
	}
	for (int i = 0; i < 3; i++)
		if (dup2(200 + i, 3 + i) < 0)
			return false;
	if (proc_spawn(&spec, &pid, NULL) != AZ_OK || waitpid(pid, NULL, 0) != pid)
		return false;
	char got[3] = "";
	for (int i = 0; i < 3; i++)
		if (read(ends[i], &got[i], 1) != 1)
			return false;
	/* fds[0] was 5, the third pipe, and so on. */
	return got[2] == 'a' && got[0] == 'b' && got[1] == 'c';
}

static void
descriptors_may_lie_where_others_belong(void **state)
{
	assert_true(child_succeeded(child_run(spawn_with_crossed_fds, NULL)));
}

static void
signals_are_at_their_defaults(void **state)
{
	sigset_t some;
	sigset_t before;

	(void)sigemptyset(&some);
	(void)sigaddset(&some, SIGUSR2);
	(void)sigaddset(&some, SIGTERM);
	assert_int_equal(sigprocmask(SIG_BLOCK, &some, &before), 0);
	assert_int_not_equal(signal(SIGPIPE, SIG_IGN), SIG_ERR);
	assert_string_equal(ask_self("signals"), "");

	sigset_t after;
	assert_int_equal(sigprocmask(SIG_SETMASK, &before, &after), 0);
	assert_int_equal(sigismember(&after, SIGUSR2), 1);
	assert_int_equal(sigismember(&after, SIGUSR1), 0);
	assert_int_not_equal(signal(SIGPIPE, SIG_DFL), SIG_ERR);
}

static void
the_standard_streams_lead_nowhere(void **state)
{
	const char *const argv[] = {own_path, "--child", "streams", NULL};

	assert_string_equal(ask_self("streams"), "111");
	int saved = dup(STDERR_FILENO);
	int other = open("/dev/zero", O_WRONLY | O_CLOEXEC);
	assert_true(dup2(other, STDERR_FILENO) >= 0);
	struct proc_spec spec = {.path = own_path, .argv = argv, .inherit_stderr = true};
	const char *answer = ask(spec);
	assert_true(dup2(saved, STDERR_FILENO) >= 0);
	fd_close(&saved);
	fd_close(&other);
	assert_string_equal(answer, "110");
}

static void
another_user_is_become_wholly(void **state)
{
	const char *const argv[] = {"sh", "-c", "id -u >&3; id -g >&3; id -G >&3", NULL};
	struct proc_spec spec = {.path = "/bin/sh", .argv = argv, .uid = 65534, .gid = 65533};

	if (geteuid() != 0)
		skip();
	assert_string_equal(ask(spec), "65534\n65533\n65533\n");
}

static void
the_death_signal_outlives_the_change_of_user(void **state)
{
	const char *const argv[] = {"sh", "-c", "echo ready >&3; exec sleep 100", NULL};
	struct proc_spec spec = {
	    .path = "/bin/sh", .argv = argv, .uid = 65534, .gid = 65534, .fd_count = 1};
	int fds[2];
	char text[16];

	assert_string_equal(ask_self("death"), "9");
	/* A process between us and the child ends; the child must then let go of the pipe. */
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	spec.fds[0] = fds[1];
	pid_t between = fork();
	if (between == 0) {
		pid_t pid = -1;
		_exit(proc_spawn(&spec, &pid, NULL) == AZ_OK ? 0 : 1);
	}
	fd_close(&fds[1]);
	int status = -1;
	assert_int_equal(waitpid(between, &status, 0), between);
	assert_true(child_succeeded(status));
	struct pollfd wait = {.fd = fds[0], .events = POLLIN};
	ssize_t done = 0;
	do {
		assert_int_equal(poll(&wait, 1, 10000), 1);
		done = read(fds[0], text, sizeof(text));
	} while (done > 0);
	assert_int_equal(done, 0);
	fd_close(&fds[0]);
}

static void
a_missing_program_is_an_error_with_its_reason(void **state)
{
	const char *const argv[] = {"x", NULL};
	struct proc_spec spec = {.path = "/nonexistent/x", .argv = argv};
	pid_t pid = -1;
	struct az_err err = {0};

	assert_int_equal(proc_spawn(&spec, &pid, &err), AZ_IO);
	assert_int_equal(pid, -1);
	assert_string_equal(err.text, "start /nonexistent/x: No such file or directory");
	/* And no zombie is left. */
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static void
a_file_that_is_no_program_is_an_error(void **state)
{
	const char *const argv[] = {"x", NULL};
	struct proc_spec spec = {.path = "/proc/self/status", .argv = argv};
	pid_t pid = -1;
	struct az_err err = {0};

	assert_int_equal(proc_spawn(&spec, &pid, &err), AZ_IO);
	assert_non_null(strstr(err.text, "Permission denied"));
}

static void
a_bad_descriptor_is_an_error(void **state)
{
	const char *const argv[] = {own_path, "--child", "fds", NULL};
	struct proc_spec spec = {.path = own_path, .argv = argv, .fds = {-1}, .fd_count = 1};
	pid_t pid = -1;
	struct az_err err = {0};

	assert_int_equal(proc_spawn(&spec, &pid, &err), AZ_IO);
	assert_non_null(strstr(err.text, "descriptors of"));
	assert_int_equal(pid, -1);
}

static void
a_failed_start_leaves_no_descriptor_open(void **state)
{
	const char *const argv[] = {"x", NULL};
	struct proc_spec spec = {.path = "/nonexistent/x", .argv = argv};
	pid_t pid = -1;
	int before = dup(STDIN_FILENO);

	fd_close(&before);
	before = dup(STDIN_FILENO);
	for (int i = 0; i < 5; i++)
		assert_int_equal(proc_spawn(&spec, &pid, NULL), AZ_IO);
	int after = dup(STDIN_FILENO);
	assert_int_equal(after, before + 1);
	fd_close(&after);
	fd_close(&before);
}

static void
a_socket_pair_is_connected_and_close_on_exec(void **state)
{
	int fds[2];
	char byte = 0;

	assert_int_equal(proc_socketpair(fds, NULL), AZ_OK);
	assert_int_equal(fcntl(fds[0], F_GETFD), FD_CLOEXEC);
	assert_int_equal(fcntl(fds[1], F_GETFD), FD_CLOEXEC);
	assert_int_equal(write(fds[0], "q", 1), 1);
	assert_int_equal(read(fds[1], &byte, 1), 1);
	assert_int_equal(byte, 'q');
	fd_close(&fds[0]);
	fd_close(&fds[1]);
}

static void
the_own_folder_holds_the_running_program(void **state)
{
	char folder[PATH_MAX];
	struct stat by_folder;
	struct stat by_link;
	char path[2 * PATH_MAX];

	assert_int_equal(proc_own_folder(folder, sizeof(folder), NULL), AZ_OK);
	assert_int_equal(folder[0], '/');
	(void)snprintf(path, sizeof(path), "%s/%s", folder, strrchr(own_path, '/') + 1);
	assert_int_equal(stat(path, &by_folder), 0);
	assert_int_equal(stat("/proc/self/exe", &by_link), 0);
	assert_true(by_folder.st_ino == by_link.st_ino);
}

static void
too_little_room_for_the_own_folder_is_refused(void **state)
{
	char folder[PATH_MAX];

	assert_int_equal(proc_own_folder(folder, sizeof(folder), NULL), AZ_OK);
	size_t size = strlen(folder);
	memset(folder, 'x', sizeof(folder));
	assert_int_equal(proc_own_folder(folder, size, NULL), AZ_LIMIT);
	assert_int_equal(proc_own_folder(folder, 0, NULL), AZ_LIMIT);
	assert_int_equal(folder[0], 'x');
	assert_int_equal(proc_own_folder(folder, size + 1, NULL), AZ_OK);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_environment_is_empty_but_for_zone_and_language),
	    cmocka_unit_test(only_the_named_descriptors_are_open),
	    cmocka_unit_test(descriptors_may_lie_where_others_belong),
	    cmocka_unit_test(signals_are_at_their_defaults),
	    cmocka_unit_test(the_standard_streams_lead_nowhere),
	    cmocka_unit_test(another_user_is_become_wholly),
	    cmocka_unit_test(the_death_signal_outlives_the_change_of_user),
	    cmocka_unit_test(a_missing_program_is_an_error_with_its_reason),
	    cmocka_unit_test(a_file_that_is_no_program_is_an_error),
	    cmocka_unit_test(a_bad_descriptor_is_an_error),
	    cmocka_unit_test(a_failed_start_leaves_no_descriptor_open),
	    cmocka_unit_test(a_socket_pair_is_connected_and_close_on_exec),
	    cmocka_unit_test(the_own_folder_holds_the_running_program),
	    cmocka_unit_test(too_little_room_for_the_own_folder_is_refused),
	};

	if (argc == 3 && strcmp(argv[1], "--child") == 0)
		return child_main(argv[2]);
	if (!realpath("/proc/self/exe", own_path))
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
