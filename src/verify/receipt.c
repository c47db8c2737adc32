/*
 * Checking receipts (docs/format/receipt.md) and offline proofs.
 *
 * A receipt is JSON with the signature as its last member. What is signed is the text before it, to the byte: the
 * signature's member is written again from what was read, and must be what stands there, so no byte is left that
 * neither the signature covers nor the format fixes.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "crypto/hash.h"
#include "verify/verify.h"

static const char signature_start[] = ",\n  \"signature\": \"";
static const char signature_end[] = "\"\n}\n";

/* --- an entry and its proof --------------------------------------------------------------------- */

enum az_status
inclusion_check(struct bytes bytes, const struct note_key *key, struct inclusion_facts *ret_facts,
    struct az_err *reterr)
{
	struct inclusion_facts facts = {0};
	struct proof_file file;
	struct checkpoint checkpoint;
	struct buffer entry;
	uint8_t leaf[TREE_HASH_SIZE];
	enum az_status status = proof_file_read(bytes, &file, reterr);

	if (status == AZ_OK)
		status = checkpoint_open_signed(file.checkpoint, key, &checkpoint, reterr);
	if (status != AZ_OK)
		return status;
	if (file.extra.size == 0)
		return az_fail(reterr, AZ_INVALID, "proof: it has no entry in it");
	buffer_init(&entry, PROOF_FILE_MAX, false);
	status = base64_decode(file.extra, &entry);
	if (status != AZ_OK) {
		buffer_fini(&entry);
		return az_fail(reterr, status == AZ_NO_MEMORY ? status : AZ_CORRUPT,
		    "proof: its entry is not base64");
	}
	tree_leaf(buffer_peek(&entry), leaf);
	facts.index = file.index;
	facts.size = checkpoint.size;
	facts.known = ledger_entry_decode(buffer_peek(&entry), 0, &facts.entry) == AZ_OK;
	buffer_fini(&entry);
	if (!proof_check_inclusion(&file.proof, file.index, checkpoint.size, leaf, checkpoint.root))
		return az_fail(reterr, AZ_FORGED,
		    "proof: the entry in it is not entry %llu of the signed %llu",
		    (unsigned long long)file.index, (unsigned long long)checkpoint.size);
	*ret_facts = facts;
	return AZ_OK;
}

/* --- the document ----------------------------------------------------------------------------- */

static const char *
text_of(const json_t *document, const char *name)
{
	const char *text = json_string_value(json_object_get(document, name));

	return text != NULL ? text : "";
}

static enum az_status
key_of(const json_t *document, const char *name, const struct note_key *expected,
    struct note_key *ret_key, struct az_err *reterr)
{
	struct az_err err = {0};
	struct note_key key = {0};

	if (note_key_parse(bytes_of(text_of(document, name)), &key, &err) != AZ_OK)
		return az_fail(reterr, AZ_CORRUPT, "receipt: %s: %s", name, err.text);
	if (expected != NULL &&
	    (strcmp(key.name, expected->name) != 0 || key.type != expected->type ||
		!bytes_equal(bytes_make(key.public_key, sizeof(key.public_key)),
		    bytes_make(expected->public_key, sizeof(expected->public_key)))))
		return az_fail(
		    reterr, AZ_FORGED, "receipt: its %s is not the one that is known", name);
	*ret_key = key;
	return AZ_OK;
}

/* The two keys are those of one house, which the document names, and says rightly whether it is sealed. */
static enum az_status
check_house(const json_t *document, const struct receipt_facts *facts, struct az_err *reterr)
{
	static const char prefix[] = "azukari/";
	const char *house = text_of(document, "house");
	size_t size = sizeof(prefix) - 1 + strlen(house);
	const char *names[] = {facts->log_key.name, facts->house_key.name};
	json_t *unsealed = json_object_get(document, "unsealed");
	uint8_t id[HOUSE_ID_SIZE];

	if (!house_name_parse(house, id) || !json_is_boolean(unsealed) ||
	    json_is_true(unsealed) != house_is_unsealed(id))
		return az_fail(reterr, AZ_FORGED, "receipt: it does not name its house rightly");
	for (size_t i = 0; i < AZ_ARRAY_SIZE(names); i++) {
		if (strncmp(names[i], prefix, sizeof(prefix) - 1) != 0 ||
		    strncmp(names[i] + sizeof(prefix) - 1, house, strlen(house)) != 0 ||
		    names[i][size] != '/')
			return az_fail(
			    reterr, AZ_FORGED, "receipt: a key in it is another house's");
	}
	return AZ_OK;
}

/* What is signed ends where the signature's member begins. */
static enum az_status
check_signature(struct bytes bytes, const json_t *document, const struct note_key *house_key,
    struct az_err *reterr)
{
	struct buffer text, tail, line;
	const char *signature = text_of(document, "signature");
	size_t tail_size =
	    sizeof(signature_start) - 1 + strlen(signature) + sizeof(signature_end) - 1;
	struct note note;
	int64_t time_s;
	enum az_status status;

	if (tail_size >= bytes.size)
		return az_fail(reterr, AZ_CORRUPT, "receipt: cut short");
	buffer_init(&text, RECEIPT_MAX + 1, false);
	buffer_init(&tail, RECEIPT_MAX + 64, false);
	buffer_init(&line, RECEIPT_MAX + 1, false);
	status = buffer_append(&tail, bytes_of(signature_start));
	if (status == AZ_OK)
		status = buffer_append(&tail, bytes_of(signature));
	if (status == AZ_OK)
		status = buffer_append(&tail, bytes_of(signature_end));
	if (status == AZ_OK)
		status = buffer_append(&text, bytes_make(bytes.data, bytes.size - tail_size));
	if (status == AZ_OK)
		status = buffer_append(&text, bytes_of("\n"));
	if (status == AZ_OK)
		status = buffer_append(&line, bytes_of(signature));
	if (status == AZ_OK)
		status = buffer_append(&line, bytes_of("\n"));
	if (status != AZ_OK) {
		(void)az_fail(reterr, status, "receipt: too large");
	} else if (!bytes_equal(buffer_peek(&tail),
		       bytes_make(bytes.data + bytes.size - tail_size, tail_size))) {
		status = az_fail(reterr, AZ_FORGED, "receipt: it does not end as it was written");
	} else {
		note = (struct note){.text = buffer_peek(&text), .lines = buffer_peek(&line)};
		status = note_check(&note, house_key, &time_s, reterr);
		if (status == AZ_NOT_FOUND)
			status = az_fail(
			    reterr, AZ_FORGED, "receipt: not signed by %s", house_key->name);
	}
	buffer_fini(&text);
	buffer_fini(&tail);
	buffer_fini(&line);
	return status;
}

/* --- the document and the entry ----------------------------------------------------------------- */

static bool
number_is(const json_t *document, const char *name, uint64_t expected)
{
	const json_t *number = json_object_get(document, name);

	return json_is_integer(number) && json_integer_value(number) >= 0 &&
	    (uint64_t)json_integer_value(number) == expected;
}

static bool
hash_is(const json_t *document, const char *name, const uint8_t expected[SHA256_SIZE])
{
	char text[2 * SHA256_SIZE + 1];

	hex_encode(bytes_make(expected, SHA256_SIZE), text);
	return strcmp(text_of(document, name), text) == 0;
}

/* The mode that an entry of that type says; NULL for one that is no list's. */
static const char *
mode_of(enum entry_type type)
{
	if (type == ENTRY_ENTRUSTED)
		return list_mode_name(LIST_ADD);
	if (type == ENTRY_ENTRUSTED_FULL)
		return list_mode_name(LIST_FULL);
	return type == ENTRY_WITHDRAWN ? list_mode_name(LIST_WITHDRAW) : NULL;
}

static enum az_status
check_entry(const json_t *document, const struct receipt_facts *facts, struct az_err *reterr)
{
	const struct ledger_entry *entry = &facts->entry.entry;
	const struct {
		const char *name;
		uint64_t expected;
	} numbers[] = {
	    {"azukari_receipt", 1},
	    {"consignment", entry->consignment},
	    {"accepted", entry->accepted},
	    {"refused", entry->refused},
	    {"new_records", entry->new_records},
	    {"new_versions", entry->new_versions},
	    {"unchanged", entry->unchanged},
	    {"index", facts->index},
	    {"absent", entry->type == ENTRY_ENTRUSTED_FULL ? entry->detail : 0},
	    {"withdrawn", entry->type == ENTRY_WITHDRAWN ? entry->detail : 0},
	};
	const char *mode = mode_of(entry->type);
	char day[11], when[48];

	if (mode == NULL)
		return az_fail(
		    reterr, AZ_FORGED, "receipt: its entry does not say that a list was entrusted");
	if (strcmp(text_of(document, "mode"), mode) != 0)
		return az_fail(reterr, AZ_FORGED, "receipt: mode is not what the entry says");
	for (size_t i = 0; i < AZ_ARRAY_SIZE(numbers); i++) {
		if (!number_is(document, numbers[i].name, numbers[i].expected))
			return az_fail(reterr, AZ_FORGED, "receipt: %s is not what the entry says",
			    numbers[i].name);
	}
	date_format(entry->as_of, day);
	clock_format_utc(entry->time_us, when, sizeof(when));
	if (strcmp(text_of(document, "as_of"), day) != 0 ||
	    strcmp(text_of(document, "entrusted"), when) != 0)
		return az_fail(reterr, AZ_FORGED, "receipt: a date is not what the entry says");
	if (!hash_is(document, "sha256", entry->sha256) || !hash_is(document, "root", entry->root))
		return az_fail(reterr, AZ_FORGED, "receipt: a hash is not what the entry says");
	return AZ_OK;
}

static enum az_status
check_document(struct bytes bytes, const struct note_key *log_key, const struct note_key *house_key,
    struct receipt_facts *facts, struct az_err *reterr)
{
	struct inclusion_facts inclusion;
	struct az_err err = {0};
	enum az_status status =
	    key_of(facts->document, "house_key", house_key, &facts->house_key, reterr);

	if (status == AZ_OK)
		status = key_of(facts->document, "log_key", log_key, &facts->log_key, reterr);
	if (status == AZ_OK)
		status = check_signature(bytes, facts->document, &facts->house_key, reterr);
	if (status == AZ_OK)
		status = check_house(facts->document, facts, reterr);
	if (status != AZ_OK)
		return status;
	status = inclusion_check(
	    bytes_of(text_of(facts->document, "proof")), &facts->log_key, &inclusion, &err);
	if (status != AZ_OK)
		return az_fail(reterr, status, "receipt: %s", err.text);
	if (!inclusion.known)
		return az_fail(
		    reterr, AZ_CORRUPT, "receipt: its entry is of a form that is not known");
	facts->index = inclusion.index;
	facts->size = inclusion.size;
	facts->entry = inclusion.entry;
	return check_entry(facts->document, facts, reterr);
}

enum az_status
receipt_check(struct bytes document, const struct note_key *log_key,
    const struct note_key *house_key, const uint8_t *sha256, struct receipt_facts *ret_facts,
    struct az_err *reterr)
{
	struct receipt_facts facts = {0};
	enum az_status status;

	if (document.size > RECEIPT_MAX)
		return az_fail(reterr, AZ_CORRUPT, "receipt: longer than %u bytes", RECEIPT_MAX);
	facts.document =
	    json_loadb((const char *)document.data, document.size, JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_object(facts.document)) {
		json_decref(facts.document);
		return az_fail(reterr, AZ_CORRUPT, "receipt: not in its format");
	}
	status = check_document(document, log_key, house_key, &facts, reterr);
	if (status == AZ_OK && sha256 != NULL && !hash_is(facts.document, "sha256", sha256))
		status = az_fail(
		    reterr, AZ_FORGED, "receipt: the list that is given is not the one it is for");
	if (status != AZ_OK) {
		json_decref(facts.document);
		return status;
	}
	*ret_facts = facts;
	return AZ_OK;
}
