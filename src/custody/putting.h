/*
 * Files that a guard asks to write to a granted memory: whether they hold data of the house.
 *
 *	PUT  grant, name, size, hash ─► BYTES … ─► END ─► scanner: telephones and mails; intake: people, if it is a list ─► runs: whose
 *	     ─► entry: may be written, or not ─► answered ─► WRITTEN ─► entry: was, or was not
 *
 * Promises  yes only if the whole file was read, is text or made of it, and has no telephone and no mail that any list of the
 *           house has; nor, if it is a list, anybody's name with birth or place; the entry with name, size and hash is durable before the answer; fingerprints never leave this process.
 * Not       names and places in running text are not known by this; nor what somebody wrote so that nobody reads it.
 * Threads   the loop's; the search has a thread of its own. One file at a time in a house.
 */
#ifndef AZ_CUSTODY_PUTTING_H
#define AZ_CUSTODY_PUTTING_H

#include "custody/custody_internal.h"

void verb_put(struct request *request, const union front_request *body);
void verb_put_bytes(struct request *request, const union front_request *body);
void verb_put_end(struct request *request, const union front_request *body);
void verb_put_written(struct request *request, const union front_request *body);

/* Whether one is being read or logged: then no list may go. */
bool putting_is_at_work(const struct custody *custody);
bool putting_has_child(const struct custody *custody, uint32_t id);
bool putting_child_has_pipe(const struct custody *custody, uint32_t id);
/* pipe: of the one that has one. Both are taken. */
void putting_child(struct custody *custody, uint32_t id, int socket, int pipe);
void putting_child_failed(struct custody *custody, const struct az_err *err);
void putting_round(struct custody *custody);
/* The line has gone; NULL: the house stops. */
void putting_front_gone(struct custody *custody, const struct custody_front *front);
void putting_close(struct custody *custody);

/* "allowed", "refused", "written", "not-written"; NULL for what is none. */
const char *putting_word(uint32_t detail);

#endif
