/*
 * One line of an imported history on its way from intake to the keeper (docs/format/history.md): read from CSV there, so
 * that the keeper parses none.
 */
#ifndef AZ_PROTO_HISTORY_H
#define AZ_PROTO_HISTORY_H

#include "base/bytes.h"
#include "proto/proto.h"

enum history_kind {
	HISTORY_NO_KIND = 0,
	HISTORY_VIEW = 1,   /* somebody was shown somebody in a session */
	HISTORY_EXPORT = 2, /* somebody took somebody, or a whole delivery, away in a file */
};

#define HISTORY_X_MAX   (FIELD_COUNT - FIELD_X_FIRST)
#define HISTORY_KEY_MAX 512u

struct history_line {
	uint32_t row; /* of the file, from 1, not counting the header */
	int64_t time_us;
	char staff[NAME_SIZE], device[NAME_SIZE];
	char client[LABEL_SIZE];
	uint8_t kind;         /* enum history_kind */
	uint64_t consignment; /* every row of this delivery; else 0 */
	struct bytes number;  /* the match key of the number; empty with a consignment; borrowed */
	uint64_t fields;      /* built-in ones */
	uint8_t x_count;      /* and the client's own */
	char x_names[HISTORY_X_MAX][FIELD_NAME_MAX];
	char carrier[NAME_SIZE]; /* session or export */
};

struct wire_reader;
struct wire_writer;
void history_line_put(struct wire_writer *writer, const struct history_line *line);
/* Borrows from the reader's input; on anything malformed the reader has failed. */
void history_line_get(struct wire_reader *reader, struct history_line *ret_line);

#endif
