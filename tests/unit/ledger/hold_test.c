/* Files copied while the ledger goes on are a ledger (I8); a declared loss begins a life that is seen to be another (I5). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "house.h"

static void
set_true(void *arg)
{
	*(bool *)arg = true;
}

static void
wait_until(struct house *house, const bool *done)
{
	while (!*done) {
		(void)sem_wait(&house->woken);
		ledger_poll(house->ledger);
	}
}

static void
hold(struct house *house)
{
	bool done = false;

	assert_int_equal(ledger_hold(house->ledger, set_true, &done, NULL), AZ_OK);
	assert_int_equal(ledger_hold(house->ledger, set_true, &done, NULL), AZ_BUSY);
	wait_until(house, &done);
}

/* Of a copied write-ahead log only what was flushed when it was held: what follows is cut off. */
static void
cut(const char *path, uint32_t segment, uint64_t offset)
{
	char file[128];
	off_t size;
	int fd;

	(void)snprintf(file, sizeof(file), "%s/wal-%08x", path, segment);
	fd = open(file, O_RDWR);
	assert_true(fd >= 0);
	size = lseek(fd, 0, SEEK_END);
	assert_int_equal(ftruncate(fd, (off_t)offset), 0);
	assert_int_equal(ftruncate(fd, size), 0);
	(void)close(fd);
}

static void
what_is_copied_while_it_is_held_is_a_ledger(void **state)
{
	char copy[] = "/tmp/azukari-held-XXXXXX";
	struct house house;
	struct head at_hold, later, found;
	uint32_t segment = 0;
	uint64_t offset = 0;
	uint64_t synced;

	(void)state;
	house_make(&house);
	house_start(&house);
	house_disclose(&house, 1, 500);
	assert_false(ledger_held(house.ledger, &segment, &offset));
	hold(&house);
	assert_true(ledger_held(house.ledger, &segment, &offset));
	ledger_head(house.ledger, 1, &at_hold);
	synced = house.applied_synced;
	/* It goes on, but nothing of it becomes the state. */
	house_disclose(&house, 1, 2000);
	(void)usleep(1500000);
	assert_int_equal(house.applied_synced, synced);
	assert_non_null(mkdtemp(copy));
	house_copy(house.path, copy);
	cut(copy, segment, offset);
	house_disclose(&house, 1, 100);
	ledger_head(house.ledger, 1, &later);
	/* Heads of what is not synced are still compared. */
	assert_int_equal(ledger_check_head(house.ledger, &later, NULL), AZ_OK);
	ledger_release(house.ledger);
	house_settle(&house);
	assert_true(house.applied_synced > synced);
	house_close(&house);

	house_copy(copy, house.path);
	house.applied_synced = synced;
	house_start(&house);
	ledger_head(house.ledger, 1, &found);
	assert_int_equal(found.size, at_hold.size);
	assert_memory_equal(found.root, at_hold.root, sizeof(found.root));
	assert_int_equal(ledger_check_head(house.ledger, &later, NULL), AZ_FORGED);
	house_discard(copy);
	house_remove(&house);
}

static void
a_ledger_that_is_held_stops_whole(void **state)
{
	struct house house;
	struct head before, after;

	(void)state;
	house_make(&house);
	house_start(&house);
	hold(&house);
	house_disclose(&house, 1, 50);
	ledger_head(house.ledger, 1, &before);
	house_close(&house);
	house_start(&house);
	ledger_head(house.ledger, 1, &after);
	assert_memory_equal(&before, &after, sizeof(before));
	house_remove(&house);
}

static void
a_hold_taken_back_before_it_is_there_is_none(void **state)
{
	struct house house;
	bool done = false;
	uint32_t segment;
	uint64_t offset;

	(void)state;
	house_make(&house);
	house_start(&house);
	house_disclose(&house, 1, 50);
	assert_int_equal(ledger_hold(house.ledger, set_true, &done, NULL), AZ_OK);
	ledger_release(house.ledger);
	wait_until(&house, &done);
	ledger_release(house.ledger);
	assert_false(ledger_held(house.ledger, &segment, &offset));
	house_settle(&house);
	house_remove(&house);
}

static void
declare(struct house *house, uint32_t generation)
{
	struct ledger_entry entry = {.type = ENTRY_DECLARED_LOSS,
	    .log = LEDGER_HOUSE_LOG,
	    .subject = 1,
	    .detail = generation,
	    .detail64 = 900};

	assert_int_equal(
	    ledger_submit(house->ledger, &entry, bytes_make(NULL, 0), NULL, NULL, NULL), AZ_OK);
	ledger_kick(house->ledger);
}

static void
a_declared_loss_begins_another_life(void **state)
{
	char origin[LEDGER_NAME_SIZE];
	struct house house;
	struct buffer note;
	struct head old, head;

	(void)state;
	house_make(&house);
	house_start(&house);
	house_disclose(&house, 1, 10);
	ledger_head(house.ledger, 1, &old);
	assert_int_equal(old.generation, 1);
	/* Twice: synced before the end, and only in the write-ahead log. */
	for (uint32_t generation = 2; generation <= 3; generation++) {
		declare(&house, generation);
		if (generation == 2)
			house_settle(&house);
		assert_int_equal(ledger_generation(house.ledger), generation - 1);
		house_close(&house);
		house_start(&house);
		assert_int_equal(ledger_generation(house.ledger), generation);
		house_settle(&house);
	}
	ledger_head(house.ledger, 1, &head);
	assert_int_equal(head.generation, 3);
	assert_int_equal(head.size, old.size);
	assert_int_equal(ledger_check_head(house.ledger, &old, NULL), AZ_FORGED);
	/* Every log is signed anew, also one without a new entry. */
	buffer_init(&note, 4096, false);
	assert_int_equal(ledger_checkpoint(house.ledger, 1, &note, NULL), AZ_OK);
	ledger_origin(house.id, 3, 1, origin);
	assert_memory_equal(note.data, origin, strlen(origin));
	buffer_fini(&note);
	house_close(&house);
	house_start(&house);
	assert_int_equal(ledger_generation(house.ledger), 3);
	house_remove(&house);
}

static void
a_life_cannot_be_skipped(void **state)
{
	struct house house;
	char copy[] = "/tmp/azukari-held-XXXXXX";
	struct az_err err = {0};

	(void)state;
	house_make(&house);
	house_start(&house);
	house_disclose(&house, 1, 10);
	house_settle(&house);
	hold(&house);
	declare(&house, 7);
	/* It is in the write-ahead log, and nowhere else. */
	house_disclose(&house, 1, 1);
	assert_non_null(mkdtemp(copy));
	house_copy(house.path, copy);
	house_close(&house);
	house_copy(copy, house.path);
	assert_int_equal(house_open(&house, &err), AZ_CORRUPT);
	house_discard(copy);
	house_remove(&house);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_copied_while_it_is_held_is_a_ledger),
	    cmocka_unit_test(a_ledger_that_is_held_stops_whole),
	    cmocka_unit_test(a_hold_taken_back_before_it_is_there_is_none),
	    cmocka_unit_test(a_declared_loss_begins_another_life),
	    cmocka_unit_test(a_life_cannot_be_skipped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
