/*
 * The guard's life.
 *
 *	listen to the kernel ─► close the ports ─► judge what is there ─► shut in ─► judge what comes
 *
 * The order matters: what comes while what is there is judged has been announced and waits in the socket, and is closed
 * by default. If the kernel has more to tell than the socket holds, everything is judged anew. Judging twice is
 * harmless; telling twice is avoided by telling of changes only.
 */
#include "guard/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/proc.h"
#include "guard/hold.h"

#define MESSAGE_MAX 8192u
#define SOCKET_ROOM (8 * 1024 * 1024)
#define TOLD_MAX    256u /* refused interfaces that are remembered */

struct guard {
	int root_fd;
	int socket_fd;
	const struct guard_report *report;
	char told[TOLD_MAX][64]; /* names of refused interfaces, oldest overwritten */
	size_t told_count;
};

/* --- judging ---------------------------------------------------------------------------------- */

static bool
was_told(const struct guard *guard, const char *name)
{
	for (size_t i = 0; i < TOLD_MAX; i++) {
		if (strcmp(guard->told[i], name) == 0)
			return true;
	}
	return false;
}

/* fresh: the kernel has just announced it, so whatever was told of that name was another one. */
static void
judge(struct guard *guard, const char *path, bool fresh)
{
	struct usb_interface interface;
	enum guard_verdict verdict;
	uint32_t grant = 0;
	bool change;

	if (sysfs_interface(guard->root_fd, path, &interface, NULL) != AZ_OK)
		return; /* gone again */
	verdict = guard_decide(&interface, guard->report->grants, clock_now_us(), &grant);
	change = interface.authorized != (verdict != GUARD_REFUSE);
	/* Closed by default needs no closing; a failure to open leaves it closed. */
	if (change)
		az_ignore(sysfs_authorize(guard->root_fd, path, &interface, verdict, NULL));
	if (!change && verdict != GUARD_REFUSE && !fresh)
		return;
	if (verdict == GUARD_REFUSE) {
		if (!fresh && !change && was_told(guard, interface.name))
			return;
		(void)snprintf(guard->told[guard->told_count++ % TOLD_MAX], sizeof(guard->told[0]),
		    "%s", interface.name);
	}
	guard->report->decided(guard->report->arg, &interface, verdict, grant);
}

static void
judge_present(void *arg, const char *path)
{
	judge(arg, path, false);
}

static enum az_status
judge_all(struct guard *guard, struct az_err *reterr)
{
	enum az_status status = sysfs_close_ports(guard->root_fd, reterr);

	if (status == AZ_OK)
		status = sysfs_each_interface(guard->root_fd, judge_present, guard, reterr);
	return status;
}

/* --- granted disks ---------------------------------------------------------------------------- */

/* True of a disk of USB: it is read-only from now on, or gone. */
static bool
take_granted_disk(struct guard *guard, const char *path)
{
	char where[UEVENT_PATH_MAX];
	struct usb_interface interface;
	struct az_err err = {0};
	const char *name = strrchr(path, '/') + 1;
	enum guard_verdict verdict;
	uint32_t grant = 0;

	if (guard->report->dev_fd < 0 || !disk_interface(path, where) ||
	    sysfs_interface(guard->root_fd, where, &interface, NULL) != AZ_OK)
		return false;
	verdict = guard_decide(&interface, guard->report->grants, clock_now_us(), &grant);
	if ((verdict == GUARD_READ || (verdict == GUARD_WRITE && guard->report->hold != NULL)) &&
	    disk_make_read_only(guard->report->dev_fd, name, &err) == AZ_OK) {
		if (verdict == GUARD_WRITE)
			hold_take(guard->report->hold, name);
		return true;
	}
	/* Whatever it is: no disk of USB stays that can be written. */
	az_ignore(sysfs_authorize(guard->root_fd, where, &interface, GUARD_REFUSE, NULL));
	guard->report->decided(guard->report->arg, &interface, GUARD_REFUSE, 0);
	return true;
}

/* Until a grant ends; -1: none does. */
static int
until_grant_ends(const struct guard *guard)
{
	const struct guard_grants *grants = guard->report->grants;
	int64_t now = clock_now_us();
	int64_t least = -1;

	for (size_t i = 0; grants != NULL && i < grants->count; i++) {
		int64_t left = grants->items[i].until_us - now;

		if (left > 0 && (least < 0 || left < least))
			least = left;
	}
	/* The clock may jump: an hour is long enough not to look. */
	return least < 0 ? -1 : least > 3600 * AZ_US_PER_S ? 3600 * 1000 : (int)(least / 1000) + 1;
}

/* --- the kernel's messages -------------------------------------------------------------------- */

static enum az_status
listen_to_kernel(struct guard *guard, struct az_err *reterr)
{
	struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = 1};
	int room = SOCKET_ROOM;
	int fd =
	    socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_KOBJECT_UEVENT);

	if (fd < 0)
		return az_fail_errno(reterr, AZ_IO, errno, "listen to the kernel");
	/* Needs a privilege; without it the usual room must do. */
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
	if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) != 0) {
		int reason = errno;

		fd_close(&fd);
		return az_fail_errno(reterr, AZ_IO, reason, "listen to the kernel");
	}
	guard->socket_fd = fd;
	return AZ_OK;
}

static enum az_status
handle(struct guard *guard, const struct uevent *event, struct az_err *reterr)
{
	switch (event->kind) {
	case UEVENT_INTERFACE: judge(guard, event->path + 1, true); return AZ_OK;
	/* A controller has come, and perhaps something in it before its ports were closed. */
	case UEVENT_BUS: return judge_all(guard, reterr);
	case UEVENT_BLOCK:
		if (take_granted_disk(guard, event->path))
			return AZ_OK;
		/* Made by the kernel itself: memory, loops, mappings. */
		if (strncmp(event->path, "/devices/virtual/", 17) != 0)
			guard->report->disk(guard->report->arg, event->path);
		return AZ_OK;
	case UEVENT_OTHER: return AZ_OK;
	}
	return AZ_OK;
}

/* Takes all messages that wait. */
static enum az_status
take_messages(struct guard *guard, struct az_err *reterr)
{
	for (;;) {
		uint8_t message[MESSAGE_MAX];
		struct sockaddr_nl sender = {0};
		struct iovec part = {.iov_base = message, .iov_len = sizeof(message)};
		struct msghdr header = {.msg_name = &sender,
		    .msg_namelen = sizeof(sender),
		    .msg_iov = &part,
		    .msg_iovlen = 1};
		struct uevent event;
		ssize_t size = recvmsg(guard->socket_fd, &header, MSG_DONTWAIT);
		enum az_status status = AZ_OK;

		if (size < 0 && errno == EINTR)
			continue;
		if (size < 0 && errno == EAGAIN)
			return AZ_OK;
		/* More came than there was room for. */
		if (size < 0 && errno == ENOBUFS)
			status = judge_all(guard, reterr);
		else if (size < 0)
			return az_fail_errno(reterr, AZ_IO, errno, "the kernel's messages");
		/* Only the kernel has the port 0. */
		else if (sender.nl_pid == 0 && (header.msg_flags & MSG_TRUNC) == 0 &&
		    uevent_parse(bytes_make(message, (size_t)size), &event) == AZ_OK)
			status = handle(guard, &event, reterr);
		if (status != AZ_OK)
			return status;
	}
}

/* True once for each change. */
static bool
grants_have_changed(struct guard *guard)
{
	struct guard_grants *grants = guard->report->grants;
	bool changed = grants != NULL && grants->changed;

	if (changed)
		grants->changed = false;
	return changed;
}

/* --- life ------------------------------------------------------------------------------------- */

static enum az_status
watch(struct guard *guard, int stop_fd, struct az_err *reterr)
{
	for (;;) {
		/* A descriptor below zero is passed over. */
		struct pollfd polls[] = {{.fd = guard->socket_fd, .events = POLLIN},
		    {.fd = stop_fd, .events = POLLIN}, {.fd = guard->report->fd, .events = POLLIN},
		    {.fd = hold_fd(guard->report->hold), .events = POLLIN}};
		enum az_status status;

		int ready = poll(polls, AZ_ARRAY_SIZE(polls), until_grant_ends(guard));

		if (ready < 0 && errno != EINTR)
			return az_fail_errno(reterr, AZ_IO, errno, "wait for the kernel");
		if (polls[1].revents != 0)
			return AZ_OK;
		status = take_messages(guard, reterr);
		if (status == AZ_OK && polls[2].revents != 0)
			status = guard->report->readable(guard->report->arg, reterr);
		if (status == AZ_OK && polls[3].revents != 0)
			status = hold_hear(guard->report->hold, reterr);
		if (status == AZ_OK && (ready == 0 || grants_have_changed(guard)))
			status = judge_all(guard, reterr);
		if (status != AZ_OK)
			return status;
	}
}

static enum az_status
shut_in(const struct guard *guard, struct az_err *reterr)
{
	const struct guard_report *report = guard->report;
	int writable[2] = {guard->root_fd, report->writable_fd};
	int readable[1] = {report->readable_fd};
	struct sandbox sandbox = {.profile = SANDBOX_GUARD,
	    .writable_dirs = writable,
	    .writable_count = report->writable_fd >= 0 ? 2 : 1,
	    .readable_dirs = readable,
	    .readable_count = report->readable_fd >= 0 ? 1 : 0,
	    .device_dirs = &report->dev_fd,
	    .device_count = report->dev_fd >= 0 ? 1 : 0};

	return sandbox_enter(&sandbox, reterr);
}

enum az_status
guard_run(int root_fd, int stop_fd, const struct guard_report *report, struct az_err *reterr)
{
	static struct guard guard;
	enum az_status status;

	guard = (struct guard){.root_fd = root_fd, .socket_fd = -1, .report = report};
	status = listen_to_kernel(&guard, reterr);
	if (status == AZ_OK)
		status = judge_all(&guard, reterr);
	if (status == AZ_OK)
		status = shut_in(&guard, reterr);
	if (status == AZ_OK)
		status = watch(&guard, stop_fd, reterr);
	fd_close(&guard.socket_fd);
	return status;
}
