#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <sys/un.h>

#include "base/clock.h"
#include "base/frame.h"
#include "base/loop.h"
#include "base/secret.h"
#include "shut_in.h"

/*
 * That each profile suffices for what its process does. A call of the C library that a later version
 * makes in another way is found here.
 */

static int meeting[2];

static int
by_value(const void *a, const void *b)
{
	const int *left = a;
	const int *right = b;

	return (*left > *right) - (*left < *right);
}

static volatile sig_atomic_t alarms;

static void
count_alarm(int signo)
{
	alarms++;
}

/* What any process does all day: memory, sorting, time, signals, secrets, text. */
static bool
act_ordinary_life(void)
{
	enum { COUNT = 100000 };
	struct secret *secret = NULL;
	struct arena *arena = NULL;
	struct timespec wait = {.tv_nsec = 1000000};
	char text[40];

	int *numbers = calloc(COUNT, sizeof(*numbers));
	if (!numbers)
		return false;
	for (int i = 0; i < COUNT; i++)
		numbers[i] = (i * 7919) % COUNT;
	qsort(numbers, COUNT, sizeof(*numbers), by_value);
	int *larger = realloc(numbers, 40 * COUNT * sizeof(*numbers));
	if (!larger || larger[COUNT - 1] != COUNT - 1)
		return false;
	free(larger);
	if (secret_new(32, &secret, NULL) != AZ_OK || arena_new(1 << 20, &arena, NULL) != AZ_OK)
		return false;
	if (!arena_alloc(arena, 500000))
		return false;
	arena_reset(arena);
	arena_free(&arena);
	secret_free(&secret);
	clock_format_local(clock_now_us(), text, sizeof(text));
	if (strlen(text) != 26 || nanosleep(&wait, NULL) != 0)
		return false;
	struct sigaction action = {.sa_handler = count_alarm};
	if (sigaction(SIGUSR1, &action, NULL) != 0 || raise(SIGUSR1) != 0 || alarms != 1)
		return false;
	/* libc asks of a stream whether it is a terminal, and lives with a no. */
	return !isatty(STDOUT_FILENO) && printf("text\n") == 5 && fflush(stdout) == 0;
}

static void
ordinary_life_goes_on(void **state)
{
	int saved = dup(STDOUT_FILENO);
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	(void)fflush(stdout);
	assert_true(dup2(null, STDOUT_FILENO) >= 0);
	int statuses[AZ_ARRAY_SIZE(profiles)];
	for (size_t i = 0; i < AZ_ARRAY_SIZE(profiles); i++)
		statuses[i] = act_in(profiles[i], act_ordinary_life);
	assert_true(dup2(saved, STDOUT_FILENO) >= 0);
	fd_close(&saved);
	fd_close(&null);
	for (size_t i = 0; i < AZ_ARRAY_SIZE(profiles); i++)
		assert_true(child_succeeded(statuses[i]));
}

static int given_memfd = -1;

/* A list comes in as a pipe or a sealed memfd, rows go out in frames. */
static bool
act_intake(void)
{
	struct link link;
	struct frame frame;
	struct stat info;
	struct pollfd ready = {.fd = meeting[0], .events = POLLIN};

	if (fstat(given_memfd, &info) != 0 || info.st_size != 4096 ||
	    fcntl(given_memfd, F_GET_SEALS) != F_SEAL_WRITE)
		return false;
	uint8_t *map = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, given_memfd, 0);
	if (map == MAP_FAILED || map[0] != 0 || munmap(map, 4096) != 0)
		return false;
	link_init(&link, meeting[1], LINK_BLOCKING, 100, 100, true);
	if (link_queue(&link, 1, 1, bytes_of("row")) != AZ_OK || link_flush(&link, NULL) != AZ_OK)
		return false;
	if (poll(&ready, 1, 1000) != 1)
		return false;
	link_fini(&link);
	link_init(&link, meeting[0], LINK_NONBLOCKING, 100, 100, true);
	bool arrived = link_fill(&link, NULL) == AZ_OK && link_next(&link, &frame, NULL) == AZ_OK;
	link_fini(&link);
	return arrived;
}

static void
intake_can_do_its_work(void **state)
{
	given_memfd = memfd_create("list", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	assert_int_equal(ftruncate(given_memfd, 4096), 0);
	assert_int_equal(fcntl(given_memfd, F_ADD_SEALS, F_SEAL_WRITE), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, meeting), 0);
	assert_works(SANDBOX_INTAKE, act_intake);
	fd_close(&given_memfd);
	fd_close(&meeting[0]);
	fd_close(&meeting[1]);
}

static void *
use_memory(void *arg)
{
	struct secret *secret = NULL;
	uint8_t *large = malloc(1 << 20);
	bool done = large && secret_new(32, &secret, NULL) == AZ_OK;

	if (large)
		memset(large, 1, 1 << 20);
	secret_free(&secret);
	free(large);
	(void)pthread_setname_np(pthread_self(), "worker");
	return done ? arg : NULL;
}

static bool
threads_work(void)
{
	pthread_t threads[4];

	for (size_t i = 0; i < 4; i++)
		if (pthread_create(&threads[i], NULL, use_memory, threads) != 0)
			return false;
	for (size_t i = 0; i < 4; i++) {
		void *done = NULL;
		if (pthread_join(threads[i], &done) != 0 || !done)
			return false;
	}
	return true;
}

static struct loop *loop;

static void
stop_loop(void *arg)
{
	loop_stop(loop);
}

static bool
loop_works(void)
{
	struct loop_watch *watch = NULL;

	if (loop_new(&loop, NULL) != AZ_OK)
		return false;
	loop_on_wake(loop, stop_loop, NULL);
	loop_wake(loop);
	bool done = loop_run(loop, NULL) == AZ_OK &&
	    loop_watch(loop, folder.fd, NULL, NULL, &watch, NULL) == AZ_IO;
	loop_free(&loop);
	return done;
}

/* The calls by which a store of mapped pages lives. */
static bool
mapped_file_works(void)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1};
	char text[] = "abcd";
	struct iovec iov[2] = {
	    {.iov_base = text, .iov_len = 2}, {.iov_base = text + 2, .iov_len = 2}};
	struct statvfs space;

	int fd = openat(folder.fd, "data", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || fcntl(fd, F_SETLK, &lock) != 0 || fcntl(fd, F_GETLK, &lock) != 0 ||
	    ftruncate(fd, 65536) != 0 || fallocate(fd, 0, 0, 131072) != 0)
		return false;
	uint8_t *map = mmap(NULL, 131072, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED || madvise(map, 131072, MADV_RANDOM) != 0)
		return false;
	map[5000] = 1;
	if (msync(map, 131072, MS_SYNC) != 0 || pwrite(fd, "x", 1, 9000) != 1 ||
	    pwritev(fd, iov, 2, 20000) != 4 || fdatasync(fd) != 0 || fsync(fd) != 0)
		return false;
	if (map[20003] != 'd' || mlock(map, 4096) != 0 || munlock(map, 4096) != 0)
		return false;
	if (flock(fd, LOCK_EX | LOCK_NB) != 0 || fstatvfs(fd, &space) != 0)
		return false;
	return munmap(map, 131072) == 0 && close(fd) == 0 && unlinkat(folder.fd, "data", 0) == 0;
}

static bool
files_work(void)
{
	struct buffer buffer;
	int fd = -1;

	buffer_init(&buffer, 100, false);
	bool done = file_create(folder.fd, "one", bytes_of("1"), 0600, NULL) == AZ_OK &&
	    file_create(folder.fd, "one", bytes_of("1"), 0600, NULL) == AZ_CONFLICT &&
	    file_replace(folder.fd, "one", bytes_of("2"), 0600, NULL) == AZ_OK &&
	    file_read_whole(folder.fd, "one", &buffer, NULL) == AZ_OK &&
	    unlinkat(folder.fd, "one", 0) == 0 &&
	    dir_open(folder.fd, "sub", true, 0700, &fd, NULL) == AZ_OK &&
	    file_create(fd, "two", bytes_of("2"), 0600, NULL) == AZ_OK &&
	    renameat(fd, "two", folder.fd, "two") == 0 && unlinkat(folder.fd, "two", 0) == 0 &&
	    unlinkat(folder.fd, "sub", AT_REMOVEDIR) == 0;
	fd_close(&fd);
	buffer_fini(&buffer);
	return done;
}

static bool
listing_works(void)
{
	int fd = openat(folder.fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	size_t count = 0;

	while (dir && readdir(dir))
		count++;
	if (dir)
		(void)closedir(dir);
	return count >= 3;
}

static bool
act_vault(void)
{
	return threads_work() && loop_works() && mapped_file_works() && files_work() &&
	    listing_works();
}

static void
the_vault_can_do_its_work(void **state)
{
	assert_works(SANDBOX_VAULT, act_vault);
}

static int listener = -1;

/* Accepts the front that has connected, learns who it is, and takes the descriptor it passes. */
static bool
front_works(void)
{
	struct ucred peer = {0};
	socklen_t size = sizeof(peer);
	struct link link;
	struct frame frame;

	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (fd < 0 || getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 || peer.pid == 0)
		return false;
	link_init(&link, fd, LINK_BLOCKING, 100, 100, true);
	link.accepts_fds = true;
	if (link_receive(&link, &frame, NULL) != AZ_OK || frame.fd < 0)
		return false;
	bool passed_on = link_send_fd(&link, 1, 1, bytes_of("back"), frame.fd, NULL) == AZ_OK;
	fd_close(&frame.fd);
	link_fini(&link);
	return passed_on;
}

static void *
raise_own_priority(void *arg)
{
	struct sched_param param = {0};

	/* Whether the user may is not the question here; the process must live. */
	(void)setpriority(PRIO_PROCESS, 0, -5);
	(void)sched_setscheduler(0, SCHED_BATCH, &param);
	return arg;
}

/* The calls that SQLite makes beyond those of a store of mapped pages. */
static bool
database_calls_work(void)
{
	char path[200];
	char target[200];
	struct stat info;

	(void)snprintf(path, sizeof(path), "%s/journal", folder.path);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0 || !getcwd(path, sizeof(path)))
		return false;
	(void)snprintf(path, sizeof(path), "%s/journal", folder.path);
	return lstat(path, &info) == 0 && readlink(path, target, sizeof(target)) < 0 &&
	    errno == EINVAL && access(path, R_OK | W_OK) == 0 && fchmod(fd, 0600) == 0 &&
	    fchown(fd, geteuid(), getegid()) == 0 && close(fd) == 0 && unlink(path) == 0;
}

static bool
act_keeper(void)
{
	pthread_t thread;
	int pipe_fds[2];

	int memfd = memfd_create("list", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (memfd < 0 || ftruncate(memfd, 100) != 0 ||
	    fcntl(memfd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK) != 0)
		return false;
	if (pipe2(pipe_fds, O_CLOEXEC) != 0)
		return false;
	if (pthread_create(&thread, NULL, raise_own_priority, NULL) != 0 ||
	    pthread_join(thread, NULL) != 0)
		return false;
	return front_works() && threads_work() && loop_works() && mapped_file_works() &&
	    files_work() && database_calls_work();
}

static void
the_keeper_can_do_its_work(void **state)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct link front;

	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/socket", outside.path);
	assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(listener, 1), 0);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	link_init(&front, fd, LINK_BLOCKING, 100, 100, false);
	assert_int_equal(link_send_fd(&front, 1, 1, bytes_of("list"), STDIN_FILENO, NULL), AZ_OK);
	assert_works(SANDBOX_KEEPER, act_keeper);
	link_fini(&front);
	fd_close(&listener);
}

static bool
act_verify(void)
{
	struct buffer buffer;

	buffer_init(&buffer, 100, false);
	bool done = file_read_whole(folder.fd, "file", &buffer, NULL) == AZ_OK &&
	    bytes_equal(buffer_peek(&buffer), bytes_of("inside"));
	buffer_fini(&buffer);
	int fd = openat(folder.fd, "file", O_RDONLY | O_CLOEXEC);
	uint8_t *map = mmap(NULL, 6, PROT_READ, MAP_SHARED, fd, 0);
	return done && map != MAP_FAILED && map[0] == 'i' && listing_works() && threads_work();
}

static void
a_verifier_can_do_its_work(void **state)
{
	assert_works(SANDBOX_VERIFY, act_verify);
}

static bool
act_witness(void)
{
	int waiting = -1;
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

	return fd >= 0 && ioctl(fd, FIONREAD, &waiting) == 0 && waiting > 0 &&
	    file_replace(folder.fd, "state", bytes_of("kept"), 0644, NULL) == AZ_OK &&
	    file_replace(folder.fd, "state", bytes_of("kept anew"), 0644, NULL) == AZ_OK;
}

static void
a_witness_can_do_its_work(void **state)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/witness", outside.path);
	assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(listener, 1), 0);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(write(fd, "asked", 5), 5);
	assert_works(SANDBOX_WITNESS, act_witness);
	fd_close(&fd);
	fd_close(&listener);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(ordinary_life_goes_on),
	    cmocka_unit_test(intake_can_do_its_work),
	    cmocka_unit_test(the_vault_can_do_its_work),
	    cmocka_unit_test(the_keeper_can_do_its_work),
	    cmocka_unit_test(a_witness_can_do_its_work),
	    cmocka_unit_test(a_verifier_can_do_its_work),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
