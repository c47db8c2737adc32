/*
 * The store over LMDB (docs/format/vault.md).
 *
 *	rows    consignment u64be ‖ record u32be           → sealed row
 *	tokens  consignment u64be ‖ kind u8 ‖ lower 16     → token block
 *	meta    "house"                                    → house id
 *
 * Keys begin with the consignment, so that what belongs together lies together and goes together; rows
 * of a new list come in ascending order, and are appended.
 */
#include <stdlib.h>
#include <string.h>

#include "base/wire.h"
#include "kv/kv.h"
#include "store/store.h"

#define MAP_SIZE       (UINT64_C(1) << 40)
#define DROP_AT_ONCE   20000u
#define ROW_KEY_SIZE   12u
#define TOKEN_KEY_SIZE 25u

enum table { TABLE_ROWS, TABLE_TOKENS, TABLE_META, TABLE_COUNT };

static const char *const names[TABLE_COUNT] = {"rows", "tokens", "meta"};

struct store {
	struct kv *kv;
	struct kv_writer *writer;
	uint8_t last_row[ROW_KEY_SIZE]; /* the highest key known to be in the table */
	bool has_last_row;
};

struct store_reader {
	struct kv_reader *kv;
};

static struct bytes
row_key(uint64_t consignment, uint32_t record, uint8_t key[ROW_KEY_SIZE])
{
	wire_store_u64be(key, consignment);
	wire_store_u32be(key + 8, record);
	return bytes_make(key, ROW_KEY_SIZE);
}

static struct bytes
token_key(uint64_t consignment, enum match_kind kind, const uint8_t token[TOKEN_SIZE],
    uint8_t key[TOKEN_KEY_SIZE])
{
	wire_store_u64be(key, consignment);
	key[8] = (uint8_t)kind;
	memcpy(key + 9, token, TOKEN_SIZE);
	return bytes_make(key, TOKEN_KEY_SIZE);
}

/* --- opening ---------------------------------------------------------------------------------- */

/* The store is this house's, or new and becomes so. */
static enum az_status
check_house(struct store *store, const uint8_t house[HOUSE_ID_SIZE], struct az_err *reterr)
{
	struct kv_writer *writer = NULL;
	struct bytes found;
	enum az_status status = kv_begin(store->kv, &writer, reterr);

	if (status != AZ_OK)
		return status;
	status = kv_writer_get(writer, TABLE_META, bytes_of("house"), &found, reterr);
	if (status == AZ_NOT_FOUND) {
		status = kv_put(writer, TABLE_META, bytes_of("house"),
		    bytes_make(house, HOUSE_ID_SIZE), reterr);
		if (status == AZ_OK)
			status = kv_commit(&writer, reterr);
		if (status == AZ_OK)
			status = kv_sync(store->kv, reterr);
	} else if (status == AZ_OK && !bytes_equal(found, bytes_make(house, HOUSE_ID_SIZE))) {
		status = az_fail(reterr, AZ_FORGED, "vault: it belongs to another house");
	}
	kv_abort(&writer);
	return status;
}

enum az_status
store_open(
    int dirfd, const uint8_t house[HOUSE_ID_SIZE], struct store **ret_store, struct az_err *reterr)
{
	struct store *store = calloc(1, sizeof(*store));
	enum az_status status;

	if (store == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "vault: out of memory");
	status = kv_open(dirfd, names, TABLE_COUNT, MAP_SIZE, false, &store->kv, reterr);
	if (status == AZ_OK)
		status = check_house(store, house, reterr);
	if (status == AZ_OK)
		*ret_store = store;
	else
		store_close(&store);
	return status;
}

void
store_close(struct store **store)
{
	if (*store == NULL)
		return;
	kv_abort(&(*store)->writer);
	kv_close(&(*store)->kv);
	free(*store);
	*store = NULL;
}

/* --- writing ---------------------------------------------------------------------------------- */

enum az_status
store_begin(struct store *store, struct az_err *reterr)
{
	return kv_begin(store->kv, &store->writer, reterr);
}

enum az_status
store_put_row(struct store *store, uint64_t consignment, uint32_t record, struct bytes sealed,
    struct az_err *reterr)
{
	uint8_t data[ROW_KEY_SIZE];
	struct bytes key = row_key(consignment, record, data);
	struct bytes last = bytes_make(store->last_row, ROW_KEY_SIZE);
	bool ascends = !store->has_last_row || bytes_compare(last, key) < 0;
	enum az_status status = AZ_CONFLICT;

	/* Appending fills pages; where the guess is wrong, it is an ordinary put. */
	if (ascends)
		status = kv_append(store->writer, TABLE_ROWS, key, sealed, reterr);
	if (status == AZ_CONFLICT)
		status = kv_put(store->writer, TABLE_ROWS, key, sealed, reterr);
	else if (status == AZ_OK)
		memcpy(store->last_row, data, ROW_KEY_SIZE);
	store->has_last_row = store->has_last_row || (ascends && status == AZ_OK);
	return status;
}

enum az_status
store_put_block(struct store *store, struct bytes block, struct az_err *reterr)
{
	struct token_block decoded;
	struct bytes mac;
	uint8_t key[TOKEN_KEY_SIZE];

	if (token_block_decode(block, &decoded, &mac) != AZ_OK)
		return az_fail(reterr, AZ_INVALID, "vault: a malformed token block");
	return kv_put(store->writer, TABLE_TOKENS,
	    token_key(decoded.consignment, decoded.kind, decoded.lower, key), block, reterr);
}

enum az_status
store_end(struct store *store, struct az_err *reterr)
{
	return kv_commit(&store->writer, reterr);
}

void
store_cancel(struct store *store)
{
	kv_abort(&store->writer);
}

enum az_status
store_sync(struct store *store, struct az_err *reterr)
{
	return kv_sync(store->kv, reterr);
}

/* Removes what begins with the consignment from one table. */
static enum az_status
drop_from(struct store *store, enum table table, uint64_t consignment, struct az_err *reterr)
{
	uint8_t prefix[8];
	size_t count = DROP_AT_ONCE;
	enum az_status status = AZ_OK;

	wire_store_u64be(prefix, consignment);
	while (status == AZ_OK && count == DROP_AT_ONCE) {
		struct kv_writer *writer = NULL;

		status = kv_begin(store->kv, &writer, reterr);
		if (status == AZ_OK)
			status = kv_delete_prefix(writer, table, bytes_make(prefix, sizeof(prefix)),
			    DROP_AT_ONCE, &count, reterr);
		if (status == AZ_OK)
			status = kv_commit(&writer, reterr);
		kv_abort(&writer);
	}
	return status;
}

enum az_status
store_drop(struct store *store, uint64_t consignment, struct az_err *reterr)
{
	enum az_status status = drop_from(store, TABLE_TOKENS, consignment, reterr);

	store->has_last_row = false;
	if (status == AZ_OK)
		status = drop_from(store, TABLE_ROWS, consignment, reterr);
	if (status == AZ_OK)
		status = kv_sync(store->kv, reterr);
	return status;
}

/* --- reading ---------------------------------------------------------------------------------- */

enum az_status
store_reader_new(struct store *store, struct store_reader **ret_reader, struct az_err *reterr)
{
	struct store_reader *reader = calloc(1, sizeof(*reader));
	enum az_status status;

	if (reader == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "vault: out of memory");
	status = kv_reader_new(store->kv, &reader->kv, reterr);
	if (status == AZ_OK)
		*ret_reader = reader;
	else
		free(reader);
	return status;
}

void
store_reader_free(struct store_reader **reader)
{
	if (*reader == NULL)
		return;
	kv_reader_free(&(*reader)->kv);
	free(*reader);
	*reader = NULL;
}

enum az_status
store_reader_renew(struct store_reader *reader, struct az_err *reterr)
{
	return kv_reader_renew(reader->kv, reterr);
}

void
store_reader_rest(struct store_reader *reader)
{
	kv_reader_rest(reader->kv);
}

enum az_status
store_find_block(struct store_reader *reader, uint64_t consignment, enum match_kind kind,
    const uint8_t token[TOKEN_SIZE], struct bytes *ret_block, struct az_err *reterr)
{
	uint8_t data[TOKEN_KEY_SIZE];
	struct bytes asked = token_key(consignment, kind, token, data);
	struct bytes key, block;
	enum az_status status = kv_seek_back(reader->kv, TABLE_TOKENS, asked, &key, &block, reterr);

	if (status != AZ_OK)
		return status;
	/* The block before it in the table may be another kind's or consignment's. */
	if (key.size != TOKEN_KEY_SIZE ||
	    !bytes_equal(bytes_make(key.data, 9), bytes_make(asked.data, 9)))
		return az_fail(reterr, AZ_NOT_FOUND, "vault: no such tokens");
	*ret_block = block;
	return AZ_OK;
}

enum az_status
store_blocks(struct store_reader *reader, uint64_t consignment, enum match_kind kind,
    const uint8_t token[TOKEN_SIZE], bool (*visit)(void *arg, struct bytes block), void *arg,
    struct az_err *reterr)
{
	uint8_t data[TOKEN_KEY_SIZE];
	struct bytes asked = token_key(consignment, kind, token, data);
	struct bytes key, block;
	enum az_status status = store_find_block(reader, consignment, kind, token, &block, reterr);

	while (status == AZ_OK && visit(arg, block)) {
		status = kv_next(reader->kv, TABLE_TOKENS, &key, &block, reterr);
		if (status == AZ_NOT_FOUND)
			return AZ_OK;
		if (status == AZ_OK &&
		    (key.size != TOKEN_KEY_SIZE ||
			!bytes_equal(bytes_make(key.data, 9), bytes_make(asked.data, 9))))
			return AZ_OK;
	}
	return status;
}

enum az_status
store_find_row(struct store_reader *reader, uint64_t consignment, uint32_t record,
    struct bytes *ret_sealed, struct az_err *reterr)
{
	uint8_t key[ROW_KEY_SIZE];

	return kv_get(
	    reader->kv, TABLE_ROWS, row_key(consignment, record, key), ret_sealed, reterr);
}

/* The first consignment >= from that is in a table. */
static enum az_status
next_in(struct store_reader *reader, enum table table, uint64_t from, uint64_t *ret_consignment,
    struct az_err *reterr)
{
	uint8_t prefix[8];
	struct bytes key, value;
	enum az_status status;

	wire_store_u64be(prefix, from);
	status =
	    kv_seek(reader->kv, table, bytes_make(prefix, sizeof(prefix)), &key, &value, reterr);
	if (status == AZ_OK && key.size < 8)
		return az_fail(reterr, AZ_CORRUPT, "vault: a key that is too short");
	if (status == AZ_OK)
		*ret_consignment = wire_load_u64be(key.data);
	return status;
}

enum az_status
store_list(struct store_reader *reader, void (*visit)(void *arg, uint64_t consignment), void *arg,
    struct az_err *reterr)
{
	uint64_t from = 0;

	for (;;) {
		uint64_t in_rows = UINT64_MAX;
		uint64_t in_tokens = UINT64_MAX;
		uint64_t next;
		enum az_status status = next_in(reader, TABLE_ROWS, from, &in_rows, reterr);

		if (status == AZ_OK || status == AZ_NOT_FOUND)
			status = next_in(reader, TABLE_TOKENS, from, &in_tokens, reterr);
		if (status != AZ_OK && status != AZ_NOT_FOUND)
			return status;
		next = in_rows < in_tokens ? in_rows : in_tokens;
		if (next == UINT64_MAX)
			return AZ_OK;
		visit(arg, next);
		from = next + 1;
	}
}
