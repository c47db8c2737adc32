/* Tickets, heads, replay: what the rest of the keeper leans on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <unistd.h>

#include "crypto/hash.h"
#include "house.h"

static void
every_submitted_entry_gets_its_ticket_once(void **state)
{
	struct house house;

	(void)state;
	house_make(&house);
	house_start(&house);
	house_disclose(&house, 1, 1);
	house_disclose(&house, 2, 500);
	assert_int_equal(house.acknowledged, 501);
	house_settle(&house);
	assert_int_equal(house.applied, 501);
	assert_int_equal(house.applied_synced, 501);
	house_remove(&house);
}

static void
heads_grow_with_their_own_log_only(void **state)
{
	struct house house;
	struct head one, two;

	(void)state;
	house_make(&house);
	house_start(&house);
	house_disclose(&house, 1, 3);
	ledger_head(house.ledger, 1, &one);
	house_disclose(&house, 2, 1);
	ledger_head(house.ledger, 2, &two);
	assert_int_equal(one.size, 3);
	assert_int_equal(two.size, 1);
	ledger_head(house.ledger, 1, &two);
	assert_memory_equal(&one, &two, sizeof(one));
	ledger_head(house.ledger, 77, &two);
	assert_int_equal(two.size, 0);
	assert_int_equal(ledger_log_count(house.ledger), 3);
	house_remove(&house);
}

static void
an_older_head_is_continued_and_a_false_one_is_not(void **state)
{
	struct house house;
	struct head heads[40];

	(void)state;
	house_make(&house);
	house_start(&house);
	for (size_t i = 0; i < AZ_ARRAY_SIZE(heads); i++) {
		house_disclose(&house, 1, 1 + (unsigned int)i * 3);
		ledger_head(house.ledger, 1, &heads[i]);
	}
	for (size_t i = 0; i < AZ_ARRAY_SIZE(heads); i++) {
		struct head changed = heads[i];

		assert_int_equal(ledger_check_head(house.ledger, &heads[i], NULL), AZ_OK);
		changed.root[i % 32] ^= 1;
		assert_int_equal(ledger_check_head(house.ledger, &changed, NULL), AZ_FORGED);
		changed = heads[i];
		changed.size += 100000;
		assert_int_equal(ledger_check_head(house.ledger, &changed, NULL), AZ_FORGED);
		changed = heads[i];
		changed.generation = 2;
		assert_int_equal(ledger_check_head(house.ledger, &changed, NULL), AZ_FORGED);
		changed = heads[i];
		changed.log = 2;
		assert_int_equal(ledger_check_head(house.ledger, &changed, NULL), AZ_FORGED);
		changed.log = UINT32_MAX;
		assert_int_equal(ledger_check_head(house.ledger, &changed, NULL), AZ_FORGED);
	}
	house_remove(&house);
}

/* RFC 6962 §2.1 as it is written there, for comparison. */
static void
merkle(uint8_t (*leaves)[32], size_t count, uint8_t ret_root[32])
{
	uint8_t input[65] = {1};
	size_t split = 1;

	if (count == 1) {
		memcpy(ret_root, leaves[0], 32);
		return;
	}
	while (split * 2 < count)
		split *= 2;
	merkle(leaves, split, input + 1);
	merkle(leaves + split, count - split, input + 33);
	sha256(bytes_make(input, sizeof(input)), ret_root);
}

struct leaves {
	uint8_t hashes[700][32];
	size_t count;
};

static void
the_root_is_the_one_of_rfc_6962_over_the_stored_entries(void **state)
{
	static struct leaves leaves;
	struct house house;
	struct ledger_verify verify = {.log = 1, .generation = 1};
	struct head head;
	uint8_t root[32];
	struct buffer file;
	size_t at = FILE_HEADER_SIZE;

	(void)state;
	house_make(&house);
	house_start(&house);
	house_disclose(&house, 1, 700);
	house_settle(&house);
	ledger_head(house.ledger, 1, &head);
	house_close(&house);
	buffer_init(&file, 1024 * 1024, false);
	assert_int_equal(file_read_whole(house.dirfd, "log-00000001/entries", &file, NULL), AZ_OK);
	while (at < file.size) {
		size_t size = (size_t)file.data[at] << 8 | file.data[at + 1];
		uint8_t input[1 + LEDGER_ENTRY_MAX] = {0};

		memcpy(input + 1, file.data + at + 2, size);
		sha256(bytes_make(input, 1 + size), leaves.hashes[leaves.count++]);
		at += 2 + size;
	}
	assert_int_equal(leaves.count, 700);
	merkle(leaves.hashes, leaves.count, root);
	assert_memory_equal(root, head.root, 32);
	assert_int_equal(
	    ledger_public_key(house.id, house.root, 1, verify.public_key, NULL), AZ_OK);
	assert_int_equal(ledger_verify(house.dirfd, house.id, &verify, NULL, NULL, NULL), AZ_OK);
	assert_true(verify.ok);
	assert_memory_equal(verify.root, root, 32);
	buffer_fini(&file);
	house_remove(&house);
}

struct replayed {
	uint64_t count;
	uint64_t last;
};

static enum az_status
check_replayed(void *arg, const struct ledger_record *record, struct az_err *reterr)
{
	struct replayed *replayed = arg;

	(void)reterr;
	assert_int_equal(record->seq, replayed->last + 1);
	assert_int_equal(record->entry->type, ENTRY_DISCLOSED);
	assert_int_equal(record->entry->staff, 17);
	assert_int_not_equal(record->entry->record, 0);
	assert_true(bytes_equal(record->payload, bytes_of("payload of it")));
	replayed->last = record->seq;
	replayed->count++;
	return AZ_OK;
}

static void
a_replay_gives_names_and_payloads_back_from_any_point(void **state)
{
	struct house house;
	struct replayed all = {0};
	struct replayed some = {.last = 60};
	struct replayed none = {.last = 100};

	(void)state;
	house_make(&house);
	house_start(&house);
	house_disclose(&house, 1, 50);
	house_disclose(&house, 2, 50);
	house_close(&house);
	assert_int_equal(house_open(&house, NULL), AZ_OK);
	assert_int_equal(ledger_replay(house.ledger, 0, check_replayed, &all, NULL), AZ_OK);
	assert_int_equal(all.count, 100);
	assert_int_equal(ledger_replay(house.ledger, 60, check_replayed, &some, NULL), AZ_OK);
	assert_int_equal(some.count, 40);
	assert_int_equal(ledger_replay(house.ledger, 100, check_replayed, &none, NULL), AZ_OK);
	assert_int_equal(none.count, 0);
	assert_int_equal(ledger_replay(house.ledger, 101, check_replayed, &none, NULL), AZ_FORGED);
	house_remove(&house);
}

static void
what_no_log_may_hold_is_not_queued(void **state)
{
	static uint8_t long_payload[LEDGER_PAYLOAD_MAX + 1];
	struct ledger_entry entry = {.type = ENTRY_NONE};
	struct house house;

	(void)state;
	house_make(&house);
	house_start(&house);
	assert_int_equal(
	    ledger_submit(house.ledger, &entry, bytes_make(NULL, 0), NULL, NULL, NULL), AZ_INVALID);
	entry.type = ENTRY_STARTED;
	entry.log = LEDGER_LOGS_MAX;
	assert_int_equal(
	    ledger_submit(house.ledger, &entry, bytes_make(NULL, 0), NULL, NULL, NULL), AZ_INVALID);
	entry.log = 0;
	assert_int_equal(ledger_submit(house.ledger, &entry,
			     bytes_make(long_payload, sizeof(long_payload)), NULL, NULL, NULL),
	    AZ_INVALID);
	house_settle(&house);
	assert_int_equal(ledger_log_count(house.ledger), 0);
	house_remove(&house);
}

static void
many_entries_cross_segments_and_old_ones_go(void **state)
{
	struct house house;
	struct replayed gone = {0};

	(void)state;
	house_make(&house);
	house_start(&house);
	for (unsigned int i = 0; i < 10; i++) {
		house_disclose(&house, 1, 5000);
		house_settle(&house);
	}
	house_close(&house);
	assert_int_equal(house_open(&house, NULL), AZ_OK);
	assert_int_equal(ledger_replay(house.ledger, 50000, check_replayed, &gone, NULL), AZ_OK);
	gone.last = 0;
	assert_true(faccessat(house.dirfd, "wal-00000000", 0, 0) != 0);
	house_remove(&house);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_submitted_entry_gets_its_ticket_once),
	    cmocka_unit_test(heads_grow_with_their_own_log_only),
	    cmocka_unit_test(an_older_head_is_continued_and_a_false_one_is_not),
	    cmocka_unit_test(the_root_is_the_one_of_rfc_6962_over_the_stored_entries),
	    cmocka_unit_test(a_replay_gives_names_and_payloads_back_from_any_point),
	    cmocka_unit_test(what_no_log_may_hold_is_not_queued),
	    cmocka_unit_test(many_entries_cross_segments_and_old_ones_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
