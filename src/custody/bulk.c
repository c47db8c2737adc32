/*
 * The two bulk threads of a list.
 *
 * The feeder reads the list once, hashing what it passes on, so that the hash in the receipt is of exactly the
 * bytes that intake was given. The worker takes typed rows from intake and does everything that needs a
 * key. Neither touches the state of the house: the worker reads the catalogue through a reader of its
 * own, and hands frames for the vault to the loop, which alone writes to that socket.
 *
 * Order of what becomes durable: key (before the threads start), rows and tokens in the vault, run file;
 * then the loop's entry; then the catalogue. A crash between any two is recovered at start.
 */
#include "custody/bulk.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "custody/delivery.h"

#define PIECE          DELIVERY_PIECE
#define CANCEL_POLL_MS 200
#define LIST_MAX       (UINT64_C(64) << 30) /* bytes of a list */
#define REFUSED_PART   20u /* more than one row in so many refused rejects the list: 5 % */

/* --- feeder ----------------------------------------------------------------------------------- */

/* Waits until fd is ready, or the bulk is cancelled; false then. */
static bool
wait_for(const struct bulk *bulk, int fd, short events)
{
	struct pollfd wait = {.fd = fd, .events = events};

	for (;;) {
		int ready;

		if (atomic_load(&bulk->cancelled))
			return false;
		ready = poll(&wait, 1, CANCEL_POLL_MS);
		if (ready > 0 || (ready < 0 && errno != EINTR))
			return true;
	}
}

/* Passes a piece on; AZ_GONE if intake has ended, which its own last word explains. */
static enum az_status
feed(const struct bulk *bulk, const uint8_t *data, size_t size, struct az_err *reterr)
{
	while (size > 0) {
		ssize_t part;

		if (!wait_for(bulk, bulk->pipe_fd, POLLOUT))
			return az_fail(reterr, AZ_GONE, "the list was given up");
		part = write(bulk->pipe_fd, data, size < PIECE / 4 ? size : PIECE / 4);
		if (part < 0 && errno == EINTR)
			continue;
		if (part < 0)
			return az_fail_errno(reterr, AZ_GONE, errno, "intake");
		data += part;
		size -= (size_t)part;
	}
	return AZ_OK;
}

/* Hands on what a piece of the file opens to; the file has ended if piece is NULL. */
static enum az_status
feed_opened(const struct bulk *bulk, struct delivery *delivery, const uint8_t *piece, size_t size,
    struct az_err *reterr)
{
	struct bytes plain;
	enum az_status status = piece == NULL
	    ? delivery_end(delivery, &plain, reterr)
	    : delivery_take(delivery, bytes_make(piece, size), &plain, reterr);

	return status == AZ_OK ? feed(bulk, plain.data, plain.size, reterr) : status;
}

static enum az_status
feed_all(struct bulk *bulk, struct delivery *delivery, uint8_t *piece, struct sha256 *hash,
    struct az_err *reterr)
{
	uint64_t total = 0;

	for (;;) {
		ssize_t size;
		enum az_status status;

		if (!wait_for(bulk, bulk->list_fd, POLLIN))
			return az_fail(reterr, AZ_GONE, "the list was given up");
		size = read(bulk->list_fd, piece, PIECE);
		if (size < 0 && errno == EINTR)
			continue;
		if (size < 0)
			return az_fail_errno(reterr, AZ_IO, errno, "the list cannot be read");
		if (size == 0)
			return feed_opened(bulk, delivery, NULL, 0, reterr);
		total += (uint64_t)size;
		if (total > LIST_MAX)
			return az_fail(reterr, AZ_LIMIT, "the list is larger than 64 GiB");
		sha256_update(hash, piece, (size_t)size);
		status = feed_opened(bulk, delivery, piece, (size_t)size, reterr);
		if (status != AZ_OK)
			return status;
	}
}

void *
bulk_feeder_run(void *arg)
{
	struct bulk *bulk = arg;
	uint8_t *piece = malloc(PIECE);
	uint8_t digest[SHA256_SIZE] = {0};
	struct delivery delivery;
	struct sha256 hash;
	struct az_err err = {0};
	enum az_status status = AZ_NO_MEMORY;

	delivery_init(&delivery, bulk->custody->intake_identity);
	if (piece != NULL) {
		sha256_init(&hash);
		status = feed_all(bulk, &delivery, piece, &hash, &err);
		sha256_final(&hash, digest);
		az_wipe(piece, PIECE);
	}
	free(piece);
	delivery_fini(&delivery);
	(void)pthread_mutex_lock(&bulk->lock);
	bulk->list_has_ended = true;
	bulk->list_status = status;
	bulk->list_err = err;
	memcpy(bulk->list_sha256, digest, sizeof(digest));
	(void)pthread_cond_broadcast(&bulk->changed);
	(void)pthread_mutex_unlock(&bulk->lock);
	/*
	 * The end of the pipe is the end of the list: so intake learns of it after whoever asks what became of
	 * the file has the answer.
	 */
	fd_close(&bulk->pipe_fd);
	return NULL;
}

/* --- between worker and loop ------------------------------------------------------------------ */

void
bulk_enter(struct bulk *bulk, enum bulk_stage stage, const struct az_err *err)
{
	(void)pthread_mutex_lock(&bulk->lock);
	bulk->stage = stage;
	if (err != NULL)
		bulk->err = *err;
	(void)pthread_cond_broadcast(&bulk->changed);
	(void)pthread_mutex_unlock(&bulk->lock);
	loop_wake(bulk->custody->config.loop);
}

enum az_status
bulk_send(struct bulk *bulk, enum vault_message type, struct buffer *body, struct az_err *reterr)
{
	struct bulk_frame *frame = calloc(1, sizeof(*frame));

	if (frame == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "the list: out of memory");
	frame->type = type;
	if (body != NULL) {
		size_t max = body->max;

		frame->body = *body;
		buffer_init(body, max, false);
	}
	(void)pthread_mutex_lock(&bulk->lock);
	while (bulk->frame_count >= BULK_FRAMES_MAX && !atomic_load(&bulk->cancelled))
		(void)pthread_cond_wait(&bulk->changed, &bulk->lock);
	*bulk->frames_end = frame;
	bulk->frames_end = &frame->next;
	bulk->frame_count++;
	(void)pthread_mutex_unlock(&bulk->lock);
	loop_wake(bulk->custody->config.loop);
	if (atomic_load(&bulk->cancelled))
		return az_fail(reterr, AZ_GONE, "the list was given up");
	return AZ_OK;
}

/* Waits until the vault has answered the flush. */
static enum az_status
wait_synced(struct bulk *bulk, struct az_err *reterr)
{
	enum az_status status;

	(void)pthread_mutex_lock(&bulk->lock);
	while (!bulk->synced && !atomic_load(&bulk->cancelled))
		(void)pthread_cond_wait(&bulk->changed, &bulk->lock);
	status = bulk->synced ? bulk->sync_status : AZ_GONE;
	if (status != AZ_OK)
		(void)az_fail(reterr, status, "%s",
		    bulk->synced ? bulk->sync_err.text : "the list was given up");
	(void)pthread_mutex_unlock(&bulk->lock);
	return status;
}

/* Waits until the loop has committed; false if it gave the list up. */
static bool
wait_committed(struct bulk *bulk)
{
	bool committed;

	(void)pthread_mutex_lock(&bulk->lock);
	while (bulk->stage == BULK_IS_SEALED)
		(void)pthread_cond_wait(&bulk->changed, &bulk->lock);
	committed = bulk->stage == BULK_IS_COMMITTED;
	(void)pthread_mutex_unlock(&bulk->lock);
	return committed;
}

/* --- worker ----------------------------------------------------------------------------------- */

/* What intake says when it gives up: passed on as it is, since it never quotes the list. */
static enum az_status
intake_failed(struct bytes body, struct az_err *reterr)
{
	struct wire_reader reader;
	char text[AZ_ERR_TEXT_SIZE];
	uint8_t status;

	wire_reader_init(&reader, body);
	status = wire_get_u8(&reader);
	wire_get_text(&reader, text, sizeof(text));
	if (!wire_end(&reader) || status <= AZ_OK || status > AZ_GONE ||
	    !bytes_are_utf8(bytes_of(text)))
		return az_fail(reterr, AZ_FORGED, "intake: a malformed error");
	return az_fail(reterr, (enum az_status)status, "%s", text);
}

/* Intake's counts must be ours. */
static enum az_status
check_done(const struct bulk *bulk, struct bytes body, struct az_err *reterr)
{
	const struct consignment *ours = &bulk->consignment;
	struct wire_reader reader;
	uint64_t rows, accepted, refused;

	wire_reader_init(&reader, body);
	rows = wire_get_u64(&reader);
	accepted = wire_get_u64(&reader);
	refused = wire_get_u64(&reader);
	if (!wire_end(&reader) || !bulk->has_columns || rows != ours->rows ||
	    accepted + refused != rows || accepted < ours->accepted)
		return az_fail(reterr, AZ_FORGED, "intake: its counts are not those of its rows");
	return AZ_OK;
}

/* Takes frames until intake is done. */
static enum az_status
read_rows(struct bulk *bulk, struct link *intake, struct az_err *reterr)
{
	bool done = false;
	enum az_status status = AZ_OK;

	while (!done && status == AZ_OK) {
		struct frame frame;

		/* A child that hangs must not hold on to a list that was given up. */
		if (intake->in_used == intake->in.size && !wait_for(bulk, intake->fd, POLLIN))
			return az_fail(reterr, AZ_GONE, "the list was given up");
		status = link_receive(intake, &frame, reterr);
		if (status == AZ_GONE)
			status = az_fail(reterr, AZ_IO, "intake ended before the list did");
		if (status != AZ_OK)
			return status;
		switch (frame.type) {
		case INTAKE_COLUMNS: status = rows_take_columns(bulk, frame.body, reterr); break;
		case INTAKE_ROWS: status = rows_take(bulk, frame.body, reterr); break;
		case INTAKE_REFUSED: status = rows_take_refused(bulk, frame.body, reterr); break;
		case INTAKE_DONE:
			status = check_done(bulk, frame.body, reterr);
			done = true;
			break;
		case INTAKE_ERROR: status = intake_failed(frame.body, reterr); break;
		default: status = az_fail(reterr, AZ_FORGED, "intake: a frame of no known type");
		}
	}
	return status;
}

/* The list has been read to its end, and every byte of it was hashed. */
static enum az_status
wait_list(struct bulk *bulk, struct az_err *reterr)
{
	enum az_status status;

	(void)pthread_mutex_lock(&bulk->lock);
	while (!bulk->list_has_ended)
		(void)pthread_cond_wait(&bulk->changed, &bulk->lock);
	status = bulk->list_status;
	if (status != AZ_OK)
		*reterr = bulk->list_err;
	memcpy(bulk->consignment.sha256, bulk->list_sha256, SHA256_SIZE);
	(void)pthread_mutex_unlock(&bulk->lock);
	return status;
}

/* Where the file itself was at fault, what intake made of the part that it saw explains nothing. */
static enum az_status
list_failed_first(struct bulk *bulk, enum az_status status, struct az_err *reterr)
{
	(void)pthread_mutex_lock(&bulk->lock);
	if (bulk->list_has_ended && bulk->list_status != AZ_OK && bulk->list_status != AZ_GONE) {
		status = bulk->list_status;
		*reterr = bulk->list_err;
	}
	(void)pthread_mutex_unlock(&bulk->lock);
	return status;
}

static enum az_status
accept_or_reject(const struct bulk *bulk, struct az_err *reterr)
{
	const struct consignment *counts = &bulk->consignment;

	if (counts->accepted == 0)
		return az_fail(reterr, AZ_INVALID, "the list has no row that can be accepted");
	if (bulk->strict && counts->refused > 0)
		return az_fail(reterr, AZ_INVALID, "%u of %u rows were refused (--strict)",
		    counts->refused, counts->rows);
	if ((uint64_t)counts->refused * REFUSED_PART > counts->rows)
		return az_fail(reterr, AZ_INVALID, "%u of %u rows were refused, more than 5 %%",
		    counts->refused, counts->rows);
	return AZ_OK;
}

static enum az_status
start_intake(struct bulk *bulk, struct link *intake, struct az_err *reterr)
{
	struct buffer body;
	struct wire_writer writer;
	enum az_status status;

	buffer_init(&body, INTAKE_COLUMNS_SIZE + 8, false);
	wire_writer_init(&writer, &body);
	wire_put_text(&writer, bulk->columns);
	wire_put_u32(&writer, bulk->allows);
	status = writer.status;
	if (status == AZ_OK)
		status = link_queue(intake, INTAKE_START, 0, buffer_peek(&body));
	buffer_fini(&body);
	if (status == AZ_OK)
		status = link_flush(intake, reterr);
	if (status != AZ_OK)
		return az_fail(reterr, status, "intake could not be asked");
	return AZ_OK;
}

/* Everything up to the commit. */
static enum az_status
seal_list(struct bulk *bulk, struct link *intake, struct az_err *reterr)
{
	enum az_status status = catalogue_run_new(
	    bulk->custody->catalogue, bulk->consignment.id, bulk->keys->run, &bulk->run, reterr);

	if (status == AZ_OK)
		status = catalogue_reader_renew(bulk->reader, reterr);
	if (status == AZ_OK)
		status = start_intake(bulk, intake, reterr);
	if (status == AZ_OK)
		status = read_rows(bulk, intake, reterr);
	if (status == AZ_OK)
		status = wait_list(bulk, reterr);
	else
		status = list_failed_first(bulk, status, reterr);
	if (status == AZ_OK)
		status = accept_or_reject(bulk, reterr);
	if (status == AZ_OK)
		status = rows_finish(bulk, reterr);
	if (status == AZ_OK)
		status = bulk_send(bulk, VAULT_SYNC, NULL, reterr);
	if (status == AZ_OK)
		status = catalogue_run_finish(&bulk->run, bulk->consignment.run, reterr);
	if (status == AZ_OK)
		status = wait_synced(bulk, reterr);
	return status;
}

void *
bulk_worker_run(void *arg)
{
	struct bulk *bulk = arg;
	struct link intake;
	struct az_err err = {0};
	enum az_status status;

	link_init(&intake, bulk->intake_fd, LINK_BLOCKING, INTAKE_BODY_MAX,
	    INTAKE_COLUMNS_SIZE + 64, true);
	bulk->intake_fd = -1;
	status = seal_list(bulk, &intake, &err);
	/* Its end of the socket gone, intake ends too, whatever it is doing. */
	link_fini(&intake);
	catalogue_run_discard(&bulk->run);
	catalogue_reader_free(&bulk->reader);
	if (status != AZ_OK) {
		err.status = status;
		bulk_enter(bulk, BULK_HAS_FAILED, &err);
		return NULL;
	}
	bulk_enter(bulk, BULK_IS_SEALED, NULL);
	if (!wait_committed(bulk))
		return NULL;
	status = catalogue_load(bulk->custody->catalogue, bulk->consignment.id,
	    bulk->consignment.as_of, bulk->keys->run, bulk->consignment.run, &err);
	/* It is committed: a restart rolls it forward, this process cannot. */
	if (status != AZ_OK)
		custody_fatal(bulk->custody, &err);
	bulk_enter(bulk, BULK_IS_LOADED, NULL);
	return NULL;
}
