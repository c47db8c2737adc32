/*
 * XAES-256-GCM (C2SP xaes-256-gcm): a key for each message from the first half of a 192-bit nonce, by
 * the counter-mode KDF of NIST SP 800-108r1 with CMAC, then AES-256-GCM under the second half.
 *
 *   L  = AES(K, 0¹²⁸)            K1 = L · x in GF(2¹²⁸)
 *   M1 = 00 01 'X' 00 ‖ N[:12]   M2 = 00 02 'X' 00 ‖ N[:12]
 *   Kx = AES(K, M1 ⊕ K1) ‖ AES(K, M2 ⊕ K1)
 *   sealed = N ‖ AES-256-GCM(Kx, N[12:], plain, associated)
 *
 * K1 is computed once. Two contexts serve every message: one holds the schedule of K, the other that of
 * Kx, which stays there for the next message if that has the same first half: so rows that are sealed one after the
 * other need no key of their own.
 *
 * Nonces come from the operating system, a first half and as many second halves as fill the secret, since asking costs as
 * much as sealing a row does. They wait beside the key, together with their count and with what the second context
 * holds: a child after fork finds zeros there, so its count is zero and it can never repeat its parent's.
 */
#include "crypto/seal.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "crypto/cipher.h"
#include "crypto/hash.h"

#define HALF_NONCE 12

struct seal_secrets {
	uint8_t key[SEAL_KEY_SIZE];
	uint8_t k1[CIPHER_BLOCK_SIZE];
	uint8_t kx[SEAL_KEY_SIZE]; /* of the message under way */
	uint32_t has_kx;           /* the second context holds it */
	uint8_t kx_of[HALF_NONCE]; /* the first half that it was derived from */
	uint32_t halves_left;
	uint8_t first[HALF_NONCE]; /* of the nonces to come */
	uint8_t second[SEAL_TOGETHER][HALF_NONCE];
};

struct seal_key {
	struct secret *secrets;
	EVP_CIPHER_CTX *block;
	EVP_CIPHER_CTX *gcm;
};

static_assert(sizeof(struct seal_secrets) <= 1024, "a seal key should be a small secret");
static_assert(
    offsetof(struct seal_secrets, second) == offsetof(struct seal_secrets, first) + HALF_NONCE,
    "both halves are filled at once");
static_assert(HALF_NONCE + GCM_NONCE_SIZE == SEAL_NONCE_SIZE, "the nonce is split in two");
static_assert(SEAL_TAG_SIZE == GCM_TAG_SIZE, "the tag is GCM's");

static struct seal_secrets *
secrets_of(const struct seal_key *key)
{
	return (struct seal_secrets *)(void *)secret_data(key->secrets);
}

/* K1 from L: a shift to the left, and the polynomial if a bit fell out, without a branch on it. */
static void
double_block(uint8_t block[CIPHER_BLOCK_SIZE])
{
	uint8_t carry = (uint8_t)(block[0] >> 7);

	for (size_t i = 0; i + 1 < CIPHER_BLOCK_SIZE; i++)
		block[i] = (uint8_t)((block[i] << 1) | (block[i + 1] >> 7));
	block[CIPHER_BLOCK_SIZE - 1] =
	    (uint8_t)((block[CIPHER_BLOCK_SIZE - 1] << 1) ^ (0x87 & (uint8_t)-carry));
}

enum az_status
seal_key_new(struct bytes key, struct seal_key **ret_key, struct az_err *reterr)
{
	enum az_status status = AZ_INTERNAL;
	struct seal_key *made = NULL;
	struct seal_secrets *secrets;

	if (key.size != SEAL_KEY_SIZE)
		return az_fail(reterr, AZ_INTERNAL, "seal: key of %zu bytes", key.size);
	made = calloc(1, sizeof(*made));
	if (made == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "seal: out of memory");
	status = secret_new(sizeof(struct seal_secrets), &made->secrets, reterr);
	if (status != AZ_OK)
		goto out;
	made->block = cipher_new_ecb(key.data, true);
	made->gcm = cipher_new_gcm(NULL);
	if (made->block == NULL || made->gcm == NULL) {
		status = az_fail(reterr, AZ_NO_MEMORY, "seal: out of memory");
		goto out;
	}
	secrets = secrets_of(made);
	memcpy(secrets->key, key.data, SEAL_KEY_SIZE);
	if (!cipher_blocks(
		made->block, bytes_make(secrets->k1, sizeof(secrets->k1)), secrets->k1)) {
		status = az_fail(reterr, AZ_INTERNAL, "seal: the cipher failed");
		goto out;
	}
	double_block(secrets->k1);
	*ret_key = made;
	made = NULL;
out:
	seal_key_free(&made);
	return status;
}

enum az_status
seal_key_copy(const struct seal_key *key, struct seal_key **ret_key, struct az_err *reterr)
{
	return seal_key_new(bytes_make(secrets_of(key)->key, SEAL_KEY_SIZE), ret_key, reterr);
}

void
seal_key_free(struct seal_key **key)
{
	if (*key == NULL)
		return;
	secret_free(&(*key)->secrets);
	EVP_CIPHER_CTX_free((*key)->block);
	EVP_CIPHER_CTX_free((*key)->gcm);
	free(*key);
	*key = NULL;
}

/* Kx of a nonce, into the secrets and the second context, unless it is there. */
static bool
take_message_key(struct seal_key *key, const uint8_t *nonce)
{
	struct seal_secrets *secrets = secrets_of(key);

	if (secrets->has_kx != 0 &&
	    bytes_equal(bytes_make(secrets->kx_of, HALF_NONCE), bytes_make(nonce, HALF_NONCE)))
		return true;
	secrets->has_kx = 0;

	for (size_t half = 0; half < 2; half++) {
		uint8_t *message = secrets->kx + half * CIPHER_BLOCK_SIZE;

		message[0] = 0;
		message[1] = (uint8_t)(half + 1);
		message[2] = 'X';
		message[3] = 0;
		memcpy(message + 4, nonce, HALF_NONCE);
		for (size_t i = 0; i < CIPHER_BLOCK_SIZE; i++)
			message[i] ^= secrets->k1[i];
	}
	if (!cipher_blocks(key->block, bytes_make(secrets->kx, sizeof(secrets->kx)), secrets->kx) ||
	    !gcm_rekey(key->gcm, secrets->kx))
		return false;
	memcpy(secrets->kx_of, nonce, HALF_NONCE);
	secrets->has_kx = 1;
	return true;
}

enum az_status
seal_with_nonce(struct seal_key *key, const uint8_t nonce[SEAL_NONCE_SIZE], struct bytes associated,
    struct bytes plain, uint8_t *sealed, struct az_err *reterr)
{
	enum az_status status = AZ_INTERNAL;

	if (take_message_key(key, nonce))
		status = gcm_seal(
		    key->gcm, nonce + HALF_NONCE, associated, plain, sealed + SEAL_NONCE_SIZE);
	if (status != AZ_OK)
		return az_fail(reterr, status, "seal: %s",
		    status == AZ_LIMIT ? "message too long" : "the cipher failed");
	memcpy(sealed, nonce, SEAL_NONCE_SIZE);
	return AZ_OK;
}

enum az_status
seal(struct seal_key *key, struct bytes associated, struct bytes plain, uint8_t *sealed,
    struct az_err *reterr)
{
	struct seal_secrets *secrets = secrets_of(key);
	uint8_t nonce[SEAL_NONCE_SIZE];

	if (secrets->halves_left == 0) {
		random_bytes((uint8_t *)secrets + offsetof(struct seal_secrets, first),
		    HALF_NONCE + sizeof(secrets->second));
		secrets->halves_left = SEAL_TOGETHER;
	}
	/* Counted down before it is used: whatever happens next, no nonce is taken twice. */
	secrets->halves_left--;
	memcpy(nonce, secrets->first, HALF_NONCE);
	memcpy(nonce + HALF_NONCE, secrets->second[secrets->halves_left], HALF_NONCE);
	return seal_with_nonce(key, nonce, associated, plain, sealed, reterr);
}

enum az_status
seal_open(struct seal_key *key, struct bytes associated, struct bytes sealed, uint8_t *plain,
    struct az_err *reterr)
{
	enum az_status status = AZ_INTERNAL;
	struct bytes text;

	if (sealed.size < SEAL_OVERHEAD)
		return az_fail(reterr, AZ_FORGED, "open: %zu bytes are too few", sealed.size);
	text = bytes_make(sealed.data + SEAL_NONCE_SIZE, sealed.size - SEAL_NONCE_SIZE);
	if (take_message_key(key, sealed.data))
		status = gcm_open(key->gcm, sealed.data + HALF_NONCE, associated, text, plain);
	else if (text.size > GCM_TAG_SIZE)
		az_wipe(plain, text.size - GCM_TAG_SIZE);
	if (status == AZ_FORGED)
		return az_fail(reterr, status, "open: not sealed under this key for this place");
	if (status != AZ_OK)
		return az_fail(reterr, status, "open: %s",
		    status == AZ_LIMIT ? "message too long" : "the cipher failed");
	return AZ_OK;
}
