#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "crypto/sign.h"
#include "hex.h"

/* RFC 8032 §7.1. */
static const struct {
	const char *seed, *public_key, *message, *signature;
} vectors[] = {
    {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
	"d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
	"e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
	"5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"},
    {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
	"3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
	"92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
	"085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"},
    {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
	"fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
	"6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
	"18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"},
    {"833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
	"ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
	"ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
	"2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
	"dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b589"
	"09351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704"},
};

struct fixture {
	struct sign_key *key;
	uint8_t public_key[SIGN_PUBLIC_SIZE];
	uint8_t signature[SIGNATURE_SIZE];
	struct bytes message;
};

static struct fixture
fixture_make(void)
{
	struct fixture fixture = {.message = bytes_of("the handshake hash")};
	uint8_t seed[SIGN_SEED_SIZE] = {1, 2, 3};

	assert_int_equal(sign_key_new(bytes_make(seed, sizeof(seed)), &fixture.key, NULL), AZ_OK);
	sign_key_public(fixture.key, fixture.public_key);
	assert_int_equal(sign(fixture.key, fixture.message, fixture.signature, NULL), AZ_OK);
	assert_int_equal(
	    sign_verify(fixture.public_key, fixture.message, fixture.signature), AZ_OK);
	return fixture;
}

static void
signatures_are_those_of_the_rfc(void **state)
{
	uint8_t seed[HEX_MAX], text[HEX_MAX], public_key[SIGN_PUBLIC_SIZE],
	    signature[SIGNATURE_SIZE];

	for (size_t i = 0; i < AZ_ARRAY_SIZE(vectors); i++) {
		struct bytes message = from_hex(vectors[i].message, text);
		struct sign_key *key = NULL;

		assert_int_equal(sign_key_new(from_hex(vectors[i].seed, seed), &key, NULL), AZ_OK);
		sign_key_public(key, public_key);
		assert_hex(public_key, vectors[i].public_key);
		assert_int_equal(sign(key, message, signature, NULL), AZ_OK);
		assert_hex(signature, vectors[i].signature);
		assert_int_equal(sign_verify(public_key, message, signature), AZ_OK);
		sign_key_free(&key);
		assert_null(key);
		sign_key_free(&key);
	}
}

static void
a_signature_with_any_bit_flipped_is_forged(void **state)
{
	struct fixture fixture = fixture_make();

	for (size_t bit = 0; bit < 8 * sizeof(fixture.signature); bit++) {
		fixture.signature[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_equal(
		    sign_verify(fixture.public_key, fixture.message, fixture.signature), AZ_FORGED);
		fixture.signature[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	sign_key_free(&fixture.key);
}

static void
another_message_is_forged(void **state)
{
	struct fixture fixture = fixture_make();

	assert_int_equal(
	    sign_verify(fixture.public_key, bytes_of("the handshake hasi"), fixture.signature),
	    AZ_FORGED);
	assert_int_equal(
	    sign_verify(fixture.public_key, bytes_of("the handshake has"), fixture.signature),
	    AZ_FORGED);
	assert_int_equal(
	    sign_verify(fixture.public_key, bytes_make(NULL, 0), fixture.signature), AZ_FORGED);
	sign_key_free(&fixture.key);
}

static void
another_public_key_is_forged(void **state)
{
	struct fixture fixture = fixture_make();

	/* Some of these are points of the curve and some are none. */
	for (size_t bit = 0; bit < 8 * sizeof(fixture.public_key); bit++) {
		fixture.public_key[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_equal(
		    sign_verify(fixture.public_key, fixture.message, fixture.signature), AZ_FORGED);
		fixture.public_key[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	sign_key_free(&fixture.key);
}

static void
the_same_signature_in_another_spelling_is_forged(void **state)
{
	/* S + L, which a verifier that does not look (RFC 8032 §5.1.7) would take as well. */
	static const uint8_t order[32] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6,
	    0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, [31] = 0x10};
	struct fixture fixture = fixture_make();
	unsigned int carry = 0;

	for (size_t i = 0; i < sizeof(order); i++) {
		carry += (unsigned int)fixture.signature[32 + i] + order[i];
		fixture.signature[32 + i] = (uint8_t)carry;
		carry >>= 8;
	}
	assert_int_equal(carry, 0);
	assert_int_equal(
	    sign_verify(fixture.public_key, fixture.message, fixture.signature), AZ_FORGED);
	sign_key_free(&fixture.key);
}

static void
a_public_key_under_which_everybody_can_sign_is_refused(void **state)
{
	static const char *const keys[] = {
	    "0000000000000000000000000000000000000000000000000000000000000000",
	    "0100000000000000000000000000000000000000000000000000000000000000",
	    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
	    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
	    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	};
	/* R is the neutral point and S zero: true for every message if A is of order 1, for many if 8. */
	uint8_t signature[SIGNATURE_SIZE] = {1};
	uint8_t public_key[HEX_MAX];
	char text[12];

	for (size_t i = 0; i < AZ_ARRAY_SIZE(keys); i++) {
		for (unsigned int message = 0; message < 64; message++) {
			(void)from_hex(keys[i], public_key);
			public_key[31] |= (uint8_t)(message % 2 << 7);
			(void)snprintf(text, sizeof(text), "%u", message);
			assert_int_equal(
			    sign_verify(public_key, bytes_of(text), signature), AZ_FORGED);
		}
	}
}

static void
seeds_of_another_size_are_refused(void **state)
{
	uint8_t seed[SIGN_SEED_SIZE + 1] = {0};
	struct sign_key *key = NULL;

	assert_int_equal(sign_key_new(bytes_make(seed, 0), &key, NULL), AZ_INTERNAL);
	assert_int_equal(sign_key_new(bytes_make(seed, 31), &key, NULL), AZ_INTERNAL);
	assert_int_equal(sign_key_new(bytes_make(seed, 33), &key, NULL), AZ_INTERNAL);
	assert_null(key);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(signatures_are_those_of_the_rfc),
	    cmocka_unit_test(a_signature_with_any_bit_flipped_is_forged),
	    cmocka_unit_test(another_message_is_forged),
	    cmocka_unit_test(another_public_key_is_forged),
	    cmocka_unit_test(the_same_signature_in_another_spelling_is_forged),
	    cmocka_unit_test(a_public_key_under_which_everybody_can_sign_is_refused),
	    cmocka_unit_test(seeds_of_another_size_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
