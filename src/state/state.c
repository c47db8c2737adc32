/*
 * Things and texts, sealed, and the sum that binds them together.
 *
 * Each blob is sealed for its place (house, kind, id), so it cannot be moved. That does not keep anybody
 * from removing one, or from putting an older one back where it was. So there is a sum over all things:
 * addition modulo 2^256 of HMAC(kind ‖ id ‖ sealed), the MSet-Add-Hash of Clarke, Devadas, van Dijk, Gassend
 * and Suh (Asiacrypt 2003). Putting a thing subtracts what it replaces and adds the new, at a cost that does
 * not grow with the house; at start it is taken over everything once and compared. The sum is sealed with
 * the position in the write-ahead log that the state stands for, in the same transaction. Whoever puts the
 * whole file back to an older one has an older position, and what happened since is replayed or missed there.
 *
 * Texts are not in the sum, since they may be erased; each opens only at its place.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/wire.h"
#include "crypto/hash.h"
#include "crypto/seal.h"
#include "state/state_internal.h"

#define SUM_SIZE        SHA256_SIZE
#define FORMAT          1u
#define MARK_SIZE       (8 + 8 + SUM_SIZE) /* applied, count of things, sum */
#define PLACE_SIZE      (HOUSE_ID_SIZE + 1 + 8)
#define TEXT_PLACE_SIZE (HOUSE_ID_SIZE + 1 + 4 + 8 + 16)

enum place { PLACE_MARK = 0, PLACE_TEXT = 255 }; /* between: kinds of things */

struct state {
	sqlite3 *db;
	sqlite3_stmt *get, *put, *put_text, *get_text, *put_mark;
	uint8_t house[HOUSE_ID_SIZE];
	struct seal_key *seal_key;
	struct mac *sum_mac;
	pthread_mutex_t lock;
	/* Under the lock. */
	uint64_t applied;
	uint64_t things;
	uint8_t sum[SUM_SIZE]; /* little-endian */
	bool in_transaction;
	struct buffer sealed;
};

/* --- the sum ---------------------------------------------------------------------------------- */

static void
thing_mac(const struct state *state, uint8_t kind, uint64_t id, struct bytes sealed,
    uint8_t ret_mac[SUM_SIZE])
{
	uint8_t place[9];
	struct bytes parts[2] = {bytes_make(place, sizeof(place)), sealed};

	place[0] = kind;
	wire_store_u64(place + 1, id);
	mac_compute(state->sum_mac, parts, 2, ret_mac);
}

static void
sum_add(uint8_t sum[SUM_SIZE], const uint8_t mac[SUM_SIZE])
{
	unsigned int carry = 0;

	for (size_t i = 0; i < SUM_SIZE; i++) {
		carry += (unsigned int)sum[i] + mac[i];
		sum[i] = (uint8_t)carry;
		carry >>= 8;
	}
}

static void
sum_subtract(uint8_t sum[SUM_SIZE], const uint8_t mac[SUM_SIZE])
{
	unsigned int borrow = 0;

	for (size_t i = 0; i < SUM_SIZE; i++) {
		unsigned int taken = mac[i] + borrow;

		borrow = sum[i] < taken;
		sum[i] = (uint8_t)(sum[i] - taken);
	}
}

/* --- sealing ---------------------------------------------------------------------------------- */

static struct bytes
place_of(const struct state *state, uint8_t kind, uint64_t id, uint8_t place[PLACE_SIZE])
{
	memcpy(place, state->house, HOUSE_ID_SIZE);
	place[HOUSE_ID_SIZE] = kind;
	wire_store_u64(place + HOUSE_ID_SIZE + 1, id);
	return bytes_make(place, PLACE_SIZE);
}

static struct bytes
text_place_of(const struct state *state, uint32_t log, uint64_t index, const uint8_t salt[16],
    uint8_t place[TEXT_PLACE_SIZE])
{
	memcpy(place, state->house, HOUSE_ID_SIZE);
	place[HOUSE_ID_SIZE] = PLACE_TEXT;
	wire_store_u32(place + HOUSE_ID_SIZE + 1, log);
	wire_store_u64(place + HOUSE_ID_SIZE + 5, index);
	memcpy(place + HOUSE_ID_SIZE + 13, salt, 16);
	return bytes_make(place, TEXT_PLACE_SIZE);
}

/* Seals into state->sealed. */
static enum az_status
seal_blob(struct state *state, struct bytes place, struct bytes plain, struct az_err *reterr)
{
	enum az_status status;

	buffer_clear(&state->sealed);
	status = buffer_reserve(&state->sealed, plain.size + SEAL_OVERHEAD);
	if (status != AZ_OK)
		return az_fail(reterr, status, "house.db: no room for a blob");
	status = seal(state->seal_key, place, plain, state->sealed.data, reterr);
	if (status == AZ_OK)
		state->sealed.size = plain.size + SEAL_OVERHEAD;
	return status;
}

/* Opens a blob into a sensitive buffer, in place of what it held. */
static enum az_status
open_blob(struct state *state, struct bytes place, struct bytes sealed, struct buffer *plain,
    struct az_err *reterr)
{
	enum az_status status = AZ_FORGED;

	buffer_clear(plain);
	if (sealed.size >= SEAL_OVERHEAD)
		status = buffer_reserve(plain, sealed.size - SEAL_OVERHEAD + 1);
	if (status == AZ_OK)
		status = seal_open(state->seal_key, place, sealed, plain->data, NULL);
	if (status != AZ_OK)
		return az_fail(reterr, status, "house.db: a blob is not the one of its place");
	plain->size = sealed.size - SEAL_OVERHEAD;
	return AZ_OK;
}

static struct bytes
column_bytes(sqlite3_stmt *statement, int column)
{
	const void *data = sqlite3_column_blob(statement, column);
	int size = sqlite3_column_bytes(statement, column);

	return bytes_make(data, size > 0 ? (size_t)size : 0);
}

/* --- opening ---------------------------------------------------------------------------------- */

static enum az_status
derive_keys(struct state *state, const struct secret *root, struct az_err *reterr)
{
	struct secret *key = NULL;
	struct secret *seal_secret = NULL;
	struct secret *sum_secret = NULL;
	enum az_status status = kdf_derive(root, state->house, "house-db", 0, &key, reterr);

	if (status == AZ_OK)
		status = kdf_derive(key, state->house, "house-db-seal", 0, &seal_secret, reterr);
	if (status == AZ_OK)
		status = kdf_derive(key, state->house, "house-db-sum", 0, &sum_secret, reterr);
	if (status == AZ_OK)
		status = seal_key_new(secret_peek(seal_secret), &state->seal_key, reterr);
	if (status == AZ_OK)
		status = mac_new(secret_peek(sum_secret), &state->sum_mac, reterr);
	secret_free(&sum_secret);
	secret_free(&seal_secret);
	secret_free(&key);
	return status;
}

static enum az_status
prepare_all(struct state *state, struct az_err *reterr)
{
	sqlite3 *db = state->db;
	enum az_status status = sql_prepare(
	    db, "SELECT sealed FROM thing WHERE kind=?1 AND id=?2", &state->get, reterr);

	if (status == AZ_OK)
		status = sql_prepare(
		    db, "INSERT OR REPLACE INTO thing VALUES(?1,?2,?3)", &state->put, reterr);
	if (status == AZ_OK)
		status = sql_prepare(db, "INSERT OR REPLACE INTO text VALUES(?1,?2,?3,?4)",
		    &state->put_text, reterr);
	if (status == AZ_OK)
		status = sql_prepare(db, "SELECT salt, sealed FROM text WHERE log=?1 AND idx=?2",
		    &state->get_text, reterr);
	if (status == AZ_OK)
		status = sql_prepare(
		    db, "INSERT OR REPLACE INTO house VALUES('mark',?1)", &state->put_mark, reterr);
	return status;
}

/* What must be in the file from its first transaction on: format, house id, the mark of nothing. */
static enum az_status
put_first(struct state *state, struct az_err *reterr)
{
	sqlite3_stmt *statement = NULL;
	uint8_t header[4 + HOUSE_ID_SIZE];
	enum az_status status =
	    sql_prepare(state->db, "INSERT INTO house VALUES('header',?1)", &statement, reterr);

	if (status != AZ_OK)
		return status;
	wire_store_u32(header, FORMAT);
	memcpy(header + 4, state->house, HOUSE_ID_SIZE);
	(void)sqlite3_bind_blob(statement, 1, header, sizeof(header), SQLITE_STATIC);
	status = sql_done(state->db, statement, "found", reterr);
	(void)sqlite3_finalize(statement);
	return status;
}

/* One value of the table house. AZ_CORRUPT if it is missing. */
static enum az_status
get_house_value(struct state *state, const char *name, struct buffer *value, struct az_err *reterr)
{
	sqlite3_stmt *statement = NULL;
	enum az_status status =
	    sql_prepare(state->db, "SELECT value FROM house WHERE name=?1", &statement, reterr);
	int code;

	if (status != AZ_OK)
		return status;
	(void)sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
	code = sqlite3_step(statement);
	if (code == SQLITE_ROW)
		status = buffer_append(value, column_bytes(statement, 0));
	else if (code == SQLITE_DONE)
		status = az_fail(reterr, AZ_CORRUPT, "house.db: it has no %s", name);
	else
		status = sql_fail(state->db, code, "read", reterr);
	(void)sqlite3_finalize(statement);
	return status;
}

static enum az_status
check_header(struct state *state, struct az_err *reterr)
{
	struct buffer header;
	enum az_status status;

	buffer_init(&header, 64, false);
	status = get_house_value(state, "header", &header, reterr);
	if (status == AZ_OK &&
	    (header.size != 4 + HOUSE_ID_SIZE || wire_load_u32(header.data) != FORMAT))
		status = az_fail(reterr, AZ_CORRUPT, "house.db: its format is not known");
	else if (status == AZ_OK &&
	    !bytes_equal(bytes_make(header.data + 4, HOUSE_ID_SIZE),
		bytes_make(state->house, HOUSE_ID_SIZE)))
		status = az_fail(reterr, AZ_FORGED, "house.db: it belongs to another house");
	buffer_fini(&header);
	return status;
}

/* Takes the sum over everything that is there. */
static enum az_status
sum_all(struct state *state, uint8_t ret_sum[SUM_SIZE], uint64_t *ret_count, struct az_err *reterr)
{
	sqlite3_stmt *statement = NULL;
	uint8_t mac[SUM_SIZE];
	enum az_status status =
	    sql_prepare(state->db, "SELECT kind, id, sealed FROM thing", &statement, reterr);
	int code = SQLITE_DONE;

	memset(ret_sum, 0, SUM_SIZE);
	*ret_count = 0;
	if (status != AZ_OK)
		return status;
	while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
		thing_mac(state, (uint8_t)sqlite3_column_int(statement, 0),
		    (uint64_t)sqlite3_column_int64(statement, 1), column_bytes(statement, 2), mac);
		sum_add(ret_sum, mac);
		(*ret_count)++;
	}
	if (code != SQLITE_DONE)
		status = sql_fail(state->db, code, "read", reterr);
	(void)sqlite3_finalize(statement);
	return status;
}

static enum az_status
check_mark(struct state *state, struct az_err *reterr)
{
	struct buffer sealed;
	struct buffer mark;
	uint8_t place[PLACE_SIZE];
	uint8_t sum[SUM_SIZE];
	uint64_t count = 0;
	enum az_status status;

	buffer_init(&sealed, 256, false);
	buffer_init(&mark, 256, true);
	status = get_house_value(state, "mark", &sealed, reterr);
	if (status == AZ_OK)
		status = open_blob(state, place_of(state, PLACE_MARK, 0, place),
		    buffer_peek(&sealed), &mark, reterr);
	if (status == AZ_OK && mark.size != MARK_SIZE)
		status = az_fail(reterr, AZ_CORRUPT, "house.db: its mark is damaged");
	if (status == AZ_OK)
		status = sum_all(state, sum, &count, reterr);
	if (status == AZ_OK) {
		state->applied = wire_load_u64(mark.data);
		state->things = wire_load_u64(mark.data + 8);
		memcpy(state->sum, mark.data + 16, SUM_SIZE);
		if (count != state->things ||
		    !bytes_equal(bytes_make(sum, SUM_SIZE), bytes_make(state->sum, SUM_SIZE)))
			status =
			    az_fail(reterr, AZ_FORGED, "house.db: what is in it does not add up");
	}
	buffer_fini(&mark);
	buffer_fini(&sealed);
	return status;
}

static enum az_status
put_mark(struct state *state, uint64_t applied, struct az_err *reterr)
{
	uint8_t mark[MARK_SIZE];
	uint8_t place[PLACE_SIZE];
	enum az_status status;

	wire_store_u64(mark, applied);
	wire_store_u64(mark + 8, state->things);
	memcpy(mark + 16, state->sum, SUM_SIZE);
	status = seal_blob(
	    state, place_of(state, PLACE_MARK, 0, place), bytes_make(mark, sizeof(mark)), reterr);
	if (status != AZ_OK)
		return status;
	(void)sqlite3_bind_blob(
	    state->put_mark, 1, state->sealed.data, (int)state->sealed.size, SQLITE_STATIC);
	return sql_done(state->db, state->put_mark, "mark", reterr);
}

enum az_status
state_open(int dirfd, const uint8_t house[HOUSE_ID_SIZE], const struct secret *root, bool create,
    struct state **ret_state, struct az_err *reterr)
{
	struct state *state = calloc(1, sizeof(*state));
	enum az_status status;

	if (state == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "house.db: out of memory");
	memcpy(state->house, house, HOUSE_ID_SIZE);
	(void)pthread_mutex_init(&state->lock, NULL);
	buffer_init(&state->sealed, STATE_THING_MAX + SEAL_OVERHEAD, false);
	status = derive_keys(state, root, reterr);
	if (status == AZ_OK)
		status = sql_open(dirfd, create, &state->db, reterr);
	if (status == AZ_OK)
		status = prepare_all(state, reterr);
	if (status == AZ_OK && create) {
		status = put_first(state, reterr);
		if (status == AZ_OK)
			status = put_mark(state, 0, reterr);
	}
	if (status == AZ_OK)
		status = check_header(state, reterr);
	if (status == AZ_OK)
		status = check_mark(state, reterr);
	if (status == AZ_OK)
		*ret_state = state;
	else
		state_close(&state);
	return status;
}

void
state_close(struct state **state)
{
	struct state *closed = *state;

	if (closed == NULL)
		return;
	*state = NULL;
	(void)sqlite3_finalize(closed->get);
	(void)sqlite3_finalize(closed->put);
	(void)sqlite3_finalize(closed->put_text);
	(void)sqlite3_finalize(closed->get_text);
	(void)sqlite3_finalize(closed->put_mark);
	/* What was not synced is taken back. */
	(void)sqlite3_close(closed->db);
	seal_key_free(&closed->seal_key);
	mac_free(&closed->sum_mac);
	buffer_fini(&closed->sealed);
	(void)pthread_mutex_destroy(&closed->lock);
	free(closed);
}

uint64_t
state_applied(const struct state *state)
{
	return state->applied;
}

/* --- reading ---------------------------------------------------------------------------------- */

enum az_status
state_each(struct state *state,
    enum az_status (*visit)(
	void *arg, uint8_t kind, uint64_t id, struct bytes thing, struct az_err *reterr),
    void *arg, struct az_err *reterr)
{
	sqlite3_stmt *statement = NULL;
	struct buffer plain;
	uint8_t place[PLACE_SIZE];
	enum az_status status;
	int code = SQLITE_DONE;

	buffer_init(&plain, STATE_THING_MAX + 1, true);
	(void)pthread_mutex_lock(&state->lock);
	status = sql_prepare(
	    state->db, "SELECT kind, id, sealed FROM thing ORDER BY kind, id", &statement, reterr);
	while (status == AZ_OK && (code = sqlite3_step(statement)) == SQLITE_ROW) {
		uint8_t kind = (uint8_t)sqlite3_column_int(statement, 0);
		uint64_t id = (uint64_t)sqlite3_column_int64(statement, 1);

		status = open_blob(state, place_of(state, kind, id, place),
		    column_bytes(statement, 2), &plain, reterr);
		if (status == AZ_OK)
			status = visit(arg, kind, id, buffer_peek(&plain), reterr);
	}
	if (status == AZ_OK && code != SQLITE_DONE)
		status = sql_fail(state->db, code, "read", reterr);
	(void)sqlite3_finalize(statement);
	(void)pthread_mutex_unlock(&state->lock);
	buffer_fini(&plain);
	return status;
}

enum az_status
state_get_text(
    struct state *state, uint32_t log, uint64_t index, struct buffer *buffer, struct az_err *reterr)
{
	uint8_t place[TEXT_PLACE_SIZE];
	enum az_status status = AZ_INTERNAL;
	int code;

	(void)pthread_mutex_lock(&state->lock);
	(void)sqlite3_bind_int64(state->get_text, 1, log);
	(void)sqlite3_bind_int64(state->get_text, 2, (int64_t)index);
	code = sqlite3_step(state->get_text);
	if (code == SQLITE_DONE) {
		status = az_fail(reterr, AZ_NOT_FOUND, "house.db: there is no such text");
	} else if (code != SQLITE_ROW) {
		status = sql_fail(state->db, code, "read", reterr);
	} else {
		struct bytes salt = column_bytes(state->get_text, 0);

		if (salt.size != 16)
			status = az_fail(reterr, AZ_FORGED, "house.db: a text without its salt");
		else
			status =
			    open_blob(state, text_place_of(state, log, index, salt.data, place),
				column_bytes(state->get_text, 1), buffer, reterr);
	}
	(void)sqlite3_reset(state->get_text);
	(void)pthread_mutex_unlock(&state->lock);
	return status;
}

/* --- writing ---------------------------------------------------------------------------------- */

static enum az_status
begin(struct state *state, struct az_err *reterr)
{
	enum az_status status = AZ_OK;

	if (!state->in_transaction)
		status = sql_run(state->db, "BEGIN IMMEDIATE", reterr);
	state->in_transaction = state->in_transaction || status == AZ_OK;
	return status;
}

/* Takes what is at a place out of the sum. */
static enum az_status
subtract_old(struct state *state, uint8_t kind, uint64_t id, struct az_err *reterr)
{
	uint8_t mac[SUM_SIZE];
	enum az_status status = AZ_OK;
	int code;

	(void)sqlite3_bind_int(state->get, 1, kind);
	(void)sqlite3_bind_int64(state->get, 2, (int64_t)id);
	code = sqlite3_step(state->get);
	if (code == SQLITE_ROW) {
		thing_mac(state, kind, id, column_bytes(state->get, 0), mac);
		sum_subtract(state->sum, mac);
		state->things--;
	} else if (code != SQLITE_DONE) {
		status = sql_fail(state->db, code, "read", reterr);
	}
	(void)sqlite3_reset(state->get);
	return status;
}

enum az_status
state_put(struct state *state, uint8_t kind, uint64_t id, struct bytes thing, struct az_err *reterr)
{
	uint8_t place[PLACE_SIZE];
	uint8_t mac[SUM_SIZE];
	enum az_status status;

	if (thing.size > STATE_THING_MAX || kind == PLACE_MARK || kind == PLACE_TEXT ||
	    id > INT64_MAX)
		return az_fail(reterr, AZ_LIMIT, "house.db: no place for such a thing");
	(void)pthread_mutex_lock(&state->lock);
	status = begin(state, reterr);
	if (status == AZ_OK)
		status = seal_blob(state, place_of(state, kind, id, place), thing, reterr);
	if (status == AZ_OK)
		status = subtract_old(state, kind, id, reterr);
	if (status == AZ_OK) {
		(void)sqlite3_bind_int(state->put, 1, kind);
		(void)sqlite3_bind_int64(state->put, 2, (int64_t)id);
		(void)sqlite3_bind_blob(
		    state->put, 3, state->sealed.data, (int)state->sealed.size, SQLITE_STATIC);
		status = sql_done(state->db, state->put, "put", reterr);
	}
	if (status == AZ_OK) {
		thing_mac(state, kind, id, buffer_peek(&state->sealed), mac);
		sum_add(state->sum, mac);
		state->things++;
	}
	(void)pthread_mutex_unlock(&state->lock);
	return status;
}

enum az_status
state_put_text(struct state *state, uint32_t log, uint64_t index, const uint8_t salt[16],
    struct bytes text, struct az_err *reterr)
{
	uint8_t place[TEXT_PLACE_SIZE];
	enum az_status status;

	if (text.size > STATE_TEXT_MAX || index > INT64_MAX)
		return az_fail(reterr, AZ_LIMIT, "house.db: no place for such a text");
	(void)pthread_mutex_lock(&state->lock);
	status = begin(state, reterr);
	if (status == AZ_OK)
		status =
		    seal_blob(state, text_place_of(state, log, index, salt, place), text, reterr);
	if (status == AZ_OK) {
		(void)sqlite3_bind_int64(state->put_text, 1, log);
		(void)sqlite3_bind_int64(state->put_text, 2, (int64_t)index);
		(void)sqlite3_bind_blob(state->put_text, 3, salt, 16, SQLITE_STATIC);
		(void)sqlite3_bind_blob(
		    state->put_text, 4, state->sealed.data, (int)state->sealed.size, SQLITE_STATIC);
		status = sql_done(state->db, state->put_text, "put a text", reterr);
	}
	(void)pthread_mutex_unlock(&state->lock);
	return status;
}

enum az_status
state_sync(struct state *state, uint64_t applied, struct az_err *reterr)
{
	enum az_status status;

	(void)pthread_mutex_lock(&state->lock);
	status = begin(state, reterr);
	if (status == AZ_OK)
		status = put_mark(state, applied, reterr);
	if (status == AZ_OK)
		status = sql_run(state->db, "COMMIT", reterr);
	if (status == AZ_OK) {
		state->in_transaction = false;
		state->applied = applied;
	}
	(void)pthread_mutex_unlock(&state->lock);
	return status;
}
