/*
 * The guard's view of /sys, on devices that umockdev makes in the kernel's own form: links from the bus to the place, and
 * a phone that is two things at once.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <umockdev.h>

#include "base/file.h"
#include "guard/guard.h"

static UMockdevTestbed *testbed;
static int root_fd = -1;
static char *bus, *stick, *phone;

static char *
add_interface(const char *parent, const char *name, const char *class, const char *authorized)
{
	return umockdev_testbed_add_device(testbed, "usb", name, parent, "bInterfaceClass", class,
	    "bInterfaceSubClass", "06", "bInterfaceProtocol", "50", "authorized", authorized, NULL,
	    "DEVTYPE", "usb_interface", NULL);
}

static int
set_up(void **state)
{
	char *sys;

	(void)state;
	testbed = umockdev_testbed_new();
	bus = umockdev_testbed_add_device(testbed, "usb", "usb1", NULL, "idVendor", "1d6b",
	    "idProduct", "0002", "interface_authorized_default", "1", NULL, "DEVTYPE", "usb_device",
	    NULL);
	stick = umockdev_testbed_add_device(testbed, "usb", "1-1", bus, "idVendor", "0781",
	    "idProduct", "5581", "serial", "4C530001", "manufacturer", "SanDisk", "product",
	    "Ultra", NULL, "DEVTYPE", "usb_device", NULL);
	phone = umockdev_testbed_add_device(testbed, "usb", "1-2", bus, "idVendor", "18d1",
	    "idProduct", "4ee1", "serial", "P1", "manufacturer", "Maker", "product", "Phone", NULL,
	    "DEVTYPE", "usb_device", NULL);
	(void)add_interface(stick, "1-1:1.0", "08", "1");
	(void)add_interface(phone, "1-2:1.0", "06", "1");
	(void)add_interface(phone, "1-2:1.1", "03", "0");
	sys = umockdev_testbed_get_sys_dir(testbed);
	root_fd = open(sys, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	g_free(sys);
	return root_fd < 0;
}

static int
tear_down(void **state)
{
	(void)state;
	fd_close(&root_fd);
	g_free(bus);
	g_free(stick);
	g_free(phone);
	g_object_unref(testbed);
	return 0;
}

/* What the switch of something says. */
static char
switch_of(const char *path)
{
	char value = '?';
	int fd = openat(root_fd, path, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(read(fd, &value, 1), 1);
	fd_close(&fd);
	return value;
}

static void
the_ports_of_a_bus_are_closed(void **state)
{
	(void)state;
	assert_int_equal(sysfs_close_ports(root_fd, NULL), AZ_OK);
	assert_int_equal(switch_of("bus/usb/devices/usb1/interface_authorized_default"), '0');
}

/* Judges as the guard does. */
static void
judge(void *arg, const char *path)
{
	unsigned int *count = arg;
	struct usb_interface interface;
	uint32_t grant = 0;

	(*count)++;
	assert_int_equal(sysfs_interface(root_fd, path, &interface, NULL), AZ_OK);
	assert_int_equal(sysfs_authorize(root_fd, path, &interface,
			     guard_decide(&interface, NULL, 1, &grant), NULL),
	    AZ_OK);
}

static void
each_interface_is_judged_for_itself(void **state)
{
	unsigned int count = 0;

	(void)state;
	assert_int_equal(sysfs_each_interface(root_fd, judge, &count, NULL), AZ_OK);
	assert_int_equal(count, 3);
	assert_int_equal(switch_of("bus/usb/devices/1-1:1.0/authorized"), '0');
	assert_int_equal(switch_of("bus/usb/devices/1-2:1.0/authorized"), '0');
	/* The phone's keys go on working. */
	assert_int_equal(switch_of("bus/usb/devices/1-2:1.1/authorized"), '1');
}

static void
a_device_is_known_by_link_and_by_place(void **state)
{
	struct usb_interface by_link, by_place;
	const char *place = strstr(stick, "/devices/");
	char path[512];

	(void)state;
	assert_non_null(place);
	(void)snprintf(path, sizeof(path), "%s/1-1:1.0", place + 1);
	assert_int_equal(
	    sysfs_interface(root_fd, "bus/usb/devices/1-1:1.0", &by_link, NULL), AZ_OK);
	assert_int_equal(sysfs_interface(root_fd, path, &by_place, NULL), AZ_OK);
	assert_string_equal(by_link.vendor, "0781");
	assert_string_equal(by_link.product, "5581");
	assert_string_equal(by_link.serial, "4C530001");
	assert_string_equal(by_link.label, "SanDisk Ultra");
	assert_string_equal(by_place.name, by_link.name);
	assert_string_equal(by_place.serial, by_link.serial);
}

static void
what_was_unplugged_is_not_found(void **state)
{
	struct usb_interface interface = {.name = "1-1:1.0"};

	(void)state;
	umockdev_testbed_remove_device(testbed, stick);
	assert_int_equal(
	    sysfs_interface(root_fd, "bus/usb/devices/1-1:1.0", &interface, NULL), AZ_NOT_FOUND);
	assert_int_equal(
	    sysfs_authorize(root_fd, "bus/usb/devices/1-1:1.0", &interface, GUARD_REFUSE, NULL),
	    AZ_NOT_FOUND);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(the_ports_of_a_bus_are_closed, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(each_interface_is_judged_for_itself, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		a_device_is_known_by_link_and_by_place, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(what_was_unplugged_is_not_found, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
