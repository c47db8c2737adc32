/*
 * X25519 through OpenSSL. That OpenSSL refuses an all-zero result stands in no contract of its, so it is
 * looked at here as well.
 */
#include "crypto/x25519.h"

#include <openssl/err.h>
#include <openssl/evp.h>

enum az_status
x25519_public(const uint8_t private_key[X25519_SIZE], uint8_t ret_public[X25519_SIZE])
{
	size_t size = X25519_SIZE;
	EVP_PKEY *key =
	    EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, private_key, X25519_SIZE);
	bool good = key != NULL && EVP_PKEY_get_raw_public_key(key, ret_public, &size) == 1;

	EVP_PKEY_free(key);
	return good ? AZ_OK : AZ_NO_MEMORY;
}

enum az_status
x25519_shared(const uint8_t private_key[X25519_SIZE], const uint8_t public_key[X25519_SIZE],
    uint8_t ret_shared[X25519_SIZE])
{
	static const uint8_t zeros[X25519_SIZE];
	enum az_status status = AZ_NO_MEMORY;
	EVP_PKEY *ours =
	    EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, private_key, X25519_SIZE);
	EVP_PKEY *theirs =
	    EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, NULL, public_key, X25519_SIZE);
	EVP_PKEY_CTX *context = ours == NULL ? NULL : EVP_PKEY_CTX_new(ours, NULL);
	size_t size = X25519_SIZE;

	if (theirs == NULL || context == NULL || EVP_PKEY_derive_init(context) != 1 ||
	    EVP_PKEY_derive_set_peer_ex(context, theirs, 0) != 1)
		goto out;
	status = AZ_FORGED;
	if (EVP_PKEY_derive(context, ret_shared, &size) != 1 || size != X25519_SIZE ||
	    bytes_equal(bytes_make(ret_shared, size), bytes_make(zeros, sizeof(zeros))))
		goto out;
	status = AZ_OK;
out:
	/* What OpenSSL noted about a stranger's key must not be found by a later caller. */
	if (status != AZ_OK)
		ERR_clear_error();
	EVP_PKEY_CTX_free(context);
	EVP_PKEY_free(theirs);
	EVP_PKEY_free(ours);
	return status;
}
