/*
 * Rows of a list: each gets its record and version, is sealed under the consignment's key, and leaves its
 * tokens, its catalogue row and its leaf. On the worker's thread.
 *
 * The record is found by the keyed digest of client and number, or is a new one. The version is decided
 * against the row's neighbours in time among the lists of the same purpose: the same content as the one
 * before or after it keeps that version, anything else is a new one.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "custody/bulk.h"
#include "custody/corrections.h"

/* --- columns ---------------------------------------------------------------------------------- */

/* The client's bit of an "x:" field, giving it the next one if it is new. */
static enum az_status
x_bit(struct bulk *bulk, const char *name, uint8_t *ret_bit, struct az_err *reterr)
{
	struct client *client = &bulk->client;

	for (uint8_t i = 0; i < client->x_count; i++) {
		if (strcmp(client->x_names[i], name) == 0) {
			*ret_bit = (uint8_t)(FIELD_X_FIRST + i);
			return AZ_OK;
		}
	}
	if (client->x_count >= FIELD_COUNT - FIELD_X_FIRST)
		return az_fail(reterr, AZ_LIMIT, "%s: the client has used up its %u own fields",
		    name, (unsigned int)(FIELD_COUNT - FIELD_X_FIRST));
	(void)snprintf(client->x_names[client->x_count], FIELD_NAME_MAX, "%s", name);
	*ret_bit = (uint8_t)(FIELD_X_FIRST + client->x_count++);
	return AZ_OK;
}

enum az_status
rows_take_columns(struct bulk *bulk, struct bytes body, struct az_err *reterr)
{
	struct wire_reader reader;
	uint32_t count;
	uint8_t next_x = FIELD_X_FIRST;
	enum az_status status = AZ_OK;

	wire_reader_init(&reader, body);
	count = wire_get_count(&reader, FIELD_COUNT, 5);
	for (uint32_t i = 0; i < count && status == AZ_OK; i++) {
		uint8_t field = wire_get_u8(&reader);
		char name[FIELD_NAME_MAX];
		unsigned int known;

		wire_get_text(&reader, name, sizeof(name));
		if (reader.failed)
			break;
		if (field_parse(name, &known) && known == field) {
			bulk->x_bits[field] = field;
		} else if (field_is_x_name(name) && field == next_x && next_x < FIELD_COUNT) {
			next_x++;
			status = x_bit(bulk, name, &bulk->x_bits[field], reterr);
			if (status == AZ_OK && bulk->x_bits[field] != field)
				bulk->x_are_moved = true;
		} else {
			reader.failed = true;
			break;
		}
		if (status == AZ_OK)
			bulk->consignment.fields |= FIELD_BIT(bulk->x_bits[field]);
	}
	bulk->unused_columns = wire_get_u32(&reader);
	if (status != AZ_OK)
		return status;
	if (!wire_end(&reader) || bulk->has_columns ||
	    (bulk->consignment.fields & FIELD_BIT(FIELD_NUMBER)) == 0)
		return az_fail(reterr, AZ_FORGED, "intake: its columns are malformed");
	bulk->has_columns = true;
	return AZ_OK;
}

/* --- one row ---------------------------------------------------------------------------------- */

/* The row in the client's numbering, in bulk->plain; refuses fields that no column has. */
static enum az_status
encode(struct bulk *bulk, const struct intake_row *row, struct az_err *reterr)
{
	struct row decoded;
	struct row moved = {0};
	enum az_status status = row_decode(row->encoded, &decoded);

	if (status != AZ_OK || decoded.values[FIELD_NUMBER].size == 0)
		return az_fail(reterr, AZ_FORGED, "intake: row %u is malformed", row->row);
	for (unsigned int field = 0; field < FIELD_COUNT; field++) {
		if (decoded.values[field].size == 0)
			continue;
		if (bulk->x_bits[field] == 0 && field != FIELD_NUMBER)
			return az_fail(
			    reterr, AZ_FORGED, "intake: row %u has a field of no column", row->row);
		moved.values[bulk->x_bits[field]] = decoded.values[field];
	}
	buffer_clear(&bulk->plain);
	if (bulk->x_are_moved)
		status = row_encode(&moved, &bulk->plain);
	else
		status = buffer_append(&bulk->plain, row->encoded);
	if (status != AZ_OK)
		return az_fail(reterr, status, "row %u: it is too large", row->row);
	return AZ_OK;
}

/* What the catalogue has of a record: the highest version, and the neighbours in time. */
struct neighbours {
	const struct bulk *bulk;
	uint32_t highest;
	bool has_before, has_after;
	struct catalogue_entry before, after;
};

static const struct bulk_neighbour *
neighbour_of(const struct bulk *bulk, uint64_t consignment)
{
	for (size_t i = 0; i < bulk->neighbour_count; i++) {
		if (bulk->neighbours[i].id == consignment)
			return &bulk->neighbours[i];
	}
	return NULL;
}

static bool
visit_neighbour(void *arg, const struct catalogue_entry *entry)
{
	struct neighbours *found = arg;
	const struct bulk *bulk = found->bulk;

	if (entry->version > found->highest)
		found->highest = entry->version;
	if (neighbour_of(bulk, entry->consignment) == NULL)
		return true;
	/* This list is the latest to arrive: of the same as-of date, the others are before it. */
	if (entry->as_of <= bulk->consignment.as_of) {
		if (!found->has_before ||
		    consignment_is_newer(entry->as_of, entry->consignment, found->before.as_of,
			found->before.consignment)) {
			found->before = *entry;
			found->has_before = true;
		}
	} else if (!found->has_after ||
	    consignment_is_newer(
		found->after.as_of, found->after.consignment, entry->as_of, entry->consignment)) {
		found->after = *entry;
		found->has_after = true;
	}
	return true;
}

static bool
same_content(const struct catalogue_entry *entry, const uint8_t digest[CATALOGUE_DIGEST_SIZE])
{
	return bytes_equal(bytes_make(entry->digest, CATALOGUE_DIGEST_SIZE),
	    bytes_make(digest, CATALOGUE_DIGEST_SIZE));
}

/* Fills in record and version, and counts what the row is. */
static enum az_status
place(struct bulk *bulk, struct catalogue_row *row, struct az_err *reterr)
{
	struct neighbours found = {.bulk = bulk};
	uint32_t corrected;
	struct consignment *counts = &bulk->consignment;
	enum az_status status = catalogue_record(bulk->reader, row->number, &row->record, NULL);

	if (status == AZ_NOT_FOUND) {
		if (bulk->next_record == UINT32_MAX)
			return az_fail(
			    reterr, AZ_LIMIT, "the house has used up its record numbers");
		row->record = bulk->next_record++;
		row->version = 1;
		counts->new_records++;
		return AZ_OK;
	}
	if (status == AZ_OK)
		status =
		    catalogue_entries(bulk->reader, row->record, visit_neighbour, &found, reterr);
	if (status != AZ_OK && status != AZ_NOT_FOUND)
		return status;
	/* A version that a correction made is taken, too. */
	corrected = correction_seen_version(bulk->corrected, bulk->corrected_count, row->record);
	if (corrected > found.highest)
		found.highest = corrected;
	if (found.has_before && same_content(&found.before, row->digest)) {
		row->version = found.before.version;
		counts->unchanged++;
	} else if (found.has_after && same_content(&found.after, row->digest)) {
		row->version = found.after.version;
		counts->unchanged++;
	} else {
		row->version = found.highest + 1;
		counts->new_versions++;
	}
	return AZ_OK;
}

/* Seals the row in bulk->plain, and adds it to the frame and to the tree. */
static enum az_status
seal_row(struct bulk *bulk, const struct catalogue_row *row, struct az_err *reterr)
{
	struct consignment *consignment = &bulk->consignment;
	struct wire_writer writer;
	struct row_place place;
	uint8_t leaf[TREE_HASH_SIZE];
	size_t size = bulk->plain.size + SEAL_OVERHEAD;
	enum az_status status;

	/* The leaf is over record, version and sealed bytes, which so stand together here. */
	buffer_clear(&bulk->sealed);
	wire_writer_init(&writer, &bulk->sealed);
	wire_put_u32(&writer, row->record);
	wire_put_u32(&writer, row->version);
	status = writer.status == AZ_OK ? buffer_reserve(&bulk->sealed, size) : writer.status;
	if (status != AZ_OK)
		return az_fail(reterr, status, "record %u: out of memory", row->record);
	row_place(bulk->custody->config.house, consignment->client, consignment->id, row->record,
	    row->version, &place);
	status = seal(bulk->keys->row, bytes_make(place.bytes, sizeof(place.bytes)),
	    buffer_peek(&bulk->plain), bulk->sealed.data + bulk->sealed.size, reterr);
	if (status != AZ_OK)
		return status;
	bulk->sealed.size += size;
	tree_leaf(buffer_peek(&bulk->sealed), leaf);
	tree_append(&bulk->tree, leaf);

	wire_writer_init(&writer, &bulk->rows);
	if (bulk->rows.size == 0) {
		wire_put_u64(&writer, consignment->id);
		wire_put_u32(&writer, 0);
	}
	wire_put_u32(&writer, row->record);
	wire_put_bytes(&writer, bytes_make(bulk->sealed.data + 8, size));
	if (writer.status != AZ_OK)
		return az_fail(reterr, writer.status, "record %u: out of memory", row->record);
	bulk->rows_in_frame++;
	return AZ_OK;
}

static enum az_status
send_rows(struct bulk *bulk, struct az_err *reterr)
{
	if (bulk->rows_in_frame == 0)
		return AZ_OK;
	wire_store_u32(bulk->rows.data + 8, bulk->rows_in_frame);
	bulk->rows_in_frame = 0;
	return bulk_send(bulk, VAULT_PUT_ROWS, &bulk->rows, reterr);
}

static enum az_status
add_tokens(struct bulk *bulk, const struct intake_row *row, uint32_t record, struct az_err *reterr)
{
	uint8_t token[TOKEN_SIZE];
	enum az_status status = AZ_OK;

	for (uint8_t i = 1; i < row->key_count && status == AZ_OK; i++) {
		enum match_kind kind = row->keys[i].kind;

		if (kind == MATCH_NUMBER)
			return az_fail(
			    reterr, AZ_FORGED, "intake: row %u has two numbers", row->row);
		/* Nobody asks by these: they are for fingerprints. */
		if (kind >= MATCH_ASKED)
			continue;
		token_make(bulk->keys, kind, row->keys[i].key, token);
		status = token_list_add(&bulk->tokens[kind], token, record);
		if (status != AZ_OK)
			(void)az_fail(reterr, status,
			    status == AZ_LIMIT ? "the list has too many people for one consignment"
					       : "tokens: out of memory");
	}
	return status;
}

static enum az_status
refuse(struct bulk *bulk, uint32_t row, enum refusal reason, struct az_err *reterr)
{
	if (refusal_text(reason) == NULL)
		return az_fail(reterr, AZ_FORGED, "intake: a refusal without a reason");
	if (bulk->refusal_count < BULK_REFUSALS_MAX)
		bulk->refusals[bulk->refusal_count++] =
		    (struct bulk_refusal){.row = row, .reason = reason};
	bulk->consignment.refused++;
	bulk->consignment.rows++;
	return AZ_OK;
}

static enum az_status
take_row(struct bulk *bulk, const struct intake_row *row, struct az_err *reterr)
{
	struct catalogue_row placed = {0};
	enum az_status status;

	if (row->key_count == 0 || row->keys[0].kind != MATCH_NUMBER)
		return az_fail(reterr, AZ_FORGED, "intake: row %u has no number", row->row);
	status = encode(bulk, row, reterr);
	if (status != AZ_OK)
		return status;
	number_digest(bulk->client_keys, row->keys[0].key, placed.number);
	status = number_set_add(&bulk->numbers, placed.number);
	if (status == AZ_CONFLICT)
		return refuse(bulk, row->row, REFUSAL_DUPLICATE, reterr);
	if (status != AZ_OK)
		return az_fail(reterr, status, "row %u: out of memory", row->row);
	content_digest(bulk->client_keys, buffer_peek(&bulk->plain), placed.digest);
	status = place(bulk, &placed, reterr);
	if (status == AZ_OK)
		status = seal_row(bulk, &placed, reterr);
	if (status == AZ_OK)
		status = add_tokens(bulk, row, placed.record, reterr);
	if (status == AZ_OK)
		status = catalogue_run_add(bulk->run, &placed, reterr);
	if (status != AZ_OK)
		return status;
	bulk->consignment.rows++;
	bulk->consignment.accepted++;
	if ((row->flags & INTAKE_FLAG_BIRTH) != 0)
		bulk->consignment.bad_births++;
	if (bulk->rows.size >= BULK_ROWS_FRAME)
		status = send_rows(bulk, reterr);
	return status;
}

/* --- frames ----------------------------------------------------------------------------------- */

enum az_status
rows_take(struct bulk *bulk, struct bytes body, struct az_err *reterr)
{
	struct wire_reader reader;
	uint32_t count;
	enum az_status status = AZ_OK;

	if (!bulk->has_columns)
		return az_fail(reterr, AZ_FORGED, "intake: rows before columns");
	wire_reader_init(&reader, body);
	count = wire_get_count(&reader, INTAKE_BODY_MAX, 10);
	for (uint32_t i = 0; i < count && status == AZ_OK; i++) {
		struct intake_row row;

		intake_row_get(&reader, &row);
		if (reader.failed)
			break;
		status = take_row(bulk, &row, reterr);
	}
	if (status == AZ_OK && !wire_end(&reader))
		status = az_fail(reterr, AZ_FORGED, "intake: a malformed frame of rows");
	atomic_store(&bulk->rows_read, bulk->consignment.rows);
	return status;
}

enum az_status
rows_take_refused(struct bulk *bulk, struct bytes body, struct az_err *reterr)
{
	struct wire_reader reader;
	uint32_t count;
	enum az_status status = AZ_OK;

	wire_reader_init(&reader, body);
	count = wire_get_count(&reader, INTAKE_BODY_MAX, 5);
	for (uint32_t i = 0; i < count && status == AZ_OK; i++) {
		uint32_t row = wire_get_u32(&reader);
		uint8_t reason = wire_get_u8(&reader);

		if (!reader.failed)
			status = refuse(bulk, row, (enum refusal)reason, reterr);
	}
	if (status == AZ_OK && !wire_end(&reader))
		status = az_fail(reterr, AZ_FORGED, "intake: a malformed frame of refusals");
	return status;
}

/* Collects blocks into frames. */
struct block_frames {
	struct bulk *bulk;
	struct buffer body;
	uint32_t count;
};

static enum az_status
send_blocks(struct block_frames *frames, struct az_err *reterr)
{
	if (frames->count == 0)
		return AZ_OK;
	wire_store_u32(frames->body.data, frames->count);
	frames->count = 0;
	return bulk_send(frames->bulk, VAULT_PUT_TOKENS, &frames->body, reterr);
}

static enum az_status
emit_block(void *arg, struct bytes block, struct az_err *reterr)
{
	struct block_frames *frames = arg;
	struct wire_writer writer;

	wire_writer_init(&writer, &frames->body);
	if (frames->body.size == 0)
		wire_put_u32(&writer, 0);
	wire_put_bytes(&writer, block);
	if (writer.status != AZ_OK)
		return az_fail(reterr, writer.status, "tokens: out of memory");
	frames->count++;
	return frames->body.size >= BULK_ROWS_FRAME ? send_blocks(frames, reterr) : AZ_OK;
}

enum az_status
rows_finish(struct bulk *bulk, struct az_err *reterr)
{
	struct block_frames frames = {.bulk = bulk};
	enum az_status status = send_rows(bulk, reterr);

	buffer_init(&frames.body, VAULT_BODY_MAX, false);
	for (unsigned int kind = MATCH_NUMBER + 1; kind < MATCH_ASKED && status == AZ_OK; kind++)
		status = token_list_blocks(&bulk->tokens[kind], bulk->consignment.id,
		    (enum match_kind)kind, bulk->keys, emit_block, &frames, reterr);
	if (status == AZ_OK)
		status = send_blocks(&frames, reterr);
	buffer_fini(&frames.body);
	tree_root(&bulk->tree, bulk->consignment.root);
	return status;
}
