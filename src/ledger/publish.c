/*
 * Publishing one log as the static files of C2SP tlog-tiles: the files end to end that log.c keeps are cut
 * into bundles and tiles of 256, and what is left at the right edge becomes the partial ones of this size.
 * Nothing is stored for it: a partial tile for every size that ever had a checkpoint would fill the disk.
 *
 *	vkey  tile/…  tile/entries/…  cosigned  checkpoint        in that order: the checkpoint comes last
 *
 * Whoever has an older export gets what it lacks: each level from its last tile that was not full.
 *
 * It publishes what was written or nothing: every entry must have its stored hash, the hashes of each full tile
 * must lead to the one stored above it, and all of them to the signed root.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/wire.h"
#include "ledger/ledger_internal.h"

#define CHUNK         ((size_t)1024 * 1024)
#define PROGRESS_STEP 65536u

struct publishing {
	const struct log *log;
	const struct ledger_publish *publish;
	struct parts_writer *writer;
	uint64_t size; /* of the checkpoint */
	uint8_t *chunk;
	size_t chunk_size, chunk_used;
	uint64_t offset; /* in the file of entries, behind the chunk */
	uint8_t hashes[TILE_SIZE];
	uint8_t bundle[TILE_WIDTH * (2 + LEDGER_ENTRY_MAX)];
};

/* --- entries ---------------------------------------------------------------------------------- */

/* The next entry with its size before it, borrowed until the next call. */
static enum az_status
next_entry(struct publishing *state, struct bytes *ret_stored, struct az_err *reterr)
{
	const struct log *log = state->log;
	size_t left = state->chunk_size - state->chunk_used;
	size_t size = left < 2 ? 2 : (size_t)2 + wire_load_u16be(state->chunk + state->chunk_used);
	enum az_status status;

	if (left < size || left < 2) {
		uint64_t end = log->entries_size;
		uint64_t start = state->offset - left;
		size_t now = end - start < CHUNK ? (size_t)(end - start) : CHUNK;

		if (start + 2 > end)
			return az_fail(reterr, AZ_FORGED, "ledger: log %u is cut short", log->id);
		status = file_read_at(log->entries, state->chunk, now, start, reterr);
		if (status != AZ_OK)
			return status;
		state->chunk_size = now;
		state->chunk_used = 0;
		state->offset = start + now;
		size = (size_t)2 + wire_load_u16be(state->chunk);
		if (size > now)
			return az_fail(reterr, AZ_FORGED, "ledger: log %u is cut short", log->id);
	}
	if (size > 2 + LEDGER_ENTRY_MAX)
		return az_fail(
		    reterr, AZ_FORGED, "ledger: an entry of log %u is too long", log->id);
	*ret_stored = bytes_make(state->chunk + state->chunk_used, size);
	state->chunk_used += size;
	return AZ_OK;
}

/* One bundle, whose leaf hashes lie in state->hashes. */
static enum az_status
put_bundle(struct publishing *state, uint64_t number, unsigned int width, struct az_err *reterr)
{
	char path[TILE_PATH_MAX];
	size_t used = 0;

	for (unsigned int i = 0; i < width; i++) {
		uint8_t leaf[TREE_HASH_SIZE];
		struct bytes stored = {0};
		enum az_status status = next_entry(state, &stored, reterr);

		if (status != AZ_OK)
			return status;
		tree_leaf(bytes_make(stored.data + 2, stored.size - 2), leaf);
		if (!bytes_equal(bytes_make(leaf, sizeof(leaf)),
			bytes_make(state->hashes + i * TREE_HASH_SIZE, TREE_HASH_SIZE)))
			return az_fail(reterr, AZ_FORGED,
			    "ledger: entry %llu of log %u is not the one that was written",
			    (unsigned long long)(number * TILE_WIDTH + i), state->log->id);
		memcpy(state->bundle + used, stored.data, stored.size);
		used += stored.size;
	}
	tile_path(TILE_ENTRIES, number, width, path);
	parts_file(state->writer, path, bytes_make(state->bundle, used));
	return AZ_OK;
}

/* --- tiles ------------------------------------------------------------------------------------ */

/* A full tile is what the next level says it is. */
static enum az_status
check_tile(
    const struct publishing *state, unsigned int level, uint64_t number, struct az_err *reterr)
{
	uint8_t above[TREE_HASH_SIZE], root[TREE_HASH_SIZE];
	struct tree tree = {0};
	enum az_status status;

	if (level + 1 >= LOG_LEVELS)
		return AZ_OK;
	status = log_read_hashes(state->log, level + 1, number, 1, above, reterr);
	if (status != AZ_OK)
		return status;
	for (size_t i = 0; i < TILE_WIDTH; i++)
		tree_append(&tree, state->hashes + i * TREE_HASH_SIZE);
	tree_root(&tree, root);
	if (!bytes_equal(bytes_make(root, sizeof(root)), bytes_make(above, sizeof(above))))
		return az_fail(reterr, AZ_FORGED,
		    "ledger: the stored hashes of log %u were changed", state->log->id);
	return AZ_OK;
}

static enum az_status
put_level(struct publishing *state, unsigned int level,
    void (*progress)(void *arg, uint64_t entries), void *arg, struct az_err *reterr)
{
	uint64_t count = tile_count(level, state->size);
	uint64_t number = tile_count(level, state->publish->have) / TILE_WIDTH;
	char path[TILE_PATH_MAX];
	enum az_status status = AZ_OK;

	for (; number * TILE_WIDTH < count && status == AZ_OK; number++) {
		uint64_t left = count - number * TILE_WIDTH;
		unsigned int width = left < TILE_WIDTH ? (unsigned int)left : TILE_WIDTH;

		status = log_read_hashes(
		    state->log, level, number * TILE_WIDTH, width, state->hashes, reterr);
		if (status == AZ_OK && width == TILE_WIDTH)
			status = check_tile(state, level, number, reterr);
		if (status != AZ_OK)
			return status;
		tile_path(level, number, width, path);
		parts_file(
		    state->writer, path, bytes_make(state->hashes, (size_t)width * TREE_HASH_SIZE));
		if (level == 0)
			status = put_bundle(state, number, width, reterr);
		if (level == 0 && progress != NULL &&
		    (number + 1) * TILE_WIDTH % PROGRESS_STEP == 0)
			progress(arg, (number + 1) * TILE_WIDTH);
		/* Nobody reads it: what is left need not be computed. */
		if (status == AZ_OK && state->writer->status != AZ_OK)
			return az_fail(
			    reterr, state->writer->status, "%s", state->writer->err.text);
	}
	return status;
}

/* --- the whole -------------------------------------------------------------------------------- */

/* The checkpoint that is published: signed, not behind what was asked for, and of these hashes. */
static enum az_status
read_checkpoint(const struct publishing *state, const struct note_key *key, struct buffer *note,
    struct checkpoint *ret_checkpoint, struct az_err *reterr)
{
	const struct ledger_publish *publish = state->publish;
	struct hash_source source = log_source(state->log);
	uint8_t root[TREE_HASH_SIZE];
	enum az_status status = file_read_whole(state->log->dirfd, "checkpoint", note, reterr);

	if (status == AZ_OK)
		status = checkpoint_open_signed(buffer_peek(note), key, ret_checkpoint, reterr);
	if (status == AZ_OK &&
	    (ret_checkpoint->size < publish->head.size || ret_checkpoint->size < publish->have))
		status = az_fail(reterr, AZ_FORGED,
		    "ledger: the checkpoint of log %u is behind the log", publish->log);
	if (status == AZ_OK)
		status = proof_root(&source, ret_checkpoint->size, root, reterr);
	if (status == AZ_OK &&
	    !bytes_equal(bytes_make(root, sizeof(root)),
		bytes_make(ret_checkpoint->root, sizeof(ret_checkpoint->root))))
		status = az_fail(reterr, AZ_FORGED,
		    "ledger: log %u is not the one its checkpoint was signed over", publish->log);
	return status;
}

/* How far entries can be read. What is behind the checkpoint, perhaps being written, is not. */
static enum az_status
find_size(struct log *log, struct az_err *reterr)
{
	struct stat info;

	if (fstat(log->entries, &info) != 0)
		return az_fail_errno(
		    reterr, AZ_IO, errno, "ledger: cannot look at log %u", log->id);
	log->entries_size = (uint64_t)info.st_size;
	return AZ_OK;
}

static enum az_status
put_vkey(struct publishing *state, const struct note_key *key)
{
	struct buffer text;
	enum az_status status;

	buffer_init(&text, NOTE_VKEY_MAX, false);
	status = note_key_text(key, &text);
	if (status == AZ_OK)
		status = buffer_append(&text, bytes_of("\n"));
	if (status == AZ_OK)
		parts_file(state->writer, "vkey", buffer_peek(&text));
	buffer_fini(&text);
	return status;
}

static enum az_status
put_all(struct publishing *state, const struct note_key *key,
    void (*progress)(void *arg, uint64_t entries), void *arg, struct az_err *reterr)
{
	struct checkpoint checkpoint = {0};
	struct buffer note;
	enum az_status status;

	buffer_init(&note, NOTE_MAX, false);
	status = read_checkpoint(state, key, &note, &checkpoint, reterr);
	if (status == AZ_OK)
		status = put_vkey(state, key);
	state->size = checkpoint.size;
	state->offset =
	    state->publish->have >= TILE_WIDTH ? state->publish->have_offset : FILE_HEADER_SIZE;
	for (unsigned int level = 0; level < LOG_LEVELS && status == AZ_OK; level++)
		status = put_level(state, level, progress, arg, reterr);
	if (status == AZ_OK)
		parts_file(state->writer, "checkpoint", buffer_peek(&note));
	buffer_fini(&note);
	return status;
}

enum az_status
ledger_publish(int dirfd, const uint8_t house[HOUSE_ID_SIZE], struct ledger_publish *publish,
    struct parts_writer *writer, void (*progress)(void *arg, uint64_t entries), void *arg,
    struct az_err *reterr)
{
	struct publishing *state = calloc(1, sizeof(*state));
	struct note_key key;
	struct log log;
	enum az_status status;

	if (state == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "ledger: out of memory");
	status = log_open(dirfd, house, publish->log, false, true, &log, reterr);
	if (status != AZ_OK) {
		free(state);
		return status;
	}
	*state = (struct publishing){
	    .log = &log, .publish = publish, .writer = writer, .chunk = malloc(CHUNK)};
	status = state->chunk == NULL ? az_fail(reterr, AZ_NO_MEMORY, "ledger: out of memory")
				      : log_note_key(house, publish->head.generation, publish->log,
					    publish->public_key, &key, reterr);
	if (status == AZ_OK)
		status = find_size(&log, reterr);
	if (status == AZ_OK)
		status = put_all(state, &key, progress, arg, reterr);
	if (status == AZ_OK) {
		publish->size = state->size;
		status = parts_finish(writer, reterr);
	}
	log_close(&log);
	free(state->chunk);
	free(state);
	return status;
}
