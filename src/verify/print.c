/* azukari-verify: reading what was named, and saying what came out. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "verify/commands.h"

#define PIECE 65536u

static enum az_status
read_standard(struct buffer *buffer, struct az_err *reterr)
{
	for (;;) {
		size_t left = buffer->max - buffer->size;
		size_t now = left < PIECE ? left : PIECE;
		ssize_t got;

		if (now == 0)
			return az_fail(
			    reterr, AZ_LIMIT, "standard input: longer than %zu bytes", buffer->max);
		if (buffer_reserve(buffer, now) != AZ_OK)
			return az_fail(reterr, AZ_NO_MEMORY, "standard input: out of memory");
		got = read(STDIN_FILENO, buffer->data + buffer->size, now);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return az_fail_errno(reterr, AZ_IO, errno, "standard input");
		if (got == 0)
			return AZ_OK;
		buffer->size += (size_t)got;
	}
}

enum az_status
input_read(const char *path, struct buffer *buffer, struct az_err *reterr)
{
	if (strcmp(path, "-") == 0)
		return read_standard(buffer, reterr);
	return file_read_whole(AT_FDCWD, path, buffer, reterr);
}

/* The checkpoint of an offline proof, in place of what note holds. */
static enum az_status
checkpoint_of_proof(struct bytes proof, struct buffer *note, struct az_err *reterr)
{
	struct proof_file file;
	enum az_status status = proof_file_read(proof, &file, reterr);

	if (status != AZ_OK)
		return status;
	buffer_clear(note);
	status = buffer_append(note, file.checkpoint);
	return status == AZ_OK ? AZ_OK : az_fail(reterr, status, "its checkpoint is too long");
}

enum az_status
input_checkpoint(const char *path, struct buffer *note, struct az_err *reterr)
{
	struct buffer file;
	const char *proof;
	json_t *receipt;
	enum az_status status;

	buffer_init(&file, PROOF_FILE_MAX, false);
	status = input_read(path, &file, reterr);
	if (status == AZ_OK && file.size > 0 && file.data[0] == '{') {
		receipt =
		    json_loadb((const char *)file.data, file.size, JSON_REJECT_DUPLICATES, NULL);
		proof = json_string_value(json_object_get(receipt, "proof"));
		status = proof == NULL
		    ? az_fail(reterr, AZ_CORRUPT, "neither a checkpoint nor a receipt")
		    : checkpoint_of_proof(bytes_of(proof), note, reterr);
		json_decref(receipt);
	} else if (status == AZ_OK && file.size > strlen(PROOF_FILE_START) &&
	    bytes_equal(
		bytes_make(file.data, strlen(PROOF_FILE_START)), bytes_of(PROOF_FILE_START))) {
		status = checkpoint_of_proof(buffer_peek(&file), note, reterr);
	} else if (status == AZ_OK) {
		buffer_clear(note);
		status = buffer_append(note, buffer_peek(&file));
		if (status != AZ_OK)
			(void)az_fail(reterr, AZ_CORRUPT, "too long for a checkpoint");
	}
	buffer_fini(&file);
	return status;
}

enum az_status
input_key(
    const char *path, enum note_key_type type, struct note_key *ret_key, struct az_err *reterr)
{
	struct note_key key = {0};
	struct buffer text;
	struct az_err err = {0};
	enum az_status status;

	buffer_init(&text, NOTE_VKEY_MAX, false);
	status = input_read(path, &text, &err);
	if (status == AZ_OK)
		status = note_key_parse(buffer_peek(&text), &key, &err);
	if (status == AZ_OK && key.type != type)
		status = az_fail(&err, AZ_INVALID, "not a key of a %s",
		    type == NOTE_KEY_COSIGNATURE ? "witness" : "log");
	buffer_fini(&text);
	if (status != AZ_OK)
		return az_fail(reterr, status, "%s: %s", path, err.text);
	*ret_key = key;
	return AZ_OK;
}

void
say_text(FILE *file, const char *text)
{
	for (; *text != '\0'; text++) {
		unsigned char byte = (unsigned char)*text;
		unsigned char next = (unsigned char)text[1];

		if (byte < 0x20 || byte == 0x7f)
			(void)fprintf(file, "\\x%02x", byte);
		/* C1 controls, as UTF-8. */
		else if (byte == 0xc2 && next >= 0x80 && next < 0xa0)
			(void)fprintf(file, "\\x%02x", (unsigned char)*++text);
		else
			(void)fputc(byte, file);
	}
}

int
say_good(const struct verify_options *options, json_t *object)
{
	json_t *whole;

	if (options->json) {
		whole = json_pack("{s:b}", "ok", true);
		(void)json_object_update(whole, object);
		(void)json_dumpf(whole, stdout, JSON_INDENT(2));
		(void)putchar('\n');
		json_decref(whole);
	}
	json_decref(object);
	return 0;
}

int
say_bad(const struct verify_options *options, enum az_status status, const struct az_err *err)
{
	int code = az_exit_code(status);

	if (options->json) {
		json_t *whole = json_pack("{s:b, s:{s:s, s:s, s:i}}", "ok", false, "error",
		    "status", az_status_name(status), "text", err->text, "exit", code);

		(void)json_dumpf(whole, stdout, JSON_INDENT(2));
		(void)putchar('\n');
		json_decref(whole);
		return code;
	}
	(void)fflush(stdout);
	(void)fputs(code == az_exit_code(AZ_FORGED) ? "azukari-verify: TAMPERING: "
						    : "azukari-verify: cannot be read: ",
	    stderr);
	say_text(stderr, err->text);
	(void)fputc('\n', stderr);
	return code;
}

const char *
hash_text(const uint8_t hash[TREE_HASH_SIZE])
{
	static char text[2 * TREE_HASH_SIZE + 1];

	hex_encode(bytes_make(hash, TREE_HASH_SIZE), text);
	return text;
}
