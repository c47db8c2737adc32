/*
 * Endpoint guards as fronts: they sign in with an authenticator of their own, tell what is plugged in where people sit,
 * and are missed when they fall silent.
 */
#ifndef AZ_CUSTODY_GUARDS_H
#define AZ_CUSTODY_GUARDS_H

#include "custody/custody_internal.h"

/* What is known of the guard of one device; by the device's number. */
struct guard_post {
	int64_t guarded_us; /* of the authenticator that the rest is about */
	uint64_t last;      /* the number of its last event that an entry was submitted for */
	uint64_t durable;   /* of the last one whose entry is durable */
	int64_t since_us;   /* monotonic: when this run came to know it */
	int64_t heard_us;   /* monotonic: when it was last heard; 0: not in this run */
	bool alarmed;       /* its silence is an entry already */
	struct custody_front *front; /* that it is signed in at, or NULL */
};
void guards_free(struct custody *custody);
AZ_CHECKED enum az_status guard_apply(
    struct custody *custody, uint64_t id, struct bytes thing, struct az_err *reterr);

/* In the custody's words: none, silent or live; of an unknown device none. */
enum guard_state guard_state_of(const struct custody *custody, uint32_t device);
const char *guard_state_name(enum guard_state state);
/* When it was last heard, by the wall clock; 0: not since the start. */
int64_t guard_heard_us(const struct custody *custody, uint32_t device);
/* Misses those that are silent. */
void guards_tick(struct custody *custody);
/* The connection of a guard has gone. */
void guard_leave(struct custody_front *front);

/* In an alarm: what it is about, as words; NULL for others. */
enum alarm_detail {
	ALARM_CALLS = 1, /* of a budget: a review is due */
	ALARM_SEARCHES = 2,
	ALARM_SILENT = 3,       /* subject: the device; detail64: when it was last heard, or 0 */
	ALARM_GAP = 4,          /* subject: the device; detail64: events that never came */
	ALARM_COSIGNATURES = 5, /* subject: the log that waits for longest; detail64: how many do */
};
/* Also of what a guard forwarded, if somebody should look at it. */
const char *alarm_text(const struct ledger_entry *entry);

/* The device where something was plugged in; 0: a desk that is not enrolled. Of other entries their own. */
uint32_t plugged_device(const struct ledger_entry *entry);

/* An entry of what was plugged in, in the words of an answer: members of the object that is open. */
void answer_plugged(struct wire_writer *writer, const struct custody *custody,
    const struct ledger_entry *entry, uint64_t index);

/* An entry that the house makes about the guard of a device; without a human. */
struct ledger_entry guard_entry(
    const struct custody *custody, uint32_t device, enum entry_type type);

void verb_put_sign_in(struct request *request, const union front_request *body);
void verb_device_guard(struct request *request, const union front_request *body);
void verb_guard_sign_in(struct request *request, const union front_request *body);
void verb_guard_report(struct request *request, const union front_request *body);
void verb_ledger_plugged(struct request *request, const union front_request *body);

#endif
