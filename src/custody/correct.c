/*
 * Correcting fields of one person.
 *
 *	asked ─► person, fields granted ─► row from the vault ─► entry correcting
 *	                                                            │ ticket: opened, in the keeper only
 *	                                                            ▼
 *	            memory ◄─ ticket ◄─ entry corrected, with the sealed correction in its payload
 *
 * Two entries, since a row is opened: what happened to it is evidence even where the correction is not made. The flush
 * of the second is the commit. Nothing is written to the vault, which so can neither lose nor age a correction.
 *
 * It is decided on the catalogue as it is, so no list of the purpose may be on its way in meanwhile.
 */
#include <stdlib.h>
#include <string.h>

#include "custody/bulk.h"
#include "custody/corrections.h"
#include "custody/destroy.h"
#include "custody/holds.h"
#include "custody/person.h"
#include "match/found.h"

struct correcting {
	struct request *request;
	struct person person;
	struct ledger_entry entry;
	char call[CALL_SIZE];
	uint64_t set; /* bits of the fields */
	struct row values;
	struct buffer text; /* what values borrow from */
	uint32_t call_id;
	struct buffer sealed;
	struct correction made;
	struct payload payload;
};

static void
correcting_free(struct correcting *correcting)
{
	correcting->request->custody->correcting = 0;
	correction_fini(&correcting->made);
	buffer_fini(&correcting->text);
	buffer_fini(&correcting->sealed);
	payload_fini(&correcting->payload);
	az_wipe(correcting, sizeof(*correcting));
	free(correcting);
}

static void
correcting_fail(struct correcting *correcting, enum az_status status, struct az_err *err)
{
	struct request *request = correcting->request;

	err->status = status;
	correcting_free(correcting);
	request_fail(request, err);
}

static void
withheld_is_durable(void *arg, const struct az_ticket *ticket)
{
	struct request *request = arg;
	struct az_err err = {0};

	(void)az_fail(&err, AZ_FORGED,
	    "correct: withheld, because what the vault has is not what was entrusted");
	request_fail_at(request, &err, ticket);
}

static void
withhold(struct correcting *correcting)
{
	struct request *request = correcting->request;
	struct ledger_entry entry = correcting->entry;
	struct az_err err = {0};

	entry.type = ENTRY_WITHHELD;
	entry.outcome = AZ_FORGED;
	correcting_free(correcting);
	if (ledger_submit(request->custody->ledger, &entry, bytes_make(NULL, 0),
		withheld_is_durable, request, &err) != AZ_OK)
		request_fail(request, &err);
}

/* --- making it -------------------------------------------------------------------------------- */

static void
corrected_is_durable(void *arg, const struct az_ticket *ticket)
{
	struct correcting *correcting = arg;
	struct request *request = correcting->request;
	struct custody *custody = request->custody;
	struct payload_text text;
	struct wire_writer writer;
	struct az_err err = {0};

	if (payload_read(buffer_peek(&correcting->payload.buffer), thing_apply, custody, &text,
		&err) != AZ_OK)
		custody_fatal(custody, &err);
	writer = reply_begin(request, FRONT_DONE);
	answer_object(&writer, NULL);
	answer_uint(&writer, "record", correcting->made.record);
	answer_uint(&writer, "version", correcting->made.version);
	answer_field_names(&writer, "corrected", correcting->person.client, correcting->set);
	answer_ledger(&writer, custody, ticket);
	answer_end(&writer);
	correcting_free(correcting);
	reply_end(request, &writer);
}

static struct correction_field *
field_of(struct correction_body *body, unsigned int field)
{
	for (size_t i = 0; i < body->count; i++) {
		if (body->fields[i].field == field)
			return &body->fields[i];
	}
	return NULL;
}

/* Another value that the field is not any more; of too many the first is forgotten. */
static void
add_old(struct correction_field *field, struct bytes old)
{
	for (uint8_t i = 0; i < field->old_count; i++) {
		if (bytes_equal(field->old[i], old))
			return;
	}
	if (field->old_count == CORRECTION_OLD_MAX) {
		memmove(&field->old[0], &field->old[1],
		    (CORRECTION_OLD_MAX - 1) * sizeof(field->old[0]));
		field->old_count--;
	}
	field->old[field->old_count++] = old;
}

/* A value that is right again is no old one. */
static void
drop_old(struct correction_field *field)
{
	uint8_t kept = 0;

	for (uint8_t i = 0; i < field->old_count; i++) {
		if (!correction_same(field->field, field->old[i], field->value))
			field->old[kept++] = field->old[i];
	}
	field->old_count = kept;
}

static int
compare_fields(const void *a, const void *b)
{
	const struct correction_field *one = a;
	const struct correction_field *other = b;

	return one->field < other->field ? -1 : one->field > other->field;
}

/* Takes the new values into the body, beside what was corrected before; row is as it is shown now. */
static bool
set_fields(struct correcting *correcting, const struct row *row, struct correction_body *body)
{
	bool any = false;

	for (unsigned int bit = 0; bit < FIELD_COUNT; bit++) {
		struct correction_field *field;

		if ((correcting->set & FIELD_BIT(bit)) == 0 ||
		    bytes_equal(row->values[bit], correcting->values.values[bit]))
			continue;
		any = true;
		field = field_of(body, bit);
		if (field == NULL) {
			field = &body->fields[body->count++];
			*field = (struct correction_field){.field = (uint8_t)bit};
		} else {
			add_old(field, field->value);
		}
		add_old(field, row->values[bit]);
		field->value = correcting->values.values[bit];
		drop_old(field);
	}
	qsort(body->fields, body->count, sizeof(body->fields[0]), compare_fields);
	return any;
}

/* The digests of the keys of the version that is made. */
static enum az_status
set_keys(struct correcting *correcting, struct row row, struct az_err *reterr)
{
	struct correction *made = &correcting->made;
	struct match_key keys[MATCH_KEYS_MAX];
	bool bad_birth = false;
	size_t count;
	enum az_status status = AZ_OK;

	for (unsigned int bit = 0; bit < FIELD_COUNT; bit++) {
		if ((correcting->set & FIELD_BIT(bit)) != 0)
			row.values[bit] = correcting->values.values[bit];
	}
	count = match_row(&row, keys, &bad_birth);
	for (size_t i = 0; i < count && status == AZ_OK; i++) {
		if (keys[i].kind == MATCH_NUMBER || keys[i].kind >= MATCH_ASKED)
			continue;
		status = correction_key(correcting->request->custody, made->client, &keys[i],
		    made->keys[made->key_count], reterr);
		made->key_count++;
	}
	az_wipe(keys, sizeof(keys));
	return status;
}

static bool
visit_version(void *arg, const struct catalogue_entry *entry)
{
	uint32_t *highest = arg;

	*highest = entry->version > *highest ? entry->version : *highest;
	return true;
}

/* The number of the new version: above all that the record ever had, delivered or made. */
static enum az_status
next_version(struct custody *custody, struct correction *made, struct az_err *reterr)
{
	uint32_t highest = 0;
	enum az_status status = catalogue_reader_renew(custody->reader, reterr);

	custody->reader_is_fresh = status == AZ_OK;
	if (status == AZ_OK)
		status = catalogue_entries(
		    custody->reader, made->record, visit_version, &highest, reterr);
	for (size_t i = 0; i < custody->corrections.room; i++) {
		const struct correction *other = custody->corrections.slots[i].value;

		if (other != NULL && other->record == made->record && other->version > highest)
			highest = other->version;
	}
	if (status == AZ_OK && highest == UINT32_MAX)
		return az_fail(reterr, AZ_LIMIT, "correct: the record has no more versions");
	made->version = highest + 1;
	return status;
}

/* Fills in the correction out of the row as it is shown now. */
static enum az_status
make(struct correcting *correcting, const struct row *row, struct az_err *reterr)
{
	struct custody *custody = correcting->request->custody;
	const struct person *person = &correcting->person;
	const struct correction *before =
	    correction_of(custody, person->purpose->id, person->record);
	struct correction *made = &correcting->made;
	struct correction_body body = {0};
	uint64_t lists[CORRECTION_COPIES_MAX];
	size_t count = 0;
	struct buffer encoded;
	enum az_status status = AZ_OK;

	*made = (struct correction){.client = person->client->id,
	    .purpose = person->purpose->id,
	    .record = person->record,
	    .base_version = person->named.version,
	    .time_us = house_now_us(correcting->request->custody),
	    .fields = correcting->set | (before != NULL ? before->fields : 0)};
	if (before != NULL)
		status = correction_open(custody, before, custody->arena, &body, reterr);
	if (status == AZ_OK && !set_fields(correcting, row, &body))
		return az_fail(reterr, AZ_CONFLICT, "correct: it says so already");
	if (status == AZ_OK)
		status = set_keys(correcting, *row, reterr);
	if (status == AZ_OK)
		status = next_version(custody, made, reterr);
	if (status == AZ_OK)
		status =
		    correction_lists(custody, made->purpose, made->record, lists, &count, reterr);
	if (status != AZ_OK)
		return status;
	buffer_init(&encoded, CORRECTION_BODY_MAX, true);
	status = correction_body_encode(made, &body, &encoded);
	if (status != AZ_OK)
		(void)az_fail(reterr, status, "correct: the values are too long");
	else
		status =
		    correction_seal(custody, made, buffer_peek(&encoded), lists, count, reterr);
	buffer_fini(&encoded);
	return status;
}

/* No list of the purpose may be placed against what is about to change. */
static bool
list_is_on_its_way(const struct correcting *correcting)
{
	const struct bulk *bulk = correcting->request->custody->bulk;

	return bulk != NULL && bulk->consignment.purpose == correcting->person.purpose->id;
}

static enum az_status
commit(struct correcting *correcting, struct az_err *reterr)
{
	struct ledger_entry *entry = &correcting->entry;
	struct custody *custody = correcting->request->custody;
	enum az_status status = payload_put_correction(&correcting->payload, &correcting->made);

	entry->type = ENTRY_CORRECTED;
	entry->version = correcting->made.version;
	entry->shown = correcting->set;
	if (status == AZ_OK)
		status = payload_end(&correcting->payload, correcting->call, entry->call);
	if (status != AZ_OK)
		return az_fail(reterr, status, "correct: the values are too long");
	return ledger_submit(custody->ledger, entry, buffer_peek(&correcting->payload.buffer),
	    corrected_is_durable, correcting, reterr);
}

static void
correcting_is_durable(void *arg, const struct az_ticket *ticket)
{
	struct correcting *correcting = arg;
	struct custody *custody = correcting->request->custody;
	struct row row;
	struct az_err err = {0};
	enum az_status status = row_open(custody, ticket, &correcting->person.named,
	    buffer_peek(&correcting->sealed), NULL, custody->arena, &row, NULL, &err);

	if (status == AZ_OK)
		status = make(correcting, &row, &err);
	arena_reset(custody->arena);
	if (status == AZ_OK && list_is_on_its_way(correcting))
		status = az_fail(&err, AZ_BUSY, "correct: a list of this purpose is on its way in");
	if (status == AZ_OK)
		status = commit(correcting, &err);
	if (status == AZ_FORGED)
		withhold(correcting);
	else if (status != AZ_OK)
		correcting_fail(correcting, status, &err);
}

/* --- the row ---------------------------------------------------------------------------------- */

/* Keeps the one row that was asked for. AZ_FORGED: it is not there. */
static enum az_status
take_row(struct correcting *correcting, const struct frame *frame, struct az_err *reterr)
{
	struct wire_reader reader;
	struct bytes sealed;
	uint64_t consignment;
	uint32_t count, record;

	if (frame->type != VAULT_ROWS)
		return vault_failed(frame, reterr);
	wire_reader_init(&reader, frame->body);
	if (wire_get_u64(&reader) != correcting->entry.request)
		return az_fail(reterr, AZ_FORGED, "vault: an answer to another request");
	count = wire_get_count(&reader, 1, 16);
	correcting->entry.rows = count;
	correcting->request->custody->rows_served += count;
	if (count == 0)
		return az_fail(reterr, AZ_FORGED, "vault: the row is missing");
	consignment = wire_get_u64(&reader);
	record = wire_get_u32(&reader);
	sealed = wire_get_bytes(&reader, VAULT_SEALED_MAX);
	if (!wire_end(&reader) || consignment != correcting->person.named.consignment ||
	    record != correcting->person.record)
		return az_fail(reterr, AZ_FORGED, "vault: a malformed answer");
	if (buffer_append(&correcting->sealed, sealed) != AZ_OK)
		return az_fail(reterr, AZ_NO_MEMORY, "correct: out of memory");
	return AZ_OK;
}

static void
row_arrived(void *arg, const struct frame *frame)
{
	struct correcting *correcting = arg;
	struct custody *custody = correcting->request->custody;
	struct az_err err = {0};
	enum az_status status = take_row(correcting, frame, &err);

	if (status == AZ_OK) {
		correcting->entry.type = ENTRY_CORRECTING;
		status = ledger_submit(custody->ledger, &correcting->entry, bytes_make(NULL, 0),
		    correcting_is_durable, correcting, &err);
	}
	if (status == AZ_FORGED)
		withhold(correcting);
	else if (status != AZ_OK)
		correcting_fail(correcting, status, &err);
}

static void
fetch(struct correcting *correcting)
{
	struct custody *custody = correcting->request->custody;
	uint32_t id = custody->reconciling || destroy_holds_lookups(custody)
	    ? 0
	    : vault_call_new(custody, true, row_arrived, correcting);
	struct wire_writer writer;
	struct az_err err = {0};
	size_t mark = 0;

	correcting->entry.request = ++custody->vault_request;
	if (id != 0 && link_queue_begin(custody->config.vault, VAULT_FETCH, id, &mark) == AZ_OK) {
		wire_writer_init(&writer, &custody->config.vault->out);
		wire_put_u64(&writer, correcting->entry.request);
		wire_put_u32(&writer, 1);
		wire_put_u64(&writer, correcting->person.named.consignment);
		wire_put_u32(&writer, correcting->person.record);
		if (writer.status == AZ_OK && link_queue_end(custody->config.vault, mark) == AZ_OK)
			return;
		link_queue_cancel(custody->config.vault, mark);
	}
	if (id != 0)
		vault_call_forget(custody, id);
	(void)az_fail(&err, AZ_BUSY, "correct: too many requests are waiting");
	correcting_fail(correcting, AZ_BUSY, &err);
}

/* --- the start -------------------------------------------------------------------------------- */

static bool
has_control(struct bytes value)
{
	for (size_t i = 0; i < value.size; i++) {
		if (value.data[i] < 0x20 || value.data[i] == 0x7f)
			return true;
	}
	return false;
}

/* The fields and values asked for, if who asks may correct them. */
static enum az_status
read_values(struct correcting *correcting, const struct front_correct *asked, struct az_err *reterr)
{
	const struct person *person = &correcting->person;
	uint64_t withheld =
	    hold_withheld(hold_of(correcting->request->custody, person->client->id, person->record),
		correcting->entry.staff, clock_now_us());

	for (uint8_t i = 0; i < asked->field_count; i++) {
		const char *name = asked->fields[i].name;
		struct bytes value = asked->fields[i].value;
		unsigned int field = client_field(person->client, name);
		size_t at = correcting->text.size;

		if (field == FIELD_NUMBER || field == FIELD_COUNT ||
		    (person->grant.shown & FIELD_BIT(field)) == 0 ||
		    (withheld & FIELD_BIT(field)) != 0)
			return az_fail(reterr, AZ_DENIED,
			    "correct: the field %s is not for you to correct", name);
		if (has_control(value) || (correcting->set & FIELD_BIT(field)) != 0)
			return az_fail(reterr, AZ_INVALID, "correct: %s: %s", name,
			    has_control(value) ? "a control character" : "it is there twice");
		if ((found_in(value, field) & ~person->purpose->allows) != 0)
			return az_fail(reterr, AZ_INVALID,
			    "correct: %s: a number that the purpose does not allow", name);
		if (buffer_append(&correcting->text, value) != AZ_OK)
			return az_fail(reterr, AZ_NO_MEMORY, "correct: out of memory");
		correcting->set |= FIELD_BIT(field);
		/* The buffer has all its room from the start, so what is in it stays where it is. */
		correcting->values.values[field] =
		    bytes_make(correcting->text.data + at, value.size);
	}
	return AZ_OK;
}

static struct correcting *
correcting_new(
    struct request *request, const struct front_correct *asked, const struct person *person)
{
	struct correcting *correcting = calloc(1, sizeof(*correcting));

	if (correcting == NULL)
		return NULL;
	correcting->request = request;
	correcting->person = *person;
	buffer_init(&correcting->text, FRONT_FIELDS_MAX * FRONT_VALUE_MAX, true);
	buffer_init(&correcting->sealed, VAULT_SEALED_MAX, false);
	payload_init(&correcting->payload);
	memcpy(correcting->call, asked->call, sizeof(correcting->call));
	correcting->entry = person_entry(request, &asked->person, person, ENTRY_CORRECTING);
	correcting->entry.version = person->named.told;
	if (buffer_reserve(&correcting->text, FRONT_FIELDS_MAX * FRONT_VALUE_MAX) == AZ_OK)
		return correcting;
	correcting_free(correcting);
	return NULL;
}

void
verb_correct(struct request *request, const union front_request *body)
{
	const struct front_correct *asked = &body->correct;
	struct correcting *correcting;
	struct person person;
	struct az_err err = {0};
	enum az_status status;

	if (!change_is_permitted(request) || !person_find(request, &asked->person, &person))
		return;
	correcting = correcting_new(request, asked, &person);
	if (correcting == NULL) {
		(void)az_fail(&err, AZ_NO_MEMORY, "correct: out of memory");
		request_fail(request, &err);
		return;
	}
	status = read_values(correcting, asked, &err);
	if (status == AZ_OK && list_is_on_its_way(correcting))
		status = az_fail(&err, AZ_BUSY, "correct: a list of this purpose is on its way in");
	if (status == AZ_OK) {
		request->custody->correcting = person.purpose->id;
		fetch(correcting);
	} else if (status == AZ_DENIED) {
		err.status = status;
		correcting_free(correcting);
		request_refuse(request, &err);
	} else {
		correcting_fail(correcting, status, &err);
	}
}
