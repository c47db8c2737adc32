/*
 * Keeping, opening and carrying corrections (docs/format/things.md).
 *
 *	thing   sealed as house.db seals all: where, which version, on which
 *	  copy  sealed under a list's `row` key with the place of a row, layout 2: what the fields were and are
 *
 * In memory are the sealed copies and digests of the match keys of each corrected version, so that a person is found
 * by what was corrected; the values themselves are opened with a ticket, like a row.
 */
#include <stdlib.h>
#include <string.h>

#include "custody/corrections.h"

#define CORRECTION_FORMAT 1u
#define CORRECTION_LAYOUT 2u
#define CARRY_BYTES       20000u /* of one entry's payload, before it is submitted */

static uint64_t
correction_id(uint32_t purpose, uint32_t record)
{
	return (uint64_t)purpose << 32 | record;
}

void
correction_fini(struct correction *correction)
{
	for (uint8_t i = 0; i < correction->copy_count; i++)
		free(correction->copies[i].sealed);
	correction->copy_count = 0;
}

static void
correction_free(struct correction *correction)
{
	if (correction == NULL)
		return;
	correction_fini(correction);
	free(correction);
}

void
corrections_free(struct custody *custody)
{
	for (size_t i = 0; i < custody->corrections.room; i++)
		correction_free(custody->corrections.slots[i].value);
	id_map_fini(&custody->corrections);
	for (size_t i = 0; i < custody->correction_keys.room; i++) {
		struct id_chain *link = custody->correction_keys.slots[i].value;

		while (link != NULL) {
			struct id_chain *next = link->next;

			free(link);
			link = next;
		}
	}
	id_map_fini(&custody->correction_keys);
}

const struct correction *
correction_of(const struct custody *custody, uint32_t purpose, uint32_t record)
{
	const struct correction *correction =
	    id_map_get(&custody->corrections, correction_id(purpose, record));

	return correction != NULL && correction->is_open ? correction : NULL;
}

uint32_t
correction_version(
    const struct custody *custody, uint32_t purpose, uint32_t record, uint32_t version)
{
	const struct correction *correction = correction_of(custody, purpose, record);

	return correction != NULL && correction->base_version == version ? correction->version
									 : version;
}

/* --- keys ------------------------------------------------------------------------------------- */

enum az_status
correction_key(struct custody *custody, uint32_t client, const struct match_key *key,
    uint8_t ret_digest[CORRECTION_KEY_SIZE], struct az_err *reterr)
{
	const struct client_keys *keys = NULL;
	enum az_status status = keys_of_client(custody, client, &keys, reterr);
	uint8_t kind = (uint8_t)key->kind;
	uint8_t digest[SHA256_SIZE];
	struct bytes parts[2];

	if (status != AZ_OK)
		return status;
	parts[0] = bytes_make(&kind, 1);
	parts[1] = bytes_make(key->key, key->size);
	mac_compute(keys->corrected, parts, AZ_ARRAY_SIZE(parts), digest);
	memcpy(ret_digest, digest, CORRECTION_KEY_SIZE);
	return AZ_OK;
}

bool
correction_has_key(const struct correction *correction, const uint8_t digest[CORRECTION_KEY_SIZE])
{
	bool has = false;

	for (uint8_t i = 0; i < correction->key_count; i++)
		has |= bytes_equal(bytes_make(correction->keys[i], CORRECTION_KEY_SIZE),
		    bytes_make(digest, CORRECTION_KEY_SIZE));
	return has;
}

enum az_status
corrections_with_key(const struct custody *custody, uint32_t purpose,
    const uint8_t digest[CORRECTION_KEY_SIZE],
    enum az_status (*visit)(void *arg, uint32_t record, struct az_err *reterr), void *arg,
    struct az_err *reterr)
{
	struct id_chain *link = id_map_get(&custody->correction_keys, wire_load_u64(digest));
	enum az_status status = AZ_OK;

	for (; link != NULL && status == AZ_OK; link = link->next) {
		const struct correction *correction = id_map_get(&custody->corrections, link->id);

		/* A link outlives the correction that made it, which another has replaced. */
		if (correction != NULL && correction->is_open && correction->purpose == purpose &&
		    correction_has_key(correction, digest))
			status = visit(arg, correction->record, reterr);
	}
	return status;
}

/* Notes under each key of a correction which it is. */
static enum az_status
index_keys(struct custody *custody, const struct correction *correction, struct az_err *reterr)
{
	uint64_t id = correction_id(correction->purpose, correction->record);

	for (uint8_t i = 0; i < correction->key_count; i++) {
		uint64_t key = wire_load_u64(correction->keys[i]);
		struct id_chain *first = id_map_get(&custody->correction_keys, key);
		struct id_chain *link = first;
		void *before = NULL;

		while (link != NULL && link->id != id)
			link = link->next;
		if (link != NULL)
			continue;
		link = malloc(sizeof(*link));
		if (link == NULL)
			return az_fail(reterr, AZ_NO_MEMORY, "correction: out of memory");
		*link = (struct id_chain){.id = id, .next = first};
		if (id_map_put(&custody->correction_keys, key, link, &before) != AZ_OK) {
			free(link);
			return az_fail(reterr, AZ_NO_MEMORY, "correction: out of memory");
		}
	}
	return AZ_OK;
}

/* --- bodies ----------------------------------------------------------------------------------- */

enum az_status
correction_body_encode(
    const struct correction *correction, const struct correction_body *body, struct buffer *buffer)
{
	struct wire_writer writer;

	wire_writer_init(&writer, buffer);
	wire_put_u8(&writer, correction->key_count);
	for (uint8_t i = 0; i < correction->key_count; i++)
		wire_put_raw(&writer, correction->keys[i], CORRECTION_KEY_SIZE);
	wire_put_u8(&writer, (uint8_t)body->count);
	for (size_t i = 0; i < body->count; i++) {
		const struct correction_field *field = &body->fields[i];

		wire_put_u8(&writer, field->field);
		wire_put_bytes(&writer, field->value);
		wire_put_u8(&writer, field->old_count);
		for (uint8_t old = 0; old < field->old_count; old++)
			wire_put_bytes(&writer, field->old[old]);
	}
	return writer.status;
}

/* Either of the two results may be NULL. */
static bool
body_decode(struct bytes bytes, struct correction *ret_keys, struct correction_body *ret_body)
{
	struct correction_body body = {0};
	struct wire_reader reader;
	uint8_t keys[MATCH_KEYS_MAX][CORRECTION_KEY_SIZE];
	uint8_t key_count;
	int last = -1;

	wire_reader_init(&reader, bytes);
	key_count = wire_get_u8(&reader);
	if (key_count > MATCH_KEYS_MAX)
		return false;
	for (uint8_t i = 0; i < key_count; i++)
		wire_get_raw(&reader, keys[i], CORRECTION_KEY_SIZE);
	body.count = wire_get_u8(&reader);
	if (body.count == 0 || body.count > FIELD_COUNT)
		return false;
	for (size_t i = 0; i < body.count && !reader.failed; i++) {
		struct correction_field *field = &body.fields[i];

		field->field = wire_get_u8(&reader);
		field->value = wire_get_bytes(&reader, FIELD_VALUE_MAX);
		field->old_count = wire_get_u8(&reader);
		if (field->field >= FIELD_COUNT || field->field <= last ||
		    field->old_count > CORRECTION_OLD_MAX)
			return false;
		last = field->field;
		for (uint8_t old = 0; old < field->old_count; old++)
			field->old[old] = wire_get_bytes(&reader, FIELD_VALUE_MAX);
	}
	if (!wire_end(&reader))
		return false;
	if (ret_keys != NULL) {
		ret_keys->key_count = key_count;
		memcpy(ret_keys->keys, keys, sizeof(keys));
	}
	if (ret_body != NULL)
		*ret_body = body;
	return true;
}

static void
copy_place(const struct custody *custody, const struct correction *correction, uint64_t consignment,
    struct row_place *ret_place)
{
	row_place(custody->config.house, correction->client, consignment, correction->record,
	    correction->version, ret_place);
	wire_store_u16(ret_place->bytes + ROW_PLACE_SIZE - 2, CORRECTION_LAYOUT);
}

/* Opens any copy whose list is there. AZ_NOT_FOUND: none is. */
static enum az_status
open_copy(struct custody *custody, const struct correction *correction, struct arena *arena,
    struct bytes *ret_plain, struct az_err *reterr)
{
	for (uint8_t i = 0; i < correction->copy_count; i++) {
		const struct correction_copy *copy = &correction->copies[i];
		struct consignment *list = consignment_of(custody, copy->consignment);
		struct row_place place;
		uint8_t *data;
		enum az_status status;

		if (list == NULL || list->client != correction->client ||
		    keys_of(custody, list, NULL) != AZ_OK)
			continue;
		data = arena_alloc(arena, copy->size - SEAL_OVERHEAD);
		if (data == NULL)
			return az_fail(reterr, AZ_NO_MEMORY, "correction: out of memory");
		copy_place(custody, correction, copy->consignment, &place);
		status = seal_open(list->keys->row, bytes_make(place.bytes, sizeof(place.bytes)),
		    bytes_make(copy->sealed, copy->size), data, NULL);
		if (status != AZ_OK)
			return az_fail(reterr, status,
			    "record %u: its correction is not the one that was sealed",
			    correction->record);
		*ret_plain = bytes_make(data, copy->size - SEAL_OVERHEAD);
		return AZ_OK;
	}
	return AZ_NOT_FOUND;
}

enum az_status
correction_open(struct custody *custody, const struct correction *correction, struct arena *arena,
    struct correction_body *ret_body, struct az_err *reterr)
{
	struct bytes plain;
	enum az_status status = open_copy(custody, correction, arena, &plain, reterr);

	if (status == AZ_NOT_FOUND || (status == AZ_OK && !body_decode(plain, NULL, ret_body)))
		return az_fail(reterr, AZ_FORGED, "record %u: its correction does not open",
		    correction->record);
	return status;
}

/* The key of a value by itself; false if it gives none. */
static bool
key_of(unsigned int field, struct bytes value, struct match_key *ret_key)
{
	struct row what = {0};

	if (field != FIELD_PHONE && field != FIELD_MOBILE && field != FIELD_EMAIL)
		return false;
	what.values[field] = value;
	return value.size > 0 && match_query(&what, ret_key, NULL) == AZ_OK;
}

bool
correction_same(unsigned int field, struct bytes one, struct bytes other)
{
	struct match_key a;
	struct match_key b;

	if (bytes_equal(one, other))
		return true;
	return key_of(field, one, &a) && key_of(field, other, &b) && a.kind == b.kind &&
	    bytes_equal(bytes_make(a.key, a.size), bytes_make(b.key, b.size));
}

uint64_t
correction_patch(const struct correction_body *body, struct row *row)
{
	uint64_t patched = 0;

	for (size_t i = 0; i < body->count; i++) {
		const struct correction_field *field = &body->fields[i];

		for (uint8_t old = 0; old < field->old_count; old++) {
			if (!correction_same(
				field->field, row->values[field->field], field->old[old]))
				continue;
			row->values[field->field] = field->value;
			patched |= FIELD_BIT(field->field);
			break;
		}
	}
	return patched;
}

enum az_status
correction_seal(struct custody *custody, struct correction *correction, struct bytes body,
    const uint64_t *lists, size_t count, struct az_err *reterr)
{
	enum az_status status = AZ_OK;

	correction->copy_count = 0;
	if (body.size > CORRECTION_BODY_MAX)
		return az_fail(reterr, AZ_LIMIT, "correct: the values are too long");
	for (size_t i = 0; i < count && i < CORRECTION_COPIES_MAX && status == AZ_OK; i++) {
		struct correction_copy copy = {
		    .consignment = lists[i], .size = body.size + SEAL_OVERHEAD};
		struct consignment *list = consignment_of(custody, lists[i]);
		struct row_place place;

		status = list == NULL ? AZ_INTERNAL : keys_of(custody, list, reterr);
		copy.sealed = status == AZ_OK ? malloc(copy.size) : NULL;
		if (copy.sealed == NULL)
			return az_fail(reterr, AZ_NO_MEMORY, "correct: out of memory");
		copy_place(custody, correction, copy.consignment, &place);
		status = seal(list->keys->row, bytes_make(place.bytes, sizeof(place.bytes)), body,
		    copy.sealed, reterr);
		correction->copies[correction->copy_count++] = copy;
	}
	return status;
}

/* --- things ----------------------------------------------------------------------------------- */

enum az_status
payload_put_correction(struct payload *payload, const struct correction *correction)
{
	struct buffer thing;
	struct wire_writer writer;

	buffer_init(&thing, STATE_THING_MAX, true);
	wire_writer_init(&writer, &thing);
	wire_put_u8(&writer, CORRECTION_FORMAT);
	wire_put_u32(&writer, correction->client);
	wire_put_u32(&writer, correction->purpose);
	wire_put_u32(&writer, correction->record);
	wire_put_u32(&writer, correction->version);
	wire_put_u32(&writer, correction->base_version);
	wire_put_i64(&writer, correction->time_us);
	wire_put_u64(&writer, correction->fields);
	wire_put_u8(&writer, correction->copy_count);
	for (uint8_t i = 0; i < correction->copy_count; i++) {
		wire_put_u64(&writer, correction->copies[i].consignment);
		wire_put_bytes(
		    &writer, bytes_make(correction->copies[i].sealed, correction->copies[i].size));
	}
	return payload_put_thing(payload, THING_CORRECTION,
	    correction_id(correction->purpose, correction->record), writer.status, &thing);
}

/* AZ_CORRUPT, AZ_NO_MEMORY; then nothing is left in ret_correction. */
static enum az_status
decode(struct bytes thing, struct correction *ret_correction)
{
	struct correction correction = {0};
	struct wire_reader reader;
	uint8_t format, count;
	enum az_status status = AZ_OK;

	wire_reader_init(&reader, thing);
	format = wire_get_u8(&reader);
	correction.client = wire_get_u32(&reader);
	correction.purpose = wire_get_u32(&reader);
	correction.record = wire_get_u32(&reader);
	correction.version = wire_get_u32(&reader);
	correction.base_version = wire_get_u32(&reader);
	correction.time_us = wire_get_i64(&reader);
	correction.fields = wire_get_u64(&reader);
	count = wire_get_u8(&reader);
	for (uint8_t i = 0; i < count && i < CORRECTION_COPIES_MAX && status == AZ_OK; i++) {
		struct correction_copy copy = {.consignment = wire_get_u64(&reader)};
		struct bytes sealed = wire_get_bytes(&reader, CORRECTION_BODY_MAX + SEAL_OVERHEAD);

		if (reader.failed || sealed.size < SEAL_OVERHEAD)
			break;
		copy.size = sealed.size;
		copy.sealed = malloc(sealed.size);
		if (copy.sealed == NULL) {
			status = AZ_NO_MEMORY;
			break;
		}
		memcpy(copy.sealed, sealed.data, sealed.size);
		correction.copies[correction.copy_count++] = copy;
	}
	if (status == AZ_OK &&
	    (format != CORRECTION_FORMAT || !wire_end(&reader) || correction.copy_count != count ||
		count == 0 || correction.client == 0 || correction.purpose == 0 ||
		correction.record == 0))
		status = AZ_CORRUPT;
	if (status == AZ_OK)
		*ret_correction = correction;
	else
		correction_fini(&correction);
	return status;
}

/* Opens what is needed in memory: the keys of its version. One that cannot be opened any more stays closed. */
static enum az_status
open_keys(struct custody *custody, struct correction *correction, struct az_err *reterr)
{
	struct bytes plain;
	enum az_status status = open_copy(custody, correction, custody->arena, &plain, reterr);

	if (status == AZ_OK && !body_decode(plain, correction, NULL))
		status = az_fail(reterr, AZ_FORGED, "record %u: its correction does not open",
		    correction->record);
	arena_reset(custody->arena);
	if (status == AZ_NOT_FOUND)
		return AZ_OK;
	if (status != AZ_OK)
		return status;
	correction->is_open = true;
	return index_keys(custody, correction, reterr);
}

enum az_status
correction_apply(struct custody *custody, struct bytes thing, struct az_err *reterr)
{
	struct correction *correction = calloc(1, sizeof(*correction));
	void *before = NULL;
	enum az_status status = correction == NULL ? AZ_NO_MEMORY : decode(thing, correction);

	if (status == AZ_OK)
		status = id_map_put(&custody->corrections,
		    correction_id(correction->purpose, correction->record), correction, &before);
	if (status != AZ_OK) {
		correction_free(correction);
		return az_fail(reterr, status, "correction: it cannot be read");
	}
	correction_free(before);
	return custody->corrections_are_open ? open_keys(custody, correction, reterr) : AZ_OK;
}

enum az_status
corrections_open(struct custody *custody, struct az_err *reterr)
{
	enum az_status status = AZ_OK;

	custody->corrections_are_open = true;
	for (size_t i = 0; i < custody->corrections.room && status == AZ_OK; i++) {
		struct correction *correction = custody->corrections.slots[i].value;

		if (correction != NULL)
			status = open_keys(custody, correction, reterr);
	}
	corrections_carry_soon(custody);
	return status;
}

/* --- for a list that is being placed ---------------------------------------------------------- */

static int
compare_seen(const void *a, const void *b)
{
	const struct correction_seen *one = a;
	const struct correction_seen *other = b;

	return one->record < other->record ? -1 : one->record > other->record;
}

enum az_status
corrections_seen(const struct custody *custody, uint32_t purpose, struct correction_seen **ret_seen,
    size_t *ret_count)
{
	struct correction_seen *seen = calloc(custody->corrections.count + 1, sizeof(*seen));
	size_t count = 0;

	if (seen == NULL)
		return AZ_NO_MEMORY;
	for (size_t i = 0; i < custody->corrections.room; i++) {
		const struct correction *correction = custody->corrections.slots[i].value;

		if (correction != NULL && correction->purpose == purpose)
			seen[count++] = (struct correction_seen){
			    .record = correction->record, .version = correction->version};
	}
	qsort(seen, count, sizeof(*seen), compare_seen);
	*ret_seen = seen;
	*ret_count = count;
	return AZ_OK;
}

uint32_t
correction_seen_version(const struct correction_seen *seen, size_t count, uint32_t record)
{
	struct correction_seen wanted = {.record = record};
	const struct correction_seen *found =
	    count == 0 ? NULL : bsearch(&wanted, seen, count, sizeof(*seen), compare_seen);

	return found != NULL ? found->version : 0;
}

/* --- when a list is destroyed ----------------------------------------------------------------- */

static bool
can_be_opened(const struct custody *custody, const struct correction *correction)
{
	for (uint8_t i = 0; i < correction->copy_count; i++) {
		const struct consignment *list =
		    consignment_of(custody, correction->copies[i].consignment);

		if (list != NULL && list->active)
			return true;
	}
	return false;
}

void
corrections_forget(struct custody *custody, uint32_t purpose)
{
	for (size_t i = 0; i < custody->corrections.room; i++) {
		struct correction *correction = custody->corrections.slots[i].value;

		if (correction == NULL || correction->purpose != purpose ||
		    can_be_opened(custody, correction))
			continue;
		correction->is_open = false;
		correction->key_count = 0;
		az_wipe(correction->keys, sizeof(correction->keys));
	}
}

/* --- carrying --------------------------------------------------------------------------------- */

void
corrections_carry_soon(struct custody *custody)
{
	custody->carry_due = custody->corrections.count > 0;
	custody->carry_at = 0;
}

/* The live lists of the purpose that have the record, newest first. */
struct having {
	const struct live_list *live;
	bool *has; /* by place in live */
};

static bool
visit_having(void *arg, const struct catalogue_entry *entry)
{
	struct having *having = arg;

	for (size_t i = 0; i < having->live->count; i++) {
		if (having->live->items[i]->id == entry->consignment)
			having->has[i] = true;
	}
	return true;
}

enum az_status
correction_lists(struct custody *custody, uint32_t purpose, uint32_t record,
    uint64_t ret_lists[CORRECTION_COPIES_MAX], size_t *ret_count, struct az_err *reterr)
{
	struct having having = {.live = live_of(custody, purpose)};
	size_t count = 0;
	enum az_status status;

	having.has = calloc(having.live->count + 1, sizeof(*having.has));
	if (having.has == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "correction: out of memory");
	status = catalogue_entries(custody->reader, record, visit_having, &having, reterr);
	for (size_t i = 0; i < having.live->count && count < CORRECTION_COPIES_MAX; i++) {
		if (having.has[i])
			ret_lists[count++] = having.live->items[i]->id;
	}
	free(having.has);
	*ret_count = count;
	return status == AZ_NOT_FOUND ? AZ_OK : status;
}

/* Whether it lies under exactly these lists. */
static bool
lies_under(const struct correction *correction, const uint64_t *lists, size_t count)
{
	if (correction->copy_count != count)
		return false;
	for (size_t i = 0; i < count; i++) {
		if (correction->copies[i].consignment != lists[i])
			return false;
	}
	return true;
}

/* Puts a correction into the payload anew, if newer lists have its person. */
static enum az_status
carry_one(struct custody *custody, const struct correction *correction, struct payload *payload,
    struct az_err *reterr)
{
	struct correction carried = *correction;
	uint64_t lists[CORRECTION_COPIES_MAX];
	size_t count = 0;
	struct bytes plain;
	enum az_status status = correction_lists(
	    custody, correction->purpose, correction->record, lists, &count, reterr);

	if (status != AZ_OK || count == 0 || lies_under(correction, lists, count))
		return status;
	carried.copy_count = 0;
	status = open_copy(custody, correction, custody->arena, &plain, reterr);
	if (status == AZ_OK)
		status = correction_seal(custody, &carried, plain, lists, count, reterr);
	if (status == AZ_OK)
		status = payload_put_correction(payload, &carried);
	correction_fini(&carried);
	arena_reset(custody->arena);
	return status == AZ_NOT_FOUND ? AZ_OK : status;
}

struct carry {
	struct custody *custody;
	struct payload payload;
};

static void
carry_is_durable(void *arg, const struct az_ticket *ticket)
{
	struct carry *carry = arg;
	struct custody *custody = carry->custody;
	struct payload_text text;
	struct az_err err = {0};

	(void)ticket;
	if (payload_read(buffer_peek(&carry->payload.buffer), thing_apply, custody, &text, &err) !=
	    AZ_OK)
		custody_fatal(custody, &err);
	payload_fini(&carry->payload);
	free(carry);
	custody->carry_is_busy = false;
	custody->change_is_due = custody->changes != NULL;
	custody_may_stop(custody);
}

static enum az_status
carry_submit(struct carry *carry, struct az_err *reterr)
{
	struct custody *custody = carry->custody;
	struct ledger_entry entry = {.type = ENTRY_CARRIED,
	    .log = LEDGER_HOUSE_LOG,
	    .policy_version = POLICY_VERSION,
	    .grade = GRADE_OWN,
	    .outcome = AZ_OK,
	    .detail = carry->payload.count};
	enum az_status status = payload_end(&carry->payload, NULL, entry.text);

	if (status == AZ_OK)
		status = ledger_submit(custody->ledger, &entry, buffer_peek(&carry->payload.buffer),
		    carry_is_durable, carry, reterr);
	return status;
}

void
corrections_round(struct custody *custody)
{
	struct carry *carry;
	enum az_status status = AZ_OK;

	/* A change at work may be of the same record; a list on its way in changes who is where. */
	if (!custody->carry_due || custody->carry_is_busy || custody->changes != NULL ||
	    custody->bulk != NULL || custody->destroying != NULL || custody->phase != PHASE_SERVING)
		return;
	carry = calloc(1, sizeof(*carry));
	if (carry == NULL)
		return;
	carry->custody = custody;
	payload_init(&carry->payload);
	status = catalogue_reader_renew(custody->reader, NULL);
	while (status == AZ_OK && custody->carry_at < custody->corrections.room &&
	    carry->payload.buffer.size < CARRY_BYTES) {
		const struct correction *correction =
		    custody->corrections.slots[custody->carry_at++].value;

		if (correction != NULL && correction->is_open)
			status = carry_one(custody, correction, &carry->payload, NULL);
	}
	custody->carry_due = status == AZ_OK && custody->carry_at < custody->corrections.room;
	if (carry->payload.count > 0 && carry_submit(carry, NULL) == AZ_OK) {
		custody->carry_is_busy = true;
		return;
	}
	payload_fini(&carry->payload);
	free(carry);
}
