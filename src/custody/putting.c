/*
 * Putting, the loop's side: one file of one line at a time.
 *
 *	receives ─ END ─► waits for a scanner ─► reads, on a thread ─► logs ─► answered
 *	    │                                                                     │
 *	    └── the line has gone: forgotten ◄────────────────────────────────────┘
 *
 * Once it is read it is logged, whoever has gone meanwhile: what was found in it is evidence.
 */
#include "custody/putting.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/file.h"
#include "base/loop.h"
#include "custody/grants.h"
#include "custody/guards.h"
#include "custody/putting_internal.h"
#include "proto/intake.h"
#include "proto/scan.h"

#define SCANNER_BODY_MAX SCAN_BODY_MAX
#define PATIENCE_US      (120 * AZ_US_PER_S) /* with a line that says nothing, if another one waits */

enum stage { RECEIVES, WAITS, READS, LOGS, ANSWERED };
enum put_detail { PUT_ALLOWED = 1, PUT_REFUSED = 2, PUT_WRITTEN = 3, PUT_NOT_WRITTEN = 4 };

struct putting {
	struct custody *custody;
	struct custody_front *front; /* NULL: it has gone */
	struct request *request;     /* its END */
	enum stage stage;
	int64_t heard_us;
	uint32_t device;
	struct front_put asked;
	int fd;
	uint64_t received;
	struct sha256 hash;
	uint32_t scanner, intake; /* the children's ids */
	struct put_search search;
	bool has_search, has_scanner, has_intake;
	pthread_t thread;
	bool has_thread;
	atomic_bool is_read;
	bool allowed;
	struct az_err err; /* why it is refused */
};

const char *
putting_word(uint32_t detail)
{
	static const char *const words[] = {NULL, "allowed", "refused", "written", "not-written"};

	return detail < AZ_ARRAY_SIZE(words) ? words[detail] : NULL;
}

static void
putting_free(struct putting *putting)
{
	if (putting->has_thread)
		(void)pthread_join(putting->thread, NULL);
	if (putting->has_scanner)
		link_fini(&putting->search.scanner);
	if (putting->has_intake)
		link_fini(&putting->search.intake);
	fd_close(&putting->search.pipe_fd);
	if (putting->has_search)
		put_search_fini(&putting->search);
	fd_close(&putting->fd);
	putting->custody->putting = NULL;
	free(putting);
}

bool
putting_is_at_work(const struct custody *custody)
{
	const struct putting *putting = custody->putting;

	return putting != NULL && putting->stage != RECEIVES && putting->stage != ANSWERED;
}

void
putting_front_gone(struct custody *custody, const struct custody_front *front)
{
	struct putting *putting = custody->putting;

	if (putting == NULL || (front != NULL && putting->front != front))
		return;
	putting->front = NULL;
	if (!putting_is_at_work(custody)) {
		putting_free(putting);
		return;
	}
	if (front != NULL || !putting->has_thread)
		return;
	atomic_store(&putting->search.is_over, true);
	(void)shutdown(putting->search.scanner.fd, SHUT_RDWR);
}

void
putting_close(struct custody *custody)
{
	if (custody->putting != NULL)
		putting_free(custody->putting);
}

/* --- the file --------------------------------------------------------------------------------- */

static enum az_status
check(struct request *request, const struct front_put *asked, struct az_err *reterr)
{
	struct custody *custody = request->custody;
	struct putting *other = custody->putting;

	if (grant_to_write(custody, asked->grant, request->device) == NULL)
		return az_fail(
		    reterr, AZ_DENIED, "put: no grant %u lets this device write", asked->grant);
	if (custody->destroying != NULL)
		return az_fail(reterr, AZ_BUSY, "put: a list is being destroyed");
	if (ledger_space_is_low(custody->ledger))
		return az_fail(reterr, AZ_LIMIT, "put: the disk of the house is nearly full");
	if (other == NULL)
		return AZ_OK;
	if (!putting_is_at_work(custody) &&
	    (other->front == request->front ||
		clock_monotonic_us() - other->heard_us > PATIENCE_US)) {
		putting_free(other);
		return AZ_OK;
	}
	return az_fail(reterr, AZ_BUSY, "put: another file is on its way");
}

static void
reply_yes(struct request *request)
{
	struct wire_writer writer = reply_begin(request, FRONT_DONE);

	answer_object(&writer, NULL);
	answer_end(&writer);
	reply_end(request, &writer);
}

void
verb_put(struct request *request, const union front_request *body)
{
	struct custody *custody = request->custody;
	struct putting *putting = NULL;
	struct az_err err = {0};
	enum az_status status = AZ_OK;

	if (!request->front->is_putter)
		status = az_fail(&err, AZ_DENIED, "put: not on this line");
	if (status == AZ_OK)
		status = check(request, &body->put, &err);
	if (status == AZ_OK && (putting = calloc(1, sizeof(*putting))) == NULL)
		status = az_fail(&err, AZ_NO_MEMORY, "put: out of memory");
	if (status != AZ_OK) {
		request_end_with(request, status, &err);
		return;
	}
	*putting = (struct putting){.custody = custody,
	    .front = request->front,
	    .stage = RECEIVES,
	    .heard_us = clock_monotonic_us(),
	    .device = request->device,
	    .asked = body->put,
	    .fd = memfd_create("put", MFD_CLOEXEC),
	    .search = {.pipe_fd = -1}};
	sha256_init(&putting->hash);
	custody->putting = putting;
	if (putting->fd < 0) {
		(void)az_fail(&err, AZ_NO_MEMORY, "put: out of memory");
		putting_free(putting);
		request_fail(request, &err);
		return;
	}
	reply_yes(request);
}

/* The file of this line that is at this stage; NULL after the request was ended. */
static struct putting *
putting_of(struct request *request, enum stage stage)
{
	struct putting *putting = request->custody->putting;
	struct az_err err = {0};

	if (putting != NULL && putting->front == request->front && putting->stage == stage) {
		putting->heard_us = clock_monotonic_us();
		return putting;
	}
	(void)az_fail(&err, AZ_CONFLICT, "put: out of turn");
	request_fail(request, &err);
	return NULL;
}

static void
give_up(struct putting *putting, struct request *request, const struct az_err *err)
{
	putting_free(putting);
	request_fail(request, err);
}

void
verb_put_bytes(struct request *request, const union front_request *body)
{
	struct bytes bytes = body->put_bytes.bytes;
	struct putting *putting = putting_of(request, RECEIVES);
	struct az_err err = {0};
	enum az_status status = AZ_OK;

	if (putting == NULL)
		return;
	if (bytes.size > putting->asked.size - putting->received)
		status = az_fail(&err, AZ_INVALID, "put: more than it was said to be");
	if (status == AZ_OK)
		status = file_write(putting->fd, bytes, &err);
	if (status != AZ_OK) {
		give_up(putting, request, &err);
		return;
	}
	sha256_update(&putting->hash, bytes.data, bytes.size);
	putting->received += bytes.size;
	reply_yes(request);
}

void
verb_put_end(struct request *request, const union front_request *body)
{
	struct custody *custody = request->custody;
	struct putting *putting = putting_of(request, RECEIVES);
	uint8_t digest[SHA256_SIZE] = {0};
	struct az_err err = {0};
	enum az_status status = AZ_OK;

	(void)body;
	if (putting == NULL)
		return;
	sha256_final(&putting->hash, digest);
	if (putting->received != putting->asked.size ||
	    !bytes_equal(bytes_make(digest, sizeof(digest)),
		bytes_make(putting->asked.sha256, sizeof(digest))))
		status = az_fail(&err, AZ_INVALID, "put: it is not what it was said to be");
	if (status == AZ_OK && custody->destroying != NULL)
		status = az_fail(&err, AZ_BUSY, "put: a list is being destroyed");
	if (status == AZ_OK) {
		status = put_search_init(&putting->search, custody, &err);
		putting->has_search = true;
	}
	if (status != AZ_OK) {
		give_up(putting, request, &err);
		return;
	}
	putting->request = request;
	putting->stage = WAITS;
	putting->scanner = ++custody->next_child;
	putting->intake = ++custody->next_child;
	custody->config.spawn(custody->config.arg, CHILD_SCANNER, putting->scanner);
	custody->config.spawn(custody->config.arg, CHILD_INTAKE, putting->intake);
}

/* --- what came of it -------------------------------------------------------------------------- */

static struct ledger_entry
put_entry(const struct putting *putting, enum put_detail detail)
{
	struct ledger_entry entry = guard_entry(putting->custody, putting->device, ENTRY_PUT);

	entry.subject = putting->asked.grant;
	entry.detail = detail;
	entry.detail64 = putting->asked.size;
	memcpy(entry.document, putting->asked.sha256, sizeof(entry.document));
	return entry;
}

static enum az_status
submit(struct putting *putting, struct ledger_entry *entry, void *arg,
    void (*done)(void *arg, const struct az_ticket *ticket), struct az_err *reterr)
{
	char text[sizeof(putting->asked.name) + sizeof(putting->asked.users) + 64];
	struct payload payload;
	enum az_status status;

	(void)snprintf(text, sizeof(text), "users=%s\nname=%s\nunread=%u\n", putting->asked.users,
	    putting->asked.name, putting->search.unread);
	payload_init(&payload);
	status = payload_end(&payload, text, entry->text);
	if (status != AZ_OK)
		(void)az_fail(reterr, status, "put: the entry is too large");
	else
		status = ledger_submit(putting->custody->ledger, entry,
		    buffer_peek(&payload.buffer), done, arg, reterr);
	payload_fini(&payload);
	return status;
}

static void
decision_is_durable(void *arg, const struct az_ticket *ticket)
{
	struct putting *putting = arg;
	struct request *request = putting->request;
	struct custody *custody = putting->custody;
	struct az_err err = putting->err;
	struct wire_writer writer;

	putting->request = NULL;
	putting->stage = ANSWERED;
	if (!putting->allowed) {
		putting_free(putting);
		request_fail(request, &err);
	} else {
		if (putting->front == NULL)
			putting_free(putting);
		writer = reply_begin(request, FRONT_DONE);
		answer_object(&writer, NULL);
		answer_bool(&writer, "allowed", true);
		answer_object(&writer, "ledger");
		answer_text(&writer, "log", "house");
		answer_uint(&writer, "index", ticket_index(ticket));
		answer_end(&writer);
		answer_end(&writer);
		reply_end(request, &writer);
	}
	custody_may_stop(custody);
}

/* Whether it may be written; if not, err says why. */
static bool
decide(const struct putting *putting, struct az_err *err)
{
	const struct put_search *search = &putting->search;

	*err = search->err;
	err->status = search->status;
	if (search->found > 0)
		(void)az_fail(err, AZ_DENIED, "put: it holds data of the house");
	else if (search->unread != 0)
		(void)az_fail(err, AZ_DENIED,
		    "put: something in it is no text or cannot be read, so that nobody can tell "
		    "what it "
		    "holds");
	else if (search->status != AZ_OK)
		return false;
	else if (grant_to_write(putting->custody, putting->asked.grant, putting->device) == NULL)
		(void)az_fail(err, AZ_DENIED, "put: the grant has ended");
	else
		return true;
	return false;
}

static void
log_decision(struct putting *putting)
{
	struct ledger_entry entry;
	struct az_err err = {0};
	enum az_status status;

	putting->allowed = decide(putting, &putting->err);
	entry = put_entry(putting, putting->allowed ? PUT_ALLOWED : PUT_REFUSED);
	entry.rows =
	    putting->search.found > UINT32_MAX ? UINT32_MAX : (uint32_t)putting->search.found;
	if (!putting->allowed)
		entry.outcome = (uint8_t)putting->err.status;
	putting->stage = LOGS;
	status = submit(putting, &entry, putting, decision_is_durable, &err);
	if (status != AZ_OK)
		give_up(putting, putting->request, &err);
}

/* --- reading ---------------------------------------------------------------------------------- */

static void *
read_main(void *arg)
{
	struct putting *putting = arg;

	put_search_run(&putting->search);
	atomic_store(&putting->is_read, true);
	loop_wake(putting->custody->config.loop);
	return NULL;
}

bool
putting_has_child(const struct custody *custody, uint32_t id)
{
	return custody->putting != NULL && custody->putting->stage == WAITS &&
	    (custody->putting->scanner == id || custody->putting->intake == id);
}

bool
putting_child_has_pipe(const struct custody *custody, uint32_t id)
{
	return putting_has_child(custody, id) && custody->putting->intake == id;
}

void
putting_child(struct custody *custody, uint32_t id, int socket, int pipe)
{
	struct putting *putting = custody->putting;

	if (id == putting->intake) {
		link_init(&putting->search.intake, socket, LINK_NONBLOCKING, INTAKE_BODY_MAX,
		    INTAKE_START_MAX + FRAME_HEADER_SIZE, true);
		putting->search.pipe_fd = pipe;
		putting->has_intake = true;
	} else {
		link_init(&putting->search.scanner, socket, LINK_BLOCKING, SCANNER_BODY_MAX,
		    SCANNER_BODY_MAX, true);
		putting->has_scanner = true;
		fd_close(&pipe);
	}
	if (!putting->has_scanner || !putting->has_intake)
		return;
	putting->search.fd = putting->fd;
	putting->stage = READS;
	putting->has_thread = pthread_create(&putting->thread, NULL, read_main, putting) == 0;
	if (!putting->has_thread) {
		putting->search.status =
		    az_fail(&putting->search.err, AZ_NO_MEMORY, "put: no thread can be started");
		log_decision(putting);
	}
}

void
putting_child_failed(struct custody *custody, const struct az_err *err)
{
	struct putting *putting = custody->putting;

	putting->search.status = az_fail(&putting->search.err, err->status, "put: %s", err->text);
	log_decision(putting);
}

void
putting_round(struct custody *custody)
{
	struct putting *putting = custody->putting;

	if (putting == NULL || putting->stage != READS || !atomic_load(&putting->is_read))
		return;
	(void)pthread_join(putting->thread, NULL);
	putting->has_thread = false;
	log_decision(putting);
}

/* --- afterwards ------------------------------------------------------------------------------- */

static void
end_is_durable(void *arg, const struct az_ticket *ticket)
{
	(void)ticket;
	reply_yes(arg);
}

void
verb_put_written(struct request *request, const union front_request *body)
{
	struct putting *putting = putting_of(request, ANSWERED);
	bool written = body->put_written.written == 1;
	struct ledger_entry entry;
	struct az_err err = {0};
	enum az_status status;

	if (putting == NULL)
		return;
	entry = put_entry(putting, written ? PUT_WRITTEN : PUT_NOT_WRITTEN);
	if (!written)
		entry.outcome = AZ_IO;
	status = submit(putting, &entry, request, end_is_durable, &err);
	putting_free(putting);
	if (status != AZ_OK)
		request_fail(request, &err);
}
