/* Blocks of tokens: together they cover everything, so that nothing can be left out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/sort.h"
#include "custody/bulk.h"

#define BLOCKS_MAX 4096u

static struct consignment_keys *keys;
static struct token_block blocks[BLOCKS_MAX];
static size_t block_count;

static int
make_keys(void **state)
{
	uint8_t house[HOUSE_ID_SIZE] = {'U'};
	struct secret *key = NULL;
	bool made = secret_new(KEY_SIZE, &key, NULL) == AZ_OK &&
	    consignment_keys_new(key, house, &keys, NULL) == AZ_OK;

	(void)state;
	secret_free(&key);
	return made ? 0 : 1;
}

static int
free_keys(void **state)
{
	(void)state;
	consignment_keys_free(&keys);
	return 0;
}

/* Takes a block, whose MAC must be true. */
static enum az_status
take(void *arg, struct bytes bytes, struct az_err *reterr)
{
	struct bytes mac;
	uint8_t expected[TOKEN_MAC_SIZE];

	(void)arg;
	(void)reterr;
	assert_true(block_count < BLOCKS_MAX);
	assert_int_equal(token_block_decode(bytes, &blocks[block_count++], &mac), AZ_OK);
	block_mac(keys, bytes_make(bytes.data, bytes.size - TOKEN_MAC_SIZE), expected);
	assert_true(bytes_equal(mac, bytes_make(expected, sizeof(expected))));
	return AZ_OK;
}

/* Tokens as they lie in a spill, in any order. */
struct token_list {
	uint8_t entries[100000 * TOKEN_SORTED_SIZE];
	uint8_t scratch[100000 * TOKEN_SORTED_SIZE];
	size_t count;
};
static struct token_list list;

static void
add(const uint8_t token[TOKEN_SIZE], uint32_t record)
{
	uint8_t *entry = list.entries + list.count++ * TOKEN_SORTED_SIZE;

	memcpy(entry, token, TOKEN_SIZE);
	wire_store_u32be(entry + TOKEN_SIZE, record);
}

/* Cuts the list into spans of equal width and these into blocks. */
static void
make_blocks_of(size_t spans)
{
	size_t first = 0;

	block_count = 0;
	sort_entries(list.entries, list.scratch, list.count, TOKEN_SORTED_SIZE, 0);
	for (size_t i = 0; i < spans; i++) {
		struct token_span span = {
		    .consignment = 9, .kind = MATCH_PHONE, .last = i + 1 == spans};
		size_t end = first;

		span.lower[0] = (uint8_t)(i * 256 / spans);
		span.upper[0] = (uint8_t)((i + 1) * 256 / spans);
		while (end < list.count &&
		    (span.last || list.entries[end * TOKEN_SORTED_SIZE] < span.upper[0]))
			end++;
		assert_int_equal(token_blocks(&span, list.entries + first * TOKEN_SORTED_SIZE,
				     end - first, keys, take, NULL, NULL),
		    AZ_OK);
		first = end;
	}
	assert_int_equal(first, list.count);
	list.count = 0;
}

static void
make_blocks(void)
{
	make_blocks_of(1);
}

/* Each begins where the one before it ended, from zeros to the last. */
static size_t
check_cover(void)
{
	static const uint8_t zeros[TOKEN_SIZE];
	size_t entries = 0;

	assert_true(block_count > 0);
	assert_memory_equal(blocks[0].lower, zeros, TOKEN_SIZE);
	for (size_t i = 0; i < block_count; i++) {
		assert_true(blocks[i].last == (i + 1 == block_count));
		assert_true(blocks[i].consignment == 9 && blocks[i].kind == MATCH_PHONE);
		if (i > 0)
			assert_memory_equal(blocks[i].lower, blocks[i - 1].upper, TOKEN_SIZE);
		entries += blocks[i].count;
	}
	return entries;
}

static void
a_list_without_tokens_has_one_empty_block(void **state)
{

	(void)state;
	make_blocks();
	assert_int_equal(block_count, 1);
	assert_int_equal(check_cover(), 0);
}

static void
blocks_cover_everything_and_hold_every_token(void **state)
{

	(void)state;
	srandom(5);
	for (uint32_t record = 1; record <= 10000; record++) {
		uint8_t token[TOKEN_SIZE];

		for (size_t i = 0; i < TOKEN_SIZE; i++)
			token[i] = (uint8_t)random();
		add(token, record);
	}
	make_blocks();
	assert_int_equal(check_cover(), 10000);
	assert_true(block_count >= 10000 / TOKEN_BLOCK_USUAL);
}

/* The workers cut spans side by side, some of which have nothing in them. */
static void
spans_together_cover_everything(void **state)
{
	(void)state;
	srandom(6);
	for (uint32_t record = 1; record <= 3000; record++) {
		uint8_t token[TOKEN_SIZE];

		for (size_t i = 0; i < TOKEN_SIZE; i++)
			token[i] = (uint8_t)random();
		token[0] &= 0xbf;
		add(token, record);
	}
	make_blocks_of(64);
	assert_int_equal(check_cover(), 3000);
	assert_true(block_count >= 64);
}

static void
equal_tokens_stay_in_one_block(void **state)
{

	(void)state;
	for (uint32_t record = 1; record <= 5000; record++) {
		uint8_t token[TOKEN_SIZE] = {0};

		/* Households of up to sixteen. */
		wire_store_u32be(token, record / 16 * 2654435761u);
		add(token, record);
	}
	make_blocks();
	assert_int_equal(check_cover(), 5000);
	for (size_t i = 1; i < block_count; i++) {
		const struct token_block *before = &blocks[i - 1];

		assert_memory_not_equal(before->entries[before->count - 1].token,
		    blocks[i].entries[0].token, TOKEN_SIZE);
	}
}

static void
of_a_token_that_very_many_share_seventeen_stay(void **state)
{
	uint8_t token[TOKEN_SIZE] = {7};

	(void)state;
	for (uint32_t record = 1; record <= 100000; record++)
		add(token, record);
	make_blocks();
	assert_int_equal(check_cover(), TOKEN_SHARED_MAX + 1);
}

static void
the_same_token_of_the_same_record_is_one(void **state)
{
	uint8_t token[TOKEN_SIZE] = {7};

	(void)state;
	for (unsigned int i = 0; i < 5; i++)
		add(token, 3);
	make_blocks();
	assert_int_equal(check_cover(), 1);
}

static void
blocks_that_are_none_do_not_decode(void **state)
{
	static struct token_block block;
	struct buffer bytes;
	struct bytes mac;
	uint8_t token[TOKEN_SIZE] = {7};

	(void)state;
	add(token, 3);
	token[0] = 9;
	add(token, 4);
	make_blocks();
	buffer_init(&bytes, TOKEN_BLOCK_SIZE_MAX, false);
	assert_int_equal(token_block_encode(&blocks[0], &bytes), AZ_OK);
	assert_int_equal(buffer_append(&bytes, bytes_of("0123456789abcdef")), AZ_OK);
	assert_int_equal(token_block_decode(buffer_peek(&bytes), &block, &mac), AZ_OK);
	for (size_t size = 0; size < bytes.size; size++)
		assert_int_equal(
		    token_block_decode(bytes_make(bytes.data, size), &block, &mac), AZ_INVALID);
	/* Entries in another order, a kind of nothing, a bound in the last block. */
	memcpy(bytes.data + 44, bytes.data + 64, 1);
	bytes.data[64] = 7;
	assert_int_equal(token_block_decode(buffer_peek(&bytes), &block, &mac), AZ_INVALID);
	bytes.data[44] = 7;
	bytes.data[64] = 9;
	bytes.data[8] = MATCH_NONE;
	assert_int_equal(token_block_decode(buffer_peek(&bytes), &block, &mac), AZ_INVALID);
	bytes.data[8] = MATCH_PHONE;
	bytes.data[28] = 1;
	assert_int_equal(token_block_decode(buffer_peek(&bytes), &block, &mac), AZ_INVALID);
	buffer_fini(&bytes);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_list_without_tokens_has_one_empty_block),
	    cmocka_unit_test(blocks_cover_everything_and_hold_every_token),
	    cmocka_unit_test(spans_together_cover_everything),
	    cmocka_unit_test(equal_tokens_stay_in_one_block),
	    cmocka_unit_test(of_a_token_that_very_many_share_seventeen_stay),
	    cmocka_unit_test(the_same_token_of_the_same_record_is_one),
	    cmocka_unit_test(blocks_that_are_none_do_not_decode),
	};

	return cmocka_run_group_tests(tests, make_keys, free_keys);
}
