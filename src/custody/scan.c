/*
 * Scanning files and disks for what is the house's, within a case: what must be in the ledger before what, and the answer.
 *
 *	SCAN  case, its limits ─► entry: how many files, hash of their list ─► runs ─► sieve
 *	      ─► tokens, over the socket that rode along ─► end ─► runs again: whose
 *	      ─► an entry in the log of each client found, entry: root over all; they use up the case ─► answered
 *
 * The front reads the files, in a process that is shut in, and sends what telephones and mails say; so a disk is read where
 * it is, and neither fingerprints nor sieve leave this process. Nothing is told of what the sieve holds back before it is
 * in the ledger whose it is. A case is used up by the values of the house that were found: by them an investigator learns
 * something.
 *
 * One scan at a time in a house. The loop owns everything; the thread has the sifting and the socket until it has ended.
 */
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/proc.h"
#include "custody/scan.h"
#include "custody/sifting.h"
#include "proto/scan.h"

#define TOLD_BYTES_MAX  ((size_t)4 << 20) /* of places in an answer; the front may be slow */
#define TOLD_PLACE_COST 64u               /* and each share */
#define BYTES_EACH      32u /* of what is read: so few for each telephone, and there is nothing else */

enum scanning_stage {
	SCANNING_BEGINS,   /* its entry is on its way */
	SCANNING_TAKES,    /* thread */
	SCANNING_HAS_READ, /* loop: entries of what was found */
	SCANNING_COMMITS,  /* they are on their way */
	SCANNING_HAS_FAILED,
};

struct scanning {
	struct custody *custody;
	struct custody_front *front; /* NULL: it has gone */
	struct request *request;
	uint32_t id; /* of the case */
	uint32_t files;
	uint8_t hash[SHA256_SIZE];
	struct sifting *sifting;
	struct link link;
	pthread_t thread;
	bool has_thread;
	bool is_logged; /* it is in the ledger that it began: so is how it ended */
	size_t answers_open;
	uint64_t began_index, index;
	uint64_t used, allowed;
	struct payload payload;

	atomic_bool cancelled;
	/* The thread's, until it has ended. */
	uint32_t places, unread;
	uint64_t bytes;
	/* Under the lock. */
	pthread_mutex_t lock;
	enum scanning_stage stage;
	struct az_err err;
};

static enum scanning_stage
stage_of(struct scanning *scanning)
{
	enum scanning_stage stage;

	(void)pthread_mutex_lock(&scanning->lock);
	stage = scanning->stage;
	(void)pthread_mutex_unlock(&scanning->lock);
	return stage;
}

static void
enter(struct scanning *scanning, enum scanning_stage stage, const struct az_err *err)
{
	(void)pthread_mutex_lock(&scanning->lock);
	scanning->stage = stage;
	if (err != NULL)
		scanning->err = *err;
	(void)pthread_mutex_unlock(&scanning->lock);
	loop_wake(scanning->custody->config.loop);
}

/* --- ending ----------------------------------------------------------------------------------- */

static void
join(struct scanning *scanning)
{
	if (scanning->has_thread)
		(void)pthread_join(scanning->thread, NULL);
	scanning->has_thread = false;
}

static void
drop(struct scanning *scanning)
{
	struct custody *custody = scanning->custody;

	custody->scanning = NULL;
	payload_fini(&scanning->payload);
	sifting_free(&scanning->sifting);
	link_fini(&scanning->link);
	(void)pthread_mutex_destroy(&scanning->lock);
	free(scanning);
	custody_may_stop(custody);
}

/* Ends what has failed, once the ledger does not know it by its address any more. */
static void
end_failed(struct scanning *scanning)
{
	struct request *request = scanning->request;
	struct az_err err = scanning->err;

	atomic_store(&scanning->cancelled, true);
	join(scanning);
	scanning->stage = SCANNING_HAS_FAILED;
	if (scanning->answers_open > 0)
		return;
	if (scanning->is_logged) {
		struct ledger_entry entry = request_entry(request, ENTRY_SCANNED);

		entry.subject = scanning->id;
		entry.outcome = (uint8_t)err.status;
		az_ignore(ledger_submit(
		    scanning->custody->ledger, &entry, bytes_make(NULL, 0), NULL, NULL, NULL));
	}
	drop(scanning);
	request_end_with(request, err.status, &err);
}

static void
fail(struct scanning *scanning, enum az_status status, const struct az_err *err)
{
	scanning->err = *err;
	scanning->err.status = status;
	end_failed(scanning);
}

void
scan_front_gone(struct scanning *scanning, const struct custody_front *front)
{
	if (front != NULL && scanning->front != front)
		return;
	scanning->front = NULL;
	/* The thread notices, or the entry that is on its way finds it so. */
	atomic_store(&scanning->cancelled, true);
}

/* --- the thread ------------------------------------------------------------------------------- */

static bool
is_over(const void *arg)
{
	const struct scanning *scanning = arg;

	return atomic_load(&scanning->cancelled);
}

static enum az_status
take_end(struct scanning *scanning, struct bytes body, struct az_err *reterr)
{
	struct wire_reader reader;

	wire_reader_init(&reader, body);
	scanning->places = wire_get_u32(&reader);
	scanning->unread = wire_get_u32(&reader);
	scanning->bytes = wire_get_u64(&reader);
	return wire_end(&reader) ? AZ_OK : az_fail(reterr, AZ_INVALID, "scan: a malformed end");
}

static enum az_status
next_frame(struct scanning *scanning, const struct reading_end *end, struct frame *ret_frame,
    struct az_err *reterr)
{
	enum az_status status = link_next(&scanning->link, ret_frame, reterr);

	while (status == AZ_BUSY) {
		if (!reading_wait(end, scanning->link.fd, POLLIN))
			return az_fail(reterr, AZ_GONE, "scan: given up");
		status = link_fill(&scanning->link, reterr);
		if (status == AZ_GONE)
			return az_fail(reterr, AZ_GONE, "scan: it ended before all was read");
		if (status == AZ_OK)
			status = link_next(&scanning->link, ret_frame, reterr);
	}
	return status;
}

static enum az_status
take_all(struct scanning *scanning, const struct reading_end *end, struct az_err *reterr)
{
	for (;;) {
		struct frame frame;
		enum az_status status = next_frame(scanning, end, &frame, reterr);

		if (status != AZ_OK)
			return status;
		if (frame.type == SIFT_END)
			return take_end(scanning, frame.body, reterr);
		if (frame.type != SIFT_TOKENS)
			return az_fail(reterr, AZ_INVALID, "scan: a frame of no known type");
		status = sifting_take(scanning->sifting, frame.body, reterr);
		if (status != AZ_OK)
			return status;
	}
}

static void *
scan_main(void *arg)
{
	struct scanning *scanning = arg;
	struct reading_end end = {.is_over = is_over, .arg = scanning};
	struct az_err err = {0};
	enum az_status status;

	proc_give_way();
	status = sifting_prepare(scanning->sifting, &end, &err);
	if (status == AZ_OK)
		status = take_all(scanning, &end, &err);
	if (status == AZ_OK)
		status = sifting_confirm(scanning->sifting, &end, &err);
	err.status = status;
	enter(scanning, status == AZ_OK ? SCANNING_HAS_READ : SCANNING_HAS_FAILED,
	    status == AZ_OK ? NULL : &err);
	return NULL;
}

/* --- beginning -------------------------------------------------------------------------------- */

/* It is in the ledger that this is searched, and by whom: now something may be. */
static void
began(void *arg, const struct az_ticket *ticket)
{
	struct scanning *scanning = arg;
	struct az_err err = {0};

	scanning->answers_open--;
	scanning->began_index = ticket_index(ticket);
	scanning->is_logged = true;
	if (atomic_load(&scanning->cancelled)) {
		(void)az_fail(&err, AZ_GONE, "scan: given up");
		fail(scanning, AZ_GONE, &err);
		return;
	}
	scanning->stage = SCANNING_TAKES;
	scanning->has_thread = pthread_create(&scanning->thread, NULL, scan_main, scanning) == 0;
	if (!scanning->has_thread) {
		(void)az_fail(&err, AZ_NO_MEMORY, "scan: no thread can be started");
		fail(scanning, AZ_NO_MEMORY, &err);
	}
}

static enum az_status
check(const struct request *request, uint32_t id, const struct trace_case **ret_case,
    struct az_err *reterr)
{
	struct custody *custody = request->custody;
	/* One row at least, or nothing could be told. */
	enum az_status status = case_admits(custody, id, request->staff, 1, ret_case, reterr);

	if (status == AZ_OK && (*ret_case)->has_hash)
		return az_fail(
		    reterr, AZ_DENIED, "case %u: it is for one file, which is traced", id);
	if (status == AZ_OK && custody->scanning != NULL)
		return az_fail(reterr, AZ_BUSY, "scan: another one is at work");
	if (status == AZ_OK && custody->destroying != NULL)
		return az_fail(reterr, AZ_BUSY, "scan: a consignment is being destroyed");
	if (status == AZ_OK && ledger_space_is_low(custody->ledger))
		return az_fail(reterr, AZ_LIMIT, "scan: the disk is nearly full");
	return status;
}

/* Makes it the house's. sifting is taken. */
static enum az_status
begin(struct request *request, const struct front_scan *asked, struct sifting *sifting,
    struct az_err *reterr)
{
	struct scanning *scanning = calloc(1, sizeof(*scanning));

	if (scanning == NULL) {
		sifting_free(&sifting);
		return az_fail(reterr, AZ_NO_MEMORY, "scan: out of memory");
	}
	scanning->custody = request->custody;
	scanning->front = request->front;
	scanning->request = request;
	scanning->id = asked->id;
	scanning->files = asked->files;
	memcpy(scanning->hash, asked->hash, sizeof(scanning->hash));
	scanning->sifting = sifting;
	link_init(
	    &scanning->link, request->fd, LINK_NONBLOCKING, SCAN_BODY_MAX, SCAN_BODY_MAX, true);
	request->fd = -1;
	payload_init(&scanning->payload);
	(void)pthread_mutex_init(&scanning->lock, NULL);
	request->custody->scanning = scanning;
	return AZ_OK;
}

static void
log_beginning(struct scanning *scanning)
{
	struct ledger_entry entry = request_entry(scanning->request, ENTRY_SCAN);
	struct az_err err = {0};
	enum az_status status;

	entry.subject = scanning->id;
	entry.rows = scanning->files;
	memcpy(entry.document, scanning->hash, sizeof(entry.document));
	status = ledger_submit(
	    scanning->custody->ledger, &entry, bytes_make(NULL, 0), began, scanning, &err);
	if (status == AZ_OK)
		scanning->answers_open++;
	else
		fail(scanning, status, &err);
}

void
verb_scan(struct request *request, const union front_request *body)
{
	const struct trace_case *of = NULL;
	struct sifting *sifting = NULL;
	struct az_err err = {0};
	enum az_status status;

	if (!change_is_permitted(request))
		return;
	status = check(request, body->scan.id, &of, &err);
	if (status == AZ_OK)
		status = sifting_new(request->custody, of, &sifting, &err);
	if (status == AZ_OK)
		status = begin(request, &body->scan, sifting, &err);
	if (status == AZ_OK)
		log_beginning(request->custody->scanning);
	else
		request_end_with(request, status, &err);
}

/* --- the answer ------------------------------------------------------------------------------- */

static void
put_share(struct wire_writer *writer, const struct sifting_share *share)
{
	answer_object(writer, NULL);
	answer_text(writer, "client", share->client);
	answer_uint(writer, "people", share->people);
	answer_uint(writer, "versions", share->versions);
	answer_date(writer, "from", share->from);
	answer_date(writer, "to", share->to);
	answer_end(writer);
}

struct telling {
	struct request *request;
	size_t bytes;
	uint64_t not_told;
};

static enum az_status
tell_place(
    void *arg, uint32_t place, uint32_t people, const struct sifting_share *shares, size_t count)
{
	struct telling *telling = arg;
	struct wire_writer writer;

	telling->bytes += TOLD_PLACE_COST + count * (TOLD_PLACE_COST + LABEL_SIZE);
	if (telling->bytes > TOLD_BYTES_MAX) {
		telling->not_told++;
		return AZ_OK;
	}
	writer = reply_begin(telling->request, FRONT_ITEM);
	answer_object(&writer, NULL);
	answer_uint(&writer, "place", place);
	answer_uint(&writer, "people", people);
	answer_array(&writer, "found");
	for (size_t i = 0; i < count; i++)
		put_share(&writer, &shares[i]);
	answer_end(&writer);
	answer_end(&writer);
	reply_item(telling->request, &writer);
	return AZ_OK;
}

static void
tell_clients(const struct scanning *scanning)
{
	size_t count = 0;
	const struct sifting_share *shares = sifting_clients(scanning->sifting, &count);

	for (size_t i = 0; i < count; i++) {
		struct wire_writer writer = reply_begin(scanning->request, FRONT_ITEM);

		put_share(&writer, &shares[i]);
		reply_item(scanning->request, &writer);
	}
}

static void
answer_coverage(struct wire_writer *writer, const struct sifting_counts *counts)
{
	answer_object(writer, "coverage");
	answer_uint(writer, "consignments", counts->lists + counts->lists_not_active);
	answer_uint(writer, "searched", counts->lists - counts->lists_without);
	answer_uint(writer, "without_fingerprints", counts->lists_without);
	answer_uint(writer, "not_active", counts->lists_not_active);
	answer_uint(writer, "clients", counts->clients);
	answer_end(writer);
}

static void
answer(struct scanning *scanning)
{
	struct request *request = scanning->request;
	struct telling telling = {.request = request};
	uint8_t root[TREE_HASH_SIZE];
	struct sifting_counts counts;
	struct wire_writer writer;
	struct az_err err = {0};

	sifting_counts(scanning->sifting, &counts);
	sifting_root(scanning->sifting, root);
	if (sifting_places(scanning->sifting, tell_place, &telling) != AZ_OK) {
		(void)az_fail(&err, AZ_NO_MEMORY, "scan: out of memory");
		fail(scanning, AZ_NO_MEMORY, &err);
		return;
	}
	tell_clients(scanning);
	writer = reply_begin(request, FRONT_DONE);
	answer_object(&writer, NULL);
	answer_uint(&writer, "case", scanning->id);
	answer_uint(&writer, "people", counts.people);
	answer_uint(&writer, "values", counts.values);
	answer_uint(&writer, "common", counts.common);
	answer_uint(&writer, "looked_at", counts.taken);
	answer_uint(&writer, "places", counts.places);
	answer_uint(&writer, "places_not_told", telling.not_told);
	answer_coverage(&writer, &counts);
	answer_bytes(&writer, "sha256", bytes_make(scanning->hash, sizeof(scanning->hash)));
	answer_bytes(&writer, "root", bytes_make(root, sizeof(root)));
	answer_uint(&writer, "used", scanning->used);
	answer_uint(&writer, "allowed", scanning->allowed);
	answer_object(&writer, "ledger");
	answer_text(&writer, "log", "house");
	answer_uint(&writer, "began", scanning->began_index);
	answer_uint(&writer, "index", scanning->index);
	answer_end(&writer);
	answer_end(&writer);
	drop(scanning);
	reply_end(request, &writer);
}

/* --- what was found --------------------------------------------------------------------------- */

/* The last one: the case has less left, and it may be told. */
static void
all_is_durable(struct scanning *scanning)
{
	struct custody *custody = scanning->custody;
	struct payload_text text;
	struct az_err err = {0};

	if (payload_read(
		buffer_peek(&scanning->payload.buffer), thing_apply, custody, &text, &err) != AZ_OK)
		custody_fatal(custody, &err);
	custody->scan_is_committing = false;
	custody->change_is_due = custody->changes != NULL;
	/* It is told how it ended. */
	scanning->is_logged = false;
}

static void
result_is_durable(void *arg, const struct az_ticket *ticket)
{
	struct scanning *scanning = arg;

	scanning->answers_open--;
	if (ticket_entry(ticket)->type == ENTRY_SCANNED) {
		scanning->index = ticket_index(ticket);
		all_is_durable(scanning);
	}
	if (scanning->answers_open > 0)
		return;
	if (stage_of(scanning) == SCANNING_HAS_FAILED)
		end_failed(scanning);
	else
		answer(scanning);
}

static enum az_status
submit(struct scanning *scanning, const struct ledger_entry *entry, struct bytes payload,
    struct az_err *reterr)
{
	enum az_status status = ledger_submit(
	    scanning->custody->ledger, entry, payload, result_is_durable, scanning, reterr);

	if (status == AZ_OK)
		scanning->answers_open++;
	return status;
}

/* Each client's log says how many of its people were found, and commits to which. */
static enum az_status
submit_clients(struct scanning *scanning, struct az_err *reterr)
{
	size_t count = 0;
	const struct sifting_share *shares = sifting_clients(scanning->sifting, &count);
	enum az_status status = AZ_OK;

	for (size_t i = 0; i < count && status == AZ_OK; i++) {
		struct ledger_entry entry = request_entry(scanning->request, ENTRY_SCAN_FOUND);

		entry.log = shares[i].id;
		entry.subject = scanning->id;
		entry.rows = shares[i].people;
		memcpy(entry.document, shares[i].root, sizeof(entry.document));
		status = submit(scanning, &entry, bytes_make(NULL, 0), reterr);
	}
	return status;
}

static enum az_status
submit_result(struct scanning *scanning, const struct sifting_counts *counts, struct az_err *reterr)
{
	struct ledger_entry entry = request_entry(scanning->request, ENTRY_SCANNED);
	enum az_status status = submit_clients(scanning, reterr);

	if (status != AZ_OK)
		return status;
	entry.subject = scanning->id;
	entry.detail = (uint32_t)counts->people;
	entry.detail64 = scanning->bytes;
	entry.rows = (uint32_t)counts->values;
	sifting_root(scanning->sifting, entry.document);
	status = payload_end(&scanning->payload, NULL, entry.text);
	if (status != AZ_OK)
		return az_fail(reterr, status, "scan: the entry is too large");
	return submit(scanning, &entry, buffer_peek(&scanning->payload.buffer), reterr);
}

/* Whether the case admits what was found. */
static enum az_status
check_found(const struct scanning *scanning, const struct sifting_counts *counts,
    const struct trace_case **ret_case, struct az_err *reterr)
{
	uint8_t hash[SHA256_SIZE];
	char hex[2 * SHA256_SIZE + 1];
	const struct trace_case *of = NULL;
	enum az_status status = case_admits(
	    scanning->custody, scanning->id, scanning->request->staff, counts->values, &of, reterr);

	if (status != AZ_OK)
		return status;
	*ret_case = of;
	/* Telephones behind one another, and little else: somebody tries out who is here. */
	if (counts->values == 0 || scanning->bytes > counts->taken * BYTES_EACH ||
	    !sifting_looks_made_up(scanning->sifting, hash))
		return AZ_OK;
	if (of->has_allowed &&
	    bytes_equal(bytes_make(hash, sizeof(hash)), bytes_make(of->allowed, sizeof(hash))))
		return AZ_OK;
	hex_encode(bytes_make(hash, sizeof(hash)), hex);
	return az_fail(reterr, AZ_DENIED,
	    "what was scanned looks made up, to find out who is here; ask for it: azukari case "
	    "allow %u %s",
	    of->id, hex);
}

/* No change is at work, which might be one of the case. */
static void
commit(struct scanning *scanning)
{
	const struct trace_case *found = NULL;
	struct sifting_counts counts;
	struct trace_case of;
	struct az_err err = {0};
	enum az_status status;

	join(scanning);
	sifting_counts(scanning->sifting, &counts);
	if (atomic_load(&scanning->cancelled)) {
		(void)az_fail(&err, AZ_GONE, "scan: given up");
		fail(scanning, AZ_GONE, &err);
		return;
	}
	status = check_found(scanning, &counts, &found, &err);
	if (status == AZ_OK) {
		of = *found;
		of.rows_used += counts.values;
		scanning->used = of.rows_used;
		scanning->allowed = of.rows_max;
		status = payload_put_case(&scanning->payload, &of);
		if (status != AZ_OK)
			(void)az_fail(&err, status, "scan: out of memory");
	}
	if (status == AZ_OK)
		status = submit_result(scanning, &counts, &err);
	if (status == AZ_OK) {
		scanning->stage = SCANNING_COMMITS;
		scanning->custody->scan_is_committing = true;
	} else {
		fail(scanning, status, &err);
	}
}

void
scan_round(struct custody *custody)
{
	struct scanning *scanning = custody->scanning;
	enum scanning_stage stage;

	if (scanning == NULL)
		return;
	stage = stage_of(scanning);
	if (stage == SCANNING_HAS_READ && !custody->trace_is_committing &&
	    (custody->changes == NULL || custody->change_is_due))
		commit(scanning);
	else if (stage == SCANNING_HAS_FAILED && scanning->answers_open == 0)
		end_failed(scanning);
}
