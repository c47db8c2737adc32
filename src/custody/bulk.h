/*
 * A list on its way in: what the loop and the two bulk threads share.
 *
 *	list ─► feeder (hashes) ─► pipe ─► intake ─► worker (seals) ─► frames ─► loop ─► vault
 *
 * The loop owns everything outside; the threads own what is marked so, and pass word under the lock.
 */
#ifndef AZ_CUSTODY_BULK_H
#define AZ_CUSTODY_BULK_H

#include <stdatomic.h>

#include "crypto/tree.h"
#include "custody/custody_internal.h"
#include "proto/intake.h"

#define BULK_TOKENS_MAX   (16u * 1024u * 1024u) /* of one kind, in memory */
#define BULK_REFUSALS_MAX 1000u                 /* told one by one */
#define BULK_ROWS_FRAME   (256u * 1024u)        /* bytes after which a frame of rows is sent */
#define BULK_FRAMES_MAX   4u                    /* that wait for the loop */

enum bulk_stage {
	BULK_WAITS_FOR_CHILD, /* loop */
	BULK_READS,           /* worker */
	BULK_IS_SEALED,       /* worker is done, vault and run are durable: the loop commits */
	BULK_IS_COMMITTED,    /* the entry is durable: the worker loads the catalogue */
	BULK_IS_LOADED,       /* the loop makes it active and answers */
	BULK_HAS_FAILED,      /* the loop takes everything back */
};

struct bulk_frame {
	struct bulk_frame *next;
	enum vault_message type;
	struct buffer body;
};

/* A consignment of the same purpose, to find the neighbours of a row in time. */
struct bulk_neighbour {
	uint64_t id;
	int32_t as_of;
};

struct bulk_refusal {
	uint32_t row;
	enum refusal reason;
};

/* --- numbers.c: the numbers seen in this list ------------------------------------------------- */

struct number_set {
	uint8_t (*slots)[CATALOGUE_DIGEST_SIZE]; /* zeros: free */
	size_t room, count;
};
void number_set_fini(struct number_set *set);
/* AZ_CONFLICT if it is there already. */
AZ_CHECKED enum az_status number_set_add(
    struct number_set *set, const uint8_t digest[CATALOGUE_DIGEST_SIZE]);

/* --- tokens.c: a kind's tokens, and their blocks ---------------------------------------------- */

struct token_list {
	struct token_entry *entries;
	size_t count, room;
};
void token_list_fini(struct token_list *list);
AZ_CHECKED enum az_status token_list_add(
    struct token_list *list, const uint8_t token[TOKEN_SIZE], uint32_t record);
/*
 * Sorts the list and cuts it into blocks that cover everything, each with its MAC; calls emit for each.
 */
AZ_CHECKED enum az_status token_list_blocks(struct token_list *list, uint64_t consignment,
    enum match_kind kind, const struct consignment_keys *keys,
    enum az_status (*emit)(void *arg, struct bytes block, struct az_err *reterr), void *arg,
    struct az_err *reterr);

/* --- the bulk --------------------------------------------------------------------------------- */

struct bulk {
	struct custody *custody;
	struct request *request;
	uint32_t child;
	int list_fd, pipe_fd, intake_fd;
	pthread_t feeder, worker;
	bool has_feeder, has_worker;
	bool committing;        /* the entry is submitted: there is no way back */
	bool failing;           /* everything is being taken back */
	bool has_key;           /* the ring has its key */
	struct payload payload; /* of the entry, while it is submitted */
	uint64_t index;         /* of the entry */
	int64_t told_us;        /* when progress was last told */

	/* Set before the threads start, and read by them. */
	struct client client; /* with the "x:" fields that this list adds (worker) */
	bool strict;
	uint32_t allows; /* classes that the purpose lets a list hold */
	char columns[FRONT_COLUMNS_MAX];
	const struct client_keys *client_keys;
	struct consignment_keys *keys;
	struct bulk_neighbour *neighbours;
	size_t neighbour_count;
	struct correction_seen *corrected; /* of the purpose, by record */
	size_t corrected_count;
	struct catalogue_reader *reader;

	/* The worker's; the loop's after BULK_IS_SEALED or BULK_HAS_FAILED. */
	struct consignment consignment; /* counts, hashes */
	uint32_t next_record;
	uint8_t x_bits[FIELD_COUNT]; /* intake's number of a field to the client's */
	bool has_columns;
	bool x_are_moved; /* some number differs: rows are encoded again */
	uint32_t unused_columns;
	struct number_set numbers;
	struct token_list tokens[MATCH_ASKED];
	struct catalogue_run *run;
	struct tree tree;
	struct buffer rows; /* the frame being filled */
	uint32_t rows_in_frame;
	struct buffer plain, sealed;
	struct bulk_refusal refusals[BULK_REFUSALS_MAX];
	size_t refusal_count;

	atomic_bool cancelled;
	atomic_uint rows_read;

	pthread_mutex_t lock;
	pthread_cond_t changed;
	/* Under the lock. */
	enum bulk_stage stage;
	struct az_err err;
	struct bulk_frame *frames, **frames_end;
	size_t frame_count;
	bool synced; /* the vault answered */
	enum az_status sync_status;
	struct az_err sync_err;
	bool list_has_ended; /* the feeder is done */
	enum az_status list_status;
	struct az_err list_err;
	uint8_t list_sha256[SHA256_SIZE];
};

/* bulk.c: both threads. arg is the bulk. */
void *bulk_feeder_run(void *arg);
void *bulk_worker_run(void *arg);

/* Worker: hands a frame to the loop, waiting while too many wait. AZ_GONE after a cancellation. */
AZ_CHECKED enum az_status bulk_send(
    struct bulk *bulk, enum vault_message type, struct buffer *body, struct az_err *reterr);
/* Any thread: moves on to stage, and wakes the loop. */
void bulk_enter(struct bulk *bulk, enum bulk_stage stage, const struct az_err *err);

/* rows.c, the worker's: one frame of intake each. */
AZ_CHECKED enum az_status rows_take_columns(
    struct bulk *bulk, struct bytes body, struct az_err *reterr);
AZ_CHECKED enum az_status rows_take(struct bulk *bulk, struct bytes body, struct az_err *reterr);
AZ_CHECKED enum az_status rows_take_refused(
    struct bulk *bulk, struct bytes body, struct az_err *reterr);
/* Sends the last frame of rows, and all tokens. */
AZ_CHECKED enum az_status rows_finish(struct bulk *bulk, struct az_err *reterr);

#endif
