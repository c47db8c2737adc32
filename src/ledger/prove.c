/*
 * Checkpoints and offline proofs out of an open ledger.
 *
 * A proof is in the newest checkpoint that lies signed on the disk. The log's own files may have grown since;
 * they hold every older tree too, so the proof is made at the checkpoint's size.
 */
#include <string.h>

#include "ledger/ledger_internal.h"

enum az_status
ledger_checkpoint(
    struct ledger *ledger, uint32_t number, struct buffer *note, struct az_err *reterr)
{
	struct buffer file;
	const struct log *log;
	enum az_status status = AZ_NOT_FOUND;

	buffer_init(&file, NOTE_MAX, false);
	(void)pthread_mutex_lock(&ledger->files_lock);
	log = number < LEDGER_LOGS_MAX ? ledger->logs[number] : NULL;
	if (log != NULL)
		status = file_read_whole(log->dirfd, "checkpoint", &file, reterr);
	(void)pthread_mutex_unlock(&ledger->files_lock);
	if (status == AZ_OK) {
		status = buffer_append(note, buffer_peek(&file));
		if (status != AZ_OK)
			(void)az_fail(reterr, status, "ledger: no room for a checkpoint");
	}
	buffer_fini(&file);
	if (status == AZ_NOT_FOUND)
		return az_fail(reterr, status, "ledger: log %u has no checkpoint yet", number);
	return status;
}

/* The proof at the checkpoint's size, which must lead to its root. */
static enum az_status
make(struct ledger *ledger, uint32_t number, uint64_t index, const struct checkpoint *checkpoint,
    const uint8_t leaf[TREE_HASH_SIZE], struct proof *ret_proof, struct az_err *reterr)
{
	struct hash_source source;
	enum az_status status;

	if (index >= checkpoint->size)
		return az_fail(reterr, AZ_NOT_FOUND, "ledger: log %u has no entry %llu", number,
		    (unsigned long long)index);
	(void)pthread_mutex_lock(&ledger->files_lock);
	source = log_source(ledger->logs[number]);
	status = proof_make_inclusion(&source, index, checkpoint->size, ret_proof, reterr);
	(void)pthread_mutex_unlock(&ledger->files_lock);
	if (status == AZ_OK &&
	    !proof_check_inclusion(ret_proof, index, checkpoint->size, leaf, checkpoint->root))
		return az_fail(reterr, AZ_FORGED,
		    "ledger: the stored hashes of log %u do not lead to its checkpoint", number);
	return status;
}

enum az_status
ledger_prove(struct ledger *ledger, uint32_t number, uint64_t index, struct buffer *proof_text,
    struct az_err *reterr)
{
	struct checkpoint checkpoint;
	struct ledger_read read;
	struct proof proof;
	struct buffer note, entry;
	uint8_t leaf[TREE_HASH_SIZE];
	enum az_status status;

	buffer_init(&note, NOTE_MAX, false);
	buffer_init(&entry, LEDGER_ENTRY_MAX, false);
	status = ledger_checkpoint(ledger, number, &note, reterr);
	if (status == AZ_OK)
		status = checkpoint_open(buffer_peek(&note), &checkpoint, reterr);
	if (status == AZ_OK)
		status = ledger_entry_at(ledger, number, index, &read, reterr);
	if (status == AZ_OK) {
		/* An entry has one encoding, so these are the bytes that were written. */
		status = ledger_entry_encode(&read, &entry);
		if (status != AZ_OK)
			(void)az_fail(reterr, status, "ledger: an entry could not be encoded");
	}
	if (status == AZ_OK) {
		tree_leaf(buffer_peek(&entry), leaf);
		status = make(ledger, number, index, &checkpoint, leaf, &proof, reterr);
	}
	if (status == AZ_OK) {
		status = proof_file_write(
		    index, &proof, buffer_peek(&entry), buffer_peek(&note), proof_text);
		if (status != AZ_OK)
			(void)az_fail(reterr, status, "ledger: no room for a proof");
	}
	buffer_fini(&note);
	buffer_fini(&entry);
	return status;
}
