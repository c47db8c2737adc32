/*
 * Nothing is opened here: the catalogue knows the record of a number, and which version is current. That nobody is
 * found is evidence as well, since asking for numbers one after the other is a way to search.
 */
#include <stdlib.h>
#include <string.h>

#include "custody/corrections.h"
#include "custody/person.h"

unsigned int
client_field(const struct client *client, const char *name)
{
	unsigned int field;

	if (field_parse(name, &field))
		return field;
	for (uint8_t i = 0; i < client->x_count; i++) {
		if (strcmp(client->x_names[i], name) == 0)
			return FIELD_X_FIRST + i;
	}
	return FIELD_COUNT;
}

const char *
client_field_name(const struct client *client, unsigned int field)
{
	if (field >= FIELD_X_FIRST && field - FIELD_X_FIRST < client->x_count)
		return client->x_names[field - FIELD_X_FIRST];
	return field_name(field);
}

void
answer_field_names(
    struct wire_writer *writer, const char *name, const struct client *client, uint64_t bits)
{
	answer_array(writer, name);
	for (unsigned int field = 0; field < FIELD_COUNT; field++) {
		const char *called = client_field_name(client, field);

		if ((bits & FIELD_BIT(field)) != 0 && called != NULL)
			answer_text(writer, NULL, called);
	}
	answer_end(writer);
}

/* --- finding ---------------------------------------------------------------------------------- */

static bool
visit_entry(void *arg, const struct catalogue_entry *entry)
{
	standing_take(arg, entry);
	return true;
}

/* The record of a number of the client's. AZ_NOT_FOUND. */
static enum az_status
record_of(struct custody *custody, uint32_t client, struct bytes number, uint32_t *ret_record,
    struct az_err *reterr)
{
	const struct client_keys *keys = NULL;
	uint8_t digest[CATALOGUE_DIGEST_SIZE];
	struct row what = {0};
	struct match_key key;
	enum az_status status;

	what.values[FIELD_NUMBER] = number;
	status = match_query(&what, &key, reterr);
	if (status == AZ_OK)
		status = keys_of_client(custody, client, &keys, reterr);
	if (status == AZ_OK) {
		number_digest(keys, bytes_make(key.key, key.size), digest);
		status = catalogue_record(custody->reader, digest, ret_record, reterr);
	}
	az_wipe(&key, sizeof(key));
	return status;
}

/* anybody: also who was withdrawn, or is absent from the newest full list. */
static enum az_status
look_up(struct custody *custody, const struct front_person *asked, bool anybody,
    struct person *person, struct az_err *reterr)
{
	const struct live_list *live = live_of(custody, person->purpose->id);
	struct standing standing = {.custody = custody,
	    .purpose = person->purpose->id,
	    .lists = live->items,
	    .list_count = anybody ? live->count : live->asked};
	enum az_status status = AZ_OK;

	if (!custody->reader_is_fresh) {
		status = catalogue_reader_renew(custody->reader, reterr);
		custody->reader_is_fresh = status == AZ_OK;
	}
	person->record = asked->record;
	if (status == AZ_OK && asked->record == 0)
		status =
		    record_of(custody, person->client->id, asked->number, &person->record, reterr);
	if (status == AZ_OK)
		status = catalogue_entries(
		    custody->reader, person->record, visit_entry, &standing, reterr);
	if (status != AZ_OK)
		return status;
	/* A record of another client is in no list of this purpose. */
	if (anybody ? !standing.found : !standing_is_callable(&standing))
		return AZ_NOT_FOUND;
	person->fields = consignment_of(custody, standing.entry.consignment)->fields;
	person->named = (struct row_named){.client = person->client->id,
	    .consignment = standing.entry.consignment,
	    .record = person->record,
	    .version = standing.entry.version,
	    .told = correction_version(
		custody, person->purpose->id, person->record, standing.entry.version),
	    .as_of = standing.entry.as_of};
	memcpy(person->named.digest, standing.entry.digest, CATALOGUE_DIGEST_SIZE);
	return AZ_OK;
}

/* --- the answers ------------------------------------------------------------------------------ */

static void
not_found_is_durable(void *arg, const struct az_ticket *ticket)
{
	struct request *request = arg;
	const char *name = verb_name(request->verb);
	struct az_err err = {0};

	(void)az_fail(
	    &err, AZ_NOT_FOUND, "%s: nobody is found by that", name != NULL ? name : "the request");
	request_fail_at(request, &err, ticket);
}

static void
log_not_found(
    struct request *request, const struct front_person *asked, const struct person *person)
{
	struct ledger_entry entry = request_entry(request, ENTRY_NOT_FOUND);
	struct az_err err = {0};

	entry.log = person->client->id;
	entry.purpose = person->purpose->id;
	entry.reason = asked->reason;
	entry.outcome = AZ_NOT_FOUND;
	entry.kinds = asked->record == 0 ? 1u << MATCH_NUMBER : 0;
	/* Trying numbers out is searching, whatever it is done with. Officers see nobody, and have no budget. */
	if (person->role != ROLE_OFFICER &&
	    budgets_allow(request->custody, &entry, false, 0, &err) != AZ_OK) {
		request_refuse(request, &err);
		return;
	}
	if (ledger_submit(request->custody->ledger, &entry, bytes_make(NULL, 0),
		not_found_is_durable, request, &err) != AZ_OK) {
		request_fail(request, &err);
		return;
	}
	budgets_counted(request->custody, &entry, false);
}

static bool
find(struct request *request, const struct front_person *asked, bool anybody,
    struct person *ret_person)
{
	struct custody *custody = request->custody;
	const struct staff *staff = people_staff(custody->people, request->staff);
	const char *verb = verb_name(request->verb);
	struct person person = {.role = staff != NULL ? staff->role : ROLE_NONE};
	struct whereabouts where = request_whereabouts(request, person.role);
	int32_t today = (int32_t)(house_now_us(request->custody) / AZ_US_PER_DAY);
	struct az_err err = {0};
	enum az_status status = AZ_OK;

	person.client = policy_client_labelled(custody->policy, asked->client);
	if (person.client != NULL) {
		request->log = person.client->id;
		person.purpose =
		    policy_purpose_labelled(custody->policy, person.client->id, asked->purpose);
	}
	if (person.purpose == NULL)
		status = az_fail(&err, AZ_DENIED, "%s: there is no purpose %s/%s", verb,
		    asked->client, asked->purpose);
	else if (person.role == ROLE_OFFICER && person.purpose->until < today)
		status = az_fail(&err, AZ_DENIED, "%s: the purpose %s/%s has ended", verb,
		    asked->client, asked->purpose);
	else if (person.role != ROLE_OFFICER)
		/* Officers see nobody: what they may, is decided by the table alone. */
		status = policy_grant(
		    person.client, person.purpose, person.role, &where, today, &person.grant, &err);
	/* Outside of the zones somebody is seen masked, and a stop is taken down; nothing else. */
	if (status == AZ_OK && person.grant.outside && request->verb != VERB_STOP)
		status = az_fail(&err, AZ_DENIED, "%s: not from here", verb);
	if (status != AZ_OK) {
		err.status = status;
		request_refuse(request, &err);
		return false;
	}
	status = look_up(custody, asked, anybody, &person, &err);
	if (status == AZ_OK) {
		*ret_person = person;
		return true;
	}
	if (status == AZ_NOT_FOUND) {
		log_not_found(request, asked, &person);
	} else {
		request_fail_with(request, status, &err);
	}
	return false;
}

bool
person_find(struct request *request, const struct front_person *asked, struct person *ret_person)
{
	return find(request, asked, false, ret_person);
}

bool
person_find_anybody(
    struct request *request, const struct front_person *asked, struct person *ret_person)
{
	return find(request, asked, true, ret_person);
}

struct ledger_entry
person_entry(const struct request *request, const struct front_person *asked,
    const struct person *person, enum entry_type type)
{
	struct ledger_entry entry = request_entry(request, type);

	entry.log = person->client->id;
	entry.purpose = person->purpose->id;
	entry.reason = asked->reason;
	entry.kinds = asked->record == 0 ? 1u << MATCH_NUMBER : 0;
	entry.record = person->record;
	entry.version = person->named.told;
	return entry;
}
