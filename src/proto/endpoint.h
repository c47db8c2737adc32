/*
 * What an endpoint guard tells the house: one event for each thing that was plugged in or happened to the guard
 * (docs/format/endpoint.md). The same bytes lie in the guard's queue and travel inside the channel.
 */
#ifndef AZ_PROTO_ENDPOINT_H
#define AZ_PROTO_ENDPOINT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/wire.h"

enum endpoint_kind {
	ENDPOINT_NONE = 0,
	ENDPOINT_REFUSED = 1, /* an interface */
	ENDPOINT_ALLOWED = 2,
	ENDPOINT_DISK = 3,     /* a disk that came by another way */
	ENDPOINT_STARTED = 4,  /* the guard */
	ENDPOINT_LOST = 5,     /* count: events that the queue had no room for, ever */
	ENDPOINT_RESTORED = 6, /* the queue is older than what the house has of it */
	ENDPOINT_DAMAGED = 7,  /* stands for an event that could not be read */
	ENDPOINT_GRANTED = 8,  /* an interface, to be read only; count: the grant */
	/* What desks without a guard say of themselves in their own logs, which another host forwards. */
	ENDPOINT_DESK_REFUSED = 9, /* its policy did */
	ENDPOINT_DESK_SEEN = 10,   /* it was plugged in; whether it works is not said */
	ENDPOINT_DESK_DISK = 11,   /* a disk that works there */
	ENDPOINT_DESK_UNREAD = 12, /* count: lines of those logs that could not be read */
	ENDPOINT_COUNT = 13,
};
/* NULL for what is none. */
const char *endpoint_kind_name(enum endpoint_kind kind);
/* Whether it comes from the log of a desk. */
bool endpoint_is_forwarded(enum endpoint_kind kind);

#define ENDPOINT_TEXT_SIZE 129u /* of a serial and a label, with the NUL */

/* Texts are printable ASCII, and may be empty; that of a desk is not, where one forwards what is plugged in there. */
struct endpoint_event {
	uint8_t kind; /* enum endpoint_kind */
	uint8_t interface_class, subclass, protocol;
	uint16_t vendor, product;
	int64_t time_us; /* by the endpoint's clock */
	uint64_t count;
	char users[128]; /* who is signed in there, with commas between */
	char place[64];  /* the interface's or the disk's name; of a forwarded one, its log */
	char serial[ENDPOINT_TEXT_SIZE]; /* what the device says of itself */
	char label[ENDPOINT_TEXT_SIZE];
	char desk[64]; /* of a forwarded one, which has its number in the desk's log as count */
};
#define ENDPOINT_EVENT_MAX 564u /* bytes of an encoded one */

void endpoint_put(struct wire_writer *writer, const struct endpoint_event *event);
/* False, and the reader has failed, for what cannot be an event. */
bool endpoint_get(struct wire_reader *reader, struct endpoint_event *ret_event) AZ_CHECKED;

/* What a guard may let in: the answer to each of its reports has all of them, end to end. */
struct endpoint_grant {
	uint32_t id;
	uint16_t vendor, product;
	int64_t until_us;
	uint8_t access;                  /* enum grant_access */
	char serial[ENDPOINT_TEXT_SIZE]; /* never empty */
};
enum grant_access {
	GRANT_NOTHING = 0,
	GRANT_READ = 1,
	GRANT_WRITE = 2 /* by the guard, after the house's yes */
};
#define ENDPOINT_GRANTS_MAX 32u
#define ENDPOINT_GRANT_SIZE 149u /* bytes of the largest */
void endpoint_grant_put(struct wire_writer *writer, const struct endpoint_grant *grant);
bool endpoint_grant_get(struct wire_reader *reader, struct endpoint_grant *ret_grant) AZ_CHECKED;

#endif
