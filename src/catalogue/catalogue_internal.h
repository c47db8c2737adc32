/*
 * What the files of this folder share: the tables, the set of loaded consignments, and the reading of a
 * run file.
 */
#ifndef AZ_CATALOGUE_INTERNAL_H
#define AZ_CATALOGUE_INTERNAL_H

#include <pthread.h>

#include "catalogue/catalogue.h"
#include "crypto/blocks.h"
#include "crypto/hash.h"
#include "kv/kv.h"

enum table { TABLE_ENTRIES = 0, TABLE_NUMBERS, TABLE_LOADED, TABLE_META, TABLE_COUNT };

#define ENTRY_KEY_SIZE   12 /* record u32be, consignment u64be */
#define ENTRY_VALUE_SIZE 28 /* version u32, as-of i32, flags u32, digest */
#define NUMBER_SIZE      4  /* record u32 */
#define LOADED_KEY_SIZE  8  /* consignment u64be */
#define LOADED_SIZE      4  /* as-of i32 */

/* Consignments in ascending order. */
struct loaded_set {
	uint64_t *items;
	size_t count, room;
	uint64_t generation; /* raised by each change */
};

bool loaded_has(const struct loaded_set *set, uint64_t consignment);
AZ_CHECKED enum az_status loaded_add(struct loaded_set *set, uint64_t consignment);
void loaded_remove(struct loaded_set *set, uint64_t consignment);
AZ_CHECKED enum az_status loaded_copy(const struct loaded_set *set, struct loaded_set *ret_copy);

struct catalogue {
	int dirfd;
	uint8_t house[HOUSE_ID_SIZE];
	struct kv *kv;
	pthread_rwlock_t lock; /* loaded */
	struct loaded_set loaded;
};

void entry_key(uint32_t record, uint64_t consignment, uint8_t key[ENTRY_KEY_SIZE]);

/* --- run.c: the run files --------------------------------------------------------------------- */

#define RUN_NAME_SIZE  24
#define RUN_BLOCK_ROWS 512u
#define RUN_ROW_SIZE   44u
#define RUN_BLOCK_SIZE (RUN_BLOCK_ROWS * RUN_ROW_SIZE)

void run_name(uint64_t consignment, char name[RUN_NAME_SIZE]);
/* The consignment of a file's name; false if it is not a run's. */
bool run_name_read(const char *name, uint64_t *ret_consignment) AZ_CHECKED;

/*
 * Reads a run block by block, hashing as it goes. AZ_FORGED: a block does not open at its place, or the
 * file ends before or goes on behind the last one.
 */
struct run_reader {
	struct blocks_reader *blocks;
	size_t count;       /* rows of the block in plain */
	struct bytes plain; /* borrowed until the next one */
};

AZ_CHECKED enum az_status run_reader_new(const struct catalogue *catalogue, uint64_t consignment,
    const struct secret *key, struct run_reader **ret_reader, struct az_err *reterr);
void run_reader_free(struct run_reader **reader);
/* Back to the start. */
AZ_CHECKED enum az_status run_reader_rewind(struct run_reader *reader, struct az_err *reterr);
/* The next block; nothing more may be read once it has ended. */
AZ_CHECKED enum az_status run_reader_next(struct run_reader *reader, struct az_err *reterr);
bool run_reader_ended(const struct run_reader *reader);
void run_reader_row(const struct run_reader *reader, size_t at, struct catalogue_row *ret_row);
/* After the last block: AZ_FORGED if what was read is not the file of that SHA-256. */
AZ_CHECKED enum az_status run_reader_check(
    const struct run_reader *reader, const uint8_t expected[SHA256_SIZE], struct az_err *reterr);

#endif
