/*
 * SHA-256, HMAC-SHA256, HKDF-SHA256 (RFC 5869), random bytes, and pseudonyms.
 *
 * Threads  every object belongs to one thread at a time; nothing is shared behind the caller's back.
 */
#ifndef AZ_CRYPTO_HASH_H
#define AZ_CRYPTO_HASH_H

#include "base/bytes.h"
#include "base/secret.h"
#include "base/status.h"

#define SHA256_SIZE 32
#define KEY_SIZE    32

/* Fills data from the operating system; a failure ends the process (nothing safe can follow). */
void random_bytes(void *data, size_t size);
AZ_CHECKED enum az_status secret_random(
    size_t size, struct secret **ret_secret, struct az_err *reterr);

/* Streaming SHA-256 on the caller's stack; cannot fail. */
struct sha256 {
	uint64_t
	    state[16]; /* opaque; large enough for OpenSSL's SHA256_CTX, checked at build time */
};
void sha256_init(struct sha256 *hash);
void sha256_update(struct sha256 *hash, const void *data, size_t size);
void sha256_final(struct sha256 *hash, uint8_t digest[SHA256_SIZE]);
void sha256(struct bytes bytes, uint8_t digest[SHA256_SIZE]);

/*
 * The same of a short message that stands in a buffer with room for its padding, which is written behind it: what a tree's
 * leaves and nodes are hashed with. size is at most SHA256_SHORT_MAX.
 */
#define SHA256_SHORT_ROOM 320u
#define SHA256_SHORT_MAX  (SHA256_SHORT_ROOM - 9u)
void sha256_short(uint8_t message[SHA256_SHORT_ROOM], size_t size, uint8_t digest[SHA256_SIZE]);

/* HMAC-SHA256 under one key, with the key's two blocks hashed once. */
struct mac;
AZ_CHECKED enum az_status mac_new(struct bytes key, struct mac **ret_mac, struct az_err *reterr);
AZ_CHECKED enum az_status mac_copy(
    const struct mac *mac, struct mac **ret_mac, struct az_err *reterr);
void mac_free(struct mac **mac);
/* The MAC of the concatenation of parts. Cannot fail; const: one mac may serve many threads. */
void mac_compute(
    const struct mac *mac, const struct bytes *parts, size_t count, uint8_t digest[SHA256_SIZE]);

/*
 * A key derived from another for one purpose: HKDF-SHA256 with salt = the house id and
 * info = "azukari/v1/" label "/" decimal number. The labels in use stand in docs/format/keys.md.
 */
AZ_CHECKED enum az_status kdf_derive(const struct secret *key, const uint8_t house[16],
    const char *label, uint64_t number, struct secret **ret_key, struct az_err *reterr);

/* RFC 5869 itself, for the channel and for vectors. size <= 255 * 32. */
AZ_CHECKED enum az_status hkdf_sha256(
    struct bytes key, struct bytes salt, struct bytes info, uint8_t *ret_data, size_t size);

/*
 * Pseudonyms: one AES-256 block over (kind, id) under a key for each log, so that the log's reader
 * can tell two people apart and name neither. The keeper can turn one back.
 */
#define PSEUDONYM_SIZE 16
enum pseudonym_kind { PSEUDONYM_STAFF = 1, PSEUDONYM_RECORD = 2 };
struct pseudonyms;
AZ_CHECKED enum az_status pseudonyms_new(
    struct bytes key, struct pseudonyms **ret, struct az_err *reterr);
void pseudonyms_free(struct pseudonyms **pseudonyms);
void pseudonym_make(struct pseudonyms *pseudonyms, enum pseudonym_kind kind, uint32_t id,
    uint8_t pseudonym[PSEUDONYM_SIZE]);
/* AZ_FORGED if it is not a pseudonym of that kind under this key. */
AZ_CHECKED enum az_status pseudonym_open(struct pseudonyms *pseudonyms, enum pseudonym_kind kind,
    const uint8_t pseudonym[PSEUDONYM_SIZE], uint32_t *ret_id);

#endif
