/*
 * What a trace has found: counts for one screen, the root over all verdicts for the ledger, and a line for each row if
 * that is wanted.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crypto/age.h"
#include "custody/tracing.h"

#define OUT_PIECE ((size_t)64 * 1024)
#define LINE_MAX  ((size_t)3 * FIELD_VALUE_MAX)

/* --- counts and root -------------------------------------------------------------------------- */

static enum az_status
leaf_row(struct wire_writer *writer, const struct tracing *tracing,
    const struct tracing_chunk *chunk, size_t row)
{
	const struct tracing_verdict *verdict = &chunk->verdicts[row];

	wire_put_u64(writer, tracing->lists[chunk->list].before + chunk->rows[row]);
	wire_put_u8(writer, verdict->verdict);
	wire_put_u8(writer, verdict->count);
	for (uint8_t i = 0; i < verdict->count; i++) {
		const struct tracing_link *link = &chunk->links[verdict->first_link + i];

		wire_put_u32(writer, tracing->clients[link->client - 1].id);
		wire_put_u32(writer, link->record);
		wire_put_u16(writer, link->kinds);
		wire_put_u8(writer, link->version_count);
		for (uint8_t v = 0; v < link->version_count; v++)
			wire_put_u32(writer, chunk->versions[link->first_version + v]);
	}
	return writer->status;
}

struct page {
	struct tree tree;
	struct buffer rows;
	size_t count;
};

static void
page_end(struct page *page)
{
	uint8_t hash[TREE_HASH_SIZE];

	if (page->count == 0)
		return;
	tree_leaf(buffer_peek(&page->rows), hash);
	tree_append(&page->tree, hash);
	buffer_clear(&page->rows);
	page->count = 0;
}

static void
count_row(struct tracing *tracing, const struct tracing_chunk *chunk, size_t row)
{
	const struct tracing_verdict *verdict = &chunk->verdicts[row];

	tracing->ours += verdict->verdict == TRACE_OURS;
	tracing->ambiguous += verdict->verdict == TRACE_AMBIGUOUS;
	tracing->not_found += verdict->verdict == TRACE_NOT_FOUND;
	for (uint8_t i = 0; i < verdict->count; i++) {
		uint32_t client = chunk->links[verdict->first_link + i].client;
		bool before = false;

		/* Several records of one client are one row of it. */
		for (uint8_t b = 0; b < i; b++)
			before |= chunk->links[verdict->first_link + b].client == client;
		if (before)
			continue;
		tracing->clients[client - 1].rows++;
		tracing->clients[client - 1].fields |= tracing->lists[chunk->list].fields;
	}
}

static enum az_status
count_rows(struct tracing *tracing, struct az_err *reterr)
{
	struct page page = {0};
	struct wire_writer writer;
	enum az_status status = AZ_OK;

	buffer_init(&page.rows, (size_t)TRACING_PAGE * 2048, false);
	wire_writer_init(&writer, &page.rows);
	for (size_t i = 0; i < tracing->chunk_count && status == AZ_OK; i++) {
		const struct tracing_chunk *chunk = tracing->chunks[i];

		for (size_t row = 0; chunk != NULL && row < chunk->count && status == AZ_OK;
		     row++) {
			count_row(tracing, chunk, row);
			status = leaf_row(&writer, tracing, chunk, row);
			if (++page.count == TRACING_PAGE)
				page_end(&page);
		}
	}
	page_end(&page);
	tree_root(&page.tree, tracing->root);
	buffer_fini(&page.rows);
	return status == AZ_OK ? AZ_OK : az_fail(reterr, status, "trace: out of memory");
}

/* Distinct people of each client: records that some row is. Each record is one client's. */
static enum az_status
count_people(struct tracing *tracing, struct az_err *reterr)
{
	uint64_t *seen = NULL;
	size_t room = 0;

	for (size_t i = 0; i < tracing->chunk_count; i++) {
		const struct tracing_chunk *chunk = tracing->chunks[i];

		for (size_t l = 0; chunk != NULL && l < chunk->link_count; l++) {
			if (chunk->links[l].record / 64 >= room)
				room = chunk->links[l].record / 64 + 1;
		}
	}
	seen = calloc(room + 1, sizeof(*seen));
	if (seen == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "trace: out of memory");
	for (size_t i = 0; i < tracing->chunk_count; i++) {
		const struct tracing_chunk *chunk = tracing->chunks[i];

		for (size_t row = 0; chunk != NULL && row < chunk->count; row++) {
			const struct tracing_verdict *verdict = &chunk->verdicts[row];

			for (uint8_t l = 0; l < verdict->count; l++) {
				const struct tracing_link *link =
				    &chunk->links[verdict->first_link + l];
				uint64_t bit = UINT64_C(1) << link->record % 64;

				if ((seen[link->record / 64] & bit) != 0)
					continue;
				seen[link->record / 64] |= bit;
				tracing->clients[link->client - 1].people++;
				tracing->people_found++;
			}
		}
	}
	free(seen);
	return AZ_OK;
}

/* --- rows ------------------------------------------------------------------------------------- */

/* Where the rows go: plain, or sealed to a recipient. */
struct out {
	const struct tracing *tracing;
	struct age_writer *age;
	struct buffer plain;
	struct buffer sealed;
};

static enum az_status
write_out(const struct tracing *tracing, struct bytes bytes, struct az_err *reterr)
{
	struct reading_end end = tracing_end(tracing);

	while (bytes.size > 0) {
		ssize_t part;

		if (!reading_wait(&end, tracing->rows_fd, POLLOUT))
			return az_fail(reterr, AZ_GONE, "trace: given up");
		part = write(tracing->rows_fd, bytes.data, bytes.size);
		if (part < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (part < 0)
			return az_fail_errno(reterr, AZ_IO, errno, "the rows cannot be written");
		bytes.data += part;
		bytes.size -= (size_t)part;
	}
	return AZ_OK;
}

static enum az_status
flush_out(struct out *out, struct az_err *reterr)
{
	enum az_status status = AZ_OK;

	if (out->age == NULL) {
		status = write_out(out->tracing, buffer_peek(&out->plain), reterr);
	} else {
		status = age_writer_take(out->age, buffer_peek(&out->plain), &out->sealed, reterr);
		if (status == AZ_OK)
			status = write_out(out->tracing, buffer_peek(&out->sealed), reterr);
		buffer_clear(&out->sealed);
	}
	buffer_clear(&out->plain);
	return status;
}

static void
put(struct out *out, const char *text)
{
	/* The buffer has room for a line more than is flushed. */
	az_ignore(buffer_append(&out->plain, bytes_of(text)));
}

/* A value of CSV: quoted where it must be. */
static void
put_value(struct out *out, struct bytes value)
{
	bool quotes = false;

	for (size_t i = 0; i < value.size; i++)
		quotes |= strchr(",\"\r\n", value.data[i]) != NULL && value.data[i] != '\0';
	put(out, quotes ? "\"" : "");
	for (size_t i = 0; i < value.size; i++) {
		if (value.data[i] == '"')
			put(out, "\"");
		az_ignore(buffer_append(&out->plain, bytes_make(value.data + i, 1)));
	}
	put(out, quotes ? "\"" : "");
}

static int
compare_number(const void *key, const void *item)
{
	const uint32_t *record = key;
	const struct tracing_number *number = item;

	return *record < number->record ? -1 : *record > number->record;
}

struct newest {
	const struct tracing *tracing;
	uint32_t version;
	uint64_t consignment;
};

static bool
note_newest(void *arg, const struct catalogue_entry *entry)
{
	struct newest *newest = arg;

	if (entry->version == newest->version &&
	    tracing_source_of(newest->tracing, entry->consignment) != NULL)
		newest->consignment = entry->consignment;
	return true;
}

/* One line of one row: a record of one client. */
static enum az_status
put_link(struct out *out, struct catalogue_reader *reader, const struct tracing_chunk *chunk,
    const struct tracing_link *link, struct az_err *reterr)
{
	const struct tracing *tracing = out->tracing;
	const struct tracing_number *number = tracing->number_count == 0
	    ? NULL
	    : bsearch(&link->record, tracing->numbers, tracing->number_count,
		  sizeof(*tracing->numbers), compare_number);
	struct newest newest = {.tracing = tracing};
	const char *gap = "";
	char text[64];
	enum az_status status = AZ_OK;

	if (link->version_count > 0) {
		newest.version = chunk->versions[link->first_version + link->version_count - 1];
		status = catalogue_entries(reader, link->record, note_newest, &newest, reterr);
		if (status == AZ_NOT_FOUND)
			status = AZ_OK;
	}
	(void)snprintf(text, sizeof(text), ",%s,", tracing->clients[link->client - 1].label);
	put(out, text);
	if (newest.consignment != 0) {
		(void)snprintf(text, sizeof(text), "%" PRIu64, newest.consignment);
		put(out, text);
	}
	put(out, ",");
	if (number != NULL)
		put_value(out, bytes_make(number->text, number->size));
	put(out, ",");
	for (uint8_t i = 0; i < link->version_count; i++) {
		(void)snprintf(text, sizeof(text), "%s%" PRIu32, i == 0 ? "" : " ",
		    chunk->versions[link->first_version + i]);
		put(out, text);
	}
	(void)snprintf(text, sizeof(text), ",%.1f,", (double)link->bits);
	put(out, text);
	for (unsigned int kind = MATCH_NUMBER; kind < MATCH_KINDS; kind++) {
		if ((link->kinds & 1u << kind) == 0)
			continue;
		put(out, gap);
		put(out, match_kind_name((enum match_kind)kind));
		gap = " ";
	}
	put(out, "\n");
	return status;
}

static enum az_status
put_row(struct out *out, struct catalogue_reader *reader, const struct tracing_chunk *chunk,
    size_t row, struct az_err *reterr)
{
	const struct tracing_verdict *verdict = &chunk->verdicts[row];
	uint64_t number = out->tracing->lists[chunk->list].before + chunk->rows[row];
	char text[64];
	enum az_status status = AZ_OK;

	(void)snprintf(text, sizeof(text), "%" PRIu64 ",%s", number,
	    trace_verdict_name((enum trace_verdict)verdict->verdict));
	if (verdict->count == 0) {
		put(out, text);
		put(out, ",,,,,,\n");
	}
	for (uint8_t i = 0; i < verdict->count && status == AZ_OK; i++) {
		put(out, text);
		status =
		    put_link(out, reader, chunk, &chunk->links[verdict->first_link + i], reterr);
		if (status == AZ_OK && out->plain.size >= OUT_PIECE)
			status = flush_out(out, reterr);
	}
	if (status == AZ_OK && out->plain.size >= OUT_PIECE)
		status = flush_out(out, reterr);
	return status;
}

static enum az_status
put_rows(struct out *out, struct catalogue_reader *reader, struct az_err *reterr)
{
	const struct tracing *tracing = out->tracing;
	enum az_status status = AZ_OK;

	put(out, "row,verdict,client,consignment,number,version,score,kinds\n");
	for (size_t i = 0; i < tracing->chunk_count && status == AZ_OK; i++) {
		const struct tracing_chunk *chunk = tracing->chunks[i];

		for (size_t row = 0; chunk != NULL && row < chunk->count && status == AZ_OK; row++)
			status = put_row(out, reader, chunk, row, reterr);
	}
	return status == AZ_OK ? flush_out(out, reterr) : status;
}

static enum az_status
tell_rows(struct tracing *tracing, struct az_err *reterr)
{
	struct out out = {.tracing = tracing};
	struct catalogue_reader *reader = NULL;
	enum az_status status = catalogue_reader_new(tracing->custody->catalogue, &reader, reterr);

	buffer_init(&out.plain, OUT_PIECE + LINE_MAX, true);
	buffer_init(&out.sealed, 4 * (OUT_PIECE + LINE_MAX), false);
	/* So that a reader who stops reading does not hold us beyond the end of who asked. */
	if (status == AZ_OK && fcntl(tracing->rows_fd, F_SETFL, O_NONBLOCK) != 0)
		status = az_fail_errno(reterr, AZ_IO, errno, "the rows cannot be written");
	if (status == AZ_OK)
		status = catalogue_reader_renew(reader, reterr);
	if (status == AZ_OK && tracing->is_sealed) {
		status = age_writer_new((const uint8_t(*)[AGE_KEY_SIZE])tracing->recipient, 1,
		    &out.sealed, &out.age, reterr);
		if (status == AZ_OK)
			status = write_out(tracing, buffer_peek(&out.sealed), reterr);
		buffer_clear(&out.sealed);
	}
	if (status == AZ_OK)
		status = put_rows(&out, reader, reterr);
	if (status == AZ_OK && out.age != NULL) {
		status = age_writer_end(out.age, &out.sealed, reterr);
		if (status == AZ_OK)
			status = write_out(tracing, buffer_peek(&out.sealed), reterr);
	}
	age_writer_free(&out.age);
	buffer_fini(&out.plain);
	buffer_fini(&out.sealed);
	catalogue_reader_free(&reader);
	return status;
}

enum az_status
tracing_count(struct tracing *tracing, struct az_err *reterr)
{
	enum az_status status = count_rows(tracing, reterr);

	return status == AZ_OK ? count_people(tracing, reterr) : status;
}

enum az_status
tracing_tell(struct tracing *tracing, struct az_err *reterr)
{
	return tracing->wants_rows ? tell_rows(tracing, reterr) : AZ_OK;
}
