/*
 * What a log committed to of the others, held against them as they are.
 *
 * While a log is read, its commitments are noted; then they are sorted, so that each other log is opened once, and its root is
 * made for each size out of its stored hashes. That those are the hashes of its entries is seen when that log is verified itself.
 *
 *   offset size
 *   0      4    log           big-endian, as sorting wants it
 *   4      8    size
 *   12     8    index of the entry that commits
 *   20     32   root
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/sort.h"
#include "base/wire.h"
#include "ledger/ledger_internal.h"

#define ITEM_SIZE 52u
#define SIZE_AT   4u
#define INDEX_AT  12u
#define ROOT_AT   20u

bool
crossed_is_full(const struct crossed *crossed)
{
	return crossed->items.count >= CROSSED_MAX;
}

enum az_status
crossed_note(struct crossed *crossed, uint64_t index, const struct ledger_entry *entry,
    struct az_err *reterr)
{
	uint8_t *item = vector_push(&crossed->items, ITEM_SIZE);

	if (item == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "verify: out of memory");
	wire_store_u32be(item, entry->subject);
	wire_store_u64be(item + SIZE_AT, entry->detail64);
	wire_store_u64be(item + INDEX_AT, index);
	memcpy(item + ROOT_AT, entry->document, sizeof(entry->document));
	return AZ_OK;
}

static const char *
name_of(uint32_t log, char text[32])
{
	if (log == LEDGER_HOUSE_LOG)
		return "the house's log";
	(void)snprintf(text, 32, "log %u", log);
	return text;
}

static void
say_missing(struct crossed *crossed, uint32_t log, const uint8_t *item, uint64_t has)
{
	char name[32];

	(void)snprintf(crossed->problem, sizeof(crossed->problem),
	    "entry %llu says that %s had %llu entries, and it has %llu",
	    (unsigned long long)wire_load_u64be(item + INDEX_AT), name_of(log, name),
	    (unsigned long long)wire_load_u64be(item + SIZE_AT), (unsigned long long)has);
}

/* One commitment to a log that is open. */
static enum az_status
check_item(struct crossed *crossed, const struct log *log, uint64_t has, const uint8_t *item,
    struct az_err *reterr)
{
	uint64_t size = wire_load_u64be(item + SIZE_AT);
	uint8_t root[TREE_HASH_SIZE];
	struct az_err detail = {0};
	char name[32];
	enum az_status status;

	if (size > has) {
		say_missing(crossed, log->id, item, has);
		return AZ_OK;
	}
	status = log_root_at(log, size, root, &detail);
	if (status == AZ_IO || status == AZ_NO_MEMORY)
		return az_fail(reterr, status, "%s", detail.text);
	if (status != AZ_OK ||
	    !bytes_equal(bytes_make(root, sizeof(root)), bytes_make(item + ROOT_AT, sizeof(root))))
		(void)snprintf(crossed->problem, sizeof(crossed->problem),
		    "entry %llu names another root of the first %llu entries of %s than it has",
		    (unsigned long long)wire_load_u64be(item + INDEX_AT), (unsigned long long)size,
		    name_of(log->id, name));
	return AZ_OK;
}

/* Those to one log: so many from first on. */
static enum az_status
check_log(struct crossed *crossed, int dirfd, const uint8_t house[HOUSE_ID_SIZE],
    const uint8_t *first, size_t count, struct az_err *reterr)
{
	uint32_t id = wire_load_u32be(first);
	struct az_err detail = {0};
	struct stat hashes;
	struct log log;
	uint64_t has;
	enum az_status status = AZ_FORGED;

	if (id < LEDGER_LOGS_MAX)
		status = log_open(dirfd, house, id, false, true, &log, &detail);
	if (status == AZ_IO || status == AZ_NO_MEMORY)
		return az_fail(reterr, status, "%s", detail.text);
	if (status != AZ_OK) {
		say_missing(crossed, id, first, 0);
		return AZ_OK;
	}
	if (fstat(log.hashes[0], &hashes) != 0) {
		status = az_fail_errno(reterr, AZ_IO, errno, "verify: cannot look at log %u", id);
	} else {
		has = ((uint64_t)hashes.st_size - FILE_HEADER_SIZE) / TREE_HASH_SIZE;
		for (size_t i = 0; i < count && status == AZ_OK && crossed->problem[0] == '\0'; i++)
			status = check_item(crossed, &log, has, first + i * ITEM_SIZE, reterr);
	}
	log_close(&log);
	return status;
}

enum az_status
crossed_check(
    struct crossed *crossed, int dirfd, const uint8_t house[HOUSE_ID_SIZE], struct az_err *reterr)
{
	size_t count = crossed->items.count;
	uint8_t *items = crossed->items.items;
	uint8_t *scratch = count > 0 ? malloc(count * ITEM_SIZE) : NULL;
	enum az_status status = AZ_OK;

	if (count > 0 && scratch == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "verify: out of memory");
	if (count > 0)
		sort_entries(items, scratch, count, ITEM_SIZE, 0);
	free(scratch);
	for (size_t at = 0; at < count && status == AZ_OK && crossed->problem[0] == '\0';) {
		size_t same = 1;

		while (at + same < count &&
		    wire_load_u32be(items + (at + same) * ITEM_SIZE) ==
			wire_load_u32be(items + at * ITEM_SIZE))
			same++;
		status = check_log(crossed, dirfd, house, items + at * ITEM_SIZE, same, reterr);
		at += same;
	}
	vector_fini(&crossed->items);
	return status;
}
