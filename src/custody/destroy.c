/*
 * Destroying a consignment: what a client entrusted is made unreadable, here and in every copy of the vault.
 *
 *	asked ─► lookups rest ─► entry `destroying` ─► key ─► vault ─► catalogue, fingerprints ─► entry `destroyed`
 *	                               │ the commit           (a thread)
 *	                               └─ killed behind it: the next start does the rest
 *
 * The first entry decides; before it nothing has happened, behind it there is no way back. Its flush done, the
 * list is asked no more, and its key leaves the ring first, which is sealed anew under a new host secret (renew.c): with it
 * every row, token, run file and sealed correction of the list is noise, wherever copies of them lie, and copies of the ring
 * from before, too. What else is dropped is dropped for tidiness, and because sizes and numbers
 * tell something, too. Other lists have their own copy of each row, under their own key, and are not touched.
 *
 * Lookups rest until the entry is written, so that no disclosure is between its question and its answer.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/proc.h"
#include "custody/corrections.h"
#include "custody/destroy.h"
#include "custody/putting.h"
#include "custody/renew.h"

enum destroy_stage {
	DESTROY_WAITS,   /* for what is at work */
	DESTROY_COMMITS, /* the entry is on its way */
	DESTROY_DROPS,   /* vault, then the thread */
	DESTROY_ENDS,    /* the last entry is on its way */
};

struct destroying {
	struct custody *custody;
	struct consignment *list;
	enum destroy_stage stage;
	struct payload payload;
	void (*done)(void *arg, enum az_status status, const struct az_err *err);
	void *arg;
	pthread_t thread;
	bool has_thread;
	/* The thread's, and under the lock. */
	pthread_mutex_t lock;
	bool thread_is_done;
	struct az_err err;
};

/* --- marks ------------------------------------------------------------------------------------ */

#define MARK_FORMAT 1u

static enum az_status
put_mark(struct payload *payload, uint64_t consignment, enum destruction state, int64_t time_us)
{
	struct buffer thing;
	struct wire_writer writer;

	buffer_init(&thing, STATE_THING_MAX, false);
	wire_writer_init(&writer, &thing);
	wire_put_u8(&writer, MARK_FORMAT);
	wire_put_u8(&writer, (uint8_t)state);
	wire_put_i64(&writer, time_us);
	return payload_put_thing(payload, THING_DESTROYED, consignment, writer.status, &thing);
}

enum az_status
destroyed_apply(struct custody *custody, uint64_t id, struct bytes thing, struct az_err *reterr)
{
	struct consignment *list = consignment_of(custody, id);
	struct wire_reader reader;
	uint8_t format, state;
	int64_t time_us;

	wire_reader_init(&reader, thing);
	format = wire_get_u8(&reader);
	state = wire_get_u8(&reader);
	time_us = wire_get_i64(&reader);
	if (!wire_end(&reader) || format != MARK_FORMAT || list == NULL ||
	    (state != DESTRUCTION_BEGUN && state != DESTRUCTION_DONE))
		return az_fail(reterr, AZ_CORRUPT, "consignment: its end cannot be read");
	/* Put twice: never back. */
	if (state > list->destruction)
		list->destruction = state;
	list->destroyed_us = time_us;
	consignment_deactivate(custody, list);
	return AZ_OK;
}

/* --- whether it may be ------------------------------------------------------------------------ */

/* Whether some list of the purpose stands before it in the order: whom it took away would be back. */
static bool
takes_from_others(const struct custody *custody, const struct consignment *list)
{
	const struct live_list *live = live_of(custody, list->purpose);
	bool older = false;

	for (size_t i = 0; i < live->count; i++) {
		const struct consignment *other = live->items[i];
		bool newer = consignment_is_newer(other->as_of, other->id, list->as_of, list->id);

		/* What is before a newer full list is asked no more in any case. */
		if (newer && other->mode == LIST_FULL)
			return false;
		older = older || (!newer && other != list);
	}
	return older;
}

static enum az_status
check(const struct custody *custody, const struct consignment *list, uint64_t id,
    struct az_err *reterr)
{
	if (list == NULL || !list->active)
		return az_fail(reterr, AZ_NOT_FOUND, "destroy: there is no consignment %llu",
		    (unsigned long long)id);
	if (custody->destroying != NULL || custody->bulk != NULL || custody->tracing != NULL ||
	    custody->scanning != NULL || putting_is_at_work(custody))
		return az_fail(reterr, AZ_BUSY,
		    "destroy: a list is on its way, in or out, or traced, or looked for in files");
	if (custody->backup_front != NULL)
		return az_fail(reterr, AZ_BUSY, "destroy: a backup is being taken");
	if (list->mode != LIST_ADD && takes_from_others(custody, list))
		return az_fail(reterr, AZ_CONFLICT,
		    "destroy: consignment %llu took people away that an older list would bring "
		    "back; destroy that first",
		    (unsigned long long)id);
	return AZ_OK;
}

/* --- the end ---------------------------------------------------------------------------------- */

static struct ledger_entry
entry_of(const struct custody *custody, const struct consignment *list, enum entry_type type)
{
	return (struct ledger_entry){.type = type,
	    .log = list->client,
	    .policy_version = POLICY_VERSION,
	    .zone = ZONE_LOOPBACK,
	    .grade = GRADE_OWN,
	    .outcome = AZ_OK,
	    .subject = list->purpose,
	    .detail = list->accepted,
	    .detail64 = list->id};
}

/* What is in memory of a consignment whose key has gone. */
static void
forget(struct custody *custody, struct consignment *list)
{
	consignment_keys_free(&list->keys);
	corrections_forget(custody, list->purpose);
	custody->reader_is_fresh = false;
}

static enum az_status
drop_key(struct custody *custody, struct consignment *list, struct az_err *reterr)
{
	enum az_status status = ring_drop_consignment(custody->ring, list->id, reterr);

	forget(custody, list);
	return status == AZ_NOT_FOUND ? AZ_OK : status;
}

/* The entry that says that nothing is left, with the number of the ring that has not its key. */
static enum az_status
end_payload(struct custody *custody, const struct consignment *list, struct payload *payload,
    struct ledger_entry *entry)
{
	struct house house = custody->house;
	enum az_status status;

	house.list_ring_number = ring_number(custody->ring);
	*entry = entry_of(custody, list, ENTRY_DESTROYED);
	payload_init(payload);
	status = put_mark(payload, list->id, DESTRUCTION_DONE, list->destroyed_us);
	if (status == AZ_OK)
		status = payload_put_records(payload, &house);
	if (status == AZ_OK)
		status = payload_end(payload, NULL, entry->text);
	return status;
}

static void
ended(void *arg, const struct az_ticket *ticket)
{
	struct destroying *destroying = arg;
	struct custody *custody = destroying->custody;
	struct payload_text text;
	struct az_err err = {0};

	(void)ticket;
	if (payload_read(buffer_peek(&destroying->payload.buffer), thing_apply, custody, &text,
		&err) != AZ_OK)
		custody_fatal(custody, &err);
	payload_fini(&destroying->payload);
	custody->destroying = NULL;
	custody->list_is_committing = false;
	custody->change_is_due = custody->changes != NULL;
	corrections_carry_soon(custody);
	if (destroying->done != NULL)
		destroying->done(destroying->arg, AZ_OK, NULL);
	(void)pthread_mutex_destroy(&destroying->lock);
	free(destroying);
	custody_may_stop(custody);
}

/* --- dropping --------------------------------------------------------------------------------- */

/* A thread: the tables are searched, which takes its time in a large house. */
static void *
drop_run(void *arg)
{
	struct destroying *destroying = arg;
	struct custody *custody = destroying->custody;
	struct az_err err = {0};
	enum az_status status;

	proc_give_way();
	status = catalogue_drop(custody->catalogue, destroying->list->id, &err);
	if (status == AZ_OK)
		status = trace_run_remove(custody->trace_dirfd, destroying->list->id, &err);
	err.status = status;
	(void)pthread_mutex_lock(&destroying->lock);
	destroying->thread_is_done = true;
	destroying->err = err;
	(void)pthread_mutex_unlock(&destroying->lock);
	loop_wake(custody->config.loop);
	return NULL;
}

static void
vault_has_dropped(void *arg, const struct frame *frame)
{
	struct destroying *destroying = arg;
	struct custody *custody = destroying->custody;
	struct az_err err = {0};

	/* There is no way back: what cannot be dropped now is, by the next start. */
	if (frame->type != VAULT_DONE && vault_failed(frame, &err) != AZ_OK)
		custody_fatal(custody, &err);
	destroy_may_die(custody, "vault");
	destroying->has_thread =
	    pthread_create(&destroying->thread, NULL, drop_run, destroying) == 0;
	if (!destroying->has_thread) {
		(void)az_fail(&err, AZ_NO_MEMORY, "destroy: no thread can be started");
		custody_fatal(custody, &err);
	}
}

static void
key_has_gone(void *arg, const struct az_err *failed)
{
	struct destroying *destroying = arg;
	struct custody *custody = destroying->custody;
	struct az_err err = *failed;

	/* The next start tries again. */
	if (err.status != AZ_OK)
		custody_fatal(custody, &err);
	forget(custody, destroying->list);
	destroy_may_die(custody, "key");
	destroying->stage = DESTROY_DROPS;
	if (vault_ask(custody, VAULT_DROP, &destroying->list->id, vault_has_dropped, destroying,
		&err) != AZ_OK)
		custody_fatal(custody, &err);
	looks_resume(custody);
}

static void
committed(void *arg, const struct az_ticket *ticket)
{
	struct destroying *destroying = arg;
	struct custody *custody = destroying->custody;
	struct payload_text text;
	struct az_err err = {0};

	(void)ticket;
	destroy_may_die(custody, "entry");
	if (payload_read(buffer_peek(&destroying->payload.buffer), thing_apply, custody, &text,
		&err) != AZ_OK ||
	    renew_begin(custody, destroying->list->id, key_has_gone, destroying, &err) != AZ_OK)
		custody_fatal(custody, &err);
	payload_fini(&destroying->payload);
}

/* --- the loop --------------------------------------------------------------------------------- */

static void
give_up(struct destroying *destroying, enum az_status status, const struct az_err *err)
{
	struct custody *custody = destroying->custody;

	payload_fini(&destroying->payload);
	custody->destroying = NULL;
	custody->list_is_committing = false;
	custody->change_is_due = custody->changes != NULL;
	looks_resume(custody);
	if (destroying->done != NULL)
		destroying->done(destroying->arg, status, err);
	(void)pthread_mutex_destroy(&destroying->lock);
	free(destroying);
	custody_may_stop(custody);
}

static void
commit(struct destroying *destroying)
{
	struct custody *custody = destroying->custody;
	struct ledger_entry entry = entry_of(custody, destroying->list, ENTRY_DESTROYING);
	struct az_err err = {0};
	enum az_status status;

	destroy_may_die(custody, "begin");
	payload_init(&destroying->payload);
	status =
	    put_mark(&destroying->payload, destroying->list->id, DESTRUCTION_BEGUN, clock_now_us());
	if (status == AZ_OK)
		status = payload_end(&destroying->payload, NULL, entry.text);
	if (status == AZ_OK)
		status = ledger_submit(custody->ledger, &entry,
		    buffer_peek(&destroying->payload.buffer), committed, destroying, &err);
	if (status != AZ_OK) {
		give_up(destroying, status, &err);
		return;
	}
	destroying->stage = DESTROY_COMMITS;
}

static void
end(struct destroying *destroying)
{
	struct custody *custody = destroying->custody;
	struct ledger_entry entry;
	struct az_err err = {0};
	enum az_status status;

	(void)pthread_join(destroying->thread, NULL);
	destroying->has_thread = false;
	if (destroying->err.status != AZ_OK)
		custody_fatal(custody, &destroying->err);
	destroy_may_die(custody, "catalogue");
	status = end_payload(custody, destroying->list, &destroying->payload, &entry);
	if (status == AZ_OK)
		status = ledger_submit(custody->ledger, &entry,
		    buffer_peek(&destroying->payload.buffer), ended, destroying, &err);
	if (status != AZ_OK)
		custody_fatal(custody, &err);
	destroying->stage = DESTROY_ENDS;
}

bool
destroy_holds_lookups(const struct custody *custody)
{
	return custody->destroying != NULL && custody->destroying->stage <= DESTROY_COMMITS;
}

void
destroy_round(struct custody *custody)
{
	struct destroying *destroying = custody->destroying;
	bool done;

	if (destroying == NULL)
		return;
	if (destroying->stage == DESTROY_WAITS) {
		/* A change at work ends first, and the others wait, as do lookups. */
		if (custody->lookups_open == 0 && !custody->carry_is_busy &&
		    (custody->changes == NULL || custody->change_is_due)) {
			custody->list_is_committing = true;
			commit(destroying);
		}
		return;
	}
	(void)pthread_mutex_lock(&destroying->lock);
	done = destroying->thread_is_done;
	(void)pthread_mutex_unlock(&destroying->lock);
	if (destroying->stage == DESTROY_DROPS && done)
		end(destroying);
}

enum az_status
custody_destroy(struct custody *custody, uint64_t consignment,
    void (*done)(void *arg, enum az_status status, const struct az_err *err), void *arg,
    struct az_err *reterr)
{
	struct consignment *list = consignment_of(custody, consignment);
	struct destroying *destroying;
	enum az_status status = check(custody, list, consignment, reterr);

	if (status != AZ_OK)
		return status;
	destroying = calloc(1, sizeof(*destroying));
	if (destroying == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "destroy: out of memory");
	(void)pthread_mutex_init(&destroying->lock, NULL);
	destroying->custody = custody;
	destroying->list = list;
	destroying->done = done;
	destroying->arg = arg;
	custody->destroying = destroying;
	loop_wake(custody->config.loop);
	return AZ_OK;
}

/* --- at start --------------------------------------------------------------------------------- */

enum az_status
destroy_roll_forward(struct custody *custody, struct az_err *reterr)
{
	enum az_status status = AZ_OK;

	for (size_t i = 0; i < custody->consignment_count && status == AZ_OK; i++) {
		struct consignment *list = custody->consignments[i];

		if (list->destruction != DESTRUCTION_BEGUN)
			continue;
		status = drop_key(custody, list, reterr);
		/* Once the parent listens: until then an older ring would still open. */
		custody->renewal_is_due = true;
		if (status == AZ_OK)
			status = catalogue_drop(custody->catalogue, list->id, reterr);
		if (status == AZ_OK)
			status = trace_run_remove(custody->trace_dirfd, list->id, reterr);
	}
	return status;
}

enum az_status
destroy_finish_all(struct custody *custody, struct az_err *reterr)
{
	enum az_status status = AZ_OK;

	for (size_t i = 0; i < custody->consignment_count && status == AZ_OK; i++) {
		struct consignment *list = custody->consignments[i];
		struct ledger_entry entry;
		struct payload payload;
		struct payload_text text;

		if (list->destruction != DESTRUCTION_BEGUN)
			continue;
		status = end_payload(custody, list, &payload, &entry);
		if (status == AZ_OK)
			status = ledger_submit(custody->ledger, &entry,
			    buffer_peek(&payload.buffer), NULL, NULL, reterr);
		if (status == AZ_OK)
			status = payload_read(
			    buffer_peek(&payload.buffer), thing_apply, custody, &text, reterr);
		payload_fini(&payload);
	}
	return status;
}

/* --- for tests -------------------------------------------------------------------------------- */

#ifdef AZ_TESTABLE
#define HOOK "test-destroy"

/* The hook's file: a consignment's number, and at which step to die, if at any. */
static bool
read_hook(const struct custody *custody, char *text, size_t room)
{
	struct buffer file;
	bool there;

	buffer_init(&file, 256, false);
	there = file_read_whole(custody->config.dirfd, HOOK, &file, NULL) == AZ_OK;
	if (there) {
		size_t size = file.size < room - 1 ? file.size : room - 1;

		memcpy(text, file.data, size);
		text[size] = '\0';
	}
	buffer_fini(&file);
	return there;
}

static void
hook_is_done(void *arg, enum az_status status, const struct az_err *err)
{
	struct custody *custody = arg;
	const char *said = status == AZ_OK ? "done" : err->text;

	az_ignore(file_replace(custody->config.dirfd, HOOK "-said", bytes_of(said), 0600, NULL));
}

void
destroy_may_die(const struct custody *custody, const char *step)
{
	char text[256];

	if (!read_hook(custody, text, sizeof(text)) || strstr(text, step) == NULL)
		return;
	/* Once only. */
	if (renameat(custody->config.dirfd, HOOK, custody->config.dirfd, HOOK "-said") == 0)
		_exit(1);
}

void
destroy_test_tick(struct custody *custody)
{
	char text[256];
	struct az_err err = {0};
	enum az_status status;

	if (custody->phase != PHASE_SERVING || custody->destroying != NULL ||
	    faccessat(custody->config.dirfd, HOOK "-said", F_OK, 0) == 0 ||
	    !read_hook(custody, text, sizeof(text)))
		return;
	status = custody_destroy(custody, strtoull(text, NULL, 10), hook_is_done, custody, &err);
	if (status != AZ_OK)
		hook_is_done(custody, status, &err);
}
#else
void
destroy_may_die(const struct custody *custody, const char *step)
{
	(void)custody;
	(void)step;
}
#endif
