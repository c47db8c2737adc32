/*
 * One staff member's channel to the keeper, as a load makes it: it never blocks between send and take, so that one
 * thread serves all. It checks that answers open and are answers; what it saw of the ledger it does not keep.
 */
#ifndef AZ_BENCH_CHANNEL_H
#define AZ_BENCH_CHANNEL_H

#include "base/frame.h"
#include "cli/house.h"
#include "crypto/noise.h"
#include "crypto/sign.h"
#include "proto/front.h"

struct load_channel {
	struct link link;
	struct noise *noise;
	struct buffer plain; /* the message that is written or was read */
	uint32_t id;         /* of the request that is answered next */
	int64_t asked_ns;
};

/* Connects and signs in. What fails ends the program. */
void channel_open(struct load_channel *channel, const struct house_folder *house,
    const struct sign_key *staff, const struct sign_key *device);
void channel_close(struct load_channel *channel);

void channel_send(
    struct load_channel *channel, enum front_message type, const union front_request *request);
/* AZ_OK: the answer came and was DONE. AZ_BUSY: not yet. A refusal ends the program. */
AZ_CHECKED enum az_status channel_take(struct load_channel *channel);
/* Waits for the answer. */
void channel_wait(struct load_channel *channel);

#endif
