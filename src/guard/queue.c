/*
 * Three files, of which each has one writer:
 *
 *	queue       header "AZGQUEUE", u32 slots; from byte 4096 on slots of 1024 bytes, event n in slot n % slots
 *	              slot: u64 number, sealed event, padded so that all have one size
 *	lost        events lost ever, and of these told: by who appends
 *	delivered   how far the house has them, and the shift: by who delivers
 *
 * A slot is written where the oldest delivered event was, by one write and one flush, so a torn one costs nothing that
 * was acknowledged: its seal does not open, and it is not there. The two small files are replaced whole.
 *
 * The event of what was lost carries the sum of all times, so that telling it twice after a crash cannot happen: what
 * was told is the largest sum that stands in the file or in a slot.
 */
#include "guard/queue.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/wire.h"
#include "crypto/hash.h"
#include "crypto/seal.h"

#define QUEUE_MAGIC     "AZGQUEUE"
#define LOST_MAGIC      "AZGLOST"
#define DELIVERED_MAGIC "AZGDONE"
#define FORMAT          1u
#define SLOTS_AT        4096u
#define SLOT_SIZE       1024u
#define SLOTS_AT_ONCE   32u
#define NUMBER_SIZE     8u
#define PLAIN_SIZE      (SLOT_SIZE - NUMBER_SIZE - SEAL_OVERHEAD)
#define PAIR_SIZE       16u
#define SMALL_SIZE      (FILE_HEADER_SIZE + PAIR_SIZE + SEAL_OVERHEAD)
#define PLACE_SIZE      16u /* the associated data: what it is, and its number */

struct queue {
	int dirfd; /* the caller's */
	int fd;
	uint8_t house[HOUSE_ID_SIZE];
	struct seal_key *key;
	uint32_t room;
	uint64_t last, delivered, shift;
	uint64_t lost, told;
};

static void
place_of(const char magic[8], uint64_t number, uint8_t place[PLACE_SIZE])
{
	memcpy(place, magic, 8);
	wire_store_u64(place + 8, number);
}

static struct file_header
header_of(const struct queue *queue, const char *magic)
{
	struct file_header header = {.format = FORMAT};

	memcpy(header.magic, magic, strlen(magic));
	memcpy(header.house, queue->house, HOUSE_ID_SIZE);
	return header;
}

/* --- the small files -------------------------------------------------------------------------- */

static enum az_status
pair_write(struct queue *queue, const char *name, const char *magic, uint64_t first,
    uint64_t second, struct az_err *reterr)
{
	struct file_header header = header_of(queue, magic);
	uint8_t data[SMALL_SIZE];
	uint8_t plain[PAIR_SIZE];
	uint8_t place[PLACE_SIZE];
	enum az_status status;

	file_header_encode(&header, data);
	wire_store_u64(plain, first);
	wire_store_u64(plain + 8, second);
	place_of(header.magic, 0, place);
	status = seal(queue->key, bytes_make(place, sizeof(place)),
	    bytes_make(plain, sizeof(plain)), data + FILE_HEADER_SIZE, reterr);
	if (status == AZ_OK)
		status =
		    file_replace(queue->dirfd, name, bytes_make(data, sizeof(data)), 0600, reterr);
	return status;
}

/* Zeros if there is no such file. */
static enum az_status
pair_read(struct queue *queue, const char *name, const char *magic, uint64_t *ret_first,
    uint64_t *ret_second, struct az_err *reterr)
{
	struct file_header header = header_of(queue, magic);
	struct buffer bytes;
	uint8_t plain[PAIR_SIZE];
	uint8_t place[PLACE_SIZE];
	enum az_status status;

	*ret_first = 0;
	*ret_second = 0;
	buffer_init(&bytes, SMALL_SIZE + 1, false);
	status = file_read_whole(queue->dirfd, name, &bytes, reterr);
	if (status == AZ_OK && bytes.size != SMALL_SIZE)
		status = az_fail(reterr, AZ_CORRUPT, "%s: it has a wrong size", name);
	if (status == AZ_OK)
		status = file_header_check(bytes.data, &header, name, reterr);
	place_of(header.magic, 0, place);
	if (status == AZ_OK)
		status = seal_open(queue->key, bytes_make(place, sizeof(place)),
		    bytes_make(bytes.data + FILE_HEADER_SIZE, SMALL_SIZE - FILE_HEADER_SIZE), plain,
		    reterr);
	buffer_fini(&bytes);
	if (status == AZ_NOT_FOUND)
		return AZ_OK;
	if (status == AZ_FORGED)
		return az_fail(reterr, AZ_FORGED, "%s: it is not this guard's", name);
	if (status == AZ_OK) {
		*ret_first = wire_load_u64(plain);
		*ret_second = wire_load_u64(plain + 8);
	}
	return status;
}

static enum az_status
lost_write(struct queue *queue, struct az_err *reterr)
{
	return pair_write(queue, "lost", LOST_MAGIC, queue->lost, queue->told, reterr);
}

/* --- the slots -------------------------------------------------------------------------------- */

static uint64_t
slot_offset(const struct queue *queue, uint64_t number)
{
	return SLOTS_AT + number % queue->room * SLOT_SIZE;
}

/* The event in the bytes of a slot, if it is that of number. */
static bool
slot_open(struct queue *queue, const uint8_t slot[SLOT_SIZE], uint64_t number,
    struct endpoint_event *ret_event)
{
	uint8_t place[PLACE_SIZE];
	uint8_t plain[PLAIN_SIZE];
	struct wire_reader reader;
	struct bytes encoded;
	bool good;

	if (wire_load_u64(slot) != number)
		return false;
	place_of(QUEUE_MAGIC, number, place);
	if (seal_open(queue->key, bytes_make(place, sizeof(place)),
		bytes_make(slot + NUMBER_SIZE, SLOT_SIZE - NUMBER_SIZE), plain, NULL) != AZ_OK)
		return false;
	wire_reader_init(&reader, bytes_make(plain, sizeof(plain)));
	encoded = wire_get_bytes(&reader, ENDPOINT_EVENT_MAX);
	good = !reader.failed;
	wire_reader_init(&reader, encoded);
	good = good && endpoint_get(&reader, ret_event) && wire_end(&reader);
	az_wipe(plain, sizeof(plain));
	return good;
}

/* Writes an event behind the last one, and flushes. */
static enum az_status
slot_write(struct queue *queue, const struct endpoint_event *event, struct az_err *reterr)
{
	uint8_t slot[SLOT_SIZE];
	uint8_t plain[PLAIN_SIZE] = {0};
	uint8_t place[PLACE_SIZE];
	struct wire_writer writer;
	struct buffer encoded;
	uint64_t number = queue->last + 1;
	enum az_status status;

	buffer_init(&encoded, ENDPOINT_EVENT_MAX, true);
	wire_writer_init(&writer, &encoded);
	endpoint_put(&writer, event);
	status = writer.status;
	if (status == AZ_OK) {
		wire_store_u32(plain, (uint32_t)encoded.size);
		memcpy(plain + 4, encoded.data, encoded.size);
		wire_store_u64(slot, number);
		place_of(QUEUE_MAGIC, number, place);
		status = seal(queue->key, bytes_make(place, sizeof(place)),
		    bytes_make(plain, sizeof(plain)), slot + NUMBER_SIZE, reterr);
	} else {
		(void)az_fail(reterr, status, "queue: an event is too large");
	}
	buffer_fini(&encoded);
	az_wipe(plain, sizeof(plain));
	if (status == AZ_OK)
		status = file_write_at(
		    queue->fd, bytes_make(slot, sizeof(slot)), slot_offset(queue, number), reterr);
	if (status == AZ_OK && fdatasync(queue->fd) != 0)
		status = az_fail_errno(reterr, AZ_IO, errno, "queue: flush");
	if (status == AZ_OK)
		queue->last = number;
	return status;
}

/* --- opening ---------------------------------------------------------------------------------- */

/* An empty queue, with its space taken from the disk: appending needs none. */
static enum az_status
create(struct queue *queue, uint32_t room, struct az_err *reterr)
{
	struct file_header header = header_of(queue, QUEUE_MAGIC);
	uint8_t data[FILE_HEADER_SIZE + 4];
	int reason = 0;
	int fd = openat(
	    queue->dirfd, ".tmp-queue", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	enum az_status status = AZ_OK;

	if (fd < 0)
		return az_fail_errno(reterr, AZ_IO, errno, "queue");
	file_header_encode(&header, data);
	wire_store_u32(data + FILE_HEADER_SIZE, room);
	reason = posix_fallocate(fd, 0, (off_t)SLOTS_AT + (off_t)room * SLOT_SIZE);
	if (reason != 0)
		status = az_fail_errno(reterr, AZ_LIMIT, reason, "queue: room on the disk");
	if (status == AZ_OK)
		status = file_write_at(fd, bytes_make(data, sizeof(data)), 0, reterr);
	if (status == AZ_OK &&
	    (fsync(fd) != 0 || renameat(queue->dirfd, ".tmp-queue", queue->dirfd, "queue") != 0 ||
		fsync(queue->dirfd) != 0))
		status = az_fail_errno(reterr, AZ_IO, errno, "queue");
	fd_close(&fd);
	return status;
}

static enum az_status
open_slots(struct queue *queue, uint32_t room, struct az_err *reterr)
{
	struct file_header header = header_of(queue, QUEUE_MAGIC);
	uint8_t data[FILE_HEADER_SIZE + 4];
	struct stat info;
	enum az_status status = AZ_OK;

	queue->fd = openat(queue->dirfd, "queue", O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (queue->fd < 0 && errno == ENOENT) {
		status = create(queue, room, reterr);
		if (status != AZ_OK)
			return status;
		queue->fd = openat(queue->dirfd, "queue", O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	}
	if (queue->fd < 0 || fstat(queue->fd, &info) != 0)
		return az_fail_errno(reterr, AZ_IO, errno, "queue");
	status = file_read_at(queue->fd, data, sizeof(data), 0, reterr);
	if (status == AZ_OK)
		status = file_header_check(data, &header, "queue", reterr);
	queue->room = wire_load_u32(data + FILE_HEADER_SIZE);
	if (status == AZ_OK &&
	    (queue->room == 0 || queue->room > QUEUE_ROOM_MAX ||
		info.st_size != (off_t)SLOTS_AT + (off_t)queue->room * SLOT_SIZE))
		status = az_fail(reterr, AZ_CORRUPT, "queue: it has a wrong size");
	return status;
}

/* Looks at one slot: its event may be the last one, or say how many were told to be lost. */
static void
take_slot(struct queue *queue, uint32_t at, const uint8_t slot[SLOT_SIZE])
{
	struct endpoint_event event;
	uint64_t number = wire_load_u64(slot);

	/* What is not whole is not there. */
	if (number <= queue->delivered || number % queue->room != at ||
	    number - queue->delivered > queue->room || !slot_open(queue, slot, number, &event))
		return;
	if (number > queue->last)
		queue->last = number;
	if (event.kind == ENDPOINT_LOST && event.count > queue->told)
		queue->told = event.count;
}

static enum az_status
find_last(struct queue *queue, struct az_err *reterr)
{
	uint8_t slots[SLOTS_AT_ONCE * SLOT_SIZE];
	enum az_status status = AZ_OK;

	queue->last = queue->delivered;
	for (uint32_t at = 0; at < queue->room && status == AZ_OK; at += SLOTS_AT_ONCE) {
		uint32_t count =
		    queue->room - at < SLOTS_AT_ONCE ? queue->room - at : SLOTS_AT_ONCE;

		status = file_read_at(queue->fd, slots, (size_t)count * SLOT_SIZE,
		    SLOTS_AT + (uint64_t)at * SLOT_SIZE, reterr);
		for (uint32_t i = 0; i < count && status == AZ_OK; i++)
			take_slot(queue, at + i, slots + (size_t)i * SLOT_SIZE);
	}
	if (queue->lost < queue->told)
		queue->lost = queue->told;
	return status;
}

enum az_status
queue_open(int dirfd, const uint8_t house[HOUSE_ID_SIZE], const struct secret *seed, uint32_t room,
    struct queue **ret_queue, struct az_err *reterr)
{
	struct queue *queue = calloc(1, sizeof(*queue));
	struct secret *key = NULL;
	enum az_status status;

	if (queue == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "queue: out of memory");
	queue->dirfd = dirfd;
	queue->fd = -1;
	memcpy(queue->house, house, HOUSE_ID_SIZE);
	status = kdf_derive(seed, house, "guard-queue", 0, &key, reterr);
	if (status == AZ_OK)
		status = seal_key_new(secret_peek(key), &queue->key, reterr);
	secret_free(&key);
	if (status == AZ_OK)
		status = open_slots(queue, room, reterr);
	if (status == AZ_OK)
		status = pair_read(
		    queue, "delivered", DELIVERED_MAGIC, &queue->delivered, &queue->shift, reterr);
	if (status == AZ_OK)
		status = pair_read(queue, "lost", LOST_MAGIC, &queue->lost, &queue->told, reterr);
	if (status == AZ_OK)
		status = find_last(queue, reterr);
	if (status == AZ_OK)
		*ret_queue = queue;
	else
		queue_close(&queue);
	return status;
}

void
queue_close(struct queue **queue)
{
	struct queue *closed = *queue;

	if (closed == NULL)
		return;
	*queue = NULL;
	seal_key_free(&closed->key);
	fd_close(&closed->fd);
	free(closed);
}

/* --- appending -------------------------------------------------------------------------------- */

static bool
is_full(const struct queue *queue)
{
	return queue->last - queue->delivered >= queue->room;
}

/* Says how many were lost, once there is room to say it. */
static enum az_status
tell_lost(struct queue *queue, struct az_err *reterr)
{
	struct endpoint_event event = {
	    .kind = ENDPOINT_LOST, .time_us = clock_now_us(), .count = queue->lost};
	enum az_status status;

	if (queue->lost == queue->told || is_full(queue))
		return AZ_OK;
	status = slot_write(queue, &event, reterr);
	if (status != AZ_OK)
		return status;
	queue->told = queue->lost;
	return lost_write(queue, reterr);
}

enum az_status
queue_append(struct queue *queue, const struct endpoint_event *event, struct az_err *reterr)
{
	enum az_status status = tell_lost(queue, reterr);

	if (status == AZ_OK && is_full(queue))
		status = az_fail(reterr, AZ_LIMIT, "queue: it is full; an event is lost");
	if (status == AZ_OK)
		status = slot_write(queue, event, reterr);
	if (status == AZ_OK)
		return AZ_OK;
	queue->lost++;
	/* Where not even this can be kept, it is told with the next one of this process. */
	az_ignore(lost_write(queue, NULL));
	return status;
}

uint64_t
queue_last(const struct queue *queue)
{
	return queue->last;
}

uint64_t
queue_delivered(const struct queue *queue)
{
	return queue->delivered;
}

uint64_t
queue_shift(const struct queue *queue)
{
	return queue->shift;
}

void
queue_note_delivered(struct queue *queue, uint64_t delivered)
{
	if (delivered > queue->delivered && delivered <= queue->last)
		queue->delivered = delivered;
}

void
queue_note_last(struct queue *queue, uint64_t last)
{
	if (last > queue->last && last - queue->delivered <= queue->room)
		queue->last = last;
}

uint32_t
queue_room(const struct queue *queue)
{
	return queue->room;
}

enum az_status
queue_each(struct queue *queue,
    void (*each)(void *arg, uint64_t number, const struct endpoint_event *event), void *arg,
    struct az_err *reterr)
{
	enum az_status status = AZ_OK;

	for (uint32_t at = 0; at < queue->room && status == AZ_OK; at++) {
		uint8_t slot[SLOT_SIZE];
		struct endpoint_event event;
		uint64_t number;

		status = file_read_at(
		    queue->fd, slot, sizeof(slot), SLOTS_AT + (uint64_t)at * SLOT_SIZE, reterr);
		number = status == AZ_OK ? wire_load_u64(slot) : 0;
		if (number != 0 && number <= queue->last && number % queue->room == at &&
		    slot_open(queue, slot, number, &event))
			each(arg, number, &event);
	}
	return status;
}

/* --- delivering ------------------------------------------------------------------------------- */

enum az_status
queue_read(
    struct queue *queue, uint64_t number, struct endpoint_event *ret_event, struct az_err *reterr)
{
	uint8_t slot[SLOT_SIZE];
	struct endpoint_event event = {0};
	enum az_status status =
	    file_read_at(queue->fd, slot, sizeof(slot), slot_offset(queue, number), reterr);

	if (status != AZ_OK)
		return status;
	if (!slot_open(queue, slot, number, &event))
		event = (struct endpoint_event){
		    .kind = ENDPOINT_DAMAGED, .time_us = clock_now_us(), .count = number};
	*ret_event = event;
	return AZ_OK;
}

enum az_status
queue_deliver(struct queue *queue, uint64_t number, uint64_t shift, struct az_err *reterr)
{
	enum az_status status =
	    pair_write(queue, "delivered", DELIVERED_MAGIC, number, shift, reterr);

	if (status != AZ_OK)
		return status;
	queue->delivered = number;
	queue->shift = shift;
	if (queue->last < number)
		queue->last = number;
	return AZ_OK;
}
