/*
 * azukari history import, list.
 *
 * The file is read twice: here first, by an intake of our own, so that a bad row is found before anybody is asked to
 * approve it; and by the house, which takes nothing that it has not read itself.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/frame.h"
#include "base/proc.h"
#include "base/wire.h"
#include "cli/ask.h"
#include "cli/own_intake.h"
#include "crypto/hash.h"
#include "proto/history.h"
#include "proto/intake.h"

#define PIECE       65536u
#define PROGRESS_US (2 * AZ_US_PER_S)

/* --- reading it here -------------------------------------------------------------------------- */

struct checking {
	const struct cli *cli;
	int64_t began_us;
	bool shows_progress;
	struct own_intake intake;
	struct front_history_add *found;
	bool done;
};

static enum az_status
malformed(struct az_err *reterr)
{
	return az_fail(reterr, AZ_INTERNAL, "intake sent what cannot be");
}

static enum az_status
take_lines(struct front_history_add *found, struct bytes body, struct az_err *reterr)
{
	static struct history_line line;
	struct wire_reader reader;
	uint32_t count;

	wire_reader_init(&reader, body);
	count = wire_get_count(&reader, INTAKE_ROWS_MAX, 40);
	for (uint32_t i = 0; i < count && !reader.failed; i++) {
		history_line_get(&reader, &line);
		if (reader.failed)
			break;
		if (found->rows == 0 || line.time_us < found->from_us)
			found->from_us = line.time_us;
		if (found->rows == 0 || line.time_us > found->to_us)
			found->to_us = line.time_us;
		found->rows++;
	}
	return wire_end(&reader) ? AZ_OK : malformed(reterr);
}

static void
show_progress(struct checking *checking)
{
	if (checking->cli->json || !isatty(STDERR_FILENO) ||
	    clock_monotonic_us() - checking->began_us < PROGRESS_US)
		return;
	(void)fprintf(stderr, "\r%llu rows checked", (unsigned long long)checking->found->rows);
	checking->shows_progress = true;
}

static enum az_status
listen_to_intake(struct checking *checking, struct az_err *reterr)
{
	enum az_status status = AZ_OK;

	while (status == AZ_OK && !checking->done) {
		struct frame frame;

		status = link_receive(&checking->intake.link, &frame, reterr);
		if (status == AZ_GONE)
			status = az_fail(reterr, AZ_IO, "intake ended before the file did");
		if (status != AZ_OK)
			break;
		show_progress(checking);
		if (frame.type == INTAKE_HISTORY_LINES)
			status = take_lines(checking->found, frame.body, reterr);
		else if (frame.type == INTAKE_ERROR)
			status = own_intake_error(frame.body, reterr);
		else if (frame.type == INTAKE_DONE)
			checking->done = true;
		else
			status = malformed(reterr);
	}
	if (checking->shows_progress)
		(void)fprintf(stderr, "\r\033[K");
	return status;
}

static enum az_status
hash_file(int fd, uint8_t ret_hash[SHA256_SIZE], struct az_err *reterr)
{
	static uint8_t piece[PIECE];
	struct sha256 hash;
	ssize_t size;

	if (lseek(fd, 0, SEEK_SET) != 0)
		return az_fail_errno(reterr, AZ_IO, errno, "the file cannot be read");
	sha256_init(&hash);
	while ((size = read(fd, piece, sizeof(piece))) > 0)
		sha256_update(&hash, piece, (size_t)size);
	sha256_final(&hash, ret_hash);
	if (size < 0 || lseek(fd, 0, SEEK_SET) != 0)
		return az_fail_errno(reterr, AZ_IO, errno, "the file cannot be read");
	return AZ_OK;
}

/* What there is to be approved: the file's hash, how many rows, from when to when. */
static enum az_status
check_file(
    const struct cli *cli, int fd, struct front_history_add *ret_found, struct az_err *reterr)
{
	struct checking checking = {
	    .cli = cli, .began_us = clock_monotonic_us(), .found = ret_found};
	struct intake_start start = {.mode = INTAKE_HISTORY};
	enum az_status status = own_intake_start(&checking.intake, fd, &start, reterr);

	if (status == AZ_OK)
		status = listen_to_intake(&checking, reterr);
	own_intake_end(&checking.intake);
	return status == AZ_OK ? hash_file(fd, ret_found->hash, reterr) : status;
}

static enum az_status
open_file(const char *path, int *ret_fd, struct az_err *reterr)
{
	struct stat info;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &info) != 0)
		return az_fail_errno(reterr, AZ_NOT_FOUND, errno, "%s", path);
	/* It is read three times. */
	if (!S_ISREG(info.st_mode)) {
		(void)close(fd);
		return az_fail(reterr, AZ_INVALID, "%s is no file", path);
	}
	*ret_fd = fd;
	return AZ_OK;
}

/* --- the command ------------------------------------------------------------------------------ */

/* The number of a history whose file is approved; 0: it is only asked for now. */
static uint32_t
approved_of(const struct front_answer *answer)
{
	json_t *tree = print_json_of(buffer_peek(&answer->tree));
	json_int_t number = 0;

	if (json_is_true(json_object_get(tree, "approved")))
		number = json_integer_value(json_object_get(tree, "history"));
	json_decref(tree);
	return number > 0 && number <= UINT32_MAX ? (uint32_t)number : 0;
}

static int
import_file(const struct cli *cli, int fd)
{
	union front_request request = {0};
	struct front_answer answer;
	struct az_err err = {0};
	enum az_status status = check_file(cli, fd, &request.history_add, &err);
	uint32_t number;
	int code;

	if (status != AZ_OK)
		return print_error(cli, status, err.text, NULL);
	front_answer_init(&answer);
	code = ask(cli, FRONT_HISTORY_ADD, &request, -1, &answer);
	number = code == 0 && answer.status == AZ_OK ? approved_of(&answer) : 0;
	if (code == 0 && number == 0) {
		code = print_answer(cli, &answer, NULL);
		if (code == 0 && !cli->json)
			(void)printf("once it is approved, give the same command again\n");
	}
	front_answer_fini(&answer);
	if (number == 0)
		return code;
	request.numbered.number = number;
	return ask_and_print(cli, FRONT_HISTORY_IMPORT, &request, fd, NULL);
}

int
cmd_history(const struct cli *cli, int argc, char **argv)
{
	union front_request request = {0};
	struct az_err err = {0};
	enum az_status status;
	int fd = -1;
	int code;

	if (argc == 2 && strcmp(argv[1], "list") == 0)
		return ask_and_print(cli, FRONT_HISTORY_LIST, &request, -1, "histories");
	if (argc != 3 || strcmp(argv[1], "import") != 0)
		return cli_usage("history", "import FILE, or list");
	status = open_file(argv[2], &fd, &err);
	if (status != AZ_OK)
		return print_error(cli, status, err.text, NULL);
	code = import_file(cli, fd);
	(void)close(fd);
	return code;
}
