/* The kernel's switches, in a folder that looks like /sys. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "guard/guard.h"

#define DEVICES "bus/usb/devices"

static char root[64];
static int root_fd;

static void
put(const char *path, const char *text)
{
	char folder[256];
	int fd;

	(void)snprintf(folder, sizeof(folder), "%s", path);
	for (char *slash = strchr(folder, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		(void)mkdirat(root_fd, folder, 0700);
		*slash = '/';
	}
	fd = openat(root_fd, path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	(void)close(fd);
}

static const char *
get(const char *path)
{
	static char text[64];
	int fd = openat(root_fd, path, O_RDONLY);
	ssize_t size = fd >= 0 ? read(fd, text, sizeof(text) - 1) : 0;

	text[size > 0 ? size : 0] = '\0';
	if (fd >= 0)
		(void)close(fd);
	return text;
}

static int
set_up(void **state)
{
	(void)state;
	(void)snprintf(root, sizeof(root), "/tmp/azukari-sysfs-XXXXXX");
	if (mkdtemp(root) == NULL)
		return -1;
	root_fd = open(root, O_RDONLY | O_DIRECTORY);
	put(DEVICES "/usb1/interface_authorized_default", "1");
	put(DEVICES "/usb12/interface_authorized_default", "1");
	put(DEVICES "/1-1/idVendor", "46f4\n");
	put(DEVICES "/1-1/idProduct", "0001\n");
	put(DEVICES "/1-1/serial", "A\x1b[31m1\n");
	put(DEVICES "/1-1/manufacturer", "Maker\n");
	put(DEVICES "/1-1/product", "Stick\n");
	put(DEVICES "/1-1:1.0/bInterfaceClass", "08\n");
	put(DEVICES "/1-1:1.0/bInterfaceSubClass", "06\n");
	put(DEVICES "/1-1:1.0/bInterfaceProtocol", "50\n");
	put(DEVICES "/1-1:1.0/authorized", "1\n");
	put("bus/usb/drivers_probe", "");
	put("bus/mmc/drivers_autoprobe", "1");
	return 0;
}

static int
tear_down(void **state)
{
	char command[128];

	(void)state;
	(void)close(root_fd);
	(void)snprintf(command, sizeof(command), "rm -rf '%s'", root);
	return system(command);
}

static void
all_ports_are_closed(void **state)
{
	(void)state;
	assert_int_equal(sysfs_close_ports(root_fd, NULL), AZ_OK);
	assert_string_equal(get(DEVICES "/usb1/interface_authorized_default"), "0");
	assert_string_equal(get(DEVICES "/usb12/interface_authorized_default"), "0");
	assert_string_equal(get("bus/mmc/drivers_autoprobe"), "0");
}

static void
a_port_that_cannot_be_closed_is_a_failure(void **state)
{
	(void)state;
	assert_int_equal(unlinkat(root_fd, DEVICES "/usb1/interface_authorized_default", 0), 0);
	assert_int_equal(mkdirat(root_fd, DEVICES "/usb1/interface_authorized_default", 0700), 0);
	assert_int_equal(sysfs_close_ports(root_fd, NULL), AZ_IO);
}

static void
an_interface_is_read_with_its_device(void **state)
{
	struct usb_interface interface;

	(void)state;
	assert_int_equal(sysfs_interface(root_fd, DEVICES "/1-1:1.0", &interface, NULL), AZ_OK);
	assert_int_equal(interface.interface_class, USB_CLASS_STORAGE);
	assert_true(interface.authorized);
	assert_string_equal(interface.name, "1-1:1.0");
	assert_string_equal(interface.vendor, "46f4");
	assert_string_equal(interface.label, "Maker Stick");
	/* What a device says of itself cannot speak to a terminal. */
	assert_string_equal(interface.serial, "A?[31m1");
}

static void
what_is_no_interface_is_not_found(void **state)
{
	struct usb_interface interface;

	(void)state;
	assert_int_equal(
	    sysfs_interface(root_fd, DEVICES "/1-9:1.0", &interface, NULL), AZ_NOT_FOUND);
	assert_int_equal(sysfs_interface(root_fd, DEVICES "/1-1", &interface, NULL), AZ_NOT_FOUND);
	put(DEVICES "/1-1:1.0/bInterfaceClass", "zz\n");
	assert_int_equal(
	    sysfs_interface(root_fd, DEVICES "/1-1:1.0", &interface, NULL), AZ_NOT_FOUND);
}

static void
a_refusal_closes_and_an_allowance_opens(void **state)
{
	struct usb_interface interface;

	(void)state;
	assert_int_equal(sysfs_interface(root_fd, DEVICES "/1-1:1.0", &interface, NULL), AZ_OK);
	assert_int_equal(
	    sysfs_authorize(root_fd, DEVICES "/1-1:1.0", &interface, GUARD_REFUSE, NULL), AZ_OK);
	assert_int_equal(get(DEVICES "/1-1:1.0/authorized")[0], '0');
	assert_string_equal(get("bus/usb/drivers_probe"), "");
	assert_int_equal(
	    sysfs_authorize(root_fd, DEVICES "/1-1:1.0", &interface, GUARD_ALLOW, NULL), AZ_OK);
	assert_int_equal(get(DEVICES "/1-1:1.0/authorized")[0], '1');
	assert_string_equal(get("bus/usb/drivers_probe"), "1-1:1.0");
	assert_int_equal(
	    sysfs_authorize(root_fd, DEVICES "/1-9:1.0", &interface, GUARD_ALLOW, NULL),
	    AZ_NOT_FOUND);
}

static void
count(void *arg, const char *path)
{
	assert_string_equal(path, DEVICES "/1-1:1.0");
	++*(int *)arg;
}

static void
interfaces_are_visited_and_nothing_else(void **state)
{
	int visited = 0;

	(void)state;
	assert_int_equal(sysfs_each_interface(root_fd, count, &visited, NULL), AZ_OK);
	assert_int_equal(visited, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(all_ports_are_closed, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		a_port_that_cannot_be_closed_is_a_failure, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		an_interface_is_read_with_its_device, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(what_is_no_interface_is_not_found, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		a_refusal_closes_and_an_allowance_opens, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		interfaces_are_visited_and_nothing_else, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
