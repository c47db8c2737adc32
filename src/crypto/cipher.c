/*
 * The ciphers are fetched by name once for the process: OpenSSL 3 else looks the name up, under a lock,
 * each time a context is given a cipher. They are never freed. Two threads that race fetch twice, and
 * one result is kept; a fetch that fails for want of memory is tried again by the next caller.
 */
#include "crypto/cipher.h"

#include <limits.h>
#include <stdatomic.h>
#include <string.h>

#include <openssl/evp.h>

static _Atomic(EVP_CIPHER *) fetched_ecb;
static _Atomic(EVP_CIPHER *) fetched_gcm;

static EVP_CIPHER *
fetch(_Atomic(EVP_CIPHER *) *place, const char *name)
{
	EVP_CIPHER *known = atomic_load(place);
	EVP_CIPHER *fetched;

	if (known != NULL)
		return known;
	fetched = EVP_CIPHER_fetch(NULL, name, NULL);
	if (fetched == NULL || atomic_compare_exchange_strong(place, &known, fetched))
		return fetched;
	EVP_CIPHER_free(fetched);
	return known;
}

EVP_CIPHER_CTX *
cipher_new_ecb(const uint8_t key[CIPHER_KEY_SIZE], bool encrypt)
{
	EVP_CIPHER *cipher = fetch(&fetched_ecb, "AES-256-ECB");
	EVP_CIPHER_CTX *context = cipher == NULL ? NULL : EVP_CIPHER_CTX_new();

	if (context == NULL)
		return NULL;
	if (EVP_CipherInit_ex(context, cipher, NULL, key, NULL, encrypt ? 1 : 0) != 1 ||
	    EVP_CIPHER_CTX_set_padding(context, 0) != 1) {
		EVP_CIPHER_CTX_free(context);
		return NULL;
	}
	return context;
}

bool
cipher_blocks(EVP_CIPHER_CTX *context, struct bytes in, uint8_t *out)
{
	int done = 0;

	return in.size <= INT_MAX &&
	    EVP_CipherUpdate(context, out, &done, in.data, (int)in.size) == 1 &&
	    (size_t)done == in.size;
}

EVP_CIPHER_CTX *
cipher_new_gcm(const uint8_t *key)
{
	EVP_CIPHER *cipher = fetch(&fetched_gcm, "AES-256-GCM");
	EVP_CIPHER_CTX *context = cipher == NULL ? NULL : EVP_CIPHER_CTX_new();

	if (context == NULL)
		return NULL;
	if (EVP_CipherInit_ex(context, cipher, NULL, key, NULL, 1) != 1) {
		EVP_CIPHER_CTX_free(context);
		return NULL;
	}
	return context;
}

bool
gcm_rekey(EVP_CIPHER_CTX *context, const uint8_t key[CIPHER_KEY_SIZE])
{
	return EVP_CipherInit_ex(context, NULL, NULL, key, NULL, 1) == 1;
}

/* Nonce and associated data of a message. */
static bool
gcm_begin(EVP_CIPHER_CTX *context, const uint8_t *nonce, struct bytes associated, bool encrypt)
{
	int done = 0;

	if (EVP_CipherInit_ex(context, NULL, NULL, NULL, nonce, encrypt ? 1 : 0) != 1)
		return false;
	return associated.size == 0 ||
	    EVP_CipherUpdate(context, NULL, &done, associated.data, (int)associated.size) == 1;
}

enum az_status
gcm_seal(EVP_CIPHER_CTX *context, const uint8_t nonce[GCM_NONCE_SIZE], struct bytes associated,
    struct bytes plain, uint8_t *sealed)
{
	uint8_t *tag = sealed + plain.size;
	int done = 0;

	if (associated.size > INT_MAX || plain.size > INT_MAX - GCM_TAG_SIZE)
		return AZ_LIMIT;
	if (gcm_begin(context, nonce, associated, true) &&
	    (plain.size == 0 ||
		EVP_CipherUpdate(context, sealed, &done, plain.data, (int)plain.size) == 1) &&
	    EVP_CipherFinal_ex(context, tag, &done) == 1 &&
	    EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, GCM_TAG_SIZE, tag) == 1)
		return AZ_OK;
	az_wipe(sealed, plain.size + GCM_TAG_SIZE);
	return AZ_INTERNAL;
}

enum az_status
gcm_open(EVP_CIPHER_CTX *context, const uint8_t nonce[GCM_NONCE_SIZE], struct bytes associated,
    struct bytes sealed, uint8_t *plain)
{
	enum az_status status = AZ_INTERNAL;
	size_t size = sealed.size - GCM_TAG_SIZE;
	uint8_t tag[GCM_TAG_SIZE];
	uint8_t none[1];
	int done = 0;

	if (sealed.size < GCM_TAG_SIZE)
		return AZ_FORGED;
	if (associated.size > INT_MAX || sealed.size > INT_MAX)
		return AZ_LIMIT;
	memcpy(tag, sealed.data + size, sizeof(tag));
	if (!gcm_begin(context, nonce, associated, false) ||
	    (size > 0 && EVP_CipherUpdate(context, plain, &done, sealed.data, (int)size) != 1) ||
	    EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, GCM_TAG_SIZE, tag) != 1)
		goto out;
	/* Only here is the tag compared: what Update wrote is not to be believed before. */
	status = EVP_CipherFinal_ex(context, none, &done) == 1 ? AZ_OK : AZ_FORGED;
out:
	if (status != AZ_OK && size > 0)
		az_wipe(plain, size);
	return status;
}
