/*
 * How well a leaked row fits a record's version: facet by facet, and added up by the model of Fellegi and Sunter.
 *
 * Promises  pure functions; a facet that either side lacks counts for nothing.
 * Not       it opens, searches and decides nothing about dates or people.
 * Threads   any; what is prepared may be shared once it is.
 */
#ifndef AZ_TRACE_COMPARE_H
#define AZ_TRACE_COMPARE_H

#include "match/match.h"
#include "trace/fold.h"

/* --- one side --------------------------------------------------------------------------------- */

enum { TRACE_ADDRESS_NUMBERS = 6 };

/* A row made ready for comparing. It borrows the row's values. Plaintext: the caller wipes it. */
struct trace_side {
	const struct row *row;
	struct match_key keys[MATCH_KEYS_MAX];
	size_t key_count;
	struct fold name; /* of name, or surname and given */
	struct fold kana;
	struct fold address;
	uint32_t numbers[TRACE_ADDRESS_NUMBERS]; /* of the address */
	size_t number_count;
	bool has_birth;
	int32_t birth; /* days */
};
/* The row's values stay the caller's, for as long as the side is used. */
void trace_side_make(const struct row *row, struct trace_side *ret_side);

/* --- agreement -------------------------------------------------------------------------------- */

enum trace_facet {
	FACET_NAME = 0, /* as a whole; or, where both sides have words, the word that fits better */
	FACET_NAME2 = 1, /* and the one that fits worse */
	FACET_BIRTH = 2,
	FACET_PHONE = 3,
	FACET_EMAIL = 4,
	FACET_PLACE = 5,
	FACET_POSTCODE = 6,
	FACET_SEX = 7,
	FACET_NUMBER = 8, /* the client's own number of the person */
	FACET_OTHER = 9, /* the client's own fields, if they are long enough to tell people apart */
	FACET_COUNT = 10,
};

/* How a facet agrees. Zero says nothing. */
enum trace_level {
	LEVEL_NONE = 0, /* one side has no value */
	LEVEL_DIFFERS = 1,
	LEVEL_PART =
	    2, /* half of it: one of two names, an address without its end, the same region */
	LEVEL_CLOSE = 3, /* a slip of the hand apart */
	LEVEL_TURNED =
	    4, /* the same in another order or script: day and month, surname and given, kana for kanji */
	LEVEL_SAME = 5, /* one match key, or the same letters */
	LEVEL_COUNT = 6,
};

/* Whether the row still has the record's own spelling, which a list from elsewhere would not. */
enum trace_notation { NOTATION_UNKNOWN = 0, NOTATION_OTHER = 1, NOTATION_OURS = 2 };

struct trace_agreement {
	uint8_t levels[FACET_COUNT]; /* enum trace_level */
	uint8_t conflicts;           /* facets that differ, though both sides have them */
	uint8_t notation;            /* enum trace_notation */
	uint16_t kinds;              /* match kinds with a key in common, bits 1 << kind */
};

void trace_compare(const struct trace_side *leaked, const struct trace_side *ours,
    struct trace_agreement *ret_agreement);

/* --- weights ---------------------------------------------------------------------------------- */

/*
 * m: how often a facet has a level in a row that came from the record; u: in one that did not. For each facet both
 * add up to 1 over the levels from LEVEL_DIFFERS on.
 */
struct trace_weights {
	double m[FACET_COUNT][LEVEL_COUNT];
	double u[FACET_COUNT][LEVEL_COUNT];
};
/* Those that come with the program. */
const struct trace_weights *trace_weights_shipped(void);

/*
 * The weight of an agreement in bits: the sum over facets of log2 m/u. people is how many the house has, and
 * namesakes how many of them have this name (0: not known): a rare name that is the same says more than a common one.
 */
double trace_score(const struct trace_weights *weights, const struct trace_agreement *agreement,
    uint32_t people, uint32_t namesakes);

/*
 * Estimates weights from pairs of which nobody knows which belong together (EM), beginning with those in weights;
 * share is what part of the pairs may belong together, at the start. A level that too few pairs have keeps its
 * weight. AZ_NO_MEMORY, AZ_INVALID: fewer than TRACE_ESTIMATE_MIN pairs.
 */
#define TRACE_ESTIMATE_MIN 1000u
AZ_CHECKED enum az_status trace_weights_estimate(struct trace_weights *weights,
    const struct trace_agreement *pairs, size_t count, double share, struct az_err *reterr);

#endif
