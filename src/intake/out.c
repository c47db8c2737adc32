/*
 * Frames on their way out, gathered until they are worth a call.
 */
#include "intake/intake_internal.h"

void
outgoing_init(struct outgoing *outgoing, bool sensitive)
{
	buffer_init(&outgoing->body, INTAKE_BODY_MAX, sensitive);
	outgoing->count = 0;
}

void
outgoing_fini(struct outgoing *outgoing)
{
	buffer_fini(&outgoing->body);
}

enum az_status
out_send(
    struct intake *intake, enum intake_message type, struct buffer *body, struct az_err *reterr)
{
	enum az_status status =
	    link_send(&intake->link, (uint16_t)type, 0, buffer_peek(body), reterr);

	buffer_clear(body);
	if (status != AZ_OK)
		return az_fail(reterr, status, "the keeper has gone");
	return AZ_OK;
}

enum az_status
outgoing_send(struct intake *intake, struct outgoing *outgoing, enum intake_message type, bool end,
    struct az_err *reterr)
{
	if (outgoing->count == 0 || (!end && outgoing->body.size < FRAME_USUAL))
		return AZ_OK;
	wire_store_u32(outgoing->body.data, outgoing->count);
	outgoing->count = 0;
	return out_send(intake, type, &outgoing->body, reterr);
}

struct wire_writer
outgoing_writer(struct outgoing *outgoing)
{
	struct wire_writer writer;

	wire_writer_init(&writer, &outgoing->body);
	if (outgoing->body.size == 0)
		wire_put_u32(&writer, 0);
	return writer;
}
