/* Entries in buckets come out as they went in, and nobody who finds the file reads or changes them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <unistd.h>

#include "base/file.h"
#include "base/wire.h"
#include "crypto/spill.h"

#define BUCKETS 5u
#define ENTRY   20u

static char folder[] = "/tmp/azukari-spill-XXXXXX";
static int dirfd = -1;

static int
make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) != NULL &&
		dir_open(AT_FDCWD, folder, false, 0, &dirfd, NULL) == AZ_OK
	    ? 0
	    : 1;
}

static int
remove_folder(void **state)
{
	(void)state;
	(void)close(dirfd);
	return rmdir(folder);
}

static void
entry_of(uint64_t number, uint8_t entry[ENTRY])
{
	memset(entry, 0, ENTRY);
	wire_store_u64(entry, number * 0x9e3779b97f4a7c15u);
	wire_store_u64(entry + 8, number);
	memcpy(entry + 16, "NAME", 4);
}

static struct spill *
filled(uint64_t count)
{
	struct spill *spill = NULL;
	uint8_t entry[ENTRY];

	assert_int_equal(spill_new(dirfd, BUCKETS, &spill, NULL), AZ_OK);
	for (uint64_t i = 0; i < count; i++) {
		entry_of(i, entry);
		assert_int_equal(
		    spill_add(spill, i % (BUCKETS - 1), bytes_make(entry, ENTRY), NULL), AZ_OK);
	}
	return spill;
}

static void
check(struct spill *spill, uint64_t count)
{
	struct buffer buffer;
	uint8_t entry[ENTRY];

	buffer_init(&buffer, 64u * 1024 * 1024, true);
	for (size_t bucket = 0; bucket < BUCKETS; bucket++) {
		size_t at = 0;

		buffer_clear(&buffer);
		assert_int_equal(spill_take(spill, bucket, &buffer, NULL), AZ_OK);
		assert_int_equal(buffer.size, spill_size(spill, bucket));
		for (uint64_t i = bucket; bucket < BUCKETS - 1 && i < count; i += BUCKETS - 1) {
			entry_of(i, entry);
			assert_memory_equal(buffer.data + at, entry, ENTRY);
			at += ENTRY;
		}
		assert_int_equal(at, buffer.size);
	}
	buffer_fini(&buffer);
}

static void
few_and_many_come_out_in_order(void **state)
{
	static const uint64_t counts[] = {0, 1, 7, 3000, 200000};

	(void)state;
	for (size_t i = 0; i < AZ_ARRAY_SIZE(counts); i++) {
		struct spill *spill = filled(counts[i]);

		check(spill, counts[i]);
		check(spill, counts[i]);
		spill_free(&spill);
	}
}

/* The descriptor of the file without a name: the last one opened. */
static int
file_of_spill(void)
{
	int fd = dup(dirfd);

	(void)close(fd);
	return fd - 1;
}

static void
the_file_shows_nothing_and_a_change_is_found(void **state)
{
	struct spill *spill = filled(200000);
	struct buffer buffer;
	static uint8_t bytes[1024 * 1024];
	int fd = file_of_spill();
	ssize_t size = pread(fd, bytes, sizeof(bytes), 0);

	(void)state;
	assert_true(size == (ssize_t)sizeof(bytes));
	assert_null(memmem(bytes, sizeof(bytes), "NAME", 4));
	bytes[70] ^= 1;
	assert_int_equal(pwrite(fd, bytes + 70, 1, 70), 1);
	buffer_init(&buffer, 64u * 1024 * 1024, true);
	assert_int_equal(spill_take(spill, 0, &buffer, NULL), AZ_FORGED);
	buffer_fini(&buffer);
	spill_free(&spill);
}

static void
a_file_cut_short_is_found(void **state)
{
	struct spill *spill = filled(200000);
	struct buffer buffer;

	(void)state;
	assert_int_equal(ftruncate(file_of_spill(), 100), 0);
	buffer_init(&buffer, 64u * 1024 * 1024, true);
	assert_int_equal(spill_take(spill, 0, &buffer, NULL), AZ_CORRUPT);
	buffer_fini(&buffer);
	spill_free(&spill);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(few_and_many_come_out_in_order),
	    cmocka_unit_test(the_file_shows_nothing_and_a_change_is_found),
	    cmocka_unit_test(a_file_cut_short_is_found),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
