/*
 * Disclosing: what a purpose shows of the one person that was looked for (look.h).
 *
 *	found ─► entry disclosed, with the fields ─► ticket ─► opened, compared, masked ─► shown
 *	                                                 └─ differs: entry withheld
 */
#include "custody/corrections.h"
#include "custody/holds.h"
#include "custody/look.h"
#include "custody/person.h"

struct disclosure {
	struct look look;
	uint64_t withheld; /* fields that are restricted for this record */
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
	answer_stops(&writer, hold_of(custody, named->client, named->record));
	answer_field_names(&writer, "corrected", client, corrected & shown);
	answer_field_names(&writer, "restricted", client, disclosure->withheld);
	answer_ledger(&writer, custody, ticket);
	answer_end(&writer);
	custody->disclosed++;
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

	disclosure->withheld = look->grant.shown &
	    hold_withheld(hold_of(custody, look->grant.client, look->entry.record),
		look->entry.staff, clock_now_us());
	look->grant.shown &= ~disclosure->withheld;
	look->grant.masked &= ~disclosure->withheld;
	look->entry.shown = look->grant.shown & fields;
	look->entry.masked = look->grant.masked & fields;
	look_log_within_budget(look, ENTRY_DISCLOSED, AZ_OK, disclosed_is_durable);
}

void
verb_disclose(struct request *request, const union front_request *body)
{
	static const struct look_kind kind = {
	    .size = sizeof(struct disclosure), .found = disclose_found};
	struct look *look = look_new(request, &body->disclose.look, &kind);

	if (look != NULL)
		look_find(look);
}
