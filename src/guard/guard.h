/*
 * The endpoint guard: what is plugged into this machine, and whether it may work.
 *
 * Promises  an interface that is not known to be harmless is never bound to a driver, not for a moment: the kernel is told
 *           to authorize none by itself, and goes on so when the guard is killed. What was plugged in before is judged
 *           at start. Keyboards, mice, headsets and hubs work.
 * Not       whoever is root can undo it; a USB controller that is itself plugged in (a dock's) has a moment between its
 *           arrival and the guard's hearing of it.
 * Threads   one.
 */
#ifndef AZ_GUARD_H
#define AZ_GUARD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"
#include "proto/endpoint.h"

struct hold;

/* --- what the kernel tells -------------------------------------------------------------------- */

#define UEVENT_PATH_MAX 512u

enum uevent_kind {
	UEVENT_OTHER = 0,
	UEVENT_INTERFACE, /* of a USB device, added */
	UEVENT_BUS,       /* a USB root hub, added: a controller has come */
	UEVENT_BLOCK,     /* a whole disk, added */
};

/* path: below /sys, with its '/'. */
struct uevent {
	enum uevent_kind kind;
	char path[UEVENT_PATH_MAX];
};

/* Reads one message of the kernel. AZ_INVALID: it is none. */
AZ_CHECKED enum az_status uevent_parse(struct bytes message, struct uevent *ret_event);

/* --- the decision ----------------------------------------------------------------------------- */

enum guard_verdict {
	GUARD_REFUSE = 0,
	GUARD_ALLOW = 1,
	GUARD_READ = 2,  /* by a grant: a disk that is made read-only first */
	GUARD_WRITE = 3, /* the same, and held: only azukari-guard put writes to it */
};

/* USB interface classes (usb.org, "Defined Class Codes"). */
enum usb_class {
	USB_CLASS_AUDIO = 0x01,
	USB_CLASS_HID = 0x03,
	USB_CLASS_IMAGE = 0x06,
	USB_CLASS_STORAGE = 0x08,
	USB_CLASS_HUB = 0x09,
	USB_CLASS_SMART_CARD = 0x0b,
	USB_CLASS_VENDOR = 0xff,
};

/* One interface and the device it belongs to. Texts are the device's own, made fit to print. */
struct usb_interface {
	char name[64]; /* "1-1:1.0" */
	uint8_t interface_class, subclass, protocol;
	bool authorized;
	char vendor[5], product[5]; /* four hexadecimal digits, or "" */
	char serial[129];
	char label[129]; /* manufacturer and product */
};

/* What the house lets in here; as it said last. */
struct guard_grants {
	struct endpoint_grant items[ENDPOINT_GRANTS_MAX];
	size_t count;
	bool changed; /* since the guard looked */
};

/*
 * Only classes that carry no data away are allowed: audio, HID, hubs, smart cards. All others, known or not, are refused:
 * mass storage, still image (PTP, MTP), vendor's own, network, serial, printers. A grant that holds now lets the mass storage
 * of one device be read, or be written by the guard; *ret_grant is its number, else 0. grants may be NULL.
 */
enum guard_verdict guard_decide(const struct usb_interface *interface,
    const struct guard_grants *grants, int64_t now_us, uint32_t *ret_grant);

/* "mass storage", "still image", …; "class 0a" for others, written to text[16]. */
const char *usb_class_name(uint8_t interface_class, char text[16]);

/* --- sysfs ------------------------------------------------------------------------------------ */

/* All of these act below root_fd, an open folder that is /sys (tests give another). */

/* Tells every USB controller to authorize no interface by itself, and other buses of media to bind none. AZ_IO. */
AZ_CHECKED enum az_status sysfs_close_ports(int root_fd, struct az_err *reterr);

/* Reads the interface at path (below root_fd). AZ_NOT_FOUND: it has gone, or is none. */
AZ_CHECKED enum az_status sysfs_interface(
    int root_fd, const char *path, struct usb_interface *ret_interface, struct az_err *reterr);

/* Lets the interface work, or stops it. AZ_NOT_FOUND: it has gone. AZ_IO. */
AZ_CHECKED enum az_status sysfs_authorize(int root_fd, const char *path,
    const struct usb_interface *interface, enum guard_verdict verdict, struct az_err *reterr);

/*
 * Makes a whole disk read-only, its partitions with it, before anything may use it; dev_fd is /dev, name below it. AZ_BUSY: something
 * uses it already. AZ_DENIED, AZ_IO: it cannot be made so. Then the caller must take it away.
 */
AZ_CHECKED enum az_status disk_make_read_only(int dev_fd, const char *name, struct az_err *reterr);

/* The path of the USB interface that a disk hangs on, below /sys; path: the disk's, with its '/'. False: none. */
bool disk_interface(const char *path, char ret_interface[UEVENT_PATH_MAX]);

/* Calls each(arg, path) for every interface there is, the path below root_fd. AZ_IO. */
AZ_CHECKED enum az_status sysfs_each_interface(
    int root_fd, void (*each)(void *arg, const char *path), void *arg, struct az_err *reterr);

/* --- the guard -------------------------------------------------------------------------------- */

/* Whom the guard tells of what it decided; arrives once for each interface that comes. */
struct guard_report {
	/* grant: by which it was let in, or 0 */
	void (*decided)(void *arg, const struct usb_interface *interface,
	    enum guard_verdict verdict, uint32_t grant);
	void (*disk)(void *arg, const char *path); /* a disk has come by another way */
	/* A descriptor that is watched too, or -1; an error ends the guard. */
	int fd;
	enum az_status (*readable)(void *arg, struct az_err *reterr);
	void *arg;
	/* Folders that it may change or read once it is shut in, beside root_fd. */
	int writable_fd, readable_fd; /* or -1 */
	int dev_fd;                   /* /dev, for grants; or -1: then none is taken */
	struct guard_grants *grants;  /* changed by readable; NULL: none */
	struct hold *hold;            /* for disks that the guard alone may write; NULL: none do */
};

/*
 * Closes the ports, judges what is there, shuts itself in and judges what comes, until stop_fd is readable. On any failure
 * the ports stay closed.
 */
AZ_CHECKED enum az_status guard_run(
    int root_fd, int stop_fd, const struct guard_report *report, struct az_err *reterr);

#endif
