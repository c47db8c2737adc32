/*
 * Copying with holes: a house's write-ahead log is zeros for the most part. Below a folder that a process of the house
 * can write, names are resolved beneath it and without links (openat2), since who copies may be root.
 */
#include "cli/copy.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CHUNK (1024u * 1024u)

static int
open_beneath(int dirfd, const char *path, int flags, mode_t mode)
{
	struct open_how how = {.flags = (unsigned long long)flags,
	    .mode = mode,
	    .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS};

	return (int)syscall(SYS_openat2, dirfd, path, &how, sizeof(how));
}

/* The folders of a path, as far as they are missing. */
static enum az_status
make_above(int to, const char *path, struct house_user owner, struct az_err *reterr)
{
	char above[512];

	for (const char *slash = strchr(path, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		int fd = -1;

		if ((size_t)(slash - path) >= sizeof(above))
			return az_fail(reterr, AZ_INVALID, "%s: the path is too long", path);
		memcpy(above, path, (size_t)(slash - path));
		above[slash - path] = '\0';
		if (mkdirat(to, above, 0700) != 0) {
			if (errno == EEXIST)
				continue;
			return az_fail_errno(reterr, AZ_IO, errno, "%s", above);
		}
		fd = open_beneath(to, above, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
		if (fd < 0 || (owner.uid != 0 && fchown(fd, owner.uid, owner.gid) != 0)) {
			int reason = errno;

			fd_close(&fd);
			return az_fail_errno(reterr, AZ_IO, reason, "%s", above);
		}
		fd_close(&fd);
	}
	return AZ_OK;
}

static bool
is_zero(const uint8_t *data, size_t size)
{
	uint8_t any = 0;

	for (size_t i = 0; i < size; i++)
		any |= data[i];
	return any == 0;
}

/* Reads at offset as far as keep goes, zeros behind it; 0 at the end. */
static ssize_t
read_kept(int fd, uint8_t *data, uint64_t offset, uint64_t keep, uint64_t size)
{
	uint64_t left = size - offset;
	size_t want = left < CHUNK ? (size_t)left : CHUNK;

	if (offset >= keep) {
		memset(data, 0, want);
		return (ssize_t)want;
	}
	if (keep - offset < want)
		want = (size_t)(keep - offset);
	return pread(fd, data, want, (off_t)offset);
}

static enum az_status
copy_bytes(int in, int out, const char *path, uint64_t keep, uint64_t size, struct sha256 *hash,
    struct az_err *reterr)
{
	uint8_t *data = malloc(CHUNK);
	uint64_t offset = 0;
	enum az_status status = AZ_OK;

	if (data == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "%s: out of memory", path);
	while (offset < size && status == AZ_OK) {
		ssize_t got = read_kept(in, data, offset, keep, size);

		if (got <= 0) {
			status = got == 0
			    ? az_fail(reterr, AZ_IO, "%s became shorter meanwhile", path)
			    : az_fail_errno(reterr, AZ_IO, errno, "%s", path);
			break;
		}
		sha256_update(hash, data, (size_t)got);
		if (!is_zero(data, (size_t)got))
			status = file_write_at(out, bytes_make(data, (size_t)got), offset, reterr);
		offset += (uint64_t)got;
	}
	free(data);
	if (status == AZ_OK && (ftruncate(out, (off_t)size) != 0 || fsync(out) != 0))
		status = az_fail_errno(reterr, AZ_IO, errno, "%s", path);
	return status;
}

enum az_status
copy_file(int from, int to, const char *path, uint64_t keep, struct house_user owner,
    uint64_t *ret_size, uint8_t ret_sha256[SHA256_SIZE], struct az_err *reterr)
{
	struct sha256 hash;
	struct stat info;
	int out = -1;
	int in = open_beneath(from, path, O_RDONLY | O_CLOEXEC, 0);
	enum az_status status = AZ_OK;

	if (in < 0)
		return az_fail_errno(
		    reterr, errno == ENOENT ? AZ_NOT_FOUND : AZ_IO, errno, "%s", path);
	if (fstat(in, &info) != 0 || !S_ISREG(info.st_mode))
		status = az_fail(reterr, AZ_IO, "%s is no file", path);
	if (status == AZ_OK)
		status = make_above(to, path, owner, reterr);
	if (status == AZ_OK) {
		out = open_beneath(to, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		if (out < 0)
			status = az_fail_errno(
			    reterr, errno == EEXIST ? AZ_CONFLICT : AZ_IO, errno, "%s", path);
	}
	sha256_init(&hash);
	if (status == AZ_OK)
		status = copy_bytes(in, out, path, keep, (uint64_t)info.st_size, &hash, reterr);
	if (status == AZ_OK && owner.uid != 0 && fchown(out, owner.uid, owner.gid) != 0)
		status = az_fail_errno(reterr, AZ_IO, errno, "%s", path);
	if (status == AZ_OK) {
		*ret_size = (uint64_t)info.st_size;
		sha256_final(&hash, ret_sha256);
	}
	fd_close(&in);
	fd_close(&out);
	return status;
}

/* --- folders ---------------------------------------------------------------------------------- */

enum az_status
copy_folder_make(
    const char *path, mode_t mode, struct copy_folder *ret_folder, struct az_err *reterr)
{
	struct copy_folder folder = {.dirfd = -1};
	size_t size = strlen(path);
	struct stat info;
	enum az_status status;

	while (size > 1 && path[size - 1] == '/')
		size--;
	if (size == 0 || size + sizeof(".new-XXXXXX") > sizeof(folder.beside))
		return az_fail(reterr, AZ_INVALID, "the path of the folder is too long or empty");
	(void)snprintf(folder.path, sizeof(folder.path), "%.*s", (int)size, path);
	if (lstat(folder.path, &info) == 0)
		return az_fail(reterr, AZ_CONFLICT, "%s is there already", folder.path);
	(void)snprintf(folder.beside, sizeof(folder.beside), "%.*s.new-XXXXXX", (int)size, path);
	if (mkdtemp(folder.beside) == NULL)
		return az_fail_errno(reterr, AZ_IO, errno, "%s", folder.path);
	*ret_folder = folder;
	if (chmod(folder.beside, mode) != 0)
		return az_fail_errno(reterr, AZ_IO, errno, "%s", folder.path);
	status = dir_open(AT_FDCWD, folder.beside, false, 0, &ret_folder->dirfd, reterr);
	return status;
}

enum az_status
copy_folder_finish(struct copy_folder *folder, struct az_err *reterr)
{
	char above[sizeof(folder->path)];
	char *slash;
	int fd = -1;
	enum az_status status;

	/* Files are on disk; of folders' names only this says so. */
	if (syncfs(folder->dirfd) != 0 ||
	    renameat2(AT_FDCWD, folder->beside, AT_FDCWD, folder->path, RENAME_NOREPLACE) != 0)
		return az_fail_errno(
		    reterr, errno == EEXIST ? AZ_CONFLICT : AZ_IO, errno, "%s", folder->path);
	folder->beside[0] = '\0';
	(void)snprintf(above, sizeof(above), "%s", folder->path);
	slash = strrchr(above, '/');
	if (slash == NULL)
		(void)snprintf(above, sizeof(above), ".");
	else
		slash[slash == above ? 1 : 0] = '\0';
	status = dir_open(AT_FDCWD, above, false, 0, &fd, reterr);
	if (status == AZ_OK && fsync(fd) != 0)
		status = az_fail_errno(reterr, AZ_IO, errno, "%s", above);
	fd_close(&fd);
	return status;
}

static int
remove_one(const char *path, const struct stat *info, int type, struct FTW *where)
{
	(void)info;
	(void)type;
	(void)where;
	return remove(path);
}

void
copy_folder_fini(struct copy_folder *folder)
{
	fd_close(&folder->dirfd);
	if (folder->beside[0] != '\0')
		(void)nftw(folder->beside, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	folder->beside[0] = '\0';
}
