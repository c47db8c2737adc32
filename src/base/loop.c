/*
 * The event loop.
 *
 * Readiness is level-triggered: what a callback leaves unread is told again, so nobody must drain a
 * socket to its end, and reading can be paused by not asking. A watch that waits for nothing is armed
 * for a single report, because epoll tells of a hang-up whether asked or not and would spin.
 *
 * A callback may end any watch, its own too, while events of the same round still point to it. Such a
 * watch is only marked, and freed when the round is over.
 *
 * loop_wake sets a flag and writes to an eventfd only if the flag was clear. The loop empties the
 * eventfd first and clears the flag second: a wake that falls between finds the flag set, writes
 * nothing, and is served by the callback that follows. The other order would lose it.
 */
#include "base/loop.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"

#define ROUND_EVENTS 256

struct loop_watch {
	struct loop *loop;
	struct loop_watch *next;
	struct loop_watch *previous;
	void (*ready)(void *arg, bool readable, bool writable);
	void *arg;
	int fd;
	bool reading;
	bool writing;
	bool ended;
};

struct loop {
	int epoll;
	int event;
	atomic_bool woken;
	bool running;
	bool in_round;
	struct loop_watch *watches;
	struct loop_watch *ended; /* freed at the end of the round; chained by next */
	void (*round)(void *arg);
	void *round_arg;
	void (*on_wake)(void *arg);
	void *wake_arg;
	void (*tick)(void *arg);
	void *tick_arg;
	int64_t tick_interval_us;
	int64_t tick_due_us;
};

enum az_status
loop_new(struct loop **ret_loop, struct az_err *reterr)
{
	enum az_status status = AZ_INTERNAL;
	struct loop *loop = calloc(1, sizeof(*loop));

	if (!loop)
		return az_fail(reterr, AZ_NO_MEMORY, "event loop");
	loop->event = -1;
	loop->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epoll < 0) {
		status = az_fail_errno(reterr, AZ_IO, errno, "event loop");
		goto out;
	}
	loop->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	/* The eventfd is the one event without a watch. */
	struct epoll_event wake = {.events = EPOLLIN, .data.ptr = NULL};
	if (loop->event < 0 || epoll_ctl(loop->epoll, EPOLL_CTL_ADD, loop->event, &wake) != 0) {
		status = az_fail_errno(reterr, AZ_IO, errno, "event loop");
		goto out;
	}
	*ret_loop = loop;
	loop = NULL;
	status = AZ_OK;
out:
	loop_free(&loop);
	return status;
}

static void
watches_free(struct loop_watch **watches)
{
	while (*watches) {
		struct loop_watch *watch = *watches;
		*watches = watch->next;
		free(watch);
	}
}

void
loop_free(struct loop **loop_address)
{
	struct loop *loop = *loop_address;

	if (!loop)
		return;
	*loop_address = NULL;
	assert(!loop->running);
	watches_free(&loop->watches);
	watches_free(&loop->ended);
	fd_close(&loop->event);
	fd_close(&loop->epoll);
	free(loop);
}

static struct epoll_event
watch_event(struct loop_watch *watch)
{
	uint32_t events = (watch->reading ? EPOLLIN : 0u) | (watch->writing ? EPOLLOUT : 0u);

	if (events == 0)
		events = EPOLLONESHOT;
	return (struct epoll_event){.events = events, .data.ptr = watch};
}

enum az_status
loop_watch(struct loop *loop, int fd, void (*ready)(void *arg, bool readable, bool writable),
    void *arg, struct loop_watch **ret_watch, struct az_err *reterr)
{
	struct loop_watch *watch = calloc(1, sizeof(*watch));

	if (!watch)
		return az_fail(reterr, AZ_NO_MEMORY, "watch a descriptor");
	*watch = (struct loop_watch){
	    .loop = loop, .ready = ready, .arg = arg, .fd = fd, .reading = true};
	struct epoll_event event = watch_event(watch);
	if (epoll_ctl(loop->epoll, EPOLL_CTL_ADD, fd, &event) != 0) {
		int reason = errno;
		free(watch);
		return az_fail_errno(reterr, AZ_IO, reason, "watch a descriptor");
	}
	watch->next = loop->watches;
	if (watch->next)
		watch->next->previous = watch;
	loop->watches = watch;
	*ret_watch = watch;
	return AZ_OK;
}

void
loop_watch_for(struct loop_watch *watch, bool reading, bool writing)
{
	if (watch->reading == reading && watch->writing == writing)
		return;
	watch->reading = reading;
	watch->writing = writing;
	struct epoll_event event = watch_event(watch);
	int result = epoll_ctl(watch->loop->epoll, EPOLL_CTL_MOD, watch->fd, &event);
	/* It changes an entry that is there and takes no memory: only a closed descriptor can fail. */
	assert(result == 0);
}

void
loop_unwatch(struct loop *loop, struct loop_watch **watch_address)
{
	struct loop_watch *watch = *watch_address;

	if (!watch)
		return;
	*watch_address = NULL;
	int result = epoll_ctl(loop->epoll, EPOLL_CTL_DEL, watch->fd, NULL);
	assert(result == 0);

	if (watch->previous)
		watch->previous->next = watch->next;
	else
		loop->watches = watch->next;
	if (watch->next)
		watch->next->previous = watch->previous;
	watch->ended = true;
	watch->next = loop->ended;
	loop->ended = watch;
	if (!loop->in_round)
		watches_free(&loop->ended);
}

void
loop_on_round(struct loop *loop, void (*round)(void *arg), void *arg)
{
	loop->round = round;
	loop->round_arg = arg;
}

void
loop_on_tick(struct loop *loop, int64_t interval_us, void (*tick)(void *arg), void *arg)
{
	assert(interval_us > 0);
	loop->tick = tick;
	loop->tick_arg = arg;
	loop->tick_interval_us = interval_us;
	loop->tick_due_us = clock_monotonic_us() + interval_us;
}

void
loop_on_wake(struct loop *loop, void (*woken)(void *arg), void *arg)
{
	loop->on_wake = woken;
	loop->wake_arg = arg;
}

void
loop_wake(struct loop *loop)
{
	int saved = errno;
	uint64_t one = 1;

	if (!atomic_exchange(&loop->woken, true)) {
		ssize_t written = write(loop->event, &one, sizeof(one));
		/* A full counter would wake as well; nothing else can fail. */
		assert(written == (ssize_t)sizeof(one) || errno == EAGAIN);
	}
	errno = saved;
}

static void
wake_serve(struct loop *loop)
{
	uint64_t count = 0;
	ssize_t done = read(loop->event, &count, sizeof(count));

	assert(done == (ssize_t)sizeof(count) || errno == EAGAIN);
	(void)atomic_exchange(&loop->woken, false);
	if (loop->on_wake)
		loop->on_wake(loop->wake_arg);
}

static void
watch_serve(struct loop_watch *watch, uint32_t events)
{
	/* An error or hang-up is told as readiness: the next read or write meets it. */
	bool broken = (events & (EPOLLERR | EPOLLHUP)) != 0;
	bool readable = watch->reading && ((events & EPOLLIN) != 0 || broken);
	bool writable = watch->writing && ((events & EPOLLOUT) != 0 || broken);

	if (readable || writable)
		watch->ready(watch->arg, readable, writable);
}

/* How long to wait at most, in whole milliseconds rounded up, so that a tick is never early. */
static int
tick_wait_ms(const struct loop *loop)
{
	if (!loop->tick)
		return -1;
	int64_t left_us = loop->tick_due_us - clock_monotonic_us();
	if (left_us <= 0)
		return 0;
	int64_t left_ms = (left_us + 999) / 1000;
	return left_ms > INT_MAX ? INT_MAX : (int)left_ms;
}

static void
tick_serve(struct loop *loop)
{
	if (!loop->tick)
		return;
	int64_t now_us = clock_monotonic_us();
	if (now_us < loop->tick_due_us)
		return;
	/* Ticks that were missed are not made up for. */
	loop->tick_due_us += loop->tick_interval_us;
	if (loop->tick_due_us <= now_us)
		loop->tick_due_us = now_us + loop->tick_interval_us;
	loop->tick(loop->tick_arg);
}

enum az_status
loop_run(struct loop *loop, struct az_err *reterr)
{
	struct epoll_event events[ROUND_EVENTS];

	loop->running = true;
	while (loop->running) {
		int count = epoll_wait(loop->epoll, events, ROUND_EVENTS, tick_wait_ms(loop));
		if (count < 0 && errno != EINTR) {
			loop->running = false;
			return az_fail_errno(reterr, AZ_IO, errno, "wait for events");
		}
		loop->in_round = true;
		for (int i = 0; i < count; i++) {
			struct loop_watch *watch = events[i].data.ptr;
			if (!watch)
				wake_serve(loop);
			else if (!watch->ended)
				watch_serve(watch, events[i].events);
		}
		tick_serve(loop);
		if (loop->round)
			loop->round(loop->round_arg);
		loop->in_round = false;
		watches_free(&loop->ended);
	}
	return AZ_OK;
}

void
loop_stop(struct loop *loop)
{
	loop->running = false;
}
