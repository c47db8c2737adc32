/*
 * What a payload in the write-ahead log holds: the things that an entry put or changed, whole, as they are
 * from then on. So the state is the same whether it is taken from the callback of a flush, from a
 * replay at start, or from house.db; and putting a thing twice is harmless.
 *
 * The stored forms of clients, purposes, staff and devices belong to the folders that know them; here are
 * the house and the consignment (docs/format/house-db.md).
 */
#include <stdlib.h>
#include <string.h>

#include "custody/campaigns.h"
#include "custody/cases.h"
#include "custody/checks.h"
#include "custody/corrections.h"
#include "custody/destroy.h"
#include "custody/grants.h"
#include "custody/guards.h"
#include "custody/hand_over.h"
#include "custody/histories.h"
#include "custody/holds.h"
#include "custody/losses.h"
#include "custody/maps.h"
#include "custody/standings.h"
#include "custody/witnesses.h"

#define PAYLOAD_FORMAT   1u
#define THING_FORMAT     1u
#define LIST_FORMAT      3u /* of a consignment; 1 had no fingerprints, 2 no modes */
#define LIST_FORMAT_ADDS 2u
#define PAYLOAD_COUNT_AT 1u /* where the count stands */

void
payload_init(struct payload *payload)
{
	payload->count = 0;
	buffer_init(&payload->buffer, LEDGER_PAYLOAD_MAX, true);
	wire_writer_init(&payload->writer, &payload->buffer);
	wire_put_u8(&payload->writer, PAYLOAD_FORMAT);
	wire_put_u32(&payload->writer, 0);
}

void
payload_fini(struct payload *payload)
{
	buffer_fini(&payload->buffer);
}

enum az_status
payload_put_thing(struct payload *payload, enum thing_kind kind, uint64_t id, enum az_status status,
    struct buffer *thing)
{
	if (status == AZ_OK) {
		wire_put_u8(&payload->writer, (uint8_t)kind);
		wire_put_u64(&payload->writer, id);
		wire_put_bytes(&payload->writer, buffer_peek(thing));
		payload->count++;
		status = payload->writer.status;
	}
	buffer_fini(thing);
	return status;
}

enum az_status
payload_put_client(struct payload *payload, const struct client *client)
{
	struct buffer thing;

	buffer_init(&thing, STATE_THING_MAX, true);
	return payload_put_thing(
	    payload, THING_CLIENT, client->id, client_encode(client, &thing), &thing);
}

enum az_status
payload_put_purpose(struct payload *payload, const struct purpose *purpose)
{
	struct buffer thing;

	buffer_init(&thing, STATE_THING_MAX, true);
	return payload_put_thing(
	    payload, THING_PURPOSE, purpose->id, purpose_encode(purpose, &thing), &thing);
}

enum az_status
payload_put_staff(struct payload *payload, const struct staff *staff)
{
	struct buffer thing;

	buffer_init(&thing, STATE_THING_MAX, true);
	return payload_put_thing(
	    payload, THING_STAFF, staff->id, staff_encode(staff, &thing), &thing);
}

enum az_status
payload_put_device(struct payload *payload, const struct device *device)
{
	struct buffer thing;

	buffer_init(&thing, STATE_THING_MAX, true);
	return payload_put_thing(
	    payload, THING_DEVICE, device->id, device_encode(device, &thing), &thing);
}

enum az_status
payload_put_budget(struct payload *payload, const struct budget *budget)
{
	struct buffer thing;

	buffer_init(&thing, STATE_THING_MAX, true);
	return payload_put_thing(
	    payload, THING_BUDGET, budget->role, budget_encode(budget, &thing), &thing);
}

enum az_status
payload_put_extension(struct payload *payload, const struct budget_extension *extension)
{
	struct buffer thing;

	buffer_init(&thing, STATE_THING_MAX, true);
	return payload_put_thing(
	    payload, THING_EXTENSION, extension->id, extension_encode(extension, &thing), &thing);
}

enum az_status
payload_put_approval(struct payload *payload, const struct approval *approval)
{
	struct buffer thing;

	buffer_init(&thing, STATE_THING_MAX, true);
	return payload_put_thing(payload, THING_APPROVAL, approval->asked.number,
	    approval_encode(approval, &thing), &thing);
}

/* --- house and consignment -------------------------------------------------------------------- */

enum az_status
payload_put_house(struct payload *payload, const struct house *house)
{
	struct buffer thing;
	struct wire_writer writer;

	buffer_init(&thing, STATE_THING_MAX, false);
	wire_writer_init(&writer, &thing);
	wire_put_u8(&writer, THING_FORMAT);
	wire_put_i64(&writer, house->founded_us);
	wire_put_u64(&writer, house->starts);
	wire_put_u64(&writer, house->ring_number);
	return payload_put_thing(payload, THING_HOUSE, 0, writer.status, &thing);
}

enum az_status
payload_put_records(struct payload *payload, const struct house *house)
{
	struct buffer thing;
	struct wire_writer writer;

	buffer_init(&thing, STATE_THING_MAX, false);
	wire_writer_init(&writer, &thing);
	wire_put_u8(&writer, THING_FORMAT);
	wire_put_u32(&writer, house->next_record);
	wire_put_u64(&writer, house->list_ring_number);
	return payload_put_thing(payload, THING_RECORDS, 0, writer.status, &thing);
}

enum az_status
payload_put_sessions(struct payload *payload, const struct house *house)
{
	struct buffer thing;
	struct wire_writer writer;

	buffer_init(&thing, STATE_THING_MAX, false);
	wire_writer_init(&writer, &thing);
	wire_put_u8(&writer, THING_FORMAT);
	wire_put_u32(&writer, house->sessions_before);
	return payload_put_thing(payload, THING_SESSIONS, 0, writer.status, &thing);
}

/* Takes one of the three over; what it does not have stays as it is. */
static bool
house_decode(enum thing_kind kind, struct bytes bytes, struct house *house)
{
	struct wire_reader reader;
	struct house read = *house;
	uint8_t format;

	wire_reader_init(&reader, bytes);
	format = wire_get_u8(&reader);
	if (kind == THING_HOUSE) {
		read.founded_us = wire_get_i64(&reader);
		read.starts = wire_get_u64(&reader);
		read.ring_number = wire_get_u64(&reader);
	} else if (kind == THING_RECORDS) {
		read.next_record = wire_get_u32(&reader);
		read.list_ring_number = wire_get_u64(&reader);
	} else {
		read.sessions_before = wire_get_u32(&reader);
	}
	if (format != THING_FORMAT || !wire_end(&reader))
		return false;
	/* Session numbers are reserved in memory before they are durable: never back. */
	if (read.sessions_before < house->sessions_before)
		read.sessions_before = house->sessions_before;
	*house = read;
	return true;
}

enum az_status
payload_put_consignment(struct payload *payload, const struct consignment *consignment)
{
	struct buffer thing;
	struct wire_writer writer;

	buffer_init(&thing, STATE_THING_MAX, false);
	wire_writer_init(&writer, &thing);
	wire_put_u8(&writer, LIST_FORMAT);
	wire_put_u64(&writer, consignment->id);
	wire_put_u32(&writer, consignment->client);
	wire_put_u32(&writer, consignment->purpose);
	wire_put_u32(&writer, (uint32_t)consignment->as_of);
	wire_put_u16(&writer, consignment->match_version);
	wire_put_i64(&writer, consignment->time_us);
	wire_put_u64(&writer, consignment->fields);
	wire_put_u32(&writer, consignment->rows);
	wire_put_u32(&writer, consignment->accepted);
	wire_put_u32(&writer, consignment->refused);
	wire_put_u32(&writer, consignment->new_records);
	wire_put_u32(&writer, consignment->new_versions);
	wire_put_u32(&writer, consignment->unchanged);
	wire_put_u32(&writer, consignment->bad_births);
	wire_put_raw(&writer, consignment->sha256, SHA256_SIZE);
	wire_put_raw(&writer, consignment->root, SHA256_SIZE);
	wire_put_raw(&writer, consignment->run, SHA256_SIZE);
	wire_put_raw(&writer, consignment->prints, SHA256_SIZE);
	wire_put_u8(&writer, consignment->mode);
	wire_put_u16(&writer, consignment->join);
	wire_put_u32(&writer, consignment->withdrawn);
	wire_put_u32(&writer, consignment->absent);
	wire_put_u32(&writer, consignment->kept);
	wire_put_u32(&writer, consignment->unknown);
	wire_put_u32(&writer, consignment->doubtful);
	return payload_put_thing(
	    payload, THING_CONSIGNMENT, consignment->id, writer.status, &thing);
}

static bool
consignment_decode(struct bytes bytes, struct consignment *ret_consignment)
{
	struct wire_reader reader;
	struct consignment consignment = {.mode = LIST_ADD};
	uint8_t format;

	wire_reader_init(&reader, bytes);
	format = wire_get_u8(&reader);
	consignment.id = wire_get_u64(&reader);
	consignment.client = wire_get_u32(&reader);
	consignment.purpose = wire_get_u32(&reader);
	consignment.as_of = (int32_t)wire_get_u32(&reader);
	consignment.match_version = wire_get_u16(&reader);
	consignment.time_us = wire_get_i64(&reader);
	consignment.fields = wire_get_u64(&reader);
	consignment.rows = wire_get_u32(&reader);
	consignment.accepted = wire_get_u32(&reader);
	consignment.refused = wire_get_u32(&reader);
	consignment.new_records = wire_get_u32(&reader);
	consignment.new_versions = wire_get_u32(&reader);
	consignment.unchanged = wire_get_u32(&reader);
	consignment.bad_births = wire_get_u32(&reader);
	wire_get_raw(&reader, consignment.sha256, SHA256_SIZE);
	wire_get_raw(&reader, consignment.root, SHA256_SIZE);
	wire_get_raw(&reader, consignment.run, SHA256_SIZE);
	if (format >= LIST_FORMAT_ADDS)
		wire_get_raw(&reader, consignment.prints, SHA256_SIZE);
	if (format >= LIST_FORMAT) {
		consignment.mode = wire_get_u8(&reader);
		consignment.join = wire_get_u16(&reader);
		consignment.withdrawn = wire_get_u32(&reader);
		consignment.absent = wire_get_u32(&reader);
		consignment.kept = wire_get_u32(&reader);
		consignment.unknown = wire_get_u32(&reader);
		consignment.doubtful = wire_get_u32(&reader);
	}
	if (format < THING_FORMAT || format > LIST_FORMAT || !wire_end(&reader) ||
	    consignment.id == 0 || consignment.client == 0 || consignment.purpose == 0 ||
	    consignment.mode == LIST_NONE || consignment.mode >= LIST_MODES)
		return false;
	*ret_consignment = consignment;
	return true;
}

/* --- payloads --------------------------------------------------------------------------------- */

/* A text with a salt of its own, and its commitment, if there is a text. */
static void
put_text(
    struct wire_writer *writer, struct bytes text, uint8_t ret_commitment[LEDGER_COMMITMENT_SIZE])
{
	uint8_t salt[LEDGER_SALT_SIZE];
	uint8_t digest[SHA256_SIZE];
	struct sha256 hash;

	random_bytes(salt, sizeof(salt));
	wire_put_raw(writer, salt, sizeof(salt));
	wire_put_bytes(writer, text);
	if (text.size == 0)
		return;
	sha256_init(&hash);
	sha256_update(&hash, salt, sizeof(salt));
	sha256_update(&hash, text.data, text.size);
	sha256_final(&hash, digest);
	memcpy(ret_commitment, digest, LEDGER_COMMITMENT_SIZE);
}

enum az_status
payload_end(
    struct payload *payload, const char *text, uint8_t ret_commitment[LEDGER_COMMITMENT_SIZE])
{
	return payload_end_texts(payload, text != NULL ? bytes_of(text) : bytes_make(NULL, 0),
	    bytes_make(NULL, 0), ret_commitment, NULL);
}

enum az_status
payload_end_texts(struct payload *payload, struct bytes call, struct bytes note,
    uint8_t ret_call[LEDGER_COMMITMENT_SIZE], uint8_t ret_note[LEDGER_COMMITMENT_SIZE])
{
	struct wire_writer *writer = &payload->writer;

	if (call.size > 0 || note.size > 0)
		put_text(writer, call, ret_call);
	if (note.size > 0)
		put_text(writer, note, ret_note);
	if (writer->status == AZ_OK)
		wire_store_u32(payload->buffer.data + PAYLOAD_COUNT_AT, payload->count);
	return writer->status;
}

enum az_status
payload_read(struct bytes payload,
    enum az_status (*visit)(
	void *arg, uint8_t kind, uint64_t id, struct bytes thing, struct az_err *reterr),
    void *arg, struct payload_text *ret_text, struct az_err *reterr)
{
	struct wire_reader reader;
	enum az_status status = AZ_OK;
	uint32_t count;

	*ret_text = (struct payload_text){0};
	wire_reader_init(&reader, payload);
	if (wire_get_u8(&reader) != PAYLOAD_FORMAT)
		return az_fail(reterr, AZ_CORRUPT, "payload: its format is not known");
	count = wire_get_count(&reader, LEDGER_PAYLOAD_MAX, 13);
	for (uint32_t i = 0; i < count && status == AZ_OK; i++) {
		uint8_t kind = wire_get_u8(&reader);
		uint64_t id = wire_get_u64(&reader);
		struct bytes thing = wire_get_bytes(&reader, STATE_THING_MAX);

		if (reader.failed)
			break;
		status = visit(arg, kind, id, thing, reterr);
	}
	if (status != AZ_OK)
		return status;
	if (!reader.failed && reader.rest.size > 0) {
		wire_get_raw(&reader, ret_text->salt, sizeof(ret_text->salt));
		ret_text->text = wire_get_bytes(&reader, STATE_TEXT_MAX);
	}
	if (!reader.failed && reader.rest.size > 0) {
		wire_get_raw(&reader, ret_text->note_salt, sizeof(ret_text->note_salt));
		ret_text->note = wire_get_bytes(&reader, STATE_TEXT_MAX);
	}
	if (!wire_end(&reader))
		return az_fail(
		    reterr, AZ_CORRUPT, "payload: it is damaged at byte %zu", reader.offset);
	return AZ_OK;
}

/* --- taking things into memory ---------------------------------------------------------------- */

static enum az_status
apply_consignment(struct custody *custody, struct bytes thing, struct az_err *reterr)
{
	struct consignment *consignment = calloc(1, sizeof(*consignment));

	if (consignment == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "consignment: out of memory");
	if (!consignment_decode(thing, consignment)) {
		free(consignment);
		return az_fail(reterr, AZ_CORRUPT, "consignment: it cannot be read");
	}
	return consignment_put(custody, consignment, reterr);
}

/* Where the entry of a consignment stands, for its receipts. */
static enum az_status
place_apply(struct custody *custody, uint64_t id, struct bytes thing, struct az_err *reterr)
{
	struct wire_reader reader;
	uint8_t format;
	uint64_t index;

	wire_reader_init(&reader, thing);
	format = wire_get_u8(&reader);
	index = wire_get_u64(&reader);
	if (format != THING_FORMAT || !wire_end(&reader))
		return az_fail(reterr, AZ_CORRUPT, "consignment: its place cannot be read");
	consignment_stands_at(custody, id, index);
	return AZ_OK;
}

void
place_encode(uint64_t index, uint8_t ret_thing[ENTRY_PLACE_SIZE])
{
	ret_thing[0] = THING_FORMAT;
	wire_store_u64(ret_thing + 1, index);
}

/* What a role is bound to; id is the role. */
static enum az_status
apply_bounds(struct custody *custody, uint64_t id, struct bytes thing, struct az_err *reterr)
{
	struct zone_bounds bounds;

	if (id >= ROLE_COUNT || bounds_decode(thing, &bounds) != AZ_OK)
		return az_fail(reterr, AZ_CORRUPT, "zones of a role: they cannot be read");
	return policy_put_bounds(custody->policy, (enum role)id, &bounds, reterr);
}

/* The kinds whose forms other folders know. */
static enum az_status
apply_known(
    struct custody *custody, enum thing_kind kind, struct bytes thing, struct az_err *reterr)
{
	union {
		struct client client;
		struct purpose purpose;
		struct staff staff;
		struct device device;
		struct budget budget;
		struct budget_extension extension;
		struct approval approval;
		struct zone zone;
	} known;
	enum az_status status = AZ_INTERNAL;

	if (kind == THING_CLIENT) {
		status = client_decode(thing, &known.client);
		if (status == AZ_OK)
			return policy_put_client(custody->policy, &known.client, reterr);
	} else if (kind == THING_PURPOSE) {
		status = purpose_decode(thing, &known.purpose);
		if (status == AZ_OK)
			return policy_put_purpose(custody->policy, &known.purpose, reterr);
	} else if (kind == THING_STAFF) {
		status = staff_decode(thing, &known.staff);
		if (status == AZ_OK)
			return people_put_staff(custody->people, &known.staff, reterr);
	} else if (kind == THING_DEVICE) {
		status = device_decode(thing, &known.device);
		if (status == AZ_OK)
			return people_put_device(custody->people, &known.device, reterr);
	} else if (kind == THING_BUDGET) {
		status = budget_decode(thing, &known.budget);
		if (status == AZ_OK)
			return budget_put(custody->budgets, &known.budget, reterr);
	} else if (kind == THING_EXTENSION) {
		status = extension_decode(thing, &known.extension);
		if (status == AZ_OK)
			return budget_put_extension(custody->budgets, &known.extension, reterr);
	} else if (kind == THING_ZONE) {
		status = zone_decode(thing, &known.zone);
		if (status == AZ_OK)
			return policy_put_zone(custody->policy, &known.zone, reterr);
	} else if (kind == THING_APPROVAL) {
		status = approval_decode(thing, &known.approval);
		if (status == AZ_OK)
			return policy_put_approval(custody->policy, &known.approval, reterr);
	}
	return az_fail(reterr, AZ_CORRUPT, "thing of kind %u: it cannot be read", kind);
}

enum az_status
thing_apply(void *arg, uint8_t kind, uint64_t id, struct bytes thing, struct az_err *reterr)
{
	struct custody *custody = arg;

	if (kind == THING_HOUSE || kind == THING_RECORDS || kind == THING_SESSIONS) {
		if (!house_decode((enum thing_kind)kind, thing, &custody->house))
			return az_fail(reterr, AZ_CORRUPT, "house: it cannot be read");
		return AZ_OK;
	}
	if (kind == THING_SLOTS)
		return slots_apply(custody, id, thing, reterr);
	if (kind == THING_BOUNDS)
		return apply_bounds(custody, id, thing, reterr);
	if (kind == THING_PLACE)
		return place_apply(custody, id, thing, reterr);
	if (kind == THING_CAMPAIGN)
		return campaign_apply(custody, thing, reterr);
	if (kind == THING_MAP)
		return map_apply(custody, thing, reterr);
	if (kind == THING_CORRECTION)
		return correction_apply(custody, thing, reterr);
	if (kind == THING_LOSS)
		return loss_apply(custody, thing, reterr);
	if (kind == THING_CASE)
		return case_apply(custody, thing, reterr);
	if (kind == THING_HISTORY)
		return history_apply(custody, thing, reterr);
	if (kind == THING_CHECKS)
		return checks_apply(custody, thing, reterr);
	if (kind == THING_GRANT)
		return grant_apply(custody, thing, reterr);
	if (kind == THING_GUARD)
		return guard_apply(custody, id, thing, reterr);
	if (kind == THING_HAND_OVER)
		return hand_over_apply(custody, thing, reterr);
	if (kind == THING_STANDING)
		return standing_apply(custody, thing, reterr);
	if (kind == THING_HOLD)
		return hold_apply(custody, thing, reterr);
	if (kind == THING_DESTROYED)
		return destroyed_apply(custody, id, thing, reterr);
	if (kind == THING_WITNESS)
		return witness_apply(custody, thing, reterr);
	if (kind == THING_COSIGNED)
		return cosigned_apply(custody, thing, reterr);
	if (kind == THING_COSIGN_LIMIT)
		return cosign_limit_apply(custody, id, thing, reterr);
	if (kind == THING_COMMITTED)
		return crossing_apply(custody, thing, reterr);
	if (kind == THING_CONSIGNMENT)
		return apply_consignment(custody, thing, reterr);
	return apply_known(custody, (enum thing_kind)kind, thing, reterr);
}
