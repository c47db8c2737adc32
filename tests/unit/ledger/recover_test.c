/* I5 and I8 on the ledger's own files: nothing acknowledged is lost, nothing is rewritten unseen. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "house.h"

#define FIRST_BATCH 4096L

/*
 * Runs a child that starts the ledger of the folder and discloses one entry after the other, telling
 * each ticket through a pipe; kills it after delay_us or, if count is not 0, after so many. Returns how
 * many were acknowledged.
 */
static uint64_t
disclose_and_kill(struct house *house, useconds_t delay_us, uint64_t count)
{
	int pipe_fds[2];
	uint64_t acknowledged = 0;
	char token;
	pid_t child;

	house_close(house);
	assert_int_equal(pipe(pipe_fds), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		(void)close(pipe_fds[0]);
		house->acknowledged = 0;
		/* The child's memory is a copy in which secrets are wiped: make the key again. */
		if (secret_new(32, &house->root, NULL) != AZ_OK)
			_exit(1);
		memset(secret_data(house->root), 7, 32);
		house_start(house);
		for (;;) {
			house_disclose(house, 1, 1);
			if (write(pipe_fds[1], "x", 1) != 1)
				_exit(1);
		}
	}
	(void)close(pipe_fds[1]);
	while (count > 0 && acknowledged < count && read(pipe_fds[0], &token, 1) == 1)
		acknowledged++;
	if (count == 0)
		(void)usleep(delay_us);
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, NULL, 0), child);
	while (read(pipe_fds[0], &token, 1) == 1)
		acknowledged++;
	(void)close(pipe_fds[0]);
	return acknowledged;
}

static void
what_was_acknowledged_survives_kill_9(void **state)
{
	struct house house;
	uint64_t acknowledged = 0;

	(void)state;
	house_make(&house);
	for (unsigned int round = 0; round < 12; round++) {
		struct head head;

		acknowledged += disclose_and_kill(&house, 2000 + round * 7000, 0);
		house_start(&house);
		ledger_head(house.ledger, 1, &head);
		assert_true(head.size >= acknowledged);
		/* At most the one that was under way may be there too. */
		assert_true(head.size <= acknowledged + round + 1);
		house_settle(&house);
	}
	house_remove(&house);
}

static void
a_torn_last_batch_is_dropped_and_the_log_says_so(void **state)
{
	struct house house;
	struct head head;
	uint64_t acknowledged;

	(void)state;
	house_make(&house);
	acknowledged = disclose_and_kill(&house, 0, 3);
	/* Every batch here is one page; spoil the last one that was written. */
	for (long page = FIRST_BATCH;; page += 4096) {
		uint8_t magic[8];
		int fd = openat(house.dirfd, "wal-00000000", O_RDONLY | O_CLOEXEC);

		assert_true(fd >= 0);
		assert_int_equal(pread(fd, magic, 8, page + 4096), 8);
		(void)close(fd);
		if (magic[0] == 0) {
			house_flip(&house, "wal-00000000", page + 100);
			acknowledged = (uint64_t)(page - FIRST_BATCH) / 4096;
			break;
		}
	}
	house.applied_synced = 0;
	house_start(&house);
	ledger_head(house.ledger, 1, &head);
	assert_int_equal(head.size, acknowledged);
	house_settle(&house);
	ledger_head(house.ledger, 0, &head);
	assert_int_equal(head.size, 1);
	house_remove(&house);
}

static void
a_damaged_batch_before_others_is_refused(void **state)
{
	struct house house;

	(void)state;
	house_make(&house);
	(void)disclose_and_kill(&house, 0, 5);
	house_flip(&house, "wal-00000000", FIRST_BATCH + 2 * 4096 + 100);
	assert_int_equal(house_open(&house, NULL), AZ_FORGED);
	house_remove(&house);
}

static void
a_batch_cut_out_of_the_middle_is_refused(void **state)
{
	static uint8_t pages[3 * 4096];
	struct house house;
	int fd;

	(void)state;
	house_make(&house);
	(void)disclose_and_kill(&house, 0, 6);
	fd = openat(house.dirfd, "wal-00000000", O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(pread(fd, pages, sizeof(pages), FIRST_BATCH + 2 * 4096), sizeof(pages));
	assert_int_equal(pwrite(fd, pages, sizeof(pages), FIRST_BATCH + 4096), sizeof(pages));
	(void)close(fd);
	assert_int_equal(house_open(&house, NULL), AZ_FORGED);
	house_remove(&house);
}

/* Makes a settled, closed house with 300 entries in log 1 and 300 in log 2. */
static void
make_settled(struct house *house)
{
	house_make(house);
	house_start(house);
	house_disclose(house, 1, 300);
	house_disclose(house, 2, 300);
	house_settle(house);
	house_close(house);
}

static void
each_file_cut_short_is_refused(void **state)
{
	static const char *const files[] = {"log-00000001/entries", "log-00000001/hash0",
	    "log-00000002/hash1", "state", "wal-00000000", "log-00000002/checkpoint"};

	(void)state;
	for (size_t i = 0; i < AZ_ARRAY_SIZE(files); i++) {
		struct house house;
		enum az_status status;

		make_settled(&house);
		house_truncate(&house, files[i], house_file_size(&house, files[i]) - 20);
		status = house_open(&house, NULL);
		assert_true(status == AZ_FORGED || status == AZ_CORRUPT);
		house_remove(&house);
	}
}

static void
each_file_removed_is_refused(void **state)
{
	static const char *const files[] = {"log-00000001/entries", "log-00000001/hash0",
	    "log-00000002/hash1", "state", "wal-00000000"};

	(void)state;
	for (size_t i = 0; i < AZ_ARRAY_SIZE(files); i++) {
		struct house house;

		make_settled(&house);
		assert_int_equal(unlinkat(house.dirfd, files[i], 0), 0);
		assert_int_equal(house_open(&house, NULL), AZ_FORGED);
		house_remove(&house);
	}
}

static void
every_changed_byte_of_state_and_checkpoint_is_refused(void **state)
{
	static const char *const files[] = {"state", "log-00000001/checkpoint"};
	struct house house;

	(void)state;
	make_settled(&house);
	for (size_t i = 0; i < AZ_ARRAY_SIZE(files); i++) {
		long size = house_file_size(&house, files[i]);

		for (long at = 0; at < size; at += 5) {
			enum az_status status;

			/* The header's reserved bytes of the state are covered by its MAC too. */
			house_flip(&house, files[i], at);
			status = house_open(&house, NULL);
			assert_true(status == AZ_FORGED || status == AZ_CORRUPT);
			house_flip(&house, files[i], at);
		}
	}
	assert_int_equal(house_open(&house, NULL), AZ_OK);
	house_remove(&house);
}

static void
a_changed_stored_hash_is_refused(void **state)
{
	struct house house;

	(void)state;
	make_settled(&house);
	house_flip(&house, "log-00000001/hash0", FILE_HEADER_SIZE + 299 * 32);
	assert_int_equal(house_open(&house, NULL), AZ_FORGED);
	house_flip(&house, "log-00000001/hash0", FILE_HEADER_SIZE + 299 * 32);
	house_flip(&house, "log-00000001/hash1", FILE_HEADER_SIZE + 3);
	assert_int_equal(house_open(&house, NULL), AZ_FORGED);
	house_remove(&house);
}

static void
another_root_key_or_house_is_refused(void **state)
{
	struct house house;

	(void)state;
	make_settled(&house);
	secret_data(house.root)[0] ^= 1;
	assert_int_equal(house_open(&house, NULL), AZ_FORGED);
	secret_data(house.root)[0] ^= 1;
	house.id[5] ^= 1;
	assert_int_equal(house_open(&house, NULL), AZ_FORGED);
	house.id[5] ^= 1;
	assert_int_equal(house_open(&house, NULL), AZ_OK);
	house_remove(&house);
}

static void
an_older_folder_is_found_by_who_saw_a_newer_head(void **state)
{
	char old[] = "/tmp/azukari-ledger-old-XXXXXX";
	struct house house;
	struct head seen;

	(void)state;
	assert_non_null(mkdtemp(old));
	make_settled(&house);
	house_copy(house.path, old);
	house_start(&house);
	house_disclose(&house, 1, 10);
	ledger_head(house.ledger, 1, &seen);
	house_close(&house);
	house_copy(old, house.path);
	house.applied_synced = 600;
	house_start(&house);
	assert_int_equal(ledger_check_head(house.ledger, &seen, NULL), AZ_FORGED);
	/* Grown past it again, with other entries: the size is right and the root is not. */
	house_disclose(&house, 1, 20);
	assert_int_equal(ledger_check_head(house.ledger, &seen, NULL), AZ_FORGED);
	house_remove(&house);
	house_discard(old);
}

static void
an_older_folder_under_a_newer_checkpoint_is_refused(void **state)
{
	char old[] = "/tmp/azukari-ledger-old-XXXXXX";
	struct house house;
	struct buffer checkpoint;

	(void)state;
	assert_non_null(mkdtemp(old));
	make_settled(&house);
	house_copy(house.path, old);
	house_start(&house);
	house_disclose(&house, 1, 10);
	house_settle(&house);
	house_close(&house);
	buffer_init(&checkpoint, 4096, false);
	assert_int_equal(
	    file_read_whole(house.dirfd, "log-00000001/checkpoint", &checkpoint, NULL), AZ_OK);
	house_copy(old, house.path);
	assert_int_equal(file_replace(house.dirfd, "log-00000001/checkpoint",
			     buffer_peek(&checkpoint), 0600, NULL),
	    AZ_OK);
	assert_int_equal(house_open(&house, NULL), AZ_FORGED);
	buffer_fini(&checkpoint);
	house_remove(&house);
	house_discard(old);
}

static void
a_log_whose_entries_are_gone_but_not_its_checkpoint_is_refused(void **state)
{
	char young[] = "/tmp/azukari-ledger-old-XXXXXX";
	struct house house;
	struct buffer checkpoint;

	(void)state;
	assert_non_null(mkdtemp(young));
	house_make(&house);
	house_start(&house);
	house_disclose(&house, 1, 5);
	house_close(&house);
	house_copy(house.path, young);
	house_start(&house);
	house_disclose(&house, 2, 5);
	house_close(&house);
	buffer_init(&checkpoint, 4096, false);
	assert_int_equal(
	    file_read_whole(house.dirfd, "log-00000002/checkpoint", &checkpoint, NULL), AZ_OK);
	house_copy(young, house.path);
	assert_int_equal(mkdirat(house.dirfd, "log-00000002", 0700), 0);
	assert_int_equal(file_replace(house.dirfd, "log-00000002/checkpoint",
			     buffer_peek(&checkpoint), 0600, NULL),
	    AZ_OK);
	assert_int_equal(house_open(&house, NULL), AZ_FORGED);
	buffer_fini(&checkpoint);
	house_remove(&house);
	house_discard(young);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_was_acknowledged_survives_kill_9),
	    cmocka_unit_test(a_torn_last_batch_is_dropped_and_the_log_says_so),
	    cmocka_unit_test(a_damaged_batch_before_others_is_refused),
	    cmocka_unit_test(a_batch_cut_out_of_the_middle_is_refused),
	    cmocka_unit_test(each_file_cut_short_is_refused),
	    cmocka_unit_test(each_file_removed_is_refused),
	    cmocka_unit_test(every_changed_byte_of_state_and_checkpoint_is_refused),
	    cmocka_unit_test(a_changed_stored_hash_is_refused),
	    cmocka_unit_test(another_root_key_or_house_is_refused),
	    cmocka_unit_test(an_older_folder_is_found_by_who_saw_a_newer_head),
	    cmocka_unit_test(an_older_folder_under_a_newer_checkpoint_is_refused),
	    cmocka_unit_test(a_log_whose_entries_are_gone_but_not_its_checkpoint_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
