/*
 * One front: a stranger until it has signed in.
 *
 *	accepted ─ hello ─► answer ─► open: sealed messages ─► custody
 *
 * Whatever is malformed, out of turn, or does not open ends this connection and nothing else. A connection
 * has a bound on what it may send at once, on what may wait for it, and on the time until its channel is
 * up; where there are too many, who has not signed in gives way to who comes. A front that reads too slowly is closed rather than waited for.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "keeper/keeper_internal.h"

#define OUT_MAX         (8u * 1024u * 1024u) /* a list of answers may wait for a slow reader */
#define HANDSHAKE_US    (10 * AZ_US_PER_S)
#define ACCEPTS_A_ROUND 64

struct front {
	struct keeper *keeper;
	struct front *next, *previous;
	struct link link;
	struct loop_watch *watch;
	struct noise *noise;
	struct custody_front *custody;
	int64_t since_us;
	bool ended;      /* to be closed at the end of the round */
	bool hangs_up;   /* to be closed when everything was sent */
	bool has_output; /* in this round */
};

static void
front_free(struct front *front)
{
	struct keeper *keeper = front->keeper;

	custody_front_close(&front->custody);
	loop_unwatch(keeper->loop, &front->watch);
	noise_free(&front->noise);
	link_fini(&front->link);
	if (front->next != NULL)
		front->next->previous = front->previous;
	if (front->previous != NULL)
		front->previous->next = front->next;
	else
		keeper->fronts = front->next;
	keeper->front_count--;
	free(front);
}

/* --- out -------------------------------------------------------------------------------------- */

void
front_reply(void *arg, struct bytes message)
{
	struct front *front = arg;
	size_t size = message.size + NOISE_TAG_SIZE;
	size_t mark = 0;
	enum az_status status;

	if (front->ended)
		return;
	/* Sealed straight into what waits to be sent. */
	status = link_queue_begin(&front->link, FRONT_DATA, 0, &mark);
	if (status == AZ_OK) {
		status = buffer_reserve(&front->link.out, size);
		if (status == AZ_OK)
			status = noise_seal(front->noise, message,
			    front->link.out.data + front->link.out.size, NULL);
		if (status == AZ_OK) {
			front->link.out.size += size;
			status = link_queue_end(&front->link, mark);
		} else {
			link_queue_cancel(&front->link, mark);
		}
	}
	if (status != AZ_OK)
		front->ended = true;
	front->has_output = true;
}

void
front_hang_up(void *arg)
{
	struct front *front = arg;

	front->hangs_up = true;
	front->has_output = true;
}

/* Sends what waits; what the socket does not take waits for it. */
static void
flush(struct front *front)
{
	enum az_status status = link_flush(&front->link, NULL);

	front->has_output = status == AZ_BUSY;
	if (status == AZ_BUSY)
		loop_watch_for(front->watch, true, true);
	else if (status != AZ_OK || front->hangs_up)
		front->ended = true;
}

void
fronts_round(struct keeper *keeper)
{
	struct front *next;

	for (struct front *front = keeper->fronts; front != NULL; front = next) {
		next = front->next;
		if (!front->ended && front->has_output)
			flush(front);
		if (front->ended)
			front_free(front);
	}
	keeper_tell_fronts(keeper);
}

/* --- in --------------------------------------------------------------------------------------- */

static enum az_status
take_hello(struct front *front, const struct frame *frame, struct az_err *reterr)
{
	struct keeper *keeper = front->keeper;
	struct buffer answer;
	struct buffer payload;
	uint8_t challenge[NOISE_HASH_SIZE];
	enum az_status status;

	buffer_init(&answer, NOISE_MESSAGE_MAX, false);
	buffer_init(&payload, NOISE_MESSAGE_MAX, true);
	status = noise_read_handshake(front->noise, frame->body, &payload, reterr);
	/* A hello can be replayed: nothing in it may have an effect. */
	if (status == AZ_OK && payload.size > 0)
		status = az_fail(reterr, AZ_INVALID, "a hello with a payload");
	if (status == AZ_OK)
		status = noise_write_handshake(front->noise, bytes_make(NULL, 0), &answer, reterr);
	if (status == AZ_OK)
		status = link_queue(&front->link, FRONT_ANSWER, 0, buffer_peek(&answer));
	if (status == AZ_OK) {
		noise_hash(front->noise, challenge);
		status = custody_front_new(keeper->custody, challenge, front, &front->custody);
	}
	front->has_output = true;
	buffer_fini(&answer);
	buffer_fini(&payload);
	return status;
}

static enum az_status
take_data(struct front *front, struct frame *frame, struct az_err *reterr)
{
	struct buffer plain;
	int fd = frame->fd;
	enum az_status status;

	frame->fd = -1;
	buffer_init(&plain, NOISE_MESSAGE_MAX, true);
	if (frame->body.size < NOISE_TAG_SIZE)
		status = az_fail(reterr, AZ_INVALID, "a message that is too short");
	else
		status = buffer_reserve(&plain, frame->body.size);
	if (status == AZ_OK)
		status = noise_open(front->noise, frame->body, plain.data, reterr);
	if (status == AZ_OK) {
		plain.size = frame->body.size - NOISE_TAG_SIZE;
		status = custody_request(front->custody, buffer_peek(&plain), fd, reterr);
		fd = -1;
	}
	fd_close(&fd);
	buffer_fini(&plain);
	/* Descriptors are taken from people only. */
	front->link.accepts_fds = custody_front_is_signed_in(front->custody);
	return status;
}

static enum az_status
take_frame(struct front *front, struct frame *frame, struct az_err *reterr)
{
	enum az_status status;

	if (front->custody == NULL && frame->type == FRONT_HELLO)
		status = take_hello(front, frame, reterr);
	else if (front->custody != NULL && frame->type == FRONT_DATA)
		status = take_data(front, frame, reterr);
	else
		status = az_fail(reterr, AZ_INVALID, "a frame out of turn");
	fd_close(&frame->fd);
	return status;
}

static void
front_is_ready(void *arg, bool readable, bool writable)
{
	struct front *front = arg;
	enum az_status status = AZ_OK;

	if (writable) {
		loop_watch_for(front->watch, true, false);
		front->has_output = true;
	}
	if (!readable || front->ended)
		return;
	if (front->hangs_up) {
		/* What it still says is not listened to. */
		loop_watch_for(front->watch, false, true);
		return;
	}
	status = link_fill(&front->link, NULL);
	while (status == AZ_OK && !front->hangs_up && !front->ended) {
		struct frame frame;

		status = link_next(&front->link, &frame, NULL);
		if (status == AZ_OK)
			status = take_frame(front, &frame, NULL);
	}
	/* Strangers do not get to write into our log: a bad one is closed in silence. */
	if (status != AZ_OK && status != AZ_BUSY)
		front->ended = true;
}

/* --- connections ------------------------------------------------------------------------------ */

static enum az_status
front_new(struct keeper *keeper, int fd)
{
	struct front *front = calloc(1, sizeof(*front));
	uint8_t prologue[FRONT_PROLOGUE_SIZE];
	enum az_status status;

	if (front == NULL) {
		fd_close(&fd);
		return AZ_NO_MEMORY;
	}
	front->keeper = keeper;
	front->since_us = clock_monotonic_us();
	link_init(&front->link, fd, LINK_NONBLOCKING, FRONT_FRAME_MAX, OUT_MAX, true);
	front_prologue(keeper->house, prologue);
	status = noise_responder(
	    keeper->channel_key, bytes_make(prologue, sizeof(prologue)), &front->noise, NULL);
	if (status == AZ_OK)
		status = loop_watch(keeper->loop, fd, front_is_ready, front, &front->watch, NULL);
	if (status != AZ_OK) {
		noise_free(&front->noise);
		link_fini(&front->link);
		free(front);
		return status;
	}
	front->next = keeper->fronts;
	if (front->next != NULL)
		front->next->previous = front;
	keeper->fronts = front;
	keeper->front_count++;
	return AZ_OK;
}

static bool
is_signed_in(const struct front *front)
{
	return front->custody != NULL && custody_front_is_signed_in(front->custody);
}

/* Whether there is room for one more: else the stranger who has been here longest goes, so that others need not wait. */
static bool
make_room(struct keeper *keeper)
{
	struct front *oldest = NULL;

	if (keeper->front_count < keeper->fronts_max)
		return true;
	for (struct front *front = keeper->fronts; front != NULL; front = front->next) {
		if (!is_signed_in(front))
			oldest = front;
	}
	if (oldest == NULL)
		return false;
	front_free(oldest);
	return true;
}

void
fronts_accept(struct keeper *keeper)
{
	for (int i = 0; i < ACCEPTS_A_ROUND; i++) {
		int fd = accept4(keeper->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd < 0)
			return;
		if (keeper->stopping || !make_room(keeper))
			fd_close(&fd);
		else
			az_ignore(front_new(keeper, fd)); /* one that finds no memory is closed */
	}
}

void
fronts_tick(struct keeper *keeper)
{
	int64_t now = clock_monotonic_us();

	for (struct front *front = keeper->fronts; front != NULL; front = front->next) {
		if (!is_signed_in(front) && now - front->since_us > HANDSHAKE_US)
			front->ended = true;
	}
}

void
fronts_close(struct keeper *keeper)
{
	while (keeper->fronts != NULL)
		front_free(keeper->fronts);
}
