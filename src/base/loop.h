/*
 * One thread's event loop over epoll: descriptors, a deadline list, and a hook at the end of each round,
 * so that everything that became ready together is answered together.
 *
 * Threads  all calls on the loop's own thread, but loop_wake.
 */
#ifndef AZ_BASE_LOOP_H
#define AZ_BASE_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

struct loop;
struct loop_watch;

AZ_CHECKED enum az_status loop_new(struct loop **ret_loop, struct az_err *reterr);
void loop_free(struct loop **loop);

/* Calls ready(arg, readable, writable) when fd is so. fd stays the caller's. Starts with reading only. */
AZ_CHECKED enum az_status loop_watch(struct loop *loop, int fd,
    void (*ready)(void *arg, bool readable, bool writable), void *arg,
    struct loop_watch **ret_watch, struct az_err *reterr);

/*
 * What to wait for; reading may be paused to push back. An error or hang-up is told as what is waited
 * for, and not at all while that is nothing.
 */
void loop_watch_for(struct loop_watch *watch, bool reading, bool writing);

/* Before fd is closed. Safe inside any callback of the loop, also its own. Leaves NULL. */
void loop_unwatch(struct loop *loop, struct loop_watch **watch);

/* Calls round(arg) after each round of events, before waiting again. */
void loop_on_round(struct loop *loop, void (*round)(void *arg), void *arg);

/* Calls tick(arg) about every interval_us, never early; missed ticks are dropped. One tick a loop. */
void loop_on_tick(struct loop *loop, int64_t interval_us, void (*tick)(void *arg), void *arg);

/* From any thread or signal handler: makes the loop run a round and call woken(arg). */
void loop_on_wake(struct loop *loop, void (*woken)(void *arg), void *arg);
void loop_wake(struct loop *loop);

/* Runs until loop_stop, which ends it after the round. AZ_IO. */
AZ_CHECKED enum az_status loop_run(struct loop *loop, struct az_err *reterr);
void loop_stop(struct loop *loop);

#endif
