/*
 * ZIP, 7z and gzip through libarchive, from memory.
 *
 * A name of a member is foreign text and may be a person's: it is compared, and never told. What libarchive says of an
 * error may quote one, so only its kind is used. Swelling is bounded twice, by a ratio and by a size, since
 * deflate alone reaches 1 : 1032 on nothing but zeros, and lists of people stay under 1 : 30.
 */
#include <archive.h>
#include <archive_entry.h>
#include <stdlib.h>
#include <string.h>

#include "text/unpack_internal.h"

#define MEMBERS_MAX  1000u
#define RATIO_MAX    200u
#define RATIO_FROM   (64u * 1024u * 1024u) /* bytes before the ratio matters */
#define UNPACKED_MAX (UINT64_C(64) << 30)  /* bytes of a member */
#define START_SIZE   512u

struct packed {
	struct archive *archive;
	size_t packed_size;
	bool has_password;
	enum wrapping wrapping;
	uint64_t unpacked; /* bytes of this member so far */
	bool encrypted;    /* this member is */
	uint8_t start[START_SIZE];
	size_t start_size, start_used; /* read ahead by packed_enter_list */
};

void
packed_free(struct packed **packed)
{
	if (*packed == NULL)
		return;
	if ((*packed)->archive != NULL)
		(void)archive_read_free((*packed)->archive);
	az_wipe((*packed)->start, sizeof((*packed)->start));
	free(*packed);
	*packed = NULL;
}

/* What went wrong, in our words. */
static enum az_status
damaged(const struct packed *packed, struct az_err *reterr)
{
	const char *said = archive_error_string(packed->archive);
	bool of_password = said != NULL &&
	    (strstr(said, "assphrase") != NULL || strstr(said, "ncrypt") != NULL ||
		strstr(said, "Crypto") != NULL);

	if (of_password && packed->wrapping != WRAPPING_ZIP)
		return az_fail(reterr, AZ_INVALID,
		    "%s: it has a password, which can be undone for zip only",
		    wrapping_name(packed->wrapping));
	if (of_password && !packed->has_password)
		return az_fail(reterr, AZ_INVALID, "zip: it needs a password");
	if (of_password)
		return az_fail(reterr, AZ_INVALID, "zip: the password is wrong");
	return az_fail(reterr, AZ_INVALID,
	    "%s: it is damaged or cut short after byte %llu of what is inside%s",
	    wrapping_name(packed->wrapping), (unsigned long long)packed->unpacked,
	    packed->encrypted ? ", or the password is wrong" : "");
}

static int
support(struct archive *archive, enum wrapping wrapping)
{
	if (wrapping == WRAPPING_ZIP)
		return archive_read_support_format_zip(archive);
	if (wrapping == WRAPPING_7Z)
		return archive_read_support_format_7zip(archive);
	if (archive_read_support_filter_gzip(archive) != ARCHIVE_OK)
		return ARCHIVE_FATAL;
	return archive_read_support_format_raw(archive);
}

static bool
add_password(struct archive *archive, struct bytes password)
{
	char text[UNPACK_PASSWORD_MAX + 1];
	int result;

	if (password.size == 0)
		return true;
	if (password.size > UNPACK_PASSWORD_MAX)
		return false;
	memcpy(text, password.data, password.size);
	text[password.size] = '\0';
	result = archive_read_add_passphrase(archive, text);
	az_wipe(text, sizeof(text));
	return result == ARCHIVE_OK;
}

enum az_status
packed_open(struct bytes bytes, struct bytes password, enum wrapping wrapping,
    struct packed **ret_packed, struct az_err *reterr)
{
	struct packed *packed = calloc(1, sizeof(*packed));
	enum az_status status = AZ_OK;

	if (packed == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "list: out of memory");
	packed->packed_size = bytes.size;
	packed->has_password = password.size > 0;
	packed->wrapping = wrapping;
	packed->archive = archive_read_new();
	if (packed->archive == NULL || support(packed->archive, wrapping) != ARCHIVE_OK ||
	    !add_password(packed->archive, password))
		status = az_fail(reterr, AZ_NO_MEMORY, "list: out of memory");
	else if (archive_read_open_memory(packed->archive, bytes.data, bytes.size) != ARCHIVE_OK)
		status = damaged(packed, reterr);
	if (status == AZ_OK)
		*ret_packed = packed;
	else
		packed_free(&packed);
	return status;
}

/* --- members ---------------------------------------------------------------------------------- */

/* The next member; AZ_NOT_FOUND at the end. */
static enum az_status
next_member(
    struct packed *packed, struct archive_entry **ret_entry, size_t *count, struct az_err *reterr)
{
	int result = archive_read_next_header(packed->archive, ret_entry);

	if (result == ARCHIVE_EOF)
		return AZ_NOT_FOUND;
	/* A name that cannot be told in this locale is only a warning. */
	if (result != ARCHIVE_OK && result != ARCHIVE_WARN)
		return damaged(packed, reterr);
	if (++*count > MEMBERS_MAX)
		return az_fail(reterr, AZ_LIMIT, "%s: there are more than %u members inside",
		    wrapping_name(packed->wrapping), MEMBERS_MAX);
	packed->unpacked = 0;
	packed->start_size = 0;
	packed->start_used = 0;
	packed->encrypted = archive_entry_is_encrypted(*ret_entry) != 0;
	return AZ_OK;
}

static bool
ends_with(const char *name, const char *end)
{
	size_t size = strlen(name);
	size_t end_size = strlen(end);

	return size >= end_size && strcmp(name + size - end_size, end) == 0;
}

/* What the programs of the sender's machine leave in an archive. */
static bool
is_a_list(struct archive_entry *entry)
{
	const char *name = archive_entry_pathname(entry);

	if (archive_entry_filetype(entry) != AE_IFREG && archive_entry_filetype(entry) != 0)
		return false;
	if (archive_entry_size_is_set(entry) && archive_entry_size(entry) == 0)
		return false;
	return name == NULL ||
	    (strncmp(name, "__MACOSX/", 9) != 0 && !ends_with(name, ".DS_Store") &&
		!ends_with(name, "Thumbs.db") && !ends_with(name, "desktop.ini"));
}

/* How many members are lists, counted in an archive of its own, since reading goes forward only. */
static enum az_status
count_lists(struct packed *packed, size_t *ret_lists, struct az_err *reterr)
{
	struct archive_entry *entry = NULL;
	size_t count = 0;
	size_t lists = 0;
	enum az_status status;

	for (;;) {
		status = next_member(packed, &entry, &count, reterr);
		if (status != AZ_OK)
			break;
		lists += is_a_list(entry) ? 1 : 0;
	}
	*ret_lists = lists;
	return status == AZ_NOT_FOUND ? AZ_OK : status;
}

enum az_status
packed_count_lists(struct bytes bytes, enum wrapping wrapping, struct az_err *reterr)
{
	struct packed *packed = NULL;
	size_t lists = 0;
	enum az_status status = packed_open(bytes, bytes_make(NULL, 0), wrapping, &packed, reterr);

	if (status == AZ_OK)
		status = count_lists(packed, &lists, reterr);
	packed_free(&packed);
	if (status == AZ_OK && lists != 1)
		status = az_fail(reterr, AZ_INVALID, "%s: %zu lists are inside; one is expected",
		    wrapping_name(wrapping), lists);
	return status;
}

enum az_status
packed_enter_list(struct packed *packed, struct bytes *ret_start, struct az_err *reterr)
{
	struct archive_entry *entry = NULL;
	size_t count = 0;
	size_t size = 1;
	enum az_status status;

	do {
		status = next_member(packed, &entry, &count, reterr);
	} while (status == AZ_OK && !is_a_list(entry));
	if (status == AZ_NOT_FOUND)
		return az_fail(
		    reterr, AZ_INVALID, "%s: no list is inside", wrapping_name(packed->wrapping));
	while (status == AZ_OK && size > 0 && packed->start_size < START_SIZE) {
		status = packed_read(packed, packed->start + packed->start_size,
		    START_SIZE - packed->start_size, &size, reterr);
		/* Nothing of it is handed out yet. */
		packed->start_size += status == AZ_OK ? size : 0;
		packed->start_used = packed->start_size;
	}
	packed->start_used = 0;
	*ret_start = bytes_make(packed->start, packed->start_size);
	return status;
}

enum az_status
packed_enter(struct packed *packed, const char *name, struct az_err *reterr)
{
	struct archive_entry *entry = NULL;
	size_t count = 0;
	enum az_status status;

	for (;;) {
		const char *found;

		status = next_member(packed, &entry, &count, reterr);
		if (status != AZ_OK)
			return status;
		found = archive_entry_pathname(entry);
		if (found != NULL && strcmp(found, name) == 0)
			return AZ_OK;
	}
}

/* --- contents --------------------------------------------------------------------------------- */

static enum az_status
check_swelling(const struct packed *packed, struct az_err *reterr)
{
	if (packed->unpacked > UNPACKED_MAX ||
	    (packed->unpacked > RATIO_FROM &&
		packed->unpacked / RATIO_MAX > (uint64_t)packed->packed_size))
		return az_fail(reterr, AZ_LIMIT,
		    "%s: it swells beyond reason: %llu bytes out of %zu",
		    wrapping_name(packed->wrapping), (unsigned long long)packed->unpacked,
		    packed->packed_size);
	return AZ_OK;
}

enum az_status
packed_read(
    struct packed *packed, uint8_t *data, size_t size, size_t *ret_size, struct az_err *reterr)
{
	la_ssize_t got;

	if (packed->start_used < packed->start_size) {
		size_t left = packed->start_size - packed->start_used;

		size = size < left ? size : left;
		memcpy(data, packed->start + packed->start_used, size);
		packed->start_used += size;
		*ret_size = size;
		return AZ_OK;
	}
	got = archive_read_data(packed->archive, data, size);
	if (got < 0)
		return damaged(packed, reterr);
	packed->unpacked += (uint64_t)got;
	*ret_size = (size_t)got;
	return check_swelling(packed, reterr);
}

enum az_status
packed_read_all(struct packed *packed, struct buffer *buffer, struct az_err *reterr)
{
	for (;;) {
		size_t size = 0;
		enum az_status status = buffer_reserve(buffer, 65536);

		if (status != AZ_OK)
			return az_fail(reterr, status, "%s: what is inside is too large",
			    wrapping_name(packed->wrapping));
		status = packed_read(packed, buffer->data + buffer->size, 65536, &size, reterr);
		if (status != AZ_OK || size == 0)
			return status;
		buffer->size += size;
	}
}

bool
packed_is_workbook(struct bytes bytes)
{
	struct packed *packed = NULL;
	bool found = false;

	if (packed_open(bytes, bytes_make(NULL, 0), WRAPPING_ZIP, &packed, NULL) == AZ_OK)
		found = packed_enter(packed, "xl/workbook.xml", NULL) == AZ_OK;
	packed_free(&packed);
	return found;
}
