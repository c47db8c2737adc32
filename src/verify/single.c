/* azukari-verify checkpoint, consistency, inclusion, receipt */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "crypto/hash.h"
#include "verify/commands.h"
#include "verify/verify.h"

#define SECOND_US INT64_C(1000000)
#define PIECE     65536u

/* A signed checkpoint out of a file; the buffer owns its bytes. */
static enum az_status
read_checkpoint(const char *path, const struct note_key *key, struct buffer *buffer,
    struct checkpoint *ret_checkpoint, struct az_err *reterr)
{
	struct az_err err = {0};
	enum az_status status = input_checkpoint(path, buffer, &err);

	if (status == AZ_OK)
		status = checkpoint_open_signed(buffer_peek(buffer), key, ret_checkpoint, &err);
	return status == AZ_OK ? AZ_OK : az_fail(reterr, status, "%s: %s", path, err.text);
}

/* --- checkpoint ------------------------------------------------------------------------------- */

/* When the witness cosigned. */
static enum az_status
check_witness(const char *path, const struct checkpoint *checkpoint, const char *file,
    int64_t *ret_time_s, struct az_err *reterr)
{
	struct note_key witness;
	struct az_err err = {0};
	enum az_status status = input_key(path, NOTE_KEY_COSIGNATURE, &witness, reterr);

	if (status != AZ_OK)
		return status;
	status = note_check(&checkpoint->note, &witness, ret_time_s, &err);
	if (status == AZ_NOT_FOUND)
		status = az_fail(&err, AZ_FORGED, "not cosigned by %s", witness.name);
	return status == AZ_OK ? AZ_OK : az_fail(reterr, status, "%s: %s", file, err.text);
}

static json_t *
describe(const struct checkpoint *checkpoint, const struct note_key *key, int64_t witnessed_s)
{
	json_t *object = json_pack("{s:s, s:I, s:s}", "origin", key->name, "size",
	    (json_int_t)checkpoint->size, "root", hash_text(checkpoint->root));
	char when[48];

	if (witnessed_s > 0) {
		clock_format_utc(witnessed_s * SECOND_US, when, sizeof(when));
		(void)json_object_set_new(object, "witnessed", json_string(when));
	}
	return object;
}

int
verify_checkpoint(const struct verify_options *options)
{
	struct checkpoint checkpoint = {0};
	struct note_key key = {0};
	struct az_err err = {0};
	struct buffer note;
	int64_t witnessed_s = 0;
	char when[48];
	enum az_status status = input_key(options->vkey, NOTE_KEY_ED25519, &key, &err);
	json_t *object;

	buffer_init(&note, NOTE_MAX, false);
	if (status == AZ_OK)
		status = read_checkpoint(options->arguments[0], &key, &note, &checkpoint, &err);
	if (status == AZ_OK && options->witness != NULL)
		status = check_witness(
		    options->witness, &checkpoint, options->arguments[0], &witnessed_s, &err);
	if (status != AZ_OK) {
		buffer_fini(&note);
		return say_bad(options, status, &err);
	}
	object = describe(&checkpoint, &key, witnessed_s);
	if (!options->json) {
		say_text(stdout, key.name);
		(void)printf("\n%llu entries\nroot %s\nsigned by the log's key\n",
		    (unsigned long long)checkpoint.size, hash_text(checkpoint.root));
		if (options->witness != NULL) {
			clock_format_local(witnessed_s * SECOND_US, when, sizeof(when));
			(void)printf("cosigned by the witness on %s\n", when);
		}
	}
	buffer_fini(&note);
	return say_good(options, object);
}

/* --- consistency ------------------------------------------------------------------------------ */

/* Lines of hashes, with or without the empty line that ends them elsewhere. */
static enum az_status
read_proof(const char *path, struct proof *ret_proof, struct az_err *reterr)
{
	struct buffer text;
	struct bytes rest;
	struct az_err err = {0};
	enum az_status status;

	buffer_init(&text, NOTE_MAX, false);
	status = input_read(path, &text, &err);
	if (status == AZ_OK)
		status = buffer_append(&text, bytes_of("\n"));
	rest = buffer_peek(&text);
	if (status == AZ_OK && !proof_lines_read(&rest, PROOF_MAX, ret_proof))
		status = az_fail(&err, AZ_CORRUPT, "not a hash in base64 a line");
	buffer_fini(&text);
	return status == AZ_OK ? AZ_OK : az_fail(reterr, status, "%s: %s", path, err.text);
}

/* The proof out of an exported log, which must be as long as the newer checkpoint at least. */
static enum az_status
make_proof(const char *path, const struct note_key *key, uint64_t older, uint64_t newer,
    struct proof *ret_proof, struct az_err *reterr)
{
	struct checkpoint checkpoint = {0};
	struct published_log source;
	struct buffer note;
	int dirfd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	enum az_status status;

	if (dirfd < 0)
		return az_fail_errno(reterr, AZ_IO, errno, "%s", path);
	source = published_folder(&dirfd);
	buffer_init(&note, NOTE_MAX, false);
	status = file_read_whole(dirfd, "checkpoint", &note, reterr);
	if (status == AZ_OK)
		status = checkpoint_open_signed(buffer_peek(&note), key, &checkpoint, reterr);
	buffer_fini(&note);
	if (status == AZ_OK && checkpoint.size < newer)
		status = az_fail(reterr, AZ_INVALID,
		    "%s has %llu entries, fewer than the newer checkpoint", path,
		    (unsigned long long)checkpoint.size);
	if (status == AZ_OK)
		status = published_consistency(
		    &source, checkpoint.size, older, newer, ret_proof, reterr);
	fd_close(&dirfd);
	return status;
}

static enum az_status
compare(const struct verify_options *options, const struct note_key *key,
    const struct checkpoint *older, const struct checkpoint *newer, struct az_err *reterr)
{
	struct proof proof = {0};
	enum az_status status = AZ_OK;

	if (older->size > newer->size)
		return az_fail(reterr, AZ_FORGED, "%s has %llu entries, and the older %s has %llu",
		    options->arguments[1], (unsigned long long)newer->size, options->arguments[0],
		    (unsigned long long)older->size);
	/* Of equal sizes the roots say it all. */
	if (older->size < newer->size && older->size > 0) {
		if (options->proof != NULL)
			status = read_proof(options->proof, &proof, reterr);
		else if (options->log != NULL)
			status =
			    make_proof(options->log, key, older->size, newer->size, &proof, reterr);
		else
			status = az_fail(reterr, AZ_INVALID,
			    "they have different sizes: a proof is needed, --log or --proof");
	}
	if (status != AZ_OK)
		return status;
	if (!proof_check_consistency(&proof, older->size, older->root, newer->size, newer->root))
		return az_fail(reterr, AZ_FORGED,
		    "the first %llu entries of %s are not shown to be those of %s",
		    (unsigned long long)older->size, options->arguments[1], options->arguments[0]);
	return AZ_OK;
}

int
verify_consistency(const struct verify_options *options)
{
	struct checkpoint older = {0};
	struct checkpoint newer = {0};
	struct note_key key = {0};
	struct az_err err = {0};
	struct buffer old_note, new_note;
	enum az_status status = input_key(options->vkey, NOTE_KEY_ED25519, &key, &err);
	json_t *object;

	buffer_init(&old_note, NOTE_MAX, false);
	buffer_init(&new_note, NOTE_MAX, false);
	if (status == AZ_OK)
		status = read_checkpoint(options->arguments[0], &key, &old_note, &older, &err);
	if (status == AZ_OK)
		status = read_checkpoint(options->arguments[1], &key, &new_note, &newer, &err);
	if (status == AZ_OK)
		status = compare(options, &key, &older, &newer, &err);
	buffer_fini(&old_note);
	buffer_fini(&new_note);
	if (status != AZ_OK)
		return say_bad(options, status, &err);
	object = json_pack("{s:s, s:I, s:I}", "origin", key.name, "old_size",
	    (json_int_t)older.size, "size", (json_int_t)newer.size);
	if (!options->json)
		(void)printf("the log of %llu entries begins with the log of %llu\n",
		    (unsigned long long)newer.size, (unsigned long long)older.size);
	return say_good(options, object);
}

/* --- inclusion -------------------------------------------------------------------------------- */

int
verify_inclusion(const struct verify_options *options)
{
	struct inclusion_facts facts = {0};
	struct note_key key = {0};
	struct az_err err = {0};
	struct buffer file;
	enum az_status status = input_key(options->vkey, NOTE_KEY_ED25519, &key, &err);
	json_t *object;

	buffer_init(&file, PROOF_FILE_MAX, false);
	if (status == AZ_OK)
		status = input_read(options->arguments[0], &file, &err);
	if (status == AZ_OK)
		status = inclusion_check(buffer_peek(&file), &key, &facts, &err);
	buffer_fini(&file);
	if (status != AZ_OK)
		return say_bad(options, status, &err);
	object = json_pack("{s:s, s:I, s:I}", "origin", key.name, "index", (json_int_t)facts.index,
	    "size", (json_int_t)facts.size);
	if (facts.known)
		(void)json_object_set_new(object, "entry", tell_json(facts.index, &facts.entry));
	if (!options->json) {
		(void)printf("entry %llu of the %llu that are signed:\n",
		    (unsigned long long)facts.index, (unsigned long long)facts.size);
		if (facts.known)
			tell_entry(stdout, &facts.entry);
		else
			(void)fputs("of a form that this program does not know", stdout);
		(void)putchar('\n');
	}
	return say_good(options, object);
}

/* --- receipt ---------------------------------------------------------------------------------- */

/* A list may be larger than memory. */
static enum az_status
hash_file(const char *path, uint8_t ret_digest[SHA256_SIZE], struct az_err *reterr)
{
	uint8_t piece[PIECE];
	struct sha256 hash;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = 1;

	if (fd < 0)
		return az_fail_errno(reterr, AZ_IO, errno, "%s", path);
	sha256_init(&hash);
	while (got != 0) {
		got = read(fd, piece, sizeof(piece));
		if (got < 0 && errno != EINTR)
			break;
		if (got > 0)
			sha256_update(&hash, piece, (size_t)got);
	}
	if (got < 0)
		(void)az_fail_errno(reterr, AZ_IO, errno, "%s", path);
	fd_close(&fd);
	if (got < 0)
		return AZ_IO;
	sha256_final(&hash, ret_digest);
	return AZ_OK;
}

static void
print_receipt(const struct verify_options *options, const struct receipt_facts *facts)
{
	const char *client = json_string_value(json_object_get(facts->document, "client_name"));

	if (json_is_true(json_object_get(facts->document, "unsealed")))
		(void)puts("UNSEALED HOUSE: for demonstrations and tests only");
	say_text(stdout, client != NULL ? client : "");
	(void)putchar('\n');
	tell_entry(stdout, &facts->entry);
	(void)printf("\nentry %llu of the %llu that are signed in ",
	    (unsigned long long)facts->index, (unsigned long long)facts->size);
	say_text(stdout, facts->log_key.name);
	(void)puts("\nsigned, and what it says is what the log says");
	if (options->list != NULL)
		(void)puts("it is for the list that was given");
	if (options->vkey == NULL || options->house_vkey == NULL)
		(void)puts(
		    "NOTE: keys were taken from the receipt itself. Compare them with those that "
		    "you know,\nor give --vkey and --house-vkey: whoever made a receipt "
		    "up would sign it, too.");
}

int
verify_receipt(const struct verify_options *options)
{
	struct receipt_facts facts = {0};
	struct note_key log_key = {0};
	struct note_key house_key = {0};
	uint8_t digest[SHA256_SIZE];
	struct az_err err = {0};
	struct buffer file;
	enum az_status status = AZ_OK;
	json_t *object;

	if (options->vkey != NULL)
		status = input_key(options->vkey, NOTE_KEY_ED25519, &log_key, &err);
	if (status == AZ_OK && options->house_vkey != NULL)
		status = input_key(options->house_vkey, NOTE_KEY_ED25519, &house_key, &err);
	if (status == AZ_OK && options->list != NULL)
		status = hash_file(options->list, digest, &err);
	buffer_init(&file, RECEIPT_MAX, false);
	if (status == AZ_OK)
		status = input_read(options->arguments[0], &file, &err);
	if (status == AZ_OK)
		status = receipt_check(buffer_peek(&file), options->vkey != NULL ? &log_key : NULL,
		    options->house_vkey != NULL ? &house_key : NULL,
		    options->list != NULL ? digest : NULL, &facts, &err);
	buffer_fini(&file);
	if (status != AZ_OK)
		return say_bad(options, status, &err);
	if (!options->json)
		print_receipt(options, &facts);
	object = json_pack("{s:s, s:I, s:I, s:b, s:b, s:b, s:o}", "origin", facts.log_key.name,
	    "index", (json_int_t)facts.index, "size", (json_int_t)facts.size, "log_key_known",
	    options->vkey != NULL, "house_key_known", options->house_vkey != NULL, "list_known",
	    options->list != NULL, "entry", tell_json(facts.index, &facts.entry));
	json_decref(facts.document);
	return say_good(options, object);
}
