/*
 * The files of one log, in a folder of its own:
 *
 *   entries   file header, then for each entry: u16 big-endian size, bytes
 *   hash0     file header, then the leaf hashes
 *   hash1…3   file header, then the hash over each full group of 256 of the file before
 *
 * These are the entry bundles and the full tiles of C2SP tlog-tiles, end to end instead of in files of 256.
 * They follow the write-ahead log, which alone decides what has happened; after a crash they are cut back
 * to the last synced size and written again from there. So nothing here is flushed before log_sync.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/wire.h"
#include "ledger/ledger_internal.h"

#define GROUP_SIZE    256u
#define PENDING_MAX   (8u * 1024u * 1024u)
#define PENDING_WRITE (1024u * 1024u)

static const char *const hash_names[LOG_LEVELS] = {"hash0", "hash1", "hash2", "hash3"};

static uint64_t
hash_offset(uint64_t index)
{
	return FILE_HEADER_SIZE + index * TREE_HASH_SIZE;
}

/* Opens one file of the log and checks or writes its header. */
static enum az_status
open_file(int dirfd, const char *name, const uint8_t house[HOUSE_ID_SIZE], bool create,
    bool read_only, int *ret_fd, struct az_err *reterr)
{
	struct file_header header = {.magic = "AZLOG\0\0", .format = 1};
	uint8_t bytes[FILE_HEADER_SIZE];
	int flags =
	    O_CLOEXEC | O_NOFOLLOW | (read_only ? O_RDONLY : O_RDWR) | (create ? O_CREAT : 0);
	int fd = openat(dirfd, name, flags, 0600);
	struct stat info;
	enum az_status status;

	if (fd < 0)
		return az_fail_errno(reterr, errno == ENOENT ? AZ_FORGED : AZ_IO, errno,
		    "ledger: cannot open %s", name);
	memcpy(header.house, house, HOUSE_ID_SIZE);
	if (fstat(fd, &info) != 0) {
		status = az_fail_errno(reterr, AZ_IO, errno, "ledger: cannot look at %s", name);
		goto out;
	}
	if (info.st_size < FILE_HEADER_SIZE && create) {
		file_header_encode(&header, bytes);
		status = file_write_at(fd, bytes_make(bytes, sizeof(bytes)), 0, reterr);
	} else {
		status = file_read_at(fd, bytes, sizeof(bytes), 0, reterr);
		if (status == AZ_OK)
			status = file_header_check(bytes, &header, name, reterr);
	}
	if (status != AZ_OK)
		goto out;
	*ret_fd = fd;
	fd = -1;
out:
	fd_close(&fd);
	return status;
}

enum az_status
log_open(int dirfd, const uint8_t house[HOUSE_ID_SIZE], uint32_t id, bool create, bool read_only,
    struct log *ret_log, struct az_err *reterr)
{
	struct log log = {.id = id,
	    .dirfd = -1,
	    .entries = -1,
	    .hashes = {-1, -1, -1, -1},
	    .entries_size = FILE_HEADER_SIZE};
	char name[32];
	enum az_status status;

	(void)snprintf(name, sizeof(name), "log-%08x", id);
	status = dir_open(dirfd, name, create, 0700, &log.dirfd, reterr);
	if (status == AZ_OK)
		status =
		    open_file(log.dirfd, "entries", house, create, read_only, &log.entries, reterr);
	for (unsigned int i = 0; i < LOG_LEVELS && status == AZ_OK; i++)
		status = open_file(
		    log.dirfd, hash_names[i], house, create, read_only, &log.hashes[i], reterr);
	buffer_init(&log.pending, PENDING_MAX, false);
	for (unsigned int i = 0; i < LOG_LEVELS; i++)
		buffer_init(&log.pending_hashes[i], PENDING_MAX, false);
	if (status != AZ_OK) {
		log_close(&log);
		return status;
	}
	*ret_log = log;
	return AZ_OK;
}

void
log_close(struct log *log)
{
	fd_close(&log->entries);
	fd_close(&log->dirfd);
	buffer_fini(&log->pending);
	for (unsigned int i = 0; i < LOG_LEVELS; i++) {
		fd_close(&log->hashes[i]);
		buffer_fini(&log->pending_hashes[i]);
	}
}

enum az_status
log_read_hashes(const struct log *log, unsigned int level, uint64_t index, size_t count,
    uint8_t *hashes, struct az_err *reterr)
{
	return file_read_at(
	    log->hashes[level], hashes, count * TREE_HASH_SIZE, hash_offset(index), reterr);
}

static enum az_status
read_hashes(void *arg, unsigned int level, uint64_t index, size_t count, uint8_t *hashes,
    struct az_err *reterr)
{
	return log_read_hashes(arg, level, index, count, hashes, reterr);
}

struct hash_source
log_source(const struct log *log)
{
	/* It is only read from. */
	return (struct hash_source){
	    .read = read_hashes, .arg = (void *)(uintptr_t)log, .levels = LOG_LEVELS};
}

static enum az_status
cut_file(int fd, uint64_t size, const struct log *log, const char *name, struct az_err *reterr)
{
	struct stat info;

	if (fstat(fd, &info) != 0)
		return az_fail_errno(reterr, AZ_IO, errno, "ledger: cannot look at %s", name);
	if ((uint64_t)info.st_size < size)
		return az_fail(reterr, AZ_FORGED,
		    "ledger: %s of log %u was cut short: %llu bytes are missing", name, log->id,
		    (unsigned long long)(size - (uint64_t)info.st_size));
	if ((uint64_t)info.st_size > size && ftruncate(fd, (off_t)size) != 0)
		return az_fail_errno(reterr, AZ_IO, errno, "ledger: cannot cut %s", name);
	return AZ_OK;
}

enum az_status
log_cut(struct log *log, uint64_t size, uint64_t entries_size, struct az_err *reterr)
{
	struct hash_source source = log_source(log);
	enum az_status status = cut_file(log->entries, entries_size, log, "entries", reterr);
	uint64_t count = size;

	for (unsigned int i = 0; i < LOG_LEVELS && status == AZ_OK; i++) {
		status = cut_file(log->hashes[i], hash_offset(count), log, hash_names[i], reterr);
		log->hash_counts[i] = count;
		count /= GROUP_SIZE;
	}
	if (status == AZ_OK)
		status = tree_restore(&source, size, &log->tree, reterr);
	if (status != AZ_OK)
		return status;
	/* The hashes of each level's last, unfinished group. */
	for (unsigned int i = 0; i < LOG_LEVELS; i++) {
		uint64_t start = log->hash_counts[i] - log->hash_counts[i] % GROUP_SIZE;
		uint8_t hash[TREE_HASH_SIZE];

		log->levels[i] = (struct tree){0};
		for (uint64_t at = start; at < log->hash_counts[i]; at++) {
			status = log_read_hashes(log, i, at, 1, hash, reterr);
			if (status != AZ_OK)
				return status;
			tree_append(&log->levels[i], hash);
		}
	}
	log->entries_size = entries_size;
	return AZ_OK;
}

enum az_status
log_append(struct log *log, struct bytes entry, struct az_err *reterr)
{
	uint8_t size[2];
	uint8_t hash[TREE_HASH_SIZE];
	enum az_status status = AZ_OK;

	if (log->pending.size + log->pending_hashes[0].size > PENDING_WRITE) {
		status = log_write(log, reterr);
		if (status != AZ_OK)
			return status;
	}
	/* Room first, so that a failure leaves nothing half appended. */
	if (buffer_reserve(&log->pending, sizeof(size) + entry.size) != AZ_OK)
		return az_fail(reterr, AZ_NO_MEMORY, "ledger: out of memory");
	for (unsigned int i = 0; i < LOG_LEVELS; i++) {
		if (buffer_reserve(&log->pending_hashes[i], TREE_HASH_SIZE) != AZ_OK)
			return az_fail(reterr, AZ_NO_MEMORY, "ledger: out of memory");
	}
	wire_store_u16be(size, (uint16_t)entry.size);
	status = buffer_append(&log->pending, bytes_make(size, sizeof(size)));
	if (status == AZ_OK)
		status = buffer_append(&log->pending, entry);
	tree_leaf(entry, hash);
	tree_append(&log->tree, hash);
	for (unsigned int i = 0; i < LOG_LEVELS && status == AZ_OK; i++) {
		status = buffer_append(&log->pending_hashes[i], bytes_make(hash, sizeof(hash)));
		log->hash_counts[i]++;
		tree_append(&log->levels[i], hash);
		if (log->levels[i].size < GROUP_SIZE)
			break;
		tree_root(&log->levels[i], hash);
		log->levels[i] = (struct tree){0};
	}
	log->entries_size += sizeof(size) + entry.size;
	log->dirty = true;
	return status;
}

enum az_status
log_write(struct log *log, struct az_err *reterr)
{
	enum az_status status = file_write_at(log->entries, buffer_peek(&log->pending),
	    log->entries_size - log->pending.size, reterr);

	if (status != AZ_OK)
		return status;
	buffer_clear(&log->pending);
	for (unsigned int i = 0; i < LOG_LEVELS; i++) {
		struct buffer *pending = &log->pending_hashes[i];

		status = file_write_at(log->hashes[i], buffer_peek(pending),
		    hash_offset(log->hash_counts[i]) - pending->size, reterr);
		if (status != AZ_OK)
			return status;
		buffer_clear(pending);
	}
	return AZ_OK;
}

enum az_status
log_sync(struct log *log, struct az_err *reterr)
{
	enum az_status status;

	if (!log->dirty)
		return AZ_OK;
	status = log_write(log, reterr);
	if (status != AZ_OK)
		return status;
	if (fdatasync(log->entries) != 0)
		return az_fail_errno(reterr, AZ_IO, errno, "ledger: cannot flush log %u", log->id);
	for (unsigned int i = 0; i < LOG_LEVELS; i++) {
		if (fdatasync(log->hashes[i]) != 0)
			return az_fail_errno(
			    reterr, AZ_IO, errno, "ledger: cannot flush log %u", log->id);
	}
	log->dirty = false;
	return AZ_OK;
}

enum az_status
log_root_at(
    const struct log *log, uint64_t size, uint8_t ret_root[TREE_HASH_SIZE], struct az_err *reterr)
{
	struct hash_source source = log_source(log);

	return proof_root(&source, size, ret_root, reterr);
}
