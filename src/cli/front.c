/*
 * The connection:
 *
 *	hello ─► answer ─► SIGN_IN ─► DONE ─► PRESENT … ─► DONE ─► request ─► ITEM … PROGRESS … ─► DONE or FAILED
 *
 * The keeper is known by the key that the staff key file pins, before anything is said to it. Every DONE and
 * FAILED after the sign-in carries heads of the ledger, which are held against those seen before.
 */
#include "cli/front.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/frame.h"
#include "base/wire.h"
#include "crypto/noise.h"

#define OUT_MAX        (256u * 1024u)
#define ITEMS_MAX      (64u * 1024u * 1024u)
#define PROGRESS_US    (2 * AZ_US_PER_S)
#define REACH_AGAIN    10u
#define REACH_PAUSE_MS 100
#define REPLY_HEADS    16u

struct front {
	struct house_folder folder;
	struct key_file staff, device;
	struct link link;
	bool has_link;
	struct noise *noise;
	int state_dirfd;
	struct heads heads;
	bool compared;            /* the keeper has said yes to all that was seen */
	uint32_t seen_generation; /* of the house's log, before this connection; 0: never */
	uint32_t next_id;
	int64_t asked_us;
	bool shows_progress; /* a line of it stands on the terminal */
};

const struct house_file *
front_house(const struct front *front)
{
	return &front->folder.file;
}

void
front_close(struct front **front)
{
	struct front *closed = *front;

	if (closed == NULL)
		return;
	*front = NULL;
	noise_free(&closed->noise);
	if (closed->has_link)
		link_fini(&closed->link);
	key_file_fini(&closed->staff);
	key_file_fini(&closed->device);
	heads_fini(&closed->heads);
	fd_close(&closed->state_dirfd);
	house_folder_close(&closed->folder);
	free(closed);
}

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

/* --- keys ------------------------------------------------------------------------------------- */

/* A key file of this house that pins its keeper. */
static enum az_status
check_key(const struct key_file *file, enum key_kind kind, const struct house_file *house,
    const char *what, struct az_err *reterr)
{
	if (file->kind != kind)
		return az_fail(reterr, AZ_INVALID, "%s is a key of another kind", what);
	if (!bytes_equal(
		bytes_make(file->house, HOUSE_ID_SIZE), bytes_make(house->house, HOUSE_ID_SIZE)))
		return az_fail(reterr, AZ_INVALID, "%s is for another house", what);
	if (!bytes_equal(bytes_make(file->keeper, sizeof(file->keeper)),
		bytes_make(house->keeper, sizeof(house->keeper))))
		return az_fail(
		    reterr, AZ_FORGED, "%s pins another keeper than this house has", what);
	return AZ_OK;
}

/* The device key that AZUKARI_DEVICE names, that of the house's own host, or that of this front. */
static enum az_status
read_device_key(struct front *front, struct az_err *reterr)
{
	const char *named = getenv("AZUKARI_DEVICE");
	struct buffer text;
	int dirfd = -1;
	enum az_status status;

	if (named != NULL && named[0] != '\0') {
		status = key_file_read(named, &front->device, reterr);
		return status == AZ_OK ? check_key(&front->device, KEY_DEVICE, &front->folder.file,
					     "the device key", reterr)
				       : status;
	}
	buffer_init(&text, 4096, true);
	status = dir_open(front->folder.dirfd, "secret", false, 0, &dirfd, NULL);
	if (status == AZ_OK)
		status = file_read_whole(dirfd, "device.key", &text, NULL);
	if (status != AZ_OK)
		status = file_read_whole(front->state_dirfd, "device.key", &text, reterr);
	if (status == AZ_NOT_FOUND)
		status = az_fail(reterr, AZ_NOT_FOUND,
		    "this machine has no device key for the house: azukari device key");
	if (status == AZ_OK)
		status = key_file_decode(buffer_peek(&text), &front->device, reterr);
	buffer_fini(&text);
	fd_close(&dirfd);
	if (status == AZ_OK)
		status = check_key(
		    &front->device, KEY_DEVICE, &front->folder.file, "the device key", reterr);
	return status;
}

static enum az_status
read_keys(struct front *front, const struct cli *cli, struct az_err *reterr)
{
	enum az_status status;

	if (cli->key == NULL)
		return az_fail(reterr, AZ_INVALID, "no key is named: --key FILE or AZUKARI_KEY");
	status = key_file_read(cli->key, &front->staff, reterr);
	if (status == AZ_OK)
		status = check_key(
		    &front->staff, KEY_STAFF, &front->folder.file, "the key file", reterr);
	if (status == AZ_OK)
		status = read_device_key(front, reterr);
	return status;
}

/* --- the channel ------------------------------------------------------------------------------ */

static enum az_status
receive(struct front *front, enum front_frame type, struct frame *ret_frame, struct az_err *reterr)
{
	enum az_status status = link_receive(&front->link, ret_frame, reterr);

	if (status == AZ_GONE)
		return az_fail(reterr, AZ_GONE, "the keeper has closed the connection");
	if (status == AZ_OK && ret_frame->type != type)
		return az_fail(reterr, AZ_FORGED, "the keeper sent a frame that cannot be");
	return status;
}

static enum az_status
shake_hands(struct front *front, struct az_err *reterr)
{
	uint8_t prologue[FRONT_PROLOGUE_SIZE];
	struct buffer message;
	struct frame frame;
	enum az_status status;

	buffer_init(&message, NOISE_MESSAGE_MAX, false);
	front_prologue(front->folder.file.house, prologue);
	status = noise_initiator(
	    front->staff.keeper, bytes_make(prologue, sizeof(prologue)), &front->noise, reterr);
	if (status == AZ_OK)
		status = noise_write_handshake(front->noise, bytes_make(NULL, 0), &message, reterr);
	if (status == AZ_OK)
		status = link_queue(&front->link, FRONT_HELLO, 0, buffer_peek(&message));
	if (status == AZ_OK)
		status = link_flush(&front->link, reterr);
	if (status == AZ_OK)
		status = receive(front, FRONT_ANSWER, &frame, reterr);
	if (status == AZ_OK) {
		buffer_clear(&message);
		status = noise_read_handshake(front->noise, frame.body, &message, reterr);
		if (status == AZ_FORGED)
			(void)az_fail(reterr, AZ_FORGED,
			    "whoever answered is not the keeper that the key file pins");
	}
	buffer_fini(&message);
	return status;
}

static enum az_status
send_message(struct front *front, struct bytes message, int fd, struct az_err *reterr)
{
	struct buffer sealed;
	enum az_status status;

	buffer_init(&sealed, NOISE_MESSAGE_MAX, false);
	status = buffer_reserve(&sealed, message.size + NOISE_TAG_SIZE);
	if (status == AZ_OK)
		status = noise_seal(front->noise, message, sealed.data, reterr);
	if (status == AZ_OK) {
		sealed.size = message.size + NOISE_TAG_SIZE;
		if (fd >= 0)
			status = link_send_fd(
			    &front->link, FRONT_DATA, 0, buffer_peek(&sealed), fd, reterr);
		else
			status = link_queue(&front->link, FRONT_DATA, 0, buffer_peek(&sealed));
	}
	if (status == AZ_OK)
		status = link_flush(&front->link, reterr);
	buffer_fini(&sealed);
	return status;
}

/* Opens the next message into plain. */
static enum az_status
receive_message(struct front *front, struct buffer *plain, struct az_err *reterr)
{
	struct frame frame;
	enum az_status status = receive(front, FRONT_DATA, &frame, reterr);

	buffer_clear(plain);
	if (status != AZ_OK)
		return status;
	if (frame.body.size < NOISE_TAG_SIZE)
		return az_fail(reterr, AZ_FORGED, "the keeper sent a message that is too short");
	status = buffer_reserve(plain, frame.body.size);
	if (status == AZ_OK)
		status = noise_open(front->noise, frame.body, plain->data, reterr);
	if (status == AZ_OK)
		plain->size = frame.body.size - NOISE_TAG_SIZE;
	return status;
}

/* --- replies ---------------------------------------------------------------------------------- */

static void
show_progress(struct front *front, struct wire_reader *reader)
{
	char what[LABEL_SIZE];
	uint64_t done = wire_get_u64(reader);
	uint64_t of = wire_get_u64(reader);

	wire_get_text(reader, what, sizeof(what));
	if (reader->failed || !isatty(STDERR_FILENO) ||
	    clock_monotonic_us() - front->asked_us < PROGRESS_US)
		return;
	if (of > 0)
		(void)fprintf(stderr, "\r%llu of %llu %s", (unsigned long long)done,
		    (unsigned long long)of, what);
	else
		(void)fprintf(stderr, "\r%llu %s", (unsigned long long)done, what);
	(void)fflush(stderr);
	front->shows_progress = true;
}

/* Once, to whoever has seen the house in its life before. */
static void
tell_generation(struct front *front, const struct head *head)
{
	if (front->seen_generation == 0 || head->generation <= front->seen_generation)
		return;
	front->seen_generation = head->generation;
	(void)fprintf(stderr,
	    "azukari: the house has declared a loss: its ledger is in generation %u now, and does "
	    "not have all that was seen of it (azukari ledger query)\n",
	    head->generation);
}

/* The heads of a reply, held against those seen. */
static enum az_status
take_heads(struct front *front, struct wire_reader *reader, struct az_err *reterr)
{
	struct head heads[REPLY_HEADS];
	uint32_t count = front_get_heads(reader, heads, REPLY_HEADS);
	enum az_status status = AZ_OK;

	for (uint32_t i = 0; i < count && status == AZ_OK; i++) {
		tell_generation(front, &heads[i]);
		status = heads_see(&front->heads, &heads[i], reterr);
	}
	/* A house that was not compared with what was seen adds nothing to it: a longer fork would take its place. */
	if (status == AZ_OK && count > 0 && front->compared)
		status = heads_write(
		    front->state_dirfd, front->folder.file.house, &front->heads, reterr);
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
take_end(struct front *front, enum front_message type, struct bytes body,
    struct front_answer *answer, struct az_err *reterr)
{
	struct wire_reader reader;
	uint8_t failed = AZ_OK;
	enum az_status status;

	wire_reader_init(&reader, body);
	status = take_heads(front, &reader, reterr);
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
take_replies(struct front *front, uint32_t id, struct front_answer *answer, struct az_err *reterr)
{
	struct buffer plain;
	bool done = false;
	enum az_status status = AZ_OK;

	buffer_init(&plain, NOISE_MESSAGE_MAX, true);
	while (!done && status == AZ_OK) {
		struct front_header header;
		struct wire_reader reader;
		struct bytes body;

		status = receive_message(front, &plain, reterr);
		if (status != AZ_OK)
			break;
		if (front_open(buffer_peek(&plain), &header, &body) != AZ_OK || header.id != id) {
			status =
			    az_fail(reterr, AZ_FORGED, "the keeper sent a reply that cannot be");
		} else if (header.type == FRONT_PROGRESS) {
			wire_reader_init(&reader, body);
			show_progress(front, &reader);
		} else if (header.type == FRONT_ITEM) {
			status = take_item(answer, body);
		} else if (header.type == FRONT_DONE || header.type == FRONT_FAILED) {
			status =
			    take_end(front, (enum front_message)header.type, body, answer, reterr);
			done = true;
		} else {
			status =
			    az_fail(reterr, AZ_FORGED, "the keeper sent a reply that cannot be");
		}
	}
	if (front->shows_progress)
		(void)fprintf(stderr, "\r\033[K");
	front->shows_progress = false;
	buffer_fini(&plain);
	return status;
}

enum az_status
front_ask(struct front *front, enum front_message type, const union front_request *request, int fd,
    struct front_answer *answer, struct az_err *reterr)
{
	struct buffer message;
	uint32_t id = front->next_id++;
	enum az_status status;

	buffer_init(&message, NOISE_PLAIN_MAX, true);
	status = front_encode(type, id, request, &message);
	if (status == AZ_INVALID)
		(void)az_fail(reterr, AZ_INVALID, "what is asked is not a valid request");
	front->asked_us = clock_monotonic_us();
	if (status == AZ_OK)
		status = send_message(front, buffer_peek(&message), fd, reterr);
	buffer_fini(&message);
	if (status == AZ_OK)
		status = take_replies(front, id, answer, reterr);
	return status;
}

/* --- signing in ------------------------------------------------------------------------------- */

static enum az_status
sign_as(const struct key_file *file, const char *context, const uint8_t hash[NOISE_HASH_SIZE],
    uint8_t ret_public[SIGN_PUBLIC_SIZE], uint8_t ret_signature[SIGNATURE_SIZE],
    struct az_err *reterr)
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
front_sign(const struct front *front, const char *context, const uint8_t hash[FRONT_HASH_SIZE],
    uint8_t ret_signature[SIGNATURE_SIZE], struct az_err *reterr)
{
	uint8_t public[SIGN_PUBLIC_SIZE];

	return sign_as(&front->staff, context, hash, public, ret_signature, reterr);
}

/* Asks for something whose answer is nothing but yes. */
static enum az_status
ask_yes(struct front *front, enum front_message type, const union front_request *request,
    struct az_err *reterr)
{
	struct front_answer answer;
	enum az_status status;

	front_answer_init(&answer);
	status = front_ask(front, type, request, -1, &answer, reterr);
	if (status == AZ_OK && answer.status != AZ_OK)
		status = az_fail(reterr, answer.status, "%s", answer.text);
	front_answer_fini(&answer);
	return status;
}

static enum az_status
sign_in(struct front *front, struct az_err *reterr)
{
	union front_request request = {0};
	uint8_t hash[NOISE_HASH_SIZE];
	enum az_status status;

	noise_hash(front->noise, hash);
	status = sign_as(&front->staff, FRONT_SIGN_IN_STAFF, hash, request.sign_in.staff_key,
	    request.sign_in.staff_signature, reterr);
	if (status == AZ_OK)
		status = sign_as(&front->device, FRONT_SIGN_IN_DEVICE, hash,
		    request.sign_in.device_key, request.sign_in.device_signature, reterr);
	if (status == AZ_OK)
		status = ask_yes(front, FRONT_SIGN_IN, &request, reterr);
	return status;
}

/* What was seen before this connection. */
static enum az_status
present(struct front *front, const struct heads *seen, struct az_err *reterr)
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
		status = ask_yes(front, FRONT_PRESENT, request, reterr);
		at += count;
	}
	free(request);
	return status;
}

/* Reaches the keeper, and signs in. AZ_GONE: it went away meanwhile. */
static enum az_status
reach(struct front *front, const struct cli *cli, bool signs_in, struct az_err *reterr)
{
	int fd = -1;
	enum az_status status = serve_ensure(cli->house, reterr);

	if (front->has_link)
		link_fini(&front->link);
	front->has_link = false;
	noise_free(&front->noise);
	if (status == AZ_OK)
		status = house_connect(&front->folder, &fd, reterr);
	if (status != AZ_OK)
		return status;
	link_init(&front->link, fd, LINK_BLOCKING, FRONT_FRAME_MAX, OUT_MAX, true);
	front->has_link = true;
	status = shake_hands(front, reterr);
	if (status == AZ_OK && signs_in)
		status = sign_in(front, reterr);
	return status;
}

static enum az_status
connect_to(struct front *front, const struct cli *cli, bool signs_in, struct az_err *reterr)
{
	struct heads seen = {0};
	enum az_status status;

	if (cli->house == NULL)
		return az_fail(
		    reterr, AZ_INVALID, "no house is named: --house DIR or AZUKARI_HOUSE");
	status = house_folder_open(cli->house, &front->folder, reterr);
	if (status == AZ_OK)
		status = house_state_open(front->folder.file.house, &front->state_dirfd, reterr);
	if (status == AZ_OK)
		status = read_keys(front, cli, reterr);
	if (status == AZ_OK)
		status = heads_read(front->state_dirfd, front->folder.file.house, &seen, reterr);
	for (size_t i = 0; i < seen.count; i++) {
		if (seen.heads[i].log == 0)
			front->seen_generation = seen.heads[i].generation;
	}
	if (status == AZ_OK)
		status = reach(front, cli, signs_in, reterr);
	/* A keeper that was just ending: nothing was asked yet, so it can be tried again. */
	for (unsigned int again = 0; status == AZ_GONE && again < REACH_AGAIN; again++) {
		(void)poll(NULL, 0, REACH_PAUSE_MS);
		status = reach(front, cli, signs_in, reterr);
	}
	if (status == AZ_OK && signs_in && !cli->despite_loss)
		status = present(front, &seen, reterr);
	front->compared = status == AZ_OK && !cli->despite_loss;
	heads_fini(&seen);
	return status;
}

static enum az_status
connect_new(const struct cli *cli, bool signs_in, struct front **ret_front, struct az_err *reterr)
{
	struct front *front = calloc(1, sizeof(*front));
	enum az_status status;

	if (front == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "out of memory");
	front->folder.dirfd = -1;
	front->state_dirfd = -1;
	status = connect_to(front, cli, signs_in, reterr);
	if (status == AZ_OK)
		*ret_front = front;
	else
		front_close(&front);
	return status;
}

enum az_status
front_connect(const struct cli *cli, struct front **ret_front, struct az_err *reterr)
{
	return connect_new(cli, true, ret_front, reterr);
}

enum az_status
front_enrol(const struct cli *cli, const uint8_t code[FRONT_INVITE_CODE], bool *ret_asked,
    struct front_answer *answer, struct az_err *reterr)
{
	union front_request request = {0};
	struct front_sign_in *sign_in = &request.enrol.sign_in;
	struct front *front = NULL;
	uint8_t hash[NOISE_HASH_SIZE];
	enum az_status status = connect_new(cli, false, &front, reterr);

	*ret_asked = false;
	memcpy(request.enrol.code, code, FRONT_INVITE_CODE);
	if (status == AZ_OK) {
		noise_hash(front->noise, hash);
		status = sign_as(&front->staff, FRONT_ENROL_STAFF, hash, sign_in->staff_key,
		    sign_in->staff_signature, reterr);
	}
	if (status == AZ_OK)
		status = sign_as(&front->device, FRONT_SIGN_IN_DEVICE, hash, sign_in->device_key,
		    sign_in->device_signature, reterr);
	if (status == AZ_OK) {
		*ret_asked = true;
		status = front_ask(front, FRONT_ENROL, &request, -1, answer, reterr);
	}
	front_close(&front);
	az_wipe(&request, sizeof(request));
	return status;
}
