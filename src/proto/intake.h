/*
 * What keeper and intake say to each other (docs/format/intake.md): frames of base/frame.h. Intake has
 * parsed hostile bytes, so the keeper believes nothing it says and drops the list on anything malformed.
 *
 * START, then COLUMNS once, then ROWS and REFUSED in any order, then DONE; or ERROR at any time, which
 * is the last. A command that inspects a list asks for other frames instead of ROWS, and gets FACTS before DONE.
 */
#ifndef AZ_PROTO_INTAKE_H
#define AZ_PROTO_INTAKE_H

#include "base/bytes.h"
#include "proto/proto.h"

enum intake_message {
	/* keeper to intake */
	INTAKE_START = 1, /* struct intake_start */
	/* intake to keeper */
	INTAKE_COLUMNS = 65, /* u32 count, each: u8 field, text name. "x:" fields are numbered from
	                        FIELD_X_FIRST in the order of appearance; the keeper renumbers them.
	                        Then u32 columns that are in the list and not used. */
	INTAKE_ROWS = 66,    /* u32 count, each: as struct intake_row */
	INTAKE_REFUSED = 67, /* u32 count, each: u32 row, u8 enum refusal */
	INTAKE_DONE = 68,    /* u64 rows, u64 accepted, u64 refused; u32 totals that are no rows,
	                        u32 visible sheets of the workbook, of which the first was read */
	INTAKE_ERROR =
	    69, /* u8 enum az_status, text that names row, column or byte, never contents */
	/* to whoever inspects */
	INTAKE_FACTS = 70,  /* an answer (proto/answer.h): what was found */
	INTAKE_VALUES = 71, /* u32 count, each: u32 row, u32 count of values, each: bytes. The first
	                       of all is row 0, the header */
	INTAKE_PROGRESS = 73,      /* u64 rows so far */
	INTAKE_HISTORY_LINES = 74, /* u32 count, each: as struct history_line */
	INTAKE_KEYS = 72, /* u32 count, each: u32 row, u8 enum match_kind, bytes: readable text */
};

/* What intake is to do, bits; none: rows for the keeper. */
#define INTAKE_INSPECTS   1u  /* no ROWS, but FACTS */
#define INTAKE_VALUES_TOO 2u  /* and VALUES */
#define INTAKE_KEYS_TOO   4u  /* and KEYS */
#define INTAKE_WITHDRAWS  8u  /* rows that have nothing but a number are rows */
#define INTAKE_JOINS      64u /* rows have no number */
#define INTAKE_MODES_ALL  79u /* these may stand together */
#define INTAKE_TRACES                                                                              \
	16u /* alone: a list from anywhere, which needs no number and may hold anything */

#define INTAKE_HISTORY 32u /* alone: who saw whom, of another system (proto/history.h) */

#define INTAKE_COLUMNS_SIZE 4096u
#define INTAKE_PASSWORD_MAX 256u
struct intake_start {
	char columns[INTAKE_COLUMNS_SIZE]; /* the map, "" for none */
	uint32_t allows; /* classes that the list may hold: bits 1 << enum field_class */
	char password[INTAKE_PASSWORD_MAX + 1]; /* of an archive or workbook; "" for none */
	uint8_t mode;                           /* bits above */
};

#define INTAKE_START_MAX    (INTAKE_COLUMNS_SIZE + INTAKE_PASSWORD_MAX + 64u)
#define INTAKE_BODY_MAX     (512u * 1024u)
#define INTAKE_ROWS_MAX     8192u /* in a frame */
#define INTAKE_KEYS_MAX     16u
#define INTAKE_KEY_MAX      512u  /* bytes of one match key */
#define INTAKE_KEY_TEXT_MAX 2048u /* and of its readable form */

#define INTAKE_FLAG_BIRTH 1u /* the birth date is no real date: kept as it came, gives no key */

/* One accepted row. In a frame: u32 row, u8 flags, bytes encoded, u8 count, each: u8 kind, bytes key. */
struct intake_key {
	enum match_kind kind;
	struct bytes key;
};
struct intake_row {
	uint32_t row; /* of the list, from 1, not counting the header */
	uint8_t flags;
	struct bytes encoded; /* row_encode, with intake's own numbers of "x:" fields */
	uint8_t key_count;
	struct intake_key keys[INTAKE_KEYS_MAX]; /* MATCH_NUMBER first, and only there */
};

struct wire_reader;
struct wire_writer;
void intake_start_put(struct wire_writer *writer, const struct intake_start *start);
/* On anything malformed the reader has failed. */
void intake_start_get(struct wire_reader *reader, struct intake_start *ret_start);
void intake_row_put(struct wire_writer *writer, const struct intake_row *row);
/* Borrows from the reader's input; on anything malformed the reader has failed. Keys behind key_count are as they were. */
void intake_row_get(struct wire_reader *reader, struct intake_row *ret_row);

#endif
