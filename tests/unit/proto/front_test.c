/* The requests of a front: what has the wrong form is no request. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/front.h"

static enum az_status
encode_number(const char *number, size_t size)
{
	union front_request request = {.restriction = {.person = {.client = "c01",
							   .purpose = "p",
							   .reason = 1,
							   .number = bytes_make(number, size)},
					   .mode = RESTRICT_LIFT,
					   .field_count = 1,
					   .fields = {"address"}}};
	struct buffer buffer;
	enum az_status status;

	buffer_init(&buffer, FRONT_FRAME_MAX, false);
	status = front_encode(FRONT_RESTRICT, 1, &request, &buffer);
	buffer_fini(&buffer);
	return status;
}

static void
numbers_have_no_control_characters(void **state)
{
	(void)state;
	assert_int_equal(encode_number("1234", 4), AZ_OK);
	assert_int_equal(encode_number("A 12-34", 7), AZ_OK);
	assert_int_equal(encode_number("12\0"
				       "34",
			     5),
	    AZ_INVALID);
	assert_int_equal(encode_number("12\n34", 5), AZ_INVALID);
	assert_int_equal(encode_number("12\x1b[D34", 7), AZ_INVALID);
	assert_int_equal(encode_number("1234\x7f", 5), AZ_INVALID);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(numbers_have_no_control_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
