/*
 * Which record and which version a row of a list is.
 *
 * The record is found by the keyed digest of client and number, or is a new one. The version is decided against the
 * row's neighbours in time among the lists of the same purpose: the same content as the one before or after it keeps
 * that version, anything else is a new one.
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
	bool has_before, has_after;
	struct catalogue_entry before, after;
};

/* Whether a consignment is a list of the same purpose. */
static bool
is_neighbour(const struct bulk *bulk, uint64_t consignment)
{
	size_t low = 0;
	size_t high = bulk->neighbour_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (bulk->neighbours[middle].id == consignment)
			return true;
		if (bulk->neighbours[middle].id < consignment)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

static bool
visit_neighbour(void *arg, const struct catalogue_entry *entry)
{
	struct neighbours *found = arg;
	const struct bulk *bulk = found->bulk;

	if (entry->version > found->highest)
		found->highest = entry->version;
	if (!is_neighbour(bulk, entry->consignment))
		return true;
	/* This list is the latest to arrive: of the same as-of date, the others are before it. */
	if (entry->as_of <= bulk->consignment.as_of) {
		if (!found->has_before ||
		    consignment_is_newer(entry->as_of, entry->consignment, found->before.as_of,
			found->before.consignment)) {
			found->before = *entry;
			found->has_before = true;
		}
	} else if (!found->has_after ||
	    consignment_is_newer(
		found->after.as_of, found->after.consignment, entry->as_of, entry->consignment)) {
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

enum az_status
place_row(struct bulk_worker *worker, struct bulk_row *row, struct az_err *reterr)
{
	struct catalogue_row *placed = &row->placed;
	const struct bulk *bulk = worker->bulk;
	struct neighbours found = {.bulk = bulk};
	uint32_t corrected;
	struct az_err err = {0};
	/* For most rows of a new list there is none, and no need for a text that says so. */
	enum az_status status =
	    catalogue_record(worker->reader, placed->number, &placed->record, NULL);

	if (status == AZ_NOT_FOUND) {
		row->fate = FATE_NEW;
		placed->version = 1;
		return AZ_OK;
	}
	if (status != AZ_OK)
		return az_fail(reterr, status, "row %u: the catalogue cannot be read", row->in.row);
	status = catalogue_entries(worker->reader, placed->record, visit_neighbour, &found, &err);
	if (status != AZ_OK && status != AZ_NOT_FOUND)
		return az_fail(reterr, status, "row %u: %s", row->in.row, err.text);
	/* A version that a correction made is taken, too. */
	corrected = correction_seen_version(bulk->corrected, bulk->corrected_count, placed->record);
	if (corrected > found.highest)
		found.highest = corrected;
	row->fate = FATE_UNCHANGED;
	if (found.has_before && same_content(&found.before, placed->digest)) {
		placed->version = found.before.version;
	} else if (found.has_after && same_content(&found.after, placed->digest)) {
		placed->version = found.after.version;
	} else {
		placed->version = found.highest + 1;
		row->fate = FATE_CHANGED;
	}
	return AZ_OK;
}
