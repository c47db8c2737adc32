/*
 * A statement: what a client's log says, in columns that people read, sealed to whom a standing approval names.
 *
 *	asked ─► may it? ─► entry `statement`, counted ─► settled ─► a slice of entries a round ─► CSV ─► age ─► a thread ─► the file
 *
 * The entry is the use: what fails behind it is used up, and its entries can be had with the next one, from where the failed one began.
 * It stands in the client's own log, so that the client, too, knows what was handed out and by whom. A file that is slow holds up
 * nothing but itself.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crypto/age.h"
#include "custody/reading.h"
#include "custody/standings.h"

#define SLICE     128u            /* entries a round: calls wait meanwhile */
#define PIECE     (256u * 1024u)  /* sealed bytes that wait for the file */
#define PLAIN_MAX (SLICE * 4096u) /* more than a slice can come to */
#define STEP      4096u           /* what a pipe that can be written to takes without waiting */
#define SLOW_US   (20 * AZ_US_PER_S)

struct stating {
	struct custody *custody;
	struct request *request;
	struct standing_approval used; /* as it is behind the use */
	struct payload payload;
	uint32_t log, columns;
	uint64_t entry; /* where the use stands in the log */
	uint64_t from, at, to, size;
	bool settled;
	struct age_writer *age;
	struct sha256 hash;
	uint64_t bytes;
	bool has_failed; /* the loop; the thread ends, and then it is told */
	struct az_err failed;
	/* The thread's, and under the lock. */
	pthread_t thread;
	bool has_thread;
	pthread_mutex_t lock;
	pthread_cond_t more;
	struct buffer piece;
	bool is_whole; /* nothing comes behind the piece */
	bool thread_is_done;
	struct az_err err;
	atomic_bool is_over; /* who asked has gone, or the house stops */
	int64_t moved_us;    /* the file took something then */
};

/* --- the thread ------------------------------------------------------------------------------- */

static bool
is_over(const void *arg)
{
	const struct stating *stating = arg;

	return atomic_load(&stating->is_over) || clock_monotonic_us() - stating->moved_us > SLOW_US;
}

static enum az_status
write_piece(struct stating *stating, struct bytes bytes, struct az_err *reterr)
{
	const struct reading_end end = {.is_over = is_over, .arg = stating};

	stating->moved_us = clock_monotonic_us();
	while (bytes.size > 0) {
		ssize_t part;

		if (!reading_wait(&end, stating->request->fd, POLLOUT))
			return az_fail(reterr, AZ_GONE, "statement: given up");
		part =
		    write(stating->request->fd, bytes.data, bytes.size < STEP ? bytes.size : STEP);
		if (part < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (part < 0)
			return az_fail_errno(
			    reterr, AZ_IO, errno, "statement: it cannot be written");
		bytes.data += part;
		bytes.size -= (size_t)part;
		stating->moved_us = clock_monotonic_us();
	}
	return AZ_OK;
}

static void *
stating_run(void *arg)
{
	struct stating *stating = arg;
	struct buffer piece;
	struct az_err err = {0};
	enum az_status status = AZ_OK;
	bool whole = false;

	buffer_init(&piece, 2 * PIECE + PLAIN_MAX, false);
	while (status == AZ_OK && !whole) {
		struct buffer taken;

		(void)pthread_mutex_lock(&stating->lock);
		while (stating->piece.size == 0 && !stating->is_whole &&
		    !atomic_load(&stating->is_over))
			(void)pthread_cond_wait(&stating->more, &stating->lock);
		taken = stating->piece;
		stating->piece = piece;
		piece = taken;
		whole = stating->is_whole;
		(void)pthread_mutex_unlock(&stating->lock);
		loop_wake(stating->custody->config.loop);
		status = atomic_load(&stating->is_over)
		    ? az_fail(&err, AZ_GONE, "statement: given up")
		    : write_piece(stating, buffer_peek(&piece), &err);
		buffer_clear(&piece);
	}
	buffer_fini(&piece);
	(void)pthread_mutex_lock(&stating->lock);
	err.status = status;
	stating->err = err;
	stating->thread_is_done = true;
	(void)pthread_mutex_unlock(&stating->lock);
	loop_wake(stating->custody->config.loop);
	return NULL;
}

/* --- ending ----------------------------------------------------------------------------------- */

static void
stating_free(struct stating *stating)
{
	struct custody *custody = stating->custody;

	if (stating->has_thread)
		(void)pthread_join(stating->thread, NULL);
	age_writer_free(&stating->age);
	payload_fini(&stating->payload);
	buffer_fini(&stating->piece);
	(void)pthread_cond_destroy(&stating->more);
	(void)pthread_mutex_destroy(&stating->lock);
	custody->stating = NULL;
	free(stating);
}

static void
stating_fail(struct stating *stating, enum az_status status, const struct az_err *err)
{
	struct custody *custody = stating->custody;
	struct request *request = stating->request;
	struct az_err copy = *err;

	stating_free(stating);
	request_fail_with(request, status, &copy);
	custody_may_stop(custody);
}

static void
stating_succeed(struct stating *stating)
{
	struct custody *custody = stating->custody;
	struct request *request = stating->request;
	const struct client *client = policy_client(custody->policy, stating->log);
	struct wire_writer writer = reply_begin(request, FRONT_DONE);
	uint8_t hash[SHA256_SIZE];
	char text[2 * SHA256_SIZE + 1];

	sha256_final(&stating->hash, hash);
	hex_encode(bytes_make(hash, sizeof(hash)), text);
	answer_object(&writer, NULL);
	answer_uint(&writer, "standing", stating->used.id);
	answer_uint(&writer, "from", stating->from);
	answer_uint(&writer, "rows", stating->to - stating->from);
	answer_uint(&writer, "remaining", stating->size - stating->to);
	answer_text(&writer, "recipient", stating->used.limits.recipient);
	answer_uint(&writer, "bytes", stating->bytes);
	answer_text(&writer, "sha256", text);
	answer_uint(&writer, "uses", stating->used.uses);
	answer_uint(&writer, "left", standing_left(&stating->used, house_now_us(custody)));
	answer_object(&writer, "ledger");
	answer_text(&writer, "log", client != NULL ? client->label : "");
	answer_uint(&writer, "index", stating->entry);
	answer_end(&writer);
	answer_end(&writer);
	stating_free(stating);
	reply_end(request, &writer);
	custody_may_stop(custody);
}

/* The thread ends as soon as the file lets it; the next round tells what came of it. */
static void
give_up(struct stating *stating)
{
	(void)pthread_mutex_lock(&stating->lock);
	atomic_store(&stating->is_over, true);
	(void)pthread_cond_signal(&stating->more);
	(void)pthread_mutex_unlock(&stating->lock);
	loop_wake(stating->custody->config.loop);
}

void
stating_front_gone(struct custody *custody, const struct custody_front *front)
{
	struct stating *stating = custody->stating;

	if (stating != NULL && (front == NULL || stating->request->front == front))
		give_up(stating);
}

void
stating_close(struct custody *custody)
{
	if (custody->stating == NULL)
		return;
	give_up(custody->stating);
	stating_free(custody->stating);
}

/* --- rounds ----------------------------------------------------------------------------------- */

/* Seals a slice and hands it to the thread. */
static enum az_status
pass_slice(struct stating *stating, struct bytes plain, struct az_err *reterr)
{
	struct buffer sealed;
	bool whole = stating->at == stating->to;
	enum az_status status;

	buffer_init(&sealed, 2 * PLAIN_MAX, false);
	status = age_writer_take(stating->age, plain, &sealed, reterr);
	if (status == AZ_OK && whole)
		status = age_writer_end(stating->age, &sealed, reterr);
	if (status == AZ_OK) {
		sha256_update(&stating->hash, sealed.data, sealed.size);
		stating->bytes += sealed.size;
		(void)pthread_mutex_lock(&stating->lock);
		status = buffer_append(&stating->piece, buffer_peek(&sealed));
		stating->is_whole = status == AZ_OK && whole;
		(void)pthread_cond_signal(&stating->more);
		(void)pthread_mutex_unlock(&stating->lock);
		if (status != AZ_OK)
			(void)az_fail(reterr, status, "statement: out of memory");
	}
	buffer_fini(&sealed);
	return status;
}

static enum az_status
gather(struct stating *stating, struct az_err *reterr)
{
	struct custody *custody = stating->custody;
	struct buffer plain;
	enum az_status status = AZ_OK;

	buffer_init(&plain, PLAIN_MAX, true);
	if (stating->at == stating->from)
		status = statement_put_header(stating->columns, &plain, reterr);
	for (unsigned int i = 0; i < SLICE && status == AZ_OK && stating->at < stating->to; i++)
		status = statement_put_entry(
		    custody, stating->log, stating->columns, stating->at++, &plain, reterr);
	if (status == AZ_OK)
		status = pass_slice(stating, buffer_peek(&plain), reterr);
	buffer_fini(&plain);
	return status;
}

void
stating_round(struct custody *custody)
{
	struct stating *stating = custody->stating;
	struct az_err err = {0};
	enum az_status status;
	size_t waits;
	bool done;

	if (stating == NULL || !stating->settled)
		return;
	(void)pthread_mutex_lock(&stating->lock);
	waits = stating->piece.size;
	done = stating->thread_is_done;
	err = stating->err;
	(void)pthread_mutex_unlock(&stating->lock);
	if (done && stating->has_failed) {
		stating_fail(stating, stating->failed.status, &stating->failed);
	} else if (done && err.status != AZ_OK) {
		stating_fail(stating, err.status, &err);
	} else if (done) {
		stating_succeed(stating);
	} else if (!stating->has_failed && waits < PIECE && stating->at < stating->to) {
		status = gather(stating, &err);
		if (status == AZ_OK) {
			loop_wake(custody->config.loop);
			return;
		}
		stating->failed = err;
		stating->failed.status = status;
		stating->has_failed = true;
		give_up(stating);
	}
}

/* --- the verb --------------------------------------------------------------------------------- */

static void
settled(void *arg)
{
	struct stating *stating = arg;
	struct custody *custody = stating->custody;
	uint8_t recipient[1][AGE_KEY_SIZE];
	struct az_err err = {0};
	enum az_status status = AZ_INVALID;

	if (age_recipient_parse(stating->used.limits.recipient, recipient[0]))
		status = age_writer_new((const uint8_t(*)[AGE_KEY_SIZE])recipient, 1,
		    &stating->piece, &stating->age, &err);
	else
		(void)az_fail(&err, AZ_INVALID, "statement: the recipient is no age recipient");
	if (status == AZ_OK) {
		sha256_update(&stating->hash, stating->piece.data, stating->piece.size);
		stating->bytes = stating->piece.size;
		stating->has_thread =
		    pthread_create(&stating->thread, NULL, stating_run, stating) == 0;
		if (!stating->has_thread)
			status = az_fail(&err, AZ_NO_MEMORY, "statement: no thread can be started");
	}
	if (status != AZ_OK) {
		stating_fail(stating, status, &err);
		return;
	}
	stating->settled = true;
	loop_wake(custody->config.loop);
}

static void
used_is_durable(void *arg, const struct az_ticket *ticket)
{
	struct stating *stating = arg;
	struct custody *custody = stating->custody;
	struct payload_text text;
	struct az_err err = {0};
	enum az_status status;

	if (payload_read(
		buffer_peek(&stating->payload.buffer), thing_apply, custody, &text, &err) != AZ_OK)
		custody_fatal(custody, &err);
	stating->entry = ticket_index(ticket);
	change_release(stating->request);
	status = ledger_settle(custody->ledger, settled, stating, &err);
	if (status != AZ_OK)
		stating_fail(stating, status, &err);
}

/* Which entries it has: as many as are there, may be, and were asked for. */
static enum az_status
choose(struct stating *stating, const struct front_statement *asked, struct az_err *reterr)
{
	const struct standing_approval *standing = &stating->used;
	uint64_t rows = asked->rows != 0 ? asked->rows : standing->limits.rows;
	struct head head;

	ledger_head(stating->custody->ledger, stating->log, &head);
	stating->size = head.size;
	stating->from = asked->from != UINT64_MAX ? asked->from : standing->next;
	if (stating->from >= head.size)
		return az_fail(reterr, AZ_NOT_FOUND, "statement: there is no entry from %llu on",
		    (unsigned long long)stating->from);
	stating->to = head.size - stating->from > rows ? stating->from + rows : head.size;
	stating->at = stating->from;
	return AZ_OK;
}

static enum az_status
submit(struct stating *stating, int64_t now_us, struct az_err *reterr)
{
	struct request *request = stating->request;
	struct ledger_entry entry = request_entry(request, ENTRY_STATEMENT);
	enum az_status status;

	stating->used.uses++;
	stating->used.last_us = now_us;
	if (stating->to > stating->used.next)
		stating->used.next = stating->to;
	entry.log = stating->log;
	entry.subject = stating->used.id;
	entry.detail = (uint32_t)(stating->to - stating->from);
	entry.detail64 = stating->from;
	standing_document(&stating->used, entry.document);
	status = payload_put_standing(&stating->payload, &stating->used);
	if (status == AZ_OK)
		status = payload_end(&stating->payload, NULL, entry.text);
	if (status != AZ_OK)
		return az_fail(reterr, status, "statement: it cannot be kept");
	return ledger_submit(request->custody->ledger, &entry,
	    buffer_peek(&stating->payload.buffer), used_is_durable, stating, reterr);
}

static uint32_t
log_of(const struct custody *custody, const struct standing_approval *standing)
{
	const struct client *client =
	    policy_client_labelled(custody->policy, standing->limits.client);

	return client != NULL ? client->id : LEDGER_HOUSE_LOG;
}

static struct stating *
stating_new(struct request *request, const struct standing_approval *standing, uint32_t columns)
{
	struct stating *stating = calloc(1, sizeof(*stating));

	if (stating == NULL)
		return NULL;
	stating->custody = request->custody;
	stating->request = request;
	stating->used = *standing;
	stating->log = request->log;
	stating->columns = columns != 0 ? columns : standing->limits.columns;
	stating->err.status = AZ_OK;
	atomic_init(&stating->is_over, false);
	sha256_init(&stating->hash);
	payload_init(&stating->payload);
	buffer_init(&stating->piece, 2 * PIECE + PLAIN_MAX, false);
	(void)pthread_mutex_init(&stating->lock, NULL);
	(void)pthread_cond_init(&stating->more, NULL);
	request->custody->stating = stating;
	return stating;
}

/* Begins the use; from its submission on it is answered by what follows. */
static enum az_status
begin(struct request *request, const struct standing_approval *standing,
    const struct front_statement *asked, int64_t now_us, struct az_err *reterr)
{
	struct stating *stating;
	enum az_status status;

	if (request->custody->phase != PHASE_SERVING)
		return az_fail(reterr, AZ_BUSY, "the keeper is stopping");
	if (request->custody->stating != NULL)
		return az_fail(reterr, AZ_BUSY, "statement: another one is being made");
	stating = stating_new(request, standing, asked->columns);
	if (stating == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "statement: out of memory");
	status = choose(stating, asked, reterr);
	if (status == AZ_OK)
		status = submit(stating, now_us, reterr);
	if (status != AZ_OK)
		stating_free(stating);
	return status;
}

void
verb_statement(struct request *request, const union front_request *body)
{
	/* What is signed is decoded to where this lies. */
	const struct front_statement asked = body->statement;
	const struct standing_approval *standing;
	int64_t now = house_now_us(request->custody);
	struct az_err err = {0};
	enum az_status status;

	if (!change_is_permitted(request))
		return;
	standing = standing_of(request->custody, asked.standing);
	if (standing == NULL) {
		(void)az_fail(
		    &err, AZ_NOT_FOUND, "standing approval %u: there is none", asked.standing);
		request_fail(request, &err);
		return;
	}
	request->log = log_of(request->custody, standing);
	status = standing_check_use(request, standing, &asked, now, &err);
	if (status == AZ_OK)
		status = begin(request, standing, &asked, now, &err);
	if (status != AZ_OK)
		request_end_with(request, status, &err);
}
