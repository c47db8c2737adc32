/*
 * Lines of an imported history on their way from intake to the keeper.
 */
#include "proto/history.h"

#include "base/wire.h"

#define BUILTIN_FIELDS (FIELD_BIT(FIELD_BUILTIN) - 1)

void
history_line_put(struct wire_writer *writer, const struct history_line *line)
{
	wire_put_u32(writer, line->row);
	wire_put_i64(writer, line->time_us);
	wire_put_text(writer, line->staff);
	wire_put_text(writer, line->device);
	wire_put_text(writer, line->client);
	wire_put_u8(writer, line->kind);
	wire_put_u64(writer, line->consignment);
	wire_put_bytes(writer, line->number);
	wire_put_u64(writer, line->fields);
	wire_put_u8(writer, line->x_count);
	for (uint8_t i = 0; i < line->x_count; i++)
		wire_put_text(writer, line->x_names[i]);
	wire_put_text(writer, line->carrier);
}

void
history_line_get(struct wire_reader *reader, struct history_line *ret_line)
{
	struct history_line *line = ret_line;

	*line = (struct history_line){0};
	line->row = wire_get_u32(reader);
	line->time_us = wire_get_i64(reader);
	wire_get_text(reader, line->staff, sizeof(line->staff));
	wire_get_text(reader, line->device, sizeof(line->device));
	wire_get_text(reader, line->client, sizeof(line->client));
	line->kind = wire_get_u8(reader);
	line->consignment = wire_get_u64(reader);
	line->number = wire_get_bytes(reader, HISTORY_KEY_MAX);
	line->fields = wire_get_u64(reader);
	line->x_count = wire_get_u8(reader);
	if (line->x_count > HISTORY_X_MAX)
		reader->failed = true;
	for (uint8_t i = 0; i < line->x_count && !reader->failed; i++) {
		wire_get_text(reader, line->x_names[i], sizeof(line->x_names[i]));
		reader->failed |= !field_is_x_name(line->x_names[i]);
	}
	wire_get_text(reader, line->carrier, sizeof(line->carrier));
	/* A whole delivery is exported, and only it has no number. */
	reader->failed |= line->row == 0 || !name_is_valid(line->staff) ||
	    !name_is_valid(line->device) || !label_is_valid(line->client) ||
	    !name_is_valid(line->carrier) ||
	    (line->kind != HISTORY_VIEW && line->kind != HISTORY_EXPORT) ||
	    (line->fields & ~BUILTIN_FIELDS) != 0 ||
	    (line->consignment != 0) != (line->number.size == 0) ||
	    (line->consignment != 0 && line->kind != HISTORY_EXPORT);
	if (reader->failed)
		*line = (struct history_line){0};
}
