/*
 * A table of digests in chains. Entry n of the chains is that of the queue's slot n; its place in `first` is the start of its
 * digest.
 */
#include "guard/seen.h"

#include <stdlib.h>
#include <string.h>

#include "base/wire.h"
#include "crypto/hash.h"

#define DIGEST_SIZE 16u

struct seen_item {
	uint8_t digest[DIGEST_SIZE];
	bool used;
	uint32_t next; /* slot + 1, or 0 */
};

struct seen {
	uint32_t room;
	uint32_t *first; /* slot + 1, or 0; as many as there are slots */
	struct seen_item *items;
};

enum az_status
seen_new(uint32_t room, struct seen **ret_seen, struct az_err *reterr)
{
	struct seen *seen = calloc(1, sizeof(*seen));

	if (seen != NULL) {
		seen->room = room;
		seen->first = calloc(room, sizeof(*seen->first));
		seen->items = calloc(room, sizeof(*seen->items));
	}
	if (seen == NULL || seen->first == NULL || seen->items == NULL) {
		seen_free(&seen);
		return az_fail(reterr, AZ_NO_MEMORY, "queue: out of memory");
	}
	*ret_seen = seen;
	return AZ_OK;
}

void
seen_free(struct seen **seen)
{
	if (*seen == NULL)
		return;
	free((*seen)->first);
	free((*seen)->items);
	free(*seen);
	*seen = NULL;
}

static void
digest_of(const struct endpoint_event *event, uint8_t ret_digest[DIGEST_SIZE])
{
	const char *const texts[] = {event->desk, event->place, event->serial};
	uint8_t numbers[20];
	uint8_t digest[SHA256_SIZE];
	struct sha256 hash;

	wire_store_u64(numbers, event->count);
	wire_store_u64(numbers + 8, (uint64_t)event->time_us);
	wire_store_u16(numbers + 16, event->vendor);
	wire_store_u16(numbers + 18, event->product);
	sha256_init(&hash);
	sha256_update(&hash, numbers, sizeof(numbers));
	/* Each with its NUL, so that they cannot run into one another. */
	for (size_t i = 0; i < AZ_ARRAY_SIZE(texts); i++)
		sha256_update(&hash, texts[i], strlen(texts[i]) + 1);
	sha256_final(&hash, digest);
	memcpy(ret_digest, digest, DIGEST_SIZE);
}

static uint32_t *
chain_of(const struct seen *seen, const uint8_t digest[DIGEST_SIZE])
{
	return &seen->first[wire_load_u64(digest) % seen->room];
}

static void
forget(struct seen *seen, uint32_t slot)
{
	struct seen_item *item = &seen->items[slot];
	uint32_t *at;

	if (!item->used)
		return;
	at = chain_of(seen, item->digest);
	while (*at != slot + 1)
		at = &seen->items[*at - 1].next;
	*at = item->next;
	item->used = false;
}

void
seen_add(struct seen *seen, uint64_t number, const struct endpoint_event *event)
{
	uint32_t slot = (uint32_t)(number % seen->room);
	struct seen_item *item = &seen->items[slot];
	uint32_t *first;

	forget(seen, slot);
	if (!endpoint_is_forwarded((enum endpoint_kind)event->kind) ||
	    event->kind == ENDPOINT_DESK_UNREAD)
		return;
	digest_of(event, item->digest);
	first = chain_of(seen, item->digest);
	item->next = *first;
	item->used = true;
	*first = slot + 1;
}

bool
seen_has(const struct seen *seen, const struct endpoint_event *event)
{
	uint8_t digest[DIGEST_SIZE];
	uint32_t at;

	digest_of(event, digest);
	for (at = *chain_of(seen, digest); at != 0; at = seen->items[at - 1].next) {
		if (bytes_equal(bytes_make(seen->items[at - 1].digest, DIGEST_SIZE),
			bytes_make(digest, DIGEST_SIZE)))
			return true;
	}
	return false;
}
