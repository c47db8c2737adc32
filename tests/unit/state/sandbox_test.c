/* It works where the keeper lives: shut in with one folder, as a user who may not reach it by its path. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <grp.h>

#include "base/proc.h"
#include "fixture.h"

#define NOBODY 65534

static int inner = -1; /* the folder "inner" of folder, whose parent only root may enter */

static int
setup_inner(void **test)
{
	if (setup(test) != 0 || dir_open(folder.fd, "inner", true, 0700, &inner, NULL) != AZ_OK)
		return -1;
	return geteuid() == 0 ? fchown(inner, NOBODY, NOBODY) : 0;
}

static int
teardown_inner(void **test)
{
	fd_close(&inner);
	return teardown(test);
}

/* Becomes someone who may not traverse the parent; without root, closes the parent to ourselves. */
static bool
lose_the_way(void)
{
	if (geteuid() == 0)
		return setgroups(0, NULL) == 0 && setresgid(NOBODY, NOBODY, NOBODY) == 0 &&
		    setresuid(NOBODY, NOBODY, NOBODY) == 0;
	return fchmod(folder.fd, 0) == 0;
}

static bool
shut_in(void)
{
	struct sandbox sandbox = {
	    .profile = SANDBOX_KEEPER, .writable_dirs = &inner, .writable_count = 1};

	return sandbox_enter(&sandbox, NULL) == AZ_OK;
}

/* Makes or opens, puts, syncs, reads and closes, in a process that has no other way to the folder. */
static bool
work(bool create)
{
	static uint8_t large[STATE_THING_MAX];
	struct state *state = NULL;
	struct buffer text;
	bool worked = false;

	if (state_open(inner, house, root, create, &state, NULL) != AZ_OK)
		return false;
	buffer_init(&text, STATE_TEXT_MAX, true);
	/* Enough for the journal to be folded into the file on the way. */
	for (uint64_t round = 1; round <= 4; round++) {
		for (uint64_t id = 0; id < 40; id++)
			if (state_put(state, 2, id, bytes_make(large, sizeof(large)), NULL) !=
			    AZ_OK)
				goto out;
		if (state_put_text(state, 0, round, salt, bytes_of("why"), NULL) != AZ_OK ||
		    state_sync(state, state_applied(state) + 1, NULL) != AZ_OK)
			goto out;
	}
	if (state_get_text(state, 0, 3, &text, NULL) != AZ_OK)
		goto out;
	worked = true;
out:
	buffer_fini(&text);
	state_close(&state);
	return worked;
}

static bool
found_a_house_shut_in(void *arg)
{
	const bool *create = arg;
	char path[96];

	child_start();
	path_of("inner", path);
	if (!lose_the_way() || access(path, F_OK) == 0)
		return false;
	state_prepare();
	return shut_in() && work(*create);
}

static void
a_keeper_shut_in_makes_a_house_and_opens_it_again(void **test)
{
	bool create = true;
	struct state *state = NULL;

	assert_true(child_succeeded(child_run(found_a_house_shut_in, &create)));
	create = false;
	assert_true(child_succeeded(child_run(found_a_house_shut_in, &create)));
	assert_int_equal(fchmod(folder.fd, 0700), 0);
	assert_int_equal(state_open(inner, house, root, false, &state, NULL), AZ_OK);
	assert_int_equal(state_applied(state), 8);
	state_close(&state);
}

static bool
recovers_shut_in(void *arg)
{
	struct state *state = NULL;

	child_start();
	state_prepare();
	if (!lose_the_way() || !shut_in() ||
	    state_open(inner, house, root, false, &state, NULL) != AZ_OK)
		return false;
	bool right = state_applied(state) == 1;
	state_close(&state);
	return right;
}

static bool
dies_with_a_journal(void *arg)
{
	struct state *state = NULL;

	child_start();
	if (!lose_the_way() || state_open(inner, house, root, true, &state, NULL) != AZ_OK ||
	    state_put(state, 2, 1, bytes_of("x"), NULL) != AZ_OK ||
	    state_sync(state, 1, NULL) != AZ_OK)
		return false;
	/* child_run ends the process without closing. */
	return faccessat(inner, "house.db-wal", F_OK, 0) == 0;
}

static void
a_keeper_shut_in_recovers_from_the_journal_of_one_that_died(void **test)
{
	assert_true(child_succeeded(child_run(dies_with_a_journal, NULL)));
	assert_true(child_succeeded(child_run(recovers_shut_in, NULL)));
	assert_int_equal(fchmod(folder.fd, 0700), 0);
}

static bool
reaches_what_is_outside(void *arg)
{
	struct state *state = NULL;

	child_start();
	state_prepare();
	return shut_in() && state_open(folder.fd, house, root, false, &state, NULL) == AZ_OK;
}

static void
a_keeper_shut_in_opens_no_other_folder(void **test)
{
	make_house();
	int status = child_run(reaches_what_is_outside, NULL);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 1);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup_inner, teardown_inner)
	const struct CMUnitTest tests[] = {
	    TEST(a_keeper_shut_in_makes_a_house_and_opens_it_again),
	    TEST(a_keeper_shut_in_recovers_from_the_journal_of_one_that_died),
	    TEST(a_keeper_shut_in_opens_no_other_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
