/*
 * Which record and which version a row of a list is.
 *
 * The record is found by the keyed digest of client and number, or is a new one. The version is decided against the
 * row's neighbours in time among the lists of the same purpose: the same content as the one before or after it keeps
 * that version, anything else is a new one.
 *
 * A withdrawal has no version: it is an entry of version 0, so that the record is withdrawn for lists that come later and
 * describe an earlier day, too, even where no list has it yet.
 *
 * Nothing here depends on the other rows of the list but that no two have the same record; so the workers place their
 * rows side by side, and only new records are numbered in order (rows.c).
 */
#include "custody/bulk.h"
#include "custody/corrections.h"

/* What the catalogue has of a record: the highest version, and the neighbours in time. */
struct neighbours {
	const struct bulk *bulk;
	uint32_t highest;
	bool has_before, has_after, has_newest;
	struct catalogue_entry before, after, newest;
	bool was_withdrawn;
	struct catalogue_entry withdrawal; /* the newest */
};

/* The list of the same purpose of that number; NULL. */
static const struct bulk_neighbour *
neighbour_of(const struct bulk *bulk, uint64_t consignment)
{
	size_t low = 0;
	size_t high = bulk->neighbour_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (bulk->neighbours[middle].id == consignment)
			return &bulk->neighbours[middle];
		if (bulk->neighbours[middle].id < consignment)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

static bool
is_newer(const struct catalogue_entry *entry, const struct catalogue_entry *than)
{
	return consignment_is_newer(
	    entry->as_of, entry->consignment, than->as_of, than->consignment);
}

static bool
visit_neighbour(void *arg, const struct catalogue_entry *entry)
{
	struct neighbours *found = arg;
	const struct bulk *bulk = found->bulk;
	const struct bulk_neighbour *list = neighbour_of(bulk, entry->consignment);

	if (entry->version > found->highest)
		found->highest = entry->version;
	if (list == NULL)
		return true;
	if (list->mode == LIST_WITHDRAW) {
		if (!found->was_withdrawn || is_newer(entry, &found->withdrawal))
			found->withdrawal = *entry;
		found->was_withdrawn = true;
		return true;
	}
	if (!found->has_newest || is_newer(entry, &found->newest))
		found->newest = *entry;
	found->has_newest = true;
	if (entry->as_of <= bulk->consignment.as_of) {
		/* This list is the latest to arrive: of the same as-of date, the others are before it. */
		if (!found->has_before || is_newer(entry, &found->before))
			found->before = *entry;
		found->has_before = true;
	} else {
		if (!found->has_after || is_newer(&found->after, entry))
			found->after = *entry;
		found->has_after = true;
	}
	return true;
}

static bool
same_content(const struct catalogue_entry *entry, const uint8_t digest[CATALOGUE_DIGEST_SIZE])
{
	return bytes_equal(bytes_make(entry->digest, CATALOGUE_DIGEST_SIZE),
	    bytes_make(digest, CATALOGUE_DIGEST_SIZE));
}

/* Whether the record could be found until now. */
static bool
was_callable(const struct neighbours *found)
{
	const struct bulk_neighbour *full = found->bulk->newest_full;
	const struct catalogue_entry *newest = &found->newest;

	if (!found->has_newest || (found->was_withdrawn && is_newer(&found->withdrawal, newest)))
		return false;
	return full == NULL || full->id == newest->consignment ||
	    consignment_is_newer(newest->as_of, newest->consignment, full->as_of, full->id);
}

static void
place_withdrawal(const struct neighbours *found, struct bulk_row *row)
{
	row->fate = FATE_WITHDRAWN;
	row->placed.version = 0;
	if (!found->has_newest)
		row->withdrawal = WITHDRAWAL_UNKNOWN;
	else if (!was_callable(found))
		row->withdrawal = WITHDRAWAL_NOTHING;
	else if (found->newest.as_of > found->bulk->consignment.as_of)
		row->withdrawal = WITHDRAWAL_KEPT;
	else
		row->withdrawal = WITHDRAWAL_DONE;
}

static void
place_version(const struct bulk *bulk, const struct neighbours *found, struct bulk_row *row)
{
	struct catalogue_row *placed = &row->placed;
	/* A version that a correction made is taken, too. */
	uint32_t corrected =
	    correction_seen_version(bulk->corrected, bulk->corrected_count, placed->record);

	row->fate = FATE_UNCHANGED;
	if (found->has_before && same_content(&found->before, placed->digest)) {
		placed->version = found->before.version;
	} else if (found->has_after && same_content(&found->after, placed->digest)) {
		placed->version = found->after.version;
	} else {
		placed->version = (corrected > found->highest ? corrected : found->highest) + 1;
		row->fate = FATE_CHANGED;
	}
}

enum az_status
place_row(struct bulk_worker *worker, struct bulk_row *row, struct az_err *reterr)
{
	struct catalogue_row *placed = &row->placed;
	const struct bulk *bulk = worker->bulk;
	struct neighbours found = {.bulk = bulk};
	struct az_err err = {0};
	enum az_status status;

	if (bulk->join != 0) {
		status = join_row(worker, row, reterr);
		if (status != AZ_OK || row->refusal != REFUSAL_NONE)
			return status;
		status = placed->record != 0 ? AZ_OK : AZ_NOT_FOUND;
	} else {
		/* For most rows of a new list there is none, and no need for a text that says so. */
		status = catalogue_record(worker->reader, placed->number, &placed->record, NULL);
	}
	if (status == AZ_OK) {
		status = catalogue_entries(
		    worker->reader, placed->record, visit_neighbour, &found, &err);
		if (status != AZ_OK && status != AZ_NOT_FOUND)
			return az_fail(reterr, status, "row %u: %s", row->in.row, err.text);
	} else if (status != AZ_NOT_FOUND) {
		return az_fail(reterr, status, "row %u: the catalogue cannot be read", row->in.row);
	}
	if (bulk->consignment.mode == LIST_WITHDRAW) {
		place_withdrawal(&found, row);
	} else if (placed->record == 0) {
		row->fate = FATE_NEW;
		placed->version = 1;
	} else {
		place_version(bulk, &found, row);
	}
	return AZ_OK;
}
