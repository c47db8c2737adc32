/*
 * Token blocks. One block has one encoding, and what does not decode to it is no block.
 */
#include "proto/vault.h"

#include <string.h>

#include "base/wire.h"

static int
compare(const uint8_t a[TOKEN_SIZE], const uint8_t b[TOKEN_SIZE])
{
	return bytes_compare(bytes_make(a, TOKEN_SIZE), bytes_make(b, TOKEN_SIZE));
}

static bool
is_zero(const uint8_t token[TOKEN_SIZE])
{
	static const uint8_t zeros[TOKEN_SIZE];

	return compare(token, zeros) == 0;
}

/* Whether entries ascend and lie within the bounds. */
static bool
is_sound(const struct token_block *block)
{
	if (block->kind == MATCH_NONE || block->kind >= MATCH_ASKED ||
	    block->count > TOKEN_BLOCK_MAX || (block->last && !is_zero(block->upper)) ||
	    (!block->last && compare(block->lower, block->upper) >= 0))
		return false;
	for (uint16_t i = 0; i < block->count; i++) {
		const struct token_entry *entry = &block->entries[i];

		if (compare(entry->token, block->lower) < 0 ||
		    (!block->last && compare(entry->token, block->upper) >= 0))
			return false;
		if (i > 0) {
			int order = compare(block->entries[i - 1].token, entry->token);

			if (order > 0 ||
			    (order == 0 && block->entries[i - 1].record >= entry->record))
				return false;
		}
	}
	return true;
}

enum az_status
token_block_encode(const struct token_block *block, struct buffer *buffer)
{
	struct wire_writer writer;
	size_t size = block->count * (TOKEN_SIZE + 4u);
	uint8_t *to;

	if (!is_sound(block))
		return AZ_INVALID;
	wire_writer_init(&writer, buffer);
	wire_put_u64(&writer, block->consignment);
	wire_put_u8(&writer, (uint8_t)block->kind);
	wire_put_u8(&writer, block->last ? 1 : 0);
	wire_put_u16(&writer, block->count);
	wire_put_raw(&writer, block->lower, TOKEN_SIZE);
	wire_put_raw(&writer, block->upper, TOKEN_SIZE);
	if (writer.status == AZ_OK)
		writer.status = buffer_reserve(buffer, size);
	if (writer.status != AZ_OK)
		return writer.status;
	to = buffer->data + buffer->size;
	for (uint16_t i = 0; i < block->count; i++, to += TOKEN_SIZE + 4) {
		memcpy(to, block->entries[i].token, TOKEN_SIZE);
		wire_store_u32(to + TOKEN_SIZE, block->entries[i].record);
	}
	buffer->size += size;
	return AZ_OK;
}

enum az_status
token_block_decode(struct bytes bytes, struct token_block *ret_block, struct bytes *ret_mac)
{
	struct wire_reader reader;
	struct bytes entries;
	struct bytes mac;
	uint8_t last;

	wire_reader_init(&reader, bytes);
	ret_block->consignment = wire_get_u64(&reader);
	ret_block->kind = (enum match_kind)wire_get_u8(&reader);
	last = wire_get_u8(&reader);
	ret_block->last = last == 1;
	ret_block->count = wire_get_u16(&reader);
	wire_get_raw(&reader, ret_block->lower, TOKEN_SIZE);
	wire_get_raw(&reader, ret_block->upper, TOKEN_SIZE);
	if (reader.failed || ret_block->count > TOKEN_BLOCK_MAX)
		return AZ_INVALID;
	entries = wire_take(&reader, ret_block->count * (TOKEN_SIZE + 4u));
	for (uint16_t i = 0; i < ret_block->count && entries.size > 0; i++) {
		const uint8_t *entry = entries.data + i * (TOKEN_SIZE + 4u);

		memcpy(ret_block->entries[i].token, entry, TOKEN_SIZE);
		ret_block->entries[i].record = wire_load_u32(entry + TOKEN_SIZE);
	}
	mac = wire_take(&reader, TOKEN_MAC_SIZE);
	if (!wire_end(&reader) || last > 1 || !is_sound(ret_block))
		return AZ_INVALID;
	*ret_mac = mac;
	return AZ_OK;
}
