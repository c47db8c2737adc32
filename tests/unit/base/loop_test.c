#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/loop.h"

struct peer {
	struct loop *loop;
	struct loop_watch *watch;
	struct peer *other;
	int near;
	int far;
	int readable;
	int writable;
};

static struct loop *loop;
static int rounds;

static int
setup(void **state)
{
	rounds = 0;
	return loop_new(&loop, NULL) == AZ_OK ? 0 : -1;
}

static int
teardown(void **state)
{
	loop_free(&loop);
	loop_free(&loop);
	return loop ? -1 : 0;
}

static void
peer_open(struct peer *peer, void (*ready)(void *arg, bool readable, bool writable))
{
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	*peer = (struct peer){.loop = loop, .near = fds[0], .far = fds[1]};
	assert_int_equal(loop_watch(loop, peer->near, ready, peer, &peer->watch, NULL), AZ_OK);
}

static void
peer_close(struct peer *peer)
{
	loop_unwatch(loop, &peer->watch);
	assert_null(peer->watch);
	loop_unwatch(loop, &peer->watch);
	fd_close(&peer->near);
	fd_close(&peer->far);
}

static void
count_only(void *arg, bool readable, bool writable)
{
	struct peer *peer = arg;

	peer->readable += readable;
	peer->writable += writable;
}

static void
stop_after_three_rounds(void *arg)
{
	if (++rounds >= 3)
		loop_stop(loop);
}

/* Keeps the loop from sleeping, so that rounds can be counted. */
static void
wake_again(void *arg)
{
	loop_wake(loop);
}

static void
run_three_rounds(void)
{
	rounds = 0;
	loop_on_round(loop, stop_after_three_rounds, NULL);
	loop_on_wake(loop, wake_again, NULL);
	loop_wake(loop);
	assert_int_equal(loop_run(loop, NULL), AZ_OK);
	assert_int_equal(rounds, 3);
}

static void
unread_bytes_are_told_again(void **state)
{
	struct peer peer;

	peer_open(&peer, count_only);
	run_three_rounds();
	assert_int_equal(peer.readable, 0);
	assert_int_equal(peer.writable, 0);
	assert_int_equal(write(peer.far, "x", 1), 1);
	run_three_rounds();
	assert_int_equal(peer.readable, 3);
	assert_int_equal(peer.writable, 0);
	peer_close(&peer);
}

static void
only_what_is_waited_for_is_told(void **state)
{
	struct peer peer;

	peer_open(&peer, count_only);
	assert_int_equal(write(peer.far, "x", 1), 1);
	loop_watch_for(peer.watch, false, true);
	run_three_rounds();
	assert_int_equal(peer.readable, 0);
	assert_int_equal(peer.writable, 3);
	loop_watch_for(peer.watch, false, false);
	run_three_rounds();
	assert_int_equal(peer.readable, 0);
	assert_int_equal(peer.writable, 3);
	loop_watch_for(peer.watch, true, true);
	run_three_rounds();
	assert_int_equal(peer.readable, 3);
	assert_int_equal(peer.writable, 6);
	peer_close(&peer);
}

static void
stop_at_tick(void *arg)
{
	loop_stop(loop);
}

static void
count_round(void *arg)
{
	rounds++;
}

static void
a_hang_up_does_not_spin_while_nothing_is_waited_for(void **state)
{
	struct peer peer;

	peer_open(&peer, count_only);
	loop_watch_for(peer.watch, false, false);
	fd_close(&peer.far);
	loop_on_round(loop, count_round, NULL);
	loop_on_tick(loop, 20000, stop_at_tick, NULL);
	assert_int_equal(loop_run(loop, NULL), AZ_OK);
	assert_in_range(rounds, 1, 3);
	assert_int_equal(peer.readable + peer.writable, 0);

	loop_on_wake(loop, NULL, NULL);
	loop_watch_for(peer.watch, true, false);
	run_three_rounds();
	assert_int_equal(peer.readable, 3);
	loop_watch_for(peer.watch, false, true);
	run_three_rounds();
	assert_int_equal(peer.writable, 3);
	peer_close(&peer);
}

static void
unwatch_self(void *arg, bool readable, bool writable)
{
	struct peer *peer = arg;

	peer->readable++;
	loop_unwatch(peer->loop, &peer->watch);
}

static void
a_watch_may_end_itself(void **state)
{
	struct peer peer;

	peer_open(&peer, unwatch_self);
	assert_int_equal(write(peer.far, "x", 1), 1);
	run_three_rounds();
	assert_int_equal(peer.readable, 1);
	peer_close(&peer);
}

static void
unwatch_other(void *arg, bool readable, bool writable)
{
	struct peer *peer = arg;

	peer->readable++;
	if (!peer->other->watch)
		return;
	loop_unwatch(peer->loop, &peer->other->watch);
	fd_close(&peer->other->near);
}

static void
a_watch_that_another_ended_in_the_same_round_is_not_called(void **state)
{
	struct peer a;
	struct peer b;

	peer_open(&a, unwatch_other);
	peer_open(&b, unwatch_other);
	a.other = &b;
	b.other = &a;
	assert_int_equal(write(a.far, "x", 1), 1);
	assert_int_equal(write(b.far, "x", 1), 1);
	run_three_rounds();
	assert_int_equal(a.readable + b.readable, 3);
	assert_true(a.readable == 0 || b.readable == 0);
	peer_close(&a);
	peer_close(&b);
}

static struct peer replacement;

static void
replace_other(void *arg, bool readable, bool writable)
{
	struct peer *peer = arg;

	peer->readable++;
	if (!peer->other->watch)
		return;
	/* The descriptor's number is free again and will be taken by the next socket. */
	loop_unwatch(peer->loop, &peer->other->watch);
	fd_close(&peer->other->near);
	peer_open(&replacement, count_only);
}

static void
an_event_of_an_ended_watch_does_not_reach_its_successor(void **state)
{
	struct peer a;
	struct peer b;

	peer_open(&a, replace_other);
	peer_open(&b, replace_other);
	a.other = &b;
	b.other = &a;
	assert_int_equal(write(a.far, "x", 1), 1);
	assert_int_equal(write(b.far, "x", 1), 1);
	run_three_rounds();
	assert_int_equal(a.readable + b.readable, 3);
	assert_int_equal(replacement.readable, 0);
	peer_close(&replacement);
	peer_close(&a);
	peer_close(&b);
}

static void
unwatch_in_round(void *arg)
{
	struct peer *peer = arg;

	loop_unwatch(loop, &peer->watch);
	loop_stop(loop);
}

static void
the_round_hook_may_end_watches(void **state)
{
	struct peer peer;

	peer_open(&peer, count_only);
	assert_int_equal(write(peer.far, "x", 1), 1);
	loop_on_round(loop, unwatch_in_round, &peer);
	assert_int_equal(loop_run(loop, NULL), AZ_OK);
	assert_int_equal(peer.readable, 1);
	peer_close(&peer);
}

static void
what_is_ready_together_is_answered_in_one_round(void **state)
{
	struct peer peers[50];

	for (size_t i = 0; i < 50; i++) {
		peer_open(&peers[i], count_only);
		assert_int_equal(write(peers[i].far, "x", 1), 1);
	}
	loop_on_round(loop, stop_at_tick, NULL);
	assert_int_equal(loop_run(loop, NULL), AZ_OK);
	for (size_t i = 0; i < 50; i++) {
		assert_int_equal(peers[i].readable, 1);
		peer_close(&peers[i]);
	}
}

static void
a_descriptor_that_cannot_be_watched_is_an_error(void **state)
{
	struct loop_watch *watch = NULL;
	struct az_err err = {0};
	int file = open("/proc/self/status", O_RDONLY | O_CLOEXEC);

	assert_int_equal(loop_watch(loop, -1, count_only, NULL, &watch, &err), AZ_IO);
	assert_int_equal(err.status, AZ_IO);
	assert_null(watch);
	fd_close(&file);
	assert_int_equal(loop_watch(loop, file, count_only, NULL, &watch, NULL), AZ_IO);
	assert_null(watch);
}

static int ticks;
static int64_t tick_times[3];

static void
three_ticks(void *arg)
{
	tick_times[ticks++] = clock_monotonic_us();
	if (ticks == 3)
		loop_stop(loop);
}

static void
a_tick_is_never_early(void **state)
{
	int64_t begin = clock_monotonic_us();

	ticks = 0;
	loop_on_tick(loop, 5000, three_ticks, NULL);
	assert_int_equal(loop_run(loop, NULL), AZ_OK);
	for (int i = 0; i < 3; i++)
		assert_true(tick_times[i] - begin >= 5000 * (i + 1));
}

static int64_t tick_begin_us;

static void
tick_that_sleeps_once(void *arg)
{
	if (++ticks == 1)
		(void)usleep(50000);
	if (clock_monotonic_us() - tick_begin_us >= 70000)
		loop_stop(loop);
}

static void
missed_ticks_are_not_made_up_for(void **state)
{
	ticks = 0;
	tick_begin_us = clock_monotonic_us();
	loop_on_tick(loop, 5000, tick_that_sleeps_once, NULL);
	assert_int_equal(loop_run(loop, NULL), AZ_OK);
	/* The first, one that is late after the sleep, and those that fall due after it. */
	int64_t after_us = clock_monotonic_us() - tick_begin_us - 50000;
	assert_in_range(ticks, 2, 2 + after_us / 5000);
}

static void
ticks_go_on_while_events_do_not_end(void **state)
{
	struct peer peer;

	peer_open(&peer, count_only);
	assert_int_equal(write(peer.far, "x", 1), 1);
	loop_on_tick(loop, 5000, stop_at_tick, NULL);
	assert_int_equal(loop_run(loop, NULL), AZ_OK);
	assert_true(peer.readable > 0);
	peer_close(&peer);
}

enum { WAKES = 20000 };

static atomic_int posted;
static int seen;

static void *
post(void *arg)
{
	for (int i = 0; i < WAKES; i++) {
		atomic_fetch_add(&posted, 1);
		loop_wake(loop);
	}
	return NULL;
}

static void
take_posted(void *arg)
{
	seen = atomic_load(&posted);
	if (seen == 2 * WAKES)
		loop_stop(loop);
}

static void
no_wake_from_a_thread_is_lost(void **state)
{
	pthread_t threads[2];

	loop_on_wake(loop, take_posted, NULL);
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, post, NULL), 0);
	/* Were the last wake lost, this would sleep for ever. */
	(void)alarm(20);
	assert_int_equal(loop_run(loop, NULL), AZ_OK);
	(void)alarm(0);
	assert_int_equal(seen, 2 * WAKES);
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
}

static void
wake_in_handler(int signo)
{
	loop_wake(loop);
}

static void
raise_at_tick(void *arg)
{
	(void)raise(SIGUSR1);
}

static void
a_signal_handler_may_wake_the_loop(void **state)
{
	struct sigaction action = {.sa_handler = wake_in_handler};

	assert_int_equal(sigaction(SIGUSR1, &action, NULL), 0);
	loop_on_tick(loop, 1000, raise_at_tick, NULL);
	loop_on_wake(loop, stop_at_tick, NULL);
	assert_int_equal(loop_run(loop, NULL), AZ_OK);
	assert_int_not_equal(signal(SIGUSR1, SIG_DFL), SIG_ERR);
}

static void
a_stopped_loop_can_run_again(void **state)
{
	run_three_rounds();
	run_three_rounds();
}

static void
freeing_a_loop_frees_its_watches(void **state)
{
	struct peer a;
	struct peer b;

	peer_open(&a, count_only);
	peer_open(&b, count_only);
	loop_free(&loop);
	assert_null(loop);
	fd_close(&a.near);
	fd_close(&a.far);
	fd_close(&b.near);
	fd_close(&b.far);
}

#define LOOP_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    LOOP_TEST(unread_bytes_are_told_again),
	    LOOP_TEST(only_what_is_waited_for_is_told),
	    LOOP_TEST(a_hang_up_does_not_spin_while_nothing_is_waited_for),
	    LOOP_TEST(a_watch_may_end_itself),
	    LOOP_TEST(a_watch_that_another_ended_in_the_same_round_is_not_called),
	    LOOP_TEST(an_event_of_an_ended_watch_does_not_reach_its_successor),
	    LOOP_TEST(the_round_hook_may_end_watches),
	    LOOP_TEST(what_is_ready_together_is_answered_in_one_round),
	    LOOP_TEST(a_descriptor_that_cannot_be_watched_is_an_error),
	    LOOP_TEST(a_tick_is_never_early),
	    LOOP_TEST(missed_ticks_are_not_made_up_for),
	    LOOP_TEST(ticks_go_on_while_events_do_not_end),
	    LOOP_TEST(no_wake_from_a_thread_is_lost),
	    LOOP_TEST(a_signal_handler_may_wake_the_loop),
	    LOOP_TEST(a_stopped_loop_can_run_again),
	    LOOP_TEST(freeing_a_loop_frees_its_watches),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
