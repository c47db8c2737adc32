/*
 * Whom each human has seen, kept in step with the ledger.
 *
 *	start   kept file ── counts up to a place in each log ──┐
 *	        logs ── the entries behind those places ────────┴─► the book
 *	serve   allowed? ─► entry submitted ─► counted, in the same turn of the loop
 *	stop    settled ─► the book and the logs' ends ─► kept file
 *
 * The logs alone say what was seen. The kept file saves counting them from the beginning; if it is missing, not
 * ours, or of another history than the logs, it is ignored and everything is counted again. Counting happens when the
 * entry is submitted, not when it is durable: several that are on their way cannot share one allowance, and an
 * entry that never becomes durable ends the process, and its count with it. docs/format/budgets.md.
 */
#include <stdlib.h>
#include <string.h>

#include "crypto/blocks.h"
#include "custody/custody_internal.h"

#define KEPT_NAME  "budgets"
#define BOOK_MAX   (1024u * 1024u * 1024u)
#define FORMAT     1u
#define PLACE_SIZE 68u

/* What a role has until an officer says otherwise: enough for a day of calls, far from a list. */
static const struct budget_limits usual_calls = {.day = 500, .month = 5000, .life = 50000};
static const struct budget_limits usual_searches = {.day = 200, .month = 1000, .life = 5000};
#define USUAL_MINUTE 300u
#define USUAL_HOUR   3000u
#define USUAL_SLOW   20u

enum az_status
budgets_found(struct payload *payload)
{
	static const enum role roles[] = {ROLE_AGENT, ROLE_SUPERVISOR};
	enum az_status status = AZ_OK;

	for (size_t i = 0; i < AZ_ARRAY_SIZE(roles) && status == AZ_OK; i++) {
		struct budget budget = {.role = roles[i],
		    .minute = USUAL_MINUTE,
		    .hour = USUAL_HOUR,
		    .slow = USUAL_SLOW};

		budget.house[BUDGET_CALLS] = budget.client[BUDGET_CALLS] = usual_calls;
		budget.house[BUDGET_SEARCHES] = budget.client[BUDGET_SEARCHES] = usual_searches;
		status = payload_put_budget(payload, &budget);
	}
	return status;
}

/* --- serving ---------------------------------------------------------------------------------- */

static struct budget_look
look_of(const struct ledger_entry *entry, bool call, int64_t time_us)
{
	bool searches = entry->type == ENTRY_CHECKED || entry->type == ENTRY_UNMASKED ||
	    entry->type == ENTRY_ATTEMPTS_LISTED;
	bool shows = entry->type == ENTRY_DISCLOSED || searches;

	/* Trying a value out, seeing more than is usual or reading notes is a search, whoever is on the telephone. */
	return (struct budget_look){.staff = entry->staff,
	    .class = call && !searches ? BUDGET_CALLS : BUDGET_SEARCHES,
	    .client = entry->log,
	    .record = shows ? entry->record : 0,
	    .time_us = time_us};
}

static bool
is_counted(const struct ledger_entry *entry)
{
	return entry->type == ENTRY_DISCLOSED || entry->type == ENTRY_AMBIGUOUS ||
	    entry->type == ENTRY_NOT_FOUND || entry->type == ENTRY_CHECKED ||
	    entry->type == ENTRY_UNMASKED || entry->type == ENTRY_ATTEMPTS_LISTED;
}

static enum role
role_of(const struct custody *custody, uint32_t id)
{
	const struct staff *staff = people_staff(custody->people, id);

	return staff != NULL ? staff->role : ROLE_NONE;
}

enum az_status
budgets_allow(struct custody *custody, const struct ledger_entry *entry, bool call, uint32_t along,
    struct az_err *reterr)
{
	struct budget_look look = look_of(entry, call, house_now_us(custody));

	look.along = along;
	return budget_check(custody->budgets, role_of(custody, entry->staff), &look, reterr);
}

void
budgets_counted(struct custody *custody, const struct ledger_entry *entry, bool call)
{
	struct budget_look look = look_of(entry, call, house_now_us(custody));
	struct ledger_entry alarm;
	struct az_err err = {0};
	bool due = false;

	if (!is_counted(entry))
		return;
	/* The entry is on its way and cannot be taken back: what cannot be counted must not be shown. */
	if (budget_take(custody->budgets, role_of(custody, entry->staff), &look, &due, &err) !=
	    AZ_OK)
		custody_fatal(custody, &err);
	if (!due)
		return;
	alarm = (struct ledger_entry){.type = ENTRY_ALARM,
	    .log = LEDGER_HOUSE_LOG,
	    .staff = entry->staff,
	    .device = entry->device,
	    .session = entry->session,
	    .policy_version = entry->policy_version,
	    .zone = entry->zone,
	    .grade = entry->grade,
	    .outcome = AZ_LIMIT,
	    .subject = entry->staff,
	    .detail = look.class};
	az_ignore(ledger_submit(custody->ledger, &alarm, bytes_make(NULL, 0), NULL, NULL, NULL));
}

/* --- the kept file ---------------------------------------------------------------------------- */

static struct blocks_file
kept_file(const struct custody *custody)
{
	struct blocks_file file = {.dirfd = custody->config.dirfd,
	    .name = KEPT_NAME,
	    .header = {.magic = "AZBUDG\0", .format = FORMAT}};

	memcpy(file.header.house, custody->config.house, HOUSE_ID_SIZE);
	return file;
}

/* u8 format, u32 logs, each: head, u64 offset; then the book. */
static enum az_status
encode_kept(struct custody *custody, struct buffer *buffer)
{
	uint32_t logs = ledger_log_count(custody->ledger);
	struct wire_writer writer;

	wire_writer_init(&writer, buffer);
	wire_put_u8(&writer, FORMAT);
	wire_put_u32(&writer, logs);
	for (uint32_t log = 0; log < logs; log++) {
		struct head head;

		ledger_head(custody->ledger, log, &head);
		head.log = log;
		head_put(&writer, &head);
		wire_put_u64(&writer, ledger_end(custody->ledger, log).offset);
	}
	return writer.status == AZ_OK ? budget_save(custody->budgets, buffer) : writer.status;
}

static enum az_status
write_kept(const struct custody *custody, struct bytes bytes, struct az_err *reterr)
{
	struct blocks_file file = kept_file(custody);
	struct blocks_writer *writer = NULL;
	uint8_t sha256[SHA256_SIZE];
	enum az_status status = blocks_writer_new(&file, custody->budgets_key, &writer, reterr);

	for (bool last = false; status == AZ_OK && !last;) {
		size_t size = bytes.size < BLOCKS_PLAIN_MAX ? bytes.size : BLOCKS_PLAIN_MAX;

		last = size == bytes.size;
		status = blocks_writer_put(writer, bytes_make(bytes.data, size), last, reterr);
		bytes = bytes_make(bytes.data + size, bytes.size - size);
	}
	if (status == AZ_OK)
		return blocks_writer_finish(&writer, sha256, reterr);
	blocks_writer_discard(&writer);
	return status;
}

void
budgets_keep(struct custody *custody)
{
	struct buffer buffer;

	buffer_init(&buffer, BOOK_MAX, false);
	/* One that cannot be kept is counted again. */
	if (encode_kept(custody, &buffer) == AZ_OK)
		az_ignore(write_kept(custody, buffer_peek(&buffer), NULL));
	buffer_fini(&buffer);
}

static enum az_status
read_kept(const struct custody *custody, struct buffer *buffer, struct az_err *reterr)
{
	struct blocks_file file = kept_file(custody);
	struct blocks_reader *reader = NULL;
	enum az_status status = blocks_reader_new(&file, custody->budgets_key, &reader, reterr);

	while (status == AZ_OK && !blocks_reader_ended(reader)) {
		struct bytes plain;

		status = blocks_reader_next(reader, &plain, reterr);
		if (status == AZ_OK)
			status = buffer_append(buffer, plain);
	}
	blocks_reader_free(&reader);
	return status;
}

/* Where counting goes on in each log; false, and then from the beginning, if the file is of no use. */
static bool
load_kept(struct custody *custody, struct ledger_place *places, uint32_t logs)
{
	struct wire_reader reader;
	struct buffer buffer;
	uint32_t count = 0;
	bool good;

	buffer_init(&buffer, BOOK_MAX, false);
	good = read_kept(custody, &buffer, NULL) == AZ_OK;
	wire_reader_init(&reader, buffer_peek(&buffer));
	good = good && wire_get_u8(&reader) == FORMAT;
	if (good)
		count = wire_get_count(&reader, logs, PLACE_SIZE - 12);
	for (uint32_t log = 0; log < count && good; log++) {
		struct head head;

		head_get(&reader, &head);
		places[log] =
		    (struct ledger_place){.index = head.size, .offset = wire_get_u64(&reader)};
		good = !reader.failed && head.log == log &&
		    ledger_check_head(custody->ledger, &head, NULL) == AZ_OK;
	}
	good = good && !reader.failed && budget_load(custody->budgets, reader.rest, NULL) == AZ_OK;
	buffer_fini(&buffer);
	if (!good)
		memset(places, 0, logs * sizeof(*places));
	return good;
}

/* --- counting --------------------------------------------------------------------------------- */

static enum az_status
count_entry(void *arg, const struct ledger_entry *entry, struct az_err *reterr)
{
	static const uint8_t none[LEDGER_COMMITMENT_SIZE];
	struct custody *custody = arg;
	struct budget_look look;
	bool due;

	if (!is_counted(entry))
		return AZ_OK;
	look = look_of(entry,
	    !bytes_equal(bytes_make(entry->call, sizeof(none)), bytes_make(none, sizeof(none))),
	    entry->time_us);
	return budget_take(custody->budgets, role_of(custody, entry->staff), &look, &due, reterr);
}

enum az_status
budgets_count(struct custody *custody, struct az_err *reterr)
{
	uint32_t logs = ledger_log_count(custody->ledger);
	struct ledger_place *places = calloc((size_t)logs + 1, sizeof(*places));
	enum az_status status = AZ_OK;

	if (places == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "budgets: out of memory");
	(void)load_kept(custody, places, logs);
	for (uint32_t log = 0; log < logs && status == AZ_OK; log++) {
		if (log != LEDGER_HOUSE_LOG)
			status = ledger_follow(
			    custody->ledger, log, &places[log], count_entry, custody, reterr);
	}
	free(places);
	return status;
}
