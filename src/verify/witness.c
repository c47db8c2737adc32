/*
 * The checks of tlog-witness, in its order:
 *
 *	400  the body is not in its form
 *	404  the origin is of no log that it knows
 *	403  not signed by the log's key
 *	400  the old size is beyond the new one
 *	409  the old size is not the newest cosigned one, or the size is and the root is not
 *	422  the proof does not lead from the old root to the new one
 *
 * then state ─► disk ─► signature. What was asked twice is cosigned twice, with another time: a reply may get lost.
 *
 * At opening each state is held against its log's key: a folder that was put back, or changed, must not make it cosign
 * another history. That an older folder was put back whole it cannot see; whoever runs it must not restore it from
 * a backup.
 */
#include "verify/witness.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "crypto/hash.h"

#define SEED_TEXT_SIZE (2u * SIGN_SEED_SIZE)
#define STATE_SIZE     (2u * SHA256_SIZE + 1u)

struct witnessed {
	struct note_key key;
	char file[STATE_SIZE]; /* below state/ */
	uint64_t size;
	uint8_t root[TREE_HASH_SIZE];
};

struct witness {
	int state_dirfd;
	struct note_key key;
	struct sign_key *sign_key;
	struct witnessed *logs;
	size_t count;
};

/* --- requests --------------------------------------------------------------------------------- */

bool
witness_request_read(struct bytes body, struct witness_request *ret_request)
{
	static const char old[] = "old ";
	struct witness_request request = {0};
	struct bytes rest = body;
	struct bytes line;

	if (!evidence_line(&rest, &line) || line.size < sizeof(old) - 1 ||
	    !bytes_equal(bytes_make(line.data, sizeof(old) - 1), bytes_of(old)) ||
	    !evidence_number(bytes_make(line.data + sizeof(old) - 1, line.size - (sizeof(old) - 1)),
		&request.old_size) ||
	    !proof_lines_read(&rest, WITNESS_PROOF_MAX, &request.proof))
		return false;
	request.checkpoint = rest;
	*ret_request = request;
	return true;
}

enum az_status
witness_request_write(
    uint64_t old_size, const struct proof *proof, struct bytes checkpoint, struct buffer *body)
{
	char line[32];
	enum az_status status;

	(void)snprintf(line, sizeof(line), "old %llu\n", (unsigned long long)old_size);
	status = buffer_append(body, bytes_of(line));
	if (status == AZ_OK)
		status = proof_lines_write(proof, body);
	return status == AZ_OK ? buffer_append(body, checkpoint) : status;
}

/* --- the folder ------------------------------------------------------------------------------- */

static enum az_status
write_keys(int dirfd, const char *name, const struct secret *seed, struct buffer *vkey,
    struct az_err *reterr)
{
	uint8_t public_key[SIGN_PUBLIC_SIZE];
	char text[SEED_TEXT_SIZE + 2];
	struct sign_key *sign_key = NULL;
	struct note_key key;
	enum az_status status = sign_key_new(secret_peek(seed), &sign_key, reterr);

	if (status != AZ_OK)
		return status;
	sign_key_public(sign_key, public_key);
	sign_key_free(&sign_key);
	status = note_key_make(name, NOTE_KEY_COSIGNATURE, public_key, &key, reterr);
	if (status == AZ_OK)
		status = note_key_text(&key, vkey);
	if (status == AZ_OK)
		status = buffer_append(vkey, bytes_of("\n"));
	if (status != AZ_OK)
		return status;
	hex_encode(secret_peek(seed), text);
	text[SEED_TEXT_SIZE] = '\n';
	text[SEED_TEXT_SIZE + 1] = '\0';
	status = file_create(dirfd, "key", bytes_of(text), 0600, reterr);
	az_wipe(text, sizeof(text));
	if (status == AZ_OK)
		status = file_replace(dirfd, "vkey", buffer_peek(vkey), 0644, reterr);
	return status;
}

enum az_status
witness_create(int dirfd, const char *name, struct buffer *vkey, struct az_err *reterr)
{
	static const char *const folders[] = {"logs", "state"};
	struct secret *seed = NULL;
	enum az_status status = AZ_OK;

	for (size_t i = 0; i < AZ_ARRAY_SIZE(folders) && status == AZ_OK; i++) {
		int fd = -1;

		status = dir_open(dirfd, folders[i], true, 0755, &fd, reterr);
		fd_close(&fd);
	}
	if (status == AZ_OK)
		status = secret_random(SIGN_SEED_SIZE, &seed, reterr);
	if (status == AZ_OK)
		status = write_keys(dirfd, name, seed, vkey, reterr);
	secret_free(&seed);
	return status;
}

static enum az_status
read_vkey(int dirfd, const char *name, enum note_key_type type, struct note_key *ret_key,
    struct az_err *reterr)
{
	struct az_err err = {0};
	struct note_key key = {0};
	struct buffer text;
	enum az_status status;

	buffer_init(&text, NOTE_VKEY_MAX, false);
	status = file_read_whole(dirfd, name, &text, &err);
	if (status == AZ_OK)
		status = note_key_parse(buffer_peek(&text), &key, &err);
	buffer_fini(&text);
	if (status == AZ_OK && key.type != type)
		status = az_fail(&err, AZ_INVALID, "not a key of a %s",
		    type == NOTE_KEY_COSIGNATURE ? "witness" : "log");
	if (status != AZ_OK)
		return az_fail(reterr, status, "%s: %s", name, err.text);
	*ret_key = key;
	return AZ_OK;
}

static enum az_status
read_sign_key(int dirfd, struct witness *witness, struct az_err *reterr)
{
	uint8_t seed[SIGN_SEED_SIZE], public_key[SIGN_PUBLIC_SIZE];
	char digits[SEED_TEXT_SIZE + 1] = {0};
	struct buffer text;
	enum az_status status;

	buffer_init(&text, SEED_TEXT_SIZE + 1, true);
	status = file_read_whole(dirfd, "key", &text, reterr);
	if (status == AZ_OK && text.size < SEED_TEXT_SIZE)
		status = az_fail(reterr, AZ_CORRUPT, "key: not 64 digits");
	if (status == AZ_OK) {
		memcpy(digits, text.data, SEED_TEXT_SIZE);
		if (!hex_decode(digits, seed, sizeof(seed)))
			status = az_fail(reterr, AZ_CORRUPT, "key: not 64 digits");
	}
	if (status == AZ_OK)
		status = sign_key_new(bytes_make(seed, sizeof(seed)), &witness->sign_key, reterr);
	az_wipe(seed, sizeof(seed));
	az_wipe(digits, sizeof(digits));
	buffer_fini(&text);
	if (status != AZ_OK)
		return status;
	sign_key_public(witness->sign_key, public_key);
	if (!bytes_equal(bytes_make(public_key, sizeof(public_key)),
		bytes_make(witness->key.public_key, sizeof(public_key))))
		return az_fail(reterr, AZ_CORRUPT, "key: not the one of vkey");
	return AZ_OK;
}

/* What it cosigned last of a log; nothing, if it never did. */
static enum az_status
read_state(const struct witness *witness, struct witnessed *log, struct az_err *reterr)
{
	struct checkpoint checkpoint;
	struct az_err err = {0};
	struct buffer note;
	enum az_status status;

	buffer_init(&note, NOTE_MAX, false);
	status = file_read_whole(witness->state_dirfd, log->file, &note, &err);
	if (status == AZ_OK) {
		status = checkpoint_open_signed(buffer_peek(&note), &log->key, &checkpoint, &err);
		if (status == AZ_CORRUPT)
			status = AZ_FORGED;
	}
	if (status == AZ_OK) {
		log->size = checkpoint.size;
		memcpy(log->root, checkpoint.root, sizeof(log->root));
	} else if (status == AZ_NOT_FOUND) {
		tree_root(&(struct tree){0}, log->root);
		status = AZ_OK;
	}
	buffer_fini(&note);
	return status == AZ_OK
	    ? AZ_OK
	    : az_fail(reterr, status, "state of %s: %s", log->key.name, err.text);
}

static struct witnessed *
find_log(const struct witness *witness, struct bytes origin)
{
	for (size_t i = 0; i < witness->count; i++) {
		if (bytes_equal(bytes_of(witness->logs[i].key.name), origin))
			return &witness->logs[i];
	}
	return NULL;
}

static enum az_status
add_log(struct witness *witness, int dirfd, const char *name, struct az_err *reterr)
{
	uint8_t digest[SHA256_SIZE];
	struct witnessed log = {0};
	struct witnessed *logs;
	enum az_status status = read_vkey(dirfd, name, NOTE_KEY_ED25519, &log.key, reterr);

	if (status != AZ_OK)
		return status;
	if (find_log(witness, bytes_of(log.key.name)) != NULL)
		return az_fail(reterr, AZ_CONFLICT, "%s: a second key of %s", name, log.key.name);
	if (witness->count == WITNESS_LOGS_MAX)
		return az_fail(reterr, AZ_LIMIT, "more than %u logs", WITNESS_LOGS_MAX);
	sha256(bytes_of(log.key.name), digest);
	hex_encode(bytes_make(digest, sizeof(digest)), log.file);
	status = read_state(witness, &log, reterr);
	if (status != AZ_OK)
		return status;
	logs = reallocarray(witness->logs, witness->count + 1, sizeof(*logs));
	if (logs == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "witness: out of memory");
	witness->logs = logs;
	witness->logs[witness->count++] = log;
	return AZ_OK;
}

static enum az_status
read_logs(struct witness *witness, int dirfd, struct az_err *reterr)
{
	static const char suffix[] = ".vkey";
	enum az_status status = AZ_OK;
	struct dirent *entry;
	int fd = -1;
	DIR *folder;

	status = dir_open(dirfd, "logs", false, 0, &fd, reterr);
	if (status != AZ_OK)
		return status;
	folder = fdopendir(fd);
	if (folder == NULL) {
		fd_close(&fd);
		return az_fail_errno(reterr, AZ_IO, errno, "logs");
	}
	while (status == AZ_OK && (entry = readdir(folder)) != NULL) {
		size_t size = strlen(entry->d_name);

		if (size > sizeof(suffix) - 1 &&
		    strcmp(entry->d_name + size - (sizeof(suffix) - 1), suffix) == 0)
			status = add_log(witness, fd, entry->d_name, reterr);
	}
	(void)closedir(folder);
	if (status == AZ_OK && witness->count == 0)
		status = az_fail(reterr, AZ_NOT_FOUND, "logs: no key of a log, NAME.vkey");
	return status;
}

enum az_status
witness_open(int dirfd, struct witness **ret_witness, struct az_err *reterr)
{
	struct witness *witness = calloc(1, sizeof(*witness));
	enum az_status status;

	if (witness == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "witness: out of memory");
	witness->state_dirfd = -1;
	status = read_vkey(dirfd, "vkey", NOTE_KEY_COSIGNATURE, &witness->key, reterr);
	if (status == AZ_OK)
		status = read_sign_key(dirfd, witness, reterr);
	if (status == AZ_OK)
		status = dir_open(dirfd, "state", false, 0, &witness->state_dirfd, reterr);
	if (status == AZ_OK)
		status = read_logs(witness, dirfd, reterr);
	if (status == AZ_OK)
		*ret_witness = witness;
	else
		witness_free(&witness);
	return status;
}

void
witness_free(struct witness **witness)
{
	if (*witness == NULL)
		return;
	fd_close(&(*witness)->state_dirfd);
	sign_key_free(&(*witness)->sign_key);
	free((*witness)->logs);
	free(*witness);
	*witness = NULL;
}

int
witness_state_dirfd(const struct witness *witness)
{
	return witness->state_dirfd;
}

size_t
witness_log_count(const struct witness *witness)
{
	return witness->count;
}

/* --- cosigning -------------------------------------------------------------------------------- */

static enum witness_answer
refuse(enum witness_answer answer, struct az_err *reterr, enum az_status status, const char *why)
{
	(void)az_fail(reterr, status, "%s", why);
	return answer;
}

/* Whether checkpoint continues what was cosigned. */
static enum witness_answer
judge(const struct witnessed *log, const struct witness_request *request,
    const struct checkpoint *checkpoint, struct az_err *reterr)
{
	if (request->old_size > checkpoint->size)
		return refuse(
		    WITNESS_MALFORMED, reterr, AZ_INVALID, "the old size is the larger one");
	if (request->old_size != log->size)
		return refuse(WITNESS_CONFLICT, reterr, AZ_CONFLICT, "another size was cosigned");
	if (checkpoint->size == log->size &&
	    !bytes_equal(bytes_make(checkpoint->root, TREE_HASH_SIZE),
		bytes_make(log->root, TREE_HASH_SIZE)))
		return refuse(WITNESS_CONFLICT, reterr, AZ_FORGED,
		    "the log's key signed two histories of one size");
	if (!proof_check_consistency(
		&request->proof, log->size, log->root, checkpoint->size, checkpoint->root))
		return refuse(WITNESS_UNPROVEN, reterr, AZ_FORGED,
		    "it is not shown to continue what was cosigned");
	return WITNESS_COSIGNED;
}

static enum witness_answer
keep_and_sign(struct witness *witness, struct witnessed *log, struct bytes note,
    const struct checkpoint *checkpoint, int64_t now_s, struct buffer *reply, struct az_err *reterr)
{
	/* On the disk before anybody has the signature: else a crash makes us forget what we vouched for. */
	if (file_replace(witness->state_dirfd, log->file, note, 0644, reterr) != AZ_OK)
		return WITNESS_BROKEN;
	log->size = checkpoint->size;
	memcpy(log->root, checkpoint->root, sizeof(log->root));
	if (note_sign(checkpoint->note.text, &witness->key, witness->sign_key, now_s, reply,
		reterr) != AZ_OK)
		return WITNESS_BROKEN;
	return WITNESS_COSIGNED;
}

enum witness_answer
witness_add(struct witness *witness, struct bytes body, int64_t now_s, struct buffer *reply,
    struct az_err *reterr)
{
	struct witness_request request;
	struct checkpoint checkpoint;
	struct witnessed *log;
	enum witness_answer answer;
	enum az_status status;
	char size[32];

	if (!witness_request_read(body, &request) ||
	    checkpoint_open(request.checkpoint, &checkpoint, reterr) != AZ_OK)
		return refuse(WITNESS_MALFORMED, reterr, AZ_INVALID, "not a request");
	log = find_log(witness, checkpoint.origin);
	if (log == NULL)
		return refuse(
		    WITNESS_UNKNOWN_LOG, reterr, AZ_NOT_FOUND, "of a log that is not known");
	status = checkpoint_open_signed(request.checkpoint, &log->key, &checkpoint, reterr);
	if (status != AZ_OK)
		return status == AZ_FORGED ? WITNESS_BAD_SIGNATURE : WITNESS_BROKEN;
	answer = judge(log, &request, &checkpoint, reterr);
	if (answer == WITNESS_CONFLICT) {
		(void)snprintf(size, sizeof(size), "%llu\n", (unsigned long long)log->size);
		if (buffer_append(reply, bytes_of(size)) != AZ_OK)
			return WITNESS_BROKEN;
	}
	if (answer != WITNESS_COSIGNED)
		return answer;
	return keep_and_sign(witness, log, request.checkpoint, &checkpoint, now_s, reply, reterr);
}
