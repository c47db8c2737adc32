/* azukari-verify log: a whole exported log, and its story. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "verify/commands.h"
#include "verify/verify.h"
#include "verify/who.h"

#define SECOND_US   INT64_C(1000000)
#define PROGRESS_US (2 * SECOND_US)

/* --- progress --------------------------------------------------------------------------------- */

struct progress {
	int64_t started_us;
	bool shown;
};

static void
show_progress(void *arg, uint64_t entries, uint64_t of)
{
	struct progress *progress = arg;

	if (!isatty(STDERR_FILENO) || clock_monotonic_us() - progress->started_us < PROGRESS_US)
		return;
	(void)fprintf(
	    stderr, "\r%llu of %llu entries", (unsigned long long)entries, (unsigned long long)of);
	(void)fflush(stderr);
	progress->shown = true;
}

/* --- the story -------------------------------------------------------------------------------- */

struct story {
	const struct verify_options *options;
	struct who *who;
	enum az_status status;
	bool any;
};

static void
tell(void *arg, uint64_t index, const struct ledger_read *read)
{
	struct story *story = arg;
	json_t *object;

	if (read != NULL && story->status == AZ_OK)
		story->status = who_add(story->who, read);
	if (!story->options->json) {
		(void)printf("%10llu  ", (unsigned long long)index);
		if (read != NULL)
			tell_entry(stdout, read);
		else
			(void)fputs("of a form that this program does not know", stdout);
		(void)putchar('\n');
		return;
	}
	object = read != NULL ? tell_json(index, read)
			      : json_pack("{s:I, s:n}", "index", (json_int_t)index, "type");
	(void)fputs(story->any ? ",\n    " : "\n    ", stdout);
	if (object == NULL || json_dumpf(object, stdout, JSON_COMPACT) != 0)
		story->status = AZ_NO_MEMORY;
	story->any = true;
	json_decref(object);
}

static json_t *
describe_who(const struct who *who)
{
	json_t *array = json_array();
	size_t count;
	const struct who_staff *staff = who_staff(who, &count);

	for (size_t i = 0; i < count; i++) {
		char name[2 * PSEUDONYM_SIZE + 1], first[48], last[48];

		hex_encode(bytes_make(staff[i].staff, PSEUDONYM_SIZE), name);
		clock_format_utc(staff[i].first_us, first, sizeof(first));
		clock_format_utc(staff[i].last_us, last, sizeof(last));
		(void)json_array_append_new(array,
		    json_pack("{s:s, s:I, s:I, s:I, s:s, s:s}", "staff", name, "entries",
			(json_int_t)staff[i].entries, "disclosures",
			(json_int_t)staff[i].disclosures, "people", (json_int_t)staff[i].people,
			"first", first, "last", last));
	}
	return array;
}

static void
print_who(const struct who *who)
{
	size_t count;
	const struct who_staff *staff = who_staff(who, &count);

	for (size_t i = 0; i < count; i++) {
		char name[2 * PSEUDONYM_SIZE + 1], first[48], last[48];

		hex_encode(bytes_make(staff[i].staff, PSEUDONYM_SIZE), name);
		clock_format_local(staff[i].first_us, first, sizeof(first));
		clock_format_local(staff[i].last_us, last, sizeof(last));
		(void)printf(
		    "staff %.8s  %llu disclosures of %llu people, %llu entries, %s to %s\n", name,
		    (unsigned long long)staff[i].disclosures, (unsigned long long)staff[i].people,
		    (unsigned long long)staff[i].entries, first, last);
	}
}

/* --- what was found --------------------------------------------------------------------------- */

static json_t *
describe(
    const struct verify_options *options, const struct log_check *check, const struct other *other)
{
	json_t *types = json_object();
	json_t *object;
	char when[48];

	for (unsigned int type = 0; type < AZ_ARRAY_SIZE(check->types); type++) {
		const char *name = ledger_entry_name((enum entry_type)type);

		if (check->types[type] > 0 && name != NULL)
			(void)json_object_set_new(
			    types, name, json_integer((json_int_t)check->types[type]));
	}
	object = json_pack("{s:s, s:I, s:s, s:o, s:I, s:b}", "origin", check->key->name, "size",
	    (json_int_t)check->size, "root", hash_text(check->root), "types", types, "unknown",
	    (json_int_t)check->unknown, "key_known", options->vkey != NULL);
	if (check->first_us <= check->last_us && check->size > check->unknown) {
		clock_format_utc(check->first_us, when, sizeof(when));
		(void)json_object_set_new(object, "first", json_string(when));
		clock_format_utc(check->last_us, when, sizeof(when));
		(void)json_object_set_new(object, "last", json_string(when));
	}
	if (options->newest != NULL)
		(void)json_object_set_new(
		    object, "newest_size", json_integer((json_int_t)check->newest_size));
	if (options->other != NULL)
		(void)json_object_set_new(object, "other", other_describe(other));
	if (check->witness != NULL) {
		clock_format_utc(check->witnessed_s * SECOND_US, when, sizeof(when));
		(void)json_object_set_new(object, "witnessed", json_string(when));
		(void)json_object_set_new(
		    object, "witnessed_size", json_integer((json_int_t)check->witnessed_size));
	}
	return object;
}

static void
print_summary(
    const struct verify_options *options, const struct log_check *check, const struct other *other)
{
	char first[48], last[48];

	say_text(stdout, check->key->name);
	(void)printf("\n%llu entries\n", (unsigned long long)check->size);
	if (check->size > check->unknown) {
		clock_format_local(check->first_us, first, sizeof(first));
		clock_format_local(check->last_us, last, sizeof(last));
		(void)printf("%s to %s\n", first, last);
	}
	for (unsigned int type = 0; type < AZ_ARRAY_SIZE(check->types); type++) {
		const char *name = ledger_entry_name((enum entry_type)type);

		if (check->types[type] > 0 && name != NULL)
			(void)printf(
			    "  %-16s %llu\n", name, (unsigned long long)check->types[type]);
	}
	(void)printf("root %s\nevery entry is as it was signed\n", hash_text(check->root));
	if (options->newest != NULL)
		(void)printf("the newest checkpoint known, of %llu entries, is of this log\n",
		    (unsigned long long)check->newest_size);
	if (check->witness != NULL) {
		clock_format_local(check->witnessed_s * SECOND_US, first, sizeof(first));
		(void)printf("the witness cosigned %llu entries on %s\n",
		    (unsigned long long)check->witnessed_size, first);
	}
	if (options->other != NULL)
		other_print(other);
	if (options->newest == NULL && check->witness == NULL)
		(void)puts(
		    "NOTE: entries that were cut off the end cannot be missed without --newest "
		    "or --witness.");
	if (options->vkey == NULL)
		(void)puts(
		    "NOTE: the key was taken from the folder itself. Compare it with the one "
		    "that you know,\nor give --vkey: whoever made a log up would sign "
		    "it, too.");
}

/* --- the command ------------------------------------------------------------------------------ */

/* Good, but not all of it can be told. */
static enum az_status
check_unknown(const struct log_check *check, struct az_err *reterr)
{
	if (check->unknown == 0)
		return AZ_OK;
	return az_fail(reterr, AZ_CORRUPT,
	    "%llu entries, the first of them %llu, are of a form that this program does not know, "
	    "though they are as they were signed: a newer one is needed",
	    (unsigned long long)check->unknown, (unsigned long long)check->first_unknown);
}

static int
tell_all(const struct verify_options *options, const struct published_log *source,
    const struct log_check *check, const struct other *other)
{
	struct story story = {.options = options, .who = who_new(), .status = AZ_OK};
	struct az_err err = {0};
	enum az_status status;
	json_t *whole;

	if (story.who == NULL) {
		(void)az_fail(&err, AZ_NO_MEMORY, "log: out of memory");
		return say_bad(options, AZ_NO_MEMORY, &err);
	}
	if (options->json)
		(void)fputs("{\n  \"entries\": [", stdout);
	status = log_visit(source, check, tell, &story, &err);
	if (status == AZ_OK && story.status != AZ_OK)
		status = az_fail(&err, story.status, "log: out of memory");
	if (status == AZ_OK)
		status = check_unknown(check, &err);
	if (options->json) {
		whole = json_pack("{s:b, s:o, s:o}", "ok", status == AZ_OK, "log",
		    describe(options, check, other), "staff", describe_who(story.who));
		if (status != AZ_OK)
			(void)json_object_set_new(whole, "error",
			    json_pack("{s:s, s:s, s:i}", "status", az_status_name(status), "text",
				err.text, "exit", az_exit_code(status)));
		(void)fputs("\n  ],\n  ", stdout);
		(void)json_dumpf(whole, stdout, JSON_EMBED | JSON_INDENT(2));
		(void)fputs("\n}\n", stdout);
		json_decref(whole);
	} else if (status == AZ_OK || status == AZ_CORRUPT) {
		print_who(story.who);
		print_summary(options, check, other);
	}
	who_free(&story.who);
	if (status != AZ_OK && !options->json)
		return say_bad(options, status, &err);
	return az_exit_code(status);
}

enum az_status
log_check_shown(const struct published_log *source, struct log_check *check, struct az_err *reterr)
{
	struct progress progress = {.started_us = clock_monotonic_us()};
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	enum az_status status;

	check->threads = processors > 0 ? (unsigned int)processors : 1;
	check->progress = show_progress;
	check->arg = &progress;
	status = log_check(source, check, reterr);
	if (progress.shown)
		(void)fputs("\r\033[K", stderr);
	return status;
}

static int
check_and_tell(const struct verify_options *options, const int *dirfd, struct log_check *check)
{
	struct published_log source = published_folder(dirfd);
	struct other found = {0};
	const struct other *other = &found;
	struct az_err err = {0};
	enum az_status status = log_check_shown(&source, check, &err);

	if (status == AZ_OK && options->other != NULL)
		status = other_check(options, &source, check, &found, &err);
	if (status != AZ_OK)
		return say_bad(options, status, &err);
	if (options->story)
		return tell_all(options, &source, check, other);
	if (!options->json)
		print_summary(options, check, other);
	status = check_unknown(check, &err);
	if (status != AZ_OK)
		return say_bad(options, status, &err);
	return say_good(options, json_pack("{s:o}", "log", describe(options, check, other)));
}

enum az_status
log_find_key(
    const char *vkey, const char *name, int dirfd, struct note_key *ret_key, struct az_err *reterr)
{
	struct buffer text;
	struct az_err err = {0};
	enum az_status status;

	if (vkey != NULL)
		return input_key(vkey, NOTE_KEY_ED25519, ret_key, reterr);
	buffer_init(&text, NOTE_VKEY_MAX, false);
	status = file_read_whole(dirfd, "vkey", &text, &err);
	if (status == AZ_OK)
		status = note_key_parse(buffer_peek(&text), ret_key, &err);
	buffer_fini(&text);
	return status == AZ_OK ? AZ_OK : az_fail(reterr, status, "%s: %s", name, err.text);
}

static enum az_status
read_newest(const char *path, struct buffer *note, struct az_err *reterr)
{
	struct az_err err = {0};
	enum az_status status = input_checkpoint(path, note, &err);

	return status == AZ_OK ? AZ_OK : az_fail(reterr, status, "%s: %s", path, err.text);
}

int
verify_log(const struct verify_options *options)
{
	struct log_check check = {0};
	struct note_key key = {0};
	struct note_key witness = {0};
	struct az_err err = {0};
	struct buffer newest;
	int dirfd = open(options->arguments[0], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	enum az_status status = AZ_OK;
	int code;

	buffer_init(&newest, NOTE_MAX, false);
	if (dirfd < 0)
		status = az_fail_errno(&err, AZ_IO, errno, "%s", options->arguments[0]);
	if (status == AZ_OK)
		status = log_find_key(options->vkey, options->arguments[0], dirfd, &key, &err);
	if (status == AZ_OK && options->witness != NULL)
		status = input_key(options->witness, NOTE_KEY_COSIGNATURE, &witness, &err);
	if (status == AZ_OK && options->newest != NULL)
		status = read_newest(options->newest, &newest, &err);
	if (status == AZ_OK && options->newest != NULL && newest.size == 0)
		status = az_fail(&err, AZ_CORRUPT, "%s: empty", options->newest);
	if (status == AZ_OK) {
		check.key = &key;
		check.witness = options->witness != NULL ? &witness : NULL;
		check.newest = buffer_peek(&newest);
		code = check_and_tell(options, &dirfd, &check);
	} else {
		code = say_bad(options, status, &err);
	}
	buffer_fini(&newest);
	fd_close(&dirfd);
	return code;
}
