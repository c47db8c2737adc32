/*
 * The process that reads forwarded events: lines of JSON in, events out. It parses what other machines say, and so has no key,
 * opens nothing, and is believed no more than its events can say.
 */
#ifndef AZ_GUARD_LINES_H
#define AZ_GUARD_LINES_H

#include <stdint.h>

/* Frames from it, in the order of the lines; docs/format/endpoint.md. */
enum lines_message {
	LINES_EVENT = 1,   /* an event (proto/endpoint.h) */
	LINES_REFUSED = 2, /* u64 line, u8 enum forwarded_fault */
	LINES_END = 3,     /* u64 lines, u64 of these: of no device */
};
#define LINES_BODY_MAX 1024u

/* Shuts itself in and serves: lines from input_fd, frames to fd. Returns the exit code. */
int lines_run(int fd, int input_fd);

#endif
