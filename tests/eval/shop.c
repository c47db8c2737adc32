#include "shop.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

#define OPENED_MAX 64u /* candidates of a row: what the keeper would open at most */

struct stored {
	uint32_t client;
	uint32_t versions;
	uint32_t room;
	struct row *rows; /* by version - 1; their values are owned */
};

struct shop {
	struct trace_keys *keys;
	struct trace_shelf *shelf;
	struct trace_weights weights;
	struct stored *records; /* by record */
	uint32_t count, room;
	struct shop_counts counts;
	void (*collect)(void *arg, const struct trace_agreement *pair);
	void *collect_arg;
};

static void *
must(void *memory)
{
	if (memory == NULL)
		abort();
	return memory;
}

static void
must_do(enum az_status status)
{
	if (status != AZ_OK)
		abort();
}

struct shop *
shop_new(void)
{
	static const uint8_t house[HOUSE_ID_SIZE] = {1};
	struct shop *shop = must(calloc(1, sizeof(*shop)));
	struct secret *key = NULL;

	must_do(secret_new(32, &key, NULL));
	must_do(trace_keys_new(key, house, &shop->keys, NULL));
	secret_free(&key);
	must_do(trace_shelf_new((size_t)8 << 30, &shop->shelf, NULL));
	shop->weights = *trace_weights_shipped();
	return shop;
}

void
shop_free(struct shop **shop)
{
	for (uint32_t i = 0; i < (*shop)->room; i++) {
		for (uint32_t v = 0; v < (*shop)->records[i].versions; v++) {
			for (unsigned int field = 0; field < FIELD_COUNT; field++)
				free((void *)(uintptr_t)(*shop)
					 ->records[i]
					 .rows[v]
					 .values[field]
					 .data);
		}
		free((*shop)->records[i].rows);
	}
	free((*shop)->records);
	trace_keys_free(&(*shop)->keys);
	trace_shelf_free(&(*shop)->shelf);
	free(*shop);
	*shop = NULL;
}

static struct row
copy_row(const struct row *row)
{
	struct row copy = {0};

	for (unsigned int field = 0; field < FIELD_COUNT; field++) {
		uint8_t *data;

		if (row->values[field].size == 0)
			continue;
		data = must(malloc(row->values[field].size));
		memcpy(data, row->values[field].data, row->values[field].size);
		copy.values[field] = bytes_make(data, row->values[field].size);
	}
	return copy;
}

static struct stored *
stored_of(struct shop *shop, uint32_t record)
{
	while (record >= shop->room) {
		uint32_t room = shop->room == 0 ? 1024 : shop->room * 2;

		shop->records = must(realloc(shop->records, room * sizeof(*shop->records)));
		memset(shop->records + shop->room, 0, (room - shop->room) * sizeof(*shop->records));
		shop->room = room;
	}
	return &shop->records[record];
}

void
shop_add(struct shop *shop, uint32_t client, uint32_t record, const struct row *row)
{
	struct stored *stored = stored_of(shop, record);
	struct match_key keys[MATCH_KEYS_MAX];
	bool bad_birth;
	size_t count = match_row(row, keys, &bad_birth);

	if (stored->versions == 0)
		shop->count++;
	stored->client = client;
	if (stored->versions == stored->room) {
		stored->room = stored->room == 0 ? 1 : stored->room * 2;
		stored->rows = must(realloc(stored->rows, stored->room * sizeof(*stored->rows)));
	}
	stored->rows[stored->versions++] = copy_row(row);
	for (size_t i = 0; i < count; i++) {
		struct trace_print print;

		if (!trace_has_kind(keys[i].kind))
			continue;
		trace_print_make(shop->keys, keys[i].kind, bytes_make(keys[i].key, keys[i].size),
		    record, stored->versions, &print);
		must_do(trace_shelf_add(shop->shelf, client, keys[i].kind, &print, 1, NULL));
	}
}

void
shop_close(struct shop *shop)
{
	must_do(trace_shelf_close(shop->shelf, 1, NULL));
}

const struct shop_counts *
shop_counts(const struct shop *shop)
{
	return &shop->counts;
}

uint32_t
shop_people(const struct shop *shop)
{
	return shop->count;
}

void
shop_use_weights(struct shop *shop, const struct trace_weights *weights)
{
	shop->weights = *weights;
}

void
shop_collect(
    struct shop *shop, void (*collect)(void *arg, const struct trace_agreement *pair), void *arg)
{
	shop->collect = collect;
	shop->collect_arg = arg;
}

struct tracing {
	struct shop *shop;
	const struct row *leaked;
	bool always_open;
	struct trace_row_verdict *verdict;
};

static void
open_and_compare(struct tracing *tracing, const struct trace_found *found)
{
	static struct trace_scored scored[OPENED_MAX * TRACE_VERSIONS_MAX];
	struct shop *shop = tracing->shop;
	struct trace_side leaked, ours;
	size_t count = 0;

	trace_side_make(tracing->leaked, &leaked);
	shop->counts.opened++;
	for (size_t i = 0; i < found->count && i < OPENED_MAX; i++) {
		const struct stored *stored = &shop->records[found->candidates[i].record];

		for (uint32_t v = 0; v < stored->versions && v < TRACE_VERSIONS_MAX; v++) {
			struct trace_scored *one = &scored[count++];

			trace_side_make(&stored->rows[v], &ours);
			*one = (struct trace_scored){.record = found->candidates[i].record,
			    .client = stored->client,
			    .version = v + 1};
			trace_compare(&leaked, &ours, &one->agreement);
			one->bits = trace_score(
			    &shop->weights, &one->agreement, shop->count, found->namesakes);
			shop->counts.pairs++;
			if (shop->collect != NULL)
				shop->collect(shop->collect_arg, &one->agreement);
		}
	}
	trace_judge_scored(scored, count, shop->count, tracing->verdict);
}

static void
found_row(void *arg, size_t row, const struct trace_found *found)
{
	struct tracing *tracing = arg;

	(void)row;
	if (!tracing->always_open && trace_found_decides(found, tracing->shop->count)) {
		tracing->shop->counts.decided++;
		trace_judge_found(found, tracing->shop->count, tracing->verdict);
		return;
	}
	open_and_compare(tracing, found);
}

void
shop_trace(struct shop *shop, const struct row *leaked, bool always_open,
    struct trace_row_verdict *ret_verdict)
{
	struct tracing tracing = {
	    .shop = shop, .leaked = leaked, .always_open = always_open, .verdict = ret_verdict};
	struct match_key keys[MATCH_KEYS_MAX];
	struct trace_probe probes[TRACE_PROBES_MAX];
	bool bad_birth;
	size_t key_count = match_row(leaked, keys, &bad_birth);
	uint8_t count = 0;

	for (size_t i = 0; i < key_count; i++) {
		if (trace_has_kind(keys[i].kind) && count < TRACE_PROBES_MAX)
			probes[count++] = (struct trace_probe){.kind = keys[i].kind,
			    .print = trace_print_number(
				shop->keys, keys[i].kind, bytes_make(keys[i].key, keys[i].size))};
	}
	shop->counts.rows++;
	trace_shelf_search(shop->shelf, probes, &count, 1, found_row, &tracing);
}
