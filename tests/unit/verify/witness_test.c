/* A witness cosigns what continues what it cosigned, keeps it first, and nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "published/published.h"
#include "verify/witness.h"

#define NOW 1790000000

struct world {
	char path[64];
	int dirfd;
	struct published_keys keys;
	struct witness *witness;
	struct note_key key; /* of the witness */
	struct entries entries;
	struct published log;
};

static void
put_key(struct world *world, const char *name, const struct note_key *key)
{
	struct buffer text;

	buffer_init(&text, NOTE_VKEY_MAX, false);
	assert_int_equal(note_key_text(key, &text), AZ_OK);
	assert_int_equal(file_replace(world->dirfd, name, buffer_peek(&text), 0644, NULL), AZ_OK);
	buffer_fini(&text);
}

static int
start(void **state)
{
	struct world *world = calloc(1, sizeof(*world));
	struct buffer vkey;

	(void)strcpy(world->path, "/tmp/azukari-witness-XXXXXX");
	assert_non_null(mkdtemp(world->path));
	world->dirfd = open(world->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	published_keys_init(&world->keys);
	entries_make(&world->entries, 11, 600);
	published_make(&world->log, &world->entries);
	buffer_init(&vkey, NOTE_VKEY_MAX, false);
	assert_int_equal(witness_open(world->dirfd, &world->witness, NULL), AZ_NOT_FOUND);
	assert_int_equal(witness_create(world->dirfd, "w.example/1", &vkey, NULL), AZ_OK);
	assert_int_equal(note_key_parse(buffer_peek(&vkey), &world->key, NULL), AZ_OK);
	buffer_clear(&vkey);
	assert_int_equal(witness_create(world->dirfd, "w.example/1", &vkey, NULL), AZ_CONFLICT);
	/* Without the key of a log it would cosign nothing. */
	assert_int_equal(witness_open(world->dirfd, &world->witness, NULL), AZ_NOT_FOUND);
	put_key(world, "logs/c01.vkey", &world->keys.log);
	assert_int_equal(witness_open(world->dirfd, &world->witness, NULL), AZ_OK);
	assert_int_equal(witness_log_count(world->witness), 1);
	buffer_fini(&vkey);
	*state = world;
	return 0;
}

static void
remove_all(const char *path)
{
	DIR *folder = opendir(path);
	struct dirent *entry;

	while (folder != NULL && (entry = readdir(folder)) != NULL) {
		char name[600];

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		(void)snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
		if (unlink(name) != 0)
			remove_all(name);
	}
	if (folder != NULL)
		(void)closedir(folder);
	(void)rmdir(path);
}

static int
end(void **state)
{
	struct world *world = *state;

	witness_free(&world->witness);
	entries_fini(&world->entries);
	published_fini(&world->log);
	published_keys_fini(&world->keys);
	(void)close(world->dirfd);
	remove_all(world->path);
	free(world);
	return 0;
}

/* The request that shows size, after old. */
static void
make(struct world *world, size_t old, size_t size, struct buffer *body)
{
	struct published_log log = published_source(&world->log);
	struct proof proof = {0};
	struct buffer note;

	buffer_init(&note, NOTE_MAX, false);
	published_checkpoint(&world->entries, size, &world->keys, false, &note);
	if (old > 0 && old <= size)
		assert_int_equal(published_consistency(&log, 600, old, size, &proof, NULL), AZ_OK);
	buffer_clear(body);
	assert_int_equal(witness_request_write(old, &proof, buffer_peek(&note), body), AZ_OK);
	buffer_fini(&note);
}

static enum witness_answer
show(struct world *world, size_t old, size_t size, struct buffer *reply)
{
	struct buffer body;
	enum witness_answer answer;

	buffer_init(&body, WITNESS_BODY_MAX, false);
	make(world, old, size, &body);
	buffer_clear(reply);
	answer = witness_add(world->witness, buffer_peek(&body), NOW, reply, NULL);
	buffer_fini(&body);
	return answer;
}

/* Whether the reply makes the checkpoint of size a cosigned one. */
static void
assert_cosigned(struct world *world, size_t size, const struct buffer *reply)
{
	struct buffer note;
	struct checkpoint checkpoint;
	int64_t time_s = 0;

	buffer_init(&note, NOTE_MAX, false);
	published_checkpoint(&world->entries, size, &world->keys, false, &note);
	assert_int_equal(buffer_append(&note, buffer_peek(reply)), AZ_OK);
	assert_int_equal(
	    checkpoint_open_signed(buffer_peek(&note), &world->keys.log, &checkpoint, NULL), AZ_OK);
	assert_int_equal(note_check(&checkpoint.note, &world->key, &time_s, NULL), AZ_OK);
	assert_int_equal(time_s, NOW);
	buffer_fini(&note);
}

static void
assert_reply(const struct buffer *reply, const char *expected)
{
	assert_int_equal(reply->size, strlen(expected));
	assert_memory_equal(reply->data, expected, reply->size);
}

static void
reopen(struct world *world, enum az_status expected)
{
	witness_free(&world->witness);
	assert_int_equal(witness_open(world->dirfd, &world->witness, NULL), expected);
}

static void
it_cosigns_what_continues(void **state)
{
	struct world *world = *state;
	struct buffer reply;

	buffer_init(&reply, NOTE_MAX, false);
	assert_int_equal(show(world, 0, 5, &reply), WITNESS_COSIGNED);
	assert_cosigned(world, 5, &reply);
	/* Again, since an answer may be lost. */
	assert_int_equal(show(world, 5, 5, &reply), WITNESS_COSIGNED);
	assert_cosigned(world, 5, &reply);
	assert_int_equal(show(world, 5, 300, &reply), WITNESS_COSIGNED);
	reopen(world, AZ_OK);
	assert_int_equal(show(world, 300, 600, &reply), WITNESS_COSIGNED);
	assert_cosigned(world, 600, &reply);
	buffer_fini(&reply);
}

static void
it_says_which_size_it_has(void **state)
{
	struct world *world = *state;
	struct buffer reply;

	buffer_init(&reply, NOTE_MAX, false);
	assert_int_equal(show(world, 3, 5, &reply), WITNESS_CONFLICT);
	assert_reply(&reply, "0\n");
	assert_int_equal(show(world, 0, 300, &reply), WITNESS_COSIGNED);
	assert_int_equal(show(world, 0, 500, &reply), WITNESS_CONFLICT);
	assert_reply(&reply, "300\n");
	/* A rollback is one of these; after a restart, too. */
	reopen(world, AZ_OK);
	assert_int_equal(show(world, 200, 250, &reply), WITNESS_CONFLICT);
	assert_reply(&reply, "300\n");
	assert_int_equal(show(world, 301, 300, &reply), WITNESS_MALFORMED);
	buffer_fini(&reply);
}

static void
it_refuses_a_fork(void **state)
{
	struct world *world = *state;
	struct buffer reply;

	buffer_init(&reply, NOTE_MAX, false);
	assert_int_equal(show(world, 0, 300, &reply), WITNESS_COSIGNED);
	world->entries.list[299].data[30] ^= 1;
	published_fini(&world->log);
	published_make(&world->log, &world->entries);
	assert_int_equal(show(world, 300, 300, &reply), WITNESS_CONFLICT);
	assert_reply(&reply, "300\n");
	assert_int_equal(show(world, 300, 600, &reply), WITNESS_UNPROVEN);
	assert_int_equal(reply.size, 0);
	buffer_fini(&reply);
}

static void
it_refuses_other_keys_and_logs(void **state)
{
	struct world *world = *state;
	struct published_keys *keys = &world->keys;
	struct sign_key *other = NULL;
	struct sign_key *own = keys->log_sign;
	struct note_key key = keys->log;
	struct buffer reply;
	uint8_t seed[SIGN_SEED_SIZE] = {9};

	buffer_init(&reply, NOTE_MAX, false);
	assert_int_equal(sign_key_new(bytes_make(seed, sizeof(seed)), &other, NULL), AZ_OK);
	/* Somebody else's signature under the log's name and id. */
	keys->log_sign = other;
	assert_int_equal(show(world, 0, 5, &reply), WITNESS_BAD_SIGNATURE);
	keys->log_sign = own;
	assert_int_equal(
	    note_key_make("azukari/elsewhere", NOTE_KEY_ED25519, key.public_key, &keys->log, NULL),
	    AZ_OK);
	assert_int_equal(show(world, 0, 5, &reply), WITNESS_UNKNOWN_LOG);
	keys->log = key;
	sign_key_free(&other);
	buffer_fini(&reply);
}

static void
it_refuses_what_is_no_request(void **state)
{
	static const char *const bodies[] = {"", "old", "old 0", "old 0\n", "old 00\n\n",
	    "old -1\n\n", "old 0\nx\n\n", "new 0\n\n", "old 0\n\nnothing signed\n",
	    "old 99999999999999999999\n\n"};
	struct world *world = *state;
	struct buffer reply, body;
	size_t size;

	buffer_init(&reply, NOTE_MAX, false);
	buffer_init(&body, WITNESS_BODY_MAX, false);
	for (size_t i = 0; i < AZ_ARRAY_SIZE(bodies); i++)
		assert_int_equal(
		    witness_add(world->witness, bytes_of(bodies[i]), NOW, &reply, NULL),
		    WITNESS_MALFORMED);
	/* 64 lines are one too many, whatever they are. */
	assert_int_equal(buffer_append(&body, bytes_of("old 1\n")), AZ_OK);
	for (unsigned int i = 0; i < 64; i++)
		assert_int_equal(buffer_append(&body,
				     bytes_of("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n")),
		    AZ_OK);
	size = body.size;
	assert_int_equal(buffer_append(&body, bytes_of("\nx")), AZ_OK);
	assert_int_equal(
	    witness_add(world->witness, buffer_peek(&body), NOW, &reply, NULL), WITNESS_MALFORMED);
	assert_true(size > 0);
	/* A proof where there is nothing to prove. */
	make(world, 0, 300, &body);
	struct buffer more;
	buffer_init(&more, WITNESS_BODY_MAX, false);
	assert_int_equal(
	    buffer_append(&more, bytes_of("old 0\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n")),
	    AZ_OK);
	assert_int_equal(
	    buffer_append(&more, bytes_make(body.data + strlen("old 0\n"), body.size - 6)), AZ_OK);
	assert_int_equal(
	    witness_add(world->witness, buffer_peek(&more), NOW, &reply, NULL), WITNESS_UNPROVEN);
	buffer_fini(&more);
	buffer_fini(&body);
	buffer_fini(&reply);
}

/* Any byte of a request changed: never a signature over something else than what was shown before. */
static void
no_changed_request_is_cosigned(void **state)
{
	struct world *world = *state;
	struct buffer reply, body;

	buffer_init(&reply, NOTE_MAX, false);
	buffer_init(&body, WITNESS_BODY_MAX, false);
	assert_int_equal(show(world, 0, 300, &reply), WITNESS_COSIGNED);
	make(world, 300, 600, &body);
	for (size_t i = 0; i < body.size; i++) {
		enum witness_answer answer;

		body.data[i] ^= 1;
		buffer_clear(&reply);
		answer = witness_add(world->witness, buffer_peek(&body), NOW, &reply, NULL);
		if (answer == WITNESS_COSIGNED || answer == WITNESS_BROKEN)
			fail_msg("byte %zu changed, and it says %d", i, (int)answer);
		body.data[i] ^= 1;
	}
	assert_int_equal(
	    witness_add(world->witness, buffer_peek(&body), NOW, &reply, NULL), WITNESS_COSIGNED);
	buffer_fini(&body);
	buffer_fini(&reply);
}

static void
a_folder_that_was_changed_is_refused(void **state)
{
	struct world *world = *state;
	struct buffer reply, stored;
	char name[128] = {0};
	char path[256];
	DIR *folder;
	struct dirent *entry;

	buffer_init(&reply, NOTE_MAX, false);
	buffer_init(&stored, NOTE_MAX, false);
	assert_int_equal(show(world, 0, 300, &reply), WITNESS_COSIGNED);
	(void)snprintf(path, sizeof(path), "%s/state", world->path);
	folder = opendir(path);
	while ((entry = readdir(folder)) != NULL) {
		if (entry->d_name[0] != '.')
			(void)snprintf(name, sizeof(name), "state/%.64s", entry->d_name);
	}
	(void)closedir(folder);
	assert_int_equal(file_read_whole(world->dirfd, name, &stored, NULL), AZ_OK);
	stored.data[stored.size - 5] ^= 1;
	assert_int_equal(file_replace(world->dirfd, name, buffer_peek(&stored), 0644, NULL), AZ_OK);
	reopen(world, AZ_FORGED);
	assert_int_equal(file_replace(world->dirfd, name, bytes_of("x"), 0644, NULL), AZ_OK);
	reopen(world, AZ_FORGED);
	assert_int_equal(unlinkat(world->dirfd, name, 0), 0);
	put_key(world, "logs/again.vkey", &world->keys.log);
	reopen(world, AZ_CONFLICT);
	put_key(world, "logs/again.vkey", &world->key);
	reopen(world, AZ_INVALID);
	assert_int_equal(unlinkat(world->dirfd, "logs/again.vkey", 0), 0);
	put_key(world, "vkey", &world->keys.witness);
	reopen(world, AZ_CORRUPT);
	assert_int_equal(file_replace(world->dirfd, "key", bytes_of("short"), 0600, NULL), AZ_OK);
	reopen(world, AZ_CORRUPT);
	buffer_fini(&stored);
	buffer_fini(&reply);
}

/* What cannot be kept is not cosigned. */
static void
it_keeps_before_it_signs(void **state)
{
	struct world *world = *state;
	struct buffer reply;
	char path[256], moved[256];

	buffer_init(&reply, NOTE_MAX, false);
	(void)snprintf(path, sizeof(path), "%s/state", world->path);
	(void)snprintf(moved, sizeof(moved), "%s/moved", world->path);
	/* Also root cannot write into a folder that has gone. */
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(show(world, 0, 300, &reply), WITNESS_BROKEN);
	assert_int_equal(reply.size, 0);
	assert_int_equal(mkdir(path, 0755), 0);
	reopen(world, AZ_OK);
	assert_int_equal(show(world, 0, 200, &reply), WITNESS_COSIGNED);
	buffer_fini(&reply);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(it_cosigns_what_continues, start, end),
	    cmocka_unit_test_setup_teardown(it_says_which_size_it_has, start, end),
	    cmocka_unit_test_setup_teardown(it_refuses_a_fork, start, end),
	    cmocka_unit_test_setup_teardown(it_refuses_other_keys_and_logs, start, end),
	    cmocka_unit_test_setup_teardown(it_refuses_what_is_no_request, start, end),
	    cmocka_unit_test_setup_teardown(no_changed_request_is_cosigned, start, end),
	    cmocka_unit_test_setup_teardown(a_folder_that_was_changed_is_refused, start, end),
	    cmocka_unit_test_setup_teardown(it_keeps_before_it_signs, start, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
