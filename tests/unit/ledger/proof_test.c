/* Proofs of every small tree hold, and nothing beside them does; tiles have one name each. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ledger/evidence.h"

#define SMALL  70u
#define LARGE  70000u
#define LEVELS 3u

/* Stored levels of a tree of LARGE leaves, in memory. */
static uint8_t (*stored[LEVELS])[TREE_HASH_SIZE];

static void
leaf_of(uint64_t index, uint8_t ret_leaf[TREE_HASH_SIZE])
{
	char text[32];

	(void)snprintf(text, sizeof(text), "entry %llu", (unsigned long long)index);
	tree_leaf(bytes_of(text), ret_leaf);
}

static enum az_status
read_stored(void *arg, unsigned int level, uint64_t index, size_t count, uint8_t *hashes,
    struct az_err *reterr)
{
	(void)arg;
	(void)reterr;
	assert_true(level < LEVELS);
	assert_true(index + count <= LARGE >> (8 * level));
	memcpy(hashes, stored[level][index], count * TREE_HASH_SIZE);
	return AZ_OK;
}

static const struct hash_source source = {.read = read_stored, .levels = LEVELS};

static int
store(void **state)
{
	(void)state;
	for (unsigned int level = 0; level < LEVELS; level++) {
		size_t count = LARGE >> (8 * level);

		stored[level] = calloc(count, TREE_HASH_SIZE);
		assert_non_null(stored[level]);
		for (size_t i = 0; i < count; i++) {
			struct tree tree = {0};

			if (level == 0) {
				leaf_of(i, stored[0][i]);
				continue;
			}
			for (size_t k = 0; k < 256; k++)
				tree_append(&tree, stored[level - 1][256 * i + k]);
			tree_root(&tree, stored[level][i]);
		}
	}
	return 0;
}

static int
discard(void **state)
{
	(void)state;
	for (unsigned int level = 0; level < LEVELS; level++)
		free(stored[level]);
	return 0;
}

/* RFC 6962 §2.1 to the letter. */
static void
mth(uint64_t first, uint64_t count, uint8_t ret_hash[TREE_HASH_SIZE])
{
	uint8_t left[TREE_HASH_SIZE], right[TREE_HASH_SIZE];
	uint64_t split = 1;

	if (count == 1) {
		leaf_of(first, ret_hash);
		return;
	}
	while (2 * split < count)
		split *= 2;
	mth(first, split, left);
	mth(first + split, count - split, right);
	tree_node(left, right, ret_hash);
}

static void
roots_are_those_of_the_definition(void **state)
{
	uint8_t expected[TREE_HASH_SIZE], root[TREE_HASH_SIZE];

	(void)state;
	for (uint64_t size = 1; size <= 600; size++) {
		mth(0, size, expected);
		assert_int_equal(proof_root(&source, size, root, NULL), AZ_OK);
		assert_memory_equal(root, expected, sizeof(root));
	}
	mth(0, LARGE, expected);
	assert_int_equal(proof_root(&source, LARGE, root, NULL), AZ_OK);
	assert_memory_equal(root, expected, sizeof(root));
}

static void
check_inclusion(uint64_t index, uint64_t size)
{
	uint8_t root[TREE_HASH_SIZE], leaf[TREE_HASH_SIZE];
	struct proof proof;

	assert_int_equal(proof_root(&source, size, root, NULL), AZ_OK);
	assert_int_equal(proof_make_inclusion(&source, index, size, &proof, NULL), AZ_OK);
	leaf_of(index, leaf);
	assert_true(proof_check_inclusion(&proof, index, size, leaf, root));
	/* Not elsewhere, not another leaf, not another root, not shorter or longer, not changed. */
	for (uint64_t other = 0; other <= size && size <= SMALL; other++) {
		if (other != index)
			assert_false(proof_check_inclusion(&proof, other, size, leaf, root));
	}
	leaf[3] ^= 1;
	assert_false(proof_check_inclusion(&proof, index, size, leaf, root));
	leaf[3] ^= 1;
	root[3] ^= 1;
	assert_false(proof_check_inclusion(&proof, index, size, leaf, root));
	root[3] ^= 1;
	for (size_t i = 0; i < proof.count; i++) {
		proof.hashes[i][i % TREE_HASH_SIZE] ^= 0x10;
		assert_false(proof_check_inclusion(&proof, index, size, leaf, root));
		proof.hashes[i][i % TREE_HASH_SIZE] ^= 0x10;
	}
	if (proof.count > 0) {
		proof.count--;
		assert_false(proof_check_inclusion(&proof, index, size, leaf, root));
		proof.count++;
	}
	memset(proof.hashes[proof.count++], 0, TREE_HASH_SIZE);
	assert_false(proof_check_inclusion(&proof, index, size, leaf, root));
}

static void
inclusion_holds_for_each_entry_and_for_nothing_else(void **state)
{
	struct proof proof;

	(void)state;
	for (uint64_t size = 1; size <= SMALL; size++) {
		for (uint64_t index = 0; index < size; index++)
			check_inclusion(index, size);
		assert_int_equal(
		    proof_make_inclusion(&source, size, size, &proof, NULL), AZ_INVALID);
	}
	for (uint64_t i = 0; i < 300; i++)
		check_inclusion((i * 7919) % LARGE, LARGE - i % 3);
	assert_int_equal(proof_make_inclusion(&source, 0, 0, &proof, NULL), AZ_INVALID);
}

static void
check_consistency(uint64_t old_size, uint64_t size)
{
	uint8_t old_root[TREE_HASH_SIZE], root[TREE_HASH_SIZE];
	struct proof proof;

	assert_int_equal(proof_root(&source, old_size, old_root, NULL), AZ_OK);
	assert_int_equal(proof_root(&source, size, root, NULL), AZ_OK);
	assert_int_equal(proof_make_consistency(&source, old_size, size, &proof, NULL), AZ_OK);
	assert_true(proof_check_consistency(&proof, old_size, old_root, size, root));
	for (size_t i = 0; i < proof.count; i++) {
		proof.hashes[i][i % TREE_HASH_SIZE] ^= 0x10;
		assert_false(proof_check_consistency(&proof, old_size, old_root, size, root));
		proof.hashes[i][i % TREE_HASH_SIZE] ^= 0x10;
	}
	old_root[0] ^= 1;
	assert_false(proof_check_consistency(&proof, old_size, old_root, size, root));
	old_root[0] ^= 1;
	root[0] ^= 1;
	/* Nothing stands in an empty tree that a larger one could contradict. */
	if (old_size > 0)
		assert_false(proof_check_consistency(&proof, old_size, old_root, size, root));
	root[0] ^= 1;
	if (proof.count > 0) {
		proof.count--;
		assert_false(proof_check_consistency(&proof, old_size, old_root, size, root));
		proof.count++;
	}
	memset(proof.hashes[proof.count++], 0, TREE_HASH_SIZE);
	assert_false(proof_check_consistency(&proof, old_size, old_root, size, root));
	if (old_size != size)
		assert_false(proof_check_consistency(&proof, size, root, old_size, old_root));
}

static void
consistency_holds_for_each_pair_and_for_nothing_else(void **state)
{
	struct proof proof;

	(void)state;
	for (uint64_t size = 0; size <= SMALL; size++) {
		for (uint64_t old = 0; old <= size; old++)
			check_consistency(old, size);
		assert_int_equal(
		    proof_make_consistency(&source, size + 1, size, &proof, NULL), AZ_INVALID);
	}
	for (uint64_t i = 0; i < 300; i++)
		check_consistency((i * 7919) % LARGE, LARGE - i % 3);
}

static void
a_proof_file_comes_back_as_it_was(void **state)
{
	struct proof_file file;
	struct proof proof;
	struct buffer text;

	(void)state;
	assert_int_equal(proof_make_inclusion(&source, 4711, LARGE, &proof, NULL), AZ_OK);
	buffer_init(&text, PROOF_FILE_MAX, false);
	assert_int_equal(
	    proof_file_write(4711, &proof, bytes_of("entry 4711"), bytes_of("checkpoint"), &text),
	    AZ_OK);
	assert_int_equal(proof_file_read(buffer_peek(&text), &file, NULL), AZ_OK);
	assert_int_equal(file.index, 4711);
	assert_int_equal(file.proof.count, proof.count);
	assert_memory_equal(file.proof.hashes, proof.hashes, proof.count * TREE_HASH_SIZE);
	assert_true(bytes_equal(file.checkpoint, bytes_of("checkpoint")));
	assert_true(bytes_equal(file.extra, bytes_of("ZW50cnkgNDcxMQ==")));
	buffer_fini(&text);
}

static void
what_is_no_proof_file_is_refused(void **state)
{
#define FIRST "c2sp.org/tlog-proof@v1\n"
	static const char *const bad[] = {"", "c2sp.org/tlog-proof@v2\nindex 1\n\n", FIRST,
	    FIRST "index 1\n", FIRST "index 01\n\n", FIRST "index -1\n\n", FIRST "index  1\n\n",
	    FIRST "extra AAAA\n\n", FIRST "index 1\nAAAA\n\n", FIRST "index 1\nextra AAAA\n\n",
	    FIRST "index 1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"};
	struct proof_file file;

	(void)state;
	for (size_t i = 0; i < AZ_ARRAY_SIZE(bad); i++) {
		if (proof_file_read(bytes_of(bad[i]), &file, NULL) == AZ_OK)
			fail_msg("%zu", i);
	}
	assert_int_equal(proof_file_read(bytes_of(FIRST "index 0\n\nrest"), &file, NULL), AZ_OK);
	assert_int_equal(file.extra.size, 0);
}

static void
each_tile_has_one_name(void **state)
{
	static const struct {
		unsigned int level;
		uint64_t number;
		unsigned int width;
		const char *path;
	} good[] = {
	    {0, 0, 256, "tile/0/000"},
	    {0, 1234067, 256, "tile/0/x001/x234/067"},
	    {1, 67, 12, "tile/1/067.p/12"},
	    {TILE_ENTRIES, 1000, 255, "tile/entries/x001/000.p/255"},
	    {7, INT64_MAX >> 8, 1, "tile/7/x036/x028/x797/x018/x963/967.p/1"},
	};
	static const char *const bad[] = {"", "tile", "tile/0/", "tile/0/0", "tile/0/00",
	    "tile/0/1000", "tile/0/x001", "tile/0/001/002", "tile/0/x000/001", "tile/8/000",
	    "tile/00/000", "tile/0/000.p/0", "tile/0/000.p/256", "tile/0/000.p/01", "tile/0/000.p/",
	    "tile/0/000/", "tile/entries/../../x", "tile/0/000.p/1/", "/tile/0/000", "tile//0/000",
	    "tile/0/x999/x999/x999/x999/x999/x999/999",
	    "tile/0/x001/x001/x001/x001/x001/x001/x001/001"};
	char path[TILE_PATH_MAX];

	(void)state;
	for (size_t i = 0; i < AZ_ARRAY_SIZE(good); i++) {
		unsigned int level = 99, width = 99;
		uint64_t number = 99;

		tile_path(good[i].level, good[i].number, good[i].width, path);
		assert_string_equal(path, good[i].path);
		assert_true(tile_path_parse(path, &level, &number, &width));
		assert_int_equal(level, good[i].level);
		assert_int_equal(number, good[i].number);
		assert_int_equal(width, good[i].width);
	}
	for (size_t i = 0; i < AZ_ARRAY_SIZE(bad); i++) {
		unsigned int level, width;
		uint64_t number;

		if (tile_path_parse(bad[i], &level, &number, &width))
			fail_msg("%s", bad[i]);
	}
	assert_int_equal(tile_count(0, 70000), 70000);
	assert_int_equal(tile_count(1, 70000), 273);
	assert_int_equal(tile_count(2, 70000), 1);
	assert_int_equal(tile_count(3, 70000), 0);
	assert_int_equal(tile_count(TILE_ENTRIES, 70000), 70000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(roots_are_those_of_the_definition),
	    cmocka_unit_test(inclusion_holds_for_each_entry_and_for_nothing_else),
	    cmocka_unit_test(consistency_holds_for_each_pair_and_for_nothing_else),
	    cmocka_unit_test(a_proof_file_comes_back_as_it_was),
	    cmocka_unit_test(what_is_no_proof_file_is_refused),
	    cmocka_unit_test(each_tile_has_one_name),
	};

	return cmocka_run_group_tests(tests, store, discard);
}
