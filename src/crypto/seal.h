/*
 * Sealing: authenticated encryption with XAES-256-GCM (C2SP xaes-256-gcm), 24 random bytes of nonce
 * before the ciphertext and 16 bytes of tag behind it, so that a restored backup can never repeat one. At most SEAL_TOGETHER
 * messages that follow each other have the first 12 bytes of it in common, and with them the message key: docs/format/sealing.md has
 * what that is worth.
 *
 * Threads  a seal_key belongs to one thread at a time; seal_key_copy makes another.
 */
#ifndef AZ_CRYPTO_SEAL_H
#define AZ_CRYPTO_SEAL_H

#include "base/bytes.h"
#include "base/secret.h"
#include "base/status.h"

#define SEAL_KEY_SIZE   32
#define SEAL_NONCE_SIZE 24
#define SEAL_TAG_SIZE   16
#define SEAL_OVERHEAD   (SEAL_NONCE_SIZE + SEAL_TAG_SIZE)
#define SEAL_TOGETHER   76 /* as many as make a secret of a kilobyte */

struct seal_key;

/* key: exactly SEAL_KEY_SIZE bytes. The expanded key lies in wiped memory. */
AZ_CHECKED enum az_status seal_key_new(
    struct bytes key, struct seal_key **ret_key, struct az_err *reterr);
AZ_CHECKED enum az_status seal_key_copy(
    const struct seal_key *key, struct seal_key **ret_key, struct az_err *reterr);
void seal_key_free(struct seal_key **key);

/* Writes plain.size + SEAL_OVERHEAD bytes to sealed, which must not overlap plain. */
AZ_CHECKED enum az_status seal(struct seal_key *key, struct bytes associated, struct bytes plain,
    uint8_t *sealed, struct az_err *reterr);

/*
 * Writes sealed.size - SEAL_OVERHEAD bytes to plain. AZ_FORGED if the bytes were not sealed under
 * this key with this associated data; plain is then zeroed.
 */
AZ_CHECKED enum az_status seal_open(struct seal_key *key, struct bytes associated,
    struct bytes sealed, uint8_t *plain, struct az_err *reterr);

/* For the published vectors only: as seal, with a given nonce. */
AZ_CHECKED enum az_status seal_with_nonce(struct seal_key *key,
    const uint8_t nonce[SEAL_NONCE_SIZE], struct bytes associated, struct bytes plain,
    uint8_t *sealed, struct az_err *reterr);

#endif
