/*
 * The key ring, one sealed file (docs/format/keys.md).
 *
 *   file header, magic "AZRING"              associated data of what follows
 *   sealed under the ring key:
 *     u64 number   u64 next consignment   u32 clients   u32 consignments
 *     client:       u32 client, sealed client key (72 bytes)             ascending
 *     consignment:  u32 client, u64 consignment, sealed key (72 bytes)   ascending by consignment
 *
 *   ring key = key derived from root key ‖ host secret, label "ring"
 *   a client's key is sealed under the ring key, a consignment's under its client's, each with
 *   house ‖ client ‖ consignment as associated data, so that no two can be exchanged.
 *
 * In memory the keys stay wrapped but for those that were asked for: each is unwrapped once, into a
 * small secret of its own (48 bytes of locked memory), which lives until the key is dropped or the ring
 * closed. So opening costs one decryption of the file, however many consignments there are, and a
 * pointer that was handed out stays good.
 *
 * A change is made to a copy of a table, written to disk whole, and only then taken over, so that
 * memory never runs ahead of the disk. After a failed write the disk may be ahead by one change that
 * was not acknowledged; the next change overwrites it.
 *
 * Sealed anew, the ring lies twice for a moment, under the older and under the newer host secret; the one that is
 * kept says which of the two it is.
 */
#include "crypto/ring.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/wire.h"
#include "crypto/hash.h"
#include "crypto/seal.h"

#define WRAPPED_SIZE     (KEY_SIZE + SEAL_OVERHEAD)
#define CLIENT_SIZE      (4 + WRAPPED_SIZE)
#define CONSIGNMENT_SIZE (12 + WRAPPED_SIZE)
#define FIXED_SIZE       24
#define FILE_SIZE_MAX                                                                              \
	(FILE_HEADER_SIZE + SEAL_OVERHEAD + FIXED_SIZE + (size_t)RING_CLIENTS_MAX * CLIENT_SIZE +  \
	    (size_t)RING_CONSIGNMENTS_MAX * CONSIGNMENT_SIZE)

static const char ring_name[] = "ring";
static const char next_name[] = "ring.next";

struct ring_client {
	uint32_t client;
	uint8_t wrapped[WRAPPED_SIZE];
	struct secret *key; /* NULL until it is needed */
};

struct ring_consignment {
	uint32_t client;
	uint64_t consignment;
	uint8_t wrapped[WRAPPED_SIZE];
	struct secret *key; /* NULL until it is needed */
};

struct ring {
	int dirfd;
	uint8_t house[HOUSE_ID_SIZE];
	struct seal_key *key;
	struct secret *root;
	struct ring *prepared; /* what it is once its new host secret is kept, or NULL */
	uint64_t number;
	uint64_t next;
	struct ring_client *clients;
	size_t client_count;
	struct ring_consignment *consignments;
	size_t consignment_count;
};

static struct file_header
ring_header(const uint8_t house[HOUSE_ID_SIZE])
{
	struct file_header header = {.magic = "AZRING", .format = 1};

	memcpy(header.house, house, HOUSE_ID_SIZE);
	return header;
}

#define PLACE_SIZE (HOUSE_ID_SIZE + 12)

/* The associated data of a wrapped key; consignment 0 for a client's own. */
static void
place_of(const struct ring *ring, uint32_t client, uint64_t consignment, uint8_t place[PLACE_SIZE])
{
	memcpy(place, ring->house, HOUSE_ID_SIZE);
	wire_store_u32(place + HOUSE_ID_SIZE, client);
	wire_store_u64(place + HOUSE_ID_SIZE + 4, consignment);
}

static enum az_status
unwrap(const struct ring *ring, struct seal_key *under, uint32_t client, uint64_t consignment,
    const uint8_t wrapped[WRAPPED_SIZE], struct secret **ret_key, struct az_err *reterr)
{
	uint8_t place[PLACE_SIZE];
	struct secret *key = NULL;
	enum az_status status = secret_new(KEY_SIZE, &key, reterr);

	if (status != AZ_OK)
		return status;
	place_of(ring, client, consignment, place);
	status = seal_open(under, bytes_make(place, sizeof(place)),
	    bytes_make(wrapped, WRAPPED_SIZE), secret_data(key), reterr);
	if (status != AZ_OK) {
		secret_free(&key);
		return status;
	}
	*ret_key = key;
	return AZ_OK;
}

/* A new random key, wrapped. Its plain form is not kept here. */
static enum az_status
wrap_new(const struct ring *ring, struct seal_key *under, uint32_t client, uint64_t consignment,
    uint8_t wrapped[WRAPPED_SIZE], struct az_err *reterr)
{
	uint8_t place[PLACE_SIZE];
	struct secret *key = NULL;
	enum az_status status = secret_random(KEY_SIZE, &key, reterr);

	if (status != AZ_OK)
		return status;
	place_of(ring, client, consignment, place);
	status = seal(under, bytes_make(place, sizeof(place)), secret_peek(key), wrapped, reterr);
	secret_free(&key);
	return status;
}

static int
compare_client(const void *key, const void *element)
{
	uint32_t wanted = *(const uint32_t *)key;
	uint32_t found = ((const struct ring_client *)element)->client;

	return (wanted > found) - (wanted < found);
}

static int
compare_consignment(const void *key, const void *element)
{
	uint64_t wanted = *(const uint64_t *)key;
	uint64_t found = ((const struct ring_consignment *)element)->consignment;

	return (wanted > found) - (wanted < found);
}

static struct ring_client *
find_client(const struct ring *ring, uint32_t client)
{
	if (ring->client_count == 0)
		return NULL;
	return bsearch(
	    &client, ring->clients, ring->client_count, sizeof(*ring->clients), compare_client);
}

static struct ring_consignment *
find_consignment(const struct ring *ring, uint64_t consignment)
{
	if (ring->consignment_count == 0)
		return NULL;
	return bsearch(&consignment, ring->consignments, ring->consignment_count,
	    sizeof(*ring->consignments), compare_consignment);
}

/* The client's key, as something that can open and seal; the caller frees it. */
static enum az_status
client_key(
    const struct ring *ring, uint32_t client, struct seal_key **ret_key, struct az_err *reterr)
{
	struct ring_client *found = find_client(ring, client);
	enum az_status status;

	if (found == NULL)
		return az_fail(reterr, AZ_NOT_FOUND, "key ring: no client %u", client);
	if (found->key == NULL) {
		status = unwrap(ring, ring->key, client, 0, found->wrapped, &found->key, reterr);
		if (status != AZ_OK)
			return status;
	}
	return seal_key_new(secret_peek(found->key), ret_key, reterr);
}

/* --- the file -------------------------------------------------------------------------------- */

static enum az_status
ring_write(struct ring *ring, const char *name, struct az_err *reterr)
{
	struct file_header header = ring_header(ring->house);
	uint8_t head[FILE_HEADER_SIZE];
	struct buffer body, file;
	struct wire_writer writer;
	enum az_status status;

	file_header_encode(&header, head);
	buffer_init(&body, FILE_SIZE_MAX, true);
	buffer_init(&file, FILE_SIZE_MAX, false);
	wire_writer_init(&writer, &body);
	wire_put_u64(&writer, ring->number);
	wire_put_u64(&writer, ring->next);
	wire_put_u32(&writer, (uint32_t)ring->client_count);
	wire_put_u32(&writer, (uint32_t)ring->consignment_count);
	for (size_t i = 0; i < ring->client_count; i++) {
		wire_put_u32(&writer, ring->clients[i].client);
		wire_put_raw(&writer, ring->clients[i].wrapped, WRAPPED_SIZE);
	}
	for (size_t i = 0; i < ring->consignment_count; i++) {
		wire_put_u32(&writer, ring->consignments[i].client);
		wire_put_u64(&writer, ring->consignments[i].consignment);
		wire_put_raw(&writer, ring->consignments[i].wrapped, WRAPPED_SIZE);
	}
	status = writer.status;
	if (status == AZ_OK)
		status = buffer_append(&file, bytes_make(head, sizeof(head)));
	if (status == AZ_OK)
		status = buffer_reserve(&file, body.size + SEAL_OVERHEAD);
	if (status != AZ_OK) {
		(void)az_fail(reterr, status, "key ring: no room for it");
		goto out;
	}
	status = seal(ring->key, bytes_make(head, sizeof(head)), buffer_peek(&body),
	    file.data + file.size, reterr);
	if (status != AZ_OK)
		goto out;
	file.size += body.size + SEAL_OVERHEAD;
	status = file_replace(ring->dirfd, name, buffer_peek(&file), 0600, reterr);
out:
	buffer_fini(&file);
	buffer_fini(&body);
	return status;
}

static enum az_status
allocate_tables(struct ring *ring)
{
	ring->clients = calloc(ring->client_count + 1, sizeof(*ring->clients));
	ring->consignments = calloc(ring->consignment_count + 1, sizeof(*ring->consignments));
	return ring->clients != NULL && ring->consignments != NULL ? AZ_OK : AZ_NO_MEMORY;
}

/* True if client i is in its place; the tables are searched by halves, so order is part of the format. */
static bool
client_fits(const struct ring *ring, size_t i)
{
	return i == 0 || ring->clients[i].client > ring->clients[i - 1].client;
}

static bool
consignment_fits(const struct ring *ring, size_t i)
{
	uint64_t least = i == 0 ? 1 : ring->consignments[i - 1].consignment + 1;
	uint64_t number = ring->consignments[i].consignment;

	return number >= least && number < ring->next &&
	    find_client(ring, ring->consignments[i].client) != NULL;
}

/* Fills the tables from the opened body. AZ_CORRUPT, AZ_NO_MEMORY. */
static enum az_status
ring_parse(struct ring *ring, struct bytes body)
{
	struct wire_reader reader;
	bool fits = true;
	enum az_status status;

	wire_reader_init(&reader, body);
	ring->number = wire_get_u64(&reader);
	ring->next = wire_get_u64(&reader);
	ring->client_count = wire_get_count(&reader, RING_CLIENTS_MAX, CLIENT_SIZE);
	ring->consignment_count = wire_get_count(&reader, RING_CONSIGNMENTS_MAX, CONSIGNMENT_SIZE);
	status = allocate_tables(ring);
	if (status != AZ_OK) {
		ring->client_count = 0;
		ring->consignment_count = 0;
		return status;
	}
	for (size_t i = 0; i < ring->client_count; i++) {
		ring->clients[i].client = wire_get_u32(&reader);
		wire_get_raw(&reader, ring->clients[i].wrapped, WRAPPED_SIZE);
		fits = fits && client_fits(ring, i);
	}
	for (size_t i = 0; i < ring->consignment_count; i++) {
		ring->consignments[i].client = wire_get_u32(&reader);
		ring->consignments[i].consignment = wire_get_u64(&reader);
		wire_get_raw(&reader, ring->consignments[i].wrapped, WRAPPED_SIZE);
		fits = fits && consignment_fits(ring, i);
	}
	return wire_end(&reader) && fits && ring->next > 0 ? AZ_OK : AZ_CORRUPT;
}

static enum az_status
ring_read(struct ring *ring, struct bytes file, struct az_err *reterr)
{
	struct file_header header = ring_header(ring->house);
	struct bytes sealed;
	struct buffer body;
	enum az_status status;

	if (file.size < FILE_HEADER_SIZE + SEAL_OVERHEAD)
		return az_fail(reterr, AZ_CORRUPT, "key ring: the file is cut short");
	status = file_header_check(file.data, &header, "key ring", reterr);
	if (status != AZ_OK)
		return status;
	sealed = bytes_make(file.data + FILE_HEADER_SIZE, file.size - FILE_HEADER_SIZE);
	buffer_init(&body, FILE_SIZE_MAX, true);
	status = buffer_reserve(&body, sealed.size);
	if (status != AZ_OK) {
		(void)az_fail(reterr, status, "key ring: out of memory");
		goto out;
	}
	status = seal_open(
	    ring->key, bytes_make(file.data, FILE_HEADER_SIZE), sealed, body.data, reterr);
	if (status != AZ_OK) {
		(void)az_fail(reterr, status,
		    "key ring: it does not open under these keys: changed, or from before they "
		    "were "
		    "made anew");
		goto out;
	}
	body.size = sealed.size - SEAL_OVERHEAD;
	status = ring_parse(ring, buffer_peek(&body));
	if (status != AZ_OK)
		(void)az_fail(reterr, status, "key ring: %s",
		    status == AZ_CORRUPT ? "not in its format" : "out of memory");
out:
	buffer_fini(&body);
	return status;
}

/* The key that the ring is sealed under needs both: the root key and the host secret. */
static enum az_status
ring_key(const uint8_t house[HOUSE_ID_SIZE], const struct secret *root, const struct secret *host,
    struct seal_key **ret_key, struct az_err *reterr)
{
	struct bytes root_bytes = secret_peek(root);
	struct bytes host_bytes = secret_peek(host);
	struct secret *both = NULL;
	struct secret *key = NULL;
	enum az_status status;

	/* Of fixed sizes, so that no byte can pass from one to the other. */
	if (root_bytes.size != KEY_SIZE || host_bytes.size != KEY_SIZE)
		return az_fail(
		    reterr, AZ_INTERNAL, "key ring: root key or host secret of a wrong size");
	status = secret_new(2 * KEY_SIZE, &both, reterr);
	if (status != AZ_OK)
		return status;
	memcpy(secret_data(both), root_bytes.data, KEY_SIZE);
	memcpy(secret_data(both) + KEY_SIZE, host_bytes.data, KEY_SIZE);
	status = kdf_derive(both, house, "ring", 0, &key, reterr);
	if (status == AZ_OK)
		status = seal_key_new(secret_peek(key), ret_key, reterr);
	secret_free(&key);
	secret_free(&both);
	return status;
}

static enum az_status
copy_root(struct ring *ring, const struct secret *root, struct az_err *reterr)
{
	enum az_status status = secret_new(KEY_SIZE, &ring->root, reterr);

	if (status == AZ_OK)
		memcpy(secret_data(ring->root), secret_peek(root).data, KEY_SIZE);
	return status;
}

static enum az_status
take_next(const struct ring *ring, struct az_err *reterr)
{
	if (renameat(ring->dirfd, next_name, ring->dirfd, ring_name) != 0 ||
	    fsync(ring->dirfd) != 0)
		return az_fail_errno(reterr, AZ_IO, errno, "key ring");
	return AZ_OK;
}

/* A crash may have left two: the one that opens is in force. file holds the first. */
static enum az_status
read_either(struct ring *ring, struct buffer *file, struct az_err *reterr)
{
	enum az_status status = ring_read(ring, buffer_peek(file), reterr);

	if (status == AZ_OK) {
		/* Its secret was never kept. */
		if (unlinkat(ring->dirfd, next_name, 0) != 0 && errno != ENOENT)
			return az_fail_errno(reterr, AZ_IO, errno, "key ring");
		return AZ_OK;
	}
	if (status != AZ_FORGED || file_read_whole(ring->dirfd, next_name, file, NULL) != AZ_OK ||
	    ring_read(ring, buffer_peek(file), NULL) != AZ_OK)
		return status;
	return take_next(ring, reterr);
}

enum az_status
ring_open(int dirfd, const uint8_t house[HOUSE_ID_SIZE], const struct secret *root,
    const struct secret *host, bool create, struct ring **ret_ring, struct az_err *reterr)
{
	struct ring *ring = calloc(1, sizeof(*ring));
	struct buffer file;
	enum az_status status;

	if (ring == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "key ring: out of memory");
	ring->dirfd = dirfd;
	ring->next = 1;
	memcpy(ring->house, house, HOUSE_ID_SIZE);
	buffer_init(&file, FILE_SIZE_MAX, false);
	status = ring_key(house, root, host, &ring->key, reterr);
	if (status == AZ_OK)
		status = copy_root(ring, root, reterr);
	if (status != AZ_OK)
		goto out;
	status = file_read_whole(dirfd, ring_name, &file, reterr);
	if (status == AZ_OK)
		status = read_either(ring, &file, reterr);
	else if (status == AZ_NOT_FOUND && create)
		status = ring_write(ring, ring_name, reterr);
	else if (status == AZ_LIMIT)
		status = az_fail(reterr, AZ_CORRUPT, "key ring: larger than a ring can be");
	if (status != AZ_OK)
		goto out;
	*ret_ring = ring;
	ring = NULL;
out:
	buffer_fini(&file);
	ring_free(&ring);
	return status;
}

void
ring_free(struct ring **ring)
{
	if (*ring == NULL)
		return;
	for (size_t i = 0; i < (*ring)->client_count; i++)
		secret_free(&(*ring)->clients[i].key);
	for (size_t i = 0; i < (*ring)->consignment_count; i++)
		secret_free(&(*ring)->consignments[i].key);
	ring_free(&(*ring)->prepared);
	secret_free(&(*ring)->root);
	seal_key_free(&(*ring)->key);
	free((*ring)->clients);
	free((*ring)->consignments);
	free(*ring);
	*ring = NULL;
}

uint64_t
ring_number(const struct ring *ring)
{
	return ring->number;
}

/* --- changes --------------------------------------------------------------------------------- */

/* Writes the changed copy and takes it over, or leaves everything as it was. */
static enum az_status
ring_commit(struct ring *ring, struct ring *changed, struct az_err *reterr)
{
	enum az_status status;

	changed->number = ring->number + 1;
	status = ring_write(changed, ring_name, reterr);
	if (status == AZ_OK)
		*ring = *changed;
	return status;
}

/*
 * A new table: before elements of the old one, a gap of elements, and the rest of the old one without
 * dropped of them. NULL if there is no memory.
 */
static void *
copy_table(const void *old, size_t count, size_t before, size_t gap, size_t dropped, size_t element)
{
	const uint8_t *from = old;
	uint8_t *table = calloc(count + gap - dropped + 1, element);
	size_t after = count - before - dropped;

	if (table == NULL)
		return NULL;
	if (before > 0)
		memcpy(table, from, before * element);
	if (after > 0)
		memcpy(table + (before + gap) * element, from + (before + dropped) * element,
		    after * element);
	return table;
}

enum az_status
ring_add_client(struct ring *ring, uint32_t client, struct az_err *reterr)
{
	struct ring changed = *ring;
	struct ring_client *old = ring->clients;
	size_t place = 0;
	enum az_status status;

	if (ring->prepared != NULL)
		return az_fail(reterr, AZ_BUSY, "key ring: it is being sealed anew");
	if (find_client(ring, client) != NULL)
		return az_fail(
		    reterr, AZ_CONFLICT, "key ring: client %u has a key already", client);
	if (ring->client_count >= RING_CLIENTS_MAX)
		return az_fail(reterr, AZ_LIMIT, "key ring: no room for another client");
	while (place < ring->client_count && old[place].client < client)
		place++;
	changed.clients = copy_table(old, ring->client_count, place, 1, 0, sizeof(*old));
	if (changed.clients == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "key ring: out of memory");
	changed.clients[place].client = client;
	changed.client_count++;
	status = wrap_new(ring, ring->key, client, 0, changed.clients[place].wrapped, reterr);
	if (status == AZ_OK)
		status = ring_commit(ring, &changed, reterr);
	if (status != AZ_OK) {
		free(changed.clients);
		return status;
	}
	free(old);
	return AZ_OK;
}

enum az_status
ring_add_consignment(
    struct ring *ring, uint32_t client, uint64_t *ret_consignment, struct az_err *reterr)
{
	struct ring changed = *ring;
	struct ring_consignment *old = ring->consignments;
	struct ring_consignment *added;
	struct seal_key *key = NULL;
	enum az_status status;

	if (ring->prepared != NULL)
		return az_fail(reterr, AZ_BUSY, "key ring: it is being sealed anew");
	status = client_key(ring, client, &key, reterr);
	if (status != AZ_OK)
		return status;
	if (ring->consignment_count >= RING_CONSIGNMENTS_MAX || ring->next == UINT64_MAX) {
		status = az_fail(reterr, AZ_LIMIT, "key ring: no room for another consignment");
		goto out;
	}
	changed.consignments =
	    copy_table(old, ring->consignment_count, ring->consignment_count, 1, 0, sizeof(*old));
	if (changed.consignments == NULL) {
		status = az_fail(reterr, AZ_NO_MEMORY, "key ring: out of memory");
		goto out;
	}
	added = &changed.consignments[changed.consignment_count++];
	added->client = client;
	added->consignment = changed.next++;
	status = wrap_new(ring, key, client, added->consignment, added->wrapped, reterr);
	if (status == AZ_OK)
		status = ring_commit(ring, &changed, reterr);
	if (status != AZ_OK) {
		free(changed.consignments);
		goto out;
	}
	free(old);
	*ret_consignment = added->consignment;
out:
	seal_key_free(&key);
	return status;
}

enum az_status
ring_drop_consignment(struct ring *ring, uint64_t consignment, struct az_err *reterr)
{
	struct ring changed = *ring;
	struct ring_consignment *old = ring->consignments;
	struct ring_consignment *found = find_consignment(ring, consignment);
	enum az_status status;

	if (ring->prepared != NULL)
		return az_fail(reterr, AZ_BUSY, "key ring: it is being sealed anew");
	if (found == NULL)
		return az_fail(reterr, AZ_NOT_FOUND, "key ring: no consignment %llu",
		    (unsigned long long)consignment);
	changed.consignments =
	    copy_table(old, ring->consignment_count, (size_t)(found - old), 0, 1, sizeof(*old));
	if (changed.consignments == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "key ring: out of memory");
	changed.consignment_count--;
	status = ring_commit(ring, &changed, reterr);
	if (status != AZ_OK) {
		free(changed.consignments);
		return status;
	}
	/* Wrapped or not: the client's key, which stays, would open it. */
	secret_free(&found->key);
	az_wipe(found, sizeof(*found));
	free(old);
	return AZ_OK;
}

/* --- sealing it anew -------------------------------------------------------------------------- */

/* The same clients, their keys wrapped under the new ring's key. */
static enum az_status
wrap_clients(const struct ring *ring, struct ring *next, struct az_err *reterr)
{
	enum az_status status = AZ_OK;

	next->client_count = ring->client_count;
	for (size_t i = 0; i < ring->client_count && status == AZ_OK; i++) {
		const struct ring_client *old = &ring->clients[i];
		uint8_t place[PLACE_SIZE];
		struct secret *key = NULL;

		next->clients[i].client = old->client;
		place_of(ring, old->client, 0, place);
		status = unwrap(ring, ring->key, old->client, 0, old->wrapped, &key, reterr);
		if (status == AZ_OK)
			status = seal(next->key, bytes_make(place, sizeof(place)), secret_peek(key),
			    next->clients[i].wrapped, reterr);
		secret_free(&key);
	}
	return status;
}

static void
copy_consignments(const struct ring *ring, struct ring *next, uint64_t dropped)
{
	for (size_t i = 0; i < ring->consignment_count; i++) {
		const struct ring_consignment *old = &ring->consignments[i];

		if (old->consignment == dropped)
			continue;
		next->consignments[next->consignment_count] = *old;
		/* Unwrapped keys stay where they are until the new ring is taken over. */
		next->consignments[next->consignment_count++].key = NULL;
	}
}

enum az_status
ring_prepare(struct ring *ring, const struct secret *host, uint64_t dropped, struct az_err *reterr)
{
	struct ring *next;
	enum az_status status;

	if (ring->prepared != NULL)
		return az_fail(reterr, AZ_BUSY, "key ring: it is being sealed anew");
	next = calloc(1, sizeof(*next));
	if (next == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "key ring: out of memory");
	next->dirfd = ring->dirfd;
	memcpy(next->house, ring->house, HOUSE_ID_SIZE);
	next->number = ring->number + 1;
	next->next = ring->next;
	next->clients = calloc(ring->client_count + 1, sizeof(*next->clients));
	next->consignments = calloc(ring->consignment_count + 1, sizeof(*next->consignments));
	status = next->clients != NULL && next->consignments != NULL
	    ? ring_key(ring->house, ring->root, host, &next->key, reterr)
	    : az_fail(reterr, AZ_NO_MEMORY, "key ring: out of memory");
	if (status == AZ_OK)
		status = wrap_clients(ring, next, reterr);
	if (status == AZ_OK) {
		copy_consignments(ring, next, dropped);
		status = ring_write(next, next_name, reterr);
	}
	if (status == AZ_OK)
		ring->prepared = next;
	else
		ring_free(&next);
	return status;
}

/* Hands the keys that were unwrapped already over, since pointers to them stay good, and ends what was dropped. */
static void
move_keys(struct ring *ring, struct ring *next)
{
	for (size_t i = 0; i < next->client_count; i++) {
		next->clients[i].key = ring->clients[i].key;
		ring->clients[i].key = NULL;
	}
	for (size_t i = 0; i < next->consignment_count; i++) {
		struct ring_consignment *old =
		    find_consignment(ring, next->consignments[i].consignment);

		assert(old != NULL);
		next->consignments[i].key = old->key;
		old->key = NULL;
	}
	for (size_t i = 0; i < ring->consignment_count; i++)
		secret_free(&ring->consignments[i].key);
	/* Wrapped or not: the clients' keys, which stay, would open them. */
	az_wipe(ring->consignments, ring->consignment_count * sizeof(*ring->consignments));
}

enum az_status
ring_adopt(struct ring *ring, struct az_err *reterr)
{
	struct ring *next = ring->prepared;
	enum az_status status;

	if (next == NULL)
		return az_fail(reterr, AZ_INTERNAL, "key ring: nothing is prepared");
	status = take_next(ring, reterr);
	if (status != AZ_OK)
		return status;
	move_keys(ring, next);
	seal_key_free(&ring->key);
	free(ring->clients);
	free(ring->consignments);
	next->root = ring->root;
	*ring = *next;
	free(next);
	return AZ_OK;
}

void
ring_abandon(struct ring *ring)
{
	ring_free(&ring->prepared);
	/* What stays is dropped when the ring is opened. */
	(void)unlinkat(ring->dirfd, next_name, 0);
}

const struct secret *
ring_consignment(const struct ring *ring, uint32_t client, uint64_t consignment)
{
	struct ring_consignment *found = find_consignment(ring, consignment);
	struct seal_key *key = NULL;

	if (found == NULL || found->client != client)
		return NULL;
	if (found->key == NULL) {
		if (client_key(ring, client, &key, NULL) != AZ_OK)
			return NULL;
		/* Written only on success: else it stays NULL, which is what is returned. */
		(void)unwrap(ring, key, client, consignment, found->wrapped, &found->key, NULL);
		seal_key_free(&key);
	}
	return found->key;
}

bool
ring_has_client(const struct ring *ring, uint32_t client)
{
	return find_client(ring, client) != NULL;
}

void
ring_each(const struct ring *ring, void (*visit)(void *arg, uint32_t client, uint64_t consignment),
    void *arg)
{
	for (size_t i = 0; i < ring->consignment_count; i++)
		visit(arg, ring->consignments[i].client, ring->consignments[i].consignment);
}
