#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policy/policy.h"

static struct arena *arena;

static int
make_arena(void **state)
{
	(void)state;
	return arena_new(1u << 20, &arena, NULL) == AZ_OK ? 0 : 1;
}

static int
free_arena(void **state)
{
	(void)state;
	arena_free(&arena);
	return 0;
}

static const struct whereabouts here = {.zones = ZONE_BIT(ZONE_LOOPBACK)};

/* What a mask leaves of a value of a field. */
static const char *
masked(enum field field, enum mask mask, const char *value)
{
	static char text[256];
	struct grant grant = {.shown = FIELD_BIT(field), .masked = FIELD_BIT(field)};
	struct row row = {0};
	struct row shown;
	uint64_t shown_bits = 0;
	uint64_t masked_bits = 0;

	grant.masks[field] = (uint8_t)mask;
	row.values[field] = bytes_of(value);
	arena_reset(arena);
	assert_int_equal(
	    policy_mask(&grant, &row, arena, &shown, &shown_bits, &masked_bits), AZ_OK);
	assert_true(shown.values[field].size < sizeof(text));
	memcpy(text, shown.values[field].data, shown.values[field].size);
	text[shown.values[field].size] = '\0';
	return text;
}

static void
last4_leaves_four_and_of_short_values_at_most_half(void **state)
{
	(void)state;
	assert_string_equal(masked(FIELD_PHONE, MASK_LAST4, "03-1234-5678"), "**-****-5678");
	assert_string_equal(masked(FIELD_PHONE, MASK_LAST4, "090 1111 2222"), "*** **** 2222");
	assert_string_equal(masked(FIELD_PHONE, MASK_LAST4, "1234567"), "****567");
	assert_string_equal(masked(FIELD_PHONE, MASK_LAST4, "1234"), "**34");
	assert_string_equal(masked(FIELD_PHONE, MASK_LAST4, "1"), "*");
	assert_string_equal(masked(FIELD_NAME, MASK_LAST4, "山田太郎左衛門之助"), "*****衛門之助");
}

static void
first_never_shows_a_value_whole(void **state)
{
	(void)state;
	assert_string_equal(masked(FIELD_NAME, MASK_FIRST, "Ann Lee"), "A***");
	assert_string_equal(masked(FIELD_NAME, MASK_FIRST, "佐藤"), "佐***");
	assert_string_equal(masked(FIELD_NAME, MASK_FIRST, "A"), "***");
	assert_string_equal(masked(FIELD_NAME, MASK_FIRST, "佐"), "***");
}

static void
year_shows_nothing_of_what_is_no_date(void **state)
{
	(void)state;
	assert_string_equal(masked(FIELD_BIRTH, MASK_YEAR, "1980-03-04"), "1980");
	assert_string_equal(masked(FIELD_BIRTH, MASK_YEAR, "1980/3/4"), "1980");
	assert_string_equal(masked(FIELD_BIRTH, MASK_YEAR, "19800304"), "1980");
	assert_string_equal(masked(FIELD_BIRTH, MASK_YEAR, "1980"), "***");
	assert_string_equal(masked(FIELD_BIRTH, MASK_YEAR, "04.03.1980"), "***");
	assert_string_equal(masked(FIELD_BIRTH, MASK_YEAR, "198003041"), "***");
	assert_string_equal(masked(FIELD_BIRTH, MASK_YEAR, "unknown"), "***");
}

static void
domain_shows_nothing_of_what_is_no_address(void **state)
{
	(void)state;
	assert_string_equal(masked(FIELD_EMAIL, MASK_DOMAIN, "ann@example.jp"), "***@example.jp");
	assert_string_equal(masked(FIELD_EMAIL, MASK_DOMAIN, "ann"), "***");
	assert_string_equal(masked(FIELD_EMAIL, MASK_DOMAIN, "@example.jp"), "***");
	assert_string_equal(masked(FIELD_EMAIL, MASK_DOMAIN, "ann@"), "***");
}

static void
a_mask_of_no_kind_shows_stars(void **state)
{
	(void)state;
	assert_string_equal(masked(FIELD_NAME, MASK_HIDDEN, "Ann Lee"), "***");
	assert_string_equal(masked(FIELD_NAME, MASK_CHECK, "Ann Lee"), "***");
	assert_string_equal(masked(FIELD_NAME, (enum mask)77, "Ann Lee"), "***");
}

static void
no_mask_but_full_ever_leaves_the_value(void **state)
{
	static const enum mask masks[] = {MASK_LAST4, MASK_FIRST, MASK_YEAR, MASK_DOMAIN};

	(void)state;
	srandom(7);
	for (unsigned int round = 0; round < 20000; round++) {
		char value[40];
		size_t size = 1 + (size_t)random() % 30;

		for (size_t i = 0; i < size; i++)
			value[i] = "0123456789abcXYZ-@. "[random() % 20];
		value[size] = '\0';
		/* Of nothing but punctuation there is nothing to hide. */
		if (strpbrk(value, "0123456789abcXYZ") == NULL)
			continue;
		for (size_t m = 0; m < AZ_ARRAY_SIZE(masks); m++)
			assert_null(strstr(masked(FIELD_EMAIL, masks[m], value), value));
	}
}

/* --- grants ----------------------------------------------------------------------------------- */

static struct client
a_client(void)
{
	struct client client = {.id = 1, .label = "c01", .name = "City", .x_count = 1};

	(void)snprintf(client.x_names[0], sizeof(client.x_names[0]), "%s", "x:ward");
	return client;
}

static struct purpose
a_purpose(void)
{
	struct purpose purpose = {.id = 1,
	    .client = 1,
	    .label = "p",
	    .roles = 1u << ROLE_AGENT,
	    .until = 100,
	    .field_count = 3};

	(void)snprintf(purpose.fields[0].name, sizeof(purpose.fields[0].name), "%s", "name");
	purpose.fields[0].mask = MASK_FULL;
	(void)snprintf(purpose.fields[1].name, sizeof(purpose.fields[1].name), "%s", "x:ward");
	purpose.fields[1].mask = MASK_FIRST;
	(void)snprintf(
	    purpose.fields[2].name, sizeof(purpose.fields[2].name), "%s", "x:unheard-of");
	purpose.fields[2].mask = MASK_FULL;
	return purpose;
}

static void
a_grant_is_what_the_purpose_shows_and_the_client_has(void **state)
{
	struct client client = a_client();
	struct purpose purpose = a_purpose();
	struct grant grant;

	(void)state;
	assert_int_equal(
	    policy_grant(&client, &purpose, ROLE_AGENT, &here, 100, &grant, NULL), AZ_OK);
	assert_true(grant.shown == (FIELD_BIT(FIELD_NAME) | FIELD_BIT(FIELD_X_FIRST)));
	assert_true(grant.masked == FIELD_BIT(FIELD_X_FIRST));
}

static void
what_may_be_checked_is_not_shown_by_that(void **state)
{
	struct client client = a_client();
	struct purpose purpose = a_purpose();
	struct grant grant;

	(void)state;
	purpose.fields[1].mask = MASK_CHECK;
	assert_int_equal(
	    policy_grant(&client, &purpose, ROLE_AGENT, &here, 1, &grant, NULL), AZ_OK);
	assert_true(grant.shown == FIELD_BIT(FIELD_NAME));
	assert_true(grant.masked == 0);
	assert_true(grant.checked == (FIELD_BIT(FIELD_NAME) | FIELD_BIT(FIELD_X_FIRST)));
	purpose.fields[1].mask = MASK_HIDDEN;
	assert_int_equal(
	    policy_grant(&client, &purpose, ROLE_AGENT, &here, 1, &grant, NULL), AZ_OK);
	assert_true(grant.checked == FIELD_BIT(FIELD_NAME));
	/* A purpose that shows nothing is none, whatever may be checked. */
	purpose.fields[0].mask = MASK_CHECK;
	purpose.fields[2].mask = MASK_CHECK;
	assert_int_equal(
	    policy_grant(&client, &purpose, ROLE_AGENT, &here, 1, &grant, NULL), AZ_DENIED);
}

/* A purpose of the first format, which could not unmask, is read as one that unmasks nothing. */
static void
what_is_unmasked_is_kept_and_an_older_form_has_none(void **state)
{
	struct purpose purpose = a_purpose();
	struct purpose read;
	struct buffer buffer, old;

	(void)state;
	purpose.fields[1].unmask = true;
	for (uint8_t i = 0; i < purpose.field_count; i++)
		purpose.fields[i].class = CLASS_OTHER;
	purpose.fields[0].class = CLASS_IDENTITY;
	buffer_init(&buffer, 4096, false);
	buffer_init(&old, 4096, false);
	assert_int_equal(purpose_encode(&purpose, &buffer), AZ_OK);
	assert_int_equal(purpose_decode(buffer_peek(&buffer), &read), AZ_OK);
	assert_true(read.fields[1].unmask && !read.fields[0].unmask && !read.fields[2].unmask);
	for (size_t cut = 0; cut < buffer.size; cut++)
		assert_int_equal(purpose_decode(bytes_make(buffer.data, cut), &read), AZ_INVALID);
	/* The last bytes: the flag of the last field, the zones, and whether it is masked outside of them. */
	buffer.data[buffer.size - 10] = 2;
	assert_int_equal(purpose_decode(buffer_peek(&buffer), &read), AZ_INVALID);
	buffer.data[buffer.size - 10] = 1;
	buffer.data[buffer.size - 1] = 2;
	assert_int_equal(purpose_decode(buffer_peek(&buffer), &read), AZ_INVALID);
	purpose.field_count = 1;
	assert_int_equal(purpose_encode(&purpose, &old), AZ_OK);
	old.data[0] = 1;
	assert_int_equal(purpose_decode(bytes_make(old.data, old.size - 10), &read), AZ_OK);
	assert_false(read.fields[0].unmask);
	old.data[0] = 2;
	assert_int_equal(purpose_decode(bytes_make(old.data, old.size - 9), &read), AZ_OK);
	assert_true(read.bounds.zones == 0 && !read.bounds.masked);
	old.data[0] = 4;
	assert_int_equal(purpose_decode(buffer_peek(&old), &read), AZ_INVALID);
	buffer_fini(&buffer);
	buffer_fini(&old);
}

static void
only_what_the_purpose_lets_is_unmasked(void **state)
{
	struct client client = a_client();
	struct purpose purpose = a_purpose();
	struct grant grant;

	(void)state;
	purpose.fields[0].mask = MASK_FIRST;
	purpose.fields[1].unmask = true;
	assert_int_equal(
	    policy_grant(&client, &purpose, ROLE_AGENT, &here, 1, &grant, NULL), AZ_OK);
	policy_unmask(&grant, UINT64_MAX);
	assert_true(grant.masked == FIELD_BIT(FIELD_NAME));
	assert_int_equal(grant.masks[FIELD_NAME], MASK_FIRST);
	assert_int_equal(grant.masks[FIELD_X_FIRST], MASK_FULL);
	assert_int_equal(grant.masks[FIELD_PHONE], MASK_HIDDEN);
}

static void
refuse(const struct client *client, const struct purpose *purpose, enum role role,
    enum zone_id zone, int32_t today)
{
	struct whereabouts where = {.zones = zone == ZONE_NONE ? 0 : ZONE_BIT(zone)};
	struct grant grant;

	assert_int_equal(
	    policy_grant(client, purpose, role, &where, today, &grant, NULL), AZ_DENIED);
}

static void
i9_everything_else_is_denied(void **state)
{
	struct client client = a_client();
	struct purpose purpose = a_purpose();

	(void)state;
	refuse(NULL, &purpose, ROLE_AGENT, ZONE_LOOPBACK, 1);
	refuse(&client, NULL, ROLE_AGENT, ZONE_LOOPBACK, 1);
	refuse(&client, &purpose, ROLE_SUPERVISOR, ZONE_LOOPBACK, 1);
	refuse(&client, &purpose, ROLE_NONE, ZONE_LOOPBACK, 1);
	refuse(&client, &purpose, ROLE_COUNT, ZONE_LOOPBACK, 1);
	refuse(&client, &purpose, ROLE_AGENT, ZONE_NONE, 1);
	refuse(&client, &purpose, ROLE_AGENT, ZONE_LOOPBACK, 101);
	client.closed_us = 1;
	refuse(&client, &purpose, ROLE_AGENT, ZONE_LOOPBACK, 1);
	client.closed_us = 0;
	purpose.closed_us = 1;
	refuse(&client, &purpose, ROLE_AGENT, ZONE_LOOPBACK, 1);
	purpose.closed_us = 0;
	purpose.client = 2;
	refuse(&client, &purpose, ROLE_AGENT, ZONE_LOOPBACK, 1);
	purpose.client = 1;
	purpose.roles = 0;
	refuse(&client, &purpose, ROLE_AGENT, ZONE_LOOPBACK, 1);
	purpose.roles = 1u << ROLE_AGENT;
	purpose.field_count = 0;
	refuse(&client, &purpose, ROLE_AGENT, ZONE_LOOPBACK, 1);
}

/* Bound to zones: nothing outside, or nothing whole. */
static void
outside_of_the_zones_nothing_or_only_masked(void **state)
{
	static const char *const names[] = {"name", "birth", "phone", "email", "address", "x:ward"};
	struct client client = a_client();
	struct purpose purpose = a_purpose();
	struct whereabouts where = {.zones = ZONE_BIT(ZONE_LOOPBACK)};
	struct grant grant;

	(void)state;
	purpose.field_count = AZ_ARRAY_SIZE(names);
	for (uint8_t i = 0; i < purpose.field_count; i++) {
		(void)snprintf(purpose.fields[i].name, FIELD_NAME_MAX, "%s", names[i]);
		purpose.fields[i].mask = MASK_FULL;
		purpose.fields[i].class = CLASS_OTHER;
	}
	purpose.fields[2].mask = MASK_LAST4;
	purpose.fields[2].unmask = true;
	purpose.bounds.zones = ZONE_BIT(5) | ZONE_BIT(9);
	assert_int_equal(
	    policy_grant(&client, &purpose, ROLE_AGENT, &where, 1, &grant, NULL), AZ_DENIED);
	purpose.bounds.masked = true;
	assert_int_equal(
	    policy_grant(&client, &purpose, ROLE_AGENT, &where, 1, &grant, NULL), AZ_OK);
	assert_true(grant.outside && grant.masked == grant.shown && grant.shown != 0);
	assert_true(grant.checked == 0 && grant.unmasked == 0);
	assert_int_equal(grant.zone, ZONE_LOOPBACK);
	for (unsigned int field = 0; field < FIELD_COUNT; field++)
		assert_true(
		    (grant.shown & FIELD_BIT(field)) == 0 || grant.masks[field] != MASK_FULL);
	where.zones |= ZONE_BIT(9);
	assert_int_equal(
	    policy_grant(&client, &purpose, ROLE_AGENT, &where, 1, &grant, NULL), AZ_OK);
	assert_true(!grant.outside && grant.masked == FIELD_BIT(FIELD_PHONE));
	assert_true(grant.unmasked == FIELD_BIT(FIELD_PHONE) && grant.checked == grant.shown);
	assert_int_equal(grant.zone, 9);
	/* The role's zones hold besides. */
	where.role.zones = ZONE_BIT(7);
	assert_int_equal(
	    policy_grant(&client, &purpose, ROLE_AGENT, &where, 1, &grant, NULL), AZ_DENIED);
	where.role.masked = true;
	assert_int_equal(
	    policy_grant(&client, &purpose, ROLE_AGENT, &where, 1, &grant, NULL), AZ_OK);
	assert_true(grant.outside);
	where.zones |= ZONE_BIT(7);
	assert_int_equal(
	    policy_grant(&client, &purpose, ROLE_AGENT, &where, 1, &grant, NULL), AZ_OK);
	assert_false(grant.outside);
	/* Nowhere is outside of everything, masked or not. */
	where.zones = 0;
	assert_int_equal(
	    policy_grant(&client, &purpose, ROLE_AGENT, &where, 1, &grant, NULL), AZ_DENIED);
	purpose.bounds = (struct zone_bounds){0};
	where.role = (struct zone_bounds){0};
	assert_int_equal(
	    policy_grant(&client, &purpose, ROLE_AGENT, &where, 1, &grant, NULL), AZ_DENIED);
}

/* As at a device whose guard is silent: masked, and no way around the mask. */
static void
what_is_narrowed_is_not_unmasked_or_checked(void **state)
{
	struct client client = a_client();
	struct purpose purpose = a_purpose();
	struct grant grant;

	(void)state;
	purpose.fields[1].unmask = true;
	assert_int_equal(
	    policy_grant(&client, &purpose, ROLE_AGENT, &here, 1, &grant, NULL), AZ_OK);
	assert_int_equal(policy_narrow(&grant, NULL), AZ_OK);
	assert_true(grant.shown == FIELD_BIT(FIELD_X_FIRST) && grant.masked == grant.shown);
	assert_true(grant.unmasked == 0 && grant.checked == 0);
	policy_unmask(&grant, UINT64_MAX);
	assert_true(grant.masked == grant.shown);
	assert_int_equal(grant.masks[FIELD_X_FIRST], MASK_FIRST);
	purpose.fields[1].mask = MASK_FULL;
	assert_int_equal(
	    policy_grant(&client, &purpose, ROLE_AGENT, &here, 1, &grant, NULL), AZ_OK);
	assert_int_equal(policy_narrow(&grant, NULL), AZ_DENIED);
}

static void
hidden_fields_are_not_in_the_row(void **state)
{
	struct client client = a_client();
	struct purpose purpose = a_purpose();
	struct grant grant;
	struct row row = {0};
	struct row shown;
	uint64_t shown_bits;
	uint64_t masked_bits;

	(void)state;
	for (unsigned int field = 0; field < FIELD_COUNT; field++)
		row.values[field] = bytes_of("secret value");
	assert_int_equal(
	    policy_grant(&client, &purpose, ROLE_AGENT, &here, 1, &grant, NULL), AZ_OK);
	arena_reset(arena);
	assert_int_equal(
	    policy_mask(&grant, &row, arena, &shown, &shown_bits, &masked_bits), AZ_OK);
	for (unsigned int field = 0; field < FIELD_COUNT; field++) {
		if (field != FIELD_NAME && field != FIELD_X_FIRST)
			assert_int_equal(shown.values[field].size, 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(last4_leaves_four_and_of_short_values_at_most_half),
	    cmocka_unit_test(first_never_shows_a_value_whole),
	    cmocka_unit_test(year_shows_nothing_of_what_is_no_date),
	    cmocka_unit_test(domain_shows_nothing_of_what_is_no_address),
	    cmocka_unit_test(a_mask_of_no_kind_shows_stars),
	    cmocka_unit_test(no_mask_but_full_ever_leaves_the_value),
	    cmocka_unit_test(a_grant_is_what_the_purpose_shows_and_the_client_has),
	    cmocka_unit_test(what_may_be_checked_is_not_shown_by_that),
	    cmocka_unit_test(what_is_unmasked_is_kept_and_an_older_form_has_none),
	    cmocka_unit_test(only_what_the_purpose_lets_is_unmasked),
	    cmocka_unit_test(i9_everything_else_is_denied),
	    cmocka_unit_test(outside_of_the_zones_nothing_or_only_masked),
	    cmocka_unit_test(what_is_narrowed_is_not_unmasked_or_checked),
	    cmocka_unit_test(hidden_fields_are_not_in_the_row),
	};

	return cmocka_run_group_tests(tests, make_arena, free_arena);
}
