/*
 * Files that must survive.
 *
 * A file is written whole under a random name beside its place, flushed, and then renamed: the rename
 * is the one moment at which the new contents appear, and the flush of the folder makes that moment
 * durable. A new file goes the same way, with a rename that refuses to replace; so no reader ever
 * meets half a file, also after a crash. What a crash may leave behind is a file ".tmp-<16 digits>",
 * which nobody reads and which may be removed.
 *
 * Opens follow no symbolic link at the last component and never hand their descriptor to a child.
 */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/wire.h"

/* The kernel moves at most this much in a call. */
#define IO_CHUNK_MAX ((size_t)0x7ffff000)

#define TEMP_PREFIX ".tmp-"
#define TEMP_SIZE   (sizeof(TEMP_PREFIX) + 16)

void
fd_close(int *fd)
{
	/* On Linux the descriptor is gone even if close reports an error; EINTR must not be repeated. */
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

enum az_status
file_write(int fd, struct bytes bytes, struct az_err *reterr)
{
	while (bytes.size > 0) {
		size_t chunk = bytes.size < IO_CHUNK_MAX ? bytes.size : IO_CHUNK_MAX;
		ssize_t done = write(fd, bytes.data, chunk);
		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return az_fail_errno(reterr, AZ_IO, done < 0 ? errno : EIO, "write");
		bytes.data += done;
		bytes.size -= (size_t)done;
	}
	return AZ_OK;
}

/* False if a file cannot reach from offset over size bytes. */
static bool
offset_fits(uint64_t offset, size_t size)
{
	return offset <= INT64_MAX && size <= INT64_MAX - offset;
}

enum az_status
file_write_at(int fd, struct bytes bytes, uint64_t offset, struct az_err *reterr)
{
	if (!offset_fits(offset, bytes.size))
		return az_fail_errno(reterr, AZ_IO, EFBIG, "write");
	while (bytes.size > 0) {
		size_t chunk = bytes.size < IO_CHUNK_MAX ? bytes.size : IO_CHUNK_MAX;
		ssize_t done = pwrite(fd, bytes.data, chunk, (off_t)offset);
		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return az_fail_errno(reterr, AZ_IO, done < 0 ? errno : EIO, "write");
		bytes.data += done;
		bytes.size -= (size_t)done;
		offset += (uint64_t)done;
	}
	return AZ_OK;
}

enum az_status
file_read_at(int fd, void *data, size_t size, uint64_t offset, struct az_err *reterr)
{
	uint8_t *next = data;

	if (!offset_fits(offset, size))
		return az_fail_errno(reterr, AZ_IO, EFBIG, "read");
	while (size > 0) {
		size_t chunk = size < IO_CHUNK_MAX ? size : IO_CHUNK_MAX;
		ssize_t done = pread(fd, next, chunk, (off_t)offset);
		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return az_fail_errno(reterr, AZ_IO, errno, "read");
		if (done == 0)
			return az_fail(reterr, AZ_CORRUPT, "the file ends at byte %llu",
			    (unsigned long long)offset);
		next += done;
		size -= (size_t)done;
		offset += (uint64_t)done;
	}
	return AZ_OK;
}

/* Reads to the end of the file; one byte past the buffer's max is tried, so that max itself fits. */
static enum az_status
read_to_end(int fd, const char *name, struct buffer *buffer, struct az_err *reterr)
{
	for (;;) {
		uint8_t probe = 0;
		bool full = buffer->size == buffer->max;
		if (!full && buffer->size == buffer->room) {
			enum az_status status = buffer_reserve(buffer, 1);
			if (status != AZ_OK)
				return az_fail(reterr, status, "read %s", name);
		}
		ssize_t done = full
		    ? read(fd, &probe, 1)
		    : read(fd, buffer->data + buffer->size, buffer->room - buffer->size);
		az_wipe(&probe, 1);
		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return az_fail_errno(reterr, AZ_IO, errno, "read %s", name);
		if (done == 0)
			return AZ_OK;
		if (full)
			return az_fail(
			    reterr, AZ_LIMIT, "%s is larger than %zu bytes", name, buffer->max);
		buffer->size += (size_t)done;
	}
}

enum az_status
file_read_whole(int dirfd, const char *name, struct buffer *buffer, struct az_err *reterr)
{
	enum az_status status = AZ_INTERNAL;
	struct stat info = {0};

	buffer_clear(buffer);
	/* Without O_NONBLOCK a fifo in the file's place would hang us. */
	int fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0) {
		status = errno == ENOENT || errno == ENOTDIR ? AZ_NOT_FOUND : AZ_IO;
		status = az_fail_errno(reterr, status, errno, "open %s", name);
		goto out;
	}
	if (fstat(fd, &info) != 0) {
		status = az_fail_errno(reterr, AZ_IO, errno, "stat %s", name);
		goto out;
	}
	if (!S_ISREG(info.st_mode)) {
		status = az_fail(reterr, AZ_IO, "%s is not a file", name);
		goto out;
	}
	/* The size is a hint that saves copies; the file may change while it is read. */
	if (info.st_size > 0 && (uint64_t)info.st_size <= buffer->max) {
		status = buffer_reserve(buffer, (size_t)info.st_size);
		if (status != AZ_OK) {
			status = az_fail(reterr, status, "read %s", name);
			goto out;
		}
	}
	status = read_to_end(fd, name, buffer, reterr);
out:
	if (status != AZ_OK)
		buffer_clear(buffer);
	fd_close(&fd);
	return status;
}

/*
 * The folder that holds dirfd/name as a descriptor that can be flushed, and the name's last part.
 * *ret_owned is -1 if dirfd itself serves, else the caller closes it.
 */
static enum az_status
parent_open(int dirfd, const char *name, int *ret_dirfd, int *ret_owned, const char **ret_leaf,
    struct az_err *reterr)
{
	char folder[PATH_MAX] = ".";
	const char *slash = strrchr(name, '/');
	const char *leaf = slash ? slash + 1 : name;

	if (!slash && dirfd != AT_FDCWD) {
		*ret_dirfd = dirfd;
		*ret_owned = -1;
		*ret_leaf = leaf;
		return AZ_OK;
	}
	if (slash) {
		size_t size = slash == name ? 1 : (size_t)(slash - name);
		if (size >= sizeof(folder))
			return az_fail_errno(reterr, AZ_IO, ENAMETOOLONG, "open folder");
		memcpy(folder, name, size);
		folder[size] = '\0';
	}
	int fd = openat(dirfd, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return az_fail_errno(reterr, errno == ENOENT ? AZ_NOT_FOUND : AZ_IO, errno,
		    "open folder %s", folder);
	*ret_dirfd = fd;
	*ret_owned = fd;
	*ret_leaf = leaf;
	return AZ_OK;
}

static enum az_status
temp_name(char name[TEMP_SIZE], struct az_err *reterr)
{
	uint8_t random[8];

	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return az_fail_errno(reterr, AZ_IO, errno, "random name");
	memcpy(name, TEMP_PREFIX, sizeof(TEMP_PREFIX));
	hex_encode(bytes_make(random, sizeof(random)), name + sizeof(TEMP_PREFIX) - 1);
	return AZ_OK;
}

/* Puts bytes at dirfd/leaf by way of a temporary file; flags as of renameat2. */
static enum az_status
file_place(int dirfd, const char *leaf, struct bytes bytes, mode_t mode, unsigned flags,
    struct az_err *reterr)
{
	enum az_status status = AZ_INTERNAL;
	char temp[TEMP_SIZE] = "";
	int fd = -1;

	status = temp_name(temp, reterr);
	if (status != AZ_OK)
		goto out;
	fd = openat(dirfd, temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	if (fd < 0) {
		status = az_fail_errno(reterr, AZ_IO, errno, "create %s", leaf);
		goto out;
	}
	status = file_write(fd, bytes, reterr);
	if (status != AZ_OK)
		goto unlink;
	if (fsync(fd) != 0) {
		status = az_fail_errno(reterr, AZ_IO, errno, "flush %s", leaf);
		goto unlink;
	}
	if (renameat2(dirfd, temp, dirfd, leaf, flags) != 0) {
		status = errno == EEXIST ? AZ_CONFLICT : AZ_IO;
		status = az_fail_errno(reterr, status, errno, "create %s", leaf);
		goto unlink;
	}
	/* The name is there, but not for certain after a crash: to the caller that is a failure. */
	status = AZ_OK;
	if (fsync(dirfd) != 0)
		status = az_fail_errno(reterr, AZ_IO, errno, "flush the folder of %s", leaf);
	goto out;
unlink:
	(void)unlinkat(dirfd, temp, 0); /* the failure before it is the one to tell */
out:
	fd_close(&fd);
	return status;
}

static enum az_status
file_put(int dirfd, const char *name, struct bytes bytes, mode_t mode, unsigned flags,
    struct az_err *reterr)
{
	enum az_status status = AZ_INTERNAL;
	const char *leaf = NULL;
	int parent = -1;
	int owned = -1;

	status = parent_open(dirfd, name, &parent, &owned, &leaf, reterr);
	if (status != AZ_OK)
		return status;
	status = file_place(parent, leaf, bytes, mode, flags, reterr);
	fd_close(&owned);
	return status;
}

enum az_status
file_replace(int dirfd, const char *name, struct bytes bytes, mode_t mode, struct az_err *reterr)
{
	return file_put(dirfd, name, bytes, mode, 0, reterr);
}

enum az_status
file_create(int dirfd, const char *name, struct bytes bytes, mode_t mode, struct az_err *reterr)
{
	return file_put(dirfd, name, bytes, mode, RENAME_NOREPLACE, reterr);
}

/* Flushes the folder that holds the folder fd, which was opened as dirfd/name. */
static enum az_status
dir_flush_parent(int dirfd, const char *name, int fd, struct az_err *reterr)
{
	enum az_status status = AZ_OK;
	int owned = -1;
	int parent = dirfd;

	if (dirfd == AT_FDCWD || strchr(name, '/')) {
		owned = openat(fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		parent = owned;
	}
	if (parent < 0 || fsync(parent) != 0)
		status = az_fail_errno(reterr, AZ_IO, errno, "flush the folder of %s", name);
	fd_close(&owned);
	return status;
}

enum az_status
dir_open(int dirfd, const char *name, bool create, mode_t mode, int *ret_fd, struct az_err *reterr)
{
	enum az_status status = AZ_INTERNAL;
	/* A path from a person may be a link; inside a folder of ours a link would lead out of it. */
	int nofollow = dirfd == AT_FDCWD ? 0 : O_NOFOLLOW;
	bool created = create && mkdirat(dirfd, name, mode) == 0;

	if (create && !created && errno != EEXIST)
		return az_fail_errno(reterr, AZ_IO, errno, "create folder %s", name);
	int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | nofollow);
	if (fd < 0)
		return az_fail_errno(
		    reterr, errno == ENOENT ? AZ_NOT_FOUND : AZ_IO, errno, "open folder %s", name);
	if (created) {
		status = dir_flush_parent(dirfd, name, fd, reterr);
		if (status != AZ_OK) {
			fd_close(&fd);
			return status;
		}
	}
	*ret_fd = fd;
	return AZ_OK;
}

void
file_header_encode(const struct file_header *header, uint8_t data[FILE_HEADER_SIZE])
{
	memcpy(data, header->magic, sizeof(header->magic));
	wire_store_u32(data + 8, header->format);
	wire_store_u32(data + 12, 0);
	memcpy(data + 16, header->house, HOUSE_ID_SIZE);
}

enum az_status
file_header_check(const uint8_t data[FILE_HEADER_SIZE], const struct file_header *expected,
    const char *what, struct az_err *reterr)
{
	struct bytes magic = bytes_make(expected->magic, sizeof(expected->magic));
	struct bytes house = bytes_make(expected->house, HOUSE_ID_SIZE);

	if (!bytes_equal(bytes_make(data, magic.size), magic))
		return az_fail(reterr, AZ_CORRUPT, "%s: not a file of this kind", what);
	if (wire_load_u32(data + 8) != expected->format || wire_load_u32(data + 12) != 0)
		return az_fail(reterr, AZ_CORRUPT, "%s: format %u is unknown", what,
		    (unsigned)wire_load_u32(data + 8));
	if (!bytes_equal(bytes_make(data + 16, HOUSE_ID_SIZE), house))
		return az_fail(reterr, AZ_FORGED, "%s: belongs to another house", what);
	return AZ_OK;
}
