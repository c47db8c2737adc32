/*
 * Checking what a house published, by somebody who has no house: checkpoints, receipts, proofs of entries, and
 * a whole exported log, hashed again from its entries; and telling what stands in it.
 *
 * Promises  what is told of a log was hashed and led to a signed root; every refusal says what and where; all
 *           bytes are read as a stranger's.
 * Not       a log that was never signed, or a newer part that was cut off before anybody saw a checkpoint of it,
 *           cannot be missed: the newest checkpoint that is known is what the caller brings.
 * Threads   every function may run in any thread; log_check starts threads of its own and joins them.
 *
 * Statuses  AZ_FORGED: bytes contradict what was signed. AZ_CORRUPT, AZ_NOT_FOUND, AZ_LIMIT, AZ_IO: it cannot be
 *           read. AZ_NO_MEMORY.
 */
#ifndef AZ_VERIFY_H
#define AZ_VERIFY_H

#include <jansson.h>
#include <stdio.h>

#include "ledger/evidence.h"
#include "ledger/ledger.h"

/* --- log.c: a whole published log --------------------------------------------------------------- */

struct log_check {
	const struct note_key *key;     /* in: of the log */
	const struct note_key *witness; /* in: who must have cosigned, or NULL */
	struct bytes newest;            /* in: the newest checkpoint known, or nothing */
	unsigned int threads;           /* in */
	/* in: may be NULL; called from the calling thread only, some times a second */
	void (*progress)(void *arg, uint64_t entries, uint64_t of);
	void *arg;

	uint64_t size; /* out: of the signed checkpoint */
	uint8_t root[TREE_HASH_SIZE];
	uint64_t newest_size;          /* out: of the newest checkpoint known */
	uint64_t witnessed_size;       /* out: of what the witness cosigned */
	int64_t witnessed_s;           /* out: when */
	uint64_t unknown;              /* out: entries of a form that this program does not know */
	uint64_t first_unknown;        /* out: the first of them */
	int64_t first_us, last_us;     /* out: times of the first and the last entry known */
	uint64_t types[UINT8_MAX + 1]; /* out: how many entries of each type */
};

/*
 * Hashes every entry again and compares each stored hash, the signed root, the root that newest had, and the one
 * that the witness cosigned. AZ_OK: all agree. The witness's cosignature stands in the file cosigned, or in
 * the checkpoint.
 */
AZ_CHECKED enum az_status log_check(
    const struct published_log *source, struct log_check *check, struct az_err *reterr);

/*
 * Calls visit for the entries of a log that log_check found good, in order; bytes that are not those that it found are
 * AZ_FORGED at the end, so what was told before is to be taken back. read is NULL for a form that is not known.
 */
AZ_CHECKED enum az_status log_visit(const struct published_log *source,
    const struct log_check *check,
    void (*visit)(void *arg, uint64_t index, const struct ledger_read *read), void *arg,
    struct az_err *reterr);

/* --- crossed.c: two logs that commit to each other ----------------------------------------------- */

/* A log that log_check found good. */
struct crossed_log {
	const struct published_log *source;
	const struct log_check *check;
};

/* What one says about the other. */
struct log_commitments {
	uint64_t count;     /* 0: nothing yet */
	int64_t last_us;    /* when the last one was written */
	uint64_t last_size; /* and how many entries the other had then */
};

/*
 * Holds what a house's own log and a client's say about each other against them: [0] what a says about b, [1] the reverse. AZ_FORGED: one
 * of them is not what the other says it was. AZ_INVALID: they are no such two logs, of one house and one generation.
 */
AZ_CHECKED enum az_status log_check_crossed(const struct crossed_log *a,
    const struct crossed_log *b, struct log_commitments ret_found[2], struct az_err *reterr);

/* --- tell.c: an entry in words ------------------------------------------------------------------ */

/* One line, without its end: when, who, what. Times are in the zone of TZ. */
void tell_entry(FILE *file, const struct ledger_read *read);
/* The same for programs; NULL: out of memory. */
json_t *tell_json(uint64_t index, const struct ledger_read *read);

/* --- receipt.c: receipts ------------------------------------------------------------------------ */

#define RECEIPT_MAX (256u * 1024u)

/* What a good receipt says. */
struct receipt_facts {
	json_t *document; /* the caller's to release */
	uint64_t index;
	uint64_t size; /* of the checkpoint in it */
	struct ledger_read entry;
	struct note_key log_key;   /* as in the receipt */
	struct note_key house_key; /* as in the receipt */
};

/*
 * Checks a receipt: its signature, the checkpoint and the proof in it, and that the entry says what the document
 * does. A key that is given must be the one in the receipt; where it is NULL the receipt's own word is
 * taken, which the caller says. sha256 of the list that was delivered, or NULL.
 */
AZ_CHECKED enum az_status receipt_check(struct bytes document, const struct note_key *log_key,
    const struct note_key *house_key, const uint8_t *sha256, struct receipt_facts *ret_facts,
    struct az_err *reterr);

/* --- proof of an entry -------------------------------------------------------------------------- */

struct inclusion_facts {
	uint64_t index;
	uint64_t size;
	bool known; /* whether entry was read */
	struct ledger_read entry;
};

/* Checks an offline proof that has its entry in it. AZ_INVALID: it has none. */
AZ_CHECKED enum az_status inclusion_check(struct bytes file, const struct note_key *key,
    struct inclusion_facts *ret_facts, struct az_err *reterr);

#endif
