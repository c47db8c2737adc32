/*
 * The channel, as a stranger sees it: whatever he says instead of a hello, an answer or a message, the other
 * side refuses it and is dead afterwards.
 *
 * The first byte says where: 0 hello to a keeper, 1 answer to a front, 2 a message to an open channel,
 * 3 the true hello with a byte changed.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/hash.h"
#include "crypto/noise.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct secret *keeper_key;
static uint8_t keeper_public[NOISE_KEY_SIZE];

static void
prepare(void)
{
	if (keeper_key != NULL)
		return;
	if (secret_new(NOISE_KEY_SIZE, &keeper_key, NULL) != AZ_OK)
		abort();
	memset(secret_data(keeper_key), 0x42, NOISE_KEY_SIZE);
	if (noise_public(secret_peek(keeper_key), keeper_public, NULL) != AZ_OK)
		abort();
}

static struct noise *
keeper_new(void)
{
	struct noise *noise = NULL;

	if (noise_responder(keeper_key, bytes_of("fuzz"), &noise, NULL) != AZ_OK)
		abort();
	return noise;
}

static struct noise *
front_new(struct buffer *hello)
{
	struct noise *noise = NULL;

	if (noise_initiator(keeper_public, bytes_of("fuzz"), &noise, NULL) != AZ_OK ||
	    noise_write_handshake(noise, bytes_make(NULL, 0), hello, NULL) != AZ_OK)
		abort();
	return noise;
}

/* A channel that refused something says nothing and opens nothing any more. */
static void
assert_dead(struct noise *noise)
{
	uint8_t message[64];

	assert(!noise_ready(noise));
	assert(noise_seal(noise, bytes_of("x"), message, NULL) != AZ_OK);
}

static void
say_hello(struct bytes message)
{
	struct noise *keeper = keeper_new();
	struct buffer payload;

	buffer_init(&payload, NOISE_MESSAGE_MAX, false);
	/* Nobody can know the key by chance. */
	assert(noise_read_handshake(keeper, message, &payload, NULL) != AZ_OK);
	assert(payload.size == 0);
	assert_dead(keeper);
	buffer_fini(&payload);
	noise_free(&keeper);
}

static void
say_answer(struct bytes message)
{
	struct buffer hello;
	struct buffer payload;
	struct noise *front;

	buffer_init(&hello, NOISE_MESSAGE_MAX, false);
	buffer_init(&payload, NOISE_MESSAGE_MAX, false);
	front = front_new(&hello);
	assert(noise_read_handshake(front, message, &payload, NULL) != AZ_OK);
	assert_dead(front);
	buffer_fini(&hello);
	buffer_fini(&payload);
	noise_free(&front);
}

static void
say_message(struct bytes message)
{
	static uint8_t plain[NOISE_MESSAGE_MAX];
	struct buffer hello;
	struct buffer answer;
	struct buffer payload;
	struct noise *keeper = keeper_new();
	struct noise *front;

	buffer_init(&hello, NOISE_MESSAGE_MAX, false);
	buffer_init(&answer, NOISE_MESSAGE_MAX, false);
	buffer_init(&payload, NOISE_MESSAGE_MAX, false);
	front = front_new(&hello);
	assert(noise_read_handshake(keeper, buffer_peek(&hello), &payload, NULL) == AZ_OK);
	assert(noise_write_handshake(keeper, bytes_make(NULL, 0), &answer, NULL) == AZ_OK);
	assert(noise_read_handshake(front, buffer_peek(&answer), &payload, NULL) == AZ_OK);
	if (message.size <= NOISE_MESSAGE_MAX) {
		assert(noise_open(keeper, message, plain, NULL) != AZ_OK);
		assert_dead(keeper);
	}
	buffer_fini(&hello);
	buffer_fini(&answer);
	buffer_fini(&payload);
	noise_free(&front);
	noise_free(&keeper);
}

static void
say_changed(struct bytes message)
{
	struct buffer hello;
	struct noise *front;

	if (message.size < 2 || message.data[1] == 0)
		return;
	buffer_init(&hello, NOISE_MESSAGE_MAX, false);
	front = front_new(&hello);
	hello.data[message.data[0] % hello.size] ^= message.data[1];
	/* The highest bit of an X25519 key is ignored (RFC 7748), but it is hashed. */
	say_hello(buffer_peek(&hello));
	buffer_fini(&hello);
	noise_free(&front);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes rest;

	if (size < 1)
		return 0;
	prepare();
	rest = bytes_make(data + 1, size - 1);
	switch (data[0] % 4u) {
	case 0: say_hello(rest); break;
	case 1: say_answer(rest); break;
	case 2: say_message(rest); break;
	default: say_changed(rest); break;
	}
	return 0;
}
