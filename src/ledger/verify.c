/*
 * Verification: everything is computed again from the bytes of the entries, and each thing that is stored
 * beside them has to agree. An audit that trusts a stored hash proves that the hash is stored.
 *
 * It needs no keys and changes nothing, so it can run in a child that may only read.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/wire.h"
#include "ledger/ledger_internal.h"

#define CHUNK          ((size_t)1024 * 1024)
#define HASHES_AT_ONCE 4096u
#define PROGRESS_STEP  65536u

struct check {
	const struct log *log;
	int dirfd;
	const uint8_t *house;
	struct ledger_verify *verify;
	struct crossed crossed;
	struct tree tree;
	int64_t last_time_us;
	uint8_t hashes[HASHES_AT_ONCE * TREE_HASH_SIZE]; /* stored leaf hashes, a window of them */
	uint64_t hashes_start;
	uint64_t hashes_count;
	uint64_t stored_count;
	bool head_seen;
	uint64_t checkpoint_size; /* UINT64_MAX: there is none */
	uint8_t checkpoint_root[TREE_HASH_SIZE];
};

static void AZ_PRINTF(3, 4)
    problem(struct ledger_verify *verify, uint64_t index, const char *format, ...)
{
	va_list arguments;

	if (verify->problem[0] != '\0')
		return;
	verify->bad_index = index;
	va_start(arguments, format);
	(void)vsnprintf(verify->problem, sizeof(verify->problem), format, arguments);
	va_end(arguments);
}

/* Whether the tree, which has just reached a size of interest, has the root it must have there. */
static void
check_root(struct check *check, const uint8_t expected[TREE_HASH_SIZE], const char *what)
{
	uint8_t root[TREE_HASH_SIZE];

	tree_root(&check->tree, root);
	if (!bytes_equal(bytes_make(root, sizeof(root)), bytes_make(expected, sizeof(root))))
		problem(check->verify, UINT64_MAX, "the first %llu entries are not those of the %s",
		    (unsigned long long)check->tree.size, what);
}

static void
check_marks(struct check *check)
{
	const struct head *head = check->verify->head;

	if (head != NULL && check->tree.size == head->size)
		check_root(check, head->root, "known head");
	if (check->tree.size == check->checkpoint_size)
		check_root(check, check->checkpoint_root, "signed checkpoint");
}

/* What it committed to of other logs must be so. */
static enum az_status
check_crossed(struct check *check, struct az_err *reterr)
{
	enum az_status status = crossed_check(&check->crossed, check->dirfd, check->house, reterr);

	if (status == AZ_OK && check->crossed.problem[0] != '\0')
		problem(check->verify, UINT64_MAX, "%s", check->crossed.problem);
	return status;
}

static enum az_status
note_crossed(
    struct check *check, uint64_t index, const struct ledger_entry *entry, struct az_err *reterr)
{
	enum az_status status;

	if (entry->type != ENTRY_COMMITTED || entry->time_us > check->verify->settled_us)
		return AZ_OK;
	status = crossed_note(&check->crossed, index, entry, reterr);
	if (status == AZ_OK && crossed_is_full(&check->crossed))
		status = check_crossed(check, reterr);
	return status;
}

static enum az_status
check_entry(struct check *check, struct bytes entry, struct az_err *reterr)
{
	struct ledger_read read;
	uint8_t leaf[TREE_HASH_SIZE];
	uint64_t index = check->tree.size;
	enum az_status status;

	if (ledger_entry_decode(entry, check->log->id, &read) != AZ_OK)
		problem(check->verify, index, "entry %llu is not in its format",
		    (unsigned long long)index);
	else if (read.entry.time_us < check->last_time_us)
		problem(check->verify, index, "entry %llu is older than the one before it",
		    (unsigned long long)index);
	else
		check->last_time_us = read.entry.time_us;
	if (check->verify->problem[0] == '\0') {
		status = note_crossed(check, index, &read.entry, reterr);
		if (status != AZ_OK)
			return status;
	}
	tree_leaf(entry, leaf);
	if (index >= check->hashes_start + check->hashes_count && index < check->stored_count) {
		uint64_t left = check->stored_count - index;

		check->hashes_start = index;
		check->hashes_count = left < HASHES_AT_ONCE ? left : HASHES_AT_ONCE;
		status = log_read_hashes(
		    check->log, 0, index, (size_t)check->hashes_count, check->hashes, reterr);
		if (status != AZ_OK)
			return status;
	}
	if (index >= check->stored_count)
		problem(check->verify, index, "the hash of entry %llu is missing",
		    (unsigned long long)index);
	else if (!bytes_equal(bytes_make(leaf, sizeof(leaf)),
		     bytes_make(check->hashes + (index - check->hashes_start) * TREE_HASH_SIZE,
			 TREE_HASH_SIZE)))
		problem(check->verify, index,
		    "entry %llu was changed: it does not have its stored hash",
		    (unsigned long long)index);
	tree_append(&check->tree, leaf);
	check_marks(check);
	return AZ_OK;
}

/* Reads the file in chunks and hands out each whole entry. */
static enum az_status
read_entries(struct check *check, uint64_t file_size, void (*progress)(void *arg, uint64_t entries),
    void *arg, struct az_err *reterr)
{
	uint8_t *chunk = malloc(CHUNK);
	uint64_t offset = FILE_HEADER_SIZE;
	enum az_status status = AZ_OK;

	if (chunk == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "verify: out of memory");
	while (offset < file_size && status == AZ_OK) {
		size_t size = file_size - offset < CHUNK ? (size_t)(file_size - offset) : CHUNK;
		size_t used = 0;

		status = file_read_at(check->log->entries, chunk, size, offset, reterr);
		while (status == AZ_OK && size - used >= 2) {
			size_t entry_size = wire_load_u16be(chunk + used);

			if (size - used - 2 < entry_size)
				break;
			status =
			    check_entry(check, bytes_make(chunk + used + 2, entry_size), reterr);
			used += 2 + entry_size;
			if (progress != NULL && check->tree.size % PROGRESS_STEP == 0)
				progress(arg, check->tree.size);
		}
		if (status == AZ_OK && used == 0) {
			problem(check->verify, check->tree.size, "entry %llu is cut short",
			    (unsigned long long)check->tree.size);
			break;
		}
		offset += used;
	}
	free(chunk);
	return status;
}

static enum az_status
read_checkpoint(struct check *check, const uint8_t house[HOUSE_ID_SIZE], struct az_err *reterr)
{
	struct checkpoint checkpoint;
	struct note_key key;
	struct az_err detail = {0};
	struct buffer note;
	enum az_status status;

	check->checkpoint_size = UINT64_MAX;
	buffer_init(&note, NOTE_MAX, false);
	status = file_read_whole(check->log->dirfd, "checkpoint", &note, &detail);
	if (status == AZ_OK) {
		status = log_note_key(house, check->verify->generation, check->log->id,
		    check->verify->public_key, &key, &detail);
		if (status == AZ_OK)
			status =
			    checkpoint_open_signed(buffer_peek(&note), &key, &checkpoint, &detail);
	}
	if (status == AZ_OK) {
		check->checkpoint_size = checkpoint.size;
		memcpy(check->checkpoint_root, checkpoint.root, sizeof(checkpoint.root));
	}
	buffer_fini(&note);
	if (status == AZ_IO || status == AZ_NO_MEMORY)
		return az_fail(reterr, status, "%s", detail.text);
	if (status == AZ_NOT_FOUND)
		problem(check->verify, UINT64_MAX, "there is no signed checkpoint");
	else if (status != AZ_OK)
		problem(check->verify, UINT64_MAX, "%.140s", detail.text);
	return AZ_OK;
}

/* The sizes that somebody vouched for must have been reached. */
static void
check_reached(struct check *check)
{
	const struct head *head = check->verify->head;
	uint64_t size = check->tree.size;

	if (check->checkpoint_size != UINT64_MAX && size < check->checkpoint_size)
		problem(check->verify, UINT64_MAX,
		    "%llu entries are missing: the signed checkpoint has %llu",
		    (unsigned long long)(check->checkpoint_size - size),
		    (unsigned long long)check->checkpoint_size);
	if (head != NULL && size < head->size)
		problem(check->verify, UINT64_MAX,
		    "%llu entries are missing: the known head has %llu",
		    (unsigned long long)(head->size - size), (unsigned long long)head->size);
	if (size < check->stored_count)
		problem(check->verify, UINT64_MAX,
		    "%llu entries are missing: their hashes are there",
		    (unsigned long long)(check->stored_count - size));
}

/* The stored higher levels must follow from the leaves. */
static enum az_status
check_levels(struct check *check, struct az_err *reterr)
{
	uint8_t root[TREE_HASH_SIZE];
	uint8_t stored[TREE_HASH_SIZE];
	struct az_err detail = {0};
	enum az_status status = log_root_at(check->log, check->tree.size, stored, &detail);

	if (status == AZ_IO)
		return az_fail(reterr, status, "%s", detail.text);
	tree_root(&check->tree, root);
	if (status != AZ_OK ||
	    !bytes_equal(bytes_make(root, sizeof(root)), bytes_make(stored, sizeof(stored))))
		problem(check->verify, UINT64_MAX, "the stored hashes of groups were changed");
	return AZ_OK;
}

enum az_status
ledger_verify(int dirfd, const uint8_t house[HOUSE_ID_SIZE], struct ledger_verify *verify,
    void (*progress)(void *arg, uint64_t entries), void *arg, struct az_err *reterr)
{
	struct check *check = calloc(1, sizeof(*check));
	struct stat entries, hashes;
	struct log log;
	enum az_status status;

	if (check == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "verify: out of memory");
	verify->ok = false;
	verify->bad_index = UINT64_MAX;
	verify->problem[0] = '\0';
	status = log_open(dirfd, house, verify->log, false, true, &log, reterr);
	if (status != AZ_OK) {
		free(check);
		return status;
	}
	check->log = &log;
	check->dirfd = dirfd;
	check->house = house;
	check->verify = verify;
	check->last_time_us = INT64_MIN;
	if (fstat(log.entries, &entries) != 0 || fstat(log.hashes[0], &hashes) != 0)
		status = az_fail_errno(
		    reterr, AZ_IO, errno, "verify: cannot look at log %u", verify->log);
	if (status == AZ_OK)
		status = read_checkpoint(check, house, reterr);
	if (status == AZ_OK) {
		check->stored_count =
		    ((uint64_t)hashes.st_size - FILE_HEADER_SIZE) / TREE_HASH_SIZE;
		check_marks(check);
		status = read_entries(check, (uint64_t)entries.st_size, progress, arg, reterr);
	}
	if (status == AZ_OK) {
		check_reached(check);
		status = check_levels(check, reterr);
	}
	if (status == AZ_OK)
		status = check_crossed(check, reterr);
	if (status == AZ_OK) {
		verify->size = check->tree.size;
		tree_root(&check->tree, verify->root);
		verify->ok = verify->problem[0] == '\0';
	}
	log_close(&log);
	vector_fini(&check->crossed.items);
	free(check);
	return status;
}
