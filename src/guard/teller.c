/*
 * The teller's life:
 *
 *	key, queue ─► shut in ─► connect ─► GUARD_SIGN_IN ─► settle ─► PRESENT ─► REPORT … REPORT (a heartbeat) …
 *	                            ▲                                               │
 *	                            └────────── some seconds after any failure ─────┘
 *
 * What the house has is what it says it has: an event leaves the queue when its entry is durable there, and is sent again
 * until then; the house knows it by its number. Settling is comparing the two ends after either has been away:
 *
 *	the house has less than was delivered   it lost its end; it sees the gap, and alarms
 *	… more than was delivered               an answer was lost; go on behind it
 *	… more than there ever was              the queue was put back: everything in it gets new numbers behind the
 *	                                        house's, so that nothing is taken for what was told before; and an event says so
 */
#include "guard/teller.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/frame.h"
#include "base/proc.h"
#include "base/wire.h"
#include "guard/connect.h"
#include "guard/queue.h"

#define HEARTBEAT_MS 5000
#define RETRY_MS     5000
#define ANSWER_MS    30000
#define OUT_MAX      65536u

struct teller {
	int dirfd;
	struct key_file key;
	struct queue *queue;
	struct link guard; /* to the other half; fd -1: there is none */
	const char *socket_path;
	struct front_channel *channel;
	enum az_status said;  /* the last failure that was printed */
	struct buffer grants; /* that the other half has been told */
	bool grants_are_told;
};

/* --- the other half --------------------------------------------------------------------------- */

static enum az_status
tell_guard(struct teller *teller, enum teller_message type, uint64_t number, struct az_err *reterr)
{
	uint8_t body[8];
	enum az_status status;

	if (teller->guard.fd < 0)
		return AZ_OK;
	wire_store_u64(body, number);
	status = link_queue(&teller->guard, (uint16_t)type, 0, bytes_make(body, sizeof(body)));
	if (status == AZ_OK)
		status = link_flush(&teller->guard, reterr);
	/* It says the same again with the next one. */
	return status == AZ_BUSY ? AZ_OK : status;
}

/* Takes what the other half has said. AZ_GONE: it has ended, and so do we. */
static enum az_status
hear_guard(struct teller *teller, struct az_err *reterr)
{
	enum az_status status = link_fill(&teller->guard, reterr);
	struct frame frame;

	while (status == AZ_OK && (status = link_next(&teller->guard, &frame, reterr)) == AZ_OK) {
		if (frame.type != TELL_LAST || frame.body.size != 8)
			return az_fail(reterr, AZ_INVALID, "the guard: a malformed message");
		queue_note_last(teller->queue, wire_load_u64(frame.body.data));
	}
	return status == AZ_BUSY ? AZ_OK : status;
}

/* Waits for the other half to say something, or so long. */
static enum az_status
wait_for_guard(struct teller *teller, int wait_ms, struct az_err *reterr)
{
	struct pollfd wait = {.fd = teller->guard.fd, .events = POLLIN};
	int ready = poll(&wait, 1, wait_ms);

	if (ready < 0 && errno != EINTR)
		return az_fail_errno(reterr, AZ_IO, errno, "wait for the guard");
	return ready > 0 ? hear_guard(teller, reterr) : AZ_OK;
}

/* --- the house -------------------------------------------------------------------------------- */

/* Passes grants on, if they are others than before. */
static enum az_status
tell_grants(struct teller *teller, struct bytes grants, struct az_err *reterr)
{
	struct guard_grants known;
	enum az_status status;

	if (teller->guard.fd < 0 ||
	    (teller->grants_are_told && bytes_equal(grants, buffer_peek(&teller->grants))))
		return AZ_OK;
	status = connect_grants(grants, &known, reterr);
	if (status != AZ_OK)
		return status;
	buffer_clear(&teller->grants);
	teller->grants_are_told = false;
	status = buffer_append(&teller->grants, grants);
	if (status == AZ_OK)
		status = link_queue(&teller->guard, TOLD_GRANTS, 0, grants);
	if (status == AZ_OK)
		status = link_flush(&teller->guard, reterr);
	teller->grants_are_told = status == AZ_OK || status == AZ_BUSY;
	return status == AZ_BUSY ? AZ_OK : status;
}

static enum az_status
ask(struct teller *teller, enum front_message type, const union front_request *request,
    uint64_t *ret_last, struct az_err *reterr)
{
	struct front_answer answer;
	struct bytes grants = {0};
	enum az_status status;

	front_answer_init(&answer);
	status = channel_ask(teller->channel, type, request, -1, &answer, reterr);
	if (status == AZ_OK && answer.status != AZ_OK)
		status = az_fail(reterr, answer.status, "%s", answer.text);
	if (status == AZ_OK)
		status = connect_answer(&answer, ret_last, &grants, reterr);
	if (status == AZ_OK)
		status = tell_grants(teller, grants, reterr);
	front_answer_fini(&answer);
	return status;
}

/* Compares what the house has with what the queue says that it has. */
static enum az_status
settle(struct teller *teller, uint64_t has, struct az_err *reterr)
{
	struct queue *queue = teller->queue;
	uint64_t shift = queue_shift(queue);
	enum az_status status = AZ_OK;

	if (has > queue_last(queue) + shift) {
		status = queue_deliver(
		    queue, queue_delivered(queue), has - queue_delivered(queue), reterr);
		if (status == AZ_OK && teller->guard.fd >= 0)
			return tell_guard(teller, TOLD_RESTORED, 0, reterr);
		if (status == AZ_OK) {
			struct endpoint_event event = {
			    .kind = ENDPOINT_RESTORED, .time_us = clock_now_us()};

			status = queue_append(queue, &event, reterr);
		}
		return status;
	}
	if (has > queue_delivered(queue) + shift) {
		status = queue_deliver(queue, has - shift, shift, reterr);
		if (status == AZ_OK)
			status = tell_guard(teller, TOLD_DELIVERED, queue_delivered(queue), reterr);
	}
	return status;
}

static enum az_status
sign_in(struct teller *teller, struct az_err *reterr)
{
	union front_request request = {0};
	uint64_t has = 0;
	enum az_status status = connect_open(teller->dirfd, &teller->key, teller->socket_path,
	    ANSWER_MS, &teller->channel, &request, reterr);

	if (status == AZ_OK)
		status = ask(teller, FRONT_GUARD_SIGN_IN, &request, &has, reterr);
	if (status == AZ_OK)
		status = connect_present(teller->dirfd, &teller->key, teller->channel, reterr);
	if (status == AZ_OK)
		channel_keep_heads(teller->channel);
	if (status == AZ_OK)
		status = settle(teller, has, reterr);
	return status;
}

/* --- delivering ------------------------------------------------------------------------------- */

/* The next events, as many as go into one report; none is a report too. */
static enum az_status
gather(struct teller *teller, struct buffer *events, struct front_guard_report *report,
    struct az_err *reterr)
{
	struct queue *queue = teller->queue;
	struct wire_writer writer;
	uint64_t number = queue_delivered(queue) + 1;
	enum az_status status = AZ_OK;

	wire_writer_init(&writer, events);
	report->first = number <= queue_last(queue) ? number + queue_shift(queue) : 0;
	while (number <= queue_last(queue) && report->count < FRONT_EVENTS_MAX && status == AZ_OK &&
	    writer.status == AZ_OK) {
		struct endpoint_event event;

		status = queue_read(queue, number++, &event, reterr);
		if (status == AZ_OK)
			endpoint_put(&writer, &event);
		report->count++;
	}
	report->events = buffer_peek(events);
	if (status == AZ_OK && writer.status != AZ_OK)
		status = az_fail(reterr, writer.status, "report: out of memory");
	return status;
}

static enum az_status
report(struct teller *teller, struct az_err *reterr)
{
	struct queue *queue = teller->queue;
	union front_request request = {0};
	struct buffer events;
	uint64_t has = 0;
	enum az_status status;

	buffer_init(&events, FRONT_EVENTS_MAX * ENDPOINT_EVENT_MAX, true);
	status = gather(teller, &events, &request.guard_report, reterr);
	if (status == AZ_OK)
		status = ask(teller, FRONT_GUARD_REPORT, &request, &has, reterr);
	buffer_fini(&events);
	if (status != AZ_OK || has <= queue_delivered(queue) + queue_shift(queue))
		return status;
	if (has > queue_last(queue) + queue_shift(queue))
		return az_fail(reterr, AZ_FORGED, "the house has events that were never sent");
	status = queue_deliver(queue, has - queue_shift(queue), queue_shift(queue), reterr);
	if (status == AZ_OK)
		status = tell_guard(teller, TOLD_DELIVERED, queue_delivered(queue), reterr);
	return status;
}

static bool
has_more(const struct teller *teller)
{
	return queue_delivered(teller->queue) < queue_last(teller->queue);
}

/* Reports until something fails. AZ_GONE and the other half gone are told apart by *ret_end. */
static enum az_status
serve(struct teller *teller, bool *ret_end, struct az_err *reterr)
{
	enum az_status status = sign_in(teller, reterr);

	if (status == AZ_OK && teller->said != AZ_OK)
		(void)fprintf(stderr, "azukari-guard: the house is reached\n");
	if (status == AZ_OK)
		teller->said = AZ_OK;
	while (status == AZ_OK) {
		uint64_t before = queue_delivered(teller->queue);

		status = report(teller, reterr);
		if (status != AZ_OK)
			break;
		if (teller->guard.fd < 0 && !has_more(teller)) {
			*ret_end = true;
			return AZ_OK;
		}
		/* What was sent and is not durable there yet is asked for again, without haste. */
		status = wait_for_guard(teller,
		    !has_more(teller)                             ? HEARTBEAT_MS
			: before < queue_delivered(teller->queue) ? 0
								  : 50,
		    reterr);
		*ret_end = status != AZ_OK;
	}
	return status;
}

/* Says why once, not every few seconds. */
static void
say(struct teller *teller, const struct az_err *err)
{
	if (teller->said != err->status)
		(void)fprintf(stderr, "azukari-guard: %s\n", err->text);
	teller->said = err->status;
}

static enum az_status
tell(struct teller *teller, struct az_err *reterr)
{
	for (;;) {
		struct az_err err = {0};
		int64_t until;
		bool end = false;
		enum az_status status = serve(teller, &end, &err);

		channel_close(&teller->channel);
		if (end || teller->guard.fd < 0)
			return status == AZ_OK ? AZ_OK : az_fail(reterr, status, "%s", err.text);
		err.status = status;
		say(teller, &err);
		until = clock_monotonic_us() + RETRY_MS * INT64_C(1000);
		while (status != AZ_OK && clock_monotonic_us() < until) {
			status = wait_for_guard(teller, 200, reterr);
			if (status != AZ_OK)
				return status;
			status = AZ_BUSY;
		}
	}
}

enum az_status
teller_run(int dirfd, int guard_fd, const char *socket_path, struct az_err *reterr)
{
	struct teller teller = {.dirfd = dirfd, .socket_path = socket_path, .said = AZ_OK};
	struct sandbox sandbox = {
	    .profile = SANDBOX_FRONT, .writable_dirs = &dirfd, .writable_count = 1};
	enum az_status status = connect_key(dirfd, &teller.key, reterr);

	buffer_init(&teller.grants, TELLER_BODY_MAX, false);
	link_init(&teller.guard, guard_fd, LINK_NONBLOCKING, TELLER_BODY_MAX, OUT_MAX, false);
	if (status == AZ_OK)
		status = queue_open(
		    dirfd, teller.key.house, teller.key.seed, QUEUE_ROOM, &teller.queue, reterr);
	if (status == AZ_OK)
		status = channel_prepare(reterr);
	if (status == AZ_OK)
		status = sandbox_enter(&sandbox, reterr);
	if (status == AZ_OK)
		status = tell(&teller, reterr);
	channel_close(&teller.channel);
	queue_close(&teller.queue);
	key_file_fini(&teller.key);
	buffer_fini(&teller.grants);
	link_fini(&teller.guard);
	return status;
}
