/*
 * Reading a log on from where somebody left off: the query index, and whoever counts what happened.
 */
#include <stdlib.h>

#include "ledger/ledger_internal.h"

enum az_status
log_walk(const struct log *log, const struct ledger_place *end, uint8_t *block,
    struct ledger_place *place,
    enum az_status (*visit)(void *arg, const struct ledger_place *at, size_t size,
	const struct ledger_read *read, struct az_err *reterr),
    void *arg, struct az_err *reterr)
{
	enum az_status status = AZ_OK;

	while (status == AZ_OK && place->index < end->index) {
		uint64_t left = end->offset - place->offset;
		size_t have = left < INDEX_READ_SIZE ? (size_t)left : INDEX_READ_SIZE;
		size_t at = 0;

		status = file_read_at(log->entries, block, have, place->offset, reterr);
		while (status == AZ_OK && place->index < end->index) {
			struct ledger_read read;
			size_t size = 0;

			status = index_take_entry(
			    bytes_make(block + at, have - at), log->id, &read, &size, reterr);
			if (status != AZ_OK || size == 0)
				break;
			status = visit(arg, place, size, &read, reterr);
			at += size;
			place->index++;
			place->offset += size;
		}
		if (status == AZ_OK && at == 0)
			status =
			    az_fail(reterr, AZ_FORGED, "ledger: entry %llu of log %u is missing",
				(unsigned long long)place->index, log->id);
	}
	return status;
}

/* --- for the house ---------------------------------------------------------------------------- */

struct follow {
	struct pseudonyms *pseudonyms;
	enum az_status (*visit)(void *arg, const struct ledger_entry *entry, struct az_err *reterr);
	void *arg;
};

static enum az_status
visit_identified(void *arg, const struct ledger_place *at, size_t size,
    const struct ledger_read *read, struct az_err *reterr)
{
	struct follow *follow = arg;
	struct ledger_entry entry = read->entry;
	enum az_status status =
	    pseudonyms_identify(follow->pseudonyms, read, &entry.staff, &entry.record);

	(void)size;
	if (status != AZ_OK)
		return az_fail(reterr, status,
		    "ledger: a pseudonym of entry %llu of log %u does not open",
		    (unsigned long long)at->index, entry.log);
	return follow->visit(follow->arg, &entry, reterr);
}

enum az_status
ledger_follow(struct ledger *ledger, uint32_t number, struct ledger_place *place,
    enum az_status (*visit)(void *arg, const struct ledger_entry *entry, struct az_err *reterr),
    void *arg, struct az_err *reterr)
{
	const struct log *log = number < LEDGER_LOGS_MAX ? ledger->logs[number] : NULL;
	struct follow follow = {.visit = visit, .arg = arg};
	struct ledger_place end;
	uint8_t *block;
	enum az_status status;

	if (place->index == 0)
		place->offset = FILE_HEADER_SIZE;
	if (log == NULL && place->index == 0)
		return AZ_OK;
	if (log == NULL || place->index > log->tree.size || place->offset > log->entries_size)
		return az_fail(reterr, AZ_FORGED, "ledger: log %u does not reach entry %llu",
		    number, (unsigned long long)place->index);
	end = (struct ledger_place){.index = log->tree.size, .offset = log->entries_size};
	block = malloc(INDEX_READ_SIZE);
	status = block == NULL ? az_fail(reterr, AZ_NO_MEMORY, "ledger: out of memory")
			       : ledger_pseudonyms(ledger, number, &follow.pseudonyms, reterr);
	if (status == AZ_OK)
		status = log_walk(log, &end, block, place, visit_identified, &follow, reterr);
	pseudonyms_free(&follow.pseudonyms);
	free(block);
	return status;
}

enum az_status
ledger_read_on(struct ledger *ledger, uint32_t number, struct ledger_place *place, size_t max,
    enum az_status (*visit)(void *arg, const struct ledger_entry *entry, struct az_err *reterr),
    void *arg, struct az_err *reterr)
{
	struct follow follow = {.visit = visit, .arg = arg};
	struct ledger_place end = {0};
	const struct log *log;
	uint8_t *block;
	enum az_status status;

	if (place->index == 0)
		place->offset = FILE_HEADER_SIZE;
	status = ledger_pseudonyms(ledger, number, &follow.pseudonyms, reterr);
	if (status != AZ_OK)
		return status;
	block = malloc(INDEX_READ_SIZE);
	(void)pthread_mutex_lock(&ledger->files_lock);
	log = number < LEDGER_LOGS_MAX ? ledger->logs[number] : NULL;
	if (log != NULL) {
		end.index = log->hash_counts[0] - log->pending_hashes[0].size / TREE_HASH_SIZE;
		end.offset = log->entries_size - log->pending.size;
	}
	if (block == NULL)
		status = az_fail(reterr, AZ_NO_MEMORY, "ledger: out of memory");
	else if (place->index > end.index)
		status = az_fail(reterr, AZ_FORGED, "ledger: log %u does not reach entry %llu",
		    number, (unsigned long long)place->index);
	if (end.index - place->index > max)
		end.index = place->index + max;
	if (status == AZ_OK)
		status = log_walk(log, &end, block, place, visit_identified, &follow, reterr);
	(void)pthread_mutex_unlock(&ledger->files_lock);
	pseudonyms_free(&follow.pseudonyms);
	free(block);
	return status;
}

struct ledger_place
ledger_end(const struct ledger *ledger, uint32_t number)
{
	const struct log *log = number < LEDGER_LOGS_MAX ? ledger->logs[number] : NULL;

	if (log == NULL)
		return (struct ledger_place){0};
	return (struct ledger_place){.index = log->tree.size, .offset = log->entries_size};
}
