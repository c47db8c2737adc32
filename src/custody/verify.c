/*
 * Verifying the ledger, in a child that can only read it, so that hashing ten million entries does not make
 * a call wait. The logs are settled first, and each is held against the head that this keeper knows, which
 * an older copy put in the place of the files does not have.
 */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "crypto/sign.h"
#include "custody/custody_internal.h"

#define PROGRESS_EVERY 100000u

struct verifying {
	struct custody *custody;
	struct request *request;
	uint32_t child;
	struct link link;
	bool has_link;
	struct loop_watch *watch;
	uint32_t log, last; /* at work, and the last one asked for */
	int64_t settled_us;
	bool all_ok;
	struct head head;
	struct az_err err;
};

/* --- the child -------------------------------------------------------------------------------- */

struct child_progress {
	struct link *link;
	uint64_t next;
};

static void
child_told(void *arg, uint64_t entries)
{
	struct child_progress *progress = arg;
	uint8_t body[8];

	if (entries < progress->next)
		return;
	progress->next = entries + PROGRESS_EVERY;
	wire_store_u64(body, entries);
	/* If nobody reads it, the answer will not be read either. */
	if (link_queue(progress->link, VERIFY_PROGRESS, 0, bytes_make(body, sizeof(body))) == AZ_OK)
		az_ignore(link_flush(progress->link, NULL));
}

static enum az_status
child_verify(struct link *link, const struct frame *frame, int dirfd, struct az_err *reterr)
{
	struct child_progress progress = {.link = link, .next = PROGRESS_EVERY};
	struct ledger_verify verify = {0};
	struct wire_reader reader;
	struct wire_writer writer;
	struct buffer body;
	struct head head = {0};
	struct az_err err = {0};
	uint8_t house[HOUSE_ID_SIZE];
	enum az_status status;

	wire_reader_init(&reader, frame->body);
	wire_get_raw(&reader, house, sizeof(house));
	verify.log = wire_get_u32(&reader);
	wire_get_raw(&reader, verify.public_key, sizeof(verify.public_key));
	if (wire_get_u8(&reader) == 1) {
		head_get(&reader, &head);
		verify.head = &head;
		verify.generation = head.generation;
	}
	verify.settled_us = wire_get_i64(&reader);
	if (frame->type != VERIFY_START || !wire_end(&reader))
		return az_fail(reterr, AZ_INVALID, "verify: a malformed question");
	status = ledger_verify(dirfd, house, &verify, child_told, &progress, &err);
	buffer_init(&body, PARENT_BODY_MAX, false);
	wire_writer_init(&writer, &body);
	wire_put_u8(&writer, (uint8_t)status);
	wire_put_text(&writer, status == AZ_OK ? "" : err.text);
	wire_put_u64(&writer, verify.size);
	wire_put_raw(&writer, verify.root, sizeof(verify.root));
	wire_put_u8(&writer, status == AZ_OK && verify.ok ? 1 : 0);
	wire_put_u64(&writer, verify.bad_index);
	wire_put_text(&writer, verify.problem);
	status = writer.status;
	if (status == AZ_OK)
		status = link_queue(link, VERIFY_DONE, 0, buffer_peek(&body));
	if (status == AZ_OK)
		status = link_flush(link, reterr);
	buffer_fini(&body);
	return status;
}

enum az_status
custody_verify_child(int fd, int ledger_dirfd, struct az_err *reterr)
{
	struct link link;
	enum az_status status;

	link_init(&link, fd, LINK_BLOCKING, PARENT_BODY_MAX, 16 * PARENT_BODY_MAX, false);
	link.accepts_fds = true;
	do {
		struct frame frame = {.fd = -1};

		status = link_receive(&link, &frame, reterr);
		if (status == AZ_OK && frame.type == VERIFY_PUBLISH)
			status = publish_in_child(&link, &frame, ledger_dirfd, reterr);
		else if (status == AZ_OK)
			status = child_verify(&link, &frame, ledger_dirfd, reterr);
		fd_close(&frame.fd);
	} while (status == AZ_OK);
	link_fini(&link);
	return status == AZ_GONE ? AZ_OK : status;
}

/* --- the keeper's side ------------------------------------------------------------------------ */

static void
verifying_free(struct verifying *verifying)
{
	struct custody *custody = verifying->custody;

	if (verifying->watch != NULL)
		loop_unwatch(custody->config.loop, &verifying->watch);
	if (verifying->has_link)
		link_fini(&verifying->link);
	custody->verifying = NULL;
	free(verifying);
}

static void
verify_fail(struct verifying *verifying, const struct az_err *err)
{
	struct request *request = verifying->request;
	struct az_err copy = *err;

	verifying_free(verifying);
	request_fail(request, &copy);
}

static void
verified_is_durable(void *arg, const struct az_ticket *ticket)
{
	struct verifying *verifying = arg;
	struct request *request = verifying->request;
	struct wire_writer writer = reply_begin(request, FRONT_DONE);

	answer_object(&writer, NULL);
	answer_bool(&writer, "ok", verifying->all_ok);
	answer_ledger(&writer, verifying->custody, ticket);
	answer_end(&writer);
	verifying_free(verifying);
	reply_end(request, &writer);
}

static void
verify_end(struct verifying *verifying)
{
	struct ledger_entry entry = request_entry(verifying->request, ENTRY_VERIFIED);
	struct az_err err = {0};

	entry.subject = verifying->last;
	entry.outcome = verifying->all_ok ? AZ_OK : AZ_FORGED;
	if (ledger_submit(verifying->custody->ledger, &entry, bytes_make(NULL, 0),
		verified_is_durable, verifying, &err) != AZ_OK)
		verify_fail(verifying, &err);
}

/* Asks the child for the log that is at work. */
static enum az_status
ask(struct verifying *verifying, struct az_err *reterr)
{
	struct custody *custody = verifying->custody;
	uint8_t public_key[SIGN_PUBLIC_SIZE];
	struct wire_writer writer;
	struct buffer body;
	enum az_status status;

	status = ledger_log_key(custody->ledger, verifying->log, public_key, reterr);
	if (status != AZ_OK)
		return status;
	ledger_head(custody->ledger, verifying->log, &verifying->head);
	buffer_init(&body, PARENT_BODY_MAX, false);
	wire_writer_init(&writer, &body);
	wire_put_raw(&writer, custody->config.house, HOUSE_ID_SIZE);
	wire_put_u32(&writer, verifying->log);
	wire_put_raw(&writer, public_key, sizeof(public_key));
	wire_put_u8(&writer, 1);
	head_put(&writer, &verifying->head);
	wire_put_i64(&writer, verifying->settled_us);
	status = writer.status;
	if (status == AZ_OK)
		status = link_queue(&verifying->link, VERIFY_START, 0, buffer_peek(&body));
	buffer_fini(&body);
	/* A small message into an empty socket. */
	if (status == AZ_OK)
		status = link_flush(&verifying->link, reterr);
	return status;
}

/* Whether a log has entries; one without has no files. */
static bool
has_entries(const struct custody *custody, uint32_t log)
{
	struct head head;

	ledger_head(custody->ledger, log, &head);
	return head.size > 0;
}

/* Goes on with the next log from `log` on, or ends. */
static void
verify_from(struct verifying *verifying, uint32_t log)
{
	struct az_err err = {0};
	enum az_status status;

	while (log <= verifying->last && !has_entries(verifying->custody, log))
		log++;
	if (log > verifying->last) {
		verify_end(verifying);
		return;
	}
	verifying->log = log;
	status = ask(verifying, &err);
	if (status != AZ_OK) {
		err.status = status;
		verify_fail(verifying, &err);
	}
}

static void
reply_log(struct verifying *verifying, uint64_t size, const uint8_t root[32], bool ok,
    uint64_t bad_index, const char *problem)
{
	struct custody *custody = verifying->custody;
	const struct client *client = policy_client(custody->policy, verifying->log);
	struct wire_writer writer = reply_begin(verifying->request, FRONT_ITEM);
	char origin[LEDGER_NAME_SIZE];

	ledger_origin(custody->config.house, verifying->head.generation, verifying->log, origin);
	answer_object(&writer, NULL);
	answer_text(&writer, "log", client != NULL ? client->label : "house");
	answer_text(&writer, "origin", origin);
	answer_uint(&writer, "size", size);
	answer_bytes(&writer, "root", bytes_make(root, 32));
	answer_bool(&writer, "ok", ok);
	if (!ok) {
		answer_text(&writer, "problem", problem);
		if (bad_index != UINT64_MAX)
			answer_uint(&writer, "index", bad_index);
	}
	answer_end(&writer);
	reply_item(verifying->request, &writer);
}

static enum az_status
take_done(struct verifying *verifying, struct bytes body, struct az_err *reterr)
{
	struct wire_reader reader;
	char text[AZ_ERR_TEXT_SIZE];
	char problem[AZ_ERR_TEXT_SIZE];
	uint8_t root[32];
	uint64_t size, bad_index;
	uint8_t status, ok;

	wire_reader_init(&reader, body);
	status = wire_get_u8(&reader);
	wire_get_text(&reader, text, sizeof(text));
	size = wire_get_u64(&reader);
	wire_get_raw(&reader, root, sizeof(root));
	ok = wire_get_u8(&reader);
	bad_index = wire_get_u64(&reader);
	wire_get_text(&reader, problem, sizeof(problem));
	if (!wire_end(&reader) || ok > 1)
		return az_fail(reterr, AZ_FORGED, "verify: a malformed answer");
	if (status != AZ_OK) {
		/* It could not even be read: that is an answer too. */
		ok = 0;
		bad_index = UINT64_MAX;
	}
	verifying->all_ok = verifying->all_ok && ok == 1;
	reply_log(verifying, size, root, ok == 1, bad_index, status == AZ_OK ? problem : text);
	return AZ_OK;
}

static void
child_is_ready(void *arg, bool readable, bool writable)
{
	struct verifying *verifying = arg;
	struct az_err err = {0};
	enum az_status status = link_fill(&verifying->link, &err);

	(void)readable;
	(void)writable;
	while (status == AZ_OK) {
		struct frame frame;

		status = link_next(&verifying->link, &frame, &err);
		if (status != AZ_OK)
			break;
		if (frame.type == VERIFY_PROGRESS && frame.body.size == 8) {
			request_progress(verifying->request, wire_load_u64(frame.body.data),
			    verifying->head.size, "entries");
		} else if (frame.type == VERIFY_DONE) {
			status = take_done(verifying, frame.body, &err);
			if (status == AZ_OK) {
				verify_from(verifying, verifying->log + 1);
				return;
			}
		} else {
			status = az_fail(&err, AZ_FORGED, "verify: a malformed answer");
		}
	}
	if (status != AZ_BUSY) {
		err.status = status == AZ_GONE ? AZ_IO : status;
		if (status == AZ_GONE)
			(void)az_fail(&err, AZ_IO, "verify: the child has ended");
		verify_fail(verifying, &err);
	}
}

uint32_t
verify_child_id(const struct verifying *verifying)
{
	return verifying->child;
}

void
verify_child_failed(struct verifying *verifying, const struct az_err *err)
{
	verify_fail(verifying, err);
}

void
verify_child(struct verifying *verifying, int socket)
{
	struct az_err err = {0};
	enum az_status status;

	link_init(
	    &verifying->link, socket, LINK_NONBLOCKING, PARENT_BODY_MAX, PARENT_BODY_MAX, false);
	verifying->has_link = true;
	status = loop_watch(verifying->custody->config.loop, socket, child_is_ready, verifying,
	    &verifying->watch, &err);
	if (status != AZ_OK) {
		err.status = status;
		verify_fail(verifying, &err);
		return;
	}
	verify_from(verifying, verifying->log);
}

static void
settled(void *arg)
{
	struct verifying *verifying = arg;
	struct custody *custody = verifying->custody;

	custody->config.spawn(custody->config.arg, CHILD_VERIFY, verifying->child);
}

void
verb_ledger_verify(struct request *request, const union front_request *body)
{
	const char *label = body->named.label;
	struct custody *custody = request->custody;
	const struct client *client = NULL;
	struct verifying *verifying = NULL;
	struct az_err err = {0};
	enum az_status status = AZ_OK;

	if (!change_is_permitted(request))
		return;
	if (label[0] != '\0') {
		client = policy_client_labelled(custody->policy, label);
		if (client == NULL)
			status = az_fail(
			    &err, AZ_NOT_FOUND, "client %s: there is no such client", label);
	}
	if (status == AZ_OK && custody->verifying != NULL)
		status = az_fail(&err, AZ_BUSY, "ledger verify: it is being verified already");
	if (status == AZ_OK) {
		verifying = calloc(1, sizeof(*verifying));
		if (verifying == NULL)
			status = az_fail(&err, AZ_NO_MEMORY, "ledger verify: out of memory");
	}
	if (status != AZ_OK) {
		request_fail(request, &err);
		return;
	}
	*verifying = (struct verifying){.custody = custody,
	    .request = request,
	    .child = ++custody->next_child,
	    .log = client != NULL ? client->id : 0,
	    .last = client != NULL ? client->id : ledger_log_count(custody->ledger) - 1,
	    .settled_us = house_now_us(request->custody),
	    .all_ok = true};
	custody->verifying = verifying;
	status = ledger_settle(custody->ledger, settled, verifying, &err);
	if (status != AZ_OK) {
		err.status = status;
		verify_fail(verifying, &err);
	}
}
