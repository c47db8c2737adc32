/*
 * A disk is held by having it open for oneself (O_EXCL), which the kernel gives to one at a time, mounts included.
 */
#include "guard/hold.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

#define DISKS_MAX 16u

struct held {
	char name[32]; /* "": none */
	int fd;        /* -1: let go, or not to be had */
};

struct hold {
	int dirfd, dev_fd; /* the caller's */
	int pipe_fd;
	bool let_go;
	struct held disks[DISKS_MAX];
};

static enum az_status
open_pipe(struct hold *hold, struct az_err *reterr)
{
	fd_close(&hold->pipe_fd);
	hold->pipe_fd =
	    openat(hold->dirfd, HOLD_PIPE, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
	return hold->pipe_fd < 0 ? az_fail_errno(reterr, AZ_IO, errno, "the guard's pipe") : AZ_OK;
}

enum az_status
hold_open(int dirfd, int dev_fd, struct hold **ret_hold, struct az_err *reterr)
{
	struct hold *hold = calloc(1, sizeof(*hold));
	struct stat info;
	enum az_status status;

	if (hold == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "out of memory");
	*hold = (struct hold){.dirfd = dirfd, .dev_fd = dev_fd, .pipe_fd = -1};
	for (size_t i = 0; i < DISKS_MAX; i++)
		hold->disks[i].fd = -1;
	if (mkfifoat(dirfd, HOLD_PIPE, 0600) != 0 && errno != EEXIST)
		status = az_fail_errno(reterr, AZ_IO, errno, "the guard's pipe");
	else
		status = open_pipe(hold, reterr);
	if (status == AZ_OK && (fstat(hold->pipe_fd, &info) != 0 || !S_ISFIFO(info.st_mode)))
		status = az_fail(reterr, AZ_IO, "the guard's pipe: it is something else");
	if (status == AZ_OK)
		*ret_hold = hold;
	else
		hold_close(&hold);
	return status;
}

void
hold_close(struct hold **hold)
{
	if (*hold == NULL)
		return;
	for (size_t i = 0; i < DISKS_MAX; i++)
		fd_close(&(*hold)->disks[i].fd);
	fd_close(&(*hold)->pipe_fd);
	free(*hold);
	*hold = NULL;
}

static void
grasp(const struct hold *hold, struct held *disk)
{
	if (disk->fd < 0)
		disk->fd = openat(hold->dev_fd, disk->name,
		    O_RDONLY | O_EXCL | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
}

/* Forgets those that have gone, so that their names can come again. */
static void
prune(struct hold *hold)
{
	struct stat info;

	for (size_t i = 0; i < DISKS_MAX; i++) {
		struct held *disk = &hold->disks[i];

		if (disk->name[0] == '\0' ||
		    fstatat(hold->dev_fd, disk->name, &info, AT_SYMLINK_NOFOLLOW) == 0)
			continue;
		fd_close(&disk->fd);
		disk->name[0] = '\0';
	}
}

void
hold_take(struct hold *hold, const char *name)
{
	struct held *disk = NULL;

	prune(hold);
	for (size_t i = 0; i < DISKS_MAX && disk == NULL; i++) {
		if (hold->disks[i].name[0] == '\0' || strcmp(hold->disks[i].name, name) == 0)
			disk = &hold->disks[i];
	}
	if (disk == NULL || strlen(name) >= sizeof(disk->name))
		return;
	(void)snprintf(disk->name, sizeof(disk->name), "%s", name);
	if (!hold->let_go)
		grasp(hold, disk);
}

int
hold_fd(const struct hold *hold)
{
	return hold != NULL ? hold->pipe_fd : -1;
}

enum az_status
hold_hear(struct hold *hold, struct az_err *reterr)
{
	uint8_t byte;
	ssize_t size = read(hold->pipe_fd, &byte, 1);

	if (size < 0)
		return errno == EAGAIN || errno == EINTR
		    ? AZ_OK
		    : az_fail_errno(reterr, AZ_IO, errno, "the guard's pipe");
	hold->let_go = size > 0;
	prune(hold);
	for (size_t i = 0; i < DISKS_MAX; i++) {
		if (hold->let_go)
			fd_close(&hold->disks[i].fd);
		else if (hold->disks[i].name[0] != '\0')
			grasp(hold, &hold->disks[i]);
	}
	/* After its end a pipe says nothing but its end. */
	return size == 0 ? open_pipe(hold, reterr) : AZ_OK;
}
