/*
 * Evidence that something happened, which neither an administrator nor a thief of the disk can later
 * rewrite unnoticed. One Merkle log (RFC 6962) for the house and one for each client; one write-ahead
 * log for all of them, whose flush is the only commit of the house (docs/format/ledger.md).
 *
 * Promises  an entry is wholly durable or absent; entry n of a log commits to all before it; a ticket
 *           exists only for an entry whose flush has ended.
 * Not       it does not hide who received what, and a rollback of the whole house is found only by
 *           somebody who holds a later head or checkpoint.
 * Threads   the caller's loop thread makes every call unless said otherwise. Inside there is a
 *           committer (queue to flush, nothing else) and a follower (log files, checkpoints and the
 *           behind hooks), which runs after the fact and never delays a ticket.
 */
#ifndef AZ_LEDGER_H
#define AZ_LEDGER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/file.h"
#include "base/secret.h"
#include "base/status.h"
#include "crypto/hash.h"
#include "proto/parts.h"
#include "proto/proto.h"

#define LEDGER_HOUSE_LOG       0u
#define LEDGER_LOGS_MAX        4097u
#define LEDGER_SALT_SIZE       16
#define LEDGER_COMMITMENT_SIZE 16
#define LEDGER_PAYLOAD_MAX     60000u
#define LEDGER_QUEUE_MAX       65536u
#define LEDGER_NAME_SIZE       96

/* Entry types; never renumbered (this header is their list). 64 to 68 are kept for later ones. */
enum entry_type {
	ENTRY_NONE = 0,
	/* house log */
	ENTRY_FOUNDED = 1,
	ENTRY_STARTED = 2,
	ENTRY_STOPPED = 3,
	ENTRY_RECOVERED = 4, /* rows: batches that were torn and never acknowledged */
	ENTRY_SIGNED_IN = 5,
	ENTRY_SIGNED_OUT = 6,
	ENTRY_TAKEN_OVER = 7,
	ENTRY_REFUSED = 8, /* detail: enum verb; outcome: enum az_status */
	ENTRY_UNAUTHENTICATED = 9,
	ENTRY_CLIENT = 10, /* detail: 1 added, 2 closed, 3 its map of columns set */
	ENTRY_PURPOSE = 11,
	ENTRY_STAFF = 12,
	ENTRY_DEVICE = 13,
	ENTRY_APPROVED = 14,
	ENTRY_POLICY = 15,
	ENTRY_VERIFIED = 16,
	ENTRY_QUERIED = 17,
	ENTRY_RECONCILED = 18,
	ENTRY_ALARM = 19,
	ENTRY_BACKED_UP = 60, /* files may be copied from here on; detail: the generation */
	/*
	 * house log: the next generation begins; each log that lost something: where it goes on. subject: the log; detail: the new
	 * generation; detail64: the size that was seen of it (0: nothing is lost in this log); document: the root it had then
	 */
	ENTRY_DECLARED_LOSS = 61,
	/* house log: two people (subject: the request's number, detail: enum verb) */
	ENTRY_ASKED = 70,    /* document: what is asked */
	ENTRY_APPROVAL = 71, /* document and the signature over it; precedes what it allows */
	ENTRY_DECLINED = 72,
	ENTRY_ENROLLED = 73, /* who was invited has a key now */
	ENTRY_ZONE =
	    79, /* subject: the zone; detail: 1 added, 2 closed, 3 changed, 4 a role (the subject) bound */
	ENTRY_SLOTS =
	    80, /* subject: needed; detail: 1 wanted, 2 in force, 3 one given (by the subject); detail64: of how many */
	ENTRY_STANDING =
	    81, /* subject: the standing approval; detail: 1 allowed, 2 ended; detail64: the client; document: its limits */
	ENTRY_CLOCK = 78, /* detail: 1 forwards, 2 back; detail64: by how many microseconds */
	ENTRY_CASE =
	    104, /* subject: the case; detail: 1 opened, 2 closed, 3 allowed; detail64: rows */
	/* A list that is traced: before it is searched for, before a client's rows are opened, after the verdicts. */
	ENTRY_TRACE_LIST =
	    105, /* subject: the case; detail: which of its lists; rows; document: SHA-256 of the file */
	ENTRY_TRACED =
	    107, /* subject: the case; detail: rows of ours; rows: all; document: root over the verdicts */
	/* After its verdicts. subject: the case; detail: suspects; document: SHA-256 of the finding (proto/finding.h); outcome: whether it was
	   weighed */
	ENTRY_ATTRIBUTED = 108,
	ENTRY_HISTORY =
	    112, /* subject: the history; detail: 1 approved, 2 kept; detail64: rows; document: SHA-256 of the file */
	/* Files and disks that are scanned for what is the house's: before anything is looked for, and after. */
	ENTRY_SCAN = 113, /* subject: the case; rows: files; document: SHA-256 over their paths */
	ENTRY_SCANNED =
	    114, /* subject: the case; detail: people found; detail64: bytes read; rows: values found; document: root */
	/* house log: endpoint guards */
	ENTRY_GUARD = 120,   /* subject: the device; detail: 1 its guard signed in, 2 it went */
	ENTRY_GRANT = 122,   /* subject: the grant; detail: 1 added, 2 closed; detail64: of what */
	ENTRY_PLUGGED = 121, /* what a guard reports; codes.md says what is where */
	ENTRY_FORWARDED = 123, /* what a guard forwards of a desk's own log; the same */
	/* A file for a granted memory. subject: the grant; detail: 1 may be written, 2 not, 3 was, 4 was not; detail64: its size;
	   rows: values of the house in it; document: its SHA-256 */
	ENTRY_PUT = 124,
	ENTRY_LEDGER_EXPORTED = 100, /* subject: the log; detail64: its size */
	/* house log; subject: the witness; detail: 1 enrolled, 2 retired, 3 limit set (detail64: hours); document: SHA-256 of its vkey */
	ENTRY_WITNESS = 96,
	/* house log; subject: the log; detail: the witness; detail64: size; rows: when, in seconds; document: the root it had then */
	ENTRY_COSIGNED = 97,
	/* house log and client logs; subject: the other log; detail: generation; detail64: its size; document: its root at that */
	ENTRY_COMMITTED = 98,
	/* client logs */
	ENTRY_ENTRUSTED = 32,
	ENTRY_DISCLOSED = 33,
	ENTRY_AMBIGUOUS = 34,
	ENTRY_NOT_FOUND = 35,
	ENTRY_WITHHELD = 36,
	ENTRY_REJECTED_LIST = 37,
	ENTRY_CORRECTING =
	    40,               /* a row is opened to be corrected; nothing of it leaves the keeper */
	ENTRY_CORRECTED = 41, /* version: the one that it made; shown: the fields */
	ENTRY_CAMPAIGN = 44,
	ENTRY_ATTEMPT = 45, /* detail: enum attempt; detail64: time to call back; text: the note */
	ENTRY_ATTEMPTS_LISTED = 47,
	ENTRY_TRACE_OPENED =
	    106, /* subject: the case; rows: opened to be compared; document: root over which */
	ENTRY_SCAN_FOUND =
	    115, /* subject: the case; rows: people found in files; document: root over which */
	ENTRY_CARRIED = 46, /* house log; detail: corrections that lie under newer lists now */
	ENTRY_CHECKED = 74, /* a row is opened to compare the field shown; the answer follows */
	ENTRY_CHECK_ANSWERED = 75, /* outcome: AZ_OK yes, AZ_CONFLICT no */
	ENTRY_UNMASKED = 76, /* precedes disclosed; detail64: field bits; text: why, in words */
	ENTRY_STATEMENT =
	    82, /* subject: the standing approval; detail: rows; detail64: the first entry; document: its limits */
	ENTRY_HANDED_OVER = 77, /* subject: to whom; detail: for how many minutes */
	ENTRY_STOP = 42,        /* detail: 1 set, 2 lifted; detail64: channel bits */
	/* subject: the purpose; detail: how many rows; detail64: the consignment. The first decides it, the second says
	   that nothing is left */
	ENTRY_DESTROYING = 50,
	ENTRY_DESTROYED = 51,
	/* as entrusted; detail: how many people can no longer be found, detail64: how many that are named can still be */
	ENTRY_ENTRUSTED_FULL = 48,
	ENTRY_WITHDRAWN = 49,
	ENTRY_RESTRICTED =
	    43, /* detail: enum restriction; detail64: field bits; subject: opened for */
};

/*
 * One entry. What a type does not have is not written and comes back as zero. Free text never stands
 * here: a commitment is SHA-256(salt ‖ text) cut to 16 bytes; text and salt lie in the side store.
 */
struct ledger_entry {
	enum entry_type type;
	uint32_t log;
	int64_t time_us; /* written by the ledger: wall clock, never running backwards in a log */
	uint8_t salt[LEDGER_SALT_SIZE]; /* written by the ledger, random */
	uint32_t staff;                 /* written as a pseudonym under the log's key; 0 none */
	uint32_t device;
	uint32_t session;
	uint32_t policy_version;
	uint8_t zone;    /* enum zone_id */
	uint8_t guard;   /* enum guard_state */
	uint8_t grade;   /* enum grade */
	uint8_t outcome; /* enum az_status */
	/* what for: disclosed, ambiguous, not found, withheld, entrusted, rejected list */
	uint32_t purpose;
	uint32_t campaign;
	uint16_t reason; /* enum reason */
	uint8_t basis;   /* enum basis */
	uint16_t kinds;  /* match kinds used, bits 1 << enum match_kind */
	uint64_t request;
	uint32_t rows; /* that the vault served, or the count the type names */
	uint8_t call[LEDGER_COMMITMENT_SIZE];
	/* which person: disclosed, withheld */
	uint32_t record; /* written as a pseudonym */
	uint32_t version;
	uint64_t shown;  /* field bits */
	uint64_t masked; /* of these, the ones shown only in part */
	/* about what: entries of the house log */
	uint32_t subject;
	uint32_t detail;
	uint64_t detail64;
	uint8_t text[LEDGER_COMMITMENT_SIZE];
	/* which list: entrusted, rejected list */
	uint64_t consignment;
	int32_t as_of; /* days since 1970-01-01 */
	uint32_t accepted, refused, new_records, new_versions, unchanged;
	uint8_t sha256[32];
	uint8_t root[32];
	/* what was asked, exactly: asked, approval, declined */
	uint8_t document[32];  /* SHA-256 of the document, which lies in house.db */
	uint8_t signature[64]; /* approval: of who approves, as proto/approval.h says */
};

/* As it stands in the log: staff and record are pseudonyms, and zero in entry. */
struct ledger_read {
	struct ledger_entry entry;
	uint8_t staff[16];
	uint8_t record[16];
};

/*
 * Pure encoding. An entry has one encoding only. AZ_INVALID on writing, AZ_CORRUPT on reading: an
 * unknown version or type, a wrong size, a padding byte that is not zero.
 */
#define LEDGER_ENTRY_MAX 256
AZ_CHECKED enum az_status ledger_entry_encode(
    const struct ledger_read *entry, struct buffer *buffer);
AZ_CHECKED enum az_status ledger_entry_decode(
    struct bytes bytes, uint32_t log, struct ledger_read *ret_entry);
/* Type and time alone, of what decode would take, and of nothing else: for who walks over millions. False: decode fails. */
bool ledger_entry_peek(
    struct bytes bytes, enum entry_type *ret_type, int64_t *ret_time_us) AZ_CHECKED;
const char *ledger_entry_name(enum entry_type type); /* NULL for an unknown one */

/*
 * Proof, inside the keeper, that an entry is durable. Only this folder can make one. It lives until
 * the done callback that received it returns.
 */
struct az_ticket;
/* The entry it stands for, as submitted, with its time and salt. */
const struct ledger_entry *ticket_entry(const struct az_ticket *ticket);
uint64_t ticket_index(const struct az_ticket *ticket);
/* The same, to be kept beyond the callback, for what an entry allows that takes long. NULL: there is no memory. */
struct az_ticket *ticket_keep(const struct az_ticket *ticket);
void ticket_free(struct az_ticket **kept);

struct ledger;

/* A record as it comes back to the house's state, from the follower or from a replay. */
struct ledger_record {
	uint64_t seq; /* position in the write-ahead log, from 1 */
	uint64_t index;
	const struct ledger_entry *entry; /* staff and record as numbers */
	struct bytes payload;             /* opened; empty if it had none; valid during the call */
};

struct ledger_config {
	int dirfd; /* the ledger's folder; stays the caller's, open as long as the ledger */
	uint8_t house[HOUSE_ID_SIZE];
	const struct secret *root; /* the ledger's keys are derived from it; it is not kept */
	/*
	 * A folder, meant for another machine, that each checkpoint is written to as it is signed: what it has
	 * of this house must be continued. It stays the caller's.
	 */
	bool has_anchor;
	int anchor_dirfd;
	bool create;         /* make a new, empty ledger; AZ_CONFLICT if there is one */
	size_t segment_size; /* of the write-ahead log; 0 for 16 MiB; a multiple of 4096 */
	/* Follower: apply to the house's state, in order of seq, without syncing. */
	enum az_status (*behind)(
	    void *arg, const struct ledger_record *record, struct az_err *reterr);
	/* Follower: make everything up to seq durable; afterwards its segments may be recycled. */
	enum az_status (*behind_sync)(void *arg, uint64_t seq, struct az_err *reterr);
	void *behind_arg;
	/* Any thread: make the loop call ledger_poll soon. */
	void (*wake)(void *arg);
	void *wake_arg;
	/* Any thread: the disk failed in a way that leaves no safe way on. Must not return. */
	void (*fatal)(void *arg, const struct az_err *err);
	void *fatal_arg;
};

/*
 * Opens and recovers. A torn last batch, which was never acknowledged, is dropped, and ledger_start
 * submits an ENTRY_RECOVERED that says so. AZ_FORGED: a log is behind its signed checkpoint or the anchor, something
 * was removed from the write-ahead log or changed in it, or stored hashes do not lead to the stored
 * root. AZ_CORRUPT, AZ_NOT_FOUND, AZ_IO.
 */
AZ_CHECKED enum az_status ledger_open(
    const struct ledger_config *config, struct ledger **ret_ledger, struct az_err *reterr);

/*
 * Before ledger_start: calls visit for every record with seq > after, in order. AZ_CORRUPT if some
 * of them are no longer in the write-ahead log. The first failure of visit ends it.
 */
AZ_CHECKED enum az_status ledger_replay(struct ledger *ledger, uint64_t after,
    enum az_status (*visit)(void *arg, const struct ledger_record *record, struct az_err *reterr),
    void *arg, struct az_err *reterr);

/* Before ledger_start: the latest time of an entry in any log; 0 if there is none. */
int64_t ledger_last_time(const struct ledger *ledger);

/* A place in a log between two entries: {0, 0} is its beginning. */
struct ledger_place {
	uint64_t index;  /* of the entry behind it */
	uint64_t offset; /* in the log's file; 0 at the beginning */
};
/*
 * Before ledger_start: calls visit for every entry of a log from place on, in order, with staff and record as numbers,
 * and moves place behind the last. AZ_FORGED: place is not in this log, or an entry is not in its format (that it is the one that
 * was written, only ledger_verify says). The first failure of visit ends it. AZ_OK also for a log that is not there.
 */
AZ_CHECKED enum az_status ledger_follow(struct ledger *ledger, uint32_t log,
    struct ledger_place *place,
    enum az_status (*visit)(void *arg, const struct ledger_entry *entry, struct az_err *reterr),
    void *arg, struct az_err *reterr);
/*
 * The same in a running house, at most max entries of what the follower has synced (ledger_settle): place has reached its
 * end once it does not move. visit asks nothing of the ledger, which waits meanwhile.
 */
AZ_CHECKED enum az_status ledger_read_on(struct ledger *ledger, uint32_t log,
    struct ledger_place *place, size_t max,
    enum az_status (*visit)(void *arg, const struct ledger_entry *entry, struct az_err *reterr),
    void *arg, struct az_err *reterr);
/* The end of a log as it is written; nothing may be on its way (ledger_settle). */
struct ledger_place ledger_end(const struct ledger *ledger, uint32_t log);

/* Starts the committer, at raised priority where allowed, and the follower. */
AZ_CHECKED enum az_status ledger_start(struct ledger *ledger, struct az_err *reterr);

/*
 * Queues one entry, with a payload that a replay needs and the log must not show (sealed in here),
 * for the next flush and returns at once. Both are copied. When the flush that holds it has ended,
 * ledger_poll calls done with the ticket; done may be NULL. A failed flush ends the process.
 *
 * AZ_BUSY     the queue is full; nothing was queued
 * AZ_LIMIT    the disk is too full to promise durability; nothing was queued
 * AZ_INVALID  no log may hold such an entry or payload
 */
AZ_CHECKED enum az_status ledger_submit(struct ledger *ledger, const struct ledger_entry *entry,
    struct bytes payload, void (*done)(void *arg, const struct az_ticket *ticket), void *arg,
    struct az_err *reterr);

/* Ends a round: wakes the committer if anything was queued since the last call. */
void ledger_kick(struct ledger *ledger);

/* Runs the callbacks of all entries whose flush has ended, and of settled requests. */
void ledger_poll(struct ledger *ledger);

/* True while no spare segment of the write-ahead log can be made: lists must wait. */
bool ledger_space_is_low(struct ledger *ledger);

/* The current head of a log, as far as its callbacks have run; size 0 if it has no entries. */
void ledger_head(const struct ledger *ledger, uint32_t log, struct head *ret_head);

/*
 * Compares a head that somebody presents with our log at that size. AZ_OK: ours continues it.
 * AZ_FORGED: we are behind it, or have another history. AZ_IO.
 */
AZ_CHECKED enum az_status ledger_check_head(
    struct ledger *ledger, const struct head *head, struct az_err *reterr);

/*
 * Asks the follower to write, apply and sync everything submitted before and to sign checkpoints;
 * ledger_poll then calls done.
 */
AZ_CHECKED enum az_status ledger_settle(
    struct ledger *ledger, void (*done)(void *arg), void *arg, struct az_err *reterr);

/*
 * Settles, and from then on leaves as they are: the state file, checkpoints, segments of the write-ahead log that are full, and
 * whatever behind_sync would make durable. Entries are committed and appended as before, beyond the place that ledger_held
 * tells. Copied in this time, the files below dirfd are a ledger that ledger_open takes. ledger_poll calls done once it is so;
 * nothing is settled until ledger_release. AZ_BUSY: it is held already, or about to be. AZ_NO_MEMORY.
 */
AZ_CHECKED enum az_status ledger_hold(
    struct ledger *ledger, void (*done)(void *arg), void *arg, struct az_err *reterr);
/* While it is held: the segment that was written, and the end of its last batch. False if it is not held. */
bool ledger_held(struct ledger *ledger, uint32_t *ret_segment, uint64_t *ret_offset);
/* Goes on. Nothing if it is not held. */
void ledger_release(struct ledger *ledger);

/*
 * Flushes, settles and stops both threads; no callback runs. Blocks, but not for space on the disk: where
 * there is none, entries that were not acknowledged are dropped, and what was is left to the next ledger_open.
 */
void ledger_stop(struct ledger *ledger);
/* Stops if that was not done. */
void ledger_close(struct ledger **ledger);

/*
 * Calls visit for the entries of a log whose staff or record is id and whose index is below before, newest
 * first, at most max of them; visit returns false to stop, and asks nothing of the ledger. What the follower has not
 * synced yet is not seen: ledger_settle first. An answer is read from the log and checked against its stored
 * hash; that none is missing only the log itself can prove. AZ_OK also if there is none. AZ_INVALID;
 * AZ_FORGED: an entry is not the one that was written. AZ_CORRUPT: the index is; it is made anew at the
 * next ledger_open if its folder is removed. AZ_IO.
 */
AZ_CHECKED enum az_status ledger_query(struct ledger *ledger, uint32_t log,
    enum pseudonym_kind kind, uint32_t id, uint64_t before, size_t max,
    bool (*visit)(void *arg, uint64_t index, const struct ledger_read *entry), void *arg,
    struct az_err *reterr);

/* Who and which record the pseudonyms of an entry of log stand for; 0 for none. AZ_FORGED. */
AZ_CHECKED enum az_status ledger_identify(const struct ledger *ledger, uint32_t log,
    const struct ledger_read *entry, uint32_t *ret_staff, uint32_t *ret_record,
    struct az_err *reterr);
/* One entry of a log. AZ_NOT_FOUND: there is none, or it is not synced yet. Else as ledger_query. */
AZ_CHECKED enum az_status ledger_entry_at(struct ledger *ledger, uint32_t log, uint64_t index,
    struct ledger_read *ret_entry, struct az_err *reterr);

/* How many log numbers are in use, from 0. */
uint32_t ledger_log_count(const struct ledger *ledger);
AZ_CHECKED enum az_status ledger_public_key(const uint8_t house[HOUSE_ID_SIZE],
    const struct secret *root, uint32_t log, uint8_t ret_key[32], struct az_err *reterr);
/* The same, of an open ledger. */
AZ_CHECKED enum az_status ledger_log_key(
    const struct ledger *ledger, uint32_t log, uint8_t ret_key[32], struct az_err *reterr);
/* A log's origin and key name: "azukari/" house name "/g1/" and "house" or the client's number. */
void ledger_origin(const uint8_t house[HOUSE_ID_SIZE], uint32_t generation, uint32_t log,
    char text[LEDGER_NAME_SIZE]);
/*
 * The life of the logs between declared losses, from 1. An ENTRY_DECLARED_LOSS in the house's log begins the next one: at the
 * next ledger_open, so that nothing of one life runs into the other.
 */
uint32_t ledger_generation(const struct ledger *ledger);

/* --- for others ------------------------------------------------------------------------------ */

/*
 * The newest signed checkpoint of a log, appended to note. What is not settled is not in it. AZ_NOT_FOUND: it has
 * none yet. AZ_IO.
 */
AZ_CHECKED enum az_status ledger_checkpoint(
    struct ledger *ledger, uint32_t log, struct buffer *note, struct az_err *reterr);
/*
 * The offline proof of an entry (c2sp.org/tlog-proof@v1) in the newest signed checkpoint, with the entry in
 * it. AZ_NOT_FOUND: there is no such entry, or it is not settled. Else as ledger_query.
 */
AZ_CHECKED enum az_status ledger_prove(struct ledger *ledger, uint32_t log, uint64_t index,
    struct buffer *proof, struct az_err *reterr);
/* A log's verification key as others print it ("name+8 digits+base64"), appended. */
AZ_CHECKED enum az_status ledger_vkey(
    const struct ledger *ledger, uint32_t log, struct buffer *text, struct az_err *reterr);
/*
 * Appends the signature line of a signed note over text, by the key of a log. text ends with a line feed and
 * begins with '{', as no checkpoint does. AZ_INVALID: it does not.
 */
AZ_CHECKED enum az_status ledger_sign_text(const struct ledger *ledger, uint32_t log,
    struct bytes text, struct buffer *line, struct az_err *reterr);
/* Where in the log's file the bundle of 256 entries with entry index begins. Fails as ledger_entry_at. */
AZ_CHECKED enum az_status ledger_bundle_offset(struct ledger *ledger, uint32_t log, uint64_t index,
    uint64_t *ret_offset, struct az_err *reterr);

struct ledger_publish {
	uint32_t log;           /* in */
	uint8_t public_key[32]; /* in: the log's Ed25519 key */
	struct head head;       /* in: what it must contain at least; its generation */
	uint64_t have;          /* in: entries of an older export, which the receiver has */
	uint64_t
	    have_offset; /* in: where the bundle with entry number have begins, if have >= 256 */
	uint64_t size;   /* out: entries that are published now */
};

/*
 * Writes the published form of one log below dirfd (C2SP tlog-tiles, and vkey) into writer and ends it, as far as
 * the receiver lacks it. A pure reader, like ledger_verify, and checks what it reads. AZ_FORGED: the log is
 * not the one that was written. AZ_GONE: nobody reads any more. AZ_NOT_FOUND, AZ_CORRUPT, AZ_IO,
 * AZ_NO_MEMORY.
 */
AZ_CHECKED enum az_status ledger_publish(int dirfd, const uint8_t house[HOUSE_ID_SIZE],
    struct ledger_publish *publish, struct parts_writer *writer,
    void (*progress)(void *arg, uint64_t entries), void *arg, struct az_err *reterr);

/* --- verification: a pure reader, which needs no keys ---------------------------------------- */

struct ledger_verify {
	uint32_t log;            /* in */
	uint32_t generation;     /* in */
	uint8_t public_key[32];  /* in: the log's Ed25519 key */
	const struct head *head; /* in: what the log must contain, or NULL */
	/*
	 * in: commitments to other logs in entries up to this time are held against those logs, which must have been settled by then;
	 * INT64_MAX: all
	 */
	int64_t settled_us;
	uint64_t size;      /* out: entries read and hashed */
	uint8_t root[32];   /* out */
	bool ok;            /* out */
	uint64_t bad_index; /* out: the first entry that disagrees; UINT64_MAX: none can be named */
	char problem[160];  /* out: what is wrong; empty if ok */
};

/*
 * Re-reads every entry byte of one log below dirfd, decodes and hashes it, and compares with the
 * stored hashes, the head, the checkpoint and its signature, and what it committed to of other logs with those. What is wrong is reported in verify,
 * with AZ_OK. If the log cannot be read at all: AZ_NOT_FOUND (no such log), AZ_FORGED (one of its files is
 * missing or belongs to another house), AZ_CORRUPT, AZ_IO, AZ_NO_MEMORY.
 */
AZ_CHECKED enum az_status ledger_verify(int dirfd, const uint8_t house[HOUSE_ID_SIZE],
    struct ledger_verify *verify, void (*progress)(void *arg, uint64_t entries), void *arg,
    struct az_err *reterr);

#endif
