/*
 * Sources: bytes in order, from a file, a pipe, memory, or a member of an archive.
 *
 * The head that was read ahead is kept and given first; a file or memory may also be read at any place. Bytes out of pipes
 * and members are counted as unpacked: nobody knows beforehand how many there are.
 */
#include <archive.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "scan/unpack_internal.h"

#define WAIT_MS   500 /* for a pipe; then the clock is looked at */
#define HOLD_STEP (256u * 1024u)

static void
source_init(struct scan_source *source)
{
	memset(source, 0, sizeof(*source));
	source->fd = -1;
	source->size = UINT64_MAX;
}

void
scan_source_file(struct scan_source *source, int fd, uint64_t base, uint64_t size)
{
	source_init(source);
	source->fd = fd;
	source->base = base;
	source->size = size;
}

void
scan_source_stream(struct scan_source *source, int fd)
{
	source_init(source);
	source->fd = fd;
	source->is_stream = true;
}

void
scan_source_memory(struct scan_source *source, struct bytes memory)
{
	source_init(source);
	source->memory = memory;
	source->size = memory.size;
}

void
scan_source_member(struct scan_source *source, struct archive *archive)
{
	source_init(source);
	source->archive = archive;
}

bool
scan_source_seeks(const struct scan_source *source)
{
	return !source->is_stream && source->archive == NULL;
}

void
scan_source_seek(struct scan_source *source, uint64_t at)
{
	source->at = at;
}

/* --- reading ---------------------------------------------------------------------------------- */

static enum az_status
read_file(struct scan_source *source, uint8_t *data, size_t room, size_t *ret_size)
{
	ssize_t size;

	if (source->at >= source->size) {
		*ret_size = 0;
		return AZ_OK;
	}
	if (room > source->size - source->at)
		room = (size_t)(source->size - source->at);
	do {
		size = pread(source->fd, data, room, (off_t)(source->base + source->at));
	} while (size < 0 && errno == EINTR);
	if (size < 0)
		return AZ_IO;
	source->at += (uint64_t)size;
	*ret_size = (size_t)size;
	return AZ_OK;
}

bool
scan_source_skip_hole(struct scan_source *source, struct scan_pass *pass)
{
	off_t data;

	if (source->fd < 0 || source->is_stream)
		return true;
	data = lseek(source->fd, (off_t)(source->base + source->at), SEEK_DATA);
	/* ENXIO: there is no data behind. Anything else: this is no file that can be asked. */
	if (data < 0)
		return errno != ENXIO;
	if ((uint64_t)data > source->base + source->at) {
		scan_pass_skip(pass, (uint64_t)data - source->base - source->at);
		scan_source_seek(source, (uint64_t)data - source->base);
	}
	return true;
}

static enum az_status
read_stream(
    struct scan_job *job, struct scan_source *source, uint8_t *data, size_t room, size_t *ret_size)
{
	for (;;) {
		struct pollfd wait = {.fd = source->fd, .events = POLLIN};
		int ready = poll(&wait, 1, WAIT_MS);
		enum az_status status = scan_job_unpacked(job, 0);
		ssize_t size;

		if (status != AZ_OK)
			return status;
		if (ready == 0 || (ready < 0 && errno == EINTR))
			continue;
		size = read(source->fd, data, room);
		if (size < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (size < 0)
			return AZ_IO;
		source->at += (uint64_t)size;
		*ret_size = (size_t)size;
		return size == 0 ? AZ_OK : scan_job_unpacked(job, (size_t)size);
	}
}

static enum az_status
read_member(
    struct scan_job *job, struct scan_source *source, uint8_t *data, size_t room, size_t *ret_size)
{
	la_ssize_t size = archive_read_data(source->archive, data, room);

	if (size < 0) {
		const char *text = archive_error_string(source->archive);

		return text != NULL &&
			(strstr(text, "assphrase") != NULL || strstr(text, "ncrypt") != NULL)
		    ? AZ_DENIED
		    : AZ_CORRUPT;
	}
	source->at += (uint64_t)size;
	*ret_size = (size_t)size;
	return scan_job_unpacked(job, (size_t)size);
}

enum az_status
scan_source_read(
    struct scan_job *job, struct scan_source *source, uint8_t *data, size_t room, size_t *ret_size)
{
	if (source->at < source->head_size) {
		size_t size = source->head_size - (size_t)source->at;

		size = size < room ? size : room;
		memcpy(data, source->head + source->at, size);
		source->at += size;
		*ret_size = size;
		return AZ_OK;
	}
	if (source->archive != NULL)
		return read_member(job, source, data, room, ret_size);
	if (source->is_stream)
		return read_stream(job, source, data, room, ret_size);
	if (source->fd >= 0)
		return read_file(source, data, room, ret_size);
	if (room > source->memory.size - source->at)
		room = source->memory.size - (size_t)source->at;
	memcpy(data, source->memory.data + source->at, room);
	source->at += room;
	*ret_size = room;
	return AZ_OK;
}

enum az_status
scan_source_unread(struct scan_job *job, enum az_status status)
{
	if (status == AZ_IO)
		scan_job_unread(job, SCAN_UNREAD_IO);
	else if (status == AZ_DENIED)
		scan_job_unread(job, SCAN_UNREAD_ENCRYPTED);
	else if (status == AZ_CORRUPT)
		scan_job_unread(job, SCAN_UNREAD_DAMAGED);
	else
		return status;
	return AZ_OK;
}

/* --- held in memory --------------------------------------------------------------------------- */

enum az_status
scan_source_hold(struct scan_job *job, struct scan_source *source, struct buffer *ret_buffer)
{
	struct buffer buffer;
	size_t size = 0;
	enum az_status status;

	buffer_init(&buffer, SCAN_MEMORY_MAX - job->held + 1, true);
	do {
		status = buffer_reserve(&buffer, HOLD_STEP);
		if (status == AZ_OK)
			status = scan_source_read(job, source, buffer.data + buffer.size,
			    buffer.room - buffer.size, &size);
		if (status == AZ_OK)
			buffer.size += size;
	} while (status == AZ_OK && size > 0);
	if (status == AZ_OK) {
		job->held += buffer.room;
		*ret_buffer = buffer;
		return AZ_OK;
	}
	buffer_fini(&buffer);
	if (job->ended)
		return AZ_LIMIT;
	if (status == AZ_LIMIT || status == AZ_NO_MEMORY) {
		scan_job_unread(job, SCAN_UNREAD_MEMORY);
		return AZ_NOT_FOUND;
	}
	status = scan_source_unread(job, status);
	return status == AZ_OK ? AZ_NOT_FOUND : status;
}

void
scan_source_release(struct scan_job *job, struct buffer *buffer)
{
	job->held -= buffer->room;
	buffer_fini(buffer);
}
