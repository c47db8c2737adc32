/*
 * A list on its way in: what the loop and the bulk threads share.
 *
 *	list ─► feeder (hashes) ─► pipe ─► intake ─► workers (seal) ─► frames ─► loop ─► vault
 *	                                                └─► spills ─► token blocks, fingerprints
 *
 * A worker takes a frame of intake's, does what needs no order, waits until the frames before it have
 * their records, takes records for its own, seals, and waits for its turn again to pass on what it made. So rows
 * reach tree, run and vault in the order of the list, and there is no queue between the workers.
 *
 * The loop owns everything outside; the threads own what is marked so, and pass word under the lock.
 */
#ifndef AZ_CUSTODY_BULK_H
#define AZ_CUSTODY_BULK_H

#include <stdatomic.h>

#include "crypto/spill.h"
#include "crypto/tree.h"
#include "custody/custody_internal.h"
#include "custody/reading.h"
#include "trace/trace.h"

#define BULK_WORKERS_MAX  4u
#define BULK_REFUSALS_MAX 1000u          /* told one by one */
#define BULK_FRAME_USUAL  (256u * 1024u) /* bytes of a frame of token blocks */
#define BULK_FRAMES_MAX   32u            /* on their way to the vault and not yet taken by it */

enum bulk_stage {
	BULK_WAITS_FOR_CHILD, /* loop */
	BULK_READS,           /* workers */
	BULK_IS_SEALED,       /* workers are done, vault and runs are durable: the loop commits */
	BULK_IS_COMMITTED,    /* the entry is durable: a worker loads the catalogue */
	BULK_IS_LOADED,       /* the loop makes it active and answers */
	BULK_HAS_FAILED,      /* the loop takes everything back */
};

struct bulk_frame {
	struct bulk_frame *next;
	enum vault_message type;
	struct buffer body;
};

/* A consignment of the same purpose, to find the neighbours of a row in time; its keys are derived. */
struct bulk_neighbour {
	uint64_t id;
	int32_t as_of;
	enum list_mode mode;
	const struct consignment *list; /* borrowed: what it is stays as it is */
};

struct bulk_refusal {
	uint32_t row;
	enum refusal reason;
};

/* --- numbers.c: the numbers seen in this list ------------------------------------------------- */

#define NUMBER_PARTS 256u

/* About 12 bytes a number, whatever the number of rows. */
struct number_part {
	uint8_t *slots;
	uint32_t room, count;
};
struct number_set {
	struct number_part parts[NUMBER_PARTS];
};
void number_set_fini(struct number_set *set);
/* AZ_CONFLICT if it is there already. AZ_NO_MEMORY. */
AZ_CHECKED enum az_status number_set_add(
    struct number_set *set, const uint8_t digest[CATALOGUE_DIGEST_SIZE]);
/* Tells the processor that digest is added soon. */
void number_set_prepare(const struct number_set *set, const uint8_t digest[CATALOGUE_DIGEST_SIZE]);

/* --- tokens.c: sorted tokens into blocks ------------------------------------------------------ */

/* As tokens lie in a spill, so that sorting the bytes sorts them: token, record u32be. */
#define TOKEN_SORTED_SIZE 20u

/* All tokens with lower <= token < upper, or of any size from lower on if last. */
struct token_span {
	uint64_t consignment;
	enum match_kind kind;
	uint8_t lower[TOKEN_SIZE];
	uint8_t upper[TOKEN_SIZE]; /* zeros if last */
	bool last;
};
/*
 * Cuts the sorted tokens of a span into blocks that cover it without a gap, each with its MAC; calls emit for each.
 * What repeats is dropped, and so is most of what very many share; entries are changed.
 */
AZ_CHECKED enum az_status token_blocks(const struct token_span *span, uint8_t *entries,
    size_t count, const struct consignment_keys *keys,
    enum az_status (*emit)(void *arg, struct bytes block, struct az_err *reterr), void *arg,
    struct az_err *reterr);

/* --- the bulk --------------------------------------------------------------------------------- */

/* How far a sequence of pieces has come that one worker at a time passes on. Under the lock. */
struct bulk_turn {
	uint64_t next;
};

/* What becomes of a row. */
enum bulk_fate {
	FATE_NEW,       /* a record nobody had */
	FATE_CHANGED,   /* another version of a record */
	FATE_UNCHANGED, /* the version that it has already */
	FATE_WITHDRAWN, /* no version: its record is taken away */
	FATE_REFUSED,
};
/* What a withdrawal comes to. */
enum bulk_withdrawal {
	WITHDRAWAL_NOTHING, /* who was withdrawn or absent before */
	WITHDRAWAL_DONE,
	WITHDRAWAL_KEPT,    /* a later list has them */
	WITHDRAWAL_UNKNOWN, /* no list has them */
};
struct bulk_row {
	struct intake_row in; /* borrows from the worker's frame */
	struct catalogue_row placed;
	enum bulk_fate fate;
	enum bulk_withdrawal withdrawal;
	enum refusal refusal; /* if it is refused */
	bool doubtful;        /* new, though somebody known shares something with it */
	uint8_t once[CATALOGUE_DIGEST_SIZE]; /* what no other row of the list may have */
	uint8_t leaf[TREE_HASH_SIZE];
};

struct bulk_worker {
	struct bulk *bulk;
	pthread_t thread;
	struct seal_key *row_key;
	struct catalogue_reader *reader;
	struct spill *tokens, *prints; /* of the rows that this worker sealed */
	struct buffer frame;           /* of intake's, being worked at */
	struct buffer plain;           /* a row in the client's numbering */
	struct buffer out;             /* a frame of rows for the vault */
	struct bulk_row *rows;         /* of the frame */
	size_t count, room;
	uint32_t sealed; /* rows in out */
	uint32_t checks; /* until a row whose match keys are made again */
	struct az_err err;
};

struct bulk {
	struct custody *custody;
	struct request *request;
	uint32_t child;
	int list_fd, pipe_fd, intake_fd;
	pthread_t feeder, main_worker;
	bool has_feeder, has_worker;
	bool committing;        /* the entry is submitted: there is no way back */
	bool failing;           /* everything is being taken back */
	bool has_key;           /* the ring has its key */
	struct payload payload; /* of the entry, while it is submitted */
	uint64_t index;         /* of the entry */
	int64_t told_us;        /* when progress was last told */

	/* Set before the threads start, and read by them. */
	struct client client; /* with the "x:" fields that this list adds (workers) */
	bool strict;
	uint32_t allows; /* classes that the purpose lets a list hold */
	char columns[FRONT_COLUMNS_MAX];
	char password[FRONT_PASSWORD_SIZE]; /* until intake has it */
	struct client_keys client_keys;     /* a copy: the custody's table may move */
	struct consignment_keys *keys;
	struct bulk_neighbour *neighbours; /* by id */
	size_t neighbour_count;
	const struct bulk_neighbour *newest_full; /* of these; NULL */
	uint16_t join;                     /* kinds that people are joined by; 0: by number */
	struct join *joined;               /* whom they may be joined to (main worker) */
	struct correction_seen *corrected; /* of the purpose, by record */
	size_t corrected_count;

	/* The workers'; the loop's after BULK_IS_SEALED or BULK_HAS_FAILED. */
	struct bulk_worker workers[BULK_WORKERS_MAX];
	unsigned int worker_count;

	/* Of whoever reads intake's frames. */
	pthread_mutex_t reading;
	struct link intake;
	uint64_t sequence; /* frames read */
	bool intake_is_done;
	uint64_t told_rows, told_accepted, told_refused; /* by intake at its end */
	uint32_t told_totals, told_sheets;
	uint8_t x_bits[FIELD_COUNT]; /* intake's number of a field to the client's */
	uint64_t columns_seen;       /* in intake's numbering */
	bool has_columns;
	bool x_are_moved; /* some number differs: rows are encoded again */
	uint32_t unused_columns;

	/* Of whose turn it is to place. */
	struct consignment consignment; /* counts, hashes */
	uint32_t next_record;
	struct number_set numbers;
	uint32_t last_row, last_refused; /* of the list, as intake numbers it */
	uint32_t refused_unknown;        /* refused since nobody of the client is that */
	struct bulk_refusal refusals[BULK_REFUSALS_MAX];
	size_t refusal_count;
	uint32_t doubts[BULK_REFUSALS_MAX]; /* rows */
	size_t doubt_count;

	/* Of whose turn it is to pass on. */
	struct catalogue_run *run;
	struct trace_run *prints;
	struct tree tree;
	uint8_t
	    *present; /* of a full list: its records, a bit each; those that are new have none */
	uint32_t present_room; /* bits */

	atomic_bool cancelled; /* nobody wants the list any more */
	atomic_bool stopped;   /* a worker has failed */
	atomic_uint rows_read;
	atomic_size_t pieces_taken; /* of finish.c */

	pthread_mutex_t lock;
	pthread_cond_t changed;
	/* Under the lock. */
	struct bulk_turn placing, passing, blocks, printing;
	enum bulk_stage stage;
	struct az_err err;
	struct bulk_frame *frames, **frames_end;
	size_t frames_waiting; /* those, and those that the vault has not taken yet */
	enum { BLOCKS_NONE, BLOCKS_QUEUED, BLOCKS_SENT, BLOCKS_ARRIVED } blocks_are;
	enum az_status blocks_status;
	struct az_err blocks_err;
	struct buffer given; /* blocks that the vault gave */
	bool synced;         /* the vault answered */
	enum az_status sync_status;
	struct az_err sync_err;
	bool list_has_ended; /* the feeder is done */
	enum az_status list_status;
	struct az_err list_err;
	uint8_t list_sha256[SHA256_SIZE];
};

/* feeder.c: a thread. arg is the bulk. */
void *bulk_feeder_run(void *arg);
/* For whoever waits. */
struct reading_end bulk_end(const struct bulk *bulk);
/* The list has been read to its end, and every byte of it was hashed. */
AZ_CHECKED enum az_status bulk_wait_list(struct bulk *bulk, struct az_err *reterr);
/* Where the file itself was at fault, what intake made of the part that it saw explains nothing: its own fault, or status. */
AZ_CHECKED enum az_status bulk_list_failed_first(
    struct bulk *bulk, enum az_status status, struct az_err *reterr);

/*
 * Main worker: asks the vault for token blocks, from the one on that covers token; they lie in bulk->given. AZ_GONE if
 * the bulk is to end.
 */
AZ_CHECKED enum az_status bulk_ask_blocks(struct bulk *bulk, uint64_t consignment,
    enum match_kind kind, const uint8_t token[TOKEN_SIZE], struct az_err *reterr);

/* bulk.c: a thread, which starts the other workers. arg is the bulk. */
void *bulk_worker_run(void *arg);
/* Hands a frame to the loop, waiting while too much waits. AZ_GONE if the bulk is to end. */
AZ_CHECKED enum az_status bulk_send(
    struct bulk *bulk, enum vault_message type, struct buffer *body, struct az_err *reterr);
/* Any thread: moves on to stage, and wakes the loop. */
void bulk_enter(struct bulk *bulk, enum bulk_stage stage, const struct az_err *err);
/* Any thread: wakes all that wait. */
void bulk_changed(struct bulk *bulk);
/* Whether the threads are to end. */
bool bulk_is_over(const struct bulk *bulk);
/* Waits until turn has come to number. AZ_GONE if the bulk is to end. */
AZ_CHECKED enum az_status bulk_turn_wait(
    struct bulk *bulk, const struct bulk_turn *turn, uint64_t number, struct az_err *reterr);
void bulk_turn_pass(struct bulk *bulk, struct bulk_turn *turn);

/* frames.c: frames of intake's, until it is done. One worker's part. */
AZ_CHECKED enum az_status frames_work(struct bulk_worker *worker, struct az_err *reterr);

/* rows.c: the frame that the worker has, of rows or of refusals, the one of that sequence. */
AZ_CHECKED enum az_status rows_take(
    struct bulk_worker *worker, uint64_t sequence, struct az_err *reterr);
AZ_CHECKED enum az_status rows_take_refused(
    struct bulk_worker *worker, uint64_t sequence, struct az_err *reterr);

/* place.c: which record and version a row is. Fills in placed and fate; a new record has no number yet. */
AZ_CHECKED enum az_status place_row(
    struct bulk_worker *worker, struct bulk_row *row, struct az_err *reterr);

/* --- join.c: people of lists without numbers --------------------------------------------------- */

/* Loop: the client's lists, before the threads start. Main worker: their tokens, before the first row. */
AZ_CHECKED enum az_status join_new(struct bulk *bulk, struct az_err *reterr);
AZ_CHECKED enum az_status join_load(struct bulk *bulk, struct az_err *reterr);
void join_free(struct bulk *bulk);
/*
 * Who a row is: fills in record (0: nobody known), once, doubtful, and refusal if it cannot be said.
 * AZ_OK also then.
 */
AZ_CHECKED enum az_status join_row(
    struct bulk_worker *worker, struct bulk_row *row, struct az_err *reterr);

/* absent.c: room for whom a full list has, before its first row. */
AZ_CHECKED enum az_status absent_new(struct bulk *bulk, struct az_err *reterr);
void absent_fini(struct bulk *bulk);
/* Its next row. */
void absent_note(struct bulk *bulk, uint32_t record);
/* After the last one: how many people can no longer be found because of it. */
AZ_CHECKED enum az_status absent_count(
    const struct bulk *bulk, uint32_t *ret_count, struct az_err *reterr);

/* finish.c: tokens and fingerprints on their way to being sorted. */
AZ_CHECKED enum az_status finish_new(struct bulk_worker *worker, struct az_err *reterr);
AZ_CHECKED enum az_status finish_note(
    struct bulk_worker *worker, const struct bulk_row *row, struct az_err *reterr);
/* Sorts and passes on what all workers noted. One worker's part. */
AZ_CHECKED enum az_status finish_work(struct bulk_worker *worker, struct az_err *reterr);

#endif
