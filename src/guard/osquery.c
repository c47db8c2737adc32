/*
 * Results of osquery's scheduled queries: what came to a table since the query ran last.
 *
 *	usb_devices    a device (Linux, macOS)
 *	disk_info      a disk (Windows); told if it is one of USB
 *	disk_events    a disk image or disk that was attached (macOS)
 *
 * A query has any name; it is known by a table's name in it, or by columns that only such a table has.
 */
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "guard/forwarded_internal.h"
#include "guard/guard.h"

struct osquery {
	const char *name;
	struct endpoint_event told; /* what all its rows have in common */
	enum forwarded_fault fault;
};

static const char *
column(const json_t *row, const char *name)
{
	return json_string_value(json_object_get(row, name));
}

static bool
is_of(const struct osquery *result, const json_t *row, const char *table, const char *only)
{
	return strstr(result->name, table) != NULL || column(row, only) != NULL;
}

static void
take_label(const char *first, const char *second, struct endpoint_event *told)
{
	size_t size;

	forwarded_text(first, told->label, sizeof(told->label));
	size = strlen(told->label);
	if (second == NULL || size + 2 >= sizeof(told->label))
		return;
	if (size > 0)
		told->label[size++] = ' ';
	forwarded_text(second, told->label + size, sizeof(told->label) - size);
}

static enum endpoint_kind
take_usb_device(const json_t *row, struct endpoint_event *told)
{
	uint16_t number = 0;

	(void)forwarded_hex(column(row, "vendor_id"), 4, &told->vendor);
	(void)forwarded_hex(column(row, "model_id"), 4, &told->product);
	if (forwarded_hex(column(row, "class"), 2, &number))
		told->interface_class = (uint8_t)number;
	forwarded_text(column(row, "serial"), told->serial, sizeof(told->serial));
	take_label(column(row, "vendor"), column(row, "model"), told);
	/* Hubs are in every machine, and root hubs in every controller. */
	return told->interface_class == USB_CLASS_HUB ? ENDPOINT_NONE : ENDPOINT_DESK_SEEN;
}

static enum endpoint_kind
take_disk_info(const json_t *row, struct endpoint_event *told)
{
	const char *type = column(row, "type");
	const char *instance = column(row, "pnp_device_id");

	if ((type == NULL || strcasecmp(type, "USB") != 0) &&
	    (instance == NULL || strncasecmp(instance, "USBSTOR\\", 8) != 0))
		return ENDPOINT_NONE;
	told->interface_class = USB_CLASS_STORAGE;
	forwarded_text(column(row, "serial"), told->serial, sizeof(told->serial));
	take_label(column(row, "manufacturer"), column(row, "hardware_model"), told);
	return ENDPOINT_DESK_DISK;
}

static enum endpoint_kind
take_disk_event(const json_t *row, struct endpoint_event *told)
{
	const char *action = column(row, "action");

	if (action == NULL || strcasecmp(action, "attach") != 0)
		return ENDPOINT_NONE;
	told->interface_class = USB_CLASS_STORAGE;
	take_label(column(row, "vendor"), column(row, "name"), told);
	return ENDPOINT_DESK_DISK;
}

static void
take_row(struct osquery *result, const json_t *row, const struct forwarded_sink *sink)
{
	struct endpoint_event told = result->told;

	if (is_of(result, row, "disk_events", "ejectable"))
		told.kind = (uint8_t)take_disk_event(row, &told);
	else if (is_of(result, row, "disk_info", "pnp_device_id"))
		told.kind = (uint8_t)take_disk_info(row, &told);
	else if (is_of(result, row, "usb_devices", "usb_address"))
		told.kind = (uint8_t)take_usb_device(row, &told);
	if (told.kind != ENDPOINT_NONE)
		sink->take(sink->arg, &told);
}

/* Unix time, or "calendarTime" where there is none. */
static bool
take_time(const json_t *line, int64_t *ret_us)
{
	uint64_t seconds = 0;

	if (!forwarded_number(json_object_get(line, "unixTime"), &seconds))
		return forwarded_time(
		    json_string_value(json_object_get(line, "calendarTime")), ret_us);
	if (seconds > INT64_MAX / AZ_US_PER_S)
		return false;
	*ret_us = (int64_t)seconds * AZ_US_PER_S;
	return true;
}

/* What a line has in all its forms. */
static enum forwarded_fault
take_common(const json_t *line, struct osquery *result)
{
	static const char *const users[] = {"username", "user", "logged_in_user"};
	const json_t *decorations = json_object_get(line, "decorations");
	const char *user = NULL;

	if (!forwarded_desk(
		json_string_value(json_object_get(line, "hostIdentifier")), &result->told))
		return FORWARDED_NO_DESK;
	if (!take_time(line, &result->told.time_us))
		return FORWARDED_NO_TIME;
	/* The run of the query, since the epoch began: older ones do not say. */
	if (json_object_get(line, "counter") != NULL &&
	    !forwarded_number(json_object_get(line, "counter"), &result->told.count))
		return FORWARDED_NO_NUMBER;
	for (size_t i = 0; user == NULL && i < AZ_ARRAY_SIZE(users); i++)
		user = json_string_value(json_object_get(decorations, users[i]));
	forwarded_text(user, result->told.users, sizeof(result->told.users));
	forwarded_text(result->name, result->told.place, sizeof(result->told.place));
	return FORWARDED_GOOD;
}

bool
forwarded_osquery(
    const json_t *line, const struct forwarded_sink *sink, enum forwarded_fault *ret_fault)
{
	const char *action = json_string_value(json_object_get(line, "action"));
	const json_t *columns = json_object_get(line, "columns");
	const json_t *added = forwarded_member(line, "diffResults", "added", NULL);
	struct osquery result = {.name = json_string_value(json_object_get(line, "name"))};

	if (result.name == NULL || json_object_get(line, "hostIdentifier") == NULL)
		return false;
	*ret_fault = take_common(line, &result);
	if (*ret_fault != FORWARDED_GOOD)
		return true;
	if (json_is_object(columns) && action != NULL) {
		if (strcmp(action, "added") == 0)
			take_row(&result, columns, sink);
		return true;
	}
	/* A snapshot says what is there, not what came. */
	if (json_is_array(json_object_get(line, "snapshot")))
		return true;
	if (!json_is_object(json_object_get(line, "diffResults")) ||
	    (added != NULL && !json_is_array(added)) || json_array_size(added) > FORWARDED_ROWS_MAX)
		*ret_fault = FORWARDED_NO_ROWS;
	for (size_t i = 0; *ret_fault == FORWARDED_GOOD && i < json_array_size(added); i++) {
		if (!json_is_object(json_array_get(added, i)))
			*ret_fault = FORWARDED_NO_ROWS;
	}
	for (size_t i = 0; *ret_fault == FORWARDED_GOOD && i < json_array_size(added); i++)
		take_row(&result, json_array_get(added, i), sink);
	return true;
}
