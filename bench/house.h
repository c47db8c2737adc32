/*
 * A house for a measurement: one client, one long list, and a staff of agents whose keys are made here.
 */
#ifndef AZ_BENCH_HOUSE_H
#define AZ_BENCH_HOUSE_H

#include "channel.h"

#define AGENTS      64u
#define BENCH_LABEL "c01"
#define PURPOSE     "checkup"

struct bench_house {
	char folder[256]; /* everything below it is ours */
	int dirfd;
	char azukari[300]; /* the program */
	struct house_folder house;
	struct sign_key *agents[AGENTS];
	struct sign_key *device;
	uint32_t *phones; /* of the people, each with one of their own; "03" and eight digits */
	size_t phone_count;
	pid_t serve, keeper, vault; /* while it is served */
	double entrust_s;
};

/* Generates people, founds the house, entrusts them, and adds the agents; then nothing serves it. */
void bench_house_make(struct bench_house *house, uint64_t people);
void bench_house_serve(struct bench_house *house);
void bench_house_stop(struct bench_house *house);
/* While it is served: entrusts the list for another client, in a process of its own, whose id is returned. */
pid_t bench_house_entrust_more(struct bench_house *house);
/* Between stop and serve: drops what the system holds of the sealed rows and of the catalogue in memory. */
void bench_house_evict(struct bench_house *house);
void bench_house_remove(struct bench_house *house);

#endif
