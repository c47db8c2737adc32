/* A ledger in a temporary folder, for the tests of this folder. */
#ifndef AZ_TESTS_LEDGER_HOUSE_H
#define AZ_TESTS_LEDGER_HOUSE_H

#include <semaphore.h>
#include <stdbool.h>

#include "ledger/ledger.h"

struct house {
	char path[64];
	int dirfd;
	uint8_t id[HOUSE_ID_SIZE];
	struct secret *root;
	struct ledger *ledger;
	sem_t woken;
	uint64_t acknowledged; /* tickets seen */
	uint64_t applied;      /* records the follower handed out */
	uint64_t applied_synced;
	bool has_anchor;
	int anchor_dirfd;
	bool state_fails; /* the hook that makes the house's state durable fails */
};

/* A new folder and an empty ledger in it, not started. */
void house_make(struct house *house);
/* Opens the ledger that is in the folder; the status of ledger_open. */
enum az_status house_open(struct house *house, struct az_err *reterr);
/* Opens and starts, or fails the test. */
void house_start(struct house *house);
/* Submits count disclosures to log and waits until all have their tickets. */
void house_disclose(struct house *house, uint32_t log, unsigned int count);
/* Waits until everything is synced and checkpoints are signed. */
void house_settle(struct house *house);
void house_close(struct house *house);
/* Closes and removes the folder. */
void house_remove(struct house *house);
/* Copies the whole folder to a new one, or back over it. */
void house_copy(const char *from, const char *to);
/* Removes such a copy. */
void house_discard(const char *path);
/* Reads and writes a byte of a file in the folder. */
void house_flip(struct house *house, const char *file, long offset);
long house_file_size(struct house *house, const char *file);
void house_truncate(struct house *house, const char *file, long size);

#endif
