/*
 * One list in the form that its client sends:
 *
 *	plain   UTF-8, comma, English names      tsv    UTF-8, tab, Japanese names
 *	cp932   a title above, a total below     euc    EUC-JP
 *	xlsx    one sheet, text in the cells     zip    of a CSV in CP932, with a password
 *	fixed   CP932, no header, padded cells   utf16  UTF-16LE with its mark, tab
 *
 * A line is made in UTF-8 and converted; workbook and archive are made of a temporary file that never has a name.
 */
#include <errno.h>
#include <fcntl.h>
#include <iconv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/demo.h"

#define LINE_MAX (DEMO_COLUMNS * 2 * DEMO_VALUE)
#define ROWS_MAX 1000000u /* of a worksheet */

static const struct form {
	const char *name, *suffix, *encoding;
	char separator;
	bool japanese; /* names of the columns */
} forms[DEMO_FORMS] = {
    [DEMO_PLAIN] = {"plain", "csv", NULL, ',', false},
    [DEMO_CP932] = {"cp932", "csv", "CP932", ',', true},
    [DEMO_EUC] = {"euc", "csv", "EUC-JP", ',', true},
    [DEMO_TSV] = {"tsv", "tsv", NULL, '\t', true},
    [DEMO_XLSX] = {"xlsx", "xlsx", NULL, 0, true},
    [DEMO_ZIP] = {"zip", "zip", "CP932", ',', true},
    [DEMO_FIXED] = {"fixed", "txt", "CP932", 0, false},
    [DEMO_UTF16] = {"utf16", "txt", "UTF-16LE", '\t', true},
};

static const char *const english[DEMO_COLUMNS] = {
    "number", "name", "kana", "birth", "sex", "postcode", "address", "phone", "mobile", "email"};
static const char *const japanese[DEMO_COLUMNS] = {"番号", "氏名", "フリガナ", "生年月日", "性別",
    "郵便番号", "住所", "電話番号", "携帯電話", "メールアドレス"};
/* Cells of each column where widths are fixed; a kanji has two. */
static const unsigned int widths[DEMO_COLUMNS] = {8, 30, 40, 12, 4, 10, 90, 14, 14, 50};
const char demo_map[] = "number=@1-8,name=@9-38,kana=@39-78,birth=@79-90,sex=@91-94,"
			"postcode=@95-104,address=@105-194,phone=@195-208,mobile=@209-222,"
			"email=@223-272";

enum demo_form
demo_form_of(uint32_t client, uint32_t people)
{
	enum demo_form form = client <= 2
	    ? DEMO_PLAIN
	    : (enum demo_form)(DEMO_CP932 + (client - 3) % (DEMO_FORMS - DEMO_CP932));

	return form == DEMO_XLSX && people > ROWS_MAX ? DEMO_TSV : form;
}

const char *
demo_form_name(enum demo_form form)
{
	return forms[form].name;
}

const char *
demo_form_suffix(enum demo_form form)
{
	return forms[form].suffix;
}

struct out {
	FILE *file;
	const struct form *form;
	iconv_t converter;
	bool failed;
};

static void
put_text(struct out *out, const char *text)
{
	char line[LINE_MAX];
	char converted[2 * LINE_MAX];
	char *from = line;
	char *to = converted;
	size_t left = strlen(text);
	size_t room = sizeof(converted);

	if (out->form->encoding == NULL) {
		out->failed |= fputs(text, out->file) < 0;
		return;
	}
	(void)snprintf(line, sizeof(line), "%s", text);
	out->failed |= left >= sizeof(line) ||
	    iconv(out->converter, &from, &left, &to, &room) == (size_t)-1 ||
	    fwrite(converted, 1, sizeof(converted) - room, out->file) != sizeof(converted) - room;
}

/* Appends to a line, which has room for all columns. */
static void
add(char line[LINE_MAX], const char *text)
{
	size_t size = strlen(line);

	(void)snprintf(line + size, LINE_MAX - size, "%s", text);
}

static void
put_separated(struct out *out, const char *const values[DEMO_COLUMNS])
{
	char separator[2] = {out->form->separator, '\0'};
	char line[LINE_MAX] = "";

	for (int i = 0; i < DEMO_COLUMNS; i++) {
		if (i > 0)
			add(line, separator);
		add(line, values[i]);
	}
	add(line, out->form->encoding != NULL ? "\r\n" : "\n");
	put_text(out, line);
}

static void
put_fixed(struct out *out, const char *const values[DEMO_COLUMNS])
{
	char line[LINE_MAX] = "";

	for (int i = 0; i < DEMO_COLUMNS; i++) {
		size_t size = strlen(line);
		unsigned int cells = 0;

		/* What does not fit is cut off, whole characters of it. */
		for (const char *at = values[i]; *at != '\0';) {
			size_t bytes = (uint8_t)*at < 0x80 ? 1 : (uint8_t)*at < 0xe0 ? 2 : 3;
			unsigned int wide = bytes == 1 ? 1 : 2;

			if (cells + wide > widths[i])
				break;
			memcpy(line + size, at, bytes);
			size += bytes;
			at += bytes;
			cells += wide;
		}
		memset(line + size, ' ', widths[i] - cells);
		line[size + widths[i] - cells] = '\0';
	}
	add(line, "\r\n");
	put_text(out, line);
}

/* No value of ours has a character that XML would need to be told of. */
static void
put_sheet_row(struct out *out, const char *const values[DEMO_COLUMNS])
{
	out->failed |= fputs("<row>", out->file) < 0;
	for (int i = 0; i < DEMO_COLUMNS; i++)
		out->failed |=
		    fprintf(out->file, "<c t=\"inlineStr\"><is><t>%s</t></is></c>", values[i]) < 0;
	out->failed |= fputs("</row>", out->file) < 0;
}

static void
put_row(struct out *out, const char *const values[DEMO_COLUMNS])
{
	if (out->form == &forms[DEMO_XLSX])
		put_sheet_row(out, values);
	else if (out->form == &forms[DEMO_FIXED])
		put_fixed(out, values);
	else
		put_separated(out, values);
}

static void
put_head(struct out *out)
{
	if (out->form == &forms[DEMO_XLSX])
		out->failed |=
		    fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<worksheet "
			  "xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\">"
			  "<sheetData>",
			out->file) < 0;
	if (out->form == &forms[DEMO_UTF16])
		put_text(out, "\xef\xbb\xbf");
	if (out->form == &forms[DEMO_CP932])
		put_text(out, "名簿（提供用）,,,,,,,,,\r\n,,,,,,,,,\r\n");
	if (out->form != &forms[DEMO_FIXED])
		put_row(out, out->form->japanese ? japanese : english);
}

static void
put_tail(struct out *out, uint64_t rows)
{
	char line[64];

	if (out->form == &forms[DEMO_XLSX])
		out->failed |= fputs("</sheetData></worksheet>", out->file) < 0;
	if (out->form != &forms[DEMO_CP932])
		return;
	(void)snprintf(line, sizeof(line), "合計,%llu件,,,,,,,,\r\n", (unsigned long long)rows);
	put_text(out, line);
}

static uint64_t
put_people(struct out *out, struct demo_people *people)
{
	struct demo_person person;
	const char *values[DEMO_COLUMNS];
	uint64_t rows = 0;

	put_head(out);
	while (!out->failed && demo_people_next(people, &person)) {
		for (int i = 0; i < DEMO_COLUMNS; i++)
			values[i] = person.values[i];
		put_row(out, values);
		rows++;
	}
	put_tail(out, rows);
	return rows;
}

/* --- what holds a file ---------------------------------------------------------------------------- */

static enum az_status
make_workbook(struct demo_zip *zip, int sheet, struct az_err *reterr)
{
	static const struct {
		const char *part, *text;
	} parts[] = {
	    {"[Content_Types].xml",
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Types "
		"xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\"><Default "
		"Extension=\"rels\" "
		"ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/>"
		"<Override PartName=\"/xl/workbook.xml\" "
		"ContentType=\"application/"
		"vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml\"/><Override "
		"PartName=\"/xl/worksheets/sheet1.xml\" "
		"ContentType=\"application/"
		"vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml\"/></Types>"},
	    {"_rels/.rels",
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Relationships "
		"xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">"
		"<Relationship Id=\"rId1\" "
		"Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/"
		"officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>"},
	    {"xl/workbook.xml",
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<workbook "
		"xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\" "
		"xmlns:r=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships\">"
		"<sheets><sheet name=\"名簿\" sheetId=\"1\" r:id=\"rId1\"/></sheets></workbook>"},
	    {"xl/_rels/workbook.xml.rels",
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Relationships "
		"xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">"
		"<Relationship Id=\"rId1\" "
		"Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/"
		"worksheet\" Target=\"worksheets/sheet1.xml\"/></Relationships>"},
	};
	enum az_status status = AZ_OK;

	for (size_t i = 0; i < AZ_ARRAY_SIZE(parts) && status == AZ_OK; i++)
		status = demo_zip_text(zip, parts[i].part, parts[i].text, reterr);
	return status == AZ_OK ? demo_zip_add(zip, "xl/worksheets/sheet1.xml", sheet, reterr)
			       : status;
}

static enum az_status
make_archive(int dirfd, const char *name, enum demo_form form, int file, struct az_err *reterr)
{
	struct demo_zip *zip = NULL;
	enum az_status status =
	    demo_zip_new(dirfd, name, form == DEMO_ZIP ? DEMO_PASSWORD : NULL, &zip, reterr);

	if (status == AZ_OK)
		status = form == DEMO_ZIP ? demo_zip_add(zip, "meibo.csv", file, reterr)
					  : make_workbook(zip, file, reterr);
	if (status == AZ_OK)
		status = demo_zip_finish(&zip, reterr);
	demo_zip_free(&zip);
	return status;
}

/* The file that lines go to: the list itself, or one without a name that it is made of. */
static FILE *
open_lines(int dirfd, const char *name, bool packed)
{
	int fd = packed ? openat(dirfd, ".", O_RDWR | O_TMPFILE | O_CLOEXEC, 0600)
			: openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	FILE *file = fd < 0 ? NULL : fdopen(fd, packed ? "w+" : "w");

	if (file == NULL && fd >= 0)
		(void)close(fd);
	return file;
}

enum az_status
demo_list_write(int dirfd, const char *name, enum demo_form form, struct demo_people *people,
    uint64_t *ret_rows, struct az_err *reterr)
{
	struct out out = {.form = &forms[form], .converter = (iconv_t)-1};
	bool packed = form == DEMO_XLSX || form == DEMO_ZIP;
	enum az_status status = AZ_OK;

	if (out.form->encoding != NULL) {
		out.converter = iconv_open(out.form->encoding, "UTF-8");
		if (out.converter == (iconv_t)-1)
			return az_fail(
			    reterr, AZ_NOT_FOUND, "the C library has no %s", out.form->encoding);
	}
	out.file = open_lines(dirfd, name, packed);
	if (out.file == NULL) {
		status = az_fail_errno(reterr, AZ_IO, errno, "%s", name);
	} else {
		*ret_rows = put_people(&out, people);
		out.failed |= fflush(out.file) != 0;
		if (out.failed)
			status = az_fail(reterr, AZ_IO, "%s could not be written", name);
		if (status == AZ_OK && packed)
			status = make_archive(dirfd, name, form, fileno(out.file), reterr);
		if (fclose(out.file) != 0 && status == AZ_OK)
			status = az_fail_errno(reterr, AZ_IO, errno, "%s", name);
	}
	if (out.converter != (iconv_t)-1)
		(void)iconv_close(out.converter);
	return status;
}
