#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/file.h"
#include "child.h"
#include "folder.h"

static struct folder folder;

static int
setup(void **state)
{
	return folder_make(&folder);
}

static int
teardown(void **state)
{
	return folder_remove(&folder);
}

/* How many names the folder holds; none may be left over by a failure. */
static size_t
count_names(void)
{
	size_t count = 0;
	DIR *dir = opendir(folder.path);

	assert_non_null(dir);
	for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir))
		count += entry->d_name[0] != '.' || strlen(entry->d_name) > 2;
	(void)closedir(dir);
	return count;
}

static void
assert_contents(const char *name, const char *expected)
{
	struct buffer buffer;

	buffer_init(&buffer, 1000, false);
	assert_int_equal(file_read_whole(folder.fd, name, &buffer, NULL), AZ_OK);
	assert_true(bytes_equal(buffer_peek(&buffer), bytes_of(expected)));
	buffer_fini(&buffer);
}

static void
a_replaced_file_has_the_new_contents_and_mode(void **state)
{
	struct stat info;

	assert_int_equal(file_replace(folder.fd, "a", bytes_of("one"), 0600, NULL), AZ_OK);
	assert_contents("a", "one");
	assert_int_equal(file_replace(folder.fd, "a", bytes_of("two"), 0400, NULL), AZ_OK);
	assert_contents("a", "two");
	assert_int_equal(fstatat(folder.fd, "a", &info, 0), 0);
	assert_int_equal(info.st_mode & 07777, 0400);
	assert_int_equal(count_names(), 1);
	assert_int_equal(unlinkat(folder.fd, "a", 0), 0);
}

static void
a_path_may_stand_in_for_a_folder(void **state)
{
	char path[100];

	(void)snprintf(path, sizeof(path), "%s/b", folder.path);
	assert_int_equal(file_create(AT_FDCWD, path, bytes_of("b"), 0600, NULL), AZ_OK);
	assert_contents("b", "b");
	assert_int_equal(unlink(path), 0);

	(void)snprintf(path, sizeof(path), "%s/none/b", folder.path);
	assert_int_equal(file_create(AT_FDCWD, path, bytes_of("b"), 0600, NULL), AZ_NOT_FOUND);
	assert_int_equal(count_names(), 0);
}

static void
an_existing_name_is_not_created_again(void **state)
{
	assert_int_equal(file_create(folder.fd, "c", bytes_of("one"), 0600, NULL), AZ_OK);
	assert_int_equal(file_create(folder.fd, "c", bytes_of("two"), 0600, NULL), AZ_CONFLICT);
	assert_contents("c", "one");
	assert_int_equal(count_names(), 1);
	assert_int_equal(unlinkat(folder.fd, "c", 0), 0);

	assert_int_equal(symlinkat("nowhere", folder.fd, "c"), 0);
	assert_int_equal(file_create(folder.fd, "c", bytes_of("two"), 0600, NULL), AZ_CONFLICT);
	assert_int_equal(unlinkat(folder.fd, "c", 0), 0);
	assert_int_equal(count_names(), 0);
}

static void
a_replacement_does_not_write_through_a_link(void **state)
{
	assert_int_equal(file_create(folder.fd, "target", bytes_of("kept"), 0600, NULL), AZ_OK);
	assert_int_equal(symlinkat("target", folder.fd, "link"), 0);
	assert_int_equal(file_replace(folder.fd, "link", bytes_of("new"), 0600, NULL), AZ_OK);
	assert_contents("target", "kept");
	assert_contents("link", "new");
	assert_int_equal(unlinkat(folder.fd, "target", 0), 0);
	assert_int_equal(unlinkat(folder.fd, "link", 0), 0);
}

/* The disk is full after 1000 bytes, as far as the writer can tell. */
static bool
replace_on_a_full_disk(void *arg)
{
	static uint8_t large[5000];
	struct rlimit limit = {.rlim_cur = 1000, .rlim_max = 1000};
	struct az_err err = {0};

	(void)signal(SIGXFSZ, SIG_IGN);
	return setrlimit(RLIMIT_FSIZE, &limit) == 0 &&
	    file_replace(folder.fd, "d", bytes_make(large, sizeof(large)), 0600, &err) == AZ_IO &&
	    err.status == AZ_IO && strlen(err.text) > 0;
}

static void
a_full_disk_leaves_the_old_file_and_nothing_else(void **state)
{
	assert_int_equal(file_replace(folder.fd, "d", bytes_of("old"), 0600, NULL), AZ_OK);
	assert_true(child_succeeded(child_run(replace_on_a_full_disk, NULL)));
	assert_contents("d", "old");
	assert_int_equal(count_names(), 1);
	assert_int_equal(unlinkat(folder.fd, "d", 0), 0);
}

static void
a_folder_is_not_replaced_by_a_file(void **state)
{
	int fd = -1;

	assert_int_equal(dir_open(folder.fd, "sub", true, 0700, &fd, NULL), AZ_OK);
	fd_close(&fd);
	assert_int_equal(file_replace(folder.fd, "sub", bytes_of("x"), 0600, NULL), AZ_IO);
	assert_int_equal(count_names(), 1);
	assert_int_equal(unlinkat(folder.fd, "sub", AT_REMOVEDIR), 0);
}

static void
a_missing_file_is_not_found(void **state)
{
	struct buffer buffer;
	struct az_err err = {0};

	buffer_init(&buffer, 10, false);
	assert_int_equal(file_read_whole(folder.fd, "none", &buffer, &err), AZ_NOT_FOUND);
	assert_int_equal(err.status, AZ_NOT_FOUND);
	assert_non_null(strstr(err.text, "none"));
	assert_int_equal(buffer.size, 0);
	buffer_fini(&buffer);
}

static void
a_file_at_the_limit_is_read_and_one_above_is_not(void **state)
{
	struct buffer buffer;

	assert_int_equal(file_create(folder.fd, "e", bytes_of("0123456789"), 0600, NULL), AZ_OK);
	buffer_init(&buffer, 10, true);
	assert_int_equal(file_read_whole(folder.fd, "e", &buffer, NULL), AZ_OK);
	assert_int_equal(file_read_whole(folder.fd, "e", &buffer, NULL), AZ_OK);
	assert_int_equal(buffer.size, 10);
	buffer_fini(&buffer);
	buffer_init(&buffer, 9, true);
	assert_int_equal(file_read_whole(folder.fd, "e", &buffer, NULL), AZ_LIMIT);
	assert_int_equal(buffer.size, 0);
	buffer_fini(&buffer);
	assert_int_equal(unlinkat(folder.fd, "e", 0), 0);
}

static void
only_a_plain_file_is_read(void **state)
{
	struct buffer buffer;

	buffer_init(&buffer, 10, false);
	assert_int_equal(file_create(folder.fd, "target", bytes_of("x"), 0600, NULL), AZ_OK);
	assert_int_equal(symlinkat("target", folder.fd, "link"), 0);
	assert_int_equal(mkfifoat(folder.fd, "fifo", 0600), 0);
	assert_int_equal(file_read_whole(folder.fd, "link", &buffer, NULL), AZ_IO);
	assert_int_equal(file_read_whole(folder.fd, "fifo", &buffer, NULL), AZ_IO);
	assert_int_equal(file_read_whole(folder.fd, ".", &buffer, NULL), AZ_IO);
	assert_int_equal(file_read_whole(folder.fd, "target/x", &buffer, NULL), AZ_NOT_FOUND);
	assert_int_equal(buffer.size, 0);
	assert_int_equal(unlinkat(folder.fd, "target", 0), 0);
	assert_int_equal(unlinkat(folder.fd, "link", 0), 0);
	assert_int_equal(unlinkat(folder.fd, "fifo", 0), 0);
	buffer_fini(&buffer);
}

static void
a_file_that_tells_no_size_is_read_to_its_end(void **state)
{
	struct buffer buffer;

	buffer_init(&buffer, 100000, false);
	assert_int_equal(file_read_whole(AT_FDCWD, "/proc/self/status", &buffer, NULL), AZ_OK);
	assert_true(buffer.size > 100);
	buffer_fini(&buffer);
}

static void
reading_past_the_end_is_corruption(void **state)
{
	uint8_t data[8];
	struct az_err err = {0};

	assert_int_equal(file_create(folder.fd, "f", bytes_of("0123456789"), 0600, NULL), AZ_OK);
	int fd = openat(folder.fd, "f", O_RDWR | O_CLOEXEC);
	assert_int_equal(file_read_at(fd, data, 8, 2, NULL), AZ_OK);
	assert_memory_equal(data, "23456789", 8);
	assert_int_equal(file_read_at(fd, data, 8, 3, &err), AZ_CORRUPT);
	assert_non_null(strstr(err.text, "byte 10"));
	assert_int_equal(file_read_at(fd, data, 8, 100, NULL), AZ_CORRUPT);
	assert_int_equal(file_read_at(fd, data, 8, UINT64_MAX, NULL), AZ_IO);
	assert_int_equal(file_read_at(fd, data, 8, INT64_MAX - 7, NULL), AZ_IO);
	assert_int_equal(file_read_at(-1, data, 8, 0, NULL), AZ_IO);
	assert_int_equal(file_read_at(fd, data, 0, 0, NULL), AZ_OK);
	fd_close(&fd);
	assert_int_equal(unlinkat(folder.fd, "f", 0), 0);
}

static void
writing_in_place_changes_only_its_range(void **state)
{
	assert_int_equal(file_create(folder.fd, "g", bytes_of("0123456789"), 0600, NULL), AZ_OK);
	int fd = openat(folder.fd, "g", O_RDWR | O_CLOEXEC);
	assert_int_equal(file_write_at(fd, bytes_of("xy"), 4, NULL), AZ_OK);
	assert_int_equal(file_write(fd, bytes_of("ab"), NULL), AZ_OK);
	assert_contents("g", "ab23xy6789");
	assert_int_equal(file_write_at(fd, bytes_of("z"), UINT64_MAX, NULL), AZ_IO);
	assert_int_equal(file_write_at(fd, bytes_of("z"), INT64_MAX, NULL), AZ_IO);
	fd_close(&fd);
	assert_int_equal(fd, -1);
	fd_close(&fd);
	assert_int_equal(file_write(fd, bytes_of("ab"), NULL), AZ_IO);
	assert_contents("g", "ab23xy6789");
	assert_int_equal(unlinkat(folder.fd, "g", 0), 0);
}

static void
a_folder_is_created_only_when_asked(void **state)
{
	int fd = -1;
	int other = -1;
	struct stat info;

	assert_int_equal(dir_open(folder.fd, "h", false, 0700, &fd, NULL), AZ_NOT_FOUND);
	assert_int_equal(fd, -1);
	assert_int_equal(dir_open(folder.fd, "h", true, 0700, &fd, NULL), AZ_OK);
	assert_int_equal(dir_open(folder.fd, "h", true, 0777, &other, NULL), AZ_OK);
	assert_int_equal(fstat(other, &info), 0);
	assert_int_equal(info.st_mode & 07777, 0700);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	fd_close(&other);
	assert_int_equal(dir_open(fd, "i/j", true, 0700, &other, NULL), AZ_IO);
	fd_close(&fd);
	assert_int_equal(unlinkat(folder.fd, "h", AT_REMOVEDIR), 0);
}

static void
a_folder_may_be_named_by_a_path_with_a_slash_at_its_end(void **state)
{
	char path[100];
	int fd = -1;

	(void)snprintf(path, sizeof(path), "%s/house/", folder.path);
	assert_int_equal(dir_open(AT_FDCWD, path, true, 0700, &fd, NULL), AZ_OK);
	fd_close(&fd);
	assert_int_equal(rmdir(path), 0);
}

static void
a_link_below_a_folder_is_not_followed(void **state)
{
	int fd = -1;

	assert_int_equal(symlinkat("/", folder.fd, "out"), 0);
	assert_int_equal(dir_open(folder.fd, "out", false, 0, &fd, NULL), AZ_IO);
	assert_int_equal(dir_open(folder.fd, "out", true, 0700, &fd, NULL), AZ_IO);
	assert_int_equal(fd, -1);
	assert_int_equal(unlinkat(folder.fd, "out", 0), 0);
}

static const struct file_header example = {
    .magic = {'A', 'Z', 'T', 'E', 'S', 'T', '0', '1'},
    .format = 1,
    .house = {'U', 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
};

static void
a_header_has_these_bytes(void **state)
{
	static const uint8_t expected[FILE_HEADER_SIZE] = {'A', 'Z', 'T', 'E', 'S', 'T', '0', '1',
	    1, 0, 0, 0, 0, 0, 0, 0, 'U', 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
	uint8_t data[FILE_HEADER_SIZE];

	file_header_encode(&example, data);
	assert_memory_equal(data, expected, sizeof(expected));
	assert_int_equal(file_header_check(data, &example, "test", NULL), AZ_OK);
}

static void
every_flipped_bit_of_a_header_is_refused(void **state)
{
	uint8_t data[FILE_HEADER_SIZE];

	for (size_t bit = 0; bit < 8 * sizeof(data); bit++) {
		struct az_err err = {0};
		file_header_encode(&example, data);
		data[bit / 8] ^= (uint8_t)(1u << bit % 8);
		enum az_status expected = bit / 8 < 16 ? AZ_CORRUPT : AZ_FORGED;
		assert_int_equal(file_header_check(data, &example, "test", &err), expected);
		assert_int_equal(err.status, expected);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_replaced_file_has_the_new_contents_and_mode),
	    cmocka_unit_test(a_path_may_stand_in_for_a_folder),
	    cmocka_unit_test(an_existing_name_is_not_created_again),
	    cmocka_unit_test(a_replacement_does_not_write_through_a_link),
	    cmocka_unit_test(a_full_disk_leaves_the_old_file_and_nothing_else),
	    cmocka_unit_test(a_folder_is_not_replaced_by_a_file),
	    cmocka_unit_test(a_missing_file_is_not_found),
	    cmocka_unit_test(a_file_at_the_limit_is_read_and_one_above_is_not),
	    cmocka_unit_test(only_a_plain_file_is_read),
	    cmocka_unit_test(a_file_that_tells_no_size_is_read_to_its_end),
	    cmocka_unit_test(reading_past_the_end_is_corruption),
	    cmocka_unit_test(writing_in_place_changes_only_its_range),
	    cmocka_unit_test(a_folder_is_created_only_when_asked),
	    cmocka_unit_test(a_folder_may_be_named_by_a_path_with_a_slash_at_its_end),
	    cmocka_unit_test(a_link_below_a_folder_is_not_followed),
	    cmocka_unit_test(a_header_has_these_bytes),
	    cmocka_unit_test(every_flipped_bit_of_a_header_is_refused),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
