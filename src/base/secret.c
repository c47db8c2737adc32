/*
 * Guarded memory.
 *
 * A region is a run of pages between two pages that may not be touched:
 *
 *	| guard | ......... pages ......... | guard |
 *	                        data lies here ^
 *
 * Its pages are locked (no swap), left out of core files, and zero in a child after fork. What lies in
 * a region ends at its end, so that one byte too many is a fault and not a leak.
 *
 * A large secret has a region of its own. Three pages for every 32-byte key would be wasteful where a
 * house has thousands, and the locked memory of a process is scarce (8 MiB by default), so small
 * secrets share a page, a slab, cut into slots of one size:
 *
 *	| guard | mark | slot | slot | ... | slot | guard |
 *	slot: | secret ... | mark, at least 16 bytes |
 *
 * The mark is 16 random bytes of the slab; behind each secret it is repeated to the end of the slot
 * and looked at when the secret is freed. A wrong mark means that somebody wrote past a secret, and
 * the process ends. After fork secret and mark are zero alike, so a child may still free.
 *
 * An arena reserves its addresses at once but commits and locks them in chunks as it fills, so that a
 * generous maximum costs nothing until it is used.
 */
#include "base/secret.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <unistd.h>

#define SECRET_SIZE_MAX 4096
#define ALIGNMENT       16

#define MARK_SIZE 16
#define SMALL_MAX 256 /* larger secrets get a region of their own */
#define SLOTS_MAX 128

/* Chunks by which an arena grows; the first is all that most requests ever need. */
#define ARENA_CHUNK ((size_t)16 * 1024)
#define ARENA_KEEP  (4 * ARENA_CHUNK) /* committed memory that survives a reset */

struct slab {
	struct slab *next;
	uint8_t *page;
	size_t slot_size;
	size_t slot_count;
	size_t used_count;
	bool used[SLOTS_MAX];
};

struct secret {
	uint8_t *data;
	size_t size;
	struct slab *slab; /* NULL: a region of its own */
	size_t slot;
};

struct arena {
	uint8_t *region; /* first page after the guard */
	size_t region_size;
	size_t committed; /* bytes of the region that may be touched */
	size_t start;     /* where allocations begin, so that max ends at the end guard */
	size_t max;
	size_t used;
};

static atomic_bool lock_required;
static atomic_size_t unlocked_count;

/* Slabs by payload: 32, 64, 128, 256 bytes. */
static const size_t slab_payload[] = {32, 64, 128, SMALL_MAX};
static struct slab *slabs[AZ_ARRAY_SIZE(slab_payload)];
static pthread_mutex_t slabs_lock = PTHREAD_MUTEX_INITIALIZER;

static size_t
page_size(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

static size_t
round_up(size_t size, size_t unit)
{
	return (size + unit - 1) / unit * unit;
}

/* Reserves size bytes, a multiple of the page, between guards; nothing may be touched yet. */
static enum az_status
region_reserve(size_t size, uint8_t **ret_region, struct az_err *reterr)
{
	enum az_status status = AZ_INTERNAL;
	size_t page = page_size();
	size_t total = size + 2 * page;

	uint8_t *map =
	    mmap(NULL, total, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (map == MAP_FAILED)
		return az_fail_errno(reterr, AZ_NO_MEMORY, errno, "guarded memory");
	if (madvise(map, total, MADV_DONTDUMP) != 0 || madvise(map, total, MADV_WIPEONFORK) != 0) {
		status = az_fail_errno(reterr, AZ_NO_MEMORY, errno, "guarded memory");
		(void)munmap(map, total);
		return status;
	}
	*ret_region = map + page;
	return AZ_OK;
}

/* Makes pages of a region usable and locks them; data and size are multiples of the page. */
static enum az_status
region_commit(uint8_t *data, size_t size, struct az_err *reterr)
{
	if (mprotect(data, size, PROT_READ | PROT_WRITE) != 0)
		return az_fail_errno(reterr, AZ_NO_MEMORY, errno, "guarded memory");
	if (mlock(data, size) == 0)
		return AZ_OK;
	if (atomic_load(&lock_required)) {
		int reason = errno;
		(void)mprotect(data, size, PROT_NONE);
		return az_fail_errno(reterr, AZ_LIMIT, reason, "lock memory");
	}
	atomic_fetch_add(&unlocked_count, 1);
	return AZ_OK;
}

static void
region_free(uint8_t *region, size_t size)
{
	size_t page = page_size();

	(void)munmap(region - page, size + 2 * page);
}

void
secret_require_lock(void)
{
	atomic_store(&lock_required, true);
}

size_t
secret_unlocked_count(void)
{
	return atomic_load(&unlocked_count);
}

void
secret_raise_lock_limit(void)
{
	struct rlimit limit = {0};

	if (getrlimit(RLIMIT_MEMLOCK, &limit) != 0)
		return;
	if (geteuid() == 0) {
		struct rlimit unlimited = {.rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY};
		if (setrlimit(RLIMIT_MEMLOCK, &unlimited) == 0)
			return;
	}
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(
	    RLIMIT_MEMLOCK, &limit); /* best effort: mlock tells whether it was enough */
}

/* The region of a large secret or of a slab: whole pages, usable and locked. */
static enum az_status
region_new(size_t size, uint8_t **ret_region, struct az_err *reterr)
{
	enum az_status status = AZ_INTERNAL;
	uint8_t *region = NULL;

	status = region_reserve(size, &region, reterr);
	if (status != AZ_OK)
		return status;
	status = region_commit(region, size, reterr);
	if (status != AZ_OK) {
		region_free(region, size);
		return status;
	}
	*ret_region = region;
	return AZ_OK;
}

static enum az_status
slab_new(size_t payload, struct slab **ret_slab, struct az_err *reterr)
{
	enum az_status status = AZ_INTERNAL;
	struct slab *slab = NULL;
	uint8_t *page = NULL;

	status = region_new(page_size(), &page, reterr);
	if (status != AZ_OK)
		goto out;
	if (getrandom(page, MARK_SIZE, 0) != MARK_SIZE) {
		status = az_fail_errno(reterr, AZ_IO, errno, "mark of guarded memory");
		goto out;
	}
	slab = calloc(1, sizeof(*slab));
	if (!slab) {
		status = az_fail(reterr, AZ_NO_MEMORY, "guarded memory");
		goto out;
	}
	slab->page = page;
	slab->slot_size = payload + MARK_SIZE;
	slab->slot_count = (page_size() - MARK_SIZE) / slab->slot_size;
	if (slab->slot_count > SLOTS_MAX)
		slab->slot_count = SLOTS_MAX;
	*ret_slab = slab;
	page = NULL;
out:
	if (page)
		region_free(page, page_size());
	return status;
}

/* The slots lie against the end guard, the mark at the page's beginning. */
static uint8_t *
slab_slot(const struct slab *slab, size_t slot)
{
	return slab->page + page_size() - (slab->slot_count - slot) * slab->slot_size;
}

/* The bytes behind a secret up to the end of its slot: written at birth, compared at death. */
static void
slab_mark(const struct slab *slab, uint8_t *data, size_t size)
{
	for (size_t i = size; i < slab->slot_size; i++)
		data[i] = slab->page[i % MARK_SIZE];
}

static bool
slab_mark_intact(const struct slab *slab, const uint8_t *data, size_t size)
{
	uint8_t difference = 0;

	for (size_t i = size; i < slab->slot_size; i++)
		difference |= data[i] ^ slab->page[i % MARK_SIZE];
	return difference == 0;
}

static size_t
slab_class(size_t size)
{
	size_t class = 0;

	while (slab_payload[class] < size)
		class ++;
	return class;
}

/* A free slot for size bytes, in a slab of which it is then a part. */
static enum az_status
slab_take(size_t size, struct slab **ret_slab, size_t *ret_slot, struct az_err *reterr)
{
	enum az_status status = AZ_OK;
	size_t class = slab_class(size);
	size_t slot = 0;

	(void)pthread_mutex_lock(&slabs_lock);
	struct slab *slab = slabs[class];
	while (slab && slab->used_count == slab->slot_count)
		slab = slab->next;
	if (!slab) {
		status = slab_new(slab_payload[class], &slab, reterr);
		if (status != AZ_OK)
			goto out;
		slab->next = slabs[class];
		slabs[class] = slab;
	}
	while (slab->used[slot])
		slot++;
	slab->used[slot] = true;
	slab->used_count++;
	*ret_slab = slab;
	*ret_slot = slot;
out:
	(void)pthread_mutex_unlock(&slabs_lock);
	return status;
}

/* Wipes and gives back a slot; a slab with none in use is unmapped unless it is its class's only one. */
static void
slab_give(struct slab *slab, size_t slot)
{
	(void)pthread_mutex_lock(&slabs_lock);
	/* With its mark, so that the next secret here is born zeroed whatever its size. */
	az_wipe(slab_slot(slab, slot), slab->slot_size);
	slab->used[slot] = false;
	slab->used_count--;

	struct slab **at = &slabs[slab_class(slab->slot_size - MARK_SIZE)];
	bool only = *at == slab && !slab->next;
	if (slab->used_count == 0 && !only) {
		while (*at != slab)
			at = &(*at)->next;
		*at = slab->next;
		region_free(slab->page, page_size());
		free(slab);
	}
	(void)pthread_mutex_unlock(&slabs_lock);
}

enum az_status
secret_new(size_t size, struct secret **ret_secret, struct az_err *reterr)
{
	enum az_status status = AZ_INTERNAL;
	uint8_t *region = NULL;

	assert(size >= 1 && size <= SECRET_SIZE_MAX);
	struct secret *secret = calloc(1, sizeof(*secret));
	if (!secret) {
		status = az_fail(reterr, AZ_NO_MEMORY, "secret");
		goto out;
	}
	secret->size = size;
	if (size <= SMALL_MAX) {
		status = slab_take(size, &secret->slab, &secret->slot, reterr);
		if (status != AZ_OK)
			goto out;
		secret->data = slab_slot(secret->slab, secret->slot);
		slab_mark(secret->slab, secret->data, size);
	} else {
		size_t region_size = round_up(size, page_size());
		status = region_new(region_size, &region, reterr);
		if (status != AZ_OK)
			goto out;
		secret->data = region + region_size - round_up(size, ALIGNMENT);
	}
	*ret_secret = secret;
	secret = NULL;
	status = AZ_OK;
out:
	free(secret);
	return status;
}

void
secret_free(struct secret **secret_address)
{
	struct secret *secret = *secret_address;

	if (!secret)
		return;
	*secret_address = NULL;
	/* First of all, so that not even the abort below leaves it behind. */
	az_wipe(secret->data, secret->size);
	if (secret->slab) {
		/* Somebody wrote past a secret: what else was overwritten cannot be known. */
		assert(slab_mark_intact(secret->slab, secret->data, secret->size));
		slab_give(secret->slab, secret->slot);
	} else {
		size_t region_size = round_up(secret->size, page_size());
		region_free(
		    secret->data + round_up(secret->size, ALIGNMENT) - region_size, region_size);
	}
	free(secret);
}

uint8_t *
secret_data(struct secret *secret)
{
	return secret->data;
}

struct bytes
secret_peek(const struct secret *secret)
{
	return bytes_make(secret->data, secret->size);
}

enum az_status
arena_new(size_t max, struct arena **ret_arena, struct az_err *reterr)
{
	enum az_status status = AZ_INTERNAL;

	assert(max > 0 && max <= SIZE_MAX / 4);
	struct arena *arena = calloc(1, sizeof(*arena));
	if (!arena) {
		status = az_fail(reterr, AZ_NO_MEMORY, "arena");
		goto out;
	}
	arena->max = max;
	arena->region_size = round_up(max, page_size());
	arena->start = arena->region_size - round_up(max, ALIGNMENT);
	status = region_reserve(arena->region_size, &arena->region, reterr);
	if (status != AZ_OK)
		goto out;
	*ret_arena = arena;
	arena = NULL;
out:
	free(arena);
	return status;
}

/* Makes the region usable up to end; false if it cannot be. */
static bool
arena_commit(struct arena *arena, size_t end)
{
	if (end <= arena->committed)
		return true;
	size_t target = round_up(end, round_up(ARENA_CHUNK, page_size()));
	if (target > arena->region_size)
		target = arena->region_size;
	enum az_status status =
	    region_commit(arena->region + arena->committed, target - arena->committed, NULL);
	if (status != AZ_OK)
		return false;
	arena->committed = target;
	return true;
}

void *
arena_alloc(struct arena *arena, size_t size)
{
	size_t end = 0;
	size_t begin = round_up(arena->used, ALIGNMENT);

	/* An empty allocation still has an address of its own. */
	if (!az_add(begin, size > 0 ? size : 1, &end) || end > arena->max)
		return NULL;
	if (!arena_commit(arena, arena->start + end))
		return NULL;
	arena->used = end;
	return arena->region + arena->start + begin;
}

struct bytes
arena_copy(struct arena *arena, struct bytes bytes)
{
	uint8_t *data = arena_alloc(arena, bytes.size);

	if (!data)
		return bytes_make(NULL, 0);
	if (bytes.size > 0)
		memcpy(data, bytes.data, bytes.size);
	return bytes_make(data, bytes.size);
}

void
arena_reset(struct arena *arena)
{
	az_wipe(arena->region + arena->start, arena->used);
	arena->used = 0;
	if (arena->committed <= ARENA_KEEP)
		return;

	/* One large request must not hold scarce locked memory for ever. */
	uint8_t *rest = arena->region + ARENA_KEEP;
	size_t size = arena->committed - ARENA_KEEP;
	if (mprotect(rest, size, PROT_NONE) != 0)
		return;
	arena->committed = ARENA_KEEP;
	/* It is wiped and out of reach; should these fail, only memory is lost. */
	(void)munlock(rest, size);
	(void)madvise(rest, size, MADV_DONTNEED);
}

void
arena_free(struct arena **arena_address)
{
	struct arena *arena = *arena_address;

	if (!arena)
		return;
	*arena_address = NULL;
	az_wipe(arena->region + arena->start, arena->used);
	region_free(arena->region, arena->region_size);
	free(arena);
}

/* --- pages ------------------------------------------------------------------------------------ */

bool
pages_new(size_t size, struct pages *ret_pages)
{
	void *data = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (data == MAP_FAILED)
		return false;
	(void)madvise(data, size, MADV_DONTDUMP);
	(void)madvise(data, size, MADV_HUGEPAGE);
	(void)mlock(data, size);
	*ret_pages = (struct pages){.data = data, .size = size};
	return true;
}

void
pages_free(struct pages *pages)
{
	if (pages->data == NULL)
		return;
	az_wipe(pages->data, pages->size);
	(void)munmap(pages->data, pages->size);
	*pages = (struct pages){0};
}
