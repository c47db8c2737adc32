/*
 * The stream:
 *
 *	for each file  u16 size of its name, the name; chunks: u32 size (1 to 1 MiB), bytes; u32 0
 *	at the end     u16 0
 *
 * Sizes stand before chunks and not before files, since the size of a copy that is being made is not known.
 * Whoever writes may be stopped by a reader that reads no more; it waits with poll, and ends when the
 * other descriptor, on which it was asked, hangs up.
 */
#include "proto/parts.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/wire.h"

#define OUT_ENOUGH (256u * 1024u)
#define OUT_MAX    (OUT_ENOUGH + PARTS_CHUNK_MAX + 1024u)
#define IN_MAX     (256u * 1024u)

/* --- writing ---------------------------------------------------------------------------------- */

void
parts_writer_init(struct parts_writer *writer, int fd, int gone_fd)
{
	*writer = (struct parts_writer){.fd = fd, .gone_fd = gone_fd, .status = AZ_OK};
	buffer_init(&writer->out, OUT_MAX, false);
}

void
parts_writer_fini(struct parts_writer *writer)
{
	buffer_fini(&writer->out);
}

static void
fail(struct parts_writer *writer, enum az_status status, const char *text)
{
	if (writer->status == AZ_OK)
		writer->status = az_fail(&writer->err, status, "%s", text);
}

/* Waits until fd takes more. */
static void
wait_for_reader(struct parts_writer *writer)
{
	struct pollfd fds[2] = {
	    {.fd = writer->fd, .events = POLLOUT}, {.fd = writer->gone_fd, .events = 0}};

	if (poll(fds, AZ_ARRAY_SIZE(fds), -1) < 0 && errno != EINTR)
		fail(writer, AZ_IO, "parts: cannot wait for the reader");
	else if ((fds[1].revents & (POLLHUP | POLLERR)) != 0)
		fail(writer, AZ_GONE, "parts: nobody waits for them any more");
}

static void
flush(struct parts_writer *writer)
{
	size_t sent = 0;

	while (writer->status == AZ_OK && sent < writer->out.size) {
		ssize_t size = write(writer->fd, writer->out.data + sent, writer->out.size - sent);

		if (size >= 0)
			sent += (size_t)size;
		else if (errno == EAGAIN)
			wait_for_reader(writer);
		else if (errno == EPIPE)
			fail(writer, AZ_GONE, "parts: nobody reads them");
		else if (errno != EINTR)
			fail(writer, AZ_IO, "parts: cannot write");
	}
	buffer_clear(&writer->out);
}

static void
put(struct parts_writer *writer, struct bytes bytes)
{
	if (writer->status == AZ_OK && buffer_append(&writer->out, bytes) != AZ_OK)
		fail(writer, AZ_NO_MEMORY, "parts: out of memory");
}

static void
put_u32(struct parts_writer *writer, uint32_t value)
{
	uint8_t data[4];

	wire_store_u32(data, value);
	put(writer, bytes_make(data, sizeof(data)));
}

void
parts_begin(struct parts_writer *writer, const char *name)
{
	size_t size = strlen(name);
	uint8_t data[2];

	if (size == 0 || size > PARTS_NAME_MAX) {
		fail(writer, AZ_INTERNAL, "parts: a name that no file may have");
		return;
	}
	wire_store_u16(data, (uint16_t)size);
	put(writer, bytes_make(data, sizeof(data)));
	put(writer, bytes_of(name));
}

void
parts_put(struct parts_writer *writer, struct bytes bytes)
{
	while (writer->status == AZ_OK && bytes.size > 0) {
		size_t size = bytes.size < PARTS_CHUNK_MAX ? bytes.size : PARTS_CHUNK_MAX;

		put_u32(writer, (uint32_t)size);
		put(writer, bytes_make(bytes.data, size));
		bytes = bytes_make(bytes.data + size, bytes.size - size);
		if (writer->out.size >= OUT_ENOUGH)
			flush(writer);
	}
}

void
parts_end(struct parts_writer *writer)
{
	put_u32(writer, 0);
	if (writer->out.size >= OUT_ENOUGH)
		flush(writer);
}

void
parts_file(struct parts_writer *writer, const char *name, struct bytes bytes)
{
	parts_begin(writer, name);
	parts_put(writer, bytes);
	parts_end(writer);
}

enum az_status
parts_finish(struct parts_writer *writer, struct az_err *reterr)
{
	static const uint8_t end[2];

	put(writer, bytes_make(end, sizeof(end)));
	flush(writer);
	if (writer->status != AZ_OK)
		return az_fail(reterr, writer->status, "%s", writer->err.text);
	return AZ_OK;
}

/* --- reading ---------------------------------------------------------------------------------- */

void
parts_reader_init(struct parts_reader *reader, int fd)
{
	*reader = (struct parts_reader){.fd = fd};
	buffer_init(&reader->in, IN_MAX, false);
}

void
parts_reader_fini(struct parts_reader *reader)
{
	buffer_fini(&reader->in);
}

static size_t
left(const struct parts_reader *reader)
{
	return reader->in.size - reader->used;
}

/* Reads until at least size bytes lie there; size is small. */
static enum az_status
need(struct parts_reader *reader, size_t size, struct az_err *reterr)
{
	if (left(reader) >= size)
		return AZ_OK;
	buffer_consume(&reader->in, reader->used);
	reader->used = 0;
	if (buffer_reserve(&reader->in, IN_MAX - reader->in.size) != AZ_OK)
		return az_fail(reterr, AZ_NO_MEMORY, "parts: out of memory");
	while (reader->in.size < size) {
		ssize_t got =
		    read(reader->fd, reader->in.data + reader->in.size, IN_MAX - reader->in.size);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return az_fail_errno(reterr, AZ_IO, errno, "parts: cannot read");
		if (got == 0)
			return az_fail(reterr, AZ_GONE, "parts: cut short");
		reader->in.size += (size_t)got;
	}
	return AZ_OK;
}

static const uint8_t *
take(struct parts_reader *reader, size_t size)
{
	const uint8_t *data = reader->in.data + reader->used;

	reader->used += size;
	return data;
}

static bool
name_may_be(const char *name)
{
	const char *part = name;

	while (true) {
		size_t size = strcspn(part, "/");

		if (size == 0 || (size == 1 && part[0] == '.') ||
		    (size == 2 && part[0] == '.' && part[1] == '.'))
			return false;
		for (size_t i = 0; i < size; i++) {
			if (part[i] < 0x21 || part[i] > 0x7e)
				return false;
		}
		if (part[size] == '\0')
			return true;
		part += size + 1;
	}
}

enum az_status
parts_next(struct parts_reader *reader, char name[PARTS_NAME_MAX + 1], struct az_err *reterr)
{
	enum az_status status;
	size_t size;

	if (reader->in_file)
		return az_fail(reterr, AZ_INTERNAL, "parts: a file was not read to its end");
	status = need(reader, 2, reterr);
	if (status != AZ_OK)
		return status;
	size = wire_load_u16(take(reader, 2));
	if (size == 0)
		return AZ_NOT_FOUND;
	if (size > PARTS_NAME_MAX)
		return az_fail(reterr, AZ_INVALID, "parts: a name of %zu bytes", size);
	status = need(reader, size, reterr);
	if (status != AZ_OK)
		return status;
	memcpy(name, take(reader, size), size);
	name[size] = '\0';
	if (strlen(name) != size || !name_may_be(name))
		return az_fail(reterr, AZ_INVALID, "parts: a name that no file may have");
	reader->in_file = true;
	reader->chunk_left = 0;
	return AZ_OK;
}

enum az_status
parts_read(struct parts_reader *reader, struct bytes *ret_bytes, struct az_err *reterr)
{
	enum az_status status;
	size_t size;

	if (reader->chunk_left == 0) {
		status = need(reader, 4, reterr);
		if (status != AZ_OK)
			return status;
		reader->chunk_left = wire_load_u32(take(reader, 4));
		if (reader->chunk_left == 0) {
			reader->in_file = false;
			return AZ_NOT_FOUND;
		}
		if (reader->chunk_left > PARTS_CHUNK_MAX)
			return az_fail(
			    reterr, AZ_INVALID, "parts: a chunk of %u bytes", reader->chunk_left);
	}
	status = need(reader, 1, reterr);
	if (status != AZ_OK)
		return status;
	size = left(reader) < reader->chunk_left ? left(reader) : reader->chunk_left;
	*ret_bytes = bytes_make(take(reader, size), size);
	reader->chunk_left -= (uint32_t)size;
	return AZ_OK;
}
