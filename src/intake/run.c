/*
 * One list: wait for START, read, send rows in frames, say DONE or ERROR.
 *
 * A record that looks like a total rather than a person is held back: if only such ones follow, they are below the
 * list and no rows of it; if a person follows, they are rows that are refused.
 */
#include <stdio.h>

#include "intake/intake_internal.h"

#define OUT_MAX (2u * 1024u * 1024u)

static bool
inspects(const struct intake *intake)
{
	return (intake->start.mode & INTAKE_INSPECTS) != 0;
}

/* Then a number says all there is to say. */
static bool
withdraws(const struct intake *intake)
{
	return (intake->start.mode & INTAKE_WITHDRAWS) != 0;
}

/* A list from anywhere is taken as it is: it is searched for, and not kept. */
static bool
traces(const struct intake *intake)
{
	return (intake->start.mode & INTAKE_TRACES) != 0;
}

/* People are known by something else than a number. */
static bool
joins(const struct intake *intake)
{
	return (intake->start.mode & INTAKE_JOINS) != 0;
}

static enum az_status
refuse(struct intake *intake, uint32_t row, enum refusal refusal, struct az_err *reterr)
{
	struct wire_writer writer = outgoing_writer(&intake->refused);

	wire_put_u32(&writer, row);
	wire_put_u8(&writer, (uint8_t)refusal);
	intake->refused.count++;
	intake->refused_count++;
	intake->refused_by[refusal]++;
	if (writer.status != AZ_OK)
		return az_fail(reterr, writer.status, "row %u: out of memory", row);
	return outgoing_send(intake, &intake->refused, INTAKE_REFUSED, false, reterr);
}

static enum az_status
send_row(struct intake *intake, uint32_t number, const struct match_key *keys, size_t count,
    bool bad_birth, struct az_err *reterr)
{
	AZ_UNCLEARED struct intake_row out;
	struct wire_writer writer = outgoing_writer(&intake->rows);

	out.row = number;
	out.flags = bad_birth ? INTAKE_FLAG_BIRTH : 0;
	out.encoded = buffer_peek(&intake->encoded);
	out.key_count = (uint8_t)count;
	for (size_t i = 0; i < count; i++) {
		out.keys[i].kind = keys[i].kind;
		out.keys[i].key = bytes_make(keys[i].key, keys[i].size);
	}
	intake_row_put(&writer, &out);
	intake->rows.count++;
	if (writer.status != AZ_OK)
		return az_fail(reterr, writer.status, "row %u: out of memory", number);
	return outgoing_send(intake, &intake->rows, INTAKE_ROWS, false, reterr);
}

static enum az_status
accept(struct intake *intake, uint32_t number, const struct list_record *record,
    const struct row *row, struct az_err *reterr)
{
	AZ_UNCLEARED struct match_key keys[MATCH_KEYS_MAX];
	bool bad_birth = false;
	/* The keeper makes those of a list that is traced itself. */
	size_t count = traces(intake) ? 0 : match_row(row, keys, &bad_birth);
	enum az_status status;

	/* A number of nothing but blanks of another script is none. */
	if (intake->has_number && (count == 0 || keys[0].kind != MATCH_NUMBER))
		return refuse(intake, number, REFUSAL_NO_NUMBER, reterr);
	if (joins(intake) && count == 0)
		return refuse(intake, number, REFUSAL_JOIN_MISSING, reterr);
	buffer_clear(&intake->encoded);
	status = row_encode(row, &intake->encoded);
	if (status == AZ_LIMIT)
		return refuse(intake, number, REFUSAL_TOO_LONG, reterr);
	if (status != AZ_OK)
		return az_fail(reterr, status, "row %u: out of memory", number);
	intake->accepted_count++;
	if (inspects(intake))
		status = inspect_row(intake, number, record, row, keys, count, reterr);
	else
		status = send_row(intake, number, keys, count, bad_birth, reterr);
	for (size_t i = 0; i < count; i++)
		az_wipe(keys[i].key, keys[i].size);
	return status;
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
	wire_put_u32(&writer, (uint32_t)intake->columns->count);
	for (size_t i = 0; i < intake->columns->count; i++) {
		wire_put_u8(&writer, intake->columns->fields[i].field);
		wire_put_text(&writer, intake->columns->fields[i].name);
	}
	wire_put_u32(&writer, (uint32_t)intake->columns->unused);
	status = writer.status;
	if (status == AZ_OK)
		status = out_send(intake, INTAKE_COLUMNS, &body, reterr);
	buffer_fini(&body);
	return status;
}

/* What a list must have to be entrusted. */
static enum az_status
check_columns(const struct intake *intake, struct az_err *reterr)
{
	if (intake->columns->count == 0)
		return az_fail(reterr, AZ_INVALID,
		    "no column of the list is known to be a field; use --columns");
	if (traces(intake))
		return AZ_OK;
	if (joins(intake) && intake->has_number)
		return az_fail(reterr, AZ_INVALID,
		    "a column is the number, by which people are known: --join is for lists "
		    "without");
	if (joins(intake))
		return finds_header(intake->columns, reterr);
	if (!intake->has_number)
		return az_fail(reterr, AZ_INVALID,
		    "no column is the number; --join says by what else people are known");
	if (intake->columns->count < 2 && !withdraws(intake))
		return az_fail(reterr, AZ_INVALID, "no column but the number is a field");
	return finds_header(intake->columns, reterr);
}

static enum az_status
open_list(struct intake *intake, struct az_err *reterr)
{
	struct list_options options = {
	    .spec = intake->start.columns, .password = bytes_of(intake->start.password)};
	enum az_status status = list_open(intake->list_fd, &options, &intake->list, reterr);

	az_wipe(intake->start.password, sizeof(intake->start.password));
	if (status == AZ_NOT_FOUND)
		return az_fail(reterr, AZ_INVALID, "the list is empty");
	if (status != AZ_OK)
		return status;
	intake->columns = list_columns_peek(intake->list);
	for (size_t i = 0; i < intake->columns->count; i++) {
		if (intake->columns->fields[i].field == FIELD_NUMBER && !traces(intake))
			intake->has_number = true;
	}
	status = check_columns(intake, inspects(intake) ? &intake->problem : reterr);
	/* Whoever inspects is told, and reads on. */
	if (status == AZ_OK || inspects(intake))
		status = send_columns(intake, reterr);
	return status == AZ_OK ? inspect_header(intake, reterr) : status;
}

/* A row came behind them: those that were held back are rows. */
static enum az_status
refuse_held(struct intake *intake, struct az_err *reterr)
{
	enum az_status status = AZ_OK;

	for (size_t i = 0; i < intake->held_count && status == AZ_OK; i++)
		status = refuse(intake, intake->held[i].row, intake->held[i].refusal, reterr);
	intake->held_count = 0;
	return status;
}

/* Nothing but totals came behind: they are no rows. */
static void
drop_held(struct intake *intake)
{
	intake->total_count = intake->held_count;
	intake->row_count -= intake->held_count;
	intake->held_count = 0;
}

static enum az_status
take_record(struct intake *intake, const struct list_record *record, struct az_err *reterr)
{
	AZ_UNCLEARED struct row row;
	enum refusal refusal = REFUSAL_NONE;
	enum az_status status;
	uint32_t number;

	if (intake->row_count == UINT32_MAX)
		return az_fail(reterr, AZ_LIMIT, "the list has more rows than can be numbered");
	number = (uint32_t)++intake->row_count;
	if (list_is_no_person(intake->list, record) && intake->held_count < HELD_MAX) {
		intake->held[intake->held_count++] =
		    (struct held){.row = number, .refusal = REFUSAL_NO_PERSON};
		return AZ_OK;
	}
	status = refuse_held(intake, reterr);
	if (status != AZ_OK)
		return status;
	status = columns_row(intake->columns, record, &intake->scratch, &row, &refusal);
	if (status != AZ_OK)
		return az_fail(reterr, status, "row %u: out of memory", number);
	if (refusal == REFUSAL_EMPTY && withdraws(intake))
		refusal = REFUSAL_NONE;
	if (refusal == REFUSAL_NONE && intake->has_number && row.values[FIELD_NUMBER].size == 0)
		refusal = REFUSAL_NO_NUMBER;
	if (refusal == REFUSAL_NONE && !traces(intake))
		refusal = finds_row(&intake->finds, intake->columns, &row);
	if (refusal != REFUSAL_NONE)
		return refuse(intake, number, refusal, reterr);
	return accept(intake, number, record, &row, reterr);
}

/* The last frames of everything. */
static enum az_status
send_rest(struct intake *intake, struct az_err *reterr)
{
	const struct {
		struct outgoing *outgoing;
		enum intake_message type;
	} all[] = {{&intake->rows, INTAKE_ROWS}, {&intake->values, INTAKE_VALUES},
	    {&intake->keys, INTAKE_KEYS}, {&intake->refused, INTAKE_REFUSED}};
	enum az_status status = AZ_OK;

	for (size_t i = 0; i < AZ_ARRAY_SIZE(all) && status == AZ_OK; i++)
		status = outgoing_send(intake, all[i].outgoing, all[i].type, true, reterr);
	return status;
}

static enum az_status
send_done(struct intake *intake, struct az_err *reterr)
{
	struct buffer body;
	struct wire_writer writer;
	enum az_status status = AZ_OK;

	drop_held(intake);
	if (!inspects(intake) && !traces(intake))
		status = finds_end(&intake->finds, intake->columns, reterr);
	else if (inspects(intake) && intake->problem.text[0] == '\0')
		az_ignore(finds_end(&intake->finds, intake->columns, &intake->problem));
	if (status == AZ_OK)
		status = send_rest(intake, reterr);
	if (status == AZ_OK && inspects(intake))
		status = inspect_facts(intake, reterr);
	if (status != AZ_OK)
		return status;
	buffer_init(&body, 64, false);
	wire_writer_init(&writer, &body);
	wire_put_u64(&writer, intake->row_count);
	wire_put_u64(&writer, intake->accepted_count);
	wire_put_u64(&writer, intake->refused_count);
	if (!traces(intake)) {
		wire_put_u32(&writer, (uint32_t)intake->total_count);
		wire_put_u32(&writer, (uint32_t)list_facts_peek(intake->list)->sheets);
	}
	status = writer.status;
	if (status == AZ_OK)
		status = out_send(intake, INTAKE_DONE, &body, reterr);
	buffer_fini(&body);
	return status;
}

static enum az_status
read_list(struct intake *intake, struct az_err *reterr)
{
	const struct list_record *record = NULL;
	enum az_status status = open_list(intake, reterr);

	while (status == AZ_OK) {
		status = list_next(intake->list, &record, reterr);
		if (status == AZ_OK)
			status = take_record(intake, record, reterr);
		if (status == AZ_OK && inspects(intake))
			status = inspect_progress(intake, reterr);
	}
	return status == AZ_NOT_FOUND ? send_done(intake, reterr) : status;
}

/* --- life ------------------------------------------------------------------------------------- */

static enum az_status
receive_start(struct intake *intake, struct az_err *reterr)
{
	struct wire_reader reader;
	struct frame frame;
	enum az_status status = link_receive(&intake->link, &frame, reterr);

	if (status != AZ_OK)
		return status;
	wire_reader_init(&reader, frame.body);
	intake_start_get(&reader, &intake->start);
	intake->finds.allows = intake->start.allows;
	if (frame.type != INTAKE_START || !wire_end(&reader))
		return az_fail(reterr, AZ_INVALID, "the keeper sent a malformed message");
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
		az_ignore(out_send(intake, INTAKE_ERROR, &body, NULL));
	buffer_fini(&body);
}

static void
intake_init(struct intake *intake, int fd)
{
	link_init(&intake->link, fd, LINK_BLOCKING, INTAKE_START_MAX, OUT_MAX, true);
	outgoing_init(&intake->rows, true);
	outgoing_init(&intake->values, true);
	outgoing_init(&intake->keys, true);
	outgoing_init(&intake->refused, false);
	buffer_init(&intake->scratch, (size_t)FIELD_COUNT * (FIELD_VALUE_MAX * 2), true);
	buffer_init(&intake->encoded, (size_t)FIELD_COUNT * (FIELD_VALUE_MAX + 8), true);
}

static void
intake_fini(struct intake *intake)
{
	list_close(&intake->list);
	outgoing_fini(&intake->rows);
	outgoing_fini(&intake->values);
	outgoing_fini(&intake->keys);
	outgoing_fini(&intake->refused);
	buffer_fini(&intake->scratch);
	buffer_fini(&intake->encoded);
	link_fini(&intake->link);
	az_wipe(&intake->start, sizeof(intake->start));
}

int
intake_run(int fd, int list_fd)
{
	struct intake intake = {.list_fd = list_fd};
	struct az_err err = {0};
	enum az_status status;

	intake_init(&intake, fd);
	status = receive_start(&intake, &err);
	if (status != AZ_OK) {
		(void)fprintf(stderr, "azukari-intake: %s\n", err.text);
	} else {
		status = intake.start.mode == INTAKE_HISTORY ? history_read(&intake, &err)
							     : read_list(&intake, &err);
		err.status = status;
		if (status != AZ_OK && status != AZ_GONE)
			send_error(&intake, &err);
	}
	intake_fini(&intake);
	return status == AZ_OK || status == AZ_INVALID ? 0 : az_exit_code(status);
}
