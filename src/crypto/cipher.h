/*
 * AES-256 out of OpenSSL, for the other files of this folder only.
 *
 * A context holds a key's schedule and serves one message after the other; making one is many times
 * dearer than using one. It lies in OpenSSL's heap, which wipes it when it is freed.
 *
 * Threads  a context belongs to one thread at a time.
 */
#ifndef AZ_CRYPTO_CIPHER_H
#define AZ_CRYPTO_CIPHER_H

#include <openssl/types.h>

#include "base/bytes.h"
#include "base/status.h"

#define CIPHER_KEY_SIZE   32
#define CIPHER_BLOCK_SIZE 16
#define GCM_NONCE_SIZE    12
#define GCM_TAG_SIZE      16

/* One way, without padding. NULL if there is no memory. Freed with EVP_CIPHER_CTX_free. */
EVP_CIPHER_CTX *cipher_new_ecb(const uint8_t key[CIPHER_KEY_SIZE], bool encrypt);

/* Any number of whole blocks, in place or not; in and out must not overlap in part. */
bool cipher_blocks(EVP_CIPHER_CTX *context, struct bytes in, uint8_t *out) AZ_CHECKED;

/* For both ways. key may be NULL: then gcm_rekey comes before the first message. NULL if there is no memory. */
EVP_CIPHER_CTX *cipher_new_gcm(const uint8_t *key);
/* Another key for the messages that follow. */
bool gcm_rekey(EVP_CIPHER_CTX *context, const uint8_t key[CIPHER_KEY_SIZE]) AZ_CHECKED;

/*
 * AES-256-GCM of one message under the context's key. gcm_seal writes
 * plain.size + GCM_TAG_SIZE bytes; gcm_open takes as many, and writes plain only for a true tag: else
 * it is zeroed, and the status AZ_FORGED. AZ_LIMIT past 2^31 - 1 bytes; AZ_INTERNAL.
 */
AZ_CHECKED enum az_status gcm_seal(EVP_CIPHER_CTX *context, const uint8_t nonce[GCM_NONCE_SIZE],
    struct bytes associated, struct bytes plain, uint8_t *sealed);
AZ_CHECKED enum az_status gcm_open(EVP_CIPHER_CTX *context, const uint8_t nonce[GCM_NONCE_SIZE],
    struct bytes associated, struct bytes sealed, uint8_t *plain);

#endif
