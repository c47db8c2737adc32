/*
 * Cutting a key into shares, so that any so many of them give it back and fewer tell nothing about it: Shamir's
 * scheme over GF(2^8), byte by byte. Free of branches and look-ups that depend on the key or a share.
 *
 * Not      a wrong share is not recognised: it gives a wrong key. Whoever joins must have another way to tell.
 */
#ifndef AZ_CRYPTO_SHARES_H
#define AZ_CRYPTO_SHARES_H

#include "base/bytes.h"
#include "base/status.h"

#define SHARES_MAX 16u
#define SHARE_SIZE 32u

/*
 * count shares of key, end to end, any needed of which give it back; the one at i belongs to the point i + 1.
 * 1 <= needed <= count <= SHARES_MAX.
 */
void shares_split(
    const uint8_t key[SHARE_SIZE], unsigned int needed, unsigned int count, uint8_t *ret_shares);

/*
 * The key, out of as many shares as are needed, end to end, each with its point. AZ_INVALID: a point is 0 or there twice, or there
 * are none or too many.
 */
AZ_CHECKED enum az_status shares_join(
    const uint8_t *points, const uint8_t *shares, unsigned int count, uint8_t ret_key[SHARE_SIZE]);

#endif
