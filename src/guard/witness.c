/*
 * The guard waits for the disk's flush with each event, and for nothing else: what it judges is closed meanwhile. The teller
 * is told the number of the newest event and tells how far the house has them; neither waits for the other.
 */
#include "guard/witness.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/frame.h"
#include "base/proc.h"
#include "base/wire.h"
#include "guard/connect.h"
#include "guard/queue.h"
#include "guard/seen.h"
#include "guard/teller.h"
#include "guard/users.h"

#define OUT_MAX 4096u

struct witness {
	int run_fd; /* the caller's */
	int lock_fd;
	struct queue *queue;
	struct guard_grants grants;
	struct link teller;
	bool has_teller;
	struct seen *seen; /* of one that forwards */
};

enum az_status
witness_lock(int dirfd, int *ret_fd, struct az_err *reterr)
{
	int fd = openat(dirfd, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return az_fail_errno(reterr, AZ_IO, errno, "the guard's lock");
	if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		fd_close(&fd);
		return az_fail(reterr, AZ_BUSY, "another guard is at work here");
	}
	*ret_fd = fd;
	return AZ_OK;
}

/* --- the teller ------------------------------------------------------------------------------- */

static enum az_status
start_teller(struct witness *witness, int dirfd, const char *socket_path, struct az_err *reterr)
{
	const char *argv[] = {"azukari-guard", "tell", socket_path, NULL};
	struct proc_spec spec = {
	    .path = "/proc/self/exe", .argv = argv, .fd_count = 2, .inherit_stderr = true};
	int fds[2] = {-1, -1};
	pid_t pid;
	enum az_status status = proc_socketpair(fds, reterr);

	if (status != AZ_OK)
		return status;
	spec.fds[0] = dirfd;
	spec.fds[1] = fds[1];
	status = proc_spawn(&spec, &pid, reterr);
	fd_close(&fds[1]);
	if (status != AZ_OK) {
		fd_close(&fds[0]);
		return status;
	}
	link_init(&witness->teller, fds[0], LINK_NONBLOCKING, TELLER_BODY_MAX, OUT_MAX, false);
	witness->has_teller = true;
	return AZ_OK;
}

/* Says how many events there are. */
static void
tell_last(struct witness *witness)
{
	uint8_t body[8];

	if (!witness->has_teller)
		return;
	wire_store_u64(body, queue_last(witness->queue));
	/* Where it does not take more it has enough to do, and hears of these with the next one. */
	if (link_queue(&witness->teller, TELL_LAST, 0, bytes_make(body, sizeof(body))) == AZ_OK)
		az_ignore(link_flush(&witness->teller, NULL));
}

struct guard_grants *
witness_grants(struct witness *witness)
{
	return &witness->grants;
}

int
witness_fd(const struct witness *witness)
{
	return witness->teller.fd;
}

/* --- events ----------------------------------------------------------------------------------- */

static void
append(struct witness *witness, struct endpoint_event *event)
{
	struct az_err err = {0};

	event->time_us = clock_now_us();
	users_signed_in(witness->run_fd, event->users, sizeof(event->users));
	if (queue_append(witness->queue, event, &err) != AZ_OK)
		(void)fprintf(stderr, "azukari-guard: %s\n", err.text);
	tell_last(witness);
}

/* --- of others -------------------------------------------------------------------------------- */

static void
remember(void *arg, uint64_t number, const struct endpoint_event *event)
{
	seen_add(arg, number, event);
}

bool
witness_is_full(const struct witness *witness)
{
	return queue_last(witness->queue) - queue_delivered(witness->queue) >=
	    queue_room(witness->queue);
}

uint64_t
witness_waiting(const struct witness *witness)
{
	return queue_last(witness->queue) - queue_delivered(witness->queue);
}

enum az_status
witness_forward(struct witness *witness, const struct endpoint_event *event, struct az_err *reterr)
{
	enum az_status status;

	if (event->kind != ENDPOINT_DESK_UNREAD && seen_has(witness->seen, event))
		return AZ_CONFLICT;
	status = queue_append(witness->queue, event, reterr);
	if (status == AZ_OK)
		seen_add(witness->seen, queue_last(witness->queue), event);
	tell_last(witness);
	return status;
}

/* --- of this machine -------------------------------------------------------------------------- */

static uint16_t
read_hex(const char text[5])
{
	uint8_t bytes[2] = {0};

	if (strlen(text) != 4 || !hex_decode(text, bytes, sizeof(bytes)))
		return 0;
	return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

void
witness_interface(struct witness *witness, const struct usb_interface *interface,
    enum guard_verdict verdict, uint32_t grant)
{
	struct endpoint_event event = {.kind = verdict == GUARD_ALLOW ? ENDPOINT_ALLOWED
		: verdict != GUARD_REFUSE                             ? ENDPOINT_GRANTED
								      : ENDPOINT_REFUSED,
	    .count = grant,
	    .interface_class = interface->interface_class,
	    .subclass = interface->subclass,
	    .protocol = interface->protocol,
	    .vendor = read_hex(interface->vendor),
	    .product = read_hex(interface->product)};

	(void)snprintf(event.place, sizeof(event.place), "%s", interface->name);
	(void)snprintf(event.serial, sizeof(event.serial), "%s", interface->serial);
	(void)snprintf(event.label, sizeof(event.label), "%s", interface->label);
	append(witness, &event);
}

void
witness_disk(struct witness *witness, const char *path)
{
	struct endpoint_event event = {.kind = ENDPOINT_DISK};
	const char *slash = strrchr(path, '/');

	(void)snprintf(event.place, sizeof(event.place), "%.60s", slash != NULL ? slash + 1 : path);
	for (char *at = event.place; *at != '\0'; at++) {
		if ((unsigned char)*at < 0x20 || (unsigned char)*at >= 0x7f)
			*at = '?';
	}
	append(witness, &event);
}

static void
append_own(struct witness *witness, enum endpoint_kind kind)
{
	struct endpoint_event event = {.kind = (uint8_t)kind};

	append(witness, &event);
}

static enum az_status
take_grants(struct witness *witness, struct bytes body, struct az_err *reterr)
{
	if (connect_grants(body, &witness->grants, NULL) != AZ_OK)
		return az_fail(reterr, AZ_INVALID, "the teller: a malformed message");
	return AZ_OK;
}

static enum az_status
take_frame(struct witness *witness, const struct frame *frame, struct az_err *reterr)
{
	if (frame->type == TOLD_GRANTS)
		return take_grants(witness, frame->body, reterr);
	if (frame->body.size != 8 ||
	    (frame->type != TOLD_DELIVERED && frame->type != TOLD_RESTORED))
		return az_fail(reterr, AZ_INVALID, "the teller: a malformed message");
	if (frame->type == TOLD_DELIVERED)
		queue_note_delivered(witness->queue, wire_load_u64(frame->body.data));
	else
		append_own(witness, ENDPOINT_RESTORED);
	return AZ_OK;
}

enum az_status
witness_hear(struct witness *witness, struct az_err *reterr)
{
	enum az_status status = link_fill(&witness->teller, reterr);
	struct frame frame;

	while (status == AZ_OK && (status = link_next(&witness->teller, &frame, reterr)) == AZ_OK)
		status = take_frame(witness, &frame, reterr);
	if (status == AZ_GONE)
		return az_fail(reterr, AZ_GONE, "the teller has ended");
	return status == AZ_BUSY ? AZ_OK : status;
}

/* --- opening ---------------------------------------------------------------------------------- */

enum az_status
witness_open(int dirfd, const struct witness_config *config, struct witness **ret_witness,
    struct az_err *reterr)
{
	struct witness *witness = calloc(1, sizeof(*witness));
	struct key_file key = {0};
	enum az_status status;

	if (witness == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "out of memory");
	witness->run_fd = config->run_fd;
	witness->lock_fd = -1;
	witness->teller.fd = -1;
	status = connect_key(dirfd, &key, reterr);
	if (status == AZ_OK)
		status = witness_lock(dirfd, &witness->lock_fd, reterr);
	if (status == AZ_OK)
		status =
		    queue_open(dirfd, key.house, key.seed, QUEUE_ROOM, &witness->queue, reterr);
	key_file_fini(&key);
	if (status == AZ_OK && config->forwards)
		status = seen_new(queue_room(witness->queue), &witness->seen, reterr);
	if (status == AZ_OK && config->forwards)
		status = queue_each(witness->queue, remember, witness->seen, reterr);
	if (status == AZ_OK && config->socket_path != NULL)
		status = start_teller(witness, dirfd, config->socket_path, reterr);
	if (status == AZ_OK && !config->forwards)
		append_own(witness, ENDPOINT_STARTED);
	if (status == AZ_OK)
		*ret_witness = witness;
	else
		witness_close(&witness);
	return status;
}

void
witness_close(struct witness **witness)
{
	struct witness *closed = *witness;

	if (closed == NULL)
		return;
	*witness = NULL;
	/* Its end of the socket tells the teller, which has nothing to save. */
	if (closed->has_teller)
		link_fini(&closed->teller);
	queue_close(&closed->queue);
	seen_free(&closed->seen);
	fd_close(&closed->lock_fd);
	free(closed);
}
