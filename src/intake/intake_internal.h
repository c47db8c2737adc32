/*
 * What the files of this folder share: one list on its way.
 */
#ifndef AZ_INTAKE_INTERNAL_H
#define AZ_INTAKE_INTERNAL_H

#include "base/frame.h"
#include "base/wire.h"
#include "intake/finds.h"
#include "intake/intake.h"
#include "match/match.h"
#include "proto/intake.h"
#include "text/text.h"

#define HELD_MAX 16u /* records that may be totals, held back */

/* Things of one kind on their way, in frames of about FRAME_USUAL bytes. */
#define FRAME_USUAL (128u * 1024u)
struct outgoing {
	struct buffer body;
	uint32_t count;
};

/* A record that is no person, unless a person comes behind it. */
struct held {
	uint32_t row;
	enum refusal refusal;
};

struct intake {
	struct link link;
	int list_fd;
	struct intake_start start;
	struct list *list;
	const struct columns *columns;
	bool has_number; /* some column is the number */
	struct finds finds;
	struct outgoing rows, refused, values, keys;
	struct buffer scratch, encoded;
	struct held held[HELD_MAX];
	size_t held_count;
	uint64_t row_count, accepted_count, refused_count, total_count;
	uint64_t refused_by[REFUSAL_COUNT];
	struct az_err problem; /* inspecting: why the list would be rejected as a whole */
};

/* --- out.c ------------------------------------------------------------------------------------ */

void outgoing_init(struct outgoing *outgoing, bool sensitive);
void outgoing_fini(struct outgoing *outgoing);
/* A writer into the body, which begins with the count; the caller raises the count. */
struct wire_writer outgoing_writer(struct outgoing *outgoing);
/* Sends what was gathered, if it is enough for a frame, or end is set and there is any. */
AZ_CHECKED enum az_status outgoing_send(struct intake *intake, struct outgoing *outgoing,
    enum intake_message type, bool end, struct az_err *reterr);
/* Sends one frame and clears its body. */
AZ_CHECKED enum az_status out_send(
    struct intake *intake, enum intake_message type, struct buffer *body, struct az_err *reterr);

/* --- history.c ---------------------------------------------------------------------------------- */

/* The whole of a history. */
AZ_CHECKED enum az_status history_read(struct intake *intake, struct az_err *reterr);

/* --- inspect.c: what somebody who inspects a list is told --------------------------------------- */

/* The names of the columns, as row 0 of the values. */
AZ_CHECKED enum az_status inspect_header(struct intake *intake, struct az_err *reterr);
/* A row that would be accepted. */
AZ_CHECKED enum az_status inspect_row(struct intake *intake, uint32_t number,
    const struct list_record *record, const struct row *row, const struct match_key *keys,
    size_t key_count, struct az_err *reterr);
/* Tells how far it is, now and then. */
AZ_CHECKED enum az_status inspect_progress(struct intake *intake, struct az_err *reterr);
AZ_CHECKED enum az_status inspect_facts(struct intake *intake, struct az_err *reterr);

#endif
