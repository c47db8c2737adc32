#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/evp.h>

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crypto/hash.h"
#include "crypto/seal.h"
#include "hex.h"

static struct seal_key *
key_of(uint8_t byte)
{
	uint8_t bytes[SEAL_KEY_SIZE];
	struct seal_key *key = NULL;

	memset(bytes, byte, sizeof(bytes));
	assert_int_equal(seal_key_new(bytes_make(bytes, sizeof(bytes)), &key, NULL), AZ_OK);
	return key;
}

/* --- the vectors of c2sp.org/XAES-256-GCM ------------------------------------------------------ */

static const uint8_t published_nonce[SEAL_NONCE_SIZE + 1] = "ABCDEFGHIJKLMNOPQRSTUVWX";

static void
check_published(uint8_t key_byte, const char *associated, const char *expected)
{
	struct seal_key *key = key_of(key_byte);
	struct bytes plain = bytes_of("XAES-256-GCM");
	uint8_t sealed[12 + SEAL_OVERHEAD];
	uint8_t opened[12];

	assert_int_equal(
	    seal_with_nonce(key, published_nonce, bytes_of(associated), plain, sealed, NULL),
	    AZ_OK);
	assert_memory_equal(sealed, published_nonce, SEAL_NONCE_SIZE);
	assert_hex(sealed + SEAL_NONCE_SIZE, expected);
	assert_int_equal(
	    seal_open(key, bytes_of(associated), bytes_make(sealed, sizeof(sealed)), opened, NULL),
	    AZ_OK);
	assert_true(bytes_equal(bytes_make(opened, plain.size), plain));
	seal_key_free(&key);
	assert_null(key);
}

static void
the_published_messages_come_out_as_published(void **state)
{
	/* The highest bit of L is 0 in the first and 1 in the second. */
	check_published(1, "", "ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271");
	check_published(
	    3, "c2sp.org/XAES-256-GCM", "986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d");
}

#define ACCUMULATED 10000

static struct bytes
take(struct bytes *stream, size_t size)
{
	struct bytes part = bytes_make(stream->data, size);

	assert_true(size <= stream->size);
	*stream = bytes_make(stream->data + size, stream->size - size);
	return part;
}

static void
ten_thousand_random_messages_come_out_as_published(void **state)
{
	/* Inputs and hash are SHAKE128, the former over nothing. 566 bytes are the longest a round takes. */
	size_t stream_size = (size_t)ACCUMULATED * 566;
	uint8_t *stream = malloc(stream_size);
	uint8_t sealed[255 + SEAL_OVERHEAD], opened[255], result[32];
	EVP_MD_CTX *random = EVP_MD_CTX_new();
	EVP_MD_CTX *hash = EVP_MD_CTX_new();
	struct bytes left = bytes_make(stream, stream_size);

	assert_non_null(stream);
	assert_int_equal(EVP_DigestInit_ex(random, EVP_shake128(), NULL), 1);
	assert_int_equal(EVP_DigestFinalXOF(random, stream, stream_size), 1);
	assert_hex(stream, "7f9c2ba4e88f827d616045507605853e");
	assert_int_equal(EVP_DigestInit_ex(hash, EVP_shake128(), NULL), 1);
	for (int i = 0; i < ACCUMULATED; i++) {
		struct bytes key_bytes = take(&left, SEAL_KEY_SIZE);
		struct bytes nonce = take(&left, SEAL_NONCE_SIZE);
		struct bytes plain = take(&left, take(&left, 1).data[0]);
		struct bytes associated = take(&left, take(&left, 1).data[0]);
		struct bytes message = bytes_make(sealed, plain.size + SEAL_OVERHEAD);
		struct seal_key *key = NULL;

		assert_int_equal(seal_key_new(key_bytes, &key, NULL), AZ_OK);
		assert_int_equal(
		    seal_with_nonce(key, nonce.data, associated, plain, sealed, NULL), AZ_OK);
		assert_int_equal(EVP_DigestUpdate(hash, sealed + SEAL_NONCE_SIZE,
				     message.size - SEAL_NONCE_SIZE),
		    1);
		assert_int_equal(seal_open(key, associated, message, opened, NULL), AZ_OK);
		assert_true(bytes_equal(plain, bytes_make(opened, plain.size)));
		seal_key_free(&key);
	}
	assert_int_equal(EVP_DigestFinalXOF(hash, result, sizeof(result)), 1);
	assert_hex(result, "e6b9edf2df6cec60c8cbd864e2211b597fb69a529160cd040d56c0c210081939");
	EVP_MD_CTX_free(random);
	EVP_MD_CTX_free(hash);
	free(stream);
}

/* --- refusals ------------------------------------------------------------------------------------ */

static const char secret_text[] = "090-1111-2222 Bob Ray, 2-1 Example";
#define TEXT_SIZE (sizeof(secret_text) - 1)

struct fixture {
	struct seal_key *key;
	uint8_t sealed[TEXT_SIZE + SEAL_OVERHEAD];
	uint8_t plain[TEXT_SIZE];
};

static struct fixture
fixture_make(void)
{
	struct fixture fixture = {.key = key_of(5)};

	assert_int_equal(
	    seal(fixture.key, bytes_of("place"), bytes_of(secret_text), fixture.sealed, NULL),
	    AZ_OK);
	memset(fixture.plain, 0xee, sizeof(fixture.plain));
	return fixture;
}

static void
assert_refused(struct fixture *fixture, struct seal_key *key, const char *place, size_t size)
{
	static const uint8_t zeros[TEXT_SIZE];
	struct az_err err = {0};
	size_t plain_size = size < SEAL_OVERHEAD ? 0 : size - SEAL_OVERHEAD;

	assert_int_equal(seal_open(key, bytes_of(place), bytes_make(fixture->sealed, size),
			     fixture->plain, &err),
	    AZ_FORGED);
	assert_int_equal(err.status, AZ_FORGED);
	assert_true(
	    bytes_equal(bytes_make(fixture->plain, plain_size), bytes_make(zeros, plain_size)));
}

static void
what_was_sealed_opens_in_its_place(void **state)
{
	struct fixture fixture = fixture_make();

	assert_int_equal(
	    seal_open(fixture.key, bytes_of("place"),
		bytes_make(fixture.sealed, sizeof(fixture.sealed)), fixture.plain, NULL),
	    AZ_OK);
	assert_memory_equal(fixture.plain, secret_text, TEXT_SIZE);
	seal_key_free(&fixture.key);
}

static void
any_flipped_bit_is_refused_and_the_plain_zeroed(void **state)
{
	struct fixture fixture = fixture_make();

	for (size_t bit = 0; bit < 8 * sizeof(fixture.sealed); bit++) {
		fixture.sealed[bit / 8] ^= (uint8_t)(1u << bit % 8);
		memset(fixture.plain, 0xee, sizeof(fixture.plain));
		assert_refused(&fixture, fixture.key, "place", sizeof(fixture.sealed));
		fixture.sealed[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	seal_key_free(&fixture.key);
}

static void
any_missing_tail_is_refused(void **state)
{
	struct fixture fixture = fixture_make();

	for (size_t size = 0; size < sizeof(fixture.sealed); size++) {
		memset(fixture.plain, 0xee, sizeof(fixture.plain));
		assert_refused(&fixture, fixture.key, "place", size);
		assert_int_equal(fixture.plain[sizeof(fixture.plain) - 1], 0xee);
	}
	seal_key_free(&fixture.key);
}

static void
another_place_is_refused(void **state)
{
	static const char *const places[] = {"", "plac", "place ", "Place", "placf"};
	struct fixture fixture = fixture_make();

	for (size_t i = 0; i < AZ_ARRAY_SIZE(places); i++)
		assert_refused(&fixture, fixture.key, places[i], sizeof(fixture.sealed));
	seal_key_free(&fixture.key);
}

static void
another_key_is_refused(void **state)
{
	struct fixture fixture = fixture_make();
	struct seal_key *other = key_of(6);

	assert_refused(&fixture, other, "place", sizeof(fixture.sealed));
	seal_key_free(&other);
	seal_key_free(&fixture.key);
}

static void
a_refusal_does_not_harm_the_key(void **state)
{
	struct fixture fixture = fixture_make();

	assert_refused(&fixture, fixture.key, "elsewhere", sizeof(fixture.sealed));
	assert_int_equal(
	    seal_open(fixture.key, bytes_of("place"),
		bytes_make(fixture.sealed, sizeof(fixture.sealed)), fixture.plain, NULL),
	    AZ_OK);
	assert_memory_equal(fixture.plain, secret_text, TEXT_SIZE);
	seal_key_free(&fixture.key);
}

static void
keys_of_another_size_are_refused(void **state)
{
	uint8_t bytes[SEAL_KEY_SIZE + 1] = {0};
	struct seal_key *key = NULL;

	assert_int_equal(seal_key_new(bytes_make(bytes, 16), &key, NULL), AZ_INTERNAL);
	assert_int_equal(seal_key_new(bytes_make(bytes, 31), &key, NULL), AZ_INTERNAL);
	assert_int_equal(seal_key_new(bytes_make(bytes, 33), &key, NULL), AZ_INTERNAL);
	assert_null(key);
}

static void
nothing_at_all_can_be_sealed_but_not_forged(void **state)
{
	struct seal_key *key = key_of(7);
	uint8_t sealed[SEAL_OVERHEAD];
	struct bytes none = bytes_make(NULL, 0);
	struct bytes message = bytes_make(sealed, sizeof(sealed));

	assert_int_equal(seal(key, none, none, sealed, NULL), AZ_OK);
	assert_int_equal(seal_open(key, none, message, NULL, NULL), AZ_OK);
	assert_int_equal(seal_open(key, bytes_of("x"), message, NULL, NULL), AZ_FORGED);
	sealed[SEAL_OVERHEAD - 1] ^= 1;
	assert_int_equal(seal_open(key, none, message, NULL, NULL), AZ_FORGED);
	seal_key_free(&key);
}

static void
a_copy_opens_what_its_original_sealed(void **state)
{
	struct fixture fixture = fixture_make();
	struct seal_key *copy = NULL;

	assert_int_equal(seal_key_copy(fixture.key, &copy, NULL), AZ_OK);
	seal_key_free(&fixture.key);
	assert_int_equal(
	    seal_open(copy, bytes_of("place"), bytes_make(fixture.sealed, sizeof(fixture.sealed)),
		fixture.plain, NULL),
	    AZ_OK);
	assert_memory_equal(fixture.plain, secret_text, TEXT_SIZE);
	seal_key_free(&copy);
	seal_key_free(&copy);
}

/* --- nonces -------------------------------------------------------------------------------------- */

#define NONCES 600

static int
compare_nonces(const void *a, const void *b)
{
	return bytes_compare(bytes_make(a, SEAL_NONCE_SIZE), bytes_make(b, SEAL_NONCE_SIZE));
}

static void
seal_nothing(struct seal_key *key, uint8_t nonce[SEAL_NONCE_SIZE])
{
	uint8_t sealed[SEAL_OVERHEAD];

	assert_int_equal(seal(key, bytes_make(NULL, 0), bytes_make(NULL, 0), sealed, NULL), AZ_OK);
	memcpy(nonce, sealed, SEAL_NONCE_SIZE);
}

static void
no_nonce_is_used_twice_by_a_key_or_its_copy(void **state)
{
	static uint8_t nonces[NONCES][SEAL_NONCE_SIZE];
	struct seal_key *key = key_of(8);
	struct seal_key *copy = NULL;

	seal_nothing(key, nonces[0]);
	assert_int_equal(seal_key_copy(key, &copy, NULL), AZ_OK);
	for (size_t i = 1; i < NONCES; i++)
		seal_nothing(i % 3 == 0 ? copy : key, nonces[i]);
	qsort(nonces, NONCES, SEAL_NONCE_SIZE, compare_nonces);
	for (size_t i = 1; i < NONCES; i++)
		assert_int_not_equal(compare_nonces(nonces[i - 1], nonces[i]), 0);
	seal_key_free(&key);
	seal_key_free(&copy);
}

/* Of one key: so many have the first half in common, and no more. */
static void
a_message_key_is_for_few_messages(void **state)
{
	struct seal_key *key = key_of(5);
	uint8_t first[SEAL_NONCE_SIZE] = {0};
	size_t together = 0;

	(void)state;
	for (size_t i = 0; i < 10 * SEAL_TOGETHER; i++) {
		uint8_t nonce[SEAL_NONCE_SIZE];

		seal_nothing(key, nonce);
		together = memcmp(nonce, first, SEAL_NONCE_SIZE / 2) == 0 ? together + 1 : 1;
		assert_true(together <= SEAL_TOGETHER);
		assert_int_equal(together, i % SEAL_TOGETHER + 1);
		memcpy(first, nonce, sizeof(first));
	}
	seal_key_free(&key);
}

static void
a_child_after_fork_does_not_repeat_its_parents_nonces(void **state)
{
	uint8_t ours[16][SEAL_NONCE_SIZE], theirs[16][SEAL_NONCE_SIZE];
	struct seal_key *key = key_of(9);
	int fds[2];
	int result = 0;
	pid_t child;

	/* One is taken, so that others are waiting when the child is made. */
	seal_nothing(key, ours[0]);
	assert_int_equal(pipe(fds), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		for (size_t i = 0; i < AZ_ARRAY_SIZE(theirs); i++)
			seal_nothing(key, theirs[i]);
		_exit(write(fds[1], theirs, sizeof(theirs)) == (ssize_t)sizeof(theirs) ? 0 : 1);
	}
	for (size_t i = 0; i < AZ_ARRAY_SIZE(ours); i++)
		seal_nothing(key, ours[i]);
	assert_int_equal(read(fds[0], theirs, sizeof(theirs)), sizeof(theirs));
	assert_int_equal(waitpid(child, &result, 0), child);
	assert_int_equal(result, 0);
	for (size_t i = 0; i < AZ_ARRAY_SIZE(theirs); i++) {
		for (size_t j = 0; j < AZ_ARRAY_SIZE(ours); j++)
			assert_int_not_equal(compare_nonces(theirs[i], ours[j]), 0);
		for (size_t j = 0; j < i; j++)
			assert_int_not_equal(compare_nonces(theirs[i], theirs[j]), 0);
	}
	(void)close(fds[0]);
	(void)close(fds[1]);
	seal_key_free(&key);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_published_messages_come_out_as_published),
	    cmocka_unit_test(ten_thousand_random_messages_come_out_as_published),
	    cmocka_unit_test(what_was_sealed_opens_in_its_place),
	    cmocka_unit_test(any_flipped_bit_is_refused_and_the_plain_zeroed),
	    cmocka_unit_test(any_missing_tail_is_refused),
	    cmocka_unit_test(another_place_is_refused),
	    cmocka_unit_test(another_key_is_refused),
	    cmocka_unit_test(a_refusal_does_not_harm_the_key),
	    cmocka_unit_test(keys_of_another_size_are_refused),
	    cmocka_unit_test(nothing_at_all_can_be_sealed_but_not_forged),
	    cmocka_unit_test(a_copy_opens_what_its_original_sealed),
	    cmocka_unit_test(no_nonce_is_used_twice_by_a_key_or_its_copy),
	    cmocka_unit_test(a_message_key_is_for_few_messages),
	    cmocka_unit_test(a_child_after_fork_does_not_repeat_its_parents_nonces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
