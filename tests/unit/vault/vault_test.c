/* The vault over its socket: what it keeps, what it answers, and that it ends on what cannot be. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/frame.h"
#include "base/wire.h"
#include "proto/vault.h"
#include "vault/vault.h"

struct fixture {
	char path[64];
	int dirfd;
	pid_t vault;
	struct link link;
	struct buffer body;
	struct wire_writer writer;
};

static struct fixture fixture;
static const uint8_t house[HOUSE_ID_SIZE] = {'U', 'v'};

static void
start_vault(void)
{
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	fixture.vault = fork();
	assert_true(fixture.vault >= 0);
	if (fixture.vault == 0) {
		int null = open("/dev/null", O_WRONLY);

		(void)close(fds[0]);
		(void)dup2(null, STDERR_FILENO);
		_exit(vault_run(fds[1], fixture.dirfd));
	}
	(void)close(fds[1]);
	link_init(&fixture.link, fds[0], LINK_BLOCKING, VAULT_BODY_MAX, 4u << 20, false);
}

/* Its exit code, or 256 and its signal. */
static int
end_vault(void)
{
	int how = 0;

	link_fini(&fixture.link);
	assert_int_equal(waitpid(fixture.vault, &how, 0), fixture.vault);
	return WIFEXITED(how) ? WEXITSTATUS(how) : 256 + WTERMSIG(how);
}

static int
make_fixture(void **state)
{
	(void)state;
	(void)snprintf(fixture.path, sizeof(fixture.path), "/tmp/azukari-vault-XXXXXX");
	if (mkdtemp(fixture.path) == NULL)
		return 1;
	fixture.dirfd = open(fixture.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	buffer_init(&fixture.body, 4u << 20, false);
	start_vault();
	return fixture.dirfd < 0;
}

static int
remove_fixture(void **state)
{
	(void)state;
	(void)unlinkat(fixture.dirfd, "data.mdb", 0);
	(void)unlinkat(fixture.dirfd, "lock.mdb", 0);
	(void)close(fixture.dirfd);
	buffer_fini(&fixture.body);
	return rmdir(fixture.path);
}

/* --- saying ----------------------------------------------------------------------------------- */

static struct wire_writer *
begin(void)
{
	buffer_clear(&fixture.body);
	wire_writer_init(&fixture.writer, &fixture.body);
	return &fixture.writer;
}

static void
say(enum vault_message type, uint32_t id)
{
	assert_int_equal(
	    link_queue(&fixture.link, (uint16_t)type, id, buffer_peek(&fixture.body)), AZ_OK);
	assert_int_equal(link_flush(&fixture.link, NULL), AZ_OK);
}

static struct frame
hear(enum vault_message type, uint32_t id)
{
	struct frame frame = {0};

	assert_int_equal(link_receive(&fixture.link, &frame, NULL), AZ_OK);
	assert_int_equal(frame.type, type);
	assert_int_equal(frame.id, id);
	return frame;
}

static void
hello(const uint8_t *id, uint64_t ceiling)
{
	struct wire_writer *writer = begin();

	wire_put_raw(writer, id, HOUSE_ID_SIZE);
	wire_put_u64(writer, ceiling);
	say(VAULT_HELLO, 1);
}

static void
put_row(uint64_t consignment, uint32_t record, const char *sealed)
{
	struct wire_writer *writer = begin();

	wire_put_u64(writer, consignment);
	wire_put_u32(writer, 1);
	wire_put_u32(writer, record);
	wire_put_bytes(writer, bytes_of(sealed));
	say(VAULT_PUT_ROWS, 11);
	(void)hear(VAULT_DONE, 11);
}

/* One block that covers everything, with one token of a byte. */
static void
put_block(uint64_t consignment, uint8_t token, uint32_t record)
{
	static struct token_block block;
	struct buffer encoded;
	struct wire_writer *writer;

	block = (struct token_block){
	    .consignment = consignment, .kind = MATCH_PHONE, .last = true, .count = 1};
	block.entries[0].token[0] = token;
	block.entries[0].record = record;
	buffer_init(&encoded, TOKEN_BLOCK_SIZE_MAX, false);
	assert_int_equal(token_block_encode(&block, &encoded), AZ_OK);
	assert_int_equal(buffer_append(&encoded, bytes_of("sixteen of a MAC")), AZ_OK);
	writer = begin();
	wire_put_u32(writer, 1);
	wire_put_bytes(writer, buffer_peek(&encoded));
	say(VAULT_PUT_TOKENS, 12);
	(void)hear(VAULT_DONE, 12);
	buffer_fini(&encoded);
}

static void
sync_all(void)
{
	(void)begin();
	say(VAULT_SYNC, 7);
	(void)hear(VAULT_DONE, 7);
}

/* Asks two consignments for a token; returns how many rows came. */
static uint32_t
look_up(uint64_t first, uint64_t second, uint8_t token, uint64_t *ret_consignment)
{
	struct wire_writer *writer = begin();
	uint8_t bytes[TOKEN_SIZE] = {token};
	struct wire_reader reader;
	uint32_t rows;

	wire_put_u64(writer, 99);
	wire_put_u8(writer, MATCH_PHONE);
	wire_put_u32(writer, 2);
	wire_put_u64(writer, first);
	wire_put_raw(writer, bytes, sizeof(bytes));
	wire_put_u64(writer, second);
	wire_put_raw(writer, bytes, sizeof(bytes));
	say(VAULT_LOOKUP, 8);
	wire_reader_init(&reader, hear(VAULT_FOUND, 8).body);
	assert_true(wire_get_u64(&reader) == 99);
	assert_int_equal(wire_get_u32(&reader), 2);
	(void)wire_get_bytes(&reader, TOKEN_BLOCK_SIZE_MAX);
	(void)wire_get_bytes(&reader, TOKEN_BLOCK_SIZE_MAX);
	rows = wire_get_u32(&reader);
	for (uint32_t i = 0; i < rows; i++) {
		*ret_consignment = wire_get_u64(&reader);
		(void)wire_get_u32(&reader);
		(void)wire_get_bytes(&reader, VAULT_SEALED_MAX);
	}
	assert_true(wire_end(&reader));
	return rows;
}

static uint32_t
count_listed(void)
{
	struct wire_reader reader;

	(void)begin();
	say(VAULT_LIST, 9);
	wire_reader_init(&reader, hear(VAULT_LISTED, 9).body);
	return wire_get_u32(&reader);
}

/* Asks for blocks from a token on; returns how many came, the first entry's record in *ret_record. */
static uint32_t
ask_blocks(uint64_t consignment, enum match_kind kind, uint8_t token, uint32_t *ret_record)
{
	static struct token_block block;
	struct wire_writer *writer = begin();
	uint8_t bytes[TOKEN_SIZE] = {token};
	struct bytes mac;
	struct wire_reader reader;
	uint32_t count;

	wire_put_u64(writer, consignment);
	wire_put_u8(writer, (uint8_t)kind);
	wire_put_raw(writer, bytes, sizeof(bytes));
	say(VAULT_BLOCKS, 6);
	wire_reader_init(&reader, hear(VAULT_BLOCKS_ARE, 6).body);
	count = wire_get_u32(&reader);
	for (uint32_t i = 0; i < count; i++) {
		struct bytes encoded = wire_get_bytes(&reader, TOKEN_BLOCK_SIZE_MAX);

		assert_int_equal(token_block_decode(encoded, &block, &mac), AZ_OK);
		*ret_record = block.entries[0].record;
	}
	assert_true(wire_end(&reader));
	return count;
}

/* --- tests ------------------------------------------------------------------------------------ */

static void
what_was_put_is_found_in_the_first_asked(void **state)
{
	uint64_t consignment = 0;

	(void)state;
	hello(house, 0);
	(void)hear(VAULT_READY, 1);
	put_row(1, 5, "sealed in the first list");
	put_block(1, 42, 5);
	put_row(2, 5, "sealed in the second list");
	put_block(2, 42, 5);
	sync_all();
	assert_int_equal(look_up(2, 1, 42, &consignment), 1);
	assert_true(consignment == 2);
	assert_int_equal(look_up(1, 2, 42, &consignment), 1);
	assert_true(consignment == 1);
	assert_int_equal(look_up(1, 2, 43, &consignment), 0);
	assert_int_equal(look_up(8, 9, 42, &consignment), 0);
	assert_int_equal(end_vault(), 0);
}

static void
what_was_synced_survives_kill_9_and_a_drop_leaves_the_others(void **state)
{
	uint64_t consignment = 0;
	int how;

	(void)state;
	hello(house, 0);
	(void)hear(VAULT_READY, 1);
	put_row(1, 5, "one");
	put_block(1, 42, 5);
	put_row(2, 6, "two");
	put_block(2, 42, 6);
	sync_all();
	put_row(3, 7, "never synced");
	assert_int_equal(kill(fixture.vault, SIGKILL), 0);
	assert_int_equal(waitpid(fixture.vault, &how, 0), fixture.vault);
	link_fini(&fixture.link);
	start_vault();
	hello(house, 0);
	(void)hear(VAULT_READY, 1);
	assert_int_equal(look_up(1, 2, 42, &consignment), 2);
	wire_put_u64(begin(), 1);
	say(VAULT_DROP, 3);
	(void)hear(VAULT_DONE, 3);
	assert_int_equal(look_up(1, 2, 42, &consignment), 1);
	assert_true(consignment == 2);
	wire_put_u64(begin(), 3);
	say(VAULT_DROP, 3);
	(void)hear(VAULT_DONE, 3);
	assert_int_equal(count_listed(), 1);
	assert_int_equal(end_vault(), 0);
}

static void
another_house_is_refused(void **state)
{
	static const uint8_t other[HOUSE_ID_SIZE] = {'U', 'w'};

	(void)state;
	hello(house, 0);
	(void)hear(VAULT_READY, 1);
	assert_int_equal(end_vault(), 0);
	start_vault();
	hello(other, 0);
	assert_int_equal(hear(VAULT_FAILED, 1).body.data[0], AZ_FORGED);
	assert_int_equal(end_vault(), 0);
}

static void
above_the_ceiling_nothing_is_served(void **state)
{
	uint64_t consignment = 0;
	struct wire_reader reader;

	(void)state;
	hello(house, 2);
	(void)hear(VAULT_READY, 1);
	put_row(1, 5, "one");
	put_block(1, 42, 5);
	sync_all();
	assert_int_equal(look_up(1, 2, 42, &consignment), 1);
	assert_int_equal(look_up(1, 2, 42, &consignment), 1);
	/* The third row of the hour. */
	wire_put_u64(begin(), 99);
	wire_put_u8(&fixture.writer, MATCH_PHONE);
	wire_put_u32(&fixture.writer, 0);
	say(VAULT_LOOKUP, 8);
	assert_int_equal(hear(VAULT_FAILED, 8).body.data[0], AZ_LIMIT);
	(void)begin();
	say(VAULT_COUNT, 4);
	wire_reader_init(&reader, hear(VAULT_COUNTED, 4).body);
	assert_true(wire_get_u64(&reader) == 2);
	assert_int_equal(end_vault(), 0);
}

static void
blocks_are_given_of_one_list_and_kind_alone(void **state)
{
	uint32_t record = 0;

	(void)state;
	hello(house, 0);
	(void)hear(VAULT_READY, 1);
	put_block(3, 0x40, 30);
	put_block(4, 0x50, 40);
	sync_all();
	assert_int_equal(ask_blocks(3, MATCH_PHONE, 0, &record), 1);
	assert_int_equal(record, 30);
	/* From any token on: the block that covers it. */
	assert_int_equal(ask_blocks(4, MATCH_PHONE, 0xff, &record), 1);
	assert_int_equal(record, 40);
	assert_int_equal(ask_blocks(3, MATCH_EMAIL, 0, &record), 0);
	assert_int_equal(ask_blocks(2, MATCH_PHONE, 0, &record), 0);
	assert_int_equal(ask_blocks(5, MATCH_PHONE, 0, &record), 0);
	assert_int_equal(ask_blocks(UINT64_MAX, MATCH_PHONE, 0xff, &record), 0);
	assert_int_equal(end_vault(), 0);
}

/* Says it, and the vault must end by itself with a failure. */
static void
ends_on(enum vault_message type, bool greeted)
{
	struct frame frame;

	if (greeted) {
		struct buffer kept = fixture.body;

		buffer_init(&fixture.body, 4u << 20, false);
		hello(house, 0);
		(void)hear(VAULT_READY, 1);
		buffer_fini(&fixture.body);
		fixture.body = kept;
	}
	say(type, 5);
	assert_int_not_equal(link_receive(&fixture.link, &frame, NULL), AZ_OK);
	assert_int_not_equal(end_vault(), 0);
	start_vault();
}

static void
what_cannot_be_ends_it(void **state)
{
	(void)state;
	(void)begin();
	ends_on((enum vault_message)77, true);
	ends_on(VAULT_DONE, true);
	/* Before the hello, a second one, one cut short. */
	ends_on(VAULT_SYNC, false);
	wire_put_raw(begin(), house, HOUSE_ID_SIZE);
	ends_on(VAULT_HELLO, false);
	wire_put_u64(&fixture.writer, 0);
	ends_on(VAULT_HELLO, true);
	/* Bodies that are too long, too short, or say more than they have. */
	wire_put_u8(begin(), 1);
	ends_on(VAULT_SYNC, true);
	ends_on(VAULT_LIST, true);
	ends_on(VAULT_COUNT, true);
	ends_on(VAULT_DROP, true);
	ends_on(VAULT_FETCH, true);
	ends_on(VAULT_LOOKUP, true);
	ends_on(VAULT_BLOCKS, true);
	ends_on(VAULT_PUT_ROWS, true);
	ends_on(VAULT_PUT_TOKENS, true);
	wire_put_u32(begin(), 1);
	wire_put_bytes(&fixture.writer, bytes_of("this is no block of tokens"));
	ends_on(VAULT_PUT_TOKENS, true);
	assert_int_equal(end_vault(), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		what_was_put_is_found_in_the_first_asked, make_fixture, remove_fixture),
	    cmocka_unit_test_setup_teardown(
		what_was_synced_survives_kill_9_and_a_drop_leaves_the_others, make_fixture,
		remove_fixture),
	    cmocka_unit_test_setup_teardown(another_house_is_refused, make_fixture, remove_fixture),
	    cmocka_unit_test_setup_teardown(
		above_the_ceiling_nothing_is_served, make_fixture, remove_fixture),
	    cmocka_unit_test_setup_teardown(
		blocks_are_given_of_one_list_and_kind_alone, make_fixture, remove_fixture),
	    cmocka_unit_test_setup_teardown(what_cannot_be_ends_it, make_fixture, remove_fixture),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
