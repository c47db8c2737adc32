/*
 * The text of PDF files, page by page, and what is attached to them, by poppler.
 */
#include <poppler.h>
#include <stdlib.h>
#include <string.h>

#include "scan/unpack_internal.h"

static enum az_status
scan_pages(struct scan_job *job, PopplerDocument *document)
{
	struct scan_pass *pass = NULL;
	enum az_status status = scan_job_pass(job, &pass);
	int count = poppler_document_get_n_pages(document);

	for (int i = 0; status == AZ_OK && i < count; i++) {
		PopplerPage *page = poppler_document_get_page(document, i);
		char *text = page != NULL ? poppler_page_get_text(page) : NULL;

		if (text != NULL) {
			scan_pass_feed(pass, bytes_of(text));
			scan_pass_feed(pass, bytes_of("\n"));
			status = scan_job_unpacked(job, strlen(text));
		} else {
			scan_job_unread(job, SCAN_UNREAD_DAMAGED);
		}
		/* A page without text took its time, too. */
		if (status == AZ_OK)
			status = scan_job_unpacked(job, 0);
		g_free(text);
		if (page != NULL)
			g_object_unref(page);
	}
	if (pass != NULL)
		scan_pass_end(pass);
	scan_pass_free(&pass);
	return status;
}

/* --- attachments ------------------------------------------------------------------------------ */

struct saving {
	struct scan_job *job;
	struct buffer buffer;
	enum az_status status;
};

static gboolean
on_save(const gchar *data, gsize size, gpointer arg, GError **error)
{
	struct saving *saving = arg;

	saving->status = scan_job_unpacked(saving->job, size);
	if (saving->status == AZ_OK)
		saving->status = buffer_append(&saving->buffer, bytes_make(data, size));
	return saving->status == AZ_OK;
}

static enum az_status
scan_attachment(struct scan_job *job, PopplerAttachment *attachment)
{
	struct saving saving = {.job = job, .status = AZ_OK};
	struct scan_source *source = calloc(1, sizeof(*source));
	size_t mark = scan_member_enter(job, attachment->name != NULL ? attachment->name : "?");
	enum az_status status = AZ_OK;
	size_t held = 0;

	if (source == NULL)
		return AZ_NO_MEMORY;
	buffer_init(&saving.buffer, SCAN_MEMORY_MAX - job->held + 1, true);
	if (poppler_attachment_save_to_callback(attachment, on_save, &saving, NULL)) {
		held = saving.buffer.room;
		job->held += held;
		scan_source_memory(source, buffer_peek(&saving.buffer));
		status = scan_source_scan(job, source);
	} else if (job->ended) {
		status = AZ_LIMIT;
	} else {
		scan_job_unread(
		    job, saving.status == AZ_OK ? SCAN_UNREAD_DAMAGED : SCAN_UNREAD_MEMORY);
	}
	job->held -= held;
	buffer_fini(&saving.buffer);
	free(source);
	scan_member_leave(job, mark);
	return status;
}

static enum az_status
scan_attachments(struct scan_job *job, PopplerDocument *document)
{
	GList *attachments = poppler_document_get_attachments(document);
	enum az_status status = AZ_OK;

	for (GList *item = attachments; item != NULL && status == AZ_OK; item = item->next)
		status = scan_attachment(job, item->data);
	g_list_free_full(attachments, g_object_unref);
	return status;
}

/* --- the file --------------------------------------------------------------------------------- */

enum az_status
scan_pdf(struct scan_job *job, struct scan_source *source)
{
	struct buffer buffer;
	PopplerDocument *document;
	GError *error = NULL;
	GBytes *bytes;
	enum az_status status = scan_source_hold(job, source, &buffer);

	if (status == AZ_NOT_FOUND)
		return AZ_OK;
	if (status != AZ_OK)
		return status;
	bytes = g_bytes_new_static(buffer.data, buffer.size);
	document = poppler_document_new_from_bytes(bytes, NULL, &error);
	if (document != NULL) {
		status = scan_pages(job, document);
		if (status == AZ_OK)
			status = scan_attachments(job, document);
		g_object_unref(document);
	} else {
		bool encrypted = error != NULL && error->code == POPPLER_ERROR_ENCRYPTED;

		scan_job_unread(job, encrypted ? SCAN_UNREAD_ENCRYPTED : SCAN_UNREAD_DAMAGED);
		g_clear_error(&error);
		/* Perhaps it is something else that only begins like one. */
		scan_source_memory(source, buffer_peek(&buffer));
		if (!encrypted)
			status = scan_bytes(job, source);
	}
	g_bytes_unref(bytes);
	scan_source_release(job, &buffer);
	return status;
}

static void
say_nothing(const gchar *domain, GLogLevelFlags level, const gchar *message, gpointer arg)
{
}

/* What poppler makes once, among it the tables of encodings that it looks for on the disk. */
void
scan_unpack_prepare(void)
{
	static const char empty[] = "%PDF-1.0\n";
	GBytes *bytes = g_bytes_new_static(empty, sizeof(empty) - 1);
	PopplerDocument *document;

	(void)g_log_set_default_handler(say_nothing, NULL);
	document = poppler_document_new_from_bytes(bytes, NULL, NULL);
	if (document != NULL)
		g_object_unref(document);
	g_bytes_unref(bytes);
}
