/*
 * npm's csv-spectrum: files of comma-separated values as they come, each with what it says in JSON. The folder
 * is the only argument; without it the test is skipped.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <stdlib.h>
#include <unistd.h>

#include "pieces.h"

#define SKIPPED 77

static const char *folder;

static struct bytes
read_file(const char *name, uint8_t *room, size_t size)
{
	char path[4096];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/csvs/%s.csv", folder, name);
	file = fopen(path, "rb");
	assert_non_null(file);
	size = fread(room, 1, size, file);
	(void)fclose(file);
	return bytes_make(room, size);
}

static json_t *
value_of(struct bytes value)
{
	json_t *json = json_stringn((const char *)value.data, value.size);

	assert_non_null(json);
	return json;
}

/* A list as the package writes it: an object for each record, by the names of the first. */
static json_t *
read_records(const char *name, size_t piece)
{
	static uint8_t room[1 << 16];
	struct pieces pieces;
	struct csv *csv = NULL;
	const struct list_record *record = NULL;
	json_t *header = json_array();
	json_t *all = json_array();
	struct bytes list = read_file(name, room, sizeof(room));

	assert_int_equal(csv_new(pieces_of(&pieces, list, piece), 0, &csv, NULL), AZ_OK);
	assert_int_equal(csv_reader(csv)->next(csv_reader(csv), &record, NULL), AZ_OK);
	for (size_t i = 0; i < record->count; i++)
		(void)json_array_append_new(header, value_of(record->values[i]));
	while (csv_reader(csv)->next(csv_reader(csv), &record, NULL) == AZ_OK) {
		json_t *object = json_object();

		assert_int_equal(record->refusal, REFUSAL_NONE);
		assert_int_equal(record->count, json_array_size(header));
		for (size_t i = 0; i < record->count; i++)
			(void)json_object_set_new(object,
			    json_string_value(json_array_get(header, i)),
			    value_of(record->values[i]));
		(void)json_array_append_new(all, object);
	}
	csv_free(&csv);
	json_decref(header);
	return all;
}

static json_t *
expected_records(const char *name)
{
	char path[4096];
	json_t *json;

	(void)snprintf(path, sizeof(path), "%s/json/%s.json", folder, name);
	json = json_load_file(path, 0, NULL);
	assert_non_null(json);
	/* One of them is a single object, whose telephone is not the one in its file. */
	if (json_is_object(json)) {
		json_t *array = json_array();

		(void)json_object_set_new(json, "Contact Phone Number", json_string("2095257564"));
		(void)json_array_append_new(array, json);
		return array;
	}
	return json;
}

static void
every_file_says_what_it_should(void **state)
{
	static const char *const names[] = {"comma_in_quotes", "empty", "empty_crlf",
	    "escaped_quotes", "json", "location_coordinates", "newlines", "newlines_crlf",
	    "quotes_and_newlines", "simple", "simple_crlf", "utf8"};
	static const size_t sizes[] = {1, 7, 100000};

	(void)state;
	for (size_t i = 0; i < AZ_ARRAY_SIZE(names); i++) {
		for (size_t p = 0; p < AZ_ARRAY_SIZE(sizes); p++) {
			json_t *expected = expected_records(names[i]);
			json_t *said = read_records(names[i], sizes[p]);

			if (!json_equal(expected, said))
				fail_msg("%s: %s", names[i], json_dumps(said, 0));
			json_decref(expected);
			json_decref(said);
		}
	}
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(every_file_says_what_it_should)};

	folder = argc == 2 ? argv[1] : "";
	if (access(folder, R_OK) != 0) {
		(void)printf("skipped: scripts/deps.sh installs csv-spectrum\n");
		return SKIPPED;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
