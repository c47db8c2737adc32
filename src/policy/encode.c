/*
 * The stored forms of clients and purposes. docs/format/things.md.
 */
#include <string.h>

#include "base/wire.h"
#include "policy/policy.h"

#define FORMAT         1u
#define PURPOSE_FORMAT 3u /* 1 could not unmask, and 2 was in any zone */
#define FORMAT_UNMASK  2u

static bool
name_or_empty(const char *name)
{
	return name[0] == '\0' || name_is_valid(name);
}

enum az_status
client_encode(const struct client *client, struct buffer *buffer)
{
	struct wire_writer writer;

	wire_writer_init(&writer, buffer);
	wire_put_u8(&writer, FORMAT);
	wire_put_u32(&writer, client->id);
	wire_put_text(&writer, client->label);
	wire_put_text(&writer, client->name);
	wire_put_text(&writer, client->category);
	wire_put_i64(&writer, client->added_us);
	wire_put_i64(&writer, client->closed_us);
	wire_put_u8(&writer, client->x_count);
	for (uint8_t i = 0; i < client->x_count; i++)
		wire_put_text(&writer, client->x_names[i]);
	return writer.status;
}

enum az_status
client_decode(struct bytes bytes, struct client *ret_client)
{
	struct wire_reader reader;
	struct client client;
	uint8_t format;
	bool good = true;

	memset(&client, 0, sizeof(client));
	wire_reader_init(&reader, bytes);
	format = wire_get_u8(&reader);
	client.id = wire_get_u32(&reader);
	wire_get_text(&reader, client.label, sizeof(client.label));
	wire_get_text(&reader, client.name, sizeof(client.name));
	wire_get_text(&reader, client.category, sizeof(client.category));
	client.added_us = wire_get_i64(&reader);
	client.closed_us = wire_get_i64(&reader);
	client.x_count = wire_get_u8(&reader);
	if (client.x_count > FIELD_COUNT - FIELD_X_FIRST)
		return AZ_INVALID;
	for (uint8_t i = 0; i < client.x_count; i++) {
		wire_get_text(&reader, client.x_names[i], sizeof(client.x_names[i]));
		good = good && field_is_x_name(client.x_names[i]);
	}
	if (format != FORMAT || !wire_end(&reader) || !good || client.id == 0 ||
	    !label_is_valid(client.label) || !name_is_valid(client.name) ||
	    !name_or_empty(client.category))
		return AZ_INVALID;
	*ret_client = client;
	return AZ_OK;
}

enum az_status
purpose_encode(const struct purpose *purpose, struct buffer *buffer)
{
	struct wire_writer writer;

	wire_writer_init(&writer, buffer);
	wire_put_u8(&writer, PURPOSE_FORMAT);
	wire_put_u32(&writer, purpose->id);
	wire_put_u32(&writer, purpose->client);
	wire_put_text(&writer, purpose->label);
	wire_put_u32(&writer, purpose->roles);
	wire_put_u32(&writer, (uint32_t)purpose->until);
	wire_put_i64(&writer, purpose->added_us);
	wire_put_i64(&writer, purpose->closed_us);
	wire_put_u32(&writer, purpose->allows);
	wire_put_u8(&writer, purpose->field_count);
	for (uint8_t i = 0; i < purpose->field_count; i++) {
		wire_put_text(&writer, purpose->fields[i].name);
		wire_put_u8(&writer, (uint8_t)purpose->fields[i].mask);
		wire_put_u8(&writer, (uint8_t)purpose->fields[i].class);
		wire_put_u8(&writer, purpose->fields[i].unmask ? 1 : 0);
	}
	wire_put_u64(&writer, purpose->bounds.zones);
	wire_put_u8(&writer, purpose->bounds.masked ? 1 : 0);
	return writer.status;
}

enum az_status
purpose_decode(struct bytes bytes, struct purpose *ret_purpose)
{
	struct wire_reader reader;
	struct purpose purpose;
	unsigned int known;
	uint8_t format, unmask;
	uint8_t masked = 0;
	bool good = true;

	memset(&purpose, 0, sizeof(purpose));
	wire_reader_init(&reader, bytes);
	format = wire_get_u8(&reader);
	purpose.id = wire_get_u32(&reader);
	purpose.client = wire_get_u32(&reader);
	wire_get_text(&reader, purpose.label, sizeof(purpose.label));
	purpose.roles = wire_get_u32(&reader);
	purpose.until = (int32_t)wire_get_u32(&reader);
	purpose.added_us = wire_get_i64(&reader);
	purpose.closed_us = wire_get_i64(&reader);
	purpose.allows = wire_get_u32(&reader);
	purpose.field_count = wire_get_u8(&reader);
	if (purpose.field_count == 0 || purpose.field_count > FIELD_COUNT)
		return AZ_INVALID;
	for (uint8_t i = 0; i < purpose.field_count; i++) {
		struct purpose_field *field = &purpose.fields[i];

		wire_get_text(&reader, field->name, sizeof(field->name));
		field->mask = (enum mask)wire_get_u8(&reader);
		field->class = (enum field_class)wire_get_u8(&reader);
		unmask = format >= FORMAT_UNMASK ? wire_get_u8(&reader) : 0;
		field->unmask = unmask == 1;
		good = good && unmask <= 1 && mask_name(field->mask) != NULL &&
		    class_name(field->class) != NULL &&
		    (field_parse(field->name, &known) || field_is_x_name(field->name));
	}
	if (format >= PURPOSE_FORMAT) {
		purpose.bounds.zones = wire_get_u64(&reader);
		masked = wire_get_u8(&reader);
		purpose.bounds.masked = masked == 1;
	}
	good = good && masked <= 1 && (purpose.allows & ~CLASSES_TO_ALLOW) == 0;
	if (format < FORMAT || format > PURPOSE_FORMAT || !wire_end(&reader) || !good ||
	    purpose.id == 0 || purpose.client == 0 || !label_is_valid(purpose.label))
		return AZ_INVALID;
	*ret_purpose = purpose;
	return AZ_OK;
}
