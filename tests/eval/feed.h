/*
 * What the keeper would hand to the model, from a made-up world: its rows in a shop, its ledger as carriers.
 */
#ifndef AZ_EVAL_FEED_H
#define AZ_EVAL_FEED_H

#include "leak.h"
#include "shop.h"
#include "trace/model.h"

#define DAY_US INT64_C(86400000000)

struct feed;

struct feed *feed_new(const struct world *world);
void feed_free(struct feed **feed);

/* A leak's rows, recognised, and everything the model gets with them; borrowed until the next call. */
struct feed_rows {
	size_t right, wrong,
	    missed;        /* rows that are ours: linked to the right record, to another, to none */
	size_t false_ours; /* rows from elsewhere that were linked to somebody else's record */
	size_t strangers;  /* rows from elsewhere */
	size_t right_version, of_version;
};
const struct model_input *feed_leak(
    struct feed *feed, const struct leak *leak, struct feed_rows *ret_rows);

/* The baselines, over the rows as they were recognised: a score for each person. */
void feed_overlap(struct feed *feed, const struct model_input *input, double *scores);
void feed_guilt(struct feed *feed, const struct model_input *input, double *scores);

#endif
