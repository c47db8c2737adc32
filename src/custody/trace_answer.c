/*
 * What a trace is answered with: an item for each client, then the counts; and how far it is, meanwhile.
 */
#include "custody/tracing.h"

#define PROGRESS_US (AZ_US_PER_S / 2)

/* --- the answer ------------------------------------------------------------------------------- */

static void
answer_classes(struct wire_writer *writer, uint64_t fields)
{
	uint32_t classes = 0;

	for (unsigned int field = 0; field < FIELD_COUNT; field++) {
		if ((fields & FIELD_BIT(field)) != 0)
			classes |= 1u << field_class(field);
	}
	answer_array(writer, "classes");
	for (unsigned int class = 1; class < CLASS_COUNT; class ++) {
		if ((classes & 1u << class) != 0)
			answer_text(writer, NULL, class_name((enum field_class) class));
	}
	answer_end(writer);
}

static void
tell_client(struct request *request, const struct tracing_client *client)
{
	struct wire_writer writer = reply_begin(request, FRONT_ITEM);

	answer_object(&writer, NULL);
	answer_text(&writer, "client", client->label);
	answer_uint(&writer, "rows", client->rows);
	answer_uint(&writer, "people", client->people);
	answer_classes(&writer, client->fields);
	answer_end(&writer);
	reply_item(request, &writer);
}

/* One of the entries behind the result. */
static void
tell_entry(struct request *request, enum entry_type type, const char *log, uint64_t index)
{
	struct wire_writer writer = reply_begin(request, FRONT_ITEM);

	answer_object(&writer, NULL);
	answer_text(&writer, "entry", ledger_entry_name(type));
	if (log != NULL)
		answer_text(&writer, "client", log);
	answer_uint(&writer, "index", index);
	answer_end(&writer);
	reply_item(request, &writer);
}

static void
tell_entries(const struct tracing *tracing)
{
	struct request *request = tracing->request;

	for (size_t i = 0; i < tracing->list_count; i++)
		tell_entry(request, ENTRY_TRACE_LIST, NULL, tracing->lists[i].index);
	for (size_t i = 0; i < tracing->client_count; i++) {
		const struct tracing_client *client = &tracing->clients[i];

		if (client->opened.size > 0)
			tell_entry(
			    request, ENTRY_TRACE_OPENED, client->label, client->opened_index);
	}
	tell_entry(request, ENTRY_TRACED, NULL, tracing->index);
	tell_entry(request, ENTRY_ATTRIBUTED, NULL, tracing->attributed_index);
}

static void
answer_lists(struct wire_writer *writer, const struct tracing *tracing)
{
	answer_array(writer, "lists");
	for (size_t i = 0; i < tracing->list_count; i++) {
		const struct tracing_list *list = &tracing->lists[i];

		answer_object(writer, NULL);
		answer_uint(writer, "first_row", list->before + 1);
		answer_uint(writer, "rows", list->rows);
		answer_uint(writer, "refused", list->refused);
		answer_bytes(writer, "sha256", bytes_make(list->sha256, sizeof(list->sha256)));
		answer_end(writer);
	}
	answer_end(writer);
}

static void
answer_coverage(struct wire_writer *writer, const struct tracing *tracing)
{
	size_t searched = 0;

	for (size_t i = 0; i < tracing->source_count; i++)
		searched += tracing->sources[i].has_prints ? 1 : 0;
	answer_object(writer, "coverage");
	answer_uint(writer, "consignments", tracing->source_count + tracing->not_active);
	answer_uint(writer, "searched", searched);
	answer_uint(writer, "without_fingerprints", tracing->source_count - searched);
	answer_uint(writer, "not_active", tracing->not_active);
	answer_uint(writer, "clients", tracing->client_count);
	answer_end(writer);
}

void
tracing_answer(struct tracing *tracing)
{
	struct request *request = tracing->request;
	uint64_t refused = 0;
	struct wire_writer writer;

	for (size_t i = 0; i < tracing->client_count; i++) {
		if (tracing->clients[i].rows > 0)
			tell_client(request, &tracing->clients[i]);
	}
	tell_entries(tracing);
	for (size_t i = 0; i < tracing->list_count; i++)
		refused += tracing->lists[i].refused;
	writer = reply_begin(request, FRONT_DONE);
	answer_object(&writer, NULL);
	answer_uint(&writer, "case", tracing->id);
	answer_uint(&writer, "rows", tracing_rows(tracing));
	answer_uint(&writer, "people", tracing->people_found);
	answer_uint(&writer, "ours", tracing->ours);
	answer_uint(&writer, "ambiguous", tracing->ambiguous);
	answer_uint(&writer, "not_found", tracing->not_found);
	answer_uint(&writer, "refused", refused);
	answer_uint(&writer, "opened", tracing->target_count);
	answer_coverage(&writer, tracing);
	answer_lists(&writer, tracing);
	tracing_answer_attribution(tracing, &writer);
	answer_bytes(&writer, "root", bytes_make(tracing->root, sizeof(tracing->root)));
	answer_uint(&writer, "used", tracing->used);
	answer_uint(&writer, "allowed", tracing->allowed);
	answer_object(&writer, "ledger");
	answer_text(&writer, "log", "house");
	answer_uint(&writer, "index", tracing->index);
	answer_end(&writer);
	answer_end(&writer);
	tracing_join(tracing);
	tracing->request = NULL;
	tracing_drop(tracing);
	reply_end(request, &writer);
}

void
tracing_progress(struct tracing *tracing, enum tracing_stage stage)
{
	int64_t now = clock_monotonic_us();

	if (now - tracing->told_us < PROGRESS_US)
		return;
	tracing->told_us = now;
	if (stage == TRACING_READS)
		request_progress(tracing->request, atomic_load(&tracing->done_of), 0, "rows read");
	else if (stage == TRACING_SEARCHES)
		request_progress(tracing->request, atomic_load(&tracing->done_of),
		    tracing->source_count + tracing->chunk_count, "parts searched");
	else if (stage == TRACING_OPENS)
		request_progress(tracing->request, atomic_load(&tracing->done_of),
		    tracing->target_count, "rows opened");
	else if (stage == TRACING_ATTRIBUTES)
		request_progress(tracing->request, 0, 0, "weighing who had them");
}
