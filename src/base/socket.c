/*
 * An address has room for 107 bytes of path, and a house may lie deeper: names are reached below the
 * descriptor of their folder.
 *
 *	bind NAME.new ─► chmod ─► listen ─► rename to NAME
 *
 * A name that is bound and does not listen yet refuses who connects as one that was left behind does.
 */
#include "base/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/file.h"

#define NEW_SUFFIX ".new"

static enum az_status
address_of(int dirfd, const char *path, const char *suffix, struct sockaddr_un *ret_address,
    struct az_err *reterr)
{
	int length;

	*ret_address = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (dirfd == AT_FDCWD)
		length = snprintf(
		    ret_address->sun_path, sizeof(ret_address->sun_path), "%s%s", path, suffix);
	else
		length = snprintf(ret_address->sun_path, sizeof(ret_address->sun_path),
		    "/proc/self/fd/%d/%s%s", dirfd, path, suffix);
	if (length < 0 || (size_t)length >= sizeof(ret_address->sun_path))
		return az_fail_errno(reterr, AZ_IO, ENAMETOOLONG, "%s", path);
	return AZ_OK;
}

enum az_status
socket_listen(int dirfd, const char *name, int backlog, int *ret_fd, struct az_err *reterr)
{
	struct sockaddr_un fresh;
	struct sockaddr_un address;
	int fd = -1;

	if (address_of(dirfd, name, NEW_SUFFIX, &fresh, reterr) != AZ_OK ||
	    address_of(dirfd, name, "", &address, reterr) != AZ_OK)
		return AZ_IO;
	(void)unlink(fresh.sun_path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || bind(fd, (const struct sockaddr *)&fresh, sizeof(fresh)) != 0 ||
	    chmod(fresh.sun_path, 0666) != 0 || listen(fd, backlog) != 0 ||
	    rename(fresh.sun_path, address.sun_path) != 0) {
		int reason = errno;

		fd_close(&fd);
		return az_fail_errno(reterr, AZ_IO, reason, "%s", name);
	}
	*ret_fd = fd;
	return AZ_OK;
}

enum az_status
socket_connect(int dirfd, const char *path, const char *absent, int *ret_fd, struct az_err *reterr)
{
	struct sockaddr_un address;
	int fd;

	if (address_of(dirfd, path, "", &address, reterr) != AZ_OK)
		return AZ_IO;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return az_fail_errno(reterr, AZ_IO, errno, "socket");
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) != 0) {
		int reason = errno;

		fd_close(&fd);
		return az_fail_errno(reterr, AZ_GONE, reason, "%s", absent);
	}
	*ret_fd = fd;
	return AZ_OK;
}
