/*
 * Imported histories: what another system says about who saw or exported whom, before this house was there or beside it.
 * Lower-grade evidence: this house did not see it happen. A history is asked for by an investigator and approved by an
 * officer (I7), by the hash of its file; the file is parsed by an intake, and what it says is kept sealed in
 * HOUSE/keeper/trace/history-ID (docs/format/history.md).
 */
#ifndef AZ_CUSTODY_HISTORIES_H
#define AZ_CUSTODY_HISTORIES_H

#include "crypto/blocks.h"
#include "custody/custody_internal.h"

enum history_state {
	HISTORY_NONE = 0,
	HISTORY_ASKED = 1,
	HISTORY_APPROVED = 2, /* its file may be given */
	HISTORY_KEPT = 3,
};

struct history {
	uint32_t id;    /* from 1 */
	uint32_t staff; /* who asked */
	enum history_state state;
	uint32_t request;
	int64_t asked_us, kept_us;
	uint8_t hash[SHA256_SIZE]; /* of the file as it came */
	uint64_t rows;             /* as asked, and as kept */
	/* Of a kept one: */
	uint64_t unknown;         /* rows about a number that no list of the house has */
	int64_t from_us, to_us;   /* the first and last time in it */
	uint8_t run[SHA256_SIZE]; /* of the sealed file */
};

/* NULL if there is none of that number. */
const struct history *history_of(const struct custody *custody, uint32_t id);
void histories_free(struct custody *custody);
AZ_CHECKED enum az_status history_apply(
    struct custody *custody, struct bytes thing, struct az_err *reterr);
AZ_CHECKED enum az_status payload_put_history(
    struct payload *payload, const struct history *history);
/* At start: removes what a crash left of histories that were not kept. */
AZ_CHECKED enum az_status histories_recover(struct custody *custody, struct az_err *reterr);

void verb_history_add(struct request *request, const union front_request *body);
void verb_history_list(struct request *request, const union front_request *body);
/* An entry about a history, with the hash of its file. */
#define HISTORY_IS_APPROVED 1u
#define HISTORY_IS_KEPT     2u
struct ledger_entry history_entry(
    const struct request *request, const struct history *history, uint32_t detail);

/* --- import.c: taking the rows ------------------------------------------------------------------ */

void verb_history_import(struct request *request, const union front_request *body);
bool importing_has_child(const struct custody *custody, uint32_t child);
void importing_child(struct custody *custody, int socket, int pipe);
void importing_child_failed(struct custody *custody, const struct az_err *err);
void importing_round(struct custody *custody);
/* The front has gone: nobody waits for it. */
void importing_front_gone(struct custody *custody, const struct custody_front *front);
/* At the end of the custody: waits for its threads and frees. */
void importing_close(struct custody *custody);

/* --- the kept file ------------------------------------------------------------------------------ */

#define HISTORY_UNKNOWN                                                                            \
	0x80000000u /* a record from here on: a number that the house does not know */

/* One row. Names are indexes of names that came before it. */
struct history_row {
	uint32_t record; /* 0: every row of the consignment */
	uint32_t client;
	int64_t time_us;
	uint64_t fields; /* in the client's numbering */
	uint32_t staff, device, carrier;
	uint8_t kind; /* enum history_kind of proto/history.h */
	uint64_t consignment;
};

struct history_writer;
AZ_CHECKED enum az_status history_writer_new(struct custody *custody, uint32_t id,
    struct history_writer **ret_writer, struct az_err *reterr);
/* The index of a name; the same for the same name. AZ_NO_MEMORY, AZ_LIMIT. */
AZ_CHECKED enum az_status history_writer_name(
    struct history_writer *writer, const char *name, uint32_t *ret_index, struct az_err *reterr);
AZ_CHECKED enum az_status history_writer_row(
    struct history_writer *writer, const struct history_row *row, struct az_err *reterr);
/* Flushes. Frees; on failure the file is removed, too. */
AZ_CHECKED enum az_status history_writer_finish(
    struct history_writer **writer, uint8_t ret_sha256[SHA256_SIZE], struct az_err *reterr);
void history_writer_discard(struct history_writer **writer);

struct history_reader;
AZ_CHECKED enum az_status history_reader_new(struct custody *custody, const struct history *history,
    struct history_reader **ret_reader, struct az_err *reterr);
void history_reader_free(struct history_reader **reader);
/*
 * Reads the next piece of it: visit gets each row. AZ_NOT_FOUND: it has ended, and is the file that was kept.
 * AZ_FORGED: it is not; what was visited must be forgotten.
 */
AZ_CHECKED enum az_status history_reader_next(struct history_reader *reader,
    enum az_status (*visit)(void *arg, const struct history_row *row, struct az_err *reterr),
    void *arg, struct az_err *reterr);
/* A name that came before; "" if there is none of that index. */
const char *history_reader_name(const struct history_reader *reader, uint32_t index);

#endif
