/*
 * Opening, reading, and which consignments are loaded.
 *
 *   entries   record u32be ‖ consignment u64be → version u32, as-of i32, flags u32, digest 16
 *   numbers   keyed digest of client and number → record u32
 *   loaded    consignment u64be → as-of i32
 *   meta      "house" → house id
 *
 * A load takes many transactions, so its entries lie in the table long before all of them do. A reader
 * must see all or none. So each reader carries, beside its snapshot of the tables, the set of consignments that were
 * loaded when the snapshot was taken; what is not in the set is passed over. Both are taken under the
 * lock, and a load enters the set after its last commit, a drop leaves it before its first: whatever is
 * in the set is whole in the snapshot.
 *
 * A number has no consignment, and a number of an unfinished load may be seen. It names the record that the
 * repeated load will name too, and that record has no entry yet.
 */
#include "catalogue/catalogue.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/wire.h"
#include "catalogue/catalogue_internal.h"

/* Address space, not disk: as large as it may ever become. */
#define MAP_SIZE (UINT64_C(1) << 40)

struct catalogue_reader {
	struct catalogue *catalogue;
	struct kv_reader *kv;
	struct loaded_set loaded;
};

/* --- the set --------------------------------------------------------------------------------- */

/* Where the consignment stands, or would. */
static size_t
loaded_place(const struct loaded_set *set, uint64_t consignment)
{
	size_t low = 0;
	size_t high = set->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (set->items[middle] < consignment)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool
loaded_has(const struct loaded_set *set, uint64_t consignment)
{
	size_t place = loaded_place(set, consignment);

	return place < set->count && set->items[place] == consignment;
}

/* Room for count items. */
static enum az_status
loaded_reserve(struct loaded_set *set, size_t count)
{
	size_t room = count + count / 2 + 16;
	size_t size;
	uint64_t *items;

	if (count <= set->room)
		return AZ_OK;
	if (!az_mul(room, sizeof(*items), &size))
		return AZ_NO_MEMORY;
	items = realloc(set->items, size);
	if (items == NULL)
		return AZ_NO_MEMORY;
	set->items = items;
	set->room = room;
	return AZ_OK;
}

enum az_status
loaded_add(struct loaded_set *set, uint64_t consignment)
{
	size_t place = loaded_place(set, consignment);
	enum az_status status;

	if (loaded_has(set, consignment))
		return AZ_OK;
	status = loaded_reserve(set, set->count + 1);
	if (status != AZ_OK)
		return status;
	memmove(
	    set->items + place + 1, set->items + place, (set->count - place) * sizeof(*set->items));
	set->items[place] = consignment;
	set->count++;
	set->generation++;
	return AZ_OK;
}

void
loaded_remove(struct loaded_set *set, uint64_t consignment)
{
	size_t place = loaded_place(set, consignment);

	if (!loaded_has(set, consignment))
		return;
	set->count--;
	memmove(
	    set->items + place, set->items + place + 1, (set->count - place) * sizeof(*set->items));
	set->generation++;
}

enum az_status
loaded_copy(const struct loaded_set *set, struct loaded_set *ret_copy)
{
	enum az_status status;

	if (set->generation == ret_copy->generation)
		return AZ_OK;
	status = loaded_reserve(ret_copy, set->count);
	if (status != AZ_OK)
		return status;
	if (set->count > 0)
		memcpy(ret_copy->items, set->items, set->count * sizeof(*set->items));
	ret_copy->count = set->count;
	ret_copy->generation = set->generation;
	return AZ_OK;
}

/* --- opening --------------------------------------------------------------------------------- */

/* Whose tables these are. New ones become ours. */
static enum az_status
check_house(
    struct catalogue *catalogue, struct kv_reader *reader, bool create, struct az_err *reterr)
{
	struct bytes key = bytes_of("house");
	struct bytes ours = bytes_make(catalogue->house, HOUSE_ID_SIZE);
	struct bytes stored;
	struct kv_writer *writer = NULL;
	enum az_status status = kv_get(reader, TABLE_META, key, &stored, reterr);

	if (status == AZ_OK) {
		return bytes_equal(stored, ours)
		    ? AZ_OK
		    : az_fail(reterr, AZ_FORGED, "catalogue: it belongs to another house");
	}
	if (status != AZ_NOT_FOUND)
		return status;
	if (!create)
		return az_fail(reterr, AZ_NOT_FOUND, "catalogue: there is none");
	status = kv_begin(catalogue->kv, &writer, reterr);
	if (status == AZ_OK)
		status = kv_put(writer, TABLE_META, key, ours, reterr);
	if (status == AZ_OK)
		status = kv_commit(&writer, reterr);
	kv_abort(&writer);
	return status == AZ_OK ? kv_sync(catalogue->kv, reterr) : status;
}

static enum az_status
read_loaded(struct catalogue *catalogue, struct kv_reader *reader, struct az_err *reterr)
{
	uint8_t first[LOADED_KEY_SIZE] = {0};
	struct bytes key, value;
	enum az_status status =
	    kv_seek(reader, TABLE_LOADED, bytes_make(first, sizeof(first)), &key, &value, reterr);

	while (status == AZ_OK) {
		if (key.size != LOADED_KEY_SIZE || value.size != LOADED_SIZE)
			return az_fail(
			    reterr, AZ_CORRUPT, "catalogue: a mark is not in its format");
		status = loaded_add(&catalogue->loaded, wire_load_u64be(key.data));
		if (status != AZ_OK)
			return az_fail(reterr, status, "catalogue: out of memory");
		status = kv_next(reader, TABLE_LOADED, &key, &value, reterr);
	}
	return status == AZ_NOT_FOUND ? AZ_OK : status;
}

enum az_status
catalogue_open(int dirfd, const uint8_t house[HOUSE_ID_SIZE], bool create,
    struct catalogue **ret_catalogue, struct az_err *reterr)
{
	static const char *const names[TABLE_COUNT] = {"entries", "numbers", "loaded", "meta"};
	struct catalogue *catalogue = calloc(1, sizeof(*catalogue));
	struct kv_reader *reader = NULL;
	struct az_err err = {0};
	enum az_status status;

	if (catalogue == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "catalogue: out of memory");
	(void)pthread_rwlock_init(&catalogue->lock, NULL);
	catalogue->dirfd = dirfd;
	memcpy(catalogue->house, house, HOUSE_ID_SIZE);
	status = kv_open(dirfd, names, TABLE_COUNT, MAP_SIZE, false, &catalogue->kv, &err);
	if (status == AZ_OK)
		status = kv_reader_new(catalogue->kv, &reader, &err);
	if (status == AZ_OK)
		status = kv_reader_renew(reader, &err);
	if (status == AZ_OK)
		status = check_house(catalogue, reader, create, &err);
	if (status == AZ_OK)
		status = read_loaded(catalogue, reader, &err);
	if (status != AZ_OK) {
		status = az_fail(reterr, status, "%s", err.text);
		goto out;
	}
	*ret_catalogue = catalogue;
	catalogue = NULL;
out:
	kv_reader_free(&reader);
	catalogue_close(&catalogue);
	return status;
}

void
catalogue_close(struct catalogue **catalogue)
{
	struct catalogue *closing = *catalogue;

	if (closing == NULL)
		return;
	kv_close(&closing->kv);
	(void)pthread_rwlock_destroy(&closing->lock);
	free(closing->loaded.items);
	free(closing);
	*catalogue = NULL;
}

bool
catalogue_is_loaded(struct catalogue *catalogue, uint64_t consignment)
{
	bool loaded;

	(void)pthread_rwlock_rdlock(&catalogue->lock);
	loaded = loaded_has(&catalogue->loaded, consignment);
	(void)pthread_rwlock_unlock(&catalogue->lock);
	return loaded;
}

/* The consignments of the run files, into an empty set. */
static enum az_status
list_runs(const struct catalogue *catalogue, struct loaded_set *runs, struct az_err *reterr)
{
	int fd = openat(catalogue->dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	enum az_status status = AZ_OK;
	struct dirent *item;
	uint64_t consignment;

	if (dir == NULL) {
		fd_close(&fd);
		return az_fail_errno(reterr, AZ_IO, errno, "catalogue: cannot list its folder");
	}
	while (status == AZ_OK && (item = readdir(dir)) != NULL) {
		if (run_name_read(item->d_name, &consignment))
			status = loaded_add(runs, consignment);
	}
	(void)closedir(dir);
	return status == AZ_OK ? AZ_OK : az_fail(reterr, status, "catalogue: out of memory");
}

enum az_status
catalogue_consignments(struct catalogue *catalogue,
    void (*visit)(void *arg, uint64_t consignment, bool loaded), void *arg, struct az_err *reterr)
{
	struct loaded_set runs = {0};
	struct loaded_set loaded = {0};
	enum az_status status = list_runs(catalogue, &runs, reterr);

	if (status != AZ_OK)
		goto out;
	/* Copies, because visit may load or drop what it is shown. */
	(void)pthread_rwlock_rdlock(&catalogue->lock);
	status = loaded_copy(&catalogue->loaded, &loaded);
	(void)pthread_rwlock_unlock(&catalogue->lock);
	if (status != AZ_OK) {
		status = az_fail(reterr, status, "catalogue: out of memory");
		goto out;
	}
	for (size_t i = 0; i < runs.count; i++)
		visit(arg, runs.items[i], loaded_has(&loaded, runs.items[i]));
	for (size_t i = 0; i < loaded.count; i++) {
		if (!loaded_has(&runs, loaded.items[i]))
			visit(arg, loaded.items[i], true);
	}
out:
	free(runs.items);
	free(loaded.items);
	return status;
}

/* --- reading --------------------------------------------------------------------------------- */

enum az_status
catalogue_reader_new(
    struct catalogue *catalogue, struct catalogue_reader **ret_reader, struct az_err *reterr)
{
	struct catalogue_reader *reader = calloc(1, sizeof(*reader));
	enum az_status status;

	if (reader == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "catalogue: out of memory");
	reader->catalogue = catalogue;
	status = kv_reader_new(catalogue->kv, &reader->kv, reterr);
	if (status != AZ_OK) {
		free(reader);
		return status;
	}
	*ret_reader = reader;
	return AZ_OK;
}

void
catalogue_reader_free(struct catalogue_reader **reader)
{
	if (*reader == NULL)
		return;
	kv_reader_free(&(*reader)->kv);
	free((*reader)->loaded.items);
	free(*reader);
	*reader = NULL;
}

enum az_status
catalogue_reader_renew(struct catalogue_reader *reader, struct az_err *reterr)
{
	struct catalogue *catalogue = reader->catalogue;
	enum az_status status;

	(void)pthread_rwlock_rdlock(&catalogue->lock);
	status = loaded_copy(&catalogue->loaded, &reader->loaded);
	if (status != AZ_OK)
		status = az_fail(reterr, status, "catalogue: out of memory");
	else
		status = kv_reader_renew(reader->kv, reterr);
	(void)pthread_rwlock_unlock(&catalogue->lock);
	return status;
}

enum az_status
catalogue_record(struct catalogue_reader *reader, const uint8_t number[CATALOGUE_DIGEST_SIZE],
    uint32_t *ret_record, struct az_err *reterr)
{
	struct bytes value;
	enum az_status status = kv_get(
	    reader->kv, TABLE_NUMBERS, bytes_make(number, CATALOGUE_DIGEST_SIZE), &value, reterr);

	if (status != AZ_OK)
		return status;
	if (value.size != NUMBER_SIZE)
		return az_fail(reterr, AZ_CORRUPT, "catalogue: a number is not in its format");
	*ret_record = wire_load_u32(value.data);
	return AZ_OK;
}

void
entry_key(uint32_t record, uint64_t consignment, uint8_t key[ENTRY_KEY_SIZE])
{
	wire_store_u32be(key, record);
	wire_store_u64be(key + 4, consignment);
}

enum az_status
catalogue_entries(struct catalogue_reader *reader, uint32_t record,
    bool (*visit)(void *arg, const struct catalogue_entry *entry), void *arg, struct az_err *reterr)
{
	uint8_t first[ENTRY_KEY_SIZE];
	struct bytes key, value;
	struct az_err err = {0};
	bool any = false;
	enum az_status status;

	entry_key(record, 0, first);
	status = kv_seek(
	    reader->kv, TABLE_ENTRIES, bytes_make(first, sizeof(first)), &key, &value, &err);
	while (status == AZ_OK) {
		struct catalogue_entry entry;

		if (key.size != ENTRY_KEY_SIZE || value.size != ENTRY_VALUE_SIZE)
			return az_fail(
			    reterr, AZ_CORRUPT, "catalogue: an entry is not in its format");
		if (wire_load_u32be(key.data) != record)
			break;
		entry.consignment = wire_load_u64be(key.data + 4);
		entry.version = wire_load_u32(value.data);
		entry.as_of = (int32_t)wire_load_u32(value.data + 4);
		entry.flags = wire_load_u32(value.data + 8);
		memcpy(entry.digest, value.data + 12, CATALOGUE_DIGEST_SIZE);
		if (loaded_has(&reader->loaded, entry.consignment)) {
			any = true;
			if (!visit(arg, &entry))
				break;
		}
		status = kv_next(reader->kv, TABLE_ENTRIES, &key, &value, &err);
	}
	if (status != AZ_OK && status != AZ_NOT_FOUND)
		return az_fail(reterr, status, "%s", err.text);
	return any ? AZ_OK
		   : az_fail(reterr, AZ_NOT_FOUND, "catalogue: there is no record %u", record);
}
