/*
 * Adding, listing and closing grants, and what a guard is told of them. A grant names one device by what it says of itself:
 * vendor, product, serial. One without a serial is not granted, since another of its kind would pass for it.
 */
#include "custody/grants.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GRANT_FORMAT 2u /* 1: without access, which was reading */
#define GRANTS_MAX   65536u
#define DAYS_MAX     366

void
grants_free(struct custody *custody)
{
	free(custody->grants);
	custody->grants = NULL;
	custody->grant_count = 0;
}

static const struct device_grant *
grant_of(const struct custody *custody, uint32_t id)
{
	return id == 0 || id > custody->grant_count ? NULL : &custody->grants[id - 1];
}

static bool
holds(const struct device_grant *grant, int64_t now_us)
{
	return grant->id != 0 && grant->closed_us == 0 && now_us < grant->until_us;
}

/* --- what is kept ----------------------------------------------------------------------------- */

static enum az_status
payload_put_grant(struct payload *payload, const struct device_grant *grant)
{
	struct buffer thing;
	struct wire_writer writer;

	buffer_init(&thing, STATE_THING_MAX, false);
	wire_writer_init(&writer, &thing);
	wire_put_u8(&writer, GRANT_FORMAT);
	wire_put_u32(&writer, grant->id);
	wire_put_u32(&writer, grant->device);
	wire_put_u16(&writer, grant->vendor);
	wire_put_u16(&writer, grant->product);
	wire_put_text(&writer, grant->serial);
	wire_put_i64(&writer, grant->until_us);
	wire_put_i64(&writer, grant->added_us);
	wire_put_i64(&writer, grant->closed_us);
	wire_put_u8(&writer, grant->access);
	return payload_put_thing(payload, THING_GRANT, grant->id, writer.status, &thing);
}

enum az_status
grant_apply(struct custody *custody, struct bytes thing, struct az_err *reterr)
{
	struct wire_reader reader;
	struct device_grant grant = {0};
	struct device_grant *grown;
	uint8_t format;

	wire_reader_init(&reader, thing);
	format = wire_get_u8(&reader);
	grant.id = wire_get_u32(&reader);
	grant.device = wire_get_u32(&reader);
	grant.vendor = wire_get_u16(&reader);
	grant.product = wire_get_u16(&reader);
	wire_get_text(&reader, grant.serial, sizeof(grant.serial));
	grant.until_us = wire_get_i64(&reader);
	grant.added_us = wire_get_i64(&reader);
	grant.closed_us = wire_get_i64(&reader);
	grant.access = format == 1 ? GRANT_READ : wire_get_u8(&reader);
	if (format == 0 || format > GRANT_FORMAT || !wire_end(&reader) || grant.id == 0 ||
	    grant.id > GRANTS_MAX || grant.serial[0] == '\0' ||
	    (grant.access != GRANT_READ && grant.access != GRANT_WRITE))
		return az_fail(reterr, AZ_CORRUPT, "grant: it cannot be read");
	if (grant.id > custody->grant_count) {
		grown = reallocarray(custody->grants, grant.id, sizeof(*grown));
		if (grown == NULL)
			return az_fail(reterr, AZ_NO_MEMORY, "grant: out of memory");
		memset(grown + custody->grant_count, 0,
		    (grant.id - custody->grant_count) * sizeof(*grown));
		custody->grants = grown;
		custody->grant_count = grant.id;
	}
	custody->grants[grant.id - 1] = grant;
	return AZ_OK;
}

void
grants_put(struct wire_writer *writer, const struct custody *custody, uint32_t device)
{
	int64_t now = house_time_us(custody);
	unsigned int count = 0;

	for (size_t i = custody->grant_count; i > 0 && count < ENDPOINT_GRANTS_MAX; i--) {
		const struct device_grant *grant = &custody->grants[i - 1];
		struct endpoint_grant told = {.id = grant->id,
		    .vendor = grant->vendor,
		    .product = grant->product,
		    .until_us = grant->until_us,
		    .access = grant->access};

		if (grant->device != device || !holds(grant, now))
			continue;
		(void)snprintf(told.serial, sizeof(told.serial), "%s", grant->serial);
		endpoint_grant_put(writer, &told);
		count++;
	}
}

const struct device_grant *
grant_to_write(const struct custody *custody, uint32_t id, uint32_t device)
{
	const struct device_grant *grant = grant_of(custody, id);

	return grant != NULL && grant->device == device && grant->access == GRANT_WRITE &&
		holds(grant, house_time_us(custody))
	    ? grant
	    : NULL;
}

/* --- the verbs -------------------------------------------------------------------------------- */

static void
submit(struct request *request, const struct device_grant *grant, bool ends)
{
	struct ledger_entry entry = request_entry(request, ENTRY_GRANT);
	const struct device *device = people_device(request->custody->people, grant->device);
	struct payload payload;
	enum az_status status;

	entry.subject = grant->id;
	entry.detail = ends ? 2 : 1;
	entry.detail64 =
	    (uint64_t)grant->device << 32 | (uint32_t)grant->vendor << 16 | grant->product;
	payload_init(&payload);
	status = payload_put_grant(&payload, grant);
	change_submit(request, entry, status, &payload, "grant", grant->id,
	    device != NULL ? device->label : "");
}

void
verb_grant_add(struct request *request, const union front_request *body)
{
	const struct front_grant_add *asked = &body->grant_add;
	struct custody *custody = request->custody;
	const struct device *device;
	int64_t now = house_now_us(request->custody);
	struct device_grant grant = {.id = (uint32_t)custody->grant_count + 1,
	    .access = asked->access,
	    .vendor = asked->vendor,
	    .product = asked->product,
	    /* The last day is a whole one. */
	    .until_us = ((int64_t)asked->until + 1) * AZ_US_PER_DAY,
	    .added_us = now};
	struct az_err err = {0};
	enum az_status status = AZ_OK;

	if (!change_may_be_asked(request))
		return;
	device = people_device_labelled(custody->people, asked->device);
	if (device == NULL)
		status = az_fail(
		    &err, AZ_NOT_FOUND, "device %s: there is no such device", asked->device);
	else if (device->guarded_us == 0)
		status = az_fail(&err, AZ_CONFLICT,
		    "device %s: it has no guard that could let it in", asked->device);
	else if (grant.until_us <= now)
		status = az_fail(&err, AZ_INVALID, "grant: its last day is over");
	else if (grant.until_us > now + (DAYS_MAX + 1) * AZ_US_PER_DAY)
		status = az_fail(&err, AZ_INVALID, "grant: at most for %d days", DAYS_MAX);
	else if (grant.id > GRANTS_MAX)
		status = az_fail(&err, AZ_LIMIT, "grant: the house has no more numbers for them");
	if (status != AZ_OK) {
		request_fail(request, &err);
		return;
	}
	grant.device = device->id;
	(void)snprintf(grant.serial, sizeof(grant.serial), "%s", asked->serial);
	submit(request, &grant, false);
}

void
verb_grant_close(struct request *request, const union front_request *body)
{
	uint32_t id = body->numbered.number;
	const struct device_grant *found;
	struct device_grant grant;
	struct az_err err = {0};

	if (!change_may_be_asked(request))
		return;
	found = grant_of(request->custody, id);
	if (found == NULL || found->id == 0 || found->closed_us != 0) {
		(void)az_fail(&err, AZ_NOT_FOUND, "grant %u: there is no such grant", id);
		request_fail(request, &err);
		return;
	}
	grant = *found;
	grant.closed_us = house_now_us(request->custody);
	submit(request, &grant, true);
}

static void
tell(struct request *request, const struct device_grant *grant)
{
	const struct device *device = people_device(request->custody->people, grant->device);
	struct wire_writer writer = reply_begin(request, FRONT_ITEM);
	char usb[16];

	(void)snprintf(usb, sizeof(usb), "%04x:%04x", grant->vendor, grant->product);
	answer_object(&writer, NULL);
	answer_uint(&writer, "grant", grant->id);
	answer_text(&writer, "device", device != NULL ? device->label : "");
	answer_text(&writer, "usb", usb);
	answer_text(&writer, "serial", grant->serial);
	answer_text(&writer, "access", grant->access == GRANT_WRITE ? "write" : "read");
	answer_time(&writer, "until", grant->until_us);
	answer_bool(&writer, "holds", holds(grant, house_now_us(request->custody)));
	if (grant->closed_us != 0)
		answer_time(&writer, "closed", grant->closed_us);
	answer_end(&writer);
	reply_item(request, &writer);
}

void
verb_grant_list(struct request *request, const union front_request *body)
{
	struct custody *custody = request->custody;
	struct wire_writer writer;

	(void)body;
	if (!change_is_permitted(request))
		return;
	for (size_t i = 0; i < custody->grant_count; i++) {
		if (custody->grants[i].id != 0)
			tell(request, &custody->grants[i]);
	}
	writer = reply_begin(request, FRONT_DONE);
	answer_object(&writer, NULL);
	answer_end(&writer);
	reply_end(request, &writer);
}
