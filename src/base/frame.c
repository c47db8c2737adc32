/*
 * Frames over a stream.
 *
 *	offset  size  field
 *	     0     4  length of the body, at most FRAME_BODY_MAX
 *	     4     2  type
 *	     6     2  version
 *	     8     4  id
 *	    12     -  body
 *
 * Arriving bytes are read as many as there are, and frames are handed out from where they lie: the
 * buffer is moved together only before it is filled again, never for a frame. It grows by doubling
 * only while reads fill it, so an idle link costs little. Queued frames lie one after the other and
 * leave in one write.
 *
 * A descriptor rides with the frame that is sent in the same sendmsg. The kernel ends a read with the
 * bytes it was sent with, but may begin it with bytes sent before; so it belongs to the frame that
 * holds the last byte of the read. Only one may be under way. Descriptors that nobody asked for are
 * closed at once, lest a stranger fill our table with them.
 */
#include "base/frame.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/file.h"
#include "base/wire.h"

#define FILL_MIN ((size_t)4 * 1024)
#define FILL_MAX ((size_t)256 * 1024)

void
link_init(
    struct link *link, int fd, enum link_mode mode, size_t body_max, size_t out_max, bool sensitive)
{
	assert(body_max <= FRAME_BODY_MAX);
	*link = (struct link){
	    .fd = fd,
	    .blocking = mode == LINK_BLOCKING,
	    .wait_ms = -1,
	    .body_max = body_max,
	    .passed_fd = -1,
	};
	/* A frame that is still arriving fits, and beside it there is always room to read. */
	buffer_init(&link->in, FRAME_HEADER_SIZE + body_max + FILL_MAX, sensitive);
	buffer_init(&link->out, out_max, sensitive);
}

void
link_fini(struct link *link)
{
	fd_close(&link->fd);
	fd_close(&link->passed_fd);
	buffer_fini(&link->in);
	buffer_fini(&link->out);
	link->in_used = 0;
	link->out_used = 0;
}

static void
header_store(uint8_t header[FRAME_HEADER_SIZE], size_t body_size, uint16_t type, uint32_t id)
{
	wire_store_u32(header, (uint32_t)body_size);
	wire_store_u16(header + 4, type);
	wire_store_u16(header + 6, FRAME_VERSION);
	wire_store_u32(header + 8, id);
}

/* Forgets what has been sent, so that it does not count against the limit. */
static void
out_compact(struct link *link)
{
	buffer_consume(&link->out, link->out_used);
	link->out_used = 0;
}

enum az_status
link_queue_begin(struct link *link, uint16_t type, uint32_t id, size_t *ret_mark)
{
	enum az_status status = AZ_INTERNAL;
	uint8_t header[FRAME_HEADER_SIZE];

	out_compact(link);
	size_t mark = link->out.size;
	header_store(header, 0, type, id);
	status = buffer_append(&link->out, bytes_make(header, sizeof(header)));
	if (status != AZ_OK)
		return status;
	*ret_mark = mark;
	return AZ_OK;
}

void
link_queue_cancel(struct link *link, size_t mark)
{
	assert(mark <= link->out.size);
	if (link->out.sensitive)
		az_wipe(link->out.data + mark, link->out.size - mark);
	link->out.size = mark;
}

enum az_status
link_queue_end(struct link *link, size_t mark)
{
	assert(mark <= link->out.size && link->out.size - mark >= FRAME_HEADER_SIZE);
	size_t body_size = link->out.size - mark - FRAME_HEADER_SIZE;

	if (body_size > FRAME_BODY_MAX) {
		link_queue_cancel(link, mark);
		return AZ_LIMIT;
	}
	wire_store_u32(link->out.data + mark, (uint32_t)body_size);
	return AZ_OK;
}

enum az_status
link_queue(struct link *link, uint16_t type, uint32_t id, struct bytes body)
{
	enum az_status status = AZ_INTERNAL;
	size_t mark = 0;

	status = link_queue_begin(link, type, id, &mark);
	if (status != AZ_OK)
		return status;
	status = buffer_append(&link->out, body);
	if (status != AZ_OK) {
		link_queue_cancel(link, mark);
		return status;
	}
	return link_queue_end(link, mark);
}

/* Waits until a blocking link's socket, which somebody else set not to block, is ready again. */
static enum az_status
link_wait(struct link *link, short events, struct az_err *reterr)
{
	struct pollfd wait = {.fd = link->fd, .events = events};

	int ready = poll(&wait, 1, link->wait_ms);

	if (ready < 0 && errno != EINTR)
		return az_fail_errno(reterr, AZ_IO, errno, "wait for a socket");
	if (ready == 0)
		return az_fail(reterr, AZ_GONE, "the other process does not answer");
	return AZ_OK;
}

/* What a failed send or receive means; AZ_OK says that it is to be tried again. */
static enum az_status
link_failed(struct link *link, short events, struct az_err *reterr)
{
	int reason = errno;

	if (reason == EINTR)
		return AZ_OK;
	if (reason == EAGAIN)
		return link->blocking ? link_wait(link, events, reterr) : AZ_BUSY;
	if (reason == EPIPE || reason == ECONNRESET)
		return az_fail(reterr, AZ_GONE, "the other process has gone away");
	return az_fail_errno(reterr, AZ_IO, reason, events == POLLIN ? "receive" : "send");
}

enum az_status
link_flush(struct link *link, struct az_err *reterr)
{
	enum az_status status = AZ_OK;
	int flags = MSG_NOSIGNAL | (link->blocking && link->wait_ms < 0 ? 0 : MSG_DONTWAIT);

	while (link->out_used < link->out.size) {
		const uint8_t *rest = link->out.data + link->out_used;
		ssize_t done = send(link->fd, rest, link->out.size - link->out_used, flags);
		if (done >= 0)
			link->out_used += (size_t)done;
		else
			status = link_failed(link, POLLOUT, reterr);
		if (status != AZ_OK)
			return status;
	}
	buffer_clear(&link->out);
	link->out_used = 0;
	return AZ_OK;
}

/* Sends header and body, with fd if it is one; how much went is added to *sent. */
static enum az_status
send_riding(struct link *link, struct iovec iov[2], int fd, size_t *sent, struct az_err *reterr)
{
	_Alignas(struct cmsghdr) uint8_t control[CMSG_SPACE(sizeof(int))] = {0};
	struct msghdr message = {.msg_iov = iov, .msg_iovlen = 2};
	enum az_status status = AZ_OK;

	if (fd >= 0) {
		struct cmsghdr *rider = (struct cmsghdr *)(void *)control;

		message.msg_control = control;
		message.msg_controllen = sizeof(control);
		rider->cmsg_level = SOL_SOCKET;
		rider->cmsg_type = SCM_RIGHTS;
		rider->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(rider), &fd, sizeof(fd));
	}
	while (status == AZ_OK) {
		ssize_t done = sendmsg(link->fd, &message, MSG_NOSIGNAL);
		if (done >= 0) {
			*sent += (size_t)done;
			break;
		}
		status = link_failed(link, POLLOUT, reterr);
	}
	return status;
}

/* One frame, with fd riding along if it is one. */
static enum az_status
send_frame(
    struct link *link, uint16_t type, uint32_t id, struct bytes body, int fd, struct az_err *reterr)
{
	enum az_status status = AZ_INTERNAL;
	uint8_t header[FRAME_HEADER_SIZE];
	size_t sent = 0;

	assert(link->blocking);
	if (body.size > FRAME_BODY_MAX)
		return az_fail(reterr, AZ_LIMIT, "a frame of %zu bytes is too large", body.size);
	status = link_flush(link, reterr);
	if (status != AZ_OK)
		return status;

	header_store(header, body.size, type, id);
	/* sendmsg reads only; struct iovec has no const form. */
	struct iovec iov[2] = {
	    {.iov_base = header, .iov_len = sizeof(header)},
	    {.iov_base = (void *)(uintptr_t)body.data, .iov_len = body.size},
	};
	status = send_riding(link, iov, fd, &sent, reterr);
	while (status == AZ_OK && sent < sizeof(header) + body.size) {
		bool in_header = sent < sizeof(header);
		size_t at = in_header ? sent : sent - sizeof(header);
		const uint8_t *rest = in_header ? header + at : body.data + at;
		size_t size = in_header ? sizeof(header) - at : body.size - at;
		ssize_t done = send(link->fd, rest, size, MSG_NOSIGNAL);
		if (done >= 0)
			sent += (size_t)done;
		else
			status = link_failed(link, POLLOUT, reterr);
	}
	return status;
}

enum az_status
link_send(struct link *link, uint16_t type, uint32_t id, struct bytes body, struct az_err *reterr)
{
	return send_frame(link, type, id, body, -1, reterr);
}

enum az_status
link_send_fd(
    struct link *link, uint16_t type, uint32_t id, struct bytes body, int fd, struct az_err *reterr)
{
	return send_frame(link, type, id, body, fd, reterr);
}

/* How many bytes the frame that has begun to arrive still lacks; 0 if it is whole or unknown. */
static size_t
in_missing(const struct link *link)
{
	size_t arrived = link->in.size - link->in_used;

	if (arrived < FRAME_HEADER_SIZE)
		return 0;
	size_t body_size = wire_load_u32(link->in.data + link->in_used);
	/* A length that link_next will refuse must not make room for itself. */
	if (body_size > link->body_max)
		return 0;
	size_t whole = FRAME_HEADER_SIZE + body_size;
	return whole > arrived ? whole - arrived : 0;
}

/* Moves the bytes not yet handed out to the front and makes room to read. */
static enum az_status
in_prepare(struct link *link, struct az_err *reterr)
{
	size_t wanted = FILL_MIN;

	/* The last read filled all there was: the next may be larger. */
	if (link->in.size > 0 && link->in.size == link->in.room)
		wanted = link->in.room < FILL_MAX / 2 ? link->in.room * 2 : FILL_MAX;
	if (wanted < in_missing(link))
		wanted = in_missing(link);

	buffer_consume(&link->in, link->in_used);
	if (link->passed_fd >= 0)
		link->passed_at -= link->in_used;
	link->in_used = 0;
	if (wanted > link->in.max - link->in.size)
		wanted = link->in.max - link->in.size;
	if (wanted == 0)
		return az_fail(reterr, AZ_LIMIT, "more frames than are taken");
	enum az_status status = buffer_reserve(&link->in, wanted);
	if (status != AZ_OK)
		return az_fail(reterr, status, "receive");
	return AZ_OK;
}

/* Keeps the one descriptor that may ride, and closes all if there are more or none is accepted. */
static enum az_status
take_riders(struct link *link, struct msghdr *message, struct az_err *reterr)
{
	bool refused = (message->msg_flags & MSG_CTRUNC) != 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < count; i++) {
			int fd = -1;
			memcpy(&fd, CMSG_DATA(c) + i * sizeof(fd), sizeof(fd));
			if (link->accepts_fds && link->passed_fd < 0 && !refused) {
				link->passed_fd = fd;
				link->passed_at = link->in.size - 1;
				continue;
			}
			refused = true;
			fd_close(&fd);
		}
	}
	if (!refused)
		return AZ_OK;
	fd_close(&link->passed_fd);
	return az_fail(reterr, AZ_INVALID, "a descriptor was passed that is not accepted");
}

enum az_status
link_fill(struct link *link, struct az_err *reterr)
{
	enum az_status status = AZ_INTERNAL;
	/* Room for two, so that a second one is seen and not silently dropped. */
	_Alignas(struct cmsghdr) uint8_t control[CMSG_SPACE(2 * sizeof(int))];
	int flags = MSG_CMSG_CLOEXEC | (link->blocking && link->wait_ms < 0 ? 0 : MSG_DONTWAIT);

	status = in_prepare(link, reterr);
	while (status == AZ_OK) {
		struct iovec iov = {
		    .iov_base = link->in.data + link->in.size,
		    .iov_len = link->in.room - link->in.size,
		};
		struct msghdr message = {
		    .msg_iov = &iov,
		    .msg_iovlen = 1,
		    .msg_control = control,
		    .msg_controllen = sizeof(control),
		};
		ssize_t done = recvmsg(link->fd, &message, flags);
		if (done == 0)
			return az_fail(reterr, AZ_GONE, "the other process has gone away");
		if (done > 0) {
			link->in.size += (size_t)done;
			return take_riders(link, &message, reterr);
		}
		status = link_failed(link, POLLIN, reterr);
	}
	return status;
}

enum az_status
link_next(struct link *link, struct frame *ret_frame, struct az_err *reterr)
{
	size_t arrived = link->in.size - link->in_used;

	if (arrived < FRAME_HEADER_SIZE)
		return AZ_BUSY;
	const uint8_t *header = link->in.data + link->in_used;
	size_t body_size = wire_load_u32(header);
	uint16_t version = wire_load_u16(header + 6);
	if (version != FRAME_VERSION)
		return az_fail(
		    reterr, AZ_INVALID, "frame version %u is unknown", (unsigned)version);
	if (body_size > link->body_max)
		return az_fail(reterr, AZ_INVALID, "a frame of %zu bytes is too large", body_size);
	if (arrived - FRAME_HEADER_SIZE < body_size)
		return AZ_BUSY;

	*ret_frame = (struct frame){
	    .type = wire_load_u16(header + 4),
	    .id = wire_load_u32(header + 8),
	    .body = bytes_make(header + FRAME_HEADER_SIZE, body_size),
	    .fd = -1,
	};
	link->in_used += FRAME_HEADER_SIZE + body_size;
	if (link->passed_fd >= 0 && link->passed_at < link->in_used) {
		ret_frame->fd = link->passed_fd;
		link->passed_fd = -1;
	}
	return AZ_OK;
}

enum az_status
link_receive(struct link *link, struct frame *ret_frame, struct az_err *reterr)
{
	assert(link->blocking);
	for (;;) {
		enum az_status status = link_next(link, ret_frame, reterr);
		if (status != AZ_BUSY)
			return status;
		status = link_fill(link, reterr);
		if (status == AZ_GONE && link->in.size > link->in_used)
			return az_fail(reterr, AZ_INVALID, "the stream ended inside a frame");
		if (status != AZ_OK)
			return status;
	}
}
