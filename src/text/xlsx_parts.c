/*
 * What stands beside the sheet in a workbook (ECMA-376 part 1): which sheet is the first that is shown, the strings that
 * cells share, and which cell formats are dates.
 *
 *	xl/workbook.xml ── r:id of the sheet ──► xl/_rels/workbook.xml.rels ──► xl/worksheets/….xml
 *	xl/sharedStrings.xml   xl/styles.xml
 *
 * Readings of kanji (rPh) stand between the texts of a shared string and are none of it.
 */
#include <expat.h>
#include <stdlib.h>
#include <string.h>

#include "text/unpack_internal.h"

#define PART_MAX    (16u * 1024u * 1024u) /* bytes of workbook, relations, styles */
#define STRINGS_MAX (512u * 1024u * 1024u)

struct parts_reader {
	struct xlsx_parts *parts;
	XML_Parser parser;
	const char *part; /* for errors */
	enum az_status status;
	char relation[64]; /* r:id of the sheet */
	bool in_formats;   /* inside cellXfs */
	bool in_text;      /* inside a t that is not a reading */
	unsigned int readings;
	struct formats formats;
};

const char *
xml_attribute(const char *const *attributes, const char *name)
{
	for (size_t i = 0; attributes[i] != NULL; i += 2) {
		if (strcmp(attributes[i], name) == 0)
			return attributes[i + 1];
	}
	return "";
}

bool
xml_is(const char *element, const char *name)
{
	const char *colon = strchr(element, ':');

	return strcmp(colon != NULL ? colon + 1 : element, name) == 0;
}

/* --- one part --------------------------------------------------------------------------------- */

/* No part of a workbook has one, and every trick with entities needs one. */
static void
refuse_doctype(void *arg, const char *name, const char *system, const char *public, int internal)
{
	struct parts_reader *reader = arg;

	(void)name;
	(void)system;
	(void)public;
	(void)internal;
	reader->status = AZ_INVALID;
	(void)XML_StopParser(reader->parser, XML_FALSE);
}

static enum az_status
damaged(const struct parts_reader *reader, struct az_err *reterr)
{
	return az_fail(reterr, AZ_INVALID, "workbook: its %s is damaged at byte %lld", reader->part,
	    (long long)XML_GetCurrentByteIndex(reader->parser));
}

static enum az_status
parse(struct parts_reader *reader, struct packed *packed, uint64_t max, struct az_err *reterr)
{
	uint64_t total = 0;
	size_t size = 1;
	enum az_status status = AZ_OK;

	while (status == AZ_OK && size > 0) {
		uint8_t *data = XML_GetBuffer(reader->parser, 65536);

		if (data == NULL)
			return az_fail(reterr, AZ_NO_MEMORY, "workbook: out of memory");
		status = packed_read(packed, data, 65536, &size, reterr);
		if (status != AZ_OK)
			return status;
		total += size;
		if (total > max)
			return az_fail(
			    reterr, AZ_LIMIT, "workbook: its %s is too large", reader->part);
		if (XML_ParseBuffer(reader->parser, (int)size, size == 0) != XML_STATUS_OK)
			status = reader->status != AZ_OK && reader->status != AZ_INVALID
			    ? az_fail(reterr, reader->status, "workbook: its %s is too large",
				  reader->part)
			    : damaged(reader, reterr);
	}
	return status;
}

/* Reads one part with its handlers; AZ_NOT_FOUND if there is none of that name. */
static enum az_status
read_part(struct bytes zip, const char *name, struct parts_reader *reader,
    XML_StartElementHandler start, XML_EndElementHandler end, XML_CharacterDataHandler text,
    uint64_t max, struct az_err *reterr)
{
	struct packed *packed = NULL;
	enum az_status status =
	    packed_open(zip, bytes_make(NULL, 0), WRAPPING_ZIP, &packed, reterr);

	reader->part = name;
	reader->status = AZ_OK;
	if (status == AZ_OK)
		status = packed_enter(packed, name, reterr);
	if (status == AZ_OK) {
		reader->parser = XML_ParserCreate(NULL);
		if (reader->parser == NULL) {
			status = az_fail(reterr, AZ_NO_MEMORY, "workbook: out of memory");
		} else {
			XML_SetUserData(reader->parser, reader);
			XML_SetElementHandler(reader->parser, start, end);
			XML_SetCharacterDataHandler(reader->parser, text);
			XML_SetStartDoctypeDeclHandler(reader->parser, refuse_doctype);
			status = parse(reader, packed, max, reterr);
			XML_ParserFree(reader->parser);
			reader->parser = NULL;
		}
	}
	packed_free(&packed);
	return status;
}

/* --- workbook and relations ------------------------------------------------------------------- */

static void
workbook_start(void *arg, const char *element, const char **attributes)
{
	struct parts_reader *reader = arg;
	struct xlsx_parts *parts = reader->parts;
	const char *value;

	if (xml_is(element, "workbookPr")) {
		value = xml_attribute(attributes, "date1904");
		parts->since_1904 = strcmp(value, "1") == 0 || strcmp(value, "true") == 0;
	}
	if (!xml_is(element, "sheet"))
		return;
	value = xml_attribute(attributes, "state");
	if (*value != '\0' && strcmp(value, "visible") != 0)
		return;
	if (parts->sheets++ > 0)
		return;
	for (size_t i = 0; attributes[i] != NULL; i += 2) {
		if (strchr(attributes[i], ':') != NULL && xml_is(attributes[i], "id"))
			(void)snprintf(
			    reader->relation, sizeof(reader->relation), "%s", attributes[i + 1]);
	}
}

static void
relations_start(void *arg, const char *element, const char **attributes)
{
	struct parts_reader *reader = arg;
	const char *target = xml_attribute(attributes, "Target");
	int size;

	if (!xml_is(element, "Relationship") ||
	    strcmp(xml_attribute(attributes, "Id"), reader->relation) != 0)
		return;
	size = snprintf(reader->parts->sheet, SHEET_PATH_MAX, "%s%s", *target == '/' ? "" : "xl/",
	    *target == '/' ? target + 1 : target);
	if (size < 0 || size >= (int)SHEET_PATH_MAX)
		reader->parts->sheet[0] = '\0';
}

/* --- styles ----------------------------------------------------------------------------------- */

static void
styles_start(void *arg, const char *element, const char **attributes)
{
	struct parts_reader *reader = arg;
	struct xlsx_parts *parts = reader->parts;
	unsigned int id = (unsigned int)strtoul(xml_attribute(attributes, "numFmtId"), NULL, 10);

	if (xml_is(element, "numFmt"))
		formats_add(&reader->formats, id, xml_attribute(attributes, "formatCode"));
	if (xml_is(element, "cellXfs"))
		reader->in_formats = true;
	if (xml_is(element, "xf") && reader->in_formats && parts->style_count < XLSX_STYLES_MAX)
		parts->styles[parts->style_count++] = (uint8_t)formats_style(&reader->formats, id);
}

static void
styles_end(void *arg, const char *element)
{
	struct parts_reader *reader = arg;

	if (xml_is(element, "cellXfs"))
		reader->in_formats = false;
}

/* --- shared strings --------------------------------------------------------------------------- */

static void
give_up(struct parts_reader *reader, enum az_status status)
{
	reader->status = status;
	(void)XML_StopParser(reader->parser, XML_FALSE);
}

static void
strings_start(void *arg, const char *element, const char **attributes)
{
	struct parts_reader *reader = arg;

	(void)attributes;
	if (xml_is(element, "rPh"))
		reader->readings++;
	reader->in_text = xml_is(element, "t") && reader->readings == 0;
}

static void
strings_end(void *arg, const char *element)
{
	struct parts_reader *reader = arg;
	struct xlsx_parts *parts = reader->parts;

	reader->in_text = false;
	if (xml_is(element, "rPh"))
		reader->readings--;
	if (!xml_is(element, "si"))
		return;
	if (parts->string_count == parts->string_room) {
		size_t room = parts->string_room == 0 ? 4096 : 2 * parts->string_room;
		size_t *ends = reallocarray(parts->ends, room, sizeof(*ends));

		if (ends == NULL) {
			give_up(reader, AZ_NO_MEMORY);
			return;
		}
		parts->ends = ends;
		parts->string_room = room;
	}
	parts->ends[parts->string_count++] = parts->strings.size;
}

static void
strings_text(void *arg, const char *text, int size)
{
	struct parts_reader *reader = arg;
	enum az_status status;

	if (!reader->in_text)
		return;
	status = buffer_append(&reader->parts->strings, bytes_make(text, (size_t)size));
	if (status != AZ_OK)
		give_up(reader, status);
}

/* --- the whole -------------------------------------------------------------------------------- */

void
xlsx_parts_fini(struct xlsx_parts *parts)
{
	buffer_fini(&parts->strings);
	free(parts->ends);
	free(parts->styles);
	*parts = (struct xlsx_parts){0};
}

static enum az_status
optional(enum az_status status)
{
	return status == AZ_NOT_FOUND ? AZ_OK : status;
}

static enum az_status
read_all(struct bytes zip, struct parts_reader *reader, struct az_err *reterr)
{
	struct xlsx_parts *parts = reader->parts;
	enum az_status status =
	    read_part(zip, "xl/workbook.xml", reader, workbook_start, NULL, NULL, PART_MAX, reterr);

	if (status == AZ_OK && parts->sheets == 0)
		return az_fail(reterr, AZ_INVALID, "workbook: it shows no sheet");
	if (status == AZ_OK)
		status = read_part(zip, "xl/_rels/workbook.xml.rels", reader, relations_start, NULL,
		    NULL, PART_MAX, reterr);
	if (status == AZ_OK)
		status = optional(read_part(zip, "xl/styles.xml", reader, styles_start, styles_end,
		    NULL, PART_MAX, reterr));
	if (status == AZ_OK)
		status = optional(read_part(zip, "xl/sharedStrings.xml", reader, strings_start,
		    strings_end, strings_text, STRINGS_MAX, reterr));
	if (status == AZ_NOT_FOUND || (status == AZ_OK && parts->sheet[0] == '\0'))
		return az_fail(reterr, AZ_INVALID, "workbook: a part of it is missing");
	return status;
}

enum az_status
xlsx_parts_read(struct bytes zip, struct xlsx_parts *ret_parts, struct az_err *reterr)
{
	struct parts_reader *reader = calloc(1, sizeof(*reader));
	struct xlsx_parts parts = {0};
	enum az_status status = AZ_NO_MEMORY;

	buffer_init(&parts.strings, STRINGS_MAX, true);
	parts.styles = calloc(XLSX_STYLES_MAX, 1);
	if (reader != NULL && parts.styles != NULL) {
		reader->parts = &parts;
		status = read_all(zip, reader, reterr);
	} else {
		(void)az_fail(reterr, AZ_NO_MEMORY, "workbook: out of memory");
	}
	free(reader);
	if (status == AZ_OK)
		*ret_parts = parts;
	else
		xlsx_parts_fini(&parts);
	return status;
}
