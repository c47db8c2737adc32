/*
 * What other machines' own logs say of devices: one line of JSON, as collectors forward it.
 *
 * Windows events      of winlogbeat ("winlog"), of an event's XML as JSON ("Event", as evtx_dump and others write it), flat as
 *                     NXLog writes them
 * osquery results     of usb_devices, disk_info and disk_events: one row a line, or batches
 *
 * Promises  a line gives the same events whenever it is read, but for who was signed in, which other lines say; what is told of a desk names it; a line that is no such thing, or
 *           says less than an event must, is refused with the reason and nothing of its contents.
 * Not       it trusts what a log says: whoever rules a desk can have its log say anything.
 * Threads   none of its own.
 */
#ifndef AZ_GUARD_FORWARDED_H
#define AZ_GUARD_FORWARDED_H

#include "base/bytes.h"
#include "proto/endpoint.h"

#define FORWARDED_LINE_MAX (256u * 1024u)
#define FORWARDED_ROWS_MAX 256u /* of one batch of osquery */

/* Once, before the process is shut in: opens what the parser would open at its first line. */
void forwarded_prepare(void);

/* What a line is. Codes are sent between processes; never reused. */
enum forwarded_fault {
	FORWARDED_NONE = 0, /* never */
	FORWARDED_GOOD = 1, /* whether it was of a device or not */
	FORWARDED_TOO_LONG = 2,
	FORWARDED_NO_JSON = 3, /* also an object that has a name twice */
	FORWARDED_UNKNOWN = 4, /* JSON, and none of the forms above */
	FORWARDED_NO_DESK = 5,
	FORWARDED_NO_TIME = 6,
	FORWARDED_NO_NUMBER = 7, /* of the event, or its record */
	FORWARDED_NO_ROWS = 8,
	FORWARDED_FAULTS,
};
/* In words, to stand behind a line's number. */
const char *forwarded_fault_text(enum forwarded_fault fault);

struct forwarded_sink {
	void (*take)(void *arg, const struct endpoint_event *event);
	void *arg;
};

/*
 * Who is signed in at desks, as their logs said last: events of devices name the machine's own account. Zero it. Where there are
 * too many desks, who was heard of longest ago is forgotten.
 */
#define FORWARDED_DESKS_MAX 2048u
struct forwarded_desks {
	struct {
		char desk[64];
		char user[64]; /* "": nobody */
	} items[FORWARDED_DESKS_MAX];
	size_t next; /* of the next one that is new */
};

/*
 * Reads a line, without its end, and calls take for each event of a device in it: none for events of other things. On a fault
 * nothing was taken. desks is used and changed by it.
 */
enum forwarded_fault forwarded_read(
    struct bytes line, struct forwarded_desks *desks, const struct forwarded_sink *sink);

#endif
