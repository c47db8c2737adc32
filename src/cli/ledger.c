/* azukari ledger verify, query, checkpoint, proof, export; cosign is in cosign.c */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/ask.h"
#include "cli/cosign.h"
#include "cli/receive.h"
#include "ledger/evidence.h"

#define QUERY_USUAL 20u
#define ROOT_SHOWN  16u /* digits */

/* For people: no origins, and of each root what tells it apart. */
static json_t *
for_people(json_t *logs)
{
	size_t i;
	json_t *log;

	json_array_foreach(logs, i, log)
	{
		char root[ROOT_SHOWN + 4];

		(void)snprintf(root, sizeof(root), "%.*s…", (int)ROOT_SHOWN,
		    json_string_value(json_object_get(log, "root")));
		(void)json_object_del(log, "origin");
		(void)json_object_set_new(log, "root", json_string(root));
	}
	return logs;
}

/* A log that is not as it was written is the answer, and exit 4. */
static int
print_verified(const struct cli *cli, const struct front_answer *answer)
{
	json_t *tree = answer->status == AZ_OK ? print_json_of(buffer_peek(&answer->tree)) : NULL;
	bool ok = json_is_true(json_object_get(tree, "ok"));
	json_t *logs;
	int code = 0;

	json_decref(tree);
	if (cli->json || answer->status != AZ_OK) {
		code = print_answer(cli, answer, "logs");
	} else {
		logs = print_items_of(answer);
		if (logs == NULL)
			return print_error(
			    cli, AZ_FORGED, "the keeper sent an answer that cannot be", NULL);
		print_table(for_people(logs));
		json_decref(logs);
		(void)puts(ok ? "every entry is as it was written"
			      : "NOT every entry is as it was written");
	}
	return code == 0 && !ok ? az_exit_code(AZ_FORGED) : code;
}

static int
verify(const struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {{"client", required_argument, NULL, 'c'}, {0}};
	union front_request request = {0};
	struct front_answer answer;
	int option;
	int code;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option != 'c' ||
		    !copy_argument(request.named.label, sizeof(request.named.label), optarg) ||
		    !label_is_valid(request.named.label))
			return cli_usage("ledger", "--client needs a label");
	}
	if (optind != argc)
		return cli_usage("ledger", "verify takes no more arguments");
	front_answer_init(&answer);
	code = ask(cli, FRONT_LEDGER_VERIFY, &request, -1, &answer);
	if (code == 0)
		code = print_verified(cli, &answer);
	front_answer_fini(&answer);
	return code;
}

static bool
read_number(const char *text, uint32_t *ret_number)
{
	char *rest = NULL;
	unsigned long long number = strtoull(text, &rest, 10);

	if (rest == text || *rest != '\0' || text[0] == '-' || number == 0 || number > UINT32_MAX)
		return false;
	*ret_number = (uint32_t)number;
	return true;
}

/* Entries of a lower index only; and of what was plugged in, fewer at once. */
static int
query_plugged(const struct cli *cli, const struct front_query *asked, const char *device)
{
	union front_request request = {0};
	struct front_plugged *plugged = &request.plugged;

	if (asked->client[0] != '\0' || asked->staff[0] != '\0' || asked->record != 0)
		return cli_usage(
		    "ledger", "query: --plugged goes with --device, --before and --max");
	plugged->before = asked->before;
	plugged->max = asked->max;
	if (plugged->max > FRONT_PLUGGED_MAX)
		return cli_usage("ledger", "query: at most 100 with --plugged");
	if (device != NULL &&
	    (!copy_argument(plugged->device, LABEL_SIZE, device) || !label_is_valid(device)))
		return cli_usage("ledger", "query: --device needs a label");
	return ask_and_print(cli, FRONT_LEDGER_PLUGGED, &request, -1, "plugged");
}

static int
query(const struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {{"client", required_argument, NULL, 'c'},
	    {"record", required_argument, NULL, 'r'}, {"staff", required_argument, NULL, 's'},
	    {"max", required_argument, NULL, 'm'}, {"before", required_argument, NULL, 'b'},
	    {"plugged", no_argument, NULL, 'p'}, {"device", required_argument, NULL, 'd'}, {0}};
	union front_request request = {0};
	const char *device = NULL;
	bool plugged = false;
	uint32_t before;
	struct front_query *asked = &request.query;
	bool good = true;
	int option;

	asked->before = UINT64_MAX;
	asked->max = QUERY_USUAL;
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'c': good &= copy_argument(asked->client, LABEL_SIZE, optarg); break;
		case 's': good &= copy_argument(asked->staff, LABEL_SIZE, optarg); break;
		case 'd': device = optarg; break;
		case 'p': plugged = true; break;
		case 'b':
			good &= read_number(optarg, &before);
			asked->before = good ? before : 0;
			break;
		case 'r': good &= read_number(optarg, &asked->record); break;
		case 'm':
			good &= read_number(optarg, &asked->max) && asked->max <= FRONT_QUERY_MAX;
			break;
		default: return cli_usage("ledger", NULL);
		}
	}
	if (optind == argc && good && plugged)
		return query_plugged(cli, asked, device);
	if (optind != argc || !good || device != NULL ||
	    (asked->record != 0 && asked->staff[0] != '\0'))
		return cli_usage("ledger", "query: labels and numbers, --record or --staff");
	return ask_and_print(cli, FRONT_LEDGER_QUERY, &request, -1, "entries");
}

/* --- checkpoint, proof ------------------------------------------------------------------------ */

/* --client LABEL and --out FILE; what is left are the arguments. */
static bool
read_options(int argc, char **argv, char client[LABEL_SIZE], const char **ret_out)
{
	static const struct option options[] = {{"client", required_argument, NULL, 'c'},
	    {"out", required_argument, NULL, 'o'}, {"log", required_argument, NULL, 'c'}, {0}};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'o' && ret_out != NULL)
			*ret_out = optarg;
		else if (option != 'c' || !copy_argument(client, LABEL_SIZE, optarg))
			return false;
	}
	/* The house's own log has no label; its name is the word that is printed for it. */
	if (strcmp(client, "house") == 0)
		client[0] = '\0';
	return client[0] == '\0' || label_is_valid(client);
}

/* The text goes to a file, or as it is to standard output. */
static int
print_evidence(
    const struct cli *cli, const struct front_answer *answer, const char *member, const char *out)
{
	json_t *tree = answer->status == AZ_OK ? print_json_of(buffer_peek(&answer->tree)) : NULL;
	const char *text = json_string_value(json_object_get(tree, member));
	struct az_err err = {0};
	enum az_status status = AZ_OK;
	int code = 0;

	if (answer->status != AZ_OK || text == NULL) {
		json_decref(tree);
		return print_answer(cli, answer, NULL);
	}
	if (out != NULL)
		status = file_replace(AT_FDCWD, out, bytes_of(text), 0666, &err);
	if (status != AZ_OK)
		code = print_error(cli, status, err.text, NULL);
	else if (cli->json)
		print_json(json_incref(tree));
	else if (out == NULL)
		(void)fputs(text, stdout);
	json_decref(tree);
	return code;
}

static int
checkpoint(const struct cli *cli, int argc, char **argv)
{
	union front_request request = {0};
	struct front_answer answer;
	const char *out = NULL;
	int code;

	if (!read_options(argc, argv, request.named.label, &out) || optind != argc)
		return cli_usage("ledger", "checkpoint: --client LABEL and --out FILE at most");
	front_answer_init(&answer);
	code = ask(cli, FRONT_LEDGER_CHECKPOINT, &request, -1, &answer);
	if (code == 0)
		code = print_evidence(cli, &answer, "checkpoint", out);
	front_answer_fini(&answer);
	return code;
}

static int
proof(const struct cli *cli, int argc, char **argv)
{
	union front_request request = {0};
	struct front_answer answer;
	const char *out = NULL;
	int code;

	if (!read_options(argc, argv, request.ledger_proof.client, &out) || optind + 1 != argc ||
	    !evidence_number(bytes_of(argv[optind]), &request.ledger_proof.index))
		return cli_usage("ledger", "proof: the number of an entry is needed");
	front_answer_init(&answer);
	code = ask(cli, FRONT_LEDGER_PROOF, &request, -1, &answer);
	if (code == 0)
		code = print_evidence(cli, &answer, "proof", out);
	front_answer_fini(&answer);
	return code;
}

/* --- export ----------------------------------------------------------------------------------- */

/* What an export holds. */
static bool
export_may_hold(const char *name)
{
	unsigned int level, width;
	uint64_t number;

	return strcmp(name, "checkpoint") == 0 || strcmp(name, "cosigned") == 0 ||
	    strcmp(name, "vkey") == 0 || tile_path_parse(name, &level, &number, &width);
}

/* The size and root of the export that lies there, if one does. Its signature is the keeper's to compare. */
static enum az_status
read_older(int dirfd, struct front_ledger_export *asked, struct az_err *reterr)
{
	struct checkpoint older;
	struct buffer note;
	struct az_err err = {0};
	enum az_status status;

	buffer_init(&note, NOTE_MAX, false);
	status = file_read_whole(dirfd, "checkpoint", &note, &err);
	if (status == AZ_OK)
		status = checkpoint_open(buffer_peek(&note), &older, &err);
	if (status == AZ_OK) {
		asked->have = older.size;
		memcpy(asked->root, older.root, sizeof(asked->root));
	}
	buffer_fini(&note);
	if (status == AZ_OK || status == AZ_NOT_FOUND)
		return AZ_OK;
	return az_fail(reterr, status, "the checkpoint of the older export: %s", err.text);
}

/* Partial tiles of the older export whose full ones are there now. */
static void
remove_partials(int dirfd, uint64_t have, uint64_t size)
{
	for (unsigned int level = 0; level <= TILE_ENTRIES; level++) {
		uint64_t old_count = tile_count(level, have);
		uint64_t number = old_count / TILE_WIDTH;
		unsigned int width = (unsigned int)(old_count % TILE_WIDTH);
		char path[TILE_PATH_MAX];
		char *end;

		if (width == 0 || tile_count(level, size) < (number + 1) * TILE_WIDTH)
			continue;
		tile_path(level, number, width, path);
		/* One that does not go does no harm; its folder goes when it is empty. */
		(void)unlinkat(dirfd, path, 0);
		end = strrchr(path, '/');
		*end = '\0';
		(void)unlinkat(dirfd, path, AT_REMOVEDIR);
	}
}

/* Asks, while another thread puts the files. */
static int
receive_export(const struct cli *cli, int dirfd, const union front_request *request,
    struct front_answer *answer)
{
	struct receive *receive = NULL;
	struct az_err err = {0};
	int fd = -1;
	int code;
	enum az_status status = receive_start(dirfd, export_may_hold, &receive, &fd, &err);

	if (status != AZ_OK)
		return print_error(cli, status, err.text, NULL);
	code = ask(cli, FRONT_LEDGER_EXPORT, request, fd, answer);
	fd_close(&fd);
	status = receive_end(&receive, code == 0 && answer->status == AZ_OK, &err);
	/* What was refused says so in its answer. */
	if (code == 0 && answer->status == AZ_OK && status != AZ_OK)
		code = print_error(cli, status, err.text, NULL);
	return code;
}

static int
export_into(const struct cli *cli, int dirfd, union front_request *request)
{
	struct front_answer answer;
	struct az_err err = {0};
	json_t *tree;
	int code;
	enum az_status status = read_older(dirfd, &request->ledger_export, &err);

	if (status != AZ_OK)
		return print_error(cli, status, err.text, NULL);
	front_answer_init(&answer);
	code = receive_export(cli, dirfd, request, &answer);
	if (code == 0 && answer.status == AZ_OK) {
		tree = print_json_of(buffer_peek(&answer.tree));
		remove_partials(dirfd, request->ledger_export.have,
		    (uint64_t)json_integer_value(json_object_get(tree, "size")));
		json_decref(tree);
	}
	if (code == 0)
		code = print_answer(cli, &answer, NULL);
	front_answer_fini(&answer);
	return code;
}

static int export(const struct cli *cli, int argc, char **argv)
{
	union front_request request = {0};
	struct az_err err = {0};
	const char *path;
	int dirfd;
	int code;

	if (!read_options(argc, argv, request.ledger_export.client, NULL) || optind + 1 != argc)
		return cli_usage("ledger", "export: the folder to write to is needed");
	path = argv[optind];
	if (mkdir(path, 0777) != 0 && errno != EEXIST) {
		(void)az_fail_errno(&err, AZ_IO, errno, "%s", path);
		return print_error(cli, AZ_IO, err.text, NULL);
	}
	dirfd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dirfd < 0) {
		(void)az_fail_errno(&err, AZ_IO, errno, "%s", path);
		return print_error(cli, AZ_IO, err.text, NULL);
	}
	code = export_into(cli, dirfd, &request);
	(void)close(dirfd);
	return code;
}

int
cmd_ledger(const struct cli *cli, int argc, char **argv)
{
	if (argc >= 2 && strcmp(argv[1], "verify") == 0)
		return verify(cli, argc - 1, argv + 1);
	if (argc >= 2 && strcmp(argv[1], "query") == 0)
		return query(cli, argc - 1, argv + 1);
	if (argc >= 2 && strcmp(argv[1], "checkpoint") == 0)
		return checkpoint(cli, argc - 1, argv + 1);
	if (argc >= 2 && strcmp(argv[1], "proof") == 0)
		return proof(cli, argc - 1, argv + 1);
	if (argc >= 2 && strcmp(argv[1], "export") == 0)
		return export(cli, argc - 1, argv + 1);
	if (argc >= 2 && strcmp(argv[1], "cosign") == 0)
		return ledger_cosign(cli, argc - 1, argv + 1);
	return cli_usage("ledger", "verify, query, checkpoint, proof, export or cosign");
}
