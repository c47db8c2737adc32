/*
 * azukari demo: a sample house, or its lists alone.
 *
 *	DIR/lists/clients.tsv   client, name, category, purpose, fields, form, list, second delivery
 *	DIR/lists/c01.csv …     what each client sends, in its form (demo_lists.c)
 *	DIR/house               an unsealed house that keeps them; DIR/NAME.key, DIR/receipts
 *
 * With --out DIR the lists lie in DIR itself, and there is no house.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "cli/demo.h"
#include "cli/print.h"

#define DIR_USUAL    "azukari-demo"
#define AGAIN_OF     5u  /* one client in so many sends a second list */
#define SHARED_SHARE 40u /* one home in so many people is known to all clients */

struct demo {
	const struct cli *cli;
	const char *lists; /* --out */
	const char *dir;
	uint64_t people, clients, seed;
	struct demo_names names;
	struct demo_client *table;
	uint64_t rows;
	int dirfd;
};

/* What clients entrust lists for, and what an agent sees of them. */
static const struct {
	const char *category, *label, *purpose, *fields;
} purposes[] = {
    {"car tax", "Prefecture", "car-tax", "name,kana,address,phone:last4"},
    {"health check-up", "City", "checkup", "name,kana,birth:year,phone:last4"},
    {"overdue tax", "City", "overdue-tax", "name,address,phone:last4,mobile:last4"},
    {"telemarketing", "Company", "offers", "name:first,phone:last4,email:domain"},
    {"customer service", "Company", "service", "number,name,address,phone,email"},
};

static enum az_status
make_table(struct demo *demo, struct az_err *reterr)
{
	demo->table = calloc(demo->clients, sizeof(*demo->table));
	if (demo->table == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "demo: out of memory");
	for (uint32_t i = 0; i < demo->clients; i++) {
		struct demo_client *client = &demo->table[i];
		size_t kind = i % AZ_ARRAY_SIZE(purposes);
		/* As even as it goes; the first ones have one more. */
		uint64_t people =
		    demo->people / demo->clients + (i < demo->people % demo->clients ? 1 : 0);

		*client = (struct demo_client){.category = purposes[kind].category,
		    .purpose = purposes[kind].purpose,
		    .fields = purposes[kind].fields,
		    .form = demo_form_of(i + 1, (uint32_t)people),
		    .people = (uint32_t)people,
		    .again = i % AGAIN_OF == AGAIN_OF - 1};
		(void)snprintf(client->label, sizeof(client->label), "c%02u", i + 1);
		(void)snprintf(
		    client->name, sizeof(client->name), "%s %u", purposes[kind].label, i + 1);
	}
	return AZ_OK;
}

static enum az_status
write_list(struct demo *demo, uint32_t client, uint32_t delivery, struct az_err *reterr)
{
	const struct demo_client *of = &demo->table[client - 1];
	struct demo_people people;
	char name[64];
	uint64_t rows = 0;
	enum az_status status;

	(void)snprintf(name, sizeof(name), "%s%s.%s", of->label, delivery > 1 ? "-2" : "",
	    demo_form_suffix(of->form));
	demo_people_start(&people, &demo->names, demo->seed, client, of->people,
	    (uint32_t)(demo->people / SHARED_SHARE), delivery);
	status = demo_list_write(demo->dirfd, name, of->form, &people, &rows, reterr);
	demo->rows += rows;
	return status;
}

static enum az_status
write_table(const struct demo *demo, struct az_err *reterr)
{
	int fd = openat(demo->dirfd, "clients.tsv", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
	bool good = file != NULL;

	for (uint32_t i = 0; i < demo->clients && good; i++) {
		const struct demo_client *client = &demo->table[i];
		const char *suffix = demo_form_suffix(client->form);

		good = fprintf(file, "%s\t%s\t%s\t%s\t%s\t%s\t%s.%s\t", client->label, client->name,
			   client->category, client->purpose, client->fields,
			   demo_form_name(client->form), client->label, suffix) > 0;
		if (client->again)
			good = good && fprintf(file, "%s-2.%s", client->label, suffix) > 0;
		good = good && fputc('\n', file) != EOF;
	}
	if (file != NULL)
		good = fclose(file) == 0 && good;
	else
		fd_close(&fd);
	return good ? AZ_OK : az_fail(reterr, AZ_IO, "clients.tsv could not be written");
}

static void
show(const struct demo *demo, uint32_t client)
{
	if (!demo->cli->json && isatty(STDERR_FILENO))
		(void)fprintf(stderr, "\r%u of %llu lists written%s", client,
		    (unsigned long long)demo->clients, client == demo->clients ? "\n" : "");
}

static enum az_status
write_lists(struct demo *demo, const char *path, struct az_err *reterr)
{
	enum az_status status;

	if (mkdir(path, 0700) != 0)
		return az_fail_errno(
		    reterr, errno == EEXIST ? AZ_CONFLICT : AZ_IO, errno, "%s", path);
	status = dir_open(AT_FDCWD, path, false, 0, &demo->dirfd, reterr);
	if (status == AZ_OK)
		status = demo_names_open(&demo->names, reterr);
	if (status == AZ_OK && demo->names.built_in)
		(void)fprintf(stderr,
		    "azukari: demo.names is not installed: a few names and towns for everybody\n");
	if (status == AZ_OK)
		status = make_table(demo, reterr);
	if (status == AZ_OK)
		status = write_table(demo, reterr);
	for (uint32_t client = 1; client <= demo->clients && status == AZ_OK; client++) {
		status = write_list(demo, client, 1, reterr);
		if (status == AZ_OK && demo->table[client - 1].again)
			status = write_list(demo, client, 2, reterr);
		show(demo, client);
	}
	return status;
}

static enum az_status
make_all(struct demo *demo, struct az_err *reterr)
{
	char path[PATH_MAX];
	enum az_status status;

	if (demo->lists != NULL)
		return write_lists(demo, demo->lists, reterr);
	if (snprintf(path, sizeof(path), "%s/lists", demo->dir) >= (int)sizeof(path))
		return az_fail(reterr, AZ_INVALID, "the path of the folder is too long");
	if (mkdir(demo->dir, 0755) != 0)
		return az_fail_errno(
		    reterr, errno == EEXIST ? AZ_CONFLICT : AZ_IO, errno, "%s", demo->dir);
	status = write_lists(demo, path, reterr);
	return status == AZ_OK
	    ? demo_house_make(demo->cli, demo->dir, demo->table, (uint32_t)demo->clients, reterr)
	    : status;
}

static bool
read_number(const char *text, uint64_t max, uint64_t *ret_number)
{
	char *rest = NULL;
	unsigned long long number;

	errno = 0;
	number = strtoull(text, &rest, 10);
	if (rest == text || *rest != '\0' || text[0] == '-' || errno != 0 || number > max)
		return false;
	*ret_number = number;
	return true;
}

static int
tell(const struct demo *demo)
{
	const char *dir = demo->lists != NULL ? demo->lists : demo->dir;

	if (demo->cli->json)
		print_json(json_pack("{s:s, s:I, s:I, s:I, s:I}", "out", dir, "people",
		    (json_int_t)demo->people, "clients", (json_int_t)demo->clients, "rows",
		    (json_int_t)demo->rows, "seed", (json_int_t)demo->seed));
	else if (demo->lists != NULL)
		(void)printf("%llu people in the lists of %llu clients, in %s\n",
		    (unsigned long long)demo->people, (unsigned long long)demo->clients, dir);
	else
		(void)printf("%llu people of %llu clients: lists, house and keys in %s\n"
			     "  export AZUKARI_HOUSE=%s/house AZUKARI_KEY=%s/aoki.key\n",
		    (unsigned long long)demo->people, (unsigned long long)demo->clients, dir, dir,
		    dir);
	return 0;
}

int
cmd_demo(const struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {{"out", required_argument, NULL, 'o'},
	    {"people", required_argument, NULL, 'p'}, {"clients", required_argument, NULL, 'c'},
	    {"seed", required_argument, NULL, 's'}, {0}};
	struct demo demo = {
	    .cli = cli, .dir = DIR_USUAL, .people = 90000, .clients = 59, .dirfd = -1};
	struct az_err err = {0};
	enum az_status status;
	bool good = true;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'o': demo.lists = optarg; break;
		case 'p': good &= read_number(optarg, DEMO_PEOPLE_MAX, &demo.people); break;
		case 'c': good &= read_number(optarg, DEMO_CLIENTS_MAX, &demo.clients); break;
		case 's': good &= read_number(optarg, UINT64_MAX, &demo.seed); break;
		default: return cli_usage("demo", NULL);
		}
	}
	if (optind < argc && demo.lists == NULL)
		demo.dir = argv[optind++];
	if (optind != argc)
		return cli_usage("demo", "one folder at most");
	if (!good || demo.clients == 0 || demo.people < demo.clients)
		return cli_usage("demo", "--people, --clients and --seed need numbers");
	status = make_all(&demo, &err);
	demo_names_free(&demo.names);
	free(demo.table);
	fd_close(&demo.dirfd);
	return status == AZ_OK ? tell(&demo) : print_error(cli, status, err.text, NULL);
}
