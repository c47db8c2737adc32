/*
 * Memory for keys and plaintext.
 *
 * struct secret is a fixed-size secret between guard pages: locked, left out of core files, zero in a
 * child after fork, wiped on free. Secrets of up to 256 bytes share such pages, with a mark behind
 * each; whoever writes past one ends the process when it is freed. struct arena is the plaintext
 * memory of one request: everything parsed or opened for it is allocated there and wiped with it.
 *
 * Threads  secrets may be made and freed by any thread; an arena is one thread's at a time.
 *
 * Not promised: registers, spilled temporaries and the caller's own copies escape.
 */
#ifndef AZ_BASE_SECRET_H
#define AZ_BASE_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"

struct secret;

/*
 * A zeroed secret of size bytes, 1 to 4096. AZ_LIMIT if the memory cannot be locked and locking was
 * made compulsory by secret_require_lock; AZ_NO_MEMORY.
 */
AZ_CHECKED enum az_status secret_new(
    size_t size, struct secret **ret_secret, struct az_err *reterr);
void secret_free(struct secret **secret);

/* The bytes, until secret_free. */
uint8_t *secret_data(struct secret *secret);
struct bytes secret_peek(const struct secret *secret);

/*
 * From now on memory that cannot be locked is an error (default: it is left unlocked and counted).
 * Call before the first allocation.
 */
void secret_require_lock(void);

/* How many allocations could not be locked. */
size_t secret_unlocked_count(void);

/* Raises the soft limit on locked memory to the hard one; as root, both. Best effort. */
void secret_raise_lock_limit(void);

struct arena;

/*
 * An arena that never holds more than max bytes. Guarded, locked and wiped as a secret, but memory is
 * taken and locked only as it fills, in steps of 16 KiB. AZ_NO_MEMORY.
 */
AZ_CHECKED enum az_status arena_new(size_t max, struct arena **ret_arena, struct az_err *reterr);
void arena_free(struct arena **arena);

/*
 * size zeroed bytes, 16-aligned, until arena_reset or arena_free. NULL if it is full, or if memory must
 * be locked and cannot be.
 */
void *arena_alloc(struct arena *arena, size_t size);

/* A copy of bytes in the arena; data is NULL if it is full. */
struct bytes arena_copy(struct arena *arena, struct bytes bytes);

/* Wipes what was used and starts again. */
void arena_reset(struct arena *arena);

/*
 * Whole pages for very much plaintext at a time: left out of core files and wiped; locked where that is allowed, which
 * is the administrator's to see to. Zeroed. False: there is no memory.
 */
struct pages {
	void *data;
	size_t size;
};
bool pages_new(size_t size, struct pages *ret_pages) AZ_CHECKED;
void pages_free(struct pages *pages);

#endif
