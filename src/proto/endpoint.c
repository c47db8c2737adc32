/*
 * The bytes of an event of an endpoint.
 */
#include "proto/endpoint.h"

#include <string.h>

static const char *const kinds[ENDPOINT_COUNT] = {
    [ENDPOINT_REFUSED] = "refused",
    [ENDPOINT_ALLOWED] = "allowed",
    [ENDPOINT_DISK] = "disk",
    [ENDPOINT_STARTED] = "started",
    [ENDPOINT_LOST] = "lost",
    [ENDPOINT_RESTORED] = "restored",
    [ENDPOINT_DAMAGED] = "damaged",
    [ENDPOINT_GRANTED] = "granted",
    [ENDPOINT_DESK_REFUSED] = "desk-refused",
    [ENDPOINT_DESK_SEEN] = "desk-seen",
    [ENDPOINT_DESK_DISK] = "desk-disk",
    [ENDPOINT_DESK_UNREAD] = "desk-unread",
};

const char *
endpoint_kind_name(enum endpoint_kind kind)
{
	return (size_t)kind < AZ_ARRAY_SIZE(kinds) ? kinds[kind] : NULL;
}

bool
endpoint_is_forwarded(enum endpoint_kind kind)
{
	return kind >= ENDPOINT_DESK_REFUSED && kind <= ENDPOINT_DESK_UNREAD;
}

void
endpoint_put(struct wire_writer *writer, const struct endpoint_event *event)
{
	wire_put_u8(writer, event->kind);
	wire_put_u8(writer, event->interface_class);
	wire_put_u8(writer, event->subclass);
	wire_put_u8(writer, event->protocol);
	wire_put_u16(writer, event->vendor);
	wire_put_u16(writer, event->product);
	wire_put_i64(writer, event->time_us);
	wire_put_u64(writer, event->count);
	wire_put_text(writer, event->users);
	wire_put_text(writer, event->place);
	wire_put_text(writer, event->serial);
	wire_put_text(writer, event->label);
	if (endpoint_is_forwarded((enum endpoint_kind)event->kind))
		wire_put_text(writer, event->desk);
}

static bool
is_printable(const char *text)
{
	for (size_t i = 0; text[i] != '\0'; i++) {
		if ((unsigned char)text[i] < 0x20 || (unsigned char)text[i] >= 0x7f)
			return false;
	}
	return true;
}

bool
endpoint_get(struct wire_reader *reader, struct endpoint_event *ret_event)
{
	struct endpoint_event event;

	memset(&event, 0, sizeof(event));
	event.kind = wire_get_u8(reader);
	event.interface_class = wire_get_u8(reader);
	event.subclass = wire_get_u8(reader);
	event.protocol = wire_get_u8(reader);
	event.vendor = wire_get_u16(reader);
	event.product = wire_get_u16(reader);
	event.time_us = wire_get_i64(reader);
	event.count = wire_get_u64(reader);
	wire_get_text(reader, event.users, sizeof(event.users));
	wire_get_text(reader, event.place, sizeof(event.place));
	wire_get_text(reader, event.serial, sizeof(event.serial));
	wire_get_text(reader, event.label, sizeof(event.label));
	if (endpoint_is_forwarded((enum endpoint_kind)event.kind)) {
		wire_get_text(reader, event.desk, sizeof(event.desk));
		if ((event.desk[0] == '\0') != (event.kind == ENDPOINT_DESK_UNREAD))
			reader->failed = true;
	}
	if (endpoint_kind_name((enum endpoint_kind)event.kind) == NULL ||
	    !is_printable(event.users) || !is_printable(event.place) ||
	    !is_printable(event.serial) || !is_printable(event.label) || !is_printable(event.desk))
		reader->failed = true;
	if (reader->failed)
		return false;
	*ret_event = event;
	return true;
}

void
endpoint_grant_put(struct wire_writer *writer, const struct endpoint_grant *grant)
{
	wire_put_u32(writer, grant->id);
	wire_put_u16(writer, grant->vendor);
	wire_put_u16(writer, grant->product);
	wire_put_i64(writer, grant->until_us);
	wire_put_u8(writer, grant->access);
	wire_put_text(writer, grant->serial);
}

bool
endpoint_grant_get(struct wire_reader *reader, struct endpoint_grant *ret_grant)
{
	struct endpoint_grant grant;

	memset(&grant, 0, sizeof(grant));
	grant.id = wire_get_u32(reader);
	grant.vendor = wire_get_u16(reader);
	grant.product = wire_get_u16(reader);
	grant.until_us = wire_get_i64(reader);
	grant.access = wire_get_u8(reader);
	wire_get_text(reader, grant.serial, sizeof(grant.serial));
	if (grant.id == 0 || (grant.access != GRANT_READ && grant.access != GRANT_WRITE) ||
	    grant.serial[0] == '\0' || !is_printable(grant.serial))
		reader->failed = true;
	if (reader->failed)
		return false;
	*ret_grant = grant;
	return true;
}
