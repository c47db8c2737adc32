/* What a front remembers of a house's ledger, and what it takes as evidence against it (I5). */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "channel/channel.h"

static char folder[] = "/tmp/azukari-heads-XXXXXX";
static int dirfd = -1;
static const uint8_t house[HOUSE_ID_SIZE] = {'U', 1};

static int
make_folder(void **state)
{
	(void)state;
	if (mkdtemp(folder) == NULL)
		return 1;
	dirfd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return dirfd < 0;
}

static int
empty_folder(void **state)
{
	(void)state;
	(void)unlinkat(dirfd, "heads", 0);
	return 0;
}

static int
remove_folder(void **state)
{
	(void)empty_folder(state);
	(void)unlinkat(dirfd, "heads.lock", 0);
	fd_close(&dirfd);
	return rmdir(folder);
}

static struct head
head_of(uint32_t log, uint64_t size, uint8_t root)
{
	struct head head = {.log = log, .generation = 1, .size = size};

	memset(head.root, root, sizeof(head.root));
	return head;
}

static enum az_status
see(struct heads *heads, uint32_t log, uint64_t size, uint8_t root)
{
	struct head head = head_of(log, size, root);

	return heads_see(heads, &head, NULL);
}

static void
a_growing_ledger_is_followed(void **state)
{
	struct heads heads = {0};

	(void)state;
	assert_int_equal(see(&heads, 0, 5, 1), AZ_OK);
	assert_int_equal(see(&heads, 0, 5, 1), AZ_OK);
	assert_int_equal(see(&heads, 0, 6, 2), AZ_OK);
	assert_int_equal(see(&heads, 3, 1, 9), AZ_OK);
	assert_int_equal(heads.count, 2);
	heads_fini(&heads);
}

static void
a_shorter_or_another_one_is_evidence(void **state)
{
	struct heads heads = {0};
	struct head older = head_of(0, 9, 1);

	(void)state;
	assert_int_equal(see(&heads, 0, 5, 1), AZ_OK);
	assert_int_equal(see(&heads, 0, 4, 1), AZ_FORGED);
	assert_int_equal(see(&heads, 0, 0, 1), AZ_FORGED);
	assert_int_equal(see(&heads, 0, 5, 2), AZ_FORGED);
	older.generation = 0;
	assert_int_equal(heads_see(&heads, &older, NULL), AZ_FORGED);
	/* And what was seen stays. */
	assert_true(heads.count == 1 && heads.heads[0].size == 5);
	heads_fini(&heads);
}

static void
they_are_kept_between_commands(void **state)
{
	struct heads heads = {0};
	struct heads again = {0};

	(void)state;
	assert_int_equal(heads_read(dirfd, house, &heads, NULL), AZ_OK);
	assert_int_equal(heads.count, 0);
	assert_int_equal(see(&heads, 0, 5, 1), AZ_OK);
	assert_int_equal(see(&heads, 2, 7, 3), AZ_OK);
	assert_int_equal(heads_write(dirfd, house, &heads, NULL), AZ_OK);
	assert_int_equal(heads_read(dirfd, house, &again, NULL), AZ_OK);
	assert_int_equal(again.count, 2);
	assert_int_equal(see(&again, 2, 6, 3), AZ_FORGED);
	heads_fini(&heads);
	heads_fini(&again);
}

static void
a_slower_command_does_not_forget_what_a_faster_one_saw(void **state)
{
	struct heads slow = {0};
	struct heads fast = {0};
	struct heads stored = {0};

	(void)state;
	assert_int_equal(see(&slow, 0, 5, 1), AZ_OK);
	assert_int_equal(see(&fast, 0, 9, 2), AZ_OK);
	assert_int_equal(heads_write(dirfd, house, &fast, NULL), AZ_OK);
	assert_int_equal(heads_write(dirfd, house, &slow, NULL), AZ_OK);
	assert_int_equal(heads_read(dirfd, house, &stored, NULL), AZ_OK);
	assert_true(stored.count == 1 && stored.heads[0].size == 9);
	heads_fini(&slow);
	heads_fini(&fast);
	heads_fini(&stored);
}

static void
after_a_declared_loss_less_is_taken_and_the_life_before_never_again(void **state)
{
	struct heads old = {0};
	struct heads new = {0};
	struct heads stored = {0};
	struct head head = head_of(0, 5, 3);

	(void)state;
	head.generation = 2;
	assert_int_equal(see(&old, 0, 9, 1), AZ_OK);
	assert_int_equal(heads_write(dirfd, house, &old, NULL), AZ_OK);
	assert_int_equal(heads_see(&new, &head, NULL), AZ_OK);
	assert_int_equal(heads_write(dirfd, house, &new, NULL), AZ_OK);
	/* A command that is slower forgets nothing of the new life. */
	assert_int_equal(heads_write(dirfd, house, &old, NULL), AZ_OK);
	assert_int_equal(heads_read(dirfd, house, &stored, NULL), AZ_OK);
	assert_true(
	    stored.count == 1 && stored.heads[0].generation == 2 && stored.heads[0].size == 5);
	/* And the life before does not come back, however much it has. */
	assert_int_equal(see(&stored, 0, 100, 1), AZ_FORGED);
	head.size = 4;
	assert_int_equal(heads_see(&stored, &head, NULL), AZ_FORGED);
	heads_fini(&old);
	heads_fini(&new);
	heads_fini(&stored);
}

static void
two_commands_that_saw_two_histories_are_evidence(void **state)
{
	struct heads one = {0};
	struct heads other = {0};

	(void)state;
	assert_int_equal(see(&one, 0, 5, 1), AZ_OK);
	assert_int_equal(see(&other, 0, 5, 2), AZ_OK);
	assert_int_equal(heads_write(dirfd, house, &one, NULL), AZ_OK);
	assert_int_equal(heads_write(dirfd, house, &other, NULL), AZ_FORGED);
	heads_fini(&one);
	heads_fini(&other);
}

static void
a_damaged_file_is_never_ignored(void **state)
{
	struct heads heads = {0};
	struct heads read_back = {0};
	uint8_t bytes[512];
	ssize_t size;
	int fd;

	(void)state;
	assert_int_equal(see(&heads, 0, 5, 1), AZ_OK);
	assert_int_equal(heads_write(dirfd, house, &heads, NULL), AZ_OK);
	fd = openat(dirfd, "heads", O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	size = pread(fd, bytes, sizeof(bytes), 0);
	assert_true(size > 40);
	for (ssize_t i = 0; i < size; i++) {
		uint8_t changed = bytes[i] ^ 0x20;

		assert_int_equal(pwrite(fd, &changed, 1, i), 1);
		assert_int_not_equal(heads_read(dirfd, house, &read_back, NULL), AZ_OK);
		assert_int_equal(pwrite(fd, &bytes[i], 1, i), 1);
	}
	for (ssize_t cut = 0; cut < size; cut += 7) {
		assert_int_equal(ftruncate(fd, cut), 0);
		assert_int_not_equal(heads_read(dirfd, house, &read_back, NULL), AZ_OK);
	}
	(void)close(fd);
	heads_fini(&heads);
}

static void
another_houses_file_is_refused(void **state)
{
	static const uint8_t other[HOUSE_ID_SIZE] = {'U', 2};
	struct heads heads = {0};
	struct heads read_back = {0};

	(void)state;
	assert_int_equal(see(&heads, 0, 5, 1), AZ_OK);
	assert_int_equal(heads_write(dirfd, house, &heads, NULL), AZ_OK);
	assert_int_equal(heads_read(dirfd, other, &read_back, NULL), AZ_FORGED);
	heads_fini(&heads);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_teardown(a_growing_ledger_is_followed, empty_folder),
	    cmocka_unit_test_teardown(a_shorter_or_another_one_is_evidence, empty_folder),
	    cmocka_unit_test_teardown(they_are_kept_between_commands, empty_folder),
	    cmocka_unit_test_teardown(
		a_slower_command_does_not_forget_what_a_faster_one_saw, empty_folder),
	    cmocka_unit_test_teardown(
		two_commands_that_saw_two_histories_are_evidence, empty_folder),
	    cmocka_unit_test_teardown(
		after_a_declared_loss_less_is_taken_and_the_life_before_never_again, empty_folder),
	    cmocka_unit_test_teardown(a_damaged_file_is_never_ignored, empty_folder),
	    cmocka_unit_test_teardown(another_houses_file_is_refused, empty_folder),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
