/*
 * X25519 (RFC 7748), for the other files of this folder: the channel and age files.
 */
#ifndef AZ_CRYPTO_X25519_H
#define AZ_CRYPTO_X25519_H

#include "base/bytes.h"
#include "base/status.h"

#define X25519_SIZE 32

/* The public key of a private one. AZ_NO_MEMORY. */
AZ_CHECKED enum az_status x25519_public(
    const uint8_t private_key[X25519_SIZE], uint8_t ret_public[X25519_SIZE]);

/*
 * The shared secret; the caller wipes it. AZ_FORGED for an all-zero result, which a public key of small order
 * forces whatever the private key is (RFC 7748 §6.1). AZ_NO_MEMORY.
 */
AZ_CHECKED enum az_status x25519_shared(const uint8_t private_key[X25519_SIZE],
    const uint8_t public_key[X25519_SIZE], uint8_t ret_shared[X25519_SIZE]);

#endif
