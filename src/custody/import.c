/*
 * Taking the rows of a history that was approved:
 *
 *	the file ─► a thread that feeds and hashes ─► intake ─► lines ─► numbers become records ─► sealed file
 *	                                                                 all good, and of the approved hash? ─► entry
 *
 * Lines are taken on the loop, a small frame a turn, since people, clients and catalogue are its own. All or nothing: one bad
 * line, or a file of another hash, leaves nothing behind.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/frame.h"
#include "base/proc.h"
#include "custody/histories.h"
#include "custody/reading.h"
#include "proto/history.h"

#define PROGRESS_US (AZ_US_PER_S / 2)

struct importing {
	struct custody *custody;
	struct request *request;
	uint32_t child;
	struct history history; /* as it will be */
	uint64_t asked_rows;
	int list_fd, pipe_fd;
	struct link link;
	bool has_link;
	struct loop_watch *watch;
	struct history_writer *writer;
	uint64_t rows;
	bool has_ended;   /* intake said so */
	int64_t heard_us; /* when intake last said something */
	int64_t told_us;
	bool fails; /* once the feeder is done, by err */
	struct az_err err;
	/* The feeder's, until it is done: */
	pthread_t feeder;
	bool has_feeder;
	atomic_bool is_over, is_fed;
	enum az_status feed_status;
	struct az_err feed_err;
	int64_t fed_us;
	uint8_t sha256[SHA256_SIZE];
	/* The flusher's, until it is done: */
	pthread_t flusher;
	bool has_flusher;
	atomic_bool is_flushed;
	enum az_status flush_status;
	struct az_err flush_err;
	struct payload payload;
};

static void
importing_free(struct importing *importing)
{
	struct custody *custody = importing->custody;

	atomic_store(&importing->is_over, true);
	if (importing->has_feeder)
		(void)pthread_join(importing->feeder, NULL);
	if (importing->has_flusher)
		(void)pthread_join(importing->flusher, NULL);
	if (importing->watch != NULL)
		loop_unwatch(custody->config.loop, &importing->watch);
	if (importing->has_link)
		link_fini(&importing->link);
	history_writer_discard(&importing->writer);
	fd_close(&importing->list_fd);
	fd_close(&importing->pipe_fd);
	custody->importing = NULL;
	free(importing);
}

/*
 * Its feeder may be inside a read that somebody else decides the end of: the loop does not wait for that, and fails the
 * import when it is over.
 */
static void
import_fail(struct importing *importing, enum az_status status, const struct az_err *err)
{
	struct request *request = importing->request;
	struct az_err copy = *err;

	copy.status = status;
	if (importing->has_feeder && !atomic_load(&importing->is_fed)) {
		importing->fails = true;
		importing->err = copy;
		atomic_store(&importing->is_over, true);
		if (importing->watch != NULL)
			loop_unwatch(importing->custody->config.loop, &importing->watch);
		return;
	}
	importing_free(importing);
	request_fail(request, &copy);
}

void
importing_close(struct custody *custody)
{
	if (custody->importing != NULL)
		importing_free(custody->importing);
}

/* Nobody may wait for a file that never ends. */
void
importing_front_gone(struct custody *custody, const struct custody_front *front)
{
	if (custody->importing != NULL && custody->importing->request->front == front)
		atomic_store(&custody->importing->is_over, true);
}

/* --- feeding ---------------------------------------------------------------------------------- */

static bool
is_over(const void *arg)
{
	const struct importing *importing = arg;

	return atomic_load(&importing->is_over);
}

static void *
feeder_run(void *arg)
{
	struct importing *importing = arg;
	struct reading_end end = {.is_over = is_over, .arg = importing};

	proc_give_way();
	importing->feed_status = reading_feed(&end, importing->list_fd, importing->pipe_fd,
	    importing->custody->intake_identity, importing->sha256, &importing->feed_err);
	/* The end of the pipe is the end of the file. */
	fd_close(&importing->pipe_fd);
	importing->fed_us = clock_monotonic_us();
	atomic_store(&importing->is_fed, true);
	loop_wake(importing->custody->config.loop);
	return NULL;
}

/* --- lines ------------------------------------------------------------------------------------ */

static enum az_status
bad(const struct history_line *line, const char *column, const char *why, struct az_err *reterr)
{
	return az_fail(reterr, AZ_INVALID, "row %u, column %s: %s", line->row, column, why);
}

static enum az_status
find_fields(const struct client *client, const struct history_line *line, uint64_t *ret_fields,
    struct az_err *reterr)
{
	uint64_t fields = line->fields;

	for (uint8_t i = 0; i < line->x_count; i++) {
		uint8_t at = 0;

		while (at < client->x_count && strcmp(client->x_names[at], line->x_names[i]) != 0)
			at++;
		if (at == client->x_count)
			return bad(line, "fields", "the client has no such field", reterr);
		fields |= FIELD_BIT(FIELD_X_FIRST + at);
	}
	*ret_fields = fields;
	return AZ_OK;
}

/* The record of the line's number; of a number that no list has, a number beyond all records that is always the same. */
static enum az_status
find_record(struct importing *importing, const struct client *client,
    const struct history_line *line, uint32_t *ret_record, struct az_err *reterr)
{
	struct custody *custody = importing->custody;
	const struct client_keys *keys = NULL;
	uint8_t digest[CATALOGUE_DIGEST_SIZE];
	enum az_status status = keys_of_client(custody, client->id, &keys, reterr);

	if (status == AZ_OK && !custody->reader_is_fresh)
		status = catalogue_reader_renew(custody->reader, reterr);
	if (status != AZ_OK)
		return status;
	custody->reader_is_fresh = true;
	number_digest(keys, line->number, digest);
	status = catalogue_record(custody->reader, digest, ret_record, reterr);
	if (status != AZ_NOT_FOUND)
		return status;
	/* The first bytes are the client's. */
	*ret_record = HISTORY_UNKNOWN | wire_load_u32(digest + CATALOGUE_DIGEST_SIZE - 4);
	importing->history.unknown++;
	return AZ_OK;
}

static enum az_status
check_consignment(struct importing *importing, const struct client *client,
    const struct history_line *line, struct az_err *reterr)
{
	const struct consignment *consignment =
	    consignment_of(importing->custody, line->consignment);

	if (consignment == NULL || consignment->client != client->id)
		return bad(line, "carrier", "the client has no such consignment", reterr);
	return AZ_OK;
}

static void
see_time(struct importing *importing, int64_t time_us)
{
	struct history *history = &importing->history;

	if (importing->rows == 0 || time_us < history->from_us)
		history->from_us = time_us;
	if (importing->rows == 0 || time_us > history->to_us)
		history->to_us = time_us;
}

static enum az_status
take_line(struct importing *importing, const struct history_line *line, struct az_err *reterr)
{
	const struct policy *policy = importing->custody->policy;
	const struct client *client = policy_client_labelled(policy, line->client);
	struct history_row row = {
	    .time_us = line->time_us, .kind = line->kind, .consignment = line->consignment};
	enum az_status status;

	if (line->row != importing->rows + 1)
		return az_fail(reterr, AZ_INVALID, "history: intake sent what cannot be");
	if (importing->rows == importing->asked_rows)
		return az_fail(reterr, AZ_CONFLICT,
		    "history %u: it has other rows than what was approved", importing->history.id);
	if (client == NULL)
		return bad(line, "client", "there is no such client", reterr);
	if (line->time_us > clock_now_us() + AZ_US_PER_DAY)
		return bad(line, "time", "it is in the future", reterr);
	row.client = client->id;
	status = find_fields(client, line, &row.fields, reterr);
	if (status == AZ_OK && line->consignment != 0)
		status = check_consignment(importing, client, line, reterr);
	else if (status == AZ_OK)
		status = find_record(importing, client, line, &row.record, reterr);
	if (status == AZ_OK)
		status = history_writer_name(importing->writer, line->staff, &row.staff, reterr);
	if (status == AZ_OK)
		status = history_writer_name(importing->writer, line->device, &row.device, reterr);
	if (status == AZ_OK)
		status =
		    history_writer_name(importing->writer, line->carrier, &row.carrier, reterr);
	if (status == AZ_OK)
		status = history_writer_row(importing->writer, &row, reterr);
	if (status != AZ_OK)
		return status;
	see_time(importing, line->time_us);
	importing->rows++;
	return AZ_OK;
}

static enum az_status
take_lines(struct importing *importing, struct bytes body, struct az_err *reterr)
{
	static struct history_line line;
	struct wire_reader reader;
	enum az_status status = AZ_OK;
	uint32_t count;

	wire_reader_init(&reader, body);
	count = wire_get_count(&reader, INTAKE_ROWS_MAX, 40);
	for (uint32_t i = 0; i < count && status == AZ_OK; i++) {
		history_line_get(&reader, &line);
		if (!reader.failed)
			status = take_line(importing, &line, reterr);
	}
	if (status == AZ_OK && !wire_end(&reader))
		return az_fail(reterr, AZ_INVALID, "history: intake sent what cannot be");
	return status;
}

/* --- the end ---------------------------------------------------------------------------------- */

static void
kept_is_durable(void *arg, const struct az_ticket *ticket)
{
	struct importing *importing = arg;
	struct request *request = importing->request;
	struct custody *custody = importing->custody;
	const struct history *history = &importing->history;
	struct payload_text text;
	struct wire_writer writer;
	struct az_err err = {0};

	if (payload_read(buffer_peek(&importing->payload.buffer), thing_apply, custody, &text,
		&err) != AZ_OK)
		custody_fatal(custody, &err);
	payload_fini(&importing->payload);
	writer = reply_begin(request, FRONT_DONE);
	answer_object(&writer, NULL);
	answer_uint(&writer, "history", history->id);
	answer_uint(&writer, "rows", history->rows);
	answer_uint(&writer, "unknown", history->unknown);
	answer_time(&writer, "from", history->from_us);
	answer_time(&writer, "to", history->to_us);
	answer_text(&writer, "grade", "imported");
	answer_bytes(&writer, "sha256", bytes_make(history->hash, sizeof(history->hash)));
	answer_ledger(&writer, custody, ticket);
	answer_end(&writer);
	importing_free(importing);
	reply_end(request, &writer);
}

/* The sealed file is on disk: the entry makes it the house's. */
static void
commit(struct importing *importing)
{
	struct custody *custody = importing->custody;
	struct ledger_entry entry;
	struct az_err err = {0};
	enum az_status status;

	importing->history.state = HISTORY_KEPT;
	importing->history.kept_us = clock_now_us();
	entry = history_entry(importing->request, &importing->history, HISTORY_IS_KEPT);
	entry.grade = GRADE_IMPORTED;
	payload_init(&importing->payload);
	status = payload_put_history(&importing->payload, &importing->history);
	if (status == AZ_OK)
		status = payload_end(&importing->payload, NULL, entry.text);
	if (status == AZ_OK)
		status = ledger_submit(custody->ledger, &entry,
		    buffer_peek(&importing->payload.buffer), kept_is_durable, importing, &err);
	if (status == AZ_OK)
		return;
	payload_fini(&importing->payload);
	/* What lies there without an entry is removed by the next start, or written over. */
	import_fail(importing, status, &err);
}

static void *
flusher_run(void *arg)
{
	struct importing *importing = arg;

	importing->flush_status = history_writer_finish(
	    &importing->writer, importing->history.run, &importing->flush_err);
	atomic_store(&importing->is_flushed, true);
	loop_wake(importing->custody->config.loop);
	return NULL;
}

/* Every line was taken and the file read to its end: is it the one that was approved? */
static void
finish(struct importing *importing)
{
	struct history *history = &importing->history;
	struct az_err err = importing->feed_err;
	enum az_status status = importing->feed_status;

	(void)pthread_join(importing->feeder, NULL);
	importing->has_feeder = false;
	if (status == AZ_OK &&
	    !bytes_equal(
		bytes_make(importing->sha256, SHA256_SIZE), bytes_make(history->hash, SHA256_SIZE)))
		status = az_fail(&err, AZ_CONFLICT,
		    "history %u: this is not the file that was approved", history->id);
	if (status == AZ_OK && importing->rows != importing->asked_rows)
		status = az_fail(&err, AZ_CONFLICT,
		    "history %u: it has other rows than what was approved", history->id);
	if (status == AZ_OK) {
		history->rows = importing->rows;
		importing->has_flusher =
		    pthread_create(&importing->flusher, NULL, flusher_run, importing) == 0;
		if (!importing->has_flusher)
			status = az_fail(&err, AZ_NO_MEMORY, "history: no thread can be started");
	}
	if (status != AZ_OK)
		import_fail(importing, status, &err);
}

/* The file was read to its end or given up, and intake has nothing to say to that. */
static void
end_silence(struct importing *importing)
{
	int64_t now = clock_monotonic_us();
	struct az_err err = {0};

	if (atomic_load(&importing->is_over))
		import_fail(importing, az_fail(&err, AZ_GONE, "history: it was given up"), &err);
	else if (now - importing->fed_us > READING_SILENCE_US &&
	    now - importing->heard_us > READING_SILENCE_US)
		import_fail(importing,
		    az_fail(&err, AZ_IO,
			"history: intake has the whole file and says nothing any more"),
		    &err);
}

void
importing_round(struct custody *custody)
{
	struct importing *importing = custody->importing;

	if (importing == NULL)
		return;
	if (importing->fails) {
		if (atomic_load(&importing->is_fed))
			import_fail(importing, importing->err.status, &importing->err);
	} else if (importing->has_flusher && atomic_load(&importing->is_flushed)) {
		struct az_err err = importing->flush_err;

		(void)pthread_join(importing->flusher, NULL);
		importing->has_flusher = false;
		if (importing->flush_status == AZ_OK)
			commit(importing);
		else
			import_fail(importing, importing->flush_status, &err);
	} else if (importing->has_feeder && atomic_load(&importing->is_fed)) {
		if (importing->has_ended)
			finish(importing);
		else
			end_silence(importing);
	}
}

/* --- the child -------------------------------------------------------------------------------- */

static enum az_status
take_done(struct importing *importing, struct bytes body, struct az_err *reterr)
{
	struct wire_reader reader;
	uint64_t rows;

	wire_reader_init(&reader, body);
	rows = wire_get_u64(&reader);
	if (wire_get_u64(&reader) != rows || wire_get_u64(&reader) != 0 || !wire_end(&reader) ||
	    rows != importing->rows)
		return az_fail(reterr, AZ_INVALID, "history: intake sent what cannot be");
	importing->has_ended = true;
	loop_unwatch(importing->custody->config.loop, &importing->watch);
	loop_wake(importing->custody->config.loop);
	return AZ_OK;
}

static enum az_status
take_frame(struct importing *importing, const struct frame *frame, struct az_err *reterr)
{
	switch (frame->type) {
	case INTAKE_HISTORY_LINES: return take_lines(importing, frame->body, reterr);
	case INTAKE_DONE: return take_done(importing, frame->body, reterr);
	case INTAKE_ERROR: return reading_failed(frame->body, reterr);
	default: return az_fail(reterr, AZ_INVALID, "history: intake sent what cannot be");
	}
}

static void
tell_progress(struct importing *importing)
{
	int64_t now = clock_monotonic_us();

	if (now - importing->told_us < PROGRESS_US)
		return;
	importing->told_us = now;
	request_progress(importing->request, importing->rows, importing->asked_rows, "rows");
}

static void
child_is_ready(void *arg, bool readable, bool writable)
{
	struct importing *importing = arg;
	struct frame frame;
	struct az_err err = {0};
	enum az_status status = link_fill(&importing->link, &err);

	(void)readable;
	(void)writable;
	importing->heard_us = clock_monotonic_us();
	while (status == AZ_OK && !importing->has_ended) {
		status = link_next(&importing->link, &frame, &err);
		if (status == AZ_OK)
			status = take_frame(importing, &frame, &err);
	}
	if (status == AZ_OK || status == AZ_BUSY) {
		tell_progress(importing);
		return;
	}
	if (status == AZ_GONE)
		status = az_fail(&err, AZ_IO, "history: intake ended before the file did");
	/* Where the file itself was at fault, what intake made of its part explains nothing. */
	if (atomic_load(&importing->is_fed) && importing->feed_status != AZ_OK &&
	    importing->feed_status != AZ_GONE) {
		status = importing->feed_status;
		err = importing->feed_err;
	}
	import_fail(importing, status, &err);
}

static enum az_status
begin(struct importing *importing, struct az_err *reterr)
{
	struct custody *custody = importing->custody;
	struct intake_start start = {.mode = INTAKE_HISTORY};
	enum az_status status =
	    history_writer_new(custody, importing->history.id, &importing->writer, reterr);

	if (status == AZ_OK)
		status = reading_start(&importing->link, &start, reterr);
	if (status == AZ_OK)
		status = loop_watch(custody->config.loop, importing->link.fd, child_is_ready,
		    importing, &importing->watch, reterr);
	if (status != AZ_OK)
		return status;
	importing->has_feeder =
	    pthread_create(&importing->feeder, NULL, feeder_run, importing) == 0;
	return importing->has_feeder
	    ? AZ_OK
	    : az_fail(reterr, AZ_NO_MEMORY, "history: no thread can be started");
}

void
importing_child(struct custody *custody, int socket, int pipe)
{
	struct importing *importing = custody->importing;
	struct az_err err = {0};
	enum az_status status;

	importing->pipe_fd = pipe;
	link_init(&importing->link, socket, LINK_NONBLOCKING, INTAKE_BODY_MAX,
	    INTAKE_START_MAX + 64, true);
	importing->has_link = true;
	status = begin(importing, &err);
	if (status != AZ_OK)
		import_fail(importing, status, &err);
}

bool
importing_has_child(const struct custody *custody, uint32_t child)
{
	return custody->importing != NULL && custody->importing->child == child;
}

void
importing_child_failed(struct custody *custody, const struct az_err *err)
{
	import_fail(custody->importing, err->status, err);
}

/* --- the verb --------------------------------------------------------------------------------- */

static enum az_status
may_import(const struct request *request, const struct history *history, uint32_t id,
    struct az_err *reterr)
{
	struct custody *custody = request->custody;

	if (history == NULL)
		return az_fail(reterr, AZ_NOT_FOUND, "history %u: there is none", id);
	if (history->staff != request->staff)
		return az_fail(reterr, AZ_DENIED, "history %u: it is somebody else's", id);
	if (history->state == HISTORY_ASKED)
		return az_fail(reterr, AZ_DENIED, "history %u: it is not approved", id);
	if (history->state != HISTORY_APPROVED)
		return az_fail(
		    reterr, AZ_CONFLICT, "history %u: this file was imported already", id);
	if (custody->importing != NULL)
		return az_fail(reterr, AZ_BUSY, "history: another one is on its way in");
	if (ledger_space_is_low(custody->ledger))
		return az_fail(reterr, AZ_LIMIT, "history: the disk is nearly full");
	return AZ_OK;
}

void
verb_history_import(struct request *request, const union front_request *body)
{
	struct custody *custody = request->custody;
	const struct history *history = history_of(custody, body->numbered.number);
	struct importing *importing = NULL;
	struct az_err err = {0};
	enum az_status status;

	if (!change_is_permitted(request))
		return;
	status = may_import(request, history, body->numbered.number, &err);
	if (status == AZ_OK) {
		importing = calloc(1, sizeof(*importing));
		if (importing == NULL)
			status = az_fail(&err, AZ_NO_MEMORY, "history: out of memory");
	}
	if (status != AZ_OK) {
		err.status = status;
		if (status == AZ_DENIED)
			request_refuse(request, &err);
		else
			request_fail(request, &err);
		return;
	}
	importing->custody = custody;
	importing->request = request;
	importing->child = ++custody->next_child;
	importing->history = *history;
	importing->asked_rows = history->rows;
	importing->list_fd = request->fd;
	request->fd = -1;
	importing->pipe_fd = -1;
	custody->importing = importing;
	custody->config.spawn(custody->config.arg, CHILD_INTAKE, importing->child);
}
