/*
 * A sealed house after a reboot: its parent has the host secret, and waits for the officers.
 *
 *	azukari serve ─► slots, host secret ─► unlock.sock ◄── azukari unlock, one officer after the other
 *	                                            └─ enough ─► root key, in locked memory ─► keeper
 *
 * Whoever is on this machine may connect. A wrong passphrase costs a pause, one connection is served at a time and
 * has two seconds, and what a stranger sends ends their connection only.
 */
#include "cli/locked.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/frame.h"
#include "base/socket.h"
#include "cli/values.h"
#include "crypto/slots.h"
#include "proto/unlock.h"

#define FORGET_MS   (15 * 60 * 1000)
#define PAUSE_MS    1000
#define PATIENCE_US (2 * AZ_US_PER_S)

/* --- passphrases ------------------------------------------------------------------------------ */

static enum az_status
read_one(const char *prompt, const char *spec, struct secret *line, struct az_err *reterr)
{
	bool in_argument = false;
	bool good = (spec == NULL || spec[0] == '@') &&
	    value_read(
		prompt, spec, (char *)secret_data(line), SLOTS_PASSPHRASE_MAX + 1, &in_argument);

	if (!good)
		return az_fail(reterr, AZ_INVALID,
		    "a passphrase comes from the terminal or a descriptor (@N), one line");
	return AZ_OK;
}

static struct bytes
text_of(const struct secret *line)
{
	struct bytes bytes = secret_peek(line);

	return bytes_make(bytes.data, strnlen((const char *)bytes.data, bytes.size));
}

enum az_status
passphrase_read(const char *of, const char *spec, bool is_new, struct secret **ret_passphrase,
    struct az_err *reterr)
{
	struct secret *line = NULL;
	struct secret *again = NULL;
	char prompt[LABEL_SIZE + 32];
	enum az_status status = secret_new(SLOTS_PASSPHRASE_MAX + 2, &line, reterr);

	(void)snprintf(prompt, sizeof(prompt), "passphrase of %s", of);
	if (status == AZ_OK)
		status = read_one(prompt, spec, line, reterr);
	if (status == AZ_OK && is_new && text_of(line).size < SLOTS_PASSPHRASE_MIN)
		status = az_fail(reterr, AZ_INVALID, "a passphrase needs %u bytes at least",
		    SLOTS_PASSPHRASE_MIN);
	if (status == AZ_OK && is_new && spec == NULL) {
		status = secret_new(SLOTS_PASSPHRASE_MAX + 2, &again, reterr);
		if (status == AZ_OK)
			status = read_one("again", NULL, again, reterr);
		if (status == AZ_OK && !bytes_equal(text_of(line), text_of(again)))
			status = az_fail(reterr, AZ_INVALID, "the two are not the same");
	}
	/* Exactly as long as what was typed. */
	if (status == AZ_OK)
		status = secret_new(
		    text_of(line).size > 0 ? text_of(line).size : 1, ret_passphrase, reterr);
	if (status == AZ_OK)
		memcpy(secret_data(*ret_passphrase), text_of(line).data, text_of(line).size);
	secret_free(&line);
	secret_free(&again);
	return status;
}

/* --- the socket ------------------------------------------------------------------------------- */

enum az_status
locked_connect(const struct house_folder *folder, int *ret_fd, struct az_err *reterr)
{
	return socket_connect(
	    folder->dirfd, "run/" UNLOCK_SOCKET, "nobody waits for passphrases", ret_fd, reterr);
}

bool
locked_is_waiting(const struct house_folder *folder)
{
	int fd = -1;

	if (locked_connect(folder, &fd, NULL) != AZ_OK)
		return false;
	fd_close(&fd);
	return true;
}

/* --- waiting ---------------------------------------------------------------------------------- */

/* Takes one passphrase; what came of it goes into said. */
static void
take_passphrase(struct slots *slots, const struct secret *host, const struct unlock_give *give,
    struct unlock_said *said)
{
	struct az_err err = {0};
	enum az_status status = slots_give(slots, host, give->label, give->passphrase, &err);

	said->status = status;
	said->given = slots_given(slots);
	said->needed = slots_needed(slots);
	(void)snprintf(said->text, sizeof(said->text), "%s", status == AZ_OK ? "" : err.text);
	if (status == AZ_DENIED) {
		(void)fprintf(stderr, "azukari: a passphrase that opens nothing was given\n");
		(void)poll(NULL, 0, PAUSE_MS);
	}
}

/* The whole question, by then: the time that passes counts, and not the time between two bytes. */
static enum az_status
receive_until(struct link *link, int64_t until_us, struct frame *ret_frame)
{
	for (;;) {
		struct pollfd wait = {.fd = link->fd, .events = POLLIN};
		enum az_status status = link_next(link, ret_frame, NULL);
		int64_t left_us = until_us - clock_monotonic_us();

		if (status != AZ_BUSY)
			return status;
		if (left_us <= 0)
			return AZ_GONE;
		if (poll(&wait, 1, (int)(left_us / 1000) + 1) < 0 && errno != EINTR)
			return AZ_IO;
		status = link_fill(link, NULL);
		if (status != AZ_OK && status != AZ_BUSY)
			return status;
	}
}

/* One connection: a question, an answer. */
static void
serve_one(struct slots *slots, const struct secret *host, int fd)
{
	struct unlock_said said = {0};
	struct unlock_give give;
	struct buffer body;
	struct frame frame;
	struct link link;

	link_init(&link, fd, LINK_NONBLOCKING, UNLOCK_BODY_MAX, UNLOCK_BODY_MAX, true);
	buffer_init(&body, UNLOCK_BODY_MAX, false);
	if (receive_until(&link, clock_monotonic_us() + PATIENCE_US, &frame) == AZ_OK &&
	    frame.type == UNLOCK_GIVE && unlock_give_decode(frame.body, &give) == AZ_OK) {
		take_passphrase(slots, host, &give, &said);
		if (unlock_said_encode(&said, &body) == AZ_OK &&
		    link_queue(&link, UNLOCK_SAID, 0, buffer_peek(&body)) == AZ_OK)
			az_ignore(link_flush(&link, NULL)); /* Who has gone is told nothing. */
	}
	buffer_fini(&body);
	link_fini(&link);
}

static enum az_status
wait_at(int listen_fd, struct slots *slots, const struct secret *host, struct az_err *reterr)
{
	while (slots_given(slots) < slots_needed(slots)) {
		struct pollfd wait = {.fd = listen_fd, .events = POLLIN};
		int ready = poll(&wait, 1, FORGET_MS);
		int fd;

		if (ready < 0 && errno != EINTR)
			return az_fail_errno(reterr, AZ_IO, errno, "poll");
		if (ready == 0)
			slots_forget(slots);
		if (ready <= 0)
			continue;
		fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC);
		if (fd >= 0)
			serve_one(slots, host, fd);
	}
	return AZ_OK;
}

static enum az_status
read_slots(const struct house_folder *folder, struct slots **ret_slots, struct az_err *reterr)
{
	struct buffer file;
	int dirfd = -1;
	enum az_status status = dir_open(folder->dirfd, "secret", false, 0, &dirfd, reterr);

	buffer_init(&file, SLOTS_FILE_MAX, false);
	if (status == AZ_OK)
		status = file_read_whole(dirfd, "slots", &file, reterr);
	if (status == AZ_OK)
		status = slots_new(buffer_peek(&file), folder->file.house, ret_slots, reterr);
	buffer_fini(&file);
	fd_close(&dirfd);
	return status;
}

enum az_status
locked_wait(const struct house_folder *folder, const struct secret *host, struct secret **ret_root,
    struct az_err *reterr)
{
	struct slots *slots = NULL;
	int run_dirfd = -1;
	int listen_fd = -1;
	enum az_status status = read_slots(folder, &slots, reterr);

	if (status == AZ_OK)
		status = dir_open(folder->dirfd, "run", false, 0, &run_dirfd, reterr);
	if (status == AZ_OK)
		status = socket_listen(run_dirfd, UNLOCK_SOCKET, 16, &listen_fd, reterr);
	if (status == AZ_OK) {
		(void)fprintf(stderr,
		    "azukari: the house is locked: %u of %u officers must unlock it: azukari "
		    "unlock --officer LABEL\n",
		    slots_needed(slots), slots_count(slots));
		status = wait_at(listen_fd, slots, host, reterr);
	}
	if (listen_fd >= 0)
		(void)unlinkat(run_dirfd, UNLOCK_SOCKET, 0);
	if (status == AZ_OK)
		status = slots_root(slots, host, ret_root, reterr);
	slots_free(&slots);
	fd_close(&listen_fd);
	fd_close(&run_dirfd);
	return status;
}
