/*
 * Gathering who was shown what, a slice a round, so that calls go on meanwhile: first every client's log from its
 * beginning, then each imported history.
 *
 * All of it is read, not only what is about the rows of the list: how much somebody had beside those is what clears
 * or charges them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "custody/attribution_internal.h"
#include "proto/history.h"

#define SLICE_ENTRIES 1000u /* a thousandth of a second or two: calls wait for it */
#define SLICE_BLOCKS  1u

/* --- the house's own -------------------------------------------------------------------------- */

/* What was masked was not shown whole, and is none of what was copied. */
static enum az_status
take_entry(void *arg, const struct ledger_entry *entry, struct az_err *reterr)
{
	struct attribution *attribution = arg;
	struct access access = {.person = entry->staff - 1,
	    .pool = entry->purpose - 1,
	    .number = entry->session,
	    .kind = MODEL_SESSION,
	    .time_us = entry->time_us,
	    .record = entry->record,
	    .version = entry->version,
	    .fields = entry->shown & ~entry->masked};

	if (entry->type != ENTRY_DISCLOSED || entry->outcome != AZ_OK)
		return AZ_OK;
	if (entry->staff == 0 || entry->staff > attribution->staff_count || entry->record == 0)
		return az_fail(
		    reterr, AZ_FORGED, "attribution: an entry of log %u names nobody", entry->log);
	if (entry->purpose == 0 || entry->purpose > attribution->purpose_count)
		access.pool = MODEL_NONE;
	return access_set_add(attribution->set, &access, reterr);
}

static enum az_status
slice_of_logs(struct attribution *attribution, struct az_err *reterr)
{
	struct ledger *ledger = attribution->custody->ledger;
	uint64_t before = attribution->place.index;
	enum az_status status;

	if (attribution->log == LEDGER_HOUSE_LOG)
		attribution->log++;
	if (attribution->log >= ledger_log_count(ledger)) {
		attribution->stage = STAGE_HISTORIES;
		return AZ_OK;
	}
	status = ledger_read_on(ledger, attribution->log, &attribution->place, SLICE_ENTRIES,
	    take_entry, attribution, reterr);
	if (status == AZ_OK && attribution->place.index == before) {
		attribution->log++;
		attribution->place = (struct ledger_place){0};
	}
	return status;
}

/* --- imported histories ----------------------------------------------------------------------- */

static struct used_history *
last_used(struct attribution *attribution)
{
	return (struct used_history *)attribution->used.items + attribution->used.count - 1;
}

/* The person of that name: of the house, or one who is known by this name only. UINT32_MAX: no memory. */
static uint32_t
person_named(struct attribution *attribution, const char *name)
{
	const struct staff *staff = people_staff_labelled(attribution->custody->people, name);
	struct unknown_person *unknown = attribution->unknown.items;

	if (staff != NULL && staff->id <= attribution->staff_count)
		return staff->id - 1;
	for (size_t i = 0; i < attribution->unknown.count; i++) {
		if (strcmp(unknown[i].name, name) == 0)
			return attribution->staff_count + (uint32_t)i;
	}
	unknown = vector_push(&attribution->unknown, sizeof(*unknown));
	if (unknown == NULL)
		return UINT32_MAX;
	(void)snprintf(unknown->name, sizeof(unknown->name), "%s", name);
	return attribution->staff_count + (uint32_t)attribution->unknown.count - 1;
}

static uint32_t
person_of(struct attribution *attribution, uint32_t name)
{
	uint32_t *known;

	while (attribution->persons_by_name.count <= name) {
		if (vector_push(&attribution->persons_by_name, sizeof(*known)) == NULL)
			return UINT32_MAX;
	}
	known = (uint32_t *)attribution->persons_by_name.items + name;
	if (*known == 0) {
		uint32_t person = person_named(
		    attribution, history_reader_name(last_used(attribution)->reader, name));

		if (person == UINT32_MAX)
			return UINT32_MAX;
		*known = person + 1;
	}
	return *known - 1;
}

/* The index of a list that was exported whole; UINT32_MAX: no memory. */
static uint32_t
list_of(struct attribution *attribution, uint64_t consignment)
{
	uint64_t *exported = attribution->exported.items;

	for (size_t i = 0; i < attribution->exported.count; i++) {
		if (exported[i] == consignment)
			return (uint32_t)i;
	}
	exported = vector_push(&attribution->exported, sizeof(*exported));
	if (exported == NULL)
		return UINT32_MAX;
	*exported = consignment;
	return (uint32_t)attribution->exported.count - 1;
}

static enum az_status
take_list(struct attribution *attribution, const struct access *access, uint64_t consignment,
    struct az_err *reterr)
{
	const struct consignment *of = consignment_of(attribution->custody, consignment);
	uint32_t list;

	/* It was there when the history came, and may have been withdrawn since: then no row of it is found either. */
	if (of == NULL)
		return AZ_OK;
	list = list_of(attribution, consignment);
	if (list == UINT32_MAX)
		return az_fail(reterr, AZ_NO_MEMORY, "attribution: out of memory");
	last_used(attribution)->wanted++;
	return access_set_add_list(attribution->set, access, list, of->accepted, reterr);
}

static enum az_status
take_row(void *arg, const struct history_row *row, struct az_err *reterr)
{
	struct attribution *attribution = arg;
	struct access access = {.person = person_of(attribution, row->staff),
	    .origin = attribution->history,
	    .number = row->carrier,
	    .kind = row->kind == HISTORY_EXPORT ? MODEL_EXPORT : MODEL_SESSION,
	    .time_us = row->time_us,
	    .record = row->record,
	    .fields = row->fields};
	enum az_status status = AZ_OK;

	if (access.person == UINT32_MAX)
		return az_fail(reterr, AZ_NO_MEMORY, "attribution: out of memory");
	access.pool = row->kind == HISTORY_EXPORT || row->client > attribution->client_count
	    ? MODEL_NONE
	    : attribution->purpose_count + row->client - 1;
	if (row->record == 0)
		return take_list(attribution, &access, row->consignment, reterr);
	if (access_set_wants(attribution->set, row->record)) {
		last_used(attribution)->wanted++;
		status = attribution_version_at(
		    attribution->custody, row->record, row->time_us, &access.version, reterr);
	}
	return status == AZ_OK ? access_set_add(attribution->set, &access, reterr) : status;
}

/* Opens the next history that is kept. AZ_NOT_FOUND: there is none. */
static enum az_status
next_history(struct attribution *attribution, struct az_err *reterr)
{
	struct custody *custody = attribution->custody;
	struct used_history *used;

	while (++attribution->history <= custody->histories.count) {
		const struct history *history = history_of(custody, attribution->history);

		if (history == NULL || history->state != HISTORY_KEPT)
			continue;
		used = vector_push(&attribution->used, sizeof(*used));
		if (used == NULL)
			return az_fail(reterr, AZ_NO_MEMORY, "attribution: out of memory");
		used->id = history->id;
		attribution->persons_by_name.count = 0;
		attribution->is_reading = true;
		return history_reader_new(custody, history, &used->reader, reterr);
	}
	return AZ_NOT_FOUND;
}

static enum az_status
slice_of_history(struct attribution *attribution, struct az_err *reterr)
{
	enum az_status status = AZ_OK;

	if (!attribution->is_reading)
		return next_history(attribution, reterr);
	for (unsigned int i = 0; i < SLICE_BLOCKS && status == AZ_OK; i++)
		status = history_reader_next(
		    last_used(attribution)->reader, take_row, attribution, reterr);
	if (status != AZ_NOT_FOUND)
		return status;
	attribution->is_reading = false;
	return AZ_OK;
}

enum az_status
gather_slice(struct attribution *attribution, struct az_err *reterr)
{
	if (attribution->stage == STAGE_LOGS)
		return slice_of_logs(attribution, reterr);
	return slice_of_history(attribution, reterr);
}

void
gather_fini(struct attribution *attribution)
{
	struct used_history *used = attribution->used.items;

	for (size_t i = 0; i < attribution->used.count; i++)
		history_reader_free(&used[i].reader);
	free(attribution->persons_by_name.items);
}
