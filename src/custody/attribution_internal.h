/*
 * What the files of the attribution share.
 */
#ifndef AZ_CUSTODY_ATTRIBUTION_INTERNAL_H
#define AZ_CUSTODY_ATTRIBUTION_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/frame.h"
#include "custody/access_set.h"
#include "custody/attribution.h"
#include "trace/packet.h"

enum attribution_stage {
	STAGE_ROWS = 0, /* they are added */
	STAGE_SETTLES,
	STAGE_LOGS,
	STAGE_SORTS,
	STAGE_SPAWNS,
	STAGE_ASKS,
	STAGE_DONE,
};

struct vector {
	void *items;
	size_t count, room;
};
/* A new item at the end, zeroed; NULL: there is no memory. */
void *attribution_push(struct vector *vector, size_t size);

struct attribution {
	struct custody *custody;
	enum attribution_stage stage;
	bool given_up;
	void (*done)(void *arg, enum az_status status, const struct az_err *err);
	void *arg;
	/* rows: model_row, model_candidate, model_span, uint64_t consignments of the spans */
	struct vector rows, candidates, spans, held;
	/* for the model: uint32_t, model_copy, model_person, model_client */
	struct vector holdings, copies, persons, clients;
	struct vector exported; /* uint64_t: consignments that were exported whole */
	uint32_t staff_count, client_count, purpose_count;
	struct access_set *set;
	/* gathering */
	uint32_t log;
	struct ledger_place place;
	/* sorting */
	pthread_t thread;
	atomic_bool is_sorted;
	enum az_status sort_status;
	struct az_err sort_err;
	/* the process */
	uint32_t child;
	struct link link;
	bool has_link, is_sent;
	struct loop_watch *watch;
	struct packet_writer packet;
	struct buffer body;
	struct model_input input;
	struct model_result result;
};

/* --- gather.c --------------------------------------------------------------------------------- */

/* Some more of the logs. AZ_NOT_FOUND: there is nothing more. */
AZ_CHECKED enum az_status gather_slice(struct attribution *attribution, struct az_err *reterr);

#endif
