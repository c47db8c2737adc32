/*
 * Telephones and mails that were found somewhere, sifted for those of the house.
 *
 *	runs ─► trace_sift_add      a sieve over the house's fingerprints             first reading
 *	tokens ─► trace_sift_take   what the sieve holds back, and where it was
 *	runs ─► trace_sift_match    which of that are fingerprints of the house       second reading
 *	        trace_sift_settle   whose, where
 *
 * So a house of millions is looked for in a few megabytes, and nothing of it stays but what was found.
 *
 * Promises  a value of the house is found, in each place where it was; what is told as found has a fingerprint of the
 *           house, all 64 bits of it. What is held is locked where that is allowed, kept out of core files, and wiped.
 * Not       it knows no lists, clients or people: sources, records and places are numbers.
 * Threads   one at a time.
 */
#ifndef AZ_TRACE_SIFT_H
#define AZ_TRACE_SIFT_H

#include "trace/trace.h"

struct trace_sift;

/* keys stay the caller's. prints: about how many trace_sift_add will be given. AZ_NO_MEMORY, AZ_LIMIT. */
AZ_CHECKED enum az_status trace_sift_new(const struct trace_keys *keys, size_t prints,
    struct trace_sift **ret_sift, struct az_err *reterr);
void trace_sift_free(struct trace_sift **sift);

/* Whether prints of this kind are looked for: those of telephones and mails. */
bool trace_sift_has_kind(enum match_kind kind);

void trace_sift_add(struct trace_sift *sift, const struct trace_print *prints, size_t count);

/*
 * Takes the body of a SIFT_TOKENS (proto/scan.h). AZ_INVALID: malformed. AZ_LIMIT: more is held back than memory is
 * allowed for. AZ_NO_MEMORY.
 */
AZ_CHECKED enum az_status trace_sift_take(
    struct trace_sift *sift, struct bytes tokens, struct az_err *reterr);
/* How many values were looked at, and how many were held back, the same one in the same place counted once or more. */
uint64_t trace_sift_taken(const struct trace_sift *sift);
uint64_t trace_sift_held(const struct trace_sift *sift);

/* Ends the taking. AZ_NO_MEMORY. */
AZ_CHECKED enum az_status trace_sift_close(struct trace_sift *sift, struct az_err *reterr);
/* Prints of one kind of a source, ascending; pieces, kinds and sources in any order. AZ_NO_MEMORY, AZ_LIMIT. */
AZ_CHECKED enum az_status trace_sift_match(struct trace_sift *sift, uint32_t source,
    const struct trace_print *prints, size_t count, struct az_err *reterr);
/* Ends the matching. AZ_NO_MEMORY, AZ_LIMIT. */
AZ_CHECKED enum az_status trace_sift_settle(struct trace_sift *sift, struct az_err *reterr);

/* A version of a record, which a source has, and of which a value is in a place. By all four, each once. */
struct trace_sift_found {
	uint32_t place, record, version, source;
};
const struct trace_sift_found *trace_sift_found(const struct trace_sift *sift, size_t *ret_count);
/* Distinct values that are of the house. */
uint64_t trace_sift_values(const struct trace_sift *sift);
/* Those of them that so many records have (TRACE_COMMON, trace/shelf.h) that they are nobody's; not in what was found. */
uint64_t trace_sift_common(const struct trace_sift *sift);

#endif
