/*
 * What a published log is held against: its signed checkpoint, the newest one that somebody knows of it, and the one
 * that a witness cosigned. Of these the largest says how many entries there must be.
 */
#include "verify/verify_internal.h"

#define SIZE_MAX_OF_LOG ((uint64_t)1 << 40)

void
checkpoints_init(struct checkpoints *checkpoints)
{
	*checkpoints = (struct checkpoints){0};
	buffer_init(&checkpoints->note, NOTE_MAX, false);
	buffer_init(&checkpoints->cosigned_note, NOTE_MAX, false);
}

void
checkpoints_fini(struct checkpoints *checkpoints)
{
	buffer_fini(&checkpoints->note);
	buffer_fini(&checkpoints->cosigned_note);
}

/* A file beside the log that is not another log's. */
static enum az_status
open_signed(struct bytes bytes, const struct note_key *key, const char *what,
    struct checkpoint *ret_checkpoint, struct az_err *reterr)
{
	struct az_err err = {0};
	enum az_status status = checkpoint_open_signed(bytes, key, ret_checkpoint, &err);

	return status == AZ_OK ? AZ_OK : az_fail(reterr, status, "%s: %s", what, err.text);
}

static enum az_status
open_cosigned(const struct published_log *source, struct log_check *check,
    struct checkpoints *checkpoints, struct az_err *reterr)
{
	struct az_err err = {0};
	const char *what = "cosigned";
	struct buffer *note = &checkpoints->cosigned_note;
	enum az_status status = source->read(source->arg, what, note, &err);

	if (status == AZ_NOT_FOUND) {
		what = "checkpoint";
		buffer_clear(note);
		status = buffer_append(note, buffer_peek(&checkpoints->note));
	}
	if (status != AZ_OK)
		return az_fail(reterr, status, "%s: %s", what, err.text);
	status = open_signed(buffer_peek(note), check->key, what, &checkpoints->cosigned, reterr);
	if (status != AZ_OK)
		return status;
	status = note_check(&checkpoints->cosigned.note, check->witness, &check->witnessed_s, &err);
	if (status == AZ_NOT_FOUND)
		return az_fail(reterr, AZ_FORGED, "%s: the witness %s has not cosigned it", what,
		    check->witness->name);
	if (status != AZ_OK)
		return az_fail(reterr, status, "%s: %s", what, err.text);
	checkpoints->has_cosigned = true;
	check->witnessed_size = checkpoints->cosigned.size;
	return AZ_OK;
}

enum az_status
checkpoints_open(const struct published_log *source, struct log_check *check,
    struct checkpoints *checkpoints, struct az_err *reterr)
{
	struct az_err err = {0};
	enum az_status status = source->read(source->arg, "checkpoint", &checkpoints->note, &err);

	if (status != AZ_OK)
		return az_fail(
		    reterr, status == AZ_LIMIT ? AZ_CORRUPT : status, "checkpoint: %s", err.text);
	status = open_signed(buffer_peek(&checkpoints->note), check->key, "checkpoint",
	    &checkpoints->signed_one, reterr);
	if (status == AZ_OK && check->newest.size > 0) {
		status = open_signed(check->newest, check->key, "the newest checkpoint known",
		    &checkpoints->newest, reterr);
		checkpoints->has_newest = status == AZ_OK;
		check->newest_size = checkpoints->newest.size;
	}
	if (status == AZ_OK && check->witness != NULL)
		status = open_cosigned(source, check, checkpoints, reterr);
	if (status != AZ_OK)
		return status;
	check->size = checkpoints->signed_one.size;
	if (check->newest_size > check->size || check->witnessed_size > check->size) {
		uint64_t known = check->newest_size > check->witnessed_size ? check->newest_size
									    : check->witnessed_size;
		return az_fail(reterr, AZ_FORGED,
		    "entries %llu to %llu are missing: the log was signed with %llu before",
		    (unsigned long long)check->size, (unsigned long long)(known - 1),
		    (unsigned long long)known);
	}
	if (check->size > SIZE_MAX_OF_LOG)
		return az_fail(reterr, AZ_LIMIT, "a log of %llu entries is too large",
		    (unsigned long long)check->size);
	return AZ_OK;
}
