/*
 * Hashes, MACs and what is derived from them.
 *
 * SHA-256 goes through OpenSSL's SHA256_Init, _Update and _Final, which 3.0 deprecates in favour of EVP.
 * A node of the ledger's tree is one hash of 65 bytes, and EVP's contexts and dispatch cost about four
 * times that hash itself. Both reach the same implementation, with the processor's SHA instructions.
 * These are the only deprecated functions in use. A message of a few blocks is padded here (FIPS 180-4, 5.1.1) and handed over
 * in whole blocks, of which OpenSSL buffers nothing: a third of the time of a node goes into that otherwise.
 *
 * HMAC (RFC 2104) keeps the two states in which the padded key is hashed already and copies them for
 * each message: half of the work for a short message, and nothing to allocate. A computation only
 * reads the key's states, so many threads may share one.
 *
 * A pseudonym is one AES-256 block over
 *
 *   offset size
 *   0      1    kind
 *   1      11   zero
 *   12     4    u32 id
 *
 * The zeros are what a forgery has to hit: 2⁻⁹⁶ for each try, the kind included.
 */
#include "crypto/hash.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <openssl/evp.h>
#include <openssl/sha.h>

#include "base/wire.h"
#include "crypto/cipher.h"

#define HMAC_BLOCK_SIZE 64
#define SHA_BLOCK_SIZE  64u
#define SHA_LENGTH_SIZE 8u

static_assert(sizeof(SHA256_CTX) <= sizeof(struct sha256), "struct sha256 is too small");
static_assert(_Alignof(SHA256_CTX) <= _Alignof(struct sha256), "struct sha256 is badly aligned");

void
random_bytes(void *data, size_t size)
{
	uint8_t *place = data;

	while (size > 0) {
		ssize_t got = getrandom(place, size, 0);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			abort();
		place += (size_t)got;
		size -= (size_t)got;
	}
}

enum az_status
secret_random(size_t size, struct secret **ret_secret, struct az_err *reterr)
{
	struct secret *secret = NULL;
	enum az_status status = secret_new(size, &secret, reterr);

	if (status != AZ_OK)
		return status;
	random_bytes(secret_data(secret), size);
	*ret_secret = secret;
	return AZ_OK;
}

/* --- SHA-256 --------------------------------------------------------------------------------- */

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations" /* why: see the top */

/* None of the three can fail in OpenSSL; running on without a hash would be worse than ending. */
void
sha256_init(struct sha256 *hash)
{
	if (SHA256_Init((SHA256_CTX *)(void *)hash) != 1)
		abort();
}

void
sha256_update(struct sha256 *hash, const void *data, size_t size)
{
	if (SHA256_Update((SHA256_CTX *)(void *)hash, data, size) != 1)
		abort();
}

void
sha256_final(struct sha256 *hash, uint8_t digest[SHA256_SIZE])
{
	if (SHA256_Final(digest, (SHA256_CTX *)(void *)hash) != 1)
		abort();
}

void
sha256_short(uint8_t message[SHA256_SHORT_ROOM], size_t size, uint8_t digest[SHA256_SIZE])
{
	/* FIPS 180-4, 5.3.3 */
	static const SHA256_CTX start = {.h = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
					     0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19},
	    .md_len = SHA256_DIGEST_LENGTH};
	size_t padded =
	    (size + 1 + SHA_LENGTH_SIZE + SHA_BLOCK_SIZE - 1) / SHA_BLOCK_SIZE * SHA_BLOCK_SIZE;
	SHA256_CTX state = start;

	assert(size <= SHA256_SHORT_MAX);
	message[size] = 0x80;
	memset(message + size + 1, 0, padded - size - 1 - SHA_LENGTH_SIZE);
	wire_store_u64be(message + padded - SHA_LENGTH_SIZE, (uint64_t)size * 8);
	if (SHA256_Update(&state, message, padded) != 1)
		abort();
	for (size_t i = 0; i < SHA256_SIZE / sizeof(uint32_t); i++)
		wire_store_u32be(digest + i * sizeof(uint32_t), state.h[i]);
}

#pragma GCC diagnostic pop

void
sha256(struct bytes bytes, uint8_t digest[SHA256_SIZE])
{
	struct sha256 hash;

	sha256_init(&hash);
	sha256_update(&hash, bytes.data, bytes.size);
	sha256_final(&hash, digest);
}

/* --- HMAC ------------------------------------------------------------------------------------ */

struct mac_states {
	struct sha256 inner; /* after the block key ^ 0x36... */
	struct sha256 outer; /* after the block key ^ 0x5c... */
};

struct mac {
	struct secret *states;
};

static void
states_init(struct mac_states *states, struct bytes key)
{
	uint8_t block[HMAC_BLOCK_SIZE] = {0};

	if (key.size > sizeof(block))
		sha256(key, block);
	else if (key.size > 0)
		memcpy(block, key.data, key.size);
	for (size_t i = 0; i < sizeof(block); i++)
		block[i] ^= 0x36;
	sha256_init(&states->inner);
	sha256_update(&states->inner, block, sizeof(block));
	for (size_t i = 0; i < sizeof(block); i++)
		block[i] ^= 0x36 ^ 0x5c;
	sha256_init(&states->outer);
	sha256_update(&states->outer, block, sizeof(block));
	az_wipe(block, sizeof(block));
}

static void
states_compute(const struct mac_states *states, const struct bytes *parts, size_t count,
    uint8_t digest[SHA256_SIZE])
{
	struct sha256 hash = states->inner;
	uint8_t inner[SHA256_SIZE];

	for (size_t i = 0; i < count; i++)
		sha256_update(&hash, parts[i].data, parts[i].size);
	sha256_final(&hash, inner);
	hash = states->outer;
	sha256_update(&hash, inner, sizeof(inner));
	sha256_final(&hash, digest);
	/* The state after the inner key block would let whoever finds it extend a message. */
	az_wipe(&hash, sizeof(hash));
	az_wipe(inner, sizeof(inner));
}

static const struct mac_states *
states_of(const struct mac *mac)
{
	return (const struct mac_states *)(const void *)secret_peek(mac->states).data;
}

static enum az_status
mac_allocate(struct mac **ret_mac, struct az_err *reterr)
{
	struct mac *mac = calloc(1, sizeof(*mac));
	enum az_status status;

	if (mac == NULL) {
		/* Returned as a constant, so that the optimiser sees no way on without a mac. */
		(void)az_fail(reterr, AZ_NO_MEMORY, "mac: out of memory");
		return AZ_NO_MEMORY;
	}
	status = secret_new(sizeof(struct mac_states), &mac->states, reterr);
	if (status != AZ_OK) {
		free(mac);
		return status;
	}
	*ret_mac = mac;
	return AZ_OK;
}

enum az_status
mac_new(struct bytes key, struct mac **ret_mac, struct az_err *reterr)
{
	struct mac *mac = NULL;
	enum az_status status = mac_allocate(&mac, reterr);

	if (status != AZ_OK)
		return status;
	states_init((struct mac_states *)(void *)secret_data(mac->states), key);
	*ret_mac = mac;
	return AZ_OK;
}

enum az_status
mac_copy(const struct mac *mac, struct mac **ret_mac, struct az_err *reterr)
{
	struct mac *copy = NULL;
	enum az_status status = mac_allocate(&copy, reterr);

	if (status != AZ_OK)
		return status;
	memcpy(secret_data(copy->states), secret_peek(mac->states).data, sizeof(struct mac_states));
	*ret_mac = copy;
	return AZ_OK;
}

void
mac_free(struct mac **mac)
{
	if (*mac == NULL)
		return;
	secret_free(&(*mac)->states);
	free(*mac);
	*mac = NULL;
}

void
mac_compute(
    const struct mac *mac, const struct bytes *parts, size_t count, uint8_t digest[SHA256_SIZE])
{
	states_compute(states_of(mac), parts, count, digest);
}

/* --- HKDF ------------------------------------------------------------------------------------ */

enum az_status
hkdf_sha256(struct bytes key, struct bytes salt, struct bytes info, uint8_t *ret_data, size_t size)
{
	struct mac_states states;
	uint8_t prk[SHA256_SIZE];
	uint8_t block[SHA256_SIZE] = {0};
	size_t done = 0;

	if (size > 255 * SHA256_SIZE)
		return AZ_LIMIT;
	states_init(&states, salt);
	states_compute(&states, &key, 1, prk);
	states_init(&states, bytes_make(prk, sizeof(prk)));
	for (uint8_t n = 1; done < size; n++) {
		struct bytes parts[] = {
		    bytes_make(block, n == 1 ? 0 : sizeof(block)), info, bytes_make(&n, sizeof(n))};
		size_t part = size - done < sizeof(block) ? size - done : sizeof(block);

		states_compute(&states, parts, AZ_ARRAY_SIZE(parts), block);
		memcpy(ret_data + done, block, part);
		done += part;
	}
	az_wipe(&states, sizeof(states));
	az_wipe(prk, sizeof(prk));
	az_wipe(block, sizeof(block));
	return AZ_OK;
}

enum az_status
kdf_derive(const struct secret *key, const uint8_t house[16], const char *label, uint64_t number,
    struct secret **ret_key, struct az_err *reterr)
{
	enum az_status status = AZ_INTERNAL;
	struct secret *derived = NULL;
	char info[96];
	int size =
	    snprintf(info, sizeof(info), "azukari/v1/%s/%llu", label, (unsigned long long)number);

	/* A label that was cut short could be another label. */
	if (size < 0 || (size_t)size >= sizeof(info))
		return az_fail(reterr, AZ_INTERNAL, "derive key: label too long");
	status = secret_new(KEY_SIZE, &derived, reterr);
	if (status != AZ_OK)
		return status;
	status = hkdf_sha256(secret_peek(key), bytes_make(house, 16), bytes_of(info),
	    secret_data(derived), KEY_SIZE);
	if (status != AZ_OK) {
		secret_free(&derived);
		return az_fail(reterr, status, "derive key %s", info);
	}
	*ret_key = derived;
	return AZ_OK;
}

/* --- pseudonyms ------------------------------------------------------------------------------ */

struct pseudonyms {
	EVP_CIPHER_CTX *encrypt;
	EVP_CIPHER_CTX *decrypt;
};

enum az_status
pseudonyms_new(struct bytes key, struct pseudonyms **ret, struct az_err *reterr)
{
	struct pseudonyms *pseudonyms = NULL;

	if (key.size != KEY_SIZE)
		return az_fail(reterr, AZ_INTERNAL, "pseudonyms: key of %zu bytes", key.size);
	pseudonyms = calloc(1, sizeof(*pseudonyms));
	if (pseudonyms == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "pseudonyms: out of memory");
	pseudonyms->encrypt = cipher_new_ecb(key.data, true);
	pseudonyms->decrypt = cipher_new_ecb(key.data, false);
	if (pseudonyms->encrypt == NULL || pseudonyms->decrypt == NULL) {
		pseudonyms_free(&pseudonyms);
		return az_fail(reterr, AZ_NO_MEMORY, "pseudonyms: out of memory");
	}
	*ret = pseudonyms;
	return AZ_OK;
}

void
pseudonyms_free(struct pseudonyms **pseudonyms)
{
	if (*pseudonyms == NULL)
		return;
	EVP_CIPHER_CTX_free((*pseudonyms)->encrypt);
	EVP_CIPHER_CTX_free((*pseudonyms)->decrypt);
	free(*pseudonyms);
	*pseudonyms = NULL;
}

void
pseudonym_make(struct pseudonyms *pseudonyms, enum pseudonym_kind kind, uint32_t id,
    uint8_t pseudonym[PSEUDONYM_SIZE])
{
	uint8_t block[PSEUDONYM_SIZE] = {(uint8_t)kind};

	wire_store_u32(block + 12, id);
	/* One block under a key that is set cannot fail. An id in the clear must not come of it. */
	if (!cipher_blocks(pseudonyms->encrypt, bytes_make(block, sizeof(block)), pseudonym))
		abort();
}

enum az_status
pseudonym_open(struct pseudonyms *pseudonyms, enum pseudonym_kind kind,
    const uint8_t pseudonym[PSEUDONYM_SIZE], uint32_t *ret_id)
{
	uint8_t block[PSEUDONYM_SIZE] = {0};
	uint8_t expected[12] = {(uint8_t)kind};

	if (!cipher_blocks(pseudonyms->decrypt, bytes_make(pseudonym, PSEUDONYM_SIZE), block))
		return AZ_INTERNAL;
	if (!bytes_equal(
		bytes_make(block, sizeof(expected)), bytes_make(expected, sizeof(expected))))
		return AZ_FORGED;
	*ret_id = wire_load_u32(block + 12);
	return AZ_OK;
}
