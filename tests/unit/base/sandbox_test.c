#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>

#include "shut_in.h"

static bool
act_execve(void)
{
	char *argv[] = {NULL, NULL};

	return execve("/bin/true", argv, argv) == 0;
}

static bool
act_execveat(void)
{
	return syscall(SYS_execveat, folder.fd, "file", NULL, NULL, 0) == 0;
}

static void
no_program_is_executed(void **state)
{
	IN_EVERY_PROFILE(assert_killed, act_execve);
	IN_EVERY_PROFILE(assert_killed, act_execveat);
}

static bool
act_socket_inet(void)
{
	return socket(AF_INET, SOCK_STREAM, 0) >= 0;
}

static bool
act_socket_unix(void)
{
	return socket(AF_UNIX, SOCK_STREAM, 0) >= 0;
}

static bool
act_socketpair(void)
{
	int fds[2];

	return socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0;
}

static void
no_socket_is_made(void **state)
{
	IN_EVERY_PROFILE(assert_killed, act_socket_inet);
	IN_EVERY_PROFILE(assert_killed, act_socket_unix);
	IN_EVERY_PROFILE(assert_killed, act_socketpair);
}

static bool
act_connect_unix(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "/nowhere"};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	/* It may try; that nobody listens there is all that keeps it. */
	return fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0 &&
	    errno == ENOENT;
}

/* The guard's other half reaches the house by a Unix socket, and nothing by any other. */
static void
a_front_makes_unix_sockets_only(void **state)
{
	(void)state;
	assert_killed(SANDBOX_FRONT, act_socket_inet);
	assert_killed(SANDBOX_FRONT, act_socketpair);
	assert_killed(SANDBOX_FRONT, act_execve);
	assert_works(SANDBOX_FRONT, act_connect_unix);
}

static int inherited_socket = -1;

static bool
act_connect(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(9)};

	return connect(inherited_socket, (struct sockaddr *)&address, sizeof(address)) == 0;
}

static bool
act_bind(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET};

	return bind(inherited_socket, (struct sockaddr *)&address, sizeof(address)) == 0;
}

static bool
act_listen(void)
{
	return listen(inherited_socket, 1) == 0;
}

static bool
act_sendto_address(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(9)};

	return sendto(inherited_socket, "x", 1, 0, (struct sockaddr *)&address, sizeof(address)) ==
	    1;
}

static void
an_inherited_socket_reaches_no_new_peer(void **state)
{
	inherited_socket = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_true(inherited_socket >= 0);
	IN_EVERY_PROFILE(assert_killed, act_connect);
	IN_EVERY_PROFILE(assert_killed, act_bind);
	IN_EVERY_PROFILE(assert_killed, act_listen);
	IN_EVERY_PROFILE(assert_killed, act_sendto_address);
	fd_close(&inherited_socket);
}

static bool
act_accept(void)
{
	return accept4(STDIN_FILENO, NULL, NULL, SOCK_CLOEXEC) >= 0;
}

static void
only_the_keeper_accepts(void **state)
{
	assert_killed(SANDBOX_INTAKE, act_accept);
	assert_killed(SANDBOX_VAULT, act_accept);
	assert_killed(SANDBOX_VERIFY, act_accept);
}

static bool
act_ptrace(void)
{
	return ptrace(PTRACE_ATTACH, getppid(), NULL, NULL) == 0;
}

static bool
act_process_vm_readv(void)
{
	char byte = 0;
	struct iovec iov = {.iov_base = &byte, .iov_len = 1};

	return process_vm_readv(getppid(), &iov, 1, &iov, 1, 0) == 1;
}

static bool
act_kill(void)
{
	return kill(getppid(), 0) == 0;
}

static bool
act_kill_self(void)
{
	return kill(getpid(), 0) == 0;
}

static bool
act_tgkill(void)
{
	return syscall(SYS_tgkill, getppid(), getppid(), 0) == 0;
}

static bool
act_pidfd_open(void)
{
	return syscall(SYS_pidfd_open, getppid(), 0) >= 0;
}

static void
no_other_process_is_touched(void **state)
{
	IN_EVERY_PROFILE(assert_killed, act_ptrace);
	IN_EVERY_PROFILE(assert_killed, act_process_vm_readv);
	IN_EVERY_PROFILE(assert_killed, act_kill);
	IN_EVERY_PROFILE(assert_killed, act_kill_self);
	IN_EVERY_PROFILE(assert_killed, act_tgkill);
	IN_EVERY_PROFILE(assert_killed, act_pidfd_open);
}

static bool
act_fork(void)
{
	return syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL) >= 0;
}

static bool
act_share_memory_with_a_process(void)
{
	static _Alignas(16) uint8_t stack[4096];

	return syscall(SYS_clone, CLONE_VM | SIGCHLD, stack + sizeof(stack), NULL, NULL, NULL) >= 0;
}

static bool
act_unshare(void)
{
	return unshare(CLONE_NEWUSER) == 0;
}

static void
no_process_or_namespace_is_made(void **state)
{
	IN_EVERY_PROFILE(assert_killed, act_fork);
	IN_EVERY_PROFILE(assert_killed, act_share_memory_with_a_process);
	IN_EVERY_PROFILE(assert_killed, act_unshare);
}

static bool
act_map_code(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) !=
	    MAP_FAILED;
}

static bool
act_make_code(void)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return page != MAP_FAILED && mprotect(page, 4096, PROT_READ | PROT_EXEC) == 0;
}

static void
no_memory_becomes_code(void **state)
{
	IN_EVERY_PROFILE(assert_killed_unless_sanitized, act_map_code);
	IN_EVERY_PROFILE(assert_killed_unless_sanitized, act_make_code);
}

static bool
act_become_dumpable(void)
{
	return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0;
}

static bool
act_raise_core_limit(void)
{
	struct rlimit limit = {.rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY};

	return setrlimit(RLIMIT_CORE, &limit) == 0;
}

static bool
act_change_user(void)
{
	return setuid(getuid()) == 0;
}

static bool
act_inject_input(void)
{
	return ioctl(STDIN_FILENO, TIOCSTI, "x") == 0;
}

static void
nothing_given_up_is_taken_back(void **state)
{
	IN_EVERY_PROFILE(assert_killed_unless_sanitized, act_become_dumpable);
	IN_EVERY_PROFILE(assert_killed_unless_sanitized, act_raise_core_limit);
	IN_EVERY_PROFILE(assert_killed, act_change_user);
	IN_EVERY_PROFILE(assert_killed_unless_sanitized, act_inject_input);
}

static bool
act_bpf(void)
{
	return syscall(SYS_bpf, 0, NULL, 0) >= 0;
}

static bool
act_io_uring(void)
{
	return syscall(SYS_io_uring_setup, 1, NULL) >= 0;
}

static bool
act_keyctl(void)
{
	return syscall(SYS_keyctl, 0, 0, 0, 0, 0) >= 0;
}

static bool
act_mount(void)
{
	return syscall(SYS_mount, "x", "/", "tmpfs", 0, NULL) == 0;
}

static bool
act_open_by_handle(void)
{
	return syscall(SYS_open_by_handle_at, folder.fd, NULL, O_RDONLY) >= 0;
}

static void
the_kernel_s_wide_doors_are_shut(void **state)
{
	IN_EVERY_PROFILE(assert_killed, act_bpf);
	IN_EVERY_PROFILE(assert_killed, act_io_uring);
	IN_EVERY_PROFILE(assert_killed, act_keyctl);
	IN_EVERY_PROFILE(assert_killed, act_mount);
	IN_EVERY_PROFILE(assert_killed, act_open_by_handle);
}

#ifdef __x86_64__
static bool
act_x32(void)
{
	return syscall(0x40000000 | SYS_getpid) > 0;
}

static bool
act_i386(void)
{
	long result = 20; /* getpid of the 32-bit table; in ours the number is writev */

	__asm__ volatile("int $0x80" : "+a"(result) : : "memory");
	return result > 0;
}

static void
the_tables_of_other_architectures_are_shut(void **state)
{
	IN_EVERY_PROFILE(assert_killed, act_x32);
	/* A kernel without them faults instead. */
	int status = act_in(SANDBOX_KEEPER, act_i386);
	assert_true(child_killed_by(status, SIGSYS) || child_killed_by(status, SIGSEGV));
}
#endif

static bool
act_open_inside(void)
{
	return openat(folder.fd, "file", O_RDONLY) >= 0;
}

static bool
act_stat_path(void)
{
	struct stat info;

	return stat("/etc/passwd", &info) == 0;
}

static void
intake_opens_nothing(void **state)
{
	assert_killed_unless_sanitized(SANDBOX_INTAKE, act_open_inside);
	if (SANITIZED)
		assert_false(child_succeeded(act_in(SANDBOX_INTAKE, act_open_inside)));
	assert_killed_unless_sanitized(SANDBOX_INTAKE, act_stat_path);
}

/* True if the call that has just returned result failed for want of permission. */
static bool
denied(long result)
{
	return result < 0 && errno == EACCES;
}

static bool
act_outside_is_denied(void)
{
	char path[100];

	(void)snprintf(path, sizeof(path), "%s/file", outside.path);
	return denied(openat(AT_FDCWD, path, O_RDONLY)) &&
	    denied(openat(outside.fd, "file", O_RDONLY)) &&
	    denied(openat(folder.fd, "..", O_RDONLY | O_DIRECTORY)) &&
	    denied(openat(folder.fd, "way-out/file", O_RDONLY)) &&
	    denied(openat(AT_FDCWD, "/etc/passwd", O_RDONLY)) &&
	    denied(openat(AT_FDCWD, "/proc/self/mem", O_RDONLY)) &&
	    denied(openat(AT_FDCWD, "/dev/zero", O_RDONLY)) &&
	    denied(openat(AT_FDCWD, "/", O_RDONLY | O_DIRECTORY));
}

static void
files_outside_are_denied(void **state)
{
	assert_works(SANDBOX_VAULT, act_outside_is_denied);
	assert_works(SANDBOX_KEEPER, act_outside_is_denied);
	assert_works(SANDBOX_VERIFY, act_outside_is_denied);
	assert_works(SANDBOX_WITNESS, act_outside_is_denied);
}

static bool
act_changing_outside_is_denied(void)
{
	return denied(openat(outside.fd, "file", O_WRONLY)) &&
	    denied(openat(outside.fd, "new", O_WRONLY | O_CREAT, 0600)) &&
	    denied(unlinkat(outside.fd, "file", 0)) && denied(mkdirat(outside.fd, "new", 0700)) &&
	    renameat(folder.fd, "file", outside.fd, "file") < 0 &&
	    renameat(outside.fd, "file", folder.fd, "stolen") < 0;
}

static void
changing_what_lies_outside_is_denied(void **state)
{
	assert_works(SANDBOX_VAULT, act_changing_outside_is_denied);
	assert_works(SANDBOX_KEEPER, act_changing_outside_is_denied);
}

static bool
act_public_is_read_only(void)
{
	return openat(public.fd, "file", O_RDONLY) >= 0 &&
	    denied(openat(public.fd, "file", O_WRONLY)) &&
	    denied(openat(public.fd, "file", O_RDWR)) &&
	    denied(openat(public.fd, "new", O_WRONLY | O_CREAT, 0600)) &&
	    denied(unlinkat(public.fd, "file", 0)) && denied(mkdirat(public.fd, "new", 0700)) &&
	    denied(renameat(public.fd, "file", public.fd, "other")) &&
	    file_replace(public.fd, "file", bytes_of("x"), 0600, NULL) == AZ_IO;
}

static void
a_folder_for_reading_is_not_written(void **state)
{
	assert_works(SANDBOX_KEEPER, act_public_is_read_only);
}

static bool
act_open_for_writing(void)
{
	return openat(folder.fd, "file", O_WRONLY) >= 0;
}

static bool
act_create(void)
{
	return openat(folder.fd, "new", O_RDONLY | O_CREAT, 0600) >= 0;
}

static bool
act_truncate(void)
{
	return openat(folder.fd, "file", O_RDONLY | O_TRUNC) >= 0;
}

static bool
act_unlink(void)
{
	return unlinkat(folder.fd, "file", 0) == 0;
}

static bool
act_rename(void)
{
	return renameat(folder.fd, "file", folder.fd, "other") == 0;
}

static void
a_verifier_changes_nothing(void **state)
{
	assert_killed_unless_sanitized(SANDBOX_VERIFY, act_open_for_writing);
	assert_killed_unless_sanitized(SANDBOX_VERIFY, act_create);
	assert_killed_unless_sanitized(SANDBOX_VERIFY, act_truncate);
	assert_killed(SANDBOX_VERIFY, act_unlink);
	assert_killed(SANDBOX_VERIFY, act_rename);
	if (SANITIZED) {
		assert_false(child_succeeded(act_in(SANDBOX_VERIFY, act_open_for_writing)));
		assert_false(child_succeeded(act_in(SANDBOX_VERIFY, act_create)));
	}
}

static bool
act_symlink(void)
{
	return symlinkat("/", folder.fd, "link") == 0;
}

static bool
act_link(void)
{
	return linkat(folder.fd, "file", folder.fd, "link", 0) == 0;
}

static bool
act_mknod(void)
{
	return mknodat(folder.fd, "node", S_IFIFO | 0600, 0) == 0;
}

static bool
act_chmod(void)
{
	return fchmodat(folder.fd, "file", 04755, 0) == 0;
}

static void
no_links_nodes_or_modes_are_made(void **state)
{
	IN_EVERY_PROFILE(assert_killed, act_symlink);
	IN_EVERY_PROFILE(assert_killed, act_link);
	IN_EVERY_PROFILE(assert_killed, act_mknod);
	IN_EVERY_PROFILE(assert_killed, act_chmod);
}

static bool
act_abort(void)
{
	abort();
}

static bool
abort_with_unlimited_core(void *arg)
{
	struct rlimit limit = {.rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY};

	/* Of no avail if we may not; then there is no core either way. */
	(void)setrlimit(RLIMIT_CORE, &limit);
	return run_attempt(arg);
}

static void
an_abort_leaves_no_core(void **state)
{
	for (size_t i = 0; i < AZ_ARRAY_SIZE(profiles); i++) {
		struct attempt attempt = {.profile = profiles[i], .act = act_abort};
		int status = child_run(abort_with_unlimited_core, &attempt);
		assert_true(child_killed_by(status, SIGABRT));
		assert_false(WCOREDUMP(status));
	}
}

static int meeting[2];

static bool
act_wait_until_seen(void)
{
	char byte = 0;

	return write(meeting[1], "r", 1) == 1 && read(meeting[1], &byte, 1) == 1;
}

/* True if a line of that file of /proc/PID begins so. */
static bool
proc_shows(pid_t pid, const char *name, const char *expected)
{
	char path[40];
	char line[200];
	bool found = false;

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	FILE *file = fopen(path, "r");
	if (!file)
		return false;
	while (fgets(line, sizeof(line), file))
		found = found || strncmp(line, expected, strlen(expected)) == 0;
	(void)fclose(file);
	return found;
}

/* Belongs to an ordinary user, as far as the kernel is concerned, until it is shut in. */
static bool
be_an_ordinary_user(void *arg)
{
	(void)close(meeting[0]);
	if (geteuid() == 0 && setresuid(65534, 65534, 65534) != 0)
		return false;
	/* The change of user made it undumpable: undo that, lest it pass for the sandbox's work. */
	return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0 && run_attempt(arg);
}

static void
what_was_given_up_is_seen_from_outside(void **state)
{
	struct attempt attempt = {.profile = SANDBOX_VAULT, .act = act_wait_until_seen};
	char path[40];
	char byte = 0;
	struct stat info = {.st_uid = 1};
	int status = -1;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, meeting), 0);
	pid_t pid = fork();
	if (pid == 0)
		_exit(be_an_ordinary_user(&attempt) ? 0 : 1);
	fd_close(&meeting[1]);
	assert_int_equal(read(meeting[0], &byte, 1), 1);
	(void)snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	bool seen = proc_shows(pid, "status", "NoNewPrivs:\t1\n") &&
	    proc_shows(pid, "status", "Seccomp:\t2\n") &&
	    proc_shows(pid, "limits", "Max core file size        0                    0   ") &&
	    stat(path, &info) == 0;
	assert_int_equal(write(meeting[0], "x", 1), 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(child_succeeded(status));
	assert_true(seen);
	/* What cannot be dumped or traced belongs to root. */
	assert_int_equal(info.st_uid, 0);
	fd_close(&meeting[0]);
}

static bool
refuse_unfit(void *arg)
{
	int none = -1;
	const struct sandbox unfit[] = {
	    {.profile = SANDBOX_NONE},
	    {.profile = (enum sandbox_profile)77},
	    {.profile = SANDBOX_INTAKE, .readable_dirs = &public.fd, .readable_count = 1},
	    {.profile = SANDBOX_INTAKE, .writable_dirs = &folder.fd, .writable_count = 1},
	    {.profile = SANDBOX_VERIFY, .writable_dirs = &folder.fd, .writable_count = 1},
	    {.profile = SANDBOX_VAULT, .writable_dirs = &none, .writable_count = 1},
	    {.profile = SANDBOX_VAULT, .readable_dirs = &none, .readable_count = 1},
	};

	for (size_t i = 0; i < AZ_ARRAY_SIZE(unfit); i++) {
		struct az_err err = {0};
		if (sandbox_enter(&unfit[i], &err) != AZ_IO || err.status != AZ_IO || !err.text[0])
			return false;
	}
	return true;
}

static void
an_unfit_sandbox_is_refused(void **state)
{
	assert_true(child_succeeded(child_run(refuse_unfit, NULL)));
}

static void *
sleep_on(void *arg)
{
	for (;;)
		(void)pause();
	return arg;
}

static bool
refuse_beside_a_thread(void *arg)
{
	pthread_t thread;
	struct az_err err = {0};
	struct sandbox sandbox = {.profile = SANDBOX_INTAKE};

	return pthread_create(&thread, NULL, sleep_on, NULL) == 0 &&
	    sandbox_enter(&sandbox, &err) == AZ_IO && strstr(err.text, "threads") != NULL;
}

static void
a_sandbox_beside_a_running_thread_is_refused(void **state)
{
	assert_true(child_succeeded(child_run(refuse_beside_a_thread, NULL)));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(no_program_is_executed),
	    cmocka_unit_test(no_socket_is_made),
	    cmocka_unit_test(a_front_makes_unix_sockets_only),
	    cmocka_unit_test(an_inherited_socket_reaches_no_new_peer),
	    cmocka_unit_test(only_the_keeper_accepts),
	    cmocka_unit_test(no_other_process_is_touched),
	    cmocka_unit_test(no_process_or_namespace_is_made),
	    cmocka_unit_test(no_memory_becomes_code),
	    cmocka_unit_test(nothing_given_up_is_taken_back),
	    cmocka_unit_test(the_kernel_s_wide_doors_are_shut),
#ifdef __x86_64__
	    cmocka_unit_test(the_tables_of_other_architectures_are_shut),
#endif
	    cmocka_unit_test(intake_opens_nothing),
	    cmocka_unit_test(files_outside_are_denied),
	    cmocka_unit_test(changing_what_lies_outside_is_denied),
	    cmocka_unit_test(a_folder_for_reading_is_not_written),
	    cmocka_unit_test(a_verifier_changes_nothing),
	    cmocka_unit_test(no_links_nodes_or_modes_are_made),
	    cmocka_unit_test(an_abort_leaves_no_core),
	    cmocka_unit_test(what_was_given_up_is_seen_from_outside),
	    cmocka_unit_test(an_unfit_sandbox_is_refused),
	    cmocka_unit_test(a_sandbox_beside_a_running_thread_is_refused),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
