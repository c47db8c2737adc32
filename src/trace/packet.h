/*
 * The model's input and result as frames between the keeper and the process that attributes (proto/attribute.h).
 *
 * Promises  what is read is in its bounds: numbers are finite, tables have the length that was announced, and what a
 *           result names was in the input; memory is taken as data comes, not as it is announced.
 * Not       model_run itself checks that an index leads somewhere.
 * Threads   each object belongs to one thread at a time.
 */
#ifndef AZ_TRACE_PACKET_H
#define AZ_TRACE_PACKET_H

#include "base/bytes.h"
#include "proto/attribute.h"
#include "trace/model.h"

#define PACKET_TABLES 11u

/* --- the input, sent ---------------------------------------------------------------------------- */

/* Borrows the input while it is in use. */
struct packet_writer {
	const struct model_input *input;
	bool begun, ended;
	unsigned int table;
	size_t at;
};
void packet_writer_init(struct packet_writer *writer, const struct model_input *input);
/* Puts the next frame into body, which is cleared first. AZ_NOT_FOUND: there is none any more. AZ_NO_MEMORY, AZ_LIMIT. */
AZ_CHECKED enum az_status packet_next(
    struct packet_writer *writer, enum attribute_message *ret_type, struct buffer *body);

/* --- the input, received ------------------------------------------------------------------------ */

struct packet_reader;
AZ_CHECKED enum az_status packet_reader_new(
    struct packet_reader **ret_reader, struct az_err *reterr);
void packet_reader_free(struct packet_reader **reader);
/* Takes a frame. AZ_INVALID: out of turn or malformed. AZ_NO_MEMORY. After a failure it is of no use. */
AZ_CHECKED enum az_status packet_take(
    struct packet_reader *reader, uint16_t type, struct bytes body, struct az_err *reterr);
/* Borrowed; NULL until RUN was taken. */
const struct model_input *packet_input(const struct packet_reader *reader);

/* --- the result --------------------------------------------------------------------------------- */

AZ_CHECKED enum az_status packet_put_result(const struct model_result *result, struct buffer *body);
/* input: what was asked about, of which the tables may be gone, but not the counts. AZ_INVALID. */
AZ_CHECKED enum az_status packet_get_result(struct bytes body, const struct model_input *input,
    struct model_result *ret_result, struct az_err *reterr);

#endif
