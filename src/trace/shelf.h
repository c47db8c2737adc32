/*
 * The fingerprints of all lists that are searched, in memory, and what a leaked row has in common with them.
 *
 * Promises  a fingerprint that was added is found; what is held is locked in memory where that is allowed, never
 *           written to a core file, and wiped.
 * Not       it knows no lists: record, version and client are numbers.
 * Threads   filling: one. Once trace_shelf_close was called, any number may search.
 */
#ifndef AZ_TRACE_SHELF_H
#define AZ_TRACE_SHELF_H

#include "trace/trace.h"

struct trace_shelf;

/* limit: bytes that it may hold at most, half of it for what is searched. */
AZ_CHECKED enum az_status trace_shelf_new(
    size_t limit, struct trace_shelf **ret_shelf, struct az_err *reterr);
void trace_shelf_free(struct trace_shelf **shelf);

/* Adds prints of a list of client, in any order; the same one in several lists is one. AZ_LIMIT, AZ_NO_MEMORY. */
AZ_CHECKED enum az_status trace_shelf_add(struct trace_shelf *shelf, uint32_t client,
    enum match_kind kind, const struct trace_print *prints, size_t count, struct az_err *reterr);
/* Ends the filling. threads: how many may sort. */
AZ_CHECKED enum az_status trace_shelf_close(
    struct trace_shelf *shelf, unsigned int threads, struct az_err *reterr);

/* How many prints of a kind there are, and how many bytes in all. */
size_t trace_shelf_count(const struct trace_shelf *shelf, enum match_kind kind);
size_t trace_shelf_size(const struct trace_shelf *shelf);
/* The client of a record; 0 if there is no such record. */
uint32_t trace_shelf_client(const struct trace_shelf *shelf, uint32_t record);

/* --- searching -------------------------------------------------------------------------------- */

/* What is looked for: the prints of one leaked row. */
#define TRACE_PROBES_MAX 16u
struct trace_probe {
	uint64_t print;
	enum match_kind kind;
};

/* A record that has prints of the row, and the versions of it that have the most of them. */
#define TRACE_CANDIDATES_MAX 256u /* of a row */
#define TRACE_VERSIONS_MAX   16u  /* of a candidate; further ones are left out */
#define TRACE_COMMON         64u /* a print that more records have says little: it is passed over */
struct trace_candidate {
	uint32_t record;
	uint32_t client;
	uint16_t kinds;   /* that the versions have in common with the row: bits 1 << kind */
	uint8_t strength; /* of these kinds together, in bits: see trace_kinds_strength */
	uint8_t version_count;
	uint32_t versions[TRACE_VERSIONS_MAX]; /* ascending */
};

/* What was found for one row, the strongest candidates first. */
struct trace_found {
	size_t count;
	uint16_t common;    /* kinds whose print was passed over */
	uint32_t namesakes; /* records with the row's name; 0 if that was not looked for */
	struct trace_candidate candidates[TRACE_CANDIDATES_MAX];
};

/*
 * Looks for many rows at once: probes of all rows one behind the other, counts[i] of them row i's. visit gets each
 * row in order; what it gets is gone when it returns.
 */
void trace_shelf_search(const struct trace_shelf *shelf, const struct trace_probe *probes,
    const uint8_t *counts, size_t rows,
    void (*visit)(void *arg, size_t row, const struct trace_found *found), void *arg);

/*
 * How much kinds that agree say together, in bits, each of name, reading, birth, telephone, address and so on counted
 * once; 0 if they all rest on one thing, or on nothing that a household does not share.
 */
unsigned int trace_kinds_strength(uint16_t kinds);

/*
 * Whether the prints alone decide a row: of each client at most one record is strong enough among people, and no
 * other comes near it. Else the rows must be opened and compared.
 */
bool trace_found_decides(const struct trace_found *found, uint32_t people);

#endif
