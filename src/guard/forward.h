/*
 * azukari-guard forward: events of desks that have no guard of ours, from the logs that they send to this machine, into the queue
 * and to the house.
 *
 * Promises  an event is in the queue, flushed, before the next one is looked at, and is told once however often it is read, as
 *           far back as the queue reaches; where the queue is full it waits and loses none; what could not be read is told by
 *           its line's number, and to the house by count.
 * Not       lines that were read and not kept when it is killed come again only if their sender sends them again.
 * Threads   one.
 */
#ifndef AZ_GUARD_FORWARD_H
#define AZ_GUARD_FORWARD_H

#include <stdint.h>

#include "base/status.h"

struct forward_config {
	int dirfd;               /* the folder of its key and queue */
	int input_fd;            /* lines of JSON */
	const char *socket_path; /* of the house; NULL: only into the queue */
};

struct forward_result {
	uint64_t lines, kept, known, others, refused;
	uint64_t waiting; /* in the queue, when it ended */
};

/*
 * Reads to the end of the input; then waits until the house has all, as long as it goes on taking some. Says on stderr which lines
 * were refused. AZ_LIMIT: the queue is full and there is no house to take from it; what was kept is in ret_result, which is
 * always written. Else as witness_open.
 */
AZ_CHECKED enum az_status forward_run(
    const struct forward_config *config, struct forward_result *ret_result, struct az_err *reterr);

#endif
