/*
 * stop and restrict. Whoever sees somebody may set a stop, since a person says it on the telephone; lifting one is
 * for supervisors. Restrictions, and opening a field that two people must open, need an approval: so there
 * are always two.
 */
#include <string.h>

#include "custody/holds.h"
#include "custody/person.h"

static void
submit(struct request *request, const struct ledger_entry *entry, const struct hold *hold,
    const char *kind)
{
	struct payload payload;
	enum az_status status;

	payload_init(&payload);
	status = payload_put_hold(&payload, hold);
	change_submit(request, *entry, status, &payload, kind, hold->record, "");
}

void
verb_stop(struct request *request, const union front_request *body)
{
	const struct front_stop *asked = &body->stop;
	struct person person;
	struct ledger_entry entry;
	struct hold hold;
	struct az_err err = {0};

	if (!change_is_permitted(request) || !person_find_anybody(request, &asked->person, &person))
		return;
	if (asked->lift != 0 && person.role != ROLE_SUPERVISOR) {
		(void)az_fail(&err, AZ_DENIED, "stop: only a supervisor lifts one");
		request_refuse(request, &err);
		return;
	}
	hold = *hold_of(request->custody, person.client->id, person.record);
	hold.client = person.client->id;
	hold.record = person.record;
	if (asked->lift != 0)
		hold.stops &= (uint8_t)~asked->channels;
	else
		hold.stops |= asked->channels;
	entry = person_entry(request, &asked->person, &person, ENTRY_STOP);
	entry.detail = asked->lift != 0 ? 2 : 1;
	entry.detail64 = asked->channels;
	submit(request, &entry, &hold, "stop");
}

/* The bits of the fields that are named. AZ_INVALID: the client has none such. */
static enum az_status
read_fields(const struct front_restrict *asked, const struct client *client, uint64_t *ret_fields,
    struct az_err *reterr)
{
	uint64_t fields = 0;

	for (uint8_t i = 0; i < asked->field_count; i++) {
		unsigned int field = client_field(client, asked->fields[i]);

		if (field == FIELD_COUNT)
			return az_fail(reterr, AZ_INVALID, "restrict: %s has no field %s",
			    client->label, asked->fields[i]);
		fields |= FIELD_BIT(field);
	}
	*ret_fields = fields;
	return AZ_OK;
}

/* What the hold becomes. */
static enum az_status
restrict_as(struct custody *custody, const struct front_restrict *asked, uint64_t fields,
    struct hold *hold, struct az_err *reterr)
{
	const struct staff *staff;

	switch ((enum restriction)asked->mode) {
	case RESTRICT_NOBODY:
		hold->hidden |= fields;
		hold->pairs &= ~fields;
		return AZ_OK;
	case RESTRICT_PAIR:
		hold->pairs |= fields;
		hold->hidden &= ~fields;
		return AZ_OK;
	case RESTRICT_LIFT:
		hold->hidden &= ~fields;
		hold->pairs &= ~fields;
		return AZ_OK;
	case RESTRICT_OPEN:
		staff = people_staff_labelled(custody->people, asked->staff);
		if (staff == NULL)
			return az_fail(reterr, AZ_NOT_FOUND,
			    "restrict: there is nobody of the label %s", asked->staff);
		if ((fields & ~hold->pairs) != 0)
			return az_fail(reterr, AZ_CONFLICT,
			    "restrict: only fields that two people open can be opened");
		hold->opened_for = staff->id;
		hold->opened = fields;
		hold->opened_until_us = clock_now_us() + (int64_t)asked->minutes * 60 * AZ_US_PER_S;
		return AZ_OK;
	case RESTRICT_NONE:
	case RESTRICT_COUNT:
	default: return az_fail(reterr, AZ_INVALID, "restrict: in no known way");
	}
}

void
verb_restrict(struct request *request, const union front_request *body)
{
	const struct front_restrict *asked = &body->restriction;
	struct person person;
	struct ledger_entry entry;
	struct hold hold;
	uint64_t fields = 0;
	struct az_err err = {0};
	enum az_status status;

	if (!change_may_be_asked(request) || !person_find_anybody(request, &asked->person, &person))
		return;
	status = read_fields(asked, person.client, &fields, &err);
	hold = *hold_of(request->custody, person.client->id, person.record);
	hold.client = person.client->id;
	hold.record = person.record;
	if (status == AZ_OK)
		status = restrict_as(request->custody, asked, fields, &hold, &err);
	if (status != AZ_OK) {
		request_fail_with(request, status, &err);
		return;
	}
	entry = person_entry(request, &asked->person, &person, ENTRY_RESTRICTED);
	entry.detail = asked->mode;
	entry.detail64 = fields;
	entry.subject = asked->mode == RESTRICT_OPEN ? hold.opened_for : 0;
	submit(request, &entry, &hold, "restriction");
}
