/* azukari scan */
#include "cli/scan.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/investigate.h"
#include "cli/print.h"

#define UNPACKED_DEFAULT (UINT64_C(8) << 30)
#define SECONDS_DEFAULT  300
#define SECONDS_MAX      (30 * 24 * 3600)

/* "8G": a number with K, M, G or T, powers of 1024. */
static bool
read_size(const char *text, uint64_t *ret_size)
{
	static const char units[] = "KMGT";
	char *end;
	unsigned long long number = strtoull(text, &end, 10);
	const char *unit = *end != '\0' ? strchr(units, *end) : NULL;
	unsigned shift = unit != NULL ? 10 * (unsigned)(unit - units + 1) : 0;

	if (text[0] < '0' || text[0] > '9' || (unit == NULL ? *end != '\0' : end[1] != '\0') ||
	    number == 0 || number > UINT64_MAX >> 16 >> shift)
		return false;
	*ret_size = (uint64_t)number << shift;
	return true;
}

static bool
read_number(const char *text, unsigned long most, unsigned long *ret_number)
{
	char *end;
	unsigned long number = strtoul(text, &end, 10);

	if (text[0] < '0' || text[0] > '9' || *end != '\0' || number == 0 || number > most)
		return false;
	*ret_number = number;
	return true;
}

/* "card,email" */
static bool
read_kinds(const char *text, bool kinds[SCAN_KINDS])
{
	memset(kinds, 0, SCAN_KINDS * sizeof(kinds[0]));
	for (;;) {
		size_t size = strcspn(text, ",");
		size_t kind = 0;

		while (kind < SCAN_KINDS &&
		    (strlen(scan_kind_name((enum scan_kind)kind)) != size ||
			strncmp(text, scan_kind_name((enum scan_kind)kind), size) != 0))
			kind++;
		if (kind == SCAN_KINDS)
			return false;
		kinds[kind] = true;
		if (text[size] == '\0')
			return true;
		text += size + 1;
	}
}

static int
read_options(int argc, char **argv, struct pool_config *config, uint32_t *ret_case)
{
	static const struct option options[] = {{"patterns", no_argument, NULL, 'p'},
	    {"case", required_argument, NULL, 'c'}, {"kinds", required_argument, NULL, 'k'},
	    {"hits", no_argument, NULL, 'h'}, {"jobs", required_argument, NULL, 'j'},
	    {"max-unpacked", required_argument, NULL, 'u'},
	    {"max-seconds", required_argument, NULL, 's'}, {0}};
	bool patterns = false;
	bool kinds = false;
	unsigned long number;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'p': patterns = true; break;
		case 'h': config->tells_hits = true; break;
		case 'c':
			if (!read_case(optarg, ret_case))
				return cli_usage("scan", "--case needs the number of a case");
			break;
		case 'k':
			kinds = true;
			if (!read_kinds(optarg, config->findings->kinds))
				return cli_usage("scan", "--kinds: card, my_number, phone, email");
			break;
		case 'j':
			if (!read_number(optarg, 64, &number))
				return cli_usage("scan", "--jobs needs a number up to 64");
			config->jobs = (unsigned)number;
			break;
		case 'u':
			if (!read_size(optarg, &config->limits.bytes_max))
				return cli_usage("scan", "--max-unpacked needs a size, as 8G");
			break;
		case 's':
			if (!read_number(optarg, SECONDS_MAX, &number))
				return cli_usage("scan", "--max-seconds needs a number of seconds");
			config->limits.time_max_us = (int64_t)number * AZ_US_PER_S;
			break;
		default: return cli_usage("scan", NULL);
		}
	}
	if (patterns == (*ret_case != 0))
		return cli_usage("scan", "either --patterns or --case is needed");
	if (*ret_case != 0 && (kinds || config->tells_hits))
		return cli_usage("scan", "--kinds and --hits go with --patterns");
	return optind < argc ? 0 : cli_usage("scan", "name what is to be read");
}

/* --- printing --------------------------------------------------------------------------------- */

static json_t *
totals_of(const struct findings *findings)
{
	json_t *totals = json_object();

	for (size_t i = 0; totals != NULL && i < SCAN_KINDS; i++)
		(void)json_object_set_new(totals, scan_kind_name((enum scan_kind)i),
		    json_integer((json_int_t)findings->totals[i]));
	return totals;
}

/* A line of the table for people. */
static json_t *
line_of(const json_t *file)
{
	json_t *line = json_object();
	const json_t *member = json_object_get(file, "member");

	(void)json_object_set(line, "path", json_object_get(file, "path"));
	(void)json_object_set_new(
	    line, "member", json_string(json_is_null(member) ? "" : json_string_value(member)));
	(void)json_object_update(line, json_object_get(file, "counts"));
	return line;
}

static void
print_hits(const struct findings *findings)
{
	size_t i, j;
	json_t *file, *hit;

	json_array_foreach(findings->files, i, file)
	{
		const char *member = json_string_value(json_object_get(file, "member"));

		json_array_foreach(json_object_get(file, "hits"), j, hit)
		{
			print_text(stdout, json_string_value(json_object_get(file, "path")));
			if (member != NULL) {
				(void)putchar('!');
				print_text(stdout, member);
			}
			(void)printf(":%lld+%lld %s\n",
			    (long long)json_integer_value(json_object_get(hit, "at")),
			    (long long)json_integer_value(json_object_get(hit, "size")),
			    json_string_value(json_object_get(hit, "kind")));
		}
	}
}

static void
print_for_people(const struct findings *findings, bool hits)
{
	json_t *lines = json_array();
	size_t i;
	json_t *file;

	json_array_foreach(findings->files, i, file)(void)
	    json_array_append_new(lines, line_of(file));
	if (hits)
		print_hits(findings);
	else if (json_array_size(lines) > 0)
		print_table(lines);
	json_decref(lines);
	if (findings->unread_count > 0) {
		(void)printf("%snot read:\n", findings_any(findings) ? "\n" : "");
		print_table(findings->unread);
	}
	if (findings->left_out > 0)
		(void)printf(
		    "\n%llu more are not listed\n", (unsigned long long)findings->left_out);
	(void)printf("%s%llu files, %llu bytes read; %llu not read whole; %s\n",
	    findings_any(findings) || findings->unread_count > 0 ? "\n" : "",
	    (unsigned long long)findings->file_count, (unsigned long long)findings->bytes,
	    (unsigned long long)findings->unread_count,
	    findings_any(findings) ? "personal data found" : "nothing found");
}

/* A gate must not open for what was not read. */
static int
print(const struct cli *cli, struct findings *findings, bool hits)
{
	findings_sort(findings);
	if (cli->json)
		print_json(json_pack("{s:O, s:O, s:o, s:{s:I, s:I, s:I}, s:I}", "files",
		    findings->files, "unread", findings->unread, "totals", totals_of(findings),
		    "read", "files", (json_int_t)findings->file_count, "bytes",
		    (json_int_t)findings->bytes, "unread", (json_int_t)findings->unread_count,
		    "not_listed", (json_int_t)findings->left_out));
	else
		print_for_people(findings, hits);
	if (findings_any(findings))
		return 1;
	return findings->unread_count > 0 ? az_exit_code(AZ_LIMIT) : 0;
}

/* --- the command ------------------------------------------------------------------------------ */

struct reading {
	struct pool *pool;
	struct findings *findings;
};

static enum az_status
read_one(void *arg, const char *path, bool named, struct az_err *reterr)
{
	const struct reading *reading = arg;

	return scan_read(reading->pool, reading->findings, path, named, reterr);
}

static enum az_status
read_all(const struct pool_config *config, int count, char **paths, struct az_err *reterr)
{
	struct pool *pool = NULL;
	enum az_status status = pool_new(config, &pool, reterr);
	struct reading reading = {.pool = pool, .findings = config->findings};

	for (int i = 0; status == AZ_OK && i < count; i++)
		status = scan_walk(paths[i], config->findings, read_one, &reading, reterr);
	if (status == AZ_OK)
		status = pool_finish(pool, reterr);
	pool_free(&pool);
	return status;
}

int
cmd_scan(const struct cli *cli, int argc, char **argv)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	struct findings findings;
	struct pool_config config = {.jobs = processors > 0 ? (unsigned)processors : 1,
	    .limits = {.bytes_max = UNPACKED_DEFAULT, .time_max_us = SECONDS_DEFAULT * AZ_US_PER_S},
	    .findings = &findings};
	struct az_err err = {0};
	enum az_status status = findings_init(&findings, &err);
	uint32_t id = 0;
	int code;

	if (status != AZ_OK)
		return print_error(cli, status, err.text, NULL);
	code = read_options(argc, argv, &config, &id);
	if (code == 0 && id != 0) {
		code = scan_in_case(cli, id, &config, argc - optind, argv + optind);
	} else if (code == 0) {
		status = read_all(&config, argc - optind, argv + optind, &err);
		code = status == AZ_OK ? print(cli, &findings, config.tells_hits)
				       : print_error(cli, status, err.text, NULL);
	}
	findings_fini(&findings);
	return code;
}
