/*
 * The queue: in order, once, over restarts; what is torn was never acknowledged; nobody else's is taken.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "../base/folder.h"
#include "base/file.h"
#include "guard/queue.h"

#define ROOM  8u
#define SLOTS 4096u
#define SLOT  1024u

static const uint8_t house[HOUSE_ID_SIZE] = {'U', 1, 2, 3};
static struct folder folder;
static struct secret *seed;

static int
set_up(void **state)
{
	(void)state;
	if (secret_new(32, &seed, NULL) != AZ_OK)
		return -1;
	memset(secret_data(seed), 7, 32);
	return folder_make(&folder);
}

static int
tear_down(void **state)
{
	(void)state;
	secret_free(&seed);
	return folder_remove(&folder);
}

static struct queue *
open_queue(void)
{
	struct queue *queue = NULL;
	struct az_err err = {0};

	if (queue_open(folder.fd, house, seed, ROOM, &queue, &err) != AZ_OK)
		fail_msg("%s", err.text);
	return queue;
}

static enum az_status
append(struct queue *queue, unsigned int number)
{
	struct endpoint_event event = {.kind = ENDPOINT_REFUSED, .time_us = number};

	(void)snprintf(event.label, sizeof(event.label), "event %u", number);
	return queue_append(queue, &event, NULL);
}

static void
is_event(struct queue *queue, uint64_t at, unsigned int number)
{
	struct endpoint_event event;
	char label[32];

	(void)snprintf(label, sizeof(label), "event %u", number);
	assert_int_equal(queue_read(queue, at, &event, NULL), AZ_OK);
	assert_int_equal(event.kind, ENDPOINT_REFUSED);
	assert_string_equal(event.label, label);
}

/* One byte of a file of the folder changed. */
static void
flip(const char *name, off_t at)
{
	int fd = openat(folder.fd, name, O_RDWR | O_CLOEXEC);
	uint8_t byte = 0;

	assert_int_equal(pread(fd, &byte, 1, at), 1);
	byte ^= 1;
	assert_int_equal(pwrite(fd, &byte, 1, at), 1);
	assert_int_equal(close(fd), 0);
}

static void
events_come_out_in_order_over_restarts(void **state)
{
	struct queue *queue = open_queue();

	(void)state;
	assert_int_equal(queue_last(queue), 0);
	for (unsigned int i = 1; i <= 5; i++)
		assert_int_equal(append(queue, i), AZ_OK);
	queue_close(&queue);
	queue = open_queue();
	assert_int_equal(queue_last(queue), 5);
	assert_int_equal(queue_delivered(queue), 0);
	for (unsigned int i = 1; i <= 5; i++)
		is_event(queue, i, i);
	assert_int_equal(queue_deliver(queue, 3, 0, NULL), AZ_OK);
	/* Around the ring, many times. */
	for (unsigned int i = 6; i <= 100; i++) {
		assert_int_equal(append(queue, i), AZ_OK);
		is_event(queue, i, i);
		is_event(queue, i - 1, i - 1);
		assert_int_equal(queue_deliver(queue, i - 2, 0, NULL), AZ_OK);
	}
	queue_close(&queue);
	queue = open_queue();
	assert_int_equal(queue_last(queue), 100);
	assert_int_equal(queue_delivered(queue), 98);
	queue_close(&queue);
}

static void
the_oldest_stay_and_the_lost_are_counted(void **state)
{
	struct queue *queue = open_queue();
	struct endpoint_event event;

	(void)state;
	for (unsigned int i = 1; i <= ROOM; i++)
		assert_int_equal(append(queue, i), AZ_OK);
	for (unsigned int i = 0; i < 3; i++)
		assert_int_equal(append(queue, 90 + i), AZ_LIMIT);
	queue_close(&queue);
	/* What was lost is known after a restart. */
	queue = open_queue();
	for (unsigned int i = 0; i < 2; i++)
		assert_int_equal(append(queue, 95 + i), AZ_LIMIT);
	assert_int_equal(queue_last(queue), ROOM);
	for (unsigned int i = 1; i <= ROOM; i++)
		is_event(queue, i, i);
	assert_int_equal(queue_deliver(queue, 2, 0, NULL), AZ_OK);
	assert_int_equal(append(queue, 9), AZ_OK);
	assert_int_equal(queue_read(queue, 9, &event, NULL), AZ_OK);
	assert_int_equal(event.kind, ENDPOINT_LOST);
	assert_int_equal(event.count, 5);
	is_event(queue, 10, 9);
	/* Told once, also where the file that says so is gone. */
	queue_close(&queue);
	assert_int_equal(unlinkat(folder.fd, "lost", 0), 0);
	queue = open_queue();
	assert_int_equal(queue_deliver(queue, 4, 0, NULL), AZ_OK);
	assert_int_equal(append(queue, 11), AZ_OK);
	is_event(queue, 11, 11);
	queue_close(&queue);
}

static void
a_torn_event_is_not_there(void **state)
{
	struct queue *queue = open_queue();

	(void)state;
	for (unsigned int i = 1; i <= 3; i++)
		assert_int_equal(append(queue, i), AZ_OK);
	queue_close(&queue);
	flip("queue", SLOTS + 3 * SLOT + 500);
	queue = open_queue();
	assert_int_equal(queue_last(queue), 2);
	assert_int_equal(append(queue, 4), AZ_OK);
	is_event(queue, 3, 4);
	queue_close(&queue);
}

static void
a_damaged_event_in_the_middle_is_told_as_such(void **state)
{
	struct queue *queue = open_queue();
	struct endpoint_event event;

	(void)state;
	for (unsigned int i = 1; i <= 3; i++)
		assert_int_equal(append(queue, i), AZ_OK);
	queue_close(&queue);
	flip("queue", SLOTS + 2 * SLOT + 500);
	queue = open_queue();
	assert_int_equal(queue_last(queue), 3);
	assert_int_equal(queue_read(queue, 2, &event, NULL), AZ_OK);
	assert_int_equal(event.kind, ENDPOINT_DAMAGED);
	queue_close(&queue);
}

/* A slot moved to another number's place opens as neither. */
static void
an_event_cannot_be_moved(void **state)
{
	struct queue *queue = open_queue();
	struct endpoint_event event;
	uint8_t slot[SLOT];
	int fd;

	(void)state;
	for (unsigned int i = 1; i <= 3; i++)
		assert_int_equal(append(queue, i), AZ_OK);
	fd = openat(folder.fd, "queue", O_RDWR | O_CLOEXEC);
	assert_int_equal(pread(fd, slot, SLOT, SLOTS + 1 * SLOT), SLOT);
	slot[0] = 2;
	assert_int_equal(pwrite(fd, slot, SLOT, SLOTS + 2 * SLOT), SLOT);
	assert_int_equal(close(fd), 0);
	assert_int_equal(queue_read(queue, 2, &event, NULL), AZ_OK);
	assert_int_equal(event.kind, ENDPOINT_DAMAGED);
	queue_close(&queue);
}

static void
refuses(const struct secret *key, const uint8_t of[HOUSE_ID_SIZE], enum az_status expected)
{
	struct queue *queue = NULL;

	assert_int_equal(queue_open(folder.fd, of, key, ROOM, &queue, NULL), expected);
	assert_null(queue);
}

static void
what_belongs_to_others_is_refused(void **state)
{
	static const uint8_t other[HOUSE_ID_SIZE] = {'U', 9};
	struct secret *key = NULL;
	struct queue *queue = open_queue();

	(void)state;
	assert_int_equal(append(queue, 1), AZ_OK);
	assert_int_equal(queue_deliver(queue, 1, 0, NULL), AZ_OK);
	queue_close(&queue);
	assert_int_equal(secret_new(32, &key, NULL), AZ_OK);
	refuses(key, house, AZ_FORGED);
	refuses(seed, other, AZ_FORGED);
	secret_free(&key);
}

static void
damaged_files_are_refused(void **state)
{
	struct queue *queue = open_queue();

	(void)state;
	assert_int_equal(append(queue, 1), AZ_OK);
	assert_int_equal(queue_deliver(queue, 1, 0, NULL), AZ_OK);
	queue_close(&queue);
	flip("delivered", 40);
	refuses(seed, house, AZ_FORGED);
	flip("delivered", 40);
	flip("queue", 0);
	refuses(seed, house, AZ_CORRUPT);
	flip("queue", 0);
	flip("queue", 32);
	refuses(seed, house, AZ_CORRUPT);
	flip("queue", 32);
	{
		int fd = openat(folder.fd, "delivered", O_WRONLY | O_CLOEXEC);

		assert_int_equal(ftruncate(fd, 40), 0);
		assert_int_equal(close(fd), 0);
	}
	refuses(seed, house, AZ_CORRUPT);
}

static void
nothing_of_an_event_is_readable_on_the_disk(void **state)
{
	struct queue *queue = open_queue();
	uint8_t slot[SLOT];
	int fd = openat(folder.fd, "queue", O_RDONLY | O_CLOEXEC);
	struct stat info;

	(void)state;
	assert_int_equal(append(queue, 1), AZ_OK);
	assert_int_equal(pread(fd, slot, SLOT, SLOTS + 1 * SLOT), SLOT);
	assert_null(memmem(slot, SLOT, "event", 5));
	assert_int_equal(fstat(fd, &info), 0);
	assert_int_equal(info.st_mode & 0777, 0600);
	/* All of it is taken from the disk at once, so that a full disk takes no event. */
	assert_int_equal(info.st_size, SLOTS + ROOM * SLOT);
	assert_int_equal(close(fd), 0);
	queue_close(&queue);
}

static void
numbers_of_the_other_process_are_bounded(void **state)
{
	struct queue *queue = open_queue();

	(void)state;
	assert_int_equal(append(queue, 1), AZ_OK);
	queue_note_delivered(queue, 5);
	assert_int_equal(queue_delivered(queue), 0);
	queue_note_delivered(queue, 1);
	assert_int_equal(queue_delivered(queue), 1);
	queue_note_last(queue, UINT64_MAX);
	assert_int_equal(queue_last(queue), 1);
	queue_note_last(queue, 4);
	assert_int_equal(queue_last(queue), 4);
	queue_close(&queue);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		events_come_out_in_order_over_restarts, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		the_oldest_stay_and_the_lost_are_counted, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_torn_event_is_not_there, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		a_damaged_event_in_the_middle_is_told_as_such, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(an_event_cannot_be_moved, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(what_belongs_to_others_is_refused, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(damaged_files_are_refused, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		nothing_of_an_event_is_readable_on_the_disk, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		numbers_of_the_other_process_are_bounded, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
