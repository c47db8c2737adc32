/*
 * Tracing a leaked list, the loop's side: what it is allowed, what must be in the ledger before what, and the answers.
 *
 *	TRACE_LIST  case ─► child ─► read ─► answered: hash, rows            (nothing of the house was looked at)
 *	TRACE       case, its limits ─► entries: hash and rows, which use up the case ─► search
 *	            ─► an entry in each client's log: rows opened ─► vault ─► judge ─► entry: root ─► rows
 *	            ─► attribution ─► answered
 *
 * The lists that were read are their front's, and go with it. There is no other message that searches for anything by a
 * fingerprint.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/proc.h"
#include "crypto/age.h"
#include "custody/tracing.h"

static void
fail_request(struct request *request, enum az_status status, struct az_err *err)
{
	err->status = status;
	if (status == AZ_DENIED)
		request_refuse(request, err);
	else
		request_fail(request, err);
}

enum tracing_stage
tracing_stage_of(struct tracing *tracing)
{
	enum tracing_stage stage;

	(void)pthread_mutex_lock(&tracing->lock);
	stage = tracing->stage;
	(void)pthread_mutex_unlock(&tracing->lock);
	return stage;
}

/* --- ending ----------------------------------------------------------------------------------- */

void
tracing_join(struct tracing *tracing)
{
	if (tracing->has_main)
		(void)pthread_join(tracing->main, NULL);
	if (tracing->has_feeder)
		(void)pthread_join(tracing->feeder, NULL);
	tracing->has_main = false;
	tracing->has_feeder = false;
	fd_close(&tracing->list_fd);
	fd_close(&tracing->pipe_fd);
	fd_close(&tracing->intake_fd);
}

void
tracing_drop(struct tracing *tracing)
{
	struct custody *custody = tracing->custody;

	custody->tracing = NULL;
	payload_fini(&tracing->payload);
	tracing_free(&tracing);
	custody_may_stop(custody);
}

/* Else its feeder may be inside a read that somebody else decides the end of; it wakes the loop when that is over. */
static bool
is_fed(struct tracing *tracing)
{
	bool ended;

	(void)pthread_mutex_lock(&tracing->lock);
	ended = !tracing->has_feeder || tracing->list_has_ended;
	(void)pthread_mutex_unlock(&tracing->lock);
	return ended;
}

/* Ends it, once nobody knows it by its address any more, and nothing has to be waited for. */
void
tracing_end_failed(struct tracing *tracing)
{
	struct request *request = tracing->request;
	struct az_err err = tracing->err;

	atomic_store(&tracing->cancelled, true);
	tracing_wake(tracing);
	if (is_fed(tracing))
		tracing_join(tracing);
	tracing->stage = TRACING_HAS_FAILED;
	if (tracing->has_feeder)
		return;
	if (tracing->answers_open > 0)
		return;
	if (tracing->is_logged) {
		struct ledger_entry entry = request_entry(request, ENTRY_TRACED);

		entry.subject = tracing->id;
		entry.outcome = (uint8_t)err.status;
		az_ignore(ledger_submit(
		    tracing->custody->ledger, &entry, bytes_make(NULL, 0), NULL, NULL, NULL));
	}
	tracing_drop(tracing);
	if (request != NULL)
		fail_request(request, err.status, &err);
}

void
tracing_fail(struct tracing *tracing, enum az_status status, const struct az_err *err)
{
	tracing->err = *err;
	tracing->err.status = status;
	tracing_end_failed(tracing);
}

void
trace_front_gone(struct tracing *tracing, const struct custody_front *front)
{
	struct az_err err = {0};

	if (front != NULL && tracing->front != front)
		return;
	tracing->front = NULL;
	atomic_store(&tracing->cancelled, true);
	tracing_wake(tracing);
	(void)az_fail(&err, AZ_GONE, "trace: given up");
	if (tracing->request == NULL)
		tracing_drop(tracing);
	else if (tracing->commit_is_due || tracing_stage_of(tracing) == TRACING_HAS_TOLD ||
	    tracing_stage_of(tracing) == TRACING_ATTRIBUTES)
		tracing_fail(tracing, AZ_GONE, &err);
	/* Else a thread notices, or the child that was asked for does. */
}

/* --- reading a list --------------------------------------------------------------------------- */

static struct tracing *
tracing_new(struct request *request, uint32_t id)
{
	struct tracing *tracing = calloc(1, sizeof(*tracing));
	long processors = sysconf(_SC_NPROCESSORS_ONLN);

	if (tracing == NULL)
		return NULL;
	tracing->custody = request->custody;
	tracing->front = request->front;
	tracing->id = id;
	tracing->list_fd = -1;
	tracing->pipe_fd = -1;
	tracing->intake_fd = -1;
	tracing->rows_fd = -1;
	tracing->arrivals_end = &tracing->arrivals;
	tracing->worker_count = processors < 2 ? 2
	    : processors > TRACING_THREADS_MAX ? TRACING_THREADS_MAX
					       : (unsigned int)processors;
	payload_init(&tracing->payload);
	(void)pthread_mutex_init(&tracing->reading, NULL);
	(void)pthread_mutex_init(&tracing->lock, NULL);
	(void)pthread_cond_init(&tracing->changed, NULL);
	return tracing;
}

/* The house's trace, if it is this front's and rests; NULL and a reason if another is at work. */
static enum az_status
own_tracing(
    const struct request *request, uint32_t id, struct tracing **ret_tracing, struct az_err *reterr)
{
	struct tracing *tracing = request->custody->tracing;

	if (tracing != NULL && (tracing->front != request->front || tracing->request != NULL))
		return az_fail(reterr, AZ_BUSY, "trace: another one is at work");
	if (tracing != NULL && tracing->id != id)
		return az_fail(reterr, AZ_INVALID, "trace: the lists are of another case");
	*ret_tracing = tracing;
	return AZ_OK;
}

static enum az_status
begin_list(struct request *request, const struct front_trace_list *asked, struct az_err *reterr)
{
	struct custody *custody = request->custody;
	const struct trace_case *of = NULL;
	struct tracing *tracing = NULL;
	struct tracing_list *list;
	enum az_status status = case_admits(custody, asked->id, request->staff, 0, &of, reterr);

	if (status == AZ_OK)
		status = own_tracing(request, asked->id, &tracing, reterr);
	if (status == AZ_OK && custody->destroying != NULL)
		status = az_fail(reterr, AZ_BUSY, "trace: a list is being destroyed");
	if (status == AZ_OK && tracing != NULL && tracing->list_count == TRACING_LISTS_MAX)
		status =
		    az_fail(reterr, AZ_LIMIT, "trace: at most %u lists at once", TRACING_LISTS_MAX);
	if (status != AZ_OK)
		return status;
	if (tracing == NULL)
		tracing = tracing_new(request, asked->id);
	if (tracing == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "trace: out of memory");
	custody->tracing = tracing;
	tracing->rows_left = of->rows_max - of->rows_used;
	tracing->request = request;
	tracing->stage = TRACING_STARTS;
	tracing->list_fd = request->fd;
	request->fd = -1;
	memcpy(tracing->columns, asked->columns, sizeof(tracing->columns));
	memcpy(tracing->password, asked->password, sizeof(tracing->password));
	list = &tracing->lists[tracing->list_count];
	*list = (struct tracing_list){0};
	if (tracing->list_count > 0)
		list->before = list[-1].before + list[-1].rows;
	tracing->intake_is_done = false;
	tracing->has_columns = false;
	tracing->list_has_ended = false;
	tracing->phone_count = 0;
	tracing->name_count = 0;
	tracing->child = ++custody->next_child;
	custody->config.spawn(custody->config.arg, CHILD_INTAKE, tracing->child);
	return AZ_OK;
}

void
verb_trace_list(struct request *request, const union front_request *body)
{
	struct az_err err = {0};
	enum az_status status;

	if (!change_is_permitted(request))
		return;
	status = begin_list(request, &body->trace_list, &err);
	if (status != AZ_OK)
		fail_request(request, status, &err);
}

uint32_t
trace_child_id(const struct tracing *tracing)
{
	return tracing->stage == TRACING_STARTS ? tracing->child : 0;
}

void
trace_child_failed(struct tracing *tracing, const struct az_err *err)
{
	tracing_fail(tracing, err->status, err);
}

static void *
read_main(void *arg)
{
	struct tracing *tracing = arg;
	struct az_err err = {0};
	enum az_status status = tracing_read(tracing, &err);

	err.status = status;
	tracing_enter(tracing, status == AZ_OK ? TRACING_HAS_READ : TRACING_HAS_FAILED,
	    status == AZ_OK ? NULL : &err);
	return NULL;
}

void
trace_child(struct tracing *tracing, int socket, int pipe)
{
	struct az_err err = {0};

	tracing->intake_fd = socket;
	tracing->pipe_fd = pipe;
	tracing->stage = TRACING_READS;
	if (atomic_load(&tracing->cancelled)) {
		(void)az_fail(&err, AZ_GONE, "trace: given up");
		tracing_fail(tracing, AZ_GONE, &err);
		return;
	}
	tracing->has_feeder = pthread_create(&tracing->feeder, NULL, tracing_feed, tracing) == 0;
	tracing->has_main =
	    tracing->has_feeder && pthread_create(&tracing->main, NULL, read_main, tracing) == 0;
	if (!tracing->has_main) {
		(void)az_fail(&err, AZ_NO_MEMORY, "trace: no thread can be started");
		tracing_fail(tracing, AZ_NO_MEMORY, &err);
	}
}

static void
list_is_read(struct tracing *tracing)
{
	struct request *request = tracing->request;
	const struct tracing_list *list = &tracing->lists[tracing->list_count++];
	struct wire_writer writer = reply_begin(request, FRONT_DONE);

	tracing_join(tracing);
	tracing->request = NULL;
	tracing->stage = TRACING_RESTS;
	answer_object(&writer, NULL);
	answer_uint(&writer, "list", tracing->list_count);
	answer_uint(&writer, "rows", list->rows);
	answer_uint(&writer, "refused", list->refused);
	answer_bytes(&writer, "sha256", bytes_make(list->sha256, sizeof(list->sha256)));
	answer_bool(&writer, "looks_made_up", list->is_made_up);
	answer_end(&writer);
	reply_end(request, &writer);
	if (tracing->front == NULL)
		tracing_drop(tracing);
}

/* --- what is searched ------------------------------------------------------------------------- */

static enum az_status
add_client(struct tracing *tracing, uint32_t id, uint32_t *ret_index, struct az_err *reterr)
{
	struct custody *custody = tracing->custody;
	const struct client *client = policy_client(custody->policy, id);
	const struct client_keys *keys = NULL;
	struct tracing_client *added;
	enum az_status status;

	for (size_t i = 0; i < tracing->client_count; i++) {
		if (tracing->clients[i].id == id) {
			*ret_index = (uint32_t)i;
			return AZ_OK;
		}
	}
	status = keys_of_client(custody, id, &keys, reterr);
	if (status != AZ_OK)
		return status;
	added =
	    reallocarray(tracing->clients, tracing->client_count + 1, sizeof(*tracing->clients));
	if (added == NULL || client == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "trace: out of memory");
	tracing->clients = added;
	added += tracing->client_count;
	*added = (struct tracing_client){.id = id, .x_count = client->x_count, .keys = *keys};
	(void)snprintf(added->label, sizeof(added->label), "%s", client->label);
	memcpy(added->x_names, client->x_names, sizeof(added->x_names));
	*ret_index = (uint32_t)tracing->client_count++;
	return AZ_OK;
}

static enum az_status
add_source(struct tracing *tracing, struct consignment *consignment, struct az_err *reterr)
{
	static const uint8_t none[SHA256_SIZE];
	struct tracing_source *source = &tracing->sources[tracing->source_count];
	enum az_status status = keys_of(tracing->custody, consignment, reterr);

	if (status != AZ_OK)
		return status;
	*source = (struct tracing_source){.consignment = consignment->id,
	    .as_of = consignment->as_of,
	    .fields = consignment->fields,
	    .has_prints = !bytes_equal(
		bytes_make(consignment->prints, SHA256_SIZE), bytes_make(none, sizeof(none)))};
	memcpy(source->sha256, consignment->prints, sizeof(source->sha256));
	tracing->source_count++;
	status = secret_new(KEY_SIZE, &source->prints, reterr);
	if (status == AZ_OK)
		memcpy(secret_data(source->prints), secret_peek(consignment->keys->prints).data,
		    KEY_SIZE);
	for (unsigned int i = 0; i < tracing->worker_count && status == AZ_OK; i++)
		status = seal_key_copy(consignment->keys->row, &source->rows[i], reterr);
	return status == AZ_OK ? add_client(tracing, consignment->client, &source->client, reterr)
			       : status;
}

static enum az_status
list_sources(struct tracing *tracing, const struct trace_case *of, struct az_err *reterr)
{
	struct custody *custody = tracing->custody;
	enum az_status status = AZ_OK;

	tracing->sources = calloc(custody->consignment_count + 1, sizeof(*tracing->sources));
	if (tracing->sources == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "trace: out of memory");
	for (size_t i = 0; i < custody->consignment_count && status == AZ_OK; i++) {
		struct consignment *consignment = custody->consignments[i];

		if (!case_has_client(of, consignment->client))
			continue;
		if (consignment->active)
			status = add_source(tracing, consignment, reterr);
		else
			tracing->not_active++;
	}
	tracing->people = custody->house.next_record - 1;
	if (tracing->people == 0)
		tracing->people = 1;
	return status;
}

/* --- the case --------------------------------------------------------------------------------- */

static bool
same_hash(const uint8_t one[SHA256_SIZE], const uint8_t other[SHA256_SIZE])
{
	return bytes_equal(bytes_make(one, SHA256_SIZE), bytes_make(other, SHA256_SIZE));
}

/* Whether the case admits exactly these lists. */
enum az_status
tracing_check(const struct tracing *tracing, const struct trace_case *of, struct az_err *reterr)
{
	for (size_t i = 0; i < tracing->list_count; i++) {
		const struct tracing_list *list = &tracing->lists[i];
		char hex[2 * SHA256_SIZE + 1];

		hex_encode(bytes_make(list->sha256, sizeof(list->sha256)), hex);
		if (of->has_hash && !same_hash(of->hash, list->sha256))
			return az_fail(reterr, AZ_DENIED,
			    "case %u: list %zu is not the file that it is for", of->id, i + 1);
		if (list->is_made_up && (!of->has_allowed || !same_hash(of->allowed, list->sha256)))
			return az_fail(reterr, AZ_DENIED,
			    "list %zu looks made up, to find out who is here; ask for it: azukari "
			    "case allow %u %s",
			    i + 1, of->id, hex);
	}
	return AZ_OK;
}

uint64_t
tracing_rows(const struct tracing *tracing)
{
	const struct tracing_list *last = &tracing->lists[tracing->list_count - 1];

	return last->before + last->rows;
}

/* How the rows are to be given, if they are wanted. */
static enum az_status
read_recipient(struct tracing *tracing, const struct front_trace *asked, struct az_err *reterr)
{
	tracing->is_sealed = asked->recipient[0] != '\0';
	if (tracing->is_sealed && !age_recipient_parse(asked->recipient, tracing->recipient))
		return az_fail(reterr, AZ_INVALID, "trace: the recipient is none of age's");
	if (tracing->wants_rows && !tracing->is_sealed && !tracing->custody->unsealed)
		return az_fail(reterr, AZ_DENIED,
		    "trace: a sealed house gives rows only sealed: --recipient age1…");
	return AZ_OK;
}

void
verb_trace(struct request *request, const union front_request *body)
{
	const struct front_trace *asked = &body->trace;
	const struct trace_case *of = NULL;
	struct tracing *tracing = NULL;
	struct az_err err = {0};
	enum az_status status;

	if (!change_is_permitted(request))
		return;
	status = case_admits(request->custody, asked->id, request->staff, 0, &of, &err);
	if (status == AZ_OK)
		status = own_tracing(request, asked->id, &tracing, &err);
	if (status == AZ_OK && (tracing == NULL || tracing->list_count == 0))
		status = az_fail(&err, AZ_INVALID, "trace: no list was given");
	if (status == AZ_OK)
		status = case_admits(
		    request->custody, asked->id, request->staff, tracing_rows(tracing), &of, &err);
	if (status == AZ_OK)
		status = tracing_check(tracing, of, &err);
	if (status == AZ_OK) {
		tracing->wants_rows = request->type == FRONT_TRACE_ROWS;
		status = read_recipient(tracing, asked, &err);
	}
	if (status == AZ_OK && ledger_space_is_low(request->custody->ledger))
		status = az_fail(&err, AZ_LIMIT, "trace: the disk is nearly full");
	if (status != AZ_OK) {
		fail_request(request, status, &err);
		return;
	}
	tracing->request = request;
	tracing->rows_fd = request->fd;
	request->fd = -1;
	tracing->stage = TRACING_COMMITS;
	tracing->commit_is_due = true;
	status = list_sources(tracing, of, &err);
	if (status != AZ_OK)
		tracing_fail(tracing, status, &err);
}

/* --- the thread ------------------------------------------------------------------------------- */

/* Says how far it has come, and waits until the loop moves it on. */
static bool
pass(struct tracing *tracing, enum tracing_stage reached, enum tracing_stage next)
{
	bool goes_on;

	tracing_enter(tracing, reached, NULL);
	(void)pthread_mutex_lock(&tracing->lock);
	while (tracing->stage == reached && !tracing_is_over(tracing))
		(void)pthread_cond_wait(&tracing->changed, &tracing->lock);
	goes_on = tracing->stage == next;
	(void)pthread_mutex_unlock(&tracing->lock);
	return goes_on;
}

static enum az_status
trace(struct tracing *tracing, struct az_err *reterr)
{
	enum az_status status = tracing_search(tracing, reterr);

	if (status == AZ_OK && tracing->target_count > 0 &&
	    !pass(tracing, TRACING_ASKS, TRACING_OPENS))
		return az_fail(reterr, AZ_GONE, "trace: given up");
	if (status == AZ_OK)
		status = tracing_open(tracing, reterr);
	if (status == AZ_OK)
		status = tracing_count(tracing, reterr);
	if (status == AZ_OK && !pass(tracing, TRACING_HAS_JUDGED, TRACING_TELLS))
		return az_fail(reterr, AZ_GONE, "trace: given up");
	return status == AZ_OK ? tracing_tell(tracing, reterr) : status;
}

void *
tracing_run(void *arg)
{
	struct tracing *tracing = arg;
	struct az_err err = {0};
	enum az_status status;

	proc_give_way();
	status = trace(tracing, &err);
	err.status = status;
	tracing_enter(tracing, status == AZ_OK ? TRACING_HAS_TOLD : TRACING_HAS_FAILED,
	    status == AZ_OK ? NULL : &err);
	return NULL;
}

/* --- the loop --------------------------------------------------------------------------------- */

void
trace_round(struct custody *custody)
{
	struct tracing *tracing = custody->tracing;
	enum tracing_stage stage;

	if (tracing == NULL || tracing->request == NULL)
		return;
	if (tracing->commit_is_due) {
		if (!custody->scan_is_committing &&
		    (custody->changes == NULL || custody->change_is_due))
			tracing_commit(tracing);
		return;
	}
	stage = tracing_stage_of(tracing);
	/* What waits for the ledger is not asked for twice. */
	if (stage == TRACING_HAS_READ)
		list_is_read(tracing);
	else if (stage == TRACING_ASKS && tracing->answers_open == 0)
		tracing_log_opening(tracing);
	else if (stage == TRACING_HAS_JUDGED && tracing->answers_open == 0)
		tracing_log_verdicts(tracing);
	else if (stage == TRACING_HAS_TOLD)
		tracing_attribute(tracing);
	else if (stage == TRACING_HAS_FAILED && tracing->answers_open == 0)
		tracing_end_failed(tracing);
	else if (stage == TRACING_OPENS)
		tracing_fetch(tracing);
	if (custody->tracing == tracing && tracing->request != NULL)
		tracing_progress(tracing, stage);
}
