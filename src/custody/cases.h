/*
 * Cases: what an investigator may trace, within limits that somebody else has approved (I7).
 *
 * A case begins when it is asked and is open once it is approved. The approver signs its limits: how many rows, of
 * which clients, for how many days, and, if it is known, of which file.
 */
#ifndef AZ_CUSTODY_CASES_H
#define AZ_CUSTODY_CASES_H

#include "custody/custody_internal.h"

enum case_state { CASE_NONE = 0, CASE_ASKED = 1, CASE_OPEN = 2, CASE_CLOSED = 3 };

struct trace_case {
	uint32_t id;    /* from 1 */
	uint32_t staff; /* the investigator */
	uint16_t reason;
	enum case_state state;
	uint32_t request; /* that opened it, or will */
	int64_t asked_us, opened_us, closed_us;
	int64_t until_us;  /* from when it was opened */
	uint32_t days;     /* that it is to be open */
	uint64_t rows_max; /* in all its traces */
	uint64_t rows_used;
	bool has_hash;
	uint8_t hash[SHA256_SIZE]; /* the only file, if has_hash */
	bool has_allowed;
	uint8_t allowed[SHA256_SIZE]; /* a file that looks enumerated, and may be traced */
	uint8_t client_count;         /* 0: all clients */
	uint32_t clients[FRONT_CASE_CLIENTS];
};

/* NULL if there is none of that number. */
const struct trace_case *case_of(const struct custody *custody, uint32_t id);
void cases_free(struct custody *custody);
AZ_CHECKED enum az_status case_apply(
    struct custody *custody, struct bytes thing, struct az_err *reterr);
AZ_CHECKED enum az_status payload_put_case(struct payload *payload, const struct trace_case *of);

/* Whether it is open for this human now, and for that many rows more. AZ_NOT_FOUND, AZ_DENIED, AZ_LIMIT. */
AZ_CHECKED enum az_status case_admits(const struct custody *custody, uint32_t id, uint32_t staff,
    uint64_t rows, const struct trace_case **ret_case, struct az_err *reterr);
bool case_has_client(const struct trace_case *of, uint32_t client);

void verb_case_open(struct request *request, const union front_request *body);
void verb_case_allow(struct request *request, const union front_request *body);
void verb_case_list(struct request *request, const union front_request *body);
void verb_case_close(struct request *request, const union front_request *body);

#endif
