/*
 * Rows on their way from intake to the keeper.
 */
#include "proto/intake.h"

#include <string.h>

#include "base/wire.h"

void
intake_start_put(struct wire_writer *writer, const struct intake_start *start)
{
	wire_put_text(writer, start->columns);
	wire_put_u32(writer, start->allows);
	wire_put_text(writer, start->password);
	wire_put_u8(writer, start->mode);
}

void
intake_start_get(struct wire_reader *reader, struct intake_start *ret_start)
{
	wire_get_text(reader, ret_start->columns, sizeof(ret_start->columns));
	ret_start->allows = wire_get_u32(reader);
	wire_get_text(reader, ret_start->password, sizeof(ret_start->password));
	ret_start->mode = wire_get_u8(reader);
	if ((ret_start->mode & ~INTAKE_MODES_ALL) != 0 && ret_start->mode != INTAKE_TRACES &&
	    ret_start->mode != INTAKE_HISTORY)
		reader->failed = true;
}

static uint8_t *
store_bytes(uint8_t *to, struct bytes bytes)
{
	wire_store_u32(to, (uint32_t)bytes.size);
	memcpy(to + 4, bytes.data, bytes.size);
	return to + 4 + bytes.size;
}

/* Room is made once: this is done for every row. */
void
intake_row_put(struct wire_writer *writer, const struct intake_row *row)
{
	struct buffer *buffer = writer->buffer;
	size_t size = 4 + 1 + 4 + row->encoded.size + 1;
	uint8_t *to;

	for (uint8_t i = 0; i < row->key_count; i++)
		size += 1 + 4 + row->keys[i].key.size;
	if (writer->status == AZ_OK)
		writer->status = buffer_reserve(buffer, size);
	if (writer->status != AZ_OK)
		return;
	to = buffer->data + buffer->size;
	wire_store_u32(to, row->row);
	to[4] = row->flags;
	to = store_bytes(to + 5, row->encoded);
	*to++ = row->key_count;
	for (uint8_t i = 0; i < row->key_count; i++) {
		*to++ = (uint8_t)row->keys[i].kind;
		to = store_bytes(to, row->keys[i].key);
	}
	buffer->size += size;
}

/* Whether a key may stand at that place of a row: the number first, if there is one, and only there. */
static bool
is_key(const struct intake_key *key, uint8_t place)
{
	return key->kind != MATCH_NONE && key->kind < MATCH_KINDS &&
	    (key->kind != MATCH_NUMBER || place == 0) && key->key.size > 0;
}

void
intake_row_get(struct wire_reader *reader, struct intake_row *ret_row)
{
	ret_row->row = wire_get_u32(reader);
	ret_row->flags = wire_get_u8(reader);
	ret_row->encoded = wire_get_bytes(reader, ROW_SIZE_MAX);
	ret_row->key_count = wire_get_u8(reader);
	if (ret_row->key_count > INTAKE_KEYS_MAX || (ret_row->flags & ~INTAKE_FLAG_BIRTH) != 0 ||
	    ret_row->row == 0)
		reader->failed = true;
	for (uint8_t i = 0; i < ret_row->key_count && !reader->failed; i++) {
		struct intake_key *key = &ret_row->keys[i];

		key->kind = (enum match_kind)wire_get_u8(reader);
		key->key = wire_get_bytes(reader, INTAKE_KEY_MAX);
		if (!is_key(key, i))
			reader->failed = true;
	}
	if (reader->failed)
		*ret_row = (struct intake_row){0};
}
