/*
 * The life of the house in the keeper: opening or founding it, recovering what a crash left, serving,
 * stopping.
 *
 *	start   house.db ── things ──┐
 *	        write-ahead log ─────┴─► memory          (the same function takes both)
 *	        ring, catalogue, vault: what the ledger never committed is dropped,
 *	                                what it committed is rolled forward
 *	serve   change ─► entry + payload ─► flush ─► memory
 *	                                        └─► follower ─► house.db
 *
 * The ledger alone says what happened. A key, a run file or rows without an entry were never acknowledged;
 * an entry whose catalogue was not loaded is loaded from its run.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "custody/attribution.h"
#include "custody/campaigns.h"
#include "custody/cases.h"
#include "custody/checks.h"
#include "custody/corrections.h"
#include "custody/custody_internal.h"
#include "custody/destroy.h"
#include "custody/grants.h"
#include "custody/guards.h"
#include "custody/hand_over.h"
#include "custody/histories.h"
#include "custody/holds.h"
#include "custody/losses.h"
#include "custody/maps.h"
#include "custody/putting.h"
#include "custody/renew.h"
#include "custody/scan.h"
#include "custody/standings.h"
#include "custody/witnesses.h"

#define ARENA_MAX        (MATCH_KEYS_MAX * MATCH_KEY_MAX + (VAULT_ROWS_MAX + 4) * (ROW_SIZE_MAX + 64u))
#define LEDGER_FOLDER    "ledger"
#define CATALOGUE_FOLDER "catalogue"
#define TRACE_FOLDER     "trace"

enum az_status
custody_use_tables(int fd, struct az_err *reterr)
{
	return match_tables_map(fd, reterr);
}

void
custody_prepare(void)
{
	struct secret *secret = NULL;
	struct mac *mac = NULL;
	struct seal_key *seal_key = NULL;
	struct sign_key *sign_key = NULL;

	/* One of each, so that OpenSSL has loaded what it loads at first use. */
	if (secret_random(KEY_SIZE, &secret, NULL) == AZ_OK) {
		az_ignore(mac_new(secret_peek(secret), &mac, NULL));
		az_ignore(seal_key_new(secret_peek(secret), &seal_key, NULL));
		az_ignore(sign_key_new(secret_peek(secret), &sign_key, NULL));
	}
	mac_free(&mac);
	seal_key_free(&seal_key);
	sign_key_free(&sign_key);
	secret_free(&secret);
	state_prepare();
}

void
custody_fatal(struct custody *custody, const struct az_err *err)
{
	custody->config.fatal(custody->config.arg, err);
	abort();
}

/* --- the follower's side: house.db ------------------------------------------------------------ */

static enum az_status
put_in_state(void *arg, uint8_t kind, uint64_t id, struct bytes thing, struct az_err *reterr)
{
	struct custody *custody = arg;

	return state_put(custody->state, kind, id, thing, reterr);
}

/* Whether a list became the house's by an entry of that type. */
static bool
makes_consignment(enum entry_type type)
{
	return type == ENTRY_ENTRUSTED || type == ENTRY_ENTRUSTED_FULL || type == ENTRY_WITHDRAWN;
}

/* Follower: what an entry put goes to house.db, and its text to the side store. */
static enum az_status
behind(void *arg, const struct ledger_record *record, struct az_err *reterr)
{
	struct custody *custody = arg;
	struct payload_text text;
	enum az_status status;

	if (record->payload.size == 0)
		return AZ_OK;
	if (makes_consignment(record->entry->type)) {
		uint8_t place[ENTRY_PLACE_SIZE];

		place_encode(record->index, place);
		status = state_put(custody->state, THING_PLACE, record->entry->consignment,
		    bytes_make(place, sizeof(place)), reterr);
		if (status != AZ_OK)
			return status;
	}
	status = payload_read(record->payload, put_in_state, custody, &text, reterr);
	if (status == AZ_OK && text.text.size > 0)
		status = state_put_text(custody->state, record->entry->log, record->index,
		    text.salt, text.text, reterr);
	if (status == AZ_OK && text.note.size > 0)
		status = state_put_text(custody->state, record->entry->log | NOTE_LOG,
		    record->index, text.note_salt, text.note, reterr);
	return status;
}

static enum az_status
behind_sync(void *arg, uint64_t seq, struct az_err *reterr)
{
	struct custody *custody = arg;

	return state_sync(custody->state, seq, reterr);
}

static void
wake(void *arg)
{
	struct custody *custody = arg;

	loop_wake(custody->config.loop);
}

static void
ledger_is_fatal(void *arg, const struct az_err *err)
{
	custody_fatal(arg, err);
}

/* --- opening ---------------------------------------------------------------------------------- */

/* A record that house.db has not: into memory and into house.db. */
static enum az_status
replay(void *arg, const struct ledger_record *record, struct az_err *reterr)
{
	struct custody *custody = arg;
	struct payload_text text;
	enum az_status status = AZ_OK;

	if (record->payload.size > 0)
		status = payload_read(record->payload, thing_apply, custody, &text, reterr);
	if (status == AZ_OK && makes_consignment(record->entry->type))
		consignment_stands_at(custody, record->entry->consignment, record->index);
	if (status == AZ_OK)
		status = behind(custody, record, reterr);
	return status;
}

static enum az_status
open_ledger(struct custody *custody, struct az_err *reterr)
{
	struct ledger_config config = {.root = custody->config.root,
	    .create = custody->config.founding != NULL,
	    .has_anchor = custody->config.has_anchor,
	    .anchor_dirfd = custody->config.anchor_dirfd,
	    .behind = behind,
	    .behind_sync = behind_sync,
	    .behind_arg = custody,
	    .wake = wake,
	    .wake_arg = custody,
	    .fatal = ledger_is_fatal,
	    .fatal_arg = custody};
	enum az_status status;

	status = dir_open(custody->config.dirfd, LEDGER_FOLDER, config.create, 0700,
	    &custody->ledger_dirfd, reterr);
	if (status != AZ_OK)
		return status;
	config.dirfd = custody->ledger_dirfd;
	memcpy(config.house, custody->config.house, HOUSE_ID_SIZE);
	return ledger_open(&config, &custody->ledger, reterr);
}

static enum az_status
open_catalogue(struct custody *custody, struct az_err *reterr)
{
	bool create = custody->config.founding != NULL;
	enum az_status status = dir_open(custody->config.dirfd, CATALOGUE_FOLDER, create, 0700,
	    &custody->catalogue_dirfd, reterr);

	if (status == AZ_OK)
		status = catalogue_open(custody->catalogue_dirfd, custody->config.house, create,
		    &custody->catalogue, reterr);
	if (status == AZ_OK)
		status = catalogue_reader_new(custody->catalogue, &custody->reader, reterr);
	return status;
}

static enum az_status
open_trace(struct custody *custody, struct az_err *reterr)
{
	const struct custody_config *config = &custody->config;
	struct secret *key = NULL;
	/* A house from before there were fingerprints has no folder yet. */
	enum az_status status =
	    dir_open(config->dirfd, TRACE_FOLDER, true, 0700, &custody->trace_dirfd, reterr);

	if (status == AZ_OK)
		status = kdf_derive(config->root, config->house, "trace", 0, &key, reterr);
	if (status == AZ_OK)
		status = trace_keys_new(key, config->house, &custody->trace_keys, reterr);
	secret_free(&key);
	return status;
}

static enum az_status
open_parts(struct custody *custody, struct az_err *reterr)
{
	const struct custody_config *config = &custody->config;
	bool create = config->founding != NULL;
	enum az_status status = people_new(&custody->people, reterr);

	if (status == AZ_OK)
		status = policy_new(&custody->policy, reterr);
	if (status == AZ_OK)
		status = budget_book_new(&custody->budgets, reterr);
	if (status == AZ_OK)
		status = kdf_derive(
		    config->root, config->house, "budgets", 0, &custody->budgets_key, reterr);
	if (status == AZ_OK)
		status = kdf_derive(
		    config->root, config->house, "histories", 0, &custody->histories_key, reterr);
	if (status == AZ_OK)
		status = arena_new(ARENA_MAX, &custody->arena, reterr);
	if (status == AZ_OK)
		status = kdf_derive(
		    config->root, config->house, "catalogue", 0, &custody->catalogue_key, reterr);
	if (status == AZ_OK)
		status = kdf_derive(
		    config->root, config->house, "intake", 0, &custody->intake_identity, reterr);
	if (status == AZ_OK)
		status = ring_open(config->dirfd, config->house, config->root, config->host, create,
		    &custody->ring, reterr);
	if (status == AZ_OK)
		status = state_open(
		    config->dirfd, config->house, config->root, create, &custody->state, reterr);
	if (status == AZ_OK)
		status = open_ledger(custody, reterr);
	if (status == AZ_OK)
		status = open_catalogue(custody, reterr);
	if (status == AZ_OK)
		status = open_trace(custody, reterr);
	return status;
}

/* --- recovering ------------------------------------------------------------------------------- */

struct unknown {
	const struct custody *custody;
	uint64_t *ids;
	size_t count, room;
	bool failed;
};

static void
note_unknown(struct unknown *unknown, uint64_t id)
{
	const struct consignment *known = consignment_of(unknown->custody, id);

	/* What was destroyed is nobody's any more: destroy_roll_forward. */
	if (known != NULL)
		return;
	if (unknown->count == unknown->room) {
		size_t room = unknown->room == 0 ? 16 : 2 * unknown->room;
		uint64_t *ids = reallocarray(unknown->ids, room, sizeof(*ids));

		if (ids == NULL) {
			unknown->failed = true;
			return;
		}
		unknown->ids = ids;
		unknown->room = room;
	}
	unknown->ids[unknown->count++] = id;
}

static void
note_ring(void *arg, uint32_t client, uint64_t consignment)
{
	(void)client;
	note_unknown(arg, consignment);
}

static void
note_run(void *arg, uint64_t consignment, bool loaded)
{
	(void)loaded;
	note_unknown(arg, consignment);
}

static void
note_prints(void *arg, uint64_t consignment)
{
	note_unknown(arg, consignment);
}

/* Drops what was prepared for consignments that were never committed: files, then keys. */
static enum az_status
drop_uncommitted(struct custody *custody, struct az_err *reterr)
{
	struct unknown runs = {.custody = custody};
	struct unknown prints = {.custody = custody};
	struct unknown keys = {.custody = custody};
	enum az_status status = catalogue_consignments(custody->catalogue, note_run, &runs, reterr);

	if (status == AZ_OK)
		status = trace_runs(custody->trace_dirfd, note_prints, &prints, reterr);
	ring_each(custody->ring, note_ring, &keys);
	if (status == AZ_OK && (runs.failed || prints.failed || keys.failed))
		status = az_fail(reterr, AZ_NO_MEMORY, "recovery: out of memory");
	for (size_t i = 0; i < runs.count && status == AZ_OK; i++)
		status = catalogue_run_remove(custody->catalogue, runs.ids[i], reterr);
	for (size_t i = 0; i < prints.count && status == AZ_OK; i++)
		status = trace_run_remove(custody->trace_dirfd, prints.ids[i], reterr);
	for (size_t i = 0; i < keys.count && status == AZ_OK; i++)
		status = ring_drop_consignment(custody->ring, keys.ids[i], reterr);
	free(runs.ids);
	free(prints.ids);
	free(keys.ids);
	return status;
}

/* Rolls every committed consignment forward. */
static enum az_status
load_committed(struct custody *custody, struct az_err *reterr)
{
	enum az_status status = AZ_OK;

	for (size_t i = 0; i < custody->consignment_count && status == AZ_OK; i++) {
		struct consignment *consignment = custody->consignments[i];

		if (consignment->destruction != DESTRUCTION_NONE)
			continue;
		if (!catalogue_is_loaded(custody->catalogue, consignment->id)) {
			status = keys_of(custody, consignment, reterr);
			if (status == AZ_OK)
				status = catalogue_load(custody->catalogue, consignment->id,
				    consignment->as_of, consignment->keys->run, consignment->run,
				    reterr);
		} else if (ring_consignment(custody->ring, consignment->client, consignment->id) ==
		    NULL) {
			status = az_fail(reterr, AZ_FORGED,
			    "consignment %llu: the key ring has no key for it",
			    (unsigned long long)consignment->id);
		}
		if (status == AZ_OK)
			status = consignment_activate(custody, consignment, reterr);
	}
	return status;
}

/* An older ring in place of ours lacks newer keys, and has keys that were destroyed. */
static enum az_status
check_ring(const struct custody *custody, struct az_err *reterr)
{
	uint64_t known = custody->house.ring_number > custody->house.list_ring_number
	    ? custody->house.ring_number
	    : custody->house.list_ring_number;

	if (ring_number(custody->ring) < known)
		return az_fail(reterr, AZ_FORGED,
		    "key ring: it is older than the ledger (number %llu, not %llu)",
		    (unsigned long long)ring_number(custody->ring), (unsigned long long)known);
	return AZ_OK;
}

static enum az_status
recover(struct custody *custody, struct az_err *reterr)
{
	enum az_status status = state_each(custody->state, thing_apply, custody, reterr);

	if (status == AZ_OK)
		status = ledger_replay(
		    custody->ledger, state_applied(custody->state), replay, custody, reterr);
	if (status == AZ_OK && (custody->house.founded_us == 0 || custody->house.next_record == 0))
		status = az_fail(reterr, AZ_CORRUPT, "the house was never founded to the end");
	if (status == AZ_OK)
		status = check_ring(custody, reterr);
	if (status == AZ_OK)
		status = drop_uncommitted(custody, reterr);
	if (status == AZ_OK)
		status = destroy_roll_forward(custody, reterr);
	if (status == AZ_OK)
		status = load_committed(custody, reterr);
	if (status == AZ_OK)
		status = histories_recover(custody, reterr);
	if (status == AZ_OK)
		status = corrections_open(custody, reterr);
	if (status == AZ_OK)
		status = budgets_count(custody, reterr);
	return status;
}

/* --- founding and starting -------------------------------------------------------------------- */

static struct ledger_entry
own_entry(enum entry_type type)
{
	return (struct ledger_entry){.type = type,
	    .log = LEDGER_HOUSE_LOG,
	    .policy_version = POLICY_VERSION,
	    .zone = ZONE_LOOPBACK,
	    .grade = GRADE_OWN,
	    .outcome = AZ_OK};
}

/* Submits an entry of the house's own, with what payload holds, and takes it into memory at once. */
static enum az_status
submit_own(struct custody *custody, struct ledger_entry entry, struct payload *payload,
    struct az_err *reterr)
{
	struct payload_text text;
	enum az_status status = payload_end(payload, NULL, entry.text);

	if (status != AZ_OK)
		return az_fail(reterr, status, "house: an entry is too large");
	status = ledger_submit(
	    custody->ledger, &entry, buffer_peek(&payload->buffer), NULL, NULL, reterr);
	if (status == AZ_OK)
		status = payload_read(
		    buffer_peek(&payload->buffer), thing_apply, custody, &text, reterr);
	return status;
}

/* The officers: one of an unsealed house; of a sealed one also the other, who is invited, and enrols by themselves. */
static enum az_status
found_officers(struct custody *custody, struct payload *payload, int64_t now, struct az_err *reterr)
{
	const struct parent_founding *founding = custody->config.founding;
	struct staff first = {.id = 1,
	    .role = ROLE_OFFICER,
	    .from = AZ_DATE_NONE,
	    .until = AZ_DATE_NONE,
	    .keyed_us = now,
	    .added_us = now};
	struct staff second = {.id = 2,
	    .role = ROLE_OFFICER,
	    .from = AZ_DATE_NONE,
	    .until = AZ_DATE_NONE,
	    .invited_until_us = now + FRONT_INVITE_MAX_S * AZ_US_PER_S,
	    .added_us = now};
	enum az_status status;

	(void)snprintf(first.label, sizeof(first.label), "%s", founding->officer);
	(void)snprintf(first.name, sizeof(first.name), "%s", founding->name);
	memcpy(first.public_key, founding->officer_key, sizeof(first.public_key));
	(void)snprintf(second.label, sizeof(second.label), "%s", founding->second);
	memcpy(second.invitation, founding->invitation, sizeof(second.invitation));
	if ((founding->second[0] == '\0') != custody->unsealed ||
	    strcmp(first.label, second.label) == 0)
		return az_fail(reterr, AZ_INVALID, "a sealed house is founded by two officers");
	status = people_may_add_staff(custody->people, &first, reterr);
	if (status == AZ_OK)
		status = payload_put_staff(payload, &first);
	if (status == AZ_OK && !custody->unsealed)
		status = people_may_add_staff(custody->people, &second, reterr);
	if (status == AZ_OK && !custody->unsealed)
		status = payload_put_staff(payload, &second);
	return status;
}

/* The first entries: the house, its default policy, the officers, the host's own device. */
static enum az_status
found(struct custody *custody, struct az_err *reterr)
{
	const struct parent_founding *founding = custody->config.founding;
	int64_t now = clock_now_us();
	struct house house = {.founded_us = now, .next_record = 1, .sessions_before = 1};
	struct device device = {.id = 1, .added_us = now};
	struct ledger_entry entry;
	struct payload payload;
	enum az_status status;

	(void)snprintf(device.label, sizeof(device.label), "%s", founding->device);
	memcpy(device.public_key, founding->device_key, sizeof(device.public_key));
	status = people_may_add_device(custody->people, &device, reterr);
	if (status != AZ_OK)
		return status;
	payload_init(&payload);
	status = payload_put_house(&payload, &house);
	if (status == AZ_OK)
		status = payload_put_records(&payload, &house);
	if (status == AZ_OK)
		status = payload_put_sessions(&payload, &house);
	if (status == AZ_OK)
		status = found_officers(custody, &payload, now, reterr);
	if (status == AZ_OK)
		status = payload_put_device(&payload, &device);
	if (status == AZ_OK)
		status = budgets_found(&payload);
	entry = own_entry(ENTRY_FOUNDED);
	entry.subject = custody->unsealed ? 1 : 0;
	if (status == AZ_OK)
		status = submit_own(custody, entry, &payload, reterr);
	payload_fini(&payload);
	return status;
}

static enum az_status
log_start(struct custody *custody, struct az_err *reterr)
{
	struct ledger_entry entry = own_entry(ENTRY_STARTED);
	struct house house = custody->house;
	struct payload payload;
	enum az_status status;

	house.starts++;
	house.ring_number = ring_number(custody->ring);
	entry.detail64 = house.ring_number;
	payload_init(&payload);
	status = payload_put_house(&payload, &house);
	if (status == AZ_OK)
		status = submit_own(custody, entry, &payload, reterr);
	payload_fini(&payload);
	return status;
}

/* --- open, close ------------------------------------------------------------------------------ */

enum az_status
custody_open(
    const struct custody_config *config, struct custody **ret_custody, struct az_err *reterr)
{
	struct custody *custody = calloc(1, sizeof(*custody));
	enum az_status status = AZ_NO_MEMORY;
	int64_t last_us = 0;

	if (custody == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "house: out of memory");
	custody->config = *config;
	custody->ledger_dirfd = -1;
	custody->catalogue_dirfd = -1;
	custody->trace_dirfd = -1;
	custody->unsealed = house_is_unsealed(config->house);
	custody->since_us = clock_now_us();
	custody->unauthenticated_us = custody->since_us;
	custody->reconciled_us = clock_monotonic_us();
	buffer_init(&custody->reply, FRONT_FRAME_MAX - 16, true);
	custody->scratch = calloc(1, sizeof(*custody->scratch));
	if (custody->scratch != NULL)
		status = open_parts(custody, reterr);
	if (status == AZ_OK && config->founding == NULL)
		status = recover(custody, reterr);
	if (status == AZ_OK) {
		last_us = ledger_last_time(custody->ledger);
		status = ledger_start(custody->ledger, reterr);
	}
	if (status == AZ_OK && config->founding != NULL)
		status = found(custody, reterr);
	if (status == AZ_OK)
		status = log_start(custody, reterr);
	if (status == AZ_OK) {
		moments_started(custody, last_us);
		people_sessions_after(custody->people, custody->house.sessions_before - 1);
		ledger_kick(custody->ledger);
		vault_start(custody);
		/* The caller's, and wiped by it. */
		custody->config.root = NULL;
		custody->config.host = NULL;
		custody->config.founding = NULL;
		*ret_custody = custody;
	} else {
		custody_close(&custody);
	}
	return status;
}

static void
settled_at_start(void *arg)
{
	struct custody *custody = arg;

	if (custody->phase != PHASE_STARTING)
		return;
	custody->phase = PHASE_SERVING;
	crossing_tick(custody);
	custody->config.ready(custody->config.arg);
}

static void
renewed_at_start(void *arg, const struct az_err *failed)
{
	struct custody *custody = arg;
	struct az_err err = *failed;

	if (err.status != AZ_OK)
		custody_fatal(custody, &err);
	custody_ready(custody);
}

void
custody_ready(struct custody *custody)
{
	struct az_err err = {0};

	/* What was destroyed when we were ended is not said to be gone while an older ring opens. */
	if (custody->renewal_is_due) {
		custody->renewal_is_due = false;
		if (renew_begin(custody, 0, renewed_at_start, custody, &err) != AZ_OK)
			custody_fatal(custody, &err);
		return;
	}
	if (destroy_finish_all(custody, &err) != AZ_OK)
		custody_fatal(custody, &err);
	/* Founded or recovered, it is on disk in all its parts before anybody is served. */
	if (ledger_settle(custody->ledger, settled_at_start, custody, &err) != AZ_OK)
		custody_fatal(custody, &err);
}

void
custody_close(struct custody **custody)
{
	struct custody *closed = *custody;

	if (closed == NULL)
		return;
	*custody = NULL;
	attribution_close(closed);
	importing_close(closed);
	putting_close(closed);
	ledger_close(&closed->ledger);
	catalogue_reader_free(&closed->reader);
	catalogue_close(&closed->catalogue);
	state_close(&closed->state);
	for (size_t i = 0; i < closed->consignment_count; i++) {
		consignment_keys_free(&closed->consignments[i]->keys);
		free(closed->consignments[i]);
	}
	free(closed->consignments);
	for (size_t i = 0; i < closed->live_room; i++) {
		free(closed->live[i].items);
		free(closed->live[i].withdrawals);
	}
	free(closed->live);
	for (size_t i = 0; i < closed->client_keys_room; i++) {
		if (closed->client_keys[i] == NULL)
			continue;
		mac_free(&closed->client_keys[i]->number);
		mac_free(&closed->client_keys[i]->content);
		mac_free(&closed->client_keys[i]->corrected);
		free(closed->client_keys[i]);
	}
	free(closed->client_keys);
	ring_free(&closed->ring);
	people_free(&closed->people);
	policy_free(&closed->policy);
	budget_book_free(&closed->budgets);
	secret_free(&closed->budgets_key);
	secret_free(&closed->histories_key);
	campaigns_free(closed);
	guards_free(closed);
	grants_free(closed);
	maps_free(closed);
	cases_free(closed);
	histories_free(closed);
	witnesses_free(closed);
	checks_free(closed);
	hand_overs_free(closed);
	stating_close(closed);
	numbered_free(&closed->standings);
	moments_free(closed);
	slots_fini(closed);
	holds_free(closed);
	corrections_free(closed);
	losses_free(closed);
	secret_free(&closed->catalogue_key);
	secret_free(&closed->intake_identity);
	trace_keys_free(&closed->trace_keys);
	arena_free(&closed->arena);
	buffer_fini(&closed->reply);
	free(closed->calls);
	free(closed->scratch);
	fd_close(&closed->ledger_dirfd);
	fd_close(&closed->catalogue_dirfd);
	fd_close(&closed->trace_dirfd);
	free(closed);
}

/* --- rounds ----------------------------------------------------------------------------------- */

void
custody_woken(struct custody *custody)
{
	ledger_poll(custody->ledger);
	entrust_woken(custody);
	destroy_round(custody);
	custody_may_stop(custody);
}

void
custody_round(struct custody *custody)
{
	entrust_woken(custody);
	corrections_round(custody);
	destroy_round(custody);
	changes_round(custody);
	entrust_round(custody);
	attribution_round(custody);
	importing_round(custody);
	putting_round(custody);
	trace_round(custody);
	scan_round(custody);
	stating_round(custody);
	vault_reconcile_round(custody);
	if (custody->restart_is_due && custody->changes == NULL && custody->bulk == NULL) {
		custody->restart_is_due = false;
		custody->config.restart(custody->config.arg);
	}
	ledger_kick(custody->ledger);
	/* A reader that rests would hold back the pages of what is loaded meanwhile. */
	custody->reader_is_fresh = false;
}

void
custody_tick(struct custody *custody)
{
	session_tick(custody, house_now_us(custody));
	if (custody->phase == PHASE_SERVING)
		guards_tick(custody);
	if (custody->phase == PHASE_SERVING) {
		moments_tick(custody);
		crossing_tick(custody);
		witnesses_tick(custody);
	}
	backup_tick(custody);
#ifdef AZ_TESTABLE
	destroy_test_tick(custody);
#endif
	if (custody->phase == PHASE_SERVING && !custody->reconciling &&
	    vault_reconcile_is_due(custody))
		vault_reconcile_begin(custody);
}

void
custody_child(struct custody *custody, uint32_t id, int socket, int pipe)
{
	if (custody->bulk != NULL && entrust_child_id(custody->bulk) == id) {
		entrust_child(custody->bulk, socket, pipe);
	} else if (custody->verifying != NULL && verify_child_id(custody->verifying) == id) {
		fd_close(&pipe);
		verify_child(custody->verifying, socket);
	} else if (custody->publishing != NULL && publish_child_id(custody->publishing) == id) {
		fd_close(&pipe);
		publish_child(custody->publishing, socket);
	} else if (importing_has_child(custody, id)) {
		importing_child(custody, socket, pipe);
	} else if (attribution_has_child(custody, id)) {
		fd_close(&pipe);
		attribution_child(custody, socket);
	} else if (putting_has_child(custody, id)) {
		putting_child(custody, id, socket, pipe);
	} else if (custody->tracing != NULL && trace_child_id(custody->tracing) == id) {
		trace_child(custody->tracing, socket, pipe);
	} else {
		/* Whoever asked for it has gone; so it ends, since nobody talks to it. */
		fd_close(&socket);
		fd_close(&pipe);
	}
}

bool
custody_child_has_pipe(const struct custody *custody, uint32_t id)
{
	return (custody->bulk != NULL && entrust_child_id(custody->bulk) == id) ||
	    importing_has_child(custody, id) || putting_child_has_pipe(custody, id) ||
	    (custody->tracing != NULL && trace_child_id(custody->tracing) == id);
}

void
custody_child_failed(struct custody *custody, uint32_t id, const struct az_err *err)
{
	if (custody->bulk != NULL && entrust_child_id(custody->bulk) == id)
		entrust_child_failed(custody->bulk, err);
	else if (custody->verifying != NULL && verify_child_id(custody->verifying) == id)
		verify_child_failed(custody->verifying, err);
	else if (custody->publishing != NULL && publish_child_id(custody->publishing) == id)
		publish_child_failed(custody->publishing, err);
	else if (importing_has_child(custody, id))
		importing_child_failed(custody, err);
	else if (attribution_has_child(custody, id))
		attribution_child_failed(custody, err);
	else if (putting_has_child(custody, id))
		putting_child_failed(custody, err);
	else if (custody->tracing != NULL && trace_child_id(custody->tracing) == id)
		trace_child_failed(custody->tracing, err);
}

/* --- stopping --------------------------------------------------------------------------------- */

static void
settled_at_stop(void *arg)
{
	struct custody *custody = arg;

	budgets_keep(custody);
	custody->phase = PHASE_STOPPED;
	custody->stopped(custody->stopped_arg);
}

void
custody_may_stop(struct custody *custody)
{
	struct ledger_entry entry = own_entry(ENTRY_STOPPED);

	if (custody->phase != PHASE_STOPPING || custody->reconciling || custody->bulk != NULL ||
	    custody->tracing != NULL || custody->scanning != NULL || custody->destroying != NULL ||
	    custody->stating != NULL || putting_is_at_work(custody) || custody->stop_is_logged)
		return;
	custody->stop_is_logged = true;
	entry.detail64 = custody->disclosed;
	/* On a full disk the entry is missing, and the next start tells that this run had no end. */
	az_ignore(ledger_submit(custody->ledger, &entry, bytes_make(NULL, 0), NULL, NULL, NULL));
	if (ledger_settle(custody->ledger, settled_at_stop, custody, NULL) != AZ_OK)
		settled_at_stop(custody);
}

void
custody_stop(struct custody *custody, void (*stopped)(void *arg), void *arg)
{
	bool served = custody->phase == PHASE_SERVING;

	custody->stopped = stopped;
	custody->stopped_arg = arg;
	custody->phase = PHASE_STOPPING;
	backup_front_gone(custody, NULL);
	if (custody->bulk != NULL)
		entrust_front_gone(custody->bulk, NULL);
	if (custody->tracing != NULL)
		trace_front_gone(custody->tracing, NULL);
	if (custody->scanning != NULL)
		scan_front_gone(custody->scanning, NULL);
	putting_front_gone(custody, NULL);
	stating_front_gone(custody, NULL);
	if (served)
		vault_reconcile_begin(custody);
	custody_may_stop(custody);
}
