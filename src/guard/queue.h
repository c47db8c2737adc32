/*
 * What the house has not been told yet: a ring of sealed events on disk, with room for a fixed number of them.
 *
 * Promises  an event that was appended survives kill -9 and, as far as the disk's flush is honest, power loss; events
 *           come out in order, each with its number; where there is no room the oldest stay, and how many were lost is
 *           itself an event as soon as there is room. Nobody but the holder of the guard's key can read or make one.
 * Not       it does not find that the whole folder was put back to an older state; the house does (teller.c).
 * Threads   one process appends, one delivers (queue_deliver); each opens its own.
 */
#ifndef AZ_GUARD_QUEUE_H
#define AZ_GUARD_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/file.h"
#include "base/secret.h"
#include "base/status.h"
#include "proto/endpoint.h"

#define QUEUE_ROOM     16384u /* a week of 10,000 events, and more */
#define QUEUE_ROOM_MAX (1u << 20)

struct queue;

/*
 * Opens the queue in a folder, made with that much room if there is none; an existing one keeps its room. seed: of the
 * guard's key file. AZ_LIMIT: no space on the disk. AZ_FORGED: it belongs to another house or another key.
 * AZ_CORRUPT, AZ_IO, AZ_NO_MEMORY.
 */
AZ_CHECKED enum az_status queue_open(int dirfd, const uint8_t house[HOUSE_ID_SIZE],
    const struct secret *seed, uint32_t room, struct queue **ret_queue, struct az_err *reterr);
void queue_close(struct queue **queue);

/*
 * Appends an event and flushes it. AZ_LIMIT: there is no room, and it is counted as lost, durably. AZ_IO: it could not be
 * kept, and is counted so if that can be kept.
 */
AZ_CHECKED enum az_status queue_append(
    struct queue *queue, const struct endpoint_event *event, struct az_err *reterr);

/* Numbers count from 1 in the order of appending: the last one appended, the last one delivered. */
uint64_t queue_last(const struct queue *queue);
uint64_t queue_delivered(const struct queue *queue);
/* What is added to a number to get the one the house knows it by; 0 unless the queue was put back once. */
uint64_t queue_shift(const struct queue *queue);

/* To the process that appends: the other one has delivered that far. To the one that delivers: there is that much. */
void queue_note_delivered(struct queue *queue, uint64_t delivered);
void queue_note_last(struct queue *queue, uint64_t last);

/* How many events it has room for. */
uint32_t queue_room(const struct queue *queue);
/*
 * Calls each(arg, number, event) for every event that still lies there whole, delivered or not, in no order: about the newest
 * queue_room of them. AZ_IO.
 */
AZ_CHECKED enum az_status queue_each(struct queue *queue,
    void (*each)(void *arg, uint64_t number, const struct endpoint_event *event), void *arg,
    struct az_err *reterr);

/* One event that is not delivered yet. What cannot be read comes back as ENDPOINT_DAMAGED. AZ_IO. */
AZ_CHECKED enum az_status queue_read(
    struct queue *queue, uint64_t number, struct endpoint_event *ret_event, struct az_err *reterr);

/* Everything up to number is the house's: durable when it returns. shift as queue_shift. AZ_IO. */
AZ_CHECKED enum az_status queue_deliver(
    struct queue *queue, uint64_t number, uint64_t shift, struct az_err *reterr);

#endif
