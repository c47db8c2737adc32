/* People who do not exist: the same from the same seed, and names from nothing but a file of names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/demo.h"

#define WHOLE                                                                                               \
	"azukari demo 1\ns\t佐藤\tサトウ\tsato\ns\t斎藤\tサイトウ\tsaito\nm\t蓮\tレン\tren\n" \
	"f\t結衣\tユイ\tyui\nt\t100-0001\t東京都千代田区千代田\nv\t斎齋\n"

static enum az_status
read_names(const void *data, size_t size, struct demo_names *ret_names)
{
	struct buffer text;

	buffer_init(&text, 65536, false);
	assert_int_equal(buffer_append(&text, bytes_make(data, size)), AZ_OK);
	return demo_names_read(&text, ret_names, NULL);
}

static void
a_file_of_names_is_read_whole_or_not_at_all(void **state)
{
	static const char *const bad[] = {
	    "", "\n", "azukari demo 2\n", "azukari demo 1\n", WHOLE "x\tfoo\n", /* no such kind */
	    WHOLE "s\t山田\tヤマダ\n",               /* a value is missing */
	    WHOLE "t\t100-00011\t東京都\n",          /* no postcode */
	    WHOLE "sato\t佐藤\tサトウ\tsato\n",      /* a kind of one letter */
	    WHOLE "s\t山田\tヤマダ\tyamada",         /* no end of a line */
	    WHOLE "\n", WHOLE "s\n", WHOLE "\xff\n", /* nothing, no values, no text */
	};
	struct demo_names names;

	(void)state;
	assert_int_equal(read_names(WHOLE, sizeof(WHOLE) - 1, &names), AZ_OK);
	assert_int_equal(names.surname_count, 2);
	assert_int_equal(names.spelling_count, 1);
	assert_string_equal(names.towns[0].place, "東京都千代田区千代田");
	demo_names_free(&names);
	for (size_t i = 0; i < AZ_ARRAY_SIZE(bad); i++)
		assert_int_equal(read_names(bad[i], strlen(bad[i]), &names), AZ_CORRUPT);
	/* A zero hides nothing behind it. */
	assert_int_equal(read_names(WHOLE "\0x\n", sizeof(WHOLE "\0x\n") - 1, &names), AZ_CORRUPT);
	/* And without one of what people are made of there are none. */
	assert_int_equal(
	    read_names(WHOLE,
		strlen(WHOLE) - strlen("v\t斎齋\n") - strlen("t\t100-0001\t東京都千代田区千代田\n"),
		&names),
	    AZ_CORRUPT);
}

static uint32_t
count(const struct demo_names *names, uint64_t seed, uint32_t client, uint32_t delivery,
    struct demo_person *last)
{
	struct demo_people people;
	uint32_t rows = 0;

	demo_people_start(&people, names, seed, client, 500, 10, delivery);
	while (demo_people_next(&people, last))
		rows++;
	return rows;
}

static void
the_same_seed_makes_the_same_people(void **state)
{
	struct demo_names names;
	struct demo_person one, again, other;

	(void)state;
	assert_int_equal(read_names(WHOLE, sizeof(WHOLE) - 1, &names), AZ_OK);
	memset(&one, 0, sizeof(one));
	memset(&again, 0, sizeof(again));
	memset(&other, 0, sizeof(other));
	assert_int_equal(count(&names, 7, 3, 1, &one), 500);
	assert_int_equal(count(&names, 7, 3, 1, &again), 500);
	for (int i = 0; i < DEMO_COLUMNS; i++)
		assert_string_equal(one.values[i], again.values[i]);
	assert_int_equal(count(&names, 7, 4, 1, &other), 500);
	assert_string_not_equal(one.values[DEMO_PHONE], other.values[DEMO_PHONE]);
	/* Of a later delivery some are missing, and some are new. */
	assert_in_range(count(&names, 7, 3, 2, &other), 480, 509);
	assert_string_equal(other.values[DEMO_NUMBER], "000510");
	demo_names_free(&names);
}

static void
what_happens_to_people_happens_to_the_same_people(void **state)
{
	struct demo_people before, after;
	struct demo_person was, is;
	struct demo_names names;
	uint32_t same = 0;
	uint32_t respelt = 0;
	bool more = true;

	(void)state;
	assert_int_equal(read_names(WHOLE, sizeof(WHOLE) - 1, &names), AZ_OK);
	demo_people_start(&before, &names, 7, 3, 500, 10, 1);
	demo_people_start(&after, &names, 7, 3, 500, 10, 2);
	assert_true(demo_people_next(&after, &is));
	while (demo_people_next(&before, &was) && more) {
		if (strcmp(was.values[DEMO_NUMBER], is.values[DEMO_NUMBER]) != 0)
			continue; /* gone */
		/* Whoever they are, they were born when they were born. */
		assert_string_equal(was.values[DEMO_BIRTH], is.values[DEMO_BIRTH]);
		same += strcmp(was.values[DEMO_ADDRESS], is.values[DEMO_ADDRESS]) == 0;
		respelt += strstr(was.values[DEMO_NAME], "斎") != NULL &&
		    strstr(is.values[DEMO_NAME], "齋") != NULL;
		more = demo_people_next(&after, &is);
	}
	assert_in_range(same, 400, 470);
	assert_in_range(respelt, 1, 30);
	demo_names_free(&names);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_file_of_names_is_read_whole_or_not_at_all),
	    cmocka_unit_test(the_same_seed_makes_the_same_people),
	    cmocka_unit_test(what_happens_to_people_happens_to_the_same_people),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
