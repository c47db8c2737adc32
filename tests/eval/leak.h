/*
 * What is stolen from a made-up world, by whom, and what a broker makes of it.
 */
#ifndef AZ_EVAL_LEAK_H
#define AZ_EVAL_LEAK_H

#include "world.h"

enum leak_class {
	LEAK_AGENT_SLOWLY,  /* one now and then, over years */
	LEAK_AGENT_AT_ONCE, /* in two weeks */
	LEAK_EXPORT,        /* one export of a maintainer */
	LEAK_EXPORTS,       /* dozens of exports of one maintainer */
	LEAK_TWO_AGENTS,
	LEAK_CLIENT,       /* the client's own copy */
	LEAK_FOREIGN,      /* a list that is not from here, with people who are here, too */
	LEAK_OUTSIDE,      /* by somebody whom the ledger has not seen */
	LEAK_PHOTOGRAPHED, /* three screens */
	LEAK_TRAINEE,      /* who sat beside another */
	LEAK_CLASSES,
};
const char *leak_class_name(enum leak_class leak_class);

struct leak_row {
	char text[WORLD_TEXT];
	struct row row;
	uint32_t record; /* 0: from elsewhere */
	uint8_t version;
	bool with_birth; /* was shown */
	int day;         /* when it was taken */
};

#define LEAK_ROWS_MAX 1000u

struct leak {
	enum leak_class leak_class;
	struct leak_row *rows;
	size_t count;
	/* the truth */
	uint32_t staff[2]; /* WORLD_NOBODY if none */
	int client;        /* whose copy, or -1 */
	uint32_t carrier;  /* of one export, or WORLD_NOBODY */
	int first_day, last_day;
};

/* n rows of a class, and so many of strangers that they are that share of all. False if this draw has no such leaker. */
bool leak_make(struct world *world, struct random *random, enum leak_class leak_class, size_t n,
    double strangers, struct leak *ret_leak);
void leak_fini(struct leak *leak);

#endif
