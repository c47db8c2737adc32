/*
 * Frames over a stream socket, and the two kinds of reader.
 *
 * A frame is u32 body length, u16 type, u16 version, u32 id, body (docs/format/wire.md). A link is
 * one end of a stream: it queues what is to be sent and cuts what arrives into frames. It blocks
 * never (LINK_NONBLOCKING) or always. A descriptor may ride with a frame.
 *
 * What to do with a malformed frame depends on who sent it: from our own process it is a bug or a
 * capture, and the reader ends itself; from a stranger it ends that link only. The link reports
 * AZ_INVALID and the caller chooses.
 */
#ifndef AZ_BASE_FRAME_H
#define AZ_BASE_FRAME_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"

#define FRAME_HEADER_SIZE 12
#define FRAME_BODY_MAX    (1024u * 1024u - FRAME_HEADER_SIZE)
#define FRAME_VERSION     1

struct frame {
	uint16_t type;
	uint32_t id;
	struct bytes body; /* borrowed from the link until its next fill, next or receive */
	int fd;            /* -1, or a descriptor that now belongs to the caller */
};

struct link {
	int fd;
	bool blocking;
	int wait_ms; /* how long a blocking link waits for the other side; -1 at birth: for ever. AZ_GONE then */
	bool accepts_fds; /* false at birth; then an arriving descriptor is closed and AZ_INVALID */
	struct buffer in;
	size_t in_used; /* bytes of in that link_next has handed out */
	struct buffer out;
	size_t out_used; /* bytes of out that have been sent */
	size_t body_max;
	int passed_fd;    /* received and not yet handed out, or -1 */
	size_t passed_at; /* a byte of in that belongs to the frame it rides with */
};

enum link_mode { LINK_BLOCKING, LINK_NONBLOCKING };

/*
 * Takes fd, a stream socket. body_max bounds arriving bodies (<= FRAME_BODY_MAX); out_max bounds what
 * may wait to be sent, headers included. sensitive buffers are wiped. Never fails: memory is taken
 * when it is needed.
 */
void link_init(struct link *link, int fd, enum link_mode mode, size_t body_max, size_t out_max,
    bool sensitive);
void link_fini(struct link *link);

/*
 * Queues a frame; nothing is sent yet. AZ_LIMIT if too much waits or the body is above FRAME_BODY_MAX,
 * AZ_NO_MEMORY; on failure nothing was queued.
 */
AZ_CHECKED enum az_status link_queue(
    struct link *link, uint16_t type, uint32_t id, struct bytes body);

/*
 * Starts a frame whose body the caller appends to link->out with a wire_writer; link_queue_end
 * writes the length. Nothing else may be queued or flushed between the two. A writer that failed is
 * answered with link_queue_cancel, which forgets the frame; link_queue_end does so itself when it
 * fails (AZ_LIMIT: the body is above FRAME_BODY_MAX).
 */
AZ_CHECKED enum az_status link_queue_begin(
    struct link *link, uint16_t type, uint32_t id, size_t *ret_mark);
AZ_CHECKED enum az_status link_queue_end(struct link *link, size_t mark);
void link_queue_cancel(struct link *link, size_t mark);

/* Sends what waits, as far as the socket takes it. AZ_OK, AZ_BUSY (some is left), AZ_GONE, AZ_IO. */
AZ_CHECKED enum az_status link_flush(struct link *link, struct az_err *reterr);

/* Sends what waits, then one frame, whose body is not copied (blocking links only). AZ_LIMIT, AZ_GONE, AZ_IO. */
AZ_CHECKED enum az_status link_send(
    struct link *link, uint16_t type, uint32_t id, struct bytes body, struct az_err *reterr);

/*
 * Sends what waits, then one frame with a descriptor riding along (blocking links only); fd stays the
 * caller's. AZ_LIMIT, AZ_GONE, AZ_IO; after the last two the stream cannot be continued.
 */
AZ_CHECKED enum az_status link_send_fd(struct link *link, uint16_t type, uint32_t id,
    struct bytes body, int fd, struct az_err *reterr);

/*
 * Reads once from the socket into the link. AZ_OK, AZ_BUSY (nothing there), AZ_GONE (closed), AZ_IO,
 * AZ_NO_MEMORY, AZ_LIMIT (whole frames wait that link_next has not handed out), AZ_INVALID (a
 * descriptor where none is accepted, or more than one; they are closed).
 */
AZ_CHECKED enum az_status link_fill(struct link *link, struct az_err *reterr);

/*
 * Hands out the next whole frame that has arrived. AZ_OK, AZ_BUSY (none whole yet), AZ_INVALID (bad
 * length or version: the stream cannot be continued).
 */
AZ_CHECKED enum az_status link_next(
    struct link *link, struct frame *ret_frame, struct az_err *reterr);

/*
 * Blocking links: waits for the next frame. AZ_GONE if the stream ended between frames, AZ_INVALID if
 * inside one; else as link_fill and link_next.
 */
AZ_CHECKED enum az_status link_receive(
    struct link *link, struct frame *ret_frame, struct az_err *reterr);

#endif
