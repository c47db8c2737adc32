/*
 * The people who work here: adding, inviting, new keys, ends.
 *
 * Whoever has a key made somebody's could have kept it, and so is noted with the key (I7): that of who is added, who is
 * invited (whoever asked has the code), and who gets another one.
 */
#include <stdio.h>
#include <string.h>

#include "custody/custody_internal.h"

/* What an entry about staff tells. */
enum staff_detail {
	DETAIL_ADDED = 1,
	DETAIL_ENDED = 2,
	DETAIL_INVITED = 3,
	DETAIL_REKEYED = 4,
	DETAIL_UNTIL = 5,
};

static void
submit(struct request *request, const struct staff *staff, enum staff_detail detail)
{
	struct ledger_entry entry = request_entry(request, ENTRY_STAFF);
	struct payload payload;
	enum az_status status;

	entry.subject = staff->id;
	entry.detail = detail;
	entry.detail64 = staff->role;
	payload_init(&payload);
	status = payload_put_staff(&payload, staff);
	change_submit(request, entry, status, &payload, "staff", staff->id, staff->label);
}

/* Who has not ended, of that label; NULL after a reply. */
static const struct staff *
staff_or_fail(struct request *request, const char *label)
{
	const struct staff *staff = people_staff_labelled(request->custody->people, label);
	struct az_err err = {0};

	if (staff == NULL) {
		(void)az_fail(&err, AZ_NOT_FOUND, "staff %s: there is nobody of that label", label);
		request_fail(request, &err);
	}
	return staff;
}

/* --- officers --------------------------------------------------------------------------------- */

struct officers {
	size_t lasting; /* here, and without a last day */
	size_t ever;    /* that ever had a key */
};

static void
count_officer(void *arg, const struct staff *staff)
{
	struct officers *officers = arg;

	if (staff->role != ROLE_OFFICER || staff->keyed_us == 0)
		return;
	officers->ever++;
	if (staff->ended_us == 0 && staff->until == AZ_DATE_NONE)
		officers->lasting++;
}

static struct officers
count_officers(const struct custody *custody)
{
	struct officers officers = {0};

	people_each_staff(custody->people, count_officer, &officers);
	return officers;
}

enum house_stage
custody_stage(struct custody *custody)
{
	if (custody->unsealed)
		return STAGE_UNSEALED;
	/* Who had a key once had it for ever: this never goes back, and is asked with every request. */
	if (!custody->is_set_up)
		custody->is_set_up = count_officers(custody).ever >= 2;
	return custody->is_set_up ? STAGE_SEALED : STAGE_SET_UP;
}

/* Whether somebody may go: without officers enough nothing could be decided any more. */
static enum az_status
check_may_go(const struct custody *custody, const struct staff *staff, struct az_err *reterr)
{
	size_t least = custody->unsealed ? 1 : 2;

	if (staff->role != ROLE_OFFICER || staff->keyed_us == 0 || staff->until != AZ_DATE_NONE ||
	    count_officers(custody).lasting > least)
		return AZ_OK;
	return az_fail(reterr, AZ_CONFLICT, "staff %s: the last officer%s cannot end", staff->label,
	    least == 1 ? "" : "s");
}

/* --- adding and inviting ---------------------------------------------------------------------- */

static struct staff
staff_of(const struct request *request, const struct front_staff_add *add)
{
	struct staff staff = {.id = people_next_staff(request->custody->people),
	    .role = (enum role)add->role,
	    .tier = add->tier,
	    .from = add->from,
	    .until = add->until,
	    .keyed_by = request->staff,
	    .added_us = house_now_us(request->custody)};

	(void)snprintf(staff.label, sizeof(staff.label), "%s", add->label);
	(void)snprintf(staff.name, sizeof(staff.name), "%s", add->name);
	(void)snprintf(staff.employer, sizeof(staff.employer), "%s", add->employer);
	(void)snprintf(staff.agency, sizeof(staff.agency), "%s", add->agency);
	return staff;
}

void
verb_staff_add(struct request *request, const union front_request *body)
{
	struct staff staff;
	struct az_err err = {0};
	enum az_status status;

	if (!change_may_be_asked(request))
		return;
	staff = staff_of(request, &body->staff_add);
	staff.keyed_us = staff.added_us;
	memcpy(staff.public_key, body->staff_add.key, sizeof(staff.public_key));
	status = people_may_add_staff(request->custody->people, &staff, &err);
	if (status != AZ_OK) {
		request_fail_with(request, status, &err);
		return;
	}
	submit(request, &staff, DETAIL_ADDED);
}

/*
 * While a house is set up, the second officer may be invited anew: the invitation before is of no use then. Whoever invites them is the
 * other founder, who founds them as much as they do.
 */
static enum az_status
invite_founder(const struct custody *custody, struct staff *staff, struct az_err *reterr)
{
	const struct staff *before = people_staff_labelled(custody->people, staff->label);

	if (staff->role != ROLE_OFFICER)
		return az_fail(reterr, AZ_DENIED,
		    "invite: only the second officer, until the house is set up");
	if (before == NULL || before->keyed_us != 0 || before->role != ROLE_OFFICER)
		return az_fail(reterr, AZ_CONFLICT,
		    "invite: the second officer is somebody else, as the house was founded");
	staff->id = before->id;
	staff->added_us = before->added_us;
	staff->keyed_by = 0;
	return AZ_OK;
}

void
verb_invite(struct request *request, const union front_request *body)
{
	const struct front_invite *invite = &body->invite;
	struct custody *custody = request->custody;
	struct staff staff;
	struct az_err err = {0};
	enum az_status status;

	if (!change_may_be_asked(request))
		return;
	staff = staff_of(request, &invite->staff);
	memcpy(staff.invitation, invite->code_hash, sizeof(staff.invitation));
	staff.invited_until_us = house_now_us(request->custody) + invite->seconds * AZ_US_PER_S;
	if (custody_stage(custody) == STAGE_SET_UP)
		status = invite_founder(custody, &staff, &err);
	else
		status = people_may_add_staff(custody->people, &staff, &err);
	if (status != AZ_OK) {
		request_fail_with(request, status, &err);
		return;
	}
	submit(request, &staff, DETAIL_INVITED);
}

/* --- new keys and ends ------------------------------------------------------------------------ */

void
verb_rekey(struct request *request, const union front_request *body)
{
	const struct front_rekey *rekey = &body->rekey;
	const struct staff *found;
	struct staff staff;
	struct az_err err = {0};
	enum az_status status;

	if (!change_may_be_asked(request))
		return;
	found = staff_or_fail(request, rekey->label);
	if (found == NULL)
		return;
	status = people_may_take_key(request->custody->people, rekey->key, rekey->label, &err);
	if (status == AZ_OK && found->keyed_us == 0)
		status = az_fail(&err, AZ_CONFLICT,
		    "staff %s: they are invited, and have no key yet", rekey->label);
	if (status != AZ_OK) {
		request_fail_with(request, status, &err);
		return;
	}
	staff = *found;
	memcpy(staff.public_key, rekey->key, sizeof(staff.public_key));
	staff.keyed_by = request->staff;
	staff.keyed_us = house_now_us(request->custody);
	submit(request, &staff, DETAIL_REKEYED);
}

void
verb_staff_end(struct request *request, const union front_request *body)
{
	const struct staff *found;
	struct staff staff;
	struct az_err err = {0};
	enum az_status status;

	if (!change_may_be_asked(request))
		return;
	found = staff_or_fail(request, body->named.label);
	if (found == NULL)
		return;
	status = check_may_go(request->custody, found, &err);
	if (status != AZ_OK) {
		request_fail_with(request, status, &err);
		return;
	}
	staff = *found;
	staff.ended_us = house_now_us(request->custody);
	submit(request, &staff, DETAIL_ENDED);
}

void
verb_staff_until(struct request *request, const union front_request *body)
{
	const struct front_until *until = &body->until;
	const struct staff *found;
	struct staff staff;
	struct az_err err = {0};
	enum az_status status;

	if (!change_may_be_asked(request))
		return;
	found = staff_or_fail(request, until->label);
	if (found == NULL)
		return;
	staff = *found;
	staff.until = until->day;
	status = until->day == AZ_DATE_NONE ? AZ_OK : check_may_go(request->custody, found, &err);
	if (status == AZ_OK && until->day != AZ_DATE_NONE && staff.from != AZ_DATE_NONE &&
	    until->day < staff.from)
		status = az_fail(
		    &err, AZ_INVALID, "staff %s: the last day is before the first", until->label);
	if (status != AZ_OK) {
		request_fail_with(request, status, &err);
		return;
	}
	submit(request, &staff, DETAIL_UNTIL);
}

/* --- listing ---------------------------------------------------------------------------------- */

static void
staff_item(void *arg, const struct staff *staff)
{
	struct request *request = arg;
	const struct staff *by = people_staff(request->custody->people, staff->keyed_by);
	const char *role = role_name(staff->role) != NULL ? role_name(staff->role) : "";
	struct wire_writer writer = reply_begin(request, FRONT_ITEM);

	answer_object(&writer, NULL);
	answer_text(&writer, "staff", staff->label);
	answer_uint(&writer, "id", staff->id);
	answer_text(&writer, "name", staff->name);
	answer_text(&writer, "role", role);
	if (staff->employer[0] != '\0')
		answer_text(&writer, "employer", staff->employer);
	if (staff->agency[0] != '\0')
		answer_text(&writer, "agency", staff->agency);
	if (staff->tier != 0)
		answer_uint(&writer, "tier", staff->tier);
	if (staff->from != AZ_DATE_NONE)
		answer_date(&writer, "from", staff->from);
	if (staff->until != AZ_DATE_NONE)
		answer_date(&writer, "until", staff->until);
	answer_time(&writer, "added", staff->added_us);
	if (staff->keyed_us == 0)
		answer_time(&writer, "invited_until", staff->invited_until_us);
	answer_text(&writer, "keyed_by", by != NULL ? by->label : "founding");
	if (staff->ended_us != 0)
		answer_time(&writer, "ended", staff->ended_us);
	answer_end(&writer);
	reply_item(request, &writer);
}

void
verb_staff_list(struct request *request, const union front_request *body)
{
	struct wire_writer writer;

	(void)body;
	if (!change_is_permitted(request))
		return;
	people_each_staff(request->custody->people, staff_item, request);
	writer = reply_begin(request, FRONT_DONE);
	answer_object(&writer, NULL);
	answer_end(&writer);
	reply_end(request, &writer);
}
