/*
 * The other half of the guard: tells the house what lies in the queue, over the channel, and that the guard is alive.
 *
 * A process of its own, so that a house that does not answer keeps no keyboard waiting, and so that who talks to the
 * network is not who has the kernel's switches. Between the two halves is a socket of frames:
 *
 *	guard ── TELL_LAST u64 ──► teller       so many events there are
 *	guard ◄── TOLD_DELIVERED u64 ── teller  the house has these
 *	guard ◄── TOLD_RESTORED ── teller       the queue had been put back to an older state
 *	guard ◄── TOLD_GRANTS grants ── teller  what may be let in, as the house says now (proto/endpoint.h)
 */
#ifndef AZ_GUARD_TELLER_H
#define AZ_GUARD_TELLER_H

#include <stdint.h>

#include "base/status.h"

enum teller_message {
	TELL_LAST = 1,
	TOLD_DELIVERED = 2,
	TOLD_RESTORED = 3,
	TOLD_GRANTS = 4,
};
#define TELLER_BODY_MAX 8192u

/*
 * Shuts itself in and delivers what is in the queue of the folder dirfd to the house that listens at the path of a socket:
 * until guard_fd (to the other half) is closed; or, if guard_fd is -1, once, and then ends. AZ_GONE: the house cannot be
 * reached. AZ_DENIED: it does not accept this guard. AZ_FORGED: it is not the house that the key file pins, or its ledger
 * is not the one that was seen.
 */
AZ_CHECKED enum az_status teller_run(
    int dirfd, int guard_fd, const char *socket_path, struct az_err *reterr);

#endif
