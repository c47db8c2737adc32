/*
 * Which forwarded events are in the queue already, or were not long ago: as far back as the queue's room reaches.
 *
 * Two events are the same if desk, log, number and time in it, and the device are; who was signed in and the device's label may
 * be said differently on another way. It is made anew of the queue itself at each start, so that it cannot differ from it.
 */
#ifndef AZ_GUARD_SEEN_H
#define AZ_GUARD_SEEN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "proto/endpoint.h"

struct seen;

/* room: of the queue. AZ_NO_MEMORY. */
AZ_CHECKED enum az_status seen_new(uint32_t room, struct seen **ret_seen, struct az_err *reterr);
void seen_free(struct seen **seen);

/* The event that has a number in the queue; the one that was room before it is forgotten. Others than forwarded ones are passed over. */
void seen_add(struct seen *seen, uint64_t number, const struct endpoint_event *event);
bool seen_has(const struct seen *seen, const struct endpoint_event *event);

#endif
