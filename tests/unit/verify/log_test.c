/* A published log is good whole, at every size, and not otherwise: by threads or without. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/wire.h"
#include "published/published.h"
#include "verify/who.h"

static struct published_keys keys;

struct made {
	struct entries entries;
	struct published log;
	struct buffer newest;
};

static void
make(struct made *made, size_t size, size_t newest, bool cosigned)
{
	struct buffer note;

	buffer_init(&note, NOTE_MAX, false);
	buffer_init(&made->newest, NOTE_MAX, false);
	entries_make(&made->entries, 7, size);
	published_make(&made->log, &made->entries);
	published_checkpoint(&made->entries, size, &keys, false, &note);
	published_put(&made->log, "checkpoint", buffer_peek(&note));
	if (cosigned) {
		published_checkpoint(&made->entries, newest, &keys, true, &note);
		published_put(&made->log, "cosigned", buffer_peek(&note));
	}
	published_checkpoint(&made->entries, newest, &keys, false, &made->newest);
	buffer_fini(&note);
}

static void
drop(struct made *made)
{
	entries_fini(&made->entries);
	published_fini(&made->log);
	buffer_fini(&made->newest);
}

static enum az_status
check(struct made *made, bool newest, bool witness, unsigned int threads, struct log_check *ret,
    struct az_err *reterr)
{
	struct published_log source = published_source(&made->log);

	*ret = (struct log_check){.key = &keys.log,
	    .witness = witness ? &keys.witness : NULL,
	    .newest = newest ? buffer_peek(&made->newest) : bytes_make(NULL, 0),
	    .threads = threads};
	return log_check(&source, ret, reterr);
}

static void
assert_refused(struct made *made, enum az_status expected, const char *words)
{
	struct log_check result;

	for (unsigned int threads = 1; threads <= 3; threads++) {
		struct az_err err = {0};

		assert_int_equal(check(made, true, false, threads, &result, &err), expected);
		assert_int_equal(err.status, expected);
		if (strstr(err.text, words) == NULL)
			fail_msg("\"%s\" does not say \"%s\"", err.text, words);
	}
}

static void
every_size_is_good(void **state)
{
	static const size_t sizes[] = {0, 1, 2, 255, 256, 257, 511, 512, 513, 700, 1024};

	for (size_t i = 0; i < AZ_ARRAY_SIZE(sizes); i++) {
		for (unsigned int threads = 1; threads <= 4; threads++) {
			struct made made;
			struct log_check result;
			struct az_err err = {0};

			make(&made, sizes[i], sizes[i] / 2, true);
			assert_int_equal(check(&made, true, true, threads, &result, &err), AZ_OK);
			assert_int_equal(result.size, sizes[i]);
			assert_int_equal(result.newest_size, sizes[i] / 2);
			assert_int_equal(result.witnessed_s, PUBLISHED_TIME_S);
			assert_int_equal(result.unknown, 0);
			assert_int_equal(result.types[ENTRY_ENTRUSTED], sizes[i] > 0);
			drop(&made);
		}
	}
}

/* Level 2 has a tile from 65536 entries on. */
static void
a_large_one_is_good_and_its_highest_tile_counts(void **state)
{
	struct made made;
	struct log_check result;
	struct published_file *top;

	make(&made, 65536 + 300, 40000, false);
	assert_int_equal(check(&made, true, false, 2, &result, NULL), AZ_OK);
	top = published_find(&made.log, "tile/2/000.p/1");
	assert_non_null(top);
	top->bytes.data[31] ^= 1;
	assert_refused(
	    &made, AZ_FORGED, "tile/2/000.p/1, at byte 0, is not the hash over entries 0 to 65535");
	drop(&made);
}

static void
what_is_wrong_is_named(void **state)
{
	struct made made;
	struct published_file *file;

	make(&made, 600, 590, false);
	file = published_find(&made.log, "tile/entries/001");
	file->bytes.data[file->bytes.size - 1] ^= 0x80;
	assert_refused(&made, AZ_FORGED, "entry 511, at byte");
	file->bytes.data[file->bytes.size - 1] ^= 0x80;
	/* Of two faults the first is told. */
	file->bytes.data[100] ^= 1;
	published_find(&made.log, "tile/entries/002.p/88")->bytes.data[50] ^= 1;
	assert_refused(&made, AZ_FORGED, "entry 256, at byte 0 of tile/entries/001");
	published_find(&made.log, "tile/entries/002.p/88")->bytes.data[50] ^= 1;
	file->bytes.data[100] ^= 1;
	file = published_find(&made.log, "tile/1/000.p/2");
	file->bytes.data[32] ^= 1;
	assert_refused(&made, AZ_FORGED,
	    "tile/1/000.p/2, at byte 32, is not the hash over entries 256 to 511");
	file->bytes.data[32] ^= 1;
	file->removed = true;
	assert_refused(&made, AZ_FORGED, "tile/1/000.p/2 is missing");
	file->removed = false;
	assert_int_equal(buffer_append(&file->bytes, bytes_make("x", 1)), AZ_OK);
	assert_refused(&made, AZ_FORGED, "has 65 bytes and not 64");
	drop(&made);
}

/* Everything made anew and signed with the right key: only who holds an older checkpoint sees it. */
static void
a_fork_by_the_key_itself_is_found(void **state)
{
	struct made made, fork;
	struct log_check result;

	make(&made, 600, 300, false);
	make(&fork, 600, 300, false);
	fork.entries.list[299].data[20] ^= 1;
	published_fini(&fork.log);
	published_make(&fork.log, &fork.entries);
	struct buffer note;
	buffer_init(&note, NOTE_MAX, false);
	published_checkpoint(&fork.entries, 600, &keys, false, &note);
	published_put(&fork.log, "checkpoint", buffer_peek(&note));
	/* By itself it is a good log. */
	assert_int_equal(check(&fork, false, false, 1, &result, NULL), AZ_OK);
	buffer_clear(&fork.newest);
	assert_int_equal(buffer_append(&fork.newest, buffer_peek(&made.newest)), AZ_OK);
	assert_refused(&fork, AZ_FORGED, "signed two histories");
	/* And one that is shorter than it was. */
	published_checkpoint(&made.entries, 600, &keys, false, &made.newest);
	published_fini(&fork.log);
	entries_drop(&fork.entries, 599, 1);
	published_make(&fork.log, &fork.entries);
	published_checkpoint(&fork.entries, 599, &keys, false, &note);
	published_put(&fork.log, "checkpoint", buffer_peek(&note));
	buffer_clear(&fork.newest);
	assert_int_equal(buffer_append(&fork.newest, buffer_peek(&made.newest)), AZ_OK);
	assert_refused(&fork, AZ_FORGED, "entries 599 to 599 are missing");
	buffer_fini(&note);
	drop(&made);
	drop(&fork);
}

static void
without_the_witness_it_is_not_cosigned(void **state)
{
	struct made made;
	struct log_check result;
	struct az_err err = {0};

	make(&made, 10, 5, false);
	assert_int_equal(check(&made, false, true, 1, &result, &err), AZ_FORGED);
	assert_non_null(strstr(err.text, "has not cosigned"));
	drop(&made);
	make(&made, 10, 5, true);
	published_find(&made.log, "cosigned")->bytes.data[0] ^= 1;
	assert_int_equal(check(&made, false, true, 1, &result, &err), AZ_FORGED);
	drop(&made);
}

static void
time_does_not_run_backwards(void **state)
{
	struct made made;
	struct buffer note;

	make(&made, 300, 300, false);
	/* Across two bundles, signed. */
	wire_store_u64(made.entries.list[256].data + 4, 1);
	published_fini(&made.log);
	published_make(&made.log, &made.entries);
	buffer_init(&note, NOTE_MAX, false);
	published_checkpoint(&made.entries, 300, &keys, false, &note);
	published_put(&made.log, "checkpoint", buffer_peek(&note));
	buffer_clear(&made.newest);
	assert_int_equal(buffer_append(&made.newest, buffer_peek(&note)), AZ_OK);
	assert_refused(&made, AZ_FORGED, "older than the one before it");
	wire_store_u64(
	    made.entries.list[256].data + 4, UINT64_C(1777780800000000) + 7000000u * 256);
	wire_store_u64(made.entries.list[9].data + 4, 1);
	published_fini(&made.log);
	published_make(&made.log, &made.entries);
	published_checkpoint(&made.entries, 300, &keys, false, &note);
	published_put(&made.log, "checkpoint", buffer_peek(&note));
	buffer_clear(&made.newest);
	assert_int_equal(buffer_append(&made.newest, buffer_peek(&note)), AZ_OK);
	assert_refused(&made, AZ_FORGED, "entry 9 is older than the one before it");
	buffer_fini(&note);
	drop(&made);
}

static void
an_unknown_form_is_counted_and_not_tampering(void **state)
{
	struct made made;
	struct log_check result;
	struct buffer note;

	make(&made, 300, 300, false);
	made.entries.list[270].data[0] = 9;
	published_fini(&made.log);
	published_make(&made.log, &made.entries);
	buffer_init(&note, NOTE_MAX, false);
	published_checkpoint(&made.entries, 300, &keys, false, &note);
	published_put(&made.log, "checkpoint", buffer_peek(&note));
	assert_int_equal(check(&made, false, false, 2, &result, NULL), AZ_OK);
	assert_int_equal(result.unknown, 1);
	assert_int_equal(result.first_unknown, 270);
	buffer_fini(&note);
	drop(&made);
}

static void
a_size_that_cannot_be_is_refused(void **state)
{
	struct made made;
	struct log_check result;
	struct buffer note;
	uint8_t root[TREE_HASH_SIZE] = {0};

	make(&made, 3, 3, false);
	buffer_init(&note, NOTE_MAX, false);
	assert_int_equal(
	    checkpoint_make(&keys.log, keys.log_sign, INT64_MAX, root, &note, NULL), AZ_OK);
	published_put(&made.log, "checkpoint", buffer_peek(&note));
	assert_int_equal(check(&made, false, false, 2, &result, NULL), AZ_LIMIT);
	buffer_clear(&note);
	assert_int_equal(checkpoint_make(&keys.log, keys.log_sign, 4, root, &note, NULL), AZ_OK);
	published_put(&made.log, "checkpoint", buffer_peek(&note));
	assert_int_equal(check(&made, false, false, 2, &result, NULL), AZ_FORGED);
	buffer_fini(&note);
	drop(&made);
}

struct seen {
	struct published *log;
	struct who *who;
	uint64_t count;
	bool change; /* the log, while it is read */
};

static void
on_entry(void *arg, uint64_t index, const struct ledger_read *read)
{
	struct seen *seen = arg;

	assert_int_equal(index, seen->count++);
	assert_int_equal(who_add(seen->who, read), AZ_OK);
	if (seen->change && index == 255)
		published_find(seen->log, "tile/entries/001")->bytes.data[60] ^= 1;
}

static void
what_changes_while_it_is_read_is_found(void **state)
{
	struct made made;
	struct log_check result;
	struct seen seen = {0};
	struct published_log source;
	size_t count;
	uint64_t disclosures = 0;

	make(&made, 600, 300, false);
	source = published_source(&made.log);
	assert_int_equal(check(&made, true, false, 1, &result, NULL), AZ_OK);
	seen.log = &made.log;
	seen.who = who_new();
	assert_int_equal(log_visit(&source, &result, on_entry, &seen, NULL), AZ_OK);
	assert_int_equal(seen.count, 600);
	for (size_t i = (who_staff(seen.who, &count), 0); i < count; i++)
		disclosures += who_staff(seen.who, &count)[i].disclosures;
	assert_int_equal(disclosures, result.types[ENTRY_DISCLOSED]);
	assert_true(count <= 50 && count > 40);
	seen.count = 0;
	seen.change = true;
	assert_int_equal(log_visit(&source, &result, on_entry, &seen, NULL), AZ_FORGED);
	who_free(&seen.who);
	drop(&made);
}

/* Against counting by comparing each with each. */
static void
people_are_counted_once(void **state)
{
	enum { COUNT = 6000 };
	struct ledger_read *reads = calloc(COUNT, sizeof(*reads));
	struct who *who = who_new();
	uint64_t people = 0, told = 0;
	size_t count;

	assert_non_null(reads);
	for (size_t i = 0; i < COUNT; i++) {
		struct buffer bytes;
		bool before = false;

		buffer_init(&bytes, LEDGER_ENTRY_MAX, false);
		published_entry(3, i + 1, &bytes);
		assert_int_equal(ledger_entry_decode(buffer_peek(&bytes), 0, &reads[i]), AZ_OK);
		buffer_fini(&bytes);
		/* Fewer records and staff than made up, so that pairs come again. */
		memset(reads[i].staff, (int)(reads[i].staff[0] % 5 + 1), sizeof(reads[i].staff));
		memset(reads[i].record + 2, 0, sizeof(reads[i].record) - 2);
		assert_int_equal(who_add(who, &reads[i]), AZ_OK);
		for (size_t k = 0; k < i && reads[i].entry.type == ENTRY_DISCLOSED; k++)
			before |= reads[k].entry.type == ENTRY_DISCLOSED &&
			    memcmp(reads[k].staff, reads[i].staff, sizeof(reads[i].staff)) == 0 &&
			    memcmp(reads[k].record, reads[i].record, sizeof(reads[i].record)) == 0;
		people += reads[i].entry.type == ENTRY_DISCLOSED && !before;
	}
	for (size_t i = (who_staff(who, &count), 0); i < count; i++)
		told += who_staff(who, &count)[i].people;
	assert_int_equal(told, people);
	assert_true(people < COUNT);
	who_free(&who);
	free(reads);
}

static void
proofs_come_out_of_tiles(void **state)
{
	static const size_t sizes[] = {1, 255, 256, 300, 599, 600};
	struct made made;
	struct published_log source;

	make(&made, 600, 300, false);
	source = published_source(&made.log);
	for (size_t i = 0; i < AZ_ARRAY_SIZE(sizes); i++) {
		for (size_t k = i; k < AZ_ARRAY_SIZE(sizes); k++) {
			struct proof proof;
			struct checkpoint older, newer;
			struct buffer a, b;

			buffer_init(&a, NOTE_MAX, false);
			buffer_init(&b, NOTE_MAX, false);
			published_checkpoint(&made.entries, sizes[i], &keys, false, &a);
			published_checkpoint(&made.entries, sizes[k], &keys, false, &b);
			assert_int_equal(checkpoint_open(buffer_peek(&a), &older, NULL), AZ_OK);
			assert_int_equal(checkpoint_open(buffer_peek(&b), &newer, NULL), AZ_OK);
			assert_int_equal(
			    published_consistency(&source, 600, sizes[i], sizes[k], &proof, NULL),
			    AZ_OK);
			assert_true(proof_check_consistency(
			    &proof, older.size, older.root, newer.size, newer.root));
			buffer_fini(&a);
			buffer_fini(&b);
		}
	}
	struct proof proof;

	assert_int_not_equal(published_consistency(&source, 600, 5, 601, &proof, NULL), AZ_OK);
	assert_int_not_equal(published_consistency(&source, 600, 6, 5, &proof, NULL), AZ_OK);
	drop(&made);
}

static void
words_are_told(void **state)
{
	struct ledger_read read;
	struct buffer bytes;
	char *text = NULL;
	size_t size = 0;
	FILE *file = open_memstream(&text, &size);

	buffer_init(&bytes, LEDGER_ENTRY_MAX, false);
	published_entry(7, 1, &bytes);
	assert_int_equal(ledger_entry_decode(buffer_peek(&bytes), 0, &read), AZ_OK);
	tell_entry(file, &read);
	(void)fputc('\n', file);
	/* Every code that may stand there is told somehow, and never outside a table. */
	for (unsigned int type = 1; type < 256; type++) {
		if (ledger_entry_name((enum entry_type)type) == NULL)
			continue;
		read.entry.type = (enum entry_type)type;
		read.entry.reason = UINT16_MAX;
		read.entry.basis = UINT8_MAX;
		read.entry.detail = UINT32_MAX;
		read.entry.outcome = UINT8_MAX;
		read.entry.shown = read.entry.masked = read.entry.detail64 = UINT64_MAX;
		tell_entry(file, &read);
		json_t *object = tell_json(0, &read);
		assert_non_null(object);
		json_decref(object);
	}
	(void)fclose(file);
	assert_non_null(strstr(text, " saw name and phone (in part) of record "));
	assert_non_null(
	    strstr(text, ": enquiry, inbound-match, purpose 1, call reference given\n"));
	free(text);
	buffer_fini(&bytes);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_size_is_good),
	    cmocka_unit_test(a_large_one_is_good_and_its_highest_tile_counts),
	    cmocka_unit_test(what_is_wrong_is_named),
	    cmocka_unit_test(a_fork_by_the_key_itself_is_found),
	    cmocka_unit_test(without_the_witness_it_is_not_cosigned),
	    cmocka_unit_test(time_does_not_run_backwards),
	    cmocka_unit_test(an_unknown_form_is_counted_and_not_tampering),
	    cmocka_unit_test(a_size_that_cannot_be_is_refused),
	    cmocka_unit_test(what_changes_while_it_is_read_is_found),
	    cmocka_unit_test(people_are_counted_once),
	    cmocka_unit_test(proofs_come_out_of_tiles),
	    cmocka_unit_test(words_are_told),
	};
	int failed;

	published_keys_init(&keys);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	published_keys_fini(&keys);
	return failed;
}
