/*
 * Fingerprints: what a leaked row is recognised by, written when a list is entrusted, opened only for a case.
 *
 * A fingerprint is SipHash-2-4-128 of a match key, cut to 64 bits, under a key of the house for each kind, so that
 * the same person has the same one in every list. It counts as plaintext: on a disk it is only ever sealed, in a
 * consignment's run file, under that consignment's key.
 *
 * Promises  a run holds each fingerprint of a kind with its record and version, sorted; it cannot be changed, cut
 *           or exchanged unnoticed, and those that are looked for are found without opening all of it.
 * Not       it knows no lists, dates or people: its caller does.
 * Threads   each object belongs to one thread at a time.
 */
#ifndef AZ_TRACE_H
#define AZ_TRACE_H

#include "base/bytes.h"
#include "base/file.h"
#include "base/secret.h"
#include "base/status.h"
#include "proto/proto.h"

/* --- fingerprints ----------------------------------------------------------------------------- */

/* Whether keys of this kind are fingerprinted: all but numbers, which a thief can leave out at no loss. */
bool trace_has_kind(enum match_kind kind);

struct trace_keys;

/* Of the house, from a key for nothing else. */
AZ_CHECKED enum az_status trace_keys_new(const struct secret *key,
    const uint8_t house[HOUSE_ID_SIZE], struct trace_keys **ret_keys, struct az_err *reterr);
void trace_keys_free(struct trace_keys **keys);

/* One fingerprint and where it came from, so that sorting the bytes sorts it: all of it big-endian. */
#define TRACE_PRINT_SIZE 16u
struct trace_print {
	uint8_t bytes[TRACE_PRINT_SIZE]; /* fingerprint u64, record u32, version u32 */
};
void trace_print_make(const struct trace_keys *keys, enum match_kind kind, struct bytes key,
    uint32_t record, uint32_t version, struct trace_print *ret_print);
/* The fingerprint alone, as a number. */
uint64_t trace_print_number(const struct trace_keys *keys, enum match_kind kind, struct bytes key);

/* --- runs ------------------------------------------------------------------------------------- */

struct trace_run;

/* Starts dirfd/prints-NUMBER in place of an older one. number: a consignment. key: 32 bytes, this run's alone. */
AZ_CHECKED enum az_status trace_run_new(int dirfd, const uint8_t house[HOUSE_ID_SIZE],
    uint64_t number, const struct secret *key, struct trace_run **ret_run, struct az_err *reterr);
/*
 * Adds count prints of a kind, sorted; a kind's prints may come in several calls, one behind the other, and kinds
 * come in ascending order. Prints that are the same are one. AZ_INTERNAL if they are not in order.
 */
AZ_CHECKED enum az_status trace_run_add(struct trace_run *run, enum match_kind kind,
    const struct trace_print *prints, size_t count, struct az_err *reterr);
/* Flushes file and folder; the SHA-256 of its end. Frees the run; on failure the file is removed, too. */
AZ_CHECKED enum az_status trace_run_finish(
    struct trace_run **run, uint8_t ret_sha256[32], struct az_err *reterr);
/* Frees it and removes the file. */
void trace_run_discard(struct trace_run **run);
/* Removes a run, durably. AZ_OK also if there is none. */
AZ_CHECKED enum az_status trace_run_remove(int dirfd, uint64_t number, struct az_err *reterr);
/* Calls visit for each run there is. */
AZ_CHECKED enum az_status trace_runs(
    int dirfd, void (*visit)(void *arg, uint64_t number), void *arg, struct az_err *reterr);

/* Gets some prints of a kind, sorted, which are gone when it returns. */
typedef enum az_status (*trace_run_visit)(void *arg, enum match_kind kind,
    const struct trace_print *prints, size_t count, struct az_err *reterr);

/*
 * Reads a whole run. AZ_NOT_FOUND; AZ_FORGED: it is not the run of that SHA-256, or no longer whole. What was visited
 * before is its own all the same.
 */
AZ_CHECKED enum az_status trace_run_read(int dirfd, const uint8_t house[HOUSE_ID_SIZE],
    uint64_t number, const struct secret *key, const uint8_t sha256[32], trace_run_visit visit,
    void *arg, struct az_err *reterr);

/* --- parts of runs ---------------------------------------------------------------------------- */

/* Where in a run which prints are: small, and so read whole. Any number of threads may read by it. */
struct trace_index;

/* As trace_run_read. The file need not stay open. */
AZ_CHECKED enum az_status trace_index_open(int dirfd, const uint8_t house[HOUSE_ID_SIZE],
    uint64_t number, const struct secret *key, const uint8_t sha256[32],
    struct trace_index **ret_index, struct az_err *reterr);
void trace_index_free(struct trace_index **index);
size_t trace_index_blocks(const struct trace_index *index);
uint64_t trace_index_prints(const struct trace_index *index);

/* What is looked for: of each kind nothing (count 0), everything (prints NULL), or these, ascending. */
struct trace_wanted {
	struct trace_wanted_kind {
		const uint64_t *prints;
		size_t count;
	} kinds[MATCH_KINDS];
};
/*
 * Visits those of the blocks from first up to end that may have something wanted, NULL: all of them. A block comes whole, so
 * with other prints beside. AZ_FORGED, as before; AZ_GONE or whatever visit returned.
 */
AZ_CHECKED enum az_status trace_index_read(const struct trace_index *index, int dirfd,
    const struct secret *key, size_t first, size_t end, const struct trace_wanted *wanted,
    trace_run_visit visit, void *arg, struct az_err *reterr);

#endif
