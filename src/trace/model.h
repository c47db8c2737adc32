/*
 * From rows that were recognised to when the list was copied and who most likely copied it, with odds.
 *
 * Promises  pure: numbers in, numbers out, the same for the same input. It needs no key and no name; people, clients,
 *           lists and records are numbers, which only the caller can tell.
 * Not       it proves nothing. docs/trace.md says what its odds mean, and when it names nobody.
 * Threads   any; one call uses one thread.
 *
 * The hypotheses
 *
 *   somebody, by one carrier    what this person was shown in one session, took by one export, or had in one stretch of
 *                               time up to the whole history
 *   somebody, by several        the lists that this person exported, together, each with its share
 *   a client                    its own copy as of one of its deliveries
 *   somebody of a pool          whoever had what was shown for one purpose: nobody can be named
 *   the store                   a copy of everything at one time, past the ledger; or all that was ever shown, as who
 *                               captured a server would have
 *   elsewhere                   the list does not come from here
 *
 * A carrier that holds few people explains a row that is in it better than one that holds many: this is what clears
 * who sees everybody.
 */
#ifndef AZ_TRACE_MODEL_H
#define AZ_TRACE_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/* --- what goes in ----------------------------------------------------------------------------- */

#define MODEL_NEVER INT64_MAX
#define MODEL_NONE  UINT32_MAX

/* A version of a record that the row fits, and while it was the current one here. */
struct model_span {
	uint32_t version;
	int64_t from_us, to_us;                /* to_us: MODEL_NEVER if it still is */
	uint32_t first_holding, holding_count; /* lists it stands in that were exported whole */
};

/* A record that a row may be. Those of one row lie one behind the other. */
struct model_candidate {
	uint32_t record;
	uint32_t client;   /* index */
	double weight;     /* of this one among the row's, at most 1 in all */
	uint8_t notation;  /* enum trace_notation */
	uint8_t conflicts; /* facets that differ */
	uint32_t first_span, span_count;
};

struct model_row {
	uint32_t first_candidate, candidate_count; /* none: the row was not found */
	uint64_t fields;                           /* that the list has, bits */
	uint32_t canary; /* the carrier's index that it was invented for, or MODEL_NONE */
};

/* A record shown or handed over. Sorted by record. */
struct model_access {
	uint32_t record;
	uint32_t version;
	uint32_t carrier; /* index */
	uint32_t shape;   /* index of the fields */
};

enum model_carrier_kind { MODEL_SESSION = 1, MODEL_EXPORT = 2 };
struct model_carrier {
	enum model_carrier_kind kind;
	uint32_t person; /* index */
	uint32_t pool;   /* index, or MODEL_NONE */
	int64_t time_us; /* when it began */
	uint32_t size; /* how many records' versions it holds in all, not only those of the list */
	uint32_t list; /* an exported list, index; its rows are no accesses. Else MODEL_NONE */
	bool imported; /* from a history that this house did not write itself */
	uint32_t canaries; /* how many invented people it has */
};

/* A stretch of somebody's history, and how much was shown in it. Everyone has the whole one at least. */
enum model_owner {
	MODEL_PERSON = 1,
	MODEL_CLIENT = 2,
	MODEL_POOL = 3,
	MODEL_STORE = 4,
	MODEL_ELSEWHERE = 5
};
struct model_window {
	enum model_owner
	    owner;      /* MODEL_PERSON; MODEL_POOL and MODEL_STORE (all of them): sessions only */
	uint32_t index; /* of the person or pool */
	uint32_t pool;  /* only what a person was shown for it, or MODEL_NONE */
	int64_t from_us, to_us; /* to_us is outside */
	uint32_t size;
	bool whole;
};

/* A client's own copy as of a delivery; with client MODEL_NONE, the whole store's at that time. */
struct model_copy {
	uint32_t client; /* index */
	int64_t time_us;
	uint32_t size; /* records current then */
};

struct model_person {
	double prior; /* how likely before anything was found, against the others; 0 counts as 1 */
};
struct model_client {
	uint32_t people; /* that it has now */
};

struct model_input {
	const struct model_row *rows;
	const struct model_candidate *candidates;
	const struct model_span *spans;
	const uint32_t *holdings; /* indexes of lists */
	const struct model_access *accesses;
	const uint64_t *shapes;
	const struct model_carrier *carriers;
	const struct model_window *windows;
	const struct model_copy *copies;
	const struct model_person *persons;
	const struct model_client *clients;
	size_t row_count, candidate_count, span_count, holding_count, access_count, shape_count,
	    carrier_count, window_count, copy_count, person_count, client_count, pool_count,
	    list_count;
	uint64_t seed; /* which rows are looked at closely, if there are very many */
};

/* --- what comes out --------------------------------------------------------------------------- */

enum model_verdict {
	MODEL_UNDETERMINED = 0,
	MODEL_ATTRIBUTED = 1, /* each suspect is named with odds of at least 9 to 1 */
	MODEL_TIED = 2,       /* it was one of few, who cannot be told apart */
	MODEL_BY_CLIENT = 3,  /* a client's own copy */
	MODEL_FROM_ELSEWHERE = 4,
};
const char *model_verdict_name(enum model_verdict verdict);

#define MODEL_SUSPECTS_MAX 16u
#define MODEL_TIES_MAX     8u
#define MODEL_CLUSTERS_MAX 32u

struct model_who {
	enum model_owner owner;
	uint32_t index; /* of the person, client or pool; else MODEL_NONE */
};

/* One who may have copied it, and by what. */
struct model_suspect {
	struct model_who who;
	uint32_t carrier;                 /* index of the likeliest, or MODEL_NONE */
	uint32_t window;                  /* index, or MODEL_NONE */
	uint32_t copy;                    /* index, or MODEL_NONE */
	uint32_t exports;                 /* that they took together, from two on; or 0 */
	double posterior, posterior_flat; /* with priors, and with everybody alike */
	size_t leak;             /* which of the leaks it is for, from 0: several may have leaked */
	uint64_t rows_explained; /* of all rows */
	/* what speaks against */
	uint64_t rows_missing; /* recognised, and never shown to them */
	uint64_t rows_stale;   /* shown to them in another version only */
	uint64_t rows_fields;  /* with a field that was not shown to them */
	bool imported;         /* it rests on an imported history */
	size_t tie_count;
	struct model_who ties[MODEL_TIES_MAX]; /* who fit about as well */
};

struct model_cluster {
	int64_t from_us, to_us;
	uint64_t rows;
};

struct model_result {
	enum model_verdict verdict;
	size_t leaks;         /* how many sources the rows need, background not counted */
	size_t suspect_count; /* by leak, then by odds */
	struct model_suspect suspects[MODEL_SUSPECTS_MAX];
	double elsewhere;          /* the posterior that nothing of it comes from here */
	uint64_t rows_looked_at;   /* closely, for the odds */
	uint64_t rows_unexplained; /* recognised, and in nothing that a named suspect had */
	/* when the rows were current together; from_us > to_us: not known */
	int64_t from_us, to_us;
	size_t cluster_count;
	struct model_cluster clusters[MODEL_CLUSTERS_MAX];
};

/* AZ_INVALID: an index leads nowhere, or accesses are not sorted. AZ_NO_MEMORY. */
AZ_CHECKED enum az_status model_run(
    const struct model_input *input, struct model_result *ret_result, struct az_err *reterr);

/* The dating alone: fills in from_us, to_us and the clusters. AZ_NO_MEMORY. */
AZ_CHECKED enum az_status model_date(
    const struct model_input *input, struct model_result *result, struct az_err *reterr);

#endif
