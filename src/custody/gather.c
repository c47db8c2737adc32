/*
 * Gathering who was shown what, a slice a round, so that calls go on meanwhile: every client's log from its beginning.
 *
 * All of it is read, not only what is about the rows of the list: how much somebody had beside those is what clears
 * or charges them.
 */
#include <stdlib.h>
#include <string.h>

#include "custody/attribution_internal.h"

#define SLICE_ENTRIES 4000u /* a few thousandths of a second */

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

enum az_status
gather_slice(struct attribution *attribution, struct az_err *reterr)
{
	struct ledger *ledger = attribution->custody->ledger;
	uint64_t before = attribution->place.index;
	enum az_status status;

	if (attribution->log == LEDGER_HOUSE_LOG)
		attribution->log++;
	if (attribution->log >= ledger_log_count(ledger))
		return AZ_NOT_FOUND;
	status = ledger_read_on(ledger, attribution->log, &attribution->place, SLICE_ENTRIES,
	    take_entry, attribution, reterr);
	if (status == AZ_OK && attribution->place.index == before) {
		attribution->log++;
		attribution->place = (struct ledger_place){0};
	}
	return status;
}
