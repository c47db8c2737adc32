/*
 * Entrusting a list, the loop's side: asking for a child, the key, the commit, and taking everything back
 * when something fails.
 *
 *	asked ─► child ─► key in the ring ─► threads ─► sealed ─► entry ─► loaded ─► active, answered
 *	                        └──────────── failed ───────┴─► vault, run file, key dropped; entry; answered
 *
 * One list at a time: record numbers and versions are decided against a catalogue that does not change
 * meanwhile.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "custody/bulk.h"
#include "custody/corrections.h"
#include "custody/maps.h"
#include "custody/renew.h"

#define PROGRESS_US     (AZ_US_PER_S / 2)
#define VAULT_WAITS_MAX (512u * 1024u) /* bytes that wait to be sent: lookups come first */
#define REFUSALS_END                                                                               \
	40000u /* bytes of an answer: the first rows are told one by one as far as they go in */
#define DOUBTS_END      56000u
#define FUTURE_DAYS_MAX 1 /* an as-of date may be tomorrow's, in some zone */

/* What the workers have for the vault. */
static void
forget_frames(struct bulk *bulk)
{
	while (bulk->frames != NULL) {
		struct bulk_frame *frame = bulk->frames;

		bulk->frames = frame->next;
		buffer_fini(&frame->body);
		free(frame);
	}
	bulk->frames_end = &bulk->frames;
}

static void
bulk_free(struct bulk *bulk)
{
	if (bulk->has_feeder)
		(void)pthread_join(bulk->feeder, NULL);
	if (bulk->has_worker)
		(void)pthread_join(bulk->main_worker, NULL);
	forget_frames(bulk);
	fd_close(&bulk->list_fd);
	fd_close(&bulk->pipe_fd);
	fd_close(&bulk->intake_fd);
	consignment_keys_free(&bulk->keys);
	free(bulk->neighbours);
	free(bulk->corrected);
	absent_fini(bulk);
	join_free(bulk);
	buffer_fini(&bulk->given);
	(void)pthread_mutex_destroy(&bulk->reading);
	(void)pthread_mutex_destroy(&bulk->lock);
	(void)pthread_cond_destroy(&bulk->changed);
	bulk->custody->bulk = NULL;
	az_wipe(bulk, sizeof(*bulk));
	free(bulk);
}

/* --- asking ----------------------------------------------------------------------------------- */

static bool
is_allowed(struct request *request, const struct front_entrust *asked,
    const struct client **ret_client, const struct purpose **ret_purpose)
{
	struct custody *custody = request->custody;
	int32_t today = (int32_t)(house_now_us(request->custody) / AZ_US_PER_DAY);
	struct az_err err = {0};
	enum az_status status = AZ_OK;

	if (!change_is_permitted(request))
		return false;
	*ret_client = policy_client_labelled(custody->policy, asked->client);
	*ret_purpose = *ret_client == NULL
	    ? NULL
	    : policy_purpose_labelled(custody->policy, (*ret_client)->id, asked->purpose);
	if (*ret_purpose == NULL)
		status = az_fail(&err, AZ_NOT_FOUND, "entrust: there is no purpose %s/%s",
		    asked->client, asked->purpose);
	else if ((*ret_purpose)->until < today)
		status = az_fail(&err, AZ_DENIED, "entrust: the purpose %s/%s has ended",
		    asked->client, asked->purpose);
	else if (asked->as_of > today + FUTURE_DAYS_MAX)
		status = az_fail(&err, AZ_INVALID, "entrust: the as-of date is in the future");
	else if (custody->correcting == (*ret_purpose)->id)
		status =
		    az_fail(&err, AZ_BUSY, "entrust: a correction of this purpose is being made");
	else if (custody->bulk != NULL)
		status = az_fail(&err, AZ_BUSY, "entrust: another list is on its way in");
	else if (custody->destroying != NULL)
		status = az_fail(&err, AZ_BUSY, "entrust: a list is being destroyed");
	else if (renew_is_busy(custody))
		status = az_fail(&err, AZ_BUSY, "entrust: the keys are being made anew");
	else if (ledger_space_is_low(custody->ledger))
		status = az_fail(&err, AZ_LIMIT, "entrust: the disk is nearly full");
	if (status == AZ_OK)
		return true;
	if (status == AZ_DENIED)
		request_refuse(request, &err);
	else
		request_fail(request, &err);
	return false;
}

static int
compare_neighbours(const void *a, const void *b)
{
	const struct bulk_neighbour *left = a;
	const struct bulk_neighbour *right = b;

	return left->id < right->id ? -1 : left->id > right->id;
}

static enum az_status
add_neighbour(struct bulk *bulk, struct consignment *list, struct az_err *reterr)
{
	bulk->neighbours[bulk->neighbour_count++] = (struct bulk_neighbour){
	    .id = list->id, .as_of = list->as_of, .mode = (enum list_mode)list->mode, .list = list};
	/* Now, since the threads may not. */
	return keys_of(bulk->custody, list, reterr);
}

/* The lists and withdrawals of the same purpose, to find a row's neighbours in time. */
static enum az_status
copy_neighbours(struct bulk *bulk, const struct live_list *live, struct az_err *reterr)
{
	enum az_status status = AZ_OK;

	bulk->neighbours =
	    calloc(live->count + live->withdrawal_count + 1, sizeof(*bulk->neighbours));
	if (bulk->neighbours == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "entrust: out of memory");
	for (size_t i = 0; i < live->count && status == AZ_OK; i++)
		status = add_neighbour(bulk, live->items[i], reterr);
	for (size_t i = 0; i < live->withdrawal_count && status == AZ_OK; i++)
		status = add_neighbour(bulk, live->withdrawals[i], reterr);
	qsort(
	    bulk->neighbours, bulk->neighbour_count, sizeof(*bulk->neighbours), compare_neighbours);
	for (size_t i = 0; i < bulk->neighbour_count; i++) {
		const struct bulk_neighbour *list = &bulk->neighbours[i];

		if (list->mode == LIST_FULL &&
		    (bulk->newest_full == NULL ||
			consignment_is_newer(list->as_of, list->id, bulk->newest_full->as_of,
			    bulk->newest_full->id)))
			bulk->newest_full = list;
	}
	return status;
}

/* The list's own map, or else its client's. */
static void
choose_columns(struct bulk *bulk, const struct front_entrust *asked)
{
	const char *columns = asked->columns;

	if (columns[0] == '\0')
		columns = map_of(bulk->custody, bulk->client.id);
	else if (strcmp(columns, MAP_NONE_WORD) == 0)
		columns = "";
	(void)snprintf(bulk->columns, sizeof(bulk->columns), "%s", columns);
}

/* A bulk that is not known to the custody yet; NULL if there is no memory. */
static struct bulk *
bulk_new(struct request *request, const struct front_entrust *asked, const struct client *client,
    const struct purpose *purpose)
{
	struct custody *custody = request->custody;
	struct bulk *bulk = calloc(1, sizeof(*bulk));

	if (bulk == NULL)
		return NULL;
	bulk->custody = custody;
	bulk->request = request;
	bulk->child = ++custody->next_child;
	bulk->list_fd = request->fd;
	request->fd = -1;
	bulk->pipe_fd = -1;
	bulk->intake_fd = -1;
	bulk->client = *client;
	bulk->strict = asked->strict != 0;
	bulk->allows = purpose->allows;
	choose_columns(bulk, asked);
	memcpy(bulk->password, asked->password, sizeof(bulk->password));
	bulk->consignment = (struct consignment){.client = client->id,
	    .purpose = purpose->id,
	    .as_of = asked->as_of,
	    .mode = asked->mode,
	    .join = asked->join,
	    .match_version = MATCH_VERSION};
	bulk->join = asked->join;
	buffer_init(&bulk->given, VAULT_BODY_MAX, false);
	bulk->next_record = custody->house.next_record;
	bulk->frames_end = &bulk->frames;
	(void)pthread_mutex_init(&bulk->reading, NULL);
	(void)pthread_mutex_init(&bulk->lock, NULL);
	(void)pthread_cond_init(&bulk->changed, NULL);
	return bulk;
}

void
verb_entrust(struct request *request, const union front_request *body)
{
	const struct front_entrust *asked = &body->entrust;
	struct custody *custody = request->custody;
	const struct client *client = NULL;
	const struct purpose *purpose = NULL;
	const struct client_keys *keys = NULL;
	struct bulk *bulk;
	struct az_err err = {0};
	enum az_status status = AZ_NO_MEMORY;

	if (!is_allowed(request, asked, &client, &purpose))
		return;
	request->log = client->id;
	bulk = bulk_new(request, asked, client, purpose);
	if (bulk != NULL)
		status = copy_neighbours(bulk, live_of(custody, purpose->id), &err);
	if (status == AZ_OK)
		status = corrections_seen(
		    custody, purpose->id, &bulk->corrected, &bulk->corrected_count);
	if (status == AZ_OK)
		status = keys_of_client(custody, client->id, &keys, &err);
	if (status == AZ_OK)
		bulk->client_keys = *keys;
	if (status == AZ_OK)
		status = join_new(bulk, &err);
	if (status != AZ_OK) {
		err.status = status;
		if (bulk != NULL)
			bulk_free(bulk);
		request_fail(request, &err);
		return;
	}
	custody->bulk = bulk;
	custody->config.spawn(custody->config.arg, CHILD_INTAKE, bulk->child);
}

uint32_t
entrust_child_id(const struct bulk *bulk)
{
	return bulk->child;
}

/* --- failing ---------------------------------------------------------------------------------- */

static int
compare_refusals(const void *a, const void *b)
{
	const struct bulk_refusal *left = a;
	const struct bulk_refusal *right = b;

	return left->row < right->row ? -1 : left->row > right->row;
}

/* The refused rows by number and reason; intake and the worker found them, each in its order. */
static void
answer_refusals(struct wire_writer *writer, struct bulk *bulk)
{
	qsort(bulk->refusals, bulk->refusal_count, sizeof(bulk->refusals[0]), compare_refusals);
	answer_array(writer, "refusals");
	for (size_t i = 0; i < bulk->refusal_count && writer->buffer->size < REFUSALS_END; i++) {
		const char *reason = refusal_text(bulk->refusals[i].reason);

		answer_object(writer, NULL);
		answer_uint(writer, "row", bulk->refusals[i].row);
		answer_text(writer, "reason", reason != NULL ? reason : "");
		answer_end(writer);
	}
	answer_end(writer);
}

/* Rows that became new people, though somebody known shares a telephone or an address of mail with them. */
static void
answer_doubts(struct wire_writer *writer, const struct bulk *bulk)
{
	if (bulk->join == 0)
		return;
	answer_uint(writer, "doubtful", bulk->consignment.doubtful);
	answer_array(writer, "doubts");
	for (size_t i = 0; i < bulk->doubt_count && writer->buffer->size < DOUBTS_END; i++) {
		answer_object(writer, NULL);
		answer_uint(writer, "row", bulk->doubts[i]);
		answer_text(writer, "reason",
		    "made somebody new: only the telephone or the e-mail is somebody's that is "
		    "known");
		answer_end(writer);
	}
	answer_end(writer);
}

static void
failed_is_durable(void *arg, const struct az_ticket *ticket)
{
	struct bulk *bulk = arg;
	struct request *request = bulk->request;
	struct custody *custody = bulk->custody;
	struct wire_writer writer = reply_begin(request, FRONT_FAILED);

	wire_put_u8(&writer, (uint8_t)bulk->err.status);
	wire_put_text(&writer, bulk->err.text);
	answer_object(&writer, NULL);
	answer_uint(&writer, "rows", bulk->consignment.rows);
	answer_uint(&writer, "refused", bulk->consignment.refused);
	answer_refusals(&writer, bulk);
	if (ticket != NULL)
		answer_ledger(&writer, custody, ticket);
	answer_end(&writer);
	bulk_free(bulk);
	reply_end(request, &writer);
	custody_may_stop(custody);
}

/* Everything was taken back: an entry says that a list was given and not taken. */
static void
log_failed(struct bulk *bulk)
{
	struct ledger_entry entry = request_entry(bulk->request, ENTRY_REJECTED_LIST);
	const struct consignment *counts = &bulk->consignment;

	entry.log = counts->client;
	entry.outcome = (uint8_t)bulk->err.status;
	entry.purpose = counts->purpose;
	entry.consignment = counts->id;
	entry.as_of = counts->as_of;
	entry.accepted = counts->accepted;
	entry.refused = counts->refused;
	memcpy(entry.sha256, counts->sha256, sizeof(entry.sha256));
	if (ledger_submit(bulk->custody->ledger, &entry, bytes_make(NULL, 0), failed_is_durable,
		bulk, NULL) != AZ_OK)
		failed_is_durable(bulk, NULL);
}

/* The vault has nothing of it any more: neither shall the keeper. */
static void
vault_has_dropped(void *arg, const struct frame *frame)
{
	struct bulk *bulk = arg;
	struct custody *custody = bulk->custody;
	uint64_t id = bulk->consignment.id;
	struct az_err err = {0};
	enum az_status status = AZ_OK;

	if (frame->type != VAULT_DONE)
		status = vault_failed(frame, &err);
	if (status == AZ_OK)
		status = catalogue_run_remove(custody->catalogue, id, &err);
	if (status == AZ_OK)
		status = trace_run_remove(custody->trace_dirfd, id, &err);
	if (status == AZ_OK)
		status = ring_drop_consignment(custody->ring, id, &err);
	/* What cannot be taken back now is, by the next start. */
	if (status != AZ_OK)
		custody_fatal(custody, &err);
	log_failed(bulk);
}

static void
take_back(struct bulk *bulk)
{
	struct az_err err = {0};

	if (!bulk->has_key) {
		log_failed(bulk);
		return;
	}
	if (vault_ask(bulk->custody, VAULT_DROP, &bulk->consignment.id, vault_has_dropped, bulk,
		&err) != AZ_OK)
		custody_fatal(bulk->custody, &err);
}

/* Ends the threads, forgets what they had for the vault, and takes everything back. */
static void
fail(struct bulk *bulk)
{
	atomic_store(&bulk->cancelled, true);
	bulk_changed(bulk);
	if (bulk->has_feeder)
		(void)pthread_join(bulk->feeder, NULL);
	if (bulk->has_worker)
		(void)pthread_join(bulk->main_worker, NULL);
	bulk->has_feeder = false;
	bulk->has_worker = false;
	forget_frames(bulk);
	bulk->failing = true;
	take_back(bulk);
}

/* --- the child and the threads ---------------------------------------------------------------- */

void
entrust_child_failed(struct bulk *bulk, const struct az_err *err)
{
	bulk->err = *err;
	fail(bulk);
}

void
entrust_child(struct bulk *bulk, int socket, int pipe)
{
	struct custody *custody = bulk->custody;
	struct consignment *consignment = &bulk->consignment;
	const struct secret *key = NULL;
	struct az_err err = {0};
	enum az_status status;

	bulk->intake_fd = socket;
	bulk->pipe_fd = pipe;
	if (atomic_load(&bulk->cancelled)) {
		(void)az_fail(&bulk->err, AZ_GONE, "entrust: given up");
		fail(bulk);
		return;
	}
	status = ring_add_consignment(custody->ring, consignment->client, &consignment->id, &err);
	if (status == AZ_OK) {
		bulk->has_key = true;
		key = ring_consignment(custody->ring, consignment->client, consignment->id);
		status = key == NULL
		    ? az_fail(&err, AZ_NO_MEMORY, "entrust: out of memory")
		    : consignment_keys_new(key, custody->config.house, &bulk->keys, &err);
	}
	bulk->stage = BULK_READS;
	if (status == AZ_OK) {
		bulk->has_worker =
		    pthread_create(&bulk->main_worker, NULL, bulk_worker_run, bulk) == 0;
		bulk->has_feeder = bulk->has_worker &&
		    pthread_create(&bulk->feeder, NULL, bulk_feeder_run, bulk) == 0;
		if (!bulk->has_feeder)
			status = az_fail(&err, AZ_NO_MEMORY, "entrust: no thread can be started");
	}
	if (!bulk->has_feeder) {
		/* The worker waits for the end of a list that nobody feeds. */
		(void)pthread_mutex_lock(&bulk->lock);
		bulk->list_has_ended = true;
		(void)pthread_mutex_unlock(&bulk->lock);
	}
	if (status != AZ_OK) {
		err.status = status;
		bulk->err = err;
		fail(bulk);
	}
}

void
entrust_front_gone(struct bulk *bulk, const struct custody_front *front)
{
	if (bulk->committing || bulk->failing || (front != NULL && bulk->request->front != front))
		return;
	/* A worker notices, and reports a failure; without one, the child that was asked for does. */
	atomic_store(&bulk->cancelled, true);
	bulk_changed(bulk);
}

/* --- committing ------------------------------------------------------------------------------- */

static void
committed(void *arg, const struct az_ticket *ticket)
{
	struct bulk *bulk = arg;
	struct custody *custody = bulk->custody;
	struct payload_text text;
	struct az_err err = {0};

	if (payload_read(buffer_peek(&bulk->payload.buffer), thing_apply, custody, &text, &err) !=
	    AZ_OK)
		custody_fatal(custody, &err);
	payload_fini(&bulk->payload);
	custody->list_is_committing = false;
	custody->change_is_due = custody->changes != NULL;
	bulk->index = ticket_index(ticket);
	consignment_stands_at(custody, bulk->consignment.id, bulk->index);
	bulk_enter(bulk, BULK_IS_COMMITTED, NULL);
}

static enum az_status
commit_payload(struct bulk *bulk, struct ledger_entry *entry)
{
	struct house house = bulk->custody->house;
	struct payload *payload = &bulk->payload;
	enum az_status status;

	house.next_record = bulk->next_record;
	house.list_ring_number = ring_number(bulk->custody->ring);
	payload_init(payload);
	status = payload_put_records(payload, &house);
	if (status == AZ_OK)
		status = payload_put_client(payload, &bulk->client);
	if (status == AZ_OK)
		status = payload_put_consignment(payload, &bulk->consignment);
	if (status == AZ_OK)
		status = payload_end(payload, NULL, entry->text);
	return status;
}

static enum entry_type
entry_of_mode(uint8_t mode)
{
	if (mode == LIST_WITHDRAW)
		return ENTRY_WITHDRAWN;
	return mode == LIST_FULL ? ENTRY_ENTRUSTED_FULL : ENTRY_ENTRUSTED;
}

/* Vault and run are durable: the entry makes the list the house's. */
static void
commit(struct bulk *bulk)
{
	struct custody *custody = bulk->custody;
	struct consignment *consignment = &bulk->consignment;
	struct ledger_entry entry = request_entry(bulk->request, entry_of_mode(consignment->mode));
	const struct client *client = policy_client(custody->policy, consignment->client);
	struct az_err err = {0};
	enum az_status status;

	entry.log = consignment->client;
	entry.purpose = consignment->purpose;
	entry.consignment = consignment->id;
	entry.as_of = consignment->as_of;
	entry.accepted = consignment->accepted;
	entry.refused = consignment->refused;
	entry.new_records = consignment->new_records;
	entry.new_versions = consignment->new_versions;
	entry.unchanged = consignment->unchanged;
	entry.detail = consignment->withdrawn + consignment->absent;
	entry.detail64 = consignment->kept;
	entry.kinds = consignment->join;
	memcpy(entry.sha256, consignment->sha256, sizeof(entry.sha256));
	memcpy(entry.root, consignment->root, sizeof(entry.root));
	consignment->time_us = clock_now_us();
	/* The client as it is now, with the fields that this list adds: closed meanwhile, it stays closed. */
	bulk->client.closed_us = client->closed_us;
	status = commit_payload(bulk, &entry);
	if (status != AZ_OK)
		(void)az_fail(&err, status, "entrust: the entry is too large");
	if (status == AZ_OK)
		status = ledger_submit(custody->ledger, &entry, buffer_peek(&bulk->payload.buffer),
		    committed, bulk, &err);
	if (status == AZ_OK) {
		bulk->committing = true;
		custody->list_is_committing = true;
		return;
	}
	payload_fini(&bulk->payload);
	err.status = status;
	bulk_enter(bulk, BULK_HAS_FAILED, &err);
}

static void
reply_entrusted(struct bulk *bulk)
{
	struct request *request = bulk->request;
	const struct consignment *done = &bulk->consignment;
	struct wire_writer writer = reply_begin(request, FRONT_DONE);

	answer_object(&writer, NULL);
	answer_uint(&writer, "consignment", done->id);
	answer_text(&writer, "mode", list_mode_name((enum list_mode)done->mode));
	answer_uint(&writer, "rows", done->rows);
	answer_uint(&writer, "accepted", done->accepted);
	answer_uint(&writer, "refused", done->refused);
	answer_uint(&writer, "new_records", done->new_records);
	answer_uint(&writer, "new_versions", done->new_versions);
	answer_uint(&writer, "unchanged", done->unchanged);
	answer_uint(&writer, "withdrawn", done->withdrawn);
	answer_uint(&writer, "absent", done->absent);
	if (done->mode == LIST_WITHDRAW) {
		answer_uint(&writer, "kept", done->kept);
		answer_uint(&writer, "unknown", done->unknown);
	}
	answer_uint(&writer, "impossible_births", done->bad_births);
	answer_uint(&writer, "unused_columns", bulk->unused_columns);
	answer_uint(&writer, "totals", bulk->told_totals);
	if (bulk->told_sheets > 0)
		answer_uint(&writer, "sheets", bulk->told_sheets);
	answer_bytes(&writer, "sha256", bytes_make(done->sha256, sizeof(done->sha256)));
	answer_bytes(&writer, "root", bytes_make(done->root, sizeof(done->root)));
	answer_object(&writer, "ledger");
	answer_text(&writer, "log", bulk->client.label);
	answer_uint(&writer, "index", bulk->index);
	answer_end(&writer);
	answer_refusals(&writer, bulk);
	answer_doubts(&writer, bulk);
	answer_end(&writer);
	reply_end(request, &writer);
}

static void
activate(struct bulk *bulk)
{
	struct custody *custody = bulk->custody;
	struct consignment *consignment = consignment_of(custody, bulk->consignment.id);
	struct az_err err = {0};

	if (consignment == NULL || consignment_activate(custody, consignment, &err) != AZ_OK) {
		(void)az_fail(&err, AZ_NO_MEMORY, "entrust: out of memory after the commit");
		custody_fatal(custody, &err);
	}
	custody->reader_is_fresh = false;
	corrections_carry_soon(custody);
	reply_entrusted(bulk);
	bulk_free(bulk);
	custody_may_stop(custody);
}

/* --- the loop --------------------------------------------------------------------------------- */

/*
 * Whether a list that has failed can be taken back. Its feeder may be inside a read that somebody else decides the end
 * of, such as the server of a network file: the loop does not wait for that, and is woken when it is over.
 */
static bool
may_fail(struct bulk *bulk)
{
	bool ended;

	atomic_store(&bulk->cancelled, true);
	bulk_changed(bulk);
	(void)pthread_mutex_lock(&bulk->lock);
	ended = !bulk->has_feeder || bulk->list_has_ended;
	(void)pthread_mutex_unlock(&bulk->lock);
	return ended;
}

void
entrust_woken(struct custody *custody)
{
	struct bulk *bulk = custody->bulk;
	enum bulk_stage stage;

	if (bulk == NULL || bulk->failing)
		return;
	(void)pthread_mutex_lock(&bulk->lock);
	stage = bulk->stage;
	(void)pthread_mutex_unlock(&bulk->lock);
	/* A change at work may be of this client: it is committed first, and the others wait. */
	if (stage == BULK_IS_SEALED && !bulk->committing &&
	    (custody->changes == NULL || custody->change_is_due))
		commit(bulk);
	else if (stage == BULK_IS_LOADED)
		activate(bulk);
	else if (stage == BULK_HAS_FAILED && may_fail(bulk))
		fail(bulk);
}

static void
vault_has_synced(void *arg, const struct frame *frame)
{
	struct bulk *bulk = arg;

	(void)pthread_mutex_lock(&bulk->lock);
	bulk->synced = true;
	bulk->sync_status = AZ_OK;
	if (frame->type != VAULT_DONE)
		bulk->sync_status = vault_failed(frame, &bulk->sync_err);
	(void)pthread_cond_broadcast(&bulk->changed);
	(void)pthread_mutex_unlock(&bulk->lock);
}

/* The vault has taken a frame, or could not, of which the flush will tell: it may have another. */
static void
vault_has_taken(void *arg, const struct frame *frame)
{
	struct bulk *bulk = arg;

	(void)frame;
	(void)pthread_mutex_lock(&bulk->lock);
	bulk->frames_waiting--;
	(void)pthread_cond_broadcast(&bulk->changed);
	(void)pthread_mutex_unlock(&bulk->lock);
}

static void
vault_has_blocks(void *arg, const struct frame *frame)
{
	struct bulk *bulk = arg;
	struct az_err err = {0};
	enum az_status status;

	(void)pthread_mutex_lock(&bulk->lock);
	buffer_clear(&bulk->given);
	status = frame->type == VAULT_BLOCKS_ARE ? buffer_append(&bulk->given, frame->body)
						 : vault_failed(frame, &err);
	bulk->blocks_status = status;
	bulk->blocks_err = err;
	bulk->blocks_are = BLOCKS_ARRIVED;
	(void)pthread_cond_broadcast(&bulk->changed);
	(void)pthread_mutex_unlock(&bulk->lock);
}

/* Who waits for them waits until they come, since the answer is put into the bulk. */
static enum az_status
ask_blocks(struct bulk *bulk, const struct bulk_frame *frame, struct az_err *reterr)
{
	(void)pthread_mutex_lock(&bulk->lock);
	bulk->blocks_are = BLOCKS_SENT;
	(void)pthread_mutex_unlock(&bulk->lock);
	return vault_put(
	    bulk->custody, VAULT_BLOCKS, buffer_peek(&frame->body), vault_has_blocks, bulk, reterr);
}

/* The next frame, if the vault may have it. */
static struct bulk_frame *
next_frame(struct bulk *bulk)
{
	const struct link *vault = bulk->custody->config.vault;
	struct bulk_frame *frame = NULL;

	if (vault->out.size - vault->out_used > VAULT_WAITS_MAX)
		return NULL;
	(void)pthread_mutex_lock(&bulk->lock);
	frame = bulk->frames;
	if (frame != NULL) {
		bulk->frames = frame->next;
		if (bulk->frames == NULL)
			bulk->frames_end = &bulk->frames;
	}
	(void)pthread_mutex_unlock(&bulk->lock);
	return frame;
}

void
entrust_round(struct custody *custody)
{
	struct bulk *bulk = custody->bulk;
	struct bulk_frame *frame;
	struct az_err err = {0};
	bool reads;
	int64_t now;

	if (bulk == NULL || bulk->failing)
		return;
	(void)pthread_mutex_lock(&bulk->lock);
	reads = bulk->stage == BULK_READS;
	(void)pthread_mutex_unlock(&bulk->lock);
	while ((frame = next_frame(bulk)) != NULL) {
		enum az_status status;

		if (frame->type == VAULT_SYNC)
			status = vault_ask(custody, VAULT_SYNC, NULL, vault_has_synced, bulk, &err);
		else if (frame->type == VAULT_BLOCKS)
			status = ask_blocks(bulk, frame, &err);
		else
			status = vault_put(custody, frame->type, buffer_peek(&frame->body),
			    vault_has_taken, bulk, &err);
		buffer_fini(&frame->body);
		free(frame);
		if (status != AZ_OK)
			custody_fatal(custody, &err);
	}
	now = clock_monotonic_us();
	if (reads && now - bulk->told_us > PROGRESS_US) {
		bulk->told_us = now;
		request_progress(bulk->request, atomic_load(&bulk->rows_read), 0, "rows");
	}
}
