/* Signed notes and checkpoints: the published vector, round trips, and each way not to be one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "crypto/hash.h"
#include "ledger/evidence.h"

#define DASH "\xe2\x80\x94"

/* The example of Go's golang.org/x/mod/sumdb/note. */
static const char published_key[] =
    "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
static const char published_note[] =
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n" DASH
    " PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdn"
    "gotpRZb6KE6RyyBwJnAM=\n";

struct signer {
	struct note_key key;
	struct sign_key *sign_key;
};

static struct signer
make_signer(const char *name, enum note_key_type type, uint8_t fill)
{
	struct signer signer = {0};
	uint8_t seed[SIGN_SEED_SIZE];
	uint8_t public_key[SIGN_PUBLIC_SIZE];

	memset(seed, fill, sizeof(seed));
	assert_int_equal(
	    sign_key_new(bytes_make(seed, sizeof(seed)), &signer.sign_key, NULL), AZ_OK);
	sign_key_public(signer.sign_key, public_key);
	assert_int_equal(note_key_make(name, type, public_key, &signer.key, NULL), AZ_OK);
	return signer;
}

/* Whether key signed the note that bytes are; fails the test if they are none. */
static enum az_status
check(struct bytes bytes, const struct note_key *key, int64_t *ret_time)
{
	struct note note;
	struct az_err err = {0};

	assert_int_equal(note_open(bytes, &note, &err), AZ_OK);
	return note_check(&note, key, ret_time, &err);
}

static void
the_published_note_is_signed(void **state)
{
	struct note_key key;
	struct buffer again;
	int64_t time = -1;

	(void)state;
	assert_int_equal(note_key_parse(bytes_of(published_key), &key, NULL), AZ_OK);
	assert_string_equal(key.name, "PeterNeumann");
	assert_int_equal(check(bytes_of(published_note), &key, &time), AZ_OK);
	assert_int_equal(time, 0);
	buffer_init(&again, NOTE_VKEY_MAX, false);
	assert_int_equal(note_key_text(&key, &again), AZ_OK);
	assert_memory_equal(again.data, published_key, again.size);
	buffer_fini(&again);
}

static void
each_changed_byte_of_a_note_is_seen(void **state)
{
	char copy[sizeof(published_note)];
	size_t size = sizeof(published_note) - 1;
	struct note_key key;

	(void)state;
	assert_int_equal(note_key_parse(bytes_of(published_key), &key, NULL), AZ_OK);
	for (size_t at = 0; at < size; at++) {
		for (unsigned int bit = 0; bit < 8; bit++) {
			struct note note;
			int64_t time;

			memcpy(copy, published_note, sizeof(copy));
			copy[at] = (char)(copy[at] ^ (1 << bit));
			if (note_open(bytes_make(copy, size), &note, NULL) != AZ_OK)
				continue;
			if (note_check(&note, &key, &time, NULL) == AZ_OK)
				fail_msg("bit %u of byte %zu", bit, at);
		}
		/* Nor is any shorter one good. */
		if (at > 0) {
			struct note note;
			int64_t time;

			assert_false(
			    note_open(bytes_make(published_note, at), &note, NULL) == AZ_OK &&
			    note_check(&note, &key, &time, NULL) == AZ_OK);
		}
	}
}

static void
what_is_no_note_is_refused(void **state)
{
	static const char *const bad[] = {"", "\n", "\n\n", "text\n", "text\n\n",
	    "text\n\nno signature\n", "text\n\n" DASH " name\n", "text\n\n" DASH " name \n",
	    "text\n\n" DASH "name AAAA\n", "text\n\n" DASH " na+me AAAA\n",
	    "text\n\n" DASH "  AAAA\n", "text\n\n" DASH " name AAAA", "te\txt\n\n" DASH " n AAAA\n",
	    "te\xffxt\n\n" DASH " n AAAA\n", "text\n" DASH " n AAAA\n",
	    "text\n\n" DASH " n\xc2\xa0m AAAA\n", "text\n\n" DASH " n\xe3\x80\x80m AAAA\n"};
	struct note note;

	(void)state;
	for (size_t i = 0; i < AZ_ARRAY_SIZE(bad); i++) {
		if (note_open(bytes_of(bad[i]), &note, NULL) == AZ_OK)
			fail_msg("%zu", i);
	}
}

static void
what_is_no_key_is_refused(void **state)
{
	static const char *const bad[] = {"", "+", "++", "name", "name+c74f20a3", "+c74f20a3+AAAA",
	    /* another name, id, type, a shorter key, other base64 */
	    "PeterNeumanm+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
	    "PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
	    "PeterNeumann+c74f20a3+Ahpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
	    "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10",
	    "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10T",
	    "PeterNeumann+c74f20a+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
	    "Peter Neumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
	    "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW\n\n"};
	struct note_key key;
	uint8_t public_key[SIGN_PUBLIC_SIZE] = {9};
	char name[NOTE_NAME_MAX + 2];

	(void)state;
	for (size_t i = 0; i < AZ_ARRAY_SIZE(bad); i++) {
		if (note_key_parse(bytes_of(bad[i]), &key, NULL) == AZ_OK)
			fail_msg("%zu", i);
	}
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(note_key_make(name, NOTE_KEY_ED25519, public_key, &key, NULL), AZ_INVALID);
	assert_int_equal(note_key_make("", NOTE_KEY_ED25519, public_key, &key, NULL), AZ_INVALID);
	assert_int_equal(note_key_make("n", NOTE_KEY_NONE, public_key, &key, NULL), AZ_INVALID);
}

static void
of_sixteen_and_more_signatures_the_known_ones_count(void **state)
{
	static const char text[] =
	    "example.com/log\n7\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n";
	struct signer ours = make_signer("example.com/log", NOTE_KEY_ED25519, 1);
	struct signer witness = make_signer("witness.example", NOTE_KEY_COSIGNATURE, 2);
	struct signer stranger = make_signer("witness.example", NOTE_KEY_ED25519, 3);
	struct buffer note;
	int64_t time = 0;

	(void)state;
	buffer_init(&note, NOTE_MAX, false);
	assert_int_equal(buffer_append(&note, bytes_of(text)), AZ_OK);
	assert_int_equal(buffer_append(&note, bytes_of("\n")), AZ_OK);
	for (unsigned int i = 0; i < 40; i++)
		assert_int_equal(note_sign(bytes_of("another text\n"), &stranger.key,
				     stranger.sign_key, 0, &note, NULL),
		    AZ_OK);
	assert_int_equal(check(buffer_peek(&note), &ours.key, &time), AZ_NOT_FOUND);
	assert_int_equal(
	    note_sign(bytes_of(text), &ours.key, ours.sign_key, 0, &note, NULL), AZ_OK);
	assert_int_equal(
	    note_sign(bytes_of(text), &witness.key, witness.sign_key, 1679315147, &note, NULL),
	    AZ_OK);
	assert_int_equal(check(buffer_peek(&note), &ours.key, &time), AZ_OK);
	assert_int_equal(time, 0);
	assert_int_equal(check(buffer_peek(&note), &witness.key, &time), AZ_OK);
	assert_int_equal(time, 1679315147);
	/* Of its lines that carry its name, one key's are looked at; all of them must be good. */
	assert_int_equal(check(buffer_peek(&note), &stranger.key, &time), AZ_FORGED);
	assert_int_equal(
	    note_sign(bytes_of("another\n"), &ours.key, ours.sign_key, 0, &note, NULL), AZ_OK);
	assert_int_equal(check(buffer_peek(&note), &ours.key, &time), AZ_FORGED);
	sign_key_free(&ours.sign_key);
	sign_key_free(&witness.sign_key);
	sign_key_free(&stranger.sign_key);
	buffer_fini(&note);
}

static void
a_cosignature_is_no_signature_and_its_time_is_signed(void **state)
{
	static const char text[] =
	    "example.com/log\n0\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n";
	struct signer witness = make_signer("w", NOTE_KEY_COSIGNATURE, 7);
	struct note_key as_log;
	struct buffer note;
	int64_t time;

	(void)state;
	assert_int_equal(
	    note_key_make("w", NOTE_KEY_ED25519, witness.key.public_key, &as_log, NULL), AZ_OK);
	buffer_init(&note, NOTE_MAX, false);
	assert_int_equal(buffer_append(&note, bytes_of(text)), AZ_OK);
	assert_int_equal(buffer_append(&note, bytes_of("\n")), AZ_OK);
	assert_int_equal(
	    note_sign(bytes_of(text), &witness.key, witness.sign_key, 1000, &note, NULL), AZ_OK);
	assert_int_equal(check(buffer_peek(&note), &witness.key, &time), AZ_OK);
	assert_int_equal(check(buffer_peek(&note), &as_log, &time), AZ_NOT_FOUND);
	/* A character of the time, which is behind the id: the 7th to 16th of the base64. */
	note.data[strlen(text) + 1 + strlen(DASH " w ") + 14] ^= 1;
	assert_int_equal(check(buffer_peek(&note), &witness.key, &time), AZ_FORGED);
	sign_key_free(&witness.sign_key);
	buffer_fini(&note);
}

static void
a_checkpoint_says_what_it_was_made_of(void **state)
{
	struct signer log = make_signer("azukari/house/g1/7", NOTE_KEY_ED25519, 5);
	struct signer other = make_signer("azukari/house/g1/8", NOTE_KEY_ED25519, 5);
	struct signer forger = make_signer("azukari/house/g1/7", NOTE_KEY_ED25519, 6);
	struct checkpoint checkpoint;
	uint8_t root[TREE_HASH_SIZE];
	struct buffer note;

	(void)state;
	memset(root, 0xab, sizeof(root));
	buffer_init(&note, NOTE_MAX, false);
	assert_int_equal(
	    checkpoint_make(&log.key, log.sign_key, 123456789, root, &note, NULL), AZ_OK);
	assert_int_equal(
	    checkpoint_open_signed(buffer_peek(&note), &log.key, &checkpoint, NULL), AZ_OK);
	assert_int_equal(checkpoint.size, 123456789);
	assert_memory_equal(checkpoint.root, root, sizeof(root));
	assert_int_equal(
	    checkpoint_open_signed(buffer_peek(&note), &other.key, &checkpoint, NULL), AZ_FORGED);
	assert_int_equal(
	    checkpoint_open_signed(buffer_peek(&note), &forger.key, &checkpoint, NULL), AZ_FORGED);
	sign_key_free(&log.sign_key);
	sign_key_free(&other.sign_key);
	sign_key_free(&forger.sign_key);
	buffer_fini(&note);
}

static void
what_is_no_checkpoint_is_refused(void **state)
{
#define ROOT   "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
#define SIGNED "\n" DASH " n AAAA\n"
	static const char *const bad[] = {"\n1\n" ROOT SIGNED, "o\n\n" ROOT SIGNED,
	    "o\n01\n" ROOT SIGNED, "o\n+1\n" ROOT SIGNED, "o\n1 \n" ROOT SIGNED,
	    "o\n9223372036854775808\n" ROOT SIGNED, "o\n99999999999999999999\n" ROOT SIGNED,
	    "o\n1\nAAAA\n" SIGNED, "o\n1\n" SIGNED, "o\n1\n" ROOT "\next\n" SIGNED, "o\n" SIGNED,
	    "o\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB=\n" SIGNED};
	static const char *const good[] = {"o\n0\n" ROOT SIGNED,
	    "o\n9223372036854775807\n" ROOT SIGNED, "o\n1\n" ROOT "ext 1\next 2\n" SIGNED};
	struct checkpoint checkpoint;

	(void)state;
	for (size_t i = 0; i < AZ_ARRAY_SIZE(bad); i++) {
		if (checkpoint_open(bytes_of(bad[i]), &checkpoint, NULL) == AZ_OK)
			fail_msg("bad %zu", i);
	}
	for (size_t i = 0; i < AZ_ARRAY_SIZE(good); i++) {
		if (checkpoint_open(bytes_of(good[i]), &checkpoint, NULL) != AZ_OK)
			fail_msg("good %zu", i);
	}
}

static void
what_cannot_be_signed_is_not(void **state)
{
	struct signer signer = make_signer("n", NOTE_KEY_COSIGNATURE, 1);
	struct buffer note;

	(void)state;
	buffer_init(&note, NOTE_MAX, false);
	assert_int_equal(
	    note_sign(bytes_of(""), &signer.key, signer.sign_key, 0, &note, NULL), AZ_INVALID);
	assert_int_equal(
	    note_sign(bytes_of("no newline"), &signer.key, signer.sign_key, 0, &note, NULL),
	    AZ_INVALID);
	assert_int_equal(
	    note_sign(bytes_of("t\n"), &signer.key, signer.sign_key, -1, &note, NULL), AZ_INVALID);
	assert_int_equal(note.size, 0);
	sign_key_free(&signer.sign_key);
	buffer_fini(&note);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_published_note_is_signed),
	    cmocka_unit_test(each_changed_byte_of_a_note_is_seen),
	    cmocka_unit_test(what_is_no_note_is_refused),
	    cmocka_unit_test(what_is_no_key_is_refused),
	    cmocka_unit_test(of_sixteen_and_more_signatures_the_known_ones_count),
	    cmocka_unit_test(a_cosignature_is_no_signature_and_its_time_is_signed),
	    cmocka_unit_test(a_checkpoint_says_what_it_was_made_of),
	    cmocka_unit_test(what_is_no_checkpoint_is_refused),
	    cmocka_unit_test(what_cannot_be_signed_is_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
