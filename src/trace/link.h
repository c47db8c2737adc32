/*
 * From what was found and compared to a verdict on one row: whose it is, or that it is in none of the lists.
 *
 * Promises  pure; never more than one record of a client in a verdict of "ours".
 * Threads   any.
 */
#ifndef AZ_TRACE_LINK_H
#define AZ_TRACE_LINK_H

#include "trace/compare.h"
#include "trace/shelf.h"

enum trace_verdict {
	TRACE_NONE = 0,
	TRACE_OURS = 1,
	TRACE_AMBIGUOUS = 2, /* several records of one client fit about as well */
	TRACE_NOT_FOUND = 3,
};
/* "ours", "ambiguous", "not-found"; NULL for others. */
const char *trace_verdict_name(enum trace_verdict verdict);

#define TRACE_LINKS_MAX 16u

/* A record that the row fits, of one client, and the versions of it that fit best. */
struct trace_link {
	uint32_t record;
	uint32_t client;
	double bits;   /* weight of what agrees, less that of what does not */
	double weight; /* its share of what the row may be, all links and "none" adding up to 1 */
	uint16_t kinds;
	uint8_t conflicts;
	uint8_t notation; /* enum trace_notation */
	uint8_t version_count;
	uint32_t versions[TRACE_VERSIONS_MAX]; /* ascending */
};

struct trace_row_verdict {
	enum trace_verdict verdict;
	size_t
	    count; /* links: one for each client that has the row, the best first; several if it is ambiguous */
	struct trace_link links[TRACE_LINKS_MAX];
};

/* By fingerprints alone, where trace_found_decides. */
void trace_judge_found(
    const struct trace_found *found, uint32_t people, struct trace_row_verdict *ret_verdict);

/* One version of a candidate, opened and compared. */
struct trace_scored {
	uint32_t record;
	uint32_t client;
	uint32_t version;
	double bits; /* trace_score */
	struct trace_agreement agreement;
};
/* By comparing; scored in any order, and sorted in here. */
void trace_judge_scored(struct trace_scored *scored, size_t count, uint32_t people,
    struct trace_row_verdict *ret_verdict);

#endif
