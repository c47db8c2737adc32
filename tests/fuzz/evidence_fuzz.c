/*
 * What an auditor takes from strangers: notes, keys, checkpoints, proofs, names of tiles. What is read has
 * one spelling, so it comes back as it was.
 *
 * The first byte says what the rest is.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "ledger/evidence.h"
#include "ledger/ledger.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char key_text[] = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";

static void
read_note(struct bytes bytes)
{
	struct note_key key;
	struct note note;
	int64_t time;

	assert(note_key_parse(bytes_of(key_text), &key, NULL) == AZ_OK);
	if (note_open(bytes, &note, NULL) != AZ_OK)
		return;
	assert(note.text.size + 1 + note.lines.size == bytes.size);
	assert(note.lines.size > 0 && note.text.data[note.text.size - 1] == '\n');
	az_ignore(note_check(&note, &key, &time, NULL));
	key.type = NOTE_KEY_COSIGNATURE;
	az_ignore(note_check(&note, &key, &time, NULL));
}

static void
read_key(struct bytes bytes)
{
	struct note_key key;
	struct buffer again;

	if (note_key_parse(bytes, &key, NULL) != AZ_OK)
		return;
	buffer_init(&again, NOTE_VKEY_MAX, false);
	assert(note_key_text(&key, &again) == AZ_OK);
	/* Digits of the id may be of either case. */
	assert(again.size == bytes.size || again.size + 1 == bytes.size);
	buffer_fini(&again);
}

static void
read_checkpoint(struct bytes bytes)
{
	struct checkpoint checkpoint;

	if (checkpoint_open(bytes, &checkpoint, NULL) == AZ_OK)
		assert(checkpoint.origin.size > 0 && checkpoint.size <= INT64_MAX);
}

static void
read_proof(struct bytes bytes)
{
	struct proof_file file;
	struct buffer entry, again;

	if (proof_file_read(bytes, &file, NULL) != AZ_OK)
		return;
	assert(file.proof.count <= PROOF_MAX);
	buffer_init(&entry, PROOF_FILE_MAX, false);
	buffer_init(&again, PROOF_FILE_MAX + 64, false);
	if (file.extra.size > 0 && base64_decode(file.extra, &entry) == AZ_OK) {
		assert(proof_file_write(file.index, &file.proof, buffer_peek(&entry),
			   file.checkpoint, &again) == AZ_OK);
		assert(bytes_equal(buffer_peek(&again), bytes));
	}
	buffer_fini(&entry);
	buffer_fini(&again);
}

static void
read_path(struct bytes bytes)
{
	char path[2 * TILE_PATH_MAX] = {0};
	char again[TILE_PATH_MAX];
	unsigned int level, width;
	uint64_t number;

	if (bytes.size >= sizeof(path))
		return;
	if (bytes.size > 0)
		memcpy(path, bytes.data, bytes.size);
	if (!tile_path_parse(path, &level, &number, &width))
		return;
	tile_path(level, number, width, again);
	assert(strcmp(again, path) == 0);
}

static void
read_bundle(struct bytes bytes)
{
	struct bytes rest = bytes;
	struct bytes entry;
	size_t total = 0;

	while (bundle_next(&rest, &entry)) {
		struct ledger_read read;

		total += 2 + entry.size;
		assert(entry.data >= bytes.data && entry.size <= bytes.size);
		if (ledger_entry_decode(entry, 1, &read) == AZ_OK)
			assert(ledger_entry_name(read.entry.type) != NULL);
	}
	assert(total + rest.size == bytes.size);
}

static void
read_lines(struct bytes bytes)
{
	struct bytes rest = bytes;
	struct proof proof;
	struct buffer again;

	if (!proof_lines_read(&rest, PROOF_MAX, &proof))
		return;
	buffer_init(&again, PROOF_FILE_MAX, false);
	assert(proof_lines_write(&proof, &again) == AZ_OK);
	assert(bytes_equal(buffer_peek(&again), bytes_make(bytes.data, bytes.size - rest.size)));
	buffer_fini(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const readers[])(struct bytes) = {
	    read_note, read_key, read_checkpoint, read_proof, read_path, read_bundle, read_lines};

	if (size > 0)
		readers[data[0] % AZ_ARRAY_SIZE(readers)](bytes_make(data + 1, size - 1));
	return 0;
}
