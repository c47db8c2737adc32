/*
 * Opening and closing.
 *
 * A new file comes into being in one transaction: tables, header, and the mark of nothing at position 0. An
 * existing one is read once, blob by blob and without opening any, and the sum over them must be that of its
 * mark: the only time that the cost grows with the house.
 *
 *	root key ── "house-db" ──┬── "house-db-seal"  blobs and the mark
 *	                         └── "house-db-sum"   the sum
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "state/state_internal.h"

static enum az_status
keys_derive(struct state *state, const struct secret *root, struct az_err *reterr)
{
	struct secret *key = NULL;
	struct secret *seal_secret = NULL;
	struct secret *sum_secret = NULL;
	enum az_status status = kdf_derive(root, state->house, "house-db", 0, &key, reterr);

	if (status != AZ_OK)
		goto out;
	status = kdf_derive(key, state->house, "house-db-seal", 0, &seal_secret, reterr);
	if (status != AZ_OK)
		goto out;
	status = kdf_derive(key, state->house, "house-db-sum", 0, &sum_secret, reterr);
	if (status != AZ_OK)
		goto out;
	status = seal_key_new(secret_peek(seal_secret), &state->seal_key, reterr);
	if (status != AZ_OK)
		goto out;
	status = mac_new(secret_peek(sum_secret), &state->sum_mac, reterr);
out:
	secret_free(&sum_secret);
	secret_free(&seal_secret);
	secret_free(&key);
	return status;
}

static enum az_status
statements_prepare(struct state *state, struct az_err *reterr)
{
	const struct {
		const char *text;
		sqlite3_stmt **statement;
	} statements[] = {
	    {"SELECT sealed FROM thing WHERE kind = ?1 AND id = ?2", &state->get_thing},
	    {"INSERT OR REPLACE INTO thing VALUES(?1, ?2, ?3)", &state->put_thing},
	    {"SELECT salt, sealed FROM text WHERE log = ?1 AND idx = ?2", &state->get_text},
	    {"INSERT OR REPLACE INTO text VALUES(?1, ?2, ?3, ?4)", &state->put_text},
	    {"INSERT OR REPLACE INTO house VALUES(?1, ?2)", &state->put_value},
	};
	enum az_status status = AZ_OK;

	for (size_t i = 0; status == AZ_OK && i < AZ_ARRAY_SIZE(statements); i++)
		status =
		    sql_prepare(state->db, statements[i].text, statements[i].statement, reterr);
	return status;
}

/* Ends the transaction that sql_open began for a new file. */
static enum az_status
contents_make(struct state *state, int dirfd, struct az_err *reterr)
{
	enum az_status status = rows_put_header(state, reterr);

	if (status != AZ_OK)
		return status;
	status = rows_put_mark(state, 0, reterr);
	if (status != AZ_OK)
		return status;
	status = sql_run(state->db, "COMMIT", "commit", reterr);
	if (status != AZ_OK)
		return status;
	/* SQLite flushes what is in the file, and we its name. */
	if (fsync(dirfd) != 0)
		return az_fail_errno(reterr, AZ_IO, errno, "house.db: flush its folder");
	return AZ_OK;
}

static enum az_status
row_add(void *arg, const struct row *row, struct az_err *reterr)
{
	struct state *state = arg;

	sum_add(&state->sum, state->sum_mac, row->kind, row->id, row->sealed);
	return AZ_OK;
}

static enum az_status
contents_check(struct state *state, struct az_err *reterr)
{
	struct sum expected = {0};
	uint64_t applied = 0;
	enum az_status status = rows_check_header(state, reterr);

	if (status != AZ_OK)
		return status;
	status = rows_get_mark(state, &applied, &expected, reterr);
	if (status != AZ_OK)
		return status;
	status = rows_each(state, row_add, state, reterr);
	if (status != AZ_OK)
		return status;
	if (!sum_equal(&state->sum, &expected))
		return az_fail(reterr, AZ_FORGED, "house.db: what is in it does not add up");
	state->applied = applied;
	return AZ_OK;
}

enum az_status
state_open(int dirfd, const uint8_t house[HOUSE_ID_SIZE], const struct secret *root, bool create,
    struct state **ret_state, struct az_err *reterr)
{
	struct state *state = calloc(1, sizeof(*state));
	bool made = false;

	if (state == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "house.db: open");
	memcpy(state->house, house, HOUSE_ID_SIZE);
	state->failed = AZ_OK;
	(void)pthread_mutex_init(&state->lock, NULL);
	buffer_init(&state->sealed, STATE_THING_MAX + SEAL_OVERHEAD, false);
	enum az_status status = keys_derive(state, root, reterr);
	if (status != AZ_OK)
		goto out;
	status = sql_open(dirfd, create, &state->db, reterr);
	if (status != AZ_OK)
		goto out;
	made = create;
	status = statements_prepare(state, reterr);
	if (status != AZ_OK)
		goto out;
	status = create ? contents_make(state, dirfd, reterr) : contents_check(state, reterr);
	if (status != AZ_OK)
		goto out;
	*ret_state = state;
	state = NULL;
out:
	state_close(&state);
	if (status != AZ_OK && made)
		sql_remove(dirfd);
	return status;
}

void
state_close(struct state **state)
{
	struct state *closed = *state;

	if (closed == NULL)
		return;
	*state = NULL;
	(void)sqlite3_finalize(closed->get_thing);
	(void)sqlite3_finalize(closed->put_thing);
	(void)sqlite3_finalize(closed->get_text);
	(void)sqlite3_finalize(closed->put_text);
	(void)sqlite3_finalize(closed->put_value);
	/* Takes back what was not synced, and folds the journal into the file. */
	(void)sqlite3_close(closed->db);
	seal_key_free(&closed->seal_key);
	mac_free(&closed->sum_mac);
	buffer_fini(&closed->sealed);
	(void)pthread_mutex_destroy(&closed->lock);
	az_wipe(closed, sizeof(*closed));
	free(closed);
}

uint64_t
state_applied(const struct state *state)
{
	return state->applied;
}
