/*
 * Forwarded events: what their forms are read as, and that what says less than an event must is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "guard/forwarded.h"
#include "guard/seen.h"

#define TAKEN_MAX 300u

static struct endpoint_event taken[TAKEN_MAX];
static size_t taken_count;
static struct forwarded_desks desks;

static void
take(void *arg, const struct endpoint_event *event)
{
	(void)arg;
	assert_true(taken_count < TAKEN_MAX);
	taken[taken_count++] = *event;
}

static enum forwarded_fault
read_line(const char *line)
{
	static const struct forwarded_sink sink = {.take = take};

	taken_count = 0;
	return forwarded_read(bytes_of(line), &desks, &sink);
}

static void
read_sample(const char *name)
{
	static const struct forwarded_sink sink = {.take = take};
	char path[4096];
	char line[8192];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/%s", EVENTS, name);
	file = fopen(path, "r");
	assert_non_null(file);
	taken_count = 0;
	memset(&desks, 0, sizeof(desks));
	while (fgets(line, sizeof(line), file) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		assert_int_equal(forwarded_read(bytes_of(line), &desks, &sink), FORWARDED_GOOD);
	}
	(void)fclose(file);
}

/* A line of winlogbeat, with these in place of what is usual; NULL: as usual. */
static const char *
beat(const char *number, const char *computer, const char *time, const char *data)
{
	static char line[2048];

	(void)snprintf(line, sizeof(line),
	    "{\"@timestamp\":%s,\"winlog\":{\"channel\":\"Security\",\"provider_name\":"
	    "\"Microsoft-Windows-Security-Auditing\",\"computer_name\":%s,\"event_id\":%s,"
	    "\"record_id\":7,\"event_data\":%s}}",
	    time != NULL ? time : "\"2026-11-20T01:02:03Z\"",
	    computer != NULL ? computer : "\"DESK7\"", number != NULL ? number : "6416",
	    data != NULL ? data : "{\"DeviceId\":\"USB\\\\VID_0781&PID_5581\\\\4C53\"}");
	return line;
}

static void
is_event(size_t at, enum endpoint_kind kind, const char *desk, const char *place, uint16_t vendor,
    uint16_t product, const char *serial)
{
	assert_int_equal(taken[at].kind, kind);
	assert_string_equal(taken[at].desk, desk);
	assert_string_equal(taken[at].place, place);
	assert_int_equal(taken[at].vendor, vendor);
	assert_int_equal(taken[at].product, product);
	assert_string_equal(taken[at].serial, serial);
}

static void
events_of_winlogbeat_are_read(void **state)
{
	(void)state;
	read_sample("windows-winlogbeat.ndjson");
	assert_int_equal(taken_count, 5);
	is_event(0, ENDPOINT_DESK_SEEN, "DESK7.example.local", "6416 Security", 0x0781, 0x5581,
	    "4C530001230717105493");
	assert_int_equal(taken[0].interface_class, 8);
	assert_int_equal(taken[0].count, 81001);
	assert_string_equal(taken[0].label, "USB Mass Storage Device");
	assert_string_equal(taken[0].users, ""); /* a machine is nobody */
	is_event(1, ENDPOINT_DESK_REFUSED, "DESK7.example.local", "6423 Security", 0, 0,
	    "4C530001230717105493");
	/* Somebody has signed in there meanwhile. */
	assert_string_equal(taken[1].users, "");
	is_event(2, ENDPOINT_DESK_SEEN, "DESK7.example.local",
	    "430 Kernel-PnP/Device Configuration", 0x0781, 0x5581, "");
	assert_string_equal(taken[2].users, "ito");
	is_event(3, ENDPOINT_DESK_DISK, "DESK8.example.local", "1006 Partition/Diagnostic", 0x0781,
	    0x5581, "4C53000999");
	assert_string_equal(taken[3].users, "ito");
	is_event(4, ENDPOINT_DESK_SEEN, "DESK8.example.local",
	    "430 Kernel-PnP/Device Configuration", 0x04e8, 0x6860, "R58M1234567");
}

static void
events_as_their_xml_and_flat_are_read(void **state)
{
	(void)state;
	read_sample("windows-events.ndjson");
	assert_int_equal(taken_count, 4);
	/* A serial that Windows made up is none. */
	is_event(0, ENDPOINT_DESK_SEEN, "DESK9", "400 Kernel-PnP/Configuration", 0, 0, "");
	is_event(1, ENDPOINT_DESK_DISK, "DESK9", "410 Kernel-PnP/Configuration", 0, 0, "");
	assert_int_equal(taken[1].interface_class, 8);
	is_event(2, ENDPOINT_DESK_SEEN, "DESK9", "112 DeviceSetupManager/Admin", 0, 0, "");
	assert_string_equal(taken[2].label, "Pixel 8 ??");
	assert_int_equal(taken[2].count, 77);
	/* 12:00:02.5 at +09:00. */
	assert_int_equal(taken[2].time_us % AZ_US_PER_DAY, (3 * 3600 + 2) * AZ_US_PER_S + 500000);
	is_event(3, ENDPOINT_DESK_SEEN, "DESK9", "6424 Security", 0, 0, "");
	assert_int_equal(taken[3].interface_class, 6);
	assert_string_equal(taken[3].users, "mori");
}

static void
results_of_osquery_are_read(void **state)
{
	(void)state;
	read_sample("osquery.ndjson");
	assert_int_equal(taken_count, 3);
	is_event(0, ENDPOINT_DESK_SEEN, "desk10", "pack_azukari_usb_devices", 0x0781, 0x5581,
	    "4C53000111");
	assert_string_equal(taken[0].users, "kato");
	assert_string_equal(taken[0].label, "SanDisk Ultra");
	assert_int_equal(taken[0].interface_class, 8);
	is_event(1, ENDPOINT_DESK_DISK, "DESK11", "disk_info", 0, 0, "4C53000222");
	assert_int_equal(taken[1].count, 3);
	is_event(2, ENDPOINT_DESK_DISK, "mac1", "disk_events", 0, 0, "");
}

static void
what_is_no_event_is_refused(void **state)
{
	static const struct {
		const char *line;
		enum forwarded_fault fault;
	} lines[] = {
	    {"", FORWARDED_NO_JSON},
	    {"null", FORWARDED_NO_JSON},
	    {"[1]", FORWARDED_NO_JSON},
	    {"{\"winlog\":", FORWARDED_NO_JSON},
	    {"{\"winlog\":{}} x", FORWARDED_NO_JSON},
	    {"{\"a\":\"\xff\"}", FORWARDED_NO_JSON},
	    {"{\"a\":1,\"a\":2}", FORWARDED_NO_JSON},
	    {"{}", FORWARDED_UNKNOWN},
	    {"{\"winlog\":7}", FORWARDED_UNKNOWN},
	    {"{\"winlog\":{}}", FORWARDED_NO_NUMBER},
	    {"{\"name\":\"usb_devices\"}", FORWARDED_UNKNOWN},
	    {"{\"name\":\"usb_devices\",\"hostIdentifier\":\"a b\",\"unixTime\":1}",
		FORWARDED_NO_DESK},
	    {"{\"name\":\"usb_devices\",\"hostIdentifier\":\"a\"}", FORWARDED_NO_TIME},
	    {"{\"name\":\"usb_devices\",\"hostIdentifier\":\"a\",\"unixTime\":99999999999999999}",
		FORWARDED_NO_TIME},
	    {"{\"name\":\"usb_devices\",\"hostIdentifier\":\"a\",\"unixTime\":1}",
		FORWARDED_NO_ROWS},
	    {"{\"name\":\"usb_devices\",\"hostIdentifier\":\"a\",\"unixTime\":1,\"counter\":-1}",
		FORWARDED_NO_NUMBER},
	    {"{\"name\":\"q\",\"hostIdentifier\":\"a\",\"unixTime\":1,\"diffResults\":{\"added\":"
	     "[1]}}",
		FORWARDED_NO_ROWS},
	};

	(void)state;
	for (size_t i = 0; i < AZ_ARRAY_SIZE(lines); i++) {
		assert_int_equal(read_line(lines[i].line), lines[i].fault);
		assert_int_equal(taken_count, 0);
	}
}

static void
what_an_event_must_say_is_asked_of_it(void **state)
{
	(void)state;
	assert_int_equal(read_line(beat(NULL, NULL, NULL, NULL)), FORWARDED_GOOD);
	assert_int_equal(taken_count, 1);
	assert_int_equal(read_line(beat("\"6416\"", NULL, NULL, NULL)), FORWARDED_GOOD);
	assert_int_equal(taken_count, 1);
	assert_int_equal(read_line(beat("-6416", NULL, NULL, NULL)), FORWARDED_NO_NUMBER);
	assert_int_equal(read_line(beat("\"6416x\"", NULL, NULL, NULL)), FORWARDED_NO_NUMBER);
	assert_int_equal(read_line(beat("65536", NULL, NULL, NULL)), FORWARDED_NO_NUMBER);
	assert_int_equal(read_line(beat(NULL, "\"\"", NULL, NULL)), FORWARDED_NO_DESK);
	assert_int_equal(read_line(beat(NULL, "\"a/b\"", NULL, NULL)), FORWARDED_NO_DESK);
	assert_int_equal(read_line(beat(NULL, "7", NULL, NULL)), FORWARDED_NO_DESK);
	assert_int_equal(read_line(beat(NULL,
			     "\"0123456789012345678901234567890123456789012345678901234567890123\"",
			     NULL, NULL)),
	    FORWARDED_NO_DESK);
	for (const char *const *bad = (const char *const[]){"\"\"", "7", "\"2026-11-20\"",
		 "\"2026-11-20T01:02\"", "\"2026-13-20T01:02:03Z\"", "\"2026-11-20T24:02:03Z\"",
		 "\"2026-11-20T01:02:03.Z\"", "\"2026-11-20T01:02:03Zx\"",
		 "\"2026-11-20T01:02:03+99:00\"", NULL};
	     *bad != NULL; bad++)
		assert_int_equal(read_line(beat(NULL, NULL, *bad, NULL)), FORWARDED_NO_TIME);
	/* Of no data an event is made all the same: that something was plugged in is said. */
	assert_int_equal(read_line(beat(NULL, NULL, NULL, "null")), FORWARDED_GOOD);
	assert_int_equal(taken_count, 1);
}

/* An event of a session at a desk. */
static void
session(const char *number, const char *desk, const char *user, const char *type)
{
	char data[200];

	(void)snprintf(
	    data, sizeof(data), "{\"TargetUserName\":\"%s\",\"LogonType\":\"%s\"}", user, type);
	assert_int_equal(read_line(beat(number, desk, NULL, data)), FORWARDED_GOOD);
	assert_int_equal(taken_count, 0);
}

static void
is_at(const char *desk, const char *user)
{
	assert_int_equal(read_line(beat(NULL, desk, NULL, NULL)), FORWARDED_GOOD);
	assert_int_equal(taken_count, 1);
	assert_string_equal(taken[0].users, user);
}

static void
who_signed_in_at_the_desk_is_told(void **state)
{
	char desk[32];

	(void)state;
	memset(&desks, 0, sizeof(desks));
	is_at("\"D1\"", "");
	session("4624", "\"D1\"", "ito", "2");
	is_at("\"D1\"", "ito");
	is_at("\"d1\"", "ito");
	is_at("\"D2\"", "");
	/* Neither services, machines, nor who only reads its files from afar. */
	session("4624", "\"D1\"", "SYSTEM", "2");
	session("4624", "\"D1\"", "D1$", "2");
	session("4624", "\"D1\"", "DWM-1", "2");
	session("4624", "\"D1\"", "mori", "3");
	is_at("\"D1\"", "ito");
	session("4624", "\"D1\"", "a,b", "10");
	is_at("\"D1\"", "a?b");
	/* Who was here before goes late. */
	session("4634", "\"D1\"", "ito", "2");
	is_at("\"D1\"", "a?b");
	session("4647", "\"D1\"", "a,b", "");
	is_at("\"D1\"", "");
	for (unsigned int i = 0; i <= FORWARDED_DESKS_MAX; i++) {
		(void)snprintf(desk, sizeof(desk), "\"E%u\"", i);
		session("4624", desk, "kato", "11");
	}
	is_at("\"E0\"", "");
	is_at(desk, "kato");
}

static void
texts_are_made_fit_to_print(void **state)
{
	char data[1200] = "{\"DeviceId\":\"USB\\\\VID_0781&PID_5581\\\\\\u001b[31m\","
			  "\"DeviceDescription\":\"";
	size_t size = strlen(data);

	(void)state;
	memset(data + size, 'a', 400);
	(void)snprintf(data + size + 400, sizeof(data) - size - 400, "\"}");
	assert_int_equal(read_line(beat(NULL, NULL, NULL, data)), FORWARDED_GOOD);
	assert_string_equal(taken[0].serial, "?[31m");
	assert_int_equal(strlen(taken[0].label), sizeof(taken[0].label) - 1);
}

static void
too_much_is_refused(void **state)
{
	static char line[FORWARDED_LINE_MAX + 2];
	static char deep[200001];
	size_t size = 0;

	(void)state;
	memset(line, ' ', sizeof(line) - 1);
	assert_int_equal(read_line(line), FORWARDED_TOO_LONG);
	memset(deep, '[', sizeof(deep) - 1);
	assert_int_equal(read_line(deep), FORWARDED_NO_JSON);
	size = (size_t)snprintf(line, sizeof(line),
	    "{\"name\":\"usb_devices\",\"hostIdentifier\":\"a\",\"unixTime\":1,"
	    "\"diffResults\":{\"added\":[");
	for (unsigned int i = 0; i <= FORWARDED_ROWS_MAX; i++)
		size += (size_t)snprintf(
		    line + size, sizeof(line) - size, "%s{\"serial\":\"%u\"}", i ? "," : "", i);
	(void)snprintf(line + size, sizeof(line) - size, "]}}");
	assert_int_equal(read_line(line), FORWARDED_NO_ROWS);
	assert_int_equal(taken_count, 0);
}

static void
what_was_seen_is_known_as_far_as_there_is_room(void **state)
{
	struct seen *seen = NULL;
	struct endpoint_event event = {
	    .kind = ENDPOINT_DESK_SEEN, .desk = "a", .place = "b", .time_us = 1};
	struct endpoint_event other = event;

	(void)state;
	assert_int_equal(seen_new(4, &seen, NULL), AZ_OK);
	for (uint64_t number = 1; number <= 9; number++) {
		event.count = number;
		assert_false(seen_has(seen, &event));
		seen_add(seen, number, &event);
		assert_true(seen_has(seen, &event));
	}
	for (uint64_t number = 1; number <= 9; number++) {
		event.count = number;
		assert_int_equal(seen_has(seen, &event), number > 5);
	}
	/* What is said differently of the same record is the same. */
	(void)snprintf(event.users, sizeof(event.users), "ito");
	(void)snprintf(event.label, sizeof(event.label), "a stick");
	assert_true(seen_has(seen, &event));
	/* A log that began again, and another desk, are others. */
	other = event;
	other.time_us++;
	assert_false(seen_has(seen, &other));
	other = event;
	(void)snprintf(other.desk, sizeof(other.desk), "ab");
	(void)snprintf(other.place, sizeof(other.place), "%s", "");
	assert_false(seen_has(seen, &other));
	/* An event of the machine itself takes a place in the queue, and the older one's is free. */
	other.kind = ENDPOINT_STARTED;
	seen_add(seen, 13, &other);
	event.count = 9;
	assert_false(seen_has(seen, &event));
	seen_free(&seen);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(events_of_winlogbeat_are_read),
	    cmocka_unit_test(events_as_their_xml_and_flat_are_read),
	    cmocka_unit_test(results_of_osquery_are_read),
	    cmocka_unit_test(what_is_no_event_is_refused),
	    cmocka_unit_test(what_an_event_must_say_is_asked_of_it),
	    cmocka_unit_test(who_signed_in_at_the_desk_is_told),
	    cmocka_unit_test(texts_are_made_fit_to_print),
	    cmocka_unit_test(too_much_is_refused),
	    cmocka_unit_test(what_was_seen_is_known_as_far_as_there_is_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
