/*
 * I4 and I6 on the runs of fingerprints: what was changed, cut, exchanged, or is another house's is refused, and
 * nothing on the disk can be read.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/wire.h"
#include "crypto/hash.h"
#include "trace/trace.h"

#define PRINTS 9000u /* more than two blocks of a kind */

static char folder[] = "/tmp/azukari-prints-XXXXXX";
static int dirfd = -1;
static uint8_t house[HOUSE_ID_SIZE] = {'U', 1};
static struct secret *key;
static struct trace_print prints[PRINTS];

static int
make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) != NULL &&
		dir_open(AT_FDCWD, folder, false, 0, &dirfd, NULL) == AZ_OK &&
		secret_random(KEY_SIZE, &key, NULL) == AZ_OK
	    ? 0
	    : 1;
}

static int
remove_folder(void **state)
{
	(void)state;
	secret_free(&key);
	(void)close(dirfd);
	return rmdir(folder);
}

/* The nth fingerprint of a test: ascending, recognisable on the disk. */
static void
make_prints(uint32_t version_of_every_third)
{
	for (uint32_t i = 0; i < PRINTS; i++) {
		wire_store_u64be(prints[i].bytes, 0x5a5a000000000000u + i * UINT64_C(0x10000001));
		wire_store_u32be(prints[i].bytes + 8, i + 1);
		wire_store_u32be(prints[i].bytes + 12, i % 3 == 0 ? version_of_every_third : 1);
	}
}

/* Writes a run: phones in two pieces, then names and births, then nothing of the kinds between. */
static void
write_run(uint64_t consignment, uint32_t version, uint8_t sha256[SHA256_SIZE])
{
	struct trace_run *run = NULL;

	make_prints(version);
	assert_int_equal(trace_run_new(dirfd, house, consignment, key, &run, NULL), AZ_OK);
	assert_int_equal(trace_run_add(run, MATCH_PHONE, prints, 4500, NULL), AZ_OK);
	assert_int_equal(
	    trace_run_add(run, MATCH_PHONE, prints + 4500, PRINTS - 4500, NULL), AZ_OK);
	assert_int_equal(trace_run_add(run, MATCH_NAME_BIRTH, prints, 10, NULL), AZ_OK);
	assert_int_equal(trace_run_finish(&run, sha256, NULL), AZ_OK);
	assert_null(run);
}

struct seen {
	size_t phones, births;
	bool wrong;
};

static enum az_status
see(void *arg, enum match_kind kind, const struct trace_print *found, size_t count,
    struct az_err *reterr)
{
	struct seen *seen = arg;
	size_t *at = kind == MATCH_PHONE ? &seen->phones : &seen->births;

	(void)reterr;
	seen->wrong |= kind != MATCH_PHONE && kind != MATCH_NAME_BIRTH;
	for (size_t i = 0; i < count && !seen->wrong; i++) {
		seen->wrong = *at >= PRINTS ||
		    memcmp(found[i].bytes, prints[*at].bytes, TRACE_PRINT_SIZE) != 0;
		(*at)++;
	}
	return AZ_OK;
}

static enum az_status
read_with(uint64_t consignment, const uint8_t *of_house, const struct secret *with,
    const uint8_t sha256[SHA256_SIZE])
{
	struct seen seen = {0};

	return trace_run_read(dirfd, of_house, consignment, with, sha256, see, &seen, NULL);
}

static void
name_of(uint64_t consignment, char name[32])
{
	(void)snprintf(name, 32, "prints-%016llx", (unsigned long long)consignment);
}

static int
open_run(uint64_t consignment, int flags)
{
	char name[32];
	int fd;

	name_of(consignment, name);
	fd = openat(dirfd, name, flags | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static void
flip(uint64_t consignment, off_t at)
{
	int fd = open_run(consignment, O_RDWR);
	uint8_t byte;

	assert_int_equal(pread(fd, &byte, 1, at), 1);
	byte ^= 0x10;
	assert_int_equal(pwrite(fd, &byte, 1, at), 1);
	(void)close(fd);
}

static off_t
size_of(uint64_t consignment)
{
	int fd = open_run(consignment, O_RDONLY);
	struct stat info;

	assert_int_equal(fstat(fd, &info), 0);
	(void)close(fd);
	return info.st_size;
}

static void
forget(uint64_t consignment)
{
	assert_int_equal(trace_run_remove(dirfd, consignment, NULL), AZ_OK);
}

static void
a_run_comes_back_as_it_was(void **state)
{
	(void)state;
	/* One version takes 12 bytes an entry, several take 16. */
	for (uint32_t version = 1; version <= 2; version++) {
		struct seen seen = {0};
		uint8_t sha256[SHA256_SIZE];

		write_run(5, version, sha256);
		assert_int_equal(
		    trace_run_read(dirfd, house, 5, key, sha256, see, &seen, NULL), AZ_OK);
		assert_false(seen.wrong);
		assert_int_equal(seen.phones, PRINTS);
		assert_int_equal(seen.births, 10);
		assert_true(size_of(5) < (off_t)(PRINTS + 10) * (version == 1 ? 12 : 16) + 1000);
		forget(5);
	}
}

static void
prints_that_are_the_same_are_one(void **state)
{
	struct trace_run *run = NULL;
	struct seen seen = {0};
	uint8_t sha256[SHA256_SIZE];

	(void)state;
	make_prints(1);
	assert_int_equal(trace_run_new(dirfd, house, 5, key, &run, NULL), AZ_OK);
	for (size_t i = 0; i < 20; i++)
		assert_int_equal(trace_run_add(run, MATCH_PHONE, &prints[i / 2], 1, NULL), AZ_OK);
	assert_int_equal(trace_run_finish(&run, sha256, NULL), AZ_OK);
	assert_int_equal(trace_run_read(dirfd, house, 5, key, sha256, see, &seen, NULL), AZ_OK);
	assert_false(seen.wrong);
	assert_int_equal(seen.phones, 10);
	forget(5);
}

static void
what_is_not_in_order_or_of_no_kind_is_refused(void **state)
{
	struct trace_run *run = NULL;

	(void)state;
	make_prints(1);
	assert_int_equal(trace_run_new(dirfd, house, 5, key, &run, NULL), AZ_OK);
	assert_int_equal(trace_run_add(run, MATCH_NUMBER, prints, 1, NULL), AZ_INTERNAL);
	assert_int_equal(trace_run_add(run, MATCH_KINDS, prints, 1, NULL), AZ_INTERNAL);
	assert_int_equal(trace_run_add(run, MATCH_EMAIL, prints + 3, 1, NULL), AZ_OK);
	assert_int_equal(trace_run_add(run, MATCH_EMAIL, prints + 2, 1, NULL), AZ_INTERNAL);
	assert_int_equal(trace_run_add(run, MATCH_PHONE, prints + 9, 1, NULL), AZ_INTERNAL);
	trace_run_discard(&run);
	assert_null(run);
}

static void
a_flipped_bit_anywhere_is_refused(void **state)
{
	uint8_t sha256[SHA256_SIZE];

	(void)state;
	write_run(5, 2, sha256);
	for (off_t at = 0; at < size_of(5); at += at < 120 ? 1 : 997) {
		flip(5, at);
		assert_int_equal(read_with(5, house, key, sha256), AZ_FORGED);
		flip(5, at);
	}
	assert_int_equal(read_with(5, house, key, sha256), AZ_OK);
	forget(5);
}

static void
a_run_that_is_cut_or_continued_is_refused(void **state)
{
	uint8_t sha256[SHA256_SIZE];
	off_t whole;

	(void)state;
	write_run(5, 1, sha256);
	whole = size_of(5);
	for (off_t cut = 1; cut < whole; cut += cut < 200 ? 1 : 4999) {
		int fd = open_run(5, O_RDWR);

		assert_int_equal(ftruncate(fd, whole - cut), 0);
		(void)close(fd);
		assert_int_equal(read_with(5, house, key, sha256), AZ_FORGED);
		write_run(5, 1, sha256);
	}
	/* A block taken out, and its place closed. */
	{
		static uint8_t bytes[512 * 1024];
		int fd = open_run(5, O_RDWR);
		size_t block = 8 + 1000 * 12 + 40;

		assert_int_equal(pread(fd, bytes, sizeof(bytes), 0), whole);
		memmove(bytes + FILE_HEADER_SIZE, bytes + FILE_HEADER_SIZE + block,
		    (size_t)whole - FILE_HEADER_SIZE - block);
		assert_int_equal(pwrite(fd, bytes, (size_t)whole - block, 0), whole - (off_t)block);
		assert_int_equal(ftruncate(fd, whole - (off_t)block), 0);
		(void)close(fd);
		assert_int_equal(read_with(5, house, key, sha256), AZ_FORGED);
		write_run(5, 1, sha256);
	}
	{
		int fd = open_run(5, O_WRONLY | O_APPEND);

		assert_int_equal(write(fd, "x", 1), 1);
		(void)close(fd);
	}
	assert_int_equal(read_with(5, house, key, sha256), AZ_FORGED);
	forget(5);
}

static void
exchange(uint64_t with)
{
	char ours[32];
	char theirs[32];

	name_of(5, ours);
	name_of(with, theirs);
	assert_int_equal(renameat(dirfd, theirs, dirfd, ours), 0);
}

static void
another_consignments_run_is_refused(void **state)
{
	uint8_t ours[SHA256_SIZE];
	uint8_t theirs[SHA256_SIZE];

	(void)state;
	write_run(5, 1, ours);
	write_run(6, 1, theirs);
	exchange(6);
	/* Even by somebody who could change what was committed: the seal says whose it is. */
	assert_int_equal(read_with(5, house, key, ours), AZ_FORGED);
	assert_int_equal(read_with(5, house, key, theirs), AZ_FORGED);
	forget(5);
}

static void
an_older_run_of_its_own_is_refused(void **state)
{
	uint8_t older[SHA256_SIZE];
	uint8_t newer[SHA256_SIZE];

	(void)state;
	write_run(5, 1, older);
	{
		char name[32];

		name_of(5, name);
		assert_int_equal(renameat(dirfd, name, dirfd, "kept"), 0);
	}
	write_run(5, 2, newer);
	{
		char name[32];

		name_of(5, name);
		assert_int_equal(renameat(dirfd, "kept", dirfd, name), 0);
	}
	assert_int_equal(read_with(5, house, key, newer), AZ_FORGED);
	make_prints(1);
	assert_int_equal(read_with(5, house, key, older), AZ_OK);
	forget(5);
}

static void
another_house_and_another_key_are_refused(void **state)
{
	uint8_t other_house[HOUSE_ID_SIZE] = {'U', 2};
	struct secret *other_key = NULL;
	uint8_t sha256[SHA256_SIZE];

	(void)state;
	write_run(5, 1, sha256);
	assert_int_equal(secret_random(KEY_SIZE, &other_key, NULL), AZ_OK);
	assert_int_equal(read_with(5, other_house, key, sha256), AZ_FORGED);
	assert_int_equal(read_with(5, house, other_key, sha256), AZ_FORGED);
	assert_int_equal(read_with(5, house, key, sha256), AZ_OK);
	secret_free(&other_key);
	forget(5);
	assert_int_equal(read_with(5, house, key, sha256), AZ_NOT_FOUND);
}

static void
nothing_on_the_disk_can_be_read(void **state)
{
	static uint8_t bytes[1024 * 1024];
	uint8_t sha256[SHA256_SIZE];
	ssize_t size;
	int fd;

	(void)state;
	write_run(5, 1, sha256);
	fd = open_run(5, O_RDONLY);
	size = pread(fd, bytes, sizeof(bytes), 0);
	(void)close(fd);
	assert_true(size > (ssize_t)PRINTS * 12);
	for (uint32_t i = 0; i < PRINTS; i += 500)
		assert_null(memmem(bytes, (size_t)size, prints[i].bytes, 8));
	forget(5);
}

/* --- parts ------------------------------------------------------------------------------------ */

struct parts {
	size_t blocks, prints, found;
	uint64_t looked_for;
};

static enum az_status
see_part(void *arg, enum match_kind kind, const struct trace_print *found, size_t count,
    struct az_err *reterr)
{
	struct parts *parts = arg;

	(void)kind;
	(void)reterr;
	parts->blocks++;
	parts->prints += count;
	for (size_t i = 0; i < count; i++)
		parts->found += wire_load_u64be(found[i].bytes) == parts->looked_for;
	return AZ_OK;
}

static struct trace_index *
open_index(const uint8_t sha256[SHA256_SIZE])
{
	struct trace_index *index = NULL;

	assert_int_equal(trace_index_open(dirfd, house, 5, key, sha256, &index, NULL), AZ_OK);
	return index;
}

static void
only_blocks_that_may_have_what_is_wanted_are_opened(void **state)
{
	uint8_t sha256[SHA256_SIZE];
	struct trace_index *index;

	(void)state;
	write_run(5, 2, sha256);
	index = open_index(sha256);
	assert_int_equal(trace_index_blocks(index), 10);
	assert_int_equal(trace_index_prints(index), PRINTS + 10);
	for (uint32_t i = 0; i < PRINTS; i += 499) {
		uint64_t print = wire_load_u64be(prints[i].bytes);
		struct trace_wanted wanted = {.kinds[MATCH_PHONE] = {.prints = &print, .count = 1}};
		struct parts parts = {.looked_for = print};

		assert_int_equal(
		    trace_index_read(index, dirfd, key, 0, 10, &wanted, see_part, &parts, NULL),
		    AZ_OK);
		assert_int_equal(parts.found, 1);
		assert_true(parts.blocks <= 2);
	}
	{
		uint64_t below = 5;
		struct trace_wanted wanted = {.kinds[MATCH_PHONE] = {.prints = &below, .count = 1}};
		struct parts parts = {0};

		assert_int_equal(
		    trace_index_read(index, dirfd, key, 0, 10, &wanted, see_part, &parts, NULL),
		    AZ_OK);
		/* The first block begins above it. */
		assert_int_equal(parts.found, 0);
		assert_true(parts.blocks <= 1);
	}
	{
		struct trace_wanted wanted = {.kinds[MATCH_NAME_BIRTH] = {.count = 1}};
		struct parts parts = {0};

		assert_int_equal(
		    trace_index_read(index, dirfd, key, 0, 10, &wanted, see_part, &parts, NULL),
		    AZ_OK);
		assert_int_equal(parts.prints, 10);
	}
	trace_index_free(&index);
	forget(5);
}

static void
the_same_print_in_two_blocks_is_found_in_both(void **state)
{
	struct trace_run *run = NULL;
	struct parts parts = {.looked_for = 77};
	struct trace_wanted wanted = {
	    .kinds[MATCH_NAME] = {.prints = &parts.looked_for, .count = 1}};
	uint8_t sha256[SHA256_SIZE];
	struct trace_index *index;

	(void)state;
	assert_int_equal(trace_run_new(dirfd, house, 5, key, &run, NULL), AZ_OK);
	for (uint32_t i = 0; i < 2500; i++) {
		struct trace_print print;

		wire_store_u64be(print.bytes, 77);
		wire_store_u32be(print.bytes + 8, i + 1);
		wire_store_u32be(print.bytes + 12, 1);
		assert_int_equal(trace_run_add(run, MATCH_NAME, &print, 1, NULL), AZ_OK);
	}
	assert_int_equal(trace_run_finish(&run, sha256, NULL), AZ_OK);
	index = open_index(sha256);
	assert_int_equal(
	    trace_index_read(index, dirfd, key, 0, 3, &wanted, see_part, &parts, NULL), AZ_OK);
	assert_int_equal(parts.found, 2500);
	trace_index_free(&index);
	forget(5);
}

static void
a_block_that_is_read_alone_is_refused_if_it_was_moved_or_changed(void **state)
{
	const off_t block = 8 + 1000 * 12 + 40;
	static uint8_t bytes[2][8 + 1000 * 12 + 40];
	uint8_t sha256[SHA256_SIZE];
	struct trace_index *index;
	struct parts parts = {0};
	int fd;

	(void)state;
	write_run(5, 1, sha256);
	index = open_index(sha256);
	fd = open_run(5, O_RDWR);
	assert_int_equal(pread(fd, bytes[0], (size_t)block, FILE_HEADER_SIZE), block);
	assert_int_equal(pread(fd, bytes[1], (size_t)block, FILE_HEADER_SIZE + block), block);
	assert_int_equal(pwrite(fd, bytes[1], (size_t)block, FILE_HEADER_SIZE), block);
	assert_int_equal(pwrite(fd, bytes[0], (size_t)block, FILE_HEADER_SIZE + block), block);
	(void)close(fd);
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(
		    trace_index_read(index, dirfd, key, i, i + 1, NULL, see_part, &parts, NULL),
		    AZ_FORGED);
	assert_int_equal(parts.blocks, 0);
	assert_int_equal(
	    trace_index_read(index, dirfd, key, 2, 3, NULL, see_part, &parts, NULL), AZ_OK);
	flip(5, FILE_HEADER_SIZE + 2 * block + 100);
	assert_int_equal(
	    trace_index_read(index, dirfd, key, 2, 3, NULL, see_part, &parts, NULL), AZ_FORGED);
	trace_index_free(&index);
	forget(5);
}

/* A block of an older writing of the same run, under the same key and at the same place. */
static void
a_block_of_an_older_run_of_its_own_is_refused(void **state)
{
	const size_t block = 8 + 1000 * 12 + 40;
	static uint8_t bytes[8 + 1000 * 12 + 40];
	uint8_t sha256[SHA256_SIZE];
	struct parts parts = {0};
	struct trace_index *index;
	int fd;

	(void)state;
	write_run(5, 1, sha256);
	fd = open_run(5, O_RDONLY);
	assert_int_equal(pread(fd, bytes, block, FILE_HEADER_SIZE), block);
	(void)close(fd);
	write_run(5, 1, sha256);
	index = open_index(sha256);
	fd = open_run(5, O_WRONLY);
	assert_int_equal(pwrite(fd, bytes, block, FILE_HEADER_SIZE), block);
	(void)close(fd);
	assert_int_equal(
	    trace_index_read(index, dirfd, key, 0, 1, NULL, see_part, &parts, NULL), AZ_FORGED);
	trace_index_free(&index);
	forget(5);
}

static void
count_run(void *arg, uint64_t consignment)
{
	uint64_t *sum = arg;

	*sum += consignment;
}

static void
runs_are_listed_and_removed_and_discarded(void **state)
{
	struct trace_run *run = NULL;
	uint8_t sha256[SHA256_SIZE];
	uint64_t sum = 0;
	int fd = openat(dirfd, "prints-00000000000000FF", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	(void)state;
	(void)close(fd);
	write_run(5, 1, sha256);
	write_run(0xabcdef, 1, sha256);
	assert_int_equal(trace_run_new(dirfd, house, 70, key, &run, NULL), AZ_OK);
	assert_int_equal(trace_runs(dirfd, count_run, &sum, NULL), AZ_OK);
	assert_int_equal(sum, 5 + 0xabcdef + 70);
	trace_run_discard(&run);
	forget(5);
	forget(5);
	sum = 0;
	assert_int_equal(trace_runs(dirfd, count_run, &sum, NULL), AZ_OK);
	assert_int_equal(sum, 0xabcdef);
	forget(0xabcdef);
	assert_int_equal(unlinkat(dirfd, "prints-00000000000000FF", 0), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_run_comes_back_as_it_was),
	    cmocka_unit_test(prints_that_are_the_same_are_one),
	    cmocka_unit_test(what_is_not_in_order_or_of_no_kind_is_refused),
	    cmocka_unit_test(a_flipped_bit_anywhere_is_refused),
	    cmocka_unit_test(a_run_that_is_cut_or_continued_is_refused),
	    cmocka_unit_test(another_consignments_run_is_refused),
	    cmocka_unit_test(an_older_run_of_its_own_is_refused),
	    cmocka_unit_test(another_house_and_another_key_are_refused),
	    cmocka_unit_test(nothing_on_the_disk_can_be_read),
	    cmocka_unit_test(only_blocks_that_may_have_what_is_wanted_are_opened),
	    cmocka_unit_test(the_same_print_in_two_blocks_is_found_in_both),
	    cmocka_unit_test(a_block_that_is_read_alone_is_refused_if_it_was_moved_or_changed),
	    cmocka_unit_test(a_block_of_an_older_run_of_its_own_is_refused),
	    cmocka_unit_test(runs_are_listed_and_removed_and_discarded),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
