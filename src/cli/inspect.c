/*
 * azukari inspect: how a list would be read. Needs no house: it starts an intake of its own, shut in as the one that the
 * keeper has, and prints what that says. What a list holds goes to standard output only where it is asked for.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/frame.h"
#include "base/proc.h"
#include "base/wire.h"
#include "cli/ask.h"
#include "cli/own_intake.h"
#include "cli/values.h"
#include "proto/intake.h"

#define PIECE        (256u * 1024u)
#define LIST_MAX     (UINT64_C(4) << 30) /* bytes of a list that is no file */
#define REFUSALS_MAX 1000u               /* told one by one */
#define PROGRESS_US  (2 * AZ_US_PER_S)

struct inspect {
	const struct cli *cli;
	struct intake_start start;
	struct own_intake intake;
	json_t *facts;
	json_t *refusals;
	int64_t began_us;
	bool shows_progress;
	bool done;
};

/* --- options ---------------------------------------------------------------------------------- */

static int
read_options(int argc, char **argv, struct intake_start *start)
{
	static const struct option options[] = {{"columns", required_argument, NULL, 'C'},
	    {"csv", no_argument, NULL, 'c'}, {"keys", no_argument, NULL, 'k'},
	    {"password", no_argument, NULL, 'P'}, {"password-fd", required_argument, NULL, 'F'},
	    {0}};
	int option;

	start->mode = INTAKE_INSPECTS;
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'C':
			if (!copy_argument(start->columns, sizeof(start->columns), optarg))
				return cli_usage("inspect", "--columns is too long");
			break;
		case 'c': start->mode |= INTAKE_VALUES_TOO; break;
		case 'k': start->mode |= INTAKE_KEYS_TOO; break;
		case 'P':
			if (!password_read(NULL, start->password, sizeof(start->password)))
				return cli_usage("inspect", "a password is needed");
			break;
		case 'F':
			if (!password_read(optarg, start->password, sizeof(start->password)))
				return cli_usage(
				    "inspect", "--password-fd needs a descriptor with a password");
			break;
		default: return cli_usage("inspect", NULL);
		}
	}
	if ((start->mode & INTAKE_VALUES_TOO) != 0 && (start->mode & INTAKE_KEYS_TOO) != 0)
		return cli_usage("inspect", "--csv and --keys cannot be had at once");
	if (optind + 1 != argc)
		return cli_usage("inspect", "one file is needed, or - for standard input");
	return 0;
}

/* --- the list --------------------------------------------------------------------------------- */

/* A copy in memory, which cannot be changed any more, of a list that is no file. */
static enum az_status
copy_to_memory(int from, int *ret_fd, struct az_err *reterr)
{
	static uint8_t piece[PIECE];
	int fd = memfd_create("list", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	uint64_t total = 0;
	ssize_t size;

	if (fd < 0)
		return az_fail_errno(reterr, AZ_IO, errno, "memory for the list");
	while ((size = read(from, piece, sizeof(piece))) != 0) {
		if (size < 0 && errno == EINTR)
			continue;
		if (size < 0 || write(fd, piece, (size_t)size) != size) {
			enum az_status status =
			    az_fail_errno(reterr, AZ_IO, errno, "the list cannot be read");

			(void)close(fd);
			return status;
		}
		total += (uint64_t)size;
		if (total > LIST_MAX) {
			(void)close(fd);
			return az_fail(
			    reterr, AZ_LIMIT, "the list is larger than 4 GiB: give it as a file");
		}
	}
	az_wipe(piece, sizeof(piece));
	if (lseek(fd, 0, SEEK_SET) != 0 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) != 0) {
		(void)close(fd);
		return az_fail_errno(reterr, AZ_IO, errno, "memory for the list");
	}
	*ret_fd = fd;
	return AZ_OK;
}

static enum az_status
open_list(const char *path, int *ret_fd, struct az_err *reterr)
{
	bool is_stdin = strcmp(path, "-") == 0;
	int fd = is_stdin ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
	struct stat info;
	enum az_status status = AZ_OK;

	if (fd < 0 || fstat(fd, &info) != 0)
		return az_fail_errno(reterr, AZ_NOT_FOUND, errno, "%s", path);
	if (S_ISDIR(info.st_mode)) {
		status = az_fail(reterr, AZ_INVALID, "%s is a folder", path);
	} else if (!is_stdin && S_ISREG(info.st_mode)) {
		*ret_fd = fd;
		return AZ_OK;
	} else {
		status = copy_to_memory(fd, ret_fd, reterr);
	}
	(void)close(fd);
	return status;
}

/* --- what intake says ------------------------------------------------------------------------- */

/* A value as CSV has it: in quotes where it needs them. */
static void
print_csv_value(struct bytes value)
{
	bool quoted = value.size > 0 &&
	    (value.data[0] == ' ' || value.data[value.size - 1] == ' ' || value.data[0] == '\t' ||
		value.data[value.size - 1] == '\t');

	for (size_t i = 0; i < value.size && !quoted; i++)
		quoted = value.data[i] == '"' || value.data[i] == ',' || value.data[i] == '\n' ||
		    value.data[i] == '\r';
	if (!quoted) {
		(void)fwrite(value.data, 1, value.size, stdout);
		return;
	}
	(void)putchar('"');
	for (size_t i = 0; i < value.size; i++) {
		if (value.data[i] == '"')
			(void)putchar('"');
		(void)putchar(value.data[i]);
	}
	(void)putchar('"');
}

static void
take_values(struct wire_reader *reader)
{
	uint32_t rows = wire_get_count(reader, UINT32_MAX, 8);

	for (uint32_t i = 0; i < rows && !reader->failed; i++) {
		uint32_t count;

		(void)wire_get_u32(reader);
		count = wire_get_count(reader, UINT16_MAX, 4);
		for (uint32_t c = 0; c < count && !reader->failed; c++) {
			if (c > 0)
				(void)putchar(',');
			print_csv_value(wire_get_bytes(reader, FIELD_VALUE_MAX + 1));
		}
		(void)putchar('\n');
	}
}

static void
take_keys(struct wire_reader *reader)
{
	uint32_t count = wire_get_count(reader, UINT32_MAX, 9);

	for (uint32_t i = 0; i < count && !reader->failed; i++) {
		uint32_t row = wire_get_u32(reader);
		const char *kind = match_kind_name((enum match_kind)wire_get_u8(reader));
		struct bytes key = wire_get_bytes(reader, INTAKE_KEY_TEXT_MAX);

		if (kind == NULL)
			reader->failed = true;
		if (reader->failed)
			return;
		(void)printf("%u,%s,", row, kind);
		print_csv_value(key);
		(void)putchar('\n');
	}
}

static void
take_refused(struct inspect *inspect, struct wire_reader *reader)
{
	uint32_t count = wire_get_count(reader, UINT32_MAX, 5);

	for (uint32_t i = 0; i < count && !reader->failed; i++) {
		uint32_t row = wire_get_u32(reader);
		const char *reason = refusal_text((enum refusal)wire_get_u8(reader));

		if (reason == NULL)
			reader->failed = true;
		if (reader->failed || json_array_size(inspect->refusals) >= REFUSALS_MAX)
			continue;
		(void)json_array_append_new(inspect->refusals,
		    json_pack("{s:I,s:s}", "row", (json_int_t)row, "reason", reason));
	}
}

static void
show_progress(struct inspect *inspect, struct wire_reader *reader)
{
	uint64_t rows = wire_get_u64(reader);

	if (!isatty(STDERR_FILENO) || isatty(STDOUT_FILENO) != isatty(STDERR_FILENO) ||
	    clock_monotonic_us() - inspect->began_us < PROGRESS_US)
		return;
	(void)fprintf(stderr, "\r%llu rows", (unsigned long long)rows);
	inspect->shows_progress = true;
}

static enum az_status
take_frame(struct inspect *inspect, const struct frame *frame, struct az_err *reterr)
{
	struct wire_reader reader;

	wire_reader_init(&reader, frame->body);
	switch (frame->type) {
	case INTAKE_COLUMNS: return AZ_OK; /* FACTS say more */
	case INTAKE_VALUES: take_values(&reader); break;
	case INTAKE_KEYS: take_keys(&reader); break;
	case INTAKE_REFUSED: take_refused(inspect, &reader); break;
	case INTAKE_PROGRESS: show_progress(inspect, &reader); break;
	case INTAKE_FACTS:
		json_decref(inspect->facts);
		inspect->facts = print_json_of(frame->body);
		return inspect->facts != NULL
		    ? AZ_OK
		    : az_fail(reterr, AZ_INTERNAL, "intake sent what cannot be");
	case INTAKE_DONE: inspect->done = true; return AZ_OK;
	case INTAKE_ERROR: return own_intake_error(frame->body, reterr);
	default: return az_fail(reterr, AZ_INTERNAL, "intake sent what cannot be");
	}
	if (!wire_end(&reader))
		return az_fail(reterr, AZ_INTERNAL, "intake sent what cannot be");
	return AZ_OK;
}

/* --- intake ----------------------------------------------------------------------------------- */

static enum az_status
listen_to_intake(struct inspect *inspect, struct az_err *reterr)
{
	enum az_status status = AZ_OK;

	while (status == AZ_OK && !inspect->done) {
		struct frame frame;

		status = link_receive(&inspect->intake.link, &frame, reterr);
		if (status == AZ_GONE)
			status = az_fail(reterr, AZ_IO, "intake ended before the list did");
		if (status == AZ_OK)
			status = take_frame(inspect, &frame, reterr);
	}
	if (inspect->shows_progress)
		(void)fprintf(stderr, "\r\033[K");
	return status;
}

/* --- the command ------------------------------------------------------------------------------ */

/* For people: what was found, then the columns, then what would be refused and why. */
static void
print_facts(json_t *facts, const json_t *refusals)
{
	json_t *columns = json_incref(json_object_get(facts, "columns"));
	json_t *reasons = json_incref(json_object_get(facts, "refused_for"));

	(void)json_object_del(facts, "columns");
	(void)json_object_del(facts, "refused_for");
	if (json_string_length(json_object_get(facts, "problem")) == 0)
		(void)json_object_del(facts, "problem");
	print_object(facts);
	(void)printf("\n");
	print_table(columns);
	if (json_array_size(reasons) > 0) {
		(void)printf("\nwould be refused:\n");
		print_table(reasons);
		(void)printf("\n");
		print_table(refusals);
	}
	json_decref(columns);
	json_decref(reasons);
}

static int
print(struct inspect *inspect)
{
	bool list = (inspect->start.mode & ~INTAKE_INSPECTS) != 0;

	if (inspect->facts == NULL)
		return print_error(inspect->cli, AZ_INTERNAL, "intake said nothing", NULL);
	if (list) {
		json_int_t refused = json_integer_value(json_object_get(inspect->facts, "refused"));

		if (refused > 0)
			(void)fprintf(stderr, "azukari: %lld rows were left out as refused\n",
			    (long long)refused);
		return fflush(stdout) == 0 ? 0 : print_error(inspect->cli, AZ_IO, "output", NULL);
	}
	if (inspect->cli->json) {
		(void)json_object_set(inspect->facts, "refusals", inspect->refusals);
		print_json(json_incref(inspect->facts));
	} else {
		print_facts(inspect->facts, inspect->refusals);
	}
	return 0;
}

int
cmd_inspect(const struct cli *cli, int argc, char **argv)
{
	struct inspect inspect = {.cli = cli, .began_us = clock_monotonic_us()};
	struct az_err err = {0};
	enum az_status status;
	int list_fd = -1;
	int code = read_options(argc, argv, &inspect.start);

	if (code != 0)
		return code;
	inspect.refusals = json_array();
	status = open_list(argv[optind], &list_fd, &err);
	if (status == AZ_OK)
		status = own_intake_start(&inspect.intake, list_fd, &inspect.start, &err);
	if (status == AZ_OK && !inspect.intake.has_tables)
		(void)fprintf(
		    stderr, "azukari: the match tables are not installed: keys are looser\n");
	if (status == AZ_OK && (inspect.start.mode & INTAKE_KEYS_TOO) != 0)
		(void)printf("row,kind,key\n");
	if (status == AZ_OK)
		status = listen_to_intake(&inspect, &err);
	own_intake_end(&inspect.intake);
	if (list_fd >= 0)
		(void)close(list_fd);
	code = status == AZ_OK ? print(&inspect) : print_error(cli, status, err.text, NULL);
	json_decref(inspect.facts);
	json_decref(inspect.refusals);
	az_wipe(&inspect.start, sizeof(inspect.start));
	return code;
}
