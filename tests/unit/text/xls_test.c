/*
 * Old workbooks that no program at hand writes, made record by record; and broken ones.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/wire.h"
#include "text/biff.h"

struct book {
	struct buffer stream;
	struct wire_writer writer;
	size_t bound; /* where the sheet's place stands */
};

static void
put_record(struct book *book, uint16_t type, const void *data, size_t size)
{
	wire_put_u16(&book->writer, type);
	wire_put_u16(&book->writer, (uint16_t)size);
	wire_put_raw(&book->writer, data, size);
}

#define PUT(book, type, bytes) put_record(book, type, bytes, sizeof(bytes) - 1)

static void
begin(struct book *book, bool is_unicode)
{
	buffer_init(&book->stream, 1024 * 1024, false);
	wire_writer_init(&book->writer, &book->stream);
	if (is_unicode)
		PUT(book, BIFF_BOF, "\x00\x06\x05\x00\x00\x00\x00\x00");
	else
		PUT(book, BIFF_BOF, "\x00\x05\x05\x00\x00\x00\x00\x00");
	book->bound = book->stream.size + 4;
	PUT(book, BIFF_BOUNDSHEET, "\x00\x00\x00\x00\x00\x00\x01\x00s");
}

/* Ends what stands before the sheet, and begins it. */
static void
begin_sheet(struct book *book)
{
	size_t at;

	PUT(book, BIFF_EOF, "");
	at = book->stream.size;
	wire_store_u32(book->stream.data + book->bound, (uint32_t)at);
	PUT(book, BIFF_BOF, "\x00\x06\x10\x00\x00\x00\x00\x00");
}

static enum az_status
open_book(struct book *book, struct xls **ret_xls)
{
	assert_int_equal(book->writer.status, AZ_OK);
	return xls_open(buffer_peek(&book->stream), ret_xls, NULL);
}

static void
end(struct book *book, struct xls **xls)
{
	xls_free(xls);
	buffer_fini(&book->stream);
}

/* The next row is at that place, with these values, parted by bars; or refused. */
static void
gives(struct xls *xls, uint64_t place, enum refusal refusal, const char *values)
{
	const struct list_record *record = NULL;
	struct buffer text;

	buffer_init(&text, 65536, false);
	assert_int_equal(xls_next(xls, &record, NULL), AZ_OK);
	assert_int_equal(record->place, place);
	assert_int_equal(record->refusal, refusal);
	for (size_t i = 0; i < record->count; i++) {
		if (i > 0)
			assert_int_equal(buffer_append(&text, bytes_of("|")), AZ_OK);
		assert_int_equal(buffer_append(&text, record->values[i]), AZ_OK);
	}
	assert_int_equal(buffer_append(&text, bytes_make("", 1)), AZ_OK);
	assert_string_equal((const char *)text.data, values);
	buffer_fini(&text);
}

static void
gives_no_more(struct xls *xls, enum az_status why)
{
	const struct list_record *record = NULL;

	assert_int_equal(xls_next(xls, &record, NULL), why);
}

static void
numbers_come_in_every_form(void **state)
{
	struct book book;
	struct xls *xls = NULL;

	(void)state;
	begin(&book, true);
	PUT(&book, BIFF_XF, "\x00\x00\x00\x00");
	PUT(&book, BIFF_XF, "\x00\x00\x0e\x00");
	begin_sheet(&book);
	/* 12, 1.23, 1.5, and a whole number that is negative */
	PUT(&book, BIFF_RK, "\x00\x00\x00\x00\x00\x00\x32\x00\x00\x00");
	PUT(&book, BIFF_RK, "\x00\x00\x01\x00\x00\x00\xef\x01\x00\x00");
	PUT(&book, BIFF_RK, "\x00\x00\x02\x00\x00\x00\x00\x00\xf8\x3f");
	PUT(&book, BIFF_RK, "\x00\x00\x03\x00\x00\x00\xfe\xff\xff\xff");
	/* Two at once, the second a day; a truth, an error, a formula's number */
	PUT(&book, BIFF_MULRK,
	    "\x01\x00\x00\x00\x00\x00\x06\x00\x00\x00\x01\x00\x92\x2e\x01\x00\x01\x00");
	PUT(&book, BIFF_BOOLERR, "\x01\x00\x02\x00\x00\x00\x01\x00");
	PUT(&book, BIFF_BOOLERR, "\x01\x00\x03\x00\x00\x00\x2a\x01");
	PUT(&book, BIFF_FORMULA,
	    "\x01\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\xf8\x3f\x00\x00");
	PUT(&book, BIFF_EOF, "");
	assert_int_equal(open_book(&book, &xls), AZ_OK);
	gives(xls, 1, REFUSAL_NONE, "12|1.23|1.5|-1");
	gives(xls, 2, REFUSAL_NONE, "1|1953-01-05|1||1.5");
	gives_no_more(xls, AZ_NOT_FOUND);
	end(&book, &xls);
}

static void
days_count_from_1904_where_a_workbook_says_so(void **state)
{
	struct book book;
	struct xls *xls = NULL;

	(void)state;
	begin(&book, true);
	PUT(&book, BIFF_1904, "\x01\x00");
	PUT(&book, BIFF_FORMAT, "\xa4\x00\x05\x00\x00yyyym");
	PUT(&book, BIFF_XF, "\x00\x00\xa4\x00");
	begin_sheet(&book);
	PUT(&book, BIFF_RK, "\x00\x00\x00\x00\x00\x00\x06\x00\x00\x00");
	PUT(&book, BIFF_EOF, "");
	assert_int_equal(open_book(&book, &xls), AZ_OK);
	gives(xls, 1, REFUSAL_NONE, "1904-01-02");
	end(&book, &xls);
}

static void
a_string_is_cut_by_records(void **state)
{
	struct book book;
	struct xls *xls = NULL;

	(void)state;
	begin(&book, true);
	/* "abcd" in one byte each, then in two; then one with runs and a reading that are cut, too. */
	PUT(&book, BIFF_SST,
	    "\x02\x00\x00\x00\x02\x00\x00\x00\x04\x00\x00"
	    "ab");
	PUT(&book, BIFF_CONTINUE,
	    "\x01"
	    "c\0d\0"
	    "\x01\x00\x0d\x01\x00\x06\x00\x00\x00\xd8\x9a\x00\x00");
	PUT(&book, BIFF_CONTINUE, "\x00\x00\x01\x02\x03");
	PUT(&book, BIFF_CONTINUE, "\x04\x05\x06");
	begin_sheet(&book);
	PUT(&book, BIFF_LABELSST, "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00");
	PUT(&book, BIFF_LABELSST, "\x00\x00\x01\x00\x00\x00\x01\x00\x00\x00");
	PUT(&book, BIFF_EOF, "");
	assert_int_equal(open_book(&book, &xls), AZ_OK);
	gives(xls, 1, REFUSAL_NONE, "abcd|\xe9\xab\x98");
	end(&book, &xls);
}

static void
rows_that_came_in_any_order_are_sorted_and_the_later_cell_counts(void **state)
{
	struct book book;
	struct xls *xls = NULL;

	(void)state;
	begin(&book, true);
	begin_sheet(&book);
	PUT(&book, BIFF_LABEL,
	    "\x02\x00\x00\x00\x00\x00\x01\x00\x00"
	    "c");
	PUT(&book, BIFF_LABEL,
	    "\x00\x00\x00\x00\x00\x00\x01\x00\x00"
	    "a");
	PUT(&book, BIFF_LABEL,
	    "\x02\x00\x00\x00\x00\x00\x01\x00\x00"
	    "d");
	/* A chart's cells are none of the sheet's. */
	PUT(&book, BIFF_BOF, "\x00\x06\x20\x00");
	PUT(&book, BIFF_LABEL,
	    "\x01\x00\x00\x00\x00\x00\x01\x00\x00"
	    "x");
	PUT(&book, BIFF_EOF, "");
	PUT(&book, BIFF_EOF, "");
	assert_int_equal(open_book(&book, &xls), AZ_OK);
	gives(xls, 1, REFUSAL_NONE, "a");
	gives(xls, 3, REFUSAL_NONE, "d");
	gives_no_more(xls, AZ_NOT_FOUND);
	end(&book, &xls);
}

static void
before_excel_97_texts_are_in_a_code_page(void **state)
{
	struct book book;
	struct xls *xls = NULL;

	(void)state;
	begin(&book, false);
	PUT(&book, BIFF_CODEPAGE, "\xa4\x03");
	begin_sheet(&book);
	PUT(&book, BIFF_LABEL, "\x00\x00\x00\x00\x00\x00\x04\x00\x8d\x82\x8b\xb4");
	PUT(&book, BIFF_FORMULA,
	    "\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff\x00\x00");
	PUT(&book, BIFF_STRING,
	    "\x01\x00"
	    "F");
	PUT(&book, BIFF_RSTRING, "\x00\x00\x02\x00\x00\x00\x01\x00R\x01\x00\x00");
	PUT(&book, BIFF_EOF, "");
	assert_int_equal(open_book(&book, &xls), AZ_OK);
	gives(xls, 1, REFUSAL_NONE, "\xe9\xab\x98\xe6\xa9\x8b|F|R");
	end(&book, &xls);
	begin(&book, false);
	PUT(&book, BIFF_CODEPAGE, "\xe3\x04");
	begin_sheet(&book);
	PUT(&book, BIFF_LABEL, "\x00\x00\x00\x00\x00\x00\x01\x00\xc4");
	PUT(&book, BIFF_EOF, "");
	assert_int_equal(open_book(&book, &xls), AZ_OK);
	gives(xls, 1, REFUSAL_ENCODING, "");
	end(&book, &xls);
}

static void
half_a_character_refuses_its_row_and_no_other(void **state)
{
	struct book book;
	struct xls *xls = NULL;

	(void)state;
	begin(&book, true);
	begin_sheet(&book);
	PUT(&book, BIFF_LABEL, "\x00\x00\x00\x00\x00\x00\x01\x00\x01\x00\xd8");
	PUT(&book, BIFF_LABEL,
	    "\x01\x00\x00\x00\x00\x00\x01\x00\x00"
	    "b");
	PUT(&book, BIFF_EOF, "");
	assert_int_equal(open_book(&book, &xls), AZ_OK);
	gives(xls, 1, REFUSAL_ENCODING, "");
	gives(xls, 2, REFUSAL_NONE, "b");
	end(&book, &xls);
}

static void
refused_with(void (*put)(struct book *book))
{
	struct book book;
	struct xls *xls = NULL;

	begin(&book, true);
	put(&book);
	assert_int_equal(open_book(&book, &xls), AZ_INVALID);
	assert_null(xls);
	end(&book, &xls);
}

static void
put_password(struct book *book)
{
	PUT(book, BIFF_FILEPASS, "\x00\x00");
	begin_sheet(book);
	PUT(book, BIFF_EOF, "");
}

static void
put_no_end(struct book *book)
{
	begin_sheet(book);
	PUT(book, BIFF_LABEL,
	    "\x00\x00\x00\x00\x00\x00\x01\x00\x00"
	    "a");
}

static void
put_short_cell(struct book *book)
{
	begin_sheet(book);
	PUT(book, BIFF_RK, "\x00\x00\x00\x00");
	PUT(book, BIFF_EOF, "");
}

static void
put_sheet_nowhere(struct book *book)
{
	begin_sheet(book);
	PUT(book, BIFF_EOF, "");
	wire_store_u32(book->stream.data + book->bound, UINT32_MAX);
}

static void
put_no_sheet_there(struct book *book)
{
	begin_sheet(book);
	PUT(book, BIFF_EOF, "");
	wire_store_u32(book->stream.data + book->bound, 4);
}

static void
put_hidden_only(struct book *book)
{
	begin_sheet(book);
	PUT(book, BIFF_EOF, "");
	book->stream.data[book->bound + 4] = 1;
}

static void
put_more_strings_than_there_are(struct book *book)
{
	PUT(book, BIFF_SST,
	    "\x02\x00\x00\x00\x02\x00\x00\x00\x01\x00\x00"
	    "a");
	begin_sheet(book);
	PUT(book, BIFF_EOF, "");
}

static void
put_strings_beyond_reason(struct book *book)
{
	PUT(book, BIFF_SST,
	    "\x02\x00\x00\x00\xff\xff\xff\xff\x01\x00\x00"
	    "a");
	begin_sheet(book);
	PUT(book, BIFF_EOF, "");
}

static void
put_record_beyond_the_end(struct book *book)
{
	begin_sheet(book);
	wire_put_u16(&book->writer, BIFF_LABEL);
	wire_put_u16(&book->writer, 9999);
}

static void
put_half_a_unit(struct book *book)
{
	PUT(book, BIFF_SST,
	    "\x01\x00\x00\x00\x01\x00\x00\x00\x02\x00\x01"
	    "a\0b");
	PUT(book, BIFF_CONTINUE, "\x01\x00");
	begin_sheet(book);
	PUT(book, BIFF_EOF, "");
}

static void
broken_workbooks_are_refused_at_once(void **state)
{
	(void)state;
	refused_with(put_password);
	refused_with(put_no_end);
	refused_with(put_short_cell);
	refused_with(put_sheet_nowhere);
	refused_with(put_no_sheet_there);
	refused_with(put_hidden_only);
	refused_with(put_more_strings_than_there_are);
	refused_with(put_strings_beyond_reason);
	refused_with(put_record_beyond_the_end);
	refused_with(put_half_a_unit);
}

static void
older_and_other_streams_are_refused(void **state)
{
	static const char *const streams[] = {"\x09\x04\x06\x00\x00\x00\x05\x00\x00\x00",
	    "\x09\x08\x04\x00\x00\x07\x05\x00", "\x09\x08\x04\x00\x00\x06\x10\x00",
	    "\x09\x08\x04\x00"};

	(void)state;
	for (size_t i = 0; i < sizeof(streams) / sizeof(streams[0]); i++) {
		struct xls *xls = NULL;

		assert_int_equal(xls_open(bytes_make(streams[i],
					      i == 0       ? 10
						  : i == 3 ? 4
							   : 8),
				     &xls, NULL),
		    AZ_INVALID);
		assert_null(xls);
	}
}

static void
broken_cells_end_the_list_at_their_row(void **state)
{
	struct book book;
	struct xls *xls = NULL;

	(void)state;
	begin(&book, true);
	begin_sheet(&book);
	PUT(&book, BIFF_LABEL,
	    "\x00\x00\x00\x00\x00\x00\x01\x00\x00"
	    "a");
	PUT(&book, BIFF_LABELSST, "\x01\x00\x00\x00\x00\x00\x07\x00\x00\x00");
	PUT(&book, BIFF_EOF, "");
	assert_int_equal(open_book(&book, &xls), AZ_OK);
	gives(xls, 1, REFUSAL_NONE, "a");
	gives_no_more(xls, AZ_INVALID);
	end(&book, &xls);
	begin(&book, true);
	begin_sheet(&book);
	PUT(&book, BIFF_FORMULA,
	    "\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff\x00\x00");
	PUT(&book, BIFF_EOF, "");
	assert_int_equal(open_book(&book, &xls), AZ_OK);
	gives_no_more(xls, AZ_INVALID);
	end(&book, &xls);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(numbers_come_in_every_form),
	    cmocka_unit_test(days_count_from_1904_where_a_workbook_says_so),
	    cmocka_unit_test(a_string_is_cut_by_records),
	    cmocka_unit_test(rows_that_came_in_any_order_are_sorted_and_the_later_cell_counts),
	    cmocka_unit_test(before_excel_97_texts_are_in_a_code_page),
	    cmocka_unit_test(half_a_character_refuses_its_row_and_no_other),
	    cmocka_unit_test(broken_workbooks_are_refused_at_once),
	    cmocka_unit_test(older_and_other_streams_are_refused),
	    cmocka_unit_test(broken_cells_end_the_list_at_their_row),
	};

	assert_int_equal(text_prepare(NULL), AZ_OK);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
