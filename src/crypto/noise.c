/*
 * Noise_NK_25519_AESGCM_SHA256, from The Noise Protocol Framework, revision 34, §5 and §7.
 *
 *   h = ck = protocol name       h = H(h ‖ prologue)       h = H(h ‖ s)
 *
 *   initiator                                  responder
 *   e ──────────────────────────────────────►  h = H(h ‖ e)
 *   DH(e, s)   ck, k = HKDF(ck, dh)            DH(s, e)
 *   seal(payload), h = H(h ‖ sealed) ───────►
 *                                      ◄────── e, h = H(h ‖ e)
 *   DH(e, e)   ck, k = HKDF(ck, dh)            DH(e, e)
 *                                      ◄────── seal(payload), h = H(h ‖ sealed)
 *   split: one key each way
 *
 * The nonce of AESGCM is 32 zero bits and the message's number, big-endian (§12.3). It is not sent: a
 * message that is not the next one does not open, and the first that does not open ends the channel.
 *
 * The handshake's secrets lie in one struct secret, which is given back as soon as the two transport
 * keys are in their cipher contexts, or the channel is dead.
 */
#include "crypto/noise.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "base/wire.h"
#include "crypto/cipher.h"
#include "crypto/hash.h"
#include "crypto/x25519.h"

static const char protocol_name[] = "Noise_NK_25519_AESGCM_SHA256";

/* The name is no longer than a hash, so it is padded with zeros and not hashed (§5.2). */
static_assert(sizeof(protocol_name) - 1 <= NOISE_HASH_SIZE, "the name must fit a hash");
static_assert(NOISE_TAG_SIZE == GCM_TAG_SIZE, "the tag is GCM's");
static_assert(NOISE_HASH_SIZE == SHA256_SIZE, "the hash is SHA-256");

/* A handshake message is e and the sealed payload. */
#define HANDSHAKE_OVERHEAD (NOISE_KEY_SIZE + NOISE_TAG_SIZE)

enum noise_state {
	NOISE_DEAD = 0,
	NOISE_WRITE_FIRST, /* initiator */
	NOISE_READ_FIRST,  /* responder */
	NOISE_WRITE_SECOND,
	NOISE_READ_SECOND,
	NOISE_TRANSPORT,
};

struct noise_secrets {
	uint8_t ck[NOISE_HASH_SIZE];
	uint8_t k[NOISE_KEY_SIZE];
	uint8_t e[NOISE_KEY_SIZE]; /* our ephemeral private key */
	uint8_t s[NOISE_KEY_SIZE]; /* the responder's static private key */
	uint8_t dh[NOISE_KEY_SIZE];
	uint8_t derived[2 * NOISE_KEY_SIZE];
};

struct noise {
	enum noise_state state;
	bool initiator;
	bool fixed_ephemeral;
	uint8_t h[NOISE_HASH_SIZE];
	uint8_t rs[NOISE_KEY_SIZE]; /* the responder's static public key */
	uint8_t re[NOISE_KEY_SIZE]; /* the other side's ephemeral public key */
	struct secret *secrets;     /* struct noise_secrets, until the transport begins */
	EVP_CIPHER_CTX *sending;
	EVP_CIPHER_CTX *receiving;
	uint64_t sent;
	uint64_t received;
};

static struct noise_secrets *
secrets_of(struct noise *noise)
{
	return (struct noise_secrets *)(void *)secret_data(noise->secrets);
}

/* No key outlives the channel. */
static void
die(struct noise *noise)
{
	noise->state = NOISE_DEAD;
	secret_free(&noise->secrets);
	EVP_CIPHER_CTX_free(noise->sending);
	EVP_CIPHER_CTX_free(noise->receiving);
	noise->sending = NULL;
	noise->receiving = NULL;
}

/* --- X25519 ---------------------------------------------------------------------------------- */

enum az_status
noise_public(struct bytes private_key, uint8_t ret_public[NOISE_KEY_SIZE], struct az_err *reterr)
{
	enum az_status status;

	if (private_key.size != NOISE_KEY_SIZE)
		return az_fail(reterr, AZ_INTERNAL, "channel: key of %zu bytes", private_key.size);
	status = x25519_public(private_key.data, ret_public);
	return status == AZ_OK ? AZ_OK : az_fail(reterr, status, "channel: out of memory");
}

/* --- the symmetric state, §5.2 --------------------------------------------------------------- */

static void
mix_hash(struct noise *noise, struct bytes data)
{
	struct sha256 hash;

	sha256_init(&hash);
	sha256_update(&hash, noise->h, sizeof(noise->h));
	sha256_update(&hash, data.data, data.size);
	sha256_final(&hash, noise->h);
}

/* Noise's HKDF of two outputs is RFC 5869 with ck as the salt and no info. */
static enum az_status
derive_two(struct noise_secrets *secrets, struct bytes input)
{
	return hkdf_sha256(input, bytes_make(secrets->ck, NOISE_HASH_SIZE), bytes_make(NULL, 0),
	    secrets->derived, sizeof(secrets->derived));
}

/* ck, k from the exchange of this message: e with s in the first, e with e in the second. */
static enum az_status
mix_exchange(struct noise *noise, bool first)
{
	struct noise_secrets *secrets = secrets_of(noise);
	const uint8_t *ours = first && !noise->initiator ? secrets->s : secrets->e;
	const uint8_t *theirs = first && noise->initiator ? noise->rs : noise->re;
	enum az_status status = x25519_shared(ours, theirs, secrets->dh);

	if (status == AZ_OK)
		status = derive_two(secrets, bytes_make(secrets->dh, NOISE_KEY_SIZE));
	if (status != AZ_OK)
		return status;
	memcpy(secrets->ck, secrets->derived, NOISE_KEY_SIZE);
	memcpy(secrets->k, secrets->derived + NOISE_KEY_SIZE, NOISE_KEY_SIZE);
	return AZ_OK;
}

/* The first key is the initiator's to send with. The handshake's secrets end here. */
static enum az_status
split(struct noise *noise)
{
	struct noise_secrets *secrets = secrets_of(noise);
	enum az_status status = derive_two(secrets, bytes_make(NULL, 0));

	if (status != AZ_OK)
		return status;
	noise->sending = cipher_new_gcm(secrets->derived + (noise->initiator ? 0 : NOISE_KEY_SIZE));
	noise->receiving =
	    cipher_new_gcm(secrets->derived + (noise->initiator ? NOISE_KEY_SIZE : 0));
	if (noise->sending == NULL || noise->receiving == NULL)
		return AZ_NO_MEMORY;
	secret_free(&noise->secrets);
	return AZ_OK;
}

static void
make_nonce(uint64_t number, uint8_t nonce[GCM_NONCE_SIZE])
{
	memset(nonce, 0, 4);
	wire_store_u64be(nonce + 4, number);
}

/* --- birth and death ------------------------------------------------------------------------- */

static enum az_status
noise_new(bool initiator, struct bytes prologue, const uint8_t rs[NOISE_KEY_SIZE],
    struct noise **ret_noise, struct az_err *reterr)
{
	struct noise *noise = calloc(1, sizeof(*noise));
	enum az_status status;

	if (noise == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "channel: out of memory");
	status = secret_new(sizeof(struct noise_secrets), &noise->secrets, reterr);
	if (status != AZ_OK) {
		free(noise);
		return status;
	}
	noise->initiator = initiator;
	noise->state = initiator ? NOISE_WRITE_FIRST : NOISE_READ_FIRST;
	memcpy(noise->rs, rs, NOISE_KEY_SIZE);
	memcpy(noise->h, protocol_name, sizeof(protocol_name) - 1);
	memcpy(secrets_of(noise)->ck, noise->h, NOISE_HASH_SIZE);
	mix_hash(noise, prologue);
	mix_hash(noise, bytes_make(rs, NOISE_KEY_SIZE));
	*ret_noise = noise;
	return AZ_OK;
}

enum az_status
noise_initiator(const uint8_t responder[NOISE_KEY_SIZE], struct bytes prologue,
    struct noise **ret_noise, struct az_err *reterr)
{
	return noise_new(true, prologue, responder, ret_noise, reterr);
}

enum az_status
noise_responder(const struct secret *private_key, struct bytes prologue, struct noise **ret_noise,
    struct az_err *reterr)
{
	uint8_t rs[NOISE_KEY_SIZE];
	struct noise *noise = NULL;
	enum az_status status = noise_public(secret_peek(private_key), rs, reterr);

	if (status == AZ_OK)
		status = noise_new(false, prologue, rs, &noise, reterr);
	if (status != AZ_OK)
		return status;
	memcpy(secrets_of(noise)->s, secret_peek(private_key).data, NOISE_KEY_SIZE);
	*ret_noise = noise;
	return AZ_OK;
}

void
noise_free(struct noise **noise)
{
	if (*noise == NULL)
		return;
	die(*noise);
	free(*noise);
	*noise = NULL;
}

enum az_status
noise_fix_ephemeral(struct noise *noise, struct bytes private_key)
{
	if (private_key.size != NOISE_KEY_SIZE || noise->secrets == NULL)
		return AZ_CONFLICT;
	memcpy(secrets_of(noise)->e, private_key.data, NOISE_KEY_SIZE);
	noise->fixed_ephemeral = true;
	return AZ_OK;
}

/* --- handshake ------------------------------------------------------------------------------- */

static enum az_status
write_message(struct noise *noise, bool first, struct bytes payload, struct buffer *message)
{
	struct noise_secrets *secrets = secrets_of(noise);
	uint8_t e[NOISE_KEY_SIZE];
	uint8_t nonce[GCM_NONCE_SIZE] = {0};
	size_t sealed_size = payload.size + NOISE_TAG_SIZE;
	EVP_CIPHER_CTX *context = NULL;
	enum az_status status = AZ_LIMIT;
	uint8_t *out;

	if (payload.size > NOISE_MESSAGE_MAX - HANDSHAKE_OVERHEAD)
		goto out;
	if (!noise->fixed_ephemeral)
		random_bytes(secrets->e, NOISE_KEY_SIZE);
	status = noise_public(bytes_make(secrets->e, NOISE_KEY_SIZE), e, NULL);
	if (status != AZ_OK)
		goto out;
	mix_hash(noise, bytes_make(e, sizeof(e)));
	status = mix_exchange(noise, first);
	if (status != AZ_OK)
		goto out;
	status = buffer_reserve(message, sizeof(e) + sealed_size);
	if (status != AZ_OK)
		goto out;
	out = message->data + message->size;
	memcpy(out, e, sizeof(e));
	status = AZ_NO_MEMORY;
	context = cipher_new_gcm(secrets->k);
	if (context == NULL)
		goto out;
	status = gcm_seal(
	    context, nonce, bytes_make(noise->h, NOISE_HASH_SIZE), payload, out + sizeof(e));
	if (status != AZ_OK)
		goto out;
	mix_hash(noise, bytes_make(out + sizeof(e), sealed_size));
	message->size += sizeof(e) + sealed_size;
out:
	EVP_CIPHER_CTX_free(context);
	return status;
}

static enum az_status
read_message(struct noise *noise, bool first, struct bytes message, struct buffer *payload)
{
	uint8_t nonce[GCM_NONCE_SIZE] = {0};
	EVP_CIPHER_CTX *context = NULL;
	enum az_status status = AZ_FORGED;
	struct bytes sealed;

	if (message.size < HANDSHAKE_OVERHEAD || message.size > NOISE_MESSAGE_MAX)
		goto out;
	memcpy(noise->re, message.data, NOISE_KEY_SIZE);
	sealed = bytes_make(message.data + NOISE_KEY_SIZE, message.size - NOISE_KEY_SIZE);
	mix_hash(noise, bytes_make(noise->re, NOISE_KEY_SIZE));
	status = mix_exchange(noise, first);
	if (status != AZ_OK)
		goto out;
	status = buffer_reserve(payload, sealed.size - NOISE_TAG_SIZE);
	if (status != AZ_OK)
		goto out;
	status = AZ_NO_MEMORY;
	context = cipher_new_gcm(secrets_of(noise)->k);
	if (context == NULL)
		goto out;
	status = gcm_open(context, nonce, bytes_make(noise->h, NOISE_HASH_SIZE), sealed,
	    payload->data == NULL ? NULL : payload->data + payload->size);
	if (status != AZ_OK)
		goto out;
	mix_hash(noise, sealed);
	payload->size += sealed.size - NOISE_TAG_SIZE;
out:
	EVP_CIPHER_CTX_free(context);
	return status;
}

/* Moves on after a handshake message, or kills the channel. */
static enum az_status
step(struct noise *noise, enum az_status status, enum noise_state next, struct az_err *reterr)
{
	if (status == AZ_OK && next == NOISE_TRANSPORT)
		status = split(noise);
	if (status != AZ_OK) {
		die(noise);
		return az_fail(reterr, status, "channel: the handshake failed");
	}
	noise->state = next;
	return AZ_OK;
}

static enum az_status
out_of_turn(struct noise *noise, struct az_err *reterr)
{
	die(noise);
	return az_fail(reterr, AZ_CONFLICT, "channel: handshake message out of turn");
}

enum az_status
noise_write_handshake(
    struct noise *noise, struct bytes payload, struct buffer *message, struct az_err *reterr)
{
	bool first = noise->state == NOISE_WRITE_FIRST;

	if (!first && noise->state != NOISE_WRITE_SECOND)
		return out_of_turn(noise, reterr);
	return step(noise, write_message(noise, first, payload, message),
	    first ? NOISE_READ_SECOND : NOISE_TRANSPORT, reterr);
}

enum az_status
noise_read_handshake(
    struct noise *noise, struct bytes message, struct buffer *payload, struct az_err *reterr)
{
	bool first = noise->state == NOISE_READ_FIRST;

	if (!first && noise->state != NOISE_READ_SECOND)
		return out_of_turn(noise, reterr);
	return step(noise, read_message(noise, first, message, payload),
	    first ? NOISE_WRITE_SECOND : NOISE_TRANSPORT, reterr);
}

bool
noise_ready(const struct noise *noise)
{
	return noise->state == NOISE_TRANSPORT;
}

void
noise_hash(const struct noise *noise, uint8_t ret_hash[NOISE_HASH_SIZE])
{
	memcpy(ret_hash, noise->h, NOISE_HASH_SIZE);
}

/* --- transport ------------------------------------------------------------------------------- */

enum az_status
noise_seal(struct noise *noise, struct bytes plain, uint8_t *message, struct az_err *reterr)
{
	uint8_t nonce[GCM_NONCE_SIZE];
	enum az_status status;

	if (noise->state != NOISE_TRANSPORT)
		return az_fail(reterr, AZ_CONFLICT, "channel: not open");
	if (plain.size > NOISE_PLAIN_MAX || noise->sent >= NOISE_MESSAGES_MAX)
		return az_fail(reterr, AZ_LIMIT, "channel: message too long, or one too many");
	make_nonce(noise->sent, nonce);
	status = gcm_seal(noise->sending, nonce, bytes_make(NULL, 0), plain, message);
	if (status != AZ_OK) {
		die(noise);
		return az_fail(reterr, status, "channel: the cipher failed");
	}
	noise->sent++;
	return AZ_OK;
}

enum az_status
noise_open(struct noise *noise, struct bytes message, uint8_t *plain, struct az_err *reterr)
{
	uint8_t nonce[GCM_NONCE_SIZE];
	enum az_status status = AZ_FORGED;

	if (noise->state != NOISE_TRANSPORT)
		return az_fail(reterr, AZ_CONFLICT, "channel: not open");
	if (noise->received >= NOISE_MESSAGES_MAX)
		status = AZ_LIMIT;
	else if (message.size >= NOISE_TAG_SIZE && message.size <= NOISE_MESSAGE_MAX) {
		make_nonce(noise->received, nonce);
		status = gcm_open(noise->receiving, nonce, bytes_make(NULL, 0), message, plain);
	}
	if (status != AZ_OK) {
		die(noise);
		return az_fail(reterr, status, "channel: message %llu does not open",
		    (unsigned long long)noise->received);
	}
	noise->received++;
	return AZ_OK;
}
