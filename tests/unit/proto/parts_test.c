/* Files through a pipe come back as they were, and a stream that was cut short is never whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "proto/parts.h"

/* A pipe that holds data, its writing end closed. */
static int
pipe_of(const void *data, size_t size)
{
	int fds[2];

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	assert_int_equal(write(fds[1], data, size), (ssize_t)size);
	assert_int_equal(close(fds[1]), 0);
	return fds[0];
}

/* Reads a stream to its end, or to the first failure. */
static enum az_status
read_all(const void *data, size_t size)
{
	struct parts_reader reader;
	char name[PARTS_NAME_MAX + 1];
	struct bytes bytes;
	int fd = pipe_of(data, size);
	enum az_status status;

	parts_reader_init(&reader, fd);
	while ((status = parts_next(&reader, name, NULL)) == AZ_OK) {
		while ((status = parts_read(&reader, &bytes, NULL)) == AZ_OK)
			assert_true(bytes.size > 0);
		if (status != AZ_NOT_FOUND)
			break;
	}
	parts_reader_fini(&reader);
	(void)close(fd);
	return status;
}

static size_t
write_sample(uint8_t *data, size_t room)
{
	struct parts_writer writer;
	ssize_t size;
	int fds[2];

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	parts_writer_init(&writer, fds[1], -1);
	parts_file(&writer, "a/b", bytes_of("first"));
	parts_begin(&writer, "empty");
	parts_end(&writer);
	parts_begin(&writer, "c");
	parts_put(&writer, bytes_of("sec"));
	parts_put(&writer, bytes_of("ond"));
	parts_end(&writer);
	assert_int_equal(parts_finish(&writer, NULL), AZ_OK);
	parts_writer_fini(&writer);
	(void)close(fds[1]);
	size = read(fds[0], data, room);
	(void)close(fds[0]);
	assert_true(size > 0);
	return (size_t)size;
}

static void
a_stream_is_whole_only_to_its_last_byte(void **state)
{
	uint8_t data[4096];
	size_t size = write_sample(data, sizeof(data));

	(void)state;
	assert_int_equal(read_all(data, size), AZ_NOT_FOUND);
	for (size_t cut = 0; cut < size; cut++)
		assert_int_equal(read_all(data, cut), AZ_GONE);
}

static void
names_that_lead_elsewhere_are_refused(void **state)
{
	static const char *const bad[] = {
	    "/a", "a/", "a//b", ".", "..", "../a", "a/../b", "a/./b", "a b", "a\tb", "caf\xc3\xa9"};

	(void)state;
	for (size_t i = 0; i < AZ_ARRAY_SIZE(bad); i++) {
		uint8_t data[64] = {(uint8_t)strlen(bad[i]), 0};

		memcpy(data + 2, bad[i], strlen(bad[i]));
		if (read_all(data, 2 + strlen(bad[i]) + 6) != AZ_INVALID)
			fail_msg("%s", bad[i]);
	}
}

static void
a_chunk_of_more_than_the_limit_is_refused(void **state)
{
	static const uint8_t data[] = {1, 0, 'a', 1, 0, 16, 0, 'x'};

	(void)state;
	assert_int_equal(read_all(data, sizeof(data)), AZ_INVALID);
}

static void
who_writes_ends_when_nobody_reads_or_waits(void **state)
{
	static uint8_t much[1024 * 1024];
	struct parts_writer writer;
	int fds[2], gone[2];

	(void)state;
	(void)signal(SIGPIPE, SIG_IGN);
	assert_int_equal(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
	assert_int_equal(pipe2(gone, O_CLOEXEC), 0);
	/* The reader is there and does not read; who asked has gone. */
	(void)close(gone[1]);
	parts_writer_init(&writer, fds[1], gone[0]);
	parts_file(&writer, "a", bytes_make(much, sizeof(much)));
	assert_int_equal(parts_finish(&writer, NULL), AZ_GONE);
	parts_writer_fini(&writer);
	(void)close(fds[0]);
	parts_writer_init(&writer, fds[1], -1);
	parts_file(&writer, "a", bytes_make(much, sizeof(much)));
	assert_int_equal(parts_finish(&writer, NULL), AZ_GONE);
	parts_writer_fini(&writer);
	(void)close(fds[1]);
	(void)close(gone[0]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_stream_is_whole_only_to_its_last_byte),
	    cmocka_unit_test(names_that_lead_elsewhere_are_refused),
	    cmocka_unit_test(a_chunk_of_more_than_the_limit_is_refused),
	    cmocka_unit_test(who_writes_ends_when_nobody_reads_or_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
