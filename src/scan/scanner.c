/*
 * One file after the other: what is found is counted by member, and told when the member changes.
 */
#include "scan/scanner.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/frame.h"
#include "base/wire.h"
#include "proto/scan.h"
#include "scan/unpack.h"

#define OUT_MAX     (1024u * 1024u)
#define HITS_MAX    1024u         /* waiting to be told */
#define TOKENS_MAX  (48u * 1024u) /* bytes of them */
#define PHONE_LEAST 10u           /* digits of a telephone at home */
#define PHONE_MOST  11u

struct scanner {
	struct link link;
	uint32_t id;
	bool tells_hits, tells_tokens;
	enum az_status status; /* of the link: nobody listens any more */
	uint64_t read;
	char member[SCAN_MEMBER_MAX];
	uint64_t counts[SCAN_KINDS];
	struct scan_hit hits[HITS_MAX];
	uint32_t hit_count;
	uint8_t tokens[TOKENS_MAX];
	size_t token_size;
	struct buffer body;
};

static void
send_body(struct scanner *scanner, enum scan_message type)
{
	if (scanner->status == AZ_OK)
		scanner->status = link_queue(
		    &scanner->link, (uint16_t)type, scanner->id, buffer_peek(&scanner->body));
	if (scanner->status == AZ_OK)
		scanner->status = link_flush(&scanner->link, NULL);
	buffer_clear(&scanner->body);
}

static void
send_hits(struct scanner *scanner)
{
	struct wire_writer writer;

	if (scanner->hit_count == 0)
		return;
	wire_writer_init(&writer, &scanner->body);
	wire_put_text(&writer, scanner->member);
	wire_put_u32(&writer, scanner->hit_count);
	for (uint32_t i = 0; i < scanner->hit_count; i++) {
		wire_put_u8(&writer, (uint8_t)scanner->hits[i].kind);
		wire_put_u64(&writer, scanner->hits[i].at);
		wire_put_u32(&writer, scanner->hits[i].size);
	}
	scanner->hit_count = 0;
	if (writer.status != AZ_OK)
		scanner->status = writer.status;
	send_body(scanner, SCAN_HITS);
}

static void
send_tokens(struct scanner *scanner)
{
	struct wire_writer writer;

	if (scanner->token_size == 0)
		return;
	wire_writer_init(&writer, &scanner->body);
	wire_put_text(&writer, scanner->member);
	wire_put_bytes(&writer, bytes_make(scanner->tokens, scanner->token_size));
	scanner->token_size = 0;
	if (writer.status != AZ_OK)
		scanner->status = writer.status;
	send_body(scanner, SCAN_TOKENS);
}

/* Tells what was counted for the member at work. */
static void
send_found(struct scanner *scanner)
{
	struct wire_writer writer;
	bool any = false;

	send_hits(scanner);
	send_tokens(scanner);
	for (size_t i = 0; i < SCAN_KINDS; i++)
		any |= scanner->counts[i] != 0;
	if (!any)
		return;
	wire_writer_init(&writer, &scanner->body);
	wire_put_text(&writer, scanner->member);
	wire_put_u8(&writer, SCAN_KINDS);
	for (size_t i = 0; i < SCAN_KINDS; i++)
		wire_put_u64(&writer, scanner->counts[i]);
	memset(scanner->counts, 0, sizeof(scanner->counts));
	if (writer.status != AZ_OK)
		scanner->status = writer.status;
	send_body(scanner, SCAN_FOUND);
}

/* --- what the unpacker tells ------------------------------------------------------------------ */

static void
put_token(struct scanner *scanner, enum sift_kind kind, struct bytes text)
{
	uint8_t *at;

	if (text.size > SIFT_VALUE_MAX)
		return;
	if (scanner->token_size + 3 + text.size > TOKENS_MAX)
		send_tokens(scanner);
	at = scanner->tokens + scanner->token_size;
	at[0] = (uint8_t)kind;
	wire_store_u16(at + 1, (uint16_t)text.size);
	memcpy(at + 3, text.data, text.size);
	scanner->token_size += 3 + text.size;
}

/*
 * Databases lay the columns of a row end to end, so that on a raw disk a mailbox may begin with the telephone before it:
 * "03-1234-5678ann@example.jp". Whose it is, if anybody's, is not told by its form, so both readings are given.
 */
static void
put_parts(struct scanner *scanner, struct bytes text)
{
	size_t digits = 0;
	size_t size = 0;

	while (size < text.size &&
	    ((text.data[size] >= '0' && text.data[size] <= '9') || text.data[size] == '-')) {
		digits += text.data[size] == '-' ? 0 : 1;
		size++;
	}
	if (digits < PHONE_LEAST || digits > PHONE_MOST || text.data[size] == '@')
		return;
	put_token(scanner, SIFT_PHONE, bytes_make(text.data, size));
	put_token(scanner, SIFT_EMAIL, bytes_make(text.data + size, text.size - size));
}

/* What it says, for who can tell whose it is. */
static void
add_token(struct scanner *scanner, const struct scan_hit *hit)
{
	if (hit->kind == SCAN_PHONE) {
		put_token(scanner, SIFT_PHONE, hit->text);
	} else if (hit->kind == SCAN_EMAIL) {
		put_token(scanner, SIFT_EMAIL, hit->text);
		if (hit->text.data[0] == '0')
			put_parts(scanner, hit->text);
	}
}

static void
on_found(void *arg, const char *member, const struct scan_hit *hit)
{
	struct scanner *scanner = arg;

	/* Most hits are in the file itself. */
	if ((member[0] | scanner->member[0]) != 0 && strcmp(member, scanner->member) != 0) {
		send_found(scanner);
		(void)snprintf(scanner->member, sizeof(scanner->member), "%s", member);
	}
	scanner->counts[hit->kind]++;
	if (scanner->tells_tokens)
		add_token(scanner, hit);
	if (!scanner->tells_hits)
		return;
	scanner->hits[scanner->hit_count++] = *hit;
	if (scanner->hit_count == HITS_MAX)
		send_hits(scanner);
}

static void
on_unread(void *arg, const char *member, enum scan_unread reason)
{
	struct scanner *scanner = arg;
	struct wire_writer writer;

	wire_writer_init(&writer, &scanner->body);
	wire_put_text(&writer, member);
	wire_put_u8(&writer, (uint8_t)reason);
	if (writer.status != AZ_OK)
		scanner->status = writer.status;
	send_body(scanner, SCAN_UNREAD);
}

static void
send_bytes(struct scanner *scanner, enum scan_message type)
{
	struct wire_writer writer;

	wire_writer_init(&writer, &scanner->body);
	wire_put_u64(&writer, scanner->read);
	if (writer.status != AZ_OK)
		scanner->status = writer.status;
	send_body(scanner, type);
}

static void
on_progress(void *arg, uint64_t bytes)
{
	struct scanner *scanner = arg;

	scanner->read = bytes;
	send_bytes(scanner, SCAN_PROGRESS);
}

/* --- life ------------------------------------------------------------------------------------- */

static enum az_status
read_one(struct scanner *scanner, const struct frame *frame, struct az_err *reterr)
{
	struct scan_report report = {
	    .arg = scanner, .found = on_found, .unread = on_unread, .progress = on_progress};
	struct wire_reader reader;
	struct scan_read read;
	struct scan_limits limits;
	enum az_status status;

	wire_reader_init(&reader, frame->body);
	scan_read_get(&reader, &read);
	if (frame->type != SCAN_READ || !wire_end(&reader) || frame->fd < 0)
		return az_fail(reterr, AZ_INVALID, "a malformed message");
	limits = (struct scan_limits){.bytes_max = read.bytes_max,
	    .time_max_us = (int64_t)read.time_max_us,
	    .is_image = (read.flags & SCAN_FLAG_IMAGE) != 0,
	    .is_strict = (read.flags & SCAN_FLAG_STRICT) != 0};
	scanner->id = frame->id;
	scanner->tells_hits = (read.flags & SCAN_FLAG_HITS) != 0;
	scanner->tells_tokens = (read.flags & SCAN_FLAG_TOKENS) != 0;
	scanner->read = 0;
	scanner->member[0] = '\0';
	status = scan_file(frame->fd, &limits, &report, reterr);
	if (status != AZ_OK)
		return status;
	send_found(scanner);
	send_bytes(scanner, SCAN_DONE);
	return scanner->status;
}

int
scanner_run(int fd)
{
	static struct scanner scanner;
	struct az_err err = {0};
	enum az_status status = AZ_OK;

	link_init(&scanner.link, fd, LINK_BLOCKING, SCAN_BODY_MAX, OUT_MAX, false);
	scanner.link.accepts_fds = true;
	scanner.status = AZ_OK;
	buffer_init(&scanner.body, SCAN_BODY_MAX, false);
	while (status == AZ_OK) {
		struct frame frame = {.fd = -1};

		status = link_receive(&scanner.link, &frame, &err);
		if (status == AZ_OK)
			status = read_one(&scanner, &frame, &err);
		fd_close(&frame.fd);
	}
	buffer_fini(&scanner.body);
	link_fini(&scanner.link);
	return status == AZ_GONE ? 0 : az_exit_code(status);
}
