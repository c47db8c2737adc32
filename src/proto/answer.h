/*
 * Answers as typed trees: what the keeper says in reply to a verb, in a form that a front can print as a
 * table or as JSON without knowing the verb (docs/format/answer.md). The keeper writes them and never
 * reads one.
 *
 * A tree is one object. Depth, names and sizes are bounded; an answer has one encoding.
 */
#ifndef AZ_PROTO_ANSWER_H
#define AZ_PROTO_ANSWER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/wire.h"

enum answer_tag {
	ANSWER_END = 0,  /* of the object or array */
	ANSWER_TEXT = 1, /* u32 size, UTF-8 */
	ANSWER_UINT = 2, /* u64 */
	ANSWER_FALSE = 3,
	ANSWER_TRUE = 4,
	ANSWER_TIME = 5,   /* i64, microseconds since 1970-01-01 UTC */
	ANSWER_DATE = 6,   /* u32, days since 1970-01-01, two's complement */
	ANSWER_BYTES = 7,  /* u32 size, bytes; shown in hexadecimal */
	ANSWER_OBJECT = 8, /* members until ANSWER_END */
	ANSWER_ARRAY = 9,  /* values until ANSWER_END */
};

#define ANSWER_DEPTH_MAX 8u
#define ANSWER_NAME_MAX  64u /* with its NUL */

/*
 * Writing. name is the member's, or NULL inside an array (and for the outermost object). Sticky, as
 * wire_put: the writer's status tells at the end. Names are literals of ours or valid labels.
 */
void answer_object(struct wire_writer *writer, const char *name);
void answer_array(struct wire_writer *writer, const char *name);
void answer_end(struct wire_writer *writer);
void answer_text(struct wire_writer *writer, const char *name, const char *text);
void answer_value(struct wire_writer *writer, const char *name, struct bytes text);
void answer_uint(struct wire_writer *writer, const char *name, uint64_t value);
void answer_bool(struct wire_writer *writer, const char *name, bool value);
void answer_time(struct wire_writer *writer, const char *name, int64_t time_us);
void answer_date(struct wire_writer *writer, const char *name, int32_t days);
void answer_bytes(struct wire_writer *writer, const char *name, struct bytes bytes);

/* Reading, one event after the other. */
struct answer_event {
	enum answer_tag tag;
	const char
	    *name; /* "" inside an array and for the outermost object; until the next event */
	struct bytes bytes; /* TEXT (checked to be UTF-8) and BYTES; borrowed from the input */
	uint64_t number;    /* UINT */
	int64_t time_us;    /* TIME */
	int32_t days;       /* DATE */
};
struct answer_reader {
	struct wire_reader wire;
	unsigned int depth;
	uint8_t in_array; /* bit n: level n is an array */
	bool started;
	char name[ANSWER_NAME_MAX];
};
void answer_reader_init(struct answer_reader *reader, struct bytes bytes);
/* AZ_OK: an event. AZ_NOT_FOUND: the tree has ended, and nothing is left. AZ_INVALID. */
AZ_CHECKED enum az_status answer_next(struct answer_reader *reader, struct answer_event *ret_event);

#endif
