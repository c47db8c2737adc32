/* What the kernel tells, and what is decided on it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

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
		bool harmless = i == USB_CLASS_AUDIO || i == USB_CLASS_HID || i == USB_CLASS_HUB ||
		    i == USB_CLASS_SMART_CARD;

		assert_int_equal(guard_decide(&interface), harmless ? GUARD_ALLOW : GUARD_REFUSE);
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_interface_that_comes_is_told),
	    cmocka_unit_test(controllers_and_disks_are_told),
	    cmocka_unit_test(others_are_nothing),
	    cmocka_unit_test(malformed_messages_are_refused),
	    cmocka_unit_test(only_harmless_classes_are_allowed),
	    cmocka_unit_test(classes_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
