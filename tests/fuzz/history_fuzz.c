/*
 * The file of an imported history, as intake reads it: whatever it holds, what comes out is lines that the keeper takes,
 * numbered one after the other and as many as DONE says, or an error; and nothing of the file stands in the error but
 * numbers and the names of columns.
 */
#include <assert.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/file.h"
#include "intake/intake_internal.h"
#include "proto/history.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define INPUT_MAX 20000u /* what comes out of it fits into the buffers of a socket */

static uint64_t
take_lines(struct bytes body, uint64_t before)
{
	static struct history_line line;
	struct wire_reader reader;
	uint32_t count;

	wire_reader_init(&reader, body);
	count = wire_get_count(&reader, INTAKE_ROWS_MAX, 40);
	assert(!reader.failed && count > 0);
	for (uint32_t i = 0; i < count; i++) {
		history_line_get(&reader, &line);
		assert(!reader.failed && line.row == ++before);
	}
	assert(wire_end(&reader));
	return before;
}

/* Everything that was said; whether DONE was among it. */
static bool
read_all(int fd)
{
	struct link link;
	struct frame frame;
	uint64_t rows = 0;
	bool done = false;

	link_init(&link, fd, LINK_BLOCKING, INTAKE_BODY_MAX, 64, false);
	while (link_receive(&link, &frame, NULL) == AZ_OK) {
		assert(!done);
		if (frame.type == INTAKE_HISTORY_LINES) {
			rows = take_lines(frame.body, rows);
		} else {
			assert(frame.type == INTAKE_DONE && frame.body.size == 24);
			assert(wire_load_u64(frame.body.data) == rows);
			done = true;
		}
	}
	link_fini(&link);
	return done;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool is_prepared;
	struct intake intake = {.list_fd = memfd_create("history", MFD_CLOEXEC)};
	struct az_err err = {0};
	enum az_status status;
	int fds[2];

	if (!is_prepared && text_prepare(NULL) != AZ_OK)
		abort();
	is_prepared = true;
	if (size > INPUT_MAX || intake.list_fd < 0 ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0) {
		fd_close(&intake.list_fd);
		return 0;
	}
	if (size > 0 && write(intake.list_fd, data, size) != (ssize_t)size)
		abort();
	if (lseek(intake.list_fd, 0, SEEK_SET) != 0)
		abort();
	link_init(&intake.link, fds[0], LINK_BLOCKING, INTAKE_START_MAX, 1u << 20, false);
	status = history_read(&intake, &err);
	list_close(&intake.list);
	link_fini(&intake.link);
	assert(read_all(fds[1]) == (status == AZ_OK));
	fd_close(&intake.list_fd);
	return 0;
}
