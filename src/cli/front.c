/*
 * A command's connection: whose keys it uses, and how it comes to a keeper.
 */
#include "cli/front.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

#define PROGRESS_US    (2 * AZ_US_PER_S)
#define REACH_AGAIN    10u
#define REACH_PAUSE_MS 100

struct front {
	struct house_folder folder;
	struct key_file staff, device;
	struct front_channel *channel;
	int state_dirfd;
	uint32_t seen_generation; /* of the house's log, before this connection; 0: never */
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
	channel_close(&closed->channel);
	key_file_fini(&closed->staff);
	key_file_fini(&closed->device);
	fd_close(&closed->state_dirfd);
	house_folder_close(&closed->folder);
	free(closed);
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

/* --- asking ----------------------------------------------------------------------------------- */

static void
show_progress(void *arg, uint64_t done, uint64_t of, const char *what)
{
	struct front *front = arg;

	if (!isatty(STDERR_FILENO) || clock_monotonic_us() - front->asked_us < PROGRESS_US)
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
tell_generation(void *arg, const struct head *head)
{
	struct front *front = arg;

	if (front->seen_generation == 0 || head->generation <= front->seen_generation)
		return;
	front->seen_generation = head->generation;
	(void)fprintf(stderr,
	    "azukari: the house has declared a loss: its ledger is in generation %u now, and does "
	    "not have all that was seen of it (azukari ledger query)\n",
	    head->generation);
}

enum az_status
front_ask(struct front *front, enum front_message type, const union front_request *request, int fd,
    struct front_answer *answer, struct az_err *reterr)
{
	enum az_status status;

	front->asked_us = clock_monotonic_us();
	status = channel_ask(front->channel, type, request, fd, answer, reterr);
	if (front->shows_progress)
		(void)fprintf(stderr, "\r\033[K");
	front->shows_progress = false;
	return status;
}

enum az_status
front_sign(const struct front *front, const char *context, const uint8_t hash[FRONT_HASH_SIZE],
    uint8_t ret_signature[SIGNATURE_SIZE], struct az_err *reterr)
{
	uint8_t public[SIGN_PUBLIC_SIZE];

	return channel_sign_hash(&front->staff, context, hash, public, ret_signature, reterr);
}

/* --- signing in ------------------------------------------------------------------------------- */

static enum az_status
sign_in(struct front *front, struct az_err *reterr)
{
	union front_request request = {0};
	struct front_sign_in *sign_in = &request.sign_in;
	enum az_status status = channel_sign(front->channel, &front->staff, FRONT_SIGN_IN_STAFF,
	    sign_in->staff_key, sign_in->staff_signature, reterr);

	if (status == AZ_OK)
		status = channel_sign(front->channel, &front->device, FRONT_SIGN_IN_DEVICE,
		    sign_in->device_key, sign_in->device_signature, reterr);
	if (status == AZ_OK)
		status = channel_ask_yes(front->channel, FRONT_SIGN_IN, &request, reterr);
	return status;
}

/* Reaches the keeper, and signs in. AZ_GONE: it went away meanwhile. */
static enum az_status
reach(struct front *front, const struct cli *cli, bool signs_in, struct az_err *reterr)
{
	struct channel_config config = {.state_dirfd = front->state_dirfd,
	    .head = tell_generation,
	    .progress = show_progress,
	    .arg = front};
	int fd = -1;
	enum az_status status = serve_ensure(cli->house, reterr);

	channel_close(&front->channel);
	memcpy(config.house, front->folder.file.house, sizeof(config.house));
	memcpy(config.keeper, front->staff.keeper, sizeof(config.keeper));
	if (status == AZ_OK)
		status = house_connect(&front->folder, &fd, reterr);
	if (status == AZ_OK)
		status = channel_open(fd, &config, &front->channel, reterr);
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
		status = channel_present(front->channel, &seen, reterr);
	/* A house that was not compared with what was seen adds nothing to it: a longer fork would take its place. */
	if (status == AZ_OK && !cli->despite_loss)
		channel_keep_heads(front->channel);
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
	enum az_status status = connect_new(cli, false, &front, reterr);

	*ret_asked = false;
	memcpy(request.enrol.code, code, FRONT_INVITE_CODE);
	if (status == AZ_OK)
		status = channel_sign(front->channel, &front->staff, FRONT_ENROL_STAFF,
		    sign_in->staff_key, sign_in->staff_signature, reterr);
	if (status == AZ_OK)
		status = channel_sign(front->channel, &front->device, FRONT_SIGN_IN_DEVICE,
		    sign_in->device_key, sign_in->device_signature, reterr);
	if (status == AZ_OK) {
		*ret_asked = true;
		status = front_ask(front, FRONT_ENROL, &request, -1, answer, reterr);
	}
	front_close(&front);
	az_wipe(&request, sizeof(request));
	return status;
}
