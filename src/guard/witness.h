/*
 * What the guard saw, on its way to the house: into the queue at once, and from there by the teller.
 *
 * Promises  when a decision has been witnessed it lies in the queue, flushed, or is counted as lost and said so on stderr.
 * Threads   one.
 */
#ifndef AZ_GUARD_WITNESS_H
#define AZ_GUARD_WITNESS_H

#include "guard/guard.h"

struct witness;

struct witness_config {
	int run_fd;              /* /run, or -1; stays the caller's */
	const char *socket_path; /* what the teller connects to; NULL: there is none */
	bool forwards;           /* others' events, and none of this machine */
};

/*
 * Opens the queue in the guard's folder and starts the teller. dirfd stays the caller's. AZ_NOT_FOUND: the guard has no key.
 * AZ_BUSY: another guard has the folder. Else as queue_open.
 */
AZ_CHECKED enum az_status witness_open(int dirfd, const struct witness_config *config,
    struct witness **ret_witness, struct az_err *reterr);
void witness_close(struct witness **witness);

/* Takes the folder's lock until fd is closed. AZ_BUSY. */
AZ_CHECKED enum az_status witness_lock(int dirfd, int *ret_fd, struct az_err *reterr);

/* grant: by which it was let in, or 0. */
void witness_interface(struct witness *witness, const struct usb_interface *interface,
    enum guard_verdict verdict, uint32_t grant);
void witness_disk(struct witness *witness, const char *path);

/* What the house lets in, as it said last; witness_hear changes it. */
struct guard_grants *witness_grants(struct witness *witness);

/* The descriptor that is readable when the teller has said something; witness_hear takes it. AZ_GONE: it has ended. */
int witness_fd(const struct witness *witness);
AZ_CHECKED enum az_status witness_hear(struct witness *witness, struct az_err *reterr);

/*
 * One event of another machine's log, as it is. AZ_CONFLICT: it is there already, or was not long ago. AZ_LIMIT: the queue is full,
 * and the event is counted as lost: ask before. AZ_IO.
 */
AZ_CHECKED enum az_status witness_forward(
    struct witness *witness, const struct endpoint_event *event, struct az_err *reterr);
bool witness_is_full(const struct witness *witness);
/* Events that the house does not have yet. */
uint64_t witness_waiting(const struct witness *witness);

#endif
