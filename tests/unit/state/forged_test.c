/* Someone who has the disk, but not the key, changes the closed database; each change is found. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fixture.h"

/* Changes something of a thing, of its place, or of the set of things. */
static const char *const forgeries[] = {
    "DELETE FROM thing WHERE kind = 2 AND id = 1",
    "DELETE FROM thing",
    "INSERT INTO thing SELECT 2, 3, sealed FROM thing WHERE kind = 2 AND id = 2",
    "UPDATE thing SET id = 3 WHERE kind = 2 AND id = 2",
    "UPDATE thing SET kind = 4 WHERE kind = 3",
    /* Places that are ours again when cut to a byte. */
    "UPDATE thing SET kind = 256 + 3 WHERE kind = 3",
    "UPDATE thing SET kind = kind - 256",
    "UPDATE thing SET id = id - 9223372036854775807 - 1",
    "UPDATE thing SET kind = 0 WHERE kind = 3",
    "UPDATE thing SET sealed = x'' WHERE kind = 3",
    "UPDATE thing SET sealed = substr(sealed, 1, length(sealed) - 1) WHERE kind = 3",
    "UPDATE thing SET sealed = CAST(sealed || x'00' AS BLOB) WHERE kind = 3",
    "UPDATE thing SET sealed = zeroblob(1000000) WHERE kind = 3",
    /* Two blobs of the same size change places. */
    ("UPDATE thing AS a SET sealed = (SELECT sealed FROM thing AS b"
     " WHERE b.kind = 2 AND b.id = 3 - a.id) WHERE kind = 2"),
    /* The mark, the house, the format. */
    "UPDATE house SET value = x'' WHERE name = 'mark'",
    "UPDATE house SET value = zeroblob(88) WHERE name = 'mark'",
    "UPDATE house SET value = (SELECT sealed FROM thing WHERE kind = 3) WHERE name = 'mark'",
    ("UPDATE house SET value = CAST(substr(value, 1, 4) || zeroblob(16) AS BLOB)"
     " WHERE name = 'header'"),
};

static void
each_change_of_a_thing_or_of_the_mark_is_found(void **test)
{
	struct buffer good;

	make_house();
	read_file("house.db", &good);
	for (size_t i = 0; i < AZ_ARRAY_SIZE(forgeries); i++) {
		write_file("house.db", buffer_peek(&good));
		assert_int_equal(open_status(), AZ_OK);
		meddle(forgeries[i]);
		if (open_status() != AZ_FORGED)
			fail_msg("not found: %s", forgeries[i]);
	}
	buffer_fini(&good);
}

/* Changes what the file means, so that nothing in it is looked at. */
static const char *const strangers[] = {
    "CREATE TABLE extra(a)",
    "CREATE INDEX extra ON thing(id)",
    "CREATE VIEW extra AS SELECT 1",
    "CREATE TRIGGER extra AFTER INSERT ON thing BEGIN DELETE FROM thing; END",
    "DROP TABLE text",
    "DROP TABLE thing; CREATE VIEW thing AS SELECT 1 AS kind, 1 AS id, x'' AS sealed",
    /* Without the primary key a put would add a second row instead of replacing the first. */
    ("ALTER TABLE thing RENAME TO old; CREATE TABLE thing(kind INTEGER, id INTEGER, sealed BLOB);"
     " INSERT INTO thing SELECT * FROM old; DROP TABLE old"),
    "DELETE FROM house WHERE name = 'mark'",
    "DELETE FROM house",
    "UPDATE house SET value = CAST(x'02000000' || substr(value, 5) AS BLOB) WHERE name = 'header'",
    "UPDATE house SET value = substr(value, 1, 19) WHERE name = 'header'",
    "UPDATE house SET value = CAST(value || x'00' AS BLOB) WHERE name = 'header'",
};

static void
a_database_with_other_tables_or_another_format_is_no_house(void **test)
{
	struct buffer good;

	make_house();
	read_file("house.db", &good);
	for (size_t i = 0; i < AZ_ARRAY_SIZE(strangers); i++) {
		write_file("house.db", buffer_peek(&good));
		assert_int_equal(open_status(), AZ_OK);
		meddle(strangers[i]);
		if (open_status() != AZ_CORRUPT)
			fail_msg("not found: %s", strangers[i]);
	}
	buffer_fini(&good);
}

/* Flips one bit of a blob where it lies in the file. */
static void
flip_in_file(const char *select, size_t byte)
{
	sqlite3_stmt *statement = NULL;
	struct buffer file;
	sqlite3 *db = NULL;
	char path[96];

	path_of("house.db", path);
	assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, select, -1, &statement, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
	const void *blob = sqlite3_column_blob(statement, 0);
	size_t size = (size_t)sqlite3_column_bytes(statement, 0);
	assert_true(byte < size);
	read_file("house.db", &file);
	uint8_t *found = memmem(file.data, file.size, blob, size);
	assert_non_null(found);
	found[byte] ^= 0x10;
	(void)sqlite3_finalize(statement);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	write_file("house.db", buffer_peek(&file));
	buffer_fini(&file);
}

static void
a_flipped_bit_anywhere_in_a_blob_is_found(void **test)
{
	struct buffer good;

	make_house();
	read_file("house.db", &good);
	for (size_t byte = 0; byte < SHA256_SIZE + 18; byte++) {
		write_file("house.db", buffer_peek(&good));
		flip_in_file("SELECT sealed FROM thing WHERE kind = 2 AND id = 1", byte);
		assert_int_equal(open_status(), AZ_FORGED);
		write_file("house.db", buffer_peek(&good));
		flip_in_file("SELECT value FROM house WHERE name = 'mark'", byte);
		assert_int_equal(open_status(), AZ_FORGED);
	}
	buffer_fini(&good);
}

/* Keeps a copy of the closed file, then changes client one and adds a client, up to position 8. */
static void
keep_and_go_on(void)
{
	struct buffer old;

	make_house();
	read_file("house.db", &old);
	write_file("old.db", buffer_peek(&old));
	buffer_fini(&old);
	struct state *state = must_open(false);
	put(state, 2, 1, "client one, locked");
	put(state, 2, 3, "client three");
	sync_at(state, 8);
	state_close(&state);
	assert_int_equal(open_status(), AZ_OK);
}

static void
meddle_with_old(const char *sql)
{
	char text[512];

	(void)snprintf(
	    text, sizeof(text), "ATTACH '%s/old.db' AS old; %s; DETACH old", folder.path, sql);
	meddle(text);
}

static void
a_thing_put_back_to_an_older_one_is_found(void **test)
{
	keep_and_go_on();
	meddle_with_old("INSERT OR REPLACE INTO main.thing"
			" SELECT * FROM old.thing WHERE kind = 2 AND id = 1");
	assert_int_equal(open_status(), AZ_FORGED);
}

static void
a_mark_put_back_under_newer_things_is_found(void **test)
{
	keep_and_go_on();
	meddle_with_old("INSERT OR REPLACE INTO main.house SELECT * FROM old.house");
	assert_int_equal(open_status(), AZ_FORGED);
}

static void
things_put_back_under_a_newer_mark_are_found(void **test)
{
	keep_and_go_on();
	meddle_with_old("DELETE FROM main.thing; INSERT INTO main.thing SELECT * FROM old.thing");
	assert_int_equal(open_status(), AZ_FORGED);
}

static void
a_whole_file_put_back_opens_at_its_older_position(void **test)
{
	struct buffer old;

	keep_and_go_on();
	read_file("old.db", &old);
	write_file("house.db", buffer_peek(&old));
	buffer_fini(&old);
	struct state *state = must_open(false);
	assert_int_equal(state_applied(state), 7);
	state_close(&state);
}

static void
a_file_of_another_house_is_refused_even_if_it_says_it_is_ours(void **test)
{
	static const uint8_t other[HOUSE_ID_SIZE] = "Uanother-house.";
	struct state *state = NULL;
	char sql[128];
	char digits[2 * HOUSE_ID_SIZE + 1];

	make_house();
	assert_int_equal(state_open(folder.fd, other, root, false, &state, NULL), AZ_FORGED);
	hex_encode(bytes_make(other, sizeof(other)), digits);
	(void)snprintf(sql, sizeof(sql),
	    "UPDATE house SET value = x'01000000%s' WHERE name = 'header'", digits);
	meddle(sql);
	assert_int_equal(state_open(folder.fd, other, root, false, &state, NULL), AZ_FORGED);
	assert_null(state);
}

static void
another_root_key_opens_nothing(void **test)
{
	make_house();
	secret_data(root)[0] ^= 1;
	assert_int_equal(open_status(), AZ_FORGED);
	secret_data(root)[0] ^= 1;
	assert_int_equal(open_status(), AZ_OK);
}

static void
what_is_no_database_is_corrupt(void **test)
{
	static uint8_t garbage[8192];

	random_bytes(garbage, sizeof(garbage));
	write_file("house.db", bytes_make(garbage, sizeof(garbage)));
	assert_int_equal(open_status(), AZ_CORRUPT);
	write_file("house.db", bytes_of("SQLite format 3"));
	assert_int_equal(open_status(), AZ_CORRUPT);
	write_file("house.db", bytes_make(NULL, 0));
	assert_int_equal(open_status(), AZ_CORRUPT);
	assert_int_equal(unlinkat(folder.fd, "house.db", 0), 0);
	assert_int_equal(mkdirat(folder.fd, "house.db", 0700), 0);
	assert_int_equal(open_status(), AZ_CORRUPT);
}

static void
a_link_in_its_place_is_not_followed(void **test)
{
	make_house();
	assert_int_equal(renameat(folder.fd, "house.db", folder.fd, "elsewhere"), 0);
	assert_int_equal(symlinkat("elsewhere", folder.fd, "house.db"), 0);
	assert_int_equal(open_status(), AZ_CORRUPT);
}

static void
a_truncated_file_does_not_open(void **test)
{
	struct buffer good;

	make_house();
	read_file("house.db", &good);
	for (size_t size = 0; size < good.size; size += 512) {
		write_file("house.db", bytes_make(good.data, size));
		/* SQLite reads a page that was cut as if zeros followed. */
		enum az_status status = open_status();
		assert_true(status == AZ_CORRUPT || (status == AZ_FORGED && size % 4096 != 0));
	}
	buffer_fini(&good);
}

static void
a_flipped_bit_anywhere_in_the_file_never_changes_what_is_read(void **test)
{
	struct listing expected;
	struct buffer file;

	make_house();
	struct state *state = must_open(false);
	expected = list(state);
	state_close(&state);
	read_file("house.db", &file);
	for (size_t at = 0; at < file.size; at += 61) {
		file.data[at] ^= 0x08;
		write_file("house.db", buffer_peek(&file));
		file.data[at] ^= 0x08;
		if (try_open(&state) != AZ_OK)
			continue;
		/* In slack, a counter, or a text: the things are as they were. */
		assert_string_equal(list(state).text, expected.text);
		assert_int_equal(state_applied(state), 7);
		state_close(&state);
	}
	buffer_fini(&file);
}

static void
a_text_opens_only_at_its_place(void **test)
{
	static const char *const moves[] = {
	    "UPDATE text SET idx = 7 WHERE idx = 5",
	    "UPDATE text SET log = 1, idx = 7 WHERE idx = 5",
	    "UPDATE text SET idx = 7, salt = zeroblob(16) WHERE idx = 5",
	    "UPDATE text SET idx = 7, salt = x'' WHERE idx = 5",
	    "UPDATE text SET idx = 7, sealed = x'' WHERE idx = 5",
	    "UPDATE text SET idx = 7, sealed = zeroblob(8000) WHERE idx = 5",
	    "UPDATE text SET idx = 7, sealed = zeroblob(1000000) WHERE idx = 5",
	    "INSERT INTO text SELECT 0, 7, salt, sealed FROM text WHERE idx = 6",
	};
	struct buffer good;

	make_house();
	read_file("house.db", &good);
	for (size_t i = 0; i < AZ_ARRAY_SIZE(moves); i++) {
		write_file("house.db", buffer_peek(&good));
		meddle(moves[i]);
		struct state *state = must_open(false);
		assert_int_equal(text_status(state, i == 1 ? 1 : 0, 7), AZ_FORGED);
		assert_int_equal(text_status(state, 0, 6), AZ_OK);
		state_close(&state);
	}
	buffer_fini(&good);
}

static void
a_text_with_another_salt_is_forged(void **test)
{
	make_house();
	meddle("UPDATE text SET salt = zeroblob(16) WHERE idx = 5");
	struct state *state = must_open(false);
	assert_int_equal(text_status(state, 0, 5), AZ_FORGED);
	state_close(&state);
}

static void
a_thing_is_no_text_and_a_text_no_thing(void **test)
{
	make_house();
	meddle("UPDATE text SET sealed = (SELECT sealed FROM thing WHERE kind = 3)");
	struct state *state = must_open(false);
	assert_int_equal(text_status(state, 0, 5), AZ_FORGED);
	state_close(&state);
	meddle("UPDATE thing SET sealed = (SELECT sealed FROM text LIMIT 1) WHERE kind = 2");
	assert_int_equal(open_status(), AZ_FORGED);
}

static void
an_error_names_no_contents(void **test)
{
	struct state *state = NULL;
	struct az_err err = {0};

	make_house();
	meddle("UPDATE thing SET kind = 4 WHERE kind = 3");
	assert_int_equal(state_open(folder.fd, house, root, false, &state, &err), AZ_FORGED);
	assert_int_equal(err.status, AZ_FORGED);
	assert_null(strstr(err.text, "purpose"));
	assert_non_null(strstr(err.text, "house.db"));
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(each_change_of_a_thing_or_of_the_mark_is_found),
	    TEST(a_database_with_other_tables_or_another_format_is_no_house),
	    TEST(a_flipped_bit_anywhere_in_a_blob_is_found),
	    TEST(a_thing_put_back_to_an_older_one_is_found),
	    TEST(a_mark_put_back_under_newer_things_is_found),
	    TEST(things_put_back_under_a_newer_mark_are_found),
	    TEST(a_whole_file_put_back_opens_at_its_older_position),
	    TEST(a_file_of_another_house_is_refused_even_if_it_says_it_is_ours),
	    TEST(another_root_key_opens_nothing),
	    TEST(what_is_no_database_is_corrupt),
	    TEST(a_link_in_its_place_is_not_followed),
	    TEST(a_truncated_file_does_not_open),
	    TEST(a_flipped_bit_anywhere_in_the_file_never_changes_what_is_read),
	    TEST(a_text_opens_only_at_its_place),
	    TEST(a_text_with_another_salt_is_forged),
	    TEST(a_thing_is_no_text_and_a_text_no_thing),
	    TEST(an_error_names_no_contents),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
