/*
 * One list: wait for START, read, send rows in frames, say DONE or ERROR.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/frame.h"
#include "base/wire.h"
#include "intake/finds.h"
#include "intake/intake.h"
#include "intake/source.h"
#include "match/match.h"
#include "proto/intake.h"
#include "text/unpack.h"

#define FRAME_USUAL (128u * 1024u)
#define OUT_MAX     (2u * 1024u * 1024u)

/* Rows or refusals on their way. */
struct outgoing {
	struct buffer body;
	uint32_t count;
};

struct intake {
	struct link link;
	int list_fd;
	char spec[INTAKE_COLUMNS_SIZE];
	uint8_t password[UNPACK_PASSWORD_MAX];
	size_t password_size;
	struct source *source;
	struct columns columns;
	struct outgoing rows, refused;
	struct buffer scratch, encoded;
	struct finds finds;
	uint64_t row_count, accepted_count, refused_count;
};

static enum az_status
send_body(
    struct intake *intake, enum intake_message type, struct buffer *body, struct az_err *reterr)
{
	enum az_status status = link_queue(&intake->link, (uint16_t)type, 0, buffer_peek(body));

	if (status == AZ_OK)
		status = link_flush(&intake->link, reterr);
	buffer_clear(body);
	if (status != AZ_OK)
		return az_fail(reterr, status, "the keeper has gone");
	return AZ_OK;
}

/* Sends what was gathered, if there is any. */
static enum az_status
send_outgoing(struct intake *intake, enum intake_message type, struct outgoing *outgoing,
    struct az_err *reterr)
{
	if (outgoing->count == 0)
		return AZ_OK;
	wire_store_u32(outgoing->body.data, outgoing->count);
	outgoing->count = 0;
	return send_body(intake, type, &outgoing->body, reterr);
}

/* Begins a body with its count. */
static struct wire_writer
outgoing_writer(struct outgoing *outgoing)
{
	struct wire_writer writer;

	wire_writer_init(&writer, &outgoing->body);
	if (outgoing->body.size == 0)
		wire_put_u32(&writer, 0);
	return writer;
}

static enum az_status
refuse(struct intake *intake, uint32_t row, enum refusal refusal, struct az_err *reterr)
{
	struct wire_writer writer = outgoing_writer(&intake->refused);

	wire_put_u32(&writer, row);
	wire_put_u8(&writer, (uint8_t)refusal);
	intake->refused.count++;
	intake->refused_count++;
	if (writer.status != AZ_OK)
		return az_fail(reterr, writer.status, "row %u: out of memory", row);
	if (intake->refused.body.size >= FRAME_USUAL)
		return send_outgoing(intake, INTAKE_REFUSED, &intake->refused, reterr);
	return AZ_OK;
}

static enum az_status
accept(struct intake *intake, uint32_t number, const struct row *row, struct az_err *reterr)
{
	struct match_key keys[MATCH_KEYS_MAX];
	struct intake_row out = {.row = number};
	bool bad_birth = false;
	size_t count = match_row(row, keys, &bad_birth);
	struct wire_writer writer;
	enum az_status status;

	/* A number of nothing but blanks of another script is none. */
	if (count == 0 || keys[0].kind != MATCH_NUMBER)
		return refuse(intake, number, REFUSAL_NO_NUMBER, reterr);
	buffer_clear(&intake->encoded);
	status = row_encode(row, &intake->encoded);
	if (status == AZ_LIMIT)
		return refuse(intake, number, REFUSAL_TOO_LONG, reterr);
	if (status != AZ_OK)
		return az_fail(reterr, status, "row %u: out of memory", number);
	out.flags = bad_birth ? INTAKE_FLAG_BIRTH : 0;
	out.encoded = buffer_peek(&intake->encoded);
	out.key_count = (uint8_t)count;
	for (size_t i = 0; i < count; i++) {
		out.keys[i].kind = keys[i].kind;
		out.keys[i].key = bytes_make(keys[i].key, keys[i].size);
	}
	writer = outgoing_writer(&intake->rows);
	intake_row_put(&writer, &out);
	az_wipe(keys, sizeof(keys));
	intake->rows.count++;
	intake->accepted_count++;
	if (writer.status != AZ_OK)
		return az_fail(reterr, writer.status, "row %u: out of memory", number);
	if (intake->rows.body.size >= FRAME_USUAL)
		return send_outgoing(intake, INTAKE_ROWS, &intake->rows, reterr);
	return AZ_OK;
}

/* --- reading ---------------------------------------------------------------------------------- */

static enum az_status
send_columns(struct intake *intake, struct az_err *reterr)
{
	struct buffer body;
	struct wire_writer writer;
	enum az_status status;

	buffer_init(&body, INTAKE_BODY_MAX, false);
	wire_writer_init(&writer, &body);
	wire_put_u32(&writer, (uint32_t)intake->columns.count);
	for (size_t i = 0; i < intake->columns.count; i++) {
		wire_put_u8(&writer, intake->columns.fields[i].field);
		wire_put_text(&writer, intake->columns.fields[i].name);
	}
	wire_put_u32(&writer, (uint32_t)intake->columns.unused);
	status = writer.status;
	if (status == AZ_OK)
		status = send_body(intake, INTAKE_COLUMNS, &body, reterr);
	buffer_fini(&body);
	return status;
}

static enum az_status
read_header(struct intake *intake, struct az_err *reterr)
{
	const struct csv_record *header = NULL;
	enum az_status status = source_next(intake->source, &header, reterr);

	if (status == AZ_NOT_FOUND)
		return az_fail(reterr, AZ_INVALID, "the list is empty");
	if (status == AZ_OK)
		status = columns_resolve(intake->spec, header, &intake->columns, reterr);
	if (status == AZ_OK)
		status = finds_header(&intake->columns, header, reterr);
	if (status == AZ_OK)
		status = send_columns(intake, reterr);
	return status;
}

static enum az_status
take_record(struct intake *intake, const struct csv_record *record, struct az_err *reterr)
{
	struct row row = {0};
	enum refusal refusal = REFUSAL_NONE;
	enum az_status status;

	if (intake->row_count == UINT32_MAX)
		return az_fail(reterr, AZ_LIMIT, "the list has more rows than can be numbered");
	intake->row_count++;
	status = columns_row(&intake->columns, record, &intake->scratch, &row, &refusal);
	if (status != AZ_OK)
		return az_fail(reterr, status, "row %llu: out of memory",
		    (unsigned long long)intake->row_count);
	if (refusal == REFUSAL_NONE)
		refusal = finds_row(&intake->finds, &row);
	if (refusal != REFUSAL_NONE)
		return refuse(intake, (uint32_t)intake->row_count, refusal, reterr);
	return accept(intake, (uint32_t)intake->row_count, &row, reterr);
}

static enum az_status
send_done(struct intake *intake, struct az_err *reterr)
{
	struct buffer body;
	struct wire_writer writer;
	enum az_status status = finds_end(&intake->finds, &intake->columns, reterr);

	if (status == AZ_OK)
		status = send_outgoing(intake, INTAKE_ROWS, &intake->rows, reterr);
	if (status == AZ_OK)
		status = send_outgoing(intake, INTAKE_REFUSED, &intake->refused, reterr);
	if (status != AZ_OK)
		return status;
	buffer_init(&body, 64, false);
	wire_writer_init(&writer, &body);
	wire_put_u64(&writer, intake->row_count);
	wire_put_u64(&writer, intake->accepted_count);
	wire_put_u64(&writer, intake->refused_count);
	status = writer.status;
	if (status == AZ_OK)
		status = send_body(intake, INTAKE_DONE, &body, reterr);
	buffer_fini(&body);
	return status;
}

static enum az_status
read_list(struct intake *intake, struct az_err *reterr)
{
	const struct csv_record *record = NULL;
	enum az_status status = source_open(intake->list_fd,
	    bytes_make(intake->password, intake->password_size), &intake->source, reterr);

	az_wipe(intake->password, sizeof(intake->password));
	if (status == AZ_OK)
		status = read_header(intake, reterr);
	while (status == AZ_OK) {
		status = source_next(intake->source, &record, reterr);
		if (status == AZ_OK)
			status = take_record(intake, record, reterr);
	}
	return status == AZ_NOT_FOUND ? send_done(intake, reterr) : status;
}

/* --- life ------------------------------------------------------------------------------------- */

static enum az_status
receive_start(struct intake *intake, struct az_err *reterr)
{
	struct wire_reader reader;
	struct bytes password;
	struct frame frame;
	enum az_status status = link_receive(&intake->link, &frame, reterr);

	if (status != AZ_OK)
		return status;
	wire_reader_init(&reader, frame.body);
	wire_get_text(&reader, intake->spec, sizeof(intake->spec));
	intake->finds.allows = wire_get_u32(&reader);
	password = wire_get_bytes(&reader, sizeof(intake->password));
	if (frame.type != INTAKE_START || !wire_end(&reader))
		return az_fail(reterr, AZ_INVALID, "the keeper sent a malformed message");
	memcpy(intake->password, password.data, password.size);
	intake->password_size = password.size;
	return AZ_OK;
}

/* Tells the keeper why there is nothing more. */
static void
send_error(struct intake *intake, const struct az_err *err)
{
	struct buffer body;
	struct wire_writer writer;

	buffer_init(&body, AZ_ERR_TEXT_SIZE + 16, false);
	wire_writer_init(&writer, &body);
	wire_put_u8(&writer, (uint8_t)err->status);
	wire_put_text(&writer, err->text);
	if (writer.status == AZ_OK)
		az_ignore(send_body(intake, INTAKE_ERROR, &body, NULL));
	buffer_fini(&body);
}

int
intake_run(int fd, int list_fd)
{
	struct intake intake = {.list_fd = list_fd};
	struct az_err err = {0};
	enum az_status status;

	link_init(&intake.link, fd, LINK_BLOCKING, INTAKE_START_MAX, OUT_MAX, true);
	buffer_init(&intake.rows.body, INTAKE_BODY_MAX, true);
	buffer_init(&intake.refused.body, INTAKE_BODY_MAX, false);
	buffer_init(&intake.scratch, (size_t)FIELD_COUNT * (FIELD_VALUE_MAX * 2), true);
	buffer_init(&intake.encoded, (size_t)FIELD_COUNT * (FIELD_VALUE_MAX + 8), true);
	status = receive_start(&intake, &err);
	if (status != AZ_OK) {
		(void)fprintf(stderr, "azukari-intake: %s\n", err.text);
	} else {
		status = read_list(&intake, &err);
		err.status = status;
		if (status != AZ_OK && status != AZ_GONE)
			send_error(&intake, &err);
	}
	source_free(&intake.source);
	buffer_fini(&intake.rows.body);
	buffer_fini(&intake.refused.body);
	buffer_fini(&intake.scratch);
	buffer_fini(&intake.encoded);
	link_fini(&intake.link);
	return status == AZ_OK || status == AZ_INVALID ? 0 : az_exit_code(status);
}
