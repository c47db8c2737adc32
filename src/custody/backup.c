/*
 * Standing still while files are copied. The front copies them, with the operating system's right to do so; all of them are
 * ciphertext and codes. What the keeper does for it:
 *
 *	BACKUP      an entry; then nothing becomes the state of the house any more: house.db, the logs' sizes, the
 *	            checkpoints stay as they are, while evidence goes on into the write-ahead log (ledger_hold)
 *	            lists and corrections, which write to vault and catalogue, are busy
 *	BACKUP_END  was it held to the end? then what was copied is one state of the house
 *
 * Calls go on meanwhile. A front that goes away ends it; one that takes too long is told so at the end.
 */
#include "custody/losses.h"

#define BACKUP_MAX_US (INT64_C(4) * 3600 * AZ_US_PER_S)

bool
backup_excludes(const struct custody *custody, enum front_message type)
{
	return custody->backup_front != NULL &&
	    (type == FRONT_ENTRUST || type == FRONT_CORRECT || type == FRONT_COSIGNED);
}

static void
release(struct custody *custody)
{
	custody->backup_front = NULL;
	ledger_release(custody->ledger);
}

void
backup_front_gone(struct custody *custody, const struct custody_front *front)
{
	if (custody->backup_front != NULL && (front == NULL || custody->backup_front == front))
		release(custody);
}

void
backup_tick(struct custody *custody)
{
	if (custody->backup_front != NULL &&
	    clock_monotonic_us() - custody->backup_us > BACKUP_MAX_US)
		release(custody);
}

static void
held(void *arg)
{
	struct request *request = arg;
	struct custody *custody = request->custody;
	struct wire_writer writer;
	struct az_err err = {0};
	struct head head;
	uint32_t segment = 0;
	uint64_t offset = 0;

	if (custody->backup_front != request->front ||
	    !ledger_held(custody->ledger, &segment, &offset)) {
		(void)az_fail(&err, AZ_BUSY, "backup: it was given up");
		request_fail(request, &err);
		return;
	}
	ledger_head(custody->ledger, LEDGER_HOUSE_LOG, &head);
	writer = reply_begin(request, FRONT_DONE);
	answer_object(&writer, NULL);
	answer_uint(&writer, "segment", segment);
	answer_uint(&writer, "offset", offset);
	answer_uint(&writer, "generation", head.generation);
	answer_uint(&writer, "entries", head.size);
	answer_end(&writer);
	reply_end(request, &writer);
}

void
verb_backup(struct request *request, const union front_request *body)
{
	struct custody *custody = request->custody;
	struct ledger_entry entry = request_entry(request, ENTRY_BACKED_UP);
	struct az_err err = {0};
	enum az_status status = AZ_OK;

	(void)body;
	if (!change_is_permitted(request))
		return;
	entry.detail = ledger_generation(custody->ledger);
	if (custody->backup_front != NULL)
		status = az_fail(&err, AZ_BUSY, "backup: another one is being taken");
	else if (custody->bulk != NULL)
		status = az_fail(&err, AZ_BUSY, "backup: a list is being entrusted");
	else if (custody->destroying != NULL)
		status = az_fail(&err, AZ_BUSY, "backup: a list is being destroyed");
	if (status == AZ_OK)
		status =
		    ledger_submit(custody->ledger, &entry, bytes_make(NULL, 0), NULL, NULL, &err);
	if (status == AZ_OK)
		status = ledger_hold(custody->ledger, held, request, &err);
	if (status != AZ_OK) {
		request_fail_with(request, status, &err);
		return;
	}
	custody->backup_front = request->front;
	custody->backup_us = clock_monotonic_us();
}

void
verb_backup_end(struct request *request, const union front_request *body)
{
	struct custody *custody = request->custody;
	struct wire_writer writer;
	struct az_err err = {0};

	(void)body;
	if (!change_is_permitted(request))
		return;
	if (custody->backup_front != request->front) {
		(void)az_fail(&err, AZ_CONFLICT,
		    "backup: the house has gone on meanwhile; what was copied is of no use");
		request_fail(request, &err);
		return;
	}
	release(custody);
	writer = reply_begin(request, FRONT_DONE);
	answer_object(&writer, NULL);
	answer_end(&writer);
	reply_end(request, &writer);
}
