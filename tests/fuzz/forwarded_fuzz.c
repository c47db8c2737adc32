/*
 * A line of another machine's log: whatever it is, the events that it gives can be sent and read again, name a desk and are
 * printable; and a line that is refused gives none.
 */
#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include "guard/forwarded.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct taken {
	size_t count;
};

static void
take(void *arg, const struct endpoint_event *event)
{
	struct taken *taken = arg;
	struct endpoint_event again;
	struct wire_writer writer;
	struct wire_reader reader;
	struct buffer buffer;
	bool good;

	taken->count++;
	assert(endpoint_is_forwarded((enum endpoint_kind)event->kind));
	assert(event->kind != ENDPOINT_DESK_UNREAD);
	buffer_init(&buffer, ENDPOINT_EVENT_MAX, false);
	wire_writer_init(&writer, &buffer);
	endpoint_put(&writer, event);
	assert(writer.status == AZ_OK);
	wire_reader_init(&reader, buffer_peek(&buffer));
	good = endpoint_get(&reader, &again);
	assert(good && wire_end(&reader));
	assert(strcmp(event->desk, again.desk) == 0 && strcmp(event->serial, again.serial) == 0);
	buffer_fini(&buffer);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct taken taken = {0};
	struct forwarded_sink sink = {.take = take, .arg = &taken};
	static struct forwarded_desks desks;
	enum forwarded_fault fault;

	/* Lines, since what one says of who is signed in is told with the next. */
	while (true) {
		const uint8_t *end = size == 0 ? NULL : memchr(data, '\n', size);
		size_t line = end != NULL ? (size_t)(end - data) : size;
		size_t before = taken.count;

		fault = forwarded_read(bytes_make(data, line), &desks, &sink);
		assert(fault != FORWARDED_NONE && fault < FORWARDED_FAULTS);
		assert(fault == FORWARDED_GOOD || taken.count == before);
		if (end == NULL)
			break;
		size -= line + 1;
		data = end + 1;
	}
	assert(forwarded_fault_text(fault)[0] != '\0');
	return 0;
}
