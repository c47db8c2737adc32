/*
 * The verbs of the product: what a front may ask of the keeper, decided by people and policy, proven by the
 * ledger, and kept sealed in the vault. This folder composes the capabilities; it owns no socket.
 *
 * Promises  no plaintext leaves before the entry that names it is durable (I1); no answer holds more
 *           than one person's fields (I3); what the vault says is believed only as far as catalogue,
 *           MAC and seal agree (I6); every refusal after sign-in is an entry.
 * Threads   the caller's loop thread makes every call. Inside there are the ledger's two threads and, while
 *           a list is entrusted, a feeder and the workers.
 */
#ifndef AZ_CUSTODY_H
#define AZ_CUSTODY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/file.h"
#include "base/frame.h"
#include "base/loop.h"
#include "base/secret.h"
#include "base/status.h"
#include "proto/front.h"
#include "proto/parent.h"

struct custody;
struct custody_front;

struct custody_config {
	int dirfd; /* HOUSE/keeper; stays the caller's, open as long as the custody */
	bool has_anchor;
	int anchor_dirfd; /* of the ledger (ledger.h) */
	uint8_t house[HOUSE_ID_SIZE];
	const struct secret *root;              /* not kept */
	const struct secret *host;              /* its part for the ring; not kept */
	const struct parent_founding *founding; /* to found the house; else NULL */
	struct loop *loop;
	/* To the vault: custody queues frames here, the caller flushes. */
	struct link *vault;
	/* Asks the parent for a child; custody_child or custody_child_failed answers by id. */
	void (*spawn)(void *arg, enum parent_child child, uint32_t id);
	/*
	 * Asks the parent to keep another host secret, the ring's part of which is ours: with other passphrase slots (struct
	 * parent_slots), or alone (PARENT_RING_SIZE bytes). custody_renewed answers.
	 */
	void (*slots)(void *arg, struct bytes body);
	void (*ring)(void *arg, struct bytes secret);
	/* Everything is ready: fronts may be served. */
	void (*ready)(void *arg);
	/* Sends an inner message to a front, by the arg it was made with. */
	void (*reply)(void *front_arg, struct bytes message);
	/* The front may not go on: closes its connection once what was sent before is out. */
	void (*hang_up)(void *front_arg);
	/* The house is to begin another life: end as if it were told to stop, and be started anew. */
	void (*restart)(void *arg);
	/* Any thread: there is no safe way on. Must not return. */
	void (*fatal)(void *arg, const struct az_err *err);
	void *arg;
};

/* Loads what is lazy in libraries; before the process shuts itself in. */
void custody_prepare(void);
/* Maps the match tables of a descriptor, once, before the process shuts itself in. AZ_IO, AZ_CORRUPT. */
AZ_CHECKED enum az_status custody_use_tables(int fd, struct az_err *reterr);

/*
 * Opens the house, or founds it: recovers, replays, and starts the ledger. ready is called later, from the
 * loop, when the vault has answered. AZ_FORGED: the files contradict each other; else as what failed.
 */
AZ_CHECKED enum az_status custody_open(
    const struct custody_config *config, struct custody **ret_custody, struct az_err *reterr);

/* Ends what runs, reconciles, settles the ledger; then calls stopped. Afterwards custody_close. */
void custody_stop(struct custody *custody, void (*stopped)(void *arg), void *arg);
void custody_close(struct custody **custody);

/* A front whose channel is up. challenge: the handshake hash. AZ_NO_MEMORY. */
AZ_CHECKED enum az_status custody_front_new(struct custody *custody, const uint8_t challenge[32],
    void *front_arg, struct custody_front **ret_front);
/* The connection has gone: no reply is called any more. Leaves NULL. */
void custody_front_close(struct custody_front **front);
/* Whether it may send descriptors: after its sign-in. */
bool custody_front_is_signed_in(const struct custody_front *front);

/*
 * One inner message, with the descriptor that came with it, or -1; it is taken. Answered through reply,
 * now or later. AZ_INVALID, AZ_LIMIT: the connection must end.
 */
AZ_CHECKED enum az_status custody_request(
    struct custody_front *front, struct bytes message, int fd, struct az_err *reterr);

/* A frame from the vault. Anything but AZ_OK: the vault is broken, and the process must end. */
AZ_CHECKED enum az_status custody_vault_frame(
    struct custody *custody, const struct frame *frame, struct az_err *reterr);

/* A child was started: its socket; and, for intake, the writing end of the list's pipe. Both are taken. */
void custody_child(struct custody *custody, uint32_t id, int socket, int pipe);
/* Whether the child of that id is an intake, whose pipe follows its socket. */
bool custody_child_has_pipe(const struct custody *custody, uint32_t id);
void custody_child_failed(struct custody *custody, uint32_t id, const struct az_err *err);

/* What came of it: err->status. */
void custody_renewed(struct custody *custody, bool with_slots, const struct az_err *err);

/* After each round of events, before output is flushed; and when the loop was woken. */
void custody_round(struct custody *custody);
void custody_woken(struct custody *custody);
/* About once a second. */
void custody_tick(struct custody *custody);

/* The body of a verifying child: answers on fd until it closes. */
AZ_CHECKED enum az_status custody_verify_child(int fd, int ledger_dirfd, struct az_err *reterr);

#endif
