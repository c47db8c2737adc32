/* Verification re-reads every byte: whatever is changed in a log's files is found, and where. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <unistd.h>

#include "house.h"

#define ENTRIES      "log-00000001/entries"
#define ENTRY_STRIDE 140L /* a disclosure of 138 bytes and its size */
#define COUNT        600u

static struct head newest;

static void
make(struct house *house)
{
	house_make(house);
	house_start(house);
	house_disclose(house, 1, COUNT);
	house_settle(house);
	ledger_head(house->ledger, 1, &newest);
	house_close(house);
}

static struct ledger_verify
verify(struct house *house, const struct head *head)
{
	struct ledger_verify verify = {.log = 1, .generation = 1, .head = head};

	assert_int_equal(
	    ledger_public_key(house->id, house->root, 1, verify.public_key, NULL), AZ_OK);
	assert_int_equal(ledger_verify(house->dirfd, house->id, &verify, NULL, NULL, NULL), AZ_OK);
	return verify;
}

static void
count_progress(void *arg, uint64_t entries)
{
	(void)entries;
	(*(unsigned int *)arg)++;
}

static void
an_untouched_log_is_in_order(void **state)
{
	struct house house;
	struct ledger_verify result;

	(void)state;
	make(&house);
	result = verify(&house, &newest);
	assert_true(result.ok);
	assert_int_equal(result.size, COUNT);
	assert_string_equal(result.problem, "");
	assert_memory_equal(result.root, newest.root, 32);
	house_remove(&house);
}

static void
each_changed_entry_is_named(void **state)
{
	struct house house;

	(void)state;
	make(&house);
	for (long index = 0; index < (long)COUNT; index += 7) {
		/* A byte of the salt: the entry still decodes, and only its hash can tell. */
		long at = FILE_HEADER_SIZE + index * ENTRY_STRIDE + 2 + 12 + index % 16;
		struct ledger_verify result;

		house_flip(&house, ENTRIES, at);
		result = verify(&house, NULL);
		assert_false(result.ok);
		assert_int_equal(result.bad_index, index);
		house_flip(&house, ENTRIES, at);
	}
	assert_true(verify(&house, &newest).ok);
	house_remove(&house);
}

static void
every_byte_of_an_entry_counts(void **state)
{
	struct house house;

	(void)state;
	make(&house);
	for (long at = 0; at < ENTRY_STRIDE; at++) {
		house_flip(&house, ENTRIES, FILE_HEADER_SIZE + 300 * ENTRY_STRIDE + at);
		assert_false(verify(&house, NULL).ok);
		house_flip(&house, ENTRIES, FILE_HEADER_SIZE + 300 * ENTRY_STRIDE + at);
	}
	house_remove(&house);
}

static void
missing_entries_are_found(void **state)
{
	static const long cuts[] = {1, ENTRY_STRIDE, 10 * ENTRY_STRIDE, COUNT * ENTRY_STRIDE};
	struct house house;

	(void)state;
	for (size_t i = 0; i < AZ_ARRAY_SIZE(cuts); i++) {
		make(&house);
		house_truncate(&house, ENTRIES, house_file_size(&house, ENTRIES) - cuts[i]);
		assert_false(verify(&house, NULL).ok);
		/* With the hashes cut to match, the signed checkpoint still tells. */
		house_truncate(&house, ENTRIES,
		    FILE_HEADER_SIZE +
			(house_file_size(&house, ENTRIES) - FILE_HEADER_SIZE) / ENTRY_STRIDE *
			    ENTRY_STRIDE);
		house_truncate(&house, "log-00000001/hash0",
		    FILE_HEADER_SIZE +
			(house_file_size(&house, ENTRIES) - FILE_HEADER_SIZE) / ENTRY_STRIDE * 32);
		assert_false(verify(&house, NULL).ok);
		house_remove(&house);
	}
}

static void
a_changed_hash_or_checkpoint_is_found(void **state)
{
	static const struct {
		const char *file;
		long offset;
	} places[] = {{"log-00000001/hash0", FILE_HEADER_SIZE}, {"log-00000001/hash0", 5000},
	    {"log-00000001/hash1", FILE_HEADER_SIZE + 33}, {"log-00000001/checkpoint", 5},
	    {"log-00000001/checkpoint", 60}, {"log-00000001/checkpoint", 150}};
	struct house house;

	(void)state;
	make(&house);
	for (size_t i = 0; i < AZ_ARRAY_SIZE(places); i++) {
		house_flip(&house, places[i].file, places[i].offset);
		assert_false(verify(&house, NULL).ok);
		house_flip(&house, places[i].file, places[i].offset);
	}
	assert_int_equal(unlinkat(house.dirfd, "log-00000001/checkpoint", 0), 0);
	assert_false(verify(&house, NULL).ok);
	house_remove(&house);
}

static void
a_head_that_is_not_in_the_log_is_found(void **state)
{
	struct house house;
	struct head head;

	(void)state;
	make(&house);
	head = newest;
	head.size++;
	assert_false(verify(&house, &head).ok);
	head = newest;
	head.root[31] ^= 0x80;
	assert_false(verify(&house, &head).ok);
	house_remove(&house);
}

static void
another_key_or_house_or_log_does_not_verify(void **state)
{
	struct house house;
	struct ledger_verify result = {.log = 1, .generation = 1};
	unsigned int calls = 0;

	(void)state;
	make(&house);
	assert_int_equal(
	    ledger_public_key(house.id, house.root, 2, result.public_key, NULL), AZ_OK);
	assert_int_equal(
	    ledger_verify(house.dirfd, house.id, &result, count_progress, &calls, NULL), AZ_OK);
	assert_false(result.ok);
	house.id[3] ^= 1;
	assert_int_equal(
	    ledger_verify(house.dirfd, house.id, &result, NULL, NULL, NULL), AZ_FORGED);
	house.id[3] ^= 1;
	result.log = 9;
	assert_int_equal(
	    ledger_verify(house.dirfd, house.id, &result, NULL, NULL, NULL), AZ_NOT_FOUND);
	house_remove(&house);
}

/* Log 1 says so of log 2, which has 600 entries. */
static void
commit(struct house *house, const struct head *about)
{
	struct ledger_entry entry = {.type = ENTRY_COMMITTED,
	    .log = 1,
	    .grade = GRADE_OWN,
	    .subject = about->log,
	    .detail = about->generation,
	    .detail64 = about->size};

	memcpy(entry.document, about->root, sizeof(entry.document));
	assert_int_equal(
	    ledger_submit(house->ledger, &entry, bytes_make(NULL, 0), NULL, NULL, NULL), AZ_OK);
}

static struct ledger_verify
verify_commitment(const struct head *change, int64_t settled_us)
{
	struct house house;
	struct ledger_verify result = {.log = 1, .generation = 1, .settled_us = settled_us};
	struct head head;

	house_make(&house);
	house_start(&house);
	house_disclose(&house, 1, 5);
	house_disclose(&house, 2, COUNT);
	house_settle(&house);
	ledger_head(house.ledger, 2, &head);
	head.log = 2;
	commit(&house, &head);
	head.log += change->log;
	head.size += change->size;
	head.root[5] ^= change->root[5];
	commit(&house, &head);
	house_disclose(&house, 2, 3);
	house_settle(&house);
	house_close(&house);
	assert_int_equal(
	    ledger_public_key(house.id, house.root, 1, result.public_key, NULL), AZ_OK);
	assert_int_equal(ledger_verify(house.dirfd, house.id, &result, NULL, NULL, NULL), AZ_OK);
	house_remove(&house);
	return result;
}

static void
what_a_log_says_of_another_must_be_so(void **state)
{
	struct ledger_verify result = verify_commitment(&(struct head){0}, INT64_MAX);

	(void)state;
	assert_true(result.ok);
	assert_int_equal(result.size, 7);
	result = verify_commitment(&(struct head){.root = {[5] = 1}}, INT64_MAX);
	assert_false(result.ok);
	assert_non_null(strstr(result.problem, "names another root"));
	result = verify_commitment(&(struct head){.size = 1}, INT64_MAX);
	assert_false(result.ok);
	assert_non_null(strstr(result.problem, "names another root"));
	result = verify_commitment(&(struct head){.size = 4}, INT64_MAX);
	assert_false(result.ok);
	assert_non_null(strstr(result.problem, "had 604 entries, and it has 603"));
	result = verify_commitment(&(struct head){.log = 7}, INT64_MAX);
	assert_false(result.ok);
	assert_non_null(strstr(result.problem, "and it has 0"));
}

/* A log that is being written may be behind what another says of it. */
static void
what_is_said_later_than_all_was_settled_waits(void **state)
{
	(void)state;
	assert_true(verify_commitment(&(struct head){.size = 4}, 0).ok);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_untouched_log_is_in_order),
	    cmocka_unit_test(each_changed_entry_is_named),
	    cmocka_unit_test(every_byte_of_an_entry_counts),
	    cmocka_unit_test(missing_entries_are_found),
	    cmocka_unit_test(a_changed_hash_or_checkpoint_is_found),
	    cmocka_unit_test(a_head_that_is_not_in_the_log_is_found),
	    cmocka_unit_test(another_key_or_house_or_log_does_not_verify),
	    cmocka_unit_test(what_a_log_says_of_another_must_be_so),
	    cmocka_unit_test(what_is_said_later_than_all_was_settled_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
