/*
 * Whose passphrases open the house: so many of so many officers.
 *
 *	key slots ─ asked, approved ─► wanted ◄── key give, each officer for themselves
 *	                                  └─ all have given ─► parent: new file ─► entry, in force
 *
 * Nobody can give for another: each gives their own, signed in. Passphrases are held in locked memory until all are there, and
 * go to the parent alone, which has the root key and writes the file anew, under a new host secret; a keeper that starts
 * again has forgotten them.
 */
#include <stdlib.h>
#include <string.h>

#include "custody/renew.h"
#include "proto/parent.h"

#define SLOTS_FORMAT 1u
#define IN_FORCE     0u /* ids of the two things */
#define WANTED       1u

/* What an entry about slots tells. */
enum slots_detail { DETAIL_WANTED = 1, DETAIL_IN_FORCE = 2, DETAIL_GIVEN = 3 };

static void
forget(struct custody *custody)
{
	for (size_t i = 0; i < AZ_ARRAY_SIZE(custody->passphrases); i++)
		secret_free(&custody->passphrases[i]);
}

void
slots_fini(struct custody *custody)
{
	forget(custody);
}

/* --- the things -------------------------------------------------------------------------------- */

static enum az_status
put(struct payload *payload, uint64_t id, const struct slot_set *set)
{
	struct buffer thing;
	struct wire_writer writer;

	buffer_init(&thing, STATE_THING_MAX, false);
	wire_writer_init(&writer, &thing);
	wire_put_u8(&writer, SLOTS_FORMAT);
	wire_put_u8(&writer, set->needed);
	wire_put_u8(&writer, set->count);
	for (uint8_t i = 0; i < set->count; i++)
		wire_put_u32(&writer, set->staff[i]);
	wire_put_i64(&writer, set->since_us);
	return payload_put_thing(payload, THING_SLOTS, id, writer.status, &thing);
}

enum az_status
slots_apply(struct custody *custody, uint64_t id, struct bytes thing, struct az_err *reterr)
{
	struct wire_reader reader;
	struct slot_set set = {0};
	uint8_t format;

	wire_reader_init(&reader, thing);
	format = wire_get_u8(&reader);
	set.needed = wire_get_u8(&reader);
	set.count = wire_get_u8(&reader);
	for (uint8_t i = 0; i < set.count && i < SHARES_MAX; i++)
		set.staff[i] = wire_get_u32(&reader);
	set.since_us = wire_get_i64(&reader);
	if (format != SLOTS_FORMAT || !wire_end(&reader) || id > WANTED || set.count > SHARES_MAX ||
	    set.needed > set.count)
		return az_fail(reterr, AZ_CORRUPT, "slots: they cannot be read");
	if (id == WANTED) {
		forget(custody);
		custody->slots_wanted = set;
	} else {
		custody->slots = set;
	}
	return AZ_OK;
}

/* Those of the founding are the first officer's. */
static struct slot_set
in_force(const struct custody *custody)
{
	struct slot_set founded = {
	    .needed = 1, .count = 1, .staff = {1}, .since_us = custody->house.founded_us};

	return custody->slots.count > 0 ? custody->slots : founded;
}

/* --- wanting others ---------------------------------------------------------------------------- */

static enum az_status
read_set(const struct custody *custody, const struct front_slots *asked, struct slot_set *ret_set,
    struct az_err *reterr)
{
	int64_t now = house_time_us(custody);
	struct slot_set set = {.needed = asked->needed, .count = asked->count, .since_us = now};

	if (custody->unsealed)
		return az_fail(
		    reterr, AZ_INVALID, "key slots: an unsealed house has no passphrases");
	if (asked->needed > asked->count)
		return az_fail(reterr, AZ_INVALID, "key slots: %u of %u officers cannot be",
		    asked->needed, asked->count);
	for (uint8_t i = 0; i < asked->count; i++) {
		const struct staff *staff =
		    people_staff_labelled(custody->people, asked->officers[i]);

		if (staff == NULL || staff->role != ROLE_OFFICER || !staff_is_here(staff, now))
			return az_fail(reterr, AZ_INVALID, "key slots: %s is no officer here",
			    asked->officers[i]);
		for (uint8_t other = 0; other < i; other++) {
			if (set.staff[other] == staff->id)
				return az_fail(reterr, AZ_INVALID, "key slots: %s is there twice",
				    staff->label);
		}
		set.staff[i] = staff->id;
	}
	*ret_set = set;
	return AZ_OK;
}

void
verb_slots(struct request *request, const union front_request *body)
{
	struct ledger_entry entry;
	struct payload payload;
	struct slot_set set;
	struct az_err err = {0};
	enum az_status status;

	if (!change_may_be_asked(request))
		return;
	status = read_set(request->custody, &body->slots, &set, &err);
	if (status != AZ_OK) {
		request_fail_with(request, status, &err);
		return;
	}
	entry = request_entry(request, ENTRY_SLOTS);
	entry.subject = set.needed;
	entry.detail = DETAIL_WANTED;
	entry.detail64 = set.count;
	payload_init(&payload);
	status = put(&payload, WANTED, &set);
	change_submit(request, entry, status, &payload, "slots", set.needed, "");
}

/* --- giving ------------------------------------------------------------------------------------ */

static unsigned int
given_count(const struct custody *custody)
{
	unsigned int given = 0;

	for (uint8_t i = 0; i < custody->slots_wanted.count; i++)
		given += custody->passphrases[i] != NULL ? 1 : 0;
	return given;
}

static void
reply_given(struct request *request, unsigned int given, unsigned int of)
{
	struct wire_writer writer = reply_begin(request, FRONT_DONE);

	answer_object(&writer, NULL);
	answer_uint(&writer, "given", given);
	answer_uint(&writer, "of", of);
	answer_bool(&writer, "in_force", given == of);
	answer_end(&writer);
	reply_end(request, &writer);
}

static void slots_kept(void *arg, const struct az_err *err);

/* Hands what was given to the parent; slots_kept follows. */
static enum az_status
tell_parent(struct request *request, struct az_err *reterr)
{
	struct custody *custody = request->custody;
	const struct slot_set *set = &custody->slots_wanted;
	struct parent_slots slots = {.needed = set->needed, .count = set->count};

	for (uint8_t i = 0; i < set->count; i++) {
		const struct staff *staff = people_staff(custody->people, set->staff[i]);

		if (staff == NULL || staff->role != ROLE_OFFICER ||
		    !staff_is_here(staff, house_now_us(request->custody)))
			return az_fail(reterr, AZ_DENIED,
			    "key give: one of the officers has left: ask for other slots");
		memcpy(slots.labels[i], staff->label, sizeof(slots.labels[i]));
		slots.passphrases[i] = secret_peek(custody->passphrases[i]);
	}
	/* Its key may have to leave the ring again at any time. */
	if (custody->bulk != NULL)
		return az_fail(
		    reterr, AZ_BUSY, "key give: a list is on its way in: give again behind it");
	return renew_with_slots(custody, &slots, slots_kept, request, reterr);
}

static void
given_is_durable(void *arg, const struct az_ticket *ticket)
{
	struct request *request = arg;
	struct custody *custody = request->custody;
	unsigned int given = given_count(custody);
	struct az_err err = {0};
	enum az_status status;

	(void)ticket;
	if (given < custody->slots_wanted.count) {
		reply_given(request, given, custody->slots_wanted.count);
		return;
	}
	status = tell_parent(request, &err);
	/* Whoever must give again because of a list that is on its way in need not be the others. */
	if (status != AZ_BUSY)
		forget(custody);
	if (status != AZ_OK)
		request_fail_with(request, status, &err);
}

/* The slot that somebody is to give for; SHARES_MAX if there is none. */
static uint8_t
slot_of(const struct custody *custody, uint32_t staff)
{
	for (uint8_t i = 0; i < custody->slots_wanted.count; i++) {
		if (custody->slots_wanted.staff[i] == staff)
			return i;
	}
	return SHARES_MAX;
}

static enum az_status
keep_passphrase(
    struct custody *custody, uint8_t slot, struct bytes passphrase, struct az_err *reterr)
{
	enum az_status status;

	secret_free(&custody->passphrases[slot]);
	status = secret_new(passphrase.size, &custody->passphrases[slot], reterr);
	if (status == AZ_OK)
		memcpy(secret_data(custody->passphrases[slot]), passphrase.data, passphrase.size);
	return status;
}

void
verb_slot_give(struct request *request, const union front_request *body)
{
	struct custody *custody = request->custody;
	struct ledger_entry entry = request_entry(request, ENTRY_SLOTS);
	uint8_t slot = slot_of(custody, request->staff);
	struct az_err err = {0};
	enum az_status status;

	if (!change_is_permitted(request))
		return;
	if (custody->slots_wanted.count == 0) {
		(void)az_fail(&err, AZ_NOT_FOUND, "key give: no other slots were asked for");
		request_fail(request, &err);
		return;
	}
	if (slot == SHARES_MAX) {
		(void)az_fail(&err, AZ_DENIED, "key give: you are not one of the officers");
		request_refuse(request, &err);
		return;
	}
	status = keep_passphrase(custody, slot, body->slot_give.passphrase, &err);
	entry.subject = request->staff;
	entry.detail = DETAIL_GIVEN;
	if (status == AZ_OK)
		status = ledger_submit(
		    custody->ledger, &entry, bytes_make(NULL, 0), given_is_durable, request, &err);
	if (status != AZ_OK) {
		request_fail_with(request, status, &err);
	}
}

/* --- in force ---------------------------------------------------------------------------------- */

struct slots_made {
	struct request *request;
	struct payload payload;
};

static void
in_force_is_durable(void *arg, const struct az_ticket *ticket)
{
	struct slots_made *made = arg;
	struct request *request = made->request;
	struct custody *custody = request->custody;
	struct payload_text text;
	struct az_err err = {0};

	(void)ticket;
	if (payload_read(buffer_peek(&made->payload.buffer), thing_apply, custody, &text, &err) !=
	    AZ_OK)
		custody_fatal(custody, &err);
	payload_fini(&made->payload);
	free(made);
	reply_given(request, custody->slots.count, custody->slots.count);
}

static enum az_status
log_in_force(struct request *request, struct az_err *reterr)
{
	struct custody *custody = request->custody;
	struct ledger_entry entry = request_entry(request, ENTRY_SLOTS);
	struct slots_made *made = calloc(1, sizeof(*made));
	struct house house = custody->house;
	const struct slot_set none = {0};
	enum az_status status;

	if (made == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "key slots: out of memory");
	made->request = request;
	custody->slots_wanted.since_us = house_now_us(request->custody);
	entry.subject = custody->slots_wanted.needed;
	entry.detail = DETAIL_IN_FORCE;
	entry.detail64 = custody->slots_wanted.count;
	payload_init(&made->payload);
	status = put(&made->payload, IN_FORCE, &custody->slots_wanted);
	if (status == AZ_OK)
		status = put(&made->payload, WANTED, &none);
	/* The ring was sealed anew with them: an older one is found by its number, too. */
	house.list_ring_number = ring_number(custody->ring);
	if (status == AZ_OK)
		status = payload_put_records(&made->payload, &house);
	if (status == AZ_OK)
		status = payload_end(&made->payload, NULL, entry.text);
	if (status == AZ_OK)
		status = ledger_submit(custody->ledger, &entry, buffer_peek(&made->payload.buffer),
		    in_force_is_durable, made, reterr);
	else
		(void)az_fail(reterr, status, "key slots: out of memory");
	if (status != AZ_OK) {
		payload_fini(&made->payload);
		free(made);
	}
	return status;
}

static void
slots_kept(void *arg, const struct az_err *err)
{
	struct request *request = arg;
	struct az_err failed = *err;

	if (failed.status == AZ_OK)
		failed.status = log_in_force(request, &failed);
	if (failed.status != AZ_OK)
		request_fail(request, &failed);
}

/* --- listing ----------------------------------------------------------------------------------- */

static void
answer_set(struct wire_writer *writer, const struct custody *custody, const struct slot_set *set,
    bool wanted)
{
	answer_uint(writer, "needed", set->needed);
	answer_array(writer, "officers");
	for (uint8_t i = 0; i < set->count; i++) {
		const struct staff *staff = people_staff(custody->people, set->staff[i]);

		answer_object(writer, NULL);
		answer_text(writer, "officer", staff != NULL ? staff->label : "");
		if (wanted)
			answer_bool(writer, "given", custody->passphrases[i] != NULL);
		else
			answer_bool(writer, "here",
			    staff != NULL && staff_is_here(staff, house_time_us(custody)));
		answer_end(writer);
	}
	answer_end(writer);
	answer_time(writer, "since", set->since_us);
}

void
verb_slots_list(struct request *request, const union front_request *body)
{
	struct custody *custody = request->custody;
	struct slot_set now = in_force(custody);
	struct wire_writer writer;

	(void)body;
	if (!change_is_permitted(request))
		return;
	writer = reply_begin(request, FRONT_DONE);
	answer_object(&writer, NULL);
	if (!custody->unsealed)
		answer_set(&writer, custody, &now, false);
	if (custody->slots_wanted.count > 0) {
		answer_object(&writer, "wanted");
		answer_set(&writer, custody, &custody->slots_wanted, true);
		answer_end(&writer);
	}
	answer_end(&writer);
	reply_end(request, &writer);
}
