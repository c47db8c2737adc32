/*
 * Images of disks, and disks: all of their bytes are read as they are, and at each sector it is asked whether a file
 * begins there that must be opened to be read. File systems put a file's first byte on a sector's, and mostly the
 * rest behind it; so deleted files are found as well, and no file system of a hostile disk needs to be mounted.
 *
 * What an opened file gives is told as the member "@OFFSET".
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/wire.h"
#include "scan/unpack_internal.h"

#define SECTOR   512u
#define STEP     (64u * 1024u)
#define PDF_MAX  (64u * 1024u * 1024u) /* looked for the end of one */
#define PDF_STEP (64u * 1024u)

/* A file's end that is only followed by blanks in its sector. */
static bool
is_end_of_pdf(const uint8_t *data, size_t size, size_t at, size_t *ret_end)
{
	size_t end = at + 5;
	size_t sector = (end + SECTOR - 1) / SECTOR * SECTOR;

	if (sector > size)
		return false;
	while (end < size && (data[end] == '\r' || data[end] == '\n'))
		end++;
	for (size_t i = end; i < sector; i++) {
		if (data[i] != 0)
			return false;
	}
	*ret_end = end;
	return true;
}

/* How long the PDF file at base is, up to PDF_MAX: there may be several ends in one. */
static enum az_status
pdf_size(struct scan_job *job, const struct scan_source *image, uint64_t base, uint64_t *ret_size)
{
	struct scan_source *source = calloc(1, sizeof(*source));
	struct buffer buffer;
	size_t from = 0;
	size_t got = 1;
	enum az_status status = source != NULL ? AZ_OK : AZ_NO_MEMORY;

	buffer_init(&buffer, PDF_MAX + PDF_STEP, true);
	if (source != NULL)
		scan_source_file(source, image->fd, image->base + base, PDF_MAX);
	*ret_size = 0;
	while (status == AZ_OK && got > 0 && *ret_size == 0) {
		status = buffer_reserve(&buffer, PDF_STEP);
		if (status == AZ_OK)
			status = scan_source_read(
			    job, source, buffer.data + buffer.size, PDF_STEP, &got);
		if (status != AZ_OK)
			break;
		buffer.size += got;
		for (; from + 5 + SECTOR <= buffer.size || (got == 0 && from + 5 <= buffer.size);
		     from++) {
			size_t end;

			if (buffer.data[from] == '%' && buffer.data[from + 1] == '%' &&
			    bytes_equal(bytes_make(buffer.data + from, 5), bytes_of("%%EOF")) &&
			    is_end_of_pdf(buffer.data, buffer.size, from, &end)) {
				*ret_size = end;
				break;
			}
		}
	}
	if (*ret_size == 0)
		*ret_size = buffer.size;
	buffer_fini(&buffer);
	free(source);
	return status == AZ_LIMIT && !job->ended ? AZ_OK : status;
}

/* --- where an xz stream ends ------------------------------------------------------------------ */

/*
 * The .xz File Format 1.2.1, sections 2.1.1 and 2.1.2. Header: magic 6, flags 2, CRC32. Footer: CRC32 of the next six bytes, u32 size of
 * the index, the same flags, "YZ".
 */
#define XZ_HEADER 12u
#define XZ_FOOTER 12u

static bool
is_xz_footer(const uint8_t *footer, const uint8_t *header)
{
	uint32_t crc = wire_load_u32(footer);

	return footer[10] == 'Y' && footer[11] == 'Z' && footer[8] == header[6] &&
	    footer[9] == header[7] && crc == bytes_crc32(bytes_make(footer + 4, 6));
}

/*
 * How long the xz stream at base is. Its reader takes what follows for another stream, and what is none for damage. 0:
 * no end is found in the first PDF_MAX bytes.
 */
static enum az_status
xz_size(struct scan_job *job, const struct scan_source *image, uint64_t base, uint64_t *ret_size)
{
	struct scan_source *source = calloc(1, sizeof(*source));
	struct buffer buffer;
	size_t from = XZ_HEADER;
	size_t got = 1;
	enum az_status status = source != NULL ? AZ_OK : AZ_NO_MEMORY;

	buffer_init(&buffer, PDF_MAX + PDF_STEP, true);
	if (source != NULL)
		scan_source_file(source, image->fd, image->base + base, PDF_MAX);
	*ret_size = 0;
	while (status == AZ_OK && got > 0 && *ret_size == 0) {
		status = buffer_reserve(&buffer, PDF_STEP);
		if (status == AZ_OK)
			status = scan_source_read(
			    job, source, buffer.data + buffer.size, PDF_STEP, &got);
		if (status != AZ_OK)
			break;
		buffer.size += got;
		/* Everything in it is a multiple of four bytes. */
		for (; from + XZ_FOOTER <= buffer.size && *ret_size == 0; from += 4) {
			if (is_xz_footer(buffer.data + from, buffer.data))
				*ret_size = from + XZ_FOOTER;
		}
	}
	buffer_fini(&buffer);
	free(source);
	return status == AZ_LIMIT && !job->ended ? AZ_OK : status;
}

/* --- files ------------------------------------------------------------------------------------ */

/* Where the file at a place ends, of the formats whose readers must not see what is behind. */
static enum az_status
find_end(struct scan_job *job, const struct scan_source *image, uint64_t at, const uint8_t *sector,
    enum scan_format format, uint64_t *size)
{
	uint64_t found = 0;
	enum az_status status = AZ_OK;

	if (format == FORMAT_PDF)
		return pdf_size(job, image, at, size);
	if (format == FORMAT_COMPRESSED && sector[0] == 0xfd)
		status = xz_size(job, image, at, &found);
	if (status == AZ_OK && found > 0)
		*size = found;
	return status;
}

static enum az_status
scan_file_at(struct scan_job *job, const struct scan_source *image, uint64_t at,
    const uint8_t *sector, enum scan_format format)
{
	struct scan_source *source = calloc(1, sizeof(*source));
	char name[32];
	uint64_t size = image->size - at;
	enum az_status status = AZ_OK;
	size_t mark;

	if (source == NULL)
		return AZ_NO_MEMORY;
	(void)snprintf(name, sizeof(name), "@%llu", (unsigned long long)at);
	mark = scan_member_enter(job, name);
	status = scan_source_unread(job, find_end(job, image, at, sector, format, &size));
	scan_source_file(source, image->fd, image->base + at, size);
	source->in_image = true;
	if (status == AZ_OK)
		status = scan_source_scan(job, source);
	scan_member_leave(job, mark);
	free(source);
	return status;
}

/* Files that begin in data, which lies at a sector of the image. */
static enum az_status
scan_sectors(struct scan_job *job, const struct scan_source *image, uint64_t at, struct bytes data)
{
	enum az_status status = AZ_OK;

	for (size_t i = 0; status == AZ_OK && i + SECTOR <= data.size; i += SECTOR) {
		enum scan_format format = scan_format_in_image(data.data + i);

		if (format != FORMAT_BYTES)
			status = scan_file_at(job, image, at + i, data.data + i, format);
	}
	return status;
}

/* Fills data, but for the end of the image. */
static enum az_status
read_sectors(struct scan_job *job, struct scan_source *image, uint8_t *data, size_t *ret_size)
{
	size_t used = 0;
	size_t size = 1;
	enum az_status status = AZ_OK;

	while (status == AZ_OK && size > 0 && used < STEP) {
		status = scan_source_read(job, image, data + used, STEP - used, &size);
		if (status == AZ_OK)
			used += size;
	}
	*ret_size = used;
	return status;
}

static enum az_status
scan_all(struct scan_job *job, struct scan_source *image, struct scan_pass *pass, uint8_t *data)
{
	uint64_t next_hole = 0;
	size_t size = 1;
	enum az_status status = AZ_OK;

	while (status == AZ_OK && size > 0) {
		uint64_t at;

		if (image->at >= next_hole) {
			if (!scan_source_skip_hole(image, pass))
				break;
			next_hole = image->at + SCAN_HOLE_STEP;
		}
		at = image->at;
		status = read_sectors(job, image, data, &size);
		if (status == AZ_OK)
			status = scan_sectors(job, image, at, bytes_make(data, size));
		scan_pass_feed(pass, bytes_make(data, size));
		scan_job_progress(job, size);
	}
	scan_pass_end(pass);
	return status;
}

enum az_status
scan_image(struct scan_job *job, struct scan_source *source)
{
	uint8_t *data = malloc(STEP);
	struct scan_pass *pass = NULL;
	enum az_status status = data != NULL ? scan_job_pass(job, &pass) : AZ_NO_MEMORY;

	/* The head that was read ahead must not keep sectors apart. */
	source->head_size = 0;
	if (status == AZ_OK)
		status = scan_all(job, source, pass, data);
	scan_pass_free(&pass);
	free(data);
	return status == AZ_OK ? AZ_OK : scan_source_unread(job, status);
}
