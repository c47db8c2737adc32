/*
 * The rows of the three tables, and one open transaction over them.
 *
 * The transaction begins with the first put and ends with state_sync, which writes the mark and commits.
 *
 *	mark    applied 8, count of things 8, sum 32, sealed
 *	header  format u32, house id 16, plain
 *
 * A write that fails ends it all. Were the next sync let through, it would say of things that lack the one
 * which failed that they stand for a position, and its entry would never be replayed; or the sum in memory
 * would differ from the file, and the house would not open again.
 *
 * What is bound to a statement is checked by the tables themselves: a bind that failed leaves NULL, which
 * no column of ours takes.
 */
#include <string.h>

#include "base/wire.h"
#include "state/state_internal.h"

#define FORMAT      1u
#define HEADER_SIZE (4 + HOUSE_ID_SIZE)
#define MARK_SIZE   (8 + 8 + SUM_SIZE)

/* --- reading -------------------------------------------------------------------------------------- */

enum az_status
rows_each(struct state *state,
    enum az_status (*visit)(void *arg, const struct row *row, struct az_err *reterr), void *arg,
    struct az_err *reterr)
{
	sqlite3_stmt *statement = NULL;
	int code = SQLITE_DONE;
	enum az_status status = sql_prepare(
	    state->db, "SELECT kind, id, sealed FROM thing ORDER BY kind, id", &statement, reterr);

	while (status == AZ_OK && (code = sqlite3_step(statement)) == SQLITE_ROW) {
		sqlite3_int64 kind = sqlite3_column_int64(statement, 0);
		sqlite3_int64 id = sqlite3_column_int64(statement, 1);

		/* Cut to a byte, a kind from elsewhere could stand in for one of ours. */
		if (kind < 1 || kind > STATE_KIND_MAX || id < 0) {
			status =
			    az_fail(reterr, AZ_FORGED, "house.db: a thing at no place of ours");
			break;
		}
		struct row row = {
		    .kind = (uint8_t)kind, .id = (uint64_t)id, .sealed = sql_column(statement, 2)};
		status = visit(arg, &row, reterr);
	}
	if (status == AZ_OK && code != SQLITE_DONE)
		status = sql_fail(state->db, code, "read things", reterr);
	(void)sqlite3_finalize(statement);
	return status;
}

struct opening {
	struct state *state;
	struct buffer plain;
	enum az_status (*visit)(
	    void *arg, uint8_t kind, uint64_t id, struct bytes thing, struct az_err *reterr);
	void *arg;
};

static enum az_status
open_thing(void *arg, const struct row *row, struct az_err *reterr)
{
	struct opening *opening = arg;
	struct place place = place_of_thing(opening->state, row->kind, row->id);
	enum az_status status = place_open(
	    opening->state, &place, row->sealed, STATE_THING_MAX, &opening->plain, reterr);

	if (status != AZ_OK)
		return status;
	return opening->visit(
	    opening->arg, row->kind, row->id, buffer_peek(&opening->plain), reterr);
}

enum az_status
state_each(struct state *state,
    enum az_status (*visit)(
	void *arg, uint8_t kind, uint64_t id, struct bytes thing, struct az_err *reterr),
    void *arg, struct az_err *reterr)
{
	struct opening opening = {.state = state, .visit = visit, .arg = arg};

	buffer_init(&opening.plain, STATE_THING_MAX, true);
	(void)pthread_mutex_lock(&state->lock);
	enum az_status status = rows_each(state, open_thing, &opening, reterr);
	(void)pthread_mutex_unlock(&state->lock);
	buffer_fini(&opening.plain);
	return status;
}

/* Under the lock; the statement is bound, and is reset by the caller. */
static enum az_status
text_open(
    struct state *state, uint32_t log, uint64_t index, struct buffer *buffer, struct az_err *reterr)
{
	int code = sqlite3_step(state->get_text);

	if (code == SQLITE_DONE)
		return az_fail(reterr, AZ_NOT_FOUND, "house.db: no text of that entry");
	if (code != SQLITE_ROW)
		return sql_fail(state->db, code, "read a text", reterr);
	struct bytes salt = sql_column(state->get_text, 0);
	if (salt.size != STATE_SALT_SIZE)
		return az_fail(reterr, AZ_FORGED, "house.db: a text without its salt");
	struct place place = place_of_text(state, log, index, salt.data);
	return place_open(
	    state, &place, sql_column(state->get_text, 1), STATE_TEXT_MAX, buffer, reterr);
}

enum az_status
state_get_text(
    struct state *state, uint32_t log, uint64_t index, struct buffer *buffer, struct az_err *reterr)
{
	buffer_clear(buffer);
	if (index > INT64_MAX)
		return az_fail(reterr, AZ_NOT_FOUND, "house.db: no text of that entry");
	(void)pthread_mutex_lock(&state->lock);
	(void)sqlite3_bind_int64(state->get_text, 1, log);
	(void)sqlite3_bind_int64(state->get_text, 2, (sqlite3_int64)index);
	enum az_status status = text_open(state, log, index, buffer, reterr);
	(void)sqlite3_reset(state->get_text);
	(void)pthread_mutex_unlock(&state->lock);
	return status;
}

/* Replaces what buffer holds by a value of the table house. */
static enum az_status
value_get(struct state *state, const char *name, struct buffer *buffer, struct az_err *reterr)
{
	sqlite3_stmt *statement = NULL;
	enum az_status status =
	    sql_prepare(state->db, "SELECT value FROM house WHERE name = ?1", &statement, reterr);

	if (status != AZ_OK)
		return status;
	buffer_clear(buffer);
	(void)sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
	int code = sqlite3_step(statement);
	if (code == SQLITE_DONE)
		status = az_fail(reterr, AZ_CORRUPT, "house.db: it has no %s", name);
	else if (code != SQLITE_ROW)
		status = sql_fail(state->db, code, name, reterr);
	else if (buffer_append(buffer, sql_column(statement, 0)) != AZ_OK)
		status = az_fail(reterr, AZ_CORRUPT, "house.db: its %s is too long", name);
	(void)sqlite3_finalize(statement);
	return status;
}

enum az_status
rows_check_header(struct state *state, struct az_err *reterr)
{
	struct buffer header;

	buffer_init(&header, HEADER_SIZE, false);
	enum az_status status = value_get(state, "header", &header, reterr);
	if (status != AZ_OK)
		goto out;
	if (header.size != HEADER_SIZE || wire_load_u32(header.data) != FORMAT)
		status = az_fail(reterr, AZ_CORRUPT, "house.db: a format that is not known");
	else if (!bytes_equal(bytes_make(header.data + 4, HOUSE_ID_SIZE),
		     bytes_make(state->house, HOUSE_ID_SIZE)))
		status = az_fail(reterr, AZ_FORGED, "house.db: it belongs to another house");
out:
	buffer_fini(&header);
	return status;
}

enum az_status
rows_get_mark(
    struct state *state, uint64_t *ret_applied, struct sum *ret_sum, struct az_err *reterr)
{
	struct place place = place_of_mark(state);
	struct buffer sealed;
	struct buffer mark;

	buffer_init(&sealed, MARK_SIZE + SEAL_OVERHEAD, false);
	buffer_init(&mark, MARK_SIZE, true);
	enum az_status status = value_get(state, "mark", &sealed, reterr);
	if (status != AZ_OK)
		goto out;
	status = place_open(state, &place, buffer_peek(&sealed), MARK_SIZE, &mark, reterr);
	if (status != AZ_OK)
		goto out;
	if (mark.size != MARK_SIZE) {
		status = az_fail(reterr, AZ_CORRUPT, "house.db: a mark of another size");
		goto out;
	}
	*ret_applied = wire_load_u64(mark.data);
	ret_sum->count = wire_load_u64(mark.data + 8);
	memcpy(ret_sum->value, mark.data + 16, SUM_SIZE);
out:
	buffer_fini(&mark);
	buffer_fini(&sealed);
	return status;
}

/* --- writing -------------------------------------------------------------------------------------- */

static enum az_status
value_put(struct state *state, const char *name, struct bytes value, struct az_err *reterr)
{
	(void)sqlite3_bind_text(state->put_value, 1, name, -1, SQLITE_STATIC);
	(void)sqlite3_bind_blob(state->put_value, 2, value.data, (int)value.size, SQLITE_STATIC);
	return sql_done(state->db, state->put_value, name, reterr);
}

enum az_status
rows_put_header(struct state *state, struct az_err *reterr)
{
	uint8_t header[HEADER_SIZE];

	wire_store_u32(header, FORMAT);
	memcpy(header + 4, state->house, HOUSE_ID_SIZE);
	return value_put(state, "header", bytes_make(header, sizeof(header)), reterr);
}

enum az_status
rows_put_mark(struct state *state, uint64_t applied, struct az_err *reterr)
{
	struct place place = place_of_mark(state);
	uint8_t mark[MARK_SIZE];

	wire_store_u64(mark, applied);
	wire_store_u64(mark + 8, state->sum.count);
	memcpy(mark + 16, state->sum.value, SUM_SIZE);
	enum az_status status = place_seal(state, &place, bytes_make(mark, sizeof(mark)), reterr);
	az_wipe(mark, sizeof(mark));
	if (status != AZ_OK)
		return status;
	return value_put(state, "mark", buffer_peek(&state->sealed), reterr);
}

/* Takes the lock, and sees to it that the transaction is open. write_end must follow in any case. */
static enum az_status
write_begin(struct state *state, struct az_err *reterr)
{
	(void)pthread_mutex_lock(&state->lock);
	if (state->failed != AZ_OK)
		return az_fail(reterr, state->failed, "house.db: an earlier write failed");
	if (!sqlite3_get_autocommit(state->db))
		return AZ_OK;
	return sql_run(state->db, "BEGIN IMMEDIATE", "begin", reterr);
}

static void
write_end(struct state *state, enum az_status status)
{
	if (status != AZ_OK && state->failed == AZ_OK) {
		state->failed = status;
		/* SQLite has taken it back itself after some failures, and says so as an error. */
		if (!sqlite3_get_autocommit(state->db))
			(void)sqlite3_exec(state->db, "ROLLBACK", NULL, NULL, NULL);
	}
	(void)pthread_mutex_unlock(&state->lock);
}

/* Takes what is at a place out of the sum. */
static enum az_status
thing_subtract(struct state *state, uint8_t kind, uint64_t id, struct az_err *reterr)
{
	enum az_status status = AZ_OK;

	(void)sqlite3_bind_int(state->get_thing, 1, kind);
	(void)sqlite3_bind_int64(state->get_thing, 2, (sqlite3_int64)id);
	int code = sqlite3_step(state->get_thing);
	if (code == SQLITE_ROW)
		sum_subtract(
		    &state->sum, state->sum_mac, kind, id, sql_column(state->get_thing, 0));
	else if (code != SQLITE_DONE)
		status = sql_fail(state->db, code, "read a thing", reterr);
	(void)sqlite3_reset(state->get_thing);
	return status;
}

/* Writes state->sealed as the thing of that place, in the table and in the sum. */
static enum az_status
thing_replace(struct state *state, uint8_t kind, uint64_t id, struct az_err *reterr)
{
	struct bytes sealed = buffer_peek(&state->sealed);
	enum az_status status = thing_subtract(state, kind, id, reterr);

	if (status != AZ_OK)
		return status;
	sum_add(&state->sum, state->sum_mac, kind, id, sealed);
	(void)sqlite3_bind_int(state->put_thing, 1, kind);
	(void)sqlite3_bind_int64(state->put_thing, 2, (sqlite3_int64)id);
	(void)sqlite3_bind_blob(state->put_thing, 3, sealed.data, (int)sealed.size, SQLITE_STATIC);
	return sql_done(state->db, state->put_thing, "put a thing", reterr);
}

enum az_status
state_put(struct state *state, uint8_t kind, uint64_t id, struct bytes thing, struct az_err *reterr)
{
	if (kind < 1 || kind > STATE_KIND_MAX || id > INT64_MAX || thing.size > STATE_THING_MAX)
		return az_fail(reterr, AZ_LIMIT, "house.db: no place for such a thing");
	struct place place = place_of_thing(state, kind, id);
	enum az_status status = write_begin(state, reterr);
	if (status != AZ_OK)
		goto out;
	status = place_seal(state, &place, thing, reterr);
	if (status != AZ_OK)
		goto out;
	status = thing_replace(state, kind, id, reterr);
out:
	write_end(state, status);
	return status;
}

enum az_status
state_put_text(struct state *state, uint32_t log, uint64_t index,
    const uint8_t salt[STATE_SALT_SIZE], struct bytes text, struct az_err *reterr)
{
	if (index > INT64_MAX || text.size > STATE_TEXT_MAX)
		return az_fail(reterr, AZ_LIMIT, "house.db: no place for such a text");
	struct place place = place_of_text(state, log, index, salt);
	enum az_status status = write_begin(state, reterr);
	if (status != AZ_OK)
		goto out;
	status = place_seal(state, &place, text, reterr);
	if (status != AZ_OK)
		goto out;
	(void)sqlite3_bind_int64(state->put_text, 1, log);
	(void)sqlite3_bind_int64(state->put_text, 2, (sqlite3_int64)index);
	(void)sqlite3_bind_blob(state->put_text, 3, salt, STATE_SALT_SIZE, SQLITE_STATIC);
	(void)sqlite3_bind_blob(
	    state->put_text, 4, state->sealed.data, (int)state->sealed.size, SQLITE_STATIC);
	status = sql_done(state->db, state->put_text, "put a text", reterr);
out:
	write_end(state, status);
	return status;
}

enum az_status
state_sync(struct state *state, uint64_t applied, struct az_err *reterr)
{
	enum az_status status = write_begin(state, reterr);

	if (status != AZ_OK)
		goto out;
	status = rows_put_mark(state, applied, reterr);
	if (status != AZ_OK)
		goto out;
	status = sql_run(state->db, "COMMIT", "commit", reterr);
	if (status != AZ_OK)
		goto out;
	state->applied = applied;
out:
	write_end(state, status);
	return status;
}
