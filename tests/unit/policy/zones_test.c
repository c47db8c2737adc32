#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "policy/policy.h"

static struct policy *policy;

static int
make(void **state)
{
	(void)state;
	return policy_new(&policy, NULL) == AZ_OK ? 0 : 1;
}

static int
done(void **state)
{
	(void)state;
	policy_free(&policy);
	return 0;
}

static struct zone_network
network(uint8_t a, uint8_t b, uint8_t c, uint8_t d, uint8_t bits)
{
	return (struct zone_network){.bits = (uint8_t)(96 + bits),
	    .address = {[10] = 0xff, [11] = 0xff, [12] = a, [13] = b, [14] = c, [15] = d}};
}

static struct origin
from(uint32_t device, uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
	struct origin origin = {.device = device, .address_count = 1};
	struct zone_network host = network(a, b, c, d, 32);

	memcpy(origin.addresses[0], host.address, sizeof(host.address));
	return origin;
}

static struct zone
zone(uint32_t id, const char *label)
{
	struct zone made = {.id = id, .added_us = 1};

	(void)snprintf(made.label, sizeof(made.label), "%s", label);
	return made;
}

static void
put(const struct zone *made)
{
	assert_int_equal(policy_may_add_zone(policy, made, NULL), AZ_OK);
	assert_int_equal(policy_put_zone(policy, made, NULL), AZ_OK);
}

static uint64_t
at(struct origin origin)
{
	return policy_zones_at(policy, &origin);
}

static void
a_network_has_what_begins_like_it(void **state)
{
	struct zone_network office = network(192, 0, 2, 0, 24);
	struct zone_network all = network(0, 0, 0, 0, 0);
	struct zone_network one = network(192, 0, 2, 7, 32);
	struct zone_network loose = network(192, 0, 2, 7, 24);
	struct zone_network half = network(192, 0, 2, 0, 0);

	(void)state;
	assert_true(network_has(&office, from(1, 192, 0, 2, 0).addresses[0]));
	assert_true(network_has(&office, from(1, 192, 0, 2, 255).addresses[0]));
	assert_false(network_has(&office, from(1, 192, 0, 3, 0).addresses[0]));
	assert_false(network_has(&office, from(1, 64, 0, 2, 0).addresses[0]));
	assert_true(network_has(&all, from(1, 8, 8, 8, 8).addresses[0]));
	assert_false(network_has(&all, (uint8_t[16]){[15] = 1}));
	assert_true(network_has(&one, from(1, 192, 0, 2, 7).addresses[0]));
	assert_false(network_has(&one, from(1, 192, 0, 2, 6).addresses[0]));
	assert_true(network_is_valid(&office) && network_is_valid(&all) && network_is_valid(&one));
	assert_false(network_is_valid(&loose));
	half.bits = 90; /* cuts the prefix of IPv4: neither this nor that */
	assert_false(network_is_valid(&half));
	one.bits = 129;
	assert_false(network_is_valid(&one));
}

static void
somebody_is_where_device_and_network_say(void **state)
{
	struct zone desks = zone(2, "desks");
	struct zone office = zone(3, "office");
	struct zone both = zone(4, "both");

	(void)state;
	desks.device_count = 2;
	desks.devices[0] = 7;
	desks.devices[1] = 8;
	put(&desks);
	office.network_count = 2;
	office.networks[0] = network(192, 0, 2, 0, 24);
	office.networks[1] = network(198, 51, 100, 0, 24);
	put(&office);
	both.device_count = 1;
	both.devices[0] = 7;
	both.network_count = 1;
	both.networks[0] = network(192, 0, 2, 0, 24);
	put(&both);
	assert_true(at(from(7, 192, 0, 2, 1)) == (ZONE_BIT(2) | ZONE_BIT(3) | ZONE_BIT(4)));
	assert_true(at(from(8, 192, 0, 2, 1)) == (ZONE_BIT(2) | ZONE_BIT(3)));
	assert_true(at(from(7, 203, 0, 113, 1)) == ZONE_BIT(2));
	assert_true(at(from(9, 198, 51, 100, 9)) == ZONE_BIT(3));
	/* Nowhere, and no address at all. */
	assert_true(at(from(9, 203, 0, 113, 1)) == 0);
	assert_true(at((struct origin){.device = 9}) == 0);
	assert_true(at((struct origin){.device = 7}) == ZONE_BIT(2));
	assert_true(at((struct origin){.device = 9, .is_local = true}) == ZONE_BIT(ZONE_LOOPBACK));
	/* A zone that is closed is nobody's. */
	desks.closed_us = 5;
	assert_int_equal(policy_put_zone(policy, &desks, NULL), AZ_OK);
	assert_true(at(from(8, 203, 0, 113, 1)) == 0);
	assert_int_equal(policy_zone_labelled(policy, "desks"), ZONE_NONE);
	assert_string_equal(policy_zone_label(policy, 2), "desks");
}

static void
the_code_of_an_entry_is_the_first_zone_of_the_house(void **state)
{
	(void)state;
	assert_int_equal(zone_code(0), ZONE_NONE);
	assert_int_equal(zone_code(ZONE_BIT(ZONE_LOOPBACK)), ZONE_LOOPBACK);
	assert_int_equal(zone_code(ZONE_BIT(ZONE_LOOPBACK) | ZONE_BIT(9) | ZONE_BIT(12)), 9);
	assert_int_equal(zone_code(ZONE_BIT(63)), 63);
}

static void
refused(struct zone made, enum az_status expected)
{
	assert_int_equal(policy_may_add_zone(policy, &made, NULL), expected);
}

static void
i9_what_is_no_zone_is_not_added(void **state)
{
	struct zone good = zone(2, "desks");
	struct zone made;

	(void)state;
	good.device_count = 1;
	good.devices[0] = 7;
	assert_int_equal(policy_next_zone(policy), ZONE_FIRST);
	made = good;
	made.device_count = 0;
	refused(made, AZ_INVALID);
	made = good;
	made.label[0] = '\0';
	refused(made, AZ_INVALID);
	made = zone(2, ZONE_LOOPBACK_LABEL);
	made.device_count = 1;
	refused(made, AZ_CONFLICT);
	made = good;
	made.network_count = 1;
	made.networks[0] = network(192, 0, 2, 7, 24);
	refused(made, AZ_INVALID);
	made = good;
	made.id = ZONE_COUNT;
	refused(made, AZ_LIMIT);
	made.id = ZONE_LOOPBACK;
	refused(made, AZ_LIMIT);
	assert_int_equal(policy_put_zone(policy, &made, NULL), AZ_INVALID);
	put(&good);
	refused(good, AZ_CONFLICT);
	assert_int_equal(policy_next_zone(policy), 3);
	assert_int_equal(
	    policy_put_bounds(policy, ROLE_NONE, &(struct zone_bounds){0}, NULL), AZ_INVALID);
	assert_int_equal(
	    policy_put_bounds(policy, ROLE_COUNT, &(struct zone_bounds){0}, NULL), AZ_INVALID);
	assert_true(policy_bounds(policy, ROLE_COUNT)->zones == 0);
	assert_null(policy_zone(policy, ZONE_COUNT));
	assert_null(policy_zone_label(policy, 200));
}

static void
zones_are_read_as_they_were_written(void **state)
{
	struct zone made = zone(9, "desks");
	struct zone read;
	struct buffer buffer;

	(void)state;
	made.device_count = 1;
	made.devices[0] = 7;
	made.network_count = 1;
	made.networks[0] = network(192, 0, 2, 0, 24);
	buffer_init(&buffer, 4096, false);
	assert_int_equal(zone_encode(&made, &buffer), AZ_OK);
	assert_int_equal(zone_decode(buffer_peek(&buffer), &read), AZ_OK);
	assert_memory_equal(&made.networks[0], &read.networks[0], sizeof(made.networks[0]));
	assert_int_equal(read.devices[0], 7);
	for (size_t cut = 0; cut < buffer.size; cut++)
		assert_int_equal(zone_decode(bytes_make(buffer.data, cut), &read), AZ_INVALID);
	buffer.data[1] = 1; /* the id: that of loopback */
	assert_int_equal(zone_decode(buffer_peek(&buffer), &read), AZ_INVALID);
	buffer_fini(&buffer);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_network_has_what_begins_like_it),
	    cmocka_unit_test_setup_teardown(somebody_is_where_device_and_network_say, make, done),
	    cmocka_unit_test(the_code_of_an_entry_is_the_first_zone_of_the_house),
	    cmocka_unit_test_setup_teardown(i9_what_is_no_zone_is_not_added, make, done),
	    cmocka_unit_test(zones_are_read_as_they_were_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
