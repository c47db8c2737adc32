/*
 * A leaked list on its way to verdicts: what the loop and the threads of a trace share.
 *
 *	list ─► intake ─► rows, their fingerprints           read.  One list after the other
 *	entry: the file's hash, how many rows                 I1
 *	runs ─► shelf: prints that the lists have, too        search. Rows decided by them, and candidates of the others
 *	entry in the log of each client: how many are opened  I1
 *	vault ─► rows opened and compared ─► verdicts         open
 *	entry: root over the verdicts
 *	attribution: when it was copied, and by whom          (custody/attribution.h)
 *
 * All of it lies in memory, of which the plaintext and the fingerprints are locked where that is allowed, left out of
 * core files, and wiped; nothing of it is ever on a disk. One trace at a time in a house.
 *
 * The loop owns everything outside; the threads own what is marked so, and pass word under the lock.
 */
#ifndef AZ_CUSTODY_TRACING_H
#define AZ_CUSTODY_TRACING_H

#include <stdatomic.h>

#include "crypto/tree.h"
#include "custody/cases.h"
#include "custody/open.h"
#include "custody/reading.h"
#include "trace/link.h"

#define TRACING_LISTS_MAX   32u
#define TRACING_THREADS_MAX 4u
#define TRACING_BYTES_MAX   ((size_t)3 << 30) /* of rows and their prints */
#define TRACING_SHELF_MAX   ((size_t)6 << 30)
#define TRACING_OPENED_MAX  64u  /* candidates of a row that are opened */
#define TRACING_ARRIVED_MAX 64u  /* answers of the vault on their way or waiting */
#define TRACING_PAGE        256u /* rows whose verdicts are one leaf */

/* --- what was read ---------------------------------------------------------------------------- */

struct tracing_list {
	uint8_t sha256[SHA256_SIZE];
	uint32_t rows, accepted, refused;
	uint64_t before; /* rows of the lists before it */
	uint64_t fields; /* of its columns, in intake's numbering */
	char x_names[FIELD_COUNT][FIELD_NAME_MAX];
	uint64_t index;  /* of its entry */
	bool is_made_up; /* it looks as if somebody tried out who is here */
};

/* A verdict, as it is kept: links and versions lie in the chunk. */
struct tracing_verdict {
	uint32_t first_link;
	uint32_t namesakes;
	uint8_t verdict; /* enum trace_verdict */
	uint8_t count;
};
struct tracing_link {
	uint32_t record, client;
	float bits, weight;
	uint32_t first_version;
	uint16_t kinds;
	uint8_t version_count, conflicts, notation;
};

/* The rows of one frame of intake's. One thread's at a time. */
struct tracing_chunk {
	struct pages pages; /* holds the six that follow */
	uint64_t *prints;
	uint32_t *rows;    /* their numbers in the list */
	uint32_t *offsets; /* into encoded; one more than there are rows */
	uint8_t *kinds;    /* of the prints */
	uint8_t *counts;   /* prints of each row */
	uint8_t *encoded;
	size_t count, print_count;
	uint32_t list;
	struct tracing_verdict *verdicts;
	struct tracing_link *links;
	uint32_t *versions;
	size_t link_count, link_room, version_count, version_room;
};
/* A verdict of a row of the chunk. AZ_NO_MEMORY. */
AZ_CHECKED enum az_status tracing_keep(struct tracing_chunk *chunk, size_t row,
    const struct trace_row_verdict *verdict, struct az_err *reterr);

/* --- what is searched ------------------------------------------------------------------------- */

struct tracing_client {
	uint32_t id;
	char label[LABEL_SIZE];
	uint8_t x_count;
	char x_names[FIELD_COUNT - FIELD_X_FIRST][FIELD_NAME_MAX];
	struct client_keys keys;  /* a copy, whose parts stay where they are */
	struct tree opened;       /* over what is opened of it */
	struct az_ticket *ticket; /* of the entry that says so */
	uint64_t opened_index;
	/* results */
	uint64_t rows, people, fields;
};

/* A list of the house. What of it is read is the house's until the trace ends. */
struct tracing_source {
	uint64_t consignment;
	uint32_t client; /* index into clients */
	int32_t as_of;
	uint64_t fields;       /* of its columns */
	struct secret *prints; /* a copy */
	uint8_t sha256[SHA256_SIZE];
	bool has_prints;
	struct trace_index *index; /* of its fingerprints, while they are searched */
	size_t first_unit;         /* of its blocks, among those of all sources */
	struct seal_key *rows[TRACING_THREADS_MAX]; /* one for each thread */
};

/* A row of the vault to be opened. Sorted by record. */
struct tracing_target {
	uint32_t record, version;
	uint32_t source;
	uint8_t digest[CATALOGUE_DIGEST_SIZE];
	uint32_t first_pair, pair_count; /* leaked rows that it is compared with */
	bool tells_number;               /* the first of its record */
	uint32_t number;                 /* index into numbers, if it does */
};
/* A leaked row that a record is compared with. */
struct tracing_pair {
	uint32_t record, chunk;
	uint16_t row;
};
struct tracing_scored {
	uint32_t chunk;
	uint16_t row;
	struct trace_scored scored;
};
/* The client's own number of a record, as its row has it. */
struct tracing_number {
	uint32_t record;
	uint32_t size;
	const uint8_t *text;
};

/* An answer of the vault, for the threads. */
struct tracing_arrival {
	struct tracing_arrival *next;
	struct tracing *tracing;
	size_t first, count; /* targets that were asked for */
	struct buffer body;
};

/* Growing arrays of the threads' own, put together at the end. */
struct tracing_worker {
	struct tracing *tracing;
	unsigned int index;
	pthread_t thread;
	struct tracing_pair *pairs;
	size_t pair_count, pair_room;
	uint32_t *shown; /* records of which the number is told */
	size_t shown_count, shown_room;
	struct tracing_scored *scored;
	size_t scored_count, scored_room;
	struct pages *texts; /* the numbers of records */
	size_t text_count, text_room, text_used;
	struct az_err err;
	enum az_status status;
};

enum tracing_stage {
	TRACING_RESTS,      /* loop: waits for a list, or to be told to begin */
	TRACING_STARTS,     /* loop: intake was asked for */
	TRACING_READS,      /* threads */
	TRACING_HAS_READ,   /* loop */
	TRACING_COMMITS,    /* loop: entries of the lists */
	TRACING_SEARCHES,   /* threads */
	TRACING_ASKS,       /* loop: entries of what is opened */
	TRACING_OPENS,      /* threads, and the loop asks the vault */
	TRACING_HAS_JUDGED, /* loop: the last entry */
	TRACING_TELLS,      /* threads */
	TRACING_HAS_TOLD,   /* loop: hands the rows to an attribution */
	TRACING_ATTRIBUTES, /* its process, then the answer */
	TRACING_HAS_FAILED, /* loop */
};

struct tracing {
	struct custody *custody;
	struct custody_front *front; /* whose it is; NULL: it has gone */
	struct request *request;     /* that is being answered; NULL: it rests */
	uint32_t id;                 /* of the case */
	uint64_t rows_left;          /* of the case, when the first list came */
	uint32_t child;
	int list_fd, pipe_fd, intake_fd, rows_fd;
	char columns[FRONT_COLUMNS_MAX];
	char password[FRONT_PASSWORD_SIZE];
	bool wants_rows, is_sealed;
	uint8_t recipient[32];
	pthread_t main, feeder;
	bool has_main, has_feeder;
	bool commit_is_due;  /* entries of the lists can be submitted when no change is at work */
	bool is_logged;      /* those are in the ledger: so is how it ended */
	size_t answers_open; /* of ledger and vault, which know this trace by its address */
	uint64_t index;      /* of the last entry */
	uint64_t used, allowed;
	int64_t told_us;
	struct payload payload; /* of the entry, while it is submitted */

	/* Set before the threads start, and read by them. */
	struct tracing_client *clients;
	size_t client_count;
	struct tracing_source *sources; /* by consignment */
	size_t source_count;
	size_t not_active;
	uint32_t people; /* records of the house */
	unsigned int worker_count;

	/* The threads'; the loop's while it rests. */
	struct tracing_list lists[TRACING_LISTS_MAX];
	size_t list_count;
	struct tracing_worker workers[TRACING_THREADS_MAX];
	pthread_mutex_t reading;
	struct link intake;
	size_t sequence;
	bool intake_is_done, has_columns;
	uint64_t told_rows, told_accepted, told_refused;
	uint64_t *phones, *names; /* of the list being read, for is_made_up */
	size_t phone_count, name_count, sample_room;
	struct tracing_chunk **chunks; /* in the order of the rows; NULL: a frame of refusals */
	size_t chunk_count, chunk_room;
	size_t bytes; /* that the chunks hold */
	struct trace_shelf *shelf;
	struct trace_wanted wanted;
	struct pages wanted_prints; /* of it */
	uint64_t *filter;
	unsigned int filter_bits;
	size_t unit_count; /* of blocks of fingerprints */
	struct tracing_target *targets;
	size_t target_count;
	struct tracing_pair *pairs;
	size_t pair_count;
	struct tracing_number *numbers; /* by record */
	size_t number_count;
	uint64_t rows_decided, rows_opened;
	uint64_t ours, ambiguous, not_found, people_found;
	uint8_t root[TREE_HASH_SIZE];
	/* The loop's: what became of the rows. */
	struct attribution *attribution;
	size_t attribute_chunk, attribute_row; /* the next to be handed on */
	bool is_attributed;
	uint64_t attributed_index;     /* of its entry */
	struct az_err attribution_err; /* why not */

	atomic_size_t taken;   /* work that was handed out */
	atomic_ullong done_of; /* for progress */

	atomic_bool cancelled; /* nobody wants it any more */
	atomic_bool stopped;   /* a worker has failed */

	pthread_mutex_t lock;
	pthread_cond_t changed;
	/* Under the lock. */
	enum tracing_stage stage;
	struct az_err err;
	bool list_has_ended;
	enum az_status list_status;
	struct az_err list_err;
	uint8_t list_sha256[SHA256_SIZE];
	struct tracing_arrival *arrivals, **arrivals_end;
	size_t arrivals_waiting; /* those, and those that the vault was asked for */
	size_t fetch_next;       /* the loop's: targets that were asked for */
	size_t targets_done;
};

/* --- tracing.c: threads ------------------------------------------------------------------------ */

bool tracing_is_over(const struct tracing *tracing);
struct reading_end tracing_end(const struct tracing *tracing);
/* Any thread: moves on, and wakes the loop. */
void tracing_enter(struct tracing *tracing, enum tracing_stage stage, const struct az_err *err);
void tracing_wake(struct tracing *tracing);
/* Has all workers do it, this thread the first one's part; the first failure is what counts. */
AZ_CHECKED enum az_status tracing_together(struct tracing *tracing,
    enum az_status (*work)(struct tracing_worker *worker, struct az_err *reterr),
    struct az_err *reterr);
/* Room for one more of size bytes behind count. */
AZ_CHECKED enum az_status tracing_grow(
    void *array, size_t count, size_t *room, size_t size, struct az_err *reterr);
const struct tracing_source *tracing_source_of(const struct tracing *tracing, uint64_t consignment);
void tracing_free(struct tracing **tracing);

/* --- trace.c, trace_log.c, trace_answer.c: the loop ---------------------------------------------- */

/* What comes of the lists, in the order of the stages. */
uint64_t tracing_rows(const struct tracing *tracing);
/* Whether the case admits exactly these lists. AZ_DENIED. */
AZ_CHECKED enum az_status tracing_check(
    const struct tracing *tracing, const struct trace_case *of, struct az_err *reterr);
void tracing_commit(struct tracing *tracing);
void *tracing_run(void *arg);
void tracing_log_opening(struct tracing *tracing);
void tracing_fetch(struct tracing *tracing);
void tracing_log_verdicts(struct tracing *tracing);
/* Hands some more rows on; in the end it answers, with or without an attribution. */
void tracing_attribute(struct tracing *tracing);
void tracing_answer_attribution(const struct tracing *tracing, struct wire_writer *writer);
/* Answers, and ends it. */
void tracing_answer(struct tracing *tracing);
void tracing_progress(struct tracing *tracing, enum tracing_stage stage);

enum tracing_stage tracing_stage_of(struct tracing *tracing);
/* Joins the threads, which have ended or are told to. */
void tracing_join(struct tracing *tracing);
/* Frees it; no answer is open any more. */
void tracing_drop(struct tracing *tracing);
void tracing_fail(struct tracing *tracing, enum az_status status, const struct az_err *err);
/* Ends what has failed, once no answer is open any more. */
void tracing_end_failed(struct tracing *tracing);
/* trace_log.c: the entry that says who was found, and then the answer. */
void tracing_log_attribution(struct tracing *tracing);

/* --- trace_read.c, trace_search.c, trace_open.c, trace_tell.c ------------------------------------ */

/* Thread: reads a list from intake. arg is the tracing. */
void *tracing_feed(void *arg);
AZ_CHECKED enum az_status tracing_read(struct tracing *tracing, struct az_err *reterr);
/*
 * Whether telephones were made by counting: sorted, as they are from then on, most of them are the same small step apart.
 * People's are not.
 */
bool tracing_are_counted(uint64_t *numbers, size_t count);
/* Thread: fills the shelf with what the lists have, decides what it can, and lists what must be opened. */
AZ_CHECKED enum az_status tracing_search(struct tracing *tracing, struct az_err *reterr);
/* Thread: opens and compares what the loop has from the vault, and judges. */
AZ_CHECKED enum az_status tracing_open(struct tracing *tracing, struct az_err *reterr);
/* Thread: counts, and the root over all verdicts. */
AZ_CHECKED enum az_status tracing_count(struct tracing *tracing, struct az_err *reterr);
/* Thread: writes a line for each row, if that is wanted. */
AZ_CHECKED enum az_status tracing_tell(struct tracing *tracing, struct az_err *reterr);

#endif
