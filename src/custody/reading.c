/*
 * A file is read once, hashing what is passed on to intake, so that the hash in a receipt or in an entry is of exactly the
 * bytes that intake was given.
 */
#include "custody/reading.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/wire.h"
#include "match/match.h"

#define PIECE          DELIVERY_PIECE
#define CANCEL_POLL_MS 200
#define LIST_MAX       (UINT64_C(64) << 30) /* bytes of a list */

bool
reading_wait(const struct reading_end *end, int fd, short events)
{
	struct pollfd wait = {.fd = fd, .events = events};

	for (;;) {
		int ready;

		if (end->is_over(end->arg))
			return false;
		ready = poll(&wait, 1, CANCEL_POLL_MS);
		if (ready > 0 || (ready < 0 && errno != EINTR))
			return true;
	}
}

/* --- feeding ---------------------------------------------------------------------------------- */

static enum az_status
given_up(struct az_err *reterr)
{
	return az_fail(reterr, AZ_GONE, "the list was given up");
}

static enum az_status
feed(const struct reading_end *end, int pipe_fd, struct bytes bytes, struct az_err *reterr)
{
	while (bytes.size > 0) {
		ssize_t part;

		if (!reading_wait(end, pipe_fd, POLLOUT))
			return given_up(reterr);
		part = write(pipe_fd, bytes.data, bytes.size < PIECE / 4 ? bytes.size : PIECE / 4);
		if (part < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (part < 0)
			return az_fail_errno(reterr, AZ_GONE, errno, "intake");
		bytes.data += part;
		bytes.size -= (size_t)part;
	}
	return AZ_OK;
}

/* The next piece of the file; size 0 at its end. */
static enum az_status
read_piece(const struct reading_end *end, int list_fd, uint8_t *piece, size_t *ret_size,
    struct az_err *reterr)
{
	for (;;) {
		ssize_t size;

		if (!reading_wait(end, list_fd, POLLIN))
			return given_up(reterr);
		size = read(list_fd, piece, PIECE);
		if (size < 0 && errno == EINTR)
			continue;
		if (size < 0)
			return az_fail_errno(reterr, AZ_IO, errno, "the list cannot be read");
		*ret_size = (size_t)size;
		return AZ_OK;
	}
}

static enum az_status
feed_all(const struct reading_end *end, int list_fd, int pipe_fd, struct delivery *delivery,
    uint8_t *piece, struct sha256 *hash, struct az_err *reterr)
{
	uint64_t total = 0;

	for (;;) {
		struct bytes plain;
		size_t size = 0;
		enum az_status status = read_piece(end, list_fd, piece, &size, reterr);

		if (status != AZ_OK)
			return status;
		total += size;
		if (total > LIST_MAX)
			return az_fail(reterr, AZ_LIMIT, "the list is larger than 64 GiB");
		sha256_update(hash, piece, size);
		status = size == 0
		    ? delivery_end(delivery, &plain, reterr)
		    : delivery_take(delivery, bytes_make(piece, size), &plain, reterr);
		if (status == AZ_OK)
			status = feed(end, pipe_fd, plain, reterr);
		if (status != AZ_OK || size == 0)
			return status;
	}
}

enum az_status
reading_feed(const struct reading_end *end, int list_fd, int pipe_fd, const struct secret *identity,
    uint8_t ret_sha256[SHA256_SIZE], struct az_err *reterr)
{
	uint8_t *piece = malloc(PIECE);
	struct delivery delivery;
	struct sha256 hash;
	enum az_status status;

	sha256_init(&hash);
	delivery_init(&delivery, identity);
	/* A pipe with some room, and not for all of a piece, would else hold us for as long as intake likes. */
	if (fcntl(pipe_fd, F_SETFL, O_NONBLOCK) != 0)
		status = az_fail_errno(reterr, AZ_IO, errno, "intake");
	else
		status = piece == NULL
		    ? az_fail(reterr, AZ_NO_MEMORY, "the list: out of memory")
		    : feed_all(end, list_fd, pipe_fd, &delivery, piece, &hash, reterr);
	sha256_final(&hash, ret_sha256);
	if (piece != NULL)
		az_wipe(piece, PIECE);
	free(piece);
	delivery_fini(&delivery);
	return status;
}

/* --- intake ----------------------------------------------------------------------------------- */

enum az_status
reading_start(struct link *intake, struct intake_start *start, struct az_err *reterr)
{
	struct buffer body;
	struct wire_writer writer;
	enum az_status status;

	buffer_init(&body, INTAKE_START_MAX, true);
	wire_writer_init(&writer, &body);
	intake_start_put(&writer, start);
	az_wipe(start, sizeof(*start));
	status = writer.status;
	if (status == AZ_OK)
		status = link_queue(intake, INTAKE_START, 0, buffer_peek(&body));
	buffer_fini(&body);
	/* A socket that nothing was written to takes it whole. */
	if (status == AZ_OK)
		status = link_flush(intake, reterr);
	if (status != AZ_OK)
		return az_fail(
		    reterr, status == AZ_BUSY ? AZ_IO : status, "intake could not be asked");
	return AZ_OK;
}

enum az_status
reading_receive(const struct reading_end *end, struct link *intake, struct frame *ret_frame,
    struct az_err *reterr)
{
	enum az_status status = link_next(intake, ret_frame, reterr);

	while (status == AZ_BUSY) {
		if (!reading_wait(end, intake->fd, POLLIN))
			return given_up(reterr);
		status = link_fill(intake, reterr);
		if (status == AZ_GONE)
			return az_fail(reterr, AZ_IO, "intake ended before the list did");
		if (status == AZ_OK)
			status = link_next(intake, ret_frame, reterr);
	}
	return status;
}

enum az_status
reading_failed(struct bytes body, struct az_err *reterr)
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

bool
reading_keys_are_true(const struct intake_row *row)
{
	AZ_UNCLEARED struct match_key made[MATCH_KEYS_MAX];
	struct row decoded;
	bool bad_birth = false;
	size_t count;
	bool same;

	if (row_decode(row->encoded, &decoded) != AZ_OK)
		return false;
	count = match_row(&decoded, made, &bad_birth);
	same = count == row->key_count;
	for (size_t i = 0; i < count && same; i++)
		same = row->keys[i].kind == made[i].kind &&
		    bytes_equal(row->keys[i].key, bytes_make(made[i].key, made[i].size));
	az_wipe(made, sizeof(made));
	return same;
}
