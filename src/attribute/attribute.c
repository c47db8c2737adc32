/*
 * One question: BEGIN, PARTS, RUN; then the model; then RESULT or FAILED.
 */
#include "attribute/attribute.h"

#include <stdio.h>

#include "base/frame.h"
#include "base/wire.h"
#include "trace/packet.h"

#define OUT_MAX (2u * ATTRIBUTE_BODY_MAX)

static enum az_status
receive(struct link *link, struct packet_reader *reader, struct az_err *reterr)
{
	enum az_status status = AZ_OK;

	while (status == AZ_OK && packet_input(reader) == NULL) {
		struct frame frame;

		status = link_receive(link, &frame, reterr);
		if (status == AZ_OK)
			status = packet_take(reader, frame.type, frame.body, reterr);
	}
	return status;
}

static enum az_status
answer(struct link *link, enum attribute_message type, struct bytes body, struct az_err *reterr)
{
	enum az_status status = link_queue(link, (uint16_t)type, 0, body);

	return status == AZ_OK ? link_flush(link, reterr) : status;
}

static enum az_status
answer_failed(struct link *link, const struct az_err *err, struct buffer *body)
{
	struct wire_writer writer;

	buffer_clear(body);
	wire_writer_init(&writer, body);
	wire_put_u8(&writer, (uint8_t)err->status);
	wire_put_text(&writer, err->text);
	if (writer.status != AZ_OK)
		return writer.status;
	return answer(link, ATTRIBUTE_FAILED, buffer_peek(body), NULL);
}

/* What was asked is whole: the model, and its answer. */
static enum az_status
run_model(struct link *link, const struct model_input *input, struct az_err *reterr)
{
	static struct model_result result;
	struct buffer body;
	struct az_err err = {0};
	enum az_status status;

	buffer_init(&body, ATTRIBUTE_BODY_MAX, false);
	err.status = model_run(input, &result, &err);
	status = err.status == AZ_OK ? packet_put_result(&result, &body) : AZ_OK;
	if (status == AZ_OK && err.status == AZ_OK)
		status = answer(link, ATTRIBUTE_RESULT, buffer_peek(&body), reterr);
	else if (status == AZ_OK)
		status = answer_failed(link, &err, &body);
	buffer_fini(&body);
	return status;
}

int
attribute_run(int fd)
{
	struct packet_reader *reader = NULL;
	struct link link;
	struct az_err err = {0};
	enum az_status status = packet_reader_new(&reader, &err);

	link_init(&link, fd, LINK_BLOCKING, ATTRIBUTE_BODY_MAX, OUT_MAX, false);
	if (status == AZ_OK)
		status = receive(&link, reader, &err);
	if (status == AZ_OK)
		status = run_model(&link, packet_input(reader), &err);
	packet_reader_free(&reader);
	link_fini(&link);
	/* The keeper gave up: nothing is left to say. */
	if (status == AZ_OK || status == AZ_GONE)
		return 0;
	(void)fprintf(stderr, "azukari-attribute: %s\n", err.text);
	return az_exit_code(status);
}
