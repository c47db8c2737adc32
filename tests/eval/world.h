/*
 * A made-up call centre over ten years: people who move, marry and change numbers; clients who deliver them again and
 * again, each in a spelling of its own; teams that work on pools of them; maintainers who export lists. It is the
 * ground on which the model is measured, and shares no code with it.
 */
#ifndef AZ_EVAL_WORLD_H
#define AZ_EVAL_WORLD_H

#include "proto/proto.h"

#define WORLD_DAYS       3650
#define WORLD_CLIENTS    12
#define WORLD_DELIVERIES 24 /* of a client, at most */
#define WORLD_POPULATION 300000u
#define WORLD_TEXT       2048 /* bytes that the values of one row need at most */
#define WORLD_TEAMS      8
#define WORLD_QUARTER    91 /* days for which a team calls one pool of people */
#define WORLD_QUARTERS   (WORLD_DAYS / WORLD_QUARTER + 1)
#define WORLD_POOL       1200u
#define WORLD_NOBODY     UINT32_MAX

struct random {
	uint64_t state;
};
uint64_t random_next(struct random *random);
uint32_t random_below(struct random *random, uint32_t bound);
double random_unit(struct random *random);
bool random_chance(struct random *random, double chance);

/* What of a person changes: how often they have moved, changed number, married by then. */
struct epochs {
	uint8_t moves, phones, marriages;
};

struct world_version {
	struct epochs epochs;
	int from_day; /* of the delivery that brought it */
	int to_day;   /* of the one that replaced it; WORLD_DAYS + 1 if none did */
};

#define WORLD_VERSIONS 12
struct world_record {
	uint32_t person;
	uint16_t client;
	uint16_t quirk; /* how the client's clerk wrote this one */
	uint8_t version_count;
	struct world_version versions[WORLD_VERSIONS];
};

struct world_delivery {
	int day;
	uint32_t rows;
};
struct world_client {
	uint32_t first_record, record_count; /* records from 1 */
	int delivery_count;
	struct world_delivery deliveries[WORLD_DELIVERIES];
	uint8_t style;
};

struct world_staff {
	int from_day, to_day;
	bool maintainer;
	uint32_t mentor; /* beside whom they sat at first, or WORLD_NOBODY */
};

struct world_pool {
	int client;
	uint32_t records[WORLD_POOL];
};

/* A session of an agent, or an export by a maintainer. */
struct world_carrier {
	uint32_t staff;
	uint16_t client;
	bool is_export;
	int delivery; /* exported whole; -1: the accesses say what it holds */
	int day;
	uint32_t first_access, access_count; /* in order of carriers */
};
struct world_access {
	uint32_t record;
	uint32_t carrier;
	uint8_t version; /* from 1 */
	bool with_birth;
};

struct world {
	struct random random;
	struct world_client clients[WORLD_CLIENTS];
	struct world_record *records; /* from 1 */
	uint32_t record_count;
	struct world_pool pools[WORLD_QUARTERS][WORLD_TEAMS];
	struct world_staff *staff;
	uint32_t staff_count;
	struct world_carrier *carriers;
	uint32_t carrier_count, carrier_room;
	struct world_access *accesses;
	uint32_t access_count, access_room;
};

struct world *world_new(uint64_t seed);
void world_free(struct world **world);

/* The version of a record on a day, from 1; 0 if the client did not have it here yet. */
uint8_t world_version_on(const struct world_record *record, int day);

/* Somebody's values as a client writes them. text: WORLD_TEXT bytes that the row borrows. */
void world_write(uint32_t person, struct epochs epochs, uint8_t style, uint16_t quirk,
    bool with_birth, char *text, struct row *ret_row);
/* How a person is on a day. */
struct epochs world_epochs(uint32_t person, int day);

#endif
