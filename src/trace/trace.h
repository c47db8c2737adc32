/*
 * Fingerprints: what a leaked row is recognised by, written when a list is entrusted, opened only for a case.
 *
 * A fingerprint is SipHash-2-4-128 of a match key, cut to 64 bits, under a key of the house for each kind, so that
 * the same person has the same one in every list. It counts as plaintext: on a disk it is only ever sealed, in a
 * consignment's run file, under that consignment's key.
 *
 * Promises  a run holds each fingerprint of a kind with its record and version, sorted; it cannot be changed, cut
 *           or exchanged unnoticed.
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

/* Starts dirfd/prints-CONSIGNMENT in place of an older one. key: 32 bytes, this consignment's alone. */
AZ_CHECKED enum az_status trace_run_new(int dirfd, const uint8_t house[HOUSE_ID_SIZE],
    uint64_t consignment, const struct secret *key, struct trace_run **ret_run,
    struct az_err *reterr);
/*
 * Adds count prints of a kind, sorted; a kind's prints may come in several calls, one behind the other, and kinds
 * come in ascending order. Prints that are the same are one. AZ_INTERNAL if they are not in order.
 */
AZ_CHECKED enum az_status trace_run_add(struct trace_run *run, enum match_kind kind,
    const struct trace_print *prints, size_t count, struct az_err *reterr);
/* Flushes file and folder; the file's SHA-256. Frees the run; on failure the file is removed, too. */
AZ_CHECKED enum az_status trace_run_finish(
    struct trace_run **run, uint8_t ret_sha256[32], struct az_err *reterr);
/* Frees it and removes the file. */
void trace_run_discard(struct trace_run **run);
/* Removes a consignment's run, durably. AZ_OK also if there is none. */
AZ_CHECKED enum az_status trace_run_remove(int dirfd, uint64_t consignment, struct az_err *reterr);
/* Calls visit for each run there is. */
AZ_CHECKED enum az_status trace_runs(
    int dirfd, void (*visit)(void *arg, uint64_t consignment), void *arg, struct az_err *reterr);

/*
 * Reads a run: visit gets each piece of a kind, sorted; the prints are gone when it returns. AZ_FORGED: it is not
 * the run of that SHA-256, which is known only at the end: what was visited before must then be forgotten.
 */
AZ_CHECKED enum az_status trace_run_read(int dirfd, const uint8_t house[HOUSE_ID_SIZE],
    uint64_t consignment, const struct secret *key, const uint8_t sha256[32],
    enum az_status (*visit)(void *arg, enum match_kind kind, const struct trace_print *prints,
	size_t count, struct az_err *reterr),
    void *arg, struct az_err *reterr);

#endif
