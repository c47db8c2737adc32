/*
 * Opening a row. Three things must agree before anybody sees it: the seal, which binds house, client,
 * consignment, record and version; the catalogue's digest of the content; and the match key, computed again
 * from the plaintext. A vault that swaps, replays or ages a row fails at one of them.
 */
#include "custody/open.h"

#include <string.h>

#include "custody/corrections.h"

/* Whether the entry that became durable is one that allows this row to be opened. */
static bool
ticket_allows(const struct az_ticket *ticket, const struct row_named *named)
{
	const struct ledger_entry *entry = ticket_entry(ticket);

	if (entry->log != named->client)
		return false;
	if (entry->type == ENTRY_DISCLOSED || entry->type == ENTRY_CORRECTING ||
	    entry->type == ENTRY_CHECKED)
		return entry->record == named->record && entry->version == named->told;
	return entry->type == ENTRY_AMBIGUOUS;
}

/* Puts into a delivered row what was corrected in it since. */
static enum az_status
patch(struct custody *custody, uint32_t purpose, const struct row_named *named, struct arena *arena,
    struct row *row, uint64_t *ret_corrected, struct az_err *reterr)
{
	const struct correction *correction = correction_of(custody, purpose, named->record);
	struct correction_body body;
	enum az_status status;

	/* The entry names another version than what would be shown now. */
	if (correction_version(custody, purpose, named->record, named->version) != named->told)
		return az_fail(reterr, AZ_BUSY,
		    "record %u: it was corrected this moment; ask again", named->record);
	if (correction == NULL)
		return AZ_OK;
	status = correction_open(custody, correction, arena, &body, reterr);
	if (status == AZ_OK)
		*ret_corrected = correction_patch(&body, row);
	return status;
}

/* Opens the seal and compares the digest; *ret_plain lies in arena, and the row in it. */
static enum az_status
open_sealed(const uint8_t house[HOUSE_ID_SIZE], const struct row_named *named, struct bytes sealed,
    struct seal_key *key, const struct client_keys *keys, struct arena *arena,
    struct bytes *ret_plain, struct row *ret_row, struct az_err *reterr)
{
	uint8_t digest[CATALOGUE_DIGEST_SIZE];
	struct row_place place;
	struct bytes plain;
	uint8_t *data;
	enum az_status status;

	if (sealed.size < SEAL_OVERHEAD)
		return az_fail(
		    reterr, AZ_FORGED, "record %u: the row is not its own", named->record);
	data = arena_alloc(arena, sealed.size - SEAL_OVERHEAD);
	if (data == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "record %u: out of memory", named->record);
	row_place(house, named->client, named->consignment, named->record, named->version, &place);
	status = seal_open(key, bytes_make(place.bytes, sizeof(place.bytes)), sealed, data, NULL);
	if (status != AZ_OK)
		return az_fail(reterr, status, "record %u: the row is not the one that was sealed",
		    named->record);
	plain = bytes_make(data, sealed.size - SEAL_OVERHEAD);
	content_digest(keys, plain, digest);
	if (!bytes_equal(bytes_make(digest, sizeof(digest)),
		bytes_make(named->digest, sizeof(named->digest))) ||
	    row_decode(plain, ret_row) != AZ_OK) {
		az_wipe(data, plain.size);
		return az_fail(reterr, AZ_FORGED,
		    "record %u: the row is not the one that the catalogue knows", named->record);
	}
	*ret_plain = plain;
	return AZ_OK;
}

enum az_status
row_open_traced(const uint8_t house[HOUSE_ID_SIZE], const struct az_ticket *ticket,
    const struct row_named *named, struct bytes sealed, struct seal_key *key,
    const struct client_keys *keys, struct arena *arena, struct row *ret_row, struct az_err *reterr)
{
	const struct ledger_entry *entry = ticket_entry(ticket);
	struct bytes plain;
	struct row row;
	enum az_status status;

	if (entry->type != ENTRY_TRACE_OPENED || entry->log != named->client)
		return az_fail(reterr, AZ_DENIED, "record %u: no entry allows it", named->record);
	status = open_sealed(house, named, sealed, key, keys, arena, &plain, &row, reterr);
	if (status == AZ_OK)
		*ret_row = row;
	return status;
}

/*
 * Whether a row has what was asked by. One of a list without numbers has none: whose number it is, the catalogue says,
 * and no vault can change that.
 */
static bool
has_key(const struct row *row, const struct match_key *key)
{
	return key == NULL || (key->kind == MATCH_NUMBER && row->values[FIELD_NUMBER].size == 0) ||
	    match_agrees(row, key);
}

enum az_status
row_open(struct custody *custody, const struct az_ticket *ticket, const struct row_named *named,
    struct bytes sealed, const struct match_key *key, struct arena *arena, struct row *ret_row,
    uint64_t *ret_corrected, struct az_err *reterr)
{
	struct consignment *consignment = consignment_of(custody, named->consignment);
	const struct client_keys *keys = NULL;
	struct bytes plain;
	struct row row;
	uint64_t corrected = 0;
	bool had_key;
	enum az_status status;

	if (!ticket_allows(ticket, named))
		return az_fail(reterr, AZ_DENIED, "record %u: no entry allows it", named->record);
	if (consignment == NULL)
		return az_fail(
		    reterr, AZ_FORGED, "record %u: the row is not its own", named->record);
	status = keys_of(custody, consignment, reterr);
	if (status == AZ_OK)
		status = keys_of_client(custody, named->client, &keys, reterr);
	if (status == AZ_OK)
		status = open_sealed(custody->config.house, named, sealed, consignment->keys->row,
		    keys, arena, &plain, &row, reterr);
	if (status != AZ_OK)
		return status;
	had_key = has_key(&row, key);
	status = patch(custody, consignment->purpose, named, arena, &row, &corrected, reterr);
	if (status == AZ_OK && !has_key(&row, key))
		status = az_fail(reterr, had_key ? AZ_NOT_FOUND : AZ_FORGED,
		    "record %u: the row does not have that key", named->record);
	if (status != AZ_OK) {
		az_wipe((void *)(uintptr_t)plain.data, plain.size);
		return status;
	}
	*ret_row = row;
	if (ret_corrected != NULL)
		*ret_corrected = corrected;
	return AZ_OK;
}
