/* Who may approve what (I7): each rule alone breaks it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "policy/policy.h"

#define NOW INT64_C(1775001600000000)

static const uint8_t body[] = {1, 2, 3};

/* Asked by human 2 at device 1, open for a minute. */
static struct approval_document
sample_document(uint8_t needed)
{
	struct approval_document document = {.number = 3,
	    .staff = 2,
	    .device = 1,
	    .session = 9,
	    .asked_us = NOW,
	    .expires_us = NOW + 60000000,
	    .needed = needed,
	    .asker = "mori",
	    .what = bytes_of("add client c01"),
	    .type = 4,
	    .version = 1,
	    .body = bytes_make(body, sizeof(body))};

	memset(document.nonce, 7, sizeof(document.nonce));
	return document;
}

static struct approval
sample(uint8_t needed)
{
	return (struct approval){.state = APPROVAL_OPEN, .asked = sample_document(needed)};
}

static const struct approver good = {
    .staff = 1, .device = 2, .role = ROLE_OFFICER, .ended = false, .keyed_by = 0};

static enum az_status
may(struct approval approval, struct approver approver, bool unsealed, int64_t now_us)
{
	return policy_may_approve(&approval, &approver, unsealed, now_us, NULL);
}

static void
i7_another_officer_at_another_device_approves(void **state)
{
	(void)state;
	assert_int_equal(may(sample(1), good, false, NOW), AZ_OK);
	assert_int_equal(may(sample(1), good, false, NOW + 59999999), AZ_OK);
}

static void
i7_nobody_approves_what_they_asked(void **state)
{
	struct approver approver = good;

	(void)state;
	approver.staff = 2;
	assert_int_equal(may(sample(1), approver, false, NOW), AZ_DENIED);
	assert_int_equal(may(sample(1), approver, true, NOW), AZ_DENIED);
}

static void
i7_nobody_approves_with_a_key_that_who_asks_made(void **state)
{
	struct approver approver = good;

	(void)state;
	approver.keyed_by = 2;
	assert_int_equal(may(sample(1), approver, false, NOW), AZ_DENIED);
	assert_int_equal(may(sample(1), approver, true, NOW), AZ_DENIED);
}

static void
i7_not_at_the_device_that_asked_but_where_there_is_one_only(void **state)
{
	struct approver approver = good;

	(void)state;
	approver.device = 1;
	assert_int_equal(may(sample(1), approver, false, NOW), AZ_DENIED);
	assert_int_equal(may(sample(1), approver, true, NOW), AZ_OK);
}

static void
i7_only_officers_who_are_here_approve(void **state)
{
	struct approver approver = good;

	(void)state;
	approver.ended = true;
	assert_int_equal(may(sample(1), approver, false, NOW), AZ_DENIED);
	for (unsigned int role = 0; role < ROLE_COUNT + 3; role++) {
		approver = good;
		approver.role = (enum role)role;
		assert_int_equal(
		    may(sample(1), approver, false, NOW), role == ROLE_OFFICER ? AZ_OK : AZ_DENIED);
	}
	/* Nobody at all is nobody (I9). */
	approver = (struct approver){0};
	assert_int_equal(may(sample(1), approver, true, NOW), AZ_DENIED);
}

static void
i7_not_after_it_has_expired_nor_twice(void **state)
{
	struct approval approval = sample(1);

	(void)state;
	assert_int_equal(may(approval, good, false, NOW + 60000000), AZ_DENIED);
	assert_true(approval_has_expired(&approval, NOW + 60000000));
	assert_false(approval_has_expired(&approval, NOW + 59999999));
	for (unsigned int s = 0; s < 6; s++) {
		approval.state = (enum approval_state)s;
		assert_int_equal(
		    may(approval, good, false, NOW), s == APPROVAL_OPEN ? AZ_OK : AZ_DENIED);
	}
}

static void
i7_two_approvals_are_two_people_at_two_devices(void **state)
{
	struct approval approval = sample(2);
	struct approver approver = good;

	(void)state;
	approval.given[approval.given_count++] =
	    (struct approval_given){.staff = 1, .device = 2, .time_us = NOW};
	assert_int_equal(may(approval, approver, false, NOW), AZ_DENIED);
	approver.staff = 5;
	assert_int_equal(may(approval, approver, false, NOW), AZ_DENIED);
	approver.device = 3;
	assert_int_equal(may(approval, approver, false, NOW), AZ_OK);
	approver.keyed_by = 1;
	assert_int_equal(may(approval, approver, false, NOW), AZ_DENIED);
}

static void
what_is_kept_is_what_was_put(void **state)
{
	struct approval_document document = sample_document(1);
	struct approval approval = {.state = APPROVAL_OPEN, .given_count = 1};
	struct approval back;
	struct policy *policy = NULL;
	struct buffer bytes, thing;

	(void)state;
	buffer_init(&bytes, APPROVAL_DOCUMENT_MAX, false);
	buffer_init(&thing, 2 * APPROVAL_DOCUMENT_MAX, false);
	assert_int_equal(approval_document_encode(&document, &bytes), AZ_OK);
	approval.document = buffer_peek(&bytes);
	assert_int_equal(approval_document_decode(approval.document, &approval.asked), AZ_OK);
	approval.given[0].staff = 1;
	memset(approval.given[0].signature, 9, sizeof(approval.given[0].signature));
	assert_int_equal(approval_encode(&approval, &thing), AZ_OK);
	assert_int_equal(policy_new(&policy, NULL), AZ_OK);
	assert_int_equal(policy_next_approval(policy), 1);
	assert_int_equal(approval_decode(buffer_peek(&thing), &back), AZ_OK);
	assert_int_equal(policy_put_approval(policy, &back, NULL), AZ_OK);
	/* It does not borrow from what it was put from. */
	memset(thing.data, 0, thing.size);
	memset(bytes.data, 0, bytes.size);
	assert_int_equal(policy_next_approval(policy), 4);
	assert_null(policy_approval(policy, 1));
	assert_null(policy_approval(policy, 0));
	assert_non_null(policy_approval(policy, 3));
	assert_true(
	    bytes_equal(policy_approval(policy, 3)->asked.what, bytes_of("add client c01")));
	assert_int_equal(policy_approval(policy, 3)->given[0].signature[63], 9);
	assert_int_equal(policy_open_approvals(policy, 2, NOW), 1);
	assert_int_equal(policy_open_approvals(policy, 2, NOW + 60000000), 0);
	assert_int_equal(policy_open_approvals(policy, 1, NOW), 0);
	policy_free(&policy);
	buffer_fini(&bytes);
	buffer_fini(&thing);
}

static void
no_other_bytes_are_a_document(void **state)
{
	struct approval_document document = sample_document(1);
	struct approval_document back;
	struct buffer bytes;

	(void)state;
	buffer_init(&bytes, APPROVAL_DOCUMENT_MAX, false);
	assert_int_equal(approval_document_encode(&document, &bytes), AZ_OK);
	for (size_t size = 0; size < bytes.size; size++)
		assert_int_equal(
		    approval_document_decode(bytes_make(bytes.data, size), &back), AZ_INVALID);
	bytes.data[0] = 2;
	assert_int_equal(approval_document_decode(buffer_peek(&bytes), &back), AZ_INVALID);
	buffer_fini(&bytes);
	document.needed = 0;
	assert_int_equal(approval_document_encode(&document, &bytes), AZ_INVALID);
	document.needed = APPROVALS_NEEDED_MAX + 1;
	assert_int_equal(approval_document_encode(&document, &bytes), AZ_INVALID);
	document = sample_document(1);
	document.what = bytes_of("");
	assert_int_equal(approval_document_encode(&document, &bytes), AZ_INVALID);
	document = sample_document(1);
	document.expires_us = document.asked_us;
	assert_int_equal(approval_document_encode(&document, &bytes), AZ_INVALID);
	assert_int_equal(bytes.size, 0);
	buffer_fini(&bytes);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(i7_another_officer_at_another_device_approves),
	    cmocka_unit_test(i7_nobody_approves_what_they_asked),
	    cmocka_unit_test(i7_nobody_approves_with_a_key_that_who_asks_made),
	    cmocka_unit_test(i7_not_at_the_device_that_asked_but_where_there_is_one_only),
	    cmocka_unit_test(i7_only_officers_who_are_here_approve),
	    cmocka_unit_test(i7_not_after_it_has_expired_nor_twice),
	    cmocka_unit_test(i7_two_approvals_are_two_people_at_two_devices),
	    cmocka_unit_test(what_is_kept_is_what_was_put),
	    cmocka_unit_test(no_other_bytes_are_a_document),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
