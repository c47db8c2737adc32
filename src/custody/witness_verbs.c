/*
 * Enrolling and retiring witnesses, the limit, and taking what they cosigned.
 *
 *	export ─► witness ─► checkpoint with its line ── any front ──► judge ─► entry, remembered
 *
 * Whoever brings a cosigned checkpoint is believed nothing: the log's own key must have signed it, our tree must continue it, a
 * witness that is enrolled must have signed its time, and neither time nor size may be older than what is known. A checkpoint that
 * our key signed and our tree does not continue is no bad request but evidence: entries are missing here, or there were
 * two histories. Then the alarm is raised as for a head that a front had seen.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "custody/witnesses.h"

#define FUTURE_S 300 /* that the witness's clock may be ahead of ours */

/* What an entry about witnesses tells. */
enum witness_detail { DETAIL_ENROLLED = 1, DETAIL_RETIRED = 2, DETAIL_LIMIT = 3 };

/* --- enrolling, retiring ---------------------------------------------------------------------- */

/* The entry, with the hash of the witness's key as others print it. */
static enum az_status
witness_entry(const struct request *request, const struct witness *witness,
    enum witness_detail detail, struct ledger_entry *ret_entry)
{
	struct ledger_entry entry = request_entry(request, ENTRY_WITNESS);
	struct buffer vkey;
	enum az_status status;

	entry.subject = witness->id;
	entry.detail = detail;
	buffer_init(&vkey, NOTE_VKEY_MAX, false);
	status = note_key_text(&witness->key, &vkey);
	if (status == AZ_OK)
		sha256(buffer_peek(&vkey), entry.document);
	buffer_fini(&vkey);
	*ret_entry = entry;
	return status;
}

static void
witness_submit(struct request *request, const struct witness *witness, enum witness_detail detail)
{
	struct ledger_entry entry = {0};
	struct payload payload;
	enum az_status status;

	payload_init(&payload);
	status = witness_entry(request, witness, detail, &entry);
	if (status == AZ_OK)
		status = payload_put_witness(&payload, witness);
	change_submit(request, entry, status, &payload, "witness", witness->id, witness->label);
}

/* Whether nobody has that label or key yet. One that was retired stays so: another key is another witness. */
static enum az_status
check_new(const struct custody *custody, const struct witness *witness, struct az_err *reterr)
{
	for (uint32_t id = 1; id <= custody->witnesses.count; id++) {
		const struct witness *other = numbered_get(&custody->witnesses, id);

		if (other == NULL)
			continue;
		if (strcmp(other->label, witness->label) == 0)
			return az_fail(reterr, AZ_CONFLICT, "witness %s: there is one already",
			    witness->label);
		if (bytes_equal(bytes_make(other->key.public_key, SIGN_PUBLIC_SIZE),
			bytes_make(witness->key.public_key, SIGN_PUBLIC_SIZE)))
			return az_fail(reterr, AZ_CONFLICT, "witness %s: %s has that key%s",
			    witness->label, other->label,
			    other->retired_us != 0 ? ", and was retired" : "");
	}
	if (custody->witnesses.count >= WITNESSES_MAX)
		return az_fail(
		    reterr, AZ_LIMIT, "witness: %u is the most in a house's life", WITNESSES_MAX);
	return AZ_OK;
}

void
verb_witness_add(struct request *request, const union front_request *body)
{
	const struct front_witness_add *add = &body->witness_add;
	const struct custody *custody = request->custody;
	struct witness witness = {.id = (uint32_t)custody->witnesses.count + 1,
	    .added_us = house_now_us(request->custody)};
	struct az_err err = {0};
	enum az_status status;

	if (!change_may_be_asked(request))
		return;
	(void)snprintf(witness.label, sizeof(witness.label), "%s", add->label);
	status = note_key_parse(bytes_of(add->vkey), &witness.key, &err);
	if (status == AZ_OK && witness.key.type != NOTE_KEY_COSIGNATURE)
		status = az_fail(
		    &err, AZ_INVALID, "witness %s: this key is no witness's", witness.label);
	if (status == AZ_OK)
		status = check_new(custody, &witness, &err);
	if (status != AZ_OK) {
		request_fail_with(request, status, &err);
		return;
	}
	witness_submit(request, &witness, DETAIL_ENROLLED);
}

void
verb_witness_retire(struct request *request, const union front_request *body)
{
	const struct custody *custody = request->custody;
	const struct witness *found = NULL;
	struct witness witness;
	struct az_err err = {0};

	if (!change_may_be_asked(request))
		return;
	for (uint32_t id = 1; id <= custody->witnesses.count; id++) {
		const struct witness *other = numbered_get(&custody->witnesses, id);

		if (other != NULL && other->retired_us == 0 &&
		    strcmp(other->label, body->named.label) == 0)
			found = other;
	}
	if (found == NULL) {
		(void)az_fail(&err, AZ_NOT_FOUND, "witness %s: none of that name is enrolled",
		    body->named.label);
		request_fail(request, &err);
		return;
	}
	witness = *found;
	witness.retired_us = house_now_us(request->custody);
	witness_submit(request, &witness, DETAIL_RETIRED);
}

void
verb_witness_limit(struct request *request, const union front_request *body)
{
	struct ledger_entry entry;
	struct payload payload;
	enum az_status status;

	if (!change_may_be_asked(request))
		return;
	entry = request_entry(request, ENTRY_WITNESS);
	entry.detail = DETAIL_LIMIT;
	entry.detail64 = body->witness_limit.hours;
	payload_init(&payload);
	status = payload_put_cosign_limit(
	    &payload, body->witness_limit.hours, house_now_us(request->custody));
	change_submit(request, entry, status, &payload, "limit", body->witness_limit.hours, "");
}

/* --- taking what was cosigned ----------------------------------------------------------------- */

/* The log whose checkpoint it says it is, and its key. AZ_DENIED: of none of this house, in this generation. */
static enum az_status
find_log(const struct custody *custody, struct bytes origin, uint32_t *ret_log,
    struct note_key *ret_key, struct az_err *reterr)
{
	uint32_t generation = ledger_generation(custody->ledger);
	uint8_t public_key[SIGN_PUBLIC_SIZE];
	char name[LEDGER_NAME_SIZE];
	enum az_status status;

	for (uint32_t log = 0; log < ledger_log_count(custody->ledger); log++) {
		ledger_origin(custody->config.house, generation, log, name);
		if (!bytes_equal(origin, bytes_of(name)))
			continue;
		status = ledger_log_key(custody->ledger, log, public_key, reterr);
		if (status == AZ_OK)
			status = note_key_make(name, NOTE_KEY_ED25519, public_key, ret_key, reterr);
		*ret_log = log;
		return status;
	}
	return az_fail(reterr, AZ_DENIED, "cosigned: it is of no log that this house has now");
}

/* By whom, and when: the newest line of those who are enrolled. */
static enum az_status
find_witness(const struct custody *custody, const struct note *note, uint32_t *ret_witness,
    int64_t *ret_time_s, struct az_err *reterr)
{
	const struct witness *retired = NULL;
	uint32_t found = 0;
	int64_t newest_s = 0;

	for (uint32_t id = 1; id <= custody->witnesses.count; id++) {
		const struct witness *witness = numbered_get(&custody->witnesses, id);
		int64_t time_s = 0;
		enum az_status status;

		if (witness == NULL)
			continue;
		status = note_check(note, &witness->key, &time_s, reterr);
		if (status == AZ_NOT_FOUND)
			continue;
		if (status == AZ_FORGED)
			return az_fail(reterr, AZ_DENIED,
			    "cosigned: what stands there as the signature of %s is none",
			    witness->label);
		if (status != AZ_OK)
			return status;
		if (witness->retired_us != 0) {
			retired = witness;
		} else if (found == 0 || time_s > newest_s) {
			found = id;
			newest_s = time_s;
		}
	}
	if (found == 0 && retired != NULL)
		return az_fail(
		    reterr, AZ_DENIED, "cosigned: the witness %s is retired", retired->label);
	if (found == 0)
		return az_fail(reterr, AZ_DENIED, "cosigned: no witness of this house signed it");
	*ret_witness = found;
	*ret_time_s = newest_s;
	return AZ_OK;
}

/* Neither from the future nor older than what is known. */
static enum az_status
check_time(const struct custody *custody, const struct cosigned *cosigned, struct az_err *reterr)
{
	const struct cosigned *known = cosigned_of(custody, cosigned->log);
	char when[48];

	if (cosigned->time_s <= 0 || cosigned->time_s > clock_now_us() / AZ_US_PER_S + FUTURE_S)
		return az_fail(reterr, AZ_DENIED, "cosigned: its time is not now, nor before now");
	if (known == NULL)
		return AZ_OK;
	clock_format_utc(known->time_s * AZ_US_PER_S, when, sizeof(when));
	if (cosigned->time_s == known->time_s && cosigned->size == known->size)
		return az_fail(reterr, AZ_CONFLICT, "cosigned: it is known already, of %s", when);
	if (cosigned->time_s <= known->time_s || cosigned->size < known->size)
		return az_fail(reterr, AZ_CONFLICT,
		    "cosigned: it is older than what is known: %llu entries on %s",
		    (unsigned long long)known->size, when);
	return AZ_OK;
}

/* The moment before which every entry is cosigned by it; the log is settled. */
static enum az_status
find_cover(const struct custody *custody, struct cosigned *cosigned, struct az_err *reterr)
{
	struct ledger_read read;
	struct head head;
	enum az_status status;

	cosigned->covers_us = cosigned->time_s * AZ_US_PER_S;
	ledger_head(custody->ledger, cosigned->log, &head);
	if (cosigned->size >= head.size)
		return AZ_OK;
	status = ledger_entry_at(custody->ledger, cosigned->log, cosigned->size, &read, reterr);
	/* One that is not even written yet is newer than any witness's answer that could be here already. */
	if (status == AZ_NOT_FOUND)
		return AZ_OK;
	if (status == AZ_OK && read.entry.time_us < cosigned->covers_us)
		cosigned->covers_us = read.entry.time_us;
	return status;
}

/* AZ_FORGED: *ret_head is what our tree does not continue. */
static enum az_status
judge(struct custody *custody, struct bytes note, struct cosigned *ret_cosigned,
    struct head *ret_head, struct az_err *reterr)
{
	struct cosigned cosigned = {.generation = ledger_generation(custody->ledger)};
	struct checkpoint checkpoint;
	struct note_key key;
	enum az_status status = checkpoint_open(note, &checkpoint, reterr);

	if (status == AZ_OK)
		status = find_log(custody, checkpoint.origin, &cosigned.log, &key, reterr);
	if (status == AZ_OK) {
		status = checkpoint_open_signed(note, &key, &checkpoint, reterr);
		/* Anybody can write that: it is no evidence against the house. */
		if (status == AZ_FORGED)
			status = az_fail(reterr, AZ_DENIED,
			    "cosigned: the key of the log of %s did not sign it",
			    log_label(custody, cosigned.log));
	}
	if (status == AZ_OK && checkpoint.size == 0)
		status = az_fail(reterr, AZ_DENIED, "cosigned: it has no entries");
	if (status != AZ_OK)
		return status;
	cosigned.size = checkpoint.size;
	memcpy(cosigned.root, checkpoint.root, sizeof(cosigned.root));
	*ret_head = (struct head){
	    .log = cosigned.log, .generation = cosigned.generation, .size = cosigned.size};
	memcpy(ret_head->root, checkpoint.root, sizeof(ret_head->root));
	status = ledger_check_head(custody->ledger, ret_head, reterr);
	if (status == AZ_OK)
		status = find_witness(
		    custody, &checkpoint.note, &cosigned.witness, &cosigned.time_s, reterr);
	if (status == AZ_OK)
		status = check_time(custody, &cosigned, reterr);
	if (status == AZ_OK)
		status = find_cover(custody, &cosigned, reterr);
	if (status == AZ_OK)
		*ret_cosigned = cosigned;
	return status;
}

struct telling {
	struct request *request;
	struct bytes note; /* in the request's body */
};

static void
told_is_settled(void *arg)
{
	struct telling telling = *(struct telling *)arg;
	struct request *request = telling.request;
	struct custody *custody = request->custody;
	struct cosigned cosigned = {0};
	struct ledger_entry entry;
	struct payload payload;
	struct head head = {0};
	struct az_err err = {0};
	enum az_status status;

	free(arg);
	status = judge(custody, telling.note, &cosigned, &head, &err);
	if (status != AZ_OK) {
		err.status = status;
		if (status == AZ_FORGED)
			head_alarm(request, &head, &err);
		else
			request_end_with(request, status, &err);
		return;
	}
	entry = request_entry(request, ENTRY_COSIGNED);
	entry.subject = cosigned.log;
	entry.detail = cosigned.witness;
	entry.detail64 = cosigned.size;
	entry.rows = (uint32_t)cosigned.time_s;
	memcpy(entry.document, cosigned.root, sizeof(entry.document));
	payload_init(&payload);
	status = payload_put_cosigned(&payload, &cosigned);
	change_submit(request, entry, status, &payload, "cosigned", cosigned.log,
	    log_label(custody, cosigned.log));
}

void
verb_cosigned(struct request *request, const union front_request *body)
{
	struct telling *telling = NULL;
	struct az_err err = {0};
	enum az_status status = AZ_OK;

	if (!change_is_permitted(request))
		return;
	telling = malloc(sizeof(*telling));
	if (telling == NULL)
		status = az_fail(&err, AZ_NO_MEMORY, "cosigned: out of memory");
	if (status == AZ_OK) {
		*telling = (struct telling){.request = request, .note = body->cosigned.note};
		/* So that entries beyond the checkpoint can be read. */
		status = ledger_settle(request->custody->ledger, told_is_settled, telling, &err);
	}
	if (status != AZ_OK) {
		free(telling);
		request_fail_with(request, status, &err);
	}
}

/* --- listing ---------------------------------------------------------------------------------- */

static void
list_witness(struct request *request, const struct witness *witness)
{
	struct wire_writer writer = reply_begin(request, FRONT_ITEM);
	struct buffer vkey;

	buffer_init(&vkey, NOTE_VKEY_MAX, false);
	answer_object(&writer, NULL);
	answer_text(&writer, "witness", witness->label);
	if (note_key_text(&witness->key, &vkey) == AZ_OK)
		answer_value(&writer, "vkey", buffer_peek(&vkey));
	answer_time(&writer, "added", witness->added_us);
	if (witness->retired_us != 0)
		answer_time(&writer, "retired", witness->retired_us);
	answer_end(&writer);
	buffer_fini(&vkey);
	reply_item(request, &writer);
}

void
verb_witness_list(struct request *request, const union front_request *body)
{
	struct custody *custody = request->custody;
	struct wire_writer writer;

	(void)body;
	if (!change_is_permitted(request))
		return;
	for (uint32_t id = 1; id <= custody->witnesses.count; id++) {
		const struct witness *witness = numbered_get(&custody->witnesses, id);

		if (witness != NULL)
			list_witness(request, witness);
	}
	for (uint32_t log = 0; log < ledger_log_count(custody->ledger); log++) {
		struct head head;

		ledger_head(custody->ledger, log, &head);
		if (head.size == 0)
			continue;
		writer = reply_begin(request, FRONT_ITEM);
		answer_object(&writer, NULL);
		answer_cosigned(&writer, custody, log);
		answer_end(&writer);
		reply_item(request, &writer);
	}
	writer = reply_begin(request, FRONT_DONE);
	answer_object(&writer, NULL);
	answer_witnesses(&writer, custody);
	answer_end(&writer);
	reply_end(request, &writer);
}
