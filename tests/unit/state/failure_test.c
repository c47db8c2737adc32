/* A write that fails takes everything since the last sync with it, and lets no later one through. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mount.h>

#include "fixture.h"

#define CANNOT_MOUNT 77

/* Puts large things until a put or the sync fails; its status, or AZ_OK if none did. */
static enum az_status
write_until_full(struct state *state)
{
	static uint8_t large[STATE_THING_MAX];
	enum az_status status = AZ_OK;

	for (uint64_t id = 0; status == AZ_OK && id < 100; id++)
		status = state_put(state, 9, id, bytes_make(large, sizeof(large)), NULL);
	if (status == AZ_OK)
		status = state_sync(state, 8, NULL);
	return status;
}

/* After a failure of that status: writes are refused alike, reads show the last synced state. */
static bool
is_over(struct state *state, enum az_status failure)
{
	struct listing listing = {{0}};

	return state_put(state, 2, 1, bytes_of("x"), NULL) == failure &&
	    state_put_text(state, 0, 1, salt, bytes_of("x"), NULL) == failure &&
	    state_sync(state, 9, NULL) == failure && state_applied(state) == 7 &&
	    state_each(state, list_one, &listing, NULL) == AZ_OK &&
	    strstr(listing.text, "9/0=") == NULL;
}

/* A file may not grow: not a full disk, but a write that fails all the same. */
static bool
fails_to_grow(void *arg)
{
	const struct rlimit small = {.rlim_cur = 128 * 1024, .rlim_max = 128 * 1024};
	struct state *state = NULL;

	child_start();
	(void)signal(SIGXFSZ, SIG_IGN);
	if (setrlimit(RLIMIT_FSIZE, &small) != 0 || try_open(&state) != AZ_OK)
		return false;
	enum az_status status = write_until_full(state);
	bool over = status == AZ_IO && is_over(state, status);
	state_close(&state);
	return over;
}

static void
after_a_write_that_failed_the_last_synced_state_is_there(void **test)
{
	make_house();
	assert_true(child_succeeded(child_run(fails_to_grow, NULL)));
	struct state *state = must_open(false);
	assert_int_equal(state_applied(state), 7);
	assert_string_equal(list(state).text, "2/1=client one;2/2=client two;3/1=purpose one;");
	/* Opened again it takes writes again. */
	assert_int_equal(write_until_full(state), AZ_OK);
	state_close(&state);
	assert_int_equal(open_status(), AZ_OK);
}

/* In a small file system of its own, which is gone with the process. */
static bool
fills_a_disk(void *arg)
{
	struct state *state = NULL;
	int fd = -1;

	child_start();
	if ((unshare(CLONE_NEWNS) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
	    mount("none", folder.path, "tmpfs", 0, "size=512k") != 0)
		_exit(CANNOT_MOUNT);
	if (dir_open(AT_FDCWD, folder.path, false, 0, &fd, NULL) != AZ_OK ||
	    state_open(fd, house, root, true, &state, NULL) != AZ_OK ||
	    state_put(state, 2, 1, bytes_of("client one"), NULL) != AZ_OK ||
	    state_sync(state, 7, NULL) != AZ_OK)
		return false;
	enum az_status status = write_until_full(state);
	bool over = status == AZ_LIMIT && is_over(state, status);
	state_close(&state);
	if (!over || state_open(fd, house, root, false, &state, NULL) != AZ_OK)
		return false;
	over = state_applied(state) == 7;
	state_close(&state);
	return over;
}

static void
a_full_disk_is_a_limit_and_the_last_synced_state_is_there(void **test)
{
	int status = child_run(fills_a_disk, NULL);

	if (WIFEXITED(status) && WEXITSTATUS(status) == CANNOT_MOUNT)
		skip();
	assert_true(child_succeeded(status));
}

static bool
finds_no_room_to_make(void *arg)
{
	const struct rlimit none = {.rlim_cur = 4096, .rlim_max = 4096};
	struct state *state = NULL;

	child_start();
	(void)signal(SIGXFSZ, SIG_IGN);
	return setrlimit(RLIMIT_FSIZE, &none) == 0 &&
	    state_open(folder.fd, house, root, true, &state, NULL) == AZ_IO;
}

static void
a_house_that_could_not_be_made_leaves_nothing_behind(void **test)
{
	assert_true(child_succeeded(child_run(finds_no_room_to_make, NULL)));
	assert_int_equal(open_status(), AZ_NOT_FOUND);
	assert_int_equal(faccessat(folder.fd, "house.db-wal", F_OK, 0), -1);
	make_house();
	assert_int_equal(open_status(), AZ_OK);
}

struct writer {
	pthread_t thread;
	struct state *state;
	uint8_t kind;
	bool worked;
};

static void *
write_many(void *arg)
{
	struct writer *writer = arg;

	writer->worked = true;
	for (uint64_t id = 0; id < 50; id++) {
		if (state_put(writer->state, writer->kind, id, bytes_of("x"), NULL) != AZ_OK ||
		    state_sync(writer->state, state_applied(writer->state), NULL) != AZ_OK)
			writer->worked = false;
	}
	return NULL;
}

static enum az_status
count_one(void *arg, uint8_t kind, uint64_t id, struct bytes thing, struct az_err *reterr)
{
	++*(size_t *)arg;
	return AZ_OK;
}

static void
threads_that_write_at_once_wait_for_each_other(void **test)
{
	struct state *state = must_open(true);
	struct writer writers[4];
	size_t count = 0;

	for (size_t i = 0; i < AZ_ARRAY_SIZE(writers); i++) {
		writers[i] = (struct writer){.state = state, .kind = (uint8_t)(i + 1)};
		assert_int_equal(
		    pthread_create(&writers[i].thread, NULL, write_many, &writers[i]), 0);
	}
	for (size_t i = 0; i < AZ_ARRAY_SIZE(writers); i++) {
		assert_int_equal(pthread_join(writers[i].thread, NULL), 0);
		assert_true(writers[i].worked);
	}
	state_close(&state);
	state = must_open(false);
	assert_int_equal(state_each(state, count_one, &count, NULL), AZ_OK);
	assert_int_equal(count, 200);
	state_close(&state);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(after_a_write_that_failed_the_last_synced_state_is_there),
	    TEST(a_full_disk_is_a_limit_and_the_last_synced_state_is_there),
	    TEST(a_house_that_could_not_be_made_leaves_nothing_behind),
	    TEST(threads_that_write_at_once_wait_for_each_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
