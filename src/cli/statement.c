/* azukari statement allow, make, list, end */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/ask.h"
#include "cli/values.h"
#include "crypto/age.h"

#define PATH_ROOM 4096u

static bool
read_recipient(const char *text, char recipient[FRONT_RECIPIENT_SIZE])
{
	uint8_t key[AGE_KEY_SIZE];

	return age_recipient_parse(text, key) &&
	    copy_argument(recipient, FRONT_RECIPIENT_SIZE, text);
}

/* "time,staff"; cuts text in place. */
static bool
read_columns(char *text, uint32_t *ret_columns)
{
	char *rest = NULL;
	uint32_t columns = 0;

	for (char *part = strtok_r(text, ",", &rest); part != NULL;
	     part = strtok_r(NULL, ",", &rest)) {
		unsigned int column;

		if (!statement_column_parse(part, &column))
			return false;
		columns |= 1u << column;
	}
	*ret_columns = columns;
	return columns != 0;
}

static bool
read_count(const char *text, uint64_t least, uint64_t most, uint64_t *ret_count)
{
	char *rest = NULL;
	unsigned long long count;

	errno = 0;
	count = strtoull(text, &rest, 10);
	if (text[0] < '0' || text[0] > '9' || errno != 0 || *rest != '\0' || count < least ||
	    count > most)
		return false;
	*ret_count = count;
	return true;
}

static int
allow(const struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {{"recipient", required_argument, NULL, 'R'},
	    {"columns", required_argument, NULL, 'c'}, {"rows", required_argument, NULL, 'r'},
	    {"every", required_argument, NULL, 'e'}, {"hours", required_argument, NULL, 'h'},
	    {"until", required_argument, NULL, 'u'}, {0}};
	union front_request request = {0};
	struct front_standing_add *asked = &request.standing_add;
	bool recipient = false, columns = false, rows = false, every = false, until = false;
	bool hours = true;
	uint64_t count = 0;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'R': recipient = read_recipient(optarg, asked->recipient); break;
		case 'c': columns = read_columns(optarg, &asked->columns); break;
		case 'r':
			rows = read_count(optarg, 1, FRONT_STATEMENT_ROWS, &count);
			asked->rows = (uint32_t)count;
			break;
		case 'e':
			every = duration_read(optarg, &asked->every) &&
			    asked->every <= FRONT_STANDING_EVERY;
			break;
		case 'h': hours = hours_read(optarg, &asked->opens, &asked->closes); break;
		case 'u': until = date_parse(optarg, &asked->until); break;
		default: return cli_usage("statement", NULL);
		}
	}
	if (optind + 1 != argc || !copy_argument(asked->client, LABEL_SIZE, argv[optind]) ||
	    !label_is_valid(asked->client))
		return cli_usage("statement", "one client's label is needed");
	if (!recipient)
		return cli_usage("statement", "--recipient needs an age recipient: age1…");
	if (!columns)
		return cli_usage("statement", "--columns needs columns that there are");
	if (!rows)
		return cli_usage("statement", "--rows needs a number, 100000 at most");
	if (!every || !hours)
		return cli_usage(
		    "statement", "--every needs 90s, 30m, 12h or 7d; --hours HH:MM-HH:MM");
	if (!until)
		return cli_usage("statement", "--until needs a date: YYYY-MM-DD");
	return ask_and_print(cli, FRONT_STANDING_ADD, &request, -1, NULL);
}

/* --- making ----------------------------------------------------------------------------------- */

/* Written beside its place, which it takes once it is whole. */
struct out {
	char part[PATH_ROOM];
	const char *path;
	int fd;
};

static enum az_status
out_open(struct out *out, const char *path, struct az_err *reterr)
{
	struct stat stat;
	int size = snprintf(out->part, sizeof(out->part), "%s.part", path);

	out->path = path;
	if (size < 0 || (size_t)size >= sizeof(out->part))
		return az_fail(reterr, AZ_INVALID, "--out: the name is too long");
	if (faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return az_fail(reterr, AZ_CONFLICT, "%s is there already", path);
	out->fd = open(out->part, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (out->fd < 0)
		return az_fail_errno(reterr, AZ_IO, errno, "%s", out->part);
	/* What an interrupted one of ours left is written over; what somebody else put there is not. */
	if (fstat(out->fd, &stat) != 0 || stat.st_uid != geteuid() || stat.st_nlink != 1 ||
	    fchmod(out->fd, 0600) != 0 || (S_ISREG(stat.st_mode) && ftruncate(out->fd, 0) != 0)) {
		(void)close(out->fd);
		return az_fail(reterr, AZ_CONFLICT, "%s is there already", out->part);
	}
	return AZ_OK;
}

static enum az_status
out_end(struct out *out, bool keep, struct az_err *reterr)
{
	enum az_status status = AZ_OK;

	if (keep && (fsync(out->fd) != 0 || rename(out->part, out->path) != 0))
		status = az_fail_errno(reterr, AZ_IO, errno, "%s", out->path);
	if (!keep || status != AZ_OK)
		(void)unlink(out->part);
	(void)close(out->fd);
	return status;
}

static int
run(const struct cli *cli, const union front_request *request, const char *path)
{
	struct front_answer answer;
	struct out out = {.fd = -1};
	struct az_err err = {0};
	enum az_status status = out_open(&out, path, &err);
	bool done;
	int code;

	if (status != AZ_OK)
		return print_error(cli, status, err.text, NULL);
	front_answer_init(&answer);
	code = ask(cli, FRONT_STATEMENT, request, out.fd, &answer);
	done = code == 0 && answer.status == AZ_OK;
	status = out_end(&out, done, &err);
	if (code == 0 && status != AZ_OK)
		code = print_error(cli, status, err.text, NULL);
	else if (code == 0)
		code = print_answer(cli, &answer, NULL);
	front_answer_fini(&answer);
	return code;
}

static int
make(const struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {{"out", required_argument, NULL, 'o'},
	    {"recipient", required_argument, NULL, 'R'}, {"columns", required_argument, NULL, 'c'},
	    {"rows", required_argument, NULL, 'r'}, {"from", required_argument, NULL, 'f'}, {0}};
	union front_request request = {.statement = {.from = UINT64_MAX}};
	struct front_statement *asked = &request.statement;
	const char *path = NULL;
	uint64_t count = 0;
	bool good = true;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'o': path = optarg; break;
		case 'R': good &= read_recipient(optarg, asked->recipient); break;
		case 'c': good &= read_columns(optarg, &asked->columns); break;
		case 'r':
			good &= read_count(optarg, 1, FRONT_STATEMENT_ROWS, &count);
			asked->rows = (uint32_t)count;
			break;
		case 'f': good &= read_count(optarg, 0, INT64_MAX, &asked->from); break;
		default: return cli_usage("statement", NULL);
		}
	}
	if (optind + 1 != argc || !read_count(argv[optind], 1, UINT32_MAX, &count))
		return cli_usage("statement", "the number of a standing approval is needed");
	asked->standing = (uint32_t)count;
	if (!good)
		return cli_usage(
		    "statement", "--recipient, --columns, --rows or --from cannot be read");
	if (path == NULL || path[0] == '\0')
		return cli_usage("statement", "--out is needed");
	if (cli->asking != NULL)
		return cli_usage("statement", "what was approved is made, and not asked again");
	return run(cli, &request, path);
}

int
cmd_statement(const struct cli *cli, int argc, char **argv)
{
	union front_request request = {0};
	uint64_t number = 0;

	if (argc >= 2 && strcmp(argv[1], "allow") == 0)
		return allow(cli, argc - 1, argv + 1);
	if (argc >= 2 && strcmp(argv[1], "make") == 0)
		return make(cli, argc - 1, argv + 1);
	if (argc == 2 && strcmp(argv[1], "list") == 0)
		return ask_and_print(cli, FRONT_STANDING_LIST, &request, -1, "standing");
	if (argc != 3 || strcmp(argv[1], "end") != 0)
		return cli_usage("statement", "allow, make, list or end");
	if (!read_count(argv[2], 1, UINT32_MAX, &number))
		return cli_usage("statement", "end needs the number of a standing approval");
	request.numbered.number = (uint32_t)number;
	return ask_and_print(cli, FRONT_STANDING_END, &request, -1, NULL);
}
