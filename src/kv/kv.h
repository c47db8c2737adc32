/*
 * A narrow face over LMDB: one environment, a few named tables, one writer, many readers.
 *
 * Promises  a committed transaction is wholly there or wholly absent after a crash; after kv_sync it is
 *           durable; until then a crash may lose the newest transactions but never tear one.
 * Not       it does not check what it stores.
 * Threads   one writer transaction at a time, on one thread; each reading thread has its own kv_reader.
 */
#ifndef AZ_KV_H
#define AZ_KV_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"

struct kv;
struct kv_writer;
struct kv_reader;

#define KV_KEY_MAX    511
#define KV_TABLES_MAX 8

/*
 * Opens or creates the environment in the directory dirfd (reached as /proc/self/fd/N, so that no
 * parent folder needs to be readable), reserving map_size bytes of address space, and its tables, numbered in
 * the order of names. read_only opens an existing one. AZ_CORRUPT, AZ_IO, AZ_NOT_FOUND.
 */
AZ_CHECKED enum az_status kv_open(int dirfd, const char *const *names, size_t name_count,
    uint64_t map_size, bool read_only, struct kv **ret_kv, struct az_err *reterr);
void kv_close(struct kv **kv);

/* Blocks while another writer is open. kv_commit and kv_abort end it and leave NULL. */
AZ_CHECKED enum az_status kv_begin(
    struct kv *kv, struct kv_writer **ret_writer, struct az_err *reterr);
AZ_CHECKED enum az_status kv_commit(struct kv_writer **writer, struct az_err *reterr);
void kv_abort(struct kv_writer **writer);

/* Inserts or replaces. AZ_LIMIT: the map or the disk is full. */
AZ_CHECKED enum az_status kv_put(struct kv_writer *writer, unsigned int table, struct bytes key,
    struct bytes value, struct az_err *reterr);
/* Inserts a key known to follow all others of the table; AZ_CONFLICT if it does not. */
AZ_CHECKED enum az_status kv_append(struct kv_writer *writer, unsigned int table, struct bytes key,
    struct bytes value, struct az_err *reterr);
/* AZ_NOT_FOUND. */
AZ_CHECKED enum az_status kv_delete(
    struct kv_writer *writer, unsigned int table, struct bytes key, struct az_err *reterr);
/*
 * Puts what is not there yet, in one search and without touching what is. AZ_CONFLICT: the key is there;
 * *ret_value, as of kv_writer_get, is its value.
 */
AZ_CHECKED enum az_status kv_put_new(struct kv_writer *writer, unsigned int table, struct bytes key,
    struct bytes value, struct bytes *ret_value, struct az_err *reterr);
/* Deletes at most max keys that begin with prefix; *ret_count tells how many. */
AZ_CHECKED enum az_status kv_delete_prefix(struct kv_writer *writer, unsigned int table,
    struct bytes prefix, size_t max, size_t *ret_count, struct az_err *reterr);
/* Reads within the writer. The value lives until the writer next changes anything. */
AZ_CHECKED enum az_status kv_writer_get(struct kv_writer *writer, unsigned int table,
    struct bytes key, struct bytes *ret_value, struct az_err *reterr);

/* Makes all committed transactions durable. Any thread. */
AZ_CHECKED enum az_status kv_sync(struct kv *kv, struct az_err *reterr);

/* A thread's reader; each kv_reader_renew sees the newest commit, kv_reader_rest lets go of it. */
AZ_CHECKED enum az_status kv_reader_new(
    struct kv *kv, struct kv_reader **ret_reader, struct az_err *reterr);
void kv_reader_free(struct kv_reader **reader);
AZ_CHECKED enum az_status kv_reader_renew(struct kv_reader *reader, struct az_err *reterr);
void kv_reader_rest(struct kv_reader *reader);

/* Values live until kv_reader_rest or _renew. AZ_NOT_FOUND. */
AZ_CHECKED enum az_status kv_get(struct kv_reader *reader, unsigned int table, struct bytes key,
    struct bytes *ret_value, struct az_err *reterr);
/* The first key >= key. AZ_NOT_FOUND at the end. */
AZ_CHECKED enum az_status kv_seek(struct kv_reader *reader, unsigned int table, struct bytes key,
    struct bytes *ret_key, struct bytes *ret_value, struct az_err *reterr);
/* The last key <= key. AZ_NOT_FOUND before the first. */
AZ_CHECKED enum az_status kv_seek_back(struct kv_reader *reader, unsigned int table,
    struct bytes key, struct bytes *ret_key, struct bytes *ret_value, struct az_err *reterr);
/* After kv_seek or kv_seek_back on the same table: the following key. */
AZ_CHECKED enum az_status kv_next(struct kv_reader *reader, unsigned int table,
    struct bytes *ret_key, struct bytes *ret_value, struct az_err *reterr);

#endif
