/* Sifting: values of the house are found where they were, others are not, and what is malformed is refused. */
#include "cm.h"

#include <stdio.h>

#include "base/wire.h"
#include "crypto/hash.h"
#include "match/match.h"
#include "proto/scan.h"
#include "trace/shelf.h"
#include "trace/sift.h"

static struct trace_keys *
new_keys(void)
{
	uint8_t house[HOUSE_ID_SIZE] = {7};
	struct secret *key = NULL;
	struct trace_keys *keys = NULL;

	assert_int_equal(secret_new(KEY_SIZE, &key, NULL), AZ_OK);
	memset(secret_data(key), 3, KEY_SIZE);
	assert_int_equal(trace_keys_new(key, house, &keys, NULL), AZ_OK);
	secret_free(&key);
	return keys;
}

/* The print that a list has of somebody's telephone. */
static struct trace_print
print_of(const struct trace_keys *keys, const char *phone, uint32_t record, uint32_t version)
{
	struct row what = {0};
	struct match_key key;
	struct trace_print print;

	what.values[FIELD_PHONE] = bytes_of(phone);
	assert_int_equal(match_query(&what, &key, NULL), AZ_OK);
	trace_print_make(keys, MATCH_PHONE, bytes_make(key.key, key.size), record, version, &print);
	return print;
}

struct tokens {
	uint8_t data[65536];
	size_t size;
};

static void
begin(struct tokens *tokens, uint32_t place)
{
	wire_store_u32(tokens->data, place);
	tokens->size = 4;
}

static void
put(struct tokens *tokens, enum sift_kind kind, const char *text)
{
	size_t size = strlen(text);

	tokens->data[tokens->size] = (uint8_t)kind;
	wire_store_u16(tokens->data + tokens->size + 1, (uint16_t)size);
	memcpy(tokens->data + tokens->size + 3, text, size);
	tokens->size += 3 + size;
}

static void
take(struct trace_sift *sift, const struct tokens *tokens)
{
	assert_int_equal(
	    trace_sift_take(sift, bytes_make(tokens->data, tokens->size), NULL), AZ_OK);
}

static int
compare_prints(const void *a, const void *b)
{
	return bytes_compare(bytes_make(a, TRACE_PRINT_SIZE), bytes_make(b, TRACE_PRINT_SIZE));
}

static void
telephone(char *text, size_t room, unsigned int number)
{
	(void)snprintf(
	    text, room, "03-%04u-%04u", 2000 + number * 7 % 7000, (number * 7919 + 13) % 10000);
}

static void
values_of_the_house_are_found_where_they_were(void **state)
{
	enum { COUNT = 500 };
	static struct tokens tokens;
	static struct trace_print prints[2 * COUNT];
	struct trace_keys *keys = new_keys();
	struct trace_sift *sift = NULL;
	const struct trace_sift_found *found;
	size_t count = 0;

	(void)state;
	for (unsigned int i = 0; i < COUNT; i++) {
		char text[32];

		telephone(text, sizeof(text), i);
		prints[i] = print_of(keys, text, i + 1, 1);
	}
	qsort(prints, COUNT, sizeof(prints[0]), compare_prints);
	assert_int_equal(trace_sift_new(keys, COUNT, &sift, NULL), AZ_OK);
	trace_sift_add(sift, prints, COUNT);
	/* Place 1 has the first ten and strangers, place 9 every second one of them, twice. */
	begin(&tokens, 1);
	for (unsigned int i = 0; i < 10; i++) {
		char text[32];

		telephone(text, sizeof(text), i);
		put(&tokens, SIFT_PHONE, text);
		telephone(text, sizeof(text), COUNT + 1 + i);
		put(&tokens, SIFT_PHONE, text);
		put(&tokens, SIFT_EMAIL, "somebody@elsewhere.example");
	}
	take(sift, &tokens);
	for (unsigned int round = 0; round < 2; round++) {
		begin(&tokens, 9);
		for (unsigned int i = 0; i < 10; i += 2) {
			char text[32];

			telephone(text, sizeof(text), i);
			put(&tokens, SIFT_PHONE, text);
		}
		take(sift, &tokens);
	}
	assert_int_equal(trace_sift_taken(sift), 40);
	assert_int_equal(trace_sift_close(sift, NULL), AZ_OK);
	assert_int_equal(trace_sift_match(sift, 5, prints, COUNT, NULL), AZ_OK);
	assert_int_equal(trace_sift_match(sift, 2, prints, COUNT / 2, NULL), AZ_OK);
	assert_int_equal(trace_sift_match(sift, 2, prints + COUNT / 2, COUNT / 2, NULL), AZ_OK);
	assert_int_equal(trace_sift_settle(sift, NULL), AZ_OK);
	assert_int_equal(trace_sift_values(sift), 10);
	assert_int_equal(trace_sift_common(sift), 0);
	found = trace_sift_found(sift, &count);
	assert_int_equal(count, 2 * 10 + 2 * 5);
	for (size_t i = 0; i < count; i++) {
		uint32_t record = i < 20 ? (uint32_t)i / 2 + 1 : (uint32_t)(i - 20) / 2 * 2 + 1;

		assert_int_equal(found[i].place, i < 20 ? 1 : 9);
		assert_int_equal(found[i].record, record);
		assert_int_equal(found[i].version, 1);
		assert_int_equal(found[i].source, i % 2 == 0 ? 2 : 5);
	}
	trace_sift_free(&sift);
	trace_sift_free(&sift);
	trace_keys_free(&keys);
}

static void
what_very_many_have_is_nobodys(void **state)
{
	static struct tokens tokens;
	static struct trace_print prints[TRACE_COMMON + 1];
	struct trace_keys *keys = new_keys();

	(void)state;
	for (uint32_t many = TRACE_COMMON; many <= TRACE_COMMON + 1; many++) {
		struct trace_sift *sift = NULL;
		size_t count = 0;

		for (uint32_t i = 0; i < many; i++)
			prints[i] = print_of(keys, "03-5555-1234", i + 1, 1);
		assert_int_equal(trace_sift_new(keys, many, &sift, NULL), AZ_OK);
		trace_sift_add(sift, prints, many);
		begin(&tokens, 1);
		put(&tokens, SIFT_PHONE, "03-5555-1234");
		take(sift, &tokens);
		assert_int_equal(trace_sift_close(sift, NULL), AZ_OK);
		assert_int_equal(trace_sift_match(sift, 0, prints, many, NULL), AZ_OK);
		assert_int_equal(trace_sift_settle(sift, NULL), AZ_OK);
		assert_int_equal(trace_sift_values(sift), 1);
		assert_int_equal(trace_sift_common(sift), many > TRACE_COMMON);
		(void)trace_sift_found(sift, &count);
		assert_int_equal(count, many > TRACE_COMMON ? 0 : TRACE_COMMON);
		trace_sift_free(&sift);
	}
	trace_keys_free(&keys);
}

static void
the_same_for_ever_fills_no_memory(void **state)
{
	static struct tokens tokens;
	struct trace_keys *keys = new_keys();
	struct trace_sift *sift = NULL;
	struct trace_print print = print_of(keys, "03-5555-1234", 1, 1);
	size_t count = 0;

	(void)state;
	assert_int_equal(trace_sift_new(keys, 1, &sift, NULL), AZ_OK);
	trace_sift_add(sift, &print, 1);
	begin(&tokens, 1);
	for (unsigned int i = 0; i < 4000; i++)
		put(&tokens, SIFT_PHONE, "03-5555-1234");
	/* More than the chunks hold before they are put together. */
	for (unsigned int i = 0; i < 500; i++)
		take(sift, &tokens);
	assert_int_equal(trace_sift_held(sift), 2000000);
	assert_int_equal(trace_sift_close(sift, NULL), AZ_OK);
	assert_int_equal(trace_sift_match(sift, 0, &print, 1, NULL), AZ_OK);
	assert_int_equal(trace_sift_settle(sift, NULL), AZ_OK);
	(void)trace_sift_found(sift, &count);
	assert_int_equal(count, 1);
	trace_sift_free(&sift);
	trace_keys_free(&keys);
}

static void
what_is_malformed_is_refused(void **state)
{
	static const uint8_t bad[][8] = {
	    {1, 0, 0, 0, 1, 0, 0, 0},       /* nothing, of no size */
	    {1, 0, 0, 0, 3, 1, 0, '0'},     /* of no known kind */
	    {1, 0, 0, 0, 1, 2, 0, '0'},     /* beyond the end */
	    {1, 0, 0, 0, 1, 255, 255, '0'}, /* far beyond it */
	    {1, 0, 0, 0, 0, 0, 0, 0},
	};
	struct trace_keys *keys = new_keys();
	struct trace_sift *sift = NULL;

	(void)state;
	assert_int_equal(trace_sift_new(keys, 1, &sift, NULL), AZ_OK);
	for (size_t i = 0; i < AZ_ARRAY_SIZE(bad); i++)
		assert_int_equal(
		    trace_sift_take(sift, bytes_make(bad[i], sizeof(bad[i])), NULL), AZ_INVALID);
	for (size_t size = 0; size < 4; size++)
		assert_int_equal(trace_sift_take(sift, bytes_make(bad[0], size), NULL), AZ_INVALID);
	assert_int_equal(trace_sift_take(sift, bytes_make(bad[0], 4), NULL), AZ_OK);
	assert_int_equal(trace_sift_take(sift, bytes_make(bad[0], 6), NULL), AZ_INVALID);
	trace_sift_free(&sift);
	trace_keys_free(&keys);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(values_of_the_house_are_found_where_they_were),
	    cmocka_unit_test(what_very_many_have_is_nobodys),
	    cmocka_unit_test(the_same_for_ever_fills_no_memory),
	    cmocka_unit_test(what_is_malformed_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
