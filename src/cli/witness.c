/* azukari witness add, list, limit, tell, retire */
#include <fcntl.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "cli/ask.h"

/* A file's whole text, without what line ends stand behind it. */
static enum az_status
read_vkey(const char *path, char vkey[FRONT_VKEY_SIZE], struct az_err *reterr)
{
	struct buffer text;
	enum az_status status;

	buffer_init(&text, FRONT_VKEY_SIZE - 1, false);
	status = file_read_whole(AT_FDCWD, path, &text, reterr);
	while (text.size > 0 && text.data[text.size - 1] == '\n')
		text.size--;
	if (status == AZ_OK && (text.size == 0 || !bytes_are_utf8(buffer_peek(&text))))
		status = az_fail(reterr, AZ_INVALID, "%s: that is no key", path);
	if (status == AZ_OK) {
		memcpy(vkey, text.data, text.size);
		vkey[text.size] = '\0';
	}
	buffer_fini(&text);
	return status;
}

static int
add(const struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {{"vkey", required_argument, NULL, 'k'}, {0}};
	union front_request request = {0};
	struct front_witness_add *witness = &request.witness_add;
	const char *path = NULL;
	struct az_err err = {0};
	enum az_status status;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option != 'k')
			return cli_usage("witness", NULL);
		path = optarg;
	}
	if (path == NULL || optind + 1 != argc ||
	    !copy_argument(witness->label, LABEL_SIZE, argv[optind]) ||
	    !label_is_valid(witness->label))
		return cli_usage("witness", "add needs one label and --vkey FILE");
	status = read_vkey(path, witness->vkey, &err);
	if (status != AZ_OK)
		return print_error(cli, status, err.text, NULL);
	return ask_and_print(cli, FRONT_WITNESS_ADD, &request, -1, NULL);
}

static int
limit(const struct cli *cli, const char *text)
{
	union front_request request = {0};
	unsigned long hours = 0;
	char *rest = NULL;

	if (strcmp(text, "none") != 0) {
		hours = strtoul(text, &rest, 10);
		if (*text < '0' || *text > '9' || *rest != '\0' || hours == 0 ||
		    hours > FRONT_LIMIT_HOURS_MAX)
			return cli_usage("witness", "limit needs hours, 1 to 8760, or none");
	}
	request.witness_limit.hours = (uint32_t)hours;
	return ask_and_print(cli, FRONT_WITNESS_LIMIT, &request, -1, NULL);
}

/* What it is worth, the keeper says: it is sent as it is. */
static int
tell(const struct cli *cli, const char *path)
{
	union front_request request = {0};
	int dirfd = AT_FDCWD;
	struct stat info;
	struct buffer note;
	struct az_err err = {0};
	enum az_status status = AZ_OK;
	int code;

	buffer_init(&note, FRONT_COSIGNED_MAX, false);
	if (stat(path, &info) == 0 && S_ISDIR(info.st_mode)) {
		status = dir_open(AT_FDCWD, path, false, 0, &dirfd, &err);
		path = "cosigned";
	}
	if (status == AZ_OK)
		status = file_read_whole(dirfd, path, &note, &err);
	if (status == AZ_OK && note.size == 0)
		status = az_fail(&err, AZ_INVALID, "%s is empty", path);
	request.cosigned.note = buffer_peek(&note);
	code = status == AZ_OK ? ask_and_print(cli, FRONT_COSIGNED, &request, -1, NULL)
			       : print_error(cli, status, err.text, NULL);
	buffer_fini(&note);
	if (dirfd != AT_FDCWD)
		fd_close(&dirfd);
	return code;
}

int
cmd_witness(const struct cli *cli, int argc, char **argv)
{
	union front_request request = {0};

	if (argc >= 2 && strcmp(argv[1], "add") == 0)
		return add(cli, argc - 1, argv + 1);
	if (argc == 2 && strcmp(argv[1], "list") == 0)
		return ask_and_print(cli, FRONT_WITNESS_LIST, &request, -1, "witnesses");
	if (argc == 3 && strcmp(argv[1], "limit") == 0)
		return limit(cli, argv[2]);
	if (argc == 3 && strcmp(argv[1], "tell") == 0)
		return tell(cli, argv[2]);
	if (argc == 3 && strcmp(argv[1], "retire") == 0 &&
	    copy_argument(request.named.label, sizeof(request.named.label), argv[2]) &&
	    label_is_valid(request.named.label))
		return ask_and_print(cli, FRONT_WITNESS_RETIRE, &request, -1, NULL);
	return cli_usage("witness", "add, list, limit, tell or retire");
}
