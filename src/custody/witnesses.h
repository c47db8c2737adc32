/*
 * Witnesses outside the house, what they cosigned of its logs, and how old that may be.
 *
 * Promises  a cosignature counts only with the signature of a witness that an approved change enrolled, over a checkpoint of
 *           that very log which its own tree continues; what is remembered of a log is durable and never goes back.
 * Not       it asks no witness: fronts bring what one answered, and are believed nothing of it.
 */
#ifndef AZ_CUSTODY_WITNESSES_H
#define AZ_CUSTODY_WITNESSES_H

#include "custody/custody_internal.h"
#include "ledger/evidence.h"

#define WITNESSES_MAX 16u

struct witness {
	uint32_t id;
	char label[LABEL_SIZE];
	struct note_key key;
	int64_t added_us, retired_us;
};

/* The newest that is known of a log. */
struct cosigned {
	uint32_t log;
	uint32_t generation;
	uint64_t size;
	uint8_t root[TREE_HASH_SIZE];
	uint32_t witness;
	int64_t time_s;    /* as the witness signed it */
	int64_t covers_us; /* every entry before it is cosigned */
};

/* THING_COSIGN_LIMIT: two things, since they are put by others. */
#define COSIGN_LIMIT   0u
#define COSIGN_ALARMED 1u

void witnesses_free(struct custody *custody);
/* Things as they were committed. AZ_CORRUPT, AZ_NO_MEMORY. */
AZ_CHECKED enum az_status witness_apply(
    struct custody *custody, struct bytes thing, struct az_err *reterr);
AZ_CHECKED enum az_status cosigned_apply(
    struct custody *custody, struct bytes thing, struct az_err *reterr);
AZ_CHECKED enum az_status cosign_limit_apply(
    struct custody *custody, uint64_t id, struct bytes thing, struct az_err *reterr);
AZ_CHECKED enum az_status payload_put_witness(
    struct payload *payload, const struct witness *witness);
AZ_CHECKED enum az_status payload_put_cosigned(
    struct payload *payload, const struct cosigned *cosigned);
AZ_CHECKED enum az_status payload_put_cosign_limit(
    struct payload *payload, uint32_t hours, int64_t since_us);

/* What is known of a log in this generation of the ledger; NULL: it was never cosigned. */
const struct cosigned *cosigned_of(const struct custody *custody, uint32_t log);
/* Whether a limit is set and somebody there who could keep it. */
bool cosign_limit_applies(const struct custody *custody);
/*
 * Whether something may be done that waits for fresh cosignatures: exports, cases. Those of the house's log and of the logs of
 * these clients are asked, none named: of all. AZ_OK also where no limit applies. AZ_DENIED, with which log and since when.
 */
AZ_CHECKED enum az_status cosigned_allows(
    const struct custody *custody, const uint32_t *clients, size_t count, struct az_err *reterr);
/* Raises the alarm, once for each time that they have grown too old. */
void witnesses_tick(struct custody *custody);
/* The member "witness" of the house's status. */
void answer_witnesses(struct wire_writer *writer, const struct custody *custody);
/* Members of the object that is open: how a log stands. */
void answer_cosigned(struct wire_writer *writer, const struct custody *custody, uint32_t log);
/* "house", or the client's label. */
const char *log_label(const struct custody *custody, uint32_t log);

void verb_witness_add(struct request *request, const union front_request *body);
void verb_witness_list(struct request *request, const union front_request *body);
void verb_witness_retire(struct request *request, const union front_request *body);
void verb_witness_limit(struct request *request, const union front_request *body);
void verb_cosigned(struct request *request, const union front_request *body);

#endif
