/*
 * What the files of this folder share. Bottom up: the tree (pure), a log's files, signed checkpoints,
 * the write-ahead log.
 */
#ifndef AZ_LEDGER_INTERNAL_H
#define AZ_LEDGER_INTERNAL_H

#include <pthread.h>

#include "base/vector.h"
#include "crypto/hash.h"
#include "crypto/seal.h"
#include "crypto/sign.h"
#include "crypto/tree.h"
#include "kv/kv.h"
#include "ledger/evidence.h"
#include "ledger/ledger.h"

/* --- tree.c: RFC 6962 §2.1 -------------------------------------------------------------------- */

/*
 * Rebuilds the right edge at size from stored hashes: of each 256 hashes of a stored level, the hash
 * over them is stored in the next.
 */
AZ_CHECKED enum az_status tree_restore(
    const struct hash_source *source, uint64_t size, struct tree *ret_tree, struct az_err *reterr);

/* --- log.c: the files of one log -------------------------------------------------------------- */

#define LOG_LEVELS 4 /* stored levels: 2^32 leaves */

struct log {
	uint32_t id;
	int dirfd;
	int entries; /* file header, then u16 big-endian size and entry, as in a C2SP entry bundle */
	int hashes[LOG_LEVELS];
	uint64_t entries_size;          /* bytes of the file, header included */
	struct tree tree;               /* over what is in the files */
	struct tree levels[LOG_LEVELS]; /* the growing group of 256 of each stored level */
	struct buffer pending;          /* entries not yet written */
	struct buffer pending_hashes[LOG_LEVELS];
	uint64_t hash_counts[LOG_LEVELS]; /* hashes of each level, pending ones included */
	bool dirty;                       /* written since the last sync */
};

/* Opens dir/log-XXXXXXXX, or makes it if create is set. */
AZ_CHECKED enum az_status log_open(int dirfd, const uint8_t house[HOUSE_ID_SIZE], uint32_t id,
    bool create, bool read_only, struct log *ret_log, struct az_err *reterr);
void log_close(struct log *log);
/* Cuts the files back to size entries of entries_size bytes and restores the tree. AZ_FORGED: too short. */
AZ_CHECKED enum az_status log_cut(
    struct log *log, uint64_t size, uint64_t entries_size, struct az_err *reterr);
AZ_CHECKED enum az_status log_append(struct log *log, struct bytes entry, struct az_err *reterr);
/* Writes what is pending; log_sync also flushes it to the disk. */
AZ_CHECKED enum az_status log_write(struct log *log, struct az_err *reterr);
AZ_CHECKED enum az_status log_sync(struct log *log, struct az_err *reterr);
/* The root at an earlier size, from the files; everything must be written. */
AZ_CHECKED enum az_status log_root_at(
    const struct log *log, uint64_t size, uint8_t ret_root[TREE_HASH_SIZE], struct az_err *reterr);
AZ_CHECKED enum az_status log_read_hashes(const struct log *log, unsigned int level, uint64_t index,
    size_t count, uint8_t *hashes, struct az_err *reterr);
/* For proofs; everything must be written. It borrows the log. */
struct hash_source log_source(const struct log *log);

/* --- crossed.c: what a log committed to of the others --------------------------------------------- */

#define CROSSED_MAX 65536u /* that are noted before they must be checked */
/* Zeroed: nothing is noted. */
struct crossed {
	struct vector items;
	char problem[160]; /* the first that does not hold; empty: all do */
};
AZ_CHECKED enum az_status crossed_note(struct crossed *crossed, uint64_t index,
    const struct ledger_entry *entry, struct az_err *reterr);
bool crossed_is_full(const struct crossed *crossed);
/* Checks what was noted, and forgets it. AZ_IO, AZ_NO_MEMORY: it could not be checked. */
AZ_CHECKED enum az_status crossed_check(
    struct crossed *crossed, int dirfd, const uint8_t house[HOUSE_ID_SIZE], struct az_err *reterr);

/* --- keys.c: the keys of the logs ---------------------------------------------------------------- */

/* The key of a log in a generation, as readers of its checkpoints know it. */
AZ_CHECKED enum az_status log_note_key(const uint8_t house[HOUSE_ID_SIZE], uint32_t generation,
    uint32_t log, const uint8_t public_key[SIGN_PUBLIC_SIZE], struct note_key *ret_key,
    struct az_err *reterr);
/* The private half, from the ledger's own key. */
AZ_CHECKED enum az_status log_sign_key(
    const struct ledger *ledger, uint32_t log, struct sign_key **ret_key, struct az_err *reterr);

/* --- wal.c: the shared write-ahead log ---------------------------------------------------------- */

#define WAL_PAGE        4096u
#define WAL_BATCH_BODY  (768u * 1024u) /* a batch is closed when its body reaches this */
#define WAL_SEGMENT_MIN (2u * 1024u * 1024u)
#define WAL_MAC_SIZE    32

/* One record of a batch, as it is written and as it is read back. */
struct wal_record {
	uint64_t seq;
	uint32_t log;
	uint64_t index;
	struct bytes entry;
	struct bytes payload; /* sealed, or empty */
};

struct wal {
	int dirfd;
	uint8_t house[HOUSE_ID_SIZE];
	size_t segment_size;
	struct mac *mac;
	int fd;                      /* of the segment that is written */
	uint32_t segment;            /* its number */
	uint64_t offset;             /* of the next batch in it */
	uint64_t batch;              /* number of the next batch, from 1 */
	uint64_t next_seq;           /* of the next record, from 1 */
	uint8_t chain[WAL_MAC_SIZE]; /* MAC of the last batch */
	bool torn;                   /* wal_scan found an incomplete last batch */
};

AZ_CHECKED enum az_status wal_init(struct wal *wal, int dirfd, const uint8_t house[HOUSE_ID_SIZE],
    const struct secret *root, size_t segment_size, struct az_err *reterr);
void wal_fini(struct wal *wal);
/* Creates segment number with its header, zeroed and flushed. */
AZ_CHECKED enum az_status wal_make_segment(
    const struct wal *wal, uint32_t number, struct az_err *reterr);
AZ_CHECKED enum az_status wal_remove_segment(
    const struct wal *wal, uint32_t number, struct az_err *reterr);
/* Makes segment the one that is written, from its start. */
AZ_CHECKED enum az_status wal_enter_segment(
    struct wal *wal, uint32_t number, struct az_err *reterr);

/*
 * Reads the segments first to last, calls visit for each record, and leaves wal at the end, ready to be
 * written. AZ_FORGED: a segment or batch is missing or changed. *ret_first is the first seq found.
 */
AZ_CHECKED enum az_status wal_scan(struct wal *wal, uint32_t first, uint32_t last,
    enum az_status (*visit)(void *arg, const struct wal_record *record, struct az_err *reterr),
    void *arg, uint64_t *ret_first, struct az_err *reterr);
/* The lowest and highest segment in the folder. AZ_NOT_FOUND if there is none. */
AZ_CHECKED enum az_status wal_find_segments(
    const struct wal *wal, uint32_t *ret_first, uint32_t *ret_last, struct az_err *reterr);

/* A batch is built in buffer between start and finish, then appended and flushed. */
AZ_CHECKED enum az_status wal_batch_start(const struct wal *wal, struct buffer *buffer);
AZ_CHECKED enum az_status wal_batch_add(struct buffer *buffer, const struct wal_record *record);
AZ_CHECKED enum az_status wal_batch_finish(struct wal *wal, uint32_t count, struct buffer *buffer);
bool wal_fits(const struct wal *wal, const struct buffer *buffer);
/* Writes a finished batch and flushes it: the one commit of the house. */
AZ_CHECKED enum az_status wal_commit(
    struct wal *wal, uint32_t count, const struct buffer *buffer, struct az_err *reterr);

/* --- recover.c: the state file, and opening ------------------------------------------------------ */

#define SEGMENTS_MAX 1024u

/*
 * Whether a log continues the checkpoint of it in dirfd/name, which is called what. A log that is ahead of it will be signed
 * anew. may_be_older: the checkpoint may be of the generation before, as the house's own is until the first signing of a
 * new one. AZ_NOT_FOUND: there is none. AZ_FORGED.
 */
AZ_CHECKED enum az_status ledger_check_signed(struct ledger *ledger, uint32_t number, int dirfd,
    const char *name, const char *what, bool may_be_older, struct az_err *reterr);

/* What the committer knows of a log: the tree over everything it has flushed. */
struct edge {
	struct tree tree;
	int64_t last_time_us;
	struct pseudonyms *pseudonyms;
	struct head flushed; /* the head the last batch left */
};

/* An entry on its way: queue, committer, then both loop and follower, each of which releases it. */
struct pending {
	struct pending *next;        /* in the queue, then in the list of done ones */
	struct pending *next_behind; /* in the follower's list */
	struct ledger_entry entry;
	void (*done)(void *arg, const struct az_ticket *ticket);
	void *arg;
	uint64_t seq;
	uint64_t index;
	struct head
	    head; /* of its log after its batch, in the last entry of that log in the batch */
	bool has_head;
	int users;
	size_t encoded_size;
	uint8_t encoded[LEDGER_ENTRY_MAX];
	size_t payload_size;
	uint8_t payload[]; /* plain, wiped on release */
};

struct settle {
	struct settle *next;
	uint64_t after_submitted; /* how many entries had been submitted when it was asked */
	bool hold;                /* once it is settled, hold */
	void (*done)(void *arg);
	void *arg;
};

struct ledger {
	struct ledger_config config;       /* without the root key */
	struct secret *key;                /* keys of the logs are derived from it */
	struct seal_key *payload_key;      /* committer */
	struct seal_key *payload_open_key; /* replay, before the threads start */
	struct wal wal;                    /* committer, once started */
	uint32_t generation;
	uint32_t next_generation; /* follower: of the next opening */
	uint32_t first_segment;   /* follower */
	bool torn;
	struct edge *edges[LEDGER_LOGS_MAX]; /* committer */
	struct head heads[LEDGER_LOGS_MAX];  /* loop */
	uint32_t log_count;                  /* loop */

	pthread_mutex_t files_lock; /* logs, and what is written of them */
	pthread_cond_t files_grew;
	struct log *logs[LEDGER_LOGS_MAX];
	int64_t last_times[LEDGER_LOGS_MAX]; /* follower: for the state file */
	bool unsigned_logs[LEDGER_LOGS_MAX]; /* follower: has entries no checkpoint covers */
	uint64_t written_seq;                /* follower: in the logs' files, maybe not synced */
	uint64_t synced_seq;                 /* follower: in the state file */

	pthread_mutex_t lock; /* everything below */
	pthread_cond_t queued;
	pthread_cond_t behind;
	pthread_cond_t prepared;
	struct pending *queue, **queue_end;
	size_t queue_size;
	uint64_t submitted, followed;
	struct pending *done, **done_end;
	struct pending *follow, **follow_end;
	struct settle *settling, *settled;
	uint32_t current_segment;
	uint32_t prepared_segment; /* highest that exists */
	uint64_t segment_last[SEGMENTS_MAX];
	uint32_t flushed_segment; /* where the last batch lies, and its end */
	uint64_t flushed_offset;
	bool hold_is_asked;
	bool held; /* the follower syncs nothing */
	uint32_t held_segment;
	uint64_t held_offset;
	bool space_is_low;
	bool stopping;
	bool committer_ended;

	struct index *index; /* follower; its reader: loop */
	bool kicked;         /* loop: something was queued since the last kick */
	bool started;
	pthread_t committer, follower;
};

/* Of a log, for one thread. */
AZ_CHECKED enum az_status ledger_pseudonyms(const struct ledger *ledger, uint32_t log,
    struct pseudonyms **ret_pseudonyms, struct az_err *reterr);
AZ_CHECKED enum az_status edge_new(
    const struct ledger *ledger, uint32_t log, struct edge **ret_edge, struct az_err *reterr);
void edge_free(struct edge **edge);
/* As ledger_identify, with what ledger_pseudonyms gave. */
AZ_CHECKED enum az_status pseudonyms_identify(struct pseudonyms *pseudonyms,
    const struct ledger_read *entry, uint32_t *ret_staff, uint32_t *ret_record);
/* The log's files, opened or made when it is first needed. Under files_lock, or before the threads start. */
AZ_CHECKED enum az_status ledger_log(
    struct ledger *ledger, uint32_t log, struct log **ret_log, struct az_err *reterr);
AZ_CHECKED enum az_status state_write(struct ledger *ledger, uint64_t seq, struct az_err *reterr);
/* Signs and stores a checkpoint of what is synced of a log. */
AZ_CHECKED enum az_status ledger_sign_log(
    struct ledger *ledger, uint32_t log, struct az_err *reterr);
/* Opens the payload of a record read back; the buffer gets the plain bytes. */
AZ_CHECKED enum az_status payload_open(const struct ledger *ledger, struct seal_key *key,
    const struct wal_record *record, struct buffer *buffer, struct az_err *reterr);
#define PAYLOAD_PLACE_SIZE (HOUSE_ID_SIZE + 20 + SHA256_SIZE)
void payload_place(const struct ledger *ledger, const struct wal_record *record,
    uint8_t place[PAYLOAD_PLACE_SIZE]);

/* --- index.c: the query index ------------------------------------------------------------------ */

enum index_table {
	INDEX_TABLE_REFS = 0,
	INDEX_TABLE_PLACES,
	INDEX_TABLE_COVERED,
	INDEX_TABLE_COUNT
};

#define INDEX_REF_SIZE       29u
#define INDEX_PLACE_KEY_SIZE 12u
#define INDEX_PLACE_SIZE     8u
#define INDEX_GROUP          256u /* entries of which the first one's place is kept */
#define INDEX_READ_SIZE      (INDEX_GROUP * (2u + LEDGER_ENTRY_MAX)) /* holds any group */

struct index_ref {
	uint8_t key[INDEX_REF_SIZE];
};

struct index_place {
	uint8_t key[INDEX_PLACE_KEY_SIZE];
	uint64_t offset;
};

struct index {
	int dirfd;
	struct kv *kv;
	struct kv_reader *reader; /* loop */
	/* The follower's, or the opening thread's: */
	struct index_ref *refs;
	size_t ref_count;
	struct index_place *places;
	size_t place_count;
	size_t entry_count;
	bool touched[LEDGER_LOGS_MAX];
	bool dirty; /* put since the last kv_sync */
	uint8_t block[INDEX_READ_SIZE];
};

void index_ref_make(uint32_t log, enum pseudonym_kind kind, const uint8_t pseudonym[PSEUDONYM_SIZE],
    uint64_t number, uint8_t key[INDEX_REF_SIZE]);
void index_place_make(uint32_t log, uint64_t group, uint8_t key[INDEX_PLACE_KEY_SIZE]);
/* One stored entry out of bytes; *ret_size is 0 if it does not stand there whole. */
AZ_CHECKED enum az_status index_take_entry(struct bytes bytes, uint32_t log,
    struct ledger_read *ret_entry, size_t *ret_size, struct az_err *reterr);

/* Once the logs are recovered: opens the index, or makes it anew, and brings it to the logs' ends. */
AZ_CHECKED enum az_status index_open(struct ledger *ledger, struct az_err *reterr);
void index_close(struct ledger *ledger);
/* Notes an entry just appended to its log at offset of its file. If it is full then: index_put. */
void index_note(struct ledger *ledger, uint32_t log, uint64_t number, uint64_t offset,
    const struct ledger_read *read);
bool index_is_full(const struct ledger *ledger);
/* Puts what was noted. The noted logs must stand as they stood after the last of it. Keeps it on failure. */
AZ_CHECKED enum az_status index_put(struct ledger *ledger, struct az_err *reterr);
AZ_CHECKED enum az_status index_sync(struct ledger *ledger, struct az_err *reterr);

/* --- follow.c ------------------------------------------------------------------------------------- */

/*
 * Reads a log on from place to end, which is written (its index may be less than its offset stands for); place is moved behind each entry after its visit. block has
 * INDEX_READ_SIZE bytes. size is what the entry takes up in the file.
 */
AZ_CHECKED enum az_status log_walk(const struct log *log, const struct ledger_place *end,
    uint8_t *block, struct ledger_place *place,
    enum az_status (*visit)(void *arg, const struct ledger_place *at, size_t size,
	const struct ledger_read *read, struct az_err *reterr),
    void *arg, struct az_err *reterr);

/* --- threads.c ------------------------------------------------------------------------------------ */

void *committer_run(void *ledger);
void *follower_run(void *ledger);
void pending_release(struct ledger *ledger, struct pending *pending);

/* --- anchor.c ------------------------------------------------------------------------------------- */

/* Every log must continue what the anchor has of it. AZ_OK without an anchor. AZ_FORGED, AZ_IO. */
AZ_CHECKED enum az_status anchor_check(struct ledger *ledger, struct az_err *reterr);
/* A new checkpoint of a log. */
AZ_CHECKED enum az_status anchor_write(
    const struct ledger *ledger, uint32_t number, struct bytes note, struct az_err *reterr);

#endif
