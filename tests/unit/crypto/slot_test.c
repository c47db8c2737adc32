#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/wire.h"
#include "crypto/ring.h"
#include "hex.h"

#define SLOT_SIZE 88
#define KIND      32
#define SIZE      36

static const uint8_t house[HOUSE_ID_SIZE] = {
    'U', 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

static struct secret *
root_key(void)
{
	struct secret *root = NULL;

	assert_int_equal(secret_new(32, &root, NULL), AZ_OK);
	for (size_t i = 0; i < 32; i++)
		secret_data(root)[i] = (uint8_t)i;
	return root;
}

static void
sound_slot(uint8_t slot[SLOT_SIZE + 1])
{
	struct secret *root = root_key();
	struct buffer buffer;

	buffer_init(&buffer, SLOT_SIZE, true);
	assert_int_equal(slot_encode_plain(house, root, &buffer, NULL), AZ_OK);
	assert_int_equal(buffer.size, SLOT_SIZE);
	memcpy(slot, buffer.data, SLOT_SIZE);
	slot[SLOT_SIZE] = 0;
	buffer_fini(&buffer);
	secret_free(&root);
}

static enum az_status
open_slot(const uint8_t *slot, size_t size, const uint8_t *id)
{
	struct secret *root = NULL;
	struct az_err err = {0};
	enum az_status status = slot_open(bytes_make(slot, size), id, &root, &err);

	assert_int_equal(status == AZ_OK, root != NULL);
	if (status != AZ_OK)
		assert_int_equal(err.status, status);
	secret_free(&root);
	return status;
}

static void
a_plain_slot_is_written_as_documented(void **state)
{
	uint8_t slot[SLOT_SIZE + 1];

	sound_slot(slot);
	assert_hex(slot,
	    "415a534c4f5400000100000000000000550102030405060708090a0b0c0d0e0f0100000030000000"
	    "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
	    "ef11c9593048e3a5357a7045732da283");
}

static void
a_plain_slot_gives_the_root_key_back(void **state)
{
	uint8_t slot[SLOT_SIZE + 1];
	struct secret *expected = root_key();
	struct secret *root = NULL;

	sound_slot(slot);
	assert_int_equal(slot_open(bytes_make(slot, SLOT_SIZE), house, &root, NULL), AZ_OK);
	assert_true(bytes_equal(secret_peek(root), secret_peek(expected)));
	secret_free(&root);
	secret_free(&expected);
}

static void
a_sealed_house_gets_no_plain_slot(void **state)
{
	uint8_t sealed[HOUSE_ID_SIZE];
	struct secret *root = root_key();
	struct buffer buffer;

	memcpy(sealed, house, sizeof(sealed));
	buffer_init(&buffer, SLOT_SIZE, true);
	for (unsigned int byte = 0; byte < 256; byte++) {
		if (byte == 'U')
			continue;
		sealed[0] = (uint8_t)byte;
		assert_int_equal(slot_encode_plain(sealed, root, &buffer, NULL), AZ_DENIED);
	}
	assert_int_equal(buffer.size, 0);
	secret_free(&root);
}

static void
a_plain_slot_of_a_sealed_house_is_not_opened(void **state)
{
	uint8_t slot[SLOT_SIZE + 1];
	uint8_t sealed[HOUSE_ID_SIZE];

	sound_slot(slot);
	memcpy(sealed, house, sizeof(sealed));
	sealed[0] = 'S';
	slot[16] = 'S';
	assert_int_equal(open_slot(slot, SLOT_SIZE, sealed), AZ_DENIED);
}

static void
a_slot_of_another_house_is_forged(void **state)
{
	uint8_t slot[SLOT_SIZE + 1];
	uint8_t other[HOUSE_ID_SIZE];

	sound_slot(slot);
	memcpy(other, house, sizeof(other));
	other[15]++;
	assert_int_equal(open_slot(slot, SLOT_SIZE, other), AZ_FORGED);
}

static void
kinds_of_later_releases_are_denied_and_others_corrupt(void **state)
{
	uint8_t slot[SLOT_SIZE + 1];

	sound_slot(slot);
	for (uint32_t kind = SLOT_PASSPHRASE; kind <= SLOT_PKCS11; kind++) {
		wire_store_u32(slot + KIND, kind);
		assert_int_equal(open_slot(slot, SLOT_SIZE, house), AZ_DENIED);
	}
	wire_store_u32(slot + KIND, SLOT_NONE);
	assert_int_equal(open_slot(slot, SLOT_SIZE, house), AZ_CORRUPT);
	wire_store_u32(slot + KIND, SLOT_PKCS11 + 1);
	assert_int_equal(open_slot(slot, SLOT_SIZE, house), AZ_CORRUPT);
	wire_store_u32(slot + KIND, UINT32_MAX);
	assert_int_equal(open_slot(slot, SLOT_SIZE, house), AZ_CORRUPT);
}

static void
any_flipped_bit_is_noticed(void **state)
{
	uint8_t slot[SLOT_SIZE + 1];

	sound_slot(slot);
	for (size_t bit = 0; bit < 8 * SLOT_SIZE; bit++) {
		enum az_status status;

		slot[bit / 8] ^= (uint8_t)(1u << bit % 8);
		status = open_slot(slot, SLOT_SIZE, house);
		if (bit / 8 >= 16 && bit / 8 < 32)
			assert_int_equal(status, AZ_FORGED);
		else if (bit / 8 == KIND && status == AZ_DENIED)
			assert_in_range(slot[KIND], SLOT_PASSPHRASE, SLOT_PKCS11);
		else
			assert_int_equal(status, AZ_CORRUPT);
		slot[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	assert_int_equal(open_slot(slot, SLOT_SIZE, house), AZ_OK);
}

static void
any_other_size_is_corrupt(void **state)
{
	uint8_t slot[SLOT_SIZE + 1];

	sound_slot(slot);
	for (size_t size = 0; size <= SLOT_SIZE + 1; size++) {
		if (size != SLOT_SIZE)
			assert_int_equal(open_slot(slot, size, house), AZ_CORRUPT);
	}
	/* Also where the size that the file states agrees with the size it has. */
	for (uint32_t size = 0; size <= SLOT_SIZE + 1 - 40; size++) {
		if (size == 48)
			continue;
		wire_store_u32(slot + SIZE, size);
		assert_int_equal(open_slot(slot, 40 + size, house), AZ_CORRUPT);
	}
	wire_store_u32(slot + SIZE, UINT32_MAX);
	assert_int_equal(open_slot(slot, SLOT_SIZE, house), AZ_CORRUPT);
}

static void
a_root_key_of_another_size_is_refused(void **state)
{
	struct secret *root = NULL;
	struct buffer buffer;

	buffer_init(&buffer, SLOT_SIZE, true);
	assert_int_equal(secret_new(31, &root, NULL), AZ_OK);
	assert_int_equal(slot_encode_plain(house, root, &buffer, NULL), AZ_INTERNAL);
	assert_int_equal(buffer.size, 0);
	secret_free(&root);
}

static void
a_buffer_without_room_gets_no_half_of_a_slot(void **state)
{
	struct secret *root = root_key();
	struct buffer buffer;

	buffer_init(&buffer, SLOT_SIZE - 1, true);
	assert_int_equal(slot_encode_plain(house, root, &buffer, NULL), AZ_LIMIT);
	assert_int_equal(buffer.size, 0);
	buffer_fini(&buffer);
	secret_free(&root);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_plain_slot_is_written_as_documented),
	    cmocka_unit_test(a_plain_slot_gives_the_root_key_back),
	    cmocka_unit_test(a_sealed_house_gets_no_plain_slot),
	    cmocka_unit_test(a_plain_slot_of_a_sealed_house_is_not_opened),
	    cmocka_unit_test(a_slot_of_another_house_is_forged),
	    cmocka_unit_test(kinds_of_later_releases_are_denied_and_others_corrupt),
	    cmocka_unit_test(any_flipped_bit_is_noticed),
	    cmocka_unit_test(any_other_size_is_corrupt),
	    cmocka_unit_test(a_root_key_of_another_size_is_refused),
	    cmocka_unit_test(a_buffer_without_room_gets_no_half_of_a_slot),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
