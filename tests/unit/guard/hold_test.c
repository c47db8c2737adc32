/*
 * The guard's pipe: who has it open has the disks. With files in place of devices, which anybody may open; that a held disk cannot be
 * mounted is tried on a real kernel.
 */
#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "../base/folder.h"
#include "base/file.h"
#include "guard/hold.h"

/* How many descriptors of ours lead to a file of that name. */
static unsigned int
opened(const char *name)
{
	DIR *folder = opendir("/proc/self/fd");
	const struct dirent *item;
	unsigned int count = 0;

	assert_non_null(folder);
	while ((item = readdir(folder)) != NULL) {
		char target[4096];
		ssize_t size = readlinkat(dirfd(folder), item->d_name, target, sizeof(target) - 1);

		if (size <= 0)
			continue;
		target[size] = '\0';
		count +=
		    strrchr(target, '/') != NULL && strcmp(strrchr(target, '/') + 1, name) == 0;
	}
	(void)closedir(folder);
	return count;
}

static void
make(int dirfd, const char *name)
{
	assert_int_equal(file_create(dirfd, name, bytes_make("x", 1), 0600, NULL), AZ_OK);
}

static void
disks_are_held_but_while_the_pipe_is_open(void **state)
{
	struct folder folder;
	struct hold *hold = NULL;
	int pipe_fd;

	(void)state;
	assert_int_equal(folder_make(&folder), 0);
	make(folder.fd, "sda");
	assert_int_equal(hold_open(folder.fd, folder.fd, &hold, NULL), AZ_OK);
	hold_take(hold, "sda");
	assert_int_equal(opened("sda"), 1);
	hold_take(hold, "sda");
	assert_int_equal(opened("sda"), 1);
	pipe_fd = openat(folder.fd, HOLD_PIPE, O_WRONLY | O_NONBLOCK);
	assert_true(pipe_fd >= 0);
	/* Opening it alone changes nothing. */
	assert_int_equal(hold_hear(hold, NULL), AZ_OK);
	assert_int_equal(opened("sda"), 1);
	assert_int_equal(write(pipe_fd, "p", 1), 1);
	assert_int_equal(hold_hear(hold, NULL), AZ_OK);
	assert_int_equal(opened("sda"), 0);
	/* What comes meanwhile is held afterwards. */
	make(folder.fd, "sdb");
	hold_take(hold, "sdb");
	assert_int_equal(opened("sdb"), 0);
	(void)close(pipe_fd);
	assert_int_equal(hold_hear(hold, NULL), AZ_OK);
	assert_int_equal(opened("sda"), 1);
	assert_int_equal(opened("sdb"), 1);
	/* And again. */
	pipe_fd = openat(folder.fd, HOLD_PIPE, O_WRONLY | O_NONBLOCK);
	assert_int_equal(write(pipe_fd, "pp", 2), 2);
	assert_int_equal(hold_hear(hold, NULL), AZ_OK);
	assert_int_equal(opened("sda") + opened("sdb"), 0);
	(void)close(pipe_fd);
	assert_int_equal(hold_hear(hold, NULL), AZ_OK);
	assert_int_equal(hold_hear(hold, NULL), AZ_OK);
	assert_int_equal(opened("sda") + opened("sdb"), 2);
	hold_close(&hold);
	assert_int_equal(opened("sda") + opened("sdb"), 0);
	folder_remove(&folder);
}

static void
what_has_gone_is_let_go(void **state)
{
	struct folder folder;
	struct hold *hold = NULL;

	(void)state;
	assert_int_equal(folder_make(&folder), 0);
	assert_int_equal(hold_open(folder.fd, folder.fd, &hold, NULL), AZ_OK);
	make(folder.fd, "sda");
	hold_take(hold, "sda");
	assert_int_equal(unlinkat(folder.fd, "sda", 0), 0);
	make(folder.fd, "sdb");
	hold_take(hold, "sdb");
	assert_int_equal(opened("sda (deleted)"), 0);
	assert_int_equal(opened("sdb"), 1);
	hold_close(&hold);
	folder_remove(&folder);
}

static void
a_pipe_that_is_none_is_refused(void **state)
{
	struct folder folder;
	struct hold *hold = NULL;

	(void)state;
	assert_int_equal(folder_make(&folder), 0);
	make(folder.fd, HOLD_PIPE);
	assert_int_equal(hold_open(folder.fd, folder.fd, &hold, NULL), AZ_IO);
	assert_null(hold);
	folder_remove(&folder);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(disks_are_held_but_while_the_pipe_is_open),
	    cmocka_unit_test(what_has_gone_is_let_go),
	    cmocka_unit_test(a_pipe_that_is_none_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
