/*
 * Zones: where somebody is, as far as the keeper can know it: at which enrolled device, and behind which network. A zone
 * that names both needs both. What is not in any open zone is nowhere.
 */
#include <stdlib.h>
#include <string.h>

#include "base/wire.h"
#include "policy/policy_internal.h"

#define ZONE_FORMAT 1u
#define ROLE_FORMAT 1u

static const uint8_t mapped_v4[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

/* --- networks ---------------------------------------------------------------------------------- */

bool
network_is_valid(const struct zone_network *network)
{
	for (unsigned int bit = network->bits; bit < 128; bit++) {
		if ((network->address[bit / 8] & 0x80u >> bit % 8) != 0)
			return false;
	}
	/* One of IPv4 has the prefix of those, whole. */
	return network->bits <= 128 &&
	    (network->bits >= 96 ||
		!bytes_equal(bytes_make(network->address, sizeof(mapped_v4)),
		    bytes_make(mapped_v4, sizeof(mapped_v4))));
}

bool
network_has(const struct zone_network *network, const uint8_t address[16])
{
	for (unsigned int bit = 0; bit < network->bits && bit < 128; bit++) {
		unsigned int mask = 0x80u >> bit % 8;

		if (((network->address[bit / 8] ^ address[bit / 8]) & mask) != 0)
			return false;
	}
	return true;
}

/* --- where somebody is ------------------------------------------------------------------------- */

static bool
is_at_device(const struct zone *zone, uint32_t device)
{
	for (uint8_t i = 0; i < zone->device_count; i++) {
		if (zone->devices[i] == device)
			return true;
	}
	return zone->device_count == 0;
}

static bool
is_behind_network(const struct zone *zone, const struct origin *origin)
{
	for (uint8_t i = 0; i < zone->network_count; i++) {
		for (uint8_t a = 0; a < origin->address_count; a++) {
			if (network_has(&zone->networks[i], origin->addresses[a]))
				return true;
		}
	}
	return zone->network_count == 0;
}

uint64_t
policy_zones_at(const struct policy *policy, const struct origin *origin)
{
	uint64_t zones = origin->is_local ? ZONE_BIT(ZONE_LOOPBACK) : 0;

	for (uint32_t id = ZONE_FIRST; id < ZONE_COUNT; id++) {
		const struct zone *zone = policy->zones[id];

		if (zone != NULL && zone->closed_us == 0 && is_at_device(zone, origin->device) &&
		    is_behind_network(zone, origin))
			zones |= ZONE_BIT(id);
	}
	return zones;
}

uint8_t
zone_code(uint64_t zones)
{
	for (uint32_t id = ZONE_FIRST; id < ZONE_COUNT; id++) {
		if ((zones & ZONE_BIT(id)) != 0)
			return (uint8_t)id;
	}
	return (zones & ZONE_BIT(ZONE_LOOPBACK)) != 0 ? ZONE_LOOPBACK : ZONE_NONE;
}

/* --- what there is ----------------------------------------------------------------------------- */

void
policy_free_zones(struct policy *policy)
{
	for (uint32_t id = 0; id < ZONE_COUNT; id++)
		free(policy->zones[id]);
}

const struct zone *
policy_zone(const struct policy *policy, uint32_t id)
{
	return id < ZONE_COUNT ? policy->zones[id] : NULL;
}

uint32_t
policy_zone_labelled(const struct policy *policy, const char *label)
{
	if (strcmp(label, ZONE_LOOPBACK_LABEL) == 0)
		return ZONE_LOOPBACK;
	for (uint32_t id = ZONE_FIRST; id < ZONE_COUNT; id++) {
		const struct zone *zone = policy->zones[id];

		if (zone != NULL && zone->closed_us == 0 && strcmp(zone->label, label) == 0)
			return id;
	}
	return ZONE_NONE;
}

const char *
policy_zone_label(const struct policy *policy, uint32_t id)
{
	const struct zone *zone = policy_zone(policy, id);

	if (id == ZONE_LOOPBACK)
		return ZONE_LOOPBACK_LABEL;
	return zone != NULL ? zone->label : NULL;
}

uint32_t
policy_next_zone(const struct policy *policy)
{
	uint32_t id = ZONE_COUNT;

	while (id > ZONE_FIRST && policy->zones[id - 1] == NULL)
		id--;
	return id;
}

enum az_status
policy_may_add_zone(const struct policy *policy, const struct zone *zone, struct az_err *reterr)
{
	if (!label_is_valid(zone->label))
		return az_fail(reterr, AZ_INVALID, "zone: the label is not a valid one");
	if (policy_zone_labelled(policy, zone->label) != ZONE_NONE)
		return az_fail(reterr, AZ_CONFLICT, "zone %s: there is one of that label already",
		    zone->label);
	if (zone->id < ZONE_FIRST || zone->id >= ZONE_COUNT)
		return az_fail(reterr, AZ_LIMIT, "zone %s: the house has no more numbers for zones",
		    zone->label);
	/* A zone that nothing bounds would be everywhere. */
	if (zone->network_count == 0 && zone->device_count == 0)
		return az_fail(
		    reterr, AZ_INVALID, "zone %s: it needs a network or a device", zone->label);
	for (uint8_t i = 0; i < zone->network_count; i++) {
		if (!network_is_valid(&zone->networks[i]))
			return az_fail(reterr, AZ_INVALID,
			    "zone %s: network %u is none: bits beyond its width must be zero",
			    zone->label, i + 1u);
	}
	return AZ_OK;
}

enum az_status
policy_put_zone(struct policy *policy, const struct zone *zone, struct az_err *reterr)
{
	struct zone *copy;

	if (zone->id < ZONE_FIRST || zone->id >= ZONE_COUNT)
		return az_fail(reterr, AZ_INVALID, "zone %u: not a valid number", zone->id);
	copy = malloc(sizeof(*copy));
	if (copy == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "zone %u: out of memory", zone->id);
	*copy = *zone;
	free(policy->zones[zone->id]);
	policy->zones[zone->id] = copy;
	return AZ_OK;
}

enum az_status
policy_put_bounds(
    struct policy *policy, enum role role, const struct zone_bounds *bounds, struct az_err *reterr)
{
	if (role == ROLE_NONE || (unsigned int)role >= ROLE_COUNT)
		return az_fail(reterr, AZ_INVALID, "zone: there is no such role");
	policy->bounds[role] = *bounds;
	return AZ_OK;
}

const struct zone_bounds *
policy_bounds(const struct policy *policy, enum role role)
{
	static const struct zone_bounds none;

	return (unsigned int)role < ROLE_COUNT ? &policy->bounds[role] : &none;
}

/* --- the stored forms -------------------------------------------------------------------------- */

enum az_status
zone_encode(const struct zone *zone, struct buffer *buffer)
{
	struct wire_writer writer;

	wire_writer_init(&writer, buffer);
	wire_put_u8(&writer, ZONE_FORMAT);
	wire_put_u32(&writer, zone->id);
	wire_put_text(&writer, zone->label);
	wire_put_u8(&writer, zone->network_count);
	for (uint8_t i = 0; i < zone->network_count; i++) {
		wire_put_u8(&writer, zone->networks[i].bits);
		wire_put_raw(&writer, zone->networks[i].address, 16);
	}
	wire_put_u8(&writer, zone->device_count);
	for (uint8_t i = 0; i < zone->device_count; i++)
		wire_put_u32(&writer, zone->devices[i]);
	wire_put_i64(&writer, zone->added_us);
	wire_put_i64(&writer, zone->closed_us);
	return writer.status;
}

enum az_status
zone_decode(struct bytes bytes, struct zone *ret_zone)
{
	struct wire_reader reader;
	struct zone zone;
	uint8_t format;
	bool good = true;

	memset(&zone, 0, sizeof(zone));
	wire_reader_init(&reader, bytes);
	format = wire_get_u8(&reader);
	zone.id = wire_get_u32(&reader);
	wire_get_text(&reader, zone.label, sizeof(zone.label));
	zone.network_count = wire_get_u8(&reader);
	if (zone.network_count > ZONE_NETWORKS_MAX)
		return AZ_INVALID;
	for (uint8_t i = 0; i < zone.network_count; i++) {
		zone.networks[i].bits = wire_get_u8(&reader);
		wire_get_raw(&reader, zone.networks[i].address, 16);
		good = good && network_is_valid(&zone.networks[i]);
	}
	zone.device_count = wire_get_u8(&reader);
	if (zone.device_count > ZONE_DEVICES_MAX)
		return AZ_INVALID;
	for (uint8_t i = 0; i < zone.device_count; i++)
		zone.devices[i] = wire_get_u32(&reader);
	zone.added_us = wire_get_i64(&reader);
	zone.closed_us = wire_get_i64(&reader);
	if (format != ZONE_FORMAT || !wire_end(&reader) || !good || zone.id < ZONE_FIRST ||
	    zone.id >= ZONE_COUNT || !label_is_valid(zone.label) ||
	    (zone.network_count == 0 && zone.device_count == 0))
		return AZ_INVALID;
	*ret_zone = zone;
	return AZ_OK;
}

enum az_status
bounds_encode(const struct zone_bounds *bounds, struct buffer *buffer)
{
	struct wire_writer writer;

	wire_writer_init(&writer, buffer);
	wire_put_u8(&writer, ROLE_FORMAT);
	wire_put_u64(&writer, bounds->zones);
	wire_put_u8(&writer, bounds->masked ? 1 : 0);
	return writer.status;
}

enum az_status
bounds_decode(struct bytes bytes, struct zone_bounds *ret_bounds)
{
	struct wire_reader reader;
	struct zone_bounds bounds = {0};
	uint8_t format, masked;

	wire_reader_init(&reader, bytes);
	format = wire_get_u8(&reader);
	bounds.zones = wire_get_u64(&reader);
	masked = wire_get_u8(&reader);
	bounds.masked = masked == 1;
	if (format != ROLE_FORMAT || !wire_end(&reader) || masked > 1)
		return AZ_INVALID;
	*ret_bounds = bounds;
	return AZ_OK;
}
