/*
 * The Merkle tree of RFC 6962 §2.1: leaf = SHA-256(0x00 ‖ entry), node = SHA-256(0x01 ‖ left ‖ right),
 * the root of nothing is SHA-256 of nothing, and a tree is split at the largest power of two below its
 * size.
 *
 * A growing tree needs only its right edge: one full subtree for each bit of its size. Appending a leaf is
 * binary addition, with a node hash for each carry; the root is the peaks folded from the right.
 */
#include <string.h>

#include "ledger/ledger_internal.h"

#define GROUP_BITS 8 /* a stored level is 8 levels of the tree above the one before it */
#define GROUP      ((uint64_t)1 << GROUP_BITS)

void
tree_leaf(struct bytes entry, uint8_t ret_hash[TREE_HASH_SIZE])
{
	static const uint8_t prefix = 0x00;
	struct sha256 hash;

	sha256_init(&hash);
	sha256_update(&hash, &prefix, 1);
	sha256_update(&hash, entry.data, entry.size);
	sha256_final(&hash, ret_hash);
}

/* ret_hash may be left or right. */
static void
tree_node(const uint8_t left[TREE_HASH_SIZE], const uint8_t right[TREE_HASH_SIZE],
    uint8_t ret_hash[TREE_HASH_SIZE])
{
	uint8_t input[1 + 2 * TREE_HASH_SIZE];

	input[0] = 0x01;
	memcpy(input + 1, left, TREE_HASH_SIZE);
	memcpy(input + 1 + TREE_HASH_SIZE, right, TREE_HASH_SIZE);
	sha256(bytes_make(input, sizeof(input)), ret_hash);
}

/* Adds a full subtree of 2^level leaves; the tree must be a multiple of that size. */
static void
append_subtree(struct tree *tree, unsigned int level, const uint8_t hash[TREE_HASH_SIZE])
{
	uint8_t carry[TREE_HASH_SIZE];

	memcpy(carry, hash, TREE_HASH_SIZE);
	tree->size += (uint64_t)1 << level;
	/* Bits that the addition cleared are peaks it used up. */
	for (; (tree->size >> level & 1) == 0; level++)
		tree_node(tree->peaks[level], carry, carry);
	memcpy(tree->peaks[level], carry, TREE_HASH_SIZE);
}

void
tree_append(struct tree *tree, const uint8_t leaf[TREE_HASH_SIZE])
{
	append_subtree(tree, 0, leaf);
}

void
tree_root(const struct tree *tree, uint8_t ret_root[TREE_HASH_SIZE])
{
	bool started = false;

	if (tree->size == 0) {
		sha256(bytes_make(NULL, 0), ret_root);
		return;
	}
	for (unsigned int level = 0; level < 64; level++) {
		if ((tree->size >> level & 1) == 0)
			continue;
		if (started)
			tree_node(tree->peaks[level], ret_root, ret_root);
		else
			memcpy(ret_root, tree->peaks[level], TREE_HASH_SIZE);
		started = true;
	}
}

enum az_status
tree_restore(uint64_t size,
    enum az_status (*read)(void *arg, unsigned int level, uint64_t index, size_t count,
	uint8_t *hashes, struct az_err *reterr),
    void *arg, struct tree *ret_tree, struct az_err *reterr)
{
	struct tree tree = {0};
	uint8_t hashes[GROUP * TREE_HASH_SIZE];
	uint64_t done = 0;

	/* From the highest stored level down, what the size has there: at most 255 hashes each. */
	for (unsigned int level = 64 / GROUP_BITS; level-- > 0;) {
		unsigned int shift = level * GROUP_BITS;
		uint64_t first = done >> shift;
		size_t count = (size_t)((size >> shift) - first);
		enum az_status status;

		if (count == 0)
			continue;
		if (level >= LOG_LEVELS)
			return az_fail(
			    reterr, AZ_LIMIT, "ledger: a log of that size is not possible");
		/* The highest stored level has no next one, and may hold more than a group. */
		for (size_t read_count = 0; read_count < count;) {
			size_t part =
			    count - read_count < GROUP ? count - read_count : (size_t)GROUP;

			status = read(arg, level, first + read_count, part, hashes, reterr);
			if (status != AZ_OK)
				return status;
			for (size_t i = 0; i < part; i++)
				append_subtree(&tree, shift, hashes + i * TREE_HASH_SIZE);
			read_count += part;
		}
		done = tree.size;
	}
	*ret_tree = tree;
	return AZ_OK;
}
