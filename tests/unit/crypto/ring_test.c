#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../base/folder.h"
#include "base/wire.h"
#include "crypto/hash.h"
#include "crypto/ring.h"
#include "crypto/seal.h"
#include "hex.h"

#define RING_MAX (16u << 20)

static const uint8_t house[HOUSE_ID_SIZE] = {
    'U', 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

static struct folder folder;
static struct secret *root;
static struct secret *host;

static struct secret *
secret_from(uint8_t first)
{
	struct secret *secret = NULL;

	assert_int_equal(secret_new(KEY_SIZE, &secret, NULL), AZ_OK);
	for (size_t i = 0; i < KEY_SIZE; i++)
		secret_data(secret)[i] = (uint8_t)(first + i);
	return secret;
}

static int
group_setup(void **state)
{
	root = secret_from(0);
	host = secret_from(100);
	return 0;
}

static int
group_teardown(void **state)
{
	secret_free(&root);
	secret_free(&host);
	return 0;
}

static int
setup(void **state)
{
	return folder_make(&folder);
}

static int
teardown(void **state)
{
	return folder_remove(&folder);
}

static struct ring *
open_ring(bool create)
{
	struct ring *ring = NULL;

	assert_int_equal(ring_open(folder.fd, house, root, host, create, &ring, NULL), AZ_OK);
	return ring;
}

static void
assert_open_fails(const struct secret *with_root, const struct secret *with_host, const uint8_t *id,
    enum az_status expected)
{
	struct ring *ring = NULL;
	struct az_err err = {0};

	assert_int_equal(
	    ring_open(folder.fd, id, with_root, with_host, false, &ring, &err), expected);
	assert_int_equal(err.status, expected);
	assert_null(ring);
}

static uint64_t
add(struct ring *ring, uint32_t client)
{
	uint64_t consignment = 0;

	assert_int_equal(ring_add_consignment(ring, client, &consignment, NULL), AZ_OK);
	return consignment;
}

/* Clients 7 and 3 in that order, consignments 1 to 3, of 7, 3 and 7. */
static struct ring *
small_ring(void)
{
	struct ring *ring = open_ring(true);

	assert_int_equal(ring_add_client(ring, 7, NULL), AZ_OK);
	assert_int_equal(ring_add_client(ring, 3, NULL), AZ_OK);
	assert_int_equal(add(ring, 7), 1);
	assert_int_equal(add(ring, 3), 2);
	assert_int_equal(add(ring, 7), 3);
	return ring;
}

static struct bytes
read_ring(struct buffer *file)
{
	buffer_init(file, RING_MAX, true);
	assert_int_equal(file_read_whole(folder.fd, "ring", file, NULL), AZ_OK);
	return buffer_peek(file);
}

/* Without the flushes of file_replace, since hundreds of these files are written. */
static void
write_ring(struct bytes bytes)
{
	int fd = openat(folder.fd, "ring", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(file_write(fd, bytes, NULL), AZ_OK);
	fd_close(&fd);
}

/* --- what it keeps --------------------------------------------------------------------------------- */

static void
a_missing_ring_is_made_only_when_asked(void **state)
{
	struct ring *ring = NULL;

	assert_open_fails(root, host, house, AZ_NOT_FOUND);
	assert_open_fails(root, host, house, AZ_NOT_FOUND);
	ring = open_ring(true);
	assert_int_equal(ring_number(ring), 0);
	ring_free(&ring);
	assert_null(ring);
	ring_free(&ring);
	ring = open_ring(false);
	assert_int_equal(ring_number(ring), 0);
	ring_free(&ring);
}

static void
keys_are_the_same_after_opening_again(void **state)
{
	uint8_t keys[4][KEY_SIZE] = {{0}};
	static const uint32_t clients[4] = {0, 7, 3, 7};
	struct ring *ring = small_ring();

	for (uint64_t i = 1; i <= 3; i++) {
		const struct secret *key = ring_consignment(ring, clients[i], i);

		assert_non_null(key);
		assert_int_equal(secret_peek(key).size, KEY_SIZE);
		memcpy(keys[i], secret_peek(key).data, KEY_SIZE);
		for (uint64_t j = 0; j < i; j++)
			assert_memory_not_equal(keys[i], keys[j], KEY_SIZE);
	}
	assert_int_equal(ring_number(ring), 5);
	ring_free(&ring);
	ring = open_ring(false);
	assert_int_equal(ring_number(ring), 5);
	assert_true(ring_has_client(ring, 7) && ring_has_client(ring, 3));
	for (uint64_t i = 1; i <= 3; i++)
		assert_memory_equal(
		    secret_peek(ring_consignment(ring, clients[i], i)).data, keys[i], KEY_SIZE);
	ring_free(&ring);
}

static void
a_key_stays_where_it_is_while_others_come_and_go(void **state)
{
	struct ring *ring = small_ring();
	const struct secret *key = ring_consignment(ring, 7, 3);
	uint8_t copy[KEY_SIZE];

	memcpy(copy, secret_peek(key).data, KEY_SIZE);
	assert_int_equal(ring_add_client(ring, 1, NULL), AZ_OK);
	for (int i = 0; i < 5; i++)
		(void)add(ring, 1);
	assert_int_equal(ring_drop_consignment(ring, 1, NULL), AZ_OK);
	assert_ptr_equal(ring_consignment(ring, 7, 3), key);
	assert_memory_equal(secret_peek(key).data, copy, KEY_SIZE);
	ring_free(&ring);
}

struct visited {
	uint64_t consignments[8];
	uint32_t clients[8];
	size_t count;
};

static void
visit(void *arg, uint32_t client, uint64_t consignment)
{
	struct visited *visited = arg;

	assert_true(visited->count < 8);
	visited->clients[visited->count] = client;
	visited->consignments[visited->count++] = consignment;
}

static void
consignments_come_in_order_of_number(void **state)
{
	struct ring *ring = small_ring();
	struct visited visited = {.count = 0};

	assert_int_equal(ring_drop_consignment(ring, 2, NULL), AZ_OK);
	assert_int_equal(add(ring, 3), 4);
	ring_each(ring, visit, &visited);
	assert_int_equal(visited.count, 3);
	assert_int_equal(visited.consignments[0], 1);
	assert_int_equal(visited.consignments[1], 3);
	assert_int_equal(visited.consignments[2], 4);
	assert_int_equal(visited.clients[0], 7);
	assert_int_equal(visited.clients[1], 7);
	assert_int_equal(visited.clients[2], 3);
	ring_free(&ring);
}

/* --- what it refuses ------------------------------------------------------------------------------- */

static void
a_key_is_given_only_for_its_own_client(void **state)
{
	struct ring *ring = small_ring();

	assert_null(ring_consignment(ring, 3, 1));
	assert_null(ring_consignment(ring, 7, 2));
	/* Also once they are unwrapped. */
	assert_non_null(ring_consignment(ring, 7, 1));
	assert_non_null(ring_consignment(ring, 3, 2));
	assert_null(ring_consignment(ring, 3, 1));
	assert_null(ring_consignment(ring, 7, 2));
	assert_null(ring_consignment(ring, 0, 1));
	assert_null(ring_consignment(ring, 7, 0));
	assert_null(ring_consignment(ring, 7, 4));
	assert_null(ring_consignment(ring, 7, UINT64_MAX));
	ring_free(&ring);
}

static void
a_client_gets_one_key_and_consignments_need_a_client(void **state)
{
	struct ring *ring = small_ring();
	uint64_t consignment = 42;

	assert_int_equal(ring_add_client(ring, 7, NULL), AZ_CONFLICT);
	assert_false(ring_has_client(ring, 4));
	assert_int_equal(ring_add_consignment(ring, 4, &consignment, NULL), AZ_NOT_FOUND);
	assert_int_equal(ring_drop_consignment(ring, 4, NULL), AZ_NOT_FOUND);
	assert_int_equal(ring_drop_consignment(ring, 0, NULL), AZ_NOT_FOUND);
	assert_int_equal(consignment, 42);
	assert_int_equal(ring_number(ring), 5);
	ring_free(&ring);
}

static void
a_dropped_key_is_gone_and_its_number_never_comes_again(void **state)
{
	struct ring *ring = small_ring();

	assert_non_null(ring_consignment(ring, 7, 3));
	assert_int_equal(ring_drop_consignment(ring, 3, NULL), AZ_OK);
	assert_null(ring_consignment(ring, 7, 3));
	assert_int_equal(ring_drop_consignment(ring, 3, NULL), AZ_NOT_FOUND);
	ring_free(&ring);
	ring = open_ring(false);
	assert_int_equal(ring_number(ring), 6);
	assert_null(ring_consignment(ring, 7, 3));
	assert_int_equal(add(ring, 7), 4);
	ring_free(&ring);
}

static void
other_keys_do_not_open_it(void **state)
{
	struct ring *ring = small_ring();
	struct secret *other = secret_from(50);
	struct secret *half = NULL;
	uint8_t other_house[HOUSE_ID_SIZE];

	ring_free(&ring);
	assert_open_fails(other, host, house, AZ_FORGED);
	assert_open_fails(root, other, house, AZ_FORGED);
	assert_open_fails(host, root, house, AZ_FORGED);
	memcpy(other_house, house, sizeof(house));
	other_house[9] ^= 1;
	assert_open_fails(root, host, other_house, AZ_FORGED);
	assert_int_equal(secret_new(16, &half, NULL), AZ_OK);
	assert_open_fails(half, host, house, AZ_INTERNAL);
	assert_open_fails(root, half, house, AZ_INTERNAL);
	secret_free(&half);
	secret_free(&other);
}

static void
any_changed_byte_is_noticed(void **state)
{
	struct ring *ring = small_ring();
	uint8_t changed[1024];
	struct buffer file;
	struct bytes sound;

	ring_free(&ring);
	sound = read_ring(&file);
	assert_true(sound.size <= sizeof(changed));
	memcpy(changed, sound.data, sound.size);
	for (size_t i = 0; i < sound.size; i += i < 100 ? 1 : 13) {
		changed[i] ^= (uint8_t)(1u << i % 8);
		write_ring(bytes_make(changed, sound.size));
		assert_open_fails(root, host, house, i < 16 ? AZ_CORRUPT : AZ_FORGED);
		changed[i] = sound.data[i];
	}
	buffer_fini(&file);
}

static void
a_ring_cut_short_or_longer_is_refused(void **state)
{
	struct ring *ring = small_ring();
	uint8_t changed[1024] = {0};
	struct buffer file;
	struct bytes sound;

	ring_free(&ring);
	sound = read_ring(&file);
	memcpy(changed, sound.data, sound.size);
	for (size_t size = 0; size < sound.size; size += size < 80 ? 1 : 23) {
		write_ring(bytes_make(changed, size));
		assert_open_fails(root, host, house, size < 72 ? AZ_CORRUPT : AZ_FORGED);
	}
	write_ring(bytes_make(changed, sound.size + 1));
	assert_open_fails(root, host, house, AZ_FORGED);
	buffer_fini(&file);
}

static void
a_ring_larger_than_can_be_is_refused(void **state)
{
	struct buffer file;

	buffer_init(&file, RING_MAX, false);
	assert_int_equal(buffer_reserve(&file, 10u << 20), AZ_OK);
	memset(file.data, 'A', 10u << 20);
	file.size = 10u << 20;
	write_ring(buffer_peek(&file));
	assert_open_fails(root, host, house, AZ_CORRUPT);
	buffer_fini(&file);
}

static void
an_older_ring_has_a_lower_number(void **state)
{
	struct ring *ring = small_ring();
	struct buffer file;
	uint64_t number;

	(void)read_ring(&file);
	(void)add(ring, 3);
	number = ring_number(ring);
	ring_free(&ring);
	write_ring(buffer_peek(&file));
	buffer_fini(&file);
	ring = open_ring(false);
	assert_true(ring_number(ring) < number);
	ring_free(&ring);
}

static void
a_change_that_cannot_be_written_changes_nothing(void **state)
{
	struct ring *ring = small_ring();
	const struct secret *key = ring_consignment(ring, 7, 1);
	uint64_t consignment = 42;

	assert_int_equal(unlinkat(folder.fd, "ring", 0), 0);
	assert_int_equal(rmdir(folder.path), 0);
	assert_int_not_equal(ring_add_client(ring, 9, NULL), AZ_OK);
	assert_int_not_equal(ring_add_consignment(ring, 7, &consignment, NULL), AZ_OK);
	assert_int_not_equal(ring_drop_consignment(ring, 1, NULL), AZ_OK);
	assert_int_equal(consignment, 42);
	assert_int_equal(ring_number(ring), 5);
	assert_false(ring_has_client(ring, 9));
	assert_ptr_equal(ring_consignment(ring, 7, 1), key);
	assert_null(ring_consignment(ring, 7, 4));
	ring_free(&ring);
	/* For the teardown. */
	(void)close(folder.fd);
	assert_int_equal(folder_make(&folder), 0);
}

/* --- rings written apart from the code, from the documented format ---------------------------------- */

struct forge {
	struct seal_key *ring_key;
	struct buffer body;
	struct wire_writer writer;
};

static struct seal_key *
seal_key_of(struct secret *key)
{
	struct seal_key *made = NULL;

	assert_int_equal(seal_key_new(secret_peek(key), &made, NULL), AZ_OK);
	return made;
}

static void
forge_begin(struct forge *forge)
{
	uint8_t bytes[KEY_SIZE];

	/* HKDF-SHA256(00…1f ‖ 64…83, salt house, info "azukari/v1/ring/0"), computed by other means. */
	assert_true(hex_decode("29a40bf953b5c0ceb394a39b2bfdb33accc982d95ac028db127257de1394b999",
	    bytes, sizeof(bytes)));
	assert_int_equal(
	    seal_key_new(bytes_make(bytes, sizeof(bytes)), &forge->ring_key, NULL), AZ_OK);
	buffer_init(&forge->body, RING_MAX, true);
	wire_writer_init(&forge->writer, &forge->body);
}

static void
forge_head(struct forge *forge, uint64_t next, uint32_t clients, uint32_t consignments)
{
	wire_put_u64(&forge->writer, 17);
	wire_put_u64(&forge->writer, next);
	wire_put_u32(&forge->writer, clients);
	wire_put_u32(&forge->writer, consignments);
}

/* The key, sealed under another for a place. */
static void
forge_key(
    struct forge *forge, struct seal_key *under, uint32_t client, uint64_t number, uint8_t first)
{
	uint8_t place[28], wrapped[KEY_SIZE + SEAL_OVERHEAD];
	struct secret *key = secret_from(first);

	memcpy(place, house, sizeof(house));
	wire_store_u32(place + 16, client);
	wire_store_u64(place + 20, number);
	assert_int_equal(
	    seal(under, bytes_make(place, sizeof(place)), secret_peek(key), wrapped, NULL), AZ_OK);
	wire_put_raw(&forge->writer, wrapped, sizeof(wrapped));
	secret_free(&key);
}

static void
forge_client(struct forge *forge, uint32_t client)
{
	wire_put_u32(&forge->writer, client);
	forge_key(forge, forge->ring_key, client, 0, (uint8_t)client);
}

/* A consignment of client, whose key is sealed for the place it says it is in. */
static void
forge_consignment(
    struct forge *forge, uint32_t client, uint64_t number, uint32_t key_client, uint64_t key_number)
{
	struct secret *key = secret_from((uint8_t)client);
	struct seal_key *under = seal_key_of(key);

	wire_put_u32(&forge->writer, client);
	wire_put_u64(&forge->writer, number);
	forge_key(forge, under, key_client, key_number, (uint8_t)(number * 3));
	seal_key_free(&under);
	secret_free(&key);
}

static void
forge_end(struct forge *forge)
{
	struct file_header header = {.magic = "AZRING", .format = 1};
	uint8_t head[FILE_HEADER_SIZE];
	struct buffer file;

	assert_int_equal(forge->writer.status, AZ_OK);
	memcpy(header.house, house, sizeof(house));
	file_header_encode(&header, head);
	buffer_init(&file, RING_MAX, true);
	assert_int_equal(buffer_append(&file, bytes_make(head, sizeof(head))), AZ_OK);
	assert_int_equal(buffer_reserve(&file, forge->body.size + SEAL_OVERHEAD), AZ_OK);
	assert_int_equal(seal(forge->ring_key, bytes_make(head, sizeof(head)),
			     buffer_peek(&forge->body), file.data + file.size, NULL),
	    AZ_OK);
	file.size += forge->body.size + SEAL_OVERHEAD;
	write_ring(buffer_peek(&file));
	buffer_fini(&file);
	buffer_fini(&forge->body);
	seal_key_free(&forge->ring_key);
}

static void
a_ring_written_from_the_document_is_read(void **state)
{
	struct forge forge;
	struct ring *ring;
	struct secret *expected = secret_from(5 * 3);

	forge_begin(&forge);
	forge_head(&forge, 6, 2, 1);
	forge_client(&forge, 3);
	forge_client(&forge, 7);
	forge_consignment(&forge, 7, 5, 7, 5);
	forge_end(&forge);
	ring = open_ring(false);
	assert_int_equal(ring_number(ring), 17);
	assert_true(ring_has_client(ring, 3) && ring_has_client(ring, 7));
	assert_true(bytes_equal(secret_peek(ring_consignment(ring, 7, 5)), secret_peek(expected)));
	assert_int_equal(add(ring, 3), 6);
	ring_free(&ring);
	secret_free(&expected);
}

static void
wrapped_keys_cannot_be_exchanged(void **state)
{
	struct forge forge;
	struct ring *ring;

	/* 1 holds the key of 2, 2 that of another client's 2, 3 is sound. */
	forge_begin(&forge);
	forge_head(&forge, 4, 2, 3);
	forge_client(&forge, 3);
	forge_client(&forge, 7);
	forge_consignment(&forge, 7, 1, 7, 2);
	forge_consignment(&forge, 7, 2, 3, 2);
	forge_consignment(&forge, 7, 3, 7, 3);
	forge_end(&forge);
	ring = open_ring(false);
	assert_null(ring_consignment(ring, 7, 1));
	assert_null(ring_consignment(ring, 7, 2));
	assert_non_null(ring_consignment(ring, 7, 3));
	ring_free(&ring);
}

static void
a_client_key_under_another_number_does_not_unwrap(void **state)
{
	struct forge forge;
	struct ring *ring;
	uint64_t consignment = 42;

	forge_begin(&forge);
	forge_head(&forge, 2, 1, 1);
	wire_put_u32(&forge.writer, 7);
	forge_key(&forge, forge.ring_key, 8, 0, 7);
	forge_consignment(&forge, 7, 1, 7, 1);
	forge_end(&forge);
	ring = open_ring(false);
	assert_null(ring_consignment(ring, 7, 1));
	assert_int_equal(ring_add_consignment(ring, 7, &consignment, NULL), AZ_FORGED);
	assert_int_equal(consignment, 42);
	ring_free(&ring);
}

/* Malformed bodies under the true key: nobody but ourselves can write one, and still none may pass. */
static void
assert_malformed(struct forge *forge)
{
	forge_end(forge);
	assert_open_fails(root, host, house, AZ_CORRUPT);
}

static void
counts_that_disagree_with_the_size_are_refused(void **state)
{
	static const uint32_t counts[][2] = {{0, 0}, {2, 1}, {1, 2}, {1, 0}, {0, 1},
	    {UINT32_MAX, 1}, {1, UINT32_MAX}, {RING_CLIENTS_MAX + 1, 0},
	    {1, RING_CONSIGNMENTS_MAX + 1}};

	for (size_t i = 0; i < AZ_ARRAY_SIZE(counts); i++) {
		struct forge forge;

		forge_begin(&forge);
		forge_head(&forge, 2, counts[i][0], counts[i][1]);
		forge_client(&forge, 7);
		forge_consignment(&forge, 7, 1, 7, 1);
		assert_malformed(&forge);
	}
}

static void
a_body_cut_short_is_refused(void **state)
{
	for (size_t size = 0; size < 24; size++) {
		struct forge forge;

		forge_begin(&forge);
		forge_head(&forge, 1, 0, 0);
		forge.body.size = size;
		assert_malformed(&forge);
	}
}

static void
disorder_is_refused(void **state)
{
	static const uint32_t clients[][2] = {{7, 3}, {7, 7}};
	static const uint64_t numbers[][3] = {{2, 1, 9}, {1, 1, 9}, {0, 1, 9}, {1, 9, 9}, {1, 2, 0},
	    {UINT64_MAX, 1, 9}, {1, UINT64_MAX, UINT64_MAX}};
	struct forge forge;

	for (size_t i = 0; i < AZ_ARRAY_SIZE(clients); i++) {
		forge_begin(&forge);
		forge_head(&forge, 1, 2, 0);
		forge_client(&forge, clients[i][0]);
		forge_client(&forge, clients[i][1]);
		assert_malformed(&forge);
	}
	for (size_t i = 0; i < AZ_ARRAY_SIZE(numbers); i++) {
		forge_begin(&forge);
		forge_head(&forge, numbers[i][2], 1, 2);
		forge_client(&forge, 7);
		forge_consignment(&forge, 7, numbers[i][0], 7, numbers[i][0]);
		forge_consignment(&forge, 7, numbers[i][1], 7, numbers[i][1]);
		assert_malformed(&forge);
	}
	/* The next number is never zero, which would be given to a client's own key. */
	forge_begin(&forge);
	forge_head(&forge, 0, 0, 0);
	assert_malformed(&forge);
}

static void
a_consignment_without_its_client_is_refused(void **state)
{
	struct forge forge;

	forge_begin(&forge);
	forge_head(&forge, 2, 1, 1);
	forge_client(&forge, 7);
	forge_consignment(&forge, 3, 1, 3, 1);
	assert_malformed(&forge);
}

static void
numbers_do_not_run_over(void **state)
{
	struct forge forge;
	struct ring *ring;
	uint64_t consignment = 42;

	forge_begin(&forge);
	forge_head(&forge, UINT64_MAX, 1, 0);
	forge_client(&forge, 7);
	forge_end(&forge);
	ring = open_ring(false);
	assert_int_equal(ring_add_consignment(ring, 7, &consignment, NULL), AZ_LIMIT);
	assert_int_equal(consignment, 42);
	ring_free(&ring);
}

/* --- size and speed ---------------------------------------------------------------------------------- */

static double
seconds(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void
ten_thousand_consignments_open_fast_and_fit_the_locked_memory(void **state)
{
	size_t unlocked = secret_unlocked_count();
	struct forge forge;
	struct ring *ring;
	double start;

	forge_begin(&forge);
	forge_head(&forge, 10001, 1, 10000);
	forge_client(&forge, 7);
	for (uint64_t i = 1; i <= 10000; i++)
		forge_consignment(&forge, 7, i, 7, i);
	forge_end(&forge);
	start = seconds();
	ring = open_ring(false);
	/* About 5 ms; the margin is for sanitizers and a busy machine. */
	assert_true(seconds() - start < 0.2);
	for (uint64_t i = 1; i <= 10000; i++)
		assert_non_null(ring_consignment(ring, 7, i));
	if (unlocked == 0)
		assert_int_equal(secret_unlocked_count(), 0);
	ring_free(&ring);
}

static void
a_full_ring_takes_no_more(void **state)
{
	struct forge forge;
	struct ring *ring;
	uint64_t consignment = 42;

	forge_begin(&forge);
	forge_head(&forge, 100001, RING_CLIENTS_MAX, RING_CONSIGNMENTS_MAX);
	for (uint32_t i = 1; i <= RING_CLIENTS_MAX; i++) {
		uint8_t nothing[KEY_SIZE + SEAL_OVERHEAD] = {0};

		wire_put_u32(&forge.writer, i);
		if (i == 7)
			forge_key(&forge, forge.ring_key, 7, 0, 7);
		else
			wire_put_raw(&forge.writer, nothing, sizeof(nothing));
	}
	for (uint64_t i = 1; i <= RING_CONSIGNMENTS_MAX; i++) {
		uint8_t nothing[KEY_SIZE + SEAL_OVERHEAD] = {0};

		wire_put_u32(&forge.writer, 7);
		wire_put_u64(&forge.writer, i);
		wire_put_raw(&forge.writer, nothing, sizeof(nothing));
	}
	forge_end(&forge);
	ring = open_ring(false);
	assert_int_equal(ring_add_consignment(ring, 7, &consignment, NULL), AZ_LIMIT);
	assert_int_equal(ring_add_client(ring, RING_CLIENTS_MAX + 1, NULL), AZ_LIMIT);
	assert_int_equal(consignment, 42);
	/* What is full can still be emptied. */
	assert_int_equal(ring_drop_consignment(ring, 500, NULL), AZ_OK);
	assert_int_equal(add(ring, 7), 100001);
	ring_free(&ring);
	ring = open_ring(false);
	assert_non_null(ring_consignment(ring, 7, 100001));
	ring_free(&ring);
}

/* --- sealed anew ----------------------------------------------------------------------------------- */

static void
read_file(const char *name, struct buffer *file)
{
	buffer_init(file, RING_MAX, false);
	assert_int_equal(file_read_whole(folder.fd, name, file, NULL), AZ_OK);
}

static void
put_file(const char *name, const struct buffer *file)
{
	assert_int_equal(file_replace(folder.fd, name, buffer_peek(file), 0600, NULL), AZ_OK);
}

/* Opens under the new host secret with keys 1 and 2, and without 3. */
static void
assert_renewed(const struct secret *newer, const uint8_t kept[KEY_SIZE])
{
	struct ring *ring = NULL;

	assert_int_equal(ring_open(folder.fd, house, root, newer, false, &ring, NULL), AZ_OK);
	assert_int_equal(ring_number(ring), 6);
	assert_memory_equal(secret_peek(ring_consignment(ring, 7, 1)).data, kept, KEY_SIZE);
	assert_non_null(ring_consignment(ring, 3, 2));
	assert_null(ring_consignment(ring, 7, 3));
	assert_int_equal(add(ring, 3), 4);
	ring_free(&ring);
	assert_int_not_equal(faccessat(folder.fd, "ring.next", F_OK, 0), 0);
}

static void
sealed_anew_no_older_ring_opens(void **state)
{
	struct ring *ring = small_ring();
	const struct secret *key = ring_consignment(ring, 7, 1);
	struct secret *newer = secret_from(50);
	uint8_t kept[KEY_SIZE];
	struct buffer before;

	memcpy(kept, secret_peek(key).data, KEY_SIZE);
	read_file("ring", &before);
	assert_int_equal(ring_prepare(ring, newer, 3, NULL), AZ_OK);
	/* Until it is taken over all is as it was, and nothing changes. */
	assert_non_null(ring_consignment(ring, 7, 3));
	assert_int_equal(ring_number(ring), 5);
	assert_int_equal(ring_adopt(ring, NULL), AZ_OK);
	assert_ptr_equal(ring_consignment(ring, 7, 1), key);
	assert_non_null(ring_consignment(ring, 3, 2));
	assert_null(ring_consignment(ring, 7, 3));
	assert_int_equal(ring_number(ring), 6);
	ring_free(&ring);
	assert_open_fails(root, host, house, AZ_FORGED);
	assert_renewed(newer, kept);
	put_file("ring", &before);
	assert_open_fails(root, newer, house, AZ_FORGED);
	buffer_fini(&before);
	secret_free(&newer);
}

static void
a_crash_while_it_is_sealed_anew_leaves_the_old_or_the_new(void **state)
{
	struct ring *ring = small_ring();
	struct secret *newer = secret_from(50);
	uint8_t kept[KEY_SIZE];
	struct buffer old, next;

	memcpy(kept, secret_peek(ring_consignment(ring, 7, 1)).data, KEY_SIZE);
	assert_int_equal(ring_prepare(ring, newer, 3, NULL), AZ_OK);
	ring_free(&ring);
	read_file("ring", &old);
	read_file("ring.next", &next);
	/* The new secret was kept. */
	assert_renewed(newer, kept);
	/* It was not: the old ring, and nothing is left of the other. */
	put_file("ring", &old);
	put_file("ring.next", &next);
	ring = open_ring(false);
	assert_int_equal(ring_number(ring), 5);
	assert_non_null(ring_consignment(ring, 7, 3));
	assert_int_not_equal(faccessat(folder.fd, "ring.next", F_OK, 0), 0);
	ring_free(&ring);
	/* Neither opens under a third, and no file is taken for another's sake. */
	put_file("ring.next", &next);
	assert_open_fails(root, root, house, AZ_FORGED);
	assert_int_equal(faccessat(folder.fd, "ring.next", F_OK, 0), 0);
	/* A damaged one beside does no harm where the other is in force, and does not help where it is not. */
	next.data[40] ^= 1;
	put_file("ring.next", &next);
	assert_open_fails(root, newer, house, AZ_FORGED);
	ring = open_ring(false);
	ring_free(&ring);
	buffer_fini(&old);
	buffer_fini(&next);
	secret_free(&newer);
}

static void
while_it_is_sealed_anew_nothing_else_changes_it(void **state)
{
	struct ring *ring = small_ring();
	struct secret *newer = secret_from(50);
	uint64_t consignment = 42;

	assert_int_equal(ring_adopt(ring, NULL), AZ_INTERNAL);
	assert_int_equal(ring_prepare(ring, newer, 99, NULL), AZ_OK);
	assert_int_equal(ring_prepare(ring, newer, 0, NULL), AZ_BUSY);
	assert_int_equal(ring_add_client(ring, 9, NULL), AZ_BUSY);
	assert_int_equal(ring_add_consignment(ring, 7, &consignment, NULL), AZ_BUSY);
	assert_int_equal(ring_drop_consignment(ring, 1, NULL), AZ_BUSY);
	assert_int_equal(consignment, 42);
	ring_abandon(ring);
	assert_int_not_equal(faccessat(folder.fd, "ring.next", F_OK, 0), 0);
	assert_int_equal(ring_adopt(ring, NULL), AZ_INTERNAL);
	assert_int_equal(ring_add_client(ring, 9, NULL), AZ_OK);
	ring_free(&ring);
	ring = open_ring(false);
	assert_true(ring_has_client(ring, 9));
	assert_non_null(ring_consignment(ring, 7, 3));
	ring_free(&ring);
	secret_free(&newer);
}

#define RING_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    RING_TEST(a_missing_ring_is_made_only_when_asked),
	    RING_TEST(keys_are_the_same_after_opening_again),
	    RING_TEST(a_key_stays_where_it_is_while_others_come_and_go),
	    RING_TEST(consignments_come_in_order_of_number),
	    RING_TEST(a_key_is_given_only_for_its_own_client),
	    RING_TEST(a_client_gets_one_key_and_consignments_need_a_client),
	    RING_TEST(a_dropped_key_is_gone_and_its_number_never_comes_again),
	    RING_TEST(other_keys_do_not_open_it),
	    RING_TEST(any_changed_byte_is_noticed),
	    RING_TEST(a_ring_cut_short_or_longer_is_refused),
	    RING_TEST(a_ring_larger_than_can_be_is_refused),
	    RING_TEST(an_older_ring_has_a_lower_number),
	    RING_TEST(a_change_that_cannot_be_written_changes_nothing),
	    RING_TEST(a_ring_written_from_the_document_is_read),
	    RING_TEST(wrapped_keys_cannot_be_exchanged),
	    RING_TEST(a_client_key_under_another_number_does_not_unwrap),
	    RING_TEST(counts_that_disagree_with_the_size_are_refused),
	    RING_TEST(a_body_cut_short_is_refused),
	    RING_TEST(disorder_is_refused),
	    RING_TEST(a_consignment_without_its_client_is_refused),
	    RING_TEST(numbers_do_not_run_over),
	    RING_TEST(ten_thousand_consignments_open_fast_and_fit_the_locked_memory),
	    RING_TEST(a_full_ring_takes_no_more),
	    RING_TEST(sealed_anew_no_older_ring_opens),
	    RING_TEST(a_crash_while_it_is_sealed_anew_leaves_the_old_or_the_new),
	    RING_TEST(while_it_is_sealed_anew_nothing_else_changes_it),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
