/*
 * azukari scan --case: files and disks, for what is the house's.
 *
 *	walk ─► list of files ─► its hash, in the ledger before anything is looked for
 *	     ─► scanners ─► what telephones and mails say, by place ─► socket ─► the keeper, which alone knows whose they are
 *
 * A place is a member of a file. It has a number, by which the keeper knows it, so that no path leaves this process.
 * The keeper is asked once, by a thread: it answers when all has been read, or as soon as it will not.
 */
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/frame.h"
#include "base/proc.h"
#include "base/wire.h"
#include "cli/ask.h"
#include "cli/scan.h"
#include "crypto/hash.h"
#include "proto/scan.h"

#define OUT_MAX      (2u * SCAN_BODY_MAX)
#define COMMANDS_MAX 20u /* traces that are proposed */

struct file {
	char *path;
	bool named;
};

struct place {
	char *path, *member;
	uint64_t counts[SCAN_KINDS];
};

struct case_scan {
	const struct cli *cli;
	struct findings *findings;
	struct file *files;
	size_t file_count, file_room;
	struct place *places; /* number 1 is the first */
	size_t place_count, place_room;
	json_t *numbers; /* of places, by path and member */
	struct link link;
	struct buffer body;
	/* The question, and the thread that waits for its answer. */
	struct front *front;
	union front_request request;
	struct front_answer answer;
	int keepers_fd;
	pthread_t thread;
	atomic_bool is_over;
	enum az_status asked;
	struct az_err asked_err;
};

static enum az_status
grow(void **array, size_t count, size_t *room, size_t size, struct az_err *reterr)
{
	size_t larger = *room == 0 ? 64 : 2 * *room;
	void *grown;

	if (count < *room)
		return AZ_OK;
	grown = reallocarray(*array, larger, size);
	if (grown == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "scan: out of memory");
	*array = grown;
	*room = larger;
	return AZ_OK;
}

/* --- what is to be read ----------------------------------------------------------------------- */

static enum az_status
list_file(void *arg, const char *path, bool named, struct az_err *reterr)
{
	struct case_scan *scan = arg;
	void *array = scan->files;
	enum az_status status =
	    grow(&array, scan->file_count, &scan->file_room, sizeof(*scan->files), reterr);
	struct file *file;

	scan->files = array;
	if (status != AZ_OK)
		return status;
	if (scan->file_count == UINT32_MAX)
		return az_fail(reterr, AZ_LIMIT, "scan: too many files at once");
	file = &scan->files[scan->file_count];
	file->path = strdup(path);
	file->named = named;
	if (file->path == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "scan: out of memory");
	scan->file_count++;
	return AZ_OK;
}

static void
hash_list(struct case_scan *scan)
{
	struct sha256 hash;

	sha256_init(&hash);
	for (size_t i = 0; i < scan->file_count; i++)
		sha256_update(&hash, scan->files[i].path, strlen(scan->files[i].path) + 1);
	sha256_final(&hash, scan->request.scan.hash);
	scan->request.scan.files = (uint32_t)scan->file_count;
}

/* --- places ----------------------------------------------------------------------------------- */

static enum az_status
place_new(struct case_scan *scan, const char *path, const char *member, struct az_err *reterr)
{
	void *array = scan->places;
	enum az_status status =
	    grow(&array, scan->place_count, &scan->place_room, sizeof(*scan->places), reterr);
	struct place place = {0};

	scan->places = array;
	if (status != AZ_OK)
		return status;
	place.path = strdup(path);
	place.member = strdup(member);
	if (place.path == NULL || place.member == NULL || scan->place_count == UINT32_MAX - 1) {
		free(place.path);
		free(place.member);
		return az_fail(reterr, AZ_NO_MEMORY, "scan: out of memory");
	}
	scan->places[scan->place_count++] = place;
	return AZ_OK;
}

/* The number of a place, which is given when it is first told of. */
static enum az_status
place_of(struct case_scan *scan, const char *path, const char *member, uint32_t *ret_number,
    struct az_err *reterr)
{
	size_t room = strlen(path) + strlen(member) + 2;
	char *key = malloc(room);
	const json_t *known;
	enum az_status status = AZ_OK;

	if (key == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "scan: out of memory");
	/* No path has a NUL, and no member a line feed. */
	(void)snprintf(key, room, "%s\n%s", member, path);
	known = json_object_get(scan->numbers, key);
	if (known == NULL) {
		status = place_new(scan, path, member, reterr);
		if (status == AZ_OK &&
		    json_object_set_new_nocheck(
			scan->numbers, key, json_integer((json_int_t)scan->place_count)) != 0)
			status = az_fail(reterr, AZ_NO_MEMORY, "scan: out of memory");
		*ret_number = (uint32_t)scan->place_count;
	} else {
		*ret_number = (uint32_t)json_integer_value(known);
	}
	free(key);
	return status;
}

/* --- what scanners tell ----------------------------------------------------------------------- */

static enum az_status
take_found(void *arg, const char *path, const char *member, const uint64_t counts[SCAN_KINDS],
    struct az_err *reterr)
{
	struct case_scan *scan = arg;
	uint32_t number = 0;
	enum az_status status;

	/* Nobody is known by a card's number. */
	if (counts[SCAN_PHONE] == 0 && counts[SCAN_EMAIL] == 0)
		return AZ_OK;
	status = place_of(scan, path, member, &number, reterr);
	for (size_t i = 0; status == AZ_OK && i < SCAN_KINDS; i++)
		scan->places[number - 1].counts[i] += counts[i];
	return status;
}

static enum az_status
send_frame(struct case_scan *scan, enum sift_message type, struct az_err *reterr)
{
	enum az_status status =
	    link_queue(&scan->link, (uint16_t)type, 0, buffer_peek(&scan->body));

	buffer_clear(&scan->body);
	if (status == AZ_OK)
		status = link_flush(&scan->link, reterr);
	return status == AZ_OK ? AZ_OK : az_fail(reterr, status, "scan: the keeper has ended it");
}

static enum az_status
take_tokens(
    void *arg, const char *path, const char *member, struct bytes tokens, struct az_err *reterr)
{
	struct case_scan *scan = arg;
	struct wire_writer writer;
	uint32_t number = 0;
	enum az_status status = place_of(scan, path, member, &number, reterr);

	if (status != AZ_OK)
		return status;
	wire_writer_init(&writer, &scan->body);
	wire_put_u32(&writer, number);
	status = writer.status;
	if (status == AZ_OK)
		status = buffer_append(&scan->body, tokens);
	if (status != AZ_OK)
		return az_fail(reterr, status, "scan: out of memory");
	return send_frame(scan, SIFT_TOKENS, reterr);
}

static bool
is_over(void *arg)
{
	struct case_scan *scan = arg;

	return atomic_load(&scan->is_over);
}

static enum az_status
send_end(struct case_scan *scan, struct az_err *reterr)
{
	struct wire_writer writer;

	wire_writer_init(&writer, &scan->body);
	wire_put_u32(&writer, (uint32_t)scan->place_count);
	wire_put_u32(&writer, (uint32_t)scan->findings->unread_count);
	wire_put_u64(&writer, scan->findings->bytes);
	return writer.status == AZ_OK ? send_frame(scan, SIFT_END, reterr) : writer.status;
}

/* --- asking and reading ----------------------------------------------------------------------- */

static void *
ask_main(void *arg)
{
	struct case_scan *scan = arg;

	scan->asked = front_ask(scan->front, FRONT_SCAN, &scan->request, scan->keepers_fd,
	    &scan->answer, &scan->asked_err);
	/* Ours was a copy: with it gone, nobody waits for a keeper that does not read any more. */
	fd_close(&scan->keepers_fd);
	atomic_store(&scan->is_over, true);
	return NULL;
}

static enum az_status
read_files(struct case_scan *scan, struct pool_config *config, struct az_err *reterr)
{
	struct pool_sink sink = {
	    .arg = scan, .found = take_found, .tokens = take_tokens, .is_over = is_over};
	struct pool *pool = NULL;
	enum az_status status;

	config->sink = &sink;
	status = pool_new(config, &pool, reterr);
	for (size_t i = 0; status == AZ_OK && i < scan->file_count; i++)
		status = scan_read(
		    pool, scan->findings, scan->files[i].path, scan->files[i].named, reterr);
	if (status == AZ_OK)
		status = pool_finish(pool, reterr);
	pool_free(&pool);
	config->sink = NULL;
	return status == AZ_OK ? send_end(scan, reterr) : status;
}

/* Asks, reads, and waits for the answer. What the keeper says counts for more than that it left. */
static enum az_status
ask_and_read(struct case_scan *scan, struct pool_config *config, struct az_err *reterr)
{
	int pair[2] = {-1, -1};
	enum az_status status = proc_socketpair(pair, reterr);

	if (status != AZ_OK)
		return status;
	link_init(&scan->link, pair[0], LINK_BLOCKING, SCAN_BODY_MAX, OUT_MAX, true);
	scan->keepers_fd = pair[1];
	if (pthread_create(&scan->thread, NULL, ask_main, scan) != 0) {
		fd_close(&scan->keepers_fd);
		link_fini(&scan->link);
		return az_fail(reterr, AZ_NO_MEMORY, "scan: no thread can be started");
	}
	status = read_files(scan, config, reterr);
	/* Its end of the socket gone, the keeper does not wait for more. */
	link_fini(&scan->link);
	(void)pthread_join(scan->thread, NULL);
	if (scan->asked != AZ_OK) {
		if (status == AZ_OK || status == AZ_GONE) {
			*reterr = scan->asked_err;
			status = scan->asked;
		}
		return status;
	}
	/* Whatever hindered the reading is why the keeper was left without an end. */
	return status == AZ_GONE ? AZ_OK : status;
}

/* --- what was found --------------------------------------------------------------------------- */

/* Puts what the keeper said of places and clients together with what they are. */
static bool
add_items(struct case_scan *scan, json_t *tree)
{
	json_t *items = print_items_of(&scan->answer);
	json_t *clients = json_array();
	json_t *item;
	size_t i;
	bool good = items != NULL;

	json_array_foreach(items, i, item)
	{
		const json_t *number = json_object_get(item, "place");
		json_int_t at = json_integer_value(number);
		const struct place *place;

		if (number == NULL) {
			(void)json_array_append(clients, item);
			continue;
		}
		if (at < 1 || (size_t)at > scan->place_count) {
			good = false;
			continue;
		}
		place = &scan->places[at - 1];
		findings_add_people(scan->findings, place->path, place->member, place->counts,
		    json_integer_value(json_object_get(item, "people")),
		    json_object_get(item, "found"));
	}
	(void)json_object_set_new(tree, "clients", clients);
	json_decref(items);
	return good;
}

/* 'it''s' for a shell. */
static void
append_quoted(char *text, size_t room, const char *path)
{
	size_t used = strlen(text);

	if (used + 3 > room)
		return;
	text[used++] = '\'';
	for (; *path != '\0' && used + 7 < room; path++) {
		if (*path == '\'') {
			memcpy(text + used, "'\\''", 4);
			used += 4;
		} else {
			text[used++] = *path;
		}
	}
	text[used++] = '\'';
	text[used] = '\0';
}

/* What goes on from here: each file whose rows may be people's is traced in the same case. */
static json_t *
commands_of(const struct case_scan *scan)
{
	json_t *commands = json_array();
	const char *last = "";
	json_t *file;
	size_t i;

	json_array_foreach(scan->findings->files, i, file)
	{
		const char *path = json_string_value(json_object_get(file, "path"));
		const char *member = json_string_value(json_object_get(file, "member"));
		char command[PATH_MAX + 64];

		/* What lies inside an image must be taken out of it first. */
		if (path == NULL || strcmp(path, last) == 0 || strcmp(path, "-") == 0 ||
		    (member != NULL && member[0] == '@') ||
		    json_array_size(commands) == COMMANDS_MAX)
			continue;
		last = path;
		(void)snprintf(command, sizeof(command), "azukari trace --case %u -- ",
		    (unsigned)scan->request.scan.id);
		append_quoted(command, sizeof(command), path);
		(void)json_array_append_new(commands, json_string(command));
	}
	return commands;
}

static unsigned long long
count_of(const json_t *tree, const char *name)
{
	return (unsigned long long)json_integer_value(json_object_get(tree, name));
}

/* A line of the table of files: the clients in one word. */
static json_t *
line_of(const json_t *file)
{
	json_t *line = json_object();
	char names[256] = "";
	const json_t *clients = json_object_get(file, "clients");
	const char *member = json_string_value(json_object_get(file, "member"));

	for (size_t i = 0; i < json_array_size(clients); i++) {
		size_t used = strlen(names);

		(void)snprintf(names + used, sizeof(names) - used, "%s%s", i == 0 ? "" : " ",
		    json_string_value(json_array_get(clients, i)));
	}
	(void)json_object_set(line, "path", json_object_get(file, "path"));
	(void)json_object_set_new(line, "member", json_string(member != NULL ? member : ""));
	(void)json_object_set(line, "people", json_object_get(file, "people"));
	(void)json_object_set_new(line, "clients", json_string(names));
	return line;
}

static void
print_for_people(const struct case_scan *scan, const json_t *tree)
{
	const struct findings *findings = scan->findings;
	const json_t *coverage = json_object_get(tree, "coverage");
	json_t *lines = json_array();
	const json_t *commands = json_object_get(tree, "trace");
	size_t i;
	json_t *file;

	json_array_foreach(findings->files, i, file)(void)
	    json_array_append_new(lines, line_of(file));
	if (json_array_size(lines) > 0) {
		print_table(lines);
		(void)printf("\n");
		print_table(json_object_get(tree, "clients"));
		(void)printf("\n");
	}
	json_decref(lines);
	if (findings->unread_count > 0) {
		(void)printf("not read:\n");
		print_table(findings->unread);
		(void)printf("\n");
	}
	if (findings->left_out + count_of(tree, "places_not_told") > 0)
		(void)printf("%llu more are not listed\n\n",
		    (unsigned long long)findings->left_out + count_of(tree, "places_not_told"));
	(void)printf("files %llu, bytes read %llu, not read whole %llu; people found %llu, clients "
		     "%zu, places %llu\n",
	    (unsigned long long)findings->file_count, (unsigned long long)findings->bytes,
	    (unsigned long long)findings->unread_count, count_of(tree, "people"),
	    json_array_size(json_object_get(tree, "clients")), count_of(tree, "places"));
	if (count_of(tree, "common") > 0)
		(void)printf("%llu telephones or mails that very many people have are left out\n",
		    count_of(tree, "common"));
	(void)printf("looked for: %llu of %llu consignments; clients: %llu\n",
	    count_of(coverage, "searched"), count_of(coverage, "consignments"),
	    count_of(coverage, "clients"));
	(void)printf("case %llu: %llu of %llu rows are used\n", count_of(tree, "case"),
	    count_of(tree, "used"), count_of(tree, "allowed"));
	if (json_array_size(commands) > 0)
		(void)printf("\nwhose the rows are, in the same case:\n");
	for (i = 0; i < json_array_size(commands); i++) {
		(void)printf("  ");
		print_text(stdout, json_string_value(json_array_get(commands, i)));
		(void)printf("\n");
	}
}

static int
print_found(struct case_scan *scan)
{
	const struct findings *findings = scan->findings;
	json_t *tree = print_json_of(buffer_peek(&scan->answer.tree));

	if (tree == NULL || !add_items(scan, tree)) {
		json_decref(tree);
		return print_error(
		    scan->cli, AZ_FORGED, "the keeper sent an answer that cannot be", NULL);
	}
	findings_sort(scan->findings);
	(void)json_object_set(tree, "files", findings->files);
	(void)json_object_set(tree, "unread", findings->unread);
	(void)json_object_set_new(tree, "trace", commands_of(scan));
	(void)json_object_set_new(tree, "read",
	    json_pack("{s:I, s:I, s:I}", "files", (json_int_t)findings->file_count, "bytes",
		(json_int_t)findings->bytes, "unread", (json_int_t)findings->unread_count));
	(void)json_object_set_new(tree, "not_listed", json_integer((json_int_t)findings->left_out));
	if (scan->cli->json) {
		print_json(tree);
		return 0;
	}
	print_for_people(scan, tree);
	json_decref(tree);
	return 0;
}

/* --- the command ------------------------------------------------------------------------------ */

static void
scan_fini(struct case_scan *scan)
{
	for (size_t i = 0; i < scan->file_count; i++)
		free(scan->files[i].path);
	for (size_t i = 0; i < scan->place_count; i++) {
		free(scan->places[i].path);
		free(scan->places[i].member);
	}
	free(scan->files);
	free(scan->places);
	json_decref(scan->numbers);
	buffer_fini(&scan->body);
	front_answer_fini(&scan->answer);
	front_close(&scan->front);
}

int
scan_in_case(
    const struct cli *cli, uint32_t id, struct pool_config *config, int count, char **paths)
{
	struct case_scan scan = {.cli = cli,
	    .findings = config->findings,
	    .numbers = json_object(),
	    .request = {.scan = {.id = id}},
	    .keepers_fd = -1};
	struct az_err err = {0};
	enum az_status status = AZ_OK;
	int code;

	buffer_init(&scan.body, SCAN_BODY_MAX + 64, true);
	front_answer_init(&scan.answer);
	for (int i = 0; status == AZ_OK && i < count; i++)
		status = scan_walk(paths[i], scan.findings, list_file, &scan, &err);
	if (status == AZ_OK && scan.numbers == NULL)
		status = az_fail(&err, AZ_NO_MEMORY, "scan: out of memory");
	hash_list(&scan);
	if (status == AZ_OK)
		status = ask_connect(cli, &scan.front, &err);
	if (status == AZ_OK)
		status = ask_and_read(&scan, config, &err);
	if (status != AZ_OK)
		code = print_error(cli, status, err.text, NULL);
	else if (scan.answer.status != AZ_OK)
		code = print_answer(cli, &scan.answer, NULL);
	else
		code = print_found(&scan);
	scan_fini(&scan);
	return code;
}
