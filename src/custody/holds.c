/*
 * One thing a record that has any, kept in memory by client and record.
 *
 * A field that is withheld is no way to find its person either: who may not read an address must not be able to
 * try addresses.
 */
#include <stdlib.h>
#include <string.h>

#include "custody/holds.h"

#define HOLD_FORMAT 1u

static uint64_t
hold_id(uint32_t client, uint32_t record)
{
	return (uint64_t)client << 32 | record;
}

void
holds_free(struct custody *custody)
{
	for (size_t i = 0; i < custody->holds.room; i++)
		free(custody->holds.slots[i].value);
	id_map_fini(&custody->holds);
}

const struct hold *
hold_of(const struct custody *custody, uint32_t client, uint32_t record)
{
	static const struct hold none;
	const struct hold *hold = id_map_get(&custody->holds, hold_id(client, record));

	return hold != NULL ? hold : &none;
}

uint64_t
hold_withheld(const struct hold *hold, uint32_t staff, int64_t now_us)
{
	uint64_t opened =
	    hold->opened_for != 0 && hold->opened_for == staff && now_us < hold->opened_until_us
	    ? hold->opened
	    : 0;

	return hold->hidden | (hold->pairs & ~opened);
}

bool
hold_lets_find(const struct hold *hold, enum match_kind kind)
{
	static const uint64_t made_of[MATCH_ASKED] = {
	    [MATCH_PHONE] = FIELD_BIT(FIELD_PHONE) | FIELD_BIT(FIELD_MOBILE),
	    [MATCH_EMAIL] = FIELD_BIT(FIELD_EMAIL),
	    [MATCH_NAME_BIRTH] = FIELD_BIT(FIELD_NAME) | FIELD_BIT(FIELD_SURNAME) |
		FIELD_BIT(FIELD_GIVEN) | FIELD_BIT(FIELD_BIRTH),
	    [MATCH_NAME_PLACE] = FIELD_BIT(FIELD_NAME) | FIELD_BIT(FIELD_SURNAME) |
		FIELD_BIT(FIELD_GIVEN) | FIELD_BIT(FIELD_ADDRESS) | FIELD_BIT(FIELD_POSTCODE),
	};

	return kind == MATCH_NUMBER ||
	    (kind < MATCH_ASKED && ((hold->hidden | hold->pairs) & made_of[kind]) == 0);
}

void
answer_stops(struct wire_writer *writer, const struct hold *hold)
{
	answer_array(writer, "stops");
	for (unsigned int channel = CHANNEL_NONE + 1; channel < CHANNEL_COUNT; channel++) {
		const char *name = channel_name((enum channel)channel);

		if ((hold->stops & 1u << channel) != 0 && name != NULL)
			answer_text(writer, NULL, name);
	}
	answer_end(writer);
}

enum az_status
payload_put_hold(struct payload *payload, const struct hold *hold)
{
	struct buffer thing;
	struct wire_writer writer;

	buffer_init(&thing, STATE_THING_MAX, false);
	wire_writer_init(&writer, &thing);
	wire_put_u8(&writer, HOLD_FORMAT);
	wire_put_u32(&writer, hold->client);
	wire_put_u32(&writer, hold->record);
	wire_put_u8(&writer, hold->stops);
	wire_put_u64(&writer, hold->hidden);
	wire_put_u64(&writer, hold->pairs);
	wire_put_u32(&writer, hold->opened_for);
	wire_put_i64(&writer, hold->opened_until_us);
	wire_put_u64(&writer, hold->opened);
	return payload_put_thing(
	    payload, THING_HOLD, hold_id(hold->client, hold->record), writer.status, &thing);
}

enum az_status
hold_apply(struct custody *custody, struct bytes thing, struct az_err *reterr)
{
	struct wire_reader reader;
	struct hold hold = {0};
	struct hold *kept;
	void *before = NULL;
	uint8_t format;

	wire_reader_init(&reader, thing);
	format = wire_get_u8(&reader);
	hold.client = wire_get_u32(&reader);
	hold.record = wire_get_u32(&reader);
	hold.stops = wire_get_u8(&reader);
	hold.hidden = wire_get_u64(&reader);
	hold.pairs = wire_get_u64(&reader);
	hold.opened_for = wire_get_u32(&reader);
	hold.opened_until_us = wire_get_i64(&reader);
	hold.opened = wire_get_u64(&reader);
	if (format != HOLD_FORMAT || !wire_end(&reader) || hold.client == 0 || hold.record == 0)
		return az_fail(reterr, AZ_CORRUPT, "hold: it cannot be read");
	kept = malloc(sizeof(*kept));
	if (kept == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "hold: out of memory");
	*kept = hold;
	if (id_map_put(&custody->holds, hold_id(hold.client, hold.record), kept, &before) !=
	    AZ_OK) {
		free(kept);
		return az_fail(reterr, AZ_NO_MEMORY, "hold: out of memory");
	}
	free(before);
	return AZ_OK;
}
