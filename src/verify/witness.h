/*
 * A witness: somebody outside a house who cosigns its checkpoints and remembers them, so that a log which shows two histories,
 * or takes entries back, finds nobody to vouch for it (C2SP tlog-witness, tlog-cosignature).
 *
 * Promises  a checkpoint is on the disk before it is cosigned; of one log no two are cosigned of which the later
 *           does not begin with the earlier.
 * Not       it says nothing of what stands in a log, and that there are no others that it was not asked about.
 * Threads   one.
 *
 * A witness's folder:
 *
 *	key           its private key, 64 hexadecimal digits
 *	vkey          its verification key, to hand out
 *	logs/X.vkey   the verification key of each log that it cosigns
 *	state/HEX     the newest checkpoint of each, by the SHA-256 of its origin
 */
#ifndef AZ_VERIFY_WITNESS_H
#define AZ_VERIFY_WITNESS_H

#include "base/bytes.h"
#include "ledger/evidence.h"

#define WITNESS_LOGS_MAX  4096u
#define WITNESS_PROOF_MAX 63u
#define WITNESS_BODY_MAX  (NOTE_MAX + 8192u) /* of a request */

/* The body of add-checkpoint. */
struct witness_request {
	uint64_t old_size;
	struct proof proof;
	struct bytes checkpoint; /* borrowed; not opened */
};
bool witness_request_read(struct bytes body, struct witness_request *ret_request) AZ_CHECKED;
AZ_CHECKED enum az_status witness_request_write(
    uint64_t old_size, const struct proof *proof, struct bytes checkpoint, struct buffer *body);

struct witness;

/* Makes the folder's key, whose name is given, and appends its verification key. AZ_CONFLICT: there is one. AZ_INVALID: the name. */
AZ_CHECKED enum az_status witness_create(
    int dirfd, const char *name, struct buffer *vkey, struct az_err *reterr);
/*
 * Reads the folder, whose descriptor stays the caller's and open. AZ_NOT_FOUND: no key, or no log. AZ_FORGED: a state is not
 * what was signed. AZ_INVALID: a key that is none.
 */
AZ_CHECKED enum az_status witness_open(
    int dirfd, struct witness **ret_witness, struct az_err *reterr);
void witness_free(struct witness **witness);
/* Of the folder that is all it changes once it is open. */
int witness_state_dirfd(const struct witness *witness);
size_t witness_log_count(const struct witness *witness);

enum witness_answer {
	WITNESS_BROKEN = 500, /* it could not be kept; not cosigned */
	WITNESS_COSIGNED = 200,
	WITNESS_MALFORMED = 400,
	WITNESS_BAD_SIGNATURE = 403,
	WITNESS_UNKNOWN_LOG = 404,
	WITNESS_CONFLICT = 409, /* reply: the size that it has */
	WITNESS_UNPROVEN = 422,
};
/*
 * One request. reply gets the signature line, or the size, or nothing. reterr says why it was not cosigned, for
 * whoever runs the witness.
 */
enum witness_answer witness_add(struct witness *witness, struct bytes body, int64_t now_s,
    struct buffer *reply, struct az_err *reterr);

#endif
