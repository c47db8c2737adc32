/*
 * What is shown of a row, and how much of a value a mask leaves.
 *
 * A mask never shows more than it says, whatever the value looks like: what does not fit it becomes "***".
 */
#include <string.h>

#include "policy/policy.h"

#define STARS "***"

/* The bit of a field by its name, as the client numbers it; FIELD_COUNT if the client has none such. */
static unsigned int
field_bit(const struct client *client, const char *name)
{
	unsigned int field;

	if (field_parse(name, &field))
		return field;
	for (uint8_t i = 0; i < client->x_count; i++) {
		if (strcmp(client->x_names[i], name) == 0)
			return FIELD_X_FIRST + i;
	}
	return FIELD_COUNT;
}

/* How a field is shown where only masked ones are. */
static enum mask
outside_mask(unsigned int field, const struct purpose_field *shown)
{
	if (shown->mask != MASK_FULL)
		return shown->mask;
	switch (field) {
	case FIELD_BIRTH: return MASK_YEAR;
	case FIELD_EMAIL: return MASK_DOMAIN;
	case FIELD_NUMBER:
	case FIELD_POSTCODE:
	case FIELD_PHONE:
	case FIELD_MOBILE: return MASK_LAST4;
	default: break;
	}
	return class_mask(shown->class) == MASK_FULL ? MASK_FIRST : class_mask(shown->class);
}

static bool
is_within(const struct zone_bounds *bounds, uint64_t zones)
{
	return bounds->zones == 0 || (bounds->zones & zones) != 0;
}

/* Whether something is shown there at all; sets how, and by which zone. */
static enum az_status
check_zone(const struct purpose *purpose, const struct whereabouts *where, struct grant *grant,
    struct az_err *reterr)
{
	bool role = is_within(&where->role, where->zones);
	bool within = is_within(&purpose->bounds, where->zones);
	uint64_t by = where->zones;

	if (where->zones == 0 || (!role && !where->role.masked) ||
	    (!within && !purpose->bounds.masked))
		return az_fail(reterr, AZ_DENIED, "disclose: not from here");
	grant->outside = !role || !within;
	if (within && purpose->bounds.zones != 0)
		by &= purpose->bounds.zones;
	else if (role && where->role.zones != 0)
		by &= where->role.zones;
	grant->zone = zone_code(by);
	return AZ_OK;
}

static void
grant_field(struct grant *grant, unsigned int field, const struct purpose_field *shown)
{
	enum mask mask = grant->outside ? outside_mask(field, shown) : shown->mask;

	if (!grant->outside)
		grant->checked |= FIELD_BIT(field);
	if (mask == MASK_CHECK)
		return;
	grant->shown |= FIELD_BIT(field);
	grant->masks[field] = (uint8_t)mask;
	if (mask == MASK_FULL)
		return;
	grant->masked |= FIELD_BIT(field);
	if (shown->unmask && !grant->outside)
		grant->unmasked |= FIELD_BIT(field);
}

enum az_status
policy_grant(const struct client *client, const struct purpose *purpose, enum role role,
    const struct whereabouts *where, int32_t today, struct grant *ret_grant, struct az_err *reterr)
{
	enum az_status status;
	struct grant grant = {0};

	if (client == NULL || purpose == NULL || purpose->client != client->id)
		return az_fail(reterr, AZ_DENIED, "disclose: there is no such purpose");
	if (client->closed_us != 0 || purpose->closed_us != 0 || purpose->until < today)
		return az_fail(reterr, AZ_DENIED, "disclose: the purpose %s/%s has ended",
		    client->label, purpose->label);
	if (role == ROLE_NONE || role >= ROLE_COUNT || (purpose->roles & 1u << role) == 0)
		return az_fail(reterr, AZ_DENIED,
		    "disclose: the purpose %s/%s is not for this role", client->label,
		    purpose->label);
	status = check_zone(purpose, where, &grant, reterr);
	if (status != AZ_OK)
		return status;
	grant.client = client->id;
	grant.purpose = purpose->id;
	for (uint8_t i = 0; i < purpose->field_count; i++) {
		unsigned int field = field_bit(client, purpose->fields[i].name);

		if (field != FIELD_COUNT && purpose->fields[i].mask != MASK_HIDDEN)
			grant_field(&grant, field, &purpose->fields[i]);
	}
	if (grant.shown == 0)
		return az_fail(reterr, AZ_DENIED, "disclose: the purpose %s/%s shows nothing",
		    client->label, purpose->label);
	*ret_grant = grant;
	return AZ_OK;
}

enum az_status
policy_narrow(struct grant *grant, struct az_err *reterr)
{
	if (grant->masked == 0)
		return az_fail(reterr, AZ_DENIED,
		    "disclose: the guard of this device is silent, and the purpose shows no field "
		    "in part");
	grant->shown = grant->masked;
	grant->unmasked = 0;
	grant->checked = 0;
	return AZ_OK;
}

/* --- masks ------------------------------------------------------------------------------------ */

/* The first byte of a UTF-8 code point, rather than one of the bytes after it. */
static bool
starts_character(uint8_t byte)
{
	return (byte & 0xc0) != 0x80;
}

static bool
is_letter_or_digit(uint8_t byte)
{
	return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
	    (byte >= 'A' && byte <= 'Z') || byte >= 0x80;
}

/* A constant, in place of a value that the mask does not fit. */
static struct bytes
stars(void)
{
	return bytes_of(STARS);
}

/* All but the last four letters or digits become stars; of short values at most half stays. */
static struct bytes
mask_last4(struct bytes value, struct arena *arena)
{
	uint8_t *out = arena_alloc(arena, value.size);
	size_t total = 0;
	size_t hidden;
	size_t seen = 0;
	size_t size = 0;

	if (out == NULL)
		return (struct bytes){0};
	for (size_t i = 0; i < value.size; i++)
		total += starts_character(value.data[i]) && is_letter_or_digit(value.data[i]);
	hidden = total - (total / 2 < 4 ? total / 2 : 4);
	for (size_t i = 0; i < value.size; i++) {
		uint8_t byte = value.data[i];
		bool counts = starts_character(byte) && is_letter_or_digit(byte);

		seen += counts ? 1 : 0;
		if (counts && seen <= hidden)
			out[size++] = '*';
		else if (starts_character(byte) || seen > hidden)
			out[size++] = byte;
		/* Else it is inside a character that became a star. */
	}
	return bytes_make(out, size);
}

static struct bytes
mask_first(struct bytes value, struct arena *arena)
{
	size_t first = 1;
	uint8_t *out;

	while (first < value.size && !starts_character(value.data[first]))
		first++;
	/* A value of one character would be shown whole. */
	if (first >= value.size)
		return stars();
	out = arena_alloc(arena, first + strlen(STARS));
	if (out == NULL)
		return (struct bytes){0};
	memcpy(out, value.data, first);
	memcpy(out + first, STARS, strlen(STARS));
	return bytes_make(out, first + strlen(STARS));
}

/* 1980-03-04, 1980/3/4, 1980.3.4, 19800304: the year, and only where something follows it. */
static struct bytes
mask_year(struct bytes value)
{
	size_t digits = 0;

	while (digits < value.size && value.data[digits] >= '0' && value.data[digits] <= '9')
		digits++;
	if (digits == 8 && value.size == 8)
		return bytes_make(value.data, 4);
	if (digits == 4 && value.size > 4 &&
	    (value.data[4] == '-' || value.data[4] == '/' || value.data[4] == '.'))
		return bytes_make(value.data, 4);
	return stars();
}

static struct bytes
mask_domain(struct bytes value, struct arena *arena)
{
	const uint8_t *at = value.size == 0 ? NULL : memrchr(value.data, '@', value.size);
	size_t domain;
	uint8_t *out;

	if (at == NULL || at == value.data || at + 1 == value.data + value.size)
		return stars();
	domain = (size_t)(value.data + value.size - at);
	out = arena_alloc(arena, strlen(STARS) + domain);
	if (out == NULL)
		return (struct bytes){0};
	memcpy(out, STARS, strlen(STARS));
	memcpy(out + strlen(STARS), at, domain);
	return bytes_make(out, strlen(STARS) + domain);
}

static struct bytes
mask_value(enum mask mask, struct bytes value, struct arena *arena)
{
	switch (mask) {
	case MASK_FULL: return value;
	case MASK_LAST4: return mask_last4(value, arena);
	case MASK_FIRST: return mask_first(value, arena);
	case MASK_YEAR: return mask_year(value);
	case MASK_DOMAIN: return mask_domain(value, arena);
	case MASK_HIDDEN:
	case MASK_CHECK:
	default: return stars();
	}
}

void
policy_unmask(struct grant *grant, uint64_t fields)
{
	fields &= grant->unmasked;
	for (unsigned int field = 0; field < FIELD_COUNT; field++) {
		if ((fields & FIELD_BIT(field)) != 0)
			grant->masks[field] = MASK_FULL;
	}
	grant->masked &= ~fields;
}

enum az_status
policy_mask(const struct grant *grant, const struct row *row, struct arena *arena,
    struct row *ret_row, uint64_t *ret_shown, uint64_t *ret_masked)
{
	struct row masked = {0};
	uint64_t shown = 0;

	for (unsigned int field = 0; field < FIELD_COUNT; field++) {
		if ((grant->shown & FIELD_BIT(field)) == 0 || row->values[field].size == 0)
			continue;
		masked.values[field] =
		    mask_value((enum mask)grant->masks[field], row->values[field], arena);
		if (masked.values[field].data == NULL)
			return AZ_NO_MEMORY;
		shown |= FIELD_BIT(field);
	}
	*ret_row = masked;
	*ret_shown = shown;
	*ret_masked = shown & grant->masked;
	return AZ_OK;
}
