/*
 * A disk that may be read and not written.
 *
 * The kernel makes the disk's node for root alone and announces it to us and to others at the same time. Whoever mounts it does so
 * for writing only before the switch is set; so it is set while we have the disk for ourselves, which nobody can have who has
 * mounted it, and which keeps others from mounting it meanwhile. From then on no mount writes, whatever it asks for.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/file.h"
#include "guard/guard.h"

enum az_status
disk_make_read_only(int dev_fd, const char *name, struct az_err *reterr)
{
	int fd = openat(dev_fd, name, O_RDONLY | O_EXCL | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	int on = 1;
	int is_on = 0;
	enum az_status status = AZ_OK;

	if (fd < 0)
		return az_fail_errno(
		    reterr, errno == EBUSY ? AZ_BUSY : AZ_IO, errno, "the disk %s", name);
	if (ioctl(fd, BLKROSET, &on) != 0)
		status =
		    az_fail_errno(reterr, errno == EACCES || errno == EPERM ? AZ_DENIED : AZ_IO,
			errno, "the disk %s: read-only", name);
	else if (ioctl(fd, BLKROGET, &is_on) != 0 || is_on == 0)
		status = az_fail(reterr, AZ_IO, "the disk %s does not become read-only", name);
	fd_close(&fd);
	return status;
}

/* Up to and with the last part that has a ':' and is one. */
bool
disk_interface(const char *path, char ret_interface[UEVENT_PATH_MAX])
{
	const char *found = NULL;

	for (const char *part = path; (part = strchr(part, '/')) != NULL; part++) {
		const char *end = strchr(part + 1, '/');
		const char *colon = strchr(part + 1, ':');

		/* "2-4:1.0", and not "2:0:0:0" or "0000:00:04.0". */
		if (end != NULL && colon != NULL && colon < end &&
		    memchr(part + 1, '-', (size_t)(colon - part - 1)) != NULL)
			found = end;
	}
	if (found == NULL)
		return false;
	(void)snprintf(ret_interface, UEVENT_PATH_MAX, "%.*s", (int)(found - path - 1), path + 1);
	return true;
}
