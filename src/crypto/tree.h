/*
 * The Merkle tree of RFC 6962 §2.1, growing at its right edge. Cannot fail.
 */
#ifndef AZ_CRYPTO_TREE_H
#define AZ_CRYPTO_TREE_H

#include "base/bytes.h"

#define TREE_HASH_SIZE 32

/* peaks[i] is a full subtree of 2^i leaves if bit i of size is set. All zero is the empty tree. */
struct tree {
	uint64_t size;
	uint8_t peaks[64][TREE_HASH_SIZE];
};

/* SHA-256(0x00 ‖ entry) */
void tree_leaf(struct bytes entry, uint8_t ret_hash[TREE_HASH_SIZE]);
/* SHA-256(0x01 ‖ left ‖ right); ret_hash may be either of them. */
void tree_node(const uint8_t left[TREE_HASH_SIZE], const uint8_t right[TREE_HASH_SIZE],
    uint8_t ret_hash[TREE_HASH_SIZE]);
/* Of an entry that stands in two pieces, one behind the other. */
void tree_leaf_of(struct bytes head, struct bytes rest, uint8_t ret_hash[TREE_HASH_SIZE]);
/* The hash over 2^bits of them, a full subtree; bits is at most TREE_FULL_BITS. */
#define TREE_FULL_BITS 8u
void tree_full(
    const uint8_t (*hashes)[TREE_HASH_SIZE], unsigned int bits, uint8_t ret_hash[TREE_HASH_SIZE]);
void tree_append(struct tree *tree, const uint8_t leaf[TREE_HASH_SIZE]);
/* Adds a full subtree of 2^level leaves; the tree's size must be a multiple of that. */
void tree_append_subtree(struct tree *tree, unsigned int level, const uint8_t hash[TREE_HASH_SIZE]);
/* Of the empty tree: SHA-256 of nothing. */
void tree_root(const struct tree *tree, uint8_t ret_root[TREE_HASH_SIZE]);

#endif
