/*
 * Which records, versions and consignments there are: what lets the keeper find "unchanged" without
 * opening anything, and refuse an older, foreign or missing row from the vault.
 *
 * It is a view that can be rebuilt: each consignment has a sealed run file, written and flushed before the
 * consignment is committed, and loaded into the tables afterwards. What is not loaded is not seen.
 *
 * Promises  a load is idempotent, and marked complete only when it is durable.
 * Not       it does not know which consignments are active, of what client or purpose: its caller does.
 * Threads   one loads and writes runs; each reading thread has its own reader.
 */
#ifndef AZ_CATALOGUE_H
#define AZ_CATALOGUE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/file.h"
#include "base/secret.h"
#include "base/status.h"

#define CATALOGUE_DIGEST_SIZE 16

struct catalogue;
struct catalogue_reader;
struct catalogue_run;

/*
 * dirfd: the catalogue's folder, the caller's, open as long as it. create makes one where there is none.
 * AZ_FORGED: of another house. AZ_NOT_FOUND, AZ_CORRUPT, AZ_IO.
 */
AZ_CHECKED enum az_status catalogue_open(int dirfd, const uint8_t house[HOUSE_ID_SIZE], bool create,
    struct catalogue **ret_catalogue, struct az_err *reterr);
void catalogue_close(struct catalogue **catalogue);

/* --- reading --------------------------------------------------------------------------------- */

struct catalogue_entry {
	uint64_t consignment;
	uint32_t version;
	int32_t as_of;
	uint32_t flags;
	uint8_t digest[CATALOGUE_DIGEST_SIZE]; /* keyed, of the content */
};

AZ_CHECKED enum az_status catalogue_reader_new(
    struct catalogue *catalogue, struct catalogue_reader **ret_reader, struct az_err *reterr);
void catalogue_reader_free(struct catalogue_reader **reader);
/* Sees everything loaded by now; before the first question and then as often as wanted. */
AZ_CHECKED enum az_status catalogue_reader_renew(
    struct catalogue_reader *reader, struct az_err *reterr);

/* The record of a number, by the keyed digest of client and number. AZ_NOT_FOUND. */
AZ_CHECKED enum az_status catalogue_record(struct catalogue_reader *reader,
    const uint8_t number[CATALOGUE_DIGEST_SIZE], uint32_t *ret_record, struct az_err *reterr);

/*
 * Calls visit for each consignment the record is in, by ascending number; visit returns false to stop.
 * AZ_NOT_FOUND if there is none.
 */
AZ_CHECKED enum az_status catalogue_entries(struct catalogue_reader *reader, uint32_t record,
    bool (*visit)(void *arg, const struct catalogue_entry *entry), void *arg,
    struct az_err *reterr);

/* --- runs ------------------------------------------------------------------------------------ */

/*
 * Numbers of one list should share their first four bytes and be as good as random behind them: then a list
 * touches its own part of the table only, and costs the same in a large house as in an empty one.
 */
struct catalogue_row {
	uint8_t number[CATALOGUE_DIGEST_SIZE]; /* zeros if the record has none */
	uint32_t record, version, flags;
	uint8_t digest[CATALOGUE_DIGEST_SIZE];
};

/*
 * Starts dirfd/run-CONSIGNMENT, replacing an unfinished one. key: 32 bytes, this consignment's alone.
 * AZ_CONFLICT: it is loaded.
 */
AZ_CHECKED enum az_status catalogue_run_new(struct catalogue *catalogue, uint64_t consignment,
    const struct secret *key, struct catalogue_run **ret_run, struct az_err *reterr);
/* Each record once. After a failure the run can only be discarded. */
AZ_CHECKED enum az_status catalogue_run_add(
    struct catalogue_run *run, const struct catalogue_row *row, struct az_err *reterr);
/* Flushes file and folder; the file's SHA-256. Frees the run; on failure the file is removed, too. */
AZ_CHECKED enum az_status catalogue_run_finish(
    struct catalogue_run **run, uint8_t ret_sha256[32], struct az_err *reterr);
/* Frees it and removes the file. */
void catalogue_run_discard(struct catalogue_run **run);

/*
 * Calls visit for each row of a run, in the list's order. Statuses of catalogue_load; visit may have been called
 * before a failure.
 */
AZ_CHECKED enum az_status catalogue_run_each(struct catalogue *catalogue, uint64_t consignment,
    const struct secret *key, const uint8_t sha256[32],
    void (*visit)(void *arg, const struct catalogue_row *row), void *arg, struct az_err *reterr);

/* Removes the run file of a consignment whose load never began. AZ_OK also if there is none. */
AZ_CHECKED enum az_status catalogue_run_remove(
    struct catalogue *catalogue, uint64_t consignment, struct az_err *reterr);

/* Calls visit for each run file there is, and for each consignment marked loaded without one. */
AZ_CHECKED enum az_status catalogue_consignments(struct catalogue *catalogue,
    void (*visit)(void *arg, uint64_t consignment, bool loaded), void *arg, struct az_err *reterr);
bool catalogue_is_loaded(struct catalogue *catalogue, uint64_t consignment);

/*
 * Loads a run; does nothing if it is loaded. AZ_FORGED: the file is not the one whose SHA-256 is given, or
 * does not open under key. AZ_NOT_FOUND, AZ_CORRUPT, AZ_IO, AZ_LIMIT.
 */
AZ_CHECKED enum az_status catalogue_load(struct catalogue *catalogue, uint64_t consignment,
    int32_t as_of, const struct secret *key, const uint8_t sha256[32], struct az_err *reterr);

/*
 * Forgets a consignment: its entries, the numbers of records that are in no other, its run file, durably.
 * It needs no key and searches the tables, so it takes a time that grows with the whole catalogue. AZ_OK
 * also if there was nothing. After a failure nothing of it is seen any more, and it is repeated.
 */
AZ_CHECKED enum az_status catalogue_drop(
    struct catalogue *catalogue, uint64_t consignment, struct az_err *reterr);

#endif
