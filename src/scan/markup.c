/*
 * The text of XML members of documents, by expat.
 *
 * Text of one cell or paragraph may be cut into runs ("090-", "1234-5678"), which belong together; two cells do not. So
 * text is joined but where an element ends that stands for a cell, a paragraph or a break.
 */
#include <expat.h>
#include <string.h>

#include "scan/unpack_internal.h"

#define PIECE (16u * 1024u)

static void
on_text(void *arg, const XML_Char *text, int size)
{
	scan_pass_feed(arg, bytes_make(text, (size_t)size));
}

static void
on_begin(void *arg, const XML_Char *name, const XML_Char **attributes)
{
	/* Values of attributes: addresses in links, defined names. */
	for (; *attributes != NULL; attributes += 2) {
		scan_pass_feed(arg, bytes_of(attributes[1]));
		scan_pass_feed(arg, bytes_of("\n"));
	}
}

static void
on_end(void *arg, const XML_Char *name)
{
	/* Elements whose end joins what stands on both sides: runs and their text. */
	static const char *const joining[] = {"t", "r", "rPr", "span", "a"};
	const char *colon = strrchr(name, ':');
	const char *local = colon != NULL ? colon + 1 : name;

	for (size_t i = 0; i < AZ_ARRAY_SIZE(joining); i++) {
		if (strcmp(local, joining[i]) == 0)
			return;
	}
	scan_pass_feed(arg, bytes_of("\n"));
}

/* Feeds the parser, then the pass with what the parser refused, so that damaged text is still looked at. */
static enum az_status
parse(struct scan_job *job, struct scan_source *source, XML_Parser parser, struct scan_pass *pass)
{
	uint8_t data[PIECE];
	bool damaged = false;
	size_t size = 1;

	while (size > 0) {
		enum az_status status = scan_source_read(job, source, data, sizeof(data), &size);

		if (status != AZ_OK)
			return scan_source_unread(job, status);
		if (!damaged &&
		    XML_Parse(parser, (const char *)data, (int)size, size == 0) != XML_STATUS_OK) {
			scan_job_unread(job, SCAN_UNREAD_DAMAGED);
			damaged = true;
		}
		if (damaged)
			scan_pass_feed(pass, bytes_make(data, size));
		scan_job_progress(job, size);
	}
	return AZ_OK;
}

enum az_status
scan_markup(struct scan_job *job, struct scan_source *source)
{
	struct scan_pass *pass = NULL;
	XML_Parser parser = XML_ParserCreate(NULL);
	enum az_status status = parser != NULL ? scan_job_pass(job, &pass) : AZ_NO_MEMORY;

	if (status == AZ_OK) {
		XML_SetUserData(parser, pass);
		XML_SetElementHandler(parser, on_begin, on_end);
		XML_SetCharacterDataHandler(parser, on_text);
		status = parse(job, source, parser, pass);
		scan_pass_end(pass);
	}
	scan_pass_free(&pass);
	if (parser != NULL)
		XML_ParserFree(parser);
	return status;
}
