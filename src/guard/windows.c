/*
 * Events of Windows.
 *
 *	Security 6416                a device was recognised (audit "PNP activity")
 *	Security 6423, 6424          a policy forbids its installation; allows it after all
 *	Kernel-PnP 400 410 411 430   configured, started, did not start, needs more to be installed
 *	DeviceSetupManager 112       a device was set up: its name only
 *	Partition 1006               a disk came or went: it has a capacity when it came
 *	Security 4624, 4634, 4647    somebody signed in at the desk, by hand or from afar; or out
 *
 * Of Kernel-PnP only what can carry data away is told: at each start a machine names every chip in it there. An event is
 * numbered by its record in the log of its machine, and has its time, since a log that is cleared begins again with 1.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "guard/forwarded_internal.h"
#include "guard/guard.h"

/* One event, whatever form it came in; borrowed from the line. */
struct windows {
	const char *provider, *channel, *computer, *time, *user;
	const json_t *number, *record;
	const json_t *data;
};

static bool
starts_with(const char *text, const char *start)
{
	return text != NULL && strncasecmp(text, start, strlen(start)) == 0;
}

/* --- the forms -------------------------------------------------------------------------------- */

/* A text, or an object that has it as one of these, as XML that became JSON has. */
static const char *
text_or(const json_t *value, const char *attribute)
{
	char marked[40];
	const json_t *found;

	if (json_is_string(value))
		return json_string_value(value);
	(void)snprintf(marked, sizeof(marked), "@%s", attribute);
	found = json_object_get(value, marked);
	if (found == NULL)
		found = forwarded_member(value, "#attributes", attribute, NULL);
	if (found == NULL)
		found = json_object_get(value, attribute);
	return json_string_value(found);
}

static bool
read_winlogbeat(const json_t *line, struct windows *ret_event)
{
	const json_t *log = json_object_get(line, "winlog");
	const json_t *user;

	if (!json_is_object(log))
		return false;
	user = forwarded_member(log, "user", "name", NULL);
	*ret_event =
	    (struct windows){.provider = json_string_value(json_object_get(log, "provider_name")),
		.channel = json_string_value(json_object_get(log, "channel")),
		.computer = json_string_value(json_object_get(log, "computer_name")),
		.time = json_string_value(json_object_get(line, "@timestamp")),
		.user = json_string_value(user),
		.number = json_object_get(log, "event_id"),
		.record = json_object_get(log, "record_id"),
		.data = json_object_get(log, "event_data")};
	return true;
}

static bool
read_xml(const json_t *line, struct windows *ret_event)
{
	const json_t *system = forwarded_member(line, "Event", "System", NULL);
	const json_t *number = json_object_get(system, "EventID");

	if (!json_is_object(system))
		return false;
	*ret_event =
	    (struct windows){.provider = text_or(json_object_get(system, "Provider"), "Name"),
		.channel = json_string_value(json_object_get(system, "Channel")),
		.computer = json_string_value(json_object_get(system, "Computer")),
		.time = text_or(json_object_get(system, "TimeCreated"), "SystemTime"),
		.number = json_is_object(number) ? json_object_get(number, "#text") : number,
		.record = json_object_get(system, "EventRecordID"),
		.data = forwarded_member(line, "Event", "EventData", NULL)};
	return true;
}

static bool
read_flat(const json_t *line, struct windows *ret_event)
{
	const json_t *number = json_object_get(line, "EventID");

	if (number == NULL)
		return false;
	*ret_event =
	    (struct windows){.provider = json_string_value(json_object_get(line, "SourceName")),
		.channel = json_string_value(json_object_get(line, "Channel")),
		.computer = json_string_value(json_object_get(line, "Hostname")),
		.time = json_string_value(json_object_get(line, "EventTime")),
		.number = number,
		.record = json_object_get(line, "RecordNumber"),
		.data = line};
	return true;
}

/* What the event says under a name: as a member, or in a list of {"@Name": name, "#text": …}. */
static const char *
data_of(const struct windows *event, const char *name)
{
	const json_t *list = json_object_get(event->data, "Data");
	const char *text = json_string_value(json_object_get(event->data, name));

	for (size_t i = 0; text == NULL && i < json_array_size(list); i++) {
		const json_t *item = json_array_get(list, i);
		const char *called = text_or(item, "Name");

		if (json_is_object(item) && called != NULL && strcmp(called, name) == 0)
			text = json_string_value(json_object_get(item, "#text"));
	}
	return text;
}

/* A number that an event's data has as text, in JSON sometimes as a number. */
static uint64_t
data_number(const struct windows *event, const char *name)
{
	const json_t *value = json_object_get(event->data, name);
	const char *text = value == NULL ? data_of(event, name) : NULL;
	json_t *made = text == NULL ? NULL : json_string(text);
	uint64_t number = 0;

	(void)forwarded_number(made != NULL ? made : value, &number);
	json_decref(made);
	return number;
}

/* --- what the device is ----------------------------------------------------------------------- */

/* The digits behind "VID_" and the like, wherever they stand. */
static bool
find_code(const char *text, const char *mark, size_t digits, uint16_t *ret_value)
{
	char code[5] = "";

	for (; *text != '\0'; text++) {
		if (!starts_with(text, mark) || strlen(text) < strlen(mark) + digits)
			continue;
		memcpy(code, text + strlen(mark), digits);
		return forwarded_hex(code, digits, ret_value);
	}
	return false;
}

/* "USB\VID_0781&PID_5581\4C530001", "USBSTOR\DISK&VEN_…\4C530001&0": the last part, if the device itself says it. */
static void
take_serial(const char *instance, struct endpoint_event *event)
{
	const char *last = strrchr(instance, '\\');
	size_t size;

	/* One that Windows made up has an '&' behind its first character. */
	if ((!starts_with(instance, "USB\\") && !starts_with(instance, "USBSTOR\\")) ||
	    strchr(instance, '\\') == last || last[1] == '\0' || last[2] == '&')
		return;
	forwarded_text(last + 1, event->serial, sizeof(event->serial));
	size = strlen(event->serial);
	if (starts_with(instance, "USBSTOR\\") && size > 2 && event->serial[size - 2] == '&')
		event->serial[size - 2] = '\0';
}

static uint8_t
class_of(const struct windows *event, const char *instance)
{
	static const struct {
		const char *name;
		uint8_t number;
	} classes[] = {{"DiskDrive", USB_CLASS_STORAGE},
	    {"{4d36e967-e325-11ce-bfc1-08002be10318}", USB_CLASS_STORAGE},
	    {"Volume", USB_CLASS_STORAGE}, {"WPD", USB_CLASS_IMAGE},
	    {"{eec5ad98-8080-425f-922a-dabf3de3f69a}", USB_CLASS_IMAGE}, {"Image", USB_CLASS_IMAGE},
	    {"HIDClass", USB_CLASS_HID}, {"Keyboard", USB_CLASS_HID}, {"Mouse", USB_CLASS_HID},
	    {"MEDIA", USB_CLASS_AUDIO}, {"AudioEndpoint", USB_CLASS_AUDIO},
	    {"SmartCardReader", USB_CLASS_SMART_CARD}};
	const char *named = data_of(event, "ClassName");
	const char *ids = data_of(event, "CompatibleIds");
	uint16_t number = 0;

	if (ids != NULL && find_code(ids, "Class_", 2, &number) && number != 0)
		return (uint8_t)number;
	if (starts_with(instance, "USBSTOR\\") || starts_with(instance, "UASPSTOR\\"))
		return USB_CLASS_STORAGE;
	if (starts_with(instance, "SWD\\WPDBUSENUM"))
		return USB_CLASS_IMAGE;
	if (named == NULL)
		named = data_of(event, "ClassGuid");
	for (size_t i = 0; named != NULL && i < AZ_ARRAY_SIZE(classes); i++) {
		if (strcasecmp(named, classes[i].name) == 0)
			return classes[i].number;
	}
	return 0;
}

static void
take_device(const struct windows *event, const char *instance, struct endpoint_event *told)
{
	static const char *const labels[] = {
	    "DeviceDescription", "Prop_DeviceName", "Model", "DriverName"};
	const char *label = NULL;

	if (instance == NULL)
		instance = "";
	for (size_t i = 0; label == NULL && i < AZ_ARRAY_SIZE(labels); i++)
		label = data_of(event, labels[i]);
	forwarded_text(label != NULL ? label : instance, told->label, sizeof(told->label));
	(void)find_code(instance, "VID_", 4, &told->vendor);
	(void)find_code(instance, "PID_", 4, &told->product);
	take_serial(instance, told);
	told->interface_class = class_of(event, instance);
}

/* --- what happened ---------------------------------------------------------------------------- */

/* What can carry data away, or is a part of it. */
static bool
is_removable(const char *instance)
{
	static const char *const buses[] = {"USB\\VID_", "USBSTOR\\", "UASPSTOR\\",
	    "SWD\\WPDBUSENUM\\", "SD\\", "SDBUS\\", "1394\\", "SBP2\\"};

	for (size_t i = 0; i < AZ_ARRAY_SIZE(buses); i++) {
		if (starts_with(instance, buses[i]))
			return true;
	}
	return false;
}

static enum endpoint_kind
kind_of_pnp(const struct windows *event, uint64_t number, struct endpoint_event *told)
{
	const char *instance = data_of(event, "DeviceInstanceId");
	const char *problem = data_of(event, "Problem");
	bool works;

	if ((number != 400 && number != 410 && number != 411 && number != 430) ||
	    !is_removable(instance))
		return ENDPOINT_NONE;
	take_device(event, instance, told);
	works = problem == NULL ? data_number(event, "Problem") == 0
				: strcmp(problem, "0x0") == 0 || strcmp(problem, "0") == 0;
	return number == 410 && works && starts_with(instance, "USBSTOR\\DISK")
	    ? ENDPOINT_DESK_DISK
	    : ENDPOINT_DESK_SEEN;
}

static enum endpoint_kind
kind_of_partition(const struct windows *event, uint64_t number, struct endpoint_event *told)
{
	/* STORAGE_BUS_TYPE: 1394, USB, SD, MMC. */
	enum { BUS_1394 = 4, BUS_USB = 7, BUS_SD = 12, BUS_MMC = 13 };
	uint64_t bus = data_number(event, "BusType");

	if (number != 1006 || data_number(event, "Capacity") == 0 ||
	    (bus != BUS_1394 && bus != BUS_USB && bus != BUS_SD && bus != BUS_MMC))
		return ENDPOINT_NONE;
	take_device(event, data_of(event, "ParentId"), told);
	told->interface_class = USB_CLASS_STORAGE;
	if (data_of(event, "SerialNumber") != NULL)
		forwarded_text(data_of(event, "SerialNumber"), told->serial, sizeof(told->serial));
	return ENDPOINT_DESK_DISK;
}

static enum endpoint_kind
kind_of(const struct windows *event, uint64_t number, struct endpoint_event *told)
{
	if (starts_with(event->provider, "Microsoft-Windows-Kernel-PnP"))
		return kind_of_pnp(event, number, told);
	if (starts_with(event->provider, "Microsoft-Windows-Partition"))
		return kind_of_partition(event, number, told);
	if (starts_with(event->provider, "Microsoft-Windows-DeviceSetupManager") && number == 112) {
		take_device(event, NULL, told);
		return ENDPOINT_DESK_SEEN;
	}
	if (!starts_with(event->provider, "Microsoft-Windows-Security-Auditing") ||
	    (number != 6416 && number != 6423 && number != 6424))
		return ENDPOINT_NONE;
	take_device(event, data_of(event, "DeviceId"), told);
	return number == 6423 ? ENDPOINT_DESK_REFUSED : ENDPOINT_DESK_SEEN;
}

/* Whether an account is a human's: machines' accounts end with '$', and services have names of their own. */
static bool
is_human(const char *user)
{
	static const char *const services[] = {
	    "-", "SYSTEM", "LOCAL SERVICE", "NETWORK SERVICE", "ANONYMOUS LOGON"};
	size_t size = user == NULL ? 0 : strlen(user);

	if (size == 0 || user[size - 1] == '$' || starts_with(user, "DWM-") ||
	    starts_with(user, "UMFD-"))
		return false;
	for (size_t i = 0; i < AZ_ARRAY_SIZE(services); i++) {
		if (strcasecmp(user, services[i]) == 0)
			return false;
	}
	return true;
}

/* A name, fit to print and to stand among others. */
static void
put_user(const char *user, char *ret_text, size_t room)
{
	forwarded_text(user, ret_text, room);
	for (char *at = ret_text; *at != '\0'; at++) {
		if (*at == ',')
			*at = '?';
	}
}

/* What is known of a desk; NULL: nothing. */
static char *
user_at(struct forwarded_desks *desks, const char *desk)
{
	for (size_t i = 0; i < FORWARDED_DESKS_MAX; i++) {
		if (strcasecmp(desks->items[i].desk, desk) == 0)
			return desks->items[i].user;
	}
	return NULL;
}

/* Somebody signed in at the desk, by hand or from afar, or out. */
static void
note_session(
    struct forwarded_desks *desks, const struct windows *event, uint64_t number, const char *desk)
{
	enum { INTERACTIVE = 2, UNLOCK = 7, REMOTE = 10, CACHED = 11 };
	const char *user = data_of(event, "TargetUserName");
	uint64_t type = data_number(event, "LogonType");
	char *known = user_at(desks, desk);
	char name[sizeof(desks->items[0].user)];

	if (!starts_with(event->provider, "Microsoft-Windows-Security-Auditing") ||
	    (number != 4624 && number != 4634 && number != 4647) || !is_human(user) ||
	    (number != 4647 && type != INTERACTIVE && type != UNLOCK && type != REMOTE &&
		type != CACHED))
		return;
	put_user(user, name, sizeof(name));
	if (number != 4624) {
		/* Of whoever is here now: who was here before may go late. */
		if (known != NULL && strcasecmp(known, name) == 0)
			known[0] = '\0';
		return;
	}
	if (known == NULL) {
		size_t at = desks->next++ % FORWARDED_DESKS_MAX;

		(void)snprintf(desks->items[at].desk, sizeof(desks->items[at].desk), "%s", desk);
		known = desks->items[at].user;
	}
	(void)snprintf(known, sizeof(name), "%s", name);
}

/* Who is named with it, if that is a human; else who was last heard of at the desk. */
static void
take_user(struct forwarded_desks *desks, const struct windows *event, struct endpoint_event *told)
{
	const char *user = event->user != NULL ? event->user : data_of(event, "SubjectUserName");
	const char *known = user_at(desks, told->desk);

	if (is_human(user))
		put_user(user, told->users, sizeof(told->users));
	else if (known != NULL)
		(void)snprintf(told->users, sizeof(told->users), "%s", known);
}

static void
take_place(const struct windows *event, uint64_t number, struct endpoint_event *told)
{
	char text[256];
	const char *log = event->channel != NULL ? event->channel : event->provider;

	if (starts_with(log, "Microsoft-Windows-"))
		log += strlen("Microsoft-Windows-");
	(void)snprintf(
	    text, sizeof(text), "%llu %.200s", (unsigned long long)number, log != NULL ? log : "");
	forwarded_text(text, told->place, sizeof(told->place));
}

bool
forwarded_windows(const json_t *line, struct forwarded_desks *desks,
    const struct forwarded_sink *sink, enum forwarded_fault *ret_fault)
{
	struct endpoint_event told = {0};
	struct windows event;
	uint64_t number = 0;

	if (!read_winlogbeat(line, &event) && !read_xml(line, &event) && !read_flat(line, &event))
		return false;
	if (!forwarded_number(event.number, &number) || number > UINT16_MAX ||
	    !forwarded_number(event.record, &told.count))
		*ret_fault = FORWARDED_NO_NUMBER;
	else if (!forwarded_desk(event.computer, &told))
		*ret_fault = FORWARDED_NO_DESK;
	else if (!forwarded_time(event.time, &told.time_us))
		*ret_fault = FORWARDED_NO_TIME;
	else
		*ret_fault = FORWARDED_GOOD;
	if (*ret_fault != FORWARDED_GOOD)
		return true;
	note_session(desks, &event, number, told.desk);
	told.kind = (uint8_t)kind_of(&event, number, &told);
	if (told.kind == ENDPOINT_NONE)
		return true;
	take_user(desks, &event, &told);
	take_place(&event, number, &told);
	sink->take(sink->arg, &told);
	return true;
}
