/*
 * Messages of the kernel about devices:
 *
 *	add@/devices/…\0ACTION=add\0DEVPATH=/devices/…\0SUBSYSTEM=usb\0DEVTYPE=usb_interface\0…
 */
#include <stdio.h>
#include <string.h>

#include "guard/guard.h"

struct fields {
	const char *action, *path, *subsystem, *type;
};

/* The value if text is "NAME=value". */
static const char *
value_of(const char *text, const char *name)
{
	size_t size = strlen(name);

	return strncmp(text, name, size) == 0 && text[size] == '=' ? text + size + 1 : NULL;
}

static void
take_field(const char *text, struct fields *fields)
{
	static const char *const names[] = {"ACTION", "DEVPATH", "SUBSYSTEM", "DEVTYPE"};
	const char **places[] = {&fields->action, &fields->path, &fields->subsystem, &fields->type};

	for (size_t i = 0; i < AZ_ARRAY_SIZE(names); i++) {
		const char *value = value_of(text, names[i]);

		if (value != NULL && *places[i] == NULL)
			*places[i] = value;
	}
}

/* A root hub: "usb" and a number. */
static bool
is_bus(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL && strncmp(slash, "/usb", 4) == 0 && slash[4] >= '0' &&
	    slash[4] <= '9';
}

static enum uevent_kind
kind_of(const struct fields *fields)
{
	if (strcmp(fields->action, "add") != 0 || fields->subsystem == NULL || fields->type == NULL)
		return UEVENT_OTHER;
	if (strcmp(fields->subsystem, "block") == 0)
		return strcmp(fields->type, "disk") == 0 ? UEVENT_BLOCK : UEVENT_OTHER;
	if (strcmp(fields->subsystem, "usb") != 0)
		return UEVENT_OTHER;
	if (strcmp(fields->type, "usb_interface") == 0)
		return UEVENT_INTERFACE;
	return is_bus(fields->path) ? UEVENT_BUS : UEVENT_OTHER;
}

enum az_status
uevent_parse(struct bytes message, struct uevent *ret_event)
{
	struct fields fields = {0};
	struct uevent event = {0};
	size_t at = 0;

	/* Each text ends within the message. */
	if (message.size == 0 || message.data[message.size - 1] != 0)
		return AZ_INVALID;
	while (at < message.size) {
		const char *text = (const char *)message.data + at;

		take_field(text, &fields);
		at += strlen(text) + 1;
	}
	if (fields.action == NULL || fields.path == NULL || fields.path[0] != '/' ||
	    strlen(fields.path) >= sizeof(event.path) || strstr(fields.path, "/../") != NULL)
		return AZ_INVALID;
	event.kind = kind_of(&fields);
	(void)snprintf(event.path, sizeof(event.path), "%s", fields.path);
	*ret_event = event;
	return AZ_OK;
}
