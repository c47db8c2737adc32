/* The program itself: shut in before it is asked, one answer to one question, none to nonsense. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/frame.h"
#include "base/proc.h"
#include "trace/compare.h"
#include "trace/packet.h"

#define DAY  INT64_C(86400000000)
#define ROWS 12u

static const char *program;

struct child {
	pid_t pid;
	struct link link;
};

static struct child
start(void)
{
	const char *argv[] = {"azukari-attribute", NULL};
	struct proc_spec spec = {.path = program, .argv = argv, .fd_count = 1};
	struct child child;
	int pair[2];

	assert_int_equal(proc_socketpair(pair, NULL), AZ_OK);
	spec.fds[0] = pair[1];
	assert_int_equal(proc_spawn(&spec, &child.pid, NULL), AZ_OK);
	(void)close(pair[1]);
	link_init(
	    &child.link, pair[0], LINK_BLOCKING, ATTRIBUTE_BODY_MAX, 2 * ATTRIBUTE_BODY_MAX, false);
	return child;
}

static void
send_frame(struct child *child, uint16_t type, struct bytes body)
{
	assert_int_equal(link_queue(&child->link, type, 0, body), AZ_OK);
	assert_int_equal(link_flush(&child->link, NULL), AZ_OK);
}

static int
end(struct child *child)
{
	int how = 0;

	link_fini(&child->link);
	assert_int_equal(waitpid(child->pid, &how, 0), child->pid);
	assert_true(WIFEXITED(how));
	return WEXITSTATUS(how);
}

/* A line of /proc/PID/status. */
static long
status_of(pid_t pid, const char *name)
{
	char path[64], line[256];
	long value = -1;
	FILE *file;

	(void)snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	file = fopen(path, "re");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file) != NULL) {
		if (strncmp(line, name, strlen(name)) == 0 && line[strlen(name)] == ':')
			value = strtol(line + strlen(name) + 1, NULL, 10);
	}
	(void)fclose(file);
	return value;
}

static void
it_is_shut_in_before_it_is_asked(void **state)
{
	struct child child = start();
	int tries = 0;

	(void)state;
	/* It was started; within a moment it has shut itself in, though nobody has asked anything. */
	while (status_of(child.pid, "Seccomp") != 2 && tries++ < 500)
		(void)usleep(10000);
	assert_int_equal(status_of(child.pid, "Seccomp"), 2);
	assert_int_equal(status_of(child.pid, "NoNewPrivs"), 1);
	/* Nobody asks: it ends. */
	assert_int_equal(end(&child), 0);
}

/* Twelve rows, all of which the second of three people had in one session. */
static void
a_question_is_answered(void **state)
{
	static struct model_result result;
	struct model_row rows[ROWS];
	struct model_candidate candidates[ROWS];
	struct model_span spans[ROWS];
	struct model_access accesses[ROWS];
	struct model_carrier carriers[3];
	struct model_window windows[3];
	struct model_copy copy = {.client = 0, .time_us = 10 * DAY, .size = 1000};
	struct model_person persons[3] = {{1.0}, {1.0}, {1.0}};
	struct model_client client = {.people = 1000};
	uint64_t shape = 3;
	struct model_input input = {.rows = rows,
	    .candidates = candidates,
	    .spans = spans,
	    .accesses = accesses,
	    .shapes = &shape,
	    .carriers = carriers,
	    .windows = windows,
	    .copies = &copy,
	    .persons = persons,
	    .clients = &client,
	    .row_count = ROWS,
	    .candidate_count = ROWS,
	    .span_count = ROWS,
	    .access_count = ROWS,
	    .shape_count = 1,
	    .carrier_count = 3,
	    .window_count = 3,
	    .copy_count = 1,
	    .person_count = 3,
	    .client_count = 1,
	    .pool_count = 1};
	struct child child = start();
	struct packet_writer writer;
	struct buffer body;
	struct frame frame;
	enum attribute_message type;

	(void)state;
	for (uint32_t i = 0; i < ROWS; i++) {
		rows[i] = (struct model_row){
		    .first_candidate = i, .candidate_count = 1, .fields = 3, .canary = MODEL_NONE};
		candidates[i] = (struct model_candidate){.record = i + 1,
		    .weight = 1.0,
		    .notation = NOTATION_OURS,
		    .first_span = i,
		    .span_count = 1};
		spans[i] =
		    (struct model_span){.version = 1, .from_us = 10 * DAY, .to_us = 90 * DAY};
		accesses[i] = (struct model_access){.record = i + 1, .version = 1, .carrier = 1};
	}
	for (uint32_t s = 0; s < 3; s++) {
		carriers[s] = (struct model_carrier){.kind = MODEL_SESSION,
		    .person = s,
		    .pool = MODEL_NONE,
		    .time_us = 20 * DAY,
		    .size = 60,
		    .list = MODEL_NONE};
		windows[s] = (struct model_window){.owner = MODEL_PERSON,
		    .index = s,
		    .pool = MODEL_NONE,
		    .from_us = INT64_MIN,
		    .to_us = MODEL_NEVER,
		    .size = 200,
		    .whole = true};
	}
	buffer_init(&body, ATTRIBUTE_BODY_MAX, false);
	packet_writer_init(&writer, &input);
	while (packet_next(&writer, &type, &body) == AZ_OK)
		send_frame(&child, (uint16_t)type, buffer_peek(&body));
	assert_int_equal(link_receive(&child.link, &frame, NULL), AZ_OK);
	assert_int_equal(frame.type, ATTRIBUTE_RESULT);
	assert_int_equal(packet_get_result(frame.body, &input, &result, NULL), AZ_OK);
	assert_int_equal(result.verdict, MODEL_ATTRIBUTED);
	assert_int_equal(result.suspects[0].who.index, 1);
	assert_int_equal(end(&child), 0);

	/* What the model refuses is told, with why. */
	child = start();
	accesses[0].carrier = 7;
	packet_writer_init(&writer, &input);
	while (packet_next(&writer, &type, &body) == AZ_OK)
		send_frame(&child, (uint16_t)type, buffer_peek(&body));
	assert_int_equal(link_receive(&child.link, &frame, NULL), AZ_OK);
	assert_int_equal(frame.type, ATTRIBUTE_FAILED);
	assert_int_equal(frame.body.data[0], AZ_INVALID);
	assert_int_equal(end(&child), 0);
	buffer_fini(&body);
}

static void
nonsense_ends_it(void **state)
{
	static const uint8_t nonsense[200] = {9, 9, 9};
	struct child child = start();
	struct frame frame;

	(void)state;
	send_frame(&child, ATTRIBUTE_BEGIN, bytes_make(nonsense, sizeof(nonsense)));
	assert_int_not_equal(link_receive(&child.link, &frame, NULL), AZ_OK);
	assert_int_not_equal(end(&child), 0);

	child = start();
	send_frame(&child, ATTRIBUTE_RUN, bytes_make(NULL, 0));
	assert_int_not_equal(link_receive(&child.link, &frame, NULL), AZ_OK);
	assert_int_not_equal(end(&child), 0);

	child = start();
	send_frame(&child, 99, bytes_make(nonsense, 1));
	assert_int_not_equal(link_receive(&child.link, &frame, NULL), AZ_OK);
	assert_int_not_equal(end(&child), 0);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(it_is_shut_in_before_it_is_asked),
	    cmocka_unit_test(a_question_is_answered),
	    cmocka_unit_test(nonsense_ends_it),
	};

	if (argc != 2)
		return 2;
	program = argv[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
