/* The query index: finds what is there, names nobody else's, and can be thrown away. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crypto/hash.h"
#include "house.h"

#define STAFF 17u

struct seen {
	uint64_t count;
	uint64_t stop_after; /* 0 never */
	uint64_t first, last;
	enum entry_type type;
};

static bool
note(void *arg, uint64_t index, const struct ledger_read *entry)
{
	struct seen *seen = arg;

	if (seen->count == 0)
		seen->first = index;
	else
		assert_true(index < seen->last);
	seen->last = index;
	seen->type = entry->entry.type;
	/* Who it was stays a pseudonym. */
	assert_int_equal(entry->entry.staff, 0);
	assert_int_equal(entry->entry.record, 0);
	seen->count++;
	return seen->count != seen->stop_after;
}

static struct seen
ask(struct house *house, uint32_t log, enum pseudonym_kind kind, uint32_t id, uint64_t before,
    size_t max)
{
	struct seen seen = {0};
	struct az_err err = {0};

	if (ledger_query(house->ledger, log, kind, id, before, max, note, &seen, &err) != AZ_OK)
		fail_msg("%s", err.text);
	return seen;
}

static uint64_t
count_of(struct house *house, uint32_t log, enum pseudonym_kind kind, uint32_t id)
{
	return ask(house, log, kind, id, UINT64_MAX, SIZE_MAX).count;
}

static void
submit(struct house *house, enum entry_type type, uint32_t log, uint32_t staff, uint32_t record)
{
	struct ledger_entry entry = {.type = type, .log = log, .staff = staff, .record = record};

	assert_int_equal(
	    ledger_submit(house->ledger, &entry, bytes_make(NULL, 0), NULL, NULL, NULL), AZ_OK);
	ledger_kick(house->ledger);
}

/* A settled, running house: 300 disclosures to each of log 1 and 2. */
static void
make_filled(struct house *house)
{
	house_make(house);
	house_start(house);
	house_disclose(house, 1, 300);
	house_disclose(house, 2, 300);
	house_settle(house);
}

static void
empty_index(struct house *house)
{
	char path[80];

	(void)snprintf(path, sizeof(path), "%s/index", house->path);
	house_discard(path);
}

static void
entries_come_newest_first_and_only_as_many_as_asked(void **state)
{
	struct house house;
	struct seen seen = {.stop_after = 3};

	(void)state;
	make_filled(&house);
	seen = ask(&house, 1, PSEUDONYM_STAFF, STAFF, UINT64_MAX, SIZE_MAX);
	assert_int_equal(seen.count, 300);
	assert_int_equal(seen.first, 299);
	assert_int_equal(seen.last, 0);
	assert_int_equal(seen.type, ENTRY_DISCLOSED);
	seen = ask(&house, 1, PSEUDONYM_STAFF, STAFF, 100, 10);
	assert_int_equal(seen.count, 10);
	assert_int_equal(seen.first, 99);
	assert_int_equal(seen.last, 90);
	assert_int_equal(ask(&house, 1, PSEUDONYM_STAFF, STAFF, 0, 10).count, 0);
	assert_int_equal(ask(&house, 1, PSEUDONYM_STAFF, STAFF, 10, 0).count, 0);
	seen = (struct seen){.stop_after = 3};
	assert_int_equal(ledger_query(house.ledger, 1, PSEUDONYM_STAFF, STAFF, UINT64_MAX, SIZE_MAX,
			     note, &seen, NULL),
	    AZ_OK);
	assert_int_equal(seen.count, 3);
	seen = ask(&house, 1, PSEUDONYM_RECORD, 42, UINT64_MAX, SIZE_MAX);
	assert_int_equal(seen.count, 1);
	assert_int_equal(seen.first, 41);
	house_remove(&house);
}

static void
another_logs_entries_are_never_seen(void **state)
{
	struct house house;

	(void)state;
	make_filled(&house);
	submit(&house, ENTRY_DISCLOSED, 1, 5, 900);
	submit(&house, ENTRY_DISCLOSED, 3, 6, 901);
	house_settle(&house);
	assert_int_equal(count_of(&house, 1, PSEUDONYM_STAFF, STAFF), 300);
	assert_int_equal(count_of(&house, 2, PSEUDONYM_STAFF, STAFF), 300);
	assert_int_equal(count_of(&house, 1, PSEUDONYM_STAFF, 5), 1);
	assert_int_equal(count_of(&house, 2, PSEUDONYM_STAFF, 5), 0);
	assert_int_equal(count_of(&house, 3, PSEUDONYM_STAFF, STAFF), 0);
	assert_int_equal(count_of(&house, 1, PSEUDONYM_RECORD, 901), 0);
	assert_int_equal(count_of(&house, 3, PSEUDONYM_RECORD, 901), 1);
	assert_int_equal(count_of(&house, 0, PSEUDONYM_STAFF, STAFF), 0);
	assert_int_equal(count_of(&house, 77, PSEUDONYM_STAFF, STAFF), 0);
	house_remove(&house);
}

static void
a_record_is_not_the_member_of_staff_of_its_number(void **state)
{
	struct house house;

	(void)state;
	house_make(&house);
	house_start(&house);
	submit(&house, ENTRY_DISCLOSED, 1, 8, 9);
	submit(&house, ENTRY_STARTED, 0, 9, 0);
	house_settle(&house);
	assert_int_equal(count_of(&house, 1, PSEUDONYM_STAFF, 8), 1);
	assert_int_equal(count_of(&house, 1, PSEUDONYM_STAFF, 9), 0);
	assert_int_equal(count_of(&house, 1, PSEUDONYM_RECORD, 8), 0);
	assert_int_equal(count_of(&house, 1, PSEUDONYM_RECORD, 9), 1);
	assert_int_equal(count_of(&house, 0, PSEUDONYM_STAFF, 9), 1);
	house_remove(&house);
}

static void
questions_about_nobody_are_refused(void **state)
{
	struct house house;
	struct seen seen = {0};

	(void)state;
	make_filled(&house);
	assert_int_equal(
	    ledger_query(house.ledger, 1, PSEUDONYM_STAFF, 0, UINT64_MAX, 1, note, &seen, NULL),
	    AZ_INVALID);
	assert_int_equal(ledger_query(house.ledger, 1, (enum pseudonym_kind)0, STAFF, UINT64_MAX, 1,
			     note, &seen, NULL),
	    AZ_INVALID);
	assert_int_equal(ledger_query(house.ledger, 1, (enum pseudonym_kind)3, STAFF, UINT64_MAX, 1,
			     note, &seen, NULL),
	    AZ_INVALID);
	assert_int_equal(ledger_query(house.ledger, LEDGER_LOGS_MAX, PSEUDONYM_STAFF, STAFF,
			     UINT64_MAX, 1, note, &seen, NULL),
	    AZ_INVALID);
	assert_int_equal(seen.count, 0);
	house_remove(&house);
}

static void
every_entry_is_read_back_and_none_behind_the_end(void **state)
{
	struct house house;
	struct ledger_read read;

	(void)state;
	house_make(&house);
	house_start(&house);
	/* Of several sizes, so that a wrong step in a group would be noticed. */
	for (uint32_t i = 0; i < 700; i++)
		submit(&house, i % 3 == 0 ? ENTRY_ENTRUSTED : ENTRY_DISCLOSED, 1, 1 + i, 0);
	house_settle(&house);
	for (uint32_t i = 0; i < 700; i++) {
		struct seen seen = ask(&house, 1, PSEUDONYM_STAFF, 1 + i, UINT64_MAX, 2);

		assert_int_equal(ledger_entry_at(house.ledger, 1, i, &read, NULL), AZ_OK);
		assert_int_equal(read.entry.type, i % 3 == 0 ? ENTRY_ENTRUSTED : ENTRY_DISCLOSED);
		assert_int_equal(seen.count, 1);
		assert_int_equal(seen.first, i);
	}
	assert_int_equal(ledger_entry_at(house.ledger, 1, 700, &read, NULL), AZ_NOT_FOUND);
	assert_int_equal(ledger_entry_at(house.ledger, 1, 768, &read, NULL), AZ_NOT_FOUND);
	assert_int_equal(ledger_entry_at(house.ledger, 1, UINT64_MAX, &read, NULL), AZ_NOT_FOUND);
	assert_int_equal(ledger_entry_at(house.ledger, 2, 0, &read, NULL), AZ_NOT_FOUND);
	assert_int_equal(ledger_entry_at(house.ledger, UINT32_MAX, 0, &read, NULL), AZ_NOT_FOUND);
	house_remove(&house);
}

static void
a_changed_entry_is_not_given_as_an_answer(void **state)
{
	struct house house;
	struct seen seen = {0};
	struct ledger_read read;

	(void)state;
	make_filled(&house);
	/* Within the first entry: its time, its salt, its staff, the fields shown. */
	for (long at = 4; at < 130; at += 25) {
		house_flip(&house, "log-00000001/entries", FILE_HEADER_SIZE + 2 + at);
		assert_int_equal(ledger_entry_at(house.ledger, 1, 0, &read, NULL), AZ_FORGED);
		assert_int_equal(
		    ledger_query(house.ledger, 1, PSEUDONYM_STAFF, STAFF, 1, 1, note, &seen, NULL),
		    AZ_FORGED);
		house_flip(&house, "log-00000001/entries", FILE_HEADER_SIZE + 2 + at);
	}
	assert_int_equal(seen.count, 0);
	/* The size before it. */
	house_flip(&house, "log-00000001/entries", FILE_HEADER_SIZE);
	assert_int_equal(ledger_entry_at(house.ledger, 1, 0, &read, NULL), AZ_FORGED);
	house_flip(&house, "log-00000001/entries", FILE_HEADER_SIZE);
	assert_int_equal(ledger_entry_at(house.ledger, 1, 0, &read, NULL), AZ_OK);
	house_remove(&house);
}

static void
a_removed_index_is_made_anew(void **state)
{
	struct house house;

	(void)state;
	make_filled(&house);
	house_close(&house);
	empty_index(&house);
	house_start(&house);
	assert_int_equal(count_of(&house, 1, PSEUDONYM_STAFF, STAFF), 300);
	assert_int_equal(count_of(&house, 2, PSEUDONYM_RECORD, 300), 1);
	house_disclose(&house, 1, 1);
	house_settle(&house);
	assert_int_equal(count_of(&house, 1, PSEUDONYM_STAFF, STAFF), 301);
	house_remove(&house);
}

static void
a_spoilt_index_is_made_anew(void **state)
{
	struct house house;
	uint8_t garbage[8192];
	int fd;

	(void)state;
	make_filled(&house);
	house_close(&house);
	memset(garbage, 0xa5, sizeof(garbage));
	fd = openat(house.dirfd, "index/data.mdb", O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, garbage, sizeof(garbage), 0), sizeof(garbage));
	(void)close(fd);
	house_start(&house);
	assert_int_equal(count_of(&house, 1, PSEUDONYM_STAFF, STAFF), 300);
	house_remove(&house);
}

static void
a_long_log_is_read_in_again_whole(void **state)
{
	struct house house;

	(void)state;
	house_make(&house);
	house_start(&house);
	for (unsigned int i = 0; i < 12; i++)
		house_disclose(&house, 1, 5000);
	house_settle(&house);
	assert_int_equal(count_of(&house, 1, PSEUDONYM_STAFF, STAFF), 60000);
	house_close(&house);
	empty_index(&house);
	house_start(&house);
	assert_int_equal(count_of(&house, 1, PSEUDONYM_STAFF, STAFF), 60000);
	assert_int_equal(count_of(&house, 1, PSEUDONYM_RECORD, 5000), 12);
	house_remove(&house);
}

static void
an_older_index_catches_up(void **state)
{
	char old[] = "/tmp/azukari-ledger-old-XXXXXX";
	char index[80];
	struct house house;

	(void)state;
	assert_non_null(mkdtemp(old));
	make_filled(&house);
	house_close(&house);
	(void)snprintf(index, sizeof(index), "%s/index", house.path);
	house_copy(index, old);
	house_start(&house);
	house_disclose(&house, 1, 300);
	house_disclose(&house, 3, 20);
	house_close(&house);
	house_copy(old, index);
	house_start(&house);
	assert_int_equal(count_of(&house, 1, PSEUDONYM_STAFF, STAFF), 600);
	assert_int_equal(count_of(&house, 2, PSEUDONYM_STAFF, STAFF), 300);
	assert_int_equal(count_of(&house, 3, PSEUDONYM_STAFF, STAFF), 20);
	house_remove(&house);
	house_discard(old);
}

/* Leaves a house that lost its last entries to an older copy, under the index of the longer one. */
static void
an_index_of_another_history_is_made_anew(void **state)
{
	char old[] = "/tmp/azukari-ledger-old-XXXXXX";
	char newer[] = "/tmp/azukari-ledger-new-XXXXXX";
	char index[80];
	struct house house;

	(void)state;
	assert_non_null(mkdtemp(old));
	assert_non_null(mkdtemp(newer));
	make_filled(&house);
	house_close(&house);
	(void)snprintf(index, sizeof(index), "%s/index", house.path);
	house_copy(house.path, old);
	house_start(&house);
	for (unsigned int i = 0; i < 10; i++)
		submit(&house, ENTRY_DISCLOSED, 1, 99, 1);
	submit(&house, ENTRY_DISCLOSED, 4, 98, 1);
	house_close(&house);
	house_copy(index, newer);

	/* Ahead of the logs. */
	house_copy(old, house.path);
	house_copy(newer, index);
	house.applied_synced = 600;
	house_start(&house);
	assert_int_equal(count_of(&house, 1, PSEUDONYM_STAFF, 99), 0);
	assert_int_equal(count_of(&house, 4, PSEUDONYM_STAFF, 98), 0);
	assert_int_equal(count_of(&house, 1, PSEUDONYM_STAFF, STAFF), 300);

	/* Not ahead, but the entries are others. */
	house_disclose(&house, 1, 20);
	house_disclose(&house, 4, 20);
	house_close(&house);
	house_copy(newer, index);
	house_start(&house);
	assert_int_equal(count_of(&house, 1, PSEUDONYM_STAFF, 99), 0);
	assert_int_equal(count_of(&house, 4, PSEUDONYM_STAFF, 98), 0);
	assert_int_equal(count_of(&house, 1, PSEUDONYM_STAFF, STAFF), 320);
	house_remove(&house);
	house_discard(old);
	house_discard(newer);
}

/* Starts without replaying anything to the house's state, which is not what these tests are about. */
static void
start_applied(struct house *house)
{
	struct head head;

	assert_int_equal(house_open(house, NULL), AZ_OK);
	house->applied_synced = 0;
	for (uint32_t i = 0; i < ledger_log_count(house->ledger); i++) {
		ledger_head(house->ledger, i, &head);
		house->applied_synced += head.size;
	}
	house_start(house);
}

static void
what_was_acknowledged_is_found_after_kill_9(void **state)
{
	struct house house;

	(void)state;
	house_make(&house);
	house_close(&house);
	for (unsigned int round = 0; round < 6; round++) {
		pid_t child = fork();
		struct head head;

		assert_true(child >= 0);
		if (child == 0) {
			/* Secrets are wiped in a child: make the key again. */
			if (secret_new(32, &house.root, NULL) != AZ_OK)
				_exit(1);
			memset(secret_data(house.root), 7, 32);
			start_applied(&house);
			for (;;)
				house_disclose(&house, 1, 50);
		}
		(void)usleep(30000 + round * 250000);
		assert_int_equal(kill(child, SIGKILL), 0);
		assert_int_equal(waitpid(child, NULL, 0), child);
		start_applied(&house);
		ledger_head(house.ledger, 1, &head);
		assert_int_equal(count_of(&house, 1, PSEUDONYM_STAFF, STAFF), head.size);
		house_settle(&house);
		house_close(&house);
	}
	house_remove(&house);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(entries_come_newest_first_and_only_as_many_as_asked),
	    cmocka_unit_test(another_logs_entries_are_never_seen),
	    cmocka_unit_test(a_record_is_not_the_member_of_staff_of_its_number),
	    cmocka_unit_test(questions_about_nobody_are_refused),
	    cmocka_unit_test(every_entry_is_read_back_and_none_behind_the_end),
	    cmocka_unit_test(a_changed_entry_is_not_given_as_an_answer),
	    cmocka_unit_test(a_removed_index_is_made_anew),
	    cmocka_unit_test(a_spoilt_index_is_made_anew),
	    cmocka_unit_test(a_long_log_is_read_in_again_whole),
	    cmocka_unit_test(an_older_index_catches_up),
	    cmocka_unit_test(an_index_of_another_history_is_made_anew),
	    cmocka_unit_test(what_was_acknowledged_is_found_after_kill_9),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
