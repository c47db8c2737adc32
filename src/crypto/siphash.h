/*
 * SipHash-2-4 with 128 bits of output (Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012, and
 * the authors' reference code for the long output): fingerprints of match keys for the trace.
 *
 * Not       a fingerprint of a telephone number can be found by trying all numbers, if one has the key: what
 *           is made with it counts as plaintext wherever it lies.
 */
#ifndef AZ_CRYPTO_SIPHASH_H
#define AZ_CRYPTO_SIPHASH_H

#include "base/bytes.h"

#define SIPHASH_KEY_SIZE 16u

/* The two halves of the output, in order: as the reference code writes them, each little-endian. */
void siphash_128(const uint8_t key[SIPHASH_KEY_SIZE], struct bytes message, uint64_t ret_hash[2]);
/* The first of them alone, in two thirds of the time. */
uint64_t siphash_128_first(const uint8_t key[SIPHASH_KEY_SIZE], struct bytes message);

#endif
