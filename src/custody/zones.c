/*
 * Zones, and what roles are bound to: adding, changing, closing, listing.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "custody/custody_internal.h"

/* What an entry about a zone tells. */
enum zone_detail { DETAIL_ADDED = 1, DETAIL_CLOSED = 2, DETAIL_CHANGED = 3, DETAIL_ROLE = 4 };

/* Submits a thing, or fails with what kept it from being encoded; thing is taken. */
static void
submit(struct request *request, struct ledger_entry entry, enum thing_kind kind, uint32_t id,
    enum az_status encoded, struct buffer *thing, const char *label)
{
	struct payload payload;
	enum az_status status;

	payload_init(&payload);
	status = payload_put_thing(&payload, kind, id, encoded, thing);
	change_submit(request, entry, status, &payload, "zone", id, label);
}

static void
zone_submit(struct request *request, const struct zone *zone, enum zone_detail detail)
{
	struct ledger_entry entry = request_entry(request, ENTRY_ZONE);
	struct buffer thing;
	enum az_status status;

	entry.subject = zone->id;
	entry.detail = detail;
	buffer_init(&thing, STATE_THING_MAX, false);
	status = zone_encode(zone, &thing);
	submit(request, entry, THING_ZONE, zone->id, status, &thing, zone->label);
}

/* --- adding, changing, closing ----------------------------------------------------------------- */

/* Networks and devices as they are asked. AZ_NOT_FOUND: a device that there is not. */
static enum az_status
read_bounds(const struct custody *custody, const struct front_zone_add *add, struct zone *zone,
    struct az_err *reterr)
{
	zone->network_count = add->network_count;
	for (uint8_t i = 0; i < add->network_count; i++) {
		zone->networks[i].bits = add->networks[i].bits;
		memcpy(zone->networks[i].address, add->networks[i].address, 16);
	}
	zone->device_count = add->device_count;
	for (uint8_t i = 0; i < add->device_count; i++) {
		const struct device *device =
		    people_device_labelled(custody->people, add->devices[i]);

		if (device == NULL)
			return az_fail(reterr, AZ_NOT_FOUND, "zone %s: there is no device %s",
			    add->label, add->devices[i]);
		zone->devices[i] = device->id;
	}
	return AZ_OK;
}

/* The open zone of that label; NULL after a reply. */
static const struct zone *
zone_or_fail(struct request *request, const char *label)
{
	const struct policy *policy = request->custody->policy;
	const struct zone *zone = policy_zone(policy, policy_zone_labelled(policy, label));
	struct az_err err = {0};

	if (zone == NULL) {
		(void)az_fail(
		    &err, AZ_NOT_FOUND, "zone %s: there is none that can be changed", label);
		request_fail(request, &err);
	}
	return zone;
}

void
verb_zone_add(struct request *request, const union front_request *body)
{
	const struct front_zone_add *add = &body->zone_add;
	struct custody *custody = request->custody;
	struct zone zone = {
	    .id = policy_next_zone(custody->policy), .added_us = house_now_us(request->custody)};
	struct zone checked;
	const struct zone *before = NULL;
	struct az_err err = {0};
	enum az_status status;

	if (!change_may_be_asked(request))
		return;
	if (add->change != 0) {
		before = zone_or_fail(request, add->label);
		if (before == NULL)
			return;
	}
	memcpy(zone.label, add->label, sizeof(zone.label));
	status = read_bounds(custody, add, &zone, &err);
	/* One that is changed is checked under a label that nobody has. */
	checked = zone;
	if (before != NULL) {
		checked.id = before->id;
		(void)snprintf(checked.label, sizeof(checked.label), "-");
	}
	if (status == AZ_OK)
		status = policy_may_add_zone(custody->policy, &checked, &err);
	if (status != AZ_OK) {
		request_fail_with(request, status, &err);
		return;
	}
	if (before != NULL) {
		zone.id = before->id;
		zone.added_us = before->added_us;
	}
	zone_submit(request, &zone, before != NULL ? DETAIL_CHANGED : DETAIL_ADDED);
}

void
verb_zone_close(struct request *request, const union front_request *body)
{
	const struct zone *found;
	struct zone zone;

	if (!change_may_be_asked(request))
		return;
	found = zone_or_fail(request, body->named.label);
	if (found == NULL)
		return;
	zone = *found;
	zone.closed_us = house_now_us(request->custody);
	zone_submit(request, &zone, DETAIL_CLOSED);
}

/* --- what is bound to zones -------------------------------------------------------------------- */

enum az_status
zone_bounds_read(const struct policy *policy, const struct front_bounds *asked,
    struct zone_bounds *ret_bounds, struct az_err *reterr)
{
	struct zone_bounds bounds = {.masked = asked->masked != 0};

	for (uint8_t i = 0; i < asked->count; i++) {
		uint32_t id = policy_zone_labelled(policy, asked->zones[i]);

		if (id == ZONE_NONE)
			return az_fail(reterr, AZ_NOT_FOUND, "zone %s: there is no such zone",
			    asked->zones[i]);
		bounds.zones |= ZONE_BIT(id);
	}
	*ret_bounds = bounds;
	return AZ_OK;
}

void
answer_bounds(
    struct wire_writer *writer, const struct policy *policy, const struct zone_bounds *bounds)
{
	if (bounds->zones == 0)
		return;
	answer_array(writer, "zones");
	for (uint32_t id = ZONE_LOOPBACK; id < ZONE_COUNT; id++) {
		const char *label = policy_zone_label(policy, id);

		if ((bounds->zones & ZONE_BIT(id)) != 0 && label != NULL)
			answer_text(writer, NULL, label);
	}
	answer_end(writer);
	answer_text(writer, "outside", bounds->masked ? "masked" : "nothing");
}

void
verb_zone_role(struct request *request, const union front_request *body)
{
	const struct front_zone_role *asked = &body->zone_role;
	struct ledger_entry entry = request_entry(request, ENTRY_ZONE);
	struct zone_bounds bounds;
	struct buffer thing;
	struct az_err err = {0};
	enum az_status status;

	if (!change_may_be_asked(request))
		return;
	status = zone_bounds_read(request->custody->policy, &asked->bounds, &bounds, &err);
	if (status != AZ_OK) {
		request_fail_with(request, status, &err);
		return;
	}
	entry.subject = asked->role;
	entry.detail = DETAIL_ROLE;
	entry.detail64 = bounds.zones;
	buffer_init(&thing, STATE_THING_MAX, false);
	status = bounds_encode(&bounds, &thing);
	submit(request, entry, THING_BOUNDS, asked->role, status, &thing,
	    role_name((enum role)asked->role));
}

/* --- listing ----------------------------------------------------------------------------------- */

void
zone_network_text(const uint8_t address[16], uint8_t bits, char text[ZONE_NETWORK_TEXT])
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	char address_text[INET6_ADDRSTRLEN] = "?";
	bool is_v4 = bits >= 96 &&
	    bytes_equal(bytes_make(address, sizeof(mapped)), bytes_make(mapped, sizeof(mapped)));

	(void)inet_ntop(is_v4 ? AF_INET : AF_INET6, is_v4 ? address + 12 : address, address_text,
	    sizeof(address_text));
	(void)snprintf(text, ZONE_NETWORK_TEXT, "%s/%u", address_text, is_v4 ? bits - 96u : bits);
}

static void
zone_item(struct request *request, const struct zone *zone, bool is_here)
{
	struct wire_writer writer = reply_begin(request, FRONT_ITEM);

	answer_object(&writer, NULL);
	answer_text(&writer, "zone", zone->label);
	answer_uint(&writer, "id", zone->id);
	answer_array(&writer, "networks");
	for (uint8_t i = 0; i < zone->network_count; i++) {
		char text[ZONE_NETWORK_TEXT];

		zone_network_text(zone->networks[i].address, zone->networks[i].bits, text);
		answer_text(&writer, NULL, text);
	}
	answer_end(&writer);
	answer_array(&writer, "devices");
	for (uint8_t i = 0; i < zone->device_count; i++) {
		const struct device *device =
		    people_device(request->custody->people, zone->devices[i]);

		answer_text(&writer, NULL, device != NULL ? device->label : "");
	}
	answer_end(&writer);
	answer_bool(&writer, "here", is_here);
	if (zone->added_us != 0)
		answer_time(&writer, "added", zone->added_us);
	if (zone->closed_us != 0)
		answer_time(&writer, "closed", zone->closed_us);
	answer_end(&writer);
	reply_item(request, &writer);
}

/* A role that is bound. */
static void
role_item(struct request *request, enum role role, const struct zone_bounds *bounds)
{
	struct wire_writer writer = reply_begin(request, FRONT_ITEM);

	answer_object(&writer, NULL);
	answer_text(&writer, "role", role_name(role));
	answer_bounds(&writer, request->custody->policy, bounds);
	answer_end(&writer);
	reply_item(request, &writer);
}

void
verb_zone_list(struct request *request, const union front_request *body)
{
	const struct zone loopback = {.id = ZONE_LOOPBACK, .label = ZONE_LOOPBACK_LABEL};
	const struct policy *policy = request->custody->policy;
	uint64_t here;
	struct wire_writer writer;

	(void)body;
	if (!change_is_permitted(request))
		return;
	here = request_zones(request);
	zone_item(request, &loopback, (here & ZONE_BIT(ZONE_LOOPBACK)) != 0);
	for (uint32_t id = ZONE_FIRST; id < ZONE_COUNT; id++) {
		if (policy_zone(policy, id) != NULL)
			zone_item(request, policy_zone(policy, id), (here & ZONE_BIT(id)) != 0);
	}
	for (enum role role = ROLE_AGENT; role < ROLE_COUNT; role++) {
		if (policy_bounds(policy, role)->zones != 0)
			role_item(request, role, policy_bounds(policy, role));
	}
	writer = reply_begin(request, FRONT_DONE);
	answer_object(&writer, NULL);
	answer_end(&writer);
	reply_end(request, &writer);
}
