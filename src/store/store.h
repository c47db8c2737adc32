/*
 * The vault's record store: sealed rows by consignment and record, token blocks by consignment, kind and lower
 * bound. It knows nothing of what they hold. The interface is what LMDB and a relational database can both do.
 *
 * Promises  what was put before a store_sync that succeeded survives a crash; a put is whole or absent.
 * Threads   one writes (put, sync, drop); each reading thread has its own reader; list from any.
 */
#ifndef AZ_STORE_H
#define AZ_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/file.h"
#include "base/status.h"
#include "proto/vault.h"

struct store;
struct store_reader;

/*
 * Opens the store in dirfd, making it if there is none. AZ_FORGED: it belongs to another house. AZ_CORRUPT,
 * AZ_IO.
 */
AZ_CHECKED enum az_status store_open(
    int dirfd, const uint8_t house[HOUSE_ID_SIZE], struct store **ret_store, struct az_err *reterr);
void store_close(struct store **store);

/* --- writing ---------------------------------------------------------------------------------- */

/* Between begin and end everything is one transaction. AZ_LIMIT: the disk is full. On failure nothing. */
AZ_CHECKED enum az_status store_begin(struct store *store, struct az_err *reterr);
AZ_CHECKED enum az_status store_put_row(struct store *store, uint64_t consignment, uint32_t record,
    struct bytes sealed, struct az_err *reterr);
/* An encoded block; AZ_INVALID if it is none. */
AZ_CHECKED enum az_status store_put_block(
    struct store *store, struct bytes block, struct az_err *reterr);
AZ_CHECKED enum az_status store_end(struct store *store, struct az_err *reterr);
/* Takes back what was begun; nothing if nothing was. */
void store_cancel(struct store *store);

/* Everything ended so far is durable. */
AZ_CHECKED enum az_status store_sync(struct store *store, struct az_err *reterr);

/* Removes rows and blocks of a consignment, in bounded transactions, durably. Not while begun. */
AZ_CHECKED enum az_status store_drop(
    struct store *store, uint64_t consignment, struct az_err *reterr);

/* --- reading ---------------------------------------------------------------------------------- */

AZ_CHECKED enum az_status store_reader_new(
    struct store *store, struct store_reader **ret_reader, struct az_err *reterr);
void store_reader_free(struct store_reader **reader);
/* Sees everything ended by now, until rest. What is found lives as long. */
AZ_CHECKED enum az_status store_reader_renew(struct store_reader *reader, struct az_err *reterr);
void store_reader_rest(struct store_reader *reader);

/* The block that covers token. AZ_NOT_FOUND. */
AZ_CHECKED enum az_status store_find_block(struct store_reader *reader, uint64_t consignment,
    enum match_kind kind, const uint8_t token[TOKEN_SIZE], struct bytes *ret_block,
    struct az_err *reterr);
/*
 * Calls visit for the block that covers token and for those behind it of the same consignment and kind, in order, until
 * it returns false. AZ_NOT_FOUND: there is none.
 */
AZ_CHECKED enum az_status store_blocks(struct store_reader *reader, uint64_t consignment,
    enum match_kind kind, const uint8_t token[TOKEN_SIZE],
    bool (*visit)(void *arg, struct bytes block), void *arg, struct az_err *reterr);
AZ_CHECKED enum az_status store_find_row(struct store_reader *reader, uint64_t consignment,
    uint32_t record, struct bytes *ret_sealed, struct az_err *reterr);

/* Calls visit for each consignment that has a row or a block, ascending. */
AZ_CHECKED enum az_status store_list(struct store_reader *reader,
    void (*visit)(void *arg, uint64_t consignment), void *arg, struct az_err *reterr);

#endif
