/* Age files: what was changed, cut, moved or is somebody else's gives nothing for good. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/age.h"
#include "crypto/hash.h"

#define PLAIN_SIZE (2 * AGE_CHUNK + 100u)

static struct secret *identity;
static uint8_t recipient[1][AGE_KEY_SIZE];
static uint8_t plain[PLAIN_SIZE];
static struct buffer sealed;

static void
seal_bytes(const uint8_t (*to)[AGE_KEY_SIZE], size_t size)
{
	struct age_writer *writer = NULL;

	buffer_clear(&sealed);
	assert_int_equal(age_writer_new(to, 1, &sealed, &writer, NULL), AZ_OK);
	assert_int_equal(age_writer_take(writer, bytes_make(plain, size), &sealed, NULL), AZ_OK);
	assert_int_equal(age_writer_end(writer, &sealed, NULL), AZ_OK);
	age_writer_free(&writer);
	assert_null(writer);
}

static int
set_up(void **state)
{
	(void)state;
	buffer_init(&sealed, 4 * PLAIN_SIZE, false);
	random_bytes(plain, sizeof(plain));
	return secret_random(AGE_KEY_SIZE, &identity, NULL) == AZ_OK &&
		age_recipient(identity, recipient[0], NULL) == AZ_OK
	    ? 0
	    : 1;
}

static int
tear_down(void **state)
{
	(void)state;
	buffer_fini(&sealed);
	secret_free(&identity);
	return 0;
}

/* The status of reading bytes; what came out must be a true beginning of what was sealed. */
static enum az_status
read_bytes(const struct secret *with, struct bytes bytes, size_t piece, size_t *ret_size)
{
	struct age_reader *reader = NULL;
	struct buffer out;
	enum az_status status = age_reader_new(with, &reader, NULL);

	buffer_init(&out, 4 * PLAIN_SIZE, true);
	while (bytes.size > 0 && status == AZ_OK) {
		size_t part = bytes.size < piece ? bytes.size : piece;

		status = age_reader_take(reader, bytes_make(bytes.data, part), &out, NULL);
		bytes = bytes_make(bytes.data + part, bytes.size - part);
	}
	if (status == AZ_OK)
		status = age_reader_end(reader, &out, NULL);
	assert_true(out.size <= sizeof(plain));
	assert_true(out.size == 0 ||
	    bytes_equal(bytes_make(out.data, out.size), bytes_make(plain, out.size)));
	*ret_size = out.size;
	buffer_fini(&out);
	age_reader_free(&reader);
	return status;
}

static void
what_was_sealed_opens(void **state)
{
	static const size_t sizes[] = {
	    0, 1, AGE_CHUNK - 1, AGE_CHUNK, AGE_CHUNK + 1, 2 * AGE_CHUNK, PLAIN_SIZE};
	static const size_t pieces[] = {1000, AGE_CHUNK + 16, SIZE_MAX};
	size_t size = 0;

	(void)state;
	for (size_t i = 0; i < AZ_ARRAY_SIZE(sizes); i++) {
		seal_bytes((const uint8_t(*)[AGE_KEY_SIZE])recipient, sizes[i]);
		for (size_t p = 0; p < AZ_ARRAY_SIZE(pieces); p++) {
			assert_int_equal(
			    read_bytes(identity, buffer_peek(&sealed), pieces[p], &size), AZ_OK);
			assert_int_equal(size, sizes[i]);
		}
	}
}

static void
no_changed_bit_is_accepted(void **state)
{
	size_t size = 0;

	(void)state;
	seal_bytes((const uint8_t(*)[AGE_KEY_SIZE])recipient, 60);
	for (size_t at = 0; at < sealed.size; at++) {
		for (unsigned int bit = 0; bit < 8; bit += 3) {
			sealed.data[at] ^= (uint8_t)(1u << bit);
			assert_int_not_equal(
			    read_bytes(identity, buffer_peek(&sealed), SIZE_MAX, &size), AZ_OK);
			assert_int_equal(size, 0);
			sealed.data[at] ^= (uint8_t)(1u << bit);
		}
	}
}

static void
no_cut_and_no_longer_file_is_accepted(void **state)
{
	struct bytes whole;
	size_t size = 0;

	(void)state;
	seal_bytes((const uint8_t(*)[AGE_KEY_SIZE])recipient, AGE_CHUNK + 40);
	whole = buffer_peek(&sealed);
	for (size_t cut = 1; cut < whole.size; cut += cut < 400 ? 1 : 997)
		assert_int_not_equal(
		    read_bytes(identity, bytes_make(whole.data, whole.size - cut), 5000, &size),
		    AZ_OK);
	assert_int_equal(buffer_append(&sealed, bytes_of("x")), AZ_OK);
	assert_int_equal(read_bytes(identity, buffer_peek(&sealed), 5000, &size), AZ_FORGED);
}

static void
chunks_that_change_places_are_refused(void **state)
{
	size_t size = 0;
	uint8_t *first;
	uint8_t *copy = malloc(AGE_CHUNK + 16);

	(void)state;
	assert_non_null(copy);
	seal_bytes((const uint8_t(*)[AGE_KEY_SIZE])recipient, PLAIN_SIZE);
	first = sealed.data + sealed.size - (2 * (AGE_CHUNK + 16) + 100 + 16);
	memcpy(copy, first, AGE_CHUNK + 16);
	memmove(first, first + AGE_CHUNK + 16, AGE_CHUNK + 16);
	memcpy(first + AGE_CHUNK + 16, copy, AGE_CHUNK + 16);
	assert_int_equal(read_bytes(identity, buffer_peek(&sealed), SIZE_MAX, &size), AZ_FORGED);
	assert_int_equal(size, 0);
	free(copy);
}

static void
somebody_elses_file_is_not_opened(void **state)
{
	struct secret *other = NULL;
	size_t size = 0;

	(void)state;
	seal_bytes((const uint8_t(*)[AGE_KEY_SIZE])recipient, 10);
	assert_int_equal(secret_random(AGE_KEY_SIZE, &other, NULL), AZ_OK);
	assert_int_equal(read_bytes(other, buffer_peek(&sealed), SIZE_MAX, &size), AZ_NOT_FOUND);
	assert_int_equal(size, 0);
	secret_free(&other);
}

static void
an_empty_file_and_what_is_no_age_file_are_refused(void **state)
{
	static const char *const wrong[] = {"", "a", "number,name\n1,Ann\n",
	    "age-encryption.org/v1", "age-encryption.org/v2\n", "age-encryption.org/v1\n--- \n",
	    AGE_ARMOUR "\nYWdl\n", "age-encryption.org/v1\n-> X25519 a\n\n--- x\n"};
	size_t size = 0;

	(void)state;
	for (size_t i = 0; i < AZ_ARRAY_SIZE(wrong); i++)
		assert_int_equal(
		    read_bytes(identity, bytes_of(wrong[i]), SIZE_MAX, &size), AZ_INVALID);
}

static void
a_header_without_an_end_is_refused_before_it_fills_memory(void **state)
{
	struct age_reader *reader = NULL;
	struct buffer out;
	char line[] = "-> a b\nAAAA\n";
	enum az_status status;
	size_t taken = 0;

	(void)state;
	buffer_init(&out, AGE_CHUNK, true);
	assert_int_equal(age_reader_new(identity, &reader, NULL), AZ_OK);
	status = age_reader_take(reader, bytes_of(AGE_MAGIC), &out, NULL);
	while (status == AZ_OK && taken < 1u << 20) {
		status = age_reader_take(reader, bytes_of(line), &out, NULL);
		taken += sizeof(line);
	}
	assert_int_equal(status, AZ_INVALID);
	assert_true(taken < 80000);
	age_reader_free(&reader);
	buffer_fini(&out);
}

static void
recipients_are_one_spelling_each(void **state)
{
	char text[AGE_RECIPIENT_SIZE];
	char changed[AGE_RECIPIENT_SIZE];
	uint8_t parsed[AGE_KEY_SIZE];

	(void)state;
	age_recipient_text(recipient[0], text);
	assert_int_equal(strlen(text), AGE_RECIPIENT_SIZE - 1);
	assert_true(age_recipient_parse(text, parsed));
	assert_memory_equal(parsed, recipient[0], AGE_KEY_SIZE);
	for (size_t i = 0; i < AGE_RECIPIENT_SIZE - 1; i++) {
		memcpy(changed, text, sizeof(text));
		changed[i] = changed[i] == 'q' ? 'p' : 'q';
		assert_false(age_recipient_parse(changed, parsed));
		changed[i] = 'B';
		assert_false(age_recipient_parse(changed, parsed));
		changed[i] = '\0';
		assert_false(age_recipient_parse(changed, parsed));
	}
}

static void
nothing_is_sealed_to_nobody_or_to_a_weak_key(void **state)
{
	static const uint8_t weak[1][AGE_KEY_SIZE];
	struct age_writer *writer = NULL;
	struct buffer out;

	(void)state;
	buffer_init(&out, 4096, false);
	assert_int_equal(age_writer_new(weak, 0, &out, &writer, NULL), AZ_INVALID);
	assert_int_equal(age_writer_new(weak, 1, &out, &writer, NULL), AZ_INVALID);
	assert_int_equal(
	    age_writer_new(weak, AGE_RECIPIENTS_MAX + 1, &out, &writer, NULL), AZ_INVALID);
	assert_null(writer);
	assert_int_equal(out.size, 0);
	buffer_fini(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_was_sealed_opens),
	    cmocka_unit_test(no_changed_bit_is_accepted),
	    cmocka_unit_test(no_cut_and_no_longer_file_is_accepted),
	    cmocka_unit_test(chunks_that_change_places_are_refused),
	    cmocka_unit_test(somebody_elses_file_is_not_opened),
	    cmocka_unit_test(an_empty_file_and_what_is_no_age_file_are_refused),
	    cmocka_unit_test(a_header_without_an_end_is_refused_before_it_fills_memory),
	    cmocka_unit_test(recipients_are_one_spelling_each),
	    cmocka_unit_test(nothing_is_sealed_to_nobody_or_to_a_weak_key),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
