/*
 * Clients, purposes and devices: adding, listing, closing. Each changes one thing.
 */
#include <stdio.h>
#include <string.h>

#include "custody/guards.h"

static void
copy_text(char *to, size_t room, const char *from)
{
	(void)snprintf(to, room, "%s", from);
}

/* Ends a change that cannot be made. The attempt is no evidence of anything but a typing error. */
static struct ledger_entry
entry_of(const struct request *request, enum entry_type type, uint32_t subject, bool ends)
{
	struct ledger_entry entry = request_entry(request, type);

	entry.subject = subject;
	entry.detail = ends ? 2 : 1;
	return entry;
}

/* --- clients ---------------------------------------------------------------------------------- */

static void
client_submit(struct request *request, const struct client *client, bool ends)
{
	struct payload payload;
	enum az_status status;

	payload_init(&payload);
	status = payload_put_client(&payload, client);
	change_submit(request, entry_of(request, ENTRY_CLIENT, client->id, ends), status, &payload,
	    "client", client->id, client->label);
}

void
verb_client_add(struct request *request, const union front_request *body)
{
	const struct front_client_add *add = &body->client_add;
	struct custody *custody = request->custody;
	struct client client = {
	    .id = policy_next_client(custody->policy), .added_us = house_now_us(request->custody)};
	struct az_err err = {0};
	enum az_status status;

	if (!change_may_be_asked(request))
		return;
	copy_text(client.label, sizeof(client.label), add->label);
	copy_text(client.name, sizeof(client.name), add->name);
	copy_text(client.category, sizeof(client.category), add->category);
	status = policy_may_add_client(custody->policy, &client, &err);
	/* Its key first: a key without a client does no harm, a client without a key could not be used. */
	if (status == AZ_OK && !request->must_ask && !ring_has_client(custody->ring, client.id))
		status = ring_add_client(custody->ring, client.id, &err);
	if (status != AZ_OK) {
		request_fail_with(request, status, &err);
		return;
	}
	client_submit(request, &client, false);
}

void
verb_client_close(struct request *request, const union front_request *body)
{
	const char *label = body->named.label;
	struct custody *custody = request->custody;
	const struct client *found;
	struct client client;
	struct az_err err = {0};

	if (!change_may_be_asked(request))
		return;
	found = policy_client_labelled(custody->policy, label);
	if (found == NULL) {
		(void)az_fail(&err, AZ_NOT_FOUND, "client %s: there is no such client", label);
		request_fail(request, &err);
		return;
	}
	client = *found;
	client.closed_us = house_now_us(request->custody);
	client_submit(request, &client, true);
}

static void
client_item(void *arg, const struct client *client)
{
	struct request *request = arg;
	struct wire_writer writer = reply_begin(request, FRONT_ITEM);

	answer_object(&writer, NULL);
	answer_text(&writer, "client", client->label);
	answer_uint(&writer, "id", client->id);
	answer_text(&writer, "name", client->name);
	answer_text(&writer, "category", client->category);
	answer_time(&writer, "added", client->added_us);
	if (client->closed_us != 0)
		answer_time(&writer, "closed", client->closed_us);
	answer_end(&writer);
	reply_item(request, &writer);
}

/* Ends a list. */
static void
list_end(struct request *request)
{
	struct wire_writer writer = reply_begin(request, FRONT_DONE);

	answer_object(&writer, NULL);
	answer_end(&writer);
	reply_end(request, &writer);
}

void
verb_client_list(struct request *request, const union front_request *body)
{
	(void)body;
	if (!change_is_permitted(request))
		return;
	policy_each_client(request->custody->policy, client_item, request);
	list_end(request);
}

/* --- purposes --------------------------------------------------------------------------------- */

static void
purpose_submit(struct request *request, const struct purpose *purpose, bool ends)
{
	struct payload payload;
	enum az_status status;
	struct ledger_entry entry = entry_of(request, ENTRY_PURPOSE, purpose->id, ends);

	entry.detail64 = purpose->client;
	payload_init(&payload);
	status = payload_put_purpose(&payload, purpose);
	change_submit(request, entry, status, &payload, "purpose", purpose->id, purpose->label);
}

/* The open client of that label, or NULL after a reply. */
static const struct client *
client_or_fail(struct request *request, const char *label)
{
	const struct client *client = policy_client_labelled(request->custody->policy, label);
	struct az_err err = {0};

	if (client == NULL) {
		(void)az_fail(&err, AZ_NOT_FOUND, "client %s: there is no such client", label);
		request_fail(request, &err);
	}
	return client;
}

void
verb_purpose_add(struct request *request, const union front_request *body)
{
	const struct front_purpose_add *add = &body->purpose_add;
	struct custody *custody = request->custody;
	int64_t now = house_now_us(request->custody);
	struct purpose purpose = {.id = policy_next_purpose(custody->policy), .added_us = now};
	const struct client *client;
	struct az_err err = {0};
	enum az_status status;

	if (!change_may_be_asked(request))
		return;
	client = client_or_fail(request, add->client);
	if (client == NULL)
		return;
	purpose.client = client->id;
	purpose.roles = add->roles;
	purpose.until = add->until;
	purpose.allows = add->allows;
	purpose.field_count = add->field_count;
	copy_text(purpose.label, sizeof(purpose.label), add->label);
	for (uint8_t i = 0; i < add->field_count; i++) {
		copy_text(
		    purpose.fields[i].name, sizeof(purpose.fields[i].name), add->fields[i].name);
		purpose.fields[i].mask = (enum mask)add->fields[i].mask;
		purpose.fields[i].class = (enum field_class)add->fields[i].class;
		purpose.fields[i].unmask = add->fields[i].unmask == 1;
	}
	status = zone_bounds_read(custody->policy, &add->bounds, &purpose.bounds, &err);
	if (status == AZ_OK)
		status = policy_may_add_purpose(
		    custody->policy, &purpose, (int32_t)(now / AZ_US_PER_DAY), &err);
	if (status != AZ_OK) {
		request_fail_with(request, status, &err);
		return;
	}
	purpose_submit(request, &purpose, false);
}

void
verb_purpose_close(struct request *request, const union front_request *body)
{
	struct custody *custody = request->custody;
	const struct client *client;
	const struct purpose *found;
	struct purpose purpose;
	struct az_err err = {0};

	if (!change_may_be_asked(request))
		return;
	client = client_or_fail(request, body->named.client);
	if (client == NULL)
		return;
	found = policy_purpose_labelled(custody->policy, client->id, body->named.label);
	if (found == NULL) {
		(void)az_fail(&err, AZ_NOT_FOUND, "purpose %s/%s: there is no such purpose",
		    client->label, body->named.label);
		request_fail(request, &err);
		return;
	}
	purpose = *found;
	purpose.closed_us = house_now_us(request->custody);
	purpose_submit(request, &purpose, true);
}

static void
purpose_item(void *arg, const struct purpose *purpose)
{
	struct request *request = arg;
	const struct client *client = policy_client(request->custody->policy, purpose->client);
	struct wire_writer writer = reply_begin(request, FRONT_ITEM);

	answer_object(&writer, NULL);
	answer_text(&writer, "client", client != NULL ? client->label : "");
	answer_text(&writer, "purpose", purpose->label);
	answer_uint(&writer, "id", purpose->id);
	answer_array(&writer, "fields");
	for (uint8_t i = 0; i < purpose->field_count; i++) {
		const char *mask = mask_name(purpose->fields[i].mask);
		const char *class = class_name(purpose->fields[i].class);

		answer_object(&writer, NULL);
		answer_text(&writer, "field", purpose->fields[i].name);
		answer_text(&writer, "mask", mask != NULL ? mask : "hidden");
		answer_text(&writer, "class", class != NULL ? class : "");
		if (purpose->fields[i].unmask)
			answer_bool(&writer, "unmask", true);
		answer_end(&writer);
	}
	answer_end(&writer);
	answer_array(&writer, "allows");
	for (unsigned int class = CLASS_IDENTITY; class < CLASS_COUNT; class ++) {
		const char *name = class_name((enum field_class) class);

		if ((purpose->allows & (1u << class)) != 0 && name != NULL)
			answer_text(&writer, NULL, name);
	}
	answer_end(&writer);
	answer_array(&writer, "roles");
	for (unsigned int role = ROLE_AGENT; role < ROLE_COUNT; role++) {
		const char *name = role_name((enum role)role);

		if ((purpose->roles & (1u << role)) != 0 && name != NULL)
			answer_text(&writer, NULL, name);
	}
	answer_end(&writer);
	answer_bounds(&writer, request->custody->policy, &purpose->bounds);
	answer_date(&writer, "until", purpose->until);
	answer_time(&writer, "added", purpose->added_us);
	if (purpose->closed_us != 0)
		answer_time(&writer, "closed", purpose->closed_us);
	answer_end(&writer);
	reply_item(request, &writer);
}

void
verb_purpose_list(struct request *request, const union front_request *body)
{
	const struct client *client = NULL;

	if (!change_is_permitted(request))
		return;
	if (body->named.client[0] != '\0') {
		client = client_or_fail(request, body->named.client);
		if (client == NULL)
			return;
	}
	policy_each_purpose(
	    request->custody->policy, client != NULL ? client->id : 0, purpose_item, request);
	list_end(request);
}

/* --- devices ---------------------------------------------------------------------------------- */

static void
device_submit(struct request *request, const struct device *device, bool ends)
{
	struct payload payload;
	enum az_status status;

	payload_init(&payload);
	status = payload_put_device(&payload, device);
	change_submit(request, entry_of(request, ENTRY_DEVICE, device->id, ends), status, &payload,
	    "device", device->id, device->label);
}

void
verb_device_add(struct request *request, const union front_request *body)
{
	const struct front_device_add *add = &body->device_add;
	struct custody *custody = request->custody;
	struct device device = {
	    .id = people_next_device(custody->people), .added_us = house_now_us(request->custody)};
	struct az_err err = {0};
	enum az_status status;

	if (!change_may_be_asked(request))
		return;
	copy_text(device.label, sizeof(device.label), add->label);
	memcpy(device.public_key, add->key, sizeof(device.public_key));
	status = people_may_add_device(custody->people, &device, &err);
	if (status != AZ_OK) {
		request_fail_with(request, status, &err);
		return;
	}
	device_submit(request, &device, false);
}

void
verb_device_retire(struct request *request, const union front_request *body)
{
	const char *label = body->named.label;
	struct custody *custody = request->custody;
	const struct device *found;
	struct device device;
	struct az_err err = {0};

	if (!change_may_be_asked(request))
		return;
	found = people_device_labelled(custody->people, label);
	if (found == NULL) {
		(void)az_fail(&err, AZ_NOT_FOUND, "device %s: there is no such device", label);
		request_fail(request, &err);
		return;
	}
	if (found->id == request->device) {
		(void)az_fail(
		    &err, AZ_CONFLICT, "device %s: it is the one that this is asked from", label);
		request_fail(request, &err);
		return;
	}
	device = *found;
	device.retired_us = house_now_us(request->custody);
	device_submit(request, &device, true);
}

static void
device_item(void *arg, const struct device *device)
{
	struct request *request = arg;
	struct wire_writer writer = reply_begin(request, FRONT_ITEM);

	answer_object(&writer, NULL);
	answer_text(&writer, "device", device->label);
	answer_uint(&writer, "id", device->id);
	answer_text(
	    &writer, "guard", guard_state_name(guard_state_of(request->custody, device->id)));
	answer_time(&writer, "added", device->added_us);
	if (device->retired_us != 0)
		answer_time(&writer, "retired", device->retired_us);
	answer_end(&writer);
	reply_item(request, &writer);
}

void
verb_device_list(struct request *request, const union front_request *body)
{
	(void)body;
	if (!change_is_permitted(request))
		return;
	people_each_device(request->custody->people, device_item, request);
	list_end(request);
}
