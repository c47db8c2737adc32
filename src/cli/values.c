/* Personal values: from the terminal, a descriptor, or an argument. */
#include "cli/values.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "cli/print.h"

/* Reads one line from fd, without its end; false if it is empty or too long. */
static bool
read_line(int fd, char *text, size_t room)
{
	size_t size = 0;

	while (size < room) {
		ssize_t got = read(fd, text + size, 1);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0 || text[size] == '\n') {
			text[size] = '\0';
			return size > 0;
		}
		size++;
	}
	text[0] = '\0';
	return false;
}

/* Asks on the terminal, without showing what is typed. */
static bool
ask_terminal(const char *field, char *text, size_t room)
{
	struct termios before;
	struct termios silent;
	bool is_terminal = tcgetattr(STDIN_FILENO, &before) == 0;
	bool good;

	if (is_terminal) {
		(void)fprintf(stderr, "%s: ", field);
		silent = before;
		silent.c_lflag &= ~(tcflag_t)ECHO;
		(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
	}
	good = read_line(STDIN_FILENO, text, room);
	if (is_terminal) {
		(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
		(void)fputc('\n', stderr);
	}
	return good;
}

bool
value_read(const char *name, const char *spec, char *text, size_t room, bool *in_argument)
{
	char *rest = NULL;
	long fd;

	if (spec == NULL)
		return ask_terminal(name, text, room);
	if (spec[0] != '@') {
		*in_argument = true;
		return copy_argument(text, room, spec) && text[0] != '\0';
	}
	fd = strtol(spec + 1, &rest, 10);
	return rest != spec + 1 && *rest == '\0' && fd >= 0 && fd < 1024 &&
	    read_line((int)fd, text, room);
}

int
value_check_argument(const struct cli *cli, const char *command)
{
	struct house_folder folder = {.dirfd = -1};
	struct az_err err = {0};
	enum az_status status = AZ_INVALID;

	if (cli->house == NULL)
		(void)az_fail(&err, AZ_INVALID, "no house is named: --house DIR or AZUKARI_HOUSE");
	else
		status = house_folder_open(cli->house, &folder, &err);
	if (status == AZ_OK && !house_is_unsealed(folder.file.house))
		status = az_fail(&err, AZ_DENIED,
		    "%s: personal values stand in arguments in an unsealed house only", command);
	house_folder_close(&folder);
	return status == AZ_OK ? 0 : print_error(cli, status, err.text, NULL);
}

bool
password_read(const char *fd, char *text, size_t room)
{
	char spec[16] = "@";
	bool in_argument = false;

	if (fd != NULL && !copy_argument(spec + 1, sizeof(spec) - 1, fd))
		return false;
	return value_read("password", fd != NULL ? spec : NULL, text, room, &in_argument);
}
