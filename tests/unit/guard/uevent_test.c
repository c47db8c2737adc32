/* What the kernel tells, and what is decided on it. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "guard/guard.h"

/* A message with its NULs; sizeof counts the last one. */
#define PARSE(text, event) uevent_parse(bytes_make(text, sizeof(text)), event)

static void
an_interface_that_comes_is_told(void **state)
{
	struct uevent event;

	(void)state;
	assert_int_equal(
	    PARSE("add@/devices/p/usb1/1-1/1-1:1.0\0ACTION=add\0"
		  "DEVPATH=/devices/p/usb1/1-1/1-1:1.0\0SUBSYSTEM=usb\0DEVTYPE=usb_interface",
		&event),
	    AZ_OK);
	assert_int_equal(event.kind, UEVENT_INTERFACE);
	assert_string_equal(event.path, "/devices/p/usb1/1-1/1-1:1.0");
}

static void
controllers_and_disks_are_told(void **state)
{
	struct uevent event;

	(void)state;
	assert_int_equal(
	    PARSE("add@/d\0ACTION=add\0DEVPATH=/devices/p/usb3\0SUBSYSTEM=usb\0DEVTYPE=usb_device",
		&event),
	    AZ_OK);
	assert_int_equal(event.kind, UEVENT_BUS);
	assert_int_equal(
	    PARSE("add@/d\0ACTION=add\0DEVPATH=/devices/p/mmcblk0\0SUBSYSTEM=block\0DEVTYPE=disk",
		&event),
	    AZ_OK);
	assert_int_equal(event.kind, UEVENT_BLOCK);
}

static void
others_are_nothing(void **state)
{
	struct uevent event;

	(void)state;
	assert_int_equal(PARSE("remove@/d\0ACTION=remove\0DEVPATH=/d/"
			       "1-1:1.0\0SUBSYSTEM=usb\0DEVTYPE=usb_interface",
			     &event),
	    AZ_OK);
	assert_int_equal(event.kind, UEVENT_OTHER);
	assert_int_equal(
	    PARSE("add@/d\0ACTION=add\0DEVPATH=/d/1-1\0SUBSYSTEM=usb\0DEVTYPE=usb_device", &event),
	    AZ_OK);
	assert_int_equal(event.kind, UEVENT_OTHER);
	assert_int_equal(
	    PARSE(
		"add@/d\0ACTION=add\0DEVPATH=/d/sda1\0SUBSYSTEM=block\0DEVTYPE=partition", &event),
	    AZ_OK);
	assert_int_equal(event.kind, UEVENT_OTHER);
	assert_int_equal(PARSE("add@/d\0ACTION=add\0DEVPATH=/d\0SUBSYSTEM=net", &event), AZ_OK);
	assert_int_equal(event.kind, UEVENT_OTHER);
}

static void
malformed_messages_are_refused(void **state)
{
	struct uevent event = {.kind = UEVENT_BLOCK};
	char path[700];

	(void)state;
	assert_int_equal(uevent_parse(bytes_make("", 0), &event), AZ_INVALID);
	assert_int_equal(uevent_parse(bytes_of("ACTION=add"), &event), AZ_INVALID);
	assert_int_equal(PARSE("ACTION=add", &event), AZ_INVALID);
	assert_int_equal(PARSE("DEVPATH=/d", &event), AZ_INVALID);
	assert_int_equal(PARSE("ACTION=add\0DEVPATH=d/1-1:1.0", &event), AZ_INVALID);
	assert_int_equal(PARSE("ACTION=add\0DEVPATH=/d/../../etc", &event), AZ_INVALID);
	memset(path, 'a', sizeof(path));
	memcpy(path, "ACTION=add\0DEVPATH=/", 20);
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(uevent_parse(bytes_make(path, sizeof(path)), &event), AZ_INVALID);
	assert_int_equal(event.kind, UEVENT_BLOCK);
}

static void
only_harmless_classes_are_allowed(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 256; i++) {
		struct usb_interface interface = {.interface_class = (uint8_t)i};
		uint32_t grant = 9;
		bool harmless = i == USB_CLASS_AUDIO || i == USB_CLASS_HID || i == USB_CLASS_HUB ||
		    i == USB_CLASS_SMART_CARD;

		assert_int_equal(guard_decide(&interface, NULL, 1, &grant),
		    harmless ? GUARD_ALLOW : GUARD_REFUSE);
		assert_int_equal(grant, 0);
	}
}

static void
classes_have_names(void **state)
{
	char text[16];

	(void)state;
	assert_string_equal(usb_class_name(USB_CLASS_STORAGE, text), "mass storage");
	assert_string_equal(usb_class_name(0x0a, text), "class 0a");
}

/* One device, by all that it says of itself, for its time, as storage. */
static void
a_grant_lets_one_device_be_read(void **state)
{
	static struct guard_grants grants = {.count = 5,
	    .items = {{.id = 4,
			  .vendor = 0x1234,
			  .product = 0xabcd,
			  .until_us = 50,
			  .access = GRANT_READ,
			  .serial = "A"},
		{.id = 5,
		    .vendor = 0x0781,
		    .product = 0x5581,
		    .until_us = 100,
		    .access = GRANT_READ,
		    .serial = "S1"},
		{.id = 6,
		    .vendor = 0x0781,
		    .product = 0x5583,
		    .until_us = 100,
		    .access = GRANT_WRITE,
		    .serial = "W"},
		{.id = 7,
		    .vendor = 0x0781,
		    .product = 0x5583,
		    .until_us = 100,
		    .access = GRANT_READ,
		    .serial = "W"},
		{.id = 8, .vendor = 0x0781, .product = 0x5584, .until_us = 100, .serial = "N"}}};
	static const struct {
		const char *vendor, *product, *serial;
		uint8_t class;
		int64_t now_us;
		uint32_t grant;
	} cases[] = {
	    {"0781", "5583", "W", USB_CLASS_STORAGE, 99, 6},
	    {"0781", "5583", "W", USB_CLASS_STORAGE, 100, 0},
	    {"0781", "5583", "W", USB_CLASS_IMAGE, 99, 0},
	    {"0781", "5584", "N", USB_CLASS_STORAGE, 99, 0},
	    {"0781", "5581", "S1", USB_CLASS_STORAGE, 99, 5},
	    {"1234", "abcd", "A", USB_CLASS_STORAGE, 49, 4},
	    {"0781", "5581", "S1", USB_CLASS_STORAGE, 100, 0},
	    {"1234", "abcd", "A", USB_CLASS_STORAGE, 50, 0},
	    {"0781", "5581", "S2", USB_CLASS_STORAGE, 1, 0},
	    {"0781", "5581", "S", USB_CLASS_STORAGE, 1, 0},
	    {"0781", "5581", "S11", USB_CLASS_STORAGE, 1, 0},
	    {"0781", "5581", "", USB_CLASS_STORAGE, 1, 0},
	    {"0781", "5582", "S1", USB_CLASS_STORAGE, 1, 0},
	    {"0780", "5581", "S1", USB_CLASS_STORAGE, 1, 0},
	    {"", "5581", "S1", USB_CLASS_STORAGE, 1, 0},
	    {"0781", "5581", "S1", USB_CLASS_IMAGE, 1, 0},
	    {"0781", "5581", "S1", USB_CLASS_VENDOR, 1, 0},
	    {"0781", "5581", "S1", 0x0a, 1, 0},
	};

	(void)state;
	for (size_t i = 0; i < AZ_ARRAY_SIZE(cases); i++) {
		struct usb_interface interface = {.interface_class = cases[i].class};
		uint32_t grant = 9;

		(void)snprintf(interface.vendor, sizeof(interface.vendor), "%s", cases[i].vendor);
		(void)snprintf(
		    interface.product, sizeof(interface.product), "%s", cases[i].product);
		(void)snprintf(interface.serial, sizeof(interface.serial), "%s", cases[i].serial);
		assert_int_equal(guard_decide(&interface, &grants, cases[i].now_us, &grant),
		    cases[i].grant == 6       ? GUARD_WRITE
			: cases[i].grant != 0 ? GUARD_READ
					      : GUARD_REFUSE);
		assert_int_equal(grant, cases[i].grant);
	}
}

static void
a_disk_that_is_none_is_not_made_read_only(void **state)
{
	int dev = open("/dev", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	(void)state;
	assert_true(dev >= 0);
	assert_int_not_equal(disk_make_read_only(dev, "null", NULL), AZ_OK);
	assert_int_not_equal(disk_make_read_only(dev, "nothing-there", NULL), AZ_OK);
	(void)close(dev);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_grant_lets_one_device_be_read),
	    cmocka_unit_test(a_disk_that_is_none_is_not_made_read_only),
	    cmocka_unit_test(an_interface_that_comes_is_told),
	    cmocka_unit_test(controllers_and_disks_are_told),
	    cmocka_unit_test(others_are_nothing),
	    cmocka_unit_test(malformed_messages_are_refused),
	    cmocka_unit_test(only_harmless_classes_are_allowed),
	    cmocka_unit_test(classes_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
