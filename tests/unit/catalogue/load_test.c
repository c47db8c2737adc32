/* What is loaded is seen whole, what is not is not seen, and a load can be repeated. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/proc.h"
#include "shelf.h"

static void
a_loaded_run_is_read_back(void **state)
{
	struct shelf shelf;
	struct catalogue_entry entry;
	uint8_t digest[CATALOGUE_DIGEST_SIZE];

	(void)state;
	shelf_make(&shelf);
	shelf_add(&shelf, 7, 100, 600, 3);
	assert_true(catalogue_is_loaded(shelf.catalogue, 7));
	for (uint32_t i = 0; i < 600; i++) {
		assert_int_equal(shelf_entries(&shelf, 100 + i, &entry), 1);
		assert_int_equal(entry.consignment, 7);
		assert_int_equal(entry.version, 3);
		assert_int_equal(entry.as_of, SHELF_AS_OF);
		assert_int_equal(entry.flags, i % 7);
		shelf_digest(100 + i, 3, digest);
		assert_memory_equal(entry.digest, digest, sizeof(digest));
		assert_true(shelf_has_number(&shelf, 100 + i));
	}
	assert_int_equal(shelf_entries(&shelf, 99, NULL), 0);
	assert_int_equal(shelf_entries(&shelf, 700, NULL), 0);
	assert_false(shelf_has_number(&shelf, 99));
	shelf_remove(&shelf);
}

static void
a_record_without_a_number_has_an_entry_only(void **state)
{
	static const uint8_t none[CATALOGUE_DIGEST_SIZE];
	struct shelf shelf;
	struct catalogue_run *run = NULL;
	struct catalogue_row row = {.record = 5, .version = 1};
	uint8_t sha256[32];
	uint32_t record;

	(void)state;
	shelf_make(&shelf);
	assert_int_equal(catalogue_run_new(shelf.catalogue, 7, shelf.key, &run, NULL), AZ_OK);
	assert_int_equal(catalogue_run_add(run, &row, NULL), AZ_OK);
	assert_int_equal(catalogue_run_finish(&run, sha256, NULL), AZ_OK);
	assert_int_equal(shelf_try(&shelf, 7, sha256), AZ_OK);
	assert_int_equal(shelf_entries(&shelf, 5, NULL), 1);
	assert_int_equal(catalogue_record(shelf.reader, none, &record, NULL), AZ_NOT_FOUND);
	shelf_remove(&shelf);
}

static void
a_reader_sees_what_was_loaded_when_it_was_renewed(void **state)
{
	struct shelf shelf;
	struct catalogue_reader *old = NULL;
	uint32_t record;
	uint8_t number[CATALOGUE_DIGEST_SIZE];

	(void)state;
	shelf_make(&shelf);
	assert_int_equal(catalogue_reader_new(shelf.catalogue, &old, NULL), AZ_OK);
	assert_int_equal(catalogue_reader_renew(old, NULL), AZ_OK);
	shelf_add(&shelf, 7, 1, 10, 1);
	shelf_number(4, number);
	assert_int_equal(catalogue_record(old, number, &record, NULL), AZ_NOT_FOUND);
	assert_int_equal(catalogue_reader_renew(old, NULL), AZ_OK);
	assert_int_equal(catalogue_record(old, number, &record, NULL), AZ_OK);
	assert_int_equal(record, 4);
	/* And keeps it through a drop. */
	assert_int_equal(catalogue_drop(shelf.catalogue, 7, NULL), AZ_OK);
	assert_int_equal(catalogue_record(old, number, &record, NULL), AZ_OK);
	assert_int_equal(catalogue_reader_renew(old, NULL), AZ_OK);
	assert_int_equal(catalogue_record(old, number, &record, NULL), AZ_NOT_FOUND);
	catalogue_reader_free(&old);
	assert_null(old);
	shelf_remove(&shelf);
}

static void
a_load_can_be_repeated_also_after_opening_again(void **state)
{
	struct shelf shelf;
	uint8_t sha256[32];

	(void)state;
	shelf_make(&shelf);
	shelf_write(&shelf, 7, 1, 700, 1, sha256);
	assert_int_equal(shelf_try(&shelf, 7, sha256), AZ_OK);
	assert_int_equal(shelf_try(&shelf, 7, sha256), AZ_OK);
	shelf_close(&shelf);
	shelf_open(&shelf);
	assert_true(catalogue_is_loaded(shelf.catalogue, 7));
	assert_int_equal(shelf_try(&shelf, 7, sha256), AZ_OK);
	for (uint32_t record = 1; record <= 700; record += 33)
		assert_int_equal(shelf_entries(&shelf, record, NULL), 1);
	shelf_remove(&shelf);
}

static void
two_hundred_thousand_rows_are_loaded(void **state)
{
	enum { ROWS = 200000 };
	struct shelf shelf;

	(void)state;
	shelf_make(&shelf);
	shelf_add(&shelf, 7, 1, ROWS, 1);
	shelf_add(&shelf, 8, ROWS / 2, ROWS, 2);
	for (uint32_t record = 1; record < ROWS + ROWS / 2; record += 997) {
		struct catalogue_entry entry;
		unsigned int wanted = record >= ROWS / 2 && record <= ROWS ? 2 : 1;

		assert_int_equal(shelf_entries(&shelf, record, &entry), wanted);
		assert_int_equal(entry.version, record < ROWS / 2 ? 1 : 2);
		assert_true(shelf_has_number(&shelf, record));
	}
	assert_int_equal(shelf_entries(&shelf, ROWS + ROWS / 2, NULL), 0);
	shelf_remove(&shelf);
}

#define WATCHED_ROWS 250000u

struct watch {
	struct shelf *shelf;
	atomic_bool ending;
	unsigned int torn;   /* looks that saw a part of a consignment */
	unsigned int failed; /* calls */
};

static bool
count(void *arg, const struct catalogue_entry *entry)
{
	(void)entry;
	++*(unsigned int *)arg;
	return true;
}

/* Asks for a record that is among the first in the tables and one that is among the last. */
static void *
watch_run(void *arg)
{
	struct watch *watch = arg;
	struct catalogue_reader *reader = NULL;

	if (catalogue_reader_new(watch->shelf->catalogue, &reader, NULL) != AZ_OK) {
		watch->failed++;
		return NULL;
	}
	while (!atomic_load(&watch->ending)) {
		static const uint32_t records[2] = {1, WATCHED_ROWS};
		unsigned int seen[2] = {0};

		if (catalogue_reader_renew(reader, NULL) != AZ_OK)
			watch->failed++;
		for (size_t i = 0; i < 2; i++) {
			enum az_status status =
			    catalogue_entries(reader, records[i], count, &seen[i], NULL);

			watch->failed += status != AZ_OK && status != AZ_NOT_FOUND;
		}
		watch->torn += seen[0] != seen[1];
	}
	catalogue_reader_free(&reader);
	return NULL;
}

static void
a_reader_in_another_thread_sees_a_consignment_whole_or_not_at_all(void **state)
{
	struct shelf shelf;
	struct watch watch = {.shelf = &shelf};
	pthread_t thread;

	(void)state;
	shelf_make(&shelf);
	assert_int_equal(pthread_create(&thread, NULL, watch_run, &watch), 0);
	shelf_add(&shelf, 7, 1, WATCHED_ROWS, 1);
	shelf_add(&shelf, 8, 1, WATCHED_ROWS, 2);
	assert_int_equal(catalogue_drop(shelf.catalogue, 7, NULL), AZ_OK);
	assert_int_equal(catalogue_drop(shelf.catalogue, 8, NULL), AZ_OK);
	atomic_store(&watch.ending, true);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(watch.torn, 0);
	assert_int_equal(watch.failed, 0);
	shelf_remove(&shelf);
}

static void
it_works_shut_in_as_the_keeper_is(void **state)
{
	struct shelf shelf;
	pid_t child;
	int how = 0;

	(void)state;
	shelf_make(&shelf);
	shelf_close(&shelf);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		struct sandbox sandbox = {
		    .profile = SANDBOX_KEEPER, .writable_dirs = &shelf.dirfd, .writable_count = 1};

		/* Secrets are wiped in a child: make the key again. */
		if (secret_new(32, &shelf.key, NULL) != AZ_OK)
			_exit(2);
		memset(secret_data(shelf.key), 9, 32);
		if (sandbox_enter(&sandbox, NULL) != AZ_OK)
			_exit(3);
		shelf_open(&shelf);
		shelf_add(&shelf, 7, 1, 2000, 1);
		shelf_add(&shelf, 8, 1, 1000, 1);
		_exit(catalogue_drop(shelf.catalogue, 7, NULL) == AZ_OK ? 0 : 4);
	}
	assert_int_equal(waitpid(child, &how, 0), child);
	assert_true(WIFEXITED(how));
	assert_int_equal(WEXITSTATUS(how), 0);
	shelf_open(&shelf);
	assert_int_equal(shelf_entries(&shelf, 1000, NULL), 1);
	assert_int_equal(shelf_entries(&shelf, 1001, NULL), 0);
	shelf_remove(&shelf);
}

static void
another_house_and_nothing_at_all_are_refused(void **state)
{
	struct shelf shelf;
	struct catalogue *catalogue = NULL;

	(void)state;
	shelf_make(&shelf);
	shelf_add(&shelf, 7, 1, 10, 1);
	shelf_close(&shelf);
	shelf.house[15] ^= 1;
	assert_int_equal(
	    catalogue_open(shelf.dirfd, shelf.house, false, &catalogue, NULL), AZ_FORGED);
	assert_int_equal(
	    catalogue_open(shelf.dirfd, shelf.house, true, &catalogue, NULL), AZ_FORGED);
	assert_int_equal(unlinkat(shelf.dirfd, "data.mdb", 0), 0);
	assert_int_equal(
	    catalogue_open(shelf.dirfd, shelf.house, false, &catalogue, NULL), AZ_NOT_FOUND);
	assert_null(catalogue);
	shelf_remove(&shelf);
}

struct listed {
	unsigned int loaded, not_loaded;
	struct shelf *shelf; /* drop each on the way, unless NULL */
};

static void
list(void *arg, uint64_t consignment, bool loaded)
{
	struct listed *listed = arg;

	if (loaded)
		listed->loaded++;
	else
		listed->not_loaded++;
	if (listed->shelf != NULL)
		assert_int_equal(
		    catalogue_drop(listed->shelf->catalogue, consignment, NULL), AZ_OK);
}

static void
every_consignment_is_listed_once_and_no_other_file(void **state)
{
	struct shelf shelf;
	struct listed listed = {0};
	uint8_t sha256[32];

	(void)state;
	shelf_make(&shelf);
	shelf_add(&shelf, 7, 1, 10, 1);
	shelf_add(&shelf, UINT64_MAX, 1, 10, 1);
	shelf_add(&shelf, 9, 1, 10, 1);
	shelf_write(&shelf, 10, 1, 10, 1, sha256);
	/* Loaded, and its run file lost. */
	assert_int_equal(unlinkat(shelf.dirfd, "run-0000000000000009", 0), 0);
	assert_int_equal(
	    file_create(shelf.dirfd, "run-00000000000000AB", bytes_of(""), 0600, NULL), AZ_OK);
	assert_int_equal(file_create(shelf.dirfd, "run-12", bytes_of(""), 0600, NULL), AZ_OK);
	assert_int_equal(
	    file_create(shelf.dirfd, "run-000000000000000g", bytes_of(""), 0600, NULL), AZ_OK);
	assert_int_equal(catalogue_consignments(shelf.catalogue, list, &listed, NULL), AZ_OK);
	assert_int_equal(listed.loaded, 3);
	assert_int_equal(listed.not_loaded, 1);
	listed = (struct listed){.shelf = &shelf};
	assert_int_equal(catalogue_consignments(shelf.catalogue, list, &listed, NULL), AZ_OK);
	assert_int_equal(listed.loaded + listed.not_loaded, 4);
	listed = (struct listed){0};
	assert_int_equal(catalogue_consignments(shelf.catalogue, list, &listed, NULL), AZ_OK);
	assert_int_equal(listed.loaded + listed.not_loaded, 0);
	shelf_remove(&shelf);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_loaded_run_is_read_back),
	    cmocka_unit_test(a_record_without_a_number_has_an_entry_only),
	    cmocka_unit_test(a_reader_sees_what_was_loaded_when_it_was_renewed),
	    cmocka_unit_test(a_load_can_be_repeated_also_after_opening_again),
	    cmocka_unit_test(two_hundred_thousand_rows_are_loaded),
	    cmocka_unit_test(a_reader_in_another_thread_sees_a_consignment_whole_or_not_at_all),
	    cmocka_unit_test(it_works_shut_in_as_the_keeper_is),
	    cmocka_unit_test(another_house_and_nothing_at_all_are_refused),
	    cmocka_unit_test(every_consignment_is_listed_once_and_no_other_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
