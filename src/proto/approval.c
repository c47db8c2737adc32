/*
 * The bytes of what is asked (docs/format/approvals.md). A document has one encoding, so the hash of what was
 * decoded and encoded again is the hash that was signed.
 */
#include "proto/approval.h"

#include <string.h>

#include "base/wire.h"

#define FORMAT 1u

static bool
is_valid(const struct approval_document *document)
{
	return document->number != 0 && document->staff != 0 && document->needed != 0 &&
	    document->needed <= APPROVALS_NEEDED_MAX && label_is_valid(document->asker) &&
	    document->what.size != 0 && document->what.size <= APPROVAL_WHAT_MAX &&
	    bytes_are_utf8(document->what) &&
	    (document->note[0] == '\0' || name_is_valid(document->note)) && document->type != 0 &&
	    document->expires_us > document->asked_us;
}

enum az_status
approval_document_encode(const struct approval_document *document, struct buffer *buffer)
{
	struct wire_writer writer;

	if (!is_valid(document))
		return AZ_INVALID;
	wire_writer_init(&writer, buffer);
	wire_put_u8(&writer, FORMAT);
	wire_put_raw(&writer, document->house, sizeof(document->house));
	wire_put_u32(&writer, document->number);
	wire_put_raw(&writer, document->nonce, sizeof(document->nonce));
	wire_put_u32(&writer, document->staff);
	wire_put_u32(&writer, document->device);
	wire_put_u32(&writer, document->session);
	wire_put_i64(&writer, document->asked_us);
	wire_put_i64(&writer, document->expires_us);
	wire_put_u8(&writer, document->needed);
	wire_put_text(&writer, document->asker);
	wire_put_bytes(&writer, document->what);
	wire_put_text(&writer, document->note);
	wire_put_u16(&writer, document->type);
	wire_put_u16(&writer, document->version);
	wire_put_bytes(&writer, document->body);
	return writer.status;
}

enum az_status
approval_document_decode(struct bytes bytes, struct approval_document *ret_document)
{
	struct wire_reader reader;
	struct approval_document document = {0};
	uint8_t format;

	wire_reader_init(&reader, bytes);
	format = wire_get_u8(&reader);
	wire_get_raw(&reader, document.house, sizeof(document.house));
	document.number = wire_get_u32(&reader);
	wire_get_raw(&reader, document.nonce, sizeof(document.nonce));
	document.staff = wire_get_u32(&reader);
	document.device = wire_get_u32(&reader);
	document.session = wire_get_u32(&reader);
	document.asked_us = wire_get_i64(&reader);
	document.expires_us = wire_get_i64(&reader);
	document.needed = wire_get_u8(&reader);
	wire_get_text(&reader, document.asker, sizeof(document.asker));
	document.what = wire_get_bytes(&reader, APPROVAL_WHAT_MAX);
	wire_get_text(&reader, document.note, sizeof(document.note));
	document.type = wire_get_u16(&reader);
	document.version = wire_get_u16(&reader);
	document.body = wire_get_bytes(&reader, APPROVAL_DOCUMENT_MAX);
	if (format != FORMAT || !wire_end(&reader) || !is_valid(&document))
		return AZ_INVALID;
	*ret_document = document;
	return AZ_OK;
}
