/*
 * Old workbooks (BIFF, xls) through libfreexl.
 *
 * libfreexl reads from a file that it opens by name, and a process that reads lists may open none. So this program has an
 * fopen of its own: for one name that no file has it gives the bytes in memory, for every other one it is the C
 * library's. The linker puts it before the C library's for libfreexl as well.
 */
#include <dlfcn.h>
#include <errno.h>
#include <freexl.h>
#include <stdlib.h>
#include <string.h>

#include "text/unpack_internal.h"

#define MEMORY_NAME "\001azukari/list.xls"

static struct bytes in_memory; /* while freexl_open runs */

struct xls {
	const void *handle;
	size_t sheets;
	struct sheet_row row;
	uint32_t rows, next;
	uint16_t columns;
};

/* Named for the linker, since the C library's header gives large files' fopen another name. */
__attribute__((visibility("default"))) FILE *xls_fopen(const char *name, const char *mode) __asm__(
    "fopen");

FILE *
xls_fopen(const char *name, const char *mode)
{
	FILE *(*of_libc)(const char *, const char *) = NULL;
	void *found;

	if (strcmp(name, MEMORY_NAME) == 0)
		return fmemopen((void *)(uintptr_t)in_memory.data, in_memory.size, "rb");
	found = dlsym(RTLD_NEXT, "fopen");
	memcpy(&of_libc, &found, sizeof(of_libc));
	if (of_libc == NULL) {
		errno = ENOSYS;
		return NULL;
	}
	return of_libc(name, mode);
}

void
xls_free(struct xls **xls)
{
	if (*xls == NULL)
		return;
	if ((*xls)->handle != NULL)
		(void)freexl_close((*xls)->handle);
	sheet_row_fini(&(*xls)->row);
	free(*xls);
	*xls = NULL;
}

size_t
xls_sheets(const struct xls *xls)
{
	return xls->sheets;
}

static enum az_status
failed(int result, bool has_password, struct az_err *reterr)
{
	if (result == FREEXL_INSUFFICIENT_MEMORY)
		return az_fail(reterr, AZ_NO_MEMORY, "workbook: out of memory");
	if (has_password)
		return az_fail(reterr, AZ_INVALID,
		    "workbook: it has a password, which cannot be undone for old workbooks");
	return az_fail(
	    reterr, AZ_INVALID, "workbook: it is damaged or of a kind that cannot be read");
}

enum az_status
xls_open(struct bytes bytes, struct xls **ret_xls, struct az_err *reterr)
{
	struct xls *xls = calloc(1, sizeof(*xls));
	unsigned int password = 0;
	unsigned int sheets = 0;
	int result;

	if (xls == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "workbook: out of memory");
	sheet_row_init(&xls->row);
	in_memory = bytes;
	result = freexl_open(MEMORY_NAME, &xls->handle);
	in_memory = bytes_make(NULL, 0);
	if (result == FREEXL_OK)
		result = freexl_get_info(xls->handle, FREEXL_BIFF_PASSWORD, &password);
	if (result == FREEXL_OK && password != FREEXL_BIFF_OBFUSCATED)
		result = freexl_get_info(xls->handle, FREEXL_BIFF_SHEET_COUNT, &sheets);
	if (result == FREEXL_OK)
		result = freexl_select_active_worksheet(xls->handle, 0);
	if (result == FREEXL_OK)
		result = freexl_worksheet_dimensions(xls->handle, &xls->rows, &xls->columns);
	xls->sheets = sheets;
	if (result != FREEXL_OK || password == FREEXL_BIFF_OBFUSCATED) {
		xls_free(&xls);
		return failed(result, password == FREEXL_BIFF_OBFUSCATED, reterr);
	}
	*ret_xls = xls;
	return AZ_OK;
}

static enum az_status
set_cell(struct xls *xls, uint16_t column, const FreeXL_CellValue *cell)
{
	char text[NUMBER_TEXT_SIZE];
	size_t size;

	switch (cell->type) {
	case FREEXL_CELL_INT: size = number_format(cell->value.int_value, text); break;
	case FREEXL_CELL_DOUBLE: size = number_format(cell->value.double_value, text); break;
	case FREEXL_CELL_TEXT:
	case FREEXL_CELL_SST_TEXT:
	case FREEXL_CELL_DATE:
	case FREEXL_CELL_DATETIME:
		if (cell->value.text_value == NULL)
			return AZ_OK;
		return sheet_row_set(&xls->row, column, bytes_of(cell->value.text_value));
	default: return AZ_OK;
	}
	return sheet_row_set(&xls->row, column, bytes_make(text, size));
}

enum az_status
xls_next(struct xls *xls, const struct list_record **ret_record, struct az_err *reterr)
{
	while (xls->next < xls->rows) {
		uint32_t at = xls->next++;

		sheet_row_clear(&xls->row);
		for (uint16_t column = 0; column < xls->columns; column++) {
			FreeXL_CellValue cell;
			int result = freexl_get_cell_value(xls->handle, at, column, &cell);
			enum az_status status =
			    result == FREEXL_OK ? set_cell(xls, column, &cell) : AZ_INVALID;

			if (status == AZ_NO_MEMORY)
				return az_fail(reterr, status, "workbook: out of memory");
			if (status != AZ_OK)
				return az_fail(reterr, AZ_INVALID,
				    "workbook: row %u of the sheet is damaged", at + 1);
		}
		if (sheet_row_end(&xls->row, at + 1)) {
			*ret_record = &xls->row.record;
			return AZ_OK;
		}
	}
	return AZ_NOT_FOUND;
}
