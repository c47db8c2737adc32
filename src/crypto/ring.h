/*
 * The keys that are kept rather than derived: the root key's slot, and the key ring with the key of
 * each client and, wrapped under it, of each consignment. docs/format/keys.md.
 *
 * Promises  the ring on disk is always one whole version; a key it has acknowledged is in it; an
 *           older ring put in place of a newer one is found by its number (ring_number), and does not open at all
 *           once the host secret was made anew (ring_prepare).
 * Not       it does not know which consignments are active: the ledger says so.
 * Threads   one.
 */
#ifndef AZ_CRYPTO_RING_H
#define AZ_CRYPTO_RING_H

#include "base/file.h"
#include "base/secret.h"
#include "base/status.h"

/* --- slots: how the root key is kept ------------------------------------------------------- */

enum slot_kind {
	SLOT_NONE = 0,
	SLOT_PLAIN = 1,      /* the bare key in a file, in an unsealed house only */
	SLOT_PASSPHRASE = 2, /* named by the format; this release neither makes nor opens it */
	SLOT_TPM = 3,        /* likewise */
	SLOT_PKCS11 = 4,     /* likewise */
};

/* Encodes a plain slot; AZ_DENIED unless house is unsealed. The buffer should be sensitive. */
AZ_CHECKED enum az_status slot_encode_plain(const uint8_t house[HOUSE_ID_SIZE],
    const struct secret *root, struct buffer *buffer, struct az_err *reterr);

/*
 * The root key of a slot file. AZ_DENIED for a kind this release cannot open; AZ_FORGED if it is of
 * another house; AZ_CORRUPT if it is damaged.
 */
AZ_CHECKED enum az_status slot_open(struct bytes file, const uint8_t house[HOUSE_ID_SIZE],
    struct secret **ret_root, struct az_err *reterr);

/* --- the ring -------------------------------------------------------------------------------- */

struct ring;

#define RING_CLIENTS_MAX      4096
#define RING_CONSIGNMENTS_MAX 100000

/*
 * Opens dirfd/ring, finishing or dropping a resealing that a crash cut off, or makes an empty one if create is set and none exists. Wrapped under a key
 * derived from root and host (the host secret), 32 bytes each. dirfd stays the caller's and must
 * outlive the ring, which copies root. AZ_NOT_FOUND; AZ_FORGED if it does not open or is of another house; AZ_CORRUPT if
 * it is no ring of this format; AZ_IO.
 */
AZ_CHECKED enum az_status ring_open(int dirfd, const uint8_t house[HOUSE_ID_SIZE],
    const struct secret *root, const struct secret *host, bool create, struct ring **ret_ring,
    struct az_err *reterr);
void ring_free(struct ring **ring);

/* Counts the rewrites. The ledger's entries carry it, so that an older ring is found. */
uint64_t ring_number(const struct ring *ring);

/* A new random key for a client. Durable on return. AZ_CONFLICT if it has one, AZ_LIMIT, AZ_IO. */
AZ_CHECKED enum az_status ring_add_client(
    struct ring *ring, uint32_t client, struct az_err *reterr);

/*
 * A new consignment of client, under a number never used before, with a random key. Durable on
 * return. AZ_NOT_FOUND (no such client), AZ_LIMIT, AZ_IO.
 */
AZ_CHECKED enum az_status ring_add_consignment(
    struct ring *ring, uint32_t client, uint64_t *ret_consignment, struct az_err *reterr);

/* Forgets a key for ever. Durable on return. AZ_NOT_FOUND, AZ_IO. */
AZ_CHECKED enum az_status ring_drop_consignment(
    struct ring *ring, uint64_t consignment, struct az_err *reterr);

/*
 * Sealing it anew, so that no older ring opens with what is on the host afterwards:
 *
 *	ring_prepare ─► dirfd/ring.next, under the new host secret ─► the caller keeps that secret in place of the old one
 *	             ─► ring_adopt: ring.next becomes ring
 *
 * Keeping the secret is the commit. A crash before it leaves the ring as it was, one behind it is finished by ring_open:
 * of ring and ring.next only one opens. In between nothing can be added or dropped (AZ_BUSY).
 *
 * prepare: without the key of that consignment, if it has one (0: with all). AZ_BUSY: it is prepared already. AZ_IO, AZ_NO_MEMORY;
 * nothing has changed then. adopt: after a failure the ring can only be freed. abandon: the caller knows that the new secret
 * was not kept.
 */
AZ_CHECKED enum az_status ring_prepare(
    struct ring *ring, const struct secret *host, uint64_t dropped, struct az_err *reterr);
AZ_CHECKED enum az_status ring_adopt(struct ring *ring, struct az_err *reterr);
void ring_abandon(struct ring *ring);

/*
 * The key, until it is dropped or the ring freed, whatever else changes. NULL if there is none, if it is
 * another client's, or if it cannot be unwrapped for want of memory: in each case nothing may be opened.
 */
const struct secret *ring_consignment(
    const struct ring *ring, uint32_t client, uint64_t consignment);
bool ring_has_client(const struct ring *ring, uint32_t client);

/* Calls visit for each consignment, in order of number. */
void ring_each(const struct ring *ring,
    void (*visit)(void *arg, uint32_t client, uint64_t consignment), void *arg);

#endif
