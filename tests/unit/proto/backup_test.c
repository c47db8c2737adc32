/* A backup's list names files of a house and nothing else: a restore makes them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "proto/backup.h"

static void
only_paths_of_a_house_are_taken(void **state)
{
	static const char *const good[] = {"house", "keeper/house.db", "keeper/house.db-wal",
	    "vault/data.mdb", "keeper/ledger/log-00000000/hash0",
	    "keeper/catalogue/run-0000000000000001"};
	static const char *const bad[] = {"", "/", "house/", "/house", "./house", "keeper",
	    "keeper/", "keeper//x", "keeper/./x", "keeper/../x", "keeper/..", "keeper/.tmp-1",
	    "vault/../house", "secret/root", "run/keeper.sock", "lock", "keeper/a b", "keeper/\n",
	    "keeper/\xe9", "keeper/a/", "KEEPER/x", "keeperx", "../keeper/x"};
	char longest[BACKUP_PATH_SIZE + 1];

	(void)state;
	for (size_t i = 0; i < AZ_ARRAY_SIZE(good); i++)
		assert_true(backup_path_is_valid(good[i]));
	for (size_t i = 0; i < AZ_ARRAY_SIZE(bad); i++)
		assert_false(backup_path_is_valid(bad[i]));
	memset(longest, 'x', sizeof(longest));
	memcpy(longest, "keeper/", 7);
	longest[BACKUP_PATH_SIZE] = '\0';
	assert_false(backup_path_is_valid(longest));
	longest[BACKUP_PATH_SIZE - 1] = '\0';
	assert_true(backup_path_is_valid(longest));
}

static struct backup_manifest
sample(struct backup_file files[3])
{
	static const char *const paths[] = {"house", "keeper/house.db", "vault/data.mdb"};
	struct backup_manifest manifest = {.time_us = 5, .live = true, .files = files, .count = 3};

	memcpy(manifest.house, "Uabcdefghijklmno", HOUSE_ID_SIZE);
	for (size_t i = 0; i < 3; i++) {
		files[i] = (struct backup_file){.size = i};
		(void)snprintf(files[i].path, sizeof(files[i].path), "%s", paths[i]);
	}
	return manifest;
}

static void
a_list_comes_back_and_no_part_of_it(void **state)
{
	struct backup_file files[3];
	struct backup_manifest manifest = sample(files);
	struct backup_manifest back;
	struct buffer buffer;

	(void)state;
	buffer_init(&buffer, 4096, false);
	assert_int_equal(backup_manifest_encode(&manifest, &buffer), AZ_OK);
	assert_int_equal(backup_manifest_decode(buffer_peek(&buffer), &back), AZ_OK);
	assert_int_equal(back.count, 3);
	assert_true(back.live);
	assert_string_equal(back.files[2].path, "vault/data.mdb");
	free(back.files);
	for (size_t size = 0; size < buffer.size; size++)
		assert_int_equal(
		    backup_manifest_decode(bytes_make(buffer.data, size), &back), AZ_CORRUPT);
	buffer_fini(&buffer);
}

static void
neither_twice_nor_out_of_order_nor_of_a_foreign_path(void **state)
{
	struct backup_file files[3];
	struct backup_manifest manifest;
	struct buffer buffer;

	(void)state;
	buffer_init(&buffer, 4096, false);
	manifest = sample(files);
	memcpy(files[1].path, files[0].path, BACKUP_PATH_SIZE);
	assert_int_equal(backup_manifest_encode(&manifest, &buffer), AZ_INVALID);
	manifest = sample(files);
	memcpy(files[1].path, "vault/zzz", 10);
	assert_int_equal(backup_manifest_encode(&manifest, &buffer), AZ_INVALID);
	manifest = sample(files);
	memcpy(files[2].path, "zecret/root", 12);
	assert_int_equal(backup_manifest_encode(&manifest, &buffer), AZ_INVALID);
	buffer_fini(&buffer);
}

static void
keys_come_back_and_no_part_of_them(void **state)
{
	struct backup_keys keys = {.made_us = 1,
	    .until_us = 2,
	    .kind = BACKUP_ROOT_SLOTS,
	    .root = bytes_of("slots"),
	    .host = bytes_of("host"),
	    .device = bytes_of("device"),
	    .ring = bytes_of("ring")};
	struct backup_keys back;
	struct buffer buffer;

	(void)state;
	memcpy(keys.house, "Sabcdefghijklmno", HOUSE_ID_SIZE);
	buffer_init(&buffer, 4096, false);
	assert_int_equal(backup_keys_encode(&keys, &buffer), AZ_OK);
	assert_int_equal(backup_keys_decode(buffer_peek(&buffer), &back), AZ_OK);
	assert_true(bytes_equal(back.ring, keys.ring));
	for (size_t size = 0; size < buffer.size; size++)
		assert_int_equal(
		    backup_keys_decode(bytes_make(buffer.data, size), &back), AZ_CORRUPT);
	/* A kind of nothing is no kind (I9). */
	buffer.data[FILE_HEADER_SIZE + 16] = BACKUP_ROOT_NONE;
	assert_int_equal(backup_keys_decode(buffer_peek(&buffer), &back), AZ_CORRUPT);
	buffer_fini(&buffer);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(only_paths_of_a_house_are_taken),
	    cmocka_unit_test(a_list_comes_back_and_no_part_of_it),
	    cmocka_unit_test(neither_twice_nor_out_of_order_nor_of_a_foreign_path),
	    cmocka_unit_test(keys_come_back_and_no_part_of_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
