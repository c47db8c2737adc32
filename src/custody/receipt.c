/*
 * Receipts: what a client gets for a list, signed by the house and to be checked without it
 * (docs/format/receipt.md).
 *
 * A receipt is made anew each time it is asked for, out of what was committed: the counts and hashes of the
 * consignment, and the proof that its entry is in the client's log, in the newest signed checkpoint. So whoever keeps
 * receipts keeps checkpoints by habit. It is JSON of a fixed form, written here; the keeper reads none.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "custody/custody_internal.h"
#include "ledger/evidence.h"

#define DOCUMENT_MAX 48000u

struct receipt {
	struct request *request;
	uint64_t consignment;
};

/* --- writing ---------------------------------------------------------------------------------- */

static void
put(struct wire_writer *writer, const char *text)
{
	wire_put_raw(writer, text, strlen(text));
}

/* A string of JSON: quotes, backslashes and control characters escaped. */
static void
put_string(struct wire_writer *writer, struct bytes text)
{
	put(writer, "\"");
	for (size_t i = 0; i < text.size; i++) {
		uint8_t byte = text.data[i];
		char escaped[8];

		if (byte == '\n')
			put(writer, "\\n");
		else if (byte == '"' || byte == '\\')
			(void)snprintf(escaped, sizeof(escaped), "\\%c", byte),
			    put(writer, escaped);
		else if (byte < 0x20)
			(void)snprintf(escaped, sizeof(escaped), "\\u%04x", byte),
			    put(writer, escaped);
		else
			wire_put_u8(writer, byte);
	}
	put(writer, "\"");
}

static void
put_member(struct wire_writer *writer, const char *name, struct bytes value)
{
	put(writer, ",\n  \"");
	put(writer, name);
	put(writer, "\": ");
	put_string(writer, value);
}

static void
put_number(struct wire_writer *writer, const char *name, uint64_t value)
{
	char text[96];

	(void)snprintf(text, sizeof(text), ",\n  \"%s\": %llu", name, (unsigned long long)value);
	put(writer, text);
}

static void
put_hash(struct wire_writer *writer, const char *name, const uint8_t hash[SHA256_SIZE])
{
	char text[2 * SHA256_SIZE + 1];

	hex_encode(bytes_make(hash, SHA256_SIZE), text);
	put_member(writer, name, bytes_of(text));
}

static void
put_counts(struct wire_writer *writer, const struct consignment *list)
{
	put_number(writer, "rows", list->rows);
	put_number(writer, "accepted", list->accepted);
	put_number(writer, "refused", list->refused);
	put_number(writer, "new_records", list->new_records);
	put_number(writer, "new_versions", list->new_versions);
	put_number(writer, "unchanged", list->unchanged);
	put_number(writer, "impossible_births", list->bad_births);
	put_number(writer, "withdrawn", list->withdrawn);
	put_number(writer, "absent", list->absent);
}

/* Everything but the signature, which is over it. */
static enum az_status
write_body(struct custody *custody, const struct consignment *list, struct buffer *document,
    struct az_err *reterr)
{
	const struct client *client = policy_client(custody->policy, list->client);
	const struct purpose *purpose = policy_purpose(custody->policy, list->purpose);
	struct wire_writer writer;
	struct buffer proof, key, house_key;
	struct ledger_read entry;
	const char *mode;
	char text[64];
	enum az_status status;

	buffer_init(&proof, DOCUMENT_MAX, false);
	buffer_init(&key, NOTE_VKEY_MAX, false);
	buffer_init(&house_key, NOTE_VKEY_MAX, false);
	status = ledger_prove(custody->ledger, list->client, list->entry_index, &proof, reterr);
	/* When it was committed is what its entry says. */
	if (status == AZ_OK)
		status = ledger_entry_at(
		    custody->ledger, list->client, list->entry_index, &entry, reterr);
	if (status == AZ_OK)
		status = ledger_vkey(custody->ledger, list->client, &key, reterr);
	if (status == AZ_OK)
		status = ledger_vkey(custody->ledger, LEDGER_HOUSE_LOG, &house_key, reterr);
	if (status != AZ_OK)
		goto out;
	wire_writer_init(&writer, document);
	put(&writer, "{\n  \"azukari_receipt\": 1");
	house_name(custody->config.house, text);
	put_member(&writer, "house", bytes_of(text));
	put(&writer, custody->unsealed ? ",\n  \"unsealed\": true" : ",\n  \"unsealed\": false");
	put_member(&writer, "client", bytes_of(client != NULL ? client->label : ""));
	put_member(&writer, "client_name", bytes_of(client != NULL ? client->name : ""));
	put_member(&writer, "purpose", bytes_of(purpose != NULL ? purpose->label : ""));
	put_number(&writer, "consignment", list->id);
	date_format(list->as_of, text);
	put_member(&writer, "as_of", bytes_of(text));
	clock_format_utc(entry.entry.time_us, text, sizeof(text));
	put_member(&writer, "entrusted", bytes_of(text));
	mode = list_mode_name((enum list_mode)list->mode);
	put_member(&writer, "mode", bytes_of(mode != NULL ? mode : ""));
	put_hash(&writer, "sha256", list->sha256);
	put_counts(&writer, list);
	put_hash(&writer, "root", list->root);
	put_member(&writer, "log_key", buffer_peek(&key));
	put_number(&writer, "index", list->entry_index);
	put_member(&writer, "proof", buffer_peek(&proof));
	put_member(&writer, "house_key", buffer_peek(&house_key));
	status = writer.status;
	if (status != AZ_OK)
		(void)az_fail(reterr, status, "receipt: it is too large");
out:
	buffer_fini(&proof);
	buffer_fini(&key);
	buffer_fini(&house_key);
	return status;
}

/* Signs what is written, with a line feed behind it, and adds the signature's line. */
static enum az_status
sign_document(struct custody *custody, struct buffer *document, struct az_err *reterr)
{
	size_t size = document->size;
	struct wire_writer writer;
	struct buffer line;
	enum az_status status = buffer_append(document, bytes_of("\n"));

	buffer_init(&line, 4096, false);
	if (status == AZ_OK)
		status = ledger_sign_text(
		    custody->ledger, LEDGER_HOUSE_LOG, buffer_peek(document), &line, reterr);
	document->size = size;
	if (status == AZ_OK && line.size > 0) {
		wire_writer_init(&writer, document);
		put_member(&writer, "signature", bytes_make(line.data, line.size - 1));
		put(&writer, "\n}\n");
		status = writer.status;
	}
	buffer_fini(&line);
	return status == AZ_OK ? AZ_OK : az_fail(reterr, status, "receipt: it cannot be signed");
}

/* --- the verb --------------------------------------------------------------------------------- */

static void
receipt_fail(struct receipt *receipt, enum az_status status, struct az_err *err)
{
	struct request *request = receipt->request;

	err->status = status;
	free(receipt);
	request_fail(request, err);
}

static void
settled(void *arg)
{
	struct receipt *receipt = arg;
	struct request *request = receipt->request;
	struct custody *custody = request->custody;
	const struct consignment *list = consignment_of(custody, receipt->consignment);
	struct wire_writer writer;
	struct buffer document;
	struct az_err err = {0};
	enum az_status status =
	    list == NULL ? az_fail(&err, AZ_NOT_FOUND, "receipt: the consignment has gone") : AZ_OK;

	buffer_init(&document, DOCUMENT_MAX, false);
	if (status == AZ_OK)
		status = write_body(custody, list, &document, &err);
	if (status == AZ_OK)
		status = sign_document(custody, &document, &err);
	if (status != AZ_OK) {
		buffer_fini(&document);
		receipt_fail(receipt, status, &err);
		return;
	}
	writer = reply_begin(request, FRONT_DONE);
	answer_object(&writer, NULL);
	answer_value(&writer, "document", buffer_peek(&document));
	answer_end(&writer);
	buffer_fini(&document);
	free(receipt);
	reply_end(request, &writer);
}

void
verb_receipt(struct request *request, const union front_request *body)
{
	struct custody *custody = request->custody;
	const struct consignment *list;
	struct receipt *receipt;
	struct az_err err = {0};
	enum az_status status = AZ_OK;

	if (!change_is_permitted(request))
		return;
	list = consignment_of(custody, body->receipt.consignment);
	if (list == NULL || !list->active || !list->has_entry)
		status = az_fail(&err, AZ_NOT_FOUND, "receipt: there is no consignment %llu",
		    (unsigned long long)body->receipt.consignment);
	receipt = status == AZ_OK ? malloc(sizeof(*receipt)) : NULL;
	if (receipt == NULL) {
		if (status == AZ_OK)
			(void)az_fail(&err, AZ_NO_MEMORY, "receipt: out of memory");
		request_fail(request, &err);
		return;
	}
	*receipt = (struct receipt){.request = request, .consignment = list->id};
	request->log = list->client;
	/* Its entry may be newer than the newest checkpoint. */
	status = ledger_settle(custody->ledger, settled, receipt, &err);
	if (status != AZ_OK)
		receipt_fail(receipt, status, &err);
}
