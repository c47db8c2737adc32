/* Made up without the code that publishes: tiles are cut as tlog-tiles says, out of leaf hashes. */
#include "published.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/wire.h"

#define START_US INT64_C(1777780800000000)

uint64_t
published_random(uint64_t *seed)
{
	uint64_t value = *seed != 0 ? *seed : 1;

	value ^= value >> 12;
	value ^= value << 25;
	value ^= value >> 27;
	*seed = value;
	return value * UINT64_C(0x2545f4914f6cdd1d);
}

/* --- keys ------------------------------------------------------------------------------------- */

void
published_keys_init(struct published_keys *keys)
{
	uint8_t seed[SIGN_SEED_SIZE] = {1};
	uint8_t public_key[SIGN_PUBLIC_SIZE];

	assert(sign_key_new(bytes_make(seed, sizeof(seed)), &keys->log_sign, NULL) == AZ_OK);
	sign_key_public(keys->log_sign, public_key);
	assert(note_key_make(PUBLISHED_ORIGIN, NOTE_KEY_ED25519, public_key, &keys->log, NULL) ==
	    AZ_OK);
	seed[0] = 2;
	assert(sign_key_new(bytes_make(seed, sizeof(seed)), &keys->witness_sign, NULL) == AZ_OK);
	sign_key_public(keys->witness_sign, public_key);
	assert(note_key_make(PUBLISHED_WITNESS, NOTE_KEY_COSIGNATURE, public_key, &keys->witness,
		   NULL) == AZ_OK);
}

void
published_keys_fini(struct published_keys *keys)
{
	sign_key_free(&keys->log_sign);
	sign_key_free(&keys->witness_sign);
}

/* --- entries ---------------------------------------------------------------------------------- */

static void
fill(uint64_t *seed, uint8_t *data, size_t size)
{
	for (size_t i = 0; i < size; i++)
		data[i] = (uint8_t)(published_random(seed) >> 32);
}

void
published_entry(uint64_t seed, uint64_t index, struct buffer *bytes)
{
	uint64_t state = (seed + 1) * UINT64_C(0x9e3779b97f4a7c15) + index * 0x1234567u + 1;
	struct ledger_read read = {.entry = {.time_us = START_US + (int64_t)index * 7000000,
				       .device = 3,
				       .session = 5,
				       .policy_version = 1,
				       .zone = ZONE_LOOPBACK,
				       .grade = GRADE_OWN,
				       .outcome = AZ_OK,
				       .purpose = 1,
				       .request = index + 1}};
	uint64_t staff, record;

	(void)published_random(&state);
	fill(&state, read.entry.salt, sizeof(read.entry.salt));
	/* A few staff, many records: pseudonyms that come again. */
	staff = published_random(&state) % 50 + 1;
	record = published_random(&state) % 5000 + 1;
	fill(&staff, read.staff, sizeof(read.staff));
	if (index == 0) {
		read.entry.type = ENTRY_ENTRUSTED;
		read.entry.consignment = 1;
		read.entry.as_of = 20500;
		read.entry.accepted = read.entry.new_records = 5000;
		fill(&state, read.entry.sha256, sizeof(read.entry.sha256));
		fill(&state, read.entry.root, sizeof(read.entry.root));
	} else {
		read.entry.type = index % 29 == 0 ? ENTRY_NOT_FOUND : ENTRY_DISCLOSED;
		read.entry.reason = REASON_ENQUIRY;
		read.entry.basis = BASIS_INBOUND_MATCH;
		read.entry.kinds = 1u << MATCH_PHONE;
		read.entry.rows = 1;
		read.entry.version = 1;
		read.entry.shown = FIELD_BIT(FIELD_NAME) | FIELD_BIT(FIELD_PHONE);
		read.entry.masked = FIELD_BIT(FIELD_PHONE);
		fill(&record, read.record, sizeof(read.record));
		fill(&state, read.entry.call, sizeof(read.entry.call));
	}
	assert(ledger_entry_encode(&read, bytes) == AZ_OK);
}

void
entries_make(struct entries *entries, uint64_t seed, size_t count)
{
	entries->count = count;
	entries->list = calloc(count > 0 ? count : 1, sizeof(*entries->list));
	assert(entries->list != NULL);
	for (size_t i = 0; i < count; i++) {
		buffer_init(&entries->list[i], 65535, false);
		published_entry(seed, i, &entries->list[i]);
	}
}

void
entries_drop(struct entries *entries, size_t index, size_t count)
{
	assert(index + count <= entries->count);
	for (size_t i = index; i < index + count; i++)
		buffer_fini(&entries->list[i]);
	memmove(&entries->list[index], &entries->list[index + count],
	    (entries->count - index - count) * sizeof(*entries->list));
	entries->count -= count;
}

void
entries_fini(struct entries *entries)
{
	for (size_t i = 0; i < entries->count; i++)
		buffer_fini(&entries->list[i]);
	free(entries->list);
	*entries = (struct entries){0};
}

/* --- files ------------------------------------------------------------------------------------ */

struct published_file *
published_find(const struct published *log, const char *path)
{
	for (size_t i = 0; i < log->count; i++) {
		if (strcmp(log->files[i].path, path) == 0)
			return &log->files[i];
	}
	return NULL;
}

void
published_put(struct published *log, const char *path, struct bytes bytes)
{
	struct published_file *file = published_find(log, path);

	if (file == NULL) {
		if (log->count == log->room) {
			log->room = log->room * 2 + 16;
			log->files = reallocarray(log->files, log->room, sizeof(*log->files));
			assert(log->files != NULL);
		}
		file = &log->files[log->count++];
		*file = (struct published_file){0};
		assert(strlen(path) < sizeof(file->path));
		memcpy(file->path, path, strlen(path) + 1);
		buffer_init(&file->bytes, BUNDLE_MAX, false);
	}
	file->removed = false;
	buffer_clear(&file->bytes);
	assert(buffer_append(&file->bytes, bytes) == AZ_OK);
}

void
published_fini(struct published *log)
{
	for (size_t i = 0; i < log->count; i++)
		buffer_fini(&log->files[i].bytes);
	free(log->files);
	*log = (struct published){0};
}

static void
put_bundles(struct published *log, const struct entries *entries)
{
	struct buffer bundle;
	char path[TILE_PATH_MAX];

	buffer_init(&bundle, BUNDLE_MAX, false);
	for (size_t start = 0; start < entries->count; start += TILE_WIDTH) {
		size_t left = entries->count - start;
		unsigned int width = left < TILE_WIDTH ? (unsigned int)left : TILE_WIDTH;

		buffer_clear(&bundle);
		for (size_t i = start; i < start + width; i++) {
			uint8_t size[2];

			wire_store_u16be(size, (uint16_t)entries->list[i].size);
			assert(buffer_append(&bundle, bytes_make(size, 2)) == AZ_OK);
			assert(buffer_append(&bundle, buffer_peek(&entries->list[i])) == AZ_OK);
		}
		tile_path(TILE_ENTRIES, start / TILE_WIDTH, width, path);
		published_put(log, path, buffer_peek(&bundle));
	}
	buffer_fini(&bundle);
}

void
published_make(struct published *log, const struct entries *entries)
{
	size_t count = entries->count;
	uint8_t(*hashes)[TREE_HASH_SIZE] = calloc(count + 1, sizeof(*hashes));
	char path[TILE_PATH_MAX];

	assert(hashes != NULL);
	*log = (struct published){0};
	put_bundles(log, entries);
	for (size_t i = 0; i < count; i++)
		tree_leaf(buffer_peek(&entries->list[i]), hashes[i]);
	for (unsigned int level = 0; count > 0; level++) {
		for (size_t start = 0; start < count; start += TILE_WIDTH) {
			unsigned int width =
			    count - start < TILE_WIDTH ? (unsigned int)(count - start) : TILE_WIDTH;

			tile_path(level, start / TILE_WIDTH, width, path);
			published_put(
			    log, path, bytes_make(hashes[start], (size_t)width * TREE_HASH_SIZE));
		}
		count /= TILE_WIDTH;
		for (size_t i = 0; i < count; i++) {
			struct tree tree = {0};

			for (size_t k = 0; k < TILE_WIDTH; k++)
				tree_append(&tree, hashes[i * TILE_WIDTH + k]);
			tree_root(&tree, hashes[i]);
		}
	}
	free(hashes);
}

void
published_checkpoint(const struct entries *entries, size_t size, const struct published_keys *keys,
    bool cosigned, struct buffer *note)
{
	struct tree tree = {0};
	uint8_t hash[TREE_HASH_SIZE];
	struct note parts;

	assert(size <= entries->count);
	for (size_t i = 0; i < size; i++) {
		tree_leaf(buffer_peek(&entries->list[i]), hash);
		tree_append(&tree, hash);
	}
	tree_root(&tree, hash);
	buffer_clear(note);
	assert(checkpoint_make(&keys->log, keys->log_sign, size, hash, note, NULL) == AZ_OK);
	if (!cosigned)
		return;
	assert(note_open(buffer_peek(note), &parts, NULL) == AZ_OK);
	/* The text is copied: the line is appended to the buffer that it lies in. */
	struct buffer text, line;

	buffer_init(&text, NOTE_MAX, false);
	buffer_init(&line, NOTE_MAX, false);
	assert(buffer_append(&text, parts.text) == AZ_OK);
	assert(note_sign(buffer_peek(&text), &keys->witness, keys->witness_sign, PUBLISHED_TIME_S,
		   &line, NULL) == AZ_OK);
	assert(buffer_append(note, buffer_peek(&line)) == AZ_OK);
	buffer_fini(&text);
	buffer_fini(&line);
}

static enum az_status
read_published(void *arg, const char *path, struct buffer *buffer, struct az_err *reterr)
{
	const struct published_file *file = published_find(arg, path);

	buffer_clear(buffer);
	if (file == NULL || file->removed)
		return az_fail(reterr, AZ_NOT_FOUND, "%s: no such file", path);
	if (file->bytes.size > buffer->max)
		return az_fail(reterr, AZ_LIMIT, "%s: too long", path);
	return buffer_append(buffer, buffer_peek(&file->bytes));
}

struct published_log
published_source(const struct published *log)
{
	union {
		const struct published *in;
		void *out;
	} arg = {.in = log};

	return (struct published_log){.read = read_published, .arg = arg.out};
}
