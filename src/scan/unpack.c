/*
 * A job: bounds, names of members, and the choice of who reads a source.
 *
 *	scan_file ─► scan_source_scan ─► bytes │ archive ─► scan_source_scan of each member │ pdf │ database │ image
 *
 * Bytes that were unpacked are counted over all levels, so that a bomb is as bounded as a large file. Whoever reads
 * for long tells of progress, by which the parent sees that the process is not stuck in a library.
 */
#include "scan/unpack.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "scan/unpack_internal.h"

/* --- members ---------------------------------------------------------------------------------- */

/* Appends one byte of a name as it is shown: controls and what is no UTF-8 as '?'. */
static void
append_shown(char *text, size_t *used, const char *name)
{
	size_t size = strlen(name);

	for (size_t i = 0; i < size;) {
		size_t length = 1;

		while (
		    length < 4 && i + length < size && ((uint8_t)name[i + length] & 0xc0) == 0x80)
			length++;
		if (*used + length + 1 > SCAN_MEMBER_MAX)
			break;
		if (!bytes_are_utf8(bytes_make(name + i, length)) || (uint8_t)name[i] < 0x20 ||
		    name[i] == 0x7f) {
			text[(*used)++] = '?';
			i++;
			continue;
		}
		memcpy(text + *used, name + i, length);
		*used += length;
		i += length;
	}
	text[*used] = '\0';
}

size_t
scan_member_enter(struct scan_job *job, const char *name)
{
	size_t mark = strlen(job->member);
	size_t used = mark;

	if (job->roll_up)
		return mark;
	if (used > 0 && used + 1 < SCAN_MEMBER_MAX)
		job->member[used++] = '!';
	append_shown(job->member, &used, name);
	job->member[used] = '\0';
	return mark;
}

void
scan_member_leave(struct scan_job *job, size_t mark)
{
	job->member[mark] = '\0';
}

/* --- bounds ----------------------------------------------------------------------------------- */

void
scan_job_unread(struct scan_job *job, enum scan_unread reason)
{
	job->report->unread(job->report->arg, job->member, reason);
}

void
scan_job_progress(struct scan_job *job, size_t size)
{
	int64_t now;

	job->read += size;
	/* The clock is asked once in some hundred kilobytes: less than a second of any reading. */
	if ((job->read ^ (job->read - size)) >> 18 == 0 && size > 0)
		return;
	now = clock_monotonic_us();
	if (now < job->next_progress_us)
		return;
	job->next_progress_us = now + AZ_US_PER_S / 2;
	job->report->progress(job->report->arg, job->read);
}

enum az_status
scan_job_end(struct scan_job *job, enum scan_unread reason)
{
	if (!job->ended)
		scan_job_unread(job, reason);
	job->ended = true;
	return AZ_LIMIT;
}

enum az_status
scan_job_unpacked(struct scan_job *job, size_t size)
{
	uint64_t before = job->unpacked;

	job->unpacked += size;
	if (job->unpacked > job->limits->bytes_max)
		return scan_job_end(job, SCAN_UNREAD_SIZE);
	if ((before ^ job->unpacked) >> 18 != 0 || size == 0) {
		if (clock_monotonic_us() > job->deadline_us)
			return scan_job_end(job, SCAN_UNREAD_TIME);
		scan_job_progress(job, 0);
	}
	return AZ_OK;
}

/* --- passes ----------------------------------------------------------------------------------- */

static void
found(void *arg, const struct scan_hit *hit)
{
	struct scan_job *job = arg;

	job->report->found(job->report->arg, job->member, hit);
}

enum az_status
scan_job_pass(struct scan_job *job, struct scan_pass **ret_pass)
{
	return scan_pass_new(found, job, ret_pass, NULL);
}

enum az_status
scan_bytes(struct scan_job *job, struct scan_source *source)
{
	struct scan_pass *pass = NULL;
	struct scan_text text = {0};
	uint64_t next_hole = 0;
	enum az_status status = scan_job_pass(job, &pass);

	while (status == AZ_OK) {
		size_t room, size;
		uint8_t *data = scan_pass_room(pass, &room);

		/* Holes are asked for now and then: a question costs as much as a read. */
		if (source->at >= next_hole && !job->limits->is_strict) {
			if (!scan_source_skip_hole(source, pass))
				break;
			next_hole = source->at + (SCAN_HOLE_STEP);
			data = scan_pass_room(pass, &room);
		}
		status = scan_source_read(job, source, data, room, &size);
		if (status != AZ_OK || size == 0)
			break;
		if (job->limits->is_strict)
			scan_text_take(&text, bytes_make(data, size));
		scan_pass_filled(pass, size);
		scan_job_progress(job, size);
	}
	if (pass != NULL)
		scan_pass_end(pass);
	if (job->limits->is_strict && !scan_text_end(&text))
		scan_job_unread(job, SCAN_UNREAD_OPAQUE);
	scan_pass_free(&pass);
	return status == AZ_OK ? AZ_OK : scan_source_unread(job, status);
}

/* --- the choice ------------------------------------------------------------------------------- */

/* Reads ahead what a source is recognised by. */
static enum az_status
read_head(struct scan_job *job, struct scan_source *source)
{
	uint8_t head[SCAN_HEAD_SIZE];
	size_t used = 0;

	while (used < sizeof(head)) {
		size_t size;
		enum az_status status =
		    scan_source_read(job, source, head + used, sizeof(head) - used, &size);

		if (status != AZ_OK)
			return status;
		if (size == 0)
			break;
		used += size;
	}
	memcpy(source->head, head, used);
	source->head_size = used;
	source->at = 0;
	return AZ_OK;
}

static enum az_status
scan_as(struct scan_job *job, struct scan_source *source, enum scan_format format)
{
	switch (format) {
	case FORMAT_PDF: return scan_pdf(job, source);
	case FORMAT_SQLITE: return scan_database(job, source);
	case FORMAT_IMAGE: return scan_image(job, source);
	case FORMAT_ZIP:
	case FORMAT_COMPRESSED:
	case FORMAT_TAR:
	case FORMAT_CPIO:
	case FORMAT_7Z:
	case FORMAT_ISO: return scan_archive(job, source, format);
	case FORMAT_ENCRYPTED: scan_job_unread(job, SCAN_UNREAD_ENCRYPTED); return AZ_OK;
	/* What is stored in it as it is can still be seen. */
	case FORMAT_UNSUPPORTED:
		scan_job_unread(job, SCAN_UNREAD_UNSUPPORTED);
		return scan_bytes(job, source);
	case FORMAT_BYTES: break;
	}
	return scan_bytes(job, source);
}

enum az_status
scan_source_scan(struct scan_job *job, struct scan_source *source)
{
	enum scan_format format;
	enum az_status status = read_head(job, source);

	if (status != AZ_OK)
		return scan_source_unread(job, status);
	format = scan_format_of(
	    bytes_make(source->head, source->head_size), job->depth == 0 && !source->is_stream);
	if (job->limits->is_strict &&
	    (format == FORMAT_PDF || format == FORMAT_SQLITE || format == FORMAT_IMAGE ||
		format == FORMAT_ISO)) {
		scan_job_unread(job, SCAN_UNREAD_OPAQUE);
		return AZ_OK;
	}
	if (job->depth == 0 && job->limits->is_image)
		format = FORMAT_IMAGE;
	if (format != FORMAT_BYTES && job->depth >= SCAN_DEPTH_MAX) {
		scan_job_unread(job, SCAN_UNREAD_DEPTH);
		return scan_bytes(job, source);
	}
	job->depth++;
	status = scan_as(job, source, format);
	job->depth--;
	return status;
}

enum az_status
scan_file(int fd, const struct scan_limits *limits, const struct scan_report *report,
    struct az_err *reterr)
{
	int64_t now = clock_monotonic_us();
	struct scan_job *job = calloc(1, sizeof(*job));
	struct scan_source *source = calloc(1, sizeof(*source));
	enum az_status status = AZ_NO_MEMORY;
	struct stat info = {0};

	if (job != NULL && source != NULL) {
		*job = (struct scan_job){.limits = limits,
		    .report = report,
		    .deadline_us = now + limits->time_max_us,
		    .next_progress_us = now};
		/* What says that it is empty may still go on, as files in /proc do. */
		if (fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && info.st_size > 0)
			scan_source_file(source, fd, 0, (uint64_t)info.st_size);
		else if (S_ISBLK(info.st_mode) && lseek(fd, 0, SEEK_END) > 0)
			scan_source_file(source, fd, 0, (uint64_t)lseek(fd, 0, SEEK_END));
		else
			scan_source_stream(source, fd);
		status = scan_source_scan(job, source);
		report->progress(report->arg, job->read);
	}
	free(source);
	free(job);
	if (status == AZ_NO_MEMORY)
		return az_fail(reterr, AZ_NO_MEMORY, "scan: out of memory");
	return AZ_OK;
}
