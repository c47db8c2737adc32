#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "crypto/hash.h"
#include "crypto/sign.h"

static const uint8_t house[HOUSE_ID_SIZE] = {
    'U', 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

#define HOUSE_TEXT  "unsealed-aebagbafaydqqcikbmga2dqp"
#define KEEPER_TEXT "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
#define SEED_TEXT   "ZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXp7fH1+f4CBgoM="

#define LINE_1 "azukari-key 1\n"
#define LINE_2 "kind staff\n"
#define LINE_3 "house " HOUSE_TEXT "\n"
#define LINE_4 "keeper " KEEPER_TEXT "\n"
#define LINE_5 "name Ito (night)\n"
#define LINE_6 "seed " SEED_TEXT "\n"

static const char sound[] = LINE_1 LINE_2 LINE_3 LINE_4 LINE_5 LINE_6;

static struct key_file
sound_file(void)
{
	struct key_file file = {.kind = KEY_STAFF, .name = "Ito (night)"};

	memcpy(file.house, house, sizeof(house));
	assert_int_equal(secret_new(SIGN_SEED_SIZE, &file.seed, NULL), AZ_OK);
	for (size_t i = 0; i < 32; i++) {
		file.keeper[i] = (uint8_t)i;
		secret_data(file.seed)[i] = (uint8_t)(100 + i);
	}
	return file;
}

/* Checks that text is refused and that the refusal names the line. */
static void
assert_refused(struct bytes text, int line)
{
	struct key_file file = {0};
	struct az_err err = {0};
	char expected[16];

	(void)snprintf(expected, sizeof(expected), "line %d ", line);
	assert_int_equal(key_file_decode(text, &file, &err), AZ_INVALID);
	assert_int_equal(err.status, AZ_INVALID);
	if (strstr(err.text, expected) == NULL)
		fail_msg("expected %s: %s", expected, err.text);
	assert_null(file.seed);
	assert_int_equal(file.kind, KEY_NONE);
}

/* --- writing ------------------------------------------------------------------------------------- */

static void
a_key_file_is_written_as_documented(void **state)
{
	struct key_file file = sound_file();
	struct buffer buffer;

	buffer_init(&buffer, 512, true);
	assert_int_equal(key_file_encode(&file, &buffer, NULL), AZ_OK);
	assert_true(bytes_equal(buffer_peek(&buffer), bytes_of(sound)));
	buffer_fini(&buffer);
	key_file_fini(&file);
	assert_null(file.seed);
	key_file_fini(&file);
}

static void
what_cannot_be_read_again_is_not_written(void **state)
{
	struct key_file file = sound_file();
	struct key_file changed = file;
	struct buffer buffer;

	buffer_init(&buffer, 512, true);
	changed.kind = KEY_NONE;
	assert_int_equal(key_file_encode(&changed, &buffer, NULL), AZ_INVALID);
	changed = file;
	changed.house[0] = 'X';
	assert_int_equal(key_file_encode(&changed, &buffer, NULL), AZ_INVALID);
	changed = file;
	changed.name[0] = '\0';
	assert_int_equal(key_file_encode(&changed, &buffer, NULL), AZ_INVALID);
	changed.name[0] = '\n';
	assert_int_equal(key_file_encode(&changed, &buffer, NULL), AZ_INVALID);
	memset(changed.name, 'n', sizeof(changed.name));
	assert_int_equal(key_file_encode(&changed, &buffer, NULL), AZ_INVALID);
	changed = file;
	changed.seed = NULL;
	assert_int_equal(key_file_encode(&changed, &buffer, NULL), AZ_INVALID);
	assert_int_equal(secret_new(31, &changed.seed, NULL), AZ_OK);
	assert_int_equal(key_file_encode(&changed, &buffer, NULL), AZ_INVALID);
	assert_int_equal(buffer.size, 0);
	secret_free(&changed.seed);
	key_file_fini(&file);
}

static void
a_buffer_without_room_gets_no_half_of_a_file(void **state)
{
	struct key_file file = sound_file();
	struct buffer buffer;

	buffer_init(&buffer, sizeof(sound) - 2, true);
	assert_int_equal(key_file_encode(&file, &buffer, NULL), AZ_LIMIT);
	assert_int_equal(buffer.size, 0);
	buffer_fini(&buffer);
	key_file_fini(&file);
}

/* --- reading ------------------------------------------------------------------------------------- */

static void
a_sound_key_file_is_read(void **state)
{
	struct key_file expected = sound_file();
	struct key_file file = {0};

	assert_int_equal(key_file_decode(bytes_of(sound), &file, NULL), AZ_OK);
	assert_int_equal(file.kind, KEY_STAFF);
	assert_memory_equal(file.house, house, sizeof(house));
	assert_memory_equal(file.keeper, expected.keeper, sizeof(file.keeper));
	assert_string_equal(file.name, "Ito (night)");
	assert_true(bytes_equal(secret_peek(file.seed), secret_peek(expected.seed)));
	key_file_fini(&file);
	key_file_fini(&expected);
}

static void
every_deviation_is_refused_by_its_line(void **state)
{
	static const struct {
		const char *text;
		int line;
	} cases[] = {
	    {"", 1},
	    {"\n", 1},
	    {"azukari-key 1", 1},
	    {"azukari-key 2\n" LINE_2 LINE_3 LINE_4 LINE_5 LINE_6, 1},
	    {"azukari-key  1\n" LINE_2 LINE_3 LINE_4 LINE_5 LINE_6, 1},
	    {"azukari-key 1 \n" LINE_2 LINE_3 LINE_4 LINE_5 LINE_6, 1},
	    {"azukari-key 1\r\n" LINE_2 LINE_3 LINE_4 LINE_5 LINE_6, 1},
	    {"\xef\xbb\xbf" LINE_1 LINE_2 LINE_3 LINE_4 LINE_5 LINE_6, 1},
	    {"# Ito's\n" LINE_1 LINE_2 LINE_3 LINE_4 LINE_5 LINE_6, 1},
	    {LINE_1 "kind officer\n" LINE_3 LINE_4 LINE_5 LINE_6, 2},
	    {LINE_1 "kind Staff\n" LINE_3 LINE_4 LINE_5 LINE_6, 2},
	    {LINE_1 "kind \n" LINE_3 LINE_4 LINE_5 LINE_6, 2},
	    {LINE_1 "kind\n" LINE_3 LINE_4 LINE_5 LINE_6, 2},
	    {LINE_1 LINE_3 LINE_2 LINE_4 LINE_5 LINE_6, 2},
	    {LINE_1 "\n" LINE_2 LINE_3 LINE_4 LINE_5 LINE_6, 2},
	    {LINE_1 LINE_2 "house UNSEALED-AEBAGBAFAYDQQCIKBMGA2DQP\n" LINE_4 LINE_5 LINE_6, 3},
	    {LINE_1 LINE_2 "house " HOUSE_TEXT "a\n" LINE_4 LINE_5 LINE_6, 3},
	    {LINE_1 LINE_2 "house " HOUSE_TEXT HOUSE_TEXT "\n" LINE_4 LINE_5 LINE_6, 3},
	    {LINE_1 LINE_2 "house unsealed-aebagbafaydqqcikbmga2dq\n" LINE_4 LINE_5 LINE_6, 3},
	    {LINE_1 LINE_2 "house h\n" LINE_4 LINE_5 LINE_6, 3},
	    {LINE_1 LINE_2 LINE_4 LINE_5 LINE_6, 3},
	    {LINE_1 LINE_2 LINE_3 "keeper AAEC\n" LINE_5 LINE_6, 4},
	    {LINE_1 LINE_2 LINE_3
		"keeper AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg==\n" LINE_5 LINE_6,
		4},
	    {LINE_1 LINE_2 LINE_3
		"keeper AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g\n" LINE_5 LINE_6,
		4},
	    {LINE_1 LINE_2 LINE_3
		"keeper AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9=\n" LINE_5 LINE_6,
		4},
	    {LINE_1 LINE_2 LINE_3
		"keeper AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\n" LINE_5 LINE_6,
		4},
	    {LINE_1 LINE_2 LINE_3 LINE_4 "name \n" LINE_6, 5},
	    {LINE_1 LINE_2 LINE_3 LINE_4 "name It\xc3\xb4\n" LINE_6, 5},
	    {LINE_1 LINE_2 LINE_3 LINE_4 "name I\tto\n" LINE_6, 5},
	    {LINE_1 LINE_2 LINE_3 LINE_4 "name I\x7fto\n" LINE_6, 5},
	    {LINE_1 LINE_2 LINE_3 LINE_4
		"name 0123456789012345678901234567890123456789012345678901234567890123\n" LINE_6,
		5},
	    {LINE_1 LINE_2 LINE_3 LINE_4 LINE_5 LINE_5 LINE_6, 6},
	    {LINE_1 LINE_2 LINE_3 LINE_4 LINE_5 "seed \n", 6},
	    {LINE_1 LINE_2 LINE_3 LINE_4 LINE_5 "seed " SEED_TEXT, 6},
	    {LINE_1 LINE_2 LINE_3 LINE_4 LINE_5 "seed " SEED_TEXT " \n", 6},
	    {LINE_1 LINE_2 LINE_3 LINE_4 LINE_5
		"seed ZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXp7fH1-f4CBgoM=\n",
		6},
	    {LINE_1 LINE_2 LINE_3 LINE_4 LINE_5
		"seed ZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXp7fH1+f4CBgoN=\n",
		6},
	    {LINE_1 LINE_2 LINE_3 LINE_4 LINE_5 LINE_6 "\n", 7},
	    {LINE_1 LINE_2 LINE_3 LINE_4 LINE_5 LINE_6 LINE_6, 7},
	};

	for (size_t i = 0; i < AZ_ARRAY_SIZE(cases); i++)
		assert_refused(bytes_of(cases[i].text), cases[i].line);
}

static void
a_nul_is_never_the_end_of_a_value(void **state)
{
	static const struct {
		const char *text;
		size_t size;
		int line;
	} cases[] = {
	    {LINE_1 LINE_2 "house " HOUSE_TEXT "\0\n" LINE_4 LINE_5 LINE_6, sizeof(sound), 3},
	    {LINE_1 LINE_2 LINE_3 LINE_4 "name Ito (night)\0\n" LINE_6, sizeof(sound), 5},
	    {LINE_1 LINE_2 LINE_3 LINE_4 LINE_5 "seed " SEED_TEXT "\0\n", sizeof(sound), 6},
	    {LINE_1 LINE_2 LINE_3 LINE_4 LINE_5 LINE_6 "\0", sizeof(sound), 7},
	};

	for (size_t i = 0; i < AZ_ARRAY_SIZE(cases); i++)
		assert_refused(bytes_make(cases[i].text, cases[i].size), cases[i].line);
}

static void
no_beginning_of_a_key_file_is_one(void **state)
{
	int line = 1;

	for (size_t size = 0; size < sizeof(sound) - 1; size++) {
		assert_refused(bytes_make(sound, size), line);
		if (sound[size] == '\n')
			line++;
	}
}

static void
a_key_file_has_one_spelling_only(void **state)
{
	char text[sizeof(sound)];
	size_t size = sizeof(sound) - 1;
	size_t read = 0;
	struct buffer buffer;

	/* Whatever byte is changed: the text is refused, or it is what we would write ourselves. */
	buffer_init(&buffer, 512, true);
	memcpy(text, sound, sizeof(sound));
	for (size_t i = 0; i < size; i++) {
		for (unsigned int byte = 0; byte < 256; byte++) {
			struct key_file file = {0};

			text[i] = (char)(unsigned char)byte;
			if (key_file_decode(bytes_make(text, size), &file, NULL) != AZ_OK)
				continue;
			buffer_clear(&buffer);
			assert_int_equal(key_file_encode(&file, &buffer, NULL), AZ_OK);
			assert_true(bytes_equal(buffer_peek(&buffer), bytes_make(text, size)));
			key_file_fini(&file);
			read++;
		}
		text[i] = sound[i];
	}
	/* More than the unchanged ones: names, ids, keys and seeds have many values. */
	assert_true(read > size);
	buffer_fini(&buffer);
}

static void
every_seed_comes_back(void **state)
{
	struct key_file file = sound_file();
	struct buffer buffer;

	file.kind = KEY_DEVICE;
	file.house[0] = 'S';
	buffer_init(&buffer, 512, true);
	for (unsigned int value = 0; value < 256; value++) {
		struct key_file again = {0};

		for (size_t i = 0; i < SIGN_SEED_SIZE; i++)
			secret_data(file.seed)[i] = (uint8_t)(value + 85 * i);
		buffer_clear(&buffer);
		assert_int_equal(key_file_encode(&file, &buffer, NULL), AZ_OK);
		assert_int_equal(key_file_decode(buffer_peek(&buffer), &again, NULL), AZ_OK);
		assert_int_equal(again.kind, KEY_DEVICE);
		assert_int_equal(again.house[0], 'S');
		assert_true(bytes_equal(secret_peek(file.seed), secret_peek(again.seed)));
		key_file_fini(&again);
	}
	buffer_fini(&buffer);
	key_file_fini(&file);
}

/* --- house names --------------------------------------------------------------------------------- */

static void
a_house_is_named_by_its_id(void **state)
{
	uint8_t sealed[HOUSE_ID_SIZE];
	char text[HOUSE_NAME_SIZE];

	house_name(house, text);
	assert_string_equal(text, HOUSE_TEXT);
	assert_true(house_is_unsealed(house));
	memset(sealed, 0xff, sizeof(sealed));
	sealed[0] = 'S';
	house_name(sealed, text);
	assert_string_equal(text, "house-777777777777777777777777");
	assert_false(house_is_unsealed(sealed));
}

static void
a_house_name_leads_back_to_its_id(void **state)
{
	uint8_t id[HOUSE_ID_SIZE], again[HOUSE_ID_SIZE];
	char text[HOUSE_NAME_SIZE];

	for (int i = 0; i < 1000; i++) {
		random_bytes(id, sizeof(id));
		id[0] = i % 2 == 0 ? 'U' : 'S';
		house_name(id, text);
		assert_true(strlen(text) < HOUSE_NAME_SIZE);
		assert_true(house_name_parse(text, again));
		assert_memory_equal(id, again, sizeof(id));
	}
}

static void
what_is_no_house_name_is_refused(void **state)
{
	static const char *const texts[] = {
	    "",
	    "-",
	    "house-",
	    "house",
	    "unsealed-",
	    "unsealedaebagbafaydqqcikbmga2dqp",
	    "aebagbafaydqqcikbmga2dqp",
	    "-aebagbafaydqqcikbmga2dqp",
	    "u-aebagbafaydqqcikbmga2dqp",
	    "sealed-aebagbafaydqqcikbmga2dqp",
	    "House-aebagbafaydqqcikbmga2dqp",
	    "house-AEBAGBAFAYDQQCIKBMGA2DQP",
	    "house-aebagbafaydqqcikbmga2dq",
	    "house-aebagbafaydqqcikbmga2dqpa",
	    "house-aebagbafaydqqcikbmga2dq=",
	    "house-aebagbafaydqqcikbmga2dq1",
	    "house-aebagbafaydqqcikbmga2dq0",
	    "house-aebagbafaydqqcikbmga2dq8",
	    "house-aebagbafaydqqcikbmga2dq-",
	    "house--aebagbafaydqqcikbmga2dq",
	    " house-aebagbafaydqqcikbmga2dqp",
	    "house-aebagbafaydqqcikbmga2dqp\n",
	    "unsealed-house-aebagbafaydqqcikbmga2dqp",
	};
	uint8_t id[HOUSE_ID_SIZE] = {0};
	static const uint8_t zeros[HOUSE_ID_SIZE];

	for (size_t i = 0; i < AZ_ARRAY_SIZE(texts); i++)
		assert_false(house_name_parse(texts[i], id));
	assert_memory_equal(id, zeros, sizeof(id));
	assert_true(house_name_parse("house-aebagbafaydqqcikbmga2dqp", id));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_key_file_is_written_as_documented),
	    cmocka_unit_test(what_cannot_be_read_again_is_not_written),
	    cmocka_unit_test(a_buffer_without_room_gets_no_half_of_a_file),
	    cmocka_unit_test(a_sound_key_file_is_read),
	    cmocka_unit_test(every_deviation_is_refused_by_its_line),
	    cmocka_unit_test(a_nul_is_never_the_end_of_a_value),
	    cmocka_unit_test(no_beginning_of_a_key_file_is_one),
	    cmocka_unit_test(a_key_file_has_one_spelling_only),
	    cmocka_unit_test(every_seed_comes_back),
	    cmocka_unit_test(a_house_is_named_by_its_id),
	    cmocka_unit_test(a_house_name_leads_back_to_its_id),
	    cmocka_unit_test(what_is_no_house_name_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
