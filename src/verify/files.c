/*
 * Reading the entries of a published log in order, once they were found good.
 */
#include "verify/verify_internal.h"

bool
hash_is_equal(const uint8_t a[TREE_HASH_SIZE], const uint8_t b[TREE_HASH_SIZE])
{
	return bytes_equal(bytes_make(a, TREE_HASH_SIZE), bytes_make(b, TREE_HASH_SIZE));
}

/* --- reading again ---------------------------------------------------------------------------- */

enum az_status
log_visit(const struct published_log *source, const struct log_check *check,
    void (*visit)(void *arg, uint64_t index, const struct ledger_read *read), void *arg,
    struct az_err *reterr)
{
	struct tree tree = {0};
	uint8_t root[TREE_HASH_SIZE];
	struct buffer bundle;
	enum az_status status = AZ_OK;

	buffer_init(&bundle, BUNDLE_MAX, false);
	while (tree.size < check->size && status == AZ_OK) {
		uint64_t left = check->size - tree.size;
		unsigned int width = left < TILE_WIDTH ? (unsigned int)left : TILE_WIDTH;
		char path[TILE_PATH_MAX];
		struct bytes rest, entry;

		status = published_part(
		    source, TILE_ENTRIES, tree.size / TILE_WIDTH, width, &bundle, path, reterr);
		rest = buffer_peek(&bundle);
		for (unsigned int i = 0; i < width && status == AZ_OK; i++) {
			struct ledger_read read;
			uint8_t leaf[TREE_HASH_SIZE];
			bool known;

			if (!bundle_next(&rest, &entry)) {
				status = az_fail(
				    reterr, AZ_FORGED, "%s was changed while it was read", path);
				break;
			}
			known = ledger_entry_decode(entry, 0, &read) == AZ_OK;
			visit(arg, tree.size, known ? &read : NULL);
			tree_leaf(entry, leaf);
			tree_append(&tree, leaf);
		}
	}
	buffer_fini(&bundle);
	tree_root(&tree, root);
	if (status == AZ_OK && !hash_is_equal(root, check->root))
		status = az_fail(reterr, AZ_FORGED,
		    "the log was changed while it was read: believe "
		    "nothing that was told of it");
	return status;
}
