/*
 * What the files of the keeper share.
 */
#ifndef AZ_KEEPER_INTERNAL_H
#define AZ_KEEPER_INTERNAL_H

#include "base/frame.h"
#include "base/loop.h"
#include "crypto/noise.h"
#include "custody/custody.h"
#include "keeper/keeper.h"
#include "proto/parent.h"
#include "proto/vault.h"

#define FRONTS_MAX 4096u
#define FRONTS_PART                                                                                \
	4u /* of the descriptors that the process may have, at most one in so many is a front's */
#define VAULT_FRAME_MAX VAULT_BODY_MAX

struct front;

struct keeper {
	struct loop *loop;
	struct custody *custody;
	struct secret *channel_key; /* the private X25519 key that fronts have pinned */
	uint8_t house[HOUSE_ID_SIZE];
	struct link parent;
	struct loop_watch *parent_watch;
	struct link vault;
	struct loop_watch *vault_watch;
	int listen_fd;
	struct loop_watch *listen_watch;
	struct front *fronts;
	size_t front_count, fronts_max;
	bool told_fronts; /* that there are some */
	bool stopping;
	int exit_code;
	/* Of a child for intake: its socket came, its pipe is to follow. */
	uint32_t child_id;
	int child_socket;
};

/* --- front.c: one connection each ------------------------------------------------------------- */

/* Accepts what waits on the listening socket. */
void fronts_accept(struct keeper *keeper);
/* Sends what waits, and closes those that have ended. */
void fronts_round(struct keeper *keeper);
/* Closes connections whose handshake takes too long. */
void fronts_tick(struct keeper *keeper);
void fronts_close(struct keeper *keeper);
/* The ports of the custody; arg is the front. */
void front_reply(void *arg, struct bytes message);
void front_hang_up(void *arg);

/* --- main's side ------------------------------------------------------------------------------ */

/* Logs err and ends the process: nothing safe can follow. */
_Noreturn void keeper_fatal(const struct az_err *err);
/* Tells the parent how many fronts there are, when it changes from or to none. */
void keeper_tell_fronts(struct keeper *keeper);

#endif
