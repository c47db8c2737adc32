/*
 * Which wrapping, and what is inside which: a ZIP may be a workbook, a compound file an old workbook or a ZIP with a
 * password, and any archive may hold a workbook. Deeper than that nobody sends lists, and nobody else gets in.
 */
#include <stdlib.h>
#include <string.h>

#include "text/unpack_internal.h"

#define WRAPPINGS_MAX 3u

struct unpack {
	enum wrapping wrappings[WRAPPINGS_MAX];
	size_t wrapping_count;
	struct buffer inner;   /* a workbook that lay in an archive */
	struct buffer opened;  /* what was in a compound file */
	struct packed *packed; /* text in an archive */
	struct xlsx *xlsx;
	struct xls *xls;
};

static const char *const names[WRAPPING_COUNT] = {
    [WRAPPING_NONE] = NULL,
    [WRAPPING_TEXT] = "text",
    [WRAPPING_ZIP] = "zip",
    [WRAPPING_7Z] = "7z",
    [WRAPPING_GZIP] = "gzip",
    [WRAPPING_XLSX] = "xlsx",
    [WRAPPING_OFFICE] = "office",
    [WRAPPING_XLS] = "xls",
};

const char *
wrapping_name(enum wrapping wrapping)
{
	return (unsigned int)wrapping < WRAPPING_COUNT ? names[wrapping] : NULL;
}

enum wrapping
unpack_recognise(struct bytes start)
{
	static const struct {
		enum wrapping wrapping;
		size_t size;
		const char *magic;
	} magics[] = {
	    {WRAPPING_ZIP, 4, "PK\003\004"},
	    {WRAPPING_ZIP, 4, "PK\005\006"},
	    {WRAPPING_7Z, 6, "7z\xbc\xaf\x27\x1c"},
	    {WRAPPING_GZIP, 3, "\x1f\x8b\x08"},
	    {WRAPPING_OFFICE, 8, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"},
	};

	for (size_t i = 0; i < AZ_ARRAY_SIZE(magics); i++) {
		if (start.size >= magics[i].size &&
		    bytes_equal(bytes_make(start.data, magics[i].size),
			bytes_make(magics[i].magic, magics[i].size)))
			return magics[i].wrapping;
	}
	return WRAPPING_TEXT;
}

void
unpack_prepare(void)
{
	office_prepare();
}

void
unpack_free(struct unpack **unpack)
{
	if (*unpack == NULL)
		return;
	xlsx_free(&(*unpack)->xlsx);
	xls_free(&(*unpack)->xls);
	packed_free(&(*unpack)->packed);
	buffer_fini(&(*unpack)->inner);
	buffer_fini(&(*unpack)->opened);
	free(*unpack);
	*unpack = NULL;
}

static void
note(struct unpack *unpack, enum wrapping wrapping)
{
	if (unpack->wrapping_count < WRAPPINGS_MAX)
		unpack->wrappings[unpack->wrapping_count++] = wrapping;
}

static enum az_status
open_xlsx(struct unpack *unpack, struct bytes zip, struct az_err *reterr)
{
	note(unpack, WRAPPING_XLSX);
	return xlsx_open(zip, &unpack->xlsx, reterr);
}

static enum az_status
open_office(struct unpack *unpack, struct bytes bytes, struct bytes password, struct az_err *reterr)
{
	bool encrypted = false;
	enum az_status status = office_open(bytes, password, &encrypted, &unpack->opened, reterr);

	if (status != AZ_OK)
		return status;
	if (encrypted) {
		note(unpack, WRAPPING_OFFICE);
		return open_xlsx(unpack, buffer_peek(&unpack->opened), reterr);
	}
	note(unpack, WRAPPING_XLS);
	return xls_open(buffer_peek(&unpack->opened), &unpack->xls, reterr);
}

static enum az_status
open_archive(struct unpack *unpack, struct bytes bytes, struct bytes password,
    enum wrapping wrapping, struct az_err *reterr)
{
	struct bytes start;
	enum wrapping inner;
	enum az_status status = packed_count_lists(bytes, wrapping, reterr);

	note(unpack, wrapping);
	if (status == AZ_OK)
		status = packed_open(bytes, password, wrapping, &unpack->packed, reterr);
	if (status == AZ_OK)
		status = packed_enter_list(unpack->packed, &start, reterr);
	if (status != AZ_OK)
		return status;
	inner = unpack_recognise(start);
	if (inner == WRAPPING_TEXT)
		return AZ_OK;
	if (inner != WRAPPING_ZIP && inner != WRAPPING_OFFICE)
		return az_fail(
		    reterr, AZ_INVALID, "%s: another archive is inside", wrapping_name(wrapping));
	status = packed_read_all(unpack->packed, &unpack->inner, reterr);
	packed_free(&unpack->packed);
	if (status != AZ_OK)
		return status;
	bytes = buffer_peek(&unpack->inner);
	if (inner == WRAPPING_OFFICE)
		return open_office(unpack, bytes, password, reterr);
	if (packed_is_workbook(bytes))
		return open_xlsx(unpack, bytes, reterr);
	return az_fail(
	    reterr, AZ_INVALID, "%s: another archive is inside", wrapping_name(wrapping));
}

enum az_status
unpack_open(
    struct bytes wrapped, struct bytes password, struct unpack **ret_unpack, struct az_err *reterr)
{
	struct unpack *unpack = calloc(1, sizeof(*unpack));
	enum wrapping wrapping = unpack_recognise(wrapped);
	enum az_status status;

	if (unpack == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "list: out of memory");
	buffer_init(&unpack->inner, UNPACK_INNER_MAX, true);
	buffer_init(&unpack->opened, UNPACK_INNER_MAX, true);
	if (wrapping == WRAPPING_TEXT || wrapping == WRAPPING_NONE)
		status = az_fail(reterr, AZ_INVALID, "list: it has no wrapping");
	else if (wrapping == WRAPPING_OFFICE)
		status = open_office(unpack, wrapped, password, reterr);
	else if (wrapping == WRAPPING_ZIP && packed_is_workbook(wrapped))
		status = open_xlsx(unpack, wrapped, reterr);
	else
		status = open_archive(unpack, wrapped, password, wrapping, reterr);
	if (status == AZ_OK)
		*ret_unpack = unpack;
	else
		unpack_free(&unpack);
	return status;
}

size_t
unpack_wrappings(const struct unpack *unpack, enum wrapping wrappings[WRAPPINGS_MAX])
{
	memcpy(wrappings, unpack->wrappings, sizeof(unpack->wrappings));
	return unpack->wrapping_count;
}

bool
unpack_is_workbook(const struct unpack *unpack)
{
	return unpack->packed == NULL;
}

size_t
unpack_sheets(const struct unpack *unpack)
{
	if (unpack->xlsx != NULL)
		return xlsx_sheets(unpack->xlsx);
	return unpack->xls != NULL ? xls_sheets(unpack->xls) : 0;
}

enum az_status
unpack_read(
    struct unpack *unpack, uint8_t *data, size_t size, size_t *ret_size, struct az_err *reterr)
{
	if (unpack->packed == NULL)
		return az_fail(reterr, AZ_INTERNAL, "list: a workbook has no bytes of text");
	return packed_read(unpack->packed, data, size, ret_size, reterr);
}

enum az_status
unpack_next(struct unpack *unpack, const struct list_record **ret_record, struct az_err *reterr)
{
	if (unpack->xlsx != NULL)
		return xlsx_next(unpack->xlsx, ret_record, reterr);
	if (unpack->xls != NULL)
		return xls_next(unpack->xls, ret_record, reterr);
	return az_fail(reterr, AZ_INTERNAL, "list: text has no records of its own");
}
