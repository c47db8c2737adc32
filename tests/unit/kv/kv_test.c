#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/wire.h"
#include "kv/kv.h"

#define MAP_SIZE (UINT64_C(1) << 28)

static const char *const names[] = {"one", "two"};
static char path[64];
static int dirfd;
static struct kv *kv;

static void
open_kv(void)
{
	assert_int_equal(kv_open(dirfd, names, 2, MAP_SIZE, false, &kv, NULL), AZ_OK);
}

static int
make_folder(void **state)
{
	(void)state;
	(void)snprintf(path, sizeof(path), "/tmp/azukari-kv-XXXXXX");
	if (mkdtemp(path) == NULL)
		return 1;
	dirfd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	open_kv();
	return 0;
}

static int
remove_folder(void **state)
{
	(void)state;
	kv_close(&kv);
	(void)unlinkat(dirfd, "data.mdb", 0);
	(void)unlinkat(dirfd, "lock.mdb", 0);
	(void)close(dirfd);
	return rmdir(path);
}

/* Keys of a prefix byte and a number. */
static struct bytes
key_of(uint8_t prefix, uint32_t number, uint8_t key[5])
{
	key[0] = prefix;
	wire_store_u32be(key + 1, number);
	return bytes_make(key, 5);
}

static void
put_many(uint8_t prefix, uint32_t count)
{
	struct kv_writer *writer = NULL;
	uint8_t value[200] = {prefix};
	uint8_t key[5];

	assert_int_equal(kv_begin(kv, &writer, NULL), AZ_OK);
	for (uint32_t i = 0; i < count; i++)
		assert_int_equal(kv_put(writer, 0, key_of(prefix, i, key),
				     bytes_make(value, sizeof(value)), NULL),
		    AZ_OK);
	assert_int_equal(kv_commit(&writer, NULL), AZ_OK);
}

static size_t
count_all(struct kv_reader *reader)
{
	struct bytes key, value;
	size_t count = 0;
	enum az_status status;

	assert_int_equal(kv_reader_renew(reader, NULL), AZ_OK);
	status = kv_seek(reader, 0, bytes_of("\x01"), &key, &value, NULL);
	while (status == AZ_OK) {
		count++;
		status = kv_next(reader, 0, &key, &value, NULL);
	}
	assert_int_equal(status, AZ_NOT_FOUND);
	kv_reader_rest(reader);
	return count;
}

static void
a_prefix_is_deleted_whole_and_alone(void **state)
{
	struct kv_reader *reader = NULL;
	struct kv_writer *writer = NULL;
	size_t count = 0;

	(void)state;
	put_many(1, 5000);
	put_many(2, 5000);
	put_many(3, 5000);
	assert_int_equal(kv_reader_new(kv, &reader, NULL), AZ_OK);
	assert_int_equal(count_all(reader), 15000);
	assert_int_equal(kv_begin(kv, &writer, NULL), AZ_OK);
	assert_int_equal(kv_delete_prefix(writer, 0, bytes_of("\x02"), 1999, &count, NULL), AZ_OK);
	assert_int_equal(count, 1999);
	assert_int_equal(kv_delete_prefix(writer, 0, bytes_of("\x02"), 9999, &count, NULL), AZ_OK);
	assert_int_equal(count, 3001);
	assert_int_equal(kv_delete_prefix(writer, 0, bytes_of("\x02"), 9999, &count, NULL), AZ_OK);
	assert_int_equal(count, 0);
	assert_int_equal(kv_delete_prefix(writer, 0, bytes_of("\x03"), 9999, &count, NULL), AZ_OK);
	assert_int_equal(count, 5000);
	assert_int_equal(kv_commit(&writer, NULL), AZ_OK);
	assert_int_equal(count_all(reader), 5000);
	kv_reader_free(&reader);
}

static void
a_reader_sees_what_was_there_when_it_was_renewed(void **state)
{
	struct kv_reader *reader = NULL;
	struct bytes value;
	uint8_t key[5];

	(void)state;
	put_many(1, 10);
	assert_int_equal(kv_reader_new(kv, &reader, NULL), AZ_OK);
	assert_int_equal(kv_reader_renew(reader, NULL), AZ_OK);
	put_many(1, 20);
	assert_int_equal(kv_get(reader, 0, key_of(1, 9, key), &value, NULL), AZ_OK);
	assert_int_equal(kv_get(reader, 0, key_of(1, 19, key), &value, NULL), AZ_NOT_FOUND);
	assert_int_equal(kv_reader_renew(reader, NULL), AZ_OK);
	assert_int_equal(kv_get(reader, 0, key_of(1, 19, key), &value, NULL), AZ_OK);
	assert_int_equal(kv_get(reader, 1, key_of(1, 19, key), &value, NULL), AZ_NOT_FOUND);
	kv_reader_free(&reader);
}

static void
seeking_finds_neighbours_on_both_sides(void **state)
{
	struct kv_reader *reader = NULL;
	struct bytes found, value;
	uint8_t key[5];

	(void)state;
	put_many(1, 3);
	put_many(3, 3);
	assert_int_equal(kv_reader_new(kv, &reader, NULL), AZ_OK);
	assert_int_equal(kv_reader_renew(reader, NULL), AZ_OK);
	assert_int_equal(kv_seek(reader, 0, key_of(2, 0, key), &found, &value, NULL), AZ_OK);
	assert_true(found.data[0] == 3 && found.data[4] == 0);
	assert_int_equal(kv_seek_back(reader, 0, key_of(2, 0, key), &found, &value, NULL), AZ_OK);
	assert_true(found.data[0] == 1 && found.data[4] == 2);
	assert_int_equal(kv_seek_back(reader, 0, key_of(1, 1, key), &found, &value, NULL), AZ_OK);
	assert_int_equal(found.data[4], 1);
	assert_int_equal(kv_seek_back(reader, 0, key_of(9, 9, key), &found, &value, NULL), AZ_OK);
	assert_true(found.data[0] == 3 && found.data[4] == 2);
	assert_int_equal(
	    kv_seek_back(reader, 0, key_of(0, 9, key), &found, &value, NULL), AZ_NOT_FOUND);
	assert_int_equal(kv_seek(reader, 0, key_of(4, 0, key), &found, &value, NULL), AZ_NOT_FOUND);
	assert_int_equal(
	    kv_seek_back(reader, 1, key_of(4, 0, key), &found, &value, NULL), AZ_NOT_FOUND);
	kv_reader_free(&reader);
}

static void
appending_out_of_order_is_a_conflict_and_harms_nothing(void **state)
{
	struct kv_writer *writer = NULL;
	struct bytes value;
	uint8_t key[5];

	(void)state;
	assert_int_equal(kv_begin(kv, &writer, NULL), AZ_OK);
	assert_int_equal(kv_append(writer, 0, key_of(1, 5, key), bytes_of("five"), NULL), AZ_OK);
	assert_int_equal(
	    kv_append(writer, 0, key_of(1, 4, key), bytes_of("four"), NULL), AZ_CONFLICT);
	assert_int_equal(
	    kv_append(writer, 0, key_of(1, 5, key), bytes_of("again"), NULL), AZ_CONFLICT);
	assert_int_equal(kv_put(writer, 0, key_of(1, 4, key), bytes_of("four"), NULL), AZ_OK);
	assert_int_equal(kv_writer_get(writer, 0, key_of(1, 5, key), &value, NULL), AZ_OK);
	assert_true(bytes_equal(value, bytes_of("five")));
	assert_int_equal(kv_delete(writer, 0, key_of(1, 6, key), NULL), AZ_NOT_FOUND);
	assert_int_equal(kv_commit(&writer, NULL), AZ_OK);
}

static void
what_was_aborted_is_not_there(void **state)
{
	struct kv_reader *reader = NULL;
	struct kv_writer *writer = NULL;
	uint8_t key[5];

	(void)state;
	put_many(1, 1);
	assert_int_equal(kv_begin(kv, &writer, NULL), AZ_OK);
	assert_int_equal(kv_put(writer, 0, key_of(1, 7, key), bytes_of("x"), NULL), AZ_OK);
	kv_abort(&writer);
	assert_null(writer);
	kv_abort(&writer);
	assert_int_equal(kv_reader_new(kv, &reader, NULL), AZ_OK);
	assert_int_equal(count_all(reader), 1);
	kv_reader_free(&reader);
}

static void
too_long_a_key_and_too_full_a_map_are_refused(void **state)
{
	static uint8_t large[1 << 20];
	struct kv_writer *writer = NULL;
	uint8_t key[5];
	enum az_status status = AZ_OK;

	(void)state;
	assert_int_equal(kv_begin(kv, &writer, NULL), AZ_OK);
	assert_int_not_equal(
	    kv_put(writer, 0, bytes_make(large, KV_KEY_MAX + 1), bytes_of("x"), NULL), AZ_OK);
	kv_abort(&writer);
	assert_int_equal(kv_begin(kv, &writer, NULL), AZ_OK);
	for (uint32_t i = 0; i < 400 && status == AZ_OK; i++)
		status =
		    kv_put(writer, 0, key_of(1, i, key), bytes_make(large, sizeof(large)), NULL);
	assert_int_equal(status, AZ_LIMIT);
	kv_abort(&writer);
}

static void
it_is_its_owners_alone_and_outlives_being_closed(void **state)
{
	struct kv_reader *reader = NULL;
	struct stat info;

	(void)state;
	assert_int_equal(fstatat(dirfd, "data.mdb", &info, 0), 0);
	assert_int_equal(info.st_mode & 0777, 0600);
	put_many(1, 100);
	assert_int_equal(kv_sync(kv, NULL), AZ_OK);
	kv_close(&kv);
	open_kv();
	assert_int_equal(kv_reader_new(kv, &reader, NULL), AZ_OK);
	assert_int_equal(count_all(reader), 100);
	kv_reader_free(&reader);
}

static void
what_is_no_such_file_is_refused(void **state)
{
	int fd;

	(void)state;
	kv_close(&kv);
	fd = openat(dirfd, "data.mdb", O_WRONLY | O_TRUNC | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, path, sizeof(path)), sizeof(path));
	assert_int_equal(ftruncate(fd, 8192), 0);
	(void)close(fd);
	assert_int_not_equal(kv_open(dirfd, names, 2, MAP_SIZE, false, &kv, NULL), AZ_OK);
	assert_null(kv);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		a_prefix_is_deleted_whole_and_alone, make_folder, remove_folder),
	    cmocka_unit_test_setup_teardown(
		a_reader_sees_what_was_there_when_it_was_renewed, make_folder, remove_folder),
	    cmocka_unit_test_setup_teardown(
		seeking_finds_neighbours_on_both_sides, make_folder, remove_folder),
	    cmocka_unit_test_setup_teardown(
		appending_out_of_order_is_a_conflict_and_harms_nothing, make_folder, remove_folder),
	    cmocka_unit_test_setup_teardown(
		what_was_aborted_is_not_there, make_folder, remove_folder),
	    cmocka_unit_test_setup_teardown(
		too_long_a_key_and_too_full_a_map_are_refused, make_folder, remove_folder),
	    cmocka_unit_test_setup_teardown(
		it_is_its_owners_alone_and_outlives_being_closed, make_folder, remove_folder),
	    cmocka_unit_test_setup_teardown(
		what_is_no_such_file_is_refused, make_folder, remove_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
