/*
 * What the process that attributes reads from the keeper, and the keeper from it. A question: frames, each u16 size, u8
 * type, body. One that is whole and small is run through the model, whatever nonsense it asks, and its result must be
 * one that the keeper takes.
 *
 * The first byte says which: 0 a question, 1 a result.
 */
#include <assert.h>
#include <stdlib.h>

#include "base/wire.h"
#include "trace/packet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SMALL 64u

static bool
is_small(const struct model_input *input)
{
	return input->row_count <= SMALL && input->candidate_count <= SMALL &&
	    input->access_count <= SMALL && input->carrier_count <= SMALL &&
	    input->window_count <= SMALL && input->copy_count <= SMALL &&
	    input->person_count <= SMALL && input->client_count <= SMALL &&
	    input->pool_count <= SMALL && input->span_count <= SMALL;
}

/* What was read, written again, is the same question. */
static void
write_again(const struct model_input *input)
{
	struct packet_writer writer;
	struct packet_reader *reader = NULL;
	struct buffer body;
	enum attribute_message type;

	if (packet_reader_new(&reader, NULL) != AZ_OK)
		return;
	buffer_init(&body, ATTRIBUTE_BODY_MAX, false);
	packet_writer_init(&writer, input);
	while (packet_next(&writer, &type, &body) == AZ_OK) {
		enum az_status status =
		    packet_take(reader, (uint16_t)type, buffer_peek(&body), NULL);

		assert(status == AZ_OK);
	}
	assert(packet_input(reader) != NULL);
	assert(packet_input(reader)->row_count == input->row_count);
	buffer_fini(&body);
	packet_reader_free(&reader);
}

static void
run(const struct model_input *input)
{
	static struct model_result result, again;
	struct buffer body;
	enum az_status status;

	if (!is_small(input) || model_run(input, &result, NULL) != AZ_OK)
		return;
	buffer_init(&body, ATTRIBUTE_BODY_MAX, false);
	status = packet_put_result(&result, &body);
	assert(status == AZ_OK);
	status = packet_get_result(buffer_peek(&body), input, &again, NULL);
	assert(status == AZ_OK && again.verdict == result.verdict);
	buffer_fini(&body);
}

static void
ask(struct bytes bytes)
{
	struct packet_reader *reader = NULL;
	struct wire_reader wire;
	enum az_status status = packet_reader_new(&reader, NULL);

	wire_reader_init(&wire, bytes);
	while (status == AZ_OK && wire.rest.size > 0 && packet_input(reader) == NULL) {
		uint16_t size = wire_get_u16(&wire);
		uint8_t type = wire_get_u8(&wire);
		struct bytes body = wire_take(&wire, size);

		if (wire.failed)
			break;
		status = packet_take(reader, type, body, NULL);
	}
	if (status == AZ_OK && packet_input(reader) != NULL) {
		write_again(packet_input(reader));
		run(packet_input(reader));
	}
	packet_reader_free(&reader);
}

static void
answer(struct bytes bytes)
{
	static struct model_result result;
	const struct model_input input = {.person_count = 3,
	    .client_count = 2,
	    .pool_count = 2,
	    .carrier_count = 4,
	    .window_count = 4,
	    .copy_count = 4};

	if (packet_get_result(bytes, &input, &result, NULL) != AZ_OK)
		return;
	assert(result.suspect_count <= MODEL_SUSPECTS_MAX);
	assert(result.cluster_count <= MODEL_CLUSTERS_MAX);
	for (size_t i = 0; i < result.suspect_count; i++)
		assert(result.suspects[i].who.owner != MODEL_PERSON ||
		    result.suspects[i].who.index < input.person_count);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1)
		return 0;
	if (data[0] == 0)
		ask(bytes_make(data + 1, size - 1));
	else
		answer(bytes_make(data + 1, size - 1));
	return 0;
}
