/*
 * The connection of a command to the keeper: channel, sign-in, one request at a time, and the heads of the
 * ledger that this front has seen, which it holds every reply against.
 */
#ifndef AZ_CLI_FRONT_H
#define AZ_CLI_FRONT_H

#include <stdint.h>

#include "channel/channel.h"
#include "cli/cli.h"
#include "cli/house.h"
#include "proto/front.h"

struct front;

/*
 * Opens the channel to the keeper of cli's house, started if it is an unsealed one, signs in with cli's key
 * and presents the heads that were seen. AZ_FORGED: the keeper is another one than the key file pins, or
 * its ledger is not the one that was seen. With cli->despite_loss what was seen is kept back, so that a restored house can be
 * told what it has lost.
 */
AZ_CHECKED enum az_status front_connect(
    const struct cli *cli, struct front **ret_front, struct az_err *reterr);
void front_close(struct front **front);

const struct house_file *front_house(const struct front *front);

/* As channel_ask, with progress on the terminal. */
AZ_CHECKED enum az_status front_ask(struct front *front, enum front_message type,
    const union front_request *request, int fd, struct front_answer *answer, struct az_err *reterr);

/* Signs a hash in a context with the staff key that this front signed in with. */
AZ_CHECKED enum az_status front_sign(const struct front *front, const char *context,
    const uint8_t hash[FRONT_HASH_SIZE], uint8_t ret_signature[SIGNATURE_SIZE],
    struct az_err *reterr);

/*
 * Enrols with the code of an invitation, with cli's key, which nobody here knows yet, and this machine's device
 * key. *ret_asked: it was asked, so that even after a failure the key may be somebody's. Else as front_ask.
 */
AZ_CHECKED enum az_status front_enrol(const struct cli *cli, const uint8_t code[FRONT_INVITE_CODE],
    bool *ret_asked, struct front_answer *answer, struct az_err *reterr);

#endif
