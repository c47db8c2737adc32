/*
 * Campaigns: a purpose at work. Which people (of all lists of the purpose, or of some), on which days and at which
 * hours, by whom. Whoever names one with a request is held to it; the purpose's own rules hold besides.
 */
#ifndef AZ_CUSTODY_CAMPAIGNS_H
#define AZ_CUSTODY_CAMPAIGNS_H

#include "custody/custody_internal.h"

struct campaign {
	uint32_t id; /* from 1 in the house, never reused */
	uint32_t client, purpose;
	char label[LABEL_SIZE];
	int32_t from, until;    /* days */
	uint16_t opens, closes; /* minutes of the day where the house is; the same: any hour */
	uint8_t staff_count;    /* 0: whoever the purpose is for */
	uint32_t staff[FRONT_CAMPAIGN_STAFF];
	uint8_t list_count; /* 0: everybody of the purpose's lists */
	uint64_t lists[FRONT_CAMPAIGN_LISTS];
	int64_t added_us, closed_us;
};

void campaigns_free(struct custody *custody);
/* NULL. By label: an open one. */
const struct campaign *campaign_of(const struct custody *custody, uint32_t id);
const struct campaign *campaign_labelled(
    const struct custody *custody, uint32_t client, const char *label);
/*
 * The campaign of that label ("": none, and *ret_campaign is NULL), if this human may work in it now, for this
 * purpose. AZ_DENIED with a reason.
 */
AZ_CHECKED enum az_status campaign_admits(const struct custody *custody,
    const struct purpose *purpose, const char *label, uint32_t staff,
    const struct campaign **ret_campaign, struct az_err *reterr);
/* Whether a record that is in this list is one of its people; campaign may be NULL. */
bool campaign_has_list(const struct campaign *campaign, uint64_t consignment);

AZ_CHECKED enum az_status payload_put_campaign(
    struct payload *payload, const struct campaign *campaign);
AZ_CHECKED enum az_status campaign_apply(
    struct custody *custody, struct bytes thing, struct az_err *reterr);

/* The minute of the day where the house is, and the day; false if that cannot be told. */
bool campaign_local_now(int64_t now_us, uint16_t *ret_minute, int32_t *ret_day);

#endif
