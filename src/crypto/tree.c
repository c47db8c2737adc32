/*
 * The Merkle tree of RFC 6962 §2.1: leaf = SHA-256(0x00 ‖ entry), node = SHA-256(0x01 ‖ left ‖ right),
 * the root of nothing is SHA-256 of nothing, and a tree is split at the largest power of two below its
 * size.
 *
 * A growing tree needs only its right edge: one full subtree for each bit of its size. Appending a leaf is
 * binary addition, with a node hash for each carry; the root is the peaks folded from the right.
 */
#include "crypto/tree.h"

#include <assert.h>
#include <string.h>

#include "crypto/hash.h"

void
tree_leaf_of(struct bytes head, struct bytes rest, uint8_t ret_hash[TREE_HASH_SIZE])
{
	static const uint8_t prefix = 0x00;
	uint8_t message[SHA256_SHORT_ROOM];
	struct sha256 hash;

	if (head.size < SHA256_SHORT_MAX && rest.size < SHA256_SHORT_MAX - head.size) {
		message[0] = prefix;
		if (head.size > 0)
			memcpy(message + 1, head.data, head.size);
		if (rest.size > 0)
			memcpy(message + 1 + head.size, rest.data, rest.size);
		sha256_short(message, 1 + head.size + rest.size, ret_hash);
		return;
	}
	sha256_init(&hash);
	sha256_update(&hash, &prefix, 1);
	sha256_update(&hash, head.data, head.size);
	sha256_update(&hash, rest.data, rest.size);
	sha256_final(&hash, ret_hash);
}

void
tree_leaf(struct bytes entry, uint8_t ret_hash[TREE_HASH_SIZE])
{
	tree_leaf_of(entry, bytes_make(NULL, 0), ret_hash);
}

void
tree_node(const uint8_t left[TREE_HASH_SIZE], const uint8_t right[TREE_HASH_SIZE],
    uint8_t ret_hash[TREE_HASH_SIZE])
{
	uint8_t message[SHA256_SHORT_ROOM];

	message[0] = 0x01;
	memcpy(message + 1, left, TREE_HASH_SIZE);
	memcpy(message + 1 + TREE_HASH_SIZE, right, TREE_HASH_SIZE);
	sha256_short(message, 1 + 2 * TREE_HASH_SIZE, ret_hash);
}

void
tree_full(
    const uint8_t (*hashes)[TREE_HASH_SIZE], unsigned int bits, uint8_t ret_hash[TREE_HASH_SIZE])
{
	uint8_t above[(size_t)1 << (TREE_FULL_BITS - 1)][TREE_HASH_SIZE];
	size_t count = (size_t)1 << bits;

	assert(bits <= TREE_FULL_BITS);
	if (bits == 0) {
		memcpy(ret_hash, hashes[0], TREE_HASH_SIZE);
		return;
	}
	for (size_t i = 0; i < count / 2; i++)
		tree_node(hashes[2 * i], hashes[2 * i + 1], above[i]);
	/* In place: what is overwritten was read already. */
	for (count /= 2; count > 1; count /= 2) {
		for (size_t i = 0; i < count / 2; i++)
			tree_node(above[2 * i], above[2 * i + 1], above[i]);
	}
	memcpy(ret_hash, above[0], TREE_HASH_SIZE);
}

void
tree_append_subtree(struct tree *tree, unsigned int level, const uint8_t hash[TREE_HASH_SIZE])
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
	tree_append_subtree(tree, 0, leaf);
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
