/*
 * The logs' names and signing keys, and signing their checkpoints.
 *
 * Each log has a key pair of its own, derived from the ledger's key, so that what a client pins says nothing of
 * another client's log. A new generation keeps the key and has another name: the id of a note's key is made of
 * both, so no checkpoint of one generation passes for one of another.
 */
#include <stdio.h>
#include <string.h>

#include "ledger/ledger_internal.h"

void
ledger_origin(const uint8_t house[HOUSE_ID_SIZE], uint32_t generation, uint32_t log,
    char text[LEDGER_NAME_SIZE])
{
	char name[HOUSE_NAME_SIZE];

	house_name(house, name);
	if (log == LEDGER_HOUSE_LOG)
		(void)snprintf(text, LEDGER_NAME_SIZE, "azukari/%s/g%u/house", name, generation);
	else
		(void)snprintf(text, LEDGER_NAME_SIZE, "azukari/%s/g%u/%u", name, generation, log);
}

uint32_t
ledger_generation(const struct ledger *ledger)
{
	return ledger->generation;
}

enum az_status
log_note_key(const uint8_t house[HOUSE_ID_SIZE], uint32_t generation, uint32_t log,
    const uint8_t public_key[SIGN_PUBLIC_SIZE], struct note_key *ret_key, struct az_err *reterr)
{
	char origin[LEDGER_NAME_SIZE];

	ledger_origin(house, generation, log, origin);
	return note_key_make(origin, NOTE_KEY_ED25519, public_key, ret_key, reterr);
}

/* The key that signs a log's checkpoints, from the ledger's own. */
static enum az_status
sign_key_of(const struct secret *ledger_key, const uint8_t house[HOUSE_ID_SIZE], uint32_t log,
    struct sign_key **ret_key, struct az_err *reterr)
{
	struct secret *seed = NULL;
	enum az_status status = kdf_derive(ledger_key, house, "log-sign", log, &seed, reterr);

	if (status == AZ_OK)
		status = sign_key_new(secret_peek(seed), ret_key, reterr);
	secret_free(&seed);
	return status;
}

enum az_status
log_sign_key(
    const struct ledger *ledger, uint32_t log, struct sign_key **ret_key, struct az_err *reterr)
{
	return sign_key_of(ledger->key, ledger->config.house, log, ret_key, reterr);
}

enum az_status
ledger_public_key(const uint8_t house[HOUSE_ID_SIZE], const struct secret *root, uint32_t log,
    uint8_t ret_key[32], struct az_err *reterr)
{
	struct secret *base = NULL;
	struct sign_key *key = NULL;
	enum az_status status = kdf_derive(root, house, "ledger", 0, &base, reterr);

	if (status == AZ_OK)
		status = sign_key_of(base, house, log, &key, reterr);
	if (status == AZ_OK)
		sign_key_public(key, ret_key);
	sign_key_free(&key);
	secret_free(&base);
	return status;
}

enum az_status
ledger_log_key(
    const struct ledger *ledger, uint32_t log, uint8_t ret_key[32], struct az_err *reterr)
{
	struct sign_key *key = NULL;
	enum az_status status = log_sign_key(ledger, log, &key, reterr);

	if (status == AZ_OK)
		sign_key_public(key, ret_key);
	sign_key_free(&key);
	return status;
}

enum az_status
ledger_sign_log(struct ledger *ledger, uint32_t number, struct az_err *reterr)
{
	const struct log *log = ledger->logs[number];
	uint8_t root[TREE_HASH_SIZE], public_key[SIGN_PUBLIC_SIZE];
	struct sign_key *sign_key = NULL;
	struct note_key key;
	struct buffer note;
	enum az_status status = log_sign_key(ledger, number, &sign_key, reterr);

	buffer_init(&note, NOTE_MAX, false);
	tree_root(&log->tree, root);
	if (status == AZ_OK) {
		sign_key_public(sign_key, public_key);
		status = log_note_key(
		    ledger->config.house, ledger->generation, number, public_key, &key, reterr);
	}
	if (status == AZ_OK)
		status = checkpoint_make(&key, sign_key, log->tree.size, root, &note, reterr);
	if (status == AZ_OK)
		status = file_replace(log->dirfd, "checkpoint", buffer_peek(&note), 0600, reterr);
	if (status == AZ_OK)
		status = anchor_write(ledger, number, buffer_peek(&note), reterr);
	if (status == AZ_OK)
		ledger->unsigned_logs[number] = false;
	sign_key_free(&sign_key);
	buffer_fini(&note);
	return status;
}

/* The note key of a log, and its private half. */
static enum az_status
keys_of_log(const struct ledger *ledger, uint32_t log, struct note_key *ret_key,
    struct sign_key **ret_sign_key, struct az_err *reterr)
{
	uint8_t public_key[SIGN_PUBLIC_SIZE];
	struct sign_key *sign_key = NULL;
	enum az_status status = log_sign_key(ledger, log, &sign_key, reterr);

	if (status != AZ_OK)
		return status;
	sign_key_public(sign_key, public_key);
	status = log_note_key(
	    ledger->config.house, ledger->generation, log, public_key, ret_key, reterr);
	if (status == AZ_OK)
		*ret_sign_key = sign_key;
	else
		sign_key_free(&sign_key);
	return status;
}

enum az_status
ledger_vkey(const struct ledger *ledger, uint32_t log, struct buffer *text, struct az_err *reterr)
{
	struct sign_key *sign_key = NULL;
	struct note_key key;
	enum az_status status = keys_of_log(ledger, log, &key, &sign_key, reterr);

	sign_key_free(&sign_key);
	if (status != AZ_OK)
		return status;
	status = note_key_text(&key, text);
	return status == AZ_OK ? AZ_OK : az_fail(reterr, status, "ledger: no room for a key");
}

enum az_status
ledger_sign_text(const struct ledger *ledger, uint32_t log, struct bytes text, struct buffer *line,
    struct az_err *reterr)
{
	struct sign_key *sign_key = NULL;
	struct note_key key;
	enum az_status status;

	if (text.size < 2 || text.data[0] != '{' || text.data[text.size - 1] != '\n')
		return az_fail(reterr, AZ_INVALID, "ledger: a text that is not signed here");
	status = keys_of_log(ledger, log, &key, &sign_key, reterr);
	if (status == AZ_OK)
		status = note_sign(text, &key, sign_key, 0, line, reterr);
	sign_key_free(&sign_key);
	return status;
}
