/*
 * The only way from a sealed row to plaintext (I1): the ticket is an argument, and only the ledger can make
 * one, of an entry whose flush has ended.
 */
#ifndef AZ_CUSTODY_OPEN_H
#define AZ_CUSTODY_OPEN_H

#include "custody/custody_internal.h"

/* What the entry has named: a row in the vault, and what the catalogue knows of it. */
struct row_named {
	uint32_t client;
	uint64_t consignment;
	uint32_t record;
	uint32_t version; /* that it was sealed as */
	uint32_t told;    /* that the entry names: another, if the row is corrected */
	int32_t as_of;
	uint8_t digest[CATALOGUE_DIGEST_SIZE];
};

/*
 * Opens a row into arena, with what was corrected in it; the bits of that go into *ret_corrected, which may be
 * NULL. The ticket's entry must be of the row's client and either disclose exactly this
 * record and version, or say that several match. AZ_FORGED: the bytes are not that row, its content is not
 * what the catalogue knows, or it does not have the key that was asked by. AZ_DENIED: the ticket is for
 * something else. AZ_NOT_FOUND: it had the key, and does not any more, since that was corrected. key: NULL if the
 * row was not asked by one. On failure nothing of the row is left.
 */
AZ_CHECKED enum az_status row_open(struct custody *custody, const struct az_ticket *ticket,
    const struct row_named *named, struct bytes sealed, const struct match_key *key,
    struct arena *arena, struct row *ret_row, uint64_t *ret_corrected, struct az_err *reterr);

/*
 * The same for a trace, on any thread: opens a row as it was delivered, with a key of that thread's. The ticket's entry
 * must say that rows of this client are opened for a trace. Nothing that was corrected is put into it.
 */
AZ_CHECKED enum az_status row_open_traced(const uint8_t house[HOUSE_ID_SIZE],
    const struct az_ticket *ticket, const struct row_named *named, struct bytes sealed,
    struct seal_key *key, const struct client_keys *keys, struct arena *arena, struct row *ret_row,
    struct az_err *reterr);

#endif
