#include "shelf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/wire.h"

void
shelf_make(struct shelf *shelf)
{
	*shelf = (struct shelf){.dirfd = -1};
	(void)snprintf(shelf->path, sizeof(shelf->path), "/tmp/azukari-catalogue-XXXXXX");
	assert_non_null(mkdtemp(shelf->path));
	shelf->dirfd = open(shelf->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(shelf->dirfd >= 0);
	memcpy(shelf->house, "Uabcdefghijklmno", HOUSE_ID_SIZE);
	assert_int_equal(secret_new(32, &shelf->key, NULL), AZ_OK);
	memset(secret_data(shelf->key), 9, 32);
	assert_int_equal(
	    catalogue_open(shelf->dirfd, shelf->house, true, &shelf->catalogue, NULL), AZ_OK);
	assert_int_equal(catalogue_reader_new(shelf->catalogue, &shelf->reader, NULL), AZ_OK);
}

void
shelf_open(struct shelf *shelf)
{
	struct az_err err = {0};

	if (catalogue_open(shelf->dirfd, shelf->house, false, &shelf->catalogue, &err) != AZ_OK)
		fail_msg("%s", err.text);
	assert_int_equal(catalogue_reader_new(shelf->catalogue, &shelf->reader, NULL), AZ_OK);
}

void
shelf_close(struct shelf *shelf)
{
	catalogue_reader_free(&shelf->reader);
	catalogue_close(&shelf->catalogue);
}

void
shelf_remove(struct shelf *shelf)
{
	DIR *dir;
	struct dirent *item;

	shelf_close(shelf);
	secret_free(&shelf->key);
	dir = fdopendir(shelf->dirfd);
	assert_non_null(dir);
	while ((item = readdir(dir)) != NULL) {
		if (item->d_name[0] != '.')
			assert_int_equal(unlinkat(dirfd(dir), item->d_name, 0), 0);
	}
	(void)closedir(dir);
	assert_int_equal(rmdir(shelf->path), 0);
}

void
shelf_number(uint32_t record, uint8_t number[CATALOGUE_DIGEST_SIZE])
{
	memset(number, 0x5a, CATALOGUE_DIGEST_SIZE);
	/* Spread over the table, as digests are behind what those of a client share. */
	wire_store_u32be(number + 4, record * 2654435761u);
	wire_store_u32be(number + 8, record);
}

void
shelf_digest(uint32_t record, uint32_t version, uint8_t digest[CATALOGUE_DIGEST_SIZE])
{
	memset(digest, 0, CATALOGUE_DIGEST_SIZE);
	wire_store_u32(digest, record);
	wire_store_u32(digest + 4, version);
}

void
shelf_write(struct shelf *shelf, uint64_t consignment, uint32_t first, uint32_t count,
    uint32_t version, uint8_t sha256[32])
{
	struct catalogue_run *run = NULL;

	assert_int_equal(
	    catalogue_run_new(shelf->catalogue, consignment, shelf->key, &run, NULL), AZ_OK);
	/* Backwards, because a list comes in any order. */
	for (uint32_t i = count; i-- > 0;) {
		struct catalogue_row row = {
		    .record = first + i, .version = version, .flags = i % 7};

		shelf_number(row.record, row.number);
		shelf_digest(row.record, version, row.digest);
		assert_int_equal(catalogue_run_add(run, &row, NULL), AZ_OK);
	}
	assert_int_equal(catalogue_run_finish(&run, sha256, NULL), AZ_OK);
	assert_null(run);
}

enum az_status
shelf_try(struct shelf *shelf, uint64_t consignment, const uint8_t sha256[32])
{
	return catalogue_load(shelf->catalogue, consignment, SHELF_AS_OF, shelf->key, sha256, NULL);
}

void
shelf_add(
    struct shelf *shelf, uint64_t consignment, uint32_t first, uint32_t count, uint32_t version)
{
	uint8_t sha256[32];

	shelf_write(shelf, consignment, first, count, version, sha256);
	assert_int_equal(shelf_try(shelf, consignment, sha256), AZ_OK);
}

struct entries {
	unsigned int count;
	struct catalogue_entry last;
};

static bool
note(void *arg, const struct catalogue_entry *entry)
{
	struct entries *entries = arg;

	assert_true(entries->count == 0 || entry->consignment > entries->last.consignment);
	entries->count++;
	entries->last = *entry;
	return true;
}

unsigned int
shelf_entries(struct shelf *shelf, uint32_t record, struct catalogue_entry *ret_last)
{
	struct entries entries = {0};
	enum az_status status;

	assert_int_equal(catalogue_reader_renew(shelf->reader, NULL), AZ_OK);
	status = catalogue_entries(shelf->reader, record, note, &entries, NULL);
	assert_int_equal(status, entries.count > 0 ? AZ_OK : AZ_NOT_FOUND);
	if (ret_last != NULL)
		*ret_last = entries.last;
	return entries.count;
}

bool
shelf_has_number(struct shelf *shelf, uint32_t record)
{
	uint8_t number[CATALOGUE_DIGEST_SIZE];
	uint32_t found = 0;
	enum az_status status;

	assert_int_equal(catalogue_reader_renew(shelf->reader, NULL), AZ_OK);
	shelf_number(record, number);
	status = catalogue_record(shelf->reader, number, &found, NULL);
	assert_true(status == AZ_NOT_FOUND || (status == AZ_OK && found == record));
	return status == AZ_OK;
}

static void
run_path(uint64_t consignment, char name[24])
{
	(void)snprintf(name, 24, "run-%016llx", (unsigned long long)consignment);
}

long
shelf_run_size(struct shelf *shelf, uint64_t consignment)
{
	char name[24];
	struct stat info;

	run_path(consignment, name);
	assert_int_equal(fstatat(shelf->dirfd, name, &info, 0), 0);
	return (long)info.st_size;
}

void
shelf_flip(struct shelf *shelf, uint64_t consignment, long offset)
{
	char name[24];
	uint8_t byte = 0;
	int fd;

	run_path(consignment, name);
	fd = openat(shelf->dirfd, name, O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &byte, 1, offset), 1);
	byte ^= 1;
	assert_int_equal(pwrite(fd, &byte, 1, offset), 1);
	(void)close(fd);
}
