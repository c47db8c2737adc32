/*
 * Ed25519 (RFC 8032) through OpenSSL's one-shot interface. A context is made for every call: Ed25519
 * keeps no state between messages, and a signature costs far more than the context.
 *
 * A public key of small order is refused. There are eight such points, and a signature that verifies
 * under one can be written by anybody, for any message. Staff bring their own public keys: one who
 * enrolled such a point could disown whatever was signed as him.
 */
#include "crypto/sign.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>

struct sign_key {
	EVP_PKEY *key;
	uint8_t public_key[SIGN_PUBLIC_SIZE];
};

enum az_status
sign_key_new(struct bytes seed, struct sign_key **ret_key, struct az_err *reterr)
{
	struct sign_key *key;
	size_t size = SIGN_PUBLIC_SIZE;

	if (seed.size != SIGN_SEED_SIZE)
		return az_fail(reterr, AZ_INTERNAL, "sign: seed of %zu bytes", seed.size);
	key = calloc(1, sizeof(*key));
	if (key == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "sign: out of memory");
	key->key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed.data, seed.size);
	/* Kept, because OpenSSL allocates to give it out, and sign_key_public cannot fail. */
	if (key->key == NULL ||
	    EVP_PKEY_get_raw_public_key(key->key, key->public_key, &size) != 1) {
		sign_key_free(&key);
		return az_fail(reterr, AZ_NO_MEMORY, "sign: out of memory");
	}
	*ret_key = key;
	return AZ_OK;
}

void
sign_key_free(struct sign_key **key)
{
	if (*key == NULL)
		return;
	EVP_PKEY_free((*key)->key);
	free(*key);
	*key = NULL;
}

void
sign_key_public(const struct sign_key *key, uint8_t ret_public[SIGN_PUBLIC_SIZE])
{
	memcpy(ret_public, key->public_key, SIGN_PUBLIC_SIZE);
}

enum az_status
sign(const struct sign_key *key, struct bytes message, uint8_t ret_signature[SIGNATURE_SIZE],
    struct az_err *reterr)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	size_t size = SIGNATURE_SIZE;
	bool good = context != NULL &&
	    EVP_DigestSignInit(context, NULL, NULL, NULL, key->key) == 1 &&
	    EVP_DigestSign(context, ret_signature, &size, message.data, message.size) == 1;

	EVP_MD_CTX_free(context);
	return good ? AZ_OK : az_fail(reterr, AZ_INTERNAL, "sign: the signature failed");
}

/* The y coordinates of the points of small order, and two of them again as p and p + 1. */
static const uint8_t small_order[][SIGN_PUBLIC_SIZE] = {
    {0},
    {1},
    {0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0,
	0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc,
	0x05},
    {0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f,
	0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03,
	0x7a},
    {0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0x7f},
    {0xed, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0x7f},
    {0xee, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0x7f},
};

static bool
is_small_order(const uint8_t public_key[SIGN_PUBLIC_SIZE])
{
	for (size_t i = 0; i < AZ_ARRAY_SIZE(small_order); i++) {
		/* The top bit is the sign of x, which does not matter here. */
		if (bytes_equal(bytes_make(public_key, SIGN_PUBLIC_SIZE - 1),
			bytes_make(small_order[i], SIGN_PUBLIC_SIZE - 1)) &&
		    (public_key[SIGN_PUBLIC_SIZE - 1] & 0x7f) ==
			small_order[i][SIGN_PUBLIC_SIZE - 1])
			return true;
	}
	return false;
}

enum az_status
sign_verify(const uint8_t public_key[SIGN_PUBLIC_SIZE], struct bytes message,
    const uint8_t signature[SIGNATURE_SIZE])
{
	enum az_status status = AZ_NO_MEMORY;
	EVP_PKEY *key = NULL;
	EVP_MD_CTX *context = NULL;

	if (is_small_order(public_key))
		return AZ_FORGED;
	key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, public_key, SIGN_PUBLIC_SIZE);
	context = EVP_MD_CTX_new();
	if (key == NULL || context == NULL ||
	    EVP_DigestVerifyInit(context, NULL, NULL, NULL, key) != 1)
		goto out;
	/*
	 * OpenSSL answers 0 for a bad signature, for 32 bytes that are no point of the curve, and for a
	 * failure of its own. Only the last leaves a note, and then nothing is known of the signature;
	 * where it forgets to (one allocation of its Ed25519), a good signature is refused as forged.
	 */
	ERR_clear_error();
	if (EVP_DigestVerify(context, signature, SIGNATURE_SIZE, message.data, message.size) == 1)
		status = AZ_OK;
	else if (ERR_peek_error() == 0)
		status = AZ_FORGED;
	else
		status = AZ_INTERNAL;
out:
	if (status != AZ_OK)
		ERR_clear_error();
	EVP_MD_CTX_free(context);
	EVP_PKEY_free(key);
	return status;
}
