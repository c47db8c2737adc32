/*
 * Whether a field of somebody is a value: yes or no, and nothing else leaves the keeper.
 *
 *	found ─► entry checked, with the field ─► ticket ─► opened, compared, wiped
 *	                                                         └─► entry check-answered ─► yes, no
 *
 * Two entries, since only the opened row has the answer: the first says that it was opened, the second what was said. Trying
 * values out is kept dear: it counts as a search, and three wrong ones in an hour are the most for one person (checks.h).
 */
#include <string.h>

#include "custody/checks.h"
#include "custody/holds.h"
#include "custody/look.h"
#include "custody/person.h"

struct check {
	struct look look;
	unsigned int field;
	size_t value_size;
	uint8_t value[FRONT_VALUE_MAX];
	bool counted; /* checks_begin */
	bool yes;
};

static void
check_fini(struct look *look)
{
	struct check *check = (struct check *)look;

	if (check->counted)
		checks_end(
		    look->request->custody, look->grant.client, look->candidates[0].named.record);
}

static void
answer_is_durable(void *arg, const struct az_ticket *ticket)
{
	struct check *check = arg;
	struct look *look = &check->look;
	const struct row_named *named = &look->candidates[0].named;
	struct request *request = look->request;
	struct custody *custody = request->custody;
	const struct client *client = policy_client(custody->policy, named->client);
	struct wire_writer writer;

	/* It is answered: it does not count as one that is being asked any more. */
	checks_end(custody, named->client, named->record);
	check->counted = false;
	writer = reply_begin(request, FRONT_DONE);
	answer_object(&writer, NULL);
	answer_uint(&writer, "record", named->record);
	answer_text(&writer, "field", client_field_name(client, check->field));
	answer_text(&writer, "answer", check->yes ? "yes" : "no");
	answer_uint(&writer, "wrong_left",
	    checks_left(custody, named->client, named->record, clock_now_us()));
	answer_ledger(&writer, custody, ticket);
	answer_end(&writer);
	look_free(look);
	reply_end(request, &writer);
}

/* The entry of what will be said; a "no" is counted by it. */
static void
log_answer(struct check *check)
{
	struct look *look = &check->look;
	struct custody *custody = look->request->custody;
	struct ledger_entry *entry = &look->entry;
	struct payload payload;
	struct az_err err = {0};
	enum az_status status = AZ_OK;

	entry->type = ENTRY_CHECK_ANSWERED;
	entry->outcome = check->yes ? AZ_OK : AZ_CONFLICT;
	payload_init(&payload);
	if (!check->yes)
		status = checks_put_wrong(custody, &payload, look->grant.client,
		    look->candidates[0].named.record, clock_now_us());
	if (status == AZ_OK)
		status =
		    payload_end(&payload, look->call[0] != '\0' ? look->call : NULL, entry->call);
	if (status != AZ_OK)
		(void)az_fail(&err, status, "check: out of memory");
	else
		status = ledger_submit(custody->ledger, entry, buffer_peek(&payload.buffer),
		    answer_is_durable, check, &err);
	payload_fini(&payload);
	if (status != AZ_OK)
		look_fail(look, status, &err);
}

static void
checked_is_durable(void *arg, const struct az_ticket *ticket)
{
	struct check *check = arg;
	struct look *look = &check->look;
	struct custody *custody = look->request->custody;
	struct az_err err = {0};
	struct row row;
	enum az_status status = look_open(look, ticket, &row, NULL, &err);

	if (status == AZ_OK)
		check->yes = match_same(check->field, row.values[check->field],
		    bytes_make(check->value, check->value_size));
	arena_reset(custody->arena);
	if (status == AZ_OK)
		log_answer(check);
	else
		look_did_not_open(look, status, &err);
}

static void
check_found(struct look *look)
{
	struct check *check = (struct check *)look;
	struct custody *custody = look->request->custody;
	int64_t now = clock_now_us();
	struct az_err err = {0};
	enum az_status status = AZ_OK;

	if ((hold_withheld(
		 hold_of(custody, look->grant.client, look->entry.record), look->entry.staff, now) &
		FIELD_BIT(check->field)) != 0)
		status = az_fail(&err, AZ_DENIED, "check: the field is restricted for this person");
	if (status == AZ_OK)
		status = checks_begin(custody, look->grant.client, look->entry.record, now, &err);
	if (status != AZ_OK) {
		look_refuse(look, status, &err);
		return;
	}
	check->counted = true;
	look->entry.shown = FIELD_BIT(check->field);
	look_log_within_budget(look, ENTRY_CHECKED, AZ_OK, checked_is_durable);
}

void
verb_check(struct request *request, const union front_request *body)
{
	static const struct look_kind kind = {
	    .size = sizeof(struct check), .found = check_found, .fini = check_fini};
	const struct front_check *asked = &body->check;
	struct look *look = look_new(request, &asked->look, &kind);
	struct check *check = (struct check *)look;
	const struct client *client;
	struct az_err err = {0};

	if (look == NULL)
		return;
	client = policy_client(request->custody->policy, look->grant.client);
	check->field = client_field(client, asked->field);
	if (check->field == FIELD_COUNT || (look->grant.checked & FIELD_BIT(check->field)) == 0) {
		(void)az_fail(
		    &err, AZ_DENIED, "check: the purpose does not have the field %s", asked->field);
		look_refuse(look, AZ_DENIED, &err);
		return;
	}
	memcpy(check->value, asked->value.data, asked->value.size);
	check->value_size = asked->value.size;
	look_find(look);
}
