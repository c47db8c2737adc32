/*
 * What `azukari unlock` says to the parent of a sealed house that waits for passphrases: one frame of
 * base/frame.h over HOUSE/run/unlock.sock, and its answer. docs/format/parent.md.
 *
 * The passphrase goes to the very process that will hold the root key, over a socket of this machine; nothing
 * else of the house runs then, and there is no channel yet.
 */
#ifndef AZ_PROTO_UNLOCK_H
#define AZ_PROTO_UNLOCK_H

#include "base/bytes.h"
#include "base/status.h"
#include "proto/proto.h"

#define UNLOCK_SOCKET   "unlock.sock"
#define UNLOCK_BODY_MAX 2048u

enum unlock_message {
	UNLOCK_GIVE = 1,  /* text label, bytes passphrase */
	UNLOCK_SAID = 65, /* u8 status, u32 given, u32 needed, text */
};

struct unlock_give {
	char label[LABEL_SIZE];
	struct bytes passphrase; /* at most UNLOCK_PASSPHRASE_MAX; borrowed */
};
#define UNLOCK_PASSPHRASE_MAX 1024u

struct unlock_said {
	enum az_status status;
	uint32_t given, needed;
	char text[AZ_ERR_TEXT_SIZE];
};

AZ_CHECKED enum az_status unlock_give_encode(const struct unlock_give *give, struct buffer *buffer);
AZ_CHECKED enum az_status unlock_give_decode(struct bytes bytes, struct unlock_give *ret_give);
AZ_CHECKED enum az_status unlock_said_encode(const struct unlock_said *said, struct buffer *buffer);
AZ_CHECKED enum az_status unlock_said_decode(struct bytes bytes, struct unlock_said *ret_said);

#endif
