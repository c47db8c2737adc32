/*
 * Opens or seals one age file with the house's own code, for comparing it with others' programs and vectors.
 *
 *	age-tool open IDENTITY PIECE        standard input to standard output; the exit code is the status
 *	age-tool seal RECIPIENT… PIECE
 *	age-tool recipient IDENTITY
 *
 * PIECE: how many bytes are handed over at a time.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/age.h"

#define PIECE_MAX 1000000u

static void
write_out(struct buffer *buffer)
{
	if (fwrite(buffer->data, 1, buffer->size, stdout) != buffer->size)
		exit(1);
	buffer_clear(buffer);
}

static enum az_status
open_all(const char *identity_text, size_t piece, uint8_t *data, struct buffer *out)
{
	struct secret *identity = NULL;
	struct age_reader *reader = NULL;
	struct az_err err = {0};
	size_t size;
	enum az_status status = age_identity_parse(identity_text, &identity, &err);

	if (status == AZ_OK)
		status = age_reader_new(identity, &reader, &err);
	while (status == AZ_OK && (size = fread(data, 1, piece, stdin)) > 0) {
		status = age_reader_take(reader, bytes_make(data, size), out, &err);
		write_out(out);
	}
	if (status == AZ_OK)
		status = age_reader_end(reader, out, &err);
	write_out(out);
	age_reader_free(&reader);
	secret_free(&identity);
	if (status != AZ_OK)
		(void)fprintf(stderr, "%s\n", err.text);
	return status;
}

static enum az_status
seal_all(char **texts, size_t count, size_t piece, uint8_t *data, struct buffer *out)
{
	static uint8_t recipients[AGE_RECIPIENTS_MAX][AGE_KEY_SIZE];
	struct age_writer *writer = NULL;
	size_t size;
	enum az_status status = AZ_OK;

	for (size_t i = 0; i < count && status == AZ_OK; i++) {
		if (i == AGE_RECIPIENTS_MAX || !age_recipient_parse(texts[i], recipients[i]))
			status = AZ_INVALID;
	}
	if (status == AZ_OK)
		status = age_writer_new(
		    (const uint8_t(*)[AGE_KEY_SIZE])recipients, count, out, &writer, NULL);
	while (status == AZ_OK && (size = fread(data, 1, piece, stdin)) > 0) {
		status = age_writer_take(writer, bytes_make(data, size), out, NULL);
		write_out(out);
	}
	if (status == AZ_OK)
		status = age_writer_end(writer, out, NULL);
	write_out(out);
	age_writer_free(&writer);
	return status;
}

static enum az_status
tell_recipient(const char *identity_text)
{
	struct secret *identity = NULL;
	uint8_t recipient[AGE_KEY_SIZE];
	char text[AGE_RECIPIENT_SIZE];
	enum az_status status = age_identity_parse(identity_text, &identity, NULL);

	if (status == AZ_OK)
		status = age_recipient(identity, recipient, NULL);
	if (status == AZ_OK) {
		age_recipient_text(recipient, text);
		(void)puts(text);
	}
	secret_free(&identity);
	return status;
}

int
main(int argc, char **argv)
{
	size_t piece = argc > 3 ? strtoul(argv[argc - 1], NULL, 10) : 1;
	uint8_t *data = piece > 0 && piece <= PIECE_MAX ? malloc(piece) : NULL;
	struct buffer out;
	enum az_status status = AZ_INVALID;

	if (data == NULL || argc < 3)
		return 2;
	buffer_init(&out, PIECE_MAX + 3 * AGE_CHUNK, true);
	if (strcmp(argv[1], "open") == 0 && argc == 4)
		status = open_all(argv[2], piece, data, &out);
	else if (strcmp(argv[1], "seal") == 0)
		status = seal_all(argv + 2, (size_t)argc - 3, piece, data, &out);
	else if (strcmp(argv[1], "recipient") == 0)
		status = tell_recipient(argv[2]);
	buffer_fini(&out);
	free(data);
	return status == AZ_OK ? 0 : 10 + (int)status;
}
