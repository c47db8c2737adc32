/* azukari-verify log --other: a second log of the same house, and what the two say about each other. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "verify/commands.h"

enum az_status
other_check(const struct verify_options *options, const struct published_log *source,
    const struct log_check *check, struct other *ret_other, struct az_err *reterr)
{
	struct other other = {.key_known = options->other_vkey != NULL};
	struct log_check other_log = {0};
	struct log_commitments found[2];
	struct note_key key = {0};
	struct az_err err = {0};
	int dirfd = open(options->other, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct published_log folder = published_folder(&dirfd);
	enum az_status status = AZ_OK;

	if (dirfd < 0)
		return az_fail_errno(reterr, AZ_IO, errno, "%s", options->other);
	status = log_find_key(options->other_vkey, options->other, dirfd, &key, reterr);
	if (status == AZ_OK) {
		other_log.key = &key;
		status = log_check_shown(&folder, &other_log, &err);
		if (status != AZ_OK)
			status = az_fail(reterr, status, "%s: %s", options->other, err.text);
	}
	if (status == AZ_OK)
		status = log_check_crossed(&(struct crossed_log){.source = source, .check = check},
		    &(struct crossed_log){.source = &folder, .check = &other_log}, found, reterr);
	fd_close(&dirfd);
	if (status != AZ_OK)
		return status;
	(void)snprintf(other.origin, sizeof(other.origin), "%s", key.name);
	other.size = other_log.size;
	other.about_other = found[0];
	other.about_this = found[1];
	*ret_other = other;
	return AZ_OK;
}

static json_t *
describe(const struct log_commitments *found)
{
	json_t *object = json_pack("{s:I}", "commitments", (json_int_t)found->count);
	char when[48];

	if (found->count == 0)
		return object;
	clock_format_utc(found->last_us, when, sizeof(when));
	(void)json_object_set_new(object, "last", json_string(when));
	(void)json_object_set_new(object, "size", json_integer((json_int_t)found->last_size));
	return object;
}

json_t *
other_describe(const struct other *other)
{
	return json_pack("{s:s, s:I, s:b, s:o, s:o}", "origin", other->origin, "size",
	    (json_int_t)other->size, "key_known", other->key_known, "about_it",
	    describe(&other->about_other), "about_this", describe(&other->about_this));
}

static void
print_way(const char *which, const struct log_commitments *found)
{
	char when[48];

	if (found->count == 0) {
		(void)printf("NOTE: %s does not say yet how long the other was\n", which);
		return;
	}
	clock_format_local(found->last_us, when, sizeof(when));
	(void)printf("%s says %llu times how long the other was, and it is so; last on %s: %llu "
		     "entries\n",
	    which, (unsigned long long)found->count, when, (unsigned long long)found->last_size);
}

void
other_print(const struct other *other)
{
	(void)printf("the other log, ");
	say_text(stdout, other->origin);
	(void)printf(", of %llu entries, is as it was signed\n", (unsigned long long)other->size);
	print_way("this log", &other->about_other);
	print_way("the other log", &other->about_this);
	if (!other->key_known)
		(void)puts(
		    "NOTE: the other log's key was taken from its folder: give --other-vkey.");
}
