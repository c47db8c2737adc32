/* Forgetting one consignment leaves every other whole; what was cut off half-way can be forgotten, too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shelf.h"

static void
a_dropped_consignment_leaves_nothing(void **state)
{
	struct shelf shelf;

	(void)state;
	shelf_make(&shelf);
	shelf_add(&shelf, 7, 1, 1500, 1);
	assert_int_equal(catalogue_drop(shelf.catalogue, 7, NULL), AZ_OK);
	assert_false(catalogue_is_loaded(shelf.catalogue, 7));
	assert_true(faccessat(shelf.dirfd, "run-0000000000000007", F_OK, 0) != 0);
	shelf_close(&shelf);
	shelf_open(&shelf);
	assert_false(catalogue_is_loaded(shelf.catalogue, 7));
	for (uint32_t record = 1; record <= 1500; record++) {
		assert_int_equal(shelf_entries(&shelf, record, NULL), 0);
		assert_false(shelf_has_number(&shelf, record));
	}
	/* Again, and what never was. */
	assert_int_equal(catalogue_drop(shelf.catalogue, 7, NULL), AZ_OK);
	assert_int_equal(catalogue_drop(shelf.catalogue, 999, NULL), AZ_OK);
	shelf_remove(&shelf);
}

static void
an_older_overlapping_one_leaves_the_newer_whole(void **state)
{
	struct shelf shelf;

	(void)state;
	shelf_make(&shelf);
	shelf_add(&shelf, 7, 1, 1000, 1);
	shelf_add(&shelf, 8, 501, 1000, 2);
	assert_int_equal(catalogue_drop(shelf.catalogue, 7, NULL), AZ_OK);
	for (uint32_t record = 1; record <= 1500; record++) {
		struct catalogue_entry entry;
		bool stays = record > 500;

		assert_int_equal(shelf_entries(&shelf, record, &entry), stays);
		assert_true(!stays || entry.consignment == 8);
		assert_true(!stays || entry.version == 2);
		assert_int_equal(shelf_has_number(&shelf, record), stays);
	}
	shelf_remove(&shelf);
}

static void
a_newer_overlapping_one_leaves_the_older_whole(void **state)
{
	struct shelf shelf;

	(void)state;
	shelf_make(&shelf);
	shelf_add(&shelf, 7, 1, 1000, 1);
	shelf_add(&shelf, 8, 501, 1000, 2);
	shelf_add(&shelf, 9, 900, 10, 3);
	assert_int_equal(catalogue_drop(shelf.catalogue, 8, NULL), AZ_OK);
	for (uint32_t record = 1; record <= 1500; record++) {
		unsigned int wanted = record > 1000 ? 0 : record >= 900 && record < 910 ? 2 : 1;

		assert_int_equal(shelf_entries(&shelf, record, NULL), wanted);
		assert_int_equal(shelf_has_number(&shelf, record), wanted > 0);
	}
	shelf_remove(&shelf);
}

#define HALF_ROWS 300000u
#define HALF_SIZE                                                                                  \
	(24u * 1024u * 1024u) /* of tables: room for all entries and some of the numbers */

/* Loads the consignment in a child that can write no more, and ends at once, when the tables reach HALF_SIZE. */
static void
load_half(struct shelf *shelf, uint64_t consignment, const uint8_t sha256[32])
{
	struct rlimit files = {.rlim_cur = HALF_SIZE, .rlim_max = HALF_SIZE};
	uint32_t numbers = 0;
	pid_t child;
	int how = 0;

	shelf_close(shelf);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		/* Secrets are wiped in a child: make the key again. */
		if (secret_new(32, &shelf->key, NULL) != AZ_OK)
			_exit(1);
		memset(secret_data(shelf->key), 9, 32);
		shelf_open(shelf);
		if (signal(SIGXFSZ, SIG_IGN) == SIG_ERR || setrlimit(RLIMIT_FSIZE, &files) != 0)
			_exit(2);
		_exit(shelf_try(shelf, consignment, sha256) == AZ_OK ? 0 : 3);
	}
	assert_int_equal(waitpid(child, &how, 0), child);
	assert_true(WIFEXITED(how));
	assert_int_equal(WEXITSTATUS(how), 3);
	shelf_open(shelf);
	/* It got as far as some of the numbers. */
	for (uint32_t record = 1; record <= HALF_ROWS; record++)
		numbers += shelf_has_number(shelf, record) ? 1 : 0;
	assert_true(numbers > 0 && numbers < HALF_ROWS);
}

static void
a_load_cut_off_is_not_seen_and_can_be_dropped(void **state)
{
	struct shelf shelf;
	uint8_t sha256[32];

	(void)state;
	shelf_make(&shelf);
	shelf_add(&shelf, 6, HALF_ROWS - 10, 5, 1);
	shelf_write(&shelf, 7, 1, HALF_ROWS, 1, sha256);
	load_half(&shelf, 7, sha256);
	assert_false(catalogue_is_loaded(shelf.catalogue, 7));
	assert_int_equal(shelf_entries(&shelf, HALF_ROWS, NULL), 0);
	assert_int_equal(shelf_entries(&shelf, HALF_ROWS - 8, NULL), 1);
	assert_int_equal(catalogue_drop(shelf.catalogue, 7, NULL), AZ_OK);
	for (uint32_t record = 1; record <= HALF_ROWS; record += 91)
		assert_false(shelf_has_number(&shelf, record));
	assert_false(shelf_has_number(&shelf, HALF_ROWS));
	assert_int_equal(shelf_entries(&shelf, HALF_ROWS - 8, NULL), 1);
	assert_true(shelf_has_number(&shelf, HALF_ROWS - 8));
	shelf_remove(&shelf);
}

static void
a_load_cut_off_is_completed_by_repeating_it(void **state)
{
	struct shelf shelf;
	uint8_t sha256[32];

	(void)state;
	shelf_make(&shelf);
	shelf_write(&shelf, 7, 1, HALF_ROWS, 1, sha256);
	load_half(&shelf, 7, sha256);
	assert_int_equal(shelf_try(&shelf, 7, sha256), AZ_OK);
	for (uint32_t record = 1; record <= HALF_ROWS; record += 91) {
		assert_int_equal(shelf_entries(&shelf, record, NULL), 1);
		assert_true(shelf_has_number(&shelf, record));
	}
	shelf_remove(&shelf);
}

static void
a_run_that_was_never_loaded_is_removed(void **state)
{
	struct shelf shelf;
	uint8_t sha256[32];

	(void)state;
	shelf_make(&shelf);
	shelf_write(&shelf, 7, 1, 100, 1, sha256);
	assert_int_equal(catalogue_drop(shelf.catalogue, 7, NULL), AZ_OK);
	assert_int_equal(shelf_try(&shelf, 7, sha256), AZ_NOT_FOUND);
	shelf_remove(&shelf);
}

static void
a_dropped_consignment_can_come_back(void **state)
{
	struct shelf shelf;

	(void)state;
	shelf_make(&shelf);
	shelf_add(&shelf, 7, 1, 100, 1);
	assert_int_equal(catalogue_drop(shelf.catalogue, 7, NULL), AZ_OK);
	shelf_add(&shelf, 7, 50, 100, 2);
	assert_int_equal(shelf_entries(&shelf, 1, NULL), 0);
	assert_int_equal(shelf_entries(&shelf, 50, NULL), 1);
	assert_false(shelf_has_number(&shelf, 1));
	assert_true(shelf_has_number(&shelf, 149));
	shelf_remove(&shelf);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_dropped_consignment_leaves_nothing),
	    cmocka_unit_test(an_older_overlapping_one_leaves_the_newer_whole),
	    cmocka_unit_test(a_newer_overlapping_one_leaves_the_older_whole),
	    cmocka_unit_test(a_load_cut_off_is_not_seen_and_can_be_dropped),
	    cmocka_unit_test(a_load_cut_off_is_completed_by_repeating_it),
	    cmocka_unit_test(a_run_that_was_never_loaded_is_removed),
	    cmocka_unit_test(a_dropped_consignment_can_come_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
