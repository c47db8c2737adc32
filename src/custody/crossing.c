/*
 * Once a day the logs commit to each other: the house's log to the size and root of each client's, and each client's to those of the
 * house's.
 *
 *	house    … ─ client 1 had 120, root ab… ─ client 2 had 77, root cd… ─ …
 *	client 1 … ─ the house had 5310, root ef… ─ …
 *
 * So a log that is put back, or written anew, by whoever holds its key contradicts another that somebody else holds: the client a copy
 * of its own, the house's auditor one of the house's. What is committed to is durable, since heads move only when their flush
 * has ended; the entries follow it in the same write-ahead log, so no crash leaves one that promises more than there is.
 *
 * The day is that of UTC, and turns here when the keeper sees that it did: while it serves, or when it starts. A house that nobody
 * serves commits to nothing, since nothing happens in it. The last day is kept with the last entry; a crash among them has the
 * rest, and some of them again, written at the next start. A clock that was put back makes no second day.
 */
#include <string.h>

#include "custody/custody_internal.h"

#define FORMAT       1u
#define LOGS_AT_ONCE 512u /* in a tick */

enum az_status
crossing_apply(struct custody *custody, struct bytes thing, struct az_err *reterr)
{
	struct wire_reader reader;
	uint8_t format;
	uint32_t day;

	wire_reader_init(&reader, thing);
	format = wire_get_u8(&reader);
	day = wire_get_u32(&reader);
	if (format != FORMAT || !wire_end(&reader))
		return az_fail(reterr, AZ_CORRUPT, "commitments: the day cannot be read");
	custody->crossed_day = (int32_t)day;
	return AZ_OK;
}

static enum az_status
put_day(struct payload *payload, int32_t day)
{
	struct buffer thing;
	struct wire_writer writer;

	buffer_init(&thing, STATE_THING_MAX, false);
	wire_writer_init(&writer, &thing);
	wire_put_u8(&writer, FORMAT);
	wire_put_u32(&writer, (uint32_t)day);
	return payload_put_thing(payload, THING_COMMITTED, 0, writer.status, &thing);
}

/* Into log in, what is known of log about. */
static enum az_status
commit(struct custody *custody, uint32_t in, const struct head *about, struct bytes payload)
{
	struct ledger_entry entry = {.type = ENTRY_COMMITTED,
	    .log = in,
	    .policy_version = POLICY_VERSION,
	    .zone = ZONE_LOOPBACK,
	    .grade = GRADE_OWN,
	    .outcome = AZ_OK,
	    .subject = about->log,
	    .detail = about->generation,
	    .detail64 = about->size};

	memcpy(entry.document, about->root, sizeof(entry.document));
	return ledger_submit(custody->ledger, &entry, payload, NULL, NULL, NULL);
}

/* Whether a log takes part: it has entries, and its client was one when this was done last. */
static bool
takes_part(const struct custody *custody, const struct head *head)
{
	const struct client *client = policy_client(custody->policy, head->log);

	return head->size > 0 && client != NULL &&
	    (client->closed_us == 0 || client->closed_us / AZ_US_PER_DAY >= custody->crossed_day);
}

/* One client's log and the house's, each about the other. */
static enum az_status
cross(struct custody *custody, uint32_t log)
{
	struct bytes none = bytes_make(NULL, 0);
	struct head head, house;
	enum az_status status;

	ledger_head(custody->ledger, log, &head);
	ledger_head(custody->ledger, LEDGER_HOUSE_LOG, &house);
	head.log = log;
	house.log = LEDGER_HOUSE_LOG;
	if (!takes_part(custody, &head) || house.size == 0)
		return AZ_OK;
	status = commit(custody, LEDGER_HOUSE_LOG, &head, none);
	return status == AZ_OK ? commit(custody, log, &house, none) : status;
}

/* The last entry of a day: the house's about itself, with which the day is done. */
static enum az_status
end_day(struct custody *custody, int32_t today)
{
	struct head house;
	struct payload payload;
	uint8_t none[LEDGER_COMMITMENT_SIZE];
	enum az_status status;

	ledger_head(custody->ledger, LEDGER_HOUSE_LOG, &house);
	house.log = LEDGER_HOUSE_LOG;
	payload_init(&payload);
	status = put_day(&payload, today);
	if (status == AZ_OK)
		status = payload_end(&payload, NULL, none);
	if (status == AZ_OK)
		status = commit(custody, LEDGER_HOUSE_LOG, &house, buffer_peek(&payload.buffer));
	payload_fini(&payload);
	if (status == AZ_OK)
		custody->crossed_day = today;
	return status;
}

void
crossing_tick(struct custody *custody)
{
	int32_t today = (int32_t)(house_now_us(custody) / AZ_US_PER_DAY);
	int32_t founded = (int32_t)(custody->house.founded_us / AZ_US_PER_DAY);
	uint32_t logs = ledger_log_count(custody->ledger);
	enum az_status status = AZ_OK;

	/* On its first day a house has nothing that the next day does not commit to. */
	if (custody->crossed_day < founded)
		custody->crossed_day = founded;
	if (today <= custody->crossed_day)
		return;
	for (unsigned int i = 0;
	     i < LOGS_AT_ONCE && custody->crossing_log + 1 < logs && status == AZ_OK; i++) {
		status = cross(custody, custody->crossing_log + 1);
		if (status == AZ_OK)
			custody->crossing_log++;
	}
	/* Where the queue or the disk is full, the next tick goes on. */
	if (status == AZ_OK && custody->crossing_log + 1 >= logs &&
	    end_day(custody, today) == AZ_OK)
		custody->crossing_log = 0;
}
