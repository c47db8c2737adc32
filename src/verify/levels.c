/*
 * What stands above the bundles of a published log: the tiles of hashes, the roots at the sizes that somebody
 * signed, and time, which runs on from bundle to bundle. It is a 256th of the work.
 */
#include <stdlib.h>

#include "verify/verify_internal.h"

/* --- above the bundles ------------------------------------------------------------------------ */

enum az_status
hashed_check_times(struct hashed *hashed, struct az_err *reterr)
{
	struct log_check *check = hashed->check;
	bool any = false;

	for (uint64_t i = 0; i < hashed->bundles; i++) {
		const struct span *span = &hashed->spans[i];

		if (span->first_us > span->last_us)
			continue;
		if (any && span->first_us < check->last_us)
			return az_fail(reterr, AZ_FORGED,
			    "an entry of bundle %llu is older than the one before it",
			    (unsigned long long)i);
		if (!any)
			check->first_us = span->first_us;
		any = true;
		check->last_us = span->last_us;
	}
	return AZ_OK;
}

/* Compares the stored tiles of a level with its hashes. */
static enum az_status
check_level(struct hashed *hashed, unsigned int level, const uint8_t (*hashes)[TREE_HASH_SIZE],
    uint64_t count, struct az_err *reterr)
{
	struct buffer tile;
	enum az_status status = AZ_OK;

	buffer_init(&tile, TILE_SIZE + 1, false);
	for (uint64_t number = 0; number * TILE_WIDTH < count && status == AZ_OK; number++) {
		uint64_t left = count - number * TILE_WIDTH;
		unsigned int width = left < TILE_WIDTH ? (unsigned int)left : TILE_WIDTH;
		char path[TILE_PATH_MAX];

		status = published_tile(hashed->source, level, number, width, &tile, path, reterr);
		for (unsigned int i = 0; i < width && status == AZ_OK; i++) {
			uint64_t at = number * TILE_WIDTH + i;
			unsigned int shift = 8 * level;

			if (!hash_is_equal(hashes[at], tile.data + (size_t)i * TREE_HASH_SIZE))
				status = az_fail(reterr, AZ_FORGED,
				    "%s, at byte %u, is not the hash over entries %llu to %llu",
				    path, i * (unsigned int)TREE_HASH_SIZE,
				    (unsigned long long)(at << shift),
				    (unsigned long long)((at + 1) << shift) - 1);
		}
	}
	buffer_fini(&tile);
	return status;
}

enum az_status
hashed_check_levels(struct hashed *hashed, struct az_err *reterr)
{
	uint64_t count = tile_count(1, hashed->check->size);
	uint8_t(*below)[TREE_HASH_SIZE] =
	    NULL; /* of the level before, if it is not hashed->hashes */
	uint8_t(*hashes)[TREE_HASH_SIZE] = hashed->hashes;
	enum az_status status = AZ_OK;

	for (unsigned int level = 1; count > 0 && status == AZ_OK; level++) {
		uint64_t next = count / TILE_WIDTH;
		uint8_t(*above)[TREE_HASH_SIZE];

		status = check_level(
		    hashed, level, (const uint8_t(*)[TREE_HASH_SIZE])hashes, count, reterr);
		if (status != AZ_OK)
			break;
		above = calloc((size_t)next + 1, sizeof(*above));
		if (above == NULL) {
			status = az_fail(reterr, AZ_NO_MEMORY, "log: out of memory");
			break;
		}
		for (uint64_t i = 0; i < next; i++) {
			tree_full((const uint8_t(*)[TREE_HASH_SIZE])hashes + i * TILE_WIDTH,
			    TREE_FULL_BITS, above[i]);
		}
		free(below);
		below = above;
		hashes = above;
		count = next;
	}
	free(below);
	return status;
}

/* --- roots ------------------------------------------------------------------------------------ */

void
hashed_keep(struct hashed *hashed, uint64_t size)
{
	if (size % TILE_WIDTH != 0)
		hashed->kept[hashed->kept_count++].bundle = size / TILE_WIDTH;
}

static void
root_at(const struct hashed *hashed, uint64_t size, uint8_t ret_root[TREE_HASH_SIZE])
{
	struct tree tree = {0};
	const struct kept *kept = hashed->kept;

	for (uint64_t i = 0; i < size / TILE_WIDTH; i++)
		tree_append_subtree(&tree, 8, hashed->hashes[i]);
	while (size % TILE_WIDTH != 0 && kept->bundle != size / TILE_WIDTH)
		kept++;
	for (uint64_t i = 0; i < size % TILE_WIDTH; i++)
		tree_append(&tree, kept->leaves[i]);
	tree_root(&tree, ret_root);
}

enum az_status
hashed_check_root(const struct hashed *hashed, const struct checkpoint *checkpoint,
    const char *what, struct az_err *reterr)
{
	uint8_t root[TREE_HASH_SIZE];

	root_at(hashed, checkpoint->size, root);
	if (hash_is_equal(root, checkpoint->root))
		return AZ_OK;
	return az_fail(reterr, AZ_FORGED, "the first %llu entries are not those of %s",
	    (unsigned long long)checkpoint->size, what);
}
