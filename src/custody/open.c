/*
 * Opening a row. Three things must agree before anybody sees it: the seal, which binds house, client,
 * consignment, record and version; the catalogue's digest of the content; and the match key, computed again
 * from the plaintext. A vault that swaps, replays or ages a row fails at one of them.
 */
#include "custody/open.h"

#include <string.h>

/* Whether the entry that became durable is one that allows this row to be opened. */
static bool
ticket_allows(const struct az_ticket *ticket, const struct row_named *named)
{
	const struct ledger_entry *entry = ticket_entry(ticket);

	if (entry->log != named->client)
		return false;
	if (entry->type == ENTRY_DISCLOSED)
		return entry->record == named->record && entry->version == named->version;
	return entry->type == ENTRY_AMBIGUOUS;
}

enum az_status
row_open(struct custody *custody, const struct az_ticket *ticket, const struct row_named *named,
    struct bytes sealed, const struct match_key *key, struct arena *arena, struct row *ret_row,
    struct az_err *reterr)
{
	struct consignment *consignment = consignment_of(custody, named->consignment);
	const struct client_keys *keys = NULL;
	uint8_t digest[CATALOGUE_DIGEST_SIZE];
	struct row_place place;
	struct bytes plain;
	struct row row;
	uint8_t *data;
	enum az_status status;

	if (!ticket_allows(ticket, named))
		return az_fail(reterr, AZ_DENIED, "record %u: no entry allows it", named->record);
	if (consignment == NULL || sealed.size < SEAL_OVERHEAD)
		return az_fail(
		    reterr, AZ_FORGED, "record %u: the row is not its own", named->record);
	status = keys_of(custody, consignment, reterr);
	if (status == AZ_OK)
		status = keys_of_client(custody, named->client, &keys, reterr);
	if (status != AZ_OK)
		return status;
	data = arena_alloc(arena, sealed.size - SEAL_OVERHEAD);
	if (data == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "record %u: out of memory", named->record);
	row_place(custody->config.house, named->client, named->consignment, named->record,
	    named->version, &place);
	status = seal_open(consignment->keys->row, bytes_make(place.bytes, sizeof(place.bytes)),
	    sealed, data, NULL);
	if (status != AZ_OK)
		return az_fail(reterr, status, "record %u: the row is not the one that was sealed",
		    named->record);
	plain = bytes_make(data, sealed.size - SEAL_OVERHEAD);
	content_digest(keys, plain, digest);
	if (!bytes_equal(bytes_make(digest, sizeof(digest)),
		bytes_make(named->digest, sizeof(named->digest))) ||
	    row_decode(plain, &row) != AZ_OK || !match_agrees(&row, key)) {
		az_wipe(data, plain.size);
		return az_fail(reterr, AZ_FORGED,
		    "record %u: the row is not the one that the catalogue knows", named->record);
	}
	*ret_row = row;
	return AZ_OK;
}
