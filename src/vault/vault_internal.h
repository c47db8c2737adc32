/*
 * What the files of the vault share.
 */
#ifndef AZ_VAULT_INTERNAL_H
#define AZ_VAULT_INTERNAL_H

#include <pthread.h>

#include "base/frame.h"
#include "base/loop.h"
#include "base/wire.h"
#include "proto/vault.h"
#include "store/store.h"
#include "vault/vault.h"

#define READERS       8u
#define BATCH_LOOKUPS 8u /* questions that one reader takes at a time */

/* Questions or writes on their way to a thread, or answers on their way back. */
struct message {
	struct message *next;
	uint16_t type;
	uint32_t id;
	uint32_t rows; /* of an answer: how many it has */
	struct buffer body;
};

struct message_list {
	struct message *first, **end;
	size_t count;
};
void message_list_init(struct message_list *list);
void message_list_add(struct message_list *list, struct message *message);
/* Moves everything of from to the end of to. */
void message_list_move(struct message_list *to, struct message_list *from);
/* Ends the process if there is no memory: what was asked could not be answered. */
struct message *message_new(uint16_t type, uint32_t id, size_t max);
void message_free(struct message *message);

struct vault {
	struct loop *loop;
	struct link link;
	struct loop_watch *watch;
	struct store *store; /* from HELLO on */
	int dirfd;
	bool ended;
	uint64_t ceiling; /* rows an hour; 0: none */
	int64_t window_us;
	uint64_t window_rows;
	bool window_told;
	uint64_t rows, requests;   /* served since HELLO */
	size_t in_hand;            /* messages that threads have */
	struct message_list batch; /* of lookups, being filled in this round */

	pthread_t readers[READERS];
	pthread_t writer;
	bool has_threads;
	pthread_mutex_t lock;
	pthread_cond_t asked;   /* for readers */
	pthread_cond_t written; /* for the writer */
	/* Under the lock. */
	struct message_list questions;
	struct message_list writes;
	struct message_list answers;
	size_t done; /* messages that threads have answered and the loop has not counted */
	bool stopping;
};

_Noreturn void vault_fatal(const char *what, const struct az_err *err);
/* Any thread: answers on their way to the loop. */
void vault_answer(struct vault *vault, struct message_list *answers);
/* A VAULT_FAILED. */
struct message *message_failed(uint32_t id, const struct az_err *err);

/* readers.c, writer.c: the threads; arg is the vault. */
void *reader_run(void *arg);
void *writer_run(void *arg);

#endif
