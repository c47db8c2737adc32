/*
 * The stored forms of staff and devices. docs/format/things.md.
 */
#include <string.h>

#include "base/wire.h"
#include "people/people_internal.h"

#define STAFF_FORMAT  3u
#define DEVICE_FORMAT 1u
#define GUARDED       2u /* of a device that has a guard */

static bool
is_name_or_empty(const char *name)
{
	return name[0] == '\0' || name_is_valid(name);
}

enum az_status
staff_encode(const struct staff *staff, struct buffer *buffer)
{
	struct wire_writer writer;

	wire_writer_init(&writer, buffer);
	wire_put_u8(&writer, STAFF_FORMAT);
	wire_put_u32(&writer, staff->id);
	wire_put_text(&writer, staff->label);
	wire_put_text(&writer, staff->name);
	wire_put_u8(&writer, (uint8_t)staff->role);
	wire_put_text(&writer, staff->employer);
	wire_put_text(&writer, staff->agency);
	wire_put_u8(&writer, staff->tier);
	wire_put_u32(&writer, (uint32_t)staff->from);
	wire_put_u32(&writer, (uint32_t)staff->until);
	wire_put_raw(&writer, staff->public_key, sizeof(staff->public_key));
	wire_put_u32(&writer, staff->keyed_by);
	wire_put_i64(&writer, staff->keyed_us);
	wire_put_raw(&writer, staff->invitation, sizeof(staff->invitation));
	wire_put_i64(&writer, staff->invited_until_us);
	wire_put_i64(&writer, staff->added_us);
	wire_put_i64(&writer, staff->ended_us);
	return writer.status;
}

enum az_status
staff_decode(struct bytes bytes, struct staff *ret_staff)
{
	struct wire_reader reader;
	struct staff staff;
	uint8_t format;

	memset(&staff, 0, sizeof(staff));
	wire_reader_init(&reader, bytes);
	format = wire_get_u8(&reader);
	staff.id = wire_get_u32(&reader);
	wire_get_text(&reader, staff.label, sizeof(staff.label));
	wire_get_text(&reader, staff.name, sizeof(staff.name));
	staff.role = (enum role)wire_get_u8(&reader);
	wire_get_text(&reader, staff.employer, sizeof(staff.employer));
	wire_get_text(&reader, staff.agency, sizeof(staff.agency));
	staff.tier = wire_get_u8(&reader);
	staff.from = (int32_t)wire_get_u32(&reader);
	staff.until = (int32_t)wire_get_u32(&reader);
	wire_get_raw(&reader, staff.public_key, sizeof(staff.public_key));
	staff.keyed_by = wire_get_u32(&reader);
	staff.keyed_us = wire_get_i64(&reader);
	wire_get_raw(&reader, staff.invitation, sizeof(staff.invitation));
	staff.invited_until_us = wire_get_i64(&reader);
	staff.added_us = wire_get_i64(&reader);
	staff.ended_us = wire_get_i64(&reader);
	if (format != STAFF_FORMAT || !wire_end(&reader) || staff.id == 0 ||
	    !label_is_valid(staff.label) || !is_name_or_empty(staff.name) ||
	    !is_name_or_empty(staff.employer) || !is_name_or_empty(staff.agency) ||
	    staff.tier > PEOPLE_TIER_MAX || role_name(staff.role) == NULL)
		return AZ_INVALID;
	*ret_staff = staff;
	return AZ_OK;
}

enum az_status
device_encode(const struct device *device, struct buffer *buffer)
{
	struct wire_writer writer;

	wire_writer_init(&writer, buffer);
	wire_put_u8(&writer, device->guarded_us != 0 ? GUARDED : DEVICE_FORMAT);
	wire_put_u32(&writer, device->id);
	wire_put_text(&writer, device->label);
	wire_put_raw(&writer, device->public_key, sizeof(device->public_key));
	wire_put_i64(&writer, device->added_us);
	wire_put_i64(&writer, device->retired_us);
	if (device->guarded_us != 0) {
		wire_put_raw(&writer, device->guard_key, sizeof(device->guard_key));
		wire_put_i64(&writer, device->guarded_us);
	}
	return writer.status;
}

enum az_status
device_decode(struct bytes bytes, struct device *ret_device)
{
	struct wire_reader reader;
	struct device device;
	uint8_t format;

	memset(&device, 0, sizeof(device));
	wire_reader_init(&reader, bytes);
	format = wire_get_u8(&reader);
	device.id = wire_get_u32(&reader);
	wire_get_text(&reader, device.label, sizeof(device.label));
	wire_get_raw(&reader, device.public_key, sizeof(device.public_key));
	device.added_us = wire_get_i64(&reader);
	device.retired_us = wire_get_i64(&reader);
	if (format == GUARDED) {
		wire_get_raw(&reader, device.guard_key, sizeof(device.guard_key));
		device.guarded_us = wire_get_i64(&reader);
	}
	if (format < DEVICE_FORMAT || format > GUARDED ||
	    (format == GUARDED) != (device.guarded_us != 0) || !wire_end(&reader) ||
	    device.id == 0 || !label_is_valid(device.label))
		return AZ_INVALID;
	*ret_device = device;
	return AZ_OK;
}
