/* Fingerprints: the same for the same key of one house and kind, and for nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/wire.h"
#include "crypto/hash.h"
#include "crypto/siphash.h"
#include "trace/trace.h"

static struct trace_keys *
keys_of(uint8_t secret_byte, uint8_t house_byte)
{
	uint8_t house[HOUSE_ID_SIZE];
	struct secret *key = NULL;
	struct trace_keys *keys = NULL;

	memset(house, house_byte, sizeof(house));
	assert_int_equal(secret_new(KEY_SIZE, &key, NULL), AZ_OK);
	memset(secret_data(key), secret_byte, KEY_SIZE);
	assert_int_equal(trace_keys_new(key, house, &keys, NULL), AZ_OK);
	secret_free(&key);
	return keys;
}

static uint64_t
print_of(const struct trace_keys *keys, enum match_kind kind, const char *key)
{
	struct trace_print print;

	trace_print_make(keys, kind, bytes_of(key), 7, 2, &print);
	assert_int_equal(wire_load_u32be(print.bytes + 8), 7);
	assert_int_equal(wire_load_u32be(print.bytes + 12), 2);
	return wire_load_u64be(print.bytes);
}

/* Derived as docs/format/trace.md says, by hand. */
static void
a_fingerprint_is_the_siphash_of_its_key(void **state)
{
	uint8_t house[HOUSE_ID_SIZE];
	uint8_t root[KEY_SIZE];
	uint8_t derived[KEY_SIZE];
	uint64_t hash[2];
	struct trace_keys *keys = keys_of(0x11, 0x55);

	(void)state;
	memset(house, 0x55, sizeof(house));
	memset(root, 0x11, sizeof(root));
	assert_int_equal(
	    hkdf_sha256(bytes_make(root, sizeof(root)), bytes_make(house, sizeof(house)),
		bytes_of("azukari/v1/fingerprint/3"), derived, sizeof(derived)),
	    AZ_OK);
	siphash_128(derived, bytes_of("ann@example.jp"), hash);
	assert_true(print_of(keys, MATCH_EMAIL, "ann@example.jp") == hash[0]);
	trace_keys_free(&keys);
}

static void
house_secret_kind_and_key_each_change_it(void **state)
{
	struct trace_keys *keys = keys_of(1, 2);
	struct trace_keys *other_secret = keys_of(3, 2);
	struct trace_keys *other_house = keys_of(1, 4);
	uint64_t print = print_of(keys, MATCH_PHONE, "0312345678");

	(void)state;
	assert_true(print == print_of(keys, MATCH_PHONE, "0312345678"));
	assert_true(print != print_of(keys, MATCH_PHONE, "0312345679"));
	assert_true(print != print_of(keys, MATCH_EMAIL, "0312345678"));
	assert_true(print != print_of(other_secret, MATCH_PHONE, "0312345678"));
	assert_true(print != print_of(other_house, MATCH_PHONE, "0312345678"));
	trace_keys_free(&keys);
	trace_keys_free(&other_secret);
	trace_keys_free(&other_house);
}

static void
numbers_have_none_and_all_other_kinds_do(void **state)
{
	(void)state;
	assert_false(trace_has_kind(MATCH_NONE));
	assert_false(trace_has_kind(MATCH_NUMBER));
	for (unsigned int kind = MATCH_NUMBER + 1; kind < MATCH_KINDS; kind++)
		assert_true(trace_has_kind((enum match_kind)kind));
	assert_false(trace_has_kind(MATCH_KINDS));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_fingerprint_is_the_siphash_of_its_key),
	    cmocka_unit_test(house_secret_kind_and_key_each_change_it),
	    cmocka_unit_test(numbers_have_none_and_all_other_kinds_do),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
