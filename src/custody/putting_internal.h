/*
 * What the loop's side of putting and its search share.
 */
#ifndef AZ_CUSTODY_PUTTING_INTERNAL_H
#define AZ_CUSTODY_PUTTING_INTERNAL_H

#include <stdatomic.h>

#include "base/frame.h"
#include "custody/putting.h"

/* A list that is searched; a copy, so that the thread needs nothing of the loop's. */
struct put_list {
	uint64_t consignment;
	struct secret *prints;
	uint8_t sha256[SHA256_SIZE];
};

/* The search for one file: made by the loop, run by a thread, asked by the loop again. */
struct put_search {
	struct custody *custody; /* of it only what never changes */
	int fd;                  /* the file; the caller's */
	struct link scanner;     /* blocking; the caller's */
	struct link intake;      /* the caller's, and the pipe that its list comes through */
	int pipe_fd;
	atomic_bool is_over; /* nobody waits for it any more */
	struct put_list *lists;
	size_t list_count;
	size_t lists_without; /* that have no fingerprints, so that nobody can say no */
	struct buffer tokens; /* struct put_token, wiped */
	/* what came of it */
	enum az_status status;
	struct az_err err;
	uint64_t found; /* distinct values of the house */
	uint8_t unread; /* the first reason why something was not read; 0: all was */
};

/* All lists there are. Fails as keys_of. */
AZ_CHECKED enum az_status put_search_init(
    struct put_search *search, struct custody *custody, struct az_err *reterr);
void put_search_fini(struct put_search *search);
/* Adds what is looked for. AZ_LIMIT, AZ_NO_MEMORY. */
AZ_CHECKED enum az_status put_search_add(
    struct put_search *search, enum match_kind kind, struct bytes key, struct az_err *reterr);
/* put_rows.c: adds what the file has as a list, if it is one. */
AZ_CHECKED enum az_status put_search_rows(struct put_search *search, struct az_err *reterr);
/* On a thread: sets status, found and unread. */
void put_search_run(struct put_search *search);

#endif
