/* The vocabulary: every code has one name, every name one code, and zero means nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "proto/proto.h"

static void
every_code_parses_back_from_its_name(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < FIELD_BUILTIN; i++) {
		unsigned int field = 99;

		assert_true(field_parse(field_name(i), &field));
		assert_int_equal(field, i);
	}
	for (enum role i = ROLE_NONE + 1; i < ROLE_COUNT; i++) {
		enum role role = ROLE_NONE;

		assert_true(role_parse(role_name(i), &role));
		assert_int_equal(role, i);
	}
	for (enum reason i = REASON_NONE + 1; i < REASON_COUNT; i++) {
		enum reason reason = REASON_NONE;

		assert_true(reason_parse(reason_name(i), &reason));
		assert_int_equal(reason, i);
	}
	for (enum basis i = BASIS_NONE + 1; i < BASIS_COUNT; i++) {
		enum basis basis = BASIS_NONE;

		assert_true(basis_parse(basis_name(i), &basis));
		assert_int_equal(basis, i);
	}
	for (enum attempt i = ATTEMPT_NONE + 1; i < ATTEMPT_COUNT; i++) {
		enum attempt attempt = ATTEMPT_NONE;

		assert_true(attempt_parse(attempt_name(i), &attempt));
		assert_int_equal(attempt, i);
	}
	for (enum channel i = CHANNEL_NONE + 1; i < CHANNEL_COUNT; i++) {
		enum channel channel = CHANNEL_NONE;

		assert_true(channel_parse(channel_name(i), &channel));
		assert_int_equal(channel, i);
	}
	for (enum field_class i = CLASS_NONE + 1; i < CLASS_COUNT; i++) {
		enum field_class class = CLASS_NONE;

		assert_true(class_parse(class_name(i), &class));
		assert_int_equal(class, i);
		assert_int_not_equal(class_mask(i), MASK_HIDDEN);
	}
	for (enum mask i = MASK_FULL; i <= MASK_DOMAIN; i++) {
		enum mask mask = MASK_HIDDEN;

		assert_true(mask_parse(mask_name(i), &mask));
		assert_int_equal(mask, i);
	}
}

static void
zero_and_what_is_unknown_never_parse(void **state)
{
	static const char *const wrong[] = {"none", "hidden", "unknown", "", "Agent", "agent "};
	unsigned int field = 0;
	enum role role = ROLE_NONE;
	enum reason reason = REASON_NONE;
	enum basis basis = BASIS_NONE;
	enum mask mask = MASK_HIDDEN;

	(void)state;
	for (size_t i = 0; i < AZ_ARRAY_SIZE(wrong); i++) {
		assert_false(field_parse(wrong[i], &field));
		assert_false(role_parse(wrong[i], &role));
		assert_false(reason_parse(wrong[i], &reason));
		assert_false(basis_parse(wrong[i], &basis));
		assert_false(mask_parse(wrong[i], &mask));
	}
	assert_null(role_name((enum role)0));
	assert_null(role_name((enum role)77));
	assert_null(mask_name((enum mask)77));
	assert_null(field_name(FIELD_BUILTIN));
	assert_null(field_name(FIELD_X_FIRST));
}

static void
no_two_codes_share_a_name(void **state)
{
	(void)state;
	for (enum verb i = VERB_NONE + 1; i < VERB_COUNT; i++) {
		for (enum verb j = VERB_NONE + 1; j < i && verb_name(i) != NULL; j++) {
			if (verb_name(j) != NULL)
				assert_string_not_equal(verb_name(i), verb_name(j));
		}
	}
	for (enum match_kind i = MATCH_NONE + 1; i < MATCH_KINDS; i++) {
		for (enum match_kind j = MATCH_NONE + 1; j < i; j++)
			assert_string_not_equal(match_kind_name(i), match_kind_name(j));
	}
	for (enum refusal i = REFUSAL_NONE + 1; i < REFUSAL_COUNT; i++) {
		for (enum refusal j = REFUSAL_NONE + 1; j < i; j++)
			assert_true(refusal_text(i) == NULL || refusal_text(j) == NULL ||
			    strcmp(refusal_text(i), refusal_text(j)) != 0);
	}
	assert_non_null(refusal_text(REFUSAL_EMPTY));
	assert_non_null(refusal_text(REFUSAL_COUNT - 1));
}

static void
labels_are_short_and_plain(void **state)
{
	static const char *const good[] = {
	    "c01", "A", "tax-2026_v1.2", "1234567890123456789012345678901"};
	static const char *const wrong[] = {
	    "", "a b", "a/b", "caf\xc3\xa9", "a\n", "12345678901234567890123456789012", "a:b"};

	(void)state;
	for (size_t i = 0; i < AZ_ARRAY_SIZE(good); i++)
		assert_true(label_is_valid(good[i]));
	for (size_t i = 0; i < AZ_ARRAY_SIZE(wrong); i++)
		assert_false(label_is_valid(wrong[i]));
}

static void
names_are_utf8_without_control_characters(void **state)
{
	static const char *const wrong[] = {
	    "", "a\tb", "a\x7f", "\xff", "\xc3", "\xed\xa0\x80", "\xc0\xaf"};
	char long_name[NAME_SIZE + 1];

	(void)state;
	assert_true(name_is_valid("City of Example"));
	assert_true(name_is_valid("\xe9\xa0\x90\xe3\x81\x8b\xe3\x82\x8a"));
	for (size_t i = 0; i < AZ_ARRAY_SIZE(wrong); i++)
		assert_false(name_is_valid(wrong[i]));
	memset(long_name, 'x', NAME_SIZE);
	long_name[NAME_SIZE] = '\0';
	assert_false(name_is_valid(long_name));
	long_name[NAME_SIZE - 1] = '\0';
	assert_true(name_is_valid(long_name));
}

static void
call_references_are_printable_without_spaces(void **state)
{
	(void)state;
	assert_true(call_is_valid("8841"));
	assert_true(call_is_valid("PBX-7/2026:0099"));
	assert_false(call_is_valid(""));
	assert_false(call_is_valid("88 41"));
	assert_false(call_is_valid("8841\n"));
	assert_false(call_is_valid("\xe9"));
}

static void
own_fields_of_a_client_begin_with_x(void **state)
{
	static const char *const wrong[] = {
	    "x:", "x", "y:plan", "x:Plan", "x:a b", "x:123456789012345678901234567890123", "plan"};

	(void)state;
	assert_true(field_is_x_name("x:plan"));
	assert_true(field_is_x_name("x:12345678901234567890123456789012"));
	for (size_t i = 0; i < AZ_ARRAY_SIZE(wrong); i++)
		assert_false(field_is_x_name(wrong[i]));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_code_parses_back_from_its_name),
	    cmocka_unit_test(zero_and_what_is_unknown_never_parse),
	    cmocka_unit_test(no_two_codes_share_a_name),
	    cmocka_unit_test(labels_are_short_and_plain),
	    cmocka_unit_test(names_are_utf8_without_control_characters),
	    cmocka_unit_test(call_references_are_printable_without_spaces),
	    cmocka_unit_test(own_fields_of_a_client_begin_with_x),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
