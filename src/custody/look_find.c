/*
 * Finding who has a match key: in the vault by tokens, in the catalogue by number, and among what was corrected.
 *
 * What the vault says is never believed by itself: a block must carry the keeper's MAC and cover the token (or a
 * token was hidden), a row must be the one that the catalogue names (or it is withheld), and one that is
 * missing is tampering, not "not found".
 */
#include <stdlib.h>
#include <string.h>

#include "custody/campaigns.h"
#include "custody/corrections.h"
#include "custody/destroy.h"
#include "custody/holds.h"
#include "custody/look.h"

/* Which of a record's entries is current among the consignments asked. */
struct current {
	const struct campaign *campaign;
	bool is_in_campaign;
	struct standing standing;
};

static bool
visit_entry(void *arg, const struct catalogue_entry *entry)
{
	struct current *current = arg;

	current->is_in_campaign |= campaign_has_list(current->campaign, entry->consignment);
	standing_take(&current->standing, entry);
	return true;
}

#define BY_CORRECTION UINT64_MAX

/*
 * Whether the current version has the key: it is in the list that the vault found it in, and nothing was corrected;
 * or the corrected version has it. Where a correction stands on an older version than the current one, both
 * are believed until the row is open.
 */
static bool
is_found_by(const struct look *look, uint32_t record, const struct catalogue_entry *current,
    uint64_t matched)
{
	const struct correction *correction =
	    correction_of(look->request->custody, look->grant.purpose, record);
	bool delivered = current->consignment == matched;

	for (size_t i = 0; i < look->count; i++) {
		if (look->candidates[i].named.record == record)
			return false;
	}
	if (correction == NULL)
		return delivered;
	if (correction_has_key(correction, look->key_digest))
		return true;
	return delivered && correction->base_version != current->version;
}

/* Once a turn: a withdrawal that became active meanwhile is seen as well. */
static enum az_status
renew(struct custody *custody, struct az_err *reterr)
{
	enum az_status status = AZ_OK;

	if (!custody->reader_is_fresh)
		status = catalogue_reader_renew(custody->reader, reterr);
	custody->reader_is_fresh = status == AZ_OK;
	return status;
}

/*
 * Adds a record that has the key, if its current version does: matched is the newest consignment in which it
 * has it, 0 for any, or BY_CORRECTION.
 */
static enum az_status
add_candidate(struct look *look, uint32_t record, uint64_t matched, struct az_err *reterr)
{
	struct custody *custody = look->request->custody;
	struct current current = {.campaign = campaign_of(custody, look->campaign),
	    .standing = {.custody = custody,
		.purpose = look->grant.purpose,
		.lists = look->asked,
		.list_count = look->asked_count}};
	const struct catalogue_entry *entry = &current.standing.entry;
	struct candidate *candidate;
	enum az_status status = renew(custody, reterr);

	if (status == AZ_OK)
		status = catalogue_entries(custody->reader, record, visit_entry, &current, reterr);

	if (status != AZ_OK && status != AZ_NOT_FOUND)
		return status;
	if (!current.standing.found) {
		/* A token of a live consignment is of a record that the catalogue has there. */
		if (matched == 0 || matched == BY_CORRECTION)
			return AZ_OK;
		return az_fail(
		    reterr, AZ_FORGED, "record %u: the catalogue does not know it", record);
	}
	if (matched != 0 && !is_found_by(look, record, entry, matched))
		return AZ_OK;
	if (!standing_is_callable(&current.standing) || !current.is_in_campaign ||
	    !hold_lets_find(hold_of(custody, look->grant.client, record), look->key.kind))
		return AZ_OK;
	look->matches++;
	if (look->count == MATCHES_MAX)
		return AZ_OK;
	candidate = &look->candidates[look->count++];
	candidate->named = (struct row_named){.client = look->grant.client,
	    .consignment = entry->consignment,
	    .record = record,
	    .version = entry->version,
	    .told = correction_version(custody, look->grant.purpose, record, entry->version),
	    .as_of = entry->as_of};
	memcpy(candidate->named.digest, entry->digest, CATALOGUE_DIGEST_SIZE);
	return AZ_OK;
}

/* Keeps the vault's rows that belong to candidates. */
static enum az_status
take_rows(struct look *look, struct wire_reader *reader, struct az_err *reterr)
{
	uint32_t count = wire_get_count(reader, VAULT_ROWS_MAX, 16);

	for (uint32_t i = 0; i < count; i++) {
		uint64_t consignment = wire_get_u64(reader);
		uint32_t record = wire_get_u32(reader);
		struct bytes sealed = wire_get_bytes(reader, VAULT_SEALED_MAX);

		for (size_t c = 0; c < look->count && !reader->failed; c++) {
			struct candidate *candidate = &look->candidates[c];

			if (candidate->named.consignment != consignment ||
			    candidate->named.record != record || candidate->sealed != NULL)
				continue;
			candidate->sealed = malloc(sealed.size > 0 ? sealed.size : 1);
			if (candidate->sealed == NULL)
				return az_fail(
				    reterr, AZ_NO_MEMORY, "%s: out of memory", look_verb(look));
			memcpy(candidate->sealed, sealed.data, sealed.size);
			candidate->sealed_size = sealed.size;
		}
	}
	look->entry.rows += count;
	look->request->custody->rows_served += count;
	if (!wire_end(reader))
		return az_fail(reterr, AZ_FORGED, "vault: a malformed answer");
	return AZ_OK;
}

/* --- asking the vault ------------------------------------------------------------------------- */

static void fetch_rest(struct look *look);

/* Ends what cannot go on; if the vault lied, with an entry that says so. */
static void
stop_looking(struct look *look, enum az_status status, struct az_err *err)
{
	if (status == AZ_FORGED)
		look_withhold(look, 0, 0);
	else
		look_fail(look, status, err);
}

/* Starts reading an answer; false after it was dealt with. */
static bool
answer_is(struct look *look, const struct frame *frame, enum vault_message type,
    struct wire_reader *ret_reader)
{
	struct az_err err = {0};
	enum az_status status;

	if (frame->type != type) {
		status = vault_failed(frame, &err);
		stop_looking(look, status, &err);
		return false;
	}
	wire_reader_init(ret_reader, frame->body);
	if (wire_get_u64(ret_reader) != look->entry.request || ret_reader->failed) {
		(void)az_fail(&err, AZ_FORGED, "vault: an answer to another request");
		stop_looking(look, AZ_FORGED, &err);
		return false;
	}
	return true;
}

static void
rows_arrived(void *arg, const struct frame *frame)
{
	struct look *look = arg;
	struct wire_reader reader;
	struct az_err err = {0};
	enum az_status status;

	if (!answer_is(look, frame, VAULT_ROWS, &reader))
		return;
	status = take_rows(look, &reader, &err);
	if (status == AZ_OK)
		look_decide(look);
	else
		stop_looking(look, status, &err);
}

/*
 * Whether the block is the keeper's own, of this consignment and kind, and covers the token; adds the records
 * that have it. A vault that gives no block, or another, hides something.
 */
static enum az_status
take_block(
    struct look *look, struct consignment *consignment, struct bytes bytes, struct az_err *reterr)
{
	static struct token_block block; /* large, and the loop's alone */
	uint8_t mac[TOKEN_MAC_SIZE];
	uint8_t token[TOKEN_SIZE];
	struct bytes given = {0};
	size_t same = 0;
	enum az_status status = AZ_OK;

	token_make(
	    consignment->keys, look->key.kind, bytes_make(look->key.key, look->key.size), token);
	if (token_block_decode(bytes, &block, &given) != AZ_OK)
		goto forged;
	block_mac(consignment->keys, bytes_make(bytes.data, bytes.size - TOKEN_MAC_SIZE), mac);
	if (!bytes_equal(given, bytes_make(mac, sizeof(mac))) ||
	    block.consignment != consignment->id || block.kind != look->key.kind ||
	    bytes_compare(bytes_make(block.lower, TOKEN_SIZE), bytes_make(token, TOKEN_SIZE)) > 0 ||
	    (!block.last &&
		bytes_compare(bytes_make(block.upper, TOKEN_SIZE), bytes_make(token, TOKEN_SIZE)) <=
		    0))
		goto forged;
	for (uint16_t i = 0; i < block.count && status == AZ_OK; i++) {
		if (!bytes_equal(bytes_make(block.entries[i].token, TOKEN_SIZE),
			bytes_make(token, TOKEN_SIZE)))
			continue;
		same++;
		status = add_candidate(look, block.entries[i].record, consignment->id, reterr);
	}
	/* The block leaves out the rest of a key that very many share. */
	if (same > TOKEN_SHARED_MAX && look->matches <= MATCHES_MAX)
		look->matches = MATCHES_MAX + 1;
	return status;
forged:
	return az_fail(reterr, AZ_FORGED, "vault: consignment %llu: it hides or changed tokens",
	    (unsigned long long)consignment->id);
}

static enum az_status
add_corrected(void *arg, uint32_t record, struct az_err *reterr)
{
	return add_candidate(arg, record, BY_CORRECTION, reterr);
}

static void
found_arrived(void *arg, const struct frame *frame)
{
	struct look *look = arg;
	struct wire_reader reader;
	struct az_err err = {0};
	enum az_status status = AZ_OK;
	uint32_t count;

	if (!answer_is(look, frame, VAULT_FOUND, &reader))
		return;
	count = wire_get_count(&reader, VAULT_LOOKUPS_MAX, 4);
	if (count != look->asked_count)
		status = az_fail(&err, AZ_FORGED, "vault: it left out a consignment");
	for (uint32_t i = 0; i < count && status == AZ_OK; i++) {
		struct bytes block = wire_get_bytes(&reader, TOKEN_BLOCK_SIZE_MAX);

		if (reader.failed)
			status = az_fail(&err, AZ_FORGED, "vault: a malformed answer");
		else
			status = take_block(look, look->asked[i], block, &err);
	}
	if (status == AZ_OK)
		status = corrections_with_key(look->request->custody, look->grant.purpose,
		    look->key_digest, add_corrected, look, &err);
	if (status == AZ_OK)
		status = take_rows(look, &reader, &err);
	if (status == AZ_OK)
		fetch_rest(look);
	else
		stop_looking(look, status, &err);
}

/* Queues a question whose body starts with the request's number; the caller adds the rest. */
static bool
ask_begin(struct look *look, enum vault_message type,
    void (*done)(void *arg, const struct frame *frame), size_t *ret_mark,
    struct wire_writer *ret_writer)
{
	struct custody *custody = look->request->custody;
	uint32_t id = vault_call_new(custody, true, done, look);
	struct az_err err = {0};

	if (id != 0 &&
	    link_queue_begin(custody->config.vault, (uint16_t)type, id, ret_mark) == AZ_OK) {
		look->call_id = id;
		wire_writer_init(ret_writer, &custody->config.vault->out);
		wire_put_u64(ret_writer, look->entry.request);
		return true;
	}
	if (id != 0)
		vault_call_forget(custody, id);
	(void)az_fail(&err, AZ_BUSY, "%s: too many requests are waiting", look_verb(look));
	look_fail(look, AZ_BUSY, &err);
	return false;
}

static void
ask_end(struct look *look, size_t mark, const struct wire_writer *writer)
{
	struct custody *custody = look->request->custody;
	enum az_status status = writer->status;
	struct az_err err = {0};

	if (status != AZ_OK)
		link_queue_cancel(custody->config.vault, mark);
	else
		status = link_queue_end(custody->config.vault, mark);
	if (status == AZ_OK)
		return;
	vault_call_forget(custody, look->call_id);
	(void)az_fail(&err, AZ_BUSY, "%s: too many requests are waiting", look_verb(look));
	look_fail(look, AZ_BUSY, &err);
}

/* Asks for the rows of candidates that are not there yet, once; then decides. */
static void
fetch_rest(struct look *look)
{
	struct wire_writer writer;
	uint32_t missing = 0;
	size_t mark = 0;

	for (size_t i = 0; i < look->count; i++)
		missing += look->candidates[i].sealed == NULL ? 1 : 0;
	if (missing == 0 || look->fetched || look->matches > MATCHES_MAX) {
		look_decide(look);
		return;
	}
	look->fetched = true;
	if (!ask_begin(look, VAULT_FETCH, rows_arrived, &mark, &writer))
		return;
	wire_put_u32(&writer, missing);
	for (size_t i = 0; i < look->count; i++) {
		const struct candidate *candidate = &look->candidates[i];

		if (candidate->sealed != NULL)
			continue;
		wire_put_u64(&writer, candidate->named.consignment);
		wire_put_u32(&writer, candidate->named.record);
	}
	ask_end(look, mark, &writer);
}

/* By number: the catalogue knows the record, and no token is needed. */
static void
look_up_number(struct look *look)
{
	struct custody *custody = look->request->custody;
	const struct client_keys *keys = NULL;
	uint8_t digest[CATALOGUE_DIGEST_SIZE];
	uint32_t record = 0;
	struct az_err err = {0};
	enum az_status status = keys_of_client(custody, look->grant.client, &keys, &err);

	if (status == AZ_OK) {
		number_digest(keys, bytes_make(look->key.key, look->key.size), digest);
		status = catalogue_record(custody->reader, digest, &record, &err);
	}
	if (status == AZ_OK)
		status = add_candidate(look, record, 0, &err);
	if (status == AZ_OK || status == AZ_NOT_FOUND)
		fetch_rest(look);
	else
		look_fail(look, status, &err);
}

/* By record: one that was handed over. */
static void
find_record(struct look *look)
{
	struct az_err err = {0};
	enum az_status status = add_candidate(look, look->record, 0, &err);

	if (status == AZ_OK)
		fetch_rest(look);
	else
		look_fail(look, status, &err);
}

static void
look_up_tokens(struct look *look)
{
	struct custody *custody = look->request->custody;
	struct bytes key = bytes_make(look->key.key, look->key.size);
	struct wire_writer writer;
	struct az_err err = {0};
	size_t mark = 0;

	if (look->asked_count == 0) {
		look_decide(look);
		return;
	}
	for (size_t i = 0; i < look->asked_count; i++) {
		enum az_status status = keys_of(custody, look->asked[i], &err);

		if (status != AZ_OK) {
			look_fail(look, status, &err);
			return;
		}
	}
	if (!ask_begin(look, VAULT_LOOKUP, found_arrived, &mark, &writer))
		return;
	wire_put_u8(&writer, (uint8_t)look->key.kind);
	wire_put_u32(&writer, (uint32_t)look->asked_count);
	for (size_t i = 0; i < look->asked_count; i++) {
		uint8_t token[TOKEN_SIZE];

		token_make(look->asked[i]->keys, look->key.kind, key, token);
		wire_put_u64(&writer, look->asked[i]->id);
		wire_put_raw(&writer, token, sizeof(token));
	}
	ask_end(look, mark, &writer);
}

/* It may have waited while one of its lists was destroyed. */
static void
forget_destroyed(struct look *look)
{
	size_t kept = 0;

	for (size_t i = 0; i < look->asked_count; i++) {
		if (look->asked[i]->active)
			look->asked[kept++] = look->asked[i];
	}
	look->asked_count = kept;
}

void
look_find(struct look *look)
{
	struct custody *custody = look->request->custody;
	struct az_err err = {0};
	enum az_status status;

	if (custody->reconciling || destroy_holds_lookups(custody)) {
		struct look **end = &custody->held;

		while (*end != NULL)
			end = &(*end)->next;
		*end = look;
		return;
	}
	status = renew(custody, &err);
	if (status != AZ_OK) {
		look_fail(look, status, &err);
		return;
	}
	forget_destroyed(look);
	look->entry.request = ++custody->vault_request;
	if (look->record != 0)
		find_record(look);
	else if (look->key.kind == MATCH_NUMBER)
		look_up_number(look);
	else
		look_up_tokens(look);
}

void
looks_resume(struct custody *custody)
{
	struct look *list = custody->held;

	custody->held = NULL;
	while (list != NULL) {
		struct look *look = list;

		list = look->next;
		look->next = NULL;
		look_find(look);
	}
}
