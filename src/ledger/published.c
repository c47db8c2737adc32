/*
 * Reading a published log: its files, as the signed size says they are, and proofs out of its tiles.
 */
#include <string.h>

#include "base/file.h"
#include "ledger/evidence.h"

/* --- files ------------------------------------------------------------------------------------ */

static enum az_status
read_from_folder(void *arg, const char *path, struct buffer *buffer, struct az_err *reterr)
{
	const int *dirfd = arg;

	return file_read_whole(*dirfd, path, buffer, reterr);
}

struct published_log
published_folder(const int *dirfd)
{
	/* The source hands back what it was given; read_from_folder writes nothing there. */
	union {
		const int *in;
		void *out;
	} arg = {.in = dirfd};

	return (struct published_log){.read = read_from_folder, .arg = arg.out};
}

/* A file that the signed size says is there. */
enum az_status
published_part(const struct published_log *source, unsigned int level, uint64_t number,
    unsigned int width, struct buffer *buffer, char path[TILE_PATH_MAX], struct az_err *reterr)
{
	struct az_err err = {0};
	enum az_status status;

	tile_path(level, number, width, path);
	status = source->read(source->arg, path, buffer, &err);
	if (status == AZ_NOT_FOUND)
		return az_fail(reterr, AZ_FORGED, "%s is missing", path);
	if (status == AZ_LIMIT)
		return az_fail(reterr, AZ_FORGED, "%s is longer than it can be", path);
	if (status != AZ_OK)
		return az_fail(reterr, status, "%s", err.text);
	return AZ_OK;
}

enum az_status
published_tile(const struct published_log *source, unsigned int level, uint64_t number,
    unsigned int width, struct buffer *buffer, char path[TILE_PATH_MAX], struct az_err *reterr)
{
	enum az_status status = published_part(source, level, number, width, buffer, path, reterr);

	if (status == AZ_OK && buffer->size != (size_t)width * TREE_HASH_SIZE)
		return az_fail(reterr, AZ_FORGED, "%s has %zu bytes and not %u", path, buffer->size,
		    width * (unsigned int)TREE_HASH_SIZE);
	return status;
}

/* --- proofs out of tiles ---------------------------------------------------------------------- */

struct tiles {
	const struct published_log *source;
	uint64_t size;
	struct buffer tile;
};

static enum az_status
read_hashes(void *arg, unsigned int level, uint64_t index, size_t count, uint8_t *hashes,
    struct az_err *reterr)
{
	struct tiles *tiles = arg;
	uint64_t total = tile_count(level, tiles->size);

	for (size_t done = 0; done < count;) {
		uint64_t number = (index + done) / TILE_WIDTH;
		size_t offset = (size_t)((index + done) % TILE_WIDTH);
		uint64_t left = total > number * TILE_WIDTH ? total - number * TILE_WIDTH : 0;
		unsigned int width = left < TILE_WIDTH ? (unsigned int)left : TILE_WIDTH;
		size_t now = width > offset ? width - offset : 0;
		char path[TILE_PATH_MAX];
		enum az_status status;

		if (now > count - done)
			now = count - done;
		if (now == 0)
			return az_fail(reterr, AZ_INVALID, "proof: beyond the end of the log");
		status =
		    published_tile(tiles->source, level, number, width, &tiles->tile, path, reterr);
		if (status != AZ_OK)
			return status;
		memcpy(hashes + done * TREE_HASH_SIZE, tiles->tile.data + offset * TREE_HASH_SIZE,
		    now * TREE_HASH_SIZE);
		done += now;
	}
	return AZ_OK;
}

static struct hash_source
hashes_of(struct tiles *tiles)
{
	struct hash_source hashes = {.read = read_hashes, .arg = tiles, .levels = 1};

	while (hashes.levels < TILE_LEVELS && tile_count(hashes.levels, tiles->size) > 0)
		hashes.levels++;
	buffer_init(&tiles->tile, TILE_SIZE + 1, false);
	return hashes;
}

enum az_status
published_root(const struct published_log *log, uint64_t size, uint64_t earlier,
    uint8_t ret_root[TREE_HASH_SIZE], struct az_err *reterr)
{
	struct tiles tiles = {.source = log, .size = size};
	struct hash_source hashes = hashes_of(&tiles);
	enum az_status status = proof_root(&hashes, earlier, ret_root, reterr);

	buffer_fini(&tiles.tile);
	return status;
}

enum az_status
published_consistency(const struct published_log *source, uint64_t size, uint64_t older,
    uint64_t newer, struct proof *ret_proof, struct az_err *reterr)
{
	struct tiles tiles = {.source = source, .size = size};
	struct hash_source hashes = hashes_of(&tiles);
	enum az_status status;

	status = proof_make_consistency(&hashes, older, newer, ret_proof, reterr);
	buffer_fini(&tiles.tile);
	return status;
}
