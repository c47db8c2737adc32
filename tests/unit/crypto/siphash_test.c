/* SipHash-2-4-128 against the reference code's vectors and against OpenSSL. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <openssl/evp.h>
#include <openssl/params.h>

#include "base/wire.h"
#include "crypto/siphash.h"

static void
hash(const uint8_t *key, struct bytes message, uint8_t digest[16])
{
	uint64_t words[2];

	siphash_128(key, message, words);
	wire_store_u64(digest, words[0]);
	wire_store_u64(digest + 8, words[1]);
}

/* Of the reference implementation: key 00 01 … 0f, messages of 0 and of 15 bytes 00 01 …. */
static void
the_reference_vectors_come_out(void **state)
{
	static const uint8_t of_0[16] = {0xa3, 0x81, 0x7f, 0x04, 0xba, 0x25, 0xa8, 0xe6, 0x6d, 0xf6,
	    0x72, 0x14, 0xc7, 0x55, 0x02, 0x93};
	static const uint8_t of_1[16] = {0xda, 0x87, 0xc1, 0xd8, 0x6b, 0x99, 0xaf, 0x44, 0x34, 0x76,
	    0x59, 0x11, 0x9b, 0x22, 0xfc, 0x45};
	uint8_t key[SIPHASH_KEY_SIZE];
	uint8_t digest[16];

	(void)state;
	for (uint8_t i = 0; i < sizeof(key); i++)
		key[i] = i;
	hash(key, bytes_make(key, 0), digest);
	assert_memory_equal(digest, of_0, sizeof(of_0));
	hash(key, bytes_make(key, 1), digest);
	assert_memory_equal(digest, of_1, sizeof(of_1));
}

static void
messages_of_every_length_hash_as_with_openssl(void **state)
{
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "SIPHASH", NULL);
	EVP_MAC_CTX *context;
	uint8_t key[SIPHASH_KEY_SIZE];
	uint8_t message[200];
	uint8_t expected[16];
	uint8_t digest[16];
	size_t size = 16;
	OSSL_PARAM params[] = {OSSL_PARAM_construct_size_t("size", &size), OSSL_PARAM_END};

	(void)state;
	assert_non_null(mac);
	srandom(3);
	for (size_t length = 0; length <= sizeof(message); length++) {
		for (size_t i = 0; i < sizeof(key); i++)
			key[i] = (uint8_t)random();
		for (size_t i = 0; i < length; i++)
			message[i] = (uint8_t)random();
		context = EVP_MAC_CTX_new(mac);
		assert_int_equal(EVP_MAC_init(context, key, sizeof(key), params), 1);
		assert_int_equal(EVP_MAC_update(context, message, length), 1);
		assert_int_equal(EVP_MAC_final(context, expected, &size, sizeof(expected)), 1);
		EVP_MAC_CTX_free(context);
		hash(key, bytes_make(message, length), digest);
		assert_memory_equal(digest, expected, sizeof(expected));
	}
	EVP_MAC_free(mac);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_reference_vectors_come_out),
	    cmocka_unit_test(messages_of_every_length_hash_as_with_openssl),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
