/*
 * Restoring the right edge of a log's tree from its stored hashes (crypto/tree.h has the tree).
 */
#include "ledger/ledger_internal.h"

#define GROUP_BITS 8 /* a stored level is 8 levels of the tree above the one before it */
#define GROUP      ((uint64_t)1 << GROUP_BITS)

enum az_status
tree_restore(
    const struct hash_source *source, uint64_t size, struct tree *ret_tree, struct az_err *reterr)
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
		if (level >= source->levels)
			return az_fail(
			    reterr, AZ_LIMIT, "ledger: a log of that size is not possible");
		/* The highest stored level has no next one, and may hold more than a group. */
		for (size_t read_count = 0; read_count < count;) {
			size_t part =
			    count - read_count < GROUP ? count - read_count : (size_t)GROUP;

			status = source->read(
			    source->arg, level, first + read_count, part, hashes, reterr);
			if (status != AZ_OK)
				return status;
			for (size_t i = 0; i < part; i++)
				tree_append_subtree(&tree, shift, hashes + i * TREE_HASH_SIZE);
			read_count += part;
		}
		done = tree.size;
	}
	*ret_tree = tree;
	return AZ_OK;
}
