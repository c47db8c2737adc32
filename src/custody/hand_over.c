/*
 * The verb, whom each human has seen last, and what was handed over.
 */
#include "custody/hand_over.h"

#include <stdlib.h>
#include <string.h>

#include "custody/person.h"

#define HAND_OVER_FORMAT 1u

/* The person that somebody has before them. */
struct current_person {
	uint32_t client, purpose, record;
	int64_t seen_us;
};

struct hand_over {
	uint32_t client, record, purpose;
	uint32_t from, to; /* staff */
	int64_t until_us;
};

static uint64_t
hand_over_id(uint32_t client, uint32_t record)
{
	return (uint64_t)client << 32 | record;
}

static void
free_values(struct id_map *map)
{
	for (size_t i = 0; i < map->room; i++)
		free(map->slots[i].value);
	id_map_fini(map);
}

void
hand_overs_free(struct custody *custody)
{
	free_values(&custody->hand_overs);
	free_values(&custody->current);
}

/* --- whom somebody has seen last --------------------------------------------------------------- */

void
hand_over_seen(struct custody *custody, const struct ledger_entry *entry, int64_t now_us)
{
	struct current_person *current = id_map_get(&custody->current, entry->staff);
	void *before = NULL;

	if (current == NULL) {
		current = malloc(sizeof(*current));
		if (current == NULL ||
		    id_map_put(&custody->current, entry->staff, current, &before) != AZ_OK) {
			free(current);
			return;
		}
	}
	*current = (struct current_person){.client = entry->log,
	    .purpose = entry->purpose,
	    .record = entry->record,
	    .seen_us = now_us};
}

static bool
is_current(
    const struct custody *custody, uint32_t staff, const struct person *person, int64_t now_us)
{
	const struct current_person *current = id_map_get(&custody->current, staff);

	return current != NULL && current->client == person->client->id &&
	    current->purpose == person->purpose->id && current->record == person->record &&
	    now_us - current->seen_us < HAND_OVER_CURRENT_US;
}

/* --- what was handed over ---------------------------------------------------------------------- */

bool
hand_over_is_open(const struct custody *custody, uint32_t client, uint32_t purpose, uint32_t record,
    uint32_t staff, int64_t now_us)
{
	const struct hand_over *found =
	    id_map_get(&custody->hand_overs, hand_over_id(client, record));

	return found != NULL && found->purpose == purpose && found->to == staff &&
	    now_us < found->until_us;
}

static enum az_status
put(struct payload *payload, const struct hand_over *made)
{
	struct buffer thing;
	struct wire_writer writer;

	buffer_init(&thing, STATE_THING_MAX, false);
	wire_writer_init(&writer, &thing);
	wire_put_u8(&writer, HAND_OVER_FORMAT);
	wire_put_u32(&writer, made->client);
	wire_put_u32(&writer, made->record);
	wire_put_u32(&writer, made->purpose);
	wire_put_u32(&writer, made->from);
	wire_put_u32(&writer, made->to);
	wire_put_i64(&writer, made->until_us);
	return payload_put_thing(payload, THING_HAND_OVER, hand_over_id(made->client, made->record),
	    writer.status, &thing);
}

enum az_status
hand_over_apply(struct custody *custody, struct bytes thing, struct az_err *reterr)
{
	struct wire_reader reader;
	struct hand_over read = {0};
	struct hand_over *kept;
	void *before = NULL;
	uint8_t format;

	wire_reader_init(&reader, thing);
	format = wire_get_u8(&reader);
	read.client = wire_get_u32(&reader);
	read.record = wire_get_u32(&reader);
	read.purpose = wire_get_u32(&reader);
	read.from = wire_get_u32(&reader);
	read.to = wire_get_u32(&reader);
	read.until_us = wire_get_i64(&reader);
	if (format != HAND_OVER_FORMAT || !wire_end(&reader) || read.client == 0 ||
	    read.record == 0 || read.purpose == 0 || read.to == 0)
		return az_fail(reterr, AZ_CORRUPT, "hand-over: it cannot be read");
	kept = malloc(sizeof(*kept));
	if (kept == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "hand-over: out of memory");
	*kept = read;
	if (id_map_put(&custody->hand_overs, hand_over_id(read.client, read.record), kept,
		&before) != AZ_OK) {
		free(kept);
		return az_fail(reterr, AZ_NO_MEMORY, "hand-over: out of memory");
	}
	free(before);
	return AZ_OK;
}

/* --- the verb ---------------------------------------------------------------------------------- */

/* Whether that human may see people of the purpose, and is not who hands over. */
static enum az_status
check_recipient(const struct request *request, const struct person *person,
    const struct staff *recipient, const char *label, struct az_err *reterr)
{
	if (recipient == NULL || !staff_is_here(recipient, house_now_us(request->custody)))
		return az_fail(reterr, AZ_DENIED, "hand-over: %s does not work here", label);
	if (recipient->id == request->staff)
		return az_fail(reterr, AZ_DENIED, "hand-over: nobody hands over to themselves");
	if (policy_decide(recipient->role, VERB_DISCLOSE) != DECISION_ALLOW ||
	    (person->purpose->roles & 1u << recipient->role) == 0)
		return az_fail(reterr, AZ_DENIED, "hand-over: the purpose %s/%s is not for %s",
		    person->client->label, person->purpose->label, label);
	return AZ_OK;
}

void
verb_hand_over(struct request *request, const union front_request *body)
{
	const struct front_hand_over *asked = &body->hand_over;
	struct custody *custody = request->custody;
	int64_t now = clock_now_us();
	const struct staff *recipient;
	struct hand_over made;
	struct person person;
	struct ledger_entry entry;
	struct payload payload;
	struct az_err err = {0};
	enum az_status status;

	if (!change_is_permitted(request) || !person_find(request, &asked->person, &person))
		return;
	recipient = people_staff_labelled(custody->people, asked->to);
	status = check_recipient(request, &person, recipient, asked->to, &err);
	if (status == AZ_OK && !is_current(custody, request->staff, &person, now))
		status = az_fail(
		    &err, AZ_DENIED, "hand-over: this is not the person you have seen last");
	if (status != AZ_OK) {
		request_refuse(request, &err);
		return;
	}
	made = (struct hand_over){.client = person.client->id,
	    .record = person.record,
	    .purpose = person.purpose->id,
	    .from = request->staff,
	    .to = recipient->id,
	    .until_us = now + (int64_t)asked->minutes * 60 * AZ_US_PER_S};
	entry = person_entry(request, &asked->person, &person, ENTRY_HANDED_OVER);
	entry.subject = recipient->id;
	entry.detail = asked->minutes;
	payload_init(&payload);
	status = put(&payload, &made);
	change_submit(
	    request, entry, status, &payload, "hand-over", person.record, recipient->label);
}
