/*
 * A front's end of the channel to the keeper: the handshake with the pinned key, one request at a time, and the heads
 * of the ledger that this front has seen, which it holds every reply against (docs/format/front.md).
 *
 * Promises  nothing is said before the keeper has proved its key; a reply that contradicts what was seen is AZ_FORGED.
 * Not       it does not know who signs in: commands and the guard do that each in their own way.
 * Threads   a channel belongs to one thread at a time; all calls block.
 */
#ifndef AZ_CHANNEL_H
#define AZ_CHANNEL_H

#include <stdint.h>

#include "base/bytes.h"
#include "base/file.h"
#include "base/status.h"
#include "crypto/sign.h"
#include "proto/front.h"

struct front_channel;

/* Loads what is lazy in libraries; before a process shuts itself in. */
AZ_CHECKED enum az_status channel_prepare(struct az_err *reterr);

struct channel_config {
	uint8_t house[HOUSE_ID_SIZE];
	uint8_t keeper[32]; /* its pinned key */
	int state_dirfd; /* where the heads are kept; stays the caller's, open as long as the channel */
	int wait_ms;     /* for each part of an answer; 0: for ever. AZ_GONE then */
	/* Each head that a reply carries, before it is held against what was seen. May be NULL. */
	void (*head)(void *arg, const struct head *head);
	/* Of a request that takes long; of: 0 if it is not known. May be NULL. */
	void (*progress)(void *arg, uint64_t done, uint64_t of, const char *what);
	void *arg;
};

/*
 * Opens the channel over fd, a connected stream socket, which is taken. AZ_GONE: the keeper went away. AZ_FORGED:
 * whoever answered is not the one that is pinned.
 */
AZ_CHECKED enum az_status channel_open(int fd, const struct channel_config *config,
    struct front_channel **ret_channel, struct az_err *reterr);
void channel_close(struct front_channel **channel);

/* What a request was answered with. */
struct front_answer {
	enum az_status status; /* AZ_OK, or what FAILED said */
	char text[AZ_ERR_TEXT_SIZE];
	struct buffer items; /* u32 size and tree, end to end */
	struct buffer tree;  /* of DONE or FAILED; may be empty */
};
void front_answer_init(struct front_answer *answer);
void front_answer_fini(struct front_answer *answer);

/*
 * Sends a request, with a descriptor if fd >= 0, and waits for its answer. AZ_OK also if the answer is a
 * refusal: that stands in the answer. AZ_GONE: the keeper went away; AZ_FORGED: its answer does not hold
 * against what was seen before, or is malformed.
 */
AZ_CHECKED enum az_status channel_ask(struct front_channel *channel, enum front_message type,
    const union front_request *request, int fd, struct front_answer *answer, struct az_err *reterr);
/* The same where the answer is nothing but yes: a refusal is its status. */
AZ_CHECKED enum az_status channel_ask_yes(struct front_channel *channel, enum front_message type,
    const union front_request *request, struct az_err *reterr);

/* Signs the channel's own hash in a context, with the key of a file; and any hash. */
AZ_CHECKED enum az_status channel_sign(const struct front_channel *channel,
    const struct key_file *file, const char *context, uint8_t ret_public[SIGN_PUBLIC_SIZE],
    uint8_t ret_signature[SIGNATURE_SIZE], struct az_err *reterr);
AZ_CHECKED enum az_status channel_sign_hash(const struct key_file *file, const char *context,
    const uint8_t hash[FRONT_HASH_SIZE], uint8_t ret_public[SIGN_PUBLIC_SIZE],
    uint8_t ret_signature[SIGNATURE_SIZE], struct az_err *reterr);

/* --- heads.c: what was seen ------------------------------------------------------------------- */

struct heads {
	struct head *heads;
	size_t count;
};
void heads_fini(struct heads *heads);
/* Reads dirfd/heads; none if there is no such file. AZ_CORRUPT. */
AZ_CHECKED enum az_status heads_read(
    int dirfd, const uint8_t house[HOUSE_ID_SIZE], struct heads *ret_heads, struct az_err *reterr);
/*
 * Takes a head that a reply carried. AZ_FORGED: it is behind what was seen of that log in its generation, differs from
 * it, or is of an older one.
 */
AZ_CHECKED enum az_status heads_see(
    struct heads *heads, const struct head *head, struct az_err *reterr);
/* Writes them back, together with what others have seen meanwhile. Fails as heads_see. */
AZ_CHECKED enum az_status heads_write(int dirfd, const uint8_t house[HOUSE_ID_SIZE],
    const struct heads *heads, struct az_err *reterr);

/* Presents what was seen before this channel. AZ_FORGED: the house's ledger is not the one that was seen. */
AZ_CHECKED enum az_status channel_present(
    struct front_channel *channel, const struct heads *seen, struct az_err *reterr);
/*
 * From now on the heads of replies are kept: the house has said yes to all that was seen. Before that a house adds
 * nothing to it: a longer fork would take its place.
 */
void channel_keep_heads(struct front_channel *channel);

#endif
