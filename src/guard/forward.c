/*
 * Three processes: the one that reads (lines.h), this one, which has the key and the queue, and the teller.
 *
 *	input ─► lines ── events ──► here ─► queue ◄─ teller ─► house
 *
 * While the queue is full nothing is taken from the reader, which then waits, and with it who sends.
 */
#include "guard/forward.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/frame.h"
#include "base/proc.h"
#include "base/wire.h"
#include "guard/forwarded.h"
#include "guard/lines.h"
#include "guard/witness.h"

#define REFUSED_SAID_MAX 20u /* lines that are named; the rest are counted */
#define UNREAD_AFTER_US  (5 * AZ_US_PER_S)
#define PATIENCE_US      (10 * AZ_US_PER_S) /* without anything taken by the house, at the end */

struct forward {
	struct witness *witness;
	struct link reader;
	struct forward_result result;
	bool has_next; /* an event that is not in the queue yet */
	struct endpoint_event next;
	uint64_t untold;   /* refused lines that the house has not been told of */
	int64_t untold_us; /* since when */
	bool ended;
};

/* --- the reader ------------------------------------------------------------------------------- */

static enum az_status
start_reader(struct forward *forward, int input_fd, struct az_err *reterr)
{
	const char *argv[] = {"azukari-guard", "lines", NULL};
	struct proc_spec spec = {
	    .path = "/proc/self/exe", .argv = argv, .fd_count = 2, .inherit_stderr = true};
	int fds[2] = {-1, -1};
	pid_t pid;
	enum az_status status = proc_socketpair(fds, reterr);

	if (status != AZ_OK)
		return status;
	spec.fds[0] = fds[1];
	spec.fds[1] = input_fd;
	status = proc_spawn(&spec, &pid, reterr);
	fd_close(&fds[1]);
	if (status != AZ_OK) {
		fd_close(&fds[0]);
		return status;
	}
	link_init(
	    &forward->reader, fds[0], LINK_NONBLOCKING, LINES_BODY_MAX, LINES_BODY_MAX, false);
	return AZ_OK;
}

static void
take_refused(struct forward *forward, uint64_t line, uint8_t fault)
{
	forward->result.refused++;
	if (forward->untold++ == 0)
		forward->untold_us = clock_monotonic_us();
	if (forward->result.refused <= REFUSED_SAID_MAX)
		(void)fprintf(stderr, "azukari-guard: line %llu is refused: %s\n",
		    (unsigned long long)line, forwarded_fault_text((enum forwarded_fault)fault));
	else if (forward->result.refused == REFUSED_SAID_MAX + 1)
		(void)fputs("azukari-guard: and more\n", stderr);
}

/* False: it sent what cannot be. */
static bool
take_frame(struct forward *forward, const struct frame *frame)
{
	struct wire_reader reader;

	wire_reader_init(&reader, frame->body);
	if (frame->type == LINES_EVENT) {
		if (!endpoint_get(&reader, &forward->next) || !wire_end(&reader))
			return false;
		forward->has_next = true;
		/* Only what a desk's log can say. */
		return endpoint_is_forwarded((enum endpoint_kind)forward->next.kind) &&
		    forward->next.kind != ENDPOINT_DESK_UNREAD;
	}
	if (frame->type == LINES_REFUSED) {
		uint64_t line = wire_get_u64(&reader);
		uint8_t fault = wire_get_u8(&reader);

		if (!wire_end(&reader))
			return false;
		take_refused(forward, line, fault);
		return true;
	}
	if (frame->type != LINES_END)
		return false;
	forward->result.lines = wire_get_u64(&reader);
	forward->result.others = wire_get_u64(&reader);
	forward->ended = true;
	return wire_end(&reader);
}

/* --- the queue -------------------------------------------------------------------------------- */

static enum az_status
keep_next(struct forward *forward, struct az_err *reterr)
{
	enum az_status status = witness_forward(forward->witness, &forward->next, reterr);

	forward->has_next = false;
	if (status == AZ_OK)
		forward->result.kept++;
	if (status == AZ_CONFLICT)
		forward->result.known++;
	return status == AZ_CONFLICT ? AZ_OK : status;
}

/* Tells the house how many lines could not be read: some seconds after the first of them, or now. */
static enum az_status
tell_unread(struct forward *forward, bool now, struct az_err *reterr)
{
	struct endpoint_event event = {
	    .kind = ENDPOINT_DESK_UNREAD, .time_us = clock_now_us(), .count = forward->untold};
	enum az_status status;

	if (forward->untold == 0 || witness_is_full(forward->witness) ||
	    (!now && clock_monotonic_us() - forward->untold_us < UNREAD_AFTER_US))
		return AZ_OK;
	status = witness_forward(forward->witness, &event, reterr);
	if (status == AZ_OK)
		forward->untold = 0;
	return status;
}

/* Takes from the reader as much as there is and as the queue has room for. */
static enum az_status
take_frames(struct forward *forward, struct az_err *reterr)
{
	enum az_status status = AZ_OK;
	struct frame frame;

	while (!forward->ended && !witness_is_full(forward->witness)) {
		if (forward->has_next) {
			status = keep_next(forward, reterr);
			if (status != AZ_OK)
				return status;
			continue;
		}
		status = link_next(&forward->reader, &frame, reterr);
		if (status == AZ_OK && !take_frame(forward, &frame))
			status = az_fail(reterr, AZ_INVALID, "the reader: a malformed message");
		if (status == AZ_BUSY)
			status = link_fill(&forward->reader, reterr);
		if (status == AZ_GONE)
			return az_fail(reterr, AZ_INVALID, "the reader ended over a line");
		if (status != AZ_OK)
			return status == AZ_BUSY ? AZ_OK : status;
	}
	return AZ_OK;
}

/* --- life ------------------------------------------------------------------------------------- */

static enum az_status
wait_for_some(const struct forward *forward, struct az_err *reterr)
{
	bool takes = !forward->ended && !witness_is_full(forward->witness);
	struct pollfd polls[] = {{.fd = takes ? forward->reader.fd : -1, .events = POLLIN},
	    {.fd = witness_fd(forward->witness), .events = POLLIN}};

	if (poll(polls, AZ_ARRAY_SIZE(polls), 500) < 0 && errno != EINTR)
		return az_fail_errno(reterr, AZ_IO, errno, "wait for events");
	if (polls[1].revents != 0)
		return witness_hear(forward->witness, reterr);
	return AZ_OK;
}

static enum az_status
read_all(struct forward *forward, bool has_house, struct az_err *reterr)
{
	enum az_status status = AZ_OK;

	while (status == AZ_OK && !forward->ended) {
		status = take_frames(forward, reterr);
		if (status == AZ_OK)
			status = tell_unread(forward, false, reterr);
		if (status != AZ_OK || forward->ended)
			break;
		if (!has_house && witness_is_full(forward->witness))
			return az_fail(reterr, AZ_LIMIT,
			    "the queue is full: deliver it, and give the same lines again");
		status = wait_for_some(forward, reterr);
	}
	return status;
}

static enum az_status
deliver_all(struct forward *forward, struct az_err *reterr)
{
	uint64_t waiting = witness_waiting(forward->witness);
	int64_t since = clock_monotonic_us();
	enum az_status status = AZ_OK;

	while (status == AZ_OK && witness_waiting(forward->witness) > 0 &&
	    clock_monotonic_us() - since < PATIENCE_US) {
		status = wait_for_some(forward, reterr);
		if (witness_waiting(forward->witness) < waiting)
			since = clock_monotonic_us();
		waiting = witness_waiting(forward->witness);
	}
	return status;
}

enum az_status
forward_run(
    const struct forward_config *config, struct forward_result *ret_result, struct az_err *reterr)
{
	struct forward forward = {.reader = {.fd = -1}};
	struct witness_config witness = {
	    .run_fd = -1, .socket_path = config->socket_path, .forwards = true};
	struct sandbox sandbox = {
	    .profile = SANDBOX_VAULT, .writable_dirs = &config->dirfd, .writable_count = 1};
	enum az_status status = witness_open(config->dirfd, &witness, &forward.witness, reterr);
	bool has_reader = false;

	if (status == AZ_OK) {
		status = start_reader(&forward, config->input_fd, reterr);
		has_reader = status == AZ_OK;
	}
	if (status == AZ_OK)
		status = sandbox_enter(&sandbox, reterr);
	if (status == AZ_OK)
		status = read_all(&forward, config->socket_path != NULL, reterr);
	/* Also where reading failed: what is known to be unread is told. */
	if (forward.witness != NULL && has_reader) {
		enum az_status told = tell_unread(&forward, true, reterr);

		status = status == AZ_OK ? told : status;
	}
	if (status == AZ_OK && config->socket_path != NULL)
		status = deliver_all(&forward, reterr);
	if (forward.witness != NULL)
		forward.result.waiting = witness_waiting(forward.witness);
	*ret_result = forward.result;
	if (has_reader)
		link_fini(&forward.reader);
	witness_close(&forward.witness);
	return status;
}
