/*
 * A file on its way through intake: fed into its pipe and hashed, its frames taken. What entrusting a list and tracing
 * one have in common.
 *
 * Threads  feeding and receiving are done by threads of their own; each call by one at a time.
 */
#ifndef AZ_CUSTODY_READING_H
#define AZ_CUSTODY_READING_H

#include "base/clock.h"
#include "base/frame.h"
#include "crypto/hash.h"
#include "custody/delivery.h"
#include "proto/intake.h"

/* An intake that has all of a file and says nothing for so long hangs. */
#ifdef AZ_TESTABLE
#define READING_SILENCE_US (20 * AZ_US_PER_S)
#else
#define READING_SILENCE_US (300 * AZ_US_PER_S)
#endif

/* Whether nobody wants the file any more: whoever waits asks it now and then. */
struct reading_end {
	bool (*is_over)(const void *arg);
	const void *arg;
};

/* Waits until fd is ready; false if it is over. */
bool reading_wait(const struct reading_end *end, int fd, short events);

/*
 * Reads list_fd once to its end, and hands on to pipe_fd what it opens to. *ret_sha256 is of exactly the bytes that were
 * read, on failure too. AZ_GONE: given up, or intake has ended, which its own last word explains. Else as delivery_take.
 */
AZ_CHECKED enum az_status reading_feed(const struct reading_end *end, int list_fd, int pipe_fd,
    const struct secret *identity, uint8_t ret_sha256[SHA256_SIZE], struct az_err *reterr);

/* Sends START, which is wiped, to an intake that was sent nothing yet. */
AZ_CHECKED enum az_status reading_start(
    struct link *intake, struct intake_start *start, struct az_err *reterr);
/* The next frame, whole. AZ_GONE: given up. AZ_IO: intake ended. */
AZ_CHECKED enum az_status reading_receive(const struct reading_end *end, struct link *intake,
    struct frame *ret_frame, struct az_err *reterr);
/* What intake says when it gives up, passed on as it is, since it never quotes the list. Never AZ_OK. */
enum az_status reading_failed(struct bytes body, struct az_err *reterr);

/* Whether these are all the match keys that the row has. */
bool reading_keys_are_true(const struct intake_row *row);

#endif
