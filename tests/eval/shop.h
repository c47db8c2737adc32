/*
 * A house in memory, for measuring the matching without keeper, vault and seals: records with their versions, and
 * what the keeper does with a leaked row, in the same order and by the same functions.
 */
#ifndef AZ_EVAL_SHOP_H
#define AZ_EVAL_SHOP_H

#include "trace/link.h"

struct shop;

struct shop *shop_new(void);
void shop_free(struct shop **shop);

/* Adds a version of a record; the values are copied. Records from 1, densely; versions of a record from 1. */
void shop_add(struct shop *shop, uint32_t client, uint32_t record, const struct row *row);
/* No more rows come. */
void shop_close(struct shop *shop);

struct shop_counts {
	uint64_t rows, decided, opened, pairs;
};

/* The verdict on one leaked row. always_open: also rows that fingerprints decide. */
void shop_trace(struct shop *shop, const struct row *leaked, bool always_open,
    struct trace_row_verdict *ret_verdict);
const struct shop_counts *shop_counts(const struct shop *shop);
uint32_t shop_people(const struct shop *shop);

/* Weights other than the shipped ones. */
void shop_use_weights(struct shop *shop, const struct trace_weights *weights);
/* Every pair that is compared from now on goes to collect. */
void shop_collect(
    struct shop *shop, void (*collect)(void *arg, const struct trace_agreement *pair), void *arg);

#endif
