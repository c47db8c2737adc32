/*
 * Archives, by libarchive, which reads through callbacks from whatever source holds them.
 *
 * Each member is a source again, so that archives in archives are opened on the way, without being held. Only the format
 * that was recognised is enabled: the less of a library that hostile bytes reach, the better. Members of Office and
 * OpenDocument files are read as marked-up text and belong to the document.
 */
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "scan/unpack_internal.h"

#define BLOCK (64u * 1024u)

struct reading {
	struct scan_job *job;
	struct scan_source *source;
	enum az_status status; /* of the source, where libarchive cannot tell it */
	uint8_t block[BLOCK];
};

/* --- what libarchive calls -------------------------------------------------------------------- */

static la_ssize_t
on_read(struct archive *archive, void *arg, const void **ret_block)
{
	struct reading *reading = arg;
	size_t size;

	reading->status = scan_source_read(
	    reading->job, reading->source, reading->block, sizeof(reading->block), &size);
	if (reading->status != AZ_OK) {
		archive_set_error(archive, EIO, "source");
		return ARCHIVE_FATAL;
	}
	scan_job_progress(reading->job, size);
	*ret_block = reading->block;
	return (la_ssize_t)size;
}

static la_int64_t
on_seek(struct archive *archive, void *arg, la_int64_t offset, int whence)
{
	struct reading *reading = arg;
	struct scan_source *source = reading->source;
	la_int64_t at = offset;

	if (whence == SEEK_CUR)
		at += (la_int64_t)source->at;
	else if (whence == SEEK_END)
		at += (la_int64_t)source->size;
	if (at < 0 || (uint64_t)at > source->size)
		return ARCHIVE_FATAL;
	scan_source_seek(source, (uint64_t)at);
	return at;
}

static la_int64_t
on_skip(struct archive *archive, void *arg, la_int64_t size)
{
	struct reading *reading = arg;
	struct scan_source *source = reading->source;

	if (!scan_source_seeks(source) || source->at >= source->size || size <= 0)
		return 0;
	if ((uint64_t)size > source->size - source->at)
		size = (la_int64_t)(source->size - source->at);
	scan_source_seek(source, source->at + (uint64_t)size);
	return size;
}

/* --- opening ---------------------------------------------------------------------------------- */

static int
enable(struct archive *archive, enum scan_format format)
{
	switch (format) {
	case FORMAT_ZIP: return archive_read_support_format_zip(archive);
	case FORMAT_TAR: return archive_read_support_format_tar(archive);
	case FORMAT_CPIO: return archive_read_support_format_cpio(archive);
	case FORMAT_7Z: return archive_read_support_format_7zip(archive);
	case FORMAT_ISO: return archive_read_support_format_iso9660(archive);
	case FORMAT_COMPRESSED:
		(void)archive_read_support_filter_gzip(archive);
		(void)archive_read_support_filter_bzip2(archive);
		(void)archive_read_support_filter_xz(archive);
		(void)archive_read_support_filter_zstd(archive);
		(void)archive_read_support_format_tar(archive);
		(void)archive_read_support_format_cpio(archive);
		return archive_read_support_format_raw(archive);
	case FORMAT_BYTES:
	case FORMAT_PDF:
	case FORMAT_SQLITE:
	case FORMAT_IMAGE:
	case FORMAT_ENCRYPTED:
	case FORMAT_UNSUPPORTED: break;
	}
	return ARCHIVE_FATAL;
}

static bool
open_archive(struct archive *archive, struct reading *reading, enum scan_format format)
{
	/* A zip's directory is looked for at its end, which in an image is not its own. */
	bool seeks = scan_source_seeks(reading->source) &&
	    (!reading->source->in_image || format == FORMAT_7Z);

	if (enable(archive, format) < ARCHIVE_WARN ||
	    archive_read_set_read_callback(archive, on_read) != ARCHIVE_OK ||
	    archive_read_set_callback_data(archive, reading) != ARCHIVE_OK)
		return false;
	if (seeks &&
	    (archive_read_set_seek_callback(archive, on_seek) != ARCHIVE_OK ||
		archive_read_set_skip_callback(archive, on_skip) != ARCHIVE_OK))
		return false;
	return archive_read_open1(archive) >= ARCHIVE_WARN;
}

/* --- members ---------------------------------------------------------------------------------- */

static const char *
name_of(struct archive_entry *entry)
{
	const char *name = archive_entry_pathname_utf8(entry);

	if (name == NULL)
		name = archive_entry_pathname(entry);
	return name != NULL ? name : "?";
}

static bool
begins_with(const char *text, const char *start)
{
	return strncmp(text, start, strlen(start)) == 0;
}

static bool
ends_with(const char *text, const char *end)
{
	return strlen(text) >= strlen(end) && strcmp(text + strlen(text) - strlen(end), end) == 0;
}

/* The member that says an archive is a document: whose own members are not worth names. */
static bool
makes_a_document(const char *name)
{
	return strcmp(name, "[Content_Types].xml") == 0 || begins_with(name, "xl/") ||
	    begins_with(name, "word/") || begins_with(name, "ppt/") ||
	    strcmp(name, "mimetype") == 0 || begins_with(name, "_rels/") ||
	    begins_with(name, "docProps/");
}

static bool
is_markup(const char *name)
{
	return ends_with(name, ".xml") || ends_with(name, ".rels");
}

/* A document is told by its first member. */
static enum az_status
read_entry(
    struct scan_job *job, struct archive *archive, struct archive_entry *entry, bool is_document)
{
	struct scan_source *source = calloc(1, sizeof(*source));
	enum az_status status;

	if (source == NULL)
		return AZ_NO_MEMORY;
	scan_source_member(source, archive);
	status = is_document && is_markup(name_of(entry)) ? scan_markup(job, source)
							  : scan_source_scan(job, source);
	free(source);
	return status;
}

static bool
is_file(struct archive_entry *entry)
{
	return archive_entry_filetype(entry) == AE_IFREG || archive_entry_filetype(entry) == 0;
}

static enum az_status
read_members(struct scan_job *job, struct archive *archive)
{
	enum az_status status = AZ_OK;
	struct archive_entry *entry;
	bool rolled = job->roll_up;
	bool first = true;
	bool is_document = false;
	int result = ARCHIVE_OK;

	while (status == AZ_OK &&
	    (result = archive_read_next_header(archive, &entry)) != ARCHIVE_EOF &&
	    result >= ARCHIVE_WARN) {
		bool raw = archive_format(archive) == ARCHIVE_FORMAT_RAW;
		size_t mark;

		if (!is_file(entry))
			continue;
		is_document = first ? makes_a_document(name_of(entry)) : is_document;
		first = false;
		job->roll_up = rolled || is_document || raw;
		mark = scan_member_enter(job, name_of(entry));
		/* The bytes of a compressed file are the file, not a member of it. */
		job->roll_up = rolled || is_document;
		if (++job->members > SCAN_MEMBERS_MAX)
			status = scan_job_end(job, SCAN_UNREAD_SIZE);
		else if (archive_entry_is_encrypted(entry))
			scan_job_unread(job, SCAN_UNREAD_ENCRYPTED);
		else
			status = read_entry(job, archive, entry, is_document);
		scan_member_leave(job, mark);
	}
	job->roll_up = rolled;
	if (status == AZ_OK && result != ARCHIVE_EOF && !job->ended)
		scan_job_unread(job, SCAN_UNREAD_DAMAGED);
	return status;
}

/* What is no archive after all is still bytes. */
static enum az_status
scan_damaged(struct scan_job *job, struct scan_source *source)
{
	scan_job_unread(job, SCAN_UNREAD_DAMAGED);
	if (!scan_source_seeks(source) || source->in_image)
		return AZ_OK;
	scan_source_seek(source, 0);
	return scan_bytes(job, source);
}

enum az_status
scan_archive(struct scan_job *job, struct scan_source *source, enum scan_format format)
{
	struct archive *archive = archive_read_new();
	struct reading *reading = calloc(1, sizeof(*reading));
	enum az_status status = AZ_NO_MEMORY;

	if (archive != NULL && reading != NULL) {
		reading->job = job;
		reading->source = source;
		reading->status = AZ_OK;
		status = AZ_OK;
		if (open_archive(archive, reading, format))
			status = read_members(job, archive);
		else if (!job->ended)
			status = scan_damaged(job, source);
		if (job->ended && status != AZ_NO_MEMORY)
			status = AZ_LIMIT;
	}
	if (archive != NULL)
		(void)archive_read_free(archive);
	free(reading);
	return status;
}
