/*
 * The channel:
 *
 *	hello ─► answer ─► sign-in ─► DONE ─► PRESENT … ─► DONE ─► request ─► ITEM … PROGRESS … ─► DONE or FAILED
 *
 * The keeper is known by its pinned key before anything is said to it. Every DONE and FAILED after the sign-in carries
 * heads of the ledger, which are held against those seen before.
 */
#include "channel/channel.h"

#include <stdlib.h>
#include <string.h>

#include "base/frame.h"
#include "base/wire.h"
#include "crypto/hash.h"
#include "crypto/noise.h"

#define OUT_MAX     (256u * 1024u)
#define ITEMS_MAX   (64u * 1024u * 1024u)
#define REPLY_HEADS 16u

struct front_channel {
	struct channel_config config;
	struct link link;
	struct noise *noise;
	struct heads heads;
	bool keeps_heads;
	uint32_t next_id;
};

void
front_answer_init(struct front_answer *answer)
{
	answer->status = AZ_INTERNAL;
	answer->text[0] = '\0';
	buffer_init(&answer->items, ITEMS_MAX, true);
	buffer_init(&answer->tree, FRONT_FRAME_MAX, true);
}

void
front_answer_fini(struct front_answer *answer)
{
	buffer_fini(&answer->items);
	buffer_fini(&answer->tree);
}

/* --- the channel ------------------------------------------------------------------------------ */

static enum az_status
receive(struct front_channel *channel, enum front_frame type, struct frame *ret_frame,
    struct az_err *reterr)
{
	enum az_status status = link_receive(&channel->link, ret_frame, reterr);

	if (status == AZ_GONE)
		return az_fail(reterr, AZ_GONE, "the keeper has closed the connection");
	if (status == AZ_OK && ret_frame->type != type)
		return az_fail(reterr, AZ_FORGED, "the keeper sent a frame that cannot be");
	return status;
}

static enum az_status
shake_hands(struct front_channel *channel, struct az_err *reterr)
{
	uint8_t prologue[FRONT_PROLOGUE_SIZE];
	struct buffer message;
	struct frame frame;
	enum az_status status;

	buffer_init(&message, NOISE_MESSAGE_MAX, false);
	front_prologue(channel->config.house, prologue);
	status = noise_initiator(channel->config.keeper, bytes_make(prologue, sizeof(prologue)),
	    &channel->noise, reterr);
	if (status == AZ_OK)
		status =
		    noise_write_handshake(channel->noise, bytes_make(NULL, 0), &message, reterr);
	if (status == AZ_OK)
		status = link_queue(&channel->link, FRONT_HELLO, 0, buffer_peek(&message));
	if (status == AZ_OK)
		status = link_flush(&channel->link, reterr);
	if (status == AZ_OK)
		status = receive(channel, FRONT_ANSWER, &frame, reterr);
	if (status == AZ_OK) {
		buffer_clear(&message);
		status = noise_read_handshake(channel->noise, frame.body, &message, reterr);
		if (status == AZ_FORGED)
			(void)az_fail(reterr, AZ_FORGED,
			    "whoever answered is not the keeper that the key file pins");
	}
	buffer_fini(&message);
	return status;
}

static enum az_status
send_message(struct front_channel *channel, struct bytes message, int fd, struct az_err *reterr)
{
	struct buffer sealed;
	enum az_status status;

	buffer_init(&sealed, NOISE_MESSAGE_MAX, false);
	status = buffer_reserve(&sealed, message.size + NOISE_TAG_SIZE);
	if (status == AZ_OK)
		status = noise_seal(channel->noise, message, sealed.data, reterr);
	if (status == AZ_OK) {
		sealed.size = message.size + NOISE_TAG_SIZE;
		if (fd >= 0)
			status = link_send_fd(
			    &channel->link, FRONT_DATA, 0, buffer_peek(&sealed), fd, reterr);
		else
			status = link_queue(&channel->link, FRONT_DATA, 0, buffer_peek(&sealed));
	}
	if (status == AZ_OK)
		status = link_flush(&channel->link, reterr);
	buffer_fini(&sealed);
	return status;
}

/* Opens the next message into plain. */
static enum az_status
receive_message(struct front_channel *channel, struct buffer *plain, struct az_err *reterr)
{
	struct frame frame;
	enum az_status status = receive(channel, FRONT_DATA, &frame, reterr);

	buffer_clear(plain);
	if (status != AZ_OK)
		return status;
	if (frame.body.size < NOISE_TAG_SIZE)
		return az_fail(reterr, AZ_FORGED, "the keeper sent a message that is too short");
	status = buffer_reserve(plain, frame.body.size);
	if (status == AZ_OK)
		status = noise_open(channel->noise, frame.body, plain->data, reterr);
	if (status == AZ_OK)
		plain->size = frame.body.size - NOISE_TAG_SIZE;
	return status;
}

enum az_status
channel_open(int fd, const struct channel_config *config, struct front_channel **ret_channel,
    struct az_err *reterr)
{
	struct front_channel *channel = calloc(1, sizeof(*channel));
	enum az_status status;

	if (channel == NULL) {
		fd_close(&fd);
		return az_fail(reterr, AZ_NO_MEMORY, "out of memory");
	}
	channel->config = *config;
	link_init(&channel->link, fd, LINK_BLOCKING, FRONT_FRAME_MAX, OUT_MAX, true);
	if (config->wait_ms > 0)
		channel->link.wait_ms = config->wait_ms;
	status = shake_hands(channel, reterr);
	if (status == AZ_OK)
		*ret_channel = channel;
	else
		channel_close(&channel);
	return status;
}

void
channel_close(struct front_channel **channel)
{
	struct front_channel *closed = *channel;

	if (closed == NULL)
		return;
	*channel = NULL;
	noise_free(&closed->noise);
	link_fini(&closed->link);
	heads_fini(&closed->heads);
	free(closed);
}

/* --- replies ---------------------------------------------------------------------------------- */

static void
take_progress(struct front_channel *channel, struct wire_reader *reader)
{
	char what[LABEL_SIZE];
	uint64_t done = wire_get_u64(reader);
	uint64_t of = wire_get_u64(reader);

	wire_get_text(reader, what, sizeof(what));
	if (!reader->failed && channel->config.progress != NULL)
		channel->config.progress(channel->config.arg, done, of, what);
}

/* The heads of a reply, held against those seen. */
static enum az_status
take_heads(struct front_channel *channel, struct wire_reader *reader, struct az_err *reterr)
{
	struct head heads[REPLY_HEADS];
	uint32_t count = front_get_heads(reader, heads, REPLY_HEADS);
	enum az_status status = AZ_OK;

	for (uint32_t i = 0; i < count && status == AZ_OK; i++) {
		if (channel->config.head != NULL)
			channel->config.head(channel->config.arg, &heads[i]);
		status = heads_see(&channel->heads, &heads[i], reterr);
	}
	if (status == AZ_OK && count > 0 && channel->keeps_heads)
		status = heads_write(
		    channel->config.state_dirfd, channel->config.house, &channel->heads, reterr);
	return status;
}

static enum az_status
take_item(struct front_answer *answer, struct bytes body)
{
	struct wire_writer writer;

	wire_writer_init(&writer, &answer->items);
	wire_put_bytes(&writer, body);
	return writer.status;
}

/* The last reply; the rest of it is a tree. */
static enum az_status
take_end(struct front_channel *channel, enum front_message type, struct bytes body,
    struct front_answer *answer, struct az_err *reterr)
{
	struct wire_reader reader;
	uint8_t failed = AZ_OK;
	enum az_status status;

	wire_reader_init(&reader, body);
	status = take_heads(channel, &reader, reterr);
	if (status != AZ_OK)
		return status;
	if (type == FRONT_FAILED) {
		failed = wire_get_u8(&reader);
		wire_get_text(&reader, answer->text, sizeof(answer->text));
	}
	if (reader.failed || failed > AZ_GONE || (type == FRONT_FAILED && failed == AZ_OK))
		return az_fail(reterr, AZ_FORGED, "the keeper sent a reply that cannot be");
	answer->status = (enum az_status)failed;
	return buffer_append(&answer->tree, reader.rest);
}

static enum az_status
take_replies(
    struct front_channel *channel, uint32_t id, struct front_answer *answer, struct az_err *reterr)
{
	struct buffer plain;
	bool done = false;
	enum az_status status = AZ_OK;

	buffer_init(&plain, NOISE_MESSAGE_MAX, true);
	while (!done && status == AZ_OK) {
		struct front_header header;
		struct wire_reader reader;
		struct bytes body;

		status = receive_message(channel, &plain, reterr);
		if (status != AZ_OK)
			break;
		if (front_open(buffer_peek(&plain), &header, &body) != AZ_OK || header.id != id) {
			status =
			    az_fail(reterr, AZ_FORGED, "the keeper sent a reply that cannot be");
		} else if (header.type == FRONT_PROGRESS) {
			wire_reader_init(&reader, body);
			take_progress(channel, &reader);
		} else if (header.type == FRONT_ITEM) {
			status = take_item(answer, body);
		} else if (header.type == FRONT_DONE || header.type == FRONT_FAILED) {
			status = take_end(
			    channel, (enum front_message)header.type, body, answer, reterr);
			done = true;
		} else {
			status =
			    az_fail(reterr, AZ_FORGED, "the keeper sent a reply that cannot be");
		}
	}
	buffer_fini(&plain);
	return status;
}

enum az_status
channel_ask(struct front_channel *channel, enum front_message type,
    const union front_request *request, int fd, struct front_answer *answer, struct az_err *reterr)
{
	struct buffer message;
	uint32_t id = channel->next_id++;
	enum az_status status;

	buffer_init(&message, NOISE_PLAIN_MAX, true);
	status = front_encode(type, id, request, &message);
	if (status == AZ_INVALID)
		(void)az_fail(reterr, AZ_INVALID, "what is asked is not a valid request");
	if (status == AZ_OK)
		status = send_message(channel, buffer_peek(&message), fd, reterr);
	buffer_fini(&message);
	if (status == AZ_OK)
		status = take_replies(channel, id, answer, reterr);
	return status;
}

enum az_status
channel_ask_yes(struct front_channel *channel, enum front_message type,
    const union front_request *request, struct az_err *reterr)
{
	struct front_answer answer;
	enum az_status status;

	front_answer_init(&answer);
	status = channel_ask(channel, type, request, -1, &answer, reterr);
	if (status == AZ_OK && answer.status != AZ_OK)
		status = az_fail(reterr, answer.status, "%s", answer.text);
	front_answer_fini(&answer);
	return status;
}

enum az_status
channel_present(struct front_channel *channel, const struct heads *seen, struct az_err *reterr)
{
	union front_request *request = calloc(1, sizeof(*request));
	enum az_status status = AZ_OK;

	if (request == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "heads: out of memory");
	for (size_t at = 0; at < seen->count && status == AZ_OK;) {
		size_t count =
		    seen->count - at < FRONT_HEADS_MAX ? seen->count - at : FRONT_HEADS_MAX;

		memcpy(request->present.heads, seen->heads + at, count * sizeof(struct head));
		request->present.count = (uint32_t)count;
		status = channel_ask_yes(channel, FRONT_PRESENT, request, reterr);
		at += count;
	}
	free(request);
	return status;
}

enum az_status
channel_prepare(struct az_err *reterr)
{
	uint8_t public[NOISE_KEY_SIZE];
	struct bytes prologue = bytes_of(FRONT_PROLOGUE);
	struct secret *secret = NULL;
	struct noise *ours = NULL;
	struct noise *theirs = NULL;
	struct sign_key *key = NULL;
	struct buffer message, payload;
	enum az_status status = secret_random(NOISE_KEY_SIZE, &secret, reterr);

	/* A channel to ourselves, so that OpenSSL has loaded what it loads at first use. */
	buffer_init(&message, NOISE_MESSAGE_MAX, false);
	buffer_init(&payload, NOISE_MESSAGE_MAX, false);
	if (status == AZ_OK)
		status = noise_public(secret_peek(secret), public, reterr);
	if (status == AZ_OK)
		status = noise_initiator(public, prologue, &ours, reterr);
	if (status == AZ_OK)
		status = noise_responder(secret, prologue, &theirs, reterr);
	if (status == AZ_OK)
		status = noise_write_handshake(ours, bytes_make(NULL, 0), &message, reterr);
	if (status == AZ_OK)
		status = noise_read_handshake(theirs, buffer_peek(&message), &payload, reterr);
	if (status == AZ_OK)
		status = sign_key_new(secret_peek(secret), &key, reterr);
	sign_key_free(&key);
	noise_free(&theirs);
	noise_free(&ours);
	secret_free(&secret);
	buffer_fini(&message);
	buffer_fini(&payload);
	return status;
}

void
channel_keep_heads(struct front_channel *channel)
{
	channel->keeps_heads = true;
}

/* --- signing ---------------------------------------------------------------------------------- */

enum az_status
channel_sign_hash(const struct key_file *file, const char *context,
    const uint8_t hash[FRONT_HASH_SIZE], uint8_t ret_public[SIGN_PUBLIC_SIZE],
    uint8_t ret_signature[SIGNATURE_SIZE], struct az_err *reterr)
{
	uint8_t data[FRONT_SIGNED_MAX];
	struct sign_key *key = NULL;
	size_t size = front_signed(context, hash, data);
	enum az_status status = sign_key_new(secret_peek(file->seed), &key, reterr);

	if (status == AZ_OK) {
		sign_key_public(key, ret_public);
		status = sign(key, bytes_make(data, size), ret_signature, reterr);
	}
	sign_key_free(&key);
	return status;
}

enum az_status
channel_sign(const struct front_channel *channel, const struct key_file *file, const char *context,
    uint8_t ret_public[SIGN_PUBLIC_SIZE], uint8_t ret_signature[SIGNATURE_SIZE],
    struct az_err *reterr)
{
	uint8_t hash[NOISE_HASH_SIZE];

	noise_hash(channel->noise, hash);
	return channel_sign_hash(file, context, hash, ret_public, ret_signature, reterr);
}
