/*
 * azukari-verify bundle: that what a trace said of its lists, its verdicts and what it opened is what signed logs say.
 *
 * The result is a stranger's JSON. Each entry that it names must have its proof, under a key that is known or lies
 * beside it; and each number that stands in an entry must be the result's.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "crypto/hash.h"
#include "proto/finding.h"
#include "verify/commands.h"
#include "verify/verify.h"

#define RESULT_MAX (64u * 1024u * 1024u)
#define NAME_ROOM  128u

struct bundle {
	int dirfd;
	json_t *result;
	struct note_key house; /* given; its name is empty if none was */
	uint64_t lists, opened, traced, attributed, entries;
};

static enum az_status
contradicts(const char *what, struct az_err *reterr)
{
	return az_fail(reterr, AZ_FORGED, "result.json: %s is not what the log says", what);
}

/* A number of the result that must be there. */
static bool
number_of(const json_t *object, const char *name, uint64_t *ret_number)
{
	const json_t *value = json_object_get(object, name);

	if (!json_is_integer(value) || json_integer_value(value) < 0)
		return false;
	*ret_number = (uint64_t)json_integer_value(value);
	return true;
}

static bool
is_number(const json_t *object, const char *name, uint64_t expected)
{
	uint64_t number;

	return number_of(object, name, &number) && number == expected;
}

static bool
is_hash(const json_t *object, const char *name, const uint8_t expected[32])
{
	const char *text = json_string_value(json_object_get(object, name));
	uint8_t hash[32];

	return text != NULL && strlen(text) == 64 && hex_decode(text, hash, sizeof(hash)) &&
	    bytes_equal(bytes_make(hash, 32), bytes_make(expected, 32));
}

/* --- entries ---------------------------------------------------------------------------------- */

static enum az_status
check_list(struct bundle *bundle, const struct ledger_entry *entry, struct az_err *reterr)
{
	const json_t *lists = json_object_get(bundle->result, "lists");
	const json_t *list = json_array_get(lists, bundle->lists);

	bundle->lists++;
	if (entry->detail != bundle->lists || !is_number(list, "rows", entry->rows) ||
	    !is_hash(list, "sha256", entry->document))
		return contradicts("a list", reterr);
	return AZ_OK;
}

static enum az_status
check_traced(struct bundle *bundle, const struct ledger_entry *entry, struct az_err *reterr)
{
	bundle->traced++;
	if (entry->outcome != AZ_OK || !is_number(bundle->result, "ours", entry->detail) ||
	    !is_number(bundle->result, "not_found", entry->detail64) ||
	    !is_number(bundle->result, "rows", entry->rows) ||
	    !is_hash(bundle->result, "root", entry->document))
		return contradicts("the verdicts", reterr);
	return AZ_OK;
}

/* The text of a member; empty if it has none. */
static const char *
text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text != NULL ? text : "";
}

/* A probability, as the house writes it; false if it is none. */
static bool
odds_of(const json_t *object, const char *name, char text[16])
{
	const json_t *value = json_object_get(object, name);
	double odds = json_number_value(value);

	if (!json_is_number(value) || !(odds >= 0.0 && odds <= 1.0))
		return false;
	(void)snprintf(text, 16, "%.4f", odds);
	return true;
}

static bool
put_suspect(struct wire_writer *writer, const json_t *object)
{
	char posterior[16], flat[16];
	struct finding_suspect suspect = {
	    .who = text_of(object, "who"), .posterior = posterior, .posterior_flat = flat};

	suspect.label = strcmp(suspect.who, "pool") == 0 ? text_of(object, "purpose")
							 : text_of(object, suspect.who);
	if (!number_of(object, "leak", &suspect.leak) ||
	    !number_of(object, "rows_explained", &suspect.rows_explained) ||
	    !odds_of(object, "posterior", posterior) || !odds_of(object, "posterior_flat", flat))
		return false;
	finding_put_suspect(writer, &suspect);
	return true;
}

/* That the result names whom the house named, with its odds. */
static enum az_status
check_attributed(struct bundle *bundle, const struct ledger_entry *entry, struct az_err *reterr)
{
	const json_t *dating = json_object_get(bundle->result, "dating");
	const json_t *suspects = json_object_get(bundle->result, "suspects");
	size_t count = json_array_size(suspects);
	struct finding finding = {.verdict = text_of(bundle->result, "verdict"),
	    .from = text_of(dating, "from"),
	    .to = text_of(dating, "to"),
	    .suspects = (uint8_t)count};
	uint8_t hash[SHA256_SIZE] = {0};
	struct wire_writer writer;
	struct buffer bytes;
	bool good = count <= UINT8_MAX && entry->detail == count;

	bundle->attributed++;
	buffer_init(&bytes, FINDING_MAX, false);
	wire_writer_init(&writer, &bytes);
	finding_put(&writer, &finding);
	for (size_t i = 0; i < count && good; i++)
		good = put_suspect(&writer, json_array_get(suspects, i));
	good = good && writer.status == AZ_OK;
	if (good)
		sha256(buffer_peek(&bytes), hash);
	buffer_fini(&bytes);
	if (!good ||
	    !bytes_equal(bytes_make(hash, sizeof(hash)), bytes_make(entry->document, sizeof(hash))))
		return contradicts("who had the rows", reterr);
	return AZ_OK;
}

static enum az_status
check_entry(struct bundle *bundle, const char *type, const struct ledger_entry *entry,
    bool of_client, struct az_err *reterr)
{
	const char *name = ledger_entry_name(entry->type);

	if (name == NULL || strcmp(name, type) != 0 ||
	    !is_number(bundle->result, "case", entry->subject) ||
	    of_client != (entry->type == ENTRY_TRACE_OPENED))
		return contradicts("an entry", reterr);
	if (entry->type == ENTRY_TRACE_LIST)
		return check_list(bundle, entry, reterr);
	if (entry->type == ENTRY_TRACED)
		return check_traced(bundle, entry, reterr);
	if (entry->type == ENTRY_ATTRIBUTED)
		return check_attributed(bundle, entry, reterr);
	bundle->opened += entry->rows;
	return AZ_OK;
}

/* --- proofs ----------------------------------------------------------------------------------- */

static enum az_status
read_key(
    const struct bundle *bundle, const char *log, struct note_key *ret_key, struct az_err *reterr)
{
	char name[NAME_ROOM];
	struct buffer text;
	struct az_err err = {0};
	enum az_status status;

	(void)snprintf(name, sizeof(name), "%s.vkey", log);
	buffer_init(&text, NOTE_VKEY_MAX, false);
	status = file_read_whole(bundle->dirfd, name, &text, &err);
	if (status == AZ_OK)
		status = note_key_parse(buffer_peek(&text), ret_key, &err);
	buffer_fini(&text);
	if (status == AZ_OK && ret_key->type != NOTE_KEY_ED25519)
		status = az_fail(&err, AZ_INVALID, "not a key of a log");
	if (status != AZ_OK)
		return az_fail(reterr, status, "%s: %s", name, err.text);
	if (strcmp(log, "house") == 0 && bundle->house.name[0] != '\0' &&
	    (strcmp(bundle->house.name, ret_key->name) != 0 ||
		!bytes_equal(bytes_make(bundle->house.public_key, SIGN_PUBLIC_SIZE),
		    bytes_make(ret_key->public_key, SIGN_PUBLIC_SIZE))))
		return az_fail(reterr, AZ_FORGED, "%s: it is another house's", name);
	return AZ_OK;
}

static enum az_status
check_proof(struct bundle *bundle, const json_t *item, struct az_err *reterr)
{
	const char *type = json_string_value(json_object_get(item, "entry"));
	const char *client = json_string_value(json_object_get(item, "client"));
	struct inclusion_facts facts = {0};
	struct note_key key = {0};
	char log[NAME_ROOM - 48];
	char name[NAME_ROOM];
	struct buffer file;
	struct az_err err = {0};
	uint64_t index;
	enum az_status status;

	if (type == NULL || !number_of(item, "index", &index) ||
	    (client != NULL && !label_is_valid(client)))
		return az_fail(reterr, AZ_CORRUPT, "result.json: an entry is malformed");
	(void)snprintf(log, sizeof(log), "%s%s", client != NULL ? "client-" : "house",
	    client != NULL ? client : "");
	(void)snprintf(name, sizeof(name), "%s-%llu.proof", log, (unsigned long long)index);
	status = read_key(bundle, log, &key, reterr);
	if (status != AZ_OK)
		return status;
	buffer_init(&file, PROOF_FILE_MAX, false);
	status = file_read_whole(bundle->dirfd, name, &file, &err);
	if (status == AZ_OK)
		status = inclusion_check(buffer_peek(&file), &key, &facts, &err);
	buffer_fini(&file);
	if (status != AZ_OK)
		return az_fail(reterr, status, "%s: %s", name, err.text);
	if (facts.index != index || !facts.known)
		return az_fail(reterr, AZ_FORGED, "%s: it is of another entry", name);
	bundle->entries++;
	return check_entry(bundle, type, &facts.entry.entry, client != NULL, reterr);
}

static enum az_status
check(struct bundle *bundle, struct az_err *reterr)
{
	const json_t *items = json_object_get(bundle->result, "entries");
	size_t lists = json_array_size(json_object_get(bundle->result, "lists"));
	enum az_status status = AZ_OK;

	for (size_t i = 0; i < json_array_size(items) && status == AZ_OK; i++)
		status = check_proof(bundle, json_array_get(items, i), reterr);
	/* What has no entry is nobody's word but the bundle's. */
	if (status == AZ_OK &&
	    (bundle->traced != 1 || bundle->attributed != 1 || bundle->lists == 0 ||
		bundle->lists != lists || !is_number(bundle->result, "opened", bundle->opened)))
		status = contradicts("what it has no entry of", reterr);
	return status;
}

/* --- the command ------------------------------------------------------------------------------ */

static enum az_status
open_bundle(const char *path, struct bundle *bundle, struct az_err *reterr)
{
	struct buffer text;
	json_error_t where;
	enum az_status status = dir_open(AT_FDCWD, path, false, 0, &bundle->dirfd, reterr);

	if (status != AZ_OK)
		return status;
	buffer_init(&text, RESULT_MAX, false);
	status = file_read_whole(bundle->dirfd, "result.json", &text, reterr);
	if (status == AZ_OK) {
		bundle->result =
		    json_loadb((const char *)text.data, text.size, JSON_REJECT_DUPLICATES, &where);
		if (!json_is_object(bundle->result))
			status = az_fail(reterr, AZ_CORRUPT, "result.json: no JSON object");
	}
	buffer_fini(&text);
	return status;
}

int
verify_bundle(const struct verify_options *options)
{
	struct bundle bundle = {.dirfd = -1};
	struct az_err err = {0};
	enum az_status status = AZ_OK;
	json_t *object;

	if (options->house_vkey != NULL)
		status = input_key(options->house_vkey, NOTE_KEY_ED25519, &bundle.house, &err);
	if (status == AZ_OK)
		status = open_bundle(options->arguments[0], &bundle, &err);
	if (status == AZ_OK)
		status = check(&bundle, &err);
	json_decref(bundle.result);
	fd_close(&bundle.dirfd);
	if (status != AZ_OK)
		return say_bad(options, status, &err);
	object = json_pack("{s:I, s:I, s:b}", "lists", (json_int_t)bundle.lists, "entries",
	    (json_int_t)bundle.entries, "house_key_known", options->house_vkey != NULL);
	if (!options->json) {
		(void)printf("%llu entries, signed, and the result says what they say\n",
		    (unsigned long long)bundle.entries);
		if (options->house_vkey == NULL)
			(void)puts("NOTE: keys were taken from the bundle itself; give "
				   "--house-vkey.");
		(void)puts("that the house found who had the rows is in them; how, is computed "
			   "from others");
	}
	return say_good(options, object);
}
