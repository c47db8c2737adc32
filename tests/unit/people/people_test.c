#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "people/people.h"
#include "proto/front.h"

#define TODAY 20000
#define NOW   (TODAY * AZ_US_PER_DAY + 5)

/* Two humans and two machines, each with a key of its own. */
struct house {
	struct people *people;
	struct sign_key *keys[4]; /* human 1, human 2, device 1, device 2 */
	uint8_t public_keys[4][SIGN_PUBLIC_SIZE];
};

static int
make_house(void **state)
{
	static struct house house;

	house = (struct house){0};
	if (people_new(&house.people, NULL) != AZ_OK)
		return 1;
	for (unsigned int i = 0; i < 4; i++) {
		uint8_t seed[SIGN_SEED_SIZE];

		memset(seed, (int)i + 1, sizeof(seed));
		if (sign_key_new(bytes_make(seed, sizeof(seed)), &house.keys[i], NULL) != AZ_OK)
			return 1;
		sign_key_public(house.keys[i], house.public_keys[i]);
	}
	for (uint32_t id = 1; id <= 2; id++) {
		struct staff staff = {.id = id,
		    .role = ROLE_AGENT,
		    .from = AZ_DATE_NONE,
		    .until = AZ_DATE_NONE,
		    .keyed_us = 1,
		    .added_us = 1};
		struct device device = {.id = id, .added_us = 1};

		(void)snprintf(staff.label, sizeof(staff.label), "human%u", id);
		(void)snprintf(device.label, sizeof(device.label), "device%u", id);
		memcpy(staff.public_key, house.public_keys[id - 1], SIGN_PUBLIC_SIZE);
		memcpy(device.public_key, house.public_keys[id + 1], SIGN_PUBLIC_SIZE);
		if (people_put_staff(house.people, &staff, NULL) != AZ_OK ||
		    people_put_device(house.people, &device, NULL) != AZ_OK)
			return 1;
	}
	*state = &house;
	return 0;
}

static int
free_house(void **state)
{
	struct house *house = *state;

	people_free(&house->people);
	for (unsigned int i = 0; i < 4; i++)
		sign_key_free(&house->keys[i]);
	return 0;
}

static void
sign_hash(const struct house *house, unsigned int key, const char *context, uint8_t hash,
    uint8_t signature[SIGNATURE_SIZE])
{
	uint8_t challenge[FRONT_HASH_SIZE];
	uint8_t data[FRONT_SIGNED_MAX];
	size_t size;

	memset(challenge, hash, sizeof(challenge));
	size = front_signed(context, challenge, data);
	assert_int_equal(sign(house->keys[key], bytes_make(data, size), signature, NULL), AZ_OK);
}

/* Tries to sign in over the hash of sevens. */
static enum az_status
recognise(const struct house *house, unsigned int staff_key, const uint8_t *staff_signature,
    unsigned int device_key, const uint8_t *device_signature, uint32_t *staff, uint32_t *device)
{
	uint8_t challenge[FRONT_HASH_SIZE];

	memset(challenge, 7, sizeof(challenge));
	return people_recognise(house->people, bytes_make(challenge, sizeof(challenge)), NOW,
	    house->public_keys[staff_key], staff_signature, house->public_keys[device_key],
	    device_signature, staff, device, NULL);
}

static void
who_signs_with_both_keys_is_recognised(void **state)
{
	const struct house *house = *state;
	uint8_t staff_signature[SIGNATURE_SIZE];
	uint8_t device_signature[SIGNATURE_SIZE];
	uint32_t staff = 0;
	uint32_t device = 0;

	sign_hash(house, 1, FRONT_SIGN_IN_STAFF, 7, staff_signature);
	sign_hash(house, 2, FRONT_SIGN_IN_DEVICE, 7, device_signature);
	assert_int_equal(
	    recognise(house, 1, staff_signature, 2, device_signature, &staff, &device), AZ_OK);
	assert_int_equal(staff, 2);
	assert_int_equal(device, 1);
}

static void
nobody_else_is(void **state)
{
	struct house *house = *state;
	uint8_t mine[SIGNATURE_SIZE];
	uint8_t machines[SIGNATURE_SIZE];
	uint8_t other[SIGNATURE_SIZE];
	struct staff staff = *people_staff(house->people, 1);
	struct device device = *people_device(house->people, 1);
	uint32_t a = 0;
	uint32_t b = 0;

	sign_hash(house, 0, FRONT_SIGN_IN_STAFF, 7, mine);
	sign_hash(house, 2, FRONT_SIGN_IN_DEVICE, 7, machines);
	assert_int_equal(recognise(house, 0, mine, 2, machines, &a, &b), AZ_OK);
	/* Another's key, the keys exchanged, the signatures exchanged. */
	assert_int_equal(recognise(house, 1, mine, 2, machines, &a, &b), AZ_DENIED);
	assert_int_equal(recognise(house, 0, mine, 3, machines, &a, &b), AZ_DENIED);
	assert_int_equal(recognise(house, 2, machines, 0, mine, &a, &b), AZ_DENIED);
	assert_int_equal(recognise(house, 0, machines, 2, mine, &a, &b), AZ_DENIED);
	/* A device's key as a human's. */
	assert_int_equal(recognise(house, 2, machines, 2, machines, &a, &b), AZ_DENIED);
	/* Over another channel's hash, in another context, with a bit changed. */
	sign_hash(house, 0, FRONT_SIGN_IN_STAFF, 8, other);
	assert_int_equal(recognise(house, 0, other, 2, machines, &a, &b), AZ_DENIED);
	sign_hash(house, 0, FRONT_SIGN_IN_DEVICE, 7, other);
	assert_int_equal(recognise(house, 0, other, 2, machines, &a, &b), AZ_DENIED);
	memcpy(other, mine, sizeof(other));
	other[10] ^= 1;
	assert_int_equal(recognise(house, 0, other, 2, machines, &a, &b), AZ_DENIED);
	/* Who has ended, and what was retired. */
	device.retired_us = 5;
	assert_int_equal(people_put_device(house->people, &device, NULL), AZ_OK);
	assert_int_equal(recognise(house, 0, mine, 2, machines, &a, &b), AZ_DENIED);
	device.retired_us = 0;
	assert_int_equal(people_put_device(house->people, &device, NULL), AZ_OK);
	staff.ended_us = 5;
	assert_int_equal(people_put_staff(house->people, &staff, NULL), AZ_OK);
	assert_int_equal(recognise(house, 0, mine, 2, machines, &a, &b), AZ_DENIED);
}

static void
labels_and_keys_are_given_once(void **state)
{
	struct house *house = *state;
	struct staff staff = {.id = 3,
	    .label = "human3",
	    .role = ROLE_AGENT,
	    .from = AZ_DATE_NONE,
	    .until = AZ_DATE_NONE,
	    .keyed_us = 1};
	struct device device = {.id = 3, .label = "device3"};
	struct staff ended = *people_staff(house->people, 1);

	memset(staff.public_key, 9, sizeof(staff.public_key));
	memset(device.public_key, 8, sizeof(device.public_key));
	assert_int_equal(people_may_add_staff(house->people, &staff, NULL), AZ_OK);
	assert_int_equal(people_may_add_device(house->people, &device, NULL), AZ_OK);
	(void)snprintf(staff.label, sizeof(staff.label), "%s", "human1");
	assert_int_equal(people_may_add_staff(house->people, &staff, NULL), AZ_CONFLICT);
	(void)snprintf(staff.label, sizeof(staff.label), "%s", "not a label");
	assert_int_equal(people_may_add_staff(house->people, &staff, NULL), AZ_INVALID);
	(void)snprintf(staff.label, sizeof(staff.label), "%s", "human3");
	staff.role = ROLE_NONE;
	assert_int_equal(people_may_add_staff(house->people, &staff, NULL), AZ_INVALID);
	staff.role = (enum role)77;
	assert_int_equal(people_may_add_staff(house->people, &staff, NULL), AZ_INVALID);
	staff.role = ROLE_AGENT;
	(void)snprintf(staff.name, sizeof(staff.name), "%s", "a\nb");
	assert_int_equal(people_may_add_staff(house->people, &staff, NULL), AZ_INVALID);
	staff.name[0] = '\0';
	/* A device's key, or that of somebody who has ended, is nobody's again. */
	memcpy(staff.public_key, house->public_keys[3], SIGN_PUBLIC_SIZE);
	assert_int_equal(people_may_add_staff(house->people, &staff, NULL), AZ_CONFLICT);
	ended.ended_us = 1;
	assert_int_equal(people_put_staff(house->people, &ended, NULL), AZ_OK);
	memcpy(device.public_key, house->public_keys[0], SIGN_PUBLIC_SIZE);
	assert_int_equal(people_may_add_device(house->people, &device, NULL), AZ_CONFLICT);
	/* But a label may be. */
	assert_null(people_staff_labelled(house->people, "human1"));
}

static void
a_sign_in_elsewhere_takes_over(void **state)
{
	struct house *house = *state;
	struct people *people = house->people;
	uint32_t first = 0;
	uint32_t again = 0;
	uint32_t second = 0;
	uint32_t taken = 0;
	bool is_new = false;

	assert_int_equal(people_sign_in(people, 1, 1, 0, &first, &is_new, &taken, NULL), AZ_OK);
	assert_true(is_new && taken == 0);
	assert_int_equal(people_sign_in(people, 1, 1, 0, &again, &is_new, &taken, NULL), AZ_OK);
	assert_true(again == first && !is_new && taken == 0);
	assert_int_equal(people_sign_in(people, 1, 2, 0, &second, &is_new, &taken, NULL), AZ_OK);
	assert_true(second != first && is_new && taken == first);
	assert_true(people_session(people, first)->taken_over);
	assert_false(people_session(people, second)->taken_over);
	/* Another human at the same device is a session apart. */
	assert_int_equal(people_sign_in(people, 2, 2, 0, &again, &is_new, &taken, NULL), AZ_OK);
	assert_true(again != second && taken == 0);
	assert_false(people_sign_out(people, first));
	assert_true(people_sign_out(people, first));
	assert_null(people_session(people, first));
	assert_false(people_sign_out(people, first));
	assert_int_equal(people_session_count(people), 2);
}

static void
session_numbers_are_never_given_again(void **state)
{
	struct house *house = *state;
	uint32_t session = 0;
	uint32_t taken = 0;
	bool is_new = false;

	people_sessions_after(house->people, 1000);
	assert_int_equal(
	    people_sign_in(house->people, 1, 1, 0, &session, &is_new, &taken, NULL), AZ_OK);
	assert_int_equal(session, 1001);
	people_sessions_after(house->people, 5);
	assert_true(people_sign_out(house->people, session));
	assert_int_equal(
	    people_sign_in(house->people, 1, 1, 0, &session, &is_new, &taken, NULL), AZ_OK);
	assert_int_equal(session, 1002);
}

static void
people_work_on_their_days_only(void **state)
{
	static const struct {
		int32_t from, until;
		bool here;
	} days[] = {{AZ_DATE_NONE, AZ_DATE_NONE, true}, {TODAY, TODAY, true},
	    {TODAY + 1, AZ_DATE_NONE, false}, {AZ_DATE_NONE, TODAY - 1, false},
	    {TODAY - 9, TODAY - 1, false}, {TODAY - 1, TODAY + 1, true}};
	struct house *house = *state;
	uint8_t mine[SIGNATURE_SIZE];
	uint8_t machines[SIGNATURE_SIZE];
	struct staff staff = *people_staff(house->people, 1);
	uint32_t a = 0, b = 0;

	sign_hash(house, 0, FRONT_SIGN_IN_STAFF, 7, mine);
	sign_hash(house, 2, FRONT_SIGN_IN_DEVICE, 7, machines);
	for (size_t i = 0; i < AZ_ARRAY_SIZE(days); i++) {
		staff.from = days[i].from;
		staff.until = days[i].until;
		assert_int_equal(people_put_staff(house->people, &staff, NULL), AZ_OK);
		assert_int_equal(staff_is_here(&staff, NOW), days[i].here);
		assert_int_equal(recognise(house, 0, mine, 2, machines, &a, &b),
		    days[i].here ? AZ_OK : AZ_DENIED);
	}
	staff.from = staff.until = AZ_DATE_NONE;
	staff.ended_us = 3;
	assert_false(staff_is_here(&staff, NOW));
}

static void
who_is_invited_cannot_sign_in_and_enrols_once_in_time(void **state)
{
	struct house *house = *state;
	struct staff staff = {.id = 3,
	    .label = "human3",
	    .role = ROLE_AGENT,
	    .from = AZ_DATE_NONE,
	    .until = AZ_DATE_NONE,
	    .invited_until_us = NOW + 10,
	    .invitation = {9}};
	const uint8_t other[32] = {8};
	const uint8_t zero[SIGN_PUBLIC_SIZE] = {0};
	uint8_t mine[SIGNATURE_SIZE];
	uint8_t machines[SIGNATURE_SIZE];
	uint8_t challenge[FRONT_HASH_SIZE];
	uint32_t device = 0, a = 0;

	assert_int_equal(people_put_staff(house->people, &staff, NULL), AZ_OK);
	assert_false(staff_is_here(&staff, NOW));
	assert_non_null(people_invited(house->people, staff.invitation, NOW));
	assert_null(people_invited(house->people, staff.invitation, NOW + 10));
	assert_null(people_invited(house->people, other, NOW));
	/* Nobody has the key of zeros. */
	memset(challenge, 7, sizeof(challenge));
	sign_hash(house, 2, FRONT_SIGN_IN_DEVICE, 7, machines);
	memset(mine, 0, sizeof(mine));
	assert_int_equal(people_recognise(house->people, bytes_make(challenge, sizeof(challenge)),
			     NOW, zero, mine, house->public_keys[2], machines, &a, &device, NULL),
	    AZ_DENIED);
	/* A signature for signing in does not enrol, nor the other way. */
	sign_hash(house, 0, FRONT_SIGN_IN_STAFF, 7, mine);
	assert_int_equal(
	    people_recognise_new(house->people, bytes_make(challenge, sizeof(challenge)),
		house->public_keys[0], mine, house->public_keys[2], machines, &device, NULL),
	    AZ_DENIED);
	sign_hash(house, 0, FRONT_ENROL_STAFF, 7, mine);
	assert_int_equal(
	    people_recognise_new(house->people, bytes_make(challenge, sizeof(challenge)),
		house->public_keys[0], mine, house->public_keys[2], machines, &device, NULL),
	    AZ_OK);
	assert_int_equal(device, 1);
	assert_int_equal(recognise(house, 0, mine, 2, machines, &a, &device), AZ_DENIED);
	/* Not at a machine that is not enrolled. */
	sign_hash(house, 0, FRONT_SIGN_IN_DEVICE, 7, machines);
	assert_int_equal(
	    people_recognise_new(house->people, bytes_make(challenge, sizeof(challenge)),
		house->public_keys[0], mine, house->public_keys[0], machines, &device, NULL),
	    AZ_DENIED);
	/* With a key, or ended, the invitation is of no use. */
	staff.keyed_us = 1;
	memcpy(staff.public_key, house->public_keys[0], SIGN_PUBLIC_SIZE);
	assert_int_equal(people_put_staff(house->people, &staff, NULL), AZ_OK);
	assert_null(people_invited(house->people, staff.invitation, NOW));
	staff.keyed_us = 0;
	staff.ended_us = 1;
	assert_int_equal(people_put_staff(house->people, &staff, NULL), AZ_OK);
	assert_null(people_invited(house->people, staff.invitation, NOW));
	assert_int_equal(
	    people_may_take_key(house->people, house->public_keys[1], "x", NULL), AZ_CONFLICT);
	assert_int_equal(
	    people_may_take_key(house->people, house->public_keys[3], "x", NULL), AZ_CONFLICT);
}

static enum az_status
recognise_guard(
    const struct house *house, unsigned int key, const uint8_t *signature, uint32_t *device)
{
	uint8_t challenge[FRONT_HASH_SIZE];

	memset(challenge, 7, sizeof(challenge));
	return people_recognise_guard(house->people, bytes_make(challenge, sizeof(challenge)),
	    house->public_keys[key], signature, device, NULL);
}

static void
a_guard_is_recognised_by_its_own_key_only(void **state)
{
	const struct house *house = *state;
	uint8_t signature[SIGNATURE_SIZE];
	struct device device = *people_device(house->people, 1);
	uint32_t found = 0;

	/* No device has a guard: neither a human's key nor a device's is one. */
	for (unsigned int i = 0; i < 4; i++) {
		sign_hash(house, i, FRONT_SIGN_IN_GUARD, 7, signature);
		assert_int_equal(recognise_guard(house, i, signature, &found), AZ_DENIED);
		assert_int_equal(
		    people_may_guard(house->people, house->public_keys[i], "x", NULL), AZ_CONFLICT);
	}
	/* A key that is at hand. */
	device.guarded_us = 9;
	memcpy(device.guard_key, house->public_keys[3], SIGN_PUBLIC_SIZE);
	assert_int_equal(people_put_device(house->people, &device, NULL), AZ_OK);
	sign_hash(house, 3, FRONT_SIGN_IN_GUARD, 7, signature);
	assert_int_equal(recognise_guard(house, 3, signature, &found), AZ_OK);
	assert_int_equal(found, 1);
	assert_int_equal(recognise_guard(house, 2, signature, &found), AZ_DENIED);
	signature[3] ^= 1;
	assert_int_equal(recognise_guard(house, 3, signature, &found), AZ_DENIED);
	sign_hash(house, 3, FRONT_SIGN_IN_GUARD, 8, signature);
	assert_int_equal(recognise_guard(house, 3, signature, &found), AZ_DENIED);
	sign_hash(house, 3, FRONT_SIGN_IN_DEVICE, 7, signature);
	assert_int_equal(recognise_guard(house, 3, signature, &found), AZ_DENIED);
	sign_hash(house, 3, FRONT_SIGN_IN_GUARD, 7, signature);
	device.retired_us = 10;
	assert_int_equal(people_put_device(house->people, &device, NULL), AZ_OK);
	assert_int_equal(recognise_guard(house, 3, signature, &found), AZ_DENIED);
	device.retired_us = 0;
	device.guarded_us = 0;
	assert_int_equal(people_put_device(house->people, &device, NULL), AZ_OK);
	assert_int_equal(recognise_guard(house, 3, signature, &found), AZ_DENIED);
}

static void
a_guard_is_kept_with_its_device(void **state)
{
	struct device device = {.id = 4, .label = "desk", .added_us = 1};
	struct device again;
	struct buffer bytes;

	(void)state;
	buffer_init(&bytes, 4096, false);
	assert_int_equal(device_encode(&device, &bytes), AZ_OK);
	assert_int_equal(device_decode(buffer_peek(&bytes), &again), AZ_OK);
	assert_int_equal(again.guarded_us, 0);
	buffer_clear(&bytes);
	device.guarded_us = 17;
	memset(device.guard_key, 5, sizeof(device.guard_key));
	assert_int_equal(device_encode(&device, &bytes), AZ_OK);
	assert_int_equal(device_decode(buffer_peek(&bytes), &again), AZ_OK);
	assert_int_equal(again.guarded_us, 17);
	assert_memory_equal(again.guard_key, device.guard_key, sizeof(device.guard_key));
	/* Cut short, and of a format that is to come. */
	for (size_t size = 0; size < bytes.size; size++)
		assert_int_equal(device_decode(bytes_make(bytes.data, size), &again), AZ_INVALID);
	bytes.data[0] = 3;
	assert_int_equal(device_decode(buffer_peek(&bytes), &again), AZ_INVALID);
	buffer_fini(&bytes);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		who_signs_with_both_keys_is_recognised, make_house, free_house),
	    cmocka_unit_test_setup_teardown(nobody_else_is, make_house, free_house),
	    cmocka_unit_test_setup_teardown(people_work_on_their_days_only, make_house, free_house),
	    cmocka_unit_test_setup_teardown(
		who_is_invited_cannot_sign_in_and_enrols_once_in_time, make_house, free_house),
	    cmocka_unit_test_setup_teardown(
		a_guard_is_recognised_by_its_own_key_only, make_house, free_house),
	    cmocka_unit_test(a_guard_is_kept_with_its_device),
	    cmocka_unit_test_setup_teardown(labels_and_keys_are_given_once, make_house, free_house),
	    cmocka_unit_test_setup_teardown(a_sign_in_elsewhere_takes_over, make_house, free_house),
	    cmocka_unit_test_setup_teardown(
		session_numbers_are_never_given_again, make_house, free_house),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
