#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/frame.h"
#include "base/wire.h"

/* Two links, or a link and a raw socket, over one pair. */
struct pair {
	struct link a;
	struct link b;
};

static void
raw_pair(int type, int fds[2])
{
	assert_int_equal(socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, fds), 0);
}

static void
pair_open(struct pair *pair, enum link_mode mode)
{
	int fds[2];

	raw_pair(SOCK_STREAM, fds);
	link_init(&pair->a, fds[0], mode, FRAME_BODY_MAX, 4u << 20, true);
	link_init(&pair->b, fds[1], mode, FRAME_BODY_MAX, 4u << 20, true);
}

static void
pair_close(struct pair *pair)
{
	link_fini(&pair->a);
	link_fini(&pair->b);
}

static size_t
count_open_fds(void)
{
	size_t count = 0;
	DIR *dir = opendir("/proc/self/fd");

	assert_non_null(dir);
	while (readdir(dir))
		count++;
	(void)closedir(dir);
	return count;
}

static void
a_frame_has_these_bytes(void **state)
{
	static const uint8_t expected[] = {
	    3, 0, 0, 0, 0x22, 0x11, 1, 0, 0x66, 0x55, 0x44, 0x33, 'a', 'b', 'c'};
	uint8_t data[100];
	int fds[2];
	struct link link;

	raw_pair(SOCK_STREAM, fds);
	link_init(&link, fds[0], LINK_BLOCKING, 100, 100, false);
	assert_int_equal(link_queue(&link, 0x1122, 0x33445566, bytes_of("abc")), AZ_OK);
	assert_int_equal(recv(fds[1], data, sizeof(data), MSG_DONTWAIT), -1);
	assert_int_equal(link_flush(&link, NULL), AZ_OK);
	assert_int_equal(recv(fds[1], data, sizeof(data), MSG_DONTWAIT), sizeof(expected));
	assert_memory_equal(data, expected, sizeof(expected));
	link_fini(&link);
	fd_close(&fds[1]);
}

static void
the_largest_frame_is_one_mebibyte(void **state)
{
	assert_int_equal(FRAME_HEADER_SIZE + FRAME_BODY_MAX, 1 << 20);
}

static void
all_queued_frames_leave_in_one_write(void **state)
{
	static uint8_t data[10000];
	int fds[2];
	struct link link;

	/* This kind of socket keeps the bounds of each write. */
	raw_pair(SOCK_SEQPACKET, fds);
	link_init(&link, fds[0], LINK_BLOCKING, 100, 10000, false);
	for (uint32_t i = 0; i < 100; i++)
		assert_int_equal(link_queue(&link, 1, i, bytes_of("body")), AZ_OK);
	assert_int_equal(link_flush(&link, NULL), AZ_OK);
	assert_int_equal(recv(fds[1], data, sizeof(data), 0), 100 * (FRAME_HEADER_SIZE + 4));
	assert_int_equal(link_flush(&link, NULL), AZ_OK);
	assert_int_equal(recv(fds[1], data, sizeof(data), MSG_DONTWAIT), -1);
	link_fini(&link);
	fd_close(&fds[1]);
}

static void
frames_arrive_whole_and_in_order(void **state)
{
	struct pair pair;
	struct frame frame;

	pair_open(&pair, LINK_NONBLOCKING);
	for (uint32_t i = 0; i < 1000; i++) {
		uint8_t body[4];
		wire_store_u32(body, i * 7);
		assert_int_equal(
		    link_queue(&pair.a, (uint16_t)i, i, bytes_make(body, i % 5)), AZ_OK);
	}
	assert_int_equal(link_flush(&pair.a, NULL), AZ_OK);
	uint32_t next = 0;
	while (next < 1000) {
		assert_int_equal(link_fill(&pair.b, NULL), AZ_OK);
		while (link_next(&pair.b, &frame, NULL) == AZ_OK) {
			uint8_t body[4];
			wire_store_u32(body, next * 7);
			assert_int_equal(frame.type, next);
			assert_int_equal(frame.id, next);
			assert_int_equal(frame.fd, -1);
			assert_true(bytes_equal(frame.body, bytes_make(body, next % 5)));
			next++;
		}
	}
	assert_int_equal(link_fill(&pair.b, NULL), AZ_BUSY);
	pair_close(&pair);
}

static void
a_frame_cut_anywhere_is_put_together(void **state)
{
	uint8_t data[FRAME_HEADER_SIZE + 5] = {
	    5, 0, 0, 0, 9, 0, 1, 0, 7, 0, 0, 0, 'h', 'e', 'l', 'l', 'o'};
	int fds[2];
	struct link link;
	struct frame frame;

	raw_pair(SOCK_STREAM, fds);
	link_init(&link, fds[0], LINK_NONBLOCKING, 5, 100, true);
	for (int round = 0; round < 3; round++) {
		for (size_t i = 0; i < sizeof(data); i++) {
			assert_int_equal(link_next(&link, &frame, NULL), AZ_BUSY);
			assert_int_equal(send(fds[1], data + i, 1, 0), 1);
			assert_int_equal(link_fill(&link, NULL), AZ_OK);
		}
		assert_int_equal(link_next(&link, &frame, NULL), AZ_OK);
		assert_true(bytes_equal(frame.body, bytes_of("hello")));
	}
	link_fini(&link);
	fd_close(&fds[1]);
}

/* What link_next says to these header bytes when body_max is 100. */
static enum az_status
judge(uint32_t length, uint16_t version)
{
	uint8_t header[FRAME_HEADER_SIZE] = {0};
	int fds[2];
	struct link link;
	struct frame frame;
	struct az_err err = {0};

	wire_store_u32(header, length);
	wire_store_u16(header + 6, version);
	raw_pair(SOCK_STREAM, fds);
	link_init(&link, fds[0], LINK_NONBLOCKING, 100, 100, false);
	assert_int_equal(send(fds[1], header, sizeof(header), 0), sizeof(header));
	assert_int_equal(link_fill(&link, NULL), AZ_OK);
	enum az_status status = link_next(&link, &frame, &err);
	assert_int_equal(err.status, status == AZ_INVALID ? AZ_INVALID : 0);
	link_fini(&link);
	fd_close(&fds[1]);
	return status;
}

static void
another_version_is_refused(void **state)
{
	assert_int_equal(judge(0, 1), AZ_OK);
	assert_int_equal(judge(0, 0), AZ_INVALID);
	assert_int_equal(judge(0, 2), AZ_INVALID);
	assert_int_equal(judge(0, 0x0101), AZ_INVALID);
}

static void
a_length_above_the_link_s_limit_is_refused_at_once(void **state)
{
	assert_int_equal(judge(100, 1), AZ_BUSY);
	assert_int_equal(judge(101, 1), AZ_INVALID);
	assert_int_equal(judge(FRAME_BODY_MAX, 1), AZ_INVALID);
	assert_int_equal(judge(UINT32_MAX, 1), AZ_INVALID);
}

static void
a_refused_length_takes_no_memory(void **state)
{
	uint8_t header[FRAME_HEADER_SIZE] = {0xff, 0xff, 0xff, 0xff, 0, 0, 1};
	int fds[2];
	struct link link;

	raw_pair(SOCK_STREAM, fds);
	link_init(&link, fds[0], LINK_NONBLOCKING, FRAME_BODY_MAX, 100, false);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(send(fds[1], header, sizeof(header), 0), sizeof(header));
		assert_int_equal(link_fill(&link, NULL), AZ_OK);
	}
	assert_true(link.in.room < 65536);
	link_fini(&link);
	fd_close(&fds[1]);
}

static void
a_body_too_large_is_not_queued(void **state)
{
	struct pair pair;
	static uint8_t body[FRAME_BODY_MAX + 1];
	size_t mark = 0;

	pair_open(&pair, LINK_NONBLOCKING);
	assert_int_equal(link_queue(&pair.a, 1, 1, bytes_make(body, sizeof(body))), AZ_LIMIT);
	assert_int_equal(pair.a.out.size, 0);
	assert_int_equal(link_queue_begin(&pair.a, 1, 1, &mark), AZ_OK);
	assert_int_equal(buffer_append(&pair.a.out, bytes_make(body, sizeof(body))), AZ_OK);
	assert_int_equal(link_queue_end(&pair.a, mark), AZ_LIMIT);
	assert_int_equal(pair.a.out.size, 0);
	assert_int_equal(link_send_fd(&(struct link){.fd = -1, .blocking = true}, 1, 1,
			     bytes_make(body, sizeof(body)), 0, NULL),
	    AZ_LIMIT);
	pair_close(&pair);
}

static void
no_more_waits_than_the_limit(void **state)
{
	int fds[2];
	struct link link;
	size_t mark = 0;

	raw_pair(SOCK_STREAM, fds);
	link_init(&link, fds[0], LINK_BLOCKING, 100, 40, false);
	assert_int_equal(link_queue(&link, 1, 1, bytes_of("0123456789")), AZ_OK);
	assert_int_equal(link_queue(&link, 1, 2, bytes_of("0123456")), AZ_LIMIT);
	assert_int_equal(link.out.size, 22);
	assert_int_equal(link_queue(&link, 1, 2, bytes_of("012345")), AZ_OK);
	assert_int_equal(link_queue_begin(&link, 1, 3, &mark), AZ_LIMIT);
	assert_int_equal(link.out.size, 40);
	assert_int_equal(link_flush(&link, NULL), AZ_OK);
	assert_int_equal(link_queue(&link, 1, 3, bytes_of("0123456789")), AZ_OK);
	link_fini(&link);
	fd_close(&fds[1]);
}

static void
a_frame_written_in_place_arrives(void **state)
{
	struct pair pair;
	struct wire_writer writer;
	struct frame frame;
	size_t mark = 0;

	pair_open(&pair, LINK_BLOCKING);
	assert_int_equal(link_queue(&pair.a, 1, 1, bytes_of("first")), AZ_OK);
	assert_int_equal(link_queue_begin(&pair.a, 2, 2, &mark), AZ_OK);
	wire_writer_init(&writer, &pair.a.out);
	wire_put_text(&writer, "second");
	assert_int_equal(writer.status, AZ_OK);
	assert_int_equal(link_queue_end(&pair.a, mark), AZ_OK);
	assert_int_equal(link_queue_begin(&pair.a, 3, 3, &mark), AZ_OK);
	wire_put_text(&writer, "never");
	link_queue_cancel(&pair.a, mark);
	assert_int_equal(link_queue(&pair.a, 4, 4, bytes_of("last")), AZ_OK);
	assert_int_equal(link_flush(&pair.a, NULL), AZ_OK);

	assert_int_equal(link_receive(&pair.b, &frame, NULL), AZ_OK);
	assert_true(bytes_equal(frame.body, bytes_of("first")));
	assert_int_equal(link_receive(&pair.b, &frame, NULL), AZ_OK);
	assert_true(bytes_equal(frame.body, bytes_make("\6\0\0\0second", 10)));
	assert_int_equal(link_receive(&pair.b, &frame, NULL), AZ_OK);
	assert_int_equal(frame.type, 4);
	pair_close(&pair);
}

/* The nth frame of a stream whose bodies have many sizes and say who they are. */
static void
queue_nth(struct link *link, uint32_t n)
{
	static uint8_t body[FRAME_BODY_MAX];
	size_t size = n % 97 == 96 ? FRAME_BODY_MAX : (size_t)n * n % 9000;

	memset(body, (int)(n % 251), size);
	assert_int_equal(link_queue(link, (uint16_t)n, n, bytes_make(body, size)), AZ_OK);
}

static void
check_nth(const struct frame *frame, uint32_t n)
{
	size_t size = n % 97 == 96 ? FRAME_BODY_MAX : (size_t)n * n % 9000;

	assert_int_equal(frame->id, n);
	assert_int_equal(frame->body.size, size);
	for (size_t i = 0; i < size; i += 1 + size / 16)
		assert_int_equal(frame->body.data[i], n % 251);
}

static void
a_full_socket_is_busy_and_loses_nothing(void **state)
{
	enum { COUNT = 600 };
	struct pair pair;
	struct frame frame;
	uint32_t queued = 0;
	uint32_t received = 0;
	size_t busy = 0;

	pair_open(&pair, LINK_NONBLOCKING);
	while (received < COUNT) {
		while (queued < COUNT && pair.a.out.size - pair.a.out_used < 2u << 20)
			queue_nth(&pair.a, queued++);
		enum az_status status = link_flush(&pair.a, NULL);
		assert_true(status == AZ_OK || status == AZ_BUSY);
		busy += status == AZ_BUSY;
		status = link_fill(&pair.b, NULL);
		assert_true(status == AZ_OK || status == AZ_BUSY);
		while (link_next(&pair.b, &frame, NULL) == AZ_OK)
			check_nth(&frame, received++);
	}
	assert_true(busy > 0);
	assert_int_equal(pair.a.out.size, 0);
	pair_close(&pair);
}

static void
a_reader_who_takes_no_frames_is_stopped(void **state)
{
	int fds[2];
	struct link link;
	uint8_t data[4096] = {0};
	enum az_status status = AZ_OK;

	raw_pair(SOCK_STREAM, fds);
	link_init(&link, fds[0], LINK_NONBLOCKING, 10, 10, false);
	for (size_t i = 0; i < 1000 && status == AZ_OK; i++) {
		assert_int_equal(send(fds[1], data, sizeof(data), 0), sizeof(data));
		status = link_fill(&link, NULL);
	}
	assert_int_equal(status, AZ_LIMIT);
	assert_true(link.in.room <= FRAME_HEADER_SIZE + 10 + 256u * 1024);
	link_fini(&link);
	fd_close(&fds[1]);
}

static void
a_sensitive_link_wipes_what_it_has_sent(void **state)
{
	struct pair pair;

	pair_open(&pair, LINK_BLOCKING);
	assert_int_equal(link_queue(&pair.a, 1, 1, bytes_of("secret")), AZ_OK);
	assert_memory_equal(pair.a.out.data + FRAME_HEADER_SIZE, "secret", 6);
	assert_int_equal(link_flush(&pair.a, NULL), AZ_OK);
	assert_memory_equal(pair.a.out.data + FRAME_HEADER_SIZE, "\0\0\0\0\0\0", 6);
	pair_close(&pair);
}

static void
a_peer_who_left_is_gone_without_a_signal(void **state)
{
	struct pair pair;
	struct frame frame;
	struct az_err err = {0};

	pair_open(&pair, LINK_BLOCKING);
	assert_int_equal(link_queue(&pair.a, 1, 1, bytes_of("x")), AZ_OK);
	assert_int_equal(link_flush(&pair.a, NULL), AZ_OK);
	fd_close(&pair.a.fd);
	assert_int_equal(link_receive(&pair.b, &frame, NULL), AZ_OK);
	assert_int_equal(link_receive(&pair.b, &frame, &err), AZ_GONE);
	assert_int_equal(err.status, AZ_GONE);
	assert_int_equal(link_queue(&pair.b, 1, 1, bytes_of("x")), AZ_OK);
	assert_int_equal(link_flush(&pair.b, NULL), AZ_GONE);
	pair_close(&pair);
}

static void
a_stream_that_ends_inside_a_frame_is_invalid(void **state)
{
	static const uint8_t data[] = {5, 0, 0, 0, 9, 0, 1, 0, 7, 0, 0, 0, 'h', 'e', 'l', 'l'};

	for (size_t size = 1; size <= sizeof(data); size++) {
		int fds[2];
		struct link link;
		struct frame frame;
		raw_pair(SOCK_STREAM, fds);
		link_init(&link, fds[0], LINK_BLOCKING, 100, 100, false);
		assert_int_equal(send(fds[1], data, size, 0), size);
		fd_close(&fds[1]);
		assert_int_equal(link_receive(&link, &frame, NULL), AZ_INVALID);
		link_fini(&link);
	}
}

static void
a_descriptor_rides_with_its_own_frame(void **state)
{
	struct pair pair;
	struct frame frame;
	int pipe_fds[2];
	char byte = 0;

	pair_open(&pair, LINK_BLOCKING);
	pair.b.accepts_fds = true;
	assert_int_equal(pipe2(pipe_fds, O_CLOEXEC), 0);
	assert_int_equal(link_queue(&pair.a, 1, 1, bytes_of("before")), AZ_OK);
	assert_int_equal(link_queue(&pair.a, 2, 2, bytes_of("before")), AZ_OK);
	assert_int_equal(link_send_fd(&pair.a, 3, 3, bytes_of("with"), pipe_fds[0], NULL), AZ_OK);
	assert_int_equal(link_queue(&pair.a, 4, 4, bytes_of("after")), AZ_OK);
	assert_int_equal(link_flush(&pair.a, NULL), AZ_OK);
	fd_close(&pipe_fds[0]);

	for (uint16_t type = 1; type <= 4; type++) {
		assert_int_equal(link_receive(&pair.b, &frame, NULL), AZ_OK);
		assert_int_equal(frame.type, type);
		assert_int_equal(frame.fd >= 0, type == 3);
		if (type != 3)
			continue;
		assert_true(bytes_equal(frame.body, bytes_of("with")));
		assert_int_equal(fcntl(frame.fd, F_GETFD), FD_CLOEXEC);
		assert_int_equal(write(pipe_fds[1], "z", 1), 1);
		assert_int_equal(read(frame.fd, &byte, 1), 1);
		assert_int_equal(byte, 'z');
		fd_close(&frame.fd);
	}
	fd_close(&pipe_fds[1]);
	pair_close(&pair);
}

/* Sends the bytes with copies of a descriptor as a stranger might. */
static void
send_fds(int socket, const void *data, size_t size, size_t count)
{
	_Alignas(struct cmsghdr) uint8_t control[CMSG_SPACE(8 * sizeof(int))] = {0};
	struct iovec iov = {.iov_base = (void *)(uintptr_t)data, .iov_len = size};
	struct msghdr message = {.msg_iov = &iov,
	    .msg_iovlen = 1,
	    .msg_control = control,
	    .msg_controllen = CMSG_SPACE(count * sizeof(int))};
	struct cmsghdr *c = CMSG_FIRSTHDR(&message);
	int fd = STDIN_FILENO;

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(count * sizeof(int));
	for (size_t i = 0; i < count; i++)
		memcpy(CMSG_DATA(c) + i * sizeof(fd), &fd, sizeof(fd));
	assert_int_equal(sendmsg(socket, &message, 0), size);
}

static const uint8_t empty_frame[FRAME_HEADER_SIZE] = {0, 0, 0, 0, 9, 0, 1, 0, 7, 0, 0, 0};

static void
a_descriptor_nobody_asked_for_is_refused_and_closed(void **state)
{
	for (size_t count = 1; count <= 8; count++) {
		int fds[2];
		struct link link;
		raw_pair(SOCK_STREAM, fds);
		link_init(&link, fds[0], LINK_NONBLOCKING, 100, 100, false);
		size_t before = count_open_fds();
		send_fds(fds[1], empty_frame, sizeof(empty_frame), count);
		assert_int_equal(link_fill(&link, NULL), AZ_INVALID);
		assert_int_equal(count_open_fds(), before);
		link_fini(&link);
		fd_close(&fds[1]);
	}
}

static void
more_than_one_descriptor_is_refused_and_closed(void **state)
{
	for (size_t count = 2; count <= 8; count++) {
		int fds[2];
		struct link link;
		raw_pair(SOCK_STREAM, fds);
		link_init(&link, fds[0], LINK_NONBLOCKING, 100, 100, false);
		link.accepts_fds = true;
		size_t before = count_open_fds();
		send_fds(fds[1], empty_frame, sizeof(empty_frame), count);
		assert_int_equal(link_fill(&link, NULL), AZ_INVALID);
		assert_int_equal(link.passed_fd, -1);
		assert_int_equal(count_open_fds(), before);
		link_fini(&link);
		fd_close(&fds[1]);
	}
}

static void
a_second_descriptor_before_the_first_is_taken_is_refused(void **state)
{
	int fds[2];
	struct link link;

	raw_pair(SOCK_STREAM, fds);
	link_init(&link, fds[0], LINK_NONBLOCKING, 100, 100, false);
	link.accepts_fds = true;
	size_t before = count_open_fds();
	send_fds(fds[1], empty_frame, sizeof(empty_frame), 1);
	send_fds(fds[1], empty_frame, sizeof(empty_frame), 1);
	assert_int_equal(link_fill(&link, NULL), AZ_OK);
	assert_int_equal(link_fill(&link, NULL), AZ_INVALID);
	assert_int_equal(count_open_fds(), before);
	link_fini(&link);
	fd_close(&fds[1]);
}

static void
a_descriptor_not_taken_is_closed_with_the_link(void **state)
{
	int fds[2];
	struct link link;
	size_t before = count_open_fds();

	raw_pair(SOCK_STREAM, fds);
	link_init(&link, fds[0], LINK_NONBLOCKING, 100, 100, false);
	link.accepts_fds = true;
	send_fds(fds[1], empty_frame, sizeof(empty_frame), 1);
	assert_int_equal(link_fill(&link, NULL), AZ_OK);
	assert_true(link.passed_fd >= 0);
	link_fini(&link);
	fd_close(&fds[1]);
	assert_int_equal(count_open_fds(), before);
}

static void *
send_large_with_fd(void *arg)
{
	static uint8_t body[FRAME_BODY_MAX];
	struct link *link = arg;

	memset(body, 5, sizeof(body));
	/* The other side is asleep in a read without time limit; waking it late proves that it waits. */
	(void)usleep(20000);
	if (link_send_fd(link, 8, 8, bytes_make(body, sizeof(body)), STDIN_FILENO, NULL) != AZ_OK)
		return NULL;
	return arg;
}

static void
ignore_signal(int signo)
{
	(void)signo;
}

static void
signals_do_not_disturb_a_blocking_link(void **state)
{
	struct pair pair;
	struct frame frame;
	pthread_t thread;
	void *sent = NULL;
	struct sigaction action = {.sa_handler = ignore_signal};
	struct itimerval often = {.it_interval = {.tv_usec = 500}, .it_value = {.tv_usec = 500}};
	struct itimerval never = {0};

	pair_open(&pair, LINK_BLOCKING);
	pair.b.accepts_fds = true;
	assert_int_equal(sigaction(SIGALRM, &action, NULL), 0);
	assert_int_equal(setitimer(ITIMER_REAL, &often, NULL), 0);
	assert_int_equal(pthread_create(&thread, NULL, send_large_with_fd, &pair.a), 0);
	assert_int_equal(link_receive(&pair.b, &frame, NULL), AZ_OK);
	assert_int_equal(frame.body.size, FRAME_BODY_MAX);
	assert_int_equal(frame.body.data[FRAME_BODY_MAX - 1], 5);
	assert_true(frame.fd >= 0);
	fd_close(&frame.fd);
	assert_int_equal(pthread_join(thread, &sent), 0);
	assert_non_null(sent);
	assert_int_equal(setitimer(ITIMER_REAL, &never, NULL), 0);
	pair_close(&pair);
}

static void
a_blocking_link_waits_on_a_socket_that_does_not(void **state)
{
	struct pair pair;
	struct frame frame;
	pthread_t thread;

	pair_open(&pair, LINK_BLOCKING);
	pair.b.accepts_fds = true;
	assert_int_equal(fcntl(pair.a.fd, F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(fcntl(pair.b.fd, F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(pthread_create(&thread, NULL, send_large_with_fd, &pair.a), 0);
	assert_int_equal(link_receive(&pair.b, &frame, NULL), AZ_OK);
	assert_int_equal(frame.body.size, FRAME_BODY_MAX);
	fd_close(&frame.fd);
	assert_int_equal(pthread_join(thread, NULL), 0);
	pair_close(&pair);
}

static void
noise_never_yields_more_than_its_bytes(void **state)
{
	struct frame frame;

	srand(1);
	for (int round = 0; round < 300; round++) {
		int fds[2];
		struct link link;
		uint8_t data[600];
		size_t handed = 0;
		raw_pair(SOCK_STREAM, fds);
		link_init(&link, fds[0], LINK_NONBLOCKING, 200, 100, true);
		for (size_t i = 0; i < sizeof(data); i++)
			data[i] = rand() % 4 == 0 ? (uint8_t)rand() : i % 12 == 6;
		assert_int_equal(send(fds[1], data, sizeof(data), 0), sizeof(data));
		assert_int_equal(link_fill(&link, NULL), AZ_OK);
		enum az_status status = AZ_OK;
		while (status == AZ_OK) {
			status = link_next(&link, &frame, NULL);
			if (status == AZ_OK)
				handed += FRAME_HEADER_SIZE + frame.body.size;
		}
		assert_true(status == AZ_BUSY || status == AZ_INVALID);
		assert_true(handed <= sizeof(data));
		assert_int_equal(link.in_used, handed);
		link_fini(&link);
		fd_close(&fds[1]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_frame_has_these_bytes),
	    cmocka_unit_test(the_largest_frame_is_one_mebibyte),
	    cmocka_unit_test(all_queued_frames_leave_in_one_write),
	    cmocka_unit_test(frames_arrive_whole_and_in_order),
	    cmocka_unit_test(a_frame_cut_anywhere_is_put_together),
	    cmocka_unit_test(another_version_is_refused),
	    cmocka_unit_test(a_length_above_the_link_s_limit_is_refused_at_once),
	    cmocka_unit_test(a_refused_length_takes_no_memory),
	    cmocka_unit_test(a_body_too_large_is_not_queued),
	    cmocka_unit_test(no_more_waits_than_the_limit),
	    cmocka_unit_test(a_frame_written_in_place_arrives),
	    cmocka_unit_test(a_full_socket_is_busy_and_loses_nothing),
	    cmocka_unit_test(a_reader_who_takes_no_frames_is_stopped),
	    cmocka_unit_test(a_sensitive_link_wipes_what_it_has_sent),
	    cmocka_unit_test(a_peer_who_left_is_gone_without_a_signal),
	    cmocka_unit_test(a_stream_that_ends_inside_a_frame_is_invalid),
	    cmocka_unit_test(a_descriptor_rides_with_its_own_frame),
	    cmocka_unit_test(a_descriptor_nobody_asked_for_is_refused_and_closed),
	    cmocka_unit_test(more_than_one_descriptor_is_refused_and_closed),
	    cmocka_unit_test(a_second_descriptor_before_the_first_is_taken_is_refused),
	    cmocka_unit_test(a_descriptor_not_taken_is_closed_with_the_link),
	    cmocka_unit_test(signals_do_not_disturb_a_blocking_link),
	    cmocka_unit_test(a_blocking_link_waits_on_a_socket_that_does_not),
	    cmocka_unit_test(noise_never_yields_more_than_its_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
