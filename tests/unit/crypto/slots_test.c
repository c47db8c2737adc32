/* The root key behind passphrases: what is missing, wrong or changed opens nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "crypto/slots.h"

#define COST SLOTS_COST_LEAST

static const uint8_t house[HOUSE_ID_SIZE] = {
    'S', 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

static struct secret *
key_of(uint8_t first)
{
	struct secret *key = NULL;

	assert_int_equal(secret_new(32, &key, NULL), AZ_OK);
	for (size_t i = 0; i < 32; i++)
		secret_data(key)[i] = (uint8_t)(first + i);
	return key;
}

/* Three officers, two of whom are needed. */
struct given {
	struct secret *root, *host;
	struct slot_holder holders[3];
	struct buffer file;
};

static int
make(void **state)
{
	static struct given given;

	given = (struct given){.root = key_of(0), .host = key_of(100)};
	given.holders[0] = (struct slot_holder){"aoki", bytes_of("correct horse battery")};
	given.holders[1] = (struct slot_holder){"kondo", bytes_of("staple and some more")};
	given.holders[2] = (struct slot_holder){"mori", bytes_of("a third one of these")};
	buffer_init(&given.file, SLOTS_FILE_MAX, false);
	assert_int_equal(slots_encode(house, given.root, given.host, given.holders, 3, 2, COST,
			     &given.file, NULL),
	    AZ_OK);
	*state = &given;
	return 0;
}

static int
unmake(void **state)
{
	struct given *given = *state;

	secret_free(&given->root);
	secret_free(&given->host);
	buffer_fini(&given->file);
	return 0;
}

static struct slots *
open_file(const struct given *given)
{
	struct slots *slots = NULL;

	assert_int_equal(slots_new(buffer_peek(&given->file), house, &slots, NULL), AZ_OK);
	return slots;
}

static enum az_status
give(struct slots *slots, const struct given *given, unsigned int who)
{
	return slots_give(
	    slots, given->host, given->holders[who].label, given->holders[who].passphrase, NULL);
}

static void
any_two_of_three_open_it(void **state)
{
	const struct given *given = *state;

	for (unsigned int left_out = 0; left_out < 3; left_out++) {
		struct slots *slots = open_file(given);
		struct secret *root = NULL;

		for (unsigned int who = 0; who < 3; who++) {
			if (who != left_out)
				assert_int_equal(give(slots, given, who), AZ_OK);
		}
		assert_int_equal(slots_root(slots, given->host, &root, NULL), AZ_OK);
		assert_true(bytes_equal(secret_peek(root), secret_peek(given->root)));
		secret_free(&root);
		slots_free(&slots);
	}
}

static void
all_three_open_it_too(void **state)
{
	const struct given *given = *state;
	struct slots *slots = open_file(given);
	struct secret *root = NULL;

	for (unsigned int who = 0; who < 3; who++)
		assert_int_equal(give(slots, given, 2 - who), AZ_OK);
	assert_int_equal(slots_root(slots, given->host, &root, NULL), AZ_OK);
	assert_true(bytes_equal(secret_peek(root), secret_peek(given->root)));
	secret_free(&root);
	slots_free(&slots);
}

static void
one_alone_opens_nothing(void **state)
{
	const struct given *given = *state;
	struct slots *slots = open_file(given);
	struct secret *root = NULL;

	assert_int_equal(slots_needed(slots), 2);
	assert_int_equal(slots_count(slots), 3);
	assert_string_equal(slots_label(slots, 1), "kondo");
	assert_int_equal(slots_root(slots, given->host, &root, NULL), AZ_BUSY);
	assert_int_equal(give(slots, given, 0), AZ_OK);
	assert_int_equal(give(slots, given, 0), AZ_CONFLICT);
	assert_int_equal(slots_given(slots), 1);
	assert_int_equal(slots_root(slots, given->host, &root, NULL), AZ_BUSY);
	slots_forget(slots);
	assert_int_equal(slots_given(slots), 0);
	assert_int_equal(give(slots, given, 1), AZ_OK);
	assert_int_equal(slots_root(slots, given->host, &root, NULL), AZ_BUSY);
	assert_null(root);
	slots_free(&slots);
}

static void
a_wrong_passphrase_and_a_stranger_are_told_the_same(void **state)
{
	const struct given *given = *state;
	struct slots *slots = open_file(given);
	struct az_err wrong = {0}, nobody = {0}, others = {0};

	assert_int_equal(
	    slots_give(slots, given->host, "aoki", bytes_of("correct horse batterx"), &wrong),
	    AZ_DENIED);
	assert_int_equal(
	    slots_give(slots, given->host, "nobody", bytes_of("correct horse battery"), &nobody),
	    AZ_DENIED);
	assert_int_equal(
	    slots_give(slots, given->host, "aoki", given->holders[1].passphrase, &others),
	    AZ_DENIED);
	assert_string_equal(wrong.text, nobody.text);
	assert_string_equal(wrong.text, others.text);
	assert_int_equal(slots_give(slots, given->host, "aoki", bytes_of(""), NULL), AZ_DENIED);
	assert_int_equal(slots_given(slots), 0);
	slots_free(&slots);
}

static void
without_the_host_secret_the_passphrases_open_nothing(void **state)
{
	struct given *given = *state;
	struct slots *slots = open_file(given);
	struct secret *other = key_of(101);
	struct secret *root = NULL;

	assert_int_equal(
	    slots_give(slots, other, "aoki", given->holders[0].passphrase, NULL), AZ_DENIED);
	assert_int_equal(give(slots, given, 0), AZ_OK);
	assert_int_equal(give(slots, given, 1), AZ_OK);
	assert_int_equal(slots_root(slots, other, &root, NULL), AZ_FORGED);
	assert_null(root);
	secret_free(&other);
	slots_free(&slots);
}

/* Every bit of the file: either it is no file any more, or it does not open. */
static void
no_changed_bit_opens(void **state)
{
	struct given *given = *state;
	uint8_t file[SLOTS_FILE_MAX];
	size_t size = given->file.size;

	memcpy(file, given->file.data, size);
	for (size_t bit = 0; bit < 8 * size; bit += 43) {
		struct slots *slots = NULL;
		struct secret *root = NULL;
		enum az_status status;

		file[bit / 8] ^= (uint8_t)(1u << bit % 8);
		/* A dearer cost is only slower to be refused. */
		if (bit / 8 == 42) {
			file[bit / 8] ^= (uint8_t)(1u << bit % 8);
			continue;
		}
		status = slots_new(bytes_make(file, size), house, &slots, NULL);
		if (status == AZ_OK) {
			(void)!give(slots, given, 0);
			(void)!give(slots, given, 1);
			assert_int_not_equal(slots_root(slots, given->host, &root, NULL), AZ_OK);
			assert_null(root);
		}
		slots_free(&slots);
		file[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
}

static void
a_file_that_is_cut_or_another_houses_is_refused(void **state)
{
	struct given *given = *state;
	uint8_t other[HOUSE_ID_SIZE];
	struct slots *slots = NULL;

	for (size_t size = 0; size < given->file.size; size++)
		assert_int_equal(
		    slots_new(bytes_make(given->file.data, size), house, &slots, NULL), AZ_CORRUPT);
	memcpy(other, house, sizeof(other));
	other[5] ^= 1;
	assert_int_equal(slots_new(buffer_peek(&given->file), other, &slots, NULL), AZ_FORGED);
	assert_null(slots);
}

static void
what_cannot_be_is_not_written(void **state)
{
	struct given *given = *state;
	uint8_t unsealed[HOUSE_ID_SIZE];
	struct slot_holder holders[3];
	struct buffer file;

	buffer_init(&file, SLOTS_FILE_MAX, false);
	memcpy(holders, given->holders, sizeof(holders));
	memcpy(unsealed, house, sizeof(unsealed));
	unsealed[0] = 'U';
#define WRITE(id, count, needed, cost)                                                             \
	slots_encode(id, given->root, given->host, holders, count, needed, cost, &file, NULL)
	assert_int_equal(WRITE(unsealed, 3, 2, COST), AZ_INVALID);
	assert_int_equal(WRITE(house, 0, 0, COST), AZ_INVALID);
	assert_int_equal(WRITE(house, 3, 0, COST), AZ_INVALID);
	assert_int_equal(WRITE(house, 3, 4, COST), AZ_INVALID);
	assert_int_equal(WRITE(house, 3, 2, SLOTS_COST_LEAST - 1), AZ_INVALID);
	assert_int_equal(WRITE(house, 3, 2, SLOTS_COST_MOST + 1), AZ_INVALID);
	holders[2].passphrase = bytes_of("too short");
	assert_int_equal(WRITE(house, 3, 2, COST), AZ_INVALID);
	holders[2] = holders[0];
	assert_int_equal(WRITE(house, 3, 2, COST), AZ_INVALID);
	holders[2].label[0] = '\0';
	assert_int_equal(WRITE(house, 3, 2, COST), AZ_INVALID);
#undef WRITE
	assert_int_equal(file.size, 0);
	buffer_fini(&file);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(any_two_of_three_open_it),
	    cmocka_unit_test(all_three_open_it_too),
	    cmocka_unit_test(one_alone_opens_nothing),
	    cmocka_unit_test(a_wrong_passphrase_and_a_stranger_are_told_the_same),
	    cmocka_unit_test(without_the_host_secret_the_passphrases_open_nothing),
	    cmocka_unit_test(no_changed_bit_opens),
	    cmocka_unit_test(a_file_that_is_cut_or_another_houses_is_refused),
	    cmocka_unit_test(what_cannot_be_is_not_written),
	};

	return cmocka_run_group_tests(tests, make, unmake);
}
