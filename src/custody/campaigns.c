/*
 * Adding, listing and closing campaigns, and what one admits.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "custody/campaigns.h"

#define CAMPAIGN_FORMAT 1u
#define CAMPAIGNS_MAX   65536u
#define DAY_MINUTES     1440u

void
campaigns_free(struct custody *custody)
{
	numbered_free(&custody->campaigns);
}

const struct campaign *
campaign_of(const struct custody *custody, uint32_t id)
{
	return numbered_get(&custody->campaigns, id);
}

const struct campaign *
campaign_labelled(const struct custody *custody, uint32_t client, const char *label)
{
	for (size_t i = custody->campaigns.count; i > 0; i--) {
		const struct campaign *campaign = custody->campaigns.items[i - 1];

		if (campaign != NULL && campaign->client == client && campaign->closed_us == 0 &&
		    strcmp(campaign->label, label) == 0)
			return campaign;
	}
	return NULL;
}

bool
campaign_has_list(const struct campaign *campaign, uint64_t consignment)
{
	if (campaign == NULL || campaign->list_count == 0)
		return true;
	for (uint8_t i = 0; i < campaign->list_count; i++) {
		if (campaign->lists[i] == consignment)
			return true;
	}
	return false;
}

static bool
has_staff(const struct campaign *campaign, uint32_t staff)
{
	for (uint8_t i = 0; i < campaign->staff_count; i++) {
		if (campaign->staff[i] == staff)
			return true;
	}
	return campaign->staff_count == 0;
}

bool
campaign_local_now(int64_t now_us, uint16_t *ret_minute, int32_t *ret_day)
{
	time_t seconds = (time_t)(now_us / AZ_US_PER_S);
	struct tm parts;

	if (localtime_r(&seconds, &parts) == NULL)
		return false;
	*ret_minute = (uint16_t)(parts.tm_hour * 60 + parts.tm_min);
	return date_from_civil(parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday, ret_day);
}

/* Hours may go over midnight. */
static bool
is_open_at(const struct campaign *campaign, uint16_t minute)
{
	if (campaign->opens == campaign->closes)
		return true;
	if (campaign->opens < campaign->closes)
		return minute >= campaign->opens && minute < campaign->closes;
	return minute >= campaign->opens || minute < campaign->closes;
}

enum az_status
campaign_admits(const struct custody *custody, const struct purpose *purpose, const char *label,
    uint32_t staff, const struct campaign **ret_campaign, struct az_err *reterr)
{
	const struct campaign *campaign;
	uint16_t minute = 0;
	int32_t today = 0;

	*ret_campaign = NULL;
	if (label[0] == '\0')
		return AZ_OK;
	campaign = campaign_labelled(custody, purpose->client, label);
	if (campaign == NULL || campaign->purpose != purpose->id)
		return az_fail(
		    reterr, AZ_DENIED, "there is no campaign %s for that purpose", label);
	if (!has_staff(campaign, staff))
		return az_fail(reterr, AZ_DENIED, "the campaign %s is not for you", label);
	if (!campaign_local_now(house_time_us(custody), &minute, &today) ||
	    today < campaign->from || today > campaign->until || !is_open_at(campaign, minute))
		return az_fail(reterr, AZ_DENIED, "the campaign %s is not open now", label);
	*ret_campaign = campaign;
	return AZ_OK;
}

/* --- things ----------------------------------------------------------------------------------- */

enum az_status
payload_put_campaign(struct payload *payload, const struct campaign *campaign)
{
	struct buffer thing;
	struct wire_writer writer;

	buffer_init(&thing, STATE_THING_MAX, false);
	wire_writer_init(&writer, &thing);
	wire_put_u8(&writer, CAMPAIGN_FORMAT);
	wire_put_u32(&writer, campaign->id);
	wire_put_u32(&writer, campaign->client);
	wire_put_u32(&writer, campaign->purpose);
	wire_put_text(&writer, campaign->label);
	wire_put_u32(&writer, (uint32_t)campaign->from);
	wire_put_u32(&writer, (uint32_t)campaign->until);
	wire_put_u16(&writer, campaign->opens);
	wire_put_u16(&writer, campaign->closes);
	wire_put_u8(&writer, campaign->staff_count);
	for (uint8_t i = 0; i < campaign->staff_count; i++)
		wire_put_u32(&writer, campaign->staff[i]);
	wire_put_u8(&writer, campaign->list_count);
	for (uint8_t i = 0; i < campaign->list_count; i++)
		wire_put_u64(&writer, campaign->lists[i]);
	wire_put_i64(&writer, campaign->added_us);
	wire_put_i64(&writer, campaign->closed_us);
	return payload_put_thing(payload, THING_CAMPAIGN, campaign->id, writer.status, &thing);
}

static bool
decode(struct bytes thing, struct campaign *ret_campaign)
{
	struct campaign campaign = {0};
	struct wire_reader reader;
	uint8_t format;

	wire_reader_init(&reader, thing);
	format = wire_get_u8(&reader);
	campaign.id = wire_get_u32(&reader);
	campaign.client = wire_get_u32(&reader);
	campaign.purpose = wire_get_u32(&reader);
	wire_get_text(&reader, campaign.label, sizeof(campaign.label));
	campaign.from = (int32_t)wire_get_u32(&reader);
	campaign.until = (int32_t)wire_get_u32(&reader);
	campaign.opens = wire_get_u16(&reader);
	campaign.closes = wire_get_u16(&reader);
	campaign.staff_count = wire_get_u8(&reader);
	if (campaign.staff_count > FRONT_CAMPAIGN_STAFF)
		return false;
	for (uint8_t i = 0; i < campaign.staff_count; i++)
		campaign.staff[i] = wire_get_u32(&reader);
	campaign.list_count = wire_get_u8(&reader);
	if (campaign.list_count > FRONT_CAMPAIGN_LISTS)
		return false;
	for (uint8_t i = 0; i < campaign.list_count; i++)
		campaign.lists[i] = wire_get_u64(&reader);
	campaign.added_us = wire_get_i64(&reader);
	campaign.closed_us = wire_get_i64(&reader);
	if (format != CAMPAIGN_FORMAT || !wire_end(&reader) || campaign.id == 0 ||
	    campaign.id > CAMPAIGNS_MAX || campaign.client == 0 || campaign.purpose == 0 ||
	    !label_is_valid(campaign.label))
		return false;
	*ret_campaign = campaign;
	return true;
}

enum az_status
campaign_apply(struct custody *custody, struct bytes thing, struct az_err *reterr)
{
	struct campaign *campaign = malloc(sizeof(*campaign));

	if (campaign == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "campaign: out of memory");
	if (!decode(thing, campaign)) {
		free(campaign);
		return az_fail(reterr, AZ_CORRUPT, "campaign: it cannot be read");
	}
	if (numbered_put(&custody->campaigns, campaign->id, campaign) != AZ_OK)
		return az_fail(reterr, AZ_NO_MEMORY, "campaign: out of memory");
	return AZ_OK;
}

/* --- verbs ------------------------------------------------------------------------------------ */

static void
submit(struct request *request, const struct campaign *campaign, bool ends)
{
	struct ledger_entry entry = request_entry(request, ENTRY_CAMPAIGN);
	struct payload payload;
	enum az_status status;

	entry.log = campaign->client;
	entry.subject = campaign->id;
	entry.detail = ends ? 2 : 1;
	entry.detail64 = campaign->purpose;
	payload_init(&payload);
	status = payload_put_campaign(&payload, campaign);
	change_submit(request, entry, status, &payload, "campaign", campaign->id, campaign->label);
}

/* Staff by label, and lists of this purpose. */
static enum az_status
read_members(struct custody *custody, const struct front_campaign_add *add,
    struct campaign *campaign, struct az_err *reterr)
{
	for (uint8_t i = 0; i < add->staff_count; i++) {
		const struct staff *staff = people_staff_labelled(custody->people, add->staff[i]);

		if (staff == NULL)
			return az_fail(reterr, AZ_NOT_FOUND,
			    "campaign %s: there is nobody of the label %s", add->label,
			    add->staff[i]);
		campaign->staff[campaign->staff_count++] = staff->id;
	}
	for (uint8_t i = 0; i < add->list_count; i++) {
		const struct consignment *list = consignment_of(custody, add->lists[i]);

		if (list == NULL || list->purpose != campaign->purpose ||
		    list->mode == LIST_WITHDRAW)
			return az_fail(reterr, AZ_NOT_FOUND,
			    "campaign %s: consignment %llu is no list of its purpose", add->label,
			    (unsigned long long)add->lists[i]);
		campaign->lists[campaign->list_count++] = list->id;
	}
	return AZ_OK;
}

static enum az_status
make(struct custody *custody, const struct front_campaign_add *add, struct campaign *campaign,
    struct az_err *reterr)
{
	const struct client *client = policy_client_labelled(custody->policy, add->client);
	const struct purpose *purpose = client == NULL
	    ? NULL
	    : policy_purpose_labelled(custody->policy, client->id, add->purpose);

	if (purpose == NULL)
		return az_fail(reterr, AZ_NOT_FOUND, "campaign %s: there is no purpose %s/%s",
		    add->label, add->client, add->purpose);
	if (campaign_labelled(custody, client->id, add->label) != NULL)
		return az_fail(reterr, AZ_CONFLICT,
		    "campaign %s: there is one of that label already", add->label);
	if (add->until < add->from || add->until > purpose->until)
		return az_fail(reterr, AZ_INVALID,
		    "campaign %s: its days must follow each other, within the purpose's",
		    add->label);
	if (custody->campaigns.count >= CAMPAIGNS_MAX)
		return az_fail(
		    reterr, AZ_LIMIT, "campaign %s: the house has no more numbers", add->label);
	*campaign = (struct campaign){.id = (uint32_t)custody->campaigns.count + 1,
	    .client = client->id,
	    .purpose = purpose->id,
	    .from = add->from,
	    .until = add->until,
	    .opens = add->opens,
	    .closes = add->closes,
	    .added_us = house_now_us(custody)};
	(void)snprintf(campaign->label, sizeof(campaign->label), "%s", add->label);
	return read_members(custody, add, campaign, reterr);
}

void
verb_campaign_add(struct request *request, const union front_request *body)
{
	struct campaign campaign;
	struct az_err err = {0};
	enum az_status status;

	if (!change_may_be_asked(request))
		return;
	status = make(request->custody, &body->campaign_add, &campaign, &err);
	if (status != AZ_OK) {
		request_fail_with(request, status, &err);
		return;
	}
	request->log = campaign.client;
	submit(request, &campaign, false);
}

void
verb_campaign_close(struct request *request, const union front_request *body)
{
	struct custody *custody = request->custody;
	const struct client *client;
	const struct campaign *found = NULL;
	struct campaign campaign;
	struct az_err err = {0};

	if (!change_may_be_asked(request))
		return;
	client = policy_client_labelled(custody->policy, body->named.client);
	if (client != NULL)
		found = campaign_labelled(custody, client->id, body->named.label);
	if (found == NULL) {
		(void)az_fail(&err, AZ_NOT_FOUND, "campaign %s/%s: there is no such campaign",
		    body->named.client, body->named.label);
		request_fail(request, &err);
		return;
	}
	campaign = *found;
	campaign.closed_us = house_now_us(request->custody);
	request->log = campaign.client;
	submit(request, &campaign, true);
}

static void
campaign_item(struct request *request, const struct campaign *campaign)
{
	struct custody *custody = request->custody;
	const struct client *client = policy_client(custody->policy, campaign->client);
	const struct purpose *purpose = policy_purpose(custody->policy, campaign->purpose);
	struct wire_writer writer = reply_begin(request, FRONT_ITEM);
	char hours[32];

	(void)snprintf(hours, sizeof(hours), "%02u:%02u-%02u:%02u", campaign->opens / 60u,
	    campaign->opens % 60u, campaign->closes / 60u, campaign->closes % 60u);
	answer_object(&writer, NULL);
	answer_text(&writer, "client", client != NULL ? client->label : "");
	answer_text(&writer, "campaign", campaign->label);
	answer_uint(&writer, "id", campaign->id);
	answer_text(&writer, "purpose", purpose != NULL ? purpose->label : "");
	answer_date(&writer, "from", campaign->from);
	answer_date(&writer, "until", campaign->until);
	answer_text(&writer, "hours", campaign->opens == campaign->closes ? "any" : hours);
	answer_array(&writer, "staff");
	for (uint8_t i = 0; i < campaign->staff_count; i++) {
		const struct staff *staff = people_staff(custody->people, campaign->staff[i]);

		if (staff != NULL)
			answer_text(&writer, NULL, staff->label);
	}
	answer_end(&writer);
	answer_array(&writer, "lists");
	for (uint8_t i = 0; i < campaign->list_count; i++)
		answer_uint(&writer, NULL, campaign->lists[i]);
	answer_end(&writer);
	if (campaign->closed_us != 0)
		answer_time(&writer, "closed", campaign->closed_us);
	answer_end(&writer);
	reply_item(request, &writer);
}

void
verb_campaign_list(struct request *request, const union front_request *body)
{
	struct custody *custody = request->custody;
	const struct client *client = NULL;
	struct wire_writer writer;
	struct az_err err = {0};

	if (!change_is_permitted(request))
		return;
	if (body->named.client[0] != '\0') {
		client = policy_client_labelled(custody->policy, body->named.client);
		if (client == NULL) {
			(void)az_fail(&err, AZ_NOT_FOUND, "client %s: there is no such client",
			    body->named.client);
			request_fail(request, &err);
			return;
		}
	}
	for (size_t i = 0; i < custody->campaigns.count; i++) {
		const struct campaign *campaign = custody->campaigns.items[i];

		if (campaign != NULL && (client == NULL || campaign->client == client->id))
			campaign_item(request, campaign);
	}
	writer = reply_begin(request, FRONT_DONE);
	answer_object(&writer, NULL);
	answer_end(&writer);
	reply_end(request, &writer);
}
