/*
 * Two places, since a machine may have either: /run/systemd/users/UID, where logind says NAME= and STATE= of each user
 * with a session, and /run/utmp, where everybody else writes. Both belong to root, and are read as if they did not.
 */
#include "guard/users.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <utmpx.h>

#include "base/file.h"

#define UTMP_MAX   (256u * 1024u)
#define LOGIND_MAX 8192u

static void
add(struct users *users, struct bytes name)
{
	char text[USERS_NAME_SIZE];
	size_t size = name.size < sizeof(text) - 1 ? name.size : sizeof(text) - 1;

	for (size_t i = 0; i < size; i++) {
		uint8_t byte = name.data[i];

		/* A comma would make two of one. */
		text[i] = byte > 0x20 && byte < 0x7f && byte != ',' ? (char)byte : '?';
	}
	text[size] = '\0';
	for (size_t i = 0; i < users->count; i++) {
		if (strcmp(users->names[i], text) == 0)
			return;
	}
	if (size > 0 && users->count < USERS_MAX)
		memcpy(users->names[users->count++], text, sizeof(text));
}

void
users_take_utmp(struct bytes utmp, struct users *users)
{
	struct utmpx record;

	for (size_t at = 0; utmp.size - at >= sizeof(record); at += sizeof(record)) {
		memcpy(&record, utmp.data + at, sizeof(record));
		if (record.ut_type == USER_PROCESS)
			add(users,
			    bytes_make(
				record.ut_user, strnlen(record.ut_user, sizeof(record.ut_user))));
	}
}

/* The value of the line "NAME=value". */
static bool
line_value(struct bytes file, const char *name, struct bytes *ret_value)
{
	size_t name_size = strlen(name);

	for (size_t at = 0; at < file.size;) {
		const uint8_t *end = memchr(file.data + at, '\n', file.size - at);
		size_t size = end != NULL ? (size_t)(end - (file.data + at)) : file.size - at;

		if (size > name_size && file.data[at + name_size] == '=' &&
		    bytes_equal(
			bytes_make(file.data + at, name_size), bytes_make(name, name_size))) {
			*ret_value =
			    bytes_make(file.data + at + name_size + 1, size - name_size - 1);
			return true;
		}
		at += size + 1;
	}
	return false;
}

void
users_take_logind(struct bytes file, struct users *users)
{
	struct bytes name, state;

	if (line_value(file, "NAME", &name) && line_value(file, "STATE", &state) &&
	    (bytes_equal(state, bytes_of("active")) || bytes_equal(state, bytes_of("online"))))
		add(users, name);
}

static void
ask_logind(int run_fd, struct users *users)
{
	int fd = openat(run_fd, "systemd/users", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *folder = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *entry;
	struct buffer file;

	if (folder == NULL) {
		fd_close(&fd);
		return;
	}
	buffer_init(&file, LOGIND_MAX, false);
	while ((entry = readdir(folder)) != NULL) {
		if (entry->d_name[0] != '.' &&
		    file_read_whole(fd, entry->d_name, &file, NULL) == AZ_OK)
			users_take_logind(buffer_peek(&file), users);
	}
	buffer_fini(&file);
	(void)closedir(folder);
}

void
users_signed_in(int run_fd, char *text, size_t room)
{
	struct users users = {0};
	struct buffer utmp;
	size_t used = 0;

	text[0] = '\0';
	if (run_fd < 0)
		return;
	ask_logind(run_fd, &users);
	buffer_init(&utmp, UTMP_MAX, false);
	if (file_read_whole(run_fd, "utmp", &utmp, NULL) == AZ_OK)
		users_take_utmp(buffer_peek(&utmp), &users);
	buffer_fini(&utmp);
	for (size_t i = 0; i < users.count; i++) {
		size_t size = strlen(users.names[i]);

		if (used + size + 2 > room)
			return;
		used += (size_t)snprintf(
		    text + used, room - used, "%s%s", i == 0 ? "" : ",", users.names[i]);
	}
}
