/*
 * Who is signed in: names only, fit to print, each once, whatever the files say.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <utmpx.h>

#include <cmocka.h>

#include "../base/folder.h"
#include "base/file.h"
#include "guard/users.h"

static void
take_utmp(short type, const char *name, size_t size, struct users *users)
{
	struct utmpx record = {.ut_type = type};

	memcpy(record.ut_user, name, size);
	users_take_utmp(bytes_make(&record, sizeof(record)), users);
}

static void
users_of_utmp_are_those_of_sessions(void **state)
{
	struct users users = {0};

	(void)state;
	take_utmp(USER_PROCESS, "ito", 3, &users);
	take_utmp(DEAD_PROCESS, "mori", 4, &users);
	take_utmp(LOGIN_PROCESS, "LOGIN", 5, &users);
	take_utmp(USER_PROCESS, "ito", 3, &users);
	assert_int_equal(users.count, 1);
	assert_string_equal(users.names[0], "ito");
}

static void
names_are_made_fit_to_print(void **state)
{
	struct users users = {0};

	(void)state;
	take_utmp(USER_PROCESS, "a\x1b[31m,b", 8, &users);
	take_utmp(USER_PROCESS, "01234567890123456789012345678901", 32, &users);
	assert_string_equal(users.names[0], "a?[31m?b");
	assert_string_equal(users.names[1], "01234567890123456789012345678901");
}

static void
a_record_that_is_cut_short_is_passed_over(void **state)
{
	struct utmpx record = {.ut_type = USER_PROCESS, .ut_user = "ito"};
	struct users users = {0};

	(void)state;
	users_take_utmp(bytes_make(&record, sizeof(record) - 1), &users);
	users_take_utmp(bytes_make(NULL, 0), &users);
	assert_int_equal(users.count, 0);
}

static void
users_of_logind_are_the_active_ones(void **state)
{
	struct users users = {0};

	(void)state;
	users_take_logind(bytes_of("# private\nNAME=ito\nSTATE=active\n"), &users);
	users_take_logind(bytes_of("NAME=mori\nSTATE=closing\n"), &users);
	users_take_logind(bytes_of("NAME=sato\n"), &users);
	users_take_logind(bytes_of("XNAME=kato\nSTATE=active\n"), &users);
	users_take_logind(bytes_of("NAME=\nSTATE=active"), &users);
	users_take_logind(bytes_of("STATE=online\nNAME=aoki"), &users);
	assert_int_equal(users.count, 2);
	assert_string_equal(users.names[0], "ito");
	assert_string_equal(users.names[1], "aoki");
}

static void
there_is_an_end_to_them(void **state)
{
	struct users users = {0};
	char file[64];

	(void)state;
	for (unsigned int i = 0; i < 100; i++) {
		(void)snprintf(file, sizeof(file), "NAME=user%u\nSTATE=active\n", i);
		users_take_logind(bytes_of(file), &users);
	}
	assert_int_equal(users.count, USERS_MAX);
}

static void
they_are_read_from_run(void **state)
{
	struct folder folder;
	struct utmpx record = {.ut_type = USER_PROCESS, .ut_user = "mori"};
	char text[32];
	char narrow[6];

	(void)state;
	assert_int_equal(folder_make(&folder), 0);
	users_signed_in(folder.fd, text, sizeof(text));
	assert_string_equal(text, "");
	users_signed_in(-1, text, sizeof(text));
	assert_string_equal(text, "");
	assert_int_equal(mkdirat(folder.fd, "systemd", 0700), 0);
	assert_int_equal(mkdirat(folder.fd, "systemd/users", 0700), 0);
	assert_int_equal(file_replace(folder.fd, "systemd/users/1000",
			     bytes_of("NAME=ito\nSTATE=active\n"), 0600, NULL),
	    AZ_OK);
	assert_int_equal(
	    file_replace(folder.fd, "utmp", bytes_make(&record, sizeof(record)), 0600, NULL),
	    AZ_OK);
	users_signed_in(folder.fd, text, sizeof(text));
	assert_string_equal(text, "ito,mori");
	/* Cut between names, not inside one. */
	users_signed_in(folder.fd, narrow, sizeof(narrow));
	assert_string_equal(narrow, "ito");
	assert_int_equal(folder_remove(&folder), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(users_of_utmp_are_those_of_sessions),
	    cmocka_unit_test(names_are_made_fit_to_print),
	    cmocka_unit_test(a_record_that_is_cut_short_is_passed_over),
	    cmocka_unit_test(users_of_logind_are_the_active_ones),
	    cmocka_unit_test(there_is_an_end_to_them),
	    cmocka_unit_test(they_are_read_from_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
