/*
 * What the files of the attribution share.
 */
#ifndef AZ_CUSTODY_ATTRIBUTION_INTERNAL_H
#define AZ_CUSTODY_ATTRIBUTION_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/frame.h"
#include "base/vector.h"
#include "custody/access_set.h"
#include "custody/attribution.h"
#include "custody/histories.h"
#include "trace/packet.h"

enum attribution_stage {
	STAGE_ROWS = 0, /* they are added */
	STAGE_SETTLES,
	STAGE_LOGS,
	STAGE_HISTORIES,
	STAGE_SORTS,
	STAGE_SPAWNS,
	STAGE_ASKS,
	STAGE_DONE,
};

/* Somebody in an imported history who is not of the house. */
struct unknown_person {
	char name[NAME_SIZE];
};

/* A history that was looked at. */
struct used_history {
	uint32_t id;
	uint64_t wanted;               /* of its rows, those about records of the list */
	struct history_reader *reader; /* for its names, until the end */
};

/* A candidate whose versions' times are to be looked up. */
struct waiting_candidate {
	uint32_t record;
	uint32_t candidate; /* index */
	uint32_t first_version;
	uint16_t version_count;
};

struct attribution {
	struct custody *custody;
	enum attribution_stage stage;
	bool given_up;
	void (*done)(void *arg, enum az_status status, const struct az_err *err);
	void *arg;
	/* rows: model_row, model_candidate, model_span, uint64_t consignments of the spans */
	struct vector rows, candidates, spans, held;
	/* by record / WAITING_RECORDS, a vector of struct waiting_candidate: not looked up in the catalogue yet */
	struct vector waiting;
	struct vector versions;        /* uint32_t: of those that wait */
	size_t look_bucket, looked_up; /* how far it is; a bucket is sorted with its first */
	/* for the model: uint32_t, model_copy, model_person, model_client */
	struct vector holdings, copies, persons, clients;
	struct vector unknown;  /* struct unknown_person: persons from staff_count on */
	struct vector exported; /* uint64_t: consignments that were exported whole */
	struct vector used;     /* struct used_history */
	uint32_t staff_count, client_count, purpose_count;
	struct access_set *set;
	/* gathering */
	uint32_t log;
	struct ledger_place place;
	uint32_t history;              /* at work, or the last */
	bool is_reading;               /* the last of used */
	struct vector persons_by_name; /* uint32_t: 1 + person, by the history's names */
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

/* The version of a record that was current at a time; of an earlier time, the first. 0: it is in no list. */
AZ_CHECKED enum az_status attribution_version_at(struct custody *custody, uint32_t record,
    int64_t time_us, uint32_t *ret_version, struct az_err *reterr);

/* --- gather.c --------------------------------------------------------------------------------- */

/* Some more of the logs, then of the histories. AZ_NOT_FOUND: there is nothing more. */
AZ_CHECKED enum az_status gather_slice(struct attribution *attribution, struct az_err *reterr);
void gather_fini(struct attribution *attribution);

#endif
