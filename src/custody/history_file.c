/*
 * The sealed file of a history: blocks of names and blocks of rows, a name always before the row that has it, and a last
 * block that says how many rows there are.
 *
 *	u8 1, count, each: text name               numbered from 0 in the order of the file
 *	u8 2, count, each: 45 bytes of a row
 *	u8 3, u64 rows                              the last
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "custody/histories.h"
#include "proto/history.h"

#define BLOCK_NAMES 1u
#define BLOCK_ROWS  2u
#define BLOCK_END   3u
#define ROW_SIZE    45u
#define BLOCK_HEAD  5u
#define NAMES_MAX   16000000u
#define FORMAT      1u

static struct blocks_file
file_of(const struct custody *custody, uint32_t id)
{
	struct blocks_file file = {.dirfd = custody->trace_dirfd,
	    .header = {.magic = "AZHISTRY", .format = FORMAT},
	    .number = id};

	(void)snprintf(file.name, sizeof(file.name), "history-%08x", id);
	memcpy(file.header.house, custody->config.house, HOUSE_ID_SIZE);
	return file;
}

static enum az_status
key_of(const struct custody *custody, uint32_t id, struct secret **ret_key, struct az_err *reterr)
{
	return kdf_derive(
	    custody->histories_key, custody->config.house, "history", id, ret_key, reterr);
}

/* --- names ------------------------------------------------------------------------------------ */

/* Texts one behind the other, each with its NUL, and where each begins. */
struct names {
	char *text;
	size_t size, room;
	size_t *starts;
	uint32_t count, start_room;
};

static void
names_fini(struct names *names)
{
	free(names->text);
	free(names->starts);
}

static const char *
names_get(const struct names *names, uint32_t index)
{
	return index < names->count ? names->text + names->starts[index] : "";
}

static bool
names_add(struct names *names, const char *name)
{
	size_t size = strlen(name) + 1;

	if (names->count == NAMES_MAX)
		return false;
	if (names->size + size > names->room) {
		size_t room = 2 * (names->room + size);
		char *text = realloc(names->text, room);

		if (text == NULL)
			return false;
		names->text = text;
		names->room = room;
	}
	if (names->count == names->start_room) {
		uint32_t room = names->start_room == 0 ? 64 : 2 * names->start_room;
		size_t *starts = reallocarray(names->starts, room, sizeof(*starts));

		if (starts == NULL)
			return false;
		names->starts = starts;
		names->start_room = room;
	}
	names->starts[names->count++] = names->size;
	memcpy(names->text + names->size, name, size);
	names->size += size;
	return true;
}

/* --- writing ---------------------------------------------------------------------------------- */

struct history_writer {
	struct blocks_writer *blocks;
	struct names names;
	uint32_t *slots; /* 1 + index, by hash */
	size_t slot_count;
	uint32_t written; /* names that stand in a block already */
	struct buffer rows;
	uint32_t row_count; /* in rows */
	uint64_t total;
};

static void
writer_free(struct history_writer **writer)
{
	names_fini(&(*writer)->names);
	free((*writer)->slots);
	buffer_fini(&(*writer)->rows);
	free(*writer);
	*writer = NULL;
}

enum az_status
history_writer_new(
    struct custody *custody, uint32_t id, struct history_writer **ret_writer, struct az_err *reterr)
{
	struct history_writer *writer = calloc(1, sizeof(*writer));
	struct blocks_file file = file_of(custody, id);
	struct secret *key = NULL;
	enum az_status status;

	if (writer == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "history: out of memory");
	buffer_init(&writer->rows, BLOCKS_PLAIN_MAX, true);
	status = key_of(custody, id, &key, reterr);
	if (status == AZ_OK)
		status = blocks_writer_new(&file, key, &writer->blocks, reterr);
	secret_free(&key);
	if (status != AZ_OK) {
		writer_free(&writer);
		return status;
	}
	*ret_writer = writer;
	return AZ_OK;
}

void
history_writer_discard(struct history_writer **writer)
{
	if (*writer == NULL)
		return;
	blocks_writer_discard(&(*writer)->blocks);
	writer_free(writer);
}

static uint64_t
hash_of(const char *name)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (; *name != '\0'; name++)
		hash = (hash ^ (uint8_t)*name) * UINT64_C(0x100000001b3);
	return hash;
}

static size_t
slot_of(const struct history_writer *writer, const char *name)
{
	size_t slot = (size_t)hash_of(name) & (writer->slot_count - 1);

	while (writer->slots[slot] != 0 &&
	    strcmp(names_get(&writer->names, writer->slots[slot] - 1), name) != 0)
		slot = (slot + 1) & (writer->slot_count - 1);
	return slot;
}

static bool
grow_slots(struct history_writer *writer)
{
	size_t count = writer->slot_count == 0 ? 256 : 2 * writer->slot_count;
	uint32_t *slots = calloc(count, sizeof(*slots));

	if (slots == NULL)
		return false;
	free(writer->slots);
	writer->slots = slots;
	writer->slot_count = count;
	for (uint32_t i = 0; i < writer->names.count; i++)
		slots[slot_of(writer, names_get(&writer->names, i))] = i + 1;
	return true;
}

enum az_status
history_writer_name(
    struct history_writer *writer, const char *name, uint32_t *ret_index, struct az_err *reterr)
{
	size_t slot;

	if (2 * (size_t)writer->names.count >= writer->slot_count && !grow_slots(writer))
		return az_fail(reterr, AZ_NO_MEMORY, "history: out of memory");
	slot = slot_of(writer, name);
	if (writer->slots[slot] == 0) {
		if (!names_add(&writer->names, name))
			return az_fail(reterr, AZ_LIMIT, "history: it has too many names");
		writer->slots[slot] = writer->names.count;
	}
	*ret_index = writer->slots[slot] - 1;
	return AZ_OK;
}

/* A block of the names that came since the last one, as many as it takes. */
static enum az_status
put_names(struct history_writer *writer, struct az_err *reterr)
{
	enum az_status status = AZ_OK;

	while (status == AZ_OK && writer->written < writer->names.count) {
		struct buffer block;
		struct wire_writer wire;
		uint32_t count = 0;

		buffer_init(&block, BLOCKS_PLAIN_MAX, true);
		wire_writer_init(&wire, &block);
		wire_put_u8(&wire, BLOCK_NAMES);
		wire_put_u32(&wire, 0);
		while (writer->written < writer->names.count &&
		    block.size + NAME_SIZE + 8 < BLOCKS_PLAIN_MAX) {
			wire_put_text(&wire, names_get(&writer->names, writer->written++));
			count++;
		}
		status = wire.status;
		if (status == AZ_OK) {
			wire_store_u32(block.data + 1, count);
			status =
			    blocks_writer_put(writer->blocks, buffer_peek(&block), false, reterr);
		}
		buffer_fini(&block);
	}
	return status;
}

static enum az_status
put_rows(struct history_writer *writer, struct az_err *reterr)
{
	enum az_status status = put_names(writer, reterr);

	if (status != AZ_OK || writer->row_count == 0)
		return status;
	wire_store_u32(writer->rows.data + 1, writer->row_count);
	status = blocks_writer_put(writer->blocks, buffer_peek(&writer->rows), false, reterr);
	buffer_clear(&writer->rows);
	writer->row_count = 0;
	return status;
}

enum az_status
history_writer_row(
    struct history_writer *writer, const struct history_row *row, struct az_err *reterr)
{
	struct wire_writer wire;
	enum az_status status = AZ_OK;

	if (writer->rows.size + ROW_SIZE > BLOCKS_PLAIN_MAX)
		status = put_rows(writer, reterr);
	if (status != AZ_OK)
		return status;
	wire_writer_init(&wire, &writer->rows);
	if (writer->row_count == 0) {
		wire_put_u8(&wire, BLOCK_ROWS);
		wire_put_u32(&wire, 0);
	}
	wire_put_u32(&wire, row->record);
	wire_put_u32(&wire, row->client);
	wire_put_i64(&wire, row->time_us);
	wire_put_u64(&wire, row->fields);
	wire_put_u32(&wire, row->staff);
	wire_put_u32(&wire, row->device);
	wire_put_u32(&wire, row->carrier);
	wire_put_u8(&wire, row->kind);
	wire_put_u64(&wire, row->consignment);
	writer->row_count++;
	writer->total++;
	return wire.status == AZ_OK ? AZ_OK
				    : az_fail(reterr, wire.status, "history: out of memory");
}

enum az_status
history_writer_finish(
    struct history_writer **writer, uint8_t ret_sha256[SHA256_SIZE], struct az_err *reterr)
{
	struct history_writer *finished = *writer;
	uint8_t last[9] = {BLOCK_END};
	enum az_status status = put_rows(finished, reterr);

	wire_store_u64(last + 1, finished->total);
	if (status == AZ_OK)
		status = blocks_writer_put(
		    finished->blocks, bytes_make(last, sizeof(last)), true, reterr);
	if (status == AZ_OK)
		status = blocks_writer_finish(&finished->blocks, ret_sha256, reterr);
	else
		blocks_writer_discard(&finished->blocks);
	writer_free(writer);
	return status;
}

/* --- reading ---------------------------------------------------------------------------------- */

struct history_reader {
	struct blocks_reader *blocks;
	const struct history *history;
	struct names names;
	uint64_t rows;
	uint8_t expected[SHA256_SIZE];
};

enum az_status
history_reader_new(struct custody *custody, const struct history *history,
    struct history_reader **ret_reader, struct az_err *reterr)
{
	struct history_reader *reader = calloc(1, sizeof(*reader));
	struct blocks_file file = file_of(custody, history->id);
	struct secret *key = NULL;
	enum az_status status;

	if (reader == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "history: out of memory");
	memcpy(reader->expected, history->run, sizeof(reader->expected));
	status = key_of(custody, history->id, &key, reterr);
	if (status == AZ_OK)
		status = blocks_reader_new(&file, key, &reader->blocks, reterr);
	secret_free(&key);
	if (status == AZ_OK) {
		*ret_reader = reader;
		return AZ_OK;
	}
	free(reader);
	return status == AZ_NOT_FOUND
	    ? az_fail(reterr, AZ_FORGED, "history %u: its file is missing", history->id)
	    : status;
}

void
history_reader_free(struct history_reader **reader)
{
	if (*reader == NULL)
		return;
	blocks_reader_free(&(*reader)->blocks);
	names_fini(&(*reader)->names);
	free(*reader);
	*reader = NULL;
}

const char *
history_reader_name(const struct history_reader *reader, uint32_t index)
{
	return names_get(&reader->names, index);
}

static enum az_status
forged(struct az_err *reterr)
{
	return az_fail(reterr, AZ_FORGED, "history: its file is not the one that was kept");
}

static enum az_status
read_names(struct history_reader *reader, struct wire_reader *wire, struct az_err *reterr)
{
	uint32_t count = wire_get_count(wire, NAMES_MAX, 4);

	for (uint32_t i = 0; i < count && !wire->failed; i++) {
		char name[NAME_SIZE];

		wire_get_text(wire, name, sizeof(name));
		if (!wire->failed && !names_add(&reader->names, name))
			return az_fail(reterr, AZ_NO_MEMORY, "history: out of memory");
	}
	return wire_end(wire) ? AZ_OK : forged(reterr);
}

static enum az_status
read_rows(struct history_reader *reader, struct wire_reader *wire,
    enum az_status (*visit)(void *arg, const struct history_row *row, struct az_err *reterr),
    void *arg, struct az_err *reterr)
{
	uint32_t count = wire_get_count(wire, BLOCKS_PLAIN_MAX, ROW_SIZE);
	enum az_status status = AZ_OK;

	for (uint32_t i = 0; i < count && status == AZ_OK; i++) {
		struct history_row row;

		row.record = wire_get_u32(wire);
		row.client = wire_get_u32(wire);
		row.time_us = wire_get_i64(wire);
		row.fields = wire_get_u64(wire);
		row.staff = wire_get_u32(wire);
		row.device = wire_get_u32(wire);
		row.carrier = wire_get_u32(wire);
		row.kind = wire_get_u8(wire);
		row.consignment = wire_get_u64(wire);
		if (wire->failed || row.client == 0 || row.staff >= reader->names.count ||
		    row.device >= reader->names.count || row.carrier >= reader->names.count)
			return forged(reterr);
		reader->rows++;
		status = visit(arg, &row, reterr);
	}
	if (status == AZ_OK && !wire_end(wire))
		return forged(reterr);
	return status;
}

enum az_status
history_reader_next(struct history_reader *reader,
    enum az_status (*visit)(void *arg, const struct history_row *row, struct az_err *reterr),
    void *arg, struct az_err *reterr)
{
	struct wire_reader wire;
	struct bytes plain;
	enum az_status status = blocks_reader_next(reader->blocks, &plain, reterr);
	uint8_t kind;

	if (status != AZ_OK)
		return status;
	wire_reader_init(&wire, plain);
	kind = wire_get_u8(&wire);
	if (kind == BLOCK_NAMES && !blocks_reader_ended(reader->blocks))
		return read_names(reader, &wire, reterr);
	if (kind == BLOCK_ROWS && !blocks_reader_ended(reader->blocks))
		return read_rows(reader, &wire, visit, arg, reterr);
	if (kind != BLOCK_END || !blocks_reader_ended(reader->blocks) ||
	    wire_get_u64(&wire) != reader->rows || !wire_end(&wire))
		return forged(reterr);
	status = blocks_reader_check(reader->blocks, reader->expected, reterr);
	return status == AZ_OK ? AZ_NOT_FOUND : status;
}
