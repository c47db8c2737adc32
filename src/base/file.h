/*
 * Files that must survive: whole writes, flushed replacement, bounded reads, and the header that
 * every file of a house begins with.
 */
#ifndef AZ_BASE_FILE_H
#define AZ_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/bytes.h"
#include "base/status.h"

/* Closes *fd if it is >= 0 and leaves -1. */
void fd_close(int *fd);

/* Writes all of bytes at the descriptor's position, or at offset. AZ_IO. */
AZ_CHECKED enum az_status file_write(int fd, struct bytes bytes, struct az_err *reterr);
AZ_CHECKED enum az_status file_write_at(
    int fd, struct bytes bytes, uint64_t offset, struct az_err *reterr);

/* Reads exactly size bytes at offset. AZ_CORRUPT if the file ends before. */
AZ_CHECKED enum az_status file_read_at(
    int fd, void *data, size_t size, uint64_t offset, struct az_err *reterr);

/*
 * Reads the whole of dirfd/name into buffer (whose max bounds it), in place of what it held. On
 * failure the buffer is empty. AZ_NOT_FOUND, AZ_LIMIT, AZ_NO_MEMORY, AZ_IO, also for anything but a
 * file. Follows no symbolic link at the last component.
 */
AZ_CHECKED enum az_status file_read_whole(
    int dirfd, const char *name, struct buffer *buffer, struct az_err *reterr);

/*
 * Replaces dirfd/name by bytes so that after a crash either the old or the new is there whole:
 * temporary file, fsync, rename, fsync of the directory. mode is narrowed by the umask. A crash may
 * leave a file ".tmp-" and 16 digits. AZ_NOT_FOUND if the directory is missing, else AZ_IO.
 */
AZ_CHECKED enum az_status file_replace(
    int dirfd, const char *name, struct bytes bytes, mode_t mode, struct az_err *reterr);

/* As file_replace, but AZ_CONFLICT if the name exists already, as whatever. */
AZ_CHECKED enum az_status file_create(
    int dirfd, const char *name, struct bytes bytes, mode_t mode, struct az_err *reterr);

/*
 * Opens a directory below dirfd (AT_FDCWD for a path), creating it with mode if create is set and it
 * is missing; its name is durable then. Below a dirfd no symbolic link is followed at the last
 * component. AZ_NOT_FOUND, AZ_IO.
 */
AZ_CHECKED enum az_status dir_open(
    int dirfd, const char *name, bool create, mode_t mode, int *ret_fd, struct az_err *reterr);

#define HOUSE_ID_SIZE    16
#define FILE_HEADER_SIZE 32

/* magic: 8 bytes naming the kind of file. The first byte of the house id is 'U' (unsealed) or 'S'. */
struct file_header {
	char magic[8];
	uint32_t format; /* 1 for all formats of this release */
	uint8_t house[HOUSE_ID_SIZE];
};

/* offset 0 magic[8], 8 u32 format, 12 u32 zero, 16 house id[16]. */
void file_header_encode(const struct file_header *header, uint8_t data[FILE_HEADER_SIZE]);

/* AZ_CORRUPT: another magic or format; AZ_FORGED: the file belongs to another house. */
AZ_CHECKED enum az_status file_header_check(const uint8_t data[FILE_HEADER_SIZE],
    const struct file_header *expected, const char *what, struct az_err *reterr);

#endif
