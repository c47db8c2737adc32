/*
 * The house's own state on disk, house.db (SQLite): what the ledger's payloads add up to, so that a start
 * need not replay everything, and the erasable table of free texts. docs/format/house-db.md.
 *
 * Each thing (a client, a purpose, a human …) is one sealed blob under its kind and number. The whole is
 * bound together by a sum over all of them, sealed with the position in the write-ahead log that it
 * stands for: a blob that was changed, removed, added or put back to an older one is found at start.
 *
 * Not      a whole folder put back to an older one is not seen here: its position is older, and the
 *          ledger tells. Nor is a text that was removed, since texts may be.
 * Threads  calls may come from any thread; they wait for each other.
 */
#ifndef AZ_STATE_H
#define AZ_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/file.h"
#include "base/secret.h"
#include "base/status.h"

#define STATE_THING_MAX 65536u
#define STATE_TEXT_MAX  4096u
#define STATE_SALT_SIZE 16

/* Kinds of things are the caller's, from 1 to this. */
#define STATE_KIND_MAX 254u

struct state;

/* Loads what SQLite loads at first use; call it before the process shuts itself in. */
void state_prepare(void);

/*
 * Opens dirfd/house.db, or makes it if create is set (AZ_CONFLICT if it is there; a create that failed leaves
 * none). The folder is reached through the descriptor alone, which must stay open until state_close.
 * AZ_FORGED: it is of another house or key, or what is in it does not add up. AZ_CORRUPT: it is no such
 * database. AZ_BUSY: another has it open. AZ_NOT_FOUND, AZ_LIMIT (the disk is full), AZ_NO_MEMORY, AZ_IO.
 */
AZ_CHECKED enum az_status state_open(int dirfd, const uint8_t house[HOUSE_ID_SIZE],
    const struct secret *root, bool create, struct state **ret_state, struct az_err *reterr);

/* Drops what was not synced. */
void state_close(struct state **state);

/* The position in the write-ahead log up to which everything is in here. */
uint64_t state_applied(const struct state *state);

/*
 * Calls visit for each thing, by kind and number; the first failure of visit ends it. The thing is wiped
 * after visit returns; visit must not call into this state. AZ_FORGED, AZ_CORRUPT, AZ_NO_MEMORY, AZ_IO.
 */
AZ_CHECKED enum az_status state_each(struct state *state,
    enum az_status (*visit)(
	void *arg, uint8_t kind, uint64_t id, struct bytes thing, struct az_err *reterr),
    void *arg, struct az_err *reterr);

/*
 * Writing. A put is durable after the next state_sync. Arguments out of bounds are AZ_LIMIT, and nothing
 * changes: kind not 1 to STATE_KIND_MAX, id or index above INT64_MAX, too many bytes. Any other failure
 * takes back all since the last sync, and every later put or sync gives the same status: half of what a
 * position stands for must not be synced under it. Close, open again and replay. AZ_LIMIT (the disk is
 * full), AZ_NO_MEMORY, AZ_CORRUPT, AZ_IO.
 */

/* Puts or replaces a thing. */
AZ_CHECKED enum az_status state_put(
    struct state *state, uint8_t kind, uint64_t id, struct bytes thing, struct az_err *reterr);

/* Keeps the text of entry index of log, sealed, with the salt of the entry's commitment. */
AZ_CHECKED enum az_status state_put_text(struct state *state, uint32_t log, uint64_t index,
    const uint8_t salt[STATE_SALT_SIZE], struct bytes text, struct az_err *reterr);

/* Makes everything put so far durable, as the state at applied. Nothing of it is there otherwise. */
AZ_CHECKED enum az_status state_sync(struct state *state, uint64_t applied, struct az_err *reterr);

/*
 * Replaces what buffer holds by the text; on failure it is empty. AZ_NOT_FOUND: none, or erased. AZ_FORGED.
 * AZ_LIMIT: above the buffer's max. AZ_CORRUPT, AZ_NO_MEMORY, AZ_IO.
 */
AZ_CHECKED enum az_status state_get_text(struct state *state, uint32_t log, uint64_t index,
    struct buffer *buffer, struct az_err *reterr);

#endif
