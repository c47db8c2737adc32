/*
 * The encoded row, which is what gets sealed:
 *
 *   u16 count, then for each value: u8 field, u16 size, bytes
 *
 * Fields ascend and no value is empty, so that one row has exactly one encoding: the content digest of
 * the catalogue is taken over it, and "unchanged" means the same bytes.
 */
#include <string.h>

#include "base/wire.h"
#include "proto/proto.h"

enum az_status
row_encode(const struct row *row, struct buffer *buffer)
{
	uint8_t fields[FIELD_COUNT];
	unsigned int count = 0;
	size_t size = 2;
	uint8_t *to;
	enum az_status status;

	for (unsigned int i = 0; i < FIELD_COUNT; i++) {
		if (row->values[i].size == 0)
			continue;
		if (row->values[i].size > FIELD_VALUE_MAX)
			return AZ_LIMIT;
		fields[count++] = (uint8_t)i;
		size += 3 + row->values[i].size;
	}
	if (size > ROW_SIZE_MAX)
		return AZ_LIMIT;
	status = buffer_reserve(buffer, size);
	if (status != AZ_OK)
		return status;
	to = buffer->data + buffer->size;
	wire_store_u16(to, (uint16_t)count);
	to += 2;
	for (unsigned int i = 0; i < count; i++) {
		struct bytes value = row->values[fields[i]];

		to[0] = fields[i];
		wire_store_u16(to + 1, (uint16_t)value.size);
		memcpy(to + 3, value.data, value.size);
		to += 3 + value.size;
	}
	buffer->size += size;
	return AZ_OK;
}

enum az_status
row_decode(struct bytes bytes, struct row *ret_row)
{
	struct wire_reader reader;
	struct row row = {0};
	int last = -1;

	if (bytes.size > ROW_SIZE_MAX)
		return AZ_INVALID;
	wire_reader_init(&reader, bytes);
	for (uint16_t left = wire_get_u16(&reader); left > 0 && !reader.failed; left--) {
		uint8_t field = wire_get_u8(&reader);
		uint16_t size = wire_get_u16(&reader);

		if (field >= FIELD_COUNT || field <= last || size == 0 || size > FIELD_VALUE_MAX)
			return AZ_INVALID;
		last = field;
		row.values[field] = wire_take(&reader, size);
	}
	if (!wire_end(&reader))
		return AZ_INVALID;
	*ret_row = row;
	return AZ_OK;
}

enum az_status
row_fields(struct bytes bytes, uint64_t *ret_fields)
{
	size_t at = 2;
	uint64_t fields = 0;
	uint16_t left;

	if (bytes.size > ROW_SIZE_MAX || bytes.size < 2)
		return AZ_INVALID;
	for (left = wire_load_u16(bytes.data); left > 0; left--) {
		uint8_t field;
		uint16_t size;

		if (bytes.size - at < 3)
			return AZ_INVALID;
		field = bytes.data[at];
		size = wire_load_u16(bytes.data + at + 1);
		at += 3;
		/* Ascending: no bit at or above this one is set yet. */
		if (field >= FIELD_COUNT || fields >> field != 0 || size == 0 ||
		    size > FIELD_VALUE_MAX || bytes.size - at < size)
			return AZ_INVALID;
		fields |= FIELD_BIT(field);
		at += size;
	}
	if (at != bytes.size)
		return AZ_INVALID;
	*ret_fields = fields;
	return AZ_OK;
}
