/* Sockets in a folder: the name appears with whoever listens, also over one that was left behind. */
#include "base/socket.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "folder.h"

#define NAME "house.sock"

static struct folder folder;

static int
setup(void **state)
{
	(void)state;
	return folder_make(&folder);
}

static int
teardown(void **state)
{
	(void)state;
	return folder_remove(&folder);
}

static void
listens_and_is_reached(void **state)
{
	int dirfd = folder.fd;
	struct az_err err = {0};
	struct stat found;
	int listener = -1;
	int fd = -1;

	(void)state;
	assert_int_equal(socket_listen(dirfd, NAME, 4, &listener, &err), AZ_OK);
	assert_int_equal(socket_connect(dirfd, NAME, "nobody", &fd, &err), AZ_OK);
	assert_int_equal(fstatat(dirfd, NAME, &found, AT_SYMLINK_NOFOLLOW), 0);
	assert_true(S_ISSOCK(found.st_mode));
	assert_int_equal(found.st_mode & 0777, 0666);
	assert_int_not_equal(fcntl(listener, F_GETFL) & O_NONBLOCK, 0);
	assert_int_equal(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
	assert_int_not_equal(fcntl(listener, F_GETFD) & FD_CLOEXEC, 0);
	assert_int_not_equal(fstatat(dirfd, NAME ".new", &found, AT_SYMLINK_NOFOLLOW), 0);
	fd_close(&fd);
	fd_close(&listener);
}

static void
takes_the_place_of_what_was_left(void **state)
{
	int dirfd = folder.fd;
	struct az_err err = {0};
	int first = -1;
	int second = -1;
	int fd = -1;

	(void)state;
	assert_int_equal(socket_listen(dirfd, NAME, 4, &first, &err), AZ_OK);
	fd_close(&first);
	assert_int_equal(socket_connect(dirfd, NAME, "nobody", &fd, &err), AZ_GONE);
	assert_non_null(strstr(err.text, "nobody"));
	assert_int_equal(socket_listen(dirfd, NAME, 4, &second, &err), AZ_OK);
	assert_int_equal(socket_connect(dirfd, NAME, "nobody", &fd, &err), AZ_OK);
	fd_close(&fd);
	fd_close(&second);
}

/* One that was bound when its process died never listened, and stands in nobody's way. */
static void
half_a_name_is_in_nobodys_way(void **state)
{
	int dirfd = folder.fd;
	struct az_err err = {0};
	int listener = -1;
	int fd = openat(dirfd, NAME ".new", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	(void)state;
	assert_true(fd >= 0);
	fd_close(&fd);
	assert_int_equal(socket_listen(dirfd, NAME, 4, &listener, &err), AZ_OK);
	assert_int_equal(socket_connect(dirfd, NAME, "nobody", &fd, &err), AZ_OK);
	fd_close(&fd);
	fd_close(&listener);
}

static void
refuses_what_cannot_be(void **state)
{
	int dirfd = folder.fd;
	struct az_err err = {0};
	char name[200];
	int fd = -1;

	(void)state;
	memset(name, 'a', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(socket_listen(dirfd, name, 4, &fd, &err), AZ_IO);
	assert_int_equal(socket_connect(dirfd, name, "nobody", &fd, &err), AZ_IO);
	assert_int_equal(socket_connect(dirfd, "missing", "nobody", &fd, &err), AZ_GONE);
	assert_int_equal(mkdirat(dirfd, "folder", 0700), 0);
	assert_int_equal(socket_listen(dirfd, "folder", 4, &fd, &err), AZ_IO);
	assert_int_equal(fd, -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(listens_and_is_reached, setup, teardown),
	    cmocka_unit_test_setup_teardown(takes_the_place_of_what_was_left, setup, teardown),
	    cmocka_unit_test_setup_teardown(half_a_name_is_in_nobodys_way, setup, teardown),
	    cmocka_unit_test_setup_teardown(refuses_what_cannot_be, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
