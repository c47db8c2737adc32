/*
 * A vault that lies: changes what lies in a house's vault while it is at rest, as somebody who owns that
 * machine could. For the scenarios.
 *
 *	lie VAULT swap CONSIGNMENT RECORD RECORD   two rows change places
 *	lie VAULT copy CONSIGNMENT RECORD TO       a row stands in the place of another list's of that record
 *	lie VAULT flip CONSIGNMENT RECORD          one bit of a row
 *	lie VAULT remove CONSIGNMENT RECORD        a row is gone
 *	lie VAULT hide                             every block of tokens loses its entries
 *	lie VAULT redirect                         every token leads to record 2
 *	lie VAULT forget                           all blocks are gone
 */
#include <fcntl.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/wire.h"

static void
must(int error)
{
	if (error == 0)
		return;
	(void)fprintf(stderr, "lie: %s\n", mdb_strerror(error));
	exit(1);
}

static MDB_val
row_key(uint8_t key[12], const char *consignment, const char *record)
{
	wire_store_u64be(key, strtoull(consignment, NULL, 10));
	wire_store_u32be(key + 8, (uint32_t)strtoul(record, NULL, 10));
	return (MDB_val){.mv_size = 12, .mv_data = key};
}

/* A row, copied out of the table. */
static MDB_val
get_row(MDB_txn *txn, MDB_dbi rows, MDB_val key)
{
	MDB_val found, copy;

	must(mdb_get(txn, rows, &key, &found));
	copy.mv_size = found.mv_size;
	copy.mv_data = malloc(found.mv_size);
	if (copy.mv_data == NULL)
		exit(1);
	memcpy(copy.mv_data, found.mv_data, found.mv_size);
	return copy;
}

static void
put_row(MDB_txn *txn, MDB_dbi rows, MDB_val key, MDB_val value)
{
	must(mdb_put(txn, rows, &key, &value, 0));
}

static void
change_rows(MDB_txn *txn, MDB_dbi rows, char **argv)
{
	uint8_t first[12], second[12];
	MDB_val a = row_key(first, argv[3], argv[4]);
	MDB_val row = get_row(txn, rows, a);

	if (strcmp(argv[2], "swap") == 0) {
		MDB_val b = row_key(second, argv[3], argv[5]);
		MDB_val other = get_row(txn, rows, b);

		put_row(txn, rows, a, other);
		put_row(txn, rows, b, row);
	} else if (strcmp(argv[2], "copy") == 0) {
		put_row(txn, rows, row_key(second, argv[5], argv[4]), row);
	} else if (strcmp(argv[2], "flip") == 0) {
		((uint8_t *)row.mv_data)[row.mv_size / 2] ^= 1;
		put_row(txn, rows, a, row);
	} else {
		must(mdb_del(txn, rows, &a, NULL));
	}
}

/* Block by block: its entries go, or all lead to one record. The MAC stays as it is: it cannot be made. */
static void
change_block(const char *how, MDB_val *value)
{
	uint8_t *data = value->mv_data;
	uint16_t count = wire_load_u16(data + 10);

	if (strcmp(how, "redirect") == 0) {
		for (uint16_t i = 0; i < count; i++)
			wire_store_u32(data + 44 + 20u * i + 16, 2);
		return;
	}
	memmove(data + 44, data + 44 + 20u * count, 16);
	wire_store_u16(data + 10, 0);
	value->mv_size -= 20u * count;
}

static void
change_blocks(MDB_txn *txn, MDB_dbi tokens, const char *how)
{
	MDB_cursor *cursor;
	MDB_val key, value;

	must(mdb_cursor_open(txn, tokens, &cursor));
	while (mdb_cursor_get(cursor, &key, &value, MDB_NEXT) == 0) {
		/* Both lie in the page that the put moves things about in. */
		uint8_t same[512];
		uint8_t copy[4096];
		MDB_val kept = {.mv_size = key.mv_size, .mv_data = same};
		MDB_val changed = {.mv_size = value.mv_size, .mv_data = copy};

		if (key.mv_size > sizeof(same) || value.mv_size > sizeof(copy))
			exit(1);
		memcpy(same, key.mv_data, key.mv_size);
		memcpy(copy, value.mv_data, value.mv_size);
		change_block(how, &changed);
		must(mdb_cursor_put(cursor, &kept, &changed, MDB_CURRENT));
	}
	mdb_cursor_close(cursor);
}

int
main(int argc, char **argv)
{
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi rows, tokens;

	if (argc < 3)
		return 2;
	must(mdb_env_create(&env));
	must(mdb_env_set_mapsize(env, (size_t)1 << 30));
	must(mdb_env_set_maxdbs(env, 8));
	must(mdb_env_open(env, argv[1], 0, 0600));
	must(mdb_txn_begin(env, NULL, 0, &txn));
	must(mdb_dbi_open(txn, "rows", 0, &rows));
	must(mdb_dbi_open(txn, "tokens", 0, &tokens));
	if (strcmp(argv[2], "forget") == 0)
		must(mdb_drop(txn, tokens, 0));
	else if (argc == 3)
		change_blocks(txn, tokens, argv[2]);
	else if (argc >= 5)
		change_rows(txn, rows, argv);
	must(mdb_txn_commit(txn));
	mdb_env_close(env);
	return 0;
}
