/*
 * hello, sign-in, then requests: src/cli/front.c for people, this for a load.
 */
#include "channel.h"

#include <poll.h>
#include <string.h>

#include "base/wire.h"
#include "measure.h"

#define OUT_MAX     65536u
#define REPLY_HEADS 16u

static void
await(struct load_channel *channel)
{
	struct pollfd ready = {.fd = channel->link.fd, .events = POLLIN};

	if (poll(&ready, 1, 30000) != 1)
		bench_die("the keeper does not answer", NULL);
}

/* The next frame, waited for. */
static void
receive(struct load_channel *channel, uint16_t type, struct frame *ret_frame)
{
	struct az_err err = {0};
	enum az_status status;

	while ((status = link_next(&channel->link, ret_frame, &err)) == AZ_BUSY) {
		await(channel);
		status = link_fill(&channel->link, &err);
		if (status != AZ_OK && status != AZ_BUSY)
			bench_die("the keeper has gone", &err);
	}
	bench_check("the keeper's frame", status, &err);
	if (ret_frame->type != type)
		bench_die("the keeper sent a frame that cannot be", NULL);
}

static void
shake_hands(struct load_channel *channel, const struct house_file *house)
{
	uint8_t prologue[FRONT_PROLOGUE_SIZE];
	struct buffer message;
	struct frame frame;
	struct az_err err = {0};

	buffer_init(&message, NOISE_MESSAGE_MAX, false);
	front_prologue(house->house, prologue);
	bench_check("channel",
	    noise_initiator(
		house->keeper, bytes_make(prologue, sizeof(prologue)), &channel->noise, &err),
	    &err);
	bench_check("hello",
	    noise_write_handshake(channel->noise, bytes_make(NULL, 0), &message, &err), &err);
	bench_check(
	    "hello", link_queue(&channel->link, FRONT_HELLO, 0, buffer_peek(&message)), NULL);
	bench_check("hello", link_flush(&channel->link, &err), &err);
	receive(channel, FRONT_ANSWER, &frame);
	buffer_clear(&message);
	bench_check(
	    "answer", noise_read_handshake(channel->noise, frame.body, &message, &err), &err);
	buffer_fini(&message);
}

static void
sign_as(const struct sign_key *key, const char *context, const uint8_t hash[NOISE_HASH_SIZE],
    uint8_t ret_public[SIGN_PUBLIC_SIZE], uint8_t ret_signature[SIGNATURE_SIZE])
{
	uint8_t data[FRONT_SIGNED_MAX];
	size_t size = front_signed(context, hash, data);
	struct az_err err = {0};

	sign_key_public(key, ret_public);
	bench_check("signature", sign(key, bytes_make(data, size), ret_signature, &err), &err);
}

void
channel_open(struct load_channel *channel, const struct house_folder *house,
    const struct sign_key *staff, const struct sign_key *device)
{
	union front_request request = {0};
	uint8_t hash[NOISE_HASH_SIZE];
	int fd = -1;
	struct az_err err = {0};

	*channel = (struct load_channel){.id = 0};
	bench_check("connect", house_connect(house, &fd, &err), &err);
	link_init(&channel->link, fd, LINK_NONBLOCKING, FRONT_FRAME_MAX, OUT_MAX, true);
	buffer_init(&channel->plain, NOISE_MESSAGE_MAX, true);
	shake_hands(channel, &house->file);
	noise_hash(channel->noise, hash);
	sign_as(staff, FRONT_SIGN_IN_STAFF, hash, request.sign_in.staff_key,
	    request.sign_in.staff_signature);
	sign_as(device, FRONT_SIGN_IN_DEVICE, hash, request.sign_in.device_key,
	    request.sign_in.device_signature);
	channel_send(channel, FRONT_SIGN_IN, &request);
	channel_wait(channel);
}

void
channel_close(struct load_channel *channel)
{
	noise_free(&channel->noise);
	link_fini(&channel->link);
	buffer_fini(&channel->plain);
}

void
channel_send(
    struct load_channel *channel, enum front_message type, const union front_request *request)
{
	uint8_t sealed[4096];
	struct az_err err = {0};
	size_t size;

	buffer_clear(&channel->plain);
	bench_check("request", front_encode(type, ++channel->id, request, &channel->plain), NULL);
	size = channel->plain.size + NOISE_TAG_SIZE;
	if (size > sizeof(sealed))
		bench_die("a request that is too long", NULL);
	bench_check(
	    "seal", noise_seal(channel->noise, buffer_peek(&channel->plain), sealed, &err), &err);
	bench_check(
	    "queue", link_queue(&channel->link, FRONT_DATA, 0, bytes_make(sealed, size)), NULL);
	channel->asked_ns = bench_now_ns();
	bench_check("send", link_flush(&channel->link, &err), &err);
}

static void
check_answer(struct load_channel *channel)
{
	struct head heads[REPLY_HEADS];
	struct front_header header;
	struct wire_reader reader;
	struct az_err err = {0};
	struct bytes body;

	if (front_open(buffer_peek(&channel->plain), &header, &body) != AZ_OK ||
	    header.id != channel->id)
		bench_die("the keeper sent a reply that cannot be", NULL);
	if (header.type == FRONT_DONE)
		return;
	wire_reader_init(&reader, body);
	(void)front_get_heads(&reader, heads, REPLY_HEADS);
	(void)wire_get_u8(&reader);
	wire_get_text(&reader, err.text, sizeof(err.text));
	bench_die("refused", &err);
}

enum az_status
channel_take(struct load_channel *channel)
{
	struct frame frame;
	struct az_err err = {0};
	enum az_status status = link_fill(&channel->link, &err);

	if (status == AZ_OK)
		status = link_next(&channel->link, &frame, &err);
	if (status == AZ_BUSY)
		return AZ_BUSY;
	bench_check("the keeper's frame", status, &err);
	if (frame.type != FRONT_DATA || frame.body.size < NOISE_TAG_SIZE)
		bench_die("the keeper sent a frame that cannot be", NULL);
	buffer_clear(&channel->plain);
	bench_check("reserve", buffer_reserve(&channel->plain, frame.body.size), NULL);
	bench_check(
	    "open", noise_open(channel->noise, frame.body, channel->plain.data, &err), &err);
	channel->plain.size = frame.body.size - NOISE_TAG_SIZE;
	check_answer(channel);
	return AZ_OK;
}

void
channel_wait(struct load_channel *channel)
{
	do
		await(channel);
	while (channel_take(channel) == AZ_BUSY);
}
