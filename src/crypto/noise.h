/*
 * The channel: Noise_NK_25519_AESGCM_SHA256 (The Noise Protocol Framework, revision 34).
 *
 *   <- s           the keeper's static key, pinned by the front
 *   -> e, es       hello
 *   <- e, ee       answer; both sides now hold the handshake hash and two transport keys
 *
 * Every transport message is numbered; a lost, repeated, reordered or changed one fails to open, after
 * which the channel is dead. Keys are not renewed; a channel ends after NOISE_MESSAGES_MAX messages.
 *
 * Threads  a channel belongs to one thread at a time.
 */
#ifndef AZ_CRYPTO_NOISE_H
#define AZ_CRYPTO_NOISE_H

#include "base/bytes.h"
#include "base/secret.h"
#include "base/status.h"

#define NOISE_KEY_SIZE     32
#define NOISE_HASH_SIZE    32
#define NOISE_TAG_SIZE     16
#define NOISE_MESSAGE_MAX  65535
#define NOISE_PLAIN_MAX    (NOISE_MESSAGE_MAX - NOISE_TAG_SIZE)
#define NOISE_MESSAGES_MAX (UINT64_C(1) << 48)

struct noise;

/* X25519 public key of a 32-byte private one. */
AZ_CHECKED enum az_status noise_public(
    struct bytes private_key, uint8_t ret_public[NOISE_KEY_SIZE], struct az_err *reterr);

/* prologue binds both sides to the protocol version and the house. */
AZ_CHECKED enum az_status noise_initiator(const uint8_t responder[NOISE_KEY_SIZE],
    struct bytes prologue, struct noise **ret_noise, struct az_err *reterr);
AZ_CHECKED enum az_status noise_responder(const struct secret *private_key, struct bytes prologue,
    struct noise **ret_noise, struct az_err *reterr);
void noise_free(struct noise **noise);

/* For published vectors only: the ephemeral private key, instead of a random one. */
AZ_CHECKED enum az_status noise_fix_ephemeral(struct noise *noise, struct bytes private_key);

/*
 * Handshake messages, in turn. Appends to buffer (payload may be empty). The reader appends the
 * payload. Any failure kills the channel and wipes its keys: AZ_FORGED (also a public key of small
 * order), AZ_CONFLICT out of turn, AZ_LIMIT (payload too long, or no room in the buffer), AZ_NO_MEMORY.
 */
AZ_CHECKED enum az_status noise_write_handshake(
    struct noise *noise, struct bytes payload, struct buffer *message, struct az_err *reterr);
AZ_CHECKED enum az_status noise_read_handshake(
    struct noise *noise, struct bytes message, struct buffer *payload, struct az_err *reterr);

/* True once both handshake messages have passed. */
bool noise_ready(const struct noise *noise);
/* The handshake hash that signatures are made over; valid once ready. */
void noise_hash(const struct noise *noise, uint8_t ret_hash[NOISE_HASH_SIZE]);

/*
 * Transport: plain.size + 16 bytes to message; message.size - 16 bytes to plain. AZ_CONFLICT if the
 * channel is not open. AZ_LIMIT from noise_seal (too long, or too many) leaves it open; any failure of
 * noise_open kills it: AZ_FORGED (plain is zeroed), AZ_LIMIT.
 */
AZ_CHECKED enum az_status noise_seal(
    struct noise *noise, struct bytes plain, uint8_t *message, struct az_err *reterr);
AZ_CHECKED enum az_status noise_open(
    struct noise *noise, struct bytes message, uint8_t *plain, struct az_err *reterr);

#endif
