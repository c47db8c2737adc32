/*
 * Published logs made up in memory, for tests and measurements: real entries, tiles, signed checkpoints, and a witness's
 * cosignature, from a seed.
 */
#ifndef AZ_TESTS_PUBLISHED_H
#define AZ_TESTS_PUBLISHED_H

#include "crypto/sign.h"
#include "ledger/evidence.h"
#include "verify/verify.h"

#define PUBLISHED_ORIGIN  "azukari/unsealed-aaaaaaaaaaaaaaaaaaaaaaaa/g1/1"
#define PUBLISHED_WITNESS "witness.example/w1"
#define PUBLISHED_TIME_S  1780000000 /* when the witness cosigned */

struct published_file {
	char path[TILE_PATH_MAX];
	struct buffer bytes;
	bool removed;
};

struct entries {
	struct buffer *list;
	size_t count;
};

struct published {
	struct published_file *files;
	size_t count, room;
};

/* The keys of all logs that are made up here. */
struct published_keys {
	struct note_key log, witness;
	struct sign_key *log_sign, *witness_sign;
};
void published_keys_init(struct published_keys *keys);
void published_keys_fini(struct published_keys *keys);

/* xorshift64*: enough to be even, the same everywhere. */
uint64_t published_random(uint64_t *seed);

/* The bytes of entry index of the log of seed: a client's log, a list and disclosures of it. */
void published_entry(uint64_t seed, uint64_t index, struct buffer *bytes);
void entries_make(struct entries *entries, uint64_t seed, size_t count);
/* Takes out count of them from index on. */
void entries_drop(struct entries *entries, size_t index, size_t count);
void entries_fini(struct entries *entries);

/* A checkpoint over the first size of them; cosigned, if it is asked for. */
void published_checkpoint(const struct entries *entries, size_t size,
    const struct published_keys *keys, bool cosigned, struct buffer *note);
/* Tiles and bundles of all of them. */
void published_make(struct published *log, const struct entries *entries);
/* Adds, or replaces. */
void published_put(struct published *log, const char *path, struct bytes bytes);
struct published_file *published_find(const struct published *log, const char *path);
void published_fini(struct published *log);
struct published_log published_source(const struct published *log);

#endif
