/*
 * Disclosing: what a purpose shows of the one person that was looked for (look.h).
 *
 *	found ─► entry disclosed, with the fields ─► ticket ─► opened, compared, masked ─► shown
 *	                                                 └─ differs: entry withheld
 *
 * Fields that the purpose shows in part are shown whole for a reason in words, where it lets them be: then the entry unmasked
 * stands before the other. They are submitted together, so the ticket of the second stands for both.
 */
#include <string.h>

#include "custody/corrections.h"
#include "custody/guards.h"
#include "custody/hand_over.h"
#include "custody/holds.h"
#include "custody/look.h"
#include "custody/person.h"

struct disclosure {
	struct look look;
	uint64_t withheld; /* fields that are restricted for this record */
	uint64_t unmask;   /* fields that are asked whole */
	uint64_t unmasked; /* those of them that are shown whole */
	size_t why_size;
	uint8_t why[FRONT_WHY_MAX];
};

static void
reply_disclosed(struct disclosure *disclosure, const struct az_ticket *ticket,
    const struct row *row, uint64_t shown, uint64_t masked, uint64_t corrected)
{
	const struct row_named *named = &disclosure->look.candidates[0].named;
	struct request *request = disclosure->look.request;
	struct custody *custody = request->custody;
	const struct client *client = policy_client(custody->policy, named->client);
	struct wire_writer writer = reply_begin(request, FRONT_DONE);

	answer_object(&writer, NULL);
	answer_uint(&writer, "record", named->record);
	answer_uint(&writer, "version", named->told);
	answer_date(&writer, "as_of", named->as_of);
	answer_object(&writer, "fields");
	for (unsigned int field = 0; field < FIELD_COUNT; field++) {
		const char *name = client_field_name(client, field);

		if ((shown & FIELD_BIT(field)) != 0 && name != NULL)
			answer_value(&writer, name, row->values[field]);
	}
	answer_end(&writer);
	answer_field_names(&writer, "masked", client, masked);
	if (disclosure->unmask != 0)
		answer_field_names(&writer, "unmasked", client, disclosure->unmasked & shown);
	answer_stops(&writer, hold_of(custody, named->client, named->record));
	answer_field_names(&writer, "corrected", client, corrected & shown);
	answer_field_names(&writer, "restricted", client, disclosure->withheld);
	if (ticket_entry(ticket)->guard == GUARD_SILENT)
		answer_text(&writer, "guard", guard_state_name(GUARD_SILENT));
	answer_ledger(&writer, custody, ticket);
	answer_end(&writer);
	custody->disclosed++;
	hand_over_seen(custody, ticket_entry(ticket), clock_now_us());
	reply_end(request, &writer);
}

static void
disclosed_is_durable(void *arg, const struct az_ticket *ticket)
{
	struct disclosure *disclosure = arg;
	struct look *look = &disclosure->look;
	struct custody *custody = look->request->custody;
	struct az_err err = {0};
	struct row row;
	struct row masked_row;
	uint64_t shown = 0;
	uint64_t masked = 0;
	uint64_t corrected = 0;
	enum az_status status = look_open(look, ticket, &row, &corrected, &err);

	if (status == AZ_OK) {
		/* A correction that was made meanwhile may have given a field that the entry does not name. */
		look->grant.shown &= ticket_entry(ticket)->shown;
		status =
		    policy_mask(&look->grant, &row, custody->arena, &masked_row, &shown, &masked);
		if (status != AZ_OK)
			(void)az_fail(&err, status, "disclose: out of memory");
	}
	if (status == AZ_OK) {
		reply_disclosed(disclosure, ticket, &masked_row, shown, masked, corrected);
		look_free(look);
	} else {
		look_did_not_open(look, status, &err);
	}
	arena_reset(custody->arena);
}

/* The entry of what is shown whole, if the budget has room for it and for the one that follows. */
static enum az_status
log_unmasked(struct disclosure *disclosure, struct az_err *reterr)
{
	struct look *look = &disclosure->look;
	struct custody *custody = look->request->custody;
	struct ledger_entry entry = look->entry;
	struct payload payload;
	enum az_status status;

	entry.type = ENTRY_UNMASKED;
	entry.detail64 = disclosure->unmasked & look->entry.shown;
	look->entry.type = ENTRY_DISCLOSED;
	status = budgets_allow(custody, &entry, look_is_of_call(look), 0, reterr);
	if (status == AZ_OK)
		status = budgets_allow(custody, &look->entry, look_is_of_call(look), 1, reterr);
	if (status != AZ_OK)
		return status;
	payload_init(&payload);
	status = payload_end_texts(&payload, bytes_of(look->call),
	    bytes_make(disclosure->why, disclosure->why_size), entry.call, entry.text);
	if (status != AZ_OK)
		(void)az_fail(reterr, status, "disclose: the reason cannot be kept");
	else
		status = ledger_submit(
		    custody->ledger, &entry, buffer_peek(&payload.buffer), NULL, NULL, reterr);
	payload_fini(&payload);
	if (status == AZ_OK)
		budgets_counted(custody, &entry, look_is_of_call(look));
	return status;
}

/* Whether somebody is theirs to see: with the basis hand-over, if a colleague handed them over. */
static enum az_status
check_basis(const struct look *look, uint32_t record, struct az_err *reterr)
{
	if (look->entry.basis != BASIS_HAND_OVER ||
	    hand_over_is_open(look->request->custody, look->grant.client, look->grant.purpose,
		record, look->entry.staff, clock_now_us()))
		return AZ_OK;
	return az_fail(reterr, AZ_DENIED, "disclose: nobody has handed this person over to you");
}

/* Written before the row is opened: what the purpose shows of the columns its list has, and of what was corrected. */
static void
disclose_found(struct look *look)
{
	struct disclosure *disclosure = (struct disclosure *)look;
	struct custody *custody = look->request->custody;
	const struct consignment *list =
	    consignment_of(custody, look->candidates[0].named.consignment);
	const struct correction *correction =
	    correction_of(custody, look->grant.purpose, look->candidates[0].named.record);
	uint64_t fields = list->fields | (correction != NULL ? correction->fields : 0);
	struct az_err err = {0};
	enum az_status status = check_basis(look, look->entry.record, &err);

	if (status != AZ_OK) {
		look_refuse(look, status, &err);
		return;
	}
	disclosure->withheld = look->grant.shown &
	    hold_withheld(hold_of(custody, look->grant.client, look->entry.record),
		look->entry.staff, clock_now_us());
	disclosure->unmasked = disclosure->unmask & ~disclosure->withheld;
	policy_unmask(&look->grant, disclosure->unmasked);
	look->grant.shown &= ~disclosure->withheld;
	look->grant.masked &= ~disclosure->withheld;
	look->entry.shown = look->grant.shown & fields;
	look->entry.masked = look->grant.masked & fields;
	if ((disclosure->unmasked & look->entry.shown) != 0)
		status = log_unmasked(disclosure, &err);
	if (status == AZ_OK)
		look_log_within_budget(look, ENTRY_DISCLOSED, AZ_OK, disclosed_is_durable);
	else
		look_refuse(look, status, &err);
}

/* The fields that are asked whole, if the purpose lets all of them be. */
static enum az_status
set_unmask(struct disclosure *disclosure, const struct front_disclose *asked, struct az_err *reterr)
{
	const struct look *look = &disclosure->look;
	const struct client *client =
	    policy_client(look->request->custody->policy, look->grant.client);

	for (uint8_t i = 0; i < asked->unmask_count; i++) {
		unsigned int field = client_field(client, asked->unmask[i]);

		if (field == FIELD_COUNT || (look->grant.unmasked & FIELD_BIT(field)) == 0)
			return az_fail(reterr, AZ_DENIED,
			    "disclose: the purpose does not let %s be unmasked", asked->unmask[i]);
		disclosure->unmask |= FIELD_BIT(field);
	}
	if (asked->why.size > 0)
		memcpy(disclosure->why, asked->why.data, asked->why.size);
	disclosure->why_size = asked->why.size;
	return AZ_OK;
}

void
verb_disclose(struct request *request, const union front_request *body)
{
	static const struct look_kind kind = {
	    .size = sizeof(struct disclosure), .found = disclose_found};
	struct look *look = look_new(request, &body->disclose.look, &kind);
	struct az_err err = {0};
	enum az_status status;

	if (look == NULL)
		return;
	status = set_unmask((struct disclosure *)look, &body->disclose, &err);
	/* By record only whom one was given, before anything is looked up: record numbers are not to be tried out. */
	if (status == AZ_OK && look->record != 0)
		status = check_basis(look, look->record, &err);
	if (status == AZ_OK)
		look_find(look);
	else
		look_refuse(look, status, &err);
}
