/* azukari trace */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/ask.h"
#include "cli/investigate.h"
#include "cli/trace_bundle.h"
#include "cli/values.h"

struct trace {
	const struct cli *cli;
	union front_request list; /* FRONT_TRACE_LIST: the same for each file */
	union front_request run;  /* FRONT_TRACE or FRONT_TRACE_ROWS */
	const char *rows_path;
	const char *bundle_path;
	char part[PATH_MAX]; /* what rows_path is called until it is whole */
	int rows_fd;
};

static int
read_options(int argc, char **argv, struct trace *trace)
{
	static const struct option options[] = {{"case", required_argument, NULL, 'c'},
	    {"rows", required_argument, NULL, 'r'}, {"columns", required_argument, NULL, 'C'},
	    {"recipient", required_argument, NULL, 'R'}, {"bundle", required_argument, NULL, 'b'},
	    {"password", no_argument, NULL, 'P'}, {"password-fd", required_argument, NULL, 'F'},
	    {0}};
	struct front_trace_list *list = &trace->list.trace_list;
	struct front_trace *run = &trace->run.trace;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'c':
			if (!read_case(optarg, &list->id))
				return cli_usage("trace", "--case needs the number of a case");
			run->id = list->id;
			break;
		case 'r': trace->rows_path = optarg; break;
		case 'b': trace->bundle_path = optarg; break;
		case 'C':
			if (!copy_argument(list->columns, sizeof(list->columns), optarg))
				return cli_usage("trace", "--columns is too long");
			break;
		case 'R':
			if (!copy_argument(run->recipient, sizeof(run->recipient), optarg))
				return cli_usage("trace", "--recipient needs an age recipient");
			break;
		case 'P':
			if (!password_read(NULL, list->password, sizeof(list->password)))
				return cli_usage("trace", "a password is needed");
			break;
		case 'F':
			if (!password_read(optarg, list->password, sizeof(list->password)))
				return cli_usage(
				    "trace", "--password-fd needs a descriptor with a password");
			break;
		default: return cli_usage("trace", NULL);
		}
	}
	if (list->id == 0)
		return cli_usage("trace", "--case is needed");
	if (run->recipient[0] != '\0' && trace->rows_path == NULL)
		return cli_usage("trace", "--recipient goes with --rows");
	if (optind == argc)
		return cli_usage("trace", "a file is needed, or - for standard input");
	return 0;
}

/* --- rows ------------------------------------------------------------------------------------- */

/* Rows are written beside their place, and take it once they are whole. */
static enum az_status
open_rows(struct trace *trace, struct az_err *reterr)
{
	int size = snprintf(trace->part, sizeof(trace->part), "%s.part", trace->rows_path);

	if (size < 0 || (size_t)size >= sizeof(trace->part))
		return az_fail(reterr, AZ_INVALID, "--rows: the name is too long");
	trace->rows_fd =
	    open(trace->part, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (trace->rows_fd < 0)
		return az_fail_errno(reterr, AZ_IO, errno, "%s", trace->part);
	return AZ_OK;
}

static enum az_status
end_rows(struct trace *trace, bool keep, struct az_err *reterr)
{
	enum az_status status = AZ_OK;

	if (trace->rows_fd < 0)
		return AZ_OK;
	if (keep && (fsync(trace->rows_fd) != 0 || rename(trace->part, trace->rows_path) != 0))
		status = az_fail_errno(reterr, AZ_IO, errno, "%s", trace->rows_path);
	if (!keep || status != AZ_OK)
		(void)unlink(trace->part);
	fd_close(&trace->rows_fd);
	return status;
}

/* --- printing --------------------------------------------------------------------------------- */

static unsigned long long
count_of(const json_t *tree, const char *name)
{
	return (unsigned long long)json_integer_value(json_object_get(tree, name));
}

/* One screen: what was found of whom, and in how much it was looked for. */
static void
print_screen(const json_t *tree)
{
	const json_t *coverage = json_object_get(tree, "coverage");
	const json_t *clients = json_object_get(tree, "clients");
	const json_t *client;
	size_t i;

	(void)printf("%llu rows: %llu ours, %llu ambiguous, %llu not found", count_of(tree, "rows"),
	    count_of(tree, "ours"), count_of(tree, "ambiguous"), count_of(tree, "not_found"));
	if (count_of(tree, "refused") > 0)
		(void)printf(", %llu that cannot be read", count_of(tree, "refused"));
	(void)printf(
	    "\n%llu people of %zu clients\n\n", count_of(tree, "people"), json_array_size(clients));
	json_array_foreach(clients, i, client)
	{
		const json_t *classes = json_object_get(client, "classes");

		(void)printf("  %-20s %10llu rows %10llu people  ",
		    json_string_value(json_object_get(client, "client")), count_of(client, "rows"),
		    count_of(client, "people"));
		for (size_t c = 0; c < json_array_size(classes); c++)
			(void)printf("%s%s", c == 0 ? "" : ", ",
			    json_string_value(json_array_get(classes, c)));
		(void)printf("\n");
	}
	(void)printf("%ssearched: %llu of %llu consignments, of %llu clients",
	    json_array_size(clients) > 0 ? "\n" : "", count_of(coverage, "searched"),
	    count_of(coverage, "consignments"), count_of(coverage, "clients"));
	if (count_of(coverage, "without_fingerprints") > 0)
		(void)printf("; %llu were entrusted before there were fingerprints",
		    count_of(coverage, "without_fingerprints"));
	if (count_of(coverage, "not_active") > 0)
		(void)printf("; %llu are not there any more", count_of(coverage, "not_active"));
	(void)printf(
	    "\n%llu rows of the house were opened to be compared\n", count_of(tree, "opened"));
	(void)printf("case %llu: %llu of %llu rows are used\n", count_of(tree, "case"),
	    count_of(tree, "used"), count_of(tree, "allowed"));
}

static const char *
text_of(const json_t *tree, const char *name)
{
	const char *text = json_string_value(json_object_get(tree, name));

	return text != NULL ? text : "";
}

/* Who it is: a label, or what stands for one. */
static const char *
who_of(const json_t *who)
{
	static const char *const names[] = {"staff", "client", "purpose"};

	for (size_t i = 0; i < AZ_ARRAY_SIZE(names); i++) {
		if (json_object_get(who, names[i]) != NULL)
			return text_of(who, names[i]);
	}
	return "";
}

static void
print_stretch(const json_t *stretch)
{
	const char *from = text_of(stretch, "from");
	const char *to = text_of(stretch, "to");

	if (from[0] == '\0' && to[0] == '\0')
		(void)printf("not known");
	else if (to[0] == '\0')
		(void)printf("since %.10s", from);
	else
		(void)printf("%.10s to %.10s", from, to);
}

static void
print_dating(const json_t *dating)
{
	const json_t *clusters = json_object_get(dating, "clusters");
	const json_t *cluster;
	size_t i;

	(void)printf("copied: ");
	print_stretch(dating);
	(void)printf("\n");
	if (json_array_size(clusters) < 2)
		return;
	json_array_foreach(clusters, i, cluster)
	{
		(void)printf("  ");
		print_stretch(cluster);
		(void)printf("  %llu rows\n", count_of(cluster, "rows"));
	}
}

/* A suspect: odds, by what, how many rows; then what speaks against, and who fits as well. */
static void
print_suspect(const json_t *suspect, bool several)
{
	const json_t *ties = json_object_get(suspect, "ties");
	const json_t *item;
	size_t i;

	(void)printf("  %s%s%s", text_of(suspect, "who"), who_of(suspect)[0] != '\0' ? " " : "",
	    who_of(suspect));
	if (several)
		(void)printf(" (leak %llu)", count_of(suspect, "leak"));
	(void)printf(": %s, with everybody alike %s; %s", text_of(suspect, "posterior"),
	    text_of(suspect, "posterior_flat"), text_of(suspect, "carrier"));
	/* Of a pool or the store nobody counts which rows they had. */
	if (json_object_get(suspect, "staff") != NULL || json_object_get(suspect, "client") != NULL)
		(void)printf(", %llu rows explained", count_of(suspect, "rows_explained"));
	(void)printf("\n");
	json_array_foreach(json_object_get(suspect, "against"), i, item)(void)
	    printf("    against: %s\n", json_string_value(item));
	json_array_foreach(ties, i, item)(void)
	    printf("%s%s%s%s", i == 0 ? "    fits about as well: " : ", ", text_of(item, "who"),
		who_of(item)[0] != '\0' ? " " : "", who_of(item));
	if (json_array_size(ties) > 0)
		(void)printf("\n");
}

static void
print_attribution(const json_t *tree)
{
	const json_t *suspects = json_object_get(tree, "suspects");
	const json_t *item;
	size_t i;

	if (json_object_get(tree, "problem") != NULL) {
		(void)printf(
		    "\nwho copied it could not be weighed: %s\n", text_of(tree, "problem"));
		return;
	}
	(void)printf("\nverdict: %s\n", text_of(tree, "verdict"));
	print_dating(json_object_get(tree, "dating"));
	json_array_foreach(suspects, i, item) print_suspect(item, count_of(tree, "leaks") > 1);
	json_array_foreach(json_object_get(tree, "in_every_leak"), i, item)(void)
	    printf("may have been each of the leaks: staff %s\n", json_string_value(item));
	json_array_foreach(json_object_get(tree, "histories"), i, item)(void)
	    printf("imported history %llu has %llu accesses to these rows: %s\n",
		count_of(item, "history"), count_of(item, "rows"), text_of(item, "sha256"));
	(void)printf("\n");
}

/* Probabilities come as texts, since answers have no fractions: in JSON they are numbers. */
static void
make_number(json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	if (text != NULL)
		(void)json_object_set_new(object, name, json_real(strtod(text, NULL)));
}

static void
make_numbers(json_t *tree)
{
	json_t *suspects = json_object_get(tree, "suspects");

	make_number(tree, "elsewhere");
	for (size_t i = 0; i < json_array_size(suspects); i++) {
		make_number(json_array_get(suspects, i), "posterior");
		make_number(json_array_get(suspects, i), "posterior_flat");
	}
}

static void
print_result(const json_t *tree)
{
	print_screen(tree);
	print_attribution(tree);
}

/* The items of an answer are the clients, and the entries behind the result. */
static bool
add_items(json_t *tree, const struct front_answer *answer)
{
	json_t *items = print_items_of(answer);
	json_t *clients = json_array();
	json_t *entries = json_array();
	const json_t *item;
	size_t i;

	json_array_foreach(items, i, item)
	{
		bool is_entry = json_object_get(item, "entry") != NULL;

		(void)json_array_append(is_entry ? entries : clients, (json_t *)(uintptr_t)item);
	}
	(void)json_object_set_new(tree, "clients", clients);
	(void)json_object_set_new(tree, "entries", entries);
	json_decref(items);
	return items != NULL;
}

static int
print_traced(const struct trace *trace, struct front *front, const struct front_answer *answer)
{
	json_t *tree = print_json_of(buffer_peek(&answer->tree));
	struct az_err err = {0};
	enum az_status status = AZ_OK;

	if (tree == NULL || !add_items(tree, answer)) {
		json_decref(tree);
		return print_error(
		    trace->cli, AZ_FORGED, "the keeper sent an answer that cannot be", NULL);
	}
	if (!trace->cli->json)
		print_result(tree);
	make_numbers(tree);
	if (trace->bundle_path != NULL)
		status = trace_bundle_write(front, trace->bundle_path, tree, &err);
	if (trace->cli->json)
		print_json(json_incref(tree));
	json_decref(tree);
	/* The case is used, and the result told: the bundle alone is missing. */
	return status == AZ_OK ? 0 : cli_fail(&err);
}

/* --- asking ----------------------------------------------------------------------------------- */

/* Gives one file to the keeper; 0 or an exit code after a message. */
static int
give_list(struct trace *trace, struct front *front, const char *path, struct front_answer *answer)
{
	struct az_err err = {0};
	int fd = strcmp(path, "-") == 0 ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
	enum az_status status;

	if (fd < 0) {
		(void)az_fail_errno(&err, AZ_NOT_FOUND, errno, "%s", path);
		return print_error(trace->cli, AZ_NOT_FOUND, err.text, NULL);
	}
	status = front_ask(front, FRONT_TRACE_LIST, &trace->list, fd, answer, &err);
	(void)close(fd);
	if (status != AZ_OK)
		return print_error(trace->cli, status, err.text, NULL);
	return answer->status == AZ_OK ? 0 : print_answer(trace->cli, answer, NULL);
}

static int
run(struct trace *trace, struct front *front, struct front_answer *answer)
{
	struct az_err err = {0};
	enum az_status status = trace->rows_path != NULL ? open_rows(trace, &err) : AZ_OK;
	bool traced;

	if (status == AZ_OK)
		status = front_ask(front, trace->rows_path != NULL ? FRONT_TRACE_ROWS : FRONT_TRACE,
		    &trace->run, trace->rows_fd, answer, &err);
	traced = status == AZ_OK && answer->status == AZ_OK;
	if (traced)
		status = end_rows(trace, true, &err);
	else
		az_ignore(end_rows(trace, false, NULL));
	if (status != AZ_OK)
		return print_error(trace->cli, status, err.text, NULL);
	return traced ? print_traced(trace, front, answer) : print_answer(trace->cli, answer, NULL);
}

int
cmd_trace(const struct cli *cli, int argc, char **argv)
{
	struct trace trace = {.cli = cli, .rows_fd = -1};
	struct front *front = NULL;
	struct front_answer answer;
	struct az_err err = {0};
	enum az_status status;
	int code = read_options(argc, argv, &trace);

	if (code != 0)
		return code;
	/* Before anything is used of the case. */
	if (trace.bundle_path != NULL && access(trace.bundle_path, F_OK) == 0)
		return print_error(cli, AZ_CONFLICT, "--bundle: it is there already", NULL);
	status = ask_connect(cli, &front, &err);
	if (status != AZ_OK)
		return print_error(cli, status, err.text, NULL);
	for (int i = optind; i < argc && code == 0; i++) {
		front_answer_init(&answer);
		code = give_list(&trace, front, argv[i], &answer);
		front_answer_fini(&answer);
	}
	if (code == 0) {
		front_answer_init(&answer);
		code = run(&trace, front, &answer);
		front_answer_fini(&answer);
	}
	az_wipe(&trace.list, sizeof(trace.list));
	front_close(&front);
	return code;
}
