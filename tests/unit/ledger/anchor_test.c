/* I5: a ledger that was put back is behind its anchor, whoever put back what. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "house.h"
#include "ledger/evidence.h"

struct world {
	struct house house;
	char anchor[64];
	char old[64];
};

static int
start(void **state)
{
	struct world *world = calloc(1, sizeof(*world));

	assert_non_null(world);
	(void)snprintf(world->anchor, sizeof(world->anchor), "/tmp/azukari-anchor-XXXXXX");
	(void)snprintf(world->old, sizeof(world->old), "/tmp/azukari-old-XXXXXX");
	assert_non_null(mkdtemp(world->anchor));
	assert_non_null(mkdtemp(world->old));
	house_make(&world->house);
	world->house.anchor_dirfd = open(world->anchor, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	world->house.has_anchor = true;
	house_close(&world->house);
	*state = world;
	return 0;
}

static int
end(void **state)
{
	struct world *world = *state;

	(void)close(world->house.anchor_dirfd);
	house_remove(&world->house);
	house_discard(world->anchor);
	house_discard(world->old);
	free(world);
	return 0;
}

static void
name_of(const struct world *world, uint32_t log, char name[128])
{
	char origin[LEDGER_NAME_SIZE];

	ledger_origin(world->house.id, 1, log, origin);
	for (char *at = origin; *at != '\0'; at++) {
		if (*at == '/')
			*at = '-';
	}
	(void)snprintf(name, 128, "%s.checkpoint", origin);
}

/* What the anchor has of a log, which must be signed by its key; UINT64_MAX: nothing. */
static uint64_t
anchored(struct world *world, uint32_t log)
{
	uint8_t public_key[SIGN_PUBLIC_SIZE];
	char origin[LEDGER_NAME_SIZE], name[128];
	struct checkpoint checkpoint;
	struct note_key key;
	struct buffer note;
	uint64_t size = UINT64_MAX;

	buffer_init(&note, NOTE_MAX, false);
	name_of(world, log, name);
	if (file_read_whole(world->house.anchor_dirfd, name, &note, NULL) == AZ_OK) {
		ledger_origin(world->house.id, 1, log, origin);
		assert_int_equal(
		    ledger_public_key(world->house.id, world->house.root, log, public_key, NULL),
		    AZ_OK);
		assert_int_equal(
		    note_key_make(origin, NOTE_KEY_ED25519, public_key, &key, NULL), AZ_OK);
		assert_int_equal(
		    checkpoint_open_signed(buffer_peek(&note), &key, &checkpoint, NULL), AZ_OK);
		size = checkpoint.size;
	}
	buffer_fini(&note);
	return size;
}

static void
assert_refused(struct world *world, const char *words)
{
	struct az_err err = {0};

	assert_int_equal(house_open(&world->house, &err), AZ_FORGED);
	if (strstr(err.text, words) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", err.text, words);
	assert_null(world->house.ledger);
}

static void
each_signing_is_anchored(void **state)
{
	struct world *world = *state;

	house_start(&world->house);
	assert_int_equal(anchored(world, 1), UINT64_MAX);
	house_disclose(&world->house, 1, 3);
	house_disclose(&world->house, 2, 5);
	house_settle(&world->house);
	assert_int_equal(anchored(world, 1), 3);
	assert_int_equal(anchored(world, 2), 5);
	house_disclose(&world->house, 1, 4);
	/* At stop, too. */
	house_close(&world->house);
	assert_int_equal(anchored(world, 1), 7);
	/* And it is continued. */
	house_start(&world->house);
	house_disclose(&world->house, 1, 1);
	house_settle(&world->house);
	assert_int_equal(anchored(world, 1), 8);
}

static void
a_house_that_was_put_back_is_refused(void **state)
{
	struct world *world = *state;

	house_start(&world->house);
	house_disclose(&world->house, 1, 3);
	house_close(&world->house);
	house_copy(world->house.path, world->old);
	house_start(&world->house);
	house_disclose(&world->house, 1, 1);
	house_close(&world->house);
	house_copy(world->old, world->house.path);
	assert_refused(world, "log 1 has 3 entries, its anchor 4");
	/* By itself it is whole: only the anchor knows. */
	world->house.has_anchor = false;
	assert_int_equal(house_open(&world->house, NULL), AZ_OK);
	house_close(&world->house);
}

static void
another_history_is_refused(void **state)
{
	struct world *world = *state;

	house_start(&world->house);
	house_disclose(&world->house, 1, 3);
	house_close(&world->house);
	house_copy(world->house.path, world->old);
	house_start(&world->house);
	house_disclose(&world->house, 1, 2);
	house_close(&world->house);
	/* The older house goes on without the anchor, further than the newer one was. */
	house_copy(world->old, world->house.path);
	world->house.has_anchor = false;
	world->house.applied_synced = world->house.applied = 3;
	house_start(&world->house);
	house_disclose(&world->house, 1, 6);
	house_close(&world->house);
	world->house.has_anchor = true;
	assert_refused(world, "log 1 is not the one its anchor was signed over");
}

static void
a_log_that_has_gone_is_missed(void **state)
{
	struct world *world = *state;

	house_start(&world->house);
	house_disclose(&world->house, 1, 3);
	house_close(&world->house);
	house_copy(world->house.path, world->old);
	house_start(&world->house);
	house_disclose(&world->house, 9, 1);
	house_close(&world->house);
	house_copy(world->old, world->house.path);
	assert_refused(world, "a checkpoint of log 9, whose entries are gone");
}

static void
a_changed_anchor_is_refused(void **state)
{
	struct world *world = *state;
	struct buffer note;
	char name[128];

	house_start(&world->house);
	house_disclose(&world->house, 1, 3);
	house_close(&world->house);
	name_of(world, 1, name);
	buffer_init(&note, NOTE_MAX, false);
	assert_int_equal(file_read_whole(world->house.anchor_dirfd, name, &note, NULL), AZ_OK);
	for (size_t i = 0; i < note.size; i++) {
		struct az_err err = {0};

		note.data[i] ^= 1;
		assert_int_equal(
		    file_replace(world->house.anchor_dirfd, name, buffer_peek(&note), 0644, NULL),
		    AZ_OK);
		assert_int_not_equal(house_open(&world->house, &err), AZ_OK);
		assert_true(err.text[0] != '\0');
		note.data[i] ^= 1;
	}
	assert_int_equal(
	    file_replace(world->house.anchor_dirfd, name, buffer_peek(&note), 0644, NULL), AZ_OK);
	assert_int_equal(house_open(&world->house, NULL), AZ_OK);
	house_close(&world->house);
	buffer_fini(&note);
}

static void
files_of_others_are_left_alone(void **state)
{
	static const char *const names[] = {
	    "azukari-unsealed-aaaaaaaaaaaaaaaaaaaaaaaa-g1-7.checkpoint", "notes.txt", ".checkpoint",
	    "azukari-", "7.checkpoint"};
	struct world *world = *state;
	char name[128], other[160];

	for (size_t i = 0; i < AZ_ARRAY_SIZE(names); i++)
		assert_int_equal(file_replace(world->house.anchor_dirfd, names[i],
				     bytes_of("not ours"), 0644, NULL),
		    AZ_OK);
	/* An earlier generation's, and numbers that are none. */
	name_of(world, 7, name);
	*strstr(name, "-g1-") = '\0';
	(void)snprintf(other, sizeof(other), "%s-g2-7.checkpoint", name);
	assert_int_equal(
	    file_replace(world->house.anchor_dirfd, other, bytes_of("x"), 0644, NULL), AZ_OK);
	(void)snprintf(other, sizeof(other), "%s-g1-07.checkpoint", name);
	assert_int_equal(
	    file_replace(world->house.anchor_dirfd, other, bytes_of("x"), 0644, NULL), AZ_OK);
	house_start(&world->house);
	house_disclose(&world->house, 1, 1);
	house_close(&world->house);
	assert_int_equal(house_open(&world->house, NULL), AZ_OK);
	house_close(&world->house);
}

static void
a_new_anchor_is_filled(void **state)
{
	struct world *world = *state;

	world->house.has_anchor = false;
	house_start(&world->house);
	house_disclose(&world->house, 1, 3);
	house_disclose(&world->house, 2, 3);
	house_close(&world->house);
	world->house.has_anchor = true;
	house_start(&world->house);
	house_disclose(&world->house, 1, 1);
	house_settle(&world->house);
	assert_int_equal(anchored(world, 1), 4);
	/* Also of a log that nothing happened in. */
	assert_int_equal(anchored(world, 2), 3);
}

/* Root may write anywhere; everybody else is told before anything is opened. */
static void
where_it_cannot_write_nothing_is_opened(void **state)
{
	struct world *world = *state;
	struct az_err err = {0};

	house_start(&world->house);
	house_close(&world->house);
	assert_int_equal(chmod(world->anchor, 0500), 0);
	if (geteuid() != 0) {
		assert_int_equal(house_open(&world->house, &err), AZ_IO);
		assert_non_null(strstr(err.text, "anchor"));
	}
	assert_int_equal(chmod(world->anchor, 0700), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(each_signing_is_anchored, start, end),
	    cmocka_unit_test_setup_teardown(a_house_that_was_put_back_is_refused, start, end),
	    cmocka_unit_test_setup_teardown(another_history_is_refused, start, end),
	    cmocka_unit_test_setup_teardown(a_log_that_has_gone_is_missed, start, end),
	    cmocka_unit_test_setup_teardown(a_changed_anchor_is_refused, start, end),
	    cmocka_unit_test_setup_teardown(files_of_others_are_left_alone, start, end),
	    cmocka_unit_test_setup_teardown(a_new_anchor_is_filled, start, end),
	    cmocka_unit_test_setup_teardown(where_it_cannot_write_nothing_is_opened, start, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
