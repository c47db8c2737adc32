/*
 * How long it takes to weigh who copied a list, in a house of many staff and many accesses: bringing them together, as
 * the keeper does, then the model, as its process does. Reading them out of the ledger is not in it.
 *
 *	bench-attribution [PAIRS] [ROWS]
 *
 * Prints "result attribution-gather SECONDS", "result attribution-model SECONDS" and "result attribution SECONDS"; on
 * stderr the processor's time, which a busy machine does not change.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "custody/access_set.h"
#include "measure.h"
#include "proto/proto.h"
#include "trace/compare.h"

#define STAFF        2000u
#define RECORDS      27000000u
#define DAYS         3650
#define IN_A_SESSION 50u
#define PAIRS_USUAL  20000000u
#define ROWS_USUAL   1000000u
#define THIEF        777u
#define CLIENTS      69u

static uint64_t
mix(uint64_t number)
{
	number = (number ^ number >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	number = (number ^ number >> 27) * UINT64_C(0x94d049bb133111eb);
	return number ^ number >> 31;
}

static struct access
access_of(uint64_t i, uint64_t of)
{
	uint32_t person = (uint32_t)(i % STAFF);
	uint64_t turn = i / STAFF;
	uint64_t turns = of / STAFF + 1;
	uint32_t pool = (uint32_t)(mix(turn / IN_A_SESSION * STAFF + person) % CLIENTS);

	return (struct access){.person = person,
	    .pool = pool,
	    .number = turn / IN_A_SESSION * STAFF + person,
	    .kind = MODEL_SESSION,
	    .time_us = (int64_t)(turn * DAYS / turns) * AZ_US_PER_DAY,
	    /* A session is for one client's people, who came to the house together. */
	    .record = 1 + pool * (RECORDS / CLIENTS) + (uint32_t)(mix(i) % (RECORDS / CLIENTS)),
	    .version = 1,
	    .fields = FIELD_BIT(FIELD_NAME) | FIELD_BIT(FIELD_PHONE)};
}

/* The first rows that the thief had, and as many of anybody's as are wanted. */
static void
make_rows(struct model_input *input, struct access_set *set, uint32_t rows, uint64_t pairs)
{
	struct model_row *row = calloc(rows, sizeof(*row));
	struct model_candidate *candidates = calloc(rows, sizeof(*candidates));
	struct model_span *spans = calloc(rows, sizeof(*spans));

	if (row == NULL || candidates == NULL || spans == NULL)
		abort();
	for (uint32_t i = 0; i < rows; i++) {
		uint64_t from = (uint64_t)i * STAFF + THIEF;
		struct access access = from < pairs ? access_of(from, pairs) : access_of(i, pairs);

		row[i] = (struct model_row){.first_candidate = i,
		    .candidate_count = 1,
		    .fields = access.fields,
		    .canary = MODEL_NONE};
		candidates[i] = (struct model_candidate){.record = access.record,
		    .client = access.pool,
		    .weight = 1.0,
		    .notation = NOTATION_OURS,
		    .first_span = i,
		    .span_count = 1};
		spans[i] =
		    (struct model_span){.version = 1, .from_us = 0, .to_us = DAYS * AZ_US_PER_DAY};
		if (access_set_want(set, access.record) != AZ_OK)
			abort();
	}
	if (access_set_wanted(set, NULL) != AZ_OK)
		abort();
	input->rows = row;
	input->candidates = candidates;
	input->spans = spans;
	input->row_count = input->candidate_count = input->span_count = rows;
}

int
main(int argc, char **argv)
{
	uint64_t pairs = argc > 1 ? strtoull(argv[1], NULL, 10) : PAIRS_USUAL;
	uint64_t rows = argc > 2 ? strtoull(argv[2], NULL, 10) : ROWS_USUAL;
	static struct model_client clients[CLIENTS];
	static struct model_copy copies[CLIENTS];
	static struct model_person persons[STAFF];
	static struct model_result result;
	struct model_input input = {.persons = persons,
	    .clients = clients,
	    .copies = copies,
	    .person_count = STAFF,
	    .client_count = CLIENTS,
	    .copy_count = CLIENTS,
	    .pool_count = CLIENTS};
	struct access_set *set = NULL;
	struct az_err err = {0};
	struct rusage usage;
	int64_t began, gathered, ended;

	for (uint32_t i = 0; i < CLIENTS; i++) {
		clients[i].people = RECORDS / CLIENTS;
		copies[i] = (struct model_copy){.client = i, .size = RECORDS / CLIENTS};
	}
	bench_check("set", access_set_new(&set, &err), &err);
	make_rows(&input, set, (uint32_t)rows, pairs);
	began = bench_now_ns();
	for (uint64_t i = 0; i < pairs; i++) {
		struct access access = access_of(i, pairs);

		bench_check("add", access_set_add(set, &access, &err), &err);
	}
	bench_check("close", access_set_close(set, &err), &err);
	access_set_fill(set, &input);
	gathered = bench_now_ns();
	bench_check("model", model_run(&input, &result, &err), &err);
	ended = bench_now_ns();
	(void)getrusage(RUSAGE_SELF, &usage);
	bench_say(
	    "%zu accesses to the list's records, %zu carriers, %zu windows, %ld MiB, %ld s of "
	    "the processor in all",
	    input.access_count, input.carrier_count, input.window_count, usage.ru_maxrss / 1024,
	    (long)usage.ru_utime.tv_sec);
	bench_say("verdict %s", model_verdict_name(result.verdict));
	bench_result("attribution-gather", (double)(gathered - began) / 1e9);
	bench_result("attribution-model", (double)(ended - gathered) / 1e9);
	bench_result("attribution", (double)(ended - began) / 1e9);
	access_set_free(&set);
	return 0;
}
