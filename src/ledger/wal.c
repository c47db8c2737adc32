/*
 * The shared write-ahead log: segments of fixed size, zeroed before use, so that a commit changes no
 * metadata of the file system. Segment "wal-XXXXXXXX":
 *
 *   page 0   file header, magic "AZWAL"; u32 segment number
 *   page 1…  batches, each at the start of a page
 *
 *   batch    0   8   magic "AZBATCH"
 *            8   8   number, from 1
 *            16  8   seq of the first record
 *            24  4   count of records
 *            28  4   size of the body
 *            32  32  MAC of the batch before
 *            64      body: for each record u32 log, u64 index, u32 sizes of entry and payload, both
 *                32  MAC: HMAC-SHA256 over all before it
 *
 * A batch begins on a page of its own: no later write touches a page that holds what was acknowledged, so
 * a torn write can spoil only what nobody was told. The MACs form a chain, so that no batch can be left
 * out, exchanged or made by somebody without the key.
 *
 * Reading stops at the first page where the next batch does not stand whole. That is the end, if no authentic
 * batch with a higher number stands anywhere behind it: the committer starts none before the
 * one before it is flushed, so such a batch proves that something was damaged or removed.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/wire.h"
#include "ledger/ledger_internal.h"

#define BATCH_HEAD  64u
#define RECORD_HEAD 20u
#define BODY_MAX    (WAL_BATCH_BODY + RECORD_HEAD + LEDGER_ENTRY_MAX + LEDGER_PAYLOAD_MAX + 64u)

static const char batch_magic[8] = "AZBATCH";

static void
segment_name(uint32_t number, char name[16])
{
	(void)snprintf(name, 16, "wal-%08x", number);
}

static struct file_header
segment_header(const struct wal *wal)
{
	struct file_header header = {.magic = "AZWAL\0\0", .format = 1};

	memcpy(header.house, wal->house, HOUSE_ID_SIZE);
	return header;
}

enum az_status
wal_init(struct wal *wal, int dirfd, const uint8_t house[HOUSE_ID_SIZE], const struct secret *root,
    size_t segment_size, struct az_err *reterr)
{
	struct secret *key = NULL;
	enum az_status status;

	*wal = (struct wal){
	    .dirfd = dirfd, .segment_size = segment_size, .fd = -1, .batch = 1, .next_seq = 1};
	memcpy(wal->house, house, HOUSE_ID_SIZE);
	status = kdf_derive(root, house, "wal-mac", 0, &key, reterr);
	if (status == AZ_OK)
		status = mac_new(secret_peek(key), &wal->mac, reterr);
	secret_free(&key);
	return status;
}

void
wal_fini(struct wal *wal)
{
	fd_close(&wal->fd);
	mac_free(&wal->mac);
}

enum az_status
wal_make_segment(const struct wal *wal, uint32_t number, struct az_err *reterr)
{
	static const char unfinished[] = "segment.new";
	static const uint8_t zeros[64 * 1024];
	struct file_header header = segment_header(wal);
	uint8_t page[WAL_PAGE] = {0};
	char name[16];
	enum az_status status = AZ_OK;
	int fd;

	/* Under another name until it is whole: a crash must not leave half a segment to recover from. */
	segment_name(number, name);
	fd = openat(
	    wal->dirfd, unfinished, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return az_fail_errno(reterr, AZ_IO, errno, "ledger: cannot make %s", name);
	file_header_encode(&header, page);
	wire_store_u32(page + FILE_HEADER_SIZE, number);
	status = file_write_at(fd, bytes_make(page, sizeof(page)), 0, reterr);
	for (size_t at = sizeof(page); at < wal->segment_size && status == AZ_OK;
	     at += sizeof(zeros)) {
		size_t left = wal->segment_size - at;

		status = file_write_at(
		    fd, bytes_make(zeros, left < sizeof(zeros) ? left : sizeof(zeros)), at, reterr);
	}
	if (status == AZ_OK &&
	    (fsync(fd) != 0 || renameat(wal->dirfd, unfinished, wal->dirfd, name) != 0 ||
		fsync(wal->dirfd) != 0))
		status = az_fail_errno(reterr, AZ_IO, errno, "ledger: cannot keep %s", name);
	fd_close(&fd);
	if (status != AZ_OK)
		(void)unlinkat(wal->dirfd, unfinished, 0);
	return status;
}

enum az_status
wal_remove_segment(const struct wal *wal, uint32_t number, struct az_err *reterr)
{
	char name[16];

	segment_name(number, name);
	if (unlinkat(wal->dirfd, name, 0) != 0)
		return az_fail_errno(reterr, AZ_IO, errno, "ledger: cannot remove %s", name);
	return AZ_OK;
}

/* Opens a segment and checks its header and size. */
static enum az_status
open_segment(const struct wal *wal, uint32_t number, int *ret_fd, struct az_err *reterr)
{
	struct file_header header = segment_header(wal);
	uint8_t page[FILE_HEADER_SIZE + 4];
	char name[16];
	struct stat info;
	enum az_status status;
	int fd;

	segment_name(number, name);
	fd = openat(wal->dirfd, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return az_fail_errno(reterr, errno == ENOENT ? AZ_FORGED : AZ_IO, errno,
		    "ledger: cannot open %s", name);
	status = file_read_at(fd, page, sizeof(page), 0, reterr);
	if (status == AZ_OK)
		status = file_header_check(page, &header, name, reterr);
	if (status == AZ_OK && wire_load_u32(page + FILE_HEADER_SIZE) != number)
		status = az_fail(reterr, AZ_FORGED, "ledger: %s is another segment", name);
	if (status == AZ_OK && fstat(fd, &info) != 0)
		status = az_fail_errno(reterr, AZ_IO, errno, "ledger: cannot look at %s", name);
	if (status == AZ_OK && (uint64_t)info.st_size != wal->segment_size)
		status = az_fail(reterr, AZ_FORGED, "ledger: %s has a wrong size", name);
	if (status != AZ_OK)
		fd_close(&fd);
	else
		*ret_fd = fd;
	return status;
}

enum az_status
wal_enter_segment(struct wal *wal, uint32_t number, struct az_err *reterr)
{
	int fd = -1;
	enum az_status status = open_segment(wal, number, &fd, reterr);

	if (status != AZ_OK)
		return status;
	fd_close(&wal->fd);
	wal->fd = fd;
	wal->segment = number;
	wal->offset = WAL_PAGE;
	return AZ_OK;
}

/* --- writing --------------------------------------------------------------------------------- */

enum az_status
wal_batch_start(const struct wal *wal, struct buffer *buffer)
{
	struct wire_writer writer;

	buffer_clear(buffer);
	wire_writer_init(&writer, buffer);
	wire_put_raw(&writer, batch_magic, sizeof(batch_magic));
	wire_put_u64(&writer, wal->batch);
	wire_put_u64(&writer, wal->next_seq);
	wire_put_u64(&writer, 0); /* count and size of the body, written by wal_batch_finish */
	wire_put_raw(&writer, wal->chain, sizeof(wal->chain));
	return writer.status;
}

enum az_status
wal_batch_add(struct buffer *buffer, const struct wal_record *record)
{
	struct wire_writer writer;

	wire_writer_init(&writer, buffer);
	wire_put_u32(&writer, record->log);
	wire_put_u64(&writer, record->index);
	wire_put_u32(&writer, (uint32_t)record->entry.size);
	wire_put_u32(&writer, (uint32_t)record->payload.size);
	wire_put_raw(&writer, record->entry.data, record->entry.size);
	wire_put_raw(&writer, record->payload.data, record->payload.size);
	return writer.status;
}

enum az_status
wal_batch_finish(struct wal *wal, uint32_t count, struct buffer *buffer)
{
	static const uint8_t zeros[WAL_PAGE];
	uint8_t digest[WAL_MAC_SIZE];
	struct bytes all;
	enum az_status status;

	wire_store_u32(buffer->data + 24, count);
	wire_store_u32(buffer->data + 28, (uint32_t)(buffer->size - BATCH_HEAD));
	all = buffer_peek(buffer);
	mac_compute(wal->mac, &all, 1, digest);
	status = buffer_append(buffer, bytes_make(digest, sizeof(digest)));
	if (status == AZ_OK && buffer->size % WAL_PAGE != 0)
		status =
		    buffer_append(buffer, bytes_make(zeros, WAL_PAGE - buffer->size % WAL_PAGE));
	if (status == AZ_OK)
		memcpy(wal->chain, digest, sizeof(digest));
	return status;
}

bool
wal_fits(const struct wal *wal, const struct buffer *buffer)
{
	return wal->offset + buffer->size <= wal->segment_size;
}

enum az_status
wal_commit(struct wal *wal, uint32_t count, const struct buffer *buffer, struct az_err *reterr)
{
	enum az_status status = file_write_at(wal->fd, buffer_peek(buffer), wal->offset, reterr);

	if (status != AZ_OK)
		return status;
	if (fdatasync(wal->fd) != 0)
		return az_fail_errno(reterr, AZ_IO, errno, "ledger: the flush failed");
	wal->offset += buffer->size;
	wal->batch++;
	wal->next_seq += count;
	return AZ_OK;
}

/* --- reading --------------------------------------------------------------------------------- */

enum az_status
wal_find_segments(
    const struct wal *wal, uint32_t *ret_first, uint32_t *ret_last, struct az_err *reterr)
{
	int fd = openat(wal->dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	uint32_t first = UINT32_MAX;
	uint32_t last = 0;
	struct dirent *item;

	if (dir == NULL) {
		fd_close(&fd);
		return az_fail_errno(reterr, AZ_IO, errno, "ledger: cannot list its folder");
	}
	while ((item = readdir(dir)) != NULL) {
		uint8_t digits[4];
		uint32_t number;

		if (strlen(item->d_name) != 12 || strncmp(item->d_name, "wal-", 4) != 0 ||
		    !hex_decode(item->d_name + 4, digits, sizeof(digits)))
			continue;
		number = wire_load_u32be(digits);
		first = number < first ? number : first;
		last = number > last ? number : last;
	}
	(void)closedir(dir);
	if (first == UINT32_MAX)
		return az_fail(reterr, AZ_NOT_FOUND, "ledger: there is no write-ahead log");
	*ret_first = first;
	*ret_last = last;
	return AZ_OK;
}

/* A batch found in a segment's bytes. */
struct found {
	uint64_t number;
	uint64_t first_seq;
	uint32_t count;
	struct bytes body;
	const uint8_t *previous; /* MAC of the batch before */
	const uint8_t *mac;
	size_t pages_size; /* with its padding */
};

enum look {
	LOOK_NOTHING = 0, /* no batch begins here */
	LOOK_BROKEN,      /* one begins but is not whole */
	LOOK_WHOLE,
};

static enum look
look_at(const struct wal *wal, struct bytes segment, size_t offset, struct found *ret_found)
{
	const uint8_t *head = segment.data + offset;
	struct found found = {0};
	uint8_t digest[WAL_MAC_SIZE];
	struct bytes all;
	size_t size;

	if (!bytes_equal(bytes_make(head, 8), bytes_make(batch_magic, 8)))
		return LOOK_NOTHING;
	found.number = wire_load_u64(head + 8);
	found.first_seq = wire_load_u64(head + 16);
	found.count = wire_load_u32(head + 24);
	size = wire_load_u32(head + 28);
	*ret_found = found;
	if (size > BODY_MAX || offset + BATCH_HEAD + size + WAL_MAC_SIZE > segment.size)
		return LOOK_BROKEN;
	found.body = bytes_make(head + BATCH_HEAD, size);
	found.previous = head + 32;
	found.mac = head + BATCH_HEAD + size;
	found.pages_size = (BATCH_HEAD + size + WAL_MAC_SIZE + WAL_PAGE - 1) / WAL_PAGE * WAL_PAGE;
	all = bytes_make(head, BATCH_HEAD + size);
	mac_compute(wal->mac, &all, 1, digest);
	if (!bytes_equal(bytes_make(digest, sizeof(digest)), bytes_make(found.mac, WAL_MAC_SIZE)))
		return LOOK_BROKEN;
	*ret_found = found;
	return LOOK_WHOLE;
}

/* Looks behind the end for a batch that could only follow one we do not have. */
static bool
something_follows(const struct wal *wal, struct bytes segment, size_t offset)
{
	struct found found;

	for (; offset + WAL_PAGE <= segment.size; offset += WAL_PAGE) {
		if (look_at(wal, segment, offset, &found) == LOOK_WHOLE &&
		    found.number >= wal->batch)
			return true;
	}
	return false;
}

static enum az_status
visit_batch(const struct found *found,
    enum az_status (*visit)(void *arg, const struct wal_record *record, struct az_err *reterr),
    void *arg, struct az_err *reterr)
{
	struct wire_reader reader;

	wire_reader_init(&reader, found->body);
	for (uint32_t i = 0; i < found->count; i++) {
		struct wal_record record = {.seq = found->first_seq + i};
		uint32_t entry_size, payload_size;
		enum az_status status;

		record.log = wire_get_u32(&reader);
		record.index = wire_get_u64(&reader);
		entry_size = wire_get_u32(&reader);
		payload_size = wire_get_u32(&reader);
		record.entry = wire_take(&reader, entry_size);
		record.payload = wire_take(&reader, payload_size);
		if (reader.failed)
			break;
		status = visit(arg, &record, reterr);
		if (status != AZ_OK)
			return status;
	}
	if (!wire_end(&reader))
		return az_fail(reterr, AZ_CORRUPT, "ledger: batch %llu is not in its format",
		    (unsigned long long)found->number);
	return AZ_OK;
}

/* What wal_scan carries from segment to segment. */
struct scan {
	enum az_status (*visit)(void *arg, const struct wal_record *record, struct az_err *reterr);
	void *arg;
	bool started;
	uint64_t first_seq;
};

/* Reads batches from the start of a segment as far as they continue what came before. */
static enum az_status
scan_segment(struct wal *wal, struct bytes segment, struct scan *scan, size_t *ret_offset,
    bool *ret_broken, struct az_err *reterr)
{
	size_t offset = WAL_PAGE;
	struct found found = {0};
	enum look look = LOOK_NOTHING;

	while (offset + WAL_PAGE <= segment.size) {
		enum az_status status;

		look = look_at(wal, segment, offset, &found);
		if (look != LOOK_WHOLE)
			break;
		if (!scan->started) {
			wal->batch = found.number;
			wal->next_seq = found.first_seq;
			memcpy(wal->chain, found.previous, sizeof(wal->chain));
			scan->first_seq = found.first_seq;
			scan->started = true;
		}
		if (found.number != wal->batch || found.first_seq != wal->next_seq ||
		    !bytes_equal(bytes_make(found.previous, WAL_MAC_SIZE),
			bytes_make(wal->chain, WAL_MAC_SIZE)))
			return az_fail(reterr, AZ_FORGED,
			    "ledger: batch %llu does not continue batch %llu",
			    (unsigned long long)found.number, (unsigned long long)wal->batch - 1);
		status = visit_batch(&found, scan->visit, scan->arg, reterr);
		if (status != AZ_OK)
			return status;
		memcpy(wal->chain, found.mac, sizeof(wal->chain));
		wal->batch++;
		wal->next_seq += found.count;
		offset += found.pages_size;
	}
	*ret_offset = offset;
	*ret_broken = look == LOOK_BROKEN && found.number == wal->batch;
	return AZ_OK;
}

/* Whether the segment's first batch is the one that we wait for. */
static bool
continues(const struct wal *wal, struct bytes segment)
{
	struct found found;

	return look_at(wal, segment, WAL_PAGE, &found) == LOOK_WHOLE && found.number == wal->batch;
}

enum az_status
wal_scan(struct wal *wal, uint32_t first, uint32_t last,
    enum az_status (*visit)(void *arg, const struct wal_record *record, struct az_err *reterr),
    void *arg, uint64_t *ret_first, struct az_err *reterr)
{
	struct scan scan = {.visit = visit, .arg = arg};
	struct bytes segment;
	uint8_t *data = malloc(wal->segment_size);
	uint32_t end_segment = first;
	size_t end_offset = WAL_PAGE;
	bool ended = false;
	enum az_status status = AZ_OK;
	int fd = -1;

	if (data == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "ledger: out of memory");
	segment = bytes_make(data, wal->segment_size);
	wal->torn = false;
	for (uint32_t number = first; number <= last && status == AZ_OK; number++) {
		status = open_segment(wal, number, &fd, reterr);
		if (status == AZ_OK)
			status = file_read_at(fd, data, wal->segment_size, 0, reterr);
		fd_close(&fd);
		if (status != AZ_OK)
			break;
		if (number == first || (!ended && continues(wal, segment))) {
			bool broken = false;

			status = scan_segment(wal, segment, &scan, &end_offset, &broken, reterr);
			end_segment = number;
			wal->torn = broken;
		} else {
			ended = true;
		}
		/* The rest of this segment, or all of one behind the end. */
		if (status == AZ_OK &&
		    something_follows(wal, segment, ended ? WAL_PAGE : end_offset))
			status = az_fail(reterr, AZ_FORGED,
			    "ledger: batch %llu of the write-ahead log is missing or changed, but "
			    "later ones are there",
			    (unsigned long long)wal->batch);
	}
	free(data);
	if (status == AZ_OK)
		status = wal_enter_segment(wal, end_segment, reterr);
	if (status != AZ_OK)
		return status;
	wal->offset = end_offset;
	*ret_first = scan.first_seq;
	return AZ_OK;
}
