/* What was synced comes back, what was not does not, and nothing lies there to be read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>

#include "fixture.h"

#define THE_HOUSE "2/1=client one;2/2=client two;3/1=purpose one;"

static void
what_was_synced_comes_back_in_order(void **test)
{
	make_house();
	struct state *state = must_open(false);

	assert_int_equal(state_applied(state), 7);
	assert_string_equal(list(state).text, THE_HOUSE);
	state_close(&state);
	assert_null(state);
	state_close(&state);
}

static void
a_new_house_is_empty_at_position_zero(void **test)
{
	struct state *state = must_open(true);

	assert_int_equal(state_applied(state), 0);
	assert_string_equal(list(state).text, "");
	state_close(&state);
	assert_int_equal(open_status(), AZ_OK);
}

static void
a_thing_is_replaced_as_often_as_one_likes(void **test)
{
	make_house();
	struct state *state = must_open(false);

	put(state, 2, 1, "changed");
	put(state, 2, 1, "changed again");
	sync_at(state, 8);
	put(state, 2, 1, "");
	sync_at(state, 9);
	state_close(&state);
	state = must_open(false);
	assert_int_equal(state_applied(state), 9);
	assert_string_equal(list(state).text, "2/1=;2/2=client two;3/1=purpose one;");
	state_close(&state);
}

static void
a_position_moves_without_any_thing(void **test)
{
	make_house();
	struct state *state = must_open(false);

	sync_at(state, UINT64_MAX);
	state_close(&state);
	state = must_open(false);
	assert_true(state_applied(state) == UINT64_MAX);
	state_close(&state);
}

static void
things_of_the_outermost_places_and_sizes_come_back(void **test)
{
	static uint8_t large[STATE_THING_MAX + 1];
	struct state *state = must_open(true);
	struct bytes largest = bytes_make(large, STATE_THING_MAX);

	memset(large, 'x', sizeof(large));
	assert_int_equal(state_put(state, 1, 0, largest, NULL), AZ_OK);
	assert_int_equal(state_put(state, STATE_KIND_MAX, INT64_MAX, largest, NULL), AZ_OK);
	sync_at(state, 1);
	state_close(&state);
	state = must_open(false);
	struct listing listing = list(state);
	assert_memory_equal(listing.text, "1/0=xxxx", 8);
	state_close(&state);
}

static void
what_is_out_of_bounds_is_refused_and_changes_nothing(void **test)
{
	static uint8_t large[STATE_THING_MAX + 1];
	struct bytes thing = bytes_of("x");

	make_house();
	struct state *state = must_open(false);
	assert_int_equal(state_put(state, 0, 1, thing, NULL), AZ_LIMIT);
	assert_int_equal(state_put(state, 255, 1, thing, NULL), AZ_LIMIT);
	assert_int_equal(state_put(state, 2, UINT64_C(1) << 63, thing, NULL), AZ_LIMIT);
	assert_int_equal(state_put(state, 2, 1, bytes_make(large, sizeof(large)), NULL), AZ_LIMIT);
	assert_int_equal(
	    state_put_text(state, 0, 1, salt, bytes_make(large, STATE_TEXT_MAX + 1), NULL),
	    AZ_LIMIT);
	assert_int_equal(state_put_text(state, 0, UINT64_MAX, salt, thing, NULL), AZ_LIMIT);
	sync_at(state, 8);
	assert_string_equal(list(state).text, THE_HOUSE);
	state_close(&state);
	assert_int_equal(open_status(), AZ_OK);
}

static void
what_was_not_synced_is_gone_after_closing(void **test)
{
	make_house();
	struct state *state = must_open(false);

	put(state, 2, 1, "never");
	put(state, 9, 9, "never");
	put_text(state, 0, 7, "never");
	assert_int_equal(text_status(state, 0, 7), AZ_OK);
	state_close(&state);
	state = must_open(false);
	assert_int_equal(state_applied(state), 7);
	assert_string_equal(list(state).text, THE_HOUSE);
	assert_int_equal(text_status(state, 0, 7), AZ_NOT_FOUND);
	state_close(&state);
}

static bool
write_and_be_killed(void *arg)
{
	struct state *state = NULL;

	child_start();
	if (try_open(&state) != AZ_OK ||
	    state_put(state, 2, 1, bytes_of("synced"), NULL) != AZ_OK ||
	    state_sync(state, 8, NULL) != AZ_OK)
		return false;
	/* Enough that SQLite spills some of it into the journal before any commit. */
	for (uint64_t id = 100; id < 200; id++) {
		static uint8_t large[STATE_THING_MAX];

		if (state_put(state, 4, id, bytes_make(large, sizeof(large)), NULL) != AZ_OK)
			return false;
	}
	if (state_put(state, 2, 2, bytes_of("not synced"), NULL) != AZ_OK)
		return false;
	(void)raise(SIGKILL);
	return false;
}

static void
a_kill_in_the_middle_leaves_the_last_synced_state(void **test)
{
	make_house();
	assert_true(child_killed_by(child_run(write_and_be_killed, NULL), SIGKILL));
	struct state *state = must_open(false);
	assert_int_equal(state_applied(state), 8);
	assert_string_equal(list(state).text, "2/1=synced;2/2=client two;3/1=purpose one;");
	state_close(&state);
}

static enum az_status
stop_at_the_second(void *arg, uint8_t kind, uint64_t id, struct bytes thing, struct az_err *reterr)
{
	int *count = arg;

	return ++*count == 2 ? AZ_DENIED : AZ_OK;
}

static void
a_visit_that_fails_ends_the_round(void **test)
{
	int count = 0;

	make_house();
	struct state *state = must_open(false);
	assert_int_equal(state_each(state, stop_at_the_second, &count, NULL), AZ_DENIED);
	assert_int_equal(count, 2);
	assert_string_equal(list(state).text, THE_HOUSE);
	state_close(&state);
}

static void
a_text_comes_back_as_it_was_put(void **test)
{
	struct buffer buffer;

	make_house();
	struct state *state = must_open(false);
	buffer_init(&buffer, STATE_TEXT_MAX, true);
	assert_int_equal(buffer_append(&buffer, bytes_of("what was there before")), AZ_OK);
	assert_int_equal(state_get_text(state, 0, 5, &buffer, NULL), AZ_OK);
	assert_true(bytes_equal(buffer_peek(&buffer), bytes_of("the reason of five")));
	put_text(state, 0, 5, "another");
	put_text(state, UINT32_MAX, INT64_MAX, "");
	assert_int_equal(state_get_text(state, 0, 5, &buffer, NULL), AZ_OK);
	assert_true(bytes_equal(buffer_peek(&buffer), bytes_of("another")));
	assert_int_equal(state_get_text(state, UINT32_MAX, INT64_MAX, &buffer, NULL), AZ_OK);
	assert_int_equal(buffer.size, 0);
	buffer_fini(&buffer);
	state_close(&state);
}

static void
the_longest_text_fits_a_buffer_of_its_size_and_no_smaller_one(void **test)
{
	static uint8_t longest[STATE_TEXT_MAX];
	struct state *state = must_open(true);
	struct buffer buffer;

	assert_int_equal(
	    state_put_text(state, 1, 1, salt, bytes_make(longest, sizeof(longest)), NULL), AZ_OK);
	assert_int_equal(text_status(state, 1, 1), AZ_OK);
	buffer_init(&buffer, STATE_TEXT_MAX - 1, true);
	assert_int_equal(state_get_text(state, 1, 1, &buffer, NULL), AZ_LIMIT);
	assert_int_equal(buffer.size, 0);
	buffer_fini(&buffer);
	state_close(&state);
}

static void
a_text_that_is_not_there_or_was_erased_is_not_found(void **test)
{
	make_house();
	meddle("DELETE FROM text WHERE idx = 5");
	struct state *state = must_open(false);
	assert_int_equal(text_status(state, 0, 5), AZ_NOT_FOUND);
	assert_int_equal(text_status(state, 0, 6), AZ_OK);
	assert_int_equal(text_status(state, 1, 6), AZ_NOT_FOUND);
	assert_int_equal(text_status(state, 0, UINT64_MAX), AZ_NOT_FOUND);
	state_close(&state);
}

static void
assert_not_in(const char *name, const char *value)
{
	struct buffer buffer;

	read_file(name, &buffer);
	assert_null(memmem(buffer.data, buffer.size, value, strlen(value)));
	buffer_fini(&buffer);
}

/* No file of the folder contains value; returns how many were looked into. */
static int
search_folder(const char *value)
{
	DIR *dir = opendir(folder.path);
	int count = 0;

	assert_non_null(dir);
	for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
		if (entry->d_type != DT_REG)
			continue;
		assert_not_in(entry->d_name, value);
		count++;
	}
	(void)closedir(dir);
	return count;
}

static void
no_file_of_the_folder_shows_what_was_put(void **test)
{
	struct state *state = must_open(true);

	put(state, 2, 1, "Planted-Name-4711");
	put_text(state, 0, 1, "Planted-Text-4711");
	sync_at(state, 1);
	/* The database and its journal, and no shared memory. */
	assert_int_equal(search_folder("Planted"), 2);
	assert_int_equal(search_folder("4711"), 2);
	assert_int_equal(faccessat(folder.fd, "house.db-wal", F_OK, 0), 0);
	assert_int_equal(faccessat(folder.fd, "house.db-shm", F_OK, 0), -1);
	state_close(&state);
	assert_int_equal(search_folder("Planted"), 1);
	assert_int_equal(search_folder("4711"), 1);
}

static void
only_its_owner_may_read_the_files(void **test)
{
	struct state *state = must_open(true);
	struct stat info;

	put(state, 2, 1, "x");
	sync_at(state, 1);
	assert_int_equal(fstatat(folder.fd, "house.db", &info, 0), 0);
	assert_int_equal(info.st_mode & 0777, 0600);
	assert_int_equal(fstatat(folder.fd, "house.db-wal", &info, 0), 0);
	assert_int_equal(info.st_mode & 0777, 0600);
	state_close(&state);
}

static void
a_house_that_is_there_is_not_made_again(void **test)
{
	struct state *state = NULL;

	make_house();
	assert_int_equal(state_open(folder.fd, house, root, true, &state, NULL), AZ_CONFLICT);
	assert_null(state);
	assert_int_equal(open_status(), AZ_OK);
}

static void
a_house_that_is_missing_is_not_found_and_not_made(void **test)
{
	assert_int_equal(open_status(), AZ_NOT_FOUND);
	assert_int_equal(open_status(), AZ_NOT_FOUND);
}

static bool
open_is_busy(void *arg)
{
	child_start();
	return open_status() == AZ_BUSY;
}

static void
a_second_one_is_told_that_it_is_busy(void **test)
{
	make_house();
	struct state *state = must_open(false);

	assert_int_equal(open_status(), AZ_BUSY);
	assert_true(child_succeeded(child_run(open_is_busy, NULL)));
	put(state, 2, 1, "still ours");
	sync_at(state, 8);
	state_close(&state);
	assert_int_equal(open_status(), AZ_OK);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(what_was_synced_comes_back_in_order),
	    TEST(a_new_house_is_empty_at_position_zero),
	    TEST(a_thing_is_replaced_as_often_as_one_likes),
	    TEST(a_position_moves_without_any_thing),
	    TEST(things_of_the_outermost_places_and_sizes_come_back),
	    TEST(what_is_out_of_bounds_is_refused_and_changes_nothing),
	    TEST(what_was_not_synced_is_gone_after_closing),
	    TEST(a_kill_in_the_middle_leaves_the_last_synced_state),
	    TEST(a_visit_that_fails_ends_the_round),
	    TEST(a_text_comes_back_as_it_was_put),
	    TEST(the_longest_text_fits_a_buffer_of_its_size_and_no_smaller_one),
	    TEST(a_text_that_is_not_there_or_was_erased_is_not_found),
	    TEST(no_file_of_the_folder_shows_what_was_put),
	    TEST(only_its_owner_may_read_the_files),
	    TEST(a_house_that_is_there_is_not_made_again),
	    TEST(a_house_that_is_missing_is_not_found_and_not_made),
	    TEST(a_second_one_is_told_that_it_is_busy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
