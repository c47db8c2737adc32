/*
 * What leaves the ledger as evidence: a log's published form, its newest checkpoint, the offline proof of an
 * entry. All of it is codes, numbers and commitments; the house's officers, investigators and maintainers may
 * hand it out, since it is made for the eyes of those whose data it tells of.
 *
 * An export is read by a child that can only read the ledger, which writes to the descriptor that the front
 * passed; the keeper does not touch a byte of it, and calls do not wait for it:
 *
 *	entry ─► flush ─► settle ─► child ══ files ══► the front's pipe
 *	                              └─ progress, end ─► DONE
 *
 * A front that has an older export says which; if ours does not continue it, that is exit 4.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "crypto/sign.h"
#include "custody/custody_internal.h"
#include "ledger/evidence.h"

#define PROGRESS_EVERY 100000u

struct publishing {
	struct custody *custody;
	struct request *request;
	uint32_t child;
	uint32_t log;
	uint64_t have;
	struct link link;
	bool has_link;
	struct loop_watch *watch;
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
read_question(struct bytes body, uint8_t house[HOUSE_ID_SIZE], struct ledger_publish *ret_publish)
{
	struct wire_reader reader;

	wire_reader_init(&reader, body);
	wire_get_raw(&reader, house, HOUSE_ID_SIZE);
	ret_publish->log = wire_get_u32(&reader);
	wire_get_raw(&reader, ret_publish->public_key, sizeof(ret_publish->public_key));
	head_get(&reader, &ret_publish->head);
	ret_publish->have = wire_get_u64(&reader);
	ret_publish->have_offset = wire_get_u64(&reader);
	return wire_end(&reader) ? AZ_OK : AZ_INVALID;
}

enum az_status
publish_in_child(struct link *link, struct frame *frame, int dirfd, struct az_err *reterr)
{
	struct child_progress progress = {.link = link, .next = PROGRESS_EVERY};
	struct ledger_publish publish = {0};
	struct parts_writer parts;
	struct wire_writer writer;
	struct buffer body;
	struct az_err err = {0};
	uint8_t house[HOUSE_ID_SIZE];
	enum az_status status = read_question(frame->body, house, &publish);

	if (status != AZ_OK || frame->fd < 0)
		return az_fail(reterr, AZ_INVALID, "publish: a malformed question");
	/* So that a reader who stops reading does not hold us beyond the end of who asked. */
	if (fcntl(frame->fd, F_SETFL, O_NONBLOCK) != 0)
		return az_fail(reterr, AZ_IO, "publish: the descriptor cannot be used");
	parts_writer_init(&parts, frame->fd, link->fd);
	status = ledger_publish(dirfd, house, &publish, &parts, child_told, &progress, &err);
	parts_writer_fini(&parts);
	buffer_init(&body, PARENT_BODY_MAX, false);
	wire_writer_init(&writer, &body);
	wire_put_u8(&writer, (uint8_t)status);
	wire_put_text(&writer, status == AZ_OK ? "" : err.text);
	wire_put_u64(&writer, publish.size);
	status = writer.status;
	if (status == AZ_OK)
		status = link_queue(link, VERIFY_PUBLISHED, 0, buffer_peek(&body));
	if (status == AZ_OK)
		status = link_flush(link, reterr);
	buffer_fini(&body);
	return status;
}

/* --- the keeper's side ------------------------------------------------------------------------ */

static void
publishing_free(struct publishing *publishing)
{
	struct custody *custody = publishing->custody;

	if (publishing->watch != NULL)
		loop_unwatch(custody->config.loop, &publishing->watch);
	if (publishing->has_link)
		link_fini(&publishing->link);
	custody->publishing = NULL;
	free(publishing);
}

static void
publish_fail(struct publishing *publishing, const struct az_err *err)
{
	struct request *request = publishing->request;
	struct az_err copy = *err;

	publishing_free(publishing);
	request_fail(request, &copy);
}

/* Log, origin and key, as the front prints them. */
static enum az_status
answer_log(
    struct wire_writer *writer, const struct custody *custody, uint32_t log, struct az_err *reterr)
{
	const struct client *client = policy_client(custody->policy, log);
	uint8_t public_key[SIGN_PUBLIC_SIZE];
	char origin[LEDGER_NAME_SIZE];
	struct note_key key;
	struct buffer vkey;
	enum az_status status = ledger_log_key(custody->ledger, log, public_key, reterr);

	ledger_origin(custody->config.house, ledger_generation(custody->ledger), log, origin);
	if (status == AZ_OK)
		status = note_key_make(origin, NOTE_KEY_ED25519, public_key, &key, reterr);
	if (status != AZ_OK)
		return status;
	buffer_init(&vkey, NOTE_VKEY_MAX, false);
	status = note_key_text(&key, &vkey);
	if (status == AZ_OK) {
		answer_text(writer, "log", client != NULL ? client->label : "house");
		answer_text(writer, "origin", origin);
		answer_value(writer, "vkey", buffer_peek(&vkey));
	} else {
		(void)az_fail(reterr, status, "ledger: out of memory");
	}
	buffer_fini(&vkey);
	return status;
}

static enum az_status
take_published(struct publishing *publishing, struct bytes body, struct az_err *reterr)
{
	struct request *request = publishing->request;
	struct wire_reader reader;
	struct wire_writer writer;
	char text[AZ_ERR_TEXT_SIZE];
	uint8_t status;
	uint64_t size;
	enum az_status told;

	wire_reader_init(&reader, body);
	status = wire_get_u8(&reader);
	wire_get_text(&reader, text, sizeof(text));
	size = wire_get_u64(&reader);
	if (!wire_end(&reader) || status == AZ_INTERNAL || status > AZ_GONE)
		return az_fail(reterr, AZ_FORGED, "ledger export: a malformed answer");
	if (status != AZ_OK)
		return az_fail(reterr, (enum az_status)status, "%s", text);
	writer = reply_begin(request, FRONT_DONE);
	answer_object(&writer, NULL);
	told = answer_log(&writer, publishing->custody, publishing->log, reterr);
	if (told != AZ_OK)
		return told;
	answer_uint(&writer, "size", size);
	answer_uint(&writer, "new", size - publishing->have);
	answer_end(&writer);
	publishing_free(publishing);
	reply_end(request, &writer);
	return AZ_OK;
}

static void
child_is_ready(void *arg, bool readable, bool writable)
{
	struct publishing *publishing = arg;
	struct az_err err = {0};
	enum az_status status = link_fill(&publishing->link, &err);

	(void)readable;
	(void)writable;
	while (status == AZ_OK) {
		struct frame frame;

		status = link_next(&publishing->link, &frame, &err);
		if (status != AZ_OK)
			break;
		if (frame.type == VERIFY_PROGRESS && frame.body.size == 8) {
			request_progress(
			    publishing->request, wire_load_u64(frame.body.data), 0, "entries");
		} else if (frame.type == VERIFY_PUBLISHED) {
			status = take_published(publishing, frame.body, &err);
			if (status == AZ_OK)
				return;
		} else {
			status = az_fail(&err, AZ_FORGED, "ledger export: a malformed answer");
		}
	}
	if (status == AZ_BUSY)
		return;
	err.status = status;
	if (status == AZ_GONE && err.text[0] == '\0')
		(void)az_fail(&err, AZ_IO, "ledger export: the child has ended");
	publish_fail(publishing, &err);
}

/* The question, with the front's descriptor, as the first thing on a socket that is empty. */
static enum az_status
ask(struct publishing *publishing, struct az_err *reterr)
{
	struct custody *custody = publishing->custody;
	uint8_t public_key[SIGN_PUBLIC_SIZE];
	uint64_t offset = 0;
	struct head head;
	struct wire_writer writer;
	struct buffer body;
	enum az_status status =
	    ledger_log_key(custody->ledger, publishing->log, public_key, reterr);

	/* A log that ends with a full bundle has no place for the next one yet. */
	ledger_head(custody->ledger, publishing->log, &head);
	if (status == AZ_OK && publishing->have > 0)
		status = ledger_bundle_offset(custody->ledger, publishing->log,
		    publishing->have < head.size ? publishing->have : publishing->have - 1, &offset,
		    reterr);
	if (status != AZ_OK)
		return status;
	buffer_init(&body, PARENT_BODY_MAX, false);
	wire_writer_init(&writer, &body);
	wire_put_raw(&writer, custody->config.house, HOUSE_ID_SIZE);
	wire_put_u32(&writer, publishing->log);
	wire_put_raw(&writer, public_key, sizeof(public_key));
	head_put(&writer, &head);
	wire_put_u64(&writer, publishing->have);
	wire_put_u64(&writer, offset);
	status = writer.status;
	publishing->link.blocking = true;
	if (status == AZ_OK)
		status = link_send_fd(&publishing->link, VERIFY_PUBLISH, 0, buffer_peek(&body),
		    publishing->request->fd, reterr);
	publishing->link.blocking = false;
	buffer_fini(&body);
	/* The child has it; with our copy open, the front would wait for an end that never comes. */
	fd_close(&publishing->request->fd);
	return status;
}

uint32_t
publish_child_id(const struct publishing *publishing)
{
	return publishing->child;
}

void
publish_child_failed(struct publishing *publishing, const struct az_err *err)
{
	publish_fail(publishing, err);
}

void
publish_child(struct publishing *publishing, int socket)
{
	struct az_err err = {0};
	enum az_status status;

	link_init(
	    &publishing->link, socket, LINK_NONBLOCKING, PARENT_BODY_MAX, PARENT_BODY_MAX, false);
	publishing->has_link = true;
	status = loop_watch(publishing->custody->config.loop, socket, child_is_ready, publishing,
	    &publishing->watch, &err);
	if (status == AZ_OK)
		status = ask(publishing, &err);
	if (status != AZ_OK) {
		err.status = status;
		publish_fail(publishing, &err);
	}
}

void
publish_front_gone(struct publishing *publishing, const struct custody_front *front)
{
	struct az_err err = {0};

	/* Before it has a child, the child's coming ends it. */
	if (publishing->request->front != front || !publishing->has_link)
		return;
	(void)az_fail(&err, AZ_GONE, "ledger export: the front has gone");
	publish_fail(publishing, &err);
}

static void
settled(void *arg)
{
	struct publishing *publishing = arg;
	struct custody *custody = publishing->custody;

	custody->config.spawn(custody->config.arg, CHILD_VERIFY, publishing->child);
}

static void
export_is_durable(void *arg, const struct az_ticket *ticket)
{
	struct publishing *publishing = arg;
	struct az_err err = {0};
	enum az_status status =
	    ledger_settle(publishing->custody->ledger, settled, publishing, &err);

	(void)ticket;
	if (status != AZ_OK) {
		err.status = status;
		publish_fail(publishing, &err);
	}
}

/* The log that a label names, "" the house's. AZ_NOT_FOUND: no such client, or nothing in its log. */
static enum az_status
find_log(const struct custody *custody, const char *label, uint32_t *ret_log, struct az_err *reterr)
{
	const struct client *client = NULL;
	struct head head;

	if (label[0] != '\0') {
		client = policy_client_labelled(custody->policy, label);
		if (client == NULL)
			return az_fail(
			    reterr, AZ_NOT_FOUND, "client %s: there is no such client", label);
	}
	*ret_log = client != NULL ? client->id : LEDGER_HOUSE_LOG;
	ledger_head(custody->ledger, *ret_log, &head);
	if (head.size == 0)
		return az_fail(reterr, AZ_NOT_FOUND, "client %s: its log has no entry yet", label);
	return AZ_OK;
}

void
verb_ledger_export(struct request *request, const union front_request *body)
{
	const struct front_ledger_export *asked = &body->ledger_export;
	struct custody *custody = request->custody;
	struct ledger_entry entry = request_entry(request, ENTRY_LEDGER_EXPORTED);
	struct publishing *publishing = NULL;
	struct head head = {0};
	uint32_t log = 0;
	struct az_err err = {0};
	enum az_status status;

	if (!change_is_permitted(request))
		return;
	status = find_log(custody, asked->client, &log, &err);
	if (status == AZ_OK)
		ledger_head(custody->ledger, log, &head);
	entry.subject = log;
	entry.detail64 = head.size;
	request->log = log;
	if (status == AZ_OK && asked->have > 0) {
		head.size = asked->have;
		memcpy(head.root, asked->root, sizeof(head.root));
		status = ledger_check_head(custody->ledger, &head, &err);
	}
	if (status == AZ_OK && custody->publishing != NULL)
		status = az_fail(&err, AZ_BUSY, "ledger export: another one is under way");
	if (status == AZ_OK) {
		publishing = calloc(1, sizeof(*publishing));
		if (publishing == NULL)
			status = az_fail(&err, AZ_NO_MEMORY, "ledger export: out of memory");
	}
	if (status != AZ_OK) {
		request_fail_with(request, status, &err);
		return;
	}
	*publishing = (struct publishing){.custody = custody,
	    .request = request,
	    .child = ++custody->next_child,
	    .log = log,
	    .have = asked->have};
	custody->publishing = publishing;
	status = ledger_submit(
	    custody->ledger, &entry, bytes_make(NULL, 0), export_is_durable, publishing, &err);
	if (status != AZ_OK) {
		err.status = status;
		publish_fail(publishing, &err);
	}
}

/* --- checkpoint and proof --------------------------------------------------------------------- */

struct evidence {
	struct request *request;
	uint64_t index; /* of the entry; UINT64_MAX: a checkpoint was asked for */
};

static void
evidence_settled(void *arg)
{
	struct evidence evidence = *(struct evidence *)arg;
	struct request *request = evidence.request;
	struct custody *custody = request->custody;
	struct wire_writer writer;
	struct buffer text;
	struct az_err err = {0};
	enum az_status status;

	free(arg);
	buffer_init(&text, FRONT_FRAME_MAX / 2, false);
	if (evidence.index == UINT64_MAX)
		status = ledger_checkpoint(custody->ledger, request->log, &text, &err);
	else
		status = ledger_prove(custody->ledger, request->log, evidence.index, &text, &err);
	writer = reply_begin(request, FRONT_DONE);
	answer_object(&writer, NULL);
	if (status == AZ_OK)
		status = answer_log(&writer, custody, request->log, &err);
	answer_value(
	    &writer, evidence.index == UINT64_MAX ? "checkpoint" : "proof", buffer_peek(&text));
	answer_end(&writer);
	buffer_fini(&text);
	err.status = status;
	if (status == AZ_OK)
		reply_end(request, &writer);
	else
		request_fail(request, &err);
}

static void
give_evidence(struct request *request, const char *client, uint64_t index)
{
	struct evidence *evidence = NULL;
	struct az_err err = {0};
	enum az_status status;

	if (!change_is_permitted(request))
		return;
	status = find_log(request->custody, client, &request->log, &err);
	if (status == AZ_OK) {
		evidence = malloc(sizeof(*evidence));
		if (evidence == NULL)
			status = az_fail(&err, AZ_NO_MEMORY, "ledger: out of memory");
	}
	if (status == AZ_OK) {
		*evidence = (struct evidence){.request = request, .index = index};
		status = ledger_settle(request->custody->ledger, evidence_settled, evidence, &err);
	}
	if (status != AZ_OK) {
		free(evidence);
		request_fail_with(request, status, &err);
	}
}

void
verb_ledger_checkpoint(struct request *request, const union front_request *body)
{
	give_evidence(request, body->named.label, UINT64_MAX);
}

void
verb_ledger_proof(struct request *request, const union front_request *body)
{
	struct az_err err = {0};

	if (body->ledger_proof.index > INT64_MAX) {
		(void)az_fail(&err, AZ_INVALID, "ledger proof: there is no such entry");
		request_fail(request, &err);
		return;
	}
	give_evidence(request, body->ledger_proof.client, body->ledger_proof.index);
}
