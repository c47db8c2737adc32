/*
 * One disclosure.
 *
 *	request ── policy: role, purpose, zone ── refused: entry, denied
 *	   │ match key
 *	   ├─ by number: the catalogue knows the record ─────────────┐
 *	   └─ else: tokens ─► vault ─► blocks, checked by their MAC ─┤
 *	                                                             ▼
 *	                              catalogue: which of them are current
 *	         none                      one                        several
 *	   entry not-found          entry disclosed              entry ambiguous
 *	         │                  flushed: ticket              flushed: ticket
 *	         ▼                         ▼                           ▼
 *	      exit 1              open, compare, mask         open, compare, wipe: which
 *	                          ── differs: entry withheld  kinds would tell them apart
 *
 * Nothing is opened before the ticket. What the vault says is never believed by itself: a block must carry
 * the keeper's MAC and cover the token (or a token was hidden), a row must be the one that the catalogue names
 * (or it is withheld), and one that is missing is tampering, not "not found".
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "custody/campaigns.h"
#include "custody/corrections.h"
#include "custody/holds.h"
#include "custody/open.h"
#include "custody/person.h"

#define MATCHES_MAX VAULT_ROWS_MAX

/* A record that has the key, in its current version. */
struct candidate {
	struct row_named named;
	uint8_t *sealed; /* as the vault gave it; NULL until then */
	size_t sealed_size;
};

struct disclosure {
	struct request *request;
	struct disclosure *next; /* held while the vault's count is compared */
	struct grant grant;
	uint32_t campaign; /* 0: none */
	struct match_key key;
	uint8_t key_digest[CORRECTION_KEY_SIZE]; /* as corrections keep it */
	struct ledger_entry entry;               /* of what comes out */
	char call[CALL_SIZE];
	uint32_t call_id;  /* of the question that is open */
	uint64_t withheld; /* fields that are restricted for this record */
	bool fetched;      /* rows that the first answer did not have were asked for */
	size_t
	    matches; /* current records that have the key; above MATCHES_MAX not all are in the list */
	size_t count;
	struct candidate candidates[MATCHES_MAX];
	/* The consignments asked, the newest first: what is entrusted meanwhile is not looked at. */
	size_t asked_count;
	struct consignment *asked[];
};

static void
disclosure_free(struct disclosure *disclosure)
{
	for (size_t i = 0; i < disclosure->count; i++)
		free(disclosure->candidates[i].sealed);
	az_wipe(disclosure, sizeof(*disclosure));
	free(disclosure);
}

static void
disclosure_fail(struct disclosure *disclosure, enum az_status status, struct az_err *err)
{
	struct request *request = disclosure->request;

	err->status = status;
	disclosure_free(disclosure);
	request_fail(request, err);
}

/* Disclosures with a call's reference and searches without one have budgets of their own. */
static bool
is_of_call(const struct disclosure *disclosure)
{
	return disclosure->call[0] != '\0';
}

/* Submits the entry; done frees the disclosure. */
static void
log_outcome(struct disclosure *disclosure, enum entry_type type, enum az_status outcome,
    void (*done)(void *arg, const struct az_ticket *ticket))
{
	struct custody *custody = disclosure->request->custody;
	struct ledger_entry *entry = &disclosure->entry;
	struct payload payload;
	struct az_err err = {0};
	enum az_status status = AZ_OK;
	struct bytes bytes = {0};

	entry->type = type;
	entry->outcome = (uint8_t)outcome;
	payload_init(&payload);
	if (disclosure->call[0] != '\0') {
		status = payload_end(&payload, disclosure->call, entry->call);
		bytes = buffer_peek(&payload.buffer);
	}
	if (status == AZ_OK)
		status = ledger_submit(custody->ledger, entry, bytes, done, disclosure, &err);
	payload_fini(&payload);
	if (status == AZ_OK)
		budgets_counted(custody, entry, is_of_call(disclosure));
	else
		disclosure_fail(disclosure, status, &err);
}

/* The same, if the budget of who asks has room for it; else refuses. */
static void
log_within_budget(struct disclosure *disclosure, enum entry_type type, enum az_status outcome,
    void (*done)(void *arg, const struct az_ticket *ticket))
{
	struct request *request = disclosure->request;
	struct az_err err = {0};
	enum az_status status;

	disclosure->entry.type = type;
	status = budgets_allow(request->custody, &disclosure->entry, is_of_call(disclosure), &err);
	if (status == AZ_OK) {
		log_outcome(disclosure, type, outcome, done);
		return;
	}
	err.status = status;
	disclosure_free(disclosure);
	request_refuse(request, &err);
}

/* --- the end of each outcome ------------------------------------------------------------------ */

static void
not_found_is_durable(void *arg, const struct az_ticket *ticket)
{
	struct disclosure *disclosure = arg;
	struct request *request = disclosure->request;
	struct az_err err = {0};

	(void)az_fail(&err, AZ_NOT_FOUND, "disclose: nobody is found by that");
	disclosure_free(disclosure);
	request_fail_at(request, &err, ticket);
}

static void
withheld_is_durable(void *arg, const struct az_ticket *ticket)
{
	struct disclosure *disclosure = arg;
	struct request *request = disclosure->request;
	struct az_err err = {0};

	(void)az_fail(&err, AZ_FORGED,
	    "disclose: withheld, because what the vault has is not what was entrusted");
	disclosure_free(disclosure);
	request_fail_at(request, &err, ticket);
}

static void
withhold(struct disclosure *disclosure, uint32_t record, uint32_t version)
{
	disclosure->entry.record = record;
	disclosure->entry.version = version;
	disclosure->entry.shown = 0;
	disclosure->entry.masked = 0;
	log_outcome(disclosure, ENTRY_WITHHELD, AZ_FORGED, withheld_is_durable);
}

static void
reply_disclosed(struct disclosure *disclosure, const struct az_ticket *ticket,
    const struct candidate *candidate, const struct row *row, uint64_t shown, uint64_t masked,
    uint64_t corrected)
{
	struct request *request = disclosure->request;
	struct custody *custody = request->custody;
	const struct client *client = policy_client(custody->policy, candidate->named.client);
	struct wire_writer writer = reply_begin(request, FRONT_DONE);

	answer_object(&writer, NULL);
	answer_uint(&writer, "record", candidate->named.record);
	answer_uint(&writer, "version", candidate->named.told);
	answer_date(&writer, "as_of", candidate->named.as_of);
	answer_object(&writer, "fields");
	for (unsigned int field = 0; field < FIELD_COUNT; field++) {
		const char *name = client_field_name(client, field);

		if ((shown & FIELD_BIT(field)) != 0 && name != NULL)
			answer_value(&writer, name, row->values[field]);
	}
	answer_end(&writer);
	answer_field_names(&writer, "masked", client, masked);
	answer_stops(&writer, hold_of(custody, candidate->named.client, candidate->named.record));
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
	struct custody *custody = disclosure->request->custody;
	const struct candidate *candidate = &disclosure->candidates[0];
	struct az_err err = {0};
	struct row row;
	struct row masked_row;
	uint64_t shown = 0;
	uint64_t masked = 0;
	uint64_t corrected = 0;
	enum az_status status = row_open(custody, ticket, &candidate->named,
	    bytes_make(candidate->sealed, candidate->sealed_size), &disclosure->key, custody->arena,
	    &row, &corrected, &err);

	if (status == AZ_OK) {
		status = policy_mask(
		    &disclosure->grant, &row, custody->arena, &masked_row, &shown, &masked);
		if (status != AZ_OK)
			(void)az_fail(&err, status, "disclose: out of memory");
	}
	if (status == AZ_OK) {
		reply_disclosed(
		    disclosure, ticket, candidate, &masked_row, shown, masked, corrected);
		disclosure_free(disclosure);
	} else if (status == AZ_FORGED) {
		withhold(disclosure, candidate->named.record, candidate->named.told);
	} else if (status == AZ_NOT_FOUND) {
		/* A newer delivery and an older correction: what it says now was not known before it was open. */
		disclosure->entry.record = 0;
		disclosure->entry.version = 0;
		disclosure->entry.shown = 0;
		disclosure->entry.masked = 0;
		log_outcome(disclosure, ENTRY_NOT_FOUND, AZ_NOT_FOUND, not_found_is_durable);
	} else {
		disclosure_fail(disclosure, status, &err);
	}
	arena_reset(custody->arena);
}

/* --- several ---------------------------------------------------------------------------------- */

/* The kinds whose keys are not the same in all rows: asking by one of them as well would tell them apart. */
static unsigned int
telling_kinds(const struct row *rows, size_t count)
{
	struct match_key keys[MATCH_KEYS_MAX];
	bool bad_birth;
	unsigned int kinds = 0;

	for (size_t i = 0; i < count; i++) {
		size_t key_count = match_row(&rows[i], keys, &bad_birth);

		for (size_t k = 0; k < key_count; k++) {
			for (size_t other = 0; other < count; other++) {
				if (!match_agrees(&rows[other], &keys[k]))
					kinds |= 1u << keys[k].kind;
			}
		}
	}
	az_wipe(keys, sizeof(keys));
	return kinds;
}

static void
reply_several(struct disclosure *disclosure, const struct az_ticket *ticket, unsigned int kinds)
{
	struct request *request = disclosure->request;
	struct wire_writer writer = reply_begin(request, FRONT_FAILED);
	char text[AZ_ERR_TEXT_SIZE];
	bool many = disclosure->matches > MATCHES_MAX;

	(void)snprintf(text, sizeof(text),
	    "disclose: %s%zu people match; ask by what tells them apart", many ? "more than " : "",
	    many ? (size_t)MATCHES_MAX : disclosure->matches);
	wire_put_u8(&writer, AZ_SEVERAL);
	wire_put_text(&writer, text);
	answer_object(&writer, NULL);
	answer_uint(&writer, "matches", many ? MATCHES_MAX + 1 : disclosure->matches);
	answer_array(&writer, "kinds");
	for (unsigned int kind = MATCH_NUMBER; kind < MATCH_ASKED; kind++) {
		const char *name = match_kind_name((enum match_kind)kind);

		if ((kinds & (1u << kind)) != 0 && name != NULL)
			answer_text(&writer, NULL, name);
	}
	answer_end(&writer);
	answer_ledger(&writer, request->custody, ticket);
	answer_end(&writer);
	disclosure_free(disclosure);
	reply_end(request, &writer);
}

static void
ambiguous_is_durable(void *arg, const struct az_ticket *ticket)
{
	struct disclosure *disclosure = arg;
	struct custody *custody = disclosure->request->custody;
	struct row rows[MATCHES_MAX];
	struct az_err err = {0};
	enum az_status status = AZ_OK;
	unsigned int kinds = 0;
	size_t opened = 0;
	size_t at = 0;

	if (disclosure->matches <= MATCHES_MAX) {
		for (at = 0; at < disclosure->count; at++) {
			const struct candidate *candidate = &disclosure->candidates[at];

			status = row_open(custody, ticket, &candidate->named,
			    bytes_make(candidate->sealed, candidate->sealed_size), &disclosure->key,
			    custody->arena, &rows[opened], NULL, &err);
			if (status == AZ_OK)
				opened++;
			else if (status == AZ_NOT_FOUND)
				status = AZ_OK; /* corrected: it tells nothing apart */
			else
				break;
		}
		if (status == AZ_OK)
			kinds = telling_kinds(rows, opened);
	}
	arena_reset(custody->arena);
	if (status == AZ_OK) {
		reply_several(disclosure, ticket, kinds);
	} else if (status == AZ_FORGED) {
		withhold(disclosure, disclosure->candidates[at].named.record,
		    disclosure->candidates[at].named.told);
	} else {
		disclosure_fail(disclosure, status, &err);
	}
}

/* --- deciding --------------------------------------------------------------------------------- */

/* All that can be known without opening is known: writes the entry that must come first. */
static void
decide(struct disclosure *disclosure)
{
	struct ledger_entry *entry = &disclosure->entry;

	/* A row that the catalogue knows and the vault did not give. */
	for (size_t i = 0; i < disclosure->count && disclosure->matches <= MATCHES_MAX; i++) {
		if (disclosure->candidates[i].sealed == NULL) {
			withhold(disclosure, disclosure->candidates[i].named.record,
			    disclosure->candidates[i].named.told);
			return;
		}
	}
	if (disclosure->matches == 0) {
		log_within_budget(disclosure, ENTRY_NOT_FOUND, AZ_NOT_FOUND, not_found_is_durable);
	} else if (disclosure->matches > 1) {
		log_within_budget(disclosure, ENTRY_AMBIGUOUS, AZ_SEVERAL, ambiguous_is_durable);
	} else {
		const struct consignment *list = consignment_of(
		    disclosure->request->custody, disclosure->candidates[0].named.consignment);

		entry->record = disclosure->candidates[0].named.record;
		entry->version = disclosure->candidates[0].named.told;
		/* Written before the row is opened: what the purpose shows of the columns its list has. */
		disclosure->withheld = disclosure->grant.shown &
		    hold_withheld(hold_of(disclosure->request->custody, disclosure->grant.client,
				      entry->record),
			entry->staff, clock_now_us());
		disclosure->grant.shown &= ~disclosure->withheld;
		disclosure->grant.masked &= ~disclosure->withheld;
		entry->shown = disclosure->grant.shown & list->fields;
		entry->masked = disclosure->grant.masked & list->fields;
		log_within_budget(disclosure, ENTRY_DISCLOSED, AZ_OK, disclosed_is_durable);
	}
}

/* Which of a record's entries is current among the consignments asked. */
struct current {
	const struct disclosure *disclosure;
	const struct campaign *campaign;
	bool found;
	bool is_in_campaign;
	struct catalogue_entry entry;
};

static bool
is_asked(const struct disclosure *disclosure, uint64_t consignment)
{
	for (size_t i = 0; i < disclosure->asked_count; i++) {
		if (disclosure->asked[i]->id == consignment)
			return true;
	}
	return false;
}

static bool
visit_entry(void *arg, const struct catalogue_entry *entry)
{
	struct current *current = arg;

	current->is_in_campaign |= campaign_has_list(current->campaign, entry->consignment);
	if (is_asked(current->disclosure, entry->consignment) &&
	    (!current->found ||
		consignment_is_newer(entry->as_of, entry->consignment, current->entry.as_of,
		    current->entry.consignment))) {
		current->entry = *entry;
		current->found = true;
	}
	return true;
}

#define BY_CORRECTION UINT64_MAX

/*
 * Whether the current version has the key: it is in the list that the vault found it in, and nothing was corrected;
 * or the corrected version has it. Where a correction stands on an older version than the current one, both
 * are believed until the row is open.
 */
static bool
is_found_by(const struct disclosure *disclosure, uint32_t record,
    const struct catalogue_entry *current, uint64_t matched)
{
	const struct correction *correction =
	    correction_of(disclosure->request->custody, disclosure->grant.purpose, record);
	bool delivered = current->consignment == matched;

	for (size_t i = 0; i < disclosure->count; i++) {
		if (disclosure->candidates[i].named.record == record)
			return false;
	}
	if (correction == NULL)
		return delivered;
	if (correction_has_key(correction, disclosure->key_digest))
		return true;
	return delivered && correction->base_version != current->version;
}

/*
 * Adds a record that has the key, if its current version does: matched is the newest consignment in which it
 * has it, 0 for any, or BY_CORRECTION.
 */
static enum az_status
add_candidate(
    struct disclosure *disclosure, uint32_t record, uint64_t matched, struct az_err *reterr)
{
	struct custody *custody = disclosure->request->custody;
	struct current current = {
	    .disclosure = disclosure, .campaign = campaign_of(custody, disclosure->campaign)};
	enum az_status status =
	    catalogue_entries(custody->reader, record, visit_entry, &current, reterr);
	struct candidate *candidate;

	if (status != AZ_OK && status != AZ_NOT_FOUND)
		return status;
	if (!current.found) {
		/* A token of a live consignment is of a record that the catalogue has there. */
		if (matched == 0 || matched == BY_CORRECTION)
			return AZ_OK;
		return az_fail(
		    reterr, AZ_FORGED, "record %u: the catalogue does not know it", record);
	}
	if (matched != 0 && !is_found_by(disclosure, record, &current.entry, matched))
		return AZ_OK;
	if (!current.is_in_campaign ||
	    !hold_lets_find(
		hold_of(custody, disclosure->grant.client, record), disclosure->key.kind))
		return AZ_OK;
	disclosure->matches++;
	if (disclosure->count == MATCHES_MAX)
		return AZ_OK;
	candidate = &disclosure->candidates[disclosure->count++];
	candidate->named = (struct row_named){.client = disclosure->grant.client,
	    .consignment = current.entry.consignment,
	    .record = record,
	    .version = current.entry.version,
	    .told = correction_version(
		custody, disclosure->grant.purpose, record, current.entry.version),
	    .as_of = current.entry.as_of};
	memcpy(candidate->named.digest, current.entry.digest, CATALOGUE_DIGEST_SIZE);
	return AZ_OK;
}

/* Keeps the vault's rows that belong to candidates. */
static enum az_status
take_rows(struct disclosure *disclosure, struct wire_reader *reader, struct az_err *reterr)
{
	uint32_t count = wire_get_count(reader, VAULT_ROWS_MAX, 16);

	for (uint32_t i = 0; i < count; i++) {
		uint64_t consignment = wire_get_u64(reader);
		uint32_t record = wire_get_u32(reader);
		struct bytes sealed = wire_get_bytes(reader, VAULT_SEALED_MAX);

		for (size_t c = 0; c < disclosure->count && !reader->failed; c++) {
			struct candidate *candidate = &disclosure->candidates[c];

			if (candidate->named.consignment != consignment ||
			    candidate->named.record != record || candidate->sealed != NULL)
				continue;
			candidate->sealed = malloc(sealed.size > 0 ? sealed.size : 1);
			if (candidate->sealed == NULL)
				return az_fail(reterr, AZ_NO_MEMORY, "disclose: out of memory");
			memcpy(candidate->sealed, sealed.data, sealed.size);
			candidate->sealed_size = sealed.size;
		}
	}
	disclosure->entry.rows += count;
	disclosure->request->custody->rows_served += count;
	if (!wire_end(reader))
		return az_fail(reterr, AZ_FORGED, "vault: a malformed answer");
	return AZ_OK;
}

/* --- asking the vault ------------------------------------------------------------------------- */

static void fetch_rest(struct disclosure *disclosure);

/* Starts reading an answer; false after it was dealt with. */
static bool
answer_is(struct disclosure *disclosure, const struct frame *frame, enum vault_message type,
    struct wire_reader *ret_reader)
{
	struct az_err err = {0};
	enum az_status status;

	if (frame->type != type) {
		status = vault_failed(frame, &err);
		disclosure_fail(disclosure, status, &err);
		return false;
	}
	wire_reader_init(ret_reader, frame->body);
	if (wire_get_u64(ret_reader) != disclosure->entry.request || ret_reader->failed) {
		(void)az_fail(&err, AZ_FORGED, "vault: an answer to another request");
		disclosure_fail(disclosure, AZ_FORGED, &err);
		return false;
	}
	return true;
}

static void
rows_arrived(void *arg, const struct frame *frame)
{
	struct disclosure *disclosure = arg;
	struct wire_reader reader;
	struct az_err err = {0};
	enum az_status status;

	if (!answer_is(disclosure, frame, VAULT_ROWS, &reader))
		return;
	status = take_rows(disclosure, &reader, &err);
	if (status == AZ_OK)
		decide(disclosure);
	else
		disclosure_fail(disclosure, status, &err);
}

/*
 * Whether the block is the keeper's own, of this consignment and kind, and covers the token; adds the records
 * that have it. A vault that gives no block, or another, hides something.
 */
static enum az_status
take_block(struct disclosure *disclosure, struct consignment *consignment, struct bytes bytes,
    struct az_err *reterr)
{
	static struct token_block block; /* large, and the loop's alone */
	uint8_t mac[TOKEN_MAC_SIZE];
	uint8_t token[TOKEN_SIZE];
	struct bytes given = {0};
	size_t same = 0;
	enum az_status status = AZ_OK;

	token_make(consignment->keys, disclosure->key.kind,
	    bytes_make(disclosure->key.key, disclosure->key.size), token);
	if (token_block_decode(bytes, &block, &given) != AZ_OK)
		goto forged;
	block_mac(consignment->keys, bytes_make(bytes.data, bytes.size - TOKEN_MAC_SIZE), mac);
	if (!bytes_equal(given, bytes_make(mac, sizeof(mac))) ||
	    block.consignment != consignment->id || block.kind != disclosure->key.kind ||
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
		status =
		    add_candidate(disclosure, block.entries[i].record, consignment->id, reterr);
	}
	/* The block leaves out the rest of a key that very many share. */
	if (same > TOKEN_SHARED_MAX && disclosure->matches <= MATCHES_MAX)
		disclosure->matches = MATCHES_MAX + 1;
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
	struct disclosure *disclosure = arg;
	struct wire_reader reader;
	struct az_err err = {0};
	enum az_status status = AZ_OK;
	uint32_t count;

	if (!answer_is(disclosure, frame, VAULT_FOUND, &reader))
		return;
	count = wire_get_count(&reader, VAULT_LOOKUPS_MAX, 4);
	if (count != disclosure->asked_count)
		status = az_fail(&err, AZ_FORGED, "vault: it left out a consignment");
	for (uint32_t i = 0; i < count && status == AZ_OK; i++) {
		struct bytes block = wire_get_bytes(&reader, TOKEN_BLOCK_SIZE_MAX);

		if (reader.failed)
			status = az_fail(&err, AZ_FORGED, "vault: a malformed answer");
		else
			status = take_block(disclosure, disclosure->asked[i], block, &err);
	}
	if (status == AZ_OK)
		status =
		    corrections_with_key(disclosure->request->custody, disclosure->grant.purpose,
			disclosure->key_digest, add_corrected, disclosure, &err);
	if (status == AZ_OK)
		status = take_rows(disclosure, &reader, &err);
	if (status == AZ_OK)
		fetch_rest(disclosure);
	else if (status == AZ_FORGED)
		withhold(disclosure, 0, 0);
	else
		disclosure_fail(disclosure, status, &err);
}

/* Queues a question whose body starts with the request's number; the caller adds the rest. */
static bool
ask_begin(struct disclosure *disclosure, enum vault_message type,
    void (*done)(void *arg, const struct frame *frame), size_t *ret_mark,
    struct wire_writer *ret_writer)
{
	struct custody *custody = disclosure->request->custody;
	uint32_t id = vault_call_new(custody, true, done, disclosure);
	struct az_err err = {0};

	if (id != 0 &&
	    link_queue_begin(custody->config.vault, (uint16_t)type, id, ret_mark) == AZ_OK) {
		disclosure->call_id = id;
		wire_writer_init(ret_writer, &custody->config.vault->out);
		wire_put_u64(ret_writer, disclosure->entry.request);
		return true;
	}
	if (id != 0)
		vault_call_forget(custody, id);
	(void)az_fail(&err, AZ_BUSY, "disclose: too many requests are waiting");
	disclosure_fail(disclosure, AZ_BUSY, &err);
	return false;
}

static void
ask_end(struct disclosure *disclosure, size_t mark, const struct wire_writer *writer)
{
	struct custody *custody = disclosure->request->custody;
	enum az_status status = writer->status;
	struct az_err err = {0};

	if (status != AZ_OK)
		link_queue_cancel(custody->config.vault, mark);
	else
		status = link_queue_end(custody->config.vault, mark);
	if (status == AZ_OK)
		return;
	vault_call_forget(custody, disclosure->call_id);
	(void)az_fail(&err, AZ_BUSY, "disclose: too many requests are waiting");
	disclosure_fail(disclosure, AZ_BUSY, &err);
}

/* Asks for the rows of candidates that are not there yet, once; then decides. */
static void
fetch_rest(struct disclosure *disclosure)
{
	struct wire_writer writer;
	uint32_t missing = 0;
	size_t mark = 0;

	for (size_t i = 0; i < disclosure->count; i++)
		missing += disclosure->candidates[i].sealed == NULL ? 1 : 0;
	if (missing == 0 || disclosure->fetched || disclosure->matches > MATCHES_MAX) {
		decide(disclosure);
		return;
	}
	disclosure->fetched = true;
	if (!ask_begin(disclosure, VAULT_FETCH, rows_arrived, &mark, &writer))
		return;
	wire_put_u32(&writer, missing);
	for (size_t i = 0; i < disclosure->count; i++) {
		const struct candidate *candidate = &disclosure->candidates[i];

		if (candidate->sealed != NULL)
			continue;
		wire_put_u64(&writer, candidate->named.consignment);
		wire_put_u32(&writer, candidate->named.record);
	}
	ask_end(disclosure, mark, &writer);
}

/* By number: the catalogue knows the record, and no token is needed. */
static void
look_up_number(struct disclosure *disclosure)
{
	struct custody *custody = disclosure->request->custody;
	const struct client_keys *keys = NULL;
	uint8_t digest[CATALOGUE_DIGEST_SIZE];
	uint32_t record = 0;
	struct az_err err = {0};
	enum az_status status = keys_of_client(custody, disclosure->grant.client, &keys, &err);

	if (status == AZ_OK) {
		number_digest(keys, bytes_make(disclosure->key.key, disclosure->key.size), digest);
		status = catalogue_record(custody->reader, digest, &record, &err);
	}
	if (status == AZ_OK)
		status = add_candidate(disclosure, record, 0, &err);
	if (status == AZ_OK || status == AZ_NOT_FOUND)
		fetch_rest(disclosure);
	else
		disclosure_fail(disclosure, status, &err);
}

static void
look_up_tokens(struct disclosure *disclosure)
{
	struct custody *custody = disclosure->request->custody;
	struct bytes key = bytes_make(disclosure->key.key, disclosure->key.size);
	struct wire_writer writer;
	struct az_err err = {0};
	size_t mark = 0;

	if (disclosure->asked_count == 0) {
		decide(disclosure);
		return;
	}
	for (size_t i = 0; i < disclosure->asked_count; i++) {
		enum az_status status = keys_of(custody, disclosure->asked[i], &err);

		if (status != AZ_OK) {
			disclosure_fail(disclosure, status, &err);
			return;
		}
	}
	if (!ask_begin(disclosure, VAULT_LOOKUP, found_arrived, &mark, &writer))
		return;
	wire_put_u8(&writer, (uint8_t)disclosure->key.kind);
	wire_put_u32(&writer, (uint32_t)disclosure->asked_count);
	for (size_t i = 0; i < disclosure->asked_count; i++) {
		uint8_t token[TOKEN_SIZE];

		token_make(disclosure->asked[i]->keys, disclosure->key.kind, key, token);
		wire_put_u64(&writer, disclosure->asked[i]->id);
		wire_put_raw(&writer, token, sizeof(token));
	}
	ask_end(disclosure, mark, &writer);
}

/* --- the start -------------------------------------------------------------------------------- */

static void
look_up(struct disclosure *disclosure)
{
	struct custody *custody = disclosure->request->custody;
	struct az_err err = {0};
	enum az_status status;

	if (custody->reconciling) {
		struct disclosure **end = &custody->held;

		while (*end != NULL)
			end = &(*end)->next;
		*end = disclosure;
		return;
	}
	if (!custody->reader_is_fresh) {
		status = catalogue_reader_renew(custody->reader, &err);
		if (status != AZ_OK) {
			disclosure_fail(disclosure, status, &err);
			return;
		}
		custody->reader_is_fresh = true;
	}
	disclosure->entry.request = ++custody->vault_request;
	if (disclosure->key.kind == MATCH_NUMBER)
		look_up_number(disclosure);
	else
		look_up_tokens(disclosure);
}

void
disclosures_resume(struct custody *custody)
{
	struct disclosure *list = custody->held;

	custody->held = NULL;
	while (list != NULL) {
		struct disclosure *disclosure = list;

		list = disclosure->next;
		disclosure->next = NULL;
		look_up(disclosure);
	}
}

/* Whether this human may see people of this client for this purpose; refuses if not. */
static bool
is_granted(struct request *request, const struct front_disclose *asked,
    const struct purpose **ret_purpose, struct grant *ret_grant,
    const struct campaign **ret_campaign)
{
	struct custody *custody = request->custody;
	const struct staff *staff = people_staff(custody->people, request->staff);
	enum role role = staff != NULL ? staff->role : ROLE_NONE;
	const struct client *client = policy_client_labelled(custody->policy, asked->client);
	const struct purpose *purpose = NULL;
	int32_t today = (int32_t)(clock_now_us() / AZ_US_PER_DAY);
	struct az_err err = {0};
	enum az_status status = AZ_DENIED;

	if (policy_permit(role, VERB_DISCLOSE, custody_stage(custody), &err) == PERMIT_YES)
		status = AZ_OK;

	if (status == AZ_OK && client != NULL)
		purpose = policy_purpose_labelled(custody->policy, client->id, asked->purpose);
	if (status == AZ_OK && purpose == NULL)
		status = az_fail(&err, AZ_DENIED, "disclose: there is no purpose %s/%s",
		    asked->client, asked->purpose);
	if (status == AZ_OK &&
	    (reason_name((enum reason)asked->reason) == NULL ||
		basis_name((enum basis)asked->basis) == NULL))
		status = az_fail(&err, AZ_DENIED, "disclose: a reason and a basis are needed");
	if (status == AZ_OK)
		status = policy_grant(client, purpose, role, ZONE_LOOPBACK, today, ret_grant, &err);
	if (status == AZ_OK)
		status = campaign_admits(
		    custody, purpose, asked->campaign, request->staff, ret_campaign, &err);
	if (client != NULL)
		request->log = client->id;
	if (status == AZ_OK) {
		*ret_purpose = purpose;
		return true;
	}
	err.status = status;
	request_refuse(request, &err);
	return false;
}

/* The disclosure of a granted request; NULL after a reply. */
static struct disclosure *
disclosure_new(struct request *request, const struct front_disclose *asked,
    const struct purpose *purpose, const struct grant *grant)
{
	const struct live_list *live = live_of(request->custody, purpose->id);
	struct disclosure *disclosure = NULL;
	struct az_err err = {0};

	if (live->count > VAULT_LOOKUPS_MAX) {
		(void)az_fail(&err, AZ_LIMIT, "disclose: the purpose has more than %u lists",
		    VAULT_LOOKUPS_MAX);
		request_fail(request, &err);
		return NULL;
	}
	disclosure = calloc(1, sizeof(*disclosure) + live->count * sizeof(struct consignment *));
	if (disclosure == NULL) {
		(void)az_fail(&err, AZ_NO_MEMORY, "disclose: out of memory");
		request_fail(request, &err);
		return NULL;
	}
	disclosure->request = request;
	disclosure->grant = *grant;
	disclosure->asked_count = live->count;
	if (live->count > 0)
		memcpy(disclosure->asked, live->items, live->count * sizeof(struct consignment *));
	memcpy(disclosure->call, asked->call, sizeof(disclosure->call));
	disclosure->entry = request_entry(request, ENTRY_NONE);
	disclosure->entry.log = grant->client;
	disclosure->entry.purpose = purpose->id;
	disclosure->entry.reason = asked->reason;
	disclosure->entry.basis = asked->basis;
	return disclosure;
}

void
verb_disclose(struct request *request, const union front_request *body)
{
	const struct front_disclose *asked = &body->disclose;
	const struct purpose *purpose = NULL;
	const struct campaign *campaign = NULL;
	struct disclosure *disclosure;
	struct grant grant;
	struct row what = {0};
	struct az_err err = {0};
	enum az_status status;

	if (!is_granted(request, asked, &purpose, &grant, &campaign))
		return;
	disclosure = disclosure_new(request, asked, purpose, &grant);
	if (disclosure == NULL)
		return;
	disclosure->campaign = campaign != NULL ? campaign->id : 0;
	disclosure->entry.campaign = disclosure->campaign;
	for (uint8_t i = 0; i < asked->by_count; i++)
		what.values[asked->by[i].field] = asked->by[i].value;
	status = match_query(&what, &disclosure->key, &err);
	if (status == AZ_OK)
		status = correction_key(
		    request->custody, grant.client, &disclosure->key, disclosure->key_digest, &err);
	if (status != AZ_OK) {
		disclosure_fail(disclosure, status, &err);
		return;
	}
	disclosure->entry.kinds = (uint16_t)(1u << disclosure->key.kind);
	look_up(disclosure);
}
