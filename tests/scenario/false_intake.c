/*
 * An intake that lies, in the place of azukari-intake: what a captured one could send. For the scenarios.
 *
 * The first word of the list says how, before the header "number,name,phone" and rows of three values. So one
 * program lies in every way, and with "honest" it shows that the lie alone is what the keeper refuses.
 */
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/frame.h"
#include "base/wire.h"
#include "match/match.h"
#include "proto/history.h"
#include "proto/intake.h"

#define FD_KEEPER 3
#define FD_LIST   4
#define ROWS_MAX  512u

static char list[1u << 20];
static const char *lie = "";
static struct link keeper;
static struct buffer rows;
static uint32_t row_count;

static bool
lies(const char *how)
{
	return strcmp(lie, how) == 0;
}

static void
must(enum az_status status)
{
	if (status != AZ_OK)
		_exit(1);
}

static void
send_frame(uint16_t type, struct bytes body)
{
	must(link_queue(&keeper, type, 0, body));
	/* The keeper may have had enough. */
	if (link_flush(&keeper, NULL) != AZ_OK)
		_exit(0);
}

/* A frame as it is not made by anybody honest: header and body are given apart. */
static void
send_raw(uint32_t size, uint16_t type, uint16_t version, size_t sent)
{
	static uint8_t bytes[2u << 20];
	size_t done = 0;

	wire_store_u32(bytes, size);
	wire_store_u16(bytes + 4, type);
	wire_store_u16(bytes + 6, version);
	while (done < 12 + sent) {
		ssize_t part = write(FD_KEEPER, bytes + done, 12 + sent - done);

		if (part <= 0)
			_exit(0);
		done += (size_t)part;
	}
}

static void
send_columns(void)
{
	static const struct {
		uint8_t field;
		const char *name;
	} columns[] = {{FIELD_NUMBER, "number"}, {FIELD_NAME, "name"}, {FIELD_PHONE, "phone"}};
	struct buffer body;
	struct wire_writer writer;

	buffer_init(&body, INTAKE_BODY_MAX, false);
	wire_writer_init(&writer, &body);
	wire_put_u32(&writer, lies("columns-count") ? 70 : lies("no-number") ? 2 : 3);
	for (size_t i = lies("no-number") ? 1 : 0; i < 3; i++) {
		wire_put_u8(&writer, lies("columns-field") ? FIELD_EMAIL : columns[i].field);
		wire_put_text(&writer, lies("columns-x") ? "x:../.." : columns[i].name);
	}
	wire_put_u32(&writer, 0);
	if (lies("columns-more"))
		wire_put_u8(&writer, 1);
	must(writer.status);
	send_frame(INTAKE_COLUMNS, buffer_peek(&body));
	buffer_fini(&body);
}

/* One row as an honest intake makes it, and then what is false about it. */
static void
add_row(char *line)
{
	struct row row = {0};
	struct row false_row;
	struct match_key keys[MATCH_KEYS_MAX];
	struct intake_row out = {.row = ++row_count};
	struct buffer encoded;
	struct wire_writer writer;
	bool bad_birth = false;
	size_t count;

	row.values[FIELD_NUMBER] = bytes_of(strsep(&line, ","));
	row.values[FIELD_NAME] = bytes_of(line != NULL ? strsep(&line, ",") : "");
	row.values[FIELD_PHONE] = bytes_of(line != NULL ? line : "");
	false_row = row;
	if (lies("number-key"))
		false_row.values[FIELD_NUMBER] = bytes_of("1");
	if (lies("phone-key"))
		false_row.values[FIELD_PHONE] = bytes_of("03-9999-9999");
	count = match_row(
	    lies("number-key") || lies("phone-key") ? &false_row : &row, keys, &bad_birth);
	if (lies("keys-less"))
		count = 1;
	if (lies("field"))
		row.values[FIELD_EMAIL] = bytes_of("a@example.jp");
	buffer_init(&encoded, ROW_SIZE_MAX + 64, false);
	must(row_encode(&row, &encoded));
	if (lies("row-malformed"))
		encoded.data[0] = 9;
	if (lies("row-long"))
		must(buffer_append(&encoded, bytes_of("and more")));
	out.encoded = buffer_peek(&encoded);
	out.flags = lies("flags") ? 0x80 : 0;
	out.key_count = (uint8_t)count;
	for (size_t i = 0; i < count; i++) {
		out.keys[i].kind = keys[i].kind;
		out.keys[i].key = bytes_make(keys[i].key, keys[i].size);
	}
	if (lies("no-keys"))
		out.key_count = 0;
	if (lies("key-kind"))
		out.keys[1].kind = MATCH_KINDS;
	if (lies("two-numbers"))
		out.keys[1].kind = MATCH_NUMBER;
	if (lies("row-zero"))
		out.row = 0;
	if (lies("row-order"))
		out.row = 1000 - row_count;
	if (lies("row-twice"))
		out.row = 1;
	if (lies("row-beyond"))
		out.row = 1000 + row_count;
	wire_writer_init(&writer, &rows);
	intake_row_put(&writer, &out);
	must(writer.status);
	buffer_fini(&encoded);
}

static void
send_rows(char *text)
{
	struct wire_writer writer;

	buffer_init(&rows, INTAKE_BODY_MAX, false);
	wire_writer_init(&writer, &rows);
	wire_put_u32(&writer, 0);
	must(writer.status);
	for (char *line = strsep(&text, "\n"); line != NULL && row_count < ROWS_MAX;
	     line = strsep(&text, "\n")) {
		if (line[0] != '\0')
			add_row(line);
	}
	wire_store_u32(rows.data, lies("frame-count") ? row_count + 1 : row_count);
	if (lies("frame-tail"))
		must(buffer_append(&rows, bytes_of("x")));
	if (lies("frame-many"))
		wire_store_u32(rows.data, UINT32_MAX);
	send_frame(INTAKE_ROWS, buffer_peek(&rows));
}

static void
send_refusal(uint32_t row, uint8_t reason)
{
	uint8_t body[9];

	wire_store_u32(body, 1);
	wire_store_u32(body + 4, row);
	body[8] = reason;
	send_frame(INTAKE_REFUSED, bytes_make(body, sizeof(body)));
}

static void
send_done(uint64_t all, uint64_t accepted, uint64_t refused)
{
	uint8_t body[32] = {0};

	wire_store_u64(body, all);
	wire_store_u64(body + 8, accepted);
	wire_store_u64(body + 16, refused);
	send_frame(INTAKE_DONE, bytes_make(body, lies("done-short") ? 28 : sizeof(body)));
}

/* Rows of a history, without an end. */
static _Noreturn void
send_history(void)
{
	struct buffer body;
	struct wire_writer writer;
	struct history_line line = {.time_us = 1000000,
	    .kind = HISTORY_VIEW,
	    .fields = FIELD_BIT(FIELD_NAME),
	    .number = bytes_of("1")};

	(void)snprintf(line.staff, sizeof(line.staff), "ito");
	(void)snprintf(line.device, sizeof(line.device), "pc");
	(void)snprintf(line.client, sizeof(line.client), "c01");
	(void)snprintf(line.carrier, sizeof(line.carrier), "s");
	buffer_init(&body, INTAKE_BODY_MAX, false);
	for (;;) {
		line.row = ++row_count;
		buffer_clear(&body);
		wire_writer_init(&writer, &body);
		wire_put_u32(&writer, 1);
		history_line_put(&writer, &line);
		must(writer.status);
		send_frame(INTAKE_HISTORY_LINES, buffer_peek(&body));
	}
}

static void
send_error(uint8_t status, const char *text)
{
	struct buffer body;
	struct wire_writer writer;

	buffer_init(&body, 4096, false);
	wire_writer_init(&writer, &body);
	wire_put_u8(&writer, status);
	wire_put_text(&writer, text);
	must(writer.status);
	send_frame(INTAKE_ERROR, buffer_peek(&body));
}

/* Those that take a page of the list, and no more of it. */
static void
lie_deaf(void)
{
	if (strncmp(list, "deaf-type", 9) == 0)
		send_frame(99, bytes_of("?"));
	if (strncmp(list, "deaf", 4) == 0)
		(void)pause();
}

static char *
read_list(void)
{
	size_t size = 0;
	ssize_t part;
	char *text = list;

	part = read(FD_LIST, list, 4096);
	size += part > 0 ? (size_t)part : 0;
	lie_deaf();

	while (size < sizeof(list) - 1 &&
	    (part = read(FD_LIST, list + size, sizeof(list) - 1 - size)) > 0)
		size += (size_t)part;
	lie = strsep(&text, ",\n");
	if (text != NULL)
		(void)strsep(&text, "\n");
	return text != NULL ? text : list + size;
}

/* Those that end the list, or the process, right away. */
static void
lie_early(void)
{
	if (lies("die"))
		_exit(0);
	if (lies("mute"))
		(void)pause();
	if (lies("rows-first"))
		send_refusal(1, REFUSAL_CARD);
	if (lies("done-first"))
		send_done(0, 0, 0);
	if (lies("error-zero"))
		send_error(0, "all is well");
	if (lies("error-unknown"))
		send_error(77, "what");
	if (lies("error-bytes"))
		send_error(AZ_INVALID, "\xff\xfe");
	if (lies("type"))
		send_frame(99, bytes_of("?"));
	if (lies("inspecting"))
		send_frame(INTAKE_FACTS, bytes_of("?"));
	if (lies("version"))
		send_raw(4, INTAKE_COLUMNS, 7, 4);
	if (lies("oversized"))
		send_raw(INTAKE_BODY_MAX + 1, INTAKE_ROWS, FRAME_VERSION, INTAKE_BODY_MAX + 1);
	if (lies("huge"))
		send_raw(UINT32_MAX, INTAKE_ROWS, FRAME_VERSION, 4);
}

int
main(void)
{
	struct frame frame;
	char *text;

	(void)signal(SIGPIPE, SIG_IGN);
	link_init(&keeper, FD_KEEPER, LINK_BLOCKING, INTAKE_START_MAX, 4u << 20, false);
	must(link_receive(&keeper, &frame, NULL));
	if (frame.type != INTAKE_START)
		return 1;
	text = read_list();
	lie_early();
	if (lies("endless"))
		send_history();
	send_columns();
	if (lies("columns-twice"))
		send_columns();
	if (lies("half"))
		send_raw(100, INTAKE_ROWS, FRAME_VERSION, 50);
	send_rows(text);
	if (lies("half"))
		_exit(0);
	if (lies("killed"))
		(void)raise(SIGKILL);
	if (lies("hang"))
		(void)pause();
	if (lies("reason"))
		send_refusal(++row_count, 200);
	if (lies("no-reason"))
		send_refusal(++row_count, 0);
	if (lies("more"))
		send_done(row_count + 1, row_count + 1, 0);
	else if (lies("fewer"))
		send_done(row_count - 1, row_count - 1, 0);
	else if (lies("refused"))
		send_done(row_count, row_count, 1);
	else if (lies("wrapped"))
		send_done(row_count, UINT64_MAX, row_count + UINT64_C(1));
	else if (lies("error-late"))
		send_error(AZ_INVALID, "the list is not what it was");
	else
		send_done(row_count, row_count, 0);
	return 0;
}
