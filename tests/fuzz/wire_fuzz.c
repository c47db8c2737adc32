/*
 * Everything that is read from a socket once a channel is open, or between our processes: what decodes must
 * encode to the same bytes, and nothing may read past its end.
 *
 * The first byte says what the rest is.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/frame.h"
#include "base/wire.h"
#include "people/people.h"
#include "policy/policy.h"
#include "proto/answer.h"
#include "proto/approval.h"
#include "proto/backup.h"
#include "proto/front.h"
#include "proto/history.h"
#include "proto/intake.h"
#include "proto/parent.h"
#include "proto/unlock.h"
#include "proto/vault.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
same(struct buffer *again, struct bytes bytes)
{
	assert(bytes_equal(buffer_peek(again), bytes));
	buffer_fini(again);
}

static void
read_frames(struct bytes bytes)
{
	struct link link;
	struct frame frame;
	int fds[2];
	size_t seen = 0;

	if (bytes.size > 60000 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0)
		return;
	if (bytes.size > 0 && write(fds[1], bytes.data, bytes.size) != (ssize_t)bytes.size)
		abort();
	(void)close(fds[1]);
	link_init(&link, fds[0], LINK_NONBLOCKING, 4096, 4096, false);
	while (link_fill(&link, NULL) == AZ_OK) {
		enum az_status status;

		while ((status = link_next(&link, &frame, NULL)) == AZ_OK) {
			seen += FRAME_HEADER_SIZE + frame.body.size;
			assert(frame.fd == -1 && frame.body.size <= 4096);
		}
		if (status != AZ_BUSY)
			break;
	}
	assert(seen <= bytes.size);
	link_fini(&link);
}

static void
read_request(struct bytes bytes)
{
	static union front_request request;
	struct front_header header;
	struct buffer again;
	struct bytes body;

	if (front_open(bytes, &header, &body) != AZ_OK ||
	    front_decode((enum front_message)header.type, body, &request) != AZ_OK)
		return;
	buffer_init(&again, 1u << 20, false);
	assert(front_encode((enum front_message)header.type, header.id, &request, &again) == AZ_OK);
	same(&again, bytes);
}

static void
read_answer(struct bytes bytes)
{
	struct answer_reader reader;
	struct answer_event event;
	int depth = 0;

	answer_reader_init(&reader, bytes);
	while (answer_next(&reader, &event) == AZ_OK) {
		depth += event.tag == ANSWER_OBJECT || event.tag == ANSWER_ARRAY;
		depth -= event.tag == ANSWER_END;
		assert(depth >= 0 && depth <= (int)ANSWER_DEPTH_MAX);
	}
}

static void
read_row(struct bytes bytes)
{
	struct row row;
	struct buffer again;

	if (row_decode(bytes, &row) != AZ_OK)
		return;
	buffer_init(&again, (size_t)FIELD_COUNT * (FIELD_VALUE_MAX + 8), false);
	assert(row_encode(&row, &again) == AZ_OK);
	same(&again, bytes);
}

static void
read_block(struct bytes bytes)
{
	static struct token_block block;
	struct buffer again;
	struct bytes mac;

	if (token_block_decode(bytes, &block, &mac) != AZ_OK)
		return;
	buffer_init(&again, TOKEN_BLOCK_SIZE_MAX, false);
	assert(token_block_encode(&block, &again) == AZ_OK);
	assert(buffer_append(&again, mac) == AZ_OK);
	same(&again, bytes);
}

static void
read_intake_row(struct bytes bytes)
{
	struct wire_reader reader;
	struct wire_writer writer;
	struct intake_row row;
	struct buffer again;

	wire_reader_init(&reader, bytes);
	intake_row_get(&reader, &row);
	if (!wire_end(&reader))
		return;
	buffer_init(&again, 1u << 20, false);
	wire_writer_init(&writer, &again);
	intake_row_put(&writer, &row);
	assert(writer.status == AZ_OK);
	same(&again, bytes);
}

static void
read_history_line(struct bytes bytes)
{
	static struct history_line line;
	struct wire_reader reader;
	struct wire_writer writer;
	struct buffer again;

	wire_reader_init(&reader, bytes);
	history_line_get(&reader, &line);
	if (!wire_end(&reader))
		return;
	buffer_init(&again, 1u << 16, false);
	wire_writer_init(&writer, &again);
	history_line_put(&writer, &line);
	assert(writer.status == AZ_OK);
	same(&again, bytes);
}

static void
read_start(struct bytes bytes)
{
	struct parent_start start;
	struct buffer again;

	if (parent_start_decode(bytes, &start) != AZ_OK)
		return;
	buffer_init(&again, PARENT_BODY_MAX, false);
	assert(parent_start_encode(&start, &again) == AZ_OK);
	same(&again, bytes);
}

static void
read_things(struct bytes bytes)
{
	struct buffer again;
	union {
		struct client client;
		struct purpose purpose;
		struct staff staff;
		struct device device;
		struct approval approval;
		struct zone zone;
		struct standing_approval standing;
		struct zone_bounds bounds;
	} thing;

	buffer_init(&again, 1u << 16, false);
	if (client_decode(bytes, &thing.client) == AZ_OK) {
		assert(client_encode(&thing.client, &again) == AZ_OK);
		same(&again, bytes);
	}
	if (purpose_decode(bytes, &thing.purpose) == AZ_OK) {
		assert(purpose_encode(&thing.purpose, &again) == AZ_OK);
		/* An older form is read, and written as the newest. */
		if (bytes.data[0] == again.data[0])
			same(&again, bytes);
		else
			buffer_fini(&again);
	}
	if (staff_decode(bytes, &thing.staff) == AZ_OK) {
		assert(staff_encode(&thing.staff, &again) == AZ_OK);
		same(&again, bytes);
	}
	if (device_decode(bytes, &thing.device) == AZ_OK) {
		assert(device_encode(&thing.device, &again) == AZ_OK);
		same(&again, bytes);
	}
	if (zone_decode(bytes, &thing.zone) == AZ_OK) {
		assert(zone_encode(&thing.zone, &again) == AZ_OK);
		same(&again, bytes);
	}
	if (bounds_decode(bytes, &thing.bounds) == AZ_OK) {
		assert(bounds_encode(&thing.bounds, &again) == AZ_OK);
		same(&again, bytes);
	}
	if (standing_decode(bytes, &thing.standing) == AZ_OK) {
		assert(standing_encode(&thing.standing, &again) == AZ_OK);
		same(&again, bytes);
	}
	if (approval_decode(bytes, &thing.approval) == AZ_OK) {
		assert(approval_encode(&thing.approval, &again) == AZ_OK);
		same(&again, bytes);
	}
	buffer_fini(&again);
}

static void
read_document(struct bytes bytes)
{
	struct approval_document document;
	struct buffer again;

	if (approval_document_decode(bytes, &document) != AZ_OK)
		return;
	buffer_init(&again, 1u << 17, false);
	assert(approval_document_encode(&document, &again) == AZ_OK);
	same(&again, bytes);
}

static void
read_unlock(struct bytes bytes)
{
	struct unlock_give give;
	struct unlock_said said;
	struct buffer again;

	buffer_init(&again, 1u << 12, false);
	if (unlock_give_decode(bytes, &give) == AZ_OK) {
		assert(unlock_give_encode(&give, &again) == AZ_OK);
		same(&again, bytes);
	}
	if (unlock_said_decode(bytes, &said) == AZ_OK) {
		assert(unlock_said_encode(&said, &again) == AZ_OK);
		same(&again, bytes);
	}
	buffer_fini(&again);
}

static void
read_backup(struct bytes bytes)
{
	struct backup_manifest manifest;
	struct backup_keys keys;
	struct buffer again;

	buffer_init(&again, 1u << 22, false);
	if (backup_manifest_decode(bytes, &manifest) == AZ_OK) {
		for (uint32_t i = 0; i < manifest.count; i++)
			assert(backup_path_is_valid(manifest.files[i].path));
		assert(backup_manifest_encode(&manifest, &again) == AZ_OK);
		free(manifest.files);
		same(&again, bytes);
	}
	if (backup_keys_decode(bytes, &keys) == AZ_OK) {
		assert(backup_keys_encode(&keys, &again) == AZ_OK);
		same(&again, bytes);
	}
	buffer_fini(&again);
}

static void
read_slots(struct bytes bytes)
{
	struct parent_slots slots;
	struct buffer again;

	if (parent_slots_decode(bytes, &slots) != AZ_OK)
		return;
	buffer_init(&again, PARENT_BODY_MAX, false);
	assert(parent_slots_encode(&slots, &again) == AZ_OK);
	same(&again, bytes);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const readers[])(struct bytes bytes) = {read_frames, read_request,
	    read_answer, read_row, read_block, read_intake_row, read_start, read_things,
	    read_document, read_unlock, read_backup, read_history_line, read_slots};

	if (size < 1)
		return 0;
	readers[data[0] % AZ_ARRAY_SIZE(readers)](bytes_make(data + 1, size - 1));
	return 0;
}
