/*
 * The feeder reads the list once, hashing what it passes on to intake, so that the hash in the receipt is of exactly
 * the bytes that intake was given.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/proc.h"
#include "custody/bulk.h"
#include "custody/delivery.h"

#define PIECE          DELIVERY_PIECE
#define CANCEL_POLL_MS 200
#define LIST_MAX       (UINT64_C(64) << 30) /* bytes of a list */

bool
bulk_wait_for(const struct bulk *bulk, int fd, short events)
{
	struct pollfd wait = {.fd = fd, .events = events};

	for (;;) {
		int ready;

		if (bulk_is_over(bulk))
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

		if (!bulk_wait_for(bulk, bulk->pipe_fd, POLLOUT))
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

		if (!bulk_wait_for(bulk, bulk->list_fd, POLLIN))
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

	proc_give_way();
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
	loop_wake(bulk->custody->config.loop);
	return NULL;
}

enum az_status
bulk_wait_list(struct bulk *bulk, struct az_err *reterr)
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

enum az_status
bulk_list_failed_first(struct bulk *bulk, enum az_status status, struct az_err *reterr)
{
	(void)pthread_mutex_lock(&bulk->lock);
	if (bulk->list_has_ended && bulk->list_status != AZ_OK && bulk->list_status != AZ_GONE) {
		status = bulk->list_status;
		*reterr = bulk->list_err;
	}
	(void)pthread_mutex_unlock(&bulk->lock);
	return status;
}
