/*
 * Frames of intake's, as the workers take them, one after the other: columns, rows and refusals, its end. Whoever reads
 * holds the lock of reading; what is for it alone it takes with it.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "custody/bulk.h"

#define WAIT_MS 200

/* --- columns ---------------------------------------------------------------------------------- */

/* The client's bit of an "x:" field, giving it the next one if it is new. */
static enum az_status
x_bit(struct bulk *bulk, const char *name, uint8_t *ret_bit, struct az_err *reterr)
{
	struct client *client = &bulk->client;

	for (uint8_t i = 0; i < client->x_count; i++) {
		if (strcmp(client->x_names[i], name) == 0) {
			*ret_bit = (uint8_t)(FIELD_X_FIRST + i);
			return AZ_OK;
		}
	}
	if (client->x_count >= FIELD_COUNT - FIELD_X_FIRST)
		return az_fail(reterr, AZ_LIMIT, "%s: the client has used up its %u own fields",
		    name, (unsigned int)(FIELD_COUNT - FIELD_X_FIRST));
	(void)snprintf(client->x_names[client->x_count], FIELD_NAME_MAX, "%s", name);
	*ret_bit = (uint8_t)(FIELD_X_FIRST + client->x_count++);
	return AZ_OK;
}

/* Before any row. */
static enum az_status
take_columns(struct bulk *bulk, struct bytes body, struct az_err *reterr)
{
	struct wire_reader reader;
	uint32_t count;
	uint8_t next_x = FIELD_X_FIRST;
	enum az_status status = AZ_OK;

	wire_reader_init(&reader, body);
	count = wire_get_count(&reader, FIELD_COUNT, 5);
	for (uint32_t i = 0; i < count && status == AZ_OK; i++) {
		uint8_t field = wire_get_u8(&reader);
		char name[FIELD_NAME_MAX];
		unsigned int known;

		wire_get_text(&reader, name, sizeof(name));
		if (reader.failed)
			break;
		if (field_parse(name, &known) && known == field) {
			bulk->x_bits[field] = field;
		} else if (field_is_x_name(name) && field == next_x && next_x < FIELD_COUNT) {
			next_x++;
			status = x_bit(bulk, name, &bulk->x_bits[field], reterr);
			if (status == AZ_OK && bulk->x_bits[field] != field)
				bulk->x_are_moved = true;
		} else {
			reader.failed = true;
			break;
		}
		if (status == AZ_OK) {
			bulk->columns_seen |= FIELD_BIT(field);
			bulk->consignment.fields |= FIELD_BIT(bulk->x_bits[field]);
		}
	}
	bulk->unused_columns = wire_get_u32(&reader);
	if (status != AZ_OK)
		return status;
	/* Exactly where people are not joined by something else there is a number. */
	if (!wire_end(&reader) || bulk->has_columns || bulk->columns_seen == 0 ||
	    ((bulk->columns_seen & FIELD_BIT(FIELD_NUMBER)) == 0) != (bulk->join != 0))
		return az_fail(reterr, AZ_FORGED, "intake: its columns are malformed");
	bulk->has_columns = true;
	return AZ_OK;
}

/* --- frames ----------------------------------------------------------------------------------- */

static enum az_status
take_done(struct bulk *bulk, struct bytes body, struct az_err *reterr)
{
	struct wire_reader reader;

	wire_reader_init(&reader, body);
	bulk->told_rows = wire_get_u64(&reader);
	bulk->told_accepted = wire_get_u64(&reader);
	bulk->told_refused = wire_get_u64(&reader);
	bulk->told_totals = wire_get_u32(&reader);
	bulk->told_sheets = wire_get_u32(&reader);
	if (!wire_end(&reader) || !bulk->has_columns)
		return az_fail(reterr, AZ_FORGED, "intake: its end is malformed");
	bulk->intake_is_done = true;
	return AZ_OK;
}

/* A frame of rows or refusals is for the worker; the others are dealt with at once. */
static enum az_status
take_frame(struct bulk_worker *worker, const struct frame *frame, struct az_err *reterr)
{
	struct bulk *bulk = worker->bulk;

	switch (frame->type) {
	case INTAKE_COLUMNS: return take_columns(bulk, frame->body, reterr);
	case INTAKE_DONE: return take_done(bulk, frame->body, reterr);
	case INTAKE_ERROR: return reading_failed(frame->body, reterr);
	case INTAKE_ROWS:
	case INTAKE_REFUSED:
		if (!bulk->has_columns)
			return az_fail(reterr, AZ_FORGED, "intake: rows before columns");
		buffer_clear(&worker->frame);
		if (buffer_append(&worker->frame, frame->body) != AZ_OK)
			return az_fail(reterr, AZ_NO_MEMORY, "the list: out of memory");
		return AZ_OK;
	default: return az_fail(reterr, AZ_FORGED, "intake: a frame of no known type");
	}
}

/*
 * Whether intake has something to say. It is waited for as long as the list comes; when it has all of it and is
 * silent for READING_SILENCE_US, it hangs. AZ_GONE: the list was given up.
 */
static enum az_status
await_intake(struct bulk *bulk, struct az_err *reterr)
{
	int64_t since = clock_monotonic_us();
	struct pollfd wait = {.fd = bulk->intake.fd, .events = POLLIN};
	bool had_all = false;

	for (;;) {
		bool has_all;
		int ready;

		if (bulk_is_over(bulk))
			return az_fail(reterr, AZ_GONE, "the list was given up");
		(void)pthread_mutex_lock(&bulk->lock);
		has_all = bulk->list_has_ended;
		(void)pthread_mutex_unlock(&bulk->lock);
		if (!had_all)
			since = clock_monotonic_us();
		else if (clock_monotonic_us() - since > READING_SILENCE_US)
			return az_fail(
			    reterr, AZ_IO, "intake has the whole list and says nothing any more");
		had_all = has_all;
		ready = poll(&wait, 1, WAIT_MS);
		if (ready > 0 || (ready < 0 && errno != EINTR))
			return AZ_OK;
	}
}

/* The next frame, whole. */
static enum az_status
receive(struct bulk *bulk, struct frame *ret_frame, struct az_err *reterr)
{
	enum az_status status = link_next(&bulk->intake, ret_frame, reterr);

	while (status == AZ_BUSY) {
		status = await_intake(bulk, reterr);
		if (status != AZ_OK)
			return status;
		status = link_fill(&bulk->intake, reterr);
		if (status == AZ_GONE)
			return az_fail(reterr, AZ_IO, "intake ended before the list did");
		if (status == AZ_OK)
			status = link_next(&bulk->intake, ret_frame, reterr);
	}
	return status;
}

/* The next frame of rows or refusals; type 0 when there is none any more. */
static enum az_status
next_frame(
    struct bulk_worker *worker, uint16_t *ret_type, uint64_t *ret_sequence, struct az_err *reterr)
{
	struct bulk *bulk = worker->bulk;
	enum az_status status = AZ_OK;

	*ret_type = 0;
	(void)pthread_mutex_lock(&bulk->reading);
	while (status == AZ_OK && !bulk->intake_is_done && *ret_type == 0) {
		struct frame frame;

		status = receive(bulk, &frame, reterr);
		if (status == AZ_OK)
			status = take_frame(worker, &frame, reterr);
		if (status == AZ_OK &&
		    (frame.type == INTAKE_ROWS || frame.type == INTAKE_REFUSED)) {
			*ret_type = frame.type;
			*ret_sequence = bulk->sequence++;
		}
	}
	/* One failure is the list's: what the other workers would find behind it explains nothing. */
	if (status != AZ_OK)
		bulk->intake_is_done = true;
	(void)pthread_mutex_unlock(&bulk->reading);
	return status;
}

enum az_status
frames_work(struct bulk_worker *worker, struct az_err *reterr)
{
	for (;;) {
		uint16_t type = 0;
		uint64_t sequence = 0;
		enum az_status status = next_frame(worker, &type, &sequence, reterr);

		if (status == AZ_OK && type == INTAKE_ROWS)
			status = rows_take(worker, sequence, reterr);
		else if (status == AZ_OK && type == INTAKE_REFUSED)
			status = rows_take_refused(worker, sequence, reterr);
		if (status != AZ_OK || type == 0)
			return status;
	}
}
