/*
 * A line may be longer than it may: then it is passed over up to its end, and takes no memory. The last one needs no end.
 */
#include "guard/lines.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/frame.h"
#include "base/proc.h"
#include "base/wire.h"
#include "guard/forwarded.h"

#define OUT_MAX (256u * 1024u)

struct lines {
	struct link link;
	enum az_status status; /* of the link: nobody listens any more */
	uint64_t number;       /* of the line at work, from 1 */
	uint64_t others;
	bool told; /* the line at work was of a device */
	bool too_long;
	struct buffer line;
	struct forwarded_desks desks;
};

static void
queue_body(struct lines *lines, enum lines_message type, const struct buffer *body)
{
	if (lines->status == AZ_OK)
		lines->status = link_queue(&lines->link, (uint16_t)type, 0, buffer_peek(body));
	if (lines->status == AZ_OK)
		lines->status = link_flush(&lines->link, NULL);
}

static void
take_event(void *arg, const struct endpoint_event *event)
{
	struct lines *lines = arg;
	struct wire_writer writer;
	struct buffer body;

	lines->told = true;
	buffer_init(&body, ENDPOINT_EVENT_MAX, false);
	wire_writer_init(&writer, &body);
	endpoint_put(&writer, event);
	if (writer.status != AZ_OK)
		lines->status = writer.status;
	queue_body(lines, LINES_EVENT, &body);
	buffer_fini(&body);
}

static void
tell(struct lines *lines, enum lines_message type, uint64_t number, const uint64_t *second,
    const uint8_t *code)
{
	struct wire_writer writer;
	struct buffer body;

	buffer_init(&body, 32, false);
	wire_writer_init(&writer, &body);
	wire_put_u64(&writer, number);
	if (second != NULL)
		wire_put_u64(&writer, *second);
	if (code != NULL)
		wire_put_u8(&writer, *code);
	if (writer.status != AZ_OK)
		lines->status = writer.status;
	queue_body(lines, type, &body);
	buffer_fini(&body);
}

static void
end_line(struct lines *lines)
{
	struct forwarded_sink sink = {.take = take_event, .arg = lines};
	struct bytes line = buffer_peek(&lines->line);
	uint8_t fault = FORWARDED_TOO_LONG;

	lines->number++;
	lines->told = false;
	if (line.size > 0 && line.data[line.size - 1] == '\r')
		line.size--;
	/* An empty line is none, but counts. */
	if (!lines->too_long && line.size == 0)
		fault = FORWARDED_GOOD;
	else if (!lines->too_long)
		fault = (uint8_t)forwarded_read(line, &lines->desks, &sink);
	if (fault != FORWARDED_GOOD)
		tell(lines, LINES_REFUSED, lines->number, NULL, &fault);
	else if (!lines->told && line.size > 0)
		lines->others++;
	lines->too_long = false;
	buffer_clear(&lines->line);
}

static void
take_bytes(struct lines *lines, struct bytes bytes)
{
	while (bytes.size > 0 && lines->status == AZ_OK) {
		const uint8_t *end = memchr(bytes.data, '\n', bytes.size);
		size_t size = end != NULL ? (size_t)(end - bytes.data) : bytes.size;

		if (!lines->too_long &&
		    buffer_append(&lines->line, bytes_make(bytes.data, size)) != AZ_OK) {
			lines->too_long = true;
			buffer_clear(&lines->line);
		}
		if (end == NULL)
			return;
		end_line(lines);
		bytes = bytes_make(end + 1, bytes.size - size - 1);
	}
}

int
lines_run(int fd, int input_fd)
{
	static struct lines lines;
	static uint8_t bytes[64u * 1024u];
	struct sandbox sandbox = {.profile = SANDBOX_INTAKE};
	struct az_err err = {0};
	ssize_t size = 0;

	forwarded_prepare();
	lines.status = sandbox_enter(&sandbox, &err);
	if (lines.status != AZ_OK) {
		(void)fprintf(stderr, "azukari-guard: %s\n", err.text);
		return az_exit_code(lines.status);
	}
	link_init(&lines.link, fd, LINK_BLOCKING, LINES_BODY_MAX, OUT_MAX, false);
	buffer_init(&lines.line, FORWARDED_LINE_MAX + 1, false);
	while (lines.status == AZ_OK && (size = read(input_fd, bytes, sizeof(bytes))) != 0) {
		if (size > 0)
			take_bytes(&lines, bytes_make(bytes, (size_t)size));
		else if (errno != EINTR)
			lines.status = AZ_IO;
	}
	if (lines.status == AZ_OK && (lines.line.size > 0 || lines.too_long))
		end_line(&lines);
	if (lines.status == AZ_OK)
		tell(&lines, LINES_END, lines.number, &lines.others, NULL);
	buffer_fini(&lines.line);
	link_fini(&lines.link);
	return lines.status == AZ_OK ? 0 : az_exit_code(lines.status);
}
