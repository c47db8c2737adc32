/*
 * The disk is read-only for everybody (disk.c) but for the moment in which we mount it; the mount goes on being writable after that.
 *
 *	mounts of our own ─► switch off ─► mount ─► switch on ─► write, flush ─► unmount ─► mount, reading ─► compare ─► unmount
 */
#include "guard/stick.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"

#define DEVICE_MAX  64u
#define PATIENCE_US (5 * AZ_US_PER_S) /* until the guard has let go */
#define FLAGS       (MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME)

/* --- finding it ------------------------------------------------------------------------------- */

/* Where a link in sysfs leads to, below /sys, with its '/'. */
static bool
path_of_disk(int block_fd, const char *name, char path[UEVENT_PATH_MAX])
{
	char target[UEVENT_PATH_MAX];
	ssize_t size = readlinkat(block_fd, name, target, sizeof(target) - 1);
	const char *below;

	if (size <= 0 || (size_t)size >= sizeof(target) - 1)
		return false;
	target[size] = '\0';
	below = strstr(target, "/devices/");
	if (below == NULL)
		return false;
	(void)snprintf(path, UEVENT_PATH_MAX, "%s", below);
	return true;
}

/* Whether it may be written; then by which grant. */
static bool
is_writable(int sys_fd, int block_fd, const char *name, const struct guard_grants *grants,
    uint32_t *ret_grant)
{
	char path[UEVENT_PATH_MAX];
	char where[UEVENT_PATH_MAX];
	struct usb_interface interface;

	return path_of_disk(block_fd, name, path) && disk_interface(path, where) &&
	    sysfs_interface(sys_fd, where, &interface, NULL) == AZ_OK &&
	    guard_decide(&interface, grants, clock_now_us(), ret_grant) == GUARD_WRITE;
}

/* The partition of a disk, or the disk; AZ_SEVERAL. */
static enum az_status
find_part(int block_fd, struct stick *stick, struct az_err *reterr)
{
	int fd = openat(block_fd, stick->disk, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *folder = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *item;
	unsigned int count = 0;

	if (folder == NULL) {
		fd_close(&fd);
		return az_fail_errno(reterr, AZ_NOT_FOUND, errno, "the disk %s", stick->disk);
	}
	(void)snprintf(stick->part, sizeof(stick->part), "%s", stick->disk);
	while ((item = readdir(folder)) != NULL) {
		if (strncmp(item->d_name, stick->disk, strlen(stick->disk)) != 0 ||
		    strlen(item->d_name) >= sizeof(stick->part))
			continue;
		(void)snprintf(stick->part, sizeof(stick->part), "%.47s", item->d_name);
		count++;
	}
	(void)closedir(folder);
	return count > 1
	    ? az_fail(reterr, AZ_SEVERAL, "the disk %s has more than one partition", stick->disk)
	    : AZ_OK;
}

enum az_status
stick_find(
    int sys_fd, const struct guard_grants *grants, struct stick *ret_stick, struct az_err *reterr)
{
	int block_fd = openat(sys_fd, "block", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int list_fd = block_fd < 0 ? -1 : openat(block_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *folder = list_fd < 0 ? NULL : fdopendir(list_fd);
	struct stick stick = {0};
	const struct dirent *item;
	unsigned int count = 0;
	uint32_t grant = 0;
	enum az_status status = AZ_OK;

	if (folder == NULL) {
		fd_close(&list_fd);
		fd_close(&block_fd);
		return az_fail_errno(reterr, AZ_IO, errno, "the disks of this machine");
	}
	while ((item = readdir(folder)) != NULL) {
		if (strlen(item->d_name) >= sizeof(stick.disk) ||
		    !is_writable(sys_fd, block_fd, item->d_name, grants, &grant))
			continue;
		(void)snprintf(stick.disk, sizeof(stick.disk), "%.31s", item->d_name);
		stick.grant = grant;
		count++;
	}
	if (count == 0)
		status = az_fail(reterr, AZ_NOT_FOUND,
		    "no memory is plugged in that may be written here: azukari grant add --write");
	else if (count > 1)
		status = az_fail(
		    reterr, AZ_SEVERAL, "more than one memory that may be written is plugged in");
	else
		status = find_part(block_fd, &stick, reterr);
	(void)closedir(folder);
	fd_close(&block_fd);
	if (status == AZ_OK)
		*ret_stick = stick;
	return status;
}

/* --- mounting --------------------------------------------------------------------------------- */

/* Mounts of this process's own, which nobody else sees, and in which nothing of others' comes. */
static enum az_status
part_company(const char *where, struct az_err *reterr)
{
	if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
		return az_fail_errno(reterr, errno == EPERM ? AZ_DENIED : AZ_IO, errno,
		    "mounts that nobody else sees");
	if (mkdir(where, 0700) != 0 && errno != EEXIST)
		return az_fail_errno(reterr, AZ_IO, errno, "%s", where);
	return AZ_OK;
}

static bool
set_read_only(const char *disk, int on)
{
	char path[DEVICE_MAX];
	int fd;
	bool done;

	(void)snprintf(path, sizeof(path), "/dev/%s", disk);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	done = fd >= 0 && ioctl(fd, BLKROSET, &on) == 0;
	fd_close(&fd);
	return done;
}

/* 0, or an errno: EBUSY if it is in use, EINVAL if no kind fits. */
static int
mount_any(const char *device, const char *where, unsigned long flags)
{
	static const char *const kinds[] = {"vfat", "exfat", "ext4"};
	int reason = EINVAL;

	for (size_t i = 0; i < AZ_ARRAY_SIZE(kinds); i++) {
		if (mount(device, where, kinds[i], flags, NULL) == 0)
			return 0;
		if (errno == EBUSY)
			return EBUSY;
		if (errno != ENODEV && errno != EINVAL)
			reason = errno;
	}
	return reason;
}

static enum az_status
mount_stick(const struct stick *stick, const char *where, bool writable, struct az_err *reterr)
{
	char device[DEVICE_MAX];
	int64_t until = clock_monotonic_us() + PATIENCE_US;
	int reason;

	(void)snprintf(device, sizeof(device), "/dev/%s", stick->part);
	do {
		struct timespec moment = {.tv_nsec = 100000000};

		if (writable && !set_read_only(stick->disk, 0))
			return az_fail_errno(reterr, AZ_IO, errno, "the disk %s", stick->disk);
		reason = mount_any(device, where, FLAGS | (writable ? 0 : MS_RDONLY));
		if (writable && !set_read_only(stick->disk, 1) && reason == 0) {
			(void)umount2(where, MNT_DETACH);
			return az_fail(
			    reterr, AZ_IO, "the disk %s does not become read-only", stick->disk);
		}
		if (reason == EBUSY)
			(void)nanosleep(&moment, NULL);
	} while (reason == EBUSY && clock_monotonic_us() < until);
	if (reason == 0)
		return AZ_OK;
	if (reason == EBUSY)
		return az_fail(reterr, AZ_BUSY, "the disk %s is in use", stick->disk);
	return az_fail_errno(reterr, reason == EINVAL ? AZ_INVALID : AZ_IO, reason,
	    "the disk %s: its file system", stick->disk);
}

/* --- the file --------------------------------------------------------------------------------- */

static enum az_status
write_file(int dirfd, const char *name, struct bytes bytes, struct az_err *reterr)
{
	int fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	enum az_status status;

	if (fd < 0 && errno == EEXIST)
		return az_fail(reterr, AZ_CONFLICT, "%s is there already", name);
	if (fd < 0)
		return az_fail_errno(reterr, AZ_IO, errno, "%s", name);
	status = file_write(fd, bytes, reterr);
	if (status == AZ_OK && (fsync(fd) != 0 || syncfs(fd) != 0))
		status = az_fail_errno(reterr, AZ_IO, errno, "%s: flush", name);
	fd_close(&fd);
	if (status != AZ_OK)
		(void)unlinkat(dirfd, name, 0);
	return status;
}

static enum az_status
compare_file(int dirfd, const char *name, struct bytes bytes, struct az_err *reterr)
{
	static uint8_t piece[64u * 1024u];
	struct stat info;
	int fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	enum az_status status = AZ_OK;

	if (fd < 0 || fstat(fd, &info) != 0 || info.st_size != (off_t)bytes.size)
		status = az_fail(reterr, AZ_CORRUPT, "%s did not get there whole", name);
	for (size_t at = 0; at < bytes.size && status == AZ_OK; at += sizeof(piece)) {
		size_t size = bytes.size - at < sizeof(piece) ? bytes.size - at : sizeof(piece);

		status = file_read_at(fd, piece, size, at, reterr);
		if (status == AZ_OK &&
		    !bytes_equal(bytes_make(piece, size), bytes_make(bytes.data + at, size)))
			status = az_fail(reterr, AZ_CORRUPT, "%s did not get there whole", name);
	}
	az_wipe(piece, sizeof(piece));
	fd_close(&fd);
	return status;
}

/* Does work with the folder of the mounted memory. */
static enum az_status
with_mount(const struct stick *stick, const char *where, bool writable,
    enum az_status (*work)(int dirfd, const char *name, struct bytes bytes, struct az_err *reterr),
    const char *name, struct bytes bytes, struct az_err *reterr)
{
	enum az_status status = mount_stick(stick, where, writable, reterr);
	int dirfd = -1;

	if (status != AZ_OK)
		return status;
	status = dir_open(AT_FDCWD, where, false, 0, &dirfd, reterr);
	if (status == AZ_OK)
		status = work(dirfd, name, bytes, reterr);
	fd_close(&dirfd);
	if (umount2(where, 0) != 0) {
		int reason = errno;

		(void)umount2(where, MNT_DETACH);
		if (status == AZ_OK)
			status = az_fail_errno(reterr, AZ_IO, reason, "unmount %s", stick->disk);
	}
	return status;
}

enum az_status
stick_write(const struct stick *stick, const char *where, const char *name, struct bytes bytes,
    struct az_err *reterr)
{
	enum az_status status = part_company(where, reterr);

	if (status == AZ_OK)
		status = with_mount(stick, where, true, write_file, name, bytes, reterr);
	if (status == AZ_OK)
		status = with_mount(stick, where, false, compare_file, name, bytes, reterr);
	return status;
}
