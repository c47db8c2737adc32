/*
 * What the files of this folder share: the open state, sealing for a place, the sum, and a narrow face
 * over SQLite that turns its codes into ours.
 */
#ifndef AZ_STATE_INTERNAL_H
#define AZ_STATE_INTERNAL_H

#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>

#include "crypto/hash.h"
#include "crypto/seal.h"
#include "state/state.h"

#define SUM_SIZE SHA256_SIZE

struct sum {
	uint8_t value[SUM_SIZE]; /* little-endian */
	uint64_t count;
};

struct state {
	uint8_t house[HOUSE_ID_SIZE];
	_Atomic uint64_t applied;
	pthread_mutex_t lock; /* over all below */
	sqlite3 *db;
	sqlite3_stmt *get_thing, *put_thing, *get_text, *put_text, *put_value;
	struct seal_key *seal_key;
	struct mac *sum_mac;
	struct sum sum;        /* over the things as the open transaction has them */
	struct buffer sealed;  /* what is being written */
	enum az_status failed; /* AZ_OK, or what every later write answers */
};

/* --- seal.c: places, and the sum over what lies in them ------------------------------------------- */

#define PLACE_SIZE_MAX 48

/* Where a blob belongs: the associated data it is sealed with. */
struct place {
	uint8_t bytes[PLACE_SIZE_MAX];
	size_t size;
};

struct place place_of_mark(const struct state *state);
struct place place_of_thing(const struct state *state, uint8_t kind, uint64_t id);
struct place place_of_text(
    const struct state *state, uint32_t log, uint64_t index, const uint8_t salt[STATE_SALT_SIZE]);

/* Seals plain into state->sealed. */
AZ_CHECKED enum az_status place_seal(
    struct state *state, const struct place *place, struct bytes plain, struct az_err *reterr);
/* Replaces what plain holds by what was sealed; on failure it is empty. AZ_FORGED also above max bytes. */
AZ_CHECKED enum az_status place_open(struct state *state, const struct place *place,
    struct bytes sealed, size_t max, struct buffer *plain, struct az_err *reterr);

void sum_add(
    struct sum *sum, const struct mac *mac, uint8_t kind, uint64_t id, struct bytes sealed);
void sum_subtract(
    struct sum *sum, const struct mac *mac, uint8_t kind, uint64_t id, struct bytes sealed);
bool sum_equal(const struct sum *a, const struct sum *b);

/* --- rows.c ------------------------------------------------------------------------------------- */

/* One row of the table thing, borrowed until the next step. */
struct row {
	uint8_t kind;
	uint64_t id;
	struct bytes sealed;
};

/* Calls visit for each row of the table thing, by kind and number. */
AZ_CHECKED enum az_status rows_each(struct state *state,
    enum az_status (*visit)(void *arg, const struct row *row, struct az_err *reterr), void *arg,
    struct az_err *reterr);
/* Seals and writes the mark: that the things there are now stand for applied. */
AZ_CHECKED enum az_status rows_put_mark(
    struct state *state, uint64_t applied, struct az_err *reterr);
/* Reads the mark. AZ_CORRUPT, AZ_FORGED. */
AZ_CHECKED enum az_status rows_get_mark(
    struct state *state, uint64_t *ret_applied, struct sum *ret_sum, struct az_err *reterr);
/* Writes what a new file begins with, or checks it: format and house. */
AZ_CHECKED enum az_status rows_put_header(struct state *state, struct az_err *reterr);
AZ_CHECKED enum az_status rows_check_header(struct state *state, struct az_err *reterr);

/* --- sql.c -------------------------------------------------------------------------------------- */

/*
 * Opens dirfd/house.db with the settings that make it safe, and checks that it has our tables and nothing
 * else. If create is set makes it with its tables, in a transaction that the caller ends.
 */
AZ_CHECKED enum az_status sql_open(int dirfd, bool create, sqlite3 **ret_db, struct az_err *reterr);
/* Removes what sql_open made, after the database was closed. */
void sql_remove(int dirfd);

/* The status of an SQLite code, with what was tried; never what the database says, which may quote. */
enum az_status sql_fail(sqlite3 *db, int code, const char *what, struct az_err *reterr);

AZ_CHECKED enum az_status sql_run(
    sqlite3 *db, const char *text, const char *what, struct az_err *reterr);
AZ_CHECKED enum az_status sql_prepare(
    sqlite3 *db, const char *text, sqlite3_stmt **ret_statement, struct az_err *reterr);
/* Steps a statement that gives no rows, resets it and forgets what was bound. */
AZ_CHECKED enum az_status sql_done(
    sqlite3 *db, sqlite3_stmt *statement, const char *what, struct az_err *reterr);
/* A column, borrowed until the next step. */
struct bytes sql_column(sqlite3_stmt *statement, int column);

#endif
