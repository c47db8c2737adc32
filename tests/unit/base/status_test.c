#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/status.h"

static const enum az_status all[] = {
    AZ_INTERNAL,
    AZ_OK,
    AZ_DENIED,
    AZ_NOT_FOUND,
    AZ_INVALID,
    AZ_CONFLICT,
    AZ_LIMIT,
    AZ_BUSY,
    AZ_SEVERAL,
    AZ_IO,
    AZ_CORRUPT,
    AZ_FORGED,
    AZ_NO_MEMORY,
    AZ_GONE,
};

static void
zero_is_not_success(void **state)
{
	struct az_err err;

	memset(&err, 0, sizeof(err));
	assert_int_not_equal(err.status, AZ_OK);
	assert_int_equal(err.status, AZ_INTERNAL);
}

static void
every_status_has_a_name_of_its_own(void **state)
{
	for (size_t i = 0; i < AZ_ARRAY_SIZE(all); i++)
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(az_status_name(all[i]), az_status_name(all[j]));
	assert_string_equal(az_status_name((enum az_status)99), "unknown status");
}

static void
only_ok_exits_with_zero(void **state)
{
	for (size_t i = 0; i < AZ_ARRAY_SIZE(all); i++)
		assert_int_equal(az_exit_code(all[i]) == 0, all[i] == AZ_OK);
	assert_int_equal(az_exit_code((enum az_status)99), 1);
}

static void
exit_codes_follow_the_command_contract(void **state)
{
	assert_int_equal(az_exit_code(AZ_NOT_FOUND), 1);
	assert_int_equal(az_exit_code(AZ_CORRUPT), 1);
	assert_int_equal(az_exit_code(AZ_DENIED), 3);
	assert_int_equal(az_exit_code(AZ_FORGED), 4);
	assert_int_equal(az_exit_code(AZ_LIMIT), 5);
	assert_int_equal(az_exit_code(AZ_BUSY), 5);
	assert_int_equal(az_exit_code(AZ_SEVERAL), 5);
	assert_int_equal(az_exit_code(AZ_GONE), 5);
}

static void
failing_writes_status_and_text(void **state)
{
	struct az_err err = {0};

	assert_int_equal(az_fail(&err, AZ_INVALID, "row %d", 7), AZ_INVALID);
	assert_int_equal(err.status, AZ_INVALID);
	assert_string_equal(err.text, "row 7");
}

static void
failing_without_a_place_for_detail_still_fails(void **state)
{
	assert_int_equal(az_fail(NULL, AZ_LIMIT, "x"), AZ_LIMIT);
	assert_int_equal(az_fail_errno(NULL, AZ_IO, ENOSPC, "x"), AZ_IO);
}

static void
the_system_s_reason_is_appended(void **state)
{
	struct az_err err = {0};

	assert_int_equal(az_fail_errno(&err, AZ_IO, ENOSPC, "write %s", "log"), AZ_IO);
	assert_string_equal(err.text, "write log: No space left on device");
	(void)az_fail_errno(&err, AZ_IO, 4711, "write");
	assert_string_equal(err.text, "write: unknown error");
}

static void
a_long_text_is_cut_and_terminated(void **state)
{
	struct az_err err;
	char text[2 * AZ_ERR_TEXT_SIZE];

	memset(&err, 'z', sizeof(err));
	memset(text, 'a', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	(void)az_fail(&err, AZ_INVALID, "%s", text);
	assert_int_equal(strlen(err.text), AZ_ERR_TEXT_SIZE - 1);
	(void)az_fail_errno(&err, AZ_IO, ENOSPC, "%s", text);
	assert_int_equal(strlen(err.text), AZ_ERR_TEXT_SIZE - 1);
}

/* Cuts pad bytes and then a repeated character, so that the cut falls at each place inside it. */
static void
check_cut(const char *character)
{
	size_t width = strlen(character);

	for (size_t pad = 0; pad < 4; pad++) {
		struct az_err err = {0};
		char text[2 * AZ_ERR_TEXT_SIZE] = "";
		memset(text, 'a', pad);
		for (size_t at = pad; at + width < sizeof(text); at += width)
			memcpy(text + at, character, width);
		(void)az_fail(&err, AZ_INVALID, "%s", text);
		size_t size = strlen(err.text);
		assert_int_equal((size - pad) % width, 0);
		assert_true(size > AZ_ERR_TEXT_SIZE - 1 - width);
		assert_memory_equal(err.text, text, size);
	}
}

static void
a_cut_never_splits_a_character(void **state)
{
	check_cut("é");
	check_cut("預");
	check_cut("𠮷");
}

static void
a_text_that_fits_is_not_trimmed(void **state)
{
	struct az_err err = {0};

	(void)az_fail(&err, AZ_INVALID, "預かり");
	assert_string_equal(err.text, "預かり");
	(void)az_fail(&err, AZ_INVALID, "𠮷");
	assert_string_equal(err.text, "𠮷");
	(void)az_fail(&err, AZ_INVALID, "%s", "");
	assert_string_equal(err.text, "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(zero_is_not_success),
	    cmocka_unit_test(every_status_has_a_name_of_its_own),
	    cmocka_unit_test(only_ok_exits_with_zero),
	    cmocka_unit_test(exit_codes_follow_the_command_contract),
	    cmocka_unit_test(failing_writes_status_and_text),
	    cmocka_unit_test(failing_without_a_place_for_detail_still_fails),
	    cmocka_unit_test(the_system_s_reason_is_appended),
	    cmocka_unit_test(a_long_text_is_cut_and_terminated),
	    cmocka_unit_test(a_cut_never_splits_a_character),
	    cmocka_unit_test(a_text_that_fits_is_not_trimmed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
