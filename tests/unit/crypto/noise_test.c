#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "crypto/hash.h"
#include "crypto/noise.h"
#include "hex.h"

/* --- published vectors --------------------------------------------------------------------------- */

struct vector {
	const char *prologue;
	const char *init_ephemeral, *resp_static, *resp_public, *resp_ephemeral;
	const char *hash; /* NULL where none is published */
	struct {
		const char *payload, *message;
	} messages[6]; /* two of the handshake, then of the transport by turns */
};

/* Noise_NK_25519_AESGCM_SHA256 of cacophony's vectors/cacophony.txt. */
static const struct vector cacophony = {
    .prologue = "4a6f686e2047616c74",
    .init_ephemeral = "893e28b9dc6ca8d611ab664754b8ceb7bac5117349a4439a6b0569da977c464a",
    .resp_static = "4a3acbfdb163dec651dfa3194dece676d437029c62a408b4c5ea9114246e4893",
    .resp_public = "31e0303fd6418d2f8c0e78b91f22e8caed0fbe48656dcf4767e4834f701b8f62",
    .resp_ephemeral = "bbdb4cdbd309f1a1f2e1456967fe288cadd6f712d65dc7b7793d5e63da6b375b",
    .hash = "f8a87aa8add4fea6e33365b89637486c2f6564546ce29d1df9ce9abf78c507d7",
    .messages =
	{
	    {"4c756477696720766f6e204d69736573",
		"ca35def5ae56cec33dc2036731ab14896bc4c75dbb07a61f879f8e3afa4c7944"
		"75ab4d66d222457dd414bc5f296bc7b4078cc7d72af5192628b68bca7d28844b"},
	    {"4d757272617920526f746862617264",
		"95ebc60d2b1fa672c1f46a8aa265ef51bfe38e7ccb39ec5be34069f144808843"
		"03c7d89310502baa8299520ba451624c3c0492e2698f8d457c32400b91fd8a"},
	    {"462e20412e20486179656b", "304f70c37c93573099228016d54cb15213af94eb598d1b17df1153"},
	    {"4361726c204d656e676572", "a1bf6c954529f29b31d8ae9f67d2c18dbd332aa1a0918690c6d80b"},
	    {"4a65616e2d426170746973746520536179",
		"2e8f3e51888360b2b2d83a64dde9943c7dd3c5e84ac7c4b4e2d5cfc025b6c854d3"},
	    {"457567656e2042f6686d20766f6e2042617765726b",
		"8498bf41212a8b87c9eeb408274c75b3558fd0530865b5a7932d4b3af812d85b3df27e6f33"},
	},
};

/* The same of snow's tests/vectors/snow.txt. */
static const struct vector snow = {
    .prologue = "5468657265206973206e6f20726967687420616e642077726f6e672e20546865"
		"72652773206f6e6c792066756e20616e6420626f72696e672e",
    .init_ephemeral = "02e04d1bed1c50a9be7d958d9c06ddec76881ef39b762f1601901b25ff1e46a4",
    .resp_static = "6769f07983e44fe6ff82ace61b5b5a13ca6be7dde385dea6ccd7f3cfe535cec6",
    .resp_public = "64c1c425f047a6d90a7fd1ea6756fc9adfc197748d72cd1f015be61f504d9527",
    .resp_ephemeral = "aaf5caca88dd39acb6c84795812854f62ded2ae0c67d648f312394257a32113f",
    .messages =
	{
	    {"69ae4e493d11522fcb749a055877fdac2ac17e94cf960acc3a2e53e577c92d5a",
		"270f4f126d1d152350b0059ab9b9fb21bfa96e0c762be7ce026e814b252ad92b699ecc4a8fb66c33"
		"a683410766c1ed0b2d28fafd448d627dd0b09224b9a91b9606eddd56213fdbd7ba6cc07065a7c49f"},
	    {"ee2a0bd186b6afba4a0337a55a4c77d3226f17b8e0b7ea7c3baeea30c3dc9f25",
		"9a176f6eaf3ebf725cec49c53352f57c7efe3b1cd5ea3853ad8992f82f53522352b0330096bb0654"
		"1120b58e228a62ec2f3cc07d60c66d62492637a16692919b6e2608911f782d39425864e7c2c3621b"},
	    {"4020fe66c7cb638c46097b36326ef50fb1635c04c1e73531eb0c3a46a13b51a5",
		"9ef5f71dabe587067b48c5f18e2251218cb85926c512da4ecf307350f49977ca"
		"1a71458f345cd530596225da2c0b3660"},
	    {"48960984defe32c0a68782f3204eccece590409f2c0e5b95b1f0aa4fd0078a36",
		"ca4b7f6f48f52282737c3e54b9801e815a03a746ef074e23be1e2c9efb7173f1"
		"8bebeb6201c87f6fcde4fece6e2c8761"},
	},
};

struct pair {
	struct noise *front;
	struct noise *keeper;
};

static void
pair_free(struct pair *pair)
{
	noise_free(&pair->front);
	noise_free(&pair->keeper);
}

static struct secret *
secret_of(struct bytes bytes)
{
	struct secret *secret = NULL;

	assert_int_equal(secret_new(bytes.size, &secret, NULL), AZ_OK);
	memcpy(secret_data(secret), bytes.data, bytes.size);
	return secret;
}

static struct pair
pair_of_vector(const struct vector *vector)
{
	uint8_t prologue_data[HEX_MAX], data[HEX_MAX];
	struct bytes prologue = from_hex(vector->prologue, prologue_data);
	struct secret *s = secret_of(from_hex(vector->resp_static, data));
	uint8_t public_key[NOISE_KEY_SIZE];
	struct pair pair = {0};

	assert_int_equal(noise_public(secret_peek(s), public_key, NULL), AZ_OK);
	assert_hex(public_key, vector->resp_public);
	assert_int_equal(noise_initiator(public_key, prologue, &pair.front, NULL), AZ_OK);
	assert_int_equal(noise_responder(s, prologue, &pair.keeper, NULL), AZ_OK);
	secret_free(&s);
	assert_int_equal(
	    noise_fix_ephemeral(pair.front, from_hex(vector->init_ephemeral, data)), AZ_OK);
	assert_int_equal(
	    noise_fix_ephemeral(pair.keeper, from_hex(vector->resp_ephemeral, data)), AZ_OK);
	return pair;
}

static void
check_handshake(
    struct noise *writer, struct noise *reader, const char *payload_text, const char *expected)
{
	uint8_t data[HEX_MAX], expected_data[HEX_MAX];
	struct bytes payload = from_hex(payload_text, data);
	struct buffer message, read;

	buffer_init(&message, 1024, true);
	buffer_init(&read, 1024, true);
	/* Both append: what is there before stays. */
	assert_int_equal(buffer_append(&message, bytes_of("before")), AZ_OK);
	assert_int_equal(buffer_append(&read, bytes_of("before")), AZ_OK);
	assert_int_equal(noise_write_handshake(writer, payload, &message, NULL), AZ_OK);
	assert_true(bytes_equal(bytes_make(message.data, 6), bytes_of("before")));
	buffer_consume(&message, 6);
	assert_true(bytes_equal(buffer_peek(&message), from_hex(expected, expected_data)));
	assert_int_equal(noise_read_handshake(reader, buffer_peek(&message), &read, NULL), AZ_OK);
	assert_true(bytes_equal(bytes_make(read.data, 6), bytes_of("before")));
	buffer_consume(&read, 6);
	assert_true(bytes_equal(buffer_peek(&read), payload));
	buffer_fini(&message);
	buffer_fini(&read);
}

static void
check_vector(const struct vector *vector)
{
	struct pair pair = pair_of_vector(vector);
	uint8_t front_hash[NOISE_HASH_SIZE], keeper_hash[NOISE_HASH_SIZE];

	check_handshake(
	    pair.front, pair.keeper, vector->messages[0].payload, vector->messages[0].message);
	assert_false(noise_ready(pair.front));
	assert_false(noise_ready(pair.keeper));
	check_handshake(
	    pair.keeper, pair.front, vector->messages[1].payload, vector->messages[1].message);
	assert_true(noise_ready(pair.front));
	assert_true(noise_ready(pair.keeper));
	noise_hash(pair.front, front_hash);
	noise_hash(pair.keeper, keeper_hash);
	assert_memory_equal(front_hash, keeper_hash, sizeof(front_hash));
	if (vector->hash != NULL)
		assert_hex(front_hash, vector->hash);
	for (size_t i = 2; i < 6 && vector->messages[i].payload != NULL; i++) {
		struct noise *writer = i % 2 == 0 ? pair.front : pair.keeper;
		struct noise *reader = i % 2 == 0 ? pair.keeper : pair.front;
		uint8_t data[HEX_MAX], sealed[HEX_MAX], opened[HEX_MAX];
		struct bytes plain = from_hex(vector->messages[i].payload, data);

		assert_int_equal(noise_seal(writer, plain, sealed, NULL), AZ_OK);
		assert_hex(sealed, vector->messages[i].message);
		assert_int_equal(noise_open(reader, bytes_make(sealed, plain.size + NOISE_TAG_SIZE),
				     opened, NULL),
		    AZ_OK);
		assert_true(bytes_equal(bytes_make(opened, plain.size), plain));
	}
	pair_free(&pair);
	assert_null(pair.front);
	pair_free(&pair);
}

static void
the_messages_are_those_of_cacophony(void **state)
{
	check_vector(&cacophony);
}

static void
the_messages_are_those_of_snow(void **state)
{
	check_vector(&snow);
}

static void
public_keys_are_those_of_the_rfc(void **state)
{
	/* RFC 7748 §6.1. */
	uint8_t data[HEX_MAX], public_key[NOISE_KEY_SIZE];
	struct bytes key =
	    from_hex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a", data);

	assert_int_equal(noise_public(key, public_key, NULL), AZ_OK);
	assert_hex(public_key, "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a");
	assert_int_equal(noise_public(bytes_make(data, 31), public_key, NULL), AZ_INTERNAL);
}

/* --- handshakes that must fail -------------------------------------------------------------------- */

static const uint8_t keeper_key[NOISE_KEY_SIZE] = {1, 2, 3, 4};

static struct pair
pair_of(const char *front_prologue, const char *keeper_prologue)
{
	struct secret *s = secret_of(bytes_make(keeper_key, sizeof(keeper_key)));
	uint8_t public_key[NOISE_KEY_SIZE];
	struct pair pair = {0};

	assert_int_equal(noise_public(secret_peek(s), public_key, NULL), AZ_OK);
	assert_int_equal(
	    noise_initiator(public_key, bytes_of(front_prologue), &pair.front, NULL), AZ_OK);
	assert_int_equal(noise_responder(s, bytes_of(keeper_prologue), &pair.keeper, NULL), AZ_OK);
	secret_free(&s);
	return pair;
}

static struct bytes
write_handshake(struct noise *noise, const char *payload, struct buffer *message)
{
	buffer_init(message, 1024, true);
	assert_int_equal(noise_write_handshake(noise, bytes_of(payload), message, NULL), AZ_OK);
	return buffer_peek(message);
}

/* After a failure nothing works any more, in whatever order it is tried. */
static void
assert_dead(struct noise *noise)
{
	uint8_t data[64] = {0};
	struct buffer buffer;

	buffer_init(&buffer, 1024, true);
	assert_false(noise_ready(noise));
	assert_int_equal(noise_seal(noise, bytes_of("x"), data, NULL), AZ_CONFLICT);
	assert_int_equal(noise_open(noise, bytes_make(data, 17), data, NULL), AZ_CONFLICT);
	assert_int_equal(noise_fix_ephemeral(noise, bytes_make(data, 32)), AZ_CONFLICT);
	assert_int_equal(
	    noise_read_handshake(noise, bytes_make(data, 48), &buffer, NULL), AZ_CONFLICT);
	assert_int_equal(noise_write_handshake(noise, bytes_of("x"), &buffer, NULL), AZ_CONFLICT);
	assert_int_equal(buffer.size, 0);
	buffer_fini(&buffer);
}

static void
assert_read_fails(struct noise *noise, struct bytes message, enum az_status expected)
{
	struct az_err err = {0};
	struct buffer payload;

	buffer_init(&payload, 1024, true);
	assert_int_equal(noise_read_handshake(noise, message, &payload, &err), expected);
	assert_int_equal(err.status, expected);
	assert_int_equal(payload.size, 0);
	assert_dead(noise);
	buffer_fini(&payload);
}

/* A pair whose handshake is done. */
static struct pair
open_pair(void)
{
	struct pair pair = pair_of("house", "house");
	struct buffer message, payload;

	buffer_init(&payload, 64, true);
	(void)write_handshake(pair.front, "", &message);
	assert_int_equal(
	    noise_read_handshake(pair.keeper, buffer_peek(&message), &payload, NULL), AZ_OK);
	buffer_fini(&message);
	(void)write_handshake(pair.keeper, "", &message);
	assert_int_equal(
	    noise_read_handshake(pair.front, buffer_peek(&message), &payload, NULL), AZ_OK);
	buffer_fini(&message);
	assert_int_equal(payload.size, 0);
	buffer_fini(&payload);
	assert_true(noise_ready(pair.front) && noise_ready(pair.keeper));
	return pair;
}

static void
any_flipped_bit_of_the_hello_is_refused(void **state)
{
	size_t size = NOISE_KEY_SIZE + 2 + NOISE_TAG_SIZE;

	for (size_t bit = 0; bit < 8 * size; bit++) {
		struct pair pair = pair_of("house", "house");
		struct buffer message;

		(void)write_handshake(pair.front, "hi", &message);
		assert_int_equal(message.size, size);
		/* The key's top bit means nothing in X25519, but the hash covers it too. */
		message.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_read_fails(pair.keeper, buffer_peek(&message), AZ_FORGED);
		buffer_fini(&message);
		pair_free(&pair);
	}
}

static void
any_flipped_bit_of_the_answer_is_refused(void **state)
{
	size_t size = NOISE_KEY_SIZE + 2 + NOISE_TAG_SIZE;

	for (size_t bit = 0; bit < 8 * size; bit += 3) {
		struct pair pair = pair_of("house", "house");
		struct buffer message, payload;

		buffer_init(&payload, 64, true);
		(void)write_handshake(pair.front, "hi", &message);
		assert_int_equal(
		    noise_read_handshake(pair.keeper, buffer_peek(&message), &payload, NULL),
		    AZ_OK);
		buffer_fini(&message);
		(void)write_handshake(pair.keeper, "hi", &message);
		message.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_read_fails(pair.front, buffer_peek(&message), AZ_FORGED);
		buffer_fini(&message);
		buffer_fini(&payload);
		pair_free(&pair);
	}
}

static void
a_hello_cut_short_or_too_long_is_refused(void **state)
{
	uint8_t *large = calloc(1, NOISE_MESSAGE_MAX + 1);
	size_t size = NOISE_KEY_SIZE + 2 + NOISE_TAG_SIZE;

	assert_non_null(large);
	for (size_t cut = 0; cut < size; cut++) {
		struct pair pair = pair_of("house", "house");
		struct buffer message;

		(void)write_handshake(pair.front, "hi", &message);
		assert_read_fails(pair.keeper, bytes_make(message.data, cut), AZ_FORGED);
		buffer_fini(&message);
		pair_free(&pair);
	}
	struct pair pair = pair_of("house", "house");
	assert_read_fails(pair.keeper, bytes_make(large, NOISE_MESSAGE_MAX + 1), AZ_FORGED);
	pair_free(&pair);
	free(large);
}

static void
another_prologue_is_refused(void **state)
{
	struct pair pair = pair_of("house", "hous");
	struct buffer message;

	(void)write_handshake(pair.front, "", &message);
	assert_read_fails(pair.keeper, buffer_peek(&message), AZ_FORGED);
	buffer_fini(&message);
	pair_free(&pair);
}

static void
a_keeper_with_another_key_is_refused(void **state)
{
	uint8_t other[NOISE_KEY_SIZE] = {9};
	struct secret *s = secret_of(bytes_make(other, sizeof(other)));
	struct pair pair = pair_of("house", "house");
	struct buffer message;

	noise_free(&pair.keeper);
	assert_int_equal(noise_responder(s, bytes_of("house"), &pair.keeper, NULL), AZ_OK);
	(void)write_handshake(pair.front, "", &message);
	assert_read_fails(pair.keeper, buffer_peek(&message), AZ_FORGED);
	buffer_fini(&message);
	secret_free(&s);
	pair_free(&pair);
}

static void
an_answer_to_another_hello_is_refused(void **state)
{
	struct pair first = pair_of("house", "house");
	struct pair second = pair_of("house", "house");
	struct buffer message, payload;

	buffer_init(&payload, 64, true);
	(void)write_handshake(first.front, "", &message);
	assert_int_equal(
	    noise_read_handshake(first.keeper, buffer_peek(&message), &payload, NULL), AZ_OK);
	buffer_fini(&message);
	(void)write_handshake(second.front, "", &message);
	buffer_fini(&message);
	(void)write_handshake(first.keeper, "", &message);
	assert_read_fails(second.front, buffer_peek(&message), AZ_FORGED);
	buffer_fini(&message);
	pair_free(&first);
	pair_free(&second);
}

static void
public_keys_of_small_order_are_refused(void **state)
{
	/* Orders 1, 2, 4 and 8 on the curve and its twist, and what is equal to them modulo p. */
	static const char *const keys[] = {
	    "0000000000000000000000000000000000000000000000000000000000000000",
	    "0100000000000000000000000000000000000000000000000000000000000000",
	    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
	    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
	    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	};

	for (size_t i = 0; i < AZ_ARRAY_SIZE(keys); i++) {
		uint8_t message[HEX_MAX] = {0};
		struct pair pair = pair_of("house", "house");
		struct buffer buffer;

		(void)from_hex(keys[i], message);
		assert_read_fails(
		    pair.keeper, bytes_make(message, NOISE_KEY_SIZE + NOISE_TAG_SIZE), AZ_FORGED);
		(void)write_handshake(pair.front, "", &buffer);
		assert_read_fails(
		    pair.front, bytes_make(message, NOISE_KEY_SIZE + NOISE_TAG_SIZE), AZ_FORGED);
		buffer_fini(&buffer);
		noise_free(&pair.front);

		/* And as the keeper's own key, which a front was made to pin. */
		assert_int_equal(
		    noise_initiator(message, bytes_of("house"), &pair.front, NULL), AZ_OK);
		buffer_init(&buffer, 1024, true);
		assert_int_equal(
		    noise_write_handshake(pair.front, bytes_of("hi"), &buffer, NULL), AZ_FORGED);
		assert_int_equal(buffer.size, 0);
		assert_dead(pair.front);
		pair_free(&pair);
	}
}

static void
messages_out_of_turn_are_refused(void **state)
{
	uint8_t data[64] = {0};
	struct buffer buffer;
	struct pair pair = pair_of("house", "house");

	/* The front may not read first, nor the keeper write. */
	assert_read_fails(pair.front, bytes_make(data, 48), AZ_CONFLICT);
	buffer_init(&buffer, 1024, true);
	assert_int_equal(
	    noise_write_handshake(pair.keeper, bytes_of("x"), &buffer, NULL), AZ_CONFLICT);
	assert_dead(pair.keeper);
	pair_free(&pair);

	/* No transport before the answer. */
	pair = pair_of("house", "house");
	assert_int_equal(noise_seal(pair.front, bytes_of("x"), data, NULL), AZ_CONFLICT);
	assert_int_equal(noise_open(pair.keeper, bytes_make(data, 17), data, NULL), AZ_CONFLICT);
	assert_int_equal(noise_write_handshake(pair.front, bytes_of("x"), &buffer, NULL), AZ_OK);
	assert_int_equal(noise_seal(pair.front, bytes_of("x"), data, NULL), AZ_CONFLICT);
	/* Nor a second hello. */
	buffer_clear(&buffer);
	assert_int_equal(
	    noise_write_handshake(pair.front, bytes_of("x"), &buffer, NULL), AZ_CONFLICT);
	assert_dead(pair.front);
	buffer_fini(&buffer);
	pair_free(&pair);

	/* And no handshake after it is done. */
	pair = open_pair();
	assert_read_fails(pair.keeper, bytes_make(data, 48), AZ_CONFLICT);
	pair_free(&pair);
}

static void
a_payload_that_cannot_be_sent_or_kept_kills_the_handshake(void **state)
{
	static uint8_t large[NOISE_MESSAGE_MAX];
	struct pair pair = pair_of("house", "house");
	struct buffer message, payload;

	buffer_init(&message, 2 * sizeof(large), true);
	assert_int_equal(noise_write_handshake(pair.front,
			     bytes_make(large, NOISE_MESSAGE_MAX - 48 + 1), &message, NULL),
	    AZ_LIMIT);
	assert_int_equal(message.size, 0);
	assert_dead(pair.front);
	pair_free(&pair);

	pair = pair_of("house", "house");
	assert_int_equal(noise_write_handshake(
			     pair.front, bytes_make(large, NOISE_MESSAGE_MAX - 48), &message, NULL),
	    AZ_OK);
	assert_int_equal(message.size, NOISE_MESSAGE_MAX);
	buffer_init(&payload, 10, true);
	assert_int_equal(
	    noise_read_handshake(pair.keeper, buffer_peek(&message), &payload, NULL), AZ_LIMIT);
	assert_int_equal(payload.size, 0);
	assert_dead(pair.keeper);
	buffer_fini(&message);
	buffer_fini(&payload);
	pair_free(&pair);
}

static void
two_handshakes_never_share_keys_or_hash(void **state)
{
	struct pair first = open_pair();
	struct pair second = open_pair();
	uint8_t a[NOISE_HASH_SIZE], b[NOISE_HASH_SIZE], message[17], plain[1];

	noise_hash(first.front, a);
	noise_hash(second.front, b);
	assert_memory_not_equal(a, b, sizeof(a));
	assert_int_equal(noise_seal(first.front, bytes_of("x"), message, NULL), AZ_OK);
	assert_int_equal(
	    noise_open(second.keeper, bytes_make(message, sizeof(message)), plain, NULL),
	    AZ_FORGED);
	assert_dead(second.keeper);
	pair_free(&first);
	pair_free(&second);
}

/* --- transport that must fail ---------------------------------------------------------------------- */

#define TEXT      "disclose"
#define TEXT_SIZE (sizeof(TEXT) - 1)
#define SEALED    (TEXT_SIZE + NOISE_TAG_SIZE)

static void
seal_text(struct noise *noise, uint8_t message[SEALED])
{
	assert_int_equal(noise_seal(noise, bytes_of(TEXT), message, NULL), AZ_OK);
}

static void
assert_open_fails(struct noise *noise, const uint8_t *message, size_t size)
{
	static const uint8_t zeros[TEXT_SIZE];
	uint8_t plain[SEALED];

	memset(plain, 0xee, sizeof(plain));
	assert_int_equal(noise_open(noise, bytes_make(message, size), plain, NULL), AZ_FORGED);
	if (size >= NOISE_TAG_SIZE)
		assert_true(bytes_equal(bytes_make(plain, size - NOISE_TAG_SIZE),
		    bytes_make(zeros, size - NOISE_TAG_SIZE)));
	assert_dead(noise);
}

static void
messages_open_in_order_both_ways(void **state)
{
	struct pair pair = open_pair();
	uint8_t message[SEALED], plain[TEXT_SIZE];

	for (int i = 0; i < 300; i++) {
		struct noise *writer = i % 3 == 0 ? pair.front : pair.keeper;
		struct noise *reader = i % 3 == 0 ? pair.keeper : pair.front;

		memset(plain, 0, sizeof(plain));
		seal_text(writer, message);
		assert_int_equal(
		    noise_open(reader, bytes_make(message, sizeof(message)), plain, NULL), AZ_OK);
		assert_memory_equal(plain, TEXT, TEXT_SIZE);
	}
	pair_free(&pair);
}

static void
any_flipped_bit_of_a_message_kills_the_channel(void **state)
{
	for (size_t bit = 0; bit < 8 * SEALED; bit += 5) {
		struct pair pair = open_pair();
		uint8_t message[SEALED];

		seal_text(pair.front, message);
		message[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_open_fails(pair.keeper, message, sizeof(message));
		pair_free(&pair);
	}
}

static void
a_replayed_message_kills_the_channel(void **state)
{
	struct pair pair = open_pair();
	uint8_t message[SEALED], plain[TEXT_SIZE];

	seal_text(pair.front, message);
	assert_int_equal(
	    noise_open(pair.keeper, bytes_make(message, sizeof(message)), plain, NULL), AZ_OK);
	assert_open_fails(pair.keeper, message, sizeof(message));
	pair_free(&pair);
}

static void
a_message_before_its_turn_kills_the_channel(void **state)
{
	struct pair pair = open_pair();
	uint8_t first[SEALED], second[SEALED];

	seal_text(pair.front, first);
	seal_text(pair.front, second);
	assert_open_fails(pair.keeper, second, sizeof(second));
	pair_free(&pair);
}

static void
a_message_turned_back_to_its_sender_kills_the_channel(void **state)
{
	struct pair pair = open_pair();
	uint8_t message[SEALED];

	seal_text(pair.front, message);
	assert_open_fails(pair.front, message, sizeof(message));
	pair_free(&pair);
}

static void
a_message_cut_short_kills_the_channel(void **state)
{
	for (size_t size = 0; size < SEALED; size++) {
		struct pair pair = open_pair();
		uint8_t message[SEALED];

		seal_text(pair.front, message);
		assert_open_fails(pair.keeper, message, size);
		pair_free(&pair);
	}
}

static void
the_largest_message_passes_and_a_larger_one_does_not(void **state)
{
	static uint8_t plain[NOISE_PLAIN_MAX + 1];
	static uint8_t message[NOISE_MESSAGE_MAX + 1];
	struct pair pair = open_pair();

	assert_int_equal(
	    noise_seal(pair.front, bytes_make(plain, NOISE_PLAIN_MAX + 1), message, NULL),
	    AZ_LIMIT);
	/* Nothing was sent, so the channel goes on. */
	memset(plain, 3, NOISE_PLAIN_MAX);
	assert_int_equal(
	    noise_seal(pair.front, bytes_make(plain, NOISE_PLAIN_MAX), message, NULL), AZ_OK);
	memset(plain, 0, NOISE_PLAIN_MAX);
	assert_int_equal(
	    noise_open(pair.keeper, bytes_make(message, NOISE_MESSAGE_MAX), plain, NULL), AZ_OK);
	assert_int_equal(plain[0], 3);
	assert_int_equal(plain[NOISE_PLAIN_MAX - 1], 3);
	assert_int_equal(
	    noise_open(pair.keeper, bytes_make(message, NOISE_MESSAGE_MAX + 1), plain, NULL),
	    AZ_FORGED);
	assert_dead(pair.keeper);
	pair_free(&pair);
}

static void
an_empty_message_passes(void **state)
{
	struct pair pair = open_pair();
	uint8_t message[NOISE_TAG_SIZE];

	assert_int_equal(noise_seal(pair.front, bytes_make(NULL, 0), message, NULL), AZ_OK);
	assert_int_equal(
	    noise_open(pair.keeper, bytes_make(message, sizeof(message)), NULL, NULL), AZ_OK);
	pair_free(&pair);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_messages_are_those_of_cacophony),
	    cmocka_unit_test(the_messages_are_those_of_snow),
	    cmocka_unit_test(public_keys_are_those_of_the_rfc),
	    cmocka_unit_test(any_flipped_bit_of_the_hello_is_refused),
	    cmocka_unit_test(any_flipped_bit_of_the_answer_is_refused),
	    cmocka_unit_test(a_hello_cut_short_or_too_long_is_refused),
	    cmocka_unit_test(another_prologue_is_refused),
	    cmocka_unit_test(a_keeper_with_another_key_is_refused),
	    cmocka_unit_test(an_answer_to_another_hello_is_refused),
	    cmocka_unit_test(public_keys_of_small_order_are_refused),
	    cmocka_unit_test(messages_out_of_turn_are_refused),
	    cmocka_unit_test(a_payload_that_cannot_be_sent_or_kept_kills_the_handshake),
	    cmocka_unit_test(two_handshakes_never_share_keys_or_hash),
	    cmocka_unit_test(messages_open_in_order_both_ways),
	    cmocka_unit_test(any_flipped_bit_of_a_message_kills_the_channel),
	    cmocka_unit_test(a_replayed_message_kills_the_channel),
	    cmocka_unit_test(a_message_before_its_turn_kills_the_channel),
	    cmocka_unit_test(a_message_turned_back_to_its_sender_kills_the_channel),
	    cmocka_unit_test(a_message_cut_short_kills_the_channel),
	    cmocka_unit_test(the_largest_message_passes_and_a_larger_one_does_not),
	    cmocka_unit_test(an_empty_message_passes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
