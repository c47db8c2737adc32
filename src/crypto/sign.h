/*
 * Ed25519 signatures (RFC 8032) and the key files of people, devices and hosts.
 */
#ifndef AZ_CRYPTO_SIGN_H
#define AZ_CRYPTO_SIGN_H

#include "base/bytes.h"
#include "base/file.h"
#include "base/secret.h"
#include "base/status.h"

#define SIGN_SEED_SIZE   32
#define SIGN_PUBLIC_SIZE 32
#define SIGNATURE_SIZE   64

struct sign_key;

/* seed: 32 secret bytes. The key lies in memory of OpenSSL's; the seed stays the caller's. */
AZ_CHECKED enum az_status sign_key_new(
    struct bytes seed, struct sign_key **ret_key, struct az_err *reterr);
void sign_key_free(struct sign_key **key);
void sign_key_public(const struct sign_key *key, uint8_t ret_public[SIGN_PUBLIC_SIZE]);
AZ_CHECKED enum az_status sign(const struct sign_key *key, struct bytes message,
    uint8_t ret_signature[SIGNATURE_SIZE], struct az_err *reterr);

/* AZ_OK or AZ_FORGED; AZ_INTERNAL, AZ_NO_MEMORY when it could not tell. */
AZ_CHECKED enum az_status sign_verify(const uint8_t public_key[SIGN_PUBLIC_SIZE],
    struct bytes message, const uint8_t signature[SIGNATURE_SIZE]);

/*
 * A key file (docs/format/keys.md): text lines, so that a person can see whose it is, and the pinned
 * key of the keeper, so that its owner cannot be led to another one.
 */
enum key_kind { KEY_NONE = 0, KEY_STAFF = 1, KEY_DEVICE = 2, KEY_GUARD = 3 };

struct key_file {
	enum key_kind kind;
	uint8_t house[HOUSE_ID_SIZE];
	uint8_t keeper[32]; /* the keeper's X25519 public key */
	char name[64];      /* printable ASCII, for people only */
	struct secret *seed;
};
void key_file_fini(struct key_file *file);
/* The buffer should be sensitive. */
AZ_CHECKED enum az_status key_file_encode(
    const struct key_file *file, struct buffer *buffer, struct az_err *reterr);
AZ_CHECKED enum az_status key_file_decode(
    struct bytes text, struct key_file *ret_file, struct az_err *reterr);

/* "unsealed-" or "house-" and 24 characters of base32, from the id and back. text needs 36 bytes. */
#define HOUSE_NAME_SIZE 36
void house_name(const uint8_t house[HOUSE_ID_SIZE], char text[HOUSE_NAME_SIZE]);
bool house_is_unsealed(const uint8_t house[HOUSE_ID_SIZE]);
bool house_name_parse(const char *text, uint8_t ret_house[HOUSE_ID_SIZE]) AZ_CHECKED;

#endif
