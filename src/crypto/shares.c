/*
 * GF(2^8) with the polynomial x^8 + x^4 + x^3 + x + 1. A key byte is the value at 0 of a random polynomial of
 * degree needed - 1; a share is its value at the share's point (A. Shamir, How to share a secret, 1979).
 *
 * Multiplying is a fixed number of shifts and masks. The points are public; what is multiplied is not.
 */
#include "crypto/shares.h"

#include <assert.h>
#include <string.h>

#include "crypto/hash.h"

static uint8_t
multiply(uint8_t a, uint8_t b)
{
	unsigned int product = 0;
	unsigned int factor = a;

	for (unsigned int bit = 0; bit < 8; bit++) {
		product ^= factor & (0u - (b >> bit & 1u));
		factor = (factor << 1 ^ (0x1bu & (0u - (factor >> 7 & 1u)))) & 0xffu;
	}
	return (uint8_t)product;
}

/* a^254 is 1/a. */
static uint8_t
invert(uint8_t a)
{
	uint8_t power = a;
	uint8_t result = 1;

	for (unsigned int bit = 1; bit < 8; bit++) {
		power = multiply(power, power);
		result = multiply(result, power);
	}
	return result;
}

void
shares_split(
    const uint8_t key[SHARE_SIZE], unsigned int needed, unsigned int count, uint8_t *ret_shares)
{
	uint8_t polynomial[SHARES_MAX][SHARE_SIZE];

	assert(needed >= 1 && needed <= count && count <= SHARES_MAX);
	memcpy(polynomial[0], key, SHARE_SIZE);
	if (needed > 1)
		random_bytes(polynomial[1], (needed - 1) * sizeof(polynomial[1]));
	for (unsigned int share = 0; share < count; share++) {
		for (size_t i = 0; i < SHARE_SIZE; i++) {
			uint8_t value = 0;

			for (unsigned int power = needed; power-- > 0;)
				value =
				    multiply(value, (uint8_t)(share + 1)) ^ polynomial[power][i];
			ret_shares[share * SHARE_SIZE + i] = value;
		}
	}
	az_wipe(polynomial, sizeof(polynomial));
}

/* Lagrange's factor of the share at own, for the value at 0. Points are public. */
static uint8_t
weight_of(const uint8_t *points, unsigned int count, unsigned int own)
{
	uint8_t above = 1;
	uint8_t below = 1;

	for (unsigned int i = 0; i < count; i++) {
		if (i == own)
			continue;
		above = multiply(above, points[i]);
		below = multiply(below, points[i] ^ points[own]);
	}
	return multiply(above, invert(below));
}

enum az_status
shares_join(
    const uint8_t *points, const uint8_t *shares, unsigned int count, uint8_t ret_key[SHARE_SIZE])
{
	uint8_t key[SHARE_SIZE] = {0};

	if (count == 0 || count > SHARES_MAX)
		return AZ_INVALID;
	for (unsigned int i = 0; i < count; i++) {
		if (points[i] == 0)
			return AZ_INVALID;
		for (unsigned int j = 0; j < i; j++) {
			if (points[j] == points[i])
				return AZ_INVALID;
		}
	}
	for (unsigned int share = 0; share < count; share++) {
		uint8_t weight = weight_of(points, count, share);

		for (size_t i = 0; i < SHARE_SIZE; i++)
			key[i] ^= multiply(shares[share * SHARE_SIZE + i], weight);
	}
	memcpy(ret_key, key, SHARE_SIZE);
	az_wipe(key, sizeof(key));
	return AZ_OK;
}
