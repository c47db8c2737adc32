/*
 * LMDB behind a narrow face.
 *
 * MDB_NOMETASYNC: each commit flushes its pages before its root, but not the root, so that a power cut may take
 * back the newest transactions and never leaves half of one. MDB_NOTLS: a reader belongs to its object and
 * not to the thread that began it. MDB_NORDAHEAD: reads are of single pages anywhere; reading on behind each
 * would fill memory with what nobody asked for once a house is larger than it.
 */
#include "kv/kv.h"

#include <errno.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct kv {
	MDB_env *env;
	MDB_dbi tables[KV_TABLES_MAX];
	size_t table_count;
};

struct kv_writer {
	struct kv *kv;
	MDB_txn *txn;
};

struct kv_reader {
	struct kv *kv;
	MDB_txn *txn;
	bool active;
	MDB_cursor *cursors[KV_TABLES_MAX];
	bool renewed[KV_TABLES_MAX];
};

static enum az_status
kv_fail(struct az_err *reterr, int error, const char *what)
{
	enum az_status status = AZ_IO;

	if (error == MDB_NOTFOUND || error == ENOENT)
		status = AZ_NOT_FOUND;
	else if (error == MDB_KEYEXIST)
		status = AZ_CONFLICT;
	else if (error == MDB_MAP_FULL || error == ENOSPC || error == EDQUOT)
		status = AZ_LIMIT;
	else if (error == ENOMEM)
		status = AZ_NO_MEMORY;
	else if (error == MDB_CORRUPTED || error == MDB_PAGE_NOTFOUND || error == MDB_PANIC ||
	    error == MDB_INVALID || error == MDB_VERSION_MISMATCH)
		status = AZ_CORRUPT;
	return az_fail(reterr, status, "kv: cannot %s: %s", what, mdb_strerror(error));
}

static MDB_val
val_of(struct bytes bytes)
{
	return (MDB_val){.mv_size = bytes.size, .mv_data = (void *)(uintptr_t)bytes.data};
}

enum az_status
kv_open(int dirfd, const char *const *names, size_t name_count, uint64_t map_size, bool read_only,
    struct kv **ret_kv, struct az_err *reterr)
{
	unsigned int flags =
	    MDB_NOMETASYNC | MDB_NOTLS | MDB_NORDAHEAD | (read_only ? MDB_RDONLY : 0);
	struct kv *kv = calloc(1, sizeof(*kv));
	MDB_txn *txn = NULL;
	char path[32];
	int error;

	if (kv == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "kv: out of memory");
	kv->table_count = name_count;
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", dirfd);
	error = name_count <= KV_TABLES_MAX ? mdb_env_create(&kv->env) : EINVAL;
	if (error == 0)
		error = mdb_env_set_mapsize(kv->env, map_size);
	if (error == 0)
		error = mdb_env_set_maxdbs(kv->env, KV_TABLES_MAX);
	if (error == 0)
		error = mdb_env_open(kv->env, path, flags, 0600);
	if (error == 0)
		error = mdb_txn_begin(kv->env, NULL, read_only ? MDB_RDONLY : 0, &txn);
	for (size_t i = 0; i < name_count && error == 0; i++)
		error = mdb_dbi_open(txn, names[i], read_only ? 0 : MDB_CREATE, &kv->tables[i]);
	if (error == 0) {
		error = mdb_txn_commit(txn);
		txn = NULL;
	}
	if (txn != NULL)
		mdb_txn_abort(txn);
	if (error != 0) {
		kv_close(&kv);
		return kv_fail(reterr, error, "open");
	}
	*ret_kv = kv;
	return AZ_OK;
}

void
kv_close(struct kv **kv)
{
	if (*kv == NULL)
		return;
	if ((*kv)->env != NULL)
		mdb_env_close((*kv)->env);
	free(*kv);
	*kv = NULL;
}

enum az_status
kv_begin(struct kv *kv, struct kv_writer **ret_writer, struct az_err *reterr)
{
	struct kv_writer *writer = calloc(1, sizeof(*writer));
	int error;

	if (writer == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "kv: out of memory");
	writer->kv = kv;
	error = mdb_txn_begin(kv->env, NULL, 0, &writer->txn);
	if (error != 0) {
		free(writer);
		return kv_fail(reterr, error, "begin");
	}
	*ret_writer = writer;
	return AZ_OK;
}

enum az_status
kv_commit(struct kv_writer **writer, struct az_err *reterr)
{
	int error = mdb_txn_commit((*writer)->txn);

	free(*writer);
	*writer = NULL;
	return error == 0 ? AZ_OK : kv_fail(reterr, error, "commit");
}

void
kv_abort(struct kv_writer **writer)
{
	if (*writer == NULL)
		return;
	mdb_txn_abort((*writer)->txn);
	free(*writer);
	*writer = NULL;
}

static enum az_status
put(struct kv_writer *writer, unsigned int table, struct bytes key, struct bytes value,
    unsigned int flags, struct az_err *reterr)
{
	MDB_val k = val_of(key);
	MDB_val v = val_of(value);
	int error = mdb_put(writer->txn, writer->kv->tables[table], &k, &v, flags);

	return error == 0 ? AZ_OK : kv_fail(reterr, error, "put");
}

enum az_status
kv_put(struct kv_writer *writer, unsigned int table, struct bytes key, struct bytes value,
    struct az_err *reterr)
{
	return put(writer, table, key, value, 0, reterr);
}

enum az_status
kv_append(struct kv_writer *writer, unsigned int table, struct bytes key, struct bytes value,
    struct az_err *reterr)
{
	return put(writer, table, key, value, MDB_APPEND, reterr);
}

enum az_status
kv_put_new(struct kv_writer *writer, unsigned int table, struct bytes key, struct bytes value,
    struct bytes *ret_value, struct az_err *reterr)
{
	MDB_val k = val_of(key);
	MDB_val v = val_of(value);
	int error = mdb_put(writer->txn, writer->kv->tables[table], &k, &v, MDB_NOOVERWRITE);

	if (error == MDB_KEYEXIST) {
		/* Usual, and no need for a text that says so. */
		*ret_value = bytes_make(v.mv_data, v.mv_size);
		return AZ_CONFLICT;
	}
	return error == 0 ? AZ_OK : kv_fail(reterr, error, "put");
}

enum az_status
kv_delete(struct kv_writer *writer, unsigned int table, struct bytes key, struct az_err *reterr)
{
	MDB_val k = val_of(key);
	int error = mdb_del(writer->txn, writer->kv->tables[table], &k, NULL);

	return error == 0 ? AZ_OK : kv_fail(reterr, error, "delete");
}

enum az_status
kv_delete_prefix(struct kv_writer *writer, unsigned int table, struct bytes prefix, size_t max,
    size_t *ret_count, struct az_err *reterr)
{
	MDB_cursor *cursor = NULL;
	MDB_val k;
	MDB_val v;
	size_t count = 0;
	int error = mdb_cursor_open(writer->txn, writer->kv->tables[table], &cursor);

	/* Found anew each time: where a cursor stands after a deletion at the end of a page differs by version. */
	while (error == 0 && count < max) {
		k = val_of(prefix);
		error = mdb_cursor_get(cursor, &k, &v, MDB_SET_RANGE);
		if (error == 0 &&
		    (k.mv_size < prefix.size ||
			!bytes_equal(bytes_make(k.mv_data, prefix.size), prefix)))
			error = MDB_NOTFOUND;
		if (error == 0)
			error = mdb_cursor_del(cursor, 0);
		if (error == 0)
			count++;
	}
	if (cursor != NULL)
		mdb_cursor_close(cursor);
	if (error != 0 && error != MDB_NOTFOUND)
		return kv_fail(reterr, error, "delete");
	*ret_count = count;
	return AZ_OK;
}

enum az_status
kv_writer_get(struct kv_writer *writer, unsigned int table, struct bytes key,
    struct bytes *ret_value, struct az_err *reterr)
{
	MDB_val k = val_of(key);
	MDB_val v;
	int error = mdb_get(writer->txn, writer->kv->tables[table], &k, &v);

	if (error != 0)
		return kv_fail(reterr, error, "get");
	*ret_value = bytes_make(v.mv_data, v.mv_size);
	return AZ_OK;
}

enum az_status
kv_sync(struct kv *kv, struct az_err *reterr)
{
	int error = mdb_env_sync(kv->env, 1);

	return error == 0 ? AZ_OK : kv_fail(reterr, error, "sync");
}

enum az_status
kv_reader_new(struct kv *kv, struct kv_reader **ret_reader, struct az_err *reterr)
{
	struct kv_reader *reader = calloc(1, sizeof(*reader));
	int error;

	if (reader == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "kv: out of memory");
	reader->kv = kv;
	error = mdb_txn_begin(kv->env, NULL, MDB_RDONLY, &reader->txn);
	if (error != 0) {
		free(reader);
		return kv_fail(reterr, error, "read");
	}
	mdb_txn_reset(reader->txn);
	*ret_reader = reader;
	return AZ_OK;
}

void
kv_reader_free(struct kv_reader **reader)
{
	if (*reader == NULL)
		return;
	for (size_t i = 0; i < KV_TABLES_MAX; i++) {
		if ((*reader)->cursors[i] != NULL)
			mdb_cursor_close((*reader)->cursors[i]);
	}
	mdb_txn_abort((*reader)->txn);
	free(*reader);
	*reader = NULL;
}

enum az_status
kv_reader_renew(struct kv_reader *reader, struct az_err *reterr)
{
	int error;

	kv_reader_rest(reader);
	error = mdb_txn_renew(reader->txn);
	if (error != 0)
		return kv_fail(reterr, error, "read");
	reader->active = true;
	return AZ_OK;
}

void
kv_reader_rest(struct kv_reader *reader)
{
	if (reader->active)
		mdb_txn_reset(reader->txn);
	reader->active = false;
	memset(reader->renewed, 0, sizeof(reader->renewed));
}

enum az_status
kv_get(struct kv_reader *reader, unsigned int table, struct bytes key, struct bytes *ret_value,
    struct az_err *reterr)
{
	MDB_val k = val_of(key);
	MDB_val v;
	int error = mdb_get(reader->txn, reader->kv->tables[table], &k, &v);

	if (error != 0)
		return kv_fail(reterr, error, "get");
	*ret_value = bytes_make(v.mv_data, v.mv_size);
	return AZ_OK;
}

static int
cursor_of(struct kv_reader *reader, unsigned int table, MDB_cursor **ret_cursor)
{
	int error = 0;

	if (reader->cursors[table] == NULL)
		error = mdb_cursor_open(
		    reader->txn, reader->kv->tables[table], &reader->cursors[table]);
	else if (!reader->renewed[table])
		error = mdb_cursor_renew(reader->txn, reader->cursors[table]);
	reader->renewed[table] = error == 0;
	*ret_cursor = reader->cursors[table];
	return error;
}

static enum az_status
found(int error, MDB_val k, MDB_val v, struct bytes *ret_key, struct bytes *ret_value,
    struct az_err *reterr)
{
	if (error != 0)
		return kv_fail(reterr, error, "seek");
	*ret_key = bytes_make(k.mv_data, k.mv_size);
	*ret_value = bytes_make(v.mv_data, v.mv_size);
	return AZ_OK;
}

enum az_status
kv_seek(struct kv_reader *reader, unsigned int table, struct bytes key, struct bytes *ret_key,
    struct bytes *ret_value, struct az_err *reterr)
{
	MDB_val k = val_of(key);
	MDB_val v = {0};
	MDB_cursor *cursor = NULL;
	int error = cursor_of(reader, table, &cursor);

	if (error == 0)
		error = mdb_cursor_get(cursor, &k, &v, MDB_SET_RANGE);
	return found(error, k, v, ret_key, ret_value, reterr);
}

enum az_status
kv_seek_back(struct kv_reader *reader, unsigned int table, struct bytes key, struct bytes *ret_key,
    struct bytes *ret_value, struct az_err *reterr)
{
	MDB_val k = val_of(key);
	MDB_val v = {0};
	MDB_cursor *cursor = NULL;
	int error = cursor_of(reader, table, &cursor);

	if (error == 0)
		error = mdb_cursor_get(cursor, &k, &v, MDB_SET_RANGE);
	if (error == MDB_NOTFOUND)
		error = mdb_cursor_get(cursor, &k, &v, MDB_LAST);
	else if (error == 0 && bytes_compare(bytes_make(k.mv_data, k.mv_size), key) != 0)
		error = mdb_cursor_get(cursor, &k, &v, MDB_PREV);
	return found(error, k, v, ret_key, ret_value, reterr);
}

enum az_status
kv_next(struct kv_reader *reader, unsigned int table, struct bytes *ret_key,
    struct bytes *ret_value, struct az_err *reterr)
{
	MDB_val k = {0};
	MDB_val v = {0};
	MDB_cursor *cursor = NULL;
	int error = cursor_of(reader, table, &cursor);

	if (error == 0)
		error = mdb_cursor_get(cursor, &k, &v, MDB_NEXT);
	return found(error, k, v, ret_key, ret_value, reterr);
}
