/*
 * What is no entry did not happen: signing in where the ledger takes none, and the refusals that it is not asked to take
 * one by one. The ledger is this test's: it keeps what it is given, or has no room.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "crypto/sign.h"
#include "custody/custody_internal.h"
#include "custody/guards.h"

#define KEPT_MAX 64u

/* --- the ledger -------------------------------------------------------------------------------- */

static struct {
	bool is_full;
	struct ledger_entry entries[KEPT_MAX];
	size_t count;
	void (*done)(void *arg, const struct az_ticket *ticket);
	void *arg;
} ledger;

enum az_status __wrap_ledger_submit(struct ledger *unused, const struct ledger_entry *entry,
    struct bytes payload, void (*done)(void *arg, const struct az_ticket *ticket), void *arg,
    struct az_err *reterr);
void __wrap_ledger_head(const struct ledger *unused, uint32_t log, struct head *ret_head);
const struct ledger_entry *__wrap_ticket_entry(const struct az_ticket *ticket);
uint64_t __wrap_ticket_index(const struct az_ticket *ticket);

enum az_status
__wrap_ledger_submit(struct ledger *unused, const struct ledger_entry *entry, struct bytes payload,
    void (*done)(void *arg, const struct az_ticket *ticket), void *arg, struct az_err *reterr)
{
	(void)unused;
	(void)payload;
	if (ledger.is_full)
		return az_fail(reterr, AZ_LIMIT, "ledger: the disk is full");
	assert_true(ledger.count < KEPT_MAX);
	ledger.entries[ledger.count++] = *entry;
	ledger.done = done;
	ledger.arg = arg;
	return AZ_OK;
}

/* The last entry becomes durable. */
static void
flush(void)
{
	if (ledger.done != NULL)
		ledger.done(ledger.arg, NULL);
	ledger.done = NULL;
}

void
__wrap_ledger_head(const struct ledger *unused, uint32_t log, struct head *ret_head)
{
	(void)unused;
	*ret_head = (struct head){.log = log, .generation = 1};
}

const struct ledger_entry *
__wrap_ticket_entry(const struct az_ticket *ticket)
{
	(void)ticket;
	return &ledger.entries[ledger.count - 1];
}

uint64_t
__wrap_ticket_index(const struct az_ticket *ticket)
{
	(void)ticket;
	return ledger.count - 1;
}

/* --- the house --------------------------------------------------------------------------------- */

static struct custody *custody;
static struct sign_key *staff_key, *device_key, *guard_key;
static unsigned int replies, hang_ups;
static enum front_message replied;

static void
on_reply(void *arg, struct bytes message)
{
	(void)arg;
	replies++;
	replied = (enum front_message)wire_load_u16(message.data);
}

static void
on_hang_up(void *arg)
{
	(void)arg;
	hang_ups++;
}

static struct sign_key *
key_of(uint8_t byte)
{
	uint8_t seed[SIGN_SEED_SIZE] = {byte};
	struct sign_key *key = NULL;

	assert_int_equal(sign_key_new(bytes_make(seed, sizeof(seed)), &key, NULL), AZ_OK);
	return key;
}

static int
make_house(void **state)
{
	struct staff staff = {.id = 1,
	    .label = "ito",
	    .role = ROLE_AGENT,
	    .from = AZ_DATE_NONE,
	    .until = AZ_DATE_NONE,
	    .keyed_us = 1,
	    .added_us = 1};
	struct device device = {.id = 1, .label = "desk", .added_us = 1, .guarded_us = 1};

	(void)state;
	memset(&ledger, 0, sizeof(ledger));
	replies = hang_ups = 0;
	staff_key = key_of(1);
	device_key = key_of(2);
	guard_key = key_of(3);
	sign_key_public(staff_key, staff.public_key);
	sign_key_public(device_key, device.public_key);
	sign_key_public(guard_key, device.guard_key);
	custody = calloc(1, sizeof(*custody));
	custody->scratch = calloc(1, sizeof(*custody->scratch));
	custody->phase = PHASE_SERVING;
	custody->unsealed = true;
	custody->house.sessions_before = 1;
	custody->config.reply = on_reply;
	custody->config.hang_up = on_hang_up;
	buffer_init(&custody->reply, FRONT_FRAME_MAX - 16, true);
	assert_int_equal(people_new(&custody->people, NULL), AZ_OK);
	assert_int_equal(policy_new(&custody->policy, NULL), AZ_OK);
	assert_int_equal(people_put_staff(custody->people, &staff, NULL), AZ_OK);
	assert_int_equal(people_put_device(custody->people, &device, NULL), AZ_OK);
	return 0;
}

static int
free_house(void **state)
{
	(void)state;
	sign_key_free(&staff_key);
	sign_key_free(&device_key);
	sign_key_free(&guard_key);
	moments_free(custody);
	guards_free(custody);
	people_free(&custody->people);
	policy_free(&custody->policy);
	buffer_fini(&custody->reply);
	free(custody->scratch);
	free(custody);
	return 0;
}

static void
sign_by(const struct sign_key *key, const char *context, const struct custody_front *front,
    uint8_t signature[SIGNATURE_SIZE])
{
	uint8_t data[FRONT_SIGNED_MAX];
	size_t size = front_signed(context, front->challenge, data);

	assert_int_equal(sign(key, bytes_make(data, size), signature, NULL), AZ_OK);
}

static void
ask(struct custody_front *front, enum front_message type, const union front_request *request)
{
	struct buffer message;

	buffer_init(&message, FRONT_FRAME_MAX, true);
	assert_int_equal(front_encode(type, 1, request, &message), AZ_OK);
	assert_int_equal(custody_request(front, buffer_peek(&message), -1, NULL), AZ_OK);
	buffer_fini(&message);
}

static struct custody_front *
connect_front(void)
{
	static const uint8_t challenge[32] = {9};
	struct custody_front *front = NULL;

	assert_int_equal(custody_front_new(custody, challenge, &replies, &front), AZ_OK);
	return front;
}

static void
sign_in(struct custody_front *front)
{
	union front_request request = {0};

	sign_key_public(staff_key, request.sign_in.staff_key);
	sign_key_public(device_key, request.sign_in.device_key);
	sign_by(staff_key, FRONT_SIGN_IN_STAFF, front, request.sign_in.staff_signature);
	sign_by(device_key, FRONT_SIGN_IN_DEVICE, front, request.sign_in.device_signature);
	ask(front, FRONT_SIGN_IN, &request);
}

static void
sign_in_guard(struct custody_front *front)
{
	union front_request request = {0};

	sign_key_public(guard_key, request.guard_sign_in.key);
	sign_by(guard_key, FRONT_SIGN_IN_GUARD, front, request.guard_sign_in.signature);
	ask(front, FRONT_GUARD_SIGN_IN, &request);
}

/* --- tests ------------------------------------------------------------------------------------- */

static void
a_sign_in_without_an_entry_did_not_happen(void **state)
{
	struct custody_front *front = connect_front();

	(void)state;
	ledger.is_full = true;
	sign_in(front);
	assert_int_equal(replies, 1);
	assert_int_equal(replied, FRONT_FAILED);
	assert_false(custody_front_is_signed_in(front));
	assert_true(front->staff == 0 && front->device == 0 && front->session == 0);
	assert_int_equal(people_session_count(custody->people), 0);
	assert_int_equal(custody->house.sessions_before, 1);
	/* As at first: the same front may try again, and its entry reserves numbers. */
	ledger.is_full = false;
	sign_in(front);
	assert_int_equal(ledger.count, 1);
	assert_int_equal(ledger.entries[0].type, ENTRY_SIGNED_IN);
	assert_true(custody->house.sessions_before > front->session);
	flush();
	assert_int_equal(replied, FRONT_DONE);
	assert_true(custody_front_is_signed_in(front));
	assert_int_equal(people_session_count(custody->people), 1);
	custody_front_close(&front);
	assert_int_equal(ledger.entries[1].type, ENTRY_SIGNED_OUT);
	assert_int_equal(people_session_count(custody->people), 0);
}

/* One of two connections of a session: the other stays signed in. */
static void
a_second_connection_without_an_entry_leaves_the_first(void **state)
{
	struct custody_front *first = connect_front();
	struct custody_front *second;

	(void)state;
	sign_in(first);
	flush();
	second = connect_front();
	ledger.is_full = true;
	sign_in(second);
	assert_false(custody_front_is_signed_in(second));
	assert_true(custody_front_is_signed_in(first));
	assert_non_null(people_session(custody->people, first->session));
	custody_front_close(&second);
	assert_non_null(people_session(custody->people, first->session));
	ledger.is_full = false;
	custody_front_close(&first);
	assert_int_equal(people_session_count(custody->people), 0);
}

static void
a_guard_without_an_entry_was_not_heard(void **state)
{
	struct custody_front *front = connect_front();

	(void)state;
	assert_int_equal(guard_state_of(custody, 1), GUARD_SILENT);
	ledger.is_full = true;
	sign_in_guard(front);
	assert_int_equal(replied, FRONT_FAILED);
	assert_false(custody_front_is_signed_in(front));
	assert_true(!front->is_guard && front->device == 0);
	assert_int_equal(guard_state_of(custody, 1), GUARD_SILENT);
	ledger.is_full = false;
	custody_front_close(&front);
	assert_int_equal(ledger.count, 0);
	front = connect_front();
	sign_in_guard(front);
	assert_int_equal(ledger.entries[0].type, ENTRY_GUARD);
	flush();
	assert_int_equal(replied, FRONT_DONE);
	assert_int_equal(guard_state_of(custody, 1), GUARD_LIVE);
	custody_front_close(&front);
}

/* Somebody tries what they may not, more often than is logged one by one, and goes. */
static void
no_refusal_goes_uncounted(void **state)
{
	struct custody_front *front = connect_front();
	union front_request request = {0};
	uint64_t counted = 0;

	(void)state;
	sign_in(front);
	flush();
	for (unsigned int i = 0; i < 50; i++) {
		ask(front, FRONT_STATUS, &request);
		flush();
		assert_int_equal(replied, FRONT_FAILED);
	}
	custody_front_close(&front);
	for (size_t i = 0; i < ledger.count; i++) {
		if (ledger.entries[i].type != ENTRY_REFUSED)
			continue;
		assert_int_equal(ledger.entries[i].staff, 1);
		assert_int_equal(ledger.entries[i].detail, VERB_STATUS);
		counted += 1 + ledger.entries[i].detail64;
	}
	assert_int_equal(counted, 50);
	assert_true(ledger.count < 30);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		a_sign_in_without_an_entry_did_not_happen, make_house, free_house),
	    cmocka_unit_test_setup_teardown(
		a_second_connection_without_an_entry_leaves_the_first, make_house, free_house),
	    cmocka_unit_test_setup_teardown(
		a_guard_without_an_entry_was_not_heard, make_house, free_house),
	    cmocka_unit_test_setup_teardown(no_refusal_goes_uncounted, make_house, free_house),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
