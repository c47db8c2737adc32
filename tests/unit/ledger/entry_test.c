/* The bytes of an entry: one encoding, and nothing else is read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "house.h"

static const enum entry_type all_types[] = {ENTRY_FOUNDED, ENTRY_STARTED, ENTRY_STOPPED,
    ENTRY_RECOVERED, ENTRY_SIGNED_IN, ENTRY_SIGNED_OUT, ENTRY_TAKEN_OVER, ENTRY_REFUSED,
    ENTRY_UNAUTHENTICATED, ENTRY_CLIENT, ENTRY_PURPOSE, ENTRY_STAFF, ENTRY_DEVICE, ENTRY_APPROVED,
    ENTRY_POLICY, ENTRY_VERIFIED, ENTRY_QUERIED, ENTRY_RECONCILED, ENTRY_ALARM, ENTRY_ASKED,
    ENTRY_APPROVAL, ENTRY_DECLINED, ENTRY_ENROLLED, ENTRY_ENTRUSTED, ENTRY_DISCLOSED,
    ENTRY_AMBIGUOUS, ENTRY_NOT_FOUND, ENTRY_WITHHELD, ENTRY_REJECTED_LIST, ENTRY_ENTRUSTED_FULL,
    ENTRY_WITHDRAWN, ENTRY_DESTROYING, ENTRY_DESTROYED};

static struct ledger_read
sample(enum entry_type type)
{
	struct ledger_read read = {.entry = {.type = type,
				       .log = 3,
				       .time_us = 1775001600000000,
				       .device = 2,
				       .session = 9,
				       .policy_version = 1,
				       .zone = ZONE_LOOPBACK,
				       .grade = GRADE_OWN}};

	memset(read.entry.salt, 0x5a, sizeof(read.entry.salt));
	memset(read.staff, 0x11, sizeof(read.staff));
	return read;
}

static void
every_type_comes_back_as_it_was(void **state)
{
	(void)state;
	for (size_t i = 0; i < AZ_ARRAY_SIZE(all_types); i++) {
		struct ledger_read read = sample(all_types[i]);
		struct ledger_read back;
		struct buffer buffer;

		buffer_init(&buffer, LEDGER_ENTRY_MAX, false);
		assert_int_equal(ledger_entry_encode(&read, &buffer), AZ_OK);
		assert_int_equal(ledger_entry_decode(buffer_peek(&buffer), 3, &back), AZ_OK);
		assert_memory_equal(&back, &read, sizeof(read));
		buffer_fini(&buffer);
	}
}

/* Every byte of an entry of every type, changed in every bit: who peeks takes what who decodes does, and sees the same. */
static void
peeking_takes_what_decoding_takes_and_nothing_else(void **state)
{
	unsigned int refused = 0;

	(void)state;
	for (unsigned int type = 1; type <= UINT8_MAX; type++) {
		struct ledger_read read = sample((enum entry_type)type);
		struct buffer buffer;

		if (ledger_entry_name((enum entry_type)type) == NULL)
			continue;
		buffer_init(&buffer, LEDGER_ENTRY_MAX, false);
		assert_int_equal(ledger_entry_encode(&read, &buffer), AZ_OK);
		for (size_t bit = 0; bit <= 8 * buffer.size; bit++) {
			struct ledger_read decoded;
			enum entry_type peeked = ENTRY_NONE;
			int64_t time_us = 0;
			size_t size = buffer.size;
			bool good;

			if (bit < 8 * buffer.size)
				buffer.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
			else
				size--;
			good = ledger_entry_decode(bytes_make(buffer.data, size), 3, &decoded) ==
			    AZ_OK;
			assert_int_equal(
			    ledger_entry_peek(bytes_make(buffer.data, size), &peeked, &time_us),
			    good);
			if (good) {
				assert_int_equal(peeked, decoded.entry.type);
				assert_int_equal(time_us, decoded.entry.time_us);
			}
			refused += good ? 0 : 1;
			if (bit < 8 * buffer.size)
				buffer.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
		}
		buffer_fini(&buffer);
	}
	assert_true(refused > 100);
	assert_false(
	    ledger_entry_peek(bytes_make(NULL, 0), &(enum entry_type){ENTRY_NONE}, &(int64_t){0}));
}

static void
the_fields_of_a_disclosure_and_of_a_list_come_back(void **state)
{
	struct ledger_read read = sample(ENTRY_DISCLOSED);
	struct ledger_read back;
	struct buffer buffer;

	(void)state;
	read.entry.purpose = 4;
	read.entry.campaign = 5;
	read.entry.reason = REASON_ENQUIRY;
	read.entry.basis = BASIS_INBOUND_MATCH;
	read.entry.kinds = 1u << MATCH_PHONE;
	read.entry.request = UINT64_MAX - 1;
	read.entry.rows = 1;
	memset(read.entry.call, 0x22, sizeof(read.entry.call));
	memset(read.record, 0x33, sizeof(read.record));
	read.entry.version = 7;
	read.entry.shown = UINT64_C(0x8000000000000001);
	read.entry.masked = 1;
	buffer_init(&buffer, LEDGER_ENTRY_MAX, false);
	assert_int_equal(ledger_entry_encode(&read, &buffer), AZ_OK);
	assert_int_equal(ledger_entry_decode(buffer_peek(&buffer), 3, &back), AZ_OK);
	assert_memory_equal(&back, &read, sizeof(read));

	read = sample(ENTRY_ENTRUSTED);
	read.entry.consignment = 12;
	read.entry.as_of = -1;
	read.entry.accepted = 21000;
	read.entry.unchanged = 3;
	memset(read.entry.root, 0x44, sizeof(read.entry.root));
	buffer_clear(&buffer);
	assert_int_equal(ledger_entry_encode(&read, &buffer), AZ_OK);
	assert_int_equal(ledger_entry_decode(buffer_peek(&buffer), 3, &back), AZ_OK);
	assert_memory_equal(&back, &read, sizeof(read));
	buffer_fini(&buffer);
}

static void
i7_an_approval_carries_what_was_signed_and_the_signature(void **state)
{
	struct ledger_read read = sample(ENTRY_APPROVAL);
	struct ledger_read back;
	struct buffer buffer;

	(void)state;
	read.entry.subject = 7;
	memset(read.entry.document, 0x66, sizeof(read.entry.document));
	memset(read.entry.signature, 0x77, sizeof(read.entry.signature));
	buffer_init(&buffer, LEDGER_ENTRY_MAX, false);
	assert_int_equal(ledger_entry_encode(&read, &buffer), AZ_OK);
	assert_int_equal(buffer.size, 60 + 36 + 32 + 64);
	assert_int_equal(ledger_entry_decode(buffer_peek(&buffer), 3, &back), AZ_OK);
	assert_memory_equal(&back, &read, sizeof(read));
	/* One without its signature is none. */
	assert_int_equal(
	    ledger_entry_decode(bytes_make(buffer.data, buffer.size - 64), 3, &back), AZ_CORRUPT);
	buffer_fini(&buffer);
}

static void
a_disclosure_has_exactly_these_bytes(void **state)
{
	static const uint8_t start[] = {
	    1, 33, 138, 0, 0x00, 0x00, 0xd8, 0xc3, 0x5a, 0x4e, 0x06, 0x00};
	struct ledger_read read = sample(ENTRY_DISCLOSED);
	struct buffer buffer;

	(void)state;
	buffer_init(&buffer, LEDGER_ENTRY_MAX, false);
	assert_int_equal(ledger_entry_encode(&read, &buffer), AZ_OK);
	assert_int_equal(buffer.size, 138);
	assert_memory_equal(buffer.data, start, sizeof(start));
	assert_int_equal(buffer.data[12], 0x5a);
	assert_int_equal(buffer.data[28], 0x11);
	assert_int_equal(buffer.data[44], 2);
	assert_int_equal(buffer.data[48], 9);
	buffer_fini(&buffer);
}

static void
an_unknown_type_is_neither_written_nor_read(void **state)
{
	struct ledger_read read = sample(ENTRY_DISCLOSED);
	struct buffer buffer;

	(void)state;
	buffer_init(&buffer, LEDGER_ENTRY_MAX, false);
	assert_int_equal(ledger_entry_encode(&read, &buffer), AZ_OK);
	for (unsigned int type = 0; type < 256; type++) {
		struct ledger_read back;

		if (ledger_entry_name((enum entry_type)type) != NULL)
			continue;
		buffer.data[1] = (uint8_t)type;
		assert_int_equal(ledger_entry_decode(buffer_peek(&buffer), 3, &back), AZ_CORRUPT);
	}
	read.entry.type = ENTRY_NONE;
	buffer_clear(&buffer);
	assert_int_equal(ledger_entry_encode(&read, &buffer), AZ_INVALID);
	assert_int_equal(buffer.size, 0);
	buffer_fini(&buffer);
}

static void
another_version_size_or_padding_is_refused(void **state)
{
	struct ledger_read read = sample(ENTRY_DISCLOSED);
	struct ledger_read back;
	struct buffer buffer;

	(void)state;
	buffer_init(&buffer, LEDGER_ENTRY_MAX, false);
	assert_int_equal(ledger_entry_encode(&read, &buffer), AZ_OK);
	for (size_t size = 0; size < buffer.size; size++)
		assert_int_equal(
		    ledger_entry_decode(bytes_make(buffer.data, size), 3, &back), AZ_CORRUPT);
	assert_int_equal(buffer_append(&buffer, bytes_of("x")), AZ_OK);
	assert_int_equal(ledger_entry_decode(buffer_peek(&buffer), 3, &back), AZ_CORRUPT);
	buffer.size--;
	for (unsigned int byte = 0; byte < 4; byte++) {
		if (byte == 1)
			continue;
		buffer.data[byte] ^= 1;
		assert_int_equal(ledger_entry_decode(buffer_peek(&buffer), 3, &back), AZ_CORRUPT);
		buffer.data[byte] ^= 1;
	}
	buffer.data[60 + 11] = 1; /* behind the basis */
	assert_int_equal(ledger_entry_decode(buffer_peek(&buffer), 3, &back), AZ_CORRUPT);
	buffer_fini(&buffer);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_type_comes_back_as_it_was),
	    cmocka_unit_test(peeking_takes_what_decoding_takes_and_nothing_else),
	    cmocka_unit_test(the_fields_of_a_disclosure_and_of_a_list_come_back),
	    cmocka_unit_test(i7_an_approval_carries_what_was_signed_and_the_signature),
	    cmocka_unit_test(a_disclosure_has_exactly_these_bytes),
	    cmocka_unit_test(an_unknown_type_is_neither_written_nor_read),
	    cmocka_unit_test(another_version_size_or_padding_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
