/*
 * How fresh the cosignatures are, and what waits for them.
 *
 * How fresh a log is, is more than the time in its newest cosignature: a witness vouches for what it is shown, so an old
 * checkpoint, shown again today, would look fresh and leave the newest entries out. What counts is the moment before which
 * every entry of the log is cosigned: the time in the cosignature, or that of the first entry beyond the checkpoint, if it is
 * earlier. It never goes back, since neither size nor time of what is remembered does.
 *
 * A log that was never cosigned is as old as the limit itself, its first witness, or the client, whichever came last.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "custody/guards.h"
#include "custody/witnesses.h"

#define FORMAT      1u
#define HOUR_US     (INT64_C(3600) * AZ_US_PER_S)
#define LABELS_TOLD 10u

void
witnesses_free(struct custody *custody)
{
	numbered_free(&custody->witnesses);
	numbered_free(&custody->cosigned);
}

const char *
log_label(const struct custody *custody, uint32_t log)
{
	const struct client *client = policy_client(custody->policy, log);

	return client != NULL ? client->label : "house";
}

/* --- things ----------------------------------------------------------------------------------- */

enum az_status
payload_put_witness(struct payload *payload, const struct witness *witness)
{
	struct buffer thing;
	struct wire_writer writer;

	buffer_init(&thing, STATE_THING_MAX, false);
	wire_writer_init(&writer, &thing);
	wire_put_u8(&writer, FORMAT);
	wire_put_u32(&writer, witness->id);
	wire_put_text(&writer, witness->label);
	wire_put_text(&writer, witness->key.name);
	wire_put_raw(&writer, witness->key.public_key, sizeof(witness->key.public_key));
	wire_put_i64(&writer, witness->added_us);
	wire_put_i64(&writer, witness->retired_us);
	return payload_put_thing(payload, THING_WITNESS, witness->id, writer.status, &thing);
}

enum az_status
witness_apply(struct custody *custody, struct bytes thing, struct az_err *reterr)
{
	struct witness *witness = calloc(1, sizeof(*witness));
	char name[NOTE_NAME_MAX + 1];
	uint8_t public_key[SIGN_PUBLIC_SIZE];
	struct wire_reader reader;
	uint8_t format;

	if (witness == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "witness: out of memory");
	wire_reader_init(&reader, thing);
	format = wire_get_u8(&reader);
	witness->id = wire_get_u32(&reader);
	wire_get_text(&reader, witness->label, sizeof(witness->label));
	wire_get_text(&reader, name, sizeof(name));
	wire_get_raw(&reader, public_key, sizeof(public_key));
	witness->added_us = wire_get_i64(&reader);
	witness->retired_us = wire_get_i64(&reader);
	if (format != FORMAT || !wire_end(&reader) || witness->id == 0 ||
	    witness->id > WITNESSES_MAX || !label_is_valid(witness->label) ||
	    note_key_make(name, NOTE_KEY_COSIGNATURE, public_key, &witness->key, NULL) != AZ_OK) {
		free(witness);
		return az_fail(reterr, AZ_CORRUPT, "witness: it cannot be read");
	}
	if (numbered_put(&custody->witnesses, witness->id, witness) != AZ_OK)
		return az_fail(reterr, AZ_NO_MEMORY, "witness: out of memory");
	return AZ_OK;
}

enum az_status
payload_put_cosigned(struct payload *payload, const struct cosigned *cosigned)
{
	struct buffer thing;
	struct wire_writer writer;

	buffer_init(&thing, STATE_THING_MAX, false);
	wire_writer_init(&writer, &thing);
	wire_put_u8(&writer, FORMAT);
	wire_put_u32(&writer, cosigned->log);
	wire_put_u32(&writer, cosigned->generation);
	wire_put_u64(&writer, cosigned->size);
	wire_put_raw(&writer, cosigned->root, sizeof(cosigned->root));
	wire_put_u32(&writer, cosigned->witness);
	wire_put_i64(&writer, cosigned->time_s);
	wire_put_i64(&writer, cosigned->covers_us);
	return payload_put_thing(payload, THING_COSIGNED, cosigned->log, writer.status, &thing);
}

enum az_status
cosigned_apply(struct custody *custody, struct bytes thing, struct az_err *reterr)
{
	struct cosigned *cosigned = calloc(1, sizeof(*cosigned));
	struct wire_reader reader;
	uint8_t format;

	if (cosigned == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "cosigned: out of memory");
	wire_reader_init(&reader, thing);
	format = wire_get_u8(&reader);
	cosigned->log = wire_get_u32(&reader);
	cosigned->generation = wire_get_u32(&reader);
	cosigned->size = wire_get_u64(&reader);
	wire_get_raw(&reader, cosigned->root, sizeof(cosigned->root));
	cosigned->witness = wire_get_u32(&reader);
	cosigned->time_s = wire_get_i64(&reader);
	cosigned->covers_us = wire_get_i64(&reader);
	if (format != FORMAT || !wire_end(&reader) || cosigned->log >= LEDGER_LOGS_MAX ||
	    cosigned->size == 0) {
		free(cosigned);
		return az_fail(reterr, AZ_CORRUPT, "cosigned: it cannot be read");
	}
	if (numbered_put(&custody->cosigned, cosigned->log + 1, cosigned) != AZ_OK)
		return az_fail(reterr, AZ_NO_MEMORY, "cosigned: out of memory");
	return AZ_OK;
}

enum az_status
payload_put_cosign_limit(struct payload *payload, uint32_t hours, int64_t since_us)
{
	struct buffer thing;
	struct wire_writer writer;

	buffer_init(&thing, STATE_THING_MAX, false);
	wire_writer_init(&writer, &thing);
	wire_put_u8(&writer, FORMAT);
	wire_put_u32(&writer, hours);
	wire_put_i64(&writer, since_us);
	return payload_put_thing(payload, THING_COSIGN_LIMIT, COSIGN_LIMIT, writer.status, &thing);
}

static enum az_status
put_alarmed(struct payload *payload, int64_t alarmed_us)
{
	struct buffer thing;
	struct wire_writer writer;

	buffer_init(&thing, STATE_THING_MAX, false);
	wire_writer_init(&writer, &thing);
	wire_put_u8(&writer, FORMAT);
	wire_put_i64(&writer, alarmed_us);
	return payload_put_thing(
	    payload, THING_COSIGN_LIMIT, COSIGN_ALARMED, writer.status, &thing);
}

enum az_status
cosign_limit_apply(struct custody *custody, uint64_t id, struct bytes thing, struct az_err *reterr)
{
	struct wire_reader reader;
	uint8_t format;
	uint32_t hours = 0;
	int64_t time_us;

	wire_reader_init(&reader, thing);
	format = wire_get_u8(&reader);
	if (id == COSIGN_LIMIT)
		hours = wire_get_u32(&reader);
	time_us = wire_get_i64(&reader);
	if (format != FORMAT || !wire_end(&reader) || id > COSIGN_ALARMED ||
	    hours > FRONT_LIMIT_HOURS_MAX)
		return az_fail(reterr, AZ_CORRUPT, "limit of cosignatures: it cannot be read");
	if (id == COSIGN_LIMIT) {
		custody->cosign_hours = hours;
		custody->cosign_since_us = time_us;
	} else {
		custody->cosign_alarmed_us = time_us;
	}
	return AZ_OK;
}

/* --- how fresh -------------------------------------------------------------------------------- */

const struct cosigned *
cosigned_of(const struct custody *custody, uint32_t log)
{
	const struct cosigned *cosigned = numbered_get(&custody->cosigned, log + 1);

	/* What was vouched for in another life of the ledger says nothing of this one. */
	return cosigned != NULL && cosigned->generation == ledger_generation(custody->ledger)
	    ? cosigned
	    : NULL;
}

static size_t
count_witnesses(const struct custody *custody, int64_t *ret_first_us)
{
	size_t count = 0;

	*ret_first_us = 0;
	for (uint32_t id = 1; id <= custody->witnesses.count; id++) {
		const struct witness *witness = numbered_get(&custody->witnesses, id);

		if (witness == NULL || witness->retired_us != 0)
			continue;
		if (count++ == 0 || witness->added_us < *ret_first_us)
			*ret_first_us = witness->added_us;
	}
	return count;
}

bool
cosign_limit_applies(const struct custody *custody)
{
	int64_t first_us;

	return custody->cosign_hours > 0 && count_witnesses(custody, &first_us) > 0;
}

/* Whether somebody is to cosign it: it has entries, and its client is one. */
static bool
log_counts(const struct custody *custody, uint32_t log)
{
	const struct client *client = policy_client(custody->policy, log);
	struct head head;

	if (log != LEDGER_HOUSE_LOG && (client == NULL || client->closed_us != 0))
		return false;
	ledger_head(custody->ledger, log, &head);
	return head.size > 0;
}

/* The moment before which all of a log counts as cosigned. */
static int64_t
covers_us(const struct custody *custody, uint32_t log)
{
	const struct cosigned *cosigned = cosigned_of(custody, log);
	const struct client *client = policy_client(custody->policy, log);
	int64_t since_us;

	if (cosigned != NULL)
		return cosigned->covers_us;
	(void)count_witnesses(custody, &since_us);
	if (custody->cosign_since_us > since_us)
		since_us = custody->cosign_since_us;
	if (client != NULL && client->added_us > since_us)
		since_us = client->added_us;
	return since_us;
}

/* When it became, or will become, too old. */
static int64_t
stale_us(const struct custody *custody, uint32_t log)
{
	return covers_us(custody, log) + (int64_t)custody->cosign_hours * HOUR_US;
}

static bool
is_stale(const struct custody *custody, uint32_t log, int64_t now_us)
{
	return log_counts(custody, log) && now_us > stale_us(custody, log);
}

struct staleness {
	size_t count;
	uint32_t first; /* the log that has been stale for longest */
	int64_t since_us;
};

static struct staleness
look_at_all(const struct custody *custody)
{
	struct staleness found = {0};
	int64_t now_us = house_time_us(custody);
	uint32_t logs = ledger_log_count(custody->ledger);

	for (uint32_t log = 0; log < logs && cosign_limit_applies(custody); log++) {
		if (!is_stale(custody, log, now_us))
			continue;
		if (found.count++ == 0 || stale_us(custody, log) < found.since_us) {
			found.first = log;
			found.since_us = stale_us(custody, log);
		}
	}
	return found;
}

static enum az_status
refuse_stale(const struct custody *custody, uint32_t log, struct az_err *reterr)
{
	char when[48];

	clock_format_utc(covers_us(custody, log), when, sizeof(when));
	return az_fail(reterr, AZ_DENIED,
	    "the log of %s is cosigned up to %s, and %u hours is the limit: exports and cases wait "
	    "for a newer cosignature",
	    log_label(custody, log), when, custody->cosign_hours);
}

enum az_status
cosigned_allows(
    const struct custody *custody, const uint32_t *clients, size_t count, struct az_err *reterr)
{
	struct staleness all;
	int64_t now_us = house_time_us(custody);

	if (!cosign_limit_applies(custody))
		return AZ_OK;
	if (count == 0) {
		all = look_at_all(custody);
		return all.count == 0 ? AZ_OK : refuse_stale(custody, all.first, reterr);
	}
	if (is_stale(custody, LEDGER_HOUSE_LOG, now_us))
		return refuse_stale(custody, LEDGER_HOUSE_LOG, reterr);
	for (size_t i = 0; i < count; i++) {
		if (is_stale(custody, clients[i], now_us))
			return refuse_stale(custody, clients[i], reterr);
	}
	return AZ_OK;
}

/* --- the alarm -------------------------------------------------------------------------------- */

void
witnesses_tick(struct custody *custody)
{
	struct staleness found = look_at_all(custody);
	struct ledger_entry entry = {.type = ENTRY_ALARM,
	    .log = LEDGER_HOUSE_LOG,
	    .policy_version = POLICY_VERSION,
	    .zone = ZONE_LOOPBACK,
	    .grade = GRADE_OWN,
	    .outcome = AZ_GONE,
	    .subject = found.first,
	    .detail = ALARM_COSIGNATURES,
	    .detail64 = found.count};
	struct payload payload;
	enum az_status status;

	/* What is kept is since when: so it is told once, also by the next keeper, and again after they were fresh. */
	if (found.count == 0 || found.since_us == custody->cosign_alarmed_us)
		return;
	payload_init(&payload);
	status = put_alarmed(&payload, found.since_us);
	if (status == AZ_OK)
		status = payload_end(&payload, NULL, entry.text);
	if (status == AZ_OK)
		status = ledger_submit(
		    custody->ledger, &entry, buffer_peek(&payload.buffer), NULL, NULL, NULL);
	/* Where it could not be submitted, the next tick tries again. */
	if (status == AZ_OK)
		custody->cosign_alarmed_us = found.since_us;
	payload_fini(&payload);
}

/* --- answers ---------------------------------------------------------------------------------- */

void
answer_cosigned(struct wire_writer *writer, const struct custody *custody, uint32_t log)
{
	const struct cosigned *cosigned = cosigned_of(custody, log);
	const struct witness *witness =
	    cosigned != NULL ? numbered_get(&custody->witnesses, cosigned->witness) : NULL;
	struct head head;

	ledger_head(custody->ledger, log, &head);
	answer_text(writer, "log", log_label(custody, log));
	answer_uint(writer, "entries", head.size);
	answer_uint(writer, "cosigned", cosigned != NULL ? cosigned->size : 0);
	if (cosigned != NULL) {
		answer_text(writer, "by", witness != NULL ? witness->label : "");
		answer_time(writer, "time", cosigned->time_s * AZ_US_PER_S);
		answer_time(writer, "covers", cosigned->covers_us);
	}
	if (cosign_limit_applies(custody)) {
		answer_time(writer, "stale_from", stale_us(custody, log));
		answer_bool(writer, "stale", is_stale(custody, log, house_time_us(custody)));
	}
}

void
answer_witnesses(struct wire_writer *writer, const struct custody *custody)
{
	struct staleness found = look_at_all(custody);
	int64_t now_us = house_time_us(custody);
	int64_t first_us;
	size_t witnesses = count_witnesses(custody, &first_us);
	uint32_t logs = ledger_log_count(custody->ledger);
	const char *state = "fresh";
	unsigned int told = 0;

	if (witnesses == 0)
		state = "no witness is enrolled: no limit applies";
	else if (custody->cosign_hours == 0)
		state = "no limit is set";
	else if (found.count > 0)
		state = "stale: exports and cases are stopped";
	answer_object(writer, "witness");
	answer_text(writer, "state", state);
	answer_uint(writer, "witnesses", witnesses);
	if (custody->cosign_hours > 0)
		answer_uint(writer, "limit_hours", custody->cosign_hours);
	answer_uint(writer, "stale", found.count);
	answer_array(writer, "stale_logs");
	for (uint32_t log = 0; log < logs && found.count > 0 && told < LABELS_TOLD; log++) {
		if (!is_stale(custody, log, now_us))
			continue;
		answer_text(writer, NULL, log_label(custody, log));
		told++;
	}
	answer_end(writer);
	answer_end(writer);
}
