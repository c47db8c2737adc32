/*
 * A house's database in a folder of its own, opened anew for each test, and ways to meddle with it.
 */
#ifndef AZ_TESTS_STATE_FIXTURE_H
#define AZ_TESTS_STATE_FIXTURE_H

#include <sqlite3.h>
#include <string.h>
#include <sys/stat.h>

#include "../base/child.h"
#include "../base/folder.h"
#include "crypto/hash.h"
#include "state/state.h"

static const uint8_t house[HOUSE_ID_SIZE] = "Uhouse-of-tests";
static const uint8_t salt[STATE_SALT_SIZE] = "salt of a text.";

static struct folder folder;
static struct secret *root;

static inline void
fill_root(void)
{
	memset(secret_data(root), 0x5a, KEY_SIZE);
}

/*
 * First in a child: secrets are zero after a fork; and child_run has closed descriptor 2, which SQLite does
 * not take for a database.
 */
static inline void
child_start(void)
{
	fill_root();
	assert_int_equal(open("/dev/null", O_RDWR), STDERR_FILENO);
}

static inline int
setup(void **test)
{
	if (folder_make(&folder) != 0 || secret_new(KEY_SIZE, &root, NULL) != AZ_OK)
		return -1;
	fill_root();
	return 0;
}

static inline int
teardown(void **test)
{
	secret_free(&root);
	return folder_remove(&folder);
}

static inline enum az_status
try_open(struct state **ret_state)
{
	return state_open(folder.fd, house, root, false, ret_state, NULL);
}

static inline struct state *
must_open(bool create)
{
	struct state *state = NULL;

	assert_int_equal(state_open(folder.fd, house, root, create, &state, NULL), AZ_OK);
	return state;
}

/* What opening gives; it is closed again. */
static inline enum az_status
open_status(void)
{
	struct state *state = NULL;
	enum az_status status = try_open(&state);

	assert_int_equal(status == AZ_OK, state != NULL);
	state_close(&state);
	return status;
}

static inline void
put(struct state *state, uint8_t kind, uint64_t id, const char *thing)
{
	assert_int_equal(state_put(state, kind, id, bytes_of(thing), NULL), AZ_OK);
}

static inline void
put_text(struct state *state, uint32_t log, uint64_t index, const char *text)
{
	assert_int_equal(state_put_text(state, log, index, salt, bytes_of(text), NULL), AZ_OK);
}

static inline void
sync_at(struct state *state, uint64_t applied)
{
	assert_int_equal(state_sync(state, applied, NULL), AZ_OK);
}

/* A closed database at position 7 with three things and two texts. */
static inline void
make_house(void)
{
	struct state *state = must_open(true);

	put(state, 2, 1, "client one");
	put(state, 2, 2, "client two");
	put(state, 3, 1, "purpose one");
	put_text(state, 0, 5, "the reason of five");
	put_text(state, 0, 6, "the reason of six!");
	sync_at(state, 7);
	state_close(&state);
}

/* Everything there is, as "kind/id=thing;", in the order of state_each. */
struct listing {
	char text[512];
};

static inline enum az_status
list_one(void *arg, uint8_t kind, uint64_t id, struct bytes thing, struct az_err *reterr)
{
	struct listing *listing = arg;
	size_t size = strlen(listing->text);

	(void)snprintf(listing->text + size, sizeof(listing->text) - size, "%u/%llu=%.*s;",
	    (unsigned)kind, (unsigned long long)id, (int)thing.size, (const char *)thing.data);
	return AZ_OK;
}

static inline struct listing
list(struct state *state)
{
	struct listing listing = {{0}};

	assert_int_equal(state_each(state, list_one, &listing, NULL), AZ_OK);
	return listing;
}

static inline enum az_status
text_status(struct state *state, uint32_t log, uint64_t index)
{
	struct buffer buffer;

	buffer_init(&buffer, STATE_TEXT_MAX, true);
	enum az_status status = state_get_text(state, log, index, &buffer, NULL);
	if (status != AZ_OK)
		assert_int_equal(buffer.size, 0);
	buffer_fini(&buffer);
	return status;
}

static inline void
path_of(const char *name, char path[96])
{
	(void)snprintf(path, 96, "%s/%s", folder.path, name);
}

/* What someone with the disk and a copy of SQLite does to the closed database. */
static inline void
meddle(const char *sql)
{
	sqlite3 *db = NULL;
	char path[96];

	path_of("house.db", path);
	assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static inline void
read_file(const char *name, struct buffer *buffer)
{
	buffer_init(buffer, 1 << 24, false);
	assert_int_equal(file_read_whole(folder.fd, name, buffer, NULL), AZ_OK);
}

static inline void
write_file(const char *name, struct bytes bytes)
{
	assert_int_equal(file_replace(folder.fd, name, bytes, 0600, NULL), AZ_OK);
}

#endif
