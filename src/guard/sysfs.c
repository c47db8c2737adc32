/*
 * The kernel's own switches.
 *
 *	bus/usb/devices/usbN/interface_authorized_default   0: interfaces that come are authorized by nobody
 *	…/1-1/1-1:1.0/authorized                            one interface; 0 also takes its driver away
 *	bus/usb/drivers_probe                               a name: look for its driver now
 *	bus/mmc/drivers_autoprobe                           0: cards that come are bound to no driver
 *
 * All of them outlive the process that wrote them. Nothing that a device says of itself is a path: names come from the
 * kernel, texts are cut and made fit to print.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "guard/guard.h"

#define DEVICES "bus/usb/devices"

/* --- attributes ------------------------------------------------------------------------------- */

static bool
read_text(int dirfd, const char *name, char *text, size_t room)
{
	int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC);
	ssize_t size = fd >= 0 ? read(fd, text, room - 1) : -1;

	fd_close(&fd);
	if (size < 0) {
		text[0] = '\0';
		return false;
	}
	while (size > 0 && (text[size - 1] == '\n' || text[size - 1] == ' '))
		size--;
	text[size] = '\0';
	/* Of the device's own choice: nothing that a terminal or a log would take for more than text. */
	for (ssize_t i = 0; i < size; i++) {
		if ((unsigned char)text[i] < 0x20 || (unsigned char)text[i] >= 0x7f)
			text[i] = '?';
	}
	return true;
}

static bool
read_hex(int dirfd, const char *name, uint8_t *ret_value)
{
	char text[8];

	return read_text(dirfd, name, text, sizeof(text)) && strlen(text) == 2 &&
	    hex_decode(text, ret_value, 1);
}

/* As write(2): 0, or an errno. */
static int
write_text(int dirfd, const char *name, const char *text)
{
	int fd = openat(dirfd, name, O_WRONLY | O_CLOEXEC);
	int result = 0;

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		result = errno;
	fd_close(&fd);
	return result;
}

/* --- ports ------------------------------------------------------------------------------------ */

static enum az_status
close_bus(int devices, const char *name, struct az_err *reterr)
{
	char path[300];
	int reason;

	(void)snprintf(path, sizeof(path), "%s/interface_authorized_default", name);
	reason = write_text(devices, path, "0");
	/* It may have gone meanwhile. */
	if (reason != 0 && reason != ENOENT && reason != ENODEV)
		return az_fail_errno(reterr, AZ_IO, reason, "close the ports of %s", name);
	return AZ_OK;
}

/* Buses of cards, where the kernel has them: what comes there is media. */
static enum az_status
close_cards(int root_fd, struct az_err *reterr)
{
	static const char *const buses[] = {"bus/mmc/drivers_autoprobe",
	    "bus/memstick/drivers_autoprobe", "bus/firewire/drivers_autoprobe"};

	for (size_t i = 0; i < AZ_ARRAY_SIZE(buses); i++) {
		int reason = write_text(root_fd, buses[i], "0");

		if (reason != 0 && reason != ENOENT)
			return az_fail_errno(reterr, AZ_IO, reason, "close %s", buses[i]);
	}
	return AZ_OK;
}

static bool
is_bus(const char *name)
{
	return strncmp(name, "usb", 3) == 0 && name[3] >= '0' && name[3] <= '9';
}

/* Calls visit for each name in the folder of USB devices, until one fails. */
static enum az_status
each_device(int root_fd, enum az_status (*visit)(int devices, const char *name, void *arg),
    void *arg, struct az_err *reterr)
{
	enum az_status status = AZ_OK;
	int fd = openat(root_fd, DEVICES, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *folder;
	struct dirent *entry;

	/* Without USB there is nothing to guard, until a module is loaded; see UEVENT_BUS. */
	if (fd < 0)
		return errno == ENOENT ? AZ_OK : az_fail_errno(reterr, AZ_IO, errno, DEVICES);
	folder = fdopendir(fd);
	if (folder == NULL) {
		fd_close(&fd);
		return az_fail_errno(reterr, AZ_IO, errno, DEVICES);
	}
	while (status == AZ_OK && (entry = readdir(folder)) != NULL) {
		if (entry->d_name[0] != '.')
			status = visit(fd, entry->d_name, arg);
	}
	(void)closedir(folder);
	return status;
}

static enum az_status
visit_bus(int devices, const char *name, void *arg)
{
	return is_bus(name) ? close_bus(devices, name, arg) : AZ_OK;
}

enum az_status
sysfs_close_ports(int root_fd, struct az_err *reterr)
{
	enum az_status status = each_device(root_fd, visit_bus, reterr, reterr);

	return status == AZ_OK ? close_cards(root_fd, reterr) : status;
}

/* --- interfaces ------------------------------------------------------------------------------- */

static void
read_device(int device, struct usb_interface *interface)
{
	char maker[64], product[64];

	(void)read_text(device, "idVendor", interface->vendor, sizeof(interface->vendor));
	(void)read_text(device, "idProduct", interface->product, sizeof(interface->product));
	(void)read_text(device, "serial", interface->serial, sizeof(interface->serial));
	(void)read_text(device, "manufacturer", maker, sizeof(maker));
	(void)read_text(device, "product", product, sizeof(product));
	(void)snprintf(interface->label, sizeof(interface->label), "%s%s%s", maker,
	    maker[0] != '\0' && product[0] != '\0' ? " " : "", product);
}

/* The device is the folder that the interface's is in, which the path says also where it is a link. */
static int
open_device(int root_fd, const char *path)
{
	char device[UEVENT_PATH_MAX];
	const char *slash = strrchr(path, '/');

	if (slash == NULL || (size_t)(slash - path) >= sizeof(device))
		return -1;
	memcpy(device, path, (size_t)(slash - path));
	device[slash - path] = '\0';
	/* In the folder of all devices the interface is a link; its device stands beside it, before the ':'. */
	if (strcmp(device, DEVICES) == 0)
		(void)snprintf(device, sizeof(device), "%.*s", (int)strcspn(path, ":"), path);
	return openat(root_fd, device, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

enum az_status
sysfs_interface(
    int root_fd, const char *path, struct usb_interface *ret_interface, struct az_err *reterr)
{
	struct usb_interface interface = {0};
	const char *slash = strrchr(path, '/');
	char authorized[4];
	int fd = openat(root_fd, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int device = fd >= 0 ? open_device(root_fd, path) : -1;
	bool found = fd >= 0 && read_hex(fd, "bInterfaceClass", &interface.interface_class) &&
	    read_hex(fd, "bInterfaceSubClass", &interface.subclass) &&
	    read_hex(fd, "bInterfaceProtocol", &interface.protocol) &&
	    read_text(fd, "authorized", authorized, sizeof(authorized));

	if (found && device >= 0)
		read_device(device, &interface);
	fd_close(&fd);
	fd_close(&device);
	if (!found)
		return az_fail(reterr, AZ_NOT_FOUND, "there is no such interface any more");
	interface.authorized = strcmp(authorized, "0") != 0;
	(void)snprintf(
	    interface.name, sizeof(interface.name), "%s", slash != NULL ? slash + 1 : path);
	*ret_interface = interface;
	return AZ_OK;
}

enum az_status
sysfs_authorize(int root_fd, const char *path, const struct usb_interface *interface,
    enum guard_verdict verdict, struct az_err *reterr)
{
	char switch_path[UEVENT_PATH_MAX + 16];
	int reason;

	(void)snprintf(switch_path, sizeof(switch_path), "%s/authorized", path);
	reason = write_text(root_fd, switch_path, verdict != GUARD_REFUSE ? "1" : "0");
	/* What was authorized late has not been offered to any driver. It may be that none wants it. */
	if (reason == 0 && verdict != GUARD_REFUSE)
		(void)write_text(root_fd, "bus/usb/drivers_probe", interface->name);
	if (reason == ENOENT || reason == ENODEV)
		return az_fail(reterr, AZ_NOT_FOUND, "%s has gone", interface->name);
	return reason == 0 ? AZ_OK : az_fail_errno(reterr, AZ_IO, reason, "%s", interface->name);
}

struct visit {
	void (*each)(void *arg, const char *path);
	void *arg;
};

static enum az_status
visit_interface(int devices, const char *name, void *arg)
{
	struct visit *visit = arg;
	char path[UEVENT_PATH_MAX];

	/* "1-1:1.0": devices have no ':'. */
	if (strchr(name, ':') != NULL &&
	    (size_t)snprintf(path, sizeof(path), DEVICES "/%s", name) < sizeof(path))
		visit->each(visit->arg, path);
	return AZ_OK;
}

enum az_status
sysfs_each_interface(
    int root_fd, void (*each)(void *arg, const char *path), void *arg, struct az_err *reterr)
{
	struct visit visit = {.each = each, .arg = arg};

	return each_device(root_fd, visit_interface, &visit, reterr);
}
