#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/evp.h>

#include <pthread.h>
#include <string.h>

#include "crypto/hash.h"
#include "crypto/tree.h"
#include "hex.h"

static const uint8_t house[16] = {'U', 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

/* --- SHA-256, FIPS 180-4 ----------------------------------------------------------------------- */

static void
sha256_gives_the_published_digests(void **state)
{
	static const struct {
		const char *text;
		const char *digest;
	} vectors[] = {
	    {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
	    {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
	    {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		"248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
	};
	uint8_t digest[SHA256_SIZE];

	for (size_t i = 0; i < AZ_ARRAY_SIZE(vectors); i++) {
		sha256(bytes_of(vectors[i].text), digest);
		assert_hex(digest, vectors[i].digest);
	}
	sha256(bytes_make(NULL, 0), digest);
	assert_hex(digest, vectors[0].digest);
}

/* Each length around the ends of blocks, where the padding takes one block more. */
static void
short_messages_have_the_digest_of_any_other(void **state)
{
	uint8_t message[SHA256_SHORT_ROOM];
	uint8_t digest[SHA256_SIZE], expected[SHA256_SIZE];

	(void)state;
	for (size_t size = 0; size <= SHA256_SHORT_MAX; size++) {
		/* What lies behind the message must not matter. */
		memset(message, 0xa5, sizeof(message));
		for (size_t i = 0; i < size; i++)
			message[i] = (uint8_t)(i * 7 + size);
		sha256(bytes_make(message, size), expected);
		sha256_short(message, size, digest);
		assert_memory_equal(digest, expected, sizeof(digest));
	}
	memcpy(message, "abc", 3);
	sha256_short(message, 3, digest);
	assert_hex(digest, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void
a_full_subtree_is_what_its_leaves_appended_give(void **state)
{
	uint8_t leaves[256][TREE_HASH_SIZE];
	struct tree tree = {0};

	(void)state;
	for (size_t i = 0; i < AZ_ARRAY_SIZE(leaves); i++) {
		unsigned int bits = 0;
		uint8_t root[TREE_HASH_SIZE], full[TREE_HASH_SIZE];

		tree_leaf(bytes_make(&i, sizeof(i)), leaves[i]);
		tree_append(&tree, leaves[i]);
		if ((tree.size & (tree.size - 1)) != 0)
			continue;
		while ((uint64_t)1 << bits < tree.size)
			bits++;
		tree_root(&tree, root);
		tree_full((const uint8_t(*)[TREE_HASH_SIZE])leaves, bits, full);
		assert_memory_equal(root, full, sizeof(root));
	}
}

/* An entry that is too long to be hashed in one go, too. */
static void
a_leaf_is_the_hash_of_a_zero_and_the_entry(void **state)
{
	uint8_t data[700] = {0};
	uint8_t leaf[TREE_HASH_SIZE], expected[TREE_HASH_SIZE];

	(void)state;
	for (size_t i = 1; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 13);
	for (size_t size = 0; size < sizeof(data) - 1; size++) {
		size_t cut = size / 3;

		sha256(bytes_make(data, size + 1), expected);
		tree_leaf(bytes_make(data + 1, size), leaf);
		assert_memory_equal(leaf, expected, sizeof(leaf));
		tree_leaf_of(
		    bytes_make(data + 1, cut), bytes_make(data + 1 + cut, size - cut), leaf);
		assert_memory_equal(leaf, expected, sizeof(leaf));
	}
}

static void
a_million_letters_in_odd_pieces_give_the_published_digest(void **state)
{
	uint8_t letters[173];
	uint8_t digest[SHA256_SIZE];
	struct sha256 hash;
	size_t left = 1000000;

	memset(letters, 'a', sizeof(letters));
	sha256_init(&hash);
	while (left > 0) {
		size_t part = left < sizeof(letters) ? left : sizeof(letters);

		sha256_update(&hash, letters, part);
		left -= part;
	}
	sha256_final(&hash, digest);
	assert_hex(digest, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

/* --- HMAC-SHA256, RFC 4231 --------------------------------------------------------------------- */

struct mac_vector {
	const char *key;
	const char *data;
	const char *mac;
};

static const struct mac_vector mac_vectors[] = {
    {"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "4869205468657265",
	"b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
    {"4a656665", "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
	"5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
    {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	"dddddddddddddddddddddddddddddddddddddddddddddddddddd"
	"dddddddddddddddddddddddddddddddddddddddddddddddd",
	"773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
    {"0102030405060708090a0b0c0d0e0f10111213141516171819",
	"cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd"
	"cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd",
	"82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"},
};

static void
macs_are_those_of_the_rfc(void **state)
{
	uint8_t key[HEX_MAX], data[HEX_MAX], digest[SHA256_SIZE];

	for (size_t i = 0; i < AZ_ARRAY_SIZE(mac_vectors); i++) {
		struct bytes text = from_hex(mac_vectors[i].data, data);
		struct mac *mac = NULL;

		assert_int_equal(mac_new(from_hex(mac_vectors[i].key, key), &mac, NULL), AZ_OK);
		/* Twice: a computation must leave nothing behind. */
		for (int again = 0; again < 2; again++) {
			mac_compute(mac, &text, 1, digest);
			assert_hex(digest, mac_vectors[i].mac);
		}
		mac_free(&mac);
		assert_null(mac);
	}
}

static void
macs_under_keys_longer_than_a_block_are_those_of_the_rfc(void **state)
{
	uint8_t key[131];
	uint8_t digest[SHA256_SIZE];
	struct bytes text = bytes_of("Test Using Larger Than Block-Size Key - Hash Key First");
	struct mac *mac = NULL;

	memset(key, 0xaa, sizeof(key));
	assert_int_equal(mac_new(bytes_make(key, sizeof(key)), &mac, NULL), AZ_OK);
	mac_compute(mac, &text, 1, digest);
	assert_hex(digest, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
	text = bytes_of("This is a test using a larger than block-size key and a larger t"
			"han block-size data. The key needs to be hashed before being use"
			"d by the HMAC algorithm.");
	mac_compute(mac, &text, 1, digest);
	assert_hex(digest, "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2");
	mac_free(&mac);
}

static void
a_mac_is_over_the_parts_joined(void **state)
{
	struct bytes whole = bytes_of("one two three");
	struct bytes parts[] = {
	    bytes_of("one"), bytes_make(NULL, 0), bytes_of(" two"), bytes_of(" three")};
	uint8_t first[SHA256_SIZE], second[SHA256_SIZE];
	struct mac *mac = NULL;

	assert_int_equal(mac_new(bytes_of("key"), &mac, NULL), AZ_OK);
	mac_compute(mac, &whole, 1, first);
	mac_compute(mac, parts, AZ_ARRAY_SIZE(parts), second);
	assert_memory_equal(first, second, sizeof(first));
	mac_compute(mac, parts, AZ_ARRAY_SIZE(parts) - 1, second);
	assert_memory_not_equal(first, second, sizeof(first));
	mac_free(&mac);
}

static void
another_key_gives_another_mac_and_a_copy_the_same(void **state)
{
	struct bytes text = bytes_of("text");
	uint8_t first[SHA256_SIZE], second[SHA256_SIZE];
	struct mac *mac = NULL, *other = NULL, *copy = NULL;

	assert_int_equal(mac_new(bytes_of("key"), &mac, NULL), AZ_OK);
	assert_int_equal(mac_new(bytes_of("kez"), &other, NULL), AZ_OK);
	assert_int_equal(mac_copy(mac, &copy, NULL), AZ_OK);
	mac_compute(mac, &text, 1, first);
	mac_compute(other, &text, 1, second);
	assert_memory_not_equal(first, second, sizeof(first));
	mac_free(&mac);
	mac_compute(copy, &text, 1, second);
	assert_memory_equal(first, second, sizeof(first));
	mac_free(&other);
	mac_free(&copy);
	mac_free(&copy);
}

static void *
compute_many(void *arg)
{
	const struct mac *mac = arg;
	uint8_t first[SHA256_SIZE], again[SHA256_SIZE];
	struct bytes text = bytes_of("the same text for everybody");
	uintptr_t wrong = 0;

	mac_compute(mac, &text, 1, first);
	for (int i = 0; i < 20000; i++) {
		mac_compute(mac, &text, 1, again);
		if (!bytes_equal(
			bytes_make(first, sizeof(first)), bytes_make(again, sizeof(again))))
			wrong++;
	}
	return (void *)wrong;
}

static void
one_mac_serves_many_threads(void **state)
{
	pthread_t threads[4];
	struct mac *mac = NULL;
	void *wrong = NULL;

	assert_int_equal(mac_new(bytes_of("key"), &mac, NULL), AZ_OK);
	for (size_t i = 0; i < AZ_ARRAY_SIZE(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, compute_many, mac), 0);
	for (size_t i = 0; i < AZ_ARRAY_SIZE(threads); i++) {
		assert_int_equal(pthread_join(threads[i], &wrong), 0);
		assert_null(wrong);
	}
	mac_free(&mac);
}

/* --- HKDF, RFC 5869, and what is built on it ----------------------------------------------------- */

static void
hkdf_gives_the_keys_of_the_rfc(void **state)
{
	static const struct {
		const char *key, *salt, *info, *okm;
	} vectors[] = {
	    {"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "000102030405060708090a0b0c",
		"f0f1f2f3f4f5f6f7f8f9",
		"3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b8871858"
		"65"},
	    {"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292"
	     "a2b"
	     "2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f",
		"606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788"
		"898a8b"
		"8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeaf",
		"b0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8"
		"d9dadb"
		"dcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff",
		"b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271"
		"cb41c6"
		"5e590e09da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87"},
	    {"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "", "",
		"8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96"
		"c8"},
	};
	uint8_t key[HEX_MAX], salt[HEX_MAX], info[HEX_MAX], okm[HEX_MAX];

	for (size_t i = 0; i < AZ_ARRAY_SIZE(vectors); i++) {
		size_t size = strlen(vectors[i].okm) / 2;

		assert_int_equal(
		    hkdf_sha256(from_hex(vectors[i].key, key), from_hex(vectors[i].salt, salt),
			from_hex(vectors[i].info, info), okm, size),
		    AZ_OK);
		assert_hex(okm, vectors[i].okm);
	}
}

static void
hkdf_refuses_more_than_255_blocks_and_writes_nothing(void **state)
{
	static uint8_t data[255 * SHA256_SIZE + 1];
	static const uint8_t zeros[sizeof(data)];
	struct bytes key = bytes_of("key");

	assert_int_equal(hkdf_sha256(key, key, key, data, sizeof(data)), AZ_LIMIT);
	assert_memory_equal(data, zeros, sizeof(data));
	assert_int_equal(hkdf_sha256(key, key, key, data, sizeof(data) - 1), AZ_OK);
	assert_int_equal(data[sizeof(data) - 1], 0);
}

static struct secret *
counting_secret(void)
{
	struct secret *key = NULL;

	assert_int_equal(secret_new(KEY_SIZE, &key, NULL), AZ_OK);
	for (size_t i = 0; i < KEY_SIZE; i++)
		secret_data(key)[i] = (uint8_t)i;
	return key;
}

static void
derived_keys_never_change(void **state)
{
	/* Computed apart from this code. A change of these is a change of every stored format. */
	struct secret *key = counting_secret();
	struct secret *derived = NULL;

	assert_int_equal(kdf_derive(key, house, "ring", 0, &derived, NULL), AZ_OK);
	assert_hex(secret_peek(derived).data,
	    "3274d9639c84ac6762584e773185c44bbdf57d183cf53cebd75480418cba3558");
	secret_free(&derived);
	assert_int_equal(kdf_derive(key, house, "log-sign", UINT64_MAX, &derived, NULL), AZ_OK);
	assert_hex(secret_peek(derived).data,
	    "5a71f088f0c03df86af41d6dcd3424db8914428c2969b1261bde3d58e7b08add");
	secret_free(&derived);
	secret_free(&key);
}

static void
key_house_label_and_number_each_change_the_derived_key(void **state)
{
	struct secret *key = counting_secret();
	struct secret *derived[5] = {NULL};
	uint8_t other_house[16];

	memcpy(other_house, house, sizeof(other_house));
	other_house[0] = 'S';
	assert_int_equal(kdf_derive(key, house, "row", 1, &derived[0], NULL), AZ_OK);
	assert_int_equal(kdf_derive(key, other_house, "row", 1, &derived[1], NULL), AZ_OK);
	assert_int_equal(kdf_derive(key, house, "roz", 1, &derived[2], NULL), AZ_OK);
	assert_int_equal(kdf_derive(key, house, "row", 11, &derived[3], NULL), AZ_OK);
	secret_data(key)[31] ^= 1;
	assert_int_equal(kdf_derive(key, house, "row", 1, &derived[4], NULL), AZ_OK);
	for (size_t i = 0; i < AZ_ARRAY_SIZE(derived); i++) {
		for (size_t j = 0; j < i; j++)
			assert_false(bytes_equal(secret_peek(derived[i]), secret_peek(derived[j])));
	}
	for (size_t i = 0; i < AZ_ARRAY_SIZE(derived); i++)
		secret_free(&derived[i]);
	secret_free(&key);
}

static void
a_label_that_would_be_cut_short_is_refused(void **state)
{
	char label[97];
	struct secret *key = counting_secret();
	struct secret *derived = NULL;

	memset(label, 'x', sizeof(label) - 1);
	label[sizeof(label) - 1] = '\0';
	assert_int_equal(kdf_derive(key, house, label, 0, &derived, NULL), AZ_INTERNAL);
	assert_null(derived);
	secret_free(&key);
}

static void
random_bytes_fill_every_byte_and_do_not_repeat(void **state)
{
	uint8_t seen[1000] = {0};
	uint8_t data[sizeof(seen) + 2];
	struct secret *a = NULL, *b = NULL;

	for (int round = 0; round < 8; round++) {
		memset(data, 0, sizeof(data));
		random_bytes(data + 1, sizeof(seen));
		assert_int_equal(data[0], 0);
		assert_int_equal(data[sizeof(data) - 1], 0);
		for (size_t i = 0; i < sizeof(seen); i++)
			seen[i] |= data[i + 1];
	}
	for (size_t i = 0; i < sizeof(seen); i++)
		assert_int_not_equal(seen[i], 0);
	assert_int_equal(secret_random(32, &a, NULL), AZ_OK);
	assert_int_equal(secret_random(32, &b, NULL), AZ_OK);
	assert_false(bytes_equal(secret_peek(a), secret_peek(b)));
	secret_free(&a);
	secret_free(&b);
}

/* --- pseudonyms -------------------------------------------------------------------------------- */

static struct pseudonyms *
counting_pseudonyms(void)
{
	struct secret *key = counting_secret();
	struct pseudonyms *pseudonyms = NULL;

	assert_int_equal(pseudonyms_new(secret_peek(key), &pseudonyms, NULL), AZ_OK);
	secret_free(&key);
	return pseudonyms;
}

static void
pseudonyms_never_change(void **state)
{
	/* From openssl enc -aes-256-ecb over the documented block. */
	struct pseudonyms *pseudonyms = counting_pseudonyms();
	uint8_t pseudonym[PSEUDONYM_SIZE];

	pseudonym_make(pseudonyms, PSEUDONYM_STAFF, 0x01020304, pseudonym);
	assert_hex(pseudonym, "922142c27b1da881c3a236e5f7a5ebf5");
	pseudonym_make(pseudonyms, PSEUDONYM_RECORD, 0, pseudonym);
	assert_hex(pseudonym, "4ef4b88bebd54953c37ffaf66efaca7b");
	pseudonyms_free(&pseudonyms);
	assert_null(pseudonyms);
}

static void
a_pseudonym_opens_to_the_id_it_was_made_of(void **state)
{
	static const uint32_t ids[] = {0, 1, 255, 65536, UINT32_MAX};
	struct pseudonyms *pseudonyms = counting_pseudonyms();
	uint8_t pseudonym[PSEUDONYM_SIZE];

	for (size_t i = 0; i < AZ_ARRAY_SIZE(ids); i++) {
		uint32_t id = 7;

		pseudonym_make(pseudonyms, PSEUDONYM_RECORD, ids[i], pseudonym);
		assert_int_equal(
		    pseudonym_open(pseudonyms, PSEUDONYM_RECORD, pseudonym, &id), AZ_OK);
		assert_int_equal(id, ids[i]);
	}
	pseudonyms_free(&pseudonyms);
}

static void
a_pseudonym_of_the_other_kind_is_refused(void **state)
{
	struct pseudonyms *pseudonyms = counting_pseudonyms();
	uint8_t pseudonym[PSEUDONYM_SIZE];
	uint32_t id = 7;

	pseudonym_make(pseudonyms, PSEUDONYM_STAFF, 5, pseudonym);
	assert_int_equal(pseudonym_open(pseudonyms, PSEUDONYM_RECORD, pseudonym, &id), AZ_FORGED);
	assert_int_equal(id, 7);
	pseudonyms_free(&pseudonyms);
}

static void
a_pseudonym_with_any_bit_flipped_is_refused(void **state)
{
	struct pseudonyms *pseudonyms = counting_pseudonyms();
	uint8_t pseudonym[PSEUDONYM_SIZE];
	uint32_t id = 7;

	pseudonym_make(pseudonyms, PSEUDONYM_STAFF, 5, pseudonym);
	for (size_t bit = 0; bit < 8 * sizeof(pseudonym); bit++) {
		pseudonym[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_equal(
		    pseudonym_open(pseudonyms, PSEUDONYM_STAFF, pseudonym, &id), AZ_FORGED);
		pseudonym[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	assert_int_equal(id, 7);
	pseudonyms_free(&pseudonyms);
}

static void
a_block_with_any_byte_but_the_id_out_of_place_is_refused(void **state)
{
	struct pseudonyms *pseudonyms = counting_pseudonyms();
	struct secret *key = counting_secret();
	EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	uint32_t id = 7;

	assert_int_equal(
	    EVP_EncryptInit_ex(context, EVP_aes_256_ecb(), NULL, secret_peek(key).data, NULL), 1);
	for (size_t i = 0; i <= 12; i++) {
		uint8_t block[16] = {PSEUDONYM_STAFF};
		uint8_t pseudonym[16];
		int size = 0;

		block[i] ^= 0x10;
		assert_int_equal(
		    EVP_EncryptUpdate(context, pseudonym, &size, block, sizeof(block)), 1);
		assert_int_equal(pseudonym_open(pseudonyms, PSEUDONYM_STAFF, pseudonym, &id),
		    i < 12 ? AZ_FORGED : AZ_OK);
		assert_int_equal(id, i < 12 ? 7 : 0x10);
	}
	EVP_CIPHER_CTX_free(context);
	secret_free(&key);
	pseudonyms_free(&pseudonyms);
}

static void
a_pseudonym_of_another_log_is_refused(void **state)
{
	struct pseudonyms *ours = counting_pseudonyms();
	struct pseudonyms *theirs = NULL;
	uint8_t key[KEY_SIZE] = {9};
	uint8_t pseudonym[PSEUDONYM_SIZE];
	uint32_t id = 7;

	assert_int_equal(pseudonyms_new(bytes_make(key, sizeof(key)), &theirs, NULL), AZ_OK);
	pseudonym_make(theirs, PSEUDONYM_STAFF, 5, pseudonym);
	assert_int_equal(pseudonym_open(ours, PSEUDONYM_STAFF, pseudonym, &id), AZ_FORGED);
	pseudonyms_free(&ours);
	pseudonyms_free(&theirs);
}

static void
a_pseudonym_key_of_another_size_is_refused(void **state)
{
	uint8_t key[KEY_SIZE + 1] = {0};
	struct pseudonyms *pseudonyms = NULL;

	assert_int_equal(pseudonyms_new(bytes_make(key, 16), &pseudonyms, NULL), AZ_INTERNAL);
	assert_int_equal(
	    pseudonyms_new(bytes_make(key, sizeof(key)), &pseudonyms, NULL), AZ_INTERNAL);
	assert_null(pseudonyms);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(sha256_gives_the_published_digests),
	    cmocka_unit_test(short_messages_have_the_digest_of_any_other),
	    cmocka_unit_test(a_full_subtree_is_what_its_leaves_appended_give),
	    cmocka_unit_test(a_leaf_is_the_hash_of_a_zero_and_the_entry),
	    cmocka_unit_test(a_million_letters_in_odd_pieces_give_the_published_digest),
	    cmocka_unit_test(macs_are_those_of_the_rfc),
	    cmocka_unit_test(macs_under_keys_longer_than_a_block_are_those_of_the_rfc),
	    cmocka_unit_test(a_mac_is_over_the_parts_joined),
	    cmocka_unit_test(another_key_gives_another_mac_and_a_copy_the_same),
	    cmocka_unit_test(one_mac_serves_many_threads),
	    cmocka_unit_test(hkdf_gives_the_keys_of_the_rfc),
	    cmocka_unit_test(hkdf_refuses_more_than_255_blocks_and_writes_nothing),
	    cmocka_unit_test(derived_keys_never_change),
	    cmocka_unit_test(key_house_label_and_number_each_change_the_derived_key),
	    cmocka_unit_test(a_label_that_would_be_cut_short_is_refused),
	    cmocka_unit_test(random_bytes_fill_every_byte_and_do_not_repeat),
	    cmocka_unit_test(pseudonyms_never_change),
	    cmocka_unit_test(a_pseudonym_opens_to_the_id_it_was_made_of),
	    cmocka_unit_test(a_pseudonym_of_the_other_kind_is_refused),
	    cmocka_unit_test(a_pseudonym_with_any_bit_flipped_is_refused),
	    cmocka_unit_test(a_block_with_any_byte_but_the_id_out_of_place_is_refused),
	    cmocka_unit_test(a_pseudonym_of_another_log_is_refused),
	    cmocka_unit_test(a_pseudonym_key_of_another_size_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
